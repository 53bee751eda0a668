//! What the service refuses to store: the rules V1 to V14 of the collected facts.
//!
//! Numbers and texts are those that clients reported. Where a rule is known and its number is not,
//! the answer is 1032 with the portal's name for the part at fault.

use serde_json::Value;

use super::call::Refusal;
use super::call::Version;
use super::normalise::has_session;
use super::normalise::requirements;
use super::tenant::Kind;
use super::tenant::Tenant;
use super::tenant::is_guid;
use super::tenant::strings;
use super::tenant::text;

type Checked = Result<(), Refusal>;

/// Checks a merged policy; `before` is what is stored, so that references it already held are not
/// looked up again.
pub(super) fn policy(tenant: &Tenant, before: Option<&Value>, policy: &Value, version: Version) -> Checked {
    containers(policy)?;
    targets(policy, version)?;
    users(policy)?;
    controls(policy)?;
    session(policy, version)?;
    password_change(policy)?;
    risk_remediation(policy)?;
    workload(tenant, policy)?;
    device_registration(policy)?;
    licences(tenant, policy)?;
    super::references::policy(tenant, before, policy)?;
    if text(policy, "state") == "enabled" && tenant.security_defaults {
        return Err(Refusal::bad(
            "Security Defaults is enabled in the tenant. You must disable Security defaults before enabling a Conditional Access policy.",
        ));
    }
    Ok(())
}

pub(super) fn invalid(what: &str) -> Refusal {
    Refusal::numbered(
        1032,
        format!("ConditionalActionPolicy validation failed due to {what}."),
    )
}

fn ensure(holds: bool, what: &str) -> Checked {
    if holds { Ok(()) } else { Err(invalid(what)) }
}

fn some(policy: &Value, path: &str) -> bool {
    match policy.pointer(path) {
        None | Some(Value::Null) => false,
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::String(text)) => !text.is_empty(),
        Some(_) => true,
    }
}

/// V2: a container is null or says what it includes; a filter has a rule.
fn containers(policy: &Value) -> Checked {
    let has = |path: &str| some(policy, &format!("/conditions{path}"));
    ensure(
        some(policy, "/conditions/clientAppTypes"),
        "InvalidClientTypesCondition",
    )?;
    ensure(
        !has("/platforms") || has("/platforms/includePlatforms"),
        "InvalidDevicePlatformsCondition",
    )?;
    ensure(
        !has("/locations") || has("/locations/includeLocations"),
        "InvalidLocationsCondition",
    )?;
    let devices = ["deviceFilter", "includeDevices", "includeDeviceStates"];
    ensure(
        !has("/devices") || devices.iter().any(|name| has(&format!("/devices/{name}"))),
        "InvalidDevicesCondition",
    )?;
    ensure(
        !(has("/devices/deviceFilter") && (has("/devices/includeDevices") || has("/devices/excludeDevices"))),
        "InvalidDevicesCondition",
    )?;
    let clients = [
        "includeServicePrincipals",
        "includeAgentIdServicePrincipals",
        "servicePrincipalFilter",
        "agentIdServicePrincipalFilter",
    ];
    ensure(
        !has("/clientApplications")
            || clients
                .iter()
                .any(|name| has(&format!("/clientApplications/{name}"))),
        "InvalidConditions",
    )?;
    for place in ["includeGuestsOrExternalUsers", "excludeGuestsOrExternalUsers"] {
        let place = format!("/users/{place}");
        ensure(
            !has(&place) || has(&format!("{place}/guestOrExternalUserTypes")),
            "InvalidUsersCondition",
        )?;
        let all = policy.pointer(&format!("/conditions{place}/externalTenants/membershipKind"))
            == Some(&Value::from("all"));
        ensure(
            !(all && has(&format!("{place}/externalTenants/members"))),
            "InvalidUsersCondition",
        )?;
    }
    let filters = [
        ("/devices/deviceFilter", "InvalidDevicesCondition"),
        ("/applications/applicationFilter", "InvalidApplicationCondition"),
        ("/clientApplications/servicePrincipalFilter", "InvalidConditions"),
        (
            "/clientApplications/agentIdServicePrincipalFilter",
            "InvalidConditions",
        ),
        ("/agents/agentFilter", "InvalidConditions"),
    ];
    for (place, what) in filters {
        ensure(
            !has(place) || (has(&format!("{place}/rule")) && has(&format!("{place}/mode"))),
            what,
        )?;
    }
    let rule = policy
        .pointer("/conditions/devices/deviceFilter/rule")
        .and_then(Value::as_str)
        .unwrap_or_default();
    ensure(rule.chars().count() <= 3072, "InvalidDevicesCondition")
}

