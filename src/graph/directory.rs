//! Who and what people mean: names to ids and ids to names, in as few requests as can be.

mod matching;

use super::batch::BatchAnswer;
use super::client::{Graph, incomplete};
use super::cloud::Version;
use super::error::GraphError;
use super::objects::Collection;
use super::paging::Pages;
use super::request::{Operation, Request, literal, segment};
use super::snapshot::Snapshot;
use crate::model::{Lookup, Target};
use matching::{GROUPS, SERVICE_PRINCIPALS, USERS, by_filter, directory_object, is_called, outcome, text};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a look-up by name found.
#[derive(Debug, Clone, PartialEq)]
pub enum Found {
    /// Exactly one.
    One(DirectoryObject),
    /// Nothing of that name.
    Nothing,
    /// More than one: the user has to say which.
    Several(Vec<DirectoryObject>),
}

/// An object of the directory.
#[derive(Debug, Clone, PartialEq)]
pub struct DirectoryObject {
    /// The id that policies use: the application id for an application, the template id for a role, the object
    /// id for everything else.
    pub id: String,
    /// What people call it.
    pub display_name: String,
    /// What tells it from another one of the same name.
    pub detail: String,
    /// The object as Graph gave it.
    pub body: Value,
}

/// How many values an `in (…)` filter takes.
const IN_FILTER: usize = 15;

/// How many ids `getByIds` takes.
const BY_IDS: usize = 1000;

impl Graph {
    /// Looks names up: each distinct one once, twenty to a request. Kinds that exist in small numbers are read as
    /// one list, or taken from `snapshot` when it has them. A missing permission is an error, never "nothing".
    pub async fn look_up(
        &self,
        lookups: &BTreeSet<Lookup>,
        snapshot: Option<&Snapshot>,
    ) -> Result<BTreeMap<Lookup, Found>, GraphError> {
        let mut asked = Vec::new();
        let mut listed: BTreeMap<Target, Vec<&Lookup>> = BTreeMap::new();
        for lookup in lookups {
            match by_filter(lookup) {
                Some(request) => asked.push((lookup, request)),
                None => listed.entry(lookup.target).or_default().push(lookup),
            }
        }
        let mut found = self.filtered(&asked).await?;
        for (target, lookups) in listed {
            let objects = self.kind(target, snapshot).await?;
            for lookup in lookups {
                let matches: Vec<&Value> = objects
                    .iter()
                    .filter(|object| is_called(object, &lookup.name))
                    .collect();
                found.insert(lookup.clone(), outcome(target, matches));
            }
        }
        Ok(found)
    }

    async fn filtered(&self, asked: &[(&Lookup, Request)]) -> Result<BTreeMap<Lookup, Found>, GraphError> {
        let requests: Vec<Request> = asked.iter().map(|(_, request)| request.clone()).collect();
        let answers = self.batch(Version::V1, &requests).await?;
        let mut found = BTreeMap::new();
        for ((lookup, request), answer) in asked.iter().zip(answers) {
            let page = answer.into_result(request)?;
            let Some(values) = page.get("value").and_then(Value::as_array) else {
                return Err(incomplete(
                    request,
                    "an answer in a batch has no `value` list",
                    None,
                ));
            };
            // Whatever the filter let through, only an exact name counts.
            let matches: Vec<&Value> = values
                .iter()
                .filter(|value| is_called(value, &lookup.name))
                .collect();
            if page.get("@odata.nextLink").is_some_and(Value::is_string) && matches.len() < 2 {
                return Err(incomplete(request, "the matches do not fit one page", None));
            }
            found.insert((*lookup).clone(), outcome(lookup.target, matches));
        }
        Ok(found)
    }

    /// Objects whose names begin as the name that found nothing, for saying what might have been meant; all of a kind
    /// that exists in small numbers.
    pub async fn beginning_like(&self, lookup: &Lookup) -> Result<Vec<DirectoryObject>, GraphError> {
        let (source, member) = match lookup.target {
            Target::User => (USERS, "userPrincipalName"),
            Target::Group => (GROUPS, "displayName"),
            Target::App | Target::ServicePrincipal | Target::AgentIdentity => {
                (SERVICE_PRINCIPALS, "displayName")
            }
            Target::Action => return Ok(Vec::new()),
            listed => {
                let objects = self.kind(listed, None).await?;
                return Ok(objects
                    .iter()
                    .map(|object| directory_object(listed, object))
                    .collect());
            }
        };
        let start: String = lookup.name.chars().take(3).collect();
        let request = Request::new(Operation::Read, Version::V1, source.path)
            .query("$filter", format!("startswith({member},{})", literal(&start)))
            .query("$select", source.select)
            .query("$top", "100");
        let page = super::client::body(&request, self.send(&request).await?)?;
        let values = page.get("value").and_then(Value::as_array).into_iter().flatten();
        Ok(values
            .map(|value| directory_object(lookup.target, value))
            .collect())
    }

