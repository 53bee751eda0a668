//! Graph's own errors: read from the envelope, with a next step for the known ones.
//!
//! The envelope is `{"error": {"code", "message", "innerError": {…}}}`; `innerError` may nest, may be spelt
//! `innererror`, and `message` may itself be an object. Numbered Conditional Access errors carry the number as
//! the start of the message. Source: Microsoft Graph error documentation and publicly reported answers.

use super::http::Incoming;
use super::known_errors;
use super::permissions;
use super::request::Request;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use miette::Diagnostic;
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// An error that Graph answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceError {
    /// The HTTP status.
    pub status: u16,
    /// `error.code`, empty when the answer had none.
    pub code: String,
    /// The number of a Conditional Access validation error, such as 1040.
    pub number: Option<u32>,
    /// The most telling message in the envelope.
    pub message: String,
    /// Graph's id of the call.
    pub request_id: Option<String>,
    /// Our id of the call.
    pub client_request_id: String,
    /// Method and path.
    pub call: String,
    /// `Retry-After`.
    pub retry_after: Option<Duration>,
    /// The decoded claims challenge of a step-up demand.
    pub claims: Option<String>,
    /// What to do next.
    pub help: Option<String>,
}

/// The outer text that hides the numbered one in some stacks.
const GENERIC: &str = "The server could not process the request because it is malformed or incorrect.";

impl ServiceError {
    /// Reads the error out of an answer that is one.
    pub(crate) fn read(request: &Request, incoming: &Incoming, client_request_id: &str) -> Self {
        let body: Option<Value> = serde_json::from_slice(&incoming.body).ok();
        let mut error = Self::from_body(request, incoming.status, body.as_ref());
        client_request_id.clone_into(&mut error.client_request_id);
        if let Some(id) = incoming.header("request-id") {
            error.request_id = Some(tidy(id));
        }
        if body.is_none() && !incoming.body.is_empty() {
            error.message = excerpt(&incoming.body);
        }
        error.retry_after = retry_after(incoming);
        error.claims = incoming.header("www-authenticate").and_then(challenge);
        error.help = help(&error, request);
        error
    }

    /// Reads the error out of a body alone, as it stands inside a `$batch` answer.
    pub(crate) fn from_body(request: &Request, status: u16, body: Option<&Value>) -> Self {
        let envelope = body.and_then(|body| body.get("error"));
        let mut error = Self {
            status,
            code: String::new(),
            number: None,
            message: String::new(),
            request_id: None,
            client_request_id: String::new(),
            call: request.call(),
            retry_after: None,
            claims: None,
            help: None,
        };
        match envelope {
            Some(Value::String(code)) => {
                error.code = tidy(code);
                error.message = body
                    .and_then(|body| body.get("error_description"))
                    .map(message_text)
                    .unwrap_or_default();
            }
            Some(envelope) => {
                error.code = envelope.get("code").map(message_text).unwrap_or_default();
                error.message = envelope.get("message").map(message_text).unwrap_or_default();
                error.read_inner(envelope);
            }
            None => {}
        }
        error.number = number(&error.message);
        error.help = help(&error, request);
        error
    }

    fn read_inner(&mut self, envelope: &Value) {
        let mut level = inner(envelope);
        while let Some(object) = level {
            if self.request_id.is_none() {
                self.request_id = object.get("request-id").and_then(Value::as_str).map(tidy);
            }
            let text = object.get("message").map(message_text).unwrap_or_default();
            let better = self.message.is_empty()
                || self.message == GENERIC
                || (number(&self.message).is_none() && number(&text).is_some());
            if !text.is_empty() && better {
                self.message = text;
            }
            level = inner(object);
        }
    }

    /// Whether the refusal is about an object that the body names and Graph does not see.
    pub fn names_missing_object(&self) -> bool {
        matches!(self.number, Some(1034 | 1040)) || self.code == "Request_ResourceNotFound"
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Graph refused `{}`", self.call)?;
        if !self.message.is_empty() {
            write!(f, ": {}", self.message.trim_end_matches('.'))?;
        }
        write!(f, " (status {}", self.status)?;
        if !self.code.is_empty() {
            write!(f, ", code {}", self.code)?;
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request-id {id}")?;
        }
        if !self.client_request_id.is_empty() {
            write!(f, ", client-request-id {}", self.client_request_id)?;
        }
        f.write_str(")")
    }
}

