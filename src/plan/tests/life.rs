//! Making, changing, adopting, moving, letting go, deleting.

use super::world::*;
use crate::model::configuration::{Import, Move, Removal};
use crate::model::{Kind, Reference, Target};
use crate::plan::{Action, ActionReason, GuardChange, Mode, PlanOptions};
use serde_json::json;

#[test]
fn the_second_plan_is_empty() {
    let mut world = World::new();
    let desired = configuration([
        ("location.hq", location("HQ", true)),
        (
            "policy.mfa",
            with(
                policy("MFA", json!({ "description": "why" })),
                LOCATIONS,
                [Reference::keyword("All")],
            ),
        ),
    ]);
    let plan = world.apply(&desired);
    assert_eq!(
        plan.verdict.sentence(),
        "Plan: 2 to add, 0 to change, 0 to destroy."
    );
    assert_eq!(
        world.plan(&desired).verdict.sentence(),
        "No changes. The tenant matches the configuration."
    );
}

#[test]
fn only_what_changes_is_written() {
    let mut world = World::new();
    world.apply(&configuration([("policy.mfa", policy("MFA", json!({})))]));
    let desired = configuration([("policy.mfa", policy("MFA", json!({ "state": "disabled" })))]);
    let plan = world.apply(&desired);
    let [step] = plan.steps.as_slice() else {
        panic!("{:?}", plan.steps)
    };
    let crate::plan::Act::Update { body, .. } = &step.act else {
        panic!("{step:?}")
    };
    assert_eq!(body.value(), json!({ "state": "disabled" }));
    assert_eq!(plan.changes[0].properties.len(), 1);
    assert_eq!(plan.changes[0].properties[0].dsl, "state");
}

#[test]
fn an_id_of_the_same_plan_is_filled_in_where_the_plan_says() {
    let mut world = World::new();
    let desired = configuration([
        ("location.hq", location("HQ", false)),
        (
            "policy.mfa",
            with(
                policy("MFA", json!({})),
                LOCATIONS,
                [managed(Target::Location, "location.hq")],
            ),
        ),
    ]);
    let plan = world.plan(&desired);
    let change = plan.change(&address("policy.mfa")).unwrap();
    assert_eq!(
        change.sent_pending[0].pointer,
        "/conditions/locations/includeLocations/0"
    );
    assert_eq!(change.pending().count(), 1);
    world.apply(&desired);
}

#[test]
fn a_description_that_graph_never_shows_is_compared_with_what_was_sent() {
    let mut world = World::new();
    let described =
        |text: &str| configuration([("policy.mfa", policy("MFA", json!({ "description": text })))]);
    world.apply(&described("one"));
    let plan = world.apply(&described("two"));
    assert_eq!(plan.verdict.update, 1);
    let plan = world.apply(&configuration([("policy.mfa", policy("MFA", json!({})))]));
    assert_eq!(plan.verdict.update, 1);
}

#[test]
fn importing_what_is_written_as_it_is_changes_nothing() {
    let mut world = World::new();
    let id = world.put(&policy("MFA", json!({})));
    let mut desired = configuration([("policy.mfa", policy("MFA", json!({})))]);
    desired.imports.push(Import {
        to: address("policy.mfa"),
        id: id.clone(),
        origin: origin(1),
    });
    let plan = world.apply(&desired);
    assert_eq!(plan.verdict.sentence(), "Plan: 1 to import.");
    assert_eq!(plan.cost.requests, 0);
    // The block may stay.
    assert!(!world.plan(&desired).verdict.has_changes());
    // And one that differs is adopted and changed.
    let mut world = World::new();
    let id = world.put(&policy("Old name", json!({})));
    desired.imports[0].id = id.to_uppercase();
    let plan = world.apply(&desired);
    assert_eq!(acts(&plan), ["adopt policy.mfa", "update policy.mfa"]);
}

