//! Policies that real tenants gave out are taken in, and come back as they were.

use serde_json::Value;
use serde_json::json;

use super::Bench;
use super::options;

/// Reads a JSON file in whatever encoding it was exported.
fn exported(path: &std::path::Path) -> Option<Value> {
    let bytes = std::fs::read(path).unwrap();
    let text = match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => encoding_rs::UTF_16LE.decode(rest).0.into_owned(),
        [0xEF, 0xBB, 0xBF, rest @ ..] | rest => String::from_utf8_lossy(rest).into_owned(),
    };
    serde_json::from_str(&text).ok()
}

/// Finds what came out of a real tenant: policies with an id and a time of creation.
fn real_policies(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| real_policies(item, found)),
        Value::Object(object) => {
            let camel = object.keys().any(|key| key == "Conditions").then(|| camel(value));
            let policy = camel.as_ref().unwrap_or(value);
            let named = policy["id"].is_string() && !policy["createdDateTime"].is_null();
            if policy["conditions"].is_object() && named {
                found.push(policy.clone());
            } else {
                object.values().for_each(|inner| real_policies(inner, found));
            }
        }
        _ => {}
    }
}

/// Brings what PowerShell wrote back into Graph's spelling; objects with nothing in them become null.
fn camel(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let object: serde_json::Map<String, Value> = object
                .iter()
                .filter(|(key, _)| *key != "AdditionalProperties")
                .map(|(key, value)| {
                    let key = if key.starts_with('@') {
                        key.clone()
                    } else {
                        format!("{}{}", key[..1].to_lowercase(), &key[1..])
                    };
                    (key, camel(value))
                })
                .collect();
            let hollow = object
                .values()
                .all(|value| value.is_null() || value == &json!([]));
            if hollow {
                Value::Null
            } else {
                Value::Object(object)
            }
        }
        Value::Array(items) => items.iter().map(camel).collect(),
        other => other.clone(),
    }
}

/// Returns what a client would send of an exported object: no annotations, nothing the service fills.
fn writable(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(key, _)| !key.starts_with('#') && (!key.contains("@odata.") || is_tenants(key, value)))
            .map(|(key, inner)| match key.as_str() {
                "authenticationStrength" if inner.is_object() => (key.clone(), json!({"id": inner["id"]})),
                _ => (key.clone(), writable(inner)),
            })
            .collect(),
        Value::Array(items) => items.iter().map(writable).collect(),
        other => other.clone(),
    }
}

fn is_tenants(key: &str, value: &Value) -> bool {
    key == "@odata.type" && value.get("membershipKind").is_some()
}

/// Returns what matters when two forms of a policy are compared.
fn essence(value: &Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept: serde_json::Map<String, Value> = object
                .iter()
                .filter(|(key, _)| !key.contains('@'))
                .map(|(key, inner)| match key.as_str() {
                    "authenticationStrength" if inner.is_object() => (key.clone(), inner["id"].clone()),
                    _ => (key.clone(), essence(inner)),
                })
                .map(|(key, value)| match (key.as_str(), value.as_str()) {
                    ("guestOrExternalUserTypes", Some(flags)) => {
                        let mut flags: Vec<&str> = flags.split(',').collect();
                        flags.sort_unstable();
                        (key, json!(flags))
                    }
                    // What the service fills in when it is not sent.
                    (_, Some("primaryAndSecondaryAuthentication" | "timeBased")) => (key, Value::Null),
                    _ => (key, value),
                })
                .filter(|(_, value)| !value.is_null() && value != &json!([]) && value != &json!({}))
                .collect();
            let alone = kept.keys().all(|key| key == "operator");
            if alone { Value::Null } else { Value::Object(kept) }
        }
        Value::Array(items) => {
            let mut items: Vec<Value> = items.iter().map(essence).collect();
            items.sort_by_key(ToString::to_string);
            Value::Array(items)
        }
        other => other.clone(),
    }
}

