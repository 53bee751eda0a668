//! What was done comes undone: objects deleted outside come back with their ids, applies are taken back whole or
//! in part, on any project.

use capol::graph::{Collection, Version};
use capol::ops::undo::Choice;
use capol::plan::{Action, ActionReason};
use capol::sandbox::Kind;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

use crate::world::World;

const LOCATION: &str =
    "location \"l\" {\n  name = \"L\"\n  ip_ranges = [\"203.0.113.0/24\"]\n  trusted = true\n}\n";

fn policy(label: &str, state: &str, exclude: &str) -> String {
    format!(
        "policy \"{label}\" {{\n  name = \"{label}\"\n  state = {state}\n  users = all\n  apps = all\n  \
         locations {{\n    include = all\n    exclude = [{exclude}]\n  }}\n  grant = mfa\n}}\n"
    )
}

/// Somebody deletes an object in the portal.
async fn delete_outside(world: &World, collection: Collection, address: &str) {
    let id = world.id(address).await;
    let connection = world.connect().await;
    if collection == Collection::NamedLocations {
        world.edit(Kind::NamedLocations, &id, |location| {
            location["isTrusted"] = json!(false);
        });
    }
    connection
        .graph
        .delete(collection, Version::V1, &id)
        .await
        .unwrap();
}

async fn purge(world: &World, collection: Collection, id: &str) {
    let connection = world.connect().await;
    connection.graph.purge(collection, Version::V1, id).await.unwrap();
}

#[tokio::test]
async fn what_was_deleted_outside_comes_back_with_its_id_and_becomes_what_is_written() {
    let text = policy("p", "report_only", "location.l") + LOCATION;
    let world = World::with(&text).await;
    world.settle().await;
    let ids = (world.id("policy.p").await, world.id("location.l").await);
    delete_outside(&world, Collection::Policies, "policy.p").await;
    delete_outside(&world, Collection::NamedLocations, "location.l").await;
    // The configuration went on meanwhile.
    world.write(
        &text
            .replace("report_only", "disabled")
            .replace("203.0.113", "198.51.100"),
    );
    let plan = world.settle().await;
    for change in &plan.changes {
        assert_eq!(change.action, Action::Create, "{}", change.address);
        assert_eq!(
            change.reason,
            Some(ActionReason::RestoredFromDeleted),
            "{}",
            change.address
        );
    }
    assert_eq!((world.id("policy.p").await, world.id("location.l").await), ids);
    let policy = world.live(Kind::Policies, "policy.p").await;
    assert_eq!(policy["state"], "disabled");
    assert_eq!(
        policy["conditions"]["locations"]["excludeLocations"],
        json!([ids.1])
    );
    let location = world.live(Kind::NamedLocations, "location.l").await;
    assert_eq!(location["ipRanges"][0]["cidrAddress"], "198.51.100.0/24");
    assert_eq!(location["isTrusted"], true);
}

#[tokio::test]
async fn what_was_purged_is_made_anew_and_the_plan_says_so() {
    let world = World::with(&policy("p", "disabled", "all_trusted")).await;
    world.settle().await;
    let id = world.id("policy.p").await;
    delete_outside(&world, Collection::Policies, "policy.p").await;
    purge(&world, Collection::Policies, &id).await;
    // It is not one that the service only hides because it is fresh.
    world.wait(1_000_000);
    let plan = world.settle().await;
    assert_eq!(plan.changes[0].reason, Some(ActionReason::DeletedOutside));
    assert!(
        plan.notes.iter().any(|note| note.code == "plan::made_anew"),
        "{:?}",
        plan.notes
    );
    assert_ne!(world.id("policy.p").await, id);
}

#[tokio::test]
async fn a_policy_changed_before_it_was_deleted_is_told_of() {
    let world = World::with(&policy("p", "report_only", "all_trusted")).await;
    world.settle().await;
    let id = world.id("policy.p").await;
    world.edit(Kind::Policies, &id, |policy| policy["state"] = json!("enabled"));
    delete_outside(&world, Collection::Policies, "policy.p").await;
    let plan = world.settle().await;
    assert!(
        plan.notes
            .iter()
            .any(|note| note.code == "plan::restored_as_it_was"),
        "{:?}",
        plan.notes
    );
    assert_eq!(world.id("policy.p").await, id);
}

