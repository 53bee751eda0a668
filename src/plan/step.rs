//! The writes that a plan takes, each with its whole body, and what each waits for.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::model::properties::ApiVersion;
use crate::model::state::Json as StateJson;
use crate::model::{Address, Kind};

/// The number of a step: its place in an order that every step may safely run in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepId(pub u32);

/// One write, or one entry in state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its number.
    pub id: StepId,
    /// The object it works on.
    pub address: Address,
    /// What it does.
    pub act: Act,
    /// The steps that must have succeeded before it starts; all have smaller numbers.
    pub after: Vec<StepId>,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "do")]
pub enum Act {
    /// POST the body to the kind's collection. From then on the address has the new id.
    Create {
        /// The kind.
        kind: Kind,
        /// The version of Graph.
        version: ApiVersion,
        /// The body.
        body: StateJson,
        /// The ids to put into the body first.
        pending: Vec<Pending>,
    },
    /// PATCH the body to the object.
    Update {
        /// The kind.
        kind: Kind,
        /// The object.
        id: String,
        /// The version of Graph.
        version: ApiVersion,
        /// The body: only what changes.
        body: StateJson,
        /// The ids to put into the body first.
        pending: Vec<Pending>,
    },
    /// PATCH the object so that the service lets it be deleted: a trusted location, an available
    /// context. Wait until a read shows it.
    Release {
        /// The kind.
        kind: Kind,
        /// The object.
        id: String,
        /// The version of Graph.
        version: ApiVersion,
        /// The body.
        body: StateJson,
    },
    /// DELETE the object.
    Delete {
        /// The kind.
        kind: Kind,
        /// The object.
        id: String,
        /// The version of Graph.
        version: ApiVersion,
    },
    /// POST `restore` to the deleted object: it comes back with its id, as it was when it was deleted.
    Restore {
        /// The kind.
        kind: Kind,
        /// The object.
        id: String,
    },
    /// POST `updateAllowedCombinations` to a strength.
    SetCombinations {
        /// The strength.
        id: String,
        /// All combinations it shall allow.
        combinations: Vec<String>,
    },
    /// POST a combination configuration to a strength.
    AddConfiguration {
        /// The strength.
        id: String,
        /// The configuration.
        body: StateJson,
    },
    /// DELETE a combination configuration of a strength.
    RemoveConfiguration {
        /// The strength.
        id: String,
        /// The configuration.
        configuration: String,
    },
    /// PATCH `members@odata.bind` of a group: at most twenty at a time, all or nothing.
    AddMembers {
        /// The group.
        group: ObjectId,
        /// Who joins.
        members: Vec<ObjectId>,
    },
    /// DELETE one member's `$ref` from a group.
    RemoveMember {
        /// The group.
        group: ObjectId,
        /// Who leaves.
        member: String,
    },
    /// State takes a live object under the address; no request.
    Adopt {
        /// The kind.
        kind: Kind,
        /// The object.
        id: String,
    },
    /// State lets the address go; no request.
    Forget,
    /// State renames; no request.
    Move {
        /// The old address.
        from: Address,
    },
    /// State takes down what the tenant shows now, and the guard; no request.
    Remember,
}

/// The id of an object, or whose it will be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectId {
    /// Known.
    Known(String),
    /// The id that the address has once its create step is done.
    Of(Address),
}

/// A place in a body that waits for the id of an object made by the same plan; it holds null.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Pending {
    /// A JSON pointer into the body.
    pub pointer: String,
    /// Whose id goes there.
    pub address: Address,
}

impl Act {
    /// How many requests it takes when nothing goes wrong.
    pub fn requests(&self) -> u32 {
        match self {
            Self::Create { .. }
            | Self::Update { .. }
            | Self::Release { .. }
            | Self::Delete { .. }
            | Self::Restore { .. }
            | Self::SetCombinations { .. }
            | Self::AddConfiguration { .. }
            | Self::RemoveConfiguration { .. }
            | Self::AddMembers { .. }
            | Self::RemoveMember { .. } => 1,
            Self::Adopt { .. } | Self::Forget | Self::Move { .. } | Self::Remember => 0,
        }
    }

    /// Whether it is one of the service's requests to Conditional Access, which it rations (`FACTS` 5.6).
    pub fn is_rationed(&self) -> bool {
        match self {
            Self::Create { kind, .. }
            | Self::Update { kind, .. }
            | Self::Release { kind, .. }
            | Self::Delete { kind, .. }
            | Self::Restore { kind, .. } => *kind != Kind::Group,
            Self::SetCombinations { .. }
            | Self::AddConfiguration { .. }
            | Self::RemoveConfiguration { .. } => true,
            _ => false,
        }
    }

    /// The addresses whose ids must be known before it can be sent.
    pub fn waits_for(&self) -> Vec<&Address> {
        match self {
            Self::Create { pending, .. } | Self::Update { pending, .. } => {
                pending.iter().map(|pending| &pending.address).collect()
            }
            Self::AddMembers { group, members } => std::iter::once(group)
                .chain(members)
                .filter_map(ObjectId::address)
                .collect(),
            Self::RemoveMember { group, .. } => group.address().into_iter().collect(),
            _ => Vec::new(),
        }
    }
}

impl ObjectId {
    fn address(&self) -> Option<&Address> {
        match self {
            Self::Known(_) => None,
            Self::Of(address) => Some(address),
        }
    }
}

/// Puts an id where a body waits for it.
///
/// Returns `false` when the pointer leads nowhere; then nothing may be sent.
#[must_use]
pub fn fill(body: &mut Json, pending: &Pending, id: &str) -> bool {
    match body.pointer_mut(&pending.pointer) {
        Some(place) => {
            *place = Json::String(id.to_owned());
            true
        }
        None => false,
    }
}
