//! A rollout against the embedded tenant: wave by wave, and what stops it.

mod evidence;
mod people;

use std::sync::Arc;

use capol::model::Address;
use capol::ops::rollout::{Ask, Direction, approve};
use capol::ops::workspace::{Narrowing, WorkError};
use capol::rollout::standing::{Standing, standings};
use capol::sandbox::Kind;
use serde_json::Value;

use crate::world::{Death, Done, Mortal, World};

const POLICY: &str = r#"
policy "mfa" {
  name  = "MFA for everyone"
  state = enabled
  users { include = [all] }
  apps { include = [all] }
  grant = mfa
}
group "pilots" {
  name    = "Pilots"
  managed = true
  members = [user("ada@contoso.com")]
}
"#;

const ROLLOUT: &str = r#"
rollout "mfa" {
  policy = policy.mfa
  wave "observe"  { state = report_only, soak = 2d }
  wave "pilot"    { users = [group.pilots], soak = 1d }
  wave "everyone" { }
}
"#;

fn address() -> Address {
    "rollout.mfa".parse().unwrap()
}

fn step(to: Direction, forced: Option<&str>) -> Narrowing {
    let ask = Ask::Go {
        rollout: address(),
        to,
        tried: false,
        forced: forced.map(str::to_owned),
        gate: None,
    };
    Narrowing {
        ask: Box::new(ask),
        ..Narrowing::default()
    }
}

async fn go(world: &World, to: Direction, forced: Option<&str>) -> Result<Done, WorkError> {
    world.apply_narrowed(&step(to, forced)).await
}

/// Where the rollout stands, by what state says.
async fn standing(world: &World) -> Standing {
    let mut all = standings(&world.state().await).unwrap();
    all.remove(&address()).unwrap_or_default()
}

/// What the tenant has of the policy: its state, and whom it includes.
async fn policy(world: &World) -> (String, Value) {
    let live = world.live(Kind::Policies, "policy.mfa").await;
    (
        live["state"].as_str().unwrap().to_owned(),
        live["conditions"]["users"].clone(),
    )
}

#[track_caller]
fn code(result: Result<Done, WorkError>) -> String {
    let error = result.err().expect("refused");
    miette::Diagnostic::code(&error).expect("a code").to_string()
}

/// The state of the policy, and whether it is for everyone.
async fn live(world: &World) -> (String, bool) {
    let plan = world.plan().await.unwrap();
    assert!(!plan.verdict.has_changes(), "{}", plan.verdict.sentence());
    let address = "policy.mfa".parse().unwrap();
    let json = capol::plan::json::render(&plan);
    let changes = json["resource_changes"].as_array().unwrap();
    let policy = changes.iter().find(|one| one["address"] == "policy.mfa").unwrap();
    assert!(plan.change(&address).is_some());
    let before = &policy["change"]["before"];
    let users = before["conditions"]["users"]["includeUsers"].as_array();
    let everyone = users.is_some_and(|users| users.contains(&Value::from("All")));
    (before["state"].as_str().unwrap_or_default().to_owned(), everyone)
}

const REPORT_ONLY: &str = "enabledForReportingButNotEnforced";

#[tokio::test]
async fn a_rollout_goes_from_wave_to_wave_and_never_further() {
    let world = World::with(&format!("{POLICY}{ROLLOUT}")).await;
    world.apply().await.unwrap().complete();
    assert_eq!(live(&world).await, (REPORT_ONLY.to_owned(), true));

    // Time decides, and `apply` alone never advances.
    assert_eq!(code(go(&world, Direction::Advance, None).await), "rollout::unmet");
    world.wait(2 * 24 * 60);
    assert_eq!(live(&world).await, (REPORT_ONLY.to_owned(), true));
    go(&world, Direction::Advance, None).await.unwrap().complete();
    assert_eq!(live(&world).await, ("enabled".to_owned(), false));

    // What is not due needs a reason, which is kept.
    assert_eq!(
        code(go(&world, Direction::Advance, Some(" ")).await),
        "rollout::no_reason"
    );
    go(&world, Direction::Advance, Some("an attack is under way"))
        .await
        .unwrap()
        .complete();
    assert_eq!(live(&world).await, ("enabled".to_owned(), true));
    assert_eq!(
        code(go(&world, Direction::Advance, None).await),
        "rollout::complete"
    );

    // Back, and then it stays until somebody lets it go on.
    let back = Direction::Back(Some("observe".to_owned()));
    go(&world, back, None).await.unwrap().complete();
    assert_eq!(live(&world).await, (REPORT_ONLY.to_owned(), true));
    world.wait(9 * 24 * 60);
    assert_eq!(
        code(go(&world, Direction::Advance, None).await),
        "rollout::paused"
    );
}

