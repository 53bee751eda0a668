//! The plan as `plan --json` gives it: Terraform's key names, so that people's jq and policy checks carry over.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::model::wire::{self, put};
use crate::model::{Address, Object, Reference, Value};

use super::change::{Action, ActionReason, GuardChange, OutputChange, PropertyChange, ResourceChange};
use super::step::Pending;
use super::{Effect, Held, Note, NoteLevel, Plan, Reach};

/// The version of this form; the saved plan has its own.
pub const FORMAT_VERSION: &str = "1.0";

/// The plan in Terraform's `show -json` form.
///
/// `before` and `after` are Graph's JSON. What is known only after the apply is null in `after` and
/// `true` in `after_unknown`.
pub fn render(plan: &Plan) -> Json {
    let drifted: Vec<Json> = plan
        .changes
        .iter()
        .filter(|change| !change.drift.is_empty())
        .map(drift)
        .collect();
    json!({
        "format_version": FORMAT_VERSION,
        "capol_version": plan.capol_version,
        "timestamp": plan.created_at.to_string(),
        "tenant_id": plan.tenant_id,
        "applyable": plan.verdict.has_changes(),
        "complete": plan.complete,
        "errored": false,
        "resource_changes": plan.changes.iter().map(resource_change).collect::<Vec<_>>(),
        "resource_drift": drifted,
        "output_changes": outputs(&plan.outputs),
        "effect": plan.effect.as_ref().map(effect),
        "rollouts": plan.rollouts.iter().map(|staged| json!({
            "address": staged.address,
            "waves": staged.waves,
            "wave": staged.at,
            "since": staged.since,
            "step": staged.step,
            "waits": staged.waits,
            "next": staged.next.as_ref().map(|next| json!({
                "wave": next.wave,
                "effect": next.effect.as_ref().map(effect),
                "refused": next.refused,
            })),
        })).collect::<Vec<_>>(),
        "left_alone": plan.held.iter().map(held).collect::<Vec<_>>(),
        "notes": plan.notes.iter().map(note).collect::<Vec<_>>(),
        "summary": {
            "import": plan.verdict.import,
            "add": plan.verdict.create,
            "change": plan.verdict.update,
            "remove": plan.verdict.delete,
            "replace": plan.verdict.replace,
            "forget": plan.verdict.forget,
            "move": plan.verdict.moved,
            "sentence": plan.verdict.sentence(),
        },
        "cost": {
            "writes": plan.cost.writes,
            "requests": plan.cost.requests,
            "seconds": plan.cost.seconds,
        },
    })
}

/// The sign-ins whose outcome changes; `users` is null where nobody could tell.
fn effect(effect: &Effect) -> Json {
    let regions = effect.regions.iter().map(|region| {
        let (users, at_most) = match region.users {
            Reach::Exactly(users) => (Some(users), false),
            Reach::AtMost(users) => (Some(users), true),
            Reach::NoPeople => (Some(0), false),
            Reach::Unknown => (None, false),
        };
        json!({
            "kind": region.kind.word(),
            "sentence": region.sentence(),
            "sign_ins": region.sign_ins,
            "what": region.what,
            "policies": region.policies.iter().map(|cause| json!({
                "name": cause.name,
                "address": cause.address,
            })).collect::<Vec<_>>(),
            "unless": region.unless,
            "weaker_where": region.weaker_where,
            "users": users,
            "users_at_most": at_most,
            "undecided": region.is_undecided,
        })
    });
    json!({ "regions": regions.collect::<Vec<_>>(), "undecided": effect.undecided })
}

fn held(held: &Held) -> Json {
    json!({
        "address": held.address.to_string(),
        "name": held.name,
        "because": held.why.sentence(),
    })
}

