//! What an import writes for the files that people have.

use std::fmt::Write as _;

use capol::export::{Exported, Options, export, read};
use capol::model::Target;
use serde_json::{Value as Json, json};

/// The project that the files become, with what was not taken in at the end.
fn imported(files: &[(&str, Vec<u8>)], options: &Options) -> String {
    let intake = read(files);
    let objects: Vec<Exported> = intake.objects.iter().map(Exported::from).collect();
    let project = export(&objects, &intake.names, options);
    let mut out = String::new();
    for (name, text) in project.files {
        writeln!(out, "── {name}\n{text}").unwrap();
    }
    for rejected in intake.rejected {
        writeln!(
            out,
            "rejected {}{}: {}",
            rejected.file, rejected.pointer, rejected.reason
        )
        .unwrap();
    }
    for ignored in intake.ignored {
        writeln!(out, "ignored {}: {}", ignored.file, ignored.what).unwrap();
    }
    out
}

fn file(name: &str, json: Json) -> (&str, Vec<u8>) {
    (name, serde_json::to_vec_pretty(&json).unwrap())
}

fn of_json(json: Json) -> String {
    imported(&[file("export.json", json)], &Options::default())
}

/// The other members that Graph returns with every policy.
fn policy(mut members: Json) -> Json {
    for (member, value) in [
        ("id", json!("0b1c2d3e-0000-4000-8000-00000000000a")),
        ("createdDateTime", json!("2026-03-01T08:00:00.0000000Z")),
        ("modifiedDateTime", Json::Null),
        ("templateId", Json::Null),
        ("partialEnablementStrategy", Json::Null),
        ("state", json!("enabled")),
        ("sessionControls", Json::Null),
        ("grantControls", Json::Null),
        (
            "#microsoft.graph.restore",
            json!({ "target": "https://graph.microsoft.com/…" }),
        ),
    ] {
        if members.get(member).is_none() {
            members[member] = value;
        }
    }
    members
}

fn grant(control: &str) -> Json {
    json!({
        "operator": "OR", "builtInControls": [control], "customAuthenticationFactors": [], "termsOfUse": [],
        "authenticationStrength@odata.context": "https://graph.microsoft.com/…", "authenticationStrength": null,
    })
}

fn all_users_all_apps() -> Json {
    json!({
        "clientAppTypes": ["all"],
        "users": { "includeUsers": ["All"] },
        "applications": { "includeApplications": ["All"] },
    })
}

