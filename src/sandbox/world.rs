//! A tenant with all that surrounds it: sign-in, trouble on order, the log of requests, the file.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::batch;
use super::call::Answer;
use super::call::Call;
use super::call::Refusal;
use super::call::Version;
use super::faults::Effect;
use super::faults::Faults;
use super::faults::http_date;
use super::store::Keeper;
use super::tenant::Tenant;
use super::tenant::text;
use super::token;
use super::token::Login;

/// One request as the tenant saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The method.
    pub method: String,
    /// The path, with the version and without the query.
    pub path: String,
    /// The query, its options decoded and joined with `&`.
    pub query: String,
    /// The version of the service; none for requests to the sign-in side.
    pub version: Option<Version>,
    /// The status of the answer; 0 if the connection was cut.
    pub status: u16,
    /// Whether it was a step of a batch.
    pub batched: bool,
}

/// What is told to the caller.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) content: Content,
    pub(super) headers: Vec<(&'static str, String)>,
    /// How long it is held back.
    pub(super) wait: Duration,
    pub(super) ending: Ending,
}

/// The body of an answer.
#[derive(Clone, Debug, Default)]
pub(super) enum Content {
    #[default]
    Nothing,
    Json(Value),
}

/// How much of an answer arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ending {
    #[default]
    Whole,
    /// Nothing: the connection is cut.
    Cut,
}

impl Told {
    fn new(status: u16, body: Option<Value>) -> Self {
        Self {
            status,
            content: body.map_or(Content::Nothing, Content::Json),
            ..Self::default()
        }
    }

    /// The connection is cut before any answer.
    fn cut() -> Self {
        Self {
            ending: Ending::Cut,
            ..Self::default()
        }
    }
}

pub(super) struct World {
    pub(super) tenant: Tenant,
    pub(super) faults: Faults,
    pub(super) login: Login,
    pub(super) log: Vec<Logged>,
    pub(super) keeper: Option<Keeper>,
    pub(super) base: String,
}

impl World {
    pub(super) fn new(
        tenant: Tenant,
        faults: Faults,
        login: Login,
        keeper: Option<Keeper>,
        base: String,
    ) -> Self {
        Self {
            tenant,
            faults,
            login,
            log: Vec::new(),
            keeper,
            base,
        }
    }

    /// Answers a request to the sign-in side.
    pub(super) fn sign_in(
        &mut self,
        method: &str,
        path: &str,
        segments: &[String],
        form: &str,
        now: Timestamp,
    ) -> Told {
        let words: Vec<&str> = segments.iter().map(String::as_str).collect();
        let answer = token::answer(
            &mut self.login,
            &self.tenant,
            &self.base,
            method,
            &words,
            form,
            now,
        );
        let (status, body) = answer.map_or((404, None), |(status, body)| (status, Some(body)));
        self.log.push(Logged {
            method: method.to_owned(),
            path: path.to_owned(),
            query: String::new(),
            version: None,
            status,
            batched: false,
        });
        Told::new(status, body)
    }

    /// Answers a request to Graph.
    pub(super) fn graph(&mut self, mut call: Call, authorization: &str) -> Told {
        self.tenant.tick();
        let request_id = self.tenant.next_request_id();
        if call.client_request_id.is_empty() {
            call.client_request_id.clone_from(&request_id);
        }
        let mut told = match token::read(&self.tenant, authorization, call.now) {
            Ok(caller) => {
                call.caller = caller;
                self.perform(&call, &request_id, false)
            }
            Err(reason) => {
                let refusal = Refusal::new(401, "InvalidAuthenticationToken", reason);
                let place = self.enter(&call, false);
                self.leave(place, 401);
                let mut told = refused(&refusal, &call, &request_id);
                told.headers.push(("www-authenticate", self.challenge()));
                told
            }
        };
        told.headers.push(("request-id", request_id));
        told.headers
            .push(("client-request-id", call.client_request_id.clone()));
        told.headers.push(("date", http_date(call.now)));
        told
    }

