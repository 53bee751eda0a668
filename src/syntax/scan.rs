//! The first look at a text: one pass, no recursion. It cuts a body into
//! statements, collects the comments, and sees to it that strings, comments and
//! brackets close and are not nested too deeply for the grammar to follow.

use std::ops::Range;

use super::error::{SyntaxError, SyntaxErrorKind, closer_of};
use super::span::{SourceFile, Span};
use super::tree::Comment;

/// The most brackets that may stand inside each other.
pub(super) const BRACKET_LIMIT: usize = 200;

/// What a scan found.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) comments: Vec<Comment>,
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
    /// By commas, as in a one-line block.
    Commas,
}

/// Scans a whole file. Where its brackets do not balance, a line that looks like the start of a block
/// at the left margin is taken for one, so that one forgotten brace does not swallow the rest.
pub(super) fn scan_file(file: &SourceFile) -> Scan {
    let whole = 0..file.text().len();
    let scan = Scanner::new(file, whole.clone(), Separation::Lines, false).run();
    if scan.errors.iter().any(|error| {
        matches!(
            error.kind(),
            SyntaxErrorKind::UnclosedBracket { .. } | SyntaxErrorKind::StrayCloser { .. }
        )
    }) {
        return Scanner::new(file, whole, Separation::Lines, true).run();
    }
    scan
}

