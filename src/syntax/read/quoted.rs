//! Strings, heredocs, and what stands in them.

use pest::iterators::Pair;

use super::Reader;
use crate::syntax::error::SyntaxErrorKind;
use crate::syntax::escape::{self, Context};
use crate::syntax::grammar::Rule;
use crate::syntax::tree::{Heredoc, Literal, Template, TemplatePart};

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

impl Reader<'_> {
    /// A string's parts.
    pub(super) fn template(&mut self, pair: Pair<'_, Rule>) -> Template {
        let mut parts = Parts::default();
        for inner in pair.into_inner() {
            let written = inner.as_str();
            match inner.as_rule() {
                Rule::string_text => parts.text(written, written),
                Rule::escaped_open => parts.text(written.get(1..).unwrap_or_default(), written),
                Rule::escape => {
                    let resolved = escape::read(written);
                    if resolved.is_none() {
                        let span = self.span(&inner);
                        self.report(
                            span,
                            SyntaxErrorKind::Escape {
                                written: written.to_owned(),
                            },
                        );
                    }
                    let mut buffer = [0; 4];
                    let value = resolved.map_or("", |character| character.encode_utf8(&mut buffer));
                    parts.text(value, written);
                }
                Rule::interpolation => {
                    parts.flush(Context::BeforeInterpolation);
                    let part = self.interpolation(inner);
                    parts.done.push(part);
                }
                _ => {}
            }
        }
        parts.flush(Context::Plain);
        Template { parts: parts.done }
    }

    fn interpolation(&mut self, pair: Pair<'_, Rule>) -> TemplatePart {
        let span = self.span(&pair);
        let expression = pair
            .into_inner()
            .next()
            .map_or_else(|| super::error_at(span), |inner| self.single_line(inner));
        TemplatePart::Interpolation(expression)
    }

    /// A heredoc; `<<-` takes the indentation that all its lines share out of the value.
    pub(super) fn heredoc(&mut self, pair: Pair<'_, Rule>) -> Heredoc {
        let mut indented = false;
        let mut marker = String::new();
        // Pieces of text, a break ending each line, and interpolations in between.
        let mut pieces = Vec::new();
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::dash => indented = true,
                Rule::marker => inner.as_str().clone_into(&mut marker),
                Rule::heredoc_text | Rule::heredoc_break | Rule::escaped_open => {
                    let text = match inner.as_rule() {
                        Rule::heredoc_break => "\n",
                        Rule::escaped_open => inner.as_str().get(1..).unwrap_or_default(),
                        _ => inner.as_str(),
                    };
                    pieces.push(TemplatePart::Literal(Literal {
                        value: text.to_owned(),
                        written: None,
                    }));
                }
                Rule::interpolation => {
                    let part = self.interpolation(inner);
                    pieces.push(part);
                }
                _ => {}
            }
        }
        if indented {
            dedent(&mut pieces);
        }
        Heredoc {
            indented,
            marker,
            template: Template { parts: merge(pieces) },
        }
    }

    /// The text of a string in quotes that are not capol's, reported.
    pub(super) fn odd_string(&mut self, pair: &Pair<'_, Rule>) -> String {
        let span = self.span(pair);
        let text = pair.as_str().trim_matches(['\'', '“', '”']).to_owned();
        self.report(span, SyntaxErrorKind::OddQuotes { text: text.clone() });
        text
    }
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
