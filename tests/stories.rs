//! Every listing of the book, the README and the examples, done as a reader would do it.
//!
//! A page is read from top to bottom. A block ```` ```capol title="main.capol" ```` is written to a folder
//! of its own, the commands of a ```` ```console ```` block are run there with the real program against the
//! embedded tenant, and what they print must be what the page says: `[..]` stands for anything in a line,
//! a line `...` for any lines, `[exit 1]` for the status. `<!-- project: examples/quickstart -->` starts
//! afresh with a copy of that folder, `<!-- run: capol apply --yes -->` runs without being shown. The commands of a ```` ```sh ```` block are only parsed.
//!
//! `CAPOL_STORIES=overwrite cargo test stories` writes into the pages what the program says today.

#![expect(clippy::format_push_string, reason = "test bench")]

mod generated;
mod language;
mod links;
mod markdown;
mod program;
mod tests;

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use snapbox::IntoData as _;
use snapbox::filter::NormalizeToExpected;

use crate::shared;
use markdown::{Page, Part};
use program::{Folder, words};

/// The project's folder.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether pages are to be rewritten instead of checked.
fn overwrites() -> bool {
    std::env::var_os("CAPOL_STORIES").is_some_and(|value| value == "overwrite")
}

/// Checks that a page holds this text, or makes it so.
fn settle(path: &Path, found: &str, wanted: &str) -> Result<(), String> {
    if found == wanted {
        return Ok(());
    }
    if overwrites() {
        std::fs::write(path, wanted).expect("a page that can be written");
        return Ok(());
    }
    let difference = similar::TextDiff::from_lines(found, wanted);
    Err(difference
        .unified_diff()
        .header("the page", "the program")
        .to_string())
}

macro_rules! stories {
    ($($name:ident: $path:literal,)*) => {
        const TOLD: &[&str] = &[$($path),*];
        $(#[test] fn $name() { tell($path); })*
    };
}

stories! {
    commands: "book/src/commands.md",
    diagnostics: "book/src/diagnostics.md",
    effect: "book/src/effect.md",
    faults: "book/src/faults.md",
    getting_started: "book/src/getting-started.md",
    impact: "book/src/impact.md",
    importing: "book/src/importing.md",
    language: "book/src/language.md",
    plan_and_apply: "book/src/plan-and-apply.md",
    rollouts_walk: "book/src/rollouts-walk.md",
    sandbox: "book/src/sandbox.md",
    sign_in: "book/src/sign-in.md",
    state: "book/src/state.md",
    undo: "book/src/undo.md",
    what_if: "book/src/what-if.md",
    readme: "README.md",
    example_quickstart: "examples/quickstart/README.md",
    example_persona_baseline: "examples/persona-baseline/README.md",
    example_staged_rollout: "examples/staged-rollout/README.md",
    example_adopt_export: "examples/adopt-export/README.md",
}

#[test]
fn every_page_is_told() {
    let pages = ["book/src", "examples"]
        .into_iter()
        .flat_map(|folder| shared::files(&root().join(folder), ".md"));
    let untold: Vec<PathBuf> = pages
        .filter(|path| {
            let inside = path.strip_prefix(root()).expect("below the root");
            let name = inside.to_string_lossy().replace('\\', "/");
            let text = std::fs::read_to_string(path).expect("a readable page");
            let tells = text.contains("```console") || text.contains("```sh");
            tells && !TOLD.contains(&name.as_str())
        })
        .collect();
    assert!(untold.is_empty(), "add these pages to `stories!`: {untold:#?}");
}

/// Does what a page says.
fn tell(path: &str) {
    let file = root().join(path);
    let text = std::fs::read_to_string(&file).expect("a readable page");
    let page = Page::of(&text);
    let mut folder = Folder::new();
    if path.starts_with("examples/") {
        folder.start_with(file.parent().expect("a page has a folder"));
    }
    let mut told = page.clone();
    let mut wrong = Vec::new();
    for (part, kept) in page.parts.iter().zip(&mut told.parts) {
        match part {
            Part::Project(from) if from == "empty" => folder = Folder::new(),
            Part::Project(from) => {
                folder = Folder::new();
                folder.start_with(&root().join(from));
            }
            Part::Run(command) => {
                let said = folder.run(command);
                if said.lines().any(|line| line.starts_with("[exit ")) {
                    wrong.push(format!("`{command}`: {said}"));
                }
            }
            Part::Text(_) => {}
            Part::Block(block) => {
                if let Some(title) = &block.title {
                    folder.write(title, &block.body);
                }
                match block.language() {
                    "console" => {
                        let now = session(&mut folder, &block.body);
                        if let Part::Block(kept) = kept {
                            kept.body = now;
                        }
                    }
                    "sh" => wrong.extend(misspelt(&block.body)),
                    _ => {}
                }
            }
        }
    }
    wrong.extend(settle(&file, &text, &told.to_string()).err());
    assert!(
        wrong.is_empty(),
        "{path}: `CAPOL_STORIES=overwrite cargo test stories` writes what the program says today\n{}",
        wrong.join("\n")
    );
}

/// Runs the commands of a console block and gives the block as it should read; what the page leaves
/// open stays open.
fn session(folder: &mut Folder, body: &str) -> String {
    let mut entries: Vec<(&str, Vec<&str>)> = Vec::new();
    for line in body.lines() {
        match (line.strip_prefix("$ "), entries.last_mut()) {
            (Some(command), _) => entries.push((command, Vec::new())),
            (None, Some((_, said))) => said.push(line),
            (None, None) => {}
        }
    }
    let mut shown = Vec::new();
    for (command, expected) in entries {
        let expected = expected.join("\n").trim_end().to_owned();
        let found = folder.run(command);
        let redactions = folder.redactions();
        let same = NormalizeToExpected::new()
            .redact_with(&redactions)
            .normalize(found.trim_end().into_data(), &expected.into_data());
        let same = same.to_string();
        let same = same.trim_end();
        shown.push(if same.is_empty() {
            format!("$ {command}\n")
        } else {
            format!("$ {command}\n{same}\n\n")
        });
    }
    format!("{}\n", shown.concat().trim_end())
}

/// The commands of a block that the command line would not take.
fn misspelt(body: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for line in body.lines() {
        let words = words(line);
        let rest = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["capol", rest @ ..] => rest
                .iter()
                .take_while(|word| ![">", "|", "&&"].contains(word))
                .map(ToString::to_string)
                .collect::<Vec<_>>(),
            ["cargo", "run", before @ ..] if before.contains(&"--") => before
                .iter()
                .skip_while(|word| **word != "--")
                .skip(1)
                .map(ToString::to_string)
                .collect(),
            _ => continue,
        };
        let parsed = capol::cli::Invocation::command()
            .try_get_matches_from(std::iter::once("capol".to_owned()).chain(rest));
        if let Err(error) = parsed {
            wrong.push(format!("`{line}`: {error}"));
        }
    }
    wrong
}
