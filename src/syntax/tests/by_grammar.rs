//! The reader takes what `grammar/capol.pest` takes, no more and no less, and cuts it at the same places.

mod outline;

use std::path::Path;

use pest::Parser;
use proptest::prelude::*;

use super::random;
use crate::syntax::grammar::{CapolParser, Rule};
use crate::syntax::read::Reader;
use crate::syntax::scan::scan_file;
use crate::syntax::{FileId, SourceFile, print};

/// Holds the reader against the grammar, statement by statement; how many both took, and how many neither.
fn compare(text: &str) -> (usize, usize) {
    let (mut taken, mut refused) = (0, 0);
    let file = SourceFile::new(FileId(0), "test.capol", text);
    let scan = scan_file(&file);
    // What the scan reports reaches neither of them.
    for statement in scan.statements.iter().filter(|statement| !statement.broken) {
        let range = statement.range.clone();
        let by_grammar = CapolParser::parse(Rule::statement, &file.text()[range.clone()]);
        let mut reader = Reader::new(&file, &scan.comments);
        match (by_grammar, reader.statement(range.clone())) {
            (Ok(pairs), Ok(item)) => {
                assert_eq!(
                    outline::of_pairs(pairs, range.start),
                    outline::of_item(&item),
                    "{text}"
                );
                taken += 1;
            }
            (Err(_), Err(_)) => refused += 1,
            (by_grammar, read) => panic!("the grammar: {by_grammar:?}\nthe reader: {read:?}\n{text}"),
        }
    }
    (taken, refused)
}

/// Text that people wrote.
fn texts() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("examples"), root.join("tests/cases")];
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let is_text = |ending: &std::ffi::OsStr| ending == "capol" || ending == "capolvars";
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(is_text) {
                texts.push(String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned());
            }
        }
    }
    texts.sort();
    assert!(texts.len() > 50, "there is nothing to read");
    texts
}

#[test]
fn what_people_wrote_is_read_as_the_grammar_says() {
    for text in texts() {
        compare(&text);
    }
}

#[test]
fn random_trees_are_read_as_the_grammar_says() {
    let mut config = ProptestConfig::with_cases(256);
    config.failure_persistence = None;
    proptest!(config, |(body in random::body())| {
        compare(&print(&body));
    });
}

/// Pieces that mean something somewhere.
const PIECES: [&str; 72] = [
    "\"",
    "${",
    "}",
    "{",
    "[",
    "]",
    "(",
    ")",
    "=",
    "==",
    "=>",
    ":",
    ":=",
    ",",
    ".",
    "...",
    "*",
    "-",
    "!",
    "?",
    "%",
    "10%",
    "4h",
    "1e5",
    "1.5",
    "for",
    "in",
    "if",
    "a",
    "a.b",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    "#",
    "//",
    "/*",
    "*/",
    "<<EOT\n",
    "EOT\n",
    "<<-E\n",
    "'",
    "“",
    "”",
    "$${",
    "%{",
    "%%{",
    "\\",
    "\\u0041",
    "\\x",
    "æ",
    "é-",
    "·",
    "null",
    "true",
    "0",
    "a = 1",
    "b { c = 1 }",
    "for x in y : x",
    "\u{0}",
    "[*]",
    ".*",
    ".0",
    "_",
    "\u{202E}",
    "||",
    "&&",
    "<",
    ">=",
    "+",
    "/",
];

#[test]
fn spoiled_text_is_refused_where_the_grammar_refuses_it() {
    let texts = texts();
    let (mut taken, mut refused) = (0, 0);
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut pick = |count: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % count
    };
    for _ in 0..2_000 {
        let lines: Vec<&str> = texts[pick(texts.len())].split_inclusive('\n').collect();
        let first = pick(lines.len());
        let last = (first + 1 + pick(30)).min(lines.len());
        let mut text: Vec<char> = lines[first..last].concat().chars().collect();
        for _ in 0..pick(5) {
            let start = pick(text.len() + 1);
            let end = (start + pick(4)).min(text.len());
            let piece: Vec<char> = match pick(3) {
                0 => Vec::new(),
                1 => PIECES[pick(PIECES.len())].chars().collect(),
                _ => text[pick(text.len() + 1)..].iter().copied().take(12).collect(),
            };
            text.splice(start..end, piece);
        }
        let counts = compare(&String::from_iter(text));
        taken += counts.0;
        refused += counts.1;
    }
    assert!(taken > 1_000 && refused > 500, "{taken} taken, {refused} refused");
}
