//! A folder to work in, and the commands that a page types there.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use regex::Regex;
use snapbox::Redactions;

/// A project's folder beside a home, both of this story alone.
pub(super) struct Folder {
    place: tempfile::TempDir,
    /// The last id that capol drew at random, for commands that say `[ID]`.
    id: String,
}

/// Ids that capol draws at random: of an apply, a lock, a state. Those of the sandbox are of another version.
static DRAWN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\b").expect("a pattern")
});

static TIME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b20\d\d-\d\d-\d\d([T ])\d\d:\d\d:\d\d(\.\d+)?Z").expect("a pattern"));

static SECONDS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r" in \d+(\.\d+)?m?s\b").expect("a pattern"));

/// What a page shows where every run shows something else.
fn settled(said: &str) -> String {
    let said = TIME.replace_all(said, "2026-06-01${1}09:00:00Z");
    let said = SECONDS.replace_all(&said, " in 0.4s");
    let lines: Vec<&str> = said.lines().map(str::trim_end).collect();
    format!("{}\n", lines.join("\n"))
}

impl Folder {
    pub(super) fn new() -> Self {
        let place = tempfile::tempdir().expect("a folder to work in");
        for inner in ["home", "project"] {
            std::fs::create_dir(place.path().join(inner)).expect("a folder to work in");
        }
        Self {
            place,
            id: String::new(),
        }
    }

    fn project(&self) -> PathBuf {
        self.place.path().join("project")
    }

    /// Copies what a folder holds; not what capol keeps there when it was used.
    pub(super) fn start_with(&mut self, from: &Path) {
        copy(from, &self.project());
    }

    pub(super) fn write(&mut self, name: &str, text: &str) {
        let path = self.project().join(name);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file that can be written");
    }

    /// What differs from run to run.
    pub(super) fn redactions(&self) -> Redactions {
        let mut redactions = Redactions::new();
        redactions
            .insert("[PROJECT]", self.project())
            .expect("a placeholder");
        redactions.insert("[ID]", DRAWN.clone()).expect("a placeholder");
        redactions
    }

    /// Runs a command line and gives what it prints, the status last when it is not 0.
    ///
    /// Beside `capol` there are `ls`, `cat` and `rm`, the same on every system.
    pub(super) fn run(&mut self, line: &str) -> String {
        let (line, into) = match line.split_once(" > ") {
            Some((line, into)) => (line, Some(into.trim())),
            None => (line, None),
        };
        let mut words = words(&line.replace("[ID]", &self.id));
        let mut environment = Vec::new();
        while let Some((name, value)) = words.first().and_then(|word| word.split_once('='))
            && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
        {
            environment.push((name.to_owned(), value.to_owned()));
            words.remove(0);
        }
        let said = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            ["capol", arguments @ ..] => return self.capol(arguments, &environment, into),
            ["ls", below @ ..] => listed(&below.iter().fold(self.project(), |path, name| path.join(name))),
            ["cat", name] => std::fs::read_to_string(self.project().join(name)).expect("a file to show"),
            ["rm", name] => {
                std::fs::remove_file(self.project().join(name)).expect("a file to remove");
                String::new()
            }
            _ => panic!("a story cannot run `{line}`"),
        };
        match into {
            Some(name) => {
                self.write(name, &said);
                String::new()
            }
            None => said,
        }
    }

    fn capol(&mut self, arguments: &[&str], environment: &[(String, String)], into: Option<&str>) -> String {
        crate::fire::record_run(&self.project(), arguments.iter().copied());
        let (mut reader, writer) = std::io::pipe().expect("a pipe");
        let mut command = Command::new(env!("CARGO_BIN_EXE_capol"));
        command
            .args(arguments)
            .current_dir(self.project())
            .env_clear()
            .env("HOME", self.place.path().join("home"))
            .env("USER", "ada")
            .env("LANG", "C.UTF-8")
            .env("COLUMNS", "80")
            .env("NO_COLOR", "1")
            .envs(environment.iter().cloned())
            .stdin(Stdio::null());
        match into {
            Some(name) => command.stdout(File::create(self.project().join(name)).expect("a file")),
            None => command.stdout(writer.try_clone().expect("a pipe")),
        };
        command.stderr(writer);
        // Windows finds its own libraries through these.
        for name in ["SystemRoot", "TEMP", "TMP"] {
            command.envs(std::env::var_os(name).map(|value| (name, value)));
        }
        let needs_no_tenant = arguments
            .iter()
            .any(|word| ["--sandbox", "--help"].contains(word));
        if !needs_no_tenant {
            command.arg("--sandbox");
        }
        // One request after the other, so that they end in the same order every time.
        command.arg("--parallelism=1");
        let mut child = command.spawn().expect("the program");
        // The command holds the pipe's other end, which would never close.
        drop(command);
        let mut said = String::new();
        reader.read_to_string(&mut said).expect("text");
        let status = child.wait().expect("the program's end");
        if let Some(id) = DRAWN.find_iter(&said).last() {
            id.as_str().clone_into(&mut self.id);
        }
        match status.code() {
            Some(0) => settled(&said),
            Some(code) => format!("{}\n[exit {code}]\n", settled(&said).trim_end()),
            None => format!("{}\n[exit by signal]\n", settled(&said).trim_end()),
        }
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a folder to copy") {
        let path = entry.expect("a readable entry").path();
        let name = path.file_name().expect("an entry has a name");
        let kept = name.to_string_lossy().starts_with('.') || name.to_string_lossy().contains(".state.json");
        if kept {
            continue;
        }
        let target = to.join(name);
        if path.is_dir() {
            std::fs::create_dir(&target).expect("a folder");
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("a copy");
        }
    }
}

fn listed(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).expect("a folder to list");
    let mut names: Vec<String> = entries
        .map(|entry| {
            entry
                .expect("a readable entry")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names.join("\n")
}

/// The words of a command line: quotes hold words together, `#` begins a comment.
pub(super) fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for character in line.chars() {
        match (quote, character) {
            (Some(mark), c) if c == mark => quote = None,
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, '#') if word.is_none() => break,
            (_, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}
