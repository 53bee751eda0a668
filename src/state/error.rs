//! Why state cannot be read, written, locked or recovered.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::path::PathBuf;

use jiff::Timestamp;
use miette::Diagnostic;
use thiserror::Error;

use super::LockInfo;
use crate::model::state::DocumentError;

/// A damaged state file, and what there is to put in its place.
#[derive(Debug, Error)]
#[error("`{}` cannot be used as state{}", .path.display(), instead(.kept.as_ref()))]
pub struct BrokenState {
    /// The state file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub source: DocumentError,
    /// The newest version of the history that can be read.
    pub kept: Option<KeptVersion>,
}

/// A version of the history that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptVersion {
    /// The file of the history.
    pub path: PathBuf,
    /// Its serial.
    pub serial: u64,
    /// When it was written.
    pub at: Timestamp,
}

fn instead(kept: Option<&KeptVersion>) -> String {
    match kept {
        Some(kept) => format!(
            "; the newest version that is whole is serial {} of {}, `{}`",
            kept.serial,
            kept.at,
            kept.path.display()
        ),
        None => "; no earlier version is kept".to_owned(),
    }
}

impl Diagnostic for BrokenState {
    fn code<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        self.source.code()
    }

    fn help<'a>(&'a self) -> Option<Box<dyn Display + 'a>> {
        // What is no state of capol at all may be there for a reason; that is told in its own words.
        let foreign = matches!(self.source, DocumentError::Foreign { .. });
        match (&self.kept, foreign) {
            (Some(_), false) => Some(Box::new("put it in its place with `capol state repair`")),
            (Some(_), true) => Some(Box::new(
                "if it took the place of the state by mistake: `capol state repair`",
            )),
            (None, true) => self.source.help(),
            (None, false) => Some(Box::new(
                "copy it from a backup, or find its objects in the tenant again: `capol state repair`",
            )),
        }
    }
}

/// Why state cannot be read, written, locked or recovered. One variant an operation that failed.
#[derive(Debug, Error, Diagnostic)]
#[non_exhaustive]
pub enum StateError {
    /// A fault of the document itself, wherever it is kept.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Document(#[from] DocumentError),

    /// The file was read, but it is damaged.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Broken(Box<BrokenState>),