    /// The one place where trouble is consulted.
    fn perform(&mut self, call: &Call, request_id: &str, batched: bool) -> Told {
        let place = self.enter(call, batched);
        let effect = self.faults.decide(&call.method, &call.path);
        let commits = !matches!(
            effect,
            Some(
                Effect::Throttle { .. } | Effect::Fail { commit: false, .. } | Effect::Drop { commit: false }
            )
        );
        let done = if commits {
            self.commit(call, request_id)
        } else {
            Told::default()
        };
        let told = match effect {
            None => done,
            Some(Effect::Drop { .. }) => Told::cut(),
            Some(Effect::Throttle { retry_after }) => {
                let mut told = refused(
                    &Refusal::new(429, "TooManyRequests", "Too many requests."),
                    call,
                    request_id,
                );
                let retry_after = retry_after.map(|told| told.header(call.now));
                told.headers.extend(retry_after.map(|text| ("retry-after", text)));
                told
            }
            Some(Effect::Fail { status, .. }) => {
                let refusal = match status {
                    404 => Refusal::unknown_resource(call.segments.last().map_or("", String::as_str)),
                    503 => Refusal::new(
                        status,
                        "ServiceUnavailable",
                        "The service is temporarily unavailable.",
                    ),
                    504 => Refusal::new(status, "GatewayTimeout", "The gateway timed out."),
                    _ => Refusal::new(status, "InternalServerError", "An unexpected error occurred."),
                };
                refused(&refusal, call, request_id)
            }
        };
        self.leave(place, told.status);
        told
    }

    /// Carries a request out, and keeps what it changed before anybody hears of it.
    fn commit(&mut self, call: &Call, request_id: &str) -> Told {
        let batch = call.method == "POST" && matches!(call.segments.as_slice(), [only] if only == "$batch");
        let outcome = if batch {
            batch::run(call, &mut |step| self.step(call, step))
        } else {
            self.tenant.handle(call)
        };
        let changes = !batch && call.method != "GET" && outcome.is_ok();
        if let (
            true,
            Ok(Answer {
                status: 201,
                body: Some(body),
            }),
        ) = (self.faults.hide_new_for > 0, &outcome)
        {
            self.tenant.hide(text(body, "id"), self.faults.hide_new_for + 1);
        }
        if let (true, Some(keeper)) = (changes, &mut self.keeper)
            && let Err(error) = keeper.keep(&mut self.tenant)
        {
            tracing::error!(%error, "the embedded tenant could not keep a change");
            let refusal = Refusal::new(500, "InternalServerError", error.to_string());
            return refused(&refusal, call, request_id);
        }
        match outcome {
            Ok(Answer { status, body }) => Told::new(status, body),
            Err(refusal) => refused(&refusal, call, request_id),
        }
    }

    /// One step of a batch; a step whose answer is lost times out, the batch itself arrives.
    fn step(&mut self, outer: &Call, step: Result<Call, Refusal>) -> Told {
        let request_id = self.tenant.next_request_id();
        match step {
            Ok(call) => {
                let told = self.perform(&call, &request_id, true);
                match told.ending {
                    Ending::Whole => told,
                    Ending::Cut => refused(
                        &Refusal::new(504, "GatewayTimeout", "The gateway timed out."),
                        &call,
                        &request_id,
                    ),
                }
            }
            Err(refusal) => refused(&refusal, outer, &request_id),
        }
    }

    fn enter(&mut self, call: &Call, batched: bool) -> usize {
        let options: Vec<String> = call
            .query
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        self.log.push(Logged {
            method: call.method.clone(),
            path: call.path.clone(),
            query: options.join("&"),
            version: Some(call.version),
            status: 0,
            batched,
        });
        self.log.len() - 1
    }

    fn leave(&mut self, place: usize, status: u16) {
        if let Some(entry) = self.log.get_mut(place) {
            entry.status = status;
        }
    }

    fn challenge(&self) -> String {
        format!(
            "Bearer realm=\"\", authorization_uri=\"{}/{}/oauth2/authorize\", client_id=\"00000003-0000-0000-c000-000000000000\"",
            self.base,
            self.tenant.id()
        )
    }
}

fn refused(refusal: &Refusal, call: &Call, request_id: &str) -> Told {
    Told::new(
        refusal.status,
        Some(refusal.envelope(request_id, &call.client_request_id, call.now)),
    )
}
