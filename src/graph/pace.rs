//! One paced queue for each thing that Graph counts apart.
//!
//! Graph allows about one Conditional Access request a second per tenant, all callers summed, and often does not
//! say when to come back. So requests are spaced here, in the order in which they were made, and a `Retry-After`
//! (or our own guess after a 429) holds up everything behind it too. After a 429 the distance grows, so that those
//! who waited do not come back all at once, and shrinks again while nothing is throttled.

use super::cloud::Endpoints;
use super::request::Lane;
use std::sync::{Mutex as Quick, MutexGuard, PoisonError};
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

/// The distance that a lane is brought to when its own was not enough. Of the directory nothing is documented but
/// sums over minutes.
fn cautious(lane: Lane) -> Duration {
    match lane {
        Lane::ConditionalAccess => Duration::from_secs(1),
        Lane::Reports => Duration::from_secs(2),
        Lane::Directory => Duration::from_millis(200),
    }
}

/// The first distance of a lane that had none, when Graph does not say when to come back.
const FIRST: Duration = Duration::from_millis(100);

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
            conditional_access: Queue::new(Lane::ConditionalAccess, pace.conditional_access),
            reports: Queue::new(Lane::Reports, pace.reports),
            directory: Queue::new(Lane::Directory, pace.directory),
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
    cautious: Duration,
    // Whoever holds this is at the head of the queue; tokio hands it on in the order of asking.
    head: Mutex<()>,
    rhythm: Quick<Rhythm>,
}

/// When a request left, and how far it was kept from the one before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Turn {
    at: Instant,
    distance: Duration,
}

/// How far apart requests are now.
#[derive(Debug)]
struct Rhythm {
    interval: Duration,
    /// What was the interval when the last one left.
    before: Duration,
    /// It never gets shorter than this.
    least: Duration,
    next: Option<Instant>,
    held_until: Option<Instant>,
    slowed: Option<Instant>,
}

impl Rhythm {
    fn until(&self) -> Option<Instant> {
        self.next.max(self.held_until)
    }

    /// After each request that was not throttled the distance shrinks by a quarter, down to the least.
    fn ease(&mut self) {
        let shorter = self.interval.mul_f64(0.75);
        let least = self.least;
        self.interval = if shorter < least.max(FIRST / 10) {
            least
        } else {
            shorter
        };
    }

    fn slow(&mut self, distance: Duration, told: Option<Duration>, cautious: Duration) {
        if distance >= cautious / 2 {
            // Slow already, and still too fast: this is the service's own ration, for good.
            self.least = self.least.max(cautious);
        }
        let asked = match told {
            Some(told) => told.min(cautious),
            None => (self.interval * 2).max(FIRST).min(cautious * 4),
        };
        self.interval = self.interval.max(asked).max(self.least);
    }
}

impl Queue {
    fn new(lane: Lane, interval: Option<Duration>) -> Self {
        let interval = interval.unwrap_or_default();
        Self {
            cautious: cautious(lane),
            head: Mutex::new(()),
            rhythm: Quick::new(Rhythm {
                interval,
                before: Duration::ZERO,
                least: interval,
                next: None,
                held_until: None,
                slowed: None,
            }),
        }
    }

    fn rhythm(&self) -> MutexGuard<'_, Rhythm> {
        self.rhythm.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether requests are kept apart for good, from the start or since the service said so.
    pub(crate) fn is_paced(&self) -> bool {
        !self.rhythm().least.is_zero()
    }

    /// The least time between two requests.
    pub(crate) fn interval(&self) -> Duration {
        self.rhythm().interval
    }

    /// Returns when it is this caller's turn.
    pub(crate) async fn turn(&self) -> Turn {
        let _head = self.head.lock().await;
        loop {
            let until = self.rhythm().until();
            match until {
                Some(until) if until > Instant::now() => sleep_until(until).await,
                _ => break,
            }
        }
        let mut rhythm = self.rhythm();
        let at = Instant::now();
        let interval = rhythm.interval;
        let distance = std::mem::replace(&mut rhythm.before, interval);
        rhythm.next = (!rhythm.interval.is_zero()).then(|| at + rhythm.interval);
        rhythm.ease();
        Turn { at, distance }
    }

    /// Nobody goes before `wait` has passed.
    pub(crate) fn hold(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut rhythm = self.rhythm();
        rhythm.held_until = rhythm.held_until.max(Some(until));
    }

    /// The request of this turn was throttled: from now on they go further apart.
    ///
    /// Those that were under way together count once.
    pub(crate) fn slow(&self, turn: Turn, told: Option<Duration>) {
        let mut rhythm = self.rhythm();
        if rhythm.slowed.is_none_or(|slowed| turn.at > slowed) {
            rhythm.slow(turn.distance, told, self.cautious);
            rhythm.slowed = Some(Instant::now());
        }
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

    #[tokio::test(start_paused = true)]
    async fn a_lane_that_was_throttled_goes_slower_and_comes_back() {
        let queue = Queue::new(Lane::ConditionalAccess, None);
        assert!(!queue.is_paced());
        let first = queue.turn().await;
        queue.slow(first, None);
        let start = Instant::now();
        queue.turn().await;
        queue.turn().await;
        assert_eq!(start.elapsed(), FIRST);
        for _ in 0..20 {
            queue.turn().await;
        }
        let eased = Instant::now();
        queue.turn().await;
        assert_eq!(eased.elapsed(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_throttled_again_and_again_finds_the_services_pace_and_keeps_it() {
        let queue = Queue::new(Lane::ConditionalAccess, None);
        for _ in 0..10 {
            let turn = queue.turn().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
            queue.slow(turn, None);
        }
        for _ in 0..20 {
            queue.turn().await;
        }
        assert!(queue.is_paced());
        let start = Instant::now();
        for _ in 0..10 {
            queue.turn().await;
        }
        assert_eq!(start.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn requests_throttled_together_count_once() {
        let queue = Queue::new(Lane::ConditionalAccess, None);
        let mut turns = Vec::new();
        for _ in 0..10 {
            turns.push(queue.turn().await);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        for turn in turns {
            queue.slow(turn, None);
        }
        assert_eq!(queue.rhythm().interval, FIRST);
    }

    #[test]
    fn loopback_is_not_paced() {
        let loopback = Endpoints::new(super::super::Cloud::Global, Some("http://127.0.0.1:1"), None).unwrap();
        assert_eq!(Pace::for_endpoints(&loopback), Pace::UNLIMITED);
        let real = Endpoints::new(super::super::Cloud::Global, None, None).unwrap();
        assert_eq!(Pace::for_endpoints(&real), Pace::SERVICE);
    }
}
