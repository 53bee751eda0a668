//! V1 to V14 and V27: what the service refuses to store as a policy.

use super::{
    ACTIONS, APP_FILTER, CONTEXTS, CONTINUOUS_ACCESS, EXCLUDE_APPS, FREQUENCY, Found, GRANT, INCLUDE_APPS,
    INCLUDE_USERS, PERSISTENT_BROWSER, STATE, USER_RISK, grant, has_control, has_keyword, has_strength,
    has_workload_audience, in_raw, is_set, set_below,
};
use crate::model::object::{Kind, Object};
use crate::model::value::{Control, Interval, Operator, Value};

pub(super) fn check(object: &Object, found: &mut Found) {
    audience(object, found);
    targets(object, found);
    containers(object, found);
    controls(object, found);
    password_change(object, found);
    risk_remediation(object, found);
    workloads(object, found);
    register_device(object, found);
    session(object, found);
}

fn audience(object: &Object, found: &mut Found) {
    let users = set_below(object, "conditions.users.include").next().is_some();
    let raw = in_raw(object, "conditions.users") || in_raw(object, "conditions.clientApplications");
    if !(users || has_workload_audience(object) || raw) {
        found.refused(
            "rules::no_audience",
            &[],
            "the policy applies to nobody",
            "add `users { include = [all] }`, or a `workloads` block",
        );
    }
    let guests = "conditions.users.includeGuestsOrExternalUsers";
    if has_keyword(object, INCLUDE_USERS, "GuestsOrExternalUsers") && is_set(object, guests) {
        found.refused(
            "rules::two_kinds_of_guests",
            &[INCLUDE_USERS, guests],
            "`include` holds both `guests_legacy` and `guests(…)`",
            "keep `guests(…)`, which says the same with more precision",
        );
    }
    for keyword in ["All", "None"] {
        if has_keyword(object, INCLUDE_USERS, keyword) && object.reference_set(INCLUDE_USERS).count() > 1 {
            let word = keyword.to_ascii_lowercase();
            found.refused(
                "rules::users_keyword_alone",
                &[INCLUDE_USERS],
                format!("`{word}` stands beside other users"),
                format!("keep `{word}` alone, or remove it"),
            );
        }
    }
}

fn targets(object: &Object, found: &mut Found) {
    let kinds: Vec<&'static str> = [INCLUDE_APPS, ACTIONS, CONTEXTS]
        .into_iter()
        .filter(|wire| is_set(object, wire))
        .collect();
    match kinds.as_slice() {
        [] if !is_set(object, APP_FILTER) && !in_raw(object, "conditions.applications") => found.refused(
            "rules::no_target",
            &[EXCLUDE_APPS],
            "the policy applies to no application, action or authentication context",
            "add `apps { include = [all] }`; `[none]` stands for nothing yet (Graph: 1011)",
        ),
        [] | [_] => {}
        several => found.refused(
            "rules::one_kind_of_target",
            several,
            "applications, user actions and authentication contexts exclude one another",
            "write one policy for each kind of target (Graph: 1012)",
        ),
    }
}

/// V2: what leaves out must first take in.
fn containers(object: &Object, found: &mut Found) {
    for (include, exclude, help) in [
        (
            "conditions.platforms.includePlatforms",
            "conditions.platforms.excludePlatforms",
            "platforms { include = [all], … }",
        ),
        (
            "conditions.locations.includeLocations",
            "conditions.locations.excludeLocations",
            "locations { include = [all], … }",
        ),
        (
            "conditions.clientApplications.includeServicePrincipals",
            "conditions.clientApplications.excludeServicePrincipals",
            "workloads { include = [owned], … }",
        ),
    ] {
        if is_set(object, exclude) && !is_set(object, include) {
            found.refused(
                "rules::exclude_without_include",
                &[exclude],
                "something is left out of nothing: `include` is missing",
                format!("write `{help}`"),
            );
        }
    }
    let filter = "conditions.devices.deviceFilter";
    let old = "conditions.devices.includeDevices";
    let old_exclude = "conditions.devices.excludeDevices";
    if is_set(object, filter) && (is_set(object, old) || is_set(object, old_exclude)) {
        found.refused(
            "rules::one_device_condition",
            &[filter, old, old_exclude],
            "a device filter stands beside the old device lists",
            "keep the filter; the lists are what it replaced (Graph: 1007)",
        );
    }
}

