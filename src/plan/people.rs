//! In which groups and roles people are once some of the writes to groups are done.

use std::collections::BTreeSet;

use crate::access::Truth;
use crate::model::live::People;
use crate::model::wire::members_path;
use crate::model::{Kind, Object, Reference};

use super::build::Draft;
use super::change::Action;

/// What a write does to the members of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Membership {
    /// New members are in it.
    Join,
    /// Old members are out of it.
    Leave,
    /// The group is gone.
    Gone,
}

/// Which writes to the members of groups are done: asked with the number of the draft.
pub(super) type Done<'d> = dyn Fn(usize, Membership) -> bool + 'd;

/// Groups and roles that hold somebody, by the keys that policies call them by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Held {
    /// Those that surely do.
    pub(super) certain: BTreeSet<String>,
    /// Those that may.
    pub(super) possible: BTreeSet<String>,
    /// Whether any other may as well: something could not be read.
    pub(super) is_open: bool,
}

impl Held {
    /// Whether one of them is this group or role.
    pub(super) fn holds(&self, key: &str) -> Truth {
        if self.certain.contains(key) {
            Truth::Yes
        } else if self.is_open || self.possible.contains(key) {
            Truth::Undecided
        } else {
            Truth::No
        }
    }
}

/// Who joins a group and who leaves it.
#[derive(Debug, Clone)]
struct Move {
    draft: usize,
    /// What policies call the group by: its id, or its address while it has none.
    key: String,
    address: String,
    joins: BTreeSet<String>,
    leaves: BTreeSet<String>,
    is_made: bool,
    is_deleted: bool,
}

impl Move {
    fn is(&self, key: &str) -> bool {
        self.key == key || self.address == key
    }
}

/// Who is where, and what moves them.
#[derive(Debug)]
pub(super) struct Belonging<'p> {
    people: &'p People,
    moves: Vec<Move>,
}

/// What a policy calls something by.
pub(super) fn key(reference: &Reference) -> String {
    match reference {
        Reference::Id { id, .. } => id.to_ascii_lowercase(),
        Reference::Managed { address, .. } => address.to_string(),
        Reference::Lookup(lookup) => lookup.name.clone(),
        Reference::Keyword(word) => word.to_ascii_lowercase(),
    }
}

