//! What is done to a rollout without writing to the tenant: pause, resume, approve.

use super::Courses;
use crate::model::Address;
use crate::model::configuration::Configuration;
use crate::model::reference::Reference;
use crate::model::rollout::{Approver, Rollout};
use crate::ops::connection::Connection;
use crate::ops::workspace::{WorkError, Worker, Workspace};
use crate::rollout::lower::Needs;
use crate::rollout::standing::{Approval, Person, Standing, remember, standings};
use crate::rollout::{RolloutError, edit, machine};
use crate::state::{Change, Guard, StateStore as _};

/// The rollout of that name or address; the only one when none is named.
pub fn named<'c>(configuration: &'c Configuration, name: Option<&str>) -> Result<&'c Rollout, RolloutError> {
    let all = || configuration.rollouts.values();
    let list = || {
        let names: Vec<String> = all().map(|one| one.address.to_string()).collect();
        if names.is_empty() {
            "write a `rollout` block first".to_owned()
        } else {
            format!("name one of {}", names.join(", "))
        }
    };
    let Some(name) = name else {
        let mut several = all();
        return match (several.next(), several.next()) {
            (Some(only), None) => Ok(only),
            _ => Err(RolloutError::WhichRollout { help: list() }),
        };
    };
    let is_it = |one: &&Rollout| {
        let address = one.address.to_string();
        address == name || address.strip_prefix("rollout.") == Some(name)
    };
    all().find(is_it).ok_or_else(|| RolloutError::NoSuchRollout {
        name: name.strip_prefix("rollout.").unwrap_or(name).to_owned(),
        help: list(),
    })
}

/// Changes where a rollout stands in state, and nothing in the tenant.
pub async fn change(
    workspace: &Workspace,
    guard: &Guard,
    worker: &Worker,
    rollout: &Rollout,
    to: impl FnOnce(&Standing) -> Result<Standing, RolloutError>,
) -> Result<Standing, WorkError> {
    let stored = workspace.store.load().await?;
    let not_begun = || RolloutError::NotBegun {
        rollout: rollout.address.to_string(),
    };
    let stored = stored.ok_or_else(not_begun)?;
    let mut document = stored.document;
    let mut all = standings(&document)?;
    let before = all.get(&rollout.address).cloned().unwrap_or_default();
    let after = to(&edit::fitted(rollout, &before)?)?;
    all.insert(rollout.address.clone(), after.clone());
    remember(&mut document, &all)?;
    let change = Change {
        at: worker.clock.now(),
        who: worker.who.clone(),
        operation: worker.command.clone(),
        new_lineage: false,
    };
    workspace
        .store
        .swap(guard, Some(&stored.version), &document, &change)
        .await?;
    Ok(after)
}

/// Keeps an approval of what was just planned, by the one signed in.
pub async fn approve(
    workspace: &Workspace,
    connection: &Connection,
    guard: &Guard,
    worker: &Worker,
    (configuration, rollout): (&Configuration, &Rollout),
    digest: String,
    comment: Option<String>,
) -> Result<Standing, WorkError> {
    let Some(signed_in) = &connection.signed_in else {
        return Err(RolloutError::NotAttested.into());
    };
    let by = super::person(Some(signed_in), &worker.who);
    may_approve(workspace, connection, configuration, rollout, &by).await?;
    let approval = Approval {
        by,
        at: worker.now,
        digest,
        comment,
    };
    change(workspace, guard, worker, rollout, |standing| {
        machine::approve(rollout, standing, approval)
    })
    .await
}

/// Refuses whom `approvers` does not name.
async fn may_approve(
    workspace: &Workspace,
    connection: &Connection,
    configuration: &Configuration,
    rollout: &Rollout,
    by: &Person,
) -> Result<(), WorkError> {
    if rollout.approvers.is_empty() {
        return Ok(());
    }
    let mut needs = Needs::default();
    let mut references: Vec<&Reference> = Vec::new();
    for approver in &rollout.approvers {
        match &approver.value {
            Approver::Named(name) if *name == by.name || *name == by.id => return Ok(()),
            Approver::Named(_) => {}
            Approver::Reference(reference) => {
                needs.add(reference, &[]);
                references.push(reference);
            }
        }
    }
    let stored = workspace.store.load().await?;
    let state = stored.as_ref().map(|stored| &stored.document);
    let facts = super::facts::read(connection, configuration, state, &needs).await?;
    let ids = facts.ids_of(references)?;
    if ids.contains(&by.id.to_ascii_lowercase()) {
        return Ok(());
    }
    Err(RolloutError::NotAnApprover {
        rollout: rollout.address.to_string(),
        who: by.name.clone(),
    }
    .into())
}

impl Courses {
    /// One of them.
    pub fn get(&self, address: &Address) -> Option<&super::Course> {
        self.iter().find(|course| course.rollout.address == *address)
    }
}
