//! What it takes to make the tenant what the configuration says.
//!
//! A pure function of values: configuration, live tenant, directory, state, options. It leaves no
//! choice to whoever carries the plan out: every body is whole, and the only thing unknown is the
//! id of an object that the same plan makes.
//!
//! ```text
//! desired + live + state ─ identity ─ resolve ─ emergency ─ difference ─ preflight ─ steps ─ order → Plan
//! ```

mod acts;
mod arranged;
mod build;
mod canonical;
pub mod change;
mod difference;
pub mod effect;
mod emergency;
pub mod error;
pub mod graph;
pub mod held;
mod identity;
mod instants;
pub mod json;
mod lockout;
pub mod names;
pub mod note;
pub mod options;
mod order;
mod people;
mod preflight;
pub mod questions;
mod resolve;
pub mod saved;
mod scope;
pub mod staged;
pub mod step;
mod totals;
pub mod undo;
mod users;
mod uses;
pub mod verdict;
mod watched;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::model::configuration::Configuration;
use crate::model::live::{Directory, LiveIndex, LiveTenant};
use crate::model::properties::ApiVersion;
use crate::model::state::{CAPOL_VERSION, Document};
use crate::model::{Address, Reference};

use arranged::{Arranged, arrange};
use build::{Builder, Draft};
use emergency::Emergency;
use error::Problem;
use instants::Surroundings;
use resolve::Resolver;

pub use change::{
    Action, ActionReason, Guard, GuardChange, OutputChange, PropertyChange, RawChange, ResourceChange,
};
pub(crate) use difference::equal;
pub use effect::{Effect, Membership, Reach, Region, Weighing, weigh};
pub use error::{PlanError, PlanErrors};
pub use held::{Held, Why};
pub use names::Names;
pub use note::{Note, NoteLevel};
pub use options::{Limits, Mode, PlanOptions};
pub use questions::{Questions, Reading, namesakes, questions, reading};
pub use saved::{SavedPlanError, StaleReason, stale};
pub use staged::{NextWave, Staged, StagedStep};
pub use step::{Act, ObjectId, Pending, Step, StepId};
pub use undo::{Earlier, States, undo};
pub use verdict::Verdict;
pub use watched::watched;

/// The version of the saved form.
pub const FORMAT_VERSION: &str = "1.0";

/// A plan. Immutable once made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// The version of the saved form.
    pub format_version: String,
    /// The version of capol that made it.
    pub capol_version: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The tenant it is for.
    pub tenant_id: String,
    /// The history of the state it starts from; none when there was no state.
    pub lineage: Option<Uuid>,
    /// The serial of that state.
    pub serial: u64,
    /// The digest of the configuration.
    pub configuration_digest: String,
    /// What every live object looked like, by id.
    pub live: BTreeMap<String, Seen>,
    /// Whether it only brings state up to date.
    pub refresh_only: bool,
    /// Whether everything that differs is in it; not with `--target` or `--exclude`.
    pub complete: bool,
    /// What happens to each object, by address.
    pub changes: Vec<ResourceChange>,
    /// The writes, in an order in which they may run one after the other.
    pub steps: Vec<Step>,
    /// Objects that it leaves alone for now, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Held>,
    /// What it does to people's access; none where nobody looked, or nothing is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
    /// Why somebody took on that not everybody stays protected, or let in, between the writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_gap: Option<String>,
    /// The emergency accounts and groups, for those who show the plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub emergency: Vec<Reference>,
    /// Outputs that change.
    pub outputs: Vec<OutputChange>,
    /// Where the rollouts stand, and where it leads them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollouts: Vec<Staged>,
    /// What people should know.
    pub notes: Vec<Note>,
    /// What people call the objects behind ids, for those who show the plan.
    pub names: BTreeMap<String, String>,
    /// What applying it costs.
    pub cost: Cost,
    /// What it comes to.
    pub verdict: Verdict,
}

/// A live object as the plan saw it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// What kind of thing, in words.
    pub noun: String,
    /// What people call it.
    pub name: String,
    /// The digest of its content.
    pub digest: String,
}

