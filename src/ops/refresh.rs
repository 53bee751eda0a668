//! The tenant read for a plan: lists, look-ups in batches, nothing object by object.

mod missing;
mod remembered;
mod settle;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value as Json;
use tokio::time::Instant;

use super::OpsError;
use super::connection::Connection;
use crate::graph::{Collection, DirectoryObject, Found, GraphError, Snapshot, SnapshotOptions, Version};
use crate::model::catalogue;
use crate::model::configuration::Configuration;
use crate::model::live::{Answer, Candidate, Directory, Licences, LiveObject, LiveTenant, People};
use crate::model::reference::is_guid;
use crate::model::state::{Document, Json as JsonText};
use crate::model::{Kind, Lookup, Target};
use crate::plan::{Reading, namesakes, questions, reading, watched};

pub use remembered::remembered;
pub use settle::Looking;
use settle::{Settled, settled};

/// A tenant as a plan needs it.
#[derive(Debug, Clone)]
pub struct Refreshed {
    /// Its objects.
    pub live: LiveTenant,
    /// What the directory answered.
    pub directory: Directory,
    /// How many requests it took.
    pub requests: u32,
    /// When it was read, on tokio's clock.
    pub read_at: Instant,
    /// Managed objects that were made a moment ago and are not to be seen, by the address in state.
    pub not_visible: BTreeMap<String, Timestamp>,
}

/// Reads what a plan of this configuration over this state needs.
pub async fn refresh(
    connection: &Connection,
    configuration: &Configuration,
    state: Option<&Document>,
    looking: &Looking,
) -> Result<Refreshed, OpsError> {
    let before = connection.graph.requests_sent();
    let reading = reading(configuration, state);
    let graph = &connection.graph;
    // What the configuration looks up does not depend on what is there.
    let asked = questions(configuration, &LiveTenant::default()).lookups;
    let groups = namesakes(configuration, state);
    let (settled, licences, security_defaults, found, namesakes) = futures::join!(
        settled(connection, &reading, state, looking),
        licences(connection),
        graph.security_defaults(),
        look_up(connection, &asked, None),
        Box::pin(graph.look_up(&groups, None)),
    );
    let Settled {
        objects,
        complete,
        read_at,
        not_visible,
    } = settled?;
    let mut live = LiveTenant {
        tenant_id: connection.tenant_id.clone(),
        display_name: connection.display_name.clone(),
        verified_domains: connection.verified_domains.clone(),
        complete,
        objects,
        licences: licences?,
        security_defaults_enabled: optional(security_defaults)?,
        signed_in: connection.signed_in.clone(),
        deleted: None,
        people: People::default(),
    };
    share_texts(state, &mut live.objects);
    live.deleted = missing::deleted(connection, state, &live).await?;
    live.objects.sort_by_key(|object| object.kind);
    let mut answers = found?;
    for (lookup, found) in optional(namesakes)?.unwrap_or_default() {
        answers.entry(lookup).or_insert_with(|| answer(found));
    }
    let directory = directory(connection, questions(configuration, &live).ids, answers).await?;
    let watched = watched(configuration, &live, &directory, state, looking.undone.as_ref());
    live.people = graph.belonging(&watched).await?;
    let requests = u32::try_from(graph.requests_sent() - before).unwrap_or(u32::MAX);
    tracing::info!(requests, objects = live.objects.len(), "read the tenant");
    Ok(Refreshed {
        live,
        directory,
        requests,
        read_at,
        not_visible,
    })
}

/// Holds what the tenant shows just as state remembers it once, not twice.
fn share_texts(state: Option<&Document>, objects: &mut [LiveObject]) {
    let resources = state.into_iter().flat_map(|state| state.resources.values());
    let answers: BTreeMap<&str, &JsonText> = resources
        .filter_map(|resource| Some((resource.id.as_str(), resource.answered.as_ref()?)))
        .collect();
    for object in objects {
        if let Some(same) = answers
            .get(object.id.as_str())
            .filter(|text| ***text == object.json)
        {
            object.json = (*same).clone();
        }
    }
}

