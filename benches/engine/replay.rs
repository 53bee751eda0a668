//! Sign-in logs and policies of any size, for replays.

use std::path::{Path, PathBuf};

use capol::ops::impact::Impact;
use serde_json::{Value as Json, json};

use super::dice::Dice;

/// How many users are in the logs.
const USERS: usize = 20_000;
const EXCHANGE: &str = "00000002-0000-0ff1-ce00-000000000000";
const SHAREPOINT: &str = "00000003-0000-0ff1-ce00-000000000000";

fn group(number: usize) -> String {
    format!("f1000000-0000-4000-8000-{:012}", number % 20)
}

fn user(number: usize) -> String {
    format!("{number:08x}-1111-4222-8333-{number:012x}")
}

/// So many policies, each with a condition of another kind; after the change some are switched on, and some block.
fn policies(count: usize, after: bool) -> Json {
    let all = (0..count).map(|number| {
        let mut conditions = json!({
            "clientAppTypes": ["all"],
            "users": { "includeUsers": ["All"], "excludeGroups": [group(number)] },
            "applications": { "includeApplications": ["All"] },
        });
        let (member, value) = match number % 6 {
            0 => (
                "users",
                json!({ "includeGroups": [group(number), group(number + 3)] }),
            ),
            1 => ("applications", json!({ "includeApplications": [EXCHANGE] })),
            2 => (
                "locations",
                json!({ "includeLocations": ["All"], "excludeLocations": ["AllTrusted"] }),
            ),
            3 => ("platforms", json!({ "includePlatforms": ["iOS", "android"] })),
            4 => ("clientAppTypes", json!(["exchangeActiveSync", "other"])),
            _ => ("signInRiskLevels", json!(["medium", "high"])),
        };
        conditions[member] = value;
        let control = match (number % 6, number % 2) {
            (4, _) if after => "block",
            (_, 0) => "compliantDevice",
            _ => "mfa",
        };
        json!({
            "id": format!("c0000000-0000-4000-8000-{number:012}"),
            "displayName": format!("CA{number:03}"),
            "createdDateTime": "2026-01-01T00:00:00Z",
            "state": if after || number % 5 > 0 { "enabled" } else { "enabledForReportingButNotEnforced" },
            "conditions": conditions,
            "grantControls": { "operator": "OR", "builtInControls": [control] },
        })
    });
    json!({ "value": all.collect::<Vec<_>>() })
}

/// So many policies before and after, and the directory of the log's users.
pub(super) fn impact(folder: &Path, count: usize) -> Impact {
    let users: Vec<Json> = (0..USERS)
        .map(|number| json!({ "id": user(number), "memberOf": [group(number)] }))
        .collect();
    let directory = json!({
        "users": users,
        "groups": (0..20).map(|number| json!({ "id": group(number) })).collect::<Vec<_>>(),
        "namedLocations": [{
            "@odata.type": "#microsoft.graph.ipNamedLocation",
            "id": "7a4e8e57-5555-4666-8777-000000000001",
            "displayName": "Office",
            "isTrusted": true,
            "ipRanges": [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.0.0/16" }],
        }],
    });
    let write = |name: &str, json: &Json| -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, json.to_string()).unwrap();
        path
    };
    let before = write("before.json", &policies(count, false));
    let after = write("after.json", &policies(count, true));
    let directory = write("directory.json", &directory);
    Impact::exported(&[before], &[after], Some(&directory)).unwrap()
}

/// A log of so many lines, as Graph has them; the list of policies is left out.
pub(super) fn log(lines: usize) -> String {
    let mut dice = Dice(5);
    let mut text = String::new();
    for number in 0..lines {
        let who = dice.below(USERS).min(dice.below(USERS));
        let app = dice.below(200);
        let address = format!(
            "{}.{}.{}.{}",
            dice.of(&["203", "198", "192"]),
            dice.below(20),
            dice.below(256),
            dice.below(256)
        );
        let line = json!({
            "id": format!("{number:032x}"),
            "createdDateTime": format!("2026-11-{:02}T{:02}:{:02}:00Z", 1 + number % 28, number % 24, number % 60),
            "userDisplayName": format!("User {who}"),
            "userPrincipalName": format!("user{who}@contoso.com"),
            "userId": user(who),
            "appId": format!("{app:08x}-aaaa-4000-8000-{app:012x}"),
            "appDisplayName": format!("App {app}"),
            "ipAddress": address,
            "clientAppUsed": dice.of(&["Browser", "Mobile Apps and Desktop clients", "Other clients; IMAP"]),
            "correlationId": format!("{number:032x}"),
            "conditionalAccessStatus": "success",
            "isInteractive": false,
            "riskDetail": "none",
            "riskLevelAggregated": "none",
            "riskLevelDuringSignIn": dice.of(&["none", "none", "none", "low"]),
            "riskState": "none",
            "resourceDisplayName": "Office 365",
            "resourceId": dice.of(&[EXCHANGE, SHAREPOINT]),
            "userType": "member",
            "crossTenantAccessType": "none",
            "authenticationProtocol": "none",
            "originalTransferMethod": "none",
            "status": { "errorCode": 0, "failureReason": "Other.", "additionalDetails": null },
            "deviceDetail": {
                "deviceId": "", "displayName": "",
                "operatingSystem": dice.of(&["Windows10", "Windows 11", "Ios 17.6", "Android 14", "MacOs"]),
                "browser": format!("Edge {}.0", 100 + dice.below(30)),
                "isCompliant": null, "isManaged": null, "trustType": "",
            },
            "location": {
                "city": "X", "state": "Y", "countryOrRegion": dice.of(&["DE", "FR", "US", "GB", "NL", "BR"]),
                "geoCoordinates": { "altitude": null, "latitude": 52.5, "longitude": 13.4 },
            },
            "networkLocationDetails": [],
            "appliedConditionalAccessPolicies": [],
        });
        text.push_str(&line.to_string());
        text.push('\n');
    }
    text
}
