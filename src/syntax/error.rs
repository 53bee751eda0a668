//! What can be wrong with text before anyone asks what it means.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, SourceCode};
use thiserror::Error;

use super::span::{SourceFile, Span};

/// The most errors that are told of one file: who wrote a thousand has chosen the wrong file.
pub(super) const ERROR_LIMIT: usize = 1_000;

/// One syntax error: what is wrong, where, and the file to show it in.
#[derive(Debug, Clone, PartialEq, Error)]
#[error("{kind}")]
pub struct SyntaxError {
    kind: Box<SyntaxErrorKind>,
    file: SourceFile,
    span: Span,
    related: Option<(Span, String)>,
}

impl SyntaxError {
    pub(super) fn new(file: &SourceFile, span: Span, kind: SyntaxErrorKind) -> Self {
        Self {
            kind: Box::new(kind),
            file: file.clone(),
            span,
            related: None,
        }
    }

    pub(super) fn with_related(mut self, span: Span, label: &str) -> Self {
        self.related = Some((span, label.to_owned()));
        self
    }

    /// What is wrong.
    pub fn kind(&self) -> &SyntaxErrorKind {
        &self.kind
    }

    /// Where.
    pub fn span(&self) -> Span {
        self.span
    }

    /// The file it is in.
    pub fn file(&self) -> &SourceFile {
        &self.file
    }
}

impl Diagnostic for SyntaxError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(format!("syntax::{}", self.kind.code())))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.kind
            .help()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.file)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        if matches!(
            *self.kind,
            SyntaxErrorKind::TooLarge { .. } | SyntaxErrorKind::Utf16
        ) {
            return None;
        }
        let primary = LabeledSpan::new_primary_with_span(Some(self.kind.label().to_owned()), self.span);
        let related = self
            .related
            .iter()
            .map(|(span, label)| LabeledSpan::new_with_span(Some(label.clone()), *span));
        Some(Box::new(std::iter::once(primary).chain(related)))
    }
}

/// The ways in which text can fail to be capol.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SyntaxErrorKind {
    /// The file is not UTF-8.
    #[error("the file is not UTF-8: byte {offset}, on line {line}, does not belong there")]
    NotUtf8 {
        /// How many bytes come before, counted from the start of the file.
        offset: usize,
        /// The line, counted from one.
        line: usize,
    },
    /// The file is UTF-16, as some editors on Windows save it.
    #[error("the file is UTF-16")]
    Utf16,
    /// A character that belongs in no text.
    #[error("a control character, U+{code:04X}, stands in the text")]
    ControlCharacter {
        /// Its code point.
        code: u32,
    },
    /// The file is JSON: probably an export.
    #[error("this is JSON, not capol")]
    Json,
    /// The file is larger than a file of policies can sensibly be.
    #[error("the file has {size} bytes, and {limit} are the most that are read")]
    TooLarge {
        /// Its size in bytes.
        size: usize,
        /// The most bytes a file may have.
        limit: usize,
    },
    /// Brackets or operators nested too deeply.
    #[error("this is nested more than {limit} levels deep")]
    TooDeep {
        /// The most levels.
        limit: usize,
    },
    /// A string does not end on its line.
    #[error("this string is not closed on its line")]
    UnclosedString,
    /// `${` without `}`.
    #[error("this `${{` is not closed")]
    UnclosedInterpolation,
    /// `/*` without `*/`.
    #[error("this comment is not closed")]
    UnclosedComment,
    /// A heredoc without its end marker.
    #[error("this heredoc is not closed")]
    UnclosedHeredoc {
        /// The word that would end it.
        marker: String,
    },
    /// An opening bracket without its closing one.
    #[error("this `{open}` is not closed")]
    UnclosedBracket {
        /// The bracket.
        open: char,
    },
    /// A closing bracket without its opening one.
    #[error("this `{close}` closes nothing")]
    StrayCloser {
        /// The bracket.
        close: char,
    },
    /// A closing bracket of another kind than the opening one.
    #[error("this is closed by `{close}` instead of `{right}`")]
    WrongCloser {
        /// The bracket that stands there.
        close: char,
        /// The one that should.
        right: char,
    },
    /// A character that shows text in another order than it is read.
    #[error("an invisible character, U+{code:04X}, changes the order in which this line is shown")]
    HiddenCharacter {
        /// Its code point.
        code: u32,
    },
    /// `%{` in a string.
    #[error("`%{{` templates are not part of the language")]
    TemplateDirective,
    /// A heredoc between `${` and `}`.
    #[error("a heredoc cannot stand inside `${{`")]
    HeredocInString,
    /// Anything else the grammar did not expect.
    #[error("unexpected {found}")]
    Unexpected {
        /// What stands there, in words.
        found: String,
        /// What could stand there, at most five.
        expected: Vec<&'static str>,
    },
    /// Something other than `=` between a name and its value.
    #[error("`{written}` does not set a value")]
    Assignment {
        /// What was written.
        written: String,
    },
    /// An attribute whose name is quoted.
    #[error("the name of an attribute is not quoted")]
    QuotedName {
        /// The name.
        name: String,
    },
    /// An attribute whose name has dots.
    #[error("`{name}` has dots, and the name of an attribute has none")]
    DottedName {
        /// What was written.
        name: String,
    },
    /// An object key with dots.
    #[error("the key `{name}` has dots")]
    DottedKey {
        /// What was written.
        name: String,
    },
    /// A string in quotes other than `"`.
    #[error("strings stand in double quotes")]
    OddQuotes {
        /// The text between them.
        text: String,
    },
    /// Letters after a number that are no unit.
    #[error("`{suffix}` is not a unit of time")]
    Unit {
        /// The digits.
        number: String,
        /// The letters after them.
        suffix: String,
    },
    /// A percentage whose sign stands apart.
    #[error("a percentage has no space before `%`")]
    SpaceBeforePercent {
        /// The digits.
        number: String,
    },
    /// A backslash before a character that needs none.
    #[error("`{written}` is not an escape")]
    Escape {
        /// The escape as written.
        written: String,
    },
    /// A label with `${`.
    #[error("a label is plain text")]
    LabelTemplate,
    /// A name with a value but no `=`.
    #[error("`{name}` has no `=` before its value")]
    MissingEquals {
        /// The name.
        name: String,
    },
    /// A name alone on its line.
    #[error("`{name}` is neither an attribute nor a block")]
    LoneName {
        /// The name.
        name: String,
    },
    /// `=` without a value.
    #[error("`{name}` has no value")]
    MissingValue {
        /// The name before it.
        name: String,
    },
    /// Two elements without a comma.
    #[error("a comma is missing before {found}")]
    MissingComma {
        /// What stands there, in words.
        found: String,
    },
    /// `{` on the line below its block.
    #[error("`{{` stands on another line than its block")]
    BraceBelow,
    /// An expression continued on the next line.
    #[error("the line ends in the middle of an expression")]
    LineBreakInExpression,
    /// An operator at the start of a line.
    #[error("a line cannot start with {found}")]
    LineStartsWith {
        /// What stands there, in words.
        found: String,
    },
    /// A one-line block that goes on below.
    #[error("a block that starts on one line ends on it")]
    LineBreakInBlock,
    /// A comma between attributes on several lines.
    #[error("a line break ends an attribute, and no comma follows it")]
    CommaInBlock,
    /// `;`
    #[error("`;` separates nothing")]
    Semicolon,
    /// `and`, `or`, `not`.
    #[error("`{word}` is not an operator")]
    WordOperator {
        /// The word.
        word: String,
        /// The operator.
        symbol: &'static str,
    },
}

