//! Every refusal in the words the user gets.
#![expect(clippy::disallowed_methods, clippy::string_slice, reason = "test bench")]

use std::fmt::Write as _;
use std::io::ErrorKind;

use miette::Diagnostic;

use super::*;
use crate::state::StateError;
use crate::state::files::faulty::Fault;
use crate::state::files::faulty::Faulty;
use crate::state::journal::Journal;
use crate::state::journal::tests as journal_tests;

/// Message, causes, code and help, without the folder's random name.
fn told(project: &Project, error: &StateError) -> String {
    let mut text = format!("{error}\n");
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        writeln!(text, "  because: {inner}").unwrap();
        cause = inner.source();
    }
    let code = error.code().map(|code| code.to_string());
    writeln!(text, "  code: {}", code.expect("a code")).unwrap();
    let help = error.help().map(|help| help.to_string());
    writeln!(text, "  help: {}", help.expect("a help")).unwrap();
    let folder = project.folder.path().display().to_string();
    let text = text.replace(&folder, "PROJECT");
    let kept = regex::Regex::new(r"/(\d+)-[0-9a-f]{8}\.json").unwrap();
    let text = kept.replace_all(&text, "/$1-DIGEST.json");
    let version = crate::model::state::CAPOL_VERSION;
    text.replace(version, "THIS_VERSION")
}

/// What loading says after the state file's text was changed.
fn loading(edit: impl Fn(String) -> String) -> String {
    let project = Project::new();
    project.holding(&[document(&["a"])]);
    let path = project.place().state;
    let text = edit(std::fs::read_to_string(&path).unwrap());
    std::fs::write(&path, text).unwrap();
    told(&project, &block_on(project.store().load()).unwrap_err())
}

/// What a write says whose verb of that name, the last one so called, fails.
fn writing(verb: &str, kind: ErrorKind) -> String {
    let write = |files: Faulty, project: &Project| {
        let current = project.holding(&[document(&["a"])]);
        let store = project.store_over(files);
        let guard = lock(&store, "first")?;
        block_on(store.swap(
            &guard,
            Some(&current.version),
            &document(&["b"]),
            &change("apply"),
        ))
    };
    let probe = Faulty::sound();
    write(probe.clone(), &Project::new()).unwrap();
    // The lock's release comes after the write.
    let at = probe
        .verbs()
        .iter()
        .rposition(|seen| seen.starts_with(verb) && !seen.contains(".lock"))
        .unwrap();
    let project = Project::new();
    let error = write(Faulty::with_kind(at, Fault::Fails, kind), &project).unwrap_err();
    let text = told(&project, &error);
    // The temporary file's name is different each time.
    let process = std::process::id().to_string();
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match word.find(&process) {
            Some(at) if word.contains(".tmp") => {
                let end = word.find(".tmp").unwrap();
                words.push(format!("{}RANDOM{}", &word[..at], &word[end..]));
            }
            _ => words.push(word.to_owned()),
        }
    }
    words.join(" ")
}

/// What taking the lock says when the folder cannot be searched for leftovers.
fn sweeping() -> String {
    let probe = Faulty::sound();
    drop(lock(&Project::new().store_over(probe.clone()), "first").unwrap());
    let at = probe.verbs().iter().position(|seen| seen.starts_with("list"));
    let project = Project::new();
    let files = Faulty::with_kind(at.unwrap(), Fault::Fails, ErrorKind::PermissionDenied);
    told(&project, &lock(&project.store_over(files), "first").unwrap_err())
}

fn report(cases: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (name, told) in cases {
        writeln!(text, "# {name}\n{told}").unwrap();
    }
    text
}

#[test]
fn unusable_documents() {
    let cases = [
        ("truncated", loading(|text| text[..text.len() / 2].to_owned())),
        ("truncated, nothing kept", {
            let project = Project::new();
            std::fs::write(project.place().state, "{").unwrap();
            told(&project, &block_on(project.store().load()).unwrap_err())
        }),
        ("empty", loading(|_| String::new())),
        ("merge conflict", loading(|text| format!("<<<<<<< ours\n{text}"))),
        (
            "terraform",
            loading(|_| "{\"version\": 4, \"terraform_version\": \"1.9.0\"}".to_owned()),
        ),
        ("graph", loading(|_| "{\"value\": []}".to_owned())),
        ("other json", loading(|_| "{\"name\": \"x\"}".to_owned())),
        ("a list", loading(|_| "[]".to_owned())),
        (
            "newer format",
            loading(|text| {
                text.replace("\"format_version\": 1", "\"format_version\": 2")
                    .replace(crate::model::state::CAPOL_VERSION, "9.1.0")
            }),
        ),
        (
            "no format of ours",
            loading(|text| text.replace("\"format_version\": 1", "\"format_version\": 0")),
        ),
        (
            "unknown fields",
            loading(|text| {
                text.replace("\"kind\"", "\"later\": 1, \"kind\"")
                    .replace("\"prevent_destroy\"", "\"prevent_all\": 1, \"prevent_destroy\"")
                    .replace(crate::model::state::CAPOL_VERSION, "9.1.0")
            }),
        ),
        (
            "a kind of a later version",
            loading(|text| {
                text.replace("\"kind\": \"policy\"", "\"kind\": \"passkey_profile\"")
                    .replace(crate::model::state::CAPOL_VERSION, "9.1.0")
            }),
        ),
        (
            "damaged resource",
            loading(|text| text.replace("\"id\": \"id-of-a\",\n      \"api", "\"api")),
        ),
        (
            "not an address",
            loading(|text| text.replace("policy.a", "policy a")),
        ),
        (
            "damaged section",
            loading(|text| text.replacen("\"resources\"", "\"outputs\": 3, \"resources\"", 1)),
        ),
        (
            "damaged head",
            loading(|text| text.replace("\"serial\": 1", "\"serial\": -1")),
        ),
    ];
    insta::assert_snapshot!(report(&cases));
}

