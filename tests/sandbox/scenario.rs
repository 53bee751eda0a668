//! A scenario's people and sign-ins, as a rollout sees them.

use capol::ops::evidence::of_files;
use capol::rollout::evidence::Scope;
use capol::sandbox::{Kind, Tenant};
use serde_json::{Value, json};

const POLICY: &str = "c0000000-0000-4000-8000-000000000001";

fn scenario() -> Value {
    json!({
        "group": "All staff",
        "people": 200,
        "departments": ["Sales", "Production", "IT"],
        "registered": 0.9,
        "sign_ins": {
            "days": 7, "per_day": 300, "failure": 0.02, "interruption": 0.1, "non_interactive": 0.3,
            "countries": ["DK", "SE"],
        },
    })
}

/// Success, failure and interruption of a policy in this state, by what the log says.
fn counted(state: &str) -> [u64; 3] {
    let mut tenant = Tenant::contoso();
    let policy = json!({
        "id": POLICY,
        "displayName": "MFA",
        "state": state,
        "conditions": {
            "clientAppTypes": ["all"],
            "users": { "includeUsers": ["All"] },
            "applications": { "includeApplications": ["All"] },
        },
        "grantControls": { "operator": "OR", "builtInControls": ["mfa"] },
    });
    tenant.load_objects(&json!({ "policies": [policy] })).unwrap();
    let now = "2026-12-01T08:00:00Z".parse().unwrap();
    tenant.load_scenario(&scenario(), now).unwrap();
    // The same again adds nothing.
    tenant.load_scenario(&scenario(), now).unwrap();
    assert_eq!(tenant.count(Kind::SignIns), 2_100);
    let registered = tenant.count(Kind::Registrations);
    assert!(
        (165..=195).contains(&registered),
        "{registered} of 200 registered"
    );
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.json");
    let all: Vec<&Value> = tenant.objects(Kind::SignIns).collect();
    std::fs::write(&log, json!({ "value": all }).to_string()).unwrap();
    let since = "2026-11-24T00:00:00Z".parse().unwrap();
    let scope = Scope::new([POLICY], since, None);
    let evidence = of_files(&[log], &scope, 2).unwrap().finish().unwrap();
    let counts = evidence[0].counts;
    [counts.success, counts.failure, counts.interrupted]
}

#[test]
fn the_rates_of_a_scenario_are_those_of_the_log() {
    let observed = counted("enabledForReportingButNotEnforced");
    assert_eq!(observed.iter().sum::<u64>(), 2_100);
    assert!((20..70).contains(&observed[1]), "{observed:?}");
    assert!((150..270).contains(&observed[2]), "{observed:?}");
    // The same people come to the same when it is enforced.
    assert_eq!(counted("enabled"), observed);
    assert_eq!(counted("disabled"), [0, 0, 0]);
}

#[test]
fn a_group_that_is_not_there_is_made() {
    let mut tenant = Tenant::contoso();
    let now = "2026-12-01T08:00:00Z".parse().unwrap();
    let document = json!({ "group": "Newcomers", "people": 3 });
    tenant.load_scenario(&document, now).unwrap();
    let group = tenant
        .objects(Kind::Groups)
        .find(|group| group["displayName"] == "Newcomers")
        .expect("the group");
    assert_eq!(tenant.members(group["id"].as_str().unwrap()).len(), 3);
}

#[test]
fn what_is_no_scenario_is_refused() {
    let now = "2026-12-01T08:00:00Z".parse().unwrap();
    for document in [
        json!({}),
        json!({ "group": "g", "people": -1 }),
        json!({ "group": "g", "people": 1, "failure": 1 }),
    ] {
        assert!(
            Tenant::contoso().load_scenario(&document, now).is_err(),
            "{document}"
        );
    }
}
