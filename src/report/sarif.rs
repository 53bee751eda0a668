//! Findings as SARIF 2.1.0, which code hosts show beside the lines that they are about.

use std::collections::BTreeMap;
use std::path::Path;

use miette::Severity;
use serde_json::{Value as Json, json};

use super::diagnostics::{Finding, finding_json};
use super::explain::explain;

/// Where the standard keeps the schema of the form.
const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// One log of one run. Files are named relative to the project's folder.
///
/// `states` tells of each finding whether it was there before (`unchanged`) or is `new`; nothing when that is not known.
pub fn sarif(findings: &[Finding], states: &[Option<&str>], project: &Path) -> Json {
    let mut rules: BTreeMap<&str, Json> = BTreeMap::new();
    for code in findings.iter().filter_map(|finding| finding.code.as_deref()) {
        rules.entry(code).or_insert_with(|| rule(code));
    }
    let places: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(at, code)| (*code, at)).collect();
    let states = states.iter().copied().chain(std::iter::repeat(None));
    let results: Vec<Json> = findings
        .iter()
        .zip(states)
        .map(|(finding, state)| result(finding, state, &places, project))
        .collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "capol",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules.into_values().collect::<Vec<_>>(),
            }},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": { "PROJECT": { "description": { "text": "The project's folder." } } },
            "results": results,
        }],
    })
}

fn rule(code: &str) -> Json {
    let text = explain(code)
        .map(|explanation| explanation.text)
        .unwrap_or_default();
    let first = text.split("\n\n").next().unwrap_or_default().replace('\n', " ");
    let mut rule = json!({ "id": code });
    if let Some(members) = rule.as_object_mut()
        && !first.is_empty()
    {
        members.insert("shortDescription".into(), json!({ "text": first }));
        members.insert("help".into(), json!({ "text": text, "markdown": text }));
    }
    rule
}

fn result(finding: &Finding, state: Option<&str>, places: &BTreeMap<&str, usize>, project: &Path) -> Json {
    let level = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "note",
    };
    let mut text = finding.message.clone();
    if let Some(help) = &finding.help {
        text = format!("{text}\n{help}");
    }
    let mut result = json!({ "level": level, "message": { "text": text } });
    let Some(members) = result.as_object_mut() else {
        return result;
    };
    if let Some(code) = finding.code.as_deref() {
        members.insert("ruleId".into(), code.into());
        if let Some(place) = places.get(code) {
            members.insert("ruleIndex".into(), (*place).into());
        }
    }
    if let Some(state) = state {
        members.insert("baselineState".into(), state.into());
    }
    let said = finding_json(finding);
    if let Some(location) = said.get("range").and_then(|range| location(range, project)) {
        members.insert("locations".into(), json!([location]));
    }
    let others = said.get("other_ranges").and_then(Json::as_array);
    let others: Vec<Json> = others
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(|(at, range)| {
            let mut location = location(range, project)?;
            location.as_object_mut()?.insert("id".into(), at.into());
            Some(location)
        })
        .collect();
    if !others.is_empty() {
        members.insert("relatedLocations".into(), others.into());
    }
    result
}

/// A place as SARIF says it: lines and columns count from one, and the end is the first column that is not meant.
fn location(range: &Json, project: &Path) -> Option<Json> {
    let number = |pointer: &str| range.pointer(pointer).and_then(Json::as_u64);
    let name = range.get("filename")?.as_str()?;
    let below = Path::new(name).strip_prefix(project).unwrap_or(Path::new(name));
    Some(json!({ "physicalLocation": {
        "artifactLocation": { "uri": uri(below), "uriBaseId": "PROJECT" },
        "region": {
            "startLine": number("/start/line")?,
            "startColumn": number("/start/column")?,
            "endLine": number("/end/line")?,
            "endColumn": number("/end/column")?,
        },
    }}))
}

/// A relative path as a URI.
fn uri(path: &Path) -> String {
    let parts = path.components().filter_map(|part| match part {
        std::path::Component::Normal(part) => Some(part.to_string_lossy().into_owned()),
        std::path::Component::ParentDir => Some("..".to_owned()),
        _ => None,
    });
    let escaped = parts.map(|part| {
        part.bytes()
            .map(|byte| match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                    char::from(byte).to_string()
                }
                other => format!("%{other:02X}"),
            })
            .collect::<String>()
    });
    escaped.collect::<Vec<_>>().join("/")
}
