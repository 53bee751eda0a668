//! `capol fmt`
#![expect(clippy::disallowed_methods, reason = "the files to lay out are read here")]

use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::{Context, Failure, Outcome};
use crate::lang::unquote;
use crate::ops::OpsError;
use crate::ops::files::replace;
use crate::syntax::{FileId, Parsed, SourceFile, format, parse};

pub(super) fn run(context: &Context, check: bool, diff: bool, paths: &[PathBuf]) -> Result<Outcome, Failure> {
    if paths.iter().any(|path| path == Path::new("-")) {
        return standard_input(context, check);
    }
    let roots: Vec<PathBuf> = if paths.is_empty() {
        vec![context.project.clone()]
    } else {
        paths.iter().map(|path| context.project.join(path)).collect()
    };
    let mut files = Vec::new();
    for root in roots {
        collect(&root, &mut files)?;
    }
    files.sort();
    files.dedup();
    let mut reports = Vec::new();
    let mut changed = 0_usize;
    for path in &files {
        let name = path
            .strip_prefix(&context.project)
            .unwrap_or(path)
            .display()
            .to_string();
        let bytes = std::fs::read(path).map_err(|source| file_error(path, source))?;
        let formatted = match formatted(&name, &bytes) {
            Ok(formatted) => formatted,
            Err(mut found) => {
                reports.append(&mut found);
                continue;
            }
        };
        if formatted.as_bytes() == bytes {
            continue;
        }
        changed += 1;
        if diff {
            let before = String::from_utf8_lossy(&bytes);
            let lines = similar::TextDiff::from_lines(before.as_ref(), formatted.as_str());
            context.out(&lines.unified_diff().header(&name, &name).to_string());
        } else {
            context.out(&format!("{name}\n"));
        }
        if !check && !diff {
            replace(path, &formatted)?;
        }
    }
    if !reports.is_empty() {
        return Err(Failure::of(reports));
    }
    Ok(if check && changed > 0 {
        Outcome::Differences
    } else {
        Outcome::Done
    })
}

fn standard_input(context: &Context, check: bool) -> Result<Outcome, Failure> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|source| file_error(Path::new("-"), source))?;
    let formatted = formatted("standard input", &bytes).map_err(Failure::of)?;
    if check {
        return Ok(if formatted.as_bytes() == bytes {
            Outcome::Done
        } else {
            Outcome::Differences
        });
    }
    context.out(&formatted);
    Ok(Outcome::Done)
}

fn formatted(name: &str, bytes: &[u8]) -> Result<String, Vec<miette::Report>> {
    let file =
        SourceFile::from_bytes(FileId(0), name, bytes).map_err(|error| vec![miette::Report::new(error)])?;
    format(&unquoted(&file)).map_err(|errors| errors.into_iter().map(miette::Report::new).collect())
}

/// The tree with every symbol as a bare word.
fn unquoted(file: &SourceFile) -> Parsed {
    let mut parsed = parse(file);
    unquote(&mut parsed.tree);
    parsed
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let kind = path.metadata().map_err(|source| file_error(path, source))?;
    if !kind.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(|source| file_error(path, source))? {
        let entry = entry.map_err(|source| file_error(path, source))?.path();
        let hidden = entry
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if entry.is_dir() && !hidden {
            collect(&entry, files)?;
        } else if entry
            .extension()
            .is_some_and(|ending| ending == "capol" || ending == "capolvars")
        {
            files.push(entry);
        }
    }
    Ok(())
}

fn file_error(path: &Path, source: std::io::Error) -> Failure {
    OpsError::File {
        path: path.to_owned(),
        source,
    }
    .into()
}
