//! One draft an object: what brings it back to where the apply found it.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::Earlier;
use super::pairs::Unit;
use super::part::Part;
use crate::model::live::{LiveObject, LiveTenant};
use crate::model::properties::Property;
use crate::model::state::{Document, Json as StateJson, ResourceState};
use crate::model::wire::{self, WireError};
use crate::model::{Address, Kind, Object, Reference};
use crate::plan::acts::{self, Acts};
use crate::plan::build::Draft;
use crate::plan::canonical::{self, OpenBody, canonical};
use crate::plan::change::{Action, ActionReason, Guard, GuardChange, ResourceChange};
use crate::plan::difference::{self, Memory};
use crate::plan::error::{PlanError, Problem};
use crate::plan::identity::Standing;
use crate::plan::note::Note;
use crate::plan::preflight;
use crate::plan::step::Act;

struct Maker<'a> {
    earlier: &'a Earlier,
    now: &'a Document,
    live: &'a LiveTenant,
    /// Objects that can't come back with their id, and the address that makes them anew.
    anew: BTreeMap<String, Address>,
    /// Objects that come back with their id.
    back: BTreeMap<String, Address>,
    notes: Vec<Note>,
}

/// The drafts of all objects; those that can't be taken back leave an error.
pub(super) fn drafts<'a>(
    earlier: &'a Earlier,
    now: &'a Document,
    units: &[Unit<'a>],
    part: &Part,
    live: &'a LiveTenant,
    errors: &mut Vec<PlanError>,
    notes: &mut Vec<Note>,
) -> Vec<Draft<'a>> {
    let mut maker = Maker {
        earlier,
        now,
        live,
        anew: BTreeMap::new(),
        back: BTreeMap::new(),
        notes: Vec::new(),
    };
    for unit in units {
        if let Some(was) = unit
            .was
            .filter(|was| earlier.deleted.contains(&was.id.to_ascii_lowercase()))
        {
            let id = was.id.to_ascii_lowercase();
            let home = if was.kind == Kind::Context || earlier.restorable.contains(&id) {
                &mut maker.back
            } else {
                &mut maker.anew
            };
            home.insert(id, unit.address.clone());
        }
    }
    let mut drafts = Vec::new();
    for unit in units.iter().filter(|unit| part.has(unit)) {
        let made = maker.is_back(unit).and_then(|back| {
            if back {
                Ok(None)
            } else {
                maker.draft(unit).map(Some)
            }
        });
        match made {
            Ok(draft) => drafts.extend(draft),
            Err(problem) => errors.push(PlanError::boxed(problem).on(unit.present(), None)),
        }
    }
    notes.append(&mut maker.notes);
    drafts
}

type Made<T> = Result<T, Box<Problem>>;

fn unreadable(what: &Address) -> impl Fn(WireError) -> Box<Problem> + '_ {
    move |error| {
        Box::new(Problem::Unreadable {
            what: format!("`{what}`"),
            error,
        })
    }
}

fn moved(what: impl Into<String>) -> Box<Problem> {
    Box::new(Problem::ChangedSince { what: what.into() })
}

