//! What a `sign_in` or `where` block says, as a sign-in and as policies that name just that.

use std::collections::BTreeSet;

use super::estate::{Estate, EstateError};
use super::network::place_in;
use super::people::Directory;
use super::policy::{Policy, key, keys, symbols};
use super::sign_in::{ClientApp, Device, ExternalUser, Fact, Identity, Network, Resource, SignIn};
use super::symbolic::{ANOTHER_APP, ANOTHER_TENANT, SOMEBODY};
use crate::model::cidr::IpRange;
use crate::model::expectation::Facts;
use crate::model::filter_rule::{
    Comparison, ComparisonPlace, DeviceProperty, Expression, FilterRule, Literal, Operator, Property,
};
use crate::model::value::{ExternalTenants, Filter, FilterMode, Value};
use crate::model::{Kind, Object, Reference};

const USERS: &str = "conditions.users.includeUsers";
const GROUPS: &str = "conditions.users.includeGroups";
const ROLES: &str = "conditions.users.includeRoles";
const GUESTS: &str = "conditions.users.includeGuestsOrExternalUsers";
const PRINCIPALS: &str = "conditions.clientApplications.includeServicePrincipals";
const AGENTS: &str = "conditions.clientApplications.includeAgentIdServicePrincipals";
const APPS: &str = "conditions.applications.includeApplications";
const ACTIONS: &str = "conditions.applications.includeUserActions";
const CONTEXTS: &str = "conditions.applications.includeAuthenticationContextClassReferences";
const LOCATIONS: &str = "conditions.locations.includeLocations";
const DEVICES: &str = "conditions.devices.deviceFilter";

/// Policies all of which catch a sign-in exactly when it lies in the region. Locations that they need are added to the
/// estate, under keys that begin with `prefix`.
///
/// Who is not named is anybody, but a person; what is not named is every application and user action.
pub(super) fn policies(facts: &Facts, prefix: &str, estate: &mut Estate) -> Result<Vec<Policy>, EstateError> {
    let mut base = facts.conditions.clone();
    let all = || Value::References([Reference::keyword("All")].into_iter().collect());
    if [USERS, GROUPS, ROLES, GUESTS, PRINCIPALS, AGENTS]
        .iter()
        .all(|wire| base.get(wire).is_none())
    {
        base.set(USERS, Some(all()));
    }
    if [APPS, ACTIONS, CONTEXTS]
        .iter()
        .all(|wire| base.get(wire).is_none())
    {
        base.set(APPS, Some(all()));
    }
    if let Some(rule) = device_rule(facts) {
        base.set(
            DEVICES,
            Some(Value::Filter(Filter {
                mode: FilterMode::Include,
                rule: rule.to_string(),
            })),
        );
    }
    let mut elsewhere = Vec::new();
    for (name, countries, method) in [
        ("country", &facts.countries, "clientIpAddress"),
        ("gps", &facts.gps_countries, "authenticatorAppGps"),
    ] {
        if !countries.is_empty() {
            let mut location = Object::new(Kind::CountryLocation);
            location.set("displayName", Some(Value::Text(name.to_owned())));
            location.set(
                "countriesAndRegions",
                Some(Value::Texts(countries.iter().cloned().collect())),
            );
            location.set("countryLookupMethod", Some(Value::Symbol(method.to_owned())));
            elsewhere.push((format!("{prefix}/{name}"), location));
        }
    }
    if !facts.ranges.is_empty() {
        let mut location = Object::new(Kind::IpLocation);
        location.set("displayName", Some(Value::Text("ip".to_owned())));
        location.set(
            "ipRanges",
            Some(Value::Texts(facts.ranges.iter().cloned().collect())),
        );
        elsewhere.push((format!("{prefix}/ip"), location));
    }
    let policy = |object: &Object| {
        Policy::new(prefix.to_owned(), object, false).map_err(|source| EstateError::FilterRule {
            name: prefix.to_owned(),
            source,
        })
    };
    let mut policies = vec![policy(&base)?];
    for (key, location) in elsewhere {
        estate.add(&key, &location, false)?;
        let mut there = base.clone();
        let reference = Reference::id(crate::model::Target::Location, &key);
        there.set(
            LOCATIONS,
            Some(Value::References([reference].into_iter().collect())),
        );
        policies.push(policy(&there)?);
    }
    Ok(policies)
}

/// What is said of the device, as a rule; nothing when nothing is.
fn device_rule(facts: &Facts) -> Option<FilterRule> {
    let comparison = |property: DeviceProperty, operator: Operator, value: Literal| {
        Expression::Comparison(Comparison {
            property: Property::Device(property),
            operator,
            value,
            place: ComparisonPlace::default(),
        })
    };
    let equals = |is: bool| if is { Operator::Equals } else { Operator::NotEquals };
    let mut all = Vec::new();
    if let Some(is) = facts.device.compliant {
        all.push(comparison(
            DeviceProperty::IsCompliant,
            equals(is),
            Literal::Boolean(true),
        ));
    }
    if let Some(is) = facts.device.hybrid_joined {
        let value = Literal::Text("ServerAD".to_owned());
        all.push(comparison(DeviceProperty::TrustType, equals(is), value));
    }
    for (name, texts) in &facts.device.properties {
        let Some(property) = DeviceProperty::by_name(name) else {
            continue;
        };
        let operator = match property {
            DeviceProperty::PhysicalIds | DeviceProperty::SystemLabels => Operator::Contains,
            _ => Operator::Equals,
        };
        all.extend(
            texts
                .iter()
                .map(|text| comparison(property, operator, Literal::Text(text.clone()))),
        );
    }
    match all.len() {
        0 | 1 => all.pop(),
        _ => Some(Expression::And(all)),
    }
    .map(|expression| FilterRule { expression })
}

