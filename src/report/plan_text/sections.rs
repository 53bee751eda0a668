//! What stands above and below the objects of a plan.

use serde_json::Value as Json;

use crate::plan::{Action, GuardChange, Held, NoteLevel, OutputChange, Plan, PropertyChange, ResourceChange};

use super::super::attributes::differences;
use super::super::page::{Page, Role, Text};
use super::super::value_text::Names;
use super::super::visible::quoted;
use super::super::words;
use super::change::{becomes_enforced, difference_lines, stops_being_enforced};
use super::reach::felt;
use super::{GROUPS, PlanView};

/// How many names the first lines show.
const NAMED_AT_THE_TOP: usize = 4;

/// What the plan comes to, and what people will feel of it.
pub(super) fn opening(view: &PlanView<'_>, page: &mut Page) {
    let plan = view.plan;
    if !plan.verdict.has_changes() {
        let sentence = if is_from_memory(plan) {
            "No changes. What state remembers matches the configuration; the tenant was not read.".to_owned()
        } else {
            plan.verdict.sentence()
        };
        page.line(0, Text::of(Role::Heading, &sentence));
        return;
    }
    let tenant = view
        .tenant
        .or_else(|| plan.names.get(&plan.tenant_id).map(String::as_str));
    let tenant = tenant.unwrap_or(&plan.tenant_id);
    let mut changes: Vec<&ResourceChange> = plan.changes.iter().filter(|change| change.is_change()).collect();
    changes.sort_by_cached_key(|change| change.name.to_lowercase());
    let by_kind: Vec<String> = GROUPS
        .iter()
        .map(|(noun, kinds)| {
            (
                changes
                    .iter()
                    .filter(|change| kinds.contains(&change.kind))
                    .count(),
                noun,
            )
        })
        .filter(|(count, _)| *count > 0)
        .map(|(count, noun)| words::count(count, noun))
        .collect();
    let what = if by_kind.is_empty() {
        match (plan.outputs.is_empty(), plan.verdict.rollouts) {
            (true, 1..) => "only where rollouts stand".to_owned(),
            _ => "only outputs".to_owned(),
        }
    } else {
        words::list(&by_kind)
    };
    let sentence = if plan.refresh_only {
        format!(
            "This plan brings what state remembers of {what} up to date; nothing in tenant {tenant} changes."
        )
    } else {
        format!("This plan touches {what} in tenant {tenant}.")
    };
    page.line(0, Text::of(Role::Heading, &sentence));
    effect(page, &changes, "become enforced", becomes_enforced);
    effect(page, &changes, "stop being enforced", stops_being_enforced);
    effect(page, &changes, "cover less", |change| felt(change).covers_less);
    effect(page, &changes, "cover more", |change| felt(change).covers_more);
    effect(page, &changes, "ask for less", |change| {
        felt(change).asks_for_less
    });
    effect(page, &changes, "lose the guard against deletion", |change| {
        matches!(change.guard, Some(GuardChange::Lifted(_)))
    });
    let warnings = plan
        .notes
        .iter()
        .filter(|note| note.level == NoteLevel::Warning)
        .count();
    if warnings > 0 && !view.brief {
        alert(page, &format!("{} below", words::count(warnings, "warning")), "");
    }
}

/// Whether the tenant was not read for it.
fn is_from_memory(plan: &Plan) -> bool {
    plan.notes.iter().any(|note| note.code == "plan::not_refreshed")
}

fn effect(page: &mut Page, changes: &[&ResourceChange], what: &str, holds: impl Fn(&ResourceChange) -> bool) {
    let affected: Vec<&&ResourceChange> = changes.iter().filter(|change| holds(change)).collect();
    let names: Vec<String> = affected.iter().map(|change| quoted(&change.name)).collect();
    let noun = if affected
        .iter()
        .all(|change| change.kind == crate::model::Kind::Policy)
    {
        "policy"
    } else {
        "object"
    };
    let what = match (names.len(), what.split_once(' ')) {
        (0, _) => return,
        (1, Some((verb, rest))) => format!("{} {verb}s {rest}", words::count(1, noun)),
        (count, _) => format!("{} {what}", words::count(count, noun)),
    };
    alert(
        page,
        &what,
        &format!(": {}", words::first_few(&names, NAMED_AT_THE_TOP)),
    );
}