/// V4: one kind of target, and at least one.
fn targets(policy: &Value, version: Version) -> Checked {
    let has = |name: &str| some(policy, &format!("/conditions/applications/{name}"));
    let applications = has("includeApplications") || has("applicationFilter");
    let actions = has("includeUserActions");
    let contexts = has("includeAuthenticationContextClassReferences");
    if !applications && !actions && !contexts {
        let view = if version == Version::V1 { "1.0" } else { "beta" };
        return Err(Refusal::numbered(
            1011,
            format!(
                "'applications' condition must specify the applications to include. Try 'includeApplications' = ['none'] to start with. For examples, please see API documentation at https://docs.microsoft.com/en-us/graph/api/conditionalaccesspolicy-update?view=graph-rest-{view}."
            ),
        ));
    }
    if usize::from(applications) + usize::from(actions) + usize::from(contexts) > 1 {
        return Err(Refusal::numbered(
            1012,
            "'applications' condition cannot include both 'includeApplications' and 'includeUserActions'/'includeProtectionLevels'. Please remove one of the conditions.",
        ));
    }
    Ok(())
}

/// V1 for users, and the legacy guest keyword beside the object that replaced it.
fn users(policy: &Value) -> Checked {
    let has = |name: &str| some(policy, &format!("/conditions/{name}"));
    let anybody = [
        "users/includeUsers",
        "users/includeGroups",
        "users/includeRoles",
        "users/includeGuestsOrExternalUsers",
        "clientApplications",
        "agents/includeAgentUsers",
    ];
    ensure(anybody.into_iter().any(has), "InvalidUsersCondition")?;
    let include = strings(policy, "/conditions/users/includeUsers");
    ensure(
        include.len() < 2 || !include.iter().any(|word| matches!(*word, "All" | "None")),
        "InvalidUsersCondition",
    )?;
    for (list, object) in [
        ("includeUsers", "includeGuestsOrExternalUsers"),
        ("excludeUsers", "excludeGuestsOrExternalUsers"),
    ] {
        let keyword =
            strings(policy, &format!("/conditions/users/{list}")).contains(&"GuestsOrExternalUsers");
        if keyword && has(&format!("users/{object}")) && !mirrors(policy, object) {
            return Err(Refusal::bad(
                "'GuestsOrExternalUsers' cannot be combined with guestOrExternalUsers",
            ));
        }
    }
    Ok(())
}

