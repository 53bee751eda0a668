//! One paced queue for each thing that Graph counts apart.
//!
//! Graph allows about one Conditional Access request a second per tenant, all callers summed, and often does not
//! say when to come back. So requests are spaced here, in the order in which they were made, and a `Retry-After`
//! (or our own guess after a 429) holds up everything behind it too.

use super::cloud::Endpoints;
use super::request::Lane;
use std::sync::{Mutex as Quick, PoisonError};
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

/// The least time between two requests of a lane; `None` for no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Conditional Access and identity protection.
    pub conditional_access: Option<Duration>,
    /// Sign-in and audit logs.
    pub reports: Option<Duration>,
    /// Everything else.
    pub directory: Option<Duration>,
}

impl Pace {
    /// What the service allows: one request a second, five in ten seconds, thousands.
    ///
    /// Source: Microsoft Graph service-specific throttling limits.
    pub const SERVICE: Self = Self {
        conditional_access: Some(Duration::from_secs(1)),
        reports: Some(Duration::from_secs(2)),
        directory: None,
    };

    /// No limits, for an embedded tenant.
    pub const UNLIMITED: Self = Self {
        conditional_access: None,
        reports: None,
        directory: None,
    };

    /// The service's pace, or none on loopback.
    pub fn for_endpoints(endpoints: &Endpoints) -> Self {
        if endpoints.is_loopback() {
            Self::UNLIMITED
        } else {
            Self::SERVICE
        }
    }
}

impl Default for Pace {
    fn default() -> Self {
        Self::SERVICE
    }
}

/// The three queues of one tenant.
#[derive(Debug)]
pub(crate) struct Queues {
    conditional_access: Queue,
    reports: Queue,
    directory: Queue,
}

impl Queues {
    pub(crate) fn new(pace: Pace) -> Self {
        Self {
            conditional_access: Queue::new(pace.conditional_access),
            reports: Queue::new(pace.reports),
            directory: Queue::new(pace.directory),
        }
    }

    pub(crate) fn of(&self, lane: Lane) -> &Queue {
        match lane {
            Lane::ConditionalAccess => &self.conditional_access,
            Lane::Reports => &self.reports,
            Lane::Directory => &self.directory,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Queue {
    interval: Option<Duration>,
    // Whoever holds this is at the head of the queue; tokio hands it on in the order of asking.
    next: Mutex<Option<Instant>>,
    held_until: Quick<Option<Instant>>,
}

impl Queue {
    fn new(interval: Option<Duration>) -> Self {
        Self {
            interval,
            next: Mutex::new(None),
            held_until: Quick::new(None),
        }
    }

    pub(crate) fn is_paced(&self) -> bool {
        self.interval.is_some()
    }

    /// Returns when it is this caller's turn.
    pub(crate) async fn turn(&self) {
        let mut next = self.next.lock().await;
        loop {
            let until = (*next).max(self.held());
            match until {
                Some(until) if until > Instant::now() => sleep_until(until).await,
                _ => break,
            }
        }
        *next = self.interval.map(|interval| Instant::now() + interval);
    }

    /// Nobody goes before `wait` has passed.
    pub(crate) fn hold(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut held = self.held_until.lock().unwrap_or_else(PoisonError::into_inner);
        *held = (*held).max(Some(until));
    }

    fn held(&self) -> Option<Instant> {
        *self.held_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::future::join_all;

    #[tokio::test(start_paused = true)]
    async fn conditional_access_requests_leave_one_second_apart_in_order() {
        let queues = Queues::new(Pace::SERVICE);
        let start = Instant::now();
        let turns = join_all((0..4u64).map(|index| {
            let queue = queues.of(Lane::ConditionalAccess);
            async move {
                queue.turn().await;
                (index, start.elapsed().as_secs())
            }
        }))
        .await;
        assert_eq!(turns, [(0, 0), (1, 1), (2, 2), (3, 3)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_hold_stops_those_already_waiting_but_no_other_lane() {
        let queues = Queues::new(Pace::SERVICE);
        let start = Instant::now();
        queues.of(Lane::ConditionalAccess).turn().await;
        let (waited, (), elsewhere) = tokio::join!(
            async {
                queues.of(Lane::ConditionalAccess).turn().await;
                start.elapsed()
            },
            async { queues.of(Lane::ConditionalAccess).hold(Duration::from_secs(30)) },
            async {
                queues.of(Lane::Directory).turn().await;
                start.elapsed()
            },
        );
        assert_eq!(waited.as_secs(), 30);
        assert_eq!(elsewhere.as_secs(), 0);
    }

    #[test]
    fn loopback_is_not_paced() {
        let loopback = Endpoints::new(super::super::Cloud::Global, Some("http://127.0.0.1:1"), None).unwrap();
        assert_eq!(Pace::for_endpoints(&loopback), Pace::UNLIMITED);
        let real = Endpoints::new(super::super::Cloud::Global, None, None).unwrap();
        assert_eq!(Pace::for_endpoints(&real), Pace::SERVICE);
    }
}
