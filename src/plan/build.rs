//! One draft an address: what changes, and the acts that change it, before anything is ordered.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::configuration::Resource;
use crate::model::live::LiveObject;
use crate::model::wire::WireError;
use crate::model::{Address, Kind, Object, Origin, Reference, Value};

use super::acts::{self, Acts};
use super::canonical::{OpenBody, canonical};
use super::change::{Action, ActionReason, Guard, GuardChange, ResourceChange};
use super::difference::{self, Memory};
use super::emergency::{Emergency, is_enabled};
use super::error::{PlanError, Problem};
use super::identity::{Standing, chosen_id};
use super::note::Note;
use super::options::{Mode, PlanOptions};
use super::resolve::Resolver;
use super::step::Act;

/// What will become a [`ResourceChange`] with its steps.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) change: ResourceChange,
    pub(super) acts: Acts,
    pub(super) resource: Option<&'a Resource>,
    pub(super) live: Option<&'a LiveObject>,
    /// What comes back from among the deleted, as it was then.
    pub(super) restored: Option<&'a LiveObject>,
    /// What must be there before it: `depends_on`, references, `all_trusted`, emergency groups.
    pub(super) needs: BTreeSet<Address>,
    /// The groups among its members that this configuration makes.
    pub(super) members: BTreeSet<Address>,
    /// What state says it depends on.
    pub(super) remembered: BTreeSet<Address>,
}

impl Draft<'_> {
    pub(super) fn origin(&self) -> Option<Origin> {
        self.resource.map(|resource| resource.origin)
    }

    pub(super) fn error(&self, problem: Problem) -> PlanError {
        PlanError::new(problem).on(&self.change.address, self.origin())
    }

    /// The same at the place where the property was written.
    pub(super) fn error_at(&self, wire: &str, problem: Problem) -> PlanError {
        let origin = self
            .resource
            .and_then(|resource| resource.origins.get(wire).copied())
            .or(self.origin());
        PlanError::new(problem).on(&self.change.address, origin)
    }
}

/// What drafts are made from, and what is found on the way.
pub(super) struct Builder<'b> {
    resolver: &'b Resolver<'b>,
    emergency: Option<&'b Emergency>,
    options: &'b PlanOptions,
    /// The addresses that each `depends_on` means.
    depended_on: BTreeMap<&'b Address, Vec<&'b Address>>,
    /// The locations that count as trusted.
    trusted: Vec<&'b Address>,
    /// The groups that the exclusions of emergency accounts need.
    emergency_groups: BTreeSet<Address>,
    pub(super) errors: Vec<PlanError>,
    pub(super) notes: Vec<Note>,
}

impl<'b> Builder<'b> {
    pub(super) fn new(
        resolver: &'b Resolver<'b>,
        emergency: Option<&'b Emergency>,
        options: &'b PlanOptions,
        errors: Vec<PlanError>,
        notes: Vec<Note>,
    ) -> Self {
        let desired = resolver.desired;
        let mut depended_on: BTreeMap<&Address, Vec<&Address>> = BTreeMap::new();
        for wanted in desired.resources.values().flat_map(|it| &it.depends_on) {
            depended_on
                .entry(wanted)
                .or_insert_with(|| match desired.resources.get_key_value(wanted) {
                    Some((only, _)) => vec![only],
                    None => desired
                        .resources
                        .keys()
                        .filter(|address| wanted.covers(address))
                        .collect(),
                });
        }
        Self {
            resolver,
            emergency,
            options,
            depended_on,
            trusted: desired
                .resources
                .values()
                .filter(|other| other.object.get("isTrusted") == Some(&Value::Boolean(true)))
                .map(|location| &location.address)
                .collect(),
            emergency_groups: Emergency::needs(desired),
            errors,
            notes,
        }
    }

