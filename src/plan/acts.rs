//! The acts that one change takes, in their order.

use indexmap::IndexSet;
use serde_json::Value as Json;

use crate::model::live::LiveObject;
use crate::model::value::{CombinationConfiguration, Value};
use crate::model::wire::{self, WireError, members_path};
use crate::model::{Address, Kind, Object, Reference};

use super::canonical::{self, OpenBody};
use super::difference::Difference;
use super::identity::Standing;
use super::preflight;
use super::step::{Act, ObjectId};

/// How many members one request takes (`FACTS` 4).
const MEMBERS_A_REQUEST: usize = 20;

const COMBINATIONS: &str = "allowedCombinations";
const CONFIGURATIONS: &str = "combinationConfigurations";

/// The acts of one change. What builds comes before what deletes.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Acts {
    /// Entries in state that come first.
    pub(super) entries: Vec<Act>,
    /// Requests that make or change.
    pub(super) builds: Vec<Act>,
    /// Requests that delete.
    pub(super) deletes: Vec<Act>,
}

impl Acts {
    pub(super) fn move_first(&mut self, from: &Address) {
        self.entries.insert(0, Act::Move { from: from.clone() });
    }

    fn of(standing: &Standing<'_>) -> Self {
        let mut acts = Self::default();
        if let Some(from) = &standing.previous {
            acts.move_first(from);
        }
        acts
    }
}

pub(super) fn create(standing: &Standing<'_>, after: &Object, body: OpenBody) -> Acts {
    let mut acts = Acts::of(standing);
    acts.builds.push(Act::Create {
        kind: after.kind,
        version: body.version,
        body: body.json,
        pending: body.pending,
    });
    if after.kind == Kind::Group {
        let group = ObjectId::Of(standing.address.clone());
        add_members(&group, &members(after), &mut acts.builds);
    }
    acts
}

pub(super) fn replace(
    standing: &Standing<'_>,
    live: &LiveObject,
    after: &Object,
    body: OpenBody,
) -> Result<Acts, WireError> {
    let mut acts = create(standing, after, body);
    acts.deletes = delete(live)?.deletes;
    Ok(acts)
}

pub(super) fn delete(live: &LiveObject) -> Result<Acts, WireError> {
    let mut acts = Acts::default();
    if let Some(body) = preflight::release(&live.object)? {
        acts.deletes.push(Act::Release {
            kind: live.kind,
            id: live.id.clone(),
            version: body.version,
            body: body.json,
        });
    }
    acts.deletes.push(Act::Delete {
        kind: live.kind,
        id: live.id.clone(),
        version: live.object.version(),
    });
    Ok(acts)
}

pub(super) fn forget() -> Acts {
    Acts {
        entries: vec![Act::Forget],
        ..Acts::default()
    }
}

pub(super) fn remember() -> Acts {
    Acts {
        entries: vec![Act::Remember],
        ..Acts::default()
    }
}

pub(super) fn update(
    standing: &Standing<'_>,
    live: &LiveObject,
    after: &Object,
    found: &Difference,
    guard_changes: bool,
) -> Result<Acts, WireError> {
    let mut acts = Acts::of(standing);
    if standing.imported {
        acts.entries.push(Act::Adopt {
            kind: live.kind,
            id: live.id.clone(),
        });
    } else if guard_changes {
        acts.entries.push(Act::Remember);
    }
    let apart: &[&str] = match after.kind {
        Kind::Strength => &[COMBINATIONS, CONFIGURATIONS],
        Kind::Group => &["members"],
        _ => &[],
    };
    let in_body: Vec<_> = found
        .properties
        .iter()
        .copied()
        .filter(|property| !apart.contains(&property.wire))
        .collect();
    if !in_body.is_empty() || !found.raw.is_empty() {
        let body = canonical::changes(after, &in_body)?;
        acts.builds.push(Act::Update {
            kind: after.kind,
            id: live.id.clone(),
            version: body.version,
            body: body.json,
            pending: body.pending,
        });
    }
    let differs = |wire: &str| found.properties.iter().any(|property| property.wire == wire);
    if after.kind == Kind::Strength && (differs(COMBINATIONS) || differs(CONFIGURATIONS)) {
        strength(live, after, differs(COMBINATIONS), &mut acts.builds)?;
    }
    if after.kind == Kind::Group && differs(members_path()) {
        membership(live, after, &mut acts.builds);
    }
    Ok(acts)
}

