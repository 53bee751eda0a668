//! Whose groups and roles the guards must know: of people whom a policy may block through a group or a role.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::configuration::Configuration;
use crate::model::live::{Directory, LiveTenant, SignedInKind, Watched};
use crate::model::state::Document;
use crate::model::wire::members_path;
use crate::model::{Address, Kind, Object, Reference};

use super::identity::follow;
use super::lockout::{can_lock_out, is_unconditional, names_sets, spares};

/// Whose groups and roles must be known before a plan of this configuration can be judged.
///
/// `undone` are the groups that an apply wrote which is taken back: then nobody knows which policies come back.
pub fn watched(
    desired: &Configuration,
    live: &LiveTenant,
    directory: &Directory,
    state: Option<&Document>,
    undone: Option<&BTreeSet<String>>,
) -> Watched {
    let ids = Ids::of(desired, directory, state);
    let mut watched = Watched {
        moved: ids.moved(desired, live),
        ..Watched::default()
    };
    watched.moved.extend(undone.into_iter().flatten().cloned());
    let deleted = live.deleted.iter().flatten();
    let mut policies: Vec<(&Object, bool)> = live
        .policies()
        .chain(deleted.filter(|object| object.kind == Kind::Policy))
        .map(|policy| (&policy.object, false))
        .collect();
    policies.extend(desired.resources.values().map(|resource| {
        let is_spared = resource.includes_emergency_access.is_none();
        (&resource.object, is_spared)
    }));
    policies.retain(|(policy, _)| can_lock_out(policy));
    if let Some(block) = &desired.emergency_access {
        let accounts: Vec<String> = block.users.iter().filter_map(|user| ids.get(user)).collect();
        let is_doubtful = |(policy, is_spared): &(&Object, bool)| {
            let is_named = |user: &String| spares(policy, &|one| ids.get(one).as_ref() == Some(user));
            // Of groups alone somebody must be in one.
            let is_safe = !accounts.is_empty() && *is_spared || accounts.iter().any(is_named);
            !is_safe && (*is_spared || names_sets(policy))
        };
        if undone.is_some() || policies.iter().any(is_doubtful) {
            watched.users.extend(accounts);
            for group in &block.groups {
                watched.groups.extend(ids.get(group));
                watched.users.extend(ids.wanted_members(desired, group));
            }
        }
    }
    if let Some(me) = &live.signed_in {
        let id = me.object_id.to_ascii_lowercase();
        let is_doubtful = |(policy, _): &(&Object, bool)| {
            let is_named = spares(policy, &|one| ids.get(one).as_ref() == Some(&id));
            is_unconditional(policy) && !is_named && names_sets(policy)
        };
        if me.kind == SignedInKind::User && (undone.is_some() || policies.iter().any(is_doubtful)) {
            watched.users.insert(id);
        }
    }
    watched
}

/// The ids behind references, as far as they are known.
struct Ids<'a> {
    directory: &'a Directory,
    managed: BTreeMap<Address, &'a str>,
}

impl<'a> Ids<'a> {
    fn of(desired: &'a Configuration, directory: &'a Directory, state: Option<&'a Document>) -> Self {
        let mut managed: BTreeMap<Address, &str> = BTreeMap::new();
        for (address, resource) in state.into_iter().flat_map(|state| &state.resources) {
            if let Ok(address) = address.parse::<Address>() {
                managed.insert(follow(&address, &desired.moves).0, &resource.id);
            }
        }
        for import in &desired.imports {
            managed.entry(import.to.clone()).or_insert(&import.id);
        }
        Self { directory, managed }
    }

    fn get(&self, reference: &Reference) -> Option<String> {
        match reference {
            Reference::Id { id, .. } => Some(id.to_ascii_lowercase()),
            Reference::Managed { address, .. } => {
                self.managed.get(&**address).map(|id| id.to_ascii_lowercase())
            }
            Reference::Lookup(lookup) => {
                let found = self.directory.answers.get(lookup)?.reference(lookup.target)?;
                self.get(&found)
            }
            Reference::Keyword(_) => None,
        }
    }

    /// The groups whose members change, or that go.
    fn moved(&self, desired: &Configuration, live: &LiveTenant) -> BTreeSet<String> {
        let wanted: BTreeMap<&str, &Object> = desired
            .resources
            .values()
            .filter(|resource| resource.object.kind == Kind::Group)
            .filter_map(|resource| Some((*self.managed.get(&resource.address)?, &resource.object)))
            .collect();
        let managed: BTreeSet<&str> = self.managed.values().copied().collect();
        let groups = live.objects.iter().filter(|object| object.kind == Kind::Group);
        let moves = groups.filter(|group| {
            let id = group.id.as_str();
            let members = |object: &Object| -> BTreeSet<Option<String>> {
                object
                    .reference_set(members_path())
                    .map(|member| self.get(member))
                    .collect()
            };
            match wanted.get(id) {
                None => managed.contains(id),
                Some(wanted) => {
                    wanted.get(members_path()).is_some() && members(wanted) != members(&group.object)
                }
            }
        });
        moves.map(|group| group.id.clone()).collect()
    }

    /// Those who shall be in a group of this configuration.
    fn wanted_members(&self, desired: &Configuration, group: &Reference) -> BTreeSet<String> {
        let own = match group {
            Reference::Managed { address, .. } => desired.resources.get(&**address),
            other => self.get(other).and_then(|id| {
                let known = self.managed.iter().find(|(_, managed)| **managed == id)?;
                desired.resources.get(known.0)
            }),
        };
        own.into_iter()
            .flat_map(|resource| resource.object.reference_set(members_path()))
            .filter_map(|member| self.get(member))
            .collect()
    }
}
