//! Nothing is overwritten that somebody else changed: what is written to was read a moment ago, and is as the plan saw it.
//!
//! Graph has no ETags for these objects. So a collection whose last reading is too old is listed again before an object
//! in it is written; at the service's rate that is at most a tenth more requests. An object that moved is not written.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use tokio::time::Instant;

use super::find::names;
use super::request::collection;
use super::run::Executor;
use crate::graph::{Collection, GraphError, SnapshotOptions, Version};
use crate::model::Kind;
use crate::model::live::{LiveIndex, LiveObject, LiveTenant};
use crate::model::properties::{Access, ApiVersion};
use crate::model::state::Json as StateJson;
use crate::model::wire::members_path;
use crate::plan::{Act, Step, StepId, equal};

/// A reading is fresh for this long at least.
const LEAST: Duration = Duration::from_secs(1);

/// How many writes at the service's rate one request of reading may serve.
const WRITES_PER_READ: u32 = 10;

/// How many requests may stand before one that begins.
const IN_LINE: u32 = 3;

/// How often an object that once seemed to have moved is looked at before the last look is believed: an answer may be an
/// old one for twenty seconds, and the one that says otherwise as well.
const LOOKS: u32 = 6;

/// The collections as they were last read in this apply.
pub(super) struct Readings {
    first: Instant,
    latest: BTreeMap<Collection, Reading>,
    under_way: BTreeSet<Collection>,
    /// What the steps of this apply wrote to each object, by id: the property paths.
    touched: BTreeMap<String, Touches>,
}

/// The property paths that each step wrote to one object.
type Touches = BTreeMap<StepId, BTreeSet<&'static str>>;

/// One collection, or those objects of it that were asked for.
pub(super) struct Reading {
    at: Instant,
    pages: u32,
    objects: BTreeMap<String, LiveObject>,
}

/// What stands in the way of writing to an object.
pub(super) enum Obstacle {
    /// Its collection has to be read first.
    Unread(Collection),
    /// Its collection is being read.
    Reading(Collection),
    /// Somebody else changed it.
    Moved,
    /// Somebody else deleted it.
    Gone,
    /// Somebody else made an object of the id that was free.
    Taken,
}

/// The object that a step changes or deletes, or makes under an id of the project's choice; none for one that only adds.
fn written(act: &Act) -> Option<(Kind, Cow<'_, str>)> {
    match act {
        Act::Create {
            kind: Kind::Context,
            body,
            ..
        } => Some((Kind::Context, body.value().get("id")?.as_str()?.to_owned().into())),
        Act::Update { kind, id, .. } | Act::Release { kind, id, .. } | Act::Delete { kind, id, .. } => {
            Some((*kind, id.into()))
        }
        Act::SetCombinations { id, .. }
        | Act::AddConfiguration { id, .. }
        | Act::RemoveConfiguration { id, .. } => Some((Kind::Strength, id.into())),
        _ => None,
    }
}

/// The property paths that a step writes.
fn paths(act: &Act) -> BTreeSet<&'static str> {
    let of = |kind: Kind, body: &StateJson| {
        let body = body.value();
        let properties = kind.properties().iter();
        properties
            .map(|property| property.wire)
            .filter(|wire| names(&body, wire))
            .collect()
    };
    let listed = |wanted: &str| {
        let properties = Kind::Strength.properties().iter();
        properties
            .map(|property| property.wire)
            .filter(|wire| *wire == wanted)
            .collect()
    };
    match act {
        Act::Update { kind, body, .. } | Act::Release { kind, body, .. } => of(*kind, body),
        Act::SetCombinations { .. } => listed("allowedCombinations"),
        Act::AddConfiguration { .. } | Act::RemoveConfiguration { .. } => listed("combinationConfigurations"),
        _ => BTreeSet::new(),
    }
}

impl Readings {
    pub(super) fn new(first: Instant) -> Self {
        Self {
            first,
            latest: BTreeMap::new(),
            under_way: BTreeSet::new(),
            touched: BTreeMap::new(),
        }
    }