/// Combinations have an action of their own, and configurations are written one by one (`FACTS` 7).
///
/// Configurations that go are removed first and new ones come last, so that at every moment each
/// applies to a combination that is allowed.
fn strength(
    live: &LiveObject,
    after: &Object,
    combinations_differ: bool,
    builds: &mut Vec<Act>,
) -> Result<(), WireError> {
    let wanted = match after.get(CONFIGURATIONS) {
        Some(Value::CombinationConfigurations(wanted)) => wanted.clone(),
        _ => Vec::new(),
    };
    let mut kept: Vec<CombinationConfiguration> = Vec::new();
    let json = live.json.value();
    let shown = wire::at(&json, CONFIGURATIONS).and_then(Json::as_array);
    for json in shown.into_iter().flatten() {
        let one = Json::Object(
            [(CONFIGURATIONS.to_owned(), Json::Array(vec![json.clone()]))]
                .into_iter()
                .collect(),
        );
        let decoded = wire::decode(Kind::Strength, &one)?.object;
        let Some(Value::CombinationConfigurations(read)) = decoded.get(CONFIGURATIONS) else {
            continue;
        };
        let stays = read
            .iter()
            .find(|one| wanted.contains(one) && !kept.contains(one));
        if let Some(stays) = stays {
            kept.push(stays.clone());
            continue;
        }
        let Some(configuration) = json.get("id").and_then(Json::as_str) else {
            return Err(WireError {
                path: CONFIGURATIONS.into(),
                problem: "holds a configuration without an id, which can't be removed".into(),
            });
        };
        builds.push(Act::RemoveConfiguration {
            id: live.id.clone(),
            configuration: configuration.to_owned(),
        });
    }
    if combinations_differ {
        builds.push(Act::SetCombinations {
            id: live.id.clone(),
            combinations: match after.get(COMBINATIONS) {
                Some(Value::Symbols(combinations)) => combinations.iter().cloned().collect(),
                _ => Vec::new(),
            },
        });
    }
    let mut fresh = Object::new(Kind::Strength);
    let added: Vec<CombinationConfiguration> = wanted.into_iter().filter(|one| !kept.contains(one)).collect();
    fresh.set(CONFIGURATIONS, Some(Value::CombinationConfigurations(added)));
    let body = wire::encode(&fresh, &mut |_| None)?;
    let bodies = wire::at(&body.json, CONFIGURATIONS).and_then(Json::as_array);
    for body in bodies.into_iter().flatten() {
        builds.push(Act::AddConfiguration {
            id: live.id.clone(),
            body: body.clone().into(),
        });
    }
    Ok(())
}

fn members(group: &Object) -> IndexSet<Reference> {
    group.reference_set(members_path()).cloned().collect()
}

fn add_members(group: &ObjectId, members: &IndexSet<Reference>, builds: &mut Vec<Act>) {
    let ids: Vec<ObjectId> = members
        .iter()
        .filter_map(|member| match member {
            Reference::Id { id, .. } => Some(ObjectId::Known(id.clone())),
            Reference::Managed { address, .. } => Some(ObjectId::Of((**address).clone())),
            Reference::Keyword(_) | Reference::Lookup(_) => None,
        })
        .collect();
    for chunk in ids.chunks(MEMBERS_A_REQUEST) {
        builds.push(Act::AddMembers {
            group: group.clone(),
            members: chunk.to_vec(),
        });
    }
}

fn membership(live: &LiveObject, after: &Object, builds: &mut Vec<Act>) {
    let (present, wanted) = (members(&live.object), members(after));
    let group = ObjectId::Known(live.id.clone());
    add_members(&group, &wanted.difference(&present).cloned().collect(), builds);
    for member in present.difference(&wanted) {
        if let Reference::Id { id, .. } = member {
            builds.push(Act::RemoveMember {
                group: group.clone(),
                member: id.clone(),
            });
        }
    }
}
