//! Ways to sign in: which one the surroundings ask for, and what each needs.
//!
//! Tokens of a secret, a certificate, a federated token or a device code are asked for here, so that any sign-in
//! endpoint can be used (azure_identity accepts none on plain loopback) and every answer keeps its trace id.
//! Managed identities and the Azure CLI go through azure_identity.

mod azure;
mod certificate;
mod device_code;
mod entra_errors;
mod environment;
mod federated;
mod token_endpoint;

pub use device_code::{DeviceCode, DeviceCodePrompt, GRAPH_COMMAND_LINE_TOOLS};
pub use federated::FederatedToken;

use super::client::GraphOptions;
use super::error::{GraphError, SignInError};
use super::http::{Exchange, Http};
use super::secret::Secret;
use super::token::{AccessToken, TokenSource};
use futures::future::BoxFuture;
use std::path::PathBuf;
use std::sync::Arc;
use token_endpoint::TokenEndpoint;

/// The time of day, for assertions that are valid for minutes only.
pub type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// The computer's clock. Entra judges assertions by real time, so nothing else fits outside tests.
#[expect(
    clippy::disallowed_methods,
    reason = "an assertion's validity is real time, whatever time a plan is made for"
)]
pub fn system_clock() -> Clock {
    Arc::new(jiff::Timestamp::now)
}

/// A way to sign in, with all it needs.
#[derive(Debug, Clone)]
pub enum SignIn {
    /// A token somebody else fetched, used as it is.
    AccessToken(Secret),
    /// An application with a client secret.
    ClientSecret {
        /// The tenant.
        tenant: String,
        /// The application.
        client: String,
        /// Its secret.
        secret: Secret,
    },
    /// An application with a certificate: a PEM file with the certificate and its private key.
    Certificate {
        /// The tenant.
        tenant: String,
        /// The application.
        client: String,
        /// The PEM file.
        path: PathBuf,
    },
    /// An application that trusts another issuer's token (workload identity federation).
    Federated {
        /// The tenant.
        tenant: String,
        /// The application.
        client: String,
        /// Where the other issuer's token comes from.
        token: FederatedToken,
    },
    /// The managed identity of the Azure machine this runs on.
    ManagedIdentity {
        /// The application id of a user-assigned identity.
        client: Option<String>,
    },
    /// Whoever is signed in to the Azure CLI. Its tokens lack some Graph permissions.
    AzureCli {
        /// The tenant, when it is not the CLI's own default.
        tenant: Option<String>,
    },
    /// A person who enters a code in a browser.
    DeviceCode(DeviceCode),
}

impl SignIn {
    /// Which way the environment asks for, in the order of the Azure SDKs: `CAPOL_ACCESS_TOKEN`, then the
    /// application in `AZURE_CLIENT_ID` with a secret, a certificate or a federated token, then a managed
    /// identity, then the Azure CLI. `AZURE_TOKEN_CREDENTIALS` names one way outright. `tenant` wins over
    /// `AZURE_TENANT_ID`. An application that is set up by half is an error, not a reason to try the next way.
    pub fn from_environment(
        variable: &dyn Fn(&str) -> Option<String>,
        tenant: Option<&str>,
    ) -> Result<Self, SignInError> {
        environment::choose(variable, tenant)
    }

    /// The way that the project names: `cli`, `device_code`, `secret`, `certificate`, `workload_identity` or
    /// `managed_identity`. Its details come from the environment; `CAPOL_ACCESS_TOKEN` wins. What the way needs and
    /// the environment lacks is an error, not a reason to try another.
    pub fn named(
        way: &str,
        variable: &dyn Fn(&str) -> Option<String>,
        tenant: Option<&str>,
        prompt: Arc<dyn Fn(&DeviceCodePrompt) + Send + Sync>,
    ) -> Result<Self, SignInError> {
        environment::named(way, variable, tenant, prompt)
    }

    /// What to call it in a sentence.
    pub fn describe(&self) -> &'static str {
        match self {
            Self::AccessToken(_) => "the token in `CAPOL_ACCESS_TOKEN`",
            Self::ClientSecret { .. } => "a client secret",
            Self::Certificate { .. } => "a certificate",
            Self::Federated { .. } => "workload identity federation",
            Self::ManagedIdentity { .. } => "a managed identity",
            Self::AzureCli { .. } => "the Azure CLI",
            Self::DeviceCode(_) => "a device code",
        }
    }

    /// The source of tokens that this way means.
    pub fn source(self, options: &GraphOptions, clock: Clock) -> Result<Arc<dyn TokenSource>, GraphError> {
        let http = Http::new(&options.http, options.endpoints.authority())?;
        self.source_over(Arc::new(http), options, clock)
    }

    /// The same over any carrier, for tests. Managed identities and the Azure CLI do not use it.
    pub fn source_over(
        self,
        exchange: Arc<dyn Exchange>,
        options: &GraphOptions,
        clock: Clock,
    ) -> Result<Arc<dyn TokenSource>, GraphError> {
        let endpoint =
            |tenant: &str, client: &str| TokenEndpoint::new(Arc::clone(&exchange), options, tenant, client);
        Ok(match self {
            Self::AccessToken(token) => Arc::new(GivenToken(token)),
            Self::ClientSecret {
                tenant,
                client,
                secret,
            } => Arc::new(SecretSource {
                endpoint: endpoint(&tenant, &client)?,
                secret,
            }),
            Self::Certificate { tenant, client, path } => {
                let endpoint = endpoint(&tenant, &client)?;
                Arc::new(certificate::CertificateSource::read(endpoint, &path, clock)?)
            }
            Self::Federated {
                tenant,
                client,
                token,
            } => {
                let endpoint = endpoint(&tenant, &client)?;
                Arc::new(federated::FederatedSource::new(
                    endpoint,
                    token,
                    exchange,
                    &options.endpoints,
                ))
            }
            Self::ManagedIdentity { client } => azure::managed_identity(client, &options.endpoints, clock)?,
            Self::AzureCli { tenant } => azure::cli(tenant, &options.endpoints, clock)?,
            Self::DeviceCode(code) => {
                let endpoint = endpoint(&code.tenant, &code.client)?;
                Arc::new(device_code::DeviceCodeSource::new(endpoint, code))
            }
        })
    }
}

struct GivenToken(Secret);

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
        "the token in `CAPOL_ACCESS_TOKEN` has ended, or is for another tenant or audience: fetch a new one"
    }
}

struct SecretSource {
    endpoint: TokenEndpoint,
    secret: Secret,
}

impl TokenSource for SecretSource {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, SignInError>> {
        Box::pin(async move {
            let form = [
                ("grant_type", "client_credentials"),
                ("client_secret", self.secret.reveal()),
            ];
            Ok(self.endpoint.token(&form, &[&self.secret]).await?.token)
        })
    }
}
