//! What happens, for machines: JSON Lines as `terraform apply -json` writes them.

use std::io::{self, ErrorKind, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use miette::Severity;
use serde_json::{Map, Value as Json, json};

use crate::apply::{Event, Events, StepResult};
use crate::graph::{GraphEvent, Observer};
use crate::model::Address;
use crate::plan::{Action, Plan, ResourceChange};

use super::super::diagnostics::{Finding, finding_json};
use super::super::words;
use super::{Begun, forms};

/// The version of the form of the stream.
const UI_VERSION: &str = "1.0";

/// A stream of events, one JSON object a line: `@level`, `@message`, `@module`, `@timestamp`, `type`.
pub struct EventStream {
    to: Mutex<Writing>,
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    begun: Begun,
    done: Mutex<Done>,
}

struct Writing {
    to: Option<Box<dyn Write + Send>>,
    error: Option<io::Error>,
}

/// Steps that are done, as `change_summary` counts them.
#[derive(Debug, Default, Clone, Copy)]
struct Done {
    add: usize,
    change: usize,
    remove: usize,
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStream").finish_non_exhaustive()
    }
}

impl EventStream {
    /// A stream to here; the first line says the version.
    pub fn new(to: Box<dyn Write + Send>, clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        let stream = Self {
            to: Mutex::new(Writing {
                to: Some(to),
                error: None,
            }),
            clock: Box::new(clock),
            begun: Begun::default(),
            done: Mutex::default(),
        };
        let version = env!("CARGO_PKG_VERSION");
        stream.write(
            "info",
            &format!("capol {version}"),
            "version",
            json!({ "capol": version, "ui": UI_VERSION }),
        );
        stream
    }

    /// What a plan is going to do: a `planned_change` for each object and a `change_summary`.
    pub fn planned(&self, plan: &Plan) {
        for change in plan.changes.iter().filter(|change| change.is_change()) {
            let action = action_word(change);
            let mut members = json!({ "resource": resource(&change.address), "action": action });
            if let (Some(reason), Some(members)) = (&change.reason, members.as_object_mut()) {
                members.insert("reason".into(), json!(reason));
            }
            self.write(
                "info",
                &format!("{}: plan to {action}", change.address),
                "planned_change",
                json!({ "change": members }),
            );
        }
        let verdict = &plan.verdict;
        self.write(
            "info",
            &verdict.sentence(),
            "change_summary",
            json!({ "changes": {
                "add": verdict.create, "change": verdict.update, "import": verdict.import,
                "remove": verdict.delete, "operation": "plan",
            }}),
        );
    }

    /// Something that is wrong.
    pub fn diagnostic(&self, finding: &Finding) {
        let (level, word) = match finding.severity {
            Severity::Error => ("error", "error"),
            Severity::Warning | Severity::Advice => ("warn", "warning"),
        };
        self.write(
            level,
            &format!("{word}: {}", finding.message),
            "diagnostic",
            json!({ "diagnostic": finding_json(finding) }),
        );
    }

    /// The outputs as they are now: name, value, whether it is withheld.
    pub fn outputs<'a>(&self, outputs: impl Iterator<Item = (&'a str, &'a Json, bool)>) {
        let outputs: Map<String, Json> = outputs
            .map(|(name, value, sensitive)| {
                let mut members = json!({ "sensitive": sensitive });
                if let (false, Some(members)) = (sensitive, members.as_object_mut()) {
                    members.insert("value".into(), value.clone());
                }
                (name.to_owned(), members)
            })
            .collect();
        let message = format!("Outputs: {}", outputs.len());
        self.write("info", &message, "outputs", json!({ "outputs": outputs }));
    }

    /// Errors with the first line that could not be written. A reader that went away is none.
    pub fn finish(&self) -> io::Result<()> {
        let mut writing = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        match writing.error.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn write(&self, level: &str, message: &str, kind: &str, members: Json) {
        let mut line = Map::new();
        line.insert("@level".into(), level.into());
        line.insert("@message".into(), message.into());
        line.insert("@module".into(), "capol.ui".into());
        line.insert("@timestamp".into(), (self.clock)().to_string().into());
        line.insert("type".into(), kind.into());
        if let Json::Object(members) = members {
            line.extend(members);
        }
        let mut text = Json::Object(line).to_string();
        text.push('\n');
        let mut writing = self.to.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(to) = writing.to.as_mut() else { return };
        if let Err(error) = to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
            writing.to = None;
            if error.kind() != ErrorKind::BrokenPipe {
                writing.error = Some(error);
            }
        }
    }

    fn count(&self, verb: &str, result: &StepResult) {
        if !matches!(result, StepResult::Done { .. }) {
            return;
        }
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        match verb {
            "create" => done.add += 1,
            "update" => done.change += 1,
            "delete" => done.remove += 1,
            _ => {}
        }
    }
}