    /// What stands in the way of a step, if anything does.
    pub(super) fn obstacle(
        &self,
        executor: &Executor<'_>,
        live: &LiveIndex<'_>,
        step: &Step,
    ) -> Option<Obstacle> {
        let (kind, id) = written(&step.act)?;
        let of = collection(kind);
        if self.under_way.contains(&of) {
            return Some(Obstacle::Reading(of));
        }
        let reading = self.latest.get(&of);
        if self.read_at(of).elapsed() > self.fresh_for(executor, of) {
            return Some(Obstacle::Unread(of));
        }
        let now = reading?.objects.get(&id.to_ascii_lowercase());
        let Some(then) = live.of_block(kind.block(), &id) else {
            return now.map(|_| Obstacle::Taken);
        };
        match now {
            None if matches!(step.act, Act::Delete { .. }) => None,
            None => Some(Obstacle::Gone),
            Some(now) => (self.compare(then, now) != Look::Same).then_some(Obstacle::Moved),
        }
    }

    fn read_at(&self, of: Collection) -> Instant {
        self.latest.get(&of).map_or(self.first, |reading| reading.at)
    }

    /// For how long a reading serves writes.
    fn fresh_for(&self, executor: &Executor<'_>, of: Collection) -> Duration {
        let pages = self.latest.get(&of).map_or(1, |reading| reading.pages);
        LEAST.max(executor.graph.interval() * WRITES_PER_READ * pages)
    }

    /// The moment by which a step that begins now must have left; none for one that only adds.
    pub(super) fn not_after(&self, executor: &Executor<'_>, step: &Step) -> Option<Instant> {
        let (kind, _) = written(&step.act)?;
        let of = collection(kind);
        // A step that begins may stand behind others in the queue.
        let in_line = executor.graph.interval() * IN_LINE + LEAST;
        Some(self.read_at(of) + self.fresh_for(executor, of) + in_line)
    }

    /// Remembers what a step that begins writes.
    pub(super) fn touch(&mut self, step: &Step) {
        if let Some((_, id)) = written(&step.act) {
            let touched = self.touched.entry(id.to_ascii_lowercase()).or_default();
            touched.insert(step.id, paths(&step.act));
        }
    }

    /// Forgets a step whose request never left or was not carried out: what its object shows now is somebody else's doing.
    pub(super) fn untouch(&mut self, step: &Step) {
        if let Some((_, id)) = written(&step.act) {
            let id = id.to_ascii_lowercase();
            if let Some(touched) = self.touched.get_mut(&id) {
                touched.remove(&step.id);
                if touched.is_empty() {
                    self.touched.remove(&id);
                }
            }
        }
    }

