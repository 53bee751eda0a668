//! Managed identities and the Azure CLI, through azure_identity.

use super::Clock;
use crate::graph::cloud::Endpoints;
use crate::graph::error::{GraphError, SignInError};
use crate::graph::http::{HttpOptions, client};
use crate::graph::secret::Secret;
use crate::graph::service_error::tidy;
use crate::graph::token::{AccessToken, TokenSource};
use azure_core::credentials::TokenCredential;
use azure_core::http::{ClientOptions, Transport};
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId,
};
use futures::future::BoxFuture;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;
use url::Url;

const CLI_HELP: &str = "run `az login --tenant TENANT`, or set `AZURE_CLIENT_ID`, `AZURE_TENANT_ID` and `AZURE_CLIENT_SECRET` for an application";
const IDENTITY_HELP: &str = "run on an Azure machine that has a managed identity; for a user-assigned one set `AZURE_CLIENT_ID` to its client id";

/// How long a machine without an identity is asked for one.
const LONGEST: Duration = Duration::from_mins(2);

struct AzureSource {
    credential: Arc<dyn TokenCredential>,
    scope: String,
    how: &'static str,
    help: &'static str,
    clock: Clock,
}

/// The managed identity of the machine this runs on.
pub(super) fn managed_identity(
    client_id: Option<String>,
    endpoints: &Endpoints,
    clock: Clock,
) -> Result<Arc<dyn TokenSource>, GraphError> {
    // The identity endpoint is on the machine or link-local: no proxy, no public roots.
    let local = Url::parse("http://127.0.0.1/").map_err(|error| GraphError::Internal {
        what: error.to_string(),
    })?;
    let transport = Transport::new(Arc::new(client(&HttpOptions::default(), &local)?));
    let options = ManagedIdentityCredentialOptions {
        user_assigned_id: client_id.map(UserAssignedId::ClientId),
        client_options: ClientOptions {
            transport: Some(transport),
            ..ClientOptions::default()
        },
    };
    let how = "the managed identity";
    let credential =
        ManagedIdentityCredential::new(Some(options)).map_err(|error| failed(how, IDENTITY_HELP, &error))?;
    Ok(Arc::new(AzureSource {
        credential,
        scope: endpoints.scope(),
        how,
        help: IDENTITY_HELP,
        clock,
    }))
}

/// Whoever is signed in to the Azure CLI.
pub(super) fn cli(
    tenant_id: Option<String>,
    endpoints: &Endpoints,
    clock: Clock,
) -> Result<Arc<dyn TokenSource>, GraphError> {
    let options = AzureCliCredentialOptions {
        tenant_id,
        ..AzureCliCredentialOptions::default()
    };
    let how = "the Azure CLI";
    let credential = AzureCliCredential::new(Some(options)).map_err(|error| failed(how, CLI_HELP, &error))?;
    Ok(Arc::new(AzureSource {
        credential,
        scope: endpoints.scope(),
        how,
        help: CLI_HELP,
        clock,
    }))
}

fn failed(how: &'static str, help: &'static str, error: &azure_core::Error) -> SignInError {
    let text = error.to_string();
    // The crate's own advice names options of the crate, not of capol.
    let message = text.split("\nTo troubleshoot").next().unwrap_or_default();
    SignInError::Azure {
        how,
        message: tidy(message),
        help,
    }
}

impl TokenSource for AzureSource {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, SignInError>> {
        Box::pin(async move {
            let answer = timeout(LONGEST, self.credential.get_token(&[&self.scope], None))
                .await
                .map_err(|_| SignInError::Azure {
                    how: self.how,
                    message: "no answer in two minutes".to_owned(),
                    help: self.help,
                })?;
            let token = answer.map_err(|error| failed(self.how, self.help, &error))?;
            let left = token
                .expires_on
                .unix_timestamp()
                .saturating_sub((self.clock)().as_second());
            Ok(AccessToken::lasting(
                Secret::new(token.token.secret()),
                u64::try_from(left).unwrap_or(0),
            ))
        })
    }

    fn when_refused(&self) -> &'static str {
        self.help
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use azure_core::credentials::TokenRequestOptions;
    use azure_core::time::OffsetDateTime;
    use tokio::time::Instant;

    /// A credential with one answer.
    #[derive(Debug)]
    struct One(Result<i64, &'static str>);

    impl TokenCredential for One {
        fn get_token<'this, 'scopes, 'scope, 'options, 'all>(
            &'this self,
            scopes: &'scopes [&'scope str],
            _: Option<TokenRequestOptions<'options>>,
        ) -> BoxFuture<'all, azure_core::Result<azure_core::credentials::AccessToken>>
        where
            'this: 'all,
            'scopes: 'all,
            'scope: 'all,
            'options: 'all,
        {
            assert_eq!(scopes, ["https://graph.microsoft.com/.default"]);
            let answer = match self.0 {
                Ok(end) => Ok(azure_core::credentials::AccessToken::new(
                    "token",
                    OffsetDateTime::from_unix_timestamp(end).unwrap(),
                )),
                Err(message) => Err(azure_core::Error::with_message(
                    azure_core::error::ErrorKind::Credential,
                    message,
                )),
            };
            Box::pin(async move { answer })
        }
    }

    fn source(answer: Result<i64, &'static str>) -> AzureSource {
        AzureSource {
            credential: Arc::new(One(answer)),
            scope: "https://graph.microsoft.com/.default".to_owned(),
            how: "the Azure CLI",
            help: CLI_HELP,
            clock: Arc::new(|| jiff::Timestamp::from_second(1_000).unwrap()),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_lasts_as_long_as_the_cli_says() {
        let token = source(Ok(1_900)).fetch().await.unwrap();
        assert_eq!(token.secret.reveal(), "token");
        assert_eq!(
            token.expires_at.unwrap() - Instant::now(),
            Duration::from_mins(15)
        );
    }

    #[tokio::test]
    async fn what_the_cli_says_is_kept_and_the_crates_own_advice_is_not() {
        let said = "Please run 'az login'\nTo troubleshoot, visit https://aka.ms/azsdk";
        let error = source(Err(said)).fetch().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the Azure CLI gave no token: Please run 'az login'"
        );
    }
}
