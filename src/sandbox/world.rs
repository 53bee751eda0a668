//! A tenant with all that surrounds it: sign-in, trouble on order, the log of requests, the file.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::json;

use super::SandboxError;
use super::batch;
use super::call::Answer;
use super::call::Call;
use super::call::Outcome;
use super::call::Refusal;
use super::call::Version;
use super::faults::Asked;
use super::faults::Edit;
use super::faults::Effect;
use super::faults::Faults;
use super::faults::Past;
use super::faults::Verdict;
use super::faults::http_date;
use super::store::Keeper;
use super::tenant::Tenant;
use super::token;
use super::token::Login;
use super::token::Unauthorized;
use super::told::Content;
use super::told::Ending;
use super::told::Held;
use super::told::Told;
use super::trouble;
use super::view::View;

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

/// How a request comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// By itself.
    Single,
    /// By itself, after it waited at a gate: it meets no more trouble.
    Released,
    /// As a step of a batch.
    Step,
}

pub(super) struct World {
    pub(super) tenant: Tenant,
    faults: Faults,
    pub(super) login: Login,
    pub(super) log: Vec<Logged>,
    keeper: Option<Keeper>,
    base: String,
    past: Past,
    /// Writes that are carried out when their time comes.
    later: Vec<(Timestamp, Call)>,
    /// How long the steps of the batch under way are held back.
    steps_wait: Duration,
}

impl World {
    pub(super) fn new(
        tenant: Tenant,
        faults: Faults,
        login: Login,
        keeper: Option<Keeper>,
        base: String,
    ) -> Self {
        let mut world = Self {
            tenant,
            faults: Faults::none(),
            login,
            log: Vec::new(),
            keeper,
            base,
            past: Past::default(),
            later: Vec::new(),
            steps_wait: Duration::ZERO,
        };
        world.set_faults(faults);
        world
    }

    /// Replaces the trouble; what happened so far is seen by everybody from now on.
    pub(super) fn set_faults(&mut self, faults: Faults) {
        self.tenant.watch(faults.is_distorted());
        self.past = Past::default();
        self.faults = faults;
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
        let delay = self.faults.delay();
        let verdict = self.faults.decide(&Asked {
            method,
            path,
            sign_in: true,
            now,
        });
        let effect = verdict.outcome.as_ref();
        if let Some(Effect::EndTokens(end)) = effect {
            self.login.end_tokens(*end);
        }
        let done = if trouble::commits(effect) {
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
            Told::new(status, body)
        } else {
            Told::default()
        };
        let missing = Refusal::unknown_resource(path);
        let told = trouble::ending(effect, done, now, missing, &trouble::sign_in_refused);
        self.log.push(Logged {
            method: method.to_owned(),
            path: path.to_owned(),
            query: String::new(),
            version: None,
            status: told.status,
            batched: false,
        });
        told.later_by(delay + verdict.wait)
    }

    /// Answers a request to Graph; `released` if it waited at a gate before.
    pub(super) fn graph(&mut self, mut call: Call, authorization: &str, released: bool) -> Told {
        self.catch_up(call.now);
        self.past.tick();
        let request_id = self.tenant.next_request_id();
        if call.client_request_id.is_empty() {
            call.client_request_id.clone_from(&request_id);
        }
        let delay = self.faults.delay();
        let told = match token::read(&self.tenant, authorization, call.now) {
            Ok(caller) => {
                call.caller = caller;
                let mode = if released { Mode::Released } else { Mode::Single };
                self.perform(&call, &request_id, mode)
            }
            Err(reason) => {
                let place = self.enter(&call, false);
                self.leave(place, 401);
                self.unauthorized(&reason, &call, &request_id)
            }
        };
        let mut told = told.later_by(delay);
        if !matches!(told.content, Content::Html(_)) {
            told.headers.push(("request-id", request_id));
            told.headers
                .push(("client-request-id", call.client_request_id.clone()));
        }
        told.headers.push(("date", http_date(call.now)));
        told
    }

    /// Carries out what was put off until now, and notes what was done behind the server's back.
    pub(super) fn catch_up(&mut self, now: Timestamp) {
        self.note(now, false);
        let (mut due, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.later)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.later = rest;
        due.sort_by_key(|(at, _)| *at);
        for (at, mut call) in due {
            call.now = at;
            if let Err(error) = self.carry_out(&call, View::default()) {
                tracing::error!(%error, "the embedded tenant could not keep a change");
            }
        }
    }

