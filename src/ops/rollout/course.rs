//! One rollout of a run: where it stands, the step that it takes, and what the next wave waits for.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Ask, Direction};
use crate::model::rollout::{Rollout, Wave};
use crate::model::{Address, Value};
use crate::plan::{Plan, Staged, StagedStep};
use crate::rollout::cohort::Cut;
use crate::rollout::machine::{self, Basis, Step};
use crate::rollout::standing::{Condition, Entering, Kind, Outcome, Person, Standing};
use crate::rollout::{RolloutError, edit, ready};

const STATE: &str = "state";

/// One rollout of a run.
#[derive(Debug, Clone)]
pub struct Course {
    /// The rollout.
    pub rollout: Rollout,
    /// The address that state has it under, where a `moved` block gives it another.
    pub(super) previous: Option<Address>,
    /// What state says; none when it knows nothing of it.
    pub before: Option<Standing>,
    /// The same in terms of the waves as they are written now.
    pub standing: Standing,
    /// The step that it is to take.
    pub(super) step: Option<Taken>,
    /// What was found of each condition of the next step.
    pub conditions: Vec<Condition>,
}

/// A step that a run takes.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    kind: Kind,
    pub(super) to: Option<String>,
    forced: Option<String>,
    pub(super) cuts: BTreeMap<String, Cut>,
    pub(super) manner: Manner,
    /// Whether what was found of each condition is kept with it.
    is_judged: bool,
}

/// What becomes of a step that can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Manner {
    /// It is refused.
    Asked,
    /// It is put off.
    ByTheWay,
    /// It is planned all the same, and never taken.
    Tried,
}

/// Where a rollout stands, and the step that is asked of it.
pub(super) fn course(
    rollout: &Rollout,
    before: Option<Standing>,
    ask: &Ask,
    at: Timestamp,
) -> Result<Course, RolloutError> {
    let standing = match &before {
        Some(before) => edit::fitted(rollout, before)?,
        None => Standing::default(),
    };
    let mut gate_of_it = None;
    let step = match ask {
        Ask::Go {
            rollout: address,
            to,
            tried,
            forced,
            gate,
        } if *address == rollout.address => {
            gate_of_it = gate.as_deref();
            let step = match to {
                Direction::Advance if standing.entering.is_some() => None,
                Direction::Advance => Some(machine::next(rollout, &standing)?),
                Direction::Back(to) => Some(machine::back(rollout, &standing, to.as_deref())?),
                Direction::Abort => Some(machine::abort(rollout, &standing)?),
            };
            let manner = if *tried { Manner::Tried } else { Manner::Asked };
            step.map(|step| Taken {
                is_judged: step.kind == Kind::Advance || gate.is_some(),
                ..taken(step, forced.clone(), manner)
            })
        }
        _ if standing.history.is_empty() && standing.entering.is_none() => {
            let step = machine::next(rollout, &standing).ok();
            step.map(|step| taken(step, None, Manner::ByTheWay))
        }
        _ => None,
    };
    let conditions = ready::conditions(rollout, &standing, at, gate_of_it)?;
    Ok(Course {
        rollout: rollout.clone(),
        previous: None,
        before,
        standing,
        step,
        conditions,
    })
}

fn taken(step: Step<'_>, forced: Option<String>, manner: Manner) -> Taken {
    Taken {
        kind: step.kind,
        to: step.to.map(|wave| wave.name.clone()),
        forced,
        cuts: BTreeMap::new(),
        manner,
        is_judged: step.kind == Kind::Advance,
    }
}

impl Course {
    /// The wave that the configuration is to mean.
    pub(super) fn target(&self) -> Option<&str> {
        match &self.step {
            Some(step) => step.to.as_deref(),
            None => self.standing.target(),
        }
    }

    /// The standing as if its step were taken, to see what comes of it.
    pub(super) fn meant(&self, at: Timestamp) -> Standing {
        let mut meant = self.standing.clone();
        if let Some(step) = &self.step {
            meant.cuts.extend(step.cuts.clone());
            meant.entering = Some(Entering {
                to: step.to.clone(),
                given_up: Vec::new(),
                at,
            });
        }
        meant
    }

