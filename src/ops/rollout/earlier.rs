//! Rollouts of a plan that was made earlier: carried out now, or taken back.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::configuration::Configuration;
use crate::model::state::Document;
use crate::plan::{Plan, Staged, StagedStep};
use crate::rollout::machine::{self, Basis, Step};
use crate::rollout::standing::{Condition, Kind, Outcome, Person, Transition, standings};
use crate::rollout::{RolloutError, edit, ready};

/// Where rollouts go back to when the apply that moved them is taken back; `before` is the state that it began with.
pub fn undone(
    configuration: &Configuration,
    before: &Document,
    now: &Document,
    plan: &Plan,
    by: &Person,
    at: Timestamp,
) -> Result<Vec<Staged>, RolloutError> {
    let was = standings(before)?;
    let mut all = Vec::new();
    for (address, standing) in standings(now)? {
        let began = was
            .get(&address)
            .filter(|was| was.entering.is_some())
            .and_then(|was| was.history.last());
        let same = |now: &Transition| began.is_some_and(|began| began.began == now.began);
        let Some(last) = standing.history.last().filter(|last| same(last)) else {
            continue;
        };
        let Some(rollout) = configuration.rollouts.get(&address) else {
            continue;
        };
        let to = last.from.as_ref().and_then(|name| rollout.wave(name));
        let step = Step {
            kind: Kind::Undo,
            to: to.map(|(_, wave)| wave),
        };
        let basis = Basis {
            at,
            by: by.clone(),
            digest: plan.content_digest(),
            conditions: Vec::new(),
            forced: None,
            cuts: BTreeMap::new(),
        };
        let after = machine::enter(rollout, &edit::fitted(rollout, &standing)?, step, basis)?;
        all.push(Staged {
            address: address.clone(),
            previous: None,
            waves: rollout.waves.iter().map(|wave| wave.name.clone()).collect(),
            at: standing.wave_name().map(str::to_owned),
            since: standing.wave.as_ref().map(|wave| wave.since),
            step: Some(StagedStep {
                kind: Kind::Undo,
                to: last.from.clone(),
                goes_on: false,
            }),
            waits: Vec::new(),
            next: None,
            before: Some(standing),
            after: Some(after),
        });
    }
    Ok(all)
}

/// Refuses a plan made before that would take a step when time stands in its way now.
pub fn still_open(
    configuration: &Configuration,
    plan: &Plan,
    state: Option<&Document>,
    now: Timestamp,
) -> Result<(), RolloutError> {
    let known = state.map(standings).transpose()?.unwrap_or_default();
    for staged in &plan.rollouts {
        let is_begun = |step: &StagedStep| step.kind == Kind::Advance && !step.goes_on;
        let forced = staged
            .after
            .as_ref()
            .and_then(|after| after.history.last())
            .is_some_and(|last| last.forced.is_some());
        let Some(rollout) = configuration
            .rollouts
            .get(&staged.address)
            .filter(|_| staged.step.as_ref().is_some_and(is_begun) && !forced)
        else {
            continue;
        };
        let standing = known.get(&staged.address).cloned().unwrap_or_default();
        let unmet: Vec<Condition> = ready::conditions(rollout, &standing, now, None)?
            .into_iter()
            .filter(|condition| condition.outcome == Outcome::NotYet)
            .collect();
        if !unmet.is_empty() {
            return Err(RolloutError::Unmet {
                rollout: rollout.address.to_string(),
                name: rollout.address.name.clone(),
                unmet,
            });
        }
    }
    Ok(())
}
