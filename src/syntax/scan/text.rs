//! Comments, strings and heredocs: text in which brackets are no brackets.

use memchr::memchr;

use super::super::error::SyntaxErrorKind;
use super::{Frame, Scanner};

impl Scanner<'_> {
    pub(super) fn in_string(&mut self) {
        match self.peek(0) {
            b'\\' if !matches!(self.peek(1), b'\n' | b'\r') => {
                self.touch(2.min(self.end - self.at));
            }
            b'"' => {
                self.touch(1);
                self.stack.pop();
            }
            b'\n' => self.text_at_line_break(),
            _ => {
                let rest = self.bytes.get(self.at..self.end).unwrap_or_default();
                let special = |byte: &u8| matches!(byte, b'"' | b'\\' | b'\n' | b'$' | b'%' | 0xE2);
                match rest.iter().position(special).unwrap_or(rest.len()) {
                    0 => self.text_byte(),
                    plain => self.touch(plain),
                }
            }
        }
    }

    /// At a line break: reports a string that is still open, or the `${` in it, and leaves both. Brackets
    /// inside `${ }` may go on below, unless something is known not to close.
    pub(super) fn text_at_line_break(&mut self) {
        let is_string = |frame: &Frame| matches!(frame, Frame::String { .. });
        // Far down the search would cost too much, and the innermost string will do.
        let outermost = if self.too_deep {
            self.stack
                .len()
                .checked_sub(1)
                .filter(|_| self.stack.last().is_some_and(is_string))
        } else {
            self.stack.iter().position(is_string)
        };
        let Some(outermost) = outermost else {
            return;
        };
        if matches!(self.stack.last(), Some(Frame::Bracket { .. })) && !self.resynchronise {
            return;
        }
        // Already reported; its own line ends must not be reported as the string's.
        let heredoc = self.heredoc_in_string && !matches!(self.stack.last(), Some(Frame::String { .. }));
        if heredoc || matches!(self.stack.last(), Some(Frame::Heredoc { .. })) {
            return;
        }
        match (
            self.stack.get(outermost + 1).copied(),
            self.stack.get(outermost).copied(),
        ) {
            (Some(Frame::Interpolation { at }), _) => {
                self.report(at, at + 2, SyntaxErrorKind::UnclosedInterpolation);
            }
            (_, Some(Frame::String { at })) => {
                self.report(at, at + 1, SyntaxErrorKind::UnclosedString);
            }
            _ => {}
        }
        self.stack.truncate(outermost);
    }

    pub(super) fn in_heredoc(&mut self, marker: (usize, usize)) {
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
            return;
        }
        let rest = self.bytes.get(self.at..self.end).unwrap_or_default();
        let special = |byte: &u8| matches!(byte, b'\n' | b'$' | b'%' | 0xE2);
        match rest.iter().position(special).unwrap_or(rest.len()) {
            0 => self.text_byte(),
            plain => self.touch(plain),
        }
    }

    /// A byte of text in a string or heredoc.
    pub(super) fn text_byte(&mut self) {
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

    pub(super) fn interpolation(&mut self) {
        let at = self.at;
        self.touch(2);
        self.push_limited(Frame::Interpolation { at });
    }

    pub(super) fn heredoc_start(&mut self) {
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
            self.heredoc_in_string = true;
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

    pub(super) fn line_comment(&mut self) {
        let start = self.at;
        let rest = self.bytes.get(start..self.end).unwrap_or_default();
        let length = memchr(b'\n', rest).unwrap_or(rest.len());
        self.comment(start, start + length);
    }

    pub(super) fn block_comment(&mut self) {
        let start = self.at;
        let rest = self.bytes.get(start + 2..self.end).unwrap_or_default();
        if let Some(length) = rest.windows(2).position(|pair| pair == b"*/") {
            self.comment(start, start + length + 4);
        } else {
            self.report(start, start + 2, SyntaxErrorKind::UnclosedComment);
            self.comment(start, self.end);
        }
    }

    pub(super) fn comment(&mut self, start: usize, end: usize) {
        let text = self.file.text().get(start..end).unwrap_or_default();
        let text = text.trim_end();
        let span = self.span(start, start + text.len());
        self.scan.comments.push(span);
        while let Some(length) = self.bytes.get(self.at..end).and_then(|rest| memchr(0xE2, rest)) {
            self.at += length;
            self.hidden_character();
        }
        self.at = self.at.max(end);
        if text.contains('\n') {
            self.line_start = end;
        }
    }

    /// A character of three bytes: a curly quote, or one that hides text.
    pub(super) fn wide(&mut self) {
        if self.looking_at("“".as_bytes()) || self.looking_at("”".as_bytes()) {
            let length = self.quoted_on_line(3, &["“", "”"]);
            self.touch(length);
        } else {
            self.touch(1);
            self.at -= 1;
            self.hidden_character();
        }
        self.last_end = self.at;
    }

    /// Reports a character that reorders text; steps over the first byte of whatever stands here.
    pub(super) fn hidden_character(&mut self) {
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

    /// The length up to the next of these quotes on this line, or of the first one alone.
    pub(super) fn quoted_on_line(&self, opening: usize, quotes: &[&str]) -> usize {
        let rest = self.bytes.get(self.at + opening..self.end).unwrap_or_default();
        for (index, byte) in rest.iter().enumerate() {
            let here = rest.get(index..).unwrap_or_default();
            if let Some(quote) = quotes.iter().find(|quote| here.starts_with(quote.as_bytes())) {
                return opening + index + quote.len();
            }
            if *byte == b'\n' {
                break;
            }
        }
        opening
    }
}
