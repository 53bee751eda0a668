//! State surgery: what people do to the state document by hand, every change kept in the history.

mod outputs;
mod repair;
mod show;

use std::path::PathBuf;

use miette::Diagnostic;
use serde::Serialize;
use thiserror::Error;

pub use self::outputs::{output, raw};
pub use self::repair::{Bound, Candidate, Evidence, Left, Repair, Repaired, Unknown, WhyLeft};
pub use self::show::{Shown, shown, shown_one};
use super::operator::Operator;
use crate::model::state::{Changes, Document, DocumentError, ResourceState};
use crate::state::journal::{Journal, PastApply, past_applies};
pub use crate::state::{HistoryEntry, Holder, LockInfo};
use crate::state::{LocalFile, StateError, StateStore as _, Stored};

/// Why a command on state is not done.
#[derive(Debug, Error, Diagnostic)]
pub enum SurgeryError {
    /// Nothing was applied or imported yet.
    #[error("there is no state yet: `{place}` does not exist")]
    #[diagnostic(
        code("ops::no_state"),
        help(
            "make it with `capol apply` or `capol import`, or take the newest kept version back: `capol state repair`"
        )
    )]
    NoState {
        /// The state file.
        place: String,
    },
    /// Nobody agreed.
    #[error("nobody agreed to {what}, so nothing was changed")]
    #[diagnostic(
        code("ops::not_confirmed"),
        help("answer the question with `{answer}`, or add `--yes`")
    )]
    NotConfirmed {
        /// What was asked.
        what: String,
        /// The answer that agrees.
        answer: String,
    },
    /// The last apply knew no such output.
    #[error("there is no output `{name}`")]
    #[diagnostic(code("ops::no_such_output"), help("{help}"))]
    NoSuchOutput {
        /// The name.
        name: String,
        /// A near name, or how to list them.
        help: String,
    },
    /// A value that has no bare text.
    #[error("the output `{name}` is {what}, which has no bare text")]
    #[diagnostic(code("ops::not_raw"), help("run `capol output {name} --json`"))]
    NotRaw {
        /// The name.
        name: String,
        /// What it is.
        what: &'static str,
    },
    /// What shall be pushed is no state.
    #[error("`{}` cannot be pushed", path.display())]
    #[diagnostic(
        code("ops::not_a_state"),
        help("nothing was changed; give a state that `capol state pull` printed")
    )]
    NotAState {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: DocumentError,
    },
    /// The document.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Document(#[from] DocumentError),
    /// The place where it is kept.
    #[error(transparent)]
    #[diagnostic(transparent)]
    State(#[from] StateError),
}

/// One line of `capol state list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The address.
    pub address: String,
    /// The block type.
    #[serde(rename = "type")]
    pub block: &'static str,
    /// Graph's id.
    pub id: String,
    /// What people call the object; empty when that was never read.
    pub name: String,
}

/// What a change did, and the serial of the state that holds it.
#[derive(Debug, Clone, PartialEq)]
pub struct Edited<T> {
    /// What it did, or would do.
    pub report: T,
    /// The serial now; without a change the one that was.
    pub serial: u64,
    /// A dead holder whose lock was taken over.
    pub taken_over: Option<LockInfo>,
}

/// What pushing a document did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Pushed {
    /// How the new document differs from the one it replaced.
    pub changes: Changes,
    /// Whether anything was written; false when both say the same.
    pub written: bool,
    /// The lineage now.
    pub lineage: String,
}

/// What `capol state lock` found or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// Whether this call took the lock; false when somebody has it.
    pub taken: bool,
    /// Who has it now.
    pub holder: Holder,
}

/// The earlier states and applies, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct History {
    /// The versions of the document.
    pub versions: Vec<HistoryEntry>,
    /// The applies whose journals are kept, which `capol undo` can take back.
    pub applies: Vec<PastApply>,
}

/// The document, to be shown. Fields that a later version added are passed over.
pub async fn read(store: &LocalFile) -> Result<Document, SurgeryError> {
    store
        .load_for_display()
        .await?
        .ok_or_else(|| SurgeryError::NoState { place: store.name() })
}

/// The document's own text, also when a later version wrote it; refused when it is damaged.
pub async fn pulled(store: &LocalFile) -> Result<String, SurgeryError> {
    read(store).await?;
    let path = &store.place().state;
    let bytes = store.files().read(path).map_err(|source| StateError::Read {
        path: path.clone(),
        source,
    })?;
    Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
}

