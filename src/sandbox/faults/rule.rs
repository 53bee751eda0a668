//! Which requests are caught, and when.

use std::time::Duration;

use jiff::Timestamp;

use super::chance;
use super::effect::Effect;

/// Which of the requests that a rule matches it catches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// All of them.
    Always,
    /// Every n-th.
    Every(u32),
    /// The first n.
    First(u32),
    /// The n-th and no other, counted from 1.
    Only(u32),
    /// All but the first n.
    After(u32),
    /// So many of a hundred, spread by the seed and always the same ones.
    Percent(u8),
    /// Those in a span of time, measured from the first request of all.
    During {
        /// When it begins.
        from: Duration,
        /// When it is over.
        until: Duration,
    },
}

/// One rule: which requests, when, what.
#[derive(Clone, Debug)]
pub struct Rule {
    method: Option<String>,
    path: Option<String>,
    sign_in: bool,
    when: When,
    pub(super) effect: Effect,
    matched: u32,
}

/// A request as rules see it.
#[derive(Clone, Copy, Debug)]
pub(in crate::sandbox) struct Asked<'a> {
    pub(in crate::sandbox) method: &'a str,
    pub(in crate::sandbox) path: &'a str,
    /// Whether it goes to the sign-in side.
    pub(in crate::sandbox) sign_in: bool,
    pub(in crate::sandbox) now: Timestamp,
}

impl Rule {
    /// Returns a rule for every request to Graph.
    pub fn new(when: When, effect: Effect) -> Self {
        Self {
            method: None,
            path: None,
            sign_in: false,
            when,
            effect,
            matched: 0,
        }
    }

    /// Narrows the rule to a method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_ascii_uppercase());
        self
    }

    /// Narrows the rule to paths that contain a text.
    #[must_use]
    pub fn path(mut self, part: &str) -> Self {
        self.path = Some(part.to_owned());
        self
    }

    /// Turns the rule to requests for tokens in the place of requests to Graph.
    #[must_use]
    pub fn sign_in(mut self) -> Self {
        self.sign_in = true;
        self
    }

    /// Whether the rule catches a request; it counts every request that it matches.
    pub(super) fn catches(&mut self, asked: &Asked<'_>, begin: Timestamp, seed: u64) -> bool {
        let fits = self.sign_in == asked.sign_in
            && self
                .method
                .as_deref()
                .is_none_or(|wanted| wanted.eq_ignore_ascii_case(asked.method))
            && self.path.as_deref().is_none_or(|part| asked.path.contains(part));
        if !fits {
            return false;
        }
        self.matched += 1;
        match self.when {
            When::Always => true,
            When::Every(each) => each > 0 && self.matched.is_multiple_of(each),
            When::First(count) => self.matched <= count,
            When::Only(position) => self.matched == position,
            When::After(count) => self.matched > count,
            When::Percent(share) => chance(seed, u64::from(self.matched), 100) < u64::from(share),
            When::During { from, until } => {
                let age = Duration::try_from(asked.now.duration_since(begin)).unwrap_or_default();
                (from..until).contains(&age)
            }
        }
    }
}
