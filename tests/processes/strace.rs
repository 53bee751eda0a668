//! The real command under `strace`: every file-system call it makes in its project, and a fault at one of them.

use std::process::Command;
use std::sync::OnceLock;

use super::ground::Case;
use crate::bench::{Answer, CAPOL};

/// The calls by which a project's files are read and written.
const CALLS: &str = "openat,read,write,fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,flock,ftruncate,lseek,statx,readlink,getdents64,fchmod,link,linkat";

/// One call in the project's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    /// `fsync`.
    pub(crate) name: String,
    /// Which of the calls of this name by the main thread it is, from 1.
    pub(crate) number: usize,
    /// Which of the calls of this name on this file it is, from 1, and the file, if it is called the same each time.
    pub(crate) on_file: Option<(usize, String)>,
    /// What is done to what, without what differs from run to run: `fsync .capol/journal.ndjson`.
    pub(crate) what: String,
    /// Whether it changes something.
    pub(crate) writes: bool,
}

/// A command that ran under watch.
pub(crate) struct Watched {
    pub(crate) answer: Answer,
    /// The calls in the project's folder, in their order.
    pub(crate) calls: Vec<Call>,
    /// The call that the fault hit.
    pub(crate) hit: Option<Call>,
}

/// Whether `strace` is there and may be used; says so when not.
pub(crate) fn is_there() -> bool {
    static THERE: OnceLock<bool> = OnceLock::new();
    *THERE.get_or_init(|| {
        let there = Command::new("strace")
            .args(["-qq", "-o", "/dev/null", "true"])
            .status()
            .is_ok_and(|status| status.success());
        if !there {
            println!("skipped: `strace` is not there or may not be used");
        }
        there
    })
}

/// Runs capol, with a fault (`signal=KILL`, `error=ENOSPC`) at one call.
pub(crate) fn watch(case: &Case, arguments: &[&str], fault: Option<(&Call, &str)>) -> Watched {
    let log = tempfile::NamedTempFile::new().expect("a file");
    let folder = case.folder.path("").canonicalize().expect("a folder");
    let mut aimed_at = None;
    let mut command = case.folder.command("strace");
    // Without `-f` only the main thread is watched, which is the one that touches files.
    command.args(["-qq", "-y", "-s", "0", "-o"]).arg(log.path());
    command.args(["-e", &format!("trace={CALLS}"), "-e", "signal=none"]);
    if let Some((call, fault)) = fault {
        // Wake-ups of other threads are `write`s, too: only by the file can another one be told from them.
        let by_file = call.on_file.as_ref().filter(|_| call.name == "write");
        let number = match by_file {
            Some((number, file)) => {
                command.arg("-P").arg(folder.join(file));
                *number
            }
            None => call.number,
        };
        aimed_at = Some((call.name.as_str(), number));
        command.args(["-e", &format!("inject={}:{fault}:when={number}", call.name)]);
    }
    let child = command.arg(CAPOL).args(arguments).spawn().expect("strace runs");
    let answer = case.folder.ended(child, "");
    let text = std::fs::read_to_string(log.path()).expect("a log");
    let folder = folder.to_str().expect("UTF-8").trim_end_matches('/').to_owned();
    let mut numbers = std::collections::BTreeMap::new();
    let mut on_files = std::collections::BTreeMap::new();
    let mut calls = Vec::new();
    let mut hit = None;
    for line in text.lines() {
        let Some((name, rest)) = line.split_once('(') else {
            continue;
        };
        let number: &mut usize = numbers.entry(name.to_owned()).or_default();
        *number += 1;
        let what = what(name, rest, &folder);
        let file = what
            .as_ref()
            .and_then(|what| what.rsplit_once(' '))
            .map(|(_, file)| file);
        let on_file = file.filter(|file| !file.contains("TEMPORARY") && !file.contains("N-ID"));
        let on_file = on_file.map(|file| {
            let number: &mut usize = on_files.entry((name.to_owned(), file.to_owned())).or_default();
            *number += 1;
            (*number, file.to_owned())
        });
        let call = Call {
            name: name.to_owned(),
            number: *number,
            on_file,
            writes: changes(name, rest),
            what: what.clone().unwrap_or_else(|| name.to_owned()),
        };
        if aimed_at == Some((call.name.as_str(), call.number)) {
            hit = Some(call.clone());
        }
        if what.is_some() {
            calls.push(call);
        }
    }
    Watched { answer, calls, hit }
}

fn changes(name: &str, rest: &str) -> bool {
    match name {
        "openat" => ["O_CREAT", "O_WRONLY", "O_RDWR"]
            .iter()
            .any(|flag| rest.contains(flag)),
        "read" | "statx" | "readlink" | "getdents64" | "lseek" => false,
        _ => true,
    }
}

/// The call in words, if it is about the project's folder.
fn what(name: &str, rest: &str, folder: &str) -> Option<String> {
    let rest = rest.replace(&format!("AT_FDCWD<{folder}>"), "AT_FDCWD");
    let paths = regex(r#"<([^<>]*)>(?:\(deleted\))?|"([^"]*)""#);
    let found: Vec<String> = paths
        .captures_iter(&rest)
        .filter_map(|found| {
            let path = found.get(1).or_else(|| found.get(2))?.as_str();
            let path = match path.strip_prefix(folder) {
                Some(path) => path.trim_start_matches('/'),
                None if path == "." => "",
                None => path.strip_prefix("./")?,
            };
            let path = regex(r"\d+-[0-9a-f-]{8,}").replace_all(path, "N-ID");
            let path = regex(r"\.\d+-\d+\.tmp|\.tmp\w{6}").replace_all(&path, ".TEMPORARY");
            Some(if path.is_empty() {
                "the folder".to_owned()
            } else {
                path.into_owned()
            })
        })
        .collect();
    if found.is_empty() {
        return None;
    }
    let create = if rest.contains("O_CREAT") { " to make" } else { "" };
    // What an open answers with is what it was asked for.
    let first = found.first()?;
    let text = match name {
        "rename" => found.join(" to "),
        _ => first.clone(),
    };
    Some(format!("{name}{create} {text}"))
}

fn regex(pattern: &str) -> regex::Regex {
    regex::Regex::new(pattern).expect("a pattern")
}
