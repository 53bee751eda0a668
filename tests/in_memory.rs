//! The embedded tenant without a socket, for tests in virtual time: thousands of applies in seconds.

use std::future::Future;
use std::sync::Arc;

use capol::graph::http::{Exchange, ExchangeError, Incoming, Outgoing};
use capol::graph::{AccessToken, Secret, TokenSource};
use capol::graph::{Cloud, Endpoints, Graph, GraphOptions, Pace, SignInError};
use capol::sandbox::{Clock, Embedded, Sandbox, SandboxOptions};
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, timeout};

/// A clock that starts at `start` and goes as tokio's clock goes: with it paused, as far as everybody waits.
pub(crate) fn tokio_clock(start: Timestamp) -> Clock {
    let begin = Instant::now();
    Arc::new(move || start + SignedDuration::try_from(begin.elapsed()).unwrap())
}

/// A tenant in memory whose time is tokio's, starting at nine on a morning.
pub(crate) fn tenant(options: SandboxOptions) -> Embedded {
    Sandbox::in_memory(SandboxOptions {
        clock: tokio_clock("2026-03-01T09:00:00Z".parse().unwrap()),
        ..options
    })
    .unwrap()
}

/// The engine's client of a tenant in memory. Its tokens are fetched anew whenever one is refused.
pub(crate) fn client(tenant: &Embedded, pace: Pace) -> Graph {
    client_over(tenant, Wire(tenant.clone()), pace)
}

/// The same over something that stands between the two.
pub(crate) fn client_over(tenant: &Embedded, wire: impl Exchange + 'static, pace: Pace) -> Graph {
    let endpoints = Endpoints::new(
        Cloud::Global,
        Some(&tenant.endpoint()),
        Some(&tenant.login_endpoint()),
    )
    .unwrap();
    let options = GraphOptions {
        pace,
        jitter: Arc::new(|| 0.5),
        ..GraphOptions::new(endpoints)
    };
    Graph::over(Arc::new(wire), Arc::new(Tokens(tenant.clone())), options)
}

/// Carries requests to a tenant in memory, and waits as a network would.
#[derive(Debug, Clone)]
pub(crate) struct Wire(pub(crate) Embedded);

impl Exchange for Wire {
    fn exchange(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<Incoming, ExchangeError>> {
        Box::pin(async move {
            let mut headers = outgoing.headers;
            if let Some(bearer) = &outgoing.bearer {
                headers.push(("authorization".to_owned(), format!("Bearer {}", bearer.reveal())));
            }
            let answer = self.0.exchange(
                outgoing.method,
                outgoing.url.as_str(),
                &headers,
                outgoing.body.as_deref(),
            );
            let Ok(reply) = timeout(outgoing.timeout, answer).await else {
                return Err(ExchangeError::Lost("operation timed out".to_owned()));
            };
            if reply.cut.is_some() {
                return Err(ExchangeError::Lost(
                    "connection closed before message completed".to_owned(),
                ));
            }
            Ok(Incoming {
                status: reply.status,
                headers: reply.headers.into_iter().collect(),
                body: reply.body,
            })
        })
    }
}

/// Tokens straight from the tenant.
#[derive(Debug, Clone)]
struct Tokens(Embedded);

impl TokenSource for Tokens {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, SignInError>> {
        let secret = Secret::new(self.0.access_token());
        let seconds = self.0.with_tenant(|tenant| tenant.settings.token_seconds);
        let token = AccessToken::lasting(secret, u64::try_from(seconds).unwrap());
        Box::pin(async move { Ok(token) })
    }
}

/// Runs in virtual time: whoever waits waits for nothing real.
pub(crate) fn in_virtual_time<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap()
        .block_on(work)
}
