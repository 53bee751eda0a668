//! A disk in memory that forgets what was not made durable when the power goes, and a process on it that can die at
//! every file-system call.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use capol::state::files::{Files, OpenFile};
use tokio::sync::Notify;

/// The disk. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk(Arc<Mutex<Platter>>);

#[derive(Debug, Clone, Default)]
struct Platter {
    inodes: Vec<Inode>,
    /// What processes see.
    files: BTreeMap<PathBuf, usize>,
    folders: BTreeSet<PathBuf>,
    /// What a power cut surely leaves.
    kept_files: BTreeMap<PathBuf, usize>,
    kept_folders: BTreeSet<PathBuf>,
    /// Which process has the system's lock on a file.
    locks: BTreeMap<usize, usize>,
    processes: usize,
}

#[derive(Debug, Clone, Default)]
struct Inode {
    data: Vec<u8>,
    kept: Vec<u8>,
}

/// How a file-system call goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// The process dies before it; in a write, half way.
    DeathBefore,
    /// The process dies after it.
    DeathAfter,
    /// It fails, and the process lives on.
    Fails,
}

pub(crate) const EVERY_WRONG: [Wrong; 3] = [Wrong::DeathBefore, Wrong::DeathAfter, Wrong::Fails];

/// The life of one process.
#[derive(Debug)]
pub(crate) struct Life {
    calls: AtomicUsize,
    wrong: Option<(usize, Wrong)>,
    /// At which call one goes wrong that was not counted from the beginning.
    aimed: Mutex<Option<(usize, Wrong)>>,
    /// Whether a call went wrong.
    erred: AtomicBool,
    dead: AtomicBool,
    /// Told when it dies.
    pub(crate) death: Notify,
}

impl Life {
    pub(crate) fn new(wrong: Option<(usize, Wrong)>) -> Arc<Self> {
        Arc::new(Self {
            calls: AtomicUsize::new(0),
            wrong,
            aimed: Mutex::new(None),
            erred: AtomicBool::new(false),
            dead: AtomicBool::new(false),
            death: Notify::new(),
        })
    }

    /// How many file-system calls there were.
    pub(crate) fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }

    /// The call goes wrong that comes after so many more.
    pub(crate) fn aim(&self, after: usize, wrong: Wrong) {
        *self.aimed.lock().unwrap() = Some((self.calls() + after, wrong));
    }

    pub(crate) fn has_erred(&self) -> bool {
        self.erred.load(Ordering::SeqCst)
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    pub(crate) fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.death.notify_one();
    }

    fn call<T>(&self, half: impl FnOnce(), act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        if self.is_dead() {
            return Err(io::Error::other("the process is dead"));
        }
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let aimed = *self.aimed.lock().unwrap();
        let wrong = self.wrong.into_iter().chain(aimed).find(|(at, _)| *at == number);
        self.erred.fetch_or(wrong.is_some(), Ordering::SeqCst);
        match wrong {
            None => act(),
            Some((_, Wrong::Fails)) => {
                half();
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            Some((_, Wrong::DeathBefore)) => {
                half();
                self.die();
                Err(io::Error::other("the process is dead"))
            }
            Some((_, Wrong::DeathAfter)) => {
                let _done = act();
                self.die();
                Err(io::Error::other("the process is dead"))
            }
        }
    }
}

impl Disk {
    fn lock(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap()
    }

    /// A process that begins on this disk; the locks of those before it are gone.
    pub(crate) fn process(&self, life: Arc<Life>) -> Process {
        let mut platter = self.lock();
        platter.processes += 1;
        platter.locks.clear();
        Process {
            disk: self.clone(),
            life,
            number: platter.processes,
        }
    }

    /// A copy of it as it is now.
    pub(crate) fn copy(&self) -> Self {
        Self(Arc::new(Mutex::new(self.lock().clone())))
    }

    pub(crate) fn read(&self, path: &Path) -> Option<Vec<u8>> {
        let platter = self.lock();
        let inode = platter.files.get(path)?;
        Some(platter.inodes[*inode].data.clone())
    }

    pub(crate) fn names(&self) -> Vec<PathBuf> {
        self.lock().files.keys().cloned().collect()
    }

    /// The power goes: what was made durable stays, and of everything else the seed decides.
    pub(crate) fn cut_power(&self, mut seed: u64) {
        let mut chance = || {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % 3
        };
        let mut platter = self.lock();
        let folders: BTreeSet<PathBuf> = platter
            .files
            .keys()
            .chain(platter.kept_files.keys())
            .filter_map(|path| path.parent().map(Path::to_owned))
            .collect();
        let mut files = BTreeMap::new();
        for folder in &folders {
            let is_kept = platter.kept_folders.contains(folder) || folder.as_os_str() == ROOT;
            if !is_kept && chance() > 0 {
                continue;
            }
            let from = if chance() > 0 {
                &platter.kept_files
            } else {
                &platter.files
            };
            for (path, inode) in from {
                if path.parent() == Some(folder) {
                    files.insert(path.clone(), *inode);
                }
            }
        }
        for inode in &mut platter.inodes {
            match chance() {
                0 => inode.data.clone_from(&inode.kept),
                1 if inode.data.starts_with(&inode.kept) => {
                    let half = (inode.data.len() - inode.kept.len()) / 2;
                    inode.data.truncate(inode.kept.len() + half);
                }
                _ => {}
            }
            inode.kept.clone_from(&inode.data);
        }
        platter.kept_files.clone_from(&files);
        platter.files = files;
        let folders = platter.folders.clone();
        platter.kept_folders = folders;
        platter.locks.clear();
    }
}

