//! The three-way difference: what is wanted, what was sent and answered, what is live.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::model::live::LiveObject;
use crate::model::properties::{Access, Property};
use crate::model::state::{Json as StateJson, ResourceState};
use crate::model::wire::{self, WireError, members_path};
use crate::model::{Kind, Object, Value};

use super::change::{PropertyChange, RawChange};

/// What state remembers of an object, read back.
#[derive(Debug, Clone, Default)]
pub(super) struct Memory {
    sent: Option<Object>,
    sent_json: Json,
    answered: Option<Object>,
    answered_json: Json,
}

/// What differs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Difference {
    pub(super) properties: Vec<&'static Property>,
    pub(super) raw: Vec<RawChange>,
}

impl Memory {
    /// Reads what state remembers; an object of another kind by now is as good as forgotten.
    pub(super) fn of(kind: Kind, state: Option<&ResourceState>) -> Result<Self, WireError> {
        let read = |json: Option<&Json>| -> Result<Option<Object>, WireError> {
            let Some(json) = json else { return Ok(None) };
            let other =
                kind.block() == "location" && wire::location_kind(json).is_some_and(|found| found != kind);
            if other {
                return Ok(None);
            }
            Ok(Some(wire::decode(kind, json)?.object))
        };
        let sent = state.and_then(|state| state.sent.as_ref()).map(StateJson::value);
        let answered = state
            .and_then(|state| state.answered.as_ref())
            .map(StateJson::value);
        Ok(Self {
            sent: read(sent.as_ref())?,
            sent_json: sent.unwrap_or_default(),
            answered: read(answered.as_ref())?,
            answered_json: answered.unwrap_or_default(),
        })
    }

    fn sent(&self, wire: &str) -> Option<&Value> {
        self.sent.as_ref().and_then(|sent| sent.get(wire))
    }

    fn answered(&self, wire: &str) -> Option<&Value> {
        self.answered.as_ref().and_then(|answered| answered.get(wire))
    }

    fn is_whole(&self) -> bool {
        self.sent.is_some() && self.answered.is_some()
    }
}

/// Properties that the engineer may change on an existing object.
fn changeable(kind: Kind) -> impl Iterator<Item = &'static Property> {
    kind.properties()
        .iter()
        .filter(|property| matches!(property.access, Access::Written | Access::NeverRead))
}

/// Puts the live value where `ignore_changes` says that it stands.
pub(super) fn leave_alone(after: &mut Object, live: &LiveObject, memory: &Memory, ignored: &[String]) {
    for property in live.kind.properties() {
        let is_ignored = ignored.iter().any(|path| {
            property.wire == path
                || property
                    .wire
                    .strip_prefix(path.as_str())
                    .is_some_and(|rest| rest.starts_with('.'))
        });
        if is_ignored && property.access != Access::ReadOnly {
            let stands = match live.object.get(property.wire) {
                None if property.access == Access::NeverRead => memory.sent(property.wire),
                shown => shown,
            };
            after.set(property.wire, stands.cloned());
        }
    }
}

/// What is live, with what the service never shows taken from what was sent.
pub(super) fn as_shown(live: &LiveObject, memory: &Memory) -> Object {
    let mut shown = live.object.clone();
    for property in live.kind.properties() {
        if property.access == Access::NeverRead && shown.get(property.wire).is_none() {
            shown.set(property.wire, memory.sent(property.wire).cloned());
        }
    }
    shown
}

/// What must be written so that the live object becomes `after`.
pub(super) fn compare(after: &Object, live: &LiveObject, memory: &Memory) -> Difference {
    let properties = changeable(after.kind)
        .filter(|property| !is_settled(property, after, live, memory))
        .collect();
    Difference {
        properties,
        raw: raw_changes(after, live, memory),
    }
}

fn is_settled(property: &Property, after: &Object, live: &LiveObject, memory: &Memory) -> bool {
    let wanted = after.get(property.wire);
    let shown = live.object.get(property.wire);
    if property.wire == members_path() && after.kind == Kind::Group {
        return wanted.is_none() || equal(wanted, shown);
    }
    if property.access == Access::NeverRead && shown.is_none() {
        return equal(wanted, memory.sent(property.wire));
    }
    equal(wanted, shown)
        || (memory.is_whole()
            && equal(wanted, memory.sent(property.wire))
            && equal(shown, memory.answered(property.wire)))
}

