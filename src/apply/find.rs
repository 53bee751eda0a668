//! What became of a request whose answer was lost: the tenant is asked, nothing is guessed.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::ApplyOptions;
use super::error::ApplyError;
use super::request::{CONFIGURATIONS, MEMBERS_BIND, SET_COMBINATIONS};
use crate::graph::{Collection, Graph, GraphError, Version};
use crate::model::properties::Access;
use crate::model::value::CombinationConfiguration;
use crate::model::wire::{Decoded, decode, location_kind};
use crate::model::{Kind, Value};
use crate::plan::equal;
use crate::state::journal::{Begin, Operation, Outcome};

/// A request whose answer was lost.
pub(super) struct Lost<'a> {
    pub(super) begin: &'a Begin,
    /// Ids that can't be the new object's.
    pub(super) not_ours: BTreeSet<String>,
    /// How many lost creates sent this very body, this one included: which of them made which object makes no
    /// difference to anybody.
    pub(super) twins: usize,
}

/// What the tenant tells of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Trace {
    /// It was carried out.
    Landed(Outcome),
    /// It is not to be seen. Read a moment after the request, that may be an old answer.
    Missing(Outcome),
    /// It is not to be seen, and what it makes would be made twice if it was carried out all the same: not to be
    /// decided before this moment.
    Hidden {
        /// When it may be decided.
        until: Timestamp,
    },
}

/// Finds out what became of it. Errors when the tenant can't be read, or shows several that it could be.
pub(super) async fn find_out(
    graph: &Graph,
    options: &ApplyOptions,
    lost: &Lost<'_>,
) -> Result<Trace, ApplyError> {
    let begin = lost.begin;
    // What is read now is no answer to the request: somebody else may have changed the object since.
    let known = |landed: bool, why: &str| {
        if landed {
            Trace::Landed(Outcome::Done {
                id: id_of(begin),
                answered: None,
            })
        } else {
            Trace::Missing(not_done(why))
        }
    };
    Ok(match begin.operation {
        Operation::Create if begin.chooses_no_id() => return created(graph, options, lost).await,
        Operation::Delete => known(is_gone(graph, begin).await?, "the object is still there"),
        // Its id was chosen and free, so what has it now is ours.
        Operation::Create if is_gone(graph, begin).await? => nowhere(options, begin),
        Operation::Create => known(true, "nothing has its id"),
        Operation::Update | Operation::Restore => {
            let now = current(graph, begin).await?;
            known(
                now.is_some_and(|now| shows(&now, begin)),
                "the object does not show it",
            )
        }
        Operation::Link => {
            let there = linked(graph, begin).await?;
            if !there && begin.path.ends_with(CONFIGURATIONS) {
                return Ok(nowhere(options, begin));
            }
            known(there, "the object does not show it")
        }
        Operation::Unlink => known(unlinked(graph, begin).await?, "it is still there"),
    })
}

fn not_done(why: &str) -> Outcome {
    Outcome::Failed {
        error: format!("it was not carried out: {why}"),
    }
}

fn id_of(begin: &Begin) -> Option<String> {
    match begin.operation {
        Operation::Delete => None,
        _ => object_path(begin).rsplit('/').next().map(str::to_owned),
    }
}

/// The path of the object that a request is about.
fn object_path(begin: &Begin) -> &str {
    let path = begin.path.as_str();
    for part in [SET_COMBINATIONS, CONFIGURATIONS, "members"] {
        if let Some((object, _)) = path.split_once(&format!("/{part}")) {
            return object;
        }
    }
    path
}

