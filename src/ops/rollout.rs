//! Rollouts at work: where each stands, what the directory says of its people, and the configuration that comes of it.

mod due;
mod facts;
pub mod gate;
mod moves;
mod next;

pub use due::Due;
pub use moves::{approve, change, named};
pub(super) use next::{Next, with_next};

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::connection::Connection;
use super::workspace::WorkError;
use crate::model::configuration::{Configuration, Move, Removal};
use crate::model::live::SignedIn;
use crate::model::rollout::{Rollout, Wave};
use crate::model::state::Document;
use crate::model::{Address, Value};
use crate::plan::{Plan, Staged, StagedStep, moved_to};
use crate::rollout::cohort::Cut;
use crate::rollout::gate::Answer;
use crate::rollout::lower::{self, Facts};
use crate::rollout::machine::{self, Basis, Step};
use crate::rollout::standing::{Condition, Entering, Kind, Outcome, Person, Standing, Transition, standings};
use crate::rollout::{RolloutError, edit, ready};

const STATE: &str = "state";

/// What shall become of rollouts.
#[derive(Debug, Clone, Default)]
pub enum Ask {
    /// Each stays at its wave; one that has not begun enters its first.
    #[default]
    Keep,
    /// This one takes a step.
    Go {
        /// The rollout.
        rollout: Address,
        /// Where to.
        to: Direction,
        /// Whether it is only planned, to see what would be applied.
        tried: bool,
        /// Why conditions that do not hold are passed over.
        forced: Option<String>,
        /// What the gate of the wave in force came to; none when it was not asked.
        gate: Option<Vec<Answer>>,
    },
}

/// Where a step leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Direction {
    /// To the next wave.
    Advance,
    /// To an earlier wave, the one before when none is named.
    Back(Option<String>),
    /// To before the first wave.
    Abort,
}

/// Who works, as Graph attests it; as this machine calls them where Graph says nothing.
pub fn person(signed_in: Option<&SignedIn>, who: &str) -> Person {
    match signed_in {
        Some(signed_in) => Person {
            id: signed_in.object_id.clone(),
            name: signed_in.name.clone(),
            attested_by: "graph".to_owned(),
        },
        None => Person {
            id: who.to_owned(),
            name: who.to_owned(),
            attested_by: "this machine".to_owned(),
        },
    }
}

/// One rollout of a run.
#[derive(Debug, Clone)]
pub struct Course {
    /// The rollout.
    pub rollout: Rollout,
    /// The address that state has it under, where a `moved` block gives it another.
    previous: Option<Address>,
    /// What state says; none when it knows nothing of it.
    pub before: Option<Standing>,
    /// The same in terms of the waves as they are written now.
    pub standing: Standing,
    /// The step that it is to take.
    step: Option<Taken>,
    /// What was found of each condition of the next step.
    pub conditions: Vec<Condition>,
}

/// A step that a run takes.
#[derive(Debug, Clone)]
struct Taken {
    kind: Kind,
    to: Option<String>,
    forced: Option<String>,
    cuts: BTreeMap<String, Cut>,
    manner: Manner,
    /// Whether what was found of each condition is kept with it.
    is_judged: bool,
}

/// What becomes of a step that can't be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It is refused.
    Asked,
    /// It is put off.
    ByTheWay,
    /// It is planned all the same, and never taken.
    Tried,
}

/// The rollouts of a run.
#[derive(Debug, Clone)]
pub struct Courses {
    own: Vec<Course>,
    /// Rollouts of which only state knows, that are to be forgotten or left.
    others: Vec<(Address, Standing, Option<Standing>)>,
    by: Person,
    at: Timestamp,
}

impl Courses {
    /// Where every rollout stands and what it is to do.
    pub fn of(
        configuration: &Configuration,
        state: Option<&Document>,
        ask: &Ask,
        by: Person,
        at: Timestamp,
    ) -> Result<Self, RolloutError> {
        let known = state.map(standings).transpose()?.unwrap_or_default();
        let mut known: BTreeMap<Address, (Address, Standing)> = known
            .into_iter()
            .map(|(address, standing)| (moved_to(configuration, &address), (address, standing)))
            .collect();
        let mut courses = Vec::new();
        for rollout in configuration.rollouts.values() {
            let (previous, before) = known.remove(&rollout.address).unzip();
            let previous = previous.filter(|previous| *previous != rollout.address);
            courses.push(Course {
                previous,
                ..course(rollout, before, ask, at)?
            });
        }
        let others = known
            .into_iter()
            .map(|(address, (_, standing))| {
                let after = without_block(configuration, &address, &standing)?;
                Ok((address, standing, after))
            })
            .collect::<Result<_, RolloutError>>()?;
        Ok(Self {
            own: courses,
            others,
            by,
            at,
        })
    }

