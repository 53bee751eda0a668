//! What a plain client sees of each trouble: the same without a socket and with one.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use capol::sandbox::{
    Bucket, Cut, Edit, Effect, Embedded, Faults, Kind, RetryAfter, Rule, Running, Sandbox, SandboxOptions,
    TokenEnd, Visibility, When,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{location, policy};

/// One trouble and a conversation: each line says what is asked and what is seen.
struct Row {
    name: &'static str,
    faults: Faults,
    script: &'static str,
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn rule(method: &str, when: When, effect: Effect) -> Faults {
    Faults::none().with(Rule::new(when, effect).method(method))
}

fn seen(visibility: Visibility) -> Faults {
    Faults::none().visibility(visibility)
}

fn fail(status: u16, commit: bool) -> Effect {
    Effect::Fail { status, commit }
}

const NONE: Visibility = Visibility {
    unreadable: Duration::ZERO,
    unlisted: Duration::ZERO,
    unusable: Duration::ZERO,
    unwritable: Duration::ZERO,
    flapping: Duration::ZERO,
    lists_behind: Duration::ZERO,
    reads_behind: Duration::ZERO,
};

#[expect(clippy::too_many_lines, reason = "a table")]
fn rows() -> Vec<Row> {
    let row = |name, faults, script| Row { name, faults, script };
    let header = |retry_after| Effect::Throttle { retry_after };
    let edit = |method: &str, url: &str, body| Edit::request(method, url, body);
    vec![
        row(
            "429 every third call, with Retry-After",
            rule("GET", When::Every(3), header(Some(RetryAfter::Seconds(7)))),
            "LIST policies => 200 []
             LIST policies => 200 []
             LIST policies => 429 TooManyRequests, retry-after 7
             LIST policies => 200 []",
        ),
        row(
            "429 without Retry-After carries nothing out",
            rule("POST", When::First(1), header(None)),
            "POST policies a => 429 TooManyRequests
             POST policies a => 201 a
             TRUTH => [a]",
        ),
        row(
            "absurd Retry-After: a date",
            rule("GET", When::Always, header(Some(RetryAfter::Date(seconds(90))))),
            "LIST policies => 429 TooManyRequests, retry-after Sun, 01 Mar 2026 09:01:30 GMT",
        ),
        row(
            "absurd Retry-After: years",
            rule("GET", When::Always, header(Some(RetryAfter::Seconds(u32::MAX)))),
            "LIST policies => 429 TooManyRequests, retry-after 4294967295",
        ),
        row(
            "absurd Retry-After: words",
            rule("GET", When::Always, header(Some(RetryAfter::Text("soon".to_owned())))),
            "LIST policies => 429 TooManyRequests, retry-after soon",
        ),
        row(
            "a bucket of tokens on Conditional Access calls, which nothing else empties",
            Faults::none().limit(Bucket::new(seconds(1), 2, Some(RetryAfter::Seconds(10)))),
            "LIST policies => 200 []
             LIST namedLocations => 200 []
             LIST policies => 429 TooManyRequests, retry-after 10
             POST groups g => 201 g
             wait 1
             LIST policies => 200 []
             POST policies a => 429 TooManyRequests, retry-after 10
             wait 5
             BATCH LIST policies; LIST policies; LIST policies; LIST groups?$top=1 => 200 {200, 200, 429 after 10, 200}
             TRUTH => []",
        ),
        row(
            "503 that says when to come back",
            rule("POST", When::First(1), Effect::Busy { retry_after: Some(RetryAfter::Seconds(3)) }),
            "POST policies a => 503 ServiceUnavailable, retry-after 3
             TRUTH => []",
        ),
        row(
            "refusals that have no reason",
            Faults::none()
                .with(Rule::new(When::Only(1), fail(400, false)).method("POST"))
                .with(Rule::new(When::Only(2), fail(403, false)).method("POST"))
                .with(Rule::new(When::Only(3), fail(409, false)).method("POST")),
            "POST policies a => 400 The
             POST policies a => 403 AccessDenied
             POST policies a => 409 Conflict
             POST policies a => 201 a",
        ),
        row(
            "500 before the write",
            rule("POST", When::First(1), fail(500, false)),
            "POST policies a => 500 InternalServerError
             TRUTH => []",
        ),
        row(
            "500 after the write",
            rule("POST", When::First(1), fail(500, true)),
            "POST policies a => 500 InternalServerError
             TRUTH => [a]",
        ),
        row(
            "504 before the write",
            rule("POST", When::First(1), fail(504, false)),
            "POST policies a => 504 GatewayTimeout
             TRUTH => []",
        ),
        row(
            "504 after every third write",
            rule("POST", When::Every(3), fail(504, true)),
            "POST policies a => 201 a
             POST policies b => 201 b
             POST policies c => 504 GatewayTimeout
             TRUTH => [a b c]",
        ),
        row(
            "a gateway's page before the write",
            rule("POST", When::First(1), Effect::Gateway { status: 502, commit: false }),
            "POST policies a => 502 <h2>Bad Gateway</h2>
             TRUTH => []",
        ),
        row(
            "a gateway's page after the write",
            rule("PATCH", When::First(1), Effect::Gateway { status: 504, commit: true }),
            "POST policies a => 201 a
             PATCH policies/{a} b => 504 <h2>Gateway Time-out</h2>
             GET policies/{a} => 200 b",
        ),
        row(
            "reset before the write",
            rule("DELETE", When::First(1), Effect::Drop { commit: false }),
            "POST policies a => 201 a
             DELETE policies/{a} => reset
             TRUTH => [a]",
        ),
        row(
            "reset after the write",
            rule("DELETE", When::First(1), Effect::Drop { commit: true }),
            "POST policies a => 201 a
             DELETE policies/{a} => reset
             TRUTH => [] deleted [a]",
        ),
        row(
            "a body that ends before its length",
            rule("POST", When::First(1), Effect::CutBody { after: 40, chunked: false }),
            "POST policies a => 201 and 40 bytes
             TRUTH => [a]",
        ),
        row(
            "a body in chunks whose last never comes",
            rule("GET", When::First(1), Effect::CutBody { after: 25, chunked: true }),
            "LIST policies => 200 and 25 bytes
             LIST policies => 200 []",
        ),
        row(
            "an answer without a body that is cut does not come",
            rule("PATCH", When::First(1), Effect::CutBody { after: 5, chunked: false }),
            "POST policies a => 201 a
             PATCH policies/{a} b => reset
             GET policies/{a} => 200 b",
        ),
        row(
            "an answer later than anybody waits, and the write is done",
            rule("POST", When::First(1), Effect::Late { by: seconds(600), commit: true }),
            "POST policies a => no answer in time
             TRUTH => [a]",
        ),
        row(
            "an answer later than anybody waits, and the write is not done",
            rule("POST", When::First(1), Effect::Late { by: seconds(600), commit: false }),
            "POST policies a => no answer in time
             TRUTH => []",
        ),
        row(
            "a write that is done long after its connection was lost",
            rule("POST", When::First(1), Effect::CommitLater { after: seconds(30) }),
            "POST policies a => reset
             LIST policies => 200 []
             wait 29
             LIST policies => 200 []
             wait 1
             LIST policies => 200 [a]
             TRUTH => [a]",
        ),
        row(
            "a new object that cannot be read for a while",
            seen(Visibility { unreadable: seconds(5), ..NONE }),
            "POST policies a => 201 a
             GET policies/{a} => 404 NotFound
             LIST policies => 200 [a]
             PATCH policies/{a} b => 204
             wait 4
             GET policies/{a} => 404 NotFound
             wait 1
             GET policies/{a} => 200 b",
        ),
        row(
            "a new object that lists do not have for a while",
            seen(Visibility { unlisted: seconds(10), ..NONE }),
            "POST policies a => 201 a
             GET policies/{a} => 200 a
             LIST policies => 200 []
             LIST policies?$filter=displayName eq 'a' => 200 []
             wait 10
             LIST policies => 200 [a]
             DELETE policies/{a} => 204
             LIST policies => 200 []
             LIST deletedItems/policies => 200 []
             wait 10
             LIST deletedItems/policies => 200 [a]",
        ),
        row(
            "a new object that cannot be changed or restored for a while",
            seen(Visibility { unwritable: seconds(5), ..NONE }),
            "POST policies a => 201 a
             GET policies/{a} => 200 a
             PATCH policies/{a} b => 404 NotFound
             DELETE policies/{a} => 404 NotFound
             wait 5
             DELETE policies/{a} => 204
             RESTORE policies/{a} => 404 NotFound
             wait 5
             RESTORE policies/{a} => 200 a
             TRUTH => [a]",
        ),
        row(
            "new objects that nothing may refer to for a while",
            seen(Visibility { unusable: seconds(5), ..NONE }),
            "POST namedLocations l => 201 l
             POST strengths s => 201 s
             POST contexts c42 => 201 c42
             POST groups g => 201 g
             POST policies a location {l} => 400 1040
             POST policies a strength {s} => 400 AuthenticationStrengthPolicy
             POST policies a context {c42} => 400 AuthenticationContextClassReference
             POST groups h => 201 h
             MEMBER groups/{g} {h} => 404 Request_ResourceNotFound
             PATCH namedLocations/{l} m => 204
             wait 5
             POST policies a location {l} => 201 a
             POST policies b strength {s} => 201 b
             POST policies c context {c42} => 201 c
             MEMBER groups/{g} {h} => 204",
        ),
        row(
            "reads that flap after a create, a change and a delete",
            seen(Visibility { flapping: seconds(20), ..NONE }),
            "POST policies a => 201 a
             GET policies/{a} => 404 NotFound
             GET policies/{a} => 200 a
             GET policies/{a} => 404 NotFound
             LIST policies => 200 []
             LIST policies => 200 [a]
             wait 20
             GET policies/{a} => 200 a
             GET policies/{a} => 200 a
             PATCH policies/{a} b => 204
             GET policies/{a} => 200 a
             GET policies/{a} => 200 b
             LIST policies => 200 [a]
             wait 20
             LIST policies => 200 [b]
             DELETE policies/{a} => 204
             GET policies/{a} => 200 b
             GET policies/{a} => 404 NotFound
             LIST policies => 200 [b]
             LIST policies => 200 []
             wait 20
             GET policies/{a} => 404 NotFound",
        ),
        row(
            "the pages of a flapping list agree",
            seen(Visibility { flapping: seconds(20), ..NONE }),
            "POST policies a => 201 a
             wait 20
             POST policies b => 201 b
             PAGES policies => 200 [a]
             PAGES policies => 200 [a b]",
        ),
        row(
            "lists that are behind, while reading by id is current",
            seen(Visibility { lists_behind: seconds(30), ..NONE }),
            "POST policies a => 201 a
             GET policies/{a} => 200 a
             LIST policies => 200 []
             wait 30
             LIST policies => 200 [a]
             PATCH policies/{a} b => 204
             GET policies/{a} => 200 b
             LIST policies => 200 [a]
             wait 10
             PATCH policies/{a} c => 204
             wait 20
             LIST policies => 200 [b]
             wait 10
             LIST policies => 200 [c]
             DELETE policies/{a} => 204
             LIST policies => 200 [c]
             GET policies/{a} => 404 NotFound",
        ),
        row(
            "reading by id that is behind, while lists are current",
            seen(Visibility { reads_behind: seconds(30), ..NONE }),
            "POST policies a => 201 a
             GET policies/{a} => 404 NotFound
             LIST policies => 200 [a]
             wait 30
             PATCH policies/{a} b => 204
             GET policies/{a} => 200 a
             LIST policies => 200 [b]
             PATCH policies/{a} c => 204
             wait 30
             GET policies/{a} => 200 c",
        ),
        row(
            "members of a group that lists do not have for a while",
            seen(Visibility { lists_behind: seconds(30), ..NONE }),
            "POST groups g => 201 g
             POST groups h => 201 h
             MEMBER groups/{g} {h} => 204
             LIST groups/{g}/members => 200 []
             wait 30
             LIST groups/{g}/members => 200 [h]",
        ),
        row(
            "what is hidden for a number of requests",
            Faults::none().hiding_new_for(2),
            "POST policies a => 201 a
             GET policies/{a} => 404 NotFound
             LIST policies => 200 []
             LIST policies => 200 [a]",
        ),
        row(
            "one 404 on an object that exists, in the words of its kind",
            Faults::none()
                .with(Rule::new(When::Only(2), fail(404, false)).method("GET").path("/policies/"))
                .with(Rule::new(When::Only(1), fail(404, false)).method("GET").path("/groups/")),
            "POST policies a => 201 a
             POST groups g => 201 g
             GET policies/{a} => 200 a
             GET policies/{a} => 404 NotFound
             GET policies/{a} => 200 a
             GET groups/{g} => 404 Request_ResourceNotFound
             GET groups/{g} => 200 g",
        ),
        row(
            "tokens that end in between: expired",
            rule("POST", When::Only(2), Effect::EndTokens(TokenEnd::Expired)),
            "POST policies a => 201 a
             POST policies b => 401 InvalidAuthenticationToken, Lifetime validation failed
             LIST policies => 401 InvalidAuthenticationToken, Lifetime validation failed
             TOKEN
             POST policies b => 201 b",
        ),
        row(
            "tokens that end in between: revoked",
            rule("GET", When::Only(1), Effect::EndTokens(TokenEnd::Revoked)),
            "LIST policies => 401 InvalidAuthenticationToken, The token has been revoked
             TOKEN
             LIST policies => 200 []",
        ),
        row(
            "tokens that end in between: continuous access evaluation asks for more",
            rule("GET", When::Only(1), Effect::EndTokens(TokenEnd::Challenged)),
            "LIST policies => 401 InvalidAuthenticationToken, claims {\"access_token\":{\"nbf\":{\"essential\":true,\"value\":\"1772355600\"}}}
             TOKEN
             LIST policies => 200 []",
        ),
        row(
            "somebody else changes the object just before a change",
            rule("PATCH", When::Only(1), Effect::EditBefore(edit("PATCH", "{self}", Some(json!({"state": "enabled"}))))),
            "POST policies a => 201 a
             PATCH policies/{a} b => 204
             TRUTH => [b enabled]
             AUDIT => Add by app, Update by edsger, Update by app",
        ),
        row(
            "somebody else changes the object just after it was made",
            rule("POST", When::Only(1), Effect::EditAfter(edit("PATCH", "{self}", Some(json!({"displayName": "z"}))))),
            "POST policies a => 201 a
             TRUTH => [z]",
        ),
        row(
            "somebody else deletes the object just before a change",
            rule("PATCH", When::Only(1), Effect::EditBefore(edit("DELETE", "{self}", None))),
            "POST policies a => 201 a
             PATCH policies/{a} b => 404 NotFound
             TRUTH => [] deleted [a]",
        ),
        row(
            "somebody else deletes what was just made",
            rule("POST", When::Only(1), Effect::EditAfter(edit("DELETE", "{self}", None))),
            "POST namedLocations l => 201 l
             GET namedLocations/{l} => 404 NotFound",
        ),
        row(
            "somebody else makes a twin, and the answer is lost besides",
            rule("POST", When::Only(1), Effect::EditBefore(Edit::Twin))
                .with(Rule::new(When::Only(1), Effect::Drop { commit: true }).method("POST")),
            "POST policies a => reset
             TRUTH => [a a]",
        ),
        row(
            "somebody else restores what was deleted",
            rule(
                "DELETE",
                When::Only(1),
                Effect::EditAfter(edit("POST", "/identity/conditionalAccess/deletedItems/policies/{id}/restore", None)),
            ),
            "POST policies a => 201 a
             DELETE policies/{a} => 204
             TRUTH => [a]",
        ),
        row(
            "a test changes the tenant behind everybody's back",
            rule(
                "GET",
                When::Only(2),
                Effect::EditBefore(Edit::Act(Arc::new(|tenant| {
                    let id = tenant.objects(Kind::Policies).next().unwrap()["id"].as_str().unwrap().to_owned();
                    tenant.remove(Kind::Policies, &id);
                }))),
            ),
            "POST policies a => 201 a
             LIST policies => 200 [a]
             LIST policies => 200 []",
        ),
        row(
            "steps of a batch meet the same trouble",
            Faults::none()
                .with(Rule::new(When::Only(1), Effect::Drop { commit: true }).method("POST").path("/policies"))
                .with(Rule::new(When::Only(2), Effect::CutBody { after: 9, chunked: false }).method("POST").path("/policies"))
                .with(Rule::new(When::Only(3), header(Some(RetryAfter::Seconds(4)))).method("POST").path("/policies"))
                .with(Rule::new(When::Only(4), Effect::Gateway { status: 502, commit: false }).method("POST").path("/policies"))
                .with(Rule::new(When::Only(5), Effect::EndTokens(TokenEnd::Revoked)).method("POST").path("/policies")),
            "BATCH POST policies a; POST policies b; POST policies c; POST policies d; POST policies e; LIST policies \
             => 200 {504, 504, 429 after 4, 502, 401, 401}
             TRUTH => [a b]",
        ),
        row(
            "trouble adds up: a limit, a lag and a loss",
            seen(Visibility { unlisted: seconds(5), ..NONE })
                .limit(Bucket::new(seconds(1), 2, None))
                .with(Rule::new(When::Every(2), Effect::Drop { commit: true }).method("POST")),
            "POST policies a => 201 a
             POST policies b => reset
             LIST policies => 429 TooManyRequests
             wait 2
             LIST policies => 200 []
             wait 5
             LIST policies => 200 [a b]",
        ),
    ]
}

/// The time of a test, which goes when it is told to.
#[derive(Clone)]
struct Time(Arc<Mutex<Timestamp>>);

impl Time {
    fn options(&self) -> SandboxOptions {
        let now = Arc::clone(&self.0);
        SandboxOptions {
            clock: Arc::new(move || *now.lock().unwrap()),
            ..SandboxOptions::default()
        }
    }
}

/// What comes back, however it came.
struct Seen {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

/// How far an answer came.
enum Heard {
    Whole(Seen),
    Part(u16, usize),
    Reset,
    Late,
}

/// A client that does what scripts say.
struct Player {
    tenant: Embedded,
    socket: Option<(Running, reqwest::Client)>,
    token: String,
    time: Time,
    ids: BTreeMap<String, String>,
}

impl Player {
    fn new(running: Option<Running>, time: Time) -> Self {
        let tenant = match &running {
            Some(running) => Embedded::clone(running),
            None => Sandbox::in_memory(time.options()).unwrap(),
        };
        let client = || {
            reqwest::Client::builder()
                .no_proxy()
                .tls_certs_only([])
                .timeout(Duration::from_millis(500))
                .build()
                .unwrap()
        };
        Self {
            token: tenant.access_token(),
            tenant,
            socket: running.map(|running| (running, client())),
            time,
            ids: BTreeMap::new(),
        }
    }

