//! What every place for state can do.

use std::fmt::Debug;
use std::time::Duration;

use futures::future::BoxFuture;

use super::Change;
use super::Guard;
use super::HistoryEntry;
use super::Holder;
use super::LockInfo;
use super::StateError;
use crate::model::state::Document;
use crate::model::state::Version;

/// A document together with the version that names exactly what was read or written.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// The document.
    pub document: Document,
    /// Its version, to be given to the next [`StateStore::swap`].
    pub version: Version,
}

/// Where state lives.
pub trait StateStore: Debug + Send + Sync {
    /// The place in words fit for a message, for example a path.
    fn name(&self) -> String;

    /// Reads the document for use; none when there is no state yet.
    ///
    /// Refuses a document that this version could not write back without loss.
    fn load(&self) -> BoxFuture<'_, Result<Option<Stored>, StateError>>;

    /// Reads the document to show it, passing over fields that a later version added. It must not be written back.
    fn load_for_display(&self) -> BoxFuture<'_, Result<Option<Document>, StateError>>;

    /// Replaces the document, if nobody else wrote since `expect` (none: there is no state yet).
    ///
    /// The serial is counted here. A document that says the same as the one in place is not written. After `Ok` a
    /// power cut keeps the new one; after an error the old or the new one is there, and the same call may be repeated.
    fn swap<'a>(
        &'a self,
        guard: &'a Guard,
        expect: Option<&'a Version>,
        next: &'a Document,
        change: &'a Change,
    ) -> BoxFuture<'a, Result<Stored, StateError>>;

    /// Takes the lock, waiting up to `patience` for another holder. It is released when the guard is dropped.
    fn lock<'a>(&'a self, info: &'a LockInfo, patience: Duration)
    -> BoxFuture<'a, Result<Guard, StateError>>;

    /// Takes a lock that stays when the process ends, until [`StateStore::unlock`].
    fn hold<'a>(&'a self, info: &'a LockInfo, patience: Duration) -> BoxFuture<'a, Result<(), StateError>>;

    /// Takes the lock with this id away and returns what it said; refused while its process runs.
    fn unlock<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<LockInfo>, StateError>>;

    /// Who has the lock, if anyone.
    fn holder(&self) -> BoxFuture<'_, Result<Option<Holder>, StateError>>;

    /// The versions of the document, newest first, as far back as they are kept.
    fn history(&self) -> BoxFuture<'_, Result<Vec<HistoryEntry>, StateError>>;

    /// The document as it was at a serial.
    fn at_serial(&self, serial: u64) -> BoxFuture<'_, Result<Document, StateError>>;
}