impl<'a> Maker<'a> {
    fn draft(&mut self, unit: &Unit<'a>) -> Made<Draft<'a>> {
        let live = self.unmoved(unit)?;
        let mut draft = blank(unit, live);
        match (unit.was, unit.left) {
            (None, None) => {}
            (None, Some(left)) => self.send_away(unit, left, live, &mut draft)?,
            (Some(was), None) if self.earlier.deleted.contains(&was.id.to_ascii_lowercase()) => {
                draft.change.action = Action::Create;
                self.bring_back(unit, was, &mut draft)?;
            }
            (Some(was), None) => self.take_in(was, &mut draft)?,
            (Some(was), Some(left)) if was.id != left.id => {
                draft.change.action = Action::Replace;
                self.bring_back(unit, was, &mut draft)?;
                check_guard(unit, left)?;
                if let Some(live) = live {
                    draft.acts.deletes = acts::delete(live).map_err(unreadable(&unit.address))?.deletes;
                }
            }
            (Some(was), Some(_)) => self.put_back(unit, was, live, &mut draft)?,
        }
        Ok(draft)
    }

    /// Whether it is where the apply found it already, for example after an undo that was interrupted.
    fn is_back(&self, unit: &Unit<'_>) -> Made<bool> {
        let entry = |address: &Address| self.now.resources.get(&address.to_string());
        let Some(was) = unit.was else {
            return Ok(entry(unit.present()).is_none());
        };
        let is_there = entry(&unit.address).is_some_and(|entry| entry.id.eq_ignore_ascii_case(&was.id));
        let leftover = unit
            .left
            .filter(|left| left.id != was.id)
            .and_then(|left| self.live.of_block(left.kind.block(), &left.id));
        let Some(live) = self
            .live
            .of_block(was.kind.block(), &was.id)
            .filter(|_| is_there && leftover.is_none())
        else {
            return Ok(false);
        };
        if guard(unit).is_some() {
            return Ok(false);
        }
        if !self.earlier.met.contains_key(&was.id.to_ascii_lowercase()) {
            return Ok(true);
        }
        let wanted = canonical(&self.wanted(unit, was)?)
            .map_err(unreadable(&unit.address))?
            .0;
        Ok(difference::compare(&wanted, live, &Memory::default())
            .properties
            .is_empty())
    }

    /// The live object that the apply left, if it left one. Refuses when it is not as it was left.
    fn unmoved(&self, unit: &Unit<'a>) -> Made<Option<&'a LiveObject>> {
        let entry = self.now.resources.get(&unit.present().to_string());
        let Some(left) = unit.left else {
            return match entry {
                Some(_) => Err(moved("another object has this address")),
                None => Ok(None),
            };
        };
        if entry.is_none_or(|entry| !entry.id.eq_ignore_ascii_case(&left.id)) {
            return Err(moved("the state of this address was changed"));
        }
        let Some(live) = self.live.of_block(left.kind.block(), &left.id) else {
            return Err(moved("the object was deleted"));
        };
        let as_left = ResourceState {
            answered: left.answered.clone().or_else(|| left.sent.clone()),
            ..left.clone()
        };
        let memory = Memory::of(live.kind, Some(&as_left), Some(live));
        let edited: Vec<String> = difference::drift(live, &memory)
            .into_iter()
            .map(|change| format!("`{}`", change.dsl))
            .collect();
        if edited.is_empty() {
            Ok(Some(live))
        } else {
            Err(moved(format!(
                "{} of `{}` was changed",
                edited.join(", "),
                live.name()
            )))
        }
    }

    /// What the apply made, or took in.
    fn send_away(
        &self,
        unit: &Unit<'a>,
        left: &ResourceState,
        live: Option<&'a LiveObject>,
        draft: &mut Draft<'a>,
    ) -> Made<()> {
        let Some(live) = live else { return Ok(()) };
        let id = left.id.to_ascii_lowercase();
        if self.earlier.made.contains(&id) {
            check_guard(unit, left)?;
            draft.change.action = Action::Delete;
            draft.change.reason = Some(ActionReason::Undone);
            draft.change.properties = difference::all_changes(Some(&live.object), None);
            draft.acts = acts::delete(live).map_err(unreadable(&unit.address))?;
            return Ok(());
        }
        // It was imported: what was changed on the way is put back, then it is let go.
        if self.earlier.met.contains_key(&id) {
            self.put_back(unit, left, Some(live), draft)?;
            draft.change.action = Action::Update;
        } else {
            draft.change.action = Action::Forget;
            draft.change.reason = Some(ActionReason::Undone);
        }
        draft.acts.entries = vec![Act::Forget];
        Ok(())
    }

    /// What the apply let go without deleting it.
    fn take_in(&self, was: &ResourceState, draft: &mut Draft<'a>) -> Made<()> {
        let Some(live) = self.live.of_block(was.kind.block(), &was.id) else {
            return Err(moved("the object was deleted"));
        };
        draft.live = Some(live);
        draft.change.id = Some(live.id.clone());
        live.name().clone_into(&mut draft.change.name);
        draft.change.imported = true;
        draft.change.before = Some(live.object.clone());
        draft.change.after = Some(live.object.clone());
        draft.acts.entries = vec![Act::Remember];
        Ok(())
    }

    /// The object as the apply met it, with references to what is made anew.
    fn wanted(&self, unit: &Unit<'_>, was: &ResourceState) -> Made<Object> {
        let json: Option<Json> = self
            .earlier
            .met
            .get(&was.id.to_ascii_lowercase())
            .cloned()
            .or_else(|| was.answered.as_ref().or(was.sent.as_ref()).map(StateJson::value));
        let Some(json) = json else {
            return Err(moved("nobody remembers what the object was like"));
        };
        let kind = match wire::location_kind(&json) {
            Some(kind) if was.kind.block() == Kind::IpLocation.block() => kind,
            _ => was.kind,
        };
        let mut object = wire::decode(kind, &json)
            .map_err(unreadable(&unit.address))?
            .object;
        if kind == Kind::Context {
            object.set("id", Some(crate::model::Value::Text(was.id.clone())));
        }
        Ok(object.map_references(|reference| match reference {
            Reference::Id { target, id } => match self.anew.get(&id.to_ascii_lowercase()) {
                Some(address) => Reference::managed(*target, address.clone()),
                None => reference.clone(),
            },
            other => other.clone(),
        }))
    }

    fn needs(&self, after: &Object, own: &Address, draft: &mut Draft<'_>) {
        for (_, reference) in after.references() {
            let address = match reference {
                Reference::Managed { address, .. } => Some(&**address),
                Reference::Id { id, .. } => self.back.get(&id.to_ascii_lowercase()),
                Reference::Keyword(_) | Reference::Lookup(_) => None,
            };
            draft
                .needs
                .extend(address.filter(|address| *address != own).cloned());
        }
    }

    /// What the apply changed.
    fn put_back(
        &self,
        unit: &Unit<'a>,
        was: &ResourceState,
        live: Option<&'a LiveObject>,
        draft: &mut Draft<'a>,
    ) -> Made<()> {
        let Some(live) = live else { return Ok(()) };
        let is_written = self.earlier.met.contains_key(&was.id.to_ascii_lowercase());
        let after = if is_written {
            let (after, body) = canonical(&self.wanted(unit, was)?).map_err(unreadable(&unit.address))?;
            remember_sent(&body, draft);
            after
        } else {
            live.object.clone()
        };
        let found = difference::compare(&after, live, &Memory::default());
        draft.change.properties = found
            .properties
            .iter()
            .map(|property| difference::change(property, Some(&live.object), Some(&after)))
            .collect();
        if !found.properties.is_empty() {
            draft.change.action = Action::Update;
        }
        draft.change.guard = guard(unit);
        let standing = standing(unit, self.now, Some(live));
        draft.acts = acts::update(&standing, live, &after, &found, draft.change.guard.is_some())
            .map_err(unreadable(&unit.address))?;
        self.needs(&after, &unit.address, draft);
        draft.change.after = Some(after);
        Ok(())
    }

    /// What the apply deleted: back with its id, then patched; or made anew when the service kept nothing.
    fn bring_back(&mut self, unit: &Unit<'a>, was: &ResourceState, draft: &mut Draft<'a>) -> Made<()> {
        let wanted = self.wanted(unit, was)?;
        let (after, body) = canonical(&wanted).map_err(unreadable(&unit.address))?;
        self.needs(&after, &unit.address, draft);
        after.name().clone_into(&mut draft.change.name);
        draft.change.kind = after.kind;
        draft.change.properties = difference::all_changes(None, Some(&after));
        draft.change.reason = Some(ActionReason::Undone);
        remember_sent(&body, draft);
        if self.earlier.restorable.contains(&was.id.to_ascii_lowercase()) {
            draft.change.id = Some(was.id.clone());
            draft.acts.builds.push(Act::Restore {
                kind: after.kind,
                id: was.id.clone(),
            });
            let patched = after_restore(&after)?;
            if !patched.is_empty() {
                let body = canonical::changes(&after, &patched).map_err(unreadable(&unit.address))?;
                draft.acts.builds.push(Act::Update {
                    kind: after.kind,
                    id: was.id.clone(),
                    version: body.version,
                    body: body.json,
                    pending: body.pending,
                });
            }
        } else {
            draft.change.sent = Some(body.json.clone());
            draft.change.sent_pending.clone_from(&body.pending);
            draft.acts.builds = acts::create(&standing(unit, self.now, None), &after, body).builds;
            if after.kind != Kind::Context {
                self.notes
                    .push(Note::made_anew(after.name()).on(&unit.address, None));
            }
        }
        draft.change.after = Some(after);
        Ok(())
    }
}

fn check_guard(unit: &Unit<'_>, left: &ResourceState) -> Made<()> {
    if left.lifecycle.prevent_destroy {
        return Err(Box::new(Problem::PreventDestroy {
            address: unit.present().clone(),
            reason: left.lifecycle.reason.clone(),
            help: "remove `prevent_destroy` from its `lifecycle` block and apply that first".into(),
        }));
    }
    Ok(())
}

/// What was sent before the apply names objects that are made anew now: then what is sent now counts.
fn remember_sent(body: &OpenBody, draft: &mut Draft<'_>) {
    if !body.pending.is_empty() {
        draft.change.sent = Some(body.json.clone());
        draft.change.sent_pending.clone_from(&body.pending);
    }
}

/// What has to be patched once an object is back: what was turned off so that it could be deleted, and references to
/// what is made anew.
fn after_restore(after: &Object) -> Made<Vec<&'static Property>> {
    let released = preflight::release(after).map_err(|error| {
        Box::new(Problem::Unreadable {
            what: format!("`{}`", after.name()),
            error,
        })
    })?;
    let flags: &[&str] = if released.is_some() {
        &["isTrusted", "isAvailable"]
    } else {
        &[]
    };
    let waits = |value: &crate::model::Value| {
        value
            .references()
            .into_iter()
            .any(|reference| matches!(reference, Reference::Managed { .. }))
    };
    Ok(after
        .iter()
        .filter(|(property, value)| flags.contains(&property.wire) || waits(value))
        .map(|(property, _)| property)
        .collect())
}

fn standing<'a>(unit: &Unit<'a>, now: &'a Document, live: Option<&'a LiveObject>) -> Standing<'a> {
    Standing {
        address: unit.address.clone(),
        previous: unit.moved.clone(),
        resource: None,
        state: now.resources.get(&unit.present().to_string()),
        live,
        deleted: None,
        imported: false,
        replaced: None,
        removed: false,
    }
}

