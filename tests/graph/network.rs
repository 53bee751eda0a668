//! Real sockets on loopback: what breaks on the way is noticed.

use super::*;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request as Received;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response as Sent};
use capol::graph::{Collection, GraphError, Patience, SignIn, Version, system_clock};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;

/// A server that answers the n-th request (from 0) by a function; gives its root.
async fn serve(answer: impl Fn(usize, Received) -> Sent + Clone + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    let count = Arc::new(AtomicUsize::new(0));
    let app = Router::new().fallback(move |received: Received| {
        let number = count.fetch_add(1, Ordering::SeqCst);
        let answer = answer.clone();
        async move { answer(number, received) }
    });
    tokio::spawn(async move { axum::serve(listener, app).await });
    root
}

fn at(root: &str) -> GraphOptions {
    let endpoints = Endpoints::new(Cloud::Global, Some(root), Some(root)).unwrap();
    // Real time passes here, so the waits are of a millisecond.
    let patience = Patience {
        first_wait: Duration::from_millis(1),
        ..Patience::default()
    };
    GraphOptions {
        patience,
        ..GraphOptions::new(endpoints)
    }
}

fn client(root: &str) -> Graph {
    Graph::new(Tokens::new(&[TOKEN]), at(root)).unwrap()
}

fn cut() -> Sent {
    let pieces = vec![
        Ok(Bytes::from_static(b"{\"value\": [{\"id\": \"a\"}")),
        Err(std::io::Error::other("cut")),
    ];
    Sent::new(Body::from_stream(futures::stream::iter(pieces)))
}

#[tokio::test]
async fn a_body_cut_in_the_middle_is_never_a_short_list() {
    let whole = |_: Received| r#"{"value": [{"id": "a"}, {"id": "b"}]}"#.into_response();
    let root = serve(move |number, received| if number == 0 { cut() } else { whole(received) }).await;
    assert_eq!(
        client(&root)
            .list_all(Collection::Policies, Version::V1)
            .await
            .unwrap()
            .len(),
        2
    );
    let root = serve(|_, _| cut()).await;
    let error = client(&root)
        .list_all(Collection::Policies, Version::V1)
        .await
        .unwrap_err();
    assert!(
        matches!(error, GraphError::Unreachable { attempts: 5, .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_create_whose_answer_is_cut_is_unknown_and_sent_once() {
    let seen = Arc::new(AtomicUsize::new(0));
    let count = seen.clone();
    let root = serve(move |_, _| {
        count.fetch_add(1, Ordering::SeqCst);
        cut()
    })
    .await;
    let error = client(&root)
        .create(Collection::Policies, Version::V1, json!({}))
        .await
        .unwrap_err();
    assert!(error.is_unknown(), "{error:?}");
    assert_eq!(seen.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_reset_connection_leaves_a_create_unknown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Something must have arrived before the connection goes away.
            stream.readable().await.unwrap();
            stream.set_zero_linger().unwrap();
        }
    });
    let error = client(&root)
        .create(Collection::Policies, Version::V1, json!({}))
        .await
        .unwrap_err();
    assert!(error.is_unknown(), "{error:?}");
}

#[tokio::test]
async fn a_closed_port_is_unreachable_even_for_a_create() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&root)
        .create(Collection::Policies, Version::V1, json!({}))
        .await
        .unwrap_err();
    assert!(matches!(error, GraphError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_with_the_token() {
    let root = serve(|_, _| (StatusCode::FOUND, [("location", "http://127.0.0.1:9/")]).into_response()).await;
    let error = client(&root)
        .list_all(Collection::Policies, Version::V1)
        .await
        .unwrap_err();
    assert!(
        shown(&error).contains("a redirect to `http://127.0.0.1:9/`"),
        "{}",
        shown(&error)
    );
}

#[tokio::test]
async fn signing_in_and_reading_work_over_the_wire() {
    let root = serve(|_, received| {
        if received.method() == "POST" {
            return json!({ "access_token": "from-the-wire", "expires_in": 3600 })
                .to_string()
                .into_response();
        }
        let headers = received.headers();
        assert_eq!(headers["authorization"], "Bearer from-the-wire");
        assert_eq!(headers["accept-encoding"], "gzip");
        assert!(headers.contains_key("client-request-id"));
        (
            [("request-id", "r-9")],
            json!({ "value": [{ "id": "x" }] }).to_string(),
        )
            .into_response()
    })
    .await;
    let options = at(&root);
    let sign_in = SignIn::ClientSecret {
        tenant: "t".to_owned(),
        client: "c".to_owned(),
        secret: Secret::new("s"),
    };
    let source = sign_in.source(&options, system_clock()).unwrap();
    let graph = Graph::new(source, options).unwrap();
    assert_eq!(
        graph
            .list_all(Collection::NamedLocations, Version::Beta)
            .await
            .unwrap(),
        [json!({ "id": "x" })]
    );
}

#[tokio::test]
async fn roots_that_are_no_pem_are_an_error_before_anything_is_sent() {
    for pem in [&b"nonsense"[..], b""] {
        let http = capol::graph::HttpOptions {
            extra_roots_pem: Some(pem.to_vec()),
        };
        let options = GraphOptions {
            http,
            ..at("http://127.0.0.1:9")
        };
        let Err(error) = Graph::new(Tokens::new(&[TOKEN]), options) else {
            panic!()
        };
        assert!(shown(&error).starts_with("graph::tls"), "{}", shown(&error));
    }
    let pem = std::fs::read(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/graph/no_key.pem"
    ))
    .unwrap();
    let http = capol::graph::HttpOptions {
        extra_roots_pem: Some(pem),
    };
    assert!(
        Graph::new(
            Tokens::new(&[TOKEN]),
            GraphOptions {
                http,
                ..at("http://127.0.0.1:9")
            }
        )
        .is_ok()
    );
}

/// What was logged, all levels.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_at_any_level_shows_a_secret() {
    let logged = Logged::default();
    let writer = logged.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let root = serve(|_, received| {
        if received.uri().path().ends_with("/token") {
            return json!({ "access_token": TOKEN, "expires_in": 3600 })
                .to_string()
                .into_response();
        }
        let echo = format!("{:?}", received.headers().get("authorization"));
        (
            StatusCode::BAD_REQUEST,
            json!({ "error": { "code": "x", "message": echo } }).to_string(),
        )
            .into_response()
    })
    .await;
    let options = at(&root);
    let sign_in = SignIn::ClientSecret {
        tenant: "t".to_owned(),
        client: "c".to_owned(),
        secret: Secret::new("s3cret-of-the-app"),
    };
    let shown_way = format!("{sign_in:?}");
    let graph = Graph::new(sign_in.source(&options, system_clock()).unwrap(), options).unwrap();
    // A test beside this one may meet the same places without anybody listening. With one listener alone tracing asks
    // the thread that meets them; with two it asks both.
    let second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    tracing::callsite::rebuild_interest_cache();
    let error = graph
        .create(Collection::Policies, Version::V1, json!({}))
        .await
        .unwrap_err();
    drop((guard, second));
    let log = String::from_utf8(logged.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("graph answered"), "nothing was logged");
    let all = format!("{log}{shown_way}{error:?}{}", shown(&error));
    assert!(
        !all.contains(TOKEN) && !all.contains("s3cret-of-the-app"),
        "{all}"
    );
}
