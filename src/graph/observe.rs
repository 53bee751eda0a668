//! What the client says while it works, for progress bars and logs.

use super::request::Lane;
use std::time::Duration;

/// Something that happened between the client and Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraphEvent {
    /// A request leaves.
    Sending {
        /// The queue it came through.
        lane: Lane,
        /// Method and path.
        call: String,
        /// 1 for the first try.
        attempt: u32,
    },
    /// An answer came.
    Answered {
        /// Method and path.
        call: String,
        /// The HTTP status.
        status: u16,
        /// Graph's id of the call.
        request_id: Option<String>,
    },
    /// Graph asked to slow down: the whole queue waits.
    Throttled {
        /// The queue that waits.
        lane: Lane,
        /// How long.
        wait: Duration,
        /// Whether Graph said how long (`Retry-After`) or we guessed.
        told: bool,
    },
    /// A failed request will be sent again.
    Retrying {
        /// Method and path.
        call: String,
        /// How long until then.
        wait: Duration,
        /// What was wrong.
        because: String,
    },
    /// A new token was fetched.
    SignedIn,
    /// Somebody must enter a code in a browser, or nobody will ever be signed in.
    EnterCode {
        /// The code.
        code: String,
        /// Where to enter it.
        address: String,
    },
}

/// Someone who wants to know. Called on the task that sends, so it must be quick.
pub trait Observer: Send + Sync {
    /// Takes one event.
    fn observe(&self, event: &GraphEvent);
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {
    fn observe(&self, _event: &GraphEvent) {}
}