    async fn send(&self, method: &str, url: &str, body: Option<&Value>) -> Heard {
        let url = if url.starts_with("http") {
            url.to_owned()
        } else {
            format!("{}/{url}", self.tenant.endpoint())
        };
        let headers = [
            ("authorization".to_owned(), format!("Bearer {}", self.token)),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        let body = body.map(|body| body.to_string().into_bytes());
        let Some((_, client)) = &self.socket else {
            let reply = self.tenant.answer(method, &url, &headers, body.as_deref());
            return match reply.cut {
                _ if reply.wait >= seconds(300) => Heard::Late,
                Some(Cut::BeforeAnswer) => Heard::Reset,
                Some(Cut::WithinBody { sent, .. }) => Heard::Part(reply.status, sent),
                None => Heard::Whole(Seen {
                    status: reply.status,
                    headers: reply.headers.into_iter().collect(),
                    body: reply.body,
                }),
            };
        };
        let mut request = client.request(method.parse().unwrap(), url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let answer = request.body(body.unwrap_or_default()).send().await;
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(error) if error.is_timeout() => return Heard::Late,
            Err(error) => {
                let mut cause: &dyn Error = &error;
                while let Some(inner) = cause.source() {
                    cause = inner;
                }
                assert!(cause.to_string().contains("reset"), "{cause}");
                return Heard::Reset;
            }
        };
        let status = answer.status().as_u16();
        let headers = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str().to_owned(), value.to_str().unwrap().to_owned()))
            .collect();
        let mut body = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(bytes)) => body.extend(bytes),
                Ok(None) => {
                    return Heard::Whole(Seen {
                        status,
                        headers,
                        body,
                    });
                }
                Err(_) => return Heard::Part(status, body.len()),
            }
        }
    }

    /// The id of an object by the name that it had when it was first spoken of.
    fn id(&mut self, name: &str) -> String {
        let kinds = [
            Kind::Policies,
            Kind::NamedLocations,
            Kind::Groups,
            Kind::AuthenticationStrengths,
            Kind::AuthenticationContexts,
            Kind::DeletedPolicies,
            Kind::DeletedNamedLocations,
        ];
        let tenant = &self.tenant;
        self.ids
            .entry(name.to_owned())
            .or_insert_with(|| {
                let find = |tenant: &mut capol::sandbox::Tenant| {
                    kinds.into_iter().find_map(|kind| {
                        let found = tenant.objects(kind).find(|one| one["displayName"] == name)?;
                        Some(found["id"].as_str().unwrap().to_owned())
                    })
                };
                tenant.with_tenant(find).unwrap_or_else(|| panic!("no {name}"))
            })
            .clone()
    }

    /// `{a}` becomes the id of what is called a.
    fn filled(&mut self, text: &str) -> String {
        let mut parts = text.split('{');
        let mut filled = parts.next().unwrap().to_owned();
        for part in parts {
            let (name, rest) = part.split_once('}').unwrap();
            filled.push_str(&self.id(name));
            filled.push_str(rest);
        }
        filled
    }

    /// Method, address and body of `POST policies a` and the like.
    fn request(&mut self, line: &str) -> (String, String, Option<Value>) {
        let line = self.filled(line);
        let (verb, rest) = line.split_once(' ').unwrap();
        let (path, more) = match verb {
            "LIST" | "PAGES" => (rest, ""),
            _ => rest.split_once(' ').unwrap_or((rest, "")),
        };
        let address = match path.split(['/', '?']).next().unwrap() {
            "groups" => format!("v1.0/{path}"),
            "strengths" => "v1.0/policies/authenticationStrengthPolicies".to_owned(),
            "contexts" => "v1.0/identity/conditionalAccess/authenticationContextClassReferences".to_owned(),
            _ => format!("v1.0/identity/conditionalAccess/{path}"),
        };
        let (name, reference) = more.split_once(' ').unwrap_or((more, ""));
        match verb {
            "GET" | "LIST" | "PAGES" => ("GET".to_owned(), address, None),
            "DELETE" => ("DELETE".to_owned(), address, None),
            "PATCH" if path.starts_with("namedLocations") => {
                let body = json!({"@odata.type": "#microsoft.graph.ipNamedLocation", "displayName": name});
                ("PATCH".to_owned(), address, Some(body))
            }
            "PATCH" => ("PATCH".to_owned(), address, Some(json!({"displayName": name}))),
            "RESTORE" => {
                let address = address.replace("/policies/", "/deletedItems/policies/");
                ("POST".to_owned(), format!("{address}/restore"), None)
            }
            "MEMBER" => {
                let member = format!("https://graph.microsoft.com/v1.0/directoryObjects/{name}");
                (
                    "POST".to_owned(),
                    format!("{address}/members/$ref"),
                    Some(json!({"@odata.id": member})),
                )
            }
            "POST" => (
                "POST".to_owned(),
                address,
                Some(new_object(path, name, reference)),
            ),
            other => panic!("{other}"),
        }
    }

    /// Does what a line says, and says what is seen.
    async fn play(&mut self, line: &str) -> String {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        match verb {
            "wait" => {
                *self.time.0.lock().unwrap() += SignedDuration::from_secs(rest.parse().unwrap());
                String::new()
            }
            "TOKEN" => {
                self.token = self.tenant.access_token();
                String::new()
            }
            "TRUTH" => self.truth(),
            "AUDIT" => self.audit(),
            "BATCH" => {
                let mut requests = Vec::new();
                for (index, step) in rest.split("; ").enumerate() {
                    let (method, url, body) = self.request(step);
                    let mut request = json!({
                        "id": index.to_string(), "method": method, "url": url.replace("v1.0/", "/"),
                    });
                    if let Some(body) = body {
                        request["body"] = body;
                        request["headers"] = json!({"content-type": "application/json"});
                    }
                    requests.push(request);
                }
                let body = json!({"requests": requests});
                let Heard::Whole(seen) = self.send("POST", "v1.0/$batch", Some(&body)).await else {
                    return "lost".to_owned();
                };
                let body: Value = serde_json::from_slice(&seen.body).unwrap();
                let steps: Vec<String> = body["responses"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|one| match one["headers"]["Retry-After"].as_str() {
                        Some(wait) => format!("{} after {wait}", one["status"]),
                        None => one["status"].to_string(),
                    })
                    .collect();
                format!("{} {{{}}}", seen.status, steps.join(", "))
            }
            "PAGES" => {
                let (_, url, _) = self.request(line);
                let mut next = Some(format!("{url}?$top=1"));
                let mut names = Vec::new();
                while let Some(url) = next {
                    let Heard::Whole(seen) = self.send("GET", &url, None).await else {
                        return "lost".to_owned();
                    };
                    let body: Value = serde_json::from_slice(&seen.body).unwrap();
                    names.extend(names_of(&body["value"]));
                    next = body["@odata.nextLink"].as_str().map(str::to_owned);
                }
                format!("200 [{}]", names.join(" "))
            }
            _ => {
                let (method, url, body) = self.request(line);
                shown(self.send(&method, &url, body.as_ref()).await)
            }
        }
    }

    fn truth(&self) -> String {
        self.tenant.with_tenant(|tenant| {
            let names = |kind: Kind| {
                let names: Vec<String> = tenant
                    .objects(kind)
                    .map(|one| match one["state"].as_str() {
                        Some("enabled") => format!("{} enabled", one["displayName"].as_str().unwrap()),
                        _ => one["displayName"].as_str().unwrap().to_owned(),
                    })
                    .collect();
                names.join(" ")
            };
            match names(Kind::DeletedPolicies) {
                none if none.is_empty() => format!("[{}]", names(Kind::Policies)),
                deleted => format!("[{}] deleted [{deleted}]", names(Kind::Policies)),
            }
        })
    }

    fn audit(&self) -> String {
        self.tenant.with_tenant(|tenant| {
            let mut records: Vec<String> = tenant
                .objects(Kind::DirectoryAudits)
                .map(|one| {
                    let what = one["activityDisplayName"].as_str().unwrap();
                    let who = one["initiatedBy"]["user"]["userPrincipalName"]
                        .as_str()
                        .unwrap_or("app");
                    format!(
                        "{} by {}",
                        what.split(' ').next().unwrap(),
                        who.split('@').next().unwrap()
                    )
                })
                .collect();
            // Each write is told of by two services.
            records.dedup();
            records.join(", ")
        })
    }
}

