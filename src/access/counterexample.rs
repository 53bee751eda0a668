//! A sign-in that was found, as a block would say it.

use std::collections::BTreeSet;

use indexmap::IndexSet;

use super::condition::Condition;
use super::estate::Estate;
use super::sign_in::{Device, ExternalUser, Fact, Identity, Resource};
use super::symbolic::{ANOTHER_APP, ANOTHER_TENANT, Facet, SOMEBODY};
use crate::model::expectation::Facts;
use crate::model::filter_rule::DeviceProperty;
use crate::model::value::{ExternalTenants, Guests, Value};
use crate::model::{Reference, Target, properties};

/// The facts of a sign-in, as a `sign_in` block gives them.
pub(super) fn facts(facets: &[Facet], estate: &Estate) -> Facts {
    let mut said = Facts::default();
    for facet in facets {
        add(&mut said, facet, estate);
    }
    said
}

fn add(facts: &mut Facts, facet: &Facet, estate: &Estate) {
    let reference = |target: Target, key: &str| estate.reference(target, key);
    match facet {
        Facet::Nothing | Facet::Resource(Resource::Unrecorded) => {}
        Facet::Identity(identity) => add_identity(facts, identity, estate),
        Facet::AgentContext(agent, _) => add(facts, agent, estate),
        Facet::User(key) => join(
            facts,
            "conditions.users.includeUsers",
            reference(Target::User, key),
        ),
        Facet::Group(key) => join(
            facts,
            "conditions.users.includeGroups",
            reference(Target::Group, key),
        ),
        Facet::Role(key) => join(
            facts,
            "conditions.users.includeRoles",
            reference(Target::Role, key),
        ),
        Facet::External(external) => add_external(facts, external),
        Facet::Resource(Resource::Applications { ids, .. }) => {
            for id in ids.iter().filter(|id| *id != ANOTHER_APP) {
                join(
                    facts,
                    "conditions.applications.includeApplications",
                    reference(Target::App, id),
                );
            }
        }
        Facet::Resource(Resource::Action(urn)) => join(
            facts,
            "conditions.applications.includeUserActions",
            Reference::id(Target::Action, urn),
        ),
        Facet::Resource(Resource::Context(key)) => join(
            facts,
            "conditions.applications.includeAuthenticationContextClassReferences",
            reference(Target::Context, key),
        ),
        Facet::ClientApp(kind) => symbol(facts, "conditions.clientAppTypes", kind.wire()),
        Facet::Platform(name) => symbol(facts, "conditions.platforms.includePlatforms", name),
        Facet::Ip(address) => {
            let bits = if address.is_ipv4() { 32 } else { 128 };
            facts.ranges.push(format!("{address}/{bits}"));
        }
        Facet::Country(country) => drop(facts.countries.insert(country.clone())),
        Facet::GpsCountry(country) => drop(facts.gps_countries.insert(country.clone())),
        Facet::CompliantNetwork => join(
            facts,
            "conditions.locations.includeLocations",
            Reference::lookup(Target::Location, properties::COMPLIANT_NETWORK),
        ),
        Facet::MfaTrusted => join(
            facts,
            "conditions.locations.includeLocations",
            Reference::keyword(super::network::MFA_TRUSTED_IPS),
        ),
        Facet::In(key) => join(
            facts,
            "conditions.locations.includeLocations",
            reference(Target::Location, key),
        ),
        Facet::Device(device) => add_device(facts, device),
        Facet::Level(condition, word) => {
            let wire = match condition {
                Condition::UserRisk => "conditions.userRiskLevels",
                Condition::SignInRisk => "conditions.signInRiskLevels",
                Condition::ServicePrincipalRisk => "conditions.servicePrincipalRiskLevels",
                Condition::AgentRisk => "conditions.agentIdRiskLevels",
                Condition::InsiderRisk => "conditions.insiderRiskLevels",
                _ => "conditions.authenticationFlows.transferMethods",
            };
            symbol(facts, wire, word);
        }
    }
}

fn join(facts: &mut Facts, wire: &'static str, reference: Reference) {
    let mut all: IndexSet<Reference> = facts.conditions.reference_set(wire).cloned().collect();
    all.insert(reference);
    facts.conditions.set(wire, Some(Value::References(all.into())));
}

fn symbol(facts: &mut Facts, wire: &'static str, word: &str) {
    facts.conditions.set(
        wire,
        Some(Value::Symbols([word.to_owned()].into_iter().collect())),
    );
}

fn add_identity(facts: &mut Facts, identity: &Identity, estate: &Estate) {
    let (wire, target, id, all) = match identity {
        Identity::User { id, .. } => ("conditions.users.includeUsers", Target::User, id, None),
        Identity::ServicePrincipal { id, .. } => (
            "conditions.clientApplications.includeServicePrincipals",
            Target::ServicePrincipal,
            id,
            Some("ServicePrincipalsInMyTenant"),
        ),
        Identity::Agent { id, .. } | Identity::AgentUser { id, .. } => (
            "conditions.clientApplications.includeAgentIdServicePrincipals",
            Target::AgentIdentity,
            id,
            Some("All"),
        ),
    };
    match all {
        Some(word) if id == SOMEBODY => join(facts, wire, Reference::keyword(word)),
        _ => join(facts, wire, estate.reference(target, id)),
    }
}

fn add_external(facts: &mut Facts, external: &ExternalUser) {
    let tenants = match &external.tenant {
        Fact::Is(tenant) if tenant != ANOTHER_TENANT => {
            ExternalTenants::Enumerated([tenant.clone()].into_iter().collect())
        }
        _ => ExternalTenants::All,
    };
    facts.conditions.set(
        "conditions.users.includeGuestsOrExternalUsers",
        Some(Value::Guests(Box::new(Guests {
            kinds: [external.kind.clone()].into_iter().collect(),
            tenants,
        }))),
    );
}

fn add_device(facts: &mut Facts, device: &Device) {
    for (name, values) in &device.properties {
        let mut values: BTreeSet<String> = values.clone();
        if name == "iscompliant" {
            facts.device.compliant = Some(values.contains("True"));
        } else if name == "trusttype" && values.contains("ServerAD") {
            facts.device.hybrid_joined = Some(true);
        } else if let Some(property) = DeviceProperty::by_name(name) {
            facts
                .device
                .properties
                .entry(property.name())
                .or_default()
                .append(&mut values);
        }
    }
}
