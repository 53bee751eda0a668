//! Which live object each address means: state, after moves, imports and removals.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::configuration::{Configuration, Import, Move, Resource};
use crate::model::live::{LiveIndex, LiveObject, LiveTenant};
use crate::model::properties::Access;
use crate::model::state::{Document, ResourceState};
use crate::model::{Address, Kind, Object, Value};

use super::change::ActionReason;
use super::error::{PlanError, Problem};
use super::options::{Mode, PlanOptions};

/// What is known of one address before anything is planned.
#[derive(Debug, Clone)]
pub(super) struct Standing<'a> {
    pub(super) address: Address,
    /// Its address in state, when that is another.
    pub(super) previous: Option<Address>,
    /// Its block, when it has one.
    pub(super) resource: Option<&'a Resource>,
    /// What state remembers; none for a new or imported object.
    pub(super) state: Option<&'a ResourceState>,
    /// The live object.
    pub(super) live: Option<&'a LiveObject>,
    /// The deleted object, where the service can bring it back with its id.
    pub(super) deleted: Option<&'a LiveObject>,
    /// Whether an `import` block takes it in.
    pub(super) imported: bool,
    /// Why a new object takes its place, if one does.
    pub(super) replaced: Option<ActionReason>,
    /// Whether a `removed` block lets it go.
    pub(super) removed: bool,
}

impl<'a> Standing<'a> {
    /// The id that references to the address get now; none while the object is still to be made.
    pub(super) fn id(&self) -> Option<String> {
        if let Some(chosen) = self.resource.and_then(|resource| chosen_id(&resource.object)) {
            return Some(chosen);
        }
        self.live
            .filter(|_| self.replaced.is_none())
            .or(self.restorable())
            .map(|live| live.id.clone())
    }

    /// The deleted object that comes back: one of the kind that the block describes.
    pub(super) fn restorable(&self) -> Option<&'a LiveObject> {
        let kind = self.resource?.object.kind;
        self.deleted
            .filter(|deleted| self.live.is_none() && deleted.kind == kind)
    }
}

/// The id that the writer of the configuration chose.
pub(super) fn chosen_id(object: &Object) -> Option<String> {
    (object.kind == Kind::Context)
        .then(|| object.text("id").map(str::to_owned))
        .flatten()
}

/// Every address of the configuration and of state, each with what it means.
pub(super) fn identify<'a>(
    desired: &'a Configuration,
    live: &'a LiveTenant,
    index: &LiveIndex<'a>,
    state: Option<&'a Document>,
    options: &PlanOptions,
    errors: &mut Vec<PlanError>,
) -> BTreeMap<Address, Standing<'a>> {
    let mut standings = remembered(desired, index, state, errors);
    if options.mode != Mode::Apply {
        for standing in standings.values_mut() {
            standing.resource = desired.resources.get(&standing.address);
        }
        check_read(&standings, live, errors);
        return standings;
    }
    for resource in desired.resources.values() {
        let standing = standings
            .entry(resource.address.clone())
            .or_insert_with(|| new(resource.address.clone()));
        standing.resource = Some(resource);
    }
    for import in &desired.imports {
        if let Err(error) = take_in(import, desired, live, &mut standings) {
            errors.push(*error);
        }
    }
    remove(desired, &mut standings, errors);
    check_read(&standings, live, errors);
    let deleted = LiveIndex::of_objects(live.deleted.as_deref().unwrap_or_default());
    for standing in standings.values_mut() {
        standing.replaced = replacement(standing, options);
        if let (Some(state), None) = (standing.state, standing.live) {
            standing.deleted = deleted.of_block(state.kind.block(), &state.id);
        }
    }
    standings
}

fn new<'a>(address: Address) -> Standing<'a> {
    Standing {
        address,
        previous: None,
        resource: None,
        state: None,
        live: None,
        deleted: None,
        imported: false,
        replaced: None,
        removed: false,
    }
}