fn resource_change(change: &ResourceChange) -> Json {
    let mut json = identity(&change.address, change);
    let mut inner = json!({
        "actions": actions(change.action),
        "before": change.before.as_ref().map(|before| with_id(wire_form(before), change)),
        "after": after(change),
        "after_unknown": after_unknown(change),
        "before_sensitive": false,
        "after_sensitive": false,
        "properties": change.properties.iter().map(property).collect::<Vec<_>>(),
    });
    if change.imported {
        put(&mut inner, "importing", json!({ "id": change.id }));
    }
    if let Some(ActionReason::CannotUpdate(paths)) = &change.reason {
        let paths: Vec<Vec<&str>> = paths.iter().map(|path| path.split('.').collect()).collect();
        put(&mut inner, "replace_paths", json!(paths));
    }
    put(&mut json, "change", inner);
    if let Some(previous) = &change.previous_address {
        put(&mut json, "previous_address", json!(previous));
    }
    if let Some(reason) = reason(change) {
        put(&mut json, "action_reason", json!(reason));
    }
    if let Some(guard) = &change.guard {
        let (word, was) = match guard {
            GuardChange::Set => ("set", None),
            GuardChange::Lifted(reason) => ("lifted", reason.as_ref()),
            GuardChange::Reworded => ("reworded", None),
        };
        put(
            &mut json,
            "prevent_destroy",
            json!({ "change": word, "reason": was }),
        );
    }
    json
}

fn identity(address: &Address, change: &ResourceChange) -> Json {
    let mut json = json!({
        "address": address,
        "mode": "managed",
        "type": address.kind,
        "name": address.name,
        "graph_type": change.kind.graph_type(),
        "display_name": change.name,
    });
    if let Some(key) = &address.key {
        put(&mut json, "index", json!(key));
    }
    if !address.module.is_empty() {
        let block = address.block().to_string();
        let inner = format!(".{}.{}", address.kind, address.name);
        put(
            &mut json,
            "module_address",
            json!(block.strip_suffix(&inner).unwrap_or(&block)),
        );
    }
    json
}

fn actions(action: Action) -> Vec<&'static str> {
    match action {
        Action::NoOp | Action::Refresh => vec!["no-op"],
        Action::Create => vec!["create"],
        Action::Update => vec!["update"],
        Action::Replace => vec!["create", "delete"],
        Action::Delete => vec!["delete"],
        Action::Forget => vec!["forget"],
    }
}

fn reason(change: &ResourceChange) -> Option<&'static str> {
    Some(match change.reason.as_ref()? {
        ActionReason::DeletedOutside => "create_because_deleted_outside",
        ActionReason::RestoredFromDeleted => "restore_because_deleted_outside",
        ActionReason::NoBlock => "delete_because_no_resource_config",
        ActionReason::Removed => "forget_because_removed",
        ActionReason::GoneAlready => "forget_because_gone",
        ActionReason::Destroy => "delete_because_destroy",
        ActionReason::Requested => "replace_by_request",
        ActionReason::CannotUpdate(_) | ActionReason::KindChange => "replace_because_cannot_update",
        ActionReason::Undone => "undo",
    })
}

/// The object in Graph's JSON; references that are not known yet are left null.
fn wire_form(object: &Object) -> Json {
    let known = object.map_references(|reference| match reference {
        Reference::Managed { target, .. } => Reference::id(*target, ""),
        other => other.clone(),
    });
    let mut json = wire::encode(&known, &mut |_| Some(String::new())).map_or(Json::Null, |body| body.json);
    if let Some(members) = members(&known) {
        put(&mut json, wire::members_path(), members);
    }
    json
}

fn members(object: &Object) -> Option<Json> {
    object.get(wire::members_path())?;
    let ids: Vec<&str> = object
        .reference_set(wire::members_path())
        .filter_map(|reference| match reference {
            Reference::Id { id, .. } => Some(id.as_str()),
            _ => None,
        })
        .collect();
    Some(json!(ids))
}

