//! Lengths of time in the unit they were written in.

use std::cmp::Ordering;
use std::fmt;

pub use crate::syntax::DurationUnit;

/// The unit of this letter.
fn unit_of(letter: &str) -> Option<DurationUnit> {
    DurationUnit::ALL.into_iter().find(|unit| unit.letter() == letter)
}

/// A length of time, such as `8h`; may be negative after a subtraction.
///
/// `==` tells spellings apart (`1d` is not `24h`); [`Duration::cmp_length`] compares lengths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Duration {
    /// How many of the unit.
    pub amount: i64,
    /// The unit as written.
    pub unit: DurationUnit,
}

impl Duration {
    /// The duration that a text spells: digits and one unit letter, as in `30m`.
    pub fn parse(text: &str) -> Option<Self> {
        let (last, _) = text.char_indices().next_back()?;
        let (digits, letter) = text.split_at_checked(last)?;
        let plain = digits.strip_prefix('-').unwrap_or(digits);
        if plain.is_empty() || !plain.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self {
            amount: digits.parse().ok()?,
            unit: unit_of(letter)?,
        })
    }

    /// The length in seconds; saturates at the largest number there is.
    pub fn seconds(self) -> i64 {
        self.amount.saturating_mul(self.unit.seconds())
    }

    /// Compares lengths, whatever the units.
    pub fn cmp_length(self, other: Self) -> Ordering {
        self.seconds().cmp(&other.seconds())
    }

    /// The sum in the smaller unit of the two, or nothing when it is too large.
    pub fn plus(self, other: Self) -> Option<Self> {
        let unit = if self.unit.seconds() <= other.unit.seconds() {
            self.unit
        } else {
            other.unit
        };
        let amount = |duration: Self| {
            duration
                .amount
                .checked_mul(duration.unit.seconds() / unit.seconds())
        };
        Some(Self {
            amount: amount(self)?.checked_add(amount(other)?)?,
            unit,
        })
    }

    /// The same length backwards, or nothing when it is too large.
    pub fn negated(self) -> Option<Self> {
        Some(Self {
            amount: self.amount.checked_neg()?,
            unit: self.unit,
        })
    }

    /// So many times the length, or nothing when it is too large.
    pub fn times(self, factor: i64) -> Option<Self> {
        Some(Self {
            amount: self.amount.checked_mul(factor)?,
            unit: self.unit,
        })
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.amount, self.unit.letter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_keeps_the_unit_it_was_written_in() {
        for text in ["30m", "8h", "14d", "90s", "2w", "-4h"] {
            assert_eq!(Duration::parse(text).unwrap().to_string(), text);
        }
        assert_ne!(Duration::parse("1d"), Duration::parse("24h"));
    }

    #[test]
    fn a_sum_is_told_in_the_smaller_unit() {
        let plus = |a, b| {
            Duration::parse(a)
                .unwrap()
                .plus(Duration::parse(b).unwrap())
                .unwrap()
                .to_string()
        };
        assert_eq!(plus("1h", "30m"), "90m");
        assert_eq!(plus("1d", "2d"), "3d");
        assert_eq!(plus("2w", "1d"), "15d");
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in ["", "h", "4", "4x", "4.5h", "1h30m", "h4", "--4h", "4é"] {
            assert!(Duration::parse(text).is_none(), "{text}");
        }
    }
}
