//! Plan, apply, plan again: the second plan has nothing to do, whatever was written.

use capol::ops::workspace::Supervision;
use capol::plan::Action;
use capol::sandbox::Kind;
use serde_json::json;

use crate::world::{World, action};

/// A policy that is in every text below unless it says otherwise.
fn policy(name: &str, body: &str) -> String {
    let (users, apps, grant) = (
        "users { include = [all] }",
        "apps { include = [all] }",
        "grant = mfa",
    );
    let or = |word: &str, line: &'static str| if body.contains(word) { "" } else { line };
    format!(
        "policy \"{name}\" {{\n  name = \"{name}\"\n  {}\n  {}\n  {}\n  {}\n  {body}\n}}\n",
        or("state =", "state = report_only"),
        or("users {", users),
        or("apps {", apps),
        or("grant =", grant),
    )
}

#[tokio::test]
async fn the_quickstart_is_made_once() {
    let world = World::new().await;
    let text = std::fs::read_to_string("examples/quickstart/main.capol").unwrap();
    std::fs::remove_file(world.path("settings.capol")).unwrap();
    let plan = world.becomes(&text).await;
    assert_eq!(plan.verdict.create, 8);
    assert_eq!(world.names(Kind::Policies).len(), 6);
    assert_eq!(world.state().await.resources.len(), 8);
    assert!(world.journal().is_none());
}

/// From each body to the next and back again, in place.
const LIVES: &[(&str, &[&str])] = &[
    (
        "state",
        &["state = report_only", "state = enabled", "state = disabled"],
    ),
    (
        "audience",
        &[
            "users { include = [all] }",
            "users { include = [all], exclude = [group(\"CA exclusions\"), user(\"sync@contoso.com\")] }",
            "users { include = [group(\"Finance\"), role.global_administrator] }",
            "users { include = [guests([b2b_collaboration_guest, service_provider])] }",
            "users { include = [guests([b2b_collaboration_guest], tenants = [\"11111111-2222-4333-8444-555555555555\"])] }",
            "users { include = [user(\"ada@contoso.com\")], exclude = [guests([internal_guest])] }",
        ],
    ),
    (
        "targets",
        &[
            "apps { include = [all] }",
            "apps { include = [app.office365], exclude = [app(\"Salesforce\")] }",
            "apps { include = [action.register_security_info] }",
            "apps { include = [all], exclude = [app.azure_management] }",
        ],
    ),
    (
        "conditions",
        &[
            "platforms { include = [all], exclude = [ios, android] }",
            "client_apps = [browser, mobile_apps_and_desktop_clients]",
            "devices { exclude = filter(\"device.isCompliant -eq True\") }",
            "risk { sign_in = [high, medium] }",
            "risk { user = [high] }",
            "locations { include = [all], exclude = [all_trusted] }",
            "auth_flows = [device_code_flow]",
            "",
        ],
    ),
    (
        "controls",
        &[
            "grant = mfa",
            "grant = any_of(mfa, compliant_device)",
            "grant = all_of(compliant_device, mfa)",
            "grant = strength.phishing_resistant_mfa",
            "grant = any_of(strength.mfa, hybrid_joined_device)",
            "grant = block",
        ],
    ),
    (
        "session",
        &[
            "session { sign_in_frequency = 4h }",
            "session { sign_in_frequency = 2d, persistent_browser = never }",
            "session { sign_in_frequency = every_time }",
            "session { persistent_browser = always }",
            "",
        ],
    ),
];

#[tokio::test]
async fn every_property_changes_in_place_and_back() {
    for (what, bodies) in LIVES {
        let world = World::new().await;
        world.becomes(&policy("p", bodies[0])).await;
        let id = world.id("policy.p").await;
        for body in bodies[1..].iter().chain(bodies.iter().rev()) {
            let plan = world.becomes(&policy("p", body)).await;
            if plan.verdict.has_changes() {
                assert_eq!(action(&plan, "policy.p"), Action::Update, "{what}: {body}");
                assert_eq!(plan.steps.len(), 1, "{what}: {body}");
            }
            assert_eq!(world.id("policy.p").await, id, "{what}: {body}");
        }
        assert_eq!(world.names(Kind::Policies), ["p"], "{what}");
    }
}