fn after(change: &ResourceChange) -> Json {
    let Some(object) = &change.after else {
        return Json::Null;
    };
    let mut json = change
        .sent
        .as_ref()
        .map_or_else(|| wire_form(object), crate::model::state::Json::value);
    if let Some(members) = members(object) {
        put(&mut json, wire::members_path(), members);
    }
    if matches!(change.action, Action::NoOp | Action::Update | Action::Refresh) {
        json = with_id(json, change);
    }
    json
}

fn with_id(mut json: Json, change: &ResourceChange) -> Json {
    if let Some(id) = &change.id {
        put(&mut json, "id", json!(id));
    }
    json
}

fn after_unknown(change: &ResourceChange) -> Json {
    let mut json = Json::Object(Map::new());
    if matches!(change.action, Action::Create | Action::Replace) {
        put(&mut json, "id", json!(true));
    }
    for Pending { pointer, .. } in &change.sent_pending {
        mark(&mut json, pointer);
    }
    json
}

/// Puts `true` at a JSON pointer, making objects and lists on the way; places in lists before it are `false`.
fn mark(json: &mut Json, pointer: &str) {
    let mut here = json;
    for step in pointer.split('/').skip(1) {
        if let Ok(at) = step.parse::<usize>() {
            if !here.is_array() {
                *here = Json::Array(Vec::new());
            }
            let Json::Array(list) = here else { return };
            while list.len() <= at {
                list.push(json!(false));
            }
            let Some(next) = list.get_mut(at) else { return };
            here = next;
        } else {
            if !here.is_object() {
                *here = Json::Object(Map::new());
            }
            let Json::Object(map) = here else { return };
            here = map
                .entry(step.replace("~1", "/").replace("~0", "~"))
                .or_insert(Json::Null);
        }
    }
    *here = json!(true);
}

fn property(change: &PropertyChange) -> Json {
    json!({ "path": change.wire, "attribute": change.dsl })
}

fn drift(change: &ResourceChange) -> Json {
    let mut json = identity(&change.address, change);
    let side = |which: fn(&PropertyChange) -> Option<&Value>| -> Json {
        let mut object = Object::new(change.before.as_ref().map_or(change.kind, |before| before.kind));
        for drifted in &change.drift {
            if let Some(row) = crate::model::properties::by_wire(object.kind, &drifted.wire) {
                object.set(row.wire, which(drifted).cloned());
            }
        }
        let whole = wire_form(&object);
        let mut shown = Json::Object(Map::new());
        for drifted in &change.drift {
            let value = wire::at(&whole, &drifted.wire).cloned().unwrap_or_default();
            put(&mut shown, &drifted.wire, value);
        }
        shown
    };
    put(
        &mut json,
        "change",
        json!({
            "actions": ["update"],
            "before": side(|drifted| drifted.before.as_deref()),
            "after": side(|drifted| drifted.after.as_deref()),
            "after_unknown": {},
            "properties": change.drift.iter().map(property).collect::<Vec<_>>(),
        }),
    );
    json
}

fn outputs(changes: &[OutputChange]) -> BTreeMap<&str, Json> {
    changes
        .iter()
        .map(|change| {
            let action = match (&change.before, &change.after) {
                (None, _) => "create",
                (Some(_), None) => "delete",
                (Some(_), Some(_)) => "update",
            };
            let shown = |value: &Option<Json>| if change.sensitive { None } else { value.clone() };
            let json = json!({
                "actions": [action],
                "before": shown(&change.before),
                "after": shown(&change.after),
                "after_unknown": !change.pending.is_empty(),
                "before_sensitive": change.sensitive,
                "after_sensitive": change.sensitive,
            });
            (change.name.as_str(), json)
        })
        .collect()
}

fn note(note: &Note) -> Json {
    json!({
        "severity": match note.level { NoteLevel::Note => "note", NoteLevel::Warning => "warning" },
        "code": note.code,
        "address": note.address,
        "summary": note.message,
        "detail": note.help,
    })
}
