//! What happens while the tenant is read and a plan is applied: bars on a terminal, lines elsewhere.
//!
//! What machines read is [`EventStream`]. Whoever listens is told by the task that works, so
//! nothing here waits.

mod bars;
mod stream;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::apply::{Event, Events, StepResult};
use crate::graph::{GraphEvent, Observer};
use crate::plan::StepId;

use super::page::{Page, Role, Text};
use super::terminal::Terminal;
use super::visible::visible;
use super::words;

use bars::Bars;
pub use stream::EventStream;

/// Progress for people, on standard error.
pub struct Progress {
    terminal: Arc<Terminal>,
    bars: Option<Bars>,
    /// Whether every request is told, too.
    every_request: bool,
    begun: Begun,
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress")
            .field("bars", &self.bars.is_some())
            .finish_non_exhaustive()
    }
}

impl Progress {
    /// Progress on this terminal; `every_request` also tells each request and its answer.
    pub fn new(terminal: Arc<Terminal>, every_request: bool) -> Self {
        let bars = terminal
            .draws_progress()
            .then(|| Bars::on_standard_error(terminal.error_canvas()));
        Self {
            terminal,
            bars,
            every_request,
            begun: Begun::default(),
        }
    }

    /// Says what is being done until the next thing is: `reading the tenant`.
    pub fn doing(&self, what: &str) {
        if let Some(bars) = &self.bars {
            bars.doing(what);
        }
    }

    /// Takes everything off the screen that only shows progress.
    pub fn clear(&self) {
        if let Some(bars) = &self.bars {
            bars.clear();
        }
    }

    /// Writes something while no bar is on the screen.
    pub fn aside<R>(&self, write: impl FnOnce() -> R) -> R {
        match &self.bars {
            Some(bars) => bars.aside(write),
            None => write(),
        }
    }

    fn line(&self, text: Text) {
        let mut page = Page::default();
        page.hanging(0, 2, text);
        match &self.bars {
            Some(bars) => bars.line(&page.render(self.terminal.error_canvas())),
            None => self.terminal.aside(&page),
        }
    }
}

impl Events for Progress {
    fn happened(&self, event: &Event) {
        match event {
            Event::Started { apply, steps } => {
                self.line(Text::plain(&format!(
                    "Applying {} as {apply}",
                    words::count(*steps, "step")
                )));
                if let Some(bars) = &self.bars {
                    bars.begin(*steps);
                }
            }
            Event::StepStarted { step, address, verb } => {
                self.begun.start(*step);
                if let Some(bars) = &self.bars {
                    bars.step(*step, &format!("{address}: {}", forms(verb).doing));
                }
            }
            Event::StepWaiting {
                step,
                address,
                because,
            } => {
                self.line(Text::plain(&format!(
                    "· {address}: waits, and is sent again: {because}"
                )));
                if let Some(bars) = &self.bars {
                    bars.step(
                        *step,
                        &format!("{address}: waits until the service sees what it needs"),
                    );
                }
            }
            Event::StepEnded {
                step,
                address,
                verb,
                result,
            } => {
                if let Some(bars) = &self.bars {
                    bars.step_ended(*step);
                }
                self.line(ended(&address.to_string(), verb, result, self.begun.end(*step)));
            }
            Event::ReadingBack => {
                self.doing("reading back what was written");
                if self.bars.is_none() {
                    self.line(Text::plain("Reading back what was written"));
                }
            }
            Event::Ended { .. } => self.clear(),
        }
    }
}

