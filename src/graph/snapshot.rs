//! The tenant as it is now, read by lists only.

use super::client::Graph;
use super::cloud::Version;
use super::error::GraphError;
use super::objects::Collection;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Which versions of the policies are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PolicyVersions {
    /// None at all.
    #[default]
    None,
    /// v1.0 alone.
    V1,
    /// beta alone.
    Beta,
    /// Both, and their ids compared.
    Both,
}

/// What a refresh reads.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SnapshotOptions {
    /// Policies, in which versions.
    pub policies: PolicyVersions,
    /// Named locations, in this version (beta also lists the compliant network).
    pub named_locations: Option<Version>,
    /// Authentication strengths, in this version.
    pub strengths: Option<Version>,
    /// Authentication contexts, in this version.
    pub contexts: Option<Version>,
    /// Terms of use.
    pub terms: bool,
    /// Groups with these ids, read a thousand at a time.
    pub groups: Vec<String>,
    /// The members of groups with these ids, read twenty groups at a time.
    pub members_of: Vec<String>,
    /// Policies and named locations deleted in the last 30 days.
    pub deleted: bool,
}

/// The tenant as it is now. A part that was not asked for is `None`, never an empty list.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// Policies as v1.0 gives them; only their ids when beta's were read too.
    pub policies_v1: Option<Vec<Value>>,
    /// Policies as beta gives them.
    pub policies_beta: Option<Vec<Value>>,
    /// Named locations.
    pub named_locations: Option<Vec<Value>>,
    /// Authentication strengths, built-in ones included.
    pub strengths: Option<Vec<Value>>,
    /// Authentication contexts.
    pub contexts: Option<Vec<Value>>,
    /// Terms of use.
    pub terms: Option<Vec<Value>>,
    /// The groups asked for that exist.
    pub groups: Option<Vec<Value>>,
    /// The members of the groups asked for that exist, by group id in lower case.
    pub members: BTreeMap<String, Vec<Value>>,
    /// Deleted policies.
    pub deleted_policies: Option<Vec<Value>>,
    /// Deleted named locations.
    pub deleted_locations: Option<Vec<Value>>,
    /// How many requests it took, repeated ones included.
    pub request_count: u64,
}

impl Snapshot {
    /// The policies in their fullest form: beta's when they were read.
    pub fn policies(&self) -> &[Value] {
        self.policies_beta
            .as_deref()
            .or(self.policies_v1.as_deref())
            .unwrap_or_default()
    }
}

impl Graph {
    /// Reads the tenant: one list a kind and version, never an object at a time.
    pub async fn snapshot(&self, options: &SnapshotOptions) -> Result<Snapshot, GraphError> {
        let before = self.requests_sent();
        let wants = |wanted: &[PolicyVersions]| wanted.contains(&options.policies);
        let beta = wants(&[PolicyVersions::Beta, PolicyVersions::Both]).then_some(Version::Beta);
        let deleted = options.deleted.then_some(Version::V1);
        let (
            policies_v1,
            policies_beta,
            named_locations,
            strengths,
            contexts,
            terms,
            groups,
            members,
            deleted_policies,
            deleted_locations,
        ) = Box::pin(async {
            futures::try_join!(
                self.wanted_v1(options.policies),
                self.wanted(Collection::Policies, beta),
                self.wanted(Collection::NamedLocations, options.named_locations),
                self.wanted(Collection::Strengths, options.strengths),
                self.wanted(Collection::Contexts, options.contexts),
                self.wanted(Collection::Terms, options.terms.then_some(Version::V1)),
                self.wanted_groups(&options.groups),
                self.members_of(&options.members_of),
                self.wanted_deleted(Collection::Policies, deleted),
                self.wanted_deleted(Collection::NamedLocations, deleted),
            )
        })
        .await?;
        let mut snapshot = Snapshot {
            policies_v1,
            policies_beta,
            named_locations,
            strengths,
            contexts,
            terms,
            groups,
            members,
            deleted_policies,
            deleted_locations,
            request_count: 0,
        };
        self.reconcile(&mut snapshot).await?;
        snapshot.request_count = self.requests_sent() - before;
        Ok(snapshot)
    }

