//! Which record may follow which.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::record::Outcome;
use super::record::Record;

/// Where a journal has got to.
#[derive(Debug, Clone, Default)]
pub(super) struct Grammar {
    begun: bool,
    ended: bool,
    /// The ids that are recorded of each collection.
    seen: BTreeMap<String, BTreeSet<String>>,
    /// The ids that steps which are done have.
    ours: BTreeSet<String>,
    /// How each step stands.
    steps: BTreeMap<String, Standing>,
    /// Whether something is done that the state does not hold yet.
    unsaved: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Open,
    Unknown,
    Done,
    Failed,
}

impl Grammar {
    /// Whether the last record was the end of the apply.
    pub(super) fn is_ended(&self) -> bool {
        self.ended
    }

    /// Ids in a collection that cannot be a new object's: they were there before or belong to a step that is done.
    pub(super) fn not_ours(&self, path: &str) -> BTreeSet<String> {
        let seen = self.seen.get(path).into_iter().flatten();
        seen.chain(&self.ours).cloned().collect()
    }

    /// Takes the next record, or says why it may not come here; then nothing has changed.
    pub(super) fn accept(&mut self, record: &Record) -> Result<(), String> {
        if self.ended {
            return Err("the apply has ended".to_owned());
        }
        if self.begun == matches!(record, Record::ApplyBegin(_)) {
            return Err("the beginning of the apply must come first, and once".to_owned());
        }
        match record {
            Record::ApplyBegin(_) => self.begun = true,
            Record::Seen(seen) => {
                let ids = self.seen.entry(seen.path.clone()).or_default();
                ids.extend(seen.ids.iter().cloned());
            }
            Record::Begin(begin) => {
                if begin.chooses_no_id() && !self.seen.contains_key(&begin.path) {
                    return Err(format!(
                        "`{}` is created before the ids in `{}` are recorded",
                        begin.address, begin.path
                    ));
                }
                if !matches!(self.steps.get(&begin.step), None | Some(Standing::Failed)) {
                    return Err(format!("the step `{}` has begun already", begin.step));
                }
                self.steps.insert(begin.step.clone(), Standing::Open);
            }
            Record::End(end) => {
                let standing = self
                    .steps
                    .get_mut(&end.step)
                    .filter(|standing| matches!(**standing, Standing::Open | Standing::Unknown));
                let Some(standing) = standing else {
                    return Err(format!("the step `{}` is not open", end.step));
                };
                *standing = match &end.outcome {
                    Outcome::Done { id, .. } => {
                        self.ours.extend(id.clone());
                        Standing::Done
                    }
                    Outcome::Failed { .. } => Standing::Failed,
                    Outcome::Unknown { .. } => Standing::Unknown,
                };
                self.unsaved |= *standing == Standing::Done;
            }
            Record::StateSaved(_) => self.unsaved = false,
            Record::ApplyEnd { .. } => {
                self.may_end()?;
                self.ended = true;
            }
        }
        Ok(())
    }

    fn may_end(&self) -> Result<(), String> {
        let open = self
            .steps
            .iter()
            .find(|(_, standing)| matches!(standing, Standing::Open | Standing::Unknown));
        if let Some((step, _)) = open {
            return Err(format!("it is not known what became of the step `{step}`"));
        }
        if self.unsaved {
            return Err("the state does not hold everything that was done".to_owned());
        }
        Ok(())
    }
}
