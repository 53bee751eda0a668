//! The names of the files that belong to one state.

use std::ffi::OsString;
use std::path::Path;
use std::path::PathBuf;

/// Where one tenant's state, lock, history and journal are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The state document: `capol.state.json`, or `capol.NAME.state.json`.
    pub state: PathBuf,
    /// The folder of earlier documents and finished journals, under `.capol`.
    pub history: PathBuf,
    /// The journal of the apply under way, under `.capol`.
    pub journal: PathBuf,
}

impl Place {
    /// The files of a project that names one tenant (none), or of one tenant of several.
    pub fn in_project(folder: &Path, tenant: Option<&str>) -> Self {
        let kept = folder.join(".capol");
        match tenant.map(file_name) {
            None => Self {
                state: folder.join("capol.state.json"),
                history: kept.join("history"),
                journal: kept.join("journal.ndjson"),
            },
            Some(name) => Self {
                state: folder.join(format!("capol.{name}.state.json")),
                history: kept.join("history").join(&name),
                journal: kept.join(format!("journal.{name}.ndjson")),
            },
        }
    }

    /// The files of a project's embedded tenant, apart from those of its real one.
    pub fn of_sandbox(folder: &Path) -> Self {
        let kept = folder.join(".capol");
        Self {
            state: kept.join("sandbox.state.json"),
            history: kept.join("history").join("sandbox"),
            journal: kept.join("journal.sandbox.ndjson"),
        }
    }
}

/// `path` with something added to its last part.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The folder a file is in; the current one for a bare name.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A tenant's name as part of a file name, the same on every system.
fn file_name(tenant: &str) -> String {
    tenant
        .bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
