//! Findings for machines, as `terraform validate -json` writes its diagnostics.

use miette::Severity;
use serde_json::{Value as Json, json};

use super::finding::{Finding, Source};
use super::{errors, in_file_order, notes, warnings};

/// The answer of `validate --json`: Terraform's keys, and `code` in each diagnostic.
pub fn validation_json(findings: &[Finding]) -> Json {
    let diagnostics: Vec<Json> = in_file_order(findings).into_iter().map(finding_json).collect();
    json!({
        "format_version": "1.0",
        "valid": errors(findings) == 0,
        "error_count": errors(findings),
        "warning_count": warnings(findings),
        "note_count": notes(findings),
        "diagnostics": diagnostics,
    })
}

/// What a command that could not do its work prints: as [`validation_json`], and `error` with the first cause.
pub fn failure_json(findings: &[Finding]) -> Json {
    let mut json = validation_json(findings);
    let first = in_file_order(findings)
        .into_iter()
        .find(|finding| finding.severity == Severity::Error);
    if let (Some(first), Some(members)) = (first, json.as_object_mut()) {
        let error = json!({ "code": first.code, "message": first.message });
        members.insert("error".into(), error);
    }
    json
}

/// One diagnostic: `severity`, `summary`, `detail`, `range`, `snippet`, and `code`.
///
/// Lines and columns count from one, columns in characters, bytes from zero, as in Terraform.
pub fn finding_json(finding: &Finding) -> Json {
    let mut members = serde_json::Map::new();
    let severity = match finding.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Advice => "note",
    };
    members.insert("severity".into(), severity.into());
    members.insert("summary".into(), finding.message.as_str().into());
    members.insert("detail".into(), detail(finding).into());
    if let Some(code) = &finding.code {
        members.insert("code".into(), code.as_str().into());
    }
    if let Some(source) = &finding.source {
        let mut ranges = finding.labels.iter().map(|label| {
            let mut range = range(source, label.offset(), label.offset() + label.len());
            if let (Some(text), Some(members)) = (label.label(), range.as_object_mut()) {
                members.insert("label".into(), text.into());
            }
            range
        });
        if let Some(first) = ranges.next() {
            members.insert("range".into(), first);
        }
        let others: Vec<Json> = ranges.collect();
        if !others.is_empty() {
            members.insert("other_ranges".into(), others.into());
        }
        if let Some(label) = finding.labels.first() {
            members.insert(
                "snippet".into(),
                snippet(source, label.offset(), label.offset() + label.len()),
            );
        }
    }
    if !finding.related.is_empty() {
        members.insert(
            "related".into(),
            finding.related.iter().map(finding_json).collect(),
        );
    }
    Json::Object(members)
}

/// Why, and what to do.
fn detail(finding: &Finding) -> String {
    let causes = finding.causes().map(str::to_owned);
    causes.chain(finding.help.clone()).collect::<Vec<_>>().join("\n")
}

fn range(source: &Source, start: usize, end: usize) -> Json {
    json!({ "filename": source.name, "start": position(source, start), "end": position(source, end) })
}

fn position(source: &Source, byte: usize) -> Json {
    let at = floor(&source.text, source.within(byte));
    let before = source.text.get(..at).unwrap_or_default();
    let lines = before.matches('\n').count();
    let characters = before.rsplit('\n').next().map_or(0, |last| last.chars().count());
    let column = if lines == 0 { source.column } else { 0 } + characters + 1;
    json!({ "line": source.line + lines + 1, "column": column, "byte": source.start + source.within(byte) })
}

fn snippet(source: &Source, start: usize, end: usize) -> Json {
    let text = &source.text;
    let (start, end) = (floor(text, source.within(start)), floor(text, source.within(end)));
    let line_start = text
        .get(..start)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1);
    let line_end = text
        .get(end.max(start)..)
        .and_then(|after| after.find('\n'))
        .map_or(text.len(), |at| end.max(start) + at);
    json!({
        "context": null,
        "code": text.get(line_start..line_end).unwrap_or_default().trim_end_matches('\r'),
        "start_line": source.line + text.get(..start).unwrap_or_default().matches('\n').count() + 1,
        "highlight_start_offset": start - line_start,
        "highlight_end_offset": end.max(start) - line_start,
        "values": [],
    })
}

/// The nearest boundary of a character at or before a byte.
fn floor(text: &str, byte: usize) -> usize {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
