//! A policy, taken apart into what its conditions ask of a sign-in.

use std::collections::{BTreeMap, BTreeSet};

use super::condition::{Because, Condition};
use super::device::DeviceCondition;
use super::estate::Estate;
use super::network::LocationCondition;
use super::session::Session;
use super::sign_in::{ClientApp, Fact, Resource, SecurityAttributes, SignIn};
use super::truth::Truth;
use super::who::{AgentCondition, UserCondition, WorkloadCondition};
use crate::model::filter_rule::{FilterRule, FilterRuleError};
use crate::model::value::{Control, FilterMode, Grant, Operator};
use crate::model::{Kind, Object, Reference, Value};

/// The keyword for everything, as a key.
const ALL: &str = "all";

/// Whether a policy is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Enforcement {
    /// Enabled.
    Enforced,
    /// Evaluated and logged, without effect.
    ReportOnly,
    /// Disabled, or in a state that is unknown.
    Off,
}

/// A policy, ready to be asked about sign-ins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// What names it in answers: its id, or its address while it has none.
    pub key: String,
    /// What people call it.
    pub name: String,
    /// Whether it is in force.
    pub enforcement: Enforcement,
    /// What it asks for; none when it only steers the session.
    pub grant: Option<Grant>,
    /// How it steers the session.
    pub session: Session,
    pub(super) users: Option<UserCondition>,
    pub(super) workloads: Option<WorkloadCondition>,
    pub(super) agents: AgentCondition,
    pub(super) applications: ApplicationCondition,
    pub(super) platforms: Option<SymbolCondition>,
    pub(super) client_apps: BTreeSet<String>,
    pub(super) locations: Option<LocationCondition>,
    pub(super) devices: DeviceCondition,
    user_risk: BTreeSet<String>,
    sign_in_risk: BTreeSet<String>,
    service_principal_risk: BTreeSet<String>,
    agent_risk: BTreeSet<String>,
    insider_risk: BTreeSet<String>,
    authentication_flows: BTreeSet<String>,
    has_unknown_conditions: bool,
}

/// What includes, what excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sides {
    pub(super) include: Truth,
    pub(super) exclude: Truth,
}

impl Sides {
    pub(super) const EVERYTHING: Self = Self {
        include: Truth::Yes,
        exclude: Truth::No,
    };

    pub(super) const NOTHING: Self = Self {
        include: Truth::No,
        exclude: Truth::No,
    };

    pub(super) fn only(include: Truth) -> Self {
        Self {
            include,
            exclude: Truth::No,
        }
    }

    pub(super) fn truth(self) -> Truth {
        self.include & !self.exclude
    }
}

/// Symbols to be in, symbols to be out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SymbolCondition {
    include: BTreeSet<String>,
    exclude: BTreeSet<String>,
}

/// What is signed in to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ApplicationCondition {
    include: BTreeSet<String>,
    exclude: BTreeSet<String>,
    filter: Option<(FilterMode, FilterRule)>,
    actions: BTreeSet<String>,
    contexts: BTreeSet<String>,
}

/// The key of a reference: an id in lower case, a keyword in lower case, or an address.
pub(super) fn key(reference: &Reference) -> String {
    match reference {
        Reference::Keyword(word) => word.to_ascii_lowercase(),
        Reference::Id { id, .. } => id.to_ascii_lowercase(),
        Reference::Managed { address, .. } => address.to_string(),
        Reference::Lookup(lookup) => format!("{}(\"{}\")", lookup.target.word(), lookup.name),
    }
}

pub(super) fn keys(object: &Object, wire: &str) -> BTreeSet<String> {
    object.reference_set(wire).map(key).collect()
}

pub(super) fn symbols(object: &Object, wire: &str) -> BTreeSet<String> {
    match object.get(wire) {
        Some(Value::Symbols(symbols) | Value::Texts(symbols)) => {
            symbols.iter().map(|symbol| symbol.to_ascii_lowercase()).collect()
        }
        Some(Value::Symbol(symbol)) => BTreeSet::from([symbol.to_ascii_lowercase()]),
        _ => BTreeSet::new(),
    }
}

pub(super) fn filter(
    object: &Object,
    wire: &str,
) -> Result<Option<(FilterMode, FilterRule)>, FilterRuleError> {
    match object.get(wire) {
        Some(Value::Filter(filter)) => Ok(Some((filter.mode, FilterRule::parse(&filter.rule)?))),
        _ => Ok(None),
    }
}

