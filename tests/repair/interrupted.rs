//! A repair that dies at any file-system call: run again, it comes to the same end.

use std::panic::Location;
use std::path::Path;
use std::sync::Arc;

use capol::model::state::Document;
use capol::state::files::Files as _;
use capol::state::{LocalFile, Place};

use super::{ESTATE, STATE, repair_in};
use crate::fire::disk::{Disk, EVERY_WRONG, Life, ROOT};
use crate::world::World;

/// What is left to repair from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Left {
    History,
    Journals,
    Nothing,
}

const HISTORY: &str = ".capol/history";

fn store(disk: &Disk, life: Arc<Life>) -> LocalFile {
    let place = Place::in_project(Path::new(ROOT), None);
    LocalFile::with_files(place, Arc::new(disk.process(life)))
}

/// A disk with what is left, all of it durable.
fn disk(world: &World, left: Left, state: Option<&[u8]>) -> Disk {
    let disk = Disk::default();
    let process = disk.process(Life::new(None));
    let history = Path::new(ROOT).join(HISTORY);
    process.create_folder(&history).unwrap();
    let put = |path: &Path, bytes: &[u8]| {
        let mut file = process.create(path).unwrap();
        file.write(bytes).unwrap();
        file.sync().unwrap();
    };
    for entry in std::fs::read_dir(world.path(HISTORY)).unwrap().flatten() {
        let name = entry.file_name();
        let is_journal = name.to_string_lossy().ends_with("journal.ndjson");
        if left == Left::History || left == Left::Journals && is_journal {
            put(&history.join(&name), &std::fs::read(entry.path()).unwrap());
        }
    }
    if let Some(bytes) = state {
        put(&Path::new(ROOT).join(STATE), bytes);
    }
    for folder in history.ancestors().take(3) {
        process.sync_folder(folder).unwrap();
    }
    disk
}

#[tokio::test]
async fn wherever_it_is_cut_off_the_next_repair_completes_it() {
    let world = World::with(ESTATE).await;
    world.settle().await;
    let before = world.state().await;
    for left in [Left::History, Left::Journals, Left::Nothing] {
        for state in [None, Some(&b"{\"format_version\": 1, "[..])] {
            let disk = disk(&world, left, state);
            let case = format!("{left:?}, state {state:?}");
            every_call(&world, &disk, &before, &case).await;
        }
    }
}

async fn every_call(world: &World, whole: &Disk, before: &Document, case: &str) {
    for wrong in EVERY_WRONG {
        for call in 0.. {
            let disk = whole.copy();
            let life = Life::new(Some((call, wrong)));
            let first = repair_in(world, store(&disk, Arc::clone(&life)), false).await;
            let case = format!("{case}, {wrong:?} at call {call}");
            if life.calls() <= call {
                assert!(first.is_ok(), "{case}: {first:?}");
                break;
            }
            disk.cut_power(call as u64);
            let again = repair_in(world, store(&disk, Life::new(None)), false).await;
            let again = again.unwrap_or_else(|error| panic!("{case}: {error:?}"));
            assert!(again.left_out.is_empty(), "{case}: {again:#?}");
            if first.is_ok() {
                assert!(!again.has_changes, "{case}: it was done, and is not");
            }
            let state = disk.read(&Path::new(ROOT).join(STATE)).expect("a state");
            let after = Document::parse(&state).unwrap_or_else(|error| panic!("{case}: {error:?}"));
            let ids = |document: &Document| -> Vec<(String, String)> {
                let resources = document.resources.iter();
                resources
                    .map(|(at, kept)| (at.clone(), kept.id.clone()))
                    .collect()
            };
            assert_eq!(ids(&after), ids(before), "{case}");
            if call % 7 == 0 {
                std::fs::write(world.path(STATE), &state).unwrap();
                world.nothing_to_do(Location::caller()).await;
            }
        }
    }
}
