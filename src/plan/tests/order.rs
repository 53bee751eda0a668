//! What waits for what, and what is left out.

use super::world::*;
use crate::model::{Reference, Target};
use crate::plan::{Mode, PlanOptions};
use serde_json::json;

#[test]
fn a_policy_that_excludes_all_trusted_waits_for_every_trusted_location() {
    let desired = configuration([
        ("location.z", location("Z", true)),
        ("location.y", location("Y", false)),
        (
            "policy.a",
            with(
                with(policy("A", json!({})), LOCATIONS, [Reference::keyword("All")]),
                NOT_LOCATIONS,
                [Reference::keyword("AllTrusted")],
            ),
        ),
    ]);
    let plan = World::new().plan(&desired);
    let step = |text: &str| {
        plan.steps
            .iter()
            .find(|step| step.address == address(text))
            .unwrap()
    };
    assert_eq!(step("policy.a").after, [step("location.z").id]);
}

#[test]
fn deletes_run_in_reverse_and_a_trusted_location_takes_two_writes() {
    let mut world = World::new();
    let desired = configuration([
        ("location.hq", location("HQ", true)),
        (
            "policy.a",
            with(
                policy("A", json!({})),
                LOCATIONS,
                [managed(Target::Location, "location.hq")],
            ),
        ),
    ]);
    world.apply(&desired);
    let plan = world.plan(&configuration([]));
    assert_eq!(
        acts(&plan),
        ["delete policy.a", "release location.hq", "delete location.hq"]
    );
    let crate::plan::Act::Release { body, .. } = &plan.steps[1].act else {
        panic!()
    };
    let body = body.value();
    assert_eq!(body["isTrusted"], json!(false));
    assert_eq!(body["displayName"], json!("HQ"));
    assert_eq!(body["ipRanges"].as_array().unwrap().len(), 1);
    // Dropped by a policy that stays, it goes after that policy's update.
    let kept = configuration([("policy.a", policy("A", json!({})))]);
    let plan = world.apply(&kept);
    assert_eq!(
        acts(&plan),
        ["update policy.a", "release location.hq", "delete location.hq"]
    );
}

#[test]
fn what_is_in_use_elsewhere_is_not_deleted() {
    let mut world = World::new();
    world.apply(&configuration([("location.hq", location("HQ", false))]));
    let id = world.state.resources["location.hq"].id.clone();
    world.put(&with(
        policy("Theirs", json!({})),
        LOCATIONS,
        [Reference::id(Target::Location, &id)],
    ));
    assert_eq!(
        world.refused(&configuration([])),
        ["location.hq: `location.hq` can't be deleted while `Theirs` refers to it"]
    );
}

#[test]
fn protection_comes_before_what_it_replaces_goes() {
    let mut world = World::new();
    world.apply(&configuration([("policy.a_old", policy("Old", json!({})))]));
    let plan = world.plan(&configuration([("policy.z_new", policy("New", json!({})))]));
    assert_eq!(acts(&plan), ["create policy.z_new", "delete policy.a_old"]);
    assert_eq!(plan.steps[1].after, [plan.steps[0].id]);
    let mut full = options();
    full.limits.policies = 1;
    assert_eq!(
        world.refused_with(
            &configuration([("policy.z_new", policy("New", json!({})))]),
            &full
        ),
        [
            "policy.a_old: in no order can `Old` and `New` be written one after the other: some sign-ins are less \
             protected in between than before and after"
        ]
    );
    full.accept_gap = Some("the tenant is full".into());
    let plan = world.plan_with(
        &configuration([("policy.z_new", policy("New", json!({})))]),
        &full,
    );
    assert_eq!(acts(&plan), ["delete policy.a_old", "create policy.z_new"]);
    assert!(plan.notes.iter().any(|note| note.code == "plan::full_tenant"));
    assert!(plan.notes.iter().any(|note| note.code == "plan::accepted_gap"));
    assert_eq!(plan.accepted_gap.as_deref(), Some("the tenant is full"));
}

