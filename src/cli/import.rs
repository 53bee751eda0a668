//! `capol import`, and the part of `capol init` that takes in what exists.

use std::path::{Path, PathBuf};

use super::{Context, Failure, Outcome, work};
use crate::model::Address;
use crate::ops::import::{self, Adoption, Imported};
use crate::report::words;

/// A command line that does not say what to import.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("it is not said what to import")]
#[diagnostic(
    code("cli::import"),
    help("write `capol import ADDRESS ID`, `capol import --all`, or `capol import --json FILE…`")
)]
struct NothingToImport;

/// What to import.
pub(super) enum What {
    Files(Vec<PathBuf>),
    Everything,
    One(Address, String),
}

impl What {
    /// What the arguments of `capol import` mean: with `--json` they are files.
    pub(super) fn of(context: &Context, arguments: &[String], all: bool) -> Result<Self, Failure> {
        match (arguments, all, context.global.json) {
            ([], true, _) => Ok(Self::Everything),
            ([_, ..], false, true) => Ok(Self::Files(
                arguments.iter().map(|path| context.project.join(path)).collect(),
            )),
            ([address, id], false, false) => Ok(Self::One(address.parse()?, id.clone())),
            _ => Err(NothingToImport.into()),
        }
    }
}

/// Where an import writes, and in which words.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Manner<'a> {
    /// The folder for new files; the project's when left out.
    pub(super) out: Option<&'a Path>,
    /// Whether ids are written even where a name would do.
    pub(super) pin_ids: bool,
}

pub(super) async fn run(context: &Context, what: What, manner: Manner<'_>) -> Result<Outcome, Failure> {
    let out = manner.out;
    if import::is_pending(&context.project) {
        complete(context).await?;
    }
    let loaded = work::sound_or_new(context)?;
    let out = out.map_or_else(|| context.project.clone(), |out| context.project.join(out));
    let imported = match what {
        What::Files(paths) => import::from_files(&loaded, &paths, &out)?,
        What::Everything | What::One(..) => {
            let workspace = work::workspace(context, &loaded)?;
            let worker = work::worker(context, "import")?;
            let configuration = &loaded.configuration;
            let connection = work::connect(
                context,
                &workspace,
                configuration,
                context.watch_for_person().observer(),
            )
            .await?;
            let guard = workspace.lock(&worker).await?;
            context.locked(&guard);
            let failure = |error| work::failure(error, &loaded.sources);
            workspace
                .recover(&connection, &guard, &worker, configuration)
                .await
                .map_err(failure)?;
            let adoption = Adoption {
                connection: &connection,
                project: &loaded,
                store: &workspace.store,
                guard: &guard,
                worker: &worker,
                out: &out,
                pin_ids: manner.pin_ids,
            };
            let imported = match &what {
                What::One(address, id) => adoption.one(address, id).await,
                _ => adoption.everything().await,
            };
            connection.close().await;
            imported.map_err(failure)?
        }
    };
    told(context, imported)
}

/// Writes what an interrupted import did not come to write.
async fn complete(context: &Context) -> Result<(), Failure> {
    let store = super::state::store(context)?;
    let operator = super::state::operator(context)?;
    let guard = operator.lock(&store, "import").await?;
    let completed = import::complete(&store, &guard, &operator.change("import")).await;
    let addresses = completed.map_err(|error| Failure::of([miette::Report::new(error)]))?;
    guard.release()?;
    if let Some(addresses) = addresses {
        said(
            context,
            &format!(
                "Completed an import that was interrupted: {}.",
                words::count(addresses.len(), "object")
            ),
        );
    }
    Ok(())
}

/// Says it to the person even with `--json`, which here means that the arguments are files.
fn said(context: &Context, text: &str) {
    if !context.global.quiet {
        context.terminal.error_text(&format!("{text}\n"));
    }
}

fn told(context: &Context, imported: Imported) -> Result<Outcome, Failure> {
    for file in &imported.files {
        context.out(&format!(
            "{}\n",
            file.strip_prefix(&context.project).unwrap_or(file).display()
        ));
    }
    for ignored in &imported.ignored {
        said(
            context,
            &format!("{} holds {}: nothing to import", ignored.file, ignored.what),
        );
    }
    for unset in &imported.unset_variables {
        said(
            context,
            &format!(
                "`var.{}` needs a value before a plan: the export says `{}` there",
                unset.name, unset.placeholder
            ),
        );
    }
    let objects = words::count(imported.addresses.len(), "object");
    said(
        context,
        &match (imported.addresses.len(), imported.files.len()) {
            (0, _) if !(imported.rejected.is_empty() && imported.ignored.is_empty()) => {
                "Imported nothing.".to_owned()
            }
            (0, _) => "Nothing to import: everything is managed already.".to_owned(),
            (_, 0) => format!("Imported {objects}; the blocks were written already."),
            (_, files) => format!("Imported {objects} into {}.", words::count(files, "file")),
        },
    );
    let rejected = imported.rejected.iter().map(|rejected| {
        miette::Report::new(rejected.reason.clone())
            .wrap_err(format!("`{}{}` is not imported", rejected.file, rejected.pointer))
    });
    let left_out = imported.left_out.into_iter().map(miette::Report::new);
    let missing: Vec<miette::Report> = rejected.chain(left_out).collect();
    if missing.is_empty() {
        Ok(Outcome::Done)
    } else {
        Err(Failure::of(missing))
    }
}
