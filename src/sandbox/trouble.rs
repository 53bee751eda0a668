//! How trouble looks to the one who asked, and what other people do meanwhile.

use jiff::Timestamp;
use serde_json::json;

use super::address;
use super::call::Body;
use super::call::Call;
use super::call::Caller;
use super::call::Refusal;
use super::faults::Edit;
use super::faults::Effect;
use super::faults::RetryAfter;
use super::permissions;
use super::tenant::Tenant;
use super::tenant::is_guid;
use super::tenant::text;
use super::told::Content;
use super::told::Ending;
use super::told::Told;

/// The application that people who work in the portal act through.
const PORTAL: &str = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c";

/// Whether a request that meets this is carried out, at once.
pub(super) fn commits(effect: Option<&Effect>) -> bool {
    !matches!(
        effect,
        Some(
            Effect::Throttle { .. }
                | Effect::Busy { .. }
                | Effect::Fail { commit: false, .. }
                | Effect::Gateway { commit: false, .. }
                | Effect::Drop { commit: false }
                | Effect::Late { commit: false, .. }
                | Effect::CommitLater { .. }
        )
    )
}

/// Returns what is told in the place of `done`; `refuse` words a refusal as the side that was asked does.
pub(super) fn ending(
    effect: Option<&Effect>,
    done: Told,
    now: Timestamp,
    missing: Refusal,
    refuse: &dyn Fn(&Refusal) -> Told,
) -> Told {
    let waiting = |refusal: Refusal, retry_after: &Option<RetryAfter>| {
        let mut told = refuse(&refusal);
        let retry_after = retry_after.as_ref().map(|wait| wait.header(now));
        told.headers.extend(retry_after.map(|text| ("retry-after", text)));
        told
    };
    match effect {
        Some(Effect::Throttle { retry_after }) => waiting(failure(429), retry_after),
        Some(Effect::Busy { retry_after }) => waiting(failure(503), retry_after),
        Some(Effect::Fail { status: 404, .. }) => refuse(&missing),
        Some(Effect::Fail { status, .. }) => refuse(&failure(*status)),
        Some(Effect::Gateway { status, .. }) => page(*status),
        Some(Effect::Drop { .. } | Effect::CommitLater { .. }) => Told::cut(),
        Some(Effect::Late { commit: false, .. }) => refuse(&failure(504)),
        Some(Effect::CutBody { after, chunked }) => Told {
            ending: Ending::Within {
                sent: *after,
                chunked: *chunked,
            },
            ..done
        },
        _ => done,
    }
}

/// Returns the refusal that goes with a status.
pub(super) fn failure(status: u16) -> Refusal {
    let (code, message) = match status {
        400 => (
            "BadRequest",
            "The server could not process the request because it is malformed or incorrect.",
        ),
        401 => ("InvalidAuthenticationToken", "Access token is empty."),
        403 => (
            "AccessDenied",
            "You cannot perform the requested operation, required scopes are missing in the token.",
        ),
        409 => ("Conflict", "The object was changed by somebody else meanwhile."),
        429 => ("TooManyRequests", "Too many requests."),
        other if other < 500 => ("Request_BadRequest", "The request cannot be carried out."),
        502 => ("BadGateway", "The gateway got no valid answer."),
        503 => ("ServiceUnavailable", "The service is temporarily unavailable."),
        504 => ("GatewayTimeout", "The gateway timed out."),
        _ => ("InternalServerError", "An unexpected error occurred."),
    };
    Refusal::new(status, code, message)
}

/// Returns the 404 of the object that a path ends with.
pub(super) fn missing(call: &Call) -> Refusal {
    let id = call.segments.last().map_or("", String::as_str);
    let path = call.path.to_ascii_lowercase();
    let nouns = [
        ("authenticationstrength", "AuthenticationStrengthPolicy"),
        ("authenticationcontext", "AuthenticationContextClassReference"),
        ("namedlocations", "NamedLocation"),
        ("conditionalaccess", "ConditionalAccessPolicy"),
        ("agreements", "Agreement"),
    ];
    let noun = nouns.into_iter().find(|(part, _)| path.contains(part));
    noun.map_or_else(
        || Refusal::unknown_resource(id),
        |(_, noun)| Refusal::unknown(noun, id),
    )
}

/// Returns the page of a gateway that stands before Graph and knows nothing of its ways.
fn page(status: u16) -> Told {
    let title = match status {
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Time-out",
        _ => "Error",
    };
    let text = format!(
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\"\"http://www.w3.org/TR/html4/strict.dtd\">\r\n<HTML><HEAD><TITLE>{title}</TITLE>\r\n<META HTTP-EQUIV=\"Content-Type\" Content=\"text/html; charset=us-ascii\"></HEAD>\r\n<BODY><h2>{title}</h2>\r\n<hr><p>HTTP Error {status}.</p>\r\n</BODY></HTML>\r\n"
    );
    Told {
        status,
        content: Content::Html(text),
        ..Told::default()
    }
}

/// Returns a refusal of the sign-in side.
pub(super) fn sign_in_refused(refusal: &Refusal) -> Told {
    let body = json!({
        "error": "temporarily_unavailable",
        "error_description": format!("AADSTS90033: A transient error has occurred. Please try again. ({})", refusal.code),
        "error_codes": [90033],
    });
    Told::new(refusal.status, Some(body))
}

/// Returns the request that somebody else makes; nothing if it is about an object that is not there.
pub(super) fn other_call(tenant: &Tenant, edit: &Edit, caught: &Call, done: Option<&Told>) -> Option<Call> {
    let caller = Caller {
        app_id: PORTAL.to_owned(),
        user: format!("edsger@{}", tenant.domain),
        permissions: permissions::all(),
        token: u64::MAX,
    };
    let mut call = Call {
        caller,
        client_request_id: String::new(),
        ..caught.clone()
    };
    if let Edit::Request { method, url, body } = edit {
        let about = subject(caught, done);
        let filled = |text: &str| -> Option<String> {
            if !text.contains("{self}") && !text.contains("{id}") {
                return Some(text.to_owned());
            }
            let (address, id) = about.as_ref()?;
            Some(text.replace("{self}", address).replace("{id}", id))
        };
        let url = filled(url)?;
        let (path, query) = url.split_once('?').unwrap_or((&url, ""));
        call.method = method.to_ascii_uppercase();
        call.path = format!("/{}/{}", caught.version.as_str(), path.trim_start_matches('/'));
        let (segments, query) = address::parse(&call.path, query);
        call.segments = segments.into_iter().skip(1).collect();
        call.query = query;
        call.body = match body {
            None => Body::Empty,
            Some(body) => Body::Json(serde_json::from_str(&filled(&body.to_string())?).ok()?),
        };
    }
    Some(call)
}

/// Returns address and id of the object that a request is about.
fn subject(call: &Call, done: Option<&Told>) -> Option<(String, String)> {
    let made = done.filter(|done| done.status == 201).and_then(Told::json);
    if let Some(made) = made {
        let id = text(made, "id").to_owned();
        return Some((format!("/{}/{id}", call.segments.join("/")), id));
    }
    let is_context = |part: &str| {
        part.strip_prefix('c')
            .is_some_and(|number| number.parse::<u8>().is_ok())
    };
    let at = call
        .segments
        .iter()
        .rposition(|part| is_guid(part) || is_context(part))?;
    let id = call.segments.get(at)?.clone();
    Some((format!("/{}", call.segments.get(..=at)?.join("/")), id))
}
