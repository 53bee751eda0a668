//! What is wrong with a configuration: coded, spanned, with a way out.
//!
//! Every problem is a [`Diagnostic`] with a [`Code`], the user's words in its message, a label
//! under the exact token and a help that works if pasted. They gather in one [`Diagnostics`], so
//! that a run shows all of them, and meet their source text in [`Reported`] when they are printed.

mod masks;
mod reported;

use std::collections::BTreeSet;
use std::fmt;

use miette::LabeledSpan;

pub use reported::Reported;

use crate::model::Origin;
use crate::syntax::{FileId, SourceFile, Span, SyntaxError};

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        /// What kind of problem it is; `capol explain` has a page for each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $($(#[$doc])* $name,)+
            /// The text of a file does not parse; the word is what follows `syntax::`.
            Syntax(&'static str),
            /// The object breaks a rule of the service, or means little; the word is what follows `rules::`.
            Rule(&'static str),
            /// The policies together leave something open; the word is what follows `gap::`.
            Gap(&'static str),
            /// A rollout can't go as it is written; the word is what follows `rollout::`.
            Rollout(&'static str),
        }

        impl Code {
            /// Every code of this room.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// As it is printed, in two parts: `lang` and `unknown_name`.
            pub fn parts(self) -> (&'static str, &'static str) {
                match self {
                    $(Self::$name => ("lang", $text),)+
                    Self::Syntax(text) => ("syntax", text),
                    Self::Rule(text) => ("rules", text),
                    Self::Gap(text) => ("gap", text),
                    Self::Rollout(text) => ("rollout", text),
                }
            }
        }
    };
}

codes! {
    /// A number, percentage or duration that cannot be computed with.
    Arithmetic = "arithmetic";
    /// A call with too few, too many or wrongly named arguments.
    ArgumentCount = "argument_count";
    /// A condition that is neither true nor false.
    Condition = "condition";
    /// Things that need each other.
    Cycle = "cycle";
    /// Two things of one name.
    Duplicate = "duplicate";
    /// Things that exclude each other.
    Exclusive = "exclusive";
    /// A file or module that cannot be had.
    File = "file";
    /// A `for_each` over what it cannot walk.
    ForEach = "for_each";
    /// An argument that a function refuses.
    FunctionArgument = "function_argument";
    /// A `for` or object expression that yields one key twice.
    KeyTwice = "key_twice";
    /// A label that is missing, superfluous or not a name.
    Label = "label";
    /// A value for which a rule of the language has no place.
    InvalidValue = "invalid_value";
    /// An attribute or block that must be written.
    Missing = "missing";
    /// A variable without a value.
    MissingVariable = "missing_variable";
    /// Something that may stand only elsewhere.
    Misplaced = "misplaced";
    /// A module whose source is not understood or not pinned.
    ModuleSource = "module_source";
    /// A value that exists only once the service has made the object.
    NotKnownYet = "not_known_yet";
    /// A number or key that a list or object does not have.
    OutOfRange = "out_of_range";
    /// A sensitive value where it would be shown.
    Sensitive = "sensitive";
    /// A label that hides a built-in name.
    Shadowed = "shadowed";
    /// A word of Terraform that has no counterpart here.
    Terraform = "terraform";
    /// Expressions that nest too deeply.
    TooDeep = "too_deep";
    /// More problems than are shown at once.
    TooMany = "too_many";
    /// An attribute that a block does not have.
    UnknownAttribute = "unknown_attribute";
    /// A block type that does not exist.
    UnknownBlock = "unknown_block";
    /// A function that does not exist.
    UnknownFunction = "unknown_function";
    /// A name that nothing has.
    UnknownName = "unknown_name";
    /// A word that its place does not know.
    UnknownSymbol = "unknown_symbol";
    /// A type that does not exist.
    UnknownType = "unknown_type";
    /// Something is accepted that is nowhere found.
    UnusedAcceptance = "unused_acceptance";
    /// A value for a variable that is not declared.
    UnknownVariable = "unknown_variable";
    /// A value that a `validation` block refuses.
    Validation = "validation";
    /// A version of capol that the project does not want.
    Version = "version";
    /// A value of the wrong type.
    WrongType = "wrong_type";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (room, name) = self.parts();
        write!(f, "{room}::{name}")
    }
}

/// How grave a problem is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing may be planned or written.
    Error,
    /// It can be carried out, but it is probably not what is meant.
    Warning,
    /// Good to know.
    Note,
}

