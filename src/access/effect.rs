//! What a change does to people's access: of which sign-ins the outcome differs between two estates.
//!
//! An outcome is whether a sign-in is blocked and, if not, what is asked for and how strict the session is. It can only
//! differ where a policy that is in one of the estates catches the sign-in, and nothing in the other estate does what that
//! policy did. So each such policy is asked, demand by demand and changed condition by changed condition, whether there
//! is such a sign-in; all of them together are the effect, and a sign-in of none of them has the same outcome.

use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::counterexample;
use super::deed::{Deed, What};
use super::estate::Estate;
use super::people::Directory;
use super::policy::{Enforcement, Policy};
use super::symbolic::{Found, Mask, Reading, Space, SpaceError, Subject, TooMany, Wanted};
use crate::model::expectation::Facts;
use crate::model::value::Control;

/// What becomes of sign-ins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectKind {
    /// They are blocked, and were not.
    NewlyBlocked,
    /// Nothing is asked for any more, and they are not blocked.
    NewlyUnprotected,
    /// Less is asked for, or they are no longer blocked.
    Weaker,
    /// More is asked for.
    Stronger,
    /// Only the session is milder.
    SessionMilder,
    /// Only the session is stricter.
    SessionStricter,
}

impl EffectKind {
    /// Its word in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::NewlyBlocked => "newly_blocked",
            Self::NewlyUnprotected => "newly_unprotected",
            Self::Weaker => "weaker",
            Self::Stronger => "stronger",
            Self::SessionMilder => "session_milder",
            Self::SessionStricter => "session_stricter",
        }
    }
}

/// Sign-ins whose outcome changes: those that a policy catches in one estate, and that none of others does the same for.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// What becomes of them.
    pub kind: EffectKind,
    /// The key of the policy that causes it.
    pub policy: String,
    /// What the policy did, or does now: `block`, a control, or a session control, in Graph's words.
    pub what: String,
    /// The controls, one of which is asked for; none for `block` and session controls.
    pub controls: Vec<Control>,
    /// The condition that changed, where the policy is in both estates; all that it catches otherwise.
    pub condition: Option<Condition>,
    /// The policies by which the outcome stays what it was, where they catch a sign-in too.
    pub unless: Vec<String>,
    /// One such sign-in, without needless facts; none where there are too many combinations to decide whether there is
    /// one at all.
    pub example: Option<Facts>,
    /// The same as bits, for tests.
    #[cfg(test)]
    pub(super) region: Region,
}

/// Sign-ins that one policy catches and none of others, by place in [`Pair::subjects`].
#[cfg(test)]
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Region {
    pub(super) caught_by: usize,
    pub(super) none: Vec<usize>,
}

/// A policy in force, and in which of the estates.
struct Bit<'a> {
    policy: &'a Policy,
    estate: &'a Estate,
    before: bool,
    after: bool,
}

/// The policy of one estate with one condition of its counterpart in the other.
struct Hybrid<'a> {
    /// The place of the policy whose other conditions it has.
    of: usize,
    condition: Condition,
    policy: Policy,
    estate: &'a Estate,
}

/// Both estates in one row.
pub(super) struct Pair<'a> {
    bits: Vec<Bit<'a>>,
    hybrids: Vec<Hybrid<'a>>,
}

/// All sign-ins whose outcome differs.
///
/// Conditions that capol does not know count as holding. Without a directory anybody may be in any groups and roles.
pub fn effects(
    before: &Estate,
    after: &Estate,
    directory: Option<&Directory>,
) -> Result<Vec<Effect>, SpaceError> {
    let pair = Pair::of(before, after);
    match pair.bits.len() + pair.hybrids.len() {
        0..=64 => pair.effects::<1>(directory),
        65..=256 => pair.effects::<4>(directory),
        257..=1024 => pair.effects::<16>(directory),
        _ => pair.effects::<64>(directory),
    }
}

