//! The instants between the writes of a plan: none may be worse than both ends, for anybody.
//!
//! Every policy that a write touches, itself or through a location, a strength or a group, is laid out as it stands with
//! each set of writes done. [`crate::access::secure`] then finds which writes must wait for which, or which two changes
//! can't be brought in any order.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{self, Estate, EstateError, Moving, Policy, SpaceError, Version, Waits, Wrong};
use crate::model::live::{LiveObject, LiveTenant};
use crate::model::value::Control;
use crate::model::{Kind, Object, Reference, Value};

use super::build::Draft;
use super::effect::{Movements, has_unknown_conditions};
use super::emergency::is_enabled;
use super::error::{PlanError, Problem};
use super::note::Note;
use super::options::PlanOptions;
use super::order::{Order, Touch, Write};

/// How many writes to locations, strengths and groups one policy may depend on before they are made one after the other.
const MOST_SIDE_BY_SIDE: usize = 3;

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

/// Puts the writes in an order in which no instant is worse than both ends. What no order mends is refused, or noted when
/// somebody took it on with a reason: then that reason is given back.
pub(super) fn secure(
    order: &mut Order,
    drafts: &[Draft<'_>],
    chosen: &BTreeSet<usize>,
    live: &LiveTenant,
    options: &PlanOptions,
    errors: &mut Vec<PlanError>,
    notes: &mut Vec<Note>,
) -> Option<String> {
    let writes = order.touches(drafts, chosen);
    if writes.is_empty() {
        return None;
    }
    let mut found = look(order, &writes, drafts, live);
    if found.as_ref().is_ok_and(|found| !found.conflicts.is_empty()) && order.has_preferences() {
        // What only seemed good may stand in the way of what is needed.
        let kept = order.without_preferences();
        let again = look(&kept, &writes, drafts, live);
        if again.as_ref().is_ok_and(|again| again.conflicts.is_empty()) {
            *order = kept;
            found = again;
        }
    }
    let problems: Vec<(usize, Problem)> = match found {
        Ok(found) => {
            for (earlier, later) in &found.edges {
                if let (Some(earlier), Some(later)) = (writes.get(*earlier), writes.get(*later)) {
                    order.wait(earlier.last, later.first);
                }
            }
            let name = |write: usize| {
                let draft = writes.get(write).and_then(|write| drafts.get(write.draft));
                draft.map(|draft| draft.change.name.clone()).unwrap_or_default()
            };
            found
                .conflicts
                .iter()
                .map(|conflict| {
                    let draft = writes.get(conflict.first).map_or(0, |write| write.draft);
                    (
                        draft,
                        Problem::AccessGap {
                            first: name(conflict.first),
                            second: name(conflict.second),
                            wrong: sentence(conflict.wrong),
                        },
                    )
                })
                .collect()
        }
        Err(unclear) => vec![(
            writes.first().map_or(0, |write| write.draft),
            Problem::InstantsUnclear {
                reason: unclear.to_string(),
            },
        )],
    };
    if problems.is_empty() {
        return None;
    }
    for (draft, problem) in problems {
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

fn sentence(wrong: Wrong) -> &'static str {
    match wrong {
        Wrong::Unprotected => "some sign-ins are less protected in between than before and after",
        Wrong::LockedOut => "somebody is locked out in between who gets in before and after",
        Wrong::Undecided => "there are too many combinations to decide whether all stay protected in between",
    }
}

/// Edges between writes, and what no edge mends.
struct Looked {
    edges: Vec<(usize, usize)>,
    conflicts: Vec<access::Conflict>,
}

fn look(order: &Order, writes: &[Write], drafts: &[Draft<'_>], live: &LiveTenant) -> Result<Looked, Unclear> {
    let waits = order.between(writes);
    let mut layout = Layout {
        drafts,
        live,
        writes,
        movements: Movements::of(drafts.iter().map(|draft| &draft.change), &live.people),
        waits,
        chained: Vec::new(),
        policies: Vec::new(),
        estates: Vec::new(),
        by_environment: BTreeMap::new(),
    };
    let laid = layout.lay()?;
    let version = |(policy, estate): &(usize, usize)| {
        Some(Version {
            policy: layout.policies.get(*policy)?,
            estate: layout.estates.get(*estate)?,
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
    let secured = access::secure(&fixed, &moving, &layout.waits)?;
    let mut edges = layout.chained.clone();
    edges.extend(secured.edges);
    Ok(Looked {
        edges,
        conflicts: secured.conflicts,
    })
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

/// A policy and the writes to it.
struct Subject<'s> {
    key: String,
    before: Option<&'s Object>,
    /// As it was when it was deleted, where it is brought back.
    restored: Option<&'s Object>,
    after: Option<&'s Object>,
    has_unknown: (bool, bool),
    own: Vec<(usize, Touch)>,
}

impl Subject<'_> {
    fn at(&self, done: &BTreeSet<usize>) -> Option<(&Object, bool)> {
        let mut now = (self.before, self.has_unknown.0);
        for (write, touch) in &self.own {
            if done.contains(write) {
                now = match touch {
                    Touch::Made | Touch::Changed => (self.after, self.has_unknown.1),
                    Touch::Restored => (self.restored.or(self.after), self.has_unknown.1),
                    Touch::Gone => (None, false),
                };
            }
        }
        Some((now.0?, now.1))
    }

    fn objects(&self) -> impl Iterator<Item = &Object> {
        [self.before, self.restored, self.after].into_iter().flatten()
    }
}

impl Layout<'_, '_> {
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
            let is_named = named.contains(&change.address.to_string())
                || change.id.as_ref().is_some_and(|id| named.contains(id));
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

    /// Lets each of these writes wait for the one before it.
    fn chain(&mut self, writes: &BTreeSet<usize>) {
        for (earlier, later) in writes.iter().zip(writes.iter().skip(1)) {
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
        let moved = |group: &str| {
            environment.iter().any(|write| {
                done.contains(write)
                    && self
                        .writes
                        .get(*write)
                        .and_then(|write| self.drafts.get(write.draft))
                        .is_some_and(|draft| draft.change.id.as_deref() == Some(group))
            })
        };
        let read = self.movements.read(object, &moved);
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
                Touch::Changed => {
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

/// Every policy that is there before the writes or after them.
fn subjects<'s>(drafts: &'s [Draft<'_>], live: &'s LiveTenant, writes: &[Write]) -> Vec<Subject<'s>> {
    let mut own: BTreeMap<usize, Vec<(usize, Touch)>> = BTreeMap::new();
    for (place, write) in writes.iter().enumerate() {
        own.entry(write.draft).or_default().push((place, write.touch));
    }
    let written: BTreeMap<&str, usize> = own
        .keys()
        .filter_map(|draft| Some((drafts.get(*draft)?.live?.id.as_str(), *draft)))
        .collect();
    let mut subjects = Vec::new();
    for policy in live.policies() {
        let draft = written.get(policy.id.as_str());
        let change = draft
            .and_then(|draft| drafts.get(*draft))
            .map(|draft| &draft.change);
        let mut own: Vec<(usize, Touch)> = draft
            .and_then(|draft| own.get(draft))
            .cloned()
            .unwrap_or_default();
        own.retain(|(_, touch)| matches!(touch, Touch::Changed | Touch::Gone));
        let is_changed = own.iter().any(|(_, touch)| *touch == Touch::Changed);
        let after = change
            .and_then(|change| change.after.as_ref())
            .filter(|_| is_changed);
        subjects.push(Subject {
            key: policy.id.clone(),
            before: Some(&policy.object),
            restored: None,
            after,
            has_unknown: (
                policy.unknown.get("conditions").is_some(),
                change
                    .zip(after)
                    .is_some_and(|(change, after)| has_unknown_conditions(change, after)),
            ),
            own,
        });
    }
    for (draft, own) in &own {
        let Some(change) = drafts.get(*draft).map(|draft| &draft.change) else {
            continue;
        };
        let is_made = own
            .iter()
            .any(|(_, touch)| matches!(touch, Touch::Made | Touch::Restored));
        let (Kind::Policy, true, Some(after)) = (change.kind, is_made, &change.after) else {
            continue;
        };
        let mut own = own.clone();
        own.retain(|(_, touch)| *touch != Touch::Gone);
        let deleted = live.deleted.iter().flatten();
        let mut deleted = deleted.filter(|deleted: &&LiveObject| Some(&deleted.id) == change.id.as_ref());
        let is_edited = own.iter().any(|(_, touch)| *touch == Touch::Changed);
        subjects.push(Subject {
            key: change.address.to_string(),
            before: None,
            restored: deleted
                .next()
                .map(|deleted| &deleted.object)
                .filter(|_| is_edited),
            after: Some(after),
            has_unknown: (false, has_unknown_conditions(change, after)),
            own,
        });
    }
    // The service lists them in the order in which they were made.
    subjects.sort_by(|one, other| {
        let name = |subject: &Subject<'_>| subject.objects().next().map(|object| object.name().to_owned());
        (name(one), &one.key).cmp(&(name(other), &other.key))
    });
    subjects
}
