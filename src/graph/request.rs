//! What is asked of Graph, and how patient and careful each kind of call is.

use super::cloud::Version;
use super::error::GraphError;
use serde_json::Value;
use std::fmt;
use std::time::Duration;
use url::form_urlencoded::byte_serialize;

/// What a call does to the tenant. The rules of sending hang on it, not on the HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// GET.
    Read,
    /// POST that only asks: `evaluate`, `getByIds`, `$batch` of reads.
    Query,
    /// PATCH: a merge, so the same one twice is the same as once.
    Update,
    /// POST that sets a whole list: `updateAllowedCombinations`.
    Replace,
    /// POST `$ref`: a second one is answered "already exists".
    AddReference,
    /// DELETE.
    Delete,
    /// POST that makes a new object each time: never sent twice unless Graph surely did nothing.
    Create,
    /// POST that does something once: restore.
    Act,
}

/// How one kind of call is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// The HTTP method.
    pub method: &'static str,
    /// Whether the tenant may be different afterwards.
    pub writes: bool,
    /// Whether sending it again does no harm when the first may have been carried out.
    pub repeatable: bool,
    /// How long to wait for an answer.
    pub timeout: Duration,
}

impl Operation {
    /// The row of the table for this kind of call.
    pub fn rules(self) -> Rules {
        let (method, writes, repeatable, seconds) = match self {
            Self::Read => ("GET", false, true, 60),
            Self::Query => ("POST", false, true, 60),
            Self::Update => ("PATCH", true, true, 60),
            Self::Replace | Self::AddReference => ("POST", true, true, 60),
            Self::Delete => ("DELETE", true, true, 60),
            Self::Create | Self::Act => ("POST", true, false, 100),
        };
        Rules {
            method,
            writes,
            repeatable,
            timeout: Duration::from_secs(seconds),
        }
    }

    /// Whether an answer with this status is followed by another try.
    ///
    /// 429 says that nothing was done. A 503 with `Retry-After` is Graph's gateway turning the call away; every
    /// other server error leaves open what happened, so only what is repeatable is repeated.
    pub fn retries(self, status: u16, has_retry_after: bool) -> bool {
        match status {
            429 => true,
            503 if has_retry_after => true,
            408 | 500 | 502 | 503 | 504 => self.rules().repeatable,
            _ => false,
        }
    }
}

/// The queue a request waits in: Graph counts these apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// Policies, named locations, strengths, contexts, risk: about one request a second per tenant.
    ConditionalAccess,
    /// Sign-in and audit logs: five requests in ten seconds.
    Reports,
    /// Users, groups, applications and everything else.
    Directory,
}

impl Lane {
    /// The lane of a relative path.
    ///
    /// Source: Microsoft Graph throttling limits, "Conditional Access service limits" and "Reports".
    pub fn of(path: &str) -> Self {
        let path = path.trim_start_matches('/');
        let starts = |prefix: &str| {
            path.get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        if starts("identity/conditionalAccess")
            || starts("policies/authenticationStrengthPolicies")
            || starts("identityProtection")
        {
            Self::ConditionalAccess
        } else if starts("auditLogs") || starts("reports") {
            Self::Reports
        } else {
            Self::Directory
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConditionalAccess => "conditional access",
            Self::Reports => "reports",
            Self::Directory => "directory",
        })
    }
}

/// One call to Graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    pub(crate) operation: Operation,
    pub(crate) version: Version,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Value>,
}

impl Request {
    /// A call of this kind to a path relative to the version, ids in it made with [`segment`].
    pub fn new(operation: Operation, version: Version, path: impl Into<String>) -> Self {
        Self {
            operation,
            version,
            path: path.into(),
            query: Vec::new(),
            headers: Vec::new(),
            body: None,
        }
    }