#[test]
fn an_import_that_can_not_be_is_refused() {
    let mut world = World::new();
    world.apply(&configuration([("policy.a", policy("A", json!({})))]));
    let taken = world.state.resources["policy.a"].id.clone();
    let import = |to: &str, id: &str| Import {
        to: address(to),
        id: id.into(),
        origin: origin(1),
    };
    let refused = |to: &str, id: &str| {
        let mut desired = configuration([
            ("policy.a", policy("A", json!({}))),
            ("policy.b", policy("B", json!({}))),
        ]);
        desired.imports.push(import(to, id));
        world.refused(&desired)
    };
    assert_eq!(
        refused("policy.b", ADA),
        [format!("the tenant has no policy with the id `{ADA}`")]
    );
    assert_eq!(
        refused("policy.b", &taken),
        [format!(
            "`{taken}` can't be imported as `policy.b`: it is managed as `policy.a`"
        )]
    );
    assert_eq!(
        refused("policy.c", &taken),
        [format!("`policy.c` has no block to import `{taken}` into")]
    );
}

#[test]
fn a_namesake_is_pointed_out() {
    let mut world = World::new();
    let id = world.put(&policy("MFA", json!({})));
    let plan = world.plan(&configuration([("policy.mfa", policy("MFA", json!({})))]));
    let note = plan
        .notes
        .iter()
        .find(|note| note.code == "plan::namesake")
        .unwrap();
    assert_eq!(
        note.help.as_deref(),
        Some(format!("to adopt it instead: `capol import policy.mfa {id}`").as_str())
    );
}

#[test]
fn a_move_keeps_the_object_also_over_two_steps_and_through_modules() {
    let mut world = World::new();
    world.apply(&configuration([("policy.a", policy("A", json!({})))]));
    let id = world.state.resources["policy.a"].id.clone();
    let mut desired = configuration([("module.m.policy.c", policy("A", json!({})))]);
    let step = |from: &str, to: &str| Move {
        from: address(from),
        to: address(to),
        origin: origin(1),
    };
    desired.moves = vec![
        step("policy.a", "policy.b"),
        step("policy.b", "module.m.policy.c"),
    ];
    let plan = world.apply(&desired);
    assert_eq!(acts(&plan), ["move module.m.policy.c"]);
    assert_eq!(plan.verdict.sentence(), "Plan: 1 to move.");
    assert_eq!(world.state.resources["module.m.policy.c"].id, id);
    let mut desired = configuration([("module.n.policy.c", policy("A2", json!({})))]);
    desired.moves = vec![step("module.m", "module.n")];
    let plan = world.apply(&desired);
    assert_eq!(
        acts(&plan),
        ["move module.n.policy.c", "update module.n.policy.c"]
    );
}

#[test]
fn a_move_in_a_circle_or_onto_something_is_refused() {
    let mut world = World::new();
    let both = configuration([
        ("policy.a", policy("A", json!({}))),
        ("policy.b", policy("B", json!({}))),
    ]);
    world.apply(&both);
    let refused = |desired: &mut crate::model::configuration::Configuration, moves: &[(&str, &str)]| {
        desired.moves = moves
            .iter()
            .map(|(from, to)| Move {
                from: address(from),
                to: address(to),
                origin: origin(1),
            })
            .collect();
        world.refused(desired)
    };
    let mut only_b = configuration([("policy.b", policy("B", json!({})))]);
    assert_eq!(
        refused(&mut only_b, &[("policy.a", "policy.b")]),
        ["`policy.a` can't move to `policy.b`: `policy.b` has that address already"]
    );
    assert!(
        refused(&mut both.clone(), &[("policy.a", "policy.c")])[0].contains("still in the configuration")
    );
    let mut none = configuration([]);
    assert!(refused(&mut none, &[("policy.a", "policy.c"), ("policy.c", "policy.a")])[0].contains("circle"));
}

#[test]
fn what_is_removed_stays_in_the_tenant() {
    let mut world = World::new();
    world.apply(&configuration([("policy.a", policy("A", json!({})))]));
    let mut desired = configuration([]);
    desired.removals.push(Removal {
        from: address("policy.a"),
        origin: origin(1),
    });
    let plan = world.apply(&desired);
    assert_eq!(plan.verdict.sentence(), "Plan: 1 to forget.");
    assert_eq!(world.objects.len(), 1);
    let mut present = configuration([("policy.a", policy("A", json!({})))]);
    present.removals = desired.removals;
    world.apply(&configuration([]));
    let refused = World::new().refused(&present);
    assert_eq!(refused, ["`policy.a` is removed and still in the configuration"]);
}

