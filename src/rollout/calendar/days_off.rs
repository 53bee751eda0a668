//! The days off of a business calendar: the all-day events of an iCalendar file (RFC 5545), which Outlook, Google and
//! public holiday services write.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::error::CalendarError;

/// The longest event that is taken for days off; a longer one is a mistake in the file.
const LONGEST: i32 = 366;

/// Days on which nothing advances.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DaysOff {
    days: BTreeMap<Date, String>,
    yearly: Vec<Yearly>,
}

/// An event that comes again each year.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Yearly {
    first: Date,
    length: i32,
    name: String,
    interval: i16,
    until: Option<Date>,
    count: Option<i16>,
}

/// An event while it is read.
#[derive(Default)]
struct Event {
    line: usize,
    name: String,
    begins: Option<Date>,
    ends: Option<Date>,
    lasts: Option<i32>,
    rule: Option<(usize, String)>,
    is_cancelled: bool,
}

impl DaysOff {
    /// Reads the text of an iCalendar file.
    ///
    /// Errors on events that are not of whole days and on rules other than `FREQ=YEARLY`: a day off that is passed over
    /// would be a day on which a wave advances.
    pub fn read(text: &str) -> Result<Self, CalendarError> {
        let mut days_off = Self::default();
        let lines = unfolded(text);
        if !lines
            .iter()
            .any(|(_, line)| line.eq_ignore_ascii_case("BEGIN:VCALENDAR"))
        {
            return Err(wrong(1, "it is no iCalendar file: `BEGIN:VCALENDAR` is missing"));
        }
        let mut inside: Vec<String> = Vec::new();
        let mut event = Event::default();
        for (number, line) in &lines {
            let Some((head, value)) = split(line) else {
                if line.trim().is_empty() {
                    continue;
                }
                return Err(wrong(*number, "it is neither a property nor the rest of one"));
            };
            let name = head.split(';').next().unwrap_or_default().to_ascii_uppercase();
            match name.as_str() {
                "BEGIN" => {
                    inside.push(value.to_ascii_uppercase());
                    if value.eq_ignore_ascii_case("VEVENT") {
                        event = Event {
                            line: *number,
                            ..Event::default()
                        };
                    }
                }
                "END" => {
                    let open = inside.pop();
                    if open.as_deref() != Some(value.to_ascii_uppercase().as_str()) {
                        return Err(wrong(*number, &format!("`END:{value}` ends nothing")));
                    }
                    if open.as_deref() == Some("VEVENT") {
                        days_off.add(std::mem::take(&mut event))?;
                    }
                }
                property if inside.last().is_some_and(|open| open == "VEVENT") => {
                    event.take(*number, property, value)?;
                }
                _ => {}
            }
        }
        match inside.last() {
            None => Ok(days_off),
            Some(open) => Err(wrong(
                lines.last().map_or(1, |(number, _)| *number),
                &format!("the file ends in the middle of a {open}"),
            )),
        }
    }

    /// The name of the day off that this day is; none when it is none.
    pub fn name(&self, date: Date) -> Option<&str> {
        self.days.get(&date).map(String::as_str).or_else(|| {
            let found = self.yearly.iter().find(|yearly| yearly.holds(date));
            found.map(|yearly| yearly.name.as_str())
        })
    }

    fn add(&mut self, event: Event) -> Result<(), CalendarError> {
        if event.is_cancelled {
            return Ok(());
        }
        let first = event
            .begins
            .ok_or_else(|| wrong(event.line, "the event does not say when it begins"))?;
        let length = match (event.ends, event.lasts) {
            (Some(end), _) => (end - first).get_days(),
            (None, Some(days)) => days,
            (None, None) => 1,
        };
        if !(1..=LONGEST).contains(&length) {
            return Err(wrong(event.line, "the event does not last from a day to a year"));
        }
        if let Some((line, rule)) = event.rule {
            let yearly = Yearly::read(first, length, event.name, &rule).map_err(|why| wrong(line, &why))?;
            self.yearly.push(yearly);
            return Ok(());
        }
        let mut day = first;
        for _ in 0..length {
            self.days.entry(day).or_insert_with(|| event.name.clone());
            day = day
                .tomorrow()
                .map_err(|_| wrong(event.line, "the event lasts too long"))?;
        }
        Ok(())
    }
}

