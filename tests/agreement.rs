//! What capol says of a sign-in is what the embedded tenant's What-If says, which was written from Microsoft's pages
//! without anything of capol's evaluator; the replay of logs and the classes of all sign-ins say it too.
//!
//! A sample runs always; `CAPOL_AGREEMENT=1000000 cargo test --profile fire --test promises agreement -- --nocapture`
//! compares so many sign-ins, and requires each kind of condition to decide in one of a hundred of them.

#[path = "../src/access/symbolic/tests/policies.rs"]
mod policies;

use std::collections::BTreeMap;

use capol::access::{
    Condition, Directory, Estate, ExternalUser, IDENTITY, Joined, LEVELS, Mask, Reading, Replay, Share,
    SignIn, Space, Standing, Subject, Truth, Wanted, sign_in,
};
use capol::sandbox::{Embedded, Kind, Sandbox, SandboxOptions, Tenant};
use serde_json::{Value as Json, json};
use uuid::Uuid;

use policies::{ADDRESSES, KINDS, PLATFORMS, Random, locations};

/// What only a sign-in of a person has.
const OF_PEOPLE: [&str; 7] = [
    "devicePlatform",
    "clientAppType",
    "deviceInfo",
    "userRiskLevel",
    "signInRiskLevel",
    "insiderRiskLevel",
    "authenticationFlow",
];
const SIGN_INS_A_TENANT: u64 = 25;
/// Reasons that are no condition.
const NO_CONDITION: [&str; 3] = ["notSet", "policyNotEnabled", "notEnoughInformation"];

/// Who there is: the directory file, and the same as members of groups and roles.
fn people() -> (Json, Json) {
    let mut random = Random::new(7);
    let mut members: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut held = |holders: &[String], id: &str| {
        for holder in holders {
            members.entry(holder.clone()).or_default().push(id.to_owned());
        }
    };
    let groups: Vec<Json> = ["g1", "g2", "g3", "g4"]
        .into_iter()
        .map(|id| {
            // A circle among them is walked once.
            let within = match id {
                "g2" => vec!["g1".to_owned()],
                "g1" => vec!["g3".to_owned()],
                "g3" => vec!["g2".to_owned()],
                _ => Vec::new(),
            };
            held(&within, id);
            json!({ "id": id, "displayName": id, "memberOf": within })
        })
        .collect();
    let users: Vec<Json> = (0..12)
        .map(|place| {
            let id = format!("u{place}");
            let member_of = if place % 3 == 0 { vec![] } else { random.some(&["g1", "g2", "g3", "g4"], 1) };
            let roles = random.some(&["r1", "r2"], 1);
            held(&member_of, &id);
            held(&roles, &id);
            let name = if place % 4 == 1 { "_x#EXT#@contoso.com" } else { "@contoso.com" };
            json!({
                "id": id, "displayName": id, "userPrincipalName": format!("{id}{name}"), "memberOf": member_of, "roles": roles,
                "userType": if place % 5 == 1 { "Guest" } else { "Member" },
            })
        })
        .collect();
    let principals = [
        ("s1", "Application"),
        ("s2", "Application"),
        ("s3", "ManagedIdentity"),
    ]
    .map(|(id, kind)| json!({ "id": id, "appId": id, "displayName": id, "servicePrincipalType": kind }));
    (
        json!({ "users": users, "groups": groups, "servicePrincipals": principals }),
        json!(members),
    )
}

fn tenant(directory: &Json, members: &Json, policies: &[Json], has_moved: bool) -> Tenant {
    let mut tenant = Tenant::empty(Uuid::from_u128(1), "Contoso", "contoso.com");
    let own = tenant.id().to_owned();
    let mut directory = directory.clone();
    for principal in directory["servicePrincipals"].as_array_mut().unwrap() {
        principal["appOwnerOrganizationId"] = json!(own);
    }
    let loaded = json!({
        "users": directory["users"], "groups": directory["groups"], "servicePrincipals": directory["servicePrincipals"],
        "members": members,
    });
    tenant.load_objects(&loaded).unwrap();
    for location in locations(has_moved) {
        tenant.insert(Kind::NamedLocations, location);
    }
    for policy in policies {
        tenant.insert(Kind::Policies, policy.clone());
    }
    tenant
}

