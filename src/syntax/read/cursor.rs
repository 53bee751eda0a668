//! Characters, space and words.

use pest::unicode::{XID_CONTINUE, XID_START};

use super::{Read, Reader, Stop};
use crate::syntax::tree::Ident;

impl<'a> Reader<'a> {
    /// The byte so far ahead; zero at the end.
    pub(super) fn byte(&self, ahead: usize) -> u8 {
        self.bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    pub(super) fn looking_at(&self, text: &[u8]) -> bool {
        self.rest().starts_with(text)
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// The text from a place to where the reader is.
    pub(super) fn slice(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.byte(0) == byte;
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, byte: u8) -> Read<()> {
        if self.eat(byte) {
            Ok(())
        } else {
            Err(Stop::Mismatch)
        }
    }

    /// Steps over space and comments, not over line breaks.
    pub(super) fn space(&mut self) {
        loop {
            match self.byte(0) {
                b' ' | b'\t' => self.at += 1,
                b'#' => self.line_comment(),
                b'/' if self.byte(1) == b'/' => self.line_comment(),
                b'/' if self.byte(1) == b'*' => {
                    let inside = self.bytes.get(self.at + 2..).unwrap_or_default();
                    let Some(length) = inside.windows(2).position(|pair| pair == b"*/") else {
                        return;
                    };
                    self.at += length + 4;
                }
                _ => return,
            }
        }
    }

    fn line_comment(&mut self) {
        let rest = self.rest();
        let length = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let ends_in_return =
            length < rest.len() && rest.get(..length).is_some_and(|line| line.ends_with(b"\r"));
        self.at += length - usize::from(ends_in_return);
    }

    pub(super) fn at_line_break(&self) -> bool {
        match self.byte(0) {
            b'\n' => true,
            b'\r' => self.byte(1) == b'\n',
            _ => false,
        }
    }

    /// Steps over space, comments and line breaks; whether there was a line break.
    pub(super) fn lines(&mut self) -> bool {
        let mut found = false;
        loop {
            self.space();
            match self.byte(0) {
                b'\n' => self.at += 1,
                b'\r' if self.byte(1) == b'\n' => self.at += 2,
                _ => return found,
            }
            found = true;
        }
    }

    /// The character here, if it is not ASCII.
    fn wide(&self) -> Option<char> {
        self.text
            .get(self.at..self.bytes.len())
            .and_then(|rest| rest.chars().next())
    }

    /// Whether a word starts here.
    pub(super) fn at_word(&self) -> bool {
        match self.byte(0) {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => true,
            0x80.. => self.wide().is_some_and(XID_START),
            _ => false,
        }
    }

    /// The length of the character here, if it may stand in a word.
    fn word_part(&self) -> Option<usize> {
        match self.byte(0) {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => Some(1),
            0x80.. => self
                .wide()
                .filter(|character| XID_CONTINUE(*character))
                .map(char::len_utf8),
            _ => None,
        }
    }

    /// The word that starts here.
    pub(super) fn word(&mut self) -> Option<&'a str> {
        if !self.at_word() {
            return None;
        }
        let start = self.at;
        while let Some(length) = self.word_part() {
            self.at += length;
        }
        Some(self.slice(start))
    }

    /// Steps over a keyword, if that is what stands here.
    pub(super) fn keyword(&mut self, keyword: &str) -> bool {
        let start = self.at;
        if !self.looking_at(keyword.as_bytes()) {
            return false;
        }
        self.at += keyword.len();
        let found = self.word_part().is_none();
        if !found {
            self.at = start;
        }
        found
    }

    pub(super) fn ident(&mut self) -> Read<Ident> {
        let start = self.at;
        let word = self.word().ok_or(Stop::Mismatch)?;
        Ok(Ident {
            text: word.to_owned(),
            span: self.since(start),
        })
    }

    /// Steps over `.word` as often as it stands here; whether it did at all.
    pub(super) fn dotted(&mut self) -> bool {
        let start = self.at;
        while self.byte(0) == b'.' {
            self.at += 1;
            if self.word().is_none() {
                self.at -= 1;
                break;
            }
        }
        self.at > start
    }

    /// Steps over digits; whether there were any.
    pub(super) fn digits(&mut self) -> bool {
        let start = self.at;
        while self.byte(0).is_ascii_digit() {
            self.at += 1;
        }
        self.at > start
    }
}
