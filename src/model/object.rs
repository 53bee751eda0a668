//! One object of the tenant, or of the configuration, as canonical values.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::few::Few;
use super::properties::{self, ApiVersion, Property};
use super::reference::{Reference, Target};
use super::value::Value;

/// What kind of object; each kind has its own table of properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `conditionalAccessPolicy`.
    Policy,
    /// `ipNamedLocation`.
    IpLocation,
    /// `countryNamedLocation`.
    CountryLocation,
    /// `compliantNetworkNamedLocation`: made by the service, only ever referred to.
    CompliantNetworkLocation,
    /// `authenticationStrengthPolicy`.
    Strength,
    /// `authenticationContextClassReference`.
    Context,
    /// A security group that capol creates and owns.
    Group,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Policy,
        Self::IpLocation,
        Self::CountryLocation,
        Self::CompliantNetworkLocation,
        Self::Strength,
        Self::Context,
        Self::Group,
    ];

    /// The block type of the language.
    pub fn block(self) -> &'static str {
        self.target().map_or("policy", Target::word)
    }

    /// What a reference to such an object targets; nothing refers to a policy by id.
    pub fn target(self) -> Option<Target> {
        match self {
            Self::Policy => None,
            Self::IpLocation | Self::CountryLocation | Self::CompliantNetworkLocation => {
                Some(Target::Location)
            }
            Self::Strength => Some(Target::Strength),
            Self::Context => Some(Target::Context),
            Self::Group => Some(Target::Group),
        }
    }

    /// What people call one of them.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::IpLocation | Self::CountryLocation | Self::CompliantNetworkLocation => "named location",
            Self::Strength => "authentication strength",
            Self::Context => "authentication context",
            Self::Group => "group",
        }
    }

    /// The type name in Graph's schema.
    pub fn graph_type(self) -> &'static str {
        match self {
            Self::Policy => "conditionalAccessPolicy",
            Self::IpLocation => "ipNamedLocation",
            Self::CountryLocation => "countryNamedLocation",
            Self::CompliantNetworkLocation => "compliantNetworkNamedLocation",
            Self::Strength => "authenticationStrengthPolicy",
            Self::Context => "authenticationContextClassReference",
            Self::Group => "group",
        }
    }

    /// The table of its properties.
    pub fn properties(self) -> &'static [Property] {
        properties::of(self)
    }
}

/// An object: its kind and the values of those properties that are set.
///
/// A property that is absent is off: null, the empty list, absent and the service's default are
/// one and the same here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub struct Object {
    /// The kind.
    pub kind: Kind,
    /// By the place of the property in the table of the kind. Shared: a plan holds most of them several times, live and
    /// wanted, before and after.
    values: Few<usize, Arc<Value>>,
    /// Members that the property table does not know, in the shape of the wire: `raw = { … }`.
    pub raw: Option<Json>,
}

/// An object as a file holds it.
#[derive(Serialize, Deserialize)]
struct Written {
    kind: Kind,
    values: BTreeMap<Cow<'static, str>, Arc<Value>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw: Option<Json>,
}

impl From<Object> for Written {
    fn from(object: Object) -> Self {
        let properties = object.kind.properties();
        let values = object.values.iter();
        let values =
            values.filter_map(|(place, value)| Some((properties.get(*place)?.wire.into(), value.clone())));
        Self {
            kind: object.kind,
            values: values.collect(),
            raw: object.raw,
        }
    }
}

impl TryFrom<Written> for Object {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let mut object = Self::new(written.kind);
        for (wire, value) in written.values {
            let place = place(written.kind, &wire)
                .ok_or_else(|| format!("a {} has no property `{wire}`", written.kind.noun()))?;
            object.values.insert(place, value);
        }
        object.raw = written.raw;
        Ok(object)
    }
}

/// The place of a property in the table of a kind.
fn place(kind: Kind, wire: &str) -> Option<usize> {
    kind.properties()
        .iter()
        .position(|property| property.wire == wire)
}

