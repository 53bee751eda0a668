//! The embedded tenant answers over HTTP as Microsoft Graph does.

mod corpus;
mod faults;
mod hold;
mod lag;
mod logs;
mod memory;
mod objects;
mod protocol;
mod published;
mod scenario;
mod schema;
mod serve;
mod signin;
mod walk;

use std::sync::Arc;
use std::sync::Once;

use capol::sandbox::Running;
use capol::sandbox::Sandbox;
use capol::sandbox::SandboxOptions;
use serde_json::Value;
use serde_json::json;

const POLICIES: &str = "v1.0/identity/conditionalAccess/policies";
const LOCATIONS: &str = "v1.0/identity/conditionalAccess/namedLocations";

/// A tenant and a client that talks to it.
struct Bench {
    running: Running,
    client: reqwest::Client,
    token: String,
}

/// An answer, read.
#[derive(Debug)]
struct Answer {
    status: u16,
    body: Value,
    headers: reqwest::header::HeaderMap,
}

fn options() -> SandboxOptions {
    let now: jiff::Timestamp = "2026-03-01T09:00:00.1234567Z".parse().unwrap();
    SandboxOptions {
        clock: Arc::new(move || now),
        ..SandboxOptions::default()
    }
}

impl Bench {
    async fn start(options: SandboxOptions) -> Self {
        static PROVIDER: Once = Once::new();
        PROVIDER.call_once(|| {
            let _ = rustls::crypto::ring::default_provider().install_default();
        });
        let running = Sandbox::start(options).await.unwrap();
        let token = running.access_token();
        Self {
            running,
            client: reqwest::Client::builder().no_proxy().build().unwrap(),
            token,
        }
    }

    async fn try_send(&self, method: &str, path: &str, body: Option<&Value>) -> reqwest::Result<Answer> {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}/{path}", self.running.endpoint())
        };
        let mut request = self
            .client
            .request(method.parse().unwrap(), url)
            .header("authorization", format!("Bearer {}", self.token))
            .header("prefer", "include-unknown-enum-members");
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = if text.is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&text).unwrap()
        };
        Ok(Answer {
            status,
            body,
            headers,
        })
    }

    async fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        self.try_send(method, path, body).await.unwrap()
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.send("GET", path, None).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer.body
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.send("POST", path, Some(body)).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
        answer.body
    }
}

fn policy(name: &str) -> Value {
    json!({
        "displayName": name,
        "state": "disabled",
        "conditions": {
            "users": {"includeUsers": ["All"]},
            "applications": {"includeApplications": ["All"]},
        },
        "grantControls": {"operator": "AND", "builtInControls": ["mfa"]},
    })
}

fn location(name: &str) -> Value {
    json!({
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "displayName": name,
        "ipRanges": [{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24"}],
    })
}