fn controls(object: &Object, found: &mut Found) {
    let session = set_below(object, "sessionControls.").next().is_some();
    let raw = in_raw(object, GRANT) || in_raw(object, "sessionControls");
    let Some(grant) = grant(object) else {
        if !session && !raw {
            found.refused(
                "rules::no_control",
                &[],
                "the policy asks for nothing",
                "add `grant = mfa`, `grant = block`, or a `session` block",
            );
        }
        return;
    };
    if has_control(grant, "block") && grant.controls.len() > 1 {
        found.refused(
            "rules::block_stands_alone",
            &[GRANT],
            "`block` stands beside other controls",
            "write `grant = block`, or remove `block`",
        );
    }
    let strengths = grant
        .controls
        .iter()
        .filter(|control| matches!(control, Control::Strength(_)));
    if strengths.count() > 1 {
        found.refused(
            "rules::one_strength",
            &[GRANT],
            "the grant asks for several authentication strengths",
            "keep one: a policy holds a single strength; write a second policy for the other",
        );
    }
    if has_control(grant, "mfa") && has_strength(grant) {
        found.refused(
            "rules::strength_or_mfa",
            &[GRANT],
            "an authentication strength stands beside `mfa`",
            "keep the strength, which asks for MFA already (Graph: 1108)",
        );
    }
}

/// The conditions that are set, beside those named.
fn other_conditions(object: &Object, allowed: &[&str]) -> Vec<&'static str> {
    set_below(object, "conditions.")
        .filter(|wire| !wire.starts_with("conditions.users.") && !allowed.contains(wire))
        .collect()
}

/// V8.
fn password_change(object: &Object, found: &mut Found) {
    let Some(grant) = grant(object).filter(|grant| has_control(grant, "passwordChange")) else {
        return;
    };
    let mut refuse = |paths: &[&'static str], message: &str, help: &str| {
        found.refused(
            "rules::password_change",
            paths,
            message,
            format!("{help} (Graph: 1032)"),
        );
    };
    if !(has_control(grant, "mfa") || has_strength(grant)) || grant.operator != Operator::All {
        refuse(
            &[GRANT],
            "`password_change` needs `mfa` or a strength beside it, and all of them",
            "write `grant = all_of(mfa, password_change)`",
        );
    }
    if !is_set(object, USER_RISK) {
        refuse(
            &[GRANT],
            "`password_change` needs a user risk condition",
            "write `risk { user = [high] }`",
        );
    }
    if !has_keyword(object, INCLUDE_APPS, "All") || is_set(object, EXCLUDE_APPS) {
        refuse(
            &[INCLUDE_APPS, EXCLUDE_APPS],
            "`password_change` works for all applications only",
            "write `apps { include = [all] }` without `exclude`",
        );
    }
    let others = other_conditions(object, &[USER_RISK, INCLUDE_APPS, EXCLUDE_APPS]);
    if !others.is_empty() {
        refuse(
            &others,
            "`password_change` allows no condition but user risk",
            "remove the other conditions",
        );
    }
    if is_set(object, PERSISTENT_BROWSER) {
        refuse(
            &[PERSISTENT_BROWSER],
            "`password_change` and `persistent_browser` exclude one another",
            "remove `persistent_browser`",
        );
    }
    if let Some(Value::SignInFrequency(frequency)) = object.get(FREQUENCY)
        && frequency.interval != Interval::EveryTime
    {
        refuse(
            &[FREQUENCY],
            "`password_change` allows no other sign-in frequency than `every_time`",
            "write `sign_in_frequency = every_time`, or remove it",
        );
    }
}

