//! Where the state document lives: stores, locks, history, and the journal of an apply.
//!
//! The rules that the rest of capol leans on:
//! - A write needs a [`Guard`], names the [`Version`](crate::model::state::Version) it starts from, and is refused
//!   when that is not what is there.
//! - A document is replaced whole. After any failure or power cut the old or the new one is there, never neither.
//! - What was replaced is kept in the history, with who, when and why.
//! - Every request of an apply is in the [`journal`] before it leaves, so that a lost answer is found again.

mod error;
pub mod files;
pub mod guard;
pub mod history;
pub mod host;
pub mod journal;
mod local;
mod lock_file;
mod place;
mod replace;
mod store;
mod wreck;

pub use self::error::BrokenState;
pub use self::error::KeptVersion;
pub use self::error::StateError;
pub use self::guard::Guard;
pub use self::guard::Holder;
pub use self::guard::LockInfo;
pub use self::history::Change;
pub use self::history::HistoryEntry;
pub use self::local::LocalFile;
pub use self::place::Place;
pub(crate) use self::replace::sweep;
pub(crate) use self::replace::temporary_for;
pub use self::store::StateStore;
pub use self::store::Stored;
pub use self::wreck::Wreck;

#[cfg(test)]
pub(crate) mod tests;
