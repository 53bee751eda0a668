//! What state knows and the tenant no longer has: what the service keeps of it.
//!
//! A policy or location that was deleted is kept for 30 days and can come back with its id (`FACTS` 5.8).

use crate::graph::{Collection, Version};
use crate::model::Kind;
use crate::model::live::{LiveIndex, LiveObject, LiveTenant};
use crate::model::properties::ApiVersion;
use crate::model::state::{Document, ResourceState};
use crate::ops::OpsError;
use crate::ops::connection::Connection;

use super::optional;

/// What the service keeps of the missing objects; none when nothing is missing, or nobody may read it.
pub(super) async fn deleted(
    connection: &Connection,
    state: Option<&Document>,
    live: &LiveTenant,
) -> Result<Option<Vec<LiveObject>>, OpsError> {
    let index = LiveIndex::of(live);
    let missing: Vec<&ResourceState> = state
        .into_iter()
        .flat_map(|state| state.resources.values())
        .filter(|resource| {
            let block = resource.kind.block();
            live.is_complete(block) && index.of_block(block, &resource.id).is_none()
        })
        .collect();
    let mut kept = None;
    for (collection, kind) in [
        (Collection::Policies, Kind::Policy),
        (Collection::NamedLocations, Kind::IpLocation),
    ] {
        if !missing
            .iter()
            .any(|resource| resource.kind.block() == kind.block())
        {
            continue;
        }
        let listed = connection.graph.list_deleted(collection, Version::V1).await;
        let Some(listed) = optional(listed)? else {
            return Ok(None);
        };
        let kept = kept.get_or_insert_with(Vec::new);
        for json in listed {
            if kind == Kind::IpLocation {
                kept.extend(LiveObject::read_location(json, ApiVersion::V1)?);
            } else {
                kept.push(LiveObject::read(kind, json, ApiVersion::V1)?);
            }
        }
    }
    Ok(kept)
}
