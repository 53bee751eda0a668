//! The reader takes what `grammar/capol.pest` takes, no more and no less, and cuts it at the same places.

mod outline;

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
        let text_of_it = file.text().get(range.clone()).unwrap();
        let by_grammar = CapolParser::parse(Rule::statement, text_of_it);
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

/// Text that people wrote, some of it wrong.
const TEXTS: [&str; 40] = [
    include_str!("../../../examples/persona-baseline/admins.capol"),
    include_str!("../../../examples/persona-baseline/externals.capol"),
    include_str!("../../../examples/persona-baseline/foundation.capol"),
    include_str!("../../../examples/persona-baseline/global.capol"),
    include_str!("../../../examples/persona-baseline/internals.capol"),
    include_str!("../../../examples/persona-baseline/personas.capol"),
    include_str!("../../../examples/persona-baseline/programs.capol"),
    include_str!("../../../examples/persona-baseline/variables.capol"),
    include_str!("../../../examples/quickstart/main.capol"),
    include_str!("../../../tests/cases/fmt/comments/input.capol"),
    include_str!("../../../tests/cases/fmt/layout/input.capol"),
    include_str!("../../../tests/cases/fmt/policy/input.capol"),
    include_str!("../../../tests/cases/fmt/strings/input.capol"),
    include_str!("../../../tests/cases/fmt/variables/input.capol"),
    include_str!("../../../tests/cases/fmt/windows/input.capol"),
    include_str!("../../../tests/cases/lang/arithmetic.capol"),
    include_str!("../../../tests/cases/lang/blocks.capol"),
    include_str!("../../../tests/cases/lang/circles.capol"),
    include_str!("../../../tests/cases/lang/duplicates.capol"),
    include_str!("../../../tests/cases/lang/names.capol"),
    include_str!("../../../tests/cases/lang/rollouts.capol"),
    include_str!("../../../tests/cases/lang/rules.capol"),
    include_str!("../../../tests/cases/lang/sound.capol"),
    include_str!("../../../tests/cases/lang/terraform.capol"),
    include_str!("../../../tests/cases/lang/types.capol"),
    include_str!("../../../tests/cases/syntax/assignment.capol"),
    include_str!("../../../tests/cases/syntax/braces.capol"),
    include_str!("../../../tests/cases/syntax/brackets.capol"),
    include_str!("../../../tests/cases/syntax/commas.capol"),
    include_str!("../../../tests/cases/syntax/comment.capol"),
    include_str!("../../../tests/cases/syntax/deep.capol"),
    include_str!("../../../tests/cases/syntax/deep_blocks.capol"),
    include_str!("../../../tests/cases/syntax/for_expressions.capol"),
    include_str!("../../../tests/cases/syntax/heredoc.capol"),
    include_str!("../../../tests/cases/syntax/many_in_one.capol"),
    include_str!("../../../tests/cases/syntax/names.capol"),
    include_str!("../../../tests/cases/syntax/operators.capol"),
    include_str!("../../../tests/cases/syntax/strings.capol"),
    include_str!("../../../tests/cases/syntax/truncated.capol"),
    include_str!("../../../tests/cases/syntax/units.capol"),
];

#[test]
fn what_people_wrote_is_read_as_the_grammar_says() {
    for text in TEXTS {
        compare(text);
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
    let (mut taken, mut refused) = (0, 0);
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut pick = |count: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % count
    };
    for _ in 0..2_000 {
        let lines: Vec<&str> = TEXTS[pick(TEXTS.len())].split_inclusive('\n').collect();
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