fn new_object(path: &str, name: &str, reference: &str) -> Value {
    match path {
        "namedLocations" => location(name),
        "groups" => json!({
            "displayName": name, "mailEnabled": false, "mailNickname": name, "securityEnabled": true,
        }),
        "strengths" => json!({"displayName": name, "allowedCombinations": ["fido2"]}),
        "contexts" => json!({"id": name, "displayName": name, "isAvailable": true}),
        _ => {
            let mut body = policy(name);
            let (kind, id) = reference.split_once(' ').unwrap_or((reference, ""));
            match kind {
                "location" => body["conditions"]["locations"] = json!({"includeLocations": [id]}),
                "strength" => {
                    body["grantControls"] = json!({"operator": "OR", "builtInControls": [], "authenticationStrength": {"id": id}});
                }
                "context" => {
                    body["conditions"]["applications"] =
                        json!({"includeAuthenticationContextClassReferences": [id]});
                }
                _ => {}
            }
            body
        }
    }
}

fn names_of(list: &Value) -> Vec<String> {
    let list = list.as_array().unwrap();
    list.iter()
        .map(|one| one["displayName"].as_str().unwrap().to_owned())
        .collect()
}

/// An answer in few words.
fn shown(heard: Heard) -> String {
    let seen = match heard {
        Heard::Whole(seen) => seen,
        Heard::Part(status, bytes) => return format!("{status} and {bytes} bytes"),
        Heard::Reset => return "reset".to_owned(),
        Heard::Late => return "no answer in time".to_owned(),
    };
    let text = String::from_utf8(seen.body).unwrap();
    if seen
        .headers
        .get("content-type")
        .is_some_and(|kind| kind.starts_with("text/html"))
    {
        assert!(
            !seen.headers.contains_key("request-id"),
            "a gateway has no request id"
        );
        let title = text.find("<h2>").unwrap();
        let end = text.find("</h2>").unwrap() + 5;
        return format!("{} {}", seen.status, &text[title..end]);
    }
    assert!(seen.headers.contains_key("request-id"));
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    let mut shown = seen.status.to_string();
    if let Some(code) = body["error"]["code"].as_str() {
        let message = body["error"]["message"].as_str().unwrap();
        let number = message.split(':').next().unwrap();
        shown.push(' ');
        shown.push_str(match code {
            "BadRequest" if number.parse::<u32>().is_ok() => number,
            "BadRequest" => message.split(' ').next().unwrap(),
            other => other,
        });
        if seen.status == 401 {
            let challenge = &seen.headers["www-authenticate"];
            if let Some((_, claims)) = challenge.split_once("error=\"insufficient_claims\", claims=\"") {
                use base64::Engine;
                let claims = base64::engine::general_purpose::STANDARD
                    .decode(claims.trim_end_matches('"'))
                    .unwrap();
                shown.push_str(", claims ");
                shown.push_str(&String::from_utf8(claims).unwrap());
            } else {
                shown.push_str(", ");
                shown.push_str(message.split([',', '.']).next().unwrap());
            }
        }
        if let Some(wait) = seen.headers.get("retry-after") {
            shown.push_str(", retry-after ");
            shown.push_str(wait);
        }
    } else if body["value"].is_array() {
        write!(shown, " [{}]", names_of(&body["value"]).join(" ")).unwrap();
    } else if let Some(name) = body["displayName"].as_str() {
        shown.push(' ');
        shown.push_str(name);
    }
    shown
}