/// A sign-in as Graph's `evaluate` takes it. An odd one may be to several applications at once, of a guest whom the
/// directory has otherwise, or have risks that such a sign-in can't have: What-If answers that too.
fn record(random: &mut Random, is_odd: bool) -> Json {
    let kind = random.below(20);
    let identity = match kind {
        0 | 1 => json!({
            "@odata.type": "#microsoft.graph.servicePrincipalSignIn",
            "servicePrincipalId": random.one(&["s1", "s2", "s3"]),
        }),
        2 | 3 => json!({
            "@odata.type": "#microsoft.graph.agentSignIn",
            "agentServicePrincipalId": random.one(&["x1", "x2", "x3"]),
        }),
        _ => {
            let mut who = json!({
                "@odata.type": "#microsoft.graph.userSignIn",
                "userId": format!("u{}", random.below(12)),
            });
            if is_odd && random.maybe(40) {
                let kind = random.one(&KINDS);
                who["externalUserType"] = json!(kind);
                if kind != "internalGuest" {
                    who["externalTenantId"] = json!(random.one(&["t1", "t2", "t3"]));
                }
            }
            who
        }
    };
    let context = match random.below(8) {
        0 => json!({
            "@odata.type": "#microsoft.graph.userActionContext",
            "userAction": random.one(&["registerSecurityInformation", "registerOrJoinDevices"]),
        }),
        1 => json!({
            "@odata.type": "#microsoft.graph.authContext",
            "authenticationContextValue": random.one(&["c1", "c2", "c3"]),
        }),
        _ => json!({
            "@odata.type": "#microsoft.graph.applicationContext",
            "includeApplications": random.at_least_one(
                &[
                    "a1", "a2", "a3", "a4",
                    "00000003-0000-0ff1-ce00-000000000000",
                    "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
                ],
                if is_odd { 3 } else { 1 },
            ),
        }),
    };
    let mut conditions = conditions(random);
    let (is_application, is_agent) = (kind < 2, kind == 2 || kind == 3);
    let mut leave_out = |member: &str| conditions.as_object_mut().unwrap().remove(member);
    if !is_odd {
        for member in OF_PEOPLE.into_iter().filter(|_| is_application || is_agent) {
            leave_out(member);
        }
        if !is_application {
            leave_out("servicePrincipalRiskLevel");
        }
        if !is_agent {
            leave_out("agentIdRiskLevel");
        }
    }
    json!({ "signInIdentity": identity, "signInContext": context, "signInConditions": conditions })
}

fn conditions(random: &mut Random) -> Json {
    let mut conditions = json!({});
    let mut set = |random: &mut Random, percent: usize, member: &str, of: &[&str]| {
        if random.maybe(percent) {
            conditions[member] = json!(random.one(of));
        }
    };
    let risks = ["none", "low", "medium", "high"];
    set(random, 80, "devicePlatform", &PLATFORMS);
    set(
        random,
        80,
        "clientAppType",
        &[
            "browser",
            "mobileAppsAndDesktopClients",
            "exchangeActiveSync",
            "easSupported",
            "other",
        ],
    );
    set(random, 60, "userRiskLevel", &risks);
    set(random, 60, "signInRiskLevel", &risks);
    set(random, 60, "servicePrincipalRiskLevel", &risks);
    set(random, 60, "agentIdRiskLevel", &risks);
    set(
        random,
        60,
        "insiderRiskLevel",
        &["none", "minor", "moderate", "elevated"],
    );
    set(random, 80, "country", &["DK", "SE", "BR", "JP", "de"]);
    set(random, 80, "ipAddress", &ADDRESSES);
    if random.maybe(50) {
        let flow = random.one(&["none", "deviceCodeFlow", "authenticationTransfer"]);
        conditions["authenticationFlow"] = json!({ "transferMethod": flow });
    }
    if random.maybe(75) {
        conditions["deviceInfo"] = device(random);
    }
    conditions
}

