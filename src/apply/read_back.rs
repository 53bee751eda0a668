//! One list a kind, after the writes: did every property land as it was sent?

use std::collections::{BTreeSet, HashMap};

use super::error::ApplyError;
use super::event::StepResult;
use super::run::{Applied, Executor};
use crate::graph::SnapshotOptions;
use crate::model::live::LiveObject;
use crate::model::properties::Access;
use crate::model::state::Document;
use crate::model::wire::{decode, members_path};
use crate::model::{Address, Kind, Reference, Value};
use crate::plan::{Action, Plan, ResourceChange, equal};

/// A property that the service shows otherwise than it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    /// The object.
    pub address: Address,
    /// The wire path; empty when the object is not to be seen at all.
    pub wire: String,
    /// The place in the language.
    pub dsl: String,
}

/// How many times the tenant is read at most: what still differs then is the service's own doing.
const READS: u32 = 6;

/// Reads the kinds that were written, until they show what was written or patience ends.
///
/// What the service shows in the end is what state remembers as its answer.
pub(super) async fn read_back(
    executor: &Executor<'_>,
    plan: &Plan,
    document: &mut Document,
    applied: &Applied,
) -> Result<Vec<Mismatch>, ApplyError> {
    let written: Vec<&ResourceChange> = plan
        .changes
        .iter()
        .filter(|change| is_written(change, plan, applied))
        .collect();
    if written.is_empty() {
        return Ok(Vec::new());
    }
    let patience = executor.options.patience;
    let mut attempt = 1;
    loop {
        let is_last = attempt >= patience.attempts.min(READS);
        match read(executor, &written, document).await {
            Ok(live) => {
                let mismatches = compare(&written, &live, document);
                if mismatches.is_empty() || is_last {
                    remember(&written, &live, &mismatches, document);
                    return Ok(mismatches);
                }
            }
            Err(error) if is_last => return Err(error),
            // Two lists that differ, or an object read in part: what was written is still spreading.
            Err(_) => {}
        }
        super::pause(patience.wait(attempt), executor.stop).await;
        attempt += 1;
    }
}

/// Whether a request was made for it and all of them are done. A half-made change is not looked at:
/// taken down as the service's answer, it would pass for what the service makes of what was sent.
fn is_written(change: &ResourceChange, plan: &Plan, applied: &Applied) -> bool {
    let requests: Vec<_> = change
        .steps
        .iter()
        .filter(|id| plan.step(**id).is_some_and(|step| step.act.requests() > 0))
        .collect();
    !requests.is_empty()
        && requests
            .iter()
            .all(|id| matches!(applied.results.get(id), Some(StepResult::Done { .. })))
}

async fn read(
    executor: &Executor<'_>,
    written: &[&ResourceChange],
    document: &Document,
) -> Result<Vec<LiveObject>, ApplyError> {
    let kinds: BTreeSet<Kind> = written.iter().map(|change| change.kind).collect();
    let of_kind = |change: &&&ResourceChange| change.kind == Kind::Group;
    let id = |change: &&ResourceChange| {
        document
            .resources
            .get(&change.address.to_string())
            .map(|kept| kept.id.clone())
    };
    let groups: Vec<String> = written.iter().filter(of_kind).filter_map(id).collect();
    let with_members: Vec<String> = written
        .iter()
        .filter(|change| {
            change
                .after
                .as_ref()
                .is_some_and(|after| after.get(members_path()).is_some())
        })
        .filter_map(id)
        .collect();
    let options = SnapshotOptions::of_kinds(&kinds, groups, with_members);
    let snapshot = Box::pin(executor.graph.snapshot(&options)).await?;
    Ok(snapshot.into_objects()?)
}

fn by_id(live: &[LiveObject]) -> HashMap<String, &LiveObject> {
    live.iter()
        .map(|object| (object.id.to_ascii_lowercase(), object))
        .collect()
}

fn compare(written: &[&ResourceChange], live: &[LiveObject], document: &Document) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    let by_id = by_id(live);
    for change in written {
        let kept = document.resources.get(&change.address.to_string());
        let Some(kept) = kept else {
            // Deleted: the old object must be gone.
            if matches!(change.action, Action::Delete)
                && let Some(id) = &change.id
                && by_id
                    .get(&id.to_ascii_lowercase())
                    .is_some_and(|found| found.kind.block() == change.kind.block())
            {
                mismatches.push(Mismatch {
                    address: change.address.clone(),
                    wire: String::new(),
                    dsl: String::new(),
                });
            }
            continue;
        };
        let Some(found) = by_id.get(&kept.id.to_ascii_lowercase()) else {
            mismatches.push(Mismatch {
                address: change.address.clone(),
                wire: String::new(),
                dsl: String::new(),
            });
            continue;
        };
        let Some(sent) = kept
            .sent
            .as_ref()
            .and_then(|sent| decode(change.kind, &sent.value()).ok())
        else {
            continue;
        };
        for property in change.kind.properties() {
            let same = if change.kind == Kind::Group && property.wire == members_path() {
                has_members(change, found, document)
            } else {
                property.access != Access::Written
                    || equal(sent.object.get(property.wire), found.object.get(property.wire))
            };
            if !same {
                mismatches.push(Mismatch {
                    address: change.address.clone(),
                    wire: property.wire.to_owned(),
                    dsl: property.dsl.first().copied().unwrap_or_default().to_owned(),
                });
            }
        }
    }
    mismatches
}

/// Whether a group holds the members that it should; they are no part of what is sent as its body.
fn has_members(change: &ResourceChange, found: &LiveObject, document: &Document) -> bool {
    let Some(after) = &change.after else { return true };
    if after.get(members_path()).is_none() || !found.has_members() {
        return true;
    }
    let wanted: BTreeSet<String> = after
        .reference_set(members_path())
        .filter_map(|member| match member {
            Reference::Id { id, .. } => Some(id.to_ascii_lowercase()),
            Reference::Managed { address, .. } => document
                .resources
                .get(&address.to_string())
                .map(|kept| kept.id.to_ascii_lowercase()),
            Reference::Keyword(_) | Reference::Lookup(_) => None,
        })
        .collect();
    let shown: BTreeSet<String> = match found.object.get(members_path()) {
        Some(Value::References(members)) => members
            .iter()
            .filter_map(|member| match member {
                Reference::Id { id, .. } => Some(id.to_ascii_lowercase()),
                _ => None,
            })
            .collect(),
        _ => BTreeSet::new(),
    };
    wanted == shown
}

/// Takes down what the service shows as its answer.
///
/// Where it shows something else than was written, nobody can tell the service's own doing from an edit that somebody
/// else made meanwhile, and an edit must never pass for the service's doing. So nothing is taken down then: the answer to
/// a create stays what the service said at once, and the next plan compares what is wanted with what is there.
fn remember(
    written: &[&ResourceChange],
    live: &[LiveObject],
    mismatches: &[Mismatch],
    document: &mut Document,
) {
    let by_id = by_id(live);
    let differing: BTreeSet<&Address> = mismatches.iter().map(|mismatch| &mismatch.address).collect();
    for change in written {
        let Some(kept) = document.resources.get_mut(&change.address.to_string()) else {
            continue;
        };
        let Some(found) = by_id.get(&kept.id.to_ascii_lowercase()) else {
            continue;
        };
        let differs = differing.contains(&change.address);
        match (differs, change.action) {
            (false, _) => kept.answered = Some(found.json.clone()),
            (true, Action::Create | Action::Replace) => {}
            (true, _) => kept.answered = None,
        }
        kept.modified_date_time.clone_from(&found.modified_date_time);
    }
}