impl std::error::Error for ServiceError {}

impl Diagnostic for ServiceError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(match self.number {
            Some(number) => Box::new(format!("graph::refused::{number}")),
            None => Box::new("graph::refused"),
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help
            .as_ref()
            .map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }
}

fn inner(object: &Value) -> Option<&Value> {
    ["innerError", "innererror", "innerException"]
        .into_iter()
        .find_map(|name| object.get(name))
        .filter(|inner| inner.is_object())
}

/// A text, or the `value` of an object that stands where a text should.
fn message_text(value: &Value) -> String {
    match value {
        Value::String(text) => tidy(text),
        Value::Object(object) => object.get("value").map(message_text).unwrap_or_default(),
        _ => String::new(),
    }
}

/// The number at the start of a Conditional Access message.
fn number(message: &str) -> Option<u32> {
    let (digits, _) = message.split_once(':')?;
    (digits.len() == 4).then(|| digits.parse().ok()).flatten()
}

/// Text from a server, safe for a terminal and of bearable length.
pub(crate) fn tidy(text: &str) -> String {
    const LONGEST: usize = 1500;
    let clean: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let words = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > LONGEST {
        words.chars().take(LONGEST).chain(['…']).collect()
    } else {
        words
    }
}

/// How a body that is not JSON starts, without markup.
pub(crate) fn excerpt(body: &[u8]) -> String {
    const LONGEST: usize = 160;
    if body.is_empty() {
        return "an empty body".to_owned();
    }
    let text = String::from_utf8_lossy(body);
    let mut plain = String::new();
    let mut in_tag = false;
    for c in text.chars().take(4096) {
        match c {
            '<' => in_tag = true,
            '>' => {
                in_tag = false;
                plain.push(' ');
            }
            c if !in_tag => plain.push(c),
            _ => {}
        }
    }
    let plain = tidy(&plain);
    if plain.chars().count() > LONGEST {
        plain.chars().take(LONGEST).chain(['…']).collect()
    } else {
        plain
    }
}

/// `Retry-After` in seconds, or as a date set against the answer's own `Date`.
pub(crate) fn retry_after(incoming: &Incoming) -> Option<Duration> {
    let text = incoming.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let when = jiff::fmt::rfc2822::parse(text).ok()?;
    let date = jiff::fmt::rfc2822::parse(incoming.header("date")?).ok()?;
    let seconds = when
        .timestamp()
        .as_second()
        .saturating_sub(date.timestamp().as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// The claims that `WWW-Authenticate` asks for, decoded.
fn challenge(header: &str) -> Option<String> {
    let (_, after) = header.split_once("claims=\"")?;
    let (encoded, _) = after.split_once('"')?;
    let encoded = encoded.trim_end_matches('=');
    let bytes = URL_SAFE_NO_PAD
        .decode(encoded)
        .or_else(|_| STANDARD_NO_PAD.decode(encoded))
        .ok()?;
    Some(tidy(&String::from_utf8_lossy(&bytes)))
}

/// The next step: a step-up demand first, then a known error, then the permission that the call needs.
fn help(error: &ServiceError, request: &Request) -> Option<String> {
    if let Some(claims) = &error.claims {
        return Some(known_errors::step_up(claims));
    }
    // Reports answer a missing permission in the words of policies, and need another one.
    let is_report = request.lane() == super::request::Lane::Reports && error.status == 403;
    let known = known_errors::help_for(error.status, &error.code, error.number, &error.message);
    if let Some(known) = known.filter(|_| !(is_report && error.message.contains("required scopes"))) {
        return Some(known);
    }
    match error.status {
        401 => Some("sign in again: Graph does not accept the token".to_owned()),
        403 => Some(
            match permissions::needed(&request.path, request.operation.rules().writes) {
                Some(needed) => {
                    format!("grant {needed} to whoever is signed in, and consent to it as an administrator")
                }
                None => "grant the permission that this call needs to whoever is signed in".to_owned(),
            },
        ),
        _ => None,
    }
}
