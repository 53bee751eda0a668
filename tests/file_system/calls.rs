//! The real command with one file-system call after the other failing.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::bench::Answer;
use crate::processes::ground::{Case, Ground};
use crate::processes::sample::chosen;
use crate::processes::strace::{self, Call, Watched};

/// What the system can say to a call.
const ERRORS: [&str; 3] = ["ENOSPC", "EIO", "EACCES"];

/// How often a call is aimed at that is not always the same one.
const AIMS: usize = 3;

/// A wake-up of another thread that fails is no fault of a file system, and cannot be told from a `write` to a file
/// whose name is new each time. How such a write fails is tried in `limits`.
fn can_fail(call: &Call) -> bool {
    call.name != "write" || call.on_file.is_some()
}

/// One apply in which a call fails; none when it was not met.
fn failing(ground: &Ground, arguments: &[&str], call: &Call, error: &str) -> Option<(Case, Watched)> {
    (0..AIMS).find_map(|_| {
        let case = ground.case();
        let watched = strace::watch(&case, arguments, Some((call, &format!("error={error}"))));
        let met = watched.hit.as_ref().is_some_and(|hit| hit.what == call.what);
        met.then_some((case, watched))
    })
}

fn is_told(answer: &Answer) -> bool {
    let names = [
        "capol.state.json",
        "main.capol",
        "settings.capol",
        ".capol",
        "[FOLDER]",
        "`.`",
    ];
    answer.err.contains("help: ")
        && names.iter().any(|name| answer.err.contains(name))
        && ["panicked", "Some(", "Error {", "::Error"]
            .iter()
            .all(|odd| !answer.err.contains(odd))
}

/// The writes that reached the tenant, and the journal's records that allow them.
fn writes_and_begins(case: &Case) -> (usize, usize) {
    let writes = case
        .tenant
        .requests()
        .iter()
        .filter(|request| request.method != "GET")
        .filter(|request| !request.path.ends_with("$batch") && !request.path.ends_with("getByIds"))
        .count();
    let begins = case
        .files()
        .iter()
        .filter(|path| path.ends_with("journal.ndjson"))
        .filter_map(|path| case.folder.read(path))
        // What the applies before this one wrote is in the history, under the serial that they began with.
        .filter(|text| !text.contains("\"serial\":0,"))
        .map(|text| text.matches("{\"record\":\"begin\"").count())
        .sum();
    (writes, begins)
}

#[test]
fn whatever_call_fails_is_told_and_loses_nothing() {
    if !strace::is_there() {
        return;
    }
    let ground = Ground::get();
    let clean = strace::watch(&ground.case(), &["apply", "--yes"], None);
    assert_eq!(clean.answer.status, 0, "{}", clean.answer.all());
    let mut cases = Vec::new();
    for call in clean.calls.into_iter().filter(can_fail) {
        for error in ERRORS {
            cases.push((call.clone(), error));
        }
    }
    let (cases, said) = chosen("calls that fail", cases, 30);
    let (all, mut met) = (cases.len(), 0);
    for (call, error) in cases {
        let Some((case, watched)) = failing(ground, &["apply", "--yes"], &call, error) else {
            continue;
        };
        met += 1;
        let context = format!("{error} at `{}` {}; {said}", call.what, call.number);
        let answer = &watched.answer;
        match answer.status {
            // It did without: the end is checked below.
            0 => {}
            1 => assert!(is_told(answer), "{context}: {}", answer.all()),
            _ => panic!("{context}: {}", answer.all()),
        }
        let (writes, begins) = writes_and_begins(&case);
        assert!(
            writes <= begins,
            "{context}: {writes} writes left, {begins} were recorded before"
        );
        if answer.status == 0 {
            case.does(&["plan", "--detailed-exitcode"]);
        }
        case.recovers(ground, &context);
    }
    // How threads take turns moves calls; each case is judged by what was met.
    assert!(met * 2 >= all, "{met} of {all} calls were met");
}

/// What differs from run to run in what is said.
pub(super) fn settled(text: &str) -> String {
    let rules = [
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "[UUID]",
        ),
        (r"\d+-[0-9a-f]{8}\.json", "[SERIAL].json"),
        (r"\.\d+-\d+\.tmp", ".[TEMPORARY].tmp"),
        (r"in \d+\.\ds", "in [TIME]"),
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "[MOMENT]"),
        (r"on \S+ is running", "on [HOST] is running"),
        (r"process \d+", "process [PID]"),
    ];
    // Where lines break depends on the length of what is put in brackets.
    let mut text = text.replace("\n  | ", " ").replace("\n        ", " ");
    for (pattern, with) in rules {
        text = regex::Regex::new(pattern)
            .unwrap()
            .replace_all(&text, with)
            .into_owned();
    }
    text
}

/// Fails each kind of call once and keeps what is said, for somebody to read.
fn told(arguments: &[&str], errors: impl Fn(&Call) -> &'static str, only: impl Fn(&Call) -> bool) -> String {
    let ground = Ground::get();
    let clean = strace::watch(&ground.case(), arguments, None);
    assert_eq!(clean.answer.status, 0, "{}", clean.answer.all());
    let mut seen = BTreeSet::new();
    let mut text = String::new();
    for call in clean.calls {
        if !only(&call) || !can_fail(&call) || !seen.insert(call.what.clone()) {
            continue;
        }
        let error = errors(&call);
        let Some((_, watched)) = failing(ground, arguments, &call, error) else {
            continue;
        };
        let answer = watched.answer;
        let first = answer.err.lines().position(|line| line.contains("::"));
        let lines: Vec<&str> = answer.err.lines().skip(first.unwrap_or_default()).collect();
        let said = match answer.status {
            0 => "nothing: it did without".to_owned(),
            _ => settled(&lines.join("\n")).trim().to_owned(),
        };
        writeln!(text, "## {} says {error}\n{said}\n", call.what).unwrap();
    }
    text
}

fn fitting(call: &Call) -> &'static str {
    match call.name.as_str() {
        "write" | "ftruncate" | "mkdir" => "ENOSPC",
        "openat" if call.what.contains("to make") => "EROFS",
        "openat" | "rename" | "unlink" | "statx" | "getdents64" => "EACCES",
        "flock" => "ENOLCK",
        _ => "EIO",
    }
}

#[test]
fn what_is_said_when_a_call_fails() {
    if !strace::is_there() {
        return;
    }
    let apply = told(&["apply", "--yes", "--parallelism", "1"], fitting, |_| true);
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("apply", apply) });
    let plan = told(&["plan", "--out", "next.capolplan"], fitting, |call| {
        call.what.contains("capolplan")
    });
    insta::with_settings!({ omit_expression => true }, { insta::assert_snapshot!("plan_out", plan) });
}
