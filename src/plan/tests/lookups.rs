//! Names into ids.

use super::world::*;
use crate::model::configuration::Configuration;
use crate::model::live::{Answer, Candidate};
use crate::model::{Lookup, Reference, Target};
use crate::plan::{Names, questions, reading};
use serde_json::json;

fn excluding(reference: Reference) -> Configuration {
    configuration([("policy.a", with(policy("A", json!({})), NOT_USERS, [reference]))])
}

fn lookup(target: Target, name: &str) -> Lookup {
    Lookup {
        target,
        name: name.into(),
    }
}

#[test]
fn a_name_that_means_nothing_or_too_much_is_an_error_with_candidates() {
    let mut world = World::new();
    let desired = excluding(Reference::lookup(Target::User, "ada"));
    let candidates = vec![Candidate::new(ADA, "Ada"), Candidate::new(BOB, "Bob")];
    let mut refuse = |answer: Answer| {
        world
            .directory
            .answers
            .insert(lookup(Target::User, "ada"), answer);
        let errors = world.try_plan(&desired, &options()).unwrap_err();
        let error = &errors.0[0];
        let help = miette::Diagnostic::help(error).unwrap().to_string();
        assert_eq!(error.origin(), Some(origin(11)), "the reference is pointed at");
        (error.to_string(), help)
    };
    assert_eq!(
        refuse(Answer::Missing(candidates.clone())),
        (
            "no user is called `ada`".into(),
            "write one of `user(\"Ada\")`, `user(\"Bob\")`".into()
        )
    );
    assert_eq!(
        refuse(Answer::Ambiguous(candidates)),
        (
            "2 users are called `ada`".into(),
            format!("write the id of the one that is meant: `user(\"{ADA}\")`, `user(\"{BOB}\")`")
        )
    );
    world.directory.answers.clear();
    assert_eq!(world.refused(&desired), ["user(\"ada\") was not looked up"]);
}

#[test]
fn locations_and_strengths_are_found_in_the_tenant_itself() {
    let mut world = World::new();
    world.put(&location("HQ", false));
    let at = |name: &str| {
        configuration([(
            "policy.a",
            with(
                policy("A", json!({})),
                LOCATIONS,
                [Reference::lookup(Target::Location, name)],
            ),
        )])
    };
    world.apply(&at("hq"));
    assert_eq!(world.refused(&at("H Q")), ["no location is called `H Q`"]);
    world.put(&location("HQ", false));
    assert_eq!(world.refused(&at("HQ")), ["2 locations are called `HQ`"]);
    let mut here = at("New");
    add(&mut here, "location.new", location("New", false), 500);
    let errors = world.try_plan(&here, &options()).unwrap_err();
    assert_eq!(
        miette::Diagnostic::help(&errors.0[0]).unwrap().to_string(),
        "this configuration makes it: write `location.new`"
    );
}

#[test]
fn an_id_that_nothing_has_is_an_error_when_new_and_a_warning_when_old() {
    let mut world = World::new();
    let desired = excluding(Reference::id(Target::User, ADA));
    world.directory.missing_ids.insert(ADA.into());
    assert_eq!(
        world.refused(&desired),
        [format!("nothing in the tenant has the id `{ADA}`")]
    );
    world.directory.missing_ids.clear();
    world.apply(&desired);
    world.directory.missing_ids.insert(ADA.into());
    let plan = world.plan(&desired);
    assert_eq!(plan.notes[0].code, "plan::missing_id");
    assert!(!plan.verdict.has_changes());
}

#[test]
fn a_kind_that_was_not_read_is_never_taken_for_empty() {
    let mut world = World::new();
    world.apply(&configuration([("location.hq", location("HQ", false))]));
    world.objects.clear();
    world.live.complete.remove(&crate::model::Kind::IpLocation);
    assert_eq!(
        world.refused(&configuration([])),
        ["the tenant's location objects were not read, so nothing can be planned for them"]
    );
}

#[test]
fn what_must_be_asked_is_told_before() {
    let mut desired = excluding(Reference::lookup(Target::User, "ada"));
    add(
        &mut desired,
        "policy.b",
        with(
            with(
                policy("B", json!({})),
                LOCATIONS,
                [Reference::lookup(Target::Location, "HQ")],
            ),
            NOT_GROUPS,
            [Reference::id(Target::Group, BOB)],
        ),
        500,
    );
    let world = World::new();
    let read = reading(&desired, Some(&world.state));
    assert_eq!(read.blocks, ["location", "policy"].into());
    assert!(read.beta.is_empty());
    let asked = questions(&desired, &world.live());
    assert_eq!(asked.lookups, [lookup(Target::User, "ada")].into());
    assert_eq!(asked.ids, [(Target::Group, BOB.to_owned())].into());
}

#[test]
fn people_see_names() {
    let mut world = World::new();
    world.directory.names.insert(ADA.into(), "Ada".into());
    let desired = excluding(Reference::id(Target::User, ADA));
    let plan = world.apply(&desired);
    let names = Names::of(&plan);
    let written = |reference: &Reference| names.written(reference, None);
    assert_eq!(written(&Reference::id(Target::User, ADA)), "user(\"Ada\")");
    assert_eq!(
        written(&Reference::id(
            Target::Role,
            "62e90394-69f5-4237-9190-012177145e10"
        )),
        "role.global_administrator"
    );
    assert_eq!(written(&managed(Target::Location, "location.hq")), "location.hq");
}
