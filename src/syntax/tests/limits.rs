//! Text that is large, deep or cut off costs an error, never the process.

use super::{kinds, read, read_well};
use crate::syntax::{FILE_LIMIT, FileId, SourceFile, SyntaxErrorKind, print};

/// Reads on a thread with the smallest stack that a main thread has anywhere.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    std::thread::Builder::new()
        .stack_size(1 << 20)
        .spawn(work)
        .unwrap()
        .join()
        .unwrap();
}

fn nested(open: &str, inner: &str, close: &str, times: usize) -> String {
    format!("{}{inner}{}\n", open.repeat(times), close.repeat(times))
}

#[test]
fn nesting_up_to_the_limit_is_read_and_printed() {
    on_a_small_stack(|| {
        for text in [
            nested("[", "x", "]", 199),
            nested("{ a = ", "x", " }", 200),
            nested("(", "x", ")", 200),
            nested("f(1 + ", "x", ")", 120),
            nested("b ? ", "x", " : b", 200),
            nested("\"${", "x", "}\"", 99),
            nested("!", "x", "", 200),
            nested("", "x", " + x", 200),
            nested("", "x", ".y", 200),
        ] {
            let text = format!("a = {text}");
            let once = print(&read_well(&text).tree);
            assert_eq!(print(&read_well(&once).tree), once);
        }
        let blocks = nested("a {\n", "b = 1\n", "}\n", 200);
        print(&read_well(&blocks).tree);
    });
}

#[test]
fn nesting_beyond_the_limit_is_one_error() {
    on_a_small_stack(|| {
        for text in [
            nested("a = [", "x", "]", 1)
                .replace('[', &"[".repeat(10_000))
                .replace(']', &"]".repeat(10_000)),
            format!("a = {}", nested("{ a = ", "x", " }", 10_000)),
            format!("a = {}", nested("(", "x", ")", 10_000)),
            format!("a = {}", nested("f(", "x", ")", 10_000)),
            format!("a = {}", nested("\"${", "x", "}\"", 10_000)),
            format!("a = {}", nested("b ? ", "x", " : b", 10_000)),
            format!("a = {}", nested("", "x", " ? x : x", 10_000)),
            format!("a = {}", nested("!", "x", "", 10_000)),
            format!("a = {}", nested("-", "x", "", 10_000)),
            format!("a = {}", nested("", "x", " + x", 10_000)),
            format!("a = {}", nested("", "x", ".y", 10_000)),
            format!("a = {}", nested("", "x", "[0]", 10_000)),
            nested("a {\n", "b = 1\n", "}\n", 10_000),
            nested("a { ", "", "} ", 10_000),
        ] {
            let parsed = read(&text);
            assert!(
                matches!(kinds(&parsed).as_slice(), [SyntaxErrorKind::TooDeep { .. }]),
                "{:?}",
                kinds(&parsed)
            );
        }
    });
}

#[test]
fn brackets_that_never_close_end_in_errors() {
    on_a_small_stack(|| {
        for text in [
            "a = [".repeat(1_000),
            "a = [\n".repeat(1_000),
            "a {\n".repeat(1_000),
            "a = f(\n".repeat(1_000),
            "}\n".repeat(1_000),
            "a = \"${".repeat(1_000),
            "a = \"${f(\n".repeat(1_000),
            "'\"".repeat(1_001),
            "/*".repeat(1_001),
            "a = <<A\n".repeat(1_000),
            "“".repeat(1_000),
            "[".repeat(1_000) + &"}".repeat(1_000),
            "\0".repeat(1_000),
        ] {
            assert!(!read(&text).errors.is_empty(), "{:?}", text.get(..8));
        }
    });
}

#[test]
fn a_file_cut_off_anywhere_is_read_without_a_panic() {
    let text = "# c\npolicy \"x\" { # o\n  a = [1, \"${b[\"c\"]}\", <<-E\n  t ${u}\n  E\n  , 4h, 5%]\n  b { c = { d : 1 }, e = f(g, h = i...) }\n}\n";
    read_well(text);
    for (end, _) in text.char_indices() {
        let parsed = read(text.split_at(end).0);
        for error in &parsed.errors {
            assert!(error.span().range().end <= end);
        }
    }
}

#[test]
fn a_file_over_the_limit_says_so() {
    let error = SourceFile::from_bytes(FileId(0), "big.capol", &vec![b'\n'; FILE_LIMIT + 1]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the file has 10000001 bytes, and 10000000 are the most that are read"
    );
    SourceFile::from_bytes(FileId(0), "big.capol", &vec![b'\n'; FILE_LIMIT]).unwrap();
}

#[test]
fn a_byte_order_mark_and_carriage_returns_are_accepted_and_formatted_away() {
    let bytes = b"\xEF\xBB\xBFpolicy \"x\" {\r\n  # note\r\n  a = <<EOT\r\n  text\r\nEOT\r\n  b = [\r\n    c,\r\n  ]\r\n}\r\n";
    let file = SourceFile::from_bytes(FileId(0), "windows.capol", bytes).unwrap();
    let parsed = crate::syntax::parse(&file);
    assert_eq!(parsed.errors, []);
    assert_eq!(
        print(&parsed.tree),
        "policy \"x\" {\n  # note\n  a = <<EOT\n  text\nEOT\n  b = [\n    c,\n  ]\n}\n"
    );
}

#[test]
fn bytes_that_are_no_utf8_are_told_by_offset_and_line() {
    let bytes = b"\xEF\xBB\xBF# one\nname = \"caf\xE9\"\n";
    let error = SourceFile::from_bytes(FileId(0), "latin1.capol", bytes).unwrap_err();
    assert_eq!(error.kind(), &SyntaxErrorKind::NotUtf8 { offset: 20, line: 2 });
    assert_eq!(error.file().slice(error.span()), "\u{FFFD}");
}

#[test]
fn a_text_that_is_all_wrong_tells_its_first_thousand_errors() {
    for wrong in ["}\n", "a b\n", "a = \"\\q\"\n", "a = [\n", "a {\n b c\n}\n"] {
        let parsed = read(&wrong.repeat(1_500));
        assert_eq!(parsed.errors.len(), 1_000, "{wrong:?}");
        assert_eq!(
            parsed.errors[0].span().start,
            read(wrong).errors[0].span().start,
            "{wrong:?}"
        );
    }
}

#[test]
fn an_error_deep_inside_is_told_once_and_spares_what_stands_around_it() {
    let outer = "a {\n".repeat(150);
    let text = format!("{outer}b = 1\nc d\ne = 2\n{}f = 3\n", "}\n".repeat(150));
    let parsed = read(&text);
    assert_eq!(kinds(&parsed).len(), 1, "{:?}", kinds(&parsed));
    assert_eq!(
        parsed
            .tree
            .attributes()
            .map(|kept| &*kept.name.text)
            .collect::<Vec<_>>(),
        ["f"]
    );
    let mut body = &parsed.tree;
    while let Some(inner) = body.blocks().next() {
        body = &inner.body;
    }
    assert_eq!(
        body.attributes().map(|kept| &*kept.name.text).collect::<Vec<_>>(),
        ["b", "e"]
    );
}
