//! All sign-ins, as far as policies can tell them apart.

use std::cell::Cell;
use std::collections::{BTreeSet, HashSet};

use super::facet::Facet;
use super::mask::Mask;
use super::rules::{Bag, device, device_is, representatives_of};
use super::{audience, network};
use crate::access::people::Directory;
use crate::access::policy::Policy;
use crate::access::sign_in::{ClientApp, Fact, Identity, Resource, SecurityAttributes, SignIn};
use crate::access::truth::Truth;
use crate::access::{Condition, Estate};
use crate::model::filter_rule::{DeviceProperty, FilterRule, Property};

/// A policy and the estate that its references are of; its place among others is its bit.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Its estate.
    pub estate: &'a Estate,
}

/// How a condition is read of which nobody can tell whether it holds, such as one that capol does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// As holding.
    Possible,
    /// As not holding.
    Certain,
}

/// Why sign-ins can't be told apart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum SpaceError {
    /// More policies than there is room for.
    #[error("{count} policies in force are more than the {most} that can be decided about together")]
    #[diagnostic(
        code("access::too_many_policies"),
        help("decide about fewer policies at once; a tenant takes 240")
    )]
    TooManyPolicies {
        /// How many there are.
        count: usize,
        /// How many there may be.
        most: usize,
    },
    /// The texts of filter rules.
    #[error("the texts that filter rules compare with are too many to decide exactly")]
    #[diagnostic(
        code("access::too_many_texts"),
        help("write fewer `-contains`, `-startsWith` and `-endsWith` against one property")
    )]
    TooManyTexts,
    /// The answers of filter rules.
    #[error("filter rules can give more answers together than can be decided about exactly")]
    #[diagnostic(
        code("access::too_many_answers"),
        help("write fewer filter rules that look at different properties")
    )]
    TooManyAnswers,
}

/// Facts that no policy can tell apart.
#[derive(Debug, Clone)]
pub(super) struct Class<const W: usize> {
    /// What represents them.
    pub(super) facet: Facet,
    /// The policies of which they fulfil what is included.
    pub(super) include: Mask<W>,
    /// The policies of which they fulfil what is excluded.
    pub(super) exclude: Mask<W>,
}

/// A kind of fact, in classes; together they are all facts of the kind. The first is the plainest.
#[derive(Debug, Clone)]
pub(super) struct Factor<const W: usize> {
    pub(super) classes: Vec<Class<W>>,
    /// Whether the condition ends with it: several factors may be ways to fulfil one condition.
    pub(super) ends: bool,
}

/// Sign-ins of one kind of identity.
#[derive(Debug, Clone)]
pub(super) struct Realm<const W: usize> {
    /// What a sign-in has that no factor says otherwise.
    pub(super) base: SignIn,
    pub(super) factors: Vec<Factor<W>>,
}

/// All sign-ins, as far as policies can tell them apart.
#[derive(Debug, Clone)]
pub struct Space<const W: usize> {
    pub(super) realms: Vec<Realm<W>>,
    pub(super) doubtful: Mask<W>,
}

/// The application of a sign-in to something that no policy names.
pub(in crate::access) const ANOTHER_APP: &str = "app(\"an application that no policy names\")";
/// A person that no policy names.
pub(in crate::access) const SOMEBODY: &str = "somebody";

/// Policies to be told apart, and how.
pub(super) struct Maker<'a, const W: usize> {
    pub(super) subjects: &'a [Subject<'a>],
    pub(super) reading: Reading,
    /// The policies of which nobody can always tell whether they catch.
    pub(super) doubtful: Cell<Mask<W>>,
}

