//! Why the grammar stopped, in the words of someone who watched it being typed.

use std::ops::Range;

use pest::Parser;
use pest::error::{Error, ErrorVariant, InputLocation};

use super::error::{SyntaxError, SyntaxErrorKind};
use super::grammar::{CapolParser, OPERATOR, Rule, expectation};
use super::scan::{self, Open, Separation};
use super::span::{SourceFile, Span};

/// The most things a message asks for.
const EXPECTATIONS: usize = 5;

/// What stands where the grammar stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found<'a> {
    LineBreak,
    End,
    Word(&'a str),
    Number(&'a str),
    Text,
    Symbol(&'a str),
}

impl<'a> Found<'a> {
    fn at(text: &'a str) -> Self {
        let Some(first) = text.chars().next() else {
            return Self::End;
        };
        let take = |part: fn(char) -> bool| {
            let length = text.find(|c| !part(c)).unwrap_or(text.len());
            text.get(..length).unwrap_or_default()
        };
        if first == '\n' || text.starts_with("\r\n") {
            Self::LineBreak
        } else if first.is_alphabetic() || first == '_' {
            Self::Word(take(|c| c.is_alphanumeric() || c == '_' || c == '-'))
        } else if first.is_ascii_digit() {
            Self::Number(take(|c| c.is_alphanumeric() || c == '.'))
        } else if first == '"' || text.starts_with("<<") {
            Self::Text
        } else {
            let long = ["=>", "==", "!=", "<=", ">=", "&&", "||", "..."]
                .into_iter()
                .find(|symbol| text.starts_with(symbol))
                .map_or(first.len_utf8(), str::len);
            Self::Symbol(text.get(..long).unwrap_or_default())
        }
    }

    fn length(self) -> usize {
        match self {
            Self::LineBreak | Self::End => 0,
            Self::Text => 1,
            Self::Word(text) | Self::Number(text) | Self::Symbol(text) => text.len(),
        }
    }

    fn words(self) -> String {
        match self {
            Self::LineBreak | Self::End => "end of the line".to_owned(),
            Self::Text => "string".to_owned(),
            Self::Word(text) | Self::Number(text) | Self::Symbol(text) => format!("`{text}`"),
        }
    }

    /// Whether a value could start with it.
    fn starts_value(self) -> bool {
        match self {
            Self::Word(_) | Self::Number(_) | Self::Text => true,
            Self::Symbol(symbol) => matches!(symbol, "[" | "{" | "(" | "-" | "!"),
            Self::LineBreak | Self::End => false,
        }
    }

    fn ends_line(self) -> bool {
        matches!(self, Self::LineBreak | Self::End)
    }
}

/// What kind of text the grammar was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A statement on its own lines.
    Line,
    /// A statement of a one-line block.
    OneLineBlock,
    /// An element between brackets.
    Element,
}

impl Place {
    /// The place of statements that are separated so.
    pub(super) fn of(separation: Separation) -> Self {
        match separation {
            Separation::Lines => Self::Line,
            Separation::Commas => Self::OneLineBlock,
            Separation::Elements => Self::Element,
        }
    }
}

/// Where and why a text could not be read.
pub(super) struct Failure {
    range: Range<usize>,
    /// Where nothing fits any more.
    pub(super) at: usize,
    /// The rules that were expected there.
    expected: Vec<Rule>,
}

impl Failure {
    /// Asks the grammar about a text that the reader gave up on at a place.
    pub(super) fn of(rule: Rule, file: &SourceFile, range: Range<usize>, stopped: usize) -> Self {
        let text = file.text().get(range.clone()).unwrap_or_default();
        match CapolParser::parse(rule, text) {
            Err(Error {
                variant: ErrorVariant::ParsingError { positives, .. },
                location: InputLocation::Pos(offset) | InputLocation::Span((offset, _)),
                ..
            }) => Self {
                at: (range.start + offset).min(range.end),
                range,
                expected: positives,
            },
            // The grammar takes what the reader does not, which a test looks for.
            _ => Self {
                at: stopped,
                range,
                expected: Vec::new(),
            },
        }
    }

    /// The error to show for it.
    pub(super) fn explained(&self, file: &SourceFile, place: Place) -> SyntaxError {
        let (range, at, positives) = (&self.range, self.at, &self.expected);
        let span = |start: usize, length: usize| Span::new(file.id(), start, start + length);
        let before = file.text().get(range.start..at).unwrap_or_default();
        let found = Found::at(file.text().get(at..range.end).unwrap_or_default());
        let context = Context {
            before,
            found,
            after: file.text().get(at..range.end).unwrap_or_default(),
            open: scan::innermost(file, range.start..at),
            comma: place != Place::Line || positives.contains(&Rule::comma),
            place,
        };
        let kind = context.special().unwrap_or_else(|| {
            let mut expected = Vec::new();
            for rule in positives {
                let words = match rule {
                    Rule::EOI if place == Place::Element => Some("`,`"),
                    _ => expectation(*rule),
                };
                expected.extend(words.filter(|words| !expected.contains(words)));
            }
            // What may follow any value is the least likely to be missing.
            expected.sort_by_key(|words| *words == OPERATOR);
            expected.truncate(EXPECTATIONS);
            SyntaxErrorKind::Unexpected {
                found: found.words(),
                expected,
            }
        });
        let place = match &kind {
            SyntaxErrorKind::SpaceBeforePercent { .. } => span(range.start + before.trim_end().len() - 1, 1),
            SyntaxErrorKind::BraceBelow => span(at + context.after.find('{').unwrap_or_default(), 1),
            SyntaxErrorKind::LineBreakInExpression => {
                let operator = before.trim_end();
                let length = operator
                    .chars()
                    .rev()
                    .take_while(|c| "|&=!<>+-*/%?:".contains(*c))
                    .count();
                span(range.start + operator.len() - length, length)
            }
            SyntaxErrorKind::LoneName { .. } => span(range.start, before.trim_end().len()),
            SyntaxErrorKind::WordOperator { word, .. } if word == "not" => {
                span(range.start + before.trim_end().len() - word.len(), word.len())
            }
            SyntaxErrorKind::MissingValue { .. } => span(range.start + before.trim_end().len(), 0),
            _ => span(at, found.length()),
        };
        SyntaxError::new(file, place, kind)
    }
}

/// What surrounds the place where the grammar stopped.
struct Context<'a> {
    before: &'a str,
    found: Found<'a>,
    after: &'a str,
    open: Option<Open>,
    place: Place,
    /// Whether a comma could stand here.
    comma: bool,
}

