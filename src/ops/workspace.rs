//! One project with one tenant: state, lock, an interrupted apply taken up, the tenant read, a plan made, applied.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::connection::{self, Connection, Environment};
use super::operator::Operator;
use super::project::Loaded;
use super::refresh::{Looking, Refreshed, refresh, remembered};
use super::rollout::{Ask, Courses, Next, person, with_next};
use super::{OpsError, effect};
use crate::apply::{
    self, Applied, ApplyError, ApplyOptions, Clock, Events, Executor, Patience, Recovered, lag_after,
};
use crate::graph::Observer;
use crate::model::Address;
use crate::model::configuration::Configuration;
use crate::model::state::{Document, Version};
use crate::plan::{
    self, Action, Limits, Mode, NextWave, Plan, PlanErrors, PlanOptions, ResourceChange, Staged, StaleReason,
    Why,
};
use crate::rollout::{RolloutError, machine, standing};
use crate::state::journal::{Effect, Journal, Operation};
use crate::state::{Change, Guard, LocalFile, Place, StateError, StateStore as _, Stored};

/// For how long the service may hide a fresh object, unless the project says otherwise.
const VISIBILITY_LAG: Duration = Duration::from_mins(15);

/// Why a plan could not be made, or not be applied.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum WorkError {
    /// Before the work itself.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Ops(#[from] OpsError),
    /// What shall be imported.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Import(#[from] super::import::ImportError),
    /// State or lock.
    #[error(transparent)]
    #[diagnostic(transparent)]
    State(#[from] StateError),
    /// A rollout stays where it is.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Rollout(#[from] RolloutError),
    /// The gate of a rollout could not be asked.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Gate(Box<super::rollout::gate::GateError>),
    /// The plan is refused.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Refused(#[from] PlanErrors),
    /// The apply could not begin.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Apply(#[from] ApplyError),
    /// The tenant or the project moved since the plan was made.
    #[error("the plan is stale: {}", reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    #[diagnostic(
        code("ops::stale_plan"),
        help("make the plan again with `capol plan`; nothing was written")
    )]
    Stale {
        /// What moved.
        reasons: Vec<StaleReason>,
    },
}

impl From<super::rollout::gate::GateError> for WorkError {
    fn from(error: super::rollout::gate::GateError) -> Self {
        Self::Gate(Box::new(error))
    }
}

/// What a plan is made of.
#[derive(Clone, Copy)]
struct Lowered<'a> {
    configuration: &'a Configuration,
    digest: &'a str,
    state: Option<&'a Document>,
    refreshed: &'a Refreshed,
}

/// How one apply runs: who hears of it, and what ends it early.
#[derive(Clone, Copy)]
pub struct Supervision<'a> {
    /// Whether the first failure stops all that did not start yet.
    pub fail_fast: bool,
    /// Who is told of each step.
    pub events: &'a dyn Events,
    /// Set when no further step shall start.
    pub stop: &'a AtomicBool,
}

/// What becomes of a plan whose objects somebody changed since it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// It is refused, with the names of what moved.
    Refuse,
    /// Those objects are left alone, and what needs them; the rest is carried out.
    Skip,
}

/// Who works, and how.
#[derive(Debug, Clone)]
pub struct Worker {
    /// The user's name.
    pub who: String,
    /// The command.
    pub command: String,
    /// Now.
    pub now: Timestamp,
    /// Whether now was said, and stands still.
    pub now_is_said: bool,
    /// The clock of an apply.
    pub clock: Clock,
    /// How patiently an apply waits for the service to show what was written.
    pub patience: Patience,
    /// How many steps may be under way at once.
    pub parallelism: usize,
    /// Whether to take the lock.
    pub lock: bool,
    /// How long to wait for it.
    pub lock_patience: Duration,
}

/// What narrows or changes a plan.
#[derive(Debug, Clone, Default)]
pub struct Narrowing {
    /// What kind of plan.
    pub mode: Mode,
    /// Only these.
    pub targets: Vec<crate::model::Address>,
    /// All but these.
    pub excludes: Vec<crate::model::Address>,
    /// Make these anew.
    pub replace: Vec<crate::model::Address>,
    /// Why it is taken on that not everybody stays protected, or let in, between the writes.
    pub accept_gap: Option<String>,
    /// Compare with what state remembers, not with the tenant; only for looking.
    pub from_memory: bool,
    /// How much the tenant holds.
    pub limits: Limits,
    /// What shall become of rollouts.
    pub ask: Box<Ask>,
}