#[test]
fn failed_verbs() {
    let cases = [
        (
            "folder not writable",
            writing("create .capol.state", ErrorKind::PermissionDenied),
        ),
        (
            "read-only file system",
            writing("create .capol.state", ErrorKind::ReadOnlyFilesystem),
        ),
        ("disk full", writing("write", ErrorKind::StorageFull)),
        ("sync", writing("sync ", ErrorKind::Other)),
        ("rename", writing("rename", ErrorKind::PermissionDenied)),
        ("sync folder", writing("sync_folder", ErrorKind::Other)),
        (
            "read",
            writing("read capol.state.json", ErrorKind::PermissionDenied),
        ),
        (
            "history folder",
            writing("create_folder", ErrorKind::PermissionDenied),
        ),
        (
            "history not readable",
            writing("list", ErrorKind::PermissionDenied),
        ),
        ("leftovers", sweeping()),
    ];
    insta::assert_snapshot!(report(&cases));
}

#[test]
fn races_and_locks() {
    let project = Project::new();
    let store = project.store();
    let read = project.holding(&[document(&["a"])]);
    write(&store, &document(&["b"]));
    let guard = lock(&store, "5c0ffee5").unwrap();
    let swap = |expect: Option<&crate::model::state::Version>, next: &Document| {
        let error = block_on(store.swap(&guard, expect, next, &change("apply"))).unwrap_err();
        told(&project, &error)
    };
    let now = block_on(store.load()).unwrap().unwrap();
    let mut edited = now.version.clone();
    edited.digest = "0".repeat(64);
    let mut stranger = document(&["b"]);
    stranger.lineage = Uuid::from_u128(7);
    let mut foreign = document(&["b"]);
    foreign.tenant_id = "22222222-2222-4222-8222-222222222222".to_owned();
    let mut cases = vec![
        ("raced", swap(Some(&read.version), &document(&["c"]))),
        ("made meanwhile", swap(None, &document(&["c"]))),
        ("edited", swap(Some(&edited), &document(&["c"]))),
        ("other lineage", swap(Some(&now.version), &stranger)),
        ("other tenant", swap(Some(&now.version), &foreign)),
        (
            "no such serial",
            told(&project, &block_on(store.at_serial(9)).unwrap_err()),
        ),
        ("running", told(&project, &lock(&store, "2").unwrap_err())),
    ];
    std::fs::remove_file(&project.place().state).unwrap();
    cases.push(("gone", swap(Some(&now.version), &document(&["c"]))));
    guard.release().unwrap();
    cases.push((
        "not locked",
        told(&project, &block_on(store.unlock("5c0ffee5")).unwrap_err()),
    ));
    run(store.hold(&holder("5c0ffee5"), Duration::ZERO)).unwrap();
    cases.push(("held", told(&project, &lock(&store, "2").unwrap_err())));
    cases.push((
        "other lock",
        told(&project, &block_on(store.unlock("1")).unwrap_err()),
    ));
    std::fs::write(project.folder.path().join("capol.state.json.lock"), "{}\n").unwrap();
    cases.push(("lock unreadable", told(&project, &lock(&store, "2").unwrap_err())));
    let unlockable = project.store_over(Faulty::with_kind(1, Fault::Fails, ErrorKind::Unsupported));
    cases.push((
        "locks unsupported",
        told(&project, &lock(&unlockable, "2").unwrap_err()),
    ));
    insta::assert_snapshot!(report(&cases));
}

#[test]
fn journals() {
    let project = Project::new();
    let store = project.store();
    let mut journal = Journal::start(&store, journal_tests::apply()).unwrap();
    let mut cases = vec![
        (
            "unfinished",
            told(
                &project,
                &Journal::start(&store, journal_tests::apply()).unwrap_err(),
            ),
        ),
        (
            "order",
            told(
                &project,
                &journal.begin(journal_tests::create("1", "a")).unwrap_err(),
            ),
        ),
    ];
    drop(journal);
    let text = std::fs::read_to_string(project.place().journal).unwrap();
    std::fs::write(project.place().journal, format!("{text}{{\"record\"\n{text}")).unwrap();
    cases.push(("damaged", told(&project, &Journal::resume(&store).unwrap_err())));
    std::fs::write(project.place().journal, format!("{text}{text}")).unwrap();
    cases.push((
        "twice begun",
        told(&project, &Journal::resume(&store).unwrap_err()),
    ));
    cases.push((
        "no such apply",
        told(
            &project,
            &crate::state::journal::read_past(&store, "nope").unwrap_err(),
        ),
    ));
    let full = Project::new();
    let probe = Faulty::sound();
    drop(Journal::start(&Project::new().store_over(probe.clone()), journal_tests::apply()).unwrap());
    // The first record does not fit.
    let at = probe.verbs().iter().position(|seen| seen.starts_with("write "));
    let files = Faulty::new(at.unwrap(), Fault::Fails);
    cases.push((
        "disk full",
        told(
            &full,
            &Journal::start(&full.store_over(files), journal_tests::apply()).unwrap_err(),
        ),
    ));
    insta::assert_snapshot!(report(&cases));
}
