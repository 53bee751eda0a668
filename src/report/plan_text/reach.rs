//! Whether a policy in force reaches more or less than before, and whether it asks for less.

use crate::model::value::{Control, Grant, Operator};
use crate::model::{Kind, Object, Reference, Value};
use crate::plan::{Action, ResourceChange};

use super::change::is_enforced;

/// How a change to a policy that stays in force is felt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Felt {
    /// Sign-ins come under it that did not before.
    pub(super) covers_more: bool,
    /// Sign-ins no longer come under it.
    pub(super) covers_less: bool,
    /// It is content with less.
    pub(super) asks_for_less: bool,
}

/// What is felt of a change; nothing of a policy that begins or ends to be in force, of which that is said.
pub(super) fn felt(change: &ResourceChange) -> Felt {
    let mut felt = Felt::default();
    let (Some(before), Some(after)) = (&change.before, &change.after) else {
        return felt;
    };
    let stays = is_enforced(Some(before)) && is_enforced(Some(after));
    if change.kind != Kind::Policy || !stays || !matches!(change.action, Action::Update | Action::Replace) {
        return felt;
    }
    let everyone = (everyone(before), everyone(after));
    match everyone {
        (true, false) => felt.covers_less = true,
        (false, true) => felt.covers_more = true,
        _ => {}
    }
    for property in &change.properties {
        let (old, new) = (property.before.as_deref(), property.after.as_deref());
        let wire = property.wire.as_ref();
        if wire == "grantControls" {
            felt.asks_for_less |= asks_for_less(old, new);
        } else if wire.starts_with("sessionControls") {
            felt.asks_for_less |= new.is_none();
        } else if let Some(place) = wire.strip_prefix("conditions.") {
            let is_audience = place.starts_with("users.include") || place.starts_with("applications.include");
            // With `all` before or after, the single ones are no further news.
            if place.starts_with("users.include") && (everyone.0 || everyone.1) {
                continue;
            }
            // A condition that comes or goes as a whole is told by what it includes.
            if let Some(side) = place
                .strip_prefix("locations.exclude")
                .map(|_| "locations.include")
                .or_else(|| {
                    place
                        .strip_prefix("platforms.exclude")
                        .map(|_| "platforms.include")
                })
                && change
                    .properties
                    .iter()
                    .any(|other| other.wire.contains(side) && other.before.is_some() != other.after.is_some())
            {
                continue;
            }
            let (mut more, mut less) = compared(old, new, !is_audience && !place.contains("exclude"));
            if place.contains("exclude") {
                (more, less) = (less, more);
            }
            felt.covers_more |= more;
            felt.covers_less |= less;
        }
    }
    felt
}

fn everyone(policy: &Object) -> bool {
    policy
        .reference_set("conditions.users.includeUsers")
        .any(|reference| *reference == Reference::keyword("All"))
}

/// Whether more is in it, and whether less is. A condition that is not set holds for everything; an audience or an
/// exclusion that names nobody has nobody.
fn compared(old: Option<&Value>, new: Option<&Value>, unset_is_everything: bool) -> (bool, bool) {
    match (old, new) {
        (None, None) => (false, false),
        (None, Some(_)) => (!unset_is_everything, unset_is_everything),
        (Some(_), None) => (unset_is_everything, !unset_is_everything),
        (Some(old), Some(new)) => {
            let (old, new) = (members(old), members(new));
            let whole = |set: &[String]| set.iter().any(|member| member.eq_ignore_ascii_case("\"All\""));
            match (whole(&old), whole(&new)) {
                (true, false) => (false, true),
                (false, true) => (true, false),
                _ => (
                    new.iter().any(|member| !old.contains(member)),
                    old.iter().any(|member| !new.contains(member)),
                ),
            }
        }
    }
}

fn members(value: &Value) -> Vec<String> {
    match value {
        Value::References(set) => set
            .iter()
            .map(|reference| match reference {
                Reference::Keyword(word) => format!("{word:?}"),
                other => format!("{other:?}"),
            })
            .collect(),
        Value::Symbols(set) | Value::Texts(set) => set.iter().map(|text| format!("{text:?}")).collect(),
        other => vec![format!("{other:?}")],
    }
}

fn asks_for_less(old: Option<&Value>, new: Option<&Value>) -> bool {
    let grant = |value: Option<&Value>| match value {
        Some(Value::Grant(grant)) => Some(grant.clone()),
        _ => None,
    };
    let (Some(old), new) = (grant(old), grant(new)) else {
        return false;
    };
    let Some(new) = new else { return true };
    let blocks = |grant: &Grant| grant.controls.contains(&Control::BuiltIn("block".into()));
    if blocks(&old) || blocks(&new) {
        return blocks(&old) && !blocks(&new);
    }
    let all = |grant: &Grant| grant.operator == Operator::All || grant.controls.len() == 1;
    let is_within = |one: &Grant, other: &Grant| {
        one.controls
            .iter()
            .all(|control| other.controls.contains(control))
    };
    match (all(&old), all(&new)) {
        // Fewer of which each is needed, or one of several in the place of each.
        (true, true) => is_within(&new, &old),
        (true, false) => old.controls.iter().any(|control| new.controls.contains(control)),
        // More of which one is enough.
        (false, false) => is_within(&old, &new),
        (false, true) => false,
    }
}
