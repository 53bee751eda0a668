//! The embedded tenant answers over HTTP as Microsoft Graph does.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "test bench"
)]

use std::sync::Arc;
use std::sync::Once;

use capol::sandbox::Effect;
use capol::sandbox::Faults;
use capol::sandbox::Rule;
use capol::sandbox::Running;
use capol::sandbox::Sandbox;
use capol::sandbox::SandboxOptions;
use capol::sandbox::Tenant;
use capol::sandbox::When;
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

#[tokio::test]
async fn a_policy_lives_through_create_change_delete_and_restore() {
    let bench = Bench::start(options()).await;
    let made = bench.post(POLICIES, &policy("Require MFA")).await;
    assert_eq!(made["grantControls"]["operator"], "OR");
    assert_eq!(made["conditions"]["clientAppTypes"], json!(["all"]));
    assert_eq!(made["modifiedDateTime"], Value::Null);
    assert_eq!(made["createdDateTime"], "2026-03-01T09:00:00.1234567Z");
    let one = format!("{POLICIES}/{}", made["id"].as_str().unwrap());

    let changed = bench
        .send("PATCH", &one, Some(&json!({"state": "enabled"})))
        .await;
    assert_eq!((changed.status, changed.body), (204, Value::Null));
    let read = bench.get(&one).await;
    assert_eq!(read["state"], "enabled");
    assert_eq!(read["displayName"], "Require MFA");
    assert_ne!(read["modifiedDateTime"], Value::Null);

    assert_eq!(bench.send("DELETE", &one, None).await.status, 204);
    let gone = bench.send("GET", &one, None).await;
    assert_eq!(gone.status, 404);
    assert!(
        gone.body["error"]["message"]
            .as_str()
            .unwrap()
            .contains("does not exist in the directory")
    );
    let bin = "v1.0/identity/conditionalAccess/deletedItems/policies";
    let deleted = bench.get(bin).await;
    assert_eq!(deleted["value"][0]["id"], made["id"]);
    assert_ne!(deleted["value"][0]["deletedDateTime"], Value::Null);
    let restored = bench
        .send(
            "POST",
            &format!("{bin}/{}/restore", made["id"].as_str().unwrap()),
            None,
        )
        .await;
    assert_eq!(
        (restored.status, &restored.body["state"]),
        (200, &json!("enabled"))
    );
    assert_eq!(bench.get(&one).await["id"], made["id"]);
    let audits = bench.get("v1.0/auditLogs/directoryAudits").await;
    let activities: Vec<&str> = audits["value"]
        .as_array()
        .unwrap()
        .iter()
        .map(|audit| audit["activityDisplayName"].as_str().unwrap())
        .collect();
    assert_eq!(
        activities,
        [
            "Delete conditional access policy",
            "Update conditional access policy",
            "Add conditional access policy"
        ]
    );
}
