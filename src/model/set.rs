//! A set that no longer changes.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;

use indexmap::IndexSet;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The elements of a set in their order, without what it takes to change it: a fifth of the size. Two are equal when they
/// hold the same elements in whatever order.
#[derive(Clone)]
pub struct Set<T>(Box<[T]>);

/// The most elements that are compared each with each.
const FEW: usize = 16;

impl<T> Set<T> {
    /// The elements in their order.
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T: Eq> Set<T> {
    /// Whether an element equal to this is in it; looks at one after the other.
    pub fn contains<Q: Eq + ?Sized>(&self, wanted: &Q) -> bool
    where
        T: std::borrow::Borrow<Q>,
    {
        self.0.iter().any(|element| element.borrow() == wanted)
    }
}

impl<T: Eq + Hash> PartialEq for Set<T> {
    fn eq(&self, other: &Self) -> bool {
        if self.0.len() != other.0.len() {
            return false;
        }
        if self.0 == other.0 {
            return true;
        }
        if self.0.len() <= FEW {
            return self.0.iter().all(|element| other.0.contains(element));
        }
        let others: HashSet<&T> = other.0.iter().collect();
        self.0.iter().all(|element| others.contains(element))
    }
}

impl<T: Eq + Hash> Eq for Set<T> {}

impl<T> From<IndexSet<T>> for Set<T> {
    fn from(set: IndexSet<T>) -> Self {
        Self(set.into_iter().collect())
    }
}

impl<T: Eq + Hash> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        let elements: Vec<T> = elements.into_iter().collect();
        if elements.len() > FEW {
            return elements.into_iter().collect::<IndexSet<T>>().into();
        }
        let mut different = Vec::with_capacity(elements.len());
        for element in elements {
            if !different.contains(&element) {
                different.push(element);
            }
        }
        Self(different.into())
    }
}

impl<T: Eq + Hash, const N: usize> From<[T; N]> for Set<T> {
    fn from(elements: [T; N]) -> Self {
        elements.into_iter().collect()
    }
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self(Box::default())
    }
}

impl<'a, T> IntoIterator for &'a Set<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T> IntoIterator for Set<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_vec().into_iter()
    }
}

impl<T: fmt::Debug> fmt::Debug for Set<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self).finish()
    }
}

impl<T: Serialize> Serialize for Set<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self)
    }
}

impl<'de, T: Deserialize<'de> + Eq + Hash> Deserialize<'de> for Set<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IndexSet::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn order_and_repetition_make_no_difference(
            some in proptest::collection::vec(0_u8..40, 0..40),
            others in proptest::collection::vec(0_u8..40, 0..40),
        ) {
            let (set, other): (Set<u8>, Set<u8>) = (some.iter().copied().collect(), others.iter().copied().collect());
            let (map, more): (HashSet<u8>, HashSet<u8>) = (some.iter().copied().collect(), others.iter().copied().collect());
            let turned: Set<u8> = some.iter().rev().copied().collect();
            prop_assert_eq!(&set, &turned);
            prop_assert_eq!(set == other, map == more);
            prop_assert_eq!(set.len(), map.len());
            prop_assert!((0..40).all(|element| set.contains(&element) == map.contains(&element)));
        }
    }
}
