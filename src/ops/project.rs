//! A project read from disk: its configuration, and everything that is wrong with it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::connection::Environment;
use super::source::Disk;
use crate::lang::memory::Memory;
use crate::lang::{self, Diagnostics, Input, Inputs, Project, Sources};
use crate::model::configuration::Configuration;
use crate::model::state;

/// A project as it was read.
#[derive(Debug)]
pub struct Loaded {
    /// What it says.
    pub configuration: Configuration,
    /// What is wrong with it.
    pub diagnostics: Diagnostics,
    /// The files that places in it point into.
    pub sources: Sources,
    /// The digest of all its texts and inputs, to bind a saved plan to.
    pub digest: String,
    /// The project itself, for evaluating further expressions.
    pub project: Project,
}

/// Where variables get their values, beside the project's own files.
#[derive(Debug, Clone, Default)]
pub struct Given {
    /// `--var name=value`, in order.
    pub variables: Vec<String>,
    /// `--var-file`, in order.
    pub files: Vec<PathBuf>,
    /// The tenant chosen with `--tenant`.
    pub tenant: Option<String>,
}

/// Reads the project in a folder.
pub fn load(folder: &Path, given: &Given, environment: &Environment, now: Timestamp) -> Loaded {
    let inputs = inputs(given, environment, now);
    loaded(lang::load(Arc::new(Disk::of(folder)), folder, &inputs), &inputs)
}

/// Reads the project in a folder, or an empty one where none has been written yet.
pub fn load_or_new(folder: &Path, given: &Given, environment: &Environment, now: Timestamp) -> Loaded {
    let has_files = folder
        .read_dir()
        .into_iter()
        .flatten()
        .flatten()
        .any(|entry| entry.path().extension().is_some_and(|ending| ending == "capol"));
    if has_files {
        return load(folder, given, environment, now);
    }
    loaded(nothing(now), &Inputs::at(now))
}

/// A project without a word.
fn nothing(now: Timestamp) -> Project {
    let empty = Memory::new([("new/main.capol", "")]);
    lang::load(Arc::new(empty), Path::new("new"), &Inputs::at(now))
}

impl Loaded {
    /// Lets go of the project's syntax trees, the larger part of it, once nothing more is evaluated.
    #[must_use]
    pub fn without_trees(self, now: Timestamp) -> Self {
        Self {
            project: nothing(now),
            ..self
        }
    }
}

fn loaded(project: Project, inputs: &Inputs) -> Loaded {
    let (configuration, diagnostics) = lang::configuration(&project);
    let sources = project.sources().clone();
    let digest = digest(&sources, inputs);
    Loaded {
        configuration,
        diagnostics,
        sources,
        digest,
        project,
    }
}

fn inputs(given: &Given, environment: &Environment, now: Timestamp) -> Inputs {
    let files = given.files.iter().cloned().map(Input::File);
    let values = given.variables.iter().map(|text| match text.split_once('=') {
        Some((name, value)) => Input::Value {
            name: name.trim().to_owned(),
            value: value.to_owned(),
        },
        None => Input::NoValue(text.clone()),
    });
    let environment: BTreeMap<String, String> = environment
        .iter()
        .filter_map(|(name, value)| Some((name.strip_prefix("CAPOL_VAR_")?.to_owned(), value.clone())))
        .collect();
    Inputs {
        command_line: files.chain(values).collect(),
        environment,
        tenant: given.tenant.clone(),
        now,
    }
}

fn digest(sources: &Sources, inputs: &Inputs) -> String {
    let mut texts: Vec<(Cow<'_, str>, &str)> = sources
        .iter()
        .map(|file| (file.name().into(), file.text()))
        .collect();
    texts.sort();
    for input in &inputs.command_line {
        if let Input::Value { name, value } = input {
            texts.push((format!("--var {name}").into(), value));
        }
    }
    texts.extend(
        inputs
            .environment
            .iter()
            .map(|(name, value)| (format!("CAPOL_VAR_{name}").into(), value.as_str())),
    );
    let heads: Vec<String> = texts
        .iter()
        .map(|(name, text)| format!("{}:{name}{}:", name.len(), text.len()))
        .collect();
    let all = heads
        .iter()
        .zip(&texts)
        .flat_map(|(head, (_, text))| [head, *text]);
    state::digest_of(all.map(str::as_bytes))
}
