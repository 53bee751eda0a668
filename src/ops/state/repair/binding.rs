//! Which live object a block stands for: the one whose id is known, or the only one of its name. Nothing is guessed.

use std::collections::{BTreeMap, BTreeSet};

use super::report::{Candidate, Evidence, Left, WhyLeft};
use crate::model::configuration::Resource;
use crate::model::live::{LiveIndex, LiveObject, LiveTenant};
use crate::model::{Address, Kind};

/// How many objects of a similar name are told.
const NEARLY: usize = 3;

/// What is known of the id of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hint {
    pub(super) id: String,
    pub(super) evidence: Evidence,
}

/// What may be bound to what.
pub(super) struct Binder<'a> {
    /// The blocks without an object.
    pub(super) unbound: BTreeMap<&'a Address, &'a Resource>,
    /// The tenant; of each kind everything, of groups those that may be meant.
    pub(super) live: &'a LiveTenant,
    /// The ids that are known.
    pub(super) hints: &'a BTreeMap<Address, Hint>,
    /// The objects that other addresses hold.
    pub(super) taken: BTreeSet<(&'static str, String)>,
    /// Addresses of creates whose outcome is unknown.
    pub(super) open: &'a BTreeSet<Address>,
}

/// What is bound and what is left out.
#[derive(Debug, Default)]
pub(super) struct Bindings<'a> {
    pub(super) bound: Vec<(&'a Address, &'a LiveObject, Evidence)>,
    pub(super) left: Vec<Left>,
}

impl<'a> Binder<'a> {
    pub(super) fn bind(mut self) -> Bindings<'a> {
        let mut bindings = Bindings::default();
        let index = LiveIndex::of(self.live);
        for (address, hint) in self.hints {
            let Some((address, resource)) = self.unbound.remove_entry(address) else {
                continue;
            };
            let block = resource.object.kind.block();
            match index.of_block(block, &hint.id) {
                Some(object) if !object.is_built_in() && self.taken.insert(key(object)) => {
                    bindings.bound.push((address, object, hint.evidence));
                }
                Some(object) => bindings
                    .left
                    .push(left(address, resource, WhyLeft::Ambiguous, [object])),
                None if hint.evidence == Evidence::Configuration => {
                    bindings.left.push(left(address, resource, WhyLeft::NotFound, []));
                }
                None => {
                    let named = index.named(block, resource.object.name());
                    bindings.left.push(left(address, resource, WhyLeft::Gone, named));
                }
            }
        }
        self.by_name(&mut bindings);
        bindings
            .left
            .sort_by(|one, other| one.address.cmp(&other.address));
        bindings
    }

    fn by_name(&mut self, bindings: &mut Bindings<'a>) {
        let mut named: BTreeMap<(&str, String), Vec<&'a LiveObject>> = BTreeMap::new();
        for object in self.live.objects.iter().filter(|object| !object.is_built_in()) {
            let name = (object.kind.block(), folded(object.name()));
            named.entry(name).or_default().push(object);
        }
        let mut wanted: BTreeMap<(&str, String), usize> = BTreeMap::new();
        for resource in self.unbound.values() {
            let name = (resource.object.kind.block(), folded(resource.object.name()));
            *wanted.entry(name).or_default() += 1;
        }
        for (address, resource) in std::mem::take(&mut self.unbound) {
            let name = (resource.object.kind.block(), folded(resource.object.name()));
            let candidates = named.get(&name).map_or(&[][..], Vec::as_slice);
            let is_only_block = wanted.get(&name) == Some(&1);
            let is_open = self.open.contains(address);
            let why = match candidates {
                _ if is_open => WhyLeft::UnknownCreate,
                [] => WhyLeft::NotFound,
                [object]
                    if is_only_block && is_certain(object, resource) && self.taken.insert(key(object)) =>
                {
                    bindings.bound.push((address, object, Evidence::Name));
                    continue;
                }
                _ => WhyLeft::Ambiguous,
            };
            let told = match why {
                WhyLeft::NotFound => self.nearly(resource),
                _ => candidates.to_vec(),
            };
            bindings.left.push(left(address, resource, why, told));
        }
    }

    /// What nobody holds and is called nearly so: it may have been renamed.
    fn nearly(&self, resource: &Resource) -> Vec<&'a LiveObject> {
        let wanted = folded(resource.object.name());
        let free = self
            .live
            .all_of_block(resource.object.kind.block())
            .filter(|object| !object.is_built_in() && !self.taken.contains(&key(object)));
        let mut scored: Vec<(f64, &LiveObject)> = free
            .map(|object| (strsim::jaro_winkler(&folded(object.name()), &wanted), object))
            .filter(|(likeness, _)| *likeness > 0.8)
            .collect();
        scored.sort_by(|(one, _), (other, _)| other.total_cmp(one));
        scored
            .into_iter()
            .map(|(_, object)| object)
            .take(NEARLY)
            .collect()
    }
}

fn is_certain(object: &LiveObject, resource: &Resource) -> bool {
    // The id of a context is chosen: one that has another id is another context.
    let chosen = resource
        .object
        .text("id")
        .filter(|_| object.kind == Kind::Context);
    object.name() == resource.object.name()
        && object.kind == resource.object.kind
        && chosen.is_none_or(|id| id.eq_ignore_ascii_case(&object.id))
}

fn left<'a>(
    address: &Address,
    resource: &Resource,
    why: WhyLeft,
    candidates: impl IntoIterator<Item = &'a LiveObject>,
) -> Left {
    Left {
        address: address.to_string(),
        name: resource.object.name().to_owned(),
        why,
        candidates: candidates
            .into_iter()
            .map(|object| Candidate {
                id: object.id.clone(),
                name: object.name().to_owned(),
            })
            .collect(),
    }
}

fn key(object: &LiveObject) -> (&'static str, String) {
    (object.kind.block(), object.id.to_ascii_lowercase())
}

/// Names that differ only in letters' case or in blanks around them are too near to tell apart.
fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}
