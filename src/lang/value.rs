//! What an expression comes to.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::model::{Address, Reference};
use crate::syntax::{Span, is_identifier, quoted};

pub use super::duration::{Duration, DurationUnit};
pub use super::number::Number;

/// A value of the language, without where it was written.
///
/// Two values are equal when a person would call them so: a symbol equals the string of the same
/// letters, `60m` equals `1h`. Spans never take part.
#[derive(Debug, Clone)]
pub enum Value {
    /// `null`: as if the attribute were not written.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A text; `symbol` when it was written as a bare word.
    String {
        /// The text.
        text: String,
        /// Whether it was a bare word, to be checked where it lands.
        symbol: bool,
    },
    /// A duration, in the unit it was written in.
    Duration(Duration),
    /// A percentage; `10%` is `Percent(10)`.
    Percent(Number),
    /// A list, set or tuple; shared, so that a name costs nothing however often it is used.
    List(Arc<Vec<Evaluated>>),
    /// An object or map, in the order written.
    Object(Arc<IndexMap<String, Evaluated>>),
    /// A directory or Conditional Access object: a keyword, an id, a look-up, a block of this project.
    Reference(Reference),
    /// A block of this project that is no such object: `policy.NAME`, `rollout.NAME`, ….
    Block(Box<Address>),
    /// A domain constructor as data, checked where it lands: `any_of(mfa, compliant_device)`.
    Call(Box<Constructed>),
    /// What could not be evaluated. The reason is reported already, so nobody reports it again.
    Faulty,
}

/// A domain constructor and what it was given: `guests([b2b_collaboration_guest], tenants = […])`.
#[derive(Debug, Clone)]
pub struct Constructed {
    /// The constructor's name.
    pub name: String,
    /// The arguments without a name, in order.
    pub positional: Vec<Evaluated>,
    /// The arguments with a name.
    pub named: IndexMap<String, Evaluated>,
}

/// A value, where it was written, and whether it may be shown.
#[derive(Debug, Clone)]
pub struct Evaluated {
    /// The value.
    pub value: Value,
    /// Where the value was written, which may be another file than where it is used.
    pub span: Span,
    /// Whether it came out of a `sensitive` variable or output.
    pub sensitive: bool,
    /// Where its key was written, for an entry of an object literal.
    pub key: Option<Span>,
}

impl Evaluated {
    /// A value that may be shown.
    pub fn new(value: Value, span: Span) -> Self {
        Self {
            value,
            span,
            sensitive: false,
            key: None,
        }
    }

    /// The value that stands for an error already reported.
    pub fn faulty(span: Span) -> Self {
        Self::new(Value::Faulty, span)
    }

    /// The same, sensitive also if `sensitive` says so.
    #[must_use]
    pub fn tainted(mut self, sensitive: bool) -> Self {
        self.sensitive |= sensitive;
        self
    }

    /// Whether the value or anything inside it is sensitive.
    pub fn is_sensitive(&self) -> bool {
        self.sensitive || self.value.children().any(Self::is_sensitive)
    }

    /// Whether the value or anything inside it stands for an error already reported.
    pub fn is_faulty(&self) -> bool {
        matches!(self.value, Value::Faulty) || self.value.children().any(Self::is_faulty)
    }

    /// Whether values nest inside it more deeply than `limit`. Walks without recursion.
    pub fn is_deeper_than(&self, limit: usize) -> bool {
        let mut stack = vec![(self, 0_usize)];
        while let Some((value, depth)) = stack.pop() {
            if depth > limit {
                return true;
            }
            stack.extend(value.value.children().map(|child| (child, depth + 1)));
        }
        false
    }

    /// The text of a string or symbol.
    pub fn as_text(&self) -> Option<&str> {
        self.value.as_text()
    }
}

impl PartialEq for Evaluated {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Value {
    /// A quoted text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::String {
            text: text.into(),
            symbol: false,
        }
    }

    /// A bare word.
    pub fn symbol(text: impl Into<String>) -> Self {
        Self::String {
            text: text.into(),
            symbol: true,
        }
    }

    /// A whole number.
    pub fn integer(value: i64) -> Self {
        Self::Number(Number::Integer(value))
    }

    /// A count of things.
    pub fn count(value: usize) -> Self {
        i64::try_from(value).map_or(Self::Faulty, Self::integer)
    }

    /// A list whose elements were all written at `span`.
    pub fn list(values: impl IntoIterator<Item = Self>, span: Span) -> Self {
        let values = values.into_iter();
        values.map(|value| Evaluated::new(value, span)).collect()
    }

    /// The text of a string or symbol.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::String { text, .. } => Some(text),
            _ => None,
        }
    }

    /// What it is, as a message says it: `a string`, `a list`, ….
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Number(_) => "a number",
            Self::String { symbol: true, .. } => "a word",
            Self::String { .. } => "a string",
            Self::Duration(_) => "a duration",
            Self::Percent(_) => "a percentage",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
            Self::Reference(_) => "a reference",
            Self::Block(_) => "a block",
            Self::Call(_) => "a condition",
            Self::Faulty => "an error",
        }
    }

    /// The values directly inside.
    pub fn children(&self) -> impl Iterator<Item = &Evaluated> {
        let (items, entries) = match self {
            Self::List(items) => (Some(&**items), None),
            Self::Object(entries) => (None, Some(&**entries)),
            Self::Call(call) => (Some(&call.positional), Some(&call.named)),
            _ => (None, None),
        };
        let entries = entries.into_iter().flat_map(IndexMap::values);
        items.into_iter().flatten().chain(entries)
    }

    /// The text that `"${…}"` makes of it, or nothing for what has no text before the apply.
    pub fn interpolated(&self) -> Option<String> {
        Some(match self {
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.to_string(),
            Self::String { text, .. } => text.clone(),
            Self::Duration(duration) => duration.to_string(),
            Self::Percent(number) => format!("{number}%"),
            Self::Reference(Reference::Keyword(word)) => word.clone(),
            Self::Reference(Reference::Id { id, .. }) => id.clone(),
            _ => return None,
        })
    }
}

