//! Who runs a command, and how it takes the lock on state.

use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use crate::model::state::CAPOL_VERSION;
use crate::state::{Change, Guard, LockInfo, StateError, StateStore, host};

/// Who runs a command, and how it takes the lock on state.
#[derive(Debug, Clone)]
pub struct Operator {
    /// The user's name on this machine.
    pub who: String,
    /// This machine.
    pub host: String,
    /// This process.
    pub pid: u32,
    /// Now, in whole seconds.
    pub at: Timestamp,
    /// False for `--lock=false`.
    pub locks: bool,
    /// How long to wait for another holder: `--lock-timeout`.
    pub patience: Duration,
}

impl Operator {
    /// This process, run by this user.
    pub fn of_process(who: String, at: Timestamp, locks: bool, patience: Duration) -> Self {
        Self {
            who,
            host: host::name(),
            pid: std::process::id(),
            at: Timestamp::from_second(at.as_second()).unwrap_or(at),
            locks,
            patience,
        }
    }

    /// What a lock taken for this command says.
    pub fn lock_info(&self, operation: &str) -> LockInfo {
        LockInfo {
            id: Uuid::new_v4().to_string(),
            who: self.who.clone(),
            host: self.host.clone(),
            pid: self.pid,
            process: host::process(self.pid),
            since: self.at,
            operation: operation.to_owned(),
            version: CAPOL_VERSION.to_owned(),
            held: false,
        }
    }

    /// What the history says of a document that this command writes.
    pub fn change(&self, operation: &str) -> Change {
        Change {
            at: self.at,
            who: self.who.clone(),
            operation: operation.to_owned(),
            new_lineage: false,
        }
    }

    /// Takes the lock, unless the user answers for being alone.
    pub async fn lock(&self, store: &dyn StateStore, operation: &str) -> Result<Guard, StateError> {
        if self.locks {
            store.lock(&self.lock_info(operation), self.patience).await
        } else {
            Ok(Guard::without_lock())
        }
    }
}
