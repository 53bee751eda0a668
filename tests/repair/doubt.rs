//! What is not certain is named and left out.

use std::sync::Arc;

use capol::ops::state::{Evidence, WhyLeft};
use capol::sandbox::{Effect, Faults, Kind, Rule, When};
use capol::state::files::RealFiles;
use serde_json::{Value, json};

use super::{ESTATE, STATE, bound, left, repair};
use crate::world::{Death, Mortal, World};

/// A tenant that was applied to, and nothing of it is known any more.
async fn lost(text: &str) -> World {
    let world = World::with(text).await;
    world.settle().await;
    std::fs::remove_file(world.path(STATE)).unwrap();
    std::fs::remove_dir_all(world.path(".capol")).unwrap();
    world.requests();
    world
}

fn of_name(world: &World, kind: Kind, name: &str) -> Value {
    let mut objects = world.objects(kind).into_iter();
    objects.find(|object| object["displayName"] == name).unwrap()
}

/// Somebody makes another object of that name.
fn twin(world: &World, kind: Kind, name: &str, twin: &str) {
    let mut object = of_name(world, kind, name);
    object["id"] = json!("dddddddd-0000-4000-8000-00000000000d");
    object["displayName"] = json!(twin);
    world.sandbox.with_tenant(|tenant| tenant.insert(kind, object));
}

fn rename(world: &World, kind: Kind, name: &str, to: &str) {
    let id = of_name(world, kind, name)["id"].as_str().unwrap().to_owned();
    world.edit(kind, &id, |object| object["displayName"] = json!(to));
}

/// What happens in the tenant, and which address is left out why, with how many objects that may be meant.
#[tokio::test]
async fn what_is_not_certain_is_named_and_left_out() {
    type Happens = fn(&World);
    let cases: [(&str, Happens, (&str, WhyLeft, usize)); 8] = [
        (
            "two policies of one name",
            |world| twin(world, Kind::Policies, "P", "P"),
            ("policy.p", WhyLeft::Ambiguous, 2),
        ),
        (
            "two groups of one name",
            |world| twin(world, Kind::Groups, "G", "G"),
            ("group.g", WhyLeft::Ambiguous, 2),
        ),
        (
            "two locations whose names differ in letters' case",
            |world| twin(world, Kind::NamedLocations, "Home", "HOME "),
            ("location.home", WhyLeft::Ambiguous, 2),
        ),
        (
            "a location of another kind has the name",
            |world| {
                let mut object = of_name(world, Kind::NamedLocations, "L");
                object["displayName"] = json!("Home");
                let home = of_name(world, Kind::NamedLocations, "Home");
                object["id"] = home["id"].clone();
                world
                    .sandbox
                    .with_tenant(|tenant| tenant.insert(Kind::NamedLocations, object));
            },
            ("location.home", WhyLeft::Ambiguous, 1),
        ),
        (
            "a strength was renamed",
            |world| rename(world, Kind::AuthenticationStrengths, "S", "Keys"),
            ("strength.s", WhyLeft::NotFound, 0),
        ),
        (
            "a policy was renamed a little",
            |world| rename(world, Kind::Policies, "Kept", "Kept."),
            ("policy.kept", WhyLeft::NotFound, 1),
        ),
        (
            "a context of the name has another id",
            |world| {
                let mut object = of_name(world, Kind::AuthenticationContexts, "C");
                world
                    .sandbox
                    .with_tenant(|tenant| tenant.remove(Kind::AuthenticationContexts, "c42"));
                object["id"] = json!("c43");
                world
                    .sandbox
                    .with_tenant(|tenant| tenant.insert(Kind::AuthenticationContexts, object));
            },
            ("context.c", WhyLeft::Ambiguous, 1),
        ),
        (
            "a group is gone",
            |world| {
                let id = of_name(world, Kind::Groups, "G")["id"]
                    .as_str()
                    .unwrap()
                    .to_owned();
                world
                    .sandbox
                    .with_tenant(|tenant| tenant.remove(Kind::Groups, &id));
            },
            ("group.g", WhyLeft::NotFound, 0),
        ),
    ];
    for (case, happens, wanted) in cases {
        let world = lost(ESTATE).await;
        happens(&world);
        let repaired = repair(&world, false).await.unwrap();
        assert_eq!(left(&repaired), [wanted], "{case}");
        assert_eq!(repaired.is_certain(), wanted.1 == WhyLeft::NotFound, "{case}");
        assert_eq!(bound(&repaired).len(), 6, "{case}: everything else is bound");
        assert!(!world.state().await.resources.contains_key(wanted.0), "{case}");
        assert_eq!(world.writes(), [""; 0], "{case}");
        // A plan that would create it says that something has its name.
        if let Ok(plan) = world.plan().await {
            let is_told = plan.notes.iter().any(|note| note.code == "plan::namesake");
            let name_is_taken = matches!(case, "two policies of one name" | "two groups of one name");
            assert!(is_told || !name_is_taken, "{case}: {:#?}", plan.notes);
        }
    }
}

