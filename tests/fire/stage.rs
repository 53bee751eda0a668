//! A world in virtual time: a tenant in memory, a disk in memory, one clock for engine, journal and tenant.
//!
//! One command of a user costs a few milliseconds, so that thousands of lives can be lived.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use capol::apply::{Applied, Clock, Patience, StepResult};
use capol::graph::Pace;
use capol::graph::http::{Exchange, ExchangeError, Incoming, Outgoing};
use capol::graph::observe::Silent;
use capol::lang::memory::Memory;
use capol::lang::{self, Inputs};
use capol::model::state::{Document, digest};
use capol::ops::connection::{self, Connection};
use capol::ops::project::Loaded;
use capol::ops::workspace::{Moved, Narrowing, Planned, Supervision, WorkError, Worker, Workspace};
use capol::plan::Plan;
use capol::sandbox::{Embedded, Faults, Kind, SandboxOptions, Tenant};
use capol::state::LocalFile;
use futures::future::BoxFuture;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;

use super::disk::{Disk, Life, ROOT, Wrong};
use crate::in_memory::{Wire, client_over, tenant};
use crate::world::shape;

/// Lets enabled policies be planned without emergency accounts.
const SETTINGS: &str = "capol { emergency_access = none(\"a tenant of a test\") }\n";

/// Where it all happens.
pub(crate) struct Stage {
    pub(crate) tenant: Embedded,
    pub(crate) disk: Disk,
    pub(crate) parallelism: usize,
    pub(crate) pace: Pace,
    pub(crate) moved: Moved,
    text: RefCell<String>,
    begin: (Instant, Timestamp),
    loaded: RefCell<BTreeMap<String, Rc<Loaded>>>,
}

/// What a command meets, beside the faults of the tenant.
#[derive(Clone, Default)]
pub(crate) struct Fate {
    /// A file-system call that goes wrong, counted from 0.
    pub(crate) call: Option<(usize, Wrong)>,
    /// One that goes wrong so many calls after a request left.
    pub(crate) call_after: Option<(Moment, usize, Wrong)>,
    /// The process dies at a request: before it leaves, or when it was carried out.
    pub(crate) death: Option<(Moment, bool)>,
    /// Ctrl-C as a request leaves.
    pub(crate) stop: Option<Moment>,
    /// What others do as a request leaves.
    pub(crate) edits: Vec<(Moment, Doing)>,
}

/// One request of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Moment {
    /// By its number, from 0.
    Number(usize),
    /// Of those with this method and a path that contains this text, the n-th, from 1.
    Step {
        method: String,
        path: String,
        nth: usize,
    },
}

impl Moment {
    /// Whether it is the last of these.
    fn is_last_of(&self, sent: &[Sent]) -> bool {
        self.place(sent).is_some_and(|place| place + 1 == sent.len())
    }

    /// Where it is among these.
    pub(crate) fn place(&self, sent: &[Sent]) -> Option<usize> {
        match self {
            Self::Number(number) => (*number < sent.len()).then_some(*number),
            Self::Step { method, path, nth } => sent
                .iter()
                .enumerate()
                .filter(|(_, one)| one.method == method && one.path.contains(path))
                .map(|(number, _)| number)
                .nth(nth.saturating_sub(1)),
        }
    }
}

/// What happens at one request.
struct Now {
    death: Option<bool>,
    stop: bool,
    call: Option<(usize, Wrong)>,
    edits: Vec<Doing>,
}

impl Fate {
    /// What happens at the last of these.
    fn at(&self, sent: &[Sent]) -> Now {
        let death = self.death.as_ref().filter(|(moment, _)| moment.is_last_of(sent));
        let call = self.call_after.as_ref();
        let call = call.filter(|(moment, ..)| moment.is_last_of(sent));
        let edits = self.edits.iter();
        Now {
            death: death.map(|(_, after)| *after),
            stop: self.stop.as_ref().is_some_and(|moment| moment.is_last_of(sent)),
            call: call.map(|(_, after, wrong)| (*after, *wrong)),
            edits: edits
                .filter(|(moment, _)| moment.is_last_of(sent))
                .map(|(_, doing)| Arc::clone(doing))
                .collect(),
        }
    }
}

/// What others do.
pub(crate) type Doing = Arc<dyn Fn(&mut Tenant) + Send + Sync>;

/// One request that left.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) at: Instant,
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) body: String,
    /// The status, 0 when the answer was lost; none while it is awaited.
    pub(crate) status: Option<u16>,
    /// What was answered.
    pub(crate) answer: Vec<u8>,
    pub(crate) answered: Option<Instant>,
}

impl Sent {
    /// Whether it may change the tenant.
    pub(crate) fn is_write(&self) -> bool {
        self.method != "GET" && !self.path.ends_with("/$batch") && !self.path.ends_with("/getByIds")
    }

