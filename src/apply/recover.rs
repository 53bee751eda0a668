//! Finishes what an interrupted apply left: every request without an end is found out, none is guessed.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::ApplyOptions;
use super::error::ApplyError;
use super::perform::{collection, version};
use crate::graph::{Collection, Graph, GraphError, Version};
use crate::model::Kind;
use crate::model::live::LiveTenant;
use crate::model::state::{Document, Version as StateVersion};
use crate::model::wire::{Decoded, decode, location_kind};
use crate::plan::{Act, Plan};
use crate::state::history::Change;
use crate::state::journal::Journal;
use crate::state::journal::{Begin, End, Open, Operation, Outcome};
use crate::state::{Guard, LocalFile, StateStore as _};

/// What taking up an interrupted apply came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Addresses whose request turned out to be done.
    pub done: Vec<String>,
    /// Addresses whose request turned out not to be done.
    pub not_done: Vec<String>,
}

/// Takes up an interrupted apply, if there is one: settles state, finds out what is unknown, closes the journal.
///
/// Called under the lock, before anything is planned. Errors when a create is unknown and the
/// service may still be hiding its object.
pub async fn recover(
    graph: &Graph,
    store: &LocalFile,
    guard: &Guard,
    options: &ApplyOptions,
    document: &mut Document,
    version: &mut Option<StateVersion>,
) -> Result<Option<Recovered>, ApplyError> {
    let Some((mut journal, recovery)) = Journal::resume(store)? else {
        return Ok(None);
    };
    let now = (options.clock)();
    recovery.settle(document);
    let mut recovered = Recovered::default();
    for open in &recovery.open {
        let address = open.begin.address.clone();
        let outcome = find_out(graph, options, open).await?;
        if let Outcome::Done { id, answered } = &outcome {
            super::remember::done(
                &open.begin.effect,
                &address,
                id.as_deref(),
                answered.as_ref(),
                document,
            );
            recovered.done.push(address);
        } else {
            recovered.not_done.push(address);
        }
        journal.end(End {
            step: open.begin.step.clone(),
            outcome,
            at: now,
        })?;
    }
    let change = Change {
        at: now,
        who: options.who.clone(),
        operation: "recovery".to_owned(),
        new_lineage: false,
    };
    let stored = store.swap(guard, version.as_ref(), document, &change).await?;
    journal.state_saved(&stored.version)?;
    journal.finish(now)?;
    *document = stored.document;
    *version = Some(stored.version);
    Ok(Some(recovered))
}

/// Finds out what became of a request whose answer was lost.
pub(super) async fn find_out(
    graph: &Graph,
    options: &ApplyOptions,
    open: &Open,
) -> Result<Outcome, ApplyError> {
    let begin = &open.begin;
    let not_done = |why: &str| Outcome::Failed {
        error: format!("it was not carried out: {why}"),
    };
    match begin.operation {
        Operation::Create if begin.method == "POST" => created(graph, options, open).await,
        Operation::Delete => match current(graph, begin).await? {
            None => Ok(Outcome::Done {
                id: None,
                answered: None,
            }),
            Some(_) => Ok(not_done("the object is still there")),
        },
        Operation::Create | Operation::Update | Operation::Restore => match current(graph, begin).await? {
            Some(json) if shows(&json, begin) => Ok(Outcome::Done {
                id: json.get("id").and_then(Json::as_str).map(str::to_owned),
                answered: Some(json),
            }),
            _ => Ok(not_done("the object does not show it")),
        },
        // Adding or removing a reference twice does no harm, so the next plan simply compares again.
        Operation::Link | Operation::Unlink => Ok(not_done("nobody knows; the next plan compares")),
    }
}

/// The object of a request now; `None` when it is not there.
async fn current(graph: &Graph, begin: &Begin) -> Result<Option<Json>, ApplyError> {
    let version = version(begin.api_version);
    match graph.get(version, &begin.path, &[]).await {
        Ok(json) => Ok(Some(json)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
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
        .filter(|property| property.access == crate::model::properties::Access::Written)
        .all(|property| live.object.get(property.wire) == sent.object.get(property.wire))
}

/// Whether a body names a wire path, or turns off something around it.
fn names(body: &Json, path: &str) -> bool {
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

/// Looks for the object that a create may have made: outside the ids seen before, equal to what was sent.
async fn created(graph: &Graph, options: &ApplyOptions, open: &Open) -> Result<Outcome, ApplyError> {
    let begin = &open.begin;
    let version = version(begin.api_version);
    let wanted = begin.body.as_ref().and_then(|body| read(&begin.path, body));
    let listed = match begin.path.as_str() {
        path if path == Collection::Groups.path() => groups_named(graph, begin).await?,
        path => graph.list(version, path, &[]).await?,
    };
    let mut found: Vec<Json> = Vec::new();
    for json in listed {
        let Some(id) = json.get("id").and_then(Json::as_str) else {
            continue;
        };
        let fresh = !open.not_ours.iter().any(|other| other.eq_ignore_ascii_case(id));
        let same = match (read(&begin.path, &json), &wanted) {
            (Some(live), Some(wanted)) => same_object(&live, wanted),
            _ => false,
        };
        if fresh && same {
            found.push(json);
        }
    }
    match found.as_slice() {
        [one] => Ok(Outcome::Done {
            id: one.get("id").and_then(Json::as_str).map(str::to_owned),
            answered: Some(one.clone()),
        }),
        [] => {
            let lag = options.visibility_lag;
            let after = begin
                .at
                .saturating_add(SignedDuration::try_from(lag).unwrap_or(SignedDuration::MAX));
            let after = after.unwrap_or(Timestamp::MAX);
            if (options.clock)() < after {
                return Err(ApplyError::TooEarly {
                    address: begin.address.clone(),
                    at: begin.at.to_string(),
                    lag_minutes: lag.as_secs().div_ceil(60),
                    after: after.to_string(),
                });
            }
            Ok(Outcome::Failed {
                error: "it was not carried out: nothing like it is to be seen".into(),
            })
        }
        several => Err(ApplyError::AmbiguousCreate {
            address: begin.address.clone(),
            ids: several
                .iter()
                .filter_map(|json| json.get("id")?.as_str().map(str::to_owned))
                .collect(),
        }),
    }
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
            .filter(|property| property.access == crate::model::properties::Access::Written)
            .all(|property| live.object.get(property.wire) == sent.object.get(property.wire))
}

/// The collections in which a plan creates something.
pub(super) fn collections_of(plan: &Plan) -> BTreeSet<Collection> {
    plan.steps
        .iter()
        .filter_map(|step| match &step.act {
            Act::Create { kind, .. } => Some(collection(*kind)),
            _ => None,
        })
        .collect()
}

/// The ids of a collection as the tenant was read.
pub(super) fn ids_in(live: &LiveTenant, collection_of: Collection) -> BTreeSet<String> {
    live.objects
        .iter()
        .filter(|object| collection(object.kind) == collection_of)
        .map(|object| object.id.clone())
        .collect()
}
