//! What a plan says of people's access.

use capol::ops::workspace::Narrowing;
use capol::plan::{Plan, Reach};
use capol::report::{Canvas, PlanView, plan_text};
use capol::state::StateStore as _;

use crate::world::World;

/// The end of a plan as a person reads it.
fn shown(plan: &Plan, width: usize) -> String {
    let view = PlanView {
        plan,
        tenant: None,
        next: None,
        full: false,
        brief: false,
        place: &|_| None,
        findings: None,
    };
    let text = plan_text(&view).render(Canvas { width, color: false });
    let start = text
        .find("\nEffect on access")
        .or_else(|| text.find("\nNobody's access"));
    text[start.unwrap_or(text.len())..].trim_start().to_owned()
}

fn policy(label: &str, state: &str, body: &str) -> String {
    format!("policy \"{label}\" {{\n  name = \"{label}\"\n  state = {state}\n{body}}}\n")
}

const EVERY_KIND: &str = r#"
location "offices" {
  name      = "Offices"
  ip_ranges = ["203.0.113.0/24"]
}
policy "legacy" {
  name        = "Block legacy"
  state       = STATE_A
  users       = all
  apps        = all
  client_apps = [exchange_active_sync, other]
  grant       = block
}
policy "mfa" {
  name  = "MFA for all"
  state = enabled
  users {
    include = all
    exclude = EXCLUDED
  }
  apps  = all
  locations {
    include = all
    exclude = location.offices
  }
  grant = mfa
}
policy "finance" {
  name  = "Finance devices"
  state = enabled
  users = group("Finance")
  apps  = app.office365
  grant = GRANT
  session { SESSION }
}
policy "admins" {
  name  = "Admins"
  state = enabled
  users = [role.global_administrator, group("IT")]
  apps  = all
  grant = STRENGTH
}
policy "sessions" {
  name  = "Short sessions"
  state = enabled
  users = group("Executives")
  apps  = app.office365
  session { sign_in_frequency = FREQUENCY }
}
"#;

fn written(values: [&str; 6]) -> String {
    let mut text = EVERY_KIND.to_owned();
    let names = ["STATE_A", "EXCLUDED", "GRANT", "SESSION", "STRENGTH", "FREQUENCY"];
    for (name, value) in names.into_iter().zip(values) {
        text = text.replace(name, value);
    }
    text
}

#[tokio::test]
async fn every_kind_of_effect_is_one_short_sentence_with_names_and_numbers() {
    let world = World::with(&written([
        "report_only",
        "group(\"Executives\")",
        "all_of(mfa, compliant_device)",
        "persistent_browser = never",
        "mfa",
        "12h",
    ]))
    .await;
    world.settle().await;
    world.write(&written([
        "enabled",
        "[group(\"Executives\"), group(\"Finance\")]",
        "compliant_device",
        "persistent_browser = never",
        "strength.phishing_resistant_mfa",
        "4h",
    ]));
    let plan = world.plan().await.unwrap();
    insta::assert_snapshot!("every_kind_80", shown(&plan, 80));
    insta::assert_snapshot!("every_kind_200", shown(&plan, 200));
    let json = capol::plan::json::render(&plan)["effect"].clone();
    insta::assert_snapshot!("every_kind_json", format!("{json:#}"));
    let saved = Plan::from_json(&plan.to_json().unwrap()).unwrap();
    assert_eq!(saved.effect, plan.effect);
    // And back again.
    world.settle().await;
    world.write(&written([
        "disabled",
        "group(\"Executives\")",
        "any_of(mfa, compliant_device)",
        "sign_in_frequency = 1h",
        "mfa",
        "12h",
    ]));
    insta::assert_snapshot!("every_kind_back", shown(&world.plan().await.unwrap(), 80));
}

#[tokio::test]
async fn nobody_s_access_changes_with_a_report_only_policy_and_a_plan_of_nothing_says_nothing() {
    let body = "  users = all\n  apps = all\n  grant = block\n";
    let world = World::with(&policy("p", "report_only", body)).await;
    assert_eq!(
        shown(&world.plan().await.unwrap(), 80).lines().next(),
        Some("Nobody's access changes.")
    );
    world.settle().await;
    let plan = world.plan().await.unwrap();
    assert_eq!((plan.effect.clone(), shown(&plan, 80)), (None, String::new()));
}

