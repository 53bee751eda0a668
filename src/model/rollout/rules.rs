//! What a rollout may not say: waves out of order, waves that change nothing, policies that no wave can carry.

use std::collections::BTreeMap;

use super::{Approver, Audience, Rollout, Wave, Written};
use crate::model::catalogue::nearest;
use crate::model::configuration::{Configuration, Resource};
use crate::model::expectation::ExpectationKind;
use crate::model::rules::{self, Severity};
use crate::model::{Address, Object, Origin, Reference, Value};

/// The codes that `accept` may name: what can be carried out, and is probably not meant.
pub const LINTS: &[&str] = &["rollout::never_everyone"];

const STATE: &str = "state";
const REPORT_ONLY: &str = "enabledForReportingButNotEnforced";
const USER_ACTIONS: &str = "conditions.applications.includeUserActions";

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule: `rollout::share_shrinks`.
    pub code: &'static str,
    /// Refused, or probably not meant.
    pub severity: Severity,
    /// What is wrong, lower case, without a full stop.
    pub message: String,
    /// What to do.
    pub help: String,
    /// Where.
    pub origin: Origin,
    /// Another place that it is about, and what to say there.
    pub also: Option<(Origin, &'static str)>,
}

impl Violation {
    fn refused(
        code: &'static str,
        origin: Origin,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: Severity::Refused,
            message: message.into(),
            help: help.into(),
            origin,
            also: None,
        }
    }

    fn also(mut self, origin: Origin, text: &'static str) -> Self {
        self.also = Some((origin, text));
        self
    }
}

/// Everything that is wrong with the rollouts of a configuration, rollout by rollout.
pub fn check(configuration: &Configuration) -> Vec<Violation> {
    let mut found = Vec::new();
    let mut taken: BTreeMap<&Address, (&Rollout, Origin)> = BTreeMap::new();
    for rollout in configuration.rollouts.values() {
        names(rollout, &mut found);
        order(rollout, &mut found);
        effects(rollout, &mut found);
        people(rollout, &mut found);
        asked_for(rollout, configuration, &mut found);
        for policy in &rollout.policies {
            if let Some((other, first)) = taken.get(&policy.value) {
                found.push(twice(&policy.value, rollout, policy.origin, other, *first));
                continue;
            }
            taken.insert(&policy.value, (rollout, policy.origin));
            if let Some(resource) = configuration.resources.get(&policy.value) {
                of_policy(rollout, policy, resource, &mut found);
            }
        }
    }
    found
}

fn twice(policy: &Address, rollout: &Rollout, at: Origin, other: &Rollout, first: Origin) -> Violation {
    let message = if rollout.address == other.address {
        format!("`{policy}` is twice in `{}`", rollout.address)
    } else {
        format!(
            "`{policy}` is in `{}` and in `{}`",
            other.address, rollout.address
        )
    };
    Violation::refused(
        "rollout::policy_twice",
        at,
        message,
        format!("take `{policy}` out of one of them"),
    )
    .also(first, "the other one")
}

fn names(rollout: &Rollout, found: &mut Vec<Violation>) {
    for (place, wave) in rollout.waves.iter().enumerate() {
        if let Some(first) = rollout
            .waves
            .iter()
            .take(place)
            .find(|other| other.name == wave.name)
        {
            let message = format!("two waves are called `{}`", wave.name);
            let help = "give one of them another name: state remembers a wave by its name";
            found.push(
                Violation::refused("rollout::wave_twice", wave.origin, message, help)
                    .also(first.origin, "the first"),
            );
        }
    }
}

/// Report-only comes before enforced, and shares only grow.
fn order(rollout: &Rollout, found: &mut Vec<Violation>) {
    let mut enforced: Option<&Wave> = None;
    let mut shares: BTreeMap<&Reference, &Wave> = BTreeMap::new();
    for wave in &rollout.waves {
        if let (false, Some(before)) = (wave.is_enforced(), enforced) {
            found.push(
                Violation::refused(
                    "rollout::wave_order",
                    wave.origin,
                    format!(
                        "wave `{}` is report-only, and comes after `{}`, which is enforced",
                        wave.name, before.name
                    ),
                    format!(
                        "put `{}` before `{}`; to go on watching everyone else, write `observe_rest = true` in the rollout",
                        wave.name, before.name
                    ),
                )
                .also(before.origin, "enforced from here on"),
            );
        }
        if !wave.is_enforced() {
            continue;
        }
        enforced = enforced.or(Some(wave));
        let Audience::Share(cohort) = &wave.audience else {
            continue;
        };
        if let Some(before) = shares.get(&cohort.of)
            && let Audience::Share(earlier) = &before.audience
            && cohort.share.millionths <= earlier.share.millionths
        {
            found.push(
                Violation::refused(
                    "rollout::share_shrinks",
                    cohort.origin,
                    format!(
                        "wave `{}` takes {} of the group, and `{}` before it has {} already",
                        wave.name, cohort.share, before.name, earlier.share
                    ),
                    format!(
                        "write a share above {}, or take the wave away: whom the policy caught once stays in",
                        earlier.share
                    ),
                )
                .also(earlier.origin, "the share before"),
            );
        }
        shares.insert(&cohort.of, wave);
    }
}

