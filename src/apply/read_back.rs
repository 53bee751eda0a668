//! One list a kind, after the writes: did every property land as it was sent?

use std::collections::BTreeSet;

use super::error::ApplyError;
use super::event::StepResult;
use super::run::{Applied, Executor};
use crate::graph::SnapshotOptions;
use crate::model::live::LiveObject;
use crate::model::state::Document;
use crate::model::wire::{decode, members_path};
use crate::model::{Address, Kind};
use crate::plan::{Plan, ResourceChange};

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
        let live = read(executor, &written, document).await?;
        let mismatches = compare(&written, &live, document);
        if mismatches.is_empty() || attempt >= patience.attempts {
            remember(&written, &live, document);
            return Ok(mismatches);
        }
        tokio::time::sleep(patience.wait(attempt)).await;
        attempt += 1;
    }
}

fn is_written(change: &ResourceChange, plan: &Plan, applied: &Applied) -> bool {
    change.steps.iter().any(|id| {
        let sent = plan.step(*id).is_some_and(|step| step.act.requests() > 0);
        sent && matches!(applied.results.get(id), Some(StepResult::Done { .. }))
    })
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
    let snapshot = executor.graph.snapshot(&options).await?;
    Ok(snapshot.objects()?)
}

fn compare(written: &[&ResourceChange], live: &[LiveObject], document: &Document) -> Vec<Mismatch> {
    let mut mismatches = Vec::new();
    for change in written {
        let kept = document.resources.get(&change.address.to_string());
        let Some(kept) = kept else {
            // Deleted: the old object must be gone.
            if let Some(id) = &change.id
                && live
                    .iter()
                    .any(|object| object.kind.block() == change.kind.block() && object.id == *id)
            {
                mismatches.push(Mismatch {
                    address: change.address.clone(),
                    wire: String::new(),
                    dsl: String::new(),
                });
            }
            continue;
        };
        let found = live
            .iter()
            .find(|object| object.id.eq_ignore_ascii_case(&kept.id));
        let Some(found) = found else {
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
            let compared = property.access == crate::model::properties::Access::Written
                && property.wire != "combinationConfigurations"
                && (property.wire != members_path() || found.has_members());
            if compared && sent.object.get(property.wire) != found.object.get(property.wire) {
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

fn remember(written: &[&ResourceChange], live: &[LiveObject], document: &mut Document) {
    for change in written {
        let Some(kept) = document.resources.get_mut(&change.address.to_string()) else {
            continue;
        };
        if let Some(found) = live
            .iter()
            .find(|object| object.id.eq_ignore_ascii_case(&kept.id))
        {
            kept.answered = Some(found.json.clone().into());
            kept.modified_date_time.clone_from(&found.modified_date_time);
        }
    }
}
