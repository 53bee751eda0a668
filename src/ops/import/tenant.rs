//! From the tenant: live objects into files and state, or into files alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::names::{emergency_accounts, known_names};
use super::pending::{Pending, complete, folder_of};
use super::{ImportError, Imported, check, options};
use crate::export::{self, Exported, NamedTenant, Options, Project};
use crate::model::live::{LiveObject, LiveTenant};
use crate::model::properties::ApiVersion;
use crate::model::state::{Document, Lifecycle, ResourceState};
use crate::model::{Address, Kind, Reference, Target};
use crate::ops::OpsError;
use crate::ops::connection::Connection;
use crate::ops::files;
use crate::ops::project::Loaded;
use crate::ops::refresh::whole_tenant;
use crate::ops::workspace::{WorkError, Worker};
use crate::state::history::Change;
use crate::state::{Guard, LocalFile, StateError, StateStore as _, Stored};

/// The name of the file for what is neither object nor look-up.
const SETTINGS: &str = "capol.capol";

/// What it begins with where there is one already.
const NUMBERED_SETTINGS: &str = "capol-";

/// Live objects into the files of a project, and into its state.
pub struct Adoption<'a> {
    /// The tenant.
    pub connection: &'a Connection,
    /// The project that takes the objects in.
    pub project: &'a Loaded,
    /// Where its state lies.
    pub store: &'a LocalFile,
    /// The lock on that state.
    pub guard: &'a Guard,
    /// Who imports.
    pub worker: &'a Worker,
    /// The folder for new files.
    pub out: &'a Path,
    /// Whether ids are written even where a name would do.
    pub pin_ids: bool,
}

