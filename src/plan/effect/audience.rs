//! How many people an effect is about.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::access::Condition;
use crate::model::wire::members_path;
use crate::model::{Kind, Object, Reference, Target};
use crate::plan::Plan;

/// How many people an effect is about.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// So many.
    Exactly(u64),
    /// So many, or fewer: other policies keep the outcome of some as it was.
    AtMost(u64),
    /// Nobody could tell who is in it.
    #[default]
    Unknown,
    /// It is about no people: workloads, agents.
    NoPeople,
}

/// What must be known to count people: ids in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Asked {
    /// The groups whose members, through nesting, are needed.
    pub groups: BTreeSet<String>,
    /// The roles whose holders are needed, by template id.
    pub roles: BTreeSet<String>,
    /// Whether the number of all users is needed.
    pub everybody: bool,
}

impl Asked {
    /// Without what is known already.
    pub(super) fn without(mut self, known: &BTreeMap<String, BTreeSet<String>>) -> Self {
        self.groups.retain(|group| !known.contains_key(group));
        self
    }

    /// Whether nothing is needed.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty() && self.roles.is_empty() && !self.everybody
    }
}

/// Who is in which group and role; what could not be read is not in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Membership {
    /// The users in a group, through nesting, by the key of the group.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    /// The users that hold a role, by template id.
    pub roles: BTreeMap<String, BTreeSet<String>>,
    /// How many users there are.
    pub everybody: Option<u64>,
}

/// People that a policy is about.
#[derive(Debug, Clone, Default)]
struct Named {
    everybody: bool,
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
    roles: BTreeSet<String>,
    /// Whether it names people of whom nobody keeps a list: guests by kind.
    is_open: bool,
}

/// The people of one policy, less those whom its counterpart is about as well.
#[derive(Debug, Clone, Default)]
pub(super) struct Audience {
    include: Named,
    exclude: Named,
    /// What is taken away again: the include and exclude sides of the counterpart.
    less: Option<(Named, Named)>,
    is_at_most: bool,
    is_of_people: bool,
}

/// A set of people, or all but a set.
enum People {
    These(BTreeSet<String>),
    AllBut(BTreeSet<String>),
}

impl Named {
    fn of(policy: &Object, side: &str, missing: &BTreeSet<String>) -> Self {
        let wire = |what: &str| format!("conditions.users.{side}{what}");
        let mut named = Self {
            is_open: policy.get(&wire("GuestsOrExternalUsers")).is_some(),
            ..Self::default()
        };
        let key = |reference: &Reference| match reference {
            Reference::Id { id, .. } => id.clone(),
            Reference::Managed { address, .. } => address.to_string(),
            Reference::Lookup(lookup) => lookup.name.clone(),
            Reference::Keyword(word) => word.clone(),
        };
        for reference in policy.reference_set(&wire("Users")) {
            match reference {
                Reference::Keyword(word) if word.eq_ignore_ascii_case("All") => named.everybody = true,
                Reference::Keyword(word) if word.eq_ignore_ascii_case("None") => {}
                Reference::Keyword(_) => named.is_open = true,
                other => drop(named.users.insert(key(other))),
            }
        }
        named.users.retain(|user| !missing.contains(user));
        named.groups = policy.reference_set(&wire("Groups")).map(key).collect();
        named.roles = policy.reference_set(&wire("Roles")).map(key).collect();
        named
    }

    fn ask(&self, asked: &mut Asked) {
        if self.everybody {
            asked.everybody = true;
            return;
        }
        asked.groups.extend(self.groups.iter().cloned());
        asked.roles.extend(self.roles.iter().cloned());
    }

    fn people(&self, known: &Membership) -> Option<People> {
        if self.everybody {
            return Some(People::AllBut(BTreeSet::new()));
        }
        if self.is_open {
            return None;
        }
        let mut all = self.users.clone();
        for group in &self.groups {
            all.extend(known.groups.get(group)?.iter().cloned());
        }
        for role in &self.roles {
            all.extend(known.roles.get(role)?.iter().cloned());
        }
        Some(People::These(all))
    }
}

impl Audience {
    /// The people of a policy, or of the part of it in which some conditions changed.
    pub(super) fn of(
        policy: &Object,
        other: Option<&Object>,
        conditions: &BTreeSet<Option<Condition>>,
        is_at_most: bool,
        missing: &BTreeSet<String>,
    ) -> Self {
        let only_users = conditions
            .iter()
            .all(|condition| *condition == Some(Condition::Users));
        Self {
            include: Named::of(policy, "include", missing),
            exclude: Named::of(policy, "exclude", missing),
            less: other
                .filter(|_| only_users && !conditions.is_empty())
                .map(|other| {
                    (
                        Named::of(other, "include", missing),
                        Named::of(other, "exclude", missing),
                    )
                }),
            is_at_most,
            is_of_people: policy
                .iter()
                .any(|(property, _)| property.wire.starts_with("conditions.users.")),
        }
    }

