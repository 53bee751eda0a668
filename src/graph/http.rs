//! Bytes out, bytes in: the one place that speaks HTTP.

use super::cloud::is_loopback;
use super::error::GraphError;
use super::secret::Secret;
use futures::future::BoxFuture;
use std::collections::BTreeMap;
use std::error::Error;
use std::time::Duration;
use url::Url;

/// How hosts are reached. Proxies come from the system and from `HTTPS_PROXY`, `NO_PROXY`, as everywhere.
#[derive(Debug, Clone, Default)]
pub struct HttpOptions {
    /// More trusted roots beside the system's: the content of a PEM bundle (`SSL_CERT_FILE`).
    pub extra_roots_pem: Option<Vec<u8>>,
}

/// A request ready to send.
#[derive(Debug, Clone)]
pub struct Outgoing {
    /// The HTTP method.
    pub method: &'static str,
    /// The whole address.
    pub url: Url,
    /// Headers; `Authorization` is not among them.
    pub headers: Vec<(String, String)>,
    /// The bearer token.
    pub bearer: Option<Secret>,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// How long to wait for the whole answer.
    pub timeout: Duration,
}

/// A whole answer, whatever its status.
#[derive(Debug, Clone, Default)]
pub struct Incoming {
    /// The HTTP status.
    pub status: u16,
    /// Headers by lower-case name.
    pub headers: BTreeMap<String, String>,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

impl Incoming {
    /// A header by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExchangeError {
    /// No connection: the request surely did not arrive.
    NotSent(String),
    /// The other side's certificate is not trusted: trying again will not help.
    Certificate(String),
    /// The request left, the answer did not come whole: nobody knows what happened.
    Lost(String),
}

/// Something that carries a request to a server. Tests put a script here.
pub trait Exchange: Send + Sync {
    /// Sends one request and reads the whole answer. Never repeats, never follows redirects.
    fn exchange(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<Incoming, ExchangeError>>;
}

/// The real network, through reqwest and rustls.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
}

impl Http {
    /// A client for the host of `root`.
    pub fn new(options: &HttpOptions, root: &Url) -> Result<Self, GraphError> {
        Ok(Self {
            client: client(options, root)?,
        })
    }
}

/// A reqwest client for the host of `root`: no redirects; on loopback no proxy and no certificates.
pub(crate) fn client(options: &HttpOptions, root: &Url) -> Result<reqwest::Client, GraphError> {
    // The second call in a process returns the provider it was given: already installed is what is wanted.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("capol/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(Duration::from_secs(20))
        .redirect(reqwest::redirect::Policy::none());
    let extra = match &options.extra_roots_pem {
        Some(pem) => roots(pem)?,
        None => Vec::new(),
    };
    if is_loopback(root) {
        builder = builder.no_proxy().tls_certs_only(extra);
    } else if !extra.is_empty() {
        builder = builder.tls_certs_merge(extra);
    }
    builder.build().map_err(|error| GraphError::Tls {
        cause: causes(&error),
    })
}

fn roots(pem: &[u8]) -> Result<Vec<reqwest::Certificate>, GraphError> {
    let certificates = reqwest::Certificate::from_pem_bundle(pem).map_err(|error| GraphError::Tls {
        cause: format!("the extra roots are not PEM: {}", causes(&error)),
    })?;
    if certificates.is_empty() {
        return Err(GraphError::Tls {
            cause: "the extra roots hold no certificate".to_owned(),
        });
    }
    Ok(certificates)
}

impl Exchange for Http {
    fn exchange(&self, outgoing: Outgoing) -> BoxFuture<'_, Result<Incoming, ExchangeError>> {
        Box::pin(async move {
            let method = reqwest::Method::from_bytes(outgoing.method.as_bytes())
                .map_err(|error| ExchangeError::NotSent(error.to_string()))?;
            let mut request = self
                .client
                .request(method, outgoing.url)
                .timeout(outgoing.timeout);
            for (name, value) in outgoing.headers {
                request = request.header(name, value);
            }
            if let Some(bearer) = &outgoing.bearer {
                request = request.bearer_auth(bearer.reveal());
            }
            if let Some(body) = outgoing.body {
                request = request.body(body);
            }
            let answer = request.send().await.map_err(classify)?;
            let status = answer.status().as_u16();
            let headers = answer
                .headers()
                .iter()
                .map(|(name, value)| {
                    (
                        name.as_str().to_owned(),
                        String::from_utf8_lossy(value.as_bytes()).into_owned(),
                    )
                })
                .collect();
            let body = answer
                .bytes()
                .await
                .map_err(|error| ExchangeError::Lost(causes(&error.without_url())))?;
            Ok(Incoming {
                status,
                headers,
                body: body.to_vec(),
            })
        })
    }
}

fn classify(error: reqwest::Error) -> ExchangeError {
    let error = error.without_url();
    let text = causes(&error);
    if error.is_connect() && text.contains("certificate") {
        ExchangeError::Certificate(text)
    } else if error.is_connect() || error.is_builder() {
        ExchangeError::NotSent(text)
    } else {
        ExchangeError::Lost(text)
    }
}

/// An error and what is behind it, in one line, without repeating itself.
pub(crate) fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let more = inner.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = inner.source();
    }
    text
}
