//! Projects of any size, and embedded tenants that hold them already.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use capol::apply::Patience;
use capol::graph::observe::Silent;
use capol::ops::connection::{Connection, Environment, sandbox_file};
use capol::ops::project::{self, Given, Loaded};
use capol::ops::workspace::{Narrowing, Supervision, Worker, Workspace};
use capol::plan::Plan;
use capol::sandbox::Tenant;

use super::now;

/// So many policies as people write them, over ten locations and the groups of the embedded tenant.
pub(super) fn policies(count: usize) -> String {
    let mut text = String::new();
    for n in 0..10 {
        let written = write!(
            text,
            r#"
location "site_{n}" {{
  name      = "Site {n}"
  ip_ranges = ["203.0.113.{n}/32", "198.51.100.{n}/32", "2001:db8:{n}::/48"]
}}
"#
        );
        written.unwrap();
    }
    let groups = ["Finance", "IT", "All staff", "Executives"];
    for n in 0..count {
        let (group, site) = (groups[n % groups.len()], n % 10);
        let written = write!(
            text,
            r#"
# What the auditors call control {n}.
policy "control_{n}" {{
  name  = "CA{n:04} Require MFA or a compliant device off site"
  state = report_only

  users {{
    include = [group("{group}"), role.global_administrator]
    exclude = [group("Break glass"), guests([b2b_collaboration_guest])]
  }}
  apps {{ include = [app.office365, app.azure_management] }}
  locations {{
    include = [all]
    exclude = [location.site_{site}]
  }}
  platforms {{
    include = [all]
    exclude = [linux]
  }}

  grant = any_of(mfa, compliant_device)
  session {{ sign_in_frequency = 12h }}
}}
"#
        );
        written.unwrap();
    }
    text
}

/// So many locations and policies, each an instance of one block, over a map of a local.
pub(super) fn instances(count: usize) -> String {
    let mut text = "locals {\n  sites = {\n".to_owned();
    for n in 0..count {
        let (high, low) = (n / 250, n % 250);
        let written = writeln!(
            text,
            r#"    "site_{n}" = {{ name = "Site {n}", ip = "203.{high}.{low}.0/24" }}"#
        );
        written.unwrap();
    }
    text.push_str(
        r#"  }
}

location "site" {
  for_each  = local.sites
  name      = each.value.name
  ip_ranges = [each.value.ip]
}

policy "site" {
  for_each = local.sites
  name     = "CA ${local.sites[each.key].name}"
  state    = report_only
  users { include = [group("Finance")] }
  apps  = [app.office365]
  locations { include = [location.site[each.key]] }
  grant = mfa
}
"#,
    );
    text
}

/// A project that was applied to its embedded tenant.
pub(super) struct Applied {
    _folder: tempfile::TempDir,
    loaded: Loaded,
    workspace: Workspace,
    connection: Connection,
    worker: Worker,
}

impl Applied {
    pub(super) async fn of(count: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.capol"), policies(count)).unwrap();
        let file = sandbox_file(folder.path());
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        Tenant::contoso().save(&file).unwrap();
        let worker = Worker {
            who: "bench".into(),
            command: "plan".into(),
            now: now(),
            now_is_said: true,
            clock: capol::apply::Clock::new(now),
            patience: Patience::default(),
            parallelism: 10,
            lock: true,
            lock_patience: Duration::ZERO,
        };
        let loaded = project::load(folder.path(), &Given::default(), &Environment::new(), now());
        assert!(!loaded.diagnostics.has_errors(), "{:?}", loaded.diagnostics);
        let configuration = &loaded.configuration;
        let workspace = Workspace::of(folder.path(), configuration, None, true).unwrap();
        let connection = workspace
            .connect(configuration, None, &Environment::new(), Arc::new(Silent))
            .await
            .unwrap();
        let guard = workspace.lock(&worker).await.unwrap();
        let planned = workspace
            .plan(&connection, &loaded, &Narrowing::default(), &worker)
            .await
            .unwrap();
        let stop = AtomicBool::new(false);
        let applied = workspace
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
            .await
            .unwrap();
        assert!(applied.is_complete(), "{applied:?}");
        drop(guard);
        Self {
            _folder: folder,
            loaded,
            workspace,
            connection,
            worker,
        }
    }

    /// Reads the tenant and plans, with the requests that it took.
    pub(super) async fn plan(&self) -> (Plan, u32) {
        let narrowing = Narrowing::default();
        let planned = self
            .workspace
            .plan(&self.connection, &self.loaded, &narrowing, &self.worker)
            .await
            .unwrap();
        (planned.plan, planned.refreshed.requests)
    }
}
