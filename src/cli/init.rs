//! `capol init`

use std::path::{Path, PathBuf};

use super::import::{self, Manner, What};
use super::{Context, Failure, Outcome, work};
use crate::ops::files;

const MAIN: &str = r#"# What this tenant's Conditional Access shall be. `capol plan` shows what would change.

emergency_access {
  # The accounts that no policy may ever catch.
  users = [user("breakglass1@contoso.com"), user("breakglass2@contoso.com")]
}

policy "mfa_for_everyone" {
  name  = "CA001 Require MFA for everyone"
  state = report_only

  users = all
  apps  = all

  grant = mfa
}
"#;

const IGNORED: &str = ".capol/\n*.capolplan\n*.state.json*\n";

/// What is asked of an init.
pub(super) struct Request {
    pub(super) dir: Option<PathBuf>,
    pub(super) from_tenant: bool,
    pub(super) from_json: Vec<PathBuf>,
    pub(super) pin_ids: bool,
}

pub(super) async fn run(context: &mut Context, request: Request) -> Result<Outcome, Failure> {
    // Files are named from where one stands, the project from the folder that is made.
    let exports: Vec<PathBuf> = request
        .from_json
        .iter()
        .map(|path| context.project.join(path))
        .collect();
    if let Some(dir) = &request.dir {
        context.project = context.project.join(dir);
        // So that what is to be typed next is meant for that folder.
        let folder = context.global.chdir.take().unwrap_or_default();
        context.global.chdir = Some(folder.join(dir));
    }
    let project = context.project.clone();
    if !project.join(".gitignore").exists() {
        files::write_new(&[(project.join(".gitignore"), IGNORED.to_owned())])?;
    }
    if request.from_tenant {
        let manner = Manner {
            out: None,
            pin_ids: request.pin_ids,
        };
        return import::run(context, What::Everything, manner).await;
    }
    if !exports.is_empty() {
        return import::run(context, What::Files(exports), Manner::default()).await;
    }
    if has_files(&project) {
        // Modules are fetched while the project is read.
        let loaded = work::sound(context)?;
        context.note(&format!(
            "The project is ready: {} objects.",
            loaded.configuration.resources.len()
        ));
    } else {
        files::write_new(&[(project.join("main.capol"), MAIN.to_owned())])?;
        context.out(&format!("{}\n", project.join("main.capol").display()));
        context.note(&format!(
            "Name your emergency accounts in it, then run `{}`.",
            context.command("plan")
        ));
    }
    Ok(Outcome::Done)
}

fn has_files(project: &Path) -> bool {
    project
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.path().extension().is_some_and(|ending| ending == "capol"))
}
