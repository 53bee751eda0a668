//! What people and machines see of what is wrong.

use miette::{Diagnostic, NamedSource, Severity, SourceSpan};

use super::*;

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("`{symbol}` is not a policy state")]
#[diagnostic(
    code("lang::unknown_symbol"),
    help("write one of enabled, report_only, disabled")
)]
struct UnknownState {
    symbol: String,
    #[label("here")]
    at: SourceSpan,
    #[label("the policy")]
    policy: SourceSpan,
    #[source_code]
    file: NamedSource<String>,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("`{name}` has no group")]
#[diagnostic(code("lang::lonely"), severity(Warning))]
struct Lonely {
    name: String,
    #[label]
    at: SourceSpan,
    #[source_code]
    file: NamedSource<String>,
}

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("the tenant could not be read")]
#[diagnostic(code("graph::read"), help("run `capol doctor`"))]
struct Unread(#[source] std::io::Error);

#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("several things are wrong")]
struct Several(#[related] Vec<UnknownState>);

const TEXT: &str = "policy \"ærø\" {\n  name  = \"東京 A\"\n  state = enable\n}\n";

fn file() -> NamedSource<String> {
    NamedSource::new("policies/tokyo.capol", TEXT.to_owned())
}

fn unknown(symbol: &str) -> UnknownState {
    UnknownState {
        symbol: symbol.into(),
        at: (TEXT.find("enable").unwrap(), 6).into(),
        policy: (0, 6).into(),
        file: file(),
    }
}

fn findings() -> Vec<Finding> {
    let lonely = Lonely {
        name: "ærø".into(),
        at: (7, 7).into(),
        file: file(),
    };
    let unread = Unread(std::io::Error::other(
        "status 403, code Authorization_RequestDenied, request-id 8f2c",
    ));
    [
        &unread as &dyn Diagnostic,
        &Several(vec![unknown("enable")]),
        &lonely,
    ]
    .into_iter()
    .flat_map(Finding::all_of)
    .collect()
}

#[test]
fn people_get_every_finding_in_file_order_and_a_count() {
    let canvas = Canvas {
        width: 80,
        color: false,
    };
    insta::assert_snapshot!("people_terminal", diagnostics_text(&findings(), canvas, true));
    insta::assert_snapshot!("people_elsewhere", diagnostics_text(&findings(), canvas, false));
    let colored = diagnostics_text(
        &findings(),
        Canvas {
            width: 120,
            color: true,
        },
        true,
    );
    insta::assert_snapshot!("people_color", colored.replace('\u{1b}', "␛"));
}

#[test]
fn machines_get_terraforms_keys() {
    insta::assert_json_snapshot!(validation_json(&findings()));
}

#[test]
fn a_place_counts_characters_and_bytes() {
    let finding = finding_json(&Finding::of(&unknown("enable")));
    let byte = TEXT.find("enable").unwrap();
    assert_eq!(
        finding["range"]["start"],
        serde_json::json!({ "line": 3, "column": 11, "byte": byte })
    );
    assert_eq!(finding["snippet"]["code"], "  state = enable");
    assert_eq!(finding["snippet"]["highlight_start_offset"], 10);
    assert_eq!(finding["snippet"]["highlight_end_offset"], 16);
}

#[test]
fn nothing_in_a_finding_moves_the_cursor() {
    let text = "policy \"\u{1b}[2J\u{202e}p\" {\n  state = \u{9b}31menable\n}\n";
    let at = text.find("enable").unwrap();
    let error = UnknownState {
        symbol: "\u{1b}]0;owned\u{7}".into(),
        at: (at, 6).into(),
        policy: (0, 6).into(),
        file: NamedSource::new("a\u{1b}b.capol", text.to_owned()),
    };
    let finding = Finding::of(&error);
    assert_eq!(finding.place(), Some(("a\\u{1b}b.capol", at)));
    for is_terminal in [true, false] {
        let shown = diagnostics_text(
            std::slice::from_ref(&finding),
            Canvas {
                width: 80,
                color: false,
            },
            is_terminal,
        );
        assert!(
            !shown
                .chars()
                .any(|c| c != '\n' && super::super::visible::hides(c)),
            "{shown:?}"
        );
        assert!(shown.contains("enable"), "{shown}");
    }
}

#[test]
fn a_finding_made_by_hand_points_into_a_file() {
    let source = Source::new("main.capol", TEXT);
    let finding = Finding::plain(
        Severity::Warning,
        Some("plan::missing_id"),
        "nothing has the id `x`",
        None,
    )
    .at(&source, 7, 14, Some("here"));
    assert_eq!(finding.place(), Some(("main.capol", 7)));
    assert_eq!(count(&[finding]).as_deref(), Some("1 warning"));
    assert_eq!(count(&[]), None);
}
