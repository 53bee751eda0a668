//! Retries, throttling, lost answers, tokens that end.

use super::*;
use capol::graph::{Collection, GraphError, Operation, Request, Version};
use std::time::Duration;
use tokio::time::Instant;

const POLICIES: Collection = Collection::Policies;

async fn create(fake: &Arc<Fake>) -> Result<Value, GraphError> {
    graph(fake)
        .create(POLICIES, Version::V1, json!({ "displayName": "p" }))
        .await
}

#[tokio::test(start_paused = true)]
async fn a_throttled_request_waits_as_long_as_graph_says() {
    let fake = Fake::sequence(vec![
        answer(429, &[("retry-after", "17")], Value::Null),
        answer(
            503,
            &[
                ("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT"),
                ("date", "Wed, 21 Oct 2026 07:28:00 GMT"),
            ],
            Value::Null,
        ),
        ok(json!({ "value": [] })),
    ]);
    let start = Instant::now();
    graph(&fake).list_all(POLICIES, Version::V1).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 17 + 30);
}

#[tokio::test(start_paused = true)]
async fn without_retry_after_the_wait_doubles() {
    let mut answers = vec![refusal(429, "TooManyRequests", "Too many requests."); 5];
    answers.push(ok(json!({ "value": [] })));
    let fake = Fake::sequence(answers);
    let start = Instant::now();
    graph(&fake).list_all(POLICIES, Version::V1).await.unwrap();
    assert_eq!(start.elapsed().as_secs(), 1 + 2 + 4 + 8 + 16);
}

#[tokio::test(start_paused = true)]
async fn jitter_shortens_the_wait_by_at_most_half() {
    let fake = Fake::sequence(vec![refusal(429, "", ""), ok(json!({ "value": [] }))]);
    let options = GraphOptions {
        jitter: Arc::new(|| 0.0),
        ..options()
    };
    let start = Instant::now();
    let graph = Graph::over(fake, Tokens::new(&[TOKEN]), options);
    graph.list_all(POLICIES, Version::V1).await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_millis(500));
}

#[tokio::test(start_paused = true)]
async fn a_throttled_request_holds_up_its_lane_and_no_other() {
    let fake = Fake::new(|outgoing, number| match outgoing.url.path() {
        "/v1.0/identity/conditionalAccess/policies" if number == 0 => {
            answer(429, &[("retry-after", "60")], Value::Null)
        }
        _ => ok(json!({ "value": [] })),
    });
    let graph = graph(&fake);
    let start = Instant::now();
    let (first, second, elsewhere) = tokio::join!(
        async {
            graph
                .list(Version::V1, "identity/conditionalAccess/policies", &[])
                .await
                .unwrap();
            start.elapsed().as_secs()
        },
        async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            graph
                .list(Version::V1, "identity/conditionalAccess/namedLocations", &[])
                .await
                .unwrap();
            start.elapsed().as_secs()
        },
        async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            graph.list(Version::V1, "groups", &[]).await.unwrap();
            start.elapsed().as_secs()
        },
    );
    // A second apart, for those who waited must not come back together.
    assert_eq!((first, second, elsewhere), (60, 61, 1));
}

