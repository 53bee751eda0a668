//! Where the rollouts of a plan stand, and where it leads them.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Effect, Plan};
use crate::model::Address;
use crate::model::state::digest_of;
use crate::rollout::Standing;
use crate::rollout::standing::Kind;

/// One rollout in a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Staged {
    /// The rollout.
    pub address: Address,
    /// The address that state has it under, where a `moved` block gives it another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Address>,
    /// Its waves.
    pub waves: Vec<String>,
    /// The wave in force.
    pub at: Option<String>,
    /// Since when.
    pub since: Option<Timestamp>,
    /// The transition that the plan carries out, or carries on with.
    pub step: Option<StagedStep>,
    /// What the next wave waits for; nothing when it is complete.
    pub waits: Vec<String>,
    /// What the next wave would do; nothing where it is not known which that is, or the plan takes a step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<NextWave>,
    /// Where it stands as state has it.
    pub before: Option<Standing>,
    /// What state must have before the first write; none when it is to forget the rollout.
    pub after: Option<Standing>,
}

/// What the next wave of a rollout would do, compared with the tenant as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NextWave {
    /// The wave.
    pub wave: String,
    /// What it would do to people's access; none when nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Why it could not be entered, or nobody can say what it would do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// A transition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StagedStep {
    /// What it is.
    pub kind: Kind,
    /// The wave; none for the place before the first.
    pub to: Option<String>,
    /// Whether it began in an earlier run.
    pub goes_on: bool,
}

impl Staged {
    /// Whether applying the plan moves it.
    pub fn moves(&self) -> bool {
        self.before != self.after
            || self.previous.is_some()
            || self
                .after
                .as_ref()
                .is_some_and(|standing| standing.entering.is_some())
    }
}

impl Plan {
    /// Puts in where the rollouts stand.
    #[must_use]
    pub fn with_rollouts(mut self, rollouts: Vec<Staged>) -> Self {
        self.verdict.rollouts = rollouts.iter().filter(|one| one.moves()).count();
        self.rollouts = rollouts;
        self
    }

    /// The digest of exactly what would be applied: every write with its body, and what is imported, moved or let go.
    ///
    /// Rollouts have no part in it, so that it can be told before it is known whether they may go on.
    pub fn content_digest(&self) -> String {
        let mut parts: Vec<Vec<u8>> = vec![self.tenant_id.to_ascii_lowercase().into_bytes()];
        for step in &self.steps {
            parts.push(serde_json::to_vec(step).unwrap_or_else(|_| format!("{step:?}").into_bytes()));
        }
        for change in self.changes.iter().filter(|change| change.is_change()) {
            let line = format!(
                "\u{1e}{} {:?} {:?} {:?}",
                change.address, change.action, change.id, change.previous_address
            );
            parts.push(line.into_bytes());
        }
        digest_of(parts.iter().map(Vec::as_slice))
    }
}