#[tokio::test]
async fn two_blocks_of_one_name_are_not_told_apart_by_it() {
    let two = ESTATE.replace("\"Kept\"", "\"P\"");
    for objects in [2, 1] {
        let world = lost(&two).await;
        if objects == 1 {
            let id = of_name(&world, Kind::Policies, "P")["id"]
                .as_str()
                .unwrap()
                .to_owned();
            world
                .sandbox
                .with_tenant(|tenant| tenant.remove(Kind::Policies, &id));
        }
        let repaired = repair(&world, false).await.unwrap();
        let wanted = [
            ("policy.kept", WhyLeft::Ambiguous, objects),
            ("policy.p", WhyLeft::Ambiguous, objects),
        ];
        assert_eq!(left(&repaired), wanted);
    }
}

#[tokio::test]
async fn a_renamed_object_whose_id_is_known_is_the_same_one() {
    let world = World::with(ESTATE).await;
    world.settle().await;
    let before = world.id("policy.p").await;
    let whole = std::fs::read_to_string(world.path(STATE)).unwrap();
    let old = whole.replace("\"format_version\": 1", "\"format_version\": 0");
    std::fs::write(world.path(STATE), old).unwrap();
    std::fs::remove_dir_all(world.path(".capol/history")).unwrap();
    rename(&world, Kind::Policies, "P", "Somebody's");
    twin(&world, Kind::Policies, "Kept", "P");
    let repaired = repair(&world, false).await.unwrap();
    assert!(bound(&repaired).contains(&("policy.p", Evidence::History)));
    assert_eq!(world.id("policy.p").await, before);
    let lineage = |text: &str| serde_json::from_str::<Value>(text).unwrap()["lineage"].clone();
    assert_eq!(
        json!(world.state().await.lineage),
        lineage(&whole),
        "the history goes on"
    );
}

#[tokio::test]
async fn an_object_that_is_gone_is_not_replaced_by_one_of_its_name() {
    let world = World::with(ESTATE).await;
    world.settle().await;
    let id = world.id("policy.p").await;
    let whole = std::fs::read_to_string(world.path(STATE)).unwrap();
    std::fs::write(
        world.path(STATE),
        whole.replace("\"format_version\": 1", "\"format_version\": 0"),
    )
    .unwrap();
    std::fs::remove_dir_all(world.path(".capol/history")).unwrap();
    twin(&world, Kind::Policies, "P", "P");
    world
        .sandbox
        .with_tenant(|tenant| tenant.remove(Kind::Policies, &id));
    let repaired = repair(&world, false).await.unwrap();
    assert_eq!(left(&repaired), [("policy.p", WhyLeft::Gone, 1)]);
    assert!(!repaired.is_certain());
}

