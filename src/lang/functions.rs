//! The functions that expressions can call, a file a family.
//!
//! [`all`] is the whole table, with signature and documentation: evaluation, completion and the
//! book read it. Functions whose arguments are not all evaluated first (`try`, `can`) are in the
//! table too, but the evaluator handles them itself.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::sync::LazyLock;

use indexmap::IndexMap;

use super::loader::SourceLoader;
use super::nearest::nearest;
use super::value::{Constructed, Evaluated, Number, Value};
use crate::syntax::Span;

mod collections;
mod convert;
mod domain;
mod encoding;
mod files;
mod formatting;
mod json;
mod network;
mod numbers;
mod sets;
mod strings;
mod time;

pub(crate) use collections::distinct;
pub(crate) use domain::{is_context_id, reference as reference_of_text};
pub(crate) use files::shown as shown_path;
pub use json::{to_json, value_of_json};

/// One function of the language.
#[derive(Debug)]
pub struct Function {
    /// The name that calls it.
    pub name: &'static str,
    /// The heading under which the book lists it.
    pub family: &'static str,
    /// How it is called: `join(separator, list)`.
    pub signature: &'static str,
    /// What it returns, in a sentence.
    pub doc: &'static str,
    /// The least number of arguments.
    pub least: usize,
    /// The largest number of arguments; nothing for any number.
    pub most: Option<usize>,
    /// Names that arguments may carry; only domain constructors have any.
    pub named: &'static [&'static str],
    /// Computes the value.
    pub(crate) evaluate: fn(&Arguments<'_>) -> Outcome,
}

/// What a function answers.
pub(crate) type Outcome = Result<Value, Refusal>;

/// Why a function could not answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// The argument at fault, counted from 0; nothing when it is the call as a whole.
    pub(crate) argument: Option<usize>,
    /// What is wrong.
    pub(crate) message: String,
    /// What to do.
    pub(crate) help: String,
}

impl Refusal {
    /// A refusal of the call as a whole.
    pub(crate) fn whole(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            argument: None,
            message: message.into(),
            help: help.into(),
        }
    }

    /// A refusal of one argument.
    pub(crate) fn of(argument: usize, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self {
            argument: Some(argument),
            message: message.into(),
            help: help.into(),
        }
    }
}

/// What functions may know of the world; all of it comes in as values.
#[derive(Clone, Copy)]
pub struct World<'w> {
    /// Where files come from.
    pub loader: &'w dyn SourceLoader,
    /// The present moment, the same for a whole run.
    pub now: jiff::Timestamp,
    /// The project's folder, from which relative paths count.
    pub root: &'w Path,
}

/// The arguments of one call, already evaluated.
pub(crate) struct Arguments<'a> {
    pub(crate) name: &'static str,
    pub(crate) values: &'a [Evaluated],
    pub(crate) named: &'a IndexMap<String, Evaluated>,
    pub(crate) world: World<'a>,
    pub(crate) span: Span,
}

