//! The lock beside a local state: a file that says who, under a lock of the system that dies with its holder.
//!
//! - Someone runs: the system's lock is taken, the file says who.
//! - `capol state lock`: the system's lock is free, the file says `held`.
//! - Someone died: the system's lock is free, the file names a process. When that was one of this machine and is seen
//!   not to run any more, the lock is taken over; another machine's lock may not be visible here, and not every file
//!   system carries locks, so anything else is left to the user.

use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Guard;
use super::Holder;
use super::LockInfo;
use super::StateError;
use super::files::Files;
use super::files::OpenFile;
use super::guard::Held;
use super::host;
use crate::model::state::digest;

/// How often a waiting command looks again.
const INTERVAL: Duration = Duration::from_millis(100);

/// How long even an impatient command waits: others look into the lock for moments, too.
const LEAST_PATIENCE: Duration = Duration::from_millis(300);

/// The lock file of one state.
///
/// A newline ends what the file says; until that is written nobody has the lock.
#[derive(Debug, Clone)]
pub(super) struct LockFile {
    pub(super) path: PathBuf,
    pub(super) files: Arc<dyn Files>,
}

/// What a free lock file says.
enum Left {
    Nothing,
    By(LockInfo),
    Unreadable { id: String },
}

impl LockFile {
    /// Takes the lock, waiting up to `patience`.
    pub(super) async fn acquire(&self, info: &LockInfo, patience: Duration) -> Result<Guard, StateError> {
        let (mut file, previous) = self.take(info, patience).await?;
        if let Err(error) = self.inscribe(&mut *file, info) {
            // Half a name must not stand in the way of the next.
            let _removed = self.files.remove(&self.path);
            return Err(error);
        }
        let held = HeldFile {
            lock: self.clone(),
            id: info.id.clone(),
            file: Some(file),
        };
        Ok(Guard::new(Box::new(held), previous))
    }

    /// Takes a lock that stays when the process ends.
    pub(super) async fn hold(&self, info: &LockInfo, patience: Duration) -> Result<(), StateError> {
        let (mut file, _) = self.take(info, patience).await?;
        let info = LockInfo {
            held: true,
            ..info.clone()
        };
        let written = self
            .inscribe(&mut *file, &info)
            .and_then(|()| file.sync().map_err(|source| self.failed("write", source)));
        if written.is_err() {
            let _removed = self.files.remove(&self.path);
        }
        written
    }

    /// Removes the lock with this id, unless its process runs.
    pub(super) fn unlock(&self, id: &str) -> Result<Option<LockInfo>, StateError> {
        let Some(said) = self.read()? else {
            return Err(StateError::NotLocked { id: id.to_owned() });
        };
        let Some(file) = self.try_lock()? else {
            return Err(self.refusal(Some(said), None));
        };
        let (found, info) = match self.left()? {
            Left::Nothing => {
                self.discard(file)?;
                return Err(StateError::NotLocked { id: id.to_owned() });
            }
            Left::By(info) => (info.id.clone(), Some(info)),
            Left::Unreadable { id } => (id, None),
        };
        if found != id {
            return Err(StateError::OtherLock {
                given: id.to_owned(),
                found,
                who: info.map_or_else(String::new, |info| {
                    format!(
                        " ({} on {}, `{}` since {})",
                        info.who, info.host, info.operation, info.since
                    )
                }),
            });
        }
        self.discard(file)?;
        Ok(info)
    }

    /// Who has the lock.
    pub(super) fn holder(&self) -> Result<Option<Holder>, StateError> {
        if self.read()?.is_none() {
            return Ok(None);
        }
        let running = self.try_lock()?.is_none();
        Ok(match self.left()? {
            Left::Nothing => running.then(|| Holder {
                info: None,
                id: host::UNKNOWN.to_owned(),
                running,
            }),
            Left::By(info) => Some(Holder {
                id: info.id.clone(),
                info: Some(info),
                running,
            }),
            Left::Unreadable { id } => Some(Holder {
                info: None,
                id,
                running,
            }),
        })
    }

    async fn take(
        &self,
        info: &LockInfo,
        patience: Duration,
    ) -> Result<(Box<dyn OpenFile>, Option<LockInfo>), StateError> {
        let deadline = tokio::time::Instant::now() + patience.max(LEAST_PATIENCE);
        loop {
            match self.try_take(info)? {
                Ok(taken) => return Ok(taken),
                Err(refusal) if tokio::time::Instant::now() >= deadline => return Err(refusal),
                Err(_) => tokio::time::sleep(INTERVAL).await,
            }
        }
    }

