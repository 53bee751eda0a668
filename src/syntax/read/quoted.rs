//! Strings, heredocs, and what stands in them.

use super::{Read, Reader, Stop};
use crate::syntax::error::SyntaxErrorKind;
use crate::syntax::escape::{self, Context};
use crate::syntax::tree::{Expression, Heredoc, Literal, Template, TemplatePart};

/// Gathers adjacent text into one literal.
#[derive(Default)]
struct Parts {
    done: Vec<TemplatePart>,
    value: String,
    written: String,
}

impl Parts {
    fn text(&mut self, value: &str, written: &str) {
        self.value.push_str(value);
        self.written.push_str(written);
    }

    fn flush(&mut self, context: Context) {
        if self.value.is_empty() {
            return;
        }
        let value = std::mem::take(&mut self.value);
        let written = std::mem::take(&mut self.written);
        let usual = escape::write(&value, context);
        self.done.push(TemplatePart::Literal(Literal {
            written: (usual != written).then_some(written),
            value,
        }));
    }
}

/// Whether a text between quotes stands for itself and is how the formatter would write it.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

impl<'a> Reader<'a> {
    /// A string with its quotes.
    pub(super) fn template(&mut self) -> Read<Template> {
        self.expect(b'"')?;
        let start = self.at;
        self.string_text();
        let text = self.slice(start);
        if self.byte(0) == b'"' && is_plain(text) {
            self.at += 1;
            return Ok(Template::text(text));
        }
        let mut parts = Parts::default();
        parts.text(text, text);
        while !self.eat(b'"') {
            let start = self.at;
            match self.byte(0) {
                b'$' | b'%' if self.byte(1) == self.byte(0) && self.byte(2) == b'{' => {
                    self.at += 3;
                    let written = self.slice(start);
                    parts.text(written.get(1..).unwrap_or_default(), written);
                }
                b'$' if self.byte(1) == b'{' => {
                    parts.flush(Context::BeforeInterpolation);
                    let expression = self.interpolation()?;
                    parts.done.push(TemplatePart::Interpolation(expression));
                }
                b'\\' => {
                    let written = self.escape()?;
                    let resolved = escape::read(written);
                    if resolved.is_none() {
                        let written = written.to_owned();
                        self.report(self.since(start), SyntaxErrorKind::Escape { written });
                    }
                    let mut buffer = [0; 4];
                    let value = resolved.map_or("", |character| character.encode_utf8(&mut buffer));
                    parts.text(value, written);
                }
                _ => {
                    self.string_text();
                    let written = self.slice(start);
                    if written.is_empty() {
                        return Err(Stop::Mismatch);
                    }
                    parts.text(written, written);
                }
            }
        }
        parts.flush(Context::Plain);
        Ok(Template { parts: parts.done })
    }

    /// Steps over text up to a quote, an escape, the start of something else, or the end of the line.
    fn string_text(&mut self) {
        while let Some(length) = memchr_special(self.rest()) {
            self.at += length;
            if matches!(self.byte(0), b'$' | b'%') && !self.at_template() {
                self.at += 1;
            } else {
                return;
            }
        }
        self.at = self.bytes.len();
    }

    /// Whether `${`, `%{`, or one of them escaped stands here.
    fn at_template(&self) -> bool {
        let first = self.byte(0);
        self.byte(1) == b'{' || (self.byte(1) == first && self.byte(2) == b'{')
    }

