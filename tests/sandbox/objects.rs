//! Objects live, change and die as in the real service.

use serde_json::Value;
use serde_json::json;

use super::Bench;
use super::LOCATIONS;
use super::POLICIES;
use super::location;
use super::options;
use super::policy;

#[tokio::test]
async fn a_policy_lives_through_create_change_delete_and_restore() {
    let bench = Bench::start(options()).await;
    let made = bench.post(POLICIES, &policy("Require MFA")).await;
    assert_eq!(made["grantControls"]["operator"], "OR");
    assert_eq!(made["conditions"]["clientAppTypes"], json!(["all"]));
    assert_eq!(made["modifiedDateTime"], Value::Null);
    assert_eq!(made["createdDateTime"], "2026-03-01T09:00:00.1234567Z");
    let one = format!("{POLICIES}/{}", made["id"].as_str().unwrap());

    let changed = bench
        .send("PATCH", &one, Some(&json!({"state": "enabled"})))
        .await;
    assert_eq!((changed.status, changed.body), (204, Value::Null));
    let read = bench.get(&one).await;
    assert_eq!(read["state"], "enabled");
    assert_eq!(read["displayName"], "Require MFA");
    assert_ne!(read["modifiedDateTime"], Value::Null);

    assert_eq!(bench.send("DELETE", &one, None).await.status, 204);
    let gone = bench.send("GET", &one, None).await;
    assert_eq!(gone.status, 404);
    assert!(
        gone.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("does not exist in the directory")
    );
    let bin = "v1.0/identity/conditionalAccess/deletedItems/policies";
    let deleted = bench.get(bin).await;
    assert_eq!(deleted["value"][0]["id"], made["id"]);
    assert_ne!(deleted["value"][0]["deletedDateTime"], Value::Null);
    let restored = bench
        .send(
            "POST",
            &format!("{bin}/{}/restore", made["id"].as_str().unwrap()),
            None,
        )
        .await;
    assert_eq!(
        (restored.status, &restored.body["state"]),
        (200, &json!("enabled"))
    );
    assert_eq!(bench.get(&one).await["id"], made["id"]);
    let audits = bench
        .get("v1.0/auditLogs/directoryAudits?$filter=loggedByService eq 'Conditional Access'")
        .await;
    let activities: Vec<&str> = audits["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|audit| audit["activityDisplayName"].as_str().unwrap())
        .collect();
    assert_eq!(
        activities,
        [
            "Delete conditional access policy",
            "Update conditional access policy",
            "Add conditional access policy"
        ]
    );
}

#[tokio::test]
async fn a_location_in_use_or_trusted_stays() {
    let bench = Bench::start(options()).await;
    let mut trusted = location("Office");
    trusted["isTrusted"] = json!(true);
    let made = bench.post(LOCATIONS, &trusted).await;
    assert_eq!(made["modifiedDateTime"], made["createdDateTime"]);
    assert_eq!(made["ipRanges"][0]["cidrAddress"], "203.0.113.0/24");
    let one = format!("{LOCATIONS}/{}", made["id"].as_str().unwrap());
    let mut excluding = policy("Outside only");
    excluding["conditions"]["locations"] =
        json!({"includeLocations": ["All"], "excludeLocations": [made["id"]]});
    let policy = bench.post(POLICIES, &excluding).await;

    assert_eq!(bench.send("DELETE", &one, None).await.status, 400);
    let untrust = json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "isTrusted": false});
    assert_eq!(bench.send("PATCH", &one, Some(&untrust)).await.status, 204);
    assert_eq!(bench.get(&one).await["displayName"], "Office");
    assert_eq!(bench.send("DELETE", &one, None).await.status, 400);
    let policy = format!("{POLICIES}/{}", policy["id"].as_str().unwrap());
    assert_eq!(bench.send("DELETE", &policy, None).await.status, 204);
    assert_eq!(bench.send("DELETE", &one, None).await.status, 204);
    let bin = "v1.0/identity/conditionalAccess/deletedItems/namedLocations";
    assert_eq!(bench.get(bin).await["value"].as_array().unwrap().len(), 1);
    let gone = format!("{bin}/{}", made["id"].as_str().unwrap());
    assert_eq!(bench.send("DELETE", &gone, None).await.status, 204);
    assert_eq!(
        bench.send("POST", &format!("{gone}/restore"), None).await.status,
        404
    );
}