impl Context<'_> {
    /// The message for a known habit, if it is one.
    fn special(&self) -> Option<SyntaxErrorKind> {
        let before = self.before.trim_end_matches([' ', '\t']);
        match self.found {
            Found::Symbol(";") => return Some(SyntaxErrorKind::Semicolon),
            Found::Word(word @ ("and" | "or")) if !before.is_empty() => {
                return Some(SyntaxErrorKind::WordOperator {
                    word: word.to_owned(),
                    symbol: if word == "and" { "&&" } else { "||" },
                });
            }
            _ if self.found.starts_value() && last_word(before) == "not" => {
                return Some(SyntaxErrorKind::WordOperator {
                    word: "not".to_owned(),
                    symbol: "!",
                });
            }
            _ => {}
        }
        if let Some(number) = percent_apart(before)
            && !self.found.starts_value()
        {
            return Some(SyntaxErrorKind::SpaceBeforePercent { number });
        }
        let statement = match self.open {
            None if self.place != Place::Element => self.at_statement(before),
            Some(Open::Block) if self.found.ends_line() => Some(SyntaxErrorKind::LineBreakInBlock),
            _ => None,
        };
        let comma = self.comma && self.found.starts_value() && ends_value(before);
        statement.or_else(|| {
            comma.then(|| SyntaxErrorKind::MissingComma {
                found: self.found.words(),
            })
        })
    }

    /// The message for a known habit outside all brackets of a statement.
    fn at_statement(&self, before: &str) -> Option<SyntaxErrorKind> {
        if before.is_empty() {
            return match self.found {
                Found::Symbol(
                    "&&" | "||" | "==" | "!=" | "<" | ">" | "<=" | ">=" | "+" | "*" | "/" | "%" | "?" | ":"
                    | ".",
                ) => Some(SyntaxErrorKind::LineStartsWith {
                    found: self.found.words(),
                }),
                _ => None,
            };
        }
        let name = first_word(before);
        if CapolParser::parse(Rule::header, before).is_ok() {
            if self.found.ends_line() && self.after.trim_start().starts_with('{') {
                return Some(SyntaxErrorKind::BraceBelow);
            }
            if self.found.ends_line() {
                return Some(SyntaxErrorKind::LoneName { name });
            }
            if self.found.starts_value() || self.found == Found::Symbol(",") {
                return Some(SyntaxErrorKind::MissingEquals { name });
            }
            return None;
        }
        if self.found.ends_line() && before.ends_with('=') && !before.ends_with("==") {
            return Some(SyntaxErrorKind::MissingValue { name });
        }
        if self.found.ends_line() && before.ends_with(|c| "|&=!<>+-*/%?:".contains(c)) {
            return Some(SyntaxErrorKind::LineBreakInExpression);
        }
        if self.found == Found::Symbol(",") && ends_value(before) {
            return Some(SyntaxErrorKind::CommaInBlock);
        }
        None
    }
}

fn first_word(text: &str) -> String {
    text.trim_start()
        .split(|c: char| c.is_whitespace() || c == '=' || c == '"')
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The number before a `%` at the end of the text that a space sets apart from it.
fn percent_apart(text: &str) -> Option<String> {
    let before = text.strip_suffix('%')?;
    let number = before.trim_end();
    let digits = number
        .rsplit(|c: char| !(c.is_ascii_digit() || c == '.'))
        .next()?;
    (number.len() < before.len() && !digits.is_empty()).then(|| digits.to_owned())
}

fn last_word(text: &str) -> &str {
    text.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))
        .next()
        .unwrap_or_default()
}

/// Whether a value could end where the text ends.
fn ends_value(text: &str) -> bool {
    text.trim_end()
        .ends_with(|c: char| c.is_alphanumeric() || "_\"])}%*".contains(c))
}
