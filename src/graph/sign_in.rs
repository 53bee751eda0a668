//! Ways to sign in.

use super::error::SignInError;
use super::secret::Secret;
use super::token::{AccessToken, TokenSource};
use futures::future::BoxFuture;

/// A token somebody else fetched (`CAPOL_ACCESS_TOKEN`), used as it is.
#[derive(Debug, Clone)]
pub struct GivenToken(Secret);

impl GivenToken {
    /// Takes the token.
    pub fn new(token: Secret) -> Self {
        Self(token)
    }
}

impl TokenSource for GivenToken {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, SignInError>> {
        Box::pin(async move {
            Ok(AccessToken {
                secret: self.0.clone(),
                expires_at: None,
            })
        })
    }

    fn when_refused(&self) -> &'static str {
        "the token in `CAPOL_ACCESS_TOKEN` has ended or is for another tenant or audience: fetch a new one"
    }
}
