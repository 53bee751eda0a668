//! The tenant as state remembers it, for `--refresh=false`: only what the configuration looks up is asked for.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{Refreshed, directory, look_up};
use crate::graph::SnapshotOptions;
use crate::model::configuration::Configuration;
use crate::model::live::{LiveObject, LiveTenant};
use crate::model::state::{Document, Json as StateJson, ResourceState};
use crate::model::wire::WireError;
use crate::model::{Kind, Reference, Target};
use crate::ops::OpsError;
use crate::ops::connection::Connection;
use crate::plan::{questions, watched};

/// What a plan of this configuration needs, with the managed objects as they were last seen.
///
/// What was changed or deleted outside since is not noticed. Nothing may be applied from it.
pub async fn remembered(
    connection: &Connection,
    configuration: &Configuration,
    state: Option<&Document>,
) -> Result<Refreshed, OpsError> {
    let before = connection.graph.requests_sent();
    let options = SnapshotOptions::of_kinds(&looked_up(configuration), Vec::new(), Vec::new());
    let snapshot = Box::pin(connection.graph.snapshot(&options)).await?;
    let mut objects: Vec<LiveObject> = Vec::new();
    for resource in state.into_iter().flat_map(|state| state.resources.values()) {
        objects.extend(object(resource)?);
    }
    let known: BTreeSet<String> = objects.iter().map(|object| object.id.clone()).collect();
    objects.extend(
        snapshot
            .objects()?
            .into_iter()
            .filter(|object| !known.contains(&object.id)),
    );
    objects.sort_by_key(|object| object.kind);
    let mut live = LiveTenant {
        tenant_id: connection.tenant_id.clone(),
        display_name: connection.display_name.clone(),
        verified_domains: connection.verified_domains.clone(),
        complete: Kind::ALL.into_iter().collect(),
        objects,
        signed_in: connection.signed_in.clone(),
        ..LiveTenant::default()
    };
    let questions = questions(configuration, &live);
    let found = look_up(connection, &questions.lookups, Some(&snapshot)).await?;
    let directory = directory(connection, questions.ids, found).await?;
    let watched = watched(configuration, &live, &directory, state, None);
    live.people = connection.graph.belonging(&watched).await?;
    let requests = u32::try_from(connection.graph.requests_sent() - before).unwrap_or(u32::MAX);
    Ok(Refreshed {
        live,
        directory,
        requests,
        read_at: tokio::time::Instant::now(),
        not_visible: std::collections::BTreeMap::new(),
    })
}

/// The kinds of which the configuration names objects that it does not make.
fn looked_up(configuration: &Configuration) -> BTreeSet<Kind> {
    let references = configuration
        .resources
        .values()
        .flat_map(|resource| resource.object.references());
    let mut kinds = BTreeSet::new();
    for (_, reference) in references {
        let (Reference::Lookup(_) | Reference::Id { .. }, Some(target)) = (reference, reference.target())
        else {
            continue;
        };
        match target {
            Target::Location => kinds.extend([Kind::IpLocation, Kind::CountryLocation]),
            Target::Strength => kinds.extend([Kind::Strength]),
            Target::Context => kinds.extend([Kind::Context]),
            _ => {}
        }
    }
    kinds
}

fn object(resource: &ResourceState) -> Result<Option<LiveObject>, WireError> {
    let known = resource.answered.as_ref().or(resource.sent.as_ref());
    let mut json: Json = known.map_or_else(|| json!({}), StateJson::value);
    if let Some(members) = json.as_object_mut() {
        members.insert("id".to_owned(), json!(resource.id));
    }
    if resource.kind.block() == Kind::IpLocation.block() {
        return LiveObject::read_location(json, resource.api_version);
    }
    LiveObject::read(resource.kind, json, resource.api_version).map(Some)
}
