//! What the one who asked is told, and how much of it arrives.

use std::time::Duration;

use serde_json::Value;

use super::faults::Gate;

/// What is told to the caller.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) content: Content,
    pub(super) headers: Vec<(&'static str, String)>,
    /// How long it is held back.
    pub(super) wait: Duration,
    pub(super) ending: Ending,
    /// Where the request waits before anything is told.
    pub(super) held: Option<Held>,
}

/// The body of an answer.
#[derive(Clone, Debug, Default)]
pub(super) enum Content {
    #[default]
    Nothing,
    Json(Value),
    /// The page of a gateway.
    Html(String),
}

/// How much of an answer arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ending {
    #[default]
    Whole,
    /// Nothing: the connection is cut.
    Cut,
    /// The first bytes of the body.
    Within { sent: usize, chunked: bool },
}

/// A request that waits at a gate.
#[derive(Clone, Debug)]
pub struct Held {
    /// Where it waits.
    pub gate: Gate,
    /// Whether it was carried out already.
    pub carried_out: bool,
}

impl Told {
    pub(super) fn new(status: u16, body: Option<Value>) -> Self {
        Self {
            status,
            content: body.map_or(Content::Nothing, Content::Json),
            ..Self::default()
        }
    }

    /// The connection is cut before any answer.
    pub(super) fn cut() -> Self {
        Self {
            ending: Ending::Cut,
            ..Self::default()
        }
    }

    /// Returns the body, if it is JSON.
    pub(super) fn json(&self) -> Option<&Value> {
        match &self.content {
            Content::Json(value) => Some(value),
            Content::Nothing | Content::Html(_) => None,
        }
    }

    /// Adds to the time the answer is held back.
    pub(super) fn later_by(mut self, wait: Duration) -> Self {
        self.wait += wait;
        self
    }
}
