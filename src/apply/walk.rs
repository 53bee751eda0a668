//! The loop: what is ready is begun, what ends sets others free.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};

mod lost;

use super::error::ApplyError;
use super::event::{Event, StepResult};
use super::perform::{Answer, Tried, patiently};
use super::reading::{Obstacle, Reading, Readings};
use super::remember;
use super::request::{self, Ready};
use super::run::{Applied, Executor};
use super::schedule::Schedule;
use crate::graph::{Collection, GraphError};
use crate::model::Address;
use crate::model::live::LiveIndex;
use crate::model::state::Document;
use crate::plan::{Act, Plan, Step, StepId};
use crate::state::journal::{Begin, End, Journal, Operation, Outcome, Record};

/// How many rationed requests may be under way at once: the service takes one a second, so more
/// would only wait in line, and a crash would leave more that nobody knows about.
const RATIONED_AT_ONCE: usize = 2;

const MOVED: &str = "somebody changed it since the plan was made; nothing was written to it";
const GONE: &str = "somebody deleted it since the plan was made";
const TAKEN: &str =
    "somebody else made an object with its id since the plan was made; nothing was written to it";

/// What was under way and is over.
enum Finished<'a> {
    Step(&'a Step, Tried, Result<Answer, GraphError>),
    Read(Collection, Result<Reading, GraphError>),
}

/// A plan being carried out.
pub(super) struct Walk<'a> {
    executor: &'a Executor<'a>,
    plan: &'a Plan,
    live: LiveIndex<'a>,
    document: Document,
    journal: Journal,
    applied: Applied,
    ids: BTreeMap<Address, String>,
    schedule: Schedule,
    begun: BTreeMap<StepId, Begun>,
    /// How many steps ended otherwise than done, as far as is known.
    not_done: usize,
    /// Steps that ended, and are not told yet.
    untold: Vec<(&'a Step, &'static str, StepResult)>,
    /// Steps whose lost answer was looked for.
    searched: BTreeSet<StepId>,
    /// Steps that were not carried out at first, and begin once more.
    retried: BTreeSet<StepId>,
    /// What the tries of steps came to that begin again because they were late.
    tried: BTreeMap<StepId, Tried>,
    readings: Readings,
    /// Steps that begin when a collection was read again.
    parked: BTreeMap<Collection, Vec<&'a Step>>,
}

/// What is known of a step once its request is under way.
struct Begun {
    verb: &'static str,
    begin: Box<Begin>,
}

fn is_unknown(result: Option<&StepResult>) -> bool {
    matches!(result, Some(StepResult::Unknown { .. }))
}

