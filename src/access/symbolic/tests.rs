//! The symbolic form against the evaluator, on random policies and sign-ins.

mod policies;
pub(in crate::access) mod random;

use random::Random;

use super::*;
use crate::access::{Directory, Estate, SignIn, Truth};

/// The policies that catch a sign-in, as the evaluator says.
fn caught(estate: &Estate, sign_in: &SignIn, reading: Reading) -> Mask<1> {
    let least = match reading {
        Reading::Possible => Truth::Undecided,
        Reading::Certain => Truth::Yes,
    };
    let policies = estate.policies().iter().enumerate();
    policies
        .filter(|(_, policy)| policy.matches(sign_in, estate).0 >= least)
        .map(|(place, _)| place)
        .collect()
}

fn spaces(estate: &Estate, directory: Option<&Directory>) -> [(Reading, Space<1>); 2] {
    let subjects: Vec<Subject<'_>> = estate
        .policies()
        .iter()
        .map(|policy| Subject { policy, estate })
        .collect();
    [Reading::Possible, Reading::Certain]
        .map(|reading| (reading, Space::new(&subjects, directory, reading).unwrap()))
}

const ROUNDS: u64 = 120;

#[test]
fn every_class_is_caught_by_the_policies_that_the_evaluator_says() {
    for seed in 0..ROUNDS {
        let mut random = Random::new(seed);
        let estate = random.estate();
        let directory = random.maybe(30).then(|| random.directory());
        for (reading, space) in spaces(&estate, directory.as_ref()) {
            for _ in 0..100 {
                let realm = random.below(3);
                let places: Vec<usize> = (0..64).map(|_| random.below(1000)).collect();
                let found = space.at(realm, &places).unwrap();
                let said = caught(&estate, &found.sign_in, reading);
                assert_eq!(found.caught_by, said, "seed {seed}: {:?}", found.sign_in);
            }
        }
    }
}

#[test]
fn every_sign_in_has_a_class() {
    let mut decisive = std::collections::BTreeMap::new();
    for seed in 0..ROUNDS {
        let mut random = Random::new(1_000_000 + seed);
        let estate = random.estate();
        let directory = random.maybe(30).then(|| random.directory());
        let count = estate.policies().len();
        for (reading, space) in spaces(&estate, directory.as_ref()) {
            for _ in 0..60 {
                let sign_in = random.sign_in(directory.as_ref());
                let all = caught(&estate, &sign_in, reading);
                let none = (0..count).filter(|place| !all.contains(*place)).collect();
                let found = space.find(&Wanted { all, none }, &|_| true);
                let found =
                    found.unwrap_or_else(|| panic!("seed {seed}: no class for {sign_in:?} ({all:?})"));
                assert!(all.is_within(&found.caught_by) && !none.meets(&found.caught_by));
                for policy in estate.policies() {
                    if let (_, Some(because)) = policy.matches(&sign_in, &estate) {
                        *decisive.entry(because).or_insert(0) += 1;
                    }
                }
            }
        }
    }
    let few: Vec<_> = decisive.iter().filter(|(_, count)| **count < 8).collect();
    assert!(few.is_empty(), "decided too seldom: {few:?}");
    assert!(decisive.len() >= 20, "only {decisive:?}");
}

#[test]
fn what_is_found_is_so_and_what_is_not_found_is_not_so() {
    let (mut found_some, mut found_none) = (0, 0);
    for seed in 0..ROUNDS {
        let mut random = Random::new(2_000_000 + seed);
        let estate = random.estate();
        let directory = random.maybe(30).then(|| random.directory());
        let count = estate.policies().len();
        let sign_ins: Vec<SignIn> = (0..150).map(|_| random.sign_in(directory.as_ref())).collect();
        for (reading, space) in spaces(&estate, directory.as_ref()) {
            let seen: Vec<Mask<1>> = sign_ins
                .iter()
                .map(|sign_in| caught(&estate, sign_in, reading))
                .collect();
            for _ in 0..30 {
                let mut wanted = Wanted::default();
                for place in 0..count {
                    match random.below(4) {
                        0 => wanted.all.insert(place),
                        1 | 2 => wanted.none.insert(place),
                        _ => {}
                    }
                }
                if let Some(found) = space.find(&wanted, &|_| true) {
                    found_some += 1;
                    let said = caught(&estate, &found.sign_in, reading);
                    assert_eq!(said, found.caught_by, "seed {seed}: {:?}", found.sign_in);
                    assert!(wanted.all.is_within(&said) && !wanted.none.meets(&said));
                } else {
                    found_none += 1;
                    for (sign_in, said) in sign_ins.iter().zip(&seen) {
                        assert!(
                            !wanted.all.is_within(said) || wanted.none.meets(said),
                            "seed {seed}: not found, but {sign_in:?}"
                        );
                    }
                }
            }
        }
    }
    assert!(found_some > 1000 && found_none > 500, "{found_some} {found_none}");
}
