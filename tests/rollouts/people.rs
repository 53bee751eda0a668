//! Who is reached by a wave.

use std::collections::BTreeMap;

use capol::sandbox::Kind;
use serde_json::{Value, json};

use super::{Direction, POLICY, REPORT_ONLY, go, policy};
use crate::world::World;

const PEOPLE: &str = "Contoso people";

/// A company of so many people in three departments, of which one is small.
async fn company(text: &str, people: u32) -> World {
    let world = World::with(text).await;
    let departments = [
        "Sales", "Sales", "Sales", "Sales", "Research", "Research", "Research", "Research", "Legal",
    ];
    let scenario = json!({ "group": PEOPLE, "people": people, "departments": departments });
    let now = world.worker("sandbox load").now;
    world
        .sandbox
        .with_tenant(|tenant| tenant.load_scenario(&scenario, now).unwrap());
    world
}

/// The members of a group that state knows, by department.
async fn departments(world: &World, address: &str) -> BTreeMap<String, usize> {
    let id = world.id(address).await;
    world.sandbox.with_tenant(|tenant| {
        let mut counts = BTreeMap::new();
        for member in tenant.members(&id).to_vec() {
            let user = tenant.object(Kind::Users, &member).unwrap();
            let department = user["department"].as_str().unwrap_or_default().to_owned();
            *counts.entry(department).or_default() += 1;
        }
        counts
    })
}

#[tokio::test]
async fn a_stratified_share_has_its_part_of_every_department() {
    let rollout = format!(
        r#"
rollout "mfa" {{
  policy = policy.mfa
  wave "some"     {{ share = 10%, of = group("{PEOPLE}"), stratify_by = "department" }}
  wave "more"     {{ share = 50%, of = group("{PEOPLE}"), stratify_by = "department" }}
  wave "everyone" {{ }}
}}
"#
    );
    let world = company(&format!("{POLICY}{rollout}"), 180).await;
    world.apply().await.unwrap().complete();
    let some = departments(&world, "group.mfa_cohort").await;
    assert_eq!(
        some,
        BTreeMap::from([("Legal".into(), 2), ("Research".into(), 8), ("Sales".into(), 8)])
    );

    // Who was in it stays in it.
    let members = |world: &World, id: &str| world.sandbox.with_tenant(|tenant| tenant.members(id).to_vec());
    let id = world.id("group.mfa_cohort").await;
    let before = members(&world, &id);
    go(&world, Direction::Advance, None).await.unwrap().complete();
    let after = members(&world, &id);
    assert_eq!(after.len(), 90);
    assert!(before.iter().all(|member| after.contains(member)));
}

#[tokio::test]
async fn changes_to_the_group_by_hand_are_seen_and_taken_back() {
    let rollout = format!(
        "rollout \"mfa\" {{\n  policy = policy.mfa\n  wave \"some\" {{ share = 10%, of = group(\"{PEOPLE}\") }}\n  wave \"everyone\" {{ }}\n}}\n"
    );
    let world = company(&format!("{POLICY}{rollout}"), 100).await;
    world.apply().await.unwrap().complete();
    let id = world.id("group.mfa_cohort").await;
    let before = world.sandbox.with_tenant(|tenant| tenant.members(&id).to_vec());
    world.sandbox.with_tenant(|tenant| {
        let mut members = tenant.members(&id).to_vec();
        members.pop();
        members.push(crate::world::id_of(tenant, "Grace Hopper"));
        let id = id.clone();
        tenant
            .load_objects(&json!({ "members": { id: members } }))
            .unwrap();
    });
    assert!(world.plan().await.unwrap().verdict.has_changes());
    world.apply().await.unwrap().complete();
    let mut after = world.sandbox.with_tenant(|tenant| tenant.members(&id).to_vec());
    let mut before = before;
    before.sort();
    after.sort();
    assert_eq!(after, before);
}

/// While a wave is enforced on some, a report-only twin watches the others; with the last wave it goes.
#[tokio::test]
async fn a_twin_observes_those_who_are_not_reached_yet() {
    let rollout = r#"
rollout "mfa" {
  policy       = policy.mfa
  observe_rest = true
  wave "observe"  { state = report_only }
  wave "pilot"    { users = [group.pilots] }
  wave "everyone" { }
}
"#;
    let world = World::with(&format!("{POLICY}{rollout}")).await;
    world.apply().await.unwrap().complete();
    let twin = "policy.mfa_observer";
    assert!(!world.state().await.resources.contains_key(twin));
    go(&world, Direction::Advance, None).await.unwrap().complete();
    let pilots = json!([world.id("group.pilots").await]);
    let (state, users) = policy(&world).await;
    assert_eq!((state.as_str(), &users["includeGroups"]), ("enabled", &pilots));
    let live = world.live(Kind::Policies, twin).await;
    assert_eq!(live["state"], REPORT_ONLY);
    assert_eq!(live["conditions"]["users"]["includeUsers"], json!(["All"]));
    assert_eq!(live["conditions"]["users"]["excludeGroups"], pilots);
    go(&world, Direction::Advance, None).await.unwrap().complete();
    assert!(!world.state().await.resources.contains_key(twin));
    assert_eq!(policy(&world).await.1["includeUsers"], json!(["All"]));
}

