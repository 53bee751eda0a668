//! State in a local file, replaced atomically.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::BrokenState;
use super::Change;
use super::Guard;
use super::HistoryEntry;
use super::Holder;
use super::LockInfo;
use super::Place;
use super::StateError;
use super::StateStore;
use super::Stored;
use super::files::Files;
use super::files::RealFiles;
use super::history::History;
use super::journal::tales;
use super::lock_file;
use super::lock_file::LockFile;
use super::place;
use super::replace;
use super::replace::Step;
use super::replace::Sweeping;
use crate::model::state::CAPOL_VERSION;
use crate::model::state::Document;
use crate::model::state::DocumentError;
use crate::model::state::Version;
use crate::model::state::digest;

/// The store of `capol.state.json`.
#[derive(Debug, Clone)]
pub struct LocalFile {
    place: Place,
    files: Arc<dyn Files>,
}

impl LocalFile {
    /// The state at a place on this machine's disk.
    pub fn new(place: Place) -> Self {
        Self::with_files(place, Arc::new(RealFiles))
    }

    /// The state at a place, through other file verbs.
    pub fn with_files(place: Place, files: Arc<dyn Files>) -> Self {
        Self { place, files }
    }

    /// The files that belong to this state.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The file verbs in use.
    pub fn files(&self) -> &Arc<dyn Files> {
        &self.files
    }

    /// Refuses when there is no state although there was one: an apply would make everything a second time.
    ///
    /// The first write of all may have been cut short before its file had its name; what it kept proves nothing.
    pub fn not_lost(&self) -> Result<(), StateError> {
        if self.bytes()?.is_some() {
            return Ok(());
        }
        let (newest, later) = self.history_folder().salvage()?;
        let saved = || -> Result<bool, StateError> { Ok(tales(self)?.iter().any(|tale| tale.saved() > 0)) };
        let was_there = !later.is_empty() || !self.history_folder().list(None)?.is_empty() || saved()?;
        if was_there {
            return Err(StateError::Lost {
                path: self.place.state.clone(),
                kept: newest.map(|(kept, _)| kept),
            });
        }
        Ok(())
    }

    /// The state file itself, when the path is a symbolic link to it.
    pub(super) fn target(&self) -> Result<PathBuf, StateError> {
        self.files
            .resolve(&self.place.state)
            .map_err(|source| StateError::Read {
                path: self.place.state.clone(),
                source,
            })
    }

    fn lock_file(&self) -> Result<LockFile, StateError> {
        Ok(LockFile {
            path: lock_file::beside(&self.target()?),
            files: Arc::clone(&self.files),
        })
    }

    pub(super) fn history_folder(&self) -> History {
        History {
            folder: self.place.history.clone(),
            files: Arc::clone(&self.files),
        }
    }

    pub(super) fn bytes(&self) -> Result<Option<Vec<u8>>, StateError> {
        self.files
            .read(&self.place.state)
            .map_err(|source| StateError::Read {
                path: self.place.state.clone(),
                source,
            })
    }

    fn unusable(&self) -> impl Fn(DocumentError) -> StateError + use<'_> {
        let path = self.place.state.clone();
        move |source| {
            let path = path.clone();
            if !source.is_damage() {
                return StateError::Unusable { path, source };
            }
            // A history that cannot be read has nothing to offer either.
            let kept = self.history_folder().newest().ok().flatten();
            StateError::Broken(Box::new(BrokenState {
                path,
                source,
                kept: kept.map(|(kept, _)| kept),
            }))
        }
    }

    pub(super) fn stored(&self) -> Result<Option<Stored>, StateError> {
        let Some(bytes) = self.bytes()? else {
            return Ok(None);
        };
        let document = Document::parse(&bytes).map_err(self.unusable())?;
        Ok(Some(Stored {
            version: version_of(&document, &bytes),
            document,
        }))
    }

    fn replace(
        &self,
        guard: &Guard,
        expect: Option<&Version>,
        next: &Document,
        change: &Change,
    ) -> Result<Stored, StateError> {
        guard.check()?;
        let current = self.stored()?;
        let next = successor(expect, next);
        let text = next.render()?;
        let version = version_of(&next, text.as_bytes());
        let written = Stored {
            document: next,
            version,
        };
        let target = self.target()?;
        let folder = place::folder_of(&target);
        if current.as_ref().is_some_and(|it| it.version == written.version) {
            // An earlier call got as far as the rename; what it could not say for sure is said now.
            self.sync_folder(folder)?;
            return Ok(written);
        }
        expect_current(&self.place.state, expect, current.as_ref())?;
        if let Some(current) = &current {
            written.document.may_replace(&current.document)?;
            if !change.new_lineage && written.document.lineage != current.document.lineage {
                return Err(StateError::Document(DocumentError::LineageMismatch {
                    found: written.document.lineage.to_string(),
                    expected: current.document.lineage.to_string(),
                }));
            }
            if written.document.same_content(&current.document) {
                return Ok(current.clone());
            }
        }
        self.history_folder().keep(current.as_ref(), &written, change)?;
        self.put(&target, text.as_bytes())?;
        Ok(written)
    }

    /// Makes sure that a new state could take the place of this one, before something happens that it must tell of.
    pub(super) fn can_be_written(&self) -> Result<(), StateError> {
        let target = self.target()?;
        replace::probe(&*self.files, &target).map_err(|source| StateError::Create {
            folder: place::folder_of(&target).to_owned(),
            source,
        })?;
        self.history_folder().can_be_written()
    }

    /// Removes what killed processes left beside the state and in the history.
    fn sweep(&self) -> Result<(), StateError> {
        let target = self.target()?;
        for folder in [place::folder_of(&target), &self.place.history] {
            replace::sweep(&*self.files, folder, None).map_err(|fault| match fault {
                Sweeping::Folder(source) => StateError::Folder {
                    folder: folder.to_owned(),
                    source,
                },
                Sweeping::File(path, source) => StateError::Tidy { path, source },
            })?;
        }
        Ok(())
    }

    pub(super) fn put(&self, target: &Path, bytes: &[u8]) -> Result<(), StateError> {
        let folder = place::folder_of(target).to_owned();
        replace::replace(&*self.files, target, bytes).map_err(|failed| {
            let source = failed.source;
            let path = failed.temporary;
            match failed.step {
                Step::Create => StateError::Create { folder, source },
                Step::Write => StateError::Write { path, source },
                Step::Sync => StateError::Sync { path, source },
                Step::Rename => StateError::Replace {
                    path: target.to_owned(),
                    source,
                },
                Step::SyncFolder => StateError::SyncFolder { folder, source },
            }
        })
    }

    fn sync_folder(&self, folder: &Path) -> Result<(), StateError> {
        self.files
            .sync_folder(folder)
            .map_err(|source| StateError::SyncFolder {
                folder: folder.to_owned(),
                source,
            })
    }
}