fn alert(page: &mut Page, what: &str, more: &str) {
    page.hanging(
        2,
        4,
        Text::of(Role::Warning, "! ")
            .with(Role::Warning, what)
            .with(Role::Plain, more),
    );
}

/// The outputs that change.
pub(super) fn outputs(view: &PlanView<'_>, page: &mut Page) {
    if view.plan.outputs.is_empty() {
        return;
    }
    page.blank();
    page.line(0, Text::of(Role::Heading, "Outputs"));
    let rows = view.plan.outputs.iter().map(output).collect();
    page.rows(4, 30, rows);
}

fn output(change: &OutputChange) -> (Text, Text) {
    let text = |value: &Option<Json>| match value {
        None => "not set".to_owned(),
        Some(_) if change.sensitive => "(sensitive)".to_owned(),
        Some(Json::Null) => "(known after apply)".to_owned(),
        Some(value) => value.to_string(),
    };
    let (before, mut after) = (text(&change.before), text(&change.after));
    if !change.pending.is_empty() && !change.sensitive && change.after != Some(Json::Null) {
        after.push_str(" (ids known after apply)");
    }
    match (&change.before, &change.after) {
        (None, _) => (
            Text::of(Role::Added, &format!("+ {}", change.name)),
            Text::plain(&after),
        ),
        (_, None) => (
            Text::of(Role::Removed, &format!("- {}", change.name)),
            Text::of(Role::Muted, &before),
        ),
        _ => (
            Text::of(Role::Changed, &format!("~ {}", change.name)),
            Text::of(Role::Removed, &before)
                .with(Role::Muted, " → ")
                .with(Role::Added, &after),
        ),
    }
}

/// Where the rollouts are, and where the plan leads them.
pub(super) fn rollouts(view: &PlanView<'_>, page: &mut Page) {
    if view.plan.rollouts.is_empty() {
        return;
    }
    page.blank();
    page.line(0, Text::of(Role::Heading, "Rollouts"));
    for staged in &view.plan.rollouts {
        let before = "before its first wave".to_owned();
        let at = staged
            .at
            .as_ref()
            .map_or_else(|| before.clone(), |wave| format!("at `{wave}`"));
        let mut text = Text::plain(&format!("{}  {at}", staged.address));
        match &staged.step {
            Some(step) => {
                let to = step.to.as_ref().map_or(before, |wave| format!("wave `{wave}`"));
                let verb = if step.goes_on { "goes on to" } else { "moves to" };
                text.push(Role::Changed, &format!(", {verb} {to}"));
            }
            None if staged.after.is_none() && staged.before.is_some() => {
                text.push(Role::Removed, ", is forgotten");
            }
            None => {}
        }
        page.hanging(2, 4, text);
        if let Some(next) = &staged.next {
            super::effect::next_wave(next, page);
        }
        for wait in &staged.waits {
            page.hanging(4, 6, Text::of(Role::Muted, "waits: ").with(Role::Plain, wait));
        }
    }
}

/// What the plan leaves alone for now.
pub(super) fn held(view: &PlanView<'_>, page: &mut Page) {
    if view.plan.held.is_empty() {
        return;
    }
    page.blank();
    page.line(
        0,
        Text::of(Role::Heading, "Left alone for now")
            .with(Role::Muted, &format!("  {}", words::number(view.plan.held.len()))),
    );
    for held in &view.plan.held {
        page.hanging(2, 6, held_line(held));
    }
}

/// An object that is left alone, and why.
pub(in super::super) fn held_line(held: &Held) -> Text {
    Text::of(Role::Warning, "? ")
        .with(Role::Plain, &quoted(&held.name))
        .with(Role::Muted, &format!("  {}", held.address))
        .with(Role::Plain, &format!("  {}", held.why.sentence()))
}

