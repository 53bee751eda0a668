//! One case: a folder of files, and what is done with them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

/// What is done with a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// It is read and checked, without the network.
    #[default]
    Validate,
    /// A plan is made of it.
    Plan,
    /// A plan is saved, things move, and the saved plan is to be applied.
    Saved,
    /// The real command runs in its folder.
    Command,
}

/// Text that is too long to lie in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Generate {
    file: String,
    #[serde(default)]
    start: String,
    repeat: String,
    times: usize,
    #[serde(default)]
    middle: String,
    #[serde(default)]
    repeat_back: String,
    #[serde(default)]
    end: String,
}

/// What `case.json` says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Description {
    step: Step,
    /// What the real command is given, or the saved plan is read from.
    pub(super) arguments: Vec<String>,
    /// `--var`.
    pub(super) variables: Vec<String>,
    /// `--var-file`.
    pub(super) variable_files: Vec<PathBuf>,
    /// `--tenant`.
    pub(super) chosen: Option<String>,
    pub(super) targets: Vec<String>,
    pub(super) excludes: Vec<String>,
    pub(super) replace: Vec<String>,
    pub(super) destroy: bool,
    /// A tenant on loopback that counts as a real one, instead of the project's embedded one.
    pub(super) real: bool,
    pub(super) environment: BTreeMap<String, String>,
    /// What the tenant holds beside Contoso.
    pub(super) tenant: Option<Value>,
    /// The object that the signed-in application is, in a token made for this.
    pub(super) token: Option<String>,
    /// What comes into the tenant after a plan was saved.
    pub(super) tenant_after: Option<Value>,
    /// What is changed in the saved plan.
    pub(super) edit_plan: Option<Value>,
    /// What is changed in the state after the first apply.
    pub(super) edit_state: Option<Value>,
    generate: Vec<Generate>,
    /// The mistake is in no file of the project.
    without_place: bool,
    without_help: bool,
}

/// One case.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) folder: PathBuf,
    pub(super) step: Step,
    pub(super) without_place: bool,
    pub(super) without_help: bool,
    pub(super) says: Description,
}

impl Case {
    pub(super) fn read(folder: PathBuf) -> Self {
        let description = folder.join("case.json");
        let says: Description = if description.exists() {
            let text = std::fs::read_to_string(&description).unwrap();
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", description.display()))
        } else {
            Description::default()
        };
        Self {
            name: folder.file_name().unwrap().to_string_lossy().into_owned(),
            step: says.step,
            without_place: says.without_place || says.step == Step::Command,
            without_help: says.without_help,
            folder,
            says,
        }
    }

    /// Lays the case's files out in a folder: all but those of the stages before and after.
    pub(super) fn lay_out(&self, into: &Path) {
        copy(
            &self.folder,
            into,
            &["case.json", "answer.snap", "answer.snap.new", "before", "after"],
        );
        for generate in &self.says.generate {
            let text = format!(
                "{}{}{}{}{}",
                generate.start,
                generate.repeat.repeat(generate.times),
                generate.middle,
                generate.repeat_back.repeat(generate.times),
                generate.end
            );
            std::fs::write(into.join(&generate.file), text).unwrap();
        }
    }

    /// Puts the files of a stage (`before`, `after`) over those in a folder; whether there are any.
    pub(super) fn lay_over(&self, stage: &str, into: &Path) -> bool {
        let from = self.folder.join(stage);
        let exists = from.exists();
        if exists {
            copy(&from, into, &[]);
        }
        exists
    }
}

fn copy(from: &Path, into: &Path, except: &[&str]) {
    std::fs::create_dir_all(into).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name();
        if except.iter().any(|except| name == *except) {
            continue;
        }
        if entry.path().is_dir() {
            copy(&entry.path(), &into.join(name), &[]);
        } else {
            std::fs::copy(entry.path(), into.join(name)).unwrap();
        }
    }
}

/// Every file below a folder with its bytes: what must not change.
pub(super) fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(here) = open.pop() {
        for entry in std::fs::read_dir(&here).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else {
                let bytes = std::fs::read(&path).unwrap();
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), bytes);
            }
        }
    }
    found
}

/// The changes of a JSON document laid into another; null removes.
pub(super) fn merge(into: &mut Value, changes: &Value) {
    match (into, changes) {
        (Value::Object(into), Value::Object(changes)) => {
            for (name, change) in changes {
                if change.is_null() {
                    into.remove(name);
                } else {
                    merge(into.entry(name.clone()).or_insert(Value::Null), change);
                }
            }
        }
        (into, changes) => *into = changes.clone(),
    }
}
