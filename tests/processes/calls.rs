//! The process is killed at a file-system call of its apply.

use super::ground::Ground;
use super::sample::chosen;
use super::strace::{self, Call};

/// How often the same call is aimed at: wake-ups of other threads are `write`s, too, and come when they like.
const AIMS: usize = 5;

#[test]
fn a_process_that_is_killed_at_any_file_system_call_loses_and_repeats_nothing() {
    if !strace::is_there() {
        return;
    }
    let ground = Ground::get();
    let clean = strace::watch(&ground.case(), &["apply", "--yes"], None);
    assert_eq!(clean.answer.status, 0, "{}", clean.answer.all());
    let calls: Vec<Call> = clean.calls.into_iter().filter(|call| call.writes).collect();
    assert!(calls.len() > 40, "{calls:#?}");
    let (calls, said) = chosen("deaths at file-system calls", calls, 24);
    let mut hits = 0;
    let all = calls.len();
    for call in calls {
        for _ in 0..AIMS {
            let case = ground.case();
            let watched = strace::watch(&case, &["apply", "--yes"], Some((&call, "signal=KILL")));
            let hit = watched.hit.as_ref().map_or("nothing", |hit| hit.what.as_str());
            let context = format!("killed at `{}` {} ({hit}); {said}", call.what, call.number);
            case.recovers(ground, &context);
            if hit == call.what {
                hits += 1;
                break;
            }
        }
    }
    // How threads take turns moves calls; each kill is judged by where it fell.
    assert!(hits * 2 >= all, "{hits} of {all} calls were hit");
}
