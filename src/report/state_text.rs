//! State and its history, for people.
//!
//! Addresses and blocks keep their lines whatever the width, so that scripts can read them.

use std::fmt::Write as _;

use jiff::Timestamp;
use serde_json::Value;

use super::page::{Page, Role, Text};
use super::visible::visible;
use super::words;
use crate::model::state::{Changes, Document, Moved, OutputState, Removed};
use crate::ops::state::{
    Evidence, History, Holder, Left, Listed, LockInfo, Locked, Pushed, Repaired, Shown, WhyLeft,
};

/// One address a line.
pub fn list_text(listed: &[Listed]) -> String {
    listed.iter().map(|line| visible(&line.address) + "\n").collect()
}

/// Objects as blocks, each under a comment with what is not in the block.
pub fn shown_text(shown: &[Shown]) -> String {
    let blocks: Vec<String> = shown
        .iter()
        .map(|object| {
            let widest = object.facts.iter().map(|(label, _)| label.len()).max();
            let mut text = format!("# {}\n", visible(&object.address));
            for (label, fact) in &object.facts {
                let width = widest.unwrap_or_default();
                // Writing to a string cannot fail.
                let _ = writeln!(text, "#   {label:width$}  {}", visible(fact));
            }
            for line in object.text.lines() {
                text.push_str(&visible(line));
                text.push('\n');
            }
            text
        })
        .collect();
    blocks.join("\n")
}

/// A whole state: objects, then outputs.
pub fn state_text(document: Option<&Document>, shown: &[Shown]) -> String {
    let Some(document) = document else {
        return "There is no state yet.\n".to_owned();
    };
    if shown.is_empty() && document.outputs.is_empty() {
        return "The state holds nothing.\n".to_owned();
    }
    let mut text = shown_text(shown);
    if !document.outputs.is_empty() {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str("Outputs:\n\n");
        text.push_str(&outputs_text(document));
    }
    text
}

/// `name = value`, one an output; sensitive ones are withheld.
pub fn outputs_text(document: &Document) -> String {
    let lines = document.outputs.iter().map(|(name, output)| {
        let value = if output.sensitive {
            "(sensitive)".to_owned()
        } else {
            value_text(&output.value)
        };
        visible(name) + " = " + &value + "\n"
    });
    lines.collect()
}

/// One output that was asked for by name.
pub fn output_text(output: &OutputState) -> String {
    value_text(&output.value) + "\n"
}

fn value_text(value: &Value) -> String {
    let text = format!("{value:#}");
    let lines: Vec<String> = text.lines().map(visible).collect();
    lines.join("\n")
}

/// What a rename did or would do.
pub fn moved_page(moved: &Moved, dry_run: bool) -> Page {
    let verb = if dry_run { "Would move" } else { "Moved" };
    let mut page = Page::default();
    for (from, to, _) in &moved.moved {
        page.hanging(
            0,
            4,
            Text::plain(verb).with(Role::Plain, &format!(" {from} to {to}")),
        );
    }
    if !dry_run {
        page.blank();
        page.line(
            0,
            "Rename the blocks in the configuration too: to the next plan, a block under the old name is a new object.",
        );
    }
    page
}

/// What letting go did or would do.
pub fn removed_page(removed: &Removed, dry_run: bool) -> Page {
    let verb = if dry_run { "Would forget" } else { "Forgot" };
    let mut page = Page::default();
    for (address, id) in &removed.removed {
        page.hanging(0, 4, format!("{verb} {address} (id {id})"));
    }
    if !dry_run {
        page.blank();
        page.line(
            0,
            "The tenant is unchanged. Remove the blocks from the configuration too, or the next apply creates the \
             objects again; `capol import ADDRESS ID` takes one back.",
        );
    }
    page
}

/// What pushing did.
pub fn pushed_page(pushed: &Pushed, serial: u64) -> Page {
    let mut page = Page::default();
    if pushed.written {
        page.line(
            0,
            format!(
                "The state is replaced, now at serial {serial}: {}.",
                changes_text(&pushed.changes)
            ),
        );
    } else {
        page.line(0, format!("The state says the same already, at serial {serial}."));
    }
    page
}

