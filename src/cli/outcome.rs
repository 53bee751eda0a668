//! How a command ended, and the one place that knows exit statuses.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Done, or nothing to do.
    Done,
    /// Differences were found, and the command was asked to tell by its status.
    Differences,
    /// Something failed, and has been said.
    Failed,
    /// Stopped by Ctrl-C after the write under way was finished.
    Interrupted,
}

impl Outcome {
    /// The exit status.
    pub fn status(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Differences => 2,
            Self::Interrupted => 130,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome.status())
    }
}

/// What stopped a command: one or more diagnostics, to be shown as they are.
#[derive(Debug)]
pub struct Failure {
    /// The diagnostics, in the order in which they were met; at least one.
    pub reports: Vec<miette::Report>,
}

impl Failure {
    /// A failure of several diagnostics.
    pub fn of(reports: impl IntoIterator<Item = miette::Report>) -> Self {
        Self {
            reports: reports.into_iter().collect(),
        }
    }
}

impl<E: miette::Diagnostic + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        Self {
            reports: vec![miette::Report::new(error)],
        }
    }
}
