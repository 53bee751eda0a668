//! What a change does to real sign-ins, for people.

use std::collections::HashMap;
use std::path::PathBuf;

use super::page::{Page, Role, Text};
use super::words::{count, number};
use crate::access::{Change, Estate};
use crate::ops::impact::{Agreement, Bad, Counts, Impact, Tally, UNDECIDED, place_of};

/// How many apps, countries and clients are shown.
const TOP: usize = 10;
/// How many reasons of disagreement are shown to people.
const REASONS: usize = 20;

/// What a replay came to, with the files that were read.
pub struct ImpactView<'v> {
    /// The policies.
    pub impact: &'v Impact,
    /// What was counted.
    pub tally: &'v Tally,
    /// The logs, in their order.
    pub logs: &'v [PathBuf],
}

/// The kinds of outcome as people and programs are told, each with the places that it sums up.
pub(super) fn outcomes() -> [(&'static str, &'static str, Vec<usize>); 6] {
    let of = |changes: &[Change]| changes.iter().map(|change| place_of(*change)).collect();
    [
        ("newly_blocked", "newly blocked", of(&[Change::NewlyBlocked])),
        ("newly_prompted", "newly prompted", of(&[Change::NewlyPrompted])),
        (
            "released",
            "released",
            of(&[Change::NoLongerBlocked, Change::LessAsked]),
        ),
        (
            "session_only",
            "only the session changes",
            of(&[Change::SessionOnly]),
        ),
        ("unchanged", "unchanged", of(&[Change::Unchanged])),
        ("undecided", "can't be decided", vec![UNDECIDED]),
    ]
}

pub(super) fn sum(counts: &Counts, places: &[usize]) -> u64 {
    places.iter().filter_map(|place| counts.get(*place)).sum()
}

/// Whether something becomes of them.
fn touched(counts: &Counts) -> u64 {
    outcomes()
        .iter()
        .filter(|(word, _, _)| !["unchanged", "undecided"].contains(word))
        .map(|(_, _, places)| sum(counts, places))
        .sum()
}

/// The names with the most sign-ins that something becomes of.
pub(super) fn top(all: &HashMap<String, Counts>) -> Vec<(&str, &Counts)> {
    let mut named: Vec<(&str, &Counts)> = all.iter().map(|(name, counts)| (name.as_str(), counts)).collect();
    named.sort_by(|(one, counts), (other, more)| {
        (touched(more), more.iter().sum::<u64>(), *one).cmp(&(touched(counts), counts.iter().sum(), *other))
    });
    named.truncate(TOP);
    named
}