/// A project and the place of its state.
pub struct Workspace {
    /// Where state is.
    pub store: LocalFile,
    folder: PathBuf,
    is_sandbox: bool,
}

/// A plan, with what it was made from.
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The tenant as it was read.
    pub refreshed: Refreshed,
    /// The state that it starts from.
    pub stored: Option<Stored>,
}

impl Workspace {
    /// The state of a project: of its one tenant, of one tenant of several, or of the embedded tenant.
    pub fn of(
        folder: &Path,
        configuration: &Configuration,
        tenant: Option<&str>,
        sandbox: bool,
    ) -> Result<Self, OpsError> {
        let place = if sandbox {
            Place::of_sandbox(folder)
        } else {
            let chosen = connection::chosen(configuration, tenant)?;
            let several = configuration.tenants.len() > 1;
            Place::in_project(folder, chosen.map(|(name, _)| name).filter(|_| several))
        };
        Ok(Self {
            store: LocalFile::new(place),
            folder: folder.to_owned(),
            is_sandbox: sandbox,
        })
    }

    /// Whether it works on the embedded tenant.
    pub fn is_sandbox(&self) -> bool {
        self.is_sandbox
    }

    /// Signs in to the tenant.
    pub async fn connect(
        &self,
        configuration: &Configuration,
        tenant: Option<&str>,
        environment: &Environment,
        observer: Arc<dyn Observer>,
    ) -> Result<Connection, OpsError> {
        if self.is_sandbox {
            connection::to_sandbox(&self.folder, observer).await
        } else {
            let chosen = connection::chosen(configuration, tenant)?;
            connection::to_tenant(chosen.map(|(_, settings)| settings), environment, observer).await
        }
    }

    /// Takes the lock.
    pub async fn lock(&self, worker: &Worker) -> Result<Guard, StateError> {
        let operator =
            Operator::of_process(worker.who.clone(), worker.now, worker.lock, worker.lock_patience);
        operator.lock(&self.store, &worker.command).await
    }

    /// Takes up an apply that was interrupted, if there was one. Refused while something of it cannot be judged yet.
    pub async fn recover(
        &self,
        connection: &Connection,
        guard: &Guard,
        worker: &Worker,
        configuration: &Configuration,
    ) -> Result<Option<Recovered>, WorkError> {
        let recovered = self.take_up(connection, guard, worker, configuration).await?;
        let options = self.apply_options(worker, configuration);
        Ok(recovered
            .map(|recovered| recovered.decided(&options))
            .transpose()?)
    }

    /// Takes up an apply that was interrupted, if there was one. What cannot be judged yet stays in the journal, and
    /// plans leave it alone.
    pub async fn take_up(
        &self,
        connection: &Connection,
        guard: &Guard,
        worker: &Worker,
        configuration: &Configuration,
    ) -> Result<Option<Recovered>, WorkError> {
        self.store.not_lost()?;
        if !Journal::is_left(&self.store)? {
            return Ok(None);
        }
        let stored = self.store.load().await?;
        let (mut document, mut version) = parts(stored, connection);
        let options = self.apply_options(worker, configuration);
        let recovered = apply::recover(
            &connection.graph,
            &self.store,
            guard,
            &options,
            &mut document,
            &mut version,
        )
        .await?;
        Ok(recovered)
    }

