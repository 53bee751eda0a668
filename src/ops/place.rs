//! Which state file a command means.

use std::path::Path;

use super::OpsError;
use super::source::Disk;
use crate::lang::{LoadError, SourceLoader as _};
use crate::state::Place;
use crate::syntax::{FileId, ItemKind, SourceFile, parse};

/// The state files of a project: one tenant's of several when the project names several.
///
/// Only the `tenant` blocks are looked for, so that state can be mended while the rest of the
/// configuration has errors.
pub fn place(project: &Path, wanted: Option<&str>) -> Result<Place, OpsError> {
    let names = tenants(project)?;
    if let Some(wanted) = wanted
        && !names.is_empty()
        && !names.iter().any(|name| name == wanted)
    {
        return Err(OpsError::NoSuchTenant {
            name: wanted.to_owned(),
            names,
        });
    }
    let alone = Place::in_project(project, None);
    match (wanted, names.len()) {
        (_, 1) => Ok(alone),
        (Some(wanted), _) => Ok(Place::in_project(project, Some(wanted))),
        (None, 0) => {
            let kept = kept_tenants(project)?;
            if kept.is_empty() || alone.state.exists() {
                Ok(alone)
            } else {
                Err(OpsError::WhichTenant { names: kept })
            }
        }
        (None, _) => Err(OpsError::WhichTenant { names }),
    }
}

/// The labels of the project's `tenant` blocks.
fn tenants(project: &Path) -> Result<Vec<String>, OpsError> {
    let disk = Disk::of(project);
    let mut labels = Vec::new();
    for name in names(project)? {
        if Path::new(&name)
            .extension()
            .is_none_or(|ending| ending != "capol")
        {
            continue;
        }
        let path = project.join(&name);
        let bytes = disk.read(&path).map_err(|error| unreadable(&path, error))?;
        let Ok(file) = SourceFile::from_bytes(FileId(0), &name, &bytes) else {
            continue;
        };
        for item in parse(&file).tree.items {
            if let ItemKind::Block(block) = item.kind
                && block.kind.text == "tenant"
                && let Some(label) = block.labels.first()
                && !labels.contains(&label.text)
            {
                labels.push(label.text.clone());
            }
        }
    }
    Ok(labels)
}

/// The tenants that have a state file of their own.
fn kept_tenants(project: &Path) -> Result<Vec<String>, OpsError> {
    let name_of = |name: &String| {
        let tenant = name.strip_prefix("capol.")?.strip_suffix(".state.json")?;
        (!tenant.is_empty()).then(|| tenant.to_owned())
    };
    Ok(names(project)?.iter().filter_map(name_of).collect())
}

/// The files of a folder, sorted; none when there is no such folder.
fn names(folder: &Path) -> Result<Vec<String>, OpsError> {
    match Disk::of(folder).list_dir(folder) {
        Ok(entries) => {
            let files = entries.into_iter().filter(|entry| !entry.is_dir);
            let mut names: Vec<String> = files.map(|entry| entry.name).collect();
            names.sort();
            Ok(names)
        }
        Err(LoadError::NotFound) => Ok(Vec::new()),
        Err(error) => Err(unreadable(folder, error)),
    }
}

fn unreadable(path: &Path, error: LoadError) -> OpsError {
    let source = match error {
        LoadError::NotFound => std::io::ErrorKind::NotFound.into(),
        LoadError::Failed { reason } => std::io::Error::other(reason),
    };
    OpsError::File {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::files::write_new;

    /// What `place` answers in a folder with these files: the state file's name, or the names to choose from.
    fn answer(files: &[(&str, &str)], wanted: Option<&str>) -> Result<String, Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let files: Vec<_> = files
            .iter()
            .map(|(name, text)| (folder.path().join(name), (*text).to_owned()))
            .collect();
        write_new(&files).unwrap();
        match place(folder.path(), wanted) {
            Ok(place) => Ok(place.state.file_name().unwrap().to_string_lossy().into_owned()),
            Err(OpsError::WhichTenant { names } | OpsError::NoSuchTenant { names, .. }) => Err(names),
            Err(other) => panic!("{other}"),
        }
    }

    fn names(names: &[&str]) -> Result<String, Vec<String>> {
        Err(names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn a_project_of_one_tenant_has_one_state() {
        let one = [("main.capol", "tenant \"prod\" {}\n")];
        assert_eq!(answer(&[], None), Ok("capol.state.json".into()));
        assert_eq!(answer(&one, None), Ok("capol.state.json".into()));
        assert_eq!(answer(&one, Some("prod")), Ok("capol.state.json".into()));
        assert_eq!(answer(&one, Some("test")), names(&["prod"]));
    }

    #[test]
    fn a_project_of_several_tenants_wants_to_know_which() {
        let two = [
            ("main.capol", "tenant \"prod\" {}\npolicy \"broken\" {\n"),
            ("test.capol", "tenant \"test\" {}\n"),
        ];
        assert_eq!(answer(&two, None), names(&["prod", "test"]));
        assert_eq!(answer(&two, Some("test")), Ok("capol.test.state.json".into()));
    }

    #[test]
    fn without_configuration_the_state_files_tell() {
        let kept = [("capol.b.state.json", ""), ("capol.a.state.json", "")];
        assert_eq!(answer(&kept, None), names(&["a", "b"]));
        assert_eq!(answer(&kept, Some("b")), Ok("capol.b.state.json".into()));
    }
}
