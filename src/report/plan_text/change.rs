//! One object of a plan: a line that says what happens to it, and what differs.

use crate::model::{Kind, Object, Value};
use crate::plan::{Act, Action, ActionReason, GuardChange, ResourceChange};

use super::super::attributes::{AttributeChange, Difference, differences};
use super::super::page::{Page, Role, Text};
use super::super::summary::summary;
use super::super::value_text::{Names, json_text};
use super::super::visible::quoted;
use super::super::words;
use super::PlanView;
use super::reach::{Felt, felt};

/// Columns before an object's name: two, a mark of three, one.
const NAME_AT: usize = 6;
/// Columns before what differs.
const DETAIL_AT: usize = 8;
/// The widest name of an attribute that others are lined up after.
const WIDEST_ATTRIBUTE: usize = 26;
/// Columns that an eye takes in at a glance; what differs by more gets a line each for before and after.
const GLANCE: usize = 70;
/// Columns up to which a member of a list is not broken over lines.
const WHOLE: usize = 40;

/// Where an object stands in its group: what goes first, then what changes, what comes, what only state sees.
pub(super) fn rank(change: &ResourceChange) -> u8 {
    match change.action {
        Action::Delete => 0,
        Action::Replace => 1,
        Action::Update => 2,
        Action::Create => 3,
        Action::NoOp if change.imported => 4,
        Action::NoOp if change.previous_address.is_some() => 5,
        Action::Forget => 6,
        Action::Refresh | Action::NoOp => 7,
    }
}

/// Whether people are held to a policy.
pub(super) fn is_enforced(object: Option<&Object>) -> bool {
    object.is_some_and(|object| {
        object.kind == Kind::Policy && object.get("state") == Some(&Value::Symbol("enabled".to_owned()))
    })
}

/// Whether a policy starts to be enforced with the plan.
pub(super) fn becomes_enforced(change: &ResourceChange) -> bool {
    writes(change) && is_enforced(change.after.as_ref()) && !is_enforced(change.before.as_ref())
}

/// Whether a policy is no longer enforced after the plan.
pub(super) fn stops_being_enforced(change: &ResourceChange) -> bool {
    writes(change) && is_enforced(change.before.as_ref()) && !is_enforced(change.after.as_ref())
}

fn writes(change: &ResourceChange) -> bool {
    matches!(
        change.action,
        Action::Create | Action::Update | Action::Replace | Action::Delete
    )
}

fn mark(change: &ResourceChange) -> (Role, &'static str) {
    match change.action {
        Action::Create => (Role::Added, "+"),
        Action::Replace => (Role::Removed, "-/+"),
        Action::Delete => (Role::Removed, "-"),
        Action::NoOp if change.imported => (Role::Added, "←"),
        Action::NoOp if change.previous_address.is_some() => (Role::Changed, "→"),
        Action::Update | Action::NoOp => (Role::Changed, "~"),
        Action::Forget | Action::Refresh => (Role::Muted, "·"),
    }
}

/// Adds everything about one object.
pub(super) fn describe(view: &PlanView<'_>, names: &Names, change: &ResourceChange, page: &mut Page) {
    page.hanging(2, DETAIL_AT, headline(change));
    let mut rows = Vec::new();
    match change.action {
        Action::Create => rows.extend(
            change
                .after
                .iter()
                .flat_map(|object| summary(object, names, view.few())),
        ),
        Action::Delete if change.reason != Some(ActionReason::Destroy) => {
            rows.extend(
                change
                    .before
                    .iter()
                    .flat_map(|object| summary(object, names, view.few())),
            );
        }
        Action::Delete | Action::Forget => {}
        Action::NoOp | Action::Update | Action::Replace | Action::Refresh => {
            let (before, after) = (change.before.as_ref(), change.after.as_ref());
            for attribute in differences(change.kind, &change.properties, before, after, names) {
                rows.extend(attribute_rows(view, change, &attribute));
            }
            for raw in &change.raw {
                let (before, after) = (json_text(&raw.before), json_text(&raw.after));
                rows.extend(labelled(
                    &format!("raw.{}", raw.path),
                    before_after(&before, &after),
                ));
            }
        }
    }
    page.rows(DETAIL_AT, WIDEST_ATTRIBUTE, rows);
    for line in remarks(view, change) {
        page.hanging(DETAIL_AT, DETAIL_AT + 2, line);
    }
}

