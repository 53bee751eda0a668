//! What a repair would do, or did.

use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use crate::state::journal::Operation;

/// What a repair would do, or did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Repaired {
    /// Whether there is something to write.
    pub has_changes: bool,
    /// Whether it was written.
    pub written: bool,
    /// The serial of the state that was written.
    pub serial: Option<u64>,
    /// What is wrong with the state file.
    pub fault: Option<String>,
    /// The serial of the kept version that takes the place of a damaged or missing state.
    pub restored_serial: Option<u64>,
    /// When that version was kept.
    pub restored_at: Option<Timestamp>,
    /// The highest serial of a version after it that cannot be read.
    pub later_serial: Option<u64>,
    /// Where a damaged state is now.
    pub state_kept: Option<PathBuf>,
    /// Whether the journal of an interrupted apply is damaged, so that it is set aside.
    pub damaged_journal: bool,
    /// Where a damaged journal is now.
    pub journal_kept: Option<PathBuf>,
    /// The lines of a damaged journal that cannot be read, from 1.
    pub damaged_lines: Vec<usize>,
    /// Addresses that a journal told of and that are brought into the state.
    pub settled: Vec<String>,
    /// Requests of which it is not known whether the service did them, and of which no journal is left.
    pub unknown: Vec<Unknown>,
    /// Whether a whole journal of an interrupted apply waits for `capol apply`.
    pub unfinished_apply: bool,
    /// What the state would hold that it does not hold now.
    pub bound: Vec<Bound>,
    /// What is left out.
    pub left_out: Vec<Left>,
}

impl Repaired {
    /// Whether everything is known that should be: nothing is left out because it is not certain.
    pub fn is_certain(&self) -> bool {
        self.left_out.iter().all(|left| !left.why.is_doubt())
    }
}

/// An address that gets its object back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Bound {
    /// The address.
    pub address: String,
    /// Graph's id of the object.
    pub id: String,
    /// What people call it; empty when nothing tells.
    pub name: String,
    /// Why it is certainly this object.
    pub evidence: Evidence,
}

/// Why an object is certainly the one that an address stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// A version of the state holds its id.
    History,
    /// The journal of an apply tells its id.
    Journal,
    /// The configuration names its id.
    Configuration,
    /// It is the only object of its kind with the name.
    Name,
}

/// An address without an object, or an object without an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// The address.
    pub address: String,
    /// What the configuration, or the object, is called.
    pub name: String,
    /// Why it is left out.
    pub why: WhyLeft,
    /// The objects that it may be about.
    pub candidates: Vec<Candidate>,
}

/// Why something is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyLeft {
    /// It is not certain which object it is.
    Ambiguous,
    /// A create of it left and nobody knows what became of it.
    UnknownCreate,
    /// The object whose id is known is not in the tenant.
    Gone,
    /// Nothing in the tenant is called so.
    NotFound,
    /// No block is left for an object that was managed.
    NoBlock,
}

impl WhyLeft {
    /// Whether somebody has to find out.
    fn is_doubt(self) -> bool {
        matches!(self, Self::Ambiguous | Self::UnknownCreate | Self::Gone)
    }
}

/// An object that may be meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// Graph's id.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// A request whose outcome nobody knows any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unknown {
    /// The address.
    pub address: String,
    /// What was asked of the service.
    pub operation: Operation,
}
