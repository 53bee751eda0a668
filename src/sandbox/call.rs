//! One request as the tenant sees it, and what it may answer.

use jiff::Timestamp;
use serde_json::Value;
use serde_json::json;

/// The two published versions of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// `/v1.0`.
    V1,
    /// `/beta`.
    Beta,
}

impl Version {
    /// Returns the version as it stands in a path.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1.0",
            Self::Beta => "beta",
        }
    }

    pub(super) fn parse(segment: &str) -> Option<Self> {
        match segment.to_ascii_lowercase().as_str() {
            "v1.0" => Some(Self::V1),
            "beta" => Some(Self::Beta),
            _ => None,
        }
    }
}

/// The body of a request, before anybody looks at its members.
#[derive(Clone, Debug, Default)]
pub(super) enum Body {
    #[default]
    Empty,
    Malformed,
    Json(Value),
}

/// Who asks: what the token says.
#[derive(Clone, Debug, Default)]
pub(super) struct Caller {
    pub(super) app_id: String,
    /// The user's principal name; empty if an application acts by itself.
    pub(super) user: String,
    pub(super) permissions: Vec<String>,
    /// The number of the token.
    pub(super) token: u64,
}

/// A request to Graph, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) method: String,
    pub(super) version: Version,
    /// The path below the version, decoded, `name('key')` split in two.
    pub(super) segments: Vec<String>,
    pub(super) query: Vec<(String, String)>,
    /// Scheme, host and port that links in answers start with.
    pub(super) base: String,
    /// The path as it was asked for, with the version: links repeat it.
    pub(super) path: String,
    pub(super) prefer: String,
    pub(super) consistency_level: String,
    pub(super) client_request_id: String,
    pub(super) body: Body,
    pub(super) caller: Caller,
    pub(super) now: Timestamp,
}

impl Call {
    /// Returns a query option by name, with or without its `$`.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key.trim_start_matches('$').eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether the caller wants to see enum members that came after `unknownFutureValue`.
    pub(super) fn sees_future_members(&self) -> bool {
        self.prefer
            .to_ascii_lowercase()
            .contains("include-unknown-enum-members")
    }

    /// Whether the caller accepts eventually consistent answers, which advanced directory queries need.
    pub(super) fn eventual(&self) -> bool {
        self.consistency_level.eq_ignore_ascii_case("eventual")
    }

    /// Returns the body as an object.
    pub(super) fn object(&self) -> Result<&Value, Refusal> {
        match &self.body {
            Body::Json(value) if value.is_object() => Ok(value),
            Body::Empty => Err(Refusal::bad("Empty Payload. JSON content expected.")),
            Body::Json(_) | Body::Malformed => Err(Refusal::bad(
                "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
            )),
        }
    }

    /// Returns the address of `$metadata` with a fragment, as `@odata.context` has it.
    pub(super) fn context(&self, fragment: &str) -> String {
        format!("{}/{}/$metadata#{fragment}", self.base, self.version.as_str())
    }
}

/// A good answer.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Option<Value>,
}

impl Answer {
    pub(super) fn ok(body: Value) -> Self {
        Self {
            status: 200,
            body: Some(body),
        }
    }

    pub(super) fn created(body: Value) -> Self {
        Self {
            status: 201,
            body: Some(body),
        }
    }

    pub(super) fn no_content() -> Self {
        Self {
            status: 204,
            body: None,
        }
    }
}

/// A refusal: status, code and text of Graph's error envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
        }
    }

    /// 400 `BadRequest`.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    /// 400 with one of the numbers that Conditional Access puts before its texts.
    pub(super) fn numbered(number: u16, text: impl AsRef<str>) -> Self {
        Self::bad(format!("{number}: {}", text.as_ref()))
    }

    /// 404 of a Conditional Access object.
    pub(super) fn unknown(kind: &str, id: &str) -> Self {
        Self::new(
            404,
            "NotFound",
            format!("{kind} with id {id} does not exist in the directory."),
        )
    }

    /// 404 of a directory object.
    pub(super) fn unknown_resource(id: &str) -> Self {
        Self::new(
            404,
            "Request_ResourceNotFound",
            format!(
                "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
            ),
        )
    }

    /// 405: the path exists, the method is not offered on it.
    pub(super) fn method() -> Self {
        Self::new(
            405,
            "Request_BadRequest",
            "Specified HTTP method is not allowed for the request target.",
        )
    }

    /// 400 for a path the service does not have.
    pub(super) fn segment(name: &str) -> Self {
        Self::bad(format!("Resource not found for the segment '{name}'."))
    }

    /// Returns the body that carries the refusal.
    pub(super) fn envelope(&self, request_id: &str, client_request_id: &str, now: Timestamp) -> Value {
        json!({
            "error": {
                "code": self.code,
                "message": self.message,
                "innerError": {
                    "date": now.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
                    "request-id": request_id,
                    "client-request-id": client_request_id,
                }
            }
        })
    }
}

/// What a handler returns.
pub(super) type Outcome = Result<Answer, Refusal>;

#[cfg(test)]
pub(super) mod testing {
    //! Calls without a server, for the tests of the tenant's rules.

    use super::super::address;
    use super::super::tenant::Tenant;
    use super::*;

    /// Makes a call; `path` starts with the version.
    pub(in super::super) fn call(method: &str, path: &str, body: Option<Value>) -> Call {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (segments, query) = address::parse(path, query);
        Call {
            method: method.to_owned(),
            version: Version::parse(&segments[0]).unwrap(),
            segments: segments[1..].to_vec(),
            query,
            base: "http://sandbox".to_owned(),
            path: path.to_owned(),
            prefer: "include-unknown-enum-members".to_owned(),
            consistency_level: "eventual".to_owned(),
            client_request_id: String::new(),
            body: body.map_or(Body::Empty, Body::Json),
            caller: Caller::default(),
            now: "2026-03-01T09:00:00.1234567Z".parse().unwrap(),
        }
    }

    /// Sends a call and returns status and body or message.
    pub(in super::super) fn send(
        tenant: &mut Tenant,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> (u16, Value) {
        match tenant.handle(&call(method, path, body)) {
            Ok(answer) => (answer.status, answer.body.unwrap_or_default()),
            Err(refusal) => (refusal.status, Value::String(refusal.message)),
        }
    }
}
