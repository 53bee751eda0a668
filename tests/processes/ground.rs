//! What every case starts from: a tenant and a project that was applied to it once, and what it shall become.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use capol::model::state::Document;
use capol::sandbox::{Running, Sandbox, SandboxOptions, Tenant};
use serde_json::Value;

use super::proxy::Proxy;
use crate::bench::{Answer, Folder};
use crate::world::shape;

const SETTINGS: &str = "capol {\n  visibility_lag   = 1s\n  emergency_access = none(\"a test\")\n}\n";

/// Every label is the name of its object, so that a line of a tenant's shape leads to its address.
const BEFORE: &str = r#"
group "team" {
  managed = true
  name    = "team"
  members = [user("ada@contoso.com"), user("alan@contoso.com")]
}
group "again" {
  managed       = true
  name          = "again"
  mail_nickname = "one"
}
location "gone_place" {
  name      = "gone_place"
  countries = ["DK"]
}
location "place" {
  name      = "place"
  countries = ["DK"]
}
location "other_kind" {
  name      = "other_kind"
  countries = ["DK"]
}
policy "gone" {
  name  = "gone"
  state = report_only
  users { include = [all] }
  apps { include = [all] }
  grant = mfa
}
policy "kept" {
  name  = "kept"
  state = report_only
  users { include = [group.team] }
  apps { include = [all] }
  grant = mfa
}
policy "leans" {
  name  = "leans"
  state = report_only
  users { include = [group.again] }
  apps { include = [all] }
  locations { include = [all], exclude = [location.other_kind] }
  grant = mfa
}
"#;

/// A group, a location and a policy more; members, a location and a policy changed; a location and a policy
/// gone; a group and a location made anew, with a policy that refers to both.
const AFTER: &str = r#"
group "team" {
  managed = true
  name    = "team"
  members = [user("ada@contoso.com")]
}
group "again" {
  managed       = true
  name          = "again"
  mail_nickname = "two"
}
group "fresh_group" {
  managed = true
  name    = "fresh_group"
  members = [user("ada@contoso.com"), user("alan@contoso.com")]
}
location "fresh_place" {
  name      = "fresh_place"
  ip_ranges = ["203.0.113.0/24"]
}
location "place" {
  name      = "place"
  countries = ["SE"]
}
location "other_kind" {
  name      = "other_kind"
  ip_ranges = ["198.51.100.0/24"]
}
policy "fresh" {
  name  = "fresh"
  state = report_only
  users { include = [group.fresh_group] }
  apps { include = [all] }
  locations { include = [all], exclude = [location.fresh_place] }
  grant = mfa
}
policy "kept" {
  name  = "kept"
  state = report_only
  users { include = [group.team] }
  apps { include = [all] }
  grant = block
}
policy "leans" {
  name  = "leans"
  state = report_only
  users { include = [group.again] }
  apps { include = [all] }
  locations { include = [all], exclude = [location.other_kind] }
  grant = mfa
}
"#;

/// What is changed only because something that it refers to is made anew; a shape has names and does not show that.
const LEANING: &str = "leans";

/// Where every case starts, and where it shall end.
pub(crate) struct Ground {
    tenant: Tenant,
    files: Vec<(String, Vec<u8>)>,
    end: Vec<String>,
    addresses: BTreeSet<String>,
}

impl Ground {
    /// Made once for all tests.
    pub(crate) fn get() -> &'static Self {
        static GROUND: OnceLock<Ground> = OnceLock::new();
        GROUND.get_or_init(Self::new)
    }

    fn new() -> Self {
        let case = Case::of(Tenant::contoso());
        case.folder.write("settings.capol", SETTINGS);
        case.folder.write("main.capol", BEFORE);
        case.does(&["apply", "--yes"]);
        let mut start = Self {
            tenant: case.tenant.with_tenant(|tenant| tenant.clone()),
            files: Vec::new(),
            end: Vec::new(),
            addresses: BTreeSet::new(),
        };
        for path in case.files() {
            start
                .files
                .push((path.clone(), std::fs::read(case.folder.path(&path)).unwrap()));
        }
        start.files.retain(|(name, _)| name != "main.capol");
        start.files.push(("main.capol".to_owned(), AFTER.into()));
        let whole = start.case();
        whole.does(&["apply", "--yes"]);
        whole.does(&["plan", "--detailed-exitcode"]);
        start.end = whole.shape();
        start.addresses = whole.state().resources.into_keys().collect();
        start
    }

    /// A folder and a tenant of their own.
    pub(crate) fn case(&self) -> Case {
        let case = Case::of(self.tenant.clone());
        for (name, bytes) in &self.files {
            case.folder.write(name, bytes);
        }
        case
    }
}

/// One run through a fault and out of it.
pub(crate) struct Case {
    pub(crate) folder: Folder,
    pub(crate) tenant: Running,
    pub(crate) proxy: Proxy,
}

fn runtime() -> &'static tokio::runtime::Runtime {
    static RUNTIME: OnceLock<tokio::runtime::Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime")
    })
}

