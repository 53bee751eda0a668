//! Which writes wait for which.

use std::collections::BTreeSet;

/// Which writes come before which, through others as well.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Waits {
    /// By write, those that it waits for.
    pub(super) earlier: Vec<BTreeSet<usize>>,
}

impl Waits {
    /// No write waits for another.
    pub fn none(writes: usize) -> Self {
        Self {
            earlier: vec![BTreeSet::new(); writes],
        }
    }

    /// Lets one write wait for another, and for all that this one waits for.
    pub fn add(&mut self, earlier: usize, later: usize) {
        let mut all = self.earlier.get(earlier).cloned().unwrap_or_default();
        all.insert(earlier);
        for (write, waits) in self.earlier.iter_mut().enumerate() {
            if write == later || waits.contains(&later) {
                waits.extend(&all);
            }
        }
    }

    /// Whether one write comes before another.
    pub fn is_before(&self, earlier: usize, later: usize) -> bool {
        self.earlier
            .get(later)
            .is_some_and(|waits| waits.contains(&earlier))
    }

    /// Whether these writes may be done while others of `among` are not.
    pub fn is_closed(&self, done: &BTreeSet<usize>, among: &BTreeSet<usize>) -> bool {
        done.iter().all(|write| {
            self.earlier.get(*write).is_none_or(|waits| {
                waits
                    .iter()
                    .all(|earlier| !among.contains(earlier) || done.contains(earlier))
            })
        })
    }
}

/// An order in which each demand has one of its pairs.
pub(super) fn solve<'d>(
    waits: &Waits,
    mut demands: impl Iterator<Item = &'d Vec<(usize, usize)>> + Clone,
    tries: &mut usize,
) -> Option<Waits> {
    let Some(pairs) = demands.next() else {
        return Some(waits.clone());
    };
    if pairs
        .iter()
        .any(|(earlier, later)| waits.is_before(*earlier, *later))
    {
        return solve(waits, demands, tries);
    }
    for (earlier, later) in pairs {
        if *tries == 0 || waits.is_before(*later, *earlier) || earlier == later {
            continue;
        }
        *tries -= 1;
        let mut next = waits.clone();
        next.add(*earlier, *later);
        if let Some(solved) = solve(&next, demands.clone(), tries) {
            return Some(solved);
        }
    }
    None
}
