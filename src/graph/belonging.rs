//! In which groups and roles people are, for the guards: what may not be read is left out.

use std::collections::BTreeSet;

use serde_json::Value;

use super::client::Graph;
use super::cloud::Version;
use super::error::GraphError;
use super::membership::{of_type, read, users_of};
use super::request::{Request, segment};
use crate::model::live::{Holders, People, Watched};

/// How many accounts a watched group may hold before it counts as too large to be known.
const MOST_ACCOUNTS: usize = 100;

impl Graph {
    /// The groups and roles of those who are watched, and what holds these groups.
    ///
    /// Errors when Graph can't be reached; what it refuses or does not know is only left out.
    pub async fn belonging(&self, watched: &Watched) -> Result<People, GraphError> {
        let mut people = People::default();
        let mut users = watched.users.clone();
        for (group, all) in self.lists(&watched.groups, users_of).await? {
            let members = of_type(&all, "user");
            if members.len() <= MOST_ACCOUNTS {
                users.extend(members.iter().cloned());
                people.members.insert(group, members);
            }
        }
        let (mut held, applications) = futures::try_join!(
            self.lists(&users, |user| holders_of("users", user, "memberOf")),
            self.lists(&watched.applications, |application| {
                holders_of("servicePrincipals", application, "memberOf")
            }),
        )?;
        held.extend(applications);
        for (who, all) in held {
            people.direct.extend(Some(who).zip(holders(&all)));
        }
        let mut groups = watched.moved.clone();
        groups.extend(
            people
                .direct
                .values()
                .flat_map(|held| held.groups.iter().cloned()),
        );
        let around = |group: &str| holders_of("groups", group, "transitiveMemberOf");
        for (group, all) in self.lists(&groups, around).await? {
            people.around.extend(Some(group).zip(holders(&all)));
        }
        Ok(people)
    }

    /// A whole list for each of these, by whom it is about.
    async fn lists(
        &self,
        whose: &BTreeSet<String>,
        request: impl Fn(&str) -> Result<Request, GraphError>,
    ) -> Result<Vec<(String, Vec<Value>)>, GraphError> {
        let requests: Vec<Request> = whose.iter().map(|one| request(one)).collect::<Result<_, _>>()?;
        let answers = self.batch(Version::V1, &requests).await?;
        let mut lists = Vec::new();
        for ((one, request), answer) in whose.iter().zip(&requests).zip(answers) {
            if let Some(all) = self.whole(request, answer).await? {
                lists.push((one.clone(), all));
            }
        }
        Ok(lists)
    }
}

fn holders_of(noun: &str, id: &str, list: &str) -> Result<Request, GraphError> {
    Ok(read(&format!("{noun}/{}/{list}", segment(id)?)).query("$top", "999"))
}

/// The groups and roles of a mixed list; none when it shows a role without saying which: who may not read roles
/// is only told that there is one.
fn holders(objects: &[Value]) -> Option<Holders> {
    let mut roles = BTreeSet::new();
    for object in objects {
        let kind = object.get("@odata.type").and_then(Value::as_str)?;
        if kind.ends_with(".directoryRole") {
            let template = object.get("roleTemplateId").and_then(Value::as_str)?;
            roles.insert(template.to_ascii_lowercase());
        }
    }
    Some(Holders {
        groups: of_type(objects, "group"),
        roles,
    })
}
