//! What a plan would have done to real sign-ins.
//!
//! Each folder of `tests/cases/impact` has policies before and after, who is in which group, and logs; the `.snap` files
//! are what is seen.

mod agreement;
mod shapes;
mod tenant;

use std::path::{Path, PathBuf};

use crate::bench::Folder;

fn cases() -> Vec<(String, PathBuf)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/impact");
    let mut all: Vec<(String, PathBuf)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .collect();
    all.sort();
    all
}

#[test]
fn what_becomes_of_sign_ins_is_told_as_reviewed() {
    for (name, case) in cases() {
        let mut folder = Folder::new();
        let mut logs = Vec::new();
        for entry in std::fs::read_dir(&case).unwrap() {
            let entry = entry.unwrap().file_name().into_string().unwrap();
            if Path::new(&entry)
                .extension()
                .is_some_and(|ending| ending != "snap")
            {
                folder.write(&entry, std::fs::read(case.join(&entry)).unwrap());
            }
            if entry.starts_with("logs.") || entry.starts_with("more.") {
                logs.push(entry);
            }
        }
        logs.sort();
        let mut arguments = vec!["impact", "--policies", "before.json", "--after", "after.json"];
        if folder.path("directory.json").exists() {
            arguments.extend(["--directory", "directory.json"]);
        }
        arguments.extend(["--csv", "warn.csv", "--sign-ins"]);
        arguments.extend(logs.iter().map(String::as_str));
        let mut seen = Vec::new();
        for columns in ["80", "200"] {
            folder.set("COLUMNS", columns);
            let ran = folder.capol(&arguments);
            assert_eq!(ran.status, 0, "{name}: {}", ran.err);
            let widest = ran.out.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(
                widest <= columns.parse().unwrap(),
                "{name}: {widest} columns\n{}",
                ran.out
            );
            seen.push((format!("report_{columns}"), ran.out));
        }
        arguments.push("--json");
        seen.push(("json".to_owned(), folder.capol(&arguments).out));
        seen.push(("csv".to_owned(), folder.read("warn.csv").unwrap()));
        for (what, text) in seen {
            insta::with_settings!({
                snapshot_path => case.clone(),
                prepend_module_to_snapshot => false,
                omit_expression => true,
            }, {
                insta::assert_snapshot!(what, text);
            });
        }
    }
}
