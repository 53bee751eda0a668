//! State behind links, folders where files should be, names that are no text, folders that may not be written.
#![cfg(unix)]

use std::fmt::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use super::calls::settled;
use crate::bench::{Answer, CAPOL};
use crate::processes::ground::{Case, Ground};

const STATE: &str = "capol.state.json";

fn ground() -> &'static Ground {
    Ground::get()
}

/// What is said, without what differs from run to run.
fn said(answer: &Answer) -> String {
    format!("status {}\n{}", answer.status, settled(&answer.err))
}

#[test]
fn a_state_behind_a_link_is_written_where_the_link_leads() {
    let elsewhere = tempfile::tempdir().unwrap();
    let target = elsewhere.path().join("kept.json");
    // A link to a state, one that leads nowhere yet, and one to the whole folder of the history.
    for moves in [true, false] {
        let case = ground().case();
        let state = case.folder.path(STATE);
        if moves {
            std::fs::copy(&state, &target).unwrap();
            std::fs::remove_file(&state).unwrap();
            symlink(&target, &state).unwrap();
            let kept = elsewhere.path().join("history");
            std::fs::rename(case.folder.path(".capol"), &kept).unwrap();
            symlink(&kept, case.folder.path(".capol")).unwrap();
            case.recovers(ground(), "behind a link");
            assert!(case.folder.path(".capol").is_symlink());
        } else {
            std::fs::remove_file(&target).unwrap();
            std::fs::remove_file(&state).unwrap();
            symlink(&target, &state).unwrap();
            // Nothing is known of what was applied: the state is as if it was never there.
            let refused = case.folder.capol(&["state", "list"]);
            assert!(refused.err.contains("ops::no_state"), "{}", refused.all());
            let made = case.folder.capol(&["state", "repair", "--yes"]);
            assert_eq!(made.status, 0, "{}", made.all());
            case.recovers(ground(), "behind a link that led nowhere");
        }
        assert!(state.is_symlink(), "the link stays one");
        assert!(target.is_file());
        assert!(!elsewhere.path().join("kept.json.lock").exists());
    }
}

#[test]
fn a_lock_behind_a_link_still_keeps_others_out() {
    let case = ground().case();
    symlink("elsewhere.lock", case.folder.path("capol.state.json.lock")).unwrap();
    let held = case
        .folder
        .capol(&["state", "lock", "--reason", "a test", "--json"])
        .json();
    let refused = case.folder.capol(&["plan"]);
    assert!(
        refused.status == 1 && refused.err.contains("state::locked"),
        "{}",
        refused.all()
    );
    let id = held["id"].as_str().unwrap();
    let unlocked = case.folder.capol(&["state", "unlock", id]);
    assert_eq!(unlocked.status, 0, "{}", unlocked.all());
    std::fs::remove_file(case.folder.path("elsewhere.lock")).unwrap();
    case.recovers(ground(), "a lock behind a link");
}

#[test]
fn another_name_of_the_state_keeps_the_old_content() {
    let case = ground().case();
    let before = case.folder.read(STATE);
    std::fs::hard_link(case.folder.path(STATE), case.folder.path("backup")).unwrap();
    case.does(&["apply", "--yes"]);
    assert_eq!(case.folder.read("backup"), before);
    std::fs::remove_file(case.folder.path("backup")).unwrap();
    case.recovers(ground(), "with another name");
}

