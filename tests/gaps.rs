//! What `capol validate` finds of all policies together, and how it is accepted and told.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;

use crate::bench::Folder;
use crate::shared;

mod corpora;
mod plan;

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/gaps");
    shared::files(&folder, "main.capol")
}

fn project(file: &Path) -> Folder {
    let folder = Folder::new();
    folder.write("main.capol", std::fs::read_to_string(file).expect("a case"));
    folder
}

/// One line for each thing found, and the exit status.
fn told(folder: &Folder) -> String {
    let answer = folder.capol(&["validate", "--json"]);
    let mut text = String::new();
    for diagnostic in answer.json()["diagnostics"].as_array().expect("a list") {
        let word = |member: &str| diagnostic[member].as_str().unwrap_or_default();
        let line = diagnostic["range"]["start"]["line"].as_u64();
        let place = line.map_or_else(|| "the project".to_owned(), |line| format!("line {line}"));
        let (severity, code, summary) = (word("severity"), word("code"), word("summary"));
        writeln!(text, "{severity} {code} at {place}\n  {summary}").unwrap();
    }
    writeln!(text, "status {}", answer.status).unwrap();
    text
}

#[test]
fn each_rule_says_what_is_open_and_nothing_else() {
    let overwrites = std::env::var_os("CAPOL_STORIES").is_some_and(|value| value == "overwrite");
    let mut wrong = String::new();
    let mut count = 0;
    for case in cases() {
        count += 1;
        let told = told(&project(&case));
        let expected = case.with_file_name("found.txt");
        if overwrites {
            std::fs::write(&expected, &told).expect("writable");
        }
        let expected = std::fs::read_to_string(&expected).unwrap_or_default();
        if told != expected {
            writeln!(wrong, "{}:\n{told}---\n{expected}", case.display()).unwrap();
        }
    }
    assert!(
        wrong.is_empty(),
        "`CAPOL_STORIES=overwrite cargo test gaps` writes what is found today\n{wrong}"
    );
    assert!(count > 10, "the cases were not found");
}

#[test]
fn warnings_fail_only_when_that_is_asked_for() {
    let folder = project(
        &cases()[0]
            .parent()
            .unwrap()
            .with_file_name("platforms_unknown")
            .join("main.capol"),
    );
    assert_eq!(folder.capol(&["validate"]).status, 0);
    assert_eq!(folder.capol(&["validate", "--deny-warnings"]).status, 1);
    let sound = project(
        &cases()[0]
            .parent()
            .unwrap()
            .with_file_name("nothing_open")
            .join("main.capol"),
    );
    assert_eq!(sound.capol(&["validate", "--deny-warnings"]).status, 0);
}

/// Whether Python can hold a document against a schema here.
fn has_schemas() -> bool {
    let found = Command::new("python3").args(["-c", "import jsonschema"]).output();
    let found = found.is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: python3 has no jsonschema (pip install jsonschema)");
    }
    found
}

/// What is wrong with a log, by the published schema (as `@microsoft/jest-sarif` carries it, MIT).
fn wrong_with(log: &str) -> String {
    let folder = Folder::new();
    folder.write("log.sarif", log);
    let script = "import json, sys, jsonschema\n\
        schema = json.load(open(sys.argv[1]))\n\
        log = json.load(open(sys.argv[2]))\n\
        [print(error.message, list(error.absolute_path)) for error in jsonschema.Draft4Validator(schema).iter_errors(log)]";
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sarif-2.1.0.json");
    let output = Command::new("python3")
        .args(["-c", script])
        .arg(schema)
        .arg(folder.path("log.sarif"))
        .output()
        .expect("python3");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn sarif_is_what_the_published_schema_says() {
    if !has_schemas() {
        return;
    }
    assert!(!wrong_with(r#"{ "version": "2.1.0", "runs": [{ "results": [{}] }] }"#).is_empty());
    for case in cases() {
        let log = project(&case).capol(&["validate", "--format", "sarif"]).out;
        assert_eq!(wrong_with(&log), "", "{}", case.display());
    }
}

#[test]
fn sarif_names_files_and_lines_relative_to_the_project() {
    let folder = Folder::new();
    folder.write(
        "a project/more policies.capol",
        std::fs::read_to_string(&cases()[3]).expect("a case"),
    );
    let broken = "policy \"p\" {\n  name = \"é\", state = off\n}\n";
    folder.write("a project/broken.capol", broken);
    let log: Json = serde_json::from_str(
        &folder
            .capol(&["validate", "--format", "sarif", "--chdir", "a project"])
            .out,
    )
    .expect("JSON");
    let run = &log["runs"][0];
    let results = run["results"].as_array().expect("results");
    let place = results[0]["locations"][0]["physicalLocation"].clone();
    assert_eq!(place["artifactLocation"]["uri"], "broken.capol", "{log:#}");
    assert_eq!(place["region"]["startLine"], 2, "{log:#}");
    for result in results {
        let place = usize::try_from(result["ruleIndex"].as_u64().expect("an index")).expect("a place");
        let rule = &run["tool"]["driver"]["rules"][place];
        assert_eq!(rule["id"], result["ruleId"]);
    }
    std::fs::remove_file(folder.path("a project/broken.capol")).expect("removed");
    let log: Json = serde_json::from_str(
        &folder
            .capol(&["validate", "--format", "sarif", "--chdir", "a project"])
            .out,
    )
    .expect("JSON");
    let results = log["runs"][0]["results"].as_array().expect("results").clone();
    let places: Vec<&Json> = results
        .iter()
        .map(|result| &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        .filter(|uri| !uri.is_null())
        .collect();
    assert!(
        !places.is_empty() && places.iter().all(|uri| *uri == "more%20policies.capol"),
        "{log:#}"
    );
}
