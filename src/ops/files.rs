//! Files that people own: read whole, replaced atomically, never overwritten unasked.
#![expect(
    clippy::disallowed_methods,
    reason = "this is where people's files are read and written"
)]

use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::OpsError;
use crate::state::files::{Files as _, RealFiles};
use crate::state::{sweep, temporary_for};

fn failed(path: &Path, source: std::io::Error) -> OpsError {
    OpsError::File {
        path: path.to_owned(),
        source,
    }
}

/// The bytes of a file.
pub fn read(path: &Path) -> Result<Vec<u8>, OpsError> {
    std::fs::read(path).map_err(|source| failed(path, source))
}

/// Makes the folder that a file is to be written in, and those above it.
pub fn make_room(path: &Path) -> Result<(), OpsError> {
    match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder).map_err(|source| failed(path, source)),
        None => Ok(()),
    }
}

/// Replaces a file's text in one step, keeping its permissions. A symbolic link stays one.
///
/// What an earlier, killed command left beside it is removed on the way.
pub fn replace(path: &Path, text: &str) -> Result<(), OpsError> {
    let target = RealFiles.resolve(path).map_err(|source| failed(path, source))?;
    let temporary = temporary_for(&target);
    let folder = temporary.parent().unwrap_or(Path::new("."));
    // A leftover that cannot be removed is no reason not to write.
    let _swept = sweep(&RealFiles, folder, Some(&target));
    let written = RealFiles.create(&temporary).and_then(|mut file| {
        file.write(text.as_bytes())?;
        let permissions = match target.metadata() {
            Ok(metadata) => Some(metadata.permissions()),
            Err(_) => default_permissions(),
        };
        if let Some(permissions) = permissions {
            std::fs::set_permissions(&temporary, permissions)?;
        }
        file.sync()?;
        RealFiles.put(file, &temporary, &target)
    });
    written.map_err(|source| {
        // The next command sweeps it up if this fails, too.
        let _removed = RealFiles.remove(&temporary);
        failed(path, source)
    })
}

/// What a new file may be read by: everyone, as an editor would make it.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have no such permissions")]
fn default_permissions() -> Option<std::fs::Permissions> {
    use std::os::unix::fs::PermissionsExt as _;
    Some(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn default_permissions() -> Option<std::fs::Permissions> {
    None
}

/// Makes the folder that a file goes into.
pub fn make_folder_of(path: &Path) -> Result<(), OpsError> {
    match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder).map_err(|source| failed(path, source)),
        None => Ok(()),
    }
}

/// Removes a file.
pub fn remove(path: &Path) -> Result<(), OpsError> {
    std::fs::remove_file(path).map_err(|source| failed(path, source))
}

/// Writes new files; if any of them exists, none is written.
pub fn write_new(files: &[(PathBuf, String)]) -> Result<(), OpsError> {
    for (path, _) in files {
        if path.symlink_metadata().is_ok() {
            return Err(OpsError::Exists { path: path.clone() });
        }
    }
    for (path, text) in files {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(|source| failed(path, source))?;
        }
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|source| {
                if source.kind() == ErrorKind::AlreadyExists {
                    OpsError::Exists { path: path.clone() }
                } else {
                    failed(path, source)
                }
            })?;
        file.write_all(text.as_bytes())
            .map_err(|source| failed(path, source))?;
    }
    Ok(())
}

/// The files that people mean by these paths: a folder means every file below it that ends so and is not hidden.
pub fn below(paths: &[PathBuf], endings: &[&str]) -> Result<Vec<(String, Vec<u8>)>, OpsError> {
    paths_below(paths, endings)?
        .into_iter()
        .map(|path| Ok((path.display().to_string(), read(&path)?)))
        .collect()
}

/// The paths of those files, each once and in order.
pub fn paths_below(paths: &[PathBuf], endings: &[&str]) -> Result<Vec<PathBuf>, OpsError> {
    let mut found = Vec::new();
    for path in paths {
        collect(path, endings, true, &mut found)?;
    }
    found.sort();
    found.dedup();
    Ok(found)
}

fn collect(path: &Path, endings: &[&str], named: bool, found: &mut Vec<PathBuf>) -> Result<(), OpsError> {
    let metadata = path.metadata().map_err(|source| failed(path, source))?;
    if metadata.is_dir() {
        for entry in std::fs::read_dir(path).map_err(|source| failed(path, source))? {
            let entry = entry.map_err(|source| failed(path, source))?;
            // `.git`, `.capol` and the like are nobody's exports.
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            collect(&entry.path(), endings, false, found)?;
        }
    } else if named
        || endings
            .iter()
            .any(|ending| path.extension().is_some_and(|extension| extension == *ending))
    {
        found.push(path.to_owned());
    }
    Ok(())
}
