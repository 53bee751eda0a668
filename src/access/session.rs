//! How policies steer a session, and what comes out of several.

use serde_json::{Map, Value as Json, json};

use crate::model::value::{Interval, SignInFrequency};
use crate::model::{Object, Value};

/// Session controls, of one policy or merged from several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// How often to sign in again.
    pub sign_in_frequency: Option<SignInFrequency>,
    /// `always` or `never`.
    pub persistent_browser: Option<String>,
    /// A member of `cloudAppSecuritySessionControlType`.
    pub cloud_app_security: Option<String>,
    /// Whether applications restrict the session themselves.
    pub application_enforced_restrictions: bool,
    /// Whether tokens are bound to the device.
    pub secure_sign_in_session: bool,
    /// A member of `continuousAccessEvaluationMode`.
    pub continuous_access_evaluation: Option<String>,
    /// Whether sessions end in an outage.
    pub disable_resilience_defaults: bool,
    /// The security profile, by id.
    pub filtering_profile: Option<String>,
}

impl Session {
    pub(super) fn of(object: &Object) -> Self {
        let wire = |member: &str| format!("sessionControls.{member}");
        let text = |member: &str| object.text(&wire(member)).map(str::to_owned);
        let is = |member: &str| matches!(object.get(&wire(member)), Some(Value::Boolean(true)));
        Self {
            sign_in_frequency: match object.get(&wire("signInFrequency")) {
                Some(Value::SignInFrequency(frequency)) => Some(frequency.clone()),
                _ => None,
            },
            persistent_browser: text("persistentBrowser"),
            cloud_app_security: text("cloudAppSecurity"),
            application_enforced_restrictions: is("applicationEnforcedRestrictions"),
            secure_sign_in_session: is("secureSignInSession"),
            continuous_access_evaluation: text("continuousAccessEvaluation"),
            disable_resilience_defaults: is("disableResilienceDefaults"),
            filtering_profile: text("globalSecureAccessFilteringProfile"),
        }
    }

    /// Takes in what another policy says; the stricter of two that differ wins (`FACTS` 10.7).
    ///
    /// Of two filtering profiles, which Microsoft does not rank, the one with the smaller id is kept.
    pub(super) fn take_in(&mut self, other: &Self) {
        self.sign_in_frequency = match (self.sign_in_frequency.take(), &other.sign_in_frequency) {
            (Some(mine), Some(theirs)) if hours(theirs) < hours(&mine) => Some(theirs.clone()),
            (Some(mine), Some(theirs)) if hours(theirs) == hours(&mine) => Some(SignInFrequency {
                secondary_only: mine.secondary_only && theirs.secondary_only,
                ..mine
            }),
            (mine, theirs) => mine.or_else(|| theirs.clone()),
        };
        stricter(
            &mut self.persistent_browser,
            other.persistent_browser.as_ref(),
            &["always", "never"],
        );
        stricter(
            &mut self.cloud_app_security,
            other.cloud_app_security.as_ref(),
            &["monitorOnly", "mcasConfigured", "blockDownloads"],
        );
        stricter(
            &mut self.continuous_access_evaluation,
            other.continuous_access_evaluation.as_ref(),
            &["disabled", "strictEnforcement", "strictLocation"],
        );
        self.application_enforced_restrictions |= other.application_enforced_restrictions;
        self.secure_sign_in_session |= other.secure_sign_in_session;
        self.disable_resilience_defaults |= other.disable_resilience_defaults;
        self.filtering_profile = match (self.filtering_profile.take(), &other.filtering_profile) {
            (Some(mine), Some(theirs)) => Some(mine.min(theirs.clone())),
            (mine, theirs) => mine.or_else(|| theirs.clone()),
        };
    }

    /// The controls that it sets, in Graph's words.
    pub(super) fn members(&self) -> Vec<String> {
        match self.to_json() {
            Json::Object(members) => members.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    /// Whether it sets a control at least as strictly as another does.
    pub(super) fn is_as_strict(&self, other: &Self, member: &str) -> bool {
        let mut both = self.clone();
        both.take_in(other);
        let mine = self.to_json().get(member).cloned();
        mine.is_some() && mine.as_ref() == both.to_json().get(member)
    }

    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// As a record: Graph's words, one text or `true` each.
    pub fn to_json(&self) -> Json {
        let mut members = Map::new();
        let mut put = |member: &str, value: Option<Json>| {
            if let Some(value) = value {
                members.insert(member.to_owned(), value);
            }
        };
        let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
        let flag = |is: bool| is.then_some(Json::Bool(true));
        put(
            "signInFrequency",
            self.sign_in_frequency
                .as_ref()
                .map(|frequency| json!(interval(frequency.interval))),
        );
        put("persistentBrowser", text(&self.persistent_browser));
        put("cloudAppSecurity", text(&self.cloud_app_security));
        put(
            "applicationEnforcedRestrictions",
            flag(self.application_enforced_restrictions),
        );
        put("secureSignInSession", flag(self.secure_sign_in_session));
        put(
            "continuousAccessEvaluation",
            text(&self.continuous_access_evaluation),
        );
        put(
            "disableResilienceDefaults",
            flag(self.disable_resilience_defaults),
        );
        put(
            "globalSecureAccessFilteringProfile",
            text(&self.filtering_profile),
        );
        Json::Object(members)
    }
}

fn hours(frequency: &SignInFrequency) -> i64 {
    match frequency.interval {
        Interval::EveryTime => 0,
        Interval::Hours(hours) => hours,
        Interval::Days(days) => days.saturating_mul(24),
    }
}

fn interval(interval: Interval) -> String {
    match interval {
        Interval::EveryTime => "everyTime".to_owned(),
        Interval::Hours(hours) => format!("{hours}h"),
        Interval::Days(days) => format!("{days}d"),
    }
}

/// Keeps the stricter of two words, which `order` names from mild to strict; an unknown word is the strictest.
fn stricter(mine: &mut Option<String>, theirs: Option<&String>, order: &[&str]) {
    let rank = |word: &String| {
        order
            .iter()
            .position(|known| known.eq_ignore_ascii_case(word))
            .unwrap_or(order.len())
    };
    let takes = match (mine.as_ref(), theirs) {
        (Some(mine), Some(theirs)) => rank(theirs) > rank(mine),
        (None, Some(_)) => true,
        (_, None) => false,
    };
    if takes {
        *mine = theirs.cloned();
    }
}