    /// Reads the tenant and makes a plan.
    pub async fn plan(
        &self,
        connection: &Connection,
        loaded: &Loaded,
        narrowing: &Narrowing,
        worker: &Worker,
    ) -> Result<Planned, WorkError> {
        let stored = self.store.load().await?;
        let state = stored.as_ref().map(|stored| &stored.document);
        if let Some(state) = state {
            state
                .for_tenant(&connection.tenant_id)
                .map_err(StateError::from)?;
        }
        let by = person(connection.signed_in.as_ref(), &worker.who);
        let mut courses = match narrowing.mode {
            Mode::Apply => Courses::of(&loaded.configuration, state, &narrowing.ask, by, worker.now)?,
            // What is taken away, or only looked at, needs no waves.
            Mode::Destroy => Courses::forgotten(state, by, worker.now)?,
            Mode::RefreshOnly => Courses::none(by, worker.now),
        };
        if !(narrowing.targets.is_empty() && narrowing.excludes.is_empty()) {
            courses.stay()?;
        }
        loop {
            let facts = Box::pin(courses.facts(connection, &loaded.configuration, state)).await?;
            courses.draw(&facts)?;
            let configuration = courses.lower(&loaded.configuration, &facts)?;
            let next = if matches!(*narrowing.ask, Ask::Keep) && !narrowing.from_memory {
                Box::pin(courses.next(connection, &loaded.configuration, state)).await
            } else {
                Vec::new()
            };
            let seen = with_next(&configuration, &next);
            let refreshed = Box::pin(self.read(connection, &seen, state, narrowing, worker)).await?;
            let lowered = Lowered {
                configuration: &configuration,
                digest: &loaded.digest,
                state,
                refreshed: &refreshed,
            };
            let plan = Box::pin(self.plan_lowered(connection, &lowered, narrowing, worker)).await?;
            if courses.decide(&plan)? {
                let mut staged = courses.staged(&plan)?;
                for next in next {
                    if let Some(one) = staged.iter_mut().find(|one| one.address == next.rollout) {
                        let told = self.next_wave(connection, &lowered, next, narrowing, worker);
                        one.next = Some(Box::pin(told).await);
                    }
                }
                return Ok(Planned {
                    plan: plan.with_rollouts(staged),
                    refreshed,
                    stored,
                });
            }
        }
    }

    async fn read(
        &self,
        connection: &Connection,
        configuration: &Configuration,
        state: Option<&Document>,
        narrowing: &Narrowing,
        worker: &Worker,
    ) -> Result<Refreshed, WorkError> {
        if narrowing.from_memory {
            return Ok(remembered(connection, configuration, state).await?);
        }
        let looking = self.looking(worker, configuration);
        Ok(refresh(connection, configuration, state, &looking).await?)
    }

    /// A plan of a configuration whose rollouts are carried out as far as they stand.
    async fn plan_lowered(
        &self,
        connection: &Connection,
        lowered: &Lowered<'_>,
        narrowing: &Narrowing,
        worker: &Worker,
    ) -> Result<Plan, WorkError> {
        let Lowered {
            configuration,
            digest,
            state,
            refreshed,
        } = *lowered;
        let options = PlanOptions {
            from_memory: narrowing.from_memory,
            accept_gap: narrowing.accept_gap.clone(),
            mode: narrowing.mode,
            targets: narrowing.targets.clone(),
            excludes: narrowing.excludes.clone(),
            replace: narrowing.replace.clone(),
            limits: narrowing.limits,
            sandbox: self.is_sandbox,
            configuration_digest: digest.to_owned(),
            refresh_requests: refreshed.requests,
            ..PlanOptions::new(worker.now)
        };
        let mut plan = plan::plan(
            configuration,
            &refreshed.live,
            &refreshed.directory,
            state,
            &options,
        )?;
        plan.hold(&self.undecided(refreshed, configuration, &plan)?);
        effect::put(connection, &mut plan, refreshed, !narrowing.from_memory).await?;
        Ok(plan)
    }

    /// What the next wave of a rollout would do. Nothing is applied from it, so what goes wrong is only told.
    async fn next_wave(
        &self,
        connection: &Connection,
        lowered: &Lowered<'_>,
        next: Next,
        narrowing: &Narrowing,
        worker: &Worker,
    ) -> NextWave {
        let told = match &next.configuration {
            Ok(configuration) => {
                let meant = Lowered {
                    configuration,
                    ..*lowered
                };
                let plan = Box::pin(self.plan_lowered(connection, &meant, narrowing, worker)).await;
                plan.map(|plan| plan.effect).map_err(|error| error.to_string())
            }
            Err(why) => Err(why.clone()),
        };
        let (effect, refused) = match told {
            Ok(effect) => (effect, None),
            Err(why) => (None, Some(why)),
        };
        NextWave {
            wave: next.wave,
            effect,
            refused,
        }
    }

