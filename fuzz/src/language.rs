//! Text: read with errors at their places, laid out without changing what it says.

use capol::lang::memory::Memory;
use capol::lang::{self, Inputs};
use capol::report::{self, Canvas, Finding};
use capol::syntax::{self, Body, FileId, Parsed, SourceFile};
use std::sync::Arc;

fn parsed(name: &str, bytes: &[u8]) -> Option<(SourceFile, Parsed)> {
    let file = SourceFile::from_bytes(FileId(0), name, bytes).ok()?;
    let parsed = syntax::parse(&file);
    Some((file, parsed))
}

/// Any bytes are read; every error lies in the text; a project made of them loads, or says what is wrong.
///
/// # Panics
/// When that does not hold.
pub fn parser(bytes: &[u8]) {
    if let Some((file, parsed)) = parsed("main.capol", bytes) {
        for error in &parsed.errors {
            let span = error.span();
            assert!(
                span.range().end <= file.text().len() && span.start <= span.end,
                "an error lies outside of the text"
            );
        }
        syntax::print(&parsed.tree);
    }
    let loader = Memory::new([])
        .with("main.capol", bytes)
        .with("capol.capolvars", bytes);
    let now = "2026-11-23T12:00:00Z".parse().expect("a time");
    let project = lang::load(Arc::new(loader), "".as_ref(), &Inputs::at(now));
    let (_, diagnostics) = lang::configuration(&project);
    let reported = diagnostics.reported(project.sources());
    let findings: Vec<Finding> = reported
        .iter()
        .take(20)
        .map(|reported| Finding::of(reported))
        .collect();
    let canvas = Canvas {
        width: 80,
        color: false,
    };
    report::diagnostics_text(&findings, canvas, true);
}

/// What was laid out can be read, says the same, and stays as it is.
///
/// # Panics
/// When that does not hold.
pub fn formatter(bytes: &[u8]) {
    let Some((_, before)) = parsed("main.capol", bytes) else {
        return;
    };
    let Ok(laid_out) = syntax::format(&before) else {
        return;
    };
    let (_, after) = parsed("main.capol", laid_out.as_bytes()).expect("what was laid out is text");
    let twice = syntax::format(&after).expect("what was laid out can be read");
    assert_eq!(laid_out, twice, "laying out twice differs");
    assert_eq!(
        meaning(&before.tree),
        meaning(&after.tree),
        "laying out changed what is said"
    );
}

/// A tree without the places of its nodes, the distances that the layout is free to choose and the marks of comments, which
/// it makes `#`.
fn meaning(tree: &Body) -> Vec<String> {
    let text = syntax::with_deep_stack(|| format!("{tree:#?}"));
    let layout = ["blank_before: ", "one_line: ", "multiline: ", "layout: "];
    text.lines()
        .map(str::trim)
        .filter(|line| !layout.iter().any(|layout| line.starts_with(layout)) && !is_place(line))
        .map(|line| match line.strip_prefix("text: \"") {
            Some(text) if text.starts_with(['#', '/']) => text.trim_start_matches(['#', '/', ' ']).to_owned(),
            _ => line.to_owned(),
        })
        .collect()
}

/// Whether a line tells a span and nothing else: `value: 0:13-14,`.
fn is_place(line: &str) -> bool {
    let last = line.rsplit(' ').next().unwrap_or_default().trim_end_matches(',');
    let plain = |c: char| c.is_ascii_digit() || matches!(c, ':' | '-');
    last.contains(':') && last.contains('-') && last.chars().all(plain)
}