/// What applying a plan costs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Writes.
    pub writes: u32,
    /// Requests in all: the writes, and reading the tenant before and after.
    pub requests: u32,
    /// How many seconds that is at the pace the service allows.
    pub seconds: u64,
}

impl Plan {
    /// What happens at an address.
    pub fn change(&self, address: &Address) -> Option<&ResourceChange> {
        // They are in order as they are made; a file may say otherwise.
        match self
            .changes
            .binary_search_by(|change| change.address.cmp(address))
        {
            Ok(place) => self.changes.get(place),
            Err(_) => self.changes.iter().find(|change| change.address == *address),
        }
    }

    /// The step of a number.
    pub fn step(&self, id: StepId) -> Option<&Step> {
        let place = usize::try_from(id.0)
            .ok()
            .and_then(|number| number.checked_sub(1));
        place
            .and_then(|place| self.steps.get(place))
            .filter(|step| step.id == id)
            .or_else(|| self.steps.iter().find(|step| step.id == id))
    }
}

/// What it takes to make the tenant what the configuration says.
///
/// Errors with everything that is wrong; then nothing may be written.
pub fn plan(
    desired: &Configuration,
    live: &LiveTenant,
    directory: &Directory,
    state: Option<&Document>,
    options: &PlanOptions,
) -> Result<Plan, PlanErrors> {
    let mut errors = Vec::new();
    let mut notes = Vec::new();
    check_frame(desired, live, state, options, &mut errors)?;
    let index = LiveIndex::of(live);
    let standings = identity::identify(desired, live, &index, state, options, &mut errors);
    scope::check(options, standings.keys(), &mut errors);
    let resolver = Resolver::new(desired, live, &index, directory, &standings);
    let emergency = match options.mode {
        Mode::Apply => Emergency::of(&resolver, &mut errors),
        Mode::Destroy | Mode::RefreshOnly => None,
    };
    let mut builder = Builder::new(&resolver, emergency.as_ref(), options, errors, notes);
    let mut drafts: Vec<Draft<'_>> = standings
        .values()
        .filter_map(|standing| builder.draft(standing))
        .collect();
    (errors, notes) = (builder.errors, builder.notes);
    errors.extend(order::cycles(&drafts));
    preflight::check(
        &drafts,
        emergency.as_ref(),
        desired,
        live,
        options,
        &mut errors,
        &mut notes,
    );
    if !errors.is_empty() {
        return Err(PlanErrors(uses::joined_errors(errors)));
    }
    // What is destroyed may leave somebody out as well.
    let whom_to_keep = match options.mode {
        Mode::Destroy => Emergency::of(&resolver, &mut Vec::new()),
        Mode::Apply | Mode::RefreshOnly => None,
    };
    let surroundings = Surroundings {
        live,
        emergency: emergency.as_ref().or(whom_to_keep.as_ref()),
        options,
    };
    let Arranged {
        chosen,
        steps,
        delete_first,
        accepted_gap,
    } = arrange(&mut drafts, &surroundings, &mut notes, |drafts, waits| {
        scope::choose(drafts, waits, options)
    })
    .map_err(|errors| PlanErrors(uses::joined_errors(errors)))?;
    let mut notes = uses::joined_notes(notes);
    if delete_first {
        notes.push(Note::warning(
            "full_tenant",
            "the tenant holds as many policies as it may, so old ones are deleted before new ones are made",
        ));
    }
    if options.from_memory {
        notes.push(
            Note::warning(
                "not_refreshed",
                "the tenant was not read: the plan compares with what state remembers",
            )
            .help("plan without `--refresh=false` before anything is applied"),
        );
    }
    let whole = options.targets.is_empty() && options.excludes.is_empty();
    Ok(finish(
        drafts,
        &chosen,
        steps,
        notes,
        whole,
        |changes, steps, notes| {
            let outputs = totals::output_changes(&resolver, state, options);
            Plan {
                format_version: FORMAT_VERSION.to_owned(),
                capol_version: CAPOL_VERSION.to_owned(),
                created_at: options.now,
                tenant_id: live.tenant_id.clone(),
                lineage: state.map(|state| state.lineage),
                serial: state.map_or(0, |state| state.serial),
                configuration_digest: options.configuration_digest.clone(),
                live: saved::seen(live),
                refresh_only: options.mode == Mode::RefreshOnly,
                complete: whole,
                names: names::collect(&changes, directory, &index, live),
                cost: totals::cost(&steps, options),
                verdict: Verdict::of(&changes, &outputs),
                changes,
                steps,
                held: Vec::new(),
                effect: None,
                accepted_gap,
                emergency: emergency.as_ref().map(Emergency::all).unwrap_or_default(),
                outputs,
                rollouts: Vec::new(),
                notes,
            }
        },
    ))
}

