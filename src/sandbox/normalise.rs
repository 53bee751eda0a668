//! What the service makes of a policy before it stores it.

use serde_json::Value;
use serde_json::json;

use super::policies::put;

/// Brings a merged policy into the form that is stored and read back.
///
/// Session controls that are off become null; `everyTime` loses nothing and gains its
/// authentication type; an operator over a single requirement becomes `OR`; keywords get their
/// canonical casing.
pub(super) fn policy(policy: &mut Value) {
    keywords(policy);
    session(policy);
    grant(policy);
    // Three exports of 2026 have session controls that hold nothing beside a grant.
    if policy.get("grantControls").is_some_and(Value::is_object) && !has_session(policy) {
        put(policy, "/sessionControls", Value::Null);
    }
}

/// The number of things that grant controls ask for.
pub(super) fn requirements(grant: &Value) -> usize {
    let list = |name: &str| grant.get(name).and_then(Value::as_array).map_or(0, Vec::len);
    let strength = usize::from(
        grant
            .pointer("/authenticationStrength/id")
            .is_some_and(Value::is_string),
    );
    list("builtInControls") + list("customAuthenticationFactors") + list("termsOfUse") + strength
}

/// Whether session controls hold anything at all. `disableResilienceDefaults: false` counts: it is
/// read back from real tenants beside grant controls.
pub(super) fn has_session(policy: &Value) -> bool {
    policy
        .get("sessionControls")
        .and_then(Value::as_object)
        .is_some_and(|controls| controls.values().any(|control| !control.is_null()))
}

fn keywords(policy: &mut Value) {
    const PLACES: [(&str, &[&str]); 7] = [
        (
            "/conditions/users/includeUsers",
            &["All", "None", "GuestsOrExternalUsers", "AllAgentIdUsers"],
        ),
        (
            "/conditions/users/excludeUsers",
            &["All", "None", "GuestsOrExternalUsers", "AllAgentIdUsers"],
        ),
        (
            "/conditions/applications/includeApplications",
            &[
                "All",
                "None",
                "Office365",
                "MicrosoftAdminPortals",
                "AllAgentIdResources",
            ],
        ),
        (
            "/conditions/applications/excludeApplications",
            &[
                "All",
                "None",
                "Office365",
                "MicrosoftAdminPortals",
                "AllAgentIdResources",
            ],
        ),
        ("/conditions/locations/includeLocations", &["All", "AllTrusted"]),
        ("/conditions/locations/excludeLocations", &["All", "AllTrusted"]),
        (
            "/conditions/clientApplications/includeServicePrincipals",
            &["ServicePrincipalsInMyTenant", "None"],
        ),
    ];
    for (place, words) in PLACES {
        let Some(items) = policy.pointer_mut(place).and_then(Value::as_array_mut) else {
            continue;
        };
        for item in items {
            let word = words
                .iter()
                .find(|word| item.as_str().is_some_and(|text| text.eq_ignore_ascii_case(word)));
            if let Some(word) = word {
                *item = json!(word);
            }
        }
    }
}

fn session(policy: &mut Value) {
    let Some(controls) = policy.get_mut("sessionControls").and_then(Value::as_object_mut) else {
        return;
    };
    for (_, control) in controls.iter_mut() {
        if control.get("isEnabled") == Some(&Value::Bool(false)) {
            *control = Value::Null;
        }
    }
    if let Some(frequency) = controls.get_mut("signInFrequency").and_then(Value::as_object_mut) {
        if frequency.get("frequencyInterval").is_none_or(Value::is_null) {
            frequency.insert("frequencyInterval".to_owned(), json!("timeBased"));
        }
        if frequency.get("authenticationType").is_none_or(Value::is_null) {
            frequency.insert(
                "authenticationType".to_owned(),
                json!("primaryAndSecondaryAuthentication"),
            );
        }
    }
}

fn grant(policy: &mut Value) {
    let session = has_session(policy);
    let Some(grant) = policy.get_mut("grantControls").filter(|grant| grant.is_object()) else {
        return;
    };
    match requirements(grant) {
        // An empty object beside session controls is stored as none; alone the rules refuse it.
        0 if session => *grant = Value::Null,
        1 => put(grant, "/operator", json!("OR")),
        _ => {
            let operator = grant
                .get("operator")
                .and_then(Value::as_str)
                .unwrap_or("OR")
                .to_ascii_uppercase();
            put(grant, "/operator", json!(operator));
        }
    }
}
