//! Who of a group is in a share of it.
//!
//! Every member has a place between 0 and 1: the first eight bytes of SHA-256 over the rollout's address and the member's
//! object id. SHA-256 because its answer is the same on every machine and in every version to come, because anybody can
//! work it out with other tools, and because nobody can pick an id that comes early. When a share is [drawn](Cut::draw)
//! the members are taken in the order of their places until the share is reached, and the place of the last one is kept
//! (a [`Cut`]). From then on everyone below the cut is in and everyone else is out, so who joins or leaves the group moves
//! nobody but themselves, while the share is met to the nearest person at the moment it is drawn. A place alone, against a
//! threshold that is the share itself, would do without anything to keep, but half of 2,000 people would then be anything
//! from 48 to 52 percent.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// All of a group, in millionths.
pub const WHOLE: u32 = 1_000_000;

/// A member of the group of which a share is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member<'a> {
    /// The object id, in any casing.
    pub id: Cow<'a, str>,
    /// What the share is spread evenly over, such as the department; the same for all when it is not spread.
    pub stratum: Cow<'a, str>,
}

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted<'a> {
    /// What the places depend on: the rollout's address, so that not the same people come first in every rollout.
    pub key: &'a str,
    /// How much of the group, in millionths.
    pub share: u32,
    /// Who is taken before all others. Object ids in lower case.
    pub first: BTreeSet<String>,
    /// Who is taken only with the whole group. Object ids in lower case.
    pub last: BTreeSet<String>,
}

/// Up to which place members are in a share: what is kept while a wave is in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Cut {
    /// Everyone is in.
    Whole,
    /// Those up to a place are.
    UpTo {
        /// The last place of each stratum that was there when the share was drawn; none where nobody was taken.
        strata: BTreeMap<String, Option<u64>>,
        /// The last place of a stratum that came later.
        others: Option<u64>,
    },
}

/// A share as it was drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// What to keep.
    pub cut: Cut,
    /// How many members the share asks for.
    pub asked: usize,
    /// Strata of which nobody is in: there are more of them than places.
    pub unrepresented: BTreeSet<String>,
}

/// Why no share can be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum CohortError {
    /// The group has no members.
    #[error("the group has no members, so there is nobody to take a share of")]
    #[diagnostic(
        code("rollout::empty_group"),
        help("choose another group, or add members to it; nested groups count, devices do not")
    )]
    Empty,
    /// Somebody is to come before and after all others.
    #[error("`{id}` is named in `first` and in `last`")]
    #[diagnostic(
        code("rollout::first_and_last"),
        help("remove the person from one of the two")
    )]
    FirstAndLast {
        /// The object id.
        id: String,
    },
    /// A share of nobody, or of more than everybody.
    #[error("a share must be more than 0% and at most 100%")]
    #[diagnostic(code("rollout::share"), help("write a share such as `10%`"))]
    Share,
}

/// Where a member stands: the same everywhere and for ever.
pub fn place(key: &str, id: &str) -> u64 {
    let mut hash = Sha256::new();
    hash.update(key.as_bytes());
    hash.update([0]);
    if id.bytes().any(|byte| byte.is_ascii_uppercase()) {
        hash.update(id.to_ascii_lowercase().as_bytes());
    } else {
        hash.update(id.as_bytes());
    }
    let bytes = hash.finalize();
    let (first, _) = bytes.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
    u64::from_be_bytes(*first)
}

fn is_in(set: &BTreeSet<String>, id: &str) -> bool {
    !set.is_empty() && (set.contains(id) || set.contains(&id.to_ascii_lowercase()))
}

/// When a member's turn comes, smallest first; the strata take turns by how much of each has been taken.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    /// 0 pinned, 1 the first of a stratum, 2 everybody else, 3 last.
    class: u8,
    /// How much of the stratum is in by then, in units of 2^-64.
    taken: u64,
    place: u64,
    stratum: usize,
}

