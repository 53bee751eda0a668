//! Every listing in the language is laid out as `capol fmt` would, and those marked `validate` are whole
//! files without a fault.

use std::path::Path;
use std::sync::Arc;

use capol::lang::memory::Memory;
use capol::lang::{self, Inputs};
use capol::syntax::{FileId, SourceFile, format, parse};

use super::markdown::{Block, Page};
use super::root;
use crate::shared;

#[test]
fn listings_are_capol() {
    let mut wrong = Vec::new();
    let pages = ["book/src", "examples"]
        .into_iter()
        .flat_map(|folder| shared::files(&root().join(folder), ".md"))
        .chain([root().join("README.md")]);
    for path in pages {
        let text = std::fs::read_to_string(&path).expect("a readable page");
        for block in Page::of(&text)
            .blocks()
            .filter(|block| block.language() == "capol")
        {
            let problem = laid_out(block).err().or_else(|| {
                let whole = block.is_marked("validate");
                whole.then(|| sound(block).err()).flatten()
            });
            if let Some(problem) = problem {
                wrong.push(format!("{}:{}\n{problem}", path.display(), block.line));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

fn laid_out(block: &Block) -> Result<(), String> {
    let file = SourceFile::from_bytes(FileId(0), "listing", block.body.as_bytes())
        .map_err(|error| error.to_string())?;
    let formatted = format(&parse(&file)).map_err(|errors| {
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        errors.join("\n")
    })?;
    if formatted == block.body {
        return Ok(());
    }
    let difference = similar::TextDiff::from_lines(&block.body, &formatted);
    Err(difference
        .unified_diff()
        .header("the page", "capol fmt")
        .to_string())
}

fn sound(block: &Block) -> Result<(), String> {
    let memory = Memory::new([("page/main.capol", block.body.as_str())]);
    let now = "2026-06-01T09:00:00Z".parse().expect("a moment");
    let project = lang::load(Arc::new(memory), Path::new("page"), &Inputs::at(now));
    let (_, diagnostics) = lang::configuration(&project);
    if !diagnostics.has_errors() {
        return Ok(());
    }
    let all: Vec<String> = diagnostics.iter().map(|found| format!("{found:?}")).collect();
    Err(all.join("\n"))
}
