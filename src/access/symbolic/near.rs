//! How all other policies stand to one: which can catch a sign-in with it, and which catch all that it catches.
//!
//! Conditions are independent, so each is looked at by itself, for all policies at once: of every way to go through its
//! factors only what came of it is kept, as sets of policies. What this settles needs no search.

use super::facet::Facet;
use super::mask::Mask;
use super::search::{Found, Wanted};
use super::space::{Factor, Realm, Space};

/// A search that took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

/// How others stand to one policy, or to the part of it that a mixed one does not catch.
#[derive(Debug, Clone)]
pub struct Near<const W: usize> {
    realms: Vec<Stand<W>>,
    /// The policies that can catch a sign-in with it.
    pub meets: Mask<W>,
}

/// The same among one kind of identities; nothing when it catches none of them.
#[derive(Debug, Clone, Copy)]
struct Stand<const W: usize> {
    meets: Mask<W>,
    covers: Mask<W>,
    is_empty: bool,
}

/// What became of the policy itself, and of the mixed one: whether each is included, and the mixed one excluded.
const OWN: usize = 1;
const PART: usize = 2;
const PART_EXCLUDED: usize = 4;
/// What became of every other policy.
const INCLUDED: usize = 1;
const EXCLUDED: usize = 2;

type Ways<const W: usize> = [[Mask<W>; 4]; 8];

impl<const W: usize> Space<W> {
    /// How others stand to the policy at a place. With `part`, to what it catches beyond the policy there, from which it
    /// differs in one condition.
    pub fn near(&self, own: usize, part: Option<usize>) -> Near<W> {
        let realms: Vec<Stand<W>> = self.realms.iter().map(|realm| realm.near(own, part)).collect();
        let mut meets = Mask::default();
        for stand in realms.iter().filter(|stand| !stand.is_empty) {
            meets |= stand.meets;
        }
        Near { realms, meets }
    }

    /// A sign-in that is wanted, where what is wanted is caught by the policy that `near` is about, and not by the
    /// mixed one. `patience` is how many more steps may be taken.
    pub fn find_near(
        &self,
        near: &Near<W>,
        wanted: &Wanted<W>,
        part: Option<usize>,
        patience: &mut u64,
    ) -> Result<Option<Found<W>>, TooMany> {
        self.find_near_of(near, wanted, part, &|_| true, patience)
    }

    /// The same, of a sign-in whose facts `may` all be.
    pub fn find_near_of(
        &self,
        near: &Near<W>,
        wanted: &Wanted<W>,
        part: Option<usize>,
        may: &dyn Fn(&Facet) -> bool,
        patience: &mut u64,
    ) -> Result<Option<Found<W>>, TooMany> {
        let part: Mask<W> = part.into_iter().collect();
        for (realm, stand) in self.realms.iter().zip(&near.realms) {
            let is_settled =
                stand.is_empty || wanted.none.meets(&stand.covers) || !wanted.all.is_within(&stand.meets);
            if is_settled {
                continue;
            }
            let wanted = Wanted {
                all: wanted.all,
                none: (wanted.none & stand.meets) | part,
            };
            if let Some(found) = realm.find_within(&wanted, may, patience)? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

impl<const W: usize> Realm<W> {
    fn near(&self, own: usize, part: Option<usize>) -> Stand<W> {
        let mut stand = Stand {
            meets: !Mask::default(),
            covers: !Mask::default(),
            is_empty: false,
        };
        let mut is_beyond = part.is_none();
        for condition in self.factors.split_inclusive(|factor| factor.ends) {
            let ways = ways(condition, own, part);
            let is_own = |state: usize| state & OWN != 0;
            let is_part = |state: usize| state & PART != 0 && state & PART_EXCLUDED == 0;
            let beyond: Vec<usize> = (0..8)
                .filter(|state| is_own(*state) && !is_part(*state) && is_reached(&ways, *state))
                .collect();
            let states: Vec<usize> = if part.is_some() && !beyond.is_empty() {
                is_beyond = true;
                beyond
            } else {
                (0..8).filter(|state| is_own(*state)).collect()
            };
            let (mut with, mut without) = (Mask::default(), Mask::default());
            for state in states {
                for (other, policies) in ways.get(state).into_iter().flatten().enumerate() {
                    if other == INCLUDED {
                        with |= *policies;
                    } else {
                        without |= *policies;
                    }
                }
            }
            stand.is_empty |= with.is_empty() && without.is_empty();
            stand.meets &= with;
            stand.covers &= !without;
        }
        stand.is_empty |= !is_beyond;
        stand
    }
}

fn is_reached<const W: usize>(ways: &Ways<W>, state: usize) -> bool {
    ways.get(state)
        .is_some_and(|others| others.iter().any(|policies| !policies.is_empty()))
}

/// What can become of all policies in the factors of one condition, where the policy at `own` is not excluded.
fn ways<const W: usize>(factors: &[Factor<W>], own: usize, part: Option<usize>) -> Ways<W> {
    let mut ways: Ways<W> = [[Mask::default(); 4]; 8];
    if let Some(start) = ways.first_mut().and_then(|others| others.first_mut()) {
        *start = !Mask::default();
    }
    for factor in factors {
        let mut next: Ways<W> = [[Mask::default(); 4]; 8];
        for class in factor.classes.iter().filter(|class| !class.exclude.contains(own)) {
            let is_in = |mask: &Mask<W>, bit: usize| {
                if part.is_some_and(|part| mask.contains(part)) {
                    bit
                } else {
                    0
                }
            };
            let mut comes = is_in(&class.include, PART) | is_in(&class.exclude, PART_EXCLUDED);
            if class.include.contains(own) {
                comes |= OWN;
            }
            let parts = [
                (0, !class.include & !class.exclude),
                (INCLUDED, class.include & !class.exclude),
                (EXCLUDED, !class.include & class.exclude),
                (INCLUDED | EXCLUDED, class.include & class.exclude),
            ];
            for (state, others) in ways.iter().enumerate() {
                for (other, policies) in others.iter().enumerate().filter(|(_, all)| !all.is_empty()) {
                    for (more, of) in parts {
                        let place = next
                            .get_mut(state | comes)
                            .and_then(|others| others.get_mut(other | more));
                        if let Some(place) = place {
                            *place |= *policies & of;
                        }
                    }
                }
            }
        }
        ways = next;
    }
    ways
}