async fn read_lists(connection: &Connection, reading: &Reading) -> Result<Snapshot, GraphError> {
    let mut kinds: BTreeSet<Kind> = Kind::ALL
        .into_iter()
        .filter(|kind| reading.blocks.contains(kind.block()))
        .collect();
    if !reading.beta.contains(Target::Location.word()) {
        kinds.remove(&Kind::CompliantNetworkLocation);
    }
    let groups = reading.groups.iter().cloned().collect();
    let members_of = reading.members_of.iter().cloned().collect();
    let options = SnapshotOptions::of_kinds(&kinds, groups, members_of);
    Box::pin(connection.graph.snapshot(&options)).await
}

/// What the one signed in may not read is not known; any other error stops.
fn optional<T>(result: Result<T, GraphError>) -> Result<Option<T>, GraphError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.is_permission() || error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The licences that conditions need, told by the names of service plans.
async fn licences(connection: &Connection) -> Result<Licences, GraphError> {
    let select = [("$select", "skuPartNumber,capabilityStatus,servicePlans")];
    let Some(skus) = optional(
        connection
            .graph
            .list(Version::V1, "subscribedSkus", &select)
            .await,
    )?
    else {
        return Ok(Licences::default());
    };
    let plans: BTreeSet<String> = skus
        .iter()
        .filter(|sku| sku.get("capabilityStatus").and_then(Json::as_str) != Some("Deleted"))
        .filter_map(|sku| sku.get("servicePlans")?.as_array())
        .flatten()
        .filter_map(|plan| plan.get("servicePlanName")?.as_str().map(str::to_ascii_uppercase))
        .collect();
    let has = |name: &str| plans.contains(name);
    Ok(Licences {
        p1: Some(has("AAD_PREMIUM") || has("AAD_PREMIUM_P2")),
        p2: Some(has("AAD_PREMIUM_P2")),
        workload_identities: Some(has("AAD_WRKLDID_P1") || has("AAD_WRKLDID_P2")),
    })
}

/// What the directory answers to these look-ups, and what is called nearly that where it has no answer.
pub async fn look_up(
    connection: &Connection,
    lookups: &BTreeSet<Lookup>,
    snapshot: Option<&Snapshot>,
) -> Result<BTreeMap<Lookup, Answer>, OpsError> {
    let found = connection.graph.look_up(lookups, snapshot).await?;
    let mut answers: BTreeMap<Lookup, Answer> = found
        .into_iter()
        .map(|(lookup, found)| (lookup, answer(found)))
        .collect();
    for (lookup, answer) in &mut answers {
        if let Answer::Missing(nearly) = answer {
            *nearly = called_nearly(connection, lookup).await?;
        }
    }
    Ok(answers)
}

async fn directory(
    connection: &Connection,
    mut ids: BTreeSet<(Target, String)>,
    answers: BTreeMap<Lookup, Answer>,
) -> Result<Directory, OpsError> {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for answer in answers.values() {
        if let Answer::Found(candidate) = answer {
            names.insert(candidate.id.to_ascii_lowercase(), candidate.name.clone());
        }
    }
    ids.retain(|(target, id)| is_worth_asking(*target, id) && !names.contains_key(&id.to_ascii_lowercase()));
    let described = described(connection, &ids).await?;
    let missing_ids = ids
        .iter()
        .filter(|key| !described.contains_key(*key))
        .map(|(_, id)| id.to_ascii_lowercase())
        .collect();
    names.extend(
        described
            .into_iter()
            .map(|((_, id), name)| (id.to_ascii_lowercase(), name)),
    );
    Ok(Directory {
        answers,
        names,
        missing_ids,
    })
}

async fn described(
    connection: &Connection,
    ids: &BTreeSet<(Target, String)>,
) -> Result<BTreeMap<(Target, String), String>, OpsError> {
    let described = connection.graph.names(ids).await?;
    Ok(described
        .into_iter()
        .map(|(key, object)| {
            let name = account_of(&key, &object).unwrap_or_else(|| name_of(&object));
            (key, name)
        })
        .collect())
}

