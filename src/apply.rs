//! Walks a plan against Graph.
//!
//! ```text
//! recover → journal → save state-only acts → ids before creates → steps, each begin … end → read back → save → close
//! ```
//!
//! The journal's rule: `begin` is durable before the request leaves, `end` before anything that
//! depends on it starts. A crash at any instant leaves a prefix that [`recover`] can finish.

mod error;
mod event;
mod find;
mod perform;
mod read_back;
mod reading;
mod recover;
mod remember;
mod request;
mod run;
mod schedule;
mod walk;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;

pub use error::ApplyError;
pub use event::{Event, Events, StepResult};
pub use find::lag_after;
pub use read_back::Mismatch;
pub use recover::{Hidden, Recovered, recover};
pub use run::{Applied, Executor, apply};

/// How to apply.
#[derive(Debug, Clone)]
pub struct ApplyOptions {
    /// The command that is recorded: `apply`, `destroy`, `undo`.
    pub command: String,
    /// The name of this apply; what `capol undo` asks for.
    pub apply_id: String,
    /// Who applies, for the record.
    pub who: String,
    /// How many steps may be under way at once.
    pub parallelism: usize,
    /// Whether the first failure stops what is independent of it too.
    pub fail_fast: bool,
    /// For how long the service may hide a fresh object; nothing unknown is made again before that.
    pub visibility_lag: Duration,
    /// How patiently a write is repeated whose fresh reference the service does not see yet, and how
    /// patiently the tenant is read until it shows what was written.
    pub patience: Patience,
    /// The clock.
    pub clock: Clock,
}

/// Where the time comes from.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock that asks this.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.now()).finish()
    }
}

/// How often to look again, and how long between.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// How many times at most.
    pub attempts: u32,
    /// The first wait; each further one is half as long again.
    pub first_wait: Duration,
}

impl Default for Patience {
    /// About two minutes: fresh locations were refused for seconds, groups for longer (`FACTS` 5.7).
    fn default() -> Self {
        Self {
            attempts: 10,
            first_wait: Duration::from_secs(2),
        }
    }
}

impl Patience {
    /// The wait before attempt `attempt`, counted from one.
    pub fn wait(self, attempt: u32) -> Duration {
        self.first_wait.mul_f64(
            1.5_f64.powi(
                i32::try_from(attempt.saturating_sub(1))
                    .unwrap_or(i32::MAX)
                    .min(16),
            ),
        )
    }
}

/// How often the word to stop is looked for while something is waited for.
const STOP_LOOK: Duration = Duration::from_millis(200);

/// Waits this long, or until the word to stop comes.
async fn pause(wait: Duration, stop: &AtomicBool) {
    let mut left = wait;
    while !left.is_zero() && !stop.load(Ordering::SeqCst) {
        let part = left.min(STOP_LOOK);
        tokio::time::sleep(part).await;
        left = left.saturating_sub(part);
    }
}
