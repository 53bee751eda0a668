//! The end of an apply: what was done, what was not and why, what nobody knows, and how to go on.

use std::collections::BTreeMap;

use crate::apply::{Applied, Recovered, StepResult};
use crate::plan::{Action, Plan, ResourceChange};

use super::page::{Page, Role, Text};
use super::plan_text::held_line;
use super::progress::forms;
use super::visible::quoted;
use super::words;

/// What became of one change of the plan: the worst of its steps.
enum Fate<'a> {
    Done,
    Failed(&'a str),
    Unknown(&'a str),
    NotBegun(&'a str),
}

/// What an apply came to; `next` is the whole command to go on with when something is left.
///
/// The cause in [`Applied::failure`] is a diagnostic of its own, to be shown beside this.
pub fn applied_text(plan: &Plan, applied: &Applied, next: &str) -> Page {
    let mut page = Page::default();
    let fates: Vec<(&ResourceChange, Fate<'_>)> = plan
        .changes
        .iter()
        .filter(|change| change.is_change())
        .map(|change| (change, fate(change, applied)))
        .collect();
    let done: Vec<&ResourceChange> = fates
        .iter()
        .filter(|(_, fate)| matches!(fate, Fate::Done))
        .map(|(change, _)| *change)
        .collect();
    page.line(0, first_line(applied, &done, fates.len()));
    section(&mut page, "Failed", Role::Error, "✗", &fates, |fate| match fate {
        Fate::Failed(error) => Some(error),
        _ => None,
    });
    section(
        &mut page,
        "Nobody knows",
        Role::Warning,
        "?",
        &fates,
        |fate| match fate {
            Fate::Unknown(error) => Some(error),
            _ => None,
        },
    );
    section(
        &mut page,
        "Not begun",
        Role::Muted,
        "·",
        &fates,
        |fate| match fate {
            Fate::NotBegun(because) => Some(because),
            _ => None,
        },
    );
    mismatches(&mut page, plan, applied);
    held(&mut page, plan);
    if applied.is_complete() {
        return page;
    }
    page.blank();
    if fates.iter().any(|(_, fate)| matches!(fate, Fate::Unknown(_))) {
        page.line(
            0,
            "What was done is remembered; what nobody knows is looked for first when you go on:",
        );
    } else if applied.is_done() && applied.failure.is_none() && plan.held.is_empty() {
        page.line(0, "To compare what the tenant shows with what was written:");
    } else {
        page.line(0, "What was done is remembered. To do the rest:");
    }
    page.line(2, next);
    page
}

/// What was left alone, when there was nothing else to do.
pub fn held_text(plan: &Plan) -> Page {
    let mut page = Page::default();
    page.line(
        0,
        Text::of(Role::Error, "✗ ").with(Role::Heading, &plan.verdict.sentence()),
    );
    held(&mut page, plan);
    page
}

fn held(page: &mut Page, plan: &Plan) {
    if plan.held.is_empty() {
        return;
    }
    page.blank();
    page.line(
        0,
        Text::of(Role::Heading, "Left alone")
            .with(Role::Muted, &format!("  {}", words::number(plan.held.len()))),
    );
    for held in &plan.held {
        page.hanging(2, 6, held_line(held));
    }
}

/// An interrupted apply that was taken up before this run.
pub fn recovered_text(recovered: &Recovered) -> Page {
    let mut page = Page::default();
    page.line(0, "An apply that was cut off was taken up first.");
    let hidden = recovered
        .hidden
        .iter()
        .map(|hidden| hidden.address.clone())
        .collect();
    for (what, addresses) in [
        ("was done", &recovered.done),
        ("was not done", &recovered.not_done),
        ("nobody knows yet", &hidden),
    ] {
        if !addresses.is_empty() {
            page.hanging(2, 4, format!("{what}: {}", words::list(addresses)));
        }
    }
    page
}

fn fate<'a>(change: &ResourceChange, applied: &'a Applied) -> Fate<'a> {
    let mut worst = Fate::Done;
    for step in &change.steps {
        worst = match (worst, applied.results.get(step)) {
            (_, Some(StepResult::Unknown { error })) => Fate::Unknown(error),
            (Fate::Unknown(error), _) => Fate::Unknown(error),
            (_, Some(StepResult::Failed { error })) => Fate::Failed(error),
            (Fate::Failed(error), _) => Fate::Failed(error),
            (_, Some(StepResult::Skipped { because })) => Fate::NotBegun(because),
            (Fate::NotBegun(because), _) => Fate::NotBegun(because),
            (_, None) => Fate::NotBegun("the apply ended before it"),
            (Fate::Done, Some(StepResult::Done { .. })) => Fate::Done,
        };
    }
    worst
}

fn first_line(applied: &Applied, done: &[&ResourceChange], all: usize) -> Text {
    let counts = counts(done);
    if applied.is_complete() {
        let sentence = format!("Applied: {counts}. The tenant shows everything as written.");
        return Text::of(Role::Added, "✓ ").with(Role::Heading, &sentence);
    }
    if applied.is_done() && applied.failure.is_none() && applied.held.is_empty() {
        let sentence = format!("Applied: {counts}. The tenant shows something else than was written.");
        return Text::of(Role::Error, "✗ ").with(Role::Heading, &sentence);
    }
    let why = if applied.interrupted {
        "Stopped as asked"
    } else {
        "Not everything was applied"
    };
    Text::of(Role::Error, "✗ ").with(
        Role::Heading,
        &format!(
            "{why}: {} of {} done ({counts}).",
            words::number(done.len()),
            words::count(all, "change")
        ),
    )
}

fn counts(done: &[&ResourceChange]) -> String {
    let count = |holds: &dyn Fn(&ResourceChange) -> bool| done.iter().filter(|change| holds(change)).count();
    let of = |action| count(&|change: &ResourceChange| change.action == action);
    let replaced = of(Action::Replace);
    let parts: Vec<String> = [
        (count(&|change| change.imported), "imported"),
        (count(&|change| change.previous_address.is_some()), "moved"),
        (of(Action::Create) + replaced, "added"),
        (of(Action::Update), "changed"),
        (of(Action::Delete) + replaced, "destroyed"),
        (of(Action::Forget), "forgotten"),
        (of(Action::Refresh), "refreshed"),
        (count(&|change| change.guard.is_some()), "guarded anew"),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(count, what)| format!("{} {what}", words::number(count)))
    .collect();
    if parts.is_empty() {
        "nothing to count".to_owned()
    } else {
        parts.join(", ")
    }
}

/// Changes that ended one way, those with the same cause together.
fn section<'a>(
    page: &mut Page,
    title: &str,
    role: Role,
    mark: &str,
    fates: &'a [(&'a ResourceChange, Fate<'a>)],
    cause: impl Fn(&Fate<'a>) -> Option<&'a str>,
) {
    let found: Vec<(&ResourceChange, &str)> = fates
        .iter()
        .filter_map(|(change, fate)| Some((*change, cause(fate)?)))
        .collect();
    if found.is_empty() {
        return;
    }
    page.blank();
    page.line(
        0,
        Text::of(Role::Heading, title).with(Role::Muted, &format!("  {}", words::number(found.len()))),
    );
    let mut by_cause: BTreeMap<&str, Vec<&ResourceChange>> = BTreeMap::new();
    for (change, cause) in &found {
        by_cause.entry(cause).or_default().push(change);
    }
    for (cause, changes) in by_cause {
        for change in changes {
            let verb = forms(verb(change)).done;
            let text = Text::plain("  ")
                .with(role, mark)
                .with(Role::Plain, &format!(" {}", quoted(&change.name)))
                .with(Role::Muted, &format!("  {}", change.address))
                .with(Role::Plain, &format!("  to be {verb}"));
            page.hanging(0, 6, text);
        }
        page.hanging(6, 6, Text::of(Role::Plain, cause));
    }
}

fn verb(change: &ResourceChange) -> &'static str {
    match change.action {
        Action::Create | Action::Replace => "create",
        Action::Update => "update",
        Action::Delete => "delete",
        Action::NoOp if change.imported => "import",
        Action::NoOp | Action::Forget | Action::Refresh => "step",
    }
}

