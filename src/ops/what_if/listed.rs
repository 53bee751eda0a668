//! A directory file: who is in it, and what names in it mean.

use std::path::Path;

use serde_json::Value as Json;

use super::WhatIfError;
use crate::access::Directory;
use crate::model::live::{Answer, Candidate};
use crate::model::reference::is_guid;
use crate::model::{Lookup, Target};
use crate::ops::files;

/// A directory file.
#[derive(Debug, Default)]
pub struct Listed {
    json: Json,
    /// Who is in which group.
    pub directory: Directory,
}

impl Listed {
    /// Reads a directory file.
    pub fn read(path: &Path) -> Result<Self, WhatIfError> {
        let json: Json =
            serde_json::from_slice(&files::read(path)?).map_err(|source| WhatIfError::NotJson {
                path: path.to_owned(),
                source,
            })?;
        Ok(Self {
            directory: Directory::from_json(&json)?,
            json,
        })
    }

    /// The whole file.
    pub fn json(&self) -> &Json {
        &self.json
    }

    /// One of its lists.
    pub fn all<'a>(&'a self, collection: &str) -> impl Iterator<Item = &'a Json> + use<'a> {
        let list = self.json.get(collection).and_then(Json::as_array);
        list.into_iter().flatten()
    }

    /// What a name means; an id means what has it.
    pub fn answer(&self, lookup: &Lookup) -> Answer {
        let Some(collection) = collection(lookup.target) else {
            return Answer::Missing(Vec::new());
        };
        let all: Vec<Candidate> = self
            .all(collection)
            .filter_map(|entry| candidate(lookup.target, entry))
            .collect();
        let is_called = |entry: &&Json| {
            NAMES
                .iter()
                .any(|member| text(entry, member).is_some_and(|name| same(name, &lookup.name)))
        };
        let mut found: Vec<Candidate> = all
            .iter()
            .filter(|candidate| same(&candidate.id, &lookup.name))
            .cloned()
            .collect();
        if found.is_empty() {
            found = self
                .all(collection)
                .filter(is_called)
                .filter_map(|entry| candidate(lookup.target, entry))
                .collect();
        }
        match (found.len(), found.pop()) {
            (1, Some(one)) => Answer::Found(one),
            (0, _) | (_, None) => Answer::Missing(nearest(all, &lookup.name)),
            (_, Some(last)) => {
                found.push(last);
                Answer::Ambiguous(found)
            }
        }
    }
}

/// What people call things by.
const NAMES: [&str; 3] = ["userPrincipalName", "mail", "displayName"];

fn collection(target: Target) -> Option<&'static str> {
    Some(match target {
        Target::User => "users",
        Target::Group => "groups",
        Target::App | Target::ServicePrincipal | Target::AgentIdentity => "servicePrincipals",
        Target::Location => "namedLocations",
        Target::Strength => "authenticationStrengths",
        Target::Context => "authenticationContextClassReferences",
        Target::Terms => "agreements",
        Target::Role | Target::Action => return None,
    })
}

fn candidate(target: Target, entry: &Json) -> Option<Candidate> {
    let id = match target {
        Target::App => text(entry, "appId")?,
        _ => text(entry, "id")?,
    };
    let name = NAMES.iter().find_map(|member| text(entry, member)).unwrap_or(id);
    let id = if is_guid(id) {
        id.to_ascii_lowercase()
    } else {
        id.to_owned()
    };
    Some(Candidate::new(id, name))
}

fn text<'a>(entry: &'a Json, member: &str) -> Option<&'a str> {
    entry.get(member)?.as_str()
}

fn same(left: &str, right: &str) -> bool {
    left.to_lowercase() == right.to_lowercase()
}

/// What is called nearly that; at most five.
fn nearest(all: Vec<Candidate>, name: &str) -> Vec<Candidate> {
    let wanted = name.to_lowercase();
    let mut scored: Vec<(f64, Candidate)> = all
        .into_iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&candidate.name.to_lowercase(), &wanted),
                candidate,
            )
        })
        .filter(|(score, _)| *score > 0.7)
        .collect();
    scored.sort_by(|(left, _), (right, _)| right.total_cmp(left));
    scored
        .into_iter()
        .map(|(_, candidate)| candidate)
        .take(5)
        .collect()
}
