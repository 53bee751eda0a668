//! What shows as a change, and what never does.

use super::world::*;
use crate::model::{Reference, Target};
use crate::plan::{Action, Mode, PlanOptions};
use serde_json::json;

#[test]
fn order_casing_null_and_empty_are_no_changes() {
    let mut world = World::new();
    let desired = configuration([(
        "policy.a",
        with(
            policy(
                "A",
                json!({ "conditions": { "platforms": { "includePlatforms": ["iOS", "windows"] } } }),
            ),
            NOT_USERS,
            [Reference::id(Target::User, ADA), Reference::id(Target::User, BOB)],
        ),
    )]);
    world.apply(&desired);
    let id = world.state.resources["policy.a"].id.clone();
    world.patch(
        &id,
        json!({
            "state": "Enabled",
            "conditions": {
                "users": { "excludeUsers": [BOB.to_uppercase(), ADA], "includeRoles": [], "excludeGroups": null },
                "platforms": { "includePlatforms": ["Windows", "ios"], "excludePlatforms": null },
                "times": null,
            },
            "grantControls": { "operator": "AND", "termsOfUse": [] },
            "sessionControls": null,
        }),
    );
    let plan = world.plan(&desired);
    assert!(!plan.verdict.has_changes());
    assert!(plan.changes[0].drift.is_empty());
}

#[test]
fn what_the_service_makes_of_a_value_is_no_change() {
    let mut world = World::new();
    let desired = configuration([("policy.a", policy("A  ", json!({})))]);
    let plan = world.plan(&desired);
    world.carry_out(&plan);
    // The service trims names, and fills in what nobody wrote.
    let id = world.state.resources["policy.a"].id.clone();
    world.patch(
        &id,
        json!({ "displayName": "A", "conditions": { "insiderRiskLevels": "minor" } }),
    );
    let answered = world.objects[&id].1.clone();
    world.state.resources.get_mut("policy.a").unwrap().answered = Some(answered.into());
    assert!(!world.plan(&desired).verdict.has_changes());
    // Until somebody changes it.
    world.patch(&id, json!({ "displayName": "B" }));
    assert_eq!(world.plan(&desired).verdict.update, 1);
}

#[test]
fn a_change_from_outside_is_shown_and_taken_back() {
    let mut world = World::new();
    let desired = configuration([("policy.a", policy("A", json!({})))]);
    world.apply(&desired);
    let id = world.state.resources["policy.a"].id.clone();
    world.patch(&id, json!({ "state": "disabled" }));
    let plan = world.apply(&desired);
    let drift = &plan.changes[0].drift[0];
    assert_eq!(drift.wire, "state");
    assert_eq!(plan.changes[0].action, Action::Update);
    assert_eq!(world.objects[&id].1["state"], json!("enabled"));
}

#[test]
fn refreshing_state_does_not_make_a_change_from_outside_legal() {
    let mut world = World::new();
    let desired = configuration([("policy.a", policy("A", json!({ "description": "why" })))]);
    world.apply(&desired);
    let id = world.state.resources["policy.a"].id.clone();
    world.patch(&id, json!({ "state": "disabled" }));
    let refresh = PlanOptions {
        mode: Mode::RefreshOnly,
        ..options()
    };
    let plan = world.plan_with(&desired, &refresh);
    assert_eq!(acts(&plan), ["remember policy.a"]);
    assert_eq!(plan.verdict.sentence(), "Plan: 1 to refresh.");
    world.carry_out(&plan);
    assert!(!world.plan_with(&desired, &refresh).verdict.has_changes());
    let plan = world.plan(&desired);
    assert_eq!(plan.verdict.update, 1);
    assert_eq!(
        plan.changes[0].properties.len(),
        1,
        "the description was not forgotten"
    );
}

#[test]
fn ignored_changes_stay_as_they_are_live() {
    let mut world = World::new();
    let mut desired = configuration([("policy.a", policy("A", json!({})))]);
    world.apply(&desired);
    let id = world.state.resources["policy.a"].id.clone();
    world.patch(
        &id,
        json!({ "state": "disabled", "conditions": { "users": { "excludeUsers": [ADA] } } }),
    );
    resource(&mut desired, "policy.a").lifecycle.ignore_changes =
        vec!["state".into(), "conditions.users".into()];
    assert!(!world.plan(&desired).verdict.has_changes());
    resource(&mut desired, "policy.a").lifecycle.ignore_changes = vec!["state".into()];
    let plan = world.plan(&desired);
    assert_eq!(plan.changes[0].properties.len(), 1);
}

#[test]
fn raw_is_compared_only_in_what_it_names_and_unknown_members_are_kept() {
    let mut world = World::new();
    let mut desired = configuration([("policy.a", policy("A", json!({})))]);
    let raw = |value| json!({ "conditions": { "brandNew": { "level": value } } });
    resource(&mut desired, "policy.a").object.raw = Some(raw("high"));
    let plan = world.apply(&desired);
    assert_eq!(plan.changes[0].raw[0].path, "conditions.brandNew.level");
    assert!(plan.notes.iter().any(|note| note.code == "plan::uses_beta"));
    let id = world.state.resources["policy.a"].id.clone();
    world.patch(
        &id,
        json!({ "conditions": { "brandNew": { "other": 1 } }, "later": true }),
    );
    assert!(!world.plan(&desired).verdict.has_changes());
    resource(&mut desired, "policy.a").object.raw = Some(raw("low"));
    let plan = world.apply(&desired);
    assert_eq!(plan.changes[0].raw.len(), 1);
    let note = plan
        .notes
        .iter()
        .find(|note| note.code == "plan::kept_unknown")
        .unwrap();
    assert!(
        note.message.ends_with("conditions.brandNew.other, later"),
        "{}",
        note.message
    );
    assert_eq!(world.objects[&id].1["later"], json!(true));
}

#[test]
fn microsofts_own_policies_take_only_state_and_exclusions() {
    let mut world = World::new();
    let name = "Microsoft-managed: MFA for admins";
    let id = world.put(&policy(name, json!({})));
    let adopt = |object| {
        let mut desired = configuration([("policy.ms", object)]);
        desired.imports.push(crate::model::configuration::Import {
            to: address("policy.ms"),
            id: id.clone(),
            origin: origin(1),
        });
        desired
    };
    let excluded = with(
        policy(name, json!({ "state": "disabled" })),
        NOT_USERS,
        [Reference::id(Target::User, ADA)],
    );
    assert_eq!(world.plan(&adopt(excluded)).verdict.update, 1);
    let renamed = world.refused(&adopt(policy("Ours", json!({}))));
    assert_eq!(
        renamed,
        [format!(
            "`{name}` is managed by Microsoft, which lets only its state and exclusions change, not `name`"
        )]
    );
}
