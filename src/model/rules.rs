//! What the service refuses, and what it stores although it means little, as far as one object shows.
//!
//! V-numbers are those of `FACTS` 2, four-digit numbers those of Graph's errors. A policy that a real
//! tenant stored breaks no refused rule: where one does, the rule is wrong.

mod lints;
mod neighbours;
mod policy;

use crate::model::object::{Kind, Object};
use crate::model::properties::Shape;
use crate::model::reference::Reference;
use crate::model::value::{Control, Grant, Value};
use crate::model::wire;

/// Whether a rule is the service's or good practice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The service refuses the object.
    Refused,
    /// The service stores it; it is probably not what was meant.
    Lint,
}

/// A broken rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule: `rules::block_stands_alone`.
    pub code: &'static str,
    /// Refused or lint.
    pub severity: Severity,
    /// The wire paths to point at, the most telling first; empty for the object as a whole.
    pub paths: Vec<&'static str>,
    /// What is wrong, lower case, without a full stop.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// Every rule that the object breaks, in the order of the service's numbers.
///
/// References need not be resolved: only keywords and kinds of things count.
pub fn check(object: &Object) -> Vec<Violation> {
    let mut found = Found::default();
    neighbours::check_texts(object, &mut found);
    match object.kind {
        Kind::Policy => {
            policy::check(object, &mut found);
            lints::check(object, &mut found);
        }
        Kind::IpLocation | Kind::CountryLocation => neighbours::check_location(object, &mut found),
        Kind::Strength => neighbours::check_strength(object, &mut found),
        Kind::Context => neighbours::check_context(object, &mut found),
        Kind::CompliantNetworkLocation | Kind::Group => {}
    }
    found.violations
}

/// The broken rules for which the service refuses the object.
pub fn refused(object: &Object) -> impl Iterator<Item = Violation> {
    check(object)
        .into_iter()
        .filter(|violation| violation.severity == Severity::Refused)
}

#[derive(Default)]
struct Found {
    violations: Vec<Violation>,
}

impl Found {
    fn refused(
        &mut self,
        code: &'static str,
        paths: &[&'static str],
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Severity::Refused, code, paths, message.into(), help.into());
    }

    fn lint(
        &mut self,
        code: &'static str,
        paths: &[&'static str],
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Severity::Lint, code, paths, message.into(), help.into());
    }

    fn push(
        &mut self,
        severity: Severity,
        code: &'static str,
        paths: &[&'static str],
        message: String,
        help: String,
    ) {
        self.violations.push(Violation {
            code,
            severity,
            paths: paths.to_vec(),
            message,
            help,
        });
    }
}

/// The codes of the lints: of what is stored although it is probably not meant.
pub const LINTS: &[&str] = &[
    "rules::all_and_more",
    "rules::app_control_platforms",
    "rules::app_restrictions_apps",
    "rules::blocks_everybody",
    "rules::continuous_access_apps",
    "rules::every_time_everywhere",
    "rules::exchange_active_sync_apps",
    "rules::filter_beside_keyword",
    "rules::insider_risk_of_guests",
    "rules::long_filter",
    "rules::persistent_browser_apps",
    "rules::secondary_without_mfa",
    "rules::strict_enforcement",
    "rules::token_protection_platforms",
    "rules::two_kinds_of_guests",
];

const INCLUDE_USERS: &str = "conditions.users.includeUsers";
const INCLUDE_APPS: &str = "conditions.applications.includeApplications";
const EXCLUDE_APPS: &str = "conditions.applications.excludeApplications";
const APP_FILTER: &str = "conditions.applications.applicationFilter";
const ACTIONS: &str = "conditions.applications.includeUserActions";
const CONTEXTS: &str = "conditions.applications.includeAuthenticationContextClassReferences";
const USER_RISK: &str = "conditions.userRiskLevels";
const GRANT: &str = "grantControls";
const STATE: &str = "state";
const FREQUENCY: &str = "sessionControls.signInFrequency";
const PERSISTENT_BROWSER: &str = "sessionControls.persistentBrowser";
const CONTINUOUS_ACCESS: &str = "sessionControls.continuousAccessEvaluation";

/// Whether the property is set.
fn is_set(object: &Object, wire: &str) -> bool {
    object.get(wire).is_some_and(|value| match value {
        Value::References(references) => !references.is_empty(),
        Value::Symbols(symbols) | Value::Texts(symbols) => !symbols.is_empty(),
        _ => true,
    })
}

/// The wire paths below `prefix` that are set, in the order of the table.
fn set_below<'a>(object: &'a Object, prefix: &'a str) -> impl Iterator<Item = &'static str> + 'a {
    object
        .iter()
        .map(|(property, _)| property.wire)
        .filter(move |wire| wire.starts_with(prefix) && is_set(object, wire))
}

/// Whether `raw` says something at or below the path, so that nothing can be said against its absence.
fn in_raw(object: &Object, path: &str) -> bool {
    object
        .raw
        .as_ref()
        .is_some_and(|raw| wire::at(raw, path).is_some())
}

fn has_keyword(object: &Object, wire: &str, keyword: &str) -> bool {
    object
        .reference_set(wire)
        .any(|reference| matches!(reference, Reference::Keyword(word) if word == keyword))
}

fn has_symbol(object: &Object, wire: &str, symbol: &str) -> bool {
    match object.get(wire) {
        Some(Value::Symbols(symbols)) => symbols.contains(symbol),
        Some(Value::Symbol(found)) => found == symbol,
        _ => false,
    }
}

fn grant(object: &Object) -> Option<&Grant> {
    match object.get(GRANT) {
        Some(Value::Grant(grant)) => Some(grant),
        _ => None,
    }
}

fn has_control(grant: &Grant, wire: &str) -> bool {
    grant
        .controls
        .iter()
        .any(|control| matches!(control, Control::BuiltIn(found) if found == wire))
}

fn has_strength(grant: &Grant) -> bool {
    grant
        .controls
        .iter()
        .any(|control| matches!(control, Control::Strength(_)))
}

/// Whether the policy applies to users, groups, roles or guests.
pub fn has_user_audience(object: &Object) -> bool {
    let users = object
        .reference_set(INCLUDE_USERS)
        .any(|reference| *reference != Reference::keyword("None"));
    users
        || [
            "conditions.users.includeGroups",
            "conditions.users.includeRoles",
            "conditions.users.includeGuestsOrExternalUsers",
        ]
        .iter()
        .any(|wire| is_set(object, wire))
}

/// Whether the policy applies to service principals or agents.
pub fn has_workload_audience(object: &Object) -> bool {
    set_below(object, "conditions.clientApplications.")
        .next()
        .is_some()
        || set_below(object, "conditions.agents.").next().is_some()
}

/// The place in the language of a wire path, or the path itself.
fn place(kind: Kind, wire: &'static str) -> &'static str {
    crate::model::properties::by_wire(kind, wire)
        .and_then(|property| property.dsl.first().copied())
        .unwrap_or(wire)
}

/// How long a text of this shape may be.
fn longest(shape: Shape) -> Option<usize> {
    match shape {
        Shape::Text { max } => Some(max),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