    /// The file is gone, though there was one.
    #[error(
        "the state `{}` is gone{}",
        path.display(),
        .kept.as_ref().map_or_else(
            || "; it was saved before, and no version of it can be read".to_owned(),
            |kept| format!(
                "; the newest version kept is serial {} of {}, `{}`",
                kept.serial,
                kept.at,
                kept.path.display()
            )
        )
    )]
    #[diagnostic(
        code(state::lost),
        help("take it back with `capol state repair`; to begin anew all the same, move the history away")
    )]
    Lost {
        /// Where it was.
        path: PathBuf,
        /// The newest version of the history that can be read.
        kept: Option<KeptVersion>,
    },

    /// The file was read, but what it holds cannot be used.
    #[error("`{path}` cannot be used as state")]
    #[diagnostic(forward(source))]
    Unusable {
        /// The state file or the file of the history.
        path: PathBuf,
        /// What is wrong with it.
        #[source]
        source: DocumentError,
    },

    /// The state file cannot be read.
    #[error("the state `{path}` cannot be read")]
    #[diagnostic(code(state::read), help("{}", remedy(source, path, "readable")))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// A new file beside the state cannot be made.
    #[error("nothing can be written in the folder `{folder}`, so the state stays as it was")]
    #[diagnostic(code(state::create), help("{}", remedy(source, folder, "writable")))]
    Create {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// The new content cannot be written out.
    #[error("the new state cannot be written to `{path}`, so the state stays as it was")]
    #[diagnostic(code(state::write), help("{}", inside(source, path)))]
    Write {
        /// The temporary file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// The new content cannot be made durable.
    #[error("the new state in `{path}` cannot be made durable, so the state stays as it was")]
    #[diagnostic(code(state::sync), help("{}", inside(source, path)))]
    Sync {
        /// The temporary file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// The new file cannot take the old one's place.
    #[error("the new state cannot take the place of `{path}`, so the state stays as it was")]
    #[diagnostic(code(state::replace), help("{}", inside(source, path)))]
    Replace {
        /// The state file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// The new file is in place, but its name is not known to be durable.
    #[error("the new state is in place, but the folder `{folder}` cannot be made durable")]
    #[diagnostic(code(state::sync_folder), help("{}", remedy(source, folder, "readable")))]
    SyncFolder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// A leftover of an interrupted write cannot be removed.
    #[error("`{path}`, left by an interrupted command, cannot be removed")]
    #[diagnostic(code(state::tidy), help("{}", inside(source, path)))]
    Tidy {
        /// The leftover.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// The folder of the state cannot be searched.
    #[error("the folder `{folder}` cannot be read, so the state stays as it was")]
    #[diagnostic(code(state::folder), help("{}", remedy(source, folder, "readable")))]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// The history cannot be kept or read.
    #[error("the history in `{path}` cannot be {verb}")]
    #[diagnostic(
        code(state::history),
        help("{}", remedy(source, path, "readable and writable"))
    )]
    History {
        /// What failed: read, written, tidied.
        verb: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// A file of the history cannot be understood.
    #[error("the kept version `{}` is damaged: {reason}", .path.display())]
    #[diagnostic(
        code(state::history_damaged),
        help("remove `{}`; the other versions stay usable", path.display())
    )]
    HistoryDamaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },

    /// The history does not reach to a serial.
    #[error("the history does not hold serial {serial}")]
    #[diagnostic(
        code(state::no_such_serial),
        help("list what it holds: `capol state history`")
    )]
    NoSuchSerial {
        /// The serial asked for.
        serial: u64,
    },

    /// Somebody else wrote the state since it was read.
    #[error("the state changed meanwhile: it was read at serial {expected}, and is now at serial {found}")]
    #[diagnostic(
        code(state::raced),
        help("plan again: `capol plan`; see who wrote with `capol state history`")
    )]
    Raced {
        /// The serial that was read.
        expected: u64,
        /// The serial in place.
        found: u64,
    },

    /// The state was edited or replaced without a new serial.
    #[error("the state was changed without capol: serial {serial} now has other content")]
    #[diagnostic(
        code(state::edited),
        help("see what differs with `capol state history`, then plan again: `capol plan`")
    )]
    Edited {
        /// The serial.
        serial: u64,
    },

    /// There should be no state yet, but there is one.
    #[error("a state was made meanwhile, at serial {found}")]
    #[diagnostic(code(state::exists), help("plan again: `capol plan`"))]
    Exists {
        /// The serial in place.
        found: u64,
    },

    /// The state that was read is gone.
    #[error("the state `{path}`, read at serial {expected}, is gone")]
    #[diagnostic(code(state::gone), help("take the newest version back: `capol state repair`"))]
    Gone {
        /// Where it was.
        path: PathBuf,
        /// The serial that was read.
        expected: u64,
    },

    /// Another capol runs on this state.
    #[error("{} on {} is running `{}` (process {}, since {}{age}) and has the state locked", .info.who, .info.host, .info.operation, .info.pid, .info.since)]
    #[diagnostic(
        code(state::locked),
        help(
            "wait for it with `--lock-timeout 5m`, or stop process {} on {}",
            info.pid,
            info.host
        )
    )]
    Running {
        /// What its lock says.
        info: Box<LockInfo>,
        /// How old it is, after a comma; empty when nobody asked for a lock of its own.
        age: String,
    },

    /// Another capol has the lock and has not yet said who it is.
    #[error("another capol has the state locked, and `{path}` does not say who")]
    #[diagnostic(code(state::locked), help("wait for it with `--lock-timeout 5m`"))]
    RunningUnnamed {
        /// The lock file.
        path: PathBuf,
    },

    /// A lock of which it is not known whether its process runs.
    #[error("{} on {} has had the state locked for `{}` since {}, {age}{}", .info.who, .info.host, .info.operation, .info.since, process(.info))]
    #[diagnostic(
        code(state::locked),
        help(
            "when {} agrees that nothing runs any more: `capol state unlock {}`",
            info.who,
            info.id
        )
    )]
    Locked {
        /// What the lock says.
        info: Box<LockInfo>,
        /// How old it is.
        age: String,
    },

    /// The lock file holds something else than a lock.
    #[error("the lock `{path}` cannot be read, so it is not known who has it")]
    #[diagnostic(
        code(state::lock_unreadable),
        help("when no other capol runs on this state: `capol state unlock {id}`")
    )]
    LockUnreadable {
        /// The lock file.
        path: PathBuf,
        /// The id to unlock it by.
        id: String,
    },

    /// The system refuses to lock.
    #[error("the lock `{path}` cannot be {verb}", verb = done(.verb))]
    #[diagnostic(code(state::lock_file), help("{}", unlocked(source, path)))]
    LockFile {
        /// What failed: take, read, write, remove.
        verb: &'static str,
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// The lock was taken away while it was needed.
    #[error("the lock `{path}` was taken away while this command ran, so the state was not written")]
    #[diagnostic(
        code(state::lock_lost),
        help("what was done is in the journal; run `capol plan` to take it up")
    )]
    LockLost {
        /// The lock file.
        path: PathBuf,
    },

    /// There is nothing to unlock.
    #[error("the state is not locked")]
    #[diagnostic(
        code(state::not_locked),
        help("there is no lock `{id}` to be removed; run the command that you need")
    )]
    NotLocked {
        /// The id given.
        id: String,
    },

    /// The lock is another one than the user means.
    #[error("the lock on the state is `{found}`{who}, not `{given}`")]
    #[diagnostic(
        code(state::other_lock),
        help("if that is the one to be removed: `capol state unlock {found}`")
    )]
    OtherLock {
        /// The id given.
        given: String,
        /// The id in place.
        found: String,
        /// Whose that is, in brackets; empty when it does not say.
        who: String,
    },

    /// The journal cannot be read or written.
    #[error("the journal `{path}` cannot be {verb}")]
    #[diagnostic(code(state::journal), help("{}", inside(source, path)))]
    Journal {
        /// What failed: opened, read, begun, written, closed.
        verb: &'static str,
        /// The journal.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },

    /// An apply is not finished.
    #[error("an earlier apply was interrupted; its journal is `{path}`")]
    #[diagnostic(
        code(state::unfinished_apply),
        help("run `capol apply`: it takes up what was under way")
    )]
    UnfinishedApply {
        /// The journal.
        path: PathBuf,
    },

    /// Another capol is in the middle of an apply, which only `--lock=false` lets one come upon.
    #[error("another capol is in the middle of an apply and writes its journal, `{path}`")]
    #[diagnostic(
        code(state::apply_under_way),
        help("wait until it ends: run the command again with `--lock-timeout 5m`, without `--lock=false`")
    )]
    ApplyUnderWay {
        /// The journal.
        path: PathBuf,
    },

    /// A record of the journal, other than an unfinished last one, cannot be read.
    #[error("the journal `{path}` is damaged at line {line}: {reason}")]
    #[diagnostic(
        code(state::journal_damaged),
        help("run `capol state repair`: it takes over what the journal still tells and sets it aside")
    )]
    JournalDamaged {
        /// The journal.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },

    /// A record that may not follow the ones before.
    #[error("the journal cannot record this now: {reason}")]
    #[diagnostic(
        code(state::journal_order),
        help("this is a fault in capol; report it with the output of `capol version`")
    )]
    JournalOrder {
        /// Why not.
        reason: String,
    },

    /// The journal of an earlier apply is not kept.
    #[error("no journal of an apply `{apply}` is kept")]
    #[diagnostic(
        code(state::no_such_apply),
        help("list the applies that can be undone: `capol state history`")
    )]
    NoSuchApply {
        /// The id asked for.
        apply: String,
    },
}

