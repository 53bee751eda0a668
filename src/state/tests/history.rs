//! Earlier versions.
#![expect(clippy::disallowed_methods, reason = "test bench")]

use super::*;
use crate::state::StateError;
use crate::state::history::KEPT;

#[test]
fn every_version_can_be_listed_and_read_back() {
    let project = Project::new();
    let store = project.store();
    let versions = [document(&["a"]), document(&["a", "b"]), document(&["b", "c"])];
    project.holding(&versions);
    let history = block_on(store.history()).unwrap();
    let told: Vec<_> = history
        .iter()
        .map(|entry| (entry.serial, &entry.changes.added[..], &entry.changes.removed[..]))
        .collect();
    let names = |list: &[&str]| -> Vec<String> { list.iter().map(|it| (*it).to_owned()).collect() };
    assert_eq!(
        told,
        [
            (3, &names(&["policy.c"])[..], &names(&["policy.a"])[..]),
            (2, &names(&["policy.b"])[..], &[][..]),
            (1, &names(&["policy.a"])[..], &[][..]),
        ]
    );
    for (serial, version) in (1..).zip(&versions) {
        let read = block_on(store.at_serial(serial)).unwrap();
        assert!(read.same_content(version) && read.serial == serial);
    }
    assert!(matches!(
        block_on(store.at_serial(4)),
        Err(StateError::NoSuchSerial { serial: 4 })
    ));
}

#[test]
fn the_history_is_bounded_and_keeps_the_newest() {
    let project = Project::new();
    let store = project.store();
    let total = KEPT + 3;
    for number in 0..total {
        write(&store, &document(&[&format!("p{number}")]));
    }
    let history = block_on(store.history()).unwrap();
    assert_eq!(history.len(), KEPT);
    assert_eq!(history[0].serial, total as u64);
}

#[test]
fn a_damaged_or_missing_state_is_repaired_from_the_history() {
    let written = [document(&["a"]), document(&["b"])];
    let damage: [&dyn Fn(&Project); 3] = [
        &|project| {
            let text = std::fs::read(project.place().state).unwrap();
            std::fs::write(project.place().state, &text[..text.len() / 2]).unwrap();
        },
        &|project| std::fs::write(project.place().state, "{}").unwrap(),
        &|project| std::fs::remove_file(project.place().state).unwrap(),
    ];
    for damage in damage {
        let project = Project::new();
        let store = project.store();
        let before = project.holding(&written);
        damage(&project);
        put_newest_back(&store);
        assert_eq!(block_on(store.load()).unwrap(), Some(before.clone()));
        assert!(store.wreck().unwrap().is_none());
        let guard = lock(&store, "first").unwrap();
        let refused = store.put_back(&guard, before.document, &change("state repair"));
        assert!(
            matches!(refused, Err(StateError::Exists { found: 2 })),
            "{refused:?}"
        );
    }
}

#[test]
fn repair_never_replaces_a_state_of_a_later_version() {
    let project = Project::new();
    let store = project.store();
    project.holding(&[document(&["a"])]);
    let text = std::fs::read_to_string(project.place().state).unwrap();
    let newer = text.replace("\"format_version\": 1", "\"format_version\": 2");
    std::fs::write(project.place().state, &newer).unwrap();
    assert!(store.wreck().is_err());
    let guard = Guard::without_lock();
    assert!(
        store
            .put_back(&guard, document(&["b"]), &change("state repair"))
            .is_err()
    );
    assert_eq!(std::fs::read_to_string(project.place().state).unwrap(), newer);
}
