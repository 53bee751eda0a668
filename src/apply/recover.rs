//! Finishes what an interrupted apply left: every request without an end is found out, none is guessed.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::ApplyOptions;
use super::error::ApplyError;
use super::find::{Lost, Trace, find_out};
use crate::graph::Graph;
use crate::model::state::{Document, Version as StateVersion};
use crate::state::history::Change;
use crate::state::journal::{End, Journal, Outcome};
use crate::state::{Guard, LocalFile, StateStore as _};

/// What taking up an interrupted apply came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Addresses whose request turned out to be done.
    pub done: Vec<String>,
    /// Addresses whose request turned out not to be done.
    pub not_done: Vec<String>,
    /// Requests that cannot be judged yet; the journal keeps them.
    pub hidden: Vec<Hidden>,
}

/// A request that cannot be judged yet, since the service may still hide what it made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// The address.
    pub address: String,
    /// When it left.
    pub since: Timestamp,
    /// When it may be decided.
    pub until: Timestamp,
}

impl Recovered {
    /// Refuses to go on while something cannot be judged yet.
    pub fn decided(self, options: &ApplyOptions) -> Result<Self, ApplyError> {
        match self.hidden.first() {
            None => Ok(self),
            Some(hidden) => Err(ApplyError::TooEarly {
                address: hidden.address.clone(),
                at: hidden.since.to_string(),
                lag_minutes: options.visibility_lag.as_secs().div_ceil(60),
                after: hidden.until.to_string(),
            }),
        }
    }
}

/// Takes up an interrupted apply, if there is one: settles state, finds out what is unknown, and closes the journal
/// unless something cannot be judged yet.
///
/// Called under the lock, before anything is planned.
pub async fn recover(
    graph: &Graph,
    store: &LocalFile,
    guard: &Guard,
    options: &ApplyOptions,
    document: &mut Document,
    version: &mut Option<StateVersion>,
) -> Result<Option<Recovered>, ApplyError> {
    let Some((mut journal, recovery)) = Journal::resume(store)? else {
        return Ok(None);
    };
    let now = options.clock.now();
    recovery.settle(document);
    let mut recovered = Recovered::default();
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut open = recovery.open.as_slice();
    while let [first, rest @ ..] = open {
        let begin = &first.begin;
        let same = |other: &&crate::state::journal::Open| {
            other.begin.path == begin.path && other.begin.body == begin.body
        };
        let lost = Lost {
            begin,
            not_ours: first.not_ours.union(&taken).cloned().collect(),
            twins: 1 + rest.iter().filter(same).count(),
        };
        open = rest;
        let outcome = match find_out(graph, options, &lost).await? {
            Trace::Landed(outcome) | Trace::Missing(outcome) => outcome,
            Trace::Hidden { until } => {
                recovered.hidden.push(Hidden {
                    address: begin.address.clone(),
                    since: begin.at,
                    until,
                });
                continue;
            }
        };
        if let Outcome::Done { id, answered } = &outcome {
            begin
                .effect
                .settle(&begin.address, id.as_deref(), answered.as_ref(), document);
            taken.extend(id.clone());
            recovered.done.push(begin.address.clone());
        } else {
            recovered.not_done.push(begin.address.clone());
        }
        journal.end(End {
            step: begin.step.clone(),
            outcome,
            at: now,
        })?;
    }
    let change = Change {
        at: now,
        who: options.who.clone(),
        operation: "recovery".to_owned(),
        new_lineage: false,
    };
    let stored = store.swap(guard, version.as_ref(), document, &change).await?;
    let is_new = recovered.hidden.len() < recovery.open.len() || !recovery.done_not_in_state.is_empty();
    if !recovery.ended && (is_new || recovered.hidden.is_empty()) {
        journal.state_saved(&stored.version)?;
    }
    if recovered.hidden.is_empty() {
        journal.finish(now)?;
    }
    *document = stored.document;
    *version = Some(stored.version);
    Ok(Some(recovered))
}
