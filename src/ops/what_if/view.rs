//! The policies of one moment, and who is then in which group.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value as Json;

use super::WhatIfError;
use super::listed::Listed;
use crate::access::{Answer, Estate, Fact, Identity, Policy, SignIn, Standing};
use crate::export;
use crate::model::live::{LiveObject, LiveTenant};
use crate::model::properties::ApiVersion;
use crate::model::state::Document;
use crate::model::wire::members_path;
use crate::model::{Kind, Reference};
use crate::ops::project::Loaded;
use crate::plan::{Action, Plan, ResourceChange};

/// The policies of one moment.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// The policies, with the locations and strengths that they name.
    pub estate: Estate,
    groups: Vec<Group>,
}

/// A group that is managed: who is in it is said by its block.
#[derive(Debug, Clone)]
struct Group {
    /// What policies call it: its address, and its id once it is made.
    keys: BTreeSet<String>,
    id: Option<String>,
    /// Its members, when the block owns them; a group that is not made yet has no others.
    members: Option<BTreeSet<String>>,
    /// The groups that hold it.
    parents: BTreeSet<String>,
}

/// How one policy stands before and after.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// How it stands before; none when it is not there.
    pub before: Option<Standing>,
    /// How it stands after; none when it is gone.
    pub after: Option<Standing>,
}

impl View {
    /// Exported policies, with any locations and strengths beside them and in the directory file.
    pub fn exported(intake: &export::Intake, listed: &Listed) -> Result<Self, WhatIfError> {
        if let Some(rejected) = intake.rejected.first() {
            return Err(WhatIfError::Unread {
                file: format!("{}{}", rejected.file, rejected.pointer),
                reason: rejected.reason.to_string(),
            });
        }
        let mut estate = Estate::default();
        for found in &intake.objects {
            let raw = found.object.raw.as_ref();
            let has_unknown_conditions = raw.is_some_and(|raw| raw.get("conditions").is_some());
            let key = match &found.id {
                Some(id) => id.to_ascii_lowercase(),
                None => found.object.name().to_owned(),
            };
            estate.add(&key, &found.object, has_unknown_conditions)?;
        }
        if !intake.objects.iter().any(|found| found.kind == Kind::Policy) {
            return Err(WhatIfError::NoPolicies);
        }
        estate.add_neighbours(listed.json())?;
        Ok(Self {
            estate,
            groups: Vec::new(),
        })
    }

    /// Exported policies as if they were a tenant's, and what applying a project would make of them.
    pub fn applied(
        intake: &export::Intake,
        listed: &Listed,
        loaded: &Loaded,
        state: Option<&Document>,
        now: Timestamp,
    ) -> Result<(Self, Self), WhatIfError> {
        let before = Self::exported(intake, listed)?;
        let mut live = listed_objects(listed)?;
        for found in intake.objects.iter().filter(|found| found.id.is_some()) {
            let read = LiveObject::read(found.kind, found.json.clone(), ApiVersion::V1);
            live.objects.push(read.map_err(crate::ops::OpsError::from)?);
        }
        let plan = super::as_written_over(loaded, listed, &live, state, now)?;
        let after = Self::planned(&plan, &live)?;
        Ok((before, after))
    }

    /// A tenant as it is.
    pub fn live(live: &LiveTenant) -> Result<Self, WhatIfError> {
        let mut view = Self::default();
        for object in by_name(live) {
            view.add_live(object)?;
        }
        Ok(view)
    }

    /// What a configuration says: the policies of its plan, by their addresses, and no others.
    pub fn configured(plan: &Plan, live: &LiveTenant) -> Result<Self, WhatIfError> {
        let mut view = Self::default();
        view.add_planned(plan, |change| change.address.to_string())?;
        let planned = planned_ids(plan);
        for object in by_name(live) {
            if object.kind != Kind::Policy && !planned.contains(object.id.as_str()) {
                view.add_live(object)?;
            }
        }
        Ok(view)
    }

    /// A tenant as it is once a plan is applied.
    pub fn planned(plan: &Plan, live: &LiveTenant) -> Result<Self, WhatIfError> {
        let mut view = Self::default();
        let planned = planned_ids(plan);
        for object in by_name(live) {
            if !planned.contains(object.id.as_str()) {
                view.add_live(object)?;
            }
        }
        view.add_planned(plan, |change| {
            change.id.clone().unwrap_or_else(|| change.address.to_string())
        })?;
        Ok(view)
    }

    fn add_live(&mut self, object: &LiveObject) -> Result<(), WhatIfError> {
        let has_unknown_conditions = object.unknown.get("conditions").is_some();
        Ok(self
            .estate
            .add(&object.id, &object.object, has_unknown_conditions)?)
    }

