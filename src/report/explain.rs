//! The long help of each diagnostic, from the same pages as the book.

use super::page::{Page, Role, Text};

/// The pages of the book, which explain a family of codes each.
const PAGES: &[&str] = &[
    include_str!("../../book/src/diagnostics/syntax.md"),
    include_str!("../../book/src/diagnostics/language.md"),
    include_str!("../../book/src/diagnostics/rules.md"),
    include_str!("../../book/src/diagnostics/gaps.md"),
    include_str!("../../book/src/diagnostics/rollout.md"),
    include_str!("../../book/src/diagnostics/model.md"),
    include_str!("../../book/src/diagnostics/plan.md"),
    include_str!("../../book/src/diagnostics/apply.md"),
    include_str!("../../book/src/diagnostics/graph.md"),
    include_str!("../../book/src/diagnostics/state.md"),
    include_str!("../../book/src/diagnostics/access.md"),
    include_str!("../../book/src/diagnostics/commands.md"),
];

/// How alike two codes must be for one to be a suggestion for the other.
const ALIKE: f64 = 0.85;

/// The explanation of one code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Explanation {
    /// The code: `lang::unknown_symbol`.
    pub code: &'static str,
    /// What is to say about it, as Markdown.
    pub text: &'static str,
}

/// A code that no page explains.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("there is no diagnostic `{code}`")]
#[diagnostic(code("ops::no_such_diagnostic"), help("{help}"))]
pub struct NoSuchDiagnostic {
    code: String,
    help: String,
}

/// Every explanation, in the order of the pages.
pub fn explanations() -> impl Iterator<Item = Explanation> {
    PAGES.iter().flat_map(|page| {
        page.split("\n## ").skip(1).filter_map(|section| {
            let (code, text) = section.split_once('\n')?;
            Some(Explanation {
                code: code.trim(),
                text: text.trim(),
            })
        })
    })
}

/// The explanation of a code, of the family that it belongs to (`graph::refused::1040`), or of the only code that
/// ends so (`unknown_symbol`).
pub fn explain(code: &str) -> Result<Explanation, NoSuchDiagnostic> {
    let wanted = code.trim().trim_matches(|c| matches!(c, '`' | '[' | ']'));
    let wanted = match wanted {
        number if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) => "graph::refused",
        entra if entra.starts_with("AADSTS") => "graph::sign_in_refused",
        other => other,
    };
    let belongs = |known: &str| {
        wanted
            .strip_prefix(known)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    };
    if let Some(found) = explanations().find(|explanation| belongs(explanation.code)) {
        return Ok(found);
    }
    let ends_so = |known: &str| known.rsplit("::").next() == Some(wanted);
    let mut ending = explanations().filter(|explanation| ends_so(explanation.code));
    if let (Some(only), None) = (ending.next(), ending.next()) {
        return Ok(only);
    }
    let near = explanations()
        .map(|explanation| (strsim::jaro_winkler(explanation.code, wanted), explanation.code))
        .filter(|(likeness, _)| *likeness > ALIKE)
        .max_by(|(left, _), (right, _)| left.total_cmp(right));
    Err(NoSuchDiagnostic {
        code: code.to_owned(),
        help: match near {
            Some((_, near)) => format!("run `capol explain {near}`"),
            None => {
                "write the code that stands above a message, for example `lang::unknown_symbol`".to_owned()
            }
        },
    })
}

/// An explanation as people read it.
pub fn explanation_page(explanation: Explanation) -> Page {
    let mut page = Page::default();
    page.line(0, Text::of(Role::Heading, explanation.code));
    page.blank();
    let mut listing = false;
    for line in explanation.text.lines() {
        if line.starts_with("```") {
            listing = !listing;
        } else if line.is_empty() {
            page.blank();
        } else if listing {
            page.line(4, line);
        } else if let Some(item) = line.strip_prefix("- ") {
            page.hanging(0, 2, format!("- {item}"));
        } else {
            page.line(0, line);
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(code: &str) -> &'static str {
        explain(code).unwrap().code
    }

    #[test]
    fn a_code_is_found_however_it_was_copied() {
        assert_eq!(found("lang::unknown_symbol"), "lang::unknown_symbol");
        assert_eq!(found("`lang::unknown_symbol`"), "lang::unknown_symbol");
        assert_eq!(found("unknown_symbol"), "lang::unknown_symbol");
        assert_eq!(found("graph::refused::1040"), "graph::refused");
        assert_eq!(found("1040"), "graph::refused");
        assert_eq!(found("AADSTS7000215"), "graph::sign_in_refused");
    }

    #[test]
    fn a_code_that_does_not_exist_leads_to_the_nearest() {
        let help = |code| explain(code).unwrap_err().help;
        assert_eq!(
            help("lang::unknwon_symbol"),
            "run `capol explain lang::unknown_symbol`"
        );
        assert_eq!(help("locked::state"), help(""));
    }
}
