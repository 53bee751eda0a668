//! What happens during an apply, for progress, logs and the machine-readable stream.

use serde::Serialize;

use crate::graph::observe::Silent;
use crate::model::Address;
use crate::plan::StepId;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// The apply begins.
    Started {
        /// Its name.
        apply: String,
        /// How many steps it has.
        steps: usize,
    },
    /// A step is about to be sent.
    StepStarted {
        /// The step.
        step: StepId,
        /// Its object.
        address: Address,
        /// What it does: `create`, `update`, ….
        verb: &'static str,
    },
    /// A step waits for the service to see what another step made.
    StepWaiting {
        /// The step.
        step: StepId,
        /// Its object.
        address: Address,
        /// What it waits for.
        because: String,
    },
    /// A step ended.
    StepEnded {
        /// The step.
        step: StepId,
        /// Its object.
        address: Address,
        /// What it did.
        verb: &'static str,
        /// How.
        result: StepResult,
    },
    /// The tenant is read to see what landed.
    ReadingBack,
    /// The apply is over.
    Ended {
        /// Steps that are done.
        done: usize,
        /// Steps that failed.
        failed: usize,
        /// Steps whose outcome is not known.
        unknown: usize,
        /// Steps that were not begun.
        skipped: usize,
    },
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "result", rename_all = "snake_case")]
pub enum StepResult {
    /// The service did it.
    Done {
        /// The object's id.
        id: Option<String>,
    },
    /// The service refused, or the request never left.
    Failed {
        /// Why.
        error: String,
    },
    /// Nobody knows.
    Unknown {
        /// What was seen.
        error: String,
    },
    /// Not begun.
    Skipped {
        /// Why.
        because: String,
    },
}

/// Someone who wants to know.
pub trait Events: Send + Sync {
    /// Takes one event.
    fn happened(&self, event: &Event);
}

impl Events for Silent {
    fn happened(&self, _event: &Event) {}
}