#[tokio::test]
async fn taking_an_apply_back_takes_its_wave_back() {
    let world = World::with(&format!("{POLICY}{ROLLOUT}")).await;
    world.apply().await.unwrap().complete();
    world.wait(2 * 24 * 60);
    go(&world, Direction::Advance, None).await.unwrap().complete();
    world.undo(None).await.unwrap().complete();
    assert_eq!(live(&world).await, (REPORT_ONLY.to_owned(), true));
}

#[tokio::test]
async fn a_rollout_never_begins_by_weakening_and_never_ends_by_accident() {
    let world = World::with(POLICY).await;
    world.apply().await.unwrap().complete();
    world.write(&format!("{POLICY}{ROLLOUT}"));
    assert_eq!(code(world.apply().await), "rollout::enforced_already");

    let world = World::with(&format!("{POLICY}{ROLLOUT}")).await;
    world.apply().await.unwrap().complete();
    world.write(POLICY);
    assert_eq!(code(world.apply().await), "rollout::block_gone");
    world.write(&format!("{POLICY}removed {{ from = rollout.mfa }}\n"));
    world.apply().await.unwrap();
    assert_eq!(live(&world).await, (REPORT_ONLY.to_owned(), true));

    // A wave that was entered stays as it was entered.
    let world = World::with(&format!("{POLICY}{ROLLOUT}")).await;
    world.apply().await.unwrap().complete();
    let before = "wave \"first\" { state = report_only, users = [group.pilots] }\n  wave \"observe\"";
    world.write(&format!(
        "{POLICY}{}",
        ROLLOUT.replace("wave \"observe\"", before)
    ));
    assert_eq!(code(world.apply().await), "rollout::wave_skipped");
}

#[tokio::test]
async fn what_a_rollout_asks_for_and_nothing_carries_out_is_refused() {
    let rollout = ROLLOUT.replace(
        "policy = policy.mfa",
        "policy = policy.mfa\n  tenants = [\"contoso\"]",
    );
    let world = World::with(&format!("{POLICY}{rollout}tenant \"contoso\" {{}}\n")).await;
    assert_eq!(code(world.apply().await), "rollout::not_carried_out");
}

#[tokio::test]
async fn a_policy_whose_rollout_was_left_is_never_made_anew_for_everyone() {
    let world = World::with(&format!("{POLICY}{ROLLOUT}")).await;
    world.apply().await.unwrap().complete();
    world.wait(2 * 24 * 60);
    go(&world, Direction::Advance, None).await.unwrap().complete();
    world.write(&format!("{POLICY}removed {{ from = rollout.mfa }}\n"));
    world.apply().await.unwrap().complete();
    let id = world.id("policy.mfa").await;
    world.sandbox.with_tenant(|tenant| {
        tenant.remove(Kind::Policies, &id);
    });
    // The tenant's clock is ahead: what was made a moment ago there may only be hidden.
    world.wait(400 * 24 * 60);
    assert_eq!(code(world.apply().await), "rollout::left_and_gone");
    // Whoever takes the block away means it.
    world.write(POLICY);
    world.apply().await.unwrap().complete();
    assert_eq!(policy(&world).await.0, "enabled");
}

/// Approves the next wave as somebody, as it would be applied now; the digest.
async fn approved_by(world: &mut World, who: &str) -> Result<String, WorkError> {
    let before = world.signed_in.replace(who.to_owned());
    let ask = Ask::Go {
        rollout: address(),
        to: Direction::Advance,
        tried: true,
        forced: None,
        gate: None,
    };
    let planned = world
        .planned(&Narrowing {
            ask: Box::new(ask),
            ..Narrowing::default()
        })
        .await?;
    let digest = planned.plan.content_digest();
    let loaded = world.loaded();
    let workspace = world.workspace(&loaded);
    let connection = world.connect().await;
    let worker = world.worker("rollout approve");
    let guard = workspace.lock(&worker).await?;
    let rollout = &loaded.configuration.rollouts[&address()];
    let of = (&loaded.configuration, rollout);
    let given = approve(&workspace, &connection, &guard, &worker, of, digest.clone(), None).await;
    world.signed_in = before;
    given.map(|_| digest)
}

#[tokio::test]
async fn approvals_are_of_others_counted_once_and_for_just_what_is_applied() {
    let waves = ROLLOUT.replace("wave \"everyone\" { }", "wave \"everyone\" { approvals = 2 }");
    let mut world = World::with(&format!("{POLICY}{waves}")).await;
    world.signed_in = Some("Ada Lovelace".to_owned());
    world.apply().await.unwrap().complete();
    world.wait(2 * 24 * 60);
    go(&world, Direction::Advance, None).await.unwrap().complete();
    world.wait(24 * 60);
    let refused = |result| assert_eq!(code(result), "rollout::not_approved");

    refused(go(&world, Direction::Advance, None).await);
    // Whoever carries it out does not count, nor does one person twice, nor does force stand for approvals.
    for who in ["Ada Lovelace", "Alan Turing", "Alan Turing"] {
        approved_by(&mut world, who).await.unwrap();
        refused(go(&world, Direction::Advance, None).await);
    }
    refused(go(&world, Direction::Advance, Some("an attack is under way")).await);

    // What was approved is no longer what would be applied.
    approved_by(&mut world, "Grace Hopper").await.unwrap();
    let other = POLICY.replace("MFA for everyone", "MFA for all");
    world.write(&format!("{other}{waves}"));
    refused(go(&world, Direction::Advance, None).await);
    world.write(&format!("{POLICY}{waves}"));
    go(&world, Direction::Advance, None).await.unwrap().complete();

    let last = standing(&world).await.history.pop().unwrap();
    let names: Vec<&str> = last.approvals.iter().map(|one| one.by.name.as_str()).collect();
    assert_eq!(names, ["Ada Lovelace", "Alan Turing", "Grace Hopper"]);
    assert!(last.approvals.iter().all(|one| one.digest == last.digest));
}

