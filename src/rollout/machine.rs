//! What may happen to a rollout, and what becomes of it.
//!
//! Nothing here knows the tenant. A transition is *entered* in state before its first write leaves, and *done* after the
//! last one has landed; in between the configuration means the wave being entered, so whoever comes next carries on.
//!
//! ```text
//!            enter(advance)              finish
//! wave n ───────────────────→ entering n+1 ─────→ wave n+1
//!    ↑      enter(rollback)         │
//!    └────── entering m<n ←─────────┘
//! ```

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::cohort::Cut;
use super::edit::mark;
use super::error::RolloutError;
use super::standing::{
    Approval, Condition, Entering, InForce, Kind, Outcome, Pause, Person, Standing, Transition,
};
use crate::model::rollout::{Rollout, Wave};

/// Where a transition leads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step<'r> {
    /// What it is.
    pub kind: Kind,
    /// The wave; none for the place before the first.
    pub to: Option<&'r Wave>,
}

/// What a transition rests on.
#[derive(Debug, Clone)]
pub struct Basis {
    /// When.
    pub at: Timestamp,
    /// Who carries it out.
    pub by: Person,
    /// The digest of exactly what will be applied.
    pub digest: String,
    /// What was found of each condition.
    pub conditions: Vec<Condition>,
    /// Why conditions that do not hold are passed over; never approvals.
    pub forced: Option<String>,
    /// Who is in the shares of the wave that is entered.
    pub cuts: BTreeMap<String, Cut>,
}

/// The step into the next wave.
pub fn next<'r>(rollout: &'r Rollout, standing: &Standing) -> Result<Step<'r>, RolloutError> {
    free(rollout, standing)?;
    let place = match standing.wave_name() {
        None => 0,
        Some(name) => place(rollout, name)? + 1,
    };
    let to = rollout.waves.get(place).ok_or_else(|| RolloutError::Complete {
        rollout: rollout.address.to_string(),
    })?;
    Ok(Step {
        kind: Kind::Advance,
        to: Some(to),
    })
}

/// The step back to an earlier wave; to the one before the present when none is named.
pub fn back<'r>(
    rollout: &'r Rollout,
    standing: &Standing,
    to: Option<&str>,
) -> Result<Step<'r>, RolloutError> {
    let now = widest(rollout, standing)?;
    let Some(now) = now else {
        return Err(RolloutError::NotBegun {
            rollout: rollout.address.to_string(),
        });
    };
    let to = match to {
        Some(name) => place(rollout, name)?,
        // A transition under way is taken back to where it came from.
        None if standing.entering.is_some() => match standing.wave_name() {
            Some(name) => place(rollout, name)?.min(now),
            None => return Err(first(rollout)),
        },
        None => now.checked_sub(1).ok_or_else(|| first(rollout))?,
    };
    let forward = to > now || (to == now && standing.entering.is_none());
    let wave = rollout.waves.get(to).filter(|_| !forward);
    let wave = wave.ok_or_else(|| RolloutError::NotBack {
        rollout: rollout.address.to_string(),
        wave: rollout
            .waves
            .get(to)
            .map(|wave| wave.name.clone())
            .unwrap_or_default(),
    })?;
    Ok(Step {
        kind: Kind::Rollback,
        to: Some(wave),
    })
}

/// The step to before the first wave, where nobody is caught.
pub fn abort<'r>(rollout: &'r Rollout, standing: &Standing) -> Result<Step<'r>, RolloutError> {
    if standing.wave.is_none() && standing.entering.is_none() {
        return Err(RolloutError::NotBegun {
            rollout: rollout.address.to_string(),
        });
    }
    Ok(Step {
        kind: Kind::Abort,
        to: None,
    })
}

fn first(rollout: &Rollout) -> RolloutError {
    RolloutError::NothingBefore {
        rollout: rollout.address.to_string(),
        name: rollout.address.name.clone(),
    }
}

