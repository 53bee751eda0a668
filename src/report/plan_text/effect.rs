//! What becomes of people's access, at the end of a plan.

use crate::access::EffectKind;
use crate::plan::{Effect, NextWave, Reach, Region};

use super::super::page::{Page, Role, Text};
use super::super::visible::quoted;
use super::super::words;
use super::PlanView;

/// How many policies a line names before the rest is only counted.
const NAMED: usize = 4;

/// How many of those that keep the outcome as it was.
const UNLESS: usize = 2;

/// The kinds, the gravest first, each with its heading and mark.
const KINDS: [(&[EffectKind], &str, Role, &str); 5] = [
    (&[EffectKind::NewlyBlocked], "Newly blocked", Role::Warning, "! "),
    (
        &[EffectKind::NewlyUnprotected],
        "Newly unprotected",
        Role::Warning,
        "! ",
    ),
    (&[EffectKind::Weaker], "Weaker", Role::Removed, "- "),
    (&[EffectKind::Stronger], "Stronger", Role::Added, "+ "),
    (
        &[EffectKind::SessionMilder, EffectKind::SessionStricter],
        "Session only",
        Role::Changed,
        "~ ",
    ),
];

/// The sign-ins whose outcome changes.
pub(super) fn effect(view: &PlanView<'_>, page: &mut Page) {
    let Some(effect) = &view.plan.effect else { return };
    page.blank();
    page.line(0, title(effect));
    regions(effect, 2, page);
}

/// What the next wave of a rollout would do, below the line of the rollout.
pub(super) fn next_wave(next: &NextWave, page: &mut Page) {
    let head = |text: &str| Text::of(Role::Muted, "next: ").with(Role::Plain, text);
    let wave = &next.wave;
    match (&next.refused, &next.effect) {
        (Some(why), _) => {
            let text = head(&format!("`{wave}` could not be entered now: {why}"));
            page.hanging(4, 6, text);
        }
        (None, Some(effect)) if !(effect.regions.is_empty() && effect.undecided.is_none()) => {
            page.hanging(4, 6, head(&format!("`{wave}` would do this")));
            regions(effect, 6, page);
        }
        _ => page.hanging(4, 6, head(&format!("`{wave}` would change nobody's access"))),
    }
}

fn regions(effect: &Effect, indent: usize, page: &mut Page) {
    for (kinds, heading, role, mark) in KINDS {
        let regions: Vec<&Region> = effect
            .regions
            .iter()
            .filter(|region| kinds.contains(&region.kind))
            .collect();
        if regions.is_empty() {
            continue;
        }
        page.line(indent, Text::of(Role::Heading, heading));
        for region in regions {
            page.hanging(indent + 2, indent + 6, line(region, role, mark));
        }
    }
    if let Some(reason) = &effect.undecided {
        let text = Text::of(Role::Warning, "? ")
            .with(Role::Warning, "not decided: ")
            .with(Role::Plain, reason);
        page.hanging(indent + 2, indent + 6, text);
    }
}

fn title(effect: &Effect) -> Text {
    match (effect.regions.len(), &effect.undecided) {
        (0, None) => Text::of(Role::Heading, "Nobody's access changes."),
        (0, Some(_)) => Text::of(Role::Heading, "Effect on access"),
        (count, _) => Text::of(Role::Heading, "Effect on access")
            .with(Role::Muted, &format!("  {}", words::number(count))),
    }
}

fn line(region: &Region, role: Role, mark: &str) -> Text {
    let mut text = Text::of(role, mark).with(Role::Plain, &region.sign_ins);
    if region.kind != EffectKind::NewlyBlocked {
        text.push(Role::Muted, ": ");
        text.push(role, &region.outcome());
    }
    if !region.weaker_where.is_empty() {
        let where_ = names(&region.weaker_where, "applies", "apply");
        text.push(Role::Plain, &format!("; only weaker where {where_}"));
    }
    if !region.unless.is_empty() {
        let where_ = names(&region.unless, "applies", "apply");
        text.push(Role::Plain, &format!("; not where {where_}"));
    }
    if region.is_undecided {
        text.push(Role::Warning, "; perhaps nobody: too many combinations to decide");
    }
    let users = |count: u64| words::count(usize::try_from(count).unwrap_or(usize::MAX), "user");
    let users = match region.users {
        Reach::Exactly(count) => users(count),
        Reach::AtMost(count) => format!("up to {}", users(count)),
        Reach::Unknown => "unknown number of users".to_owned(),
        Reach::NoPeople => String::new(),
    };
    let policies: Vec<String> = region
        .policies
        .iter()
        .map(|policy| quoted(&policy.name))
        .collect();
    let mut more = vec![users, format!("by {}", words::first_few(&policies, NAMED))];
    more.retain(|part| !part.is_empty());
    text.push(Role::Muted, &format!("  {}", more.join(", ")));
    text
}

/// Who applies: `"CA001" applies`.
fn names(policies: &[String], one: &str, several: &str) -> String {
    let quoted: Vec<String> = policies.iter().map(|name| quoted(name)).collect();
    let verb = if policies.len() == 1 { one } else { several };
    format!("{} {verb}", words::first_few(&quoted, UNLESS))
}
