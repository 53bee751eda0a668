//! Two at once: never two holders of the lock, never a lost update, also when holders die.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader, ErrorKind, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use capol::model::state::{Document, OutputState};
use capol::ops::operator::Operator;
use capol::state::{LocalFile, Place, StateStore as _, host};
use serde_json::json;

use super::ground::{Case, Ground};
use super::proxy::{Side, Then};
use super::sample::{Random, chosen};

const FOLDER: &str = "CAPOL_TEST_CONTENDS_IN";
const NAME: &str = "CAPOL_TEST_CONTENDER";
const TURNS: &str = "CAPOL_TEST_TURNS";

/// How many contend in one process.
const THREADS: usize = 2;

/// How many processes there are at a time.
const PROCESSES: usize = 4;

/// Takes the lock, adds one output to the state, gives the lock back.
async fn add(folder: &Path, name: &str) {
    let store = LocalFile::new(Place::in_project(folder, None));
    let now = "2026-06-01T08:00:00Z".parse().unwrap();
    let operator = Operator::of_process(name.to_owned(), now, true, Duration::from_mins(5));
    let guard = operator.lock(&store, "apply").await.unwrap();
    let inside = folder.join("inside");
    alone(&inside);
    let current = store.load().await.unwrap();
    let mut next = current.as_ref().map_or_else(
        || Document::new(uuid::Uuid::nil(), "11111111-1111-4111-8111-111111111111"),
        |stored| stored.document.clone(),
    );
    let output = OutputState {
        value: json!(name),
        sensitive: false,
    };
    assert!(
        next.outputs.insert(name.to_owned(), output).is_none(),
        "{name} was there"
    );
    let version = current.map(|stored| stored.version);
    store
        .swap(&guard, version.as_ref(), &next, &operator.change("apply"))
        .await
        .unwrap();
    std::fs::remove_file(inside).unwrap();
    guard.release().unwrap();
}

/// Leaves a mark that says who is inside; nobody who lives may have left one.
fn alone(inside: &Path) {
    let mine = std::process::id().to_string();
    loop {
        match std::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(inside)
        {
            Ok(mut file) => return file.write_all(mine.as_bytes()).unwrap(),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let left = std::fs::read_to_string(inside).unwrap_or_default();
                let lives = left.parse().ok().and_then(host::process).is_some();
                assert!(!lives, "{left} and {mine} are both inside");
                std::fs::remove_file(inside).unwrap();
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// The other side of the next test; does nothing in an ordinary run.
#[test]
fn contender() {
    let (Ok(folder), Ok(name), Ok(turns)) =
        (std::env::var(FOLDER), std::env::var(NAME), std::env::var(TURNS))
    else {
        return;
    };
    let turns: usize = turns.parse().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (folder, name) = (&folder, &name);
            scope.spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_time()
                    .build()
                    .unwrap();
                for turn in 0..turns {
                    let name = format!("{name}_{thread}_{turn}");
                    runtime.block_on(add(Path::new(folder), &name));
                    // Straight to the stream: what the test harness catches is not seen by the parent.
                    // In one piece, so that a death leaves no half of it.
                    let line = format!("added {name}\n");
                    std::io::stderr().write_all(line.as_bytes()).unwrap();
                }
            });
        }
    });
}

