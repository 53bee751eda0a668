//! Numbers: exact integers, and decimals of fifteen significant digits.

use std::cmp::Ordering;
use std::fmt;

/// A number as the language knows it.
///
/// Whole numbers are exact; the rest are decimals kept to fifteen significant digits, so that
/// `0.1 + 0.2` is `0.3`. A decimal that is whole is always held as an integer.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    /// A whole number.
    Integer(i64),
    /// Any other number; never infinite, never not-a-number.
    Decimal(f64),
}

/// The largest whole number up to which every whole `f64` is exact.
const EXACT: f64 = 9_007_199_254_740_992.0;

impl Number {
    /// The number of this `f64`, or nothing when it is infinite or not a number.
    pub fn from_f64(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let rounded: f64 = format!("{value:.14e}").parse().ok()?;
        if rounded.fract() == 0.0 && rounded.abs() <= EXACT {
            #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
            return Some(Self::Integer(rounded as i64));
        }
        Some(Self::Decimal(rounded))
    }

    /// The number that a text spells, as in `12`, `-3`, `0.5`, `1e3`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let plain = text
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
        if !plain || text.starts_with('+') {
            return None;
        }
        match text.parse::<i64>() {
            Ok(integer) => Some(Self::Integer(integer)),
            Err(_) => Self::from_f64(text.parse().ok()?),
        }
    }

    /// The number as an `f64`.
    #[expect(clippy::cast_precision_loss, reason = "callers ask for the approximation")]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Integer(integer) => integer as f64,
            Self::Decimal(decimal) => decimal,
        }
    }

    /// The whole number, or nothing for a decimal.
    pub fn as_integer(self) -> Option<i64> {
        match self {
            Self::Integer(integer) => Some(integer),
            Self::Decimal(_) => None,
        }
    }

    fn combine(
        self,
        other: Self,
        exact: impl Fn(i64, i64) -> Option<i64>,
        near: impl Fn(f64, f64) -> f64,
    ) -> Option<Self> {
        if let (Self::Integer(a), Self::Integer(b)) = (self, other) {
            return exact(a, b).map(Self::Integer);
        }
        Self::from_f64(near(self.as_f64(), other.as_f64()))
    }

    /// The sum, or nothing when it is too large.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.combine(other, i64::checked_add, |a, b| a + b)
    }

    /// The difference, or nothing when it is too large.
    pub fn minus(self, other: Self) -> Option<Self> {
        self.combine(other, i64::checked_sub, |a, b| a - b)
    }

    /// The product, or nothing when it is too large.
    pub fn times(self, other: Self) -> Option<Self> {
        self.combine(other, i64::checked_mul, |a, b| a * b)
    }

    /// The quotient (not rounded), or nothing when dividing by zero.
    pub fn divided_by(self, other: Self) -> Option<Self> {
        if let (Self::Integer(a), Self::Integer(b)) = (self, other)
            && a.checked_rem(b)? == 0
        {
            return a.checked_div(b).map(Self::Integer);
        }
        Self::from_f64(self.as_f64() / other.as_f64())
    }

    /// The remainder with the sign of the left side, or nothing when dividing by zero.
    pub fn remainder(self, other: Self) -> Option<Self> {
        self.combine(other, i64::checked_rem, |a, b| a % b)
    }

    /// The number with the other sign.
    pub fn negated(self) -> Option<Self> {
        Self::Integer(0).minus(self)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            _ => self.as_f64().total_cmp(&other.as_f64()),
        }
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => integer.fmt(f),
            Self::Decimal(decimal) => decimal.fmt(f),
        }
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::parse(text).unwrap()
    }

    #[test]
    fn arithmetic_is_what_a_person_expects_on_paper() {
        assert_eq!(number("0.1").plus(number("0.2")).unwrap().to_string(), "0.3");
        assert_eq!(number("7").divided_by(number("2")).unwrap().to_string(), "3.5");
        assert_eq!(number("6").divided_by(number("2")).unwrap(), Number::Integer(3));
        assert_eq!(number("-7").remainder(number("3")).unwrap(), Number::Integer(-1));
        assert_eq!(number("1.0"), Number::Integer(1));
        assert_eq!(number("1e3"), Number::Integer(1000));
    }

    #[test]
    fn what_has_no_answer_has_none() {
        assert!(number("1").divided_by(number("0")).is_none());
        assert!(number("1").remainder(number("0")).is_none());
        assert!(Number::Integer(i64::MAX).plus(number("1")).is_none());
        assert!(Number::Integer(i64::MIN).divided_by(number("-1")).is_none());
        for text in ["", "inf", "NaN", "1_000", "0x10", "+1", "1.2.3"] {
            assert!(Number::parse(text).is_none(), "{text}");
        }
    }
}
