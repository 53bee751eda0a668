//! The saved plan: its text, and whether what it was made from still stands.

use std::collections::BTreeMap;
use std::fmt;

use miette::Diagnostic;
use serde_json::Value as Json;

use crate::model::live::LiveTenant;
use crate::model::state::{self, Document};

use super::{FORMAT_VERSION, Plan, Seen};

/// Why a saved plan can't be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Diagnostic)]
pub enum SavedPlanError {
    /// Not a plan at all.
    #[error("this is not a saved plan: {reason}")]
    #[diagnostic(code("plan::unreadable_plan"), help("make it anew: `capol plan --out FILE`"))]
    Unreadable {
        /// Why.
        reason: String,
    },
    /// A plan of another version of capol.
    #[error("this plan has the form {found}, and this version of capol reads {FORMAT_VERSION}")]
    #[diagnostic(
        code("plan::other_format"),
        help("apply it with the version of capol that made it, or make it anew: `capol plan --out FILE`")
    )]
    OtherFormat {
        /// The form it has.
        found: String,
    },
}

/// One thing that is no longer as the plan saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StaleReason {
    /// The run is signed in to another tenant.
    OtherTenant {
        /// The tenant of the plan.
        planned: String,
        /// The tenant signed in to.
        found: String,
    },
    /// The state is of another history.
    OtherState,
    /// State was written since.
    StateMoved {
        /// The serial that the plan starts from.
        planned: u64,
        /// The serial now.
        found: u64,
    },
    /// The configuration was edited since.
    ConfigurationChanged,
    /// A live object was changed since.
    Changed(Moved),
    /// A live object was deleted since.
    Gone(Moved),
    /// A live object was made since.
    Appeared(Moved),
}

/// A live object that is not as the plan saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// What kind of thing.
    pub noun: String,
    /// What people call it.
    pub name: String,
    /// Its id.
    pub id: String,
}

impl StaleReason {
    /// The id of the live object that moved; none when it is something else.
    pub fn object(&self) -> Option<&str> {
        match self {
            Self::Changed(moved) | Self::Gone(moved) | Self::Appeared(moved) => Some(&moved.id),
            _ => None,
        }
    }
}

impl fmt::Display for StaleReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherTenant { planned, found } => {
                write!(
                    f,
                    "the plan is for tenant {planned}, and the run is signed in to {found}"
                )
            }
            Self::OtherState => f.write_str("the state is not the one that the plan starts from"),
            Self::StateMoved { planned, found } => write!(
                f,
                "the state was written since: the plan starts from serial {planned}, it is at {found}"
            ),
            Self::ConfigurationChanged => f.write_str("the configuration was edited since"),
            Self::Changed(moved) => write!(f, "the {} `{}` was changed since", moved.noun, moved.name),
            Self::Gone(moved) => write!(f, "the {} `{}` was deleted since", moved.noun, moved.name),
            Self::Appeared(moved) => write!(f, "the {} `{}` was made since", moved.noun, moved.name),
        }
    }
}

impl Plan {
    /// The text of the saved plan.
    pub fn to_json(&self) -> Result<String, SavedPlanError> {
        let mut text = serde_json::to_string_pretty(self).map_err(|error| SavedPlanError::Unreadable {
            reason: error.to_string(),
        })?;
        text.push('\n');
        Ok(text)
    }

    /// Reads a saved plan.
    ///
    /// Errors when it is of another form than this version writes; nothing is read in part.
    pub fn from_json(text: &str) -> Result<Self, SavedPlanError> {
        let not_a_plan = |reason: String| SavedPlanError::Unreadable { reason };
        let unreadable = |error: serde_json::Error| not_a_plan(state::json_reason(&error));
        let json: Json = serde_json::from_str(text).map_err(|error| {
            not_a_plan(if error.is_eof() {
                "it ends in the middle".into()
            } else {
                format!(
                    "it is not JSON, at line {} column {}",
                    error.line(),
                    error.column()
                )
            })
        })?;
        if json.get("terraform_version").is_some() {
            return Err(not_a_plan("it is Terraform's".into()));
        }
        match json.get("format_version").and_then(Json::as_str) {
            Some(FORMAT_VERSION) => serde_json::from_value(json).map_err(unreadable),
            Some(found) => Err(SavedPlanError::OtherFormat { found: found.into() }),
            None => Err(SavedPlanError::Unreadable {
                reason: "it has no `format_version`".into(),
            }),
        }
    }
}

/// Everything that is no longer as the plan saw it; nothing when it may be applied.
pub fn stale(
    plan: &Plan,
    state: Option<&Document>,
    live: &LiveTenant,
    configuration_digest: Option<&str>,
) -> Vec<StaleReason> {
    let mut reasons = Vec::new();
    if !plan.tenant_id.eq_ignore_ascii_case(&live.tenant_id) {
        reasons.push(StaleReason::OtherTenant {
            planned: plan.tenant_id.clone(),
            found: live.tenant_id.clone(),
        });
        return reasons;
    }
    let serial = state.map_or(0, |state| state.serial);
    if plan.lineage != state.map(|state| state.lineage) {
        reasons.push(StaleReason::OtherState);
    } else if plan.serial != serial {
        reasons.push(StaleReason::StateMoved {
            planned: plan.serial,
            found: serial,
        });
    }
    if configuration_digest.is_some_and(|digest| digest != plan.configuration_digest) {
        reasons.push(StaleReason::ConfigurationChanged);
    }
    let now = seen(live);
    let moved = |id: &String, seen: &Seen| Moved {
        noun: seen.noun.clone(),
        name: seen.name.clone(),
        id: id.clone(),
    };
    for (id, then) in &plan.live {
        match now.get(id) {
            None => reasons.push(StaleReason::Gone(moved(id, then))),
            Some(now) if now.digest != then.digest => reasons.push(StaleReason::Changed(moved(id, now))),
            Some(_) => {}
        }
    }
    for (id, now) in &now {
        if !plan.live.contains_key(id) {
            reasons.push(StaleReason::Appeared(moved(id, now)));
        }
    }
    reasons
}

/// Every live object with its digest, by id.
pub(super) fn seen(live: &LiveTenant) -> BTreeMap<String, Seen> {
    live.objects
        .iter()
        .map(|object| {
            let seen = Seen {
                noun: object.kind.noun().to_owned(),
                name: object.name().to_owned(),
                digest: object.digest.clone(),
            };
            (object.id.clone(), seen)
        })
        .collect()
}
