//! One step as one request: what is sent, how the journal tells it, what came of it.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::graph::{Collection, Graph, GraphError, Version};
use crate::model::properties::ApiVersion;
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

pub(super) fn version(version: ApiVersion) -> Version {
    match version {
        ApiVersion::V1 => Version::V1,
        ApiVersion::Beta => Version::Beta,
    }
}

/// A request with every id filled in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ready {
    pub(super) call: Call,
    pub(super) operation: Operation,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) version: Version,
    pub(super) api_version: ApiVersion,
    pub(super) body: Option<Json>,
    pub(super) verb: &'static str,
}

/// Which of Graph's operations it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Call {
    Create(Collection),
    Update(Collection, String),
    Delete(Collection, String),
    SetCombinations(String, Vec<String>),
    AddConfiguration(String),
    RemoveConfiguration(String, String),
    AddMembers(String, Vec<String>),
    RemoveMember(String, String),
}

/// Fills in the ids; `None` when one is not known, which no step in order can meet.
pub(super) fn ready(act: &Act, ids: &BTreeMap<Address, String>) -> Option<Ready> {
    let known = |id: &ObjectId| match id {
        ObjectId::Known(id) => Some(id.clone()),
        ObjectId::Of(address) => ids.get(address).cloned(),
    };
    Some(match act {
        Act::Create {
            kind,
            version: of,
            body,
            pending,
        } => {
            let collection = collection(*kind);
            // The caller chooses a context's id, so creating one is a PATCH to its own address.
            let path = match (kind, body.get("id").and_then(Json::as_str)) {
                (Kind::Context, Some(id)) => format!("{}/{id}", collection.path()),
                _ => collection.path().to_owned(),
            };
            Ready {
                call: Call::Create(collection),
                operation: Operation::Create,
                method: if *kind == Kind::Context { "PATCH" } else { "POST" },
                path,
                version: version(*of),
                api_version: *of,
                body: Some(filled(body, pending, ids)?),
                verb: "create",
            }
        }
        Act::Update {
            kind,
            id,
            version: of,
            body,
            pending,
        } => update(*kind, id, *of, filled(body, pending, ids)?, "update"),
        Act::Release {
            kind,
            id,
            version: of,
            body,
        } => update(*kind, id, *of, body.clone(), "release"),
        Act::Delete {
            kind,
            id,
            version: of,
        } => Ready {
            call: Call::Delete(collection(*kind), id.clone()),
            operation: Operation::Delete,
            method: "DELETE",
            path: format!("{}/{id}", collection(*kind).path()),
            version: version(*of),
            api_version: *of,
            body: None,
            verb: "delete",
        },
        Act::SetCombinations { id, combinations } => Ready {
            call: Call::SetCombinations(id.clone(), combinations.clone()),
            operation: Operation::Update,
            method: "POST",
            path: format!("{}/{id}/updateAllowedCombinations", Collection::Strengths.path()),
            version: Version::V1,
            api_version: ApiVersion::V1,
            body: Some(json!({ "allowedCombinations": combinations })),
            verb: "update",
        },
        Act::AddConfiguration { id, body } => Ready {
            call: Call::AddConfiguration(id.clone()),
            operation: Operation::Link,
            method: "POST",
            path: format!("{}/{id}/combinationConfigurations", Collection::Strengths.path()),
            version: Version::V1,
            api_version: ApiVersion::V1,
            body: Some(body.clone()),
            verb: "update",
        },
        Act::RemoveConfiguration { id, configuration } => Ready {
            call: Call::RemoveConfiguration(id.clone(), configuration.clone()),
            operation: Operation::Unlink,
            method: "DELETE",
            path: format!(
                "{}/{id}/combinationConfigurations/{configuration}",
                Collection::Strengths.path()
            ),
            version: Version::V1,
            api_version: ApiVersion::V1,
            body: None,
            verb: "update",
        },
        Act::AddMembers { group, members } => {
            let group = known(group)?;
            let members: Vec<String> = members.iter().map(known).collect::<Option<_>>()?;
            Ready {
                operation: Operation::Link,
                method: "PATCH",
                path: format!("{}/{group}", Collection::Groups.path()),
                version: Version::V1,
                api_version: ApiVersion::V1,
                body: Some(json!({ "members@odata.bind": members })),
                call: Call::AddMembers(group, members),
                verb: "update",
            }
        }
        Act::RemoveMember { group, member } => {
            let group = known(group)?;
            Ready {
                operation: Operation::Unlink,
                method: "DELETE",
                path: format!("{}/{group}/members/{member}/$ref", Collection::Groups.path()),
                version: Version::V1,
                api_version: ApiVersion::V1,
                body: None,
                call: Call::RemoveMember(group, member.clone()),
                verb: "update",
            }
        }
        Act::Adopt { .. } | Act::Forget | Act::Move { .. } | Act::Remember => return None,
    })
}

fn update(kind: Kind, id: &str, of: ApiVersion, body: Json, verb: &'static str) -> Ready {
    Ready {
        call: Call::Update(collection(kind), id.to_owned()),
        operation: Operation::Update,
        method: "PATCH",
        path: format!("{}/{id}", collection(kind).path()),
        version: version(of),
        api_version: of,
        body: Some(body),
        verb,
    }
}

fn filled(body: &Json, pending: &[Pending], ids: &BTreeMap<Address, String>) -> Option<Json> {
    let mut body = body.clone();
    for place in pending {
        if !fill(&mut body, place, ids.get(&place.address)?) {
            return None;
        }
    }
    Some(body)
}

/// What the service answered.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    pub(super) id: Option<String>,
    pub(super) body: Option<Json>,
}

/// Sends it once; the client repeats what is harmless to repeat.
pub(super) async fn send(graph: &Graph, ready: &Ready) -> Result<Answer, GraphError> {
    let body = || ready.body.clone().unwrap_or_default();
    let nothing = Answer { id: None, body: None };
    Ok(match &ready.call {
        Call::Create(collection) => {
            let made = graph.create(*collection, ready.version, body()).await?;
            let id = made.get("id").and_then(Json::as_str).map(str::to_owned);
            Answer { id, body: Some(made) }
        }
        Call::Update(collection, id) => {
            let body = graph.update(*collection, ready.version, id, body()).await?;
            Answer {
                id: Some(id.clone()),
                body,
            }
        }
        Call::Delete(collection, id) => match graph.delete(*collection, ready.version, id).await {
            // Gone is what was wanted.
            Ok(()) => nothing,
            Err(error) if error.is_not_found() => nothing,
            Err(error) => return Err(error),
        },
        Call::SetCombinations(id, combinations) => {
            graph
                .update_allowed_combinations(ready.version, id, combinations)
                .await?;
            Answer {
                id: Some(id.clone()),
                body: None,
            }
        }
        Call::AddConfiguration(id) => {
            graph
                .create_combination_configuration(ready.version, id, body())
                .await?;
            Answer {
                id: Some(id.clone()),
                body: None,
            }
        }
        Call::RemoveConfiguration(id, configuration) => {
            match graph
                .delete_combination_configuration(ready.version, id, configuration)
                .await
            {
                Err(error) if !error.is_not_found() => return Err(error),
                _ => Answer {
                    id: Some(id.clone()),
                    body: None,
                },
            }
        }
        Call::AddMembers(group, members) => {
            for member in members {
                graph.add_member(group, member).await?;
            }
            Answer {
                id: Some(group.clone()),
                body: None,
            }
        }
        Call::RemoveMember(group, member) => {
            graph.remove_member(group, member).await?;
            Answer {
                id: Some(group.clone()),
                body: None,
            }
        }
    })
}
