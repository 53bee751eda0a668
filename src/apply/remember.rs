//! What state holds after a step.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::event::StepResult;
use super::perform::Ready;
use crate::model::Address;
use crate::model::live::LiveTenant;
use crate::model::properties::ApiVersion;
use crate::model::state::{Document, Lifecycle, OutputState, ResourceState};
use crate::plan::step::fill;
use crate::plan::{Act, Plan, ResourceChange, Step, StepId};
use crate::state::journal::{Effect, Operation};

/// Carries out the steps that only change state.
pub(super) fn without_requests(
    plan: &Plan,
    live: &LiveTenant,
    document: &mut Document,
    results: &mut BTreeMap<StepId, StepResult>,
) {
    for step in &plan.steps {
        let address = step.address.to_string();
        match &step.act {
            Act::Move { from } => {
                if let Some(resource) = document.resources.remove(&from.to_string()) {
                    document.resources.insert(address.clone(), resource);
                }
            }
            Act::Forget => {
                document.resources.remove(&address);
            }
            Act::Adopt { .. } | Act::Remember => {
                if let Some(change) = change_of(plan, &step.address) {
                    let adopted = matches!(step.act, Act::Adopt { .. });
                    remember_as_is(live, change, adopted, document);
                }
            }
            _ => continue,
        }
        results.insert(step.id, StepResult::Done { id: None });
    }
}

fn change_of<'p>(plan: &'p Plan, address: &Address) -> Option<&'p ResourceChange> {
    plan.change(address)
}

/// The live object as the plan saw it, under the address. What counts as sent is what the plan says:
/// kept from earlier, it would make a change from outside pass for the service's own doing.
fn remember_as_is(live: &LiveTenant, change: &ResourceChange, adopted: bool, document: &mut Document) {
    let Some(id) = &change.id else { return };
    let address = change.address.to_string();
    let earlier = document.resources.get(&address);
    let live = live.of_block(change.kind.block(), id);
    let resource = ResourceState {
        kind: change.kind,
        id: id.clone(),
        api_version: live.map_or(ApiVersion::V1, |live| live.version),
        sent: if adopted {
            None
        } else {
            change.sent.clone().map(Into::into)
        },
        modified_date_time: live.and_then(|live| live.modified_date_time.clone()),
        answered: live
            .map(|live| live.json.clone().into())
            .or_else(|| earlier.and_then(|earlier| earlier.answered.clone())),
        dependencies: dependencies(change),
        lifecycle: lifecycle(change),
        created_by_import: adopted || earlier.is_some_and(|earlier| earlier.created_by_import),
    };
    document.resources.insert(address, resource);
}

fn modified(json: &Json) -> Option<String> {
    json.get("modifiedDateTime")
        .and_then(Json::as_str)
        .map(str::to_owned)
}

fn dependencies(change: &ResourceChange) -> BTreeSet<String> {
    change.dependencies.iter().map(ToString::to_string).collect()
}

fn lifecycle(change: &ResourceChange) -> Lifecycle {
    Lifecycle {
        prevent_destroy: change.lifecycle.prevent_destroy,
        reason: change.lifecycle.reason.clone(),
    }
}

/// What the journal says that this step does to state once it is done.
pub(super) fn effect(
    plan: &Plan,
    step: &Step,
    ready: &Ready,
    ids: &BTreeMap<Address, String>,
    document: &Document,
) -> Effect {
    let address = step.address.to_string();
    match ready.operation {
        // A replacement deletes the old object after the address has the new one.
        Operation::Delete if is_replaced(plan, step) => Effect::Nothing,
        Operation::Delete => Effect::Forget,
        _ => {
            let Some(change) = change_of(plan, &step.address) else {
                return Effect::Nothing;
            };
            let earlier = document.resources.get(&address);
            match kept(change, step, ready, ids, earlier) {
                Some(resource) => Effect::Keep {
                    resource: Box::new(resource),
                },
                None => Effect::Nothing,
            }
        }
    }
}

fn is_replaced(plan: &Plan, step: &Step) -> bool {
    change_of(plan, &step.address).is_some_and(|change| change.action == crate::plan::Action::Replace)
}

/// A change counts as sent only with its last step: a half-made one must show in the next plan.
fn kept(
    change: &ResourceChange,
    step: &Step,
    ready: &Ready,
    ids: &BTreeMap<Address, String>,
    earlier: Option<&ResourceState>,
) -> Option<ResourceState> {
    let last = change.steps.last() == Some(&step.id);
    let sent = if last { whole(change, ids) } else { None };
    match (ready.operation, sent, earlier) {
        (Operation::Create, sent, _) => Some(ResourceState {
            kind: change.kind,
            id: String::new(),
            api_version: ready.api_version,
            sent: sent.or_else(|| ready.body.clone()).map(Into::into),
            answered: None,
            dependencies: dependencies(change),
            lifecycle: lifecycle(change),
            created_by_import: false,
            modified_date_time: None,
        }),
        (_, Some(sent), Some(earlier)) => Some(ResourceState {
            api_version: ready.api_version,
            sent: Some(sent.into()),
            answered: None,
            dependencies: dependencies(change),
            lifecycle: lifecycle(change),
            ..earlier.clone()
        }),
        _ => None,
    }
}

fn whole(change: &ResourceChange, ids: &BTreeMap<Address, String>) -> Option<Json> {
    let mut sent = change.sent.clone()?;
    for place in &change.sent_pending {
        if !fill(&mut sent, place, ids.get(&place.address)?) {
            return None;
        }
    }
    Some(sent)
}

/// Brings a step that is done into the document, as recovery would from the journal.
pub(super) fn done(
    effect: &Effect,
    address: &str,
    id: Option<&str>,
    answered: Option<&Json>,
    document: &mut Document,
) {
    match effect {
        Effect::Nothing => {}
        Effect::Forget => {
            document.resources.remove(address);
        }
        Effect::Keep { resource } => {
            let kept = ResourceState {
                id: id.map_or_else(|| resource.id.clone(), str::to_owned),
                answered: answered.cloned().map(Into::into),
                modified_date_time: answered.and_then(modified),
                ..ResourceState::clone(resource)
            };
            document.resources.insert(address.to_owned(), kept);
        }
    }
}

/// The outputs after an apply that did everything.
pub(super) fn outputs(plan: &Plan, document: &mut Document) {
    for output in &plan.outputs {
        match &output.after {
            Some(value) => {
                document.outputs.insert(
                    output.name.clone(),
                    OutputState {
                        value: value.clone(),
                        sensitive: output.sensitive,
                    },
                );
            }
            None => {
                document.outputs.remove(&output.name);
            }
        }
    }
}