impl Events for EventStream {
    fn happened(&self, event: &Event) {
        match event {
            Event::Started { apply, steps } => self.write(
                "info",
                &format!("applying {}", words::count(*steps, "step")),
                "apply_begin",
                json!({ "apply": apply, "steps": steps }),
            ),
            Event::StepStarted { step, address, verb } => {
                self.begun.start(*step);
                self.write(
                    "info",
                    &format!("{address}: {}", forms(verb).doing),
                    "apply_start",
                    json!({ "hook": hook(address, verb, None) }),
                );
            }
            Event::StepWaiting {
                step,
                address,
                because,
            } => {
                let mut hook = hook(address, "wait", self.begun.so_far(*step));
                hook.insert("because".into(), because.as_str().into());
                self.write(
                    "info",
                    &format!("{address}: waits: {because}"),
                    "apply_progress",
                    json!({ "hook": hook }),
                );
            }
            Event::StepEnded {
                step,
                address,
                verb,
                result,
            } => {
                self.count(verb, result);
                let mut hook = hook(address, verb, self.begun.end(*step));
                let done = forms(verb).done;
                let (level, kind, message) = match result {
                    StepResult::Done { id } => {
                        if let Some(id) = id {
                            hook.insert("id_key".into(), "id".into());
                            hook.insert("id_value".into(), id.as_str().into());
                        }
                        ("info", "apply_complete", format!("{address}: {done}"))
                    }
                    StepResult::Failed { error } => {
                        hook.insert("error".into(), error.as_str().into());
                        (
                            "error",
                            "apply_errored",
                            format!("{address}: not {done}: {error}"),
                        )
                    }
                    StepResult::Unknown { error } => {
                        hook.insert("error".into(), error.as_str().into());
                        hook.insert("unknown".into(), true.into());
                        (
                            "error",
                            "apply_errored",
                            format!("{address}: nobody knows whether it was {done}: {error}"),
                        )
                    }
                    StepResult::Skipped { because } => {
                        hook.insert("because".into(), because.as_str().into());
                        (
                            "warn",
                            "apply_skipped",
                            format!("{address}: not begun: {because}"),
                        )
                    }
                };
                self.write(level, &message, kind, json!({ "hook": hook }));
            }
            Event::ReadingBack => self.write(
                "info",
                "reading back what was written",
                "refresh_start",
                json!({}),
            ),
            Event::Ended {
                done,
                failed,
                unknown,
                skipped,
            } => {
                let counted = *self.done.lock().unwrap_or_else(PoisonError::into_inner);
                self.write(
                    "info",
                    &format!("{done} done, {failed} failed, {unknown} unknown, {skipped} not begun"),
                    "change_summary",
                    json!({ "changes": {
                        "add": counted.add, "change": counted.change, "import": 0, "remove": counted.remove,
                        "operation": "apply",
                    }, "steps": { "done": done, "failed": failed, "unknown": unknown, "skipped": skipped } }),
                );
            }
        }
    }
}

impl Observer for EventStream {
    fn observe(&self, event: &GraphEvent) {
        match event {
            GraphEvent::Throttled { wait, told, .. } => self.write(
                "info",
                &format!("slowing down for {}", words::took(*wait)),
                "log",
                json!({ "wait_seconds": wait.as_secs_f64(), "asked_by_graph": told }),
            ),
            GraphEvent::Retrying { call, wait, because } => self.write(
                "warn",
                &format!("{call}: sent again in {}: {because}", words::took(*wait)),
                "log",
                json!({ "wait_seconds": wait.as_secs_f64() }),
            ),
            _ => {}
        }
    }
}

/// Terraform's word for an action; `planned_change` knows no list of actions.
fn action_word(change: &ResourceChange) -> &'static str {
    match change.action {
        Action::Create => "create",
        Action::Update => "update",
        Action::Replace => "replace",
        Action::Delete => "delete",
        Action::NoOp if change.imported => "import",
        Action::NoOp if change.previous_address.is_some() => "move",
        Action::Forget => "remove",
        Action::NoOp | Action::Refresh => "noop",
    }
}

fn hook(address: &Address, verb: &str, elapsed: Option<Duration>) -> Map<String, Json> {
    let mut hook = Map::new();
    hook.insert("resource".into(), resource(address));
    hook.insert("action".into(), verb.into());
    if let Some(elapsed) = elapsed {
        hook.insert("elapsed_seconds".into(), elapsed.as_secs().into());
    }
    hook
}

/// An address in the parts that Terraform names.
fn resource(address: &Address) -> Json {
    let module: Vec<String> = address
        .module
        .iter()
        .map(|step| match &step.key {
            Some(key) => format!("module.{}[{}]", step.name, super::super::visible::quoted(key)),
            None => format!("module.{}", step.name),
        })
        .collect();
    json!({
        "addr": address.to_string(),
        "module": module.join("."),
        "resource": Address { module: Vec::new(), ..address.clone() }.to_string(),
        "resource_type": address.kind,
        "resource_name": address.name,
        "resource_key": address.key,
    })
}
