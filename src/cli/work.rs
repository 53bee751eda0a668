//! What plan, apply and destroy share: the arguments into the library's values.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::arguments::Planning;
use super::{Context, Failure};
use crate::apply::{Clock, Patience};
use crate::graph::Observer;
use crate::lang::{Severity, Sources};
use crate::model::Address;
use crate::model::configuration::Configuration;
use crate::ops::connection::Connection;
use crate::ops::files;
use crate::ops::import::{self, ImportError};
use crate::ops::located;
use crate::ops::project::Loaded;
use crate::ops::workspace::{Narrowing, WorkError, Worker, Workspace};
use crate::plan::{Mode, Plan};

/// The project, when nothing is wrong with it; warnings are shown.
pub(super) fn sound(context: &Context) -> Result<Loaded, Failure> {
    nothing_pending(context, context.load())
}

/// The same, or an empty project where none has been written yet.
pub(super) fn sound_or_new(context: &Context) -> Result<Loaded, Failure> {
    nothing_pending(context, context.load_or_new())
}

fn nothing_pending(context: &Context, loaded: Loaded) -> Result<Loaded, Failure> {
    if import::is_pending(&context.project) {
        return Err(ImportError::Unfinished.into());
    }
    without_errors(context, loaded)
}

/// The project as it was read, when nothing is wrong with it; an import may be half done.
pub(super) fn without_errors(context: &Context, loaded: Loaded) -> Result<Loaded, Failure> {
    let errors: Vec<miette::Report> = loaded
        .diagnostics
        .reported(&loaded.sources)
        .into_iter()
        .filter(|reported| reported.diagnostic().severity == Severity::Error)
        .map(miette::Report::new)
        .collect();
    if !errors.is_empty() {
        return Err(Failure::of(errors));
    }
    context.diagnostics(&loaded);
    Ok(loaded)
}

/// The place of state, and how to work there.
pub(super) fn workspace(context: &Context, loaded: &Loaded) -> Result<Workspace, Failure> {
    let tenant = context.global.tenant.as_deref();
    Ok(Workspace::of(
        &context.project,
        &loaded.configuration,
        tenant,
        context.global.sandbox,
    )?)
}

/// The tenant that the command is about.
pub(super) async fn connect(
    context: &Context,
    workspace: &Workspace,
    configuration: &Configuration,
    observer: Arc<dyn Observer>,
) -> Result<Connection, Failure> {
    let tenant = context.global.tenant.as_deref();
    Ok(workspace
        .connect(configuration, tenant, &context.environment, observer)
        .await?)
}

/// A plan that was saved to a file.
pub(super) fn saved_plan(path: &Path) -> Result<Plan, Failure> {
    let bytes = files::read(path)?;
    Ok(Plan::from_json(&String::from_utf8_lossy(&bytes))?)
}

/// Who works.
pub(super) fn worker(context: &Context, command: &str) -> Result<Worker, Failure> {
    Ok(Worker {
        who: context.user(),
        command: command.to_owned(),
        now: context.now(),
        now_is_said: context.now_is_said(),
        clock: Clock::new(context.clock()),
        patience: Patience::default(),
        parallelism: context.global.parallelism,
        lock: context.global.lock,
        lock_patience: patience(&context.global.lock_timeout)?,
    })
}

/// A waiting time that can't be read.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("`{text}` is not a waiting time")]
#[diagnostic(code("cli::duration"), help("write `30s`, `5m` or `1h`"))]
struct NoDuration {
    text: String,
}

/// How long `--lock-timeout` means.
pub(super) fn patience(text: &str) -> Result<Duration, Failure> {
    let unit = |ending: &str, seconds: u64| {
        let digits = text.strip_suffix(ending)?;
        digits
            .parse::<u64>()
            .ok()?
            .checked_mul(seconds)
            .map(Duration::from_secs)
    };
    unit("s", 1)
        .or_else(|| unit("m", 60))
        .or_else(|| unit("h", 3600))
        .ok_or_else(|| {
            NoDuration {
                text: text.to_owned(),
            }
            .into()
        })
}

/// The addresses and the mode that the flags name.
pub(super) fn narrowing(context: &Context, planning: &Planning) -> Result<Narrowing, Failure> {
    let mode = match (planning.destroy, planning.refresh_only) {
        (true, _) => Mode::Destroy,
        (false, true) => Mode::RefreshOnly,
        (false, false) => Mode::Apply,
    };
    Ok(Narrowing {
        mode,
        targets: addresses(context, &planning.target, planning.target_file.as_ref())?,
        excludes: addresses(context, &planning.exclude, planning.exclude_file.as_ref())?,
        replace: addresses(context, &planning.replace, None)?,
        from_memory: !planning.refresh,
        accept_gap: planning.accept_gap.clone(),
        limits: context.limits(),
        ask: Box::default(),
    })
}

pub(super) fn addresses(
    context: &Context,
    given: &[String],
    file: Option<&PathBuf>,
) -> Result<Vec<Address>, Failure> {
    let mut texts: Vec<String> = given.to_vec();
    if let Some(file) = file {
        let bytes = files::read(&context.project.join(file))?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let lines = text
            .lines()
            .map(|line| line.split('#').next().unwrap_or_default().trim());
        texts.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
    }
    texts
        .iter()
        .map(|text| text.parse::<Address>().map_err(Failure::from))
        .collect()
}

/// A failure of the work, with the places in the text that it is about.
pub(super) fn failure(error: WorkError, sources: &Sources) -> Failure {
    Failure::of(located::reports(error, sources))
}

/// Keeps a command from giving back memory piece by piece when the process is about to end: for a large plan that takes
/// longer than making it.
pub(super) fn leave<T>(values: T) {
    std::mem::forget(values);
}

/// A path counted from the project's folder.
pub(super) fn within(context: &Context, path: &Path) -> PathBuf {
    context.project.join(path)
}
