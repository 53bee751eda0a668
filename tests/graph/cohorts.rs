//! What rollouts read: people of groups, sign-ins, registrations.

use super::*;
use capol::graph::{GraphError, SignIn, SignInKind, system_clock};
use capol::rollout::evidence::{Evidence, EvidenceError, Scope};
use capol::sandbox::{Running, Sandbox, SandboxOptions, Tenant};

const POLICY: &str = "c0000000-0000-4000-8000-000000000001";

/// A tenant whose group "Outer" holds `count` people, half of them through a group inside of it, and a device of a
/// service principal; tokens carry these permissions only.
async fn tenant(count: usize, permissions: &[&str]) -> Running {
    let person = |number: usize| format!("a0000000-0000-4000-8000-{number:012}");
    let users: Vec<Value> = (0..count)
        .map(|number| {
            json!({
                "id": person(number),
                "displayName": format!("Person {number}"),
                "userPrincipalName": format!("person{number}@contoso.com"),
                "department": if number % 3 == 0 { Value::Null } else { json!(format!("D{}", number % 3)) },
                "onPremisesExtensionAttributes": { "extensionAttribute1": format!("X{}", number % 2) },
            })
        })
        .collect();
    let outer = "b0000000-0000-4000-8000-000000000001";
    let inner = "b0000000-0000-4000-8000-000000000002";
    let (first, rest): (Vec<usize>, Vec<usize>) = (0..count).partition(|number| number % 2 == 0);
    let mut direct: Vec<String> = first.into_iter().map(person).collect();
    direct.push(inner.to_owned());
    direct.push("d0000000-0000-4000-8000-000000000001".to_owned());
    let sign_in = |number: usize, kind: &str, when: &str| {
        json!({
            "id": format!("e0000000-0000-4000-8000-{number:012}"),
            "createdDateTime": when,
            "userId": person(number),
            "appDisplayName": "Mail",
            "signInEventTypes": [kind],
            "isInteractive": kind == "interactiveUser",
            "appliedConditionalAccessPolicies": [{ "id": POLICY, "displayName": "MFA", "result": "reportOnlyFailure" }],
        })
    };
    let mut tenant = Tenant::bare();
    tenant
        .load_objects(&json!({
            "users": users,
            "groups": [{ "id": outer, "displayName": "Outer" }, { "id": inner, "displayName": "Inner" }],
            "servicePrincipals": [{ "id": "d0000000-0000-4000-8000-000000000001", "appId": "d0000000-0000-4000-8000-000000000002", "displayName": "Bot" }],
            "members": {
                outer: direct,
                // Everybody inside, some of them twice over.
                inner: rest.into_iter().map(person).chain([person(0)]).collect::<Vec<_>>(),
            },
            "signIns": [
                sign_in(1, "interactiveUser", "2026-11-20T08:00:00.5000000Z"),
                sign_in(2, "interactiveUser", "2026-11-19T08:00:00Z"),
                sign_in(3, "nonInteractiveUser", "2026-11-21T08:00:00Z"),
                sign_in(4, "nonInteractiveUser", "2026-11-23T08:00:00Z"),
            ],
            "userRegistrationDetails": [
                { "id": person(1), "isMfaCapable": true, "methodsRegistered": ["fido2", "mobilePhone"] },
            ],
        }))
        .unwrap();
    if !permissions.is_empty() {
        tenant.settings.enforce_permissions = true;
        tenant.settings.permissions = permissions.iter().map(|&name| name.to_owned()).collect();
    }
    Sandbox::start(SandboxOptions {
        tenant,
        ..SandboxOptions::default()
    })
    .await
    .unwrap()
}

fn graph(sandbox: &Running) -> Graph {
    let endpoints = Endpoints::new(
        Cloud::Global,
        Some(&sandbox.endpoint()),
        Some(&sandbox.login_endpoint()),
    )
    .unwrap();
    let options = GraphOptions::new(endpoints);
    let sign_in = SignIn::ClientSecret {
        tenant: sandbox.tenant_id(),
        client: "b07de910-0000-4000-8000-00000000b07d".to_owned(),
        secret: Secret::new("any"),
    };
    Graph::new(sign_in.source(&options, system_clock()).unwrap(), options).unwrap()
}

const OUTER: &str = "b0000000-0000-4000-8000-000000000001";

fn properties() -> Vec<String> {
    vec![
        "department".to_owned(),
        "onPremisesExtensionAttributes.extensionAttribute1".to_owned(),
    ]
}