    pub(crate) fn is_lost(&self) -> bool {
        !matches!(self.status, Some(100..=499))
    }
}

/// How a command ended.
pub(crate) enum Ended {
    /// By itself.
    Normally(Box<Done>),
    /// It was refused, or could not go on.
    Refused(WorkError),
    /// Its process died.
    Killed,
}

/// What a command did.
pub(crate) struct Done {
    pub(crate) plan: Plan,
    pub(crate) live: capol::model::live::LiveTenant,
    /// None for a command that only plans.
    pub(crate) applied: Option<Applied>,
}

impl Done {
    /// Whether the exit status is 0.
    pub(crate) fn is_complete(&self) -> bool {
        self.applied
            .as_ref()
            .is_some_and(|applied| applied.is_complete() && !applied.interrupted)
    }
}

/// One command, over.
pub(crate) struct Ran {
    pub(crate) ended: Ended,
    pub(crate) sent: Vec<Sent>,
    pub(crate) calls: usize,
    /// Whether a file-system call went wrong.
    pub(crate) erred: bool,
}

impl Ran {
    #[track_caller]
    pub(crate) fn done(self) -> Done {
        match self.ended {
            Ended::Normally(done) => *done,
            Ended::Refused(error) => panic!("refused: {error:?}"),
            Ended::Killed => panic!("killed"),
        }
    }

    #[track_caller]
    pub(crate) fn refused(self) -> WorkError {
        match self.ended {
            Ended::Refused(error) => error,
            Ended::Normally(done) => panic!("not refused: {:#?}", done.applied),
            Ended::Killed => panic!("killed"),
        }
    }

    pub(crate) fn is_complete(&self) -> bool {
        matches!(&self.ended, Ended::Normally(done) if done.is_complete())
    }
}

/// What a user does.
#[derive(Debug, Clone)]
pub(crate) enum Command {
    /// `capol plan`
    Plan,
    /// `capol apply --yes`
    Apply(Narrowing),
    /// `capol apply FILE`
    Saved(Box<Plan>),
}

/// Random changes may leave gaps between their writes.
fn taking_gaps_on(narrowing: Narrowing) -> Narrowing {
    Narrowing {
        accept_gap: Some("a tenant of a test".to_owned()),
        ..narrowing
    }
}