fn is_done(result: &StepResult) -> bool {
    matches!(result, StepResult::Done { .. })
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        executor: &'a Executor<'a>,
        plan: &'a Plan,
        document: Document,
        journal: Journal,
        applied: Applied,
    ) -> Self {
        let ids = document
            .resources
            .iter()
            .filter_map(|(address, resource)| Some((address.parse().ok()?, resource.id.clone())))
            .collect();
        Self {
            executor,
            plan,
            live: LiveIndex::of(executor.live),
            document,
            journal,
            ids,
            schedule: Schedule::new(plan, &applied.results),
            begun: BTreeMap::new(),
            not_done: applied.count(|result| !is_done(result)),
            untold: Vec::new(),
            searched: BTreeSet::new(),
            retried: BTreeSet::new(),
            tried: BTreeMap::new(),
            readings: Readings::new(executor.read_at),
            parked: BTreeMap::new(),
            applied,
        }
    }

    /// What is left when it is over; a request that was under way when the journal failed is one that nobody knows of.
    pub(super) fn into_parts(mut self) -> (Document, Journal, Applied) {
        for step in self.begun.keys() {
            let unknown = || StepResult::Unknown {
                error: "the apply ended before its answer came".to_owned(),
            };
            self.applied.results.entry(*step).or_insert_with(unknown);
        }
        (self.document, self.journal, self.applied)
    }

    /// Carries the plan out as far as it goes. Errors when the journal can't be written: then nothing more may leave.
    ///
    /// What came back together and what begins now is written down with one wait for the disk.
    pub(super) async fn run(&mut self) -> Result<(), ApplyError> {
        let mut under_way: FuturesUnordered<LocalBoxFuture<'a, Finished<'a>>> = FuturesUnordered::new();
        let mut records = Vec::new();
        loop {
            self.applied.interrupted |= self.executor.stop.load(Ordering::SeqCst);
            self.skip_what_cannot_be_done();
            let mut beginning = Vec::new();
            while under_way.len() + beginning.len() < self.executor.options.parallelism.max(1)
                && let Some(step) = self.next()
            {
                let of = match self.readings.obstacle(self.executor, &self.live, step) {
                    None => None,
                    Some(Obstacle::Reading(of)) => Some((of, None)),
                    Some(Obstacle::Unread(of)) => Some((of, Some(self.read(of)))),
                    Some(Obstacle::Moved) => {
                        self.refuse(step, MOVED);
                        continue;
                    }
                    Some(Obstacle::Gone) => {
                        self.refuse(step, GONE);
                        continue;
                    }
                    Some(Obstacle::Taken) if self.retried.contains(&step.id) => {
                        self.adopt(step)?;
                        continue;
                    }
                    Some(Obstacle::Taken) => {
                        self.refuse(step, TAKEN);
                        continue;
                    }
                };
                if let Some((of, reading)) = of {
                    self.schedule.forget(step.id);
                    self.parked.entry(of).or_default().push(step);
                    under_way.extend(reading);
                } else if let Some((ready, begin)) = self.begin(step) {
                    records.push(Record::Begin(begin));
                    beginning.push((step, ready));
                } else {
                    self.skip_what_cannot_be_done();
                }
            }
            if !records.is_empty() {
                self.journal.append(&records)?;
            }
            self.tell();
            let mut begins = records.drain(..).filter_map(|record| match record {
                Record::Begin(begin) => Some(begin),
                _ => None,
            });
            for (step, ready) in beginning {
                let verb = ready.verb;
                if let Some(begin) = begins.next() {
                    self.begun.insert(step.id, Begun { verb, begin });
                }
                self.started(step, verb);
                let executor = self.executor;
                let fresh = self.fresh(step);
                let not_after = self.readings.not_after(executor, step);
                let mut tried = self.tried.remove(&step.id).unwrap_or_default();
                self.readings.touch(step);
                under_way.push(Box::pin(async move {
                    let outcome = patiently(executor, step, &ready, &fresh, not_after, &mut tried).await;
                    Finished::Step(step, tried, outcome)
                }));
            }
            drop(begins);
            let mut came_back = under_way.next().await;
            if came_back.is_none() && !self.find_lost().await? && self.nothing_left() {
                self.tell();
                return Ok(());
            }
            while let Some(finished) = came_back {
                match finished {
                    Finished::Step(step, tried, outcome) => records.push(self.end(step, tried, outcome)),
                    Finished::Read(of, reading) => self.take_reading(of, reading),
                }
                came_back = under_way.next().now_or_never().flatten();
            }
        }
    }

    /// The first step that may begin now.
    fn next(&self) -> Option<&'a Step> {
        if self.is_over() {
            return None;
        }
        let most = if self.executor.graph.is_paced() {
            RATIONED_AT_ONCE
        } else {
            usize::MAX
        };
        self.plan.steps.get(self.schedule.next(most)?)
    }

    /// Reads a collection again, for the steps that are still to come.
    fn read(&mut self, of: Collection) -> LocalBoxFuture<'a, Finished<'a>> {
        let plan = self.plan;
        let results = &self.applied.results;
        let coming = plan.steps.iter().filter(|step| !results.contains_key(&step.id));
        let reading = self.readings.read(self.executor, of, coming);
        Box::pin(async move {
            let (of, reading) = reading.await;
            Finished::Read(of, reading)
        })
    }

    /// Takes a reading; one that failed refuses the steps that wait for it.
    fn take_reading(&mut self, of: Collection, reading: Result<Reading, GraphError>) {
        let waiting = self.parked.remove(&of).unwrap_or_default();
        match reading {
            Ok(reading) => {
                self.readings.take(of, reading);
                for step in waiting {
                    self.schedule.again(step.id);
                }
            }
            Err(error) => {
                self.readings.give_up(of);
                let because = format!("it could not be read again before it is written: {error}");
                for step in waiting {
                    self.refuse(step, &because);
                }
            }
        }
    }

    /// Ends a step that is not begun.
    fn refuse(&mut self, step: &'a Step, because: &str) {
        let error = because.to_owned();
        self.result(step, "step", StepResult::Failed { error });
        self.skip_what_cannot_be_done();
    }

    fn is_over(&self) -> bool {
        self.applied.interrupted || (self.executor.options.fail_fast && self.not_done > 0)
    }

    /// Nothing is under way, and whatever is left can't begin any more.
    fn nothing_left(&mut self) -> bool {
        if self.next().is_some() {
            return false;
        }
        let because = if self.is_over() {
            "the apply was stopped before it"
        } else {
            "a step that it needs was not done"
        };
        for step in &self.plan.steps {
            if !self.applied.results.contains_key(&step.id) {
                self.result(
                    step,
                    "step",
                    StepResult::Skipped {
                        because: because.into(),
                    },
                );
            }
        }
        true
    }

    fn skip_what_cannot_be_done(&mut self) {
        while let Some(place) = self.schedule.take_doomed() {
            let Some(step) = self.plan.steps.get(place) else {
                continue;
            };
            if self.applied.results.contains_key(&step.id) {
                continue;
            }
            let undone = step
                .after
                .iter()
                .find_map(|id| match self.applied.results.get(id) {
                    None | Some(StepResult::Done { .. }) => None,
                    Some(StepResult::Unknown { .. }) if !self.searched.contains(id) => None,
                    Some(_) => self.plan.step(*id).map(|needed| needed.address.to_string()),
                });
            if let Some(needed) = undone {
                self.result(
                    step,
                    "step",
                    StepResult::Skipped {
                        because: format!("`{needed}` was not done"),
                    },
                );
            }
        }
    }

    /// The ids of what it waited for and the service may not show yet.
    fn fresh(&self, step: &Step) -> Vec<String> {
        let made = step.after.iter().filter_map(|id| {
            let needed = self.plan.step(*id)?;
            matches!(needed.act, Act::Create { .. } | Act::Restore { .. }).then_some(&needed.address)
        });
        made.chain(step.act.waits_for())
            .filter_map(|address| self.ids.get(address).cloned())
            .collect()
    }

    /// Takes down how a step ended; [`Walk::tell`] tells it.
    fn result(&mut self, step: &'a Step, verb: &'static str, result: StepResult) {
        match &result {
            // Whether it was done is found out first.
            StepResult::Unknown { .. } if !self.searched.contains(&step.id) => {
                self.schedule.came_back(step.id);
            }
            _ => self.schedule.ended(step.id, is_done(&result)),
        }
        self.not_done += usize::from(!is_done(&result));
        self.untold.push((step, verb, result.clone()));
        let before = self.applied.results.insert(step.id, result);
        self.not_done -= usize::from(before.is_some_and(|before| !is_done(&before)));
    }

    /// Tells what ended since the last time; it is durable by now.
    fn tell(&mut self) {
        for (step, verb, result) in self.untold.drain(..) {
            self.executor.events.happened(&Event::StepEnded {
                step: step.id,
                address: step.address.clone(),
                verb,
                result,
            });
        }
    }

    fn started(&self, step: &Step, verb: &'static str) {
        self.executor.events.happened(&Event::StepStarted {
            step: step.id,
            address: step.address.clone(),
            verb,
        });
    }

    /// What to write down before a step begins; none when an id that it needs is not known.
    fn begin(&mut self, step: &'a Step) -> Option<(Ready, Box<Begin>)> {
        let audience = self.executor.graph.endpoints().audience();
        let Some(ready) = request::ready(&step.act, &self.ids, audience) else {
            let error = "an id that it needs is not known".into();
            self.result(step, "step", StepResult::Failed { error });
            return None;
        };
        let (address, effect) = remember::effect(self.plan, step, &ready, &self.ids, &self.document);
        let before = match ready.operation {
            Operation::Create | Operation::Restore => None,
            _ => self.before(&step.address),
        };
        let begin = Begin {
            step: step.id.0.to_string(),
            address,
            operation: ready.operation,
            method: ready.method.to_owned(),
            path: ready.path.clone(),
            api_version: ready.api_version,
            body: ready.body.clone(),
            before,
            effect,
            at: self.executor.options.clock.now(),
        };
        self.schedule.begun(step.id);
        Some((ready, Box::new(begin)))
    }

    /// The object as the plan saw it.
    fn before(&self, address: &Address) -> Option<serde_json::Value> {
        let change = self.plan.change(address)?;
        let id = change.id.as_ref()?;
        self.live
            .of_block(change.kind.block(), id)
            .map(|live| live.json.value())
    }

    /// What to write down of a step that came back, which is taken into the document.
    fn end(&mut self, step: &'a Step, mut tried: Tried, outcome: Result<Answer, GraphError>) -> Record {
        let outcome = match outcome {
            Err(late @ GraphError::TooLate { .. }) => {
                self.readings.untouch(step);
                let error = late.to_string();
                match tried.is_late_again(late, self.executor.options.patience.attempts) {
                    Some(enough) => Err(enough),
                    None => return self.again(step, tried, error),
                }
            }
            outcome => outcome,
        };
        let outcome = match outcome {
            Ok(answer) => Outcome::Done {
                id: answer.id,
                answered: answer.body,
            },
            Err(error) if error.is_unknown() => Outcome::Unknown {
                error: error.to_string(),
            },
            Err(error) => Outcome::Failed {
                error: error.to_string(),
            },
        };
        self.take_in(step, &outcome);
        Record::End(Box::new(End {
            step: step.id.0.to_string(),
            outcome,
            at: self.executor.options.clock.now(),
        }))
    }

    /// A step that did not leave begins again when its object was read again.
    fn again(&mut self, step: &'a Step, tried: Tried, error: String) -> Record {
        self.begun.remove(&step.id);
        self.tried.insert(step.id, tried);
        self.schedule.came_back(step.id);
        self.schedule.again(step.id);
        Record::End(Box::new(End {
            step: step.id.0.to_string(),
            outcome: Outcome::Failed { error },
            at: self.executor.options.clock.now(),
        }))
    }

    /// Writes down what became of a step, takes it into the document, and tells.
    fn settle(&mut self, step: &'a Step, outcome: Outcome) -> Result<(), ApplyError> {
        self.journal.end(End {
            step: step.id.0.to_string(),
            outcome: outcome.clone(),
            at: self.executor.options.clock.now(),
        })?;
        self.take_in(step, &outcome);
        self.tell();
        Ok(())
    }

    fn take_in(&mut self, step: &'a Step, outcome: &Outcome) {
        let begun = self.begun.get(&step.id);
        let verb = begun.map_or("step", |begun| begun.verb);
        let result = match outcome {
            Outcome::Done { id, answered } => {
                if let Some(Begun { begin, .. }) = begun {
                    begin.effect.settle(
                        &begin.address,
                        id.as_deref(),
                        answered.as_ref(),
                        &mut self.document,
                    );
                    if let (Operation::Create | Operation::Restore, Some(id)) = (begin.operation, id) {
                        self.ids.insert(step.address.clone(), id.clone());
                    }
                }
                StepResult::Done { id: id.clone() }
            }
            Outcome::Failed { error } => StepResult::Failed { error: error.clone() },
            Outcome::Unknown { error } => StepResult::Unknown { error: error.clone() },
        };
        if !is_unknown(Some(&result)) {
            self.begun.remove(&step.id);
        }
        self.result(step, verb, result);
    }
}
