//! The file verbs on the real file system.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the one file through which state touches the disk"
)]

use std::fs::File;
use std::fs::OpenOptions;
use std::io;
use std::io::ErrorKind;
use std::io::Seek;
use std::io::SeekFrom;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use super::Files;
use super::OpenFile;

/// Links followed before a path counts as going round in circles.
const MOST_LINKS: usize = 40;

/// The file system of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealFiles;

#[derive(Debug)]
struct RealFile {
    file: File,
    #[cfg_attr(
        not(unix),
        expect(dead_code, reason = "only Unix can lose a file under its name")
    )]
    path: PathBuf,
}

impl Files for RealFiles {
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let mut resolved = path.to_owned();
        for _ in 0..MOST_LINKS {
            match std::fs::symlink_metadata(&resolved) {
                Ok(found) if found.is_symlink() => {
                    let target = std::fs::read_link(&resolved)?;
                    resolved = match resolved.parent() {
                        Some(folder) => folder.join(target),
                        None => target,
                    };
                }
                Ok(_) => return Ok(resolved),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(resolved),
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::other("the symbolic links go round in circles"))
    }

    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        absent_is(None, std::fs::read(path).map(Some))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        loop {
            let file = boxed(create_locked(path)?, path);
            // Who sweeps up may have had the lock first, and taken the file for a leftover.
            if file.is_current()? {
                return Ok(file);
            }
        }
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let mut file = existing_locked(path)?;
        file.seek(SeekFrom::End(0))?;
        Ok(boxed(file, path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        replace(from, to)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        // Windows keeps names with its own journal and has no such call.
        if cfg!(windows) {
            return Ok(());
        }
        File::open(folder)?.sync_all()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        absent_is((), std::fs::remove_file(path))
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            if let Ok(name) = entry?.file_name().into_string() {
                names.push(name);
            }
        }
        names.sort();
        Ok(names)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn OpenFile>>> {
        loop {
            let Some(file) = open_locked(path)? else {
                return Ok(None);
            };
            let file = boxed(file, path);
            // Its last holder may have removed the file between our opening and our locking it.
            if file.is_current()? {
                return Ok(Some(file));
            }
        }
    }
}

impl OpenFile for RealFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::Start(length)).map(|_| ())
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }

    #[cfg(unix)]
    fn is_current(&self) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        let mine = self.file.metadata()?;
        absent_is(
            false,
            std::fs::metadata(&self.path).map(|named| named.dev() == mine.dev() && named.ino() == mine.ino()),
        )
    }

    #[cfg(not(unix))]
    fn is_current(&self) -> io::Result<bool> {
        // An open file cannot be removed or replaced here.
        Ok(true)
    }
}

fn boxed(file: File, path: &Path) -> Box<dyn OpenFile> {
    Box::new(RealFile {
        file,
        path: path.to_owned(),
    })
}

fn absent_is<T>(absent: T, result: io::Result<T>) -> io::Result<T> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(absent),
        other => other,
    }
}

/// New files belong to their owner alone.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

/// A new file that is locked where the file system has locks; where it has none, nobody takes a lock to sweep it up.
#[cfg(not(windows))]
fn create_locked(path: &Path) -> io::Result<File> {
    let file = private(OpenOptions::new().write(true).create_new(true)).open(path)?;
    let _locked = file.try_lock();
    Ok(file)
}

#[cfg(not(windows))]
fn existing_locked(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).open(path)?;
    match file.try_lock() {
        Err(std::fs::TryLockError::WouldBlock) => Err(ErrorKind::WouldBlock.into()),
        // Locked, or on a file system without locks.
        Ok(()) | Err(std::fs::TryLockError::Error(_)) => Ok(file),
    }
}

#[cfg(windows)]
const FILE_SHARE_READ: u32 = 1;

#[cfg(windows)]
const ERROR_SHARING_VIOLATION: i32 = 32;

#[cfg(windows)]
fn existing_locked(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    let opened = OpenOptions::new()
        .write(true)
        .share_mode(FILE_SHARE_READ)
        .open(path);
    opened.map_err(|error| match error.raw_os_error() {
        Some(ERROR_SHARING_VIOLATION) => ErrorKind::WouldBlock.into(),
        _ => error,
    })
}

#[cfg(windows)]
fn create_locked(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .share_mode(FILE_SHARE_READ)
        .open(path)
}

#[cfg(not(windows))]
fn open_locked(path: &Path) -> io::Result<Option<File>> {
    let file = private(
        OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false),
    )
    .open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(error),
    }
}

/// Opening for writing while letting others only read is the lock: unlike a range lock it leaves the holder's name
/// readable.
#[cfg(windows)]
fn open_locked(path: &Path) -> io::Result<Option<File>> {
    use std::os::windows::fs::OpenOptionsExt;
    let opened = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .share_mode(FILE_SHARE_READ)
        .open(path);
    match opened {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.raw_os_error() == Some(ERROR_SHARING_VIOLATION) => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(not(windows))]
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)
}

/// A scanner or an editor that has the file open refuses the rename for a moment.
#[cfg(windows)]
fn replace(from: &Path, to: &Path) -> io::Result<()> {
    const TRIES: usize = 20;
    for _ in 1..TRIES {
        match std::fs::rename(from, to) {
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                std::thread::sleep(std::time::Duration::from_millis(25));
            }
            other => return other,
        }
    }
    std::fs::rename(from, to)
}