impl<const W: usize> Maker<'_, W> {
    /// The class of facts of which this sign-in has one, as to one condition.
    pub(super) fn class(&self, condition: Condition, sign_in: &SignIn, facet: Facet) -> Class<W> {
        self.class_of(&[condition], sign_in, facet)
    }

    /// Likewise for several conditions that look at the same facts.
    pub(super) fn class_of(&self, conditions: &[Condition], sign_in: &SignIn, facet: Facet) -> Class<W> {
        let mut include = Mask::default();
        let mut exclude = Mask::default();
        for (place, subject) in self.subjects.iter().enumerate() {
            let mut included = Truth::Yes;
            let mut excluded = Truth::No;
            for condition in conditions {
                let sides = subject.policy.sides(*condition, sign_in, subject.estate);
                included = included & sides.include;
                excluded = excluded | sides.exclude;
            }
            if [included, excluded].contains(&Truth::Undecided) {
                self.doubtful.set(self.doubtful.get() | Mask::from_iter([place]));
            }
            let (least_included, least_excluded) = match self.reading {
                Reading::Possible => (Truth::Undecided, Truth::Yes),
                Reading::Certain => (Truth::Yes, Truth::Undecided),
            };
            if included >= least_included {
                include.insert(place);
            }
            if excluded >= least_excluded {
                exclude.insert(place);
            }
        }
        Class {
            facet,
            include,
            exclude,
        }
    }

    /// The classes of these facts as to a condition that looks at nothing else.
    fn single(
        &self,
        condition: Condition,
        base: &SignIn,
        facets: impl IntoIterator<Item = Facet>,
    ) -> Factor<W> {
        let classes = facets.into_iter().map(|facet| {
            let mut sign_in = base.clone();
            facet.apply(&mut sign_in);
            self.class(condition, &sign_in, facet)
        });
        factor(classes, true)
    }
}

/// A factor of these classes, of which equal ones become one. `ends` when the condition has no other factor.
pub(super) fn factor<const W: usize>(classes: impl IntoIterator<Item = Class<W>>, ends: bool) -> Factor<W> {
    let mut known: HashSet<(Mask<W>, Mask<W>)> = HashSet::new();
    let mut kept = Vec::new();
    for mut class in classes {
        if ends {
            // Nothing else fulfils the condition, so only what comes of it counts.
            class.exclude &= class.include;
        }
        if known.insert((class.include, class.exclude)) {
            kept.push(class);
        }
    }
    Factor { classes: kept, ends }
}

const PLATFORMS: [&str; 6] = ["android", "iOS", "windows", "windowsPhone", "macOS", "linux"];
const RISKS: [&str; 3] = ["low", "medium", "high"];

impl<const W: usize> Space<W> {
    /// The space that these policies induce, for the people of a directory or, without one, for anybody in any groups
    /// and roles.
    pub fn new(
        subjects: &[Subject<'_>],
        directory: Option<&Directory>,
        reading: Reading,
    ) -> Result<Self, SpaceError> {
        if subjects.len() > Mask::<W>::CAPACITY {
            return Err(SpaceError::TooManyPolicies {
                count: subjects.len(),
                most: Mask::<W>::CAPACITY,
            });
        }
        let maker = Maker {
            subjects,
            reading,
            doubtful: Cell::default(),
        };
        let resources = resources(&maker)?;
        let mut realms = Vec::new();
        for kind in [Who::Users, Who::Workloads, Who::Agents] {
            realms.push(realm(&maker, kind, directory, &resources)?);
        }
        Ok(Self {
            realms,
            doubtful: maker.doubtful.get(),
        })
    }
}

/// A kind of identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Users,
    Workloads,
    Agents,
}

fn realm<const W: usize>(
    maker: &Maker<'_, W>,
    kind: Who,
    directory: Option<&Directory>,
    resources: &Factor<W>,
) -> Result<Realm<W>, SpaceError> {
    let mut base = SignIn::new(
        Identity::User {
            id: SOMEBODY.to_owned(),
            groups: Fact::Is(BTreeSet::new()),
            roles: Fact::Is(BTreeSet::new()),
            external: Fact::Absent,
        },
        Resource::Unrecorded,
    );
    base.network.told = Fact::Is(BTreeSet::new());
    let levels = |condition: Condition, words: &[&str]| {
        let facets = words
            .iter()
            .map(|word| Facet::Level(condition, (*word).to_owned()));
        maker.single(condition, &base, std::iter::once(Facet::Nothing).chain(facets))
    };
    let alone = |condition: Condition| maker.single(condition, &base, [Facet::Nothing]);
    let mut factors = vec![resources.clone()];
    if kind == Who::Users {
        factors.push(maker.single(Condition::ClientApps, &base, ClientApp::ALL.map(Facet::ClientApp)));
        let platforms = PLATFORMS.map(|name| Facet::Platform(name.to_owned()));
        factors.push(maker.single(
            Condition::Platforms,
            &base,
            std::iter::once(Facet::Nothing).chain(platforms),
        ));
        factors.push(levels(
            Condition::AuthenticationFlows,
            &["deviceCodeFlow", "authenticationTransfer"],
        ));
        factors.push(levels(Condition::UserRisk, &RISKS));
        factors.push(levels(Condition::SignInRisk, &RISKS));
        factors.push(levels(Condition::InsiderRisk, &["minor", "moderate", "elevated"]));
        factors.push(maker.single(Condition::Devices, &base, devices(maker)?));
    } else {
        for condition in [
            Condition::ClientApps,
            Condition::Platforms,
            Condition::AuthenticationFlows,
            Condition::UserRisk,
            Condition::SignInRisk,
            Condition::InsiderRisk,
            Condition::Devices,
        ] {
            factors.push(alone(condition));
        }
    }
    factors.push(match kind {
        Who::Workloads => levels(Condition::ServicePrincipalRisk, &RISKS),
        _ => alone(Condition::ServicePrincipalRisk),
    });
    factors.push(match kind {
        Who::Agents => levels(Condition::AgentRisk, &RISKS),
        _ => alone(Condition::AgentRisk),
    });
    factors.push(alone(Condition::Unknown));
    factors.extend(network::factors(maker, &base));
    factors.extend(match kind {
        Who::Users => audience::people(maker, &base, directory),
        Who::Workloads => vec![audience::workloads(maker, &base, directory)?],
        Who::Agents => vec![audience::agents(maker, &base)?],
    });
    Ok(Realm { base, factors })
}

