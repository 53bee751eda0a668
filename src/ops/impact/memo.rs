//! What was worked out once for bytes that come again and again.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// How many values a bounded memo holds; when it is full it begins anew.
const MOST: usize = 20_000;

/// Values by the bytes that they were worked out from.
pub(super) struct Memo<V> {
    places: HashMap<Box<[u8]>, usize, RandomState>,
    values: Vec<V>,
    most: usize,
}

impl<V> Memo<V> {
    pub(super) fn bounded() -> Self {
        Self {
            places: HashMap::default(),
            values: Vec::new(),
            most: MOST,
        }
    }

    /// For what is bounded by itself, as the people of a tenant.
    pub(super) fn unbounded() -> Self {
        Self {
            most: usize::MAX,
            ..Self::bounded()
        }
    }

    /// The value of these bytes, worked out when it is not known.
    pub(super) fn get(&mut self, key: &[u8], make: impl FnOnce() -> V) -> Option<&V> {
        let place = if let Some(place) = self.places.get(key) {
            *place
        } else {
            if self.values.len() >= self.most {
                self.places.clear();
                self.values.clear();
            }
            self.values.push(make());
            self.places.insert(key.into(), self.values.len() - 1);
            self.values.len() - 1
        };
        self.values.get(place)
    }
}
