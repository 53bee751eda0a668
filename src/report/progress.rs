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
    alike: Alike,
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
            alike: Alike::default(),
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

    /// Tells of the steps that were held back.
    fn tell_alike(&self) {
        for ((address, verb), more) in self.alike.take() {
            let times = words::count(more, "more time");
            let said = format!(" {address}: {} {times}", forms(&verb).done);
            self.line(Text::of(Role::Added, "✓").with(Role::Plain, &said));
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
                let took = self.begun.end(*step);
                let address = address.to_string();
                if matches!(result, StepResult::Done { .. }) && self.alike.holds_back(&address, verb) {
                    return;
                }
                self.line(ended(&address, verb, result, took));
            }
            Event::ReadingBack => {
                self.tell_alike();
                self.doing("reading back what was written");
                if self.bars.is_none() {
                    self.line(Text::plain("Reading back what was written"));
                }
            }
            Event::Ended { .. } => {
                self.tell_alike();
                self.clear();
            }
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

/// How many steps of one object are told one by one: a group that many people leave takes one for each.
const TOLD: usize = 3;

/// Steps of one object that ended alike, by address and verb.
#[derive(Debug, Default)]
struct Alike(Mutex<BTreeMap<(String, String), usize>>);

impl Alike {
    /// Whether enough like it were told.
    fn holds_back(&self, address: &str, verb: &str) -> bool {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let ended = all.entry((address.to_owned(), verb.to_owned())).or_default();
        *ended += 1;
        *ended > TOLD
    }

    /// How many were held back.
    fn take(&self) -> Vec<((String, String), usize)> {
        let all = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        all.into_iter()
            .filter(|(_, ended)| *ended > TOLD)
            .map(|(key, ended)| (key, ended - TOLD))
            .collect()
    }
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
