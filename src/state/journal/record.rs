//! The records of a journal, and reading them.

use std::collections::BTreeSet;
use std::path::Path;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use crate::model::properties::ApiVersion;
use crate::model::state::Document;
use crate::model::state::Json;
use crate::model::state::ResourceState;
use crate::model::state::Version;
use crate::model::state::json_reason;
use crate::state::StateError;

/// One line of the journal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// An apply starts; always the first.
    ApplyBegin(ApplyBegin),
    /// The ids that a collection holds before something is created in it.
    Seen(Seen),
    /// A request is about to leave.
    Begin(Box<Begin>),
    /// What became of it.
    End(Box<End>),
    /// The state of this version holds everything that ended before.
    StateSaved(Version),
    /// The apply is over; always the last.
    ApplyEnd {
        /// When.
        at: Timestamp,
    },
}

/// What an apply sets out from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyBegin {
    /// Names this apply; what `capol undo` asks for.
    pub apply: String,
    /// The command: `apply`, `destroy`, `undo`.
    pub command: String,
    /// The version of capol.
    pub capol_version: String,
    /// Digest of the plan.
    pub plan_digest: String,
    /// Lineage of the state.
    pub lineage: Uuid,
    /// Serial of the state before the apply; 0 when there was none.
    pub serial: u64,
    /// The tenant's id.
    pub tenant_id: String,
    /// When it began.
    pub at: Timestamp,
    /// The user.
    pub who: String,
}

/// The ids in a collection at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// The collection as creates name it: `/identity/conditionalAccess/policies`.
    pub path: String,
    /// Every id that a whole list of it held.
    pub ids: BTreeSet<String>,
}

/// What a request does to the object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Makes an object; its `path` is the collection, or the object when the caller chooses the id (a PATCH).
    Create,
    /// Changes an object in place.
    Update,
    /// Deletes an object.
    Delete,
    /// Takes an object back out of the deleted items, with its id; its `path` is where it comes back to.
    Restore,
    /// Adds a reference to another object, for example a member.
    Link,
    /// Removes such a reference.
    Unlink,
}

/// A request before it leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Begin {
    /// Names the step within the apply; a step that ended as failed may begin again.
    pub step: String,
    /// The object's address.
    pub address: String,
    /// What is done to it.
    pub operation: Operation,
    /// The HTTP method.
    pub method: String,
    /// The path below the version: the collection for a create whose id the service chooses, else the object.
    pub path: String,
    /// The Graph version.
    pub api_version: ApiVersion,
    /// The body exactly as sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// The object as it was before, for finding out what happened and for `undo`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What the state says once this is done.
    pub effect: Effect,
    /// When.
    pub at: Timestamp,
}

impl Begin {
    /// Whether it makes an object whose id the service chooses, so that a lost one has to be looked for.
    pub fn chooses_no_id(&self) -> bool {
        self.operation == Operation::Create && self.method == "POST"
    }
}

/// What a step that is done does to the state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Effect {
    /// The address holds this; id and answer come from the step's end.
    Keep {
        /// What to remember. Its id is ignored for a create.
        resource: Box<ResourceState>,
    },
    /// The address holds this, a new object; the one that it held stays known under another address until it
    /// is deleted, so that nothing is left behind when that fails.
    Replace {
        /// What to remember of the new object. Its id is ignored.
        resource: Box<ResourceState>,
        /// What is remembered of the old one.
        old: Box<ResourceState>,
        /// Where that is remembered.
        old_address: String,
    },
    /// The address is forgotten.
    Forget,
    /// Nothing: a step in the middle of something, remembered by a later one.
    Nothing,
}

impl Effect {
    /// Brings a step that is done into the document. Doing so twice changes nothing more.
    pub fn settle(&self, address: &str, id: Option<&str>, answered: Option<&Value>, document: &mut Document) {
        let known = |resource: &ResourceState| ResourceState {
            id: id.map_or_else(|| resource.id.clone(), str::to_owned),
            answered: answered.cloned().map(Json::from),
            modified_date_time: answered
                .and_then(|answered| answered.get("modifiedDateTime")?.as_str())
                .map(str::to_owned),
            ..resource.clone()
        };
        match self {
            Self::Nothing => {}
            Self::Forget => {
                document.resources.remove(address);
            }
            Self::Keep { resource } => {
                document.resources.insert(address.to_owned(), known(resource));
            }
            Self::Replace {
                resource,
                old,
                old_address,
            } => {
                document
                    .resources
                    .insert(old_address.clone(), ResourceState::clone(old));
                document.resources.insert(address.to_owned(), known(resource));
            }
        }
    }
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// The step.
    pub step: String,
    /// What became of it.
    pub outcome: Outcome,
    /// When.
    pub at: Timestamp,
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum Outcome {
    /// The service did it.
    Done {
        /// The object's id.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// The object as the service answered; none for an answer without a body.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answered: Option<Value>,
    },
    /// The service refused, or the request never left: nothing changed.
    Failed {
        /// Why.
        error: String,
    },
    /// The request left and no answer tells what became of it.
    Unknown {
        /// What was lost and how.
        error: String,
    },
}

/// What of a journal could be read.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) records: Vec<Record>,
    /// Bytes up to and with the last newline.
    pub(super) whole: u64,
}

/// Reads the lines that end; what follows the last newline was never durable.
pub(super) fn parse(path: &Path, bytes: &[u8]) -> Result<Parsed, StateError> {
    let mut records = Vec::new();
    let mut whole: u64 = 0;
    for (line, text) in lines(bytes) {
        records.push(read(text).map_err(|reason| StateError::JournalDamaged {
            path: path.to_owned(),
            line,
            reason,
        })?);
        whole = whole.saturating_add(u64::try_from(text.len()).unwrap_or(u64::MAX));
    }
    Ok(Parsed { records, whole })
}

/// The records that can be read whatever is between them, and the numbers of the lines that cannot.
pub(super) fn salvage(bytes: &[u8]) -> (Vec<Record>, Vec<usize>) {
    let mut records = Vec::new();
    let mut damaged = Vec::new();
    for (line, text) in lines(bytes) {
        match read(text) {
            Ok(record) => records.push(record),
            Err(_) => damaged.push(line),
        }
    }
    (records, damaged)
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    (1..)
        .zip(bytes.split_inclusive(|byte| *byte == b'\n'))
        .filter(|(_, text)| text.last() == Some(&b'\n'))
}

fn read(text: &[u8]) -> Result<Record, String> {
    serde_json::from_slice(text).map_err(|cause| json_reason(&cause))
}
