//! Ctrl-C during an apply: once to finish what is under way, twice to stop at once; both can be gone on from.
#![cfg(unix)]
#![expect(clippy::expect_used, clippy::panic, reason = "test bench")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command};

use capol::sandbox::{Effect, Faults, RetryAfter, Rule, Running, Sandbox, SandboxOptions, When};

use crate::bench::Folder;

const PROJECT: &str = r#"capol {
  visibility_lag   = 1s
  emergency_access = none("a test")
}

location "a" {
  name      = "A"
  countries = ["DK"]
}

location "b" {
  name       = "B"
  countries  = ["SE"]
  depends_on = [location.a]
}
"#;

/// A project, and the tenant that it is applied to, in which one create is told to wait.
struct Case {
    folder: Folder,
    tenant: Running,
    runtime: tokio::runtime::Runtime,
}

impl Case {
    fn new(create: u32, seconds: u32) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let tenant = runtime
            .block_on(Sandbox::start(SandboxOptions::default()))
            .expect("a tenant");
        let wait = Effect::Throttle {
            retry_after: Some(RetryAfter::Seconds(seconds)),
        };
        let rule = Rule::new(When::Only(create), wait)
            .method("POST")
            .path("namedLocations");
        tenant.set_faults(Faults::none().with(rule));
        let mut folder = Folder::new();
        folder.set("CAPOL_GRAPH_ENDPOINT", &tenant.endpoint());
        folder.set("CAPOL_LOGIN_ENDPOINT", &tenant.login_endpoint());
        folder.set("CAPOL_ACCESS_TOKEN", &tenant.access_token());
        folder.write("main.capol", PROJECT);
        Self {
            folder,
            tenant,
            runtime,
        }
    }

    /// Starts an apply and waits until a create was told to wait.
    fn begin(&self) -> (Child, impl Iterator<Item = String> + use<>) {
        let mut apply = self.folder.start(&["apply", "--yes", "-v"]);
        let errors = BufReader::new(apply.stderr.take().expect("piped"));
        let mut lines = errors.lines().map_while(Result::ok);
        let mut said = Vec::new();
        while let Some(line) = lines.next() {
            said.push(line);
            if said
                .iter()
                .any(|line| line.contains("waiting before another try"))
            {
                return (apply, lines);
            }
        }
        drop(apply.wait());
        panic!("the create was not throttled: {said:#?}");
    }

    fn names(&self) -> Vec<String> {
        let listed = self.folder.capol(&["state", "list"]);
        listed.out.lines().map(str::to_owned).collect()
    }

    fn end(self) {
        self.runtime.block_on(self.tenant.shutdown());
    }
}

fn press(process: &Child) {
    let sent = Command::new("kill")
        .args(["-INT", &process.id().to_string()])
        .status()
        .expect("kill runs");
    assert!(sent.success());
}

#[test]
fn the_first_ctrl_c_finishes_the_write_under_way() {
    let case = Case::new(1, 1);
    let (mut apply, mut errors) = case.begin();
    press(&apply);
    assert!(errors.any(|line| line.contains("Stopping after the writes under way")));
    errors.for_each(drop);
    assert_eq!(apply.wait().expect("it ends").code(), Some(130));
    assert_eq!(case.names(), ["location.a"], "what was under way is in the state");
    assert_eq!(case.folder.read("capol.state.json.lock"), None);
    let again = case.folder.capol(&["apply", "--yes"]);
    assert_eq!(again.status, 0, "{}", again.all());
    assert_eq!(case.names(), ["location.a", "location.b"]);
    case.end();
}

#[test]
fn the_second_ctrl_c_stops_at_once_and_the_next_apply_goes_on() {
    let case = Case::new(1, 100);
    let (mut apply, mut errors) = case.begin();
    press(&apply);
    assert!(errors.any(|line| line.contains("Stopping after the writes under way")));
    press(&apply);
    assert!(errors.any(|line| line.contains("Stopped.")));
    assert_eq!(apply.wait().expect("it ends").code(), Some(130));
    // Nothing is created again before the service must have shown what it has.
    let applied = (0..1000).any(|_| {
        let again = case.folder.capol(&["apply", "--yes"]);
        let early = again.all().contains("visibility_lag");
        assert!(early || again.status == 0, "{}", again.all());
        !early
    });
    assert!(applied, "it stays too early");
    assert_eq!(case.names(), ["location.a", "location.b"]);
    let plan = case.folder.capol(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.status, 0, "{}", plan.all());
    case.end();
}

#[test]
fn a_journal_that_was_damaged_after_a_crash_still_tells_what_was_done() {
    let case = Case::new(2, 100);
    let (mut apply, mut errors) = case.begin();
    press(&apply);
    assert!(errors.any(|line| line.contains("Stopping after the writes under way")));
    press(&apply);
    assert_eq!(apply.wait().expect("it ends").code(), Some(130));
    let journal = case.folder.read(".capol/journal.ndjson").expect("a journal");
    let (first, rest) = journal.split_once('\n').expect("lines");
    case.folder
        .write(".capol/journal.ndjson", format!("{first}\nnot a record\n{rest}"));
    let refused = case.folder.capol(&["apply", "--yes"]);
    assert!(
        refused.status == 1 && refused.err.contains("state::journal_damaged"),
        "{}",
        refused.all()
    );
    let repaired = case.folder.capol(&["state", "repair", "--json", "--yes"]).json();
    assert_eq!(repaired["damaged_lines"], serde_json::json!([2]));
    let unknown = serde_json::json!([{ "address": "location.b", "operation": "create" }]);
    assert_eq!(repaired["unknown"], unknown);
    assert_eq!(case.names(), ["location.a"], "what was done is in the state");
    let again = case.folder.capol(&["apply", "--yes"]);
    assert_eq!(again.status, 0, "{}", again.all());
    assert_eq!(case.names(), ["location.a", "location.b"]);
    case.end();
}
