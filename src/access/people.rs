//! Who is in which group: the directory as far as policies care, membership resolved through nesting.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::sign_in::{ExternalUser, Fact, Identity, SecurityAttributes};

/// Why a directory can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum DirectoryError {
    /// Something is not shaped as it should be.
    #[error("`{place}` {problem}")]
    #[diagnostic(
        code("access::directory"),
        help("see \"What-If records\" in the book for the members of a directory file")
    )]
    Shape {
        /// Where: `users[3].memberOf`.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// Two entries have one id.
    #[error("two {collection} have the id `{id}`")]
    #[diagnostic(code("access::directory_twice"), help("leave one of them out"))]
    Twice {
        /// The list.
        collection: &'static str,
        /// The id.
        id: String,
    },
}

/// Users, groups and service principals; ids in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Directory {
    users: BTreeMap<String, Identity>,
    names: BTreeMap<String, String>,
    service_principals: BTreeMap<String, Identity>,
}

type Shape<T> = Result<T, DirectoryError>;

fn wrong<T>(place: impl Into<String>, problem: impl Into<String>) -> Shape<T> {
    Err(DirectoryError::Shape {
        place: place.into(),
        problem: problem.into(),
    })
}

/// Reads one entry after the other, with its place.
fn entries<'a>(whole: &'a Json, collection: &'static str) -> Shape<Vec<(String, &'a Json)>> {
    match whole.get(collection) {
        None | Some(Json::Null) => Ok(Vec::new()),
        Some(Json::Array(entries)) => Ok(entries
            .iter()
            .enumerate()
            .map(|(position, entry)| (format!("{collection}[{position}]"), entry))
            .collect()),
        Some(_) => wrong(collection, "is not a list"),
    }
}

fn text<'a>(entry: &'a Json, place: &str, member: &str) -> Shape<Option<&'a str>> {
    match entry.get(member) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) => Ok(Some(text)),
        Some(_) => wrong(format!("{place}.{member}"), "is not a text"),
    }
}

fn id(entry: &Json, place: &str) -> Shape<String> {
    match text(entry, place, "id")? {
        Some(id) if !id.is_empty() => Ok(id.to_ascii_lowercase()),
        _ => wrong(format!("{place}.id"), "is missing"),
    }
}

fn ids(entry: &Json, place: &str, member: &str) -> Shape<BTreeSet<String>> {
    let place = || format!("{place}.{member}");
    match entry.get(member) {
        None | Some(Json::Null) => Ok(BTreeSet::new()),
        Some(Json::Array(ids)) => ids
            .iter()
            .map(|id| match id {
                Json::String(id) => Ok(id.to_ascii_lowercase()),
                _ => wrong(place(), "holds something other than ids"),
            })
            .collect(),
        Some(_) => wrong(place(), "is not a list of ids"),
    }
}

impl Directory {
    /// Reads a directory file: one object with `users`, `groups` and `servicePrincipals`, each with the ids of the
    /// groups that it is directly in as `memberOf`.
    pub fn from_json(whole: &Json) -> Result<Self, DirectoryError> {
        if !whole.is_object() {
            return wrong("the file", "is not one JSON object");
        }
        let mut parents: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (place, entry) in entries(whole, "groups")? {
            let id = id(entry, &place)?;
            let member_of = ids(entry, &place, "memberOf")?;
            if parents.insert(id.clone(), member_of).is_some() {
                return Err(DirectoryError::Twice {
                    collection: "groups",
                    id,
                });
            }
        }
        let mut directory = Self::default();
        for (place, entry) in entries(whole, "users")? {
            let id = id(entry, &place)?;
            let name = text(entry, &place, "userPrincipalName")?;
            let user = Identity::User {
                id: id.clone(),
                groups: Fact::Is(through_nesting(&ids(entry, &place, "memberOf")?, &parents)),
                roles: Fact::Is(ids(entry, &place, "roles")?),
                external: external(entry, &place, name)?,
            };
            if let Some(name) = name {
                directory.names.insert(name.to_lowercase(), id.clone());
            }
            if directory.users.insert(id.clone(), user).is_some() {
                return Err(DirectoryError::Twice {
                    collection: "users",
                    id,
                });
            }
        }
        for (place, entry) in entries(whole, "servicePrincipals")? {
            let id = id(entry, &place)?;
            let principal = Identity::ServicePrincipal {
                id: id.clone(),
                // What a directory file lists is the tenant's own; Microsoft's are not in it.
                owned: match entry.get("servicePrincipalType").and_then(Json::as_str) {
                    Some(kind) if kind.eq_ignore_ascii_case("ManagedIdentity") => Fact::Absent,
                    _ => Fact::Is(()),
                },
                attributes: attributes(entry),
            };
            if directory
                .service_principals
                .insert(id.clone(), principal)
                .is_some()
            {
                return Err(DirectoryError::Twice {
                    collection: "servicePrincipals",
                    id,
                });
            }
        }
        Ok(directory)
    }

