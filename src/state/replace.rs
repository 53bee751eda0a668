//! Replacing a file so that, whatever fails, its old or its new content is there.

use std::ffi::OsString;
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
pub(crate) enum Sweeping {
    Folder(io::Error),
    File(PathBuf, io::Error),
}

/// Temporary file in the same folder, written, made durable, renamed, the folder made durable.
pub(super) fn replace(files: &dyn Files, target: &Path, bytes: &[u8]) -> Result<(), Failed> {
    let folder = folder_of(target);
    let temporary = temporary_for(target);
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
    let renamed = written.and_then(|()| files.put(file, &temporary, target).map_err(at(Step::Rename)));
    if let Err(failed) = renamed {
        // The next sweep takes it away if this fails, too.
        let _removed = files.remove(&temporary);
        return Err(failed);
    }
    files.sync_folder(folder).map_err(at(Step::SyncFolder))
}

/// Makes sure that a file in the folder of `target` can be made, given a name and removed; leaves nothing behind.
pub(super) fn probe(files: &dyn Files, target: &Path) -> io::Result<()> {
    let temporary = temporary_for(target);
    let file = files.create(&temporary)?;
    files.discard(&temporary, file)
}

/// Removes the temporary files that killed processes left in a folder, of one target or of all; those that somebody
/// is at work on stay.
pub(crate) fn sweep(files: &dyn Files, folder: &Path, of: Option<&Path>) -> Result<(), Sweeping> {
    let prefix = of
        .and_then(Path::file_name)
        .map_or_else(|| ".".to_owned(), |name| format!(".{}.", name.to_string_lossy()));
    let names = files.list(folder).map_err(Sweeping::Folder)?;
    for name in names {
        if !name.starts_with(&prefix) || !is_temporary(&name) {
            continue;
        }
        let path = folder.join(name);
        let removed = files.lock(&path).and_then(|file| match file {
            Some(file) => files.discard(&path, file),
            None => Ok(()),
        });
        removed.map_err(|source| Sweeping::File(path, source))?;
    }
    Ok(())
}

/// A name beside `target` that no other process and no other call uses, and that [`sweep`] knows.
pub(crate) fn temporary_for(target: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    name.push(format!(".{}-{count}{SUFFIX}", std::process::id()));
    folder_of(target).join(name)
}

fn is_temporary(name: &str) -> bool {
    let numbers = name
        .strip_prefix('.')
        .and_then(|name| name.strip_suffix(SUFFIX))
        .and_then(|name| name.rsplit_once('.')?.1.split_once('-'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(process, count)| is_number(process) && is_number(count))
}
