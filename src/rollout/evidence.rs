//! What sign-ins say of a rollout's policies: counted from a stream of log lines, in a wave and since it began.
//!
//! A policy's result in a line counts as one of three. *Success*: the policy asked for nothing that was not there
//! (`success`, `reportOnlySuccess`). *Failure*: the sign-in was refused or would be (`failure`, `reportOnlyFailure`).
//! *Interruption*: the person had to do something or would have to (`reportOnlyInterrupted`, and a `failure` whose error
//! code says that a prompt was shown: an enforced policy has no other word for it). A policy that did not apply says
//! nothing. Lines of which one was seen before count once.

mod counts;
mod sighting;

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, Hash};

use foldhash::fast::{FixedState, RandomState};
use jiff::Timestamp;

pub use counts::{Counts, Spread};
pub use sighting::{Came, NoSignIn, Sighting};

/// How many people, applications and countries are named.
const NAMED: usize = 20;

/// Which sign-ins count.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The policies, by object id in lower case.
    policies: Vec<String>,
    /// When the wave began; what was before it does not count.
    since: Timestamp,
    /// Who is in the wave, by object id in lower case; everybody without.
    people: Option<HashSet<u128, RandomState>>,
}

/// What was counted for one policy.
#[derive(Debug, Clone, Default)]
struct Policy {
    counts: Counts,
    people: HashMap<u128, Counts, RandomState>,
    named: HashMap<String, Counts, RandomState>,
    apps: HashMap<String, Counts, RandomState>,
    countries: HashMap<String, Counts, RandomState>,
}

/// What has been counted.
#[derive(Debug, Clone)]
pub struct Evidence {
    policies: Vec<Policy>,
    seen: HashSet<u128, RandomState>,
    /// Sign-ins in the wave, since it began.
    sign_ins: u64,
    /// Those of them that list policies at all.
    listed: u64,
    /// Results of the policies that the log has no word for.
    unknown: u64,
    /// Lines that can't be read.
    unreadable: u64,
}

/// The evidence of one policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyEvidence {
    /// Sign-ins to which it applied.
    pub counts: Counts,
    /// The people who signed in: in how many cases somebody had at least one failure, one interruption, or neither.
    pub people: Counts,
    /// Those with most failures and interruptions, by account name.
    pub named: Vec<Spread>,
    /// By application, those with most failures and interruptions first.
    pub apps: Vec<Spread>,
    /// By country, likewise.
    pub countries: Vec<Spread>,
}

/// Why counts can't be taken for evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum EvidenceError {
    /// No sign-in lists policies, which is what somebody sees who may not read them.
    #[error("{sign_ins} sign-ins were read, and none of them says what became of policies")]
    #[diagnostic(
        code("rollout::blind"),
        help(
            "grant `Policy.Read.All` (or `Policy.Read.ConditionalAccess`) beside `AuditLog.Read.All`: without it Microsoft Graph leaves the policies out and does not say so"
        )
    )]
    Blind {
        /// How many were read.
        sign_ins: u64,
    },
    /// Part of the log can't be read.
    #[error("{unreadable} lines of the log can't be read as sign-ins")]
    #[diagnostic(
        code("rollout::unreadable_log"),
        help("export the log again, sign-ins only: a line that is missing may be the one that failed")
    )]
    Unreadable {
        /// How many lines.
        unreadable: u64,
    },
    /// Results that nobody understands.
    #[error("{unknown} results of the rollout's policies are in no word that is understood")]
    #[diagnostic(
        code("rollout::unknown_results"),
        help(
            "read the log with the header `Prefer: include-unknown-enum-members`, without which Microsoft Graph hides the results of report-only policies"
        )
    )]
    Unknown {
        /// How many there were.
        unknown: u64,
    },
}

/// An id as a number: 16 bytes a person or sign-in, however many there are.
fn number(id: &str) -> u128 {
    if let Ok(id) = uuid::Uuid::try_parse(id) {
        return id.as_u128();
    }
    let half = |seed: u64| {
        let mut hasher = FixedState::with_seed(seed).build_hasher();
        id.to_ascii_lowercase().hash(&mut hasher);
        u128::from(std::hash::Hasher::finish(&hasher))
    };
    (half(1) << 64) | half(2)
}

