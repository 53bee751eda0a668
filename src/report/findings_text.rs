//! What the rules find of a plan, as a person reads it: what the plan opens in full, what was there before in brief.

use miette::Severity;

use super::diagnostics::Finding;
use super::page::{Page, Role, Text};
use super::words;

/// What the rules find of a plan.
#[derive(Debug, Clone, Copy)]
pub struct FindingsView<'a> {
    /// What the plan opens, and what is wrong with the project itself.
    pub opened: &'a [Finding],
    /// What was there before and stays.
    pub stays: &'a [Finding],
    /// What was there before and is mended.
    pub closed: &'a [Finding],
    /// Whether what was there before is listed, not only counted.
    pub full: bool,
}

/// What the rules find, laid out; nothing when they find nothing.
pub fn findings_text(view: &FindingsView<'_>) -> Page {
    let mut page = Page::default();
    section(&mut page, "To look at", view.opened);
    section(&mut page, "Mended by this plan", view.closed);
    if view.full {
        section(&mut page, "There before this plan", view.stays);
    } else if !view.stays.is_empty() {
        let mut codes: Vec<String> = Vec::new();
        for code in view.stays.iter().filter_map(|one| one.code.clone()) {
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        let was = if view.stays.len() == 1 { "was" } else { "were" };
        let sentence = format!(
            "{} {was} there before this plan ({}); `-v` shows {}.",
            words::count(view.stays.len(), "finding"),
            words::list(&codes),
            if view.stays.len() == 1 { "it" } else { "them" },
        );
        page.blank();
        page.line(0, Text::of(Role::Muted, &sentence));
    }
    page
}

fn section(page: &mut Page, what: &str, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    page.blank();
    let count = format!("  {}", words::number(findings.len()));
    page.line(0, Text::of(Role::Heading, what).with(Role::Muted, &count));
    for one in findings {
        let (role, mark) = match one.severity {
            Severity::Error => (Role::Error, "x "),
            Severity::Warning => (Role::Warning, "! "),
            Severity::Advice => (Role::Muted, "- "),
        };
        let mut text = Text::of(role, mark).with(Role::Plain, &words::sentence(&one.message));
        if let Some(code) = &one.code {
            text.push(Role::Muted, &format!("  {code}"));
        }
        page.hanging(2, 4, text);
        if let Some(help) = &one.help {
            page.hanging(4, 4, Text::of(Role::Muted, help));
        }
    }
}