fn device(random: &mut Random) -> Json {
    let mut device = json!({ "deviceId": "d" });
    let texts: [(&str, &[&str]); 7] = [
        ("trustType", &["ServerAD", "AzureAD", "Workplace"]),
        ("displayName", &["PAW-X1", "paw-y", "saw-x", "x", "paw-"]),
        ("model", &["surface", "Mac", "other"]),
        ("extensionAttribute1", &["SAW", "S", "t"]),
        ("mdmAppId", &["m"]),
        ("operatingSystem", &["Windows"]),
        ("ownership", &["Company", "Personal"]),
    ];
    for (property, values) in texts {
        if random.maybe(50) {
            device[property] = json!(random.one(values));
        }
    }
    if random.maybe(60) {
        device["isCompliant"] = json!(random.maybe(50));
    }
    for (property, values) in [
        ("physicalIds", ["[OrderId]:1", "[OrderId]:2"]),
        ("systemLabels", ["CloudPC", "x"]),
    ] {
        if random.maybe(50) {
            device[property] = json!(random.some(&values, 2));
        }
    }
    device
}

/// A policy; half of them are about everybody and everything, so that the other conditions decide.
fn policy(random: &mut Random, id: &str) -> Json {
    let mut policy = random.policy(id);
    let conditions = &mut policy["conditions"];
    if random.maybe(50) && !conditions["users"].is_null() {
        conditions["users"] = json!({ "includeUsers": ["All"] });
        conditions["applications"] = json!({ "includeApplications": ["All"] });
        let (member, words): (_, &[&str]) = match random.below(4) {
            0 => ("userRiskLevels", &["low", "medium", "high"]),
            1 => ("insiderRiskLevels", &["minor", "moderate", "elevated"]),
            2 => ("agentIdRiskLevels", &["low", "medium", "high"]),
            _ => (
                "authenticationFlows",
                &["deviceCodeFlow", "authenticationTransfer"],
            ),
        };
        let words = random.at_least_one(words, 2);
        conditions[member] = match member {
            "authenticationFlows" => json!({ "transferMethods": words.join(",") }),
            _ => json!(words),
        };
    }
    policy
}

/// What the tenant says of each policy, by id: whether it applies, and why not.
fn asked(sandbox: &Embedded, record: &Json) -> BTreeMap<String, (bool, String)> {
    let headers = [
        (
            "authorization".to_owned(),
            format!("Bearer {}", sandbox.access_token()),
        ),
        ("content-type".to_owned(), "application/json".to_owned()),
    ];
    let body = serde_json::to_vec(record).unwrap();
    let url = "/beta/identity/conditionalAccess/evaluate";
    let reply = sandbox.answer("POST", url, &headers, Some(&body));
    let answer: Json = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(reply.status, 200, "{answer} of {record}");
    let results = answer["value"].as_array().unwrap().iter();
    results
        .map(|result| {
            let text = |member: &str| result[member].as_str().unwrap().to_owned();
            (
                text("id"),
                (result["policyApplies"] == json!(true), text("analysisReasons")),
            )
        })
        .collect()
}

/// How the policies stand to a sign-in whose parts are held against them one by one.
fn joined(replay: &Replay<'_>, sign_in: &SignIn) -> Joined {
    let parts: [&[Condition]; 7] = [
        &IDENTITY,
        &[Condition::Applications],
        &[Condition::Platforms],
        &[Condition::ClientApps],
        &[Condition::Locations],
        &[Condition::Devices],
        &LEVELS,
    ];
    let shares: Vec<Share> = parts.map(|part| replay.share(part, sign_in, sign_in)).into();
    let mut joined = Joined::default();
    replay.join(&shares, &mut joined);
    joined
}

fn space<'a>(estate: &'a Estate, directory: &Directory, reading: Reading) -> Space<1> {
    let subjects: Vec<Subject<'a>> = estate
        .policies()
        .iter()
        .map(|policy| Subject { policy, estate })
        .collect();
    Space::new(&subjects, Some(directory), reading).unwrap()
}

