//! Rollouts whose block is gone: forgotten, left where they are, or refused.

use crate::model::Address;
use crate::model::configuration::{Configuration, Removal};
use crate::plan::Plan;
use crate::rollout::standing::Standing;
use crate::rollout::{RolloutError, lower};

/// Refuses to make a policy anew whose rollout was left where it is: nobody says any more for whom.
pub(super) fn refuse_made_anew(
    address: &Address,
    standing: &Standing,
    plan: &Plan,
) -> Result<(), RolloutError> {
    for policy in &standing.policies {
        let is_made = plan
            .change(policy)
            .is_some_and(|change| change.before.is_none() && change.after.is_some());
        if is_made {
            return Err(RolloutError::LeftAndGone {
                rollout: address.to_string(),
                policy: policy.to_string(),
            });
        }
    }
    Ok(())
}

/// What becomes of a rollout whose block is gone: it is forgotten when it had come to its end, left when that is said.
pub(super) fn without_block(
    configuration: &Configuration,
    address: &Address,
    standing: &Standing,
) -> Result<Option<Standing>, RolloutError> {
    let is_removed = configuration
        .removals
        .iter()
        .any(|removal| removal.from.covers(address));
    if is_removed {
        return Ok(Some(Standing {
            left: true,
            ..standing.clone()
        }));
    }
    let untouched = standing.history.is_empty();
    let no_policy = standing
        .policies
        .iter()
        .all(|policy| !configuration.resources.contains_key(policy));
    if standing.left || untouched || no_policy || is_whole(standing) {
        return Ok(None);
    }
    Err(RolloutError::BlockGone {
        rollout: address.to_string(),
        wave: standing.target().map(str::to_owned),
    })
}

/// Whether the wave in force is the policy's own audience, enforced.
fn is_whole(standing: &Standing) -> bool {
    let in_force = standing.marks.last().filter(|_| standing.entering.is_none());
    in_force.is_some_and(|mark| mark.whole && mark.enforced && standing.wave_name() == Some(&mark.name))
}

/// Leaves the policies of a rollout as its wave left them.
pub(super) fn leave(
    configuration: &Configuration,
    address: &Address,
    standing: &Standing,
    lowered: &mut Configuration,
) {
    for policy in &standing.policies {
        if let Some(resource) = lowered.resources.get_mut(policy) {
            let ignored = &mut resource.lifecycle.ignore_changes;
            ignored.extend(lower::MOVED.iter().map(|wire| (*wire).to_owned()));
            ignored.dedup();
        }
    }
    let origin = configuration
        .removals
        .iter()
        .find(|removal| removal.from.covers(address))
        .map(|removal| removal.origin);
    if let Some(origin) = origin {
        for number in 0..standing.policies.len() {
            lowered.removals.push(Removal {
                from: lower::cohort_address(address, number),
                origin,
            });
        }
    }
}
