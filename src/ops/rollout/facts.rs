//! What the directory says of the people whom waves name.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::configuration::Configuration;
use crate::model::live::Answer;
use crate::model::state::Document;
use crate::model::{Lookup, Reference, Target};
use crate::ops::OpsError;
use crate::ops::connection::Connection;
use crate::ops::refresh::look_up;
use crate::ops::workspace::WorkError;
use crate::rollout::RolloutError;
use crate::rollout::lower::{Facts, Needs, User};

/// Asks the directory for all that is needed. What it does not say is an error: a wave of half its people is none.
pub(super) async fn read(
    connection: &Connection,
    configuration: &Configuration,
    state: Option<&Document>,
    needs: &Needs,
) -> Result<Facts, WorkError> {
    let mut facts = Facts::default();
    if needs.members.is_empty() && needs.users.is_empty() {
        return Ok(facts);
    }
    let lookups: BTreeSet<Lookup> = needs
        .members
        .keys()
        .chain(&needs.users)
        .filter_map(|reference| match reference {
            Reference::Lookup(lookup) => Some(lookup.clone()),
            _ => None,
        })
        .collect();
    let answers = look_up(connection, &lookups, None).await?;
    let id_of = |reference: &Reference| id_of(reference, &answers, configuration, state);
    for user in &needs.users {
        facts.users.insert(user.clone(), id_of(user)?);
    }
    let mut roles: BTreeMap<String, Vec<&Reference>> = BTreeMap::new();
    for (reference, properties) in &needs.members {
        let id = id_of(reference)?.to_ascii_lowercase();
        if reference.target() == Some(Target::Role) {
            roles.entry(id).or_default().push(reference);
            continue;
        }
        let properties: Vec<String> = properties.iter().cloned().collect();
        let users = connection.graph.users_through(&id, &properties).await;
        let users = users.map_err(OpsError::from)?.into_iter().map(|user| User {
            id: user.id,
            properties: properties.iter().cloned().zip(user.properties).collect(),
        });
        facts.members.insert(reference.clone(), users.collect());
    }
    let asked = roles.keys().cloned().collect();
    let found = connection
        .graph
        .people_in(&BTreeSet::new(), &asked, false)
        .await
        .map_err(OpsError::from)?;
    for (id, references) in &roles {
        let Some(holders) = found.roles.get(id) else {
            continue;
        };
        for reference in references {
            let users = holders.iter().map(|id| User {
                id: id.clone(),
                properties: BTreeMap::new(),
            });
            facts.members.insert((*reference).clone(), users.collect());
        }
    }
    Ok(facts)
}

/// The id of what a reference names.
fn id_of(
    reference: &Reference,
    answers: &BTreeMap<Lookup, Answer>,
    configuration: &Configuration,
    state: Option<&Document>,
) -> Result<String, RolloutError> {
    match reference {
        Reference::Id { id, .. } => Ok(id.clone()),
        Reference::Keyword(word) => Ok(word.clone()),
        Reference::Lookup(lookup) => match answers.get(lookup) {
            Some(Answer::Found(candidate)) => Ok(candidate.id.clone()),
            other => {
                let nearly: Vec<&str> = match other {
                    Some(Answer::Missing(nearly) | Answer::Ambiguous(nearly)) => {
                        nearly.iter().map(|one| one.name.as_str()).collect()
                    }
                    _ => Vec::new(),
                };
                Err(RolloutError::NotFound {
                    noun: lookup.target.noun(),
                    name: lookup.name.clone(),
                    several: matches!(other, Some(Answer::Ambiguous(_))),
                    help: if nearly.is_empty() {
                        "write the name as the directory has it, or its object id".to_owned()
                    } else {
                        format!("there are: {}", nearly.join(", "))
                    },
                })
            }
        },
        Reference::Managed { address, .. } => state
            .and_then(|state| state.resources.get(&address.to_string()))
            .map(|resource| resource.id.clone())
            .ok_or_else(|| RolloutError::NotMadeYet {
                address: address.to_string(),
                origin: configuration
                    .resources
                    .get(&**address)
                    .map(|resource| resource.origin),
            }),
    }
}