#[test]
fn a_circle_is_shown_with_its_places() {
    let mut desired = configuration([
        ("policy.a", policy("A", json!({}))),
        ("policy.b", policy("B", json!({}))),
    ]);
    resource(&mut desired, "policy.a").depends_on = vec![address("policy.b")];
    resource(&mut desired, "policy.b").depends_on = vec![address("policy.a")];
    let errors = World::new().try_plan(&desired, &options()).unwrap_err();
    assert_eq!(
        errors.0[0].to_string(),
        "`policy.a` depends on itself: `policy.a` → `policy.b` → `policy.a`".replacen(
            "`policy.a` depends",
            "policy.a depends",
            1
        )
    );
    assert_eq!(errors.0[0].origin(), Some(origin(0)));
    assert_eq!(
        errors.0[0].related,
        [
            (origin(0), "`policy.a` needs `policy.b`".to_owned()),
            (origin(100), "`policy.b` needs `policy.a`".to_owned())
        ]
    );
}

#[test]
fn a_target_takes_along_what_it_needs_and_says_what_it_leaves() {
    let desired = configuration([
        ("location.hq", location("HQ", false)),
        (
            "policy.a",
            with(
                policy("A", json!({})),
                LOCATIONS,
                [managed(Target::Location, "location.hq")],
            ),
        ),
        ("policy.b", policy("B", json!({}))),
    ]);
    let aimed = |targets: &[&str], excludes: &[&str]| PlanOptions {
        targets: targets.iter().map(|text| address(text)).collect(),
        excludes: excludes.iter().map(|text| address(text)).collect(),
        ..options()
    };
    let world = World::new();
    let plan = world.plan_with(&desired, &aimed(&["policy.a"], &[]));
    assert_eq!(acts(&plan), ["create location.hq", "create policy.a"]);
    assert!(!plan.complete);
    assert!(
        plan.notes
            .iter()
            .any(|note| note.message.contains("1 further change is left out"))
    );
    let plan = world.plan_with(&desired, &aimed(&[], &["location.hq"]));
    assert_eq!(acts(&plan), ["create policy.b"]);
    assert_eq!(
        world.refused_with(&desired, &aimed(&["policy.x"], &[])),
        ["`--target policy.x` names nothing in the configuration or in state"]
    );
}

#[test]
fn a_targeted_delete_takes_along_what_must_let_go_first() {
    let mut world = World::new();
    world.apply(&configuration([
        ("location.hq", location("HQ", false)),
        (
            "policy.a",
            with(
                policy("A", json!({})),
                LOCATIONS,
                [managed(Target::Location, "location.hq")],
            ),
        ),
    ]));
    let options = PlanOptions {
        targets: vec![address("location.hq")],
        ..options()
    };
    let plan = world.plan_with(&configuration([("policy.a", policy("A", json!({})))]), &options);
    assert_eq!(acts(&plan), ["update policy.a", "delete location.hq"]);
}

#[test]
fn destroy_leaves_nothing() {
    let mut world = World::new();
    let desired = configuration([
        ("location.hq", location("HQ", true)),
        ("group.g", group("G", None)),
        (
            "policy.a",
            with(
                with(
                    policy("A", json!({})),
                    LOCATIONS,
                    [managed(Target::Location, "location.hq")],
                ),
                NOT_GROUPS,
                [managed(Target::Group, "group.g")],
            ),
        ),
    ]);
    world.apply(&desired);
    let destroy = PlanOptions {
        mode: Mode::Destroy,
        ..options()
    };
    let plan = world.plan_with(&desired, &destroy);
    assert_eq!(
        plan.verdict.sentence(),
        "Plan: 0 to add, 0 to change, 3 to destroy."
    );
    world.carry_out(&plan);
    assert!(world.objects.is_empty());
}

#[test]
fn the_cost_counts_writes_and_two_refreshes_at_the_pace_of_the_service() {
    let desired = configuration([
        ("policy.a", policy("A", json!({}))),
        ("policy.b", policy("B", json!({}))),
    ]);
    let options = PlanOptions {
        refresh_requests: 5,
        requests_per_second: 2.0,
        ..options()
    };
    let cost = World::new().plan_with(&desired, &options).cost;
    assert_eq!((cost.writes, cost.requests, cost.seconds), (2, 12, 6));
}
