//! Room that ends: files that may not grow any more, and a disk that is full in the middle of an apply.
#![cfg(target_os = "linux")]

use std::process::Command;

use crate::bench::{Answer, CAPOL};
use crate::processes::ground::{Case, Ground};
use crate::processes::sample::chosen;

fn works(program: &str, arguments: &[&str]) -> bool {
    let works = Command::new(program)
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success());
    if !works {
        println!("skipped: `{program} {}` does not work here", arguments.join(" "));
    }
    works
}

/// An apply whose files may have so many bytes; at the first that is more it is killed in the middle of the write, or
/// told that there is no room.
fn limited(case: &Case, bytes: u64, killed: bool) -> Answer {
    let mut command = case.folder.command("sh");
    let trap = if killed { "" } else { "trap '' XFSZ; " };
    let script = format!("{trap}exec prlimit --core=0 --fsize={bytes} \"$0\" apply --yes");
    let child = command.args(["-c", &script, CAPOL]).spawn().expect("a shell");
    case.folder.ended(child, "")
}

#[test]
fn a_write_that_stops_half_way_loses_nothing() {
    if !works("prlimit", &["--fsize=100", "true"]) {
        return;
    }
    let ground = Ground::get();
    let mut cases = Vec::new();
    // The lock has some 400 bytes, the journal some 20,000, the state some 10,000.
    for bytes in (1..400).step_by(40).chain((400..24_000).step_by(331)) {
        for killed in [true, false] {
            cases.push((bytes, killed));
        }
    }
    let (cases, said) = chosen("writes that stop half way", cases, 16);
    let mut stopped = 0;
    for (bytes, killed) in cases {
        let case = ground.case();
        let answer = limited(&case, bytes, killed);
        let context = format!("{bytes} bytes, killed: {killed}; {said}");
        match answer.status {
            0 => {}
            Answer::KILLED if killed => stopped += 1,
            1 if !killed => {
                stopped += 1;
                assert!(answer.err.contains("help: "), "{context}: {}", answer.all());
                assert!(
                    answer.err.contains("File too large"),
                    "{context}: {}",
                    answer.all()
                );
            }
            _ => panic!("{context}: {}", answer.all()),
        }
        case.recovers(ground, &context);
    }
    assert!(stopped > 0, "no write was stopped");
}

/// On a small disk of its own: an apply with so many free bytes, then with room.
const ON_A_SMALL_DISK: &str = r#"
mount -t tmpfs -o size=256k tmpfs "$PWD/disk" || exit 77
cp -r main.capol settings.capol capol.state.json .capol disk/ && cd disk || exit 76
head -c 1m /dev/zero > filler 2> /dev/null
truncate --size=-"$1" filler
"$0" apply --yes --parallelism 2 > first.out 2> first.err
echo "$?" > first.status
rm filler
cp -r . ../after
"#;

#[test]
fn a_disk_that_is_full_in_the_middle_of_an_apply_loses_nothing() {
    let ground = Ground::get();
    let probe = "mkdir -p \"$0\"; mount -t tmpfs tmpfs \"$0\"";
    let place = ground.case();
    let folder = place.folder.path("mounted");
    if !works(
        "unshare",
        &["--mount", "sh", "-c", probe, folder.to_str().unwrap()],
    ) {
        return;
    }
    let rooms: Vec<u32> = (1..14).map(|pages| pages * 4096).collect();
    let (rooms, said) = chosen("full disks", rooms, 4);
    for room in rooms {
        let case = ground.case();
        std::fs::create_dir(case.folder.path("disk")).unwrap();
        let mut command = case.folder.command("unshare");
        command.args(["--mount", "sh", "-c", ON_A_SMALL_DISK, CAPOL, &room.to_string()]);
        let ran = case.folder.ended(command.spawn().expect("unshare runs"), "");
        let context = format!("{room} bytes free; {said}");
        assert_eq!(ran.status, 0, "{context}: {}", ran.all());
        // What is on that disk becomes the project.
        for name in case.files() {
            if let Some(kept) = name.strip_prefix("after/") {
                if kept.starts_with("first.") {
                    continue;
                }
                std::fs::create_dir_all(case.folder.path(kept).parent().unwrap()).unwrap();
                std::fs::rename(case.folder.path(&name), case.folder.path(kept)).unwrap();
            }
        }
        let status = case.folder.read("after/first.status").unwrap();
        let err = case.folder.read("after/first.err").unwrap_or_default();
        if status.trim() != "0" {
            assert_eq!(status.trim(), "1", "{context}: {err}");
            // Where not even the message has room, nothing can be said.
            assert!(err.is_empty() || err.contains("help: "), "{context}: {err}");
        }
        std::fs::remove_dir_all(case.folder.path("after")).unwrap();
        std::fs::remove_dir(case.folder.path("disk")).unwrap();
        case.recovers(ground, &context);
    }
}
