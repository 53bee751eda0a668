//! A resolved object in the form that compares with what the service shows, and its whole body.

use serde_json::{Map, Value as Json};

use crate::model::properties::{ApiVersion, Property, Shape};
use crate::model::state::Json as StateJson;
use crate::model::wire::{self, Body, WireError, members_path};
use crate::model::{Address, Kind, Object, Reference, Value};

use super::step::Pending;

/// Stands in a body for an id that is not known yet; no id and no name starts with it.
const MARK: char = '\u{1f}';

/// A body whose unknown ids are null, and where they go.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct OpenBody {
    pub(super) version: ApiVersion,
    pub(super) json: StateJson,
    pub(super) pending: Vec<Pending>,
}

/// The whole body, and the object as the service would show it if it changed nothing.
///
/// Going through the wire irons out every difference in writing that the codec knows: what is equal
/// afterwards is equal to the service.
pub(super) fn canonical(object: &Object) -> Result<(Object, OpenBody), WireError> {
    let body = wire::encode(object, &mut mark)?;
    let mut same = wire::decode(object.kind, &body.json)?.object;
    same = same.map_references(unmark);
    same.raw.clone_from(&object.raw);
    if object.kind == Kind::Group {
        // Left out, the service's own choice stands.
        if object.get("mailNickname").is_none() {
            same.set("mailNickname", None);
        }
        same.set(members_path(), members(object));
    }
    Ok((same, open(object, body)))
}

/// The body that changes these properties.
pub(super) fn changes(object: &Object, changed: &[&Property]) -> Result<OpenBody, WireError> {
    Ok(open(object, wire::encode_changes(object, changed, &mut mark)?))
}

fn members(group: &Object) -> Option<Value> {
    let Some(Value::References(members)) = group.get(members_path()) else {
        return None;
    };
    let target =
        crate::model::properties::by_wire(Kind::Group, members_path()).and_then(|property| match property
            .shape
        {
            Shape::References(accepts) => Some(accepts.target),
            _ => None,
        })?;
    Some(Value::References(
        members
            .iter()
            .map(|member| match member {
                Reference::Id { id, .. } => Reference::id(target, id),
                other => other.clone(),
            })
            .collect(),
    ))
}

fn mark(reference: &Reference) -> Option<String> {
    match reference {
        Reference::Managed { address, .. } => Some(format!("{MARK}{address}")),
        // A look-up that found nothing has been reported; the body is never sent.
        Reference::Lookup(lookup) => Some(format!("{MARK}{}", lookup.name)),
        Reference::Keyword(_) | Reference::Id { .. } => None,
    }
}

fn unmark(reference: &Reference) -> Reference {
    match reference {
        Reference::Id { target, id } => match marked(id) {
            Some(address) => Reference::managed(*target, address),
            None => reference.clone(),
        },
        other => other.clone(),
    }
}

fn marked(text: &str) -> Option<Address> {
    text.strip_prefix(MARK)?.parse().ok()
}

fn open(object: &Object, body: Body) -> OpenBody {
    let mut pending = Vec::new();
    let mut json = body.json;
    take_marks(&mut json, &mut String::new(), &mut pending);
    let newest = object
        .raw
        .as_ref()
        .is_some_and(|raw| !wire::pruned(raw).is_null());
    pending.shrink_to_fit();
    OpenBody {
        // What the table does not know is most likely in beta alone; beta has all of v1.0.
        version: if newest { ApiVersion::Beta } else { body.version },
        json: json.into(),
        pending,
    }
}

fn take_marks(json: &mut Json, path: &mut String, pending: &mut Vec<Pending>) {
    let length = path.len();
    match json {
        Json::String(text) => {
            if let Some(address) = marked(text) {
                pending.push(Pending {
                    pointer: path.clone(),
                    address,
                });
                *json = Json::Null;
            }
        }
        Json::Array(values) => {
            for (at, value) in values.iter_mut().enumerate() {
                path.push('/');
                path.push_str(&at.to_string());
                take_marks(value, path, pending);
                path.truncate(length);
            }
        }
        Json::Object(map) => take_from_map(map, path, pending),
        _ => {}
    }
}

fn take_from_map(map: &mut Map<String, Json>, path: &mut String, pending: &mut Vec<Pending>) {
    let length = path.len();
    for (member, value) in map {
        path.push('/');
        path.push_str(&member.replace('~', "~0").replace('/', "~1"));
        take_marks(value, path, pending);
        path.truncate(length);
    }
}
