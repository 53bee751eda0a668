//! What happens to one object, and why.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::model::state::Json as StateJson;
use crate::model::{Address, Kind, Object, Reference, Value};

use super::step::{Pending, StepId};

/// Everything a plan says about one address.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ResourceChange {
    /// The address, after all moves.
    pub address: Address,
    /// The address that state knows it by, when it moves.
    pub previous_address: Option<Address>,
    /// The kind; after the change, when the change is of the kind.
    pub kind: Kind,
    /// The id of the live object, when there is one before the change.
    pub id: Option<String>,
    /// What people call it: the name before the change for a deletion, else after it.
    pub name: String,
    /// What is done to the object.
    pub action: Action,
    /// Whether it comes under management with this plan (`import`).
    pub imported: bool,
    /// Why, where that does not go without saying.
    pub reason: Option<ActionReason>,
    /// The live object.
    pub before: Option<Object>,
    /// What it will be; references to objects of this plan are still [`Reference::Managed`].
    pub after: Option<Object>,
    /// What differs between the two, in the order of the property table.
    pub properties: Vec<PropertyChange>,
    /// What differs in members that the table does not know: `raw = { … }`.
    pub raw: Vec<RawChange>,
    /// What was changed outside capol since it was last seen.
    pub drift: Vec<PropertyChange>,
    /// Members of the live object that nobody here knows; they are kept.
    pub unknown: Vec<String>,
    /// A guard that is set or lifted.
    pub guard: Option<GuardChange>,
    /// What state remembers as sent once the change is made: the whole object in wire form.
    pub sent: Option<StateJson>,
    /// The ids in `sent` that are known only later.
    pub sent_pending: Vec<Pending>,
    /// What it depends on, for state to remember.
    pub dependencies: Vec<Address>,
    /// The guard that state remembers from now on.
    pub lifecycle: Guard,
    /// The steps that carry it out, in their order.
    pub steps: Vec<StepId>,
}

/// What is done to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nothing.
    NoOp,
    /// It is made.
    Create,
    /// It is changed and keeps its id.
    Update,
    /// A new one is made, then the old one is deleted.
    Replace,
    /// It is deleted.
    Delete,
    /// It is left as it is and no longer managed.
    Forget,
    /// Only what state remembers of it is brought up to date.
    Refresh,
}

/// Why an action is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionReason {
    /// The object was deleted outside capol, so it is made again.
    DeletedOutside,
    /// The object was deleted outside capol, and the service brings it back with its id.
    RestoredFromDeleted,
    /// Its block is gone from the configuration.
    NoBlock,
    /// A `removed` block lets it go.
    Removed,
    /// It is gone from the tenant and from the configuration.
    GoneAlready,
    /// The run destroys everything managed.
    Destroy,
    /// Asked for with `--replace`.
    Requested,
    /// These properties can only be set when an object is made.
    CannotUpdate(Vec<String>),
    /// It becomes another kind of location.
    KindChange,
    /// An earlier apply is taken back.
    Undone,
}

/// A property that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PropertyChange {
    /// The wire path.
    pub wire: Cow<'static, str>,
    /// The place in the language: block path and attribute.
    pub dsl: Cow<'static, str>,
    /// The value before, if it was on.
    pub before: Option<Arc<Value>>,
    /// The value after, if it is on.
    pub after: Option<Arc<Value>>,
}

/// A member under `raw` that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RawChange {
    /// The wire path.
    pub path: String,
    /// The live value; null when absent.
    pub before: Json,
    /// The configured value.
    pub after: Json,
}

/// A `prevent_destroy` guard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guard {
    /// Whether destroying the object is refused.
    pub prevent_destroy: bool,
    /// Why.
    pub reason: Option<String>,
}

/// How a guard changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardChange {
    /// `prevent_destroy` is new.
    Set,
    /// `prevent_destroy` no longer holds; the reason it had.
    Lifted(Option<String>),
    /// The reason is worded anew.
    Reworded,
}

/// An output that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OutputChange {
    /// Its name.
    pub name: String,
    /// The remembered value, if there was one.
    pub before: Option<Json>,
    /// The new value, if it still exists; null where an id goes that is known only later.
    pub after: Option<Json>,
    /// Whether it is hidden from people.
    pub sensitive: bool,
    /// The ids in `after` that are known only later.
    pub pending: Vec<Pending>,
}

impl ResourceChange {
    /// Whether anything at all comes of it: a request, or a visible change of state.
    pub fn is_change(&self) -> bool {
        self.action != Action::NoOp
            || self.imported
            || self.previous_address.is_some()
            || self.guard.is_some()
    }

    /// The references after the change whose ids are not known yet.
    pub fn pending(&self) -> impl Iterator<Item = &Address> {
        self.after
            .iter()
            .flat_map(Object::references)
            .filter_map(|(_, reference)| match reference {
                Reference::Managed { address, .. } => Some(&**address),
                _ => None,
            })
    }
}
