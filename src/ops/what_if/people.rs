//! Where it is known who somebody is: a directory file, or the tenant.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::listed::Listed;
use super::{LineError, WhatIfError};
use crate::access::{Directory, Fact, Identity, Resource, SignIn, sign_in};
use crate::graph::{GraphError, Version};
use crate::model::live::Answer;
use crate::model::reference::is_guid;
use crate::model::{Lookup, Target};
use crate::ops::OpsError;
use crate::ops::connection::Connection;
use crate::ops::refresh::look_up;

/// Where it is known who somebody is.
pub enum People<'c> {
    /// In a directory file.
    Listed(Box<Listed>),
    /// In the tenant.
    Tenant(&'c Connection),
}

impl People<'_> {
    /// What names mean.
    pub async fn look_up(&self, lookups: &BTreeSet<Lookup>) -> Result<BTreeMap<Lookup, Answer>, OpsError> {
        match self {
            Self::Listed(listed) => Ok(lookups
                .iter()
                .map(|lookup| (lookup.clone(), listed.answer(lookup)))
                .collect()),
            Self::Tenant(connection) => look_up(connection, lookups, None).await,
        }
    }

    /// The sign-in of a record, with the groups and roles of who signs in. The inner error is of the record.
    pub async fn sign_in(&self, record: &Json) -> Result<Result<SignIn, LineError>, WhatIfError> {
        match self {
            Self::Listed(listed) => Ok(sign_in(record, &listed.directory).map_err(LineError::from)),
            Self::Tenant(connection) => {
                let (directory, owned) = read(connection, record).await?;
                let read = sign_in(record, &directory).map_err(LineError::from);
                Ok(read.map(|sign_in| without_guesses(sign_in, record, owned)))
            }
        }
    }
}

/// What the tenant tells of who signs in: a directory of one, and whether it is an application of the tenant's own.
async fn read(connection: &Connection, record: &Json) -> Result<(Directory, bool), WhatIfError> {
    let id = |member: &str| {
        record
            .pointer(&format!("/signInIdentity/{member}"))
            .and_then(Json::as_str)
    };
    let graph = &connection.graph;
    if let Some(name) = id("userId") {
        let Some(id) = user_id(connection, name).await? else {
            return Ok((Directory::default(), false));
        };
        let query = [("$select", "id,userPrincipalName,userType")];
        let Some(mut user) = found(graph.get(Version::V1, &format!("users/{id}"), &query).await)? else {
            return Ok((Directory::default(), false));
        };
        let within = graph
            .list(
                Version::V1,
                &format!("users/{id}/transitiveMemberOf"),
                &[("$top", "999")],
            )
            .await
            .map_err(OpsError::from)?;
        if let Some(members) = user.as_object_mut() {
            members.insert("memberOf".to_owned(), json!(ids(&within, "group", "id")));
            members.insert(
                "roles".to_owned(),
                json!(ids(&within, "directoryRole", "roleTemplateId")),
            );
        }
        return Ok((Directory::from_json(&json!({ "users": [user] }))?, false));
    }
    if let Some(id) = id("servicePrincipalId").filter(|id| is_guid(id)) {
        let query = [("$select", "id,appOwnerOrganizationId,servicePrincipalType")];
        let principal = found(
            graph
                .get(Version::V1, &format!("servicePrincipals/{id}"), &query)
                .await,
        )?;
        let Some(principal) = principal else {
            return Ok((Directory::default(), false));
        };
        let is = |member: &str, text: &str| {
            let value = principal.get(member).and_then(Json::as_str);
            value.is_some_and(|value| value.eq_ignore_ascii_case(text))
        };
        let owned =
            is("servicePrincipalType", "Application") && is("appOwnerOrganizationId", &connection.tenant_id);
        let json = json!({ "servicePrincipals": [{ "id": principal.get("id") }] });
        return Ok((Directory::from_json(&json)?, owned));
    }
    Ok((Directory::default(), false))
}

/// The object id of somebody who is named by it, or by account name or mail address.
async fn user_id(connection: &Connection, name: &str) -> Result<Option<String>, OpsError> {
    if is_guid(name) {
        return Ok(Some(name.to_ascii_lowercase()));
    }
    let lookup = Lookup {
        target: Target::User,
        name: name.to_owned(),
    };
    let answers = look_up(connection, &BTreeSet::from([lookup.clone()]), None).await?;
    Ok(match answers.get(&lookup) {
        Some(Answer::Found(candidate)) => Some(candidate.id.clone()),
        _ => None,
    })
}

/// The ids of all objects of a type in a mixed list.
pub(super) fn ids(objects: &[Json], kind: &str, member: &str) -> Vec<String> {
    let text = |object: &Json, member: &str| object.get(member)?.as_str().map(str::to_owned);
    objects
        .iter()
        .filter(|object| {
            text(object, "@odata.type").is_some_and(|found| found.ends_with(&format!(".{kind}")))
        })
        .filter_map(|object| text(object, member))
        .collect()
}

fn found(answer: Result<Json, GraphError>) -> Result<Option<Json>, OpsError> {
    match answer {
        Ok(json) => Ok(Some(json)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What the tenant was not asked, or does not tell, is not recorded.
fn without_guesses(mut sign_in: SignIn, record: &Json, owned_here: bool) -> SignIn {
    match &mut sign_in.identity {
        Identity::User {
            external: Fact::Is(external),
            ..
        } if record.pointer("/signInIdentity/externalUserType").is_none()
            && external.kind != "internalGuest"
            && external.tenant == Fact::Absent =>
        {
            external.tenant = Fact::Unrecorded;
        }
        Identity::ServicePrincipal {
            owned, attributes, ..
        } => {
            *owned = if owned_here { Fact::Is(()) } else { Fact::Absent };
            *attributes = Fact::Unrecorded;
        }
        _ => {}
    }
    if let Resource::Applications { attributes, .. } = &mut sign_in.resource {
        *attributes = Fact::Unrecorded;
    }
    sign_in
}
