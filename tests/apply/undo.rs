//! `capol undo`: one earlier apply is taken back, or refused with a reason.

use std::sync::Arc;

use capol::apply::StepResult;
use capol::ops::OpsError;
use capol::ops::workspace::WorkError;
use capol::sandbox::{Effect, Faults, Kind, Rule, When};
use serde_json::json;

use super::faults::POLICY;
use crate::world::{Death, Mortal, World};

const LOCATION: &str =
    "location \"l\" {\n  name = \"L\"\n  ip_ranges = [\"203.0.113.0/24\"]\n  trusted = true\n}\n";
const COUNTRIES: &str = "location \"l\" {\n  name = \"L\"\n  countries = [\"DK\"]\n}\n";
const STRENGTH: &str = "strength \"s\" {\n  name = \"S\"\n  combinations = [fido2, x509_multi_factor]\n  configurations {\n    fido2 {\n      applies_to = [fido2]\n      allowed_aaguids = [\"de1e552d-db1d-4423-a619-566b625cdc84\"]\n    }\n  }\n}\n";
const CONTEXT: &str = "context \"c\" {\n  id = \"c42\"\n  name = \"C\"\n  available = true\n}\n";
const GROUP: &str = "group \"g\" {\n  managed = true\n  name = \"G\"\n  members = [user(\"ada@contoso.com\"), user(\"alan@contoso.com\")]\n}\n";

fn policy(body: &str) -> String {
    POLICY.replace("  grant = mfa", body)
}

/// From text to text; whether every id comes back, too.
fn cases() -> Vec<(&'static str, String, String, bool)> {
    let away = policy("  locations { include = [all], exclude = [location.l] }\n  grant = mfa");
    let all = away
        .replace("grant = mfa", "grant = strength.s")
        .replace("users { include = [all] }", "users { include = [group.g] }")
        + LOCATION
        + STRENGTH
        + GROUP
        + CONTEXT;
    let edited = all
        .replace("report_only", "disabled")
        .replace("203.0.113", "198.51.100")
        .replace("trusted = true", "trusted = false")
        .replace(
            "de1e552d-db1d-4423-a619-566b625cdc84",
            "90a3ccdf-635c-4729-a248-9b709135078f",
        )
        .replace("[fido2, x509_multi_factor]", "[fido2]")
        .replace("alan@", "grace@")
        .replace("\"C\"", "\"Changed\"");
    let moved =
        POLICY.replace("policy \"p\"", "policy \"q\"") + "moved {\n  from = policy.p\n  to = policy.q\n}\n";
    vec![
        ("creates", String::new(), all.clone(), true),
        ("updates", all.clone(), edited, true),
        (
            "deletes",
            away.clone() + LOCATION + GROUP + CONTEXT,
            String::new(),
            true,
        ),
        ("deletes with a strength", all, String::new(), false),
        (
            "a replacement",
            away.clone() + LOCATION,
            away.clone() + COUNTRIES,
            true,
        ),
        (
            "a replacement back",
            away.clone() + COUNTRIES,
            away + LOCATION,
            true,
        ),
        ("a move", POLICY.to_owned(), moved.clone(), true),
        (
            "a move with an edit",
            POLICY.to_owned(),
            moved.replace("report_only", "disabled"),
            true,
        ),
        (
            "letting go",
            POLICY.to_owned(),
            "removed { from = policy.p }\n".to_owned(),
            true,
        ),
        (
            "a guard",
            POLICY.to_owned(),
            policy("  grant = mfa\n  lifecycle {\n    prevent_destroy = true\n  }"),
            true,
        ),
    ]
}

#[tokio::test]
async fn whatever_was_applied_is_taken_back_and_the_old_text_is_true_again() {
    for (what, from, to, same_ids) in cases() {
        let world = World::with(&from).await;
        if !from.is_empty() {
            world.settle().await;
        }
        let (shape, state) = (world.shape(), world.state().await);
        world.becomes(&to).await;
        assert_ne!(
            (&world.shape(), &world.state().await.resources),
            (&shape, &state.resources),
            "{what}"
        );
        let done = world
            .undo(None)
            .await
            .unwrap_or_else(|error| panic!("{what}: {error:?}"));
        assert!(
            done.applied.is_complete() && done.applied.mismatches.is_empty(),
            "{what}: {:#?}",
            done.applied
        );
        assert!(
            done.plan
                .notes
                .iter()
                .any(|note| note.code == "plan::configuration_differs"),
            "{what}"
        );
        assert_eq!(world.shape(), shape, "{what}");
        let now = world.state().await;
        let ids = |state: &capol::model::state::Document| -> Vec<(String, String)> {
            let all = state.resources.iter();
            all.map(|(address, kept)| {
                (
                    address.clone(),
                    if same_ids { kept.id.clone() } else { String::new() },
                )
            })
            .collect()
        };
        assert_eq!(ids(&now), ids(&state), "{what}");
        world.write(&from);
        world.nothing_to_do(std::panic::Location::caller()).await;
        // And forth again.
        world.becomes(&to).await;
    }
}

#[tokio::test]
async fn an_import_is_taken_back_without_touching_the_object() {
    let world = World::with(POLICY).await;
    world.settle().await;
    let id = world.id("policy.p").await;
    world.becomes("removed { from = policy.p }\n").await;
    let import = format!("import {{\n  to = policy.p\n  id = \"{id}\"\n}}\n");
    for text in [POLICY.to_owned(), POLICY.replace("report_only", "disabled")] {
        world.write(&(text + &import));
        world.apply().await.unwrap().complete();
        world.undo(None).await.unwrap().complete();
        assert!(world.state().await.resources.is_empty());
        assert_eq!(
            world.objects(Kind::Policies)[0]["state"],
            json!("enabledForReportingButNotEnforced")
        );
    }
}