#[tokio::test]
async fn locations_change_in_place_and_back() {
    let world = World::new().await;
    let texts = [
        "ip_ranges = [\"203.0.113.0/24\"]",
        "ip_ranges = [\"203.0.113.0/24\", \"2001:db8::/48\"]\n  trusted = true",
        "ip_ranges = [\"198.51.100.0/24\"]",
    ];
    let text = |body: &str| format!("location \"l\" {{\n  name = \"L\"\n  {body}\n}}\n");
    world.becomes(&text(texts[0])).await;
    let id = world.id("location.l").await;
    for body in texts.iter().chain(texts.iter().rev()) {
        world.becomes(&text(body)).await;
    }
    let countries = [
        "countries = [\"DK\", \"SE\"]",
        "countries = [\"SE\", \"NO\", \"DK\"]\n  include_unknown = true",
        "countries = [\"DK\"]\n  lookup = authenticator_app_gps",
    ];
    assert_eq!(world.id("location.l").await, id);
    let plan = world.becomes(&text(countries[0])).await;
    assert_eq!(action(&plan, "location.l"), Action::Replace);
    for body in countries.iter().chain(countries.iter().rev()) {
        let plan = world.becomes(&text(body)).await;
        assert_eq!(plan.verdict.replace, 0, "{body}");
    }
    assert_eq!(world.names(Kind::NamedLocations), ["L"]);
}

#[tokio::test]
async fn a_renamed_object_keeps_its_id_and_a_moved_one_is_not_touched() {
    let world = World::with(&policy("p", "")).await;
    world.settle().await;
    let id = world.id("policy.p").await;
    let renamed = policy("p", "").replace("name = \"p\"", "name = \"Renamed\"");
    world.becomes(&renamed).await;
    assert_eq!(world.id("policy.p").await, id);
    world.requests();
    let moved =
        renamed.replace("policy \"p\"", "policy \"q\"") + "moved {\n  from = policy.p\n  to = policy.q\n}\n";
    let plan = world.becomes(&moved).await;
    assert_eq!(plan.verdict.moved, 1);
    assert_eq!(world.writes(), Vec::<String>::new());
    assert_eq!(world.id("policy.q").await, id);
    assert_eq!(world.state().await.resources.len(), 1);
}

#[tokio::test]
async fn what_is_imported_stays_as_it_is_and_what_is_removed_stays_in_the_tenant() {
    let world = World::with(&policy("p", "")).await;
    world.settle().await;
    let id = world.id("policy.p").await;
    let plan = world.becomes("removed { from = policy.p }\n").await;
    assert_eq!(plan.verdict.forget, 1);
    assert!(world.state().await.resources.is_empty());
    world.requests();
    let text = policy("p", "") + &format!("import {{\n  to = policy.p\n  id = \"{id}\"\n}}\n");
    let plan = world.becomes(&text).await;
    assert_eq!(plan.verdict.import, 1);
    assert_eq!(world.writes(), Vec::<String>::new());
    let text = policy("q", "state = disabled") + "removed { from = policy.p }\n";
    world.becomes(&text).await;
    let text = policy("q", "state = disabled")
        + &policy("p", "state = enabled")
        + &format!("import {{\n  to = policy.p\n  id = \"{id}\"\n}}\n");
    let plan = world.becomes(&text).await;
    assert_eq!(action(&plan, "policy.p"), Action::Update);
    assert_eq!(
        world.live(Kind::Policies, "policy.p").await["state"],
        json!("enabled")
    );
    assert_eq!(world.id("policy.p").await, id);
}

