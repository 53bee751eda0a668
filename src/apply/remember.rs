//! What state holds after a step.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::event::StepResult;
use super::request::Ready;
use crate::model::Address;
use crate::model::live::{LiveIndex, LiveTenant};
use crate::model::properties::ApiVersion;
use crate::model::state::{Document, Json as StateJson, Lifecycle, OutputState, ResourceState};
use crate::plan::step::fill;
use crate::plan::{Act, Action, Plan, ResourceChange, Step, StepId};
use crate::state::journal::Effect;

/// Carries out the steps that only change state.
pub(super) fn without_requests(
    plan: &Plan,
    live: &LiveTenant,
    document: &mut Document,
    results: &mut BTreeMap<StepId, StepResult>,
) {
    let live = LiveIndex::of(live);
    for step in plan.steps.iter().filter(|step| step.act.requests() == 0) {
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
                if let Some(change) = plan.change(&step.address) {
                    let adopted = matches!(step.act, Act::Adopt { .. });
                    remember_as_is(&live, change, adopted, document);
                }
            }
            _ => continue,
        }
        results.insert(step.id, StepResult::Done { id: None });
    }
}

/// The live object as the plan saw it, under the address. What counts as sent is what the plan says:
/// kept from earlier, it would make a change from outside pass for the service's own doing.
fn remember_as_is(live: &LiveIndex<'_>, change: &ResourceChange, adopted: bool, document: &mut Document) {
    let Some(id) = &change.id else { return };
    let address = change.address.to_string();
    let earlier = document.resources.get(&address);
    let live = live.of_block(change.kind.block(), id);
    let resource = ResourceState {
        kind: change.kind,
        id: id.clone(),
        api_version: live.map_or(ApiVersion::V1, |live| live.version),
        sent: if adopted { None } else { change.sent.clone() },
        modified_date_time: live.and_then(|live| live.modified_date_time.clone()),
        answered: live
            .map(|live| live.json.clone())
            .or_else(|| earlier.and_then(|earlier| earlier.answered.clone())),
        dependencies: dependencies(change),
        lifecycle: lifecycle(change),
        created_by_import: adopted || earlier.is_some_and(|earlier| earlier.created_by_import),
    };
    document.resources.insert(address, resource);
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

/// The address that a step writes to and what the journal says that it does to state once it is done.
pub(super) fn effect(
    plan: &Plan,
    step: &Step,
    ready: &Ready,
    ids: &BTreeMap<Address, String>,
    document: &Document,
) -> (String, Effect) {
    let address = step.address.to_string();
    let earlier = document.resources.get(&address);
    let Some(change) = plan.change(&step.address) else {
        return (address, Effect::Nothing);
    };
    let is_replaced = change.action == Action::Replace;
    let is_made = matches!(step.act, Act::Create { .. });
    let new = |sent: Option<StateJson>, id: &str| ResourceState {
        kind: change.kind,
        id: id.to_owned(),
        api_version: ready.api_version,
        sent,
        answered: None,
        dependencies: dependencies(change),
        lifecycle: lifecycle(change),
        created_by_import: !is_made && earlier.is_some_and(|earlier| earlier.created_by_import),
        modified_date_time: None,
    };
    let keep = |resource: ResourceState| Effect::Keep {
        resource: Box::new(resource),
    };
    // A change counts as sent only with its last step: a half-made one must show in the next plan.
    let is_last = change.steps.last() == Some(&step.id);
    let sent = if is_last { whole(change, ids) } else { None };
    match (&step.act, earlier) {
        (Act::Create { .. } | Act::Restore { .. }, Some(old)) if is_replaced => {
            let resource = match &step.act {
                Act::Restore { id, .. } => new(sent, id),
                _ => new(whole(change, ids), ""),
            };
            let effect = Effect::Replace {
                resource: Box::new(resource),
                old: Box::new(ResourceState {
                    lifecycle: Lifecycle::default(),
                    ..old.clone()
                }),
                old_address: replaced_address(&step.address, &old.id),
            };
            (address, effect)
        }
        (Act::Create { .. }, _) => (address, keep(new(whole(change, ids), ""))),
        (Act::Restore { id, .. }, _) => (address, keep(new(sent, id))),
        (Act::Delete { id, .. }, _) if is_replaced => {
            let old = replaced_address(&step.address, id);
            let effect = if document.resources.contains_key(&old) {
                Effect::Forget
            } else {
                Effect::Nothing
            };
            (old, effect)
        }
        (Act::Delete { .. }, _) => (address, Effect::Forget),
        (Act::Release { .. }, _) | (_, None) => (address, Effect::Nothing),
        (_, Some(earlier)) => (address, keep(new(sent, &earlier.id))),
    }
}
/// Where state remembers an object whose place is taken, until it is deleted.
///
/// It has no block, so a plan made before that deletes it.
fn replaced_address(address: &Address, id: &str) -> String {
    let short: String = id.chars().take(8).collect();
    let key = match &address.key {
        Some(key) => format!("{key} (replaced {short})"),
        None => format!("replaced {short}"),
    };
    address.clone().with_key(key).to_string()
}

/// The whole object as sent; none when an id in it is not known.
fn whole(change: &ResourceChange, ids: &BTreeMap<Address, String>) -> Option<StateJson> {
    let sent = change.sent.as_ref()?;
    if change.sent_pending.is_empty() {
        return Some(sent.clone());
    }
    let mut sent = sent.value();
    for place in &change.sent_pending {
        if !fill(&mut sent, place, ids.get(&place.address)?) {
            return None;
        }
    }
    Some(sent.into())
}

/// The outputs after an apply that did everything.
pub(super) fn outputs(plan: &Plan, document: &mut Document) {
    for output in &plan.outputs {
        match &output.after {
            Some(value) => {
                let mut value = value.clone();
                for place in &output.pending {
                    let made = document.resources.get(&place.address.to_string());
                    if let (Some(made), Some(place)) = (made, value.pointer_mut(&place.pointer)) {
                        *place = Json::String(made.id.clone());
                    }
                }
                document.outputs.insert(
                    output.name.clone(),
                    OutputState {
                        value,
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
