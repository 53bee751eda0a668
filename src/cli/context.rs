//! What a command finds around it: folder, environment, output, clock.
#![expect(
    clippy::disallowed_methods,
    reason = "folder, environment and clock are read here, once"
)]

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::Watch;
use super::arguments::{Command, Global, Invocation, Planning};
use super::outcome::{Failure, Outcome};
use crate::apply::{Applied, Recovered};
use crate::model::Origin;
use crate::model::state::{CAPOL_VERSION, FORMAT_VERSION};
use crate::ops::connection::Environment;
use crate::ops::project::{self, Given, Loaded};
use crate::plan::{Limits, Plan};
use crate::report::state_json::versioned;
use crate::report::{
    Facts, Finding, Page, PlanView, Terminal, applied_text, diagnostics_text, failure_json, held_text,
    plan_text, recovered_text,
};
use crate::syntax::FileId;

/// What a command finds around it.
pub struct Context {
    /// What every command takes.
    pub global: Global,
    /// The project's folder.
    pub project: PathBuf,
    /// The environment.
    pub environment: Environment,
    /// Standard output and standard error.
    pub terminal: Arc<Terminal>,
    error_is_terminal: bool,
    /// Who is told what happens, once somebody is.
    watch: OnceLock<Watch>,
}

impl Context {
    fn new(global: Global) -> Self {
        let project = global.chdir.clone().unwrap_or_else(|| PathBuf::from("."));
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let variable = |name: &str| Environment::get(&environment, name).cloned();
        let facts = Facts {
            no_color: global.no_color,
            quiet: global.quiet,
            json: global.json,
            ..Facts::of_process(variable)
        };
        Self {
            terminal: Arc::new(Terminal::new(&facts)),
            error_is_terminal: facts.error_is_terminal,
            watch: OnceLock::new(),
            global,
            project,
            environment,
        }
    }

    /// Prints what was asked for. A reader that went away is no failure.
    pub fn out(&self, text: &str) {
        self.terminal.text(text);
    }

    /// Prints a page, as wide and as coloured as standard output is.
    pub fn page(&self, page: &Page) {
        self.terminal.page(page);
    }

    /// Says something in passing, to a person.
    pub fn note(&self, text: &str) {
        let mut page = Page::default();
        for line in text.lines() {
            page.line(0, line);
        }
        self.terminal.aside(&page);
    }

    /// Says something longer in passing, to a person.
    pub fn aside(&self, page: &Page) {
        self.terminal.aside(page);
    }

    /// Says whose lock was taken over, if one was left behind.
    pub fn locked(&self, guard: &crate::state::Guard) {
        if let Some(dead) = guard.previous() {
            self.note(&crate::report::state_text::taken_over_text(dead, self.now()));
        }
    }

    /// Now, or what `CAPOL_CLOCK` says while the tenant is on loopback.
    pub fn now(&self) -> Timestamp {
        self.said_of_loopback("CAPOL_CLOCK")
            .unwrap_or_else(Timestamp::now)
    }

    /// Whether now is what `CAPOL_CLOCK` says.
    pub fn now_is_said(&self) -> bool {
        self.said_of_loopback::<Timestamp>("CAPOL_CLOCK").is_some()
    }

    /// How much a tenant holds. A tenant on loopback may hold as many policies as `CAPOL_POLICY_LIMIT` says.
    pub fn limits(&self) -> Limits {
        let policies = self.said_of_loopback("CAPOL_POLICY_LIMIT");
        Limits {
            policies: policies.unwrap_or(Limits::default().policies),
            ..Limits::default()
        }
    }

    /// What a variable says that counts only while the tenant is on loopback.
    fn said_of_loopback<T: FromStr>(&self, name: &str) -> Option<T> {
        let on_loopback = self.global.sandbox
            || self.environment.get("CAPOL_GRAPH_ENDPOINT").is_some_and(|root| {
                crate::graph::Endpoints::new(crate::graph::Cloud::Global, Some(root), None)
                    .is_ok_and(|endpoints| endpoints.is_loopback())
            });
        let said = self.environment.get(name).filter(|_| on_loopback);
        said.and_then(|text| text.parse().ok())
    }

    /// Reads the project.
    pub fn load(&self) -> Loaded {
        project::load(&self.project, &self.given(), &self.environment, self.now())
    }

    /// Reads the project, or an empty one where none has been written yet.
    pub fn load_or_new(&self) -> Loaded {
        project::load_or_new(&self.project, &self.given(), &self.environment, self.now())
    }

    fn given(&self) -> Given {
        Given {
            variables: self.global.variables.clone(),
            files: self.global.variable_files.clone(),
            tenant: self.global.tenant.clone(),
        }
    }

    /// Shows what is wrong with a project.
    pub fn diagnostics(&self, loaded: &Loaded) {
        self.findings(&self.found(loaded));
    }