/// The folder that everything is in; it is there from the beginning.
pub(crate) const ROOT: &str = "/project";

/// One process on a disk.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    disk: Disk,
    life: Arc<Life>,
    number: usize,
}

#[derive(Debug)]
struct Opened {
    process: Process,
    path: PathBuf,
    inode: usize,
    is_lock: bool,
}

impl Process {
    fn opened(&self, path: &Path, inode: usize, is_lock: bool) -> Box<dyn OpenFile> {
        Box::new(Opened {
            process: self.clone(),
            path: path.to_owned(),
            inode,
            is_lock,
        })
    }

    fn call<T>(&self, act: impl FnOnce(&mut Platter) -> io::Result<T>) -> io::Result<T> {
        self.life.call(|| {}, || act(&mut self.disk.lock()))
    }

    fn make(platter: &mut Platter, path: &Path) -> usize {
        let inode = platter.inodes.len();
        platter.inodes.push(Inode::default());
        platter.files.insert(path.to_owned(), inode);
        inode
    }
}

fn is_there(platter: &Platter, path: &Path) -> bool {
    let folder = path.parent().unwrap_or(path);
    folder.as_os_str() == ROOT || platter.folders.contains(folder)
}

impl Files for Process {
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.call(|_| Ok(path.to_owned()))
    }

    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.call(|platter| {
            let inode = platter.files.get(path);
            Ok(inode.map(|inode| platter.inodes[*inode].data.clone()))
        })
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let inode = self.call(|platter| {
            if platter.files.contains_key(path) {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            if !is_there(platter, path) {
                return Err(io::ErrorKind::NotFound.into());
            }
            Ok(Self::make(platter, path))
        })?;
        Ok(self.opened(path, inode, false))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let inode = self.call(|platter| {
            let inode = platter.files.get(path).copied();
            inode.ok_or_else(|| io::ErrorKind::NotFound.into())
        })?;
        Ok(self.opened(path, inode, false))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(|platter| {
            let inode = platter.files.remove(from);
            let inode = inode.ok_or(io::ErrorKind::NotFound)?;
            platter.files.insert(to.to_owned(), inode);
            Ok(())
        })
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.call(|platter| {
            let within = |path: &Path| path.parent() == Some(folder);
            platter.kept_files.retain(|path, _| !within(path));
            let now: Vec<(PathBuf, usize)> = platter
                .files
                .iter()
                .filter(|(path, _)| within(path))
                .map(|(path, inode)| (path.clone(), *inode))
                .collect();
            platter.kept_files.extend(now);
            let folders: Vec<PathBuf> = platter
                .folders
                .iter()
                .filter(|path| within(path))
                .cloned()
                .collect();
            platter.kept_folders.extend(folders);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(|platter| {
            platter.files.remove(path);
            Ok(())
        })
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        self.call(|platter| {
            for above in folder.ancestors().filter(|above| above.starts_with(ROOT)) {
                platter.folders.insert(above.to_owned());
            }
            Ok(())
        })
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.call(|platter| {
            Ok(platter
                .files
                .keys()
                .filter(|path| path.parent() == Some(folder))
                .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
                .collect())
        })
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn OpenFile>>> {
        let inode = self.call(|platter| {
            if !is_there(platter, path) {
                return Err(io::ErrorKind::NotFound.into());
            }
            let inode = match platter.files.get(path) {
                Some(inode) => *inode,
                None => Self::make(platter, path),
            };
            if platter.locks.contains_key(&inode) {
                return Ok(None);
            }
            platter.locks.insert(inode, self.number);
            Ok(Some(inode))
        })?;
        Ok(inode.map(|inode| self.opened(path, inode, true)))
    }
}

impl OpenFile for Opened {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let put = |bytes: &[u8]| {
            self.process.disk.lock().inodes[self.inode]
                .data
                .extend_from_slice(bytes);
        };
        self.process.life.call(
            || put(&bytes[..bytes.len() / 2]),
            || {
                put(bytes);
                Ok(())
            },
        )
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.process.call(|platter| {
            let length = usize::try_from(length).unwrap();
            platter.inodes[self.inode].data.truncate(length);
            Ok(())
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.process.call(|platter| {
            let inode = &mut platter.inodes[self.inode];
            inode.kept.clone_from(&inode.data);
            Ok(())
        })
    }

    fn is_current(&self) -> io::Result<bool> {
        self.process
            .call(|platter| Ok(platter.files.get(&self.path) == Some(&self.inode)))
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        if self.is_lock {
            let mut platter = self.process.disk.lock();
            if platter.locks.get(&self.inode) == Some(&self.process.number) {
                platter.locks.remove(&self.inode);
            }
        }
    }
}
