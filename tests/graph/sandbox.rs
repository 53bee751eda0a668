//! Client and embedded tenant, which share no code, understand each other.

use super::*;
use capol::graph::{
    Collection, Found, GraphError, Patience, PolicyVersions, SignIn, SnapshotOptions, Version, system_clock,
};
use capol::model::{Lookup, Target};
use capol::sandbox::{Effect, Faults, Rule, Running, Sandbox, SandboxOptions, Tenant, When};
use std::collections::BTreeSet;
use std::time::Duration;

async fn sandbox() -> Running {
    Sandbox::start(SandboxOptions {
        tenant: Tenant::contoso(),
        ..SandboxOptions::default()
    })
    .await
    .unwrap()
}

fn signed_in(sandbox: &Running) -> Graph {
    let endpoints = Endpoints::new(
        Cloud::Global,
        Some(&sandbox.endpoint()),
        Some(&sandbox.login_endpoint()),
    )
    .unwrap();
    let patience = Patience {
        first_wait: Duration::from_millis(1),
        ..Patience::default()
    };
    let options = GraphOptions {
        patience,
        ..GraphOptions::new(endpoints)
    };
    let sign_in = SignIn::ClientSecret {
        tenant: sandbox.tenant_id(),
        client: "b07de910-0000-4000-8000-00000000b07d".to_owned(),
        secret: Secret::new("any"),
    };
    Graph::new(sign_in.source(&options, system_clock()).unwrap(), options).unwrap()
}

fn policy(name: &str) -> Value {
    json!({
        "displayName": name,
        "state": "disabled",
        "conditions": {
            "clientAppTypes": ["all"],
            "users": { "includeUsers": ["All"] },
            "applications": { "includeApplications": ["All"] }
        },
        "grantControls": { "operator": "OR", "builtInControls": ["mfa"] }
    })
}