/// Enters a transition, when everything that it rests on holds. The result must be in state before anything is written.
pub fn enter(
    rollout: &Rollout,
    standing: &Standing,
    step: Step<'_>,
    basis: Basis,
) -> Result<Standing, RolloutError> {
    in_order(rollout, standing, basis.at)?;
    if step.kind == Kind::Advance {
        let wanted = next(rollout, standing)?;
        if wanted != step {
            return Err(RolloutError::Moved {
                rollout: rollout.address.to_string(),
            });
        }
        holds(rollout, &basis)?;
        if let Some(wave) = step.to {
            approved(rollout, wave, standing, &basis)?;
        }
    }
    let mut entered = standing.clone();
    let name = step.to.map(|wave| wave.name.clone());
    // What a transition given up was entering may be in the tenant in part.
    let mut given_up = standing.entering.as_ref().map_or_else(Vec::new, |before| {
        let mut all = before.given_up.clone();
        all.extend(before.to.clone());
        all
    });
    given_up.dedup();
    entered.entering = Some(Entering {
        to: name.clone(),
        given_up,
        at: basis.at,
    });
    let up_to = match step.to {
        Some(wave) => place(rollout, &wave.name)? + 1,
        None => 0,
    };
    entered.marks = rollout.waves.iter().take(up_to).map(mark).collect();
    entered.cuts.extend(basis.cuts);
    entered.policies = rollout
        .policies
        .iter()
        .map(|policy| policy.value.clone())
        .collect();
    entered.history.push(Transition {
        kind: step.kind,
        from: standing.target().map(str::to_owned),
        to: name,
        began: basis.at,
        entered: None,
        by: basis.by.clone(),
        digest: basis.digest,
        forced: basis.forced,
        conditions: basis.conditions,
        approvals: std::mem::take(&mut entered.approvals),
    });
    if step.kind != Kind::Advance {
        entered.paused = entered.paused.or(Some(Pause {
            at: basis.at,
            by: basis.by,
            reason: match step.kind {
                Kind::Abort => "aborted".to_owned(),
                Kind::Undo => "taken back by `capol undo`".to_owned(),
                Kind::Rollback | Kind::Advance => "rolled back".to_owned(),
            },
        }));
    }
    Ok(entered)
}

/// What becomes of a transition whose last write has landed.
pub fn finish(standing: &Standing, at: Timestamp) -> Standing {
    let mut done = standing.clone();
    let Some(entering) = done.entering.take() else {
        return done;
    };
    let at = at.max(entering.at);
    if let Some(last) = done.history.last_mut() {
        last.entered = Some(at);
    }
    done.cuts
        .retain(|name, _| done.marks.iter().any(|mark| mark.name == *name));
    done.wave = entering.to.map(|name| InForce { name, since: at });
    done
}

/// Stops a rollout where it is.
pub fn pause(rollout: &Rollout, standing: &Standing, pause: Pause) -> Result<Standing, RolloutError> {
    in_order(rollout, standing, pause.at)?;
    if let Some(entering) = &standing.entering {
        return Err(under_way(rollout, entering));
    }
    if standing.paused.is_some() {
        return Err(RolloutError::PausedAlready {
            rollout: rollout.address.to_string(),
        });
    }
    Ok(Standing {
        paused: Some(pause),
        ..standing.clone()
    })
}

/// Lets a rollout go on.
pub fn resume(rollout: &Rollout, standing: &Standing) -> Result<Standing, RolloutError> {
    if standing.paused.is_none() {
        return Err(RolloutError::NotPaused {
            rollout: rollout.address.to_string(),
        });
    }
    Ok(Standing {
        paused: None,
        ..standing.clone()
    })
}

/// Keeps an approval of the next transition. One of the same person for the same digest is kept once.
pub fn approve(rollout: &Rollout, standing: &Standing, approval: Approval) -> Result<Standing, RolloutError> {
    free(rollout, standing)?;
    in_order(rollout, standing, approval.at)?;
    let mut approved = standing.clone();
    let is_known = approved
        .approvals
        .iter()
        .any(|known| known.by.id == approval.by.id && known.digest == approval.digest);
    if !is_known {
        approved.approvals.push(approval);
    }
    Ok(approved)
}

