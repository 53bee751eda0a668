//! What can be known to fail before anything is sent: limits, licences, security defaults, rules.

use std::collections::BTreeSet;

use crate::model::configuration::Configuration;
use crate::model::live::{LiveObject, LiveTenant};
use crate::model::rules::{self, Violation};
use crate::model::wire;
use crate::model::{Kind, Object, Value};

use super::build::Draft;
use super::change::Action;
use super::emergency::{self, Emergency, is_enabled};
use super::error::{PlanError, Problem};
use super::note::Note;
use super::options::{Mode, PlanOptions};
use super::users::Users;

/// What the tenant holds of one limited thing, and will.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Population {
    now: usize,
    made: usize,
    deleted: usize,
}

impl Population {
    fn after(self) -> usize {
        (self.now + self.made).saturating_sub(self.deleted)
    }

    fn peak(self) -> usize {
        self.now + self.made
    }
}

fn population(kind: Kind, drafts: &[Draft<'_>], live: &LiveTenant) -> Population {
    let mut population = Population {
        now: live
            .objects
            .iter()
            .filter(|object| object.kind == kind && !object.managed_by_microsoft && !object.is_built_in())
            .count(),
        ..Population::default()
    };
    for draft in drafts {
        let made = matches!(draft.change.action, Action::Create | Action::Replace);
        let deleted = matches!(draft.change.action, Action::Delete | Action::Replace);
        let is = |object: Option<&Object>| object.is_some_and(|object| object.kind == kind);
        population.made += usize::from(made && is(draft.change.after.as_ref()));
        population.deleted += usize::from(deleted && is(draft.change.before.as_ref()));
    }
    population
}

/// Whether policies must be deleted before others are made, because the tenant is full.
pub(super) fn must_delete_first(drafts: &[Draft<'_>], live: &LiveTenant, options: &PlanOptions) -> bool {
    let policies = population(Kind::Policy, drafts, live);
    policies.peak() > options.limits.policies && policies.after() <= options.limits.policies
}

/// Everything that the tenant would refuse, or that would lock people out.
pub(super) fn check(
    drafts: &[Draft<'_>],
    emergency: Option<&Emergency>,
    desired: &Configuration,
    live: &LiveTenant,
    options: &PlanOptions,
    errors: &mut Vec<PlanError>,
    notes: &mut Vec<Note>,
) {
    if options.mode == Mode::RefreshOnly {
        return;
    }
    in_use(drafts, live, errors, notes);
    for draft in drafts {
        owned_by_others(draft, errors);
    }
    if options.mode == Mode::Apply {
        emergency::guard(drafts, emergency, desired, live, options, errors, notes);
        rules(drafts, live, options, errors);
    }
}

/// What the service's own rules forbid.
fn rules(drafts: &[Draft<'_>], live: &LiveTenant, options: &PlanOptions, errors: &mut Vec<PlanError>) {
    quotas(drafts, live, options, errors);
    for draft in drafts {
        if !matches!(
            draft.change.action,
            Action::Create | Action::Update | Action::Replace
        ) {
            continue;
        }
        let Some(after) = &draft.change.after else {
            continue;
        };
        for violation in rules::refused(after) {
            errors.push(broken(draft, violation));
        }
        if after.kind == Kind::Policy {
            unknown_state(draft, after, errors);
            licences(draft, after, live, errors);
            if is_enabled(after) && live.security_defaults_enabled == Some(true) {
                errors.push(draft.error_at("state", Problem::SecurityDefaults));
            }
        }
        if let Some(Value::Texts(ranges)) = after.get("ipRanges")
            && ranges.len() > options.limits.ip_ranges
        {
            errors.push(draft.error_at(
                "ipRanges",
                Problem::Quota {
                    what: format!("ranges in `{}`", draft.change.address),
                    count: ranges.len(),
                    limit: options.limits.ip_ranges,
                },
            ));
        }
    }
}

/// A state that the table does not know is only left as it is.
fn unknown_state(draft: &Draft<'_>, after: &Object, errors: &mut Vec<PlanError>) {
    let Some(Value::Symbol(state)) = after.get("state") else {
        return;
    };
    let is_known = matches!(
        state.as_str(),
        "enabled" | "disabled" | "enabledForReportingButNotEnforced"
    );
    let before = draft
        .change
        .before
        .as_ref()
        .and_then(|before| before.get("state"));
    let is_kept = before == after.get("state") && draft.change.action == Action::Update;
    if !is_known && !is_kept {
        errors.push(draft.error_at("state", Problem::UnknownState { state: state.clone() }));
    }
}

fn broken(draft: &Draft<'_>, violation: Violation) -> PlanError {
    let first = violation.paths.first().copied().unwrap_or_default();
    let mut error = draft.error_at(first, Problem::Rule(violation.clone()));
    let origins = draft.resource.map(|resource| &resource.origins);
    error.related = violation
        .paths
        .iter()
        .skip(1)
        .filter_map(|path| origins?.get(*path).map(|origin| (*origin, "and this".to_owned())))
        .filter(|(origin, _)| Some(*origin) != error.origin)
        .collect();
    error
}

fn quotas(drafts: &[Draft<'_>], live: &LiveTenant, options: &PlanOptions, errors: &mut Vec<PlanError>) {
    let limits = &options.limits;
    for (kind, what, limit) in [
        (Kind::Policy, "policies", limits.policies),
        (
            Kind::IpLocation,
            "locations made of IP ranges",
            limits.ip_locations,
        ),
        (Kind::Strength, "authentication strengths", limits.strengths),
        (Kind::Context, "authentication contexts", limits.contexts),
    ] {
        let population = population(kind, drafts, live);
        if population.made == 0 || population.after() <= limit {
            continue;
        }
        let problem = Problem::Quota {
            what: what.to_owned(),
            count: population.after(),
            limit,
        };
        let maker = drafts.iter().rfind(|draft| {
            draft.change.action == Action::Create
                && draft
                    .change
                    .after
                    .as_ref()
                    .is_some_and(|after| after.kind == kind)
        });
        errors.push(match maker {
            Some(draft) => draft.error(problem),
            None => PlanError::new(problem),
        });
    }
}

fn licences(draft: &Draft<'_>, after: &Object, live: &LiveTenant, errors: &mut Vec<PlanError>) {
    let mut lacks = |wire: &str, what: &str, licence: &'static str, number: &'static str| {
        errors.push(draft.error_at(
            wire,
            Problem::Licence {
                what: what.to_owned(),
                licence,
                number,
            },
        ));
    };
    if live.licences.p1 == Some(false) {
        lacks("", "Conditional Access", "Microsoft Entra ID P1", "AccessDenied");
        return;
    }
    if live.licences.p2 == Some(false) {
        for (wire, what) in [
            ("conditions.userRiskLevels", "a user risk condition"),
            ("conditions.signInRiskLevels", "a sign-in risk condition"),
        ] {
            if after.get(wire).is_some() {
                lacks(wire, what, "Microsoft Entra ID P2", "1039");
            }
        }
    }
    if live.licences.workload_identities == Some(false) {
        for (wire, what) in [
            (
                "conditions.clientApplications.includeServicePrincipals",
                "a policy on service principals",
            ),
            (
                "conditions.servicePrincipalRiskLevels",
                "a service principal risk condition",
            ),
        ] {
            if after.get(wire).is_some() {
                lacks(wire, what, "Workload Identities Premium", "1150");
            }
        }
    }
}

/// Refuses what Microsoft lets nobody change, and what the service made itself.
fn owned_by_others(draft: &Draft<'_>, errors: &mut Vec<PlanError>) {
    let Some(live) = draft.live else { return };
    let change = &draft.change;
    if live.is_built_in() && matches!(change.action, Action::Update | Action::Delete | Action::Replace) {
        errors.push(draft.error(Problem::BuiltIn {
            name: live.name().to_owned(),
        }));
    }
    if !live.managed_by_microsoft {
        return;
    }
    let refuse = |what: String, wire: &str| {
        draft.error_at(
            wire,
            Problem::ManagedByMicrosoft {
                name: live.name().to_owned(),
                what,
            },
        )
    };
    match change.action {
        Action::Delete | Action::Replace => errors.push(refuse("its existence".into(), "")),
        Action::Update => {
            for property in &change.properties {
                let member = property.wire.rsplit('.').next().unwrap_or_default();
                if property.wire != "state" && !member.starts_with("exclude") {
                    errors.push(refuse(format!("`{}`", property.dsl), &property.wire));
                }
            }
            for raw in &change.raw {
                errors.push(refuse(format!("`{}`", raw.path), ""));
            }
        }
        _ => {}
    }
}

/// Refuses to delete what something still refers to.
fn in_use(drafts: &[Draft<'_>], live: &LiveTenant, errors: &mut Vec<PlanError>, notes: &mut Vec<Note>) {
    let managed: BTreeSet<&str> = drafts
        .iter()
        .filter(|draft| draft.change.action != Action::Forget)
        .filter_map(|draft| draft.live.map(|live| live.id.as_str()))
        .collect();
    let afters = drafts.iter().map(|draft| draft.change.after.as_ref());
    let users = Users::of(
        afters
            .enumerate()
            .filter_map(|(number, after)| Some((number, after?))),
    );
    let others: Vec<&LiveObject> = live
        .policies()
        .filter(|policy| !managed.contains(policy.id.as_str()))
        .collect();
    let other_users = Users::of(others.iter().map(|policy| &policy.object).enumerate());
    for doomed in drafts.iter().filter(|draft| !draft.acts.deletes.is_empty()) {
        let address = &doomed.change.address;
        for user in users.of_draft(doomed).filter_map(|number| drafts.get(number)) {
            errors.push(user.error(Problem::InUse {
                address: address.clone(),
                by: user.change.name.clone(),
                not: "",
            }));
        }
        for policy in other_users
            .of_draft(doomed)
            .filter_map(|number| others.get(number))
        {
            if doomed.change.kind == Kind::Group {
                notes.push(
                    Note::warning(
                        "deleted_group_in_use",
                        format!(
                            "`{}` refers to this group, is not managed here, and will go on naming it",
                            policy.name()
                        ),
                    )
                    .on(address, doomed.origin()),
                );
            } else {
                errors.push(doomed.error(Problem::InUse {
                    address: address.clone(),
                    by: policy.name().to_owned(),
                    not: "not ",
                }));
            }
        }
    }
}

/// The body that makes the service let go of an object: no longer trusted, no longer available.
///
/// `None` when it can be deleted as it is (`FACTS` 3 and 7).
pub(super) fn release(object: &Object) -> Result<Option<super::canonical::OpenBody>, wire::WireError> {
    let flag = match object.kind {
        Kind::IpLocation => "isTrusted",
        Kind::Context => "isAvailable",
        _ => return Ok(None),
    };
    if object.get(flag) != Some(&Value::Boolean(true)) {
        return Ok(None);
    }
    let mut released = object.clone();
    released.set(flag, None);
    let Some(property) = crate::model::properties::by_wire(object.kind, flag) else {
        return Ok(None);
    };
    super::canonical::changes(&released, &[property]).map(Some)
}
