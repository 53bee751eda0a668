//! Who signs in: users, service principals, agents.

use std::collections::BTreeSet;

use super::device::attributes_match;
use super::policy::{Sides, filter, keys, symbols};
use super::sign_in::{ExternalUser, Fact, Identity};
use super::truth::Truth;
use crate::model::filter_rule::{FilterRule, FilterRuleError};
use crate::model::value::{ExternalTenants, FilterMode, Guests};
use crate::model::{Object, Value};

const ALL: &str = "all";
const GUESTS: &str = "guestsorexternalusers";
const ALL_AGENT_USERS: &str = "allagentidusers";
const OWNED: &str = "serviceprincipalsinmytenant";

/// One side of a condition on users.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Audience {
    pub(super) users: BTreeSet<String>,
    pub(super) groups: BTreeSet<String>,
    pub(super) roles: BTreeSet<String>,
    pub(super) guests: Option<Guests>,
}

impl Audience {
    fn of(object: &Object, side: &str) -> Self {
        let wire = |what: &str| format!("conditions.users.{side}{what}");
        Self {
            users: keys(object, &wire("Users")),
            groups: keys(object, &wire("Groups")),
            roles: keys(object, &wire("Roles")),
            guests: match object.get(&wire("GuestsOrExternalUsers")) {
                Some(Value::Guests(guests)) => Some((**guests).clone()),
                _ => None,
            },
        }
    }

    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty() && self.roles.is_empty() && self.guests.is_none()
    }

    fn holds(
        &self,
        id: &str,
        groups: &Fact<BTreeSet<String>>,
        roles: &Fact<BTreeSet<String>>,
        external: &Fact<ExternalUser>,
    ) -> Truth {
        let among = |wanted: &BTreeSet<String>, held: &Fact<BTreeSet<String>>| match held {
            _ if wanted.is_empty() => Truth::No,
            Fact::Unrecorded => Truth::Undecided,
            Fact::Absent => Truth::No,
            Fact::Is(held) => (!wanted.is_disjoint(held)).into(),
        };
        let any_guest = || match external {
            Fact::Unrecorded => Truth::Undecided,
            Fact::Absent => Truth::No,
            Fact::Is(_) => Truth::Yes,
        };
        Truth::any([
            self.users.contains(ALL).into(),
            self.users.contains(id).into(),
            if self.users.contains(GUESTS) {
                any_guest()
            } else {
                Truth::No
            },
            among(&self.groups, groups),
            among(&self.roles, roles),
            self.guests
                .as_ref()
                .map_or(Truth::No, |guests| holds_guest(guests, external)),
        ])
    }
}

/// Whether somebody is one of these guests (`FACTS` 10.9).
fn holds_guest(guests: &Guests, external: &Fact<ExternalUser>) -> Truth {
    let external = match external {
        Fact::Unrecorded => return Truth::Undecided,
        Fact::Absent => return Truth::No,
        Fact::Is(external) => external,
    };
    let kind = guests
        .kinds
        .iter()
        .any(|kind| kind.eq_ignore_ascii_case(&external.kind));
    let tenant = match (&guests.tenants, &external.tenant) {
        (ExternalTenants::All, _) => Truth::Yes,
        // An internal guest has no home tenant that could be listed.
        (ExternalTenants::Enumerated(_), Fact::Absent) => {
            external.kind.eq_ignore_ascii_case("internalGuest").into()
        }
        (ExternalTenants::Enumerated(_), Fact::Unrecorded) => Truth::Undecided,
        (ExternalTenants::Enumerated(tenants), Fact::Is(tenant)) => {
            tenants.iter().any(|one| one.eq_ignore_ascii_case(tenant)).into()
        }
    };
    Truth::from(kind) & tenant
}

/// Which users a policy is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UserCondition {
    include: Audience,
    exclude: Audience,
}

impl UserCondition {
    pub(super) fn of(object: &Object) -> Option<Self> {
        let condition = Self {
            include: Audience::of(object, "include"),
            exclude: Audience::of(object, "exclude"),
        };
        (!condition.include.is_empty() || !condition.exclude.is_empty()).then_some(condition)
    }

    pub(super) fn sides(condition: Option<&Self>, identity: &Identity) -> Sides {
        match (identity, condition) {
            (
                Identity::User {
                    id,
                    groups,
                    roles,
                    external,
                },
                Some(condition),
            ) => Sides {
                include: condition.include.holds(id, groups, roles, external),
                exclude: condition.exclude.holds(id, groups, roles, external),
            },
            (Identity::User { .. }, None) => Sides::NOTHING,
            // Others are caught by conditions of their own (`FACTS` 10.10, 10.19).
            _ => Sides::EVERYTHING,
        }
    }

    /// Whom it names, on either side.
    pub(super) fn sides_named(&self) -> [&Audience; 2] {
        [&self.include, &self.exclude]
    }

    fn names_agents(condition: Option<&Self>) -> (bool, bool) {
        condition.map_or((false, false), |condition| {
            (
                condition.include.users.contains(ALL_AGENT_USERS),
                condition.exclude.users.contains(ALL_AGENT_USERS),
            )
        })
    }
}

/// Which service principals a policy is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WorkloadCondition {
    include: BTreeSet<String>,
    exclude: BTreeSet<String>,
    filter: Option<(FilterMode, FilterRule)>,
}

