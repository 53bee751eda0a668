//! In which groups and roles those people are whom the guards are about.

use std::collections::{BTreeMap, BTreeSet};

/// Whose groups and roles must be known: ids in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Watched {
    /// Users.
    pub users: BTreeSet<String>,
    /// Service principals.
    pub applications: BTreeSet<String>,
    /// Groups whose members are watched as well.
    pub groups: BTreeSet<String>,
    /// Groups that people may join or leave, or that may be deleted.
    pub moved: BTreeSet<String>,
}

impl Watched {
    /// Whether nothing must be known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// In which groups and roles people are. What could not be read is missing; ids in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct People {
    /// By user or service principal: what holds it directly.
    pub direct: BTreeMap<String, Holders>,
    /// By group: what holds it, directly or through other groups.
    pub around: BTreeMap<String, Holders>,
    /// By watched group: its users, through nesting.
    pub members: BTreeMap<String, BTreeSet<String>>,
}

/// Groups and roles that hold somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders {
    /// The ids of groups.
    pub groups: BTreeSet<String>,
    /// The template ids of roles.
    pub roles: BTreeSet<String>,
}
