//! What others recorded of real tenants, beside what capol says.
//!
//! The published logs come without the policies of their tenants. So the policies are learned from one half of the lines
//! (which applications and users each was seen to match and not to match), and capol says from them what the other half
//! recorded. What the learning half does not show is left out.

use std::collections::{BTreeMap, BTreeSet};

use capol::access::{Directory, Estate, Fact, Identity, Standing, sign_in};
use capol::ops::impact::{Agreement, Chunk, Impact, Layout, Tally};
use serde_json::{Value as Json, json};

use crate::bench::Folder;

/// What one policy was seen to do.
#[derive(Default)]
struct Seen {
    state: &'static str,
    apps: (BTreeSet<String>, BTreeSet<String>),
    users: (BTreeSet<String>, BTreeSet<String>),
    misses_no_app: bool,
}

fn state(result: &str) -> &'static str {
    match result {
        "notEnabled" => "disabled",
        result if result.starts_with("reportOnly") => "enabledForReportingButNotEnforced",
        _ => "enabled",
    }
}

fn flag(entry: &Json, member: &str, bit: u64) -> bool {
    entry[member].as_u64().is_some_and(|flags| flags & bit != 0)
}

fn learned(lines: &[&Json]) -> BTreeMap<String, Seen> {
    let mut all: BTreeMap<String, Seen> = BTreeMap::new();
    for line in lines {
        for entry in line["ConditionalAccessPolicies"].as_array().into_iter().flatten() {
            let seen = all
                .entry(entry["id"].as_str().unwrap().to_owned())
                .or_insert(Seen {
                    misses_no_app: true,
                    ..Seen::default()
                });
            seen.state = state(entry["result"].as_str().unwrap());
            let text = |member: &str| line[member].as_str().unwrap_or_default().to_owned();
            if flag(entry, "conditionsSatisfied", 1) {
                seen.apps.0.insert(text("ResourceIdentity"));
                let side = if flag(entry, "conditionsSatisfied", 2) {
                    &mut seen.users.0
                } else {
                    &mut seen.users.1
                };
                side.insert(text("UserId"));
            } else if seen.state != "disabled" {
                seen.apps.1.insert(text("ResourceIdentity"));
                seen.misses_no_app = false;
            }
        }
    }
    all
}

impl Seen {
    fn policy(&self, id: &str) -> Json {
        let apps = if self.misses_no_app {
            json!(["All"])
        } else if self.apps.0.is_empty() {
            json!(["None"])
        } else {
            json!(self.apps.0)
        };
        json!({
            "id": id,
            "displayName": id,
            "createdDateTime": "2021-01-01T00:00:00Z",
            "state": self.state,
            "conditions": {
                "clientAppTypes": ["all"],
                "users": { "includeUsers": if self.users.0.is_empty() { json!(["None"]) } else { json!(self.users.0) } },
                "applications": { "includeApplications": apps },
            },
            "grantControls": { "operator": "OR", "builtInControls": ["mfa"] },
        })
    }

    /// Whether the learning half shows what becomes of such a sign-in.
    fn shows(&self, line: &Json) -> bool {
        let text = |member: &str| line[member].as_str().unwrap_or_default().to_owned();
        let (app, user) = (text("ResourceIdentity"), text("UserId"));
        let is_one_sided = |(yes, no): &(BTreeSet<String>, BTreeSet<String>), one: &String| {
            yes.contains(one) != no.contains(one)
        };
        self.state == "disabled"
            || is_one_sided(&self.apps, &app)
                && (self.apps.1.contains(&app) || is_one_sided(&self.users, &user))
    }
}