impl WorkloadCondition {
    pub(super) fn of(object: &Object) -> Result<Option<Self>, FilterRuleError> {
        let condition = Self {
            include: keys(object, "conditions.clientApplications.includeServicePrincipals"),
            exclude: keys(object, "conditions.clientApplications.excludeServicePrincipals"),
            filter: filter(object, "conditions.clientApplications.servicePrincipalFilter")?,
        };
        let is_set =
            !condition.include.is_empty() || !condition.exclude.is_empty() || condition.filter.is_some();
        Ok(is_set.then_some(condition))
    }

    /// The service principals that it names, on either side.
    pub(super) fn named(&self) -> impl Iterator<Item = &String> {
        self.include
            .iter()
            .chain(&self.exclude)
            .filter(|key| ![ALL, OWNED].contains(&key.as_str()))
    }

    /// Its filter rule.
    pub(super) fn rule(&self) -> Option<&FilterRule> {
        self.filter.as_ref().map(|(_, rule)| rule)
    }

    pub(super) fn sides(condition: Option<&Self>, identity: &Identity) -> Sides {
        let Identity::ServicePrincipal {
            id,
            owned,
            attributes,
        } = identity
        else {
            return Sides::EVERYTHING;
        };
        let Some(condition) = condition else {
            return Sides::NOTHING;
        };
        let owned = match owned {
            Fact::Unrecorded => Truth::Undecided,
            Fact::Absent => Truth::No,
            Fact::Is(()) => Truth::Yes,
        };
        let named = |set: &BTreeSet<String>| {
            Truth::from(set.contains(id))
                | if set.contains(OWNED) || set.contains(ALL) {
                    owned
                } else {
                    Truth::No
                }
        };
        let by = |mode: FilterMode| match &condition.filter {
            Some((asked, rule)) if *asked == mode => attributes_match(rule, attributes) & owned,
            _ => Truth::No,
        };
        Sides {
            include: named(&condition.include) | by(FilterMode::Include),
            exclude: named(&condition.exclude) | by(FilterMode::Exclude),
        }
    }
}

/// Which agents, and which of their user accounts, a policy is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AgentCondition {
    identities: Listed,
    users: Listed,
    /// Whether the user keywords name all agents' accounts, on either side.
    keyword: (bool, bool),
    include_context: BTreeSet<String>,
    exclude_context: BTreeSet<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Listed {
    include: BTreeSet<String>,
    exclude: BTreeSet<String>,
    filter: Option<(FilterMode, FilterRule)>,
}

impl Listed {
    fn sides(&self, id: &str, attributes: &Fact<super::sign_in::SecurityAttributes>) -> Sides {
        let named = |set: &BTreeSet<String>| Truth::from(set.contains(ALL) || set.contains(id));
        let by = |mode: FilterMode| match &self.filter {
            Some((asked, rule)) if *asked == mode => attributes_match(rule, attributes),
            _ => Truth::No,
        };
        Sides {
            include: named(&self.include) | by(FilterMode::Include),
            exclude: named(&self.exclude) | by(FilterMode::Exclude),
        }
    }
}

impl AgentCondition {
    pub(super) fn of(object: &Object) -> Result<Self, FilterRuleError> {
        Ok(Self {
            identities: Listed {
                include: keys(
                    object,
                    "conditions.clientApplications.includeAgentIdServicePrincipals",
                ),
                exclude: keys(
                    object,
                    "conditions.clientApplications.excludeAgentIdServicePrincipals",
                ),
                filter: filter(
                    object,
                    "conditions.clientApplications.agentIdServicePrincipalFilter",
                )?,
            },
            users: Listed {
                include: keys(object, "conditions.agents.includeAgentUsers"),
                exclude: keys(object, "conditions.agents.excludeAgentUsers"),
                filter: filter(object, "conditions.agents.agentFilter")?,
            },
            keyword: UserCondition::names_agents(UserCondition::of(object).as_ref()),
            include_context: symbols(object, "conditions.agentContext.includeAgentContexts"),
            exclude_context: symbols(object, "conditions.agentContext.excludeAgentContexts"),
        })
    }

    /// The agents and accounts that it names, on either side.
    pub(super) fn named(&self) -> impl Iterator<Item = &String> {
        [&self.identities, &self.users]
            .into_iter()
            .flat_map(|listed| listed.include.iter().chain(&listed.exclude))
            .filter(|key| key.as_str() != ALL)
    }

    /// The contexts that it names, on either side.
    pub(super) fn contexts(&self) -> impl Iterator<Item = &String> {
        self.include_context.iter().chain(&self.exclude_context)
    }

    /// Its filter rules.
    pub(super) fn rules(&self) -> impl Iterator<Item = &FilterRule> {
        [&self.identities, &self.users]
            .into_iter()
            .filter_map(|listed| listed.filter.as_ref().map(|(_, rule)| rule))
    }

    pub(super) fn sides(&self, identity: &Identity, context: &Fact<String>) -> Sides {
        let sides = match identity {
            Identity::Agent { id, attributes } => self.identities.sides(id, attributes),
            Identity::AgentUser { id, attributes } => {
                let listed = self.users.sides(id, attributes);
                Sides {
                    include: listed.include | self.keyword.0.into(),
                    exclude: listed.exclude | self.keyword.1.into(),
                }
            }
            _ => return Sides::EVERYTHING,
        };
        let within = |set: &BTreeSet<String>| match context {
            Fact::Unrecorded => Truth::Undecided,
            Fact::Absent => Truth::No,
            Fact::Is(context) => set.contains(&context.to_ascii_lowercase()).into(),
        };
        Sides {
            include: if self.include_context.is_empty() {
                sides.include
            } else {
                sides.include & within(&self.include_context)
            },
            exclude: if self.exclude_context.is_empty() {
                sides.exclude
            } else {
                sides.exclude | within(&self.exclude_context)
            },
        }
    }
}
