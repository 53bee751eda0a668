//! What a plan wants people to know without refusing.

use serde::{Deserialize, Serialize};

use crate::model::{Address, Origin};

/// How loud a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteLevel {
    /// Good to know.
    Note,
    /// Look at it before applying.
    Warning,
}

/// A note on a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// How loud.
    pub level: NoteLevel,
    /// What kind of note, as a code: `plan::missing_id`.
    pub code: String,
    /// The object it is about.
    pub address: Option<Address>,
    /// Where in the configuration.
    pub origin: Option<Origin>,
    /// What is to know, lower case, without a full stop.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Note {
    pub(super) fn new(level: NoteLevel, code: &str, message: impl Into<String>) -> Self {
        Self {
            level,
            code: format!("plan::{code}"),
            address: None,
            origin: None,
            message: message.into(),
            help: None,
        }
    }

    pub(super) fn warning(code: &str, message: impl Into<String>) -> Self {
        Self::new(NoteLevel::Warning, code, message)
    }

    pub(super) fn made_anew(name: &str) -> Self {
        let message = format!("the service keeps nothing of `{name}`, so it is made anew with another id");
        Note::warning("made_anew", message)
    }

    pub(super) fn remark(code: &str, message: impl Into<String>) -> Self {
        Self::new(NoteLevel::Note, code, message)
    }

    pub(super) fn on(mut self, address: &Address, origin: Option<Origin>) -> Self {
        self.address = Some(address.clone());
        self.origin = origin;
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}
