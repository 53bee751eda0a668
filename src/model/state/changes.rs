//! What differs between two documents, in addresses.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use super::Document;
use super::ResourceState;
use crate::model::Kind;

/// The difference between two documents, as the history tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Addresses that appeared.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// Addresses that went away.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<String>,
    /// Addresses whose content differs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// Old and new address of objects that kept their id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moved: Vec<(String, String)>,
    /// Other sections that differ: `outputs`, `rollouts`, `contingencies`, `approvals`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sections: Vec<String>,
}

impl Changes {
    /// What it takes to get from `before` (nothing, for the first document) to `after`.
    pub fn between(before: Option<&Document>, after: &Document) -> Self {
        let nothing = Document::new(after.lineage, after.tenant_id.clone());
        let before = before.unwrap_or(&nothing);
        let mut gone: BTreeMap<(Kind, &str), &str> = BTreeMap::new();
        let mut changes = Self::default();
        for (address, resource) in &before.resources {
            match after.resources.get(address) {
                None => {
                    gone.insert(object(resource), address);
                }
                Some(now) if now != resource => changes.changed.push(address.clone()),
                Some(_) => {}
            }
        }
        for (address, resource) in &after.resources {
            if before.resources.contains_key(address) {
                continue;
            }
            match gone.remove(&object(resource)) {
                Some(old) => changes.moved.push((old.to_owned(), address.clone())),
                None => changes.added.push(address.clone()),
            }
        }
        changes.removed = gone.into_values().map(str::to_owned).collect();
        changes.removed.sort();
        let sections = [
            ("outputs", before.outputs != after.outputs),
            ("rollouts", before.rollouts != after.rollouts),
            ("contingencies", before.contingencies != after.contingencies),
            ("approvals", before.approvals != after.approvals),
        ];
        changes.sections = sections
            .into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(name, _)| name.to_owned())
            .collect();
        changes
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn object(resource: &ResourceState) -> (Kind, &str) {
    (resource.kind, &resource.id)
}