    /// No rollout moves: nothing is made or changed.
    pub fn none(by: Person, at: Timestamp) -> Self {
        Self {
            own: Vec::new(),
            others: Vec::new(),
            by,
            at,
        }
    }

    /// All of them are forgotten, with everything that they moved.
    pub fn forgotten(state: Option<&Document>, by: Person, at: Timestamp) -> Result<Self, RolloutError> {
        let known = state.map(standings).transpose()?.unwrap_or_default();
        Ok(Self {
            others: known
                .into_iter()
                .map(|(address, standing)| (address, standing, None))
                .collect(),
            ..Self::none(by, at)
        })
    }

    /// The rollouts that the project has, to be asked about their gates.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Course> {
        self.own.iter_mut()
    }

    /// The rollouts that the project has.
    pub fn iter(&self) -> impl Iterator<Item = &Course> {
        self.own.iter()
    }

    /// What must be asked of the directory.
    pub async fn facts(
        &self,
        connection: &Connection,
        configuration: &Configuration,
        state: Option<&Document>,
    ) -> Result<Facts, WorkError> {
        let mut all = lower::Needs::default();
        for course in &self.own {
            let needs = lower::needs(configuration, &course.rollout, course.target())?;
            all.join(needs);
        }
        facts::read(connection, configuration, state, &all).await
    }

    /// Draws the shares of waves that are to be entered.
    pub fn draw(&mut self, facts: &Facts) -> Result<(), RolloutError> {
        for course in &mut self.own {
            let Some(step) = &mut course.step else { continue };
            let Some((_, wave)) = step.to.as_ref().and_then(|name| course.rollout.wave(name)) else {
                continue;
            };
            if !course.standing.cuts.contains_key(&wave.name) && step.cuts.is_empty() {
                step.cuts = lower::draw(&course.rollout, wave, facts)?;
            }
        }
        Ok(())
    }

    /// The configuration with every rollout where it is to be.
    pub fn lower(&self, configuration: &Configuration, facts: &Facts) -> Result<Configuration, RolloutError> {
        let standings = self
            .own
            .iter()
            .map(|course| (course.rollout.address.clone(), course.meant(self.at)))
            .collect();
        let mut lowered = lower::lower(configuration, &standings, facts)?;
        let rollouts = |address: &Address| address.kind == "rollout";
        lowered.moves.retain(|one| !rollouts(&one.from));
        lowered.removals.retain(|one| !rollouts(&one.from));
        for moved in configuration.moves.iter().filter(|one| rollouts(&one.from)) {
            lowered.moves.push(Move {
                from: lower::cohort_of(&moved.from),
                to: lower::cohort_of(&moved.to),
                origin: moved.origin,
            });
        }
        for (address, standing, after) in &self.others {
            if after.is_some() {
                leave(configuration, address, standing, &mut lowered);
            }
        }
        Ok(lowered)
    }

    /// Decides which steps are taken, now that it is known what would be applied. False when one is put off: then the
    /// plan has to be made again without it.
    pub fn decide(&mut self, plan: &Plan) -> Result<bool, RolloutError> {
        let digest = plan.content_digest();
        let mut same = true;
        let (by, at) = (self.by.clone(), self.at);
        for (address, standing, after) in &self.others {
            if after.is_some() {
                refuse_made_anew(address, standing, plan)?;
            }
        }
        for course in &mut self.own {
            refuse_enforced(course, plan)?;
            if let Err(error) = course.entered(&by, at, &digest) {
                match course.step.as_ref().map(|step| step.manner) {
                    Some(Manner::Tried) => {}
                    Some(Manner::Asked) => return Err(error),
                    None | Some(Manner::ByTheWay) => {
                        course.step = None;
                        same = false;
                    }
                }
            }
        }
        Ok(same)
    }

    /// Takes no step: a plan of a part of the project moves no rollout. Refused when a step was asked for.
    pub fn stay(&mut self) -> Result<(), RolloutError> {
        self.others.clear();
        for course in &mut self.own {
            if let Some(step) = course.step.take()
                && step.manner != Manner::ByTheWay
            {
                return Err(RolloutError::Partial {
                    rollout: course.rollout.address.to_string(),
                });
            }
        }
        Ok(())
    }

    /// Where the rollouts stand in a plan, and where it leads them.
    pub fn staged(&self, plan: &Plan) -> Result<Vec<Staged>, RolloutError> {
        let digest = plan.content_digest();
        let mut all = Vec::new();
        for course in &self.own {
            all.push(course.staged(&self.by, self.at, &digest)?);
        }
        for (address, standing, after) in &self.others {
            all.push(Staged {
                address: address.clone(),
                previous: None,
                waves: standing.marks.iter().map(|mark| mark.name.clone()).collect(),
                at: standing.wave_name().map(str::to_owned),
                since: standing.wave.as_ref().map(|wave| wave.since),
                step: None,
                waits: Vec::new(),
                next: None,
                before: Some(standing.clone()),
                after: after.clone(),
            });
        }
        Ok(all)
    }
}