/// A wave never reaches whom the policy does not, and its exclusions hold.
#[tokio::test]
async fn a_wave_is_the_part_of_the_policys_people_that_is_in_it() {
    let text = r#"
policy "mfa" {
  name  = "MFA for staff"
  state = enabled
  users { include = [group.staff], exclude = [group.pilots] }
  apps { include = [all] }
  grant = mfa
}
group "staff" {
  name    = "Staff"
  managed = true
  members = [user("ada@contoso.com"), user("alan@contoso.com")]
}
group "pilots" {
  name    = "Pilots"
  managed = true
  members = [user("alan@contoso.com")]
}
rollout "mfa" {
  policy = policy.mfa
  wave "observe"  { state = report_only }
  wave "some"     { users = [user("ada@contoso.com"), user("grace@contoso.com")] }
  wave "everyone" { }
}
"#;
    let world = World::with(text).await;
    world.apply().await.unwrap().complete();
    go(&world, Direction::Advance, None).await.unwrap().complete();
    let (_, users) = policy(&world).await;
    let cohort = world.id("group.mfa_cohort").await;
    assert_eq!(users["includeGroups"], json!([cohort]));
    assert_eq!(users["includeUsers"], json!([]));
    assert_eq!(users["excludeGroups"], json!([world.id("group.pilots").await]));
    let ada = world
        .sandbox
        .with_tenant(|tenant| crate::world::id_of(tenant, "Ada Lovelace"));
    let members: Vec<String> = world
        .sandbox
        .with_tenant(|tenant| tenant.members(&cohort).to_vec());
    assert_eq!(members, [ada]);
}

/// Rollouts over `for_each` stand apart, and a moved one goes on where it was.
#[tokio::test]
async fn each_of_several_rollouts_stands_for_itself_and_one_that_moves_keeps_its_place() {
    let text = |rollout: &str| {
        format!(
            r#"
policy "mfa" {{
  for_each = {{ a = "A", b = "B" }}
  name     = "MFA ${{each.value}}"
  state    = enabled
  users {{ include = [all] }}
  apps {{ include = [all] }}
  grant = mfa
}}
rollout "{rollout}" {{
  for_each = {{ a = "A", b = "B" }}
  policy   = policy.mfa[each.key]
  wave "observe"  {{ state = report_only }}
  wave "everyone" {{ }}
}}
"#
        )
    };
    let world = World::with(&text("mfa")).await;
    world.apply().await.unwrap().complete();
    let ask = capol::ops::rollout::Ask::Go {
        rollout: "rollout.mfa[\"a\"]".parse().unwrap(),
        to: Direction::Advance,
        tried: false,
        forced: None,
        gate: None,
    };
    let narrowing = capol::ops::workspace::Narrowing {
        ask: Box::new(ask),
        ..Default::default()
    };
    world.apply_narrowed(&narrowing).await.unwrap().complete();
    let states = |world: &World| -> BTreeMap<String, Value> {
        let policies = world.objects(Kind::Policies).into_iter();
        policies
            .filter(|policy| policy["displayName"].as_str().unwrap().starts_with("MFA "))
            .map(|policy| {
                (
                    policy["displayName"].as_str().unwrap().to_owned(),
                    policy["state"].clone(),
                )
            })
            .collect()
    };
    let wanted = BTreeMap::from([
        ("MFA A".into(), json!("enabled")),
        ("MFA B".into(), json!(REPORT_ONLY)),
    ]);
    assert_eq!(states(&world), wanted);

    world.write(&(text("anew") + "moved {\n  from = rollout.mfa\n  to   = rollout.anew\n}\n"));
    world.apply().await.unwrap().complete();
    assert_eq!(states(&world), wanted);
    let standings = capol::rollout::standing::standings(&world.state().await).unwrap();
    let names: BTreeMap<String, Option<&str>> = standings
        .iter()
        .map(|(address, standing)| (address.to_string(), standing.wave_name()))
        .collect();
    let wanted = BTreeMap::from([
        ("rollout.anew[\"a\"]".to_owned(), Some("everyone")),
        ("rollout.anew[\"b\"]".to_owned(), Some("observe")),
    ]);
    assert_eq!(names, wanted);
}