#[tokio::test]
async fn what_a_restored_policy_referred_to_is_deleted_only_after_it_has_let_go() {
    let strength = "strength \"s\" {\n  name = \"S\"\n  combinations = [fido2]\n}\n";
    let with = policy("p", "report_only", "all_trusted").replace("grant = mfa", "grant = strength.s");
    assert!(with.contains("strength.s"));
    let world = World::with(&(with + strength)).await;
    world.settle().await;
    let id = world.id("policy.p").await;
    delete_outside(&world, Collection::Policies, "policy.p").await;
    world.becomes(&policy("p", "report_only", "all_trusted")).await;
    assert_eq!(world.id("policy.p").await, id);
    assert!(
        !world
            .names(Kind::AuthenticationStrengths)
            .contains(&"S".to_owned())
    );
}

/// Two policies and a location that one of them needs, all edited by a second apply.
async fn edited() -> World {
    let text = policy("p", "disabled", "location.l") + LOCATION + &policy("q", "disabled", "all_trusted");
    let world = World::with(&text).await;
    world.settle().await;
    world
        .becomes(
            &text
                .replace("disabled", "report_only")
                .replace("203.0.113", "198.51.100"),
        )
        .await;
    world
}

#[tokio::test]
async fn what_others_changed_since_is_refused_by_name_and_the_rest_goes_on_if_asked() {
    let world = edited().await;
    let id = world.id("policy.p").await;
    world.edit(Kind::Policies, &id, |policy| {
        policy["displayName"] = json!("renamed");
    });
    let refused = world.undo(None).await.err().unwrap();
    let said = format!("{refused:?}");
    assert!(
        said.contains("renamed") && said.contains("ChangedSince"),
        "{said}"
    );
    let choice = Choice {
        skip_changed: true,
        ..Choice::default()
    };
    let plan = world.undo_part(&choice).await.unwrap().complete();
    assert!(!plan.complete);
    let left: Vec<_> = plan
        .notes
        .iter()
        .filter(|note| note.code == "plan::left_as_it_is")
        .collect();
    assert_eq!(left.len(), 1, "{:?}", plan.notes);
    assert_eq!(
        world.live(Kind::Policies, "policy.p").await["state"],
        "enabledForReportingButNotEnforced"
    );
    assert_eq!(
        world.live(Kind::Policies, "policy.p").await["displayName"],
        "renamed"
    );
    assert_eq!(world.live(Kind::Policies, "policy.q").await["state"], "disabled");
    let location = world.live(Kind::NamedLocations, "location.l").await;
    assert_eq!(location["ipRanges"][0]["cidrAddress"], "203.0.113.0/24");
}

#[tokio::test]
async fn a_part_of_an_apply_is_taken_back_with_all_that_it_needs() {
    let choice = |targets: &[&str], excludes: &[&str]| Choice {
        targets: targets.iter().map(|address| address.parse().unwrap()).collect(),
        excludes: excludes.iter().map(|address| address.parse().unwrap()).collect(),
        ..Choice::default()
    };
    for (choice, expected) in [
        (choice(&["policy.q"], &[]), vec!["policy.q"]),
        (choice(&[], &["policy.q"]), vec!["location.l", "policy.p"]),
    ] {
        let world = edited().await;
        let plan = world.undo_part(&choice).await.unwrap().complete();
        let changed: Vec<String> = plan
            .changes
            .iter()
            .map(|change| change.address.to_string())
            .collect();
        assert_eq!(changed, expected);
    }
    // A policy that was deleted comes back with the location that it names.
    let text = policy("p", "disabled", "location.l") + LOCATION + &policy("q", "disabled", "all_trusted");
    let world = World::with(&text).await;
    world.settle().await;
    world.becomes("").await;
    let plan = world
        .undo_part(&choice(&["policy.p"], &[]))
        .await
        .unwrap()
        .complete();
    let changed: Vec<String> = plan
        .changes
        .iter()
        .map(|change| change.address.to_string())
        .collect();
    assert_eq!(changed, ["location.l", "policy.p"]);
    let unknown = world
        .undo_part(&choice(&["policy.nothing"], &[]))
        .await
        .err()
        .unwrap();
    assert!(format!("{unknown:?}").contains("UnknownAddress"), "{unknown:?}");
}

#[tokio::test]
async fn an_undo_is_taken_back_like_any_apply() {
    let text = policy("p", "disabled", "all_trusted");
    let world = World::with(&text).await;
    world.settle().await;
    world.becomes(&text.replace("disabled", "report_only")).await;
    let edited = world.shape();
    world.undo(None).await.unwrap().complete();
    assert_ne!(world.shape(), edited);
    let undo = world.applies()[0].clone();
    world.undo(Some(&undo)).await.unwrap().complete();
    assert_eq!(world.shape(), edited);
    // The apply stands again, so it is the one that is taken back next.
    world.undo(None).await.unwrap().complete();
    assert_ne!(world.shape(), edited);
}

