//! Trouble as people write it down: a small JSON document, unknown words refused.

use std::time::Duration;

use serde::Deserialize;
use serde::Deserializer;
use serde::de::Error;
use serde_json::Value;

use super::Bucket;
use super::Edit;
use super::Effect;
use super::Faults;
use super::RetryAfter;
use super::Rule;
use super::TokenEnd;
use super::Visibility;
use super::When;
use crate::sandbox::SandboxError;

/// The whole document; times are in seconds.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[derive(Default)]
struct Document {
    seed: u64,
    latency: Option<LatencyForm>,
    limit: Option<LimitForm>,
    visibility: VisibilityForm,
    rules: Vec<RuleForm>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LatencyForm {
    seconds: Seconds,
    #[serde(default)]
    jitter: Seconds,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LimitForm {
    per_second: f64,
    #[serde(default = "one")]
    burst: u32,
    retry_after: Option<RetryAfterForm>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct VisibilityForm {
    unreadable: Seconds,
    unlisted: Seconds,
    unusable: Seconds,
    unwritable: Seconds,
    flapping: Seconds,
    lists_behind: Seconds,
    reads_behind: Seconds,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RuleForm {
    method: Option<String>,
    path: Option<String>,
    #[serde(default)]
    sign_in: bool,
    #[serde(default)]
    when: WhenForm,
    effect: EffectForm,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum WhenForm {
    #[default]
    Always,
    Every(u32),
    First(u32),
    Only(u32),
    After(u32),
    Percent(u8),
    During {
        from: Seconds,
        until: Seconds,
    },
}

#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
enum EffectForm {
    Throttle {
        retry_after: Option<RetryAfterForm>,
    },
    Busy {
        retry_after: Option<RetryAfterForm>,
    },
    Fail {
        status: u16,
        commit: bool,
    },
    Gateway {
        status: u16,
        commit: bool,
    },
    Drop {
        commit: bool,
    },
    CutBody {
        after: usize,
        #[serde(default)]
        chunked: bool,
    },
    Late {
        by: Seconds,
        commit: bool,
    },
    CommitLater {
        after: Seconds,
    },
    EndTokens(TokenEnd),
    EditBefore(EditForm),
    EditAfter(EditForm),
}

#[derive(Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
enum EditForm {
    Twin,
    Request {
        method: String,
        url: String,
        body: Option<Value>,
    },
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RetryAfterForm {
    Seconds(u32),
    Text(String),
}

#[derive(Clone, Copy, Default)]
struct Seconds(Duration);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        Duration::try_from_secs_f64(number)
            .map(Self)
            .map_err(D::Error::custom)
    }
}

const fn one() -> u32 {
    1
}

impl Faults {
    /// Reads trouble from a JSON document; the book's page on the sandbox describes it.
    ///
    /// # Errors
    /// The text is not JSON, or a word, a status or a rate in it means nothing.
    pub fn parse(text: &str) -> Result<Self, SandboxError> {
        serde_json::from_str::<Document>(text)
            .and_then(Document::faults)
            .map_err(SandboxError::Faults)
    }
}

impl Document {
    fn faults(self) -> Result<Faults, serde_json::Error> {
        let visibility = self.visibility;
        let mut faults = Faults::none().seed(self.seed).visibility(Visibility {
            unreadable: visibility.unreadable.0,
            unlisted: visibility.unlisted.0,
            unusable: visibility.unusable.0,
            unwritable: visibility.unwritable.0,
            flapping: visibility.flapping.0,
            lists_behind: visibility.lists_behind.0,
            reads_behind: visibility.reads_behind.0,
        });
        if let Some(latency) = self.latency {
            faults = faults.latency(latency.seconds.0, latency.jitter.0);
        }
        if let Some(limit) = self.limit {
            let interval = Duration::try_from_secs_f64(1.0 / limit.per_second)
                .map_err(|_| serde_json::Error::custom("`perSecond` must be more than 0"))?;
            let retry_after = limit.retry_after.map(RetryAfter::from);
            faults = faults.limit(Bucket::new(interval, limit.burst.max(1), retry_after));
        }
        for form in self.rules {
            let mut rule = Rule::new(form.when.into(), form.effect.effect()?);
            if let Some(method) = form.method {
                rule = rule.method(&method);
            }
            if let Some(path) = form.path {
                rule = rule.path(&path);
            }
            faults = faults.with(if form.sign_in { rule.sign_in() } else { rule });
        }
        Ok(faults)
    }
}

impl From<WhenForm> for When {
    fn from(form: WhenForm) -> Self {
        match form {
            WhenForm::Always => Self::Always,
            WhenForm::Every(count) => Self::Every(count),
            WhenForm::First(count) => Self::First(count),
            WhenForm::Only(position) => Self::Only(position),
            WhenForm::After(count) => Self::After(count),
            WhenForm::Percent(share) => Self::Percent(share),
            WhenForm::During { from, until } => Self::During {
                from: from.0,
                until: until.0,
            },
        }
    }
}

impl From<RetryAfterForm> for RetryAfter {
    fn from(form: RetryAfterForm) -> Self {
        match form {
            RetryAfterForm::Seconds(seconds) => Self::Seconds(seconds),
            RetryAfterForm::Text(text) => Self::Text(text),
        }
    }
}

impl From<EditForm> for Edit {
    fn from(form: EditForm) -> Self {
        match form {
            EditForm::Twin => Self::Twin,
            EditForm::Request { method, url, body } => Self::Request { method, url, body },
        }
    }
}

impl EffectForm {
    fn effect(self) -> Result<Effect, serde_json::Error> {
        let retry_after = |form: Option<RetryAfterForm>| form.map(RetryAfter::from);
        Ok(match self {
            Self::Throttle { retry_after: told } => Effect::Throttle {
                retry_after: retry_after(told),
            },
            Self::Busy { retry_after: told } => Effect::Busy {
                retry_after: retry_after(told),
            },
            Self::Fail { status, commit } => Effect::Fail {
                status: error_status(status)?,
                commit,
            },
            Self::Gateway { status, commit } => Effect::Gateway {
                status: error_status(status)?,
                commit,
            },
            Self::Drop { commit } => Effect::Drop { commit },
            Self::CutBody { after, chunked } => Effect::CutBody { after, chunked },
            Self::Late { by, commit } => Effect::Late { by: by.0, commit },
            Self::CommitLater { after } => Effect::CommitLater { after: after.0 },
            Self::EndTokens(end) => Effect::EndTokens(end),
            Self::EditBefore(edit) => Effect::EditBefore(edit.into()),
            Self::EditAfter(edit) => Effect::EditAfter(edit.into()),
        })
    }
}

fn error_status(status: u16) -> Result<u16, serde_json::Error> {
    if (400..600).contains(&status) {
        Ok(status)
    } else {
        Err(serde_json::Error::custom(format!(
            "{status} is not the status of an error (400 to 599)"
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_words_and_senseless_numbers_are_refused() {
        let rows = [
            (r#"{"rule": []}"#, "rule"),
            (r#"{"latency": {"second": 1}}"#, "second"),
            (r#"{"limit": {"perSecond": 0}}"#, "perSecond"),
            (r#"{"limit": {"perSecond": -1}}"#, "perSecond"),
            (r#"{"visibility": {"flaping": 2}}"#, "flaping"),
            (r#"{"visibility": {"flapping": -2}}"#, "negative"),
            (r#"{"rules": [{"effect": {"explode": {}}}]}"#, "explode"),
            (r#"{"rules": [{"effect": {"drop": {}}}]}"#, "commit"),
            (
                r#"{"rules": [{"effect": {"drop": {"commit": true, "x": 1}}}]}"#,
                "x",
            ),
            (
                r#"{"rules": [{"effect": {"fail": {"status": 200, "commit": true}}}]}"#,
                "200",
            ),
            (r#"{"rules": [{"when": {"often": 3}, "effect": "x"}]}"#, "often"),
            (
                r#"{"rules": [{"effect": {"editAfter": {"request": {"method": "GET"}}}}]}"#,
                "url",
            ),
        ];
        for (text, word) in rows {
            let Err(SandboxError::Faults(cause)) = Faults::parse(text) else {
                panic!("{text} was taken");
            };
            assert!(cause.to_string().contains(word), "{text}: {cause}");
        }
        assert!(Faults::parse("{}").is_ok());
    }
}
