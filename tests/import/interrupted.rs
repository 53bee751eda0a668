//! An import that is cut off: all of it or nothing, after the next one.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use capol::ops::import;
use capol::ops::project::{Given, Loaded, load_or_new};
use capol::sandbox::Tenant;
use capol::state::Change;
use capol::state::files::{Files, OpenFile, RealFiles};
use serde_json::json;

use super::everything::{empty_project, import_all, is_under_code};
use crate::world::World;

/// Real files, except that no state can be written: as if the process died before it.
#[derive(Debug)]
struct NoState;

impl Files for NoState {
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        RealFiles.resolve(path)
    }
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        RealFiles.read(path)
    }
    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        if path.to_string_lossy().contains("capol.state.json") {
            return Err(io::Error::other("dead"));
        }
        RealFiles.create(path)
    }
    fn append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        RealFiles.append(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        RealFiles.rename(from, to)
    }
    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        RealFiles.sync_folder(folder)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        RealFiles.remove(path)
    }
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        RealFiles.create_folder(folder)
    }
    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        RealFiles.list(folder)
    }
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn OpenFile>>> {
        RealFiles.lock(path)
    }
}

fn tenant() -> Tenant {
    let mut tenant = Tenant::contoso();
    tenant
        .load_objects(&json!({
            "namedLocations": [{"@odata.type": "#microsoft.graph.countryNamedLocation", "displayName": "Home",
                "id": "aaaaaaaa-0000-4000-8000-000000000001", "countriesAndRegions": ["DK"],
                "countryLookupMethod": "clientIpAddress", "includeUnknownCountriesAndRegions": false}],
            "policies": [{"displayName": "P", "state": "enabled",
                "conditions": {"users": {"includeUsers": ["All"]}, "clientAppTypes": ["all"],
                    "applications": {"includeApplications": ["All"]},
                    "locations": {"includeLocations": ["All"],
                        "excludeLocations": ["aaaaaaaa-0000-4000-8000-000000000001"]}},
                "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}}],
        }))
        .unwrap();
    tenant
}

/// What `capol import` does before anything else.
async fn complete(world: &World) -> usize {
    let workspace = world.workspace(&world_loaded(world));
    let worker = world.worker("import");
    let guard = workspace.lock(&worker).await.unwrap();
    let change = Change {
        at: worker.now,
        who: worker.who.clone(),
        operation: worker.command.clone(),
        new_lineage: false,
    };
    let completed = import::complete(&workspace.store, &guard, &change).await.unwrap();
    completed.unwrap().len()
}

fn world_loaded(world: &World) -> Loaded {
    let now = world.worker("import").now;
    load_or_new(world.folder.path(), &Given::default(), &BTreeMap::default(), now)
}

#[tokio::test]
async fn wherever_it_is_cut_off_the_next_import_completes_it() {
    let whole = empty_project(tenant()).await;
    let files = import_all(&whole, false).await.unwrap().files;
    let names: Vec<String> = files
        .iter()
        .map(|file| file.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert!(names.len() > 2, "{names:?}");
    for written in 0..=names.len() {
        let mut world = empty_project(tenant()).await;
        world.files = Arc::new(NoState);
        import_all(&world, false).await.unwrap_err();
        // The files are written in this order: so far it came.
        for name in &names[written..] {
            std::fs::remove_file(world.path(name)).unwrap();
        }
        assert!(import::is_pending(world.folder.path()));
        assert!(!world.path("capol.state.json").exists());
        world.files = Arc::new(RealFiles);
        assert_eq!(complete(&world).await, 5);
        assert!(!import::is_pending(world.folder.path()));
        is_under_code(&world).await;
        for name in &names {
            let text = |world: &World| std::fs::read_to_string(world.path(name)).unwrap();
            assert_eq!(text(&world), text(&whole), "{name}");
        }
    }
}

#[tokio::test]
async fn a_file_that_somebody_wrote_meanwhile_is_left_alone() {
    let mut world = empty_project(tenant()).await;
    world.files = Arc::new(NoState);
    import_all(&world, false).await.unwrap_err();
    let file = world.path("policies.capol");
    let mine = format!("# mine\n{}", std::fs::read_to_string(&file).unwrap());
    std::fs::write(&file, &mine).unwrap();
    world.files = Arc::new(RealFiles);
    complete(&world).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), mine);
    is_under_code(&world).await;
}
