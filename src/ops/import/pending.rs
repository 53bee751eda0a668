//! Files and state of one import, written together or not at all.
//!
//! Everything is put down in one file first. From then on the import is going to happen: whoever is interrupted,
//! the next import writes what is missing. While the file is there no plan is made, because files without
//! their state would plan everything a second time.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ImportError;
use crate::model::Address;
use crate::model::state::Document;
use crate::ops::files;
use crate::state::history::Change;
use crate::state::{Guard, LocalFile, StateError, StateStore as _};

use crate::ops::workspace::WorkError;

/// What an import writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Pending {
    /// The files, from the project's folder, and their text.
    pub(super) files: Vec<(PathBuf, String)>,
    /// What state takes in.
    pub(super) document: Document,
}

impl Pending {
    /// Puts it down, so that it will be completed whatever happens.
    pub(super) fn keep(&self, store: &LocalFile) -> Result<(), WorkError> {
        let path = place(store);
        files::make_folder_of(&path)?;
        let text = serde_json::to_string(self).map_err(|source| ImportError::Unreadable {
            path: path.clone(),
            source,
        })?;
        Ok(files::replace(&path, &text)?)
    }
}

/// Whether an import of this project, into whichever state, was begun and did not come to its end.
pub fn is_pending(project: &Path) -> bool {
    let kept = project.join(".capol").read_dir().into_iter().flatten().flatten();
    kept.filter_map(|entry| entry.file_name().into_string().ok())
        .any(|name| is_name(&name))
}

fn is_name(name: &str) -> bool {
    name.starts_with("import.") && Path::new(name).extension().is_some_and(|ending| ending == "json")
}

/// Beside the journal of the same state.
fn place(store: &LocalFile) -> PathBuf {
    let journal = &store.place().journal;
    let name = journal
        .file_stem()
        .and_then(|stem| stem.to_str()?.strip_prefix("journal").map(str::to_owned))
        .unwrap_or_default();
    journal.with_file_name(format!("import{name}.json"))
}

/// The folder that the paths of the files begin at.
pub(super) fn folder_of(store: &LocalFile) -> PathBuf {
    let kept = store.place().journal.parent();
    kept.and_then(Path::parent).unwrap_or(Path::new("")).to_owned()
}

/// Completes an import that was begun: writes the files that are not there, and takes into state what it does
/// not hold. The addresses it was for; none when no import was begun.
pub async fn complete(
    store: &LocalFile,
    guard: &Guard,
    change: &Change,
) -> Result<Option<Vec<Address>>, WorkError> {
    let path = place(store);
    if !path.exists() {
        return Ok(None);
    }
    let pending: Pending =
        serde_json::from_slice(&files::read(&path)?).map_err(|source| ImportError::Unreadable {
            path: path.clone(),
            source,
        })?;
    let folder = folder_of(store);
    for (name, text) in &pending.files {
        let file = folder.join(name);
        if file.symlink_metadata().is_err() {
            files::make_folder_of(&file)?;
            files::replace(&file, text)?;
        }
    }
    let current = store.load().await?;
    let version = current.as_ref().map(|stored| stored.version.clone());
    let wanted = pending.document;
    let mut document = match current {
        Some(stored) => stored.document,
        None => Document::new(wanted.lineage, wanted.tenant_id.clone()),
    };
    document.for_tenant(&wanted.tenant_id).map_err(StateError::from)?;
    let mut addresses = Vec::new();
    for (address, resource) in wanted.resources {
        let is_known = document.resources.values().any(|other| {
            other.kind.block() == resource.kind.block() && other.id.eq_ignore_ascii_case(&resource.id)
        });
        addresses.extend(address.parse::<Address>().ok());
        if !is_known {
            document.resources.entry(address).or_insert(resource);
        }
    }
    store.swap(guard, version.as_ref(), &document, change).await?;
    files::remove(&path)?;
    Ok(Some(addresses))
}
