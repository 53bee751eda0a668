//! What is wrong with a window, a freeze or a business calendar.

use miette::Diagnostic;
use thiserror::Error;

/// Why a calendar can't be read.
#[derive(Debug, Clone, PartialEq, Eq, Error, Diagnostic)]
pub enum CalendarError {
    /// A window that is not days, times and a zone.
    #[error("`{text}` is not a window: {why}")]
    #[diagnostic(
        code("rollout::window"),
        help("write days, times and a time zone, such as `Mon-Thu 08:00-15:00 Europe/Copenhagen`")
    )]
    Window {
        /// As written.
        text: String,
        /// What is wrong.
        why: String,
    },
    /// A freeze that is not a day or a span of days.
    #[error("`{text}` is not a freeze: {why}")]
    #[diagnostic(
        code("rollout::freeze"),
        help(
            "write the first and the last day, such as `2026-12-18 to 2027-01-04 Europe/Copenhagen`, or one day"
        )
    )]
    Freeze {
        /// As written.
        text: String,
        /// What is wrong.
        why: String,
    },
    /// A name that no time zone has.
    #[error("`{name}` is not a time zone")]
    #[diagnostic(code("rollout::time_zone"), help("{help}"))]
    Zone {
        /// As written.
        name: String,
        /// What to write.
        help: String,
    },
    /// An earliest moment that is neither a date nor a moment.
    #[error("`{text}` is neither a date nor a moment")]
    #[diagnostic(
        code("rollout::not_before"),
        help("write a date such as `2026-11-23`, or a moment such as `2026-11-23T08:00:00+01:00`")
    )]
    Moment {
        /// As written.
        text: String,
    },
    /// A business calendar with something in it that can't be taken for days off.
    #[error("line {line} of the business calendar: {why}")]
    #[diagnostic(
        code("rollout::days_off"),
        help("export the days off as an iCalendar file of all-day events, without rules but `FREQ=YEARLY`")
    )]
    DaysOff {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
}
