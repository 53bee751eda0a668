//! What rollouts ask of a tenant: the people of a group, their sign-ins, what they have registered.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::client::{Graph, incomplete};
use super::cloud::Version;
use super::error::GraphError;
use super::objects::Collection;
use super::paging::Pages;
use super::request::{Operation, Request, segment};

/// A user of a group, directly or through nested groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupUser {
    /// The object id, in lower case.
    pub id: String,
    /// The account name.
    pub name: String,
    /// The properties that were asked for, in that order; empty where the user has none.
    pub properties: Vec<String>,
}

/// Which sign-ins: people and programs can't be asked for at once (`FACTS` 9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInKind {
    /// People at a screen (v1.0).
    Interactive,
    /// Clients on behalf of people, without a prompt (beta).
    NonInteractive,
    /// Applications that sign in as themselves (beta).
    ServicePrincipal,
}

/// What somebody has registered for signing in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registration {
    /// Whether there is a method for multifactor authentication that the tenant allows.
    pub is_mfa_capable: bool,
    /// The methods, in Graph's words: `microsoftAuthenticatorPush`, `fido2`.
    pub methods: BTreeSet<String>,
}

impl Graph {
    /// The users of a group, through nesting, with properties such as `department`: all of them, or an error.
    ///
    /// Devices, contacts and service principals are passed over. The list is asked for without a cast to users, which
    /// Graph answers from an index that lags behind. Who may read members but not users is shown ids alone, without a
    /// word: that is an error, because everybody would seem to be in no department.
    pub async fn users_through(
        &self,
        group: &str,
        properties: &[String],
    ) -> Result<Vec<GroupUser>, GraphError> {
        let path = format!(
            "{}/{}/transitiveMembers",
            Collection::Groups.path(),
            segment(group)?
        );
        let mut select = vec!["id", "userPrincipalName"];
        for property in properties {
            let first = property.split(['.', '/']).next().unwrap_or(property);
            if !select.contains(&first) {
                select.push(first);
            }
        }
        let select = select.join(",");
        let query = [("$select", select.as_str()), ("$top", "999")];
        let mut pages = self.pages(Version::V1, &path, &query);
        let mut users = BTreeMap::new();
        while let Some(page) = pages.next().await? {
            for member in &page {
                let text = |name: &str| member.get(name).and_then(Value::as_str);
                if text("@odata.type").is_none_or(|kind| !kind.ends_with("graph.user")) {
                    continue;
                }
                let (Some(id), Some(name)) = (text("id"), text("userPrincipalName")) else {
                    return Err(hidden(&path));
                };
                let id = id.to_ascii_lowercase();
                users.insert(
                    id.clone(),
                    GroupUser {
                        id,
                        name: name.to_owned(),
                        properties: properties.iter().map(|name| value(member, name)).collect(),
                    },
                );
            }
        }
        Ok(users.into_values().collect())
    }

    /// The sign-ins since a moment and up to another, newest first, a page of 1,000 at a time.
    pub fn sign_ins(&self, kind: SignInKind, since: Timestamp, until: Timestamp) -> Pages {
        let (version, of_kind) = match kind {
            SignInKind::Interactive => (Version::V1, ""),
            SignInKind::NonInteractive => (
                Version::Beta,
                " and signInEventTypes/any(t: t eq 'nonInteractiveUser')",
            ),
            SignInKind::ServicePrincipal => (
                Version::Beta,
                " and signInEventTypes/any(t: t eq 'servicePrincipal')",
            ),
        };
        let filter = format!("createdDateTime ge {since:.0} and createdDateTime le {until:.0}{of_kind}");
        let query = [("$filter", filter.as_str()), ("$top", "1000")];
        self.pages(version, "auditLogs/signIns", &query)
    }

    /// What everybody has registered, by object id in lower case. Disabled accounts are not in the report.
    pub async fn registrations(&self) -> Result<BTreeMap<String, Registration>, GraphError> {
        let path = "reports/authenticationMethods/userRegistrationDetails";
        let request = Request::new(Operation::Read, Version::V1, path);
        let mut pages = self.pages(Version::V1, path, &[]);
        let mut all = BTreeMap::new();
        while let Some(page) = pages.next().await? {
            for person in &page {
                let id = person.get("id").and_then(Value::as_str);
                let capable = person.get("isMfaCapable").and_then(Value::as_bool);
                let methods = person.get("methodsRegistered").and_then(Value::as_array);
                let (Some(id), Some(is_mfa_capable), Some(methods)) = (id, capable, methods) else {
                    return Err(incomplete(
                        &request,
                        "a person without `isMfaCapable` or `methodsRegistered`",
                        None,
                    ));
                };
                let methods = methods.iter().filter_map(Value::as_str).map(str::to_owned);
                all.insert(
                    id.to_ascii_lowercase(),
                    Registration {
                        is_mfa_capable,
                        methods: methods.collect(),
                    },
                );
            }
        }
        Ok(all)
    }
}

fn hidden(path: &str) -> GraphError {
    GraphError::Hidden {
        call: Request::new(Operation::Read, Version::V1, path).call(),
        what: "users without their names",
        permission: "`User.Read.All`",
    }
}

/// A property by its path: `department`, `onPremisesExtensionAttributes.extensionAttribute1`.
fn value(member: &Value, path: &str) -> String {
    let found = path
        .split(['.', '/'])
        .try_fold(member, |inner, name| inner.get(name));
    match found {
        Some(Value::String(text)) => text.trim().to_owned(),
        Some(Value::Bool(yes)) => yes.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
