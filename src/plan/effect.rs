//! What a plan does to people's access: the sign-ins whose outcome changes, in as few sentences as can be.
//!
//! ```text
//! plan + live ─ estates → before, after ─ access::effects ─ merged, in words → Weighing ─ members → Effect
//! ```
//!
//! Exact under the documented model: of a sign-in that no sentence covers, the outcome is the same before and after.

mod audience;
mod estates;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::access::{self, Condition, EffectKind};
use crate::model::live::{Directory, LiveTenant};
use crate::model::{Address, Object};

use audience::Audience;
pub use audience::{Asked, Membership, Reach};
use estates::Estates;
pub(super) use estates::{Movements, has_unknown_conditions, names_a_strength};
use words::Words;

use super::Plan;
use super::names::Names;

/// What a plan does to people's access.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Sign-ins whose outcome changes; all of them when nothing is undecided.
    pub regions: Vec<Region>,
    /// Why not all could be decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undecided: Option<String>,
}

/// Sign-ins of which the same becomes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Region {
    /// What becomes of them.
    pub kind: EffectKind,
    /// Who, to what, and when, with names.
    pub sign_ins: String,
    /// What is asked for now, or no longer, with names; nothing where they are blocked.
    pub what: Vec<String>,
    /// The policies that cause it.
    pub policies: Vec<Cause>,
    /// The names of the policies that keep the outcome as it was where they catch a sign-in too.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unless: Vec<String>,
    /// The names of the policies that still ask for something, so that sign-ins are only less protected where they apply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub weaker_where: Vec<String>,
    /// Whether there are too many combinations of facts to decide whether any sign-in is among them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_undecided: bool,
    /// How many people it is about.
    pub users: Reach,
}

impl Region {
    /// What becomes of the sign-ins, in a few words: `no longer mfa`.
    pub fn outcome(&self) -> String {
        let what = match self.what.as_slice() {
            [] => String::new(),
            [only] => only.clone(),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        };
        match self.kind {
            EffectKind::NewlyBlocked => "blocked".to_owned(),
            kind if is_loss(kind) && what == "block" => "no longer blocked".to_owned(),
            kind if is_loss(kind) => format!("no longer {what}"),
            _ => format!("now {what}"),
        }
    }

    /// Who, to what and when, and what becomes of it.
    pub fn sentence(&self) -> String {
        format!("{}: {}", self.sign_ins, self.outcome())
    }
}

/// A policy that causes an effect.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cause {
    /// What people call it.
    pub name: String,
    /// Its address, where it is managed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// An effect of which the people are still to be counted.
#[derive(Debug, Default)]
pub struct Weighing {
    effect: Effect,
    audiences: Vec<Vec<Audience>>,
    /// Who is in groups of which the plan itself says so.
    told: BTreeMap<String, BTreeSet<String>>,
}

impl Weighing {
    fn undecided(reason: String) -> Self {
        let mut weighing = Self::default();
        weighing.effect.undecided = Some(reason);
        weighing
    }

    /// What must be known to count the people.
    pub fn asked(&self) -> Asked {
        let mut asked = Asked::default();
        for audience in self.audiences.iter().flatten() {
            audience.ask(&mut asked);
        }
        asked.without(&self.told)
    }

    /// The effect, with the people counted as far as is known who they are.
    pub fn counted(mut self, known: Membership) -> Effect {
        let known = known.with(self.told);
        for (region, audiences) in self.effect.regions.iter_mut().zip(&self.audiences) {
            region.users = audience::count(audiences, &known);
        }
        self.effect
    }
}

/// Part of what becomes of sign-ins, before it is merged with others.
struct Piece<'p> {
    kind: EffectKind,
    policy: &'p Object,
    other: Option<&'p Object>,
    cause: Cause,
    condition: Option<Condition>,
    what: String,
    unless: BTreeSet<String>,
    is_decided: bool,
}