/// What capol says of lines under policies that were learned from others.
fn replayed(seen: &BTreeMap<String, Seen>, lines: &[&Json]) -> Tally {
    let folder = Folder::new();
    let policies: Vec<Json> = seen.iter().map(|(id, seen)| seen.policy(id)).collect();
    folder.write("policies.json", json!({ "value": policies }).to_string());
    let impact = Impact::exported(&[folder.path("policies.json")], &[], None).unwrap();
    let mut text = String::new();
    for line in lines {
        let mut line = (*line).clone();
        let mut shown = line["ConditionalAccessPolicies"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        shown.retain(|entry| {
            seen.get(entry["id"].as_str().unwrap())
                .is_some_and(|seen| seen.shows(&line))
        });
        line["ConditionalAccessPolicies"] = json!(shown);
        text += &line.to_string();
        text.push('\n');
    }
    let mut replay = impact.begin();
    replay.take(&Chunk {
        bytes: text.into(),
        layout: Layout::Lines(1),
        ..Chunk::default()
    });
    replay.finish().unwrap()
}

#[test]
fn published_log_lines_are_told_as_the_service_recorded_them() {
    let Some(folder) = crate::shared::folder("corpus") else {
        return;
    };
    let mut sum = Agreement::default();
    let mut recorded = 0;
    let files = crate::shared::files(&folder, "SigninLogs.ndjson");
    assert!(!files.is_empty());
    for file in files {
        let text = std::fs::read_to_string(file).unwrap();
        let lines: Vec<Json> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let half = |odd: usize| -> Vec<&Json> {
            let all = lines.iter().enumerate();
            all.filter(|(number, _)| number % 2 == odd)
                .map(|(_, line)| line)
                .collect()
        };
        for odd in [0, 1] {
            let tally = replayed(&learned(&half(1 - odd)), &half(odd));
            for agreement in tally.agreement.values() {
                sum.agreed += agreement.agreed;
                sum.disagreed += agreement.disagreed;
                sum.undecided += agreement.undecided;
            }
            assert_eq!(tally.disagreements, BTreeMap::new());
        }
        recorded += lines
            .iter()
            .map(|line| line["ConditionalAccessPolicies"].as_array().map_or(0, Vec::len))
            .sum::<usize>();
    }
    println!("log lines: {recorded} results recorded, {sum:?}");
    let decided = sum.agreed + sum.disagreed;
    assert!(decided >= 500, "{sum:?}");
    assert!(sum.agreed * 100 >= decided * 99, "{sum:?}");
}

#[test]
fn published_answers_of_graphs_what_if_are_capols_answers() {
    let Some(folder) = crate::shared::folder("corpus") else {
        return;
    };
    let mut sum = Agreement::default();
    let mut wrong = Vec::new();
    for file in crate::shared::files(&folder, ".request.json") {
        let read = |path: &std::path::Path| -> Option<Json> {
            serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
        };
        let answer = file.to_string_lossy().replace(".request.json", ".response.json");
        let (Some(request), Some(answer)) = (read(&file), read(answer.as_ref())) else {
            continue;
        };
        if request.get("signInIdentity").is_none() {
            continue;
        }
        let id = |member: &str| request["signInIdentity"][member].as_str();
        let directory = Directory::from_json(&json!({
            "users": id("userId").map(|id| json!({ "id": id })).into_iter().collect::<Vec<_>>(),
            "servicePrincipals": id("servicePrincipalId").map(|id| json!({ "id": id })).into_iter().collect::<Vec<_>>(),
        }));
        let mut sign_in = sign_in(&request, &directory.unwrap()).unwrap();
        // The pages do not tell who is in what.
        match &mut sign_in.identity {
            Identity::User { groups, roles, .. } => (*groups, *roles) = (Fact::Unrecorded, Fact::Unrecorded),
            Identity::ServicePrincipal { owned, .. } => *owned = Fact::Unrecorded,
            _ => {}
        }
        let mut estate = Estate::default();
        for policy in answer["value"].as_array().unwrap() {
            estate.add_policy(policy).unwrap();
        }
        let said = estate.evaluate(&sign_in, None);
        for (policy, standing) in answer["value"].as_array().unwrap().iter().zip(&said.standings) {
            let applies = policy["policyApplies"].as_bool().unwrap();
            match standing {
                Standing::Undecided(_) => sum.undecided += 1,
                Standing::Applied | Standing::ReportOnly if applies => sum.agreed += 1,
                Standing::NotApplied(_) if !applies => sum.agreed += 1,
                other => {
                    sum.disagreed += 1;
                    wrong.push(format!("{}: {} {other:?}", file.display(), policy["displayName"]));
                }
            }
        }
    }
    println!("Graph's What-If: {sum:?}");
    assert!(sum.agreed >= 5, "{sum:?}");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_published_log_is_read_to_its_end() {
    let Some(folder) = crate::shared::folder("corpus") else {
        return;
    };
    let mut logs = crate::shared::files(&folder, "SigninLogs.ndjson");
    logs.extend(
        crate::shared::files(&folder, ".response.json")
            .into_iter()
            .filter(|file| {
                file.file_name()
                    .is_some_and(|name| name.to_string_lossy().starts_with("signin-"))
            }),
    );
    let mut wrapped = Vec::new();
    for file in crate::shared::files(&folder, "tests.signin.ndjson") {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let line: Json = serde_json::from_str(line).unwrap();
            wrapped.push(line["event"].to_string());
        }
    }
    let folder = Folder::new();
    folder.write("wrapped.ndjson", wrapped.join("\n"));
    folder.write(
        "policies.json",
        json!({ "id": "p", "displayName": "p", "createdDateTime": "2021-01-01T00:00:00Z", "state": "enabled", "conditions": { "users": { "includeUsers": ["All"] }, "applications": { "includeApplications": ["All"] } } }).to_string(),
    );
    logs.push(folder.path("wrapped.ndjson"));
    let impact = Impact::exported(&[folder.path("policies.json")], &[], None).unwrap();
    let tally = impact.replay(&logs, 2).unwrap();
    println!(
        "{} sign-ins, {:?}, {:?}",
        tally.sign_ins, tally.bad, tally.examples
    );
    assert!(tally.sign_ins >= 100, "{}", tally.sign_ins);
    assert!(tally.bad.is_empty(), "{:?}", tally.examples);
}
