//! What may be relied on when capol talks to Microsoft Graph.

#![expect(clippy::unnecessary_wraps, reason = "test bench")]

mod batch;
mod cohorts;
mod directory;
mod network;
mod objects;
mod sandbox;
mod sign_in;
mod snapshot;
mod transport;

use capol::graph::http::{Exchange, ExchangeError, Incoming, Outgoing};
use capol::graph::{
    AccessToken, Cloud, Endpoints, Graph, GraphEvent, GraphOptions, Observer, Pace, Secret, SignInError,
    TokenSource,
};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

pub(crate) const TOKEN: &str = "tok3n-that-nobody-may-see";

type Answer = Result<Incoming, ExchangeError>;
type Script = Box<dyn Fn(&Outgoing, usize) -> Answer + Send + Sync>;

/// A server that is a function: the request and its number (from 0) in, the answer out. Keeps what it was sent.
pub(crate) struct Fake {
    script: Script,
    log: Mutex<Vec<Outgoing>>,
}

impl Fake {
    pub(crate) fn new(script: impl Fn(&Outgoing, usize) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            script: Box::new(script),
            log: Mutex::default(),
        })
    }

    /// Answers one after the other; asking for more fails the test.
    pub(crate) fn sequence(answers: Vec<Answer>) -> Arc<Self> {
        Self::new(move |outgoing, number| match answers.get(number) {
            Some(answer) => answer.clone(),
            None => panic!(
                "request {number} was not expected: {} {}",
                outgoing.method, outgoing.url
            ),
        })
    }

    pub(crate) fn log(&self) -> Vec<Outgoing> {
        self.log.lock().unwrap().clone()
    }

    /// Method and path with query, in the order of sending.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.log()
            .iter()
            .map(|sent| {
                let query = sent
                    .url
                    .query()
                    .map(|query| format!("?{query}"))
                    .unwrap_or_default();
                format!("{} {}{query}", sent.method, sent.url.path())
            })
            .collect()
    }
}

impl Exchange for Fake {
    fn exchange(&self, outgoing: Outgoing) -> BoxFuture<'_, Answer> {
        let number = {
            let mut log = self.log.lock().unwrap();
            log.push(outgoing.clone());
            log.len() - 1
        };
        Box::pin(async move { (self.script)(&outgoing, number) })
    }
}

/// Tokens from a list; the last one for ever after.
pub(crate) struct Tokens(Mutex<Vec<&'static str>>);

impl Tokens {
    pub(crate) fn new(tokens: &[&'static str]) -> Arc<Self> {
        Arc::new(Self(Mutex::new(tokens.iter().rev().copied().collect())))
    }
}

impl TokenSource for Tokens {
    fn fetch(&self) -> BoxFuture<'_, Result<AccessToken, SignInError>> {
        let mut left = self.0.lock().unwrap();
        let token = if left.len() > 1 {
            left.pop().unwrap()
        } else {
            *left.last().unwrap()
        };
        Box::pin(async move { Ok(AccessToken::lasting(Secret::new(token), 3600)) })
    }
}

/// Keeps every event.
#[derive(Default)]
pub(crate) struct Ear(Mutex<Vec<GraphEvent>>);

impl Ear {
    pub(crate) fn heard(&self) -> Vec<GraphEvent> {
        self.0.lock().unwrap().clone()
    }
}

impl Observer for Ear {
    fn observe(&self, event: &GraphEvent) {
        self.0.lock().unwrap().push(event.clone());
    }
}

/// Options for a made-up tenant, without pace, with full jitter so that waits are round numbers.
pub(crate) fn options() -> GraphOptions {
    let endpoints = Endpoints::new(Cloud::Global, None, None).unwrap();
    GraphOptions {
        pace: Pace::UNLIMITED,
        jitter: Arc::new(|| 1.0),
        ..GraphOptions::new(endpoints)
    }
}

pub(crate) fn graph(fake: &Arc<Fake>) -> Graph {
    Graph::over(fake.clone(), Tokens::new(&[TOKEN]), options())
}

pub(crate) fn ok(body: Value) -> Answer {
    answer(200, &[], body)
}

pub(crate) fn answer(status: u16, headers: &[(&str, &str)], body: Value) -> Answer {
    let headers: BTreeMap<String, String> = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let body = if body.is_null() {
        Vec::new()
    } else {
        body.to_string().into_bytes()
    };
    Ok(Incoming {
        status,
        headers,
        body,
    })
}

pub(crate) fn text(status: u16, body: &str) -> Answer {
    Ok(Incoming {
        status,
        headers: BTreeMap::new(),
        body: body.as_bytes().to_vec(),
    })
}

pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Answer {
    answer(
        status,
        &[("request-id", "r-1")],
        json!({ "error": { "code": code, "message": message, "innerError": { "request-id": "r-1" } } }),
    )
}

pub(crate) fn lost() -> Answer {
    Err(ExchangeError::Lost("connection reset".to_owned()))
}

pub(crate) fn not_sent() -> Answer {
    Err(ExchangeError::NotSent("connection refused".to_owned()))
}

/// Message, code and help as a user sees them.
pub(crate) fn shown(error: &dyn miette::Diagnostic) -> String {
    let code = error.code().map(|code| code.to_string()).unwrap_or_default();
    let help = error.help().map(|help| help.to_string()).unwrap_or_default();
    format!("{code}: {error}\nhelp: {help}")
}
