//! Tokens: where they come from, how long they last.

use super::error::SignInError;
use super::secret::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::BoxFuture;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;
use tokio::time::Instant;

/// A token and the moment it ends, on tokio's clock; `None` when nobody said.
#[derive(Debug, Clone)]
pub struct AccessToken {
    /// The token.
    pub secret: Secret,
    /// When it ends.
    pub expires_at: Option<Instant>,
}

impl AccessToken {
    /// A token that lasts so many seconds from now.
    pub fn lasting(secret: Secret, seconds: u64) -> Self {
        Self {
            secret,
            expires_at: Instant::now().checked_add(Duration::from_secs(seconds)),
        }
    }

    /// What the token says about itself.
    pub fn claims(&self) -> Option<Claims> {
        Claims::read(&self.secret)
    }
}

/// Where tokens come from.
pub trait TokenSource: Send + Sync {
    /// Fetches a new token. Asked again when the last one ended or was refused.
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, SignInError>>;

    /// What to do when Graph refuses the token and no other one can be had.
    fn when_refused(&self) -> &'static str {
        "sign in again"
    }
}

/// How long before its end a token is replaced.
const MARGIN: Duration = Duration::from_mins(5);

/// Keeps one token in memory and replaces it in time.
pub(crate) struct TokenCache {
    source: Arc<dyn TokenSource>,
    current: Mutex<Option<Held>>,
}

#[derive(Clone)]
struct Held {
    token: AccessToken,
    replace_at: Option<Instant>,
}

impl TokenCache {
    pub(crate) fn new(source: Arc<dyn TokenSource>) -> Self {
        Self {
            source,
            current: Mutex::new(None),
        }
    }

    pub(crate) fn source(&self) -> &dyn TokenSource {
        &*self.source
    }

    /// The token to use now; the flag says whether it was just fetched.
    pub(crate) async fn get(&self) -> Result<(AccessToken, bool), SignInError> {
        let mut current = self.current.lock().await;
        if let Some(held) = current.as_ref()
            && held.replace_at.is_none_or(|at| at > Instant::now())
        {
            return Ok((held.token.clone(), false));
        }
        let token = self.source.fetch().await?;
        *current = Some(Held::new(token.clone()));
        Ok((token, true))
    }

    /// Forgets the token that Graph refused, unless another task has replaced it already.
    pub(crate) async fn refuse(&self, refused: &Secret) {
        let mut current = self.current.lock().await;
        if current.as_ref().is_some_and(|held| held.token.secret == *refused) {
            *current = None;
        }
    }
}

impl Held {
    fn new(token: AccessToken) -> Self {
        let now = Instant::now();
        // A short-lived token is used for half of its life, else it would be fetched for each request.
        let replace_at = token.expires_at.map(|end| {
            let life = end.saturating_duration_since(now);
            now + life.saturating_sub(MARGIN).max(life / 2)
        });
        Self { token, replace_at }
    }
}

/// What a token says about itself, unverified. Good for messages and for noticing the wrong tenant; nothing is
/// allowed because of it, and Microsoft may stop making it readable.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Claims {
    /// The tenant (`tid`).
    pub tenant_id: Option<String>,
    /// The application signed in (`appid`, `azp`).
    pub app_id: Option<String>,
    /// The object signed in (`oid`).
    pub object_id: Option<String>,
    /// The user's name, for delegated tokens.
    pub user: Option<String>,
    /// Application permissions (`roles`) or delegated ones (`scp`).
    pub permissions: Vec<String>,
    /// Whether an application is signed in on its own.
    pub application: bool,
}

impl Claims {
    fn read(token: &Secret) -> Option<Self> {
        let payload = token.reveal().split('.').nth(1)?;
        let claims: Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?).ok()?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).map(str::to_owned);
        let scopes = text("scp");
        let permissions = match &scopes {
            Some(scopes) => scopes.split_whitespace().map(str::to_owned).collect(),
            None => claims
                .get("roles")
                .and_then(Value::as_array)
                .map(|roles| {
                    roles
                        .iter()
                        .filter_map(Value::as_str)
                        .map(str::to_owned)
                        .collect()
                })
                .unwrap_or_default(),
        };
        Some(Self {
            tenant_id: text("tid"),
            app_id: text("appid").or_else(|| text("azp")),
            object_id: text("oid"),
            user: text("upn")
                .or_else(|| text("unique_name"))
                .or_else(|| text("preferred_username")),
            permissions,
            application: scopes.is_none(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    struct Counting(AtomicU64, u64);

    impl TokenSource for Counting {
        fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, SignInError>> {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                Ok(AccessToken::lasting(
                    Secret::new(format!("token-{number}")),
                    self.1,
                ))
            })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_replaced_before_it_ends_and_not_earlier() {
        let cache = TokenCache::new(Arc::new(Counting(AtomicU64::new(0), 3600)));
        assert_eq!(cache.get().await.unwrap().0.secret.reveal(), "token-0");
        tokio::time::advance(Duration::from_secs(3200)).await;
        assert_eq!(cache.get().await.unwrap().0.secret.reveal(), "token-0");
        tokio::time::advance(Duration::from_secs(101)).await;
        assert_eq!(cache.get().await.unwrap().0.secret.reveal(), "token-1");
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_lived_token_is_still_used_more_than_once() {
        let cache = TokenCache::new(Arc::new(Counting(AtomicU64::new(0), 60)));
        cache.get().await.unwrap();
        tokio::time::advance(Duration::from_secs(29)).await;
        assert!(!cache.get().await.unwrap().1);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert!(cache.get().await.unwrap().1);
    }

    #[tokio::test(start_paused = true)]
    async fn two_refusals_of_one_token_fetch_one_new_token() {
        let cache = TokenCache::new(Arc::new(Counting(AtomicU64::new(0), 3600)));
        let (old, _) = cache.get().await.unwrap();
        cache.refuse(&old.secret).await;
        cache.get().await.unwrap();
        cache.refuse(&old.secret).await;
        assert_eq!(cache.get().await.unwrap().0.secret.reveal(), "token-1");
    }

    #[test]
    fn claims_tell_an_application_from_a_user() {
        let token = |claims: &str| Secret::new(format!("e30.{}.x", URL_SAFE_NO_PAD.encode(claims)));
        let app = Claims::read(&token(r#"{"tid":"t","appid":"a","roles":["Policy.Read.All"]}"#)).unwrap();
        assert!(app.application);
        assert_eq!(app.permissions, ["Policy.Read.All"]);
        let user = Claims::read(&token(
            r#"{"tid":"t","scp":"Policy.Read.All User.Read","upn":"a@b"}"#,
        ))
        .unwrap();
        assert!(!user.application);
        assert_eq!((user.permissions.len(), user.user.as_deref()), (2, Some("a@b")));
        assert_eq!(Claims::read(&Secret::new("opaque")), None);
    }
}