fn guard(unit: &Unit<'_>) -> Option<GuardChange> {
    let (was, left) = (&unit.was?.lifecycle, &unit.left?.lifecycle);
    match (left.prevent_destroy, was.prevent_destroy) {
        (false, true) => Some(GuardChange::Set),
        (true, false) => Some(GuardChange::Lifted(left.reason.clone())),
        (true, true) if left.reason != was.reason => Some(GuardChange::Reworded),
        _ => None,
    }
}

fn blank<'a>(unit: &Unit<'a>, live: Option<&'a LiveObject>) -> Draft<'a> {
    let parsed = |state: Option<&ResourceState>| -> Vec<Address> {
        state
            .iter()
            .flat_map(|state| &state.dependencies)
            .filter_map(|text| text.parse().ok())
            .collect()
    };
    let known = unit.was.or(unit.left);
    let lifecycle = known.map(|state| Guard {
        prevent_destroy: state.lifecycle.prevent_destroy,
        reason: state.lifecycle.reason.clone(),
    });
    Draft {
        change: ResourceChange {
            address: unit.address.clone(),
            previous_address: unit.moved.clone(),
            kind: live
                .map(|live| live.kind)
                .or(known.map(|state| state.kind))
                .unwrap_or(Kind::Policy),
            id: live.map(|live| live.id.clone()),
            name: live.map(|live| live.name().to_owned()).unwrap_or_default(),
            action: Action::NoOp,
            imported: false,
            reason: None,
            before: live.map(|live| live.object.clone()),
            after: None,
            properties: Vec::new(),
            raw: Vec::new(),
            drift: Vec::new(),
            unknown: Vec::new(),
            guard: None,
            sent: unit.was.and_then(|was| was.sent.clone()),
            sent_pending: Vec::new(),
            dependencies: parsed(unit.was),
            lifecycle: lifecycle.unwrap_or_default(),
            steps: Vec::new(),
        },
        acts: Acts::default(),
        resource: None,
        live,
        restored: None,
        needs: std::collections::BTreeSet::new(),
        members: std::collections::BTreeSet::new(),
        remembered: parsed(unit.left).into_iter().collect(),
    }
}
