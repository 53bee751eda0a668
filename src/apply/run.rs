//! One apply from its first record to its last.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::AtomicBool;

use serde_json::Value as Json;
use tokio::time::Instant;

use super::ApplyOptions;
use super::error::ApplyError;
use super::event::{Event, Events, StepResult};
use super::read_back::{self, Mismatch};
use super::remember;
use super::request::collection;
use super::walk::Walk;
use crate::graph::{Collection, Found, Graph};
use crate::model::live::LiveTenant;
use crate::model::state::{Document, OutputState, Version};
use crate::model::{Kind, Lookup, Target};
use crate::plan::{Act, Held, Plan, StepId};
use crate::state::history::Change;
use crate::state::journal::{ApplyBegin, Journal, Open, Seen};
use crate::state::{Guard, LocalFile, StateError, StateStore as _};

/// What an apply works with.
pub struct Executor<'a> {
    /// The tenant.
    pub graph: &'a Graph,
    /// The tenant as the plan saw it.
    pub live: &'a LiveTenant,
    /// When that was read.
    pub read_at: Instant,
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
    /// The outputs as they are after it; none when not everything was done.
    pub outputs: BTreeMap<String, OutputState>,
    /// What the plan left alone.
    pub held: Vec<Held>,
    /// Whether it was stopped from outside.
    pub interrupted: bool,
    /// Why the journal, the state or the reading back failed, if one did after writes were made.
    pub failure: Option<ApplyError>,
}

impl Applied {
    /// Whether everything was done and is there.
    pub fn is_complete(&self) -> bool {
        self.failure.is_none() && self.held.is_empty() && self.mismatches.is_empty() && self.is_done()
    }

    /// Whether every step was done.
    pub fn is_done(&self) -> bool {
        self.results
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
/// The caller holds the lock, has taken up an interrupted apply ([`recover`](super::recover)) and has made
/// sure that the plan is not stale. Errors before the first write are returned; later ones are in
/// [`Applied::failure`], because what was done must be told all the same.
pub async fn apply(
    executor: &Executor<'_>,
    plan: &Plan,
    mut document: Document,
    mut version: Option<Version>,
) -> Result<Applied, ApplyError> {
    executor.events.happened(&Event::Started {
        apply: executor.options.apply_id.clone(),
        steps: plan.steps.len(),
    });
    let mut applied = Applied {
        held: plan.held.clone(),
        ..Applied::default()
    };
    if plan.steps.is_empty() {
        remember::outputs(plan, &mut document);
        applied.outputs.clone_from(&document.outputs);
        save(executor, &document, version.as_ref()).await?;
        return Ok(ended(executor, applied));
    }
    let seen = seen(executor, plan).await?;
    let mut journal = begin_journal(executor, plan, &document, version.as_ref())?;
    // What needs no request goes first and is saved first, so that no later record of the journal tells of an
    // address that state does not know yet.
    remember::without_requests(plan, executor.live, &mut document, &mut applied.results);
    if !applied.results.is_empty() {
        let saved = save(executor, &document, version.as_ref()).await?;
        journal.state_saved(&saved)?;
        version = Some(saved);
    }
    for seen in seen {
        journal.seen(seen)?;
    }
    let mut walk = Walk::new(executor, plan, document, journal, applied);
    let walked = walk.run().await;
    let (mut document, journal, mut applied) = walk.into_parts();
    let settled = match walked {
        Ok(()) => {
            settle(
                executor,
                plan,
                &mut document,
                version.as_ref(),
                journal,
                &mut applied,
            )
            .await
        }
        Err(error) => Err(error),
    };
    applied.failure = settled.err();
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
        at: executor.options.clock.now(),
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

/// Which ids are there before anything is made, so that a lost create can be told from an old object.
///
/// The plan read every object of the kinds that are few; of groups, those that are called like a new one are asked for.
async fn seen(executor: &Executor<'_>, plan: &Plan) -> Result<Vec<Seen>, ApplyError> {
    let mut seen: BTreeMap<Collection, BTreeSet<String>> = BTreeMap::new();
    let mut named: BTreeSet<Lookup> = BTreeSet::new();
    for step in &plan.steps {
        let Act::Create { kind, body, .. } = &step.act else {
            continue;
        };
        let of = collection(*kind);
        seen.entry(of).or_insert_with(|| {
            let live = executor.live.objects.iter();
            live.filter(|object| collection(object.kind) == of)
                .map(|object| object.id.clone())
                .collect()
        });
        if *kind == Kind::Group
            && let Some(name) = body.value().get("displayName").and_then(Json::as_str)
        {
            named.insert(Lookup {
                target: Target::Group,
                name: name.to_owned(),
            });
        }
    }
    if !named.is_empty() {
        let found = executor.graph.look_up(&named, None).await?;
        let groups = seen.entry(Collection::Groups).or_default();
        for found in found.into_values() {
            match found {
                Found::One(object) => groups.extend([object.id]),
                Found::Several(objects) => groups.extend(objects.into_iter().map(|object| object.id)),
                Found::Nothing => {}
            }
        }
    }
    Ok(seen
        .into_iter()
        .map(|(collection, ids)| Seen {
            path: collection.path().to_owned(),
            ids,
        })
        .collect())
}

fn begin_journal(
    executor: &Executor<'_>,
    plan: &Plan,
    document: &Document,
    version: Option<&Version>,
) -> Result<Journal, ApplyError> {
    let begin = ApplyBegin {
        apply: executor.options.apply_id.clone(),
        command: executor.options.command.clone(),
        capol_version: crate::model::state::CAPOL_VERSION.to_owned(),
        plan_digest: plan.configuration_digest.clone(),
        lineage: document.lineage,
        serial: version.map_or(0, |version| version.serial),
        tenant_id: plan.tenant_id.clone(),
        at: executor.options.clock.now(),
        who: executor.options.who.clone(),
    };
    let Some((earlier, recovery)) = Journal::resume(executor.store)? else {
        return Ok(Journal::start(executor.store, begin)?);
    };
    // What cannot be judged yet goes over into this journal. The plan must have left all of it alone.
    let is_held = |open: &Open| {
        plan.held
            .iter()
            .any(|held| held.address.to_string() == open.begin.address)
    };
    if recovery.ended || !recovery.done_not_in_state.is_empty() || !recovery.open.iter().all(is_held) {
        return Err(StateError::UnfinishedApply {
            path: executor.store.place().journal.clone(),
        }
        .into());
    }
    Ok(earlier.succeed(begin, &recovery.open)?)
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
    if let Ok(mismatches) = &read {
        applied.mismatches.clone_from(mismatches);
    }
    if applied.is_complete() {
        remember::outputs(plan, document);
        applied.outputs.clone_from(&document.outputs);
    }
    let version = save(executor, document, version).await?;
    journal.state_saved(&version)?;
    if journal.is_decided() {
        journal.finish(executor.options.clock.now())?;
    }
    read.map(drop)
}
