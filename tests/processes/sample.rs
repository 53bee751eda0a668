//! Which cases run: all of them, or some that a seed chooses.

use std::hash::{BuildHasher as _, RandomState};

/// The chosen cases, and the words that a failure needs to be repeated by.
pub(crate) fn chosen<T>(subject: &str, mut cases: Vec<T>, count: usize) -> (Vec<T>, String) {
    let all = cases.len();
    if std::env::var("CAPOL_FIRE").is_ok_and(|asked| asked == "whole") {
        println!("{subject}: all {all} cases");
        return (cases, format!("{subject}, of all"));
    }
    let seed = match std::env::var("CAPOL_FIRE_SEED") {
        Ok(text) => text.parse().expect("CAPOL_FIRE_SEED is a number"),
        Err(_) => RandomState::new().hash_one(subject),
    };
    let mut random = Random(seed);
    while cases.len() > count {
        let at = random.below(cases.len());
        drop(cases.swap_remove(at));
    }
    let said = format!("{subject}, repeat with CAPOL_FIRE_SEED={seed}");
    println!("{said}: {} of {all} cases", cases.len());
    (cases, said)
}

/// Numbers that look random, the same for the same seed (SplitMix64).
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit).unwrap();
        usize::try_from(self.next() % limit).unwrap()
    }
}
