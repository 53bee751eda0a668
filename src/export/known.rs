//! What people call the directory objects whose ids stand in an export.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Target;

/// Names of users, groups, applications and so on, by id.
///
/// They come from whatever lies beside the policies: exported groups, migration tables, lists of
/// ids and names. A table that does not say what kind of object an id is names any kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownNames {
    typed: BTreeMap<(Target, String), String>,
    untyped: BTreeMap<String, String>,
    looked_up: BTreeSet<(Target, String)>,
    remarks: BTreeMap<(Target, String), String>,
}

impl KnownNames {
    /// Learns a name. The first name of an id stays.
    pub fn insert(&mut self, target: Option<Target>, id: &str, name: &str) {
        if id.is_empty() || name.is_empty() {
            return;
        }
        let id = id.to_ascii_lowercase();
        match target {
            Some(target) => self.typed.entry((target, id)).or_insert_with(|| name.to_owned()),
            None => self.untyped.entry(id).or_insert_with(|| name.to_owned()),
        };
    }

    /// Says that a look-up by its name finds this object and no other.
    pub fn found_by_name(&mut self, target: Target, id: &str) {
        self.looked_up.insert((target, id.to_ascii_lowercase()));
    }

    /// Says something of an object that a look-up by name does not find, for whoever reads its id.
    pub fn remark(&mut self, target: Target, id: &str, remark: &str) {
        let key = (target, id.to_ascii_lowercase());
        self.remarks.insert(key, remark.to_owned());
    }

    /// The name by which a look-up finds this object and no other, if that is known.
    pub fn look_up(&self, target: Target, id: &str) -> Option<&str> {
        let name = self.name(target, id)?;
        self.looked_up
            .contains(&(target, id.to_ascii_lowercase()))
            .then_some(name)
    }

    /// What is said of an object that a look-up by name does not find.
    pub fn remark_on(&self, target: Target, id: &str) -> Option<&str> {
        self.remarks
            .get(&(target, id.to_ascii_lowercase()))
            .map(String::as_str)
    }

    /// What people call the object.
    pub fn name(&self, target: Target, id: &str) -> Option<&str> {
        let key = (target, id.to_ascii_lowercase());
        self.typed
            .get(&key)
            .or_else(|| self.untyped.get(&key.1))
            .map(String::as_str)
    }

    /// The id of the only object of this kind with this name; none when several have it.
    pub fn id(&self, target: Target, name: &str) -> Option<&str> {
        let mut ids = self
            .typed
            .iter()
            .filter(|((known, _), known_name)| *known == target && known_name.as_str() == name)
            .map(|((_, id), _)| id.as_str());
        ids.next().filter(|_| ids.next().is_none())
    }

    /// How many names are known.
    pub fn len(&self) -> usize {
        self.typed.len() + self.untyped.len()
    }

    /// Whether no name is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