    fn escape(&mut self) -> Read<&'a str> {
        let start = self.at;
        let digits = match self.byte(1) {
            b'u' => 4,
            b'U' => 8,
            _ => 0,
        };
        let code = self.bytes.get(start + 2..start + 2 + digits);
        if digits > 0 && code.is_some_and(|code| code.iter().all(u8::is_ascii_hexdigit)) {
            self.at += 2 + digits;
            return Ok(self.slice(start));
        }
        let rest = self.text.get(start + 1..self.bytes.len()).unwrap_or_default();
        match rest.chars().next() {
            None | Some('\n' | '\r') => Err(Stop::Mismatch),
            Some(character) => {
                self.at += 1 + character.len_utf8();
                Ok(self.slice(start))
            }
        }
    }

    /// `${expression}`. No comment can be printed in it, so one is left to what stands around the string.
    fn interpolation(&mut self) -> Read<Expression> {
        self.at += 2;
        let expression = self.single_line()?;
        self.space();
        self.expect(b'}')?;
        Ok(expression)
    }

    /// A heredoc; `<<-` takes the indentation that all its lines share out of the value.
    pub(super) fn heredoc(&mut self) -> Read<Heredoc> {
        self.at += 2;
        let indented = self.eat(b'-');
        let marker = self.word().ok_or(Stop::Mismatch)?;
        while matches!(self.byte(0), b' ' | b'\t') {
            self.at += 1;
        }
        self.line_break()?;
        // Pieces of text, a break ending each line, and interpolations in between.
        let mut pieces = Vec::new();
        while !self.heredoc_end(marker) {
            self.heredoc_line(&mut pieces)?;
        }
        if indented {
            dedent(&mut pieces);
        }
        Ok(Heredoc {
            indented,
            marker: marker.to_owned(),
            template: Template { parts: merge(pieces) },
        })
    }

    fn line_break(&mut self) -> Read<()> {
        if !self.at_line_break() {
            return Err(Stop::Mismatch);
        }
        self.at += if self.byte(0) == b'\r' { 2 } else { 1 };
        Ok(())
    }

    /// Steps over the end marker, if that is all this line holds.
    fn heredoc_end(&mut self, marker: &str) -> bool {
        let start = self.at;
        let blank = |byte: u8| matches!(byte, b' ' | b'\t');
        while blank(self.byte(0)) {
            self.at += 1;
        }
        if self.looking_at(marker.as_bytes()) {
            self.at += marker.len();
            let end = self.at;
            while blank(self.byte(0)) {
                self.at += 1;
            }
            if self.at_line_break() || self.at == self.bytes.len() {
                self.at = end;
                return true;
            }
        }
        self.at = start;
        false
    }

    fn heredoc_line(&mut self, pieces: &mut Vec<TemplatePart>) -> Read<()> {
        while !self.at_line_break() {
            let start = self.at;
            match self.byte(0) {
                b'$' | b'%' if self.byte(1) == self.byte(0) && self.byte(2) == b'{' => {
                    self.at += 3;
                    pieces.push(piece(self.slice(start + 1)));
                }
                b'$' if self.byte(1) == b'{' => {
                    let expression = self.interpolation()?;
                    pieces.push(TemplatePart::Interpolation(expression));
                }
                b'%' if self.byte(1) == b'{' => return Err(Stop::Mismatch),
                _ => {
                    self.heredoc_text();
                    if self.at == start {
                        return Err(Stop::Mismatch);
                    }
                    pieces.push(piece(self.slice(start)));
                }
            }
        }
        self.line_break()?;
        pieces.push(piece("\n"));
        Ok(())
    }

    fn heredoc_text(&mut self) {
        loop {
            let rest = self.rest();
            self.at += memchr::memchr3(b'\n', b'$', b'%', rest).unwrap_or(rest.len());
            match self.byte(0) {
                b'\n' => {
                    let before = self.at.wrapping_sub(1);
                    self.at -= usize::from(self.bytes.get(before) == Some(&b'\r'));
                    return;
                }
                b'$' | b'%' if !self.at_template() => self.at += 1,
                _ => return,
            }
        }
    }

    /// Whether a quote that is not capol's stands here.
    pub(super) fn at_odd_quote(&self) -> bool {
        self.byte(0) == b'\'' || self.looking_at("“".as_bytes()) || self.looking_at("”".as_bytes())
    }

    /// The text of a string in quotes that are not capol's, reported.
    pub(super) fn odd_string(&mut self) -> Read<String> {
        let start = self.at;
        let text = self.odd_quoted()?.to_owned();
        self.report(
            self.since(start),
            SyntaxErrorKind::OddQuotes { text: text.clone() },
        );
        Ok(text)
    }

    /// Steps over a string in quotes that are not capol's, which ends on its line.
    fn odd_quoted(&mut self) -> Read<&'a str> {
        let start = self.at;
        let quotes: &[char] = if self.byte(0) == b'\'' {
            &['\'']
        } else {
            &['“', '”']
        };
        let mut characters = self
            .text
            .get(start..self.bytes.len())
            .unwrap_or_default()
            .char_indices()
            .skip(1);
        let end = characters.find(|(_, character)| *character == '\n' || quotes.contains(character));
        match end {
            Some((at, quote)) if quote != '\n' => {
                self.at += at + quote.len_utf8();
                Ok(self.slice(start).trim_matches(['\'', '“', '”']))
            }
            _ => Err(Stop::Mismatch),
        }
    }

    /// What is in quotes where a name should stand.
    pub(super) fn quoted_name(&mut self) -> Read<Option<String>> {
        let start = self.at;
        if self.byte(0) == b'"' {
            let errors = self.errors.len();
            self.template()?;
            self.errors.truncate(errors);
        } else if self.at_odd_quote() {
            self.odd_quoted()?;
        } else {
            return Ok(None);
        }
        Ok(Some(
            self.slice(start).trim_matches(['"', '\'', '“', '”']).to_owned(),
        ))
    }
}

