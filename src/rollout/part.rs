//! Whom a policy is for, and which part of them a wave has.

use std::collections::BTreeSet;

use super::error::RolloutError;
use super::lower::{Facts, Needs};
use crate::model::rollout::Audience;
use crate::model::value::{ExternalTenants, Guests, Value};
use crate::model::{Object, Reference};

const USERS: &str = "conditions.users.includeUsers";
const GROUPS: &str = "conditions.users.includeGroups";
const ROLES: &str = "conditions.users.includeRoles";
const GUESTS: &str = "conditions.users.includeGuestsOrExternalUsers";
const WORKLOADS: &str = "conditions.clientApplications.includeServicePrincipals";
const WITHOUT_USERS: &str = "conditions.users.excludeUsers";
const WITHOUT_GROUPS: &str = "conditions.users.excludeGroups";
const WITHOUT_ROLES: &str = "conditions.users.excludeRoles";
const WITHOUT_GUESTS: &str = "conditions.users.excludeGuestsOrExternalUsers";
const WITHOUT_WORKLOADS: &str = "conditions.clientApplications.excludeServicePrincipals";
const ALL_WORKLOADS: &str = "ServicePrincipalsInMyTenant";

/// People, as a policy includes them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Part {
    /// Users, and the keyword of all.
    pub(super) users: BTreeSet<Reference>,
    /// Groups.
    pub(super) groups: BTreeSet<Reference>,
    /// Directory roles.
    pub(super) roles: BTreeSet<Reference>,
    /// Kinds of guests.
    pub(super) guests: Option<Guests>,
    /// Service principals, and the keyword of all.
    pub(super) workloads: BTreeSet<Reference>,
    /// Users, by id, who can't be named otherwise than as members of a group.
    pub(super) members: BTreeSet<String>,
}

/// Why nobody can say which part of a policy's audience a wave has.
#[derive(Debug)]
pub(super) enum PartError {
    /// Kinds of guests on one side, and no such on the other.
    Mixed,
    /// The directory did not say.
    Directory(RolloutError),
}

impl From<RolloutError> for PartError {
    fn from(error: RolloutError) -> Self {
        Self::Directory(error)
    }
}

/// Who is in a wave.
pub(super) enum People<'p> {
    /// Those that it names.
    Named(&'p Object),
    /// These, by object id.
    Drawn(BTreeSet<String>),
}

/// Whom a policy, or the list of a wave, is for.
pub(super) fn part_of(object: &Object) -> Part {
    let set = |wire: &str| object.reference_set(wire).cloned().collect();
    Part {
        users: set(USERS),
        groups: set(GROUPS),
        roles: set(ROLES),
        guests: match object.get(GUESTS) {
            Some(Value::Guests(guests)) => Some((**guests).clone()),
            _ => None,
        },
        workloads: set(WORKLOADS),
        members: BTreeSet::new(),
    }
}

impl Part {
    fn has_everyone(&self) -> bool {
        self.users.contains(&Reference::keyword("All"))
    }

    fn has_every_workload(&self) -> bool {
        self.workloads.contains(&Reference::keyword(ALL_WORKLOADS))
    }

    /// Whether nobody is in it.
    pub(super) fn is_nobody(&self) -> bool {
        *self == Self::default()
    }

    /// Everyone that it names by reference and not by kind.
    fn named(&self) -> impl Iterator<Item = &Reference> {
        self.users.iter().chain(&self.groups).chain(&self.roles)
    }

    /// Whether all that one names the other names as well.
    fn is_named_by(&self, other: &Self) -> bool {
        self.users.is_subset(&other.users)
            && self.groups.is_subset(&other.groups)
            && self.roles.is_subset(&other.roles)
            && (self.guests.is_none() || self.guests == other.guests)
    }

    /// What must be known to say which part of it a wave has.
    pub(super) fn needs(&self, audience: &Audience, needs: &mut Needs) {
        if self.has_everyone() || !self.workloads.is_empty() {
            return;
        }
        let people = match audience {
            Audience::Whole => return,
            Audience::Share(_) => Self::default(),
            Audience::People(people) => part_of(people),
        };
        let is_share = matches!(audience, Audience::Share(_));
        if !is_share && (people.is_named_by(self) || self.is_named_by(&people)) {
            return;
        }
        for reference in self.named().chain(people.named()) {
            needs.add(reference, &[]);
        }
    }

