//! A loader whose files are a map, for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::loader::{Entry, LoadError, RemoteSource, SourceLoader, folded};

/// Files in memory; git modules lie in a folder named for their revision.
#[derive(Debug, Default)]
pub struct Memory {
    files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Memory {
    /// The files of these names and texts.
    pub fn new<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> Self {
        let files = files
            .into_iter()
            .map(|(name, text)| (folded(Path::new(name)), text.as_bytes().to_vec()));
        Self {
            files: files.collect(),
        }
    }

    /// The same with one more file, of any bytes.
    #[must_use]
    pub fn with(mut self, name: &str, bytes: &[u8]) -> Self {
        self.files.insert(folded(Path::new(name)), bytes.to_vec());
        self
    }
}

impl SourceLoader for Memory {
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        self.files.get(&folded(path)).cloned().ok_or(LoadError::NotFound)
    }

    fn list_dir(&self, path: &Path) -> Result<Vec<Entry>, LoadError> {
        let folder = folded(path);
        let mut found = BTreeSet::new();
        for file in self.files.keys() {
            let Ok(rest) = file.strip_prefix(&folder) else {
                continue;
            };
            let mut parts = rest.components();
            if let Some(first) = parts.next() {
                let name = first.as_os_str().to_string_lossy().into_owned();
                found.insert(Entry {
                    name,
                    is_dir: parts.next().is_some(),
                });
            }
        }
        if found.is_empty() && !folder.as_os_str().is_empty() {
            return Err(LoadError::NotFound);
        }
        Ok(found.into_iter().collect())
    }

    fn fetch(&self, source: &RemoteSource) -> Result<PathBuf, LoadError> {
        let folder = match source {
            RemoteSource::Git { revision, folder, .. } => Path::new("cache").join(revision).join(folder),
            RemoteSource::Builtin { name } => Path::new("builtin").join(name),
        };
        self.list_dir(&folder).map(|_| folder)
    }
}