impl Observer for Progress {
    fn observe(&self, event: &GraphEvent) {
        match event {
            GraphEvent::Throttled { wait, told, .. } => {
                let asked = if *told {
                    "Graph asks to slow down"
                } else {
                    "Graph is slow to answer, so capol slows down"
                };
                match &self.bars {
                    Some(bars) => bars.waiting(asked, *wait),
                    None => self.line(Text::plain(&format!("{asked}: waiting {}", words::took(*wait)))),
                }
            }
            GraphEvent::Retrying { call, wait, because } => {
                self.line(Text::plain(&format!(
                    "{call}: sent again in {}: {because}",
                    words::took(*wait)
                )));
            }
            GraphEvent::Answered {
                call,
                status,
                request_id,
            } => {
                if let Some(bars) = &self.bars {
                    bars.answered();
                }
                if self.every_request {
                    let id = request_id
                        .as_deref()
                        .map(|id| format!(", request-id {id}"))
                        .unwrap_or_default();
                    self.line(Text::of(Role::Muted, &format!("{call}: {status}{id}")));
                }
            }
            // Also with `--quiet` and `--json`: without it the command would wait for ever.
            GraphEvent::EnterCode { code, address } => self.terminal.error_text(&format!(
                "To sign in, open {} and enter the code {}\n",
                visible(address),
                visible(code)
            )),
            GraphEvent::Sending { call, attempt, .. } if self.every_request && *attempt > 1 => {
                self.line(Text::of(Role::Muted, &format!("{call}: attempt {attempt}")));
            }
            _ => {}
        }
    }
}

/// How a step ended, on a line.
fn ended(address: &str, verb: &str, result: &StepResult, elapsed: Option<Duration>) -> Text {
    let is_new = verb == "create";
    let verb = forms(verb);
    let (role, mark, rest) = match result {
        StepResult::Done { id } => {
            let took = elapsed
                .map(|elapsed| format!(" in {}", words::took(elapsed)))
                .unwrap_or_default();
            let id = id
                .as_ref()
                .filter(|_| is_new)
                .map(|id| format!(" (id {id})"))
                .unwrap_or_default();
            (Role::Added, "✓", format!("{}{took}{id}", verb.done))
        }
        StepResult::Failed { error } => (Role::Error, "✗", format!("not {}: {error}", verb.done)),
        StepResult::Unknown { error } => (
            Role::Warning,
            "?",
            format!("nobody knows whether it was {}: {error}", verb.done),
        ),
        StepResult::Skipped { because } => (Role::Muted, "·", format!("not begun: {because}")),
    };
    Text::of(role, mark).with(Role::Plain, &format!(" {address}: {rest}"))
}

/// A verb in the forms that sentences need.
pub(super) struct Forms {
    /// `creating`
    pub(super) doing: &'static str,
    /// `created`
    pub(super) done: &'static str,
}

pub(super) fn forms(verb: &str) -> Forms {
    let (doing, done) = match verb {
        "create" => ("creating", "created"),
        "update" => ("updating", "updated"),
        "delete" => ("deleting", "deleted"),
        "import" => ("importing", "imported"),
        "restore" => ("restoring", "restored"),
        "release" => ("releasing", "released"),
        _ => ("carrying out", "carried out"),
    };
    Forms { doing, done }
}

/// When the steps under way began.
#[derive(Debug, Default)]
struct Begun(Mutex<BTreeMap<StepId, Instant>>);

impl Begun {
    fn start(&self, step: StepId) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(step, Instant::now());
    }

    fn end(&self, step: StepId) -> Option<Duration> {
        let begun = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&step);
        begun.map(|begun| begun.elapsed())
    }

    fn so_far(&self, step: StepId) -> Option<Duration> {
        let begun = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        begun.get(&step).map(Instant::elapsed)
    }
}

/// Several who want to know.
pub struct Everyone<T: ?Sized>(pub Vec<Arc<T>>);

impl Events for Everyone<dyn Events> {
    fn happened(&self, event: &Event) {
        for one in &self.0 {
            one.happened(event);
        }
    }
}

impl Observer for Everyone<dyn Observer> {
    fn observe(&self, event: &GraphEvent) {
        for one in &self.0 {
            one.observe(event);
        }
    }
}

#[cfg(test)]
mod tests;
