//! What Terraform with the azuread provider did not survive, row by row; and what capol promises beside.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use capol::apply::StepResult;
use capol::graph::Pace;
use capol::ops::workspace::{Moved, WorkError};
use capol::plan::Why;
use capol::sandbox::{Bucket, Effect, Faults, Kind, Rule, Tenant, TokenEnd, Visibility, When};
use serde_json::json;
use tokio::time::Instant;

use super::invariants::Watcher;
use super::spec::{Block, Spec};
use super::stage::{Command, Ended, Fate, Moment, Stage, addresses};
use crate::in_memory::in_virtual_time;

fn policies(count: u8) -> Spec {
    (0..count).fold(Spec::default(), |spec, number| {
        spec.with(&format!("p{number}"), policy(number, 0))
    })
}

fn policy(number: u8, state: u8) -> Block {
    Block::Policy {
        name: format!("P{number}"),
        state,
        location: None,
        strength: None,
        group: None,
        context: None,
        hours: 0,
    }
}

/// Every kind of object, and policies that refer to them.
fn estate() -> Spec {
    let mut spec = policies(8)
        .with(
            "l",
            Block::Ranges {
                name: "L".to_owned(),
                ranges: 1,
                trusted: true,
            },
        )
        .with(
            "s",
            Block::Strength {
                name: "S".to_owned(),
                combinations: 1,
                keys: 1,
            },
        )
        .with(
            "c",
            Block::Context {
                name: "C".to_owned(),
                available: true,
            },
        )
        .with(
            "g",
            Block::Group {
                name: "G".to_owned(),
                members: BTreeSet::from([0, 1]),
            },
        );
    for number in [1, 4] {
        spec = spec.with(
            &format!("p{number}"),
            Block::Policy {
                name: format!("P{number}"),
                state: 0,
                location: Some("location.l".to_owned()),
                strength: Some("strength.s".to_owned()),
                group: Some("group.g".to_owned()),
                context: Some("context.c".to_owned()),
                hours: 0,
            },
        );
    }
    spec
}

fn every_third_post(effect: Effect) -> Faults {
    Faults::none().with(Rule::new(When::Every(3), effect).method("POST"))
}

/// Applies under faults, then without: nothing is there twice, and nothing is missing.
fn survives(faults: Faults) {
    survives_on(Tenant::contoso(), faults);
}

fn survives_on(tenant: Tenant, faults: Faults) {
    in_virtual_time(async {
        let stage = Stage::of(tenant);
        let mut watcher = Watcher::new(&stage);
        let spec = estate();
        stage.write(&spec.text());
        stage.faults(faults);
        let ran = stage.apply().await;
        assert_eq!(watcher.check(&stage, &spec, &ran), [""; 0]);
        stage.faults(Faults::none());
        stage.wait(16).await;
        let ran = stage.apply().await;
        assert!(ran.is_complete());
        assert_eq!(watcher.check(&stage, &spec, &ran), [""; 0]);
        stage.settle().await;
    });
}

#[test]
fn lists_of_many_pages_are_read_to_their_end() {
    let mut tenant = Tenant::contoso();
    tenant.settings.largest_page = 2;
    survives_on(
        tenant,
        every_third_post(Effect::Gateway {
            status: 504,
            commit: true,
        }),
    );
}

#[test]
fn the_answer_to_every_third_post_lost_by_504() {
    survives(every_third_post(Effect::Gateway {
        status: 504,
        commit: true,
    }));
}

#[test]
fn the_answer_to_every_third_post_lost_by_reset() {
    survives(every_third_post(Effect::Drop { commit: true }));
}

#[test]
fn a_new_object_is_404_on_its_first_reads_and_missing_from_lists() {
    let hidden = |seconds| Visibility {
        unreadable: Duration::from_secs(seconds),
        unlisted: Duration::from_secs(seconds),
        unusable: Duration::from_secs(seconds / 2),
        ..Visibility::default()
    };
    for seconds in [2, 20, 90] {
        survives(Faults::none().visibility(hidden(seconds)));
        survives(every_third_post(Effect::Drop { commit: true }).visibility(hidden(seconds)));
    }
}

#[test]
fn a_reference_to_a_new_object_is_waited_for() {
    in_virtual_time(async {
        let stage = Stage::new();
        stage.write(&estate().text());
        stage.faults(Faults::none().visibility(Visibility {
            unusable: Duration::from_secs(10),
            ..Visibility::default()
        }));
        assert!(stage.apply().await.is_complete());
        stage.settle().await;
    });
}

