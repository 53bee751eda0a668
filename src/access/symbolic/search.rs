//! Whether some sign-in is caught by these policies and by none of those.

use std::collections::HashSet;

use super::facet::Facet;
use super::mask::Mask;
use super::near::TooMany;
use super::space::{Factor, Realm, Space};
use crate::access::sign_in::SignIn;

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wanted<const W: usize> {
    /// The policies that catch it, all of them.
    pub all: Mask<W>,
    /// The policies none of which catches it.
    pub none: Mask<W>,
}

/// A sign-in that was found: no fact of it can be left out or made plainer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<const W: usize> {
    /// Its facts; those that it need not have are not among them.
    pub facets: Vec<Facet>,
    /// The sign-in.
    pub sign_in: SignIn,
    /// Every policy that catches it.
    pub caught_by: Mask<W>,
}

/// A class as one search sees it.
#[derive(Debug, Clone, Copy)]
struct Step<const W: usize> {
    include: Mask<W>,
    exclude: Mask<W>,
    class: usize,
}

impl<const W: usize> Space<W> {
    /// A sign-in that is wanted and whose facts `may` all be, or nothing when there is none at all.
    pub fn find(&self, wanted: &Wanted<W>, may: &dyn Fn(&Facet) -> bool) -> Option<Found<W>> {
        self.realms.iter().find_map(|realm| realm.find(wanted, may))
    }

    /// Every policy that catches the sign-in that has the class of this place in each factor of a kind of identities;
    /// a place beyond the last is taken around.
    #[cfg(test)]
    pub(super) fn at(&self, realm: usize, places: &[usize]) -> Option<Found<W>> {
        let realm = self.realms.get(realm)?;
        let chosen: Vec<usize> = realm
            .factors
            .iter()
            .zip(places)
            .map(|(factor, place)| place % factor.classes.len())
            .collect();
        Some(realm.found(&chosen))
    }
}

impl<const W: usize> Realm<W> {
    fn find(&self, wanted: &Wanted<W>, may: &dyn Fn(&Facet) -> bool) -> Option<Found<W>> {
        let mut patience = u64::MAX;
        self.find_within(wanted, may, &mut patience).unwrap_or_default()
    }

    /// The same in at most so many steps.
    pub(super) fn find_within(
        &self,
        wanted: &Wanted<W>,
        may: &dyn Fn(&Facet) -> bool,
        patience: &mut u64,
    ) -> Result<Option<Found<W>>, TooMany> {
        let steps: Vec<Vec<Step<W>>> = self
            .factors
            .iter()
            .map(|factor| steps(factor, wanted, may))
            .collect();
        let mut search = Search {
            factors: &self.factors,
            steps: &steps,
            wanted: *wanted,
            dead_ends: HashSet::new(),
            path: Vec::with_capacity(self.factors.len()),
            patience: *patience,
        };
        let is_found = search.descend(0, wanted.none, Mask::default());
        *patience = search.patience;
        if !is_found {
            return if *patience == 0 { Err(TooMany) } else { Ok(None) };
        }
        let mut chosen = search.path;
        self.make_plain(&mut chosen, wanted, may);
        Ok(Some(self.found(&chosen)))
    }

    fn found(&self, chosen: &[usize]) -> Found<W> {
        let mut sign_in = self.base.clone();
        let mut facets = Vec::new();
        for class in self.classes(chosen) {
            class.facet.apply(&mut sign_in);
            if class.facet != Facet::Nothing {
                facets.push(class.facet.clone());
            }
        }
        Found {
            facets,
            sign_in,
            caught_by: self.caught_by(chosen),
        }
    }

    fn classes<'a>(&'a self, chosen: &'a [usize]) -> impl Iterator<Item = &'a super::space::Class<W>> {
        self.factors
            .iter()
            .zip(chosen)
            .filter_map(|(factor, class)| factor.classes.get(*class))
    }

    /// Every policy that catches a sign-in of these classes.
    fn caught_by(&self, chosen: &[usize]) -> Mask<W> {
        let mut alive = !Mask::default();
        let mut included = Mask::default();
        for (factor, class) in self.factors.iter().zip(self.classes(chosen)) {
            alive &= !class.exclude;
            included |= class.include;
            if factor.ends {
                alive &= included;
                included = Mask::default();
            }
        }
        alive
    }