    /// What is wrong with a project.
    pub fn found(&self, loaded: &Loaded) -> Vec<Finding> {
        let reported = loaded.diagnostics.reported(&loaded.sources);
        reported.iter().map(|reported| Finding::of(reported)).collect()
    }

    fn findings(&self, findings: &[Finding]) {
        if !findings.is_empty() {
            let text = diagnostics_text(findings, self.terminal.error_canvas(), self.error_is_terminal);
            self.terminal.error_text(&text);
        }
    }

    /// The user's name, for locks and the history.
    pub fn user(&self) -> String {
        ["USER", "USERNAME", "LOGNAME"]
            .iter()
            .find_map(|name| self.environment.get(*name).filter(|value| !value.is_empty()))
            .cloned()
            .unwrap_or_else(|| "unknown".to_owned())
    }

    /// The clock of what takes a while.
    pub fn clock(&self) -> fn() -> Timestamp {
        Timestamp::now
    }

    /// Prints a plan, what else is found, and the command that comes next.
    pub fn plan(
        &self,
        plan: &Plan,
        loaded: &Loaded,
        tenant: Option<&str>,
        next: Option<&str>,
        findings: Option<&Page>,
    ) {
        let place = |origin: Origin| {
            let file = loaded.sources.get(FileId(origin.file))?;
            let (line, column) = file.line_column(origin.start);
            Some(format!("{}:{line}:{column}", file.name()))
        };
        let full = self.global.verbose > 0;
        self.page(&plan_text(&PlanView {
            plan,
            tenant,
            next,
            full,
            brief: self.global.quiet,
            place: &place,
            findings,
        }));
    }

    /// Tells a person, and nobody else, while a command works.
    pub fn watch_for_person(&self) -> Watch {
        self.watch.get_or_init(|| Watch::person(self)).clone()
    }

    /// Who is told while a command works; `json_into` is a file for programs.
    pub fn watch(&self, json_into: Option<&std::path::Path>) -> Result<Watch, Failure> {
        let watch = Watch::new(self, json_into)?;
        Ok(self.watch.get_or_init(|| watch).clone())
    }

    /// Refuses `--json` beside another form of output.
    pub fn only_form(&self, format: Option<&'static str>) -> Result<(), Failure> {
        match format.filter(|_| self.global.json) {
            Some(format) => Err(crate::ops::OpsError::TwoForms { format }.into()),
            None => Ok(()),
        }
    }

    /// Says how an interrupted apply was taken up.
    pub fn recovered(&self, recovered: &Recovered) {
        self.terminal.aside(&recovered_text(recovered));
    }

    /// Ends an apply that had nothing to do now; a failure when something was left alone.
    pub fn left_alone(&self, plan: &Plan) -> Outcome {
        if plan.held.is_empty() {
            return Outcome::Done;
        }
        self.page(&held_text(plan));
        Outcome::Failed
    }

    /// Says how an apply ended.
    pub fn applied(&self, plan: &Plan, applied: Applied, next: &str) -> Outcome {
        if !self.global.json {
            self.page(&applied_text(plan, &applied, next));
        }
        let (complete, interrupted) = (applied.is_complete(), applied.interrupted);
        if let Some(error) = applied.failure {
            return self.failed(&error.into());
        }
        match (complete, interrupted) {
            (_, true) => Outcome::Interrupted,
            (true, false) => Outcome::Done,
            (false, false) => Outcome::Failed,
        }
    }

    /// The command line that starts this one again, with another command in its place.
    pub fn command(&self, command: &str) -> String {
        super::again::command(command, &self.global, None, None)
    }

    /// Asks a person; anything but the answer, or nobody to ask, is a no.
    pub fn confirmed(&self, sentence: &str, question: &str, answer: &str) -> bool {
        if self.global.yes {
            return true;
        }
        if !std::io::stdin().is_terminal() {
            return false;
        }
        self.terminal.error_text(&format!("{sentence}\n{question} "));
        let mut said = String::new();
        std::io::stdin().read_line(&mut said).is_ok() && said.trim() == answer
    }

    /// Shows what stopped a command; with `--json`, on standard output.
    pub fn failed(&self, failure: &Failure) -> Outcome {
        let findings: Vec<Finding> = failure
            .reports
            .iter()
            .flat_map(|report| Finding::all_of(report.as_ref()))
            .collect();
        let watch = self.watch.get();
        if let Some(watch) = watch {
            watch.clear();
            for finding in &findings {
                watch.diagnostic(finding);
            }
        }
        if !self.global.json {
            self.findings(&findings);
        } else if !watch.is_some_and(Watch::has_output) {
            self.out(&format!("{:#}\n", failure_json(&findings)));
        }
        Outcome::Failed
    }

    /// The outcome, unless what was printed did not get where it should.
    fn ended(&self, outcome: Outcome) -> Outcome {
        let told = self.watch.get().map_or(Ok(()), Watch::finish);
        let printed = self.terminal.finish().map_err(|source| {
            Failure::from(crate::ops::OpsError::File {
                path: "standard output".into(),
                source,
            })
        });
        match told.and(printed) {
            Ok(()) => outcome,
            Err(failure) => self.failed(&failure),
        }
    }
}