/// What state holds, under the addresses that `moved` blocks give it.
fn remembered<'a>(
    desired: &'a Configuration,
    index: &LiveIndex<'a>,
    state: Option<&'a Document>,
    errors: &mut Vec<PlanError>,
) -> BTreeMap<Address, Standing<'a>> {
    let mut standings: BTreeMap<Address, Standing<'a>> = BTreeMap::new();
    check_moves(desired, errors);
    for (text, resource) in state.into_iter().flat_map(|state| &state.resources) {
        let Ok(old) = text.parse::<Address>() else {
            errors.push(PlanError::new(Problem::StateAddress {
                address: text.clone(),
            }));
            continue;
        };
        let (address, last) = follow(&old, &desired.moves);
        if let Some(taken) = standings.get(&address) {
            // State holds an address once, so at least one of the two was moved.
            let mover = taken.previous.as_ref().unwrap_or(&taken.address);
            let (from, last) = if last.is_some() {
                (&old, last)
            } else {
                (mover, follow(mover, &desired.moves).1)
            };
            errors.push(
                PlanError::new(Problem::MoveConflict {
                    from: from.clone(),
                    why: format!("`{address}` has that address already"),
                    to: address.clone(),
                })
                .at(last.map(|step| step.origin)),
            );
            continue;
        }
        standings.insert(
            address.clone(),
            Standing {
                previous: (old != address).then_some(old),
                state: Some(resource),
                live: index.of_block(resource.kind.block(), &resource.id),
                ..new(address)
            },
        );
    }
    standings
}

/// Where a chain of moves leads. A move that leads back where it was is not followed twice.
pub(super) fn follow<'m>(start: &Address, moves: &'m [Move]) -> (Address, Option<&'m Move>) {
    let mut here = start.clone();
    let mut last = None;
    for _ in moves {
        let step = moves.iter().find_map(|step| {
            let to = step.from.relocated(&step.to, &here)?;
            (to != here && to.kind == here.kind).then_some((to, step))
        });
        match step {
            Some((to, step)) => {
                here = to;
                last = Some(step);
            }
            None => break,
        }
    }
    (here, last)
}

fn check_moves(desired: &Configuration, errors: &mut Vec<PlanError>) {
    for (at, step) in desired.moves.iter().enumerate() {
        let mut refuse = |why: String| {
            errors.push(
                PlanError::new(Problem::MoveConflict {
                    from: step.from.clone(),
                    to: step.to.clone(),
                    why,
                })
                .at(Some(step.origin)),
            );
        };
        if step.from.kind != step.to.kind && step.from.kind != "module" && step.to.kind != "module" {
            refuse(format!("a {} can't become a {}", step.from.kind, step.to.kind));
        }
        if let Some(present) = desired
            .resources
            .keys()
            .find(|address| step.from.covers(address) && !step.to.covers(address))
        {
            refuse(format!("`{present}` is still in the configuration"));
        }
        let (end, _) = follow(&step.from, &desired.moves);
        if end == step.from
            || desired
                .moves
                .iter()
                .skip(at + 1)
                .any(|other| other.from == step.from)
        {
            refuse("the `moved` blocks lead round in a circle, or apart".into());
        }
    }
}

