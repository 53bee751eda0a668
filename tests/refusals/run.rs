//! A case is done, and what a person sees of it is drawn.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use capol::apply::Patience;
use capol::graph::observe::Silent;
use capol::lang::Severity;
use capol::model::Address;
use capol::ops::connection::{Environment, sandbox_file};
use capol::ops::located;
use capol::ops::project::{self, Given, Loaded};
use capol::ops::workspace::{Moved, Narrowing, Supervision, WorkError, Worker, Workspace};
use capol::plan::{Mode, Plan};
use capol::report::{Canvas, Finding, diagnostics_text};
use capol::sandbox::{Clock, Running, Sandbox, SandboxOptions, Tenant};
use jiff::Timestamp;
use miette::Report;
use serde_json::Value;

use super::case::{Case, Step, contents, merge};
use crate::bench::Folder;

const NOW: &str = "2026-11-23T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// What a person sees on eighty columns without colour.
fn shown(reports: &[Report], folder: &Path) -> String {
    let root = folder.display().to_string();
    let findings: Vec<Finding> = reports
        .iter()
        .flat_map(|report| Finding::all_of(report.as_ref()))
        .map(|finding| redacted(finding, &root))
        .collect();
    let canvas = Canvas {
        width: 80,
        color: false,
    };
    diagnostics_text(&findings, canvas, true)
}

/// Paths and ports that differ from run to run, replaced before lines are broken.
fn redacted(mut finding: Finding, root: &str) -> Finding {
    let ports = regex::Regex::new(r"127\.0\.0\.1:\d+").unwrap();
    let requests = regex::Regex::new(r"request-id [0-9a-f-]{36}").unwrap();
    let redact = |text: &str| {
        let text = requests.replace_all(text, "request-id 00000000-0000-0000-0000-000000000000");
        let text = text.replace(&format!("{root}/"), "").replace(root, ".");
        ports.replace_all(&text, "127.0.0.1:PORT").into_owned()
    };
    finding.message = redact(&finding.message);
    finding.help = finding.help.as_deref().map(redact);
    if let Some(source) = &mut finding.source {
        source.name = redact(&source.name);
    }
    finding.related = finding
        .related
        .into_iter()
        .map(|related| redacted(related, root))
        .collect();
    finding
}

fn given(case: &Case, folder: &Path) -> Given {
    Given {
        variables: case.says.variables.clone(),
        files: case
            .says
            .variable_files
            .iter()
            .map(|file| folder.join(file))
            .collect(),
        tenant: case.says.chosen.clone(),
    }
}

fn load(case: &Case, folder: &Path) -> Loaded {
    let environment: Environment = case.says.environment.clone();
    project::load(folder, &given(case, folder), &environment, now())
}

/// The errors of a project, and its warnings beside them, as `capol validate` reports them.
fn found(loaded: &Loaded) -> Vec<Report> {
    loaded
        .diagnostics
        .reported(&loaded.sources)
        .into_iter()
        .map(Report::new)
        .collect()
}

fn has_errors(loaded: &Loaded) -> bool {
    loaded
        .diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error)
}

/// Reads and checks a project.
pub(super) fn validate(case: &Case, failed: &mut Vec<String>) -> String {
    let folder = tempfile::tempdir().unwrap();
    case.lay_out(folder.path());
    let before = contents(folder.path());
    let loaded = load(case, folder.path());
    if !has_errors(&loaded) {
        failed.push(format!("{}: is accepted", case.name));
    }
    if contents(folder.path()) != before {
        failed.push(format!("{}: something was written", case.name));
    }
    shown(&found(&loaded), folder.path())
}

fn worker() -> Worker {
    Worker {
        who: "anna".into(),
        command: "plan".into(),
        now: now(),
        now_is_said: true,
        clock: capol::apply::Clock::new(now),
        patience: Patience::default(),
        parallelism: 4,
        lock: true,
        lock_patience: Duration::ZERO,
    }
}

/// The tenant of a case, behind HTTP or in the project's folder.
struct World {
    running: Option<Running>,
    environment: Environment,
}

fn tenant(case: &Case) -> Tenant {
    let mut tenant = Tenant::contoso();
    if let Some(objects) = &case.says.tenant {
        tenant
            .load_objects(objects)
            .unwrap_or_else(|error| panic!("{}: {error}", case.name));
    }
    tenant
}

