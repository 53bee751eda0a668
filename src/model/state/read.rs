//! From bytes to a document, refusing what would be misread.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::Document;
use super::DocumentError;
use super::FORMAT_VERSION;
use super::ResourceState;
use super::json_reason;
use crate::model::Address;
use crate::model::Kind;
use crate::model::properties::ApiVersion;

type Check = fn(&Value) -> bool;

/// The parts of a document besides its head.
const SECTIONS: [&str; 5] = ["resources", "outputs", "rollouts", "contingencies", "approvals"];

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
    match read_own(bytes) {
        Some(document) => Ok((document, Vec::new())),
        None => examine(bytes),
    }
}

/// Reads a document that is to the byte what this version would write: then nothing in it is unknown.
fn read_own(bytes: &[u8]) -> Option<Document> {
    let document: Document = serde_json::from_slice(bytes).ok()?;
    let own = document.format_version == FORMAT_VERSION
        && check_addresses(&document).is_ok()
        && document.renders_as(bytes);
    own.then_some(document)
}

/// Reads any other document, and says what is wrong with it or unknown in it.
fn examine(bytes: &[u8]) -> Result<(Document, Vec<String>), DocumentError> {
    let mut whole = json(bytes)?;
    check_format(&whole)?;
    let mut unread = set_apart(&mut whole);
    let document: Document = decode(&whole).map_err(|reason| locate(&whole, reason))?;
    check_addresses(&document)?;
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
        DocumentError::Corrupt {
            line: cause.line(),
            column: cause.column(),
            reason: json_reason(&cause),
        }
    })
}

fn check_format(whole: &Value) -> Result<(), DocumentError> {
    let Some(fields) = whole.as_object() else {
        return Err(foreign(if whole.is_array() {
            "a JSON list"
        } else {
            "a single JSON value"
        }));
    };
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
            written_by: written_by(whole),
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

/// Takes out the objects of a kind or Graph version that only a later version of capol manages, and names them.
///
/// They are no damage: repairing must not lose them.
fn set_apart(whole: &mut Value) -> Vec<String> {
    let mut apart = Vec::new();
    let Some(resources) = whole.get_mut("resources").and_then(Value::as_object_mut) else {
        return apart;
    };
    resources.retain(|address, resource| {
        let before = apart.len();
        let words: [(&str, Check); 2] = [
            ("kind", |value| decode::<Kind>(value).is_ok()),
            ("api_version", |value| decode::<ApiVersion>(value).is_ok()),
        ];
        for (field, known) in words {
            if let Some(word) = resource.get(field)
                && word.is_string()
                && !known(word)
            {
                apart.push(format!("resources.{address}.{field} = {word}"));
            }
        }
        apart.len() == before
    });
    apart
}

fn written_by(whole: &Value) -> String {
    whole
        .get("capol_version")
        .and_then(Value::as_str)
        .unwrap_or("of a later version")
        .to_owned()
}

/// What cannot be named in a configuration would be lost to it.
fn check_addresses(document: &Document) -> Result<(), DocumentError> {
    match document
        .resources
        .keys()
        .find(|address| address.parse::<Address>().is_err())
    {
        Some(address) => Err(DocumentError::Damaged {
            at: format!("resources.{address}"),
            reason: "this is not an address".to_owned(),
        }),
        None => Ok(()),
    }
}

/// A field of the head: its name, what must be in it, and whether that is so.
type Head = (&'static str, &'static str, Check);

/// Says in which part of the document the fault is.
fn locate(whole: &Value, reason: String) -> DocumentError {
    let head: [Head; 4] = [
        ("capol_version", "a version in quotes", Value::is_string),
        ("tenant_id", "the id of a tenant in quotes", Value::is_string),
        ("serial", "a whole number from 0", Value::is_u64),
        ("lineage", "a UUID in quotes", |value| {
            decode::<Uuid>(value).is_ok()
        }),
    ];
    for (field, needed, fits) in head {
        if !whole.get(field).is_some_and(fits) {
            return DocumentError::Damaged {
                at: field.to_owned(),
                reason: format!("{needed} must be here"),
            };
        }
    }
    let resources = whole.get("resources").and_then(Value::as_object);
    for (address, resource) in resources.into_iter().flatten() {
        if let Err(reason) = decode::<ResourceState>(resource) {
            return DocumentError::Damaged {
                at: format!("resources.{address}"),
                reason,
            };
        }
    }
    for section in SECTIONS {
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
        at: "outputs".to_owned(),
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
