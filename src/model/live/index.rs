//! The live objects by id and by name, for those who look many of them up.

use std::collections::HashMap;

use super::{LiveObject, LiveTenant};
use crate::model::reference::Target;

/// Finds what [`LiveTenant::find`] and [`LiveTenant::of_block`] find, however many objects there are.
#[derive(Debug, Default)]
pub struct LiveIndex<'a> {
    by_id: HashMap<String, Vec<&'a LiveObject>>,
    by_name: HashMap<(&'static str, &'a str), Vec<&'a LiveObject>>,
}

impl<'a> LiveIndex<'a> {
    /// The index of a tenant.
    pub fn of(live: &'a LiveTenant) -> Self {
        Self::of_objects(&live.objects)
    }

    /// The index of some objects.
    pub fn of_objects(objects: &'a [LiveObject]) -> Self {
        let mut index = Self::default();
        for object in objects {
            let id = object.id.to_ascii_lowercase();
            index.by_id.entry(id).or_default().push(object);
            let name = (object.kind.block(), object.name());
            index.by_name.entry(name).or_default().push(object);
        }
        index
    }

    /// The object of that id that a reference to `target` could mean, or the policy when there is no target.
    pub fn find(&self, target: Option<Target>, id: &str) -> Option<&'a LiveObject> {
        self.with_id(id).find(|object| object.kind.target() == target)
    }

    /// The object of that id in a block type: a location is found whichever kind it has become.
    pub fn of_block(&self, block: &str, id: &str) -> Option<&'a LiveObject> {
        self.with_id(id).find(|object| object.kind.block() == block)
    }

    /// The objects of a block type that people call exactly this, in the order of the service.
    pub fn named(&self, block: &'static str, name: &'a str) -> impl Iterator<Item = &'a LiveObject> {
        self.by_name.get(&(block, name)).into_iter().flatten().copied()
    }

    fn with_id(&self, id: &str) -> impl Iterator<Item = &'a LiveObject> {
        let found = self.by_id.get(&id.to_ascii_lowercase());
        found.into_iter().flatten().copied()
    }
}