    /// All objects of a kind that is read as a list.
    async fn kind(&self, target: Target, snapshot: Option<&Snapshot>) -> Result<Vec<Value>, GraphError> {
        let collection = match target {
            Target::Role => return self.built_in_roles().await,
            Target::Location => Collection::NamedLocations,
            Target::Strength => Collection::Strengths,
            Target::Context => Collection::Contexts,
            Target::Terms => Collection::Terms,
            Target::User
            | Target::Group
            | Target::App
            | Target::ServicePrincipal
            | Target::AgentIdentity
            | Target::Action => {
                return Err(GraphError::Internal {
                    what: format!("a list of every {}", target.word()),
                });
            }
        };
        let known = snapshot.and_then(|snapshot| match collection {
            Collection::NamedLocations => snapshot.named_locations.as_ref(),
            Collection::Strengths => snapshot.strengths.as_ref(),
            Collection::Contexts => snapshot.contexts.as_ref(),
            Collection::Terms => snapshot.terms.as_ref(),
            Collection::Policies | Collection::Groups => None,
        });
        match known {
            Some(objects) => Ok(objects.clone()),
            None => self.list_all(collection, Version::V1).await,
        }
    }

    /// The built-in directory roles; policies accept no others.
    pub async fn built_in_roles(&self) -> Result<Vec<Value>, GraphError> {
        self.list(
            Version::V1,
            "roleManagement/directory/roleDefinitions",
            &[
                ("$filter", "isBuiltIn eq true"),
                ("$select", "id,templateId,displayName,isBuiltIn"),
            ],
        )
        .await
    }

    /// The objects with these ids, by id: users, groups, roles' members, applications by application id. An id
    /// that is missing from the answer is of nothing that exists (or of another kind).
    pub async fn names(
        &self,
        ids: &BTreeSet<(Target, String)>,
    ) -> Result<BTreeMap<(Target, String), DirectoryObject>, GraphError> {
        let of = |wanted: &[Target]| -> Vec<String> {
            ids.iter()
                .filter(|(target, _)| wanted.contains(target))
                .map(|(_, id)| id.to_lowercase())
                .collect()
        };
        let objects = of(&[
            Target::User,
            Target::Group,
            Target::ServicePrincipal,
            Target::AgentIdentity,
        ]);
        let applications = of(&[Target::App]);
        let wants_roles = ids.iter().any(|(target, _)| *target == Target::Role);
        let (objects, applications, roles) = futures::try_join!(
            self.objects_by_id(&objects, &["user", "group", "servicePrincipal"]),
            self.service_principals_by_app_id(&applications),
            async {
                if wants_roles {
                    self.built_in_roles().await
                } else {
                    Ok(Vec::new())
                }
            },
        )?;
        let mut names = BTreeMap::new();
        for key in ids {
            let id = key.1.to_lowercase();
            let object = match key.0 {
                Target::App => applications.get(&id),
                Target::Role => roles
                    .iter()
                    .find(|role| text(role, "id").eq_ignore_ascii_case(&id)),
                _ => objects.get(&id),
            };
            if let Some(object) = object {
                names.insert(key.clone(), directory_object(key.0, object));
            }
        }
        Ok(names)
    }

