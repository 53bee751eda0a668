//! `capol apply`, `capol destroy`

use std::path::PathBuf;

use super::arguments::Planning;
use super::{Context, Failure, Outcome, again, interrupt, work};
use crate::ops::OpsError;
use crate::ops::rollout::Ask;
use crate::ops::state::SurgeryError;
use crate::ops::workspace::{Moved, Narrowing, Supervision, WorkError};

/// What is asked of an apply.
pub(super) struct Request {
    pub(super) command: &'static str,
    pub(super) planning: Planning,
    pub(super) file: Option<PathBuf>,
    pub(super) fail_fast: bool,
    pub(super) skip_changed: bool,
    pub(super) json_into: Option<PathBuf>,
    pub(super) ask: Ask,
    /// Whether it is carried out without asking a person, as with `--yes`.
    pub(super) unasked: bool,
}

pub(super) async fn run(context: &Context, request: Request) -> Result<Outcome, Failure> {
    if !request.planning.refresh {
        return Err(OpsError::NotRead { what: "apply" }.into());
    }
    let loaded = work::sound(context)?.without_trees(context.now());
    let workspace = work::workspace(context, &loaded)?;
    let worker = work::worker(context, request.command)?;
    let narrowing = Narrowing {
        ask: Box::new(request.ask.clone()),
        ..work::narrowing(context, &request.planning)?
    };
    let saved = request
        .file
        .as_deref()
        .map(|path| work::saved_plan(&work::within(context, path)))
        .transpose()?;
    let configuration = &loaded.configuration;
    let json_into = request
        .json_into
        .as_deref()
        .map(|path| work::within(context, path));
    let watch = context.watch(json_into.as_deref())?;
    watch.doing("reading the tenant");
    let connection = work::connect(context, &workspace, configuration, watch.observer()).await?;
    let guard = workspace.lock(&worker).await?;
    context.locked(&guard);
    let located = |error: WorkError| work::failure(error, &loaded.sources);
    let recovered = workspace
        .take_up(&connection, &guard, &worker, configuration)
        .await
        .map_err(located)?;
    if let Some(recovered) = recovered {
        context.recovered(&recovered);
    }
    let is_saved = saved.is_some();
    let moved = if request.skip_changed {
        Moved::Skip
    } else {
        Moved::Refuse
    };
    let mut planned = match saved {
        Some(plan) => workspace
            .check(&connection, &loaded, plan, &worker, moved)
            .await
            .map_err(located)?,
        None => workspace
            .plan(&connection, &loaded, &narrowing, &worker)
            .await
            .map_err(located)?,
    };
    watch.clear();
    watch.planned(&planned.plan);
    let name = connection.display_name.clone();
    if !is_saved && !context.global.json {
        context.plan(&planned.plan, &loaded, Some(&name), None, None);
    }
    if !planned.plan.verdict.has_changes() {
        connection.close().await;
        return Ok(context.left_alone(&planned.plan));
    }
    if !is_saved && !request.unasked {
        if !context.confirmed(
            &planned.plan.verdict.sentence(),
            "Write `yes` to apply it:",
            "yes",
        ) {
            connection.close().await;
            return Err(SurgeryError::NotConfirmed {
                what: "apply the plan".into(),
                answer: "yes".into(),
            }
            .into());
        }
        // A person may have thought for long.
        planned = workspace
            .check(&connection, &loaded, planned.plan, &worker, moved)
            .await
            .map_err(located)?;
    }
    let stop = interrupt::watch();
    let applied = workspace
        .apply(
            &connection,
            &guard,
            &planned,
            configuration,
            &worker,
            Supervision {
                fail_fast: request.fail_fast,
                events: &watch.events(),
                stop: &stop,
            },
        )
        .await
        .map_err(located)?;
    connection.close().await;
    watch.clear();
    if applied.is_complete() {
        watch.outputs(&applied);
    }
    let next = again::command(request.command, &context.global, Some(&request.planning), None);
    let outcome = context.applied(&planned.plan, applied, &next);
    work::leave((planned, loaded));
    Ok(outcome)
}
