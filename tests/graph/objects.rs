//! Each write goes to its own address with its own method.

use super::*;
use capol::graph::{Collection, Version};

#[tokio::test]
async fn writes_go_where_graph_expects_them() {
    let fake = Fake::new(|outgoing, _| match outgoing.method {
        "DELETE" => answer(204, &[], Value::Null),
        "GET" => ok(json!({ "isEnabled": false })),
        _ => answer(201, &[], json!({ "id": "new" })),
    });
    let graph = graph(&fake);
    let version = Version::V1;
    graph
        .create(Collection::Policies, Version::Beta, json!({}))
        .await
        .unwrap();
    graph
        .create(
            Collection::Contexts,
            version,
            json!({ "id": "c7", "displayName": "x" }),
        )
        .await
        .unwrap();
    graph
        .update(Collection::NamedLocations, version, "l1", json!({}))
        .await
        .unwrap();
    graph.delete(Collection::Policies, version, "p1").await.unwrap();
    graph.restore(Collection::Policies, version, "p1").await.unwrap();
    graph
        .purge(Collection::NamedLocations, version, "l1")
        .await
        .unwrap();
    graph.restore(Collection::Groups, version, "g1").await.unwrap();
    graph
        .update_allowed_combinations(version, "s1", &["password,sms".to_owned()])
        .await
        .unwrap();
    graph
        .create_combination_configuration(version, "s1", json!({}))
        .await
        .unwrap();
    graph
        .update_combination_configuration(version, "s1", "k1", json!({}))
        .await
        .unwrap();
    graph
        .delete_combination_configuration(version, "s1", "k1")
        .await
        .unwrap();
    graph.add_member("g1", "u1").await.unwrap();
    graph.remove_member("g1", "u1").await.unwrap();
    graph.set_security_defaults(false).await.unwrap();
    assert!(!graph.security_defaults().await.unwrap());
    let lines: Vec<String> = fake
        .log()
        .iter()
        .zip(fake.calls())
        .map(|(sent, call)| {
            let body = sent
                .body
                .as_ref()
                .map(|body| String::from_utf8(body.clone()).unwrap())
                .unwrap_or_default();
            format!("{call} {body}").trim_end().to_owned()
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn an_id_that_could_reach_another_object_is_refused_before_anything_is_sent() {
    let fake = Fake::sequence(vec![]);
    let graph = graph(&fake);
    for id in ["", "..", "a/b", "x?y"] {
        assert!(graph.delete(Collection::Policies, Version::V1, id).await.is_err());
        assert!(graph.remove_member("g", id).await.is_err());
        assert!(graph.remove_member(id, "u").await.is_err());
        assert!(
            graph
                .create(Collection::Contexts, Version::V1, json!({ "id": id }))
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn membership_that_is_already_as_wanted_is_fine() {
    let fake = Fake::sequence(vec![
        refusal(
            400,
            "Request_BadRequest",
            "One or more added object references already exist for the following modified properties: 'members'.",
        ),
        refusal(
            404,
            "Request_ResourceNotFound",
            "One or more removed object references do not exist for …",
        ),
        refusal(
            404,
            "Request_ResourceNotFound",
            "Resource 'g' does not exist or one of its queried reference-property objects are not present.",
        ),
    ]);
    let graph = graph(&fake);
    graph.add_member("g", "u").await.unwrap();
    graph.remove_member("g", "u").await.unwrap();
    assert!(graph.remove_member("g", "u").await.unwrap_err().is_not_found());
}