#[test]
fn a_change_whose_answer_was_lost_is_looked_for_until_reads_show_it() {
    in_virtual_time(async {
        let stage = Stage::new();
        let mut spec = policies(1);
        stage.write(&spec.text());
        assert!(stage.apply().await.is_complete());
        spec = spec.with("p0", policy(0, 2));
        stage.write(&spec.text());
        let lost = |nth| {
            Rule::new(When::Only(nth), Effect::Drop { commit: true })
                .method("PATCH")
                .path("Access/policies")
        };
        // As often as the client sends it.
        let lost = (1..=6).map(lost).fold(Faults::none(), Faults::with);
        stage.faults(lost.visibility(Visibility {
            reads_behind: Duration::from_secs(15),
            lists_behind: Duration::from_secs(15),
            ..Visibility::default()
        }));
        assert!(stage.apply().await.is_complete());
        stage.faults(Faults::none());
        stage.settle().await;
    });
}

#[test]
fn reads_flap_between_old_and_new_for_twenty_seconds() {
    let flapping = Visibility {
        flapping: Duration::from_secs(20),
        ..Visibility::default()
    };
    survives(Faults::none().visibility(flapping));
    survives(every_third_post(Effect::Drop { commit: true }).visibility(flapping));
    // A change is neither believed missing nor seen where it is not.
    in_virtual_time(async {
        let stage = Stage::new();
        let mut spec = estate();
        stage.write(&spec.text());
        stage.settle().await;
        stage.wait(16).await;
        for number in 0..8 {
            spec = spec.with(&format!("p{number}"), policy(number, 1));
        }
        stage.write(&spec.text());
        stage.faults(Faults::none().visibility(flapping));
        let done = stage.apply().await.done();
        assert!(done.is_complete(), "{:#?}", done.applied);
        let again = stage.apply().await.done();
        assert!(!again.plan.verdict.has_changes(), "{:#?}", again.plan.changes);
    });
}

#[test]
fn a_404_on_what_exists_makes_nothing_again() {
    // Each read of a later plan in turn is answered with 404, or every one of an object's own.
    for nth in 1..16 {
        in_virtual_time(async {
            let stage = Stage::new();
            let mut watcher = Watcher::new(&stage);
            let spec = estate();
            stage.write(&spec.text());
            stage.settle().await;
            stage.wait(16).await;
            let phantom = Effect::Fail {
                status: 404,
                commit: false,
            };
            stage.faults(Faults::none().with(Rule::new(When::Only(nth), phantom)));
            let ran = stage.apply().await;
            assert_eq!(watcher.check(&stage, &spec, &ran), [""; 0], "{nth}");
            assert!(ran.sent.iter().all(|sent| !sent.is_write()), "{nth}");
            stage.faults(Faults::none());
            let ran = stage.apply().await;
            assert!(ran.is_complete());
            assert_eq!(watcher.check(&stage, &spec, &ran), [""; 0], "{nth}");
        });
    }
}

#[test]
fn ctrl_c_at_any_request_loses_nothing() {
    for number in 0..40 {
        in_virtual_time(async {
            let stage = Stage::new();
            let mut watcher = Watcher::new(&stage);
            let spec = estate();
            stage.write(&spec.text());
            stage.faults(Faults::none().latency(Duration::from_millis(300), Duration::from_millis(500)));
            let fate = Fate {
                stop: Some(Moment::Number(number)),
                ..Fate::default()
            };
            let ran = stage.meet(Command::apply(), fate).await;
            assert_eq!(watcher.check(&stage, &spec, &ran), [""; 0], "{number}");
            let ran = stage.apply().await;
            assert!(ran.is_complete(), "{number}");
            assert_eq!(watcher.check(&stage, &spec, &ran), [""; 0], "{number}");
        });
    }
}

#[test]
fn one_request_a_second_is_enough_for_a_hundred_creates() {
    for told in [None, Some(capol::sandbox::RetryAfter::Seconds(10))] {
        in_virtual_time(async {
            let mut stage = Stage::new();
            stage.pace = Pace::SERVICE;
            let mut watcher = Watcher::new(&stage);
            let spec = policies(100);
            stage.write(&spec.text());
            let bucket = Bucket::new(Duration::from_secs(1), 1, told.clone());
            stage.faults(Faults::none().limit(bucket));
            let begin = Instant::now();
            let ran = stage.apply().await;
            let took = begin.elapsed().as_secs();
            let requests = ran
                .sent
                .iter()
                .filter(|sent| sent.path.contains("/identity/conditionalAccess/"))
                .count();
            assert!(ran.is_complete());
            assert_eq!(watcher.check(&stage, &spec, &ran), [""; 0]);
            println!("100 creates: {requests} Conditional Access requests in {took} s");
            assert!(requests <= 110 && took <= 122, "{requests} requests in {took} s");
            let ran = stage.apply().await;
            assert!(ran.is_complete());
            assert_eq!(watcher.check(&stage, &spec, &ran), [""; 0]);
        });
    }
}

