//! Plans: made from the tenant as it is read now, or made before and held against it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Moved, Narrowing, Planned, WorkError, Worker, Workspace};
use crate::apply::lag_after;
use crate::model::Address;
use crate::model::configuration::Configuration;
use crate::model::state::Document;
use crate::ops::connection::Connection;
use crate::ops::effect;
use crate::ops::project::Loaded;
use crate::ops::refresh::{Refreshed, refresh, remembered};
use crate::ops::rollout::{Ask, Courses, Next, person, still_open, with_next};
use crate::plan::{self, Action, Mode, NextWave, Plan, PlanOptions, ResourceChange, Why};
use crate::state::journal::{Effect, Journal, Operation};
use crate::state::{StateError, StateStore as _};

/// What a plan is made of.
#[derive(Clone, Copy)]
struct Lowered<'a> {
    configuration: &'a Configuration,
    digest: &'a str,
    state: Option<&'a Document>,
    refreshed: &'a Refreshed,
}

impl Workspace {
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
        still_open(&loaded.configuration, &plan, state, worker.now)?;
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
}