#[tokio::test(start_paused = true)]
async fn observers_hear_of_throttling_and_retries() {
    let fake = Fake::sequence(vec![
        answer(429, &[("retry-after", "5")], Value::Null),
        refusal(504, "Timeout", "late"),
        ok(json!({ "value": [] })),
    ]);
    let ear = Arc::new(Ear::default());
    let options = GraphOptions {
        observer: ear.clone(),
        ..options()
    };
    let graph = Graph::over(fake, Tokens::new(&[TOKEN]), options);
    graph.list_all(POLICIES, Version::V1).await.unwrap();
    let heard: Vec<String> = ear
        .heard()
        .into_iter()
        .map(|event| match event {
            GraphEvent::Sending { attempt, .. } => format!("sending {attempt}"),
            GraphEvent::Answered { status, .. } => format!("answered {status}"),
            GraphEvent::Throttled { wait, told, .. } => format!("throttled {}s told {told}", wait.as_secs()),
            GraphEvent::Retrying { wait, .. } => format!("retrying in {}s", wait.as_secs()),
            GraphEvent::SignedIn => "signed in".to_owned(),
            _ => "other".to_owned(),
        })
        .collect();
    insta::assert_snapshot!(heard.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn conditional_access_requests_keep_the_services_pace() {
    let fake = Fake::new(|_, _| ok(json!({ "value": [] })));
    let graph = Graph::over(
        fake,
        Tokens::new(&[TOKEN]),
        GraphOptions {
            pace: Pace::SERVICE,
            ..options()
        },
    );
    let start = Instant::now();
    futures::future::join_all((0..10).map(|_| graph.list_all(POLICIES, Version::V1))).await;
    assert_eq!(start.elapsed().as_secs(), 9);
}

#[tokio::test(start_paused = true)]
async fn throttling_without_end_becomes_an_error_with_a_next_step() {
    let fake = Fake::new(|_, _| refusal(429, "TooManyRequests", "Too many requests."));
    let error = graph(&fake).list_all(POLICIES, Version::V1).await.unwrap_err();
    assert_eq!(fake.log().len(), 11);
    assert_eq!(error.service().unwrap().status, 429);
    assert!(shown(&error).contains("help: others use up"), "{}", shown(&error));
}

#[tokio::test(start_paused = true)]
async fn an_hour_of_retry_after_is_not_waited_for() {
    for absurd in ["3600", "31536000", "18446744073709551615", "-1", "soon"] {
        let fake = Fake::sequence(vec![
            answer(429, &[("retry-after", absurd)], Value::Null),
            ok(json!({ "value": [] })),
        ]);
        let start = Instant::now();
        graph(&fake).list_all(POLICIES, Version::V1).await.unwrap();
        assert_eq!(start.elapsed().as_secs(), 1, "{absurd}");
    }
}

#[tokio::test(start_paused = true)]
async fn reads_updates_and_deletes_are_repeated_after_a_lost_answer() {
    let fake = Fake::sequence(vec![
        lost(),
        refusal(500, "InternalServerError", "x"),
        not_sent(),
        ok(json!({ "value": [1] })),
    ]);
    assert_eq!(
        graph(&fake).list_all(POLICIES, Version::V1).await.unwrap(),
        [json!(1)]
    );

    let fake = Fake::sequence(vec![lost(), answer(204, &[], Value::Null)]);
    assert_eq!(
        graph(&fake)
            .update(POLICIES, Version::V1, "a", json!({ "state": "disabled" }))
            .await
            .unwrap(),
        None
    );
    let bodies: Vec<_> = fake.log().into_iter().map(|sent| sent.body).collect();
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_is_answered_not_found_is_not_taken_for_done() {
    let gone = || refusal(404, "Request_ResourceNotFound", "gone");
    for answers in [vec![gone()], vec![lost(), gone()]] {
        let refused = graph(&Fake::sequence(answers))
            .delete(POLICIES, Version::V1, "a")
            .await
            .unwrap_err();
        assert!(refused.is_not_found());
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_is_never_sent_again_once_it_may_have_been_carried_out() {
    for bad in [
        lost(),
        refusal(500, "InternalServerError", "x"),
        refusal(502, "BadGateway", "x"),
        refusal(503, "ServiceUnavailable", "x"),
        refusal(504, "GatewayTimeout", "x"),
        refusal(408, "RequestTimeout", "x"),
        text(502, "<html><title>Bad gateway</title></html>"),
        text(201, "{\"id\": \"half"),
        text(201, ""),
        answer(201, &[], json!({ "displayName": "without an id" })),
    ] {
        let fake = Fake::sequence(vec![bad.clone()]);
        let error = create(&fake).await.unwrap_err();
        assert!(error.is_unknown(), "{bad:?} gave {error:?}");
        let GraphError::Unknown {
            client_request_id, ..
        } = error
        else {
            panic!()
        };
        let sent = &fake.log()[0].headers;
        assert!(sent.contains(&("client-request-id".to_owned(), client_request_id)));
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_is_sent_again_when_graph_surely_did_nothing() {
    let created = || answer(201, &[], json!({ "id": "new" }));
    for harmless in [
        not_sent(),
        refusal(429, "TooManyRequests", "x"),
        answer(429, &[("retry-after", "1")], Value::Null),
        answer(503, &[("retry-after", "1")], Value::Null),
    ] {
        let fake = Fake::sequence(vec![harmless, created()]);
        assert_eq!(create(&fake).await.unwrap()["id"], "new");
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_never_left_is_unreachable_not_unknown() {
    let fake = Fake::new(|_, _| not_sent());
    let error = create(&fake).await.unwrap_err();
    assert!(
        matches!(error, GraphError::Unreachable { attempts: 5, .. }),
        "{error:?}"
    );
    let fake = Fake::new(|_, _| answer(503, &[("retry-after", "1")], Value::Null));
    assert!(!create(&fake).await.unwrap_err().is_unknown());
}

#[tokio::test(start_paused = true)]
async fn an_update_that_nobody_ever_answered_is_unknown() {
    let fake = Fake::new(|_, _| lost());
    let error = graph(&fake)
        .update(POLICIES, Version::V1, "a", json!({}))
        .await
        .unwrap_err();
    assert!(error.is_unknown(), "{error:?}");
    assert_eq!(fake.log().len(), 5);
    // The first try may have been carried out, although the last one surely was not.
    let fake = Fake::new(|_, number| if number == 0 { lost() } else { not_sent() });
    assert!(
        graph(&fake)
            .update(POLICIES, Version::V1, "a", json!({}))
            .await
            .unwrap_err()
            .is_unknown()
    );
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_once_and_the_write_goes_through() {
    let fake = Fake::new(|outgoing, _| {
        if outgoing.bearer.as_ref().unwrap().reveal() == "new" {
            answer(201, &[], json!({ "id": "x" }))
        } else {
            refusal(
                401,
                "InvalidAuthenticationToken",
                "Lifetime validation failed, the token is expired.",
            )
        }
    });
    let graph = Graph::over(fake.clone(), Tokens::new(&["old", "new"]), options());
    graph.create(POLICIES, Version::V1, json!({})).await.unwrap();
    assert_eq!(fake.log().len(), 2);

    let fake = Fake::new(|_, _| refusal(401, "InvalidAuthenticationToken", "no"));
    let graph = Graph::over(fake.clone(), Tokens::new(&["a", "b", "c"]), options());
    let error = graph.create(POLICIES, Version::V1, json!({})).await.unwrap_err();
    assert_eq!((error.service().unwrap().status, fake.log().len()), (401, 2));
}

#[tokio::test(start_paused = true)]
async fn a_token_that_ends_in_mid_run_is_replaced_before_it_does() {
    let fake = Fake::new(|_, _| ok(json!({ "value": [] })));
    let graph = Graph::over(fake.clone(), Tokens::new(&["first", "second"]), options());
    graph.list_all(POLICIES, Version::V1).await.unwrap();
    tokio::time::advance(Duration::from_secs(3400)).await;
    graph.list_all(POLICIES, Version::V1).await.unwrap();
    let used: Vec<String> = fake
        .log()
        .iter()
        .map(|sent| sent.bearer.as_ref().unwrap().reveal().to_owned())
        .collect();
    assert_eq!(used, ["first", "second"]);
}

#[tokio::test(start_paused = true)]
async fn every_page_of_a_list_is_read_or_none() {
    let link = |token: &str| {
        format!("https://graph.microsoft.com/v1.0/identity/conditionalAccess/policies?$skiptoken={token}")
    };
    let page = move |values: Value, next: Option<&str>| match next {
        Some(next) => ok(json!({ "value": values, "@odata.nextLink": link(next) })),
        None => ok(json!({ "value": values })),
    };
    let fake = Fake::sequence(vec![
        page(json!([1, 2]), Some("b")),
        lost(),
        page(json!([]), Some("c")),
        page(json!([3]), None),
    ]);
    assert_eq!(
        graph(&fake).list_all(POLICIES, Version::V1).await.unwrap(),
        [json!(1), json!(2), json!(3)]
    );
    for sent in fake.log() {
        assert!(
            sent.headers
                .contains(&("Prefer".to_owned(), "include-unknown-enum-members".to_owned()))
        );
    }

    let elsewhere = json!({ "value": [], "@odata.nextLink": "https://evil.example/v1.0/x" });
    for (answers, code) in [
        (
            vec![page(json!([1]), Some("b")), ok(json!({ "error": "none" }))],
            "graph::incomplete",
        ),
        (
            vec![page(json!([1]), Some("b")), ok(json!({ "value": { "0": 1 } }))],
            "graph::incomplete",
        ),
        (
            vec![page(json!([1]), Some("b")), answer(200, &[], Value::Null)],
            "graph::incomplete",
        ),
        (
            vec![page(json!([1]), Some("b")), text(200, "{\"value\": [{\"id\"")],
            "graph::not_graph",
        ),
        (
            vec![
                page(json!([1]), Some("b")),
                text(200, "<html>Please sign in</html>"),
            ],
            "graph::not_graph",
        ),
        (
            vec![page(json!([1]), Some("b")), page(json!([2]), Some("b"))],
            "graph::page_loop",
        ),
        (
            vec![ok(json!({ "value": [], "@odata.nextLink": 7 }))],
            "graph::incomplete",
        ),
        (vec![ok(elsewhere)], "graph::foreign_page"),
        (
            vec![ok(
                json!({ "value": [], "@odata.nextLink": "http://graph.microsoft.com/v1.0/x" }),
            )],
            "graph::foreign_page",
        ),
        (
            vec![page(json!([1]), Some("b")), refusal(403, "AccessDenied", "no")],
            "graph::refused",
        ),
    ] {
        let error = graph(&Fake::sequence(answers))
            .list_all(POLICIES, Version::V1)
            .await
            .unwrap_err();
        assert!(shown(&error).starts_with(code), "{}", shown(&error));
    }
}

#[tokio::test(start_paused = true)]
async fn what_graph_refuses_is_told_with_ids_and_a_next_step() {
    let nested = json!({ "error": {
        "code": "BadRequest",
        "message": "The server could not process the request because it is malformed or incorrect.",
        "innerError": { "message": "1040: NamedLocation with id 11111111-1111-1111-1111-111111111111 does not exist in the directory.", "request-id": "r-2" }
    }});
    let deep = json!({ "error": {
        "code": "BadRequest", "message": { "lang": "en", "value": "outer" },
        "innererror": { "innererror": { "message": "1108: Authentication strengths cannot be used alongside the MFA built-in control.", "request-id": "r-3" } }
    }});
    let challenge = "Bearer realm=\"\", error=\"insufficient_claims\", claims=\"eyJhY2Nlc3NfdG9rZW4iOnsiYWNycyI6eyJlc3NlbnRpYWwiOnRydWUsInZhbHVlIjoiYzMifX19\"";
    let mut told = Vec::new();
    for refusal in [
        answer(400, &[], nested),
        answer(400, &[], deep),
        refusal(
            400,
            "BadRequest",
            "1034: Policy contains invalid applications: {\"797f4846-ba00-4fd7-ba43-dac1f8f63013\":\"ServicePrincipalNotFound\"}",
        ),
        refusal(
            400,
            "BadRequest",
            "Security Defaults is enabled in the tenant. You must disable Security defaults before enabling a Conditional Access policy.",
        ),
        refusal(
            403,
            "AccessDenied",
            "You cannot perform the requested operation, required scopes are missing in the token.",
        ),
        refusal(
            403,
            "Authorization_RequestDenied",
            "Insufficient privileges to complete the operation.",
        ),
        answer(401, &[("www-authenticate", challenge)], Value::Null),
        answer(
            401,
            &[],
            json!({ "error": { "code": "InvalidAuthenticationToken", "message": "Access token is empty.\u{1b}[31m" } }),
        ),
        text(
            403,
            "<html><head><title>Blocked</title></head><body>Corporate proxy says no</body></html>",
        ),
        answer(418, &[], Value::Null),
    ] {
        let fake = Fake::new(move |_, _| refusal.clone());
        let error = create(&fake).await.unwrap_err();
        let shown = shown(&error);
        told.push(match error.service() {
            Some(service) => shown.replace(&service.client_request_id, "c-1"),
            None => shown,
        });
    }
    insta::assert_snapshot!(told.join("\n\n"));
}

#[tokio::test(start_paused = true)]
async fn no_error_and_no_event_shows_the_token() {
    let echo = |status: u16| {
        move |outgoing: &Outgoing, _: usize| {
            let token = outgoing.bearer.as_ref().unwrap().reveal().to_owned();
            answer(
                status,
                &[
                    ("www-authenticate", &format!("Bearer {token}")),
                    ("request-id", &token),
                ],
                json!({ "error": { "code": token, "message": format!("bad token {token}"), "innerError": { "message": token } } }),
            )
        }
    };
    for status in [302, 400, 401, 403, 404, 429, 500, 503] {
        let ear = Arc::new(Ear::default());
        let fake = Fake::new(echo(status));
        let graph = Graph::over(
            fake,
            Tokens::new(&[TOKEN]),
            GraphOptions {
                observer: ear.clone(),
                ..options()
            },
        );
        let read = graph.list_all(POLICIES, Version::V1).await.unwrap_err();
        let write = graph.create(POLICIES, Version::V1, json!({})).await.unwrap_err();
        let all = format!(
            "{} {read:?} {} {write:?} {:?}",
            shown(&read),
            shown(&write),
            ear.heard()
        );
        assert!(!all.contains(TOKEN), "{status}: {all}");
    }
}

/// A page of a proxy comes with 200, and so do the refusals inside a batch.
#[tokio::test(start_paused = true)]
async fn a_token_echoed_with_200_is_not_shown() {
    let page = Incoming {
        status: 200,
        body: format!("<html>signed in with {TOKEN}</html>").into_bytes(),
        ..Incoming::default()
    };
    let error = graph(&Fake::sequence(vec![Ok(page)]))
        .list_all(POLICIES, Version::V1)
        .await
        .unwrap_err();
    assert!(shown(&error).contains("signed in with"), "{}", shown(&error));
    assert!(!shown(&error).contains(TOKEN), "{}", shown(&error));

    let inside = json!({ "error": { "code": "BadRequest", "message": format!("bad token {TOKEN}") } });
    let fake = Fake::new(move |outgoing, _| batch::answered(outgoing, |_| (400, inside.clone())));
    let request = Request::new(Operation::Read, Version::V1, "users");
    let answers = graph(&fake)
        .batch(Version::V1, std::slice::from_ref(&request))
        .await
        .unwrap();
    let error = answers[0].clone().into_result(&request).unwrap_err();
    assert!(shown(&error).contains("bad token"), "{}", shown(&error));
    assert!(!shown(&error).contains(TOKEN), "{}", shown(&error));
}
