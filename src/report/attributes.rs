//! What differs between two objects, by the attributes that people write.
//!
//! Graph keeps users, groups, roles and guests of one `include` list apart; people see one list.

use indexmap::IndexMap;

use crate::model::properties::{self, Property, Shape};
use crate::model::{Kind, Object, Value};
use crate::plan::PropertyChange;

use super::value_text::{Member, Names, Part};

/// An attribute that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AttributeChange {
    /// Block path and attribute: `users.exclude`.
    pub name: String,
    /// How it differs.
    pub difference: Difference,
    /// Whether only a new object can have the new value.
    pub needs_new_object: bool,
}

/// How an attribute differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Difference {
    /// Members come and go.
    Members {
        /// Who comes.
        added: Vec<String>,
        /// Who goes.
        removed: Vec<String>,
    },
    /// One side has no value; the other has this list.
    List {
        /// What the list is, or was.
        members: Vec<String>,
        /// Whether it is there after, not before.
        set: bool,
        /// What having none means.
        none: String,
    },
    /// One value becomes another.
    Value {
        /// The value before.
        before: String,
        /// The value after.
        after: String,
    },
}

/// One side of an attribute.
#[derive(Debug, Clone, Default)]
struct Side {
    single: Option<String>,
    members: Vec<Member>,
}

impl Side {
    fn take(&mut self, part: Part) {
        match part {
            Part::Single(text) => self.single = Some(text),
            Part::Members(members) => self.members.extend(members),
        }
    }

    fn is_empty(&self) -> bool {
        self.single.is_none() && self.members.is_empty()
    }
}

/// An attribute while its properties are gathered.
#[derive(Debug, Clone)]
struct Attribute {
    property: Option<&'static Property>,
    before: Side,
    after: Side,
}

/// The attributes that differ, in the order of the property table.
pub(super) fn differences(
    kind: Kind,
    changes: &[PropertyChange],
    before: Option<&Object>,
    after: Option<&Object>,
    names: &Names,
) -> Vec<AttributeChange> {
    let mut attributes: IndexMap<String, Attribute> = IndexMap::new();
    for change in changes {
        let property = properties::by_wire(kind, &change.wire)
            .or_else(|| before.and_then(|object| properties::by_wire(object.kind, &change.wire)));
        gather(
            &mut attributes,
            property,
            change,
            change.before.as_deref(),
            names,
            |attribute| &mut attribute.before,
        );
        gather(
            &mut attributes,
            property,
            change,
            change.after.as_deref(),
            names,
            |attribute| &mut attribute.after,
        );
    }
    attributes
        .into_iter()
        .filter_map(|(name, attribute)| {
            let stays = stays(changes, before.or(after), &name);
            let difference = difference(&name, &attribute, stays)?;
            let needs_new_object = attribute
                .property
                .is_some_and(|property| property.access == properties::Access::CreateOnly);
            Some(AttributeChange {
                name,
                difference,
                needs_new_object,
            })
        })
        .collect()
}

fn gather(
    attributes: &mut IndexMap<String, Attribute>,
    property: Option<&'static Property>,
    change: &PropertyChange,
    value: Option<&Value>,
    names: &Names,
    side: fn(&mut Attribute) -> &mut Side,
) {
    let fresh = || Attribute {
        property,
        before: Side::default(),
        after: Side::default(),
    };
    match (property, value) {
        (Some(property), Some(value)) => {
            for (place, part) in names.parts(property, value) {
                side(attributes.entry(place.to_owned()).or_insert_with(fresh)).take(part);
            }
        }
        (_, None) => {
            attributes.entry(place_of(change, property)).or_insert_with(fresh);
        }
        (None, Some(value)) => {
            let text = serde_json::to_string(value).unwrap_or_default();
            side(attributes.entry(place_of(change, property)).or_insert_with(fresh)).take(Part::Single(text));
        }
    }
}