impl<'a> Pair<'a> {
    pub(super) fn of(before: &'a Estate, after: &'a Estate) -> Self {
        let in_force = |estate: &'a Estate| {
            let all = estate.policies().iter();
            all.filter(|policy| policy.enforcement == Enforcement::Enforced)
        };
        let mut bits: Vec<Bit<'a>> = Vec::new();
        for policy in in_force(before) {
            let stays = in_force(after).any(|other| policy.does_the_same(before, other, after));
            bits.push(Bit {
                policy,
                estate: before,
                before: true,
                after: stays,
            });
        }
        for policy in in_force(after) {
            if !in_force(before).any(|other| other.does_the_same(before, policy, after)) {
                bits.push(Bit {
                    policy,
                    estate: after,
                    before: false,
                    after: true,
                });
            }
        }
        let mut hybrids = Vec::new();
        for (of, bit) in bits.iter().enumerate() {
            let Some(other) = partner(&bits, bit).and_then(|place| bits.get(place)) else {
                continue;
            };
            for condition in Condition::ALL {
                if !bit
                    .policy
                    .has_same(condition, bit.estate, other.policy, other.estate)
                {
                    hybrids.push(Hybrid {
                        of,
                        condition,
                        policy: bit.policy.with(condition, other.policy),
                        // Locations are all that an estate gives a meaning to.
                        estate: if condition == Condition::Locations {
                            other.estate
                        } else {
                            bit.estate
                        },
                    });
                }
            }
        }
        Self { bits, hybrids }
    }

    /// The policies by place: those in force, then the mixed ones.
    pub(super) fn subjects(&self) -> Vec<Subject<'_>> {
        let bits = self.bits.iter().map(|bit| Subject {
            policy: bit.policy,
            estate: bit.estate,
        });
        let hybrids = self.hybrids.iter().map(|hybrid| Subject {
            policy: &hybrid.policy,
            estate: hybrid.estate,
        });
        bits.chain(hybrids).collect()
    }

    fn effects<const W: usize>(&self, directory: Option<&Directory>) -> Result<Vec<Effect>, SpaceError> {
        if self.bits.iter().all(|bit| bit.before && bit.after) {
            return Ok(Vec::new());
        }
        let space: Space<W> = Space::new(&self.subjects(), directory, Reading::Possible)?;
        let mut effects = Vec::new();
        for (place, bit) in self.bits.iter().enumerate() {
            if bit.before != bit.after {
                self.effects_of(place, bit, &space, &mut effects);
            }
        }
        effects.sort_by(|one, other| {
            (one.kind, &one.policy, &one.what, one.condition).cmp(&(
                other.kind,
                &other.policy,
                &other.what,
                other.condition,
            ))
        });
        Ok(effects)
    }

    /// The bits on one side that something holds of.
    fn among<const W: usize>(&self, before: bool, holds: impl Fn(&Bit<'_>) -> bool) -> Mask<W> {
        let is_there = |bit: &Bit<'_>| if before { bit.before } else { bit.after };
        let all = self.bits.iter().enumerate();
        all.filter(|(_, bit)| is_there(bit) && holds(bit))
            .map(|(place, _)| place)
            .collect()
    }

    /// The policies on the other side that do a deed as well, or by which a sign-in is blocked, on either side: what
    /// blocks tells of those.
    fn same<const W: usize>(&self, bit: &Bit<'_>, deed: &Deed<'_>) -> Mask<W> {
        let same: Mask<W> = self.among(!bit.before, |other| deed.is_done_by(other.policy, other.estate));
        match deed.what {
            What::Block => same,
            _ => same | self.among(bit.before, |other| other.policy.blocks()),
        }
    }

    fn effects_of<const W: usize>(
        &self,
        place: usize,
        bit: &Bit<'_>,
        space: &Space<W>,
        effects: &mut Vec<Effect>,
    ) {
        let there = !bit.before;
        let partner = partner(&self.bits, bit);
        let others: Mask<W> = self.among(there, |other| other.policy.grant.is_some());
        let own = Mask::from_iter([place]);
        for deed in Deed::all_of(bit.policy, bit.estate) {
            let same_deed = self.same::<W>(bit, &deed);
            let is_session = matches!(deed.what, What::Session(_));
            let pieces: Vec<Option<(usize, Condition)>> = match partner {
                Some(partner) if same_deed.contains(partner) => self
                    .hybrids
                    .iter()
                    .enumerate()
                    .filter(|(_, hybrid)| hybrid.of == place)
                    .map(|(number, hybrid)| Some((self.bits.len() + number, hybrid.condition)))
                    .collect(),
                _ => vec![None],
            };
            for piece in pieces {
                let hybrid = piece.map(|(hybrid, _)| hybrid);
                let near = space.near(place, hybrid);
                let find = |also: Mask<W>, none: Mask<W>| {
                    let mut patience = PATIENCE;
                    let wanted = Wanted {
                        all: own | also,
                        none,
                    };
                    space.find_near(&near, &wanted, hybrid, &mut patience)
                };
                let mut push = |kind: EffectKind, same: Mask<W>, found: Option<Found<W>>| {
                    let met = same & near.meets;
                    let unless = met
                        .places()
                        .filter(|other| Some(*other) != partner && !own.contains(*other));
                    let named = unless.filter_map(|other| self.bits.get(other));
                    effects.push(Effect {
                        kind,
                        policy: bit.policy.key.clone(),
                        what: deed.what.words(),
                        controls: match &deed.what {
                            What::Clause(controls) => controls.clone(),
                            _ => Vec::new(),
                        },
                        condition: piece.map(|(_, condition)| condition),
                        unless: named.map(|other| other.policy.key.clone()).collect(),
                        example: found.map(|found| counterexample::facts(&found.facets, bit.estate)),
                        #[cfg(test)]
                        region: Region {
                            caught_by: place,
                            none: same.places().chain(hybrid).collect(),
                        },
                    });
                };
                if is_session || !bit.before {
                    let kind = match (&deed.what, bit.before) {
                        (What::Session(_), true) => EffectKind::SessionMilder,
                        (What::Session(_), false) => EffectKind::SessionStricter,
                        (What::Block, _) => EffectKind::NewlyBlocked,
                        (What::Clause(_), _) => EffectKind::Stronger,
                    };
                    if let Some(found) = perhaps(find(Mask::default(), same_deed)) {
                        push(kind, same_deed, found);
                    }
                    continue;
                }
                if let Some(found) = perhaps(find(Mask::default(), same_deed | others)) {
                    push(EffectKind::NewlyUnprotected, same_deed | others, found);
                }
                // Something is still asked for, but not this.
                let asking = others & !same_deed & near.meets;
                if let Some(found) = asking
                    .places()
                    .find_map(|other| perhaps(find(Mask::from_iter([other]), same_deed)))
                {
                    push(EffectKind::Weaker, same_deed, found);
                }
            }
        }
    }
}

/// How many states one question may take before it counts as too hard to decide.
const PATIENCE: u64 = 20_000;

/// Nothing when there is no such sign-in; an example, or none where it can't be told whether there is one.
#[expect(clippy::option_option, reason = "there is none, there is one, nobody knows")]
fn perhaps<const W: usize>(found: Result<Option<Found<W>>, TooMany>) -> Option<Option<Found<W>>> {
    match found {
        Ok(None) => None,
        Ok(found) => Some(found),
        Err(TooMany) => Some(None),
    }
}

/// The place of the policy of the same key on the other side only.
fn partner(bits: &[Bit<'_>], bit: &Bit<'_>) -> Option<usize> {
    if bit.before == bit.after {
        return None;
    }
    bits.iter().position(|other| {
        other.before != other.after && other.before != bit.before && other.policy.key == bit.policy.key
    })
}

#[cfg(test)]
mod tests;
