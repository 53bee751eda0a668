//! The objects capol manages: where they live, and how they are written.

use super::client::{Graph, body};
use super::cloud::Version;
use super::error::GraphError;
use super::request::{Operation, Request, segment};
use serde_json::{Value, json};

/// A collection of managed objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Collection {
    /// `conditionalAccessPolicy`.
    Policies,
    /// `namedLocation`.
    NamedLocations,
    /// `authenticationStrengthPolicy`.
    Strengths,
    /// `authenticationContextClassReference`.
    Contexts,
    /// `agreement`, the terms of use.
    Terms,
    /// `group`.
    Groups,
}

impl Collection {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Policies,
        Self::NamedLocations,
        Self::Strengths,
        Self::Contexts,
        Self::Terms,
        Self::Groups,
    ];

    /// The path below the version.
    pub fn path(self) -> &'static str {
        match self {
            Self::Policies => "identity/conditionalAccess/policies",
            Self::NamedLocations => "identity/conditionalAccess/namedLocations",
            Self::Strengths => "policies/authenticationStrengthPolicies",
            Self::Contexts => "identity/conditionalAccess/authenticationContextClassReferences",
            Self::Terms => "identityGovernance/termsOfUse/agreements",
            Self::Groups => "groups",
        }
    }

    /// The path of what was deleted in the last 30 days, for the kinds that keep it.
    pub fn deleted_path(self) -> Option<&'static str> {
        match self {
            Self::Policies => Some("identity/conditionalAccess/deletedItems/policies"),
            Self::NamedLocations => Some("identity/conditionalAccess/deletedItems/namedLocations"),
            Self::Groups => Some("directory/deletedItems/microsoft.graph.group"),
            Self::Strengths | Self::Contexts | Self::Terms => None,
        }
    }

    /// How large a page is asked for: as large as can be, where the service takes the wish (`FACTS` 5.3).
    pub(super) fn page(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Policies | Self::NamedLocations => &[("$top", "999")],
            Self::Strengths | Self::Contexts | Self::Terms | Self::Groups => &[],
        }
    }

    fn item(self, id: &str) -> Result<String, GraphError> {
        Ok(format!("{}/{}", self.path(), segment(id)?))
    }

    fn deleted_item(self, id: &str) -> Result<String, GraphError> {
        let parent = match self {
            Self::Groups => "directory/deletedItems",
            _ => self.deleted_path().ok_or_else(|| GraphError::Internal {
                what: format!("{} keep nothing that was deleted", self.path()),
            })?,
        };
        Ok(format!("{parent}/{}", segment(id)?))
    }
}

impl Graph {
    /// Reads a whole collection.
    pub async fn list_all(&self, collection: Collection, version: Version) -> Result<Vec<Value>, GraphError> {
        self.list(version, collection.path(), collection.page()).await
    }

    /// Reads the ids of a whole collection, as objects with nothing else.
    pub async fn list_ids(&self, collection: Collection, version: Version) -> Result<Vec<Value>, GraphError> {
        let query: Vec<(&str, &str)> = std::iter::once(&("$select", "id"))
            .chain(collection.page())
            .copied()
            .collect();
        self.list(version, collection.path(), &query).await
    }

    /// Reads what was deleted in the last 30 days.
    pub async fn list_deleted(
        &self,
        collection: Collection,
        version: Version,
    ) -> Result<Vec<Value>, GraphError> {
        match collection.deleted_path() {
            Some(path) => self.list(version, path, &[]).await,
            None => Ok(Vec::new()),
        }
    }

    /// Reads one object, after a write; a refresh lists instead.
    pub async fn read(
        &self,
        collection: Collection,
        version: Version,
        id: &str,
    ) -> Result<Value, GraphError> {
        self.get(version, &collection.item(id)?, &[]).await
    }

