//! One request in, one answer out: sign-in, pace, retries.

use super::cloud::Endpoints;
use super::error::GraphError;
use super::http::{Exchange, ExchangeError, Incoming, Outgoing};
use super::observe::{GraphEvent, Observer};
use super::pace::{Queues, Turn};
use super::patience::{Jitter, Patience};
use super::request::{Lane, Operation, Request, Response};
use super::service_error::{ServiceError, excerpt, retry_after, tidy};
use super::token::{AccessToken, TokenCache};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use url::Url;

pub(crate) struct Transport {
    pub(crate) endpoints: Endpoints,
    pub(crate) exchange: Arc<dyn Exchange>,
    pub(crate) tokens: TokenCache,
    pub(crate) queues: Queues,
    pub(crate) patience: Patience,
    pub(crate) jitter: Jitter,
    pub(crate) observer: Arc<dyn Observer>,
    pub(crate) sent: AtomicU64,
}

/// What has happened to one request so far.
#[derive(Default)]
struct Tries {
    turn: Option<Turn>,
    sent: u32,
    throttled: u32,
    failed: u32,
    token_replaced: bool,
    /// What Graph may know the latest try by.
    client_request_id: String,
    /// An earlier try may have been carried out.
    maybe_done: bool,
}

enum Next {
    Done(Response),
    Again,
    Fail(GraphError),
}

impl Transport {
    pub(crate) async fn send(
        &self,
        request: &Request,
        not_after: Option<Instant>,
    ) -> Result<Response, GraphError> {
        let url = self
            .endpoints
            .graph_url(request.version, &request.relative_url())?;
        self.send_before(request, url, not_after).await
    }

    /// Sends to an address that was checked to be on Graph's host (a next page).
    pub(crate) async fn send_to(&self, request: &Request, url: Url) -> Result<Response, GraphError> {
        self.send_before(request, url, None).await
    }

    async fn send_before(
        &self,
        request: &Request,
        url: Url,
        not_after: Option<Instant>,
    ) -> Result<Response, GraphError> {
        let mut tries = Tries::default();
        match self.try_until(request, url, not_after, &mut tries).await {
            // That nothing is there says all there is to say of a delete, and is looked up by who sent it.
            Err(error) if error.is_not_found() && request.operation == Operation::Delete => Err(error),
            // What a later try is answered does not tell what became of an earlier one.
            Err(error) if tries.maybe_done && !error.is_unknown() => {
                Err(unknown(request, &tries.client_request_id, error.to_string()))
            }
            answer => answer,
        }
    }

    async fn try_until(
        &self,
        request: &Request,
        url: Url,
        not_after: Option<Instant>,
        tries: &mut Tries,
    ) -> Result<Response, GraphError> {
        loop {
            let (token, fresh) = self.tokens.get().await?;
            if fresh {
                self.observer.observe(&GraphEvent::SignedIn);
            }
            tries.turn = Some(self.queues.of(request.lane()).turn().await);
            if request.operation.rules().writes && not_after.is_some_and(|moment| moment < Instant::now()) {
                return Err(GraphError::TooLate { call: request.call() });
            }
            let client_request_id = uuid::Uuid::new_v4().to_string();
            tries.client_request_id.clone_from(&client_request_id);
            tries.sent += 1;
            self.sent.fetch_add(1, Ordering::Relaxed);
            self.observer.observe(&GraphEvent::Sending {
                lane: request.lane(),
                call: request.call(),
                attempt: tries.sent,
            });
            let outgoing = outgoing(request, url.clone(), &token, &client_request_id);
            let next = match self.exchange.exchange(outgoing).await {
                Ok(incoming) => {
                    let incoming = scrubbed(incoming, &token);
                    self.note(request, &incoming, &client_request_id);
                    self.judge(request, &incoming, &token, &client_request_id, tries)
                        .await?
                }
                Err(error) => self.missed(request, error, &client_request_id, tries).await,
            };
            match next {
                Next::Done(response) => return Ok(response),
                Next::Fail(error) => return Err(error),
                Next::Again => {}
            }
        }
    }