/// Something is where a file or a folder should be.
#[test]
fn what_is_in_the_way_is_named() {
    type Spoil = fn(&Case);
    let cases: [(&str, Spoil); 8] = [
        ("the state is a folder", |case| {
            std::fs::remove_file(case.folder.path(STATE)).unwrap();
            std::fs::create_dir(case.folder.path(STATE)).unwrap();
        }),
        ("the state is a link into a folder that is not there", |case| {
            std::fs::remove_file(case.folder.path(STATE)).unwrap();
            std::fs::create_dir(case.folder.path("there")).unwrap();
            symlink("there/none/at/all", case.folder.path(STATE)).unwrap();
        }),
        ("links in a circle", |case| {
            std::fs::remove_file(case.folder.path(STATE)).unwrap();
            symlink(STATE, case.folder.path(STATE)).unwrap();
        }),
        ("the lock is a folder", |case| {
            std::fs::create_dir(case.folder.path("capol.state.json.lock")).unwrap();
        }),
        ("the folder of capol is a file", |case| {
            std::fs::remove_dir_all(case.folder.path(".capol")).unwrap();
            case.folder.write(".capol", "");
        }),
        ("the history is a file", |case| {
            std::fs::remove_dir_all(case.folder.path(".capol/history")).unwrap();
            case.folder.write(".capol/history", "");
        }),
        ("the journal is a folder", |case| {
            std::fs::create_dir(case.folder.path(".capol/journal.ndjson")).unwrap();
        }),
        ("a plan into a folder", |case| {
            std::fs::create_dir(case.folder.path("next.capolplan")).unwrap();
        }),
    ];
    let mut text = String::new();
    for (name, spoil) in cases {
        let case = ground().case();
        let before = case.shape();
        spoil(&case);
        let arguments: &[&str] = if name.starts_with("a plan") {
            &["plan", "--out", "next.capolplan"]
        } else {
            &["apply", "--yes"]
        };
        let answer = case.folder.capol(arguments);
        assert_eq!(case.shape(), before, "{name}: something was written");
        writeln!(text, "## {name}\n{}", said(&answer)).unwrap();
    }
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("in_the_way", text) });
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_and_a_file_may_have_names_that_are_no_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let case = ground().case();
    let odd = std::ffi::OsStr::from_bytes(b"odd-\xff-name");
    let root = case.folder.path("");
    let project = root.join(odd);
    std::fs::create_dir(&project).unwrap();
    for name in ["main.capol", "settings.capol", STATE, ".capol"] {
        std::fs::rename(root.join(name), project.join(name)).unwrap();
    }
    let stray = std::ffi::OsStr::from_bytes(b".stray-\xff.tmp");
    std::fs::write(project.join(stray), "mine").unwrap();
    let mut command = case.folder.command(CAPOL);
    command.arg("--chdir").arg(odd).args(["apply", "--yes"]);
    let applied = case.folder.ended(command.spawn().unwrap(), "");
    assert_eq!(applied.status, 0, "{}", applied.all());
    assert!(project.join(stray).exists());
    std::fs::remove_file(project.join(stray)).unwrap();
    for name in ["main.capol", "settings.capol", STATE, ".capol"] {
        std::fs::rename(project.join(name), root.join(name)).unwrap();
    }
    std::fs::remove_dir(project).unwrap();
    case.recovers(ground(), "in a folder with an odd name");
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout == b"0\n")
}

/// The command as somebody whom permissions bind; none where that cannot be had.
fn bound(case: &Case, arguments: &[&str]) -> Option<Answer> {
    let mut command = if is_root() {
        let mut command = case.folder.command("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--", CAPOL]);
        command
    } else {
        case.folder.command(CAPOL)
    };
    let answer = case.folder.ended(command.args(arguments).spawn().ok()?, "");
    // The command itself may be where only root may go.
    (!answer.err.contains("setpriv:")).then_some(answer)
}

fn permit(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_may_not_be_read_or_written_is_named_and_stays_as_it_was() {
    let mut text = String::new();
    let cases: [(&str, &str, u32, &[&str]); 7] = [
        ("a folder that may not be written", "", 0o555, &["apply", "--yes"]),
        ("the same, to look at the state", "", 0o555, &["state", "list"]),
        (
            "the same, for a plan",
            "",
            0o555,
            &["plan", "--out", "next.capolplan"],
        ),
        ("a state that may not be read", STATE, 0o000, &["plan"]),
        (
            "a history that may not be written",
            ".capol/history",
            0o555,
            &["apply", "--yes"],
        ),
        (
            "a history that may not be read",
            ".capol/history",
            0o000,
            &["plan"],
        ),
        (
            "a folder of capol that may not be written",
            ".capol",
            0o555,
            &["apply", "--yes"],
        ),
    ];
    for (name, path, mode, arguments) in cases {
        let case = ground().case();
        let before = case.shape();
        if is_root() {
            let owned = Command::new("chown")
                .args(["-R", "65534:65534"])
                .arg(case.folder.path(""))
                .status();
            assert!(owned.is_ok_and(|status| status.success()));
        }
        permit(&case.folder.path(path), mode);
        let answer = bound(&case, arguments);
        permit(&case.folder.path(path), 0o755);
        let Some(answer) = answer else {
            println!("skipped: nobody is there whom permissions bind");
            return;
        };
        assert_eq!(case.shape(), before, "{name}: something was written");
        writeln!(text, "## {name}\n{}", said(&answer)).unwrap();
        case.recovers(ground(), name);
    }
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("permissions", text) });
}