#[test]
fn what_was_deleted_outside_is_made_again_or_forgotten() {
    let mut world = World::new();
    let desired = configuration([("policy.a", policy("A", json!({})))]);
    world.apply(&desired);
    world.objects.clear();
    let plan = world.plan(&desired);
    assert_eq!(plan.changes[0].action, Action::Create);
    assert_eq!(plan.changes[0].reason, Some(ActionReason::DeletedOutside));
    let plan = world.apply(&configuration([]));
    assert_eq!(plan.changes[0].reason, Some(ActionReason::GoneAlready));
}

#[test]
fn a_guard_outlives_its_block_and_lifting_it_shows() {
    let mut world = World::new();
    let unguarded = configuration([("policy.a", policy("A", json!({})))]);
    let mut guarded = unguarded.clone();
    resource(&mut guarded, "policy.a").lifecycle.prevent_destroy = true;
    resource(&mut guarded, "policy.a").lifecycle.reason = Some("it keeps us safe".into());
    world.apply(&guarded);
    assert_eq!(
        world.refused(&configuration([])),
        ["policy.a: `policy.a` must not be destroyed: it keeps us safe"]
    );
    let destroy = PlanOptions {
        mode: Mode::Destroy,
        ..options()
    };
    assert_eq!(world.refused_with(&guarded, &destroy).len(), 1);
    let plan = world.apply(&unguarded);
    assert_eq!(
        plan.changes[0].guard,
        Some(GuardChange::Lifted(Some("it keeps us safe".into())))
    );
    assert_eq!(plan.verdict.sentence(), "Plan: 1 guard to change.");
    world.apply(&configuration([]));
    assert!(world.objects.is_empty());
}

#[test]
fn a_location_of_another_kind_is_a_new_location() {
    let mut world = World::new();
    let using = |object| {
        configuration([
            ("location.hq", object),
            (
                "policy.mfa",
                with(
                    policy("MFA", json!({})),
                    LOCATIONS,
                    [managed(Target::Location, "location.hq")],
                ),
            ),
        ])
    };
    world.apply(&using(location("HQ", true)));
    let plan = world.apply(&using(countries("HQ")));
    assert_eq!(
        plan.verdict.sentence(),
        "Plan: 1 to add, 1 to change, 1 to destroy."
    );
    assert_eq!(
        acts(&plan),
        [
            "create location.hq",
            "update policy.mfa",
            "release location.hq",
            "delete location.hq"
        ]
    );
    assert_eq!(world.objects.len(), 2);
}

#[test]
fn replace_makes_the_new_policy_before_it_deletes_the_old() {
    let mut world = World::new();
    let desired = configuration([("policy.a", policy("A", json!({})))]);
    world.apply(&desired);
    let options = PlanOptions {
        replace: vec![address("policy.a")],
        ..options()
    };
    let plan = world.plan_with(&desired, &options);
    assert_eq!(acts(&plan), ["create policy.a", "delete policy.a"]);
    assert_eq!(plan.changes[0].reason, Some(ActionReason::Requested));
    world.carry_out(&plan);
    assert!(!world.plan(&desired).verdict.has_changes());
    assert_eq!(world.objects.len(), 1);
}