fn mismatches(page: &mut Page, plan: &Plan, applied: &Applied) {
    if applied.mismatches.is_empty() {
        return;
    }
    page.blank();
    let mut by_address: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for mismatch in &applied.mismatches {
        let attribute = if mismatch.wire.is_empty() {
            "not to be seen at all"
        } else if mismatch.dsl.is_empty() {
            mismatch.wire.as_str()
        } else {
            mismatch.dsl.as_str()
        };
        by_address
            .entry(mismatch.address.to_string())
            .or_default()
            .push(attribute);
    }
    page.line(
        0,
        Text::of(Role::Heading, "Read back otherwise than written")
            .with(Role::Muted, &format!("  {}", words::number(by_address.len()))),
    );
    for (address, mut attributes) in by_address {
        attributes.dedup();
        let name = plan
            .changes
            .iter()
            .find(|change| change.address.to_string() == address);
        let name = name
            .map(|change| format!(" {} ", quoted(&change.name)))
            .unwrap_or_default();
        let text = Text::plain("  ")
            .with(Role::Warning, "!")
            .with(Role::Plain, &name)
            .with(Role::Muted, &format!(" {address}"))
            .with(Role::Plain, &format!("  {}", words::list(&attributes)));
        page.hanging(0, 6, text);
    }
}

#[cfg(test)]
mod tests;
