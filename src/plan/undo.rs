//! The plan that takes one earlier apply back.
//!
//! What that apply made is deleted, what it changed is patched back, what it deleted is taken back out of the
//! deleted items with its id and then patched. Refused when anything of it was changed since. The order, the
//! guards and the limits are those of every plan.

mod build;
mod pairs;
mod part;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use crate::model::Address;
use crate::model::configuration::Configuration;
use crate::model::live::{Directory, LiveIndex, LiveTenant};
use crate::model::state::{CAPOL_VERSION, Document};

use self::part::Part;
use super::arranged::{Arranged, arrange};
use super::emergency::Emergency;
use super::error::PlanErrors;
use super::instants::Surroundings;
use super::note::Note;
use super::options::{Mode, PlanOptions};
use super::order;
use super::resolve::Resolver;
use super::verdict::Verdict;
use super::{FORMAT_VERSION, OutputChange, Plan, finish, identity, names, preflight, saved, scope, totals};

/// An apply that is over.
#[derive(Debug, Clone, Default)]
pub struct Earlier {
    /// Its name.
    pub apply: String,
    /// The objects that it changed or deleted, as they were before, by id.
    pub met: BTreeMap<String, Json>,
    /// The ids of the objects that it made.
    pub made: BTreeSet<String>,
    /// The ids of the objects that it deleted.
    pub deleted: BTreeSet<String>,
    /// The ids of deleted objects that the service can still bring back.
    pub restorable: BTreeSet<String>,
}

/// The states that belong to an apply that is taken back.
#[derive(Debug, Clone, Copy)]
pub struct States<'a> {
    /// Before it.
    pub before: &'a Document,
    /// That it left.
    pub after: &'a Document,
    /// Now.
    pub now: &'a Document,
}

/// What it takes to take an apply back.
///
/// Errors when an object was changed since, or when the result would break a guard or a limit; with
/// [`PlanOptions::skip_changed`] such objects stay as they are, and the plan says so.
pub fn undo(
    earlier: &Earlier,
    states: States<'_>,
    desired: &Configuration,
    live: &LiveTenant,
    directory: &Directory,
    options: &PlanOptions,
) -> Result<Plan, PlanErrors> {
    let units = pairs::units(earlier, states);
    let as_it_is = PlanOptions {
        mode: Mode::RefreshOnly,
        ..options.clone()
    };
    let index = LiveIndex::of(live);
    let now = Some(states.now);
    let standings = identity::identify(desired, live, &index, now, &as_it_is, &mut Vec::new());
    let resolver = Resolver::new(desired, live, &index, directory, &standings);
    let mut unknown = Vec::new();
    let known: Vec<Address> = units
        .iter()
        .flat_map(|unit| [unit.address.clone(), unit.present().clone()])
        .collect();
    scope::check(options, known.iter(), &mut unknown);
    let emergency = Emergency::of(&resolver, &mut unknown);
    if !unknown.is_empty() {
        return Err(PlanErrors(unknown));
    }
    let mut part = Part::of(&units, options);
    let (mut drafts, mut notes) = loop {
        let mut errors = Vec::new();
        let mut notes = Vec::new();
        let drafts = build::drafts(earlier, states.now, &units, &part, live, &mut errors, &mut notes);
        if part.settle(&units, &drafts) {
            continue;
        }
        preflight::check(
            &drafts,
            emergency.as_ref(),
            desired,
            live,
            options,
            &mut errors,
            &mut notes,
        );
        errors.extend(order::cycles(&drafts));
        if errors.is_empty() {
            break (drafts, notes);
        }
        if !(options.skip_changed && part.leave(&units, &errors)) {
            return Err(PlanErrors(errors));
        }
    };
    let whole = part.is_whole();
    notes.append(&mut part.notes);
    let surroundings = Surroundings {
        live,
        emergency: emergency.as_ref(),
        options,
    };
    let Arranged {
        chosen,
        steps,
        accepted_gap,
        ..
    } = arrange(&mut drafts, &surroundings, &mut notes, |drafts, _| {
        (0..drafts.len()).collect()
    })
    .map_err(PlanErrors)?;
    if !drafts.is_empty() {
        notes.push(
            Note::warning(
                "configuration_differs",
                "the configuration still says what is taken back here, so the next plan will propose it again",
            )
            .help("change the files back too, for example with `git revert`"),
        );
    }
    Ok(finish(
        drafts,
        &chosen,
        steps,
        notes,
        true,
        |changes, steps, notes| {
            let outputs = outputs(states);
            Plan {
                format_version: FORMAT_VERSION.to_owned(),
                capol_version: CAPOL_VERSION.to_owned(),
                created_at: options.now,
                tenant_id: live.tenant_id.clone(),
                lineage: Some(states.now.lineage),
                serial: states.now.serial,
                configuration_digest: options.configuration_digest.clone(),
                live: saved::seen(live),
                refresh_only: false,
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

/// Outputs that the apply changed and nobody since, as they were.
fn outputs(states: States<'_>) -> Vec<OutputChange> {
    let names: BTreeSet<&String> = states
        .before
        .outputs
        .keys()
        .chain(states.after.outputs.keys())
        .collect();
    names
        .into_iter()
        .filter_map(|name| {
            let of = |document: &Document| document.outputs.get(name).cloned();
            let (before, after, now) = (of(states.before), of(states.after), of(states.now));
            let changed = before != after && now == after;
            changed.then(|| OutputChange {
                name: name.clone(),
                sensitive: before
                    .as_ref()
                    .or(now.as_ref())
                    .is_some_and(|output| output.sensitive),
                pending: Vec::new(),
                before: now.map(|output| output.value),
                after: before.map(|output| output.value),
            })
        })
        .collect()
}
