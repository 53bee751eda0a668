//! What a configuration with mistakes is answered: message, span, help, as a person reads them.

use std::path::Path;
use std::sync::Arc;

use capol::lang::error::Reported;
use capol::lang::memory::Memory;
use capol::lang::{Inputs, configuration, load};
use miette::{GraphicalReportHandler, GraphicalTheme};

/// The diagnostics of a project of one file, as printed on a hundred columns without colour.
fn answered(name: &str, text: &str) -> String {
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    let project = load(
        Arc::new(Memory::new([(name, text)])),
        "".as_ref(),
        &Inputs::at(now),
    );
    let (_, diagnostics) = configuration(&project);
    let printer = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(100);
    let mut out = String::new();
    for diagnostic in diagnostics.iter() {
        let reported = Reported::new(diagnostic.clone(), project.sources());
        printer.render_report(&mut out, &reported).unwrap();
        out.push('\n');
    }
    out
}

#[test]
fn every_case_is_answered_as_it_was_reviewed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/lang");
    let mut names: Vec<String> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|ending| ending == "capol")
        })
        .collect();
    names.sort();
    assert!(names.len() >= 9, "cases are missing: {names:?}");
    for name in names {
        let text = std::fs::read_to_string(folder.join(&name)).unwrap();
        let answer = answered(&name, &text);
        insta::with_settings!({ snapshot_path => "cases/lang", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name.trim_end_matches(".capol"), answer);
        });
    }
}

#[test]
fn what_is_sound_is_answered_with_silence() {
    let text = include_str!("cases/lang/sound.capol");
    assert_eq!(answered("sound.capol", text), "");
}