fn id(object: &Value) -> String {
    object["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_policy_lives_dies_and_comes_back() {
    let sandbox = sandbox().await;
    let graph = signed_in(&sandbox);
    assert_eq!(
        graph.claims().await.unwrap().unwrap().tenant_id,
        Some(sandbox.tenant_id())
    );
    assert_eq!(graph.organization().await.unwrap()["id"], sandbox.tenant_id());
    let policy = id(&graph
        .create(Collection::Policies, Version::V1, policy("A"))
        .await
        .unwrap());
    let patch = json!({ "state": "enabledForReportingButNotEnforced" });
    graph
        .update(Collection::Policies, Version::V1, &policy, patch.clone())
        .await
        .unwrap();
    let read = graph
        .read(Collection::Policies, Version::Beta, &policy)
        .await
        .unwrap();
    assert_eq!(read["state"], patch["state"]);
    graph
        .delete(Collection::Policies, Version::V1, &policy)
        .await
        .unwrap();
    assert!(
        graph
            .delete(Collection::Policies, Version::V1, &policy)
            .await
            .unwrap_err()
            .is_not_found()
    );
    assert_eq!(
        graph
            .list_deleted(Collection::Policies, Version::V1)
            .await
            .unwrap()
            .len(),
        1
    );
    graph
        .restore(Collection::Policies, Version::V1, &policy)
        .await
        .unwrap();
    assert_eq!(
        graph
            .list_all(Collection::Policies, Version::V1)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn locations_strengths_contexts_and_groups_are_written() {
    let sandbox = sandbox().await;
    let graph = signed_in(&sandbox);
    let location = json!({
        "@odata.type": "#microsoft.graph.ipNamedLocation", "displayName": "Office", "isTrusted": false,
        "ipRanges": [{ "@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": "203.0.113.0/24" }]
    });
    let location = id(&graph
        .create(Collection::NamedLocations, Version::V1, location)
        .await
        .unwrap());
    graph
        .delete(Collection::NamedLocations, Version::V1, &location)
        .await
        .unwrap();

    let strength = json!({ "displayName": "Keys", "allowedCombinations": ["fido2"] });
    let strength = id(&graph
        .create(Collection::Strengths, Version::V1, strength)
        .await
        .unwrap());
    let combinations = ["fido2".to_owned(), "windowsHelloForBusiness".to_owned()];
    graph
        .update_allowed_combinations(Version::V1, &strength, &combinations)
        .await
        .unwrap();

    let context = json!({ "id": "c42", "displayName": "Secret", "description": "x", "isAvailable": false });
    graph
        .create(Collection::Contexts, Version::V1, context)
        .await
        .unwrap();
    graph
        .delete(Collection::Contexts, Version::V1, "c42")
        .await
        .unwrap();

    let group =
        json!({ "displayName": "G", "mailEnabled": false, "mailNickname": "g", "securityEnabled": true });
    let group = id(&graph
        .create(Collection::Groups, Version::V1, group)
        .await
        .unwrap());
    let ada = Lookup {
        target: Target::User,
        name: "ada@contoso.com".to_owned(),
    };
    let found = graph.look_up(&[ada.clone()].into(), None).await.unwrap();
    let Found::One(ada) = &found[&ada] else {
        panic!("{found:?}")
    };
    graph.add_member(&group, &ada.id).await.unwrap();
    graph.add_member(&group, &ada.id).await.unwrap();
    assert_eq!(graph.members(&group).await.unwrap().len(), 1);
    assert_eq!(
        graph.members_of(std::slice::from_ref(&group)).await.unwrap()[&group].len(),
        1
    );
    graph.remove_member(&group, &ada.id).await.unwrap();
    graph.remove_member(&group, &ada.id).await.unwrap();
    assert!(graph.members(&group).await.unwrap().is_empty());
    assert!(!graph.security_defaults().await.unwrap());
}

#[tokio::test]
async fn names_and_ids_are_each_others_answer() {
    let sandbox = sandbox().await;
    let graph = signed_in(&sandbox);
    let lookups: BTreeSet<Lookup> = [
        (Target::User, "ada@contoso.com"),
        (Target::User, "nobody@contoso.com"),
        (Target::Group, "Finance"),
        (Target::App, "Salesforce"),
        (Target::ServicePrincipal, "Deploy bot"),
        (Target::Role, "Global Administrator"),
        (Target::Strength, "Phishing-resistant MFA"),
        (Target::Context, "Sensitive data"),
        (Target::Terms, "Contoso terms of use"),
    ]
    .map(|(target, name)| Lookup {
        target,
        name: name.to_owned(),
    })
    .into();
    let found = graph.look_up(&lookups, None).await.unwrap();
    let missing: Vec<&str> = found
        .iter()
        .filter(|(_, found)| !matches!(found, Found::One(_)))
        .map(|(lookup, _)| lookup.name.as_str())
        .collect();
    assert_eq!(missing, ["nobody@contoso.com"]);
    let by_id = [
        Target::User,
        Target::Group,
        Target::App,
        Target::ServicePrincipal,
        Target::Role,
    ];
    let ids: BTreeSet<(Target, String)> = found
        .iter()
        .filter(|(lookup, _)| by_id.contains(&lookup.target))
        .filter_map(|(lookup, found)| match found {
            Found::One(object) => Some((lookup.target, object.id.clone())),
            _ => None,
        })
        .collect();
    assert_eq!(ids.len(), 5);
    assert_eq!(graph.names(&ids).await.unwrap().len(), 5);
}

#[tokio::test]
async fn a_refresh_takes_as_many_requests_for_a_hundred_policies_as_for_one() {
    let sandbox = sandbox().await;
    sandbox.with_tenant(|tenant| tenant.settings.page_size = 40);
    let graph = signed_in(&sandbox);
    for index in 0..100 {
        graph
            .create(Collection::Policies, Version::V1, policy(&format!("P{index}")))
            .await
            .unwrap();
    }
    let options = SnapshotOptions {
        policies: PolicyVersions::Both,
        named_locations: Some(Version::V1),
        strengths: Some(Version::V1),
        contexts: Some(Version::V1),
        terms: true,
        ..SnapshotOptions::default()
    };
    let snapshot = graph.snapshot(&options).await.unwrap();
    assert_eq!(snapshot.policies.unwrap().len(), 100);
    assert_eq!(
        snapshot.request_count,
        1 + 1 + 4,
        "one page of policies a version, however short the service's own pages are, and one of each other kind"
    );
}

#[tokio::test]
async fn what_the_tenant_refuses_arrives_with_its_number() {
    let sandbox = sandbox().await;
    let graph = signed_in(&sandbox);
    let mut wrong = policy("W");
    wrong["conditions"]["locations"] =
        json!({ "includeLocations": ["11111111-1111-1111-1111-111111111111"] });
    let error = graph
        .create(Collection::Policies, Version::V1, wrong)
        .await
        .unwrap_err();
    assert_eq!(error.service().unwrap().number, Some(1040));
    assert!(error.names_missing_object());
}

#[tokio::test]
async fn a_create_that_was_carried_out_and_never_answered_is_unknown_and_there_once() {
    let sandbox = sandbox().await;
    let graph = signed_in(&sandbox);
    let rule = |effect| Rule::new(When::First(1), effect).method("POST").path("policies");
    for effect in [
        Effect::Drop { commit: true },
        Effect::Fail {
            status: 500,
            commit: true,
        },
    ] {
        sandbox.set_faults(Faults::none().with(rule(effect)));
        let before = graph
            .list_all(Collection::Policies, Version::V1)
            .await
            .unwrap()
            .len();
        let error = graph
            .create(Collection::Policies, Version::V1, policy("L"))
            .await
            .unwrap_err();
        assert!(matches!(error, GraphError::Unknown { .. }), "{error:?}");
        assert_eq!(
            graph
                .list_all(Collection::Policies, Version::V1)
                .await
                .unwrap()
                .len(),
            before + 1
        );
    }
    sandbox.set_faults(Faults::none().with(rule(Effect::Throttle { retry_after: None })));
    graph
        .create(Collection::Policies, Version::V1, policy("T"))
        .await
        .unwrap();
}
