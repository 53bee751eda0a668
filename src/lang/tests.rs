//! Expressions and what they come to.

use std::sync::Arc;

use super::error::Diagnostics;
use super::memory::Memory;
use super::scope::{ModuleId, Scope};
use super::{Inputs, Project, load};
use crate::syntax::{SourceFile, parse};

/// The moment that the tests take for now.
pub(super) fn noon() -> jiff::Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

/// A project of these files.
pub(super) fn project(files: &[(&str, &str)]) -> Project {
    load(
        Arc::new(Memory::new(files.iter().copied())),
        "".as_ref(),
        &Inputs::at(noon()),
    )
}

/// A project of one file, without fault.
#[track_caller]
pub(super) fn sound(text: &str) -> Project {
    let project = project(&[("main.capol", text)]);
    assert_eq!(problems(project.diagnostics()), Vec::<String>::new());
    project
}

/// Every problem as `code: message (help)`.
pub(super) fn problems(diagnostics: &Diagnostics) -> Vec<String> {
    diagnostics
        .iter()
        .map(|one| format!("{}: {} ({})", one.code, one.message, one.help))
        .collect()
}

fn evaluated(project: &Project, expression: &str) -> (String, Vec<String>) {
    let id = crate::syntax::FileId(u32::try_from(project.sources().iter().count()).unwrap());
    let file = SourceFile::new(id, "expression", format!("it = {expression}\n"));
    let parsed = parse(&file);
    assert!(parsed.errors.is_empty(), "{expression}: {:?}", parsed.errors);
    let attribute = parsed.tree.attributes().next().unwrap();
    let mut diagnostics = Diagnostics::new();
    let value = project.evaluate(&attribute.value, &Scope::of(ModuleId::ROOT), &mut diagnostics);
    (value.to_string(), problems(&diagnostics))
}

/// Holds a table of expressions and the values they come to.
#[track_caller]
pub(super) fn check(context: &str, table: &[(&str, &str)]) {
    let project = sound(context);
    for (expression, expected) in table {
        let (value, problems) = evaluated(&project, expression);
        assert_eq!(problems, Vec::<String>::new(), "{expression}");
        assert_eq!(value, *expected, "{expression}");
    }
}

/// Holds a table of expressions and the problem each meets.
#[track_caller]
pub(super) fn refuse(context: &str, table: &[(&str, &str)]) {
    let project = sound(context);
    for (expression, expected) in table {
        let (value, problems) = evaluated(&project, expression);
        assert_eq!(problems, [*expected], "{expression}");
        assert!(value.contains("(error)"), "{expression} came to {value}");
    }
}

#[test]
fn literals_come_to_what_they_say() {
    check(
        "locals {}",
        &[
            ("null", "null"),
            ("true", "true"),
            ("1.50", "1.5"),
            ("9223372036854775807", "9223372036854775807"),
            ("4h", "4h"),
            ("0.5%", "0.5%"),
            ("report_only", "report_only"),
            ("\"a\\tb\"", "\"a\\tb\""),
            ("[1, \"a\", b]", "[1, \"a\", b]"),
            (
                "{ a = 1, \"b c\" = 2, (\"d${1}\") = 3 }",
                "{ a = 1, \"b c\" = 2, d1 = 3 }",
            ),
        ],
    );
}

mod expressions;
mod functions;
mod projects;
mod references;
mod round_trip;
mod variables;
