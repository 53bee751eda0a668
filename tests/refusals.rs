//! Bad input: what a person sees, that it fails, and that nothing was written.
//!
//! Each folder of `tests/cases/refusals` is one project with one mistake. `case.json` beside its files
//! says what is done with it (validated, unless it says otherwise); `answer.snap` is what is seen.

mod case;
mod run;

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;

use case::{Case, Step};

/// Every case, by name.
fn cases() -> Vec<Case> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cases/refusals");
    let mut folders: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let only = std::env::var("CASE").unwrap_or_default();
    folders
        .into_iter()
        .map(Case::read)
        .filter(|case| case.name.contains(&only))
        .collect()
}

/// Compares what was seen with what was reviewed, and says which case it is about.
fn compare(case: &Case, seen: &str, failed: &mut Vec<String>) {
    let compared = std::panic::catch_unwind(AssertUnwindSafe(|| {
        insta::with_settings!({
            snapshot_path => case.folder.clone(),
            prepend_module_to_snapshot => false,
            omit_expression => true,
        }, {
            insta::assert_snapshot!("answer", seen);
        });
    }));
    if compared.is_err() {
        failed.push(format!("{}: not as it was reviewed", case.name));
    }
    if !case.without_help && !seen.contains("help: ") {
        failed.push(format!("{}: no help\n{seen}", case.name));
    }
    if !case.without_place && !seen.contains("╭─[") {
        failed.push(format!("{}: no place\n{seen}", case.name));
    }
    for internal in ["Some(", "None", "::Error", "serde", "unwrap", "panicked"] {
        if seen.contains(internal) {
            failed.push(format!("{}: shows `{internal}`\n{seen}", case.name));
        }
    }
}

#[track_caller]
fn none_of(failed: Vec<String>) {
    assert!(
        failed.is_empty(),
        "{} cases fail:\n{}",
        failed.len(),
        failed.join("\n")
    );
}

#[test]
fn what_is_wrong_with_a_text_is_said_without_the_network() {
    let mut failed = Vec::new();
    for case in cases().iter().filter(|case| case.step == Step::Validate) {
        compare(case, &run::validate(case, &mut failed), &mut failed);
    }
    none_of(failed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_tenant_would_refuse_is_said_before_anything_is_written() {
    let mut failed = Vec::new();
    for case in cases()
        .iter()
        .filter(|case| matches!(case.step, Step::Plan | Step::Saved))
    {
        let seen = run::plan(case, &mut failed).await;
        compare(case, &seen, &mut failed);
    }
    none_of(failed);
}

#[test]
fn what_was_typed_wrong_is_said_by_the_command() {
    let mut failed = Vec::new();
    for case in cases().iter().filter(|case| case.step == Step::Command) {
        compare(case, &run::command(case, &mut failed), &mut failed);
    }
    none_of(failed);
}

#[test]
fn most_cases_start_no_process_and_none_is_forgotten() {
    let cases = cases();
    if std::env::var_os("CASE").is_some() {
        return;
    }
    let processes = cases.iter().filter(|case| case.step == Step::Command).count();
    assert!(cases.len() >= 120, "only {} cases", cases.len());
    assert!(
        processes * 5 <= cases.len(),
        "{processes} of {} start a process",
        cases.len()
    );
    for case in cases {
        assert!(
            case.folder.join("answer.snap").exists(),
            "{} was never reviewed",
            case.name
        );
    }
}