    async fn wanted(
        &self,
        collection: Collection,
        version: Option<Version>,
    ) -> Result<Option<Vec<Value>>, GraphError> {
        match version {
            Some(version) => {
                identified(collection, version, self.list_all(collection, version).await?).map(Some)
            }
            None => Ok(None),
        }
    }

    /// The policies that v1.0 knows: beside beta's, which say more, only their ids.
    async fn wanted_v1(&self, versions: PolicyVersions) -> Result<Option<Vec<Value>>, GraphError> {
        let collection = Collection::Policies;
        match versions {
            PolicyVersions::None | PolicyVersions::Beta => Ok(None),
            PolicyVersions::V1 => self.wanted(collection, Some(Version::V1)).await,
            PolicyVersions::Both => {
                let ids = self.list_ids(collection, Version::V1).await?;
                identified(collection, Version::V1, ids).map(Some)
            }
        }
    }

    async fn wanted_deleted(
        &self,
        collection: Collection,
        version: Option<Version>,
    ) -> Result<Option<Vec<Value>>, GraphError> {
        match version {
            Some(version) => self.list_deleted(collection, version).await.map(Some),
            None => Ok(None),
        }
    }

    async fn wanted_groups(&self, ids: &[String]) -> Result<Option<Vec<Value>>, GraphError> {
        if ids.is_empty() {
            return Ok(None);
        }
        let found = self.objects_by_id(ids, &["group"]).await?;
        Ok(Some(found.into_values().collect()))
    }

    /// Compares the ids of both versions. A policy made between the two lists shows as a difference too, so they
    /// are read once more before it counts.
    async fn reconcile(&self, snapshot: &mut Snapshot) -> Result<(), GraphError> {
        let (Some(v1), Some(beta)) = (&snapshot.policies_v1, &snapshot.policies_beta) else {
            return Ok(());
        };
        if differences(v1, beta).is_none() {
            return Ok(());
        }
        let (v1, beta) = futures::try_join!(
            self.wanted_v1(PolicyVersions::Both),
            self.wanted(Collection::Policies, Some(Version::Beta)),
        )?;
        if let Some(error) = differences(
            v1.as_deref().unwrap_or_default(),
            beta.as_deref().unwrap_or_default(),
        ) {
            return Err(error);
        }
        snapshot.policies_v1 = v1;
        snapshot.policies_beta = beta;
        Ok(())
    }
}

/// Every object of a list has an id of its own, or the list was not read right.
fn identified(
    collection: Collection,
    version: Version,
    objects: Vec<Value>,
) -> Result<Vec<Value>, GraphError> {
    let mut seen = BTreeSet::new();
    for object in &objects {
        let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
        if id.is_empty() || !seen.insert(id) {
            return Err(GraphError::Incomplete {
                call: format!("GET /{version}/{}", collection.path()),
                what: if id.is_empty() {
                    "an object has no id".to_owned()
                } else {
                    format!("`{id}` is listed twice")
                },
                request_id: "several".to_owned(),
            });
        }
    }
    Ok(objects)
}

fn differences(v1: &[Value], beta: &[Value]) -> Option<GraphError> {
    let ids = |policies: &[Value]| -> BTreeSet<String> {
        policies
            .iter()
            .filter_map(|policy| policy.get("id")?.as_str().map(str::to_owned))
            .collect()
    };
    let (v1, beta) = (ids(v1), ids(beta));
    (v1 != beta).then(|| GraphError::CountsDiffer {
        only_v1: v1.difference(&beta).cloned().collect(),
        only_beta: beta.difference(&v1).cloned().collect(),
    })
}
