//! `POST /$batch`: up to twenty requests in one, with dependencies.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::address;
use super::call::Answer;
use super::call::Body;
use super::call::Call;
use super::call::Outcome;
use super::call::Refusal;
use super::tenant::strings;
use super::tenant::text;
use super::told::Content;
use super::told::Told;

const LIMIT: usize = 20;

/// Runs the steps in order through `perform`.
pub(super) fn run(call: &Call, perform: &mut dyn FnMut(Result<Call, Refusal>) -> Told) -> Outcome {
    let requests = call
        .object()?
        .get("requests")
        .and_then(Value::as_array)
        .cloned()
        .ok_or_else(|| Refusal::bad("Invalid batch payload format."))?;
    if requests.len() > LIMIT {
        return Err(Refusal::bad(format!(
            "Number of batch request steps exceeds the maximum value of {LIMIT}."
        )));
    }
    let mut ids = BTreeSet::new();
    if !requests.iter().all(|request| {
        !text(request, "id").is_empty() && ids.insert(text(request, "id").to_ascii_lowercase())
    }) {
        return Err(Refusal::bad(
            "Request Id has to be unique in a batch and must not be empty.",
        ));
    }
    let mut statuses: BTreeMap<String, u16> = BTreeMap::new();
    let mut responses = Vec::new();
    for request in &requests {
        let id = text(request, "id");
        let failed = strings(request, "/dependsOn").into_iter().any(|other| {
            statuses
                .get(&other.to_ascii_lowercase())
                .is_none_or(|status| *status >= 400)
        });
        let told = perform(if failed {
            Err(Refusal::new(
                424,
                "FailedDependency",
                "A request this one depends on failed.",
            ))
        } else {
            step(call, request)
        });
        statuses.insert(id.to_ascii_lowercase(), told.status);
        let mut headers = Map::new();
        headers.insert("Content-Type".to_owned(), json!("application/json"));
        for (name, value) in told.headers {
            let name = if name == "retry-after" {
                "Retry-After"
            } else {
                name
            };
            headers.insert(name.to_owned(), json!(value));
        }
        let mut response = json!({"id": id, "status": told.status, "headers": headers});
        let body = match told.content {
            Content::Nothing => None,
            Content::Json(body) => Some(body),
            Content::Html(page) => Some(Value::String(page)),
        };
        if let (Some(body), Some(object)) = (body, response.as_object_mut()) {
            object.insert("body".to_owned(), body);
        }
        responses.push(response);
    }
    Ok(Answer::ok(json!({"responses": responses})))
}

/// Makes a call of one step; its address is relative to the version of the batch.
fn step(outer: &Call, request: &Value) -> Result<Call, Refusal> {
    let url = text(request, "url");
    if url.contains("://") || url.is_empty() {
        return Err(Refusal::bad("The url of a batch request step must be relative."));
    }
    let method = text(request, "method").to_ascii_uppercase();
    let header = |name: &str| {
        let headers = request.get("headers").and_then(Value::as_object);
        headers
            .into_iter()
            .flatten()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .and_then(|(_, value)| value.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let body = match request.get("body") {
        None | Some(Value::Null) => Body::Empty,
        Some(_) if header("content-type").is_empty() => {
            return Err(Refusal::bad(
                "Content-Type header is required for a batch request step with a body.",
            ));
        }
        Some(body) => Body::Json(body.clone()),
    };
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let path = format!("/{}/{}", outer.version.as_str(), path.trim_start_matches('/'));
    let (segments, query) = address::parse(&path, query);
    Ok(Call {
        method,
        version: outer.version,
        segments: segments.into_iter().skip(1).collect(),
        query,
        base: outer.base.clone(),
        path,
        prefer: header("prefer"),
        consistency_level: header("consistencylevel"),
        client_request_id: outer.client_request_id.clone(),
        body,
        caller: outer.caller.clone(),
        now: outer.now,
    })
}