impl SyntaxErrorKind {
    /// The name after `syntax::` in its code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => "not_utf8",
            Self::Utf16 => "utf16",
            Self::ControlCharacter { .. } => "control_character",
            Self::Json => "json",
            Self::TooLarge { .. } => "too_large",
            Self::TooDeep { .. } => "too_deep",
            Self::UnclosedString => "unclosed_string",
            Self::UnclosedInterpolation => "unclosed_interpolation",
            Self::UnclosedComment => "unclosed_comment",
            Self::UnclosedHeredoc { .. } => "unclosed_heredoc",
            Self::UnclosedBracket { .. } => "unclosed_bracket",
            Self::StrayCloser { .. } => "stray_closer",
            Self::WrongCloser { .. } => "wrong_closer",
            Self::HiddenCharacter { .. } => "hidden_character",
            Self::TemplateDirective => "template_directive",
            Self::HeredocInString => "heredoc_in_string",
            Self::Unexpected { .. } => "unexpected",
            Self::Assignment { .. } => "assignment",
            Self::QuotedName { .. } => "quoted_name",
            Self::DottedName { .. } => "dotted_name",
            Self::DottedKey { .. } => "dotted_key",
            Self::OddQuotes { .. } => "odd_quotes",
            Self::Unit { .. } => "unit",
            Self::SpaceBeforePercent { .. } => "space_before_percent",
            Self::Escape { .. } => "escape",
            Self::LabelTemplate => "label_template",
            Self::MissingEquals { .. } => "missing_equals",
            Self::LoneName { .. } => "lone_name",
            Self::MissingValue { .. } => "missing_value",
            Self::MissingComma { .. } => "missing_comma",
            Self::BraceBelow => "brace_below",
            Self::LineBreakInExpression => "line_break_in_expression",
            Self::LineStartsWith { .. } => "line_starts_with",
            Self::LineBreakInBlock => "line_break_in_block",
            Self::CommaInBlock => "comma_in_block",
            Self::Semicolon => "semicolon",
            Self::WordOperator { .. } => "word_operator",
        }
    }

    /// The words under the place.
    fn label(&self) -> &'static str {
        match self {
            Self::UnclosedString
            | Self::UnclosedInterpolation
            | Self::UnclosedComment
            | Self::UnclosedHeredoc { .. }
            | Self::UnclosedBracket { .. } => "opened here",
            Self::MissingValue { .. } | Self::MissingComma { .. } | Self::MissingEquals { .. } => {
                "missing here"
            }
            _ => "here",
        }
    }

    /// What to do, as an imperative.
    fn help(&self) -> Option<String> {
        let help = match self {
            Self::NotUtf8 { .. } | Self::Utf16 => "save the file as UTF-8".to_owned(),
            Self::Json => "adopt exported objects with `capol import --json FILE`; a `.capol` file begins with a block".to_owned(),
            Self::ControlCharacter { .. } => "delete it".to_owned(),
            Self::TooLarge { .. } => "split it into several files of the same folder".to_owned(),
            Self::TooDeep { .. } => "give the inner part a name in `locals { … }` and use that".to_owned(),
            Self::UnclosedString => {
                "end it with `\"`; for a line break in it write `\\n`, or use a heredoc `<<EOT`".to_owned()
            }
            Self::UnclosedInterpolation => {
                "close it with `}`; for the two characters themselves write `$${`".to_owned()
            }
            Self::UnclosedComment => "close it with `*/`".to_owned(),
            Self::UnclosedHeredoc { marker } => format!("put `{marker}` alone on the line after its text"),
            Self::UnclosedBracket { open } => format!("close it with `{}`", closer_of(*open)),
            Self::StrayCloser { .. } => "remove it, or add the bracket that it should close".to_owned(),
            Self::WrongCloser { right, .. } => format!("write `{right}` here"),
            Self::HiddenCharacter { code } => {
                format!("delete it, or write `\\u{code:04X}` inside a string")
            }
            Self::TemplateDirective => {
                "use `${condition ? a : b}` or a `for` expression; for the two characters themselves write `%%{`".to_owned()
            }
            Self::HeredocInString => "give the heredoc a name in `locals { … }` and use that".to_owned(),
            Self::Unexpected { expected, .. } => match expected.split_last() {
                None => return None,
                Some((only, [])) => format!("write {only} here"),
                Some((last, rest)) => format!("write {} or {last} here", rest.join(", ")),
            },
            Self::Assignment { .. } => "write `=`".to_owned(),
            Self::QuotedName { name } | Self::MissingEquals { name } => format!("write `{name} = …`"),
            Self::DottedName { name } => nested_blocks(name),
            Self::DottedKey { name } => format!(
                "write `({name}) = …` for the value it refers to, or `\"{name}\" = …` for the text itself"
            ),
            Self::OddQuotes { text } => format!("write `\"{text}\"`"),
            Self::Unit { number, suffix } if suffix.contains('-') => {
                format!("put spaces around `-`, or write {number} with one of the units s, m, h, d, w")
            }
            Self::Unit { number, .. } => {
                format!("write one of {number}s, {number}m, {number}h, {number}d, {number}w")
            }
            Self::SpaceBeforePercent { number } => format!("write `{number}%`"),
            Self::Escape { .. } => {
                "write `\\\\` for a backslash; the escapes are `\\n`, `\\r`, `\\t`, `\\\"`, `\\\\`, `\\uXXXX`, `\\UXXXXXXXX`".to_owned()
            }
            Self::LabelTemplate => "write the name itself, or use `for_each` for several of a kind".to_owned(),
            Self::LoneName { name } => format!("write `{name} = …` or `{name} {{ … }}`"),
            Self::MissingValue { name } => {
                format!("write `{name} = …` on one line; for no value write `{name} = null`")
            }
            Self::MissingComma { .. } => "put a comma between the two".to_owned(),
            Self::BraceBelow => "put `{` at the end of the line above".to_owned(),
            Self::LineBreakInExpression | Self::LineStartsWith { .. } => {
                "put the whole expression in `(` and `)`, or on one line".to_owned()
            }
            Self::LineBreakInBlock => "put a line break after `{`, and each attribute on its own line".to_owned(),
            Self::CommaInBlock => "remove the comma".to_owned(),
            Self::Semicolon => {
                "end an attribute with a line break; in a one-line block put commas between them".to_owned()
            }
            Self::WordOperator { symbol, .. } => format!("write `{symbol}`"),
        };
        Some(help)
    }
}

/// The bracket that closes another.
pub(super) fn closer_of(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}

/// `users.include` as `users { include = … }`.
fn nested_blocks(name: &str) -> String {
    let parts: Vec<&str> = name.split('.').map(str::trim).collect();
    let depth = parts.len().saturating_sub(1);
    format!("write `{} = …{}`", parts.join(" { "), " }".repeat(depth))
}
