//! Staged rollouts: a policy goes through waves, each entered when the one before has proved itself.

mod rules;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Address, Object, Origin, Reference};

pub use rules::{LINTS, Violation, check};

/// `rollout "NAME" { … }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Rollout {
    /// Its address.
    pub address: Address,
    /// The head of the block.
    pub origin: Origin,
    /// The policies that move together, in the order written.
    pub policies: Vec<Written<Address>>,
    /// The waves, in order; at least one.
    pub waves: Vec<Wave>,
    /// When waves may advance: `Mon-Thu 08:00-15:00 Europe/Copenhagen`.
    pub window: Option<Written<String>>,
    /// When nothing advances.
    pub freezes: Vec<Written<String>>,
    /// The text of a business calendar, whose days off are freezes as well.
    pub calendar: Option<Written<String>>,
    /// The earliest moment of the first wave: a date, or a moment in RFC 3339.
    pub not_before: Option<Written<String>>,
    /// What happens when a gate is breached.
    pub on_breach: OnBreach,
    /// Whether a report-only twin watches everyone not yet enforced.
    pub observe_rest: bool,
    /// Who may approve; anyone when empty.
    pub approvers: Vec<Written<Approver>>,
    /// The labels of the tenants that it goes through; all of the project when empty.
    pub tenants: Vec<String>,
}

/// A value, and where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written<T> {
    /// The value.
    pub value: T,
    /// Where.
    pub origin: Origin,
}

/// One step of a rollout.
#[derive(Debug, Clone, PartialEq)]
pub struct Wave {
    /// Its label, unique in the rollout.
    pub name: String,
    /// The head of the block.
    pub origin: Origin,
    /// Whether the policy is enforced in it, or only evaluated and logged.
    pub state: WaveState,
    /// Who is in it.
    pub audience: Audience,
    /// How long it lasts at least.
    pub soak: Option<Length>,
    /// How many people must approve before it starts.
    pub approvals: u32,
    /// What the evidence of this wave must show before the next one.
    pub gate: Option<Gate>,
}

/// The state of the policy in a wave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaveState {
    /// Evaluated and logged.
    ReportOnly,
    /// Enforced.
    Enabled,
}

impl WaveState {
    /// The word of the language.
    pub fn word(self) -> &'static str {
        match self {
            Self::ReportOnly => "report_only",
            Self::Enabled => "enabled",
        }
    }
}

/// Who is in a wave; never anyone whom the policy is not for.
#[derive(Debug, Clone, PartialEq)]
pub enum Audience {
    /// Everyone whom the policy is for.
    Whole,
    /// These users, groups, roles and guests, or workload identities: a policy of which only the inclusions are set.
    People(Object),
    /// A share of a group.
    Share(Cohort),
}

/// A share of a group.
#[derive(Debug, Clone, PartialEq)]
pub struct Cohort {
    /// How much of the group.
    pub share: Share,
    /// Where the share was written.
    pub origin: Origin,
    /// The group.
    pub of: Reference,
    /// Graph's names of the user properties by which the share is spread evenly.
    pub stratify_by: Vec<String>,
    /// Who is taken before others: a policy of which only the inclusions are set.
    pub first: Option<Object>,
    /// Who is taken after all others: likewise.
    pub last: Option<Object>,
}

/// What the evidence must show.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// The head of the block.
    pub origin: Origin,
    /// How many sign-ins the evidence must have.
    pub min_sign_ins: Option<u64>,
    /// The largest share of sign-ins that may fail.
    pub max_failure_rate: Option<Share>,
    /// The largest share of sign-ins that may be interrupted.
    pub max_interruption_rate: Option<Share>,
    /// The smallest share of the next wave's people that can satisfy the controls.
    pub min_registered: Option<Share>,
    /// A web address that is asked before the wave is left.
    pub webhook: Option<String>,
    /// A command that is run before the wave is left, and answers as the web address does.
    pub command: Option<String>,
    /// Invariants that must hold, by their text.
    pub invariants: Vec<String>,
}

/// What happens when a gate is breached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnBreach {
    /// The rollout stays where it is until a person looks.
    #[default]
    Pause,
    /// The rollout goes back to the wave before.
    Rollback,
}

/// Someone who may approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Approver {
    /// A user, or the members of a group.
    Reference(Reference),
    /// Somebody by the name that Graph or a build server attests.
    Named(String),
}

/// A length of time, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Length {
    /// In seconds.
    pub seconds: i64,
    /// As written: `14d`.
    pub text: String,
}

/// A part of a whole, as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// In millionths: 10 % is 100,000.
    pub millionths: u32,
    /// As written: `10%`.
    pub text: String,
}

impl Share {
    /// The part as a number from 0 to 1.
    pub fn fraction(&self) -> f64 {
        f64::from(self.millionths) / 1_000_000.0
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Rollout {
    /// The wave of this name, with its place.
    pub fn wave(&self, name: &str) -> Option<(usize, &Wave)> {
        self.waves.iter().enumerate().find(|(_, wave)| wave.name == name)
    }
}

impl Wave {
    /// Whether the policy is enforced in it.
    pub fn is_enforced(&self) -> bool {
        self.state == WaveState::Enabled
    }
}