/// A list.
impl FromIterator<Evaluated> for Value {
    fn from_iter<I: IntoIterator<Item = Evaluated>>(items: I) -> Self {
        Self::List(Arc::new(items.into_iter().collect()))
    }
}

/// An object or map.
impl FromIterator<(String, Evaluated)> for Value {
    fn from_iter<I: IntoIterator<Item = (String, Evaluated)>>(entries: I) -> Self {
        Self::Object(Arc::new(entries.into_iter().collect()))
    }
}

impl From<Vec<Evaluated>> for Value {
    fn from(items: Vec<Evaluated>) -> Self {
        Self::List(Arc::new(items))
    }
}

impl From<IndexMap<String, Evaluated>> for Value {
    fn from(entries: IndexMap<String, Evaluated>) -> Self {
        Self::Object(Arc::new(entries))
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) | (Self::Faulty, Self::Faulty) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Number(a), Self::Number(b)) | (Self::Percent(a), Self::Percent(b)) => a == b,
            (Self::String { text: a, .. }, Self::String { text: b, .. }) => a == b,
            (Self::Duration(a), Self::Duration(b)) => a.cmp_length(*b) == Ordering::Equal,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Object(a), Self::Object(b)) => a == b,
            (Self::Reference(a), Self::Reference(b)) => a == b,
            (Self::Block(a), Self::Block(b)) => a == b,
            (Self::Call(a), Self::Call(b)) => {
                a.name == b.name && a.positional == b.positional && a.named == b.named
            }
            _ => false,
        }
    }
}

/// Values met so far, to be asked whether one is among them.
#[derive(Default)]
pub(crate) struct Seen<'v> {
    texts: HashSet<&'v str>,
    references: HashSet<&'v Reference>,
    others: Vec<&'v Value>,
}

impl<'v> Seen<'v> {
    /// All values of a list.
    pub(crate) fn of(items: &'v [Evaluated]) -> Self {
        let mut seen = Self::default();
        for item in items {
            seen.insert(&item.value);
        }
        seen
    }

    /// Whether an equal value is among them.
    pub(crate) fn contains(&self, value: &Value) -> bool {
        match value {
            Value::String { text, .. } => self.texts.contains(text.as_str()),
            Value::Reference(reference) => self.references.contains(reference),
            other => self.others.contains(&other),
        }
    }

    /// Takes a value in; whether none was equal to it.
    pub(crate) fn insert(&mut self, value: &'v Value) -> bool {
        match value {
            Value::String { text, .. } => self.texts.insert(text),
            Value::Reference(reference) => self.references.insert(reference),
            other => {
                let new = !self.others.contains(&other);
                if new {
                    self.others.push(other);
                }
                new
            }
        }
    }
}

/// The entries of an object by key, which is the order in which `for`, `keys` and `values` see them.
pub fn by_key(entries: &IndexMap<String, Evaluated>) -> Vec<(&String, &Evaluated)> {
    let mut sorted: Vec<_> = entries.iter().collect();
    sorted.sort_by_key(|(key, _)| *key);
    sorted
}

/// Prints the value as it would be written in a file.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => value.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::String { text, symbol: true } => f.write_str(text),
            Self::String { text, symbol: false } => f.write_str(&quoted(text)),
            Self::Duration(duration) => duration.fmt(f),
            Self::Percent(number) => write!(f, "{number}%"),
            Self::List(items) => {
                f.write_str("[")?;
                separated(items.iter(), f)?;
                f.write_str("]")
            }
            Self::Object(entries) if entries.is_empty() => f.write_str("{}"),
            Self::Object(entries) => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    f.write_str(if index == 0 { "{ " } else { ", " })?;
                    if is_identifier(key) {
                        f.write_str(key)?;
                    } else {
                        f.write_str(&quoted(key))?;
                    }
                    write!(f, " = {value}")?;
                }
                f.write_str(" }")
            }
            Self::Reference(reference) => reference_text(reference, f),
            Self::Block(address) => write!(f, "{address}"),
            Self::Call(call) => {
                write!(f, "{}(", call.name)?;
                separated(call.positional.iter(), f)?;
                for (index, (name, value)) in call.named.iter().enumerate() {
                    let comma = if index == 0 && call.positional.is_empty() {
                        ""
                    } else {
                        ", "
                    };
                    write!(f, "{comma}{name} = {value}")?;
                }
                f.write_str(")")
            }
            Self::Faulty => f.write_str("(error)"),
        }
    }
}

/// Prints the value as it would be written, or `(sensitive)`.
impl fmt::Display for Evaluated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.sensitive {
            f.write_str("(sensitive)")
        } else {
            self.value.fmt(f)
        }
    }
}

fn separated<'v>(values: impl Iterator<Item = &'v Evaluated>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for (index, value) in values.enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write!(f, "{value}")?;
    }
    Ok(())
}

fn reference_text(reference: &Reference, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match reference {
        Reference::Keyword(word) => f.write_str(word),
        Reference::Id { target, id } => write!(f, "{}({})", target.word(), quoted(id)),
        Reference::Managed { address, .. } => write!(f, "{address}"),
        Reference::Lookup(lookup) => write!(f, "{}({})", lookup.target.word(), quoted(&lookup.name)),
    }
}