/// The devices that policies tell apart.
fn devices<const W: usize>(maker: &Maker<'_, W>) -> Result<Vec<Facet>, SpaceError> {
    let conditions = || maker.subjects.iter().map(|subject| &subject.policy.devices);
    let states = [
        device_is(DeviceProperty::IsCompliant, "True"),
        device_is(DeviceProperty::TrustType, "ServerAD"),
    ];
    let mut rules: Vec<&FilterRule> = conditions().filter_map(|condition| condition.rule()).collect();
    if conditions().any(super::super::device::DeviceCondition::has_states) {
        rules.extend(&states);
    }
    let bags = representatives_of(&rules, true)?;
    let registered = bags
        .iter()
        .filter(|bag| !bag.is_empty())
        .map(|bag| Facet::Device(device(bag)));
    Ok(std::iter::once(Facet::Nothing).chain(registered).collect())
}

/// What can be signed in to.
fn resources<const W: usize>(maker: &Maker<'_, W>) -> Result<Factor<W>, SpaceError> {
    let mut apps: BTreeSet<String> = BTreeSet::new();
    let mut contexts: BTreeSet<String> = BTreeSet::new();
    let mut rules = Vec::new();
    for subject in maker.subjects {
        let condition = &subject.policy.applications;
        apps.extend(condition.named().cloned());
        contexts.extend(condition.contexts().cloned());
        rules.extend(condition.rule());
    }
    let members: Vec<String> = apps
        .iter()
        .flat_map(|app| crate::access::estate::members(app))
        .map(|app| (*app).to_owned())
        .collect();
    apps.extend(members);
    let bags = representatives_of(&rules, false)?;
    let mut all = Vec::new();
    for app in std::iter::once(ANOTHER_APP.to_owned()).chain(apps) {
        for bag in &bags {
            let attributes = attributes(bag);
            all.push(Resource::Applications {
                ids: BTreeSet::from([app.clone()]),
                attributes: if attributes.is_empty() {
                    Fact::Absent
                } else {
                    Fact::Is([(app.clone(), attributes)].into())
                },
            });
        }
    }
    all.extend(
        ["urn:user:registersecurityinfo", "urn:user:registerdevice"]
            .map(|action| Resource::Action(action.to_owned())),
    );
    all.extend(contexts.into_iter().map(Resource::Context));
    let who = Identity::Agent {
        id: String::new(),
        attributes: Fact::Absent,
    };
    let classes = all.into_iter().map(|resource| {
        let sign_in = SignIn::new(who.clone(), resource.clone());
        maker.class(Condition::Applications, &sign_in, Facet::Resource(resource))
    });
    Ok(factor(classes, true))
}

/// The custom security attributes that a bag holds.
pub(super) fn attributes(bag: &Bag) -> SecurityAttributes {
    bag.iter()
        .filter_map(|(property, values)| match property {
            Property::SecurityAttribute(name) => Some((name.clone(), values.clone())),
            _ => None,
        })
        .collect()
}