#[test]
fn a_list_of_graph_and_its_locations() {
    let policies = json!({ "@odata.context": "https://graph.microsoft.com/v1.0/$metadata#…", "value": [
        policy(json!({
            "displayName": "CA001 Block other countries",
            "conditions": {
                "clientAppTypes": ["all"], "signInRiskLevels": [], "platforms": null,
                "users": { "includeUsers": ["All"], "excludeUsers": [], "includeRoles": [], "excludeGroups": ["1f2e3d4c-0000-4000-8000-000000000001"] },
                "applications": { "includeApplications": ["All"], "excludeApplications": [] },
                "locations": { "includeLocations": ["All"], "excludeLocations": ["aaaaaaaa-0000-4000-8000-000000000001", "AllTrusted"] },
            },
            "grantControls": grant("block"),
        })),
    ]});
    let locations = json!({ "value": [
        {
            "@odata.type": "#microsoft.graph.countryNamedLocation", "id": "aaaaaaaa-0000-4000-8000-000000000001",
            "createdDateTime": "2026-03-01T08:00:00Z", "displayName": "Hvor vi arbejder",
            "countriesAndRegions": ["DK", "NO"], "includeUnknownCountriesAndRegions": false, "countryLookupMethod": "clientIpAddress",
        },
        {
            "@odata.type": "#microsoft.graph.ipNamedLocation", "id": "aaaaaaaa-0000-4000-8000-000000000002",
            "createdDateTime": "2026-03-01T08:00:00Z", "displayName": "Offices", "isTrusted": true,
            "ipRanges": [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24" }],
        },
    ]});
    let options = Options {
        import_blocks: true,
        ..Options::default()
    };
    let files = [file("policies.json", policies), file("locations.json", locations)];
    insta::assert_snapshot!(imported(&files, &options));
}

#[test]
fn powershell_spells_differently() {
    insta::assert_snapshot!(of_json(json!([
        {
            "DisplayName": "Admins", "Id": "0b1c2d3e-0000-4000-8000-00000000000b", "State": "enabledForReportingButNotEnforced",
            "CreatedDateTime": "/Date(1647536088205)/", "ModifiedDateTime": null, "Description": null,
            "Conditions": {
                "ClientAppTypes": ["all"], "Times": null, "Platforms": { "IncludePlatforms": null, "ExcludePlatforms": null },
                "Users": { "IncludeUsers": [], "IncludeRoles": "62e90394-69f5-4237-9190-012177145e10", "ExcludeGuestsOrExternalUsers": {
                    "ExternalTenants": { "MembershipKind": null }, "GuestOrExternalUserTypes": null,
                } },
                "Applications": { "IncludeApplications": ["797F4846-BA00-4FD7-BA43-DAC1F8F63013"], "ApplicationFilter": { "Mode": null, "Rule": null } },
                "Locations": { "IncludeLocations": ["All"], "ExcludeLocations": ["Offices"] },
                "AdditionalProperties": {},
            },
            "GrantControls": { "_Operator": "OR", "BuiltInControls": ["mfa"], "AuthenticationStrength": { "Id": null, "AllowedCombinations": null } },
            "SessionControls": { "SignInFrequency": { "IsEnabled": null, "Value": null }, "PersistentBrowser": { "IsEnabled": true, "Mode": "never" } },
            "AdditionalProperties": { "@odata.context": "https://graph.microsoft.com/…" },
        },
        {
            "DisplayName": "Offices", "Id": "aaaaaaaa-0000-4000-8000-000000000002", "CreatedDateTime": "/Date(1647536088205)/",
            "AdditionalProperties": {
                "@odata.type": "#microsoft.graph.ipNamedLocation", "isTrusted": true,
                "ipRanges": [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24" }],
            },
        },
    ])));
}

#[test]
fn names_beside_the_policies_name_what_they_refer_to() {
    let mut conditions = all_users_all_apps();
    conditions["users"]["excludeGroups"] = json!([
        "11111111-0000-4000-8000-000000000001",
        "11111111-0000-4000-8000-000000000002",
        "11111111-0000-4000-8000-000000000003",
        "Interns",
    ]);
    conditions["users"]["excludeUsers"] = json!(["22222222-0000-4000-8000-000000000001", "ada@contoso.com"]);
    conditions["applications"]["excludeApplications"] = json!(["33333333-0000-4000-8000-000000000001"]);
    let files = [
        file(
            "policy.json",
            policy(json!({ "displayName": "MFA", "conditions": conditions, "grantControls": grant("mfa") })),
        ),
        file(
            "MigrationTable.json",
            json!({ "TenantId": "…", "Objects": [
            { "DisplayName": "Break glass", "Id": "11111111-0000-4000-8000-000000000001", "Type": "Group" },
            { "DisplayName": "Payroll", "Id": "33333333-0000-4000-8000-000000000001", "Type": "Application" },
            { "DisplayName": "Nobody refers to it", "Id": "11111111-0000-4000-8000-000000000009", "Type": "Group" },
        ] }),
        ),
        file(
            "groups/g.json",
            json!({ "id": "11111111-0000-4000-8000-000000000002", "displayName": "Break glass", "securityEnabled": true, "groupTypes": [] }),
        ),
        file(
            "users.json",
            json!({ "22222222-0000-4000-8000-000000000001": "sync@contoso.com", "22222222-0000-4000-8000-000000000002": "bo@contoso.com" }),
        ),
    ];
    insta::assert_snapshot!(imported(&files, &Options::default()));
}

#[test]
fn placeholders_become_variables() {
    insta::assert_snapshot!(of_json(json!({
        "displayName": "101 - <RING> - Admins - ${env} %d",
        "state": "disabled",
        "conditions": {
            "clientAppTypes": ["all"],
            "users": {
                "includeUsers": ["REPLACE-WITH-ADMIN-ID"], "includeGroups": ["<AdministratorGroup>"],
                "excludeUsers": ["Current administrator will be excluded"], "excludeGroups": ["<ExclusionTempGroup>", "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"],
            },
            "applications": { "includeApplications": ["%PayrollAppId%"] },
            "locations": { "includeLocations": ["All"], "excludeLocations": ["aaaaaaaa-0000-4000-8000-000000000009"] },
        },
        "grantControls": grant("mfa"),
    })));
}

#[test]
fn a_template_has_its_name_outside() {
    insta::assert_snapshot!(of_json(json!({ "value": [{
        "id": "c7503427-338e-4c5e-902d-abe252abfb43", "name": "Require MFA for admins", "description": "Protects \"admins\".",
        "scenarios": "secureFoundation,zeroTrust",
        "details": { "conditions": all_users_all_apps(), "grantControls": grant("mfa"), "sessionControls": null },
    }]})));
}

#[test]
fn workloads_and_agents_have_their_own_audience() {
    insta::assert_snapshot!(of_json(json!([
        policy(json!({
            "id": "0b1c2d3e-0000-4000-8000-000000000001", "displayName": "Deploy bots stay home",
            "conditions": {
                "users": { "includeUsers": ["None"] }, "applications": { "includeApplications": ["All"] },
                "clientApplications": {
                    "includeServicePrincipals": ["ServicePrincipalsInMyTenant"], "excludeServicePrincipals": [],
                    "servicePrincipalFilter": { "mode": "exclude", "rule": "CustomSecurityAttribute.Ops_Kind -eq \"robot\"" },
                },
                "locations": { "includeLocations": ["All"], "excludeLocations": ["AllTrusted"] },
                "servicePrincipalRiskLevels": ["high"],
            },
            "grantControls": grant("block"),
        })),
        policy(json!({
            "id": "0b1c2d3e-0000-4000-8000-000000000002", "displayName": "Risky agents",
            "conditions": {
                "users": { "includeUsers": ["None"] }, "applications": { "includeApplications": ["AllAgentIdResources"] },
                "clientApplications": { "includeAgentIdServicePrincipals": ["All"] },
                "agentIdRiskLevels": "high,medium",
                "agentContext": { "includeAgentContexts": ["agentUserSessionsInitiatedFromEndpoints"] },
            },
            "grantControls": grant("block"),
        })),
    ])));
}

#[test]
fn a_strength_inside_a_policy_is_one_of_its_own() {
    insta::assert_snapshot!(of_json(policy(json!({
        "displayName": "Keys for admins",
        "conditions": {
            "clientAppTypes": ["all"], "users": { "includeRoles": ["62e90394-69f5-4237-9190-012177145e10"] },
            "applications": { "includeAuthenticationContextClassReferences": ["c1"], "includeApplications": [] },
        },
        "grantControls": { "operator": "AND", "builtInControls": ["compliantDevice"], "authenticationStrength": {
            "id": "5c0e0000-0000-4000-8000-000000000001", "displayName": "Our keys", "policyType": "custom", "createdDateTime": "2026-01-01T00:00:00Z",
            "allowedCombinations": ["fido2", "password,softwareOath"], "requirementsSatisfied": "mfa",
            "combinationConfigurations": [{
                "@odata.type": "#microsoft.graph.fido2CombinationConfiguration", "id": "…",
                "allowedAAGUIDs": ["90a3ccdf-635c-4729-a248-9b709135078f"], "appliesToCombinations": ["fido2"],
            }],
        } },
    }))));
}

#[test]
fn contexts_terms_and_built_in_strengths() {
    let files = [
        file(
            "context.json",
            json!({ "id": "c4", "displayName": "Payroll data", "description": "Ask again", "isAvailable": true }),
        ),
        file(
            "terms.json",
            json!({ "id": "7e530000-0000-4000-8000-000000000001", "displayName": "Terms 2026", "isViewingBeforeAcceptanceRequired": true }),
        ),
        file(
            "strength.json",
            json!({ "id": "00000000-0000-0000-0000-000000000004", "displayName": "Phishing-resistant MFA", "policyType": "builtIn", "allowedCombinations": ["fido2"] }),
        ),
        file(
            "policy.json",
            policy(json!({
                "displayName": "Payroll",
                "conditions": {
                    "clientAppTypes": ["all"], "users": { "includeUsers": ["All"] },
                    "applications": { "includeApplications": [], "includeAuthenticationContextClassReferences": ["c4", "c5"] },
                },
                "grantControls": {
                    "operator": "AND", "builtInControls": [], "termsOfUse": ["7e530000-0000-4000-8000-000000000001"],
                    "authenticationStrength": { "id": "00000000-0000-0000-0000-000000000004" }, "customAuthenticationFactors": ["DuoMfa"],
                },
            })),
        ),
    ];
    insta::assert_snapshot!(imported(&files, &Options::default()));
}

#[test]
fn every_session_control() {
    insta::assert_snapshot!(of_json(policy(json!({
        "displayName": "Sessions",
        "conditions": {
            "clientAppTypes": ["browser"], "users": { "includeUsers": ["GuestsOrExternalUsers"] },
            "applications": { "includeApplications": ["Office365"] },
            "devices": { "deviceFilter": { "mode": "exclude", "rule": "device.isCompliant -eq True" }, "includeDevices": [] },
        },
        "sessionControls": {
            "signInFrequency": { "isEnabled": true, "value": 4, "type": "hours", "authenticationType": "secondaryAuthentication", "frequencyInterval": "timeBased" },
            "persistentBrowser": { "isEnabled": true, "mode": "never" },
            "cloudAppSecurity": { "isEnabled": true, "cloudAppSecurityType": "monitorOnly" },
            "applicationEnforcedRestrictions": { "isEnabled": true },
            "secureSignInSession": { "isEnabled": true },
            "continuousAccessEvaluation": { "mode": "strictLocation" },
            "disableResilienceDefaults": true,
            "globalSecureAccessFilteringProfile": { "isEnabled": true, "profileId": "66660000-0000-4000-8000-000000000001" },
        },
    }))));
}

#[test]
fn guests_flows_and_risks() {
    insta::assert_snapshot!(of_json(policy(json!({
        "displayName": "Guests",
        "conditions": {
            "clientAppTypes": ["exchangeActiveSync", "other"],
            "users": {
                "includeGuestsOrExternalUsers": {
                    "guestOrExternalUserTypes": "ServiceProvider,InternalGuest",
                    "externalTenants": { "@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants", "membershipKind": "enumerated", "members": ["99990000-0000-4000-8000-000000000001"] },
                },
                "excludeRoles": ["d29b2b05-8046-44ba-8758-1e26182fcf32"],
            },
            "applications": { "includeUserActions": ["urn:user:registersecurityinfo"] },
            "authenticationFlows": { "transferMethods": "deviceCodeFlow,authenticationTransfer" },
            "insiderRiskLevels": "elevated", "userRiskLevels": ["high"], "signInRiskLevels": ["high", "medium"],
            "platforms": { "includePlatforms": ["all"], "excludePlatforms": ["iOS", "android"] },
        },
        "grantControls": grant("passwordChange"),
    }))));
}

#[test]
fn what_microsoft_ships_tomorrow_is_kept() {
    let mut conditions = all_users_all_apps();
    conditions["moonPhase"] = json!({ "include": ["full"], "odd key": -1.5, "exclude": [] });
    insta::assert_snapshot!(of_json(policy(json!({
        "displayName": "Tomorrow", "conditions": conditions,
        "grantControls": { "operator": "OR", "builtInControls": ["mfa", "retinaScan"] },
    }))));
}

#[test]
fn emergency_accounts_of_the_project_are_not_written_twice() {
    let with = |excluded: Json| {
        let mut conditions = all_users_all_apps();
        conditions["users"]["excludeGroups"] = excluded;
        conditions
    };
    let policies = json!([
        policy(
            json!({ "id": "0b1c2d3e-0000-4000-8000-000000000001", "displayName": "A leaves them out", "grantControls": grant("mfa"),
            "conditions": with(json!(["EEEEEEEE-0000-4000-8000-000000000001"])) })
        ),
        policy(
            json!({ "id": "0b1c2d3e-0000-4000-8000-000000000002", "displayName": "B catches them", "grantControls": grant("mfa"), "conditions": with(json!([])) })
        ),
    ]);
    let options = Options {
        emergency_access: Some(vec![(
            Target::Group,
            "eeeeeeee-0000-4000-8000-000000000001".into(),
        )]),
        ..Options::default()
    };
    insta::assert_snapshot!(imported(&[file("policies.json", policies)], &options));
}

#[test]
fn more_than_twenty_policies_are_split_by_their_names() {
    let policies: Vec<Json> = (0..24)
        .map(|number| {
            let persona = ["Admins", "Internals", "Guests"][number / 8];
            json!({ "displayName": format!("CA{}0{} - {persona} - MFA", number / 8 + 1, number % 8), "state": "disabled",
                "conditions": all_users_all_apps(), "grantControls": grant("mfa") })
        })
        .collect();
    let text = of_json(json!(policies));
    let names: Vec<&str> = text.lines().filter(|line| line.starts_with('─')).collect();
    insta::assert_snapshot!(names.join("\n"));
}

#[test]
fn other_shapes_and_what_is_not_taken_in() {
    let files = [
        ("policy.yaml", b"DisplayName: From YAML\nState: enabled\nConditions:\n  Users:\n    IncludeUsers: [All]\n  Applications:\n    IncludeApplications: [AzurePortal]\nGrantControls:\n  Operator: OR\n  BuiltInControls: [block]\n".to_vec()),
        file("record.json", json!({ "PartitionKey": "CATemplate", "JSON": policy(json!({ "displayName": "Text in a record", "conditions": all_users_all_apps(), "grantControls": grant("mfa") })).to_string() })),
        file("envelope.json", json!({ "ExportDate": "2026-01-01", "PolicyConfig": { "displayName": "In an envelope", "state": "disabled", "conditions": all_users_all_apps(), "grantControls": grant("mfa") } })),
        file("noted.json", json!({ "displayName": "NL1", "locationType": "ipNamedLocation", "_comment": "ask the network team", "ipRanges": [{ "cidrAddress": "203.0.113.0/24", "description": "Copenhagen" }] })),
        ("broken.json", b"{ \"displayName\": }".to_vec()),
        ("latin.json", b"{ \"displayName\": \"K\xf8benhavn\" }".to_vec()),
        file("shallow.json", json!({ "displayName": "Cut", "state": "enabled", "conditions": { "users": "@{IncludeUsers=System.Object[]}" }, "grantControls": null })),
        file("portal.json", json!({ "policyName": "x", "policyState": 3, "usersV2": {} })),
        file("part.json", json!({ "conditions": { "signInRiskLevels": ["high"] } })),
        file("wrong.json", json!({ "displayName": "W", "state": 1, "conditions": all_users_all_apps(), "grantControls": grant("mfa") })),
        file("signin.json", json!({ "value": [{ "appliedConditionalAccessPolicies": [] }] })),
        file("error.json", json!({ "error": { "code": "Forbidden" } })),
        file("other.json", json!({ "displayName": "An app protection policy", "platform": "iOS", "apps": [1, 2], "assignments": [] })),
    ];
    insta::assert_snapshot!(imported(&files, &Options::default()));
}
