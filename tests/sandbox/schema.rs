//! Nothing is answered that the published schema does not know.

use serde_json::Value;
use serde_json::json;

use super::Bench;
use super::LOCATIONS;
use super::POLICIES;
use super::location;
use super::options;
use super::policy;

/// Collects the members of an answer that the published types do not have.
fn strangers(schema: &Value, kind: &str, value: &Value, path: &str, found: &mut Vec<String>) {
    // Seen on the wire, absent from the published types.
    const WIRE: [&str; 7] = [
        "partialEnablementStrategy",
        "times",
        "agents",
        "agentContext",
        "blockSensitiveActions",
        "includeAgentUsers",
        "excludeAgentUsers",
    ];
    let stated = value["@odata.type"]
        .as_str()
        .map_or(kind, |stated| stated.trim_start_matches("#microsoft.graph."));
    let property = |name: &str| {
        let mut next = Some(stated.to_owned());
        while let Some(kind) = next {
            let declared = &schema["types"][&kind];
            if declared["properties"][name].is_object() {
                return Some(declared["properties"][name].clone());
            }
            next = declared["base"].as_str().map(str::to_owned);
        }
        None
    };
    for (name, inner) in value.as_object().into_iter().flatten() {
        if name.contains("@odata.") || WIRE.contains(&name.as_str()) {
            continue;
        }
        let here = format!("{path}.{name}");
        let Some(declared) = property(name) else {
            found.push(here);
            continue;
        };
        let many = declared["collection"] == json!(true);
        if !inner.is_null() && many != inner.is_array() {
            found.push(format!("{here} (list or not)"));
        }
        let kind = declared["type"].as_str().unwrap_or_default();
        let items = if let Value::Array(items) = inner {
            items.iter().collect()
        } else {
            vec![inner]
        };
        for item in items.into_iter().filter(|item| item.is_object()) {
            strangers(schema, kind, item, &here, found);
        }
    }
}

#[tokio::test]
async fn every_member_of_an_answer_is_in_the_published_schema() {
    let Some(graph) = crate::shared::folder("graph") else {
        return;
    };
    let bench = Bench::start(options()).await;
    let mut rich = policy("rich");
    rich["conditions"]["users"]["excludeGuestsOrExternalUsers"] = json!({
        "guestOrExternalUserTypes": "internalGuest",
        "externalTenants": {"@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants",
            "membershipKind": "enumerated", "members": ["5dcb1c4a-0000-4000-8000-000000000000"]},
    });
    rich["conditions"]["devices"] =
        json!({"deviceFilter": {"mode": "include", "rule": "device.isCompliant -eq True"}});
    rich["conditions"]["platforms"] = json!({"includePlatforms": ["all"]});
    rich["conditions"]["authenticationFlows"] =
        json!({"transferMethods": "authenticationTransfer,deviceCodeFlow"});
    rich["conditions"]["insiderRiskLevels"] = json!("elevated,minor");
    rich["grantControls"] =
        json!({"operator": "OR", "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000002"}});
    rich["sessionControls"] = json!({"signInFrequency": {"isEnabled": true, "type": "hours", "value": 4}});
    bench.post(POLICIES, &rich).await;
    bench.post(LOCATIONS, &location("one")).await;
    bench.post(LOCATIONS, &json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "displayName": "two", "countriesAndRegions": ["NL"]})).await;
    let sign_in = json!({ "userId": "nobody", "resourceId": "00000002-0000-0ff1-ce00-000000000000" });
    bench
        .running
        .with_tenant(|tenant| tenant.load_objects(&json!({ "signIns": [sign_in] })).unwrap());
    for (version, file) in [("v1.0", "graph-v1.0.json"), ("beta", "graph-beta.json")] {
        let schema: Value = serde_json::from_slice(&std::fs::read(graph.join(file)).unwrap()).unwrap();
        let mut found = Vec::new();
        for (path, kind) in [
            ("identity/conditionalAccess/policies", "conditionalAccessPolicy"),
            ("identity/conditionalAccess/namedLocations", "namedLocation"),
            (
                "policies/authenticationStrengthPolicies",
                "authenticationStrengthPolicy",
            ),
            (
                "identity/conditionalAccess/authenticationContextClassReferences",
                "authenticationContextClassReference",
            ),
            ("identityGovernance/termsOfUse/agreements", "agreement"),
            ("groups", "group"),
            ("users", "user"),
            ("applications", "application"),
            ("auditLogs/directoryAudits", "directoryAudit"),
            ("auditLogs/signIns", "signIn"),
        ] {
            let listed = bench.get(&format!("{version}/{path}")).await;
            let items = listed["value"].as_array().unwrap();
            assert!(!items.is_empty(), "{path}");
            for item in items {
                strangers(&schema, kind, item, kind, &mut found);
            }
        }
        assert!(found.is_empty(), "{version}: {found:?}");
    }
    let flags = bench.get(&format!("{POLICIES}?$top=1")).await;
    assert_eq!(
        flags["value"][0]["conditions"]["insiderRiskLevels"],
        "minor,elevated"
    );
    assert_eq!(
        flags["value"][0]["conditions"]["authenticationFlows"]["transferMethods"],
        "deviceCodeFlow,authenticationTransfer"
    );
}