    /// The standing that must be in state before the first write.
    pub(super) fn entered(&self, by: &Person, at: Timestamp, digest: &str) -> Result<Standing, RolloutError> {
        let Some(step) = &self.step else {
            return Ok(self.standing.clone());
        };
        let to = step.to.as_ref().and_then(|name| self.rollout.wave(name));
        machine::enter(
            &self.rollout,
            &self.standing,
            Step {
                kind: step.kind,
                to: to.map(|(_, wave)| wave),
            },
            Basis {
                at,
                by: by.clone(),
                digest: digest.to_owned(),
                conditions: if step.is_judged {
                    self.conditions.clone()
                } else {
                    Vec::new()
                },
                forced: step.forced.clone(),
                cuts: step.cuts.clone(),
            },
        )
    }

    pub(super) fn staged(&self, by: &Person, at: Timestamp, digest: &str) -> Result<Staged, RolloutError> {
        let is_tried = self
            .step
            .as_ref()
            .is_some_and(|step| step.manner == Manner::Tried);
        let after = if is_tried {
            self.standing.clone()
        } else {
            self.entered(by, at, digest)?
        };
        let goes_on = self.standing.entering.as_ref().map(|entering| StagedStep {
            kind: self
                .standing
                .history
                .last()
                .map_or(Kind::Advance, |last| last.kind),
            to: entering.to.clone(),
            goes_on: true,
        });
        let step = self.step.as_ref().map(|step| StagedStep {
            kind: step.kind,
            to: step.to.clone(),
            goes_on: false,
        });
        let is_known = self.before.is_some() || (step.is_some() && !is_tried);
        Ok(Staged {
            address: self.rollout.address.clone(),
            previous: self.previous.clone(),
            waves: self.rollout.waves.iter().map(|wave| wave.name.clone()).collect(),
            at: self.standing.wave_name().map(str::to_owned),
            since: self.standing.wave.as_ref().map(|wave| wave.since),
            waits: if step.is_some() || goes_on.is_some() {
                Vec::new()
            } else {
                self.waits(by)
            },
            next: None,
            step: step.or(goes_on),
            before: self.before.clone(),
            after: is_known.then_some(after),
        })
    }

    /// The wave after the one in force; none when it is complete.
    pub fn next(&self) -> Option<&Wave> {
        let place = match self.standing.wave_name() {
            None => 0,
            Some(name) => self.rollout.wave(name)?.0 + 1,
        };
        self.rollout.waves.get(place)
    }

    /// What the next wave waits for, as clauses; nothing when it waits for nothing, or there is none.
    pub fn waits(&self, by: &Person) -> Vec<String> {
        let Some(next) = self.next() else {
            return Vec::new();
        };
        let mut waits = Vec::new();
        if let Some(pause) = &self.standing.paused {
            waits.push(format!("paused by {}: {}", pause.by.name, pause.reason));
        }
        let unmet = self
            .conditions
            .iter()
            .filter(|condition| condition.outcome != Outcome::Pass);
        waits.extend(unmet.map(|condition| condition.because.clone()));
        if next.approvals > 0 {
            let mut given: Vec<&str> = self
                .standing
                .approvals
                .iter()
                .filter(|approval| approval.by.id != by.id)
                .map(|approval| approval.by.id.as_str())
                .collect();
            given.sort_unstable();
            given.dedup();
            waits.push(format!("{} of {} approvals given", given.len(), next.approvals));
        }
        waits
    }
}

/// Refuses to begin with a policy that is enforced already.
pub(super) fn refuse_enforced(course: &Course, plan: &Plan) -> Result<(), RolloutError> {
    if !course.standing.history.is_empty() {
        return Ok(());
    }
    for policy in &course.rollout.policies {
        let live = plan
            .change(&policy.value)
            .and_then(|change| change.before.as_ref());
        let is_enforced = live.and_then(|live| live.get(STATE)) == Some(&Value::Symbol("enabled".to_owned()));
        if is_enforced {
            return Err(RolloutError::EnforcedAlready {
                rollout: course.rollout.address.to_string(),
                policy: policy.value.to_string(),
                origin: policy.origin,
            });
        }
    }
    Ok(())
}