/// Somebody excludes a user from a policy.
fn exclude(name: &'static str) -> super::stage::Doing {
    Arc::new(move |tenant: &mut Tenant| {
        let mut object = tenant
            .objects(Kind::Policies)
            .find(|object| object["displayName"] == json!(name))
            .unwrap()
            .clone();
        object["conditions"]["users"]["excludeUsers"] = json!(["6c1f8e4a-0000-4000-8000-000000000001"]);
        object["modifiedDateTime"] = json!("2026-03-01T23:00:00Z");
        tenant.insert(Kind::Policies, object);
    })
}

fn excluded(stage: &Stage, name: &str) -> usize {
    let policies = stage.objects(Kind::Policies);
    let policy = policies
        .iter()
        .find(|object| object["displayName"] == json!(name))
        .unwrap();
    policy["conditions"]["users"]["excludeUsers"]
        .as_array()
        .map_or(0, Vec::len)
}

/// A project whose policies shall all be disabled; what is planned and not applied yet.
async fn disabling(stage: &Stage, count: u8) -> (Spec, capol::plan::Plan) {
    let before = policies(count);
    stage.write(&before.text());
    stage.settle().await;
    stage.wait(16).await;
    let after = (0..count).fold(Spec::default(), |spec, number| {
        spec.with(
            &format!("p{number}"),
            Block::Policy {
                name: format!("P{number}"),
                state: 1,
                location: None,
                strength: None,
                group: None,
                context: None,
                hours: 4,
            },
        )
    });
    stage.write(&after.text());
    let plan = stage.plan().await;
    (after, plan)
}