#[test]
fn a_context_is_known_by_its_chosen_id() {
    let mut world = World::new();
    let context = |id: &str| {
        crate::model::configuration::Configuration::clone(&configuration([
            (
                "context.secret",
                object(
                    Kind::Context,
                    json!({ "id": id, "displayName": "Secret", "isAvailable": true }),
                ),
            ),
            (
                "policy.secret",
                with(
                    policy(
                        "S",
                        json!({ "conditions": { "applications": { "includeApplications": [] } } }),
                    ),
                    "conditions.applications.includeAuthenticationContextClassReferences",
                    [managed(Target::Context, "context.secret")],
                ),
            ),
        ]))
    };
    let plan = world.apply(&context("c1"));
    assert!(plan.changes.iter().all(|change| change.sent_pending.is_empty()));
    let plan = world.apply(&context("c2"));
    assert_eq!(
        acts(&plan),
        [
            "create context.secret",
            "update policy.secret",
            "release context.secret",
            "delete context.secret"
        ]
    );
    let mut other = World::new();
    other.put(&object(
        Kind::Context,
        json!({ "id": "c1", "displayName": "Theirs" }),
    ));
    assert!(
        other.refused(&context("c1"))[0].starts_with("the tenant already has the authentication context")
    );
}

#[test]
fn a_strength_is_changed_in_the_pieces_that_the_service_takes() {
    let mut world = World::new();
    let strength = |combinations: serde_json::Value, aaguids: serde_json::Value| {
        configuration([(
            "strength.keys",
            object(
                Kind::Strength,
                json!({
                    "displayName": "Keys",
                    "allowedCombinations": combinations,
                    "combinationConfigurations": [{
                        "@odata.type": "#microsoft.graph.fido2CombinationConfiguration",
                        "appliesToCombinations": ["fido2"],
                        "allowedAAGUIDs": aaguids,
                    }],
                }),
            ),
        )])
    };
    world.apply(&strength(json!(["fido2"]), json!([ADA])));
    let plan = world.apply(&strength(json!(["fido2", "password,sms"]), json!([BOB])));
    assert_eq!(
        acts(&plan),
        [
            "remove configuration strength.keys",
            "set combinations strength.keys",
            "add configuration strength.keys"
        ]
    );
    assert_eq!(plan.cost.writes, 3);
}

#[test]
fn members_are_owned_only_when_written() {
    let mut world = World::new();
    let staff: Vec<Reference> = (0..25)
        .map(|number| Reference::id(Target::User, &format!("bbbbbbbb-0000-0000-0000-{number:012}")))
        .collect();
    let plan = world.apply(&configuration([("group.g", group("G", Some(staff.clone())))]));
    assert_eq!(
        acts(&plan),
        ["create group.g", "add members group.g", "add members group.g"]
    );
    let mut fewer = staff[..24].to_vec();
    fewer.push(Reference::id(Target::User, ADA));
    let plan = world.apply(&configuration([("group.g", group("G", Some(fewer)))]));
    assert_eq!(acts(&plan), ["add members group.g", "remove member group.g"]);
    let plan = world.apply(&configuration([("group.g", group("G", None))]));
    assert!(!plan.verdict.has_changes());
    let plan = world.apply(&configuration([("group.g", group("G", Some(Vec::new())))]));
    assert_eq!(plan.cost.writes, 25);
}

#[test]
fn groups_that_hold_one_another_are_made_first_and_filled_after() {
    let mut world = World::new();
    let desired = configuration([
        (
            "group.a",
            group("A", Some(vec![managed(Target::Group, "group.b")])),
        ),
        (
            "group.b",
            group("B", Some(vec![managed(Target::Group, "group.a")])),
        ),
    ]);
    world.apply(&desired);
    let destroy = PlanOptions {
        mode: Mode::Destroy,
        ..options()
    };
    let plan = world.plan_with(&desired, &destroy);
    world.carry_out(&plan);
    assert!(world.objects.is_empty() && world.state.resources.is_empty());
}

#[test]
fn outputs_show_when_they_change() {
    let mut world = World::new();
    let mut desired = configuration([]);
    let output = |value| crate::model::configuration::Output {
        value,
        ids: Vec::new(),
        sensitive: false,
    };
    desired.outputs.insert("a".into(), output(json!(1)));
    let plan = world.plan(&desired);
    assert_eq!(plan.verdict.sentence(), "Plan: 1 output to change.");
    world.state.outputs.insert(
        "a".into(),
        crate::model::state::OutputState {
            value: json!(1),
            sensitive: false,
        },
    );
    assert!(!world.plan(&desired).verdict.has_changes());
}
