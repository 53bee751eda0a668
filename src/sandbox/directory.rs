//! Directory objects: users, groups and their members, service principals, applications, roles.

use std::collections::BTreeSet;

use serde_json::Value;
use serde_json::json;
use uuid::Uuid;

use super::call::Answer;
use super::call::Body;
use super::call::Call;
use super::call::Outcome;
use super::call::Refusal;
use super::groups;
use super::odata;
use super::permissions;
use super::tenant::Kind;
use super::tenant::Tenant;
use super::tenant::strings;
use super::tenant::text;

/// The kinds that are directory objects, in the order an id is looked up.
const OBJECTS: [Kind; 5] = [
    Kind::Users,
    Kind::Groups,
    Kind::ServicePrincipals,
    Kind::Applications,
    Kind::RoleDefinitions,
];

pub(super) fn route(tenant: &mut Tenant, call: &Call, method: &str, path: &[&str]) -> Outcome {
    match (method, path) {
        ("POST", ["groups"]) => groups::create_group(tenant, call),
        ("PATCH", ["groups", id]) => groups::update_group(tenant, call, id),
        ("DELETE", ["groups", id]) => groups::delete_group(tenant, call, id),
        ("GET", ["groups", id, "members"]) => members(tenant, call, id, false),
        ("GET", ["groups", id, "transitiveMembers"]) => members(tenant, call, id, true),
        ("GET", ["groups", id, "members", "$count"]) => {
            group(tenant, id)?;
            Ok(Answer::ok(json!(tenant.members(id).len())))
        }
        ("GET", ["groups", id, "owners"]) => {
            group(tenant, id)?;
            odata::page(tenant, call, Vec::new(), "directoryObjects")
        }
        ("POST", ["groups", id, "members", "$ref"]) => groups::add_member(tenant, call, id),
        ("DELETE", ["groups", id, "members", member, "$ref"]) => groups::remove_member(tenant, id, member),
        ("POST", ["servicePrincipals"]) => create_service_principal(tenant, call),
        ("DELETE", ["servicePrincipals", id]) => {
            let key = text(find(tenant, Kind::ServicePrincipals, id)?, "id").to_owned();
            tenant.remove(Kind::ServicePrincipals, &key);
            Ok(Answer::no_content())
        }
        (
            "GET",
            [
                noun @ ("users" | "groups" | "servicePrincipals"),
                id,
                of @ ("memberOf" | "transitiveMemberOf"),
            ],
        ) => {
            let key = text(find(tenant, kind(noun)?, id)?, "id").to_owned();
            let shown = containers(tenant, &key, *of == "transitiveMemberOf");
            list(tenant, call, shown, "directoryObjects")
        }
        ("GET", ["directoryRoles", id, "members"] | ["directoryRoles", id, "members", ""]) => {
            let role = activated(tenant).into_iter().find(|role| {
                text(role, "id").eq_ignore_ascii_case(id)
                    || text(role, "roleTemplateId").eq_ignore_ascii_case(id)
            });
            let role = role.ok_or_else(|| Refusal::unknown_resource(id))?;
            let shown = member_objects(tenant, tenant.members(text(&role, "roleTemplateId")));
            list(tenant, call, shown, "directoryObjects")
        }
        ("GET", ["directoryRoles"]) => list(tenant, call, activated(tenant), "directoryRoles"),
        ("GET", ["directoryRoles", id]) => {
            let role = activated(tenant).into_iter().find(|role| {
                text(role, "id").eq_ignore_ascii_case(id)
                    || text(role, "roleTemplateId").eq_ignore_ascii_case(id)
            });
            Ok(odata::entity(
                call,
                role.ok_or_else(|| Refusal::unknown_resource(id))?,
                "directoryRoles/$entity",
            ))
        }
        ("GET", ["directoryRoleTemplates"]) => {
            let shown = tenant
                .objects(Kind::RoleDefinitions)
                .filter(|role| role.get("isBuiltIn") == Some(&Value::Bool(true)))
                .map(|role| json!({"id": role.get("id"), "displayName": role.get("displayName"), "description": role.get("description"), "deletedDateTime": null}))
                .collect();
            list(tenant, call, shown, "directoryRoleTemplates")
        }
        ("GET", ["roleManagement", "directory", "roleDefinitions"]) => list(
            tenant,
            call,
            tenant.objects(Kind::RoleDefinitions).cloned().collect(),
            "roleManagement/directory/roleDefinitions",
        ),
        ("GET", ["roleManagement", "directory", "roleDefinitions", id]) => {
            let role = find(tenant, Kind::RoleDefinitions, id)?.clone();
            Ok(odata::entity(
                call,
                role,
                "roleManagement/directory/roleDefinitions/$entity",
            ))
        }
        (
            "GET",
            [
                "roleManagement",
                "directory",
                "roleAssignments" | "roleAssignmentScheduleInstances",
            ],
        ) => list(
            tenant,
            call,
            assignments(tenant),
            "roleManagement/directory/roleAssignments",
        ),
        ("POST", ["directoryObjects", "getByIds"]) => by_ids(tenant, call),
        ("GET", ["directoryObjects", id]) => {
            let (kind, object) = any(tenant, id).ok_or_else(|| Refusal::unknown_resource(id))?;
            Ok(odata::entity(
                call,
                typed(kind, object),
                "directoryObjects/$entity",
            ))
        }
        ("GET", [noun]) => {
            let kind = kind(noun)?;
            check_list(call)?;
            odata::list(tenant, call, tenant.objects(kind), Value::clone, noun)
        }
        ("GET", [noun, "$count"]) => Ok(Answer::ok(json!(tenant.count(kind(noun)?)))),
        ("GET", [noun, id]) => {
            let found = find(tenant, kind(noun)?, id)?.clone();
            Ok(odata::entity(call, found, &format!("{noun}/$entity")))
        }
        (_, [noun, ..]) => match kind(noun) {
            Ok(_) => Err(Refusal::method()),
            Err(refusal) => Err(refusal),
        },
        (_, []) => Err(Refusal::segment("")),
    }
}