    /// One attempt. The inner error is a refusal that time may change.
    #[expect(
        clippy::type_complexity,
        reason = "two kinds of failure, told apart by nesting, used once"
    )]
    fn try_take(
        &self,
        info: &LockInfo,
    ) -> Result<Result<(Box<dyn OpenFile>, Option<LockInfo>), StateError>, StateError> {
        let Some(file) = self.try_lock()? else {
            return Ok(Err(self.refusal(self.read()?, Some(info))));
        };
        Ok(match self.left()? {
            Left::Nothing => Ok((file, None)),
            Left::By(previous) if previous.is_dead_for(info) => Ok((file, Some(previous))),
            Left::By(previous) => Err(StateError::Locked {
                age: previous.age(info.since),
                info: Box::new(previous),
            }),
            Left::Unreadable { id } => Err(StateError::LockUnreadable {
                path: self.path.clone(),
                id,
            }),
        })
    }

    fn try_lock(&self) -> Result<Option<Box<dyn OpenFile>>, StateError> {
        let taken = match self.files.lock(&self.path) {
            // The embedded tenant's state is kept in a folder that its first run makes.
            Err(source) if source.kind() == std::io::ErrorKind::NotFound => self
                .files
                .create_folder(super::place::folder_of(&self.path))
                .and_then(|()| self.files.lock(&self.path)),
            taken => taken,
        };
        taken.map_err(|source| self.failed("take", source))
    }

    fn read(&self) -> Result<Option<Vec<u8>>, StateError> {
        self.files
            .read(&self.path)
            .map_err(|source| self.failed("read", source))
    }

    fn left(&self) -> Result<Left, StateError> {
        Ok(interpret(&self.read()?.unwrap_or_default()))
    }

    fn refusal(&self, said: Option<Vec<u8>>, asking: Option<&LockInfo>) -> StateError {
        match interpret(&said.unwrap_or_default()) {
            Left::By(info) => StateError::Running {
                age: asking.map_or_else(String::new, |asking| format!(", {}", info.age(asking.since))),
                info: Box::new(info),
            },
            Left::Nothing | Left::Unreadable { .. } => StateError::RunningUnnamed {
                path: self.path.clone(),
            },
        }
    }

    fn inscribe(&self, file: &mut dyn OpenFile, info: &LockInfo) -> Result<(), StateError> {
        let mut text = serde_json::to_string(info)
            .map_err(|cause| self.failed("write", std::io::Error::other(cause)))?;
        text.push('\n');
        file.truncate(0)
            .and_then(|()| file.write(text.as_bytes()))
            .map_err(|source| self.failed("write", source))
    }

    /// Removes the lock file that is locked by `file`.
    fn discard(&self, file: Box<dyn OpenFile>) -> Result<(), StateError> {
        self.files
            .discard(&self.path, file)
            .map_err(|source| self.failed("remove", source))
    }

    fn failed(&self, verb: &'static str, source: std::io::Error) -> StateError {
        StateError::LockFile {
            verb,
            path: self.path.clone(),
            source,
        }
    }
}

/// A lock that this process has.
#[derive(Debug)]
struct HeldFile {
    lock: LockFile,
    id: String,
    file: Option<Box<dyn OpenFile>>,
}

impl HeldFile {
    fn is_mine(&self) -> Result<bool, StateError> {
        let current = match &self.file {
            None => false,
            Some(file) => file
                .is_current()
                .map_err(|source| self.lock.failed("read", source))?,
        };
        Ok(current && matches!(self.lock.left()?, Left::By(info) if info.id == self.id))
    }
}

impl Held for HeldFile {
    fn check(&self) -> Result<(), StateError> {
        if self.is_mine()? {
            return Ok(());
        }
        Err(StateError::LockLost {
            path: self.lock.path.clone(),
        })
    }

    fn release(&mut self) -> Result<(), StateError> {
        self.check()?;
        match self.file.take() {
            Some(file) => self.lock.discard(file),
            None => Ok(()),
        }
    }
}

fn interpret(bytes: &[u8]) -> Left {
    // Without the newline its writer was killed before it had the lock.
    if bytes.last() != Some(&b'\n') {
        return Left::Nothing;
    }
    match serde_json::from_slice(bytes) {
        Ok(info) => Left::By(info),
        Err(_) => Left::Unreadable {
            id: digest(bytes).chars().take(8).collect(),
        },
    }
}

/// Where the lock of a state is: beside the file that the path leads to, so that links share it.
pub(super) fn beside(state: &Path) -> PathBuf {
    super::place::with_suffix(state, ".lock")
}