#[tokio::test]
async fn every_policy_that_a_real_tenant_gave_out_is_taken_in() {
    let Some(corpus) = crate::shared::folder("corpus") else {
        return;
    };
    let files = crate::shared::files(&corpus, ".json");
    let (mut accepted, mut problems) = (0, Vec::new());
    let bench = Bench::start(options()).await;
    bench
        .running
        .with_tenant(|tenant| tenant.settings.policy_quota = usize::MAX);
    for file in files {
        let Some(document) = exported(&file) else {
            continue;
        };
        let mut policies = Vec::new();
        real_policies(&document, &mut policies);
        bench.running.with_tenant(|tenant| tenant.stub_from(&policies));
        for policy in policies {
            let mut body = writable(&policy);
            let object = body.as_object_mut().unwrap();
            for filled in [
                "id",
                "createdDateTime",
                "modifiedDateTime",
                "deletedDateTime",
                "templateId",
                "analysisReasons",
                "policyApplies",
            ] {
                object.remove(filled);
            }
            let sent = bench
                .send("POST", "beta/identity/conditionalAccess/policies", Some(&body))
                .await;
            let name = file.strip_prefix(&corpus).unwrap().display();
            if sent.status != 201 {
                problems.push(format!("{name}: {}", sent.body["error"]["message"]));
                continue;
            }
            accepted += 1;
            for part in [
                "displayName",
                "state",
                "conditions",
                "grantControls",
                "sessionControls",
            ] {
                let (before, after) = (essence(&body[part]), essence(&sent.body[part]));
                if before != after {
                    problems.push(format!("{name}: {part} became\n  {after}\n  from\n  {before}"));
                }
            }
        }
    }
    println!("accepted {accepted}, problems {}", problems.len());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(accepted > 400, "only {accepted} policies found");
}

/// Finds named locations and strengths that came out of a real tenant.
fn real_neighbours(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| real_neighbours(item, found)),
        Value::Object(object) => {
            let kind = value["@odata.type"].as_str().unwrap_or_default();
            let location = kind.ends_with(".ipNamedLocation") || kind.ends_with(".countryNamedLocation");
            let strength = value["allowedCombinations"].is_array() && value["policyType"] == "custom";
            if value["createdDateTime"].is_string() && (location || strength) {
                found.push(value.clone());
            } else {
                object.values().for_each(|inner| real_neighbours(inner, found));
            }
        }
        _ => {}
    }
}

/// Like what a client would send, with the types of locations and ranges kept.
fn typed_writable(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(key, _)| !key.starts_with('#') && (!key.contains("@odata.") || *key == "@odata.type"))
            .map(|(key, inner)| (key.clone(), typed_writable(inner)))
            .collect(),
        Value::Array(items) => items.iter().map(typed_writable).collect(),
        other => other.clone(),
    }
}

#[tokio::test]
async fn every_location_and_strength_that_a_real_tenant_gave_out_is_taken_in() {
    let Some(corpus) = crate::shared::folder("corpus") else {
        return;
    };
    let (mut accepted, mut problems) = (0, Vec::new());
    for file in crate::shared::files(&corpus, ".json") {
        let mut objects = Vec::new();
        real_neighbours(&exported(&file).unwrap_or_default(), &mut objects);
        if objects.is_empty() {
            continue;
        }
        let bench = Bench::start(options()).await;
        for object in objects {
            let strength = object["allowedCombinations"].is_array();
            let path = if strength {
                "policies/authenticationStrengthPolicies"
            } else {
                "identity/conditionalAccess/namedLocations"
            };
            let body = typed_writable(&object);
            let sent = bench.send("POST", &format!("beta/{path}"), Some(&body)).await;
            let name = file.strip_prefix(&corpus).unwrap().display();
            let twice = sent.body["error"]["message"]
                .as_str()
                .is_some_and(|message| message.contains("already exists"));
            if sent.status != 201 && !twice {
                problems.push(format!("{name}: {}", sent.body["error"]["message"]));
            }
            accepted += usize::from(sent.status == 201);
            for part in [
                "displayName",
                "ipRanges",
                "isTrusted",
                "countriesAndRegions",
                "countryLookupMethod",
                "allowedCombinations",
            ] {
                if sent.status == 201
                    && essence(&body[part]) != essence(&sent.body[part])
                    && !body[part].is_null()
                {
                    problems.push(format!("{name}: {part} became {}", sent.body[part]));
                }
            }
        }
    }
    println!("accepted {accepted}, problems {}", problems.len());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(accepted > 40, "only {accepted} objects found");
}