/// Every wave changes something.
fn effects(rollout: &Rollout, found: &mut Vec<Violation>) {
    for (place, wave) in rollout.waves.iter().enumerate() {
        let before = || rollout.waves.iter().take(place);
        let covered = before().find(|earlier| {
            earlier.state == wave.state
                && (earlier.audience == Audience::Whole
                    || earlier.audience == wave.audience && !matches!(wave.audience, Audience::Share(_)))
        });
        if let Some(earlier) = covered {
            let who = if earlier.audience == Audience::Whole {
                "everyone"
            } else {
                "the same people"
            };
            found.push(
                Violation::refused(
                    "rollout::wave_without_effect",
                    wave.origin,
                    format!(
                        "wave `{}` changes nothing: `{}` before it has {who} already",
                        wave.name, earlier.name
                    ),
                    format!(
                        "take `{}` away, or put it before `{}` with a narrower audience",
                        wave.name, earlier.name
                    ),
                )
                .also(earlier.origin, "it has them already"),
            );
        } else if let Audience::Share(cohort) = &wave.audience
            && cohort.share.millionths == 0
        {
            found.push(Violation::refused(
                "rollout::wave_without_effect",
                cohort.origin,
                format!("wave `{}` takes nobody: its share is {}", wave.name, cohort.share),
                "write a share above 0%, or take the wave away",
            ));
        }
    }
    if let Some(last) = rollout.waves.last()
        && (!last.is_enforced() || last.audience != Audience::Whole)
    {
        found.push(Violation {
            severity: Severity::Lint,
            ..Violation::refused(
                "rollout::never_everyone",
                last.origin,
                format!(
                    "the rollout ends with `{}`, and the policy is never enforced on everyone it is for",
                    last.name
                ),
                "add a last wave without an audience: `wave \"everyone\" { }`",
            )
        });
    }
}

/// There are as many people who may approve as are needed.
fn people(rollout: &Rollout, found: &mut Vec<Violation>) {
    let named = rollout.approvers.iter().map(|approver| &approver.value);
    let is_open = |approver: &Approver| matches!(approver, Approver::Reference(reference) if reference.target() == Some(crate::model::Target::Group));
    if rollout.approvers.is_empty() || named.clone().any(is_open) {
        return;
    }
    let several = named.clone().count();
    for wave in &rollout.waves {
        if usize::try_from(wave.approvals).is_ok_and(|needed| needed > several) {
            found.push(Violation::refused(
                "rollout::too_few_approvers",
                wave.origin,
                format!(
                    "wave `{}` needs {} approvals, and `approvers` names {several}",
                    wave.name, wave.approvals
                ),
                "name more approvers, or a group of them: `approvers = [group(\"Security board\")]`",
            ));
        }
    }
}

/// What a rollout names besides policies exists.
fn asked_for(rollout: &Rollout, configuration: &Configuration, found: &mut Vec<Violation>) {
    let invariants = || {
        configuration
            .expectations
            .iter()
            .filter(|expectation| expectation.kind == ExpectationKind::Invariant)
            .map(|expectation| expectation.address.name.as_str())
    };
    for gate in rollout.waves.iter().filter_map(|wave| wave.gate.as_ref()) {
        for text in &gate.invariants {
            if !invariants().any(|known| known == text) {
                let help = match nearest(text, invariants()) {
                    Some(near) => format!("write `\"{near}\"`"),
                    None => format!("write the invariant: `invariant \"{text}\" {{ … }}`"),
                };
                found.push(Violation::refused(
                    "rollout::unknown_invariant",
                    gate.origin,
                    format!("no invariant is called `{text}`"),
                    help,
                ));
            }
        }
    }
    for label in &rollout.tenants {
        if !configuration.tenants.contains_key(label) {
            let known = configuration.tenants.keys().map(String::as_str);
            let help = match nearest(label, known) {
                Some(near) => format!("write `{near}`"),
                None => format!("write `tenant \"{label}\" {{ … }}`, or take it out of `tenants`"),
            };
            found.push(Violation::refused(
                "rollout::unknown_tenant",
                rollout.origin,
                format!("no tenant is called `{label}`"),
                help,
            ));
        }
    }
}