fn whole(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// A share in percent, never rounded up to all.
fn percent(part: u64, all: u64) -> String {
    let tenths = u128::from(part) * 1000 / u128::from(all.max(1));
    format!("{}.{} %", tenths / 10, tenths % 10)
}

pub(super) fn policy_name(estate: &Estate, place: usize) -> (&str, &str) {
    estate.policies().get(place).map_or(("", ""), |policy| {
        let name = if policy.name.is_empty() {
            &policy.key
        } else {
            &policy.name
        };
        (policy.key.as_str(), name.as_str())
    })
}

fn place_words(bad: &Bad, logs: &[PathBuf]) -> String {
    let file = logs.get(bad.file).map_or_else(
        || "the tenant's log".to_owned(),
        |path| path.display().to_string(),
    );
    if bad.is_line {
        format!("{file}:{}", bad.number)
    } else {
        format!("{file}, record {}", bad.number)
    }
}

/// The report for people.
pub fn impact_text(view: &ImpactView<'_>) -> Page {
    let tally = view.tally;
    let mut page = Page::default();
    if tally.sign_ins == 0 {
        page.line(0, "No sign-ins.");
        return page;
    }
    page.line(0, Text::of(Role::Heading, &title(tally)));
    page.blank();
    let rows = outcomes().map(|(word, label, places)| {
        let sign_ins = sum(&tally.counts, &places);
        let role = match word {
            _ if sign_ins == 0 => Role::Muted,
            "newly_blocked" => Role::Removed,
            "newly_prompted" | "undecided" => Role::Changed,
            _ => Role::Plain,
        };
        let text = if sign_ins == 0 {
            "none".to_owned()
        } else {
            format!(
                "{} of {}",
                count(whole(sign_ins), "sign-in"),
                people(tally.people_with(&places))
            )
        };
        (Text::plain(label), Text::of(role, &text))
    });
    page.rows(2, 30, rows.into());
    if !tally.missing.is_empty() {
        page.blank();
        page.line(0, Text::of(Role::Heading, "What can't be decided, for want of"));
        let mut rows: Vec<_> = tally.missing.iter().collect();
        rows.sort_by(|one, other| (other.1, one.0).cmp(&(one.1, other.0)));
        let rows = rows.into_iter().map(|(condition, sign_ins)| {
            (
                Text::plain(condition.name()),
                Text::plain(&count(whole(*sign_ins), "sign-in")),
            )
        });
        page.rows(2, 30, rows.collect());
    }
    for (heading, all) in [
        ("Apps", &tally.apps),
        ("Countries", &tally.countries),
        ("Clients", &tally.clients),
    ] {
        tops(&mut page, heading, all);
    }
    fidelity_text(&mut page, view);
    bad_text(&mut page, view);
    page
}

fn people(count: usize) -> String {
    if count == 1 {
        "1 person or app".to_owned()
    } else {
        format!("{} people or apps", number(count))
    }
}

fn title(tally: &Tally) -> String {
    let day = |when: &str| when.chars().take(10).collect::<String>();
    let who = people(tally.people.len());
    let sign_ins = count(whole(tally.sign_ins), "sign-in");
    if tally.first.is_empty() {
        format!("{sign_ins} of {who}")
    } else {
        format!(
            "{sign_ins} of {who}, {} to {}",
            day(&tally.first),
            day(&tally.last)
        )
    }
}

fn tops(page: &mut Page, heading: &str, all: &HashMap<String, Counts>) {
    let touched: Vec<_> = top(all)
        .into_iter()
        .filter(|(_, counts)| touched(counts) > 0)
        .collect();
    if touched.is_empty() {
        return;
    }
    page.blank();
    page.line(0, Text::of(Role::Heading, heading));
    let rows = touched.into_iter().map(|(name, counts)| {
        let parts: Vec<String> = outcomes()
            .iter()
            .filter(|(word, _, _)| *word != "unchanged")
            .filter_map(|(_, label, places)| {
                let sign_ins = sum(counts, places);
                (sign_ins > 0).then(|| format!("{} {label}", number(whole(sign_ins))))
            })
            .collect();
        (Text::plain(name), Text::plain(&parts.join(", ")))
    });
    page.rows(2, 40, rows.collect());
}

pub(super) fn all_agreement(tally: &Tally) -> Agreement {
    let mut whole = Agreement::default();
    for agreement in tally.agreement.values() {
        whole.agreed += agreement.agreed;
        whole.disagreed += agreement.disagreed;
        whole.undecided += agreement.undecided;
    }
    whole
}

fn fidelity_text(page: &mut Page, view: &ImpactView<'_>) {
    let tally = view.tally;
    if tally.told == 0 {
        return;
    }
    let whole_agreement = all_agreement(tally);
    let decided = whole_agreement.agreed + whole_agreement.disagreed;
    page.blank();
    page.line(
        0,
        Text::of(Role::Heading, "Beside what the service recorded of each policy"),
    );
    let mut rows = Vec::new();
    let mut say = |label: &str, text: String| rows.push((Text::plain(label), Text::plain(&text)));
    if decided > 0 {
        let share = percent(whole_agreement.agreed, decided);
        let same = number(whole(whole_agreement.agreed));
        let results = count(whole(decided), "result");
        say("capol says the same", format!("{same} of {results} ({share})"));
    }
    if whole_agreement.undecided > 0 {
        let results = count(whole(whole_agreement.undecided), "result");
        say("can't be decided", results);
    }
    if !tally.strangers.is_empty() {
        let results = count(whole(tally.strangers.values().sum()), "result");
        let policies = count(tally.strangers.len(), "policy");
        say(
            "not among the policies before",
            format!("{results} of {policies}"),
        );
    }
    if tally.unreadable_lists > 0 {
        say("can't be read", count(whole(tally.unreadable_lists), "list"));
    }
    page.rows(2, 30, rows);
    let estate = &view.impact.before.estate;
    let mut reasons: Vec<_> = tally.disagreements.iter().collect();
    reasons.sort_by(|one, other| (other.1, one.0).cmp(&(one.1, other.0)));
    let more = reasons.len().saturating_sub(REASONS);
    for ((place, recorded, why), times) in reasons.into_iter().take(REASONS) {
        let (_, name) = policy_name(estate, *place);
        page.line(
            2,
            format!(
                "{name}: the log says {}, capol {why}: {}",
                recorded.word(),
                count(whole(*times), "time")
            ),
        );
    }
    if more > 0 {
        page.line(2, format!("{} more", count(more, "reason")));
    }
}

fn bad_text(page: &mut Page, view: &ImpactView<'_>) {
    let tally = view.tally;
    let all: u64 = tally.bad.values().sum();
    if all == 0 {
        return;
    }
    page.blank();
    let heading = format!("{} not counted", count(whole(all), "record"));
    page.line(0, Text::of(Role::Warning, &heading));
    for (kind, times) in &tally.bad {
        page.line(2, format!("{}: {}", kind.sentence(), number(whole(*times))));
    }
    for bad in &tally.examples {
        let place = place_words(bad, view.logs);
        page.line(2, Text::of(Role::Muted, &format!("{place}: {}", bad.why)));
    }
    let more = all.saturating_sub(tally.examples.len() as u64);
    if more > 0 {
        page.line(2, Text::of(Role::Muted, &format!("{} more", number(whole(more)))));
    }
}