/// V9.
fn risk_remediation(object: &Object, found: &mut Found) {
    let Some(grant) = grant(object).filter(|grant| has_control(grant, "riskRemediation")) else {
        return;
    };
    let mut refuse = |paths: &[&'static str], message: &str, help: &str| {
        found.refused("rules::risk_remediation", paths, message, help);
    };
    let authenticates = has_control(grant, "mfa") || has_strength(grant);
    if !authenticates || grant.controls.len() != 2 {
        refuse(
            &[GRANT],
            "`risk_remediation` goes with `mfa` or a strength, and nothing else",
            "write `grant = all_of(strength.mfa, risk_remediation)`",
        );
    }
    if !has_keyword(object, INCLUDE_APPS, "All") || !is_set(object, USER_RISK) {
        refuse(
            &[INCLUDE_APPS, USER_RISK],
            "`risk_remediation` needs all applications and a user risk condition",
            "write `apps { include = [all] }` and `risk { user = [high] }`",
        );
    }
    let others = other_conditions(object, &[USER_RISK, INCLUDE_APPS, EXCLUDE_APPS, APP_FILTER]);
    if !others.is_empty() {
        refuse(
            &others,
            "`risk_remediation` allows no condition but user risk",
            "remove the other conditions",
        );
    }
    if let Some(Value::SignInFrequency(frequency)) = object.get(FREQUENCY)
        && frequency.interval != Interval::EveryTime
    {
        refuse(
            &[FREQUENCY],
            "`risk_remediation` allows no other sign-in frequency than `every_time`",
            "write `sign_in_frequency = every_time`",
        );
    }
}

/// V10. Agents are another matter: a policy on agents' users may ask for a compliant device.
fn workloads(object: &Object, found: &mut Found) {
    let principals = [
        "conditions.clientApplications.includeServicePrincipals",
        "conditions.clientApplications.servicePrincipalFilter",
    ];
    let Some(path) = principals.into_iter().find(|wire| is_set(object, wire)) else {
        return;
    };
    if has_keyword(object, path, "None") {
        return;
    }
    let blocks = grant(object).is_some_and(|grant| has_control(grant, "block"));
    if !blocks && !in_raw(object, GRANT) {
        found.refused(
            "rules::workloads_only_block",
            &[GRANT, path],
            "a service principal can only be blocked",
            "write `grant = block`",
        );
    }
    if super::has_user_audience(object) {
        found.refused(
            "rules::workloads_or_users",
            &[path, INCLUDE_USERS],
            "a policy applies to users or to service principals, not to both",
            "write one policy for each",
        );
    }
}

/// V11.
fn register_device(object: &Object, found: &mut Found) {
    let registers = object.reference_set(ACTIONS).any(|reference| {
        matches!(reference, crate::model::Reference::Id { id, .. } if id == "urn:user:registerdevice")
    });
    if !registers {
        return;
    }
    if let Some(grant) = grant(object)
        && !(grant.controls.len() == 1 && (has_control(grant, "mfa") || has_strength(grant)))
    {
        found.refused(
            "rules::register_device",
            &[GRANT],
            "registering a device can only ask for `mfa` or a strength",
            "write `grant = mfa`",
        );
    }
    let conditions: Vec<&'static str> = [
        "conditions.clientAppTypes",
        "conditions.devices.deviceFilter",
        "conditions.deviceStates.includeStates",
    ]
    .into_iter()
    .filter(|wire| is_set(object, wire))
    .collect();
    if !conditions.is_empty() {
        let places: Vec<&str> = conditions
            .iter()
            .map(|wire| super::place(Kind::Policy, wire))
            .collect();
        found.refused(
            "rules::register_device",
            &conditions,
            format!("registering a device allows no `{}`", places.join("`, `")),
            "remove it",
        );
    }
}

fn session(object: &Object, found: &mut Found) {
    if let Some(Value::SignInFrequency(frequency)) = object.get(FREQUENCY)
        && frequency.secondary_only
        && frequency.interval != Interval::EveryTime
    {
        found.refused(
            "rules::secondary_every_time",
            &[FREQUENCY],
            "asking again for the second factor alone works with `every_time` only",
            "write `sign_in_frequency = every_time`, or remove `sign_in_frequency_for` (Graph: 1104)",
        );
    }
    if is_set(object, CONTINUOUS_ACCESS) && object.text(STATE) == Some("enabledForReportingButNotEnforced") {
        found.refused(
            "rules::continuous_access_report_only",
            &[STATE, CONTINUOUS_ACCESS],
            "a policy with `continuous_access` can't be report-only",
            "set `state = disabled` or `state = enabled`",
        );
    }
}
