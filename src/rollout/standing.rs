//! Where a rollout stands: what state remembers of it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::cohort::Cut;
use super::error::RolloutError;
use crate::model::Address;
use crate::model::state::Document;

/// Where one rollout stands.
///
/// INVARIANT: while `entering` is set, nothing wider than the wider of `wave` and every wave of `entering` was ever
/// written to the tenant; while it is not, just what `wave` means was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standing {
    /// The wave in force; none before the first, and after an abort.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<InForce>,
    /// A transition whose writes are not all known to be done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entering: Option<Entering>,
    /// Why nothing advances, when somebody or a breach stopped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// Approvals given for the next transition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
    /// How the waves were written up to the one in force, or being entered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
    /// Who is in the share of each wave that has one: drawn when it was entered.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cuts: BTreeMap<String, Cut>,
    /// The policies that it moves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<Address>,
    /// Whether its block was taken away for good, and its policies stay as its wave left them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub left: bool,
    /// Every transition, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<Transition>,
}

/// The wave in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InForce {
    /// Its name.
    pub name: String,
    /// Since when: the moment the last write of entering it was done.
    pub since: Timestamp,
}

/// A transition under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entering {
    /// The wave that is entered; none for the place before the first.
    pub to: Option<String>,
    /// Waves that transitions given up before their end were entering: some of their writes may have been made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given_up: Vec<String>,
    /// When it began.
    pub at: Timestamp,
}

/// What a transition is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Into the next wave.
    Advance,
    /// Back to an earlier one.
    Rollback,
    /// Back to before the first.
    Abort,
    /// Back by `capol undo`.
    Undo,
}

/// Why nothing advances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pause {
    /// Since when.
    pub at: Timestamp,
    /// Who stopped it.
    pub by: Person,
    /// Why.
    pub reason: String,
}

/// Somebody, as Graph or a build server attests it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// The object id of the user or service principal, or what the build server calls the person.
    pub id: String,
    /// What people call them.
    pub name: String,
    /// Who says so: `graph`, `github`, ….
    pub attested_by: String,
}

/// One approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// Who gave it.
    pub by: Person,
    /// When.
    pub at: Timestamp,
    /// Of what: the digest of exactly what would be applied.
    pub digest: String,
    /// What they had to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A wave as it was written when it was entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// Its name.
    pub name: String,
    /// The digest of its state and audience.
    pub digest: String,
    /// Whether it is enforced.
    pub enforced: bool,
    /// Whether it is for everyone whom the policy is for.
    pub whole: bool,
}

/// One condition of a transition, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What must hold: `window`, `soak`, `max_failure_rate`, ….
    pub name: String,
    /// Whether it does.
    pub outcome: Outcome,
    /// Why, as a clause with the numbers.
    pub because: String,
    /// From when on it holds, where time alone decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// What came of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It holds.
    Pass,
    /// It will hold when time has passed.
    NotYet,
    /// Nobody can tell yet; never taken for a pass.
    NotEnough,
    /// It does not hold.
    Fail,
}

/// One step from wave to wave, as auditors read it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// What it is.
    pub kind: Kind,
    /// From which wave; none from before the first.
    pub from: Option<String>,
    /// To which wave; none to before the first.
    pub to: Option<String>,
    /// When it began.
    pub began: Timestamp,
    /// When its last write was done; none while it is under way, and when it was given up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entered: Option<Timestamp>,
    /// Who carried it out.
    pub by: Person,
    /// The digest of what was applied.
    pub digest: String,
    /// Why conditions that did not hold were passed over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forced: Option<String>,
    /// What was found of each condition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// The approvals that had been given, those for another digest included.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<Approval>,
}

impl Standing {
    /// The name of the wave in force.
    pub fn wave_name(&self) -> Option<&str> {
        self.wave.as_ref().map(|wave| wave.name.as_str())
    }

    /// The wave that the configuration is to mean: the one being entered, else the one in force.
    pub fn target(&self) -> Option<&str> {
        match &self.entering {
            Some(entering) => entering.to.as_deref(),
            None => self.wave_name(),
        }
    }

    /// The latest moment that it knows of.
    pub fn latest(&self) -> Option<Timestamp> {
        let moments = [
            self.wave.as_ref().map(|wave| wave.since),
            self.entering.as_ref().map(|entering| entering.at),
            self.paused.as_ref().map(|pause| pause.at),
            self.approvals.iter().map(|approval| approval.at).max(),
            self.history
                .iter()
                .map(|one| one.entered.unwrap_or(one.began))
                .max(),
        ];
        moments.into_iter().flatten().max()
    }
}

/// Where every rollout of a state document stands, by address. Errors with what can't be read: then nothing may be written.
pub fn standings(document: &Document) -> Result<BTreeMap<Address, Standing>, RolloutError> {
    document
        .rollouts
        .iter()
        .map(|(text, value)| {
            let unreadable = |reason: String| RolloutError::Unreadable {
                rollout: text.clone(),
                reason,
            };
            let address: Address = text
                .parse()
                .map_err(|_| unreadable("it is no address".to_owned()))?;
            let standing = serde_json::from_value(value.clone())
                .map_err(|error| unreadable(crate::model::state::json_reason(&error)))?;
            Ok((address, standing))
        })
        .collect()
}

/// Puts where rollouts stand into a state document, in place of what it knew.
pub fn remember(
    document: &mut Document,
    standings: &BTreeMap<Address, Standing>,
) -> Result<(), RolloutError> {
    document.rollouts = standings
        .iter()
        .map(|(address, standing)| {
            let value = serde_json::to_value(standing).map_err(|error| RolloutError::Unreadable {
                rollout: address.to_string(),
                reason: crate::model::state::json_reason(&error),
            })?;
            Ok((address.to_string(), value))
        })
        .collect::<Result<_, RolloutError>>()?;
    Ok(())
}