    /// Takes the plainest class of each factor with which the sign-in is still wanted, the last factor first.
    fn make_plain(&self, chosen: &mut Vec<usize>, wanted: &Wanted<W>, may: &dyn Fn(&Facet) -> bool) {
        loop {
            let before = chosen.clone();
            for level in (0..chosen.len()).rev() {
                let (Some(factor), Some(now)) = (self.factors.get(level), chosen.get(level).copied()) else {
                    continue;
                };
                for plainer in 0..now {
                    if !factor.classes.get(plainer).is_some_and(|class| may(&class.facet)) {
                        continue;
                    }
                    let mut other = chosen.clone();
                    if let Some(place) = other.get_mut(level) {
                        *place = plainer;
                    }
                    let caught_by = self.caught_by(&other);
                    if wanted.all.is_within(&caught_by) && !wanted.none.meets(&caught_by) {
                        *chosen = other;
                        break;
                    }
                }
            }
            if *chosen == before {
                return;
            }
        }
    }
}

/// The classes of a factor that a search can tell apart.
fn steps<const W: usize>(
    factor: &Factor<W>,
    wanted: &Wanted<W>,
    may: &dyn Fn(&Facet) -> bool,
) -> Vec<Step<W>> {
    let concerned = wanted.all | wanted.none;
    let mut known = HashSet::new();
    let mut steps = Vec::new();
    for (class, of) in factor.classes.iter().enumerate() {
        if of.exclude.meets(&wanted.all) || !may(&of.facet) {
            continue;
        }
        let (include, exclude) = (of.include & concerned, of.exclude & concerned);
        if known.insert((include, exclude)) {
            steps.push(Step {
                include,
                exclude,
                class,
            });
        }
    }
    steps
}

struct Search<'a, const W: usize> {
    factors: &'a [Factor<W>],
    steps: &'a [Vec<Step<W>>],
    wanted: Wanted<W>,
    /// States from which nothing was found.
    dead_ends: HashSet<(usize, Mask<W>, Mask<W>)>,
    path: Vec<usize>,
    /// How many more states may be looked at.
    patience: u64,
}

impl<const W: usize> Search<'_, W> {
    /// Goes on from a factor: of the policies that must not catch the sign-in `alive` still may, and those in
    /// `included` fulfil what the condition under way includes.
    fn descend(&mut self, level: usize, alive: Mask<W>, included: Mask<W>) -> bool {
        let (Some(factor), Some(steps)) = (self.factors.get(level), self.steps.get(level)) else {
            return alive.is_empty();
        };
        if self.patience == 0 || self.dead_ends.contains(&(level, alive, included)) {
            return false;
        }
        self.patience -= 1;
        let mut next: Vec<(Mask<W>, Mask<W>, usize)> = Vec::with_capacity(steps.len());
        for step in steps {
            let mut alive = alive & !step.exclude;
            let mut included = (included | step.include) & (alive | self.wanted.all);
            if factor.ends {
                if !self.wanted.all.is_within(&included) {
                    continue;
                }
                alive &= included;
                included = Mask::default();
            }
            // One that leaves more policies alive, and fulfils no more of those that must catch it, can only do worse.
            let is_worse = next
                .iter()
                .any(|(other, others, _)| self.is_as_good(*other, *others, alive, included));
            if !is_worse {
                next.retain(|(other, others, _)| !self.is_as_good(alive, included, *other, *others));
                next.push((alive, included, step.class));
            }
        }
        for (alive, included, class) in next {
            self.path.push(class);
            if self.descend(level + 1, alive, included) {
                return true;
            }
            self.path.pop();
        }
        self.dead_ends.insert((level, alive, included));
        false
    }

    fn is_as_good(&self, alive: Mask<W>, included: Mask<W>, other: Mask<W>, others: Mask<W>) -> bool {
        alive.is_within(&other)
            && (included & alive).is_within(&(others & other))
            && (others & self.wanted.all).is_within(&(included & self.wanted.all))
    }
}
