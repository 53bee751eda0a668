//! Days of the week and times of day in a place.

use jiff::Timestamp;
use jiff::civil::{DateTime, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, ToSpan as _};

use super::error::CalendarError;
use super::zone::zone;

/// How many minutes a day has on a clock.
const DAY: i16 = 24 * 60;

/// `Mon-Thu 08:00-15:00 Europe/Copenhagen`: days (every day without), times, a time zone.
#[derive(Debug, Clone)]
pub struct Window {
    text: String,
    days: Vec<Weekday>,
    /// Minutes of the day; a span that ends before it begins ends on the next day.
    times: Vec<(i16, i16)>,
    zone: TimeZone,
}

impl Window {
    /// Reads one window.
    pub fn read(text: &str) -> Result<Self, CalendarError> {
        let refused = |why: String| CalendarError::Window {
            text: text.to_owned(),
            why,
        };
        let words: Vec<&str> = text.split_whitespace().collect();
        let (days, times, name) = match words.as_slice() {
            [times, name] if times.starts_with(|first: char| first.is_ascii_digit()) => (None, *times, *name),
            [days, times, name] => (Some(*days), *times, *name),
            [_, times] if times.contains(':') => {
                return Err(refused("it does not end with a time zone".to_owned()));
            }
            _ => return Err(refused("it does not have days, times and a time zone".to_owned())),
        };
        let days = match days {
            None => Weekday::Monday.cycle_forward().take(7).collect(),
            Some(days) => list(days, weekdays).map_err(&refused)?.concat(),
        };
        Ok(Self {
            text: text.to_owned(),
            days,
            times: list(times, span).map_err(&refused)?,
            zone: zone(name)?,
        })
    }

    /// As written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Its time zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// Whether it is open at a moment: whether a clock there shows a time within it.
    pub fn holds(&self, moment: Timestamp) -> bool {
        let there = self.zone.to_datetime(moment);
        let minute = i16::from(there.hour()) * 60 + i16::from(there.minute());
        let today = self.days.contains(&there.weekday());
        let yesterday = self.days.contains(&there.weekday().previous());
        self.times.iter().any(|(begin, end)| {
            if begin < end {
                today && (*begin..*end).contains(&minute)
            } else {
                (today && minute >= *begin) || (yesterday && minute < *end)
            }
        })
    }

    /// The first moment after this one at which it opens.
    pub(super) fn opens_after(&self, moment: Timestamp) -> Option<Timestamp> {
        let week = SignedDuration::from_hours(8 * 24);
        let last = moment.checked_add(week).ok()?;
        // When the clock is put forward or back a window may open as well.
        let changes = self.zone.following(moment).map(|change| change.timestamp());
        let mut may_open: Vec<Timestamp> = changes.take_while(|change| *change <= last).collect();
        let today = self.zone.to_datetime(moment).date();
        for ahead in 0..9_i64 {
            let day = today.checked_add(ahead.days()).ok()?;
            for (begin, _) in &self.times {
                let (hour, minute) = (i8::try_from(begin / 60).ok()?, i8::try_from(begin % 60).ok()?);
                self.shown(day.at(hour, minute, 0, 0), &mut may_open);
            }
        }
        may_open
            .into_iter()
            .filter(|opens| *opens > moment && self.holds(*opens))
            .min()
    }

    /// The moments at which a clock there shows this: none, one or two.
    fn shown(&self, time: DateTime, moments: &mut Vec<Timestamp>) {
        let offsets = match self.zone.to_ambiguous_timestamp(time).offset() {
            AmbiguousOffset::Unambiguous { offset } => vec![offset],
            AmbiguousOffset::Fold { before, after } => vec![before, after],
            AmbiguousOffset::Gap { .. } => Vec::new(),
        };
        moments.extend(
            offsets
                .into_iter()
                .filter_map(|offset| offset.to_timestamp(time).ok()),
        );
    }
}

/// The items of a list with commas.
fn list<T>(text: &str, item: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
    text.split(',').map(item).collect()
}

/// `Mon`, `Monday`, `Mon-Thu`, `Sat-Mon`.
fn weekdays(text: &str) -> Result<Vec<Weekday>, String> {
    let Some((first, last)) = text.split_once('-') else {
        return Ok(vec![weekday(text)?]);
    };
    let (first, last) = (weekday(first)?, weekday(last)?);
    let mut all = Vec::new();
    for day in first.cycle_forward().take(7) {
        all.push(day);
        if day == last {
            break;
        }
    }
    Ok(all)
}

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Monday),
    ("tuesday", Weekday::Tuesday),
    ("wednesday", Weekday::Wednesday),
    ("thursday", Weekday::Thursday),
    ("friday", Weekday::Friday),
    ("saturday", Weekday::Saturday),
    ("sunday", Weekday::Sunday),
];

fn weekday(text: &str) -> Result<Weekday, String> {
    let word = text.to_ascii_lowercase();
    WEEKDAYS
        .iter()
        .find(|(name, _)| *name == word || name.get(..3) == Some(word.as_str()))
        .map(|(_, day)| *day)
        .ok_or_else(|| format!("`{text}` is not a day of the week"))
}

/// `08:00-15:00`, in minutes of the day.
fn span(text: &str) -> Result<(i16, i16), String> {
    let (begin, end) = text
        .split_once('-')
        .ok_or_else(|| format!("`{text}` is not a span of time such as `08:00-15:00`"))?;
    let minutes = |text: &str| minute(text).ok_or_else(|| format!("`{text}` is not a time of day"));
    let (begin, end) = (minutes(begin)?, minutes(end)?);
    if begin == DAY || begin == end {
        return Err(format!("`{text}` has no time in it"));
    }
    Ok((begin, end))
}

/// The minute of the day that `08:00` is; `24:00` is its end.
pub(super) fn minute(text: &str) -> Option<i16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str, digits: std::ops::RangeInclusive<usize>| {
        (digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| text.parse::<i16>().ok())
            .flatten()
    };
    let (hour, minute) = (number(hour, 1..=2)?, number(minute, 2..=2)?);
    let all = hour * 60 + minute;
    (minute < 60 && all <= DAY).then_some(all)
}
