//! The tenant's policies asked twice: by capol, and by the What-If of the tenant itself.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::{cases, policies, record};
use crate::bench::Folder;

/// Ids as Graph has them for the short ones of the cases.
fn with_graph_ids(json: &Json, directory: &Json) -> Json {
    let mut text = json.to_string();
    let lists = ["users", "groups", "servicePrincipals", "namedLocations"];
    let entries = lists.iter().flat_map(|list| directory[list].as_array().unwrap());
    for (number, entry) in entries.enumerate() {
        let id = entry["id"].as_str().unwrap();
        text = text.replace(
            &format!("\"{id}\""),
            &format!("\"00000000-0000-4000-8000-{number:012}\""),
        );
    }
    serde_json::from_str(&text).unwrap()
}

fn by_id(list: &Json) -> Json {
    let entries = list.as_array().unwrap().iter();
    let all: Map<String, Json> = entries
        .map(|entry| (entry["id"].as_str().unwrap().to_ascii_lowercase(), entry.clone()))
        .collect();
    Json::Object(all)
}

/// A folder whose embedded tenant holds this directory and these policies.
fn tenant(directory: &Json, all: Vec<Json>) -> Folder {
    let folder = Folder::new();
    folder.capol(&["sandbox", "reset"]);
    let path = ".capol/sandbox.json";
    let mut tenant: Json = serde_json::from_str(&folder.read(path).unwrap()).unwrap();
    let mut members: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for list in ["users", "groups"] {
        for entry in directory[list].as_array().unwrap() {
            for holder in ["memberOf", "roles"] {
                for id in entry[holder].as_array().into_iter().flatten() {
                    let holding = members.entry(id.as_str().unwrap().to_owned()).or_default();
                    holding.push(entry["id"].clone());
                }
            }
        }
    }
    let own = tenant["id"].clone();
    let mut directory = directory.clone();
    for principal in directory["servicePrincipals"].as_array_mut().unwrap() {
        principal["appOwnerOrganizationId"] = own.clone();
        if principal["servicePrincipalType"].is_null() {
            principal["servicePrincipalType"] = json!("Application");
        }
    }
    for list in ["users", "groups", "servicePrincipals", "namedLocations"] {
        tenant["collections"][list] = by_id(&directory[list]);
    }
    tenant["collections"]["policies"] = by_id(&json!(all));
    tenant["members"] = json!(members);
    folder.write(path, tenant.to_string());
    folder
}

#[test]
fn capol_and_the_what_if_of_the_tenant_agree_on_every_documented_rule() {
    let directory: Json = serde_json::from_str(include_str!("../cases/what_if/directory.json")).unwrap();
    let (mut all, mut sign_ins) = (Vec::new(), Vec::new());
    for (number, (_, row)) in cases().into_iter().enumerate() {
        for mut policy in policies(&row)["value"].as_array().unwrap().clone() {
            let name = format!("{number} {}", policy["displayName"].as_str().unwrap());
            policy["id"] = json!(format!("{number:08}-0000-4000-9000-{:012}", all.len()));
            policy["displayName"] = json!(name);
            all.push(policy);
        }
        for sign_in in row["sign_ins"].as_array().unwrap() {
            let errs = sign_in["expect"].get("error").is_some();
            // One id is a user's and a group's there, as can't be in a tenant.
            if !errs && sign_in["user"] != "inner" {
                sign_ins.push(record(sign_in, sign_ins.len()));
            }
        }
    }
    let real = |json: Json| with_graph_ids(&json, &directory);
    let all: Vec<Json> = all.into_iter().map(real).collect();
    let folder = tenant(&with_graph_ids(&directory, &directory), all.clone());
    let lines: Vec<String> = sign_ins
        .iter()
        .map(|sign_in| with_graph_ids(sign_in, &directory).to_string())
        .collect();
    folder.write("sign-ins.ndjson", lines.join("\n"));
    let ran = folder.capol(&[
        "whatif",
        "--sandbox",
        "--live",
        "--sign-ins",
        "sign-ins.ndjson",
        "--json",
    ]);
    let answers: Vec<Json> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), sign_ins.len(), "{}", ran.err);
    let (mut agreed, mut undecided, mut wrong) = (0, 0, Vec::new());
    for (answer, line) in answers.iter().zip(&lines) {
        let graph = &answer["graph"];
        if graph.is_null() {
            wrong.push(format!("{answer} of {line}"));
            continue;
        }
        agreed += graph["agreed"].as_u64().unwrap();
        undecided += graph["undecided"].as_u64().unwrap();
        for one in graph["disagreements"].as_array().unwrap() {
            let policy = all.iter().find(|policy| policy["id"] == one["policy"]);
            wrong.push(format!("{one} of {line}\n    {}", policy.unwrap()["conditions"]));
        }
    }
    let few: Vec<&String> = wrong.iter().take(10).collect();
    assert!(wrong.is_empty(), "{} times, {few:#?}\n{}", wrong.len(), ran.err);
    assert!(agreed > 5000, "only {agreed} compared, {undecided} undecided");
    assert!(
        undecided * 10 < agreed,
        "{undecided} undecided, {agreed} compared"
    );
    assert_eq!(ran.status, 0, "{}", ran.err);
}

#[test]
fn what_graph_says_stands_below_the_answer() {
    let mut folder = Folder::new();
    folder.write("main.capol", super::asked::PROJECT);
    let applied = folder.capol(&["apply", "--sandbox", "--yes"]);
    assert_eq!(applied.status, 0, "{}", applied.all());
    let mut seen = String::new();
    for columns in ["80", "200"] {
        folder.set("COLUMNS", columns);
        for user in ["grace@contoso.com", "alan@contoso.com"] {
            let answer = folder.capol(&[
                "whatif",
                "--sandbox",
                "--live",
                "--user",
                user,
                "--app",
                "Salesforce",
                "--client-app",
                "browser",
            ]);
            seen += &[columns, " columns: ", &answer.all(), "\n"].concat();
        }
    }
    insta::assert_snapshot!("live", seen);
}