    /// The one place where trouble is consulted.
    fn perform(&mut self, call: &Call, request_id: &str, mode: Mode) -> Told {
        let verdict = match mode {
            Mode::Released => Verdict::default(),
            Mode::Single | Mode::Step => self.faults.decide(&Asked {
                method: &call.method,
                path: &call.path,
                sign_in: false,
                now: call.now,
            }),
        };
        let hold = verdict.hold.filter(|_| mode == Mode::Single);
        if let Some((gate, false)) = hold {
            return Told {
                held: Some(Held {
                    gate,
                    carried_out: false,
                }),
                ..Told::cut()
            };
        }
        let place = self.enter(call, mode == Mode::Step);
        for edit in &verdict.before {
            self.edit(edit, call, None);
        }
        let effect = verdict.outcome.as_ref();
        if let Some(Effect::EndTokens(end)) = effect {
            self.login.end_tokens(*end);
        }
        let told = if let Some(reason) = self.login.refusal(&call.caller) {
            self.unauthorized(&reason, call, request_id)
        } else {
            if let Some(Effect::CommitLater { after }) = effect {
                let due = call.now.checked_add(*after).unwrap_or(Timestamp::MAX);
                self.later.push((due, call.clone()));
            }
            let done = if trouble::commits(effect) {
                self.commit(call, request_id)
            } else {
                Told::default()
            };
            for edit in &verdict.after {
                self.edit(edit, call, Some(&done));
            }
            trouble::ending(effect, done, call.now, trouble::missing(call), &|refusal| {
                refused(refusal, call, request_id)
            })
        };
        self.leave(place, told.status);
        Told {
            held: hold.map(|(gate, carried_out)| Held { gate, carried_out }),
            ..told.later_by(verdict.wait)
        }
    }

    /// Carries a request out, and keeps what it changed before anybody hears of it.
    fn commit(&mut self, call: &Call, request_id: &str) -> Told {
        let batch = call.method == "POST" && matches!(call.segments.as_slice(), [only] if only == "$batch");
        let outcome = if batch {
            Ok(batch::run(call, &mut |step| self.step(call, step)))
        } else {
            let view = if self.faults.is_distorted() {
                self.past.view(&self.faults.visibility, call)
            } else {
                View::default()
            };
            self.carry_out(call, view)
        };
        let wait = if batch {
            std::mem::take(&mut self.steps_wait)
        } else {
            Duration::ZERO
        };
        match outcome {
            Ok(Ok(Answer { status, body })) => Told::new(status, body).later_by(wait),
            Ok(Err(refusal)) => refused(&refusal, call, request_id),
            Err(error) => {
                tracing::error!(%error, "the embedded tenant could not keep a change");
                let refusal = Refusal::new(500, "InternalServerError", error.to_string());
                refused(&refusal, call, request_id)
            }
        }
    }

    /// Lets the tenant answer as `view` has it; an error if what changed cannot be kept.
    fn carry_out(&mut self, call: &Call, view: View) -> Result<Outcome, SandboxError> {
        self.tenant.view = view;
        let outcome = self.tenant.handle(call);
        self.tenant.view = View::default();
        if call.method != "GET" && outcome.is_ok() {
            self.note(call.now, matches!(outcome, Ok(Answer { status: 201, .. })));
            if let Some(keeper) = &mut self.keeper {
                keeper.keep(&mut self.tenant)?;
            }
        }
        Ok(outcome)
    }

    /// Notes what was replaced since the last time.
    fn note(&mut self, now: Timestamp, created: bool) {
        let replaced = self.tenant.take_replaced();
        if created && self.faults.hide_new_for > 0 {
            self.past.hide(&replaced, self.faults.hide_new_for);
        }
        if !replaced.is_empty() {
            self.past.record(&self.faults.visibility, now, replaced);
        }
    }

    /// Lets somebody else do something, who sees the truth and meets no trouble.
    fn edit(&mut self, edit: &Edit, caught: &Call, done: Option<&Told>) {
        if let Edit::Act(act) = edit {
            act(&mut self.tenant);
            self.note(caught.now, false);
        } else if let Some(call) = trouble::other_call(&self.tenant, edit, caught, done) {
            match self.carry_out(&call, View::default()) {
                Ok(Ok(_)) => {}
                Ok(Err(refusal)) => {
                    tracing::debug!(refusal.message, "somebody else's edit was refused");
                }
                Err(error) => tracing::error!(%error, "the embedded tenant could not keep a change"),
            }
        }
    }

    /// One step of a batch; a step whose answer is lost times out, the batch itself arrives.
    fn step(&mut self, outer: &Call, step: Result<Call, Refusal>) -> Told {
        let request_id = self.tenant.next_request_id();
        match step {
            Ok(call) => {
                let told = self.perform(&call, &request_id, Mode::Step);
                self.steps_wait += told.wait;
                match told.ending {
                    Ending::Whole => told,
                    Ending::Cut | Ending::Within { .. } => {
                        refused(&trouble::failure(504), &call, &request_id)
                    }
                }
            }
            Err(refusal) => refused(&refusal, outer, &request_id),
        }
    }

    fn unauthorized(&self, reason: &Unauthorized, call: &Call, request_id: &str) -> Told {
        let refusal = Refusal::new(401, "InvalidAuthenticationToken", reason.message);
        let mut told = refused(&refusal, call, request_id);
        let mut challenge = self.challenge();
        if reason.challenged {
            let claims = json!({"access_token": {"nbf": {"essential": true, "value": call.now.as_second().to_string()}}});
            challenge.push_str(", error=\"insufficient_claims\", claims=\"");
            challenge.push_str(&STANDARD.encode(claims.to_string()));
            challenge.push('"');
        }
        told.headers.push(("www-authenticate", challenge));
        told
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
