//! A plan carried out: where rollouts are to stand is in state before the first write, and that they stand there after the last.

use jiff::Timestamp;

use super::{Planned, Supervision, WorkError, Worker, Workspace, parts};
use crate::apply::{self, Applied, ApplyOptions, Executor};
use crate::model::configuration::Configuration;
use crate::model::state::{Document, Version};
use crate::ops::connection::Connection;
use crate::plan::{self, Staged};
use crate::rollout::{machine, standing};
use crate::state::{Change, Guard, StateStore as _};

impl Workspace {
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
}