#[tokio::test]
async fn groups_gain_and_lose_members() {
    let world = World::new().await;
    let group = |members: &str| {
        format!("group \"g\" {{\n  managed = true\n  name = \"G\"\n  members = [{members}]\n}}\n")
            + &policy("p", "users { include = [group.g] }")
    };
    let user = |name: &str| format!("user(\"{name}@contoso.com\")");
    world
        .becomes(&group(&format!(
            "{}, {}, {}",
            user("ada"),
            user("alan"),
            user("sync")
        )))
        .await;
    let id = world.id("group.g").await;
    assert_eq!(world.sandbox.with_tenant(|tenant| tenant.members(&id).len()), 3);
    world.becomes(&group(&user("grace"))).await;
    assert_eq!(world.sandbox.with_tenant(|tenant| tenant.members(&id).len()), 1);
    world.becomes(&group("")).await;
    assert_eq!(world.sandbox.with_tenant(|tenant| tenant.members(&id).len()), 0);
    world
        .becomes(&group(&format!("{}, {}", user("barbara"), user("edsger"))))
        .await;
    assert_eq!(world.id("group.g").await, id);
    world.becomes("").await;
    assert!(!world.names(Kind::Groups).contains(&"G".to_owned()));
}

#[tokio::test]
async fn members_join_twenty_at_a_time() {
    let world = World::new().await;
    let users: Vec<String> = (0..45).map(|number| format!("u{number}")).collect();
    world.sandbox.with_tenant(|tenant| {
        for name in &users {
            let mut user = tenant.objects(Kind::Users).next().unwrap().clone();
            user["id"] = json!(uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, name.as_bytes()).to_string());
            user["userPrincipalName"] = json!(format!("{name}@contoso.com"));
            user["displayName"] = json!(name);
            tenant.insert(Kind::Users, user);
        }
    });
    let list: Vec<String> = users
        .iter()
        .map(|name| format!("user(\"{name}@contoso.com\")"))
        .collect();
    let text = |members: &[String]| {
        format!(
            "group \"g\" {{\n  managed = true\n  name = \"G\"\n  members = [{}]\n}}\n",
            members.join(", ")
        )
    };
    world.requests();
    world.becomes(&text(&list)).await;
    assert_eq!(world.writes().len(), 1 + 3);
    let id = world.id("group.g").await;
    assert_eq!(world.sandbox.with_tenant(|tenant| tenant.members(&id).len()), 45);
}

#[tokio::test]
async fn somebody_who_joined_meanwhile_does_not_keep_the_others_out() {
    let world = World::new().await;
    let text = |members: &str| {
        format!("group \"g\" {{\n  managed = true\n  name = \"G\"\n  members = [{members}]\n}}\n")
    };
    world.becomes(&text("")).await;
    let id = world.id("group.g").await;
    world.write(&text("user(\"ada@contoso.com\"), user(\"alan@contoso.com\")"));
    let connection = world.connect().await;
    let ada = world
        .objects(Kind::Users)
        .into_iter()
        .find(|user| user["userPrincipalName"] == json!("ada@contoso.com"))
        .unwrap();
    let ada = ada["id"].as_str().unwrap().to_owned();
    let group = id.clone();
    let plan = world
        .planned(&capol::ops::workspace::Narrowing::default())
        .await
        .unwrap();
    connection.graph.add_member(&group, &ada).await.unwrap();
    let loaded = world.loaded();
    let workspace = world.workspace(&loaded);
    let worker = world.worker("apply");
    let guard = workspace.lock(&worker).await.unwrap();
    let applied = workspace
        .apply(
            &connection,
            &guard,
            &plan,
            &loaded.configuration,
            &worker,
            Supervision {
                fail_fast: false,
                events: &*world.ears,
                stop: &world.stop,
            },
        )
        .await
        .unwrap();
    assert!(applied.is_complete(), "{applied:#?}");
    assert_eq!(world.sandbox.with_tenant(|tenant| tenant.members(&id).len()), 2);
}

