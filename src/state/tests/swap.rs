//! Replacing the document.
#![expect(clippy::disallowed_methods, reason = "test bench")]

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use super::*;
use crate::model::state::DocumentError;
use crate::state::StateError;
use crate::state::files::RealFiles;
use crate::state::files::faulty::EVERY_FAULT;
use crate::state::files::faulty::EVERY_KIND;
use crate::state::files::faulty::Fault;
use crate::state::files::faulty::Faulty;

/// One locked write through the given verbs, as a command does it.
fn locked_write(store: &LocalFile, document: &Document) -> Result<Stored, StateError> {
    let guard = lock(store, "first")?;
    let current = block_on(store.load())?;
    let version = current.map(|stored| stored.version);
    block_on(store.swap(&guard, version.as_ref(), document, &change("apply")))
}

#[test]
fn whatever_verb_goes_wrong_the_old_or_the_new_state_is_there_and_the_next_write_succeeds() {
    let (old, new) = (document(&["a"]), document(&["a", "b"]));
    for start in [None, Some(&old)] {
        let mut tried = 0;
        for fault in EVERY_FAULT {
            for at in 0.. {
                let project = Project::new();
                if let Some(old) = start {
                    project.holding(std::slice::from_ref(old));
                }
                let faulty = Faulty::new(at, fault);
                let outcome = locked_write(&project.store_over(faulty.clone()), &new);
                let context = format!("{fault:?} at {at}: {:?}", faulty.verbs().get(at));
                if faulty.verbs().len() <= at {
                    outcome.unwrap();
                    break;
                }
                tried += 1;

                let there = block_on(project.store().load())
                    .unwrap_or_else(|error| panic!("{context}: neither state can be read: {error}"));
                let is_new = there
                    .as_ref()
                    .is_some_and(|stored| stored.document.same_content(&new));
                let is_old = match (start, &there) {
                    (None, None) => true,
                    (Some(old), Some(stored)) => stored.document.same_content(old),
                    _ => false,
                };
                assert!(is_new || is_old, "{context}: {there:?}");
                assert!(outcome.is_err() || is_new, "{context}: said to be written");

                let again = locked_write(&project.store(), &new)
                    .unwrap_or_else(|error| panic!("{context}: then {error}"));
                assert!(again.document.same_content(&new), "{context}");
                assert_eq!(
                    project.names(),
                    [".capol", "capol.state.json"],
                    "{context}: something was left"
                );
                let history = block_on(project.store().history()).unwrap();
                let serials: Vec<u64> = history.iter().map(|entry| entry.serial).collect();
                let expected: Vec<u64> = (1..=again.version.serial).rev().collect();
                assert_eq!(serials, expected, "{context}");
            }
        }
        assert!(tried > 30, "only {tried} faults were tried");
    }
}

#[test]
fn whatever_a_system_says_is_passed_on_with_the_file_and_what_to_do() {
    for kind in EVERY_KIND {
        for at in 0.. {
            let project = Project::new();
            let old = project.holding(&[document(&["a"])]);
            let faulty = Faulty::with_kind(at, Fault::Fails, kind);
            let outcome = locked_write(&project.store_over(faulty.clone()), &document(&["b"]));
            let verbs = faulty.verbs();
            let Some(verb) = verbs.get(at) else {
                outcome.unwrap();
                break;
            };
            let context = format!("{kind:?} at {verb}");
            // The lock is given back after the write: that it stays is told elsewhere, and nothing is lost by it.
            let Err(error) = outcome else {
                assert!(
                    verbs[at..]
                        .iter()
                        .all(|verb| verb.contains("lock") || !verb.contains('.')),
                    "{context}"
                );
                continue;
            };
            let told = format!("{error}");
            let folder = project.folder.path().display().to_string();
            assert!(told.contains(&folder), "{context}: {told}");
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            assert!(cause.is_some_and(|cause| !cause.is_empty()), "{context}: {told}");
            let help = miette::Diagnostic::help(&error).map(|help| help.to_string());
            assert!(help.is_some_and(|help| !help.is_empty()), "{context}: {told}");
            assert!(miette::Diagnostic::code(&error).is_some(), "{context}: {told}");
            let there = block_on(project.store().load()).unwrap().unwrap();
            assert!(there.version.serial >= old.version.serial, "{context}");
            locked_write(&project.store(), &document(&["b"])).unwrap();
        }
    }
}

#[test]
fn a_state_that_was_there_and_is_gone_is_no_empty_one() {
    let project = Project::new();
    let store = project.store();
    store.not_lost().unwrap();
    write(&store, &document(&["a"]));
    // The first write of all may look like this when it was cut short.
    std::fs::remove_file(&project.place().state).unwrap();
    store.not_lost().unwrap();
    put_newest_back(&store);
    write(&store, &document(&["b"]));
    store.not_lost().unwrap();
    std::fs::remove_file(&project.place().state).unwrap();
    let lost = store.not_lost().unwrap_err();
    assert!(
        matches!(&lost, StateError::Lost { kept: Some(kept), .. } if kept.serial == 2),
        "{lost:?}"
    );
}

