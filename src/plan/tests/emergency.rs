//! Emergency access, lock-outs, limits, licences, rules.

use super::world::*;
use crate::model::live::{SignedIn, SignedInKind};
use crate::model::{Reference, Target};
use crate::plan::PlanOptions;
use serde_json::json;

fn block(name: &str) -> crate::model::Object {
    policy(name, json!({ "grantControls": { "builtInControls": ["block"] } }))
}

#[test]
fn the_accounts_are_left_out_of_every_policy_with_a_user_audience() {
    let mut world = World::new();
    let mut desired = configuration([
        ("policy.a", policy("A", json!({}))),
        ("policy.b", policy("B", json!({}))),
        (
            "policy.bots",
            policy(
                "Bots",
                json!({
                    "conditions": {
                        "users": { "includeUsers": [] },
                        "clientApplications": { "includeServicePrincipals": ["ServicePrincipalsInMyTenant"] },
                    },
                    "grantControls": { "builtInControls": ["block"] },
                }),
            ),
        ),
    ]);
    emergency(&mut desired, &[BREAK_GLASS]);
    resource(&mut desired, "policy.b").includes_emergency_access = Some("it protects them".into());
    let plan = world.apply(&desired);
    let excluded = |text: &str| {
        let change = plan.change(&address(text)).unwrap();
        change
            .sent
            .as_ref()
            .unwrap()
            .value()
            .pointer("/conditions/users/excludeUsers")
            .cloned()
    };
    assert_eq!(excluded("policy.a"), Some(json!([BREAK_GLASS])));
    assert_eq!(excluded("policy.b"), None);
    assert_eq!(excluded("policy.bots"), None);
}

#[test]
fn without_emergency_access_nothing_enabled_is_made_stronger() {
    let mut world = World::new();
    let mut desired = configuration([("policy.a", policy("A", json!({})))]);
    desired.settings.no_emergency_access = None;
    let expected = "no emergency access is named, and the plan creates or strengthens an enabled policy";
    assert_eq!(world.refused(&desired), [expected]);
    let sandbox = PlanOptions {
        sandbox: true,
        ..options()
    };
    world.carry_out(&world.plan_with(&desired, &sandbox));
    // What stays, or grows weaker, passes.
    assert!(!world.plan(&desired).verdict.has_changes());
    for (object, passes) in [
        (policy("A renamed", json!({})), true),
        (policy("A", json!({ "state": "disabled" })), true),
        (
            with(
                policy("A", json!({})),
                NOT_USERS,
                [Reference::id(Target::User, ADA)],
            ),
            true,
        ),
        (
            policy(
                "A",
                json!({ "grantControls": { "builtInControls": ["compliantDevice"] } }),
            ),
            false,
        ),
    ] {
        let mut desired = desired.clone();
        resource(&mut desired, "policy.a").object = object;
        assert_eq!(world.try_plan(&desired, &options()).is_ok(), passes);
    }
}

#[test]
fn a_policy_that_would_block_all_emergency_accounts_is_refused() {
    let mut world = World::new();
    let mut desired = configuration([("policy.a", block("Block"))]);
    emergency(&mut desired, &[BREAK_GLASS, BOB]);
    resource(&mut desired, "policy.a").includes_emergency_access = Some("no".into());
    assert_eq!(
        world.refused(&desired),
        ["`Block` would block every emergency account"]
    );
    // One way in is enough; legacy clients are no way in.
    for object in [
        with(block("Block"), NOT_USERS, [Reference::id(Target::User, BOB)]),
        policy(
            "Block",
            json!({ "grantControls": { "builtInControls": ["block"] },
                "conditions": { "clientAppTypes": ["other", "exchangeActiveSync"] } }),
        ),
    ] {
        resource(&mut desired, "policy.a").object = object;
        world.plan(&desired);
    }
    // Somebody else's is pointed out.
    world.put(&block("Theirs"));
    let mut nothing = configuration([]);
    emergency(&mut nothing, &[BREAK_GLASS]);
    let plan = world.plan(&nothing);
    assert_eq!(
        plan.notes[0].message,
        "`Theirs` may block every emergency account"
    );
}

#[test]
fn nobody_locks_themselves_out() {
    let mut world = World::new();
    world.live.signed_in = Some(SignedIn {
        kind: SignedInKind::User,
        object_id: ADA.into(),
        name: "ada@contoso.com".into(),
    });
    let mut desired = configuration([("policy.a", block("Block"))]);
    emergency(&mut desired, &[BREAK_GLASS]);
    assert_eq!(
        world.refused(&desired),
        ["`Block` would block `ada@contoso.com`, as which this run is signed in"]
    );
    resource(&mut desired, "policy.a").object = with(block("Block"), LOCATIONS, [Reference::keyword("All")]);
    resource(&mut desired, "policy.a").object = with(
        resource(&mut desired, "policy.a").object.clone(),
        NOT_LOCATIONS,
        [Reference::keyword("AllTrusted")],
    );
    world.plan(&desired);
}

#[test]
fn what_is_known_to_be_refused_is_refused_before_anything_is_sent() {
    let mut world = World::new();
    world.live.security_defaults_enabled = Some(true);
    world.live.licences.p2 = Some(false);
    let risky = policy("A", json!({ "conditions": { "signInRiskLevels": ["high"] } }));
    assert_eq!(
        world.refused(&configuration([("policy.a", risky.clone())])),
        [
            "a sign-in risk condition needs Microsoft Entra ID P2, which the tenant does not have",
            "security defaults are on, so the service refuses every enabled policy"
        ]
    );
    let mut small = options();
    small.limits.policies = 1;
    world.live.security_defaults_enabled = None;
    world.put(&policy("Theirs", json!({ "state": "disabled" })));
    world.put(&policy("Microsoft-managed: x", json!({})));
    assert_eq!(
        world.refused_with(&configuration([("policy.a", policy("A", json!({})))]), &small),
        ["the tenant would hold 2 policies; the service allows 1"]
    );
    let both = policy(
        "A",
        json!({ "grantControls": { "builtInControls": ["block", "mfa"] } }),
    );
    assert_eq!(
        world.refused(&configuration([("policy.a", both)])),
        ["`block` stands beside other controls"]
    );
}

#[test]
fn an_emergency_group_of_this_configuration_is_filled_before_policies_rely_on_it() {
    let mut world = World::new();
    let mut desired = configuration([
        (
            "group.glass",
            group("Glass", Some(vec![Reference::id(Target::User, BREAK_GLASS)])),
        ),
        ("policy.a", policy("A", json!({}))),
    ]);
    emergency(&mut desired, &[]);
    desired.emergency_access.as_mut().unwrap().groups = vec![managed(Target::Group, "group.glass")];
    let plan = world.apply(&desired);
    assert_eq!(
        acts(&plan),
        ["create group.glass", "add members group.glass", "create policy.a"]
    );
    let policy = plan.steps.last().unwrap();
    assert_eq!(policy.after, [plan.steps[1].id]);
}