impl World {
    async fn of(case: &Case, folder: &Path) -> Self {
        let clock: Clock = Arc::new(now);
        let tenant = tenant(case);
        let mut environment = case.says.environment.clone();
        if !case.says.real {
            let file = sandbox_file(folder);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            tenant.save(&file).unwrap();
            return Self {
                running: None,
                environment,
            };
        }
        let options = SandboxOptions {
            tenant,
            clock,
            client_secret: Some("the secret".to_owned()),
            ..SandboxOptions::default()
        };
        let running = Sandbox::start(options).await.unwrap();
        let mut set = |name: &str, value: String| {
            environment.entry(name.to_owned()).or_insert(value);
        };
        set("CAPOL_GRAPH_ENDPOINT", running.endpoint());
        set("CAPOL_LOGIN_ENDPOINT", running.login_endpoint());
        set(
            "CAPOL_ACCESS_TOKEN",
            case.says.token.clone().unwrap_or_else(|| running.access_token()),
        );
        environment.retain(|_, value| !value.is_empty());
        Self {
            running: Some(running),
            environment,
        }
    }

    /// Everything that the tenant holds.
    fn held(&self, folder: &Path) -> Value {
        match &self.running {
            Some(running) => running.with_tenant(|tenant| tenant.dump()).unwrap(),
            None => Tenant::load(&sandbox_file(folder)).unwrap().dump().unwrap(),
        }
    }

    fn change(&self, objects: &Value, folder: &Path) {
        if let Some(running) = &self.running {
            running
                .with_tenant(|tenant| tenant.load_objects(objects))
                .unwrap();
        } else {
            let file = sandbox_file(folder);
            let mut tenant = Tenant::load(&file).unwrap();
            tenant.load_objects(objects).unwrap();
            tenant.save(&file).unwrap();
        }
    }
}

fn narrowing(case: &Case) -> Result<Narrowing, Report> {
    let addresses = |texts: &[String]| -> Result<Vec<Address>, Report> {
        texts
            .iter()
            .map(|text| text.parse::<Address>().map_err(Report::new))
            .collect()
    };
    Ok(Narrowing {
        mode: if case.says.destroy {
            Mode::Destroy
        } else {
            Mode::Apply
        },
        targets: addresses(&case.says.targets)?,
        excludes: addresses(&case.says.excludes)?,
        replace: addresses(&case.says.replace)?,
        ..Narrowing::default()
    })
}

/// Makes a plan, as `capol plan` does; `then` says what is done with it.
async fn planned(case: &Case, folder: &Path, world: &World, then: Then) -> Result<Option<Plan>, Vec<Report>> {
    let one = |report: Report| vec![report];
    let loaded = load(case, folder);
    if has_errors(&loaded) {
        return Err(found(&loaded));
    }
    let configuration = &loaded.configuration;
    let tenant = case.says.chosen.as_deref();
    let narrowing = match then {
        Then::Apply => Narrowing::default(),
        _ => narrowing(case).map_err(one)?,
    };
    let workspace =
        Workspace::of(folder, configuration, tenant, !case.says.real).map_err(|error| one(error.into()))?;
    let connection = workspace
        .connect(configuration, tenant, &world.environment, Arc::new(Silent))
        .await
        .map_err(|error| one(error.into()))?;
    let worker = worker();
    let result = async {
        let guard = workspace.lock(&worker).await?;
        workspace
            .recover(&connection, &guard, &worker, configuration)
            .await?;
        let applies = matches!(then, Then::Apply);
        let planned = match then {
            Then::Check(plan) => {
                workspace
                    .check(&connection, &loaded, *plan, &worker, Moved::Refuse)
                    .await?
            }
            _ => workspace.plan(&connection, &loaded, &narrowing, &worker).await?,
        };
        if applies {
            let stop = AtomicBool::new(false);
            let done = workspace
                .apply(
                    &connection,
                    &guard,
                    &planned,
                    configuration,
                    &worker,
                    Supervision {
                        fail_fast: true,
                        events: &Silent,
                        stop: &stop,
                    },
                )
                .await?;
            assert!(done.is_complete(), "{}: {done:?}", case.name);
        }
        Ok(planned.plan)
    }
    .await;
    connection.close().await;
    result
        .map(Some)
        .map_err(|error: WorkError| located::reports(error, &loaded.sources))
}