/// The one sign-in; what is left out is absent.
pub(super) fn sign_in(facts: &Facts, estate: &Estate, directory: Option<&Directory>) -> SignIn {
    let conditions = &facts.conditions;
    let mut sign_in = SignIn::new(identity(conditions, directory), resource(conditions));
    sign_in.client_app = match symbols(conditions, "conditions.clientAppTypes").first() {
        Some(word) => ClientApp::from_wire(word).map_or(Fact::Absent, Fact::Is),
        None => Fact::Absent,
    };
    let level = |wire: &str| {
        let word = symbols(conditions, wire).pop_first();
        word.filter(|word| word != "none").map_or(Fact::Absent, Fact::Is)
    };
    sign_in.platform = level("conditions.platforms.includePlatforms");
    sign_in.user_risk = level("conditions.userRiskLevels");
    sign_in.sign_in_risk = level("conditions.signInRiskLevels");
    sign_in.service_principal_risk = level("conditions.servicePrincipalRiskLevels");
    sign_in.agent_risk = level("conditions.agentIdRiskLevels");
    sign_in.insider_risk = level("conditions.insiderRiskLevels");
    sign_in.authentication_flow = level("conditions.authenticationFlows.transferMethods");
    sign_in.device = device(facts);
    sign_in.network = network(facts, estate);
    sign_in
}

fn identity(conditions: &Object, directory: Option<&Directory>) -> Identity {
    let first = |wire: &str| keys(conditions, wire).pop_first();
    if let Some(id) = first(PRINCIPALS) {
        let known = directory
            .and_then(|directory| directory.service_principal(&id))
            .cloned();
        return known.unwrap_or_else(|| Identity::ServicePrincipal {
            id: if id == "serviceprincipalsinmytenant" {
                SOMEBODY.to_owned()
            } else {
                id
            },
            owned: Fact::Is(()),
            attributes: Fact::Absent,
        });
    }
    if let Some(id) = first(AGENTS) {
        return Identity::Agent {
            id: if id == "all" { SOMEBODY.to_owned() } else { id },
            attributes: Fact::Absent,
        };
    }
    let named = first(USERS).filter(|user| !["all", "guestsorexternalusers"].contains(&user.as_str()));
    let known = named.as_ref().and_then(|user| directory?.user(user)).cloned();
    let (id, mut groups, mut roles, external) = match known {
        Some(Identity::User {
            id,
            groups: Fact::Is(groups),
            roles: Fact::Is(roles),
            external,
        }) => (id, groups, roles, external),
        _ => (
            named.unwrap_or_else(|| SOMEBODY.to_owned()),
            BTreeSet::new(),
            BTreeSet::new(),
            Fact::Absent,
        ),
    };
    groups.extend(keys(conditions, GROUPS));
    roles.extend(keys(conditions, ROLES));
    let told = match conditions.get(GUESTS) {
        Some(Value::Guests(guests)) => guests.kinds.iter().next().map(|kind| ExternalUser {
            kind: kind.clone(),
            tenant: match &guests.tenants {
                _ if kind == "internalGuest" => Fact::Absent,
                ExternalTenants::Enumerated(tenants) => tenants
                    .iter()
                    .next()
                    .map_or(Fact::Absent, |tenant| Fact::Is(tenant.to_ascii_lowercase())),
                ExternalTenants::All => Fact::Is(ANOTHER_TENANT.to_owned()),
            },
        }),
        _ => keys(conditions, USERS)
            .contains("guestsorexternalusers")
            .then(|| ExternalUser {
                kind: "b2bCollaborationGuest".to_owned(),
                tenant: Fact::Is(ANOTHER_TENANT.to_owned()),
            }),
    };
    Identity::User {
        id,
        groups: Fact::Is(groups),
        roles: Fact::Is(roles),
        external: told.map_or(external, Fact::Is),
    }
}

fn resource(conditions: &Object) -> Resource {
    if let Some(action) = keys(conditions, ACTIONS).pop_first() {
        return Resource::Action(action);
    }
    if let Some(context) = keys(conditions, CONTEXTS).pop_first() {
        return Resource::Context(context);
    }
    let mut ids = keys(conditions, APPS);
    ids.remove("all");
    if ids.is_empty() {
        ids.insert(ANOTHER_APP.to_owned());
    }
    Resource::Applications {
        ids,
        attributes: Fact::Absent,
    }
}

fn device(facts: &Facts) -> Fact<Device> {
    if facts.device.is_empty() {
        return Fact::Absent;
    }
    let mut device = Device::default();
    if let Some(is) = facts.device.compliant {
        device = device.with("isCompliant", if is { "True" } else { "False" });
    }
    if facts.device.hybrid_joined == Some(true) {
        device = device.with("trustType", "ServerAD");
    }
    for (name, texts) in &facts.device.properties {
        for text in texts {
            device = device.with(name, text.clone());
        }
    }
    Fact::Is(device)
}

fn network(facts: &Facts, estate: &Estate) -> Network {
    let mut network = Network {
        told: Fact::Is(BTreeSet::new()),
        ..Network::default()
    };
    for reference in facts.conditions.reference_set(LOCATIONS) {
        place_in(&key(reference), &mut network, estate);
    }
    if let Some(country) = facts.countries.first() {
        network.country = Fact::Is(country.clone());
    }
    if let Some(country) = facts.gps_countries.first() {
        network.gps_country = Fact::Is(country.clone());
    }
    if let Some(range) = facts.ranges.first().and_then(|text| IpRange::parse(text).ok()) {
        network.ip = Fact::Is(range.first());
    }
    network
}