    /// Reads a collection, for the steps that are still to come.
    pub(super) fn read<'a>(
        &mut self,
        executor: &'a Executor<'a>,
        of: Collection,
        coming: impl Iterator<Item = &'a Step>,
    ) -> LocalBoxFuture<'a, (Collection, Result<Reading, GraphError>)> {
        self.under_way.insert(of);
        let ids: BTreeSet<String> = coming
            .filter_map(|step| written(&step.act))
            .filter(|(kind, _)| collection(*kind) == of)
            .map(|(_, id)| id.to_ascii_lowercase())
            .collect();
        let touched: BTreeMap<String, Touches> = self
            .touched
            .iter()
            .filter(|(id, _)| ids.contains(*id))
            .map(|(id, paths)| (id.clone(), paths.clone()))
            .collect();
        let judge = Self {
            first: self.first,
            latest: BTreeMap::new(),
            under_way: BTreeSet::new(),
            touched,
        };
        async move {
            let patience = executor.options.patience;
            let mut attempt = 1;
            let mut is_open = false;
            loop {
                let reading = match list(executor, of, &ids).await {
                    Ok(reading) => reading,
                    Err(error) => return (of, Err(error)),
                };
                let looks: Vec<Look> = ids
                    .iter()
                    .filter_map(|id| Some((id, of_collection(executor.live, of, id)?)))
                    .map(|(id, then)| match reading.objects.get(id) {
                        None => Look::Other,
                        Some(now) => judge.compare(then, now),
                    })
                    .collect();
                is_open |= looks.contains(&Look::Other);
                if !is_open || attempt >= LOOKS.min(patience.attempts) || stopped(executor) {
                    return (of, Ok(reading));
                }
                super::pause(patience.wait(attempt), executor.stop).await;
                attempt += 1;
            }
        }
        .boxed_local()
    }

    /// A reading failed: what rests on it is read anew.
    pub(super) fn give_up(&mut self, of: Collection) {
        self.under_way.remove(&of);
    }

    /// Takes a reading that is over.
    pub(super) fn take(&mut self, of: Collection, reading: Reading) {
        self.under_way.remove(&of);
        self.latest.insert(of, reading);
    }

    fn compare(&self, then: &LiveObject, now: &LiveObject) -> Look {
        // After a write of this apply its time tells nothing, and what was written is not as the plan saw it.
        let touched = self.touched.get(&now.id);
        let is_as_old = match (&then.modified_date_time, &now.modified_date_time) {
            (Some(then), Some(now)) => then == now || touched.is_some(),
            _ => true,
        };
        let members = |object: &LiveObject| {
            let members = object.object.get(members_path()).cloned();
            members.filter(|_| object.has_members())
        };
        let is_left = |wire: &str| {
            wire != members_path()
                && !touched.is_some_and(|touched| touched.values().any(|paths| paths.contains(wire)))
        };
        let is_same = is_as_old
            && then.kind == now.kind
            && (touched.is_some() || members(then).is_none() || members(then) == members(now))
            && then
                .kind
                .properties()
                .iter()
                .filter(|property| property.access == Access::Written && is_left(property.wire))
                .all(|property| equal(then.object.get(property.wire), now.object.get(property.wire)));
        let is_newer = || match (&then.modified_date_time, &now.modified_date_time) {
            (Some(then), Some(now)) => now > then,
            (None, Some(_)) => true,
            (_, None) => false,
        };
        if is_same {
            Look::Same
        } else if touched.is_none() && is_newer() {
            Look::Newer
        } else {
            Look::Other
        }
    }
}

/// What one look at an object tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// It is as the plan saw it.
    Same,
    /// It was written since.
    Newer,
    /// It differs, and the answer may be an old one.
    Other,
}

fn stopped(executor: &Executor<'_>) -> bool {
    executor.stop.load(Ordering::SeqCst)
}

fn of_collection<'a>(live: &'a LiveTenant, of: Collection, id: &str) -> Option<&'a LiveObject> {
    live.objects
        .iter()
        .find(|object| collection(object.kind) == of && object.id.eq_ignore_ascii_case(id))
}

async fn list(
    executor: &Executor<'_>,
    of: Collection,
    ids: &BTreeSet<String>,
) -> Result<Reading, GraphError> {
    let graph = executor.graph;
    let mut objects = BTreeMap::new();
    let mut pages = 1;
    if of == Collection::Groups {
        let with_members = ids
            .iter()
            .filter(|id| of_collection(executor.live, of, id).is_some_and(LiveObject::has_members));
        let options = SnapshotOptions {
            groups: ids.iter().cloned().collect(),
            members_of: with_members.cloned().collect(),
            ..SnapshotOptions::default()
        };
        let snapshot = Box::pin(graph.snapshot(&options)).await?;
        for object in snapshot.objects()? {
            objects.insert(object.id.clone(), object);
        }
    } else {
        let version = if ids
            .iter()
            .filter_map(|id| of_collection(executor.live, of, id))
            .any(|object| object.version == ApiVersion::Beta)
        {
            Version::Beta
        } else {
            Version::V1
        };
        let mut listed = graph.pages(version, of.path(), &[]);
        while let Some(page) = listed.next().await? {
            for json in page {
                let object = match of {
                    Collection::NamedLocations => LiveObject::read_location(json, ApiVersion::V1)?,
                    _ => Some(LiveObject::read(kind(of), json, version)?),
                };
                objects.extend(object.map(|object| (object.id.clone(), object)));
            }
        }
        pages = u32::try_from(listed.read()).unwrap_or(u32::MAX);
    }
    Ok(Reading {
        at: Instant::now(),
        pages,
        objects,
    })
}

fn kind(of: Collection) -> Kind {
    match of {
        Collection::Strengths => Kind::Strength,
        Collection::Contexts => Kind::Context,
        Collection::Groups => Kind::Group,
        _ => Kind::Policy,
    }
}
