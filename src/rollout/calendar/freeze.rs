//! Days on which nothing advances.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Disambiguation, TimeZone};

use super::error::CalendarError;
use super::window::minute;
use super::zone::zone;

/// `2026-12-18 to 2027-01-04 Europe/Copenhagen`, both days included; `2026-12-24`; `2026-12-18 15:00 to 2027-01-04 08:00`,
/// up to the second time.
#[derive(Debug, Clone)]
pub struct Freeze {
    text: String,
    from: Timestamp,
    until: Timestamp,
}

/// A day, and a time on it when one is written.
#[derive(Clone, Copy)]
struct End {
    date: Date,
    time: Option<Time>,
}

impl Freeze {
    /// Reads one freeze; without a time zone it is in this one.
    pub fn read(text: &str, home: &TimeZone) -> Result<Self, CalendarError> {
        let refused = |why: &str| CalendarError::Freeze {
            text: text.to_owned(),
            why: why.to_owned(),
        };
        let no_day = "it does not begin with a day such as `2026-12-18`";
        let mut words: Vec<&str> = text.split_whitespace().collect();
        if words.first().is_none_or(is_zone) {
            return Err(refused(no_day));
        }
        let zone = match words.pop_if(|word| is_zone(word)) {
            Some(name) => zone(name)?,
            None => home.clone(),
        };
        let mut halves = words.split(|word| word.eq_ignore_ascii_case("to"));
        let (first, last, rest) = (halves.next(), halves.next(), halves.next());
        if rest.is_some()
            || words
                .iter()
                .any(|word| is_zone(word) && !word.eq_ignore_ascii_case("to"))
        {
            return Err(refused("it is not a day, nor two days with `to` between them"));
        }
        let first = end(first.unwrap_or_default()).ok_or_else(|| refused(no_day))?;
        let last = match last {
            None if first.time.is_some() => {
                return Err(refused("it says when it begins, but not when it ends"));
            }
            None => first,
            Some(words) => {
                end(words).ok_or_else(|| refused("what follows `to` is not a day such as `2027-01-04`"))?
            }
        };
        let out_of_reach = || refused("it lies outside of the years that can be reckoned with");
        let begin = first.date.to_datetime(first.time.unwrap_or_default());
        let finish = if let Some(time) = last.time {
            last.date.to_datetime(time)
        } else {
            let day_after = last.date.tomorrow().map_err(|_| out_of_reach())?;
            day_after.to_datetime(Time::midnight())
        };
        // A time that the clock skips or repeats makes it longer, never shorter.
        let at = |time: DateTime, way: Disambiguation| {
            let found = zone.to_ambiguous_timestamp(time).disambiguate(way);
            found.map_err(|_| out_of_reach())
        };
        let from = at(begin, Disambiguation::Earlier)?;
        let until = at(finish, Disambiguation::Later)?;
        if until <= from {
            return Err(refused("it ends before it begins"));
        }
        Ok(Self {
            text: text.to_owned(),
            from,
            until,
        })
    }

    /// As written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The first moment after it.
    pub fn until(&self) -> Timestamp {
        self.until
    }

    /// Whether a moment is in it.
    pub fn holds(&self, moment: Timestamp) -> bool {
        self.from <= moment && moment < self.until
    }
}

/// Whether a word can only be a time zone.
fn is_zone(word: &&str) -> bool {
    !word.starts_with(|first: char| first.is_ascii_digit()) && !word.eq_ignore_ascii_case("to")
}

fn end(words: &[&str]) -> Option<End> {
    match words {
        [day] => Some(End {
            date: date(day)?,
            time: None,
        }),
        [day, time] => {
            let minutes = minute(time).filter(|minutes| *minutes < 24 * 60)?;
            let (hour, minute) = (i8::try_from(minutes / 60).ok()?, i8::try_from(minutes % 60).ok()?);
            Some(End {
                date: date(day)?,
                time: Some(Time::new(hour, minute, 0, 0).ok()?),
            })
        }
        _ => None,
    }
}

/// A day as `2026-12-18` and in no other way.
pub(super) fn date(text: &str) -> Option<Date> {
    let is_plain = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if is_plain { text.parse().ok() } else { None }
}
