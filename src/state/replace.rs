//! Replacing a file so that, whatever fails, its old or its new content is there.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use super::files::Files;
use super::place::folder_of;

const SUFFIX: &str = ".tmp";

/// What was being done when a replacement failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Create,
    Write,
    Sync,
    Rename,
    SyncFolder,
}

/// A replacement that failed. Up to and including `Rename` the old content stands, after it the new.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) step: Step,
    /// The temporary file it concerns.
    pub(super) temporary: PathBuf,
    pub(super) source: io::Error,
}

/// Leftovers that cannot be removed: the folder cannot be searched, or one stays.
#[derive(Debug)]
pub(super) enum Sweeping {
    Folder(io::Error),
    File(PathBuf, io::Error),
}

/// Temporary file in the same folder, written, made durable, renamed, the folder made durable.
pub(super) fn replace(files: &dyn Files, target: &Path, bytes: &[u8]) -> Result<(), Failed> {
    let folder = folder_of(target);
    let temporary = folder.join(temporary_name(target));
    let at = |step| {
        let temporary = temporary.clone();
        move |source| Failed {
            step,
            temporary,
            source,
        }
    };
    let mut file = files.create(&temporary).map_err(at(Step::Create))?;
    let written = file
        .write(bytes)
        .map_err(at(Step::Write))
        .and_then(|()| file.sync().map_err(at(Step::Sync)));
    // Closed before the rename: Windows refuses to move an open file.
    drop(file);
    let renamed = written.and_then(|()| files.rename(&temporary, target).map_err(at(Step::Rename)));
    if let Err(failed) = renamed {
        // The next sweep takes it away if this fails, too.
        let _removed = files.remove(&temporary);
        return Err(failed);
    }
    files.sync_folder(folder).map_err(at(Step::SyncFolder))
}

/// Removes the temporary files that killed processes left of replacing `target`.
///
/// Only for the holder of the lock: without it others may be at work on theirs.
pub(super) fn sweep(files: &dyn Files, target: &Path) -> Result<(), Sweeping> {
    let folder = folder_of(target);
    let prefix = prefix(target);
    let names = files.list(folder).map_err(Sweeping::Folder)?;
    for name in names {
        if name.starts_with(&prefix) && name.ends_with(SUFFIX) {
            let path = folder.join(name);
            files
                .remove(&path)
                .map_err(|source| Sweeping::File(path, source))?;
        }
    }
    Ok(())
}

fn prefix(target: &Path) -> String {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    format!(".{name}.")
}

fn temporary_name(target: &Path) -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!(
        "{}{}-{}{SUFFIX}",
        prefix(target),
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    )
}
