//! Workload identity federation: another issuer's token is exchanged for one of Entra's.

use super::token_endpoint::{TokenEndpoint, patiently};
use crate::graph::cloud::{Cloud, Endpoints, is_loopback};
use crate::graph::error::SignInError;
use crate::graph::http::{Exchange, Outgoing};
use crate::graph::patience::{Patience, random_jitter};
use crate::graph::secret::Secret;
use crate::graph::service_error::excerpt;
use crate::graph::token::{AccessToken, TokenSource};
use futures::future::BoxFuture;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// What the form field of an assertion is called.
pub(super) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Where the other issuer's token comes from. It is fetched anew each time: it lives for minutes.
#[derive(Debug, Clone)]
pub enum FederatedToken {
    /// A file that something else keeps fresh (Kubernetes).
    File(PathBuf),
    /// GitHub Actions.
    GitHub {
        /// `ACTIONS_ID_TOKEN_REQUEST_URL`.
        url: String,
        /// `ACTIONS_ID_TOKEN_REQUEST_TOKEN`.
        token: Secret,
    },
    /// Azure Pipelines.
    AzurePipelines {
        /// `SYSTEM_OIDCREQUESTURI`.
        url: String,
        /// The id of the service connection.
        service_connection: String,
        /// `SYSTEM_ACCESSTOKEN`.
        token: Secret,
    },
}

pub(super) struct FederatedSource {
    endpoint: TokenEndpoint,
    token: FederatedToken,
    exchange: Arc<dyn Exchange>,
    audience: &'static str,
}

impl FederatedSource {
    pub(super) fn new(
        endpoint: TokenEndpoint,
        token: FederatedToken,
        exchange: Arc<dyn Exchange>,
        endpoints: &Endpoints,
    ) -> Self {
        Self {
            endpoint,
            token,
            exchange,
            audience: audience(endpoints),
        }
    }

    async fn assertion(&self) -> Result<Secret, SignInError> {
        match &self.token {
            FederatedToken::File(path) => read_file(path),
            FederatedToken::GitHub { url, token } => {
                let mut url = issuer(url, "ACTIONS_ID_TOKEN_REQUEST_URL")?;
                url.query_pairs_mut().append_pair("audience", self.audience);
                self.ask(outgoing("GET", url, token), "value").await
            }
            FederatedToken::AzurePipelines {
                url,
                service_connection,
                token,
            } => {
                let mut url = issuer(url, "SYSTEM_OIDCREQUESTURI")?;
                url.query_pairs_mut()
                    .append_pair("api-version", "7.1")
                    .append_pair("serviceConnectionId", service_connection);
                let mut outgoing = outgoing("POST", url, token);
                outgoing
                    .headers
                    .push(("X-TFS-FedAuthRedirect".to_owned(), "Suppress".to_owned()));
                outgoing
                    .headers
                    .push(("Content-Type".to_owned(), "application/json".to_owned()));
                outgoing.body = Some(Vec::new());
                self.ask(outgoing, "oidcToken").await
            }
        }
    }

    async fn ask(&self, outgoing: Outgoing, member: &str) -> Result<Secret, SignInError> {
        let bearer = outgoing.bearer.clone();
        let host = outgoing.url.host_str().unwrap_or_default().to_owned();
        let incoming = patiently(&*self.exchange, &outgoing, Patience::default(), &random_jitter()).await?;
        let body: Option<Value> = serde_json::from_slice(&incoming.body).ok();
        let token = body
            .as_ref()
            .and_then(|body| body.get(member))
            .and_then(Value::as_str)
            .map(Secret::new);
        token
            .filter(|token| incoming.status == 200 && !token.is_empty())
            .ok_or_else(|| {
                let text = excerpt(&incoming.body);
                let excerpt = bearer.map_or(text.clone(), |bearer| bearer.scrub(&text));
                SignInError::Answer {
                    host,
                    status: incoming.status,
                    excerpt,
                }
            })
    }
}

impl TokenSource for FederatedSource {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, SignInError>> {
        Box::pin(async move {
            let assertion = self.assertion().await?;
            let form = [
                ("grant_type", "client_credentials"),
                ("client_assertion_type", ASSERTION_TYPE),
                ("client_assertion", assertion.reveal()),
            ];
            Ok(self.endpoint.token(&form, &[&assertion]).await?.token)
        })
    }
}

/// The audience that Entra expects in another issuer's token, by cloud.
///
/// Source: Microsoft Entra workload identity federation documentation.
fn audience(endpoints: &Endpoints) -> &'static str {
    let is = |cloud: Cloud| endpoints.audience() == cloud.graph_root();
    if is(Cloud::UsGov) || is(Cloud::UsGovDod) {
        "api://AzureADTokenExchangeUSGov"
    } else if is(Cloud::China) {
        "api://AzureADTokenExchangeChina"
    } else {
        "api://AzureADTokenExchange"
    }
}

/// The address of a pipeline's issuer; a token goes there, so it must be encrypted.
fn issuer(url: &str, variable: &str) -> Result<Url, SignInError> {
    Url::parse(url)
        .ok()
        .filter(|url| url.scheme() == "https" || is_loopback(url))
        .ok_or_else(|| SignInError::Setup {
            how: "workload identity federation",
            problem: format!("`{variable}` is not an https address"),
            help: "let the pipeline set it: on GitHub, give the job `permissions: id-token: write`"
                .to_owned(),
        })
}

fn outgoing(method: &'static str, url: Url, token: &Secret) -> Outgoing {
    Outgoing {
        method,
        url,
        headers: vec![("Accept".to_owned(), "application/json".to_owned())],
        bearer: Some(token.clone()),
        body: None,
        timeout: Duration::from_secs(30),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the platform replaces the token in this file while we run"
)]
fn read_file(path: &std::path::Path) -> Result<Secret, SignInError> {
    let problem = |problem: String| SignInError::Setup {
        how: "workload identity federation",
        problem,
        help: "let `AZURE_FEDERATED_TOKEN_FILE` name the file with the platform's token".to_owned(),
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| problem(format!("`{}` cannot be read: {error}", path.display())))?;
    let token = Secret::new(text);
    if token.is_empty() {
        Err(problem(format!("`{}` is empty", path.display())))
    } else {
        Ok(token)
    }
}
