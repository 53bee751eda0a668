//! A tenant with all that surrounds it: sign-in, trouble on order, the log of requests, the file.

use jiff::Timestamp;
use serde_json::Value;

use super::batch;
use super::call::Answer;
use super::call::Call;
use super::call::Refusal;
use super::call::Version;
use super::faults::Effect;
use super::faults::Faults;
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
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) status: u16,
    pub(super) body: Option<Value>,
    pub(super) headers: Vec<(&'static str, String)>,
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
        Told {
            status,
            body,
            headers: Vec::new(),
        }
    }

    /// Answers a request to Graph; nothing if the connection is to be cut.
    pub(super) fn graph(&mut self, mut call: Call, authorization: &str) -> Option<Told> {
        self.tenant.tick();
        let request_id = self.tenant.next_request_id();
        if call.client_request_id.is_empty() {
            call.client_request_id.clone_from(&request_id);
        }
        let mut told = match token::read(&self.tenant, authorization, call.now) {
            Ok(caller) => {
                call.caller = caller;
                self.perform(&call, &request_id, false)?
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
        told.headers
            .push(("date", call.now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()));
        Some(told)
    }

    /// The one place where trouble is consulted.
    fn perform(&mut self, call: &Call, request_id: &str, batched: bool) -> Option<Told> {
        let place = self.enter(call, batched);
        let effect = self.faults.decide(&call.method, &call.path);
        let commits = !matches!(
            effect,
            Some(
                Effect::Throttle { .. } | Effect::Fail { commit: false, .. } | Effect::Drop { commit: false }
            )
        );
        let done = commits.then(|| self.commit(call, request_id));
        let told = match effect {
            None => done,
            Some(Effect::Drop { .. }) => None,
            Some(Effect::Throttle { retry_after }) => {
                let mut told = refused(
                    &Refusal::new(429, "TooManyRequests", "Too many requests."),
                    call,
                    request_id,
                );
                told.headers
                    .extend(retry_after.map(|seconds| ("retry-after", seconds.to_string())));
                Some(told)
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
                Some(refused(&refusal, call, request_id))
            }
        };
        self.leave(place, told.as_ref().map_or(0, |told| told.status));
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
            Ok(Answer { status, body }) => Told {
                status,
                body,
                headers: Vec::new(),
            },
            Err(refusal) => refused(&refusal, call, request_id),
        }
    }

    /// One step of a batch; a step whose answer is lost times out, the batch itself arrives.
    fn step(&mut self, outer: &Call, step: Result<Call, Refusal>) -> Told {
        let request_id = self.tenant.next_request_id();
        match step {
            Ok(call) => self.perform(&call, &request_id, true).unwrap_or_else(|| {
                refused(
                    &Refusal::new(504, "GatewayTimeout", "The gateway timed out."),
                    &call,
                    &request_id,
                )
            }),
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
    Told {
        status: refusal.status,
        body: Some(refusal.envelope(request_id, &call.client_request_id, call.now)),
        headers: Vec::new(),
    }
}