#[test]
fn the_evaluator_the_replay_the_classes_and_the_what_if_of_the_tenant_say_the_same() {
    assert!(
        ExternalUser::kinds().eq(KINDS),
        "{:?}",
        ExternalUser::kinds().collect::<Vec<_>>()
    );
    let wanted: u64 = std::env::var("CAPOL_AGREEMENT").map_or(3_000, |count| count.parse().unwrap());
    let (people, members) = people();
    let directory = Directory::from_json(&people).unwrap();
    let mut decisive: BTreeMap<String, u64> = BTreeMap::new();
    let (mut compared, mut undecided, mut wrong) = (0_u64, 0_u64, Vec::new());
    for seed in 0..wanted.div_ceil(SIGN_INS_A_TENANT) {
        let mut random = Random::new(8_000_000 + seed);
        let count = random.below(7) + 1;
        let policies: Vec<Json> = (0..count)
            .map(|place| policy(&mut random, &format!("p{place}")))
            .collect();
        let has_moved = random.maybe(30);
        let mut estate = Estate::default();
        for location in locations(has_moved) {
            estate.add_location(&location).unwrap();
        }
        for policy in &policies {
            estate.add_policy(policy).unwrap();
        }
        let sandbox = Sandbox::in_memory(SandboxOptions {
            tenant: tenant(&people, &members, &policies, has_moved),
            ..SandboxOptions::default()
        })
        .unwrap();
        let nothing = Estate::default();
        let replay = Replay::new(&estate, &nothing);
        let on: Mask<1> = (0..count)
            .filter(|place| policies[*place]["state"] != "disabled")
            .collect();
        let spaces = [Reading::Possible, Reading::Certain].map(|reading| space(&estate, &directory, reading));
        for _ in 0..SIGN_INS_A_TENANT {
            let is_odd = random.maybe(40);
            let record = record(&mut random, is_odd);
            let theirs = asked(&sandbox, &record);
            let sign_in = sign_in(&record, &directory).unwrap();
            let answer = estate.evaluate(&sign_in, None);
            let joined = joined(&replay, &sign_in);
            let mut certain = Mask::<1>::default();
            let mut possible = Mask::<1>::default();
            let mut reasons = std::collections::BTreeSet::new();
            for (place, (policy, standing)) in estate.policies().iter().zip(&answer.standings).enumerate() {
                let applies = matches!(standing, Standing::Applied | Standing::ReportOnly);
                let is_open = matches!(standing, Standing::Undecided(_));
                let stands = match (applies, is_open) {
                    (true, _) => Truth::Yes,
                    (false, true) => Truth::Undecided,
                    (false, false) => Truth::No,
                };
                assert_eq!(replay.stands(&joined, place), stands, "{record}");
                if stands == Truth::Yes {
                    certain.insert(place);
                }
                if stands >= Truth::Undecided {
                    possible.insert(place);
                }
                let (theirs, reason) = &theirs[&policy.key];
                if is_open || reason == "notEnoughInformation" {
                    undecided += 1;
                    continue;
                }
                compared += 1;
                if *theirs != applies {
                    wrong.push(format!(
                        "{standing:?}, the tenant {reason}: {} of {record}",
                        policies[place]
                    ));
                }
                if !NO_CONDITION.contains(&reason.as_str()) {
                    reasons.insert(reason.clone());
                }
            }
            for reason in reasons {
                *decisive.entry(reason).or_default() += 1;
            }
            // What the record leaves open may be either way.
            let (all, none) = (certain, on & !possible);
            for space in spaces.iter().filter(|_| !is_odd) {
                let found = space.find(&Wanted { all, none }, &|_| true);
                assert!(found.is_some(), "no class for {record}: {all:?} of {policies:?}");
            }
        }
    }
    println!("{wanted} sign-ins, {compared} verdicts compared, {undecided} that one of both leaves open");
    for (reason, count) in &decisive {
        println!("{reason:<24} decides in {count} sign-ins");
    }
    assert!(
        wrong.is_empty(),
        "{} disagreements:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(5)].join("\n")
    );
    let least = if wanted < 100_000 { 1 } else { wanted / 100 };
    let few: Vec<_> = decisive.iter().filter(|(_, count)| **count < least).collect();
    assert!(few.is_empty(), "decided in fewer than one of a hundred: {few:?}");
    assert_eq!(decisive.len(), 15, "{decisive:?}");
}