/// Mark, name, address, what happens.
fn headline(change: &ResourceChange) -> Text {
    let (role, mark) = mark(change);
    let padding = NAME_AT.saturating_sub(2 + 3 + 1);
    let mut text = Text::plain(&" ".repeat(3_usize.saturating_sub(mark.chars().count())))
        .with(role, mark)
        .with(Role::Plain, &" ".repeat(padding + 1))
        .with(Role::Heading, &quoted(&change.name))
        .with(Role::Muted, &format!("  {}", change.address));
    for (at, (role, phrase)) in phrases(change).into_iter().enumerate() {
        text.push(Role::Muted, if at == 0 { "  " } else { "; " });
        text.push(role, &phrase);
    }
    text
}

/// What happens to an object, in words, where its mark does not say it.
fn phrases(change: &ResourceChange) -> Vec<(Role, String)> {
    let mut phrases = Vec::new();
    let mut say = |role: Role, phrase: &str| phrases.push((role, phrase.to_owned()));
    if change.imported {
        match change.action {
            Action::Update => say(Role::Plain, "imported and changed"),
            _ => say(Role::Plain, "imported"),
        }
    }
    if let Some(previous) = &change.previous_address {
        say(Role::Plain, &format!("was {previous}"));
    }
    let felt = felt(change);
    if becomes_enforced(change) {
        say(
            Role::Warning,
            if change.before.is_some() {
                "becomes enforced"
            } else {
                "enforced at once"
            },
        );
    } else if stops_being_enforced(change) {
        say(Role::Warning, "stops being enforced");
    } else if felt != Felt::default() {
        for (holds, word) in [
            (felt.covers_less, "covers less"),
            (felt.covers_more, "covers more"),
            (felt.asks_for_less, "asks for less"),
        ] {
            if holds {
                say(Role::Warning, word);
            }
        }
    } else if change.action == Action::Create && change.kind == Kind::Policy {
        say(Role::Plain, state_word(change.after.as_ref()));
    } else if change.action == Action::Delete && change.kind == Kind::Policy {
        say(
            Role::Plain,
            &format!("was {}", state_word(change.before.as_ref())),
        );
    }
    match (change.action, &change.reason) {
        (Action::Forget, Some(ActionReason::GoneAlready)) => {
            say(Role::Plain, "gone from the tenant already; only state forgets it");
        }
        (Action::Forget, _) => say(Role::Plain, "no longer managed, stays in the tenant"),
        (Action::Refresh, _) => say(Role::Plain, "only what state remembers of it changes"),
        (Action::Replace, None) => say(Role::Plain, "a new one is made, then the old one is deleted"),
        _ => {}
    }
    match &change.reason {
        Some(ActionReason::DeletedOutside) => say(Role::Plain, "made again: it was deleted outside capol"),
        Some(ActionReason::RestoredFromDeleted) => say(
            Role::Plain,
            "deleted outside capol: restored with the same id instead of made again",
        ),
        Some(ActionReason::NoBlock) => say(Role::Plain, "its block is gone from the configuration"),
        Some(ActionReason::Removed) if change.action != Action::Forget => {
            say(Role::Plain, "a `removed` block lets it go");
        }
        Some(ActionReason::Requested) => say(
            Role::Plain,
            "made anew as `--replace` asks, then the old one is deleted",
        ),
        Some(ActionReason::CannotUpdate(attributes)) => say(
            Role::Plain,
            &format!(
                "made anew, then the old one is deleted: {} can't be changed",
                words::list(attributes)
            ),
        ),
        Some(ActionReason::KindChange) => {
            say(
                Role::Plain,
                "made anew as another kind of location, then the old one is deleted",
            );
        }
        Some(ActionReason::Undone) if change.action == Action::Create && change.id.is_some() => {
            say(Role::Plain, "comes back with the same id");
        }
        Some(ActionReason::Undone) => say(Role::Plain, "an earlier apply is taken back"),
        Some(ActionReason::Removed | ActionReason::GoneAlready | ActionReason::Destroy) | None => {}
    }
    phrases
}

fn state_word(object: Option<&Object>) -> &'static str {
    match object.and_then(|object| object.get("state")) {
        Some(Value::Symbol(wire)) if wire == "enabled" => "enforced",
        Some(Value::Symbol(wire)) if wire == "enabledForReportingButNotEnforced" => "report-only",
        Some(Value::Symbol(wire)) if wire != "disabled" => "in a state that is not known",
        _ => "disabled",
    }
}