fn course(
    rollout: &Rollout,
    before: Option<Standing>,
    ask: &Ask,
    at: Timestamp,
) -> Result<Course, RolloutError> {
    let standing = match &before {
        Some(before) => edit::fitted(rollout, before)?,
        None => Standing::default(),
    };
    let mut gate_of_it = None;
    let step = match ask {
        Ask::Go {
            rollout: address,
            to,
            tried,
            forced,
            gate,
        } if *address == rollout.address => {
            gate_of_it = gate.as_deref();
            let step = match to {
                Direction::Advance if standing.entering.is_some() => None,
                Direction::Advance => Some(machine::next(rollout, &standing)?),
                Direction::Back(to) => Some(machine::back(rollout, &standing, to.as_deref())?),
                Direction::Abort => Some(machine::abort(rollout, &standing)?),
            };
            let manner = if *tried { Manner::Tried } else { Manner::Asked };
            step.map(|step| Taken {
                is_judged: step.kind == Kind::Advance || gate.is_some(),
                ..taken(step, forced.clone(), manner)
            })
        }
        _ if standing.history.is_empty() && standing.entering.is_none() => {
            let step = machine::next(rollout, &standing).ok();
            step.map(|step| taken(step, None, Manner::ByTheWay))
        }
        _ => None,
    };
    let conditions = ready::conditions(rollout, &standing, at, gate_of_it)?;
    Ok(Course {
        rollout: rollout.clone(),
        previous: None,
        before,
        standing,
        step,
        conditions,
    })
}

fn taken(step: Step<'_>, forced: Option<String>, manner: Manner) -> Taken {
    Taken {
        kind: step.kind,
        to: step.to.map(|wave| wave.name.clone()),
        forced,
        cuts: BTreeMap::new(),
        manner,
        is_judged: step.kind == Kind::Advance,
    }
}

impl Course {
    /// The wave that the configuration is to mean.
    fn target(&self) -> Option<&str> {
        match &self.step {
            Some(step) => step.to.as_deref(),
            None => self.standing.target(),
        }
    }

    /// The standing as if its step were taken, to see what comes of it.
    fn meant(&self, at: Timestamp) -> Standing {
        let mut meant = self.standing.clone();
        if let Some(step) = &self.step {
            meant.cuts.extend(step.cuts.clone());
            meant.entering = Some(Entering {
                to: step.to.clone(),
                given_up: Vec::new(),
                at,
            });
        }
        meant
    }

    /// The standing that must be in state before the first write.
    fn entered(&self, by: &Person, at: Timestamp, digest: &str) -> Result<Standing, RolloutError> {
        let Some(step) = &self.step else {
            return Ok(self.standing.clone());
        };
        let to = step.to.as_ref().and_then(|name| self.rollout.wave(name));
        machine::enter(
            &self.rollout,
            &self.standing,
            Step {
                kind: step.kind,
                to: to.map(|(_, wave)| wave),
            },
            Basis {
                at,
                by: by.clone(),
                digest: digest.to_owned(),
                conditions: if step.is_judged {
                    self.conditions.clone()
                } else {
                    Vec::new()
                },
                forced: step.forced.clone(),
                cuts: step.cuts.clone(),
            },
        )
    }