impl Arguments<'_> {
    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.values.len()
    }

    /// One argument, `null` where none was given.
    pub(crate) fn value(&self, index: usize) -> &Value {
        self.values
            .get(index)
            .map_or(&Value::Null, |argument| &argument.value)
    }

    /// Refuses an argument for being of another kind.
    pub(crate) fn wrong(&self, index: usize, wanted: &str) -> Refusal {
        let found = self.value(index);
        Refusal::of(
            index,
            format!("`{}` takes {wanted} here, not {}", self.name, found.kind()),
            format!("write {}", signature(self.name)),
        )
    }

    /// A text; numbers, bools and durations are written out.
    pub(crate) fn text(&self, index: usize) -> Result<Cow<'_, str>, Refusal> {
        match self.value(index) {
            Value::String { text, .. } => Ok(Cow::Borrowed(text)),
            other => other
                .interpolated()
                .map(Cow::Owned)
                .ok_or_else(|| self.wrong(index, "a string")),
        }
    }

    /// A number; a string that spells one will do.
    pub(crate) fn number(&self, index: usize) -> Result<Number, Refusal> {
        match self.value(index) {
            Value::Number(number) => Ok(*number),
            Value::String { text, .. } => Number::parse(text).ok_or_else(|| self.wrong(index, "a number")),
            _ => Err(self.wrong(index, "a number")),
        }
    }

    /// A whole number.
    pub(crate) fn integer(&self, index: usize) -> Result<i64, Refusal> {
        self.number(index)?
            .as_integer()
            .ok_or_else(|| self.wrong(index, "a whole number"))
    }

    /// A whole number that is not negative.
    pub(crate) fn size(&self, index: usize) -> Result<usize, Refusal> {
        usize::try_from(self.integer(index)?).map_err(|_| self.wrong(index, "a number that is not negative"))
    }

    /// A list.
    pub(crate) fn list(&self, index: usize) -> Result<&[Evaluated], Refusal> {
        match self.value(index) {
            Value::List(items) => Ok(items),
            _ => Err(self.wrong(index, "a list")),
        }
    }

    /// A list of texts.
    pub(crate) fn texts(&self, index: usize) -> Result<Vec<String>, Refusal> {
        self.list(index)?
            .iter()
            .map(|item| {
                item.value
                    .interpolated()
                    .ok_or_else(|| self.wrong(index, "a list of strings"))
            })
            .collect()
    }

    /// An object or map.
    pub(crate) fn object(&self, index: usize) -> Result<&IndexMap<String, Evaluated>, Refusal> {
        match self.value(index) {
            Value::Object(entries) => Ok(entries),
            _ => Err(self.wrong(index, "an object")),
        }
    }

    /// The value as one that was written where the call is.
    pub(crate) fn here(&self, value: Value) -> Evaluated {
        Evaluated::new(value, self.span)
    }

    /// A list of texts, written where the call is.
    pub(crate) fn texts_here(&self, texts: impl IntoIterator<Item = impl Into<String>>) -> Value {
        Value::from(
            texts
                .into_iter()
                .map(|text| self.here(Value::text(text)))
                .collect::<Vec<_>>(),
        )
    }
}

/// Every function, family by family.
pub fn all() -> impl Iterator<Item = &'static Function> {
    [
        strings::FUNCTIONS,
        formatting::FUNCTIONS,
        collections::FUNCTIONS,
        sets::FUNCTIONS,
        numbers::FUNCTIONS,
        convert::FUNCTIONS,
        encoding::FUNCTIONS,
        network::FUNCTIONS,
        time::FUNCTIONS,
        files::FUNCTIONS,
        domain::FUNCTIONS,
    ]
    .into_iter()
    .flatten()
}

/// The function of this name.
pub fn find(name: &str) -> Option<&'static Function> {
    static BY_NAME: LazyLock<HashMap<&str, &Function>> =
        LazyLock::new(|| all().map(|function| (function.name, function)).collect());
    BY_NAME.get(name).copied()
}

/// The function whose name is most like this one.
pub fn nearest_name(name: &str) -> Option<&'static str> {
    nearest(name, all().map(|function| function.name))
}

fn signature(name: &str) -> String {
    find(name).map_or_else(String::new, |function| format!("`{}`", function.signature))
}

/// The value of a domain constructor: its arguments, kept as data.
#[expect(clippy::unnecessary_wraps, reason = "a row of the table")]
pub(crate) fn constructed(arguments: &Arguments<'_>) -> Outcome {
    Ok(Value::Call(Box::new(Constructed {
        name: arguments.name.to_owned(),
        positional: arguments.values.to_vec(),
        named: arguments.named.clone(),
    })))
}

/// A row of the table: name, signature, arity, documentation, code.
macro_rules! functions {
    ($family:literal: $($name:literal ($least:literal $(..)? $($most:literal)? $(, $any:ident)?) $signature:literal $doc:literal = $evaluate:expr;)+) => {
        &[$($crate::lang::functions::Function {
            name: $name,
            family: $family,
            signature: $signature,
            doc: $doc,
            least: $least,
            most: functions!(@most $least $($most)? $($any)?),
            named: &[],
            evaluate: $evaluate,
        }),+]
    };
    (@most $least:literal $most:literal) => { Some($most) };
    (@most $least:literal any) => { None };
    (@most $least:literal) => { Some($least) };
}
pub(crate) use functions;
