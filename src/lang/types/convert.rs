//! Making a value of a type, by Terraform's rules.
//!
//! Where Terraform drops an attribute that an object type does not have, this is an error: a
//! mistyped `exclude` that vanished in silence would lock people out.

use indexmap::IndexMap;

use super::{Field, Type, with_article};
use crate::lang::functions::{distinct, reference_of_text};
use crate::lang::nearest::write_one_of;
use crate::lang::value::{Duration, Evaluated, Number, Value};
use crate::model::{Reference, Target};
use crate::syntax::Span;

/// Why a value cannot be made of a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversionError {
    /// Where the culprit was written.
    pub span: Span,
    /// What is wrong, naming the path to the culprit inside the value.
    pub message: String,
    /// What would be valid.
    pub help: String,
}

/// The value as one of this type. Elements keep the place where they were written.
///
/// # Errors
/// Every part that does not fit, not the first one.
pub fn convert(value: &Evaluated, wanted: &Type) -> Result<Evaluated, Vec<ConversionError>> {
    let mut conversion = Conversion {
        path: String::new(),
        errors: Vec::new(),
    };
    let converted = conversion.convert(value, wanted);
    if conversion.errors.is_empty() {
        Ok(converted)
    } else {
        Err(conversion.errors)
    }
}

struct Conversion {
    path: String,
    errors: Vec<ConversionError>,
}

impl Conversion {
    fn convert(&mut self, value: &Evaluated, wanted: &Type) -> Evaluated {
        let made = match (&value.value, wanted) {
            (Value::Null | Value::Faulty, _)
            | (_, Type::Any)
            | (Value::Bool(_), Type::Bool)
            | (Value::Number(_), Type::Number)
            | (Value::String { .. }, Type::String)
            | (Value::Duration(_), Type::Duration)
            | (Value::Percent(_), Type::Percent) => Some(value.value.clone()),
            (Value::String { text, .. }, Type::Bool) => match text.as_str() {
                "true" => Some(Value::Bool(true)),
                "false" => Some(Value::Bool(false)),
                _ => None,
            },
            (Value::String { text, .. }, Type::Number) => Number::parse(text).map(Value::Number),
            (Value::String { text, .. }, Type::Duration) => Duration::parse(text).map(Value::Duration),
            (Value::String { text, .. }, Type::Percent) => {
                text.strip_suffix('%').and_then(Number::parse).map(Value::Percent)
            }
            (other, Type::String) => other.interpolated().map(Value::text),
            (Value::List(items), Type::List(of)) => Some(Value::from(self.items(items, of))),
            (Value::List(items), Type::Set(of)) => Some(Value::from(as_set(&self.items(items, of)))),
            (Value::List(items), Type::Tuple(types)) if items.len() == types.len() => Some(Value::from(
                items
                    .iter()
                    .zip(types)
                    .enumerate()
                    .map(|(index, (item, of))| self.at(&format!("[{index}]"), item, of))
                    .collect::<Vec<_>>(),
            )),
            (Value::Object(entries), Type::Map(of)) => Some(Value::from(
                entries
                    .iter()
                    .map(|(key, item)| (key.clone(), self.at(&format!("[\"{key}\"]"), item, of)))
                    .collect::<IndexMap<_, _>>(),
            )),
            (Value::Object(entries), Type::Object(fields)) => Some(self.object(entries, fields, value.span)),
            (Value::Reference(reference), Type::Reference(target)) => {
                Some(self.reference(value, reference, *target))
            }
            (Value::String { text, symbol: false }, Type::Reference(target)) if !text.trim().is_empty() => {
                Some(Value::Reference(reference_of_text(*target, text)))
            }
            (Value::String { text, .. }, Type::OneOf(words)) if words.contains(text) => {
                Some(Value::symbol(text))
            }
            _ => None,
        };
        let Some(made) = made else {
            self.refuse(value, wanted);
            return Evaluated::faulty(value.span);
        };
        Evaluated {
            value: made,
            ..value.clone()
        }
    }

    fn at(&mut self, step: &str, value: &Evaluated, wanted: &Type) -> Evaluated {
        let length = self.path.len();
        self.path.push_str(step);
        let converted = self.convert(value, wanted);
        self.path.truncate(length);
        converted
    }