impl Command {
    pub(crate) fn apply() -> Self {
        Self::Apply(Narrowing::default())
    }
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self::of(Tenant::contoso())
    }

    pub(crate) fn of(start: Tenant) -> Self {
        Self::on(start, Disk::default())
    }

    /// On a disk that holds something already.
    pub(crate) fn on(start: Tenant, disk: Disk) -> Self {
        let tenant = tenant(SandboxOptions {
            tenant: start,
            ..SandboxOptions::default()
        });
        Self {
            tenant,
            disk,
            parallelism: 10,
            pace: Pace::UNLIMITED,
            moved: Moved::Refuse,
            text: RefCell::default(),
            begin: (Instant::now(), "2026-03-01T09:00:00Z".parse().unwrap()),
            loaded: RefCell::default(),
        }
    }

    /// Replaces the project's text.
    pub(crate) fn write(&self, text: &str) {
        text.clone_into(&mut self.text.borrow_mut());
    }

    pub(crate) fn text(&self) -> String {
        self.text.borrow().clone()
    }

    /// Lets time pass.
    pub(crate) async fn wait(&self, minutes: u64) {
        tokio::time::advance(Duration::from_secs(60 * minutes)).await;
    }

    pub(crate) fn now(&self) -> Timestamp {
        let (begin, start) = self.begin;
        start + jiff::SignedDuration::try_from(begin.elapsed()).unwrap()
    }

    pub(crate) fn faults(&self, faults: Faults) {
        self.tenant.set_faults(faults);
    }

    /// The project as it is; errors are a fault of the test.
    pub(crate) fn loaded(&self) -> Rc<Loaded> {
        let text = self.text();
        if let Some(loaded) = self.loaded.borrow().get(&text) {
            return Rc::clone(loaded);
        }
        let loaded = Rc::new(load(&text, self.begin.1));
        let wrong = errors(&loaded);
        assert!(wrong.is_empty(), "{}\n{text}", wrong.join("\n"));
        self.loaded.borrow_mut().insert(text, Rc::clone(&loaded));
        loaded
    }

    /// Whether a text is a whole project without errors.
    pub(crate) fn is_sound(&self, text: &str) -> bool {
        errors(&load(text, self.begin.1)).is_empty()
    }

    fn workspace(&self, loaded: &Loaded, life: &Arc<Life>) -> Workspace {
        let mut workspace = Workspace::of(Path::new(ROOT), &loaded.configuration, None, false).unwrap();
        let process = self.disk.process(Arc::clone(life));
        workspace.store = LocalFile::with_files(workspace.store.place().clone(), Arc::new(process));
        workspace
    }

    /// The state file's place and content.
    pub(crate) fn state_path() -> PathBuf {
        Path::new(ROOT).join("capol.state.json")
    }

    pub(crate) fn journal_path() -> PathBuf {
        Path::new(ROOT).join(".capol/journal.ndjson")
    }

    pub(crate) fn state(&self) -> Option<Document> {
        let bytes = self.disk.read(&Self::state_path())?;
        Some(Document::parse(&bytes).unwrap())
    }

    /// The tenant's objects of a kind.
    pub(crate) fn objects(&self, kind: Kind) -> Vec<Value> {
        self.tenant
            .with_tenant(|tenant| tenant.objects(kind).cloned().collect())
    }

    /// What they are called, sorted; without what every tenant has.
    pub(crate) fn names(&self, kind: Kind) -> Vec<String> {
        let mut names: Vec<String> = self
            .objects(kind)
            .iter()
            .filter(|object| object.get("policyType").and_then(Value::as_str) != Some("builtIn"))
            .map(|object| object["displayName"].as_str().unwrap_or_default().to_owned())
            .collect();
        names.sort();
        names
    }

    /// What every object says; see [`shape`].
    pub(crate) fn shape(&self) -> Vec<String> {
        self.tenant.with_tenant(|tenant| shape(tenant))
    }

    /// Carries out a command that meets nothing.
    pub(crate) async fn run(&self, command: Command) -> Ran {
        self.meet(command, Fate::default()).await
    }

    pub(crate) async fn apply(&self) -> Ran {
        self.run(Command::apply()).await
    }

    pub(crate) async fn plan(&self) -> Plan {
        self.run(Command::Plan).await.done().plan
    }

    /// Applies until it is complete, and the next plan has nothing to do.
    #[track_caller]
    pub(crate) fn settle(&self) -> impl Future<Output = Plan> {
        let at = std::panic::Location::caller();
        async move {
            let done = self.apply().await.done();
            assert!(
                done.is_complete(),
                "{at}: {:#?}\n{:#?}",
                done.applied,
                done.plan.held
            );
            let again = self.plan().await;
            assert!(
                !again.verdict.has_changes() && again.held.is_empty(),
                "{at}: the second plan is not empty: {:#?}",
                again
                    .changes
                    .iter()
                    .filter(|change| change.is_change())
                    .collect::<Vec<_>>()
            );
            done.plan
        }
    }

    /// Carries out a command in a process of its own, which meets this.
    pub(crate) async fn meet(&self, command: Command, fate: Fate) -> Ran {
        let life = Life::new(fate.call);
        let stop = Arc::new(AtomicBool::new(false));
        let network = Network {
            wire: Wire(self.tenant.clone()),
            life: Arc::clone(&life),
            stop: Arc::clone(&stop),
            fate,
            sent: Arc::default(),
        };
        let sent = Arc::clone(&network.sent);
        let work = self.work(command, network, &life, &stop);
        let ended = tokio::select! {
            biased;
            () = life.death.notified() => Ended::Killed,
            ended = work => match ended {
                // What a dead process says is not heard.
                _ if life.is_dead() => Ended::Killed,
                Ok(done) => Ended::Normally(Box::new(done)),
                Err(error) => Ended::Refused(error),
            },
        };
        let sent = std::mem::take(&mut *sent.lock().unwrap());
        Ran {
            ended,
            sent,
            calls: life.calls(),
            erred: life.has_erred(),
        }
    }

    async fn work(
        &self,
        command: Command,
        network: Network,
        life: &Arc<Life>,
        stop: &AtomicBool,
    ) -> Result<Done, WorkError> {
        let loaded = self.loaded();
        let workspace = self.workspace(&loaded, life);
        let connection = connection::connect(client_over(&self.tenant, network, self.pace), None).await?;
        let is_plan = matches!(command, Command::Plan);
        let worker = self.worker(if is_plan { "plan" } else { "apply" });
        let guard = workspace.lock(&worker).await?;
        workspace
            .take_up(&connection, &guard, &worker, &loaded.configuration)
            .await?;
        let planned = match command {
            Command::Plan => {
                let narrowing = taking_gaps_on(Narrowing::default());
                workspace.plan(&connection, &loaded, &narrowing, &worker).await?
            }
            Command::Apply(narrowing) => {
                let narrowing = taking_gaps_on(narrowing);
                workspace.plan(&connection, &loaded, &narrowing, &worker).await?
            }
            Command::Saved(plan) => {
                workspace
                    .check(&connection, &loaded, *plan, &worker, self.moved)
                    .await?
            }
        };
        let applied = if is_plan {
            None
        } else {
            Some(carry_out(&workspace, &connection, &guard, &planned, &loaded, &worker, stop).await?)
        };
        Ok(Done {
            plan: planned.plan,
            live: planned.refreshed.live,
            applied,
        })
    }

    fn worker(&self, command: &str) -> Worker {
        let (begin, start) = self.begin;
        Worker {
            who: "ada".to_owned(),
            command: command.to_owned(),
            now: self.now(),
            now_is_said: true,
            clock: Clock::new(move || start + jiff::SignedDuration::try_from(begin.elapsed()).unwrap()),
            patience: Patience::default(),
            parallelism: self.parallelism,
            lock: true,
            lock_patience: Duration::ZERO,
        }
    }
}

