//! One step as one request, with every id filled in.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::graph::Collection;
use crate::model::properties::ApiVersion;
use crate::model::state::Json as StateJson;
use crate::model::{Address, Kind};
use crate::plan::step::fill;
use crate::plan::{Act, ObjectId, Pending};
use crate::state::journal::Operation;

/// The collection that holds a kind of object.
pub(super) fn collection(kind: Kind) -> Collection {
    match kind {
        Kind::Policy => Collection::Policies,
        Kind::IpLocation | Kind::CountryLocation | Kind::CompliantNetworkLocation => {
            Collection::NamedLocations
        }
        Kind::Strength => Collection::Strengths,
        Kind::Context => Collection::Contexts,
        Kind::Group => Collection::Groups,
    }
}

/// A request with every id filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ready {
    pub(super) call: Call,
    pub(super) operation: Operation,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) api_version: ApiVersion,
    pub(super) body: Option<Json>,
    pub(super) verb: &'static str,
}

/// Which of Graph's operations it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Call {
    Create(Collection),
    /// The caller chooses a context's id, so making one is a change of what is not there yet.
    CreateContext(String),
    Update(Collection, String),
    Delete(Collection, String),
    Restore(Collection, String),
    SetCombinations(String, Vec<String>),
    AddConfiguration(String),
    RemoveConfiguration(String, String),
    AddMembers(String, Vec<String>),
    RemoveMember(String, String),
}

impl Ready {
    fn new(call: Call, operation: Operation, method: &'static str, path: String) -> Self {
        Self {
            call,
            operation,
            method,
            path,
            api_version: ApiVersion::V1,
            body: None,
            verb: "update",
        }
    }

    fn with(self, api_version: ApiVersion, body: Option<Json>, verb: &'static str) -> Self {
        Self {
            api_version,
            body,
            verb,
            ..self
        }
    }
}

/// Fills in the ids; `None` when one is not known, which no step in order can meet.
///
/// `audience` is the root that references to directory objects start with.
pub(super) fn ready(act: &Act, ids: &BTreeMap<Address, String>, audience: &str) -> Option<Ready> {
    let known = |id: &ObjectId| match id {
        ObjectId::Known(id) => Some(id.clone()),
        ObjectId::Of(address) => ids.get(address).cloned(),
    };
    let strength = |id: &str, rest: &str| format!("{}/{id}/{rest}", Collection::Strengths.path());
    Some(match act {
        Act::Create {
            kind,
            version,
            body,
            pending,
        } => create(*kind, *version, filled(body, pending, ids)?),
        Act::Update {
            kind,
            id,
            version,
            body,
            pending,
        } => update(*kind, id).with(*version, Some(filled(body, pending, ids)?), "update"),
        Act::Release {
            kind,
            id,
            version,
            body,
        } => update(*kind, id).with(*version, Some(body.value()), "release"),
        Act::Delete { kind, id, version } => Ready::new(
            Call::Delete(collection(*kind), id.clone()),
            Operation::Delete,
            "DELETE",
            format!("{}/{id}", collection(*kind).path()),
        )
        .with(*version, None, "delete"),
        Act::Restore { kind, id } => Ready::new(
            Call::Restore(collection(*kind), id.clone()),
            Operation::Restore,
            "POST",
            format!("{}/{id}", collection(*kind).path()),
        )
        .with(ApiVersion::V1, None, "restore"),
        Act::SetCombinations { id, combinations } => Ready::new(
            Call::SetCombinations(id.clone(), combinations.clone()),
            Operation::Update,
            "POST",
            strength(id, SET_COMBINATIONS),
        )
        .with(
            ApiVersion::V1,
            Some(json!({ "allowedCombinations": combinations })),
            "update",
        ),
        Act::AddConfiguration { id, body } => Ready::new(
            Call::AddConfiguration(id.clone()),
            Operation::Link,
            "POST",
            strength(id, CONFIGURATIONS),
        )
        .with(ApiVersion::V1, Some(body.value()), "update"),
        Act::RemoveConfiguration { id, configuration } => Ready::new(
            Call::RemoveConfiguration(id.clone(), configuration.clone()),
            Operation::Unlink,
            "DELETE",
            strength(id, &format!("{CONFIGURATIONS}/{configuration}")),
        ),
        Act::AddMembers { group, members } => {
            let group = known(group)?;
            let members: Vec<String> = members.iter().map(known).collect::<Option<_>>()?;
            let links: Vec<String> = members
                .iter()
                .map(|member| format!("{audience}/v1.0/directoryObjects/{member}"))
                .collect();
            let path = format!("{}/{group}", Collection::Groups.path());
            Ready::new(Call::AddMembers(group, members), Operation::Link, "PATCH", path).with(
                ApiVersion::V1,
                Some(json!({ MEMBERS_BIND: links })),
                "update",
            )
        }
        Act::RemoveMember { group, member } => {
            let group = known(group)?;
            let path = format!("{}/{group}/members/{member}/$ref", Collection::Groups.path());
            Ready::new(
                Call::RemoveMember(group, member.clone()),
                Operation::Unlink,
                "DELETE",
                path,
            )
        }
        Act::Adopt { .. } | Act::Forget | Act::Move { .. } | Act::Remember => return None,
    })
}

/// The last part of the paths that journals hold for what hangs on an object.
pub(super) const SET_COMBINATIONS: &str = "updateAllowedCombinations";
pub(super) const CONFIGURATIONS: &str = "combinationConfigurations";
pub(super) const MEMBERS_BIND: &str = "members@odata.bind";

fn create(kind: Kind, version: ApiVersion, mut body: Json) -> Ready {
    let collection = collection(kind);
    let chosen = (kind == Kind::Context)
        .then(|| body.as_object_mut()?.remove("id"))
        .flatten();
    match chosen.as_ref().and_then(Json::as_str) {
        Some(id) => Ready::new(
            Call::CreateContext(id.to_owned()),
            Operation::Create,
            "PATCH",
            format!("{}/{id}", collection.path()),
        ),
        None => Ready::new(
            Call::Create(collection),
            Operation::Create,
            "POST",
            collection.path().to_owned(),
        ),
    }
    .with(version, Some(body), "create")
}

fn update(kind: Kind, id: &str) -> Ready {
    Ready::new(
        Call::Update(collection(kind), id.to_owned()),
        Operation::Update,
        "PATCH",
        format!("{}/{id}", collection(kind).path()),
    )
}

fn filled(body: &StateJson, pending: &[Pending], ids: &BTreeMap<Address, String>) -> Option<Json> {
    let mut body = body.value();
    for place in pending {
        if !fill(&mut body, place, ids.get(&place.address)?) {
            return None;
        }
    }
    Some(body)
}
