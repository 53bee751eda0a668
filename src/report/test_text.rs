//! Results of scenarios and invariants, for people and for programs.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::page::{Page, Role, Text};
use crate::access::{Because, Ruling};
use crate::model::expectation::ExpectationKind;
use crate::ops::test::Tested;

/// The longest list of policies that is shown to people.
const MOST_POLICIES: usize = 8;

fn status(result: &Tested) -> &'static str {
    match result.verdict.ruling {
        Ruling::Holds => "pass",
        Ruling::Fails => "fail",
        Ruling::Undecided => "undecided",
    }
}

fn sentence(result: &Tested) -> String {
    let wrong = result.verdict.wrong.join("; ");
    match result.verdict.ruling {
        Ruling::Holds => String::new(),
        Ruling::Fails => wrong,
        Ruling::Undecided => {
            format!("nobody can tell, as policies hold conditions that capol does not know; perhaps {wrong}")
        }
    }
}

fn failed(results: &[Tested]) -> usize {
    results.iter().filter(|result| !result.passed()).count()
}

/// All results for a person: each with a sign, what is wrong, the policies that it comes from and a counterexample.
pub fn test_text(results: &[Tested]) -> Page {
    let mut page = Page::default();
    for result in results {
        let (role, sign) = match result.verdict.ruling {
            Ruling::Holds => (Role::Added, "pass"),
            Ruling::Fails => (Role::Error, "fail"),
            Ruling::Undecided => (Role::Warning, "undecided"),
        };
        let title = format!(
            "  {} \"{}\"",
            result.expectation.kind.word(),
            result.expectation.address.name
        );
        page.line(0, Text::of(role, sign).with(Role::Plain, &title));
        if result.passed() {
            continue;
        }
        page.line(6, Text::of(Role::Muted, &result.place));
        page.line(6, sentence(result));
        for (policy, because) in result.verdict.policies.iter().take(MOST_POLICIES) {
            page.line(6, format!("{policy} {}", standing(*because)));
        }
        let more = result.verdict.policies.len().saturating_sub(MOST_POLICIES);
        if more > 0 {
            page.line(6, format!("and {more} more policies"));
        }
        if let Some(counterexample) = &result.counterexample {
            page.line(6, "This sign-in shows it, as a scenario to paste:");
            page.blank();
            for line in counterexample.lines() {
                let mut text = Text::default();
                text.push_whole(Role::Plain, line.trim_start());
                page.line(line.len() - line.trim_start().len(), text);
            }
            page.blank();
        }
    }
    let failed = failed(results);
    let sum = match results.len() {
        0 => "The project has no scenarios and no invariants.".to_owned(),
        all => format!("{} passed, {failed} failed.", all - failed),
    };
    page.line(0, sum);
    page
}

fn standing(because: Option<Because>) -> String {
    because.map_or_else(
        || "applies".to_owned(),
        |because| format!("does not apply: {because}"),
    )
}

/// All results as one document.
pub fn test_json(results: &[Tested]) -> Json {
    let each: Vec<Json> = results
        .iter()
        .map(|result| {
            json!({
                "kind": result.expectation.kind.word(),
                "name": result.expectation.address.name,
                "address": result.expectation.address.to_string(),
                "place": result.place,
                "status": status(result),
                "problems": result.verdict.wrong,
                "policies": result.verdict.policies.iter().map(|(policy, because)| json!({
                    "policy": policy,
                    "applies": because.is_none(),
                    "because": because.map(|because| because.to_string()),
                })).collect::<Vec<_>>(),
                "counterexample": result.counterexample,
            })
        })
        .collect();
    let failed = failed(results);
    json!({
        "format_version": "1.0",
        "status": if failed == 0 { "pass" } else { "fail" },
        "summary": { "total": results.len(), "passed": results.len() - failed, "failed": failed },
        "results": each,
    })
}

/// All results as JUnit XML.
pub fn test_junit(results: &[Tested]) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for kind in [ExpectationKind::Scenario, ExpectationKind::Invariant] {
        let all: Vec<&Tested> = results
            .iter()
            .filter(|result| result.expectation.kind == kind)
            .collect();
        if all.is_empty() {
            continue;
        }
        let failed = all.iter().filter(|result| !result.passed()).count();
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}s\" tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\">",
            kind.word(),
            all.len()
        );
        for result in all {
            let name = escaped(&result.expectation.address.name);
            if result.passed() {
                let _ = writeln!(
                    out,
                    "    <testcase classname=\"{}\" name=\"{name}\"/>",
                    kind.word()
                );
                continue;
            }
            let mut body = format!("{}\n", result.place);
            for (policy, because) in &result.verdict.policies {
                let _ = writeln!(body, "{policy} {}", standing(*because));
            }
            body.push_str(result.counterexample.as_deref().unwrap_or_default());
            let _ = writeln!(
                out,
                "    <testcase classname=\"{}\" name=\"{name}\">\n      <failure message=\"{}\" type=\"{}\">{}</failure>\n    </testcase>",
                kind.word(),
                escaped(&sentence(result)),
                status(result),
                escaped(&body)
            );
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

/// A text as XML holds it; what XML can't hold at all becomes the replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(letter),
            control if control.is_control() => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
