//! `/groups`: create, change, delete, and who is in them.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::call::Answer;
use super::call::Call;
use super::call::Outcome;
use super::call::Refusal;
use super::directory::any;
use super::directory::group;
use super::odata;
use super::policies::put;
use super::tenant::Kind;
use super::tenant::Tenant;
use super::tenant::stamp;
use super::tenant::strings;
use super::tenant::text;

/// Members that one PATCH with `members@odata.bind` may add.
const BIND_LIMIT: usize = 20;

fn check_group(group: &Value) -> Result<(), Refusal> {
    let nickname = text(group, "mailNickname");
    let name = text(group, "displayName");
    let refuse = |property: &str| {
        Err(Refusal::new(
            400,
            "Request_BadRequest",
            format!("Invalid value specified for property '{property}' of resource 'Group'."),
        ))
    };
    if name.is_empty() || name.chars().count() > 256 {
        return refuse("displayName");
    }
    if nickname.is_empty()
        || nickname.chars().count() > 64
        || nickname.chars().any(|letter| "@()\\[]\";:.<>, ".contains(letter))
    {
        return refuse("mailNickname");
    }
    if !group.get("mailEnabled").is_some_and(Value::is_boolean) {
        return refuse("mailEnabled");
    }
    if !group.get("securityEnabled").is_some_and(Value::is_boolean) {
        return refuse("securityEnabled");
    }
    Ok(())
}

/// Members of a group that a client may write.
const GROUP_WRITABLE: [&str; 11] = [
    "displayName",
    "description",
    "mailEnabled",
    "mailNickname",
    "securityEnabled",
    "groupTypes",
    "membershipRule",
    "membershipRuleProcessingState",
    "visibility",
    "isAssignableToRole",
    "uniqueName",
];

fn writable(sent: &Value) -> Result<Map<String, Value>, Refusal> {
    let mut kept = Map::new();
    for (name, value) in sent.as_object().into_iter().flatten() {
        if name.contains("@odata.") {
            continue;
        }
        if !GROUP_WRITABLE.contains(&name.as_str()) {
            return Err(Refusal::new(
                400,
                "Request_BadRequest",
                format!(
                    "Property '{name}' does not exist as a declared property or extension property, or is read-only."
                ),
            ));
        }
        kept.insert(name.clone(), value.clone());
    }
    Ok(kept)
}

pub(super) fn create_group(tenant: &mut Tenant, call: &Call) -> Outcome {
    let sent = call.object()?.clone();
    let mut group = new_group();
    if let Some(object) = group.as_object_mut() {
        object.extend(writable(&sent)?);
    }
    check_group(&group)?;
    let unique = text(&group, "uniqueName");
    if !unique.is_empty()
        && tenant
            .objects(Kind::Groups)
            .any(|other| text(other, "uniqueName") == unique)
    {
        return Err(Refusal::new(
            409,
            "Request_BadRequest",
            "Another object with the same value for property uniqueName already exists.",
        ));
    }
    let bound = bound_members(tenant, &sent, &[])?;
    let id = tenant.next_id();
    put(&mut group, "/id", json!(id));
    put(&mut group, "/createdDateTime", json!(stamp(call.now)));
    tenant.insert(Kind::Groups, group.clone());
    tenant.members_mut(&id).extend(bound);
    Ok(odata::created(call, group, "groups/$entity"))
}

/// Returns a group with every member the service shows.
pub(super) fn new_group() -> Value {
    json!({
        "id": null,
        "deletedDateTime": null,
        "displayName": null,
        "description": null,
        "mailEnabled": null,
        "mailNickname": null,
        "securityEnabled": null,
        "groupTypes": [],
        "membershipRule": null,
        "membershipRuleProcessingState": null,
        "visibility": null,
        "isAssignableToRole": null,
        "isManagementRestricted": null,
        "onPremisesSyncEnabled": null,
        "createdDateTime": null,
        "renewedDateTime": null,
        "uniqueName": null,
    })
}

pub(super) fn update_group(tenant: &mut Tenant, call: &Call, id: &str) -> Outcome {
    let sent = call.object()?.clone();
    let mut changed = group(tenant, id)?.clone();
    if let Some(object) = changed.as_object_mut() {
        object.extend(writable(&sent)?);
    }
    check_group(&changed)?;
    let held = tenant.members(id).to_vec();
    let bound = bound_members(tenant, &sent, &held)?;
    tenant.insert(Kind::Groups, changed);
    tenant.members_mut(id).extend(bound);
    Ok(Answer::no_content())
}

/// Returns the members that `members@odata.bind` names; all or none are added.
fn bound_members(tenant: &Tenant, sent: &Value, held: &[String]) -> Result<Vec<String>, Refusal> {
    let links = strings(sent, "/members@odata.bind");
    if links.len() > BIND_LIMIT {
        return Err(Refusal::new(
            400,
            "Request_BadRequest",
            format!("The number of references exceeds the maximum of {BIND_LIMIT}."),
        ));
    }
    links
        .into_iter()
        .map(|link| reference(tenant, link, held))
        .collect()
}

fn reference(tenant: &Tenant, link: &str, held: &[String]) -> Result<String, Refusal> {
    let id = link.rsplit('/').next().unwrap_or_default();
    let (_, object) = any(tenant, id).ok_or_else(|| Refusal::unknown_resource(id))?;
    let id = text(object, "id").to_ascii_lowercase();
    if held.contains(&id) {
        return Err(Refusal::new(
            400,
            "Request_BadRequest",
            "One or more added object references already exist for the following modified properties: 'members'.",
        ));
    }
    Ok(id)
}

pub(super) fn add_member(tenant: &mut Tenant, call: &Call, id: &str) -> Outcome {
    let body = call.object()?;
    group(tenant, id)?;
    let member = reference(tenant, text(body, "@odata.id"), tenant.members(id))?;
    tenant.members_mut(id).push(member);
    Ok(Answer::no_content())
}

pub(super) fn remove_member(tenant: &mut Tenant, id: &str, member: &str) -> Outcome {
    group(tenant, id)?;
    let members = tenant.members_mut(id);
    let before = members.len();
    members.retain(|held| !held.eq_ignore_ascii_case(member));
    if members.len() == before {
        return Err(Refusal::new(
            404,
            "Request_ResourceNotFound",
            "One or more removed object references do not exist for the following modified properties: 'members'.",
        ));
    }
    Ok(Answer::no_content())
}

pub(super) fn delete_group(tenant: &mut Tenant, call: &Call, id: &str) -> Outcome {
    let mut deleted = group(tenant, id)?.clone();
    tenant.remove(Kind::Groups, id);
    put(&mut deleted, "/deletedDateTime", json!(stamp(call.now)));
    tenant.insert(Kind::DeletedGroups, deleted);
    Ok(Answer::no_content())
}
