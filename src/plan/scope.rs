//! `--target` and `--exclude`: which part of a plan is carried out.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Address;
use crate::model::catalogue::nearest;

use super::build::Draft;
use super::error::{PlanError, Problem};
use super::options::PlanOptions;

/// Complains of options that name nothing.
pub(super) fn check<'a>(
    options: &PlanOptions,
    known: impl Iterator<Item = &'a Address> + Clone,
    errors: &mut Vec<PlanError>,
) {
    for (option, addresses) in [
        ("--target", &options.targets),
        ("--exclude", &options.excludes),
        ("--replace", &options.replace),
    ] {
        for address in addresses {
            if !known.clone().any(|known| address.covers(known)) {
                let names: Vec<String> = known.clone().map(ToString::to_string).collect();
                let help = match nearest(&address.to_string(), names.iter().map(String::as_str)) {
                    Some(near) => format!("write `{option} {near}`"),
                    None => "name a block of the configuration, or what `capol state list` shows".into(),
                };
                errors.push(PlanError::new(Problem::UnknownAddress {
                    help,
                    option,
                    address: address.clone(),
                }));
            }
        }
    }
}

/// The drafts to carry out: those aimed at with all that they wait for, less those left out with all
/// that waits for them.
pub(super) fn choose(
    drafts: &[Draft<'_>],
    waits: &BTreeMap<usize, BTreeSet<usize>>,
    options: &PlanOptions,
) -> BTreeSet<usize> {
    let covered = |wanted: &[Address]| -> BTreeSet<usize> {
        drafts
            .iter()
            .enumerate()
            .filter(|(_, draft)| wanted.iter().any(|address| address.covers(&draft.change.address)))
            .map(|(number, _)| number)
            .collect()
    };
    let mut chosen: BTreeSet<usize> = (0..drafts.len()).collect();
    if !options.targets.is_empty() {
        chosen = closure(covered(&options.targets), waits);
    }
    if !options.excludes.is_empty() {
        let mut waited_by: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (later, earlier) in waits {
            for earlier in earlier {
                waited_by.entry(*earlier).or_default().insert(*later);
            }
        }
        for out in closure(covered(&options.excludes), &waited_by) {
            chosen.remove(&out);
        }
    }
    chosen
}

fn closure(mut found: BTreeSet<usize>, edges: &BTreeMap<usize, BTreeSet<usize>>) -> BTreeSet<usize> {
    let mut todo: Vec<usize> = found.iter().copied().collect();
    while let Some(next) = todo.pop() {
        for other in edges.get(&next).into_iter().flatten() {
            if found.insert(*other) {
                todo.push(*other);
            }
        }
    }
    found
}