fn kind(noun: &str) -> Result<Kind, Refusal> {
    match noun {
        "users" => Ok(Kind::Users),
        "groups" => Ok(Kind::Groups),
        "servicePrincipals" => Ok(Kind::ServicePrincipals),
        "applications" => Ok(Kind::Applications),
        _ => Err(Refusal::segment(noun)),
    }
}

pub(super) fn list(tenant: &Tenant, call: &Call, items: Vec<Value>, context: &str) -> Outcome {
    check_list(call)?;
    odata::page(tenant, call, items, context)
}

/// Directory lists take some operators only with `ConsistencyLevel: eventual`.
fn check_list(call: &Call) -> Result<(), Refusal> {
    let filter = call.option("filter").unwrap_or_default().to_ascii_lowercase();
    let advanced = [" ne ", "not ", "not(", "endswith("]
        .into_iter()
        .any(|word| filter.contains(word));
    if (advanced || call.option("count") == Some("true")) && !call.eventual() {
        return Err(Refusal::new(
            400,
            "Request_UnsupportedQuery",
            "Operator or query option needs the request header 'ConsistencyLevel: eventual' and $count=true.",
        ));
    }
    Ok(())
}

/// Finds by id, user principal name, or the alternate key `appId='...'`.
fn find<'a>(tenant: &'a Tenant, kind: Kind, key: &str) -> Result<&'a Value, Refusal> {
    let by_application = key
        .strip_prefix("appId='")
        .and_then(|rest| rest.strip_suffix('\''));
    let found = match by_application {
        Some(id) => tenant
            .objects(kind)
            .find(|object| text(object, "appId").eq_ignore_ascii_case(id)),
        None => tenant.object(kind, key).or_else(|| {
            tenant.objects(kind).find(|object| {
                kind == Kind::Users && text(object, "userPrincipalName").eq_ignore_ascii_case(key)
            })
        }),
    };
    found.ok_or_else(|| Refusal::unknown_resource(key))
}

pub(super) fn group<'a>(tenant: &'a Tenant, id: &str) -> Result<&'a Value, Refusal> {
    find(tenant, Kind::Groups, id)
}

pub(super) fn any<'a>(tenant: &'a Tenant, id: &str) -> Option<(Kind, &'a Value)> {
    OBJECTS
        .into_iter()
        .find_map(|kind| Some((kind, tenant.object(kind, id)?)))
}

/// Returns an object with the type annotation that mixed lists carry.
pub(super) fn typed(kind: Kind, object: &Value) -> Value {
    let name = match kind {
        Kind::Users => "user",
        Kind::Groups => "group",
        Kind::ServicePrincipals => "servicePrincipal",
        Kind::Applications => "application",
        _ => "directoryRole",
    };
    let mut typed = object.clone();
    if let Some(object) = typed.as_object_mut() {
        object.insert(
            "@odata.type".to_owned(),
            json!(format!("#microsoft.graph.{name}")),
        );
    }
    typed
}

fn member_objects(tenant: &Tenant, ids: &[String]) -> Vec<Value> {
    ids.iter()
        .filter_map(|id| any(tenant, id))
        .map(|(kind, object)| match kind {
            Kind::RoleDefinitions => typed(kind, &directory_role(tenant, object)),
            kind => typed(kind, object),
        })
        .collect()
}

/// Returns the `directoryRole` that stands for a built-in role once somebody holds it.
fn directory_role(tenant: &Tenant, role: &Value) -> Value {
    json!({
        "id": tenant.named_id(&format!("directory role {}", text(role, "id"))),
        "displayName": role.get("displayName"),
        "description": role.get("description"),
        "roleTemplateId": role.get("id"),
        "deletedDateTime": null,
    })
}

/// Leaves of a user only that there is one, as the service does where its properties may not be read.
fn hide(member: &mut Value) {
    if text(member, "@odata.type").ends_with("graph.user") {
        for (name, value) in member.as_object_mut().into_iter().flatten() {
            if name != "id" && name != "@odata.type" {
                *value = Value::Null;
            }
        }
    }
}

