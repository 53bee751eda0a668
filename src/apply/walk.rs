//! The loop: what is ready is begun, what ends sets others free.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};

use super::error::ApplyError;
use super::event::{Event, StepResult};
use super::find::{Lost, find_out};
use super::perform::{Answer, patiently};
use super::remember;
use super::request::{self, Ready};
use super::run::{Applied, Executor};
use super::schedule::Schedule;
use crate::graph::GraphError;
use crate::model::Address;
use crate::model::live::LiveIndex;
use crate::model::state::Document;
use crate::plan::{Act, Plan, Step, StepId};
use crate::state::journal::{Begin, End, Journal, Operation, Outcome, Record};

/// How many rationed requests may be under way at once: the service takes one a second, so more
/// would only wait in line, and a crash would leave more that nobody knows about.
const RATIONED_AT_ONCE: usize = 2;

type Finished<'a> = (&'a Step, Result<Answer, GraphError>);

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
            applied,
        }
    }

    pub(super) fn into_parts(self) -> (Document, Journal, Applied) {
        (self.document, self.journal, self.applied)
    }

    /// Carries the plan out as far as it goes. Errors when the journal can't be written: then nothing more may leave.
    ///
    /// What came back together and what begins now is written down with one wait for the disk.
    pub(super) async fn run(&mut self) -> Result<(), ApplyError> {
        let mut under_way: FuturesUnordered<BoxFuture<'a, Finished<'a>>> = FuturesUnordered::new();
        let mut records = Vec::new();
        loop {
            self.applied.interrupted |= self.executor.stop.load(Ordering::SeqCst);
            self.skip_what_cannot_be_done();
            let mut beginning = Vec::new();
            while under_way.len() + beginning.len() < self.executor.options.parallelism.max(1)
                && let Some(step) = self.next()
            {
                if let Some((ready, begin)) = self.begin(step) {
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
                under_way.push(Box::pin(async move {
                    (step, patiently(executor, step, &ready, &fresh).await)
                }));
            }
            drop(begins);
            let mut came_back = under_way.next().await;
            if came_back.is_none() && !self.find_lost().await? && self.nothing_left() {
                self.tell();
                return Ok(());
            }
            while let Some((step, outcome)) = came_back {
                records.push(self.end(step, outcome));
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
            .map(|live| live.json.clone())
    }

    /// What to write down of a step that came back, which is taken into the document.
    fn end(&mut self, step: &'a Step, outcome: Result<Answer, GraphError>) -> Record {
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

    /// Looks for what became of lost answers, for as long as patience lasts; whether there were any.
    ///
    /// What stays unknown stays open in the journal, and the next run takes it up.
    async fn find_lost(&mut self) -> Result<bool, ApplyError> {
        let lost: Vec<&'a Step> = self
            .plan
            .steps
            .iter()
            .filter(|step| is_unknown(self.applied.results.get(&step.id)))
            .filter(|step| self.searched.insert(step.id))
            .collect();
        let patience = self.executor.options.patience;
        for attempt in 1..=patience.attempts {
            let left: Vec<&'a Step> = lost
                .iter()
                .copied()
                .filter(|step| is_unknown(self.applied.results.get(&step.id)))
                .collect();
            if left.is_empty() || self.executor.stop.load(Ordering::SeqCst) {
                break;
            }
            super::pause(patience.wait(attempt), self.executor.stop).await;
            for step in left {
                self.find(step).await?;
            }
        }
        // What is still not known holds up what waits for it.
        for step in &lost {
            if is_unknown(self.applied.results.get(&step.id)) {
                self.schedule.ended(step.id, false);
            }
        }
        Ok(!lost.is_empty())
    }

    async fn find(&mut self, step: &'a Step) -> Result<(), ApplyError> {
        let Some(Begun { begin, .. }) = self.begun.get(&step.id) else {
            return Ok(());
        };
        let twins = self
            .begun
            .iter()
            .filter(|(id, _)| is_unknown(self.applied.results.get(id)))
            .filter(|(_, other)| other.begin.path == begin.path && other.begin.body == begin.body)
            .count();
        let lost = Lost {
            begin,
            not_ours: self.journal.not_ours(&begin.path),
            twins,
        };
        match find_out(self.executor.graph, self.executor.options, &lost).await {
            Ok(outcome) => self.settle(step, outcome),
            // Not to be seen yet, not to be told apart, or the tenant can't be read: it stays open.
            Err(_) => Ok(()),
        }
    }
}
