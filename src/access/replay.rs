//! Many sign-ins under two estates: what a change would have done to them.
//!
//! A policy is a conjunction of conditions, and each condition looks at one part of a sign-in. So each part that
//! occurs is held against all policies once ([`Share`]), and a sign-in is the union of its parts' shares ([`Joined`]).

mod change;

pub use change::{Change, Judged};

use fixedbitset::FixedBitSet;

use super::condition::{Because, Condition};
use super::estate::Estate;
use super::log::Target;
use super::policy::{Enforcement, Policy, Sides};
use super::sign_in::{Fact, Identity, Resource, SignIn};
use super::truth::Truth;
use change::Clause;

/// Two estates side by side, ready for many sign-ins.
#[derive(Debug)]
pub struct Replay<'e> {
    before: &'e Estate,
    after: &'e Estate,
    /// How many policies the one before has; those of the one after come behind them.
    middle: usize,
    count: usize,
    /// The policies that a condition can keep away, by place, in the order of [`Condition::ALL`].
    concerned: Vec<Vec<usize>>,
    /// The policies that are disabled.
    off: FixedBitSet,
    /// For each policy of the one after, the one before that catches the same.
    twins: Vec<Option<usize>>,
    /// The other way: for each policy of the one before, the place of the one after that catches the same.
    twin_after: Vec<Option<usize>>,
    blocking: FixedBitSet,
    asking: FixedBitSet,
    enforced: FixedBitSet,
    clauses: Vec<Clause>,
}

/// What one condition says of each policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Said {
    condition: Condition,
    not_included: FixedBitSet,
    excluded: FixedBitSet,
    undecided: FixedBitSet,
}

/// What one part of a sign-in means for each policy.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Share {
    no: FixedBitSet,
    undecided: FixedBitSet,
    said: Vec<Said>,
}

/// How all policies stand to one sign-in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Joined {
    no: FixedBitSet,
    undecided: FixedBitSet,
}

/// The conditions that look at who signs in.
pub const IDENTITY: [Condition; 3] = [Condition::Users, Condition::Workloads, Condition::Agents];
/// The conditions that look at risk and at how the sign-in was begun.
pub const LEVELS: [Condition; 7] = [
    Condition::UserRisk,
    Condition::SignInRisk,
    Condition::ServicePrincipalRisk,
    Condition::AgentRisk,
    Condition::InsiderRisk,
    Condition::AuthenticationFlows,
    Condition::Unknown,
];

impl<'e> Replay<'e> {
    /// Puts two estates side by side.
    pub fn new(before: &'e Estate, after: &'e Estate) -> Self {
        let middle = before.policies().len();
        let count = middle + after.policies().len();
        let of = |holds: &dyn Fn(&Policy) -> bool| {
            let mut bits = FixedBitSet::with_capacity(count);
            let all = before.policies().iter().chain(after.policies());
            for (place, _) in all.enumerate().filter(|(_, policy)| holds(policy)) {
                bits.insert(place);
            }
            bits
        };
        let twins: Vec<Option<usize>> = after
            .policies()
            .iter()
            .map(|policy| {
                before
                    .policies()
                    .iter()
                    .position(|other| catches_the_same(other, before, policy, after))
            })
            .collect();
        let mut twin_after = vec![None; middle];
        for (place, twin) in twins.iter().enumerate() {
            if let Some(free) = twin.and_then(|twin| twin_after.get_mut(twin)) {
                *free = Some(place + middle);
            }
        }
        let all = || {
            let of = |estate: &'e Estate| estate.policies().iter().map(move |policy| (policy, estate));
            of(before).chain(of(after)).enumerate()
        };
        let concerned = Condition::ALL
            .into_iter()
            .map(|condition| {
                all()
                    .filter(|(_, (policy, estate))| {
                        policy.enforcement != Enforcement::Off && policy.has(condition, estate)
                    })
                    .map(|(place, _)| place)
                    .collect()
            })
            .collect();
        Self {
            before,
            after,
            middle,
            count,
            concerned,
            off: of(&|policy| policy.enforcement == Enforcement::Off),
            twins,
            twin_after,
            blocking: of(&Policy::blocks),
            asking: of(&|policy| policy.grant.is_some()),
            enforced: of(&|policy| policy.enforcement == Enforcement::Enforced),
            clauses: change::clauses_of(before, after),
        }
    }

