//! What goes wrong with a request.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::gate::Gate;
use crate::sandbox::tenant::Tenant;

/// What a `Retry-After` header says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// A number of seconds, as Graph sends it.
    Seconds(u32),
    /// A date so far from now, which HTTP allows too.
    Date(Duration),
    /// Anything: a proxy may send `soon`.
    Text(String),
}

impl RetryAfter {
    pub(in crate::sandbox) fn header(&self, now: Timestamp) -> String {
        match self {
            Self::Seconds(seconds) => seconds.to_string(),
            Self::Date(wait) => http_date(now.checked_add(*wait).unwrap_or(Timestamp::MAX)),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Returns a time as HTTP headers write it.
pub(in crate::sandbox) fn http_date(time: Timestamp) -> String {
    time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// What happens to a request that a rule catches.
///
/// `commit` says whether the request is carried out all the same. Steps of a `$batch` meet the same
/// trouble; where a connection would end, a step is answered with 504.
#[derive(Clone, Debug)]
pub enum Effect {
    /// 429, with `Retry-After` or without; nothing is carried out.
    Throttle {
        /// The header; `None` for no header.
        retry_after: Option<RetryAfter>,
    },
    /// 503 with `Retry-After` or without; nothing is carried out.
    Busy {
        /// The header; `None` for no header.
        retry_after: Option<RetryAfter>,
    },
    /// An error status in Graph's own words; 404 says that the object does not exist.
    Fail {
        /// The status of the answer, 404 or 500 for example.
        status: u16,
        /// Whether the request takes effect all the same.
        commit: bool,
    },
    /// An error status with a page of HTML and no request id: a gateway before Graph gave up.
    Gateway {
        /// The status of the answer, 502, 503 or 504 for example.
        status: u16,
        /// Whether the request takes effect all the same.
        commit: bool,
    },
    /// The connection is reset without an answer.
    Drop {
        /// Whether the request takes effect all the same.
        commit: bool,
    },
    /// The request is carried out and its answer ends in the middle of the body. An answer without
    /// a body does not come at all.
    CutBody {
        /// How many bytes of the body come; at least one is missing.
        after: usize,
        /// Whether the body comes in chunks, so that its length was not told before.
        chunked: bool,
    },
    /// The answer comes late. Carried out, it is the true answer, and other rules may change it;
    /// otherwise it is 504.
    Late {
        /// How late.
        by: Duration,
        /// Whether the request takes effect, which it does at once.
        commit: bool,
    },
    /// The connection is reset at once, and the request is carried out later.
    CommitLater {
        /// How much later.
        after: Duration,
    },
    /// All tokens that were given out so far count no more, beginning with this request.
    EndTokens(TokenEnd),
    /// Somebody else does something just before the request is carried out.
    EditBefore(Edit),
    /// Somebody else does something when the request was carried out and before it is answered.
    EditAfter(Edit),
    /// The request waits at a gate. Steps of batches do not wait; their batch can.
    Hold {
        /// Whether it was carried out when it waits; otherwise it is when the gate opens, unless
        /// the caller is gone by then.
        commit: bool,
        /// Where it waits.
        gate: Gate,
    },
}

/// Why tokens count no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TokenEnd {
    /// Their time is over.
    Expired,
    /// They were revoked: 401 without a challenge.
    Revoked,
    /// They were revoked, and the 401 asks for more: `error="insufficient_claims"` and `claims` in
    /// `WWW-Authenticate`, as continuous access evaluation does.
    Challenged,
}

/// What somebody else does.
#[derive(Clone)]
pub enum Edit {
    /// A request as a user of the tenant. In its address and body `{self}` is the address of the
    /// object that the caught request is about, new ones included, and `{id}` its id.
    Request {
        /// The method.
        method: String,
        /// The address below the version, `/identity/conditionalAccess/policies/{id}` for example.
        url: String,
        /// The body.
        body: Option<Value>,
    },
    /// The caught request once more, with the same body: a create makes a twin.
    Twin,
    /// Anything, behind the server's back.
    Act(Act),
}

/// A change of a tenant that no request makes.
pub type Act = Arc<dyn Fn(&mut Tenant) + Send + Sync>;

impl fmt::Debug for Edit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request { method, url, body } => write!(formatter, "{method} {url} {body:?}"),
            Self::Twin => formatter.write_str("Twin"),
            Self::Act(_) => formatter.write_str("Act"),
        }
    }
}

impl Edit {
    /// A request as a user of the tenant; see [`Edit::Request`].
    pub fn request(method: &str, url: &str, body: Option<Value>) -> Self {
        Self::Request {
            method: method.to_owned(),
            url: url.to_owned(),
            body,
        }
    }
}
