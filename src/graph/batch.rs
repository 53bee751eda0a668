//! Up to twenty reads in one request.
//!
//! Each inner call is throttled and answered on its own, in any order; an answer that is missing is an error, not
//! an empty result. Source: Microsoft Graph JSON batching.

use super::client::{Graph, body, incomplete};
use super::cloud::Version;
use super::error::GraphError;
use super::http::Incoming;
use super::request::{Lane, Operation, Request};
use super::service_error::{ServiceError, retry_after};
use futures::stream::{self, StreamExt, TryStreamExt};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// How many calls the service takes in one batch.
const LARGEST: usize = 20;

/// How many batches are under way at a time.
const ABREAST: usize = 16;

/// The answer to one call of a batch.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchAnswer {
    /// The HTTP status of the inner call.
    pub status: u16,
    /// Its body.
    pub body: Option<Value>,
}

impl BatchAnswer {
    /// The body of a good answer, or the error that the inner call got.
    pub fn into_result(self, request: &Request) -> Result<Value, GraphError> {
        if (200..300).contains(&self.status) {
            return self
                .body
                .ok_or_else(|| incomplete(request, "an answer in a batch has no body", None));
        }
        Err(ServiceError::from_body(request, self.status, self.body.as_ref()).into())
    }
}

impl Graph {
    /// Sends reads twenty at a time and gives the answers in the order of the requests. Inner calls that were
    /// throttled or met a server error are sent again, alone among the ones that still lack an answer.
    pub async fn batch(
        &self,
        version: Version,
        requests: &[Request],
    ) -> Result<Vec<BatchAnswer>, GraphError> {
        if let Some(write) = requests.iter().find(|request| request.operation.rules().writes) {
            return Err(GraphError::Internal {
                what: format!("`{}` in a batch of reads", write.call()),
            });
        }
        let batches: Vec<Vec<BatchAnswer>> = stream::iter(requests.chunks(LARGEST))
            .map(|chunk| self.one_batch(version, chunk))
            .buffered(ABREAST)
            .try_collect()
            .await?;
        Ok(batches.into_iter().flatten().collect())
    }

    async fn one_batch(
        &self,
        version: Version,
        requests: &[Request],
    ) -> Result<Vec<BatchAnswer>, GraphError> {
        let mut answers: Vec<Option<BatchAnswer>> = vec![None; requests.len()];
        let mut tries = 0;
        loop {
            let open: Vec<(usize, &Request)> = requests
                .iter()
                .enumerate()
                .filter(|(index, _)| answers.get(*index).is_none_or(Option::is_none))
                .collect();
            if open.is_empty() {
                return Ok(answers.into_iter().flatten().collect());
            }
            tries += 1;
            let last = tries > self.transport.patience.failed;
            let mut wait: Option<(Duration, bool)> = None;
            let mut got = self.round(version, &open).await?;
            for (index, request) in &open {
                let Some(answer) = got.remove(index) else {
                    let call = Request::new(Operation::Query, version, "$batch");
                    return Err(incomplete(
                        &call,
                        format!("`{}` got no answer", request.call()),
                        None,
                    ));
                };
                let told = retry_after(&answer);
                let again = request.operation.retries(answer.status, told.is_some());
                if !last && again {
                    let told = self.transport.believable(told);
                    let more = told.unwrap_or_else(|| self.transport.guess(tries));
                    wait = Some(wait.map_or((more, told.is_some()), |(longest, known)| {
                        (longest.max(more), known || told.is_some())
                    }));
                } else if let Some(slot) = answers.get_mut(*index) {
                    *slot = Some(BatchAnswer {
                        status: answer.status,
                        body: serde_json::from_slice(&answer.body).ok(),
                    });
                }
            }
            if let Some((wait, told)) = wait {
                self.transport.hold(Lane::Directory, wait, told);
            }
        }
    }

    /// One HTTP request; the answers by the position of their request.
    async fn round(
        &self,
        version: Version,
        open: &[(usize, &Request)],
    ) -> Result<BTreeMap<usize, Incoming>, GraphError> {
        let calls: Vec<Value> = open
            .iter()
            .map(|(index, request)| inner_call(*index, request))
            .collect();
        let request = Request::new(Operation::Query, version, "$batch").body(json!({ "requests": calls }));
        let response = self.send(&request).await?;
        let request_id = response.request_id.clone();
        let mut whole = body(&request, response)?;
        let Some(Value::Array(responses)) = whole.get_mut("responses").map(Value::take) else {
            return Err(incomplete(&request, "it has no `responses` list", request_id));
        };
        let mut got = BTreeMap::new();
        for answer in responses {
            let position = answer
                .get("id")
                .and_then(Value::as_str)
                .and_then(|id| id.parse::<usize>().ok());
            let status = answer
                .get("status")
                .and_then(Value::as_u64)
                .and_then(|status| u16::try_from(status).ok());
            let (Some(position), Some(status)) = (position, status) else {
                return Err(incomplete(
                    &request,
                    "an answer in it has no id or no status",
                    request_id,
                ));
            };
            let asked = open.iter().any(|(index, _)| *index == position);
            if !asked || got.insert(position, inner_answer(status, &answer)).is_some() {
                return Err(incomplete(
                    &request,
                    format!("answer `{position}` was not asked for, or came twice"),
                    request_id,
                ));
            }
        }
        Ok(got)
    }
}

fn inner_call(index: usize, request: &Request) -> Value {
    let mut call = Map::new();
    call.insert("id".to_owned(), json!(index.to_string()));
    call.insert("method".to_owned(), json!(request.operation.rules().method));
    call.insert("url".to_owned(), json!(format!("/{}", request.relative_url())));
    let mut headers: Map<String, Value> = request
        .all_headers()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::String(value)))
        .collect();
    if let Some(body) = &request.body {
        headers.insert("Content-Type".to_owned(), json!("application/json"));
        call.insert("body".to_owned(), body.clone());
    }
    if !headers.is_empty() {
        call.insert("headers".to_owned(), Value::Object(headers));
    }
    Value::Object(call)
}

fn inner_answer(status: u16, answer: &Value) -> Incoming {
    let headers = answer
        .get("headers")
        .and_then(Value::as_object)
        .map(|headers| {
            headers
                .iter()
                .filter_map(|(name, value)| {
                    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    (!value.is_null()).then(|| (name.to_ascii_lowercase(), text))
                })
                .collect()
        })
        .unwrap_or_default();
    let body = match answer.get("body") {
        None | Some(Value::Null) => Vec::new(),
        Some(body) => body.to_string().into_bytes(),
    };
    Incoming {
        status,
        headers,
        body,
    }
}
