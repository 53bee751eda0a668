//! `capol plan`

use std::path::{Path, PathBuf};

use super::arguments::{PlanFormat, Planning};
use super::{Context, Failure, Outcome, again, work};
use crate::ops::workspace::WorkError;
use crate::ops::{OpsError, files, import};

/// What is asked of a plan.
pub(super) struct Request {
    pub(super) planning: Planning,
    pub(super) out: Option<PathBuf>,
    pub(super) detailed_exitcode: bool,
    pub(super) format: PlanFormat,
    pub(super) json_into: Option<PathBuf>,
    pub(super) generate_config_out: Option<PathBuf>,
}

pub(super) async fn run(context: &Context, request: Request) -> Result<Outcome, Failure> {
    if request.out.is_some() && !request.planning.refresh {
        return Err(OpsError::NotRead { what: "save a plan" }.into());
    }
    let mut loaded = work::sound(context)?;
    let workspace = work::workspace(context, &loaded)?;
    let worker = work::worker(context, "plan")?;
    let progress = context.watch_for_person();
    progress.doing("reading the tenant");
    let narrowing = work::narrowing(context, &request.planning)?;
    let tenant = context.global.tenant.as_deref();
    let connection = workspace
        .connect(
            &loaded.configuration,
            tenant,
            &context.environment,
            progress.observer(),
        )
        .await?;
    if let Some(path) = &request.generate_config_out {
        let generated = import::generate(
            &connection,
            &loaded,
            &workspace.store,
            &work::within(context, path),
        )
        .await;
        generated.map_err(|error| work::failure(error, &loaded.sources))?;
        loaded = work::sound(context)?;
    }
    let loaded = loaded.without_trees(worker.now);
    let configuration = &loaded.configuration;
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
    let planned = workspace
        .plan(&connection, &loaded, &narrowing, &worker)
        .await
        .map_err(located)?;
    drop(guard);
    progress.clear();
    let name = connection.display_name.clone();
    connection.close().await;
    if let Some(path) = &request.out {
        save(&work::within(context, path), &planned.plan)?;
    }
    if let Some(path) = &request.json_into {
        let json = crate::plan::json::render(&planned.plan);
        files::replace(&work::within(context, path), &format!("{json:#}\n"))?;
    }
    match request.format {
        PlanFormat::Json => context.out(&format!("{:#}\n", crate::plan::json::render(&planned.plan))),
        PlanFormat::Text if context.global.json => {
            context.out(&format!("{:#}\n", crate::plan::json::render(&planned.plan)));
        }
        PlanFormat::Text => {
            let next = match &request.out {
                Some(file) => again::command("apply", &context.global, None, Some(file)),
                None => again::command("apply", &context.global, Some(&request.planning), None),
            };
            context.plan(&planned.plan, &loaded, Some(&name), Some(&next));
        }
    }
    let verdict = &planned.plan.verdict;
    let differs = request.detailed_exitcode && (verdict.has_changes() || verdict.held > 0);
    work::leave((planned, loaded));
    Ok(if differs {
        Outcome::Differences
    } else {
        Outcome::Done
    })
}

fn save(path: &Path, plan: &crate::plan::Plan) -> Result<(), Failure> {
    let text = plan.to_json()?;
    Ok(files::replace(path, &text)?)
}