#[tokio::test]
async fn what_was_changed_since_is_not_taken_back() {
    let world = World::with(POLICY).await;
    world.settle().await;
    world.becomes(&POLICY.replace("report_only", "disabled")).await;
    let id = world.id("policy.p").await;
    world.edit(Kind::Policies, &id, |policy| policy["state"] = json!("enabled"));
    world.requests();
    let error = world.undo(None).await.err().unwrap();
    assert_eq!(
        error.to_string(),
        "policy.p: `state` of `P` was changed since the apply that is to be taken back"
    );
    assert_eq!(world.writes(), Vec::<String>::new());

    // A later apply moves it as well.
    world.settle().await;
    world
        .becomes(&POLICY.replace("grant = mfa", "grant = block"))
        .await;
    let applies = world.applies();
    let error = world
        .undo(applies.get(2).map(String::as_str))
        .await
        .err()
        .unwrap();
    assert!(error.to_string().contains("was changed since"), "{error}");
}

#[tokio::test]
async fn undo_goes_further_back_each_time_and_an_undo_can_be_taken_back_by_name() {
    let world = World::with(POLICY).await;
    let other = POLICY
        .replace("policy \"p\"", "policy \"q\"")
        .replace("\"P\"", "\"Q\"");
    world.settle().await;
    world.becomes(&(POLICY.to_owned() + &other)).await;
    world.undo(None).await.unwrap().complete();
    assert_eq!(world.names(Kind::Policies), ["P"]);
    let undo = world.applies()[0].clone();
    world.undo(None).await.unwrap().complete();
    assert!(world.names(Kind::Policies).is_empty());
    let error = world.undo(None).await.err().unwrap();
    assert!(
        matches!(&error, WorkError::Ops(OpsError::NothingToUndo { next }) if next.contains("capol undo ")),
        "{error:?}"
    );
    world.undo(undo.get(..8)).await.unwrap().complete();
    assert_eq!(world.names(Kind::Policies), ["Q"]);
    assert!(world.undo(Some("no such apply")).await.is_err());
}

#[tokio::test]
async fn an_undo_that_was_cut_short_goes_on() {
    let other = POLICY
        .replace("policy \"p\"", "policy \"q\"")
        .replace("\"P\"", "\"Q\"");
    let world = World::with(&(POLICY.to_owned() + &other + LOCATION)).await;
    world.settle().await;
    let shape = world.shape();
    world.becomes(&POLICY.replace("report_only", "disabled")).await;
    let apply = world.applies()[0].clone();
    let refusal = Effect::Fail {
        status: 403,
        commit: false,
    };
    world.faults(Faults::none().with(Rule::new(When::Always, refusal).method("POST").path("policies/")));
    let done = world.undo(None).await.unwrap();
    assert_eq!(
        done.addresses(|result| matches!(result, StepResult::Failed { .. })),
        ["policy.q"]
    );
    world.faults(Faults::none());
    world.undo(Some(&apply)).await.unwrap().complete();
    assert_eq!(world.shape(), shape);
    let again = world.undo(Some(&apply)).await.unwrap();
    assert!(!again.plan.verdict.has_changes());
}

#[tokio::test]
async fn an_apply_that_a_death_cut_short_is_taken_back_once_it_is_known_what_it_did() {
    let other = POLICY
        .replace("policy \"p\"", "policy \"q\"")
        .replace("\"P\"", "\"Q\"");
    for at in 0.. {
        let mut world = World::with(&(POLICY.to_owned() + &other + LOCATION)).await;
        world.parallelism = 1;
        let life = Mortal::new(at, Death::Before);
        world.files = Arc::new(life.clone());
        let _ = world.apply().await;
        if !life.is_dead() {
            assert!(at > 6, "{at}");
            break;
        }
        world.files = Arc::new(capol::state::files::RealFiles);
        world.settle().await;
        // What was cut short, and what went on after it.
        for apply in world.applies() {
            world.undo(Some(&apply)).await.unwrap();
        }
        assert!(world.state().await.resources.is_empty(), "{at}");
        let made = |kind: Kind, name: &str| world.names(kind).iter().any(|one| one == name);
        assert!(!made(Kind::Policies, "P") && !made(Kind::Policies, "Q"), "{at}");
        assert!(!made(Kind::NamedLocations, "L"), "{at}");
    }
}

#[tokio::test]
async fn what_the_service_forgot_is_made_anew_and_said() {
    let world = World::with(POLICY).await;
    world.settle().await;
    let id = world.id("policy.p").await;
    let shape = world.shape();
    world.becomes("").await;
    let connection = world.connect().await;
    connection
        .graph
        .purge(capol::graph::Collection::Policies, capol::graph::Version::V1, &id)
        .await
        .unwrap();
    let plan = world.undo(None).await.unwrap().complete();
    assert!(plan.notes.iter().any(|note| note.code == "plan::made_anew"));
    assert_ne!(world.id("policy.p").await, id);
    assert_eq!(world.shape(), shape);
}

#[tokio::test]
async fn a_guard_holds_against_undo() {
    let guarded =
        policy("  grant = mfa\n  lifecycle {\n    prevent_destroy = true\n    reason = \"audit\"\n  }");
    let world = World::with(&guarded).await;
    world.settle().await;
    let error = world.undo(None).await.err().unwrap();
    assert!(error.to_string().contains("must not be destroyed"), "{error}");
    assert_eq!(world.names(Kind::Policies), ["P"]);
}
