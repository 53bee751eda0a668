//! What is remembered of objects, for reading.

use crate::export::{Naming, export_block};
use crate::model::properties::ApiVersion;
use crate::model::state::{Document, ResourceState};
use crate::model::wire::decode;
use crate::model::{Address, Reference};
use crate::syntax::{Body, Item, print};

/// One object as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The address.
    pub address: String,
    /// Graph's id.
    pub id: String,
    /// Facts beside the block, as label and text.
    pub facts: Vec<(&'static str, String)>,
    /// The object as a block of the language; as JSON when it is not understood.
    pub text: String,
}

/// Every object, in the order of the addresses.
pub fn shown(document: &Document) -> Vec<Shown> {
    let resources = document.resources.iter();
    resources
        .map(|(address, resource)| shown_one(address, resource, document))
        .collect()
}

/// One object.
pub fn shown_one(address: &str, resource: &ResourceState, document: &Document) -> Shown {
    Shown {
        address: address.to_owned(),
        id: resource.id.clone(),
        facts: facts(resource),
        text: block(address, resource, document),
    }
}

fn facts(resource: &ResourceState) -> Vec<(&'static str, String)> {
    let mut facts = vec![("id", resource.id.clone())];
    if resource.api_version == ApiVersion::Beta {
        facts.push(("written with", "Graph beta".to_owned()));
    }
    if let Some(modified) = &resource.modified_date_time {
        facts.push(("modified", modified.clone()));
    }
    if resource.created_by_import {
        facts.push(("imported", "existed before capol managed it".to_owned()));
    }
    if resource.lifecycle.prevent_destroy {
        let reason = resource.lifecycle.reason.clone();
        facts.push((
            "prevent_destroy",
            reason.unwrap_or_else(|| "destroying is refused".to_owned()),
        ));
    }
    if !resource.dependencies.is_empty() {
        let needed: Vec<&str> = resource.dependencies.iter().map(String::as_str).collect();
        facts.push(("needs", needed.join(", ")));
    }
    facts
}

/// The object as the service last answered it, or as it was sent.
fn block(address: &str, resource: &ResourceState, document: &Document) -> String {
    let Some(json) = resource.answered.as_ref().or(resource.sent.as_ref()) else {
        return String::new();
    };
    let json = json.value();
    let (Ok(address), Ok(decoded)) = (address.parse::<Address>(), decode(resource.kind, &json)) else {
        return format!("{json:#}\n");
    };
    let object = decoded
        .object
        .map_references(|reference| managed(reference, &address, document));
    let block = export_block(&address.name, &object, &Naming::default());
    print(&Body::new(vec![Item::from(block)]))
}

/// The block that manages what a reference names, when it can be referred to from the same module.
fn managed(reference: &Reference, from: &Address, document: &Document) -> Reference {
    let Reference::Id { target, id } = reference else {
        return reference.clone();
    };
    let named = document.resources.iter().find_map(|(address, resource)| {
        let same = resource.kind.target() == Some(*target) && resource.id.eq_ignore_ascii_case(id);
        let address: Address = same.then(|| address.parse().ok())??;
        (address.module == from.module).then_some(address)
    });
    named.map_or_else(
        || reference.clone(),
        |address| Reference::managed(*target, address),
    )
}