/// Equality as the service means it: lists are sets, and empty is absent.
pub(crate) fn equal(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (
        left.filter(|value| !is_empty(value)),
        right.filter(|value| !is_empty(value)),
    ) {
        (Some(Value::CombinationConfigurations(left)), Some(Value::CombinationConfigurations(right))) => {
            left.len() == right.len() && left.iter().all(|one| right.contains(one))
        }
        (left, right) => left == right,
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.is_empty(),
        Value::Boolean(set) => !set,
        Value::Symbols(set) | Value::Texts(set) => set.is_empty(),
        Value::References(set) => set.is_empty(),
        Value::CombinationConfigurations(list) => list.is_empty(),
        _ => false,
    }
}

/// What was changed outside capol since the service last answered.
pub(super) fn drift(live: &LiveObject, memory: &Memory) -> Vec<PropertyChange> {
    let Some(answered) = &memory.answered else {
        return Vec::new();
    };
    live.kind
        .properties()
        .iter()
        .filter(|property| matches!(property.access, Access::Written | Access::CreateOnly))
        .filter(|property| {
            property.wire != members_path()
                || live.kind != Kind::Group
                || (live.has_members() && memory.answered_json.get(members_path()).is_some())
        })
        .filter(|property| !equal(answered.get(property.wire), live.object.get(property.wire)))
        .map(|property| {
            change(
                property,
                answered.get(property.wire),
                live.object.get(property.wire),
            )
        })
        .collect()
}

pub(super) fn change(property: &Property, before: Option<&Value>, after: Option<&Value>) -> PropertyChange {
    PropertyChange {
        wire: property.wire.to_owned(),
        dsl: property.dsl.first().copied().unwrap_or(property.wire).to_owned(),
        before: before.cloned(),
        after: after.cloned(),
    }
}

/// Every property in which two objects differ; for creations and deletions one of them is missing.
pub(super) fn all_changes(before: Option<&Object>, after: Option<&Object>) -> Vec<PropertyChange> {
    let Some(kind) = after.or(before).map(|object| object.kind) else {
        return Vec::new();
    };
    kind.properties()
        .iter()
        .filter(|property| property.access != Access::ReadOnly)
        .filter_map(|property| {
            let old = before.and_then(|object| object.get(property.wire));
            let new = after.and_then(|object| object.get(property.wire));
            (!equal(old, new)).then(|| change(property, old, new))
        })
        .collect()
}

fn raw_changes(after: &Object, live: &LiveObject, memory: &Memory) -> Vec<RawChange> {
    let mut leaves = Vec::new();
    if let Some(raw) = &after.raw {
        flatten(raw, String::new(), &mut leaves);
    }
    leaves
        .into_iter()
        .filter_map(|(path, wanted)| {
            let at = |json: &Json| wire::at(json, &path).cloned().unwrap_or_default();
            let (shown, sent, answered) = (at(&live.json), at(&memory.sent_json), at(&memory.answered_json));
            let settled = same_json(&wanted, &shown)
                || (memory.is_whole() && same_json(&wanted, &sent) && same_json(&shown, &answered));
            (!settled).then_some(RawChange {
                path,
                before: shown,
                after: wanted,
            })
        })
        .collect()
}

/// The leaves of `raw` with their paths, for those who show an object that is made.
pub(super) fn raw_leaves(raw: Option<&Json>) -> Vec<RawChange> {
    let mut leaves = Vec::new();
    if let Some(raw) = raw {
        flatten(raw, String::new(), &mut leaves);
    }
    leaves
        .into_iter()
        .map(|(path, after)| RawChange {
            path,
            before: Json::Null,
            after,
        })
        .collect()
}

fn flatten(json: &Json, path: String, leaves: &mut Vec<(String, Json)>) {
    match json {
        Json::Object(map) if !map.is_empty() => {
            for (member, value) in map {
                if wire::is_annotation(member) {
                    continue;
                }
                let inner = if path.is_empty() {
                    member.clone()
                } else {
                    format!("{path}.{member}")
                };
                flatten(value, inner, leaves);
            }
        }
        other => leaves.push((path, other.clone())),
    }
}

fn same_json(left: &Json, right: &Json) -> bool {
    super::saved::canonical_json(&wire::pruned(left)) == super::saved::canonical_json(&wire::pruned(right))
}

/// Members of the live object that neither the table nor `raw` knows.
pub(super) fn unknown_members(live: &LiveObject, after: &Object) -> Vec<String> {
    let (mut leaves, mut named) = (Vec::new(), Vec::new());
    flatten(&live.unknown, String::new(), &mut leaves);
    if let Some(raw) = &after.raw {
        flatten(raw, String::new(), &mut named);
    }
    let named: BTreeSet<String> = named.into_iter().map(|(path, _)| path).collect();
    leaves
        .into_iter()
        .map(|(path, _)| path)
        .filter(|path| !path.is_empty() && !named.contains(path))
        .collect()
}
