//! A wave is left on the evidence of the tenant's own sign-ins, and pulled back on it.

use capol::ops::rollout::gate::{GateError, Sources, ask};
use capol::ops::rollout::{Ask, Courses, Due, person};
use capol::ops::workspace::WorkError;
use capol::rollout::gate::Answer;
use serde_json::{Value, json};

use super::POLICY;
use crate::world::World;

fn rollout(on_breach: &str) -> String {
    format!(
        r#"
rollout "mfa" {{
  policy    = policy.mfa
  on_breach = {on_breach}
  wave "observe"  {{ state = report_only, gate {{ min_sign_ins = 500, max_failure_rate = 4%, max_interruption_rate = 20% }} }}
  wave "half"     {{ share = 50%, of = group("Contoso people"), gate {{ max_failure_rate = 4%, min_registered = 80% }} }}
  wave "everyone" {{ }}
}}
"#
    )
}

fn scenario(days: u32, failure: f64, registered: f64) -> Value {
    json!({
        "group": "Contoso people", "people": 200, "departments": ["Sales", "Research", "Finance"], "registered": registered,
        "sign_ins": { "days": days, "per_day": 300, "failure": failure, "interruption": 0.05, "non_interactive": 0.3 },
    })
}

/// What a schedule would do now, and what the gate came to.
async fn due(world: &World) -> Result<(Due, Vec<Answer>), WorkError> {
    let loaded = world.loaded();
    let connection = world.connect().await;
    let worker = world.worker("rollout tick");
    let state = world.state().await;
    let by = person(None, "ada");
    let configuration = &loaded.configuration;
    let mut courses = Courses::of(configuration, Some(&state), &Ask::Keep, by.clone(), worker.now)?;
    let course = courses.iter_mut().next().unwrap();
    let sources = Sources {
        logs: &[],
        folder: std::path::Path::new("."),
        others: true,
    };
    let answers = ask(
        &connection,
        configuration,
        Some(&state),
        &worker,
        course,
        &sources,
    )
    .await?;
    let answers = answers.unwrap_or_default();
    course.asked(&answers, worker.now)?;
    Ok((course.due(&by, &answers), answers))
}

fn days(world: &World, days: u32, failure: f64, registered: f64) {
    world.wait(i64::from(days) * 24 * 60);
    let now = world.worker("sandbox load").now;
    let scenario = scenario(days, failure, registered);
    world
        .sandbox
        .with_tenant(|tenant| tenant.load_scenario(&scenario, now).unwrap());
}

#[tokio::test]
async fn a_gate_waits_for_evidence_lets_pass_on_it_and_pulls_back() {
    for (on_breach, failure, wanted) in [
        ("rollback", 0.01, "advance"),
        ("pause", 0.01, "advance"),
        ("rollback", 0.2, "pause"),
        ("pause", 0.2, "pause"),
    ] {
        let world = World::with(&format!("{POLICY}{}", rollout(on_breach))).await;
        world.apply().await.unwrap().complete();
        // Nobody has signed in yet.
        world.wait(60);
        let (found, answers) = due(&world).await.unwrap();
        assert!(
            matches!(&found, Due::Wait(waits) if !waits.is_empty()),
            "{found:?}"
        );
        assert!(answers.iter().all(|answer| !answer.is_breach()));

        days(&world, 7, failure, 0.9);
        let (found, _) = due(&world).await.unwrap();
        match (wanted, &found) {
            ("advance", Due::Advance) => {}
            // Nothing is before the first wave, so that it can only stop.
            ("pause", Due::Pause { breach }) => {
                assert!(breach.contains("sign-ins failed"), "{breach}");
            }
            _ => panic!("{on_breach}, {failure}: {found:?}"),
        }
    }
}

#[tokio::test]
async fn a_breach_of_a_later_wave_goes_back_or_stops_as_the_rollout_says() {
    for on_breach in ["rollback", "pause"] {
        let world = World::with(&format!("{POLICY}{}", rollout(on_breach))).await;
        days(&world, 1, 0.0, 0.9);
        world.apply().await.unwrap().complete();
        super::go(&world, super::Direction::Advance, Some("a test"))
            .await
            .unwrap()
            .complete();
        days(&world, 7, 0.2, 0.9);
        let (found, _) = due(&world).await.unwrap();
        let is_right = match &found {
            Due::PullBack { .. } => on_breach == "rollback",
            Due::Pause { .. } => on_breach == "pause",
            _ => false,
        };
        assert!(is_right, "{on_breach}: {found:?}");
    }
}

#[tokio::test]
async fn people_who_are_not_ready_hold_a_wave_and_pull_nothing_back() {
    for (registered, is_due) in [(0.5, false), (0.95, true)] {
        let world = World::with(&format!("{POLICY}{}", rollout("rollback"))).await;
        days(&world, 1, 0.0, registered);
        world.apply().await.unwrap().complete();
        super::go(&world, super::Direction::Advance, Some("a test"))
            .await
            .unwrap()
            .complete();
        days(&world, 14, 0.01, registered);
        let (found, answers) = due(&world).await.unwrap();
        assert_eq!(found == Due::Advance, is_due, "{found:?}");
        assert!(answers.iter().all(|answer| !answer.is_breach()));
    }
}

/// A log that hides the policies would look as if nothing had failed.
#[tokio::test]
async fn a_log_that_hides_policies_is_no_evidence() {
    let world = World::with(&format!("{POLICY}{}", rollout("rollback"))).await;
    world.apply().await.unwrap().complete();
    days(&world, 7, 0.01, 0.9);
    world.sandbox.with_tenant(|tenant| {
        let all: Vec<Value> = tenant.objects(capol::sandbox::Kind::SignIns).cloned().collect();
        for mut one in all {
            one["appliedConditionalAccessPolicies"] = json!([]);
            tenant.insert(capol::sandbox::Kind::SignIns, one);
        }
    });
    let error = due(&world).await.unwrap_err();
    let WorkError::Gate(error) = error else {
        panic!("{error:?}");
    };
    assert!(matches!(*error, GateError::Evidence(_)), "{error:?}");
}
