//! Which record may follow which.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::record::Outcome;
use super::record::Record;

/// Where a journal has got to.
#[derive(Debug, Clone, Default)]
pub(super) struct Grammar {
    begun: bool,
    ended: bool,
    /// The ids that are recorded of each collection.
    seen: BTreeMap<String, Arc<BTreeSet<String>>>,
    /// The ids that steps which are done have.
    ours: BTreeSet<String>,
    /// How each step stands.
    steps: BTreeMap<String, Step>,
    /// Whether something is done that the state does not hold yet.
    unsaved: bool,
}

#[derive(Debug, Clone)]
struct Step {
    standing: Standing,
    /// The ids that were recorded of its collection when it began: an id recorded later may be its own.
    seen: Option<Arc<BTreeSet<String>>>,
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

    /// Ids that cannot be the object of a step: they were there before it began or belong to a step that is done.
    pub(super) fn not_ours(&self, step: &str) -> BTreeSet<String> {
        let step = self.steps.get(step);
        let seen = step.and_then(|step| step.seen.as_deref()).into_iter().flatten();
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
                Arc::make_mut(ids).extend(seen.ids.iter().cloned());
            }
            Record::Begin(begin) => {
                if begin.chooses_no_id() && !self.seen.contains_key(&begin.path) {
                    return Err(format!(
                        "`{}` is created before the ids in `{}` are recorded",
                        begin.address, begin.path
                    ));
                }
                let earlier = self.steps.get(&begin.step).map(|step| step.standing);
                if !matches!(earlier, None | Some(Standing::Failed)) {
                    return Err(format!("the step `{}` has begun already", begin.step));
                }
                let step = Step {
                    standing: Standing::Open,
                    seen: self.seen.get(&begin.path).cloned(),
                };
                self.steps.insert(begin.step.clone(), step);
            }
            Record::End(end) => {
                let step = self
                    .steps
                    .get_mut(&end.step)
                    .filter(|step| matches!(step.standing, Standing::Open | Standing::Unknown));
                let Some(step) = step else {
                    return Err(format!("the step `{}` is not open", end.step));
                };
                step.standing = match &end.outcome {
                    Outcome::Done { id, .. } => {
                        self.ours.extend(id.clone());
                        Standing::Done
                    }
                    Outcome::Failed { .. } => Standing::Failed,
                    Outcome::Unknown { .. } => Standing::Unknown,
                };
                self.unsaved |= step.standing == Standing::Done;
            }
            Record::StateSaved(_) => self.unsaved = false,
            Record::ApplyEnd { .. } => {
                self.may_end()?;
                self.ended = true;
            }
        }
        Ok(())
    }

    /// A step of which it is not known what became of it.
    pub(super) fn undecided(&self) -> Option<&str> {
        self.steps
            .iter()
            .find(|(_, step)| matches!(step.standing, Standing::Open | Standing::Unknown))
            .map(|(name, _)| name.as_str())
    }

    fn may_end(&self) -> Result<(), String> {
        if let Some(step) = self.undecided() {
            return Err(format!("it is not known what became of the step `{step}`"));
        }
        if self.unsaved {
            return Err("the state does not hold everything that was done".to_owned());
        }
        Ok(())
    }
}