#[tokio::test]
async fn only_those_named_may_approve() {
    let waves = ROLLOUT
        .replace(
            "policy = policy.mfa",
            "policy = policy.mfa\n  approvers = [user(\"grace@contoso.com\")]",
        )
        .replace("wave \"everyone\" { }", "wave \"everyone\" { approvals = 1 }");
    let mut world = World::with(&format!("{POLICY}{waves}")).await;
    world.signed_in = Some("Ada Lovelace".to_owned());
    world.apply().await.unwrap().complete();
    world.wait(2 * 24 * 60);
    go(&world, Direction::Advance, None).await.unwrap().complete();
    world.wait(24 * 60);
    let refused = approved_by(&mut world, "Alan Turing").await.unwrap_err();
    assert_eq!(
        miette::Diagnostic::code(&refused).unwrap().to_string(),
        "rollout::not_an_approver"
    );
    approved_by(&mut world, "Grace Hopper").await.unwrap();
    go(&world, Direction::Advance, None).await.unwrap().complete();
}

/// A process dies at every record of its journal while a wave is entered.
#[tokio::test]
async fn a_transition_cut_short_anywhere_goes_on_and_reaches_nobody_else() {
    let mut deaths = 0;
    for death in [Death::Before, Death::Within, Death::After] {
        for at in 0.. {
            let mut world = World::with(&format!("{POLICY}{ROLLOUT}")).await;
            world.apply().await.unwrap().complete();
            world.wait(2 * 24 * 60);
            let life = Mortal::new(at, death);
            world.files = Arc::new(life.clone());
            let _ = go(&world, Direction::Advance, None).await;
            world.files = Arc::new(capol::state::files::RealFiles);
            let pilots = world.id("group.pilots").await;
            let (state, users) = policy(&world).await;
            assert!(
                state != "enabled" || users["includeGroups"] == serde_json::json!([pilots]),
                "{death:?} {at}: enforced on {users}"
            );
            if !life.is_dead() {
                break;
            }
            deaths += 1;
            let now = standing(&world).await;
            let target = now.target().map(str::to_owned);
            assert!(
                state != "enabled" || target.as_deref() == Some("pilot"),
                "{death:?} {at}: nobody knows why it is enforced"
            );
            // What is unknown is left alone until it can be seen.
            if world.apply().await.is_ok_and(|done| !done.plan.held.is_empty()) {
                world.wait(16);
            }
            world.settle().await;
            let settled = standing(&world).await;
            assert_eq!(settled.wave_name().map(str::to_owned), target, "{death:?} {at}");
            assert!(settled.entering.is_none(), "{death:?} {at}");
            if target.as_deref() == Some("observe") {
                go(&world, Direction::Advance, None).await.unwrap().complete();
            }
            let end = standing(&world).await;
            assert_eq!(end.wave_name(), Some("pilot"), "{death:?} {at}");
            assert_eq!(end.history.len(), 2, "{death:?} {at}");
            assert_eq!(policy(&world).await.0, "enabled", "{death:?} {at}");
        }
    }
    assert!(deaths > 5, "{deaths}");
}

#[tokio::test]
async fn the_plan_says_what_the_next_wave_would_do_and_that_it_could_not_be_entered() {
    for (people, is_known) in [("group.pilots", true), ("group(\"Nobody knows it\")", false)] {
        let rollout = ROLLOUT.replace("users = [group.pilots]", &format!("users = [{people}]"));
        let world = World::with(&format!("{POLICY}{rollout}")).await;
        world.apply().await.unwrap().complete();
        let plan = world.plan().await.unwrap();
        assert!(!plan.verdict.has_changes());
        let next = plan.rollouts[0].next.clone().unwrap();
        assert_eq!(next.wave, "pilot");
        if is_known {
            let effect = next.effect.unwrap();
            let said: Vec<String> = effect.regions.iter().map(capol::plan::Region::sentence).collect();
            assert_eq!(said, ["group.pilots to all apps: now mfa"]);
        } else {
            assert!(next.refused.unwrap().contains("Nobody knows it"));
        }
    }
}