/// Those whose approvals count: for this digest, of several people, none of them the one who carries it out.
pub fn approvers<'s>(standing: &'s Standing, digest: &str, by: &Person) -> BTreeSet<&'s str> {
    standing
        .approvals
        .iter()
        .filter(|approval| approval.digest == digest && approval.by.id != by.id)
        .map(|approval| approval.by.id.as_str())
        .collect()
}

/// The place of a wave.
pub fn place(rollout: &Rollout, name: &str) -> Result<usize, RolloutError> {
    rollout
        .wave(name)
        .map(|(place, _)| place)
        .ok_or_else(|| RolloutError::NoSuchWave {
            rollout: rollout.address.to_string(),
            wave: name.to_owned(),
            known: rollout.waves.iter().map(|wave| wave.name.clone()).collect(),
        })
}

/// The furthest wave of which anything may be in the tenant.
fn widest(rollout: &Rollout, standing: &Standing) -> Result<Option<usize>, RolloutError> {
    let entering = standing.entering.iter();
    let names = entering.flat_map(|entering| entering.given_up.iter().chain(&entering.to));
    let mut widest = standing
        .wave_name()
        .map(|name| place(rollout, name))
        .transpose()?;
    for name in names {
        widest = widest.max(Some(place(rollout, name)?));
    }
    Ok(widest)
}

/// Refuses while a transition is under way or somebody stopped the rollout.
fn free(rollout: &Rollout, standing: &Standing) -> Result<(), RolloutError> {
    if let Some(entering) = &standing.entering {
        return Err(under_way(rollout, entering));
    }
    match &standing.paused {
        Some(pause) => Err(RolloutError::Paused {
            rollout: rollout.address.to_string(),
            name: rollout.address.name.clone(),
            by: pause.by.name.clone(),
            reason: pause.reason.clone(),
        }),
        None => Ok(()),
    }
}

fn under_way(rollout: &Rollout, entering: &Entering) -> RolloutError {
    RolloutError::UnderWay {
        rollout: rollout.address.to_string(),
        name: rollout.address.name.clone(),
        wave: entering.to.clone(),
    }
}

fn in_order(rollout: &Rollout, standing: &Standing, at: Timestamp) -> Result<(), RolloutError> {
    match standing.latest().filter(|latest| at < *latest) {
        Some(latest) => Err(RolloutError::Backwards {
            rollout: rollout.address.to_string(),
            now: at,
            latest,
        }),
        None => Ok(()),
    }
}

fn holds(rollout: &Rollout, basis: &Basis) -> Result<(), RolloutError> {
    if basis
        .forced
        .as_ref()
        .is_some_and(|reason| reason.trim().is_empty())
    {
        return Err(RolloutError::NoReason);
    }
    let unmet: Vec<Condition> = basis
        .conditions
        .iter()
        .filter(|condition| condition.outcome != Outcome::Pass)
        .cloned()
        .collect();
    if unmet.is_empty() || basis.forced.is_some() {
        return Ok(());
    }
    Err(RolloutError::Unmet {
        rollout: rollout.address.to_string(),
        name: rollout.address.name.clone(),
        unmet,
    })
}

fn approved(rollout: &Rollout, wave: &Wave, standing: &Standing, basis: &Basis) -> Result<(), RolloutError> {
    let given = approvers(standing, &basis.digest, &basis.by).len();
    let needed = usize::try_from(wave.approvals).unwrap_or(usize::MAX);
    if given >= needed {
        return Ok(());
    }
    Err(RolloutError::NotApproved {
        rollout: rollout.address.to_string(),
        name: rollout.address.name.clone(),
        wave: wave.name.clone(),
        needed,
        given,
        expired: standing
            .approvals
            .iter()
            .filter(|approval| approval.digest != basis.digest)
            .count(),
        own: standing
            .approvals
            .iter()
            .any(|approval| approval.digest == basis.digest && approval.by.id == basis.by.id),
    })
}
