//! `capol rollout tick`: what a schedule runs.

use serde_json::{Value as Json, json};

use super::{Asked, asked, courses, request};
use crate::cli::{Context, Failure, Outcome, apply, work};
use crate::model::Address;
use crate::ops::rollout::{self, Ask, Direction, Due};
use crate::report::rollout_text;
use crate::rollout::machine;
use crate::rollout::standing::{Pause, Person};

/// What became of one rollout.
struct Did {
    sentence: String,
    /// One word for programs.
    outcome: &'static str,
    ended: Outcome,
}

impl Did {
    fn well(outcome: &'static str, sentence: impl Into<String>) -> Self {
        Self {
            sentence: sentence.into(),
            outcome,
            ended: Outcome::Done,
        }
    }

    fn badly(outcome: &'static str, sentence: impl Into<String>) -> Self {
        Self {
            ended: Outcome::Failed,
            ..Self::well(outcome, sentence)
        }
    }
}

pub(super) async fn run(context: &Context, logs: &[std::path::PathBuf]) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Done;
    let addresses: Vec<Address> = work::sound(context)?.configuration.rollouts.into_keys().collect();
    for address in addresses {
        // State moves with every step. What goes wrong with one rollout stops no other.
        let did = match one(context, &address, logs).await {
            Ok(did) => did,
            Err(failure) => Did::badly("failed", said(&failure)),
        };
        if context.global.json {
            // The last of the lines that an apply prints as it goes.
            let line: Json = json!({
                "type": "rollout",
                "address": address,
                "outcome": did.outcome,
                "message": did.sentence,
            });
            context.out(&format!("{line}\n"));
        } else {
            context.page(&rollout_text::sentence(&format!(
                "`{address}`: {}.",
                did.sentence
            )));
        }
        if did.ended != Outcome::Done {
            outcome = did.ended;
        }
    }
    Ok(outcome)
}

fn said(failure: &Failure) -> String {
    let reports: Vec<String> = failure.reports.iter().map(ToString::to_string).collect();
    reports.join("; ")
}

async fn one(context: &Context, address: &Address, logs: &[std::path::PathBuf]) -> Result<Did, Failure> {
    let Asked {
        courses,
        mut gates,
        by,
    } = asked(context, Some(address), logs, true).await?;
    let Some(course) = courses.get(address) else {
        return Ok(Did::well("not_begun", "not begun"));
    };
    let answers = gates.remove(address).transpose()?.unwrap_or_default();
    Ok(match course.due(&by, &answers) {
        Due::GoOn => moved(context, address, Ask::Keep).await?,
        Due::Advance => {
            let ask = Ask::Go {
                rollout: address.clone(),
                to: Direction::Advance,
                tried: false,
                forced: None,
                gate: course.has_gate().then_some(answers),
            };
            moved(context, address, ask).await?
        }
        Due::PullBack { breach } => {
            let back = Ask::Go {
                rollout: address.clone(),
                to: Direction::Back(None),
                tried: false,
                forced: None,
                gate: Some(answers),
            };
            let did = moved(context, address, back).await?;
            match did.ended {
                Outcome::Done => Did::badly("pulled_back", format!("pulled back, because {breach}")),
                _ => Did::badly("failed", format!("not pulled back, although {breach}")),
            }
        }
        Due::Pause { breach } => {
            pause(context, address, by, &breach).await?;
            Did::badly("paused", format!("paused, because {breach}"))
        }
        Due::Wait(waits) => Did::well("waits", format!("waits: {}", waits.join("; "))),
        Due::Complete => Did::well("complete", "complete"),
        Due::NotBegun => Did::well("not_begun", "not begun: `capol apply` enters its first wave"),
    })
}

/// Takes a step; a wave that lacks approvals only waits.
async fn moved(context: &Context, address: &Address, ask: Ask) -> Result<Did, Failure> {
    match Box::pin(apply::run(context, request("rollout tick", ask, true))).await {
        Ok(Outcome::Done) => {
            let now = courses(context).await?;
            let at = now.get(address).and_then(|course| course.standing.wave_name());
            Ok(Did::well(
                "moved",
                match at {
                    Some(wave) => format!("at `{wave}` now"),
                    None => "before its first wave now".to_owned(),
                },
            ))
        }
        Ok(ended) => Ok(Did {
            ended,
            ..Did::badly("failed", "not carried out")
        }),
        Err(failure) => {
            let waits = failure.reports.iter().all(|report| {
                let code = report.code().map(|code| code.to_string());
                matches!(code.as_deref(), Some("rollout::unmet" | "rollout::not_approved"))
            });
            if waits {
                Ok(Did::well("waits", format!("waits: {}", said(&failure))))
            } else {
                Err(failure)
            }
        }
    }
}

async fn pause(context: &Context, address: &Address, by: Person, breach: &str) -> Result<(), Failure> {
    let loaded = work::sound(context)?;
    let rollout = rollout::named(&loaded.configuration, Some(&address.to_string()))?;
    let workspace = work::workspace(context, &loaded)?;
    let worker = work::worker(context, "rollout tick")?;
    let guard = workspace.lock(&worker).await?;
    context.locked(&guard);
    let pause = Pause {
        at: worker.now,
        by,
        reason: breach.to_owned(),
    };
    let changed = rollout::change(&workspace, &guard, &worker, rollout, |standing| {
        machine::pause(rollout, standing, pause)
    });
    changed
        .await
        .map_err(|error| work::failure(error, &loaded.sources))?;
    Ok(())
}
