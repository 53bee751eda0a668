//! Every rule as rows: a change to a policy that is fine, and what the service says to it.

use serde_json::json;

use super::super::call::testing::send;
use super::super::schema;
use super::*;

const POLICIES: &str = "/beta/identity/conditionalAccess/policies";

fn base() -> Value {
    json!({
        "displayName": "p",
        "state": "disabled",
        "conditions": {
            "users": {"includeUsers": ["All"]},
            "applications": {"includeApplications": ["All"]},
        },
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"]},
    })
}

/// Lays an object over another, at every level.
fn over(target: &mut Value, patch: &Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            for (name, value) in patch {
                over(target.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (target, patch) => *target = patch.clone(),
    }
}

/// Sends the base policy with a change, returns 201 or the number or text of the refusal.
#[track_caller]
fn check(tenant: &mut Tenant, change: &Value, expected: &str) {
    let mut body = base();
    over(&mut body, change);
    let (status, answer) = send(tenant, "POST", POLICIES, Some(body));
    let found = if status == 201 {
        "201".to_owned()
    } else {
        answer.as_str().unwrap_or_default().to_owned()
    };
    assert!(
        found.contains(expected),
        "{change}\nexpected {expected}, found {found}"
    );
}

#[test]
fn what_the_service_refuses_is_refused_with_its_number() {
    let grant = |controls: &[&str]| json!({"grantControls": {"builtInControls": controls}});
    let strength = json!({"id": "00000000-0000-0000-0000-000000000004"});
    let six = "internalGuest,b2bCollaborationGuest,b2bCollaborationMember,b2bDirectConnectUser,otherExternalUser,serviceProvider";
    let all_tenants = json!({"@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants", "membershipKind": "all"});
    let guests =
        |kinds: &str, tenants: &Value| json!({"guestOrExternalUserTypes": kinds, "externalTenants": tenants});
    let change_password = json!({
        "conditions": {"userRiskLevels": ["high"]},
        "grantControls": {"operator": "AND", "builtInControls": ["mfa", "passwordChange"]},
    });
    let remediation = json!({
        "conditions": {"userRiskLevels": ["high"]},
        "grantControls": {"operator": "AND", "builtInControls": ["mfa", "riskRemediation"]},
        "sessionControls": {"signInFrequency": {"isEnabled": true, "frequencyInterval": "everyTime"}},
    });
    let workload = json!({
        "conditions": {
            "users": {"includeUsers": ["None"]},
            "clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]},
        },
        "grantControls": {"builtInControls": ["block"]},
    });
    let registration = json!({"conditions": {"applications": {
        "includeApplications": [], "includeUserActions": ["urn:user:registerdevice"]
    }}});
    let with = |start: &Value, change: Value| {
        let mut both = start.clone();
        over(&mut both, &change);
        both
    };
    let frequency = |value: Value| json!({"sessionControls": {"signInFrequency": value}});
    let rows = [
        (json!({}), "201"),
        // Shape.
        (
            json!({"conditions": {"applications": {"excludeUserActions": []}}}),
            "1007",
        ),
        (
            json!({"grantControls": {"authenticationStrengths": null}}),
            "1007",
        ),
        (json!({"state": "on"}), "1007"),
        (json!({"displayName": ""}), "1007"),
        (json!({"conditions": {"users": {"includeUsers": "All"}}}), "1007"),
        (
            json!({"conditions": {"clients": null, "signInRiskDetections": null}}),
            "201",
        ),
        (
            json!({"@odata.context": "x", "#microsoft.graph.restore": {}, "conditions": {"users": {"includeUsers@odata.type": "x"}}}),
            "201",
        ),
        (
            json!({"conditions": {"users": {"includeUsers": ["all"]}}, "grantControls": {"builtInControls": ["Mfa"]}}),
            "201",
        ),
        // V1 and V3.
        (json!({"conditions": {"users": null}}), "InvalidUsersCondition"),
        (
            json!({"conditions": {"users": {"includeUsers": []}}}),
            "InvalidUsersCondition",
        ),
        (
            json!({"conditions": {"users": {"includeUsers": ["All", "None"]}}}),
            "InvalidUsersCondition",
        ),
        (
            json!({"conditions": {"users": {"includeUsers": ["<RING>"]}}}),
            "InvalidUsersCondition",
        ),
        (
            json!({"conditions": {"applications": {"includeApplications": []}}}),
            "1011",
        ),
        (
            json!({"conditions": {"applications": {"includeApplications": ["none"]}}}),
            "201",
        ),
        (json!({"grantControls": null}), "InvalidControls"),
        (grant(&[]), "InvalidControls"),
        (json!({"sessionControls": {}}), "201"),
        (
            json!({"grantControls": null, "sessionControls": {}}),
            "InvalidSessionControlPolicy",
        ),
        (
            json!({"grantControls": null, "sessionControls": {"disableResilienceDefaults": false}}),
            "InvalidControls",
        ),
        (
            json!({"grantControls": null, "sessionControls": {"persistentBrowser": {"isEnabled": false, "mode": "never"}}}),
            "InvalidSessionControlPolicy",
        ),
        (
            json!({"grantControls": null, "sessionControls": {"persistentBrowser": {"isEnabled": true, "mode": "never"}}}),
            "201",
        ),
        (
            json!({"grantControls": {"operator": "OR", "builtInControls": []}, "sessionControls": {"persistentBrowser": {"isEnabled": true, "mode": "never"}}}),
            "201",
        ),
        // V2.
        (
            json!({"conditions": {"clientAppTypes": []}}),
            "InvalidClientTypesCondition",
        ),
        (
            json!({"conditions": {"platforms": {"includePlatforms": []}}}),
            "InvalidDevicePlatformsCondition",
        ),
        (
            json!({"conditions": {"platforms": {"includePlatforms": ["all"], "excludePlatforms": ["linux"]}}}),
            "201",
        ),
        (
            json!({"conditions": {"locations": {"excludeLocations": ["AllTrusted"]}}}),
            "InvalidLocationsCondition",
        ),
        (
            json!({"conditions": {"locations": {"includeLocations": ["All"], "excludeLocations": ["allTrusted"]}}}),
            "201",
        ),
        (json!({"conditions": {"devices": {}}}), "InvalidDevicesCondition"),
        (
            json!({"conditions": {"devices": {"deviceFilter": {"mode": "include", "rule": ""}}}}),
            "InvalidDevicesCondition",
        ),
        (
            json!({"conditions": {"devices": {"deviceFilter": {"mode": "include", "rule": "x".repeat(3073)}}}}),
            "InvalidDevicesCondition",
        ),
        (
            json!({"conditions": {"devices": {"includeDevices": ["All"], "deviceFilter": {"mode": "include", "rule": "x"}}}}),
            "InvalidDevicesCondition",
        ),
        (
            json!({"conditions": {"users": {"includeUsers": [], "includeGuestsOrExternalUsers": guests(six, &all_tenants)}}}),
            "201",
        ),
        (
            json!({"conditions": {"users": {"includeUsers": [], "includeGuestsOrExternalUsers": guests(six, &json!({"@odata.type": "", "membershipKind": "all"}))}}}),
            "Invalid OData type specified: \"\"",
        ),
        (
            json!({"conditions": {"users": {"includeUsers": [], "includeGuestsOrExternalUsers": guests(six, &json!({"membershipKind": "all"}))}}}),
            "1007",
        ),
        (
            json!({"conditions": {"users": {"includeUsers": [], "includeGuestsOrExternalUsers": guests(six, &with(&all_tenants, json!({"members": ["a"]})))}}}),
            "1007",
        ),
        (
            json!({"conditions": {"users": {"excludeUsers": ["GuestsOrExternalUsers"], "excludeGuestsOrExternalUsers": guests("internalGuest", &all_tenants)}}}),
            "cannot be combined",
        ),
        (
            json!({"conditions": {"users": {"excludeUsers": ["GuestsOrExternalUsers"], "excludeGuestsOrExternalUsers": guests(six, &all_tenants)}}}),
            "201",
        ),
        // V4.
        (
            json!({"conditions": {"applications": {"includeUserActions": ["urn:user:registersecurityinfo"]}}}),
            "1012",
        ),
        (
            json!({"conditions": {"applications": {"includeApplications": [], "includeAuthenticationContextClassReferences": ["c1"]}}}),
            "201",
        ),
        // V5.
        (
            json!({"conditions": {"locations": {"includeLocations": ["5dcb1c4a-0000-4000-8000-000000000000"]}}}),
            "1040",
        ),
        (
            json!({"conditions": {"locations": {"includeLocations": ["00000000-0000-0000-0000-000000000000"]}}}),
            "201",
        ),
        (
            json!({"conditions": {"applications": {"includeApplications": ["5dcb1c4a-0000-4000-8000-000000000000"]}}}),
            "{\"5dcb1c4a-0000-4000-8000-000000000000\":\"ServicePrincipalNotFound\"}",
        ),
        (
            json!({"conditions": {"applications": {"includeApplications": ["797F4846-BA00-4FD7-BA43-DAC1F8F63013"]}}}),
            "201",
        ),
        (
            json!({"conditions": {"applications": {"includeApplications": [], "includeAuthenticationContextClassReferences": ["c9"]}}}),
            "does not exist",
        ),
        (
            json!({"conditions": {"users": {"includeRoles": ["All"]}}}),
            "1102: 'users' condition contains invalid role ids: All.",
        ),
        (
            json!({"conditions": {"users": {"includeRoles": ["5dcb1c4a-0000-4000-8000-000000000000"]}}}),
            "1103",
        ),
        (
            json!({"conditions": {"users": {"includeRoles": ["62e90394-69f5-4237-9190-012177145e10"]}}}),
            "201",
        ),
        (
            json!({"conditions": {"users": {"excludeGroups": ["5dcb1c4a-0000-4000-8000-000000000000"]}}}),
            "201",
        ),
        (
            json!({"grantControls": {"builtInControls": [], "authenticationStrength": {"id": "5dcb1c4a-0000-4000-8000-000000000000"}}}),
            "does not exist",
        ),
        // V6 and block.
        (
            json!({"grantControls": {"authenticationStrength": strength}}),
            "1108",
        ),
        (
            json!({"grantControls": {"builtInControls": [], "authenticationStrength": strength}}),
            "201",
        ),
        (grant(&["block", "mfa"]), "InvalidControls"),
        // V7.
        (
            frequency(
                json!({"isEnabled": true, "value": 4, "type": "hours", "authenticationType": "secondaryAuthentication"}),
            ),
            "1104",
        ),
        (
            frequency(json!({"isEnabled": true, "value": 4, "type": "hours"})),
            "201",
        ),
        (
            frequency(json!({"isEnabled": true, "frequencyInterval": "timeBased"})),
            "InvalidSessionControlPolicy",
        ),
        (
            frequency(
                json!({"isEnabled": true, "value": 1, "type": "days", "frequencyInterval": "everyTime"}),
            ),
            "InvalidSessionControlPolicy",
        ),
        (
            frequency(
                json!({"isEnabled": true, "frequencyInterval": "everyTime", "authenticationType": "secondaryAuthentication"}),
            ),
            "201",
        ),
        // V8.
        (change_password.clone(), "201"),
        (
            with(&change_password, json!({"grantControls": {"operator": "OR"}})),
            "InvalidPasswordResetControl",
        ),
        (
            with(&change_password, json!({"conditions": {"userRiskLevels": []}})),
            "InvalidPasswordResetControl",
        ),
        (
            with(
                &change_password,
                json!({"conditions": {"applications": {"excludeApplications": ["Office365"]}}}),
            ),
            "InvalidPasswordResetControl",
        ),
        (
            with(
                &change_password,
                frequency(json!({"isEnabled": true, "value": 1, "type": "days"})),
            ),
            "InvalidPasswordResetControl",
        ),
        // V9.
        (remediation.clone(), "201"),
        (
            with(&remediation, json!({"sessionControls": null})),
            "InvalidControls",
        ),
        (
            with(
                &remediation,
                json!({"conditions": {"signInRiskLevels": ["high"]}}),
            ),
            "InvalidControls",
        ),
        // V10.
        (workload.clone(), "201"),
        (
            with(&workload, json!({"grantControls": {"builtInControls": ["mfa"]}})),
            "InvalidControls",
        ),
        (
            with(
                &workload,
                json!({"conditions": {"platforms": {"includePlatforms": ["all"]}}}),
            ),
            "InvalidConditions",
        ),
        (
            with(
                &workload,
                json!({"conditions": {"servicePrincipalRiskLevels": ["high"]}}),
            ),
            "201",
        ),
        (
            json!({"conditions": {"servicePrincipalRiskLevels": ["high"]}}),
            "InvalidConditions",
        ),
        // V11.
        (registration.clone(), "201"),
        (
            with(
                &registration,
                json!({"grantControls": {"builtInControls": ["compliantDevice"]}}),
            ),
            "InvalidControls",
        ),
        (
            with(
                &registration,
                json!({"conditions": {"clientAppTypes": ["browser"]}}),
            ),
            "InvalidConditions",
        ),
        // V13.
        (
            json!({"state": "enabledForReportingButNotEnforced", "sessionControls": {"continuousAccessEvaluation": {"mode": "disabled"}}}),
            "InvalidSessionControlPolicy",
        ),
        (
            json!({"sessionControls": {"continuousAccessEvaluation": {"mode": "strictLocation"}}}),
            "201",
        ),
    ];
    for (change, expected) in rows {
        check(&mut Tenant::contoso(), &change, expected);
    }
}

#[test]
fn licences_and_security_defaults_stand_in_the_way() {
    let risk = json!({"conditions": {"userRiskLevels": ["high"]}});
    let workload = json!({
        "conditions": {"clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]}},
        "grantControls": {"builtInControls": ["block"]},
    });
    let mut poor = Tenant::contoso();
    poor.settings.premium_p2 = false;
    poor.settings.workload_identities = false;
    check(&mut poor, &risk, "1039");
    check(&mut poor, &workload, "1150");
    check(&mut poor, &json!({}), "201");
    poor.settings.premium_p1 = false;
    check(&mut poor, &json!({}), "not licensed");

    let mut defaults = Tenant::contoso();
    defaults.set_security_defaults(true);
    check(
        &mut defaults,
        &json!({"state": "enabled"}),
        "Security Defaults is enabled",
    );
    check(
        &mut defaults,
        &json!({"state": "enabledForReportingButNotEnforced"}),
        "201",
    );
}

#[test]
fn the_quota_counts_policies_in_every_state() {
    let mut tenant = Tenant::contoso();
    tenant.settings.policy_quota = 2;
    check(&mut tenant, &json!({}), "201");
    check(&mut tenant, &json!({"state": "enabled"}), "201");
    check(&mut tenant, &json!({}), "limit of 2");
}

#[test]
fn a_patch_is_judged_by_what_it_makes_of_the_policy() {
    let mut tenant = Tenant::contoso();
    let (_, made) = send(&mut tenant, "POST", POLICIES, Some(base()));
    let one = format!("{POLICIES}/{}", made["id"].as_str().unwrap());
    let strength = json!({"id": "00000000-0000-0000-0000-000000000002"});
    let rows = [
        (
            json!({"grantControls": {"authenticationStrength": strength}}),
            "1108",
        ),
        (
            json!({"grantControls": {"authenticationStrength": strength, "builtInControls": []}}),
            "",
        ),
        (json!({"grantControls": {"builtInControls": ["mfa"]}}), "1108"),
        (
            json!({"grantControls": {"builtInControls": ["mfa"], "authenticationStrength": null}}),
            "",
        ),
        (json!({"conditions": null}), "1007"),
        (
            json!({"conditions": {"users": {"excludeUsers": ["GuestsOrExternalUsers"]}}}),
            "",
        ),
        (json!({"grantControls": null}), "InvalidControls"),
        (
            json!({"sessionControls": {"signInFrequency": {"isEnabled": true, "value": 4, "type": "hours"}}}),
            "",
        ),
        (
            json!({"sessionControls": {"signInFrequency": {"frequencyInterval": "everyTime"}}}),
            "InvalidSessionControlPolicy",
        ),
        (
            json!({"sessionControls": {"signInFrequency": {"frequencyInterval": "everyTime", "value": null, "type": null}}}),
            "",
        ),
        (json!({"grantControls": null}), ""),
    ];
    for (patch, expected) in rows {
        let (status, answer) = send(&mut tenant, "PATCH", &one, Some(patch.clone()));
        let found = if status == 204 {
            ""
        } else {
            answer.as_str().unwrap()
        };
        assert!(
            found.contains(expected) && (expected.is_empty() == found.is_empty()),
            "{patch}: {found}"
        );
    }
    let (_, read) = send(&mut tenant, "GET", &one, None);
    assert_eq!(
        read["sessionControls"]["signInFrequency"],
        json!({"isEnabled": true, "value": null, "type": null, "frequencyInterval": "everyTime",
            "authenticationType": "primaryAndSecondaryAuthentication"})
    );
    assert_eq!(read["conditions"]["users"]["includeUsers"], json!(["All"]));
}

#[test]
fn what_v1_does_not_know_it_neither_takes_nor_shows() {
    let v1 = POLICIES.replace("beta", "v1.0");
    let mut tenant = Tenant::contoso();
    let mut body = base();
    over(
        &mut body,
        &json!({"sessionControls": {"continuousAccessEvaluation": {"mode": "strictLocation"}}}),
    );
    assert!(
        send(&mut tenant, "POST", &v1, Some(body.clone()))
            .1
            .as_str()
            .unwrap()
            .starts_with("1007")
    );
    let mut devices = base();
    over(
        &mut devices,
        &json!({"conditions": {"devices": {"includeDevices": ["All"]}}}),
    );
    assert!(
        send(&mut tenant, "POST", &v1, Some(devices))
            .1
            .as_str()
            .unwrap()
            .starts_with("1007")
    );

    let (status, made) = send(&mut tenant, "POST", POLICIES, Some(body));
    assert_eq!((status, &made["partialEnablementStrategy"]), (201, &Value::Null));
    let conditions = made["conditions"].as_object().unwrap();
    for silent in [
        "insiderRiskLevels",
        "authenticationFlows",
        "servicePrincipalRiskLevels",
        "agentIdRiskLevels",
    ] {
        assert!(!conditions.contains_key(silent), "beta shows {silent}");
    }
    for shown in [
        "times",
        "deviceStates",
        "platforms",
        "agents",
        "clientApplications",
    ] {
        assert_eq!(conditions.get(shown), Some(&Value::Null), "{shown}");
    }
    let (_, read) = send(
        &mut tenant,
        "GET",
        &format!("{v1}/{}", made["id"].as_str().unwrap()),
        None,
    );
    let conditions = read["conditions"].as_object().unwrap();
    assert_eq!(conditions["insiderRiskLevels"], Value::Null);
    assert_eq!(conditions["servicePrincipalRiskLevels"], json!([]));
    for hidden in ["times", "agents", "deviceStates"] {
        assert!(!conditions.contains_key(hidden), "v1.0 shows {hidden}");
    }
    assert!(
        !read["sessionControls"]
            .as_object()
            .unwrap()
            .contains_key("continuousAccessEvaluation")
    );
    // A change through v1.0 keeps what only beta knows.
    let one = made["id"].as_str().unwrap();
    assert_eq!(
        send(
            &mut tenant,
            "PATCH",
            &format!("{v1}/{one}"),
            Some(json!({"displayName": "q"}))
        )
        .0,
        204
    );
    let (_, read) = send(&mut tenant, "GET", &format!("{POLICIES}/{one}"), None);
    assert_eq!(
        read["sessionControls"]["continuousAccessEvaluation"]["mode"],
        "strictLocation"
    );
}

#[test]
fn answers_are_in_the_service_s_own_form() {
    let mut tenant = Tenant::contoso();
    let mut body = base();
    over(
        &mut body,
        &json!({
            "state": "Enabled",
            "conditions": {"clientAppTypes": ["Browser", "mobileAppsAndDesktopClients"]},
            "grantControls": {"operator": "AND", "builtInControls": [], "authenticationStrength": {"id": "00000000-0000-0000-0000-000000000003"}},
            "sessionControls": {
                "persistentBrowser": {"isEnabled": false, "mode": "never"},
                "applicationEnforcedRestrictions": {"isEnabled": true},
            },
        }),
    );
    let (status, made) = send(&mut tenant, "POST", POLICIES, Some(body));
    assert_eq!(status, 201, "{made}");
    assert_eq!(made["state"], "enabled");
    assert_eq!(
        made["conditions"]["clientAppTypes"],
        json!(["browser", "mobileAppsAndDesktopClients"])
    );
    assert_eq!(made["grantControls"]["operator"], "OR");
    assert_eq!(
        made["grantControls"]["authenticationStrength"]["displayName"],
        "Passwordless MFA"
    );
    assert_eq!(
        made["grantControls"]["authenticationStrength@odata.context"],
        format!(
            "http://sandbox/beta/$metadata#identity/conditionalAccess/policies('{}')/grantControls/authenticationStrength/$entity",
            made["id"].as_str().unwrap()
        )
    );
    assert_eq!(made["sessionControls"]["persistentBrowser"], Value::Null);
    assert!(!made.as_object().unwrap().contains_key("description"));
    assert_eq!(schema::odata_type(&made), None);
}

#[test]
fn of_a_microsoft_managed_policy_only_state_and_exclusions_can_be_changed() {
    let mut tenant = Tenant::contoso();
    let mut managed = base();
    over(
        &mut managed,
        &json!({"id": "5dcb1c4a-0000-4000-8000-00000000aaaa", "$managed": true}),
    );
    tenant.load_objects(&json!({"policies": [managed]})).unwrap();
    let one = format!("{POLICIES}/5dcb1c4a-0000-4000-8000-00000000aaaa");
    let rows = [
        (json!({"state": "enabled"}), 204),
        (
            json!({"conditions": {"users": {"excludeUsers": ["5dcb1c4a-0000-4000-8000-000000000000"]}}}),
            204,
        ),
        (json!({"displayName": "mine"}), 400),
        (json!({"grantControls": {"builtInControls": ["block"]}}), 400),
    ];
    for (patch, status) in rows {
        assert_eq!(
            send(&mut tenant, "PATCH", &one, Some(patch.clone())).0,
            status,
            "{patch}"
        );
    }
    assert_eq!(send(&mut tenant, "DELETE", &one, None).0, 400);
    tenant.settings.policy_quota = 1;
    check(&mut tenant, &json!({}), "201");
}