/// What people call the objects behind these ids; those that nobody knows are left out.
pub async fn names_of(
    connection: &Connection,
    ids: &BTreeSet<(Target, String)>,
) -> Result<BTreeMap<(Target, String), String>, OpsError> {
    let asked = ids
        .iter()
        .filter(|(target, id)| is_worth_asking(*target, id))
        .cloned()
        .collect();
    let mut names = described(connection, &asked).await?;
    let terms: Vec<&(Target, String)> = ids
        .iter()
        .filter(|(target, _)| *target == Target::Terms)
        .collect();
    if !terms.is_empty()
        && let Some(agreements) = optional(connection.graph.list_all(Collection::Terms, Version::V1).await)?
    {
        for key in terms {
            let agreement = agreements
                .iter()
                .find(|json| json.get("id").and_then(Json::as_str) == Some(&key.1));
            if let Some(name) = agreement.and_then(|json| json.get("displayName")?.as_str()) {
                names.insert(key.clone(), name.to_owned());
            }
        }
    }
    Ok(names)
}

/// Everything of Conditional Access that the tenant holds, and what was read.
pub async fn whole_tenant(connection: &Connection) -> Result<(LiveTenant, Snapshot), OpsError> {
    let kinds = Kind::ALL
        .into_iter()
        .filter(|kind| *kind != Kind::Group)
        .collect();
    let options = SnapshotOptions::of_kinds(&kinds, Vec::new(), Vec::new());
    let snapshot = Box::pin(connection.graph.snapshot(&options)).await?;
    let live = LiveTenant {
        tenant_id: connection.tenant_id.clone(),
        display_name: connection.display_name.clone(),
        verified_domains: connection.verified_domains.clone(),
        objects: snapshot.objects()?,
        complete: snapshot.complete(),
        signed_in: connection.signed_in.clone(),
        ..LiveTenant::default()
    };
    Ok((live, snapshot))
}

/// Ids that the catalogue does not know and that the directory can name.
fn is_worth_asking(target: Target, id: &str) -> bool {
    is_guid(id)
        && match target {
            Target::User | Target::Group | Target::ServicePrincipal | Target::AgentIdentity | Target::App => {
                true
            }
            Target::Role => catalogue::roles::by_template_id(id).is_none(),
            Target::Location | Target::Strength | Target::Context | Target::Terms | Target::Action => false,
        }
}

/// The account name of a user: display names repeat, and the language looks users up by account.
fn account_of((target, _): &(Target, String), object: &DirectoryObject) -> Option<String> {
    let account = object.body.get("userPrincipalName")?.as_str()?;
    (*target == Target::User && !account.is_empty()).then(|| account.to_owned())
}

fn name_of(object: &DirectoryObject) -> String {
    if object.display_name.is_empty() {
        object.id.clone()
    } else {
        object.display_name.clone()
    }
}

/// What is called nearly that; at most five.
async fn called_nearly(connection: &Connection, lookup: &Lookup) -> Result<Vec<Candidate>, GraphError> {
    let wanted = lookup.name.to_lowercase();
    let alike = |text: &str| strsim::jaro_winkler(&text.to_lowercase(), &wanted);
    let found = optional(connection.graph.beginning_like(lookup).await)?.unwrap_or_default();
    let mut scored: Vec<(f64, Candidate)> = found
        .into_iter()
        .map(|object| {
            let by_name = alike(&object.display_name);
            let candidate = candidate(object);
            (by_name.max(alike(&candidate.name)), candidate)
        })
        .filter(|(score, _)| *score > 0.7)
        .collect();
    scored.sort_by(|(left, _), (right, _)| right.total_cmp(left));
    Ok(scored
        .into_iter()
        .map(|(_, candidate)| candidate)
        .take(5)
        .collect())
}

fn answer(found: Found) -> Answer {
    match found {
        Found::One(object) => Answer::Found(candidate(object)),
        Found::Nothing => Answer::Missing(Vec::new()),
        Found::Several(objects) => Answer::Ambiguous(objects.into_iter().map(namesake).collect()),
    }
}

/// One of several that a name means: the detail tells them apart.
fn namesake(object: DirectoryObject) -> Candidate {
    Candidate {
        name: name_of(&object),
        id: object.id,
        detail: object.detail,
    }
}

fn candidate(object: DirectoryObject) -> Candidate {
    // What can be pasted into the look-up: a user's account, everything else's display name.
    let account = object.body.get("userPrincipalName").and_then(Json::as_str);
    Candidate {
        name: account.map_or_else(|| name_of(&object), str::to_owned),
        id: object.id,
        detail: object.detail,
    }
}
