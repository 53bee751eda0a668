//! The real command in a folder of its own, as a user runs it.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The real command.
pub(crate) const CAPOL: &str = env!("CARGO_BIN_EXE_capol");

/// A folder in which commands are run, removed at the end.
pub(crate) struct Folder {
    folder: tempfile::TempDir,
    environment: BTreeMap<String, String>,
}

/// What a command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Its exit status; [`Answer::KILLED`] when a signal ended it.
    pub(crate) status: i32,
    /// Its standard output, with the folder's path as `[FOLDER]`.
    pub(crate) out: String,
    /// Its standard error, likewise.
    pub(crate) err: String,
}

impl Folder {
    /// An empty folder.
    pub(crate) fn new() -> Self {
        let environment = [("USER", "anna"), ("LANG", "C"), ("COLUMNS", "120")];
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            environment: environment
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
        }
    }

    /// Sets an environment variable for the commands.
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.environment.insert(name.to_owned(), value.to_owned());
    }

    /// The environment variable that was set for the commands.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        self.environment.get(name).cloned()
    }

    /// The path of a file in it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> &Self {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("writable");
        self
    }

    /// Reads a file; none when it is not there.
    pub(crate) fn read(&self, name: &str) -> Option<String> {
        std::fs::read_to_string(self.path(name)).ok()
    }

    /// Runs `capol` with these arguments.
    pub(crate) fn capol(&self, arguments: &[&str]) -> Answer {
        self.capol_with(arguments, "")
    }

    /// Runs `capol` with these arguments and this standard input.
    pub(crate) fn capol_with(&self, arguments: &[&str], input: &str) -> Answer {
        self.ended(self.start(arguments), input)
    }

    /// Gives a command its standard input and waits for its end.
    pub(crate) fn ended(&self, mut child: Child, input: &str) -> Answer {
        let mut stdin = child.stdin.take().expect("piped");
        // A command that reads no input may be gone already.
        drop(stdin.write_all(input.as_bytes()));
        drop(stdin);
        let output = child.wait_with_output().expect("capol ends");
        Answer {
            status: output.status.code().unwrap_or(Answer::KILLED),
            out: self.redacted(&output.stdout),
            err: self.redacted(&output.stderr),
        }
    }

    /// Starts `capol` with these arguments; its three streams are pipes.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        crate::fire::record_run(self.folder.path(), arguments.iter().copied());
        let mut command = self.command(CAPOL);
        command.args(arguments).spawn().expect("capol runs")
    }

    /// Another program in this folder, with the same environment; its three streams are pipes.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(self.folder.path())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for name in ["PATH", "SYSTEMROOT", "TEMP", "TMP"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.envs(&self.environment);
        command
    }

    fn redacted(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes);
        let whole = |path: &Path| path.display().to_string();
        let resolved = self.folder.path().canonicalize();
        let text = text.replace(&whole(self.folder.path()), "[FOLDER]");
        resolved.map_or(text.clone(), |path| text.replace(&whole(&path), "[FOLDER]"))
    }
}

impl Answer {
    /// The status of a process that a signal ended.
    pub(crate) const KILLED: i32 = -1;

    /// Status and both streams, for a snapshot.
    pub(crate) fn all(&self) -> String {
        let mut text = format!("status {}\n", self.status);
        for (name, stream) in [("out", &self.out), ("err", &self.err)] {
            if !stream.is_empty() {
                text = text + "--- " + name + "\n" + stream;
            }
        }
        text
    }

    /// Standard output as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error} in {}", self.all()))
    }
}