/// Whether the guest object says no more than the keyword; older policies hold both.
fn mirrors(policy: &Value, object: &str) -> bool {
    let place = format!("/conditions/users/{object}");
    let kinds = policy
        .pointer(&format!("{place}/guestOrExternalUserTypes"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    kinds.split(',').filter(|kind| *kind != "none").count() == 6
        && policy.pointer(&format!("{place}/externalTenants/membershipKind")) == Some(&Value::from("all"))
}

/// V1 and V3 for controls, V6, and `block` standing alone.
fn controls(policy: &Value) -> Checked {
    let grant = policy.get("grantControls").filter(|grant| grant.is_object());
    if let Some(grant) = grant {
        ensure(requirements(grant) > 0, "InvalidControls")?;
        ensure(
            matches!(text(grant, "operator"), "AND" | "OR"),
            "InvalidGrantControlPolicy",
        )?;
        let built_in = strings(grant, "/builtInControls");
        let strength = some(grant, "/authenticationStrength/id");
        if strength && built_in.contains(&"mfa") {
            return Err(Refusal::numbered(
                1108,
                "Authentication strengths cannot be used alongside the MFA built-in control.",
            ));
        }
        ensure(
            !built_in.contains(&"block") || requirements(grant) == 1,
            "InvalidControls",
        )?;
    }
    let session = policy.get("sessionControls").is_some_and(Value::is_object);
    ensure(!session || has_session(policy), "InvalidSessionControlPolicy")?;
    ensure(grant.is_some() || session, "InvalidControls")?;
    // `disableResilienceDefaults: false` alone asks for nothing.
    let controls = policy.get("sessionControls").and_then(Value::as_object);
    let effective = controls.is_some_and(|controls| {
        controls
            .values()
            .any(|control| !control.is_null() && control != &Value::Bool(false))
    });
    ensure(grant.is_some() || effective, "InvalidControls")
}

/// V7 and V13.
fn session(policy: &Value, version: Version) -> Checked {
    let frequency = policy
        .pointer("/sessionControls/signInFrequency")
        .filter(|frequency| frequency.is_object());
    if let Some(frequency) = frequency {
        let value = frequency.get("value").filter(|value| !value.is_null());
        let unit = frequency.get("type").filter(|unit| !unit.is_null());
        if text(frequency, "frequencyInterval") == "everyTime" {
            ensure(value.is_none() && unit.is_none(), "InvalidSessionControlPolicy")?;
        } else {
            if text(frequency, "authenticationType") != "primaryAndSecondaryAuthentication" {
                let view = if version == Version::V1 { "1.0" } else { "beta" };
                return Err(Refusal::numbered(
                    1104,
                    format!(
                        "'timeBased' value for 'frequencyInterval' property in 'signInFrequency' session control only supports 'primaryAndSecondaryAuthentication' value for 'authenticationType' property. For examples, please see API documentation at https://docs.microsoft.com/en-us/graph/api/conditionalaccessroot-post-policies?view=graph-rest-{view}."
                    ),
                ));
            }
            let positive = value.and_then(Value::as_i64).is_some_and(|value| value > 0);
            ensure(positive && unit.is_some(), "InvalidSessionControlPolicy")?;
        }
    }
    let evaluation = some(policy, "/sessionControls/continuousAccessEvaluation/mode");
    ensure(
        !(evaluation && text(policy, "state") == "enabledForReportingButNotEnforced"),
        "InvalidSessionControlPolicy",
    )
}

fn built_in(policy: &Value, control: &str) -> bool {
    strings(policy, "/grantControls/builtInControls").contains(&control)
}

fn strong(policy: &Value) -> bool {
    built_in(policy, "mfa") || some(policy, "/grantControls/authenticationStrength/id")
}

fn all_applications(policy: &Value) -> bool {
    strings(policy, "/conditions/applications/includeApplications") == ["All"]
        && !some(policy, "/conditions/applications/excludeApplications")
        && !some(policy, "/conditions/applications/applicationFilter")
}

fn every_time(policy: &Value) -> Option<bool> {
    let frequency = policy
        .pointer("/sessionControls/signInFrequency")
        .filter(|frequency| frequency.is_object())?;
    Some(text(frequency, "frequencyInterval") == "everyTime")
}

/// V8.
fn password_change(policy: &Value) -> Checked {
    if !built_in(policy, "passwordChange") {
        return Ok(());
    }
    let other = ["signInRiskLevels", "platforms", "locations", "devices"];
    let holds = strong(policy)
        && policy.pointer("/grantControls/operator") == Some(&Value::from("AND"))
        && some(policy, "/conditions/userRiskLevels")
        && all_applications(policy)
        && !other
            .into_iter()
            .any(|name| some(policy, &format!("/conditions/{name}")))
        && !some(policy, "/sessionControls/persistentBrowser")
        && every_time(policy) != Some(false);
    ensure(holds, "InvalidPasswordResetControl")
}

/// V9.
fn risk_remediation(policy: &Value) -> Checked {
    if !built_in(policy, "riskRemediation") {
        return Ok(());
    }
    let other = [
        "signInRiskLevels",
        "platforms",
        "locations",
        "devices",
        "authenticationFlows",
        "insiderRiskLevels",
    ];
    let grant = policy.get("grantControls").unwrap_or(&Value::Null);
    let holds = strong(policy)
        && requirements(grant) == 2
        && some(policy, "/conditions/userRiskLevels")
        && all_applications(policy)
        && !other
            .into_iter()
            .any(|name| some(policy, &format!("/conditions/{name}")))
        && every_time(policy) == Some(true);
    ensure(holds, "InvalidControls")
}

/// V10.
fn workload(tenant: &Tenant, policy: &Value) -> Checked {
    let risk = some(policy, "/conditions/servicePrincipalRiskLevels");
    if !some(policy, "/conditions/clientApplications") {
        return ensure(!risk, "InvalidConditions");
    }
    if !tenant.settings.workload_identities {
        return Err(Refusal::numbered(
            1150,
            "Cannot create or update policies with workload identity premium features. Upgrade to a workload identity premium P1 or P2 license and try again",
        ));
    }
    ensure(
        strings(policy, "/grantControls/builtInControls") == ["block"] && !has_session(policy),
        "InvalidControls",
    )?;
    let other = [
        "signInRiskLevels",
        "userRiskLevels",
        "platforms",
        "devices",
        "authenticationFlows",
        "insiderRiskLevels",
    ];
    ensure(
        !other
            .into_iter()
            .any(|name| some(policy, &format!("/conditions/{name}"))),
        "InvalidConditions",
    )?;
    for id in strings(policy, "/conditions/clientApplications/includeServicePrincipals") {
        let Some(principal) = tenant.object(Kind::ServicePrincipals, id) else {
            continue;
        };
        let own = text(principal, "appOwnerOrganizationId") == tenant.id()
            && text(principal, "signInAudience") == "AzureADMyOrg";
        ensure(
            own && text(principal, "servicePrincipalType") == "Application",
            "InvalidConditions",
        )?;
    }
    Ok(())
}

/// V11.
fn device_registration(policy: &Value) -> Checked {
    if !strings(policy, "/conditions/applications/includeUserActions").contains(&"urn:user:registerdevice") {
        return Ok(());
    }
    let grant = policy.get("grantControls").unwrap_or(&Value::Null);
    ensure(strong(policy) && requirements(grant) == 1, "InvalidControls")?;
    ensure(
        strings(policy, "/conditions/clientAppTypes") == ["all"]
            && !some(policy, "/conditions/devices")
            && !some(policy, "/conditions/deviceStates"),
        "InvalidConditions",
    )
}

/// V14.
fn licences(tenant: &Tenant, policy: &Value) -> Checked {
    let risk = ["signInRiskLevels", "userRiskLevels"]
        .into_iter()
        .any(|name| some(policy, &format!("/conditions/{name}")));
    if risk && !tenant.settings.premium_p2 {
        return Err(Refusal::numbered(
            1039,
            "Cannot create or update policies with premium P2 features. Upgrade to a premium P2 license and try again.",
        ));
    }
    Ok(())
}

/// Whether a principal is a keyword of its list or could be an id.
pub(super) fn is_principal(word: &str, keywords: &[&str]) -> bool {
    keywords.contains(&word) || is_guid(word)
}

#[cfg(test)]
mod tests;
