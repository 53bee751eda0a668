//! V5: what a policy names has to be there.
//!
//! Users and groups are not looked up: policies keep those that were deleted. That a strength, an
//! authentication context or terms of use must exist is taken for granted; no number is known.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::call::Refusal;
use super::rules::invalid;
use super::rules::is_principal;
use super::tenant::Kind;
use super::tenant::Tenant;
use super::tenant::is_guid;
use super::tenant::strings;
use super::tenant::text;

/// The location that stands for the trusted addresses of the old multifactor service.
const MFA_TRUSTED_IPS: &str = "00000000-0000-0000-0000-000000000000";

pub(super) fn policy(tenant: &Tenant, before: Option<&Value>, policy: &Value) -> Result<(), Refusal> {
    let fresh = |place: &str| -> Vec<&str> {
        let known = before.map(|before| strings(before, place)).unwrap_or_default();
        strings(policy, place)
            .into_iter()
            .filter(|id| !known.contains(id))
            .collect()
    };
    roles(tenant, &fresh)?;
    for place in ["/conditions/users/includeUsers", "/conditions/users/excludeUsers"] {
        let keywords = ["All", "None", "GuestsOrExternalUsers", "AllAgentIdUsers"];
        if fresh(place)
            .into_iter()
            .any(|id| !is_principal(id, &keywords) && tenant.object(Kind::Users, id).is_none())
        {
            return Err(invalid("InvalidUsersCondition"));
        }
    }
    for place in [
        "/conditions/users/includeGroups",
        "/conditions/users/excludeGroups",
    ] {
        if fresh(place)
            .into_iter()
            .any(|id| !is_guid(id) && tenant.object(Kind::Groups, id).is_none())
        {
            return Err(invalid("InvalidUsersCondition"));
        }
    }
    applications(tenant, &fresh)?;
    for place in [
        "/conditions/locations/includeLocations",
        "/conditions/locations/excludeLocations",
    ] {
        for id in fresh(place) {
            let keyword = matches!(id, "All" | "AllTrusted") || id == MFA_TRUSTED_IPS;
            if !keyword && tenant.object(Kind::NamedLocations, id).is_none() {
                return Err(Refusal::numbered(
                    1040,
                    format!("NamedLocation with id {id} does not exist in the directory."),
                ));
            }
        }
    }
    for (place, kind, name) in [
        ("/grantControls/termsOfUse", Kind::Agreements, "Agreement"),
        (
            "/conditions/applications/includeAuthenticationContextClassReferences",
            Kind::AuthenticationContexts,
            "AuthenticationContextClassReference",
        ),
    ] {
        if let Some(id) = fresh(place)
            .into_iter()
            .find(|id| tenant.object(kind, id).is_none())
        {
            return Err(Refusal::bad(format!(
                "{name} with id {id} does not exist in the directory."
            )));
        }
    }
    strength(tenant, before, policy)
}

fn roles<'a>(tenant: &Tenant, fresh: &impl Fn(&str) -> Vec<&'a str>) -> Result<(), Refusal> {
    let named: Vec<&str> = ["/conditions/users/includeRoles", "/conditions/users/excludeRoles"]
        .into_iter()
        .flat_map(fresh)
        .collect();
    let built_in = |id: &str| {
        tenant
            .object(Kind::RoleDefinitions, id)
            .map(|role| role.get("isBuiltIn") == Some(&Value::Bool(true)))
    };
    let invalid: Vec<&str> = named
        .iter()
        .copied()
        .filter(|id| !is_guid(id) && built_in(id).is_none())
        .collect();
    if !invalid.is_empty() {
        return Err(Refusal::numbered(
            1102,
            format!(
                "'users' condition contains invalid role ids: {}.",
                invalid.join(", ")
            ),
        ));
    }
    let custom: Vec<&str> = named
        .into_iter()
        .filter(|id| built_in(id) != Some(true))
        .collect();
    if !custom.is_empty() {
        return Err(Refusal::numbered(
            1103,
            format!(
                "'users' condition contains non-built in role ids: {}",
                custom.join(", ")
            ),
        ));
    }
    Ok(())
}

fn applications<'a>(tenant: &Tenant, fresh: &impl Fn(&str) -> Vec<&'a str>) -> Result<(), Refusal> {
    const KEYWORDS: [&str; 5] = [
        "All",
        "None",
        "Office365",
        "MicrosoftAdminPortals",
        "AllAgentIdResources",
    ];
    let known = |id: &str| {
        KEYWORDS.contains(&id)
            || tenant
                .objects(Kind::ServicePrincipals)
                .any(|principal| text(principal, "appId").eq_ignore_ascii_case(id))
    };
    let mut missing = Map::new();
    for place in [
        "/conditions/applications/includeApplications",
        "/conditions/applications/excludeApplications",
    ] {
        for id in fresh(place) {
            if !known(id) {
                missing.insert(id.to_owned(), json!("ServicePrincipalNotFound"));
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Refusal::numbered(
        1034,
        format!(
            "'applications' condition contains invalid application ids: {}",
            Value::Object(missing)
        ),
    ))
}

fn strength(tenant: &Tenant, before: Option<&Value>, policy: &Value) -> Result<(), Refusal> {
    let place = "/grantControls/authenticationStrength/id";
    let Some(id) = policy.pointer(place).and_then(Value::as_str) else {
        return Ok(());
    };
    let known = before
        .and_then(|before| before.pointer(place))
        .and_then(Value::as_str)
        == Some(id);
    if known || tenant.object(Kind::AuthenticationStrengths, id).is_some() {
        return Ok(());
    }
    Err(Refusal::bad(format!(
        "AuthenticationStrengthPolicy with id {id} does not exist in the directory."
    )))
}