impl Event {
    fn take(&mut self, line: usize, property: &str, value: &str) -> Result<(), CalendarError> {
        let whole_day = || {
            day(value).ok_or_else(|| {
                wrong(
                    line,
                    &format!(
                        "`{value}` is not a day such as `20261224`: only events of whole days are days off"
                    ),
                )
            })
        };
        match property {
            "SUMMARY" => self.name = unescaped(value),
            "DTSTART" => self.begins = Some(whole_day()?),
            "DTEND" => self.ends = Some(whole_day()?),
            "DURATION" => {
                let days =
                    duration(value).ok_or_else(|| wrong(line, "the event does not last whole days"))?;
                self.lasts = Some(days);
            }
            "RRULE" => self.rule = Some((line, value.to_owned())),
            "RDATE" | "EXDATE" | "RECURRENCE-ID" => {
                return Err(wrong(line, &format!("`{property}` is not understood")));
            }
            "STATUS" => self.is_cancelled = value.eq_ignore_ascii_case("CANCELLED"),
            _ => {}
        }
        Ok(())
    }
}

impl Yearly {
    fn read(first: Date, length: i32, name: String, rule: &str) -> Result<Self, String> {
        let mut yearly = Self {
            first,
            length,
            name,
            interval: 1,
            until: None,
            count: None,
        };
        let mut is_yearly = false;
        for part in rule.split(';').filter(|part| !part.is_empty()) {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let understood = match key.to_ascii_uppercase().as_str() {
                "FREQ" => {
                    is_yearly = value.eq_ignore_ascii_case("YEARLY");
                    is_yearly
                }
                "INTERVAL" => match value.parse() {
                    Ok(interval) if interval > 0 => {
                        yearly.interval = interval;
                        true
                    }
                    _ => false,
                },
                "COUNT" => {
                    yearly.count = value.parse().ok();
                    yearly.count.is_some()
                }
                "UNTIL" => {
                    yearly.until = value.get(..8).and_then(day);
                    yearly.until.is_some()
                }
                "BYMONTH" => value.parse() == Ok(first.month()),
                "BYMONTHDAY" => value.parse() == Ok(first.day()),
                "WKST" => true,
                _ => false,
            };
            if !understood {
                return Err(format!("the rule `{part}` is not understood"));
            }
        }
        if is_yearly {
            Ok(yearly)
        } else {
            Err("the rule does not say `FREQ=YEARLY`".to_owned())
        }
    }

    fn holds(&self, date: Date) -> bool {
        (0..self.length).any(|back| {
            let Ok(begin) = date.checked_sub(i64::from(back).days()) else {
                return false;
            };
            let years = begin.year() - self.first.year();
            begin.month() == self.first.month()
                && begin.day() == self.first.day()
                && years >= 0
                && years % self.interval == 0
                && self.until.is_none_or(|until| begin <= until)
                && self.count.is_none_or(|count| years / self.interval < count)
        })
    }
}

fn wrong(line: usize, why: &str) -> CalendarError {
    CalendarError::DaysOff {
        line,
        why: why.to_owned(),
    }
}

/// The lines with their numbers; one that begins with a blank goes on where the last one ended.
fn unfolded(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, last))) => last.push_str(rest),
            _ => lines.push((number, line.to_owned())),
        }
    }
    lines
}

/// Name with parameters, and value: at the first colon outside of quotes.
fn split(line: &str) -> Option<(&str, &str)> {
    let mut is_quoted = false;
    let colon = line.find(|letter| {
        is_quoted ^= letter == '"';
        letter == ':' && !is_quoted
    })?;
    let (head, value) = line.split_at_checked(colon)?;
    Some((head, value.strip_prefix(':')?.trim_end()))
}

/// `20261224`.
fn day(value: &str) -> Option<Date> {
    if value.len() != 8 || !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Date::new(
        value.get(..4)?.parse().ok()?,
        value.get(4..6)?.parse().ok()?,
        value.get(6..)?.parse().ok()?,
    )
    .ok()
}

/// `P1D`, `P2W`, in days.
fn duration(value: &str) -> Option<i32> {
    let value = value.strip_prefix('P')?;
    if let Some(weeks) = value.strip_suffix('W') {
        return weeks.parse::<i32>().ok()?.checked_mul(7);
    }
    value.strip_suffix('D')?.parse().ok()
}

fn unescaped(value: &str) -> String {
    let mut text = String::new();
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('n' | 'N') => text.push(' '),
                Some(other) => text.push(other),
                None => {}
            },
            letter => text.push(letter),
        }
    }
    text.trim().to_owned()
}
