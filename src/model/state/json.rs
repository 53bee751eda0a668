//! JSON kept as text.

use std::sync::Arc;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::Serializer;
use serde_json::Value;

/// A JSON value kept as text: a tenth of the memory of a tree, for what is looked at one object at a time.
///
/// Keys are in order and nothing is indented, so equal values have equal texts. A clone shares the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(Arc<str>);

impl Json {
    /// The text of a tree.
    pub fn of(value: &Value) -> Self {
        Self(value.to_string().into())
    }

    /// The value as a tree.
    pub fn value(&self) -> Value {
        // INVARIANT: the text was printed from a value that a parser had made, so it parses.
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        Self::of(&value)
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(Self::from)
    }
}