/// What somebody changed outside capol.
pub(super) fn drift(view: &PlanView<'_>, names: &Names, page: &mut Page) {
    let drifted: Vec<&ResourceChange> = view
        .plan
        .changes
        .iter()
        .filter(|change| !change.drift.is_empty())
        .collect();
    if drifted.is_empty() {
        return;
    }
    page.blank();
    page.line(
        0,
        Text::of(Role::Heading, "Changed outside capol since it last looked")
            .with(Role::Muted, &format!("  {}", words::number(drifted.len()))),
    );
    for change in drifted {
        let title = Text::plain(&quoted(&change.name))
            .with(Role::Muted, &format!("  {}", change.address))
            .with(Role::Plain, &format!("  {}", what_becomes_of(change)));
        page.hanging(4, 8, title);
        let rows = differences(change.kind, &change.drift, None, change.before.as_ref(), names)
            .into_iter()
            .flat_map(|attribute| {
                let mut label = Some(Text::plain(&attribute.name));
                difference_lines(&attribute.difference, view.few())
                    .into_iter()
                    .map(move |line| (label.take().unwrap_or_default(), line))
            })
            .collect();
        page.rows(8, 26, rows);
    }
}

/// What the plan makes of a change that somebody else made.
fn what_becomes_of(change: &ResourceChange) -> &'static str {
    let undone = |drift: &PropertyChange| {
        change
            .properties
            .iter()
            .any(|property| property.wire == drift.wire)
    };
    match change.action {
        Action::Delete => "deleted by this plan",
        Action::Forget => "let go by this plan",
        Action::Update | Action::Replace if change.drift.iter().all(undone) => "put back by this plan",
        Action::Update | Action::Replace if change.drift.iter().any(undone) => {
            "put back in part by this plan"
        }
        _ => "left as it is",
    }
}

/// Warnings, then notes.
pub(super) fn notes(view: &PlanView<'_>, page: &mut Page) {
    for (level, title, role, mark) in [
        (NoteLevel::Warning, "Warnings", Role::Warning, "! "),
        (NoteLevel::Note, "Notes", Role::Plain, "· "),
    ] {
        let notes: Vec<_> = view
            .plan
            .notes
            .iter()
            .filter(|note| note.level == level)
            .collect();
        if notes.is_empty() {
            continue;
        }
        page.blank();
        page.line(
            0,
            Text::of(Role::Heading, title).with(Role::Muted, &format!("  {}", words::number(notes.len()))),
        );
        for note in notes {
            let mut text = Text::of(role, mark).with(Role::Plain, &note.message);
            let at = note.origin.and_then(|origin| (view.place)(origin));
            let at: Vec<String> = note.address.iter().map(ToString::to_string).chain(at).collect();
            if !at.is_empty() {
                text.push(Role::Muted, &format!("  {}", at.join(" at ")));
            }
            page.hanging(2, 4, text);
            if let Some(help) = &note.help {
                page.hanging(4, 6, Text::of(Role::Muted, "help: ").with(Role::Plain, help));
            }
        }
    }
}

/// Counts, cost, and what to type next.
pub(super) fn closing(view: &PlanView<'_>, page: &mut Page) {
    let plan = view.plan;
    page.blank();
    if plan.verdict.has_changes() {
        page.line(0, Text::of(Role::Heading, &plan.verdict.sentence()));
        if plan.verdict.unchanged > 0 {
            let verb = if plan.verdict.unchanged == 1 {
                "stays"
            } else {
                "stay"
            };
            page.line(
                0,
                format!(
                    "{} {verb} as before.",
                    words::count(plan.verdict.unchanged, "other object")
                ),
            );
        }
        page.line(0, cost(plan));
        if let Some(next) = view.next {
            page.line(0, "To carry it out:");
            page.line(2, next);
        }
    } else if plan.verdict.unchanged > 0 {
        page.line(
            0,
            Text::of(
                Role::Muted,
                &format!(
                    "{} {}.",
                    words::count(plan.verdict.unchanged, "object"),
                    if is_from_memory(plan) {
                        "compared with state"
                    } else {
                        "checked"
                    }
                ),
            ),
        );
    }
}

fn cost(plan: &Plan) -> String {
    let cost = plan.cost;
    if cost.writes == 0 {
        return "Nothing is written to the tenant; only state changes.".to_owned();
    }
    let requests = |count: u32, noun| words::count(count.try_into().unwrap_or(usize::MAX), noun);
    format!(
        "{}, {} to Graph in all: {} at the rate that the service allows.",
        requests(cost.writes, "write"),
        requests(cost.requests, "request"),
        words::about(cost.seconds)
    )
}
