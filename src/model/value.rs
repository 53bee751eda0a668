//! Canonical values of properties: two spellings that mean the same to the service are equal.

use serde::{Deserialize, Serialize};

use super::Reference;
use super::set::Set;

/// The value of one property.
///
/// Sets keep the order in which they were written, for people, and compare without it, as the
/// service does (`FACTS` 1.7: arrays are sets, and come back reordered).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// A text.
    Text(String),
    /// A yes or no.
    Boolean(bool),
    /// One member of an enumeration, in the service's spelling.
    Symbol(String),
    /// Members of an enumeration, in the service's spelling.
    Symbols(Set<String>),
    /// Texts without further meaning: countries, IP ranges, thumbprints.
    Texts(Set<String>),
    /// Other objects, and keywords.
    References(Set<Reference>),
    /// Kinds of guests and external users.
    Guests(Box<Guests>),
    /// A filter rule.
    Filter(Filter),
    /// What is asked for before access is granted.
    Grant(Grant),
    /// How often to sign in again.
    SignInFrequency(SignInFrequency),
    /// What a strength further demands of some of its combinations.
    CombinationConfigurations(Vec<CombinationConfiguration>),
}

/// `conditionalAccessGuestsOrExternalUsers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guests {
    /// Members of `conditionalAccessGuestOrExternalUserTypes`.
    pub kinds: Set<String>,
    /// Whose guests.
    pub tenants: ExternalTenants,
}

/// `conditionalAccessExternalTenants`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExternalTenants {
    /// Guests of every tenant, which is also what leaving it out means.
    All,
    /// Guests of these tenants, by tenant id.
    Enumerated(Set<String>),
}

/// Whether a filter takes in or leaves out what its rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilterMode {
    /// What matches is in.
    Include,
    /// What matches is out.
    Exclude,
}

/// `conditionalAccessFilter`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Whether matching takes in or leaves out.
    pub mode: FilterMode,
    /// The rule, in the service's rule language.
    pub rule: String,
}

/// How the controls of a grant combine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operator {
    /// Every control is asked for.
    All,
    /// One of the controls is enough.
    Any,
}

/// One thing that may be asked for before access is granted.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// A member of `conditionalAccessGrantControl`, in the service's spelling.
    BuiltIn(String),
    /// An authentication strength.
    Strength(Reference),
    /// Terms of use.
    Terms(Reference),
    /// A custom authentication factor.
    Custom(String),
}

/// `conditionalAccessGrantControls`.
#[derive(Debug, Clone, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// How the controls combine; means nothing while there is only one.
    pub operator: Operator,
    /// The controls, at least one.
    pub controls: Set<Control>,
}

impl PartialEq for Grant {
    /// The service rewrites the operator of a single control to `OR` (`FACTS` 1.5).
    fn eq(&self, other: &Self) -> bool {
        self.controls == other.controls && (self.controls.len() < 2 || self.operator == other.operator)
    }
}

/// `signInFrequencySessionControl`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInFrequency {
    /// The interval.
    pub interval: Interval,
    /// Whether only the second factor is asked for again (`secondaryAuthentication`).
    pub secondary_only: bool,
}

/// How long a sign-in lasts. Days and hours differ on the wire, so `1d` is not `24h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// Every time.
    EveryTime,
    /// A number of hours.
    Hours(i64),
    /// A number of days.
    Days(i64),
}

/// `fido2CombinationConfiguration` or `x509CertificateCombinationConfiguration`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CombinationConfiguration {
    /// The combinations that it applies to, in the service's spelling.
    pub applies_to: Set<String>,
    /// What is allowed.
    pub allowed: Allowed,
}

/// What a combination configuration allows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// Security key models, by AAGUID.
    Fido2 {
        /// The AAGUIDs.
        aaguids: Set<String>,
    },
    /// Certificates.
    X509 {
        /// Subject key identifiers of issuers.
        issuer_skis: Set<String>,
        /// Policy object identifiers.
        policy_oids: Set<String>,
    },
}

impl Value {
    /// Every reference inside the value.
    pub fn references(&self) -> Vec<&Reference> {
        match self {
            Self::References(references) => references.iter().collect(),
            Self::Grant(grant) => grant
                .controls
                .iter()
                .filter_map(|control| match control {
                    Control::Strength(reference) | Control::Terms(reference) => Some(reference),
                    Control::BuiltIn(_) | Control::Custom(_) => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The same value with every reference replaced by what `replace` makes of it.
    #[must_use]
    pub fn map_references(&self, replace: &mut dyn FnMut(&Reference) -> Reference) -> Self {
        match self {
            Self::References(references) => Self::References(references.iter().map(replace).collect()),
            Self::Grant(grant) => Self::Grant(Grant {
                operator: grant.operator,
                controls: grant
                    .controls
                    .iter()
                    .map(|control| match control {
                        Control::Strength(reference) => Control::Strength(replace(reference)),
                        Control::Terms(reference) => Control::Terms(replace(reference)),
                        other => other.clone(),
                    })
                    .collect(),
            }),
            other => other.clone(),
        }
    }
}