    /// Directory objects by id, a thousand to a request; ids of nothing are left out. `kinds` are Graph's type names.
    pub async fn objects_by_id(
        &self,
        ids: &[String],
        kinds: &[&str],
    ) -> Result<BTreeMap<String, Value>, GraphError> {
        let distinct: Vec<String> = ids
            .iter()
            .map(|id| id.to_lowercase())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let mut found = BTreeMap::new();
        for chunk in distinct.chunks(BY_IDS) {
            let request = Request::new(Operation::Query, Version::V1, "directoryObjects/getByIds")
                .body(json!({ "ids": chunk, "types": kinds }));
            let values = match self.send(&request).await {
                Ok(response) => {
                    let request_id = response.request_id.clone();
                    let mut body = super::client::body(&request, response)?;
                    if body.get("@odata.nextLink").is_some_and(Value::is_string) {
                        return Err(incomplete(
                            &request,
                            "the objects do not fit one page",
                            request_id,
                        ));
                    }
                    match body.get_mut("value").map(Value::take) {
                        Some(Value::Array(values)) => values,
                        _ => return Err(incomplete(&request, "it has no `value` list", request_id)),
                    }
                }
                Err(error) if error.is_not_found() => self.one_by_one(chunk).await?,
                Err(error) => return Err(error),
            };
            found.extend(
                values
                    .into_iter()
                    .map(|value| (text(&value, "id").to_lowercase(), value)),
            );
        }
        Ok(found)
    }

    /// The same where `getByIds` is not offered.
    async fn one_by_one(&self, ids: &[String]) -> Result<Vec<Value>, GraphError> {
        let requests = ids
            .iter()
            .map(|id| {
                Ok(Request::new(
                    Operation::Read,
                    Version::V1,
                    format!("directoryObjects/{}", segment(id)?),
                ))
            })
            .collect::<Result<Vec<_>, GraphError>>()?;
        let answers = self.batch(Version::V1, &requests).await?;
        let mut values = Vec::new();
        for (request, answer) in requests.iter().zip(answers) {
            if answer.status != 404 {
                values.push(BatchAnswer::into_result(answer, request)?);
            }
        }
        Ok(values)
    }

    /// The direct members of groups, twenty groups to a request; a group that does not exist is left out.
    pub async fn members_of(&self, groups: &[String]) -> Result<BTreeMap<String, Vec<Value>>, GraphError> {
        let requests = groups
            .iter()
            .map(|id| {
                let path = format!("{}/{}/members", Collection::Groups.path(), segment(id)?);
                Ok(Request::new(Operation::Read, Version::V1, path)
                    .query("$select", "id,displayName,userPrincipalName")
                    .query("$top", "999"))
            })
            .collect::<Result<Vec<_>, GraphError>>()?;
        let answers = self.batch(Version::V1, &requests).await?;
        let mut members = BTreeMap::new();
        for ((group, request), answer) in groups.iter().zip(&requests).zip(answers) {
            if answer.status == 404 {
                continue;
            }
            let mut page = answer.into_result(request)?;
            let Some(Value::Array(mut all)) = page.get_mut("value").map(Value::take) else {
                return Err(incomplete(
                    request,
                    "an answer in a batch has no `value` list",
                    None,
                ));
            };
            if let Some(link) = page.get("@odata.nextLink").and_then(Value::as_str) {
                let mut pages = Pages::after(self.clone(), request.clone(), link)?;
                while let Some(more) = pages.next().await? {
                    all.extend(more);
                }
            }
            members.insert(group.to_lowercase(), all);
        }
        Ok(members)
    }

    /// Service principals by application id.
    pub async fn service_principals_by_app_id(
        &self,
        app_ids: &[String],
    ) -> Result<BTreeMap<String, Value>, GraphError> {
        let distinct: Vec<String> = app_ids
            .iter()
            .map(|id| id.to_lowercase())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect();
        let requests: Vec<Request> = distinct
            .chunks(IN_FILTER)
            .map(|chunk| {
                let list = chunk.iter().map(|id| literal(id)).collect::<Vec<_>>().join(",");
                Request::new(Operation::Read, Version::V1, SERVICE_PRINCIPALS.path)
                    .query("$filter", format!("appId in ({list})"))
                    .query("$select", SERVICE_PRINCIPALS.select)
            })
            .collect();
        let answers = self.batch(Version::V1, &requests).await?;
        let mut found = BTreeMap::new();
        for (request, answer) in requests.iter().zip(answers) {
            let mut page = answer.into_result(request)?;
            let Some(Value::Array(values)) = page.get_mut("value").map(Value::take) else {
                return Err(incomplete(
                    request,
                    "an answer in a batch has no `value` list",
                    None,
                ));
            };
            found.extend(
                values
                    .into_iter()
                    .map(|value| (text(&value, "appId").to_lowercase(), value)),
            );
        }
        Ok(found)
    }
}