    /// Reads the tenant again for a plan that was made before, and refuses it if anything moved; or leaves alone the
    /// objects that moved, when that was asked for.
    pub async fn check(
        &self,
        connection: &Connection,
        loaded: &Loaded,
        mut plan: Plan,
        worker: &Worker,
        moved: Moved,
    ) -> Result<Planned, WorkError> {
        let stored = self.store.load().await?;
        let state = stored.as_ref().map(|stored| &stored.document);
        let looking = self.looking(worker, &loaded.configuration);
        let refreshed = refresh(connection, &loaded.configuration, state, &looking).await?;
        let reasons = plan::stale(&plan, state, &refreshed.live, Some(&loaded.digest));
        let may_skip = moved == Moved::Skip && reasons.iter().all(|reason| reason.object().is_some());
        if !reasons.is_empty() && !may_skip {
            return Err(WorkError::Stale { reasons });
        }
        super::rollout::still_open(&loaded.configuration, &plan, state, worker.now)?;
        let changed: BTreeSet<&str> = reasons.iter().filter_map(|reason| reason.object()).collect();
        let mut held = self.undecided(&refreshed, &loaded.configuration, &plan)?;
        for change in &plan.changes {
            if change.id.as_deref().is_some_and(|id| changed.contains(id)) {
                held.insert(change.address.clone(), Why::Changed);
            }
        }
        plan.hold(&held);
        if !held.is_empty() {
            effect::put(connection, &mut plan, &refreshed, true).await?;
        }
        Ok(Planned {
            plan,
            refreshed,
            stored,
        })
    }

    /// Applies a plan that was just made or checked.
    pub async fn apply(
        &self,
        connection: &Connection,
        guard: &Guard,
        planned: &Planned,
        configuration: &Configuration,
        worker: &Worker,
        supervision: Supervision<'_>,
    ) -> Result<Applied, WorkError> {
        let mut options = ApplyOptions {
            fail_fast: supervision.fail_fast,
            ..self.apply_options(worker, configuration)
        };
        if let Some(reason) = &planned.plan.accepted_gap {
            options.command = format!("{} --accept-gap {reason:?}", options.command);
        }
        let executor = Executor {
            graph: &connection.graph,
            live: &planned.refreshed.live,
            read_at: planned.refreshed.read_at,
            store: &self.store,
            guard,
            events: supervision.events,
            stop: supervision.stop,
            options: &options,
        };
        let (mut document, mut version) = parts(planned.stored.clone(), connection);
        let moved: Vec<&Staged> = planned
            .plan
            .rollouts
            .iter()
            .filter(|staged| staged.moves())
            .collect();
        if !moved.is_empty() {
            // Before the first write, so that whoever comes after a crash knows where it was to lead.
            let mut standings = standing::standings(&document)?;
            for staged in &moved {
                // A `moved` block may have given it another address.
                standings.retain(|address, _| plan::moved_to(configuration, address) != staged.address);
                if let Some(after) = &staged.after {
                    standings.insert(staged.address.clone(), after.clone());
                }
            }
            standing::remember(&mut document, &standings)?;
            version = Some(
                self.keep(guard, version.as_ref(), &mut document, &options)
                    .await?,
            );
        }
        let applied = Box::pin(apply::apply(&executor, &planned.plan, document, version)).await?;
        if applied.is_complete() && planned.plan.complete {
            let at = if worker.now_is_said {
                worker.now
            } else {
                options.clock.now()
            };
            Box::pin(self.finish_rollouts(guard, &moved, at, &options)).await?;
        }
        Ok(applied)
    }

