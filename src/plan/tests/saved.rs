//! The saved plan and what makes it stale.

use super::world::*;
use crate::plan::{Plan, SavedPlanError, stale};
use serde_json::json;

fn reasons(plan: &Plan, world: &World) -> Vec<String> {
    stale(plan, Some(&world.state), &world.live(), Some(""))
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn a_plan_says_what_moved_since() {
    let mut world = World::new();
    let desired = configuration([
        ("policy.a", policy("A", json!({}))),
        ("policy.b", policy("B", json!({}))),
    ]);
    world.apply(&desired);
    let plan = world.plan(&configuration([("policy.a", policy("A2", json!({})))]));
    assert_eq!(reasons(&plan, &world), Vec::<String>::new());
    let a = world.state.resources["policy.a"].id.clone();
    let b = world.state.resources["policy.b"].id.clone();
    // The same in another order is the same.
    world.patch(
        &a,
        json!({ "sessionControls": null, "conditions": { "times": null } }),
    );
    assert_eq!(reasons(&plan, &world), Vec::<String>::new());
    world.patch(&a, json!({ "state": "disabled" }));
    world.objects.remove(&b);
    world.put(&policy("C", json!({})));
    assert_eq!(
        reasons(&plan, &world),
        [
            "the policy `A` was changed since",
            "the policy `B` was deleted since",
            "the policy `C` was made since"
        ]
    );
    world.state.serial += 1;
    assert!(reasons(&plan, &world)[0].starts_with("the state was written since"));
    assert_eq!(
        stale(&plan, Some(&world.state), &world.live(), Some("other")).len(),
        5,
        "the configuration too"
    );
}

#[test]
fn a_plan_of_another_form_is_not_read() {
    let plan = World::new().plan(&configuration([]));
    let text = plan.to_json().unwrap();
    let other = text.replacen("\"1.0\"", "\"9.0\"", 1);
    assert_eq!(
        Plan::from_json(&other),
        Err(SavedPlanError::OtherFormat { found: "9.0".into() })
    );
    let half: String = text.chars().take(text.len() / 2).collect();
    for broken in ["", "{}", "[]", half.as_str()] {
        assert!(matches!(
            Plan::from_json(broken),
            Err(SavedPlanError::Unreadable { .. })
        ));
    }
}

#[test]
fn the_json_form_has_terraforms_keys() {
    let mut world = World::new();
    world.apply(&configuration([
        ("policy.old", policy("Old", json!({}))),
        ("policy.kept", policy("Kept", json!({}))),
    ]));
    let kept = world.state.resources["policy.kept"].id.clone();
    world.patch(&kept, json!({ "state": "disabled" }));
    let plan = world.plan(&configuration([
        ("policy.kept", policy("Kept", json!({}))),
        ("location.hq", location("HQ", false)),
        (
            "module.m.policy.new[\"k\"]",
            with(
                policy("New", json!({})),
                LOCATIONS,
                [managed(crate::model::Target::Location, "location.hq")],
            ),
        ),
    ]));
    let mut json = crate::plan::json::render(&plan);
    json["capol_version"] = json!("…");
    insta::assert_json_snapshot!(json);
}
