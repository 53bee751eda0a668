//! `capol rollout`

use serde_json::{Value as Json, json};

use super::apply;
use super::arguments::{Planning, RolloutCommand};
use super::{Context, Failure, Outcome, work};
use crate::ops::rollout::{self, Ask, Course, Courses, Direction};
use crate::ops::workspace::{Narrowing, WorkError};
use crate::report::rollout_text;
use crate::report::state_json::versioned;
use crate::rollout::standing::{Outcome as Found, Pause, Standing};
use crate::rollout::{RolloutError, machine};
use crate::state::StateStore as _;

pub(super) async fn run(context: &Context, command: RolloutCommand) -> Result<Outcome, Failure> {
    match command {
        RolloutCommand::Status { name } => status(context, name.as_deref()).await,
        RolloutCommand::History { name } => history(context, name.as_deref()).await,
        RolloutCommand::Advance { name, force } => {
            go(
                context,
                name.as_deref(),
                "rollout advance",
                Direction::Advance,
                force,
            )
            .await
        }
        RolloutCommand::Rollback { name, to } => {
            go(
                context,
                name.as_deref(),
                "rollout rollback",
                Direction::Back(to),
                None,
            )
            .await
        }
        RolloutCommand::Abort { name } => {
            go(context, name.as_deref(), "rollout abort", Direction::Abort, None).await
        }
        RolloutCommand::Approve { name, comment } => approve(context, name.as_deref(), comment).await,
        RolloutCommand::Pause { name, reason } => pause(context, name.as_deref(), reason).await,
        RolloutCommand::Resume { name } => resume(context, name.as_deref()).await,
        RolloutCommand::Tick => tick(context).await,
    }
}

/// A plan of everything that is there, read from the tenant.
fn whole() -> Planning {
    Planning {
        refresh: true,
        ..Planning::default()
    }
}

fn request(command: &'static str, ask: Ask) -> apply::Request {
    apply::Request {
        command,
        planning: whole(),
        file: None,
        fail_fast: false,
        skip_changed: false,
        json_into: None,
        ask,
    }
}

async fn go(
    context: &Context,
    name: Option<&str>,
    command: &'static str,
    to: Direction,
    forced: Option<String>,
) -> Result<Outcome, Failure> {
    let loaded = work::sound(context)?;
    let rollout = rollout::named(&loaded.configuration, name)?.address.clone();
    drop(loaded);
    let ask = Ask::Go {
        rollout,
        to,
        tried: false,
        forced,
        gate: None,
    };
    Box::pin(apply::run(context, request(command, ask))).await
}

/// The rollouts of the project as state has them.
async fn courses(context: &Context) -> Result<Courses, Failure> {
    let loaded = work::sound(context)?;
    let workspace = work::workspace(context, &loaded)?;
    let stored = workspace.store.load().await?;
    let state = stored.as_ref().map(|stored| &stored.document);
    let by = rollout::person(None, &context.user());
    let courses = Courses::of(&loaded.configuration, state, &Ask::Keep, by, context.now());
    courses.map_err(|error| work::failure(WorkError::Rollout(error), &loaded.sources))
}

fn chosen<'c>(courses: &'c Courses, name: Option<&str>) -> Result<Vec<&'c Course>, Failure> {
    let all: Vec<&Course> = courses.iter().collect();
    let Some(name) = name else {
        return Ok(all);
    };
    let is_it = |course: &&&Course| {
        let address = course.rollout.address.to_string();
        address == name || address.strip_prefix("rollout.") == Some(name)
    };
    match all.iter().find(is_it) {
        Some(found) => Ok(vec![*found]),
        None => Err(RolloutError::NoSuchRollout {
            name: name.to_owned(),
            help: "list them: `capol rollout status`".to_owned(),
        }
        .into()),
    }
}

async fn status(context: &Context, name: Option<&str>) -> Result<Outcome, Failure> {
    let courses = courses(context).await?;
    let chosen = chosen(&courses, name)?;
    if context.global.json {
        let all: Vec<Json> = chosen
            .iter()
            .map(|course| rollout_text::status_json(course, context.now()))
            .collect();
        context.out(&versioned(json!({ "rollouts": all })));
    } else {
        context.page(&rollout_text::status_text(&chosen, context.now()));
    }
    Ok(Outcome::Done)
}

async fn history(context: &Context, name: Option<&str>) -> Result<Outcome, Failure> {
    let courses = courses(context).await?;
    let chosen = chosen(&courses, name)?;
    if context.global.json {
        let all: Vec<Json> = chosen
            .iter()
            .map(|course| {
                json!({
                    "address": course.rollout.address,
                    "transitions": course.standing.history,
                })
            })
            .collect();
        context.out(&versioned(json!({ "rollouts": all })));
    } else {
        context.page(&rollout_text::history_text(&chosen));
    }
    Ok(Outcome::Done)
}

/// Says what a rollout stands at after a command.
fn told(context: &Context, address: &str, standing: &Standing, sentence: &str) -> Outcome {
    if context.global.json {
        context.out(&versioned(json!({ "address": address, "standing": standing })));
    } else {
        context.page(&rollout_text::sentence(sentence));
    }
    Outcome::Done
}

