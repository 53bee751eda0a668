//! Entra's token endpoint: a form goes out, a token or an explained refusal comes back.

use super::entra_errors;
use crate::graph::client::GraphOptions;
use crate::graph::error::{GraphError, SignInError};
use crate::graph::http::{Exchange, ExchangeError, Incoming, Outgoing, causes};
use crate::graph::patience::{Jitter, Patience};
use crate::graph::request::encode;
use crate::graph::secret::Secret;
use crate::graph::service_error::{excerpt, retry_after, tidy};
use crate::graph::token::AccessToken;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;
use url::Url;

/// The endpoint of one tenant for one application.
pub(super) struct TokenEndpoint {
    exchange: Arc<dyn Exchange>,
    root: Url,
    scope: String,
    client: String,
    patience: Patience,
    jitter: Jitter,
}

/// What a granted request gives.
pub(super) struct Granted {
    pub(super) token: AccessToken,
    pub(super) refresh: Option<Secret>,
}

/// A request that was not granted: OAuth's own word, and the whole story.
pub(super) struct Denied {
    pub(super) word: String,
    pub(super) error: SignInError,
}

impl From<SignInError> for Denied {
    fn from(error: SignInError) -> Self {
        Self {
            word: String::new(),
            error,
        }
    }
}

impl From<Denied> for SignInError {
    fn from(denied: Denied) -> Self {
        denied.error
    }
}

impl TokenEndpoint {
    pub(super) fn new(
        exchange: Arc<dyn Exchange>,
        options: &GraphOptions,
        tenant: &str,
        client: &str,
    ) -> Result<Self, GraphError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        if tenant.is_empty() || !tenant.chars().all(plain) {
            return Err(GraphError::from(SignInError::Setup {
                how: "an application or a device code",
                problem: format!("`{tenant}` is not a tenant"),
                help: "write the tenant's id, or a domain of it such as contoso.onmicrosoft.com".to_owned(),
            }));
        }
        Ok(Self {
            exchange,
            root: options
                .endpoints
                .authority_url(&format!("{tenant}/oauth2/v2.0/"))?,
            scope: options.endpoints.scope(),
            client: client.to_owned(),
            patience: options.patience,
            jitter: Arc::clone(&options.jitter),
        })
    }

    /// The address that an assertion is made out to.
    pub(super) fn token_url(&self) -> Result<Url, SignInError> {
        self.address("token")
    }

    pub(super) fn client(&self) -> &str {
        &self.client
    }

    pub(super) fn scope(&self) -> &str {
        &self.scope
    }

    /// A good answer that lacks what it should have.
    pub(super) fn not_understood(&self, what: &str) -> SignInError {
        SignInError::Answer {
            host: self.host(),
            status: 200,
            excerpt: what.to_owned(),
        }
    }

    /// Asks for a token of the usual scope. `secrets` are taken out of whatever comes back.
    pub(super) async fn token(&self, form: &[(&str, &str)], secrets: &[&Secret]) -> Result<Granted, Denied> {
        let mut fields = form.to_vec();
        if !form.iter().any(|(name, _)| *name == "scope") {
            fields.push(("scope", &self.scope));
        }
        let answer = self.post("token", &fields, secrets).await?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let seconds = match answer.get("expires_in") {
            Some(Value::String(text)) => text.parse().ok(),
            Some(number) => number.as_u64(),
            None => None,
        };
        let (Some(token), Some(seconds)) = (text("access_token").filter(|token| !token.is_empty()), seconds)
        else {
            return Err(Denied::from(
                self.not_understood("a grant without a token or without its time"),
            ));
        };
        Ok(Granted {
            token: AccessToken::lasting(Secret::new(token), seconds),
            refresh: text("refresh_token").map(Secret::new),
        })
    }

    /// Posts a form to `{tenant}/oauth2/v2.0/{name}`; repeats it when the network or the service fails.
    pub(super) async fn post(
        &self,
        name: &str,
        form: &[(&str, &str)],
        secrets: &[&Secret],
    ) -> Result<Value, Denied> {
        let mut body = format!("client_id={}", encode(&self.client));
        for (field, value) in form {
            body.push('&');
            body.push_str(field);
            body.push('=');
            body.push_str(&encode(value));
        }
        let outgoing = Outgoing {
            method: "POST",
            url: self.address(name)?,
            headers: vec![
                (
                    "Content-Type".to_owned(),
                    "application/x-www-form-urlencoded".to_owned(),
                ),
                ("Accept".to_owned(), "application/json".to_owned()),
            ],
            bearer: None,
            body: Some(body.into_bytes()),
            timeout: Duration::from_secs(30),
        };
        let incoming = patiently(&*self.exchange, &outgoing, self.patience, &self.jitter).await?;
        self.judge(&incoming, secrets)
    }

    fn judge(&self, incoming: &Incoming, secrets: &[&Secret]) -> Result<Value, Denied> {
        let body: Option<Value> = serde_json::from_slice(&incoming.body).ok();
        if let Some(body) = &body
            && (200..300).contains(&incoming.status)
            && body.is_object()
        {
            return Ok(body.clone());
        }
        let scrub = |text: &str| {
            secrets
                .iter()
                .fold(text.to_owned(), |text, secret| secret.scrub(&text))
        };
        match body
            .as_ref()
            .and_then(|body| body.get("error"))
            .and_then(Value::as_str)
        {
            Some(word) => Err(Denied {
                word: word.to_owned(),
                error: entra_errors::refused(word, body.as_ref().unwrap_or(&Value::Null), &scrub),
            }),
            None => Err(Denied::from(SignInError::Answer {
                host: self.host(),
                status: incoming.status,
                excerpt: tidy(&scrub(&excerpt(&incoming.body))),
            })),
        }
    }

    fn address(&self, name: &str) -> Result<Url, SignInError> {
        self.root.join(name).map_err(|error| SignInError::Unreachable {
            host: self.host(),
            cause: causes(&error),
        })
    }

    fn host(&self) -> String {
        self.root.host_str().unwrap_or_default().to_owned()
    }
}

/// Sends a request that does no harm twice, until it is answered or patience ends.
pub(super) async fn patiently(
    exchange: &dyn Exchange,
    outgoing: &Outgoing,
    patience: Patience,
    jitter: &Jitter,
) -> Result<Incoming, SignInError> {
    let host = outgoing.url.host_str().unwrap_or_default().to_owned();
    let mut again = 0;
    loop {
        again += 1;
        let last = again > patience.failed;
        let mut told = None;
        match exchange.exchange(outgoing.clone()).await {
            Ok(incoming) if !last && (incoming.status == 429 || incoming.status >= 500) => {
                told = retry_after(&incoming);
            }
            Ok(incoming) => return Ok(incoming),
            Err(ExchangeError::Certificate(cause)) => return Err(SignInError::Unreachable { host, cause }),
            Err(ExchangeError::NotSent(cause) | ExchangeError::Lost(cause)) if last => {
                return Err(SignInError::Unreachable { host, cause });
            }
            Err(ExchangeError::NotSent(_) | ExchangeError::Lost(_)) => {}
        }
        let wait = told
            .filter(|told| *told <= patience.longest_told)
            .unwrap_or_else(|| patience.wait(again, jitter()));
        sleep(wait).await;
    }
}
