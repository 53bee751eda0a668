//! Bringing what exists under code: from exported files, or from the tenant itself.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::OpsError;
use super::connection::Connection;
use super::files;
use super::project::Loaded;
use super::refresh::{names_of, whole_tenant};
use super::workspace::{WorkError, Worker};
use crate::export::{self, Exported, Ignored, KnownNames, Naming, Options, Rejected, UnsetVariable};
use crate::model::live::{LiveObject, LiveTenant};
use crate::model::state::{Document, Lifecycle, ResourceState};
use crate::model::{Address, Kind, Reference};
use crate::state::history::Change;
use crate::state::{Guard, StateError, Stored};
use crate::syntax::{Body, Item, print};

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
}

/// A problem with the object that shall be imported.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ImportError {
    /// No object has the id.
    #[error("no {block} in the tenant has the id `{id}`")]
    #[diagnostic(
        code("import::no_such_object"),
        help("look the id up in the tenant, or import everything with `capol import --all`")
    )]
    NoSuchObject {
        /// The block type.
        block: String,
        /// The id.
        id: String,
    },
    /// The address is taken.
    #[error("`{address}` already manages the object `{id}`")]
    #[diagnostic(
        code("import::address_taken"),
        help("choose another address, or let the object go with `capol state rm`")
    )]
    AddressTaken {
        /// The address.
        address: String,
        /// The object it manages.
        id: String,
    },
    /// The object is managed under another address.
    #[error("the object `{id}` is already managed as `{address}`")]
    #[diagnostic(
        code("import::object_taken"),
        help("rename it with `capol state mv`, or with a `moved` block")
    )]
    ObjectTaken {
        /// The id.
        id: String,
        /// The address.
        address: String,
    },
    /// Objects that no block writes.
    #[error("a `{kind}` block can't own an object of a tenant")]
    #[diagnostic(
        code("import::kind"),
        help("import a policy, location, strength, context or group")
    )]
    Kind {
        /// The block type.
        kind: String,
    },
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
    })
}

/// What an exporter must know of the project that it writes into.
fn options(project: &Loaded) -> Options {
    let configuration = &project.configuration;
    let mut taken: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for instance in project.project.instances() {
        taken
            .entry(instance.address.kind.clone())
            .or_default()
            .insert(instance.address.name.clone());
    }
    let emergency_access = configuration.emergency_access.as_ref().map(|access| {
        let ids = access.users.iter().chain(&access.groups);
        ids.filter_map(|reference| match reference {
            Reference::Id { target, id } => Some((*target, id.clone())),
            Reference::Lookup(lookup) => Some((lookup.target, lookup.name.clone())),
            _ => None,
        })
        .collect()
    });
    Options {
        emergency_access,
        has_settings: configuration.settings != crate::model::configuration::Settings::default(),
        import_blocks: false,
        taken,
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

/// Everything that the tenant holds and nobody here manages: into files, and into state.
pub async fn whole(
    connection: &Connection,
    project: &Loaded,
    store: &dyn crate::state::StateStore,
    guard: &Guard,
    worker: &Worker,
    out: &Path,
) -> Result<Imported, WorkError> {
    let stored = store.load().await?;
    let (live, _) = whole_tenant(connection).await?;
    let managed = managed(stored.as_ref());
    let chosen: Vec<&LiveObject> = live
        .objects
        .iter()
        .filter(|object| {
            !object.is_built_in() && !managed.contains_key(&(object.kind.block(), object.id.clone()))
        })
        .collect();
    adopt(
        connection, project, store, guard, worker, out, stored, &live, &chosen, None,
    )
    .await
}

/// One live object under one address.
pub async fn one(
    connection: &Connection,
    project: &Loaded,
    store: &dyn crate::state::StateStore,
    guard: &Guard,
    worker: &Worker,
    out: &Path,
    address: &Address,
    id: &str,
) -> Result<Imported, WorkError> {
    let kind = Kind::ALL.into_iter().find(|kind| kind.block() == address.kind);
    let kind = kind.ok_or_else(|| ImportError::Kind {
        kind: address.kind.clone(),
    })?;
    let stored = store.load().await?;
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
    let (mut live, _) = whole_tenant(connection).await?;
    if kind == Kind::Group {
        let group = connection
            .graph
            .objects_by_id(&[id.to_owned()], &["group"])
            .await
            .map_err(OpsError::from)?;
        for json in group.into_values() {
            let version = crate::model::properties::ApiVersion::V1;
            live.objects
                .push(LiveObject::read(Kind::Group, json, version).map_err(OpsError::from)?);
        }
    }
    let found = live.of_block(kind.block(), id).cloned();
    let found = found.ok_or_else(|| ImportError::NoSuchObject {
        block: kind.noun().to_owned(),
        id: id.to_owned(),
    })?;
    adopt(
        connection,
        project,
        store,
        guard,
        worker,
        out,
        stored,
        &live,
        &[&found],
        Some(address),
    )
    .await
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

#[expect(
    clippy::too_many_arguments,
    reason = "the two ways to import differ only in what they choose"
)]
async fn adopt(
    connection: &Connection,
    project: &Loaded,
    store: &dyn crate::state::StateStore,
    guard: &Guard,
    worker: &Worker,
    out: &Path,
    stored: Option<Stored>,
    live: &LiveTenant,
    chosen: &[&LiveObject],
    address: Option<&Address>,
) -> Result<Imported, WorkError> {
    let has_block = address.is_some_and(|address| project.configuration.resources.contains_key(address));
    let mut imported = Imported::default();
    if let (true, Some(address)) = (has_block, address) {
        imported.addresses.push(address.clone());
    } else {
        let names = known_names(connection, live, chosen).await?;
        let objects: Vec<Exported> = chosen.iter().map(|object| exported(object)).collect();
        let mut written = export::export(&objects, &names, &options(project));
        if let (Some(address), [made]) = (address, written.addresses.as_slice()) {
            let made = made.clone();
            rename(&mut written.files, &made, address);
            written.addresses = vec![address.clone()];
        }
        imported.files = write(out, &written.files)?;
        imported.addresses = written.addresses;
        imported.unset_variables = written.unset_variables;
    }
    let version = stored.as_ref().map(|stored| stored.version.clone());
    let mut document = stored.map_or_else(
        || Document::new(uuid::Uuid::new_v4(), connection.tenant_id.clone()),
        |stored| stored.document,
    );
    document
        .for_tenant(&connection.tenant_id)
        .map_err(StateError::from)?;
    for (object, address) in chosen.iter().zip(&imported.addresses) {
        document.resources.insert(address.to_string(), remembered(object));
    }
    let change = Change {
        at: worker.now,
        who: worker.who.clone(),
        operation: worker.command.clone(),
        new_lineage: false,
    };
    store.swap(guard, version.as_ref(), &document, &change).await?;
    Ok(imported)
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