impl Scope {
    /// The sign-ins of these policies since a moment, of these people; of everybody without a list.
    pub fn new<'a>(
        policies: impl IntoIterator<Item = &'a str>,
        since: Timestamp,
        people: Option<&mut dyn Iterator<Item = &'a str>>,
    ) -> Self {
        Self {
            policies: policies.into_iter().map(str::to_ascii_lowercase).collect(),
            since,
            people: people.map(|people| people.map(number).collect()),
        }
    }
}

impl Scope {
    /// When the wave began.
    pub fn since(&self) -> Timestamp {
        self.since
    }
}

impl Evidence {
    /// Nothing counted yet.
    pub fn new(scope: &Scope) -> Self {
        Self {
            policies: vec![Policy::default(); scope.policies.len()],
            seen: HashSet::default(),
            sign_ins: 0,
            listed: 0,
            unknown: 0,
            unreadable: 0,
        }
    }

    /// Counts a line that can't be read: what it said is missing from the evidence.
    pub fn miss(&mut self) {
        self.unreadable += 1;
    }

    /// Counts what a line said.
    pub fn take(&mut self, sighting: &Sighting) {
        if sighting.id.is_some_and(|id| !self.seen.insert(id)) {
            return;
        }
        self.sign_ins += 1;
        self.listed += u64::from(sighting.is_listed);
        self.unknown += u64::from(sighting.unknown);
        for (at, came) in &sighting.came {
            let Some(policy) = self.policies.get_mut(*at) else {
                continue;
            };
            policy.counts.add(*came);
            policy.people.entry(sighting.who).or_default().add(*came);
            add(&mut policy.apps, &sighting.app, *came);
            add(&mut policy.countries, &sighting.country, *came);
            if *came != Came::Success {
                add(&mut policy.named, &sighting.name, *came);
            }
        }
    }

    /// How many sign-ins were in the wave, whether the policies applied to them or not.
    pub fn sign_ins(&self) -> u64 {
        self.sign_ins
    }

    /// The evidence of each policy, in the order of the scope.
    ///
    /// Errors when the log could not have shown anything: an empty count would look like good news.
    pub fn finish(self) -> Result<Vec<PolicyEvidence>, EvidenceError> {
        if self.unreadable > 0 {
            return Err(EvidenceError::Unreadable {
                unreadable: self.unreadable,
            });
        }
        if self.sign_ins > 0 && self.listed == 0 {
            return Err(EvidenceError::Blind {
                sign_ins: self.sign_ins,
            });
        }
        if self.unknown > 0 {
            return Err(EvidenceError::Unknown {
                unknown: self.unknown,
            });
        }
        Ok(self.policies.into_iter().map(Policy::finish).collect())
    }
}

fn add(all: &mut HashMap<String, Counts, RandomState>, name: &str, came: Came) {
    if let Some(counts) = all.get_mut(name) {
        counts.add(came);
    } else {
        all.entry(name.to_owned()).or_default().add(came);
    }
}

impl Policy {
    fn finish(self) -> PolicyEvidence {
        let mut people = Counts::default();
        for (_, counts) in sorted(self.people) {
            people.add(if counts.failure > 0 {
                Came::Failure
            } else if counts.interrupted > 0 {
                Came::Interrupted
            } else {
                Came::Success
            });
        }
        PolicyEvidence {
            counts: self.counts,
            people,
            named: worst(self.named),
            apps: worst(self.apps),
            countries: worst(self.countries),
        }
    }
}

#[expect(clippy::iter_over_hash_type, reason = "they are put in order here")]
fn sorted<K: Ord>(all: HashMap<K, Counts, RandomState>) -> Vec<(K, Counts)> {
    let mut items = Vec::with_capacity(all.len());
    for item in all {
        items.push(item);
    }
    items.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    items
}

fn worst(all: HashMap<String, Counts, RandomState>) -> Vec<Spread> {
    let mut items = sorted(all);
    items.sort_by_key(|(_, counts)| std::cmp::Reverse((counts.failure, counts.interrupted, counts.all())));
    items
        .into_iter()
        .take(NAMED)
        .map(|(name, counts)| Spread { name, counts })
        .collect()
}

#[cfg(test)]
mod tests;
