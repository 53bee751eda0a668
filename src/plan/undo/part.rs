//! Which part of an earlier apply is taken back: what is aimed at with all that it needs, less what stays as it is
//! with all that needs it.

use std::collections::BTreeSet;

use super::pairs::Unit;
use crate::model::Address;
use crate::plan::build::Draft;
use crate::plan::error::PlanError;
use crate::plan::note::Note;
use crate::plan::options::PlanOptions;

/// The part, by the addresses that the objects have once they are back.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// Only these; all when none is named.
    inside: Option<BTreeSet<Address>>,
    /// Never these.
    outside: BTreeSet<Address>,
    /// What people are told of those that stay.
    pub(super) notes: Vec<Note>,
}

impl Part {
    /// What `--target` and `--exclude` name.
    pub(super) fn of(units: &[Unit<'_>], options: &PlanOptions) -> Self {
        let covered = |wanted: &[Address]| -> BTreeSet<Address> {
            let is_meant = |unit: &&Unit<'_>| {
                wanted
                    .iter()
                    .any(|address| address.covers(&unit.address) || address.covers(unit.present()))
            };
            let meant = units.iter().filter(is_meant);
            meant.map(|unit| unit.address.clone()).collect()
        };
        Self {
            inside: (!options.targets.is_empty()).then(|| covered(&options.targets)),
            outside: covered(&options.excludes),
            notes: Vec::new(),
        }
    }

    /// Whether everything is taken back.
    pub(super) fn is_whole(&self) -> bool {
        self.inside.is_none() && self.outside.is_empty()
    }

    /// Whether an object is taken back.
    pub(super) fn has(&self, unit: &Unit<'_>) -> bool {
        let inside = self
            .inside
            .as_ref()
            .is_none_or(|inside| inside.contains(&unit.address));
        inside && !self.outside.contains(&unit.address)
    }

    /// Takes in what the drafts need and leaves out those that need what stays. Whether that changed anything.
    pub(super) fn settle(&mut self, units: &[Unit<'_>], drafts: &[Draft<'_>]) -> bool {
        let is_unit = |address: &Address| units.iter().any(|unit| unit.address == *address);
        let mut changed = false;
        for draft in drafts {
            for needed in draft.needs.iter().filter(|address| is_unit(address)) {
                if self.outside.contains(needed) {
                    if self.outside.insert(draft.change.address.clone()) {
                        changed = true;
                        let why = format!("it needs `{needed}`, which stays too");
                        self.tell(&draft.change.address, &why);
                    }
                } else if let Some(inside) = &mut self.inside {
                    changed |= inside.insert(needed.clone());
                }
            }
        }
        changed
    }

    /// Leaves out the objects that can't be taken back. False when an error is about no object of this part.
    pub(super) fn leave(&mut self, units: &[Unit<'_>], errors: &[PlanError]) -> bool {
        let mut left = Vec::new();
        for error in errors {
            let about = error.address.as_ref();
            let unit = units
                .iter()
                .find(|unit| about.is_some_and(|about| *about == unit.address || about == unit.present()));
            let Some(unit) = unit.filter(|unit| self.has(unit)) else {
                return false;
            };
            left.push((unit.address.clone(), error.problem.to_string()));
        }
        for (address, why) in left {
            if self.outside.insert(address.clone()) {
                self.tell(&address, &why);
            }
        }
        true
    }

    fn tell(&mut self, address: &Address, why: &str) {
        let note = Note::warning("left_as_it_is", format!("not taken back: {why}"));
        self.notes.push(note.on(address, None));
    }
}