    fn note(&self, request: &Request, incoming: &Incoming, client_request_id: &str) {
        let request_id = incoming.header("request-id").map(str::to_owned);
        tracing::debug!(
            call = request.call(),
            status = incoming.status,
            request_id,
            client_request_id,
            "graph answered"
        );
        self.observer.observe(&GraphEvent::Answered {
            call: request.call(),
            status: incoming.status,
            request_id,
        });
    }

    async fn judge(
        &self,
        request: &Request,
        incoming: &Incoming,
        token: &AccessToken,
        client_request_id: &str,
        tries: &mut Tries,
    ) -> Result<Next, GraphError> {
        if (200..300).contains(&incoming.status) {
            return Ok(match read(request, incoming, client_request_id) {
                Ok(response) => Next::Done(response),
                Err(error) => Next::Fail(error),
            });
        }
        if let Some(stranger) = stranger(request, incoming) {
            return Ok(Next::Fail(stranger));
        }
        let error = ServiceError::read(request, incoming, client_request_id);
        let rules = request.operation.rules();
        if incoming.status == 401 && error.claims.is_none() && !tries.token_replaced {
            tries.token_replaced = true;
            self.tokens.refuse(&token.secret).await;
            let (replacement, _) = self.tokens.get().await?;
            if replacement.secret != token.secret {
                self.observer.observe(&GraphEvent::SignedIn);
                return Ok(Next::Again);
            }
        }
        if incoming.status == 401 && error.claims.is_none() {
            let help = Some(self.tokens.source().when_refused().to_owned());
            return Ok(Next::Fail(ServiceError { help, ..error }.into()));
        }
        let told = retry_after(incoming);
        let turned_away = incoming.status == 503 && told.is_some();
        if (incoming.status >= 500 || incoming.status == 408) && !turned_away {
            tries.maybe_done |= rules.writes;
        }
        if request.operation.retries(incoming.status, told.is_some())
            && self
                .again(request, incoming.status, told, &error.to_string(), tries)
                .await
        {
            return Ok(Next::Again);
        }
        Ok(Next::Fail(error.into()))
    }

    async fn missed(
        &self,
        request: &Request,
        error: ExchangeError,
        client_request_id: &str,
        tries: &mut Tries,
    ) -> Next {
        let rules = request.operation.rules();
        let (cause, may_repeat) = match error {
            ExchangeError::Certificate(cause) => {
                return Next::Fail(GraphError::Certificate {
                    call: request.call(),
                    cause,
                });
            }
            ExchangeError::NotSent(cause) => (cause, true),
            ExchangeError::Lost(cause) => {
                tries.maybe_done = rules.writes;
                (cause, rules.repeatable)
            }
        };
        tracing::debug!(
            call = request.call(),
            cause,
            client_request_id,
            "graph did not answer"
        );
        if may_repeat && self.again(request, 0, None, &cause, tries).await {
            return Next::Again;
        }
        if tries.maybe_done {
            return Next::Fail(unknown(request, client_request_id, cause));
        }
        Next::Fail(GraphError::Unreachable {
            call: request.call(),
            attempts: tries.sent,
            cause,
        })
    }

    /// Waits before another try; false when there have been enough.
    async fn again(
        &self,
        request: &Request,
        status: u16,
        told: Option<Duration>,
        because: &str,
        tries: &mut Tries,
    ) -> bool {
        let throttled = status == 429 || (status == 503 && told.is_some());
        let (count, most) = if throttled {
            (&mut tries.throttled, self.patience.throttled)
        } else {
            (&mut tries.failed, self.patience.failed)
        };
        *count += 1;
        if *count > most {
            return false;
        }
        let told = self.believable(told);
        let wait = told.unwrap_or_else(|| self.patience.wait(*count, (self.jitter)()));
        tracing::info!(
            call = request.call(),
            ?wait,
            because,
            "waiting before another try"
        );
        self.observer.observe(&GraphEvent::Retrying {
            call: request.call(),
            wait,
            because: because.to_owned(),
        });
        if throttled {
            self.hold(request.lane(), wait, told.is_some());
            if let Some(turn) = tries.turn {
                self.queues.of(request.lane()).slow(turn, told);
            }
        } else {
            sleep(wait).await;
        }
        true
    }

