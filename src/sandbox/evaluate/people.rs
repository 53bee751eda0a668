//! Who signs in, as What-If looks at it.

use serde_json::Value;

use super::has;
use super::type_of;
use crate::sandbox::call::Refusal;
use crate::sandbox::tenant::Kind;
use crate::sandbox::tenant::Tenant;
use crate::sandbox::tenant::strings;
use crate::sandbox::tenant::text;

fn id<'a>(body: &'a Value, member: &str) -> &'a str {
    body.get("signInIdentity")
        .map(|identity| text(identity, member))
        .unwrap_or_default()
}

/// Refuses an identity that the tenant does not have.
pub(super) fn check(tenant: &Tenant, body: &Value) -> Result<(), Refusal> {
    let (kind, id, external) = match type_of(body, "signInIdentity") {
        "userSignIn" => (Kind::Users, id(body, "userId"), id(body, "externalUserType")),
        "servicePrincipalSignIn" => (Kind::ServicePrincipals, id(body, "servicePrincipalId"), ""),
        "agentSignIn" => (
            Kind::ServicePrincipals,
            id(body, "agentServicePrincipalId"),
            "agent",
        ),
        _ => return Err(Refusal::bad("Invalid value for property 'signInIdentity'.")),
    };
    let is_from_outside = !external.is_empty() && external != "none";
    if tenant.object(kind, id).is_some() || is_from_outside && !id.is_empty() {
        Ok(())
    } else {
        Err(Refusal::unknown_resource(id))
    }
}

/// Returns why a policy is not about whoever signs in.
pub(super) fn keep_away(tenant: &Tenant, conditions: &Value, body: &Value) -> Option<&'static str> {
    match type_of(body, "signInIdentity") {
        "userSignIn" => {
            let caught = |side: &str| user_is_caught(tenant, conditions, body, side);
            (!caught("include") || caught("exclude")).then_some("users")
        }
        "agentSignIn" => {
            let id = id(body, "agentServicePrincipalId");
            let caught = |side: &str| {
                let path = format!("/clientApplications/{side}AgentIdServicePrincipals");
                let listed = strings(conditions, &path);
                has(&listed, "All") || has(&listed, id)
            };
            (!caught("include") || caught("exclude")).then_some("agentIdentities")
        }
        _ => {
            let filter = conditions.pointer("/clientApplications/servicePrincipalFilter");
            if filter.is_some_and(Value::is_object) {
                return Some("notEnoughInformation");
            }
            let id = id(body, "servicePrincipalId");
            let principal = tenant.object(Kind::ServicePrincipals, id).unwrap_or(&Value::Null);
            let owned = text(principal, "appOwnerOrganizationId").eq_ignore_ascii_case(&tenant.id)
                && text(principal, "servicePrincipalType") == "Application";
            let caught = |side: &str| {
                let listed = strings(
                    conditions,
                    &format!("/clientApplications/{side}ServicePrincipals"),
                );
                has(&listed, id) || owned && has(&listed, "ServicePrincipalsInMyTenant")
            };
            (!caught("include") || caught("exclude")).then_some("workloadIdentities")
        }
    }
}

fn user_is_caught(tenant: &Tenant, conditions: &Value, body: &Value, side: &str) -> bool {
    let user = id(body, "userId");
    let listed = |what: &str| strings(conditions, &format!("/users/{side}{what}"));
    let external = external_kind(tenant, body);
    let users = listed("Users");
    if has(&users, "All") || has(&users, user) || has(&users, "GuestsOrExternalUsers") && external.is_some() {
        return true;
    }
    for group in listed("Groups") {
        if is_within(tenant, group, user, &mut Vec::new()) {
            return true;
        }
    }
    for role in listed("Roles") {
        if is_within(tenant, role, user, &mut Vec::new()) {
            return true;
        }
    }
    let guests = conditions.pointer(&format!("/users/{side}GuestsOrExternalUsers"));
    match (guests, external) {
        (Some(guests), Some(kind)) if guests.is_object() => {
            let kinds: Vec<&str> = text(guests, "guestOrExternalUserTypes")
                .split(',')
                .map(str::trim)
                .collect();
            let tenants = strings(guests, "/externalTenants/members");
            let any_tenant = tenants.is_empty() || kind.eq_ignore_ascii_case("internalGuest");
            has(&kinds, &kind) && (any_tenant || has(&tenants, id(body, "externalTenantId")))
        }
        _ => false,
    }
}

/// Whether a group or role holds somebody, directly or through groups in it.
fn is_within(tenant: &Tenant, container: &str, user: &str, seen: &mut Vec<String>) -> bool {
    if seen.iter().any(|one| one == container) {
        return false;
    }
    seen.push(container.to_owned());
    for member in tenant.members(container) {
        if member.eq_ignore_ascii_case(user) || is_within(tenant, member, user, seen) {
            return true;
        }
    }
    false
}

/// Returns how somebody is external: as told, or as account type and name show.
fn external_kind(tenant: &Tenant, body: &Value) -> Option<String> {
    let told = id(body, "externalUserType");
    if !told.is_empty() && told != "none" {
        return Some(told.to_owned());
    }
    let user = tenant.object(Kind::Users, id(body, "userId"))?;
    let is_guest = text(user, "userType").eq_ignore_ascii_case("Guest");
    let is_invited = text(user, "userPrincipalName").contains("#EXT#");
    let kind = match (is_guest, is_invited) {
        (true, true) => "b2bCollaborationGuest",
        (true, false) => "internalGuest",
        (false, true) => "b2bCollaborationMember",
        (false, false) => return None,
    };
    Some(kind.to_owned())
}
