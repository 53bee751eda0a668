//! The instants between the writes of a plan: none may be worse than both ends, for anybody.
//!
//! Every policy that a write touches, itself or through a location, a strength or a group, is laid out as it stands with
//! each set of writes done. [`crate::access::secure`] then finds which writes must wait for which, or which two changes
//! can't be brought in any order.

mod lockouts;
mod subject;

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{self, Estate, EstateError, Moving, Policy, SpaceError, Version, Waits, Wrong};
use crate::model::live::LiveTenant;
use crate::model::value::Control;
use crate::model::{Kind, Object, Reference, Value};

use super::build::Draft;
use super::effect::Movements;
use super::emergency::{Emergency, is_enabled};
use super::error::{PlanError, Problem};
use super::note::Note;
use super::options::PlanOptions;
use super::order::{Order, Touch, Write};
use lockouts::Lockouts;
use subject::{Subject, subjects};

/// How many writes to locations, strengths and groups one policy may depend on before they are made one after the other.
const MOST_SIDE_BY_SIDE: usize = 4;

/// How many ways one policy may stand before it counts as too hard to decide.
const MOST_STATES: usize = 256;

/// Why instants can't be looked at.
#[derive(Debug, thiserror::Error)]
enum Unclear {
    #[error(transparent)]
    Estate(#[from] EstateError),
    #[error(transparent)]
    Space(#[from] SpaceError),
    #[error("`{0}` depends on too many of the writes")]
    Many(String),
}

/// Puts the writes in an order in which no instant is worse than both ends, and in which neither all emergency accounts
/// nor whoever applies are locked out. What no order mends is refused, or noted when somebody took it on with a reason:
/// then that reason is given back.
pub(super) fn secure(
    order: &mut Order,
    drafts: &[Draft<'_>],
    chosen: &BTreeSet<usize>,
    surroundings: &Surroundings<'_>,
    errors: &mut Vec<PlanError>,
    notes: &mut Vec<Note>,
) -> Option<String> {
    let options = surroundings.options;
    let writes = order.touches(drafts, chosen);
    if writes.is_empty() {
        return None;
    }
    let mut found = look(order, &writes, drafts, surroundings);
    if !found.is_good() && order.has_preferences() {
        // What only seemed good may stand in the way of what is needed.
        let kept = order.without_preferences();
        let again = look(&kept, &writes, drafts, surroundings);
        if again.is_good() {
            *order = kept;
            found = again;
        }
    }
    for (earlier, later) in &found.edges {
        if let (Some(earlier), Some(later)) = (writes.get(*earlier), writes.get(*later)) {
            order.wait(earlier.last, later.first);
        }
    }
    order.settle_members(&writes);
    for (draft, problem) in found.ends {
        errors.extend(drafts.get(draft).map(|draft| draft.error(problem)));
    }
    if found.problems.is_empty() {
        return None;
    }
    for (draft, problem) in found.problems {
        let Some(draft) = drafts.get(draft) else { continue };
        match &options.accept_gap {
            Some(reason) => notes.push(
                Note::warning("accepted_gap", problem.to_string())
                    .on(&draft.change.address, draft.origin())
                    .help(format!("taken on with `--accept-gap`: {reason}")),
            ),
            None => errors.push(draft.error(problem)),
        }
    }
    options.accept_gap.clone()
}

/// What the order of writes depends on beside them.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'s> {
    pub(super) live: &'s LiveTenant,
    pub(super) emergency: Option<&'s Emergency>,
    pub(super) options: &'s PlanOptions,
}

fn sentence(wrong: Wrong, lockouts: &Lockouts) -> String {
    match wrong {
        Wrong::Unprotected => "some sign-ins are less protected in between than before and after".to_owned(),
        Wrong::LockedOut => "somebody is locked out in between who gets in before and after".to_owned(),
        Wrong::Undecided => {
            "there are too many combinations to decide whether all stay protected in between".to_owned()
        }
        Wrong::Forbidden(place) => lockouts.sentence(place),
    }
}

/// Edges between writes, and what no edge mends.
#[derive(Default)]
struct Looked {
    edges: Vec<(usize, usize)>,
    /// With the numbers of the drafts at which they are told.
    problems: Vec<(usize, Problem)>,
    /// What is wrong once all writes are done, which nobody may take on.
    ends: Vec<(usize, Problem)>,
}

impl Looked {
    fn is_good(&self) -> bool {
        self.problems.is_empty()
    }
}

fn look(order: &Order, writes: &[Write], drafts: &[Draft<'_>], surroundings: &Surroundings<'_>) -> Looked {
    let live = surroundings.live;
    let mut layout = Layout {
        drafts,
        live,
        writes,
        movements: Movements::of(drafts.iter().map(|draft| &draft.change), &live.people),
        waits: order.between(writes),
        chained: Vec::new(),
        policies: Vec::new(),
        estates: Vec::new(),
        by_environment: BTreeMap::new(),
    };
    let mut looked = Looked::default();
    let unclear = |unclear: &Unclear| {
        let reason = unclear.to_string();
        let first = writes.first().map_or(0, |write| write.draft);
        (first, Problem::InstantsUnclear { reason })
    };
    let mut lockouts = match layout.lockouts(surroundings.emergency) {
        Ok(lockouts) => lockouts,
        Err(error) => {
            looked.problems.push(unclear(&error));
            Lockouts::default()
        }
    };
    looked.ends = std::mem::take(&mut lockouts.ends);
    let secured = layout.secured(&lockouts).or_else(|error| {
        // Lock-outs need no knowledge of what policies catch.
        looked.problems.push(unclear(&error));
        access::secure(&[], &[], &layout.waits, &lockouts.forbidden)
    });
    match secured {
        Ok(secured) => {
            looked.edges.clone_from(&layout.chained);
            looked.edges.extend(secured.edges);
            for conflict in secured.conflicts {
                let draft = writes.get(conflict.first).map_or(0, |write| write.draft);
                let problem = Problem::AccessGap {
                    first: layout.name(conflict.first),
                    second: layout.name(conflict.second),
                    wrong: sentence(conflict.wrong, &lockouts),
                };
                looked.problems.push((draft, problem));
            }
        }
        Err(error) => looked.problems.push(unclear(&error.into())),
    }
    looked
}

/// Everything laid out, by places in the stores.
#[derive(Default)]
struct Laid {
    fixed: Vec<(usize, usize)>,
    moving: Vec<LaidPolicy>,
}

#[derive(Default)]
struct LaidPolicy {
    writes: BTreeSet<usize>,
    states: Vec<(BTreeSet<usize>, Option<usize>)>,
    versions: Vec<(usize, usize)>,
}

struct Layout<'l, 'd> {
    drafts: &'l [Draft<'d>],
    live: &'l LiveTenant,
    writes: &'l [Write],
    movements: Movements,
    waits: Waits,
    chained: Vec<(usize, usize)>,
    policies: Vec<Policy>,
    estates: Vec<Estate>,
    by_environment: BTreeMap<BTreeSet<usize>, usize>,
}

impl Layout<'_, '_> {
    /// What people call a write.
    fn name(&self, write: usize) -> String {
        let Some(write) = self.writes.get(write) else {
            return String::new();
        };
        let name = self
            .drafts
            .get(write.draft)
            .map(|draft| draft.change.name.as_str());
        let name = name.unwrap_or_default();
        match write.touch {
            Touch::Joined => format!("who joins {name}"),
            Touch::Left => format!("who leaves {name}"),
            _ => name.to_owned(),
        }
    }

    /// An order in which no instant is worse than both ends, and none is a lock-out.
    fn secured(&mut self, lockouts: &Lockouts) -> Result<access::Secured, Unclear> {
        let laid = self.lay()?;
        let version = |(policy, estate): &(usize, usize)| {
            Some(Version {
                policy: self.policies.get(*policy)?,
                estate: self.estates.get(*estate)?,
            })
        };
        let fixed: Vec<Version<'_>> = laid.fixed.iter().filter_map(version).collect();
        let moving: Vec<Moving<'_>> = laid
            .moving
            .iter()
            .map(|policy| Moving {
                writes: policy.writes.clone(),
                states: policy.states.clone(),
                versions: policy.versions.iter().filter_map(version).collect(),
            })
            .collect();
        Ok(access::secure(&fixed, &moving, &self.waits, &lockouts.forbidden)?)
    }

    fn lay(&mut self) -> Result<Laid, Unclear> {
        let mut laid = Laid::default();
        for subject in subjects(self.drafts, self.live, self.writes) {
            if !subject.objects().any(is_enabled) {
                continue;
            }
            let environment = self.environment(&subject);
            if environment.len() > MOST_SIDE_BY_SIDE {
                self.chain(&environment);
            }
            let writes: BTreeSet<usize> = subject
                .own
                .iter()
                .map(|(write, _)| *write)
                .chain(environment.iter().copied())
                .collect();
            let mut policy = LaidPolicy {
                writes: writes.clone(),
                ..LaidPolicy::default()
            };
            for done in self
                .states(&writes)
                .ok_or_else(|| Unclear::Many(subject.key.clone()))?
            {
                let version = self.version(&subject, &done, &environment, &mut policy)?;
                policy.states.push((done, version));
            }
            match policy.versions.as_slice() {
                [] => {}
                [only] if policy.states.iter().all(|(_, version)| version.is_some()) => {
                    laid.fixed.push(*only);
                }
                _ => laid.moving.push(policy),
            }
        }
        Ok(laid)
    }

    /// The writes to locations, strengths and groups on which a policy depends.
    fn environment(&self, subject: &Subject<'_>) -> BTreeSet<usize> {
        let mut named: BTreeSet<String> = BTreeSet::new();
        let mut names_trusted = false;
        for object in subject.objects() {
            for (_, reference) in object.references() {
                match reference {
                    Reference::Keyword(word) => names_trusted |= word.eq_ignore_ascii_case("AllTrusted"),
                    Reference::Id { id, .. } => drop(named.insert(id.to_ascii_lowercase())),
                    Reference::Managed { address, .. } => drop(named.insert(address.to_string())),
                    Reference::Lookup(_) => {}
                }
            }
            if let Some(Value::Grant(grant)) = object.get("grantControls") {
                for control in &grant.controls {
                    match control {
                        Control::Strength(Reference::Id { id, .. }) => drop(named.insert(id.clone())),
                        Control::Strength(Reference::Managed { address, .. }) => {
                            named.insert(address.to_string());
                        }
                        _ => {}
                    }
                }
            }
        }
        let concerns = |write: &Write| {
            let Some(draft) = self.drafts.get(write.draft) else {
                return false;
            };
            let change = &draft.change;
            let around = change.id.as_ref().and_then(|id| self.live.people.around.get(id));
            let is_named = named.contains(&change.address.to_string())
                || change.id.as_ref().is_some_and(|id| named.contains(id))
                || change.kind == Kind::Group
                    && around.is_some_and(|around| around.groups.iter().any(|group| named.contains(group)));
            let is_trusted = |object: &Option<Object>| {
                object
                    .as_ref()
                    .is_some_and(|object| object.get("isTrusted") == Some(&Value::Boolean(true)))
            };
            change.kind != Kind::Policy
                && (is_named || names_trusted && (is_trusted(&change.before) || is_trusted(&change.after)))
        };
        let all = self.writes.iter().enumerate();
        all.filter(|(_, write)| concerns(write))
            .map(|(place, _)| place)
            .collect()
    }

    /// Lets each of these writes wait for the one before it; members leave groups last.
    fn chain(&mut self, writes: &BTreeSet<usize>) {
        let leaves = |write: &usize| {
            self.writes
                .get(*write)
                .is_some_and(|write| write.touch == Touch::Left)
        };
        let (left, mut all): (Vec<usize>, Vec<usize>) = writes.iter().partition(|write| leaves(write));
        all.extend(left);
        for (earlier, later) in all.iter().zip(all.iter().skip(1)) {
            if !self.waits.is_before(*earlier, *later) && !self.waits.is_before(*later, *earlier) {
                self.waits.add(*earlier, *later);
                self.chained.push((*earlier, *later));
            }
        }
    }

    /// Which of these writes may be done together while the others are not; none when there are too many ways.
    fn states(&self, writes: &BTreeSet<usize>) -> Option<Vec<BTreeSet<usize>>> {
        let mut states: Vec<BTreeSet<usize>> = vec![BTreeSet::new()];
        let mut known: BTreeSet<BTreeSet<usize>> = states.iter().cloned().collect();
        let mut place = 0;
        while let Some(state) = states.get(place).cloned() {
            for write in writes.difference(&state) {
                let mut next = state.clone();
                next.insert(*write);
                if self.waits.is_closed(&next, writes) && known.insert(next.clone()) {
                    states.push(next);
                }
            }
            place += 1;
            if states.len() > MOST_STATES {
                return None;
            }
        }
        Some(states)
    }

    /// How a policy stands with these writes done, among the ways in which it was seen to stand.
    fn version(
        &mut self,
        subject: &Subject<'_>,
        done: &BTreeSet<usize>,
        environment: &BTreeSet<usize>,
        policy: &mut LaidPolicy,
    ) -> Result<Option<usize>, Unclear> {
        let Some((object, has_unknown)) = subject.at(done).filter(|(object, _)| is_enabled(object)) else {
            return Ok(None);
        };
        let estate = self.estate(&environment.intersection(done).copied().collect())?;
        let has = |group: &str, touches: &[Touch]| {
            environment.iter().any(|write| {
                done.contains(write)
                    && self.writes.get(*write).is_some_and(|write| {
                        let draft = self.drafts.get(write.draft);
                        touches.contains(&write.touch)
                            && draft.is_some_and(|draft| draft.change.id.as_deref() == Some(group))
                    })
            })
        };
        let have_joined = |group: &str| has(group, &[Touch::Joined]);
        let have_left = |group: &str| has(group, &[Touch::Left, Touch::Gone]);
        let read = self.movements.read(object, &have_joined, &have_left);
        let made = Policy::new(subject.key.clone(), read.as_ref().unwrap_or(object), has_unknown).map_err(
            |source| EstateError::FilterRule {
                name: object.name().to_owned(),
                source,
            },
        )?;
        let here = self.estates.get(estate);
        let same = policy.versions.iter().position(|(known, of)| {
            match (self.policies.get(*known), self.estates.get(*of), here) {
                (Some(known), Some(of), Some(here)) => known.does_the_same(of, &made, here),
                _ => false,
            }
        });
        if same.is_some() {
            return Ok(same);
        }
        self.policies.push(made);
        policy.versions.push((self.policies.len() - 1, estate));
        Ok(Some(policy.versions.len() - 1))
    }

    /// The locations and strengths with these writes done.
    fn estate(&mut self, done: &BTreeSet<usize>) -> Result<usize, Unclear> {
        if let Some(known) = self.by_environment.get(done) {
            return Ok(*known);
        }
        let mut estate = Estate::default();
        let is_neighbour = |kind: Kind| !matches!(kind, Kind::Policy | Kind::Group | Kind::Context);
        let mut written: BTreeSet<&str> = BTreeSet::new();
        for (place, write) in self.writes.iter().enumerate() {
            let Some(change) = self.drafts.get(write.draft).map(|draft| &draft.change) else {
                continue;
            };
            if !is_neighbour(change.kind) {
                continue;
            }
            let (id, is_done) = (change.id.as_deref(), done.contains(&place));
            let (keys, object): (Vec<&str>, Option<&Object>) = match write.touch {
                Touch::Made | Touch::Restored => (Vec::new(), change.after.as_ref().filter(|_| is_done)),
                Touch::Changed | Touch::Joined | Touch::Left => {
                    let object = if is_done { &change.after } else { &change.before };
                    (id.into_iter().collect(), object.as_ref())
                }
                Touch::Gone => (
                    id.into_iter().collect(),
                    change.before.as_ref().filter(|_| !is_done),
                ),
            };
            written.extend(&keys);
            let Some(object) = object else { continue };
            for key in keys {
                estate.add(key, object, false)?;
            }
            if write.touch != Touch::Gone {
                estate.add(&change.address.to_string(), object, false)?;
            }
        }
        for object in &self.live.objects {
            if is_neighbour(object.kind) && !written.contains(object.id.as_str()) {
                estate.add(&object.id, &object.object, false)?;
            }
        }
        for policy in self.live.policies() {
            if super::effect::names_a_strength(&policy.object) {
                estate.learn_strength(&policy.json.value());
            }
        }
        self.estates.push(estate);
        let place = self.estates.len() - 1;
        self.by_environment.insert(done.clone(), place);
        Ok(place)
    }
}
