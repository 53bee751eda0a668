//! `capol undo`

use super::{Context, Failure, Outcome, again, interrupt, work};
use crate::ops::undo::{self, Choice};
use crate::ops::workspace::{Supervision, WorkError, Worker};

/// What is asked of an undo.
pub(super) struct Request {
    pub(super) apply: Option<String>,
    pub(super) target: Vec<String>,
    pub(super) exclude: Vec<String>,
    pub(super) skip_changed: bool,
    pub(super) accept_gap: Option<String>,
}

pub(super) async fn run(context: &Context, request: Request) -> Result<Outcome, Failure> {
    let choice = Choice {
        targets: work::addresses(context, &request.target, None)?,
        excludes: work::addresses(context, &request.exclude, None)?,
        apply: request.apply,
        skip_changed: request.skip_changed,
        accept_gap: request.accept_gap,
    };
    let loaded = work::sound(context)?;
    let workspace = work::workspace(context, &loaded)?;
    let worker = work::worker(context, "undo")?;
    let configuration = &loaded.configuration;
    let watch = context.watch(None)?;
    watch.doing("reading the tenant");
    let connection = work::connect(context, &workspace, configuration, watch.observer()).await?;
    let guard = workspace.lock(&worker).await?;
    context.locked(&guard);
    let located = |error: WorkError| work::failure(error, &loaded.sources);
    let recovered = workspace
        .recover(&connection, &guard, &worker, configuration)
        .await
        .map_err(located)?;
    if let Some(recovered) = recovered {
        context.recovered(&recovered);
    }
    let mut undoing = Box::pin(undo::plan(&workspace, &connection, &loaded, &choice, &worker))
        .await
        .map_err(located)?;
    watch.clear();
    watch.planned(&undoing.planned.plan);
    let begin = &undoing.apply.begin;
    context.note(&format!(
        "Taking back the {} of {} by {} ({}).",
        begin.command, begin.at, begin.who, begin.apply
    ));
    let verdict = &undoing.planned.plan.verdict;
    if !verdict.has_changes() && verdict.held == 0 {
        context.note("Nothing of it is left to take back. Nothing was written.");
    } else if !context.global.json {
        let name = Some(connection.display_name.as_str());
        context.plan(&undoing.planned.plan, &loaded, name, None, None);
    }
    if !undoing.planned.plan.verdict.has_changes() {
        connection.close().await;
        return Ok(Outcome::Done);
    }
    if !context.global.yes {
        let sentence = undoing.planned.plan.verdict.sentence();
        if !context.confirmed(&sentence, "Write `yes` to take it back:", "yes") {
            connection.close().await;
            context.note("Nothing was written.");
            return Ok(Outcome::Failed);
        }
        // A person may have thought for long.
        undoing = Box::pin(undo::check(
            &workspace,
            &connection,
            &loaded,
            undoing,
            &choice,
            &worker,
        ))
        .await
        .map_err(located)?;
    }
    let worker = Worker {
        command: undoing.command(),
        ..worker
    };
    let stop = interrupt::watch();
    let applied = Box::pin(workspace.apply(
        &connection,
        &guard,
        &undoing.planned,
        configuration,
        &worker,
        Supervision {
            fail_fast: false,
            events: &watch.events(),
            stop: &stop,
        },
    ))
    .await
    .map_err(located)?;
    connection.close().await;
    watch.clear();
    if applied.is_complete() {
        watch.outputs(&applied);
    }
    let mut command = format!("undo {}", undoing.apply.begin.apply);
    for (option, addresses) in [("--target", &choice.targets), ("--exclude", &choice.excludes)] {
        for address in addresses {
            command = format!("{command} {option} {}", again::quoted(&address.to_string()));
        }
    }
    if choice.skip_changed {
        command.push_str(" --skip-changed");
    }
    if let Some(reason) = &choice.accept_gap {
        command = format!("{command} --accept-gap {}", again::quoted(reason));
    }
    let next = again::command(&command, &context.global, None, None);
    Ok(context.applied(&undoing.planned.plan, applied, &next))
}