    /// Stops a whole lane: who is told to wait is told for all of this tenant's calls.
    pub(crate) fn hold(&self, lane: Lane, wait: Duration, told: bool) {
        self.queues.of(lane).hold(wait);
        self.observer.observe(&GraphEvent::Throttled { lane, wait, told });
    }

    /// A `Retry-After`, unless nobody would wait that long: then it is as good as none.
    pub(crate) fn believable(&self, told: Option<Duration>) -> Option<Duration> {
        told.filter(|told| *told <= self.patience.longest_told)
    }

    /// The wait before try `again` of something throttled inside a batch.
    pub(crate) fn guess(&self, again: u32) -> Duration {
        self.patience.wait(again, (self.jitter)())
    }
}

fn unknown(request: &Request, client_request_id: &str, cause: String) -> GraphError {
    GraphError::Unknown {
        call: request.call(),
        client_request_id: client_request_id.to_owned(),
        cause,
    }
}

fn outgoing(request: &Request, url: Url, token: &AccessToken, client_request_id: &str) -> Outgoing {
    let rules = request.operation.rules();
    let mut headers: Vec<(String, String)> = vec![
        ("Accept".to_owned(), "application/json".to_owned()),
        ("client-request-id".to_owned(), client_request_id.to_owned()),
        ("return-client-request-id".to_owned(), "true".to_owned()),
    ];
    headers.extend(
        request
            .all_headers()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    let body = request.body.as_ref().map(|body| body.to_string().into_bytes());
    if body.is_some() {
        headers.push(("Content-Type".to_owned(), "application/json".to_owned()));
    }
    Outgoing {
        method: rules.method,
        url,
        headers,
        bearer: Some(token.secret.clone()),
        body,
        timeout: rules.timeout,
    }
}

/// A redirect, or a refusal in something other than JSON without Graph's id: a proxy or a sign-in page spoke. It did
/// not pass the call on, so nothing was carried out.
fn stranger(request: &Request, incoming: &Incoming) -> Option<GraphError> {
    let from_graph = incoming.header("request-id").is_some()
        || incoming.body.is_empty()
        || serde_json::from_slice::<serde_json::Value>(&incoming.body).is_ok();
    let excerpt = match incoming.status {
        300..400 => match incoming.header("location") {
            Some(place) => format!(
                "a redirect to `{}`",
                tidy(place.split('?').next().unwrap_or(place))
            ),
            None => "a redirect".to_owned(),
        },
        400..500 if !from_graph && !matches!(incoming.status, 401 | 408 | 429) => excerpt(&incoming.body),
        _ => return None,
    };
    Some(GraphError::NotGraph {
        call: request.call(),
        status: incoming.status,
        excerpt,
    })
}

/// A server that echoes the token must not make us print it, whatever the status: a page that is no JSON and the
/// refusals inside a batch come with 200.
fn scrubbed(mut incoming: Incoming, token: &AccessToken) -> Incoming {
    let secret = &token.secret;
    let text = String::from_utf8_lossy(&incoming.body);
    if !secret.is_empty() && text.contains(secret.reveal()) {
        incoming.body = secret.scrub(&text).into_bytes();
    }
    for value in incoming.headers.values_mut() {
        if value.contains(secret.reveal()) {
            *value = secret.scrub(value);
        }
    }
    incoming
}

fn read(request: &Request, incoming: &Incoming, client_request_id: &str) -> Result<Response, GraphError> {
    let request_id = incoming.header("request-id").map(str::to_owned);
    let response = |body| Response {
        status: incoming.status,
        body,
        request_id: request_id.clone(),
        client_request_id: client_request_id.to_owned(),
    };
    if incoming.body.iter().all(u8::is_ascii_whitespace) {
        return Ok(response(None));
    }
    match serde_json::from_slice(&incoming.body) {
        Ok(body) => Ok(response(Some(body))),
        Err(_) if request.operation.rules().writes => {
            let cause = format!(
                "status {}, but the body is {}",
                incoming.status,
                excerpt(&incoming.body)
            );
            Err(unknown(request, client_request_id, cause))
        }
        Err(_) => Err(GraphError::NotGraph {
            call: request.call(),
            status: incoming.status,
            excerpt: excerpt(&incoming.body),
        }),
    }
}