/// What a plan does to people's access.
///
/// What can't be decided is said to be so.
pub fn weigh(plan: &Plan, live: &LiveTenant, directory: &Directory) -> Weighing {
    let estates = match Estates::of(plan, live) {
        Ok(estates) => estates,
        Err(error) => return Weighing::undecided(error.to_string()),
    };
    let found = match access::effects(&estates.before, &estates.after, None) {
        Ok(found) => found,
        Err(error) => return Weighing::undecided(error.to_string()),
    };
    let names = Names::with(plan, directory, &estates.names);
    let words = Words::new(&names, &plan.emergency);
    let mut pieces = Vec::new();
    for one in &found {
        let is_before = is_loss(one.kind);
        let (here, there) = if is_before {
            (&estates.policies_before, &estates.policies_after)
        } else {
            (&estates.policies_after, &estates.policies_before)
        };
        let Some(source) = here.get(&one.policy) else {
            continue;
        };
        let called = |key: &String| {
            let source = there.get(key).or_else(|| here.get(key));
            source.map_or_else(|| key.clone(), |source| source.cause.name.clone())
        };
        pieces.push(Piece {
            kind: one.kind,
            policy: &source.object,
            other: there.get(&one.policy).map(|source| &*source.object),
            cause: source.cause.clone(),
            condition: one.condition,
            what: match one.controls.as_slice() {
                [] if one.what == "block" => "block".to_owned(),
                [] => words::session(&one.what, &source.object),
                controls => words.controls(controls),
            },
            unless: one.unless.iter().map(called).collect(),
            is_decided: one.example.is_some(),
        });
    }
    Weighing {
        told: audience::told(plan),
        ..merged(&pieces, &words, &directory.missing_ids)
    }
}

/// Sign-ins of one policy of which the same becomes.
struct Group<'p> {
    kind: EffectKind,
    policy: &'p Object,
    other: Option<&'p Object>,
    cause: &'p Cause,
    what: BTreeSet<String>,
    conditions: BTreeSet<Option<Condition>>,
    unless: BTreeSet<String>,
    weaker_where: BTreeSet<String>,
    is_decided: bool,
}

impl Group<'_> {
    fn is_about(&self, other: &Self) -> bool {
        std::ptr::eq(self.policy, other.policy)
            && self.what == other.what
            && self.conditions == other.conditions
    }

    fn sign_ins(&self, words: &Words<'_>) -> String {
        let whole = words.caught(self.policy);
        let Some(other) = self.other.filter(|_| !self.conditions.contains(&None)) else {
            return whole;
        };
        let conditions = self.conditions.iter().flatten();
        let parts: Vec<String> = conditions
            .map(|condition| words.beyond(self.policy, other, *condition))
            .collect();
        parts.join("; and ")
    }
}