impl Adoption<'_> {
    /// Takes in everything that the tenant holds and nobody here manages.
    pub async fn everything(&self) -> Result<Imported, WorkError> {
        let stored = self.store.load().await?;
        let (live, _) = whole_tenant(self.connection).await?;
        let managed = managed(stored.as_ref());
        let chosen: Vec<&LiveObject> = live
            .objects
            .iter()
            .filter(|object| {
                !object.is_built_in() && !managed.contains_key(&(object.kind.block(), object.id.clone()))
            })
            .collect();
        let objects: Vec<Exported> = chosen.iter().map(|object| exported(object)).collect();
        let unsound = check::unsound(&objects, self.worker.now);
        let sound: Vec<&LiveObject> = chosen
            .iter()
            .enumerate()
            .filter(|(at, _)| !unsound.contains_key(at))
            .map(|(_, object)| *object)
            .collect();
        let mut imported = self.adopt(stored, &live, &sound, None).await?;
        imported.left_out = unsound
            .into_iter()
            .filter_map(|(at, why)| {
                let object = chosen.get(at)?;
                Some(ImportError::LeftOut {
                    noun: object.kind.noun().to_owned(),
                    name: object.name().to_owned(),
                    why,
                })
            })
            .collect();
        Ok(imported)
    }

    /// Takes in one live object under one address.
    pub async fn one(&self, address: &Address, id: &str) -> Result<Imported, WorkError> {
        let kind = Kind::ALL.into_iter().find(|kind| kind.block() == address.kind);
        let kind = kind.ok_or_else(|| ImportError::Kind {
            kind: address.kind.clone(),
        })?;
        let stored = self.store.load().await?;
        if let Some(kept) = stored
            .as_ref()
            .and_then(|stored| stored.document.resources.get(&address.to_string()))
        {
            return Err(ImportError::AddressTaken {
                address: address.to_string(),
                id: kept.id.clone(),
            }
            .into());
        }
        if let Some(address) = managed(stored.as_ref()).get(&(kind.block(), id.to_ascii_lowercase())) {
            return Err(ImportError::ObjectTaken {
                id: id.to_owned(),
                address: address.clone(),
            }
            .into());
        }
        let (mut live, _) = whole_tenant(self.connection).await?;
        if kind == Kind::Group {
            let group = self
                .connection
                .graph
                .objects_by_id(&[id.to_owned()], &["group"])
                .await
                .map_err(OpsError::from)?;
            for json in group.into_values() {
                let version = ApiVersion::V1;
                live.objects
                    .push(LiveObject::read(Kind::Group, json, version).map_err(OpsError::from)?);
            }
        }
        let found = live.of_block(kind.block(), id).cloned();
        let found = found.ok_or_else(|| ImportError::NoSuchObject {
            block: kind.noun().to_owned(),
            id: id.to_owned(),
        })?;
        self.adopt(stored, &live, &[&found], Some(address)).await
    }

    async fn adopt(
        &self,
        stored: Option<Stored>,
        live: &LiveTenant,
        chosen: &[&LiveObject],
        address: Option<&Address>,
    ) -> Result<Imported, WorkError> {
        let has_block =
            address.is_some_and(|address| self.project.configuration.resources.contains_key(address));
        let mut imported = Imported::default();
        let mut texts = Vec::new();
        if let (true, Some(address)) = (has_block, address) {
            imported.addresses.push(address.clone());
        } else {
            let written = self.written(stored.as_ref(), live, chosen, address).await?;
            texts = match address {
                Some(address) => together(written.files, &format!("{}-{}", address.kind, address.name)),
                None => written.files,
            };
            imported.addresses = written.addresses;
            imported.unset_variables = written.unset_variables;
        }
        let begin = folder_of(self.store);
        let place = |name: &String| {
            let path = self.out.join(name);
            path.strip_prefix(&begin).map_or(path.clone(), Path::to_owned)
        };
        imported.files = texts.iter().map(|(name, _)| self.out.join(name)).collect();
        if let Some(taken) = imported.files.iter().find(|file| file.symlink_metadata().is_ok()) {
            return Err(OpsError::Exists { path: taken.clone() }.into());
        }
        let lineage = stored
            .as_ref()
            .map_or_else(uuid::Uuid::new_v4, |stored| stored.document.lineage);
        let mut document = Document::new(lineage, self.connection.tenant_id.clone());
        if let Some(stored) = &stored {
            let present = stored.document.for_tenant(&self.connection.tenant_id);
            present.map_err(StateError::from)?;
        }
        let mut known = addresses(stored.as_ref().map(|stored| &stored.document));
        for (object, address) in chosen.iter().zip(&imported.addresses) {
            known.extend(key(object).map(|key| (key, address.to_string())));
        }
        for (object, address) in chosen.iter().zip(&imported.addresses) {
            let resource = adopted(object, &known);
            document.resources.insert(address.to_string(), resource);
        }
        if document.resources.is_empty() && texts.is_empty() {
            return Ok(imported);
        }
        let files: Vec<(PathBuf, String)> = texts
            .into_iter()
            .map(|(name, text)| (place(&name), text))
            .collect();
        Pending { files, document }.keep(self.store)?;
        complete(self.store, self.guard, &change(self.worker)).await?;
        Ok(imported)
    }

    /// The text of the objects, in the words of this project and tenant.
    async fn written(
        &self,
        stored: Option<&Stored>,
        live: &LiveTenant,
        chosen: &[&LiveObject],
        address: Option<&Address>,
    ) -> Result<Project, WorkError> {
        let names = known_names(self.connection, live, chosen, self.pin_ids).await?;
        let objects: Vec<Exported> = chosen
            .iter()
            .map(|object| Exported {
                label: address.map(|address| address.name.clone()),
                ..exported(object)
            })
            .collect();
        let mut options = live_options(self.connection, self.project, stored).await?;
        options.existing = names_in(self.out);
        let is_new = self.project.configuration.tenants.is_empty() && !self.connection.is_sandbox;
        options.tenant = is_new.then(|| NamedTenant {
            id: self.connection.tenant_id.clone(),
            name: self.connection.display_name.clone(),
        });
        Ok(export::export(&objects, &names, &options))
    }
}

/// What the history says of an import.
fn change(worker: &Worker) -> Change {
    Change {
        at: worker.now,
        who: worker.who.clone(),
        operation: worker.command.clone(),
        new_lineage: false,
    }
}

/// How the objects of a tenant are written into a project that manages some of it already.
async fn live_options(
    connection: &Connection,
    project: &Loaded,
    stored: Option<&Stored>,
) -> Result<Options, OpsError> {
    let resources = stored.into_iter().flat_map(|stored| &stored.document.resources);
    let managed: Vec<_> = resources
        .filter_map(|(text, kept)| {
            let address: Address = text.parse().ok()?;
            // A module's inside can't be named from outside.
            let is_here = address.module.is_empty() && project.configuration.resources.contains_key(&address);
            is_here.then_some(((kept.kind.target()?, kept.id.to_ascii_lowercase()), address))
        })
        .collect();
    let mut options = Options {
        emergency_access: emergency_accounts(connection, project).await?,
        live: true,
        ..options(project)
    };
    options.managed.extend(managed);
    Ok(options)
}

