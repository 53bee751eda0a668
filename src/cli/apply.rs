//! `capol apply`, `capol destroy`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arguments::Planning;
use super::{Context, Failure, Outcome, interrupt, work};
use crate::apply::Events;
use crate::ops::OpsError;
use crate::ops::files;
use crate::ops::workspace::WorkError;
use crate::plan::Plan;
use crate::report::{EventStream, Everyone};

/// What is asked of an apply.
pub(super) struct Request {
    pub(super) command: &'static str,
    pub(super) planning: Planning,
    pub(super) file: Option<PathBuf>,
    pub(super) fail_fast: bool,
    pub(super) json_into: Option<PathBuf>,
}

pub(super) async fn run(context: &Context, request: Request) -> Result<Outcome, Failure> {
    let loaded = work::sound(context)?;
    let workspace = work::workspace(context, &loaded)?;
    let worker = work::worker(context, request.command)?;
    let narrowing = work::narrowing(context, &request.planning)?;
    let saved = request
        .file
        .as_deref()
        .map(|path| read(&work::within(context, path)))
        .transpose()?;
    let configuration = &loaded.configuration;
    let tenant = context.global.tenant.as_deref();
    let progress = context.progress();
    progress.doing("reading the tenant");
    let connection = workspace
        .connect(configuration, tenant, &context.environment, progress.clone())
        .await?;
    let guard = workspace.lock(&worker).await?;
    let located = |error: WorkError| work::failure(error, &loaded.sources);
    let recovered = workspace
        .recover(&connection, &guard, &worker, configuration)
        .await
        .map_err(located)?;
    if let Some(recovered) = recovered {
        context.recovered(&recovered);
    }
    let is_saved = saved.is_some();
    let mut planned = match saved {
        Some(plan) => workspace
            .check(&connection, &loaded, plan)
            .await
            .map_err(located)?,
        None => workspace
            .plan(&connection, &loaded, &narrowing, &worker)
            .await
            .map_err(located)?,
    };
    progress.clear();
    let name = connection.display_name.clone();
    if !is_saved && !context.global.json {
        context.plan(&planned.plan, &loaded, &name, None);
    }
    if !planned.plan.verdict.has_changes() {
        connection.close().await;
        return Ok(Outcome::Done);
    }
    if !is_saved && !context.global.yes {
        if !context.confirmed(
            &planned.plan.verdict.sentence(),
            "Write `yes` to apply it:",
            "yes",
        ) {
            connection.close().await;
            context.note("Nothing was written.");
            return Ok(Outcome::Failed);
        }
        // A person may have thought for long.
        planned = workspace
            .check(&connection, &loaded, planned.plan)
            .await
            .map_err(located)?;
    }
    let streams = streams(context, request.json_into.as_deref())?;
    let mut listeners: Vec<Arc<dyn Events>> = vec![progress.clone()];
    for stream in &streams {
        stream.planned(&planned.plan);
        listeners.push(Arc::clone(stream) as Arc<dyn Events>);
    }
    let stop = interrupt::watch();
    let applied = workspace
        .apply(
            &connection,
            &guard,
            &planned,
            configuration,
            &worker,
            request.fail_fast,
            &Everyone(listeners),
            &stop,
        )
        .await
        .map_err(located)?;
    connection.close().await;
    progress.clear();
    Ok(context.applied(&planned.plan, applied, &context.command(request.command)))
}

/// Where machines are told: standard output with `--json`, and a file.
fn streams(context: &Context, into: Option<&Path>) -> Result<Vec<Arc<EventStream>>, Failure> {
    let mut streams = Vec::new();
    if context.global.json {
        streams.push(Arc::new(EventStream::new(
            Box::new(std::io::stdout()),
            context.clock(),
        )));
    }
    if let Some(path) = into {
        let path = work::within(context, path);
        let file = std::fs::File::create(&path).map_err(|source| OpsError::File { path, source })?;
        streams.push(Arc::new(EventStream::new(Box::new(file), context.clock())));
    }
    Ok(streams)
}

fn read(path: &Path) -> Result<Plan, Failure> {
    let bytes = files::read(path)?;
    Ok(Plan::from_json(&String::from_utf8_lossy(&bytes))?)
}
