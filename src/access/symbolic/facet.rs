//! One fact of a sign-in, as a class of facts is represented by it.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::access::Condition;
use crate::access::sign_in::{ClientApp, Device, ExternalUser, Fact, Identity, Resource, SignIn};

/// One fact of a sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Facet {
    /// What a sign-in has that leaves the fact out.
    Nothing,
    /// Who signs in, with all that is known of them.
    Identity(Identity),
    /// A person, by key.
    User(String),
    /// How the person is external.
    External(ExternalUser),
    /// A group that the person is in, by key.
    Group(String),
    /// A role that the person holds, by key.
    Role(String),
    /// Where an agent's session began.
    AgentContext(Box<Facet>, String),
    /// What is signed in to.
    Resource(Resource),
    /// With what.
    ClientApp(ClientApp),
    /// On what, in the service's spelling.
    Platform(String),
    /// From which address.
    Ip(IpAddr),
    /// From which country, by its address.
    Country(String),
    /// From which country, as the Authenticator app tells.
    GpsCountry(String),
    /// Through the compliant network.
    CompliantNetwork,
    /// From one of the MFA trusted IPs.
    MfaTrusted,
    /// From a named location of which nobody gave the extent, by key.
    In(String),
    /// On which device.
    Device(Device),
    /// A risk, or the authentication flow, with its word.
    Level(Condition, String),
}

impl Facet {
    /// Makes it a fact of the sign-in.
    pub fn apply(&self, sign_in: &mut SignIn) {
        match self {
            Self::Nothing => {}
            Self::Identity(identity) => sign_in.identity = identity.clone(),
            Self::User(_) | Self::External(_) | Self::Group(_) | Self::Role(_) => {
                self.apply_to(&mut sign_in.identity);
            }
            Self::AgentContext(agent, context) => {
                agent.apply(sign_in);
                sign_in.agent_context = Fact::Is(context.clone());
            }
            Self::Resource(resource) => sign_in.resource = resource.clone(),
            Self::ClientApp(kind) => sign_in.client_app = Fact::Is(*kind),
            Self::Platform(name) => sign_in.platform = Fact::Is(name.clone()),
            Self::Ip(address) => sign_in.network.ip = Fact::Is(*address),
            Self::Country(country) => sign_in.network.country = Fact::Is(country.clone()),
            Self::GpsCountry(country) => sign_in.network.gps_country = Fact::Is(country.clone()),
            Self::CompliantNetwork => sign_in.network.compliant = Fact::Is(()),
            Self::MfaTrusted => sign_in.network.mfa_trusted = Fact::Is(()),
            Self::In(location) => {
                let mut told = match &sign_in.network.told {
                    Fact::Is(told) => told.clone(),
                    _ => BTreeSet::new(),
                };
                told.insert(location.clone());
                sign_in.network.told = Fact::Is(told);
            }
            Self::Device(device) => sign_in.device = Fact::Is(device.clone()),
            Self::Level(condition, word) => {
                let fact = match condition {
                    Condition::UserRisk => &mut sign_in.user_risk,
                    Condition::SignInRisk => &mut sign_in.sign_in_risk,
                    Condition::ServicePrincipalRisk => &mut sign_in.service_principal_risk,
                    Condition::AgentRisk => &mut sign_in.agent_risk,
                    Condition::InsiderRisk => &mut sign_in.insider_risk,
                    _ => &mut sign_in.authentication_flow,
                };
                *fact = Fact::Is(word.clone());
            }
        }
    }

    fn apply_to(&self, identity: &mut Identity) {
        let Identity::User {
            id,
            groups,
            roles,
            external,
        } = identity
        else {
            return;
        };
        let joined = |held: &Fact<BTreeSet<String>>, one: &String| {
            let mut all = match held {
                Fact::Is(all) => all.clone(),
                _ => BTreeSet::new(),
            };
            all.insert(one.clone());
            Fact::Is(all)
        };
        match self {
            Self::User(key) => id.clone_from(key),
            Self::External(kind) => *external = Fact::Is(kind.clone()),
            Self::Group(key) => *groups = joined(groups, key),
            Self::Role(key) => *roles = joined(roles, key),
            _ => {}
        }
    }
}
