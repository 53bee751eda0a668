//! Who refers to what, the other way round: from an object to those that name it.

use std::collections::HashMap;

use crate::model::{Object, Reference, Target};

use super::build::Draft;

/// The numbers of the objects that refer to an id.
#[derive(Debug, Default)]
pub(super) struct Users<'a> {
    by_id: HashMap<(Target, &'a str), Vec<usize>>,
}

impl<'a> Users<'a> {
    /// What these objects refer to.
    pub(super) fn of(objects: impl Iterator<Item = (usize, &'a Object)>) -> Self {
        let mut users = Self::default();
        for (number, object) in objects {
            for (_, reference) in object.references() {
                let Reference::Id { target, id } = reference else {
                    continue;
                };
                let numbers = users.by_id.entry((*target, id.as_str())).or_default();
                if numbers.last() != Some(&number) {
                    numbers.push(number);
                }
            }
        }
        users
    }

    /// The numbers of those that refer to what the draft has live, in order.
    pub(super) fn of_draft(&self, draft: &'a Draft<'_>) -> impl Iterator<Item = usize> {
        draft
            .live
            .and_then(|live| self.by_id.get(&(live.kind.target()?, live.id.as_str())))
            .into_iter()
            .flatten()
            .copied()
    }
}