fn of_policy(rollout: &Rollout, policy: &Written<Address>, resource: &Resource, found: &mut Vec<Violation>) {
    let object = &resource.object;
    let state = object.text(STATE).unwrap_or_default();
    if state != "enabled" {
        let place = resource.origins.get(STATE).copied().unwrap_or(resource.origin);
        let message = format!(
            "`{}` is rolled out, and its block does not enable it",
            policy.value
        );
        let help = "write `state = enabled` in the policy: its block says where the rollout ends, the wave in force how far it has got";
        found.push(
            Violation::refused("rollout::policy_state", place, message, help)
                .also(policy.origin, "rolled out here"),
        );
    }
    if let Some(what) = taken_away(resource) {
        found.push(
            Violation::refused(
                "rollout::wave_ignored",
                resource.origin,
                format!("`{}` takes {what} out of the hands of its rollout", policy.value),
                format!("take {what} away from the policy, or the policy out of the rollout"),
            )
            .also(policy.origin, "rolled out here"),
        );
    }
    let watching = rollout.waves.iter().find(|wave| !wave.is_enforced());
    let watching = match watching {
        Some(wave) => Some((wave.origin, format!("wave `{}`", wave.name))),
        None => rollout
            .observe_rest
            .then(|| (rollout.origin, "`observe_rest`".to_owned())),
    };
    if let Some((origin, what)) = watching
        && let Some(why) = not_watchable(object)
    {
        found.push(
            Violation::refused(
                "rollout::report_only",
                origin,
                format!("{what} watches `{}`, and {why}", policy.value),
                "begin with a pilot instead: `wave \"pilot\" { users = [group(\"IT\")] }`",
            )
            .also(resource.origin, "the policy"),
        );
    }
    for wave in &rollout.waves {
        if let Some(problem) = misfit(wave, object) {
            found.push(
                Violation::refused(
                    "rollout::wave_audience",
                    wave.origin,
                    format!("wave `{}` {problem}", wave.name),
                    "name in the wave what the policy is for: `users` or a `share` for people, `workloads` for service principals",
                )
                .also(resource.origin, "the policy"),
            );
        }
    }
}

/// What of the block would win over the wave.
fn taken_away(resource: &Resource) -> Option<&'static str> {
    let people = |path: &str| {
        path == STATE
            || path == "conditions"
            || path.starts_with("conditions.users")
            || path.starts_with("conditions.clientApplications")
    };
    if resource
        .lifecycle
        .ignore_changes
        .iter()
        .any(|path| people(path) || path == "users" || path.starts_with("users."))
    {
        return Some("`ignore_changes`");
    }
    let raw = resource.object.raw.as_ref()?;
    let has_people = raw.get("conditions").is_some_and(|conditions| {
        conditions.get("users").is_some() || conditions.get("clientApplications").is_some()
    });
    (raw.get(STATE).is_some() || has_people).then_some("`raw`")
}

/// Why a policy can't be watched in report-only.
fn not_watchable(object: &Object) -> Option<&'static str> {
    let mut watched = object.clone();
    watched.set(STATE, Some(Value::Symbol(REPORT_ONLY.to_owned())));
    let enforced: Vec<&str> = rules::refused(object).map(|violation| violation.code).collect();
    if rules::refused(&watched).any(|violation| !enforced.contains(&violation.code)) {
        return Some("the service keeps no such policy in report-only");
    }
    (object.reference_set(USER_ACTIONS).next().is_some())
        .then_some("report-only leaves no evidence of user actions")
}

/// Why a policy can't have that wave.
fn misfit(wave: &Wave, policy: &Object) -> Option<&'static str> {
    let for_people = rules::has_user_audience(policy);
    let wants_people = match &wave.audience {
        Audience::Whole => return None,
        Audience::Share(_) => true,
        Audience::People(people) => !rules::has_workload_audience(people),
    };
    match (wants_people, for_people) {
        (true, false) => Some("names people, and the policy is for none"),
        (false, true) => Some("names workloads, and the policy is for people"),
        (false, false)
            if policy
                .get("conditions.clientApplications.includeServicePrincipals")
                .is_none() =>
        {
            Some("names workloads, and the policy is for agents")
        }
        _ => None,
    }
}
