//! Files from a disk, and modules from git.
#![expect(
    clippy::disallowed_methods,
    reason = "this is where the language's files are read"
)]

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lang::{Entry, LoadError, RemoteSource, SourceLoader};

/// Reads files below any folder; keeps fetched modules in `.capol/modules` of the project.
#[derive(Debug, Clone)]
pub struct Disk {
    modules: PathBuf,
}

impl Disk {
    /// The loader of a project.
    pub fn of(project: &Path) -> Self {
        Self {
            modules: project.join(".capol").join("modules"),
        }
    }
}

fn failed(error: &io::Error) -> LoadError {
    if error.kind() == io::ErrorKind::NotFound {
        LoadError::NotFound
    } else {
        LoadError::Failed {
            reason: error.to_string(),
        }
    }
}

impl SourceLoader for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, LoadError> {
        std::fs::read(path).map_err(|error| failed(&error))
    }

    fn list_dir(&self, path: &Path) -> Result<Vec<Entry>, LoadError> {
        let path = if path.as_os_str().is_empty() {
            Path::new(".")
        } else {
            path
        };
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(path).map_err(|error| failed(&error))? {
            let entry = entry.map_err(|error| failed(&error))?;
            let is_dir = match entry.path().metadata() {
                Ok(found) => found.is_dir(),
                // A link that leads nowhere, as editors leave them, or a file that another command has just removed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => false,
                Err(error) => return Err(failed(&error)),
            };
            entries.push(Entry {
                name: entry.file_name().to_string_lossy().into_owned(),
                is_dir,
            });
        }
        Ok(entries)
    }

    fn fetch(&self, source: &RemoteSource) -> Result<PathBuf, LoadError> {
        match source {
            RemoteSource::Git {
                url,
                folder,
                revision,
            } => {
                let clone = self.modules.join(name_of(url, revision));
                if !clone.join(".git").exists() {
                    clone_at(url, revision, &clone)?;
                }
                Ok(if folder.is_empty() {
                    clone
                } else {
                    clone.join(folder)
                })
            }
            RemoteSource::Builtin { name } => Err(LoadError::Failed {
                reason: format!("capol has no built-in module `{name}`"),
            }),
        }
    }
}

/// A folder name that differs for each address and revision.
fn name_of(url: &str, revision: &str) -> String {
    let digest = crate::model::state::digest(format!("{url}\n{revision}").as_bytes());
    digest.chars().take(16).collect()
}

/// Clones into a temporary neighbour first, so that a half-made clone is never taken for a module.
fn clone_at(url: &str, revision: &str, clone: &Path) -> Result<(), LoadError> {
    let parent = clone.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(|error| failed(&error))?;
    let unfinished = tempfile::tempdir_in(parent).map_err(|error| failed(&error))?;
    let folder = unfinished.path().join("clone");
    git(
        &["clone", "--quiet", "--no-checkout", "--", url],
        Some(&folder),
        None,
    )?;
    // A branch moves, so only a commit or a tag is taken.
    let pinned = if is_commit(revision) {
        revision.to_owned()
    } else {
        format!("refs/tags/{revision}")
    };
    git(&["checkout", "--quiet", "--detach", &pinned], None, Some(&folder))?;
    std::fs::rename(&folder, clone).map_err(|error| failed(&error))
}

/// Whether the text is a full commit hash.
fn is_commit(revision: &str) -> bool {
    revision.len() == 40 && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn git(arguments: &[&str], last: Option<&Path>, inside: Option<&Path>) -> Result<(), LoadError> {
    let mut command = Command::new("git");
    if let Some(folder) = inside {
        command.current_dir(folder);
    }
    command.args(arguments).args(last).env("GIT_TERMINAL_PROMPT", "0");
    let output = command.output().map_err(|error| LoadError::Failed {
        reason: format!("git can't be run: {error}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    // The cause is named first; advice follows it.
    let cause = |line: &&str| line.starts_with("fatal: ") || line.starts_with("error: ");
    let line = said
        .lines()
        .find(cause)
        .or_else(|| said.lines().rfind(|line| !line.trim().is_empty()))
        .unwrap_or("git failed")
        .trim();
    let reason = line
        .strip_prefix("fatal: ")
        .or_else(|| line.strip_prefix("error: "))
        .unwrap_or(line);
    Err(LoadError::Failed {
        reason: reason.to_owned(),
    })
}
