//! The rooms of `src/` and the arrows between them, as the book's architecture page allows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::shared;

const PAGE: &str = include_str!("../book/src/architecture.md");

/// Room → rooms that it may use, from the table of the page.
fn allowed() -> BTreeMap<String, BTreeSet<String>> {
    let mut rooms: Vec<(String, String)> = Vec::new();
    for line in PAGE.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let [_, folder, _, uses, ..] = cells.as_slice()
            && let Some(room) = folder
                .strip_prefix("`src/")
                .and_then(|rest| rest.strip_suffix("/`"))
        {
            rooms.push((room.to_owned(), (*uses).to_owned()));
        }
    }
    let names: Vec<String> = rooms.iter().map(|(room, _)| room.clone()).collect();
    rooms
        .iter()
        .enumerate()
        .map(|(at, (room, uses))| {
            let may = match uses.as_str() {
                "all" => names.iter().cloned().collect(),
                uses if uses.starts_with("everything above") => {
                    let also = names.iter().filter(|name| words(uses).contains(name.as_str()));
                    names[..at].iter().chain(also).cloned().collect()
                }
                uses => names
                    .iter()
                    .filter(|name| words(uses).contains(name.as_str()))
                    .cloned()
                    .collect(),
            };
            (room.clone(), may)
        })
        .collect()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).collect()
}

/// Every `crate::ROOM` that a file names outside its tests.
fn imports(text: &str) -> BTreeSet<String> {
    let production = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let mut found = BTreeSet::new();
    for line in production
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
    {
        for part in line.split("crate::").skip(1) {
            let room: String = part
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            if room.is_empty() {
                // A grouped import: `use crate::{model, syntax::Span}`.
                let inner = part.trim_start_matches('{').split('}').next().unwrap_or_default();
                found.extend(
                    inner
                        .split(',')
                        .map(|item| item.trim().split("::").next().unwrap_or_default().to_owned()),
                );
            }
            found.insert(room);
        }
    }
    found.remove("");
    found
}

#[test]
fn rooms_import_only_what_the_plan_allows() {
    let allowed = allowed();
    assert!(allowed.len() > 10, "the table of rooms was not found");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for file in shared::files(&source, ".rs") {
        let inside = file
            .strip_prefix(&source)
            .expect("below src")
            .to_string_lossy()
            .replace('\\', "/");
        let room = inside
            .split('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".rs")
            .to_owned();
        // What is no room: the table of contents and the binary.
        if matches!(room.as_str(), "lib" | "main") {
            continue;
        }
        let Some(may) = allowed.get(&room) else {
            wrong.push(format!("{inside} is in no room of the page"));
            continue;
        };
        let text = std::fs::read_to_string(&file).expect("readable source");
        for import in imports(&text) {
            if allowed.contains_key(&import) && import != room && !may.contains(&import) {
                wrong.push(format!("{inside} uses `{import}`"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "arrows that the architecture page does not allow: {wrong:#?}"
    );
}

/// Whether a file is a module that its parent declares for tests alone.
fn is_only_for_tests(file: &Path) -> bool {
    let name = file.file_stem().expect("a file").to_string_lossy();
    let parent = file.parent().expect("a folder").with_extension("rs");
    let declared = std::fs::read_to_string(parent).unwrap_or_default();
    ["", "pub(crate) ", "pub(super) ", "pub "]
        .iter()
        .any(|visible| declared.contains(&format!("#[cfg(test)]\n{visible}mod {name};")))
}

#[test]
fn the_core_reads_no_clock_and_no_file() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let forbidden = [
        "std::fs",
        "std::env",
        "TcpStream",
        "SystemTime::now",
        "Instant::now",
        "Timestamp::now",
        "tokio::",
        "reqwest",
    ];
    for room in ["syntax", "model", "lang", "export", "access", "rollout", "plan"] {
        let folder = source.join(room);
        if !folder.exists() {
            continue;
        }
        for file in shared::files(&folder, ".rs") {
            if is_only_for_tests(&file) {
                continue;
            }
            let text = std::fs::read_to_string(&file).expect("readable source");
            let production = text.split("#[cfg(test)]").next().unwrap_or_default();
            for word in forbidden {
                assert!(!production.contains(word), "{} says `{word}`", file.display());
            }
        }
    }
}

#[test]
fn nothing_in_the_project_names_a_machine() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [
        "src",
        "tests",
        "benches",
        "book/src",
        "examples",
        ".ci",
        "grammar",
        "fuzz/src",
        "fuzz/fuzz_targets",
    ];
    let files = [
        "README.md",
        "Cargo.toml",
        "clippy.toml",
        "deny.toml",
        "fuzz/README.md",
        "fuzz/Cargo.toml",
        "fuzz/run",
    ];
    let all = folders
        .into_iter()
        .flat_map(|folder| shared::files(&root.join(folder), ""))
        .chain(files.map(|file| root.join(file)));
    for file in all {
        let text = String::from_utf8_lossy(&std::fs::read(&file).expect("a readable file")).into_owned();
        for path in [
            concat!("/", "work/"),
            concat!("/", "tmp/", "wt"),
            concat!("/", "root/"),
        ] {
            assert!(!text.contains(path), "{} names {path}", file.display());
        }
    }
}
