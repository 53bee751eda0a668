//! What must hold before a rollout goes on, each condition with what was found of it.

use jiff::{SignedDuration, Timestamp};

use super::calendar::{Calendar, Written};
use super::error::RolloutError;
use super::gate::{self, Answer};
use super::standing::{Condition, Outcome, Standing};
use crate::model::rollout::{Rollout, Wave};

/// The calendar of a rollout.
pub fn calendar(rollout: &Rollout) -> Result<Calendar, RolloutError> {
    let windows: Vec<&str> = rollout.window.iter().map(|one| one.value.as_str()).collect();
    let freezes: Vec<&str> = rollout.freezes.iter().map(|one| one.value.as_str()).collect();
    Ok(Calendar::read(&Written {
        windows: &windows,
        freezes: &freezes,
        days_off: rollout.calendar.as_ref().map(|one| one.value.as_str()),
        not_before: rollout.not_before.as_ref().map(|one| one.value.as_str()),
    })?)
}

/// Every condition of the step into the next wave but its approvals; `gate` is what the gate of the wave in force came
/// to, none when it was not asked.
pub fn conditions(
    rollout: &Rollout,
    standing: &Standing,
    now: Timestamp,
    gate: Option<&[Answer]>,
) -> Result<Vec<Condition>, RolloutError> {
    let mut conditions = Vec::new();
    let present = standing
        .wave
        .as_ref()
        .and_then(|in_force| Some((in_force, rollout.wave(&in_force.name)?.1)));
    if let Some((in_force, wave)) = present {
        conditions.extend(soak(wave, in_force.since, now));
        conditions.extend(evidence(wave, gate));
    }
    let soaked = conditions
        .iter()
        .filter_map(|condition| condition.until)
        .fold(now, Timestamp::max);
    conditions.extend(open(rollout, now, soaked)?);
    Ok(conditions)
}

fn soak(wave: &Wave, since: Timestamp, now: Timestamp) -> Option<Condition> {
    let soak = wave.soak.as_ref()?;
    let end = since
        .checked_add(SignedDuration::from_secs(soak.seconds))
        .unwrap_or(Timestamp::MAX);
    let over = now >= end;
    Some(Condition {
        name: "soak".to_owned(),
        outcome: if over { Outcome::Pass } else { Outcome::NotYet },
        because: if over {
            format!("`{}` has lasted its {soak}", wave.name)
        } else {
            format!("`{}` lasts {soak}, until {}", wave.name, shown(end))
        },
        until: (!over).then_some(end),
    })
}

/// A moment in UTC, to the minute.
pub fn shown(moment: Timestamp) -> String {
    moment.strftime("%a %Y-%m-%d %H:%M UTC").to_string()
}

fn evidence(wave: &Wave, answers: Option<&[Answer]>) -> Vec<Condition> {
    if wave.gate.is_none() {
        return Vec::new();
    }
    let Some(answers) = answers else {
        return vec![Condition {
            name: "gate".to_owned(),
            outcome: Outcome::NotEnough,
            because: format!(
                "the gate of `{}` was not asked: `capol rollout status` does",
                wave.name
            ),
            until: None,
        }];
    };
    answers
        .iter()
        .map(|answer| Condition {
            name: answer.condition.word().to_owned(),
            outcome: match answer.outcome {
                gate::Outcome::Pass => Outcome::Pass,
                gate::Outcome::NotEnough => Outcome::NotEnough,
                gate::Outcome::Fail => Outcome::Fail,
            },
            because: match &answer.policy {
                Some(policy) => format!("{policy}: {}", answer.why),
                None => answer.why.clone(),
            },
            until: None,
        })
        .collect()
}

/// Whether the calendar lets it go on; `soaked` is when everything else may hold at the earliest.
fn open(rollout: &Rollout, now: Timestamp, soaked: Timestamp) -> Result<Option<Condition>, RolloutError> {
    let has_none = rollout.window.is_none()
        && rollout.freezes.is_empty()
        && rollout.calendar.is_none()
        && rollout.not_before.is_none();
    if has_none {
        return Ok(None);
    }
    let calendar = calendar(rollout)?;
    let opening = calendar.at(now);
    if opening.is_open() {
        return Ok(Some(Condition {
            name: "calendar".to_owned(),
            outcome: Outcome::Pass,
            because: match &rollout.window {
                Some(window) => format!("inside `{}`", window.value),
                None => "nothing in the calendar stands against it".to_owned(),
            },
            until: None,
        }));
    }
    let reasons: Vec<String> = opening
        .closed
        .iter()
        .map(|closed| calendar.sentence(closed))
        .collect();
    let until = calendar.at(soaked).next;
    let from = until.map_or_else(
        || "never within ten years".to_owned(),
        |until| format!("open again {}", calendar.show(until)),
    );
    Ok(Some(Condition {
        name: "calendar".to_owned(),
        outcome: Outcome::NotYet,
        because: format!("{}; {from}", reasons.join("; ")),
        until,
    }))
}

/// The first moment at which time stands in the way of nothing, were nothing else to change.
pub fn next_moment(
    rollout: &Rollout,
    conditions: &[Condition],
    now: Timestamp,
) -> Result<Option<Timestamp>, RolloutError> {
    let soaked = conditions
        .iter()
        .filter_map(|condition| condition.until)
        .fold(now, Timestamp::max);
    Ok(calendar(rollout)?.at(soaked).next)
}