    /// Adds an OData query option; the value is encoded here.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Into<String>) -> Self {
        self.query.push((name.to_owned(), value.into()));
        self
    }

    /// Sets the JSON body.
    #[must_use]
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The queue it waits in.
    pub fn lane(&self) -> Lane {
        Lane::of(&self.path)
    }

    /// Method and path, for messages: no query, since that holds people's names.
    pub fn call(&self) -> String {
        format!(
            "{} /{}/{}",
            self.operation.rules().method,
            self.version,
            self.path.trim_start_matches('/')
        )
    }

    /// The path with its encoded query.
    pub(crate) fn relative_url(&self) -> String {
        let mut url = self.path.trim_start_matches('/').to_owned();
        for (index, (name, value)) in self.query.iter().enumerate() {
            url.push(if index == 0 { '?' } else { '&' });
            url.push_str(name);
            url.push('=');
            url.push_str(&encode(value));
        }
        url
    }

    /// The headers beside the ones that every call carries.
    pub(crate) fn all_headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = self.headers.clone();
        if self.lane() != Lane::Directory {
            // Without it `linux`, `riskRemediation`, `reportOnlyFailure` and the like read `unknownFutureValue`.
            headers.push(("Prefer", "include-unknown-enum-members".to_owned()));
        }
        let counts = self
            .query
            .iter()
            .any(|(name, _)| name == "$count" || name == "$search");
        if counts && !headers.iter().any(|(name, _)| *name == "ConsistencyLevel") {
            headers.push(("ConsistencyLevel", "eventual".to_owned()));
        }
        headers
    }
}

/// One answer of Graph, a good one.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The JSON body; `None` for an empty one.
    pub body: Option<Value>,
    /// Graph's id of the call.
    pub request_id: Option<String>,
    /// Our id of the call.
    pub client_request_id: String,
}

/// An id as one path segment; refuses what could reach another object.
pub fn segment(id: &str) -> Result<String, GraphError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    if id.is_empty() || id.chars().all(|c| c == '.') || !id.chars().all(plain) {
        return Err(GraphError::BadId { given: id.to_owned() });
    }
    Ok(id.to_owned())
}

/// A text as an OData string literal: in quotes, quotes doubled.
pub fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A query value, percent-encoded, with `%20` for a space.
pub(crate) fn encode(value: &str) -> String {
    byte_serialize(value.as_bytes())
        .collect::<String>()
        .replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_create_is_sent_again_only_when_graph_surely_did_nothing() {
        for (operation, status, retry_after, again) in [
            (Operation::Create, 429, false, true),
            (Operation::Create, 503, true, true),
            (Operation::Create, 503, false, false),
            (Operation::Create, 500, false, false),
            (Operation::Create, 502, true, false),
            (Operation::Create, 504, true, false),
            (Operation::Act, 504, false, false),
            (Operation::Read, 504, false, true),
            (Operation::Update, 500, false, true),
            (Operation::Delete, 502, false, true),
            (Operation::Read, 400, true, false),
            (Operation::Read, 501, false, false),
        ] {
            assert_eq!(
                operation.retries(status, retry_after),
                again,
                "{operation:?} {status}"
            );
        }
    }

    #[test]
    fn query_values_are_encoded_and_quotes_doubled() {
        let request = Request::new(Operation::Read, Version::V1, "users").query(
            "$filter",
            format!(
                "userPrincipalName eq {}",
                literal("o'neil+x_a&b#EXT#@contoso.com")
            ),
        );
        assert_eq!(
            request.relative_url(),
            "users?$filter=userPrincipalName%20eq%20%27o%27%27neil%2Bx_a%26b%23EXT%23%40contoso.com%27"
        );
        assert_eq!(request.call(), "GET /v1.0/users");
    }

    #[test]
    fn an_id_cannot_leave_its_segment() {
        assert_eq!(segment("0000-aa").unwrap(), "0000-aa");
        for bad in ["", ".", "..", "a/b", "a?b", "a#b", "../policies", "%2e%2e", "a b"] {
            assert!(segment(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn conditional_access_calls_ask_for_unknown_enum_members() {
        for (path, asks) in [
            ("identity/conditionalAccess/policies", true),
            ("auditLogs/signIns", true),
            ("users", false),
        ] {
            let headers = Request::new(Operation::Read, Version::V1, path).all_headers();
            assert_eq!(headers.iter().any(|(name, _)| *name == "Prefer"), asks, "{path}");
        }
        let counted = Request::new(Operation::Read, Version::V1, "users")
            .query("$count", "true")
            .all_headers();
        assert!(counted.contains(&("ConsistencyLevel", "eventual".to_owned())));
    }

    #[test]
    fn lanes_follow_the_services_own_counting() {
        assert_eq!(
            Lane::of("/identity/conditionalAccess/namedLocations"),
            Lane::ConditionalAccess
        );
        assert_eq!(
            Lane::of("policies/authenticationStrengthPolicies/x"),
            Lane::ConditionalAccess
        );
        assert_eq!(Lane::of("auditLogs/signIns"), Lane::Reports);
        assert_eq!(Lane::of("groups"), Lane::Directory);
        assert_eq!(Lane::of("é"), Lane::Directory);
    }
}