    fn items(&mut self, items: &[Evaluated], of: &Type) -> Vec<Evaluated> {
        items
            .iter()
            .enumerate()
            .map(|(index, item)| self.at(&format!("[{index}]"), item, of))
            .collect()
    }

    fn object(
        &mut self,
        entries: &IndexMap<String, Evaluated>,
        fields: &IndexMap<String, Field>,
        span: Span,
    ) -> Value {
        for (name, value) in entries {
            if !fields.contains_key(name) {
                let message = format!("{} has no attribute `{name}`", self.subject("the object"));
                let help = write_one_of(name, "", fields.keys().map(String::as_str), || {
                    "take it away".into()
                });
                self.errors.push(ConversionError {
                    span: value.key.unwrap_or(value.span),
                    message,
                    help,
                });
            }
        }
        let mut made = IndexMap::new();
        for (name, field) in fields {
            let value = match (entries.get(name), &field.default) {
                (Some(value), Some(default)) if matches!(value.value, Value::Null) => default.clone(),
                (Some(value), _) => self.at(&format!(".{name}"), value, &field.of),
                (None, Some(default)) => default.clone(),
                (None, None) if field.optional => Evaluated::new(Value::Null, span),
                (None, None) => {
                    let message = format!("{} lacks the attribute `{name}`", self.subject("the object"));
                    let help = format!("add `{name} = …`, {}", field.of.noun());
                    self.errors.push(ConversionError { span, message, help });
                    Evaluated::faulty(span)
                }
            };
            made.insert(name.clone(), value);
        }
        Value::from(made)
    }

    fn reference(&mut self, value: &Evaluated, reference: &Reference, target: Target) -> Value {
        match reference.target() {
            Some(found) if found != target => {
                let message = format!(
                    "{} is {}, not {}",
                    self.subject("this"),
                    with_article(found),
                    with_article(target)
                );
                let help = format!("write `{0}(\"…\")` or `{0}.NAME`", target.word());
                self.errors.push(ConversionError {
                    span: value.span,
                    message,
                    help,
                });
                Value::Faulty
            }
            _ => value.value.clone(),
        }
    }

    fn subject(&self, otherwise: &str) -> String {
        if self.path.is_empty() {
            otherwise.to_owned()
        } else {
            format!("`{}`", self.path.trim_start_matches('.'))
        }
    }

    fn refuse(&mut self, value: &Evaluated, wanted: &Type) {
        let found = match &value.value {
            Value::String { text, .. } if !value.sensitive => format!("`{text}`"),
            Value::List(items) if matches!(wanted, Type::Tuple(_)) => format!("a list of {}", items.len()),
            other => other.kind().to_owned(),
        };
        let message = match self.path.trim_start_matches('.') {
            "" => format!("{found} is not {}", wanted.noun()),
            path => format!("{found} at `{path}` is not {}", wanted.noun()),
        };
        let help = match (&value.value, wanted) {
            (Value::String { text, .. }, Type::OneOf(words)) => {
                write_one_of(text, "", words.iter().map(String::as_str), || {
                    "declare words in `one_of(…)`".into()
                })
            }
            (Value::String { text, symbol: true }, Type::Reference(target)) => {
                format!("write `{0}(\"{text}\")` or `{0}.{text}`", target.word())
            }
            (_, Type::Reference(target)) => format!("write `{0}(\"…\")` or `{0}.NAME`", target.word()),
            (found, Type::List(_) | Type::Set(_)) if !value.is_sensitive() => {
                format!("put it in brackets: `[{found}]`")
            }
            _ => format!("write {}; the type is `{wanted}`", wanted.noun()),
        };
        self.errors.push(ConversionError {
            span: value.span,
            message,
            help,
        });
    }
}

/// The elements once each; strings sorted, so that a set has one order.
fn as_set(items: &[Evaluated]) -> Vec<Evaluated> {
    let mut out = distinct(items);
    if out.iter().all(|item| item.as_text().is_some()) {
        out.sort_by(|a, b| a.as_text().cmp(&b.as_text()));
    }
    out
}
