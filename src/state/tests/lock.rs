//! Locking.
#![expect(clippy::disallowed_methods, reason = "test bench")]

use std::io::BufRead;
use std::io::BufReader;
use std::process::Command;
use std::process::Stdio;

use super::*;
use crate::state::StateError;

const CHILD: &str = "CAPOL_TEST_LOCK_IN";

fn lock_path(project: &Project) -> std::path::PathBuf {
    project.folder.path().join("capol.state.json.lock")
}

#[test]
fn a_second_locker_is_told_who_has_it_and_gets_it_after_release() {
    let project = Project::new();
    let store = project.store();
    let guard = lock(&store, "first").unwrap();
    let refused = lock(&store, "second").unwrap_err();
    assert!(
        matches!(&refused, StateError::Running { info, .. } if info.id == "first"),
        "{refused:?}"
    );
    let seen = block_on(store.holder()).unwrap().unwrap();
    assert!(seen.running && seen.info == Some(holder("first")));
    guard.release().unwrap();
    assert!(!lock_path(&project).exists());
    assert_eq!(block_on(store.holder()).unwrap(), None);
    assert_eq!(lock(&store, "second").unwrap().previous(), None);
}

#[test]
fn a_patient_locker_waits_for_the_holder() {
    let project = Project::new();
    let store = project.store();
    run(async {
        let guard = store.lock(&holder("first"), Duration::ZERO).await.unwrap();
        let information = holder("second");
        let second = store.lock(&information, Duration::from_mins(1));
        let first = async {
            tokio::time::sleep(Duration::from_secs(50)).await;
            drop(guard);
        };
        let (second, ()) = futures::join!(second, first);
        assert!(second.unwrap().is_locked());
    });
}

#[test]
fn a_panic_gives_the_lock_back() {
    let project = Project::new();
    let store = project.store();
    let inner = store.clone();
    let panicked = std::thread::spawn(move || {
        let _guard = lock(&inner, "first").unwrap();
        std::panic::resume_unwind(Box::new("on purpose"));
    })
    .join();
    assert!(panicked.is_err());
    assert!(!lock_path(&project).exists());
}

#[test]
fn a_lock_left_on_this_machine_is_taken_over_and_said() {
    let project = Project::new();
    let left = serde_json::to_string(&holder("dead")).unwrap();
    std::fs::write(lock_path(&project), left + "\n").unwrap();
    let seen = block_on(project.store().holder()).unwrap().unwrap();
    assert!(!seen.running);
    let guard = lock(&project.store(), "next").unwrap();
    assert_eq!(guard.previous(), Some(&holder("dead")));
}

#[test]
fn a_lock_that_cannot_be_proved_dead_needs_a_person() {
    let elsewhere = LockInfo {
        host: "another".to_owned(),
        ..holder("far")
    };
    let nowhere = LockInfo {
        host: crate::state::host::UNKNOWN.to_owned(),
        ..holder("far")
    };
    let kept = LockInfo {
        held: true,
        ..holder("far")
    };
    for info in [elsewhere, nowhere, kept] {
        let project = Project::new();
        let store = project.store();
        std::fs::write(lock_path(&project), serde_json::to_string(&info).unwrap() + "\n").unwrap();
        let refused = run(store.lock(
            &LockInfo {
                host: info.host.replace("another", "desk"),
                ..holder("next")
            },
            Duration::ZERO,
        ));
        assert!(matches!(refused, Err(StateError::Locked { .. })), "{info:?}");
        assert!(matches!(
            block_on(store.unlock("near")),
            Err(StateError::OtherLock { .. })
        ));
        assert_eq!(block_on(store.unlock("far")).unwrap(), Some(info));
        assert!(lock(&store, "next").is_ok());
    }
}

/// A process of this machine that has ended, as its lock names it.
#[cfg(target_os = "linux")]
fn ended() -> (u32, crate::state::host::Process) {
    let mut child = Command::new("sleep").arg("600").spawn().unwrap();
    let process = crate::state::host::process(child.id()).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    (child.id(), process)
}

#[cfg(target_os = "linux")]
#[test]
fn a_lock_is_taken_over_exactly_when_its_process_is_seen_not_to_run() {
    use crate::state::host;
    let own = host::process(std::process::id()).unwrap();
    let mut running = Command::new("sleep").arg("600").spawn().unwrap();
    let there = host::process(running.id()).unwrap();
    let (dead_pid, dead) = ended();
    let asking = LockInfo {
        pid: std::process::id(),
        process: Some(own.clone()),
        ..holder("next")
    };
    let left = |pid: u32, process: Option<host::Process>| LockInfo {
        pid,
        process,
        ..holder("left")
    };
    let booted = |machine: Option<&str>| host::Process {
        boot: "another time".to_owned(),
        machine: machine.map(str::to_owned),
        ..dead.clone()
    };
    let later = host::Process {
        started: there.started + 1,
        ..there.clone()
    };
    let rows = [
        ("it has ended", left(dead_pid, Some(dead.clone())), true),
        ("it runs", left(running.id(), Some(there)), false),
        (
            "its number is another one's now",
            left(running.id(), Some(later)),
            true,
        ),
        ("this very process gave it up", left(asking.pid, Some(own)), true),
        (
            "the machine was started again",
            left(running.id(), Some(booted(Some("m")))),
            true,
        ),
        (
            "another machine of that name",
            left(dead_pid, Some(booted(Some("n")))),
            false,
        ),
        (
            "perhaps another machine",
            left(dead_pid, Some(booted(None))),
            false,
        ),
        ("it says too little", left(dead_pid, None), false),
        (
            "another machine",
            LockInfo {
                host: "elsewhere".to_owned(),
                ..left(dead_pid, Some(dead.clone()))
            },
            false,
        ),
        (
            "meant to stay",
            LockInfo {
                held: true,
                ..left(dead_pid, Some(dead.clone()))
            },
            false,
        ),
    ];
    let asking = LockInfo {
        process: asking.process.map(|process| host::Process {
            machine: Some("m".to_owned()),
            ..process
        }),
        ..asking
    };
    for (name, info, taken) in rows {
        let project = Project::new();
        std::fs::write(lock_path(&project), serde_json::to_string(&info).unwrap() + "\n").unwrap();
        let answer = run(project.store().lock(&asking, Duration::ZERO));
        match answer {
            Ok(guard) => {
                assert!(taken, "{name}: taken over");
                assert_eq!(guard.previous(), Some(&info), "{name}");
            }
            Err(StateError::Locked { .. }) => {
                assert!(!taken, "{name}: not taken over");
                assert_eq!(block_on(project.store().unlock("left")).unwrap(), Some(info));
            }
            Err(other) => panic!("{name}: {other:?}"),
        }
    }
    running.kill().unwrap();
    running.wait().unwrap();
}

