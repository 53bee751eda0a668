//! Labels of the blocks that objects become.

use std::collections::{BTreeMap, BTreeSet};

use super::Exported;
use crate::model::names;

/// A label for each object, in the order of the objects.
pub(super) fn of_objects(objects: &[Exported], taken: &BTreeMap<String, BTreeSet<String>>) -> Vec<String> {
    let mut of_block: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, exported) in objects.iter().enumerate() {
        of_block.entry(exported.object.kind.block()).or_default().push(at);
    }
    let mut labels = vec![String::new(); objects.len()];
    for (block, members) in of_block {
        let nothing = BTreeSet::new();
        let mut taken = taken.get(block).unwrap_or(&nothing).clone();
        let chosen = |at: &usize| objects.get(*at).and_then(|exported| exported.label.clone());
        for at in &members {
            if let (Some(label), Some(place)) = (chosen(at), labels.get_mut(*at)) {
                taken.insert(label.clone());
                *place = label;
            }
        }
        let keyed = members.iter().filter(|at| chosen(at).is_none()).filter_map(|at| {
            let exported = objects.get(*at)?;
            // Objects without an id are told apart by what they say.
            let key = exported
                .id
                .clone()
                .unwrap_or_else(|| format!("~{:?}", exported.object));
            Some(((key, *at), exported.object.name()))
        });
        for ((_, at), label) in names::assign(block, keyed, &taken) {
            if let Some(place) = labels.get_mut(at) {
                *place = label;
            }
        }
    }
    labels
}