impl Policy {
    /// Takes a policy apart. `has_unknown_conditions` when it holds conditions that the property table does not know.
    ///
    /// Errors when one of its filter rules can't be read.
    pub fn new(key: String, object: &Object, has_unknown_conditions: bool) -> Result<Self, FilterRuleError> {
        let enforcement = match object.text("state") {
            Some("enabled") => Enforcement::Enforced,
            Some("enabledForReportingButNotEnforced") => Enforcement::ReportOnly,
            _ => Enforcement::Off,
        };
        let platforms = SymbolCondition {
            include: symbols(object, "conditions.platforms.includePlatforms"),
            exclude: symbols(object, "conditions.platforms.excludePlatforms"),
        };
        Ok(Self {
            key,
            name: object.name().to_owned(),
            enforcement,
            grant: match object.get("grantControls") {
                Some(Value::Grant(grant)) => Some(grant.clone()),
                _ => None,
            },
            session: Session::of(object),
            users: UserCondition::of(object),
            workloads: WorkloadCondition::of(object)?,
            agents: AgentCondition::of(object)?,
            applications: ApplicationCondition {
                include: keys(object, "conditions.applications.includeApplications"),
                exclude: keys(object, "conditions.applications.excludeApplications"),
                filter: filter(object, "conditions.applications.applicationFilter")?,
                actions: keys(object, "conditions.applications.includeUserActions"),
                contexts: keys(
                    object,
                    "conditions.applications.includeAuthenticationContextClassReferences",
                ),
            },
            platforms: (!platforms.include.is_empty() || !platforms.exclude.is_empty()).then_some(platforms),
            client_apps: symbols(object, "conditions.clientAppTypes"),
            locations: LocationCondition::of(object),
            devices: DeviceCondition::of(object)?,
            user_risk: symbols(object, "conditions.userRiskLevels"),
            sign_in_risk: symbols(object, "conditions.signInRiskLevels"),
            service_principal_risk: symbols(object, "conditions.servicePrincipalRiskLevels"),
            agent_risk: symbols(object, "conditions.agentIdRiskLevels"),
            insider_risk: symbols(object, "conditions.insiderRiskLevels"),
            authentication_flows: symbols(object, "conditions.authenticationFlows.transferMethods"),
            has_unknown_conditions,
        })
    }

    /// Whether it is a policy of another estate, and says the same there.
    pub fn does_the_same(&self, estate: &Estate, other: &Self, other_estate: &Estate) -> bool {
        self.key == other.key && self.says_the_same(estate, other, other_estate)
    }

    /// Whether it and another policy catch the same and come to the same.
    pub(super) fn says_the_same(&self, estate: &Estate, other: &Self, other_estate: &Estate) -> bool {
        let has_same_grant = match (&self.grant, &other.grant) {
            (Some(mine), Some(theirs)) => {
                mine == theirs
                    && mine.controls.iter().all(|control| match control {
                        Control::Strength(strength) => {
                            estate.combinations(strength) == other_estate.combinations(strength)
                        }
                        _ => true,
                    })
            }
            (None, None) => true,
            _ => false,
        };
        has_same_grant
            && self.session == other.session
            && Condition::ALL
                .into_iter()
                .all(|condition| self.has_same(condition, estate, other, other_estate))
    }

    /// Whether a condition of it means the same as that of a policy of another estate.
    pub(super) fn has_same(
        &self,
        condition: Condition,
        estate: &Estate,
        other: &Self,
        other_estate: &Estate,
    ) -> bool {
        let is_same = match condition {
            Condition::Users => self.users == other.users,
            Condition::Workloads => self.workloads == other.workloads,
            Condition::Agents => self.agents == other.agents,
            Condition::Applications => self.applications == other.applications,
            Condition::Platforms => self.platforms == other.platforms,
            Condition::ClientApps => self.client_apps == other.client_apps,
            Condition::Locations => self.locations == other.locations,
            Condition::Devices => self.devices == other.devices,
            Condition::UserRisk => self.user_risk == other.user_risk,
            Condition::SignInRisk => self.sign_in_risk == other.sign_in_risk,
            Condition::ServicePrincipalRisk => self.service_principal_risk == other.service_principal_risk,
            Condition::AgentRisk => self.agent_risk == other.agent_risk,
            Condition::InsiderRisk => self.insider_risk == other.insider_risk,
            Condition::AuthenticationFlows => self.authentication_flows == other.authentication_flows,
            Condition::Unknown => self.has_unknown_conditions == other.has_unknown_conditions,
        };
        let locations = self
            .locations
            .as_ref()
            .filter(|_| condition == Condition::Locations);
        is_same && locations.is_none_or(|locations| locations.means_same(estate, other_estate))
    }

    /// Whether a condition of it can keep a sign-in away.
    pub(super) fn has(&self, condition: Condition, estate: &Estate) -> bool {
        match condition {
            Condition::Users | Condition::Workloads | Condition::Agents | Condition::Applications => true,
            condition => {
                let without = Self::new(self.key.clone(), &Object::new(Kind::Policy), false);
                without.is_ok_and(|without| !self.has_same(condition, estate, &without, estate))
            }
        }
    }

