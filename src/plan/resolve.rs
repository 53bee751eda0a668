//! References into ids: of the directory, of live objects, of objects that state knows.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::model::catalogue::{apps, nearest, roles, strengths};
use crate::model::configuration::{Configuration, Resource};
use crate::model::live::{Answer, Candidate, Directory, LiveIndex, LiveTenant};

use crate::model::{Address, Lookup, Object, Origin, Reference, Target};

use super::error::{PlanError, Problem};
use super::identity::{Standing, chosen_id};
use super::note::Note;

/// How many candidates a message lists.
const MOST_CANDIDATES: usize = 8;

/// Finds what references stand for.
pub(super) struct Resolver<'a> {
    pub(super) desired: &'a Configuration,
    pub(super) live: &'a LiveTenant,
    pub(super) directory: &'a Directory,
    pub(super) standings: &'a BTreeMap<Address, Standing<'a>>,
    pub(super) index: &'a LiveIndex<'a>,
    /// Those that this plan replaces.
    replaced: Vec<&'a Standing<'a>>,
    /// The ids of the live objects that are managed.
    managed: HashSet<&'a str>,
    /// The ids that blocks of this configuration choose.
    chosen: BTreeSet<String>,
    /// The ids of deleted objects that this plan brings back.
    returning: HashSet<&'a str>,
    /// What the tenant's own lists answered so far.
    answered: RefCell<BTreeMap<Lookup, Answer>>,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(
        desired: &'a Configuration,
        live: &'a LiveTenant,
        index: &'a LiveIndex<'a>,
        directory: &'a Directory,
        standings: &'a BTreeMap<Address, Standing<'a>>,
    ) -> Self {
        let resources = desired.resources.values();
        Self {
            desired,
            live,
            directory,
            standings,
            index,
            replaced: standings
                .values()
                .filter(|standing| standing.replaced.is_some())
                .collect(),
            managed: standings
                .values()
                .filter_map(|standing| Some(standing.live?.id.as_str()))
                .collect(),
            chosen: resources
                .filter_map(|resource| chosen_id(&resource.object))
                .collect(),
            returning: standings
                .values()
                .filter_map(|standing| Some(standing.restorable()?.id.as_str()))
                .collect(),
            answered: RefCell::default(),
        }
    }

    /// Whether a live object has an address.
    pub(super) fn is_managed(&self, id: &str) -> bool {
        self.managed.contains(id)
    }

    /// The id of a group that is called so and that nobody manages, when that was asked.
    pub(super) fn group_named(&self, name: &str) -> Option<String> {
        let lookup = Lookup {
            target: Target::Group,
            name: name.to_owned(),
        };
        let found = match self.directory.answers.get(&lookup)? {
            Answer::Found(candidate) => std::slice::from_ref(candidate),
            Answer::Ambiguous(candidates) => candidates.as_slice(),
            Answer::Missing(_) => &[],
        };
        let mut named = found.iter().filter(|candidate| candidate.name == name);
        named
            .find(|candidate| !self.is_managed(&candidate.id))
            .map(|candidate| candidate.id.clone())
    }

    /// The reference with its id, or still [`Reference::Managed`] when the object is yet to be made.
    pub(super) fn resolve(&self, reference: &Reference) -> Result<Reference, Box<Problem>> {
        match reference {
            Reference::Keyword(_) | Reference::Id { .. } => Ok(reference.clone()),
            Reference::Managed { target, address } => {
                let standing = self
                    .standings
                    .get(address)
                    .filter(|standing| standing.resource.is_some());
                match standing {
                    Some(standing) => Ok(standing
                        .id()
                        .map_or_else(|| reference.clone(), |id| Reference::id(*target, &id))),
                    None => Err(Box::new(Problem::Dangling {
                        to: (**address).clone(),
                    })),
                }
            }
            Reference::Lookup(lookup) => self.look_up(lookup),
        }
    }

    fn look_up(&self, lookup: &Lookup) -> Result<Reference, Box<Problem>> {
        let answer = match lookup.target {
            Target::Location | Target::Strength | Target::Context => Some(self.listed(lookup)?),
            _ => self
                .directory
                .answers
                .get(lookup)
                .cloned()
                .or_else(|| from_catalogue(lookup)),
        };
        match answer {
            None => Err(Box::new(Problem::NotLookedUp {
                lookup: lookup.clone(),
            })),
            Some(Answer::Found(candidate)) => {
                let found = Reference::id(lookup.target, &candidate.id);
                Ok(self.managed(&found).unwrap_or(found))
            }
            Some(Answer::Missing(candidates)) => {
                let managed_here = self.made_here(lookup);
                Err(Box::new(Problem::LookupMissing {
                    help: missing_help(lookup, &candidates, managed_here.as_ref()),
                    lookup: lookup.clone(),
                    candidates,
                    managed_here,
                }))
            }
            Some(Answer::Ambiguous(candidates)) => Err(Box::new(Problem::LookupAmbiguous {
                help: ambiguous_help(lookup, &candidates),
                lookup: lookup.clone(),
                candidates,
            })),
        }
    }

    /// What the tenant's own lists answer; asked once.
    fn listed(&self, lookup: &Lookup) -> Result<Answer, Box<Problem>> {
        if let Some(answer) = self.answered.borrow().get(lookup) {
            return Ok(answer.clone());
        }
        let answer = self.among_live(lookup)?;
        self.answered.borrow_mut().insert(lookup.clone(), answer.clone());
        Ok(answer)
    }

    /// The reference to an object that is about to be replaced by this plan: its next id is meant.
    fn managed(&self, found: &Reference) -> Option<Reference> {
        let Reference::Id { target, id } = found else {
            return None;
        };
        self.replaced
            .iter()
            .find(|standing| {
                standing
                    .live
                    .is_some_and(|live| live.kind.target() == Some(*target) && live.id == *id)
            })
            .map(|standing| Reference::managed(*target, standing.address.clone()))
    }

    fn among_live(&self, lookup: &Lookup) -> Result<Answer, Box<Problem>> {
        let block = lookup.target.word();
        if !self.live.is_complete(block) {
            return Err(Box::new(Problem::NotRead { noun: block.into() }));
        }
        let wanted = lookup.name.to_lowercase();
        let mut all: Vec<Candidate> = self
            .live
            .all_of_block(block)
            .map(|object| Candidate {
                id: object.id.clone(),
                name: object.name().to_owned(),
                detail: object.kind.graph_type().to_owned(),
            })
            .collect();
        if lookup.target == Target::Strength {
            for strength in strengths::all() {
                if !all.iter().any(|candidate| candidate.id == strength.id) {
                    all.push(Candidate::new(strength.id, strength.display_name));
                }
            }
        }
        let matching: Vec<Candidate> = all
            .iter()
            .filter(|candidate| candidate.name.to_lowercase() == wanted)
            .cloned()
            .collect();
        Ok(match matching.as_slice() {
            [] => {
                let near = nearest(&lookup.name, all.iter().map(|candidate| candidate.name.as_str()))
                    .map(str::to_owned);
                all.sort_by_key(|candidate| near.as_ref() != Some(&candidate.name));
                all.truncate(MOST_CANDIDATES);
                Answer::Missing(all)
            }
            [only] => Answer::Found(only.clone()),
            _ => Answer::Ambiguous(matching),
        })
    }

    /// The block of this configuration that makes an object of that name and kind.
    fn made_here(&self, lookup: &Lookup) -> Option<Address> {
        self.desired
            .resources
            .values()
            .find(|resource| {
                resource.object.kind.target() == Some(lookup.target)
                    && resource.object.name().to_lowercase() == lookup.name.to_lowercase()
            })
            .map(|resource| resource.address.clone())
    }

    /// The resource's object with every reference resolved; what can't be is reported and left out.
    pub(super) fn object(&self, resource: &Resource, errors: &mut Vec<PlanError>) -> Object {
        let mut told: BTreeSet<Reference> = BTreeSet::new();
        resource.object.map_references(|reference| {
            self.resolve(reference).unwrap_or_else(|problem| {
                if told.insert(reference.clone()) {
                    let origin = origin_of(&resource.reference_origins, reference).unwrap_or(resource.origin);
                    errors.push(PlanError::boxed(problem).on(&resource.address, Some(origin)));
                }
                reference.clone()
            })
        })
    }

    /// Complains of ids that nothing has: an error when newly written, else a warning.
    pub(super) fn check_ids(
        &self,
        resource: &Resource,
        after: &Object,
        before: Option<&Object>,
        errors: &mut Vec<PlanError>,
        notes: &mut Vec<Note>,
    ) {
        let mut told = BTreeSet::new();
        for (property, reference) in after.references() {
            let Reference::Id { target, id } = reference else {
                continue;
            };
            if !self.is_missing(*target, id) || !told.insert(reference.clone()) {
                continue;
            }
            let origin = origin_of(&resource.reference_origins, reference)
                .or_else(|| resource.origins.get(property.wire).copied())
                .unwrap_or(resource.origin);
            let noun = with_article(*target);
            let unchanged = before.is_some_and(|before| {
                before
                    .references()
                    .iter()
                    .any(|(other, present)| other.wire == property.wire && *present == reference)
            });
            if unchanged || *target == Target::Context {
                notes.push(
                    Note::warning("missing_id", format!("nothing in the tenant has the id `{id}`"))
                        .on(&resource.address, Some(origin))
                        .help(format!("remove it, or write {noun} that exists")),
                );
            } else {
                errors.push(
                    PlanError::new(Problem::MissingId {
                        id: id.clone(),
                        noun: noun.to_owned(),
                    })
                    .on(&resource.address, Some(origin)),
                );
            }
        }
    }

    pub(super) fn is_missing(&self, target: Target, id: &str) -> bool {
        match target {
            Target::Location => {
                self.live.is_complete(target.word())
                    && !self.returning.contains(id)
                    && self.index.find(Some(target), id).is_none()
            }
            Target::Strength => {
                self.live.is_complete(target.word())
                    && strengths::by_id(id).is_none()
                    && self.index.find(Some(target), id).is_none()
            }
            Target::Context => {
                let made = self.chosen.contains(id);
                self.live.is_complete(target.word()) && !made && self.index.find(Some(target), id).is_none()
            }
            Target::Role if roles::by_template_id(id).is_some() => false,
            Target::App if apps::by_app_id(id).is_some() && !self.directory.missing_ids.contains(id) => false,
            _ => self.directory.missing_ids.contains(&id.to_ascii_lowercase()),
        }
    }
}

