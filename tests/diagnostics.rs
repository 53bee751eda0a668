//! The pages that explain each diagnostic: one for every code, and every example meets its code.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use capol::lang::error::Code;
use capol::lang::memory::Memory;
use capol::lang::{self, Inputs};
use capol::model::rules;
use capol::report::explain::{Explanation, explanations};

use crate::bench::Folder;
use crate::shared;

/// The text of a source file without its tests.
fn production(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default()
}

/// Every code that the source can print.
fn emitted() -> BTreeSet<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let attribute = regex::Regex::new(r#"code\(\s*"?([a-z_]+::[a-z0-9_]+)"?\s*\)"#).unwrap();
    let literal =
        regex::Regex::new(r#""((?:rules|gap|rollout|plan|graph|model|state|ops)::[a-z0-9_]+)""#).unwrap();
    let note = regex::Regex::new(r#"Note::(?:warning|remark)\(\s*"([a-z_]+)""#).unwrap();
    let syntax = regex::Regex::new(r#"Self::\w+(?: \{ \.\. \})? => "([a-z0-9_]+)","#).unwrap();
    let mut codes: BTreeSet<String> = Code::ALL.iter().map(ToString::to_string).collect();
    for file in shared::files(&source, ".rs") {
        let name = file.to_string_lossy().replace('\\', "/");
        if name.contains("/tests/") || name.ends_with("tests.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&file).expect("readable source");
        let text = production(&text);
        let mut take = |pattern: &regex::Regex, family: &str| {
            codes.extend(
                pattern
                    .captures_iter(text)
                    .map(|found| format!("{family}{}", &found[1])),
            );
        };
        take(&attribute, "");
        take(&literal, "");
        if name.contains("/plan/") || name.ends_with("/src/plan.rs") {
            take(&note, "plan::");
        }
        if name.ends_with("/syntax/error.rs") {
            take(&syntax, "syntax::");
        }
    }
    codes
}

#[test]
fn every_code_is_explained_and_nothing_else() {
    let explained: BTreeSet<String> = explanations().map(|one| one.code.to_owned()).collect();
    assert_eq!(
        explained.len(),
        explanations().count(),
        "a code is explained twice"
    );
    let emitted = emitted();
    assert!(emitted.len() > 150, "the codes were not found");
    let missing: Vec<&String> = emitted.difference(&explained).collect();
    let stale: Vec<&String> = explained.difference(&emitted).collect();
    assert!(
        missing.is_empty() && stale.is_empty(),
        "without a section in book/src/diagnostics: {missing:#?}; without a place in the source: {stale:#?}"
    );
}

/// The listings of a section that are refused.
fn refused(explanation: &Explanation) -> Vec<&'static str> {
    let parts = explanation.text.split("```capol-refused\n").skip(1);
    parts
        .filter_map(|part| part.split_once("```"))
        .map(|(listing, _)| listing)
        .collect()
}

/// The codes that a file of this text meets.
fn met(text: &str) -> Vec<String> {
    let memory = Memory::new([("page/main.capol", text)]);
    let now = "2026-06-01T09:00:00Z".parse().expect("a moment");
    let project = lang::load(Arc::new(memory), Path::new("page"), &Inputs::at(now));
    let (configuration, diagnostics) = lang::configuration(&project);
    let broken = configuration
        .resources
        .values()
        .flat_map(|resource| rules::check(&resource.object));
    let mut codes: Vec<String> = broken.map(|violation| violation.code.to_owned()).collect();
    codes.extend(diagnostics.iter().map(|found| found.code.to_string()));
    codes
}

#[test]
fn every_example_meets_the_code_that_it_explains() {
    let mut wrong = Vec::new();
    let mut examples = 0;
    for explanation in explanations() {
        for listing in refused(&explanation) {
            examples += 1;
            let met = met(listing);
            if !met.iter().any(|code| code == explanation.code) {
                wrong.push(format!("{} met {met:?}", explanation.code));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(examples > 60, "the examples were not found");
}

#[test]
fn explain_prints_a_page_or_the_nearest_code() {
    let folder = Folder::new();
    insta::assert_snapshot!("explain", folder.capol(&["explain", "syntax::assignment"]).all());
    let json = folder.capol(&["explain", "lang::cycle", "--json"]).json();
    assert_eq!(json["code"], "lang::cycle");
    assert!(json["text"].as_str().unwrap().contains("capol-refused"));
    let unknown = folder.capol(&["explain", "lang::cycel"]);
    assert_eq!(unknown.status, 1);
    assert!(
        unknown.err.contains("capol explain lang::cycle"),
        "{}",
        unknown.all()
    );
}
