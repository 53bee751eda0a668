//! Sets of policies, one bit each.

use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Not};

/// A set of at most `64 * W` policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mask<const W: usize>([u64; W]);

impl<const W: usize> Default for Mask<W> {
    fn default() -> Self {
        Self([0; W])
    }
}

impl<const W: usize> Mask<W> {
    /// How many policies it can hold.
    pub const CAPACITY: usize = 64 * W;

    /// Takes a policy in, by its place; one beyond the capacity is an error of the caller and changes nothing.
    pub fn insert(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    /// Whether a policy is in it.
    pub fn contains(&self, place: usize) -> bool {
        self.0
            .get(place / 64)
            .is_some_and(|word| word & (1 << (place % 64)) != 0)
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    /// Whether all of these are in `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        self.0
            .iter()
            .zip(&other.0)
            .all(|(mine, other)| mine & !other == 0)
    }

    /// Whether one is in both.
    pub fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(mine, other)| mine & other != 0)
    }

    /// The places of what is in it, in order.
    pub fn places(&self) -> impl Iterator<Item = usize> {
        (0..Self::CAPACITY).filter(|place| self.contains(*place))
    }

    fn zip(mut self, other: &Self, with: impl Fn(u64, u64) -> u64) -> Self {
        for (mine, other) in self.0.iter_mut().zip(&other.0) {
            *mine = with(*mine, *other);
        }
        self
    }
}

impl<const W: usize> FromIterator<usize> for Mask<W> {
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Self {
        let mut mask = Self::default();
        for place in places {
            mask.insert(place);
        }
        mask
    }
}

impl<const W: usize> BitAnd for Mask<W> {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        self.zip(&other, |mine, other| mine & other)
    }
}

impl<const W: usize> BitOr for Mask<W> {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.zip(&other, |mine, other| mine | other)
    }
}

impl<const W: usize> BitAndAssign for Mask<W> {
    fn bitand_assign(&mut self, other: Self) {
        *self = *self & other;
    }
}

impl<const W: usize> BitOrAssign for Mask<W> {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}

impl<const W: usize> Not for Mask<W> {
    type Output = Self;

    fn not(self) -> Self {
        Self(self.0.map(|word| !word))
    }
}