impl StateStore for LocalFile {
    fn name(&self) -> String {
        self.place.state.display().to_string()
    }

    fn load(&self) -> BoxFuture<'_, Result<Option<Stored>, StateError>> {
        async { self.stored() }.boxed()
    }

    fn load_for_display(&self) -> BoxFuture<'_, Result<Option<Document>, StateError>> {
        async {
            self.bytes()?
                .map(|bytes| Document::parse_for_display(&bytes).map_err(self.unusable()))
                .transpose()
        }
        .boxed()
    }

    fn swap<'a>(
        &'a self,
        guard: &'a Guard,
        expect: Option<&'a Version>,
        next: &'a Document,
        change: &'a Change,
    ) -> BoxFuture<'a, Result<Stored, StateError>> {
        async move { self.replace(guard, expect, next, change) }.boxed()
    }

    fn lock<'a>(
        &'a self,
        info: &'a LockInfo,
        patience: Duration,
    ) -> BoxFuture<'a, Result<Guard, StateError>> {
        async move {
            let guard = self.lock_file()?.acquire(info, patience).await?;
            self.sweep()?;
            Ok(guard)
        }
        .boxed()
    }

    fn hold<'a>(&'a self, info: &'a LockInfo, patience: Duration) -> BoxFuture<'a, Result<(), StateError>> {
        async move { self.lock_file()?.hold(info, patience).await }.boxed()
    }

    fn unlock<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<LockInfo>, StateError>> {
        async move { self.lock_file()?.unlock(id) }.boxed()
    }

    fn holder(&self) -> BoxFuture<'_, Result<Option<Holder>, StateError>> {
        async { self.lock_file()?.holder() }.boxed()
    }

    fn history(&self) -> BoxFuture<'_, Result<Vec<HistoryEntry>, StateError>> {
        async {
            let current = self.bytes()?.map(|bytes| digest(&bytes));
            self.history_folder().list(current.as_deref())
        }
        .boxed()
    }

    fn at_serial(&self, serial: u64) -> BoxFuture<'_, Result<Document, StateError>> {
        async move {
            // A damaged state must not bar the way to the earlier ones.
            if let Ok(Some(current)) = self.stored() {
                if current.document.serial == serial {
                    return Ok(current.document);
                }
                if current.document.serial < serial {
                    return Err(StateError::NoSuchSerial { serial });
                }
            }
            self.history_folder().read(serial)
        }
        .boxed()
    }
}

pub(super) fn version_of(document: &Document, bytes: &[u8]) -> Version {
    Version {
        lineage: document.lineage,
        serial: document.serial,
        digest: digest(bytes),
    }
}

/// The document as it will be written: counted on, and marked with this version of capol.
fn successor(expect: Option<&Version>, next: &Document) -> Document {
    let least = expect.map_or(0, |version| version.serial).saturating_add(1);
    Document {
        serial: next.serial.max(least),
        capol_version: CAPOL_VERSION.to_owned(),
        ..next.clone()
    }
}

fn expect_current(path: &Path, expect: Option<&Version>, current: Option<&Stored>) -> Result<(), StateError> {
    let found = current.map(|stored| &stored.version);
    match (expect, found) {
        (None, Some(found)) => Err(StateError::Exists { found: found.serial }),
        (Some(expect), None) => Err(StateError::Gone {
            path: path.to_owned(),
            expected: expect.serial,
        }),
        (Some(expect), Some(found)) if expect.lineage != found.lineage => {
            Err(StateError::Document(DocumentError::LineageMismatch {
                found: expect.lineage.to_string(),
                expected: found.lineage.to_string(),
            }))
        }
        (Some(expect), Some(found)) if expect.serial != found.serial => Err(StateError::Raced {
            expected: expect.serial,
            found: found.serial,
        }),
        (Some(expect), Some(found)) if expect.digest != found.digest => {
            Err(StateError::Edited { serial: found.serial })
        }
        _ => Ok(()),
    }
}
