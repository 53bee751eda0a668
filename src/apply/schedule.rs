//! Which steps may begin: each waits for others, and what ends sets others free.
//!
//! Asking for the next step costs the same however long the plan is.

use std::collections::{BTreeMap, BTreeSet};

use super::event::StepResult;
use crate::plan::{Plan, StepId};

/// The steps of a plan by their places in it.
#[derive(Debug)]
pub(super) struct Schedule {
    places: BTreeMap<StepId, usize>,
    nodes: Vec<Node>,
    /// Steps that wait for nothing more, those that the service rations apart.
    free: BTreeSet<usize>,
    rationed: BTreeSet<usize>,
    /// Steps that wait for something that was not done.
    doomed: BTreeSet<usize>,
    rationed_under_way: usize,
}

#[derive(Debug, Default)]
struct Node {
    rationed: bool,
    /// How many steps it still waits for.
    missing: usize,
    waited_by: Vec<usize>,
    under_way: bool,
}

impl Schedule {
    /// The steps of a plan, of which some are done already.
    pub(super) fn new(plan: &Plan, done: &BTreeMap<StepId, StepResult>) -> Self {
        let places: BTreeMap<StepId, usize> = plan
            .steps
            .iter()
            .enumerate()
            .map(|(place, step)| (step.id, place))
            .collect();
        let mut nodes: Vec<Node> = plan
            .steps
            .iter()
            .map(|step| Node {
                rationed: step.act.is_rationed(),
                missing: step.after.len(),
                ..Node::default()
            })
            .collect();
        for (place, step) in plan.steps.iter().enumerate() {
            for earlier in step.after.iter().filter_map(|id| places.get(id)) {
                if let Some(earlier) = nodes.get_mut(*earlier) {
                    earlier.waited_by.push(place);
                }
            }
        }
        let mut schedule = Self {
            places,
            nodes,
            free: BTreeSet::new(),
            rationed: BTreeSet::new(),
            doomed: BTreeSet::new(),
            rationed_under_way: 0,
        };
        let over = |step: &StepId| done.contains_key(step);
        for (place, step) in plan.steps.iter().enumerate() {
            if step.after.is_empty() && !over(&step.id) {
                schedule.set_free(place);
            }
        }
        for step in plan.steps.iter().filter(|step| over(&step.id)) {
            schedule.ended(step.id, true);
        }
        for id in done.keys() {
            schedule.forget(*id);
        }
        schedule
    }

    /// The place of the first step that may begin now.
    pub(super) fn next(&self, most_rationed: usize) -> Option<usize> {
        let rationed = self.rationed.first().copied();
        let rationed = rationed.filter(|_| self.rationed_under_way < most_rationed);
        let free = self.free.first().copied();
        match (free, rationed) {
            (Some(free), Some(rationed)) => Some(free.min(rationed)),
            (one, other) => one.or(other),
        }
    }

    /// Takes a step out of those that may begin: its request is about to leave.
    pub(super) fn begun(&mut self, id: StepId) {
        let Some(place) = self.places.get(&id).copied() else {
            return;
        };
        self.withdraw(place);
        if let Some(node) = self.nodes.get_mut(place) {
            node.under_way = true;
            self.rationed_under_way += usize::from(node.rationed);
        }
    }

    /// Its request is under way no more, whatever became of it.
    pub(super) fn came_back(&mut self, id: StepId) {
        let Some(node) = self.places.get(&id).and_then(|place| self.nodes.get_mut(*place)) else {
            return;
        };
        if std::mem::take(&mut node.under_way) && node.rationed {
            self.rationed_under_way -= 1;
        }
    }

    /// It is over: what waited for it is set free, or can never begin.
    pub(super) fn ended(&mut self, id: StepId, done: bool) {
        self.came_back(id);
        let Some(place) = self.places.get(&id).copied() else {
            return;
        };
        self.withdraw(place);
        let later = self.nodes.get(place).map(|node| node.waited_by.clone());
        for later in later.into_iter().flatten() {
            if !done {
                self.doomed.insert(later);
                continue;
            }
            if let Some(node) = self.nodes.get_mut(later) {
                node.missing = node.missing.saturating_sub(1);
                if node.missing == 0 {
                    self.set_free(later);
                }
            }
        }
    }

    /// The place of the first step that waits for something that was not done; each is told once a reason.
    pub(super) fn take_doomed(&mut self) -> Option<usize> {
        self.doomed.pop_first()
    }

    /// A step that is over is not begun, even when all that it waited for is done.
    pub(super) fn forget(&mut self, id: StepId) {
        if let Some(place) = self.places.get(&id).copied() {
            self.withdraw(place);
        }
    }

    /// A step that was taken out without being over may begin again.
    pub(super) fn again(&mut self, id: StepId) {
        if let Some(place) = self.places.get(&id).copied() {
            self.set_free(place);
        }
    }

    fn set_free(&mut self, place: usize) {
        let rationed = self.nodes.get(place).is_some_and(|node| node.rationed);
        let set = if rationed {
            &mut self.rationed
        } else {
            &mut self.free
        };
        set.insert(place);
    }

    fn withdraw(&mut self, place: usize) {
        self.free.remove(&place);
        self.rationed.remove(&place);
    }
}