    /// The same policy with a condition of another one.
    #[must_use]
    pub(super) fn with(&self, condition: Condition, other: &Self) -> Self {
        let mut mixed = self.clone();
        match condition {
            Condition::Users => mixed.users.clone_from(&other.users),
            Condition::Workloads => mixed.workloads.clone_from(&other.workloads),
            Condition::Agents => mixed.agents.clone_from(&other.agents),
            Condition::Applications => mixed.applications.clone_from(&other.applications),
            Condition::Platforms => mixed.platforms.clone_from(&other.platforms),
            Condition::ClientApps => mixed.client_apps.clone_from(&other.client_apps),
            Condition::Locations => mixed.locations.clone_from(&other.locations),
            Condition::Devices => mixed.devices.clone_from(&other.devices),
            Condition::UserRisk => mixed.user_risk.clone_from(&other.user_risk),
            Condition::SignInRisk => mixed.sign_in_risk.clone_from(&other.sign_in_risk),
            Condition::ServicePrincipalRisk => {
                mixed
                    .service_principal_risk
                    .clone_from(&other.service_principal_risk);
            }
            Condition::AgentRisk => mixed.agent_risk.clone_from(&other.agent_risk),
            Condition::InsiderRisk => mixed.insider_risk.clone_from(&other.insider_risk),
            Condition::AuthenticationFlows => {
                mixed.authentication_flows.clone_from(&other.authentication_flows);
            }
            Condition::Unknown => mixed.has_unknown_conditions = other.has_unknown_conditions,
        }
        mixed
    }

    /// Whether it is for some platforms only, by their names.
    pub(super) fn names_platforms(&self) -> bool {
        self.platforms
            .as_ref()
            .is_some_and(|platforms| !platforms.include.contains(ALL))
    }

    /// Whether it blocks whatever it matches.
    pub fn blocks(&self) -> bool {
        self.grant.as_ref().is_some_and(|grant| {
            grant.controls.iter().any(
                |control| matches!(control, Control::BuiltIn(name) if name.eq_ignore_ascii_case("block")),
            )
        })
    }

    /// Whether one condition holds of a sign-in.
    pub(super) fn sides(&self, condition: Condition, sign_in: &SignIn, estate: &Estate) -> Sides {
        let identity = &sign_in.identity;
        match condition {
            Condition::Users => UserCondition::sides(self.users.as_ref(), identity),
            Condition::Workloads => WorkloadCondition::sides(self.workloads.as_ref(), identity),
            Condition::Agents => self.agents.sides(identity, &sign_in.agent_context),
            Condition::Applications => self.applications.sides(&sign_in.resource),
            Condition::Platforms => self.platforms(&sign_in.platform),
            Condition::ClientApps => Sides::only(self.client_app(sign_in.client_app)),
            Condition::Locations => self.locations.as_ref().map_or(Sides::EVERYTHING, |condition| {
                condition.sides(&sign_in.network, estate)
            }),
            Condition::Devices => self.devices.sides(&sign_in.device),
            Condition::UserRisk => level(&self.user_risk, &sign_in.user_risk),
            Condition::SignInRisk => level(&self.sign_in_risk, &sign_in.sign_in_risk),
            Condition::ServicePrincipalRisk => {
                level(&self.service_principal_risk, &sign_in.service_principal_risk)
            }
            Condition::AgentRisk => level(&self.agent_risk, &sign_in.agent_risk),
            Condition::InsiderRisk => level(&self.insider_risk, &sign_in.insider_risk),
            Condition::AuthenticationFlows => level(&self.authentication_flows, &sign_in.authentication_flow),
            Condition::Unknown if self.has_unknown_conditions => Sides::only(Truth::Undecided),
            Condition::Unknown => Sides::EVERYTHING,
        }
    }

    /// Whether it matches a sign-in and, if not surely, the first condition that says so.
    ///
    /// Says nothing of whether it is in force.
    pub fn matches(&self, sign_in: &SignIn, estate: &Estate) -> (Truth, Option<Because>) {
        let mut undecided = None;
        for condition in Condition::ALL {
            let sides = self.sides(condition, sign_in, estate);
            match (sides.truth(), sides.include) {
                (Truth::Yes, _) => {}
                (Truth::Undecided, _) => undecided = undecided.or(Some(Because::Undecided(condition))),
                (Truth::No, Truth::No) => return (Truth::No, Some(Because::NotIncluded(condition))),
                (Truth::No, _) => return (Truth::No, Some(Because::Excluded(condition))),
            }
        }
        match undecided {
            Some(because) => (Truth::Undecided, Some(because)),
            None => (Truth::Yes, None),
        }
    }

