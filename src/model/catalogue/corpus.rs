//! Real exports, when they are at hand: what the tests of the catalogues read.
//!
//! The files are looked for in the folder `CAPOL_SHARED` names, else beside the
//! project. Without them the tests that need them say so and pass.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder of real exports; `None`, and a line on stderr, when there is none.
#[expect(clippy::disallowed_methods, reason = "test bench")]
fn folder() -> Option<PathBuf> {
    let shared = std::env::var("CAPOL_SHARED").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let corpus = shared.join("corpus");
    if corpus.is_dir() {
        return Some(corpus);
    }
    eprintln!("skipped: no real exports in {}", corpus.display());
    None
}

/// Every JSON document of the corpus whose file name ends with `suffix`.
pub(crate) fn json_files_named(suffix: &str) -> Option<Vec<Value>> {
    let mut documents = Vec::new();
    collect(&folder()?, suffix, &mut documents);
    assert!(!documents.is_empty(), "the corpus is there but holds no {suffix}");
    Some(documents)
}

/// Every string that stands, alone or in a list, under one of these members.
pub(crate) fn strings_under(members: &[&str]) -> Option<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    for document in json_files_named(".json")? {
        gather(&document, members, &mut found);
    }
    assert!(!found.is_empty(), "the corpus is there but holds no {members:?}");
    Some(found)
}

#[expect(clippy::disallowed_methods, reason = "test bench")]
fn collect(folder: &Path, suffix: &str, documents: &mut Vec<Value>) {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, suffix, documents);
        } else if path.to_string_lossy().ends_with(suffix) {
            let bytes = std::fs::read(&path).unwrap();
            let (text, ..) = encoding_rs::UTF_8.decode(&bytes);
            // One file of the corpus is broken on purpose.
            documents.extend(serde_json::from_str::<Value>(&text));
        }
    }
}

fn gather(value: &Value, members: &[&str], found: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (member, value) in object {
                if members.iter().any(|wanted| wanted.eq_ignore_ascii_case(member)) {
                    let one = std::slice::from_ref(value);
                    let list = value.as_array().map_or(one, Vec::as_slice);
                    found.extend(list.iter().filter_map(Value::as_str).map(str::to_owned));
                }
                gather(value, members, found);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| gather(value, members, found)),
        _ => {}
    }
}