    /// The estate before.
    pub fn before(&self) -> &'e Estate {
        self.before
    }

    fn all(&self) -> impl Iterator<Item = (usize, &'e Policy, &'e Estate)> {
        let of = |estate: &'e Estate| estate.policies().iter().map(move |policy| (policy, estate));
        of(self.before)
            .chain(of(self.after))
            .enumerate()
            .map(|(place, (policy, estate))| (place, policy, estate))
    }

    fn at(&self, place: usize) -> Option<(&'e Policy, &'e Estate)> {
        let (estate, place) = match place.checked_sub(self.middle) {
            Some(place) => (self.after, place),
            None => (self.before, place),
        };
        Some((estate.policies().get(place)?, estate))
    }

    /// What these conditions say of a sign-in, which may be another one in the estate after: groups can change.
    pub fn share(&self, conditions: &[Condition], before: &SignIn, after: &SignIn) -> Share {
        self.share_by(conditions, |condition, place, policy, estate| {
            let sign_in = if place < self.middle { before } else { after };
            policy.sides(condition, sign_in, estate)
        })
    }

    /// What is said of what is signed in to.
    pub fn share_of_target(&self, target: &Target) -> Share {
        let somebody = Identity::User {
            id: String::new(),
            groups: Fact::Unrecorded,
            roles: Fact::Unrecorded,
            external: Fact::Unrecorded,
        };
        let sign_in = |resource: &Resource| SignIn::new(somebody.clone(), resource.clone());
        let (sign_ins, is_told): (Vec<SignIn>, bool) = match target {
            Target::OneOf(resources) => (resources.iter().map(sign_in).collect(), true),
            // One that no policy names.
            Target::Unrecorded => (
                vec![sign_in(&Resource::Applications {
                    ids: [String::new()].into(),
                    attributes: Fact::Unrecorded,
                })],
                false,
            ),
        };
        self.share_by(&[Condition::Applications], |condition, _, policy, estate| {
            let names_some =
                policy.applications.named().next().is_some() || policy.applications.rule().is_some();
            let mut each = sign_ins
                .iter()
                .map(|sign_in| policy.sides(condition, sign_in, estate));
            let first = each.next().unwrap_or(Sides::NOTHING);
            let is_open = !is_told && names_some;
            if is_open || each.any(|other| other.truth() != first.truth()) {
                Sides::only(Truth::Undecided)
            } else {
                first
            }
        })
    }

    fn share_by(
        &self,
        conditions: &[Condition],
        sides: impl Fn(Condition, usize, &Policy, &Estate) -> Sides,
    ) -> Share {
        let none = || FixedBitSet::with_capacity(self.count);
        let mut share = Share {
            no: none(),
            undecided: none(),
            said: Vec::new(),
        };
        for condition in conditions {
            let mut said = Said {
                condition: *condition,
                not_included: none(),
                excluded: none(),
                undecided: none(),
            };
            let position = Condition::ALL.iter().position(|one| one == condition);
            let concerned = position.and_then(|position| self.concerned.get(position));
            for place in concerned.into_iter().flatten().copied() {
                let Some((policy, estate)) = self.at(place) else {
                    continue;
                };
                let sides = sides(*condition, place, policy, estate);
                match (sides.truth(), sides.include) {
                    (Truth::Yes, _) => {}
                    (Truth::Undecided, _) => said.undecided.insert(place),
                    (Truth::No, Truth::No) => said.not_included.insert(place),
                    (Truth::No, _) => said.excluded.insert(place),
                }
            }
            share.no.union_with(&said.not_included);
            share.no.union_with(&said.excluded);
            share.undecided.union_with(&said.undecided);
            share.said.push(said);
        }
        share
    }

    /// Puts the shares of a sign-in's parts together.
    pub fn join<'s>(&self, shares: impl IntoIterator<Item = &'s Share>, joined: &mut Joined) {
        if joined.no == FixedBitSet::default() {
            joined.no = FixedBitSet::with_capacity(self.count);
            joined.undecided = FixedBitSet::with_capacity(self.count);
        }
        joined.no.clear();
        joined.no.union_with(&self.off);
        joined.undecided.clear();
        for share in shares {
            joined.no.union_with(&share.no);
            joined.undecided.union_with(&share.undecided);
        }
        let no = &joined.no;
        joined.undecided.difference_with(no);
    }

    /// Whether a policy before, by place, matches.
    pub fn stands(&self, joined: &Joined, place: usize) -> Truth {
        match (joined.no.contains(place), joined.undecided.contains(place)) {
            (true, _) => Truth::No,
            (false, true) => Truth::Undecided,
            (false, false) => Truth::Yes,
        }
    }

    /// Why a policy does not match, or can't be decided; nothing when it matches.
    pub fn because(&self, shares: &[&Share], place: usize) -> Option<Because> {
        let said = |condition: Condition| {
            shares
                .iter()
                .flat_map(|share| &share.said)
                .find(move |said| said.condition == condition)
        };
        let mut undecided = None;
        for said in Condition::ALL.into_iter().filter_map(said) {
            if said.not_included.contains(place) {
                return Some(Because::NotIncluded(said.condition));
            }
            if said.excluded.contains(place) {
                return Some(Because::Excluded(said.condition));
            }
            if said.undecided.contains(place) {
                undecided = undecided.or(Some(Because::Undecided(said.condition)));
            }
        }
        undecided
    }

    /// Settles what is undecided of a policy before, and of the one after that catches the same: the log tells whether it
    /// matched.
    pub fn settle(&self, joined: &mut Joined, place: usize, matched: bool) {
        let twin = self.twin_after.get(place).copied().flatten();
        for place in [Some(place), twin].into_iter().flatten() {
            if joined.undecided.contains(place) {
                joined.undecided.set(place, false);
                if !matched {
                    joined.no.insert(place);
                }
            }
        }
    }
}

/// Whether two policies of one key have the same conditions, whatever they ask for and whether they are in force.
fn catches_the_same(one: &Policy, estate: &Estate, other: &Policy, other_estate: &Estate) -> bool {
    one.key == other.key
        && Condition::ALL
            .into_iter()
            .all(|condition| one.has_same(condition, estate, other, other_estate))
}
