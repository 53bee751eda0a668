//! Every way to lose a state, with and without a history: the next plan has nothing to do, and nothing was written.

use std::collections::BTreeMap;
use std::panic::Location;

use capol::model::state::Document;
use capol::ops::state::{Evidence, Repaired};
use capol::ops::workspace::WorkError;
use capol::state::StateStore as _;
use serde_json::{Value, json};

use super::{ESTATE, STATE, bound, left, repair};
use crate::world::World;

/// How a state is lost.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Cut,
    Garbage,
    Empty,
    Other,
    Foreign,
    Unknown,
    PartOfIt,
    Gone,
}

const EVERY: [Damage; 8] = [
    Damage::Cut,
    Damage::Garbage,
    Damage::Empty,
    Damage::Other,
    Damage::Foreign,
    Damage::Unknown,
    Damage::PartOfIt,
    Damage::Gone,
];

impl Damage {
    fn bytes(self, whole: &str) -> Option<Vec<u8>> {
        let mut document: Value = serde_json::from_str(whole).unwrap();
        Some(match self {
            Self::Cut => whole.as_bytes()[..whole.len() / 2].to_vec(),
            Self::Garbage => b"\xff\xfe not a state".to_vec(),
            Self::Empty => Vec::new(),
            Self::Other => b"{}".to_vec(),
            Self::Foreign => json!({ "version": 4, "terraform_version": "1.9.0" })
                .to_string()
                .into_bytes(),
            Self::Unknown => {
                document["format_version"] = json!(0);
                document.to_string().into_bytes()
            }
            Self::PartOfIt => {
                document["resources"]["policy.p"]["kind"] = json!(7);
                document.to_string().into_bytes()
            }
            Self::Gone => return None,
        })
    }

    /// Whether the file itself still tells ids.
    fn tells(self) -> bool {
        matches!(self, Self::Unknown | Self::PartOfIt)
    }

    fn happens(self, world: &World) {
        let path = world.path(STATE);
        let whole = std::fs::read_to_string(&path).unwrap();
        match self.bytes(&whole) {
            Some(bytes) => std::fs::write(path, bytes).unwrap(),
            None => std::fs::remove_file(path).unwrap(),
        }
    }
}

/// What is left of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    Everything,
    Journals,
    Nothing,
}

fn ids(document: &Document) -> BTreeMap<&str, &str> {
    let resources = document.resources.iter();
    resources
        .map(|(address, kept)| (address.as_str(), kept.id.as_str()))
        .collect()
}

