//! Who signs in, in classes.

use std::collections::{BTreeMap, BTreeSet};

use super::facet::Facet;
use super::rules::representatives_of;
use super::space::{Class, Factor, Maker, SpaceError, attributes, factor};
use crate::access::Condition;
use crate::access::people::Directory;
use crate::access::sign_in::{ExternalUser, Fact, Identity, SignIn};
use crate::model::filter_rule::FilterRule;
use crate::model::value::ExternalTenants;

/// A tenant that no policy names.
pub(in crate::access) const ANOTHER_TENANT: &str = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/// What policies name of people.
#[derive(Default)]
struct Named {
    users: BTreeSet<String>,
    groups: BTreeSet<String>,
    roles: BTreeSet<String>,
    tenants: BTreeSet<String>,
}

impl Named {
    fn by<const W: usize>(maker: &Maker<'_, W>) -> Self {
        let mut named = Self::default();
        for condition in maker
            .subjects
            .iter()
            .filter_map(|subject| subject.policy.users.as_ref())
        {
            for side in condition.sides_named() {
                named
                    .users
                    .extend(side.users.iter().filter(|user| !is_keyword(user)).cloned());
                named.groups.extend(side.groups.iter().cloned());
                named.roles.extend(side.roles.iter().cloned());
                if let Some(guests) = &side.guests
                    && let ExternalTenants::Enumerated(tenants) = &guests.tenants
                {
                    named
                        .tenants
                        .extend(tenants.iter().map(|tenant| tenant.to_ascii_lowercase()));
                }
            }
        }
        named
    }
}

fn is_keyword(user: &str) -> bool {
    ["all", "none", "guestsorexternalusers", "allagentidusers"].contains(&user)
}

/// People: those of the directory, or else anybody, of whom each fact may fulfil the condition by itself.
pub(super) fn people<const W: usize>(
    maker: &Maker<'_, W>,
    base: &SignIn,
    directory: Option<&Directory>,
) -> Vec<Factor<W>> {
    let class = |facet: Facet| -> Class<W> {
        let mut sign_in = base.clone();
        facet.apply(&mut sign_in);
        maker.class(Condition::Users, &sign_in, facet)
    };
    let named = Named::by(maker);
    if let Some(directory) = directory {
        return vec![factor(known(directory, &named).into_iter().map(class), true)];
    }
    let nobody = || std::iter::once(Facet::Nothing);
    let mut factors = vec![
        factor(
            nobody()
                .chain(named.users.iter().cloned().map(Facet::User))
                .map(class),
            false,
        ),
        factor(
            nobody()
                .chain(externals(&named.tenants).into_iter().map(Facet::External))
                .map(class),
            false,
        ),
    ];
    for role in &named.roles {
        factors.push(factor(
            [Facet::Nothing, Facet::Role(role.clone())].map(class),
            false,
        ));
    }
    for group in &named.groups {
        factors.push(factor(
            [Facet::Nothing, Facet::Group(group.clone())].map(class),
            false,
        ));
    }
    if let Some(last) = factors.last_mut() {
        last.ends = true;
    }
    factors
}

/// The people of a directory, of those that no policy can tell apart the first.
fn known(directory: &Directory, named: &Named) -> Vec<Facet> {
    type Told = (
        String,
        BTreeSet<String>,
        BTreeSet<String>,
        Option<(String, Fact<String>)>,
    );
    let mut first: BTreeMap<Told, Identity> = BTreeMap::new();
    for person in directory.users() {
        let Identity::User {
            id,
            groups,
            roles,
            external,
        } = person
        else {
            continue;
        };
        let among = |held: &Fact<BTreeSet<String>>, named: &BTreeSet<String>| match held {
            Fact::Is(held) => held.intersection(named).cloned().collect(),
            _ => BTreeSet::new(),
        };
        let told: Told = (
            named.users.get(id).cloned().unwrap_or_default(),
            among(groups, &named.groups),
            among(roles, &named.roles),
            match external {
                Fact::Is(external) => Some((external.kind.clone(), external.tenant.clone())),
                _ => None,
            },
        );
        first.entry(told).or_insert_with(|| person.clone());
    }
    first.into_values().map(Facet::Identity).collect()
}