#[tokio::test]
async fn a_new_group_and_its_members_are_known_before_they_have_an_id() {
    let group = |members: &str| {
        format!(
            "group \"pilot\" {{\n  managed = true\n  name = \"Pilot\"\n  members = [{members}]\n}}\n{}",
            policy(
                "p",
                "enabled",
                "  users = group.pilot\n  apps = all\n  grant = mfa\n"
            )
        )
    };
    let (ada, grace) = ("user(\"ada@contoso.com\")", "user(\"grace@contoso.com\")");
    let world = World::with(&group(ada)).await;
    let plan = world.plan().await.unwrap();
    let regions = plan.effect.unwrap().regions;
    assert_eq!(regions[0].sentence(), "group.pilot to all apps: now mfa");
    assert_eq!(regions[0].users, Reach::Exactly(1));
    world.settle().await;
    world.write(&group(&format!("{ada}, {grace}")));
    let plan = world.plan().await.unwrap();
    let regions = plan.effect.unwrap().regions;
    assert_eq!(regions.len(), 1, "{regions:#?}");
    assert_eq!(regions[0].sentence(), "who joins Pilot to all apps: now mfa");
    assert_eq!(regions[0].users, Reach::Exactly(1));
}

const SWAP: &str = r#"
policy "one" {
  name  = "One"
  state = enabled
  users = group("FIRST")
  apps  = all
  grant = mfa
}
policy "other" {
  name  = "Other"
  state = enabled
  users = group("SECOND")
  apps  = all
  grant = mfa
}
"#;

fn swapped(first: &str, second: &str) -> String {
    SWAP.replace("FIRST", first).replace("SECOND", second)
}

#[tokio::test]
async fn a_swap_that_leaves_somebody_unprotected_in_between_is_refused_unless_it_is_taken_on_with_a_reason() {
    let mut world = World::with(&swapped("Finance", "IT")).await;
    world.accept_gap = None;
    world.settle().await;
    world.write(&swapped("IT", "Finance"));
    let refused = format!("{:?}", world.plan().await.unwrap_err());
    assert!(refused.contains("AccessGap"), "{refused}");
    assert!(refused.contains("One") && refused.contains("Other"), "{refused}");
    let taken_on = Narrowing {
        accept_gap: Some("on a Sunday".into()),
        ..Narrowing::default()
    };
    let plan = world.apply_narrowed(&taken_on).await.unwrap().complete();
    assert_eq!(plan.accepted_gap.as_deref(), Some("on a Sunday"));
    let note = plan
        .notes
        .iter()
        .find(|note| note.code == "plan::accepted_gap")
        .unwrap();
    assert_eq!(
        note.help.as_deref(),
        Some("taken on with `--accept-gap`: on a Sunday")
    );
    // The journal and the history name it, and what was taken on needs no reason when nothing is in between.
    let workspace = world.workspace(&world.loaded());
    let history = workspace.store.history().await.unwrap();
    let last = history.iter().max_by_key(|entry| entry.serial).unwrap();
    assert_eq!(last.operation, "apply --accept-gap \"on a Sunday\"");
    world.write(&swapped("IT", "IT"));
    let plan = world.settle().await;
    assert_eq!(plan.accepted_gap, None);
}

#[tokio::test]
async fn a_policy_that_takes_over_is_there_before_another_lets_go_though_both_grow_and_shrink() {
    // `One` gives Finance up and takes Executives on, `Other` takes Finance on and gives IT up, which a new one takes on.
    let text = |one: &str, other: &str, third: &str| format!("{}{third}", swapped(one, other));
    let mut world = World::with(&text("Finance", "IT", "")).await;
    world.accept_gap = None;
    world.settle().await;
    let third = policy(
        "third",
        "enabled",
        "  users = group(\"IT\")\n  apps = all\n  grant = mfa\n",
    );
    world.write(&text("Executives", "Finance", &third));
    let plan = world.plan().await.unwrap();
    let order: Vec<String> = plan.steps.iter().map(|step| step.address.to_string()).collect();
    assert_eq!(order, ["policy.third", "policy.other", "policy.one"]);
    assert_eq!(plan.steps[1].after, [plan.steps[0].id]);
    assert!(plan.steps[2].after.contains(&plan.steps[1].id));
}

#[tokio::test]
async fn a_place_is_in_the_policy_before_it_leaves_the_location_that_the_policy_knew() {
    let text = |offices: &str, more: &str, exclude: &str| {
        format!(
            "location \"offices\" {{\n  name = \"Offices\"\n  ip_ranges = [\"{offices}\"]\n}}\n{more}{}",
            policy(
                "p",
                "enabled",
                &format!(
                    "  users = all\n  apps = app.office365\n  locations {{\n    include = all\n    exclude = [{exclude}]\n  \
                     }}\n  grant = block\n"
                )
            )
        )
    };
    let mut world = World::with(&text("203.0.113.0/24", "", "location.offices")).await;
    world.accept_gap = None;
    world.settle().await;
    let more = "location \"old\" {\n  name = \"Old\"\n  ip_ranges = [\"203.0.113.0/24\"]\n}\n";
    world.write(&text("198.51.100.0/24", more, "location.offices, location.old"));
    let plan = world.plan().await.unwrap();
    let order: Vec<String> = plan.steps.iter().map(|step| step.address.to_string()).collect();
    assert_eq!(order, ["location.old", "policy.p", "location.offices"]);
    assert!(plan.steps[2].after.contains(&plan.steps[1].id));
}