    /// Makes an object and gives it back as the service stored it, id included. A context's id is chosen by the
    /// caller and stands in the body (`c1` to `c99`). An answer without an id is an unknown outcome.
    pub async fn create(
        &self,
        collection: Collection,
        version: Version,
        object: Value,
    ) -> Result<Value, GraphError> {
        if collection == Collection::Contexts {
            return self.create_context(version, object).await;
        }
        let request = Request::new(Operation::Create, version, collection.path()).body(object);
        let response = self.send(&request).await?;
        match response.body {
            Some(created) if created.get("id").is_some_and(Value::is_string) => Ok(created),
            _ => Err(GraphError::Unknown {
                call: request.call(),
                client_request_id: response.client_request_id,
                cause: format!("status {}, but the answer has no id", response.status),
            }),
        }
    }

    async fn create_context(&self, version: Version, object: Value) -> Result<Value, GraphError> {
        let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
        let item = Collection::Contexts.item(id)?;
        let mut members = object.clone();
        if let Some(members) = members.as_object_mut() {
            members.remove("id");
        }
        let response = self
            .send(&Request::new(Operation::Update, version, item).body(members))
            .await?;
        Ok(response.body.unwrap_or(object))
    }

    /// Changes what the patch names and nothing else. Graph answers 204, or 200 with the object.
    pub async fn update(
        &self,
        collection: Collection,
        version: Version,
        id: &str,
        patch: Value,
    ) -> Result<Option<Value>, GraphError> {
        let request = Request::new(Operation::Update, version, collection.item(id)?).body(patch);
        Ok(self.send(&request).await?.body)
    }

    /// Deletes an object. One that is gone already is an error with status 404, also when an earlier try of this
    /// very call may have done it: a 404 may be an old answer.
    pub async fn delete(&self, collection: Collection, version: Version, id: &str) -> Result<(), GraphError> {
        self.send(&Request::new(Operation::Delete, version, collection.item(id)?))
            .await?;
        Ok(())
    }

    /// Brings a deleted object back with the id and the state that it had: an enabled policy enforces at once.
    pub async fn restore(
        &self,
        collection: Collection,
        version: Version,
        id: &str,
    ) -> Result<Value, GraphError> {
        let request = Request::new(
            Operation::Act,
            version,
            format!("{}/restore", collection.deleted_item(id)?),
        );
        let response = self.send(&request).await?;
        body(&request, response)
    }

    /// Deletes a deleted object for good.
    pub async fn purge(&self, collection: Collection, version: Version, id: &str) -> Result<(), GraphError> {
        self.send(&Request::new(
            Operation::Delete,
            version,
            collection.deleted_item(id)?,
        ))
        .await?;
        Ok(())
    }

    /// Sets the combinations of an authentication strength; its PATCH cannot.
    pub async fn update_allowed_combinations(
        &self,
        version: Version,
        strength: &str,
        combinations: &[String],
    ) -> Result<Value, GraphError> {
        let path = format!(
            "{}/updateAllowedCombinations",
            Collection::Strengths.item(strength)?
        );
        let request = Request::new(Operation::Replace, version, path)
            .body(json!({ "allowedCombinations": combinations }));
        let response = self.send(&request).await?;
        Ok(response.body.unwrap_or(Value::Null))
    }

    /// Adds a combination configuration (FIDO2 AAGUIDs, certificate issuers) to a strength.
    pub async fn create_combination_configuration(
        &self,
        version: Version,
        strength: &str,
        configuration: Value,
    ) -> Result<Value, GraphError> {
        let path = format!(
            "{}/combinationConfigurations",
            Collection::Strengths.item(strength)?
        );
        let request = Request::new(Operation::Create, version, path).body(configuration);
        let response = self.send(&request).await?;
        body(&request, response)
    }

    /// Changes a combination configuration.
    pub async fn update_combination_configuration(
        &self,
        version: Version,
        strength: &str,
        id: &str,
        patch: Value,
    ) -> Result<Option<Value>, GraphError> {
        let item = format!(
            "{}/combinationConfigurations/{}",
            Collection::Strengths.item(strength)?,
            segment(id)?
        );
        Ok(self
            .send(&Request::new(Operation::Update, version, item).body(patch))
            .await?
            .body)
    }

