//! What a plan says of a change before anybody applies it.

use capol::plan::{NoteLevel, Plan};
use capol::report::{Canvas, PlanView, plan_text};

use crate::world::World;

fn shown(plan: &Plan, brief: bool) -> String {
    let view = PlanView {
        plan,
        tenant: None,
        next: None,
        full: false,
        brief,
        place: &|_| None,
        findings: None,
    };
    let canvas = Canvas {
        width: 200,
        color: false,
    };
    plan_text(&view).render(canvas)
}

fn policy(label: &str, state: &str, body: &str) -> String {
    format!("policy \"{label}\" {{\n  name = \"P\"\n  state = {state}\n{body}}}\n")
}

#[tokio::test]
async fn a_policy_in_force_that_reaches_or_asks_otherwise_is_marked() {
    let all = "  users = all\n  apps = all\n  grant = mfa\n";
    let without =
        "  users {\n    include = all\n    exclude = group(\"IT\")\n  }\n  apps = all\n  grant = mfa\n";
    let some = "  users = [group(\"IT\")]\n  apps = all\n  grant = mfa\n";
    let places = "  users = all\n  apps = all\n  locations {\n    include = all\n    exclude = all_trusted\n  }\n  grant = mfa\n";
    let one_of = "  users = all\n  apps = all\n  grant = any_of(mfa, compliant_device)\n";
    let both = "  users = all\n  apps = all\n  grant = all_of(mfa, compliant_device)\n";
    let block = "  users = all\n  apps = all\n  grant = block\n";
    let session = "  users = all\n  apps = all\n  grant = mfa\n  session { persistent_browser = never }\n";
    for (before, after, expected) in [
        (all, without, vec!["covers less"]),
        (without, all, vec!["covers more"]),
        (all, some, vec!["covers less"]),
        (some, all, vec!["covers more"]),
        (all, places, vec!["covers less"]),
        (places, all, vec!["covers more"]),
        (all, one_of, vec!["asks for less"]),
        (one_of, all, vec![]),
        (both, all, vec!["asks for less"]),
        (both, one_of, vec!["asks for less"]),
        (all, both, vec![]),
        (block, all, vec!["asks for less"]),
        (all, block, vec![]),
        (session, all, vec!["asks for less"]),
        (without, some, vec!["covers more", "covers less"]),
    ] {
        let world = World::with(&policy("p", "enabled", before)).await;
        world.settle().await;
        world.write(&policy("p", "enabled", after));
        let text = shown(&world.plan().await.unwrap(), false);
        for word in ["covers less", "covers more", "asks for less"] {
            let is_expected = expected.contains(&word);
            assert_eq!(
                text.contains(&format!("! 1 policy {word}: \"P\"")),
                is_expected,
                "{word}\n{text}"
            );
        }
        // In a policy that is not in force nobody feels it.
        world.write(&policy("p", "disabled", before));
        world.settle().await;
        world.write(&policy("p", "disabled", after));
        let text = shown(&world.plan().await.unwrap(), false);
        assert!(!text.contains("! 1 policy"), "{text}");
    }
}

#[tokio::test]
async fn a_label_that_changed_is_met_with_the_moved_block_to_write() {
    let body = "  users = all\n  apps = all\n  grant = mfa\n";
    let world = World::with(&policy("old", "disabled", body)).await;
    world.settle().await;
    world.write(&policy("new", "disabled", body));
    let plan = world.plan().await.unwrap();
    let note = plan
        .notes
        .iter()
        .find(|note| note.code == "plan::renamed")
        .unwrap();
    assert_eq!(note.level, NoteLevel::Warning);
    let help = note.help.clone().unwrap();
    let moved = help.split('`').nth(1).unwrap();
    assert_eq!(moved, "moved { from = policy.old, to = policy.new }");
    world.write(&(policy("new", "disabled", body) + moved + "\n"));
    let plan = world.settle().await;
    assert_eq!(
        (plan.verdict.moved, plan.verdict.create, plan.verdict.delete),
        (1, 0, 0)
    );
}

#[tokio::test]
async fn one_id_that_is_missing_is_told_once_with_every_place() {
    let gone = "  users = [group(\"99999999-aaaa-4bbb-8ccc-000000000001\")]\n  apps = all\n  grant = mfa\n";
    let world = World::with(&(policy("p", "disabled", gone) + &policy("q", "disabled", gone))).await;
    let refused = world.plan().await.unwrap_err();
    let said = format!("{refused:?}");
    assert_eq!(said.matches("MissingId").count(), 1, "{said}");
    assert!(said.contains("and here"), "{said}");
}

#[tokio::test]
async fn a_state_that_nobody_knows_is_refused_before_anything_is_sent() {
    let body = "  users = all\n  apps = all\n  grant = mfa\n";
    let world = World::with(&policy("p", "raw(\"enabledForSome\")", body)).await;
    let refused = world.plan().await.unwrap_err();
    assert!(format!("{refused:?}").contains("UnknownState"), "{refused:?}");
}

#[tokio::test]
async fn a_brief_plan_is_its_first_and_its_last_lines() {
    let body = "  users = all\n  apps = all\n  grant = mfa\n";
    let world = World::with(&policy("p", "enabled", body)).await;
    let plan = world.plan().await.unwrap();
    let text = shown(&plan, true);
    assert!(
        text.contains("! 1 policy becomes enforced") && text.contains("Plan: 1 to add"),
        "{text}"
    );
    assert!(!text.contains("policy.p") && text.lines().count() < 8, "{text}");
}