/// Who has the lock, after asking for it.
pub fn locked_page(locked: &Locked) -> Page {
    let mut page = Page::default();
    if locked.taken {
        page.line(
            0,
            format!(
                "The state is locked. To unlock it: capol state unlock {}",
                locked.holder.id
            ),
        );
    } else {
        page.line(0, holder_text(&locked.holder));
    }
    page
}

/// Who has a lock.
pub fn holder_text(holder: &Holder) -> String {
    match &holder.info {
        Some(info) => format!(
            "{} on {} has the state locked for `{}` since {} ({}; id {})",
            info.who,
            info.host,
            info.operation,
            second(info.since),
            match (holder.running, info.held) {
                (true, _) => "it runs",
                (false, true) => "until it is unlocked",
                (false, false) => "it is not known to run",
            },
            holder.id
        ),
        None => format!(
            "the state is locked, and the lock does not say by whom (id {})",
            holder.id
        ),
    }
}

/// Whose lock was taken over.
pub fn taken_over_text(dead: &LockInfo, now: jiff::Timestamp) -> String {
    format!(
        "`{}` by {} (process {} on {}, begun {}) ended without giving its lock back; the lock is taken over.",
        dead.operation,
        dead.who,
        dead.pid,
        dead.host,
        dead.age(now)
    )
}

/// What was unlocked.
pub fn unlocked_page(info: Option<&LockInfo>) -> Page {
    let mut page = Page::default();
    page.line(
        0,
        match info {
            Some(info) => format!(
                "The lock that {} on {} had for `{}` since {} is removed.",
                info.who,
                info.host,
                info.operation,
                second(info.since)
            ),
            None => "The lock is removed.".to_owned(),
        },
    );
    page
}

/// The earlier states, then the applies that can be taken back.
pub fn history_page(history: &History) -> Page {
    let mut page = Page::default();
    if history.versions.is_empty() {
        page.line(0, "No earlier state is kept.");
    }
    let digits = history
        .versions
        .iter()
        .map(|version| version.serial.to_string().len())
        .max();
    let rows = history.versions.iter().map(|version| {
        let serial = format!("{:>1$}", version.serial, digits.unwrap_or_default());
        let told = format!(
            "{}  {} by {}: {}",
            second(version.at),
            match version.operation.as_str() {
                "found" => "found, not written by capol,",
                operation => operation,
            },
            version.who,
            changes_text(&version.changes)
        );
        (Text::plain(&serial), Text::from(told))
    });
    page.rows(0, 20, rows.collect());
    if !history.applies.is_empty() {
        page.blank();
        page.line(
            0,
            Text::of(Role::Heading, "Applies that `capol undo` can take back"),
        );
        let rows = history.applies.iter().map(|past| {
            let addresses: Vec<&str> = past.addresses.iter().map(String::as_str).collect();
            let told = format!(
                "{}  {} by {}: {}",
                second(past.begin.at),
                past.begin.command,
                past.begin.who,
                words::first_few(&addresses, 3)
            );
            (Text::plain(&past.begin.apply), Text::from(told))
        });
        page.rows(2, 40, rows.collect());
    }
    page
}

