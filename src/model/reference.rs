//! How one object names another.

use serde::{Deserialize, Serialize};

use super::Address;
pub use super::catalogue::guids::is_guid;

/// What kind of directory or Conditional Access object a reference names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A user, by object id.
    User,
    /// A group, by object id.
    Group,
    /// A directory role, by role template id.
    Role,
    /// An application, by application (client) id.
    App,
    /// A service principal, by object id.
    ServicePrincipal,
    /// An agent identity, by object id.
    AgentIdentity,
    /// A named location.
    Location,
    /// An authentication strength.
    Strength,
    /// An authentication context class reference, `c1` to `c99`.
    Context,
    /// Terms of use (an agreement).
    Terms,
    /// A user action, by its URN.
    Action,
}

impl Target {
    /// The word for it in the language: the name of the block and of the look-up function.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Group => "group",
            Self::Role => "role",
            Self::App => "app",
            Self::ServicePrincipal => "service_principal",
            Self::AgentIdentity => "agent_identity",
            Self::Location => "location",
            Self::Strength => "strength",
            Self::Context => "context",
            Self::Terms => "terms",
            Self::Action => "action",
        }
    }

    /// What people call one of it.
    pub fn noun(self) -> &'static str {
        match self {
            Self::ServicePrincipal => "service principal",
            Self::AgentIdentity => "agent identity",
            Self::Strength => "authentication strength",
            Self::Context => "authentication context",
            Self::Terms => "terms of use",
            Self::Action => "user action",
            Self::User | Self::Group | Self::Role | Self::App | Self::Location => self.word(),
        }
    }

    /// What people call several of it.
    pub fn plural(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Group => "groups",
            Self::Role => "roles",
            Self::App => "apps",
            Self::ServicePrincipal => "service principals",
            Self::AgentIdentity => "agent identities",
            Self::Location => "locations",
            Self::Strength => "authentication strengths",
            Self::Context => "authentication contexts",
            Self::Terms => "terms of use",
            Self::Action => "user actions",
        }
    }

    /// The target that a word of the language names.
    pub fn from_word(word: &str) -> Option<Self> {
        Some(match word {
            "user" => Self::User,
            "group" => Self::Group,
            "role" => Self::Role,
            "app" => Self::App,
            "service_principal" => Self::ServicePrincipal,
            "agent_identity" => Self::AgentIdentity,
            "location" => Self::Location,
            "strength" => Self::Strength,
            "context" => Self::Context,
            "terms" => Self::Terms,
            "action" => Self::Action,
            _ => return None,
        })
    }
}

/// A question to the directory: which object of this kind do people call this?
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lookup {
    /// The kind of object.
    pub target: Target,
    /// Its user principal name, mail address or display name, as written.
    pub name: String,
}

/// One object named by another.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reference {
    /// A keyword of the service, in the service's spelling: `All`, `None`, `Office365`, `AllTrusted`, ….
    Keyword(String),
    /// An id as the service spells it; GUIDs in lower case.
    Id {
        /// What the id identifies.
        target: Target,
        /// The id.
        id: String,
    },
    /// An object that this configuration manages; its id is known once it exists.
    Managed {
        /// What the object is.
        target: Target,
        /// Its address.
        address: Box<Address>,
    },
    /// An object that must be looked up by what people call it.
    Lookup(Lookup),
}

impl Reference {
    /// A reference by id; a GUID is folded to lower case so that spellings compare equal.
    pub fn id(target: Target, id: &str) -> Self {
        let id = if is_guid(id) {
            id.to_ascii_lowercase()
        } else {
            id.to_owned()
        };
        Self::Id { target, id }
    }

    /// A reference to an object that this configuration manages.
    pub fn managed(target: Target, address: Address) -> Self {
        Self::Managed {
            target,
            address: Box::new(address),
        }
    }

    /// A reference by what people call the object.
    pub fn lookup(target: Target, name: impl Into<String>) -> Self {
        Self::Lookup(Lookup {
            target,
            name: name.into(),
        })
    }

    /// A keyword in the service's spelling.
    pub fn keyword(word: impl Into<String>) -> Self {
        Self::Keyword(word.into())
    }

    /// What the reference names, unless it is a keyword.
    pub fn target(&self) -> Option<Target> {
        match self {
            Self::Keyword(_) => None,
            Self::Id { target, .. } | Self::Managed { target, .. } => Some(*target),
            Self::Lookup(lookup) => Some(lookup.target),
        }
    }
}
