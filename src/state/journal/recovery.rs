//! What an interrupted apply left behind.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::record::ApplyBegin;
use super::record::Begin;
use super::record::Outcome;
use super::record::Record;
use crate::model::state::Document;
use crate::model::state::Version;

/// What the journal of an interrupted apply tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Recovery {
    /// The apply.
    pub apply: ApplyBegin,
    /// Requests of which it is not known whether the service did them, in the order they left.
    pub open: Vec<Open>,
    /// Steps that are done and that no recorded save of the state holds, in the order they ended.
    ///
    /// The state may hold them all the same, when only the record of saving it is missing.
    pub done_not_in_state: Vec<Done>,
    /// The last state that was recorded as saved.
    pub saved: Option<Version>,
    /// True when nothing is left to do but [`finish`](super::Journal::finish).
    pub ended: bool,
}

/// A request whose outcome is unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct Open {
    /// The request.
    pub begin: Begin,
    /// For a create: ids that cannot be the new object, because they were there before or belong to another step.
    pub not_ours: BTreeSet<String>,
}

/// A step that the service is known to have done.
#[derive(Debug, Clone, PartialEq)]
pub struct Done {
    /// The request.
    pub begin: Begin,
    /// The object's id.
    pub id: Option<String>,
    /// What the service answered.
    pub answered: Option<Value>,
}

impl Recovery {
    /// Reads the tale of legal records; none when the apply never began.
    pub fn of(records: &[Record]) -> Option<Self> {
        let Some(Record::ApplyBegin(apply)) = records.first() else {
            return None;
        };
        let mut recovery = Self {
            apply: apply.clone(),
            open: Vec::new(),
            done_not_in_state: Vec::new(),
            saved: None,
            ended: false,
        };
        let mut known: BTreeMap<&str, Arc<BTreeSet<String>>> = BTreeMap::new();
        // What was seen before a request left cannot be what it made; what was seen later can.
        let mut seen_before: BTreeMap<&str, Arc<BTreeSet<String>>> = BTreeMap::new();
        for record in records {
            match record {
                Record::ApplyBegin(_) => {}
                Record::Seen(seen) => {
                    let ids = known.entry(&seen.path).or_default();
                    Arc::make_mut(ids).extend(seen.ids.iter().cloned());
                }
                Record::Begin(begin) => {
                    if let Some(seen) = known.get(begin.path.as_str()) {
                        seen_before.insert(&begin.step, Arc::clone(seen));
                    }
                    recovery.open.push(Open {
                        begin: Begin::clone(begin),
                        not_ours: BTreeSet::new(),
                    });
                }
                Record::End(end) => {
                    let place = recovery.open.iter().position(|open| open.begin.step == end.step);
                    let Some(place) = place else {
                        continue;
                    };
                    match &end.outcome {
                        Outcome::Unknown { .. } => {}
                        Outcome::Failed { .. } => {
                            recovery.open.remove(place);
                        }
                        Outcome::Done { id, answered } => {
                            let Open { begin, .. } = recovery.open.remove(place);
                            recovery.done_not_in_state.push(Done {
                                begin,
                                id: id.clone(),
                                answered: answered.clone(),
                            });
                        }
                    }
                }
                Record::StateSaved(version) => {
                    recovery.saved = Some(version.clone());
                    recovery.done_not_in_state.clear();
                }
                Record::ApplyEnd { .. } => recovery.ended = true,
            }
        }
        recovery.exclude(&seen_before, records);
        Some(recovery)
    }

    /// Brings what is done into the document. Doing so twice changes nothing more.
    pub fn settle(&self, document: &mut Document) {
        for done in &self.done_not_in_state {
            done.settle(document);
        }
    }

    fn exclude(&mut self, seen_before: &BTreeMap<&str, Arc<BTreeSet<String>>>, records: &[Record]) {
        let ours: BTreeSet<&String> = records
            .iter()
            .filter_map(|record| match record {
                Record::End(end) => match &end.outcome {
                    Outcome::Done { id, .. } => id.as_ref(),
                    Outcome::Failed { .. } | Outcome::Unknown { .. } => None,
                },
                _ => None,
            })
            .collect();
        for open in &mut self.open {
            if open.begin.chooses_no_id() {
                open.not_ours = seen_before
                    .get(open.begin.step.as_str())
                    .into_iter()
                    .flat_map(|seen| seen.iter())
                    .chain(ours.iter().copied())
                    .cloned()
                    .collect();
            }
        }
    }
}

impl Done {
    /// Brings this step into the document.
    pub fn settle(&self, document: &mut Document) {
        self.begin.effect.settle(
            &self.begin.address,
            self.id.as_deref(),
            self.answered.as_ref(),
            document,
        );
    }
}
