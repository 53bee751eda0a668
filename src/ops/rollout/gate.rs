//! The gate of the wave in force, asked: sign-ins, registrations, other systems, invariants.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use super::{Ask, Course, Courses, facts, person};
use crate::access::{Estate, Ruling, VerdictError, decide};
use crate::graph::{HttpOptions, SignInKind};
use crate::model::configuration::Configuration;
use crate::model::rollout::Gate;
use crate::model::state::Document;
use crate::model::value::{Control, Operator, Value};
use crate::model::{Address, Kind, Object, Reference, Target};
use crate::ops::connection::Connection;
use crate::ops::workspace::{WorkError, Worker};
use crate::ops::{OpsError, asking, evidence};
use crate::rollout::evidence::{EvidenceError, PolicyEvidence, Scope};
use crate::rollout::gate::{self, Answer, Coverage, Known};
use crate::rollout::lower::{Needs, twin_of};

/// Why a gate could not be asked.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum GateError {
    /// What was read is no evidence.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Evidence(#[from] EvidenceError),
    /// A log file.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Log(#[from] crate::ops::impact::ImpactError),
    /// The invariants.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Invariants(#[from] VerdictError),
}

/// Where a gate gets its answers.
#[derive(Debug, Clone)]
pub struct Sources<'a> {
    /// Exported sign-in logs; the tenant's own without.
    pub logs: &'a [PathBuf],
    /// The project's folder, in which commands are run.
    pub folder: &'a Path,
    /// Whether webhooks and commands are asked; without, they have not answered.
    pub others: bool,
}

/// What each condition of the gate of the wave in force comes to; none when that wave has no gate.
///
/// Errors when the data can't be read, or can't be evidence: then nothing is known, and nobody may go on.
pub async fn ask(
    connection: &Connection,
    configuration: &Configuration,
    state: Option<&Document>,
    worker: &Worker,
    course: &Course,
    sources: &Sources<'_>,
) -> Result<Option<Vec<Answer>>, WorkError> {
    let in_force = course
        .standing
        .wave
        .as_ref()
        .filter(|_| course.standing.entering.is_none());
    let Some((in_force, wave)) = in_force.and_then(|one| Some((one, course.rollout.wave(&one.name)?.1)))
    else {
        return Ok(None);
    };
    let Some(gate) = &wave.gate else {
        return Ok(None);
    };
    let evidence = if needs_sign_ins(gate) {
        sign_ins(
            connection,
            configuration,
            state,
            worker,
            course,
            in_force.since,
            sources,
        )
        .await?
    } else {
        Vec::new()
    };
    let next = if gate.min_registered.is_some() || !gate.invariants.is_empty() {
        next(connection, configuration, state, worker, course).await?
    } else {
        None
    };
    let coverage = match &next {
        Some(next) if gate.min_registered.is_some() => {
            registered(connection, configuration, next, state, course).await?
        }
        _ => None,
    };
    let invariants = match &next {
        Some(next) => hold(next, &gate.invariants).map_err(GateError::from)?,
        None => Vec::new(),
    };
    let question = question(course, configuration, state, worker);
    let mut webhook = None;
    let mut command = None;
    if sources.others {
        if let Some(address) = &gate.webhook {
            webhook =
                Some(asking::webhook(address, &question, &HttpOptions::default(), asking::PATIENCE).await);
        }
        if let Some(line) = &gate.command {
            command = Some(asking::command(line, &question, sources.folder, asking::PATIENCE).await?);
        }
    }
    let known = Known {
        evidence: &evidence,
        coverage,
        webhook: webhook.as_ref(),
        command: command.as_ref(),
        invariants: &invariants,
    };
    Ok(Some(gate::ask(gate, &known)))
}

fn needs_sign_ins(gate: &Gate) -> bool {
    gate.min_sign_ins.is_some() || gate.max_failure_rate.is_some() || gate.max_interruption_rate.is_some()
}

/// The policies of a rollout that are there, with their ids: those that observe for others as well.
fn watched(course: &Course, state: Option<&Document>) -> Vec<(Address, String)> {
    let policies = course.rollout.policies.iter().map(|policy| &policy.value);
    let mut all = Vec::new();
    for policy in policies {
        for address in [policy.clone(), twin_of(policy)] {
            let known = state.and_then(|state| state.resources.get(&address.to_string()));
            if let Some(known) = known.filter(|known| known.kind == Kind::Policy) {
                all.push((address, known.id.clone()));
            }
        }
    }
    all
}

