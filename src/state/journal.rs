//! The journal of an apply: what was asked of the tenant, written down before it was asked.
//!
//! One JSON record a line. A [`Begin`] is durable before its request leaves, an [`End`] before anything that depends
//! on it starts. Every prefix is legal; a last line without a newline was never durable and is passed over. A begin
//! without an end is an unknown: [`Recovery`] hands it to the `apply` room together with what it needs to find out.
//!
//! ```text
//! apply_begin → (seen | begin → end)… → state_saved → … → apply_end, then the file moves into the history
//! ```
//!
//! Graph has no idempotency key and names may repeat. So the ids that were there before creates are recorded once a
//! collection ([`Record::Seen`]), and a create may only begin after that: an object found later is ours only if its
//! id is outside that set.

mod grammar;
mod past;
mod record;
mod recovery;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use self::grammar::Grammar;
pub use self::past::PastApply;
pub use self::past::Tale;
pub use self::past::past_applies;
pub use self::past::read_past;
pub use self::past::tale_left;
pub use self::past::tales;
pub use self::record::ApplyBegin;
pub use self::record::Begin;
pub use self::record::Effect;
pub use self::record::End;
pub use self::record::Operation;
pub use self::record::Outcome;
pub use self::record::Record;
pub use self::record::Seen;
pub use self::recovery::Done;
pub use self::recovery::Open;
pub use self::recovery::Recovery;
use super::LocalFile;
use super::Place;
use super::StateError;
use super::files::Files;
use super::files::OpenFile;
use super::history;
use super::place::folder_of;
use super::replace;
use crate::model::state::Version;
use crate::model::state::digest;

/// What is left of a damaged journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Salvaged {
    /// What the readable lines tell; none when the first is not among them.
    pub recovery: Option<Recovery>,
    /// The lines that cannot be read, from 1.
    pub damaged_lines: Vec<usize>,
    /// Where the file is now.
    pub kept: PathBuf,
}

/// The journal of an apply under way, open for writing.
#[derive(Debug)]
pub struct Journal {
    place: Place,
    files: Arc<dyn Files>,
    file: Box<dyn OpenFile>,
    grammar: Grammar,
    apply: ApplyBegin,
    broken: bool,
}

impl Journal {
    /// Begins the journal of an apply. Refused while an earlier one is not taken up and closed, and when the state that
    /// the apply will end in could not be written.
    pub fn start(store: &LocalFile, apply: ApplyBegin) -> Result<Self, StateError> {
        let place = store.place().clone();
        let files = Arc::clone(store.files());
        store.can_be_written()?;
        let failed = |source| failed("begun", &place.journal, source);
        let kept = folder_of(&place.journal).to_owned();
        files.create_folder(&kept).map_err(failed)?;
        let file = files.create(&place.journal).map_err(|source| {
            if source.kind() == io::ErrorKind::AlreadyExists {
                StateError::UnfinishedApply {
                    path: place.journal.clone(),
                }
            } else {
                failed(source)
            }
        })?;
        let mut journal = Self {
            place: place.clone(),
            files: Arc::clone(&files),
            file,
            grammar: Grammar::default(),
            apply: apply.clone(),
            broken: false,
        };
        journal.append(&[Record::ApplyBegin(apply)])?;
        // The name must be as durable as the content, and so must the folder's, which may be new.
        files
            .sync_folder(&kept)
            .and_then(|()| files.sync_folder(folder_of(&kept)))
            .map_err(failed)?;
        Ok(journal)
    }

    /// Whether an interrupted apply left a journal.
    pub fn is_left(store: &LocalFile) -> Result<bool, StateError> {
        let path = &store.place().journal;
        let left = store.files().read(path);
        Ok(left.map_err(|source| failed("read", path, source))?.is_some())
    }

