//! What must come of sign-ins: `scenario` and `invariant` blocks.

use std::collections::{BTreeMap, BTreeSet};

use super::value::{Control, Grant};
use super::{Address, Kind, Object, Origin};

/// Which properties of a policy an attribute of a `sign_in` or `where` block sets.
pub const CONDITIONS: &[(&str, &[&str])] = &[
    (
        "user",
        &[
            "conditions.users.includeUsers",
            "conditions.users.includeGroups",
            "conditions.users.includeRoles",
            "conditions.users.includeGuestsOrExternalUsers",
        ],
    ),
    (
        "service_principal",
        &["conditions.clientApplications.includeServicePrincipals"],
    ),
    (
        "agent",
        &["conditions.clientApplications.includeAgentIdServicePrincipals"],
    ),
    ("app", &["conditions.applications.includeApplications"]),
    ("action", &["conditions.applications.includeUserActions"]),
    (
        "context",
        &["conditions.applications.includeAuthenticationContextClassReferences"],
    ),
    ("location", &["conditions.locations.includeLocations"]),
    ("platform", &["conditions.platforms.includePlatforms"]),
    ("client_app", &["conditions.clientAppTypes"]),
    ("auth_flow", &["conditions.authenticationFlows.transferMethods"]),
];

/// The same for a `risk` block.
pub const RISKS: &[(&str, &[&str])] = &[
    ("user", &["conditions.userRiskLevels"]),
    ("sign_in", &["conditions.signInRiskLevels"]),
    ("service_principal", &["conditions.servicePrincipalRiskLevels"]),
    ("agent", &["conditions.agentIdRiskLevels"]),
    ("insider", &["conditions.insiderRiskLevels"]),
];

/// Which attribute of a `sign_in` or `where` block, or of its `risk` block, sets a property of a policy.
pub fn attribute_of(wire: &str) -> Option<(&'static str, bool)> {
    let among = |all: &'static [(&'static str, &'static [&'static str])], is_risk: bool| {
        all.iter()
            .find(|(_, wires)| wires.contains(&wire))
            .map(|(name, _)| (*name, is_risk))
    };
    among(CONDITIONS, false).or_else(|| among(RISKS, true))
}

/// A `scenario` or an `invariant`.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// Its address; the name is the sentence that it is called.
    pub address: Address,
    /// The head of the block.
    pub origin: Origin,
    /// Which of the two.
    pub kind: ExpectationKind,
    /// The sign-in, or the region of sign-ins.
    pub facts: Facts,
    /// Regions that an invariant says nothing about.
    pub except: Vec<Facts>,
    /// What must come out.
    pub expected: Expected,
}

/// One sign-in, or all of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExpectationKind {
    /// One sign-in; what is left out is absent.
    Scenario,
    /// Every sign-in of a region; what is left out is anything.
    Invariant,
}

impl ExpectationKind {
    /// The word that starts the block.
    pub fn word(self) -> &'static str {
        match self {
            Self::Scenario => "scenario",
            Self::Invariant => "invariant",
        }
    }
}

/// What is said of sign-ins, by a `sign_in`, `where` or `except` block.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Who, to what, from where, with what and at which risk, as the conditions of a policy that names just that.
    pub conditions: Object,
    /// Countries, as ISO 3166-1 alpha-2 in upper case.
    pub countries: BTreeSet<String>,
    /// Countries that the Authenticator app tells by GPS, likewise.
    pub gps_countries: BTreeSet<String>,
    /// Ranges of addresses, as named locations hold them.
    pub ranges: Vec<String>,
    /// The device.
    pub device: DeviceFacts,
    /// The controls that the one who signs in can do, methods among them in Graph's words; none when it is not said.
    pub satisfied: Option<Vec<Control>>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            conditions: Object::new(Kind::Policy),
            countries: BTreeSet::new(),
            gps_countries: BTreeSet::new(),
            ranges: Vec::new(),
            device: DeviceFacts::default(),
            satisfied: None,
        }
    }
}

/// What is said of a device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeviceFacts {
    /// Whether it is compliant.
    pub compliant: Option<bool>,
    /// Whether it is hybrid joined.
    pub hybrid_joined: Option<bool>,
    /// Other properties by their names in filter rules.
    pub properties: BTreeMap<String, BTreeSet<String>>,
}

impl DeviceFacts {
    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What must come out.
#[derive(Debug, Clone, PartialEq)]
pub struct Expected {
    /// `allow`, `block` or `controls_required`.
    pub decision: Option<String>,
    /// Whether access is had in the end.
    pub access: Option<bool>,
    /// What must at least be asked for.
    pub grant: Option<ExpectedGrant>,
    /// How strict the session must at least be, as a policy's session controls.
    pub session: Object,
    /// The policies that must apply.
    pub by: Vec<Address>,
}

/// What must at least be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExpectedGrant {
    /// Nothing may be asked for.
    Nothing,
    /// This.
    Controls(Grant),
}
