//! What must be read and asked before a plan can be made.

use std::collections::BTreeSet;

use crate::model::configuration::{Configuration, IdOf, Resource};
use crate::model::live::LiveTenant;
use crate::model::properties::ApiVersion;
use crate::model::state::Document;
use crate::model::wire::members_path;
use crate::model::{Address, Kind, Lookup, Reference, Target};

use super::identity::follow;

/// What to read of the tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The block types of which everything must be listed; policies always.
    pub blocks: BTreeSet<&'static str>,
    /// The block types that must be read from beta, because something written there is not in v1.0.
    pub beta: BTreeSet<&'static str>,
    /// The groups to read, by id: those that state owns and those that are imported.
    pub groups: BTreeSet<String>,
    /// Those of them whose members must be read too.
    pub members_of: BTreeSet<String>,
}

/// What to ask the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Questions {
    /// Look-ups by name, without those that the tenant's own lists answer.
    pub lookups: BTreeSet<Lookup>,
    /// Ids whose names, or absence, people will want to know.
    pub ids: BTreeSet<(Target, String)>,
}

/// What must be read of the tenant for this configuration and state.
pub fn reading(desired: &Configuration, state: Option<&Document>) -> Reading {
    let mut reading = Reading::default();
    reading.blocks.insert(Kind::Policy.block());
    for resource in desired.resources.values() {
        let block = resource.object.kind.block();
        reading.blocks.insert(block);
        let raw = resource.object.raw.is_some();
        if raw || resource.object.version() == ApiVersion::Beta {
            reading.beta.insert(block);
        }
        for (_, reference) in resource.object.references() {
            if let Some(block) = reference.target().and_then(listed) {
                reading.blocks.insert(block);
            }
            if let Reference::Lookup(lookup) = reference
                && lookup.target == Target::Location
                && lookup
                    .name
                    .eq_ignore_ascii_case(crate::model::properties::COMPLIANT_NETWORK)
            {
                reading.beta.insert(Target::Location.word());
            }
        }
    }
    let owned = state.into_iter().flat_map(|state| &state.resources);
    for (address, remembered) in owned {
        let block = remembered.kind.block();
        reading.blocks.insert(block);
        if remembered.api_version == ApiVersion::Beta {
            reading.beta.insert(block);
        }
        if remembered.kind == Kind::Group {
            reading.groups.insert(remembered.id.clone());
            let members = address
                .parse()
                .ok()
                .and_then(|address| desired.resources.get(&address))
                .is_none_or(owns_members);
            if members {
                reading.members_of.insert(remembered.id.clone());
            }
        }
    }
    for import in &desired.imports {
        if import.to.kind == Kind::Group.block() {
            reading.groups.insert(import.id.to_ascii_lowercase());
            if desired.resources.get(&import.to).is_some_and(owns_members) {
                reading.members_of.insert(import.id.to_ascii_lowercase());
            }
        }
    }
    reading
}

/// The look-ups that tell whether the tenant has a group of the name of one that a plan may make: groups are not listed.
pub fn namesakes(desired: &Configuration, state: Option<&Document>) -> BTreeSet<Lookup> {
    let held = state.into_iter().flat_map(|state| state.resources.keys());
    let held: BTreeSet<Address> = held
        .filter_map(|address| Some(follow(&address.parse().ok()?, &desired.moves).0))
        .collect();
    let groups = desired.resources.values().filter(|resource| {
        let imported = desired.imports.iter().any(|import| import.to == resource.address);
        resource.object.kind == Kind::Group && !imported && !held.contains(&resource.address)
    });
    groups
        .map(|group| Lookup {
            target: Target::Group,
            name: group.object.name().to_owned(),
        })
        .collect()
}

fn owns_members(resource: &Resource) -> bool {
    resource.object.get(members_path()).is_some()
}

/// The block type whose list answers for a target.
fn listed(target: Target) -> Option<&'static str> {
    matches!(target, Target::Location | Target::Strength | Target::Context).then(|| target.word())
}

/// What to ask the directory, once the tenant is read.
pub fn questions(desired: &Configuration, live: &LiveTenant) -> Questions {
    let mut questions = Questions::default();
    let mut ask = |reference: &Reference| match reference {
        Reference::Lookup(lookup) if listed(lookup.target).is_none() => {
            questions.lookups.insert(lookup.clone());
        }
        Reference::Id { target, id } if listed(*target).is_none() && *target != Target::Action => {
            questions.ids.insert((*target, id.clone()));
        }
        _ => {}
    };
    for resource in desired.resources.values() {
        for (_, reference) in resource.object.references() {
            ask(reference);
        }
    }
    for (_, of) in desired.outputs.values().flat_map(|output| &output.ids) {
        if let IdOf::Lookup(lookup) = of {
            ask(&Reference::Lookup(lookup.clone()));
        }
    }
    if let Some(block) = &desired.emergency_access {
        block.users.iter().chain(&block.groups).for_each(&mut ask);
    }
    for object in &live.objects {
        for (_, reference) in object.object.references() {
            ask(reference);
        }
    }
    questions
}