/// The names in a folder.
fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect()
}

/// One file of all but the settings.
fn together(files: Vec<(String, String)>, stem: &str) -> Vec<(String, String)> {
    let (mut settings, rest): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|(name, _)| name == SETTINGS || name.starts_with(NUMBERED_SETTINGS));
    let texts: Vec<String> = rest.into_iter().map(|(_, text)| text).collect();
    settings.push((format!("{stem}.capol"), texts.join("\n")));
    settings
}

/// The blocks that `import` blocks name and that nobody wrote yet, into a new file. Nothing is adopted here:
/// the plan that follows does that.
pub async fn generate(
    connection: &Connection,
    project: &Loaded,
    store: &LocalFile,
    path: &Path,
) -> Result<usize, WorkError> {
    let configuration = &project.configuration;
    let missing: Vec<_> = configuration
        .imports
        .iter()
        .filter(|import| !configuration.resources.contains_key(&import.to))
        .collect();
    let stored = store.load().await?;
    let (live, _) = whole_tenant(connection).await?;
    let mut chosen: Vec<&LiveObject> = Vec::new();
    let mut objects = Vec::new();
    for import in missing {
        let found = live.of_block(&import.to.kind, &import.id);
        let found = found.ok_or_else(|| ImportError::NoSuchObject {
            block: import.to.kind.clone(),
            id: import.id.clone(),
        })?;
        chosen.push(found);
        objects.push(Exported {
            label: Some(import.to.name.clone()),
            ..exported(found)
        });
    }
    let names = known_names(connection, &live, &chosen, false).await?;
    let options = Options {
        has_settings: true,
        ..live_options(connection, project, stored.as_ref()).await?
    };
    let written = export::export(&objects, &names, &options);
    let texts: Vec<String> = written.files.into_iter().map(|(_, text)| text).collect();
    files::write_new(&[(path.to_owned(), texts.join("\n"))])?;
    Ok(chosen.len())
}

fn managed(stored: Option<&Stored>) -> BTreeMap<(&'static str, String), String> {
    stored
        .into_iter()
        .flat_map(|stored| &stored.document.resources)
        .map(|(address, kept)| ((kept.kind.block(), kept.id.to_ascii_lowercase()), address.clone()))
        .collect()
}

/// The address of each object that can be referred to.
pub(in crate::ops) fn addresses(document: Option<&Document>) -> BTreeMap<(Target, String), String> {
    document
        .into_iter()
        .flat_map(|document| &document.resources)
        .filter_map(|(address, kept)| {
            Some((
                (kept.kind.target()?, kept.id.to_ascii_lowercase()),
                address.clone(),
            ))
        })
        .collect()
}

pub(in crate::ops) fn key(object: &LiveObject) -> Option<(Target, String)> {
    Some((object.kind.target()?, object.id.to_ascii_lowercase()))
}

fn exported(object: &LiveObject) -> Exported {
    let mut known = object.object.clone();
    if !object.unknown.is_null() {
        known.raw = Some(object.unknown.clone());
    }
    Exported {
        object: known,
        id: Some(object.id.clone()),
        has_identity: true,
        remarks: Vec::new(),
        label: None,
    }
}

/// What state remembers of a live object that it takes in; `known` are the addresses of what it may refer to.
pub(in crate::ops) fn adopted(
    object: &LiveObject,
    known: &BTreeMap<(Target, String), String>,
) -> ResourceState {
    let references = object.object.references();
    let dependencies = references.iter().filter_map(|(_, reference)| match reference {
        Reference::Id { target, id } => known.get(&(*target, id.to_ascii_lowercase())).cloned(),
        _ => None,
    });
    ResourceState {
        kind: object.kind,
        id: object.id.clone(),
        api_version: object.version,
        sent: None,
        answered: Some(object.json.clone()),
        dependencies: dependencies.collect(),
        lifecycle: Lifecycle::default(),
        created_by_import: true,
        modified_date_time: object.modified_date_time.clone(),
    }
}
