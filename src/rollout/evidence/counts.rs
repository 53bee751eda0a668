//! Counts of what came of sign-ins.

use serde::{Deserialize, Serialize};

use super::sighting::Came;

/// How often what came of sign-ins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Nothing was asked for that was not there.
    pub success: u64,
    /// Refused, or would be.
    pub failure: u64,
    /// Somebody had to do something, or would have to.
    pub interrupted: u64,
}

/// Counts of one application, country or person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spread {
    /// Its name; empty where the log has none.
    pub name: String,
    /// What was counted.
    pub counts: Counts,
}

impl Counts {
    pub(super) fn add(&mut self, came: Came) {
        match came {
            Came::Success => self.success += 1,
            Came::Failure => self.failure += 1,
            Came::Interrupted => self.interrupted += 1,
        }
    }

    /// All of them.
    pub fn all(&self) -> u64 {
        self.success + self.failure + self.interrupted
    }
}