#[test]
fn a_write_that_failed_after_the_rename_may_be_repeated_with_the_same_expectation() {
    let project = Project::new();
    let old = project.holding(&[document(&["a"])]);
    let verbs = Faulty::sound();
    let new = document(&["a", "b"]);
    let guard = Guard::without_lock();
    let swap = |store: &LocalFile| block_on(store.swap(&guard, Some(&old.version), &new, &change("apply")));
    let probe = Project::new();
    probe.holding(&[document(&["a"])]);
    swap(&probe.store_over(verbs.clone())).unwrap();
    let last = verbs.verbs().len() - 1;

    let error = swap(&project.store_over(Faulty::new(last, Fault::Fails))).unwrap_err();
    assert!(matches!(error, StateError::SyncFolder { .. }), "{error:?}");
    let written = swap(&project.store()).unwrap();
    assert_eq!(written.version.serial, 2);
}

#[test]
fn the_order_of_verbs_makes_the_content_durable_before_its_name() {
    let project = Project::new();
    project.holding(&[document(&["a"])]);
    let verbs = Faulty::sound();
    write(&project.store_over(verbs.clone()), &document(&["b"]));
    let verbs = verbs.verbs();
    let tail: Vec<&str> = verbs[verbs.len() - 5..]
        .iter()
        .map(|verb| verb.split(' ').next().unwrap())
        .collect();
    assert_eq!(tail, ["create", "write", "sync", "rename", "sync_folder"]);
}

#[test]
fn of_two_who_read_the_same_state_only_the_first_may_write() {
    let project = Project::new();
    let store = project.store();
    let read = project.holding(&[document(&["a"])]);
    write(&store, &document(&["a", "mine"]));
    let guard = Guard::without_lock();
    let theirs = block_on(store.swap(
        &guard,
        Some(&read.version),
        &document(&["a", "theirs"]),
        &change("apply"),
    ));
    assert!(
        matches!(
            theirs,
            Err(StateError::Raced {
                expected: 1,
                found: 2
            })
        ),
        "{theirs:?}"
    );
    let first = block_on(store.swap(&guard, None, &document(&["b"]), &change("apply")));
    assert!(matches!(first, Err(StateError::Exists { found: 2 })));
}

#[test]
fn a_state_edited_by_hand_is_not_overwritten_by_one_who_did_not_see_the_edit() {
    let project = Project::new();
    let store = project.store();
    let read = project.holding(&[document(&["a"])]);
    let edited = std::fs::read_to_string(&project.place().state)
        .unwrap()
        .replace("it is the last line", "it is not");
    std::fs::write(&project.place().state, edited).unwrap();
    let guard = Guard::without_lock();
    let swapped = block_on(store.swap(&guard, Some(&read.version), &document(&["b"]), &change("apply")));
    assert!(matches!(swapped, Err(StateError::Edited { serial: 1 })));

    // One who did see it may, and the edit is kept.
    write(&store, &document(&["b"]));
    let found = &block_on(store.history()).unwrap()[1];
    assert_eq!((found.serial, found.operation.as_str()), (1, "found"));
}

#[test]
fn a_state_of_another_history_or_tenant_is_never_written_over_this_one() {
    let project = Project::new();
    let store = project.store();
    let read = project.holding(&[document(&["a"])]);
    let guard = Guard::without_lock();
    let mut stranger = document(&["b"]);
    stranger.lineage = Uuid::from_u128(7);
    let swapped = block_on(store.swap(&guard, Some(&read.version), &stranger, &change("apply")));
    assert!(matches!(
        swapped,
        Err(StateError::Document(DocumentError::LineageMismatch { .. }))
    ));
    let mut foreign = document(&["b"]);
    foreign.tenant_id = "22222222-2222-4222-8222-222222222222".to_owned();
    let swapped = block_on(store.swap(&guard, Some(&read.version), &foreign, &change("apply")));
    assert!(matches!(
        swapped,
        Err(StateError::Document(DocumentError::OtherTenant { .. }))
    ));
    assert_eq!(block_on(store.load()).unwrap().unwrap(), read);
}

#[test]
fn the_serial_grows_exactly_when_the_content_changes() {
    let project = Project::new();
    let store = project.store();
    assert_eq!(write(&store, &document(&["a"])).version.serial, 1);
    assert_eq!(write(&store, &document(&["a"])).version.serial, 1);
    assert_eq!(write(&store, &document(&["b"])).version.serial, 2);
    let mut pushed = document(&["c"]);
    pushed.serial = 40;
    assert_eq!(write(&store, &pushed).version.serial, 40);
}

