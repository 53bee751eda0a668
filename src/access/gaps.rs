//! What is probably not meant about the policies of a tenant, together: ways in that nothing guards, and policies that
//! do nothing.
//!
//! Each rule is decided for *all* sign-ins, exactly ([`Space`]), and what it finds is shown by a sign-in. What nobody
//! told ([`Known`]) is never claimed: without a directory, somebody may be in one group that is excluded, but nobody
//! is taken to be in several at once.

mod hole;
mod inquiry;
mod policies;
#[cfg(test)]
mod tests;
mod told;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::estate::Estate;
use super::people::Directory;
use super::symbolic::SpaceError;
use crate::model::Reference;
use crate::model::configuration::EmergencyAccess;
use crate::model::expectation::Facts;

use inquiry::Inquiry;

pub use crate::model::gap::{Needs, Rule, RuleRow, Severity};

/// What is known beside the policies; what is left out is not known.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// The emergency accounts, which policies leave out on purpose.
    pub emergency: Option<&'a EmergencyAccess>,
    /// All people of the tenant; without it anybody may be in one group, or hold one role.
    pub directory: Option<&'a Directory>,
    /// Whether an account synchronises the directory from elsewhere.
    pub is_synchronised: Option<bool>,
    /// What is known of each policy, by key.
    pub policies: Option<&'a BTreeMap<String, Told>>,
    /// Why people can put themselves, or others, into a group, by its key; only of groups of which that is so.
    pub open_groups: Option<&'a BTreeMap<String, String>>,
    /// What people call what is referred to by id, by id in lower case.
    pub names: Option<&'a BTreeMap<String, String>>,
    /// Now, and for how many days a policy may be report-only.
    pub patience: Option<(Timestamp, i64)>,
}

/// What is known of one policy beside what it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// When it was last changed or, failing that, made.
    pub since: Option<Timestamp>,
    /// What it refers to and is not there.
    pub missing: Vec<Reference>,
}

/// Something that is probably not meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Gap {
    /// The rule that found it.
    pub rule: Rule,
    /// How bad it is.
    pub severity: Severity,
    /// The keys of the policies that it is about, the one to look at first; none when a policy is lacking.
    pub policies: Vec<String>,
    /// What is wrong, with a sign-in where there is one.
    pub message: String,
    /// What to do.
    pub help: String,
    /// The sign-in.
    pub example: Option<Facts>,
    /// Whom or which policy it is about, by key; empty for anybody.
    about: String,
    /// The example with all that a block can't say, for tests.
    #[cfg(test)]
    sign_in: Option<super::sign_in::SignIn>,
}

impl Gap {
    /// What tells it from others: its rule, and whom or which policy it is about.
    pub fn identity(&self) -> (Rule, &str) {
        (self.rule, &self.about)
    }
}

/// A gap of an estate that is about to change.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The gap, as it will be.
    pub gap: Gap,
    /// Whether the change opens or widens it.
    pub is_new: bool,
}

/// Everything that the rules find, in the order of the rules and then of the policies.
///
/// Nothing is said of lacking policies where none is in force: nobody has begun.
pub fn gaps(estate: &Estate, known: &Known<'_>) -> Result<Vec<Gap>, SpaceError> {
    let inquiry = Inquiry::new(None, estate, known);
    match inquiry.size() {
        0..=64 => inquiry.gaps::<1>(),
        65..=256 => inquiry.gaps::<4>(),
        257..=1024 => inquiry.gaps::<16>(),
        _ => inquiry.gaps::<64>(),
    }
}

/// The gaps of an estate as it will be, with those told apart that the change opens, and those that it closes.
///
/// A way in is new when a sign-in that a policy denied or guarded before is denied or guarded by none after.
pub fn compared(
    before: (&Estate, &Known<'_>),
    after: (&Estate, &Known<'_>),
) -> Result<(Vec<Compared>, Vec<Gap>), SpaceError> {
    let now = gaps(after.0, after.1)?;
    let earlier = gaps(before.0, before.1)?;
    let holes: BTreeSet<Rule> = now
        .iter()
        .map(|gap| gap.rule)
        .filter(|rule| rule.row().is_hole)
        .collect();
    let inquiry = Inquiry::new(Some(before.0), after.0, after.1);
    let opened = if holes.is_empty() || !inquiry.has_changes() {
        Vec::new()
    } else {
        match inquiry.size() {
            0..=64 => inquiry.opened::<1>(&holes)?,
            65..=256 => inquiry.opened::<4>(&holes)?,
            257..=1024 => inquiry.opened::<16>(&holes)?,
            _ => inquiry.opened::<64>(&holes)?,
        }
    };
    let are_left: BTreeSet<(Rule, &str)> = now.iter().map(Gap::identity).collect();
    let closed = earlier
        .iter()
        .filter(|gap| !are_left.contains(&gap.identity()))
        .cloned()
        .collect();
    let were_there: BTreeSet<(Rule, &str)> = earlier.iter().map(Gap::identity).collect();
    let compared = now
        .iter()
        .map(
            |gap| match opened.iter().find(|opened| opened.identity() == gap.identity()) {
                Some(opened) => Compared {
                    gap: opened.clone(),
                    is_new: true,
                },
                None => Compared {
                    is_new: !gap.rule.row().is_hole && !were_there.contains(&gap.identity()),
                    gap: gap.clone(),
                },
            },
        )
        .collect();
    Ok((compared, closed))
}