/// Where the first byte is that plain text in a string may not hold.
fn memchr_special(bytes: &[u8]) -> Option<usize> {
    bytes
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | b'$' | b'%' | b'\n'))
}

fn piece(text: &str) -> TemplatePart {
    TemplatePart::Literal(Literal {
        value: text.to_owned(),
        written: None,
    })
}

/// Removes the indentation that every line with something on it shares.
fn dedent(pieces: &mut [TemplatePart]) {
    let mut shared: Option<usize> = None;
    let mut at_start = true;
    for (index, piece) in pieces.iter().enumerate() {
        let indent = match piece {
            _ if !at_start => None,
            TemplatePart::Interpolation(_) => Some(0),
            TemplatePart::Literal(literal) if literal.value == "\n" => None,
            TemplatePart::Literal(literal) => {
                let rest = literal.value.trim_start_matches([' ', '\t']);
                let ends_line = matches!(
                    pieces.get(index + 1),
                    Some(TemplatePart::Literal(next)) if next.value == "\n"
                );
                (!(rest.is_empty() && ends_line)).then_some(literal.value.len() - rest.len())
            }
        };
        if let Some(indent) = indent {
            shared = Some(shared.map_or(indent, |known| known.min(indent)));
        }
        at_start = matches!(piece, TemplatePart::Literal(literal) if literal.value == "\n");
    }
    let shared = shared.unwrap_or(0);
    let mut at_start = true;
    for piece in pieces {
        let TemplatePart::Literal(literal) = piece else {
            at_start = false;
            continue;
        };
        if literal.value == "\n" {
            at_start = true;
            continue;
        }
        if at_start {
            let indent = literal.value.len() - literal.value.trim_start_matches([' ', '\t']).len();
            literal.value.drain(..indent.min(shared));
        }
        at_start = false;
    }
}

/// Joins text that stands side by side.
fn merge(pieces: Vec<TemplatePart>) -> Vec<TemplatePart> {
    let mut parts: Vec<TemplatePart> = Vec::new();
    for piece in pieces {
        match (parts.last_mut(), piece) {
            (Some(TemplatePart::Literal(last)), TemplatePart::Literal(next)) => {
                last.value.push_str(&next.value);
            }
            (_, TemplatePart::Literal(literal)) if literal.value.is_empty() => {}
            (_, piece) => parts.push(piece),
        }
    }
    parts
}