impl Object {
    /// An object without any property.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            values: Few::new(),
            raw: None,
        }
    }

    /// The value of a property, by its wire path.
    pub fn get(&self, wire: &str) -> Option<&Value> {
        self.find(wire).map(|value| &**value)
    }

    /// The same, to be kept.
    pub fn shared(&self, wire: &str) -> Option<Arc<Value>> {
        self.find(wire).cloned()
    }

    fn find(&self, wire: &str) -> Option<&Arc<Value>> {
        let properties = self.kind.properties();
        let has_wire = |place: usize| {
            properties
                .get(place)
                .is_some_and(|property| property.wire == wire)
        };
        let mut values = self.values.iter();
        values
            .find(|(place, _)| has_wire(**place))
            .map(|(_, value)| value)
    }

    /// Sets a property, by its wire path; `None` turns it off. Nothing comes of a property that the kind has not.
    pub fn set(&mut self, wire: &str, value: Option<Value>) {
        let Some(place) = place(self.kind, wire) else {
            return;
        };
        match value {
            Some(value) => self.values.insert(place, Arc::new(value)),
            None => self.values.remove(&place),
        }
    }

    /// Keeps each value that equals one of another object as that one, for an object that is only looked at from now
    /// on: the elements of a set may then stand in the other's order.
    pub fn share(&mut self, other: &Self) {
        if self.kind != other.kind {
            return;
        }
        for (place, value) in self.values.iter_mut() {
            if let Some(same) = other.values.get(place).filter(|same| *same == value) {
                value.clone_from(same);
            }
        }
    }

    /// Gives back the room that nothing stands in.
    pub fn shrink_to_fit(&mut self) {
        self.values.shrink_to_fit();
    }

    /// The properties that are set, in the order of the table.
    pub fn iter(&self) -> impl Iterator<Item = (&'static Property, &Value)> {
        let properties = self.kind.properties();
        let values = self.values.iter();
        values.filter_map(|(place, value)| Some((properties.get(*place)?, &**value)))
    }

    /// The text of a property, if it is set and a text or a symbol.
    pub fn text(&self, wire: &str) -> Option<&str> {
        match self.get(wire) {
            Some(Value::Text(text) | Value::Symbol(text)) => Some(text),
            _ => None,
        }
    }

    /// What people call the object: its display name, or the empty text.
    pub fn name(&self) -> &str {
        self.text("displayName").unwrap_or_default()
    }

    /// Every reference in the object, with the property that holds it.
    pub fn references(&self) -> Vec<(&'static Property, &Reference)> {
        self.iter()
            .flat_map(|(property, value)| {
                value
                    .references()
                    .into_iter()
                    .map(move |reference| (property, reference))
            })
            .collect()
    }

    /// The same object with every reference replaced by what `replace` makes of it.
    #[must_use]
    pub fn map_references(&self, mut replace: impl FnMut(&Reference) -> Reference) -> Self {
        Self {
            kind: self.kind,
            values: self
                .values
                .iter()
                .map(|(place, value)| {
                    let same = value.references().is_empty();
                    let value = if same {
                        value.clone()
                    } else {
                        Arc::new(value.map_references(&mut replace))
                    };
                    (*place, value)
                })
                .collect(),
            raw: self.raw.clone(),
        }
    }

    /// The first version of Graph that knows all that the object says.
    pub fn version(&self) -> ApiVersion {
        self.iter()
            .map(|(property, value)| property.version_of(value))
            .max()
            .unwrap_or(ApiVersion::V1)
    }

    /// The set of references at a wire path; empty when off.
    pub fn reference_set(&self, wire: &str) -> impl Iterator<Item = &Reference> {
        match self.get(wire) {
            Some(Value::References(references)) => Some(references.iter()),
            _ => None,
        }
        .into_iter()
        .flatten()
    }
}
