//! What reading and printing promise for every text, not only for the cases that someone thought of.

mod bare;
mod by_grammar;
mod limits;
mod random;
mod round_trip;

use super::{FileId, Parsed, SourceFile, SyntaxErrorKind, parse};

fn read(text: &str) -> Parsed {
    parse(&SourceFile::new(FileId(0), "test.capol", text))
}

/// Reads text that must have no error.
#[track_caller]
fn read_well(text: &str) -> Parsed {
    let parsed = read(text);
    if let Some(error) = parsed.errors.first() {
        let (line, column) = parsed.file.line_column(error.span().start);
        panic!("{line}:{column}: {error}\n{text}");
    }
    parsed
}

fn kinds(parsed: &Parsed) -> Vec<&SyntaxErrorKind> {
    parsed.errors.iter().map(super::SyntaxError::kind).collect()
}