    pub(super) fn ask(&self, asked: &mut Asked) {
        self.include.ask(asked);
        self.exclude.ask(asked);
        if let Some((include, exclude)) = &self.less {
            include.ask(asked);
            exclude.ask(asked);
        }
    }

    fn people(&self, known: &Membership) -> Option<People> {
        let all = self.include.people(known)?.without(self.exclude.people(known)?);
        match &self.less {
            None => Some(all),
            Some((include, exclude)) => {
                let others = include.people(known)?.without(exclude.people(known)?);
                Some(all.without(others))
            }
        }
    }
}

impl People {
    fn without(self, other: Self) -> Self {
        match (self, other) {
            (Self::These(these), Self::These(others)) => {
                Self::These(these.difference(&others).cloned().collect())
            }
            (Self::These(these), Self::AllBut(others)) => {
                Self::These(these.intersection(&others).cloned().collect())
            }
            (Self::AllBut(mut out), Self::These(others)) => {
                out.extend(others);
                Self::AllBut(out)
            }
            (Self::AllBut(out), Self::AllBut(others)) => {
                Self::These(others.difference(&out).cloned().collect())
            }
        }
    }

    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::These(mut these), Self::These(others)) => {
                these.extend(others);
                Self::These(these)
            }
            (Self::AllBut(out), Self::AllBut(others)) => {
                Self::AllBut(out.intersection(&others).cloned().collect())
            }
            (Self::AllBut(out), Self::These(these)) | (Self::These(these), Self::AllBut(out)) => {
                Self::AllBut(out.difference(&these).cloned().collect())
            }
        }
    }
}

/// How many people these audiences are together.
pub(super) fn count(audiences: &[Audience], known: &Membership) -> Reach {
    if !audiences.iter().any(|audience| audience.is_of_people) {
        return Reach::NoPeople;
    }
    let mut all = People::These(BTreeSet::new());
    for audience in audiences.iter().filter(|audience| audience.is_of_people) {
        match audience.people(known) {
            Some(people) => all = all.or(people),
            None => return Reach::Unknown,
        }
    }
    let number = |set: &BTreeSet<String>| u64::try_from(set.len()).unwrap_or(u64::MAX);
    let count = match (&all, known.everybody) {
        (People::These(these), _) => number(these),
        (People::AllBut(out), Some(everybody)) => everybody.saturating_sub(number(out)),
        (People::AllBut(_), None) => return Reach::Unknown,
    };
    if audiences.iter().any(|audience| audience.is_at_most) {
        Reach::AtMost(count)
    } else {
        Reach::Exactly(count)
    }
}

/// Who is in groups of which the plan itself says so: those that join or leave, and those that it makes.
pub(super) fn told(plan: &Plan) -> BTreeMap<String, BTreeSet<String>> {
    let mut told = BTreeMap::new();
    for change in plan.changes.iter().filter(|change| change.kind == Kind::Group) {
        let members = |object: Option<&Object>| -> Option<BTreeSet<String>> {
            let all = object
                .into_iter()
                .flat_map(|object| object.reference_set(members_path()));
            all.map(|member| match member {
                Reference::Id {
                    target: Target::User,
                    id,
                } => Some(id.clone()),
                _ => None,
            })
            .collect()
        };
        let (old, new) = (members(change.before.as_ref()), members(change.after.as_ref()));
        match (&change.id, old, new) {
            (Some(id), Some(old), Some(new)) => {
                told.insert(super::estates::joins(id), new.difference(&old).cloned().collect());
                told.insert(
                    super::estates::leaves(id),
                    old.difference(&new).cloned().collect(),
                );
            }
            (None, _, Some(new)) => drop(told.insert(change.address.to_string(), new)),
            _ => {}
        }
    }
    told
}

impl Membership {
    /// Takes in what a plan itself says; a group then holds those who stay.
    pub(super) fn with(mut self, told: BTreeMap<String, BTreeSet<String>>) -> Self {
        for (group, members) in &mut self.groups {
            if let Some(leaving) = told.get(&super::estates::leaves(group)) {
                members.retain(|member| !leaving.contains(member));
            }
        }
        self.groups.extend(told);
        self
    }
}
