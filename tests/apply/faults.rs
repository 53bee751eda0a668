//! Bad days: lost answers, fresh objects that nobody sees, refusals, throttling, Ctrl-C.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use capol::apply::{ApplyError, Event, StepResult};
use capol::ops::workspace::WorkError;
use capol::plan::Why;
use capol::sandbox::{Effect, Faults, Kind, RetryAfter, Rule, When};
use serde_json::json;

use crate::world::World;

pub(super) const POLICY: &str = "policy \"p\" {\n  name = \"P\"\n  state = report_only\n  users { include = [all] }\n  apps { include = [all] }\n  grant = mfa\n}\n";
const LOCATION: &str =
    "location \"l\" {\n  name = \"L\"\n  ip_ranges = [\"203.0.113.0/24\"]\n  trusted = true\n}\n";
const STRENGTH: &str = "strength \"s\" {\n  name = \"S\"\n  combinations = [fido2]\n}\n";
const CONTEXT: &str = "context \"c\" {\n  id = \"c42\"\n  name = \"C\"\n}\n";
const GROUP: &str = "group \"g\" {\n  managed = true\n  name = \"G\"\n  members = [user(\"ada@contoso.com\"), user(\"alan@contoso.com\")]\n}\n";

fn cases() -> [(&'static str, Kind, &'static str, &'static str); 5] {
    [
        (POLICY, Kind::Policies, "Access/policies", "P"),
        (LOCATION, Kind::NamedLocations, "/namedLocations", "L"),
        (STRENGTH, Kind::AuthenticationStrengths, "StrengthPolicies", "S"),
        (CONTEXT, Kind::AuthenticationContexts, "ClassReferences", "C"),
        (GROUP, Kind::Groups, "/groups", "G"),
    ]
}

/// Ways in which the answer to a write that was carried out is lost.
const LOST: [Effect; 4] = [
    Effect::Drop { commit: true },
    Effect::Fail {
        status: 504,
        commit: true,
    },
    Effect::Fail {
        status: 500,
        commit: true,
    },
    Effect::Fail {
        status: 503,
        commit: true,
    },
];

pub(super) fn write(path: &str, when: When, effect: Effect) -> Faults {
    // Contexts are made by PATCH, everything else by POST.
    let method = if path == "ClassReferences" {
        "PATCH"
    } else {
        "POST"
    };
    Faults::none().with(Rule::new(when, effect).method(method).path(path))
}

fn count(world: &World, kind: Kind, name: &str) -> usize {
    world.names(kind).iter().filter(|found| *found == name).count()
}

#[tokio::test]
async fn a_lost_answer_to_a_create_is_found_again_and_never_made_twice() {
    for (text, kind, path, name) in cases() {
        for effect in LOST {
            for hidden in [0, 5] {
                let world = World::with(text).await;
                world.faults(write(path, When::Only(1), effect.clone()).hiding_new_for(hidden));
                world.settle().await;
                assert_eq!(count(&world, kind, name), 1, "{name} {effect:?} {hidden}");
                assert!(world.journal().is_none(), "{name} {effect:?} {hidden}");
            }
        }
    }
}

#[tokio::test]
async fn a_lost_answer_to_any_other_write_is_found_again() {
    let first = format!("{LOCATION}{STRENGTH}{GROUP}{POLICY}{CONTEXT}");
    let second = first
        .replace("report_only", "disabled")
        .replace("203.0.113", "198.51.100")
        .replace("[fido2]", "[fido2, email]\n  description = \"x\"")
        .replace("email", "x509_multi_factor")
        .replace("user(\"alan@contoso.com\")", "user(\"grace@contoso.com\")")
        .replace("\"C\"", "\"Changed\"");
    for effect in LOST {
        for method in ["PATCH", "POST", "DELETE"] {
            let world = World::with(&first).await;
            world.settle().await;
            world.faults(Faults::none().with(Rule::new(When::Every(2), effect.clone()).method(method)));
            world.becomes(&second).await;
            world.becomes("").await;
            assert!(
                world.objects(Kind::NamedLocations).is_empty(),
                "{effect:?} {method}"
            );
            assert!(world.objects(Kind::Policies).is_empty(), "{effect:?} {method}");
        }
    }
}

#[tokio::test]
async fn a_create_that_never_arrived_is_made_again_after_the_lag_and_not_before() {
    for (text, kind, path, name) in cases() {
        if kind == Kind::AuthenticationContexts {
            continue; // its id is chosen, so sending it twice makes one
        }
        for effect in [
            Effect::Drop { commit: false },
            Effect::Fail {
                status: 504,
                commit: false,
            },
        ] {
            let world = World::with(text).await;
            world.faults(write(path, When::Only(1), effect.clone()));
            let done = world.apply().await.unwrap();
            assert!(!done.applied.is_complete());
            assert_eq!(
                done.addresses(|result| matches!(result, StepResult::Unknown { .. }))
                    .len(),
                1
            );
            assert!(world.journal().is_some());
            world.wait(10);
            let held = world.plan().await.unwrap().held;
            assert!(matches!(held[0].why, Why::Unknown { .. }), "{name}: {held:?}");
            let again = world.apply().await.unwrap();
            assert_eq!(again.plan.held, held, "{name}");
            assert!(!again.applied.is_complete());
            assert_eq!(count(&world, kind, name), 0);
            world.wait(6);
            world.settle().await;
            assert_eq!(count(&world, kind, name), 1, "{name} {effect:?}");
        }
    }
}

#[tokio::test]
async fn what_the_service_hides_for_long_is_adopted_when_it_shows() {
    let mut world = World::with(POLICY).await;
    world.patience = 2;
    world.faults(write("Access/policies", When::Only(1), Effect::Drop { commit: true }).hiding_new_for(40));
    assert!(!world.apply().await.unwrap().applied.is_complete());
    assert_eq!(world.plan().await.unwrap().held.len(), 1);
    for _ in 0..40 {
        world.connect().await;
    }
    world.settle().await;
    assert_eq!(world.names(Kind::Policies), ["P"]);
}

#[tokio::test]
async fn two_objects_that_could_be_the_lost_one_are_an_error_that_names_both() {
    let world = World::with(POLICY).await;
    world.faults(write("Access/policies", When::Only(1), Effect::Drop { commit: true }).hiding_new_for(20));
    let mut quick = world;
    quick.patience = 1;
    quick.apply().await.unwrap();
    let world = quick;
    world.faults(Faults::none());
    for _ in 0..20 {
        world.connect().await;
    }
    let mut twin = world.objects(Kind::Policies).remove(0);
    let first = twin["id"].as_str().unwrap().to_owned();
    twin["id"] = json!("aaaaaaaa-0000-4000-8000-000000000001");
    world
        .sandbox
        .with_tenant(|tenant| tenant.insert(Kind::Policies, twin));
    match world.apply().await.err().unwrap() {
        WorkError::Apply(ApplyError::AmbiguousCreate { address, mut ids }) => {
            ids.sort();
            let mut both = vec![first, "aaaaaaaa-0000-4000-8000-000000000001".to_owned()];
            both.sort();
            assert_eq!((address.as_str(), ids), ("policy.p", both));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(world.names(Kind::Policies).len(), 2);
    let connection = world.connect().await;
    let twin = "aaaaaaaa-0000-4000-8000-000000000001";
    connection
        .graph
        .delete(
            capol::graph::Collection::Policies,
            capol::graph::Version::V1,
            twin,
        )
        .await
        .unwrap();
    world.settle().await;
    assert_eq!(world.names(Kind::Policies), ["P"]);
}

#[tokio::test]
async fn twins_whose_answers_are_lost_become_two_objects() {
    let twin = POLICY.replace("policy \"p\"", "policy \"q\"");
    for hidden in [0, 6] {
        let world = World::with(&(POLICY.to_owned() + &twin)).await;
        world.faults(
            write("Access/policies", When::First(2), Effect::Drop { commit: true }).hiding_new_for(hidden),
        );
        world.settle().await;
        assert_eq!(world.names(Kind::Policies), ["P", "P"]);
        assert_ne!(world.id("policy.p").await, world.id("policy.q").await);
    }
}

#[tokio::test]
async fn an_older_object_that_looks_the_same_is_never_taken_for_the_new_one() {
    for (text, kind, path, name) in cases() {
        if kind == Kind::AuthenticationStrengths || kind == Kind::AuthenticationContexts {
            continue; // no two of them have one name, or one id
        }
        let world = World::with(text).await;
        world.settle().await;
        let old = world
            .objects(kind)
            .into_iter()
            .find(|object| object["displayName"] == json!(name));
        let old = old.unwrap()["id"].clone();
        // The project forgets it and makes another.
        let address = text.split('"').nth(1).unwrap();
        let block = text.split(' ').next().unwrap();
        world
            .becomes(&format!("removed {{ from = {block}.{address} }}\n"))
            .await;
        world.faults(write(path, When::Only(1), Effect::Drop { commit: true }));
        world.becomes(text).await;
        assert_eq!(count(&world, kind, name), 2, "{name}");
        assert_ne!(
            json!(world.id(&format!("{block}.{address}")).await),
            old,
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_refers_to_a_fresh_object_waits_until_the_service_sees_it() {
    let policy = POLICY.replace(
        "grant = mfa",
        "locations { include = [all], exclude = [location.l] }\n  grant = strength.s",
    );
    let policy = policy.replace("include = [all] }\n  apps", "include = [group.g] }\n  apps");
    let text = format!("{policy}{LOCATION}{STRENGTH}{GROUP}");
    for hidden in [1, 4, 9] {
        let world = World::with(&text).await;
        world.faults(Faults::none().hiding_new_for(hidden));
        world.settle().await;
        assert_eq!(world.names(Kind::Policies), ["P"]);
        assert_eq!(world.names(Kind::NamedLocations), ["L"]);
    }
}

#[tokio::test]
async fn a_reference_that_stays_unknown_fails_its_policy_alone() {
    let policy = POLICY.replace(
        "grant",
        "locations { include = [all], exclude = [location.l] }\n  grant",
    );
    let world = World::with(&format!("{policy}{LOCATION}{STRENGTH}")).await;
    let refusal = Effect::Fail {
        status: 404,
        commit: false,
    };
    world.faults(
        Faults::none().with(
            Rule::new(When::Always, refusal)
                .method("POST")
                .path("Access/policies"),
        ),
    );
    let done = world.apply().await.unwrap();
    assert_eq!(
        done.addresses(|result| matches!(result, StepResult::Failed { .. })),
        ["policy.p"]
    );
    assert_eq!(
        done.addresses(|result| matches!(result, StepResult::Done { .. }))
            .len(),
        2
    );
    let waited = world
        .ears
        .heard()
        .iter()
        .any(|event| matches!(event, Event::StepWaiting { .. }));
    assert!(waited);
    world.faults(Faults::none());
    world.settle().await;
}

#[tokio::test]
async fn reads_that_flap_after_the_writes_are_read_again() {
    for effect in [
        Effect::Fail {
            status: 404,
            commit: false,
        },
        Effect::Fail {
            status: 500,
            commit: false,
        },
        Effect::Drop { commit: false },
        Effect::Throttle { retry_after: None },
    ] {
        let world = Arc::new(World::with(&format!("{POLICY}{LOCATION}{GROUP}")).await);
        let inside = Arc::downgrade(&world);
        world.ears.react(move |event| {
            if matches!(event, Event::ReadingBack) {
                let rule = Rule::new(When::First(3), effect.clone()).method("GET");
                inside.upgrade().unwrap().faults(Faults::none().with(rule));
            }
        });
        world.settle().await;
    }
}

#[tokio::test]
async fn a_failed_branch_does_not_stop_the_others() {
    let policy = POLICY.replace(
        "grant",
        "locations { include = [all], exclude = [location.l] }\n  grant",
    );
    let other = POLICY
        .replace("policy \"p\"", "policy \"q\"")
        .replace("\"P\"", "\"Q\"");
    for fail_fast in [false, true] {
        let mut world = World::with(&format!("{policy}{LOCATION}{other}")).await;
        world.fail_fast = fail_fast;
        world.parallelism = 1;
        let refusal = Effect::Fail {
            status: 400,
            commit: false,
        };
        world.faults(write("/namedLocations", When::Always, refusal));
        let done = world.apply().await.unwrap();
        assert!(!done.applied.is_complete() && done.applied.failure.is_none());
        assert_eq!(
            done.addresses(|result| matches!(result, StepResult::Failed { .. })),
            ["location.l"]
        );
        let skipped = done.addresses(|result| matches!(result, StepResult::Skipped { .. }));
        let expected: &[&str] = if fail_fast {
            &["policy.p", "policy.q"]
        } else {
            &["policy.p"]
        };
        let mut skipped = skipped;
        skipped.sort();
        assert_eq!(skipped, expected);
        world.faults(Faults::none());
        world.settle().await;
        assert_eq!(world.names(Kind::Policies), ["P", "Q"]);
    }
}

#[tokio::test]
async fn the_word_to_stop_lets_the_write_under_way_finish() {
    let other = POLICY
        .replace("policy \"p\"", "policy \"q\"")
        .replace("\"P\"", "\"Q\"");
    let mut world = World::with(&format!("{POLICY}{other}{LOCATION}")).await;
    world.parallelism = 1;
    let stop = Arc::clone(&world.stop);
    world.ears.react(move |event| {
        if matches!(event, Event::StepStarted { .. }) {
            stop.store(true, Ordering::SeqCst);
        }
    });
    let done = world.apply().await.unwrap();
    assert!(done.applied.interrupted && !done.applied.is_complete());
    assert_eq!(
        done.addresses(|result| matches!(result, StepResult::Done { .. }))
            .len(),
        1
    );
    assert_eq!(world.state().await.resources.len(), 1);
    assert!(world.journal().is_none());
    world.ears.react(|_| {});
    world.stop.store(false, Ordering::SeqCst);
    let plan = world.settle().await;
    assert_eq!(plan.verdict.create, 2);
}

#[tokio::test]
async fn throttling_slows_and_loses_nothing() {
    let world = World::with(&format!("{POLICY}{LOCATION}{STRENGTH}{GROUP}{CONTEXT}")).await;
    world.faults(Faults::none().with(Rule::new(
        When::Every(3),
        Effect::Throttle {
            retry_after: Some(RetryAfter::Seconds(0)),
        },
    )));
    world.settle().await;
    world.becomes("").await;
}

#[tokio::test]
async fn a_half_made_change_shows_in_the_next_plan_also_when_the_text_goes_back() {
    let first = "strength \"s\" {\n  name = \"S\"\n  combinations = [fido2]\n}\n";
    let second = "strength \"s\" {\n  name = \"S\"\n  combinations = [fido2, x509_multi_factor]\n  configurations {\n    fido2 {\n      applies_to = [fido2]\n      allowed_aaguids = [\"de1e552d-db1d-4423-a619-566b625cdc84\"]\n    }\n  }\n}\n";
    for back in [true, false] {
        let world = World::with(first).await;
        world.settle().await;
        world.write(second);
        let refusal = Effect::Fail {
            status: 400,
            commit: false,
        };
        world.faults(write("combinationConfigurations", When::Always, refusal));
        assert!(!world.apply().await.unwrap().applied.is_complete());
        world.faults(Faults::none());
        let plan = world.becomes(if back { first } else { second }).await;
        assert!(plan.verdict.has_changes(), "{back}");
    }
}

#[tokio::test]
async fn what_a_replacement_leaves_behind_is_deleted_by_the_next_run() {
    let policy = POLICY.replace(
        "grant",
        "locations { include = [all], exclude = [location.l] }\n  grant",
    );
    let world = World::with(&format!("{policy}{LOCATION}")).await;
    world.settle().await;
    world.write(&format!(
        "{policy}location \"l\" {{\n  name = \"L\"\n  countries = [\"DK\"]\n}}\n"
    ));
    let refusal = Effect::Fail {
        status: 403,
        commit: false,
    };
    world.faults(Faults::none().with(Rule::new(When::Always, refusal).method("DELETE")));
    let done = world.apply().await.unwrap();
    assert!(!done.applied.is_complete());
    assert_eq!(world.names(Kind::NamedLocations), ["L", "L"]);
    assert_eq!(world.state().await.resources.len(), 3);
    world.faults(Faults::none());
    let plan = world.settle().await;
    assert_eq!((plan.verdict.delete, plan.verdict.create), (1, 0));
    assert_eq!(world.names(Kind::NamedLocations), ["L"]);
    assert_eq!(world.state().await.resources.len(), 2);
}
