//! From bytes to a document, refusing what would be misread.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Map;
use serde_json::Value;

use super::Document;
use super::DocumentError;
use super::FORMAT_VERSION;
use super::ResourceState;

impl Document {
    /// Reads a document that may be written back: one of this format, of which every field is known.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let (document, unread) = read(bytes)?;
        if unread.is_empty() {
            return Ok(document);
        }
        Err(DocumentError::NotFullyRead {
            fields: unread,
            written_by: document.capol_version,
        })
    }

    /// Reads a document to show it, passing over fields that a later version added.
    ///
    /// What it returns must not be written back.
    pub fn parse_for_display(bytes: &[u8]) -> Result<Self, DocumentError> {
        read(bytes).map(|(document, _)| document)
    }
}

fn read(bytes: &[u8]) -> Result<(Document, Vec<String>), DocumentError> {
    let fields = match json(bytes)? {
        Value::Object(fields) => fields,
        other => {
            return Err(foreign(match other {
                Value::Array(_) => "a JSON list",
                _ => "a single JSON value",
            }));
        }
    };
    check_format(&fields)?;
    let whole = Value::Object(fields);
    let document: Document = decode(&whole).map_err(|reason| locate(&whole, reason))?;
    let mut unread = Vec::new();
    let again = serde_json::to_value(&document).map_err(|cause| DocumentError::Unwritable {
        reason: cause.to_string(),
    })?;
    lost("", &whole, Some(&again), &mut unread);
    Ok((document, unread))
}

fn json(bytes: &[u8]) -> Result<Value, DocumentError> {
    serde_json::from_slice(bytes).map_err(|cause| {
        if cause.is_eof() {
            return DocumentError::Truncated {
                line: cause.line().max(1),
            };
        }
        // The reader's own position is said in the message already.
        let reason = cause.to_string();
        let reason = reason
            .rsplit_once(" at line ")
            .map_or(reason.as_str(), |(what, _)| what)
            .to_owned();
        DocumentError::Corrupt {
            line: cause.line(),
            column: cause.column(),
            reason,
        }
    })
}

fn check_format(fields: &Map<String, Value>) -> Result<(), DocumentError> {
    if fields.contains_key("terraform_version") {
        return Err(foreign("a Terraform or OpenTofu state"));
    }
    if fields.contains_key("@odata.context") || fields.contains_key("value") {
        return Err(DocumentError::Foreign {
            what: "an answer of Microsoft Graph".to_owned(),
            help: "to adopt exported objects, run `capol import --json FILE`".to_owned(),
        });
    }
    let (Some(version), true) = (
        fields.get("format_version").and_then(Value::as_u64),
        fields.contains_key("lineage"),
    ) else {
        return Err(foreign("some other JSON object"));
    };
    if version > FORMAT_VERSION {
        return Err(DocumentError::NewerFormat {
            found: version,
            written_by: fields
                .get("capol_version")
                .and_then(Value::as_str)
                .unwrap_or("of a later version")
                .to_owned(),
        });
    }
    if version < FORMAT_VERSION {
        return Err(DocumentError::UnknownFormat { found: version });
    }
    Ok(())
}

fn foreign(what: &str) -> DocumentError {
    DocumentError::Foreign {
        what: what.to_owned(),
        help:
            "move the file out of the way; capol makes its own state, and `capol import` adopts what exists"
                .to_owned(),
    }
}

fn decode<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    T::deserialize(value).map_err(|cause| cause.to_string())
}

/// Says in which part of the document the fault is.
fn locate(whole: &Value, reason: String) -> DocumentError {
    let resources = whole.get("resources").and_then(Value::as_object);
    for (address, resource) in resources.into_iter().flatten() {
        if let Err(reason) = decode::<ResourceState>(resource) {
            return DocumentError::Damaged {
                at: format!("resources.{address}"),
                reason,
            };
        }
    }
    let sections = ["resources", "outputs", "rollouts", "contingencies", "approvals"];
    for section in sections {
        let Some(value) = whole.get(section) else {
            continue;
        };
        if let Err(reason) = decode::<BTreeMap<String, Value>>(value) {
            return DocumentError::Damaged {
                at: section.to_owned(),
                reason,
            };
        }
    }
    DocumentError::Damaged {
        at: "the document".to_owned(),
        reason,
    }
}

/// Collects the paths of what `whole` holds and `again` does not.
///
/// A null is not content: an absent optional field reads the same.
fn lost(path: &str, whole: &Value, again: Option<&Value>, into: &mut Vec<String>) {
    match (whole, again) {
        (value, Some(kept)) if value == kept => {}
        (Value::Object(fields), Some(Value::Object(kept))) => {
            for (name, value) in fields {
                let inner = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                lost(&inner, value, kept.get(name), into);
            }
        }
        // Sets are written sorted, whatever their order was.
        (Value::Array(items), Some(Value::Array(kept))) if items.iter().all(|item| kept.contains(item)) => {}
        (Value::Object(fields), None) if fields.is_empty() => {}
        (Value::Array(items), None) if items.is_empty() => {}
        (Value::Null | Value::Bool(false), None) => {}
        _ => into.push(path.to_owned()),
    }
}