    /// The user of this id or user principal name.
    pub fn user(&self, id_or_name: &str) -> Option<&Identity> {
        let by_name = || self.names.get(&id_or_name.to_lowercase());
        self.users
            .get(&id_or_name.to_ascii_lowercase())
            .or_else(|| self.users.get(by_name()?))
    }

    /// The users, by id.
    pub fn users(&self) -> impl Iterator<Item = &Identity> {
        self.users.values()
    }

    /// The service principals, by id.
    pub fn service_principals(&self) -> impl Iterator<Item = &Identity> {
        self.service_principals.values()
    }

    /// The service principal of this id.
    pub fn service_principal(&self, id: &str) -> Option<&Identity> {
        self.service_principals.get(&id.to_ascii_lowercase())
    }
}

/// The groups that somebody is in who is directly in these; a circle of groups ends where it began.
fn through_nesting(
    direct: &BTreeSet<String>,
    parents: &BTreeMap<String, BTreeSet<String>>,
) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let mut open: Vec<&String> = direct.iter().collect();
    while let Some(group) = open.pop() {
        if all.insert(group.clone()) {
            open.extend(parents.get(group).into_iter().flatten());
        }
    }
    all
}

/// How a user is external: as told or, failing that, as the type and the name of the account show.
fn external(entry: &Json, place: &str, name: Option<&str>) -> Shape<Fact<ExternalUser>> {
    let tenant = match text(entry, place, "externalTenantId")? {
        Some(tenant) => Fact::Is(tenant.to_ascii_lowercase()),
        None => Fact::Absent,
    };
    if let Some(kind) = text(entry, place, "externalUserType")?
        && !kind.eq_ignore_ascii_case("none")
    {
        return Ok(Fact::Is(ExternalUser {
            kind: kind.to_owned(),
            tenant,
        }));
    }
    let is_guest = text(entry, place, "userType")?.is_some_and(|kind| kind.eq_ignore_ascii_case("Guest"));
    let is_invited = tenant != Fact::Absent || name.is_some_and(|name| name.to_uppercase().contains("#EXT#"));
    let kind = match (is_guest, is_invited) {
        (true, true) => "b2bCollaborationGuest",
        (true, false) => "internalGuest",
        (false, true) => "b2bCollaborationMember",
        (false, false) => return Ok(Fact::Absent),
    };
    Ok(Fact::Is(ExternalUser {
        kind: kind.to_owned(),
        tenant,
    }))
}

/// Custom security attributes as Graph gives them: sets of attributes, each a text or a list.
pub(super) fn attributes(entry: &Json) -> Fact<SecurityAttributes> {
    let Some(Json::Object(sets)) = entry.get("customSecurityAttributes") else {
        return Fact::Absent;
    };
    let mut all = SecurityAttributes::new();
    for (set, attributes) in sets {
        for (attribute, value) in attributes.as_object().into_iter().flatten() {
            let values: BTreeSet<String> = match value {
                Json::String(text) => BTreeSet::from([text.clone()]),
                Json::Array(texts) => texts.iter().filter_map(Json::as_str).map(str::to_owned).collect(),
                _ => continue,
            };
            if !attribute.contains('@') {
                all.insert(format!("{set}_{attribute}"), values);
            }
        }
    }
    Fact::Is(all)
}
