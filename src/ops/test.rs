//! Scenarios and invariants of a project, decided offline.

use std::path::Path;

use serde_json::Value as Json;

use super::files;
use super::project::Loaded;
use super::what_if::WhatIfError;
use crate::access::{Directory, Estate, Ruling, Verdict, VerdictError, decide};
use crate::export::{Naming, scenario_block};
use crate::lang::error::span_of;
use crate::model::expectation::Expectation;
use crate::model::{Lookup, Reference, Target};
use crate::syntax::{self, Body};

/// Why expectations can't be decided at all.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum TestError {
    /// A file, or the directory in it.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Directory(#[from] WhatIfError),
    /// The policies.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Verdict(#[from] VerdictError),
    /// Nothing is called so.
    #[error("no scenario or invariant has `{filter}` in its name")]
    #[diagnostic(
        code("ops::no_such_test"),
        help("leave the filter out, or write a part of a name; the project has {names}")
    )]
    NoSuchTest {
        /// The filter.
        filter: String,
        /// What there is.
        names: String,
    },
}

/// A scenario or an invariant, and what came of it.
#[derive(Debug)]
pub struct Tested {
    /// The block.
    pub expectation: Expectation,
    /// What came of it.
    pub verdict: Verdict,
    /// Where it stands: `main.capol:12`.
    pub place: String,
    /// A sign-in for which an invariant does not hold, as a block to paste.
    pub counterexample: Option<String>,
}

impl Tested {
    /// Whether it holds.
    pub fn passed(&self) -> bool {
        self.verdict.ruling == Ruling::Holds
    }
}

/// Decides the scenarios and invariants of a project whose names have the filter in them, whatever the case.
///
/// With a directory file, people are in the groups and roles that it says, and nobody else signs in.
pub fn test(
    loaded: &Loaded,
    filter: Option<&str>,
    directory: Option<&Path>,
) -> Result<Vec<Tested>, TestError> {
    let all = &loaded.configuration.expectations;
    let is_meant = |expectation: &&Expectation| {
        filter.is_none_or(|filter| {
            expectation
                .address
                .name
                .to_lowercase()
                .contains(&filter.to_lowercase())
        })
    };
    let mut expectations: Vec<Expectation> = all.iter().filter(is_meant).cloned().collect();
    if let (Some(filter), true) = (filter, expectations.is_empty()) {
        let names: Vec<String> = all.iter().map(|one| format!("`{}`", one.address.name)).collect();
        return Err(TestError::NoSuchTest {
            filter: filter.to_owned(),
            names: if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            },
        });
    }
    let mut configuration = loaded.configuration.clone();
    let people = directory.map(people).transpose()?;
    if let Some((_, names)) = &people {
        let found = |reference: &Reference| match reference {
            Reference::Lookup(lookup) => names.find(lookup).unwrap_or_else(|| reference.clone()),
            other => other.clone(),
        };
        for resource in configuration.resources.values_mut() {
            resource.object = resource.object.map_references(found);
        }
        if let Some(emergency) = &mut configuration.emergency_access {
            for reference in emergency.users.iter_mut().chain(&mut emergency.groups) {
                *reference = found(reference);
            }
        }
        for expectation in &mut expectations {
            for facts in std::iter::once(&mut expectation.facts).chain(&mut expectation.except) {
                facts.conditions = facts.conditions.map_references(found);
            }
        }
    }
    let estate = Estate::of(&configuration).map_err(VerdictError::from)?;
    let directory = people.as_ref().map(|(directory, _)| directory);
    let verdicts = decide(
        &expectations,
        &estate,
        configuration.emergency_access.as_ref(),
        directory,
    )?;
    Ok(expectations
        .into_iter()
        .zip(verdicts)
        .map(|(expectation, verdict)| Tested {
            place: place(loaded, &expectation),
            counterexample: verdict.counterexample.as_ref().map(|scenario| {
                let block = scenario_block(scenario, &Naming::default());
                syntax::print(&Body::new(vec![block.into()]))
            }),
            expectation,
            verdict,
        })
        .collect())
}

fn place(loaded: &Loaded, expectation: &Expectation) -> String {
    let span = span_of(expectation.origin);
    loaded.sources.get(span.file).map_or_else(String::new, |file| {
        let (line, _) = file.line_column(span.start);
        format!("{}:{line}", file.name())
    })
}

/// What the names of a directory file stand for.
#[derive(Debug, Default)]
struct Names {
    groups: std::collections::BTreeMap<String, String>,
    users: std::collections::BTreeMap<String, String>,
}

impl Names {
    fn find(&self, lookup: &Lookup) -> Option<Reference> {
        let among = match lookup.target {
            Target::Group => &self.groups,
            Target::User => &self.users,
            _ => return None,
        };
        let id = among.get(&lookup.name.to_lowercase())?;
        Some(Reference::id(lookup.target, id))
    }
}

fn people(path: &Path) -> Result<(Directory, Names), TestError> {
    let bytes = files::read(path).map_err(WhatIfError::from)?;
    let json: Json = serde_json::from_slice(&bytes).map_err(|source| WhatIfError::NotJson {
        path: path.to_owned(),
        source,
    })?;
    let directory = Directory::from_json(&json).map_err(WhatIfError::from)?;
    let ids_of = |collection: &str, member: &str| {
        let entries = json
            .get(collection)
            .and_then(Json::as_array)
            .into_iter()
            .flatten();
        entries
            .filter_map(|entry| {
                Some((
                    entry.get(member)?.as_str()?.to_lowercase(),
                    entry.get("id")?.as_str()?.to_lowercase(),
                ))
            })
            .collect()
    };
    let names = Names {
        groups: ids_of("groups", "displayName"),
        users: ids_of("users", "userPrincipalName"),
    };
    Ok((directory, names))
}
