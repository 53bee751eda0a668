//! A whole world for one test: an embedded tenant, a project folder, a clock; and what a user does there.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use capol::apply::{Applied, Clock, Event, Events, Patience, StepResult};
use capol::graph::sign_in::system_clock;
use capol::graph::{Cloud, Endpoints, Graph, GraphOptions, Pace, Secret, SignIn};
use capol::model::live::{SignedIn, SignedInKind};
use capol::model::state::Document;
use capol::ops::connection::{self, Connection};
use capol::ops::project::{self, Given, Loaded};
use capol::ops::undo::{self, Choice};
use capol::ops::workspace::{Moved, Narrowing, Planned, Supervision, WorkError, Worker, Workspace};
use capol::plan::{Action, Plan};
use capol::sandbox::{Faults, Kind, Running, Sandbox, SandboxOptions, Tenant};
use capol::state::files::{Files, OpenFile, RealFiles};
use capol::state::{LocalFile, StateStore as _};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// Lets enabled policies be planned without emergency accounts.
const SETTINGS: &str = "capol { emergency_access = none(\"a tenant of a test\") }\n";

/// Where it all happens.
pub(crate) struct World {
    pub(crate) sandbox: Running,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) parallelism: usize,
    pub(crate) patience: u32,
    pub(crate) pace: Pace,
    pub(crate) fail_fast: bool,
    pub(crate) moved: Moved,
    /// The reason with which gaps between writes are taken on where a test says nothing of them.
    pub(crate) accept_gap: Option<String>,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) ears: Arc<Ears>,
    pub(crate) files: Arc<dyn Files>,
    /// The user who is signed in, by the name of the account; else an application is.
    pub(crate) signed_in: Option<String>,
    now: Arc<Mutex<Timestamp>>,
    /// The text that was applied last.
    applied: Mutex<String>,
    /// One client for the whole test: reading the system's root certificates takes long.
    graph: OnceLock<Graph>,
}

/// Keeps what happens, and may do something about it.
#[derive(Default)]
pub(crate) struct Ears {
    heard: Mutex<Vec<Event>>,
    #[expect(clippy::type_complexity, reason = "one place")]
    react: Mutex<Option<Box<dyn FnMut(&Event) + Send>>>,
}

impl Ears {
    pub(crate) fn heard(&self) -> Vec<Event> {
        self.heard.lock().unwrap().clone()
    }

    pub(crate) fn react(&self, react: impl FnMut(&Event) + Send + 'static) {
        *self.react.lock().unwrap() = Some(Box::new(react));
    }
}

impl Events for Ears {
    fn happened(&self, event: &Event) {
        self.heard.lock().unwrap().push(event.clone());
        if let Some(react) = self.react.lock().unwrap().as_mut() {
            react(event);
        }
    }
}

/// One apply as a user sees it.
pub(crate) struct Done {
    pub(crate) plan: Plan,
    pub(crate) applied: Applied,
}

impl Done {
    #[track_caller]
    pub(crate) fn complete(self) -> Plan {
        assert!(
            self.applied.is_complete() && self.applied.mismatches.is_empty(),
            "{:#?}",
            self.applied
        );
        self.plan
    }

    /// The addresses whose steps ended in this way.
    pub(crate) fn addresses(&self, of: impl Fn(&StepResult) -> bool) -> Vec<String> {
        let mut found: Vec<String> = self
            .plan
            .steps
            .iter()
            .filter(|step| self.applied.results.get(&step.id).is_some_and(&of))
            .map(|step| step.address.to_string())
            .collect();
        found.dedup();
        found
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::of(Tenant::contoso()).await
    }

