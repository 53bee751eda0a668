//! Which entry of the state before an apply became which entry of the state that it left.

use std::collections::BTreeSet;

use super::{Earlier, States};
use crate::model::Address;
use crate::model::state::{Document, ResourceState};

/// One object that an apply touched, or whose entry in state it changed.
#[derive(Debug, Clone)]
pub(super) struct Unit<'a> {
    /// Its address once the apply is taken back.
    pub(super) address: Address,
    /// Its address now, when that is another.
    pub(super) moved: Option<Address>,
    /// What state held before the apply.
    pub(super) was: Option<&'a ResourceState>,
    /// What the apply left.
    pub(super) left: Option<&'a ResourceState>,
}

impl Unit<'_> {
    /// The address that the apply left it at.
    pub(super) fn present(&self) -> &Address {
        self.moved.as_ref().unwrap_or(&self.address)
    }
}

/// Every object that the apply touched.
pub(super) fn units<'a>(earlier: &Earlier, states: States<'a>) -> Vec<Unit<'a>> {
    let mut consumed: BTreeSet<&str> = BTreeSet::new();
    let mut units = Vec::new();
    for (address, was) in &states.before.resources {
        let Ok(here) = address.parse::<Address>() else {
            continue;
        };
        let same =
            holder(states.after, was).filter(|_| !earlier.deleted.contains(&was.id.to_ascii_lowercase()));
        let unit = if let Some((at, left)) = same {
            consumed.insert(at);
            Unit {
                moved: at.parse().ok().filter(|at| *at != here),
                address: here,
                was: Some(was),
                left: Some(left),
            }
        } else {
            let taken = states.after.resources.get_key_value(address);
            let fresh = taken.filter(|(_, left)| earlier.made.contains(&left.id.to_ascii_lowercase()));
            consumed.extend(fresh.map(|(at, _)| at.as_str()));
            Unit {
                address: here,
                moved: None,
                was: Some(was),
                left: fresh.map(|(_, left)| left),
            }
        };
        if is_touched(earlier, &unit) {
            units.push(unit);
        }
    }
    for (address, left) in &states.after.resources {
        if consumed.contains(address.as_str()) {
            continue;
        }
        if let Ok(address) = address.parse() {
            units.push(Unit {
                address,
                moved: None,
                was: None,
                left: Some(left),
            });
        }
    }
    units
}

/// The entry of the same object.
fn holder<'a>(document: &'a Document, object: &ResourceState) -> Option<(&'a str, &'a ResourceState)> {
    document
        .resources
        .iter()
        .find(|(_, other)| {
            other.kind.block() == object.kind.block() && other.id.eq_ignore_ascii_case(&object.id)
        })
        .map(|(address, other)| (address.as_str(), other))
}

fn is_touched(earlier: &Earlier, unit: &Unit<'_>) -> bool {
    let (Some(was), Some(left)) = (unit.was, unit.left) else {
        return true;
    };
    unit.moved.is_some()
        || was.id != left.id
        || was.lifecycle != left.lifecycle
        || earlier.met.contains_key(&was.id.to_ascii_lowercase())
}