/// The kinds of guests and external users, of each tenant that matters.
fn externals(tenants: &BTreeSet<String>) -> Vec<ExternalUser> {
    let mut all = Vec::new();
    for kind in ExternalUser::kinds() {
        if kind == "internalGuest" {
            all.push(ExternalUser {
                kind: kind.to_owned(),
                tenant: Fact::Absent,
            });
            continue;
        }
        for tenant in std::iter::once(ANOTHER_TENANT).chain(tenants.iter().map(String::as_str)) {
            all.push(ExternalUser {
                kind: kind.to_owned(),
                tenant: Fact::Is(tenant.to_owned()),
            });
        }
    }
    all
}

/// Service principals: those that policies name, those of the directory, and others.
pub(super) fn workloads<const W: usize>(
    maker: &Maker<'_, W>,
    base: &SignIn,
    directory: Option<&Directory>,
) -> Result<Factor<W>, SpaceError> {
    let conditions = || {
        maker
            .subjects
            .iter()
            .filter_map(|subject| subject.policy.workloads.as_ref())
    };
    let mut all = Vec::new();
    if let Some(directory) = directory {
        all.extend(directory.service_principals().cloned());
    } else {
        let ids: BTreeSet<String> = conditions()
            .flat_map(|condition| condition.named().cloned())
            .collect();
        let rules: Vec<&FilterRule> = conditions().filter_map(|condition| condition.rule()).collect();
        let bags = representatives_of(&rules, false)?;
        for id in std::iter::once(super::space::SOMEBODY.to_owned()).chain(ids) {
            for owned in [Fact::Is(()), Fact::Absent] {
                all.extend(bags.iter().map(|bag| Identity::ServicePrincipal {
                    id: id.clone(),
                    owned,
                    attributes: Fact::Is(attributes(bag)),
                }));
            }
        }
    }
    Ok(whole(maker, base, all.into_iter().map(Facet::Identity)))
}

/// Agents and their user accounts: those that policies name, and others.
pub(super) fn agents<const W: usize>(maker: &Maker<'_, W>, base: &SignIn) -> Result<Factor<W>, SpaceError> {
    let conditions = || maker.subjects.iter().map(|subject| &subject.policy.agents);
    let ids: BTreeSet<String> = conditions()
        .flat_map(|condition| condition.named().cloned())
        .collect();
    let contexts: BTreeSet<String> = conditions()
        .flat_map(|condition| condition.contexts().cloned())
        .collect();
    let rules: Vec<&FilterRule> = conditions()
        .flat_map(super::super::who::AgentCondition::rules)
        .collect();
    let bags = representatives_of(&rules, false)?;
    let mut all = Vec::new();
    for id in std::iter::once(super::space::SOMEBODY.to_owned()).chain(ids) {
        for bag in &bags {
            let attributes = Fact::Is(attributes(bag));
            all.push(Facet::Identity(Identity::Agent {
                id: id.clone(),
                attributes: attributes.clone(),
            }));
            all.push(Facet::Identity(Identity::AgentUser {
                id: id.clone(),
                attributes,
            }));
        }
    }
    let within: Vec<Facet> = contexts
        .iter()
        .flat_map(|context| {
            all.iter()
                .map(|agent| Facet::AgentContext(Box::new(agent.clone()), context.clone()))
        })
        .collect();
    Ok(whole(maker, base, all.into_iter().chain(within)))
}

/// A factor of whole identities, which all conditions on who signs in look at.
fn whole<const W: usize>(
    maker: &Maker<'_, W>,
    base: &SignIn,
    facets: impl Iterator<Item = Facet>,
) -> Factor<W> {
    let classes = facets.map(|facet| {
        let mut sign_in = base.clone();
        facet.apply(&mut sign_in);
        maker.class_of(
            &[Condition::Users, Condition::Workloads, Condition::Agents],
            &sign_in,
            facet,
        )
    });
    factor(classes, true)
}
