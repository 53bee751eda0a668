//! What a plan leaves alone for now: objects that cannot be judged yet, those that moved, and what needs them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::model::Address;

use super::{Plan, ResourceChange, StepId, Verdict};

/// An object that the plan leaves alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its address.
    pub address: Address,
    /// What people call it; its address when nobody knows.
    pub name: String,
    /// Why.
    pub why: Why,
}

/// Why an object is left alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "because")]
pub enum Why {
    /// The answer to a request was lost, and the service may still hide what it did.
    Unknown {
        /// What the request does: `create`.
        verb: String,
        /// When it left.
        since: Timestamp,
        /// When it may be decided.
        until: Timestamp,
    },
    /// It was made a moment ago and is not to be seen yet.
    NotVisible {
        /// When it was made.
        since: Timestamp,
        /// From when on not to be seen means gone.
        until: Timestamp,
    },
    /// Somebody changed it since the plan was made.
    Changed,
    /// It needs another one that is left alone.
    Needs {
        /// That one.
        address: Address,
    },
}

impl Why {
    /// The reason in words, for after the name of the object.
    pub fn sentence(&self) -> String {
        match self {
            Self::Unknown { verb, since, until } => format!(
                "nobody knows yet whether the {verb} of {since} was carried out: the service may hide it until {until} (`visibility_lag`)",
                since = second(*since),
                until = second(*until),
            ),
            Self::NotVisible { since, until } => format!(
                "it was made at {since} and is not to be seen: the service may hide it until {until} (`visibility_lag`)",
                since = second(*since),
                until = second(*until),
            ),
            Self::Changed => "somebody changed it since the plan was made".to_owned(),
            Self::Needs { address } => format!("it needs `{address}`"),
        }
    }
}

/// A time to the second: nobody waits for less.
fn second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Plan {
    /// Leaves these objects alone, and everything that needs one of them.
    ///
    /// What was left alone before stays so. Outputs wait until everything is done.
    pub fn hold(&mut self, reasons: &BTreeMap<Address, Why>) {
        if reasons.is_empty() {
            return;
        }
        let reason = |change: &ResourceChange| {
            reasons
                .get(&change.address)
                .or_else(|| reasons.get(change.previous_address.as_ref()?))
                .cloned()
        };
        let mut out: BTreeMap<Address, Why> = BTreeMap::new();
        for change in &self.changes {
            if let Some(why) = reason(change) {
                out.insert(change.address.clone(), why);
            }
        }
        let mut dropped: BTreeSet<StepId> = BTreeSet::new();
        // Steps stand after what they need, but one object's steps may stand far apart.
        loop {
            let before = (out.len(), dropped.len());
            for step in &self.steps {
                let needed = step.after.iter().find(|id| dropped.contains(id));
                if let (Some(needed), false) = (needed, out.contains_key(&step.address))
                    && let Some(needed) = self.step(*needed)
                {
                    let address = needed.address.clone();
                    out.insert(step.address.clone(), Why::Needs { address });
                }
                if out.contains_key(&step.address) {
                    dropped.insert(step.id);
                }
            }
            if before == (out.len(), dropped.len()) {
                break;
            }
        }
        // The journal knows an object that moves by the address that it had.
        let planned: BTreeSet<&Address> = self.changes.iter().map(|change| &change.address).collect();
        for (address, why) in reasons {
            if !planned.contains(address) {
                out.insert(address.clone(), why.clone());
            }
        }
        let name = |address: &Address| {
            let change = self.changes.iter().find(|change| change.address == *address);
            change
                .map(|change| change.name.clone())
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| address.to_string())
        };
        let held = out.iter().map(|(address, why)| Held {
            address: address.clone(),
            name: name(address),
            why: why.clone(),
        });
        self.held = held.collect();
        let writes = |plan: &Self| -> u32 { plan.steps.iter().map(|step| step.act.requests()).sum() };
        let writes_before = writes(self);
        self.steps.retain(|step| !dropped.contains(&step.id));
        self.changes.retain(|change| !out.contains_key(&change.address));
        let fewer = writes_before - writes(self);
        self.cost.writes -= fewer;
        self.cost.requests = self.cost.requests.saturating_sub(fewer);
        self.cost.seconds = self.cost.seconds.saturating_sub(u64::from(fewer));
        self.outputs.clear();
        self.verdict = Verdict {
            held: self.held.len(),
            rollouts: self.verdict.rollouts,
            ..Verdict::of(&self.changes, &self.outputs)
        };
    }
}
