//! What a command finds around it: folder, environment, output, clock.
#![expect(
    clippy::disallowed_methods,
    reason = "folder, environment and clock are read here, once"
)]

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use jiff::Timestamp;

use super::arguments::{Command, Global, Invocation};
use super::outcome::{Failure, Outcome};
use crate::ops::connection::Environment;
use crate::ops::project::{self, Given, Loaded};

/// What a command finds around it.
pub struct Context {
    /// What every command takes.
    pub global: Global,
    /// The project's folder.
    pub project: PathBuf,
    /// The environment.
    pub environment: Environment,
}

impl Context {
    fn new(global: Global) -> Self {
        let project = global.chdir.clone().unwrap_or_else(|| PathBuf::from("."));
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            global,
            project,
            environment,
        }
    }

    /// Prints what was asked for. A reader that went away is no failure.
    pub fn out(&self, text: &str) {
        drop(std::io::stdout().write_all(text.as_bytes()));
    }

    /// Says something in passing, to a person.
    pub fn note(&self, text: &str) {
        if !self.global.quiet && !self.global.json {
            drop(writeln!(std::io::stderr(), "{text}"));
        }
    }

    /// Now, or what `CAPOL_CLOCK` says while the tenant is on loopback.
    pub fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    /// Reads the project.
    pub fn load(&self) -> Loaded {
        let given = Given {
            variables: self.global.variables.clone(),
            files: self.global.variable_files.clone(),
            tenant: self.global.tenant.clone(),
        };
        project::load(&self.project, &given, &self.environment, self.now())
    }

    /// Shows what is wrong with a project.
    pub fn diagnostics(&self, loaded: &Loaded) {
        for reported in loaded.diagnostics.reported(&loaded.sources) {
            drop(writeln!(std::io::stderr(), "{:?}", miette::Report::new(reported)));
        }
    }

    /// Asks a person; anything but the answer, or nobody to ask, is a no.
    pub fn confirmed(&self, question: &str, answer: &str) -> bool {
        if self.global.yes {
            return true;
        }
        if !std::io::stdin().is_terminal() {
            return false;
        }
        let mut error = std::io::stderr();
        drop(write!(error, "{question} "));
        drop(error.flush());
        let mut said = String::new();
        std::io::stdin().read_line(&mut said).is_ok() && said.trim() == answer
    }

    fn failed(&self, failure: &Failure) -> Outcome {
        for report in &failure.reports {
            drop(writeln!(std::io::stderr(), "{report:?}"));
        }
        Outcome::Failed
    }
}

/// Prints an answer to a word that is no command here.
pub(super) fn answer(text: &str) -> ExitCode {
    drop(writeln!(std::io::stderr(), "{text}"));
    Outcome::Failed.into()
}

/// Runs a command in its context.
pub(super) fn run(invocation: Invocation) -> ExitCode {
    let context = Context::new(invocation.global);
    let outcome = dispatch(&context, invocation.command).unwrap_or_else(|failure| context.failed(&failure));
    outcome.into()
}

fn dispatch(context: &Context, command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Fmt { check, diff, paths } => super::fmt::run(context, check, diff, &paths),
        Command::Sandbox(command) => waiting(super::sandbox::run(context, command)),
        Command::Validate => super::validate::run(context),
        Command::Completions { shell } => {
            context.out(&super::completions(shell));
            Ok(Outcome::Done)
        }
        Command::Version => {
            context.out(concat!("capol ", env!("CARGO_PKG_VERSION"), "\n"));
            Ok(Outcome::Done)
        }
        _ => Ok(Outcome::Failed),
    }
}

/// Runs what waits for the network.
fn waiting(work: impl Future<Output = Result<Outcome, Failure>>) -> Result<Outcome, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(work),
        Err(source) => Err(crate::ops::OpsError::File {
            path: "runtime".into(),
            source,
        }
        .into()),
    }
}
