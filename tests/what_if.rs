//! What comes out of a sign-in, row by row, as Microsoft's pages say it.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test bench")]

mod asked;
mod live;

use std::path::Path;

use serde_json::{Map, Value as Json, json};

use crate::bench::Folder;

/// Members that a row may give instead of writing the record out.
fn record(row: &Json, id: usize) -> Json {
    let mut conditions = json!({ "clientAppType": "browser" });
    let mut record = json!({
        "id": id.to_string(),
        "signInIdentity": { "@odata.type": "#microsoft.graph.userSignIn", "userId": "ada" },
        "signInContext": {
            "@odata.type": "#microsoft.graph.applicationContext",
            "includeApplications": ["99999999-0000-0000-0000-000000000001"],
        },
    });
    for (member, value) in row.as_object().unwrap() {
        match member.as_str() {
            "expect" => {}
            "user" => record["signInIdentity"]["userId"] = value.clone(),
            "service_principal" => {
                record["signInIdentity"] = json!({
                    "@odata.type": "#microsoft.graph.servicePrincipalSignIn",
                    "servicePrincipalId": value,
                });
            }
            "app" => record["signInContext"]["includeApplications"] = json!([value]),
            "action" => {
                record["signInContext"] =
                    json!({ "@odata.type": "#microsoft.graph.userActionContext", "userAction": value });
            }
            "context" => {
                record["signInContext"] = json!({ "@odata.type": "#microsoft.graph.authContext", "authenticationContextValue": value });
            }
            "signInIdentity" | "satisfied" => record[member] = value.clone(),
            _ => conditions[member] = value.clone(),
        }
    }
    record["signInConditions"] = conditions;
    record
}

fn laid_over(base: &mut Json, over: &Json) {
    match (base, over) {
        (Json::Object(base), Json::Object(over)) if !over.contains_key("@odata.type") => {
            for (member, value) in over {
                laid_over(base.entry(member).or_insert(Json::Null), value);
            }
        }
        (base, over) => *base = over.clone(),
    }
}

fn policies(row: &Json) -> Json {
    let all = row["policies"].as_object().unwrap().iter().map(|(name, over)| {
        let mut policy = json!({
            "id": name,
            "displayName": name,
            "createdDateTime": "2026-01-01T00:00:00Z",
            "state": "enabled",
            "conditions": {
                "clientAppTypes": ["all"],
                "users": { "includeUsers": ["All"] },
                "applications": { "includeApplications": ["All"] },
            },
            "grantControls": { "operator": "OR", "builtInControls": ["block"] },
        });
        laid_over(&mut policy, over);
        policy
    });
    json!({ "value": all.collect::<Vec<_>>() })
}

/// What an answer says in the words of `expect`.
fn summary(answer: &Json) -> Map<String, Json> {
    let mut said = Map::new();
    if let Some(error) = answer.get("error") {
        said.insert("error".to_owned(), error["code"].clone());
        return said;
    }
    said.insert("decision".to_owned(), answer["decision"].clone());
    said.insert("session".to_owned(), answer["session"].clone());
    for applied in answer["applied"].as_array().unwrap() {
        said.insert(applied["policy"].as_str().unwrap().to_owned(), json!("applied"));
    }
    for name in answer["report_only"].as_array().unwrap() {
        said.insert(name.as_str().unwrap().to_owned(), json!("report_only"));
    }
    for other in answer["not_applied"].as_array().unwrap() {
        said.insert(
            other["policy"].as_str().unwrap().to_owned(),
            other["because"].clone(),
        );
    }
    for other in answer
        .get("undecided")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
    {
        let because = format!("undecided:{}", other["because"].as_str().unwrap());
        said.insert(other["policy"].as_str().unwrap().to_owned(), json!(because));
    }
    said
}

fn cases() -> Vec<(String, Json)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/what_if");
    let mut rows = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.extension().is_some_and(|ending| ending == "json") && name != "directory" {
            let text = std::fs::read_to_string(&path).unwrap();
            let all: Vec<Json> = serde_json::from_str(&text).unwrap();
            rows.extend(all.into_iter().map(|row| (name.clone(), row)));
        }
    }
    rows
}

#[test]
fn each_documented_rule_decides_as_documented() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for (file, row) in cases() {
        let folder = Folder::new();
        folder.write("policies.json", policies(&row).to_string());
        folder.write("directory.json", include_str!("cases/what_if/directory.json"));
        let sign_ins = row["sign_ins"].as_array().unwrap();
        let records: Vec<String> = sign_ins
            .iter()
            .enumerate()
            .map(|(id, row)| record(row, id).to_string())
            .collect();
        folder.write("sign-ins.ndjson", records.join("\n"));
        let ran = folder.capol(&[
            "whatif",
            "--policies",
            "policies.json",
            "--directory",
            "directory.json",
            "--sign-ins",
            "sign-ins.ndjson",
            "--json",
        ]);
        let answers: Vec<Json> = ran
            .out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        if answers.len() != sign_ins.len() {
            wrong.push(format!("{file}: {}: {}{}", row["promise"], ran.out, ran.err));
            continue;
        }
        for (sign_in, answer) in sign_ins.iter().zip(&answers) {
            count += 1;
            let said = summary(answer);
            let expected = match &sign_in["expect"] {
                Json::String(decision) => json!({ "decision": decision }),
                other => other.clone(),
            };
            for (what, wanted) in expected.as_object().unwrap() {
                if said.get(what) != Some(wanted) {
                    wrong.push(format!(
                        "{file}: {}: {what} is {:?}, not {wanted}, of {}",
                        row["promise"],
                        said.get(what),
                        record(sign_in, 0)
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 80, "only {count} sign-ins were looked at");
}
