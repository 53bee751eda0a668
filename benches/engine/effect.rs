//! What a change does to people's access: 200 policies over 500 groups and 100 locations, of which 20 change.

use capol::access::{Estate, effects};
use serde_json::{Value as Json, json};

use super::runner::Runner;

pub(super) const GROUPS: usize = 500;
pub(super) const LOCATIONS: usize = 100;

/// The id of the object of this number: groups are of kind 1, locations of 2, applications of 3.
pub(super) fn id(kind: usize, number: usize) -> String {
    format!("{kind:08x}-0000-4000-8000-{number:012x}")
}

fn location(number: usize) -> Json {
    if number.is_multiple_of(4) {
        let countries: Vec<&str> = ["DK", "SE", "NO", "FI"].into_iter().skip(number % 3).collect();
        return json!({
            "@odata.type": "#microsoft.graph.countryNamedLocation",
            "id": id(2, number),
            "displayName": format!("Countries {number}"),
            "countriesAndRegions": countries,
        });
    }
    let ranges: Vec<Json> = (0..5)
        .map(|range| {
            json!({
                "@odata.type": "#microsoft.graph.iPv4CidrRange",
                "cidrAddress": format!("10.{number}.{}.0/24", range * 7),
            })
        })
        .collect();
    json!({
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "id": id(2, number),
        "displayName": format!("Site {number}"),
        "isTrusted": number.is_multiple_of(3),
        "ipRanges": ranges,
    })
}

/// A policy as large tenants have them; every tenth is changed in one of several ways.
fn policy(number: usize, is_changed: bool) -> Json {
    let group = |shift: usize| id(1, (number * 7 + shift) % GROUPS);
    let place = |shift: usize| id(2, (number * 3 + shift) % LOCATIONS);
    let change = if is_changed { number / 10 % 5 } else { usize::MAX };
    let mut conditions = json!({
        "clientAppTypes": ["all"],
        "applications": { "includeApplications": ["All"] },
        "users": {
            "includeUsers": if number.is_multiple_of(5) { vec!["All"] } else { vec![] },
            "includeGroups": [group(0), group(1)],
            "excludeGroups": [group(2), id(1, 499), if change == 0 { group(5) } else { group(3) }],
        },
    });
    let mut put = |member: &str, value: Json| conditions[member] = value;
    match number % 6 {
        0 => put("clientAppTypes", json!(["exchangeActiveSync", "other"])),
        1 => put(
            "locations",
            json!({ "includeLocations": ["All"], "excludeLocations": [place(0), if change == 1 { place(4) } else { place(1) }, "AllTrusted"] }),
        ),
        2 => put(
            "platforms",
            json!({ "includePlatforms": ["all"], "excludePlatforms": ["iOS", "android"] }),
        ),
        3 => put("signInRiskLevels", json!(["high", "medium"])),
        4 => put(
            "applications",
            json!({ "includeApplications": ["Office365", id(3, number)] }),
        ),
        _ => put(
            "devices",
            json!({ "deviceFilter": { "mode": "exclude", "rule": format!("device.extensionAttribute1 -eq \"tier{}\"", number % 4) } }),
        ),
    }
    let grant = match number % 4 {
        0 => json!({ "operator": "OR", "builtInControls": ["block"] }),
        1 => json!({ "operator": "OR", "builtInControls": ["mfa"] }),
        2 => {
            json!({ "operator": "OR", "builtInControls": if change == 2 { vec!["mfa"] } else { vec!["mfa", "compliantDevice"] } })
        }
        _ => json!({ "operator": "AND", "builtInControls": ["mfa", "compliantDevice"] }),
    };
    let state = match (number % 10, change) {
        (_, 3) => "disabled",
        (9, 4 | usize::MAX) => "enabledForReportingButNotEnforced",
        _ => "enabled",
    };
    json!({
        "id": id(9, number),
        "displayName": format!("CA{number:04}"),
        "state": state,
        "conditions": conditions,
        "grantControls": grant,
    })
}

pub(super) fn estate(policies: usize, changed: bool) -> Estate {
    let mut estate = Estate::default();
    for number in 0..LOCATIONS {
        estate.add_location(&location(number)).unwrap();
    }
    for number in 0..policies {
        estate
            .add_policy(&policy(number, changed && number % 10 == 0))
            .unwrap();
    }
    estate
}

pub(super) fn run(runner: &mut Runner) {
    for policies in [10, 50, 200, 1_000] {
        let (before, after) = (estate(policies, false), estate(policies, true));
        let name = format!("effect of a change to a tenth of {policies} policies");
        runner.time(&name, || effects(&before, &after, None).unwrap());
    }
}
