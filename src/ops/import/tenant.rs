//! From the tenant: live objects into files and state, or into files alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{ImportError, Imported, options, write};
use crate::export::{self, Exported, KnownNames, Naming};
use crate::model::live::{LiveObject, LiveTenant};
use crate::model::properties::ApiVersion;
use crate::model::state::{Document, Lifecycle, ResourceState};
use crate::model::{Address, Kind, Reference};
use crate::ops::OpsError;
use crate::ops::connection::Connection;
use crate::ops::files;
use crate::ops::project::Loaded;
use crate::ops::refresh::{names_of, whole_tenant};
use crate::ops::workspace::{WorkError, Worker};
use crate::state::history::Change;
use crate::state::{Guard, StateError, StateStore, Stored};
use crate::syntax::{Body, Item, print};

/// Live objects into the files of a project, and into its state.
pub struct Adoption<'a> {
    /// The tenant.
    pub connection: &'a Connection,
    /// The project that takes the objects in.
    pub project: &'a Loaded,
    /// Where its state lies.
    pub store: &'a dyn StateStore,
    /// The lock on that state.
    pub guard: &'a Guard,
    /// Who imports.
    pub worker: &'a Worker,
    /// The folder for new files.
    pub out: &'a Path,
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
        self.adopt(stored, &live, &chosen, None).await
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
        if let (true, Some(address)) = (has_block, address) {
            imported.addresses.push(address.clone());
        } else {
            let names = known_names(self.connection, live, chosen).await?;
            let objects: Vec<Exported> = chosen.iter().map(|object| exported(object)).collect();
            let mut written = export::export(&objects, &names, &options(self.project));
            if let (Some(address), [made]) = (address, written.addresses.as_slice()) {
                let made = made.clone();
                rename(&mut written.files, &made, address);
                written.addresses = vec![address.clone()];
            }
            imported.files = write(self.out, &written.files)?;
            imported.addresses = written.addresses;
            imported.unset_variables = written.unset_variables;
        }
        let version = stored.as_ref().map(|stored| stored.version.clone());
        let mut document = stored.map_or_else(
            || Document::new(uuid::Uuid::new_v4(), self.connection.tenant_id.clone()),
            |stored| stored.document,
        );
        document
            .for_tenant(&self.connection.tenant_id)
            .map_err(StateError::from)?;
        for (object, address) in chosen.iter().zip(&imported.addresses) {
            document.resources.insert(address.to_string(), remembered(object));
        }
        let change = Change {
            at: self.worker.now,
            who: self.worker.who.clone(),
            operation: self.worker.command.clone(),
            new_lineage: false,
        };
        self.store
            .swap(self.guard, version.as_ref(), &document, &change)
            .await?;
        Ok(imported)
    }
}

/// The blocks that `import` blocks name and that nobody wrote yet, into a new file. Nothing is adopted here:
/// the plan that follows does that.
pub async fn generate(connection: &Connection, project: &Loaded, path: &Path) -> Result<usize, WorkError> {
    let configuration = &project.configuration;
    let missing: Vec<_> = configuration
        .imports
        .iter()
        .filter(|import| !configuration.resources.contains_key(&import.to))
        .collect();
    let (live, _) = whole_tenant(connection).await?;
    let mut chosen: Vec<(&Address, &LiveObject)> = Vec::new();
    for import in missing {
        let found = live.of_block(&import.to.kind, &import.id);
        let found = found.ok_or_else(|| ImportError::NoSuchObject {
            block: import.to.kind.clone(),
            id: import.id.clone(),
        })?;
        chosen.push((&import.to, found));
    }
    let mut body = Body::new(Vec::new());
    for (address, object) in &chosen {
        let block = export::export_block(&address.name, &exported(object).object, &Naming::default());
        body.push(Item::from(block).apart());
    }
    files::write_new(&[(path.to_owned(), print(&body))])?;
    Ok(chosen.len())
}

fn managed(stored: Option<&Stored>) -> BTreeMap<(&'static str, String), String> {
    stored
        .into_iter()
        .flat_map(|stored| &stored.document.resources)
        .map(|(address, kept)| ((kept.kind.block(), kept.id.to_ascii_lowercase()), address.clone()))
        .collect()
}

/// The one block under the label that was asked for.
fn rename(files: &mut [(String, String)], made: &Address, wanted: &Address) {
    let head = |name: &str| format!("{} \"{name}\" {{", made.kind);
    for (file, text) in files {
        if text.contains(&head(&made.name)) {
            *text = text.replacen(&head(&made.name), &head(&wanted.name), 1);
            *file = format!("{}-{}.capol", wanted.kind, wanted.name);
        } else if file != "capol.capol" {
            *file = format!("{}-{}-{file}", wanted.kind, wanted.name);
        }
    }
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
    }
}

fn remembered(object: &LiveObject) -> ResourceState {
    ResourceState {
        kind: object.kind,
        id: object.id.clone(),
        api_version: object.version,
        sent: None,
        answered: Some(object.json.clone().into()),
        dependencies: BTreeSet::new(),
        lifecycle: Lifecycle::default(),
        created_by_import: true,
        modified_date_time: object.modified_date_time.clone(),
    }
}

async fn known_names(
    connection: &Connection,
    live: &LiveTenant,
    chosen: &[&LiveObject],
) -> Result<KnownNames, OpsError> {
    let mut ids = BTreeSet::new();
    for object in chosen {
        for (_, reference) in object.object.references() {
            if let Reference::Id { target, id } = reference {
                ids.insert((*target, id.clone()));
            }
        }
    }
    let mut names = KnownNames::default();
    for ((target, id), name) in names_of(connection, &ids).await? {
        names.insert(Some(target), &id, &name);
    }
    for object in &live.objects {
        if let Some(target) = object.kind.target() {
            names.insert(Some(target), &object.id, object.name());
        }
    }
    Ok(names)
}
