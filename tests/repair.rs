//! `capol state repair`: state comes back from its history, its journals, or the tenant, and nothing is guessed.

mod damage;
mod doubt;
mod interrupted;

use capol::ops::state::{Evidence, Repair, Repaired, WhyLeft};
use capol::state::{Change, LocalFile};

use crate::world::World;

pub(crate) const STATE: &str = "capol.state.json";

/// One of each kind, one that refers to the others, and one that may not be destroyed.
pub(crate) const ESTATE: &str = r#"
location "l" {
  name      = "L"
  ip_ranges = ["203.0.113.0/24"]
  trusted   = true
}
location "home" {
  name      = "Home"
  countries = ["DK"]
}
strength "s" {
  name         = "S"
  combinations = [fido2]
}
context "c" {
  id   = "c42"
  name = "C"
}
group "g" {
  managed = true
  name    = "G"
  members = [user("ada@contoso.com"), user("alan@contoso.com")]
}
policy "p" {
  name  = "P"
  state = report_only
  users {
    include = [all]
    exclude = [group.g]
  }
  apps { include = [all] }
  locations {
    include = [all]
    exclude = [location.l]
  }
  grant = strength.s
}
policy "kept" {
  name  = "Kept"
  state = report_only
  users { include = [all] }
  apps { include = [context.c] }
  grant = mfa
  lifecycle {
    prevent_destroy = true
    reason          = "it is the last line"
  }
}
"#;

/// `capol state repair --yes`
pub(crate) async fn repair(world: &World, from_tenant: bool) -> Result<Repaired, miette::Report> {
    let store = world.workspace(&world.loaded()).store;
    repair_in(world, store, from_tenant).await
}

/// The same of a state that is kept elsewhere.
pub(crate) async fn repair_in(
    world: &World,
    store: LocalFile,
    from_tenant: bool,
) -> Result<Repaired, miette::Report> {
    let loaded = world.loaded();
    let mut workspace = world.workspace(&loaded);
    workspace.store = store;
    let worker = world.worker("state repair");
    let store = &workspace.store;
    let guard = workspace.lock(&worker).await?;
    let mut repair = Repair::of(store).await?;
    if from_tenant || repair.needs_tenant() {
        let connection = world.connect().await;
        repair
            .look_in_tenant(&workspace, &connection, &loaded.configuration, &worker)
            .await?;
    }
    let report = if repair.has_changes() {
        let change = Change {
            at: worker.now,
            who: worker.who.clone(),
            operation: worker.command.clone(),
            new_lineage: false,
        };
        repair.write(store, &guard, &change).await?
    } else {
        repair.report
    };
    guard.release()?;
    Ok(report)
}

/// The addresses that got their objects back, and how each is known.
pub(crate) fn bound(repaired: &Repaired) -> Vec<(&str, Evidence)> {
    let bound = repaired.bound.iter();
    bound
        .map(|bound| (bound.address.as_str(), bound.evidence))
        .collect()
}

/// What is left out, why, and how many objects it may be about.
pub(crate) fn left(repaired: &Repaired) -> Vec<(&str, WhyLeft, usize)> {
    let left = repaired.left_out.iter();
    left.map(|left| (left.address.as_str(), left.why, left.candidates.len()))
        .collect()
}