    fn staged(&self, by: &Person, at: Timestamp, digest: &str) -> Result<Staged, RolloutError> {
        let is_tried = self
            .step
            .as_ref()
            .is_some_and(|step| step.manner == Manner::Tried);
        let after = if is_tried {
            self.standing.clone()
        } else {
            self.entered(by, at, digest)?
        };
        let goes_on = self.standing.entering.as_ref().map(|entering| StagedStep {
            kind: self
                .standing
                .history
                .last()
                .map_or(Kind::Advance, |last| last.kind),
            to: entering.to.clone(),
            goes_on: true,
        });
        let step = self.step.as_ref().map(|step| StagedStep {
            kind: step.kind,
            to: step.to.clone(),
            goes_on: false,
        });
        let is_known = self.before.is_some() || (step.is_some() && !is_tried);
        Ok(Staged {
            address: self.rollout.address.clone(),
            previous: self.previous.clone(),
            waves: self.rollout.waves.iter().map(|wave| wave.name.clone()).collect(),
            at: self.standing.wave_name().map(str::to_owned),
            since: self.standing.wave.as_ref().map(|wave| wave.since),
            waits: if step.is_some() || goes_on.is_some() {
                Vec::new()
            } else {
                self.waits(by)
            },
            next: None,
            step: step.or(goes_on),
            before: self.before.clone(),
            after: is_known.then_some(after),
        })
    }

    /// The wave after the one in force; none when it is complete.
    pub fn next(&self) -> Option<&Wave> {
        let place = match self.standing.wave_name() {
            None => 0,
            Some(name) => self.rollout.wave(name)?.0 + 1,
        };
        self.rollout.waves.get(place)
    }

    /// What the next wave waits for, as clauses; nothing when it waits for nothing, or there is none.
    pub fn waits(&self, by: &Person) -> Vec<String> {
        let Some(next) = self.next() else {
            return Vec::new();
        };
        let mut waits = Vec::new();
        if let Some(pause) = &self.standing.paused {
            waits.push(format!("paused by {}: {}", pause.by.name, pause.reason));
        }
        let unmet = self
            .conditions
            .iter()
            .filter(|condition| condition.outcome != Outcome::Pass);
        waits.extend(unmet.map(|condition| condition.because.clone()));
        if next.approvals > 0 {
            let mut given: Vec<&str> = self
                .standing
                .approvals
                .iter()
                .filter(|approval| approval.by.id != by.id)
                .map(|approval| approval.by.id.as_str())
                .collect();
            given.sort_unstable();
            given.dedup();
            waits.push(format!("{} of {} approvals given", given.len(), next.approvals));
        }
        waits
    }
}

/// Where rollouts go back to when the apply that moved them is taken back; `before` is the state that it began with.
pub fn undone(
    configuration: &Configuration,
    before: &Document,
    now: &Document,
    plan: &Plan,
    by: &Person,
    at: Timestamp,
) -> Result<Vec<Staged>, RolloutError> {
    let was = standings(before)?;
    let mut all = Vec::new();
    for (address, standing) in standings(now)? {
        let began = was
            .get(&address)
            .filter(|was| was.entering.is_some())
            .and_then(|was| was.history.last());
        let same = |now: &Transition| began.is_some_and(|began| began.began == now.began);
        let Some(last) = standing.history.last().filter(|last| same(last)) else {
            continue;
        };
        let Some(rollout) = configuration.rollouts.get(&address) else {
            continue;
        };
        let to = last.from.as_ref().and_then(|name| rollout.wave(name));
        let step = Step {
            kind: Kind::Undo,
            to: to.map(|(_, wave)| wave),
        };
        let basis = Basis {
            at,
            by: by.clone(),
            digest: plan.content_digest(),
            conditions: Vec::new(),
            forced: None,
            cuts: BTreeMap::new(),
        };
        let after = machine::enter(rollout, &edit::fitted(rollout, &standing)?, step, basis)?;
        all.push(Staged {
            address: address.clone(),
            previous: None,
            waves: rollout.waves.iter().map(|wave| wave.name.clone()).collect(),
            at: standing.wave_name().map(str::to_owned),
            since: standing.wave.as_ref().map(|wave| wave.since),
            step: Some(StagedStep {
                kind: Kind::Undo,
                to: last.from.clone(),
                goes_on: false,
            }),
            waits: Vec::new(),
            next: None,
            before: Some(standing),
            after: Some(after),
        });
    }
    Ok(all)
}

