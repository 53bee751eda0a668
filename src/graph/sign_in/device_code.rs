//! A person enters a code in a browser, anywhere.

use super::token_endpoint::{Granted, TokenEndpoint};
use crate::graph::error::SignInError;
use crate::graph::secret::Secret;
use crate::graph::token::{AccessToken, TokenSource};
use futures::future::BoxFuture;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

/// Microsoft's own public application for Graph tools, present in every tenant.
pub const GRAPH_COMMAND_LINE_TOOLS: &str = "14d82eec-204b-4c2f-b7e8-296a70dab67e";

/// What the person is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceCodePrompt {
    /// What to type.
    pub user_code: String,
    /// Where to type it.
    pub verification_uri: String,
    /// How long the code lasts.
    pub lasts: Duration,
}

/// Sign-in with a code.
#[derive(Clone)]
pub struct DeviceCode {
    /// The tenant.
    pub tenant: String,
    /// The public application, [`GRAPH_COMMAND_LINE_TOOLS`] unless the tenant has its own.
    pub client: String,
    /// Delegated permissions to ask for, such as `Policy.ReadWrite.ConditionalAccess`; all that were consented
    /// to when empty.
    pub permissions: Vec<String>,
    /// Shows the code.
    pub prompt: Arc<dyn Fn(&DeviceCodePrompt) + Send + Sync>,
}

impl fmt::Debug for DeviceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCode")
            .field("tenant", &self.tenant)
            .field("client", &self.client)
            .field("permissions", &self.permissions)
            .finish_non_exhaustive()
    }
}

pub(super) struct DeviceCodeSource {
    endpoint: TokenEndpoint,
    code: DeviceCode,
    refresh: Mutex<Option<Secret>>,
}

impl DeviceCodeSource {
    pub(super) fn new(endpoint: TokenEndpoint, code: DeviceCode) -> Self {
        Self {
            endpoint,
            code,
            refresh: Mutex::new(None),
        }
    }

    fn scope(&self) -> String {
        let scope = self.endpoint.scope();
        let audience = scope.trim_end_matches(".default");
        let wanted = match self.code.permissions.as_slice() {
            [] => scope.to_owned(),
            permissions => permissions
                .iter()
                .map(|name| format!("{audience}{name}"))
                .collect::<Vec<_>>()
                .join(" "),
        };
        format!("{wanted} offline_access")
    }

    async fn with_code(&self, scope: &str) -> Result<Granted, SignInError> {
        let answer = self.endpoint.post("devicecode", &[("scope", scope)], &[]).await?;
        let text = |name: &str| answer.get(name).and_then(Value::as_str);
        let seconds = |name: &str, usual: u64| {
            Duration::from_secs(answer.get(name).and_then(Value::as_u64).unwrap_or(usual))
        };
        let (Some(device_code), Some(user_code), Some(verification_uri)) =
            (text("device_code"), text("user_code"), text("verification_uri"))
        else {
            return Err(self.endpoint.not_understood("an answer without a code"));
        };
        let lasts = seconds("expires_in", 900);
        (self.code.prompt)(&DeviceCodePrompt {
            user_code: user_code.to_owned(),
            verification_uri: verification_uri.to_owned(),
            lasts,
        });
        self.poll(
            &Secret::new(device_code),
            seconds("interval", 5),
            Instant::now() + lasts,
        )
        .await
    }

    async fn poll(
        &self,
        device_code: &Secret,
        mut interval: Duration,
        end: Instant,
    ) -> Result<Granted, SignInError> {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", device_code.reveal()),
        ];
        loop {
            sleep(interval).await;
            if Instant::now() >= end {
                return Err(SignInError::DeviceCodeEnded);
            }
            match self.endpoint.token(&form, &[device_code]).await {
                Ok(granted) => return Ok(granted),
                Err(denied) => match denied.word.as_str() {
                    "authorization_pending" => {}
                    "slow_down" => interval += Duration::from_secs(5),
                    "expired_token" => return Err(SignInError::DeviceCodeEnded),
                    _ => return Err(denied.error),
                },
            }
        }
    }

    async fn with_refresh(&self, refresh: &Secret, scope: &str) -> Option<Granted> {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh.reveal()),
            ("scope", scope),
        ];
        self.endpoint.token(&form, &[refresh]).await.ok()
    }
}

impl TokenSource for DeviceCodeSource {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, SignInError>> {
        Box::pin(async move {
            let scope = self.scope();
            let mut refresh = self.refresh.lock().await;
            let renewed = match &*refresh {
                Some(token) => self.with_refresh(token, &scope).await,
                None => None,
            };
            let granted = match renewed {
                Some(granted) => granted,
                None => self.with_code(&scope).await?,
            };
            if granted.refresh.is_some() {
                *refresh = granted.refresh;
            }
            Ok(granted.token)
        })
    }
}