/// What sign-ins since the wave began say of each policy.
async fn sign_ins(
    connection: &Connection,
    configuration: &Configuration,
    state: Option<&Document>,
    worker: &Worker,
    course: &Course,
    since: jiff::Timestamp,
    sources: &Sources<'_>,
) -> Result<Vec<(String, PolicyEvidence)>, WorkError> {
    let watched = watched(course, state);
    // A policy says itself to whom it applies, so nobody else's sign-ins count.
    let scope = Scope::new(watched.iter().map(|(_, id)| id.as_str()), since, None);
    let evidence = if sources.logs.is_empty() {
        evidence::of_tenant(
            &connection.graph,
            &scope,
            kinds(configuration, course),
            worker.now,
        )
        .await?
    } else {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        evidence::of_files(sources.logs, &scope, threads).map_err(GateError::from)?
    };
    let found = evidence.finish().map_err(GateError::from)?;
    let addresses = watched.into_iter().map(|(address, _)| address.to_string());
    Ok(addresses.zip(found).collect())
}

/// The logs in which sign-ins of the rollout's policies stand.
fn kinds(configuration: &Configuration, course: &Course) -> &'static [SignInKind] {
    let is_of_workloads = |object: &Object| {
        object
            .reference_set("conditions.clientApplications.includeServicePrincipals")
            .next()
            .is_some()
    };
    let mut objects = course
        .rollout
        .policies
        .iter()
        .filter_map(|policy| configuration.resources.get(&policy.value))
        .map(|resource| &resource.object);
    if objects.any(is_of_workloads) {
        &[SignInKind::ServicePrincipal]
    } else {
        &[SignInKind::Interactive, SignInKind::NonInteractive]
    }
}

/// The configuration as the next wave means it; none after the last.
async fn next(
    connection: &Connection,
    configuration: &Configuration,
    state: Option<&Document>,
    worker: &Worker,
    course: &Course,
) -> Result<Option<Configuration>, WorkError> {
    if course.next().is_none() || course.standing.paused.is_some() {
        return Ok(None);
    }
    let by = person(connection.signed_in.as_ref(), &worker.who);
    let courses = Courses::of(configuration, state, &Ask::Keep, by, worker.now)?;
    let rollout = &course.rollout.address;
    courses
        .meant(connection, configuration, state, rollout)
        .await
        .map(Some)
}

/// Invariants by their texts, and why one does not hold.
type Held = Vec<(String, Result<(), String>)>;

/// Which invariants hold, of those whose texts these are.
fn hold(next: &Configuration, texts: &[String]) -> Result<Held, VerdictError> {
    let meant: Vec<_> = next
        .expectations
        .iter()
        .filter(|one| texts.contains(&one.address.name))
        .cloned()
        .collect();
    if meant.is_empty() {
        return Ok(Vec::new());
    }
    let estate = Estate::of(next)?;
    let verdicts = decide(&meant, &estate, next.emergency_access.as_ref(), None)?;
    let results = meant.into_iter().zip(verdicts).map(|(one, verdict)| {
        let holds = match verdict.ruling {
            Ruling::Holds => Ok(()),
            _ => Err("`capol test` shows a sign-in for which it does not".to_owned()),
        };
        (one.address.name, holds)
    });
    Ok(results.collect())
}

/// How many of the next wave's people can do what its policies ask for. None where that can't be counted: for guests,
/// workloads, and controls of which the report of registrations says nothing.
async fn registered(
    connection: &Connection,
    configuration: &Configuration,
    next: &Configuration,
    state: Option<&Document>,
    course: &Course,
) -> Result<Option<Coverage>, WorkError> {
    let mut people = BTreeSet::new();
    let mut has_everyone = false;
    let registrations = connection.graph.registrations().await.map_err(OpsError::from)?;
    for policy in &course.rollout.policies {
        let Some(resource) = next.resources.get(&policy.value) else {
            continue;
        };
        let Some((included, excluded)) = audience(&resource.object) else {
            return Ok(None);
        };
        if !asks_for_mfa(&resource.object) {
            return Ok(None);
        }
        let excluded = users(connection, configuration, next, state, excluded).await?;
        let everyone = Reference::keyword("All");
        let included = if included.contains(&everyone) {
            has_everyone = true;
            registrations.keys().cloned().collect()
        } else {
            users(connection, configuration, next, state, included).await?
        };
        people.extend(included.difference(&excluded).cloned());
    }
    if people.is_empty() && !has_everyone {
        return Ok(None);
    }
    Ok(Some(evidence::coverage(&people, &registrations)))
}