/// Where a reference was written.
pub(super) fn origin_of(origins: &[(Reference, Origin)], reference: &Reference) -> Option<Origin> {
    origins
        .iter()
        .find(|(written, _)| written == reference)
        .map(|(_, origin)| *origin)
}

/// What every tenant has needs no directory.
fn from_catalogue(lookup: &Lookup) -> Option<Answer> {
    match lookup.target {
        Target::Role => roles::by_display_name(&lookup.name)
            .map(|role| Answer::Found(Candidate::new(role.template_id, role.display_name))),
        _ => None,
    }
}

fn with_article(target: Target) -> &'static str {
    match target {
        Target::User => "a user",
        Target::Group => "a group",
        Target::Role => "a role",
        Target::App => "an application",
        Target::ServicePrincipal => "a service principal",
        Target::AgentIdentity => "an agent identity",
        Target::Location => "a named location",
        Target::Strength => "an authentication strength",
        Target::Context => "an authentication context",
        Target::Terms => "terms of use",
        Target::Action => "a user action",
    }
}

fn missing_help(lookup: &Lookup, candidates: &[Candidate], managed_here: Option<&Address>) -> String {
    let word = lookup.target.word();
    if let Some(address) = managed_here {
        return format!("this configuration makes it: write `{address}`");
    }
    match candidates {
        [] => format!("write the name as the tenant has it, or its id: `{word}(\"…\")`"),
        [_] => format!("write {}", listed(word, candidates, |candidate| &candidate.name)),
        some => format!("write one of {}", listed(word, some, |candidate| &candidate.name)),
    }
}

fn ambiguous_help(lookup: &Lookup, candidates: &[Candidate]) -> String {
    let word = lookup.target.word();
    format!(
        "write the id of the one that is meant: {}",
        listed(word, candidates, |candidate| &candidate.id)
    )
}

fn listed(word: &str, candidates: &[Candidate], what: impl Fn(&Candidate) -> &str) -> String {
    let mut parts: Vec<String> = candidates
        .iter()
        .take(MOST_CANDIDATES)
        .map(|candidate| {
            let detail = if candidate.detail.is_empty() {
                String::new()
            } else {
                format!(" ({})", candidate.detail)
            };
            format!("`{word}(\"{}\")`{detail}", what(candidate))
        })
        .collect();
    if candidates.len() > MOST_CANDIDATES {
        parts.push(format!("and {} more", candidates.len() - MOST_CANDIDATES));
    }
    parts.join(", ")
}
