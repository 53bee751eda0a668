//! `capol plan`

use std::path::{Path, PathBuf};

use super::arguments::{PlanFormat, Planning};
use super::findings::Shown;
use super::{Context, Failure, Outcome, again, work};
use crate::lang::Severity;
use crate::lang::error::Diagnostic;
use crate::ops::lint::{self, Findings};
use crate::ops::workspace::WorkError;
use crate::ops::{OpsError, files, import};

/// What is asked of a plan.
pub(super) struct Request {
    pub(super) planning: Planning,
    pub(super) out: Option<PathBuf>,
    pub(super) detailed_exitcode: bool,
    pub(super) deny_warnings: bool,
    pub(super) format: PlanFormat,
    pub(super) json_into: Option<PathBuf>,
    pub(super) generate_config_out: Option<PathBuf>,
}

pub(super) async fn run(context: &Context, request: Request) -> Result<Outcome, Failure> {
    context.only_form((request.format == PlanFormat::Sarif).then_some("sarif"))?;
    if request.out.is_some() && !request.planning.refresh {
        return Err(OpsError::NotRead { what: "save a plan" }.into());
    }
    let mut loaded = work::sound(context)?;
    let workspace = work::workspace(context, &loaded)?;
    let worker = work::worker(context, "plan")?;
    let progress = context.watch_for_person();
    progress.doing("reading the tenant");
    let narrowing = work::narrowing(context, &request.planning)?;
    let connection = work::connect(context, &workspace, &loaded.configuration, progress.observer()).await?;
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
    let found = if narrowing.from_memory {
        Findings::default()
    } else {
        lint::of_plan(&connection, &planned, &loaded, worker.now).await?
    };
    progress.clear();
    let name = connection.display_name.clone();
    connection.close().await;
    let is_warned = |diagnostic: &Diagnostic| diagnostic.severity == Severity::Warning;
    let is_refused = found.refuse(request.deny_warnings)
        || (request.deny_warnings && loaded.diagnostics.iter().any(is_warned));
    if let Some(path) = request.out.as_ref().filter(|_| !is_refused) {
        save(&work::within(context, path), &planned.plan)?;
    }
    let shown = Shown::of(context, &loaded, &found);
    let json = || {
        let mut json = crate::plan::json::render(&planned.plan);
        if let Some(members) = json.as_object_mut() {
            members.insert("findings".to_owned(), shown.json());
        }
        json
    };
    if let Some(path) = &request.json_into {
        files::replace(&work::within(context, path), &format!("{:#}\n", json()))?;
    }
    match request.format {
        PlanFormat::Json => context.out(&format!("{:#}\n", json())),
        PlanFormat::Text if context.global.json => context.out(&format!("{:#}\n", json())),
        PlanFormat::Sarif => context.out(&format!("{:#}\n", shown.sarif(context))),
        PlanFormat::Text => {
            let next = match &request.out {
                Some(file) => again::command("apply", &context.global, None, Some(file)),
                None => again::command("apply", &context.global, Some(&request.planning), None),
            };
            let page = shown.page(context.global.verbose > 0);
            context.plan(&planned.plan, &loaded, Some(&name), Some(&next), Some(&page));
        }
    }
    if is_refused {
        work::leave((planned, loaded));
        return Ok(Outcome::Failed);
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
