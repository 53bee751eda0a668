//! What is said to change, against the evaluator on random changes and sign-ins.

use std::collections::BTreeSet;

use super::*;
use crate::access::demand::{asks_for, clauses};
use crate::access::symbolic::tests::random::{Random, estate_of};
use crate::access::{SignIn, Truth};

/// What comes of a sign-in: whether it is blocked, and the policies that catch it.
struct Outcome<'a> {
    blocked: bool,
    asks: bool,
    estate: &'a Estate,
    policies: Vec<&'a Policy>,
}

fn outcome<'a>(estate: &'a Estate, sign_in: &SignIn) -> Outcome<'a> {
    let all = estate.policies().iter();
    let policies: Vec<&Policy> = all
        .filter(|policy| policy.enforcement == Enforcement::Enforced)
        .filter(|policy| policy.matches(sign_in, estate).0 >= Truth::Undecided)
        .collect();
    Outcome {
        blocked: policies.iter().any(|policy| policy.blocks()),
        asks: policies.iter().any(|policy| policy.grant.is_some()),
        estate,
        policies,
    }
}

impl Outcome<'_> {
    /// Whether everything that the other one asks for is asked for here as well.
    fn does_all_of(&self, other: &Self) -> bool {
        other.policies.iter().all(|theirs| {
            let clauses = theirs.grant.iter().flat_map(clauses);
            let mut grants = clauses.map(|clause| {
                self.policies
                    .iter()
                    .any(|mine| asks_for(mine, self.estate, &clause, other.estate))
            });
            let is_strict = |member: &String| {
                self.policies
                    .iter()
                    .any(|mine| mine.session.is_as_strict(&theirs.session, member))
            };
            grants.all(|done| done) && theirs.session.members().iter().all(is_strict)
        })
    }

    fn is_same(&self, other: &Self) -> bool {
        match (self.blocked, other.blocked) {
            (true, true) => true,
            (false, false) => self.does_all_of(other) && other.does_all_of(self),
            _ => false,
        }
    }
}

#[test]
fn a_sign_in_changes_exactly_where_an_effect_says_so() {
    let mut seen = std::collections::BTreeMap::new();
    let mut changed = 0;
    for seed in 0..400 {
        let mut random = Random::new(5_000_000 + seed);
        let (policies, later) = random.change();
        let (before, after) = (estate_of(&policies, false), estate_of(&later, random.maybe(15)));
        let directory = random.maybe(30).then(|| random.directory());
        let effects = effects(&before, &after, directory.as_ref()).unwrap();
        let pair = Pair::of(&before, &after);
        let subjects = pair.subjects();
        for effect in &effects {
            *seen.entry(effect.kind).or_insert(0) += 1;
        }
        for _ in 0..60 {
            let sign_in = random.sign_in(directory.as_ref());
            let (was, is) = (outcome(&before, &sign_in), outcome(&after, &sign_in));
            let caught: BTreeSet<usize> = subjects
                .iter()
                .enumerate()
                .filter(|(_, subject)| subject.policy.matches(&sign_in, subject.estate).0 >= Truth::Undecided)
                .map(|(place, _)| place)
                .collect();
            let said: BTreeSet<EffectKind> = effects
                .iter()
                .filter(|effect| caught.contains(&effect.region.caught_by))
                .filter(|effect| effect.region.none.iter().all(|place| !caught.contains(place)))
                .map(|effect| effect.kind)
                .collect();
            let context = format!("seed {seed}: {said:?} of {sign_in:?}\n{policies:#?}\n{later:#?}");
            assert_eq!(!was.is_same(&is), !said.is_empty(), "{context}");
            let is_newly_blocked = !was.blocked && is.blocked;
            assert_eq!(
                is_newly_blocked,
                said.contains(&EffectKind::NewlyBlocked),
                "{context}"
            );
            let is_unprotected = (was.blocked || was.asks) && !is.blocked && !is.asks;
            assert_eq!(
                is_unprotected,
                said.contains(&EffectKind::NewlyUnprotected),
                "{context}"
            );
            changed += usize::from(!said.is_empty());
        }
    }
    assert!(changed > 500, "only {changed} sign-ins change");
    assert!(
        seen.len() == 6 && seen.values().all(|count| *count > 5),
        "{seen:?}"
    );
}