#[tokio::test]
async fn strengths_change_combinations_and_configurations() {
    let world = World::new().await;
    let strength = |body: &str| {
        format!("strength \"s\" {{\n  name = \"S\"\n  {body}\n}}\n") + &policy("p", "grant = strength.s")
    };
    let bodies = [
        "combinations = [fido2, all_of(password, microsoft_authenticator_push)]",
        "combinations = [fido2]",
        "combinations = [fido2, x509_multi_factor]\n  description = \"Keys\"\n  configurations {\n    fido2 {\n      applies_to = [fido2]\n      allowed_aaguids = [\"de1e552d-db1d-4423-a619-566b625cdc84\"]\n    }\n  }",
        "combinations = [fido2, x509_multi_factor]\n  configurations {\n    fido2 {\n      applies_to = [fido2]\n      allowed_aaguids = [\"90a3ccdf-635c-4729-a248-9b709135078f\"]\n    }\n    x509 {\n      applies_to = [x509_multi_factor]\n      allowed_policy_oids = [\"1.2.3\"]\n    }\n  }",
    ];
    world.becomes(&strength(bodies[0])).await;
    let id = world.id("strength.s").await;
    for body in bodies.iter().chain(bodies.iter().rev()) {
        world.becomes(&strength(body)).await;
    }
    assert_eq!(world.id("strength.s").await, id);
}

#[tokio::test]
async fn contexts_are_made_under_the_chosen_id_and_released_before_they_go() {
    let world = World::new().await;
    let context = |body: &str| {
        format!("context \"vault\" {{\n  id = \"c42\"\n  {body}\n}}\n")
            + &policy("p", "apps { include = [context.vault] }")
    };
    world
        .becomes(&context("name = \"Vault\"\n  available = true"))
        .await;
    world
        .becomes(&context("name = \"The vault\"\n  description = \"Keys\""))
        .await;
    world
        .becomes(&context("name = \"The vault\"\n  available = true"))
        .await;
    assert_eq!(world.id("context.vault").await, "c42");
    world.requests();
    world.becomes("").await;
    let writes = world.writes();
    assert!(
        writes[0].starts_with("DELETE") && writes[0].contains("/policies/"),
        "{writes:?}"
    );
    assert!(
        writes[1].starts_with("PATCH") && writes[2].starts_with("DELETE"),
        "{writes:?}"
    );
}

#[tokio::test]
async fn a_trusted_location_is_untrusted_before_it_is_deleted() {
    let world = World::new().await;
    let location =
        "location \"l\" {\n  name = \"L\"\n  ip_ranges = [\"203.0.113.0/24\"]\n  trusted = true\n}\n";
    world
        .becomes(
            &(location.to_owned() + &policy("p", "locations { include = [all], exclude = [location.l] }")),
        )
        .await;
    world.requests();
    world.becomes("").await;
    let writes: Vec<String> = world
        .writes()
        .iter()
        .map(|write| {
            write
                .rsplit_once('/')
                .unwrap()
                .0
                .replace("/v1.0/identity/conditionalAccess", "")
        })
        .collect();
    assert_eq!(
        writes,
        [
            "DELETE /policies",
            "PATCH /namedLocations",
            "DELETE /namedLocations"
        ]
    );
}

#[tokio::test]
async fn a_location_in_use_becomes_one_of_countries() {
    let world = World::new().await;
    let text = |location: &str| {
        format!("location \"l\" {{\n  name = \"L\"\n  {location}\n}}\n")
            + &policy("p", "locations { include = [all], exclude = [location.l] }")
    };
    world
        .becomes(&text("ip_ranges = [\"203.0.113.0/24\"]\n  trusted = true"))
        .await;
    let before = world.id("location.l").await;
    let policy_id = world.id("policy.p").await;
    world.requests();
    world.becomes(&text("countries = [\"DK\"]")).await;
    let methods: Vec<String> = world
        .writes()
        .iter()
        .map(|write| write.split(' ').next().unwrap().to_owned())
        .collect();
    assert_eq!(methods, ["POST", "PATCH", "PATCH", "DELETE"]);
    let after = world.id("location.l").await;
    assert_ne!(before, after);
    assert_eq!(world.id("policy.p").await, policy_id);
    let policy = world.live(Kind::Policies, "policy.p").await;
    assert_eq!(
        policy["conditions"]["locations"]["excludeLocations"],
        json!([after])
    );
    assert_eq!(world.names(Kind::NamedLocations), ["L"]);
    assert_eq!(world.state().await.resources.len(), 2);
}

