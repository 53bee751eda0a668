//! Trouble on order: what goes wrong with which request, for tests of clients.

use std::time::Duration;

use jiff::Timestamp;

/// What a `Retry-After` header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// A number of seconds, as Graph sends it.
    Seconds(u32),
    /// A date so far from now, which HTTP allows too.
    Date(Duration),
    /// Anything: a proxy may send `soon`.
    Text(String),
}

impl RetryAfter {
    pub(super) fn header(&self, now: Timestamp) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Date(wait) => http_date(now.checked_add(*wait).unwrap_or(Timestamp::MAX)),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Returns a time as HTTP headers write it.
pub(super) fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// What happens to a request that a rule catches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// 429, with `Retry-After` or without; nothing is carried out.
    Throttle {
        /// The header; `None` for no header.
        retry_after: Option<RetryAfter>,
    },
    /// An error status; the work is done before it or not at all.
    Fail {
        /// The status of the answer, 404 or 500 for example.
        status: u16,
        /// Whether the request takes effect all the same.
        commit: bool,
    },
    /// The connection is closed without an answer.
    Drop {
        /// Whether the request takes effect all the same.
        commit: bool,
    },
}

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
}

/// One rule: which requests, when, what.
#[derive(Clone, Debug)]
pub struct Rule {
    method: Option<String>,
    path: Option<String>,
    when: When,
    effect: Effect,
    matched: u32,
}

impl Rule {
    /// Returns a rule for every request to Graph.
    pub fn new(when: When, effect: Effect) -> Self {
        Self {
            method: None,
            path: None,
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

    fn catches(&mut self, method: &str, path: &str) -> bool {
        let fits = self.method.as_deref().is_none_or(|wanted| wanted == method)
            && self.path.as_deref().is_none_or(|part| path.contains(part));
        if !fits {
            return false;
        }
        self.matched += 1;
        match self.when {
            When::Always => true,
            When::Every(each) => self.matched.is_multiple_of(each),
            When::First(count) => self.matched <= count,
            When::Only(position) => self.matched == position,
        }
    }
}

/// All the trouble of a tenant; without rules, none.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    rules: Vec<Rule>,
    /// For how many requests a new object cannot be read, listed or referred to.
    pub hide_new_for: u32,
}

impl Faults {
    /// Returns no trouble at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a rule; the first that catches a request decides.
    #[must_use]
    pub fn with(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Sets for how many requests a new object stays invisible.
    #[must_use]
    pub fn hiding_new_for(mut self, requests: u32) -> Self {
        self.hide_new_for = requests;
        self
    }

    pub(super) fn decide(&mut self, method: &str, path: &str) -> Option<Effect> {
        self.rules
            .iter_mut()
            .find_map(|rule| rule.catches(method, path).then(|| rule.effect.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_catch_the_requests_they_name() {
        let effect = Effect::Fail {
            status: 500,
            commit: false,
        };
        let rows = [
            (When::Always, vec![true, true, true, true]),
            (When::Every(2), vec![false, true, false, true]),
            (When::First(1), vec![true, false, false, false]),
            (When::Only(3), vec![false, false, true, false]),
        ];
        for (when, expected) in rows {
            let mut faults =
                Faults::none().with(Rule::new(when, effect.clone()).method("post").path("/policies"));
            let caught: Vec<bool> = (0..4)
                .map(|_| {
                    faults
                        .decide("POST", "/v1.0/identity/conditionalAccess/policies")
                        .is_some()
                })
                .collect();
            assert_eq!(caught, expected, "{when:?}");
            assert_eq!(
                faults.decide("GET", "/v1.0/identity/conditionalAccess/policies"),
                None
            );
        }
    }
}
