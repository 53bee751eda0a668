//! What is wrong, for people and for machines: one value, two renderings.
//!
//! Any [`miette::Diagnostic`] becomes a [`Finding`], which owns all that is shown of it. People get
//! miette's drawing of it, machines the diagnostics of `terraform validate -json`.

mod finding;
mod json;

use miette::{GraphicalReportHandler, GraphicalTheme, Severity};

pub use finding::{Finding, Source};
pub use json::{failure_json, finding_json, validation_json};

use super::page::{Canvas, Page, Role, Text};
use super::words;

/// The findings as people read them, in the order of the files, with a count at the end.
///
/// `is_terminal` decides between lines drawn with box characters and with ASCII.
pub fn diagnostics_text(findings: &[Finding], canvas: Canvas, is_terminal: bool) -> String {
    let theme = match (is_terminal, canvas.color) {
        (true, true) => GraphicalTheme::unicode(),
        (true, false) => GraphicalTheme::unicode_nocolor(),
        (false, true) => GraphicalTheme::ascii(),
        (false, false) => GraphicalTheme::none(),
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(canvas.width)
        .with_links(false)
        .with_urls(false)
        .with_context_lines(finding::CONTEXT_LINES)
        // Ids are copied: no line ends inside one.
        .with_word_separator(textwrap::WordSeparator::AsciiSpace)
        .with_word_splitter(textwrap::WordSplitter::NoHyphenation)
        .with_cause_chain();
    let mut out = String::new();
    for finding in in_file_order(findings) {
        if !out.is_empty() {
            out.push('\n');
        }
        // Writing to a string cannot fail; a snippet that can't be cut is left out by miette itself.
        if handler.render_report(&mut out, finding).is_err() {
            out.push_str(&finding.to_string());
            out.push('\n');
        }
    }
    // One finding counts itself.
    if let Some(count) = count(findings).filter(|_| findings.len() > 1) {
        let role = if errors(findings) > 0 {
            Role::Error
        } else {
            Role::Warning
        };
        let mut page = Page::default();
        out.push('\n');
        page.line(0, Text::of(role, &count));
        out.push_str(&page.render(canvas));
    }
    out
}

/// `2 errors, 1 warning, 3 notes`; nothing when there is nothing to count.
pub fn count(findings: &[Finding]) -> Option<String> {
    let counted = [
        (errors(findings), "error"),
        (warnings(findings), "warning"),
        (notes(findings), "note"),
    ];
    let parts: Vec<String> = counted
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| words::count(count, noun))
        .collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn errors(findings: &[Finding]) -> usize {
    findings
        .iter()
        .filter(|finding| finding.severity == Severity::Error)
        .count()
}

fn warnings(findings: &[Finding]) -> usize {
    findings.len() - errors(findings) - notes(findings)
}

fn notes(findings: &[Finding]) -> usize {
    findings
        .iter()
        .filter(|finding| finding.severity == Severity::Advice)
        .count()
}

/// By file and place; what lies in no file comes last, in the order it was found.
fn in_file_order(findings: &[Finding]) -> Vec<&Finding> {
    let mut ordered: Vec<&Finding> = findings.iter().collect();
    ordered.sort_by_key(|finding| match finding.place() {
        Some((file, byte)) => (0, file, byte),
        None => (1, "", 0),
    });
    ordered
}

#[cfg(test)]
mod tests;
