//! How often to try again, and how long to wait before.

use std::sync::Arc;
use std::time::Duration;

/// How often and how long to try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// How many times a throttled request is sent again.
    pub throttled: u32,
    /// How many times a request that failed otherwise is sent again.
    pub failed: u32,
    /// The first wait when Graph names none; it doubles each time.
    pub first_wait: Duration,
    /// The longest wait when Graph names none.
    pub longest_wait: Duration,
    /// The longest `Retry-After` that is waited for; a longer one counts as none.
    pub longest_told: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            throttled: 10,
            failed: 4,
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_mins(1),
            longest_told: Duration::from_mins(15),
        }
    }
}

impl Patience {
    /// The wait before try `again` (from 1): it doubles, and half of it is left to chance (`jitter` in 0..1) so
    /// that several callers do not come back together.
    pub(crate) fn wait(&self, again: u32, jitter: f64) -> Duration {
        let doubled = self
            .first_wait
            .saturating_mul(1_u32.checked_shl(again.saturating_sub(1)).unwrap_or(u32::MAX));
        doubled
            .min(self.longest_wait)
            .mul_f64(0.5 + jitter.clamp(0.0, 1.0) / 2.0)
    }
}

/// A source of chance, in 0..1.
pub type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Chance from the operating system.
pub fn random_jitter() -> Jitter {
    Arc::new(|| {
        let (_, low) = uuid::Uuid::new_v4().as_u64_pair();
        let bits = u32::try_from(low >> 32).unwrap_or(0) & 0xff_ffff;
        f64::from(bits) / f64::from(0xff_ffff_u32)
    })
}
