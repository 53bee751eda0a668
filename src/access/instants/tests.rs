//! Orders of random writes, against the evaluator at every instant and against all orders there are.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::*;
use crate::access::policy::Enforcement;
use crate::access::symbolic::tests::random::Random;
use crate::access::{ClientApp, Fact, Identity, Resource, SignIn, Truth};

const GROUPS: [&str; 3] = ["a", "b", "c"];
const OFFICES: &str = "203.0.113.0/24";

fn id(text: &str) -> String {
    format!("00000000-0000-4000-8000-0000000000{text}{text}")
}

fn some(random: &mut Random, percent: usize) -> Vec<String> {
    let mut some = Vec::new();
    for group in GROUPS {
        if random.maybe(percent) {
            some.push(id(group));
        }
    }
    some
}

fn policy(random: &mut Random, key: usize) -> Json {
    let everybody = random.maybe(40);
    let mut json = json!({
        "id": format!("policy {key}"),
        "displayName": format!("P{key}"),
        "state": if random.maybe(80) { "enabled" } else { "disabled" },
        "conditions": {
            "users": {
                "includeUsers": if everybody { vec!["All"] } else { vec![] },
                "includeGroups": if everybody { vec![] } else { some(random, 50) },
                "excludeGroups": some(random, 20),
            },
            "applications": { "includeApplications": ["All"] },
        },
        "grantControls": match random.below(5) {
            0 => json!({ "operator": "OR", "builtInControls": ["block"] }),
            1 => json!({ "operator": "AND", "builtInControls": ["mfa", "compliantDevice"] }),
            2 => json!({ "operator": "OR", "builtInControls": ["mfa", "compliantDevice"] }),
            _ => json!({ "operator": "OR", "builtInControls": ["mfa"] }),
        },
    });
    if random.maybe(25) {
        json["conditions"]["clientAppTypes"] = json!(["browser"]);
    }
    match random.below(5) {
        0 => json["conditions"]["locations"] = json!({ "includeLocations": [id("9")] }),
        1 => {
            json["conditions"]["locations"] =
                json!({ "includeLocations": ["All"], "excludeLocations": [id("9")] });
        }
        _ => {}
    }
    if random.maybe(20) {
        json["sessionControls"] = json!({ "persistentBrowser": { "isEnabled": true, "mode": "never" } });
    }
    json
}

