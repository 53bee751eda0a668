//! Trouble on order: what goes wrong with which request, for tests of clients.
//!
//! Nothing here is left to chance: what happens follows from the rules, the tenant's clock, how many
//! requests came before, and a seed.

mod bucket;
mod effect;
mod file;
mod gate;
mod rule;
mod visibility;

use std::time::Duration;

use jiff::Timestamp;

pub use bucket::Bucket;
pub use effect::Act;
pub use effect::Edit;
pub use effect::Effect;
pub use effect::RetryAfter;
pub use effect::TokenEnd;
pub use gate::Gate;
pub use rule::Rule;
pub use rule::When;
pub use visibility::Visibility;

pub(super) use effect::http_date;
pub(super) use rule::Asked;
pub(super) use visibility::Past;

/// How long every answer takes, sign-in included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// The least.
    pub base: Duration,
    /// What comes on top at most, by the seed.
    pub jitter: Duration,
}

/// All the trouble of a tenant; by default none.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    rules: Vec<Rule>,
    /// For how many requests a new object cannot be read, listed, changed or referred to.
    pub hide_new_for: u32,
    /// What decides where a share of requests is asked for, and how long a jitter is.
    pub seed: u64,
    /// How long answers take.
    pub latency: Latency,
    /// The limit on Conditional Access calls.
    pub limit: Option<Bucket>,
    /// How far reads are behind writes.
    pub visibility: Visibility,
    begin: Option<Timestamp>,
    asked: u64,
}

/// What becomes of one request.
#[derive(Clone, Debug, Default)]
pub(super) struct Verdict {
    pub(super) wait: Duration,
    /// What it ends with, if not with its own answer.
    pub(super) outcome: Option<Effect>,
    pub(super) before: Vec<Edit>,
    pub(super) after: Vec<Edit>,
    pub(super) hold: Option<(Gate, bool)>,
}

