//! The rules against the evaluator, on random policies.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::access::policy::{Enforcement, Policy};
use crate::access::region;
use crate::access::symbolic::tests::random::{Random, estate_of};
use crate::access::{Decision, SignIn};

/// Everything that comes out of a sign-in: whether it is blocked, whether somebody who can do just this gets in, and the
/// session.
fn outcome(
    estate: &Estate,
    sign_in: &SignIn,
    satisfied: &[BTreeSet<String>],
) -> impl PartialEq + std::fmt::Debug + use<> {
    let plain = estate.evaluate(sign_in, None);
    let gets_in: Vec<Option<Decision>> = satisfied
        .iter()
        .map(|satisfied| estate.evaluate(sign_in, Some(satisfied)).decision)
        .collect();
    let is_blocked = plain.decision == Some(Decision::Block);
    let session = if is_blocked {
        crate::access::Session::default()
    } else {
        plain.session
    };
    (is_blocked, plain.decision, gets_in, session)
}

/// What people can do: each method and control of the policies by itself, all of them, and some.
fn abilities(random: &mut Random) -> Vec<BTreeSet<String>> {
    let all = [
        "compliantDevice",
        "domainJoinedDevice",
        "approvedApplication",
        "compliantApplication",
        "passwordChange",
        "fido2",
        "windowsHelloForBusiness",
        "x509CertificateMultiFactor",
        "password",
        "sms",
        "microsoftAuthenticatorPush",
        "deviceBasedPush",
    ];
    (0..12)
        .map(|_| {
            let share = 20 + random.below(80);
            all.iter()
                .filter(|_| random.maybe(share))
                .map(|word| (*word).to_owned())
                .collect()
        })
        .collect()
}

/// Random policies, most of them twice with something changed, and perhaps some that are on everybody.
fn estate(random: &mut Random) -> Estate {
    let (mut policies, after) = random.change();
    for mut policy in after {
        policy["id"] = json!(format!("{}-again", policy["id"].as_str().unwrap()));
        policies.push(policy);
    }
    for (id, grant, clients) in [
        ("legacy", "block", json!(["exchangeActiveSync", "other"])),
        ("mfa", "mfa", json!(["all"])),
        ("device", "compliantDevice", json!(["all"])),
    ] {
        if random.maybe(25) {
            let excluded = if random.maybe(50) { vec!["g1"] } else { Vec::new() };
            policies.push(json!({
                "id": id,
                "displayName": id,
                "state": "enabled",
                "conditions": {
                    "users": { "includeUsers": ["All"], "excludeGroups": excluded },
                    "applications": { "includeApplications": ["All"] },
                    "clientAppTypes": clients,
                },
                "grantControls": { "operator": "OR", "builtInControls": [grant] },
            }));
        }
    }
    estate_of(&policies, false)
}

fn without(estate: &Estate, keys: &BTreeSet<&str>) -> Estate {
    let mut left = estate.clone();
    left.keep(|policy: &Policy| !keys.contains(policy.key.as_str()));
    left
}

#[test]
fn policies_called_shadowed_or_duplicates_can_be_taken_away_together() {
    let mut taken = 0;
    for seed in 0..120 {
        let mut random = Random::new(4_000_000 + seed);
        let estate = estate(&mut random);
        let found = gaps(&estate, &Known::default()).unwrap();
        let superfluous: BTreeSet<&str> = found
            .iter()
            .filter(|gap| matches!(gap.rule, Rule::ShadowedPolicy | Rule::DuplicatePolicy))
            .map(|gap| gap.about.as_str())
            .collect();
        if superfluous.is_empty() {
            continue;
        }
        taken += superfluous.len();
        let left = without(&estate, &superfluous);
        for _ in 0..120 {
            let sign_in = random.sign_in(None);
            let abilities = abilities(&mut random);
            assert_eq!(
                outcome(&estate, &sign_in, &abilities),
                outcome(&left, &sign_in, &abilities),
                "seed {seed}: without {superfluous:?}, {sign_in:?}"
            );
        }
    }
    assert!(taken > 100, "only {taken} were called superfluous");
}

#[test]
fn a_policy_called_void_catches_nothing() {
    let mut void = 0;
    for seed in 0..120 {
        let mut random = Random::new(5_000_000 + seed);
        let estate = estate(&mut random);
        let found = gaps(&estate, &Known::default()).unwrap();
        for gap in found.iter().filter(|gap| gap.rule == Rule::ExcludeVoidsPolicy) {
            void += 1;
            let policy = estate
                .policies()
                .iter()
                .find(|policy| policy.key == gap.about)
                .unwrap();
            for _ in 0..120 {
                let sign_in = random.sign_in(None);
                assert_ne!(
                    policy.matches(&sign_in, &estate).0,
                    crate::access::Truth::Yes,
                    "seed {seed}: {gap:?}"
                );
            }
        }
    }
    assert!(void > 3, "only {void} were called void");
}

#[test]
fn the_example_of_an_open_way_in_gets_in() {
    let (mut open, mut admins) = (0, 0);
    for seed in 0..120 {
        let mut random = Random::new(6_000_000 + seed);
        let estate = estate(&mut random);
        for gap in gaps(&estate, &Known::default()).unwrap() {
            let (Some(example), Some(sign_in)) = (&gap.example, &gap.sign_in) else {
                continue;
            };
            // What a block can't say is left out there: an app's custom security attributes.
            let said = region::sign_in(example, &estate, None);
            assert_eq!(said.client_app, sign_in.client_app, "{gap:?}");
            let caught: Vec<&Policy> = estate
                .policies()
                .iter()
                .filter(|policy| policy.enforcement == Enforcement::Enforced)
                .filter(|policy| policy.matches(sign_in, &estate).0 == crate::access::Truth::Yes)
                .collect();
            match gap.rule {
                Rule::LegacyAuthentication => {
                    open += 1;
                    assert!(!sign_in.is_modern(), "seed {seed}: {gap:?}");
                    assert!(
                        caught.iter().all(|policy| policy.grant.is_none()),
                        "seed {seed}: {gap:?} {caught:?}"
                    );
                }
                Rule::AdminsPhishable => {
                    admins += 1;
                    assert!(
                        !caught.iter().any(|policy| policy.blocks()),
                        "seed {seed}: {gap:?}"
                    );
                }
                _ => {}
            }
        }
    }
    assert!(open > 60 && admins > 60, "{open} {admins}");
}

#[test]
fn where_legacy_authentication_is_not_called_open_nobody_gets_in_with_it() {
    let mut closed = 0;
    for seed in 0..300 {
        let mut random = Random::new(7_000_000 + seed);
        let estate = estate(&mut random);
        let found = gaps(&estate, &Known::default()).unwrap();
        let in_force = |policy: &&Policy| policy.enforcement == Enforcement::Enforced;
        if found.iter().any(|gap| gap.rule == Rule::LegacyAuthentication)
            || !estate.policies().iter().any(|policy| in_force(&policy))
        {
            continue;
        }
        closed += 1;
        for _ in 0..120 {
            let sign_in = random.sign_in(None);
            if sign_in.is_modern()
                || !matches!(sign_in.resource, crate::access::Resource::Applications { .. })
            {
                continue;
            }
            let denied = estate.policies().iter().filter(in_force).any(|policy| {
                policy.grant.is_some() && policy.matches(&sign_in, &estate).0 != crate::access::Truth::No
            });
            let is_person = matches!(sign_in.identity, crate::access::Identity::User { .. });
            assert!(denied || !is_person, "seed {seed}: {sign_in:?}");
        }
    }
    assert!(closed > 5, "closed in {closed} only");
}
