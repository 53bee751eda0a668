//! The journal that an interrupted apply left.

use capol::model::state::Document;
use capol::state::files::{Files, OpenFile};
use capol::state::journal::{Journal, Recovery, past_applies, read_past, tale_left};
use capol::state::{LocalFile, Place};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A disk in memory.
#[derive(Debug, Clone, Default)]
struct Disk(Arc<Mutex<BTreeMap<PathBuf, Vec<u8>>>>);

#[derive(Debug)]
struct DiskFile(Disk, PathBuf);

impl Disk {
    fn files(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files for Disk {
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(path.to_owned())
    }

    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Ok(self.files().get(path).cloned())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.files().insert(path.to_owned(), Vec::new());
        self.append(path)
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        Ok(Box::new(DiskFile(self.clone(), path.to_owned())))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let bytes = self.files().remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.files().insert(to.to_owned(), bytes);
        Ok(())
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.files().remove(path);
        Ok(())
    }

    fn create_folder(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        let files = self.files();
        let names = files.keys().filter_map(|path| path.strip_prefix(folder).ok());
        Ok(names.map(|name| name.to_string_lossy().into_owned()).collect())
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn OpenFile>>> {
        self.append(path).map(Some)
    }
}

impl OpenFile for DiskFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.files().entry(self.1.clone()).or_default().extend(bytes);
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        self.0.files().entry(self.1.clone()).or_default().truncate(length);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn is_current(&self) -> io::Result<bool> {
        Ok(true)
    }
}

/// A journal is taken up or called damaged; what it tells can be settled in a state; taken up again it tells the
/// same; and it is never thrown away while it may hold a request that left.
///
/// # Panics
/// When that does not hold.
pub fn journal(bytes: &[u8]) {
    let disk = Disk::default();
    let store = LocalFile::with_files(
        Place::in_project(Path::new("project"), None),
        Arc::new(disk.clone()),
    );
    let (path, history) = (store.place().journal.clone(), store.place().history.clone());
    disk.files().insert(path.clone(), bytes.to_vec());
    let mut document = Document::new(uuid::Uuid::nil(), "11111111-1111-4111-8111-111111111111");
    match Journal::resume(&store) {
        Ok(Some((journal, recovery))) => {
            recovery.settle(&mut document);
            let kept = disk.files().get(&path).cloned().expect("it is still there");
            assert!(bytes.starts_with(&kept), "taking it up only drops a torn end");
            let now = "2026-11-23T12:00:00Z".parse().expect("a time");
            drop(journal);
            let (journal, again) = Journal::resume(&store)
                .expect("taken up before")
                .expect("still there");
            assert_eq!(recovery, again, "taken up twice it tells something else");
            if journal.finish(now).is_ok() {
                assert!(!disk.files().contains_key(&path));
            }
        }
        Ok(None) => assert!(
            !disk.files().contains_key(&path) && !bytes.contains(&b'\n'),
            "a whole record was thrown away"
        ),
        Err(_) => {
            if let Some(recovery) = tale_left(&store)
                .ok()
                .flatten()
                .and_then(|left| Recovery::of(&left.records))
            {
                recovery.settle(&mut document);
            }
            Journal::set_aside(&store).expect("nothing fails on this disk");
            assert!(
                disk.files().values().any(|kept| kept == bytes),
                "what cannot be read is kept"
            );
        }
    }
    disk.files()
        .insert(history.join("7-past.journal.ndjson"), bytes.to_vec());
    for past in past_applies(&store).unwrap_or_default() {
        drop(read_past(&store, &past.begin.apply));
    }
    document.render().expect("what was settled can be written");
}