impl Faults {
    /// Returns no trouble at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a rule. Each rule counts every request that it matches; of those that would end a
    /// request, the first that catches it decides, and delays and other people's edits add up.
    #[must_use]
    pub fn with(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Sets for how many requests a new object stays invisible.
    #[must_use]
    pub fn hiding_new_for(mut self, requests: u32) -> Self {
        self.hide_new_for = requests;
        self
    }

    /// Sets what a share of requests and a jitter are spread by.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets how long answers take: at least `base`, at most `jitter` more.
    #[must_use]
    pub fn latency(mut self, base: Duration, jitter: Duration) -> Self {
        self.latency = Latency { base, jitter };
        self
    }

    /// Limits Conditional Access calls.
    #[must_use]
    pub fn limit(mut self, bucket: Bucket) -> Self {
        self.limit = Some(bucket);
        self
    }

    /// Sets how far reads are behind writes.
    #[must_use]
    pub fn visibility(mut self, visibility: Visibility) -> Self {
        self.visibility = visibility;
        self
    }

    /// Whether reads may differ from what was written last.
    pub(super) fn is_distorted(&self) -> bool {
        self.hide_new_for > 0 || self.visibility != Visibility::default()
    }

    /// Decides about a request, or a step of a batch.
    pub(super) fn decide(&mut self, asked: &Asked<'_>) -> Verdict {
        let begin = *self.begin.get_or_insert(asked.now);
        let mut verdict = Verdict::default();
        if let Some(bucket) = &mut self.limit
            && !asked.sign_in
            && bucket::counts(asked.path)
            && !bucket.take(asked.now)
        {
            verdict.outcome = Some(Effect::Throttle {
                retry_after: bucket.retry_after.clone(),
            });
        }
        for (index, rule) in self.rules.iter_mut().enumerate() {
            let seed = self.seed.wrapping_add(index as u64);
            if rule.catches(asked, begin, seed) {
                verdict.add(&rule.effect);
            }
        }
        verdict
    }

    /// Returns how long the next answer takes at least.
    pub(super) fn delay(&mut self) -> Duration {
        self.asked += 1;
        let most = u64::try_from(self.latency.jitter.as_micros()).unwrap_or(u64::MAX);
        let jitter = chance(self.seed ^ 0x6a69_7474_6572, self.asked, most.saturating_add(1));
        self.latency.base + Duration::from_micros(jitter)
    }
}

impl Verdict {
    fn add(&mut self, effect: &Effect) {
        match effect {
            Effect::Late { by, commit: true } => self.wait += *by,
            Effect::EditBefore(edit) => self.before.push(edit.clone()),
            Effect::EditAfter(edit) => self.after.push(edit.clone()),
            Effect::Hold { commit, gate } => {
                self.hold.get_or_insert_with(|| (gate.clone(), *commit));
            }
            ending => {
                if self.outcome.is_none() {
                    if let Effect::Late { by, .. } = ending {
                        self.wait += *by;
                    }
                    self.outcome = Some(ending.clone());
                }
            }
        }
    }
}

/// Returns a number below `below` that follows from the seed and the count: `SplitMix64`.
fn chance(seed: u64, count: u64, below: u64) -> u64 {
    let mut mixed = seed.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % below.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caught(faults: &mut Faults, method: &str, second: u64) -> bool {
        let begin: Timestamp = "2026-03-01T09:00:00Z".parse().unwrap();
        let asked = Asked {
            method,
            path: "/v1.0/identity/conditionalAccess/policies",
            sign_in: false,
            now: begin + Duration::from_secs(second),
        };
        faults.decide(&asked).outcome.is_some()
    }

    #[test]
    fn rules_catch_the_requests_they_name() {
        let effect = Effect::Fail {
            status: 500,
            commit: false,
        };
        let span = When::During {
            from: Duration::from_secs(1),
            until: Duration::from_secs(3),
        };
        let rows = [
            (When::Always, vec![true, true, true, true]),
            (When::Every(2), vec![false, true, false, true]),
            (When::First(1), vec![true, false, false, false]),
            (When::Only(3), vec![false, false, true, false]),
            (When::After(3), vec![false, false, false, true]),
            (When::Percent(100), vec![true, true, true, true]),
            (When::Percent(0), vec![false, false, false, false]),
            (span, vec![false, true, true, false]),
        ];
        for (when, expected) in rows {
            let rule = Rule::new(when, effect.clone()).method("post").path("/policies");
            let mut faults = Faults::none().with(rule);
            let found: Vec<bool> = (0..4).map(|second| caught(&mut faults, "POST", second)).collect();
            assert_eq!(found, expected, "{when:?}");
            assert!(!caught(&mut faults, "GET", 2));
        }
    }

    #[test]
    fn a_share_follows_from_the_seed_and_nothing_else() {
        let effect = Effect::Drop { commit: false };
        let run = |seed| {
            let mut faults = Faults::none()
                .seed(seed)
                .with(Rule::new(When::Percent(20), effect.clone()));
            (0..1000)
                .map(|_| caught(&mut faults, "GET", 0))
                .collect::<Vec<bool>>()
        };
        assert_eq!(run(1), run(1));
        assert_ne!(run(1), run(2));
        let share = run(1).into_iter().filter(|caught| *caught).count();
        assert!((150..250).contains(&share), "{share} of 1000");
    }

    #[test]
    fn delays_and_edits_add_up_and_the_first_ending_decides() {
        let late = |seconds| Effect::Late {
            by: Duration::from_secs(seconds),
            commit: true,
        };
        let mut faults = Faults::none()
            .with(Rule::new(When::Always, late(1)))
            .with(Rule::new(When::Always, Effect::EditBefore(Edit::Twin)))
            .with(Rule::new(When::Always, Effect::Throttle { retry_after: None }))
            .with(Rule::new(When::Always, Effect::Drop { commit: true }))
            .with(Rule::new(When::Always, late(2)))
            .with(Rule::new(When::Always, Effect::EditBefore(Edit::Twin)));
        let asked = Asked {
            method: "POST",
            path: "/v1.0/groups",
            sign_in: false,
            now: Timestamp::UNIX_EPOCH,
        };
        let verdict = faults.decide(&asked);
        assert_eq!((verdict.wait.as_secs(), verdict.before.len()), (3, 2));
        assert!(matches!(verdict.outcome, Some(Effect::Throttle { .. })));
        let sign_in = Asked {
            sign_in: true,
            ..asked
        };
        assert!(faults.decide(&sign_in).outcome.is_none());
    }
}