async fn read_at(graph: &Graph, begin: &Begin, path: &str) -> Result<Option<Json>, GraphError> {
    match graph.get(begin.api_version, path, &[]).await {
        Ok(json) => Ok(Some(json)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The object of a request now; `None` when it is not there.
async fn current(graph: &Graph, begin: &Begin) -> Result<Option<Json>, GraphError> {
    read_at(graph, begin, object_path(begin)).await
}

/// Whether the object of a delete is gone: neither read nor listed, since either alone may be an old answer.
async fn is_gone(graph: &Graph, begin: &Begin) -> Result<bool, GraphError> {
    if current(graph, begin).await?.is_some() {
        return Ok(false);
    }
    let Some((path, id)) = begin.path.rsplit_once('/') else {
        return Ok(true);
    };
    let collection = Collection::ALL
        .into_iter()
        .find(|collection| collection.path() == path);
    match collection {
        Some(collection) => Ok(!is_listed(graph, collection, begin.api_version, id).await?),
        None => Ok(true),
    }
}

/// Whether a list shows an object.
pub(super) async fn is_listed(
    graph: &Graph,
    collection: Collection,
    version: Version,
    id: &str,
) -> Result<bool, GraphError> {
    if collection == Collection::Groups {
        return Ok(!graph
            .objects_by_id(&[id.to_owned()], &["group"])
            .await?
            .is_empty());
    }
    let is_it = |json: &Json| {
        json.get("id")
            .and_then(Json::as_str)
            .is_some_and(|other| other.eq_ignore_ascii_case(id))
    };
    let mut pages = graph.pages(version, collection.path(), &[]);
    while let Some(page) = pages.next().await? {
        if page.iter().any(is_it) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn members(graph: &Graph, begin: &Begin) -> Result<Option<BTreeSet<String>>, GraphError> {
    let group = object_path(begin).rsplit('/').next().unwrap_or_default();
    match graph.members(group).await {
        Ok(members) => Ok(Some(
            members
                .iter()
                .filter_map(|member| member.get("id")?.as_str().map(str::to_ascii_lowercase))
                .collect(),
        )),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn last_part(link: &str) -> String {
    link.rsplit('/').next().unwrap_or_default().to_ascii_lowercase()
}

async fn linked(graph: &Graph, begin: &Begin) -> Result<bool, GraphError> {
    let body = begin.body.clone().unwrap_or_default();
    if let Some(links) = body.get(MEMBERS_BIND).and_then(Json::as_array) {
        let present = members(graph, begin).await?.unwrap_or_default();
        return Ok(links
            .iter()
            .filter_map(Json::as_str)
            .all(|link| present.contains(&last_part(link))));
    }
    let wanted = configurations(&json!({ CONFIGURATIONS: [body] }));
    let present = current(graph, begin).await?;
    let present = present.as_ref().map(configurations).unwrap_or_default();
    Ok(wanted.iter().all(|wanted| present.contains(wanted)))
}

async fn unlinked(graph: &Graph, begin: &Begin) -> Result<bool, GraphError> {
    match begin.path.strip_suffix("/$ref") {
        Some(member) => Ok(members(graph, begin)
            .await?
            .is_none_or(|present| !present.contains(&last_part(member)))),
        None => Ok(read_at(graph, begin, &begin.path).await?.is_none()),
    }
}

fn configurations(strength: &Json) -> Vec<CombinationConfiguration> {
    let only = json!({ CONFIGURATIONS: strength.get(CONFIGURATIONS) });
    match decode(Kind::Strength, &only)
        .ok()
        .and_then(|decoded| decoded.object.get(CONFIGURATIONS).cloned())
    {
        Some(Value::CombinationConfigurations(configurations)) => configurations,
        _ => Vec::new(),
    }
}

/// The kind whose collection a path lies in.
fn kind_of(path: &str, json: &Json) -> Option<Kind> {
    let within = |collection: Collection| path.starts_with(collection.path());
    if within(Collection::Policies) {
        Some(Kind::Policy)
    } else if within(Collection::NamedLocations) {
        location_kind(json)
    } else if within(Collection::Strengths) {
        Some(Kind::Strength)
    } else if within(Collection::Contexts) {
        Some(Kind::Context)
    } else if within(Collection::Groups) {
        Some(Kind::Group)
    } else {
        None
    }
}

fn read(path: &str, json: &Json) -> Option<Decoded> {
    decode(kind_of(path, json)?, json).ok()
}

/// Whether the object shows everything that the body said.
fn shows(live: &Json, begin: &Begin) -> bool {
    let Some(body) = &begin.body else { return true };
    let Some(kind) = kind_of(&begin.path, live) else {
        return false;
    };
    let (Some(live), Ok(sent)) = (read(&begin.path, live), decode(kind, body)) else {
        return false;
    };
    // A patch says what is off as null or an empty list, so each member that it names is compared.
    kind.properties()
        .iter()
        .filter(|property| names(body, property.wire))
        .filter(|property| property.access == Access::Written)
        .all(|property| equal(live.object.get(property.wire), sent.object.get(property.wire)))
}

/// Whether a body names a wire path, or turns off something around it.
pub(super) fn names(body: &Json, path: &str) -> bool {
    let mut here = body;
    for step in path.split('.') {
        match here.get(step) {
            Some(Json::Null) => return true,
            Some(inner) => here = inner,
            None => return false,
        }
    }
    true
}

/// Looks for the object that a create may have made: outside the ids seen before, equal to what was sent, or made
/// at that moment under that name.
async fn created(graph: &Graph, options: &ApplyOptions, lost: &Lost<'_>) -> Result<Trace, ApplyError> {
    let begin = lost.begin;
    let wanted = begin.body.as_ref().and_then(|body| read(&begin.path, body));
    let listed = match begin.path.as_str() {
        path if path == Collection::Groups.path() => groups_named(graph, begin).await?,
        path => graph.list(begin.api_version, path, &[]).await?,
    };
    let id = |json: &Json| json.get("id").and_then(Json::as_str).map(str::to_owned);
    let is_fresh = |json: &Json| {
        id(json).is_some_and(|id| !lost.not_ours.iter().any(|other| other.eq_ignore_ascii_case(&id)))
    };
    let is_same = |json: &Json| match (read(&begin.path, json), &wanted) {
        (Some(live), Some(wanted)) => same_object(&live, wanted),
        _ => false,
    };
    let fresh: Vec<Json> = listed.into_iter().filter(is_fresh).collect();
    let found: Vec<&Json> = fresh.iter().filter(|json| is_same(json)).collect();
    let namesakes: Vec<&Json> = fresh.iter().filter(|json| is_made_then(json, begin)).collect();
    let landed = |one: &Json, answered| {
        Ok(Trace::Landed(Outcome::Done {
            id: id(one),
            answered,
        }))
    };
    match (found.as_slice(), namesakes.as_slice()) {
        ([one, ..], _) if found.len() <= lost.twins => landed(one, Some((*one).clone())),
        // Made then and called that, it is ours, and somebody changed it since.
        ([], [one]) if lost.twins == 1 => landed(one, None),
        ([], []) => Ok(nowhere(options, begin)),
        (several, _) => Err(ApplyError::AmbiguousCreate {
            address: begin.address.clone(),
            ids: several
                .iter()
                .chain(&namesakes)
                .filter_map(|json| id(json))
                .collect::<BTreeSet<_>>()
                .into_iter()
                .collect(),
        }),
    }
}

/// By how much the service's clock may differ from this one's, and how long a request may take.
const AROUND: SignedDuration = SignedDuration::from_mins(5);

/// Whether an object has the name that a create sent, and was created when it was sent.
fn is_made_then(live: &Json, begin: &Begin) -> bool {
    let name = |json: &Json| json.get("displayName").and_then(Json::as_str).map(str::to_owned);
    let sent = begin.body.as_ref();
    let created = live.get("createdDateTime").and_then(Json::as_str);
    let created: Option<Timestamp> = created.and_then(|text| text.parse().ok());
    sent.is_some_and(|sent| {
        name(live).is_some()
            && name(live) == name(sent)
            && kind_of(&begin.path, live) == kind_of(&begin.path, sent)
    }) && created.is_some_and(|created| created.duration_since(begin.at).abs() <= AROUND)
}

/// Nothing like it is to be seen: it was not made, or the service still hides it.
fn nowhere(options: &ApplyOptions, begin: &Begin) -> Trace {
    let until = lag_after(begin.at, options.visibility_lag);
    if options.clock.now() < until {
        return Trace::Hidden { until };
    }
    Trace::Missing(not_done("nothing like it is to be seen"))
}

/// The moment from which on the service hides nothing any more that was done at `at`.
pub fn lag_after(at: Timestamp, lag: Duration) -> Timestamp {
    at.saturating_add(SignedDuration::try_from(lag).unwrap_or(SignedDuration::MAX))
        .unwrap_or(Timestamp::MAX)
}

async fn groups_named(graph: &Graph, begin: &Begin) -> Result<Vec<Json>, GraphError> {
    let name = begin
        .body
        .as_ref()
        .and_then(|body| body.get("displayName")?.as_str())
        .unwrap_or_default();
    let filter = format!("displayName eq {}", crate::graph::request::literal(name));
    graph
        .list(Version::V1, Collection::Groups.path(), &[("$filter", &filter)])
        .await
}

/// Whether a live object is what was sent, as far as the service shows it.
fn same_object(live: &Decoded, sent: &Decoded) -> bool {
    live.object.kind == sent.object.kind
        && live
            .object
            .kind
            .properties()
            .iter()
            .filter(|property| property.access == Access::Written)
            .all(|property| equal(live.object.get(property.wire), sent.object.get(property.wire)))
}
