//! What people call the things behind ids.

use std::collections::BTreeMap;

use crate::model::catalogue::{apps, roles, strengths};
use crate::model::live::{Directory, LiveIndex, LiveTenant};
use crate::model::properties::Symbols;
use crate::model::{Address, Reference, Target};

use super::change::ResourceChange;

/// Names for ids, and addresses for the ids that the plan manages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    names: BTreeMap<String, String>,
    addresses: BTreeMap<String, Address>,
}

impl Names {
    /// Names from a finished plan.
    pub fn of(plan: &super::Plan) -> Self {
        Self {
            names: plan.names.clone(),
            addresses: plan
                .changes
                .iter()
                .filter_map(|change| Some((change.id.clone()?, change.address.clone())))
                .collect(),
        }
    }

    /// The same, with what the directory and others know besides.
    pub(super) fn with(plan: &super::Plan, directory: &Directory, more: &BTreeMap<String, String>) -> Self {
        let mut names = Self::of(plan);
        for (id, name) in directory.names.iter().chain(more) {
            names.names.entry(id.clone()).or_insert_with(|| name.clone());
        }
        names
    }

    /// What people call the object of this id.
    pub fn name(&self, id: &str) -> Option<&str> {
        self.names.get(&id.to_ascii_lowercase()).map(String::as_str)
    }

    /// The reference as an engineer would write it: `role.global_administrator`, `location.offices`,
    /// `group("Tier 0 admins")`, or the id where nothing is known of it.
    ///
    /// `keywords` are those of the property that holds it.
    pub fn written(&self, reference: &Reference, keywords: Option<&Symbols>) -> String {
        match reference {
            Reference::Keyword(wire) => keywords
                .map_or(wire.as_str(), |words| words.word_of(wire))
                .to_owned(),
            Reference::Managed { address, .. } => address.to_string(),
            Reference::Lookup(lookup) => call(lookup.target, &lookup.name),
            Reference::Id { target, id } => self.of_id(*target, id, keywords),
        }
    }

    fn of_id(&self, target: Target, id: &str, keywords: Option<&Symbols>) -> String {
        if let Some(address) = self.addresses.get(id) {
            return address.to_string();
        }
        let known = match target {
            Target::Role => roles::by_template_id(id).map(|role| role.name),
            Target::App => apps::by_app_id(id).map(|app| app.name),
            Target::Strength => strengths::by_id(id).map(|strength| strength.name),
            Target::Context => Some(id),
            Target::Action => Some(keywords.map_or(id, |words| words.word_of(id))),
            _ => None,
        };
        match known {
            Some(name) => format!("{}.{name}", target.word()),
            None => call(target, self.name(id).unwrap_or(id)),
        }
    }
}

fn call(target: Target, name: &str) -> String {
    format!(
        "{}(\"{}\")",
        target.word(),
        name.replace('\\', "\\\\").replace('"', "\\\"")
    )
}

/// The names of every id that the changes show.
pub(super) fn collect(
    changes: &[ResourceChange],
    directory: &Directory,
    live: &LiveIndex<'_>,
    tenant: &LiveTenant,
) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    if !tenant.display_name.is_empty() {
        names.insert(tenant.tenant_id.to_ascii_lowercase(), tenant.display_name.clone());
    }
    let mut name = |reference: &Reference| {
        let Reference::Id { target, id } = reference else {
            return;
        };
        let key = id.to_ascii_lowercase();
        if names.contains_key(&key) {
            return;
        }
        let found = directory.names.get(&key).cloned().or_else(|| {
            live.find(Some(*target), id)
                .map(|object| object.name().to_owned())
        });
        if let Some(found) = found {
            names.insert(key, found);
        }
    };
    for change in changes {
        let objects = change.before.iter().chain(&change.after);
        objects
            .flat_map(crate::model::Object::references)
            .for_each(|(_, reference)| name(reference));
        let drifted = change
            .drift
            .iter()
            .flat_map(|drift| drift.before.iter().chain(&drift.after));
        drifted.flat_map(|value| value.references()).for_each(&mut name);
    }
    names
}