/// Scans the inside of a block again to find its statements; comments and errors are already known.
pub(super) fn scan_inside(file: &SourceFile, range: Range<usize>, separation: Separation) -> Vec<Statement> {
    Scanner::new(file, range, separation, false).run().statements
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
        let error = SyntaxError::new(self.file, self.span(start, end), kind);
        self.scan.errors.push(error);
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
                let length = self.quoted_on_line(1, "'");
                self.touch(length);
            }
            b'<' if self.peek(1) == b'<' => self.heredoc_start(),
            open @ (b'(' | b'[' | b'{') => self.open(open),
            close @ (b')' | b']' | b'}') => self.close(close),
            b',' if self.stack.is_empty() && self.separation == Separation::Commas => {
                self.finish_statement();
                self.at += 1;
            }
            0xE2 => self.wide(),
            _ => self.touch(1),
        }
    }

    /// A character of three bytes: a curly quote, or one that hides text.
    fn wide(&mut self) {
        if self.looking_at("“".as_bytes()) {
            let length = self.quoted_on_line(3, "”");
            self.touch(length);
        } else {
            self.touch(1);
            self.at -= 1;
            self.hidden_character();
        }
        self.last_end = self.at;
    }

    /// Reports a character that reorders text; steps over the first byte of whatever stands here.
    fn hidden_character(&mut self) {
        let third = self.peek(2);
        let hidden = match self.peek(1) {
            0x80 => (0xAA..=0xAE).contains(&third),
            0x81 => (0xA6..=0xA9).contains(&third),
            _ => false,
        };
        if hidden {
            let code = 0x2000 + (u32::from(self.peek(1)) - 0x80) * 64 + u32::from(third) - 0x80;
            self.report(self.at, self.at + 3, SyntaxErrorKind::HiddenCharacter { code });
            self.at += 3;
        } else {
            self.at += 1;
        }
    }

    /// The length up to the closing quote on this line, or of the opening one alone.
    fn quoted_on_line(&self, opening: usize, close: &str) -> usize {
        let rest = self.bytes.get(self.at + opening..self.end).unwrap_or_default();
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        line.windows(close.len())
            .position(|window| window == close.as_bytes())
            .map_or(opening, |found| opening + found + close.len())
    }

    fn line_break(&mut self) {
        if let Some(Frame::Interpolation { at }) = self.stack.last().copied()
            && let [.., Frame::String { .. }, Frame::Interpolation { .. }] = self.stack.as_slice()
        {
            self.report(at, at + 2, SyntaxErrorKind::UnclosedInterpolation);
            self.leave_string_line();
        }
        if self.stack.is_empty() && !self.brace_follows() {
            self.finish_statement();
        }
        self.at += 1;
        self.line_start = self.at;
        if self.resynchronise && !self.stack.is_empty() && self.block_starts_here() {
            self.close_all(self.last_end);
            self.finish_statement();
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

    /// Whether the line looks like `name "label" {` at the left margin, and no text is open.
    fn block_starts_here(&self) -> bool {
        if self
            .stack
            .iter()
            .any(|frame| !matches!(frame, Frame::Bracket { .. }))
        {
            return false;
        }
        let rest = self.bytes.get(self.at..self.end).unwrap_or_default();
        let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let word = line
            .iter()
            .take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_')
            .count();
        let after = line.get(word..).unwrap_or_default().trim_ascii();
        word > 0
            && line.first().is_some_and(u8::is_ascii_alphabetic)
            && (after.starts_with(b"{") || (after.starts_with(b"\"") && after.contains(&b'{')))
    }

    fn line_comment(&mut self) {
        let start = self.at;
        let rest = self.bytes.get(start..self.end).unwrap_or_default();
        let length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        self.comment(start, start + length);
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let rest = self.bytes.get(start + 2..self.end).unwrap_or_default();
        if let Some(length) = rest.windows(2).position(|pair| pair == b"*/") {
            self.comment(start, start + length + 4);
        } else {
            self.report(start, start + 2, SyntaxErrorKind::UnclosedComment);
            self.comment(start, self.end);
        }
    }

    fn comment(&mut self, start: usize, end: usize) {
        let text = self.file.text().get(start..end).unwrap_or_default();
        let text = text.trim_end();
        self.scan.comments.push(Comment {
            text: text.replace("\r\n", "\n"),
            blank_before: false,
            span: self.span(start, start + text.len()),
        });
        while self.at < end {
            if self.peek(0) == 0xE2 {
                self.hidden_character();
            } else {
                self.at += 1;
            }
        }
        if text.contains('\n') {
            self.line_start = end;
        }
    }

    fn open(&mut self, open: u8) {
        let at = self.at;
        let outermost = self.stack.is_empty();
        self.touch(1);
        if outermost
            && open == b'{'
            && let Some(statement) = &mut self.statement
            && statement.braces.is_none()
        {
            statement.braces = Some(at + 1..self.end);
        }
        let line = self.bytes.get(self.line_start..at).unwrap_or_default();
        let indent = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.push_limited(Frame::Bracket { open, at, indent });
    }

    fn push_limited(&mut self, frame: Frame) {
        self.stack.push(frame);
        if self.stack.len() > BRACKET_LIMIT && !self.too_deep {
            self.too_deep = true;
            if let Some(statement) = &mut self.statement {
                statement.too_deep = true;
            }
            self.report(
                self.at - 1,
                self.at,
                SyntaxErrorKind::TooDeep { limit: BRACKET_LIMIT },
            );
        }
    }

    fn close(&mut self, close: u8) {
        let at = self.at;
        self.touch(1);
        match self.stack.last().copied() {
            Some(Frame::Bracket {
                open,
                at: opened,
                indent,
            }) if closes(open, close) => {
                self.stack.pop();
                self.closed_bracket(open, opened, indent, at);
            }
            Some(Frame::Interpolation { .. }) if close == b'}' => {
                self.stack.pop();
            }
            _ => self.mismatch(close, at),
        }
    }

    fn closed_bracket(&mut self, open: u8, opened: usize, indent: usize, at: usize) {
        let line = self.bytes.get(self.line_start..at).unwrap_or_default();
        let first_on_line = line.iter().all(u8::is_ascii_whitespace);
        if first_on_line && line.len() < indent && self.suspect.is_none() {
            self.suspect = Some((open, opened, at));
        }
        if self.stack.is_empty()
            && let Some(statement) = &mut self.statement
            && let Some(braces) = &mut statement.braces
            && braces.start == opened + 1
        {
            braces.end = at;
        }
    }

    /// A closing bracket that is not the innermost one's: closes an outer one of its kind, if there is one
    /// outside any text, and reports the inner one as open; otherwise it is stray.
    fn mismatch(&mut self, close: u8, at: usize) {
        let reachable = self
            .stack
            .iter()
            .rposition(|frame| !matches!(frame, Frame::Bracket { .. }))
            .map_or(0, |text| text + 1);
        let matching = self
            .stack
            .iter()
            .enumerate()
            .skip(reachable)
            .rev()
            .find_map(|(index, frame)| match frame {
                Frame::Bracket { open, .. } if closes(*open, close) => Some(index),
                _ => None,
            });
        let Some(index) = matching else {
            self.report(
                at,
                at + 1,
                SyntaxErrorKind::StrayCloser {
                    close: char::from(close),
                },
            );
            return;
        };
        if let Some(Frame::Bracket { open, at: opened, .. }) = self.stack.get(index + 1).copied() {
            self.unclosed(open, opened, Some(at));
        }
        self.stack.truncate(index + 1);
        if let Some(Frame::Bracket {
            open,
            at: opened,
            indent,
        }) = self.stack.pop()
        {
            self.closed_bracket(open, opened, indent, at);
        }
    }

    fn unclosed(&mut self, open: u8, opened: usize, closer: Option<usize>) {
        let open = char::from(open);
        let error = SyntaxError::new(
            self.file,
            self.span(opened, opened + 1),
            SyntaxErrorKind::UnclosedBracket { open },
        );
        let error = match closer {
            Some(at) => error.with_related(
                self.span(at, at + 1),
                &format!("a `{}` should come before this", closer_of(open)),
            ),
            None => error,
        };
        self.scan.errors.push(error);
        if let Some(statement) = &mut self.statement {
            statement.broken = true;
        }
    }

    /// Reports what is still open where a statement has to end.
    fn close_all(&mut self, end: usize) {
        let text = self
            .stack
            .iter()
            .rev()
            .find(|frame| !matches!(frame, Frame::Bracket { .. }))
            .copied();
        match (text, self.stack.last().copied()) {
            (Some(Frame::Heredoc { at, marker }), _) => {
                let marker = self
                    .file
                    .text()
                    .get(marker.0..marker.1)
                    .unwrap_or_default()
                    .to_owned();
                self.report(at, at + 2, SyntaxErrorKind::UnclosedHeredoc { marker });
            }
            (Some(Frame::Interpolation { at }), _) => {
                self.report(at, at + 2, SyntaxErrorKind::UnclosedInterpolation);
            }
            (Some(Frame::String { at }), _) => {
                self.report(at, at + 1, SyntaxErrorKind::UnclosedString);
            }
            (_, Some(Frame::Bracket { open, at, .. })) => match self.suspect {
                Some((open, at, closer)) => self.unclosed(open, at, Some(closer)),
                None => self.unclosed(open, at, None),
            },
            _ => {}
        }
        self.stack.clear();
        if let Some(statement) = &mut self.statement
            && let Some(braces) = &mut statement.braces
            && braces.end > end
        {
            braces.end = end;
        }
    }

    fn in_string(&mut self) {
        match self.peek(0) {
            b'\\' if !matches!(self.peek(1), b'\n' | b'\r') => {
                self.touch(2.min(self.end - self.at));
            }
            b'"' => {
                self.touch(1);
                self.stack.pop();
            }
            b'\n' => {
                let line_start = self.line_start;
                let outermost = self.stack.iter().find_map(|frame| match frame {
                    Frame::String { at } if *at >= line_start => Some(*at),
                    _ => None,
                });
                if let Some(at) = outermost.or_else(|| self.string_start()) {
                    self.report(at, at + 1, SyntaxErrorKind::UnclosedString);
                }
                self.leave_string_line();
            }
            _ => self.text_byte(),
        }
    }

    fn string_start(&self) -> Option<usize> {
        match self.stack.last() {
            Some(Frame::String { at }) => Some(*at),
            _ => None,
        }
    }

    /// Drops every string and what is inside it, at the end of a line where one is still open.
    fn leave_string_line(&mut self) {
        let outermost = self
            .stack
            .iter()
            .position(|frame| matches!(frame, Frame::String { .. }))
            .unwrap_or(0);
        self.stack.truncate(outermost);
    }

    fn in_heredoc(&mut self, marker: (usize, usize)) {
        let word = self.bytes.get(marker.0..marker.1).unwrap_or_default();
        if self.at == self.line_start {
            let rest = self.bytes.get(self.at..self.end).unwrap_or_default();
            let line = rest.split(|byte| *byte == b'\n').next().unwrap_or_default();
            if line.trim_ascii() == word {
                let length = line.trim_ascii_end().len();
                self.touch(length);
                self.stack.pop();
                return;
            }
        }
        if self.peek(0) == b'\n' {
            self.touch(1);
            self.line_start = self.at;
        } else {
            self.text_byte();
        }
    }

    /// A byte of text in a string or heredoc.
    fn text_byte(&mut self) {
        match self.peek(0) {
            b'$' | b'%' if self.looking_at(b"$${") || self.looking_at(b"%%{") => self.touch(3),
            b'$' if self.peek(1) == b'{' => self.interpolation(),
            b'%' if self.peek(1) == b'{' => {
                self.report(self.at, self.at + 2, SyntaxErrorKind::TemplateDirective);
                self.interpolation();
            }
            0xE2 => {
                self.hidden_character();
                self.last_end = self.at;
            }
            _ => self.touch(1),
        }
    }

    fn interpolation(&mut self) {
        let at = self.at;
        self.touch(2);
        self.push_limited(Frame::Interpolation { at });
    }

    fn heredoc_start(&mut self) {
        let at = self.at;
        let dash = usize::from(self.peek(2) == b'-');
        let start = at + 2 + dash;
        let text = self.file.text().get(start..self.end).unwrap_or_default();
        let length = text
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
            .unwrap_or(text.len());
        let line_rest = text.get(length..).unwrap_or_default();
        let ends_line = line_rest.trim_start_matches([' ', '\t', '\r']).starts_with('\n');
        if length == 0 || !ends_line {
            self.touch(2);
            return;
        }
        let in_string = self
            .stack
            .iter()
            .any(|frame| matches!(frame, Frame::Interpolation { .. }));
        self.touch(2 + dash + length);
        if in_string {
            self.report(at, at + 2, SyntaxErrorKind::HeredocInString);
        }
        while self.peek(0) != b'\n' && self.at < self.end {
            self.at += 1;
        }
        self.at += 1;
        self.line_start = self.at;
        self.stack.push(Frame::Heredoc {
            at,
            marker: (start, start + length),
        });
    }
}

/// Whether one bracket closes the other.
fn closes(open: u8, close: u8) -> bool {
    char::from(close) == closer_of(char::from(open))
}