enum Then {
    Nothing,
    Apply,
    Check(Box<Plan>),
}

fn state_file(case: &Case, folder: &Path) -> std::path::PathBuf {
    if case.says.real {
        folder.join("capol.state.json")
    } else {
        folder.join(".capol/sandbox.state.json")
    }
}

/// Plans a case, or applies its saved plan.
pub(super) async fn plan(case: &Case, failed: &mut Vec<String>) -> String {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    case.lay_out(folder);
    let world = World::of(case, folder).await;
    if case.lay_over("before", folder) {
        if let Err(reports) = planned(case, folder, &world, Then::Apply).await {
            panic!("{}: before: {}", case.name, shown(&reports, folder));
        }
        case.lay_out(folder);
    }
    if let Some(edit) = &case.says.edit_state {
        let file = state_file(case, folder);
        let mut state: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        merge(&mut state, edit);
        std::fs::write(&file, format!("{state:#}\n")).unwrap();
    }
    let saved = if case.step == Step::Saved {
        match saved(case, folder, &world).await {
            Ok(plan) => Some(plan),
            Err(report) => return shown(&[report], folder),
        }
    } else {
        None
    };
    let (files, held) = (contents(folder), world.held(folder));
    let then = saved.map_or(Then::Nothing, |plan| Then::Check(Box::new(plan)));
    let seen = match planned(case, folder, &world, then).await {
        Ok(plan) => {
            failed.push(format!("{}: is accepted", case.name));
            plan.map(|plan| plan.verdict.sentence()).unwrap_or_default()
        }
        Err(reports) => shown(&reports, folder),
    };
    if world.held(folder) != held {
        failed.push(format!("{}: the tenant was changed", case.name));
    }
    let after = contents(folder);
    let changed: Vec<_> = files
        .keys()
        .chain(after.keys())
        .filter(|name| files.get(*name) != after.get(*name))
        // The embedded tenant's own; what it holds is compared above.
        .filter(|name| !name.to_string_lossy().contains("sandbox.json"))
        .collect();
    if !changed.is_empty() {
        failed.push(format!("{}: files were written: {changed:?}", case.name));
    }
    seen
}

/// The case's saved plan, made of its files before things moved; or what is wrong with its text.
async fn saved(case: &Case, folder: &Path, world: &World) -> Result<Plan, Report> {
    let file = folder.join("saved.capolplan");
    let text = if file.exists() {
        String::from_utf8_lossy(&std::fs::read(&file).unwrap()).into_owned()
    } else {
        let plan = planned(case, folder, world, Then::Nothing)
            .await
            .unwrap_or_else(|reports| panic!("{}: {}", case.name, shown(&reports, folder)))
            .unwrap();
        let mut json: Value = serde_json::from_str(&plan.to_json().unwrap()).unwrap();
        if let Some(edit) = &case.says.edit_plan {
            merge(&mut json, edit);
        }
        json.to_string()
    };
    case.lay_over("after", folder);
    if let Some(objects) = &case.says.tenant_after {
        world.change(objects, folder);
    }
    Plan::from_json(&text).map_err(Report::new)
}

/// Runs the real command.
pub(super) fn command(case: &Case, failed: &mut Vec<String>) -> String {
    let mut folder = Folder::new();
    folder.set("COLUMNS", "80");
    for (name, value) in &case.says.environment {
        folder.set(name, value);
    }
    case.lay_out(&folder.path("."));
    let before = contents(&folder.path("."));
    let arguments: Vec<&str> = case.says.arguments.iter().map(String::as_str).collect();
    let answer = folder.capol(&arguments);
    if answer.status != 1 {
        failed.push(format!("{}: status {}", case.name, answer.status));
    }
    let mut after = contents(&folder.path("."));
    // The embedded tenant's own file is no work of the user's.
    after.retain(|name, _| before.contains_key(name) || !name.ends_with("sandbox.json"));
    if after != before {
        failed.push(format!("{}: something was written", case.name));
    }
    answer.all()
}