/// What is managed: addresses that begin with the prefix, of objects with the id.
pub fn list(document: &Document, prefix: Option<&str>, id: Option<&str>) -> Vec<Listed> {
    let wanted = |address: &str, resource: &ResourceState| {
        prefix.is_none_or(|prefix| address.starts_with(prefix))
            && id.is_none_or(|id| resource.id.eq_ignore_ascii_case(id))
    };
    document
        .resources
        .iter()
        .filter(|(address, resource)| wanted(address, resource))
        .map(|(address, resource)| Listed {
            address: address.clone(),
            block: resource.kind.block(),
            id: resource.id.clone(),
            name: name_of(resource),
        })
        .collect()
}

/// What people call the object, as far as is known.
pub fn name_of(resource: &ResourceState) -> String {
    [&resource.answered, &resource.sent]
        .into_iter()
        .flatten()
        .find_map(|json| {
            let name = json.value().get("displayName")?.as_str()?.to_owned();
            Some(name)
        })
        .unwrap_or_default()
}

/// Changes the document under the lock. With `dry_run` nothing is locked and nothing written.
///
/// Refused while an interrupted apply is not taken up: what its journal tells names old addresses.
pub async fn edit<T>(
    store: &LocalFile,
    operator: &Operator,
    operation: &str,
    dry_run: bool,
    change: impl FnOnce(&mut Document) -> Result<T, DocumentError>,
) -> Result<Edited<T>, SurgeryError> {
    if dry_run {
        let mut current = loaded(store).await?;
        let report = change(&mut current.document)?;
        return Ok(Edited {
            report,
            serial: current.version.serial,
            taken_over: None,
        });
    }
    let guard = operator.lock(store, operation).await?;
    no_apply_under_way(store)?;
    let current = loaded(store).await?;
    let mut next = current.document.clone();
    let report = change(&mut next)?;
    let written = store
        .swap(&guard, Some(&current.version), &next, &operator.change(operation))
        .await?;
    let taken_over = guard.previous().cloned();
    guard.release()?;
    Ok(Edited {
        report,
        serial: written.version.serial,
        taken_over,
    })
}

/// Replaces the document by another.
pub async fn push(
    store: &LocalFile,
    operator: &Operator,
    next: Document,
    force: bool,
) -> Result<Edited<Pushed>, SurgeryError> {
    let guard = operator.lock(store, "state push").await?;
    no_apply_under_way(store)?;
    let current = store.load().await?;
    let before = current.as_ref().map(|stored| &stored.document);
    let next = next.pushed_over(before, force)?;
    let change = crate::state::Change {
        new_lineage: force,
        ..operator.change("state push")
    };
    let version = current.as_ref().map(|stored| &stored.version);
    let written = store.swap(&guard, version, &next, &change).await?;
    let taken_over = guard.previous().cloned();
    guard.release()?;
    Ok(Edited {
        report: Pushed {
            changes: Changes::between(before, &written.document),
            written: version != Some(&written.version),
            lineage: written.document.lineage.to_string(),
        },
        serial: written.version.serial,
        taken_over,
    })
}

/// Takes a lock that stays. When somebody has it already, says who: that is no error here.
pub async fn hold(store: &LocalFile, operator: &Operator, reason: &str) -> Result<Locked, SurgeryError> {
    let info = operator.lock_info(reason);
    match store.hold(&info, operator.patience).await {
        Ok(()) => Ok(Locked {
            taken: true,
            holder: Holder {
                id: info.id.clone(),
                info: Some(LockInfo { held: true, ..info }),
                running: false,
            },
        }),
        Err(refusal) => match store.holder().await? {
            Some(holder) => Ok(Locked { taken: false, holder }),
            None => Err(refusal.into()),
        },
    }
}

/// The earlier states and applies.
pub async fn history(store: &LocalFile) -> Result<History, SurgeryError> {
    Ok(History {
        versions: store.history().await?,
        applies: past_applies(store)?,
    })
}

async fn loaded(store: &LocalFile) -> Result<Stored, SurgeryError> {
    store
        .load()
        .await?
        .ok_or_else(|| SurgeryError::NoState { place: store.name() })
}

/// Refuses while the journal of an interrupted apply is there. Called under the lock.
fn no_apply_under_way(store: &LocalFile) -> Result<(), StateError> {
    match Journal::resume(store)? {
        None => Ok(()),
        Some(_) => Err(StateError::UnfinishedApply {
            path: store.place().journal.clone(),
        }),
    }
}
