//! The first look at a text: one pass, no recursion. It cuts a body into
//! statements, collects the comments, and sees to it that strings, comments and
//! brackets close and are not nested too deeply for the grammar to follow.

mod brackets;
mod text;

use std::ops::Range;

use super::error::{ERROR_LIMIT, SyntaxError, SyntaxErrorKind};
use super::span::{SourceFile, Span};

/// The most brackets that may stand inside each other.
pub(super) const BRACKET_LIMIT: usize = 200;

/// What a scan found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// Where each comment stands, space after it left out.
    pub(super) comments: Vec<Span>,
    pub(super) statements: Vec<Statement>,
    pub(super) errors: Vec<SyntaxError>,
}

/// One attribute or block, or what stands where one should.
#[derive(Debug, Clone)]
pub(super) struct Statement {
    /// From its first to its last character that is neither space nor comment.
    pub(super) range: Range<usize>,
    /// Whether the scan reported an error in it, so that the grammar need not.
    pub(super) broken: bool,
    /// Whether it is nested too deeply to look into.
    pub(super) too_deep: bool,
    /// What lies between the first `{` outside other brackets and the `}` that closes it, or the end.
    pub(super) braces: Option<Range<usize>>,
}

/// How statements are separated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Separation {
    /// By line breaks, as in a file or a block over several lines.
    Lines,
    /// By commas or line breaks, as in a one-line block or an object.
    Commas,
    /// By commas alone, as in a list or call.
    Elements,
}

/// Scans a whole file. Where its brackets or strings do not close, it scans again and takes lines that look
/// like the start of a block or attribute for one, so that one forgotten bracket does not swallow the rest.
pub(super) fn scan_file(file: &SourceFile) -> Scan {
    let whole = 0..file.text().len();
    let scan = Scanner::new(file, whole.clone(), Separation::Lines, false).run();
    let unclosed = scan.errors.iter().any(|error| {
        matches!(
            error.kind(),
            SyntaxErrorKind::UnclosedBracket { .. }
                | SyntaxErrorKind::StrayCloser { .. }
                | SyntaxErrorKind::UnclosedInterpolation
                | SyntaxErrorKind::UnclosedString
        )
    });
    if unclosed {
        return Scanner::new(file, whole, Separation::Lines, true).run();
    }
    scan
}

/// Scans the inside of a block that could not be read whole to find its statements; comments and errors are
/// already known.
pub(super) fn scan_inside(
    file: &SourceFile,
    range: Range<usize>,
    separation: Separation,
    broken: bool,
) -> Vec<Statement> {
    Scanner::new(file, range, separation, broken).run().statements
}

/// What a place is inside of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// The braces of a block.
    Block,
    /// Any other bracket, or `${`.
    Bracket,
}

/// The innermost bracket that is open at the end of a piece of a statement.
pub(super) fn innermost(file: &SourceFile, range: Range<usize>) -> Option<Open> {
    let start = range.start;
    let mut scanner = Scanner::new(file, range, Separation::Lines, false);
    while scanner.at < scanner.end {
        scanner.step();
    }
    match scanner.stack.last()? {
        Frame::Bracket { open: b'{', at, .. } => {
            let before = file.text().get(start..*at).unwrap_or_default().trim_end();
            let after_name = before.ends_with(|c: char| c.is_alphanumeric() || "_-\"".contains(c));
            Some(if after_name { Open::Block } else { Open::Bracket })
        }
        _ => Some(Open::Bracket),
    }
}

/// The outermost bracket of a piece of text that is open at a place, and what stands inside it.
pub(super) fn outermost(file: &SourceFile, range: Range<usize>, place: usize) -> Option<(u8, Range<usize>)> {
    let mut scanner = Scanner::new(file, range, Separation::Elements, false);
    while scanner.at < place.min(scanner.end) {
        scanner.step();
    }
    let Some(Frame::Bracket { open, at: opened, .. }) = scanner.stack.first().copied() else {
        return None;
    };
    while !scanner.stack.is_empty() && scanner.at < scanner.end {
        scanner.step();
    }
    Some((open, opened + 1..scanner.at.saturating_sub(1).max(opened + 1)))
}

/// What the scanner is inside of.
#[derive(Debug, Clone, Copy)]
enum Frame {
    /// `(`, `[` or `{`, and how far its line is indented.
    Bracket { open: u8, at: usize, indent: usize },
    /// `${`
    Interpolation { at: usize },
    /// A string.
    String { at: usize },
    /// A heredoc and where its marker is written.
    Heredoc { at: usize, marker: (usize, usize) },
}

/// Whether a byte outside of text means nothing here.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.' | b'=')
}

struct Scanner<'a> {
    file: &'a SourceFile,
    bytes: &'a [u8],
    at: usize,
    end: usize,
    separation: Separation,
    resynchronise: bool,
    stack: Vec<Frame>,
    line_start: usize,
    statement: Option<Statement>,
    too_deep: bool,
    heredoc_in_string: bool,
    /// An opening bracket and a closing one of it that stands less indented: probably not its own.
    suspect: Option<(u8, usize, usize)>,
    scan: Scan,
    last_end: usize,
}

impl<'a> Scanner<'a> {
    fn new(file: &'a SourceFile, range: Range<usize>, separation: Separation, resynchronise: bool) -> Self {
        Self {
            file,
            bytes: file.text().as_bytes(),
            at: range.start,
            end: range.end,
            separation,
            resynchronise,
            stack: Vec::new(),
            line_start: range.start,
            statement: None,
            too_deep: false,
            heredoc_in_string: false,
            suspect: None,
            scan: Scan::default(),
            last_end: range.start,
        }
    }