async fn approve(context: &Context, name: Option<&str>, comment: Option<String>) -> Result<Outcome, Failure> {
    let loaded = work::sound(context)?;
    let configuration = &loaded.configuration;
    let rollout = rollout::named(configuration, name)?;
    let workspace = work::workspace(context, &loaded)?;
    let worker = work::worker(context, "rollout approve")?;
    let watch = context.watch_for_person();
    watch.doing("reading the tenant");
    let connection = work::connect(context, &workspace, configuration, watch.observer()).await?;
    let guard = workspace.lock(&worker).await?;
    context.locked(&guard);
    let located = |error: WorkError| work::failure(error, &loaded.sources);
    let narrowing = Narrowing {
        ask: Box::new(Ask::Go {
            rollout: rollout.address.clone(),
            to: Direction::Advance,
            tried: true,
            forced: None,
            gate: None,
        }),
        ..work::narrowing(context, &whole())?
    };
    let planned = workspace
        .plan(&connection, &loaded, &narrowing, &worker)
        .await
        .map_err(located)?;
    watch.clear();
    let digest = planned.plan.content_digest();
    if !context.global.json {
        let tenant = connection.display_name.clone();
        context.plan(&planned.plan, &loaded, Some(&tenant), None, None);
    }
    let sentence = format!("This approves just that, by its digest {}.", short(&digest));
    if !context.confirmed(&sentence, "Write `yes` to approve it:", "yes") {
        connection.close().await;
        return Err(crate::ops::state::SurgeryError::NotConfirmed {
            what: "approve the next wave".into(),
            answer: "yes".into(),
        }
        .into());
    }
    let approved = rollout::approve(
        &workspace,
        &connection,
        &guard,
        &worker,
        (configuration, rollout),
        digest.clone(),
        comment,
    )
    .await;
    connection.close().await;
    let standing = approved.map_err(located)?;
    let address = rollout.address.to_string();
    let sentence = format!(
        "The next wave of `{address}` is approved, for the plan {}.",
        short(&digest)
    );
    Ok(told(context, &address, &standing, &sentence))
}

fn short(digest: &str) -> &str {
    digest.get(..12).unwrap_or(digest)
}

async fn pause(context: &Context, name: Option<&str>, reason: String) -> Result<Outcome, Failure> {
    let now = context.now();
    let by = rollout::person(None, &context.user());
    let pause = Pause { at: now, by, reason };
    changed(
        context,
        name,
        "rollout pause",
        "is paused",
        |rollout, standing| machine::pause(rollout, standing, pause),
    )
    .await
}

async fn resume(context: &Context, name: Option<&str>) -> Result<Outcome, Failure> {
    changed(context, name, "rollout resume", "goes on", |rollout, standing| {
        machine::resume(rollout, standing)
    })
    .await
}

async fn changed(
    context: &Context,
    name: Option<&str>,
    command: &str,
    what: &str,
    to: impl FnOnce(&crate::model::rollout::Rollout, &Standing) -> Result<Standing, RolloutError>,
) -> Result<Outcome, Failure> {
    let loaded = work::sound(context)?;
    let rollout = rollout::named(&loaded.configuration, name)?;
    let workspace = work::workspace(context, &loaded)?;
    let worker = work::worker(context, command)?;
    let guard = workspace.lock(&worker).await?;
    context.locked(&guard);
    let changed = rollout::change(&workspace, &guard, &worker, rollout, |standing| {
        to(rollout, standing)
    })
    .await;
    let standing = changed.map_err(|error| work::failure(error, &loaded.sources))?;
    let address = rollout.address.to_string();
    Ok(told(
        context,
        &address,
        &standing,
        &format!("`{address}` {what}."),
    ))
}

/// What `tick` does with one rollout.
async fn tick(context: &Context) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::Done;
    let mut said: Vec<Json> = Vec::new();
    let addresses: Vec<_> = courses(context)
        .await?
        .iter()
        .map(|course| course.rollout.address.clone())
        .collect();
    for address in addresses {
        // State moves with every step.
        let courses = courses(context).await?;
        let Some(course) = courses.get(&address) else {
            continue;
        };
        let by = rollout::person(None, &context.user());
        let waits = course.waits(&by);
        let is_begun = course.standing.wave.is_some() || course.standing.entering.is_some();
        let due = course.standing.entering.is_some()
            || (is_begun && course.next().is_some() && waits_for_approvals_only(course));
        let did = if due {
            let to = if course.standing.entering.is_some() {
                Ask::Keep
            } else {
                Ask::Go {
                    rollout: address.clone(),
                    to: Direction::Advance,
                    tried: false,
                    forced: None,
                    gate: None,
                }
            };
            match Box::pin(apply::run(context, request("rollout tick", to))).await {
                Ok(Outcome::Done) => "moved on".to_owned(),
                Ok(other) => {
                    outcome = other;
                    "not carried out".to_owned()
                }
                Err(failure) => match waiting_of(&failure) {
                    Some(reason) => reason,
                    None => return Err(failure),
                },
            }
        } else if course.next().is_none() {
            "complete".to_owned()
        } else if !is_begun {
            "not begun".to_owned()
        } else {
            waits.join("; ")
        };
        if !context.global.json {
            context.page(&rollout_text::sentence(&format!("`{address}`: {did}.")));
        }
        said.push(json!({ "address": address, "outcome": did }));
    }
    if context.global.json {
        context.out(&versioned(json!({ "rollouts": said })));
    }
    Ok(outcome)
}

/// Whether nothing but approvals may stand in the way.
fn waits_for_approvals_only(course: &Course) -> bool {
    course.standing.paused.is_none()
        && course
            .conditions
            .iter()
            .all(|condition| condition.outcome == Found::Pass)
}

/// Why a rollout waits, when that is all that stopped a step.
fn waiting_of(failure: &Failure) -> Option<String> {
    let report = failure.reports.first()?;
    let code = report.code().map(|code| code.to_string())?;
    matches!(
        code.as_str(),
        "rollout::unmet" | "rollout::not_approved" | "rollout::paused"
    )
    .then(|| report.to_string())
}