#[tokio::test]
async fn a_group_s_people_are_read_through_nesting_each_once_with_their_properties() {
    let sandbox = tenant(2_500, &[]).await;
    let graph = graph(&sandbox);
    let users = graph.users_through(OUTER, &properties()).await.unwrap();
    assert_eq!(users.len(), 2_500);
    assert_eq!(users[0].properties, ["", "X0"]);
    assert_eq!(users[1].properties, ["D1", "X1"]);
    assert_eq!(users[1].name, "person1@contoso.com");
    // 2,502 members at 999 a page.
    assert_eq!(graph.requests_sent(), 3);
    let missing = graph
        .users_through("b0000000-0000-4000-8000-000000000009", &properties())
        .await;
    assert!(missing.unwrap_err().is_not_found());
}

#[tokio::test]
async fn people_whose_properties_are_hidden_are_an_error_that_names_the_permission() {
    let sandbox = tenant(10, &["GroupMember.Read.All"]).await;
    let error = graph(&sandbox)
        .users_through(OUTER, &properties())
        .await
        .unwrap_err();
    assert!(matches!(error, GraphError::Hidden { .. }), "{error:?}");
    let help = miette::Diagnostic::help(&error).unwrap().to_string();
    assert!(help.contains("User.Read.All"), "{help}");
}

async fn read(graph: &Graph, kinds: &[SignInKind]) -> Result<Vec<u64>, EvidenceError> {
    let since = "2026-11-20T08:00:00Z".parse().unwrap();
    let until = "2026-11-22T08:00:00Z".parse().unwrap();
    let scope = Scope::new([POLICY], since, None);
    let mut evidence = Evidence::new(&scope);
    for kind in kinds {
        let mut pages = graph.sign_ins(*kind, since, until);
        while let Some(page) = pages.next().await.unwrap() {
            for sign_in in page {
                let text = sign_in.to_string();
                let line = serde_json::from_str(&text).unwrap();
                if let Some(sighting) = scope.sighting(&line).unwrap() {
                    evidence.take(&sighting);
                }
            }
        }
    }
    let all = evidence.finish()?;
    Ok(all.iter().map(|policy| policy.counts.failure).collect())
}

#[tokio::test]
async fn sign_ins_of_each_kind_are_those_of_the_time_asked_for() {
    let sandbox = tenant(10, &[]).await;
    let graph = graph(&sandbox);
    assert_eq!(read(&graph, &[SignInKind::Interactive]).await, Ok(vec![1]));
    assert_eq!(read(&graph, &[SignInKind::NonInteractive]).await, Ok(vec![1]));
    assert_eq!(
        read(&graph, &[SignInKind::Interactive, SignInKind::NonInteractive]).await,
        Ok(vec![2])
    );
    assert_eq!(read(&graph, &[SignInKind::ServicePrincipal]).await, Ok(vec![0]));
}

#[tokio::test]
async fn a_log_without_the_permission_for_policies_is_refused_and_never_taken_for_quiet() {
    let sandbox = tenant(10, &["AuditLog.Read.All"]).await;
    assert_eq!(
        read(&graph(&sandbox), &[SignInKind::Interactive]).await,
        Err(EvidenceError::Blind { sign_ins: 1 })
    );
    let none = tenant(10, &["User.Read.All"]).await;
    let graph = graph(&none);
    let since = "2026-11-20T08:00:00Z".parse().unwrap();
    let error = graph
        .sign_ins(SignInKind::Interactive, since, since)
        .next()
        .await
        .unwrap_err();
    let help = miette::Diagnostic::help(&error).unwrap().to_string();
    assert!(
        error.is_permission() && help.contains("AuditLog.Read.All"),
        "{error}: {help}"
    );
}

#[tokio::test]
async fn registrations_say_who_can_do_what_is_asked_for() {
    let sandbox = tenant(3, &["AuditLog.Read.All"]).await;
    let all = graph(&sandbox).registrations().await.unwrap();
    assert_eq!(all.len(), 3);
    let one = &all["a0000000-0000-4000-8000-000000000001"];
    assert!(one.is_mfa_capable && one.methods.contains("fido2"));
    assert!(!all["a0000000-0000-4000-8000-000000000002"].is_mfa_capable);
    let without = tenant(3, &["User.Read.All"]).await;
    let error = graph(&without).registrations().await.unwrap_err();
    assert!(error.is_permission(), "{error}");
}