fn attribute_rows(
    view: &PlanView<'_>,
    change: &ResourceChange,
    attribute: &AttributeChange,
) -> Vec<(Text, Text)> {
    let mut lines = difference_lines(&attribute.difference, view.few());
    if attribute.needs_new_object
        && change.action == Action::Replace
        && let Some(last) = lines.last_mut()
    {
        last.push(Role::Warning, "  needs a new object");
    }
    labelled(&attribute.name, lines)
}

/// The first line beside the label, the others below it.
fn labelled(label: &str, lines: Vec<Text>) -> Vec<(Text, Text)> {
    let mut label = Some(Text::plain(label));
    lines
        .into_iter()
        .map(|line| (label.take().unwrap_or_default(), line))
        .collect()
}

/// How an attribute differs, on one line where that can be taken in at a glance.
pub(super) fn difference_lines(difference: &Difference, few: usize) -> Vec<Text> {
    match difference {
        Difference::Members { added, removed } => {
            let (mut added, removed) = (
                members(Role::Added, "+", added, few),
                members(Role::Removed, "-", removed, few),
            );
            if removed.is_empty() {
                return vec![added];
            }
            if added.is_empty() {
                return vec![removed];
            }
            if added.width() + removed.width() > GLANCE {
                return vec![added, removed];
            }
            added.push(Role::Plain, "  ");
            added.append(removed);
            vec![added]
        }
        Difference::List { members, set, none } => {
            let list = words::bracketed(members, few);
            let (before, after) = if *set { (none, &list) } else { (&list, none) };
            before_after(before, after)
        }
        Difference::Value { before, after } => before_after(before, after),
    }
}

fn before_after(before: &str, after: &str) -> Vec<Text> {
    let mut first = Text::of(Role::Removed, before);
    let second = Text::of(Role::Muted, "→ ").with(Role::Added, after);
    if first.width() + second.width() > GLANCE {
        return vec![first, second];
    }
    first.push(Role::Plain, " ");
    first.append(second);
    vec![first]
}

/// Members with a sign each; long lists cut with a count.
fn members(role: Role, sign: &str, members: &[String], few: usize) -> Text {
    let mut text = Text::default();
    let cut = if members.len() > few + 1 {
        few
    } else {
        members.len()
    };
    for member in members.iter().take(cut) {
        if !text.is_empty() {
            text.push(Role::Plain, "  ");
        }
        if member.chars().count() <= WHOLE {
            text.push_whole(role, &format!("{sign} {member}"));
        } else {
            text.push_whole(role, &format!("{sign} "));
            text.push(role, member);
        }
    }
    if cut < members.len() {
        text.push(Role::Plain, "  ");
        text.push_whole(
            role,
            &format!("{sign} {} more", words::number(members.len() - cut)),
        );
    }
    text
}

/// What else is to know of one object.
fn remarks(view: &PlanView<'_>, change: &ResourceChange) -> Vec<Text> {
    let mut remarks = Vec::new();
    match &change.guard {
        Some(GuardChange::Set) => remarks.push(Text::of(
            Role::Plain,
            &format!(
                "prevent_destroy from now on{}",
                reason(change.lifecycle.reason.as_deref())
            ),
        )),
        Some(GuardChange::Lifted(was)) => remarks.push(
            Text::of(Role::Warning, "prevent_destroy is lifted").with(
                Role::Plain,
                &was.as_ref()
                    .map(|was| format!("; it was there because: {was}"))
                    .unwrap_or_default(),
            ),
        ),
        Some(GuardChange::Reworded) => remarks.push(Text::of(
            Role::Plain,
            &format!(
                "prevent_destroy stays, worded anew{}",
                reason(change.lifecycle.reason.as_deref())
            ),
        )),
        None => {}
    }
    let releases = change
        .steps
        .iter()
        .filter_map(|id| view.plan.step(*id))
        .any(|step| matches!(step.act, Act::Release { .. }));
    if releases {
        let first = if change.kind == Kind::Context {
            "made unavailable first: the service deletes no available context"
        } else {
            "made untrusted first: the service deletes no trusted location"
        };
        remarks.push(Text::of(Role::Muted, first));
    }
    if !change.unknown.is_empty() {
        let members = words::first_few(&change.unknown, view.few());
        remarks.push(Text::of(
            Role::Muted,
            &format!("unknown to capol and kept as in the tenant: {members}"),
        ));
    }
    remarks
}

fn reason(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}
