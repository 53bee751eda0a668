//! When a rollout may advance: windows, freezes, days off and an earliest moment.
//!
//! A window is open while a clock on the wall of its place shows a time within it. So an hour that the clock skips never
//! comes, one that it repeats comes twice, and nobody has to think of offsets. What is written without a time zone means
//! the zone of the first window, and UTC where there is no window. The zones are those that capol was built with, so that
//! every machine agrees.

mod days_off;
mod error;
mod freeze;
mod window;
mod zone;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

pub use days_off::DaysOff;
pub use error::CalendarError;
pub use freeze::Freeze;
pub use window::Window;

/// How far ahead the next moment is looked for.
const YEARS: i64 = 10;

/// When a rollout may advance.
#[derive(Debug, Clone)]
pub struct Calendar {
    windows: Vec<Window>,
    freezes: Vec<Freeze>,
    days_off: DaysOff,
    not_before: Option<Timestamp>,
    home: TimeZone,
}

/// What was written, as text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Written<'a> {
    /// The windows; always open without any.
    pub windows: &'a [&'a str],
    /// The freezes.
    pub freezes: &'a [&'a str],
    /// The text of a business calendar.
    pub days_off: Option<&'a str>,
    /// A date, or a moment in RFC 3339.
    pub not_before: Option<&'a str>,
}

/// One reason why nothing may advance now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closed {
    /// It is too early.
    NotBefore {
        /// The earliest moment.
        until: Timestamp,
    },
    /// A freeze.
    Freeze {
        /// As written.
        text: String,
        /// When it ends.
        until: Timestamp,
    },
    /// A day off of the business calendar.
    DayOff {
        /// Its name.
        name: String,
        /// The day.
        date: Date,
    },
    /// No window is open.
    Window {
        /// The windows, as written.
        texts: Vec<String>,
    },
}

/// Whether a rollout may advance now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Every reason why not; none when it may.
    pub closed: Vec<Closed>,
    /// The first moment at which it may: now, or later; none within ten years.
    pub next: Option<Timestamp>,
}

impl Opening {
    /// Whether it may advance now.
    pub fn is_open(&self) -> bool {
        self.closed.is_empty()
    }
}

impl Calendar {
    /// Reads what was written.
    pub fn read(written: &Written<'_>) -> Result<Self, CalendarError> {
        let windows: Vec<Window> = written
            .windows
            .iter()
            .map(|text| Window::read(text))
            .collect::<Result<_, _>>()?;
        let home = windows
            .first()
            .map_or(TimeZone::UTC, |window| window.zone().clone());
        let freezes = written
            .freezes
            .iter()
            .map(|text| Freeze::read(text, &home))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            freezes,
            days_off: written
                .days_off
                .map(DaysOff::read)
                .transpose()?
                .unwrap_or_default(),
            not_before: written.not_before.map(|text| moment(text, &home)).transpose()?,
            windows,
            home,
        })
    }

    /// Whether the rollout may advance at this moment, and when it may next.
    pub fn at(&self, now: Timestamp) -> Opening {
        Opening {
            closed: self.closed(now),
            next: self.next(now),
        }
    }

    /// A moment as it is shown to people: in the zone of the first window.
    pub fn show(&self, moment: Timestamp) -> String {
        let there = moment.to_zoned(self.home.clone());
        let zone = self.home.iana_name().unwrap_or("UTC");
        format!("{} {zone}", there.strftime("%a %Y-%m-%d %H:%M"))
    }

    /// A reason in words.
    pub fn sentence(&self, closed: &Closed) -> String {
        match closed {
            Closed::NotBefore { until } => format!("not before {}", self.show(*until)),
            Closed::Freeze { text, until } => {
                format!("frozen by `{text}` until {}", self.show(*until))
            }
            Closed::DayOff { name, date } if name.is_empty() => format!("{date} is a day off"),
            Closed::DayOff { name, date } => format!("{date} is a day off: {name}"),
            Closed::Window { texts } => {
                let texts: Vec<String> = texts.iter().map(|text| format!("`{text}`")).collect();
                format!("outside {}", texts.join(" and "))
            }
        }
    }

    fn closed(&self, now: Timestamp) -> Vec<Closed> {
        let mut closed = Vec::new();
        if let Some(until) = self.not_before.filter(|until| now < *until) {
            closed.push(Closed::NotBefore { until });
        }
        for freeze in self.freezes.iter().filter(|freeze| freeze.holds(now)) {
            closed.push(Closed::Freeze {
                text: freeze.text().to_owned(),
                until: freeze.until(),
            });
        }
        let date = now.to_zoned(self.home.clone()).date();
        if let Some(name) = self.days_off.name(date) {
            closed.push(Closed::DayOff {
                name: name.to_owned(),
                date,
            });
        }
        if !self.is_in_a_window(now) {
            closed.push(Closed::Window {
                texts: self
                    .windows
                    .iter()
                    .map(|window| window.text().to_owned())
                    .collect(),
            });
        }
        closed
    }

    fn is_in_a_window(&self, moment: Timestamp) -> bool {
        self.windows.is_empty() || self.windows.iter().any(|window| window.holds(moment))
    }

    /// The first moment from now on that nothing closes. Each step goes to the end of what closes the last one.
    fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let horizon = now
            .checked_add(SignedDuration::from_hours(YEARS * 366 * 24))
            .ok()?;
        let mut moment = now;
        while moment <= horizon {
            let reopens = match self.closed(moment).into_iter().next() {
                None => return Some(moment),
                Some(Closed::NotBefore { until } | Closed::Freeze { until, .. }) => until,
                Some(Closed::DayOff { date, .. }) => {
                    let tomorrow = date.tomorrow().ok()?;
                    self.home.to_zoned(tomorrow.at(0, 0, 0, 0)).ok()?.timestamp()
                }
                Some(Closed::Window { .. }) => self
                    .windows
                    .iter()
                    .filter_map(|window| window.opens_after(moment))
                    .min()?,
            };
            if reopens <= moment {
                return None;
            }
            moment = reopens;
        }
        None
    }
}

/// A date, which is the begin of that day, or a moment in RFC 3339.
fn moment(text: &str, home: &TimeZone) -> Result<Timestamp, CalendarError> {
    let refused = || CalendarError::Moment {
        text: text.to_owned(),
    };
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Ok(moment);
    }
    let date: Date = freeze::date(text).ok_or_else(refused)?;
    let begin = home.to_zoned(date.at(0, 0, 0, 0)).map_err(|_| refused())?;
    Ok(begin.timestamp())
}

#[cfg(test)]
mod tests;
