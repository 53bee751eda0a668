//! A reading that can be believed: what an old answer of the service hides or shows is read again.
//!
//! State knows what it may expect: a managed object is there, and it is not older than it was. Where a list says
//! otherwise it may be an old answer, so it is read again; and what was made within the visibility lag and is not to be
//! seen counts neither as there nor as gone. A list that was read again may be the older one of both.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value as Json;
use tokio::time::Instant;

use super::{OpsError, Reading, read_lists};
use crate::apply::{Clock, Patience, lag_after};
use crate::graph::{Collection, GraphError, Version};
use crate::model::Kind;
use crate::model::live::LiveObject;
use crate::model::state::{Document, ResourceState};
use crate::ops::connection::Connection;

/// How often a list that shows an older object than state knows is read.
const LOOKS: u32 = 6;

/// How often a list that misses a managed object is read.
const LOOKS_FOR_MISSING: u32 = 3;

/// How a reading is made sure of.
#[derive(Debug, Clone)]
pub struct Looking {
    /// How long to wait between two looks.
    pub patience: Patience,
    /// For how long the service may hide a fresh object.
    pub visibility_lag: Duration,
    /// The time.
    pub clock: Clock,
    /// The groups that an apply wrote which is taken back.
    pub undone: Option<BTreeSet<String>>,
}

/// A reading that can be believed.
pub(super) struct Settled {
    pub(super) complete: BTreeSet<Kind>,
    pub(super) objects: Vec<LiveObject>,
    pub(super) read_at: Instant,
    pub(super) not_visible: BTreeMap<String, Timestamp>,
}

/// What a reading says otherwise than state expects.
#[derive(Default)]
struct Doubts<'a> {
    missing: BTreeMap<&'a str, &'a ResourceState>,
    older: bool,
}

pub(super) async fn settled(
    connection: &Connection,
    reading: &Reading,
    state: Option<&Document>,
    looking: &Looking,
) -> Result<Settled, OpsError> {
    let mut attempt = 1;
    let mut earlier = Earlier::default();
    loop {
        let snapshot = read_lists(connection, reading).await?;
        let read_at = Instant::now();
        let complete = snapshot.complete();
        let mut objects = snapshot.into_objects()?;
        let mut doubts = doubts(state, reading, &complete, &objects);
        doubts.older |= earlier.shows_more(&objects);
        let mut proven = BTreeSet::new();
        for (address, resource) in &doubts.missing {
            match look(connection, resource).await? {
                Sight::There(object) => {
                    objects.push(*object);
                    proven.insert((*address).to_owned());
                }
                Sight::Deleted => {
                    proven.insert((*address).to_owned());
                }
                Sight::Nothing => {}
            }
        }
        doubts.missing.retain(|address, _| !proven.contains(*address));
        let now = looking.clock.now();
        let not_visible: BTreeMap<String, Timestamp> = doubts
            .missing
            .iter()
            .filter_map(|(address, resource)| Some(((*address).to_owned(), made_at(resource)?)))
            .filter(|(_, made)| now < lag_after(*made, looking.visibility_lag))
            .collect();
        let looks = match (doubts.older, doubts.missing.is_empty()) {
            (true, _) => LOOKS,
            (false, false) => LOOKS_FOR_MISSING,
            (false, true) => 1,
        };
        // A service without lag gives no old answers.
        let is_sure = looking.visibility_lag.is_zero();
        if is_sure || attempt >= looks.min(looking.patience.attempts) {
            return Ok(Settled {
                complete,
                objects,
                read_at,
                not_visible,
            });
        }
        tokio::time::sleep(looking.patience.wait(attempt)).await;
        attempt += 1;
    }
}