    /// The draft of one address; none when nothing is left of it anywhere.
    pub(super) fn draft<'a>(&mut self, standing: &Standing<'a>) -> Option<Draft<'a>> {
        let made = match (self.options.mode, standing.resource) {
            (Mode::RefreshOnly, _) => self.refresh(standing),
            (Mode::Destroy, _) | (Mode::Apply, None) => self.dissolve(standing),
            (Mode::Apply, Some(resource)) => self.desire(standing, resource),
        };
        made.unwrap_or_else(|error| {
            self.errors.push(
                PlanError::new(Problem::Unreadable {
                    what: format!("`{}`", standing.address),
                    error,
                })
                .on(
                    &standing.address,
                    standing.resource.map(|resource| resource.origin),
                ),
            );
            None
        })
    }

    fn blank<'a>(standing: &Standing<'a>, kind: Kind) -> Draft<'a> {
        let remembered = standing
            .state
            .iter()
            .flat_map(|state| &state.dependencies)
            .filter_map(|text| text.parse().ok())
            .collect();
        Draft {
            change: ResourceChange {
                address: standing.address.clone(),
                previous_address: standing.previous.clone(),
                kind,
                id: standing.live.map(|live| live.id.clone()),
                name: match standing.live {
                    Some(live) => live.name().to_owned(),
                    None => remembered_name(standing),
                },
                action: Action::NoOp,
                imported: standing.imported,
                reason: None,
                before: standing.live.map(|live| live.object.clone()),
                after: None,
                properties: Vec::new(),
                raw: Vec::new(),
                drift: Vec::new(),
                unknown: Vec::new(),
                guard: None,
                sent: None,
                sent_pending: Vec::new(),
                dependencies: Vec::new(),
                lifecycle: remembered_guard(standing),
                steps: Vec::new(),
            },
            acts: Acts::default(),
            resource: standing.resource,
            live: standing.live,
            restored: None,
            needs: BTreeSet::new(),
            members: BTreeSet::new(),
            remembered,
        }
    }

    /// An address with a block.
    fn desire<'a>(
        &mut self,
        standing: &Standing<'a>,
        resource: &'a Resource,
    ) -> Result<Option<Draft<'a>>, WireError> {
        let mut draft = Self::blank(standing, resource.object.kind);
        let failed = self.errors.len();
        let mut resolved = self.resolver.object(resource, &mut self.errors);
        if let Some(emergency) = self.emergency {
            emergency.exclude(resource, &mut resolved);
        }
        if self.errors.len() > failed {
            return Ok(None);
        }
        self.find_needs(resource, &resolved, &mut draft);
        draft.change.lifecycle = Guard {
            prevent_destroy: resource.lifecycle.prevent_destroy,
            reason: resource.lifecycle.reason.clone(),
        };
        draft.change.guard = guard_change(standing, &draft.change.lifecycle);
        let memory = Memory::of(resource.object.kind, standing.state, standing.live);
        let same_kind = standing.live.filter(|live| live.kind == resolved.kind);
        let (mut after, mut body) = canonical(&resolved)?;
        if let Some(live) = same_kind
            && !resource.lifecycle.ignore_changes.is_empty()
        {
            difference::leave_alone(&mut after, live, &memory, &resource.lifecycle.ignore_changes);
            (after, body) = canonical(&after)?;
        }
        after.name().clone_into(&mut draft.change.name);
        self.resolver.check_ids(
            resource,
            &after,
            same_kind.or(standing.restorable()).map(|live| &live.object),
            &mut self.errors,
            &mut self.notes,
        );
        // What state holds already is not held twice.
        let remembered = standing.state.and_then(|state| state.sent.as_ref());
        let sent = remembered.filter(|sent| **sent == body.json);
        draft.change.sent = Some(sent.unwrap_or(&body.json).clone());
        draft.change.sent_pending.clone_from(&body.pending);
        match (standing.live, &standing.replaced) {
            (None, _) => match standing.restorable() {
                Some(deleted) => self.restore(standing, deleted, &memory, &mut draft, &after)?,
                None => self.create(standing, &mut draft, &after, body),
            },
            (Some(live), Some(reason)) => self.replace(standing, live, reason, &mut draft, &after, body)?,
            (Some(live), None) => {
                self.update(standing, live, &memory, &mut draft, &after)?;
                if draft.change.action == Action::NoOp {
                    after.share(&live.object);
                }
            }
        }
        memory.check()?;
        draft.change.after = Some(after);
        Ok(Some(draft))
    }

    fn create<'a>(&mut self, standing: &Standing<'a>, draft: &mut Draft<'a>, after: &Object, body: OpenBody) {
        draft.change.action = Action::Create;
        draft.change.reason = standing.state.map(|_| ActionReason::DeletedOutside);
        draft.change.properties = difference::all_changes(None, Some(after));
        draft.change.raw = difference::raw_leaves(after.raw.as_ref());
        draft.acts = acts::create(standing, after, body);
        if let Some(id) = chosen_id(after)
            && let Some(taken) = self.resolver.index.find(after.kind.target(), &id)
        {
            self.errors.push(draft.error_at(
                "id",
                Problem::IdTaken {
                    address: standing.address.clone(),
                    id,
                    name: taken.name().to_owned(),
                },
            ));
        }
        self.note_made_anew(standing, draft, after);
        self.note_namesake(draft, after);
    }

    /// What was deleted outside comes back as it was when it was deleted, and is then made what it shall be.
    fn restore<'a>(
        &mut self,
        standing: &Standing<'a>,
        deleted: &'a LiveObject,
        memory: &Memory,
        draft: &mut Draft<'a>,
        after: &Object,
    ) -> Result<(), WireError> {
        draft.change.action = Action::Create;
        draft.change.reason = Some(ActionReason::RestoredFromDeleted);
        draft.change.id = Some(deleted.id.clone());
        draft.restored = Some(deleted);
        draft.change.properties = difference::all_changes(None, Some(after));
        draft.change.raw = difference::raw_leaves(after.raw.as_ref());
        let found = difference::compare(after, deleted, memory);
        let update = acts::update(standing, deleted, after, &found, false)?;
        draft.acts.entries = update.entries;
        draft.acts.builds = vec![Act::Restore {
            kind: deleted.kind,
            id: deleted.id.clone(),
        }];
        let is_edited = !update.builds.is_empty();
        draft.acts.builds.extend(update.builds);
        if is_edited && deleted.kind == Kind::Policy && is_enabled(&deleted.object) {
            self.notes.push(
                Note::warning(
                    "restored_as_it_was",
                    "the policy was changed before it was deleted: it comes back enforced as it was then, until \
                     the write that follows",
                )
                .on(&standing.address, draft.origin()),
            );
        }
        Ok(())
    }

    /// Says that what was deleted outside can't come back.
    fn note_made_anew(&mut self, standing: &Standing<'_>, draft: &Draft<'_>, after: &Object) {
        let is_kept = matches!(after.kind.block(), "policy" | "location");
        if standing.state.is_some()
            && is_kept
            && self.resolver.live.deleted.is_some()
            && standing.deleted.is_none()
        {
            self.notes
                .push(Note::made_anew(after.name()).on(&standing.address, draft.origin()));
        }
    }

    /// Says when an object of that name exists: it may be the one that was meant.
    fn note_namesake(&mut self, draft: &Draft<'_>, after: &Object) {
        let listed = self
            .resolver
            .index
            .named(after.kind.block(), after.name())
            .find(|live| !self.resolver.is_managed(&live.id))
            .map(|live| live.id.clone());
        let namesake = listed.or_else(|| {
            let group = self.resolver.group_named(after.name());
            group.filter(|_| after.kind == Kind::Group)
        });
        if let Some(id) = namesake {
            self.notes.push(
                Note::warning(
                    "namesake",
                    format!(
                        "the tenant has a {} called `{}` already, and this plan makes another",
                        after.kind.noun(),
                        after.name()
                    ),
                )
                .on(&draft.change.address, draft.origin())
                .help(format!(
                    "to adopt it instead: `capol import {} {id}`",
                    draft.change.address
                )),
            );
        }
    }

    fn replace<'a>(
        &mut self,
        standing: &Standing<'a>,
        live: &'a LiveObject,
        reason: &ActionReason,
        draft: &mut Draft<'a>,
        after: &Object,
        body: OpenBody,
    ) -> Result<(), WireError> {
        draft.change.action = Action::Replace;
        draft.change.reason = Some(reason.clone());
        draft.change.raw = difference::raw_leaves(after.raw.as_ref());
        draft.change.properties = difference::all_changes(
            Some(&live.object).filter(|before| before.kind == after.kind),
            Some(after),
        );
        draft.acts = acts::replace(standing, live, after, body)?;
        self.check_guard(standing, draft);
        if after.kind == Kind::Strength {
            self.errors.push(draft.error(Problem::CannotReplace {
                address: standing.address.clone(),
                why: "two strengths can't have one name, and the old one is in use until the end".into(),
                help: "leave `--replace` out: every property of a strength can be changed in place".into(),
            }));
        }
        let same_context = chosen_id(after).is_some_and(|id| id == live.id);
        if same_context {
            self.errors.push(draft.error(Problem::CannotReplace {
                address: standing.address.clone(),
                why: "its id is chosen, so the new one would have the id of the old".into(),
                help: "leave `--replace` out, or choose another id".into(),
            }));
        }
        Ok(())
    }

    fn update<'a>(
        &mut self,
        standing: &Standing<'a>,
        live: &'a LiveObject,
        memory: &Memory<'_>,
        draft: &mut Draft<'a>,
        after: &Object,
    ) -> Result<(), WireError> {
        let found = difference::compare(after, live, memory);
        draft.change.properties = found
            .properties
            .iter()
            .map(|property| difference::change(property, Some(&live.object), Some(after)))
            .collect();
        draft.change.drift = difference::drift(live, memory);
        draft.change.unknown = difference::unknown_members(live, after);
        draft.change.raw.clone_from(&found.raw);
        let differs = !(found.properties.is_empty() && found.raw.is_empty());
        draft.change.action = if differs { Action::Update } else { Action::NoOp };
        if after.kind == Kind::Group && after.get("members").is_some() && !live.has_members() {
            self.errors.push(draft.error_at(
                "members",
                Problem::MembersNotRead {
                    name: live.name().to_owned(),
                },
            ));
        }
        draft.acts = acts::update(standing, live, after, &found, draft.change.guard.is_some())?;
        if differs && !draft.change.unknown.is_empty() {
            self.notes.push(
                Note::remark(
                    "kept_unknown",
                    format!(
                        "the live object has members that capol does not know, which are kept: {}",
                        draft.change.unknown.join(", ")
                    ),
                )
                .on(&standing.address, draft.origin()),
            );
        }
        Ok(())
    }

    /// An address without a block, or one that is destroyed.
    fn dissolve<'a>(&mut self, standing: &Standing<'a>) -> Result<Option<Draft<'a>>, WireError> {
        let Some(state) = standing.state else {
            return Ok(None);
        };
        let kind = standing.live.map_or(state.kind, |live| live.kind);
        let mut draft = Self::blank(standing, kind);
        draft.change.id = Some(state.id.clone());
        let Some(live) = standing.live.filter(|_| !standing.removed) else {
            draft.change.action = Action::Forget;
            draft.change.reason = Some(if standing.removed {
                ActionReason::Removed
            } else {
                ActionReason::GoneAlready
            });
            draft.acts = acts::forget();
            return Ok(Some(draft));
        };
        draft.change.action = Action::Delete;
        draft.change.reason = Some(match self.options.mode {
            Mode::Destroy => ActionReason::Destroy,
            _ => ActionReason::NoBlock,
        });
        draft.change.properties = difference::all_changes(Some(&live.object), None);
        draft.acts = acts::delete(live)?;
        self.check_guard(standing, &draft);
        Ok(Some(draft))
    }

    fn refresh<'a>(&mut self, standing: &Standing<'a>) -> Result<Option<Draft<'a>>, WireError> {
        let Some(state) = standing.state else {
            return Ok(None);
        };
        let Some(live) = standing.live else {
            return self.dissolve(standing);
        };
        let mut draft = Self::blank(standing, live.kind);
        let memory = Memory::of(live.kind, Some(state), Some(live));
        draft.change.drift = difference::drift(live, &memory);
        draft.change.after = Some(live.object.clone());
        draft.change.dependencies = draft.remembered.iter().cloned().collect();
        // What is taken down as answered is taken down as sent too: else a change made outside would
        // from then on pass for something that the service makes of what was sent.
        let (_, body) = canonical(&difference::as_shown(live, &memory))?;
        memory.check()?;
        draft.change.sent = Some(body.json.clone());
        if !draft.change.drift.is_empty() || state.answered.is_none() {
            draft.change.action = Action::Refresh;
            draft.acts = acts::remember();
        }
        if let Some(from) = &standing.previous {
            draft.acts.move_first(from);
        }
        Ok(Some(draft))
    }

    fn check_guard<'a>(&mut self, standing: &Standing<'a>, draft: &Draft<'a>) {
        let configured = standing.resource.map(|resource| &resource.lifecycle);
        let remembered = standing.state.map(|state| &state.lifecycle);
        let by_configuration = configured.is_some_and(|lifecycle| lifecycle.prevent_destroy);
        let by_state = remembered.is_some_and(|lifecycle| lifecycle.prevent_destroy);
        if !(by_configuration || by_state) {
            return;
        }
        let address = &standing.address;
        let reason = configured
            .filter(|lifecycle| lifecycle.prevent_destroy)
            .and_then(|lifecycle| lifecycle.reason.clone())
            .or_else(|| remembered.and_then(|lifecycle| lifecycle.reason.clone()));
        let help = if by_configuration {
            "remove `prevent_destroy` from its `lifecycle` block and apply that first".to_owned()
        } else if standing.resource.is_some() {
            "apply once as it is, which lifts the guard that state still holds, then again".to_owned()
        } else {
            format!(
                "put the block back without `prevent_destroy` and apply that first, or let the object go: \
                 `removed {{ from = {address} }}`"
            )
        };
        self.errors.push(draft.error(Problem::PreventDestroy {
            address: address.clone(),
            reason,
            help,
        }));
    }

    fn find_needs(&self, resource: &Resource, resolved: &Object, draft: &mut Draft<'_>) {
        for (property, reference) in resource
            .object
            .references()
            .into_iter()
            .chain(resolved.references())
        {
            let Reference::Managed { address, .. } = reference else {
                continue;
            };
            if resource.object.kind == Kind::Group && property.wire == crate::model::wire::members_path() {
                draft.members.insert((**address).clone());
            } else {
                draft.needs.insert((**address).clone());
            }
        }
        for wanted in &resource.depends_on {
            let all = self.depended_on.get(wanted).into_iter().flatten();
            draft.needs.extend(all.map(|address| (*address).clone()));
        }
        let trusted = resource
            .object
            .references()
            .iter()
            .any(|(_, reference)| **reference == Reference::keyword("AllTrusted"));
        if trusted {
            let locations = self.trusted.iter().map(|address| (*address).clone());
            draft.needs.extend(locations);
        }
        if self.emergency.is_some()
            && resource.object.kind == Kind::Policy
            && resource.includes_emergency_access.is_none()
        {
            draft.needs.extend(self.emergency_groups.iter().cloned());
        }
        draft.change.dependencies = draft.needs.union(&draft.members).cloned().collect();
    }
}

/// What an object that is gone was called.
fn remembered_name(standing: &Standing<'_>) -> String {
    let remembered = standing
        .state
        .into_iter()
        .flat_map(|state| [&state.answered, &state.sent]);
    remembered
        .flatten()
        .find_map(|json| {
            let name = json.value().get("displayName")?.as_str()?.to_owned();
            Some(name)
        })
        .unwrap_or_default()
}

fn remembered_guard(standing: &Standing<'_>) -> Guard {
    standing.state.map_or_else(Guard::default, |state| Guard {
        prevent_destroy: state.lifecycle.prevent_destroy,
        reason: state.lifecycle.reason.clone(),
    })
}

fn guard_change(standing: &Standing<'_>, now: &Guard) -> Option<GuardChange> {
    let state = standing.state?;
    match (state.lifecycle.prevent_destroy, now.prevent_destroy) {
        (false, true) => Some(GuardChange::Set),
        (true, false) => Some(GuardChange::Lifted(state.lifecycle.reason.clone())),
        (true, true) if state.lifecycle.reason != now.reason => Some(GuardChange::Reworded),
        _ => None,
    }
}