/// Without a whole version nobody knows whether it was let go: so a plan must not delete it.
#[tokio::test]
async fn what_has_no_block_any_more_is_let_go_and_named() {
    let world = World::with(ESTATE).await;
    world.settle().await;
    std::fs::remove_file(world.path(STATE)).unwrap();
    for entry in std::fs::read_dir(world.path(".capol/history")).unwrap().flatten() {
        if !entry.file_name().to_string_lossy().ends_with("journal.ndjson") {
            std::fs::remove_file(entry.path()).unwrap();
        }
    }
    let shape = world.shape();
    let (without, _) = ESTATE.split_once("policy \"kept\"").unwrap();
    world.write(without);
    let repaired = repair(&world, false).await.unwrap();
    assert_eq!(left(&repaired), [("policy.kept", WhyLeft::NoBlock, 1)]);
    world.nothing_to_do(std::panic::Location::caller()).await;
    assert_eq!(world.shape(), shape);
}

#[tokio::test]
async fn a_tenant_that_is_half_read_is_refused() {
    let lists = [
        "Access/policies",
        "/namedLocations",
        "StrengthPolicies",
        "ClassReferences",
        "/groups",
    ];
    for list in lists {
        for effect in [
            Effect::Fail {
                status: 403,
                commit: false,
            },
            Effect::Fail {
                status: 500,
                commit: false,
            },
            Effect::CutBody {
                after: 10,
                chunked: false,
            },
        ] {
            let world = lost(ESTATE).await;
            let rule = Rule::new(When::Always, effect.clone()).method("GET");
            world.faults(Faults::none().with(rule.path(list)));
            let refused = repair(&world, false).await;
            assert!(refused.is_err(), "{list} with {effect:?}: {refused:#?}");
            assert!(!world.path(STATE).exists());
            world.faults(Faults::none());
            assert_eq!(bound(&repair(&world, false).await.unwrap()).len(), 7);
        }
    }
}

#[tokio::test]
async fn another_tenant_is_refused() {
    for from in ["state", "history"] {
        let world = World::with(ESTATE).await;
        world.settle().await;
        let whole = std::fs::read_to_string(world.path(STATE)).unwrap();
        let other = whole.replace(&world.sandbox.tenant_id(), "22222222-2222-4222-8222-222222222222");
        if from == "state" {
            std::fs::remove_dir_all(world.path(".capol/history")).unwrap();
            let broken = other.replace("\"format_version\": 1", "\"format_version\": 0");
            std::fs::write(world.path(STATE), &broken).unwrap();
        } else {
            std::fs::write(world.path(STATE), &other).unwrap();
        }
        let refused = repair(&world, true).await.unwrap_err();
        assert_eq!(
            refused.code().unwrap().to_string(),
            "state::wrong_tenant",
            "{from}"
        );
    }
}

/// The answer to a create was lost and the state after it, too: the next apply finds out, not the name.
#[tokio::test]
async fn a_create_that_nobody_knows_of_is_left_to_the_next_apply() {
    let mut world = World::with(ESTATE).await;
    world.settle().await;
    let more = ESTATE.to_owned() + "location \"new\" {\n  name = \"New\"\n  countries = [\"SE\"]\n}\n";
    world.write(&more);
    // It dies when the create is done and before the journal says so.
    world.files = Arc::new(Mortal::new(3, Death::Before));
    let _dead = world.apply().await;
    world.files = Arc::new(RealFiles);
    assert_eq!(world.names(Kind::NamedLocations), ["Home", "L", "New"]);
    assert!(
        world.journal().is_some_and(|journal| journal.contains("New")),
        "the create is open"
    );
    std::fs::write(world.path(STATE), "{").unwrap();
    std::fs::remove_dir_all(world.path(".capol/history")).unwrap();
    let repaired = repair(&world, false).await.unwrap();
    assert_eq!(left(&repaired), [("location.new", WhyLeft::UnknownCreate, 1)]);
    assert!(repaired.unfinished_apply && !repaired.is_certain());
    world.wait(20);
    world.settle().await;
    let names = world.names(Kind::NamedLocations);
    assert_eq!(names, ["Home", "L", "New"], "nothing is there twice");
}
