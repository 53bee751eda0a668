//! A group of 20,000 members, as a wave of a rollout may be: written in few requests, gone on with after a death, mended.

use std::sync::Arc;

use capol::sandbox::{Kind, Tenant};
use serde_json::json;

use crate::world::{Death, Mortal, World};

const MEMBERS: usize = 20_000;

fn person(number: usize) -> String {
    format!("a0000000-0000-4000-8000-{number:012}")
}

fn tenant(count: usize) -> Tenant {
    let users: Vec<_> = (0..count)
        .map(|number| {
            json!({
                "id": person(number),
                "displayName": format!("Person {number}"),
                "userPrincipalName": format!("person{number}@contoso.com"),
            })
        })
        .collect();
    let mut tenant = Tenant::contoso();
    tenant.load_objects(&json!({ "users": users })).unwrap();
    tenant
}

fn text(members: impl Iterator<Item = usize>) -> String {
    let members: Vec<String> = members
        .map(|number| format!("user(\"{}\")", person(number)))
        .collect();
    format!(
        "group \"wave\" {{\n  managed = true\n  name = \"Wave\"\n  members = [{}]\n}}\n",
        members.join(", ")
    )
}

fn held(world: &World) -> usize {
    world.sandbox.with_tenant(|tenant| {
        let group = tenant
            .objects(Kind::Groups)
            .find(|group| group["displayName"] == "Wave")
            .map(|group| group["id"].as_str().unwrap().to_owned());
        group.map_or(0, |id| tenant.members(&id).len())
    })
}

#[tokio::test]
async fn twenty_thousand_members_take_few_requests_and_are_seen_and_mended() {
    let world = World::of(tenant(MEMBERS)).await;
    world.write(&text(0..MEMBERS));
    let before = world.connect().await.graph.requests_sent();
    let done = world.apply().await.unwrap();
    assert!(done.applied.failure.is_none(), "{:?}", done.applied.failure);
    let sent = world.connect().await.graph.requests_sent() - before;
    assert_eq!(held(&world), MEMBERS);
    assert!(sent < 1_100, "{sent} requests");
    // Somebody takes five out by hand and lets a stranger in.
    world.sandbox.with_tenant(|tenant| {
        let id = tenant
            .objects(Kind::Groups)
            .find(|group| group["displayName"] == "Wave")
            .map(|group| group["id"].as_str().unwrap().to_owned())
            .unwrap();
        let mut members = tenant.members(&id).to_vec();
        members.drain(..5);
        let stranger = tenant.objects(Kind::Users).next().unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned();
        members.push(stranger);
        tenant
            .load_objects(&json!({ "members": { id: members } }))
            .unwrap();
    });
    let before = world.connect().await.graph.requests_sent();
    world.apply().await.unwrap();
    let sent = world.connect().await.graph.requests_sent() - before;
    assert_eq!(held(&world), MEMBERS);
    assert!(sent < 100, "{sent} requests to mend six");
}

#[tokio::test]
async fn after_a_death_in_the_middle_only_what_is_missing_is_written() {
    let count = 2_000;
    let mut world = World::of(tenant(count)).await;
    world.write(&text(0..count));
    let life = Mortal::new(80, Death::After);
    world.files = Arc::new(life.clone());
    let died = world.apply().await;
    assert!(life.is_dead() && died.map_or(true, |done| done.applied.failure.is_some()));
    world.files = Arc::new(capol::state::files::RealFiles);
    let there = held(&world);
    assert!(there > 0 && there < count, "{there} when it died");
    let before = world.connect().await.graph.requests_sent();
    world.apply().await.unwrap();
    let sent = usize::try_from(world.connect().await.graph.requests_sent() - before).unwrap();
    assert_eq!(held(&world), count);
    let missing = (count - there).div_ceil(20);
    // The rest, and the reading around it.
    assert!(sent < missing + 40, "{sent} requests for {missing} of twenty");
    world.settle().await;
}