/// Where the `moved` blocks of a configuration lead an address.
pub fn moved_to(configuration: &Configuration, address: &Address) -> Address {
    identity::follow(address, &configuration.moves).0
}

/// What must hold before anything is looked at.
fn check_frame(
    desired: &Configuration,
    live: &LiveTenant,
    state: Option<&Document>,
    options: &PlanOptions,
    errors: &mut Vec<PlanError>,
) -> Result<(), PlanErrors> {
    if let Some(state) = state
        && !state.tenant_id.eq_ignore_ascii_case(&live.tenant_id)
    {
        return Err(PlanErrors(vec![PlanError::new(Problem::WrongTenant {
            state: state.tenant_id.clone(),
            live: live.tenant_id.clone(),
        })]));
    }
    if options.mode == Mode::Apply {
        // INVARIANT: rollouts are carried out before; a policy of one would be planned for everyone here.
        for rollout in desired.rollouts.values() {
            let problem = Problem::Deferred {
                kind: rollout.address.kind.clone(),
            };
            errors.push(PlanError::new(problem).on(&rollout.address, Some(rollout.origin)));
        }
        for deferred in &desired.deferred {
            let problem = Problem::Deferred {
                kind: deferred.kind.clone(),
            };
            errors.push(PlanError::new(problem).on(&deferred.address, Some(deferred.origin)));
        }
    }
    Ok(())
}

fn finish(
    drafts: Vec<Draft<'_>>,
    chosen: &BTreeSet<usize>,
    steps: Vec<(usize, Step)>,
    mut notes: Vec<Note>,
    whole: bool,
    make: impl FnOnce(Vec<ResourceChange>, Vec<Step>, Vec<Note>) -> Plan,
) -> Plan {
    let mut changes = Vec::with_capacity(drafts.len());
    let mut left_out = 0;
    let mut by_draft: BTreeMap<usize, Vec<&Step>> = BTreeMap::new();
    for (owner, step) in &steps {
        by_draft.entry(*owner).or_default().push(step);
    }
    for (number, draft) in drafts.into_iter().enumerate() {
        let mut change = draft.change;
        if !chosen.contains(&number) {
            left_out += usize::from(change.is_change());
            continue;
        }
        let own = by_draft.remove(&number).unwrap_or_default();
        change.steps = own.iter().map(|step| step.id).collect();
        let beta = own.iter().any(|step| {
            matches!(
                step.act,
                Act::Create {
                    version: ApiVersion::Beta,
                    ..
                } | Act::Update {
                    version: ApiVersion::Beta,
                    ..
                }
            )
        });
        if beta {
            let origin = draft.resource.map(|resource| resource.origin);
            notes.push(
                Note::remark("uses_beta", "written through Graph's beta endpoint")
                    .on(&change.address, origin),
            );
        }
        changes.push(change);
    }
    if !whole {
        notes.push(Note::warning(
            "partial",
            match left_out {
                0 => "the plan is partial, but nothing else would change".to_owned(),
                1 => "the plan is partial: 1 further change is left out".to_owned(),
                several => format!("the plan is partial: {several} further changes are left out"),
            },
        ));
    }
    notes.extend(uses::renamed(&changes));
    let steps = steps.into_iter().map(|(_, step)| step).collect();
    make(changes, steps, notes)
}

#[cfg(test)]
mod tests;