#[test]
fn an_exclusion_added_between_a_saved_plan_and_its_apply_is_not_wiped() {
    in_virtual_time(async {
        let mut stage = Stage::new();
        let (_, plan) = disabling(&stage, 4).await;
        stage.tenant.with_tenant(|tenant| exclude("P2")(tenant));
        match stage.run(Command::Saved(Box::new(plan.clone()))).await.refused() {
            WorkError::Stale { reasons } => {
                let said: Vec<String> = reasons.iter().map(ToString::to_string).collect();
                assert_eq!(said, ["the policy `P2` was changed since"]);
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(excluded(&stage, "P2"), 1);
        // Asked to, it does the rest.
        stage.moved = Moved::Skip;
        let done = stage.run(Command::Saved(Box::new(plan))).await.done();
        assert!(!done.is_complete());
        let held: Vec<(String, &Why)> = done
            .plan
            .held
            .iter()
            .map(|held| (held.address.to_string(), &held.why))
            .collect();
        assert_eq!(held, [("policy.p2".to_owned(), &Why::Changed)]);
        assert_eq!(
            addresses(&done, |result| matches!(result, StepResult::Done { .. })).len(),
            3
        );
        assert_eq!(excluded(&stage, "P2"), 1);
        let states: Vec<_> = stage
            .objects(Kind::Policies)
            .into_iter()
            .map(|object| object["state"].clone())
            .collect();
        assert_eq!(
            states.iter().filter(|state| **state == json!("disabled")).count(),
            3
        );
    });
}

#[test]
fn an_edit_during_a_long_apply_is_not_overwritten_and_the_others_go_on() {
    for at in [14, 20, 30] {
        in_virtual_time(async {
            let mut stage = Stage::new();
            let (after, plan) = disabling(&stage, 60).await;
            stage.pace = Pace::SERVICE;
            let fate = Fate {
                edits: vec![(Moment::Number(at), exclude("P55"))],
                ..Fate::default()
            };
            let ran = stage.meet(Command::Saved(Box::new(plan)), fate).await;
            let requests = ran
                .sent
                .iter()
                .filter(|sent| sent.path.contains("/identity/conditionalAccess/"))
                .count();
            println!("60 updates: {requests} Conditional Access requests");
            assert!(requests <= 60 + 2 * 2 + 7, "{requests}");
            let done = ran.done();
            assert!(!done.is_complete());
            assert_eq!(
                addresses(&done, |result| matches!(result, StepResult::Failed { .. })),
                ["policy.p55"]
            );
            assert_eq!(
                addresses(&done, |result| matches!(result, StepResult::Done { .. })).len(),
                59
            );
            assert_eq!(excluded(&stage, "P55"), 1);
            // The next plan shows the edit, and then it may be put back.
            stage.pace = Pace::UNLIMITED;
            stage.write(&after.text());
            let plan = stage.plan().await;
            assert_eq!(plan.verdict.update, 1);
            stage.settle().await;
        });
    }
}

#[test]
fn tokens_revoked_in_mid_apply_are_fetched_anew() {
    for end in [TokenEnd::Expired, TokenEnd::Revoked] {
        for nth in [1, 8, 14, 20] {
            in_virtual_time(async {
                let stage = Stage::new();
                let mut watcher = Watcher::new(&stage);
                let spec = estate();
                stage.write(&spec.text());
                stage.faults(Faults::none().with(Rule::new(When::Only(nth), Effect::EndTokens(end))));
                let ran = stage.apply().await;
                assert!(ran.is_complete(), "{nth}");
                assert_eq!(watcher.check(&stage, &spec, &ran), [""; 0], "{nth}");
            });
        }
    }
}

#[test]
fn a_create_that_nobody_knows_of_holds_up_only_what_needs_it() {
    in_virtual_time(async {
        let mut stage = Stage::new();
        stage.parallelism = 1;
        let mut watcher = Watcher::new(&stage);
        let spec = estate();
        stage.write(&spec.text());
        // The process dies as the location's create leaves.
        let look = {
            let mut dry = Stage::new();
            dry.parallelism = 1;
            dry.write(&spec.text());
            dry.apply().await
        };
        let number = look
            .sent
            .iter()
            .position(|sent| sent.method == "POST" && sent.path.ends_with("namedLocations"))
            .unwrap();
        let fate = Fate {
            death: Some((Moment::Number(number), false)),
            ..Fate::default()
        };
        assert!(matches!(
            stage.meet(Command::apply(), fate).await.ended,
            Ended::Killed
        ));
        let begin = Instant::now();
        let plan = stage.plan().await;
        assert!(begin.elapsed() < Duration::from_mins(1), "a plan does not wait");
        let held: Vec<String> = plan.held.iter().map(|held| held.address.to_string()).collect();
        assert_eq!(held, ["location.l", "policy.p1", "policy.p4"]);
        let said = plan.held[0].why.sentence();
        assert!(
            said.contains("09:15:0") && said.contains("visibility_lag"),
            "{said}"
        );
        let ran = stage.apply().await;
        assert_eq!(watcher.check(&stage, &spec, &ran), [""; 0]);
        assert!(!ran.is_complete());
        let done = ran.done();
        assert!(done.applied.as_ref().unwrap().is_done());
        assert_eq!(done.plan.held.len(), 3);
        // Until then nothing more can be done; then it is.
        let ran = stage.apply().await;
        assert!(!ran.is_complete() && !ran.sent.iter().any(super::stage::Sent::is_write));
        stage.wait(16).await;
        let ran = stage.apply().await;
        assert_eq!(watcher.check(&stage, &spec, &ran), [""; 0]);
        assert!(ran.is_complete());
        stage.settle().await;
    });
}

#[test]
fn a_create_that_arrives_late_is_taken_over_and_not_repeated() {
    in_virtual_time(async {
        let stage = Stage::new();
        let mut watcher = Watcher::new(&stage);
        let spec = estate();
        stage.write(&spec.text());
        let late = Effect::CommitLater {
            after: Duration::from_mins(10),
        };
        stage.faults(
            Faults::none().with(
                Rule::new(When::Only(1), late)
                    .method("POST")
                    .path("namedLocations"),
            ),
        );
        let ran = stage.apply().await;
        assert!(!ran.is_complete());
        assert_eq!(watcher.check(&stage, &spec, &ran), [""; 0]);
        stage.wait(11).await;
        let ran = stage.apply().await;
        assert!(ran.is_complete());
        assert_eq!(watcher.check(&stage, &spec, &ran), [""; 0]);
        assert_eq!(stage.names(Kind::NamedLocations), ["L"]);
    });
}

#[test]
fn the_matrix_has_what_no_other_test_plans() {
    super::matrix::keep("estate-made", &Spec::default(), &estate());
    super::matrix::keep("estate-unmade", &estate(), &Spec::default());
    let mut changed = estate()
        .with(
            "l",
            Block::Countries {
                name: "L".to_owned(),
                countries: 1,
            },
        )
        .with(
            "s",
            Block::Strength {
                name: "S anew".to_owned(),
                combinations: 2,
                keys: 2,
            },
        )
        .with(
            "g",
            Block::Group {
                name: "G anew".to_owned(),
                members: BTreeSet::from([1, 2]),
            },
        );
    changed.blocks.remove("context.c");
    let kept = changed.blocks.remove("policy.p2").unwrap();
    changed.blocks.insert("policy.q2".to_owned(), kept);
    changed
        .moved
        .push(("policy.p2".to_owned(), "policy.q2".to_owned()));
    changed.blocks.remove("policy.p3");
    changed.removed.insert("policy.p3".to_owned());
    changed.tidy();
    super::matrix::keep("estate-changed", &estate(), &changed);
    super::matrix::keep("estate-changed-back", &changed, &estate());
}
