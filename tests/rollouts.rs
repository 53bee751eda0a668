//! A rollout against the embedded tenant: wave by wave, and what stops it.

use capol::ops::rollout::{Ask, Direction};
use capol::ops::workspace::{Narrowing, WorkError};
use serde_json::Value;

use crate::world::{Done, World};

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

async fn go(world: &World, to: Direction, forced: Option<&str>) -> Result<Done, WorkError> {
    let rollout = "rollout.mfa".parse().unwrap();
    let ask = Ask::Go {
        rollout,
        to,
        tried: false,
        forced: forced.map(str::to_owned),
        gate: None,
    };
    world
        .apply_narrowed(&Narrowing {
            ask: Box::new(ask),
            ..Narrowing::default()
        })
        .await
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
    for (wave, whole) in [
        (
            "{ share = 10%, of = group.pilots, stratify_by = \"department\" }",
            "",
        ),
        ("{ users = [group.pilots] }", "tenants = [\"contoso\"]"),
    ] {
        let rollout = format!(
            "rollout \"mfa\" {{\n  policy = policy.mfa\n  {whole}\n  wave \"some\" {wave}\n  wave \"everyone\" {{}}\n}}\n"
        );
        let world = World::with(&format!("{POLICY}{rollout}tenant \"contoso\" {{}}\n")).await;
        assert_eq!(code(world.apply().await), "rollout::not_carried_out");
    }
}
