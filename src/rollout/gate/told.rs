//! What another system answers when a gate asks it.

use serde::{Deserialize, Serialize};

/// The longest reason that is kept, in letters.
const LONGEST: usize = 500;

/// An answer of a webhook or a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "result")]
pub enum Told {
    /// Go on.
    Pass {
        /// Why; may be empty.
        reason: String,
    },
    /// Something is wrong.
    Fail {
        /// Why; may be empty.
        reason: String,
    },
    /// Wait.
    Hold {
        /// Why; may be empty.
        reason: String,
    },
    /// No answer that counts.
    Nothing {
        /// What came instead.
        why: String,
    },
}

#[derive(Deserialize)]
struct Body {
    result: String,
    #[serde(default)]
    reason: Option<String>,
}

impl Told {
    /// Reads `{"result": "pass" | "fail" | "hold", "reason": "…"}`; anything else is no answer.
    pub fn read(text: &[u8]) -> Self {
        let body: Body = match serde_json::from_slice(text) {
            Ok(body) => body,
            Err(error) => {
                return Self::Nothing {
                    why: format!("it is not JSON with a `result`: {error}"),
                };
            }
        };
        // What a stranger says is printed: no line breaks or control characters, and not without end.
        let reason: String = body
            .reason
            .unwrap_or_default()
            .chars()
            .map(|letter| if letter.is_control() { ' ' } else { letter })
            .take(LONGEST)
            .collect();
        let reason = reason.trim().to_owned();
        match body.result.as_str() {
            "pass" => Self::Pass { reason },
            "fail" => Self::Fail { reason },
            "hold" => Self::Hold { reason },
            other => Self::Nothing {
                why: format!("`result` is {other:?}, not `pass`, `fail` or `hold`"),
            },
        }
    }
}
