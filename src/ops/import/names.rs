//! What to call the people, groups and applications that imported policies refer to.

use std::collections::{BTreeMap, BTreeSet};

use super::account;
use crate::export::KnownNames;
use crate::graph::Found;
use crate::model::live::{LiveObject, LiveTenant};
use crate::model::reference::is_guid;
use crate::model::{Lookup, Reference, Target};
use crate::ops::OpsError;
use crate::ops::connection::Connection;
use crate::ops::project::Loaded;
use crate::ops::refresh::names_of;

/// The names of everything that the objects refer to. Without `pin_ids` each name is looked up, and stands in the
/// place of the id only where that finds this one object.
pub(super) async fn known_names(
    connection: &Connection,
    live: &LiveTenant,
    chosen: &[&LiveObject],
    pin_ids: bool,
) -> Result<KnownNames, OpsError> {
    let mut ids = BTreeSet::new();
    for object in chosen {
        for (_, reference) in object.object.references() {
            if let Reference::Id { target, id } = reference {
                ids.insert((*target, id.clone()));
            }
        }
    }
    let found = names_of(connection, &ids).await?;
    let mut names = KnownNames::default();
    for ((target, id), name) in &found {
        names.insert(Some(*target), id, name);
    }
    for (target, id) in ids.iter().filter(|key| !found.contains_key(*key)) {
        if is_guid(id) && can_be_looked_up(*target) {
            names.remark(*target, id, "not in the tenant");
        }
    }
    for object in &live.objects {
        if let Some(target) = object.kind.target() {
            names.insert(Some(target), &object.id, object.name());
        }
    }
    if !pin_ids {
        look_up(connection, &found, &mut names).await?;
    }
    Ok(names)
}

fn can_be_looked_up(target: Target) -> bool {
    matches!(
        target,
        Target::User | Target::Group | Target::App | Target::ServicePrincipal | Target::AgentIdentity
    )
}

/// A name that looks like an id is taken for one, and blanks around a name are not part of what is asked.
fn can_be_asked_for(name: &str) -> bool {
    !is_guid(name) && name.trim() == name && !name.is_empty()
}

async fn look_up(
    connection: &Connection,
    found: &BTreeMap<(Target, String), String>,
    names: &mut KnownNames,
) -> Result<(), OpsError> {
    let question = |target: Target, name: &str| Lookup {
        target,
        name: name.to_owned(),
    };
    let asked: BTreeSet<Lookup> = found
        .iter()
        .filter(|((target, _), name)| can_be_looked_up(*target) && can_be_asked_for(name))
        .map(|((target, _), name)| question(*target, name))
        .collect();
    let answers = connection.graph.look_up(&asked, None).await?;
    for ((target, id), name) in found {
        match answers.get(&question(*target, name)) {
            Some(Found::One(object)) if object.id.eq_ignore_ascii_case(id) => {
                names.found_by_name(*target, id);
            }
            Some(Found::Several(all)) => {
                let remark = format!("one of {} {} of this name", all.len(), target.plural());
                names.remark(*target, id, &remark);
            }
            Some(Found::One(_) | Found::Nothing) => {
                names.remark(*target, id, "a look-up by this name does not find it");
            }
            None => {}
        }
    }
    Ok(())
}

/// The ids of the project's emergency accounts in this tenant.
pub(super) async fn emergency_accounts(
    connection: &Connection,
    project: &Loaded,
) -> Result<Option<Vec<(Target, String)>>, OpsError> {
    let Some(access) = &project.configuration.emergency_access else {
        return Ok(None);
    };
    let references: Vec<&Reference> = access.users.iter().chain(&access.groups).collect();
    let asked: BTreeSet<Lookup> = references
        .iter()
        .filter_map(|reference| match reference {
            Reference::Lookup(lookup) => Some(lookup.clone()),
            _ => None,
        })
        .collect();
    let answers = connection.graph.look_up(&asked, None).await?;
    let id = |reference: &&Reference| match reference {
        Reference::Lookup(lookup) => match answers.get(lookup) {
            Some(Found::One(object)) => Some((lookup.target, object.id.clone())),
            // The plan that follows says what is wrong with it.
            _ => account(reference),
        },
        other => account(other),
    };
    Ok(Some(references.iter().filter_map(id).collect()))
}