impl Cut {
    /// Draws a share of a group: the members whose turn comes first, to the nearest person.
    ///
    /// `first` are in whatever the share, and count towards it. `last` are in with a share of 100 % only; a smaller
    /// share is made up of the others as far as they go. Each stratum has somebody in as long as the share has a place
    /// for each, and the strata are filled evenly. A larger share of the same members always holds the smaller one.
    pub fn draw(members: &[Member<'_>], wanted: &Wanted<'_>) -> Result<Drawn, CohortError> {
        if wanted.share == 0 || wanted.share > WHOLE {
            return Err(CohortError::Share);
        }
        if let Some(id) = wanted.first.intersection(&wanted.last).next() {
            return Err(CohortError::FirstAndLast { id: id.clone() });
        }
        if members.is_empty() {
            return Err(CohortError::Empty);
        }
        let asked = nearest(members.len(), wanted.share);
        if wanted.share == WHOLE {
            return Ok(Drawn {
                cut: Self::Whole,
                asked,
                unrepresented: BTreeSet::new(),
            });
        }
        let mut names: BTreeMap<&str, Vec<(u8, u64)>> = BTreeMap::new();
        for member in members {
            let class = if is_in(&wanted.first, &member.id) {
                0
            } else if is_in(&wanted.last, &member.id) {
                3
            } else {
                2
            };
            let placed = (class, place(wanted.key, &member.id));
            names.entry(&member.stratum).or_default().push(placed);
        }
        let mut turns = Vec::with_capacity(members.len());
        for (stratum, placed) in names.values_mut().enumerate() {
            turns_of(stratum, placed, &mut turns);
        }
        turns.sort_unstable();
        let mut cuts: Vec<Option<u64>> = vec![None; names.len()];
        let mut represented = vec![false; names.len()];
        for (at, turn) in turns.iter().enumerate() {
            if turn.class == 3 || (at >= asked && turn.class > 0) {
                break;
            }
            if let Some(is_represented) = represented.get_mut(turn.stratum) {
                *is_represented = true;
            }
            if turn.class > 0
                && let Some(cut) = cuts.get_mut(turn.stratum)
            {
                *cut = Some(cut.map_or(turn.place, |before| before.max(turn.place)));
            }
        }
        let unrepresented = names
            .keys()
            .zip(&represented)
            .filter(|(_, is_represented)| !**is_represented)
            .map(|(name, _)| (*name).to_owned())
            .collect();
        let strata = names.into_keys().map(str::to_owned).zip(cuts).collect();
        Ok(Drawn {
            cut: Self::UpTo {
                strata,
                others: Some(threshold(wanted.share)),
            },
            asked,
            unrepresented,
        })
    }

    /// Whether a member is in the share that was drawn; the share and the members of then do not matter any more.
    pub fn holds(&self, member: &Member<'_>, wanted: &Wanted<'_>) -> bool {
        match self {
            Self::Whole => true,
            Self::UpTo { strata, others } => {
                is_in(&wanted.first, &member.id)
                    || (!is_in(&wanted.last, &member.id)
                        && strata
                            .get(member.stratum.as_ref())
                            .unwrap_or(others)
                            .is_some_and(|cut| place(wanted.key, &member.id) <= cut))
            }
        }
    }

    /// The members that are in, by object id in lower case.
    pub fn of(&self, members: &[Member<'_>], wanted: &Wanted<'_>) -> BTreeSet<String> {
        members
            .iter()
            .filter(|member| self.holds(member, wanted))
            .map(|member| member.id.to_ascii_lowercase())
            .collect()
    }
}

/// The turns of one stratum's members.
fn turns_of(stratum: usize, placed: &mut [(u8, u64)], turns: &mut Vec<Turn>) {
    placed.sort_unstable();
    let size = u128::try_from(placed.len()).unwrap_or(1).max(1);
    for (rank, (class, place)) in placed.iter().enumerate() {
        let before = u128::try_from(rank).unwrap_or_default();
        // The middle of the part that this member is of the stratum: Webster's way of sharing out seats.
        let taken = ((2 * before + 1) << 63) / size;
        turns.push(Turn {
            class: if *class == 2 && rank == 0 { 1 } else { *class },
            taken: u64::try_from(taken).unwrap_or(u64::MAX),
            place: *place,
            stratum,
        });
    }
}

/// How many of so many a share is, rounded to the nearest and at least one.
fn nearest(count: usize, share: u32) -> usize {
    let exact = u128::try_from(count).unwrap_or_default() * u128::from(share);
    let whole = u128::from(WHOLE);
    usize::try_from((exact + whole / 2) / whole)
        .unwrap_or(count)
        .max(1)
}

/// The last place of a share, were it not drawn.
fn threshold(share: u32) -> u64 {
    let places = u128::from(u64::MAX) * u128::from(share) / u128::from(WHOLE);
    u64::try_from(places).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