#[tokio::test]
async fn bad_locations_are_refused() {
    let bench = Bench::start(options()).await;
    bench.running.with_tenant(|tenant| {
        tenant.settings.ip_range_quota = 2;
        tenant.settings.ip_location_quota = 1;
    });
    let range = |cidr: &str| json!({"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": cidr});
    let with = |ranges: Value| {
        let mut body = location("x");
        body["ipRanges"] = ranges;
        body
    };
    let mut untyped = location("x");
    untyped.as_object_mut().unwrap().remove("@odata.type");
    let country = |codes: Value| json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "displayName": "x", "countriesAndRegions": codes});
    let rows = [
        (untyped, "1041"),
        (with(json!([{"cidrAddress": "203.0.113.0/24"}])), "1007"),
        (with(json!([range("203.0.113.7")])), "Invalid IP range"),
        (with(json!([range("2001:db8::/32")])), "Invalid IP range"),
        (with(json!([])), "1007"),
        (
            with(json!([
                range("203.0.113.0/24"),
                range("203.0.114.0/24"),
                range("203.0.115.0/24")
            ])),
            "limit of 2",
        ),
        (country(json!(["USA"])), "not an ISO"),
        (country(json!([])), "1007"),
    ];
    for (body, expected) in rows {
        let answer = bench.send("POST", LOCATIONS, Some(&body)).await;
        let message = answer.body["error"]["message"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(
            answer.status == 400 && message.contains(expected),
            "{body}: {message}"
        );
    }
    assert!(
        !bench
            .post(LOCATIONS, &country(json!(["NL", "BE"])))
            .await
            .as_object()
            .unwrap()
            .contains_key("isTrusted")
    );
    // A range that is not at its network address is kept as sent.
    let kept = bench
        .post(LOCATIONS, &with(json!([range("12.34.221.11/22")])))
        .await;
    assert_eq!(kept["ipRanges"][0]["cidrAddress"], "12.34.221.11/22");
    let full = bench.send("POST", LOCATIONS, Some(&location("y"))).await;
    assert!(
        full.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("limit of 1")
    );
}

