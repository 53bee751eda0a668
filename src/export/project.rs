//! Objects of a tenant as a project: one file a concern, names for ids, variables for what is not known.

mod files;
mod labels;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use super::intake::Found;
use super::known::KnownNames;
use super::naming::Naming;
use crate::model::set::Set;
use crate::model::{Address, Object, Reference, Target};

/// An object to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Exported {
    /// What it is.
    pub object: Object,
    /// Its id in the tenant or in the files, by which others refer to it.
    pub id: Option<String>,
    /// Whether the id is that of an object in a tenant, which an `import` block may adopt.
    pub has_identity: bool,
    /// Comments to put above its block.
    pub remarks: Vec<String>,
    /// The label that its block shall have, when somebody chose one.
    pub label: Option<String>,
}

impl From<&Found> for Exported {
    fn from(found: &Found) -> Self {
        Self {
            object: found.object.clone(),
            id: found.id.clone(),
            has_identity: found.has_identity,
            remarks: found.remarks.clone(),
            label: None,
        }
    }
}

/// How a project is written.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The ids that the project's `emergency_access` block excludes from every policy with a user
    /// audience; none when the project has no such block.
    pub emergency_access: Option<Vec<(Target, String)>>,
    /// Whether the project already has a `capol` block.
    pub has_settings: bool,
    /// Whether objects that came from a tenant get an `import` block.
    pub import_blocks: bool,
    /// Labels that the project already uses, by block type.
    pub taken: BTreeMap<String, BTreeSet<String>>,
    /// Whether the objects are those of a tenant: then ids are ids and texts are texts, and neither
    /// is a placeholder for something that is not known.
    pub live: bool,
    /// Objects that the project manages already, by what they are and their ids in lower case.
    pub managed: BTreeMap<(Target, String), Address>,
    /// Names of files that may not be written; others are numbered around them.
    pub existing: BTreeSet<String>,
    /// The tenant that the objects are of, for a `tenant` block.
    pub tenant: Option<NamedTenant>,
}

/// A tenant, to be named in a `tenant` block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedTenant {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// A project as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Project {
    /// File names and their text, laid out as `capol fmt` would.
    pub files: Vec<(String, String)>,
    /// The address that each object was given, in the order in which the objects came.
    pub addresses: Vec<Address>,
    /// The variables that somebody has to give a value before the project can be planned.
    pub unset_variables: Vec<UnsetVariable>,
}

/// A variable without a default, for a placeholder in the place of an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsetVariable {
    /// Its name.
    pub name: String,
    /// What it refers to.
    pub target: Target,
    /// The placeholder that was there.
    pub placeholder: String,
}

/// Why a policy that was imported does not exclude the emergency accounts.
const INCLUDED: &str = "imported as it was: review";

/// Why an imported project has no emergency accounts.
const NO_ACCOUNTS: &str = "imported; name your emergency accounts here";

/// Writes objects as a project.
///
/// The same objects give the same text, whatever their order. Nothing in an object is left out:
/// what the property table does not know is written as `raw`.
pub fn export(objects: &[Exported], names: &KnownNames, options: &Options) -> Project {
    let labels = labels::of_objects(objects, &options.taken);
    let written: Vec<(Exported, Option<&'static str>)> = objects
        .iter()
        .map(|exported| without_emergency_access(exported, options))
        .collect();
    let words = words::Words::find(
        written.iter().map(|(exported, _)| exported),
        &labels,
        names,
        options,
    );
    let files = files::Files {
        objects: &written,
        labels: &labels,
        words: &words,
        options,
    };
    Project {
        files: files.write(),
        addresses: objects
            .iter()
            .zip(&labels)
            .map(|(exported, label)| Address::root(exported.object.kind.block(), label))
            .collect(),
        unset_variables: words.unset_variables(),
    }
}

/// A policy without the emergency accounts that the engine excludes by itself, and why it
/// includes them where it does.
fn without_emergency_access(exported: &Exported, options: &Options) -> (Exported, Option<&'static str>) {
    let object = &exported.object;
    let accounts = options
        .emergency_access
        .as_ref()
        .filter(|_| has_user_audience(object));
    let Some(accounts) = accounts else {
        return (exported.clone(), None);
    };
    let is_account = |reference: &Reference| match reference {
        Reference::Id { target, id } => accounts
            .iter()
            .any(|(known, account)| known == target && account.eq_ignore_ascii_case(id)),
        _ => false,
    };
    let excluded: BTreeSet<&Reference> = EXCLUDED
        .iter()
        .flat_map(|wire| object.reference_set(wire))
        .filter(|reference| is_account(reference))
        .collect();
    if excluded.len() < accounts.len() {
        return (exported.clone(), Some(INCLUDED));
    }
    let mut rest = exported.clone();
    for wire in EXCLUDED {
        let kept: Set<Reference> = object
            .reference_set(wire)
            .filter(|reference| !is_account(reference))
            .cloned()
            .collect();
        rest.object.set(
            wire,
            (!kept.is_empty()).then_some(crate::model::Value::References(kept)),
        );
    }
    (rest, None)
}

const EXCLUDED: [&str; 2] = ["conditions.users.excludeUsers", "conditions.users.excludeGroups"];

/// Whether the policy applies to users at all, rather than to workloads or agents.
fn has_user_audience(object: &Object) -> bool {
    object.iter().any(|(property, _)| {
        property.wire.starts_with("conditions.users.include")
            && !object
                .reference_set(property.wire)
                .eq([&Reference::keyword("None")])
    })
}

/// What the naming of a project knows, for whoever writes single blocks beside it.
pub fn naming(objects: &[Exported], names: &KnownNames, options: &Options) -> Naming {
    let labels = labels::of_objects(objects, &options.taken);
    words::Words::find(objects.iter(), &labels, names, options).naming
}
