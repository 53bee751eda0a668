//! Twenty reads at a time, each answered on its own.

use super::*;
use capol::graph::{Operation, Request, Version};
use tokio::time::Instant;

fn reads(count: usize) -> Vec<Request> {
    (0..count)
        .map(|index| Request::new(Operation::Read, Version::V1, format!("users/{index}")))
        .collect()
}

/// The inner calls of a batch.
pub(crate) fn inner(outgoing: &Outgoing) -> Vec<Value> {
    let body: Value = serde_json::from_slice(outgoing.body.as_ref().unwrap()).unwrap();
    body["requests"].as_array().unwrap().clone()
}

/// Answers each inner call by a function, in reverse order.
pub(crate) fn answered(outgoing: &Outgoing, one: impl Fn(&str) -> (u16, Value)) -> Answer {
    let responses: Vec<Value> = inner(outgoing)
        .iter()
        .rev()
        .map(|call| {
            let (status, body) = one(call["url"].as_str().unwrap());
            json!({ "id": call["id"], "status": status, "headers": {}, "body": body })
        })
        .collect();
    ok(json!({ "responses": responses }))
}

#[tokio::test(start_paused = true)]
async fn answers_come_back_in_the_order_of_the_questions() {
    let fake = Fake::new(|outgoing, _| answered(outgoing, |url| (200, json!({ "url": url }))));
    let answers = graph(&fake).batch(Version::V1, &reads(45)).await.unwrap();
    assert_eq!(fake.log().len(), 3);
    assert!(fake.log().iter().all(|sent| inner(sent).len() <= 20));
    for (index, answer) in answers.iter().enumerate() {
        assert_eq!(answer.body.as_ref().unwrap()["url"], format!("/users/{index}"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_throttled_inside_is_asked_again_alone() {
    let fake = Fake::new(|outgoing, number| {
        if number > 0 {
            return answered(outgoing, |_| (200, json!({})));
        }
        let responses: Vec<Value> = inner(outgoing)
            .iter()
            .map(|call| match call["id"].as_str().unwrap() {
                "1" => json!({ "id": "1", "status": 429, "headers": { "Retry-After": "9" }, "body": {} }),
                "3" => json!({ "id": "3", "status": 503, "headers": { "Retry-After": 4 }, "body": {} }),
                id => json!({ "id": id, "status": 200, "body": {} }),
            })
            .collect();
        ok(json!({ "responses": responses }))
    });
    let start = Instant::now();
    let answers = graph(&fake).batch(Version::V1, &reads(5)).await.unwrap();
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(start.elapsed().as_secs(), 9);
    let again: Vec<Value> = inner(&fake.log()[1])
        .iter()
        .map(|call| call["url"].clone())
        .collect();
    assert_eq!(again, [json!("/users/1"), json!("/users/3")]);
}

#[tokio::test(start_paused = true)]
async fn one_failed_answer_leaves_the_others_good() {
    let fake = Fake::new(|outgoing, _| {
        answered(outgoing, |url| {
            if url == "/users/1" {
                (404, json!({ "error": { "code": "x" } }))
            } else {
                (200, json!({}))
            }
        })
    });
    let statuses: Vec<u16> = graph(&fake)
        .batch(Version::V1, &reads(3))
        .await
        .unwrap()
        .iter()
        .map(|answer| answer.status)
        .collect();
    assert_eq!(statuses, [200, 404, 200]);
}

#[tokio::test(start_paused = true)]
async fn a_missing_doubled_or_foreign_answer_is_an_error() {
    let one = |id: &str| json!({ "id": id, "status": 200, "body": {} });
    for responses in [
        json!([one("0")]),
        json!([one("0"), one("0"), one("1")]),
        json!([one("0"), one("1"), one("2")]),
        json!([one("0"), { "id": "1" }]),
        json!({}),
    ] {
        let fake = Fake::sequence(vec![ok(json!({ "responses": responses }))]);
        let error = graph(&fake).batch(Version::V1, &reads(2)).await.unwrap_err();
        assert!(
            shown(&error).starts_with("graph::incomplete"),
            "{}",
            shown(&error)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn throttling_inside_without_end_is_an_answer_of_429() {
    let fake = Fake::new(|outgoing, _| {
        answered(outgoing, |_| {
            (429, json!({ "error": { "code": "TooManyRequests" } }))
        })
    });
    let answers = graph(&fake).batch(Version::V1, &reads(1)).await.unwrap();
    assert_eq!((answers[0].status, fake.log().len()), (429, 5));
}

#[tokio::test]
async fn writes_are_never_batched() {
    let fake = Fake::sequence(vec![]);
    let write = Request::new(Operation::Delete, Version::V1, "users/1");
    assert!(graph(&fake).batch(Version::V1, &[write]).await.is_err());
}
