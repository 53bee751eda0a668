//! A tenant's own log: the embedded tenant fills it in by rules of its own, which share nothing with the evaluator.

use serde_json::{Value as Json, json};

use crate::bench::Folder;

const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
const SALESFORCE: &str = "1e9ac400-0000-4000-8000-0000000000a3";
const ADA: &str = "59da88df-6c65-55e1-b45b-485accd0e352";

fn policy(name: &str, state: &str, conditions: &[(&str, Json)], control: &str) -> Json {
    let mut all = json!({
        "clientAppTypes": ["all"],
        "users": { "includeUsers": ["All"] },
        "applications": { "includeApplications": ["All"] },
    });
    for (member, value) in conditions {
        all[*member] = value.clone();
    }
    json!({
        "displayName": name,
        "state": state,
        "conditions": all,
        "grantControls": { "operator": "OR", "builtInControls": [control] },
    })
}

/// Every kind of condition that logs record, on both sides.
fn conditions(users: &[String], groups: &[String]) -> Vec<(&'static str, Json)> {
    vec![
        ("users", json!({ "includeUsers": [users[1]] })),
        (
            "users",
            json!({ "includeUsers": ["All"], "excludeUsers": [users[2]] }),
        ),
        (
            "users",
            json!({ "includeGroups": [groups[0]], "excludeGroups": [groups[1]] }),
        ),
        (
            "users",
            json!({ "includeUsers": ["All"], "excludeGroups": [groups[2]] }),
        ),
        (
            "users",
            json!({ "includeRoles": ["62e90394-69f5-4237-9190-012177145e10"] }),
        ),
        ("users", json!({ "includeUsers": ["GuestsOrExternalUsers"] })),
        ("applications", json!({ "includeApplications": [EXCHANGE] })),
        ("applications", json!({ "includeApplications": ["Office365"] })),
        (
            "applications",
            json!({ "includeApplications": ["All"], "excludeApplications": [SALESFORCE] }),
        ),
        (
            "platforms",
            json!({ "includePlatforms": ["all"], "excludePlatforms": ["iOS", "android"] }),
        ),
        ("platforms", json!({ "includePlatforms": ["windows"] })),
        ("clientAppTypes", json!(["browser"])),
        ("clientAppTypes", json!(["exchangeActiveSync", "other"])),
        (
            "locations",
            json!({ "includeLocations": ["All"], "excludeLocations": ["AllTrusted"] }),
        ),
        (
            "locations",
            json!({ "includeLocations": ["10c00000-0000-4000-8000-000000000002"] }),
        ),
        (
            "locations",
            json!({ "includeLocations": ["All"], "excludeLocations": ["10c00000-0000-4000-8000-000000000002"] }),
        ),
        ("signInRiskLevels", json!(["medium", "high"])),
        (
            "devices",
            json!({ "deviceFilter": { "mode": "exclude", "rule": "device.isCompliant -eq True" } }),
        ),
        (
            "devices",
            json!({ "deviceFilter": { "mode": "include", "rule": "device.trustType -ne \"AzureAD\"" } }),
        ),
        (
            "authenticationFlows",
            json!({ "transferMethods": "deviceCodeFlow" }),
        ),
        ("userRiskLevels", json!(["high"])),
    ]
}

/// Numbers that look random and are always the same.
struct Dice(u64);

impl Dice {
    fn of<'t, T>(&mut self, all: &'t [T]) -> &'t T {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        &all[usize::try_from(self.0 >> 33).unwrap() % all.len()]
    }
}

fn sign_in(number: usize, users: &[String], dice: &mut Dice) -> Json {
    let when = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(i64::try_from(number).unwrap());
    let mut sign_in = json!({
        "id": format!("51000000-0000-4000-8000-{number:012}"),
        "createdDateTime": format!("{when:.0}"),
        "userId": dice.of(users),
        "appId": dice.of(&[EXCHANGE, SALESFORCE]),
        "clientAppUsed": dice.of(&["Browser", "Mobile Apps and Desktop clients", "IMAP4", "Exchange ActiveSync"]),
        "ipAddress": dice.of(&["203.0.113.7", "198.51.100.1", "2001:db8::1"]),
        "location": { "countryOrRegion": dice.of(&["DE", "FR", "US", ""]) },
        "riskLevelDuringSignIn": dice.of(&["none", "low", "medium", "high"]),
        "originalTransferMethod": dice.of(&["none", "deviceCodeFlow", "authenticationTransfer"]),
        "signInEventTypes": [dice.of(&["interactiveUser", "nonInteractiveUser"])],
        "deviceDetail": dice.of(&[
            json!({ "deviceId": "", "operatingSystem": "Windows 11" }),
            json!({ "deviceId": "d1", "operatingSystem": "Ios 18", "isCompliant": true, "trustType": "Azure AD registered" }),
            json!({ "deviceId": "d2", "operatingSystem": "Windows 10", "isCompliant": false, "trustType": "Azure AD joined" }),
            json!({ "deviceId": "d3", "operatingSystem": "MacOs", "isCompliant": true, "trustType": "Azure AD joined" }),
        ]),
        "$signInConditions": { "userRiskLevel": dice.of(&["none", "high"]) },
    });
    sign_in["resourceId"] = sign_in["appId"].clone();
    sign_in
}

