//! The right to write: who has the lock, and the guard that gives it back.

use std::fmt::Debug;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;

use super::StateError;
use super::host;
use super::host::Process;

/// What a lock says about its holder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockInfo {
    /// Names this lock; what `capol state unlock` asks for.
    pub id: String,
    /// The user's name on that machine.
    pub who: String,
    /// The machine.
    pub host: String,
    /// The process on that machine.
    pub pid: u32,
    /// What tells that process from later ones of the same number; none where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Process>,
    /// When the lock was taken.
    pub since: Timestamp,
    /// The command it was taken for: `apply`, `state mv`.
    pub operation: String,
    /// The version of capol.
    pub version: String,
    /// True when it was taken by `capol state lock` and outlives the process.
    #[serde(default)]
    pub held: bool,
}

impl LockInfo {
    /// Whether who took it is known not to run any more. To be asked only while the system's lock is free.
    pub(super) fn is_dead_for(&self, asking: &Self) -> bool {
        if self.held || self.host != asking.host || self.host == host::UNKNOWN {
            return false;
        }
        match (&self.process, &asking.process) {
            // Where the system tells no more than its lock and the machine's name, these must do.
            (None, None) => true,
            // One number is one process at a time, and the one that asks has given its own lock back.
            (Some(then), Some(now)) if then.boot == now.boot => {
                self.pid == asking.pid || host::process(self.pid).as_ref() != Some(then)
            }
            // The machine was started again since, if it is the same machine.
            (Some(then), Some(now)) => then.machine.is_some() && then.machine == now.machine,
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// How long ago the lock was taken: `5 minutes ago`.
    pub fn age(&self, now: Timestamp) -> String {
        let seconds = now.as_second().saturating_sub(self.since.as_second());
        let (count, unit) = match seconds {
            ..0 => return "in the future by the clock here".to_owned(),
            0..10 => return "moments ago".to_owned(),
            10..120 => (seconds, "second"),
            120..7_200 => (seconds / 60, "minute"),
            7_200..172_800 => (seconds / 3_600, "hour"),
            _ => (seconds / 86_400, "day"),
        };
        format!("{count} {unit}s ago")
    }
}

/// A lock that somebody has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// What the lock says; none when it cannot be read.
    pub info: Option<LockInfo>,
    /// The id to unlock it by; differs from the info's only when that cannot be read.
    pub id: String,
    /// True when its process is known to run, false when it left the lock behind.
    pub running: bool,
}

/// What a store does to keep and give back a lock.
pub trait Held: Debug + Send + Sync {
    /// Refuses when somebody took the lock away meanwhile.
    fn check(&self) -> Result<(), StateError>;
    /// Gives the lock back. Called once.
    fn release(&mut self) -> Result<(), StateError>;
}

/// The right to write, given back when dropped, also while unwinding.
#[derive(Debug)]
pub struct Guard {
    previous: Option<LockInfo>,
    held: Option<Box<dyn Held>>,
}

impl Guard {
    /// A guard over a lock that was just taken; `previous` is a dead holder it was taken over from.
    pub fn new(held: Box<dyn Held>, previous: Option<LockInfo>) -> Self {
        Self {
            previous,
            held: Some(held),
        }
    }

    /// The right to write without a lock, for `--lock=false`: the user answers for being alone.
    pub fn without_lock() -> Self {
        Self {
            previous: None,
            held: None,
        }
    }

    /// The dead holder that the lock was taken over from, to be told to the user.
    pub fn previous(&self) -> Option<&LockInfo> {
        self.previous.as_ref()
    }

    /// Whether a lock is behind this guard.
    pub fn is_locked(&self) -> bool {
        self.held.is_some()
    }

    /// Refuses when the lock was taken away meanwhile.
    pub fn check(&self) -> Result<(), StateError> {
        self.held.as_ref().map_or(Ok(()), |held| held.check())
    }

    /// Gives the lock back and says if that failed.
    pub fn release(mut self) -> Result<(), StateError> {
        self.held.take().map_or(Ok(()), |mut held| held.release())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(mut held) = self.held.take()
            && let Err(error) = held.release()
        {
            tracing::warn!(%error, "the state lock was not given back");
        }
    }
}
