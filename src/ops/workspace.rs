//! One project with one tenant: state, lock, an interrupted apply taken up, the tenant read, a plan made, applied.

mod applying;
mod planning;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;
use uuid::Uuid;

use super::OpsError;
use super::connection::{self, Connection, Environment};
use super::operator::Operator;
use super::refresh::{Looking, Refreshed};
use super::rollout::Ask;
use crate::apply::{self, ApplyError, ApplyOptions, Clock, Events, Patience, Recovered};
use crate::graph::Observer;
use crate::model::configuration::Configuration;
use crate::model::state::{Document, Version};
use crate::plan::{Limits, Mode, Plan, PlanErrors, StaleReason};
use crate::rollout::RolloutError;
use crate::state::journal::Journal;
use crate::state::{Guard, LocalFile, Place, StateError, StateStore as _, Stored};

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
