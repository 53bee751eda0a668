//! What is read from Graph and written again says the same, for every policy that others published.

use std::collections::BTreeMap;

use capol::model::wire::{decode, encode, pruned};
use capol::model::{Kind, Reference};
use serde_json::{Value as Json, json};

use crate::shared;

/// Policies in Graph's own spelling: a file that holds one object with `conditions` and a name.
fn exported_policies() -> Vec<(String, Json)> {
    let Some(corpus) = shared::folder("corpus") else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for path in shared::files(&corpus, ".json") {
        let bytes = std::fs::read(&path).expect("readable file");
        let text = match bytes.as_slice() {
            [0xFF, 0xFE, rest @ ..] => encoding_rs::UTF_16LE.decode(rest).0.into_owned(),
            [0xEF, 0xBB, 0xBF, rest @ ..] | rest => String::from_utf8_lossy(rest).into_owned(),
        };
        let Ok(json) = serde_json::from_str::<Json>(&text) else {
            continue;
        };
        if json["conditions"].is_object() && json["displayName"].is_string() {
            found.push((path.display().to_string(), json));
        }
    }
    found
}

fn no_ids(_: &Reference) -> Option<String> {
    None
}

#[test]
fn a_policy_read_and_written_again_is_the_same_policy() {
    let policies = exported_policies();
    let mut unread: BTreeMap<String, String> = BTreeMap::new();
    let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
    for (file, json) in &policies {
        let decoded = match decode(Kind::Policy, json) {
            Ok(decoded) => decoded,
            Err(error) => {
                unread.insert(file.clone(), error.to_string());
                continue;
            }
        };
        let body = encode(&decoded.object, &mut no_ids).expect("every reference is an id");
        let again = decode(Kind::Policy, &body.json).expect("what capol writes can be read");
        assert_eq!(again.object, decoded.object, "{file}");
        assert_eq!(again.unknown, Json::Null, "{file}");
        if !decoded.unknown.is_null() {
            *unknown.entry(decoded.unknown.to_string()).or_default() += 1;
        }
    }
    println!(
        "{} policies, {} unread, {} kinds of unknown members",
        policies.len(),
        unread.len(),
        unknown.len()
    );
    for (file, error) in &unread {
        println!("  unread {file}: {error}");
    }
    for (members, count) in &unknown {
        println!("  unknown {count} x {members}");
    }
}

#[test]
fn null_empty_absent_and_the_default_are_one_and_the_same() {
    let sparse = json!({
        "displayName": "p", "state": "enabled",
        "conditions": { "users": { "includeUsers": ["All"] }, "applications": { "includeApplications": ["All"] } },
        "grantControls": { "operator": "AND", "builtInControls": ["MFA"] },
    });
    let full = json!({
        "@odata.context": "x", "displayName": "p", "state": "enabled", "sessionControls": {
            "signInFrequency": { "isEnabled": false, "value": null }, "persistentBrowser": null },
        "conditions": {
            "clientAppTypes": ["all"], "platforms": null, "locations": { "includeLocations": [], "excludeLocations": [] },
            "userRiskLevels": [], "users": { "includeUsers": ["all"], "excludeGroups": [] },
            "applications": { "includeApplications": ["All"], "includeUserActions": [] } },
        "grantControls": { "operator": "OR", "builtInControls": ["mfa"], "termsOfUse": [], "authenticationStrength": null },
    });
    let [sparse, full] = [sparse, full].map(|json| decode(Kind::Policy, &json).expect("readable"));
    assert_eq!(sparse.object, full.object);
    assert_eq!(pruned(&full.unknown), Json::Null);
}
