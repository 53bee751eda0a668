//! What the service itself says of each policy.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// What became of one policy, as the log has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Recorded {
    /// In force, and it matched: `success` or `failure`.
    Applied,
    /// In force, and it did not match.
    NotApplied,
    /// Disabled.
    NotEnabled,
    /// Report-only, and it matched.
    ReportOnlyApplied,
    /// Report-only, and it did not match.
    ReportOnlyNotApplied,
    /// The log does not tell.
    Unknown,
}

impl Recorded {
    fn of(word: &str) -> Self {
        match word {
            "success" | "failure" => Self::Applied,
            "notApplied" => Self::NotApplied,
            "notEnabled" => Self::NotEnabled,
            "reportOnlySuccess" | "reportOnlyFailure" | "reportOnlyInterrupted" => Self::ReportOnlyApplied,
            "reportOnlyNotApplied" => Self::ReportOnlyNotApplied,
            _ => Self::Unknown,
        }
    }

    /// What it is in words.
    pub fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::NotApplied => "not applied",
            Self::NotEnabled => "not enabled",
            Self::ReportOnlyApplied => "applied (report-only)",
            Self::ReportOnlyNotApplied => "not applied (report-only)",
            Self::Unknown => "unknown",
        }
    }
}

/// One policy of the list.
#[derive(Debug, Clone)]
pub struct Applied<'a> {
    /// Its id.
    pub id: Cow<'a, str>,
    /// What became of it.
    pub recorded: Recorded,
    /// The log's own word for that.
    pub result: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default, alias = "Id")]
    id: Cow<'a, str>,
    #[serde(borrow, default, alias = "Result")]
    result: Cow<'a, str>,
}

/// Hands on each policy of a line's list, which may be a text with JSON in it; false when it can't be read.
pub fn applied(raw: &RawValue, mut each: impl FnMut(Applied<'_>)) -> bool {
    let text = raw.get();
    let unwrapped: Cow<'_, str> = if text.starts_with('"') {
        match serde_json::from_str::<String>(text) {
            Ok(text) => Cow::Owned(text),
            Err(_) => return false,
        }
    } else {
        Cow::Borrowed(text)
    };
    if unwrapped.trim().is_empty() {
        return true;
    }
    let Ok(entries) = serde_json::from_str::<Vec<Entry<'_>>>(&unwrapped) else {
        return false;
    };
    for entry in entries {
        each(Applied {
            recorded: Recorded::of(&entry.result),
            id: entry.id,
            result: entry.result,
        });
    }
    true
}
