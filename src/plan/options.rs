//! What a plan is asked for, beside the configuration.

use jiff::Timestamp;

use crate::model::Address;

/// How to plan.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanOptions {
    /// What kind of plan.
    pub mode: Mode,
    /// Only these and what they depend on; all when empty.
    pub targets: Vec<Address>,
    /// All but these and what depends on them.
    pub excludes: Vec<Address>,
    /// Make these anew.
    pub replace: Vec<Address>,
    /// For an undo: whether what was changed since stays as it is, and the rest is taken back.
    pub skip_changed: bool,
    /// Why it is taken on that not everybody stays protected, or let in, between the writes; without, such a plan is refused.
    pub accept_gap: Option<String>,
    /// Whether the live objects are only remembered, so that nothing may be applied.
    pub from_memory: bool,
    /// Whether the tenant is the embedded one, where nobody can be locked out.
    pub sandbox: bool,
    /// What the service allows.
    pub limits: Limits,
    /// The digest of the configuration's text, to bind a saved plan to.
    pub configuration_digest: String,
    /// Now.
    pub now: Timestamp,
    /// How many requests reading the tenant took; applying reads it twice more.
    pub refresh_requests: u32,
    /// How many Conditional Access requests a second the tenant is sent (`FACTS` 5.6: one).
    pub requests_per_second: f64,
}

/// What kind of plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mode {
    /// Makes the tenant what the configuration says.
    #[default]
    Apply,
    /// Deletes everything managed.
    Destroy,
    /// Only brings state up to date with the tenant.
    RefreshOnly,
}

/// How many of a thing a tenant may hold (`FACTS` 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Policies in any state, without those that Microsoft manages.
    pub policies: usize,
    /// Locations made of IP ranges.
    pub ip_locations: usize,
    /// Ranges in one location.
    pub ip_ranges: usize,
    /// Custom authentication strengths.
    pub strengths: usize,
    /// Authentication contexts.
    pub contexts: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            policies: 240,
            ip_locations: 195,
            ip_ranges: 2000,
            strengths: 15,
            contexts: 99,
        }
    }
}

impl PlanOptions {
    /// A plain plan, made at this moment, at the service's pace.
    pub fn new(now: Timestamp) -> Self {
        Self {
            mode: Mode::Apply,
            targets: Vec::new(),
            excludes: Vec::new(),
            replace: Vec::new(),
            skip_changed: false,
            accept_gap: None,
            from_memory: false,
            sandbox: false,
            limits: Limits::default(),
            configuration_digest: String::new(),
            now,
            refresh_requests: 0,
            requests_per_second: 1.0,
        }
    }
}
