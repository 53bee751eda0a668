//! What holds between the writes of a change: at no instant is a sign-in less protected than at both ends, and at none is
//! one kept out that is let in at both.
//!
//! Writes that do not wait for one another may be done in any order, and any of them may fail, so every set of writes that
//! holds what each of them waits for is an instant. Only those policies count that stand otherwise in some of them. For
//! each thing that such a policy does before the change, and one after it, a sign-in is looked for with which nobody does
//! it at some instant. Where there is one, the writes are put in an order in which that instant is none.

mod waits;

pub use waits::Waits;

use std::collections::BTreeSet;

use super::deed::Deed;
use super::estate::Estate;
use super::policy::Policy;
use super::symbolic::{Mask, Near, Reading, Space, SpaceError, Subject, TooMany, Wanted};
use waits::solve;

/// How many states one question may take before it counts as too hard to decide.
const PATIENCE: u64 = 50_000;

/// How many ways to meet all demands together are tried.
const MOST_TRIES: usize = 20_000;

/// How often all is asked again.
const MOST_ROUNDS: usize = 20;

/// A policy at an instant, with the locations and strengths that it refers to as they are then.
#[derive(Debug, Clone, Copy)]
pub struct Version<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// What its references mean.
    pub estate: &'a Estate,
}

impl<'a> Version<'a> {
    fn deeds(&self) -> Vec<Deed<'a>> {
        Deed::all_of(self.policy, self.estate)
    }

    fn does(&self, deed: &Deed<'_>) -> bool {
        deed.is_done_by(self.policy, self.estate)
    }
}

/// A policy that stands otherwise at some instants than at others.
#[derive(Debug, Clone, Default)]
pub struct Moving<'a> {
    /// The writes that it depends on.
    pub writes: BTreeSet<usize>,
    /// Which of them may be done together, and how it then stands: by its place in `versions`, or not in force.
    pub states: Vec<(BTreeSet<usize>, Option<usize>)>,
    /// How it may stand.
    pub versions: Vec<Version<'a>>,
}

/// What is wrong at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// Less is asked for than before and after.
    Unprotected,
    /// A sign-in is blocked that is let in before and after.
    LockedOut,
    /// There are too many combinations to decide.
    Undecided,
    /// What whoever asks knows to be wrong, by its place among what is forbidden.
    Forbidden(usize),
}

/// Writes of which just these must not be done while the others are not, whatever the policies do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forbidden {
    /// The writes that it is about.
    pub writes: BTreeSet<usize>,
    /// Those of them that are done: some, and not all.
    pub done: BTreeSet<usize>,
}

/// Two writes of which either first is wrong, or of which that can't be ruled out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conflict {
    /// What is wrong in between.
    pub wrong: Wrong,
    /// The write by which something is lost.
    pub first: usize,
    /// The write that would have to come before it.
    pub second: usize,
}

/// An order that keeps everybody protected and let in, as far as there is one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secured {
    /// Writes that must wait for others: the earlier, the later.
    pub edges: Vec<(usize, usize)>,
    /// What no order mends.
    pub conflicts: Vec<Conflict>,
}

/// Finds an order in which no instant is worse than both ends, over policies that stay and policies that move, and none
/// is forbidden.
///
/// Errors when the policies can't be told apart exactly.
pub fn secure(
    fixed: &[Version<'_>],
    moving: &[Moving<'_>],
    waits: &Waits,
    forbidden: &[Forbidden],
) -> Result<Secured, SpaceError> {
    let versions: usize = moving.iter().map(|policy| policy.versions.len()).sum();
    match fixed.len() + versions {
        0..=64 => Instants::<1>::secure(fixed, moving, waits, forbidden),
        65..=256 => Instants::<4>::secure(fixed, moving, waits, forbidden),
        257..=1024 => Instants::<16>::secure(fixed, moving, waits, forbidden),
        _ => Instants::<64>::secure(fixed, moving, waits, forbidden),
    }
}

/// What is done at an instant of the writes that count, and which those are.
type Instant = (BTreeSet<usize>, BTreeSet<usize>);

/// Writes that are done, or not, as far as that is settled.
#[derive(Debug, Clone, Default)]
struct Settled {
    done: BTreeSet<usize>,
    open: BTreeSet<usize>,
}

impl Settled {
    fn allows(&self, done: &BTreeSet<usize>, among: &BTreeSet<usize>) -> bool {
        among.iter().all(|write| {
            if done.contains(write) {
                !self.open.contains(write)
            } else {
                !self.done.contains(write)
            }
        })
    }

    fn with(&self, done: &BTreeSet<usize>, among: &BTreeSet<usize>, waits: &Waits) -> Option<Self> {
        let mut next = self.clone();
        for write in among {
            if done.contains(write) {
                next.done.insert(*write);
                next.done
                    .extend(waits.earlier.get(*write).into_iter().flatten().copied());
            } else {
                next.open.insert(*write);
                next.open
                    .extend((0..waits.earlier.len()).filter(|later| waits.is_before(*write, *later)));
            }
        }
        next.done.is_disjoint(&next.open).then_some(next)
    }
}

/// All policies in all their versions, and the order as it is by now.
struct Instants<'a, const W: usize> {
    space: Space<W>,
    fixed: &'a [Version<'a>],
    moving: &'a [Moving<'a>],
    /// The bit of the first version of each that moves.
    first: Vec<usize>,
    given: &'a Waits,
    waits: Waits,
    /// Of each instant that must not be, the pairs of which one in order makes it none.
    demands: Vec<Vec<(usize, usize)>>,
    conflicts: Vec<Conflict>,
    /// Whether an order was given up for another one.
    is_solved_anew: bool,
}