#[tokio::test]
async fn an_import_is_taken_back_and_the_object_stays_as_it_was() {
    let world = World::with("").await;
    world.sandbox.with_tenant(|tenant| {
        let policy = json!({"id": "5d0c3f6e-8f0b-5a57-8a34-2f5d1c7b9a10", "displayName": "Theirs", "state": "disabled",
            "conditions": {"users": {"includeUsers": ["All"]}, "clientAppTypes": ["all"],
                "applications": {"includeApplications": ["All"]}},
            "grantControls": {"operator": "OR", "builtInControls": ["mfa"]}, "sessionControls": null});
        tenant.load_objects(&json!({ "policies": [policy] })).unwrap();
    });
    let shape = world.shape();
    let import = "import {\n  to = policy.p\n  id = \"5d0c3f6e-8f0b-5a57-8a34-2f5d1c7b9a10\"\n}\n";
    world
        .becomes(&(policy("p", "disabled", "all_trusted") + import))
        .await;
    assert_ne!(world.shape(), shape);
    world.undo(None).await.unwrap().complete();
    assert_eq!(world.shape(), shape);
    assert!(world.state().await.resources.is_empty());
}

/// Any project of a few blocks, which may come, go and change in each of its versions.
fn project() -> impl Strategy<Value = String> {
    let none = String::new;
    let location = |label: &'static str| {
        select(vec![
            none(),
            LOCATION
                .replace("\"l\"", &format!("\"{label}\""))
                .replace("\"L\"", &format!("\"{label}\"")),
            format!(
                "location \"{label}\" {{\n  name = \"{label}\"\n  ip_ranges = [\"198.51.100.0/24\"]\n}}\n"
            ),
            format!("location \"{label}\" {{\n  name = \"{label}\"\n  countries = [\"DK\"]\n}}\n"),
        ])
    };
    let group = select(vec![
        none(),
        "group \"g\" {\n  managed = true\n  name = \"G\"\n  members = [user(\"ada@contoso.com\")]\n}\n"
            .to_owned(),
        "group \"g\" {\n  managed = true\n  name = \"G2\"\n  members = [user(\"alan@contoso.com\")]\n}\n"
            .to_owned(),
    ]);
    let context = select(vec![
        none(),
        "context \"c\" {\n  id = \"c42\"\n  name = \"C\"\n  available = true\n}\n".to_owned(),
        "context \"c\" {\n  id = \"c42\"\n  name = \"Changed\"\n  available = false\n}\n".to_owned(),
    ]);
    (location("a"), location("b"), group, context, any::<[u8; 3]>()).prop_map(
        |(a, b, group, context, policies)| {
            let mut places = vec!["all_trusted"];
            places.extend((!a.is_empty()).then_some("location.a"));
            places.extend((!b.is_empty()).then_some("location.b"));
            let mut text = [a, b, group.clone(), context].concat();
            for (label, choice) in ["p", "q", "r"].into_iter().zip(policies) {
                let state = ["disabled", "report_only", "enabled"][usize::from(choice) % 3];
                let exclude = places[usize::from(choice / 3) % places.len()];
                let mut policy = policy(label, state, exclude);
                if choice % 2 == 0 && !group.is_empty() {
                    policy = policy.replace("users = all", "users = group.g");
                }
                if choice % 5 != 0 {
                    text.push_str(&policy);
                }
            }
            text
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 30, ..ProptestConfig::default() })]

    #[test]
    fn an_apply_and_its_undo_leave_the_tenant_as_it_was(before in project(), after in project()) {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let world = World::with(&before).await;
            world.settle().await;
            let (shape, state) = (world.shape(), world.state().await.resources);
            world.becomes(&after).await;
            if world.applies().len() < 1 + usize::from(!state.is_empty()) {
                return;
            }
            let done = world.undo(None).await.unwrap_or_else(|error| panic!("{before}\n---\n{after}\n{error:?}"));
            done.complete();
            assert_eq!(world.shape(), shape, "{before}\n---\n{after}");
            let now = world.state().await.resources;
            assert_eq!(now.keys().collect::<Vec<_>>(), state.keys().collect::<Vec<_>>());
            for (address, kept) in &state {
                assert_eq!(now[address].id, kept.id, "{address}\n{before}\n---\n{after}");
            }
            world.write(&before);
            world.nothing_to_do(std::panic::Location::caller()).await;
        });
    }
}