async fn carry_out(
    workspace: &Workspace,
    connection: &Connection,
    guard: &capol::state::Guard,
    planned: &Planned,
    loaded: &Loaded,
    worker: &Worker,
    stop: &AtomicBool,
) -> Result<Applied, WorkError> {
    if !planned.plan.verdict.has_changes() {
        return Ok(Applied {
            held: planned.plan.held.clone(),
            ..Applied::default()
        });
    }
    let supervision = Supervision {
        fail_fast: false,
        events: &Silent,
        stop,
    };
    workspace
        .apply(
            connection,
            guard,
            planned,
            &loaded.configuration,
            worker,
            supervision,
        )
        .await
}

fn errors(loaded: &Loaded) -> Vec<String> {
    loaded
        .diagnostics
        .reported(&loaded.sources)
        .into_iter()
        .filter(|reported| reported.diagnostic().severity == lang::Severity::Error)
        .map(|reported| format!("{:?}", miette::Report::new(reported)))
        .collect()
}

/// A project of one text.
fn load(text: &str, now: Timestamp) -> Loaded {
    let says = |word: &str| text.lines().any(|line| line.starts_with(word));
    let settings = if says("capol {") || says("emergency_access {") {
        ""
    } else {
        SETTINGS
    };
    let files = Memory::new([("settings.capol", settings), ("main.capol", text)]);
    let project = lang::load(Arc::new(files), Path::new(""), &Inputs::at(now));
    let (configuration, diagnostics) = lang::configuration(&project);
    Loaded {
        configuration,
        diagnostics,
        sources: project.sources().clone(),
        digest: digest(text.as_bytes()),
        project,
    }
}

/// Between a process and the tenant.
struct Network {
    wire: Wire,
    life: Arc<Life>,
    stop: Arc<AtomicBool>,
    fate: Fate,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Exchange for Network {
    fn exchange(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<Incoming, ExchangeError>> {
        Box::pin(async move {
            let (number, fate) = {
                let mut sent = self.sent.lock().unwrap();
                sent.push(Sent {
                    at: Instant::now(),
                    method: outgoing.method,
                    path: outgoing.url.path().to_owned(),
                    body: outgoing
                        .body
                        .as_ref()
                        .map(|body| String::from_utf8_lossy(body).into_owned())
                        .unwrap_or_default(),
                    status: None,
                    answer: Vec::new(),
                    answered: None,
                });
                (sent.len() - 1, self.fate.at(&sent))
            };
            if fate.death == Some(false) {
                self.life.die();
            }
            if self.life.is_dead() {
                return std::future::pending().await;
            }
            if let Some((after, wrong)) = fate.call {
                self.life.aim(after, wrong);
            }
            if fate.stop {
                self.stop.store(true, Ordering::SeqCst);
            }
            for doing in fate.edits {
                self.wire.0.with_tenant(|tenant| doing(tenant));
            }
            let answer = self.wire.exchange(outgoing);
            if fate.death == Some(true) {
                // It is carried out, and nobody hears of it.
                drop(futures::poll!(answer));
                self.life.die();
                return std::future::pending().await;
            }
            let answer = answer.await;
            let mut sent = self.sent.lock().unwrap();
            sent[number].answered = Some(Instant::now());
            match &answer {
                Ok(incoming) => {
                    sent[number].status = Some(incoming.status);
                    sent[number].answer.clone_from(&incoming.body);
                }
                Err(_) => sent[number].status = Some(0),
            }
            answer
        })
    }
}

/// The steps that ended in this way, by address.
pub(crate) fn addresses(done: &Done, of: impl Fn(&StepResult) -> bool) -> Vec<String> {
    let Some(applied) = &done.applied else {
        return Vec::new();
    };
    let mut found: Vec<String> = done
        .plan
        .steps
        .iter()
        .filter(|step| applied.results.get(&step.id).is_some_and(&of))
        .map(|step| step.address.to_string())
        .collect();
    found.dedup();
    found
}
