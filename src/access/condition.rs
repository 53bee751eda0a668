//! The conditions of a policy, and which of them decided.

use std::fmt;

/// One condition of a policy; a policy matches when all of them do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Condition {
    /// Users, groups, roles and guests.
    Users,
    /// Service principals.
    Workloads,
    /// Agents and their user accounts.
    Agents,
    /// Applications, user actions and authentication contexts.
    Applications,
    /// Device platforms.
    Platforms,
    /// Kinds of client software.
    ClientApps,
    /// Named locations.
    Locations,
    /// Devices, by filter.
    Devices,
    /// The risk of the user.
    UserRisk,
    /// The risk of the sign-in.
    SignInRisk,
    /// The risk of the service principal.
    ServicePrincipalRisk,
    /// The risk of the agent.
    AgentRisk,
    /// The insider risk of the user.
    InsiderRisk,
    /// How the sign-in was begun.
    AuthenticationFlows,
    /// Something that capol does not know.
    Unknown,
}

impl Condition {
    /// Each of them, in the order in which they are looked at.
    pub const ALL: [Self; 15] = [
        Self::Users,
        Self::Workloads,
        Self::Agents,
        Self::Applications,
        Self::Platforms,
        Self::ClientApps,
        Self::Locations,
        Self::Devices,
        Self::UserRisk,
        Self::SignInRisk,
        Self::ServicePrincipalRisk,
        Self::AgentRisk,
        Self::InsiderRisk,
        Self::AuthenticationFlows,
        Self::Unknown,
    ];

    /// Its name in answers: the member of `conditions` on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Workloads => "clientApplications",
            Self::Agents => "agents",
            Self::Applications => "applications",
            Self::Platforms => "platforms",
            Self::ClientApps => "clientAppTypes",
            Self::Locations => "locations",
            Self::Devices => "devices",
            Self::UserRisk => "userRiskLevels",
            Self::SignInRisk => "signInRiskLevels",
            Self::ServicePrincipalRisk => "servicePrincipalRiskLevels",
            Self::AgentRisk => "agentIdRiskLevels",
            Self::InsiderRisk => "insiderRiskLevels",
            Self::AuthenticationFlows => "authenticationFlows",
            Self::Unknown => "unknown",
        }
    }
}

/// Why a policy did not apply, as in answers: `locations.exclude`, `state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Because {
    /// It is disabled.
    State,
    /// What it includes does not hold.
    NotIncluded(Condition),
    /// What it excludes holds.
    Excluded(Condition),
    /// The record does not tell enough about this.
    Undecided(Condition),
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::State => f.write_str("state"),
            Self::NotIncluded(condition) if condition.has_sides() => {
                write!(f, "{}.include", condition.name())
            }
            Self::NotIncluded(condition) => f.write_str(condition.name()),
            Self::Excluded(condition) => write!(f, "{}.exclude", condition.name()),
            Self::Undecided(condition) => write!(f, "{}.undecided", condition.name()),
        }
    }
}

impl Condition {
    /// Whether it has an include and an exclude side.
    fn has_sides(self) -> bool {
        matches!(
            self,
            Self::Users
                | Self::Workloads
                | Self::Agents
                | Self::Applications
                | Self::Platforms
                | Self::Locations
                | Self::Devices
        )
    }
}