impl<'a, const W: usize> Instants<'a, W> {
    fn secure(
        fixed: &'a [Version<'a>],
        moving: &'a [Moving<'a>],
        waits: &'a Waits,
        forbidden: &'a [Forbidden],
    ) -> Result<Secured, SpaceError> {
        let mut first = Vec::new();
        let mut next = fixed.len();
        for policy in moving {
            first.push(next);
            next += policy.versions.len();
        }
        let subjects: Vec<Subject<'_>> = fixed
            .iter()
            .chain(moving.iter().flat_map(|policy| &policy.versions))
            .map(|version| Subject {
                policy: version.policy,
                estate: version.estate,
            })
            .collect();
        let mut instants = Self {
            space: Space::new(&subjects, None, Reading::Possible)?,
            fixed,
            moving,
            first,
            given: waits,
            waits: waits.clone(),
            demands: Vec::new(),
            conflicts: Vec::new(),
            is_solved_anew: false,
        };
        // Where an order was found only by giving another one up, all is asked again.
        let mut rounds = 0;
        loop {
            instants.is_solved_anew = false;
            for (place, instant) in forbidden.iter().enumerate() {
                instants.keep_away(place, instant);
            }
            for place in 0..moving.len() {
                instants.keep_protected(place);
                instants.keep_in(place);
            }
            rounds += 1;
            if !instants.is_solved_anew {
                return Ok(instants.secured());
            }
            if rounds > MOST_ROUNDS {
                instants.conflict(Wrong::Undecided, 0, moving.len().saturating_sub(1));
                return Ok(instants.secured());
            }
        }
    }

    fn secured(self) -> Secured {
        let mut edges = Vec::new();
        for (later, waits) in self.waits.earlier.iter().enumerate() {
            for earlier in waits {
                if !self.given.is_before(*earlier, later) {
                    edges.push((*earlier, later));
                }
            }
        }
        Secured {
            edges,
            conflicts: self.conflicts,
        }
    }

    /// How a policy stands before anything is done, or when all is.
    fn end(&self, place: usize, is_after: bool) -> Option<(usize, Version<'a>)> {
        let policy = self.moving.get(place)?;
        let state = policy.states.iter().find(|(done, _)| {
            if is_after {
                done.len() == policy.writes.len()
            } else {
                done.is_empty()
            }
        });
        let version = state?.1?;
        Some((
            self.first.get(place)? + version,
            policy.versions.get(version).copied()?,
        ))
    }

    /// Nothing that this policy does before, and somebody after, may be done by nobody in between.
    fn keep_protected(&mut self, place: usize) {
        let Some((own, version)) = self.end(place, false) else {
            return;
        };
        let near = self.space.near(own, None);
        for other in 0..self.moving.len() {
            let Some((end, then)) = self.end(other, true) else {
                continue;
            };
            if !near.meets.contains(end) || self.is_settled(place, other) {
                continue;
            }
            for deed in version.deeds().into_iter().chain(then.deeds()) {
                if !version.does(&deed) || !then.does(&deed) {
                    continue;
                }
                let question = Question {
                    near: &near,
                    all: Mask::from_iter([own, end]),
                    fixed: places(self.fixed.iter(), 0, |version| version.does(&deed)),
                    deed: &deed,
                };
                self.keep(&question, place, other);
            }
        }
    }

    /// Whether one write of another policy surely comes before the one write of this one.
    fn is_settled(&self, place: usize, other: usize) -> bool {
        let only = |place: usize| {
            let writes = &self.moving.get(place)?.writes;
            writes.first().filter(|_| writes.len() == 1).copied()
        };
        match (only(place), only(other)) {
            (Some(later), Some(earlier)) => self.waits.is_before(earlier, later),
            _ => false,
        }
    }

    fn keep(&mut self, question: &Question<'_, 'a, W>, place: usize, other: usize) {
        let mut patience = PATIENCE;
        loop {
            let found = match self.instant(question, &Settled::default(), &mut patience) {
                Ok(None) => return,
                Ok(Some(found)) => Some(found),
                Err(TooMany) => None,
            };
            let Some((done, among)) = found else {
                self.conflict(Wrong::Undecided, place, other);
                return;
            };
            // Rather the one that this question is about.
            let own = self.writes(place);
            let theirs = self.writes(other);
            let rank = |pair: &(usize, usize)| {
                (
                    !(theirs.contains(&pair.0) && own.contains(&pair.1)),
                    !theirs.contains(&pair.0),
                    *pair,
                )
            };
            let mut pairs: Vec<(usize, usize)> = among
                .difference(&done)
                .flat_map(|earlier| done.iter().map(|later| (*earlier, *later)))
                .collect();
            pairs.sort_by_key(rank);
            if !self.demand(pairs) {
                self.conflict(Wrong::Unprotected, place, other);
                return;
            }
        }
    }

    fn writes(&self, place: usize) -> BTreeSet<usize> {
        self.moving
            .get(place)
            .map(|policy| policy.writes.clone())
            .unwrap_or_default()
    }

    fn conflict(&mut self, wrong: Wrong, place: usize, other: usize) {
        let write = |place: usize| self.moving.get(place)?.writes.first().copied();
        let (Some(first), Some(second)) = (write(place), write(other)) else {
            return;
        };
        let is_known = self.conflicts.iter().any(|known| {
            known.wrong == wrong && [(first, second), (second, first)].contains(&(known.first, known.second))
        });
        if !is_known {
            self.conflicts.push(Conflict { wrong, first, second });
        }
    }

    /// Of an instant that must not be: one of these pairs comes in order. Whether that can be, with all demands before.
    fn demand(&mut self, pairs: Vec<(usize, usize)>) -> bool {
        self.demands.push(pairs);
        let mut tries = MOST_TRIES;
        if let Some(waits) = solve(&self.waits, self.demands.last().into_iter(), &mut tries) {
            self.waits = waits;
            return true;
        }
        if let Some(waits) = solve(self.given, self.demands.iter(), &mut tries) {
            self.waits = waits;
            self.is_solved_anew = true;
            return true;
        }
        self.demands.pop();
        false
    }

    /// An instant at which a sign-in that the question is about meets nobody who does the deed: what is done then of the
    /// writes that count, and which those are.
    fn instant(
        &self,
        question: &Question<'_, 'a, W>,
        settled: &Settled,
        patience: &mut u64,
    ) -> Result<Option<Instant>, TooMany> {
        let mut none = question.fixed;
        for (place, policy) in self.moving.iter().enumerate() {
            let mut left = policy
                .states
                .iter()
                .filter(|(done, _)| settled.allows(done, &policy.writes))
                .map(|(_, version)| *version);
            let Some(first) = left.next() else { return Ok(None) };
            if left.all(|version| version == first)
                && let Some(version) = first
                && self.does(question, place, version)
            {
                none.insert(self.first.get(place).copied().unwrap_or_default() + version);
            }
        }
        let wanted = Wanted {
            all: question.all,
            none,
        };
        let found = self.space.find_near(question.near, &wanted, None, patience)?;
        let Some(found) = found else { return Ok(None) };
        // Of this very sign-in, who does it in which states.
        let mut counting: Vec<(usize, Vec<&BTreeSet<usize>>)> = Vec::new();
        for (place, policy) in self.moving.iter().enumerate() {
            let catches = |version: usize| {
                let bit = self.first.get(place).copied().unwrap_or_default() + version;
                found.caught_by.contains(bit) && self.does(question, place, version)
            };
            let fails: Vec<&BTreeSet<usize>> = policy
                .states
                .iter()
                .filter(|(_, version)| !version.is_some_and(catches))
                .map(|(done, _)| done)
                .collect();
            if fails.len() < policy.states.len() {
                counting.push((place, fails));
            }
        }
        if let Some(instant) = self.all_fail(&counting, settled) {
            let among: BTreeSet<usize> = counting
                .iter()
                .flat_map(|(place, _)| self.writes(*place))
                .collect();
            let done = instant.done.intersection(&among).copied().collect();
            return Ok(Some((done, among)));
        }
        // Somebody does it at every instant: then that one must not catch the sign-in, in one state or another.
        for (place, _) in &counting {
            let Some(policy) = self.moving.get(*place) else {
                continue;
            };
            let left: Vec<&BTreeSet<usize>> = policy
                .states
                .iter()
                .map(|(done, _)| done)
                .filter(|done| settled.allows(done, &policy.writes))
                .collect();
            if left.len() < 2 {
                continue;
            }
            for done in left {
                if let Some(next) = settled.with(done, &policy.writes, &self.waits)
                    && let Some(found) = self.instant(question, &next, patience)?
                {
                    return Ok(Some(found));
                }
            }
            return Ok(None);
        }
        Ok(None)
    }

    fn does(&self, question: &Question<'_, 'a, W>, place: usize, version: usize) -> bool {
        let version = self
            .moving
            .get(place)
            .and_then(|policy| policy.versions.get(version));
        version.is_some_and(|version| version.does(question.deed))
    }

    /// An instant at which each of these is in one of the states in which it does not do it.
    fn all_fail(&self, counting: &[(usize, Vec<&BTreeSet<usize>>)], settled: &Settled) -> Option<Settled> {
        let Some(((place, fails), rest)) = counting.split_first() else {
            return Some(settled.clone());
        };
        let writes = &self.moving.get(*place)?.writes;
        fails
            .iter()
            .filter(|done| settled.allows(done, writes))
            .find_map(|done| {
                let next = settled.with(done, writes, &self.waits)?;
                self.all_fail(rest, &next)
            })
    }

    /// Some writes must not be done while others are not.
    fn keep_away(&mut self, place: usize, forbidden: &Forbidden) {
        if self.waits.is_closed(&forbidden.done, &forbidden.writes) {
            self.part(&forbidden.writes, &forbidden.done, Wrong::Forbidden(place));
        }
    }

    /// One of the writes that are left comes before one of those that are done, or both are in conflict.
    fn part(&mut self, writes: &BTreeSet<usize>, done: &BTreeSet<usize>, wrong: Wrong) {
        let pairs: Vec<(usize, usize)> = writes
            .difference(done)
            .flat_map(|earlier| done.iter().map(|later| (*earlier, *later)))
            .collect();
        let apart = pairs.first().copied();
        if !self.demand(pairs)
            && let Some((second, first)) = apart
        {
            self.conflicts.push(Conflict { wrong, first, second });
        }
    }

    /// In none of its states in between may a policy block what is let in at both ends.
    fn keep_in(&mut self, place: usize) {
        let Some(policy) = self.moving.get(place) else {
            return;
        };
        let (start, end) = (self.end(place, false), self.end(place, true));
        let ends = [start.map(|(bit, _)| bit), end.map(|(bit, _)| bit)];
        let mut blockers: Mask<W> = places(self.fixed.iter(), 0, |version| version.policy.blocks());
        for other in 0..self.moving.len() {
            for (bit, version) in [self.end(other, false), self.end(other, true)]
                .into_iter()
                .flatten()
            {
                if version.policy.blocks() {
                    blockers.insert(bit);
                }
            }
        }
        let first = self.first.get(place).copied().unwrap_or_default();
        for (done, version) in &policy.states {
            let Some((bit, at)) =
                version.and_then(|version| Some((first + version, policy.versions.get(version)?)))
            else {
                continue;
            };
            if !at.policy.blocks() || ends.contains(&Some(bit)) || !self.waits.is_closed(done, &policy.writes)
            {
                continue;
            }
            let mut patience = PATIENCE;
            let near = self.space.near(bit, None);
            let wanted = Wanted {
                all: Mask::from_iter([bit]),
                none: blockers,
            };
            match self.space.find_near(&near, &wanted, None, &mut patience) {
                Ok(None) => {}
                Ok(Some(_)) => self.part(&policy.writes, done, Wrong::LockedOut),
                Err(_) => self.conflict(Wrong::Undecided, place, place),
            }
        }
    }
}

/// What is asked about one deed, of what two policies catch.
struct Question<'q, 'a, const W: usize> {
    deed: &'q Deed<'a>,
    near: &'q Near<W>,
    all: Mask<W>,
    /// Those that always do it.
    fixed: Mask<W>,
}

fn places<'v, 'a: 'v, const W: usize>(
    versions: impl Iterator<Item = &'v Version<'a>>,
    first: usize,
    holds: impl Fn(&Version<'a>) -> bool,
) -> Mask<W> {
    versions
        .enumerate()
        .filter(|(_, version)| holds(version))
        .map(|(place, _)| first + place)
        .collect()
}

#[cfg(test)]
mod tests;
