//! The loop: what is ready is begun, what ends sets others free.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use super::error::ApplyError;
use super::event::{Event, Events, StepResult};
use super::perform::{self, Answer, Call, Ready};
use super::read_back::{self, Mismatch};
use super::remember;
use super::{ApplyOptions, recover};
use crate::graph::{Graph, GraphError};
use crate::model::Address;
use crate::model::live::LiveTenant;
use crate::model::state::{Document, Version};
use crate::plan::{Plan, Step, StepId};
use crate::state::history::Change;
use crate::state::journal::{ApplyBegin, Begin, End, Journal, Open, Operation, Outcome, Seen};
use crate::state::{Guard, LocalFile, StateStore as _};

/// What an apply works with.
pub struct Executor<'a> {
    /// The tenant.
    pub graph: &'a Graph,
    /// The tenant as the plan saw it.
    pub live: &'a LiveTenant,
    /// Where state and journal are.
    pub store: &'a LocalFile,
    /// The lock.
    pub guard: &'a Guard,
    /// Who is told.
    pub events: &'a dyn Events,
    /// Set by Ctrl-C: finish what is under way, begin nothing more.
    pub stop: &'a AtomicBool,
    /// How to apply.
    pub options: &'a ApplyOptions,
}

/// What an apply came to.
#[derive(Debug, Default)]
pub struct Applied {
    /// How each step ended, in the order of the plan.
    pub results: BTreeMap<StepId, StepResult>,
    /// Where the tenant differs from what was written.
    pub mismatches: Vec<Mismatch>,
    /// Whether it was stopped from outside.
    pub interrupted: bool,
    /// Why the journal, the state or the reading back failed, if one did after writes were made.
    pub failure: Option<ApplyError>,
}

impl Applied {
    /// Whether everything was done and landed.
    pub fn is_complete(&self) -> bool {
        self.failure.is_none()
            && !self.interrupted
            && self
                .results
                .values()
                .all(|result| matches!(result, StepResult::Done { .. }))
    }

    /// How many steps ended this way.
    pub fn count(&self, of: impl Fn(&StepResult) -> bool) -> usize {
        self.results.values().filter(|result| of(result)).count()
    }
}

/// Applies a plan, starting from this document (and the version of it that is stored).
///
/// The caller holds the lock, has taken up an interrupted apply ([`recover`]) and has made sure that
/// the plan is not stale. Errors before the first write are returned; later ones are in
/// [`Applied::failure`], because what was done must be told all the same.
pub async fn apply(
    executor: &Executor<'_>,
    plan: &Plan,
    mut document: Document,
    mut version: Option<Version>,
) -> Result<Applied, ApplyError> {
    let options = executor.options;
    executor.events.happened(&Event::Started {
        apply: options.apply_id.clone(),
        steps: plan.steps.len(),
    });
    let mut applied = Applied::default();

    // What needs no request goes first and is saved first, so that no journal record tells of an
    // address that state does not know yet.
    remember::without_requests(plan, executor.live, &mut document, &mut applied.results);
    if !applied.results.is_empty() {
        version = Some(save(executor, &document, version.as_ref()).await?);
    }
    if plan
        .steps
        .iter()
        .any(|step| !applied.results.contains_key(&step.id))
    {
        let journal = begin_journal(executor, plan, version.as_ref())?;
        let mut walk = Walk {
            executor,
            plan,
            document,
            journal,
            applied,
            ids: BTreeMap::new(),
            begun: BTreeMap::new(),
            searched: BTreeSet::new(),
        };
        walk.ids = walk.known_ids();
        let walked = walk.run().await;
        let Walk {
            document: after,
            journal,
            applied: done,
            ..
        } = walk;
        (document, applied) = (after, done);
        if let Err(error) = walked {
            applied.failure = Some(error);
            return Ok(ended(executor, applied));
        }
        let settled = settle(
            executor,
            plan,
            &mut document,
            version.as_ref(),
            journal,
            &mut applied,
        )
        .await;
        if let Err(error) = settled {
            applied.failure = Some(error);
        }
    } else if !plan.outputs.is_empty() {
        remember::outputs(plan, &mut document);
        save(executor, &document, version.as_ref()).await?;
    }
    Ok(ended(executor, applied))
}

