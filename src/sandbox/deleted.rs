//! Soft delete: lists of what was deleted, restore, permanent delete.

use serde_json::Value;

use super::call::Answer;
use super::call::Call;
use super::call::Outcome;
use super::call::Refusal;
use super::directory;
use super::locations;
use super::odata;
use super::policies;
use super::policies::put;
use super::tenant::Kind;
use super::tenant::Tenant;

/// `/identity/conditionalAccess/deletedItems/{policies|namedLocations}`.
pub(super) fn conditional_access(tenant: &mut Tenant, call: &Call, method: &str, path: &[&str]) -> Outcome {
    let (bin, home, noun) = match path.first() {
        Some(&"policies") => (Kind::DeletedPolicies, Kind::Policies, "ConditionalAccessPolicy"),
        Some(&"namedLocations") => (Kind::DeletedNamedLocations, Kind::NamedLocations, "NamedLocation"),
        other => return Err(Refusal::segment(other.unwrap_or(&"deletedItems"))),
    };
    let show = |tenant: &Tenant, object: &Value| match bin {
        Kind::DeletedPolicies => policies::show(tenant, call, object),
        _ => locations::show(call, object),
    };
    let name = path.first().unwrap_or(&"");
    let context = format!("identity/conditionalAccess/deletedItems/{name}");
    match (method, path) {
        ("GET", [_]) => {
            let shown = tenant
                .objects(bin)
                .filter(|object| bin == Kind::DeletedPolicies || locations::visible(call, object))
                .map(|object| show(tenant, object))
                .collect();
            odata::page(tenant, call, shown, &context)
        }
        ("GET", [_, id]) => {
            let object = tenant.object(bin, id).ok_or_else(|| Refusal::unknown(noun, id))?;
            Ok(odata::entity(
                call,
                show(tenant, object),
                &format!("{context}/$entity"),
            ))
        }
        ("POST", [_, id, "restore"]) => {
            let quota = tenant.settings.policy_quota;
            if home == Kind::Policies && tenant.count(home) >= quota {
                return Err(Refusal::bad(format!(
                    "The number of policies has reached the limit of {quota}."
                )));
            }
            // The id and the state are kept: an enabled policy is enforced at once.
            let mut object = tenant.remove(bin, id).ok_or_else(|| Refusal::unknown(noun, id))?;
            put(&mut object, "/deletedDateTime", Value::Null);
            tenant.insert(home, object.clone());
            Ok(odata::entity(
                call,
                show(tenant, &object),
                &format!("identity/conditionalAccess/{name}/$entity"),
            ))
        }
        ("DELETE", [_, id]) => {
            tenant.remove(bin, id).ok_or_else(|| Refusal::unknown(noun, id))?;
            Ok(Answer::no_content())
        }
        _ => Err(Refusal::method()),
    }
}

/// `/directory/deletedItems`: groups only.
pub(super) fn directory(tenant: &mut Tenant, call: &Call, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("GET", ["group"]) => {
            let shown = tenant.objects(Kind::DeletedGroups).cloned().collect();
            odata::page(tenant, call, shown, "groups")
        }
        ("GET", [id]) => {
            let group = tenant
                .object(Kind::DeletedGroups, id)
                .ok_or_else(|| Refusal::unknown_resource(id))?;
            Ok(odata::entity(
                call,
                directory::typed(Kind::Groups, group),
                "directoryObjects/$entity",
            ))
        }
        ("POST", [id, "restore"]) => {
            let mut group = tenant
                .remove(Kind::DeletedGroups, id)
                .ok_or_else(|| Refusal::unknown_resource(id))?;
            put(&mut group, "/deletedDateTime", Value::Null);
            tenant.insert(Kind::Groups, group.clone());
            Ok(odata::entity(
                call,
                directory::typed(Kind::Groups, &group),
                "directoryObjects/$entity",
            ))
        }
        ("DELETE", [id]) => {
            tenant
                .remove(Kind::DeletedGroups, id)
                .ok_or_else(|| Refusal::unknown_resource(id))?;
            tenant.members_mut(id).clear();
            Ok(Answer::no_content())
        }
        _ => Err(Refusal::method()),
    }
}
