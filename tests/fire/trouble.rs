//! The faults by name, as the documents that `capol sandbox serve --faults` reads.

use capol::sandbox::Faults;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trouble {
    Latency,
    Throttled,
    ThrottledTold,
    Busy,
    BusyTold,
    Status500Before,
    Status500After,
    Gateway502Before,
    Gateway502After,
    Status503Before,
    Status503After,
    Gateway504Before,
    Gateway504After,
    ResetBefore,
    ResetAfter,
    CutBody,
    Late,
    TooLate,
    CommitLater,
    NotFound,
    Unreadable,
    Unlisted,
    Unusable,
    Unwritable,
    Flapping,
    ListsBehind,
    ReadsBehind,
    TokensExpired,
    TokensRevoked,
    Bucket,
}

pub(crate) const ALL: [Trouble; 30] = [
    Trouble::Latency,
    Trouble::Throttled,
    Trouble::ThrottledTold,
    Trouble::Busy,
    Trouble::BusyTold,
    Trouble::Status500Before,
    Trouble::Status500After,
    Trouble::Gateway502Before,
    Trouble::Gateway502After,
    Trouble::Status503Before,
    Trouble::Status503After,
    Trouble::Gateway504Before,
    Trouble::Gateway504After,
    Trouble::ResetBefore,
    Trouble::ResetAfter,
    Trouble::CutBody,
    Trouble::Late,
    Trouble::TooLate,
    Trouble::CommitLater,
    Trouble::NotFound,
    Trouble::Unreadable,
    Trouble::Unlisted,
    Trouble::Unusable,
    Trouble::Unwritable,
    Trouble::Flapping,
    Trouble::ListsBehind,
    Trouble::ReadsBehind,
    Trouble::TokensExpired,
    Trouble::TokensRevoked,
    Trouble::Bucket,
];

impl Trouble {
    /// Whether it befalls the whole tenant, and no request of its own.
    pub(crate) fn is_of_the_tenant(self) -> bool {
        self.effect().is_none()
    }

    /// What happens to the request that a rule catches; none for a fault of the whole tenant.
    fn effect(self) -> Option<Value> {
        let fail = |status: u16, commit: bool| json!({"fail": {"status": status, "commit": commit}});
        let gateway = |status: u16, commit: bool| json!({"gateway": {"status": status, "commit": commit}});
        Some(match self {
            Self::Throttled => json!({"throttle": {"retryAfter": null}}),
            Self::ThrottledTold => json!({"throttle": {"retryAfter": 5}}),
            Self::Busy => json!({"busy": {"retryAfter": null}}),
            Self::BusyTold => json!({"busy": {"retryAfter": 5}}),
            Self::Status500Before => fail(500, false),
            Self::Status500After => fail(500, true),
            Self::Gateway502Before => gateway(502, false),
            Self::Gateway502After => gateway(502, true),
            Self::Status503Before => fail(503, false),
            Self::Status503After => fail(503, true),
            Self::Gateway504Before => gateway(504, false),
            Self::Gateway504After => gateway(504, true),
            Self::ResetBefore => json!({"drop": {"commit": false}}),
            Self::ResetAfter => json!({"drop": {"commit": true}}),
            Self::CutBody => json!({"cutBody": {"after": 10}}),
            Self::Late => json!({"late": {"by": 20, "commit": true}}),
            Self::TooLate => json!({"late": {"by": 200, "commit": true}}),
            Self::CommitLater => json!({"commitLater": {"after": 40}}),
            Self::NotFound => fail(404, false),
            Self::TokensExpired => json!({"endTokens": "expired"}),
            Self::TokensRevoked => json!({"endTokens": "revoked"}),
            _ => return None,
        })
    }

    /// Whether answers to reads may be old ones while it lasts.
    pub(crate) fn makes_old_answers(self) -> bool {
        matches!(
            self,
            Self::CommitLater
                | Self::Unreadable
                | Self::Unlisted
                | Self::Flapping
                | Self::ListsBehind
                | Self::ReadsBehind
                | Self::NotFound
        )
    }

    fn whole(self, document: &mut Value) {
        let visibility = |document: &mut Value, member: &str, seconds: u32| {
            document["visibility"][member] = json!(seconds);
        };
        match self {
            Self::Latency => document["latency"] = json!({"seconds": 0.15, "jitter": 0.3}),
            Self::Bucket => document["limit"] = json!({"perSecond": 1, "burst": 3}),
            Self::Unreadable => visibility(document, "unreadable", 20),
            Self::Unlisted => visibility(document, "unlisted", 20),
            Self::Unusable => visibility(document, "unusable", 20),
            Self::Unwritable => visibility(document, "unwritable", 20),
            Self::Flapping => visibility(document, "flapping", 20),
            Self::ListsBehind => visibility(document, "listsBehind", 15),
            Self::ReadsBehind => visibility(document, "readsBehind", 15),
            _ => {}
        }
    }
}

/// A fault and the request that it meets: of those with this method and a path that contains this text, the n-th, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Meeting {
    pub(crate) trouble: Trouble,
    #[serde(default)]
    pub(crate) method: String,
    #[serde(default)]
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) nth: u32,
    /// How many from the n-th on; a fault that is repeated for longer than the client is patient.
    #[serde(default)]
    pub(crate) times: u32,
}

impl Meeting {
    /// A fault of the whole tenant.
    pub(crate) fn of_the_tenant(trouble: Trouble) -> Self {
        Self {
            trouble,
            method: String::new(),
            path: String::new(),
            nth: 0,
            times: 0,
        }
    }
}

/// The document of several faults.
pub(crate) fn document(meetings: &[Meeting]) -> Value {
    let mut document = json!({"seed": 7, "rules": []});
    let mut rules = Vec::new();
    for meeting in meetings {
        meeting.trouble.whole(&mut document);
        let Some(effect) = meeting.trouble.effect() else {
            continue;
        };
        for more in 0..meeting.times.max(1) {
            rules.push(json!({
                "method": meeting.method,
                "path": meeting.path,
                "when": {"only": meeting.nth + more},
                "effect": effect,
            }));
        }
    }
    document["rules"] = Value::Array(rules);
    document
}

pub(crate) fn faults(meetings: &[Meeting]) -> Faults {
    let document = document(meetings).to_string();
    Faults::parse(&document).unwrap_or_else(|error| panic!("{error:?}\n{document}"))
}
