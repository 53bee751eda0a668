//! The client of one tenant.

use super::Version;
use super::cloud::Endpoints;
use super::error::GraphError;
use super::http::{Exchange, Http, HttpOptions};
use super::observe::{Observer, Silent};
use super::pace::{Pace, Queues};
use super::paging::Pages;
use super::patience::{Jitter, Patience, random_jitter};
use super::request::{Lane, Operation, Request, Response};
use super::token::{Claims, TokenCache, TokenSource};
use super::transport::Transport;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// How a client is made.
#[derive(Clone)]
pub struct GraphOptions {
    /// The tenant's hosts.
    pub endpoints: Endpoints,
    /// Proxies and roots.
    pub http: HttpOptions,
    /// The distance between requests.
    pub pace: Pace,
    /// How often to try again.
    pub patience: Patience,
    /// Where chance comes from.
    pub jitter: Jitter,
    /// Who is told what happens.
    pub observer: Arc<dyn Observer>,
}

impl GraphOptions {
    /// The usual choices for these hosts: the service's pace, none on loopback.
    pub fn new(endpoints: Endpoints) -> Self {
        let pace = Pace::for_endpoints(&endpoints);
        Self {
            endpoints,
            http: HttpOptions::default(),
            pace,
            patience: Patience::default(),
            jitter: random_jitter(),
            observer: Arc::new(Silent),
        }
    }
}

/// The client of one tenant. Clones share the queues, the token and the count of requests.
#[derive(Clone)]
pub struct Graph {
    pub(crate) transport: Arc<Transport>,
    not_after: Option<Instant>,
}

impl Graph {
    /// A client over the network.
    pub fn new(source: Arc<dyn TokenSource>, options: GraphOptions) -> Result<Self, GraphError> {
        let http = Http::new(&options.http, options.endpoints.graph_root())?;
        Ok(Self::over(Arc::new(http), source, options))
    }

    /// A client over any carrier, for tests.
    pub fn over(exchange: Arc<dyn Exchange>, source: Arc<dyn TokenSource>, options: GraphOptions) -> Self {
        Self {
            transport: Arc::new(Transport {
                endpoints: options.endpoints,
                exchange,
                tokens: TokenCache::new(source),
                queues: Queues::new(options.pace),
                patience: options.patience,
                jitter: options.jitter,
                observer: options.observer,
                sent: AtomicU64::new(0),
            }),
            not_after: None,
        }
    }

    /// This client for writes that leave before a moment or not at all: what they rest on is too old then.
    ///
    /// One that would be late is [`GraphError::TooLate`], and nothing was done.
    #[must_use]
    pub fn not_after(&self, moment: Instant) -> Self {
        Self {
            not_after: Some(moment),
            ..self.clone()
        }
    }

    /// Sends one request: signed in, in its turn, repeated where that is harmless.
    pub async fn send(&self, request: &Request) -> Result<Response, GraphError> {
        self.transport.send(request, self.not_after).await
    }

    /// The hosts.
    pub fn endpoints(&self) -> &Endpoints {
        &self.transport.endpoints
    }

    /// Whether Conditional Access requests wait their turn, as the service demands.
    pub fn is_paced(&self) -> bool {
        self.transport.queues.of(Lane::ConditionalAccess).is_paced()
    }

    /// The least time between two Conditional Access requests.
    pub fn interval(&self) -> Duration {
        self.transport.queues.of(Lane::ConditionalAccess).interval()
    }

    /// How many requests have left so far, repeated ones counted each time.
    pub fn requests_sent(&self) -> u64 {
        self.transport.sent.load(Ordering::Relaxed)
    }

    /// Signs in and says what the token tells about itself; `None` for a token that cannot be read.
    pub async fn claims(&self) -> Result<Option<Claims>, GraphError> {
        Ok(self.transport.tokens.get().await?.0.claims())
    }

    /// The signed-in tenant's id and display name (`GET /organization`).
    pub async fn organization(&self) -> Result<Value, GraphError> {
        let mut found = self
            .list(
                Version::V1,
                "organization",
                &[("$select", "id,displayName,verifiedDomains")],
            )
            .await?;
        if found.len() != 1 {
            return Err(GraphError::Incomplete {
                call: "GET /v1.0/organization".to_owned(),
                what: format!("{} organizations instead of one", found.len()),
                request_id: String::new(),
            });
        }
        Ok(found.remove(0))
    }

    /// Reads one object.
    pub async fn get(
        &self,
        version: Version,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Value, GraphError> {
        let request = with_query(Request::new(Operation::Read, version, path), query);
        let response = self.send(&request).await?;
        body(&request, response)
    }

    /// Reads a whole collection, all pages of it; a page that cannot be read whole is an error.
    pub async fn list(
        &self,
        version: Version,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<Vec<Value>, GraphError> {
        let mut pages = self.pages(version, path, query);
        let mut all = Vec::new();
        while let Some(page) = pages.next().await? {
            all.extend(page);
        }
        Ok(all)
    }

    /// A collection page by page, for what is too long to keep.
    pub fn pages(&self, version: Version, path: &str, query: &[(&str, &str)]) -> Pages {
        Pages::new(
            self.clone(),
            with_query(Request::new(Operation::Read, version, path), query),
        )
    }

    /// Asks Graph's What-If (`POST /identity/conditionalAccess/evaluate`) and gives its `value`.
    pub async fn evaluate(&self, version: Version, sign_in: Value) -> Result<Vec<Value>, GraphError> {
        let request =
            Request::new(Operation::Query, version, "identity/conditionalAccess/evaluate").body(sign_in);
        let response = self.send(&request).await?;
        let request_id = response.request_id.clone();
        match body(&request, response)?.get_mut("value").map(Value::take) {
            Some(Value::Array(results)) => Ok(results),
            _ => Err(incomplete(&request, "it has no `value`", request_id)),
        }
    }
}

fn with_query(mut request: Request, query: &[(&str, &str)]) -> Request {
    for (name, value) in query {
        request = request.query(name, *value);
    }
    request
}

/// The body of an answer that must have one.
pub(crate) fn body(request: &Request, response: Response) -> Result<Value, GraphError> {
    match response.body {
        Some(body) => Ok(body),
        None => Err(incomplete(request, "it has no body", response.request_id)),
    }
}

pub(crate) fn incomplete(
    request: &Request,
    what: impl Into<String>,
    request_id: Option<String>,
) -> GraphError {
    GraphError::Incomplete {
        call: request.call(),
        what: what.into(),
        request_id: request_id.unwrap_or_else(|| "none".to_owned()),
    }
}
