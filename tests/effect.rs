//! What a plan says of people's access.

use capol::plan::{Plan, Reach};
use capol::report::{Canvas, PlanView, plan_text};

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
