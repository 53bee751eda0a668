//! Names to ids and back.

use super::batch::{answered, inner};
use super::*;
use capol::graph::{Found, Snapshot};
use capol::model::{Lookup, Target};
use std::collections::BTreeSet;

fn lookup(target: Target, name: &str) -> Lookup {
    Lookup {
        target,
        name: name.to_owned(),
    }
}

fn decoded(url: &str) -> String {
    let url = url::Url::parse(&format!("http://x{url}")).unwrap();
    let query: Vec<String> = url
        .query_pairs()
        .filter(|(name, _)| name == "$filter")
        .map(|(_, value)| value.into_owned())
        .collect();
    format!("{}?{}", url.path(), query.join("&"))
}

/// A tenant with two groups of one name.
fn tenant(outgoing: &Outgoing) -> Answer {
    if outgoing.url.path().ends_with("roleDefinitions") {
        return ok(
            json!({ "value": [{ "id": "62E90394-69F5-4237-9190-012177145E10", "displayName": "Global Administrator" }] }),
        );
    }
    answered(outgoing, |url| {
        let url = decoded(url);
        let values = if url.contains("o''neil#EXT#@contoso.com") {
            json!([{ "id": "U1", "displayName": "O'Neil", "userPrincipalName": "O'Neil#EXT#@contoso.com", "mail": null }])
        } else if url.starts_with("/groups") && url.contains("Finance") {
            json!([
                { "id": "g2", "displayName": "Finance", "securityEnabled": true, "groupTypes": ["DynamicMembership"], "description": "new" },
                { "id": "g1", "displayName": "finance", "groupTypes": ["Unified"] },
                { "id": "g3", "displayName": "Finance team", "groupTypes": [] }
            ])
        } else if url.starts_with("/servicePrincipals") && url.contains("Salesforce") {
            json!([{ "id": "sp1", "appId": "APP1", "displayName": "Salesforce", "servicePrincipalType": "Application" }])
        } else {
            json!([])
        };
        (200, json!({ "value": values }))
    })
}

#[tokio::test]
async fn names_are_found_missed_or_ambiguous_and_asked_once() {
    let fake = Fake::new(|outgoing, _| tenant(outgoing));
    let lookups: BTreeSet<Lookup> = [
        lookup(Target::User, "o'neil#EXT#@contoso.com"),
        lookup(Target::Group, "Finance"),
        lookup(Target::Group, "Nobody"),
        lookup(Target::App, "Salesforce"),
        lookup(Target::ServicePrincipal, "Salesforce"),
        lookup(Target::Role, "global administrator"),
        lookup(Target::Role, "Emperor"),
    ]
    .into();
    let found = graph(&fake).look_up(&lookups, None).await.unwrap();
    let lines: Vec<String> = found
        .iter()
        .map(|(lookup, found)| {
            let found = match found {
                Found::One(object) => object.id.clone(),
                Found::Nothing => "nothing".to_owned(),
                Found::Several(objects) => objects
                    .iter()
                    .map(|object| format!("{} ({})", object.id, object.detail))
                    .collect::<Vec<_>>()
                    .join(" or "),
            };
            format!("{} {}: {found}", lookup.target.word(), lookup.name)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
    assert_eq!(fake.log().len(), 2, "one batch and one list of roles");
}

#[tokio::test]
async fn a_hundred_names_take_five_requests() {
    let fake = Fake::new(|outgoing, _| tenant(outgoing));
    let lookups = (0..100)
        .map(|index| lookup(Target::Group, &format!("g{index}")))
        .collect();
    graph(&fake).look_up(&lookups, None).await.unwrap();
    assert_eq!(fake.log().len(), 5);
}

#[tokio::test]
async fn a_missing_permission_is_an_error_and_never_nothing() {
    let fake = Fake::new(|outgoing, _| {
        answered(outgoing, |_| {
            (
                403,
                json!({ "error": { "code": "Authorization_RequestDenied", "message": "Insufficient privileges to complete the operation." } }),
            )
        })
    });
    let error = graph(&fake)
        .look_up(&[lookup(Target::Group, "x")].into(), None)
        .await
        .unwrap_err();
    assert!(error.is_permission());
    assert!(
        shown(&error).contains("GroupMember.Read.All"),
        "{}",
        shown(&error)
    );
}

#[tokio::test]
async fn more_matches_than_a_page_holds_are_no_match_of_one() {
    let fake = Fake::new(|outgoing, _| {
        answered(outgoing, |_| {
            let next = "https://graph.microsoft.com/v1.0/groups?$skiptoken=x";
            (
                200,
                json!({ "value": [{ "id": "g", "displayName": "x" }], "@odata.nextLink": next }),
            )
        })
    });
    assert!(
        graph(&fake)
            .look_up(&[lookup(Target::Group, "x")].into(), None)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn what_the_snapshot_has_is_not_read_again() {
    let fake = Fake::sequence(vec![]);
    let snapshot = Snapshot {
        named_locations: Some(vec![json!({ "id": "l1", "displayName": "Office" })]),
        terms: Some(vec![]),
        ..Snapshot::default()
    };
    let lookups = [lookup(Target::Location, "office"), lookup(Target::Terms, "VPN")].into();
    let found = graph(&fake).look_up(&lookups, Some(&snapshot)).await.unwrap();
    assert!(matches!(&found[&lookup(Target::Location, "office")], Found::One(object) if object.id == "l1"));
    assert_eq!(found[&lookup(Target::Terms, "VPN")], Found::Nothing);
}

#[tokio::test]
async fn ids_get_their_names_in_bulk() {
    let fake = Fake::new(|outgoing, _| match outgoing.url.path() {
        "/v1.0/directoryObjects/getByIds" => ok(json!({ "value": [
            { "@odata.type": "#microsoft.graph.user", "id": "u1", "displayName": "Ada", "userPrincipalName": "ada@contoso.com" }
        ] })),
        "/v1.0/$batch" => answered(outgoing, |url| {
            assert_eq!(decoded(url), "/servicePrincipals?appId in ('a1','a2')");
            (
                200,
                json!({ "value": [{ "id": "sp", "appId": "A1", "displayName": "Payroll" }] }),
            )
        }),
        other => panic!("{other}"),
    });
    let ids: BTreeSet<(Target, String)> = [
        (Target::User, "U1"),
        (Target::Group, "gone"),
        (Target::App, "a1"),
        (Target::App, "a2"),
    ]
    .map(|(target, id)| (target, id.to_owned()))
    .into();
    let names = graph(&fake).names(&ids).await.unwrap();
    let lines: Vec<String> = names
        .iter()
        .map(|((_, id), object)| format!("{id} {}", object.display_name))
        .collect();
    assert_eq!(lines, ["U1 Ada", "a1 Payroll"]);
    assert_eq!(fake.log().len(), 2);
}

#[tokio::test]
async fn without_get_by_ids_the_objects_are_read_in_batches() {
    let fake = Fake::new(|outgoing, _| {
        if outgoing.url.path().ends_with("getByIds") {
            return refusal(404, "Request_ResourceNotFound", "no such segment");
        }
        assert_eq!(inner(outgoing).len(), 2);
        answered(outgoing, |url| match url {
            "/directoryObjects/a" => (200, json!({ "id": "a", "displayName": "A" })),
            _ => (404, json!({ "error": { "code": "Request_ResourceNotFound" } })),
        })
    });
    let found = graph(&fake)
        .objects_by_id(&["a".to_owned(), "B".to_owned(), "A".to_owned()], &["user"])
        .await
        .unwrap();
    assert_eq!(found.keys().collect::<Vec<_>>(), ["a"]);
}
