//! The loop: what is ready is begun, what ends sets others free.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use super::error::ApplyError;
use super::event::{Event, StepResult};
use super::find::{Lost, find_out};
use super::perform::{Answer, patiently};
use super::remember;
use super::request::{self, Ready};
use super::run::{Applied, Executor};
use crate::graph::GraphError;
use crate::model::Address;
use crate::model::state::Document;
use crate::plan::{Act, Plan, Step, StepId};
use crate::state::journal::{Begin, End, Journal, Operation, Outcome};

/// How many rationed requests may be under way at once: the service takes one a second, so more
/// would only wait in line, and a crash would leave more that nobody knows about.
const RATIONED_AT_ONCE: usize = 2;

type Finished<'a> = (&'a Step, Result<Answer, GraphError>);

/// A plan being carried out.
pub(super) struct Walk<'a> {
    executor: &'a Executor<'a>,
    plan: &'a Plan,
    document: Document,
    journal: Journal,
    applied: Applied,
    ids: BTreeMap<Address, String>,
    begun: BTreeMap<StepId, Begun>,
    /// Steps whose lost answer was looked for.
    searched: BTreeSet<StepId>,
}

/// What is known of a step once its request is under way.
struct Begun {
    verb: &'static str,
    begin: Begin,
}

fn is_unknown(result: Option<&StepResult>) -> bool {
    matches!(result, Some(StepResult::Unknown { .. }))
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
            document,
            journal,
            applied,
            ids,
            begun: BTreeMap::new(),
            searched: BTreeSet::new(),
        }
    }

    pub(super) fn into_parts(self) -> (Document, Journal, Applied) {
        (self.document, self.journal, self.applied)
    }

    /// Carries the plan out as far as it goes. Errors when the journal can't be written: then nothing more may leave.
    pub(super) async fn run(&mut self) -> Result<(), ApplyError> {
        let mut under_way: FuturesUnordered<BoxFuture<'a, Finished<'a>>> = FuturesUnordered::new();
        loop {
            self.applied.interrupted |= self.executor.stop.load(Ordering::SeqCst);
            self.skip_what_cannot_be_done();
            while under_way.len() < self.executor.options.parallelism.max(1)
                && let Some(step) = self.next()
            {
                if let Some(ready) = self.begin(step)? {
                    let executor = self.executor;
                    let fresh = self.fresh(step);
                    under_way.push(Box::pin(async move {
                        (step, patiently(executor, step, &ready, &fresh).await)
                    }));
                }
            }
            match under_way.next().await {
                Some((step, outcome)) => self.end(step, outcome)?,
                None if self.find_lost().await? => {}
                None if self.nothing_left() => return Ok(()),
                None => {}
            }
        }
    }

    /// The first step that may begin now.
    fn next(&self) -> Option<&'a Step> {
        if self.is_over() {
            return None;
        }
        let rationed = self.executor.graph.is_paced()
            && self
                .plan
                .steps
                .iter()
                .filter(|step| step.act.is_rationed() && self.is_under_way(step.id))
                .count()
                >= RATIONED_AT_ONCE;
        self.plan
            .steps
            .iter()
            .find(|step| self.may_begin(step) && !(rationed && step.act.is_rationed()))
    }

    fn may_begin(&self, step: &Step) -> bool {
        !self.applied.results.contains_key(&step.id)
            && !self.begun.contains_key(&step.id)
            && step.after.iter().all(|id| self.is_done(*id))
    }

    fn is_under_way(&self, id: StepId) -> bool {
        self.begun.contains_key(&id) && !self.applied.results.contains_key(&id)
    }

    fn is_over(&self) -> bool {
        let failed = || {
            self.applied
                .results
                .values()
                .any(|result| !matches!(result, StepResult::Done { .. }))
        };
        self.applied.interrupted || (self.executor.options.fail_fast && failed())
    }

    fn is_done(&self, id: StepId) -> bool {
        matches!(self.applied.results.get(&id), Some(StepResult::Done { .. }))
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
        for step in &self.plan.steps {
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

    fn result(&mut self, step: &Step, verb: &'static str, result: StepResult) {
        self.executor.events.happened(&Event::StepEnded {
            step: step.id,
            address: step.address.clone(),
            verb,
            result: result.clone(),
        });
        self.applied.results.insert(step.id, result);
    }

    /// Writes down that a step begins; none when an id that it needs is not known.
    fn begin(&mut self, step: &Step) -> Result<Option<Ready>, ApplyError> {
        let audience = self.executor.graph.endpoints().audience();
        let Some(ready) = request::ready(&step.act, &self.ids, audience) else {
            let error = "an id that it needs is not known".into();
            self.result(step, "step", StepResult::Failed { error });
            return Ok(None);
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
        self.journal.begin(begin.clone())?;
        let verb = ready.verb;
        self.begun.insert(step.id, Begun { verb, begin });
        self.executor.events.happened(&Event::StepStarted {
            step: step.id,
            address: step.address.clone(),
            verb,
        });
        Ok(Some(ready))
    }

    /// The object as the plan saw it.
    fn before(&self, address: &Address) -> Option<serde_json::Value> {
        let change = self.plan.change(address)?;
        let id = change.id.as_ref()?;
        self.executor
            .live
            .of_block(change.kind.block(), id)
            .map(|live| live.json.clone())
    }

    fn end(&mut self, step: &Step, outcome: Result<Answer, GraphError>) -> Result<(), ApplyError> {
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
        self.settle(step, outcome)
    }

    /// Writes down what became of a step, takes it into the document, and tells.
    fn settle(&mut self, step: &Step, outcome: Outcome) -> Result<(), ApplyError> {
        self.journal.end(End {
            step: step.id.0.to_string(),
            outcome: outcome.clone(),
            at: self.executor.options.clock.now(),
        })?;
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
                    if let (Operation::Create | Operation::Restore, Some(id)) = (begin.operation, &id) {
                        self.ids.insert(step.address.clone(), id.clone());
                    }
                }
                StepResult::Done { id }
            }
            Outcome::Failed { error } => StepResult::Failed { error },
            Outcome::Unknown { error } => StepResult::Unknown { error },
        };
        self.result(step, verb, result);
        Ok(())
    }

    /// Looks for what became of lost answers, for as long as patience lasts; whether there were any.
    ///
    /// What stays unknown stays open in the journal, and the next run takes it up.
    async fn find_lost(&mut self) -> Result<bool, ApplyError> {
        let lost: Vec<&Step> = self
            .plan
            .steps
            .iter()
            .filter(|step| is_unknown(self.applied.results.get(&step.id)))
            .filter(|step| self.searched.insert(step.id))
            .collect();
        let patience = self.executor.options.patience;
        for attempt in 1..=patience.attempts {
            let left: Vec<&Step> = lost
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
        Ok(!lost.is_empty())
    }

    async fn find(&mut self, step: &Step) -> Result<(), ApplyError> {
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
