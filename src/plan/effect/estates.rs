//! The policies of the tenant before a plan and after it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexSet;

use crate::access::{Estate, EstateError};
use crate::model::live::{LiveObject, LiveTenant, People};
use crate::model::value::Control;
use crate::model::wire::members_path;
use crate::model::{Kind, Object, Reference, Target, Value};

use super::Cause;
use crate::plan::Plan;
use crate::plan::change::{Action, ResourceChange};

/// Both moments.
#[derive(Debug, Default)]
pub(in crate::plan) struct Estates {
    pub(in crate::plan) before: Estate,
    pub(in crate::plan) after: Estate,
    /// The policies by key.
    pub(in crate::plan) policies_before: BTreeMap<String, Source>,
    pub(in crate::plan) policies_after: BTreeMap<String, Source>,
    /// What those are called who join or leave groups, and policies of the tenant.
    pub(in crate::plan) names: BTreeMap<String, String>,
}

/// A policy, as people know it.
#[derive(Debug, Clone)]
pub(in crate::plan) struct Source {
    pub(in crate::plan) object: Arc<Object>,
    pub(in crate::plan) cause: Cause,
}

/// Who joins and leaves groups, by the key that policies call a group by; each as a group of its own.
#[derive(Debug, Default)]
pub(in crate::plan) struct Movements {
    leave: BTreeMap<String, BTreeSet<String>>,
    join: BTreeMap<String, BTreeSet<String>>,
    names: BTreeMap<String, String>,
}

/// The id that stands for those who join a group.
pub(in crate::plan) fn joins(group: &str) -> String {
    format!("joins {group}")
}

/// The id that stands for those who leave a group.
pub(in crate::plan) fn leaves(group: &str) -> String {
    format!("leaves {group}")
}

impl Movements {
    /// Of these changes, in the groups themselves and in those around them.
    pub(in crate::plan) fn of<'c>(
        changes: impl Iterator<Item = &'c ResourceChange>,
        people: &People,
    ) -> Self {
        let mut movements = Self::default();
        for change in changes {
            let (Some(id), Some(before)) = (&change.id, &change.before) else {
                continue;
            };
            if change.kind != Kind::Group || !matches!(change.action, Action::Update | Action::Delete) {
                continue;
            }
            let members = |object: Option<&Object>| -> BTreeSet<Reference> {
                let all = object
                    .into_iter()
                    .flat_map(|object| object.reference_set(members_path()));
                all.cloned().collect()
            };
            let is_owned = change
                .after
                .as_ref()
                .is_some_and(|after| after.get(members_path()).is_some());
            let (old, new) = (members(Some(before)), members(change.after.as_ref()));
            let is_gone = change.action == Action::Delete;
            if !(is_gone || is_owned || before.get(members_path()).is_some()) {
                continue;
            }
            let everybody = std::iter::once(id);
            let holders = people
                .around
                .get(id)
                .into_iter()
                .flat_map(|around| &around.groups);
            for group in everybody.chain(holders) {
                if is_gone || old.difference(&new).next().is_some() {
                    movements
                        .leave
                        .entry(group.clone())
                        .or_default()
                        .insert(id.clone());
                }
                if new.difference(&old).next().is_some() {
                    movements
                        .join
                        .entry(group.clone())
                        .or_default()
                        .insert(id.clone());
                }
            }
            movements
                .names
                .insert(joins(id), format!("who joins {}", change.name));
            movements
                .names
                .insert(leaves(id), format!("who leaves {}", change.name));
        }
        movements
    }

    pub(in crate::plan) fn is_empty(&self) -> bool {
        self.leave.is_empty() && self.join.is_empty()
    }

    /// A policy as it reads when the members of these groups have joined, or left; nothing where it reads as it is.
    pub(in crate::plan) fn read(
        &self,
        policy: &Object,
        have_joined: &dyn Fn(&str) -> bool,
        have_left: &dyn Fn(&str) -> bool,
    ) -> Option<Object> {
        let apart = |group: &String| -> Vec<String> {
            let of = |all: &BTreeMap<String, BTreeSet<String>>| -> Vec<String> {
                all.get(group).into_iter().flatten().cloned().collect()
            };
            let joined = of(&self.join).into_iter().filter(|group| have_joined(group));
            let left = of(&self.leave).into_iter().filter(|group| !have_left(group));
            let joined = joined.map(|group| joins(&group));
            joined.chain(left.map(|group| leaves(&group))).collect()
        };
        let mut read: Option<Object> = None;
        for wire in ["conditions.users.includeGroups", "conditions.users.excludeGroups"] {
            let mut all: IndexSet<Reference> = policy.reference_set(wire).cloned().collect();
            let more: Vec<Reference> = all
                .iter()
                .filter_map(|reference| match reference {
                    Reference::Id { id, .. } => Some(apart(id)),
                    _ => None,
                })
                .flatten()
                .map(|id| Reference::id(Target::Group, &id))
                .collect();
            if !more.is_empty() {
                all.extend(more);
                read.get_or_insert_with(|| policy.clone())
                    .set(wire, Some(Value::References(all.into())));
            }
        }
        read
    }
}