fn ended(executor: &Executor<'_>, applied: Applied) -> Applied {
    executor.events.happened(&Event::Ended {
        done: applied.count(|result| matches!(result, StepResult::Done { .. })),
        failed: applied.count(|result| matches!(result, StepResult::Failed { .. })),
        unknown: applied.count(|result| matches!(result, StepResult::Unknown { .. })),
        skipped: applied.count(|result| matches!(result, StepResult::Skipped { .. })),
    });
    applied
}

async fn save(
    executor: &Executor<'_>,
    document: &Document,
    version: Option<&Version>,
) -> Result<Version, ApplyError> {
    let change = Change {
        at: (executor.options.clock)(),
        who: executor.options.who.clone(),
        operation: executor.options.command.clone(),
        new_lineage: false,
    };
    Ok(executor
        .store
        .swap(executor.guard, version, document, &change)
        .await?
        .version)
}

fn begin_journal(
    executor: &Executor<'_>,
    plan: &Plan,
    version: Option<&Version>,
) -> Result<Journal, ApplyError> {
    // Before anything can be lost: which ids are there, so that a lost create can be told from an old object.
    let mut seen = Vec::new();
    for collection in recover::collections_of(plan) {
        seen.push(Seen {
            path: collection.path().to_owned(),
            ids: recover::ids_in(executor.live, collection),
        });
    }
    let mut journal = Journal::start(
        executor.store,
        ApplyBegin {
            apply: executor.options.apply_id.clone(),
            command: executor.options.command.clone(),
            capol_version: crate::model::state::CAPOL_VERSION.to_owned(),
            plan_digest: plan.configuration_digest.clone(),
            lineage: version.map_or_else(|| plan.lineage.unwrap_or_default(), |version| version.lineage),
            serial: version.map_or(0, |version| version.serial),
            tenant_id: plan.tenant_id.clone(),
            at: (executor.options.clock)(),
            who: executor.options.who.clone(),
        },
    )?;
    for seen in seen {
        journal.seen(seen)?;
    }
    Ok(journal)
}

/// Reads back what landed, saves state, closes the journal unless something is still unknown.
async fn settle(
    executor: &Executor<'_>,
    plan: &Plan,
    document: &mut Document,
    version: Option<&Version>,
    mut journal: Journal,
    applied: &mut Applied,
) -> Result<(), ApplyError> {
    executor.events.happened(&Event::ReadingBack);
    let read = read_back::read_back(executor, plan, document, applied).await;
    if applied.is_complete() {
        remember::outputs(plan, document);
    }
    let version = save(executor, document, version).await?;
    journal.state_saved(&version)?;
    let unknown = applied.count(|result| matches!(result, StepResult::Unknown { .. }));
    if unknown == 0 {
        journal.finish((executor.options.clock)())?;
    }
    applied.mismatches = read?;
    Ok(())
}

type Finished<'a> = (&'a Step, Result<Answer, GraphError>);

struct Walk<'a> {
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

/// What is known of a step while its request is under way.
struct Begun {
    verb: &'static str,
    begin: Begin,
}

impl<'a> Walk<'a> {
    fn known_ids(&self) -> BTreeMap<Address, String> {
        self.document
            .resources
            .iter()
            .filter_map(|(address, resource)| Some((address.parse().ok()?, resource.id.clone())))
            .collect()
    }