/// Removes versions, or all of the history.
fn forget(world: &World, kept: Kept) {
    let folder = world.path(".capol/history");
    for entry in std::fs::read_dir(&folder).unwrap().flatten() {
        let is_journal = entry.file_name().to_string_lossy().ends_with("journal.ndjson");
        if kept == Kept::Nothing || kept == Kept::Journals && !is_journal {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
}

fn damaged(world: &World) -> Vec<Vec<u8>> {
    let folder = std::fs::read_dir(world.path(".capol/history"));
    let entries = folder.into_iter().flatten().flatten();
    entries
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("damaged-"))
        .map(|entry| std::fs::read(entry.path()).unwrap())
        .collect()
}

#[tokio::test]
async fn whatever_is_lost_comes_back_and_the_next_plan_is_empty() {
    let world = World::with(ESTATE).await;
    world.settle().await;
    let before = world.state().await;
    let whole = std::fs::read_to_string(world.path(STATE)).unwrap();
    let shape = world.shape();
    world.requests();
    for kept in [Kept::Everything, Kept::Journals, Kept::Nothing] {
        // The first two lose nothing that the next ones need.
        forget(&world, kept);
        for damage in EVERY {
            let case = format!("{damage:?} with {kept:?}");
            std::fs::write(world.path(STATE), &whole).unwrap();
            forget_damaged(&world);
            damage.happens(&world);
            let bytes = std::fs::read(world.path(STATE)).ok();
            if bytes.is_some() || kept != Kept::Nothing {
                let refused = world.plan().await.err();
                assert!(
                    matches!(refused, Some(WorkError::State(_))),
                    "{case}: a plan would make everything again: {refused:?}"
                );
            }
            let repaired = repair(&world, false)
                .await
                .unwrap_or_else(|error| panic!("{case}: {error:?}"));
            let evidence = match kept {
                Kept::Everything => Evidence::History,
                Kept::Journals => Evidence::Journal,
                Kept::Nothing if damage.tells() => Evidence::History,
                Kept::Nothing => Evidence::Name,
            };
            assert!(repaired.written && repaired.is_certain(), "{case}: {repaired:#?}");
            assert_eq!(left(&repaired), [], "{case}");
            let known: Vec<(&str, Evidence)> = ids(&before).into_keys().map(|it| (it, evidence)).collect();
            assert_eq!(bound(&repaired), known, "{case}");
            let after = world.state().await;
            assert_eq!(ids(&after), ids(&before), "{case}");
            let guard = &after.resources["policy.kept"].lifecycle;
            assert!(guard.prevent_destroy, "{case}");
            if kept == Kept::Everything {
                assert_eq!(
                    std::fs::read_to_string(world.path(STATE)).unwrap(),
                    whole,
                    "{case}"
                );
            } else if kept == Kept::Journals || damage.tells() {
                assert!(
                    after.serial > before.serial && after.lineage == before.lineage,
                    "{case}: the history goes on, and a serial is given once"
                );
            }
            assert_eq!(
                damaged(&world),
                Vec::from_iter(bytes),
                "{case}: what was there is kept"
            );
            let history = world.workspace(&world.loaded()).store.history().await.unwrap();
            assert_eq!(
                history.first().map(|kept| kept.serial),
                Some(after.serial),
                "{case}"
            );
            world.nothing_to_do(Location::caller()).await;
            let again = repair(&world, false).await.unwrap();
            assert!(!again.has_changes && !again.written, "{case}: {again:#?}");
            forget(&world, kept);
        }
    }
    assert_eq!(world.writes(), [""; 0], "the tenant is only read");
    assert_eq!(world.shape(), shape);
}

fn forget_damaged(world: &World) {
    let folder = std::fs::read_dir(world.path(".capol/history"));
    for entry in folder.into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("damaged-") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
}

#[tokio::test]
async fn a_state_of_a_later_version_is_left_alone() {
    let world = World::with(ESTATE).await;
    world.settle().await;
    let newer = std::fs::read_to_string(world.path(STATE)).unwrap();
    let newer = newer.replace("\"format_version\": 1", "\"format_version\": 9");
    std::fs::write(world.path(STATE), &newer).unwrap();
    for from_tenant in [false, true] {
        let refused = repair(&world, from_tenant).await.unwrap_err();
        assert_eq!(refused.code().unwrap().to_string(), "state::newer_format");
    }
    assert_eq!(std::fs::read_to_string(world.path(STATE)).unwrap(), newer);
}

/// The newest version is damaged, too: the one before it, and what the applies since did.
#[tokio::test]
async fn journals_tell_what_was_applied_after_the_newest_readable_version() {
    let world = World::with(ESTATE).await;
    world.settle().await;
    let renamed = ESTATE.replace("\"Kept\"", "\"Kept on\"")
        + "location \"new\" {\n  name = \"New\"\n  countries = [\"SE\"]\n}\n";
    world.becomes(&renamed).await;
    // The address changes by a `moved` block, together with the object.
    let moved = renamed
        .replace("policy \"p\"", "policy \"q\"")
        .replace("\"P\"", "\"Q\"")
        + "moved {\n  from = policy.p\n  to   = policy.q\n}\n";
    world.becomes(&moved).await;
    let before = world.state().await;
    std::fs::remove_file(world.path(STATE)).unwrap();
    let mut versions: Vec<_> = std::fs::read_dir(world.path(".capol/history"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    versions.sort();
    for path in &versions[1..] {
        std::fs::write(path, "{").unwrap();
    }
    let repaired = repair(&world, false).await.unwrap();
    assert_eq!(repaired.restored_serial, Some(1));
    assert_eq!(repaired.later_serial, Some(before.serial));
    let journal: Vec<&str> = bound(&repaired)
        .into_iter()
        .filter(|(_, evidence)| *evidence == Evidence::Journal)
        .map(|(address, _)| address)
        .collect();
    assert_eq!(journal, ["location.new", "policy.kept", "policy.q"]);
    let after = world.state().await;
    assert_eq!(ids(&after), ids(&before));
    assert!(after.serial > before.serial);
    world.nothing_to_do(Location::caller()).await;
}

/// An object that was taken in is in no journal; the tenant tells which it is.
#[tokio::test]
async fn what_no_journal_tells_is_found_in_the_tenant_when_asked_for() {
    let world = World::with(ESTATE).await;
    world.settle().await;
    let before = world.state().await;
    let store = world.workspace(&world.loaded()).store;
    // As after a repair from a version that did not hold it.
    let guard = world
        .workspace(&world.loaded())
        .lock(&world.worker("state rm"))
        .await
        .unwrap();
    let mut older = before.clone();
    older.remove_addresses(&["policy.p".to_owned()]).unwrap();
    let stored = store.load().await.unwrap().unwrap();
    let change = capol::state::Change {
        at: world.worker("state rm").now,
        who: "ada".to_owned(),
        operation: "state rm".to_owned(),
        new_lineage: false,
    };
    store
        .swap(&guard, Some(&stored.version), &older, &change)
        .await
        .unwrap();
    drop(guard);
    let plan = world.plan().await.unwrap();
    let told: Vec<&str> = plan.notes.iter().map(|note| note.code.as_str()).collect();
    assert!(told.contains(&"plan::namesake"), "{told:?}");
    assert!(!repair(&world, false).await.unwrap().has_changes);
    let repaired: Repaired = repair(&world, true).await.unwrap();
    assert_eq!(bound(&repaired), [("policy.p", Evidence::Name)]);
    assert_eq!(ids(&world.state().await), ids(&before));
    world.nothing_to_do(Location::caller()).await;
}
