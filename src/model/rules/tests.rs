use super::*;
use crate::model::catalogue::corpus;
use crate::model::wire;
use serde_json::{Value as Json, json};

fn policy(change: Json) -> Object {
    let mut json = json!({
        "displayName": "p",
        "state": "enabled",
        "conditions": {
            "users": { "includeUsers": ["All"] },
            "applications": { "includeApplications": ["All"] },
        },
        "grantControls": { "operator": "OR", "builtInControls": ["mfa"] },
    });
    merge(&mut json, change);
    wire::decode(Kind::Policy, &json).unwrap().object
}

fn merge(into: &mut Json, from: Json) {
    match (into, from) {
        (Json::Object(into), Json::Object(from)) => {
            for (member, value) in from {
                merge(into.entry(member).or_insert(Json::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

#[track_caller]
fn check_codes(change: Json, expected: &[&str]) {
    let found: Vec<&str> = refused(&policy(change)).map(|violation| violation.code).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_the_service_refuses_is_refused_here() {
    let grant = |operator: &str, controls: &[&str]| json!({ "grantControls": { "operator": operator, "builtInControls": controls } });
    check_codes(json!({}), &[]);
    check_codes(
        json!({ "conditions": { "users": null } }),
        &["rules::no_audience"],
    );
    check_codes(
        json!({ "conditions": { "applications": null } }),
        &["rules::no_target"],
    );
    check_codes(json!({ "grantControls": null }), &["rules::no_control"]);
    check_codes(grant("OR", &["block", "mfa"]), &["rules::block_stands_alone"]);
    check_codes(
        json!({ "conditions": { "applications": { "includeUserActions": ["urn:user:registersecurityinfo"] } } }),
        &["rules::one_kind_of_target"],
    );
    check_codes(
        json!({ "grantControls": { "authenticationStrength": { "id": "00000000-0000-0000-0000-000000000004" } } }),
        &["rules::strength_or_mfa"],
    );
    check_codes(
        json!({ "conditions": { "locations": { "excludeLocations": ["AllTrusted"] } } }),
        &["rules::exclude_without_include"],
    );
    check_codes(
        json!({ "sessionControls": { "signInFrequency": { "isEnabled": true, "value": 4, "type": "hours",
            "authenticationType": "secondaryAuthentication", "frequencyInterval": "timeBased" } } }),
        &["rules::secondary_every_time"],
    );
    check_codes(
        json!({ "state": "enabledForReportingButNotEnforced",
            "sessionControls": { "continuousAccessEvaluation": { "mode": "strictLocation" } } }),
        &["rules::continuous_access_report_only"],
    );
    check_codes(
        json!({ "conditions": { "users": null,
            "clientApplications": { "includeServicePrincipals": ["ServicePrincipalsInMyTenant"] } } }),
        &["rules::workloads_only_block"],
    );
    check_codes(
        grant("OR", &["mfa", "passwordChange"]),
        &["rules::password_change"; 2],
    );
    check_codes(
        json!({ "conditions": { "applications": {
            "includeApplications": [], "includeUserActions": ["urn:user:registerdevice"] },
            "clientAppTypes": ["browser"] } }),
        &["rules::register_device"],
    );
    check_codes(
        json!({ "conditions": { "users": { "includeUsers": ["GuestsOrExternalUsers"],
            "includeGuestsOrExternalUsers": { "guestOrExternalUserTypes": "internalGuest" } } } }),
        &["rules::two_kinds_of_guests"],
    );
}

#[track_caller]
fn check_lints(change: Json, expected: &[&str]) {
    let found = check(&policy(change));
    let codes: Vec<&str> = found.iter().map(|violation| violation.code).collect();
    assert_eq!(codes, expected);
    assert!(found.iter().all(|violation| violation.severity == Severity::Lint));
}

#[test]
fn what_means_nothing_is_a_lint() {
    check_lints(
        json!({ "conditions": { "users": { "includeGroups": ["11111111-1111-1111-1111-111111111111"] } } }),
        &["rules::all_and_more"],
    );
    check_lints(
        json!({ "grantControls": { "builtInControls": ["block"] } }),
        &["rules::blocks_everybody"],
    );
}

#[test]
fn every_rule_says_what_to_do() {
    for violation in check(&Object::new(Kind::Policy)) {
        assert!(!violation.help.is_empty() && violation.code.starts_with("rules::"));
        assert!(!violation.message.ends_with('.'), "{}", violation.message);
    }
}

/// An object with an id and a date of creation came out of a tenant, so the tenant accepts it.
#[test]
fn what_real_tenants_stored_breaks_no_rule() {
    let Some(files) = corpus::json_files_named(".json") else {
        return;
    };
    let mut policies = Vec::new();
    for file in &files {
        gather(file, &mut policies);
    }
    let mut broken = Vec::new();
    for json in &policies {
        let Ok(decoded) = wire::decode(Kind::Policy, json) else {
            continue;
        };
        for violation in super::refused(&decoded.object) {
            broken.push(format!(
                "{} {}: {}",
                decoded.object.name(),
                violation.code,
                violation.message
            ));
        }
    }
    broken.sort();
    assert!(
        policies.len() > 100,
        "only {} stored policies found",
        policies.len()
    );
    assert!(
        broken.is_empty(),
        "{} of {}:\n{}",
        broken.len(),
        policies.len(),
        broken.join("\n")
    );
}

fn gather(json: &Json, policies: &mut Vec<Json>) {
    match json {
        Json::Array(values) => values.iter().for_each(|value| gather(value, policies)),
        Json::Object(map) => {
            let stored = map.get("id").is_some_and(Json::is_string)
                && map.get("createdDateTime").is_some_and(Json::is_string);
            if stored && map.contains_key("conditions") && map.contains_key("state") {
                policies.push(json.clone());
            } else {
                map.values().for_each(|value| gather(value, policies));
            }
        }
        _ => {}
    }
}
