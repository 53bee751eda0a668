//! The codec between Graph's JSON and [`Object`](super::Object), driven by the property table.
//!
//! Reading is tolerant where the service is (casing, null against empty against absent) and keeps
//! what it does not know; writing says exactly what the engineer owns.

mod decode;
mod encode;

use serde_json::{Map, Value as Json};

pub use decode::{Decoded, decode, location_kind};
pub use encode::{Body, Ids, encode, encode_changes, members_path};

/// Something in Graph's JSON that can't be read or written as the property table says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
#[error("`{path}` {problem}")]
#[diagnostic(
    code("model::wire"),
    help("compare the member with Graph's documentation; nothing is guessed from a half-read object")
)]
pub struct WireError {
    /// The wire path.
    pub path: String,
    /// What is wrong with it.
    pub problem: String,
}

impl WireError {
    pub(super) fn new(path: &str, problem: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            problem: problem.into(),
        }
    }
}

/// The value at a dotted path; null and absent are the same.
pub fn at<'a>(json: &'a Json, path: &str) -> Option<&'a Json> {
    let mut here = json;
    for step in path.split('.') {
        here = here.get(step)?;
    }
    (!here.is_null()).then_some(here)
}

/// Puts a value at a dotted path, making the objects on the way.
pub fn put(json: &mut Json, path: &str, value: Json) {
    let mut here = json;
    let mut steps = path.split('.').peekable();
    while let Some(step) = steps.next() {
        if !here.is_object() {
            *here = Json::Object(Map::new());
        }
        let Some(map) = here.as_object_mut() else { return };
        if steps.peek().is_none() {
            map.insert(step.into(), value);
            return;
        }
        here = map.entry(step).or_insert_with(|| Json::Object(Map::new()));
    }
}

/// Removes and returns the value at a dotted path.
pub(super) fn take(json: &mut Json, path: &str) -> Option<Json> {
    match path.split_once('.') {
        Some((step, rest)) => take(json.get_mut(step)?, rest),
        None => json.as_object_mut()?.remove(path),
    }
}

/// Whether a member carries no value of its own: an OData annotation or an action.
pub fn is_annotation(member: &str) -> bool {
    member.contains("@odata.") || member.starts_with('#')
}

/// Drops annotations, nulls and what is empty, all the way down; null when nothing is left.
pub fn pruned(json: &Json) -> Json {
    match json {
        Json::Object(map) => {
            let kept: Map<String, Json> = map
                .iter()
                .filter(|(member, _)| !is_annotation(member))
                .map(|(member, value)| (member.clone(), pruned(value)))
                .filter(|(_, value)| !value.is_null())
                .collect();
            if kept.is_empty() {
                Json::Null
            } else {
                Json::Object(kept)
            }
        }
        Json::Array(values) => {
            let kept: Vec<Json> = values
                .iter()
                .map(pruned)
                .filter(|value| !value.is_null())
                .collect();
            if kept.is_empty() {
                Json::Null
            } else {
                Json::Array(kept)
            }
        }
        other => other.clone(),
    }
}

/// JSON text in which members are sorted and lists are sets.
pub fn canonical_text(json: &Json) -> String {
    sorted(json).to_string()
}

/// Members are sorted as they are.
fn sorted(json: &Json) -> Json {
    match json {
        Json::Object(map) => {
            let members = map.iter();
            Json::Object(
                members
                    .map(|(member, value)| (member.clone(), sorted(value)))
                    .collect(),
            )
        }
        Json::Array(values) => {
            let mut values: Vec<Json> = values.iter().map(sorted).collect();
            values.sort_by_cached_key(Json::to_string);
            Json::Array(values)
        }
        other => other.clone(),
    }
}