fn located(range: &str) -> Estate {
    let mut estate = Estate::default();
    let ranges = json!([{ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": range }]);
    let location = json!({
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "id": id("9"),
        "displayName": "Offices",
        "ipRanges": ranges,
    });
    estate.add_location(&location).unwrap();
    estate
}

fn read(json: &Json) -> Policy {
    let mut estate = Estate::default();
    estate.add_policy(json).unwrap();
    estate.policies()[0].clone()
}

/// Every sign-in that the policies can tell apart.
fn sign_ins() -> Vec<SignIn> {
    let mut all = Vec::new();
    for number in 0..32_usize {
        let groups = (0..3)
            .filter(|bit| number & (1 << bit) != 0)
            .map(|bit| id(GROUPS[bit]));
        let who = Identity::User {
            id: "somebody".into(),
            groups: Fact::Is(groups.collect()),
            roles: Fact::Is(BTreeSet::new()),
            external: Fact::Absent,
        };
        let to = Resource::Applications {
            ids: BTreeSet::from(["app".to_owned()]),
            attributes: Fact::Absent,
        };
        for address in ["203.0.113.7", "198.51.100.7", "192.0.2.7"] {
            let mut sign_in = SignIn::new(who.clone(), to.clone());
            sign_in.client_app = Fact::Is(if number & 8 == 0 {
                ClientApp::Browser
            } else {
                ClientApp::Other
            });
            sign_in.network.ip = Fact::Is(address.parse().unwrap());
            if number & 16 == 0 {
                all.push(sign_in);
            }
        }
    }
    all
}

/// A tenant before some writes and after them: each policy with its own write or none, and a location that may be written.
struct Change {
    policies: Vec<(Option<Policy>, Option<Policy>, Option<usize>)>,
    locations: [Estate; 2],
    /// The write to the location.
    moves: Option<usize>,
    writes: usize,
}

impl Change {
    fn random(random: &mut Random) -> Self {
        let mut change = Self {
            policies: Vec::new(),
            locations: [located(OFFICES), located("198.51.100.0/24")],
            moves: None,
            writes: 0,
        };
        for key in 0..2 + random.below(4) {
            let (before, after) = (read(&policy(random, key)), read(&policy(random, key)));
            let shape = random.below(5);
            let write = (shape > 0).then_some(change.writes);
            change.writes += usize::from(shape > 0);
            change.policies.push(match shape {
                0 => (Some(before.clone()), Some(before), write),
                1 => (None, Some(after), write),
                2 => (Some(before), None, write),
                _ => (Some(before), Some(after), write),
            });
        }
        if random.maybe(40) {
            change.moves = Some(change.writes);
            change.writes += 1;
        }
        change
    }

    /// The policies in force with these writes done, and where.
    fn at(&self, done: &BTreeSet<usize>) -> (Vec<&Policy>, &Estate) {
        let has_moved = self.moves.is_some_and(|write| done.contains(&write));
        let policies = self.policies.iter().filter_map(|(before, after, write)| {
            let is_done = write.is_some_and(|write| done.contains(&write));
            let now = if is_done { after.as_ref() } else { before.as_ref() };
            now.filter(|policy| policy.enforcement == Enforcement::Enforced)
        });
        (policies.collect(), &self.locations[usize::from(has_moved)])
    }

    fn moving(&self) -> (Vec<Version<'_>>, Vec<Moving<'_>>) {
        let (mut fixed, mut moving) = (Vec::new(), Vec::new());
        for (before, after, write) in &self.policies {
            let writes: BTreeSet<usize> = write.iter().chain(&self.moves).copied().collect();
            let mut policy = Moving {
                writes: writes.clone(),
                ..Moving::default()
            };
            for number in 0..1_usize << writes.len() {
                let places = writes
                    .iter()
                    .enumerate()
                    .filter(|(bit, _)| number & (1 << bit) != 0);
                let done: BTreeSet<usize> = places.map(|(_, write)| *write).collect();
                let is_done = write.is_some_and(|write| done.contains(&write));
                let now = if is_done { after.as_ref() } else { before.as_ref() };
                let now = now.filter(|policy| policy.enforcement == Enforcement::Enforced);
                let version = now.map(|now| {
                    let has_moved = self.moves.is_some_and(|write| done.contains(&write));
                    policy.versions.push(Version {
                        policy: now,
                        estate: &self.locations[usize::from(has_moved)],
                    });
                    policy.versions.len() - 1
                });
                policy.states.push((done, version));
            }
            if writes.is_empty() {
                fixed.append(&mut policy.versions);
            } else {
                moving.push(policy);
            }
        }
        (fixed, moving)
    }

    /// Whether an instant is worse for a sign-in than both ends, told by the evaluator alone.
    fn is_worse(&self, sign_in: &SignIn, done: &BTreeSet<usize>) -> bool {
        let of = |done: &BTreeSet<usize>| -> Vec<Version<'_>> {
            let (policies, estate) = self.at(done);
            let caught = policies
                .into_iter()
                .filter(|policy| policy.matches(sign_in, estate).0 == Truth::Yes);
            caught.map(|policy| Version { policy, estate }).collect()
        };
        let everything = (0..self.writes).collect();
        let (before, after, now) = (of(&BTreeSet::new()), of(&everything), of(done));
        let blocks = |versions: &[Version<'_>]| versions.iter().any(|version| version.policy.blocks());
        if blocks(&now) {
            return !blocks(&before) && !blocks(&after);
        }
        before.iter().chain(&after).flat_map(Version::deeds).any(|deed| {
            let does = |versions: &[Version<'_>]| versions.iter().any(|version| version.does(&deed));
            does(&before) && does(&after) && !does(&now)
        })
    }
}

/// Every order of so many writes.
fn orders(writes: usize) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for write in 0..writes {
        let longer = orders.iter().flat_map(|order: &Vec<usize>| {
            (0..=order.len()).map(move |place| {
                let mut longer = order.clone();
                longer.insert(place, write);
                longer
            })
        });
        orders = longer.collect();
    }
    orders
}

#[test]
fn no_instant_of_an_order_that_is_found_is_worse_than_both_ends_and_one_is_found_where_there_is_one() {
    let sign_ins = sign_ins();
    let (mut with_edges, mut refused, mut plain) = (0, 0, 0);
    for seed in 0..120 {
        let mut random = Random::new(9_000_000 + seed);
        let change = Change::random(&mut random);
        let (fixed, moving) = change.moving();
        let secured = secure(&fixed, &moving, &Waits::none(change.writes), &[]).unwrap();
        let mut waits = Waits::none(change.writes);
        for (earlier, later) in &secured.edges {
            waits.add(*earlier, *later);
        }
        let all: BTreeSet<usize> = (0..change.writes).collect();
        let is_worse = |done: &BTreeSet<usize>| sign_ins.iter().any(|sign_in| change.is_worse(sign_in, done));
        let worse: Vec<BTreeSet<usize>> = (0..1_usize << change.writes)
            .map(|number| {
                (0..change.writes)
                    .filter(|bit| number & (1 << bit) != 0)
                    .collect()
            })
            .filter(|done| is_worse(done))
            .collect();
        if secured.conflicts.is_empty() {
            for done in &worse {
                assert!(
                    !waits.is_closed(done, &all),
                    "seed {seed}: {done:?} of {secured:?}\n{:#?}",
                    change.policies
                );
            }
            if secured.edges.is_empty() {
                plain += 1;
            } else {
                with_edges += 1;
            }
        } else {
            let good = orders(change.writes).into_iter().find(|order| {
                (0..=order.len()).all(|end| {
                    let done: BTreeSet<usize> = order[..end].iter().copied().collect();
                    !worse.contains(&done)
                })
            });
            assert_eq!(good, None, "seed {seed}: {secured:?}\n{:#?}", change.policies);
            refused += 1;
        }
    }
    assert!(
        plain > 15 && with_edges > 15 && refused > 5,
        "{plain} {with_edges} {refused}"
    );
}