/// Prints an answer to a word that is no command here.
pub(super) fn answer(text: &str) -> ExitCode {
    Terminal::new(&Facts::default()).error_text(&format!("{text}\n"));
    Outcome::Failed.into()
}

/// Runs a command in its context.
pub(super) fn run(invocation: Invocation) -> ExitCode {
    let mut context = Context::new(invocation.global);
    let outcome = super::log::start(&context)
        .and_then(|()| dispatch(&mut context, invocation.command))
        .unwrap_or_else(|failure| context.failed(&failure));
    context.ended(outcome).into()
}

fn dispatch(context: &mut Context, command: Command) -> Result<Outcome, Failure> {
    match command {
        Command::Fmt { check, diff, paths } => super::fmt::run(context, check, diff, &paths),
        Command::Show {
            file: None,
            config: false,
        } => waiting(super::output::show(context)),
        Command::Show { config: true, .. } => super::show::configuration(context),
        Command::Show { file: Some(file), .. } => super::show::saved_plan(context, &file),
        Command::Graph { format } => super::graph::run(context, format),
        Command::Console => super::console::run(context),
        Command::WhatIf(asking) => waiting(super::whatif::run(context, &asking)),
        Command::Impact(replaying) => waiting(super::impact::run(context, &replaying)),
        Command::Init {
            dir,
            from_tenant,
            from_json,
            pin_ids,
        } => {
            let request = super::init::Request {
                dir,
                from_tenant,
                from_json,
                pin_ids,
            };
            waiting(super::init::run(context, request))
        }
        Command::Output { name, raw } => waiting(super::output::run(context, name.as_deref(), raw)),
        Command::Rollout(command) => waiting(super::rollout::run(context, command)),
        Command::State(command) => waiting(super::state::run(context, command)),
        Command::Sandbox(command) => waiting(super::sandbox::run(context, command)),
        Command::Plan {
            planning,
            out,
            detailed_exitcode,
            deny_warnings,
            format,
            json_into,
            generate_config_out,
        } => {
            let request = super::plan::Request {
                planning,
                out,
                detailed_exitcode,
                deny_warnings,
                format,
                json_into,
                generate_config_out,
            };
            waiting(super::plan::run(context, request))
        }
        Command::Apply {
            planning,
            file,
            fail_fast,
            skip_changed,
            json_into,
        } => {
            let request = super::apply::Request {
                json_into,
                ask: crate::ops::rollout::Ask::Keep,
                unasked: context.global.yes,
                command: "apply",
                planning,
                file,
                fail_fast,
                skip_changed,
            };
            waiting(super::apply::run(context, request))
        }
        Command::Destroy { planning } => {
            let planning = Planning {
                destroy: true,
                ..planning
            };
            let request = super::apply::Request {
                command: "destroy",
                planning,
                file: None,
                fail_fast: false,
                skip_changed: false,
                json_into: None,
                ask: crate::ops::rollout::Ask::Keep,
                unasked: context.global.yes,
            };
            waiting(super::apply::run(context, request))
        }
        Command::Undo {
            apply,
            target,
            exclude,
            skip_changed,
            accept_gap,
        } => {
            let request = super::undo::Request {
                apply,
                target,
                exclude,
                skip_changed,
                accept_gap,
            };
            waiting(super::undo::run(context, request))
        }
        Command::Import {
            arguments,
            all,
            out,
            pin_ids,
        } => {
            let what = super::import::What::of(context, &arguments, all)?;
            // There it says what the files are, not how to answer.
            context.global.json &= !matches!(what, super::import::What::Files(_));
            let out = out.as_deref();
            waiting(super::import::run(
                context,
                what,
                super::import::Manner { out, pin_ids },
            ))
        }
        Command::Test {
            filter,
            directory,
            format,
            watch,
        } => {
            let request = super::test::Request {
                filter,
                directory,
                format,
                watch,
            };
            super::test::run(context, &request)
        }
        Command::Validate {
            format,
            deny_warnings,
        } => super::validate::run(context, format, deny_warnings),
        Command::Explain { code } => super::explain::run(context, &code),
        Command::Doctor => waiting(super::doctor::run(context)),
        Command::Completions { shell } => {
            context.out(&super::completions(shell));
            Ok(Outcome::Done)
        }
        Command::Version => {
            if context.global.json {
                context.out(&versioned(serde_json::json!({
                    "capol_version": CAPOL_VERSION,
                    "state_format_version": FORMAT_VERSION,
                    "platform": format!("{}_{}", std::env::consts::OS, std::env::consts::ARCH),
                })));
            } else {
                context.out(&format!("capol {CAPOL_VERSION}\n"));
            }
            Ok(Outcome::Done)
        }
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
