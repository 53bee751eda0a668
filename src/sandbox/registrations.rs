//! `/reports/authenticationMethods/userRegistrationDetails`: what users have registered for signing in.

use serde_json::Value;
use serde_json::json;

use super::call::Call;
use super::call::Outcome;
use super::call::Refusal;
use super::odata;
use super::tenant::Kind;
use super::tenant::Tenant;
use super::tenant::text;

const NAME: &str = "reports/authenticationMethods/userRegistrationDetails";

pub(super) fn route(tenant: &Tenant, call: &Call, method: &str, path: &[&str]) -> Outcome {
    if !tenant.settings.premium_p1 {
        return Err(Refusal::new(
            403,
            "Authentication_RequestFromNonPremiumTenantOrB2CTenant",
            "Neither tenant is B2C or tenant doesn't have premium license",
        ));
    }
    match (method, path) {
        ("GET", ["userRegistrationDetails"]) => {
            // Only filtering is offered, and disabled accounts are not in the report.
            odata::offers(call, &["filter", "top"])?;
            let all = tenant.objects(Kind::Users).filter(|user| is_enabled(user));
            let all = all.map(|user| details(tenant, user)).collect();
            odata::page(tenant, call, all, NAME)
        }
        ("GET", ["userRegistrationDetails", id]) => {
            let user = tenant.object(Kind::Users, id).filter(|user| is_enabled(user));
            let user = user.ok_or_else(|| Refusal::unknown_resource(id))?;
            Ok(odata::entity(
                call,
                details(tenant, user),
                &format!("{NAME}/$entity"),
            ))
        }
        (_, ["userRegistrationDetails", ..]) => Err(Refusal::method()),
        (_, path) => Err(Refusal::segment(path.first().unwrap_or(&"authenticationMethods"))),
    }
}

fn is_enabled(user: &Value) -> bool {
    user.get("accountEnabled") != Some(&Value::Bool(false))
}

/// What was loaded for a user over a user who has registered nothing.
fn details(tenant: &Tenant, user: &Value) -> Value {
    let id = text(user, "id");
    let is_guest = text(user, "userType").eq_ignore_ascii_case("Guest");
    let mut details = json!({
        "id": id,
        "userPrincipalName": user.get("userPrincipalName"),
        "userDisplayName": user.get("displayName"),
        "userType": if is_guest { "guest" } else { "member" },
        "isAdmin": false,
        "isSsprRegistered": false,
        "isSsprEnabled": false,
        "isSsprCapable": false,
        "isMfaRegistered": false,
        "isMfaCapable": false,
        "isPasswordlessCapable": false,
        "methodsRegistered": [],
        "isSystemPreferredAuthenticationMethodEnabled": false,
        "systemPreferredAuthenticationMethods": [],
        "userPreferredMethodForSecondaryAuthentication": "none",
        "lastUpdatedDateTime": "2026-01-01T00:00:00Z",
    });
    let loaded = tenant.object(Kind::Registrations, id).and_then(Value::as_object);
    if let (Some(members), Some(loaded)) = (details.as_object_mut(), loaded) {
        members.extend(loaded.clone());
    }
    details
}