async fn act(row: Row, socket: bool) -> Vec<String> {
    let time = Time(Arc::new(Mutex::new("2026-03-01T09:00:00Z".parse().unwrap())));
    let running = if socket {
        Some(Sandbox::start(time.options()).await.unwrap())
    } else {
        None
    };
    let mut player = Player::new(running, time);
    player.tenant.set_faults(row.faults);
    let mut wrong = Vec::new();
    for line in row.script.lines() {
        let (asked, expected) = line.trim().split_once("=>").unwrap_or((line.trim(), ""));
        let seen = player.play(asked.trim()).await;
        if seen != expected.trim() {
            wrong.push(format!(
                "{}\n  {asked}\n  expected {expected}\n  seen      {seen}",
                row.name
            ));
        }
    }
    wrong
}

#[tokio::test]
async fn each_trouble_looks_as_it_should_without_a_socket() {
    let mut wrong = Vec::new();
    for row in rows() {
        wrong.extend(act(row, false).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn each_trouble_looks_the_same_over_a_socket() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut wrong = Vec::new();
    for row in rows() {
        wrong.extend(act(row, true).await);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn answers_take_as_long_as_the_seed_says() {
    let waits = |seed| {
        let tenant = Sandbox::in_memory(SandboxOptions::default()).unwrap();
        tenant.set_faults(
            Faults::none()
                .seed(seed)
                .latency(Duration::from_millis(30), Duration::from_millis(20))
                .with(Rule::new(
                    When::Only(3),
                    Effect::Late {
                        by: seconds(5),
                        commit: true,
                    },
                )),
        );
        let headers = [(
            "authorization".to_owned(),
            format!("Bearer {}", tenant.access_token()),
        )];
        (0..5)
            .map(|_| tenant.answer("GET", "/v1.0/groups", &headers, None).wait)
            .collect::<Vec<Duration>>()
    };
    let first = waits(1);
    assert_eq!(first, waits(1));
    assert_ne!(first, waits(2));
    for (index, wait) in first.into_iter().enumerate() {
        let wait = wait
            .checked_sub(if index == 2 { seconds(5) } else { Duration::ZERO })
            .unwrap();
        assert!((30..=50).contains(&wait.as_millis()), "{wait:?}");
    }
}

#[test]
fn signing_in_meets_trouble_too() {
    let tenant = Sandbox::in_memory(SandboxOptions::default()).unwrap();
    let ask = || {
        let form = "grant_type=client_credentials&client_id=x&client_secret=y&scope=z/.default";
        let url = format!("/{}/oauth2/v2.0/token", tenant.tenant_id());
        tenant.answer("POST", &url, &[], Some(form.as_bytes()))
    };
    tenant.set_faults(
        Faults::none()
            .with(Rule::new(When::Only(1), fail(503, false)).sign_in())
            .with(Rule::new(When::Only(2), Effect::Drop { commit: false }).sign_in())
            .with(
                Rule::new(
                    When::Only(3),
                    Effect::Gateway {
                        status: 502,
                        commit: false,
                    },
                )
                .sign_in(),
            ),
    );
    assert_eq!(ask().status, 503);
    assert_eq!(ask().cut, Some(Cut::BeforeAnswer));
    assert_eq!(ask().status, 502);
    assert_eq!(ask().status, 200);
}

#[test]
fn a_written_description_means_what_the_library_means() {
    let text = include_str!("faults.json");
    let faults = Faults::parse(text).unwrap();
    insta::assert_debug_snapshot!("written_faults", faults);
}

#[test]
fn the_book_describes_trouble_as_it_is_read() {
    let page = include_str!("../../book/src/faults.md");
    let whole: Vec<&str> = page
        .split("```json\n")
        .skip(1)
        .map(|part| part.split("```").next().unwrap())
        .collect();
    assert!(!whole.is_empty());
    for text in whole {
        Faults::parse(text).unwrap();
    }
    let lines: Vec<&str> = page.lines().collect();
    let (mut words, mut table) = (0, "");
    for (index, line) in lines.iter().enumerate() {
        if lines.get(index + 1).is_some_and(|next| next.starts_with("| ---")) {
            table = line;
            continue;
        }
        let Some((first, _)) = line.strip_prefix("| `").and_then(|rest| rest.split_once("` |")) else {
            continue;
        };
        let text = match table {
            "| `when` | catches |" => {
                format!(r#"{{"rules": [{{"when": {first}, "effect": {{"drop": {{"commit": true}}}}}}]}}"#)
            }
            "| `effect` | what the client sees |" => format!(r#"{{"rules": [{{"effect": {first}}}]}}"#),
            "| word | for so long after a write |" => format!(r#"{{"visibility": {{"{first}": 1}}}}"#),
            _ => continue,
        };
        Faults::parse(&text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        words += 1;
    }
    assert!(words > 20, "the tables were not found");
}
