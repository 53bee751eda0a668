//! The tenant behind HTTP.

use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::ConnectInfo;
use axum::extract::Request;
use axum::extract::State;
use axum::http::Response;
use axum::http::uri::PathAndQuery;
use futures::StreamExt;
use futures::stream;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::SandboxError;
use super::connection::Cutter;
use super::connection::Listener;
use super::embedded::Cut;
use super::embedded::Embedded;
use super::embedded::Reply;
use super::faults::Faults;
use super::tenant::Tenant;
use super::tls::Identity;

/// Where the tenant takes the time from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The largest body that a request may have.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// How long a connection that a client keeps open holds up the end of the server.
const PATIENCE: Duration = Duration::from_millis(200);

/// Where a tenant without a socket is said to be: an address on loopback at which nobody listens.
const NOWHERE: &str = "http://127.0.0.1:1";

/// How to start a tenant.
pub struct SandboxOptions {
    /// The tenant to start with if there is no file yet.
    pub tenant: Tenant,
    /// The file the tenant is read from and kept in; without one it lives in memory.
    pub path: Option<PathBuf>,
    /// The port on loopback; 0 takes a free one.
    pub port: u16,
    /// Where the tenant takes the time from.
    pub clock: Clock,
    /// Trouble on order.
    pub faults: Faults,
    /// The only client secret that is accepted; any if there is none.
    pub client_secret: Option<String>,
    /// Whether it speaks TLS, with a certificate made at its start.
    pub tls: bool,
}

impl Default for SandboxOptions {
    fn default() -> Self {
        Self {
            tenant: Tenant::contoso(),
            path: None,
            port: 0,
            clock: Arc::new(system_time),
            faults: Faults::none(),
            client_secret: None,
            tls: false,
        }
    }
}

impl fmt::Debug for SandboxOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SandboxOptions")
            .field("path", &self.path)
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the tenant's own clock, replaced by tests"
)]
fn system_time() -> Timestamp {
    Timestamp::now()
}

/// The embedded tenant as a server.
#[derive(Debug)]
pub struct Sandbox;

/// A tenant that is serving; what [`Embedded`] offers is there too. Dropping it stops the server.
pub struct Running {
    tenant: Embedded,
    authority_pem: Option<String>,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Deref for Running {
    type Target = Embedded;

    fn deref(&self) -> &Embedded {
        &self.tenant
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Running")
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts serving on loopback.
    ///
    /// # Errors
    /// The port is taken, the tenant's file cannot be read, or no certificate can be made.
    pub async fn start(options: SandboxOptions) -> Result<Running, SandboxError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))
            .await
            .map_err(SandboxError::Listen)?;
        let address = listener.local_addr().map_err(SandboxError::Listen)?;
        let (scheme, identity) = if options.tls {
            ("https", Some(Identity::new()?))
        } else {
            ("http", None)
        };
        let (acceptor, authority_pem) = identity
            .map(|identity| (identity.acceptor, identity.authority_pem))
            .unzip();
        let tenant = Embedded::open(options, format!("{scheme}://{address}"))?;
        let router = Router::new().fallback(serve).with_state(tenant.clone());
        let (stop, stopped) = oneshot::channel::<()>();
        let service = router.into_make_service_with_connect_info::<Cutter>();
        let task = tokio::spawn(async move {
            let server =
                axum::serve(Listener::new(listener, acceptor), service).with_graceful_shutdown(async {
                    // Either the word to stop or the loss of whoever could give it.
                    let _ = stopped.await;
                });
            if let Err(error) = server.await {
                tracing::error!(%error, "the embedded tenant stopped serving");
            }
        });
        Ok(Running {
            tenant,
            authority_pem,
            stop: Some(stop),
            task,
        })
    }

    /// Opens a tenant without a socket: whoever holds it asks it directly, and its port means nothing.
    ///
    /// # Errors
    /// The tenant's file cannot be read.
    pub fn in_memory(options: SandboxOptions) -> Result<Embedded, SandboxError> {
        Embedded::open(options, NOWHERE.to_owned())
    }
}

impl Running {
    /// Returns the certificate that clients have to trust, as PEM; none when it does not speak TLS.
    pub fn authority_pem(&self) -> Option<&str> {
        self.authority_pem.as_deref()
    }

    /// Stops accepting, lets requests under way finish, and returns when the server is gone.
    pub async fn shutdown(mut self) {
        drop(self.stop.take());
        let _ = tokio::time::timeout(PATIENCE, &mut self.task).await;
    }

    /// Returns when the server has ended by itself, which it does only on failure.
    pub async fn wait(mut self) {
        let _ = (&mut self.task).await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    State(tenant): State<Embedded>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
) -> Response<HttpBody> {
    let (head, body) = request.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return http(Reply {
            status: 413,
            ..Reply::default()
        });
    };
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect();
    let target = head
        .uri
        .path_and_query()
        .map_or_else(|| head.uri.path(), PathAndQuery::as_str);
    let reply = tenant
        .exchange(head.method.as_str(), target, &headers, Some(&bytes))
        .await;
    if reply.cut == Some(Cut::BeforeAnswer) {
        cutter.cut();
    }
    http(reply)
}

fn http(reply: Reply) -> Response<HttpBody> {
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    let body = match reply.cut {
        Some(Cut::WithinBody { sent, chunked }) => {
            if !chunked {
                response = response.header("content-length", reply.body.len());
            }
            cut_body(reply.body, sent)
        }
        _ => HttpBody::from(reply.body),
    };
    response
        .body(body)
        .unwrap_or_else(|_| Response::new(HttpBody::empty()))
}

/// Returns the first bytes of a body, and then the end of the connection.
fn cut_body(mut body: Vec<u8>, sent: usize) -> HttpBody {
    body.truncate(sent);
    let first = stream::iter([Ok(body)]);
    // What was sent leaves before the end comes.
    let end = stream::once(async {
        tokio::task::yield_now().await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    HttpBody::from_stream(first.chain(end))
}