/// What the looks before showed of each object, by block type and id.
#[derive(Default)]
struct Earlier {
    newest: BTreeMap<(&'static str, String), (Option<String>, String)>,
    /// Two looks showed an object differently, and nothing tells which of them is the older one.
    is_open: bool,
}

impl Earlier {
    /// Whether an earlier look showed something newer than this one, or nobody can tell; remembers this one.
    fn shows_more(&mut self, objects: &[LiveObject]) -> bool {
        let mut is_older = false;
        for object in objects {
            let (time, digest) = (object.modified_date_time.clone(), object.digest.clone());
            let key = (object.kind.block(), object.id.clone());
            if let Some((known, other)) = self.newest.get(&key)
                && *other != digest
            {
                is_older |= time < *known;
                self.is_open |= time == *known;
                if time < *known {
                    continue;
                }
            }
            self.newest.insert(key, (time, digest));
        }
        is_older || self.is_open
    }
}

fn doubts<'a>(
    state: Option<&'a Document>,
    reading: &Reading,
    complete: &BTreeSet<Kind>,
    objects: &[LiveObject],
) -> Doubts<'a> {
    let live: BTreeMap<(&str, &str), &LiveObject> = objects
        .iter()
        .map(|object| ((object.kind.block(), object.id.as_str()), object))
        .collect();
    let mut doubts = Doubts::default();
    for (address, resource) in state.into_iter().flat_map(|state| &state.resources) {
        let is_read = complete.contains(&resource.kind)
            && (resource.kind != Kind::CompliantNetworkLocation
                || reading.beta.contains(crate::model::Target::Location.word()));
        if !is_read {
            continue;
        }
        let id = resource.id.to_ascii_lowercase();
        match live.get(&(resource.kind.block(), id.as_str())) {
            None => {
                doubts.missing.insert(address, resource);
            }
            Some(found) => {
                let older = match (&found.modified_date_time, &resource.modified_date_time) {
                    (Some(found), Some(known)) => found < known,
                    (None, Some(_)) => true,
                    (_, None) => false,
                };
                doubts.older |= older;
            }
        }
    }
    doubts
}

/// What a closer look at one object shows.
enum Sight {
    /// The list was an old one.
    There(Box<LiveObject>),
    /// The service keeps it among the deleted.
    Deleted,
    /// Neither.
    Nothing,
}

async fn look(connection: &Connection, resource: &ResourceState) -> Result<Sight, OpsError> {
    let graph = &connection.graph;
    let collection = match resource.kind {
        Kind::Policy => Collection::Policies,
        Kind::IpLocation | Kind::CountryLocation | Kind::CompliantNetworkLocation => {
            Collection::NamedLocations
        }
        Kind::Strength => Collection::Strengths,
        Kind::Context => Collection::Contexts,
        // Groups are asked for by their ids, not listed.
        Kind::Group => return Ok(Sight::Nothing),
    };
    match graph.read(collection, resource.api_version, &resource.id).await {
        Ok(json) if resource.kind.block() == Kind::IpLocation.block() => {
            let object = LiveObject::read_location(json, resource.api_version)?;
            return Ok(object.map_or(Sight::Nothing, |object| Sight::There(Box::new(object))));
        }
        Ok(json) => {
            let object = LiveObject::read(resource.kind, json, resource.api_version)?;
            return Ok(Sight::There(Box::new(object)));
        }
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error.into()),
    }
    if collection.deleted_path().is_none() {
        return Ok(Sight::Nothing);
    }
    let deleted: Vec<Json> = match graph.list_deleted(collection, Version::V1).await {
        Ok(deleted) => deleted,
        Err(error) if is_not_offered(&error) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    let is_it = |json: &Json| {
        json.get("id")
            .and_then(Json::as_str)
            .is_some_and(|id| id.eq_ignore_ascii_case(&resource.id))
    };
    Ok(if deleted.iter().any(is_it) {
        Sight::Deleted
    } else {
        Sight::Nothing
    })
}

/// A tenant or a token for which the deleted items cannot be read: then they prove nothing.
fn is_not_offered(error: &GraphError) -> bool {
    error.is_permission() || error.is_not_found()
}

/// When the service made an object, as it said.
fn made_at(resource: &ResourceState) -> Option<Timestamp> {
    let answered = resource.answered.as_ref()?.value();
    answered.get("createdDateTime")?.as_str()?.parse().ok()
}
