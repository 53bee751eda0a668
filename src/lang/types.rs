//! Types of variables, and making a value of one.

mod convert;
mod parse;

pub use convert::{ConversionError, convert};
pub use parse::parse;

use std::fmt;

use indexmap::IndexMap;

use super::value::Evaluated;
use crate::model::Target;

/// What values a variable takes.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// `any`: whatever is given.
    Any,
    /// `string`.
    String,
    /// `number`.
    Number,
    /// `bool`.
    Bool,
    /// `duration`.
    Duration,
    /// `percent`.
    Percent,
    /// `list(T)`.
    List(Box<Type>),
    /// `set(T)`: a list without repetitions.
    Set(Box<Type>),
    /// `map(T)`.
    Map(Box<Type>),
    /// `tuple([A, B])`.
    Tuple(Vec<Type>),
    /// `object({ … })`.
    Object(IndexMap<String, Field>),
    /// `user`, `group`, `location`, …: a reference to such an object.
    Reference(Target),
    /// `one_of(a, b)`: one of these words.
    OneOf(Vec<String>),
}

/// One attribute of an object type.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its type.
    pub of: Type,
    /// Whether it may be left out.
    pub optional: bool,
    /// What leaving it out means; `null` without one.
    pub default: Option<Evaluated>,
}

/// The words that name a type without arguments.
pub const SIMPLE: [&str; 6] = ["any", "string", "number", "bool", "duration", "percent"];

/// The words that name a type of references.
pub const REFERENCES: [&str; 10] = [
    "user",
    "group",
    "app",
    "role",
    "service_principal",
    "agent_identity",
    "location",
    "strength",
    "context",
    "terms",
];

/// The words that make a type from others.
pub const CONSTRUCTORS: [&str; 6] = ["list", "set", "map", "tuple", "object", "one_of"];

impl Type {
    /// The type without arguments that this word names.
    pub fn simple(word: &str) -> Option<Self> {
        Some(match word {
            "any" => Self::Any,
            "string" => Self::String,
            "number" => Self::Number,
            "bool" => Self::Bool,
            "duration" => Self::Duration,
            "percent" => Self::Percent,
            _ if REFERENCES.contains(&word) => Self::Reference(Target::from_word(word)?),
            _ => return None,
        })
    }

    /// What a value of the type is, as a message says it: `a string`, `a list of users`.
    pub fn noun(&self) -> String {
        match self {
            Self::Any => "a value".into(),
            Self::String => "a string".into(),
            Self::Number => "a number".into(),
            Self::Bool => "true or false".into(),
            Self::Duration => "a duration such as `4h`".into(),
            Self::Percent => "a percentage such as `10%`".into(),
            Self::List(_) | Self::Set(_) => "a list".into(),
            Self::Map(_) => "a map".into(),
            Self::Tuple(items) => format!("a list of {}", items.len()),
            Self::Object(_) => "an object".into(),
            Self::Reference(target) => format!("a reference to {}", with_article(*target)),
            Self::OneOf(words) => super::nearest::either(words.iter().map(String::as_str), 12),
        }
    }
}

/// The kind of object with its article: `a user`, `an app`.
pub fn with_article(target: Target) -> String {
    let word = target.word();
    let article = if word.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {word}")
}

/// Prints the type as it is written.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("any"),
            Self::String => f.write_str("string"),
            Self::Number => f.write_str("number"),
            Self::Bool => f.write_str("bool"),
            Self::Duration => f.write_str("duration"),
            Self::Percent => f.write_str("percent"),
            Self::List(of) => write!(f, "list({of})"),
            Self::Set(of) => write!(f, "set({of})"),
            Self::Map(of) => write!(f, "map({of})"),
            Self::Tuple(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "tuple([{}])", items.join(", "))
            }
            Self::Object(fields) => {
                let fields: Vec<String> = fields
                    .iter()
                    .map(|(name, field)| format!("{name} = {field}"))
                    .collect();
                write!(f, "object({{ {} }})", fields.join(", "))
            }
            Self::Reference(target) => f.write_str(target.word()),
            Self::OneOf(words) => write!(f, "one_of({})", words.join(", ")),
        }
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.default, self.optional) {
            (Some(default), _) => write!(f, "optional({}, {default})", self.of),
            (None, true) => write!(f, "optional({})", self.of),
            (None, false) => self.of.fmt(f),
        }
    }
}
