//! What an edited list of waves means for a rollout under way.

use serde_json::{Value as Json, json};

use super::error::RolloutError;
use super::standing::{Mark, Standing};
use crate::model::rollout::{Audience, Rollout, Wave};
use crate::model::state::digest;
use crate::model::{Object, Reference, Value};

/// What is kept of a wave, to see later whether it was edited: not its gate, soak or approvals, which may change.
pub fn mark(wave: &Wave) -> Mark {
    let audience = match &wave.audience {
        Audience::Whole => json!("whole"),
        Audience::People(people) => json!({ "people": folded(people) }),
        Audience::Share(cohort) => json!({
            "share": cohort.share.millionths,
            "of": cohort.of,
            "stratify_by": cohort.stratify_by,
            "first": cohort.first.as_ref().map(folded),
            "last": cohort.last.as_ref().map(folded),
        }),
    };
    let whole = json!({ "state": wave.state.word(), "audience": audience });
    Mark {
        name: wave.name.clone(),
        digest: digest(whole.to_string().as_bytes()),
        enforced: wave.is_enforced(),
        whole: wave.audience == Audience::Whole,
    }
}

/// The people of a wave in one order.
fn folded(people: &Object) -> Json {
    let folded = people.iter().map(|(property, value)| {
        let value = match value {
            Value::References(references) => {
                let mut all: Vec<&Reference> = references.iter().collect();
                all.sort();
                json!(all)
            }
            Value::Guests(guests) => {
                let mut kinds: Vec<&String> = guests.kinds.iter().collect();
                kinds.sort();
                json!([kinds, guests.tenants])
            }
            other => json!(other),
        };
        (property.wire.to_owned(), value)
    });
    Json::Object(folded.collect())
}

/// The standing in terms of the waves as they are written now.
///
/// Waves that are still to come may change in any way, and every wave may get another soak, gate or number of approvals.
/// What has been entered stays as it was entered: the present wave and those before it keep their order, state and
/// audience, or get another name. Refused is everything that would skip a wave or start one again without anybody
/// having said so.
pub fn fitted(rollout: &Rollout, standing: &Standing) -> Result<Standing, RolloutError> {
    let mut fitted = standing.clone();
    let present: Vec<Mark> = rollout.waves.iter().map(mark).collect();
    // A report-only wave that is over leaves nothing behind, so it may go.
    let mut kept: Vec<Mark> = standing.marks.clone();
    let in_force: Vec<&str> = [standing.wave_name(), standing.target()]
        .into_iter()
        .flatten()
        .collect();
    kept.retain(|old| {
        old.enforced
            || in_force.contains(&old.name.as_str())
            || present
                .iter()
                .any(|new| new.digest == old.digest && new.name == old.name)
    });
    for (place, old) in kept.iter().enumerate() {
        let Some(new) = present.get(place) else {
            return Err(gone(rollout, old));
        };
        let renamed = new.name != old.name;
        if new.digest == old.digest && !(renamed && present.iter().any(|one| one.name == old.name)) {
            if renamed {
                rename(&mut fitted, &old.name, &new.name);
            }
            continue;
        }
        return Err(match present.iter().position(|one| one.name == old.name) {
            None => gone(rollout, old),
            Some(at) if at == place => edited(rollout, place, old),
            Some(_) => RolloutError::WaveSkipped {
                rollout: rollout.address.to_string(),
                skipped: new.name.clone(),
                wave: kept.last().map(|last| last.name.clone()).unwrap_or_default(),
                origin: rollout
                    .waves
                    .get(place)
                    .map_or(rollout.origin, |wave| wave.origin),
            },
        });
    }
    fitted.marks = present.into_iter().take(kept.len()).collect();
    Ok(fitted)
}

fn edited(rollout: &Rollout, place: usize, wave: &Mark) -> RolloutError {
    let name = &rollout.address.name;
    let before = place.checked_sub(1).and_then(|before| rollout.waves.get(before));
    let back = match before {
        Some(before) => format!(
            "go back first: `capol rollout rollback {name} --to {}`",
            before.name
        ),
        None => format!("start over: `capol rollout abort {name}`"),
    };
    RolloutError::WaveEdited {
        rollout: rollout.address.to_string(),
        wave: wave.name.clone(),
        help: format!("write it as it was, and what shall change in a wave after it; or {back}"),
        origin: rollout
            .waves
            .get(place)
            .map_or(rollout.origin, |wave| wave.origin),
    }
}

fn gone(rollout: &Rollout, wave: &Mark) -> RolloutError {
    RolloutError::WaveGone {
        rollout: rollout.address.to_string(),
        name: rollout.address.name.clone(),
        wave: wave.name.clone(),
        origin: rollout.origin,
    }
}

fn rename(standing: &mut Standing, from: &str, to: &str) {
    let swap = |name: &mut String| {
        if name == from {
            to.clone_into(name);
        }
    };
    if let Some(wave) = &mut standing.wave {
        swap(&mut wave.name);
    }
    if let Some(entering) = &mut standing.entering {
        entering.to.iter_mut().for_each(swap);
        entering.given_up.iter_mut().for_each(swap);
    }
    if let Some(cut) = standing.cuts.remove(from) {
        standing.cuts.insert(to.to_owned(), cut);
    }
}