#[tokio::test]
async fn a_policy_that_spares_all_trusted_waits_for_trusted_locations() {
    let world = World::new().await;
    let location =
        "location \"z\" {\n  name = \"Z\"\n  ip_ranges = [\"203.0.113.0/24\"]\n  trusted = true\n}\n";
    world.requests();
    world
        .becomes(&(policy("a", "locations { include = [all], exclude = [all_trusted] }") + location))
        .await;
    let writes = world.writes();
    assert!(
        writes[0].ends_with("/namedLocations") && writes[1].ends_with("/policies"),
        "{writes:?}"
    );
}

#[tokio::test]
async fn replacing_on_request_leaves_one_object() {
    let world = World::with(&policy("p", "")).await;
    world.settle().await;
    let id = world.id("policy.p").await;
    let narrowing = capol::ops::workspace::Narrowing {
        replace: vec!["policy.p".parse().unwrap()],
        ..Default::default()
    };
    world.apply_narrowed(&narrowing).await.unwrap().complete();
    assert_ne!(world.id("policy.p").await, id);
    assert_eq!(world.names(Kind::Policies), ["p"]);
    assert_eq!(world.state().await.resources.len(), 1);
    world.settle().await;
}

#[tokio::test]
async fn instances_and_modules_come_and_go() {
    let world = World::new().await;
    let text = |keys: &str| {
        format!(
            "location \"hq\" {{\n  for_each = {{ {keys} }}\n  name = \"HQ ${{each.key}}\"\n  ip_ranges = [each.value]\n}}\n"
        )
    };
    world
        .becomes(&text("dk = \"203.0.113.0/28\", se = \"203.0.113.16/28\""))
        .await;
    world
        .becomes(&text("se = \"203.0.113.16/28\", no = \"203.0.113.32/28\""))
        .await;
    assert_eq!(world.names(Kind::NamedLocations), ["HQ no", "HQ se"]);
    world.becomes("").await;
    assert!(world.objects(Kind::NamedLocations).is_empty());
}

#[tokio::test]
async fn outputs_give_the_ids_of_what_was_made() {
    let world = World::new().await;
    let text = "location \"l\" {\n  name = \"L\"\n  ip_ranges = [\"203.0.113.0/24\"]\n}\n\
                group \"it\" { name = \"IT\" }\n\
                output \"id\" { value = location.l }\n\
                output \"all\" { value = { \"a/b\" = [policy.p, location.l.name], group = group.it } }\n";
    let plan = world.becomes(&(policy("p", "") + text)).await;
    assert_eq!(plan.outputs.len(), 2);
    let outputs = world.state().await.outputs;
    let it = world
        .objects(Kind::Groups)
        .into_iter()
        .find(|group| group["displayName"] == json!("IT"))
        .unwrap();
    assert_eq!(outputs["id"].value, json!(world.id("location.l").await));
    assert_eq!(
        outputs["all"].value,
        json!({ "a/b": [world.id("policy.p").await, "L"], "group": it["id"] })
    );
    // A new object has a new id, and so has the output.
    let narrowing = capol::ops::workspace::Narrowing {
        replace: vec!["location.l".parse().unwrap()],
        ..Default::default()
    };
    world.apply_narrowed(&narrowing).await.unwrap().complete();
    assert_eq!(
        world.state().await.outputs["id"].value,
        json!(world.id("location.l").await)
    );
    world.settle().await;
    let plan = world.becomes("").await;
    assert_eq!(plan.verdict.outputs, 2);
    assert!(world.state().await.outputs.is_empty());
}
