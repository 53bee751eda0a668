//! What stops an apply as a whole. What stops one step is an event.

use miette::Diagnostic;
use thiserror::Error;

use crate::graph::GraphError;
use crate::model::wire::WireError;
use crate::state::StateError;

/// An apply could not begin, or not go on.
#[derive(Debug, Error, Diagnostic)]
pub enum ApplyError {
    /// State, lock or journal.
    #[error(transparent)]
    #[diagnostic(transparent)]
    State(#[from] StateError),
    /// The tenant could not be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Graph(#[from] GraphError),
    /// An object of the tenant could not be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Wire(#[from] WireError),
    /// A create whose answer was lost less than the visibility lag ago, and nothing like it is to be seen.
    #[error("nobody knows yet whether `{address}` was made at {at}")]
    #[diagnostic(
        code("apply::too_early"),
        help(
            "the service may hide a fresh object for {lag_minutes} minutes: run the same command again after {after}"
        )
    )]
    TooEarly {
        /// The address.
        address: String,
        /// When the request left.
        at: String,
        /// The visibility lag.
        lag_minutes: u64,
        /// When it may be decided.
        after: String,
    },
    /// Several fresh objects look exactly like the one whose answer was lost.
    #[error("several objects could be the `{address}` whose answer was lost: {}", ids.join(", "))]
    #[diagnostic(
        code("apply::ambiguous_create"),
        help("delete all but one of them, or all of them, and run the same command again")
    )]
    AmbiguousCreate {
        /// The address.
        address: String,
        /// The candidates.
        ids: Vec<String>,
    },
}