/// Where a property stands when its value does not say it.
fn place_of(change: &PropertyChange, property: Option<&Property>) -> String {
    match property.and_then(|property| property.dsl.first()) {
        // A filter's mode decides between include and exclude; the other side of the change has it.
        Some(first) if property.is_some_and(|property| property.shape == Shape::Filter) => {
            filter_place(change, property).unwrap_or(first).to_owned()
        }
        Some(first) => (*first).to_owned(),
        None if change.dsl.is_empty() => change.wire.to_string(),
        None => change.dsl.to_string(),
    }
}

fn filter_place(change: &PropertyChange, property: Option<&Property>) -> Option<&'static str> {
    let value = change.after.as_ref().or(change.before.as_ref())?;
    Names::default()
        .parts(property?, value)
        .first()
        .map(|(place, _)| *place)
}

fn difference(name: &str, attribute: &Attribute, stays: bool) -> Option<Difference> {
    let Attribute {
        property,
        before: old,
        after: new,
    } = attribute;
    if old.single.is_some() || new.single.is_some() {
        let none = none_text(name, *property);
        let text = |side: &Side| side.single.clone().unwrap_or_else(|| none.clone());
        return Some(Difference::Value {
            before: text(old),
            after: text(new),
        });
    }
    if old.is_empty() && new.is_empty() {
        return None;
    }
    let texts = |side: &Side| {
        side.members
            .iter()
            .map(|member| member.text.clone())
            .collect::<Vec<_>>()
    };
    if !stays && !is_open_list(name) {
        let none = none_text(name, *property);
        if old.is_empty() {
            return Some(Difference::List {
                members: texts(new),
                set: true,
                none,
            });
        }
        if new.is_empty() {
            return Some(Difference::List {
                members: texts(old),
                set: false,
                none,
            });
        }
    }
    let (added, removed) = (without(new, old), without(old, new));
    if added.is_empty() && removed.is_empty() {
        return None;
    }
    Some(told_apart(added, removed))
}

/// Whether an empty list means nobody, so that coming and going is all there is to say.
fn is_open_list(name: &str) -> bool {
    name.ends_with("exclude") || name == "members" || name == "configurations"
}

/// Whether the attribute has members that are the same on both sides.
fn stays(changes: &[PropertyChange], object: Option<&Object>, name: &str) -> bool {
    object.is_some_and(|object| {
        object
            .iter()
            .filter(|(property, _)| changes.iter().all(|change| change.wire != property.wire))
            .any(|(property, value)| {
                Names::default()
                    .parts(property, value)
                    .iter()
                    .any(|(place, _)| *place == name)
            })
    })
}

fn without<'a>(side: &'a Side, other: &Side) -> Vec<&'a Member> {
    side.members
        .iter()
        .filter(|member| other.members.iter().all(|known| known.key != member.key))
        .collect()
}

/// Two objects of one name are told apart by their ids.
fn told_apart(added: Vec<&Member>, removed: Vec<&Member>) -> Difference {
    let text = |member: &Member, others: &[&Member]| match member.key.strip_prefix("id ") {
        Some(id) if others.iter().any(|other| other.text == member.text) => {
            format!("{} (id {id})", member.text)
        }
        _ => member.text.clone(),
    };
    Difference::Members {
        added: added.iter().map(|member| text(member, &removed)).collect(),
        removed: removed.iter().map(|member| text(member, &added)).collect(),
    }
}

/// What leaving an attribute out means.
fn none_text(name: &str, property: Option<&Property>) -> String {
    let Some(property) = property else {
        return "not set".to_owned();
    };
    match (property.default, property.shape) {
        (Some(wire), Shape::SymbolSet(symbols)) => format!("[{}]", symbols.word_of(wire)),
        (Some(wire), Shape::Symbol(symbols)) => symbols.word_of(wire).to_owned(),
        (_, Shape::Boolean) => "false".to_owned(),
        (_, Shape::Toggle) => "off".to_owned(),
        (_, Shape::Flag("off")) => "on".to_owned(),
        _ if name.ends_with("sign_in_frequency_for") => "every factor".to_owned(),
        _ => "not set".to_owned(),
    }
}
