//! Which object of the directory a name means, and what tells it from its namesakes.

use super::{DirectoryObject, Found};
use crate::graph::cloud::Version;
use crate::graph::request::{Operation, Request, literal};
use crate::model::{Lookup, Target};
use serde_json::Value;

/// Where the objects of one kind are found, and what to ask for.
pub(super) struct Source {
    pub(super) path: &'static str,
    pub(super) select: &'static str,
}

pub(super) const USERS: Source = Source {
    path: "users",
    select: "id,displayName,userPrincipalName,mail,userType",
};
pub(super) const GROUPS: Source = Source {
    path: "groups",
    select: "id,displayName,description,mailNickname,securityEnabled,mailEnabled,groupTypes,membershipRule,isAssignableToRole",
};
pub(super) const SERVICE_PRINCIPALS: Source = Source {
    path: "servicePrincipals",
    select: "id,appId,displayName,servicePrincipalType,appOwnerOrganizationId,accountEnabled",
};

/// The request that finds a name on the server, for kinds that exist in large numbers.
pub(super) fn by_filter(lookup: &Lookup) -> Option<Request> {
    let name = literal(&lookup.name);
    let (source, filter) = match lookup.target {
        Target::User => (USERS, format!("userPrincipalName eq {name} or mail eq {name}")),
        Target::Group => (GROUPS, format!("displayName eq {name}")),
        Target::App | Target::ServicePrincipal | Target::AgentIdentity => {
            (SERVICE_PRINCIPALS, format!("displayName eq {name}"))
        }
        _ => return None,
    };
    Some(
        Request::new(Operation::Read, Version::V1, source.path)
            .query("$filter", filter)
            .query("$select", source.select),
    )
}

/// Whether people call it that: user name, mail address, display name, context id. Case does not matter to Entra.
pub(super) fn is_called(object: &Value, name: &str) -> bool {
    let wanted = name.to_lowercase();
    let is = |member: &str| {
        object
            .get(member)
            .and_then(Value::as_str)
            .is_some_and(|text| text.to_lowercase() == wanted)
    };
    is("displayName") || is("userPrincipalName") || is("mail")
}

pub(super) fn outcome(target: Target, matches: Vec<&Value>) -> Found {
    let mut objects: Vec<DirectoryObject> = matches
        .into_iter()
        .map(|value| directory_object(target, value))
        .collect();
    objects.sort_by(|a, b| a.id.cmp(&b.id));
    objects.dedup_by(|a, b| a.id == b.id);
    match objects.len() {
        0 => Found::Nothing,
        1 => objects.pop().map_or(Found::Nothing, Found::One),
        _ => Found::Several(objects),
    }
}

pub(super) fn directory_object(target: Target, value: &Value) -> DirectoryObject {
    let id = match target {
        Target::App => text(value, "appId"),
        _ => text(value, "id"),
    };
    DirectoryObject {
        id: id.to_lowercase(),
        display_name: text(value, "displayName").to_owned(),
        detail: detail(target, value),
        body: value.clone(),
    }
}

/// What tells two objects of one name apart.
fn detail(target: Target, value: &Value) -> String {
    let flag = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or(false);
    let mut parts: Vec<String> = Vec::new();
    match target {
        Target::User => parts.push(text(value, "userPrincipalName").to_owned()),
        Target::Group => {
            let types: Vec<&str> = value
                .get("groupTypes")
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let kind = if types.contains(&"Unified") {
                "Microsoft 365"
            } else if flag("securityEnabled") {
                "security"
            } else {
                "distribution"
            };
            parts.push(if types.contains(&"DynamicMembership") {
                format!("{kind}, dynamic")
            } else {
                kind.to_owned()
            });
            parts.push(text(value, "description").to_owned());
        }
        Target::App | Target::ServicePrincipal | Target::AgentIdentity => {
            parts.push(text(value, "servicePrincipalType").to_owned());
            parts.push(format!("application {}", text(value, "appId")));
        }
        Target::Location => {
            parts.push(
                text(value, "@odata.type")
                    .trim_start_matches("#microsoft.graph.")
                    .to_owned(),
            );
            parts.push(format!("made {}", text(value, "createdDateTime")));
        }
        _ => {}
    }
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

pub(super) fn text<'a>(value: &'a Value, member: &str) -> &'a str {
    value.get(member).and_then(Value::as_str).unwrap_or_default()
}
