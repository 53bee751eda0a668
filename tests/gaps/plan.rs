//! What `capol plan` finds of a tenant as it will be, and what of it the plan opens.

use serde_json::{Value as Json, json};

use crate::bench::Folder;

/// A policy as Graph gives it, for everybody and every app.
fn policy(name: &str, state: &str, users: &Json, clients: &[&str], control: &str) -> Json {
    json!({
        "displayName": name,
        "state": state,
        "conditions": {
            "users": users,
            "applications": { "includeApplications": ["All"] },
            "clientAppTypes": clients,
        },
        "grantControls": { "operator": "OR", "builtInControls": [control] },
    })
}

const LEGACY: &str = r#"
capol { emergency_access = none("a trial") }

policy "legacy" {
  name        = "Block legacy authentication"
  state       = enabled
  users       = all
  apps        = all
  client_apps = [exchange_active_sync, other]
  grant       = block
}
"#;

fn found(folder: &Folder, arguments: &[&str]) -> Vec<(String, bool, String)> {
    let all = [&["plan", "--sandbox", "--json"], arguments].concat();
    let answer = folder.capol(&all);
    assert_eq!(answer.status, 0, "{}", answer.all());
    answer.json()["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|one| {
            let word = |member: &str| one[member].as_str().unwrap_or_default().to_owned();
            (word("code"), one["new"] == true, word("summary"))
        })
        .collect()
}

#[test]
fn a_plan_tells_what_it_opens_from_what_was_there_before() {
    let folder = Folder::new();
    folder.write("main.capol", LEGACY);
    let before = found(&folder, &[]);
    assert!(
        before.iter().all(|(_, is_new, _)| !is_new),
        "a first plan opens nothing: {before:#?}"
    );
    assert!(before.iter().any(|(code, ..)| code == "gap::admins_phishable"));
    let applied = folder.capol(&["apply", "--sandbox", "--yes"]);
    assert_eq!(applied.status, 0, "{}", applied.all());

    // The same, but an app and a group are left out.
    let changed = LEGACY.replace(
        "users       = all",
        "users {\n    include = all\n    exclude = group(\"Finance\")\n  }",
    );
    folder.write("main.capol", changed);
    let opened: Vec<String> = found(&folder, &[])
        .into_iter()
        .filter(|(_, is_new, _)| *is_new)
        .map(|(code, _, summary)| format!("{code}: {summary}"))
        .collect();
    insta::assert_debug_snapshot!("opened", opened);
    let text = folder.capol(&["plan", "--sandbox"]);
    insta::assert_snapshot!("plan_that_opens", text.out);
    assert_eq!(folder.capol(&["plan", "--sandbox", "--deny-warnings"]).status, 1);

    // What is open already is not opened again.
    let applied = folder.capol(&["apply", "--sandbox", "--yes"]);
    assert_eq!(applied.status, 0, "{}", applied.all());
    assert!(found(&folder, &[]).iter().all(|(_, is_new, _)| !is_new));

    // Nor is it when another group is left out beside it: that is new.
    let wider = LEGACY.replace(
        "users       = all",
        "users {\n    include = all\n    exclude = [group(\"Finance\"), group(\"IT\")]\n  }",
    );
    folder.write("main.capol", wider);
    let opened: Vec<(String, bool, String)> = found(&folder, &[])
        .into_iter()
        .filter(|(_, is_new, _)| *is_new)
        .collect();
    assert!(
        opened
            .iter()
            .any(|(code, _, summary)| code == "gap::legacy_authentication" && summary.contains("`IT`")),
        "{opened:#?}"
    );

    folder.write("main.capol", LEGACY);
    let text = folder.capol(&["plan", "--sandbox"]).out;
    assert!(text.contains("Mended by this plan"), "{text}");
}

#[test]
fn policies_that_nobody_manages_count_as_well() {
    let folder = Folder::new();
    folder.write("main.capol", "capol { emergency_access = none(\"a trial\") }\n");
    let gone = "99999999-0000-4000-8000-00000000dead";
    let objects = json!({
        "policies": [
            policy("Watched for long", "enabledForReportingButNotEnforced", &json!({ "includeUsers": ["All"] }), &["all"], "mfa"),
            policy("Refers to nobody", "enabled", &json!({ "includeUsers": ["All"], "excludeGroups": [gone] }), &["all"], "mfa"),
        ],
    });
    folder.write("objects.json", objects.to_string());
    let loaded = folder.capol(&["sandbox", "load", "objects.json"]);
    assert_eq!(loaded.status, 0, "{}", loaded.all());
    let mut folder = folder;
    folder.set("CAPOL_CLOCK", "2036-01-01T00:00:00Z");
    let found = found(&folder, &[]);
    let summaries: Vec<&str> = found
        .iter()
        .filter(|(code, ..)| code == "gap::long_report_only" || code == "gap::dangling_reference")
        .map(|(_, _, summary)| summary.as_str())
        .collect();
    assert!(
        summaries
            .iter()
            .any(|summary| summary.contains("`Watched for long` is report-only")),
        "{found:#?}"
    );
    assert!(
        summaries.iter().any(|summary| summary.contains(gone)),
        "{found:#?}"
    );
}

#[test]
fn sarif_of_a_plan_says_what_is_new() {
    let folder = Folder::new();
    folder.write("main.capol", LEGACY);
    let answer = folder.capol(&["plan", "--sandbox", "--format", "sarif"]);
    let log: Json = serde_json::from_str(&answer.out).expect("JSON");
    let results = log["runs"][0]["results"].as_array().expect("results");
    assert!(
        results
            .iter()
            .any(|result| result["baselineState"] == "unchanged"),
        "{log:#}"
    );
    if super::has_schemas() {
        assert_eq!(super::wrong_with(&answer.out), "");
    }
}
