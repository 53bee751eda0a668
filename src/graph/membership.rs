//! Who is in which group and role, for counting people: asked for together, and what may not be read is left out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::batch::BatchAnswer;
use super::client::Graph;
use super::cloud::Version;
use super::error::GraphError;
use super::paging::Pages;
use super::request::{Operation, Request, segment};

/// How many pages of one group are read before it counts as too large to be known.
const MOST_PAGES: usize = 20;

/// Who is in which group and role; what could not be read is missing. Ids in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Members {
    /// The users of each group, through nesting.
    pub groups: BTreeMap<String, BTreeSet<String>>,
    /// The users that hold each role, directly or through a group, by template id.
    pub roles: BTreeMap<String, BTreeSet<String>>,
    /// How many users there are.
    pub everybody: Option<u64>,
}

/// A list that was asked for.
#[derive(Clone, Copy)]
enum List<'a> {
    Everybody,
    Roles,
    Group(&'a str),
}

impl Graph {
    /// The users of groups and roles, and how many there are at all.
    ///
    /// Errors when Graph can't be reached; what it refuses or does not know is only left out.
    pub async fn people_in(
        &self,
        groups: &BTreeSet<String>,
        roles: &BTreeSet<String>,
        everybody: bool,
    ) -> Result<Members, GraphError> {
        let mut members = Members::default();
        let mut asked: Vec<(List<'_>, Request)> = Vec::new();
        if everybody {
            let count = read("users").query("$count", "true").query("$top", "1");
            let count = count
                .query("$select", "id")
                .header("ConsistencyLevel", "eventual");
            asked.push((List::Everybody, count));
        }
        if !roles.is_empty() {
            asked.push((List::Roles, read("directoryRoles")));
        }
        for group in groups {
            asked.push((List::Group(group), users_of(group)?));
        }
        let mut activated: Option<Vec<Value>> = None;
        let requests: Vec<Request> = asked.iter().map(|(_, request)| request.clone()).collect();
        let answers = self.batch(Version::V1, &requests).await?;
        for ((list, request), answer) in asked.iter().zip(answers) {
            match list {
                List::Everybody => {
                    members.everybody = found(request, answer)?
                        .and_then(|page| page.get("@odata.count").and_then(Value::as_u64));
                }
                List::Roles => activated = self.whole(request, answer).await?,
                List::Group(group) => {
                    if let Some(all) = self.whole(request, answer).await? {
                        members.groups.insert((*group).to_owned(), of_type(&all, "user"));
                    }
                }
            }
        }
        if let Some(activated) = activated {
            self.holders(roles, &activated, &mut members).await?;
        }
        Ok(members)
    }

    /// Who holds roles; one that was never activated in the tenant has no holders.
    async fn holders(
        &self,
        roles: &BTreeSet<String>,
        activated: &[Value],
        members: &mut Members,
    ) -> Result<(), GraphError> {
        let mut asked: Vec<(&String, Request)> = Vec::new();
        for role in roles {
            let found = activated.iter().find(|one| {
                one.get("roleTemplateId")
                    .and_then(Value::as_str)
                    .is_some_and(|id| id.eq_ignore_ascii_case(role))
            });
            match found.and_then(|role| role.get("id")?.as_str()) {
                Some(id) => asked.push((role, read(&format!("directoryRoles/{}/members", segment(id)?)))),
                None => drop(members.roles.insert(role.clone(), BTreeSet::new())),
            }
        }
        let requests: Vec<Request> = asked.iter().map(|(_, request)| request.clone()).collect();
        let answers = self.batch(Version::V1, &requests).await?;
        let mut through: Vec<(&String, String)> = Vec::new();
        for ((role, request), answer) in asked.iter().zip(answers) {
            if let Some(all) = self.whole(request, answer).await? {
                let groups = of_type(&all, "group");
                through.extend(groups.into_iter().map(|group| (*role, group)));
                members.roles.insert((*role).clone(), of_type(&all, "user"));
            }
        }
        let requests: Vec<Request> = through
            .iter()
            .map(|(_, group)| users_of(group))
            .collect::<Result<_, _>>()?;
        let answers = self.batch(Version::V1, &requests).await?;
        for (((role, _), request), answer) in through.iter().zip(&requests).zip(answers) {
            match self.whole(request, answer).await? {
                Some(all) => members
                    .roles
                    .entry((*role).clone())
                    .or_default()
                    .extend(of_type(&all, "user")),
                None => drop(members.roles.remove(*role)),
            }
        }
        Ok(())
    }

    /// A list with all its pages; none when it may not be read, or is longer than anybody waits for.
    pub(super) async fn whole(
        &self,
        request: &Request,
        answer: BatchAnswer,
    ) -> Result<Option<Vec<Value>>, GraphError> {
        let Some(mut page) = found(request, answer)? else {
            return Ok(None);
        };
        let Some(Value::Array(mut all)) = page.get_mut("value").map(Value::take) else {
            return Ok(None);
        };
        if let Some(link) = page.get("@odata.nextLink").and_then(Value::as_str) {
            let mut pages = Pages::after(self.clone(), request.clone(), link)?;
            let mut read = 1;
            while let Some(more) = pages.next().await? {
                all.extend(more);
                read += 1;
                if read > MOST_PAGES {
                    return Ok(None);
                }
            }
        }
        Ok(Some(all))
    }
}

pub(super) fn read(path: &str) -> Request {
    Request::new(Operation::Read, Version::V1, path)
}

pub(super) fn users_of(group: &str) -> Result<Request, GraphError> {
    let path = format!("groups/{}/transitiveMembers", segment(group)?);
    Ok(read(&path).query("$select", "id").query("$top", "999"))
}

/// The body of a good answer; none when Graph refuses it.
fn found(request: &Request, answer: BatchAnswer) -> Result<Option<Value>, GraphError> {
    if (400..500).contains(&answer.status) {
        tracing::debug!(call = request.call(), status = answer.status, "not read");
        return Ok(None);
    }
    answer.into_result(request).map(Some)
}

/// The ids of what is of a type in a mixed list.
pub(super) fn of_type(objects: &[Value], kind: &str) -> BTreeSet<String> {
    let text = |object: &Value, member: &str| object.get(member)?.as_str().map(str::to_ascii_lowercase);
    objects
        .iter()
        .filter(|object| {
            text(object, "@odata.type").is_some_and(|found| found.ends_with(&format!(".{kind}")))
        })
        .filter_map(|object| text(object, "id"))
        .collect()
}