fn listed(folder: &Folder, collection: &str) -> Vec<String> {
    let dump: Json = serde_json::from_str(&folder.capol(&["sandbox", "dump"]).out).unwrap();
    let all = dump["collections"][collection].clone();
    let objects: Vec<Json> = match all {
        Json::Array(all) => all,
        Json::Object(all) => all.into_iter().map(|(_, object)| object).collect(),
        other => panic!("{other}"),
    };
    let mut ids: Vec<String> = objects
        .iter()
        .filter_map(|one| one["id"].as_str().map(str::to_owned))
        .collect();
    ids.sort();
    ids
}

#[test]
fn the_evaluator_and_the_tenants_own_log_agree_on_every_condition_that_logs_record() {
    let folder = Folder::new();
    folder.write("main.capol", "");
    folder.capol(&["sandbox", "reset"]);
    let (users, groups) = (listed(&folder, "users"), listed(&folder, "groups"));
    let mut policies = Vec::new();
    for (number, (member, value)) in conditions(&users, &groups).into_iter().enumerate() {
        let state = ["enabled", "enabledForReportingButNotEnforced"][number % 2];
        policies.push(policy(
            &format!("{number} {member}"),
            state,
            &[(member, value)],
            "mfa",
        ));
    }
    policies.push(policy("off", "disabled", &[], "block"));
    let mut dice = Dice(7);
    let world = json!({
        "policies": policies,
        "namedLocations": [
            { "@odata.type": "#microsoft.graph.ipNamedLocation", "id": "10c00000-0000-4000-8000-000000000001", "displayName": "Office", "isTrusted": true,
              "ipRanges": [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24" }, { "@odata.type": "#microsoft.graph.iPv6CidrRange", "cidrAddress": "2001:db8::/32" }] },
            { "@odata.type": "#microsoft.graph.countryNamedLocation", "id": "10c00000-0000-4000-8000-000000000002", "displayName": "Home", "countriesAndRegions": ["DE", "FR"], "includeUnknownCountriesAndRegions": true },
        ],
        "signIns": (0..400).map(|number| sign_in(number, &users, &mut dice)).collect::<Vec<_>>(),
    });
    folder.write("world.json", world.to_string());
    let loaded = folder.capol(&["sandbox", "load", "world.json"]);
    assert_eq!(loaded.status, 0, "{}", loaded.err);
    let ran = folder.capol(&["impact", "--sandbox", "--from-tenant", "--json"]);
    let report: Json = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{} {}", ran.out, ran.err));
    assert_eq!(report["sign_ins"], 400);
    let agreement = &report["agreement"];
    assert_eq!(agreement["disagreed"], 0, "{agreement:#}");
    assert_eq!(agreement["not_given"], json!({}));
    // Only the risk of the user is not in the log.
    for policy in agreement["policies"].as_array().unwrap() {
        let is_user_risk = policy["name"].as_str().unwrap().contains("userRisk");
        assert_eq!(
            policy["undecided"].as_u64().unwrap() > 0,
            is_user_risk,
            "{policy:#}"
        );
        assert!(policy["agreed"].as_u64().unwrap() + policy["undecided"].as_u64().unwrap() == 400);
    }
    assert!(agreement["agreed"].as_u64().unwrap() > 8000);
    // A project that changes nothing changes nothing, and nothing is left open.
    assert_eq!(report["outcome"]["unchanged"]["sign_ins"], 400);
}

#[test]
fn a_project_is_held_against_the_log_of_its_tenant() {
    let folder = Folder::new();
    folder.write(
        "main.capol",
        "policy \"mfa\" {\n  name = \"MFA for everyone\"\n  state = enabled\n  users { include = [all] }\n  apps { include = [all] }\n  grant = mfa\n}\n",
    );
    folder.capol(&["sandbox", "reset"]);
    let now = jiff::Timestamp::now();
    let at = |hours: i64| format!("{:.0}", now - jiff::SignedDuration::from_hours(hours));
    let one = |hours: i64, client: &str| json!({ "createdDateTime": at(hours), "userId": ADA, "appId": SALESFORCE, "resourceId": SALESFORCE, "clientAppUsed": client });
    let world = json!({ "signIns": [one(1, "Browser"), one(30, "Browser"), one(2, "POP3"), one(24 * 20, "Browser")] });
    folder.write("world.json", world.to_string());
    folder.capol(&["sandbox", "load", "world.json"]);
    for (days, prompted) in [("1", 1), ("7", 2), ("30", 3)] {
        let ran = folder.capol(&["impact", "--sandbox", "--from-tenant", "--days", days, "--json"]);
        let report: Json =
            serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{} {}", ran.out, ran.err));
        assert_eq!(
            report["outcome"]["newly_prompted"]["sign_ins"], prompted,
            "{days} days"
        );
        assert_eq!(report["outcome"]["newly_blocked"]["sign_ins"], 1);
        assert_eq!(report["outcome"]["newly_blocked"]["users"], 1);
    }
    folder.write("settings.json", "{\"settings\":{\"premiumP1\":false}}");
    let loaded = folder.capol(&["sandbox", "load", "settings.json"]);
    assert_eq!(loaded.status, 0, "{}", loaded.err);
    let ran = folder.capol(&["impact", "--sandbox", "--from-tenant"]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("sign-in logs need Entra ID P1"), "{}", ran.err);
}
