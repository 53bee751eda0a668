//! Whatever an engineer can say, the second plan is empty.

use super::world::*;
use crate::model::arbitrary;
use crate::model::live::LiveObject;
use crate::model::properties::ApiVersion;
use crate::model::{Kind, Object, wire};
use crate::plan::canonical::{canonical, changes};
use crate::plan::difference::{self, Memory};
use proptest::prelude::*;
use serde_json::Value as Json;

fn any_object() -> impl Strategy<Value = Object> {
    proptest::sample::select(arbitrary::WRITTEN.as_slice()).prop_flat_map(arbitrary::object)
}

fn two_of_a_kind() -> impl Strategy<Value = (Object, Object)> {
    proptest::sample::select(arbitrary::WRITTEN.as_slice())
        .prop_flat_map(|kind| (arbitrary::object(kind), arbitrary::object(kind)))
}

fn address_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Policy => "policy.x",
        Kind::Strength => "strength.x",
        Kind::Context => "context.x",
        Kind::Group => "group.x",
        _ => "location.x",
    }
}

/// The same JSON as another tool or the service would write it.
fn shuffled(json: &Json, reverse: bool) -> Json {
    match json {
        Json::Object(map) => map
            .iter()
            .map(|(member, value)| {
                let emptied = matches!(value, Json::Array(values) if values.is_empty());
                let value = if emptied {
                    Json::Null
                } else {
                    shuffled(value, reverse)
                };
                (member.clone(), value)
            })
            .collect(),
        Json::Array(values) => {
            let mut values: Vec<Json> = values.iter().map(|value| shuffled(value, reverse)).collect();
            if reverse {
                values.reverse();
            }
            Json::Array(values)
        }
        other => other.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(object in any_object()) {
        let mut written = object.clone();
        if object.kind == Kind::Group {
            // Members are written one by one, and a missing alias is made up.
            written.set("members", None);
        }
        let body = wire::encode(&written, &mut |_| None).unwrap();
        let mut read = wire::decode(object.kind, &body.json).unwrap().object;
        if written.get("mailNickname").is_none() {
            read.set("mailNickname", None);
        }
        prop_assert_eq!(&read, &written);
        let unknown = wire::decode(object.kind, &body.json).unwrap().unknown;
        prop_assert!(unknown.is_null(), "{}", unknown);
    }

    #[test]
    fn order_and_emptiness_are_no_changes(object in any_object(), reverse in any::<bool>()) {
        let mut world = World::new();
        let desired = configuration([(address_of(object.kind), object)]);
        // Rules of the service don't matter here, only how things are written.
        let Ok(plan) = world.try_plan(&desired, &options()) else { return Ok(()) };
        world.carry_out(&plan);
        for (_, json) in world.objects.values_mut() {
            *json = shuffled(json, reverse);
        }
        let again = world.plan(&desired);
        prop_assert!(!again.verdict.has_changes(), "{:#?}", again.changes);
        prop_assert!(again.changes.iter().all(|change| change.drift.is_empty()));
    }

    /// Whatever the rules of the service: one PATCH makes one policy or location into any other.
    #[test]
    fn one_patch_is_enough((from, to) in two_of_a_kind(), reverse in any::<bool>()) {
        prop_assume!(matches!(from.kind, Kind::Policy | Kind::IpLocation | Kind::CountryLocation | Kind::Context));
        let mut json = shuffled(&canonical(&from).unwrap().1.json.value(), reverse);
        json["id"] = serde_json::json!("c1");
        let read = |json: &Json| LiveObject::read(from.kind, json.clone(), ApiVersion::V1).unwrap();
        let nothing = Memory::default();
        let (after, _) = canonical(&to).unwrap();
        let live = read(&json);
        let found = difference::compare(&after, &live, &nothing);
        merge(&mut json, &changes(&after, &found.properties).unwrap().json.value());
        let left = difference::compare(&after, &read(&json), &nothing);
        prop_assert_eq!(left, difference::Difference::default(), "{:#}", json);
    }

    #[test]
    fn any_object_becomes_any_other_of_its_kind((from, to) in two_of_a_kind()) {
        let at = address_of(from.kind);
        let mut world = World::new();
        let (first, second) = (configuration([(at, from)]), configuration([(at, to)]));
        let Ok(plan) = world.try_plan(&first, &options()) else { return Ok(()) };
        world.carry_out(&plan);
        let Ok(plan) = world.try_plan(&second, &options()) else { return Ok(()) };
        world.carry_out(&plan);
        let again = world.plan(&second);
        prop_assert!(!again.verdict.has_changes(), "{:#?}\n{:#?}", again.changes, plan.steps);
    }
}
