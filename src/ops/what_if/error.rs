//! What keeps sign-ins from being evaluated.

use std::path::PathBuf;

use crate::access::{DirectoryError, EstateError, RecordError};
use crate::model::live::Candidate;
use crate::ops::OpsError;
use crate::ops::workspace::WorkError;

/// Why sign-ins can't be evaluated at all.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum WhatIfError {
    /// A file, or the tenant.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Ops(#[from] OpsError),
    /// The project, its state or its plan.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Work(#[from] Box<WorkError>),
    /// The policies.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Estate(#[from] EstateError),
    /// The directory.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Directory(#[from] DirectoryError),
    /// A sign-in that is asked for.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Line(#[from] LineError),
    /// A file is no JSON.
    #[error("`{}` is not JSON: {source}", path.display())]
    #[diagnostic(code("ops::not_json"), help("give one JSON object, in UTF-8"))]
    NotJson {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// A file of policies holds something that can't be read.
    #[error("`{file}` can't be read as policies: {reason}")]
    #[diagnostic(
        code("ops::unread_policy"),
        help("mend or leave out the file; a policy that is passed over would change every answer")
    )]
    Unread {
        /// The file, and the place in it.
        file: String,
        /// Why.
        reason: String,
    },
    /// No file holds a policy.
    #[error("no policy is among these files")]
    #[diagnostic(code("ops::no_policies"), help("name files or folders of exported policies"))]
    NoPolicies,
    /// Nothing is called that.
    #[error("no {what} is called `{name}`")]
    #[diagnostic(code("ops::not_called_that"), help("{}", meant(near)))]
    Nothing {
        /// `user`, `app`.
        what: &'static str,
        /// The name.
        name: String,
        /// What is called nearly that.
        near: Vec<Candidate>,
    },
    /// Several things are called that.
    #[error("{} {what} are called `{name}`", all.len())]
    #[diagnostic(
        code("ops::several_called_that"),
        help("write the id of one: {}", listed(all))
    )]
    Several {
        /// `users`, `apps`.
        what: &'static str,
        /// The name.
        name: String,
        /// All of them.
        all: Vec<Candidate>,
    },
}

fn meant(near: &[Candidate]) -> String {
    if near.is_empty() {
        "write the name as the directory has it, or the id".to_owned()
    } else {
        format!("write one of: {}", listed(near))
    }
}

fn listed(candidates: &[Candidate]) -> String {
    let one = |candidate: &Candidate| format!("`{}` ({})", candidate.name, candidate.id);
    candidates.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Why one line is no sign-in.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum LineError {
    /// The line is no JSON.
    #[error("the line is not JSON: {0}")]
    #[diagnostic(code("ops::line_not_json"), help("write one JSON object a line"))]
    NotJson(#[source] serde_json::Error),
    /// The line is longer than any sign-in.
    #[error("the line is longer than 64 MiB")]
    #[diagnostic(code("ops::line_too_long"), help("write one JSON object a line"))]
    TooLong,
    /// The line is JSON, but no sign-in.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Record(#[from] RecordError),
    /// `satisfied` is no list of texts.
    #[error("`satisfied` is not a list of controls and methods")]
    #[diagnostic(
        code("ops::satisfied"),
        help("write Graph's words, for example `[\"mfa\", \"compliantDevice\"]`")
    )]
    Satisfied,
    /// `satisfied` holds a word that is neither a control nor a method.
    #[error("`{0}` in `satisfied` is nothing that somebody can do")]
    #[diagnostic(
        code("ops::satisfied"),
        help("write controls and methods, for example `[\"mfa\", \"compliantDevice\"]`")
    )]
    NothingToDo(String),
}

impl LineError {
    /// The same of a record that flags made.
    #[must_use]
    pub fn of_flags(self) -> Self {
        match self {
            Self::Record(error) => Self::Record(error.of_flags()),
            other => other,
        }
    }
}
