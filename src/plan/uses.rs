//! What several objects have in common, told once.

use std::collections::BTreeMap;

use super::change::{Action, ActionReason, ResourceChange};
use super::error::{PlanError, Problem};
use super::note::Note;
use crate::model::Origin;

/// How many places of one id are named.
const NAMED: usize = 4;

/// One error for each id that is missing, with every place that names it.
pub(super) fn joined_errors(errors: Vec<PlanError>) -> Vec<PlanError> {
    let mut first: BTreeMap<String, usize> = BTreeMap::new();
    let mut joined: Vec<PlanError> = Vec::new();
    for error in errors {
        let Problem::MissingId { id, .. } = error.problem.as_ref() else {
            joined.push(error);
            continue;
        };
        if let Some(before) = first.get(id).and_then(|at| joined.get_mut(*at)) {
            let place = error.origin.map(|origin: Origin| (origin, "and here".to_owned()));
            let is_new =
                |place: &(Origin, String)| before.origin != Some(place.0) && !before.related.contains(place);
            if let Some(place) = place.filter(is_new) {
                before.related.push(place);
            }
        } else {
            first.insert(id.clone(), joined.len());
            joined.push(error);
        }
    }
    joined
}

/// One note for each id that is missing, with the objects that name it.
pub(super) fn joined_notes(notes: Vec<Note>) -> Vec<Note> {
    let mut first: BTreeMap<String, (usize, Vec<String>)> = BTreeMap::new();
    let mut joined: Vec<Note> = Vec::new();
    for note in notes {
        if note.code != "plan::missing_id" {
            joined.push(note);
            continue;
        }
        let address = note.address.as_ref().map(ToString::to_string);
        if let Some((_, others)) = first.get_mut(&note.message) {
            others.extend(address);
        } else {
            first.insert(note.message.clone(), (joined.len(), Vec::new()));
            joined.push(note);
        }
    }
    for (at, others) in first.into_values() {
        if let Some(note) = joined.get_mut(at)
            && !others.is_empty()
        {
            let more = others.len().saturating_sub(NAMED);
            let mut named: Vec<String> = others.into_iter().take(NAMED).collect();
            if more > 0 {
                named.push(format!("{more} more"));
            }
            note.message = format!("{}; also named by {}", note.message, named.join(", "));
        }
    }
    joined
}

/// Says when a block seems to have got another label: then one object is deleted and its like is made.
pub(super) fn renamed(changes: &[ResourceChange]) -> Vec<Note> {
    let gone: Vec<&ResourceChange> = changes
        .iter()
        .filter(|change| change.action == Action::Delete && change.reason == Some(ActionReason::NoBlock))
        .collect();
    let made: Vec<&ResourceChange> = changes
        .iter()
        .filter(|change| change.action == Action::Create)
        .collect();
    let alike = |old: &ResourceChange, new: &ResourceChange| {
        old.address.kind == new.address.kind && old.name == new.name && !old.name.is_empty()
    };
    let mut notes = Vec::new();
    for old in &gone {
        let candidates: Vec<&&ResourceChange> = made.iter().filter(|new| alike(old, new)).collect();
        let rivals = gone.iter().filter(|other| alike(other, old)).count();
        if let ([new], 1) = (candidates.as_slice(), rivals) {
            notes.push(
                Note::warning(
                    "renamed",
                    format!(
                        "`{}` is deleted and `{}` is made, and both are called `{}`",
                        old.address, new.address, old.name
                    ),
                )
                .on(&new.address, None)
                .help(format!(
                    "if only the label changed, keep the object: `moved {{ from = {}, to = {} }}`",
                    old.address, new.address
                )),
            );
        }
    }
    notes
}
