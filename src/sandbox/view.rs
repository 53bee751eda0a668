//! What a reader sees of a tenant whose copies do not agree yet.

use std::collections::BTreeMap;

use serde_json::Value;

use super::tenant::Kind;

/// What a write put something else in the place of.
#[derive(Clone, Debug)]
pub(super) enum Replaced {
    /// An object; nothing if there was none.
    Object(Kind, String, Option<Value>),
    /// The members of a group or holders of a role.
    Members(String, Vec<String>),
}

/// Objects as they were, by kind and id; nothing where there was none.
type Older = BTreeMap<Kind, BTreeMap<String, Option<Value>>>;

/// What stands in the place of the truth while one request is answered.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    lists: Older,
    reads: Older,
    members: BTreeMap<String, Vec<String>>,
}

impl View {
    /// Returns what lists show instead, for a kind.
    pub(super) fn listed(&self, kind: Kind) -> Option<&BTreeMap<String, Option<Value>>> {
        self.lists.get(&kind)
    }

    /// Returns what reading by id shows instead, if it shows something else; nothing in it is a 404.
    pub(super) fn read(&self, kind: Kind, id: &str) -> Option<&Option<Value>> {
        self.reads.get(&kind)?.get(id)
    }

    /// Returns the members that a group seems to have.
    pub(super) fn members(&self, id: &str) -> Option<&[String]> {
        self.members.get(id).map(Vec::as_slice)
    }

    /// Lets lists show what was before; the first word on an object counts.
    pub(super) fn lists_show(&mut self, replaced: &Replaced) {
        match replaced {
            Replaced::Object(kind, id, value) => show(&mut self.lists, *kind, id, value.as_ref()),
            Replaced::Members(id, members) => {
                self.members.entry(id.clone()).or_insert_with(|| members.clone());
            }
        }
    }

    /// Lets reads by id show what was before; the first word on an object counts.
    pub(super) fn reads_show(&mut self, replaced: &Replaced) {
        if let Replaced::Object(kind, id, value) = replaced {
            show(&mut self.reads, *kind, id, value.as_ref());
        }
    }

    pub(super) fn hide_from_lists(&mut self, (kind, id): (Kind, &String)) {
        self.lists.entry(kind).or_default().insert(id.clone(), None);
    }

    pub(super) fn hide_from_reads(&mut self, (kind, id): (Kind, &String)) {
        self.reads.entry(kind).or_default().insert(id.clone(), None);
    }
}

fn show(older: &mut Older, kind: Kind, id: &str, value: Option<&Value>) {
    older
        .entry(kind)
        .or_default()
        .entry(id.to_owned())
        .or_insert_with(|| value.cloned());
}