impl Case {
    fn of(tenant: Tenant) -> Self {
        let options = SandboxOptions {
            tenant,
            ..SandboxOptions::default()
        };
        let tenant = runtime().block_on(Sandbox::start(options)).expect("a tenant");
        let proxy = Proxy::start(&tenant.endpoint());
        let mut folder = Folder::new();
        folder.set("CAPOL_GRAPH_ENDPOINT", &proxy.endpoint());
        folder.set("CAPOL_LOGIN_ENDPOINT", &proxy.endpoint());
        folder.set("CAPOL_ACCESS_TOKEN", &tenant.access_token());
        Self {
            folder,
            tenant,
            proxy,
        }
    }

    /// Runs a command that succeeds. Nothing unknown is created again before the visibility lag has passed, so it
    /// is asked until then.
    #[track_caller]
    pub(crate) fn does(&self, arguments: &[&str]) -> Answer {
        for _ in 0..1000 {
            let answer = self.folder.capol(arguments);
            // What cannot be judged yet is left alone until then, and a plan says so.
            let said = answer.all();
            if !said.contains("visibility_lag") && !said.contains("apply::too_early") {
                assert_eq!(answer.status, 0, "{arguments:?}: {}", answer.all());
                return answer;
            }
        }
        panic!("it stays too early");
    }

    pub(crate) fn shape(&self) -> Vec<String> {
        self.tenant.with_tenant(|tenant| shape(tenant))
    }

    /// The state; it can always be read.
    #[track_caller]
    pub(crate) fn state(&self) -> Document {
        let bytes = std::fs::read(self.folder.path("capol.state.json")).expect("a state");
        Document::parse(&bytes).unwrap_or_else(|error| panic!("the state is damaged: {error:?}"))
    }

    /// Every file of the project, by its path in it, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        fn walk(root: &Path, folder: PathBuf, found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(root, path, found);
                } else {
                    found.push(path.strip_prefix(root).unwrap().to_string_lossy().into_owned());
                }
            }
        }
        let root = self.folder.path("");
        let mut found = Vec::new();
        walk(&root, root.clone(), &mut found);
        found.sort();
        found
    }

    /// What a fault must leave: state that is whole, a plan of exactly the rest, an apply that completes, nothing
    /// twice, and no leftovers.
    #[track_caller]
    pub(crate) fn recovers(&self, ground: &Ground, context: &str) {
        self.proxy.settle();
        let serial = self.state().serial;
        let plan = self.does(&["plan", "--json"]);
        let planned = changed(&plan.json());
        let left = self.left(ground);
        assert_eq!(planned, left, "{context}: the plan is not the rest");
        assert!(self.state().serial >= serial, "{context}: the serial went back");
        let applied = self.does(&["apply", "--yes"]);
        let (now, end) = (self.shape(), &ground.end);
        let odd: Vec<&String> = now.iter().filter(|line| !end.contains(line)).collect();
        let missing: Vec<&String> = end.iter().filter(|line| !now.contains(line)).collect();
        assert_eq!(now.len(), end.len(), "{context}: {odd:#?}\n{}", applied.all());
        assert!(
            odd.is_empty(),
            "{context}: {odd:#?} for {missing:#?}\n{}",
            applied.all()
        );
        let addresses: BTreeSet<String> = self.state().resources.into_keys().collect();
        assert_eq!(addresses, ground.addresses, "{context}");
        let again = self.folder.capol(&["plan", "--detailed-exitcode"]);
        assert_eq!(again.status, 0, "{context}: {}", again.all());
        let leftovers: Vec<String> = self.files().into_iter().filter(|path| !is_kept(path)).collect();
        assert!(leftovers.is_empty(), "{context}: left behind {leftovers:?}");
    }

    /// The labels of what is not yet as it shall be, without what leans on others.
    fn left(&self, ground: &Ground) -> BTreeSet<String> {
        let now = by_name(&self.shape());
        let end = by_name(&ground.end);
        let names: BTreeSet<&String> = now.keys().chain(end.keys()).collect();
        names
            .into_iter()
            .filter(|name| now.get(*name) != end.get(*name) && *name != LEANING)
            .cloned()
            .collect()
    }
}

/// What belongs in a project folder between two runs.
fn is_kept(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let numbered = name
        .split_once('-')
        .is_some_and(|(serial, _)| serial.parse::<u64>().is_ok());
    matches!(path, "main.capol" | "settings.capol" | "capol.state.json")
        || (path.starts_with(".capol/history/") && numbered && name.ends_with("json"))
}

/// The labels of what a plan changes, without what leans on others.
fn changed(plan: &Value) -> BTreeSet<String> {
    plan["resource_changes"]
        .as_array()
        .expect("changes")
        .iter()
        .filter(|change| change["change"]["actions"] != serde_json::json!(["no-op"]))
        .map(|change| change["name"].as_str().expect("a name").to_owned())
        .filter(|name| name != LEANING)
        .collect()
}

/// The lines of a shape by the name of the object; only objects of the project.
fn by_name(shape: &[String]) -> BTreeMap<String, Vec<String>> {
    let ours: BTreeSet<&str> = [BEFORE, AFTER]
        .iter()
        .flat_map(|text| text.lines())
        .filter_map(|line| {
            line.strip_suffix("\" {")?
                .split_once(" \"")
                .map(|(_, label)| label)
        })
        .collect();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in shape {
        let name = ours
            .iter()
            .find(|name| line.contains(&format!("\"displayName\":\"{name}\"")));
        if let Some(name) = name {
            found.entry((*name).to_owned()).or_default().push(line.clone());
        }
    }
    found
}
