//! `capol rollout`

mod tick;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::{Value as Json, json};

use super::apply;
use super::arguments::{Planning, RolloutCommand};
use super::{Context, Failure, Outcome, work};
use crate::model::Address;
use crate::ops::rollout::{self, Ask, Course, Courses, Direction, gate};
use crate::ops::workspace::{Narrowing, WorkError};
use crate::report::rollout_text;
use crate::report::state_json::versioned;
use crate::rollout::gate::Answer;
use crate::rollout::standing::{Pause, Person, Standing};
use crate::rollout::{RolloutError, machine};
use crate::state::StateStore as _;

pub(super) async fn run(context: &Context, command: RolloutCommand) -> Result<Outcome, Failure> {
    match command {
        RolloutCommand::Status { name, sign_ins } => status(context, name.as_deref(), &sign_ins).await,
        RolloutCommand::History { name } => history(context, name.as_deref()).await,
        RolloutCommand::Advance {
            name,
            force,
            sign_ins,
        } => advance(context, name.as_deref(), force, &sign_ins).await,
        RolloutCommand::Rollback { name, to } => {
            go(context, name.as_deref(), "rollout rollback", Direction::Back(to)).await
        }
        RolloutCommand::Abort { name } => {
            go(context, name.as_deref(), "rollout abort", Direction::Abort).await
        }
        RolloutCommand::Approve { name, comment } => approve(context, name.as_deref(), comment).await,
        RolloutCommand::Pause { name, reason } => pause(context, name.as_deref(), reason).await,
        RolloutCommand::Resume { name } => resume(context, name.as_deref()).await,
        RolloutCommand::Tick { sign_ins } => tick::run(context, &sign_ins).await,
    }
}

/// A plan of everything that is there, read from the tenant.
fn whole() -> Planning {
    Planning {
        refresh: true,
        ..Planning::default()
    }
}

fn request(command: &'static str, ask: Ask, unasked: bool) -> apply::Request {
    apply::Request {
        command,
        planning: whole(),
        file: None,
        fail_fast: false,
        skip_changed: false,
        json_into: None,
        ask,
        unasked,
    }
}

async fn go(
    context: &Context,
    name: Option<&str>,
    command: &'static str,
    to: Direction,
) -> Result<Outcome, Failure> {
    let loaded = work::sound(context)?;
    let rollout = rollout::named(&loaded.configuration, name)?.address.clone();
    drop(loaded);
    let ask = Ask::Go {
        rollout,
        to,
        tried: false,
        forced: None,
        gate: None,
    };
    Box::pin(apply::run(context, request(command, ask, context.global.yes))).await
}

async fn advance(
    context: &Context,
    name: Option<&str>,
    forced: Option<String>,
    logs: &[PathBuf],
) -> Result<Outcome, Failure> {
    let loaded = work::sound(context)?;
    let rollout = rollout::named(&loaded.configuration, name)?.address.clone();
    drop(loaded);
    let mut asked = asked(context, Some(&rollout), logs, true).await?;
    let gate = match asked.gates.remove(&rollout) {
        // Who goes on in spite of the gate goes on without its answers too.
        Some(Err(_)) if forced.is_some() => None,
        Some(answers) => Some(answers?),
        None => None,
    };
    let ask = Ask::Go {
        rollout,
        to: Direction::Advance,
        tried: false,
        forced,
        gate,
    };
    Box::pin(apply::run(
        context,
        request("rollout advance", ask, context.global.yes),
    ))
    .await
}

/// The rollouts of the project as state has them.
async fn courses(context: &Context) -> Result<Courses, Failure> {
    let loaded = work::sound(context)?;
    let workspace = work::workspace(context, &loaded)?;
    let stored = workspace.store.load().await?;
    let state = stored.as_ref().map(|stored| &stored.document);
    let by = rollout::person(None, &context.user());
    Courses::of(&loaded.configuration, state, &Ask::Keep, by, context.now())
        .map_err(|error| work::failure(error.into(), &loaded.sources))
}

/// The rollouts of the project as state has them, and what their gates came to.
struct Asked {
    courses: Courses,
    gates: BTreeMap<Address, Result<Vec<Answer>, Failure>>,
    by: Person,
}

/// Asks the gates of the waves in force; of one rollout, or of all. The tenant is only read where there is a gate.
async fn asked(
    context: &Context,
    only: Option<&Address>,
    logs: &[PathBuf],
    others: bool,
) -> Result<Asked, Failure> {
    let loaded = work::sound(context)?;
    let workspace = work::workspace(context, &loaded)?;
    let stored = workspace.store.load().await?;
    let state = stored.as_ref().map(|stored| &stored.document);
    let by = rollout::person(None, &context.user());
    let configuration = &loaded.configuration;
    let located = |error: WorkError| work::failure(error, &loaded.sources);
    let courses = Courses::of(configuration, state, &Ask::Keep, by.clone(), context.now());
    let mut asked = Asked {
        courses: courses.map_err(|error| located(error.into()))?,
        gates: BTreeMap::new(),
        by,
    };
    let is_meant = |course: &Course| only.is_none_or(|only| *only == course.rollout.address);
    if !asked
        .courses
        .iter()
        .any(|course| is_meant(course) && course.has_gate())
    {
        return Ok(asked);
    }
    let worker = work::worker(context, "rollout")?;
    // Who asks other systems goes on to apply, and tells programs of it.
    let watch = if others {
        context.watch(None)?
    } else {
        context.watch_for_person()
    };
    watch.doing("reading the evidence");
    let connection = work::connect(context, &workspace, configuration, watch.observer()).await?;
    asked.by = rollout::person(connection.signed_in.as_ref(), &context.user());
    let sources = gate::Sources {
        logs,
        folder: &context.project,
        others,
    };
    for course in asked.courses.iter_mut().filter(|course| is_meant(course)) {
        let found = gate::ask(&connection, configuration, state, &worker, course, &sources).await;
        let address = course.rollout.address.clone();
        match found {
            Ok(Some(answers)) => {
                course.asked(&answers, worker.now)?;
                asked.gates.insert(address, Ok(answers));
            }
            Ok(None) => {}
            Err(error) => drop(asked.gates.insert(address, Err(located(error)))),
        }
    }
    watch.clear();
    connection.close().await;
    Ok(asked)
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

async fn status(context: &Context, name: Option<&str>, logs: &[PathBuf]) -> Result<Outcome, Failure> {
    let Asked { courses, gates, .. } = asked(context, None, logs, false).await?;
    for failure in gates.into_values().filter_map(Result::err) {
        for report in failure.reports {
            context.note(&format!("The evidence could not be read: {report}"));
        }
    }
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
