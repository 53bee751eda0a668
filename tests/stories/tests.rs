//! The commands that a page gives for the project's own tests and benches find some, and the variables that it names are
//! read somewhere.

use std::path::{Path, PathBuf};
use std::process::Command;

use regex::Regex;

use super::program::words;
use super::root;
use crate::shared;

/// Every page of the project, and what names tests beside them.
fn pages() -> Vec<(PathBuf, String)> {
    [
        "book/src",
        "examples",
        "benches",
        "tests",
        "fuzz/README.md",
        "README.md",
    ]
    .into_iter()
    .flat_map(|place| match root().join(place) {
        folder if folder.is_dir() => shared::files(&folder, ".md"),
        file => vec![file],
    })
    .map(|path| {
        (
            path.clone(),
            std::fs::read_to_string(path).expect("a readable page"),
        )
    })
    .collect()
}

/// What the text in a page says after `cargo test` or `cargo bench`, up to the end of the command.
fn commands<'t>(text: &'t str, command: &str) -> impl Iterator<Item = Vec<String>> + use<'t> {
    let pattern = format!("cargo {command}\\b([^`\n#]*)");
    let pattern = Regex::new(&pattern).expect("a pattern");
    let found: Vec<&str> = pattern
        .captures_iter(text)
        .filter_map(|found| found.get(1))
        .map(|rest| rest.as_str())
        .collect();
    found.into_iter().map(words)
}

/// The test of `cargo test OPTIONS [NAME] [-- …]` and its target, if they are given.
fn aim(words: &[String]) -> (Option<&str>, Option<&str>) {
    let (mut name, mut target) = (None, None);
    let mut words = words.iter().map(String::as_str).take_while(|word| *word != "--");
    while let Some(word) = words.next() {
        match word {
            "--test" | "--bench" => target = words.next(),
            "--profile" => drop(words.next()),
            _ if word.starts_with('-') => {}
            _ => name = Some(word),
        }
    }
    (name, target)
}

#[test]
fn tests_that_a_page_names_are_there() {
    let listed = Command::new(std::env::current_exe().expect("this program"))
        .args(["--list", "--format", "terse"])
        .output()
        .expect("this program runs");
    let listed = String::from_utf8(listed.stdout).expect("names");
    let tests: Vec<&str> = listed
        .lines()
        .filter_map(|line| line.strip_suffix(": test"))
        .collect();
    let list = std::fs::read_to_string(root().join("tests/defects/run.py")).expect("readable");
    let parts = list
        .lines()
        .find_map(|line| line.strip_prefix("PARTS = ["))
        .expect("the parts that defects are tried on");
    let mut wanted: Vec<(PathBuf, String)> = parts
        .split('"')
        .skip(1)
        .step_by(2)
        .map(|part| (PathBuf::from("tests/defects/run.py"), part.to_owned()))
        .collect();
    for (page, text) in pages() {
        for words in commands(&text, "test") {
            let (name, target) = aim(&words);
            assert!(
                target.is_none_or(|target| target == "promises"),
                "{}: {words:?}",
                page.display()
            );
            wanted.extend(name.map(|name| (page.clone(), name.to_owned())));
        }
    }
    assert!(wanted.len() > 8, "{wanted:?}");
    for (page, name) in wanted {
        let is_there = tests.iter().any(|test| test.contains(&name));
        assert!(is_there, "{}: there is no test `{name}`", page.display());
    }
}

#[test]
fn benches_that_a_page_names_are_there() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("readable");
    let runner = std::fs::read_to_string(root().join("benches/engine/runner.rs")).expect("readable");
    let mut count = 0;
    for (page, text) in pages() {
        for words in commands(&text, "bench") {
            let (_, target) = aim(&words);
            let bench = format!("[[bench]]\nname = \"{}\"", target.unwrap_or_default());
            assert!(manifest.contains(&bench), "{}: {words:?}", page.display());
            for option in words.iter().skip_while(|word| *word != "--").skip(1) {
                let is_known = !option.starts_with('-') || runner.contains(&format!("\"{option}\" =>"));
                assert!(is_known, "{}: {words:?}", page.display());
            }
            count += 1;
        }
    }
    assert!(count > 5);
}

/// The variables of capol's own that a text names.
fn variables(text: &str) -> Vec<&str> {
    let pattern = Regex::new("CAPOL(_[A-Z]+)+").expect("a pattern");
    pattern.find_iter(text).map(|found| found.as_str()).collect()
}

#[test]
fn variables_that_a_page_names_are_read() {
    let sources: String = ["src", "tests", "benches"]
        .iter()
        .flat_map(|folder| shared::files(&root().join(folder), ".rs"))
        .map(|path| std::fs::read_to_string(path).expect("readable"))
        .collect();
    for (page, text) in pages() {
        for variable in variables(&text) {
            let is_read = sources.contains(&format!("\"{variable}"));
            assert!(is_read, "{}: nothing reads `{variable}`", page.display());
        }
    }
}

#[test]
fn variables_that_the_program_reads_are_told() {
    let page = std::fs::read_to_string(root().join("book/src/commands.md")).expect("readable");
    let told = variables(&page);
    let source = root().join("src");
    let is_of_tests = |path: &Path| {
        let inside = path.strip_prefix(&source).expect("below src");
        inside.iter().any(|part| part == "tests") || inside == Path::new("model/catalogue/corpus.rs")
    };
    for path in shared::files(&source, ".rs")
        .into_iter()
        .filter(|path| !is_of_tests(path))
    {
        let text = std::fs::read_to_string(&path).expect("readable");
        for word in text.split('"').filter(|word| word.starts_with("CAPOL_")) {
            for variable in variables(word) {
                assert!(
                    told.contains(&variable),
                    "{}: `{variable}` is not in the book",
                    path.display()
                );
            }
        }
    }
}
