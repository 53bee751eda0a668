//! The file verbs with one of them going wrong, for tests.
//!
//! No test can cut the power, so nothing here waits for the disk.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;

use super::Files;
use super::OpenFile;
use super::RealFiles;

/// How the chosen verb goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It fails and does nothing (a write: half), and the process lives on.
    Fails,
    /// The process is killed before it (in a write: half way).
    KilledBefore,
    /// The process is killed after it.
    KilledAfter,
}

/// Everything that a system says when a file cannot be had as asked.
pub(crate) const EVERY_KIND: [io::ErrorKind; 6] = [
    io::ErrorKind::StorageFull,
    io::ErrorKind::QuotaExceeded,
    io::ErrorKind::PermissionDenied,
    io::ErrorKind::ReadOnlyFilesystem,
    io::ErrorKind::Interrupted,
    io::ErrorKind::Other,
];

pub(crate) const EVERY_FAULT: [Fault; 3] = [Fault::Fails, Fault::KilledBefore, Fault::KilledAfter];

/// The real file system, of which the `at`-th verb goes wrong.
#[derive(Debug, Clone)]
pub(crate) struct Faulty(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    at: usize,
    fault: Fault,
    kind: io::ErrorKind,
    seen: Mutex<Vec<String>>,
}

#[derive(Debug)]
struct FaultyFile {
    shared: Arc<Shared>,
    inner: Box<dyn OpenFile>,
}

impl Faulty {
    pub(crate) fn new(at: usize, fault: Fault) -> Self {
        Self::with_kind(at, fault, io::ErrorKind::StorageFull)
    }

    pub(crate) fn with_kind(at: usize, fault: Fault, kind: io::ErrorKind) -> Self {
        Self(Arc::new(Shared {
            at,
            fault,
            kind,
            seen: Mutex::new(Vec::new()),
        }))
    }

    /// Nothing goes wrong; for counting.
    pub(crate) fn sound() -> Self {
        Self::new(usize::MAX, Fault::Fails)
    }

    /// Every verb so far, with the last part of its path.
    pub(crate) fn verbs(&self) -> Vec<String> {
        self.0.seen.lock().unwrap().clone()
    }
}

impl Shared {
    fn run<T>(&self, verb: &str, path: &Path, act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        self.run_or(verb, path, act, || Ok(()))
    }

    fn run_or<T>(
        &self,
        verb: &str,
        path: &Path,
        act: impl FnOnce() -> io::Result<T>,
        half: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<T> {
        let number = {
            let mut seen = self.seen.lock().unwrap();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            seen.push(format!("{verb} {name}"));
            seen.len() - 1
        };
        let wrong = || Err(io::Error::from(self.kind));
        let dead = self.fault != Fault::Fails && number > self.at;
        match (number == self.at, self.fault) {
            _ if dead => wrong(),
            (true, Fault::Fails | Fault::KilledBefore) => {
                half()?;
                wrong()
            }
            (true, Fault::KilledAfter) => {
                act()?;
                wrong()
            }
            (false, _) => act(),
        }
    }
}

impl Faulty {
    fn open(
        &self,
        verb: &str,
        path: &Path,
        act: impl FnOnce() -> io::Result<Box<dyn OpenFile>>,
    ) -> io::Result<Box<dyn OpenFile>> {
        let inner = self.0.run(verb, path, act)?;
        Ok(Box::new(FaultyFile {
            shared: Arc::clone(&self.0),
            inner,
        }))
    }
}

impl Files for Faulty {
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.0.run("resolve", path, || RealFiles.resolve(path))
    }

    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.0.run("read", path, || RealFiles.read(path))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.open("create", path, || RealFiles.create(path))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.open("append", path, || RealFiles.append(path))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.run("rename", to, || RealFiles.rename(from, to))
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.0.run("sync_folder", folder, || Ok(()))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.0.run("remove", path, || RealFiles.remove(path))
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        self.0
            .run("create_folder", folder, || RealFiles.create_folder(folder))
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.0.run("list", folder, || RealFiles.list(folder))
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn OpenFile>>> {
        let inner = self.0.run("lock", path, || RealFiles.lock(path))?;
        Ok(inner.map(|inner| -> Box<dyn OpenFile> {
            Box::new(FaultyFile {
                shared: Arc::clone(&self.0),
                inner,
            })
        }))
    }
}

impl OpenFile for FaultyFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let inner = Mutex::new(&mut self.inner);
        self.shared.run_or(
            "write",
            Path::new(""),
            || inner.lock().unwrap().write(bytes),
            || inner.lock().unwrap().write(&bytes[..bytes.len() / 2]),
        )
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.shared
            .run("truncate", Path::new(""), || self.inner.truncate(length))
    }

    fn sync(&mut self) -> io::Result<()> {
        self.shared.run("sync", Path::new(""), || Ok(()))
    }

    fn is_current(&self) -> io::Result<bool> {
        self.shared
            .run("is_current", Path::new(""), || self.inner.is_current())
    }
}
