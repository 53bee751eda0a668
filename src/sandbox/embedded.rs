//! The tenant as something that is asked and answers, with a socket before it or none.

use std::fmt;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

use super::SandboxError;
use super::address;
use super::call::Body;
use super::call::Call;
use super::call::Caller;
use super::call::Version;
use super::faults::Faults;
use super::seed::DEPLOY_BOT_APP;
use super::server::Clock;
use super::server::SandboxOptions;
use super::store::Keeper;
use super::tenant::Tenant;
use super::token;
use super::token::Login;
use super::told::Content;
use super::told::Ending;
use super::told::Held;
use super::told::Told;
use super::world::Logged;
use super::world::World;

const JSON: &str =
    "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// The embedded tenant: data, sign-in, trouble on order and the log of requests. Clones are the same tenant.
#[derive(Clone)]
pub struct Embedded {
    world: Arc<Mutex<World>>,
    clock: Clock,
    base: String,
}

/// What becomes of a request.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// How long the answer, or the end without one, is held back.
    pub wait: Duration,
    /// The status of the answer.
    pub status: u16,
    /// The headers of the answer, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body of the answer.
    pub body: Vec<u8>,
    /// Where the connection ends too early.
    pub cut: Option<Cut>,
    /// The gate at which the request waits. If it was not carried out when it came there, all else
    /// is what becomes of it should it never pass.
    pub held: Option<Held>,
}

/// Where a connection ends too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// Before any byte of the answer.
    BeforeAnswer,
    /// In the middle of the body.
    WithinBody {
        /// How many bytes of the body come.
        sent: usize,
        /// Whether the body comes in chunks, so that its length was not told before.
        chunked: bool,
    },
}

impl fmt::Debug for Embedded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Embedded")
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}

impl Embedded {
    /// Opens a tenant that is reached at `base`: scheme, host and port.
    pub(super) fn open(options: SandboxOptions, base: String) -> Result<Self, SandboxError> {
        let (tenant, keeper) = match options.path {
            Some(path) => {
                let (tenant, keeper) = Keeper::open(path, options.tenant)?;
                (tenant, Some(keeper))
            }
            None => (options.tenant, None),
        };
        let login = Login::with_secret(options.client_secret);
        let world = World::new(tenant, options.faults, login, keeper, base.clone());
        Ok(Self {
            world: Arc::new(Mutex::new(world)),
            clock: options.clock,
            base,
        })
    }

    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the root that stands where `https://graph.microsoft.com` would, without a version.
    pub fn endpoint(&self) -> String {
        self.base.clone()
    }

    /// Returns the root that stands where `https://login.microsoftonline.com` would.
    pub fn login_endpoint(&self) -> String {
        self.base.clone()
    }

    /// Returns the id of the tenant.
    pub fn tenant_id(&self) -> String {
        self.lock().tenant.id().to_owned()
    }

    /// Returns a token that the tenant accepts now, made for the seeded deployment application.
    pub fn access_token(&self) -> String {
        let now = (self.clock)();
        let mut world = self.lock();
        let world = &mut *world;
        token::issue(&mut world.login, &world.tenant, DEPLOY_BOT_APP, None, now)
    }

    /// Looks at or changes the tenant behind the back of its callers; the file learns of it with the next write.
    pub fn with_tenant<T>(&self, act: impl FnOnce(&mut Tenant) -> T) -> T {
        let now = (self.clock)();
        let mut world = self.lock();
        world.catch_up(now);
        let result = act(&mut world.tenant);
        world.catch_up(now);
        result
    }

    /// Replaces the trouble on order.
    pub fn set_faults(&self, faults: Faults) {
        self.lock().set_faults(faults);
    }

    /// Returns the requests so far, steps of batches after their batch.
    pub fn requests(&self) -> Vec<Logged> {
        self.lock().log.clone()
    }

    /// Forgets the requests so far.
    pub fn clear_requests(&self) {
        self.lock().log.clear();
    }

    /// Carries out a request to Graph or to sign-in. `url` may leave out scheme and host.
    ///
    /// Nothing waits here: the caller holds the answer back for as long as it says. A request that
    /// is held at a gate never passes it; [`Self::exchange`] waits.
    pub fn answer(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: Option<&[u8]>,
    ) -> Reply {
        self.ask(method, url, headers, body, false)
    }

    fn ask(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: Option<&[u8]>,
        released: bool,
    ) -> Reply {
        let header = |name: &str| {
            headers
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map_or("", |(_, value)| value.as_str())
        };
        let target = url.split_once("://").map_or(url, |(_, rest)| {
            rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/")
        });
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let bytes = body.unwrap_or_default();
        let now = (self.clock)();
        let (segments, query) = address::parse(path, query);
        let mut world = self.lock();
        let Some(version) = segments.first().and_then(|first| Version::parse(first)) else {
            return reply(world.sign_in(method, path, &segments, &String::from_utf8_lossy(bytes), now));
        };
        let body = if bytes.is_empty() {
            Body::Empty
        } else {
            serde_json::from_slice(bytes).map_or(Body::Malformed, Body::Json)
        };
        let call = Call {
            method: method.to_owned(),
            version,
            segments: segments.into_iter().skip(1).collect(),
            query,
            base: self.base.clone(),
            path: path.to_owned(),
            prefer: header("prefer").to_owned(),
            consistency_level: header("consistencylevel").to_owned(),
            client_request_id: header("client-request-id").to_owned(),
            body,
            caller: Caller::default(),
            now,
        };
        reply(world.graph(call, header("authorization"), released))
    }

    /// Answers as [`Self::answer`] does, after the time that the answer takes by tokio's clock, and after the gate.
    pub async fn exchange(
        &self,
        method: &str,
        url: &str,
        headers: &[(String, String)],
        body: Option<&[u8]>,
    ) -> Reply {
        let mut reply = self.ask(method, url, headers, body, false);
        if let Some(held) = reply.held.take() {
            held.gate.pass().await;
            if !held.carried_out {
                reply = self.ask(method, url, headers, body, true);
            }
        }
        if !reply.wait.is_zero() {
            tokio::time::sleep(reply.wait).await;
        }
        reply
    }
}

fn reply(told: Told) -> Reply {
    let mut headers: Vec<(String, String)> = Vec::with_capacity(told.headers.len() + 1);
    let body = match told.content {
        Content::Nothing => Vec::new(),
        Content::Json(value) => {
            headers.push(("content-type".to_owned(), JSON.to_owned()));
            value.to_string().into_bytes()
        }
        Content::Html(page) => {
            headers.push((
                "content-type".to_owned(),
                "text/html; charset=us-ascii".to_owned(),
            ));
            page.into_bytes()
        }
    };
    headers.extend(
        told.headers
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value)),
    );
    let cut = match told.ending {
        Ending::Whole => None,
        Ending::Cut => Some(Cut::BeforeAnswer),
        Ending::Within { .. } if body.is_empty() => Some(Cut::BeforeAnswer),
        Ending::Within { sent, chunked } => Some(Cut::WithinBody {
            sent: sent.min(body.len() - 1),
            chunked,
        }),
    };
    Reply {
        wait: told.wait,
        status: told.status,
        headers,
        body,
        cut,
        held: told.held,
    }
}
