//! The tenant by lists.

use super::*;
use capol::graph::{GraphError, PolicyVersions, SnapshotOptions, Version};

fn everything() -> SnapshotOptions {
    SnapshotOptions {
        policies: PolicyVersions::Both,
        named_locations: Some(Version::V1),
        strengths: Some(Version::V1),
        contexts: Some(Version::V1),
        terms: true,
        groups: vec!["g1".to_owned(), "g2".to_owned()],
        members_of: vec!["g1".to_owned()],
        deleted: true,
    }
}

fn ids(ids: &[&str]) -> Answer {
    ok(json!({ "value": ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>() }))
}

#[tokio::test]
async fn a_refresh_makes_one_list_a_kind_and_never_reads_one_object() {
    let fake = Fake::new(|outgoing, _| match outgoing.url.path() {
        "/beta/identity/conditionalAccess/policies" => {
            ok(json!({ "value": [{ "id": "p1", "conditions": { "agents": null } }, { "id": "p2" }] }))
        }
        "/v1.0/identity/conditionalAccess/policies" => ids(&["p2", "p1"]),
        "/v1.0/$batch" => super::batch::answered(outgoing, |_| {
            let next = "https://graph.microsoft.com/v1.0/groups/g1/members?$skiptoken=x";
            (200, json!({ "value": [{ "id": "u1" }], "@odata.nextLink": next }))
        }),
        "/v1.0/groups/g1/members" => ids(&["u2"]),
        _ => ids(&["g1"]),
    });
    let snapshot = graph(&fake).snapshot(&everything()).await.unwrap();
    let mut calls = fake.calls();
    calls.sort();
    insta::assert_snapshot!(calls.join("\n"));
    assert_eq!(snapshot.request_count, 11);
    assert_eq!(snapshot.members["g1"].len(), 2);
    assert!(
        snapshot.policies.unwrap()[0].json.as_str().contains("agents"),
        "beta's body is the fuller one"
    );
    assert_eq!(snapshot.groups.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_not_asked_for_is_not_read_and_not_empty() {
    let fake = Fake::new(|_, _| ids(&["p1"]));
    let options = SnapshotOptions {
        policies: PolicyVersions::V1,
        ..SnapshotOptions::default()
    };
    let snapshot = graph(&fake).snapshot(&options).await.unwrap();
    assert_eq!(
        fake.calls(),
        ["GET /v1.0/identity/conditionalAccess/policies?$top=999"]
    );
    assert_eq!(snapshot.named_locations, None);
    assert_eq!(snapshot.terms, None);
}

#[tokio::test]
async fn a_policy_that_one_version_hides_stops_everything() {
    let fake = Fake::new(|outgoing, _| {
        if outgoing.url.path().starts_with("/beta") {
            ids(&["p1", "p3"])
        } else {
            ids(&["p1", "p2"])
        }
    });
    let options = SnapshotOptions {
        policies: PolicyVersions::Both,
        ..SnapshotOptions::default()
    };
    let error = graph(&fake).snapshot(&options).await.unwrap_err();
    assert_eq!(
        error,
        GraphError::CountsDiffer {
            only_v1: vec!["p2".to_owned()],
            only_beta: vec!["p3".to_owned()]
        }
    );
    insta::assert_snapshot!(shown(&error));
}

#[tokio::test]
async fn a_policy_made_between_the_two_lists_is_no_difference() {
    let fake = Fake::new(
        |outgoing, number| match (outgoing.url.path().starts_with("/beta"), number < 2) {
            (true, true) => ids(&["p1"]),
            _ => ids(&["p1", "p2"]),
        },
    );
    let options = SnapshotOptions {
        policies: PolicyVersions::Both,
        ..SnapshotOptions::default()
    };
    let snapshot = graph(&fake).snapshot(&options).await.unwrap();
    assert_eq!((snapshot.policies.unwrap().len(), snapshot.request_count), (2, 4));
}

#[tokio::test]
async fn an_object_without_an_id_or_listed_twice_means_the_list_was_misread() {
    for list in [
        json!([{ "displayName": "x" }]),
        json!([{ "id": "a" }, { "id": "a" }]),
    ] {
        let fake = Fake::new(move |_, _| ok(json!({ "value": list })));
        let options = SnapshotOptions {
            policies: PolicyVersions::V1,
            ..SnapshotOptions::default()
        };
        assert!(matches!(
            graph(&fake).snapshot(&options).await,
            Err(GraphError::Incomplete { .. })
        ));
    }
}

#[tokio::test]
async fn one_list_that_may_not_be_read_fails_the_refresh() {
    let fake = Fake::new(|outgoing, _| {
        if outgoing.url.path().contains("$batch") {
            super::batch::answered(outgoing, |_| (200, json!({ "value": [] })))
        } else if outgoing.url.path().contains("termsOfUse") {
            refusal(403, "AccessDenied", "no")
        } else {
            ids(&["g1"])
        }
    });
    let error = graph(&fake).snapshot(&everything()).await.unwrap_err();
    assert!(shown(&error).contains("Agreement.Read.All"), "{}", shown(&error));
}