/// Whether multifactor authentication of any kind is all that a policy asks for, or one of several ways.
fn asks_for_mfa(object: &Object) -> bool {
    let Some(Value::Grant(grant)) = object.get("grantControls") else {
        return false;
    };
    let has_mfa = grant.controls.contains(&Control::BuiltIn("mfa".to_owned()));
    has_mfa && (grant.operator == Operator::Any || grant.controls.len() == 1)
}

/// Whom a policy includes and excludes, where all of them can be listed.
fn audience(object: &Object) -> Option<(BTreeSet<Reference>, BTreeSet<Reference>)> {
    let of = |which: &str| {
        let mut all = BTreeSet::new();
        for what in ["Users", "Groups", "Roles"] {
            let wire = format!("conditions.users.{which}{what}");
            all.extend(object.reference_set(&wire).cloned());
        }
        all
    };
    let has_guests = object
        .get("conditions.users.includeGuestsOrExternalUsers")
        .is_some();
    let (included, excluded) = (of("include"), of("exclude"));
    let other_words = included
        .iter()
        .chain(&excluded)
        .any(|one| matches!(one, Reference::Keyword(word) if word != "All"));
    (!has_guests && !other_words && !included.is_empty()).then_some((included, excluded))
}

/// The users that references come to; groups of the project whose members it says are taken from there.
async fn users(
    connection: &Connection,
    configuration: &Configuration,
    next: &Configuration,
    state: Option<&Document>,
    references: BTreeSet<Reference>,
) -> Result<BTreeSet<String>, WorkError> {
    let mut asked = BTreeSet::new();
    for reference in references {
        let members = match &reference {
            Reference::Managed { address, .. } => {
                next.resources
                    .get(&**address)
                    .and_then(|group| match group.object.get("members") {
                        Some(Value::References(members)) => Some(members.clone()),
                        _ => None,
                    })
            }
            _ => None,
        };
        match members {
            Some(members) => asked.extend(members),
            None => drop(asked.insert(reference)),
        }
    }
    let mut needs = Needs::default();
    for reference in &asked {
        if !matches!(
            reference,
            Reference::Id {
                target: Target::User,
                ..
            }
        ) {
            needs.add(reference, &[]);
        }
    }
    let facts = facts::read(connection, configuration, state, &needs).await?;
    Ok(facts.ids_of(&asked)?)
}

/// What other systems are told.
fn question(
    course: &Course,
    configuration: &Configuration,
    state: Option<&Document>,
    worker: &Worker,
) -> Json {
    let policies: Vec<Json> = watched(course, state)
        .into_iter()
        .map(|(address, id)| {
            let name = configuration
                .resources
                .get(&address)
                .map(|resource| resource.object.name().to_owned());
            json!({ "address": address, "id": id, "display_name": name })
        })
        .collect();
    let in_force = course.standing.wave.as_ref();
    json!({
        "format_version": "1.0",
        "rollout": course.rollout.address,
        "wave": in_force.map(|one| &one.name),
        "since": in_force.map(|one| one.since),
        "next": course.next().map(|wave| &wave.name),
        "policies": policies,
        "at": worker.now,
    })
}

/// What a breach says, as one clause; none when nothing is breached.
pub fn breach(answers: &[Answer]) -> Option<String> {
    let broken: Vec<String> = answers
        .iter()
        .filter(|answer| answer.is_breach())
        .map(|answer| match &answer.policy {
            Some(policy) => format!("{policy}: {}", answer.why),
            None => answer.why.clone(),
        })
        .collect();
    (!broken.is_empty()).then(|| broken.join("; "))
}
