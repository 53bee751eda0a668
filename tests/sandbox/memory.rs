//! The tenant without a socket is the tenant with one.

use capol::graph::Pace;
use capol::sandbox::{Effect, Faults, Rule, Sandbox, When};
use serde_json::{Value, json};

use super::{POLICIES, location, options, policy};
use crate::in_memory::{client, in_virtual_time, tenant};

/// What a client sees, ports and names of hosts apart.
fn told(base: &str, text: &str) -> String {
    text.replace(base, "http://tenant")
}

#[tokio::test]
async fn both_ways_give_the_same_answers() {
    let bench = super::Bench::start(options()).await;
    let memory = Sandbox::in_memory(options()).unwrap();
    let steps: [(&str, &str, Option<Value>); 9] = [
        ("POST", POLICIES, Some(policy("a"))),
        ("POST", POLICIES, Some(json!({"displayName": "no conditions"}))),
        ("POST", super::LOCATIONS, Some(location("b"))),
        (
            "GET",
            "v1.0/identity/conditionalAccess/policies?$top=1&$count=true",
            None,
        ),
        (
            "GET",
            "v1.0/groups?$filter=displayName eq 'IT'&$select=id,displayName",
            None,
        ),
        ("GET", "v1.0/users/nobody@contoso.com", None),
        ("GET", "v1.0/nothing", None),
        (
            "POST",
            "v1.0/$batch",
            Some(json!({"requests": [{"id": "1", "method": "GET", "url": "/groups?$top=1"}]})),
        ),
        ("DELETE", POLICIES, None),
    ];
    let headers = |token: String| {
        vec![
            ("authorization".to_owned(), format!("Bearer {token}")),
            ("prefer".to_owned(), "include-unknown-enum-members".to_owned()),
            ("content-type".to_owned(), "application/json".to_owned()),
        ]
    };
    for (method, path, body) in steps {
        let by_socket = bench.send(method, path, body.as_ref()).await;
        let bytes = body.map(|body| body.to_string().into_bytes());
        let url = format!("{}/{path}", memory.endpoint());
        let direct = memory.answer(method, &url, &headers(memory.access_token()), bytes.as_deref());
        assert_eq!(direct.status, by_socket.status, "{method} {path}");
        let direct_body: Value = serde_json::from_slice(&direct.body).unwrap_or_default();
        assert_eq!(
            told(&memory.endpoint(), &direct_body.to_string()),
            told(&bench.running.endpoint(), &by_socket.body.to_string()),
            "{method} {path}"
        );
        for (name, value) in &direct.headers {
            assert_eq!(
                by_socket.headers[name.as_str()],
                value.as_str(),
                "{method} {path}"
            );
        }
    }
    assert_eq!(memory.requests(), bench.running.requests());
}

#[test]
fn a_client_at_the_services_pace_needs_no_real_time() {
    in_virtual_time(async {
        let memory = tenant(capol::sandbox::SandboxOptions::default());
        memory.set_faults(
            Faults::none().with(Rule::new(When::Every(5), Effect::Throttle { retry_after: None })),
        );
        let graph = client(&memory, Pace::SERVICE);
        let start = tokio::time::Instant::now();
        for _ in 0..100 {
            let read = graph
                .list(
                    capol::graph::Version::V1,
                    "identity/conditionalAccess/policies",
                    &[],
                )
                .await;
            assert_eq!(read.unwrap(), Vec::<Value>::new());
        }
        assert!(start.elapsed().as_secs() >= 99, "{:?}", start.elapsed());
        let throttled = memory.requests().iter().filter(|one| one.status == 429).count();
        assert_eq!(throttled, memory.requests().len() / 5);
    });
}
