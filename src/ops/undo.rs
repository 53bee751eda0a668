//! Taking one earlier apply back: which one, what it did, and the plan that undoes it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::connection::Connection;
use super::project::Loaded;
use super::refresh::{Looking, refresh};
use super::workspace::{Planned, WorkError, Worker, Workspace};
use super::{OpsError, effect};
use crate::graph::{Collection, Version};
use crate::model::state::Document;
use crate::model::{Address, Kind};
use crate::plan::{self, Earlier, PlanOptions, States};
use crate::state::journal::{Begin, Operation, Outcome, PastApply, Record, past_applies, read_past};
use crate::state::{StateError, StateStore as _};

/// The word that the command of an undo starts with, before the name of the apply that it takes back.
const UNDO: &str = "undo ";

/// An apply that is taken back, and how.
pub struct Undoing {
    /// The apply.
    pub apply: PastApply,
    /// The plan, with what it was made from.
    pub planned: Planned,
}

impl Undoing {
    /// What the journal and the history say that is done: `undo` and the name of the apply.
    pub fn command(&self) -> String {
        format!("{UNDO}{}", self.apply.begin.apply)
    }
}

/// Which apply is taken back, and how much of it.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The apply, by the beginning of its name; the latest that still stands when left out.
    pub apply: Option<String>,
    /// Only these and what they need.
    pub targets: Vec<Address>,
    /// All but these and what needs them.
    pub excludes: Vec<Address>,
    /// Whether what others changed since stays as it is, and the rest is taken back.
    pub skip_changed: bool,
    /// Why it is taken on that not everybody stays protected, or let in, between the writes.
    pub accept_gap: Option<String>,
}

/// Reads the tenant and makes the plan that takes an apply back.
pub async fn plan(
    workspace: &Workspace,
    connection: &Connection,
    loaded: &Loaded,
    choice: &Choice,
    worker: &Worker,
) -> Result<Undoing, WorkError> {
    let apply = choose(workspace, choice.apply.as_deref())?;
    let records = read_past(&workspace.store, &apply.begin.apply)?;
    let stored = workspace.store.load().await?;
    let Some(now) = stored.as_ref().map(|stored| &stored.document) else {
        return Err(nothing(None).into());
    };
    now.for_tenant(&connection.tenant_id).map_err(StateError::from)?;
    let saved = records.iter().rev().find_map(|record| match record {
        Record::StateSaved(version) => Some(version.serial),
        _ => None,
    });
    let before = at(workspace, apply.begin.serial, now).await?;
    let after = at(workspace, saved.unwrap_or(apply.begin.serial), now).await?;
    let mut earlier = told(&records);
    earlier.apply.clone_from(&apply.begin.apply);
    earlier.restorable = restorable(connection, &earlier, &before).await?;
    let everything = all_of(now, &before, &after);
    let written = earlier.met.keys().chain(&earlier.made);
    let groups: BTreeSet<&String> = everything
        .resources
        .values()
        .filter(|resource| resource.kind == Kind::Group)
        .map(|resource| &resource.id)
        .collect();
    let looking = Looking {
        undone: Some(written.filter(|id| groups.contains(id)).cloned().collect()),
        ..workspace.looking(worker, &loaded.configuration)
    };
    let refreshed = refresh(connection, &loaded.configuration, Some(&everything), &looking).await?;
    let options = PlanOptions {
        sandbox: workspace.is_sandbox(),
        configuration_digest: loaded.digest.clone(),
        refresh_requests: refreshed.requests,
        targets: choice.targets.clone(),
        excludes: choice.excludes.clone(),
        skip_changed: choice.skip_changed,
        accept_gap: choice.accept_gap.clone(),
        ..PlanOptions::new(worker.now)
    };
    let states = States {
        before: &before,
        after: &after,
        now,
    };
    let mut plan = plan::undo(
        &earlier,
        states,
        &loaded.configuration,
        &refreshed.live,
        &refreshed.directory,
        &options,
    )?;
    effect::put(connection, &mut plan, &refreshed, true).await?;
    let by = super::rollout::person(connection.signed_in.as_ref(), &worker.who);
    let staged = super::rollout::undone(&loaded.configuration, &before, now, &plan, &by, worker.now)?;
    let plan = plan.with_rollouts(staged);
    Ok(Undoing {
        apply,
        planned: Planned {
            plan,
            refreshed,
            stored,
        },
    })
}

/// Makes the plan again and refuses it when anything moved meanwhile.
pub async fn check(
    workspace: &Workspace,
    connection: &Connection,
    loaded: &Loaded,
    undoing: Undoing,
    choice: &Choice,
    worker: &Worker,
) -> Result<Undoing, WorkError> {
    let same = Choice {
        apply: Some(undoing.apply.begin.apply.clone()),
        ..choice.clone()
    };
    let again = plan(workspace, connection, loaded, &same, worker).await?;
    let state = again.planned.stored.as_ref().map(|stored| &stored.document);
    let reasons = plan::stale(
        &undoing.planned.plan,
        state,
        &again.planned.refreshed.live,
        Some(&loaded.digest),
    );
    if reasons.is_empty() {
        Ok(again)
    } else {
        Err(WorkError::Stale { reasons })
    }
}

