//! The service's limit on Conditional Access calls.

use std::time::Duration;

use jiff::Timestamp;

use super::effect::RetryAfter;

/// A bucket of tokens that every call on policies and named locations takes one from; a call that
/// finds none is answered with 429 and takes none.
///
/// Source: Microsoft Graph throttling limits, "Identity protection and conditional access": one
/// request a second for each tenant.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// The time in which one token comes in.
    pub interval: Duration,
    /// How many tokens it holds at most, and at first.
    pub burst: u32,
    /// The header of a refusal; Microsoft's documents say that there is none.
    pub retry_after: Option<RetryAfter>,
    /// When it would be full again.
    full_at: Option<Timestamp>,
}

impl Bucket {
    /// Returns a bucket that is full.
    pub fn new(interval: Duration, burst: u32, retry_after: Option<RetryAfter>) -> Self {
        Self {
            interval,
            burst,
            retry_after,
            full_at: None,
        }
    }

    /// Takes a token; false if there is none.
    pub(super) fn take(&mut self, now: Timestamp) -> bool {
        let full_at = self.full_at.map_or(now, |at| at.max(now));
        let missing = Duration::try_from(full_at.duration_since(now)).unwrap_or_default();
        if missing > self.interval * self.burst.saturating_sub(1) {
            return false;
        }
        self.full_at = full_at.checked_add(self.interval).ok();
        true
    }
}

/// Whether the service counts a path, given without the version, among Conditional Access calls.
pub(super) fn counts(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    [
        "/identity/conditionalaccess/",
        "/policies/conditionalaccesspolicies",
    ]
    .into_iter()
    .any(|part| path.contains(part))
        && !["authenticationstrength", "authenticationcontext", "/templates"]
            .into_iter()
            .any(|part| path.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_lets_a_burst_through_and_then_its_rate() {
        let begin: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        let mut bucket = Bucket::new(Duration::from_secs(1), 3, None);
        let tenths = [0, 0, 0, 0, 9, 10, 11, 20, 20, 60, 60, 60, 60];
        let expected = [
            true, true, true, false, false, true, false, true, false, true, true, true, false,
        ];
        for (tenth, expected) in tenths.into_iter().zip(expected) {
            let now = begin + Duration::from_millis(100 * tenth);
            assert_eq!(bucket.take(now), expected, "after {tenth} tenths of a second");
        }
    }

    #[test]
    fn only_policies_and_locations_are_counted() {
        let rows = [
            ("/v1.0/identity/conditionalAccess/policies/x", true),
            ("/beta/identity/ConditionalAccess/namedLocations", true),
            ("/v1.0/identity/conditionalAccess/deletedItems/policies", true),
            ("/v1.0/policies/conditionalAccessPolicies", true),
            (
                "/v1.0/identity/conditionalAccess/authenticationStrength/policies",
                false,
            ),
            ("/v1.0/identity/conditionalAccess/templates", false),
            ("/v1.0/groups", false),
            ("/v1.0/$batch", false),
        ];
        for (path, expected) in rows {
            assert_eq!(counts(path), expected, "{path}");
        }
    }
}
