//! `capol import`, and the part of `capol init` that takes in what exists.

use std::path::{Path, PathBuf};

use super::{Context, Failure, Outcome, work};
use crate::model::Address;
use crate::ops::import::{self, Adoption, Imported};

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

pub(super) async fn run(context: &Context, what: What, out: Option<&Path>) -> Result<Outcome, Failure> {
    let loaded = work::sound_or_new(context)?;
    let out = out.map_or_else(|| context.project.clone(), |out| context.project.join(out));
    let imported = match what {
        What::Files(paths) => import::from_files(&loaded, &paths, &out)?,
        What::Everything | What::One(..) => {
            let workspace = work::workspace(context, &loaded)?;
            let worker = work::worker(context, "import")?;
            let configuration = &loaded.configuration;
            let tenant = context.global.tenant.as_deref();
            let connection = workspace
                .connect(
                    configuration,
                    tenant,
                    &context.environment,
                    context.watch_for_person().observer(),
                )
                .await?;
            let guard = workspace.lock(&worker).await?;
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
            };
            let imported = match &what {
                What::One(address, id) => adoption.one(address, id).await,
                _ => adoption.everything().await,
            };
            connection.close().await;
            imported.map_err(failure)?
        }
    };
    told(context, &imported)
}

/// Says it to the person even with `--json`, which here means that the arguments are files.
fn said(context: &Context, text: &str) {
    if !context.global.quiet {
        context.terminal.error_text(&format!("{text}\n"));
    }
}

fn told(context: &Context, imported: &Imported) -> Result<Outcome, Failure> {
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
    said(
        context,
        &format!(
            "Imported {} objects into {} files.",
            imported.addresses.len(),
            imported.files.len()
        ),
    );
    if imported.rejected.is_empty() {
        return Ok(Outcome::Done);
    }
    Err(Failure::of(imported.rejected.iter().map(|rejected| {
        miette::Report::new(rejected.reason.clone())
            .wrap_err(format!("`{}{}` is not imported", rejected.file, rejected.pointer))
    })))
}