/// The fewest regions that say it all.
fn merged(pieces: &[Piece<'_>], words: &Words<'_>, missing: &BTreeSet<String>) -> Weighing {
    let mut regions: Vec<(Region, Vec<Audience>, String)> = Vec::new();
    for group in folded(grouped(pieces)) {
        let whole = group.sign_ins(&words.in_full());
        let region = Region {
            kind: group.kind,
            sign_ins: group.sign_ins(words),
            what: match group.kind {
                EffectKind::NewlyBlocked => Vec::new(),
                _ => group.what.iter().cloned().collect(),
            },
            policies: vec![group.cause.clone()],
            unless: group.unless.iter().cloned().collect(),
            weaker_where: group.weaker_where.iter().cloned().collect(),
            is_undecided: !group.is_decided,
            users: Reach::Unknown,
        };
        let audience = Audience::of(
            group.policy,
            group.other,
            &group.conditions,
            !group.unless.is_empty(),
            missing,
        );
        let same = regions.iter_mut().find(|(known, _, said)| {
            *said == whole
                && known.kind == region.kind
                && known.what == region.what
                && known.unless == region.unless
                && known.weaker_where == region.weaker_where
                && known.is_undecided == region.is_undecided
        });
        if let Some((known, audiences, _)) = same {
            known.policies.extend(region.policies);
            known.policies.sort();
            audiences.push(audience);
        } else {
            regions.push((region, vec![audience], whole));
        }
    }
    regions.sort_by(|(one, _, whole), (other, _, others)| {
        (one.kind, &one.policies, whole).cmp(&(other.kind, &other.policies, others))
    });
    let mut weighing = Weighing::default();
    for (region, audiences, _) in regions {
        weighing.effect.regions.push(region);
        weighing.audiences.push(audiences);
    }
    weighing
}

/// What several controls of one policy do to the same sign-ins, or one control to several parts of them, is one thing.
fn grouped<'p>(pieces: &'p [Piece<'p>]) -> Vec<Group<'p>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for join_what in [true, false] {
        let given = std::mem::take(&mut groups);
        let singles = pieces.iter().filter(|_| join_what).map(|piece| Group {
            kind: piece.kind,
            policy: piece.policy,
            other: piece.other,
            cause: &piece.cause,
            what: BTreeSet::from([piece.what.clone()]),
            conditions: BTreeSet::from([piece.condition]),
            unless: piece.unless.clone(),
            weaker_where: BTreeSet::new(),
            is_decided: piece.is_decided,
        });
        for one in given.into_iter().chain(singles) {
            let same = groups.iter_mut().find(|group| {
                group.kind == one.kind
                    && std::ptr::eq(group.policy, one.policy)
                    && group.unless == one.unless
                    && group.is_decided == one.is_decided
                    && if join_what {
                        group.conditions == one.conditions
                    } else {
                        group.what == one.what
                    }
            });
            match same {
                Some(group) => {
                    group.what.extend(one.what);
                    group.conditions.extend(one.conditions);
                }
                None => groups.push(one),
            }
        }
    }
    groups
}

/// Where sign-ins are unprotected but for other policies that still ask for something, it is said once; so is what
/// becomes of the session where more becomes of the same sign-ins.
fn folded(groups: Vec<Group<'_>>) -> Vec<Group<'_>> {
    let (weaker, mut kept): (Vec<Group<'_>>, Vec<Group<'_>>) = groups
        .into_iter()
        .partition(|group| group.kind == EffectKind::Weaker);
    for group in weaker {
        let open = kept.iter_mut().find(|open| {
            open.kind == EffectKind::NewlyUnprotected
                && open.is_about(&group)
                && open.is_decided == group.is_decided
                && group.unless.is_subset(&open.unless)
        });
        match open {
            Some(open) => {
                open.weaker_where = open.unless.difference(&group.unless).cloned().collect();
                open.unless = group.unless;
            }
            None => kept.push(group),
        }
    }
    let (session, mut kept): (Vec<Group<'_>>, Vec<Group<'_>>) =
        kept.into_iter().partition(|group| is_session(group.kind));
    for group in session {
        let same = kept.iter_mut().find(|other| {
            is_loss(other.kind) == is_loss(group.kind)
                && std::ptr::eq(other.policy, group.policy)
                && other.conditions == group.conditions
                && other.unless == group.unless
                && other.weaker_where.is_empty()
                && other.is_decided == group.is_decided
                && other.kind != EffectKind::NewlyBlocked
        });
        match same {
            Some(other) => other.what.extend(group.what),
            None => kept.push(group),
        }
    }
    kept
}

fn is_session(kind: EffectKind) -> bool {
    matches!(kind, EffectKind::SessionMilder | EffectKind::SessionStricter)
}

/// Whether less is asked for than before, so that the policy before is the one that says of whom.
fn is_loss(kind: EffectKind) -> bool {
    matches!(
        kind,
        EffectKind::NewlyUnprotected | EffectKind::Weaker | EffectKind::SessionMilder
    )
}
