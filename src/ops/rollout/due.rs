//! What a schedule does with a rollout now.

use jiff::Timestamp;

use super::gate::breach;
use super::{Course, Person};
use crate::model::rollout::OnBreach;
use crate::rollout::gate::Answer;
use crate::rollout::standing::Outcome;
use crate::rollout::{RolloutError, machine, ready};

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    /// A transition was cut short: it goes on.
    GoOn,
    /// The next wave is entered.
    Advance,
    /// The gate is breached: the rollout goes back to the wave before.
    PullBack {
        /// What the evidence shows.
        breach: String,
    },
    /// The gate is breached: the rollout stays where it is until a person looks.
    Pause {
        /// What the evidence shows.
        breach: String,
    },
    /// The next wave waits for this.
    Wait(Vec<String>),
    /// No wave is left.
    Complete,
    /// The first wave is entered by `capol apply`.
    NotBegun,
}

impl Course {
    /// Whether the wave in force has a gate.
    pub fn has_gate(&self) -> bool {
        let name = self
            .standing
            .wave_name()
            .filter(|_| self.standing.entering.is_none());
        name.and_then(|name| self.rollout.wave(name))
            .is_some_and(|(_, wave)| wave.gate.is_some())
    }

    /// Takes in what the gate of the wave in force came to.
    pub fn asked(&mut self, answers: &[Answer], at: Timestamp) -> Result<(), RolloutError> {
        self.conditions = ready::conditions(&self.rollout, &self.standing, at, Some(answers))?;
        Ok(())
    }

    /// What is due now; `answers` are those of the gate of the wave in force.
    pub fn due(&self, by: &Person, answers: &[Answer]) -> Due {
        if self.standing.entering.is_some() {
            return Due::GoOn;
        }
        if self.standing.wave.is_none() {
            return if self.standing.paused.is_some() {
                Due::Wait(self.waits(by))
            } else {
                Due::NotBegun
            };
        }
        if self.standing.paused.is_none()
            && let Some(breach) = breach(answers)
        {
            let has_before = machine::back(&self.rollout, &self.standing, None).is_ok();
            return if self.rollout.on_breach == OnBreach::Rollback && has_before {
                Due::PullBack { breach }
            } else {
                Due::Pause { breach }
            };
        }
        if self.next().is_none() {
            return Due::Complete;
        }
        let all_hold = self
            .conditions
            .iter()
            .all(|condition| condition.outcome == Outcome::Pass);
        // Whether approvals are there shows when it is known what would be applied.
        if self.standing.paused.is_none() && all_hold {
            Due::Advance
        } else {
            Due::Wait(self.waits(by))
        }
    }
}