    fn add_planned(
        &mut self,
        plan: &Plan,
        name: impl Fn(&ResourceChange) -> String,
    ) -> Result<(), WhatIfError> {
        for change in &plan.changes {
            let Some(after) = change.after.as_ref().filter(|_| stays(change)) else {
                continue;
            };
            let is_condition = |path: &String| path.starts_with("conditions");
            let raw = after.raw.as_ref();
            let has_unknown_conditions = change.unknown.iter().any(is_condition)
                || raw.is_some_and(|raw| raw.get("conditions").is_some());
            // Others name it by its id where it has one, and by its address until then.
            let both = [Some(change.address.to_string()), change.id.clone()];
            match change.kind {
                Kind::Policy => self.estate.add(&name(change), after, has_unknown_conditions)?,
                Kind::Group => self.groups.push(Group {
                    keys: both.into_iter().flatten().collect(),
                    id: change.id.clone(),
                    members: match after.get(members_path()) {
                        Some(_) => Some(member_ids(after.reference_set(members_path()))),
                        None if change.id.is_none() => Some(BTreeSet::new()),
                        None => None,
                    },
                    parents: BTreeSet::new(),
                }),
                _ => {
                    for key in both.into_iter().flatten() {
                        self.estate.add(&key, after, false)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// The managed groups that exist and whose members the project owns.
    pub fn changed_groups(&self) -> impl Iterator<Item = &str> {
        let owned = self.groups.iter().filter(|group| group.members.is_some());
        owned.filter_map(|group| group.id.as_deref())
    }

    /// The groups whose members matter: those that policies name, managed ones, and those that hold them.
    pub fn groups(&self) -> BTreeSet<String> {
        let mut all = self.estate.groups();
        for group in &self.groups {
            all.extend(group.id.clone());
            all.extend(group.parents.iter().cloned());
        }
        all
    }

    /// Says which groups hold managed groups, by the id of the managed one.
    pub fn set_parents(&mut self, parents: &BTreeMap<String, BTreeSet<String>>) {
        for group in &mut self.groups {
            if let Some(parents) = group.id.as_ref().and_then(|id| parents.get(id)) {
                group.parents.clone_from(parents);
            }
        }
    }

    /// What comes out of a sign-in.
    pub fn evaluate(&self, sign_in: &SignIn, satisfied: Option<&BTreeSet<String>>) -> Answer {
        self.estate.evaluate(&self.seen(sign_in), satisfied)
    }

    /// A sign-in with the groups that somebody is in at this moment.
    pub fn seen<'s>(&self, sign_in: &'s SignIn) -> Cow<'s, SignIn> {
        if self.groups.is_empty() {
            return Cow::Borrowed(sign_in);
        }
        let mut sign_in = sign_in.clone();
        if let Identity::User { id, groups, .. } = &mut sign_in.identity {
            self.settle(id, groups);
        }
        Cow::Owned(sign_in)
    }

    /// Puts somebody into the managed groups whose blocks say so, and out of the others.
    fn settle(&self, user: &str, groups: &mut Fact<BTreeSet<String>>) {
        let Fact::Is(known) = &*groups else { return };
        let mut settled = known.clone();
        for group in &self.groups {
            let was_in = group.id.as_ref().is_some_and(|id| known.contains(id));
            let is_in = group
                .members
                .as_ref()
                .map_or(was_in, |members| members.contains(user));
            if is_in {
                settled.extend(group.keys.iter().cloned());
                settled.extend(group.parents.iter().cloned());
            } else if was_in && group.parents.iter().any(|parent| known.contains(parent)) {
                // Somebody may be in the groups that hold it by another way as well.
                *groups = Fact::Unrecorded;
                return;
            } else {
                settled.retain(|key| !group.keys.contains(key));
            }
        }
        *groups = Fact::Is(settled);
    }
}

/// The objects of a tenant by name: the service lists them in the order in which they were made.
fn by_name(live: &LiveTenant) -> Vec<&LiveObject> {
    let mut objects: Vec<&LiveObject> = live.objects.iter().collect();
    objects.sort_by(|one, other| (one.name(), &one.id).cmp(&(other.name(), &other.id)));
    objects
}

fn planned_ids(plan: &Plan) -> BTreeSet<&str> {
    let changes = plan
        .changes
        .iter()
        .filter(|change| change.action != Action::Forget);
    changes.filter_map(|change| change.id.as_deref()).collect()
}

fn stays(change: &ResourceChange) -> bool {
    !matches!(change.action, Action::Delete | Action::Forget)
}

fn member_ids<'a>(members: impl Iterator<Item = &'a Reference>) -> BTreeSet<String> {
    members
        .filter_map(|member| match member {
            Reference::Id { id, .. } => Some(id.to_ascii_lowercase()),
            _ => None,
        })
        .collect()
}

/// The policies that stand otherwise after than before, by name.
pub fn changes<'a>(
    (before, then): (&'a Estate, &Answer),
    (after, now): (&'a Estate, &Answer),
) -> Vec<Change<'a>> {
    let mut all: BTreeMap<&str, Change<'a>> = BTreeMap::new();
    for (policy, standing) in before.policies().iter().zip(&then.standings) {
        let change = Change {
            policy,
            before: Some(*standing),
            after: None,
        };
        all.insert(&policy.key, change);
    }
    for (policy, standing) in after.policies().iter().zip(&now.standings) {
        let change = all.entry(&policy.key).or_insert(Change {
            policy,
            before: None,
            after: None,
        });
        (change.policy, change.after) = (policy, Some(*standing));
    }
    let mut changes: Vec<Change<'a>> = all.into_values().collect();
    changes.retain(|change| change.before != change.after);
    changes.sort_by(|one, other| one.policy.name.cmp(&other.policy.name));
    changes
}

/// The objects of a directory file as a plan sees them.
pub(super) fn listed_objects(listed: &Listed) -> Result<LiveTenant, WhatIfError> {
    let mut live = LiveTenant {
        complete: Kind::ALL.into_iter().collect(),
        ..LiveTenant::default()
    };
    let read = |kind: Kind, json: &Json| LiveObject::read(kind, json.clone(), ApiVersion::V1);
    for location in listed.all("namedLocations") {
        let location = LiveObject::read_location(location.clone(), ApiVersion::V1);
        live.objects.extend(location.map_err(crate::ops::OpsError::from)?);
    }
    for (collection, kind) in [
        ("authenticationStrengths", Kind::Strength),
        ("authenticationContextClassReferences", Kind::Context),
    ] {
        for json in listed.all(collection) {
            live.objects
                .push(read(kind, json).map_err(crate::ops::OpsError::from)?);
        }
    }
    Ok(live)
}
