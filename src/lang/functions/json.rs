//! Values from and to JSON, which YAML goes through as well.

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::lang::value::{Evaluated, Number, Value};
use crate::syntax::Span;

/// The value of a JSON document, as if written at `span`.
pub fn value_of_json(json: &Json, span: Span) -> Value {
    let inner = |json| Evaluated::new(value_of_json(json, span), span);
    match json {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match number.as_i64() {
            Some(integer) => Value::integer(integer),
            None => number
                .as_f64()
                .and_then(Number::from_f64)
                .map_or(Value::Null, Value::Number),
        },
        Json::String(text) => Value::text(text),
        Json::Array(items) => Value::from(items.iter().map(inner).collect::<Vec<_>>()),
        Json::Object(entries) => {
            let entries: IndexMap<_, _> = entries
                .iter()
                .map(|(key, value)| (key.clone(), inner(value)))
                .collect();
            Value::from(entries)
        }
    }
}

/// The value as JSON; durations and percentages become strings as written.
///
/// # Errors
/// Names what has no JSON form: a reference whose id is not known yet, a domain constructor.
pub fn to_json(value: &Value) -> Result<Json, String> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(value) => Json::Bool(*value),
        Value::Number(Number::Integer(integer)) => Json::from(*integer),
        Value::Number(Number::Decimal(decimal)) => Json::from(*decimal),
        Value::List(items) => Json::Array(
            items
                .iter()
                .map(|item| to_json(&item.value))
                .collect::<Result<_, _>>()?,
        ),
        Value::Object(entries) => Json::Object(
            entries
                .iter()
                .map(|(key, value)| Ok((key.clone(), to_json(&value.value)?)))
                .collect::<Result<_, String>>()?,
        ),
        other => Json::String(other.interpolated().ok_or_else(|| other.to_string())?),
    })
}
