//! Bringing state back after damage.

use std::path::PathBuf;

use super::SurgeryError;
use crate::model::state::Document;
use crate::ops::operator::Operator;
use crate::state::journal::{Journal, Operation};
use crate::state::{Guard, LocalFile, StateError, StateStore as _};

/// What repairing did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Repaired {
    /// The serial of the version that took the place of a damaged or missing state.
    pub restored_serial: Option<u64>,
    /// Where a damaged journal is now.
    pub journal_kept: Option<PathBuf>,
    /// Its lines that cannot be read, from 1.
    pub damaged_lines: Vec<usize>,
    /// Addresses that the journal told of and that were brought into the state.
    pub settled: Vec<String>,
    /// Requests of which it is not known whether the service did them.
    pub unknown: Vec<Unknown>,
    /// Whether a whole journal of an interrupted apply waits for `capol apply`.
    pub unfinished_apply: bool,
}

/// A request whose outcome nobody knows any more.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Unknown {
    /// The address.
    pub address: String,
    /// What was asked of the service.
    pub operation: Operation,
}

impl Repaired {
    /// Whether there was nothing to do.
    pub fn is_nothing(&self) -> bool {
        self.restored_serial.is_none() && self.journal_kept.is_none()
    }
}

/// Puts the newest kept version in the place of a damaged or missing state, and sets a damaged journal aside.
///
/// What the journal still tells as done is brought into the state first.
pub async fn repair(store: &LocalFile, operator: &Operator) -> Result<Repaired, SurgeryError> {
    let guard = operator.lock(store, "state repair").await?;
    let mut repaired = Repaired {
        restored_serial: store.repair(&guard)?.map(|stored| stored.version.serial),
        ..Repaired::default()
    };
    match Journal::resume(store) {
        Ok(journal) => repaired.unfinished_apply = journal.is_some(),
        Err(StateError::JournalDamaged { .. }) => take_over(store, operator, &guard, &mut repaired).await?,
        Err(other) => return Err(other.into()),
    }
    guard.release()?;
    Ok(repaired)
}

/// State first, then the journal: cut short in between, the same call does it again.
async fn take_over(
    store: &LocalFile,
    operator: &Operator,
    guard: &Guard,
    repaired: &mut Repaired,
) -> Result<(), SurgeryError> {
    if let Some(recovery) = Journal::salvage(store)? {
        let current = store.load().await?;
        let mut next = match &current {
            Some(stored) => stored.document.clone(),
            None => Document::new(recovery.apply.lineage, recovery.apply.tenant_id.clone()),
        };
        recovery.settle(&mut next);
        let done = recovery.done_not_in_state.iter();
        repaired.settled = done.map(|done| done.begin.address.clone()).collect();
        if !repaired.settled.is_empty() {
            let version = current.as_ref().map(|stored| &stored.version);
            let change = operator.change("state repair");
            store.swap(guard, version, &next, &change).await?;
        }
        let open = recovery.open.iter();
        repaired.unknown = open
            .map(|open| Unknown {
                address: open.begin.address.clone(),
                operation: open.begin.operation,
            })
            .collect();
    }
    if let Some(salvaged) = Journal::set_aside(store)? {
        repaired.journal_kept = Some(salvaged.kept);
        repaired.damaged_lines = salvaged.damaged_lines;
    }
    Ok(())
}