/// Refuses a plan made before that would take a step when time stands in its way now.
pub fn still_open(
    configuration: &Configuration,
    plan: &Plan,
    state: Option<&Document>,
    now: Timestamp,
) -> Result<(), RolloutError> {
    let known = state.map(standings).transpose()?.unwrap_or_default();
    for staged in &plan.rollouts {
        let is_begun = |step: &StagedStep| step.kind == Kind::Advance && !step.goes_on;
        let forced = staged
            .after
            .as_ref()
            .and_then(|after| after.history.last())
            .is_some_and(|last| last.forced.is_some());
        let Some(rollout) = configuration
            .rollouts
            .get(&staged.address)
            .filter(|_| staged.step.as_ref().is_some_and(is_begun) && !forced)
        else {
            continue;
        };
        let standing = known.get(&staged.address).cloned().unwrap_or_default();
        let unmet: Vec<Condition> = ready::conditions(rollout, &standing, now, None)?
            .into_iter()
            .filter(|condition| condition.outcome == Outcome::NotYet)
            .collect();
        if !unmet.is_empty() {
            return Err(RolloutError::Unmet {
                rollout: rollout.address.to_string(),
                name: rollout.address.name.clone(),
                unmet,
            });
        }
    }
    Ok(())
}

/// Refuses to begin with a policy that is enforced already.
fn refuse_enforced(course: &Course, plan: &Plan) -> Result<(), RolloutError> {
    if !course.standing.history.is_empty() {
        return Ok(());
    }
    for policy in &course.rollout.policies {
        let live = plan
            .change(&policy.value)
            .and_then(|change| change.before.as_ref());
        let is_enforced = live.and_then(|live| live.get(STATE)) == Some(&Value::Symbol("enabled".to_owned()));
        if is_enforced {
            return Err(RolloutError::EnforcedAlready {
                rollout: course.rollout.address.to_string(),
                policy: policy.value.to_string(),
                origin: policy.origin,
            });
        }
    }
    Ok(())
}

/// Refuses to make a policy anew whose rollout was left where it is: nobody says any more for whom.
fn refuse_made_anew(address: &Address, standing: &Standing, plan: &Plan) -> Result<(), RolloutError> {
    for policy in &standing.policies {
        let is_made = plan
            .change(policy)
            .is_some_and(|change| change.before.is_none() && change.after.is_some());
        if is_made {
            return Err(RolloutError::LeftAndGone {
                rollout: address.to_string(),
                policy: policy.to_string(),
            });
        }
    }
    Ok(())
}

/// What becomes of a rollout whose block is gone: it is forgotten when it had come to its end, left when that is said.
fn without_block(
    configuration: &Configuration,
    address: &Address,
    standing: &Standing,
) -> Result<Option<Standing>, RolloutError> {
    let is_removed = configuration
        .removals
        .iter()
        .any(|removal| removal.from.covers(address));
    if is_removed {
        return Ok(Some(Standing {
            left: true,
            ..standing.clone()
        }));
    }
    let untouched = standing.history.is_empty();
    let no_policy = standing
        .policies
        .iter()
        .all(|policy| !configuration.resources.contains_key(policy));
    if standing.left || untouched || no_policy || is_whole(standing) {
        return Ok(None);
    }
    Err(RolloutError::BlockGone {
        rollout: address.to_string(),
        wave: standing.target().map(str::to_owned),
    })
}

/// Whether the wave in force is the policy's own audience, enforced.
fn is_whole(standing: &Standing) -> bool {
    let in_force = standing.marks.last().filter(|_| standing.entering.is_none());
    in_force.is_some_and(|mark| mark.whole && mark.enforced && standing.wave_name() == Some(&mark.name))
}

/// Leaves the policies of a rollout as its wave left them.
fn leave(configuration: &Configuration, address: &Address, standing: &Standing, lowered: &mut Configuration) {
    for policy in &standing.policies {
        if let Some(resource) = lowered.resources.get_mut(policy) {
            let ignored = &mut resource.lifecycle.ignore_changes;
            ignored.extend(lower::MOVED.iter().map(|wire| (*wire).to_owned()));
            ignored.dedup();
        }
    }
    let origin = configuration
        .removals
        .iter()
        .find(|removal| removal.from.covers(address))
        .map(|removal| removal.origin);
    if let Some(origin) = origin {
        for number in 0..standing.policies.len() {
            lowered.removals.push(Removal {
                from: lower::cohort_address(address, number),
                origin,
            });
        }
    }
}