fn contend(folder: &Path, name: &str, turns: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::contention::contender", "--nocapture"])
        .env(FOLDER, folder)
        .env(NAME, name)
        .env(TURNS, turns.to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What a contender said that it added.
fn added(child: &mut Child) -> Vec<String> {
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    lines.map(|line| name_of(&line.unwrap())).collect()
}

/// Who was added; anything else that is said is a failure.
fn name_of(line: &str) -> String {
    let name = line.strip_prefix("added ");
    name.unwrap_or_else(|| panic!("{line}")).to_owned()
}

#[test]
fn many_at_once_never_hold_the_lock_together_and_never_lose_an_update() {
    // 4 processes of 2 threads, 125 turns each: a thousand.
    let (rounds, said) = chosen("contentions", (0..25).collect(), 3);
    let turns = rounds.len() * 5;
    let folder = tempfile::tempdir().unwrap();
    let mut contenders: Vec<Child> = (0..PROCESSES)
        .map(|process| contend(folder.path(), &format!("p{process}"), turns))
        .collect();
    let mut all = Vec::new();
    for contender in &mut contenders {
        all.extend(added(contender));
        assert!(contender.wait().unwrap().success(), "{said}");
    }
    assert_eq!(all.len(), PROCESSES * THREADS * turns, "{said}");
    let document = end_of(folder.path());
    assert!(
        all.iter().all(|name| document.outputs.contains_key(name)),
        "{said}"
    );
    assert_eq!(document.serial, all.len() as u64, "{said}");
}

#[test]
fn holders_that_are_killed_are_followed_and_lose_nobody_an_update() {
    let (rounds, said) = chosen("killed holders", (0..60).collect::<Vec<u32>>(), 8);
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(rounds.len() as u64);
    let mut all = Vec::new();
    let mut contenders: Vec<Child> = Vec::new();
    for round in &rounds {
        while contenders.len() < PROCESSES {
            let name = format!("r{round}_{}", contenders.len());
            contenders.push(contend(folder.path(), &name, 1000));
        }
        let mut victim = contenders.swap_remove(random.below(contenders.len()));
        // After some of its turns, wherever it is then.
        let mut lines = BufReader::new(victim.stderr.take().unwrap()).lines();
        for line in lines.by_ref().take(1 + random.below(6)) {
            all.push(name_of(&line.unwrap()));
        }
        victim.kill().unwrap();
        victim.wait().unwrap();
        all.extend(lines.map(|line| name_of(&line.unwrap())));
    }
    for contender in &mut contenders {
        contender.kill().unwrap();
        all.extend(added(contender));
        contender.wait().unwrap();
    }
    // One more, so that the last one's lock and leftovers are taken over, too.
    let mut last = contend(folder.path(), "last", 1);
    all.extend(added(&mut last));
    assert!(last.wait().unwrap().success(), "{said}");
    let document = end_of(folder.path());
    for line in &all {
        assert!(document.outputs.contains_key(line), "`{line}` is lost; {said}");
    }
    // Each write added one: as many as there were writes are there.
    assert_eq!(document.serial, document.outputs.len() as u64, "{said}");
}

/// The state in the end, without lock and leftovers.
fn end_of(folder: &Path) -> Document {
    let names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != ".capol")
        .collect();
    assert_eq!(names, ["capol.state.json"]);
    Document::parse(&std::fs::read(folder.join("capol.state.json")).unwrap()).unwrap()
}

/// One apply that is stopped at a write, and what another command does meanwhile.
fn while_one_applies(meanwhile: impl FnOnce(&Case, u32)) -> Case {
    let ground = Ground::get();
    let case = ground.case();
    case.proxy.counted();
    drop(case.folder.capol(&["plan"]));
    let reading = case.proxy.counted();
    let stops = case.proxy.stop_at(reading + 2, Side::Before);
    let apply = case.folder.start(&["apply", "--yes"]);
    let process = apply.id();
    let stopped = stops.recv().expect("it comes to a write");
    meanwhile(&case, process);
    stopped.release(Then::GoOn);
    let first = case.folder.ended(apply, "");
    assert_eq!(first.status, 0, "{}", first.all());
    case
}

#[test]
fn a_second_apply_is_told_who_works_and_waits_when_asked_to() {
    let ground = Ground::get();
    let mut waiting = None;
    let case = while_one_applies(|case, process| {
        let refused = case.folder.capol(&["apply", "--yes"]);
        let told = refused.err.replace("\n  | ", " ").replace("\n        ", " ");
        let who = format!("is running `apply` (process {process}, since ");
        assert_eq!(refused.status, 1, "{}", refused.all());
        assert!(told.contains("anna on ") && told.contains(&who), "{told}");
        let help = format!("wait for it with `--lock-timeout 5m`, or stop process {process} on ");
        assert!(told.contains(&help), "{told}");
        let shown = case
            .folder
            .capol(&["state", "lock", "--reason", "me too", "--json"]);
        assert_eq!(
            (shown.status, &shown.json()["pid"]),
            (1, &json!(process)),
            "{}",
            shown.all()
        );
        let id = shown.json()["id"].as_str().unwrap().to_owned();
        let unlocked = case.folder.capol(&["state", "unlock", &id, "--yes"]);
        assert!(
            unlocked.status == 1 && unlocked.err.contains("state::locked"),
            "{}",
            unlocked.all()
        );
        let unlocked = case.folder.capol(&["state", "unlock", "wrong", "--yes"]);
        assert!(
            unlocked.status == 1 && unlocked.err.contains("state::locked"),
            "{}",
            unlocked.all()
        );
        waiting = Some(case.folder.start(&["apply", "--yes", "--lock-timeout", "5m"]));
    });
    let second = case.folder.ended(waiting.unwrap(), "");
    assert_eq!(second.status, 0, "{}", second.all());
    assert!(
        second.out.contains("No changes") || second.out.contains("Nothing"),
        "{}",
        second.all()
    );
    case.recovers(ground, "after two at once");
}

#[test]
fn who_passes_the_lock_over_still_leaves_a_running_apply_alone() {
    let ground = Ground::get();
    let case = while_one_applies(|case, _| {
        for arguments in [["plan", "--lock=false"], ["destroy", "--lock=false"]] {
            let refused = case.folder.capol(&[arguments[0], arguments[1], "--yes"]);
            assert_eq!(refused.status, 1, "{}", refused.all());
            assert!(
                refused.err.contains("state::apply_under_way"),
                "{}",
                refused.all()
            );
        }
    });
    case.recovers(ground, "after a lock was passed over");
}

#[test]
fn a_dead_holder_is_named_and_one_of_another_machine_is_left_to_people() {
    let ground = Ground::get();
    let case = ground.case();
    let stops = case.proxy.stop_at(2, Side::Before);
    let mut apply = case.folder.start(&["apply", "--yes"]);
    let process = apply.id();
    // Reading the tenant needs no lock: the next stop has it.
    stops.recv().unwrap().release(Then::GoOn);
    let stops = case.proxy.stop_at(20, Side::Before);
    let stopped = stops.recv();
    apply.kill().unwrap();
    apply.wait().unwrap();
    if let Ok(stopped) = stopped {
        stopped.release(Then::Cut);
    }
    let lock = case
        .folder
        .read("capol.state.json.lock")
        .expect("it died with the lock");
    let elsewhere = regex::Regex::new("\"host\":\"[^\"]*\"").unwrap();
    let theirs = elsewhere.replace(&lock, "\"host\":\"another-desk\"").into_owned();
    case.folder.write("capol.state.json.lock", &theirs);
    let refused = case.folder.capol(&["plan"]);
    let told = refused.err.replace("\n  | ", " ").replace("\n        ", " ");
    assert_eq!(refused.status, 1, "{}", refused.all());
    assert!(
        told.contains("anna on another-desk has had the state locked for `apply`"),
        "{told}"
    );
    assert!(told.contains(&format!("(process {process})")), "{told}");
    assert_eq!(
        case.folder.read("capol.state.json.lock"),
        Some(theirs),
        "it is left alone"
    );
    case.folder.write("capol.state.json.lock", &lock);
    // It may still be too early to know what became of its last request; the lock is told of all the same.
    let taken = case.folder.capol(&["plan"]);
    let told = taken.err.replace("\n  | ", " ").replace('\n', " ");
    assert!(
        told.contains(&format!("`apply` by anna (process {process} on ")),
        "{}",
        taken.all()
    );
    assert!(
        told.contains("ended without giving its lock back"),
        "{}",
        taken.all()
    );
    case.recovers(ground, "after a dead holder");
}
