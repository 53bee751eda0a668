//! Whatever Graph, a proxy or a sign-in page answers.

use capol::graph::http::{Exchange, ExchangeError, Incoming, Outgoing};
use capol::graph::{
    AccessToken, Cloud, Collection, Endpoints, Graph, GraphError, GraphOptions, Operation, Pace,
    PolicyVersions, Request, Secret, SignIn, SignInError, SnapshotOptions, TokenSource, Version,
};
use capol::model::{Kind, wire};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

const TOKEN: &str = "tok3n-that-nobody-may-see";
const ID: &str = "5ab1e000-0000-4000-8000-000000000001";

/// What stands between two answers.
const BETWEEN: &[u8] = b"\n===\n";

/// Answers one after the other, and 404 ever after.
struct Script(Mutex<VecDeque<Result<Incoming, ExchangeError>>>);

impl Exchange for Script {
    fn exchange(&self, _: Outgoing) -> BoxFuture<'_, Result<Incoming, ExchangeError>> {
        let mut answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = answers.pop_front().unwrap_or_else(|| {
            Ok(Incoming {
                status: 404,
                ..Incoming::default()
            })
        });
        Box::pin(async move { answer })
    }
}

struct Token;

impl TokenSource for Token {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, SignInError>> {
        Box::pin(async { Ok(AccessToken::lasting(Secret::new(TOKEN), 3600)) })
    }
}

/// Reads `STATUS[ name=value]…`, a line break and the body; a status of 0 is an answer that got lost.
fn answer(text: &[u8]) -> Result<Incoming, ExchangeError> {
    let (head, body) = match text.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&text[..end], &text[end + 1..]),
        None => (text, &text[text.len()..]),
    };
    let head = String::from_utf8_lossy(head);
    let mut words = head.split(' ');
    let status = words.next().and_then(|word| word.parse().ok()).unwrap_or(200);
    if status == 0 {
        return Err(ExchangeError::Lost("lost".to_owned()));
    }
    let headers = words
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.replace('+', " ")))
        .collect();
    Ok(Incoming {
        status,
        headers,
        body: body.to_vec(),
    })
}

fn options() -> GraphOptions {
    let endpoints = Endpoints::new(Cloud::Global, None, None).expect("the public cloud");
    GraphOptions {
        pace: Pace::UNLIMITED,
        jitter: Arc::new(|| 1.0),
        ..GraphOptions::new(endpoints)
    }
}

fn decoded(objects: &[Value]) {
    for object in objects {
        for kind in Kind::ALL {
            drop(wire::decode(kind, object));
        }
    }
}

/// Makes the call that a letter names and says how it went wrong.
async fn call(letter: u8, graph: &Graph, script: Arc<Script>) -> Result<(), GraphError> {
    let (policies, groups) = (Collection::Policies, Collection::Groups);
    let version = Version::V1;
    match letter {
        b'l' => decoded(&graph.list_all(policies, version).await?),
        b'g' => decoded(&[graph.read(policies, version, ID).await?]),
        b's' => {
            let options = SnapshotOptions {
                policies: PolicyVersions::Both,
                named_locations: Some(version),
                strengths: Some(version),
                contexts: Some(version),
                terms: true,
                groups: vec![ID.to_owned()],
                members_of: vec![ID.to_owned()],
                deleted: true,
            };
            let snapshot = graph.snapshot(&options).await?;
            if let Ok(objects) = snapshot.objects() {
                assert!(objects.len() < 100_000);
            }
        }
        b'c' => drop(
            graph
                .create(policies, version, json!({"displayName": "p"}))
                .await?,
        ),
        b'u' => drop(
            graph
                .update(policies, version, ID, json!({"displayName": "p"}))
                .await?,
        ),
        b'd' => graph.delete(policies, version, ID).await?,
        b'r' => drop(graph.restore(policies, version, ID).await?),
        b'm' => {
            graph
                .add_members(ID, &[ID.to_owned(), "other".to_owned()])
                .await?;
        }
        b'x' => graph.remove_member(ID, ID).await?,
        b'k' => drop(
            graph
                .update_allowed_combinations(version, ID, &["fido2".to_owned()])
                .await?,
        ),
        b'e' => drop(graph.evaluate(Version::Beta, json!({})).await?),
        b'o' => drop(graph.organization().await?),
        b'n' => drop(graph.objects_by_id(&[ID.to_owned()], &["group"]).await?),
        b'b' => {
            let requests = [
                Request::new(Operation::Read, version, policies.path()),
                Request::new(Operation::Read, version, groups.path()),
            ];
            for (answer, request) in graph.batch(version, &requests).await?.into_iter().zip(&requests) {
                answer.into_result(request)?;
            }
        }
        _ => {
            let sign_in = SignIn::ClientSecret {
                tenant: "contoso.com".to_owned(),
                client: ID.to_owned(),
                secret: Secret::new(TOKEN),
            };
            let clock = Arc::new(|| "2026-11-23T12:00:00Z".parse().expect("a time"));
            let source = sign_in.source_over(script, &options(), clock)?;
            source.fetch().await.map_err(GraphError::from)?.claims();
        }
    }
    Ok(())
}

/// Any answer is understood or an error that can be told, and no error tells the token.
///
/// The first byte chooses the call; the answers follow, `\n===\n` between them.
///
/// # Panics
/// When that does not hold.
pub fn graph_answers(bytes: &[u8]) {
    let Some((letter, rest)) = bytes.split_first() else {
        return;
    };
    let mut answers = VecDeque::new();
    let mut rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    while let Some(at) = rest.windows(BETWEEN.len()).position(|window| window == BETWEEN) {
        answers.push_back(answer(&rest[..at]));
        rest = &rest[at + BETWEEN.len()..];
    }
    answers.push_back(answer(rest));
    let script = Arc::new(Script(Mutex::new(answers)));
    let graph = Graph::over(script.clone(), Arc::new(Token), options());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    if let Err(error) = runtime.block_on(call(*letter, &graph, script)) {
        let help = miette::Diagnostic::help(&error).map(|help| help.to_string());
        let told = format!("{error} {help:?} {error:?}");
        assert!(!told.contains(TOKEN), "{error}");
    }
}
