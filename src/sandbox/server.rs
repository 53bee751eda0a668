//! The tenant behind HTTP: one lock, one request at a time.

use std::fmt;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use axum::Router;
use axum::body::Body as HttpBody;
use axum::extract::ConnectInfo;
use axum::extract::Request;
use axum::extract::State;
use axum::http::Response;
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::SandboxError;
use super::address;
use super::call::Body;
use super::call::Call;
use super::call::Caller;
use super::call::Version;
use super::connection::Cutter;
use super::connection::Listener;
use super::faults::Faults;
use super::store::Keeper;
use super::tenant::Tenant;
use super::token;
use super::token::Login;
use super::world::Logged;
use super::world::Told;
use super::world::World;

/// Where the tenant takes the time from.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The largest body that a request may have.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// How long a connection that a client keeps open holds up the end of the server.
const PATIENCE: Duration = Duration::from_millis(200);

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

struct Shared {
    world: Mutex<World>,
    clock: Clock,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The embedded tenant as a server.
#[derive(Debug)]
pub struct Sandbox;

/// A tenant that is serving. Dropping it stops the server.
pub struct Running {
    shared: Arc<Shared>,
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Running {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Running")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

impl Sandbox {
    /// Starts serving on loopback.
    ///
    /// # Errors
    /// The port is taken, or the tenant's file cannot be read.
    pub async fn start(options: SandboxOptions) -> Result<Running, SandboxError> {
        let (tenant, keeper) = match options.path {
            Some(path) => {
                let (tenant, keeper) = Keeper::open(path, options.tenant)?;
                (tenant, Some(keeper))
            }
            None => (options.tenant, None),
        };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port))
            .await
            .map_err(SandboxError::Listen)?;
        let address = listener.local_addr().map_err(SandboxError::Listen)?;
        let shared = Arc::new(Shared {
            world: Mutex::new(World {
                tenant,
                faults: options.faults,
                login: Login::with_secret(options.client_secret),
                log: Vec::new(),
                keeper,
                base: format!("http://{address}"),
            }),
            clock: options.clock,
        });
        let router = Router::new().fallback(serve).with_state(Arc::clone(&shared));
        let (stop, stopped) = oneshot::channel::<()>();
        let service = router.into_make_service_with_connect_info::<Cutter>();
        let task = tokio::spawn(async move {
            let server = axum::serve(Listener(listener), service).with_graceful_shutdown(async {
                // Either the word to stop or the loss of whoever could give it.
                let _ = stopped.await;
            });
            if let Err(error) = server.await {
                tracing::error!(%error, "the embedded tenant stopped serving");
            }
        });
        Ok(Running {
            shared,
            address,
            stop: Some(stop),
            task,
        })
    }
}

impl Running {
    /// Returns the root that stands where `https://graph.microsoft.com` would, without a version.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the root that stands where `https://login.microsoftonline.com` would.
    pub fn login_endpoint(&self) -> String {
        self.endpoint()
    }

    /// Returns the id of the tenant.
    pub fn tenant_id(&self) -> String {
        self.shared.lock().tenant.id().to_owned()
    }

    /// Returns a token that the tenant accepts now, made for the seeded deployment application.
    pub fn access_token(&self) -> String {
        let now = (self.shared.clock)();
        token::issue(&self.shared.lock().tenant, super::seed::DEPLOY_BOT_APP, None, now)
    }

    /// Looks at or changes the tenant behind the server's back; the file learns of it with the next write.
    pub fn with_tenant<T>(&self, act: impl FnOnce(&mut Tenant) -> T) -> T {
        act(&mut self.shared.lock().tenant)
    }

    /// Replaces the trouble on order.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.lock().faults = faults;
    }

    /// Returns the requests so far, steps of batches after their batch.
    pub fn requests(&self) -> Vec<Logged> {
        self.shared.lock().log.clone()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.shared.lock().log.clear();
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
    State(shared): State<Arc<Shared>>,
    ConnectInfo(cutter): ConnectInfo<Cutter>,
    request: Request,
) -> Response<HttpBody> {
    let (head, body) = request.into_parts();
    let Ok(bytes) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return http(Told {
            status: 413,
            body: None,
            headers: Vec::new(),
        });
    };
    let header = |name: &str| {
        head.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    let path = head.uri.path();
    let method = head.method.as_str();
    let now = (shared.clock)();
    let (segments, query) = address::parse(path, head.uri.query().unwrap_or_default());
    let mut world = shared.lock();
    let told = match segments.first().and_then(|first| Version::parse(first)) {
        None => Some(world.sign_in(method, path, &segments, &String::from_utf8_lossy(&bytes), now)),
        Some(version) => {
            let body = if bytes.is_empty() {
                Body::Empty
            } else {
                serde_json::from_slice(&bytes).map_or(Body::Malformed, Body::Json)
            };
            let call = Call {
                method: method.to_owned(),
                version,
                segments: segments.into_iter().skip(1).collect(),
                query,
                base: world.base.clone(),
                path: path.to_owned(),
                prefer: header("prefer"),
                consistency_level: header("consistencylevel"),
                client_request_id: header("client-request-id"),
                body,
                caller: Caller::default(),
                now,
            };
            world.graph(call, &header("authorization"))
        }
    };
    told.map_or_else(
        || {
            cutter.cut();
            Response::new(HttpBody::empty())
        },
        http,
    )
}

fn http(told: Told) -> Response<HttpBody> {
    let mut response = Response::builder().status(told.status);
    for (name, value) in told.headers {
        response = response.header(name, value);
    }
    let response = match told.body {
        Some(body) => response
            .header("content-type", "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8")
            .body(HttpBody::from(body.to_string())),
        None => response.body(HttpBody::empty()),
    };
    response.unwrap_or_else(|_| Response::new(HttpBody::empty()))
}
