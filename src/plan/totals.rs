//! What a plan adds up to beside its objects: outputs that change, and what applying costs.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::model::Reference;
use crate::model::configuration::{IdOf, Output};
use crate::model::state::Document;

use super::Cost;
use super::change::OutputChange;
use super::identity::Standing;
use super::options::{Mode, PlanOptions};
use super::resolve::Resolver;
use super::step::{Pending, Step};

pub(super) fn output_changes(
    resolver: &Resolver<'_>,
    state: Option<&Document>,
    options: &PlanOptions,
) -> Vec<OutputChange> {
    if options.mode == Mode::RefreshOnly {
        return Vec::new();
    }
    let nothing = BTreeMap::new();
    let remembered = state.map_or(&nothing, |state| &state.outputs);
    let nothing = BTreeMap::new();
    let wanted = match options.mode {
        Mode::Destroy => &nothing,
        _ => &resolver.desired.outputs,
    };
    let mut changes = Vec::new();
    for (name, output) in wanted {
        let before = remembered.get(name);
        let (value, pending) = with_ids(resolver, output);
        let differs =
            before.is_none_or(|before| before.value != value || before.sensitive != output.sensitive);
        if differs || !pending.is_empty() {
            changes.push(OutputChange {
                name: name.clone(),
                before: before.map(|before| before.value.clone()),
                after: Some(value),
                sensitive: output.sensitive,
                pending,
            });
        }
    }
    for (name, before) in remembered {
        if !wanted.contains_key(name) {
            changes.push(OutputChange {
                name: name.clone(),
                before: Some(before.value.clone()),
                after: None,
                sensitive: before.sensitive,
                pending: Vec::new(),
            });
        }
    }
    changes
}

/// The value with every id that is known, and those that are known only when their objects are made.
fn with_ids(resolver: &Resolver<'_>, output: &Output) -> (Json, Vec<Pending>) {
    let mut value = output.value.clone();
    let mut pending = Vec::new();
    for (pointer, of) in &output.ids {
        let address = match of {
            IdOf::Block(address) => address.clone(),
            IdOf::Lookup(lookup) => match resolver.resolve(&Reference::Lookup(lookup.clone())) {
                Ok(Reference::Id { id, .. }) => {
                    put(&mut value, pointer, &id);
                    continue;
                }
                Ok(Reference::Managed { address, .. }) => *address,
                // A look-up that fails is an error where something depends on it; here nothing is known.
                _ => continue,
            },
        };
        match resolver.standings.get(&address).and_then(Standing::id) {
            Some(id) => put(&mut value, pointer, &id),
            None => pending.push(Pending {
                pointer: pointer.clone(),
                address,
            }),
        }
    }
    (value, pending)
}

fn put(value: &mut Json, pointer: &str, id: &str) {
    if let Some(place) = value.pointer_mut(pointer) {
        *place = Json::String(id.to_owned());
    }
}

pub(super) fn cost(steps: &[Step], options: &PlanOptions) -> Cost {
    let writes: u32 = steps.iter().map(|step| step.act.requests()).sum();
    if writes == 0 {
        return Cost::default();
    }
    let rationed: u32 = steps
        .iter()
        .filter(|step| step.act.is_rationed())
        .map(|step| step.act.requests())
        .sum();
    let reads = 2 * options.refresh_requests;
    let seconds = f64::from(rationed + reads) / options.requests_per_second.max(f64::MIN_POSITIVE);
    Cost {
        writes,
        requests: writes + reads,
        seconds: std::time::Duration::try_from_secs_f64(seconds.ceil())
            .map_or(u64::MAX, |duration| duration.as_secs()),
    }
}
