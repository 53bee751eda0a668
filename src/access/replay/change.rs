//! What a change does to one sign-in.

use fixedbitset::FixedBitSet;

use super::{Joined, Replay};
use crate::access::demand::{asks_for, clauses};
use crate::access::estate::Estate;
use crate::access::session::Session;

/// What a change does to one sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// It is blocked, and was not.
    NewlyBlocked,
    /// More is asked for.
    NewlyPrompted,
    /// It is no longer blocked.
    NoLongerBlocked,
    /// Less is asked for.
    LessAsked,
    /// Only the session is another.
    SessionOnly,
    /// Nothing.
    Unchanged,
}

impl Change {
    /// Each of them.
    pub const ALL: [Self; 6] = [
        Self::NewlyBlocked,
        Self::NewlyPrompted,
        Self::NoLongerBlocked,
        Self::LessAsked,
        Self::SessionOnly,
        Self::Unchanged,
    ];

    /// Its word in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::NewlyBlocked => "newly_blocked",
            Self::NewlyPrompted => "newly_prompted",
            Self::NoLongerBlocked => "no_longer_blocked",
            Self::LessAsked => "less_asked",
            Self::SessionOnly => "session_only",
            Self::Unchanged => "unchanged",
        }
    }
}

/// What is known of what a change does to one sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judged {
    /// This.
    Decided(Change),
    /// It depends on whether these policies match, which the line does not tell.
    Undecided(Vec<usize>),
}

/// Beyond so many undecided policies no sign-in is judged.
const MOST_UNDECIDED: usize = 8;

/// Something that a policy asks for.
#[derive(Debug)]
pub(super) struct Clause {
    place: usize,
    is_after: bool,
    /// The policies on the other side that ask for it as well.
    covered_by: FixedBitSet,
}

/// All that the policies of both estates ask for.
pub(super) fn clauses_of(before: &Estate, after: &Estate) -> Vec<Clause> {
    let middle = before.policies().len();
    let count = middle + after.policies().len();
    let mut all = Vec::new();
    for (mine, other, is_after) in [(before, after, false), (after, before, true)] {
        let (offset, other_offset) = if is_after { (middle, 0) } else { (0, middle) };
        for (place, policy) in mine.policies().iter().enumerate() {
            if policy.blocks() {
                continue;
            }
            for clause in policy.grant.iter().flat_map(clauses) {
                let mut covered_by = FixedBitSet::with_capacity(count);
                for (there, candidate) in other.policies().iter().enumerate() {
                    if asks_for(candidate, other, &clause, mine) {
                        covered_by.insert(there + other_offset);
                    }
                }
                all.push(Clause {
                    place: place + offset,
                    is_after,
                    covered_by,
                });
            }
        }
    }
    all
}

impl Replay<'_> {
    /// What the change does to a sign-in. `is_modern` when its client can do what a policy asks for.
    pub fn judge(&self, joined: &Joined, is_modern: bool) -> Judged {
        let mut open = joined.undecided.clone();
        open.intersect_with(&self.enforced);
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for place in open.ones() {
            let twin = place
                .checked_sub(self.middle)
                .and_then(|after| *self.twins.get(after)?);
            match groups
                .iter_mut()
                .find(|group| twin.is_some_and(|twin| group.contains(&twin)))
            {
                Some(group) => group.push(place),
                None => groups.push(vec![place]),
            }
        }
        let mut sure = self.enforced.clone();
        sure.difference_with(&joined.no);
        sure.difference_with(&joined.undecided);
        if groups.is_empty() {
            return Judged::Decided(self.change(&sure, is_modern));
        }
        if groups.len() > MOST_UNDECIDED {
            return Judged::Undecided(groups.concat());
        }
        let all: Vec<Change> = (0..1_usize << groups.len())
            .map(|choice| {
                let mut applied = sure.clone();
                let chosen = groups
                    .iter()
                    .enumerate()
                    .filter(|(bit, _)| choice & (1 << bit) != 0);
                for place in chosen.flat_map(|(_, group)| group) {
                    applied.insert(*place);
                }
                self.change(&applied, is_modern)
            })
            .collect();
        let matters =
            |bit: usize| (0..all.len()).any(|choice| all.get(choice) != all.get(choice ^ (1 << bit)));
        let deciding: Vec<usize> = groups
            .iter()
            .enumerate()
            .filter(|(bit, _)| matters(*bit))
            .flat_map(|(_, group)| group.iter().copied())
            .collect();
        match all.first() {
            Some(change) if deciding.is_empty() => Judged::Decided(*change),
            _ => Judged::Undecided(deciding),
        }
    }

    /// What the change does where just these policies are in force and match.
    fn change(&self, applied: &FixedBitSet, is_modern: bool) -> Change {
        let halves = |bits: &FixedBitSet| -> (bool, bool) {
            let mut both = applied.clone();
            both.intersect_with(bits);
            let (mut before, mut after) = (false, false);
            for place in both.ones() {
                if place < self.middle {
                    before = true;
                } else {
                    after = true;
                }
            }
            (before, after)
        };
        let blocked = halves(&self.blocking);
        // Older protocols can do nothing that is asked for.
        let denied = if is_modern {
            (false, false)
        } else {
            halves(&self.asking)
        };
        match (blocked.0 || denied.0, blocked.1 || denied.1) {
            (false, true) => return Change::NewlyBlocked,
            (true, false) => return Change::NoLongerBlocked,
            (true, true) => return Change::Unchanged,
            (false, false) => {}
        }
        let new = |is_after: bool| {
            self.clauses.iter().any(|clause| {
                clause.is_after == is_after
                    && applied.contains(clause.place)
                    && applied.is_disjoint(&clause.covered_by)
            })
        };
        if new(true) {
            return Change::NewlyPrompted;
        }
        if new(false) {
            return Change::LessAsked;
        }
        let (mut before, mut after) = (Session::default(), Session::default());
        for (place, policy, _) in self.all() {
            if applied.contains(place) {
                let session = if place < self.middle {
                    &mut before
                } else {
                    &mut after
                };
                session.take_in(&policy.session);
            }
        }
        if before == after {
            Change::Unchanged
        } else {
            Change::SessionOnly
        }
    }
}