    pub(crate) async fn of(tenant: Tenant) -> Self {
        let sandbox = Sandbox::start(SandboxOptions {
            tenant,
            ..SandboxOptions::default()
        })
        .await
        .unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("settings.capol"), SETTINGS).unwrap();
        Self {
            sandbox,
            folder,
            parallelism: 10,
            patience: 12,
            pace: Pace::UNLIMITED,
            fail_fast: false,
            moved: Moved::Refuse,
            accept_gap: Some("a tenant of a test".to_owned()),
            stop: Arc::default(),
            ears: Arc::default(),
            files: Arc::new(RealFiles),
            signed_in: None,
            now: Arc::new(Mutex::new("2026-06-01T08:00:00Z".parse().unwrap())),
            applied: Mutex::default(),
            graph: OnceLock::new(),
        }
    }

    /// A world whose project says this.
    pub(crate) async fn with(text: &str) -> Self {
        let world = Self::new().await;
        world.write(text);
        world
    }

    /// Replaces the project's text.
    pub(crate) fn write(&self, text: &str) {
        std::fs::write(self.path("main.capol"), text).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Lets time pass.
    pub(crate) fn wait(&self, minutes: i64) {
        let mut now = self.now.lock().unwrap();
        *now += SignedDuration::from_mins(minutes);
    }

    pub(crate) fn loaded(&self) -> Loaded {
        let given = Given::default();
        let now = *self.now.lock().unwrap();
        let loaded = project::load(self.folder.path(), &given, &BTreeMap::new(), now);
        let wrong: Vec<String> = loaded
            .diagnostics
            .reported(&loaded.sources)
            .into_iter()
            .filter(|reported| reported.diagnostic().severity == capol::lang::Severity::Error)
            .map(|reported| format!("{:?}", miette::Report::new(reported)))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        loaded
    }

    pub(crate) fn workspace(&self, loaded: &Loaded) -> Workspace {
        let mut workspace = Workspace::of(self.folder.path(), &loaded.configuration, None, false).unwrap();
        workspace.store = LocalFile::with_files(workspace.store.place().clone(), Arc::clone(&self.files));
        workspace
    }

    pub(crate) fn worker(&self, command: &str) -> Worker {
        let now = Arc::clone(&self.now);
        Worker {
            who: "ada".to_owned(),
            command: command.to_owned(),
            now: *self.now.lock().unwrap(),
            now_is_said: true,
            clock: Clock::new(move || *now.lock().unwrap()),
            patience: Patience {
                attempts: self.patience,
                first_wait: Duration::ZERO,
            },
            parallelism: self.parallelism,
            lock: true,
            lock_patience: Duration::ZERO,
        }
    }

    fn client(&self) -> Graph {
        let endpoints = Endpoints::new(
            Cloud::Global,
            Some(&self.sandbox.endpoint()),
            Some(&self.sandbox.login_endpoint()),
        )
        .unwrap();
        let mut options = GraphOptions::new(endpoints);
        options.pace = self.pace;
        options.patience.first_wait = Duration::ZERO;
        let token = SignIn::AccessToken(Secret::new(self.sandbox.access_token()));
        let source = token.source(&options, system_clock()).unwrap();
        Graph::new(source, options).unwrap()
    }

    pub(crate) async fn connect(&self) -> Connection {
        let graph = self.graph.get_or_init(|| self.client()).clone();
        let mut connection = connection::connect(graph, None).await.unwrap();
        if let Some(name) = &self.signed_in {
            connection.signed_in = Some(SignedIn {
                kind: SignedInKind::User,
                object_id: self.sandbox.with_tenant(|tenant| id_of(tenant, name)),
                name: name.clone(),
            });
        }
        connection
    }

    /// `capol plan`, with what it was made from.
    pub(crate) async fn planned(&self, narrowing: &Narrowing) -> Result<Planned, WorkError> {
        let loaded = self.loaded();
        let workspace = self.workspace(&loaded);
        let connection = self.connect().await;
        let worker = self.worker("plan");
        let guard = workspace.lock(&worker).await?;
        workspace
            .take_up(&connection, &guard, &worker, &loaded.configuration)
            .await?;
        let narrowing = self.taking_gaps_on(narrowing);
        workspace.plan(&connection, &loaded, &narrowing, &worker).await
    }

    fn taking_gaps_on(&self, narrowing: &Narrowing) -> Narrowing {
        let accept_gap = narrowing.accept_gap.clone().or_else(|| self.accept_gap.clone());
        Narrowing {
            accept_gap,
            ..narrowing.clone()
        }
    }

    /// `capol plan`.
    pub(crate) async fn plan(&self) -> Result<Plan, WorkError> {
        Ok(self.planned(&Narrowing::default()).await?.plan)
    }

    /// `capol apply --yes`.
    pub(crate) async fn apply(&self) -> Result<Done, WorkError> {
        self.apply_narrowed(&Narrowing::default()).await
    }

    pub(crate) async fn apply_narrowed(&self, narrowing: &Narrowing) -> Result<Done, WorkError> {
        let loaded = self.loaded();
        let workspace = self.workspace(&loaded);
        let connection = self.connect().await;
        let worker = self.worker("apply");
        let guard = workspace.lock(&worker).await?;
        workspace
            .take_up(&connection, &guard, &worker, &loaded.configuration)
            .await?;
        let narrowing = self.taking_gaps_on(narrowing);
        let planned = workspace.plan(&connection, &loaded, &narrowing, &worker).await?;
        let text = std::fs::read_to_string(self.path("main.capol")).unwrap_or_default();
        let before = std::mem::replace(&mut *self.applied.lock().unwrap(), text.clone());
        crate::fire::record(&before, &text);
        self.carry_out(&workspace, &connection, &guard, planned, &loaded, &worker)
            .await
    }

    /// `capol apply FILE`.
    pub(crate) async fn apply_saved(&self, plan: Plan) -> Result<Done, WorkError> {
        let text = plan.to_json().unwrap();
        let plan = Plan::from_json(&text).unwrap();
        let loaded = self.loaded();
        let workspace = self.workspace(&loaded);
        let connection = self.connect().await;
        let worker = self.worker("apply");
        let guard = workspace.lock(&worker).await?;
        workspace
            .take_up(&connection, &guard, &worker, &loaded.configuration)
            .await?;
        let planned = workspace
            .check(&connection, &loaded, plan, &worker, self.moved)
            .await?;
        self.carry_out(&workspace, &connection, &guard, planned, &loaded, &worker)
            .await
    }

    /// `capol undo --yes`.
    pub(crate) async fn undo(&self, apply: Option<&str>) -> Result<Done, WorkError> {
        let apply = apply.map(str::to_owned);
        let choice = Choice {
            apply,
            ..Choice::default()
        };
        self.undo_part(&choice).await
    }

    /// The same with options.
    pub(crate) async fn undo_part(&self, choice: &Choice) -> Result<Done, WorkError> {
        let loaded = self.loaded();
        let workspace = self.workspace(&loaded);
        let connection = self.connect().await;
        let worker = self.worker("undo");
        let guard = workspace.lock(&worker).await?;
        workspace
            .take_up(&connection, &guard, &worker, &loaded.configuration)
            .await?;
        let choice = Choice {
            accept_gap: choice.accept_gap.clone().or_else(|| self.accept_gap.clone()),
            ..choice.clone()
        };
        let undoing = undo::plan(&workspace, &connection, &loaded, &choice, &worker).await?;
        let worker = Worker {
            command: undoing.command(),
            ..worker
        };
        self.carry_out(&workspace, &connection, &guard, undoing.planned, &loaded, &worker)
            .await
    }

    /// The applies that are kept, newest first, by name.
    pub(crate) fn applies(&self) -> Vec<String> {
        let store = self.workspace(&self.loaded()).store;
        let applies = capol::state::journal::past_applies(&store).unwrap();
        applies.into_iter().map(|apply| apply.begin.apply).collect()
    }

    async fn carry_out(
        &self,
        workspace: &Workspace,
        connection: &Connection,
        guard: &capol::state::Guard,
        planned: Planned,
        loaded: &Loaded,
        worker: &Worker,
    ) -> Result<Done, WorkError> {
        let applied = if planned.plan.verdict.has_changes() {
            workspace
                .apply(
                    connection,
                    guard,
                    &planned,
                    &loaded.configuration,
                    worker,
                    Supervision {
                        fail_fast: self.fail_fast,
                        events: &*self.ears,
                        stop: &self.stop,
                    },
                )
                .await?
        } else {
            Applied {
                held: planned.plan.held.clone(),
                ..Applied::default()
            }
        };
        Ok(Done {
            plan: planned.plan,
            applied,
        })
    }

    /// Applies what the project says: everything is done, and the next plan has nothing to do.
    #[track_caller]
    pub(crate) fn settle(&self) -> impl Future<Output = Plan> {
        let at = std::panic::Location::caller();
        async move {
            let done = self
                .apply()
                .await
                .unwrap_or_else(|error| panic!("{at}: {error:?}"));
            assert!(
                done.applied.is_complete() && done.applied.mismatches.is_empty(),
                "{at}: {:#?}\n{:#?}",
                done.applied,
                done.plan.steps
            );
            self.nothing_to_do(at).await;
            done.plan
        }
    }

    /// The next plan has nothing to do.
    pub(crate) async fn nothing_to_do(&self, at: &std::panic::Location<'_>) {
        let again = self
            .plan()
            .await
            .unwrap_or_else(|error| panic!("{at}: {error:?}"));
        let left: Vec<_> = again.changes.iter().filter(|change| change.is_change()).collect();
        assert!(
            !again.verdict.has_changes(),
            "{at}: the second plan is not empty: {left:#?} {:#?}",
            again.outputs
        );
    }

    /// The same from another text.
    #[track_caller]
    pub(crate) fn becomes(&self, text: &str) -> impl Future<Output = Plan> {
        self.write(text);
        self.settle()
    }

    /// The state document; empty when there is none.
    pub(crate) async fn state(&self) -> Document {
        let store = self.workspace(&self.loaded()).store;
        match store.load().await.unwrap() {
            Some(stored) => stored.document,
            None => Document::new(uuid::Uuid::nil(), self.sandbox.tenant_id()),
        }
    }

    /// The id that state has for an address.
    pub(crate) async fn id(&self, address: &str) -> String {
        let state = self.state().await;
        let kept = state.resources.get(address);
        kept.unwrap_or_else(|| panic!("no {address} in {:?}", state.resources.keys()))
            .id
            .clone()
    }

    /// The tenant's objects of a kind.
    pub(crate) fn objects(&self, kind: Kind) -> Vec<Value> {
        self.sandbox
            .with_tenant(|tenant| tenant.objects(kind).cloned().collect())
    }

    /// What they are called, sorted; without what every tenant has.
    pub(crate) fn names(&self, kind: Kind) -> Vec<String> {
        let mut names: Vec<String> = self
            .objects(kind)
            .iter()
            .filter(|object| object.get("policyType").and_then(Value::as_str) != Some("builtIn"))
            .map(|object| object["displayName"].as_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    /// The object of an address as the tenant holds it.
    pub(crate) async fn live(&self, kind: Kind, address: &str) -> Value {
        let id = self.id(address).await;
        self.objects(kind)
            .into_iter()
            .find(|object| object["id"].as_str() == Some(&id))
            .unwrap_or_else(|| panic!("{address} is not in the tenant"))
    }

    /// Somebody edits an object in the portal.
    pub(crate) fn edit(&self, kind: Kind, id: &str, edit: impl FnOnce(&mut Value)) {
        self.sandbox.with_tenant(|tenant| {
            let mut object = tenant.object(kind, id).unwrap().clone();
            edit(&mut object);
            tenant.insert(kind, object);
        });
    }

    pub(crate) fn faults(&self, faults: Faults) {
        self.sandbox.set_faults(faults);
    }

    /// The requests since the last call: method and path without version.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self
            .sandbox
            .requests()
            .into_iter()
            .filter(|request| !request.batched)
            .map(|request| format!("{} {}", request.method, request.path))
            .collect();
        self.sandbox.clear_requests();
        requests
    }

    /// The writes since the last call, in their order.
    pub(crate) fn writes(&self) -> Vec<String> {
        self.requests()
            .into_iter()
            .filter(|request| {
                !request.starts_with("GET")
                    && !request.ends_with("/$batch")
                    && !request.ends_with("/getByIds")
            })
            .collect()
    }

    /// The journal under way, if there is one.
    pub(crate) fn journal(&self) -> Option<String> {
        std::fs::read_to_string(self.path(".capol/journal.ndjson")).ok()
    }
}

/// The kinds that capol manages.
pub(crate) const KINDS: [Kind; 5] = [
    Kind::Policies,
    Kind::NamedLocations,
    Kind::AuthenticationStrengths,
    Kind::AuthenticationContexts,
    Kind::Groups,
];

impl World {
    /// What every object says, by kind and name, with names in the place of ids; and who is in the groups.
    pub(crate) fn shape(&self) -> Vec<String> {
        self.sandbox.with_tenant(|tenant| shape(tenant))
    }
}

/// The id of a user, group or service principal of this name; a role goes by its own id.
pub(crate) fn id_of(tenant: &Tenant, name: &str) -> String {
    let kinds = [Kind::Users, Kind::Groups, Kind::ServicePrincipals];
    let found = kinds
        .iter()
        .flat_map(|kind| tenant.objects(*kind))
        .find(|object| [&object["userPrincipalName"], &object["displayName"]].contains(&&Value::from(name)));
    found.map_or_else(
        || name.to_owned(),
        |object| object["id"].as_str().unwrap().to_owned(),
    )
}

/// What every object of a tenant says, by kind and name, with names in the place of ids; and who is in the groups.
pub(crate) fn shape(tenant: &Tenant) -> Vec<String> {
    let objects = KINDS.map(|kind| tenant.objects(kind).cloned().collect::<Vec<Value>>());
    let mut names: Vec<(String, String)> = Vec::new();
    for object in objects.iter().flatten() {
        let text = |member: &str| object[member].as_str().unwrap_or_default().to_owned();
        // The id of a context is short enough to be part of another id, and is chosen by hand.
        if object["id"].as_str().is_some_and(|id| id.len() > 3) {
            names.push((text("id"), text("displayName")));
        }
    }
    let mut shape = Vec::new();
    for (kind, objects) in KINDS.into_iter().zip(objects) {
        for mut object in objects {
            let id = object["id"].as_str().unwrap().to_owned();
            let mut members: Vec<String> = tenant.members(&id).to_vec();
            members.sort();
            let map = object.as_object_mut().unwrap();
            map.remove("createdDateTime");
            map.remove("modifiedDateTime");
            if let Some(Value::Array(configurations)) = map.get_mut("combinationConfigurations") {
                for configuration in configurations {
                    configuration.as_object_mut().unwrap().remove("id");
                }
            }
            let pruned = capol::model::wire::pruned(&object);
            let mut text = format!("{kind:?} {pruned} {members:?}");
            for (id, name) in &names {
                text = text.replace(id, name);
            }
            shape.push(text);
        }
    }
    shape.sort();
    shape
}

/// The action that a plan takes at an address.
#[track_caller]
pub(crate) fn action(plan: &Plan, address: &str) -> Action {
    plan.change(&address.parse().unwrap())
        .unwrap_or_else(|| panic!("nothing happens to {address}"))
        .action
}

/// How a process dies at a write to the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Death {
    /// Before anything of the record is there.
    Before,
    /// In the middle of the line.
    Within,
    /// When the record is durable, and nothing came of it yet.
    After,
}