    fn run(mut self) -> Scan {
        while self.at < self.end {
            self.step();
        }
        self.close_all(self.end);
        self.finish_statement();
        self.scan
    }

    fn step(&mut self) {
        match self.stack.last() {
            Some(Frame::String { .. }) => self.in_string(),
            Some(Frame::Heredoc { marker, .. }) => {
                let marker = *marker;
                self.in_heredoc(marker);
            }
            _ => self.in_code(),
        }
    }

    fn peek(&self, ahead: usize) -> u8 {
        let position = self.at + ahead;
        if position < self.end {
            self.bytes.get(position).copied().unwrap_or(0)
        } else {
            0
        }
    }

    fn looking_at(&self, text: &[u8]) -> bool {
        self.bytes
            .get(self.at..self.end)
            .is_some_and(|rest| rest.starts_with(text))
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file.id(), start, end)
    }

    fn report(&mut self, start: usize, end: usize, kind: SyntaxErrorKind) {
        self.fail(SyntaxError::new(self.file, self.span(start, end), kind));
    }

    fn fail(&mut self, error: SyntaxError) {
        if self.scan.errors.len() < ERROR_LIMIT {
            self.scan.errors.push(error);
        }
        if let Some(statement) = &mut self.statement {
            statement.broken = true;
        }
    }

    /// Marks what stands here as part of a statement.
    fn touch(&mut self, length: usize) {
        let at = self.at;
        self.statement.get_or_insert(Statement {
            range: at..at,
            broken: false,
            too_deep: false,
            braces: None,
        });
        self.at += length;
        self.last_end = self.at;
    }

    fn finish_statement(&mut self) {
        if let Some(mut statement) = self.statement.take() {
            statement.range.end = self.last_end.max(statement.range.start);
            self.scan.statements.push(statement);
        }
        self.suspect = None;
        self.too_deep = false;
        self.heredoc_in_string = false;
    }

    fn in_code(&mut self) {
        match self.peek(0) {
            b'\n' => self.line_break(),
            b' ' | b'\t' | b'\r' => self.at += 1,
            b'#' => self.line_comment(),
            b'/' if self.peek(1) == b'/' => self.line_comment(),
            b'/' if self.peek(1) == b'*' => self.block_comment(),
            b'"' => {
                let at = self.at;
                self.touch(1);
                self.stack.push(Frame::String { at });
            }
            b'\'' => {
                let length = self.quoted_on_line(1, &["'"]);
                self.touch(length);
            }
            b'<' if self.peek(1) == b'<' => self.heredoc_start(),
            open @ (b'(' | b'[' | b'{') => self.open(open),
            close @ (b')' | b']' | b'}') => self.close(close),
            b',' if self.stack.is_empty() && self.separation != Separation::Lines => {
                self.finish_statement();
                self.at += 1;
            }
            0xE2 => self.wide(),
            _ => {
                let rest = self.bytes.get(self.at + 1..self.end).unwrap_or_default();
                let plain = rest.iter().take_while(|byte| is_plain(**byte)).count();
                self.touch(1 + plain);
            }
        }
    }

    fn line_break(&mut self) {
        self.text_at_line_break();
        if self.stack.is_empty() && self.separation != Separation::Elements && !self.brace_follows() {
            self.finish_statement();
        }
        self.at += 1;
        self.line_start = self.at;
        if self.resynchronise {
            if self.block_starts_here() {
                self.close_all(self.last_end);
                self.finish_statement();
            } else if self.attribute_starts_here() {
                self.leave_brackets();
            }
        }
    }

    /// Whether the next line that is not empty starts with `{`, which then belongs to this statement.
    fn brace_follows(&self) -> bool {
        self.statement
            .as_ref()
            .is_some_and(|statement| statement.braces.is_none())
            && self
                .bytes
                .get(self.at..self.end)
                .unwrap_or_default()
                .iter()
                .find(|byte| !byte.is_ascii_whitespace())
                == Some(&b'{')
    }

    /// The line that starts here, and the length of the word at its start, indentation left out.
    fn line_and_word(&self) -> (usize, &'a [u8], usize) {
        let rest = self.bytes.get(self.at..self.end).unwrap_or_default();
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let trimmed = line.trim_ascii_start();
        let word = trimmed
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
            .count();
        (line.len() - trimmed.len(), trimmed, word)
    }

    /// Whether a line inside other brackets looks like `name "label" {` at the left margin, and no text is open.
    fn block_starts_here(&self) -> bool {
        let (indent, line, word) = self.line_and_word();
        let after = line.get(word..).unwrap_or_default().trim_ascii();
        indent == 0
            && word > 0
            && line.first().is_some_and(u8::is_ascii_alphabetic)
            && (after.starts_with(b"{") || (after.starts_with(b"\"") && after.contains(&b'{')))
            && !self.stack.is_empty()
            && self
                .stack
                .iter()
                .all(|frame| matches!(frame, Frame::Bracket { .. }))
    }

    /// Whether a line inside `[` or `(` looks like `name = …` or `name {`, which could not stand there.
    fn attribute_starts_here(&self) -> bool {
        let (indent, line, word) = self.line_and_word();
        let after = line.get(word..).unwrap_or_default().trim_ascii();
        let attribute = after.starts_with(b"=") && !after.starts_with(b"==");
        let starts = word > 0 && (attribute || after.starts_with(b"{"));
        match self.stack.last() {
            Some(Frame::Bracket { open: b'[', .. }) => starts,
            Some(Frame::Bracket {
                open: b'(',
                indent: outer,
                ..
            }) => starts && indent <= *outer,
            _ => false,
        }
    }
}