impl Estates {
    pub(super) fn of(plan: &Plan, live: &LiveTenant) -> Result<Self, EstateError> {
        let movements = Movements::of(plan.changes.iter(), &live.people);
        let mut estates = Self {
            names: movements.names.clone(),
            ..Self::default()
        };
        let changes: BTreeMap<&str, &ResourceChange> = plan
            .changes
            .iter()
            .filter(|change| change.action != Action::Forget)
            .filter_map(|change| Some((change.id.as_deref()?, change)))
            .collect();
        let mut objects: Vec<&LiveObject> = live.objects.iter().collect();
        objects.sort_by(|one, other| (one.name(), &one.id).cmp(&(other.name(), &other.id)));
        for object in objects {
            let change = changes.get(object.id.as_str());
            let cause = Cause {
                name: object.name().to_owned(),
                address: change.map(|change| change.address.clone()),
            };
            if object.kind == Kind::Policy {
                estates.names.insert(object.id.clone(), object.name().to_owned());
            }
            let has_unknown = object.unknown.get("conditions").is_some();
            estates.add(
                &movements,
                false,
                &object.id,
                &object.object,
                has_unknown,
                cause.clone(),
            )?;
            if change.is_none_or(|change| matches!(change.action, Action::NoOp | Action::Refresh)) {
                estates.add(&movements, true, &object.id, &object.object, has_unknown, cause)?;
            }
        }
        for change in &plan.changes {
            if matches!(
                change.action,
                Action::NoOp | Action::Refresh | Action::Delete | Action::Forget
            ) {
                continue;
            }
            let Some(after) = &change.after else { continue };
            let cause = Cause {
                name: after.name().to_owned(),
                address: Some(change.address.clone()),
            };
            let has_unknown = has_unknown_conditions(change, after);
            let own = change.id.clone().unwrap_or_else(|| change.address.to_string());
            estates.add(&movements, true, &own, after, has_unknown, cause.clone())?;
            if change.kind != Kind::Policy && change.id.is_some() {
                estates.add(
                    &movements,
                    true,
                    &change.address.to_string(),
                    after,
                    has_unknown,
                    cause,
                )?;
            }
        }
        // Strengths that were not listed stand in the policies as well.
        let expanded = live.policies().filter(|policy| names_a_strength(&policy.object));
        for policy in expanded {
            let json = policy.json.value();
            estates.before.learn_strength(&json);
            estates.after.learn_strength(&json);
        }
        Ok(estates)
    }

    fn add(
        &mut self,
        movements: &Movements,
        is_after: bool,
        key: &str,
        object: &Object,
        has_unknown: bool,
        cause: Cause,
    ) -> Result<(), EstateError> {
        let read = Some(movements)
            .filter(|movements| object.kind == Kind::Policy && !movements.is_empty())
            .and_then(|movements| movements.read(object, &|_| is_after, &|_| is_after));
        let object = read.unwrap_or_else(|| object.clone());
        let estate = if is_after {
            &mut self.after
        } else {
            &mut self.before
        };
        estate.add(key, &object, has_unknown)?;
        if object.kind == Kind::Policy {
            let source = Source {
                object: Arc::new(object),
                cause,
            };
            let policies = if is_after {
                &mut self.policies_after
            } else {
                &mut self.policies_before
            };
            policies.insert(key.to_owned(), source);
        }
        Ok(())
    }
}

/// Whether a policy has conditions afterwards that capol does not know.
pub(in crate::plan) fn has_unknown_conditions(change: &ResourceChange, after: &Object) -> bool {
    let is_condition = |path: &String| path.starts_with("conditions");
    change.unknown.iter().any(is_condition)
        || after
            .raw
            .as_ref()
            .is_some_and(|raw| raw.get("conditions").is_some())
}

/// Whether a policy asks for a strength.
pub(in crate::plan) fn names_a_strength(policy: &Object) -> bool {
    match policy.get("grantControls") {
        Some(Value::Grant(grant)) => grant
            .controls
            .iter()
            .any(|control| matches!(control, Control::Strength(_))),
        _ => false,
    }
}