    /// Opens the journal that an interrupted apply left, and says what it tells; none when there is none.
    ///
    /// Called under the lock. Append an [`End`] for each open step once it is known, save state, then
    /// [`Journal::finish`].
    pub fn resume(store: &LocalFile) -> Result<Option<(Self, Recovery)>, StateError> {
        let place = store.place().clone();
        let files = Arc::clone(store.files());
        let path = place.journal.clone();
        // Opened before it is read: while another is at work on it nothing in it is left over.
        let mut file = match files.append(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(StateError::ApplyUnderWay { path });
            }
            Err(source) => return Err(failed("opened", &path, source)),
        };
        let bytes = files
            .read(&path)
            .map_err(|source| failed("read", &path, source))?
            .unwrap_or_default();
        let parsed = record::parse(&path, &bytes)?;
        let mut grammar = Grammar::default();
        for (line, record) in (1..).zip(&parsed.records) {
            grammar
                .accept(record)
                .map_err(|reason| StateError::JournalDamaged {
                    path: path.clone(),
                    line,
                    reason,
                })?;
        }
        let Some(recovery) = Recovery::of(&parsed.records) else {
            // Not even the first record is whole: no request can have left.
            files
                .discard(&path, file)
                .map_err(|source| failed("closed", &path, source))?;
            return Ok(None);
        };
        file.truncate(parsed.whole)
            .and_then(|()| file.sync())
            .map_err(|source| failed("written", &path, source))?;
        let journal = Self {
            place,
            files,
            file,
            grammar,
            apply: recovery.apply.clone(),
            broken: false,
        };
        Ok(Some((journal, recovery)))
    }

    /// Begins the journal of an apply in the place of an earlier one that cannot be closed yet: the requests that
    /// are still unknown go over into the new one, and the old one moves into the history.
    ///
    /// Called under the lock, with the state saved. Cut short at any point, the old or the new one is there.
    pub fn succeed(self, apply: ApplyBegin, open: &[Open]) -> Result<Self, StateError> {
        let Self {
            place,
            files,
            file,
            apply: earlier,
            ..
        } = self;
        drop(file);
        let failed = |source| failed("begun", &place.journal, source);
        let bytes = files.read(&place.journal).map_err(failed)?.unwrap_or_default();
        let name = format!("{}-{}{}", earlier.serial, earlier.apply, past::ENDING);
        // What the journal tells must be as durable in the state: who wrote it may have died before that.
        files
            .resolve(&place.state)
            .and_then(|state| files.sync_folder(folder_of(&state)))
            .and_then(|()| files.create_folder(&place.history))
            .and_then(|()| history::trim(&*files, &place.history, past::ENDING))
            .map_err(failed)?;
        replace::replace(&*files, &place.history.join(name), &bytes).map_err(|fault| failed(fault.source))?;
        let mut records = vec![Record::ApplyBegin(apply.clone())];
        for open in open {
            if open.begin.chooses_no_id() {
                records.push(Record::Seen(Seen {
                    path: open.begin.path.clone(),
                    ids: open.not_ours.clone(),
                }));
            }
            records.push(Record::Begin(Box::new(Begin {
                step: carried(&earlier.apply, &open.begin.step),
                ..open.begin.clone()
            })));
        }
        let mut grammar = Grammar::default();
        let mut lines = Vec::new();
        for record in &records {
            grammar
                .accept(record)
                .map_err(|reason| StateError::JournalOrder { reason })?;
            serde_json::to_writer(&mut lines, record).map_err(|cause| failed(cause.into()))?;
            lines.push(b'\n');
        }
        replace::replace(&*files, &place.journal, &lines).map_err(|fault| failed(fault.source))?;
        let file = files.append(&place.journal).map_err(failed)?;
        Ok(Self {
            place,
            files,
            file,
            grammar,
            apply,
            broken: false,
        })
    }

    /// The requests that an apply left without an answer; none when there is no journal.
    pub fn open_requests(store: &LocalFile) -> Result<Vec<Open>, StateError> {
        let path = &store.place().journal;
        let bytes = store
            .files()
            .read(path)
            .map_err(|source| failed("read", path, source))?
            .unwrap_or_default();
        let records = record::parse(path, &bytes)?.records;
        Ok(Recovery::of(&records).map_or_else(Vec::new, |recovery| recovery.open))
    }

    /// Moves a journal that [`Journal::resume`] calls damaged into the history, as `damaged-…`, and returns what can
    /// be read of it. None when there is no journal.
    ///
    /// Called under the lock. What it tells as done can be settled; what it leaves open has to be looked for.
    pub fn set_aside(store: &LocalFile) -> Result<Option<Salvaged>, StateError> {
        let (place, files) = (store.place(), store.files());
        let failed = |verb| move |source| failed(verb, &place.journal, source);
        let Some(bytes) = files.read(&place.journal).map_err(failed("read"))? else {
            return Ok(None);
        };
        let (records, damaged_lines) = record::salvage(&bytes);
        let digest: String = digest(&bytes).chars().take(8).collect();
        let kept = place.history.join(format!("damaged-{digest}{}", past::ENDING));
        files
            .create_folder(&place.history)
            .and_then(|()| files.rename(&place.journal, &kept))
            .and_then(|()| files.sync_folder(&place.history))
            .and_then(|()| files.sync_folder(folder_of(&place.journal)))
            .map_err(failed("closed"))?;
        Ok(Some(Salvaged {
            recovery: Recovery::of(&records),
            damaged_lines,
            kept,
        }))
    }

    /// The apply this is the journal of.
    pub fn apply(&self) -> &ApplyBegin {
        &self.apply
    }

    /// Whether of every step that began it is known what became of it.
    pub fn is_decided(&self) -> bool {
        self.grammar.undecided().is_none()
    }

    /// Ids that cannot be the object of a step: they were there before it began or belong to a step that is done.
    pub fn not_ours(&self, step: &str) -> std::collections::BTreeSet<String> {
        self.grammar.not_ours(step)
    }

    /// Writes records, durable when this returns. Many at once cost one wait for the disk.
    ///
    /// After a failure nothing more can be recorded: the apply must stop, and what is open is found out later.
    pub fn append(&mut self, records: &[Record]) -> Result<(), StateError> {
        if self.broken {
            let source = io::Error::other("an earlier record could not be written");
            return Err(failed("written", &self.place.journal, source));
        }
        let mut lines = Vec::new();
        for (place, record) in records.iter().enumerate() {
            self.grammar.accept(record).map_err(|reason| {
                // The ones before it are accepted and not written.
                self.broken = place > 0;
                StateError::JournalOrder { reason }
            })?;
            serde_json::to_writer(&mut lines, record)
                .map_err(|cause| failed("written", &self.place.journal, cause.into()))?;
            lines.push(b'\n');
        }
        // Until it is written, the grammar is ahead of the file.
        self.broken = true;
        self.file
            .write(&lines)
            .and_then(|()| self.file.sync())
            .map_err(|source| failed("written", &self.place.journal, source))?;
        self.broken = false;
        Ok(())
    }

    /// Records the ids in a collection before anything is created in it.
    pub fn seen(&mut self, seen: Seen) -> Result<(), StateError> {
        self.append(&[Record::Seen(seen)])
    }

    /// Records that a request is about to leave. It may leave when this has returned.
    pub fn begin(&mut self, begin: Begin) -> Result<(), StateError> {
        self.append(&[Record::Begin(Box::new(begin))])
    }

    /// Records what became of a step. What depends on it may start when this has returned.
    pub fn end(&mut self, end: End) -> Result<(), StateError> {
        self.append(&[Record::End(Box::new(end))])
    }

    /// Records that the state now holds everything that ended so far.
    pub fn state_saved(&mut self, version: &Version) -> Result<(), StateError> {
        self.append(&[Record::StateSaved(version.clone())])
    }

    /// Closes the journal and moves it into the history, from where `undo` reads it. Refused while a step is
    /// unknown, or done and not saved.
    pub fn finish(mut self, at: Timestamp) -> Result<PathBuf, StateError> {
        if !self.grammar.is_ended() {
            self.append(&[Record::ApplyEnd { at }])?;
        }
        let Self {
            place,
            files,
            file,
            apply,
            ..
        } = self;
        let name = format!("{}-{}{}", apply.serial, apply.apply, past::ENDING);
        let kept = place.history.join(name);
        // What the journal tells must be as durable in the state: who wrote it may have died before that.
        files
            .resolve(&place.state)
            .and_then(|state| files.sync_folder(folder_of(&state)))
            .and_then(|()| files.create_folder(&place.history))
            .and_then(|()| history::trim(&*files, &place.history, past::ENDING))
            .and_then(|()| files.put(file, &place.journal, &kept))
            .and_then(|()| files.sync_folder(&place.history))
            .and_then(|()| files.sync_folder(folder_of(&place.journal)))
            .map_err(|source| failed("closed", &place.journal, source))?;
        Ok(kept)
    }
}

/// The name of a step that went over from the journal of an earlier apply; it keeps that through later ones.
fn carried(apply: &str, step: &str) -> String {
    if step.contains('/') {
        step.to_owned()
    } else {
        format!("{apply}/{step}")
    }
}

fn failed(verb: &'static str, path: &std::path::Path, source: io::Error) -> StateError {
    StateError::Journal {
        verb,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
pub(super) mod tests;