    /// Removes a combination configuration.
    pub async fn delete_combination_configuration(
        &self,
        version: Version,
        strength: &str,
        id: &str,
    ) -> Result<(), GraphError> {
        let path = format!(
            "{}/combinationConfigurations/{}",
            Collection::Strengths.item(strength)?,
            segment(id)?
        );
        self.send(&Request::new(Operation::Delete, version, path)).await?;
        Ok(())
    }

    /// The direct members of a group, with id and display name.
    pub async fn members(&self, group: &str) -> Result<Vec<Value>, GraphError> {
        let path = format!("{}/members", Collection::Groups.item(group)?);
        self.list(
            Version::V1,
            &path,
            &[("$select", "id,displayName,userPrincipalName"), ("$top", "999")],
        )
        .await
    }

    /// Adds members, at most twenty: with one request, or one by one when some are in already, which is fine.
    pub async fn add_members(&self, group: &str, members: &[String]) -> Result<(), GraphError> {
        let audience = self.endpoints().audience();
        let links: Vec<String> = members
            .iter()
            .map(|member| Ok(format!("{audience}/v1.0/directoryObjects/{}", segment(member)?)))
            .collect::<Result<_, GraphError>>()?;
        let request = Request::new(Operation::Update, Version::V1, Collection::Groups.item(group)?)
            .body(json!({ "members@odata.bind": links }));
        match self.send(&request).await {
            // All or nothing: one that is in already keeps the others out.
            Err(GraphError::Service(error)) if error.message.contains("object references already exist") => {
                for member in members {
                    self.add_member(group, member).await?;
                }
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }

    /// Adds a member; one that is in already is fine.
    pub async fn add_member(&self, group: &str, member: &str) -> Result<(), GraphError> {
        let member = segment(member)?;
        let audience = self.endpoints().audience();
        let path = format!("{}/members/$ref", Collection::Groups.item(group)?);
        let request = Request::new(Operation::AddReference, Version::V1, path)
            .body(json!({ "@odata.id": format!("{audience}/v1.0/directoryObjects/{member}") }));
        match self.send(&request).await {
            Err(GraphError::Service(error)) if error.message.contains("object references already exist") => {
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }

    /// Removes a member from the group, never the member itself; one that is not in is fine.
    pub async fn remove_member(&self, group: &str, member: &str) -> Result<(), GraphError> {
        // Without the last segment this address would delete the user.
        let path = format!(
            "{}/members/{}/$ref",
            Collection::Groups.item(group)?,
            segment(member)?
        );
        match self
            .send(&Request::new(Operation::Delete, Version::V1, path))
            .await
        {
            Err(GraphError::Service(error))
                if error.message.contains("removed object references do not exist") =>
            {
                Ok(())
            }
            other => other.map(|_| ()),
        }
    }

    /// Whether security defaults are on.
    pub async fn security_defaults(&self) -> Result<bool, GraphError> {
        let request = Request::new(Operation::Read, Version::V1, SECURITY_DEFAULTS);
        let response = self.send(&request).await?;
        let request_id = response.request_id.clone();
        body(&request, response)?
            .get("isEnabled")
            .and_then(Value::as_bool)
            .ok_or_else(|| super::client::incomplete(&request, "it does not say `isEnabled`", request_id))
    }

    /// Turns security defaults on or off.
    pub async fn set_security_defaults(&self, enabled: bool) -> Result<(), GraphError> {
        let request = Request::new(Operation::Update, Version::V1, SECURITY_DEFAULTS)
            .body(json!({ "isEnabled": enabled }));
        self.send(&request).await.map(|_| ())
    }
}

const SECURITY_DEFAULTS: &str = "policies/identitySecurityDefaultsEnforcementPolicy";