#[test]
fn the_age_of_a_lock_is_told_also_when_clocks_differ() {
    let rows = [
        (0, "moments ago"),
        (119, "119 seconds ago"),
        (300, "5 minutes ago"),
        (7_200, "2 hours ago"),
        (864_000, "10 days ago"),
        (-1, "in the future by the clock here"),
    ];
    for (later, said) in rows {
        assert_eq!(holder("any").age(at(later)), said);
    }
}

#[test]
fn a_lock_in_unknown_words_needs_a_person_and_one_never_finished_does_not() {
    let project = Project::new();
    let store = project.store();
    for empty in ["", "\0\0\0\0", "{\"id\": \"fir"] {
        std::fs::write(lock_path(&project), empty).unwrap();
        assert_eq!(block_on(store.holder()).unwrap(), None);
        assert!(lock(&store, "next").is_ok());
    }
    std::fs::write(lock_path(&project), "{\"id\": \"fir\"}\n").unwrap();
    let Err(StateError::LockUnreadable { id, .. }) = lock(&store, "next") else {
        panic!("taken over");
    };
    assert_eq!(block_on(store.holder()).unwrap().unwrap().id, id);
    assert_eq!(block_on(store.unlock(&id)).unwrap(), None);
    assert!(lock(&store, "next").is_ok());
}

#[test]
fn a_lock_that_was_asked_for_outlives_the_process_until_unlocked() {
    let project = Project::new();
    let store = project.store();
    run(store.hold(&holder("kept"), Duration::ZERO)).unwrap();
    let seen = block_on(store.holder()).unwrap().unwrap();
    assert!(!seen.running && seen.info.unwrap().held);
    assert!(matches!(lock(&store, "next"), Err(StateError::Locked { .. })));
    assert!(block_on(store.unlock("kept")).unwrap().is_some());
    assert!(matches!(
        block_on(store.unlock("kept")),
        Err(StateError::NotLocked { .. })
    ));
    assert!(lock(&store, "next").is_ok());
}

#[test]
fn the_lock_of_a_running_process_cannot_be_taken_away() {
    let project = Project::new();
    let store = project.store();
    let guard = lock(&store, "first").unwrap();
    let refused = block_on(store.unlock("first"));
    assert!(matches!(refused, Err(StateError::Running { .. })));
    guard.check().unwrap();
}

#[cfg(unix)]
#[test]
fn who_lost_the_lock_does_not_write() {
    let project = Project::new();
    let store = project.store();
    let read = project.holding(&[document(&["a"])]);
    let guard = lock(&store, "first").unwrap();
    std::fs::remove_file(lock_path(&project)).unwrap();
    let usurper = lock(&store, "second").unwrap();
    let swapped = block_on(store.swap(&guard, Some(&read.version), &document(&["b"]), &change("apply")));
    assert!(matches!(swapped, Err(StateError::LockLost { .. })));
    assert!(guard.release().is_err());
    usurper.check().unwrap();
}

/// The other side of the next test; does nothing in an ordinary run.
#[test]
fn child_process_that_locks() {
    let Ok(folder) = std::env::var(CHILD) else {
        return;
    };
    let store = LocalFile::new(Place::in_project(std::path::Path::new(&folder), None));
    let _guard = lock(&store, "child").unwrap();
    println!("locked");
    // Until the parent kills us.
    let _line = std::io::stdin().read_line(&mut String::new());
}

#[test]
fn another_process_is_kept_out_until_it_is_killed() {
    let project = Project::new();
    let store = project.store();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "state::tests::lock::child_process_that_locks",
            "--nocapture",
        ])
        .env(CHILD, project.folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let output = BufReader::new(child.stdout.take().unwrap());
    assert!(output.lines().any(|line| line.unwrap().contains("locked")));
    let refused = lock(&store, "parent").unwrap_err();
    assert!(
        matches!(&refused, StateError::Running { info, .. } if info.id == "child"),
        "{refused:?}"
    );
    child.kill().unwrap();
    child.wait().unwrap();
    let guard = lock(&store, "parent").unwrap();
    assert_eq!(guard.previous().map(|info| info.id.as_str()), Some("child"));
}
