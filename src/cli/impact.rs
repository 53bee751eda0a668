//! `capol impact`

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use super::{Context, Failure, Outcome, work};
use crate::ops::OpsError;
use crate::ops::files;
use crate::ops::impact::{Impact, ImpactError, Tally};
use crate::report::impact_csv::warned_csv;
use crate::report::impact_json::impact_json;
use crate::report::impact_text::{ImpactView, impact_text};
use crate::report::what_if_text::missing_text;
use crate::state::StateStore as _;

/// Which sign-ins, and between which policies.
#[derive(Debug, Clone, Args)]
#[command(group(ArgGroup::new("logs").required(true).args(["sign_ins", "from_tenant"])))]
pub struct Replaying {
    /// Sign-in logs: files, or folders of them, as Graph, diagnostic settings or Log Analytics export them
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub sign_ins: Vec<PathBuf>,
    /// Read the tenant's sign-in logs
    #[arg(long, conflicts_with = "policies")]
    pub from_tenant: bool,
    /// How many days back
    #[arg(long, value_name = "N", default_value_t = 7, requires = "from_tenant", value_parser = clap::value_parser!(u32).range(1..=30))]
    pub days: u32,
    /// A saved plan instead of the one that would be made now
    #[arg(long, value_name = "FILE", conflicts_with = "policies")]
    pub plan: Option<PathBuf>,
    /// Exported policies that stand for the tenant's, in files and folders; no network
    #[arg(long, value_name = "PATH", num_args = 1.., help_heading = "Without a tenant")]
    pub policies: Vec<PathBuf>,
    /// Exported policies as they shall be, instead of what applying the project would make of them
    #[arg(long, value_name = "PATH", num_args = 1.., requires = "policies", help_heading = "Without a tenant")]
    pub after: Vec<PathBuf>,
    /// Read who is in which group from this file, one JSON object
    #[arg(
        long,
        value_name = "FILE",
        requires = "policies",
        help_heading = "Without a tenant"
    )]
    pub directory: Option<PathBuf>,
    /// Write the people to warn, those newly blocked or prompted, into this file
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
}

pub(super) async fn run(context: &Context, replaying: &Replaying) -> Result<Outcome, Failure> {
    if replaying.policies.is_empty() {
        online(context, replaying).await
    } else {
        offline(context, replaying).await
    }
}

/// Between exported policies and other ones, or what the project would make of them.
async fn offline(context: &Context, replaying: &Replaying) -> Result<Outcome, Failure> {
    let directory = replaying.directory.as_deref();
    let loaded = if replaying.after.is_empty() {
        Some(work::sound_or_new(context)?).filter(|loaded| !loaded.configuration.resources.is_empty())
    } else {
        None
    };
    let impact = match &loaded {
        None => Impact::exported(&replaying.policies, &replaying.after, directory)?,
        Some(loaded) => {
            let workspace = work::workspace(context, loaded)?;
            let stored = workspace.store.load().await?;
            let state = stored.as_ref().map(|stored| &stored.document);
            Impact::offline(&replaying.policies, directory, loaded, state, context.now()).map_err(
                |error| match error {
                    ImpactError::Work(error) => work::failure(*error, &loaded.sources),
                    other => other.into(),
                },
            )?
        }
    };
    let tally = replayed(&impact, replaying)?;
    told(context, replaying, &impact, &tally)
}

async fn online(context: &Context, replaying: &Replaying) -> Result<Outcome, Failure> {
    let loaded = work::sound(context)?;
    let workspace = work::workspace(context, &loaded)?;
    let worker = work::worker(context, "impact")?;
    let saved = replaying.plan.as_ref();
    let plan = saved
        .map(|file| work::saved_plan(&work::within(context, file)))
        .transpose()?;
    let progress = context.watch_for_person();
    progress.doing("reading the tenant");
    let connection = work::connect(context, &workspace, &loaded.configuration, progress.observer()).await?;
    let replay = async {
        let impact = Impact::planned(&workspace, &connection, &loaded, plan, &worker).await?;
        progress.doing("replaying sign-ins");
        let tally = if replaying.from_tenant {
            let told = |_| ();
            impact
                .replay_tenant(&connection, replaying.days, context.now(), told)
                .await?
        } else {
            replayed(&impact, replaying)?
        };
        Ok::<_, ImpactError>((impact, tally))
    };
    let replayed = replay.await;
    progress.clear();
    connection.close().await;
    match replayed {
        Ok((impact, tally)) => told(context, replaying, &impact, &tally),
        Err(ImpactError::Work(error)) => Err(work::failure(*error, &loaded.sources)),
        Err(error) => Err(error.into()),
    }
}

fn replayed(impact: &Impact, replaying: &Replaying) -> Result<Tally, ImpactError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    impact.replay(&Impact::logs(&replaying.sign_ins)?, threads)
}

fn told(
    context: &Context,
    replaying: &Replaying,
    impact: &Impact,
    tally: &Tally,
) -> Result<Outcome, Failure> {
    if let Some(path) = &replaying.csv {
        let path = work::within(context, path);
        let cells = warned_csv(tally).map_err(|source| OpsError::File {
            path: path.clone(),
            source,
        })?;
        files::replace(&path, &cells)?;
    }
    context.aside(&missing_text(&impact.missing()));
    let logs = Impact::logs(&replaying.sign_ins)?;
    let view = ImpactView {
        impact,
        tally,
        logs: &logs,
    };
    if context.global.json {
        context.out(&format!("{:#}\n", impact_json(&view)));
    } else {
        context.page(&impact_text(&view));
    }
    Ok(Outcome::Done)
}
