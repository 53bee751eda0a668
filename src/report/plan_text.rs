//! A plan as a person reads it: what it comes to, then every object by kind, then what it costs.
//!
//! Twenty changes are understood in thirty seconds: what starts or stops being enforced stands at
//! the top, every object has one line that says what happens to it, and below it only what differs.

mod change;
mod effect;
mod reach;
mod sections;

pub(super) use sections::held_line;

use crate::model::{Kind, Origin};
use crate::plan::{Plan, ResourceChange};

use super::page::{Page, Role, Text};
use super::value_text::Names;
use super::words;

/// A plan, and what its reader wants of it.
#[derive(Clone, Copy)]
pub struct PlanView<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What to call the tenant; its id when nobody knows better.
    pub tenant: Option<&'a str>,
    /// The whole command to type next, when there is one.
    pub next: Option<&'a str>,
    /// Whether nothing is cut short.
    pub full: bool,
    /// Whether only what it comes to is said.
    pub brief: bool,
    /// Where in the user's files something is, as `main.capol:12:3`.
    pub place: &'a dyn Fn(Origin) -> Option<String>,
    /// What else is to be said, before the end.
    pub findings: Option<&'a Page>,
}

/// How many members of a list are shown before the rest is only counted.
const FEW: usize = 6;

impl PlanView<'_> {
    fn few(&self) -> usize {
        if self.full { usize::MAX - 1 } else { FEW }
    }
}

/// The groups of a plan, in the order in which they are shown.
const GROUPS: [(&str, &[Kind]); 5] = [
    ("policy", &[Kind::Policy]),
    (
        "named location",
        &[
            Kind::IpLocation,
            Kind::CountryLocation,
            Kind::CompliantNetworkLocation,
        ],
    ),
    ("authentication strength", &[Kind::Strength]),
    ("authentication context", &[Kind::Context]),
    ("group", &[Kind::Group]),
];

/// The plan, laid out.
pub fn plan_text(view: &PlanView<'_>) -> Page {
    let names = Names::of_plan(view.plan);
    let mut page = Page::default();
    sections::opening(view, &mut page);
    if view.brief {
        sections::closing(view, &mut page);
        return page;
    }
    for (noun, kinds) in GROUPS {
        let mut changes: Vec<&ResourceChange> = view
            .plan
            .changes
            .iter()
            .filter(|change| kinds.contains(&change.kind) && change.is_change())
            .collect();
        if changes.is_empty() {
            continue;
        }
        changes.sort_by_cached_key(|change| (change::rank(change), change.name.to_lowercase()));
        page.blank();
        page.line(0, heading(noun, &changes));
        for change in changes {
            change::describe(view, &names, change, &mut page);
        }
    }
    sections::rollouts(view, &mut page);
    sections::held(view, &mut page);
    sections::outputs(view, &mut page);
    sections::drift(view, &names, &mut page);
    sections::notes(view, &mut page);
    effect::effect(view, &mut page);
    if let Some(findings) = view.findings.filter(|findings| !findings.is_empty()) {
        page.blank();
        page.append(findings.clone());
    }
    sections::closing(view, &mut page);
    page
}

fn heading(noun: &str, changes: &[&ResourceChange]) -> Text {
    Text::of(Role::Heading, &words::sentence(&words::plural(noun)))
        .with(Role::Muted, &format!("  {}", words::number(changes.len())))
}

#[cfg(test)]
pub(super) mod bench;
#[cfg(test)]
mod tests;
