//! What else is promised: other people's edits, the number of requests, guards, the pace.

use std::time::Duration;

use capol::graph::Pace;
use capol::ops::workspace::{Narrowing, Supervision, WorkError};
use capol::plan::{Mode, StaleReason};
use capol::sandbox::Kind;
use serde_json::json;

use super::faults::POLICY;
use crate::world::World;

fn policies(count: usize) -> String {
    (0..count)
        .map(|number| {
            POLICY
                .replace("policy \"p\"", &format!("policy \"p{number}\""))
                .replace("\"P\"", &format!("\"P{number}\""))
        })
        .collect()
}

#[tokio::test]
async fn a_saved_plan_is_refused_when_an_object_moved_and_says_which() {
    let world = World::with(POLICY).await;
    world.settle().await;
    world.write(&POLICY.replace("report_only", "disabled"));
    let plan = world.plan().await.unwrap();
    let id = world.id("policy.p").await;
    world.edit(Kind::Policies, &id, |policy| {
        policy["displayName"] = json!("Edited in the portal");
    });
    match world.apply_saved(plan).await.err().unwrap() {
        WorkError::Stale { reasons } => match reasons.as_slice() {
            [StaleReason::Changed(moved)] => {
                assert_eq!(
                    (moved.name.as_str(), moved.id.as_str()),
                    ("Edited in the portal", id.as_str())
                );
            }
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
    assert_eq!(
        world.objects(Kind::Policies)[0]["state"],
        json!("enabledForReportingButNotEnforced")
    );
}

#[tokio::test]
async fn a_saved_plan_is_refused_after_another_apply() {
    let world = World::with(POLICY).await;
    let plan = world.plan().await.unwrap();
    let twice = plan.clone();
    world.apply_saved(plan).await.unwrap().complete();
    let error = world.apply_saved(twice).await.err().unwrap();
    assert!(matches!(error, WorkError::Stale { .. }), "{error:?}");
    assert_eq!(world.names(Kind::Policies), ["P"]);
}

#[tokio::test]
async fn what_others_edit_beside_is_kept() {
    let world = World::with(POLICY).await;
    world.settle().await;
    let id = world.id("policy.p").await;
    world.write(&POLICY.replace("report_only", "disabled"));
    let planned = world.planned(&Narrowing::default()).await.unwrap();
    // Between plan and write somebody narrows the platforms.
    world.edit(Kind::Policies, &id, |policy| {
        policy["conditions"]["platforms"] = json!({"includePlatforms": ["iOS"], "excludePlatforms": []});
    });
    let loaded = world.loaded();
    let workspace = world.workspace(&loaded);
    let connection = world.connect().await;
    let worker = world.worker("apply");
    let guard = workspace.lock(&worker).await.unwrap();
    let applied = workspace
        .apply(
            &connection,
            &guard,
            &planned,
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
    drop(guard);
    assert!(applied.is_done() && !applied.is_complete());
    let policy = world.live(Kind::Policies, "policy.p").await;
    assert_eq!(policy["state"], json!("disabled"));
    assert_eq!(
        policy["conditions"]["platforms"]["includePlatforms"],
        json!(["iOS"])
    );
    // The edit is told, and the next plan shows it as what it is.
    let told: Vec<&str> = applied
        .mismatches
        .iter()
        .map(|mismatch| mismatch.wire.as_str())
        .collect();
    assert_eq!(told, ["conditions.platforms.includePlatforms"]);
    let again = world.plan().await.unwrap();
    assert!(again.verdict.has_changes());
}

#[tokio::test]
async fn the_number_of_requests_does_not_grow_with_the_estate() {
    let mut counts = Vec::new();
    for count in [1, 20, 60] {
        let world = World::with(&policies(count)).await;
        world.requests();
        world.plan().await.unwrap();
        let plan = world.requests().len();
        world.settle().await;
        world.requests();
        let done = world.apply().await.unwrap();
        assert!(!done.plan.verdict.has_changes());
        let nothing = world.requests().len();
        println!("{count} policies: plan of creates {plan} requests, no-op apply {nothing} requests");
        counts.push((plan, nothing));
    }
    assert!(counts.iter().all(|one| one == &counts[0]), "{counts:?}");
    assert!(counts[0].1 <= 12, "{counts:?}");
}

#[tokio::test]
async fn n_creates_take_n_writes_and_two_refreshes() {
    let count = 30;
    let world = World::with(&policies(count)).await;
    world.requests();
    let plan = world.plan().await.unwrap();
    let refresh = world.requests().len();
    let done = world.apply().await.unwrap();
    assert!(done.applied.is_complete());
    let requests = world.requests();
    let writes = requests
        .iter()
        .filter(|request| request.starts_with("POST") && request.ends_with("/policies"))
        .count();
    println!(
        "{count} creates: {writes} writes, {} requests in all, a refresh takes {refresh}",
        requests.len()
    );
    assert_eq!(writes, count);
    assert!(requests.len() <= count + 2 * refresh, "{requests:#?}");
    assert!(
        requests.len() <= usize::try_from(plan.cost.requests).unwrap() + 2,
        "{}",
        plan.cost.requests
    );
    let one_by_one = requests
        .iter()
        .filter(|request| request.starts_with("GET") && request.contains("Access/policies/"))
        .count();
    assert_eq!(one_by_one, 0);
}

#[tokio::test]
async fn at_the_pace_of_the_service_at_most_two_writes_are_under_way() {
    let mut world = World::with(&policies(6)).await;
    world.pace = Pace {
        conditional_access: Some(Duration::from_millis(1)),
        ..Pace::UNLIMITED
    };
    world.settle().await;
    let (mut now, mut most) = (0, 0);
    for event in world.ears.heard() {
        match event {
            capol::apply::Event::StepStarted { .. } => now += 1,
            capol::apply::Event::StepEnded { .. } => now -= 1,
            _ => {}
        }
        most = most.max(now);
    }
    assert_eq!(most, 2);
}

#[tokio::test]
async fn a_guard_outlives_its_block() {
    let guarded = POLICY.replace(
        "grant = mfa",
        "grant = mfa\n  lifecycle {\n    prevent_destroy = true\n    reason = \"the auditors\"\n  }",
    );
    let world = World::with(&guarded).await;
    world.settle().await;
    world.write("");
    let error = world.plan().await.err().unwrap();
    assert!(error.to_string().contains("the auditors") || format!("{error:?}").contains("the auditors"));
    let destroy = Narrowing {
        mode: Mode::Destroy,
        ..Narrowing::default()
    };
    assert!(world.apply_narrowed(&destroy).await.is_err());
    world.requests();
    let plan = world.becomes(POLICY).await;
    assert_eq!(plan.verdict.guards, 1);
    assert_eq!(world.writes(), Vec::<String>::new());
    world.becomes("").await;
    assert!(world.objects(Kind::Policies).is_empty());
}

#[tokio::test]
async fn destroy_removes_everything_managed_and_nothing_else() {
    let world = World::with(&std::fs::read_to_string("examples/quickstart/main.capol").unwrap()).await;
    std::fs::remove_file(world.path("settings.capol")).unwrap();
    world.settle().await;
    let groups = world.names(Kind::Groups).len();
    let destroy = Narrowing {
        mode: Mode::Destroy,
        ..Narrowing::default()
    };
    world.apply_narrowed(&destroy).await.unwrap().complete();
    assert!(world.objects(Kind::Policies).is_empty() && world.objects(Kind::NamedLocations).is_empty());
    assert_eq!(world.names(Kind::Groups).len(), groups);
    assert!(world.state().await.resources.is_empty());
}

#[tokio::test]
async fn drift_is_taken_back_and_refresh_only_takes_it_down() {
    let world = World::with(POLICY).await;
    world.settle().await;
    let id = world.id("policy.p").await;
    world.edit(Kind::Policies, &id, |policy| policy["state"] = json!("disabled"));
    let plan = world.settle().await;
    assert_eq!(plan.verdict.update, 1);
    assert_eq!(
        world.live(Kind::Policies, "policy.p").await["state"],
        json!("enabledForReportingButNotEnforced")
    );
    world.edit(Kind::Policies, &id, |policy| policy["state"] = json!("disabled"));
    world.requests();
    let refresh = Narrowing {
        mode: Mode::RefreshOnly,
        ..Narrowing::default()
    };
    world.apply_narrowed(&refresh).await.unwrap().complete();
    assert_eq!(world.writes(), Vec::<String>::new());
    let plan = world.settle().await;
    assert_eq!(plan.verdict.update, 1);
}

#[tokio::test]
async fn an_object_deleted_in_the_portal_comes_back() {
    let world = World::with(POLICY).await;
    world.settle().await;
    let id = world.id("policy.p").await;
    let connection = world.connect().await;
    connection
        .graph
        .delete(capol::graph::Collection::Policies, capol::graph::Version::V1, &id)
        .await
        .unwrap();
    let plan = world.settle().await;
    assert_eq!(plan.verdict.create, 1);
    assert_eq!(world.id("policy.p").await, id);
}

#[tokio::test]
async fn targets_narrow_what_is_written() {
    let world = World::with(&policies(3)).await;
    let narrowing = Narrowing {
        targets: vec!["policy.p1".parse().unwrap()],
        ..Narrowing::default()
    };
    world.apply_narrowed(&narrowing).await.unwrap().complete();
    assert_eq!(world.names(Kind::Policies), ["P1"]);
    let narrowing = Narrowing {
        excludes: vec!["policy.p2".parse().unwrap()],
        ..Narrowing::default()
    };
    world.apply_narrowed(&narrowing).await.unwrap().complete();
    assert_eq!(world.names(Kind::Policies), ["P0", "P1"]);
    world.settle().await;
}

#[tokio::test]
async fn a_plan_from_memory_reads_no_list_and_shows_what_the_text_changes() {
    let world = World::with(&(policies(3) + GROUP_AND_LOCATION)).await;
    world.settle().await;
    let from_memory = Narrowing {
        from_memory: true,
        ..Narrowing::default()
    };
    world.requests();
    let planned = world.planned(&from_memory).await.unwrap();
    assert!(!planned.plan.verdict.has_changes(), "{:#?}", planned.plan.changes);
    let lists: Vec<String> = world
        .requests()
        .into_iter()
        .filter(|request| request.contains("conditionalAccess"))
        .collect();
    assert_eq!(lists, Vec::<String>::new());
    assert!(
        planned
            .plan
            .notes
            .iter()
            .any(|note| note.code == "plan::not_refreshed")
    );
    let id = world.id("policy.p1").await;
    world.edit(Kind::Policies, &id, |policy| policy["state"] = json!("disabled"));
    world.write(&(policies(2) + GROUP_AND_LOCATION).replace("203.0.113", "198.51.100"));
    let planned = world.planned(&from_memory).await.unwrap();
    let verdict = planned.plan.verdict;
    assert_eq!((verdict.update, verdict.delete, verdict.create), (1, 1, 0));
}

const GROUP_AND_LOCATION: &str = "group \"g\" {\n  managed = true\n  name = \"G\"\n  members = [user(\"ada@contoso.com\")]\n}\nlocation \"l\" {\n  name = \"L\"\n  ip_ranges = [\"203.0.113.0/24\"]\n}\n";
