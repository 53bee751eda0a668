//! Bringing what exists under code: from exported files, or from the tenant itself.

mod check;
mod error;
mod names;
mod pending;
mod tenant;
mod written;

use std::path::{Path, PathBuf};

pub use self::error::ImportError;
pub use self::pending::{complete, is_pending};
pub use self::tenant::{Adoption, generate};
pub(super) use self::tenant::{addresses, adopted, key};
use super::OpsError;
use super::files;
use super::project::Loaded;
use crate::export::{self, Exported, Ignored, Options, Rejected, UnsetVariable};
use crate::model::{Address, Reference, Target};

/// What an import wrote.
#[derive(Debug, Default)]
pub struct Imported {
    /// The files written.
    pub files: Vec<PathBuf>,
    /// The addresses of what was taken in.
    pub addresses: Vec<Address>,
    /// Variables that need a value before a plan.
    pub unset_variables: Vec<UnsetVariable>,
    /// What was not taken in, and why.
    pub rejected: Vec<Rejected>,
    /// Files that hold nothing of Conditional Access.
    pub ignored: Vec<Ignored>,
    /// Objects of the tenant that no file can hold.
    pub left_out: Vec<ImportError>,
}

/// Exported files into the files of a project. Nothing is adopted: the ids in an export may be another tenant's.
pub fn from_files(project: &Loaded, paths: &[PathBuf], out: &Path) -> Result<Imported, OpsError> {
    let intake = export::read(&files::below(paths, &["json", "yaml", "yml"])?);
    let objects: Vec<Exported> = intake.objects.iter().map(Exported::from).collect();
    let written = export::export(&objects, &intake.names, &options(project));
    let files = write(out, &written.files)?;
    Ok(Imported {
        files,
        addresses: written.addresses,
        unset_variables: written.unset_variables,
        rejected: intake.rejected,
        ignored: intake.ignored,
        left_out: Vec::new(),
    })
}

/// What an exporter must know of the project that it writes into.
fn options(project: &Loaded) -> Options {
    let configuration = &project.configuration;
    let written = written::written(project);
    let emergency_access = configuration.emergency_access.as_ref().map(|access| {
        let ids = access.users.iter().chain(&access.groups);
        ids.filter_map(account).collect()
    });
    Options {
        emergency_access,
        has_settings: configuration.settings != crate::model::configuration::Settings::default(),
        taken: written.labels,
        managed: written.pinned,
        ..Options::default()
    }
}

/// What an export that knows no tenant tells an emergency account by: its id, or its name.
fn account(reference: &Reference) -> Option<(Target, String)> {
    match reference {
        Reference::Id { target, id } => Some((*target, id.clone())),
        Reference::Lookup(lookup) => Some((lookup.target, lookup.name.clone())),
        _ => None,
    }
}

fn write(out: &Path, written: &[(String, String)]) -> Result<Vec<PathBuf>, OpsError> {
    let files: Vec<(PathBuf, String)> = written
        .iter()
        .map(|(name, text)| (out.join(name), text.clone()))
        .collect();
    files::write_new(&files)?;
    Ok(files.into_iter().map(|(path, _)| path).collect())
}
