//! One sign-in, as facts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::model::properties;

/// A fact of a sign-in that its record may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fact<T> {
    /// The record does not tell; what depends on it is undecided.
    Unrecorded,
    /// The sign-in has none: no platform that is known, no risk, no device.
    Absent,
    /// This.
    Is(T),
}

/// One sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignIn {
    /// Who signs in.
    pub identity: Identity,
    /// To what.
    pub resource: Resource,
    /// With what kind of software; absent matches only policies on all kinds.
    pub client_app: Fact<ClientApp>,
    /// On which platform, in the service's spelling (`iOS`); absent is one that the service does not know.
    pub platform: Fact<String>,
    /// From where.
    pub network: Network,
    /// On which device; absent is one that is not registered.
    pub device: Fact<Device>,
    /// `low`, `medium`, `high` or `hidden`; absent is `none`.
    pub user_risk: Fact<String>,
    /// `low`, `medium`, `high` or `hidden`; absent is `none`.
    pub sign_in_risk: Fact<String>,
    /// `low`, `medium`, `high` or `hidden`; absent is `none`.
    pub service_principal_risk: Fact<String>,
    /// `low`, `medium` or `high`.
    pub agent_risk: Fact<String>,
    /// `minor`, `moderate` or `elevated`.
    pub insider_risk: Fact<String>,
    /// `deviceCodeFlow` or `authenticationTransfer`.
    pub authentication_flow: Fact<String>,
    /// Where an agent's session began.
    pub agent_context: Fact<String>,
}

impl SignIn {
    /// Whether its client can do what a policy asks for; one that is not told can.
    pub fn is_modern(&self) -> bool {
        !matches!(self.client_app, Fact::Is(kind) if !kind.is_modern())
    }

    /// A sign-in of which nothing further is known to be there.
    pub fn new(identity: Identity, resource: Resource) -> Self {
        Self {
            identity,
            resource,
            client_app: Fact::Absent,
            platform: Fact::Absent,
            network: Network::default(),
            device: Fact::Absent,
            user_risk: Fact::Absent,
            sign_in_risk: Fact::Absent,
            service_principal_risk: Fact::Absent,
            agent_risk: Fact::Absent,
            insider_risk: Fact::Absent,
            authentication_flow: Fact::Absent,
            agent_context: Fact::Absent,
        }
    }
}

/// Who signs in; ids in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// A person.
    User {
        /// The object id.
        id: String,
        /// The groups that the person is in, through nesting; unrecorded when nobody knows.
        groups: Fact<BTreeSet<String>>,
        /// The template ids of the directory roles that the person holds.
        roles: Fact<BTreeSet<String>>,
        /// How the person is a guest, or absent.
        external: Fact<ExternalUser>,
    },
    /// An application as itself.
    ServicePrincipal {
        /// The object id.
        id: String,
        /// Whether the tenant owns it (a single-tenant application of its own).
        owned: Fact<()>,
        /// Its custom security attributes.
        attributes: Fact<SecurityAttributes>,
    },
    /// An agent as itself.
    Agent {
        /// The object id of its identity.
        id: String,
        /// Its custom security attributes.
        attributes: Fact<SecurityAttributes>,
    },
    /// An agent's user account.
    AgentUser {
        /// The object id of the account.
        id: String,
        /// Its custom security attributes.
        attributes: Fact<SecurityAttributes>,
    },
}

/// How somebody is a guest or external user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalUser {
    /// A member of `conditionalAccessGuestOrExternalUserTypes`.
    pub kind: String,
    /// The home tenant's id; absent for an internal guest.
    pub tenant: Fact<String>,
}

impl ExternalUser {
    /// The kinds in Graph's words.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        let wires = properties::guest_kinds().rows.iter().map(|row| row.wire);
        wires.filter(|wire| *wire != "none")
    }
}

/// Custom security attributes: values by `Set_Attribute`.
pub type SecurityAttributes = BTreeMap<String, BTreeSet<String>>;

/// What is signed in to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resource {
    /// Applications, by application id; a policy on any of them matches.
    Applications {
        /// The application ids, in lower case, or a suite's keyword.
        ids: BTreeSet<String>,
        /// The custom security attributes of each that has any.
        attributes: Fact<BTreeMap<String, SecurityAttributes>>,
    },
    /// A user action, by its URN.
    Action(String),
    /// An authentication context, `c1` to `c99`.
    Context(String),
    /// The record does not tell.
    Unrecorded,
}

/// What kind of software signs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ClientApp {
    /// `browser`
    Browser,
    /// `mobileAppsAndDesktopClients`
    MobileAppsAndDesktopClients,
    /// `exchangeActiveSync`
    ExchangeActiveSync,
    /// `other`: older protocols
    Other,
}

impl ClientApp {
    /// Each of them.
    pub const ALL: [Self; 4] = [
        Self::Browser,
        Self::MobileAppsAndDesktopClients,
        Self::ExchangeActiveSync,
        Self::Other,
    ];

    /// The service's word.
    pub fn wire(self) -> &'static str {
        match self {
            Self::Browser => "browser",
            Self::MobileAppsAndDesktopClients => "mobileAppsAndDesktopClients",
            Self::ExchangeActiveSync => "exchangeActiveSync",
            Self::Other => "other",
        }
    }

    /// The kind of a word of the service, in any casing.
    pub fn from_wire(word: &str) -> Option<Self> {
        match word {
            word if word.eq_ignore_ascii_case("easSupported") => Some(Self::ExchangeActiveSync),
            word => Self::ALL
                .into_iter()
                .find(|kind| kind.wire().eq_ignore_ascii_case(word)),
        }
    }

    /// Whether it can do what a policy asks for; older protocols can't (`FACTS` 10.14).
    pub fn is_modern(self) -> bool {
        matches!(self, Self::Browser | Self::MobileAppsAndDesktopClients)
    }
}

/// Where a sign-in comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The public address that the service sees.
    pub ip: Fact<IpAddr>,
    /// The country of the address, as ISO 3166-1 alpha-2 in upper case; absent is one that the service does not know.
    pub country: Fact<String>,
    /// The country that the Authenticator app told by GPS.
    pub gps_country: Fact<String>,
    /// Whether it comes through the tenant's compliant network; `Is` for yes.
    pub compliant: Fact<()>,
    /// Whether the address is among the MFA trusted IPs, which no API lists; `Is` for yes.
    pub mfa_trusted: Fact<()>,
    /// The named locations that it comes from, by key, among those whose extent nobody gave; others look at the facts.
    pub told: Fact<BTreeSet<String>>,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            ip: Fact::Absent,
            country: Fact::Absent,
            gps_country: Fact::Absent,
            compliant: Fact::Absent,
            mfa_trusted: Fact::Absent,
            told: Fact::Unrecorded,
        }
    }
}

/// What is known of a device: texts by the name of the property in filter rules, in lower case, without `device.`.
///
/// `iscompliant` is `True` or `False`; a collection has several texts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// The properties; one that is not there is null.
    pub properties: BTreeMap<String, BTreeSet<String>>,
    /// Whether a property that is not there is not recorded instead.
    pub is_partial: bool,
}

impl Device {
    /// Sets a property, named as in filter rules.
    #[must_use]
    pub fn with(mut self, property: &str, value: impl Into<String>) -> Self {
        self.properties
            .entry(property.to_ascii_lowercase())
            .or_default()
            .insert(value.into());
        self
    }

    pub(super) fn is(&self, property: &str, value: &str) -> bool {
        self.properties
            .get(property)
            .is_some_and(|values| values.iter().any(|one| one.eq_ignore_ascii_case(value)))
    }
}