/// The apply of that name; or the latest that is no undo and that no undo took back.
fn choose(workspace: &Workspace, wanted: Option<&str>) -> Result<PastApply, WorkError> {
    let applies = past_applies(&workspace.store)?;
    if let Some(wanted) = wanted {
        let mut found = applies
            .into_iter()
            .filter(|apply| apply.begin.apply.starts_with(wanted));
        return match (found.next(), found.next()) {
            (Some(apply), None) if !wanted.is_empty() => Ok(apply),
            _ => Err(StateError::NoSuchApply {
                apply: wanted.to_owned(),
            }
            .into()),
        };
    }
    // Newest first: an undo that was itself taken back takes nothing back.
    let mut undone: BTreeSet<String> = BTreeSet::new();
    for apply in &applies {
        if let Some(taken_back) = apply.begin.command.strip_prefix(UNDO)
            && !undone.contains(&apply.begin.apply)
        {
            // Options may stand behind it.
            undone.extend(taken_back.split(' ').next().map(str::to_owned));
        }
    }
    let is_undo = |apply: &PastApply| apply.begin.command.starts_with(UNDO);
    let last = applies.first().filter(|apply| is_undo(apply));
    let nothing = nothing(last);
    applies
        .into_iter()
        .find(|apply| !is_undo(apply) && !undone.contains(&apply.begin.apply))
        .ok_or_else(|| nothing.into())
}

fn nothing(last_undo: Option<&PastApply>) -> OpsError {
    OpsError::NothingToUndo {
        next: match last_undo {
            Some(undo) => format!(
                "the last apply is an undo, which can be taken back by its name: `capol undo {}`",
                undo.begin.apply
            ),
            None => "list what was written before: `capol state history`".to_owned(),
        },
    }
}

async fn at(workspace: &Workspace, serial: u64, now: &Document) -> Result<Document, StateError> {
    if serial == 0 {
        return Ok(Document::new(now.lineage, now.tenant_id.clone()));
    }
    workspace.store.at_serial(serial).await
}

/// What the journal of an apply tells of the objects that it wrote.
fn told(records: &[Record]) -> Earlier {
    let mut earlier = Earlier::default();
    let mut open: BTreeMap<&str, &Begin> = BTreeMap::new();
    for record in records {
        match record {
            Record::Begin(begin) => {
                open.insert(&begin.step, begin);
            }
            Record::End(end) => {
                if let (Some(begin), Outcome::Done { id, .. }) = (open.get(end.step.as_str()), &end.outcome) {
                    tell(begin, id.as_deref(), &mut earlier);
                }
            }
            _ => {}
        }
    }
    earlier
}

fn tell(begin: &Begin, id: Option<&str>, earlier: &mut Earlier) {
    let before = begin.before.as_ref();
    let known = before.and_then(|before| before.get("id").and_then(Json::as_str));
    let Some(id) = known.or(id).or_else(|| begin.path.rsplit('/').next()) else {
        return;
    };
    let id = id.to_ascii_lowercase();
    match begin.operation {
        Operation::Create | Operation::Restore => {
            earlier.made.insert(id);
        }
        Operation::Update | Operation::Delete | Operation::Link | Operation::Unlink => {
            if begin.operation == Operation::Delete {
                earlier.deleted.insert(id.clone());
            }
            if let Some(before) = before {
                earlier.met.entry(id).or_insert_with(|| before.clone());
            }
        }
    }
}

/// What of the deleted objects the service still keeps.
async fn restorable(
    connection: &Connection,
    earlier: &Earlier,
    before: &Document,
) -> Result<BTreeSet<String>, WorkError> {
    let mut kept = BTreeSet::new();
    for (collection, block) in [
        (Collection::Policies, Kind::Policy.block()),
        (Collection::NamedLocations, Kind::IpLocation.block()),
        (Collection::Groups, Kind::Group.block()),
    ] {
        let wanted = before.resources.values().any(|resource| {
            resource.kind.block() == block && earlier.deleted.contains(&resource.id.to_ascii_lowercase())
        });
        if wanted {
            let deleted = connection
                .graph
                .list_deleted(collection, Version::V1)
                .await
                .map_err(OpsError::from)?;
            kept.extend(
                deleted
                    .iter()
                    .filter_map(|object| object.get("id")?.as_str().map(str::to_ascii_lowercase)),
            );
        }
    }
    Ok(kept)
}

/// One document that names every object of three, so that all of them are read.
fn all_of(now: &Document, before: &Document, after: &Document) -> Document {
    let mut all = now.clone();
    for document in [before, after] {
        for (address, resource) in &document.resources {
            let is_known = all.resources.values().any(|other| other.id == resource.id);
            if !is_known {
                let free = if all.resources.contains_key(address) {
                    format!("{}.undo_{}", resource.kind.block(), resource.id)
                } else {
                    address.clone()
                };
                all.resources.insert(free, resource.clone());
            }
        }
    }
    all
}
