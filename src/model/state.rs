//! What capol remembers of a tenant between two runs: the state document.
//!
//! The types here are plain values. Where a document lives, how it is replaced
//! and locked is the `state` room's business. A document is never written by a
//! version that could not read all of it: [`Document::parse`] refuses one with
//! fields this version does not know, [`Document::parse_for_display`] reads it
//! for the commands that only show.
//!
//! Addresses are kept as text, in the form that [`Address`](crate::model::Address) prints and parses.

mod changes;
mod error;
mod json;
mod read;
mod remains;
mod surgery;

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;

use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;
use sha2::Digest;
use sha2::Sha256;
use uuid::Uuid;

use super::Kind;
use super::properties::ApiVersion;

pub use self::changes::Changes;
pub use self::error::DocumentError;
pub use self::json::Json;
pub use self::remains::Remains;
pub use self::surgery::Moved;
pub use self::surgery::Removed;

/// The form of the document that this version reads and writes.
pub const FORMAT_VERSION: u64 = 1;

/// The version of capol that a document written now is marked with.
pub const CAPOL_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The state document: everything capol remembers of one tenant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Document {
    /// The form of the document, always [`FORMAT_VERSION`].
    pub format_version: u64,
    /// The version of capol that wrote it.
    pub capol_version: String,
    /// Says which history this document belongs to; set once, when the state begins.
    pub lineage: Uuid,
    /// Grows by at least one with every change of the content.
    pub serial: u64,
    /// The tenant (a GUID) whose objects the document tells of.
    pub tenant_id: String,
    /// What is managed, by address.
    #[serde(default)]
    pub resources: BTreeMap<String, ResourceState>,
    /// The root module's outputs as of the last apply, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, OutputState>,
    /// Where each rollout stands, by the rollout's address. The `rollout` room owns the values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rollouts: BTreeMap<String, Value>,
    /// Which contingencies are active and since when, by address. The `ops` room owns the values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contingencies: BTreeMap<String, Value>,
    /// Recorded approvals, by the digest of what was approved. The `ops` room owns the values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub approvals: BTreeMap<String, Value>,
}

/// What is remembered of one managed object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceState {
    /// What kind of object it is.
    pub kind: Kind,
    /// The id Graph gave the object.
    pub id: String,
    /// The Graph version it was last written or read with.
    pub api_version: ApiVersion,
    /// The properties last written, in wire form; none when capol has only adopted the object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Json>,
    /// What the service last answered; none while nothing was read since the last write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered: Option<Json>,
    /// Addresses this object refers to, so that deletes run in reverse order after the block is gone.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub dependencies: BTreeSet<String>,
    /// The guards that outlive the block.
    #[serde(default, skip_serializing_if = "Lifecycle::is_empty")]
    pub lifecycle: Lifecycle,
    /// True when the object existed before capol and was imported.
    #[serde(default, skip_serializing_if = "is_false")]
    pub created_by_import: bool,
    /// The object's own `modifiedDateTime` as last seen, as Graph wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified_date_time: Option<String>,
}

/// Guards of a `lifecycle` block that hold even when the block is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifecycle {
    /// Whether destroying the object is refused.
    #[serde(default, skip_serializing_if = "is_false")]
    pub prevent_destroy: bool,
    /// Why, in the words of the configuration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One output of the root module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputState {
    /// The value as JSON.
    pub value: Value,
    /// Whether it is withheld from anything printed without being asked for by name.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
}

/// Names one written document exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// The document's lineage.
    pub lineage: Uuid,
    /// The document's serial.
    pub serial: u64,
    /// SHA-256 of the bytes as written, in lower-case hex.
    pub digest: String,
}

impl Version {
    /// The first eight digits of the digest: enough to tell versions of one serial apart.
    pub fn short_digest(&self) -> &str {
        self.digest.get(..8).unwrap_or(&self.digest)
    }
}

impl Document {
    /// An empty document of a new history. The lineage comes from the caller, who has the randomness.
    pub fn new(lineage: Uuid, tenant_id: impl Into<String>) -> Self {
        Self {
            format_version: FORMAT_VERSION,
            capol_version: CAPOL_VERSION.to_owned(),
            lineage,
            serial: 0,
            tenant_id: tenant_id.into(),
            resources: BTreeMap::new(),
            outputs: BTreeMap::new(),
            rollouts: BTreeMap::new(),
            contingencies: BTreeMap::new(),
            approvals: BTreeMap::new(),
        }
    }

    /// The document as it is written: indented JSON, keys in one order, a newline at the end.
    pub fn render(&self) -> Result<String, DocumentError> {
        let mut text = serde_json::to_string_pretty(self).map_err(|cause| DocumentError::Unwritable {
            reason: cause.to_string(),
        })?;
        text.push('\n');
        Ok(text)
    }

    /// Whether these bytes are to the last one what [`Document::render`] makes of it, without making it as a whole.
    fn renders_as(&self, bytes: &[u8]) -> bool {
        let mut expected = Expected(bytes);
        serde_json::to_writer_pretty(&mut expected, self).is_ok() && expected.0 == b"\n"
    }

    /// Whether both say the same, apart from serial and the version of capol that wrote them.
    pub fn same_content(&self, other: &Self) -> bool {
        self.lineage == other.lineage
            && self.tenant_id == other.tenant_id
            && self.resources == other.resources
            && self.outputs == other.outputs
            && self.rollouts == other.rollouts
            && self.contingencies == other.contingencies
            && self.approvals == other.approvals
    }

    /// Refuses to let this document take the place of one of another tenant.
    pub fn may_replace(&self, current: &Self) -> Result<(), DocumentError> {
        if self.tenant_id.eq_ignore_ascii_case(&current.tenant_id) {
            return Ok(());
        }
        Err(DocumentError::OtherTenant {
            found: self.tenant_id.clone(),
            expected: current.tenant_id.clone(),
        })
    }

    /// Refuses a document of another tenant than the one signed in to.
    pub fn for_tenant(&self, tenant_id: &str) -> Result<(), DocumentError> {
        if self.tenant_id.eq_ignore_ascii_case(tenant_id) {
            return Ok(());
        }
        Err(DocumentError::WrongTenant {
            found: self.tenant_id.clone(),
            expected: tenant_id.to_owned(),
        })
    }
}

/// Takes these bytes, and errors at the first other one.
struct Expected<'b>(&'b [u8]);

impl io::Write for Expected<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.strip_prefix(bytes).ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// SHA-256 of a document's bytes in lower-case hex.
pub fn digest(bytes: &[u8]) -> String {
    digest_of([bytes])
}

/// The digest of these bytes, one after the other.
pub fn digest_of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    hash.finalize()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|nibble| char::from_digit(u32::from(nibble), 16))
        .collect()
}

/// What a JSON reader objects to, without the place that it adds.
pub fn json_reason(cause: &serde_json::Error) -> String {
    let text = cause.to_string();
    match text.rsplit_once(" at line ") {
        Some((reason, _)) => reason.to_owned(),
        None => text,
    }
}

impl Lifecycle {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_false(value: &bool) -> bool {
    !*value
}

#[cfg(test)]
mod tests;
