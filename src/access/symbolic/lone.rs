//! Whether one policy can catch anything, and if not, what keeps it from that.

use super::facet::Facet;
use super::mask::Mask;
use super::space::{Factor, Realm, Space};

/// What the factors of one condition leave of a policy.
enum Left {
    /// Something.
    Something,
    /// Everything that it includes, such as this, it excludes as well.
    Excluded(Facet),
    /// It includes nothing.
    Nothing,
}

impl<const W: usize> Space<W> {
    /// The policies of which nobody can always tell whether they catch: they hold what capol does not know.
    pub fn doubtful(&self) -> Mask<W> {
        self.doubtful
    }

    /// Whether the policy of this place catches any sign-in at all.
    pub fn can_catch(&self, place: usize) -> bool {
        self.realms.iter().any(|realm| {
            let mut conditions = realm.conditions();
            conditions.all(|factors| matches!(left(factors, place), Left::Something))
        })
    }

    /// A fact that the policy of this place includes, of a condition of which it excludes everything that it includes;
    /// nothing when something else keeps it from catching.
    pub fn excluded_throughout(&self, place: usize) -> Option<Facet> {
        self.realms.iter().find_map(|realm| {
            let mut first = None;
            for factors in realm.conditions() {
                match left(factors, place) {
                    Left::Something => {}
                    Left::Excluded(facet) => drop(first.get_or_insert(facet)),
                    Left::Nothing => return None,
                }
            }
            first
        })
    }
}

impl<const W: usize> Realm<W> {
    /// The factors of each condition.
    fn conditions(&self) -> impl Iterator<Item = &[Factor<W>]> {
        self.factors.split_inclusive(|factor| factor.ends)
    }
}

fn left<const W: usize>(factors: &[Factor<W>], place: usize) -> Left {
    let classes = || factors.iter().flat_map(|factor| &factor.classes);
    let included = |class: &&super::space::Class<W>| class.include.contains(place);
    let Some(first) = classes().find(included) else {
        return Left::Nothing;
    };
    let is_free = factors
        .iter()
        .all(|factor| factor.classes.iter().any(|class| !class.exclude.contains(place)));
    let is_caught = classes()
        .filter(included)
        .any(|class| !class.exclude.contains(place));
    if is_free && is_caught {
        Left::Something
    } else {
        Left::Excluded(first.facet.clone())
    }
}
