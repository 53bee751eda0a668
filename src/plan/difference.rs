//! The three-way difference: what is wanted, what was sent and answered, what is live.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use serde_json::Value as Json;

use crate::model::live::LiveObject;
use crate::model::properties::{Access, Property};
use crate::model::state::{Json as StateJson, ResourceState};
use crate::model::wire::{self, WireError, members_path};
use crate::model::{Kind, Object, Value};

use super::change::{PropertyChange, RawChange};

/// What state remembers of an object; read back when it is asked for, which for most objects it never is.
#[derive(Debug, Default)]
pub(super) struct Memory<'a> {
    sent: Remembered<'a>,
    answered: Remembered<'a>,
}

/// One text of state.
#[derive(Debug, Default)]
struct Remembered<'a> {
    kind: Option<Kind>,
    text: Option<&'a StateJson>,
    /// The live object, when the text says exactly what that says.
    same_as: Option<&'a LiveObject>,
    read: OnceCell<(Json, Result<Option<Object>, WireError>)>,
}

impl Remembered<'_> {
    fn json(&self) -> &Json {
        &self.read().0
    }

    /// An object of another kind by now is as good as forgotten.
    fn object(&self) -> Option<&Object> {
        match self.same_as {
            Some(live) => Some(&live.object),
            None => self.read().1.as_ref().ok()?.as_ref(),
        }
    }

    fn read(&self) -> &(Json, Result<Option<Object>, WireError>) {
        self.read.get_or_init(|| {
            let (Some(kind), Some(text)) = (self.kind, self.text) else {
                return (Json::Null, Ok(None));
            };
            let json = text.value();
            let other =
                kind.block() == "location" && wire::location_kind(&json).is_some_and(|found| found != kind);
            let object = if other {
                Ok(None)
            } else {
                wire::decode(kind, &json).map(|decoded| Some(decoded.object))
            };
            (json, object)
        })
    }

    fn check(&self) -> Result<(), WireError> {
        match self.read.get() {
            Some((_, Err(error))) => Err(error.clone()),
            _ => Ok(()),
        }
    }
}

/// What differs.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Difference {
    pub(super) properties: Vec<&'static Property>,
    pub(super) raw: Vec<RawChange>,
}

impl<'a> Memory<'a> {
    /// What state remembers of the live object.
    pub(super) fn of(kind: Kind, state: Option<&'a ResourceState>, live: Option<&'a LiveObject>) -> Self {
        let remembered = |text: Option<&'a StateJson>| Remembered {
            kind: Some(kind),
            text,
            ..Remembered::default()
        };
        let sent = remembered(state.and_then(|state| state.sent.as_ref()));
        let mut answered = remembered(state.and_then(|state| state.answered.as_ref()));
        answered.same_as =
            live.filter(|live| live.kind == kind && answered.text.is_some_and(|text| *text == live.json));
        Self { sent, answered }
    }

    /// Errors when what was asked for can't be read.
    pub(super) fn check(&self) -> Result<(), WireError> {
        self.sent.check()?;
        self.answered.check()
    }

    fn sent(&self, wire: &str) -> Option<&Value> {
        self.sent.object().and_then(|sent| sent.get(wire))
    }

    fn answered(&self, wire: &str) -> Option<&Value> {
        self.answered.object().and_then(|answered| answered.get(wire))
    }

    fn is_whole(&self) -> bool {
        self.sent.object().is_some() && self.answered.object().is_some()
    }
}

/// Properties that the engineer may change on an existing object.
fn changeable(kind: Kind) -> impl Iterator<Item = &'static Property> {
    kind.properties()
        .iter()
        .filter(|property| matches!(property.access, Access::Written | Access::NeverRead))
}

/// Puts the live value where `ignore_changes` says that it stands.
pub(super) fn leave_alone(after: &mut Object, live: &LiveObject, memory: &Memory<'_>, ignored: &[String]) {
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
pub(super) fn as_shown(live: &LiveObject, memory: &Memory<'_>) -> Object {
    let mut shown = live.object.clone();
    for property in live.kind.properties() {
        if property.access == Access::NeverRead && shown.get(property.wire).is_none() {
            shown.set(property.wire, memory.sent(property.wire).cloned());
        }
    }
    shown
}

/// What must be written so that the live object becomes `after`.
pub(super) fn compare(after: &Object, live: &LiveObject, memory: &Memory<'_>) -> Difference {
    let properties = changeable(after.kind)
        .filter(|property| !is_settled(property, after, live, memory))
        .collect();
    Difference {
        properties,
        raw: raw_changes(after, live, memory),
    }
}

fn is_settled(property: &Property, after: &Object, live: &LiveObject, memory: &Memory<'_>) -> bool {
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
pub(super) fn drift(live: &LiveObject, memory: &Memory<'_>) -> Vec<PropertyChange> {
    let Some(answered) = memory
        .answered
        .object()
        .filter(|_| memory.answered.same_as.is_none())
    else {
        return Vec::new();
    };
    live.kind
        .properties()
        .iter()
        .filter(|property| matches!(property.access, Access::Written | Access::CreateOnly))
        .filter(|property| {
            property.wire != members_path()
                || live.kind != Kind::Group
                || (live.has_members() && memory.answered.json().get(members_path()).is_some())
        })
        .filter(|property| !equal(answered.get(property.wire), live.object.get(property.wire)))
        .map(|property| change(property, Some(answered), Some(&live.object)))
        .collect()
}

/// What becomes of one property between two objects.
pub(super) fn change(property: &Property, before: Option<&Object>, after: Option<&Object>) -> PropertyChange {
    PropertyChange {
        wire: property.wire.into(),
        dsl: property.dsl.first().copied().unwrap_or(property.wire).into(),
        before: before.and_then(|object| object.shared(property.wire)),
        after: after.and_then(|object| object.shared(property.wire)),
    }
}

/// Every property in which two objects differ; for creations and deletions one of them is missing.
pub(super) fn all_changes(before: Option<&Object>, after: Option<&Object>) -> Vec<PropertyChange> {
    let Some(kind) = after.or(before).map(|object| object.kind) else {
        return Vec::new();
    };
    let mut changes: Vec<PropertyChange> = kind
        .properties()
        .iter()
        .filter(|property| property.access != Access::ReadOnly)
        .filter_map(|property| {
            let old = before.and_then(|object| object.get(property.wire));
            let new = after.and_then(|object| object.get(property.wire));
            (!equal(old, new)).then(|| change(property, before, after))
        })
        .collect();
    changes.shrink_to_fit();
    changes
}

fn raw_changes(after: &Object, live: &LiveObject, memory: &Memory<'_>) -> Vec<RawChange> {
    let mut leaves = Vec::new();
    if let Some(raw) = &after.raw {
        flatten(raw, String::new(), &mut leaves);
    }
    if leaves.is_empty() {
        return Vec::new();
    }
    let live = live.json.value();
    leaves
        .into_iter()
        .filter_map(|(path, wanted)| {
            let at = |json: &Json| wire::at(json, &path).cloned().unwrap_or_default();
            let (shown, sent, answered) = (at(&live), at(memory.sent.json()), at(memory.answered.json()));
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
    wire::canonical_text(&wire::pruned(left)) == wire::canonical_text(&wire::pruned(right))
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
