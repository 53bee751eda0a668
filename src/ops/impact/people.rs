//! Who is in the groups and roles that policies name, read from the tenant: group by group, not person by person.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::ImpactError;
use crate::access::Directory;
use crate::graph::Version;
use crate::model::reference::is_guid;
use crate::ops::OpsError;
use crate::ops::connection::Connection;
use crate::ops::what_if::{View, WhatIfError};

/// Everybody in the tenant, with those groups and roles that the policies before or after name.
pub(super) async fn directory(
    connection: &Connection,
    before: &View,
    after: &View,
) -> Result<Directory, ImpactError> {
    let mut groups = before.groups();
    groups.extend(after.groups());
    let mut roles = before.estate.roles();
    roles.extend(after.estate.roles());
    let users = list(
        connection,
        "users",
        &[("$select", "id,userPrincipalName,userType"), ("$top", "999")],
    )
    .await?;
    let mut member_of: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for group in groups.iter().filter(|group| is_guid(group)) {
        for user in members(connection, group).await? {
            member_of.entry(user).or_default().insert(group.clone());
        }
    }
    let mut holds: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    if !roles.is_empty() {
        for role in list(connection, "directoryRoles", &[]).await? {
            let (Some(id), Some(template)) = (text(&role, "id"), text(&role, "roleTemplateId")) else {
                continue;
            };
            if !roles.contains(&template) {
                continue;
            }
            for member in list(connection, &format!("directoryRoles/{id}/members"), &[]).await? {
                let Some(id) = text(&member, "id") else { continue };
                let held_by = if is_a(&member, "group") {
                    members(connection, &id).await?
                } else {
                    vec![id]
                };
                for user in held_by {
                    holds.entry(user).or_default().insert(template.clone());
                }
            }
        }
    }
    let users: Vec<Json> = users
        .into_iter()
        .filter_map(|mut user| {
            let id = text(&user, "id")?;
            let members = user.as_object_mut()?;
            members.insert(
                "memberOf".to_owned(),
                json!(member_of.remove(&id).unwrap_or_default()),
            );
            members.insert("roles".to_owned(), json!(holds.remove(&id).unwrap_or_default()));
            Some(user)
        })
        .collect();
    let directory = Directory::from_json(&json!({ "users": users }));
    Ok(directory.map_err(WhatIfError::from)?)
}

/// The ids of the users in a group, through nesting; nobody is in one that is gone.
async fn members(connection: &Connection, group: &str) -> Result<Vec<String>, ImpactError> {
    let path = format!("groups/{group}/transitiveMembers");
    let query = [("$select", "id"), ("$top", "999")];
    let all = match connection.graph.list(Version::V1, &path, &query).await {
        Ok(all) => all,
        Err(error) if error.is_not_found() => Vec::new(),
        Err(error) => return Err(OpsError::from(error).into()),
    };
    Ok(all
        .iter()
        .filter(|member| is_a(member, "user"))
        .filter_map(|member| text(member, "id"))
        .collect())
}

async fn list(connection: &Connection, path: &str, query: &[(&str, &str)]) -> Result<Vec<Json>, ImpactError> {
    let all = connection.graph.list(Version::V1, path, query).await;
    Ok(all.map_err(OpsError::from)?)
}

fn text(object: &Json, member: &str) -> Option<String> {
    object.get(member)?.as_str().map(str::to_ascii_lowercase)
}

fn is_a(object: &Json, kind: &str) -> bool {
    let whole = object
        .get("@odata.type")
        .and_then(Json::as_str)
        .unwrap_or_default();
    whole.rsplit('.').next() == Some(kind)
}