impl<'p> Belonging<'p> {
    /// What was read, and the groups that these drafts write.
    pub(super) fn of(people: &'p People, drafts: &[Draft<'_>]) -> Self {
        let mut moves = Vec::new();
        for (number, draft) in drafts.iter().enumerate() {
            let change = &draft.change;
            if change.kind != Kind::Group {
                continue;
            }
            let members = |object: Option<&Object>| -> BTreeSet<String> {
                let all = object
                    .into_iter()
                    .flat_map(|object| object.reference_set(members_path()));
                all.map(key).collect()
            };
            let (old, new) = (members(change.before.as_ref()), members(change.after.as_ref()));
            let is_owned = change
                .after
                .as_ref()
                .is_some_and(|after| after.get(members_path()).is_some());
            let blank = Move {
                draft: number,
                key: change.address.to_string(),
                address: change.address.to_string(),
                joins: BTreeSet::new(),
                leaves: BTreeSet::new(),
                is_made: false,
                is_deleted: false,
            };
            let known = change.id.clone().unwrap_or_default();
            match change.action {
                Action::Create | Action::Replace => {
                    moves.push(Move {
                        joins: new,
                        is_made: true,
                        ..blank.clone()
                    });
                    if change.action == Action::Replace {
                        moves.push(Move {
                            key: known.clone(),
                            address: known,
                            is_deleted: true,
                            ..blank
                        });
                    }
                }
                Action::Update if is_owned => moves.push(Move {
                    key: known,
                    joins: new.difference(&old).cloned().collect(),
                    leaves: old.difference(&new).cloned().collect(),
                    ..blank
                }),
                Action::Delete => moves.push(Move {
                    key: known,
                    is_deleted: true,
                    ..blank
                }),
                _ => {}
            }
        }
        Self { people, moves }
    }

    /// A draft by which somebody's groups may change.
    pub(super) fn any_draft(&self) -> Option<usize> {
        self.moves.first().map(|one| one.draft)
    }

    /// The drafts by which the groups of these people may change.
    pub(super) fn drafts_that_move(&self, people: &BTreeSet<String>) -> BTreeSet<usize> {
        let direct = people.iter().filter_map(|who| self.people.direct.get(who));
        let mut groups: BTreeSet<&String> = direct.flat_map(|held| &held.groups).collect();
        groups.extend(self.people.around.values().flat_map(|held| &held.groups));
        let is_about = |who: &String| people.contains(who) || self.people.around.contains_key(who);
        let moves = self.moves.iter().filter(|one| {
            one.is_deleted && groups.contains(&one.key)
                || one
                    .joins
                    .iter()
                    .chain(&one.leaves)
                    .any(|who| is_about(who) || self.moves.iter().any(|group| group.is(who)))
        });
        moves.map(|one| one.draft).collect()
    }

    /// The users that may be in a group at one time or another; none when they could not be read.
    pub(super) fn ever_in(&self, group: &str) -> Option<BTreeSet<String>> {
        let made = self.moves.iter().filter(|one| one.is_made && one.is(group));
        let mut all = match self.people.members.get(group) {
            Some(members) => members.clone(),
            None if made.count() > 0 => BTreeSet::new(),
            None => return None,
        };
        for one in self.moves.iter().filter(|one| one.is(group)) {
            all.extend(one.joins.iter().cloned());
        }
        Some(all)
    }

    /// The groups and roles of somebody.
    pub(super) fn of_person(&self, who: &str, done: &Done<'_>) -> Held {
        let mut held = Held::default();
        match self.people.direct.get(who) {
            Some(direct) => {
                held.certain.extend(direct.roles.iter().cloned());
                for group in &direct.groups {
                    let has_left = self.moves.iter().any(|one| {
                        one.is(group) && one.leaves.contains(who) && done(one.draft, Membership::Leave)
                    });
                    if !has_left {
                        self.reach(group, true, done, &mut held);
                    }
                }
            }
            None => held.is_open = true,
        }
        self.join(who, true, done, &mut held);
        held.possible.retain(|key| !held.certain.contains(key));
        held
    }

    /// Takes in what holds a group: itself, and what is around it.
    fn reach(&self, group: &str, is_certain: bool, done: &Done<'_>, held: &mut Held) {
        let is_gone = |key: &str| {
            let gone = |one: &Move| one.is_deleted && one.is(key) && done(one.draft, Membership::Gone);
            self.moves.iter().any(gone)
        };
        if is_gone(group) {
            return;
        }
        let set = if is_certain {
            &mut held.certain
        } else {
            &mut held.possible
        };
        if !set.insert(group.to_owned()) {
            return;
        }
        if let Some(made) = self.moves.iter().find(|one| one.is(group)) {
            // The same group, called by its id and by its address.
            set.extend([made.key.clone(), made.address.clone()]);
        }
        if let Some(around) = self.people.around.get(group) {
            // Where one of them is gone, or was left, the way to those around it may have led through it.
            let is_cut = |key: &String| {
                let left = |one: &Move| {
                    one.is(key) && !one.leaves.is_empty() && done(one.draft, Membership::Leave) && {
                        let inside = |inner: &String| inner == group || around.groups.contains(inner);
                        one.leaves.iter().any(inside)
                    }
                };
                is_gone(key) || self.moves.iter().any(left)
            };
            let is_whole = !around.groups.iter().any(is_cut);
            for holder in around.groups.iter().filter(|holder| !is_gone(holder)) {
                if is_certain && is_whole {
                    held.certain.insert(holder.clone());
                } else {
                    held.possible.insert(holder.clone());
                }
                self.join(holder, is_certain && is_whole, done, held);
            }
            let roles = if is_certain && is_whole {
                &mut held.certain
            } else {
                &mut held.possible
            };
            roles.extend(around.roles.iter().cloned());
        } else if !self.moves.iter().any(|one| one.is_made && one.is(group)) {
            held.is_open = true;
        }
        self.join(group, is_certain, done, held);
    }

    /// Takes in the groups that somebody, or a group, joins.
    fn join(&self, who: &str, is_certain: bool, done: &Done<'_>, held: &mut Held) {
        for one in &self.moves {
            let joins = one
                .joins
                .iter()
                .any(|joining| joining == who || self.is_same(joining, who));
            if joins && done(one.draft, Membership::Join) {
                self.reach(&one.key, is_certain, done, held);
            }
        }
    }

    fn is_same(&self, one: &str, other: &str) -> bool {
        self.moves.iter().any(|group| group.is(one) && group.is(other))
    }
}
