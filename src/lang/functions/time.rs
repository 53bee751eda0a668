//! Dates and times, as RFC 3339 text in UTC. "Now" is the same moment for a whole run.

use jiff::fmt::temporal::Pieces;
use jiff::{SignedDuration, Timestamp};

use super::{Arguments, Function, Outcome, Refusal, functions};
use crate::lang::value::{Duration, Value};

pub(super) const FUNCTIONS: &[Function] = functions! { "time":
    "formatdate" (2) "formatdate(format, time)" "The time in a format of `YYYY`, `MM`, `DD`, `hh`, `mm`, `ss`, `EEEE`, `ZZZZ` and quoted text." = formatdate;
    "now" (0) "now()" "The moment of this run." = |a| Ok(Value::text(written(a.world.now)));
    "plantimestamp" (0) "plantimestamp()" "The moment of this run." = |a| Ok(Value::text(written(a.world.now)));
    "timeadd" (2) "timeadd(time, duration)" "The time so much later, or earlier for a negative duration." = timeadd;
    "timecmp" (2) "timecmp(time, other)" "-1, 0 or 1 as the first time is before, equal to or after the other." = |a| Ok(Value::integer(match moment(a, 0)?.cmp(&moment(a, 1)?) {
        std::cmp::Ordering::Less => -1,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    }));
    "timestamp" (0) "timestamp()" "The moment of this run." = |a| Ok(Value::text(written(a.world.now)));
};

/// The moment in RFC 3339 to the second.
fn written(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn moment(arguments: &Arguments<'_>, index: usize) -> Result<Timestamp, Refusal> {
    let text = arguments.text(index)?;
    text.parse().map_err(|_| {
        Refusal::of(
            index,
            format!("`{text}` is not a moment in time"),
            "write it in RFC 3339: `2027-01-31T08:00:00Z`",
        )
    })
}

/// A duration literal, or a string such as `"4h"` and `"1h30m"`.
fn length(arguments: &Arguments<'_>, index: usize) -> Result<SignedDuration, Refusal> {
    let refused = || arguments.wrong(index, "a duration such as `4h` or `14d`");
    let seconds = match arguments.value(index) {
        Value::Duration(duration) => duration.seconds(),
        Value::String { text, .. } => {
            let (sign, text) = text
                .strip_prefix('-')
                .map_or((1, text.as_str()), |rest| (-1, rest));
            let mut total: i64 = 0;
            for part in text.split_inclusive(|c: char| c.is_ascii_alphabetic()) {
                let part = Duration::parse(part).ok_or_else(refused)?;
                total = total.checked_add(part.seconds()).ok_or_else(refused)?;
            }
            sign * total
        }
        _ => return Err(refused()),
    };
    Ok(SignedDuration::from_secs(seconds))
}

fn timeadd(arguments: &Arguments<'_>) -> Outcome {
    let sum = moment(arguments, 0)?.checked_add(length(arguments, 1)?);
    sum.map(|moment| Value::text(written(moment))).map_err(|_| {
        Refusal::of(
            1,
            "the time would be beyond the year 9999",
            "add a shorter duration",
        )
    })
}

fn formatdate(arguments: &Arguments<'_>) -> Outcome {
    let (format, text) = (arguments.text(0)?, arguments.text(1)?);
    let moment = moment(arguments, 1)?;
    let offset = Pieces::parse(&*text)
        .ok()
        .and_then(|pieces| pieces.to_numeric_offset())
        .unwrap_or(jiff::tz::Offset::UTC);
    let time = moment.to_zoned(offset.to_time_zone());
    let refused = |part: &str| {
        Refusal::of(
            0,
            format!("`{part}` is not a part of a date format"),
            "write `YYYY`, `MM`, `DD`, `hh`, `mm`, `ss`, `EEEE`, `AA`, `ZZZZ`, and other letters in single quotes",
        )
    };
    let mut out = String::new();
    let mut rest: &str = &format;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let (quoted, after) = quoted(rest).ok_or_else(|| refused(rest))?;
            out.push_str(&quoted);
            rest = after;
            continue;
        }
        let end = rest.find(|c| c != first).unwrap_or(rest.len());
        let Some((run, after)) = rest.split_at_checked(end) else {
            break;
        };
        rest = after;
        if !first.is_ascii_alphabetic() {
            out.push_str(run);
            continue;
        }
        let directive = match run {
            "YYYY" => "%Y",
            "YY" => "%y",
            "MMMM" => "%B",
            "MMM" => "%b",
            "MM" => "%m",
            "M" => "%-m",
            "DD" => "%d",
            "D" => "%-d",
            "EEEE" => "%A",
            "EEE" => "%a",
            "hh" => "%H",
            "h" => "%-H",
            "HH" => "%I",
            "H" => "%-I",
            "AA" => "%p",
            "aa" => "%P",
            "mm" => "%M",
            "m" => "%-M",
            "ss" => "%S",
            "s" => "%-S",
            "ZZZ" if offset == jiff::tz::Offset::UTC => "UTC",
            "Z" if offset == jiff::tz::Offset::UTC => "Z",
            "ZZZZZ" | "Z" => "%:z",
            "ZZZZ" | "ZZZ" => "%z",
            _ => return Err(refused(run)),
        };
        out.push_str(&time.strftime(directive).to_string());
    }
    Ok(Value::text(out))
}

/// The text of a leading `'…'`, where `''` is one quote, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut rest = text.strip_prefix('\'')?;
    loop {
        let (before, after) = rest.split_once('\'')?;
        out.push_str(before);
        match after.strip_prefix('\'') {
            Some(more) => {
                out.push('\'');
                rest = more;
            }
            None => return Some((out, after)),
        }
    }
}