/// The real files of a process that dies at one write to the journal.
#[derive(Debug, Clone)]
pub(crate) struct Mortal {
    at: usize,
    death: Death,
    writes: Arc<AtomicUsize>,
    dead: Arc<AtomicBool>,
}

impl Mortal {
    pub(crate) fn new(at: usize, death: Death) -> Self {
        Self {
            at,
            death,
            writes: Arc::default(),
            dead: Arc::default(),
        }
    }

    /// How many records were written.
    pub(crate) fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(Ordering::SeqCst)
    }

    fn alive(&self) -> io::Result<()> {
        if self.is_dead() {
            return Err(io::Error::other("the process is dead"));
        }
        Ok(())
    }

    fn watched(&self, path: &Path, file: Box<dyn OpenFile>) -> Box<dyn OpenFile> {
        let is_journal = path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("journal"));
        Box::new(MortalFile {
            life: self.clone(),
            is_journal,
            inner: file,
        })
    }
}

#[derive(Debug)]
struct MortalFile {
    life: Mortal,
    is_journal: bool,
    inner: Box<dyn OpenFile>,
}

impl OpenFile for MortalFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.life.alive()?;
        if !self.is_journal {
            return self.inner.write(bytes);
        }
        let number = self.life.writes.fetch_add(1, Ordering::SeqCst);
        if number != self.life.at {
            return self.inner.write(bytes);
        }
        let length = match self.life.death {
            Death::Before => 0,
            Death::Within => bytes.len() / 2,
            Death::After => bytes.len(),
        };
        self.inner.write(bytes.get(..length).unwrap())?;
        self.life.dead.store(true, Ordering::SeqCst);
        self.life.alive()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.life.alive()?;
        self.inner.truncate(length)
    }

    fn sync(&mut self) -> io::Result<()> {
        // No test can cut the power, so nothing waits for the disk.
        self.life.alive()
    }

    fn is_current(&self) -> io::Result<bool> {
        self.life.alive()?;
        self.inner.is_current()
    }
}

impl Files for Mortal {
    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.alive()?;
        RealFiles.resolve(path)
    }

    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.alive()?;
        RealFiles.read(path)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.alive()?;
        Ok(self.watched(path, RealFiles.create(path)?))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.alive()?;
        Ok(self.watched(path, RealFiles.append(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.alive()?;
        RealFiles.rename(from, to)
    }

    fn sync_folder(&self, _: &Path) -> io::Result<()> {
        self.alive()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.alive()?;
        RealFiles.remove(path)
    }

    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        self.alive()?;
        RealFiles.create_folder(folder)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<String>> {
        self.alive()?;
        RealFiles.list(folder)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn OpenFile>>> {
        // A dead process holds no lock.
        RealFiles.lock(path)
    }
}
