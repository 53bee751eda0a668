//! What it takes to make the tenant what the configuration says.
//!
//! A pure function of values: configuration, live tenant, directory, state, options. It leaves no
//! choice to whoever carries the plan out: every body is whole, and the only thing unknown is the
//! id of an object that the same plan makes.
//!
//! ```text
//! desired + live + state ─ identity ─ resolve ─ emergency ─ difference ─ preflight ─ steps ─ order → Plan
//! ```

pub mod change;
pub mod error;
pub mod note;
pub mod options;
pub mod step;
pub mod verdict;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use change::{
    Action, ActionReason, Guard, GuardChange, OutputChange, PropertyChange, RawChange, ResourceChange,
};
pub use note::{Note, NoteLevel};
pub use options::{Limits, Mode, PlanOptions};
pub use step::{Act, ObjectId, Pending, Step, StepId};
pub use verdict::Verdict;

/// The version of the saved form.
pub const FORMAT_VERSION: &str = "1.0";

/// A plan. Immutable once made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of the saved form.
    pub format_version: String,
    /// The version of capol that made it.
    pub capol_version: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The tenant it is for.
    pub tenant_id: String,
    /// The history of the state it starts from; none when there was no state.
    pub lineage: Option<Uuid>,
    /// The serial of that state.
    pub serial: u64,
    /// The digest of the configuration.
    pub configuration_digest: String,
    /// What every live object looked like, by id.
    pub live: BTreeMap<String, Seen>,
    /// Whether it only brings state up to date.
    pub refresh_only: bool,
    /// Whether everything that differs is in it; not with `--target` or `--exclude`.
    pub complete: bool,
    /// What happens to each object, by address.
    pub changes: Vec<ResourceChange>,
    /// The writes, in an order in which they may run one after the other.
    pub steps: Vec<Step>,
    /// Outputs that change.
    pub outputs: Vec<OutputChange>,
    /// What people should know.
    pub notes: Vec<Note>,
    /// What people call the objects behind ids, for those who show the plan.
    pub names: BTreeMap<String, String>,
    /// What applying it costs.
    pub cost: Cost,
    /// What it comes to.
    pub verdict: Verdict,
}

/// A live object as the plan saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What kind of thing, in words.
    pub noun: String,
    /// What people call it.
    pub name: String,
    /// The digest of its content.
    pub digest: String,
}

/// What applying a plan costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Writes.
    pub writes: u32,
    /// Requests in all: the writes, and reading the tenant before and after.
    pub requests: u32,
    /// How many seconds that is at the pace the service allows.
    pub seconds: u64,
}

impl Plan {
    /// What happens at an address.
    pub fn change(&self, address: &crate::model::Address) -> Option<&ResourceChange> {
        self.changes.iter().find(|change| change.address == *address)
    }

    /// The step of a number.
    pub fn step(&self, id: StepId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }
}
