//! Every version of the document, with who wrote it, when and why.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde::Serialize;
use serde_json::Value;

use super::KeptVersion;
use super::StateError;
use super::Stored;
use super::files::Files;
use super::replace;
use crate::model::state::Changes;
use crate::model::state::Document;
use crate::model::state::Remains;
use crate::model::state::Version;
use crate::model::state::digest;
use crate::model::state::json_reason;

/// How many versions of the document are kept, and how many finished journals.
pub const KEPT: usize = 50;

/// Why a document is replaced; kept with what replaces it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// The user, as `LockInfo::who`.
    pub who: String,
    /// The command: `apply`, `state mv`.
    pub operation: String,
    /// True only for `capol state push --force`: the new document may be of another history.
    pub new_lineage: bool,
}

/// One version of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HistoryEntry {
    /// The version's serial.
    pub serial: u64,
    /// SHA-256 of its bytes.
    pub digest: String,
    /// When it was written.
    pub at: Timestamp,
    /// Who wrote it.
    pub who: String,
    /// The command that wrote it; `found` when that was not capol.
    pub operation: String,
    /// How it differs from the version before it.
    pub changes: Changes,
}

/// A document of the history that can be read, and where it is.
pub(super) type Kept = (KeptVersion, Document);

/// The folder of versions.
#[derive(Debug)]
pub(super) struct History {
    pub(super) folder: PathBuf,
    pub(super) files: Arc<dyn Files>,
}

/// What the history says of a version that capol finds but did not write.
const FOUND: &str = "found";

/// One file of the history: a version, and where it came from.
#[derive(Debug, Serialize, Deserialize)]
struct Record<D> {
    at: Timestamp,
    who: String,
    operation: String,
    changes: Changes,
    /// Digest of the version that this one replaced.
    from: Option<String>,
    version: Version,
    document: D,
}

impl History {
    /// Keeps `next` before it takes the place of `current`, and lets the oldest go.
    ///
    /// `current` is here already, unless something else than capol wrote it: then it is kept, too.
    pub(super) fn keep(
        &self,
        current: Option<&Stored>,
        next: &Stored,
        change: &Change,
    ) -> Result<(), StateError> {
        self.files
            .create_folder(&self.folder)
            .map_err(|source| failed("written", &self.folder, source))?;
        let names = self.names()?;
        if let Some(current) = current
            && !names.iter().any(|(_, name)| *name == file_name(current))
        {
            let found = Change {
                operation: FOUND.to_owned(),
                ..change.clone()
            };
            self.write(None, current, &found)?;
        }
        // A serial is given once: what else has it was kept for a replacement that then failed.
        for (serial, name) in names {
            if serial == next.version.serial && name != file_name(next) {
                let path = self.folder.join(name);
                self.files
                    .remove(&path)
                    .map_err(|source| failed("tidied", &path, source))?;
            }
        }
        self.write(current, next, change)?;
        trim(&*self.files, &self.folder, ENDING).map_err(|source| failed("tidied", &self.folder, source))
    }

    /// Makes sure that a version could be kept.
    pub(super) fn can_be_written(&self) -> Result<(), StateError> {
        self.files
            .create_folder(&self.folder)
            .and_then(|()| replace::probe(&*self.files, &self.folder.join("any")))
            .map_err(|source| failed("written", &self.folder, source))
    }

    /// The versions written, newest first. `current` is the digest of the document in place.
    pub(super) fn list(&self, current: Option<&str>) -> Result<Vec<HistoryEntry>, StateError> {
        let mut entries = Vec::new();
        for (_, name) in self.names()? {
            let record = self.record(&name)?;
            // Kept for a replacement that then failed: what it should replace is still in place.
            let pending = record.operation != FOUND && record.from.as_deref() == current;
            if pending {
                continue;
            }
            entries.push(HistoryEntry {
                serial: record.version.serial,
                digest: record.version.digest,
                at: record.at,
                who: record.who,
                operation: record.operation,
                changes: record.changes,
            });
        }
        entries.reverse();
        Ok(entries)
    }

    /// The document that had a serial.
    pub(super) fn read(&self, serial: u64) -> Result<Document, StateError> {
        match self.names()?.into_iter().find(|(number, _)| *number == serial) {
            Some((_, name)) => self.document(&name),
            None => Err(StateError::NoSuchSerial { serial }),
        }
    }

    /// The newest document that can be read, and where it is; none when nothing is kept.
    pub(super) fn newest(&self) -> Result<Option<Kept>, StateError> {
        let mut first_error = None;
        for (serial, name) in self.names()?.into_iter().rev() {
            let found = self.record(&name).and_then(|record| {
                let kept = KeptVersion {
                    path: self.folder.join(&name),
                    serial,
                    at: record.at,
                };
                Ok((kept, self.document(&name)?))
            });
            match found {
                Ok(found) => return Ok(Some(found)),
                Err(error) => first_error = first_error.or(Some(error)),
            }
        }
        first_error.map_or(Ok(None), Err)
    }