#[test]
fn a_state_with_unknown_fields_is_shown_but_never_written() {
    let project = Project::new();
    let store = project.store();
    let read = project.holding(&[document(&["a"])]);
    let text = std::fs::read_to_string(&project.place().state).unwrap();
    let newer = text.replacen("\"lineage\"", "\"later\": {\"kept\": 1},\n  \"lineage\"", 1);
    std::fs::write(&project.place().state, &newer).unwrap();

    assert!(block_on(store.load()).is_err());
    let shown = block_on(store.load_for_display()).unwrap().unwrap();
    assert_eq!(shown, read.document);
    let guard = Guard::without_lock();
    let swapped = block_on(store.swap(&guard, Some(&read.version), &document(&["b"]), &change("apply")));
    assert!(swapped.is_err());
    let after = std::fs::read_to_string(&project.place().state).unwrap();
    assert_eq!(after, newer);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_what_is_written() {
    use std::os::unix::fs::PermissionsExt;
    let project = Project::new();
    let store = project.store();
    let guard = lock(&store, "first").unwrap();
    project.holding(&[document(&["a"]), document(&["b"])]);
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let place = project.place();
    assert_eq!(mode(&place.state), 0o600);
    assert_eq!(mode(&project.folder.path().join("capol.state.json.lock")), 0o600);
    assert_eq!(mode(&place.history), 0o700);
    for name in RealFiles.list(&place.history).unwrap() {
        assert_eq!(mode(&place.history.join(name)), 0o600);
    }
    drop(guard);
}

#[test]
fn what_killed_writes_left_is_swept_up_and_what_is_at_work_is_not() {
    let project = Project::new();
    let store = project.store();
    write(&store, &document(&["a"]));
    let place = project.place();
    let left = [
        project.folder.path().join(".capol.state.json.4711-0.tmp"),
        project.folder.path().join(".next.capolplan.4711-3.tmp"),
        place.history.join(".2-0123abcd.json.4711-1.tmp"),
    ];
    for path in &left {
        std::fs::write(path, "{").unwrap();
    }
    let own = [".4711-0.tmp", ".notes.tmp", ".a.b-0.tmp", "a.4711-0.tmp"];
    for name in own {
        std::fs::write(project.folder.path().join(name), "mine").unwrap();
    }
    let busy = project.folder.path().join(".other.capolplan.4711-9.tmp");
    let writing = RealFiles.create(&busy).unwrap();
    drop(lock(&store, "first").unwrap());
    for path in &left {
        assert!(!path.exists(), "{}", path.display());
    }
    for name in own {
        assert!(project.folder.path().join(name).exists(), "{name}");
    }
    assert!(busy.exists());
    drop(writing);
    drop(lock(&store, "second").unwrap());
    assert!(!busy.exists());
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_stays_one_and_its_target_is_replaced() {
    let elsewhere = tempfile::tempdir().unwrap();
    let project = Project::new();
    let target = elsewhere.path().join("kept.json");
    std::os::unix::fs::symlink(&target, project.place().state).unwrap();
    let store = project.store();
    let guard = lock(&store, "first").unwrap();
    assert!(elsewhere.path().join("kept.json.lock").exists());
    drop(guard);
    write(&store, &document(&["a"]));
    let written = write(&store, &document(&["b"]));
    assert!(project.place().state.is_symlink());
    let there = Document::parse(&std::fs::read(&target).unwrap()).unwrap();
    assert_eq!(there, written.document);
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_are_an_error_not_an_empty_state() {
    let project = Project::new();
    let other = project.folder.path().join("other");
    std::os::unix::fs::symlink(&other, project.place().state).unwrap();
    std::os::unix::fs::symlink(project.place().state, &other).unwrap();
    assert!(block_on(project.store().load()).is_err());
}

#[test]
fn tenants_of_one_project_have_files_of_their_own() {
    let folder = std::path::Path::new("p");
    let test = Place::in_project(folder, Some("test"));
    assert_eq!(test.state, folder.join("capol.test.state.json"));
    let all = [None, Some("test"), Some("../up"), Some("up")];
    let mut states: Vec<_> = all.iter().map(|name| Place::in_project(folder, *name)).collect();
    assert!(states.iter().all(|place| place.state.parent() == Some(folder)));
    states.sort_by(|left, right| left.journal.cmp(&right.journal));
    states.dedup_by(|left, right| {
        left.state == right.state || left.journal == right.journal || left.history == right.history
    });
    assert_eq!(states.len(), all.len());
}

#[test]
fn many_at_once_under_the_lock_never_lose_an_update() {
    const THREADS: usize = 4;
    const WRITES: usize = 10;
    let project = Project::new();
    let inside = Arc::new(AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (store, inside) = (project.store(), Arc::clone(&inside));
            scope.spawn(move || {
                for turn in 0..WRITES {
                    let name = format!("t{thread}_{turn}");
                    let guard = loop {
                        if let Ok(guard) = lock(&store, &name) {
                            break guard;
                        }
                    };
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two hold the lock");
                    let current = block_on(store.load()).unwrap();
                    let mut next = current
                        .as_ref()
                        .map_or_else(|| document(&[]), |stored| stored.document.clone());
                    next.resources.insert(format!("policy.{name}"), resource(&name));
                    let version = current.map(|stored| stored.version);
                    block_on(store.swap(&guard, version.as_ref(), &next, &change("apply"))).unwrap();
                    inside.fetch_sub(1, Ordering::SeqCst);
                }
            });
        }
    });
    let end = block_on(project.store().load()).unwrap().unwrap();
    assert_eq!(end.document.resources.len(), THREADS * WRITES);
    assert_eq!(end.version.serial, (THREADS * WRITES) as u64);
}