    fn platforms(&self, platform: &Fact<String>) -> Sides {
        let Some(condition) = &self.platforms else {
            return Sides::EVERYTHING;
        };
        let named = |set: &BTreeSet<String>| match platform {
            _ if set.contains("all") => Truth::Yes,
            _ if set.is_empty() => Truth::No,
            Fact::Unrecorded => Truth::Undecided,
            // An unknown platform is none of those with a name (`FACTS` 10.13).
            Fact::Absent => Truth::No,
            Fact::Is(name) => set.contains(&name.to_ascii_lowercase()).into(),
        };
        Sides {
            include: named(&condition.include),
            exclude: named(&condition.exclude),
        }
    }

    fn client_app(&self, kind: Fact<ClientApp>) -> Truth {
        let names = |kind: ClientApp| {
            self.client_apps
                .iter()
                .any(|word| ClientApp::from_wire(word) == Some(kind))
        };
        match kind {
            _ if self.client_apps.is_empty() || self.client_apps.contains("all") => Truth::Yes,
            _ if ClientApp::ALL.into_iter().all(names) => Truth::Yes,
            Fact::Unrecorded => Truth::Undecided,
            Fact::Absent => Truth::No,
            Fact::Is(kind) => names(kind).into(),
        }
    }

    /// The operator that counts: with one control there is nothing to combine.
    pub fn operator(&self) -> Operator {
        match &self.grant {
            Some(grant) if grant.controls.len() > 1 => grant.operator,
            _ => Operator::Any,
        }
    }
}

/// A condition on a level; one that names none holds of everything. What has no level has the level `none`.
fn level(wanted: &BTreeSet<String>, fact: &Fact<String>) -> Sides {
    Sides::only(match fact {
        _ if wanted.is_empty() => Truth::Yes,
        Fact::Unrecorded => Truth::Undecided,
        Fact::Absent => wanted.contains("none").into(),
        Fact::Is(level) => wanted.contains(&level.to_ascii_lowercase()).into(),
    })
}

impl ApplicationCondition {
    /// The applications and suites that it names, on either side.
    pub(super) fn named(&self) -> impl Iterator<Item = &String> {
        self.include
            .iter()
            .chain(&self.exclude)
            .filter(|key| ![ALL, "none"].contains(&key.as_str()))
    }

    /// The authentication contexts that it names.
    pub(super) fn contexts(&self) -> impl Iterator<Item = &String> {
        self.contexts.iter()
    }

    /// Its filter rule.
    pub(super) fn rule(&self) -> Option<&FilterRule> {
        self.filter.as_ref().map(|(_, rule)| rule)
    }

    fn sides(&self, resource: &Resource) -> Sides {
        match resource {
            Resource::Unrecorded => Sides::only(Truth::Undecided),
            // A policy on all applications is one on all actions too, as Graph's documented What-If answers show.
            Resource::Action(action) => Sides::only(
                (self.actions.contains(&action.to_ascii_lowercase()) || self.include.contains(ALL)).into(),
            ),
            Resource::Context(context) => {
                Sides::only(self.contexts.contains(&context.to_ascii_lowercase()).into())
            }
            Resource::Applications { ids, attributes } => {
                // With several, a policy on any of them matches.
                let each = ids.iter().map(|id| self.one(id, attributes));
                each.max_by_key(|sides| sides.truth()).unwrap_or(Sides::NOTHING)
            }
        }
    }

    fn one(&self, id: &str, attributes: &Fact<BTreeMap<String, SecurityAttributes>>) -> Sides {
        let of = |mode: FilterMode| match &self.filter {
            Some((asked, rule)) if *asked == mode => super::device::attributes_match(
                rule,
                &match attributes {
                    Fact::Unrecorded => Fact::Unrecorded,
                    Fact::Absent => Fact::Absent,
                    Fact::Is(all) => all
                        .get(id)
                        .map_or(Fact::Absent, |attributes| Fact::Is(attributes.clone())),
                },
            ),
            _ => Truth::No,
        };
        let named = |set: &BTreeSet<String>| {
            Truth::from(set.contains(ALL)) | Truth::any(set.iter().map(|key| stands_for(key, id)))
        };
        Sides {
            include: named(&self.include) | of(FilterMode::Include),
            exclude: named(&self.exclude) | of(FilterMode::Exclude),
        }
    }
}

/// Whether a key of a policy stands for an application: by its id, or as the suite that it belongs to.
fn stands_for(key: &str, id: &str) -> Truth {
    if key == id {
        return Truth::Yes;
    }
    super::estate::suite(key, id)
}

/// The keys of what a grant refers to, for messages.
pub(super) fn control_name(control: &Control) -> String {
    match control {
        Control::BuiltIn(name) => name.clone(),
        Control::Strength(reference) => format!("authenticationStrength:{}", key(reference)),
        Control::Terms(reference) => format!("termsOfUse:{}", key(reference)),
        Control::Custom(name) => format!("customAuthenticationFactor:{name}"),
    }
}
