//! How many sign-ins a second are evaluated, membership resolved beforehand.

use std::collections::BTreeSet;
use std::hint::black_box;

use capol::access::{
    ClientApp, Condition, Device, Estate, Fact, IDENTITY, Identity, Joined, LEVELS, Replay, Resource, Share,
    SignIn,
};
use serde_json::{Value as Json, json};

use crate::runner::Runner;

const GROUPS: usize = 500;
const LOCATIONS: usize = 100;
const SIGN_INS: usize = 1_000_000;

/// Numbers that look random and are the same every time (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    fn names(&mut self, letter: char, count: usize, of: usize) -> Vec<String> {
        (0..count)
            .map(|_| format!("{letter}{}", self.below(of)))
            .collect()
    }
}

/// Policies such as a large company has them: most are about groups, half about some applications, some about
/// places, devices and risks.
fn policy(numbers: &mut Numbers, place: usize) -> Json {
    let everybody = numbers.below(3) == 0;
    let all_apps = numbers.below(2) == 0;
    let mut conditions = json!({
        "users": {
            "includeUsers": if everybody { json!(["All"]) } else { json!([]) },
            "includeGroups": if everybody { vec![] } else { numbers.names('g', 3, GROUPS) },
            "excludeGroups": numbers.names('g', 2, GROUPS),
        },
        "applications": { "includeApplications": if all_apps { vec!["All".to_owned()] } else { numbers.names('a', 4, 60) } },
        "clientAppTypes": ["all"],
    });
    match numbers.below(6) {
        0 => {
            conditions["locations"] =
                json!({ "includeLocations": ["All"], "excludeLocations": numbers.names('l', 3, LOCATIONS) });
        }
        1 => {
            conditions["platforms"] =
                json!({ "includePlatforms": ["android", "iOS"], "excludePlatforms": [] });
        }
        2 => conditions["clientAppTypes"] = json!(["exchangeActiveSync", "other"]),
        3 => conditions["signInRiskLevels"] = json!(["high", "medium"]),
        4 => {
            conditions["devices"] =
                json!({ "deviceFilter": { "mode": "exclude", "rule": "device.isCompliant -eq True" } });
        }
        _ => {}
    }
    let control = ["mfa", "mfa", "compliantDevice", "block"][numbers.below(4)];
    let session = match numbers.below(5) {
        0 => {
            json!({ "signInFrequency": { "isEnabled": true, "type": "hours", "value": 1 + numbers.below(9), "frequencyInterval": "timeBased" } })
        }
        _ => Json::Null,
    };
    json!({
        "id": format!("p{place}"), "displayName": format!("Policy {place}"), "state": "enabled", "conditions": conditions,
        "sessionControls": session,
        "grantControls": {
            "operator": "OR",
            "builtInControls": [control],
        },
    })
}

fn estate(numbers: &mut Numbers, count: usize) -> Estate {
    let mut estate = Estate::default();
    for place in 0..LOCATIONS {
        let location = json!({
            "@odata.type": "#microsoft.graph.ipNamedLocation", "id": format!("l{place}"), "displayName": format!("Site {place}"),
            "ipRanges": [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": format!("10.{place}.0.0/16") }],
        });
        estate.add_location(&location).unwrap();
    }
    for place in 0..count {
        estate.add_policy(&policy(numbers, place)).unwrap();
    }
    estate
}

/// What sign-ins are made of, held against the policies.
fn shares(numbers: &mut Numbers, replay: &Replay<'_>) -> [Vec<Share>; 7] {
    let mut sign_in = SignIn::new(
        Identity::User {
            id: String::new(),
            groups: Fact::Absent,
            roles: Fact::Absent,
            external: Fact::Absent,
        },
        Resource::Unrecorded,
    );
    let mut variants =
        |conditions: &[Condition], count: usize, set: &mut dyn FnMut(&mut Numbers, &mut SignIn, usize)| {
            let each = (0..count).map(|place| {
                set(numbers, &mut sign_in, place);
                replay.share(conditions, &sign_in, &sign_in)
            });
            each.collect::<Vec<_>>()
        };
    [
        variants(&IDENTITY, 5_000, &mut |numbers, sign_in, place| {
            let groups = numbers.names('g', 12, GROUPS).into_iter().collect();
            sign_in.identity = Identity::User {
                id: format!("u{place}"),
                groups: Fact::Is(groups),
                roles: Fact::Absent,
                external: Fact::Absent,
            };
        }),
        variants(&[Condition::Applications], 60, &mut |_, sign_in, place| {
            sign_in.resource = Resource::Applications {
                ids: BTreeSet::from([format!("a{place}")]),
                attributes: Fact::Absent,
            };
        }),
        variants(
            &[Condition::ClientApps],
            ClientApp::ALL.len(),
            &mut |_, sign_in, place| {
                sign_in.client_app = Fact::Is(ClientApp::ALL[place]);
            },
        ),
        variants(&[Condition::Platforms], 3, &mut |_, sign_in, place| {
            sign_in.platform = Fact::Is(["iOS", "windows", "macOS"][place].to_owned());
        }),
        variants(&[Condition::Locations], 1_000, &mut |numbers, sign_in, place| {
            let host = numbers.below(250);
            let address = format!("10.{}.7.{host}", place % (LOCATIONS + 20));
            sign_in.network.ip = Fact::Is(address.parse().unwrap());
        }),
        variants(&[Condition::Devices], 3, &mut |_, sign_in, place| {
            sign_in.device = match place {
                0 => Fact::Absent,
                1 => Fact::Is(Device::default().with("isCompliant", "True")),
                _ => Fact::Is(Device::default().with("isCompliant", "False")),
            };
        }),
        variants(&LEVELS, 4, &mut |_, sign_in, place| {
            sign_in.sign_in_risk = Fact::Is(["none", "low", "medium", "high"][place].to_owned());
        }),
    ]
}

fn evaluate(runner: &mut Runner, count: usize) {
    let name = format!("evaluate a million sign-ins against {count} policies");
    if !runner.wants(&name) {
        return;
    }
    let mut numbers = Numbers(1);
    let (estate, nothing) = (estate(&mut numbers, count), Estate::default());
    let replay = Replay::new(&estate, &nothing);
    let choice = shares(&mut numbers, &replay);
    let sign_ins: Vec<[&Share; 7]> = (0..SIGN_INS)
        .map(|_| std::array::from_fn(|part| &choice[part][numbers.below(choice[part].len())]))
        .collect();
    let mut joined = Joined::default();
    runner.rate(&name, SIGN_INS, || {
        for sign_in in &sign_ins {
            replay.join(sign_in.iter().copied(), &mut joined);
            black_box(&joined);
        }
    });
}

pub(super) fn measure(runner: &mut Runner) {
    for count in [10, 50, 200, 1_000] {
        evaluate(runner, count);
    }
}
