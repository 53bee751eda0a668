//! A rate with what it may be in truth.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How far the interval reaches to either side, in standard deviations: 95 % of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// So many of so many, and the interval of Wilson's score for 95 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Rate {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// The lower end, from 0 to 1.
    pub low: f64,
    /// The upper end, from 0 to 1.
    pub high: f64,
}

/// A part of a whole; 0 of nothing.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 sign-ins")]
pub(super) fn part(count: u64, of: u64) -> f64 {
    if of == 0 { 0.0 } else { count as f64 / of as f64 }
}

impl Rate {
    /// The rate; of nothing it may be anything.
    pub fn of(count: u64, of: u64) -> Self {
        let all = Self {
            count,
            of,
            low: 0.0,
            high: 1.0,
        };
        if of == 0 {
            return all;
        }
        #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 sign-ins")]
        let number = of as f64;
        let rate = part(count, of);
        let square = Z * Z;
        let centre = rate + square / (2.0 * number);
        let reach = Z * ((rate * (1.0 - rate) + square / (4.0 * number)) / number).sqrt();
        let scale = 1.0 + square / number;
        Self {
            // At the ends the formula is exact, its arithmetic is not.
            low: if count == 0 {
                0.0
            } else {
                ((centre - reach) / scale).max(0.0)
            },
            high: if count == of {
                1.0
            } else {
                ((centre + reach) / scale).min(1.0)
            },
            ..all
        }
    }

    /// The rate that was seen, from 0 to 1.
    pub fn seen(&self) -> f64 {
        part(self.count, self.of)
    }

    /// How many more at this rate it takes until the whole interval is within a limit; none when no number does.
    ///
    /// The interval holds what is within `Z` standard deviations of the limit: it is left behind once
    /// `(limit - rate)² ≥ Z² · limit · (1 - limit) / n`.
    pub fn more_for(&self, limit: f64) -> Option<u64> {
        let distance = limit - self.seen();
        if limit <= 0.0 || distance <= 0.0 {
            return None;
        }
        let needed = (Z * Z * limit * (1.0 - limit) / (distance * distance)).ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "positive, and as large as a number gets where it is larger"
        )]
        let needed = needed as u64;
        Some(needed.saturating_sub(self.of).max(1))
    }
}

/// `0.5%`, `12%`: as many digits as tell something.
pub(super) fn percent(part: f64) -> String {
    let percent = part * 100.0;
    let text = if percent < 1.0 {
        format!("{percent:.2}")
    } else if percent < 10.0 {
        format!("{percent:.1}")
    } else {
        format!("{percent:.0}")
    };
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    format!("{text}%")
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.of == 0 {
            return f.write_str("so the rate may be anything");
        }
        write!(
            f,
            "{} (95% interval {} to {})",
            percent(self.seen()),
            percent(self.low),
            percent(self.high)
        )
    }
}