fn members(tenant: &Tenant, call: &Call, id: &str, transitive: bool) -> Outcome {
    group(tenant, id)?;
    let mut ids: Vec<String> = tenant.members(id).to_vec();
    if transitive {
        let mut known: BTreeSet<String> = ids.iter().cloned().collect();
        let mut next = 0;
        while let Some(inner) = ids.get(next).cloned() {
            for member in tenant.members(&inner) {
                if member != id && known.insert(member.clone()) {
                    ids.push(member.clone());
                }
            }
            next += 1;
        }
    }
    let mut shown = member_objects(tenant, &ids);
    if !permissions::sees_users(tenant, call) {
        shown.iter_mut().for_each(hide);
    }
    list(tenant, call, shown, "directoryObjects")
}

/// Returns the groups and roles that hold an object.
fn containers(tenant: &Tenant, id: &str, transitive: bool) -> Vec<Value> {
    let mut found: Vec<String> = Vec::new();
    let mut wanted = vec![id.to_owned()];
    while let Some(member) = wanted.pop() {
        for (container, members) in tenant.containers() {
            if members.contains(&member) && !found.contains(container) {
                found.push(container.clone());
                if transitive {
                    wanted.push(container.clone());
                }
            }
        }
    }
    member_objects(tenant, &found)
}

/// Returns the built-in roles that somebody holds, as `directoryRole` objects.
fn activated(tenant: &Tenant) -> Vec<Value> {
    tenant
        .objects(Kind::RoleDefinitions)
        .filter(|role| !tenant.members(text(role, "id")).is_empty())
        .map(|role| directory_role(tenant, role))
        .collect()
}

fn assignments(tenant: &Tenant) -> Vec<Value> {
    let roles = tenant.objects(Kind::RoleDefinitions).map(|role| text(role, "id"));
    roles
        .flat_map(|role| tenant.members(role).iter().map(move |member| (role, member)))
        .map(|(role, member)| {
            json!({
                "id": tenant.named_id(&format!("assignment {role} {member}")),
                "principalId": member,
                "roleDefinitionId": role,
                "directoryScopeId": "/",
                "appScopeId": null,
            })
        })
        .collect()
}

fn by_ids(tenant: &Tenant, call: &Call) -> Outcome {
    let body = call.object()?;
    let types = strings(body, "/types");
    // As many as may be asked for come in one answer.
    let found: Vec<Value> = strings(body, "/ids")
        .into_iter()
        .filter_map(|id| any(tenant, id))
        .map(|(kind, object)| typed(kind, object))
        .filter(|object| {
            let name = super::schema::odata_type(object).unwrap_or_default();
            types.is_empty()
                || types
                    .iter()
                    .any(|wanted| wanted.eq_ignore_ascii_case(name) || *wanted == "directoryObject")
        })
        .collect();
    Ok(Answer::ok(json!({
        "@odata.context": call.context("directoryObjects"),
        "value": found,
    })))
}

/// A service principal is made from the id of an application that exists somewhere.
fn create_service_principal(tenant: &mut Tenant, call: &Call) -> Outcome {
    let body = match &call.body {
        Body::Json(_) => call.object()?.clone(),
        _ => Value::Null,
    };
    let app_id = text(&body, "appId").to_ascii_lowercase();
    if Uuid::try_parse(&app_id).is_err() {
        return Err(Refusal::new(
            400,
            "Request_BadRequest",
            "A value is required for property 'appId' of resource 'ServicePrincipal'.",
        ));
    }
    if tenant
        .objects(Kind::ServicePrincipals)
        .any(|principal| text(principal, "appId") == app_id)
    {
        return Err(Refusal::new(
            409,
            "Request_MultipleObjectsWithSameKeyValue",
            format!(
                "The service principal cannot be created, updated, or restored because the service principal name {app_id} is already in use."
            ),
        ));
    }
    let registered = tenant
        .objects(Kind::Applications)
        .find(|application| text(application, "appId") == app_id);
    let name = registered.map_or_else(
        || format!("Application {app_id}"),
        |application| text(application, "displayName").to_owned(),
    );
    let owner = if registered.is_some() {
        tenant.id.clone()
    } else {
        super::seed::MICROSOFT_TENANT.to_owned()
    };
    let id = tenant.next_id();
    let principal = service_principal(&id, &app_id, &name, &owner);
    tenant.insert(Kind::ServicePrincipals, principal.clone());
    Ok(odata::created(call, principal, "servicePrincipals/$entity"))
}

/// Returns a service principal of the given owner; only the tenant's own are single-tenant.
pub(super) fn service_principal(id: &str, app_id: &str, name: &str, owner: &str) -> Value {
    let audience = if owner == super::seed::MICROSOFT_TENANT {
        "AzureADMultipleOrgs"
    } else {
        "AzureADMyOrg"
    };
    json!({
        "id": id,
        "deletedDateTime": null,
        "appId": app_id,
        "displayName": name,
        "accountEnabled": true,
        "appOwnerOrganizationId": owner,
        "servicePrincipalType": "Application",
        "servicePrincipalNames": [app_id],
        "signInAudience": audience,
        "tags": [],
    })
}
