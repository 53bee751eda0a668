//! Rollouts at work: where each stands, what the directory says of its people, and the configuration that comes of it.

mod course;
mod due;
mod earlier;
mod facts;
pub mod gate;
mod left;
mod moves;
mod next;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::connection::Connection;
use super::workspace::WorkError;
use crate::model::Address;
use crate::model::configuration::{Configuration, Move};
use crate::model::live::SignedIn;
use crate::model::state::Document;
use crate::plan::{Plan, Staged, moved_to};
use crate::rollout::RolloutError;
use crate::rollout::gate::Answer;
use crate::rollout::lower::{self, Facts};
use crate::rollout::standing::{Person, Standing, standings};

use course::{Manner, course, refuse_enforced};
use left::{leave, refuse_made_anew, without_block};

pub use course::Course;
pub use due::Due;
pub use earlier::{still_open, undone};
pub use moves::{approve, change, named};
pub(super) use next::{Next, with_next};

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