fn take_in<'a>(
    import: &'a Import,
    desired: &'a Configuration,
    live: &'a LiveTenant,
    standings: &mut BTreeMap<Address, Standing<'a>>,
) -> Result<(), Box<PlanError>> {
    let at = |problem| {
        Err(Box::new(
            PlanError::new(problem).on(&import.to, Some(import.origin)),
        ))
    };
    let taken = |taken: String| Problem::ImportTaken {
        to: import.to.clone(),
        id: import.id.clone(),
        taken,
    };
    let Some(resource) = desired.resources.get(&import.to) else {
        return at(Problem::ImportWithoutBlock {
            to: import.to.clone(),
            id: import.id.clone(),
        });
    };
    let block = resource.object.kind.block();
    let holder = standings.values().find(|standing| {
        let id = match (standing.state, standing.live) {
            (Some(state), _) => Some(state.id.as_str()),
            (None, live) => live.map(|live| live.id.as_str()),
        };
        standing.address.kind == import.to.kind && id.is_some_and(|id| id.eq_ignore_ascii_case(&import.id))
    });
    match holder {
        Some(holder) if holder.address == import.to => return Ok(()),
        Some(holder) => return at(taken(format!("it is managed as `{}`", holder.address))),
        None => {}
    }
    if let Some(state) = standings.get(&import.to).and_then(|standing| standing.state) {
        return at(taken(format!("the address already manages `{}`", state.id)));
    }
    let other = standings
        .get(&import.to)
        .filter(|standing| standing.imported)
        .and_then(|standing| standing.live);
    if let Some(other) = other {
        return at(taken(format!(
            "another `import` block takes `{}` into that address",
            other.id
        )));
    }
    let Some(object) = live.of_block(block, &import.id) else {
        let noun = resource.object.kind.noun().to_owned();
        return at(if live.is_complete(block) {
            Problem::ImportMissing {
                id: import.id.clone(),
                noun,
            }
        } else {
            Problem::NotRead { noun }
        });
    };
    if object.is_built_in() {
        return at(Problem::BuiltIn {
            name: object.name().to_owned(),
        });
    }
    if let Some(standing) = standings.get_mut(&import.to) {
        standing.live = Some(object);
        standing.imported = true;
    }
    Ok(())
}

fn remove(
    desired: &Configuration,
    standings: &mut BTreeMap<Address, Standing<'_>>,
    errors: &mut Vec<PlanError>,
) {
    for removal in &desired.removals {
        for standing in standings.values_mut() {
            if !removal.from.covers(&standing.address) {
                continue;
            }
            if standing.resource.is_some() {
                errors.push(
                    PlanError::new(Problem::RemovedButPresent {
                        from: standing.address.clone(),
                    })
                    .at(Some(removal.origin)),
                );
            }
            standing.removed = true;
        }
    }
}

/// A kind of which not every object was read can't be planned: "not read" must not look like "not there".
fn check_read(standings: &BTreeMap<Address, Standing<'_>>, live: &LiveTenant, errors: &mut Vec<PlanError>) {
    let blocks: BTreeSet<&str> = standings
        .values()
        .map(|standing| match (standing.resource, standing.state) {
            (Some(resource), _) => resource.object.kind.block(),
            (None, Some(state)) => state.kind.block(),
            (None, None) => standing.address.kind.as_str(),
        })
        .collect();
    for block in blocks {
        if !live.is_complete(block) {
            errors.push(PlanError::new(Problem::NotRead {
                noun: block.to_owned(),
            }));
        }
    }
}

/// Why the object must be made anew, if it must.
fn replacement(standing: &Standing<'_>, options: &PlanOptions) -> Option<ActionReason> {
    let (resource, live) = (standing.resource?, standing.live?);
    if options
        .replace
        .iter()
        .any(|wanted| wanted.covers(&standing.address))
    {
        return Some(ActionReason::Requested);
    }
    if resource.object.kind != live.kind {
        return Some(ActionReason::KindChange);
    }
    let fixed: Vec<String> = live
        .kind
        .properties()
        .iter()
        .filter(|property| property.access == Access::CreateOnly)
        .filter(|property| {
            resource.object.get(property.wire).is_some_and(|wanted| {
                let shown = live.object.get(property.wire);
                let off = shown.is_none() && *wanted == Value::Boolean(false);
                shown != Some(wanted) && !off
            })
        })
        .map(|property| property.wire.to_owned())
        .collect();
    (!fixed.is_empty()).then_some(ActionReason::CannotUpdate(fixed))
}