#[tokio::test]
async fn groups_take_members_and_give_them_back() {
    let bench = Bench::start(options()).await;
    let group = bench
        .post("v1.0/groups", &json!({"displayName": "Wave 1", "mailEnabled": false, "mailNickname": "wave1", "securityEnabled": true}))
        .await;
    let one = format!("v1.0/groups/{}", group["id"].as_str().unwrap());
    let find = |name: &'static str| {
        let bench = &bench;
        async move {
            bench.get(&format!("v1.0/users/{name}@contoso.com")).await["id"]
                .as_str()
                .unwrap()
                .to_owned()
        }
    };
    let (ada, alan, grace) = (find("ada").await, find("alan").await, find("grace").await);
    let link = |id: &str| format!("https://graph.microsoft.com/v1.0/directoryObjects/{id}");
    let add = |id: &str| json!({"@odata.id": link(id)});
    assert_eq!(
        bench
            .send("POST", &format!("{one}/members/$ref"), Some(&add(&ada)))
            .await
            .status,
        204
    );
    let again = bench
        .send("POST", &format!("{one}/members/$ref"), Some(&add(&ada)))
        .await;
    assert_eq!(
        (again.status, &again.body["error"]["code"]),
        (400, &json!("Request_BadRequest"))
    );
    assert_eq!(
        bench
            .send("POST", &format!("{one}/members/$ref"), Some(&add("nobody")))
            .await
            .status,
        404
    );
    let bind = json!({"members@odata.bind": [link(&alan), link(&grace)]});
    assert_eq!(bench.send("PATCH", &one, Some(&bind)).await.status, 204);
    let too_many = json!({"members@odata.bind": vec![link(&alan); 21]});
    assert_eq!(bench.send("PATCH", &one, Some(&too_many)).await.status, 400);
    assert_eq!(
        bench.get(&format!("{one}/members")).await["value"]
            .as_array()
            .unwrap()
            .len(),
        3
    );
    assert_eq!(
        bench
            .send("DELETE", &format!("{one}/members/{alan}/$ref"), None)
            .await
            .status,
        204
    );
    assert_eq!(
        bench
            .send("DELETE", &format!("{one}/members/{alan}/$ref"), None)
            .await
            .status,
        404
    );
    assert_eq!(
        bench
            .send("DELETE", &format!("{one}/members/{ada}"), None)
            .await
            .status,
        405
    );

    let outer = bench
        .post("v1.0/groups", &json!({"displayName": "Waves", "mailEnabled": false, "mailNickname": "waves", "securityEnabled": true,
            "members@odata.bind": [link(group["id"].as_str().unwrap())]}))
        .await;
    let inside = bench
        .get(&format!(
            "v1.0/groups/{}/transitiveMembers",
            outer["id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(inside["value"].as_array().unwrap().len(), 3);
    let bad =
        json!({"displayName": "x", "mailEnabled": false, "mailNickname": "a b", "securityEnabled": true});
    assert_eq!(bench.send("POST", "v1.0/groups", Some(&bad)).await.status, 400);
    let principal = bench
        .post(
            "v1.0/servicePrincipals",
            &json!({"appId": "5dcb1c4a-0000-4000-8000-000000000000"}),
        )
        .await;
    let found = bench
        .get("v1.0/servicePrincipals(appId='5dcb1c4a-0000-4000-8000-000000000000')")
        .await;
    assert_eq!(found["id"], principal["id"]);
}

#[tokio::test]
async fn strengths_are_changed_by_their_own_actions_and_kept_while_in_use() {
    let bench = Bench::start(options()).await;
    let strengths = "v1.0/policies/authenticationStrengthPolicies";
    let listed = bench.get(strengths).await;
    let sizes: Vec<usize> = listed["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["allowedCombinations"].as_array().unwrap().len())
        .collect();
    assert_eq!(sizes, [19, 4, 3]);
    let body = json!({"displayName": "Keys", "allowedCombinations": ["fido2", "password,hardwareOath"]});
    let made = bench.post(strengths, &body).await;
    assert_eq!(
        (&made["policyType"], &made["requirementsSatisfied"]),
        (&json!("custom"), &json!("mfa"))
    );
    let id = made["id"].as_str().unwrap();
    let one = format!("{strengths}/{id}");
    let alias = format!("v1.0/identity/conditionalAccess/authenticationStrength/policies/{id}");
    assert_eq!(bench.get(&alias).await["displayName"], "Keys");
    assert_eq!(
        bench.send("POST", strengths, Some(&body)).await.status,
        400,
        "names are unique"
    );
    assert_eq!(
        bench
            .send("PATCH", &one, Some(&json!({"allowedCombinations": ["fido2"]})))
            .await
            .status,
        400
    );
    assert_eq!(
        bench
            .send("PATCH", &one, Some(&json!({"description": "d"})))
            .await
            .status,
        204
    );
    let keys = json!({"@odata.type": "#microsoft.graph.fido2CombinationConfiguration",
        "allowedAAGUIDs": ["de1e552d-db1d-4423-a619-566b625cdc84"], "appliesToCombinations": ["fido2"]});
    let configuration = bench
        .post(&format!("{one}/combinationConfigurations"), &keys)
        .await;
    let mut policy = policy("Keys only");
    policy["grantControls"] =
        json!({"operator": "OR", "builtInControls": [], "authenticationStrength": {"id": id}});
    let policy = bench.post(POLICIES, &policy).await;
    assert_eq!(
        policy["grantControls"]["authenticationStrength"]["combinationConfigurations"][0]["id"],
        configuration["id"]
    );
    let updated = bench
        .send(
            "POST",
            &format!("{one}/updateAllowedCombinations"),
            Some(&json!({"allowedCombinations": ["fido2", "temporaryAccessPassOneTime"]})),
        )
        .await;
    assert_eq!(
        (updated.status, &updated.body["conditionalAccessReferences"][0]),
        (200, &policy["id"])
    );
    assert_eq!(bench.get(&one).await["requirementsSatisfied"], "none");
    assert_eq!(
        bench.get(&format!("{one}/usage()")).await["none"][0]["id"],
        policy["id"]
    );
    let key = configuration["id"].as_str().unwrap();
    assert_eq!(
        bench
            .send("DELETE", &format!("{one}/combinationConfigurations/{key}"), None)
            .await
            .status,
        204
    );
    assert_eq!(bench.send("DELETE", &one, None).await.status, 400, "in use");
    bench
        .send(
            "DELETE",
            &format!("{POLICIES}/{}", policy["id"].as_str().unwrap()),
            None,
        )
        .await;
    assert_eq!(bench.send("DELETE", &one, None).await.status, 204);
    let built_in = format!("{strengths}/00000000-0000-0000-0000-000000000002");
    assert_eq!(bench.send("DELETE", &built_in, None).await.status, 400);
}

#[tokio::test]
async fn contexts_security_defaults_and_templates_are_there() {
    let bench = Bench::start(options()).await;
    let contexts = "v1.0/identity/conditionalAccess/authenticationContextClassReferences";
    let c9 = format!("{contexts}/c9");
    let published = json!({"id": "c9", "displayName": "Wire transfer", "isAvailable": true});
    bench.post(contexts, &published).await;
    assert_eq!(bench.send("DELETE", &c9, None).await.status, 403);
    assert_eq!(
        bench
            .send("PATCH", &c9, Some(&json!({"isAvailable": false})))
            .await
            .status,
        204
    );
    let mut target = policy("Wires");
    target["conditions"]["applications"] = json!({"includeAuthenticationContextClassReferences": ["c9"]});
    let target = bench.post(POLICIES, &target).await;
    assert_eq!(bench.send("DELETE", &c9, None).await.status, 400);
    bench
        .send(
            "DELETE",
            &format!("{POLICIES}/{}", target["id"].as_str().unwrap()),
            None,
        )
        .await;
    assert_eq!(bench.send("DELETE", &c9, None).await.status, 204);
    assert_eq!(
        bench
            .send("PATCH", &c9, Some(&json!({"displayName": "again"})))
            .await
            .status,
        204
    );
    assert_eq!(bench.get(&c9).await["displayName"], "again");

    let defaults = "v1.0/policies/identitySecurityDefaultsEnforcementPolicy";
    assert_eq!(
        bench
            .send("PATCH", defaults, Some(&json!({"isEnabled": true})))
            .await
            .status,
        204
    );
    let mut enabled = policy("On");
    enabled["state"] = json!("enabled");
    let refused = bench.send("POST", POLICIES, Some(&enabled)).await;
    assert!(
        refused.body["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Security Defaults is enabled")
    );
    assert_eq!(
        bench
            .send("PATCH", defaults, Some(&json!({"isEnabled": false})))
            .await
            .status,
        204
    );
    bench.post(POLICIES, &enabled).await;
    assert_eq!(
        bench
            .send("PATCH", defaults, Some(&json!({"isEnabled": true})))
            .await
            .status,
        400
    );

    let templates = "v1.0/identity/conditionalAccess/templates";
    assert_eq!(bench.get(templates).await["value"].as_array().unwrap().len(), 21);
    let zero_trust = bench
        .get(&format!("{templates}?$filter=scenarios has 'zeroTrust'"))
        .await;
    assert!((1..21).contains(&zero_trust["value"].as_array().unwrap().len()));
    let licences = bench.get("v1.0/subscribedSkus").await;
    let plans = licences["value"].to_string();
    assert!(plans.contains("AAD_PREMIUM_P2") && plans.contains("AAD_WRKLDID_P1"));
    assert_eq!(
        bench.get("v1.0/organization").await["value"][0]["verifiedDomains"][0]["name"],
        "contoso.com"
    );
    assert_eq!(
        bench.get("v1.0/identityGovernance/termsOfUse/agreements").await["value"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(bench.send("PUT", templates, None).await.status, 405);
    assert_eq!(bench.send("GET", "v1.0/nonsense", None).await.status, 400);
}