    /// The part of it that a wave has.
    pub(super) fn within(&self, people: People<'_>, facts: &Facts) -> Result<Self, PartError> {
        let wave = match people {
            People::Drawn(ids) => {
                return if self.has_everyone() {
                    Ok(Self {
                        members: ids,
                        ..Self::default()
                    })
                } else if self.guests.is_some() {
                    Err(PartError::Mixed)
                } else {
                    let own = facts.ids_of(self.named())?;
                    Ok(Self {
                        members: own.intersection(&ids).cloned().collect(),
                        ..Self::default()
                    })
                };
            }
            People::Named(people) => part_of(people),
        };
        if !wave.workloads.is_empty() || !self.workloads.is_empty() {
            let workloads = if self.has_every_workload() {
                wave.workloads
            } else {
                self.workloads.intersection(&wave.workloads).cloned().collect()
            };
            return Ok(Self {
                workloads,
                ..Self::default()
            });
        }
        if self.has_everyone() || wave.is_named_by(self) {
            return Ok(wave);
        }
        if self.is_named_by(&wave) {
            return Ok(self.clone());
        }
        let guests = match (&self.guests, &wave.guests) {
            (None, None) => None,
            (Some(own), Some(others)) => Some(common(own, others).ok_or(PartError::Mixed)?),
            _ => return Err(PartError::Mixed),
        };
        let common = |own: &BTreeSet<Reference>, others: &BTreeSet<Reference>| {
            own.intersection(others).cloned().collect::<BTreeSet<_>>()
        };
        let own = facts.ids_of(self.named())?;
        let others = facts.ids_of(wave.named())?;
        Ok(Self {
            users: common(&self.users, &wave.users),
            // Named by both, so whoever joins them is in both as well.
            groups: common(&self.groups, &wave.groups),
            roles: common(&self.roles, &wave.roles),
            guests,
            workloads: BTreeSet::new(),
            members: own.intersection(&others).cloned().collect(),
        })
    }

    /// Everyone in one or the other.
    pub(super) fn or(mut self, other: Self) -> Result<Self, PartError> {
        self.users.extend(other.users);
        self.groups.extend(other.groups);
        self.roles.extend(other.roles);
        self.workloads.extend(other.workloads);
        self.members.extend(other.members);
        self.guests = match (self.guests, other.guests) {
            (None, one) | (one, None) => one,
            (Some(one), Some(another)) => Some(joined(one, another)?),
        };
        Ok(self)
    }

    /// Makes a policy be for just these.
    pub(super) fn put(&self, policy: &mut Object) {
        if self.workloads.is_empty() {
            put(policy, USERS, &self.users);
            put(policy, GROUPS, &self.groups);
            put(policy, ROLES, &self.roles);
            let guests = self.guests.clone();
            policy.set(GUESTS, guests.map(|guests| Value::Guests(Box::new(guests))));
        } else {
            put(policy, WORKLOADS, &self.workloads);
        }
    }

    /// Leaves these out of a policy, beside whom it leaves out already.
    pub(super) fn leave_out(&self, policy: &mut Object) -> Result<(), PartError> {
        for (wire, more) in [
            (WITHOUT_USERS, &self.users),
            (WITHOUT_GROUPS, &self.groups),
            (WITHOUT_ROLES, &self.roles),
            (WITHOUT_WORKLOADS, &self.workloads),
        ] {
            let all: BTreeSet<Reference> = policy.reference_set(wire).chain(more).cloned().collect();
            put(policy, wire, &all);
        }
        if let Some(guests) = &self.guests {
            let all = match policy.get(WITHOUT_GUESTS) {
                Some(Value::Guests(before)) => joined((**before).clone(), guests.clone())?,
                _ => guests.clone(),
            };
            policy.set(WITHOUT_GUESTS, Some(Value::Guests(Box::new(all))));
        }
        Ok(())
    }
}

fn put(policy: &mut Object, wire: &str, references: &BTreeSet<Reference>) {
    let value = (!references.is_empty()).then(|| Value::References(references.iter().cloned().collect()));
    policy.set(wire, value);
}

/// The guests that are in both.
fn common(one: &Guests, other: &Guests) -> Option<Guests> {
    let kinds: Vec<String> = one
        .kinds
        .iter()
        .filter(|kind| other.kinds.iter().any(|known| known == *kind))
        .cloned()
        .collect();
    let tenants = match (&one.tenants, &other.tenants) {
        (ExternalTenants::All, tenants) | (tenants, ExternalTenants::All) => tenants.clone(),
        (one, other) if one == other => one.clone(),
        _ => return None,
    };
    (!kinds.is_empty()).then(|| Guests {
        kinds: kinds.into_iter().collect(),
        tenants,
    })
}

/// The guests that are in one or the other, where one list can say so.
fn joined(one: Guests, other: Guests) -> Result<Guests, PartError> {
    let same_kinds = one.kinds == other.kinds;
    match (one.tenants, other.tenants) {
        (ExternalTenants::Enumerated(tenants), ExternalTenants::Enumerated(more)) if same_kinds => {
            Ok(Guests {
                kinds: one.kinds,
                tenants: ExternalTenants::Enumerated(tenants.iter().chain(more.iter()).cloned().collect()),
            })
        }
        (tenants, others) if tenants == others => Ok(Guests {
            kinds: one.kinds.iter().chain(other.kinds.iter()).cloned().collect(),
            tenants,
        }),
        _ => Err(PartError::Mixed),
    }
}
