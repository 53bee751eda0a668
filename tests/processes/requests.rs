//! The process dies at a request: before the tenant has seen it, or after it has done it.
#![cfg(unix)]

use std::io::{BufRead as _, BufReader};
use std::process::Command;
use std::sync::mpsc::channel;

use super::ground::{Case, Ground};
use super::proxy::{Side, Then};
use super::sample::chosen;

/// How a process is made to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Death {
    /// `kill -9`, out of memory, a container that is taken away.
    Kill,
    /// Ctrl-C once: the write under way is finished.
    Interrupt,
    /// Ctrl-C twice: at once.
    InterruptTwice,
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
enum Ended {
    /// Before it came to that request.
    NotReached,
    Status(i32),
    Signal,
}

fn signal(process: u32, name: &str) {
    let sent = Command::new("kill")
        .args([&format!("-{name}"), &process.to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success(), "the process is gone already");
}

/// Runs an apply up to a request and ends it there. Also says which request that was.
fn apply_until(case: &Case, at: usize, side: Side, death: Death) -> (Ended, String) {
    let stops = case.proxy.stop_at(at, side);
    let mut apply = case.folder.start(&["apply", "--yes"]);
    let process = apply.id();
    drop(apply.stdin.take());
    let errors = BufReader::new(apply.stderr.take().expect("piped"));
    std::thread::scope(|scope| {
        let (tell, lines) = channel();
        scope.spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                // Nobody listens any more when the case is over.
                drop(tell.send(line));
            }
        });
        let waiter = scope.spawn(|| {
            let output = apply.wait_with_output().expect("it ends");
            case.proxy.forget();
            output.status
        });
        let Ok(stopped) = stops.recv() else {
            waiter.join().expect("joined");
            return (Ended::NotReached, String::new());
        };
        let line = stopped.line.clone();
        let then = match death {
            Death::Kill => {
                signal(process, "KILL");
                lines.iter().for_each(drop);
                Then::Cut
            }
            Death::Interrupt | Death::InterruptTwice => {
                signal(process, "INT");
                // Before the first write nothing is there to be finished: it ends at once.
                let goes_on = lines.iter().any(|line| line.contains("Stopping after"));
                if goes_on && death == Death::InterruptTwice {
                    signal(process, "INT");
                }
                if !goes_on || death == Death::InterruptTwice {
                    lines.iter().for_each(drop);
                    Then::Cut
                } else {
                    Then::GoOn
                }
            }
        };
        stopped.release(then);
        let status = waiter.join().expect("joined");
        (status.code().map_or(Ended::Signal, Ended::Status), line)
    })
}

#[test]
fn a_process_that_dies_at_any_request_loses_and_repeats_nothing() {
    let ground = Ground::get();
    let whole = ground.case();
    whole.proxy.counted();
    whole.does(&["apply", "--yes"]);
    let count = whole.proxy.counted();
    assert!(count > 20, "{count} requests");
    let mut cases = Vec::new();
    for at in 1..=count {
        for side in [Side::Before, Side::After] {
            for death in [Death::Kill, Death::Interrupt, Death::InterruptTwice] {
                cases.push((at, side, death));
            }
        }
    }
    let (cases, said) = chosen("deaths at requests", cases, 24);
    let mut reached = 0;
    let all = cases.len();
    for (at, side, death) in cases {
        let case = ground.case();
        let (ended, line) = apply_until(&case, at, side, death);
        let context = format!("{death:?} {side:?} request {at} `{line}`; {said}");
        reached += usize::from(ended != Ended::NotReached);
        match (&ended, death) {
            (Ended::Signal, _) | (Ended::Status(130), Death::Interrupt | Death::InterruptTwice) => {}
            // Too late to stop anything.
            (Ended::Status(0), Death::Interrupt | Death::InterruptTwice) | (Ended::NotReached, _) => {
                case.does(&["plan", "--detailed-exitcode"]);
            }
            _ => panic!("{context}: {ended:?}"),
        }
        if ended == Ended::Status(130) && death == Death::Interrupt {
            assert_eq!(case.folder.read("capol.state.json.lock"), None, "{context}");
            assert_eq!(case.folder.read(".capol/journal.ndjson"), None, "{context}");
        }
        case.recovers(ground, &context);
    }
    assert!(reached * 10 > all * 9, "{reached} of {all} requests came");
}