/// What a repair would do.
pub fn repair_page(repair: &Repaired, place: &str) -> Page {
    let mut page = Page::default();
    if let Some(fault) = &repair.fault {
        page.line(0, format!("The state `{place}` cannot be used: {fault}."));
    }
    if let (Some(serial), Some(at)) = (repair.restored_serial, repair.restored_at) {
        let kept = format!("The newest kept version, serial {serial} of {}", second(at));
        page.line(0, format!("{kept}, takes the place of the state."));
    }
    if let Some(later) = repair.later_serial {
        page.line(
            0,
            format!(
                "Later versions, up to serial {later}, cannot be read: what applies wrote since is taken from their \
                 journals, anything else is not known. With `--from-tenant` it is looked for in the tenant."
            ),
        );
    }
    let rows = repair.bound.iter().map(|bound| {
        let told = format!(
            "{}, {}",
            object_text(&bound.id, &bound.name),
            evidence(bound.evidence)
        );
        (Text::plain(&bound.address), Text::from(told))
    });
    section(&mut page, "What the state then holds", rows.collect());
    let rows = repair.left_out.iter().flat_map(|left| {
        let told = why_left(left, repair.damaged_journal);
        let first = (Text::plain(&left.address), Text::from(told));
        let candidates = left.candidates.iter().filter(|_| left.why != WhyLeft::NoBlock);
        let candidates = candidates.map(|candidate| {
            let object = object_text(&candidate.id, &candidate.name);
            (Text::default(), Text::from(format!("may be {object}")))
        });
        std::iter::once(first).chain(candidates)
    });
    section(&mut page, "What is left out", rows.collect());
    if !repair.left_out.is_empty() {
        page.blank();
        page.line(
            0,
            "A plan would create what is left out and has a block. To adopt an object instead: `capol import ADDRESS ID`",
        );
    }
    if repair.damaged_journal {
        let lines = words::count(repair.damaged_lines.len(), "line");
        page.blank();
        page.line(
            0,
            format!(
                "The journal of an interrupted apply is damaged, and is set aside: {lines} cannot be read."
            ),
        );
        for unknown in &repair.unknown {
            let operation = format!("{:?}", unknown.operation).to_lowercase();
            page.line(2, format!("not known: {operation} of {}", unknown.address));
        }
        if !repair.unknown.is_empty() {
            page.line(
                0,
                "What such a request made is in the tenant: `capol import ADDRESS ID` adopts it.",
            );
        }
    }
    if repair.has_changes {
        page.blank();
    }
    if !repair.has_changes && repair.left_out.is_empty() {
        page.line(0, "There is nothing to repair.");
    }
    page
}

fn section(page: &mut Page, heading: &str, rows: Vec<(Text, Text)>) {
    if rows.is_empty() {
        return;
    }
    page.blank();
    page.line(0, Text::of(Role::Heading, heading));
    page.rows(2, 40, rows);
}

fn object_text(id: &str, name: &str) -> String {
    if name.is_empty() {
        id.to_owned()
    } else {
        format!("`{name}` ({id})")
    }
}

fn evidence(evidence: Evidence) -> &'static str {
    match evidence {
        Evidence::History => "known from the history",
        Evidence::Journal => "known from a journal",
        Evidence::Configuration => "named by an `import` block",
        Evidence::Name => "the only one of this name",
    }
}

fn why_left(left: &Left, damaged_journal: bool) -> String {
    let name = &left.name;
    match left.why {
        WhyLeft::Ambiguous => format!("it is not certain which object is `{name}`"),
        WhyLeft::UnknownCreate if damaged_journal => {
            format!("nobody knows what became of the create of `{name}`")
        }
        WhyLeft::UnknownCreate => {
            format!("a create of `{name}` was interrupted: `capol apply` finds out what became of it")
        }
        WhyLeft::Gone => "the object whose id is known is not in the tenant".to_owned(),
        WhyLeft::NotFound => format!("nothing in the tenant is called `{name}`"),
        WhyLeft::NoBlock => {
            let ids = left
                .candidates
                .iter()
                .map(|object| object_text(&object.id, &object.name));
            let ids: Vec<String> = ids.collect();
            format!("{} has no block any more, and stays as it is", ids.join(", "))
        }
    }
}

/// What a repair did.
pub fn repaired_page(repair: &Repaired) -> Page {
    let mut page = Page::default();
    if let (true, Some(serial)) = (repair.written, repair.serial) {
        page.line(0, format!("The state is written, at serial {serial}."));
    }
    if let Some(kept) = &repair.state_kept {
        page.line(0, format!("The damaged file is kept, as `{}`.", kept.display()));
    }
    if let Some(kept) = &repair.journal_kept {
        page.line(
            0,
            format!("The damaged journal is set aside, as `{}`.", kept.display()),
        );
    }
    if repair.written {
        page.line(0, "What the tenant holds otherwise shows in `capol plan`.");
    }
    if repair.unfinished_apply {
        page.line(0, "An apply was interrupted. To take it up: capol apply");
    }
    page
}

/// `2 added, 1 moved`.
fn changes_text(changes: &Changes) -> String {
    let counted = [
        (changes.added.len(), "added"),
        (changes.changed.len(), "changed"),
        (changes.moved.len(), "moved"),
        (changes.removed.len(), "removed"),
    ];
    let mut parts: Vec<String> = counted
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", words::number(count)))
        .collect();
    parts.extend(changes.sections.iter().cloned());
    if parts.is_empty() {
        "nothing changed".to_owned()
    } else {
        parts.join(", ")
    }
}

/// A moment, to the second.
fn second(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}