    async fn run(&mut self) -> Result<(), ApplyError> {
        let mut under_way: FuturesUnordered<BoxFuture<'a, Finished<'a>>> = FuturesUnordered::new();
        loop {
            self.applied.interrupted |= self.executor.stop.load(Ordering::SeqCst);
            self.skip_what_cannot_be_done();
            for step in &self.plan.steps {
                if under_way.len() >= self.executor.options.parallelism.max(1) || self.is_over() {
                    break;
                }
                let settled =
                    self.applied.results.contains_key(&step.id) || self.begun.contains_key(&step.id);
                if settled || !step.after.iter().all(|id| self.is_done(*id)) {
                    continue;
                }
                let Some(ready) = perform::ready(&step.act, &self.ids) else {
                    self.result(
                        step,
                        "step",
                        StepResult::Failed {
                            error: "an id that it needs is not known".into(),
                        },
                    );
                    continue;
                };
                self.begin(step, &ready)?;
                let executor = self.executor;
                let fresh = self.has_fresh_references(step);
                under_way.push(Box::pin(async move {
                    (step, patiently(executor, step, &ready, fresh).await)
                }));
            }
            match under_way.next().await {
                Some((step, outcome)) => self.end(step, outcome)?,
                None if self.find_lost().await? => {}
                None if self.nothing_left() => return Ok(()),
                None => {}
            }
        }
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
        let over = self.is_over();
        let left: Vec<&Step> = self
            .plan
            .steps
            .iter()
            .filter(|step| !self.applied.results.contains_key(&step.id) && !self.begun.contains_key(&step.id))
            .collect();
        if !over
            && left
                .iter()
                .any(|step| step.after.iter().all(|id| self.is_done(*id)))
        {
            return false;
        }
        for step in left {
            let because = if over {
                "the apply was stopped before it"
            } else {
                "a step that it needs was not done"
            };
            self.result(
                step,
                "step",
                StepResult::Skipped {
                    because: because.into(),
                },
            );
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

    fn has_fresh_references(&self, step: &Step) -> bool {
        step.after.iter().any(|id| {
            self.plan
                .step(*id)
                .is_some_and(|needed| matches!(needed.act, crate::plan::Act::Create { .. }))
        }) || !step.act.waits_for().is_empty()
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

    fn begin(&mut self, step: &Step, ready: &Ready) -> Result<(), ApplyError> {
        let address = step.address.to_string();
        let before = self.document.resources.get(&address).and_then(|resource| {
            let block = resource.kind.block();
            let live = self
                .executor
                .live
                .of_block(block, &resource.id)
                .map(|live| live.json.clone());
            live.or_else(|| resource.answered.as_ref().map(crate::model::state::Json::value))
        });
        let begin = Begin {
            step: step.id.0.to_string(),
            address,
            operation: ready.operation,
            method: ready.method.to_owned(),
            path: ready.path.clone(),
            api_version: ready.api_version,
            body: ready.body.clone(),
            before,
            effect: remember::effect(self.plan, step, ready, &self.ids, &self.document),
            at: (self.executor.options.clock)(),
        };
        self.journal.begin(begin.clone())?;
        self.begun.insert(
            step.id,
            Begun {
                verb: ready.verb,
                begin,
            },
        );
        self.executor.events.happened(&Event::StepStarted {
            step: step.id,
            address: step.address.clone(),
            verb: ready.verb,
        });
        Ok(())
    }

    fn end(&mut self, step: &Step, outcome: Result<Answer, GraphError>) -> Result<(), ApplyError> {
        let (outcome, result) = match outcome {
            Ok(answer) => (
                Outcome::Done {
                    id: answer.id.clone(),
                    answered: answer.body.clone(),
                },
                StepResult::Done { id: answer.id },
            ),
            Err(error) if error.is_unknown() => {
                let error = error.to_string();
                (
                    Outcome::Unknown { error: error.clone() },
                    StepResult::Unknown { error },
                )
            }
            Err(error) => {
                let error = error.to_string();
                (
                    Outcome::Failed { error: error.clone() },
                    StepResult::Failed { error },
                )
            }
        };
        self.settle(step, outcome)?;
        let verb = self.begun.get(&step.id).map_or("step", |begun| begun.verb);
        self.result(step, verb, result);
        Ok(())
    }

    /// Writes down what became of a step, then takes it into the document.
    fn settle(&mut self, step: &Step, outcome: Outcome) -> Result<(), ApplyError> {
        self.journal.end(End {
            step: step.id.0.to_string(),
            outcome: outcome.clone(),
            at: (self.executor.options.clock)(),
        })?;
        if let (Some(begun), Outcome::Done { id, answered }) = (self.begun.get(&step.id), &outcome) {
            let begin = &begun.begin;
            remember::done(
                &begin.effect,
                &begin.address,
                id.as_deref(),
                answered.as_ref(),
                &mut self.document,
            );
            if let (Operation::Create, Some(id)) = (begin.operation, id) {
                self.ids.insert(step.address.clone(), id.clone());
            }
        }
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
            .filter(|step| {
                matches!(
                    self.applied.results.get(&step.id),
                    Some(StepResult::Unknown { .. })
                )
            })
            .filter(|step| self.searched.insert(step.id))
            .collect();
        let patience = self.executor.options.patience;
        for attempt in 1..=patience.attempts {
            let is_lost = |step: &&Step| {
                matches!(
                    self.applied.results.get(&step.id),
                    Some(StepResult::Unknown { .. })
                )
            };
            let left: Vec<&Step> = lost.iter().copied().filter(is_lost).collect();
            if left.is_empty() || self.executor.stop.load(Ordering::SeqCst) {
                break;
            }
            tokio::time::sleep(patience.wait(attempt)).await;
            for step in left {
                self.find(step).await?;
            }
        }
        Ok(!lost.is_empty())
    }

    async fn find(&mut self, step: &Step) -> Result<(), ApplyError> {
        let Some(begun) = self.begun.get(&step.id) else {
            return Ok(());
        };
        let begin = begun.begin.clone();
        let seen = recover::collections_of(self.plan)
            .into_iter()
            .find(|collection| collection.path() == begin.path)
            .map(|collection| recover::ids_in(self.executor.live, collection))
            .unwrap_or_default();
        let open = Open {
            not_ours: seen.into_iter().chain(self.ids.values().cloned()).collect(),
            begin,
        };
        let outcome = match recover::find_out(self.executor.graph, self.executor.options, &open).await {
            Ok(outcome) => outcome,
            // Not to be seen yet, or not to be told apart: it stays open.
            Err(ApplyError::TooEarly { .. } | ApplyError::AmbiguousCreate { .. }) => return Ok(()),
            Err(error) => return Err(error),
        };
        let result = match &outcome {
            Outcome::Done { id, .. } => StepResult::Done { id: id.clone() },
            Outcome::Failed { error } => StepResult::Failed { error: error.clone() },
            Outcome::Unknown { error } => StepResult::Unknown { error: error.clone() },
        };
        self.settle(step, outcome)?;
        let verb = self.begun.get(&step.id).map_or("step", |begun| begun.verb);
        self.result(step, verb, result);
        Ok(())
    }
}

/// Sends a step, and sends it again for as long as the service does not see what it refers to.
async fn patiently(
    executor: &Executor<'_>,
    step: &Step,
    ready: &Ready,
    fresh: bool,
) -> Result<Answer, GraphError> {
    let patience = executor.options.patience;
    let mut attempt = 1;
    loop {
        let outcome = perform::send(executor.graph, ready).await;
        let Err(error) = &outcome else { return outcome };
        // A refused delete after a release, a 404 on a fresh group, a location that policies can't see yet.
        let passes = match &ready.call {
            Call::Delete(..) => {
                !step.after.is_empty() && error.service().is_some_and(|service| service.status == 400)
            }
            _ => fresh && (error.names_missing_object() || error.is_not_found()),
        };
        if !passes || attempt >= patience.attempts || executor.stop.load(Ordering::SeqCst) {
            return outcome;
        }
        executor.events.happened(&Event::StepWaiting {
            step: step.id,
            address: step.address.clone(),
            because: error.to_string(),
        });
        tokio::time::sleep(patience.wait(attempt)).await;
        attempt += 1;
    }
}