    /// Says in state that the transitions whose writes have all landed are done.
    async fn finish_rollouts(
        &self,
        guard: &Guard,
        moved: &[&Staged],
        at: Timestamp,
        options: &ApplyOptions,
    ) -> Result<(), WorkError> {
        let Some(stored) = self.store.load().await? else {
            return Ok(());
        };
        let mut document = stored.document;
        let mut standings = standing::standings(&document)?;
        let mut is_done = true;
        for staged in moved {
            if let Some(standing) = standings.get_mut(&staged.address)
                && standing.entering.is_some()
            {
                *standing = machine::finish(standing, at);
                is_done = false;
            }
        }
        if !is_done {
            standing::remember(&mut document, &standings)?;
            self.keep(guard, Some(&stored.version), &mut document, options)
                .await?;
        }
        Ok(())
    }

    /// Puts a document in the place of the one that is stored.
    async fn keep(
        &self,
        guard: &Guard,
        version: Option<&Version>,
        document: &mut Document,
        options: &ApplyOptions,
    ) -> Result<Version, WorkError> {
        let change = Change {
            at: options.clock.now(),
            who: options.who.clone(),
            operation: options.command.clone(),
            new_lineage: false,
        };
        let stored = self.store.swap(guard, version, document, &change).await?;
        document.serial = stored.version.serial;
        Ok(stored.version)
    }

    /// What cannot be judged yet, and may neither be made again nor let go.
    fn undecided(
        &self,
        refreshed: &Refreshed,
        configuration: &Configuration,
        plan: &Plan,
    ) -> Result<BTreeMap<Address, Why>, WorkError> {
        let lag = self.visibility_lag(configuration);
        let mut held = BTreeMap::new();
        for (address, since) in &refreshed.not_visible {
            if let Ok(address) = address.parse() {
                let (since, until) = (*since, lag_after(*since, lag));
                held.insert(address, Why::NotVisible { since, until });
            }
        }
        for open in Journal::open_requests(&self.store)? {
            let begin = open.begin;
            if let Ok(address) = begin.address.parse::<Address>() {
                let verb = match begin.operation {
                    Operation::Create => "create",
                    _ => "update",
                };
                let why = Why::Unknown {
                    verb: verb.to_owned(),
                    since: begin.at,
                    until: lag_after(begin.at, lag),
                };
                // Under another address the same object would be made twice.
                if let (Operation::Create, Effect::Keep { resource }) = (begin.operation, &begin.effect) {
                    let name = begin
                        .body
                        .as_ref()
                        .and_then(|body| body.get("displayName")?.as_str());
                    let is_namesake = |change: &&ResourceChange| {
                        change.action == Action::Create
                            && change.kind == resource.kind
                            && Some(change.name.as_str()) == name
                    };
                    for change in plan.changes.iter().filter(is_namesake) {
                        held.insert(change.address.clone(), why.clone());
                    }
                }
                // A `moved` block leads there also when state does not know the object yet.
                held.insert(plan::moved_to(configuration, &address), why.clone());
                held.insert(address, why);
            }
        }
        Ok(held)
    }

    /// How a reading is made sure of.
    pub(super) fn looking(&self, worker: &Worker, configuration: &Configuration) -> Looking {
        Looking {
            patience: worker.patience,
            visibility_lag: self.visibility_lag(configuration),
            clock: worker.clock.clone(),
            undone: None,
        }
    }

    fn visibility_lag(&self, configuration: &Configuration) -> Duration {
        match configuration.settings.visibility_lag_seconds {
            Some(seconds) => Duration::from_secs(seconds),
            // The embedded tenant hides nothing.
            None if self.is_sandbox => Duration::ZERO,
            None => VISIBILITY_LAG,
        }
    }

    fn apply_options(&self, worker: &Worker, configuration: &Configuration) -> ApplyOptions {
        ApplyOptions {
            command: worker.command.clone(),
            apply_id: Uuid::new_v4().to_string(),
            who: worker.who.clone(),
            parallelism: worker.parallelism,
            fail_fast: false,
            visibility_lag: self.visibility_lag(configuration),
            patience: worker.patience,
            clock: worker.clock.clone(),
        }
    }
}

fn parts(stored: Option<Stored>, connection: &Connection) -> (Document, Option<Version>) {
    match stored {
        Some(stored) => (stored.document, Some(stored.version)),
        None => (Document::new(Uuid::new_v4(), connection.tenant_id.clone()), None),
    }
}