/// What to do when a file or folder cannot be had, by what the system says.
fn remedy(source: &io::Error, path: &Path, wanted: &str) -> String {
    let path = path.display();
    let first = match source.kind() {
        io::ErrorKind::PermissionDenied if wanted == "writable" && cfg!(windows) => {
            format!("close programs that have `{path}` open")
        }
        io::ErrorKind::PermissionDenied => format!("make `{path}` {wanted} for the user who runs capol"),
        io::ErrorKind::ReadOnlyFilesystem => format!("make the file system of `{path}` writable"),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
            format!("make room for `{path}`")
        }
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            format!("move away what is in the place of `{path}`")
        }
        io::ErrorKind::NotFound => format!("make the folder of `{path}`"),
        _ => format!("check the disk of `{path}`"),
    };
    format!("{first}, and run the command again")
}

/// The same for a file that is made, replaced and removed, for which the folder matters as much.
fn inside(source: &io::Error, path: &Path) -> String {
    if source.kind() != io::ErrorKind::PermissionDenied || cfg!(windows) {
        return remedy(source, path, "writable");
    }
    format!(
        "make the folder `{}` and the files in it readable and writable for the user who runs capol, and run the command again",
        super::place::folder_of(path).display()
    )
}

/// The same for the lock, which some file systems cannot have.
fn unlocked(source: &io::Error, path: &Path) -> String {
    // ENOLCK and ENOTSUP have no kind of their own everywhere.
    let has_kind = !matches!(source.kind(), io::ErrorKind::Unsupported) && source.raw_os_error() != Some(37);
    if has_kind {
        return inside(source, path);
    }
    "if nobody else can run capol on this state, pass `--lock=false`".to_owned()
}

/// Which process it was; a lock that was meant to stay has none.
fn process(info: &LockInfo) -> String {
    if info.held {
        return String::new();
    }
    format!(" (process {})", info.pid)
}

fn done(verb: &str) -> &str {
    match verb {
        "take" => "taken",
        "write" => "written",
        "remove" => "removed",
        other => other,
    }
}