    /// The newest document that can be read, and what is left of the later ones, newest first.
    pub(super) fn salvage(&self) -> Result<(Option<Kept>, Vec<Remains>), StateError> {
        let mut later = Vec::new();
        for (serial, name) in self.names()?.into_iter().rev() {
            let path = self.folder.join(&name);
            let bytes = self
                .files
                .read(&path)
                .map_err(|source| failed("read", &path, source))?;
            let record = serde_json::from_slice::<Record<Value>>(&bytes.unwrap_or_default()).ok();
            let document = record.as_ref().map(|record| record.document.to_string());
            match (record, document.map(|text| Document::parse(text.as_bytes()))) {
                (Some(record), Some(Ok(document))) => {
                    let at = record.at;
                    return Ok((Some((KeptVersion { path, serial, at }, document)), later));
                }
                (record, _) => later.push(Remains {
                    serial: Some(serial),
                    ..record.map_or_else(Remains::default, |record| Remains::of_json(&record.document))
                }),
            }
        }
        Ok((None, later))
    }

    /// Whether this very version is kept.
    pub(super) fn holds(&self, stored: &Stored) -> Result<bool, StateError> {
        let wanted = file_name(stored);
        Ok(self.names()?.into_iter().any(|(_, name)| name == wanted))
    }

    /// Keeps what is no document, out of the way of the versions; says where.
    pub(super) fn keep_damaged(&self, bytes: &[u8]) -> Result<PathBuf, StateError> {
        self.files
            .create_folder(&self.folder)
            .map_err(|source| failed("written", &self.folder, source))?;
        let digest = digest(bytes);
        let name = format!("damaged-{}{ENDING}", digest.get(..8).unwrap_or(&digest));
        let path = self.folder.join(name);
        replace::replace(&*self.files, &path, bytes)
            .map_err(|fault| failed("written", &path, fault.source))?;
        Ok(path)
    }

    fn write(&self, before: Option<&Stored>, after: &Stored, change: &Change) -> Result<(), StateError> {
        let path = self.folder.join(file_name(after));
        let unwritten = |cause: serde_json::Error| failed("written", &path, cause.into());
        let record = Record {
            at: change.at,
            who: change.who.clone(),
            operation: change.operation.clone(),
            changes: Changes::between(before.map(|stored| &stored.document), &after.document),
            from: before.map(|stored| stored.version.digest.clone()),
            version: after.version.clone(),
            document: &after.document,
        };
        let text = serde_json::to_vec(&record).map_err(unwritten)?;
        replace::replace(&*self.files, &path, &text).map_err(|fault| failed("written", &path, fault.source))
    }

    fn names(&self) -> Result<Vec<(u64, String)>, StateError> {
        numbered(&*self.files, &self.folder, ENDING).map_err(|source| failed("read", &self.folder, source))
    }

    fn document(&self, name: &str) -> Result<Document, StateError> {
        let document = self.record(name)?.document.to_string();
        Document::parse(document.as_bytes()).map_err(|source| StateError::Unusable {
            path: self.folder.join(name),
            source,
        })
    }

    fn record(&self, name: &str) -> Result<Record<Value>, StateError> {
        let path = self.folder.join(name);
        let bytes = self
            .files
            .read(&path)
            .map_err(|source| failed("read", &path, source))?
            .unwrap_or_default();
        serde_json::from_slice(&bytes).map_err(|cause| StateError::HistoryDamaged {
            path,
            reason: json_reason(&cause),
        })
    }
}

const ENDING: &str = ".json";

fn file_name(stored: &Stored) -> String {
    let version = &stored.version;
    format!("{}-{}{ENDING}", version.serial, version.short_digest())
}

fn failed(verb: &'static str, path: &Path, source: io::Error) -> StateError {
    StateError::History {
        verb,
        path: path.to_owned(),
        source,
    }
}

/// The files called NUMBER-….ENDING, by number.
pub(super) fn numbered(files: &dyn Files, folder: &Path, ending: &str) -> io::Result<Vec<(u64, String)>> {
    let mut found: Vec<(u64, String)> = files
        .list(folder)?
        .into_iter()
        .filter(|name| name.ends_with(ending))
        .filter_map(|name| {
            let (number, _) = name.split_once('-')?;
            Some((number.parse().ok()?, name))
        })
        .collect();
    found.sort();
    Ok(found)
}

/// Lets the oldest files go, so that [`KEPT`] stay.
pub(super) fn trim(files: &dyn Files, folder: &Path, ending: &str) -> io::Result<()> {
    let found = numbered(files, folder, ending)?;
    let surplus = found.len().saturating_sub(KEPT);
    for (_, name) in found.into_iter().take(surplus) {
        files.remove(&folder.join(name))?;
    }
    Ok(())
}
