//! The tenant as it is now, read by lists only.

use super::client::Graph;
use super::cloud::Version;
use super::error::GraphError;
use super::objects::Collection;
use crate::model::Kind;
use crate::model::live::LiveObject;
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
    /// Policies, as beta gives them when that was read.
    pub policies: Option<Vec<LiveObject>>,
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

impl Graph {
    /// Reads the tenant: one list a kind and version, never an object at a time.
    pub async fn snapshot(&self, options: &SnapshotOptions) -> Result<Snapshot, GraphError> {
        let before = self.requests_sent();
        let deleted = options.deleted.then_some(Version::V1);
        let (
            policies,
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
                self.wanted_policies(options.policies),
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
        let snapshot = Snapshot {
            policies,
            named_locations,
            strengths,
            contexts,
            terms,
            groups,
            members,
            deleted_policies,
            deleted_locations,
            request_count: self.requests_sent() - before,
        };
        Ok(snapshot)
    }

    async fn wanted(
        &self,
        collection: Collection,
        version: Option<Version>,
    ) -> Result<Option<Vec<Value>>, GraphError> {
        match version {
            Some(version) => {
                let objects = self.list_all(collection, version).await?;
                let mut ids = Ids::of(collection, version);
                for object in &objects {
                    ids.add(object)?;
                }
                Ok(Some(objects))
            }
            None => Ok(None),
        }
    }

    /// The policies of both versions must be the same. One made between the two lists shows as a difference too, so
    /// they are read once more before it counts.
    async fn wanted_policies(&self, versions: PolicyVersions) -> Result<Option<Vec<LiveObject>>, GraphError> {
        match versions {
            PolicyVersions::None => Ok(None),
            PolicyVersions::V1 => self.policies(Version::V1).await.map(Some),
            PolicyVersions::Beta => self.policies(Version::Beta).await.map(Some),
            PolicyVersions::Both => {
                let (v1, beta) = self.both_policies().await?;
                if differences(&v1, &beta).is_none() {
                    return Ok(Some(beta));
                }
                drop(beta);
                let (v1, beta) = self.both_policies().await?;
                match differences(&v1, &beta) {
                    None => Ok(Some(beta)),
                    Some(error) => Err(error),
                }
            }
        }
    }

    /// The ids that v1.0 lists and the policies that beta lists. When neither can be read, v1.0's error is told.
    async fn both_policies(&self) -> Result<(BTreeSet<String>, Vec<LiveObject>), GraphError> {
        let (v1, beta) = futures::join!(self.policy_ids(), self.policies(Version::Beta));
        Ok((v1?, beta?))
    }

    /// Every policy. Each is read as its page comes: ten thousand as JSON are a hundred megabytes.
    async fn policies(&self, version: Version) -> Result<Vec<LiveObject>, GraphError> {
        let collection = Collection::Policies;
        let mut pages = self.pages(version, collection.path(), collection.page());
        let (mut policies, mut ids) = (Vec::new(), Ids::of(collection, version));
        while let Some(page) = pages.next().await? {
            for json in page {
                ids.add(&json)?;
                policies.push(LiveObject::read(Kind::Policy, json, version)?);
            }
        }
        Ok(policies)
    }

    /// The ids of the policies that v1.0 knows.
    async fn policy_ids(&self) -> Result<BTreeSet<String>, GraphError> {
        let mut ids = Ids::of(Collection::Policies, Version::V1);
        for object in self.list_ids(Collection::Policies, Version::V1).await? {
            ids.add(&object)?;
        }
        Ok(ids.seen)
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
}

/// The ids of a list. Every object has one of its own, or the list was not read right.
struct Ids {
    collection: Collection,
    version: Version,
    seen: BTreeSet<String>,
}

impl Ids {
    fn of(collection: Collection, version: Version) -> Self {
        Self {
            collection,
            version,
            seen: BTreeSet::new(),
        }
    }

    fn add(&mut self, object: &Value) -> Result<(), GraphError> {
        let id = object.get("id").and_then(Value::as_str).unwrap_or_default();
        let what = if id.is_empty() {
            "an object has no id".to_owned()
        } else if self.seen.insert(id.to_owned()) {
            return Ok(());
        } else {
            format!("`{id}` is listed twice")
        };
        Err(GraphError::Incomplete {
            call: format!("GET /{}/{}", self.version, self.collection.path()),
            what,
            request_id: "several".to_owned(),
        })
    }
}

fn differences(v1: &BTreeSet<String>, beta: &[LiveObject]) -> Option<GraphError> {
    let v1: BTreeSet<String> = v1.iter().map(|id| id.to_ascii_lowercase()).collect();
    let beta: BTreeSet<String> = beta.iter().map(|policy| policy.id.clone()).collect();
    (v1 != beta).then(|| GraphError::CountsDiffer {
        only_v1: v1.difference(&beta).cloned().collect(),
        only_beta: beta.difference(&v1).cloned().collect(),
    })
}
