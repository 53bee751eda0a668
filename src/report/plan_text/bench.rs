//! Plans made by hand, for the tests of this room.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::model::reference::Reference;
use crate::model::{Kind, Object, wire};
use crate::plan::{Action, Cost, FORMAT_VERSION, Guard, Plan, PropertyChange, ResourceChange, Verdict};

pub(in crate::report) const FINANCE: &str = "11111111-0000-4000-8000-000000000001";
pub(in crate::report) const BREAK_GLASS: &str = "11111111-0000-4000-8000-000000000002";
pub(in crate::report) const ADA: &str = "22222222-0000-4000-8000-000000000001";
pub(in crate::report) const OFFICES: &str = "33333333-0000-4000-8000-000000000001";
pub(in crate::report) const SALESFORCE: &str = "44444444-0000-4000-8000-000000000001";
pub(in crate::report) const GLOBAL_ADMINISTRATOR: &str = "62e90394-69f5-4237-9190-012177145e10";
pub(in crate::report) const PHISHING_RESISTANT: &str = "00000000-0000-0000-0000-000000000004";

/// An object from its wire form; ids that begin with `@` are references to addresses.
pub(in crate::report) fn object(kind: Kind, json: &Json) -> Object {
    let object = wire::decode(kind, json).unwrap().object;
    object.map_references(|reference| match reference {
        Reference::Id { target, id } if id.starts_with('@') => {
            Reference::managed(*target, id.trim_start_matches('@').parse().unwrap())
        }
        other => other.clone(),
    })
}

pub(in crate::report) fn compare(
    kind: Kind,
    before: Option<&Object>,
    after: Option<&Object>,
) -> Vec<PropertyChange> {
    kind.properties()
        .iter()
        .filter_map(|property| {
            let value = |object: Option<&Object>| object.and_then(|object| object.shared(property.wire));
            let (old, new) = (value(before), value(after));
            (old != new).then(|| PropertyChange {
                wire: property.wire.into(),
                dsl: property.dsl.first().copied().unwrap_or_default().into(),
                before: old,
                after: new,
            })
        })
        .collect()
}

pub(in crate::report) fn change(
    address: &str,
    kind: Kind,
    action: Action,
    before: Option<Json>,
    after: Option<Json>,
) -> ResourceChange {
    let (before, after) = (
        before.map(|json| object(kind, &json)),
        after.map(|json| object(kind, &json)),
    );
    let named = match action {
        Action::Delete | Action::Forget => before.as_ref().or(after.as_ref()),
        _ => after.as_ref().or(before.as_ref()),
    };
    ResourceChange {
        address: address.parse().unwrap(),
        previous_address: None,
        kind,
        id: before.is_some().then(|| format!("id-of-{address}")),
        name: named.map(|object| object.name().to_owned()).unwrap_or_default(),
        action,
        imported: false,
        reason: None,
        properties: match action {
            Action::Create | Action::Delete | Action::Forget => Vec::new(),
            _ => compare(kind, before.as_ref(), after.as_ref()),
        },
        before,
        after,
        raw: Vec::new(),
        drift: Vec::new(),
        unknown: Vec::new(),
        guard: None,
        sent: None,
        sent_pending: Vec::new(),
        dependencies: Vec::new(),
        lifecycle: Guard::default(),
        steps: Vec::new(),
    }
}

pub(in crate::report) fn plan(changes: Vec<ResourceChange>, unchanged: usize) -> Plan {
    let mut plan = Plan {
        held: Vec::new(),
        effect: None,
        accepted_gap: None,
        rollouts: Vec::new(),
        emergency: Vec::new(),
        format_version: FORMAT_VERSION.to_owned(),
        capol_version: "0.1.0".to_owned(),
        created_at: "2025-01-01T00:00:00Z".parse().unwrap(),
        tenant_id: "99999999-0000-4000-8000-000000000009".to_owned(),
        lineage: None,
        serial: 7,
        configuration_digest: String::new(),
        live: BTreeMap::new(),
        refresh_only: false,
        complete: true,
        changes,
        steps: Vec::new(),
        outputs: Vec::new(),
        notes: Vec::new(),
        names: [
            (FINANCE, "Finance"),
            (BREAK_GLASS, "Break glass accounts"),
            (ADA, "ada@contoso.com"),
            (SALESFORCE, "Salesforce"),
            (OFFICES, "Offices"),
        ]
        .into_iter()
        .map(|(id, name)| (id.to_owned(), name.to_owned()))
        .collect(),
        cost: Cost::default(),
        verdict: Verdict::default(),
    };
    count(&mut plan, unchanged);
    plan
}

/// The verdict that the planner would give.
pub(in crate::report) fn count(plan: &mut Plan, unchanged: usize) {
    let of = |action| {
        plan.changes
            .iter()
            .filter(|change| change.action == action)
            .count()
    };
    let replace = of(Action::Replace);
    plan.verdict = Verdict {
        import: plan.changes.iter().filter(|change| change.imported).count(),
        create: of(Action::Create) + replace,
        update: of(Action::Update),
        delete: of(Action::Delete) + replace,
        replace,
        forget: of(Action::Forget),
        moved: plan
            .changes
            .iter()
            .filter(|change| change.previous_address.is_some())
            .count(),
        refresh: of(Action::Refresh),
        guards: plan
            .changes
            .iter()
            .filter(|change| change.guard.is_some())
            .count(),
        held: plan.held.len(),
        outputs: plan.outputs.len(),
        rollouts: plan.verdict.rollouts,
        unchanged,
    };
    let writes = u32::try_from(plan.verdict.create + plan.verdict.update + plan.verdict.delete).unwrap();
    plan.cost = Cost {
        writes,
        requests: writes + 24,
        seconds: u64::from(writes) + 12,
    };
}