/// A place in the text and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What.
    pub text: String,
}

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of problem.
    pub code: Code,
    /// How grave.
    pub severity: Severity,
    /// What is wrong, with the user's words in backticks.
    pub message: String,
    /// Where; the first label is the culprit.
    pub labels: Vec<Label>,
    /// What to do, as an imperative.
    pub help: String,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            labels: vec![Label {
                span,
                text: "here".into(),
            }],
            help: help.into(),
        }
    }

    /// A lint at a place.
    pub fn warning(code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, span, message, help)
        }
    }

    /// The same, as bad as that.
    #[must_use]
    pub fn of_severity(self, severity: Severity) -> Self {
        Self { severity, ..self }
    }

    /// The same with another text under the culprit.
    #[must_use]
    pub fn labelled(mut self, text: impl Into<String>) -> Self {
        if let Some(first) = self.labels.first_mut() {
            first.text = text.into();
        }
        self
    }

    /// The same with one more place, unless it is the culprit's own.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        if !span.is_synthetic() && self.labels.iter().all(|label| label.span != span) {
            self.labels.push(Label {
                span,
                text: text.into(),
            });
        }
        self
    }

    /// What the room that reads text has found.
    pub fn syntax(error: &SyntaxError) -> Self {
        use miette::Diagnostic as _;
        let file = error.span().file;
        let label = |label: LabeledSpan| Label {
            span: Span::new(file, label.offset(), label.offset() + label.len()),
            text: label.label().unwrap_or("here").to_owned(),
        };
        let mut labels: Vec<Label> = error.labels().into_iter().flatten().map(label).collect();
        if labels.is_empty() {
            labels.push(Label {
                span: error.span(),
                text: "here".into(),
            });
        }
        Self {
            code: Code::Syntax(error.kind().code()),
            severity: Severity::Error,
            message: error.to_string(),
            labels,
            help: error.help().map(|help| help.to_string()).unwrap_or_default(),
        }
    }

    /// The culprit's place.
    pub fn span(&self) -> Span {
        self.labels.first().map_or(Span::SYNTHETIC, |label| label.span)
    }
}

/// How many problems are shown at once: more than a person mends before running the command again.
const SHOWN: usize = 100;

/// All problems found so far. The same problem at the same place is kept once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
    known: BTreeSet<(Code, Span, String)>,
}

impl Diagnostics {
    /// None so far.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a problem.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        let key = (diagnostic.code, diagnostic.span(), diagnostic.message.clone());
        if self.known.insert(key) {
            self.list.push(diagnostic);
        }
    }

    /// Adds an error.
    pub fn error(&mut self, code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.push(Diagnostic::error(code, span, message, help));
    }

    /// Adds a lint.
    pub fn warning(&mut self, code: Code, span: Span, message: impl Into<String>, help: impl Into<String>) {
        self.push(Diagnostic::warning(code, span, message, help));
    }

    /// Adds all of others.
    pub fn extend(&mut self, others: Self) {
        for diagnostic in others.list {
            self.push(diagnostic);
        }
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether anything found is an error.
    pub fn has_errors(&self) -> bool {
        self.list
            .iter()
            .any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// In the order found.
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.list.iter()
    }

    /// Puts them in the order of the text.
    pub fn sort(&mut self) {
        self.list.sort_by_key(Diagnostic::span);
    }

    /// Each with its source text, ready to be printed.
    ///
    /// Of very many only the first are shown, errors before warnings, and a last one counts the rest.
    pub fn reported(&self, sources: &Sources) -> Vec<Reported> {
        let errors = self
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error);
        let warnings = SHOWN.saturating_sub(errors.count());
        let (mut errors_left, mut warnings_left) = (SHOWN, warnings);
        let mut shown: Vec<Reported> = Vec::new();
        for diagnostic in &self.list {
            let left = match diagnostic.severity {
                Severity::Error => &mut errors_left,
                Severity::Warning | Severity::Note => &mut warnings_left,
            };
            if *left > 0 {
                *left -= 1;
                shown.push(Reported::new(diagnostic.clone(), sources));
            }
        }
        let hidden = self.list.len() - shown.len();
        if hidden > 0 {
            let more = Diagnostic {
                severity: if errors_left == 0 {
                    Severity::Error
                } else {
                    Severity::Warning
                },
                ..Diagnostic::error(
                    Code::TooMany,
                    Span::SYNTHETIC,
                    format!("{hidden} more problems are not shown"),
                    "mend these first, and run the command again",
                )
            };
            shown.push(Reported::new(more, sources));
        }
        shown
    }
}

/// The files that spans point into.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    masks: masks::Masks,
}

impl Sources {
    /// Takes in a file under a fresh id.
    pub fn add(&mut self, name: &str, text: &str) -> SourceFile {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        let file = SourceFile::new(id, name, text);
        self.files.push(file.clone());
        file
    }

    /// Takes in a file that was read as bytes.
    ///
    /// # Errors
    /// The bytes are not UTF-8, or too many. The file is taken in all the same, to show the error in.
    pub fn add_bytes(&mut self, name: &str, bytes: &[u8]) -> Result<SourceFile, SyntaxError> {
        let id = FileId(u32::try_from(self.files.len()).unwrap_or(u32::MAX));
        let read = SourceFile::from_bytes(id, name, bytes);
        self.files.push(match &read {
            Ok(file) => file.clone(),
            Err(error) => error.file().clone(),
        });
        read
    }

    /// Keeps a value, as it was written, out of everything that is told.
    pub(crate) fn hide(&mut self, written: &str) {
        self.masks.add(written);
    }

    /// The file of this id.
    pub fn get(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(usize::try_from(id.0).ok()?)
    }

    /// Every file, in the order read.
    pub fn iter(&self) -> impl Iterator<Item = &SourceFile> {
        self.files.iter()
    }

    /// The text under a span.
    pub fn slice(&self, span: Span) -> &str {
        self.get(span.file).map_or("", |file| file.slice(span))
    }
}

/// A span as the model carries it.
pub fn origin(span: Span) -> Origin {
    Origin {
        file: span.file.0,
        start: span.start,
        end: span.end,
    }
}

/// What the model carries as a span again.
pub fn span_of(origin: Origin) -> Span {
    Span {
        file: FileId(origin.file),
        start: origin.start,
        end: origin.end,
    }
}
