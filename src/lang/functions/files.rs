//! Files of the project. Relative paths count from the project's folder; `path.module` is the module's.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;

use super::{Arguments, Function, Outcome, Refusal, functions};
use crate::lang::loader::{LoadError, folded};
use crate::lang::value::Value;

pub(super) const FUNCTIONS: &[Function] = functions! { "files":
    "basename" (1) "basename(path)" "The last part of the path." = |a| Ok(Value::text(a.text(0)?.trim_end_matches('/').rsplit('/').next().unwrap_or_default()));
    "dirname" (1) "dirname(path)" "The path without its last part." = |a| Ok(Value::text(match a.text(0)?.trim_end_matches('/').rsplit_once('/') {
        Some(("", _)) => "/",
        Some((folder, _)) => folder,
        None => ".",
    }));
    "file" (1) "file(path)" "The text of the file." = |a| String::from_utf8(bytes(a)?).map(Value::text).map_err(|_| not_text(a));
    "filebase64" (1) "filebase64(path)" "The Base64 of the file's bytes." = |a| Ok(Value::text(STANDARD.encode(bytes(a)?)));
    "fileexists" (1) "fileexists(path)" "Whether there is such a file." = fileexists;
    "fileset" (2) "fileset(folder, pattern)" "The files below the folder whose path matches a pattern of `*`, `**`, `?` and `{a,b}`, sorted." = fileset;
};

fn path(arguments: &Arguments<'_>, index: usize) -> Result<PathBuf, Refusal> {
    Ok(folded(&arguments.world.root.join(&*arguments.text(index)?)))
}

fn failed(path: &Path, error: &LoadError) -> Refusal {
    Refusal::of(
        0,
        format!("`{}` could not be read: {error}", shown(path)),
        "give a path from the project's folder, or start it with `${path.module}/`",
    )
}

/// A path with `/` on every system, so that messages and values are the same everywhere.
pub(crate) fn shown(path: &Path) -> String {
    let text = path.display().to_string().replace('\\', "/");
    if text.is_empty() { ".".into() } else { text }
}

fn bytes(arguments: &Arguments<'_>) -> Result<Vec<u8>, Refusal> {
    let path = path(arguments, 0)?;
    arguments
        .world
        .loader
        .read(&path)
        .map_err(|error| failed(&path, &error))
}

fn not_text(arguments: &Arguments<'_>) -> Refusal {
    Refusal::of(
        0,
        format!("the file `{}` is not UTF-8 text", arguments.value(0)),
        "read it with `filebase64(path)`",
    )
}

fn fileexists(arguments: &Arguments<'_>) -> Outcome {
    let path = path(arguments, 0)?;
    match arguments.world.loader.read(&path) {
        Ok(_) => Ok(Value::Bool(true)),
        Err(LoadError::NotFound) => Ok(Value::Bool(false)),
        Err(error) => Err(failed(&path, &error)),
    }
}

/// How many folders deep `fileset` looks.
const DEEPEST: usize = 32;

fn fileset(arguments: &Arguments<'_>) -> Outcome {
    let folder = path(arguments, 0)?;
    let pattern = arguments.text(1)?;
    let wanted = glob(&pattern).ok_or_else(|| {
        Refusal::of(
            1,
            format!("`{pattern}` is not a file pattern"),
            "write `*`, `**`, `?` and `{a,b}`, as in `**/*.json`",
        )
    })?;
    let mut found = Vec::new();
    let mut folders = vec![(String::new(), 0)];
    while let Some((prefix, depth)) = folders.pop() {
        let at = folder.join(&prefix);
        let entries = arguments
            .world
            .loader
            .list_dir(&at)
            .map_err(|error| failed(&at, &error))?;
        for entry in entries {
            let name = format!("{prefix}{}", entry.name);
            if entry.is_dir && depth < DEEPEST {
                folders.push((format!("{name}/"), depth + 1));
            } else if !entry.is_dir && wanted.is_match(&name) {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(arguments.texts_here(found))
}

fn glob(pattern: &str) -> Option<Regex> {
    let mut out = String::from("^");
    let mut braces = 0_usize;
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.next_if_eq(&'*').is_some() => {
                out.push_str(if chars.next_if_eq(&'/').is_some() {
                    "(?:.*/)?"
                } else {
                    ".*"
                });
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '{' => {
                braces += 1;
                out.push_str("(?:");
            }
            '}' => {
                braces = braces.checked_sub(1)?;
                out.push(')');
            }
            ',' if braces > 0 => out.push('|'),
            c => out.push_str(&regex::escape(&c.to_string())),
        }
    }
    out.push('$');
    (braces == 0).then(|| Regex::new(&out).ok()).flatten()
}
