//! What a plan adds up to beside its objects: outputs that change, and what applying costs.

use std::collections::BTreeMap;

use crate::model::configuration::Configuration;
use crate::model::state::Document;

use super::Cost;
use super::change::OutputChange;
use super::options::{Mode, PlanOptions};
use super::step::Step;

pub(super) fn output_changes(
    desired: &Configuration,
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
        _ => &desired.outputs,
    };
    let mut changes = Vec::new();
    for (name, output) in wanted {
        let before = remembered.get(name);
        // An id that is not known yet is null; what was remembered then still stands.
        let known = !output.value.is_null() || before.is_none();
        if known
            && before
                .is_none_or(|before| before.value != output.value || before.sensitive != output.sensitive)
        {
            changes.push(OutputChange {
                name: name.clone(),
                before: before.map(|before| before.value.clone()),
                after: Some(output.value.clone()),
                sensitive: output.sensitive,
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
            });
        }
    }
    changes
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
