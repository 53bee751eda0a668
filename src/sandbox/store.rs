//! The tenant in files: one document, and beside it a journal of what changed since.
//!
//! A write costs what it changed and not the whole tenant. The journal names the document it
//! belongs to by its digest, so that one left over from another document is never applied.

#![expect(
    clippy::disallowed_methods,
    reason = "the embedded tenant keeps files of its own, which no other room knows"
)]

use std::ffi::OsString;
use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;
use serde::Serialize;
use sha2::Digest;
use sha2::Sha256;

use super::SandboxError;
use super::tenant::Changes;
use super::tenant::FORMAT;
use super::tenant::Tenant;

/// A journal longer than this, and four times as long as the document, is folded into the document; in bytes.
const LONG_JOURNAL: u64 = 4 * 1024 * 1024;

/// The first line of a journal.
#[derive(Serialize, Deserialize)]
struct Heading {
    document: String,
}

/// Keeps a tenant's files up to date while it serves.
#[derive(Debug)]
pub(super) struct Keeper {
    path: PathBuf,
    journal: Option<File>,
    /// How long the journal is, in bytes.
    written: u64,
    /// How long the journal may get.
    most: u64,
}

impl Keeper {
    fn new(path: PathBuf) -> Self {
        Self {
            path,
            journal: None,
            written: 0,
            most: LONG_JOURNAL,
        }
    }

    /// Reads the tenant from its files, or takes `fresh` if there are none yet.
    pub(super) fn open(path: PathBuf, fresh: Tenant) -> Result<(Tenant, Self), SandboxError> {
        if !path.exists() {
            return Ok((fresh, Self::new(path)));
        }
        let tenant = Tenant::load(&path)?;
        let mut keeper = Self::new(path);
        let journal = journal_path(&keeper.path);
        let torn = std::fs::read(&journal).is_ok_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n'));
        if torn || journal.metadata().is_ok_and(|file| file.len() > LONG_JOURNAL) {
            tenant.save(&keeper.path)?;
        }
        let document = read(&keeper.path)?;
        keeper.most = allowed(&document);
        if journal_of(&keeper.path, &document).is_some() {
            let file = OpenOptions::new()
                .append(true)
                .open(&journal)
                .map_err(|source| keeper.failed(source))?;
            keeper.written = file.metadata().map_err(|source| keeper.failed(source))?.len();
            keeper.journal = Some(file);
        }
        Ok((tenant, keeper))
    }

    /// Keeps what changed since the last call.
    pub(super) fn keep(&mut self, tenant: &mut Tenant) -> Result<(), SandboxError> {
        if !self.path.exists() {
            return self.fold(tenant);
        }
        if self.journal.is_none() {
            let document = read(&self.path)?;
            let heading = Heading {
                document: digest(&document),
            };
            self.most = allowed(&document);
            let file = File::create(journal_path(&self.path)).map_err(|source| self.failed(source))?;
            self.append(file, &heading)?;
        } else if self.written > self.most {
            return self.fold(tenant);
        }
        let changes = tenant.take_changes();
        match self.journal.take() {
            Some(file) => self.append(file, &changes),
            None => Ok(()),
        }
    }

    /// Writes the whole tenant, so that the journal starts anew with the next change.
    fn fold(&mut self, tenant: &mut Tenant) -> Result<(), SandboxError> {
        // If this fails, the journal stays too long, and the next change tries again.
        tenant.save(&self.path)?;
        tenant.settle();
        self.journal = None;
        self.written = 0;
        Ok(())
    }

    fn append(&mut self, mut file: File, value: &impl Serialize) -> Result<(), SandboxError> {
        let mut line = serde_json::to_vec(value).map_err(SandboxError::Dump)?;
        line.push(b'\n');
        file.write_all(&line).map_err(|source| self.failed(source))?;
        self.written += line.len() as u64;
        self.journal = Some(file);
        Ok(())
    }

    fn failed(&self, source: io::Error) -> SandboxError {
        SandboxError::Write {
            path: self.path.clone(),
            source,
        }
    }
}

/// Returns how long the journal of a document may get: folding costs what the document is long.
fn allowed(document: &[u8]) -> u64 {
    LONG_JOURNAL.max(document.len() as u64 * 4)
}

fn journal_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".journal");
    path.with_file_name(name)
}

fn digest(document: &[u8]) -> String {
    use std::fmt::Write as _;
    Sha256::digest(document)
        .iter()
        .fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

fn read(path: &Path) -> Result<Vec<u8>, SandboxError> {
    std::fs::read(path).map_err(|source| SandboxError::Read {
        path: path.to_owned(),
        source,
    })
}

/// Returns the lines of the journal that belongs to a document, without its heading.
fn journal_of(path: &Path, document: &[u8]) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(journal_path(path)).ok()?;
    let mut lines = text.split_inclusive('\n');
    let heading: Heading = serde_json::from_str(lines.next()?).ok()?;
    if heading.document != digest(document) {
        return None;
    }
    // A line without its end was cut off while it was written: nobody was told of that change.
    Some(
        lines
            .filter(|line| line.ends_with('\n'))
            .map(str::to_owned)
            .collect(),
    )
}

impl Tenant {
    /// Reads a tenant from its files.
    ///
    /// # Errors
    /// The document cannot be read, is not one, or is of a later version.
    pub fn load(path: &Path) -> Result<Self, SandboxError> {
        let format = |source| SandboxError::Format {
            path: path.to_owned(),
            source,
        };
        let document = read(path)?;
        let mut tenant: Self = serde_json::from_slice(&document).map_err(format)?;
        if tenant.format() > FORMAT {
            return Err(SandboxError::Newer {
                path: path.to_owned(),
            });
        }
        for line in journal_of(path, &document).unwrap_or_default() {
            let changes: Changes = serde_json::from_str(&line).map_err(format)?;
            tenant.apply_changes(changes);
        }
        Ok(tenant)
    }

    /// Writes the whole tenant to its document, replacing it in one step, and drops the journal.
    ///
    /// # Errors
    /// The folder cannot be made or the document not written.
    pub fn save(&self, path: &Path) -> Result<(), SandboxError> {
        let failed = |source| SandboxError::Write {
            path: path.to_owned(),
            source,
        };
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder).map_err(failed)?;
        let text = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        file.write_all(&text).map_err(failed)?;
        file.persist(path).map_err(|error| failed(error.error))?;
        match std::fs::remove_file(journal_path(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(error)),
            _ => Ok(()),
        }
    }

    /// Returns the whole tenant as one JSON document.
    ///
    /// # Errors
    /// The tenant cannot be written as JSON.
    pub fn dump(&self) -> Result<serde_json::Value, SandboxError> {
        serde_json::to_value(self).map_err(SandboxError::Dump)
    }
}
