//! The process dies at every record of the journal; the next run comes to the same end.

use std::collections::BTreeSet;
use std::sync::Arc;

use capol::sandbox::{Effect, Faults, Kind, Tenant, When};

use super::faults::write;
use crate::world::{Death, Mortal, World};

fn policy(label: &str, body: &str) -> String {
    format!(
        "policy \"{label}\" {{\n  name = \"{label}\"\n  state = report_only\n  apps {{ include = [all] }}\n  {body}\n}}\n"
    )
}

fn location(label: &str, body: &str) -> String {
    format!("location \"{label}\" {{\n  name = \"{label}\"\n  {body}\n}}\n")
}

fn group(members: &str) -> String {
    format!("group \"g\" {{\n  managed = true\n  name = \"g\"\n  members = [{members}]\n}}\n")
}

/// A world as an apply left it, to start from again and again.
struct Start {
    tenant: Tenant,
    files: Vec<(std::path::PathBuf, Vec<u8>)>,
}

impl Start {
    async fn of(text: &str) -> Self {
        let world = World::with(text).await;
        if !text.is_empty() {
            world.settle().await;
        }
        let mut files = Vec::new();
        for name in ["settings.capol", "capol.state.json"] {
            if let Ok(bytes) = std::fs::read(world.path(name)) {
                files.push((name.into(), bytes));
            }
        }
        Self {
            tenant: world.sandbox.with_tenant(|tenant| tenant.clone()),
            files,
        }
    }

    async fn world(&self, text: &str) -> World {
        let world = World::of(self.tenant.clone()).await;
        for (name, bytes) in &self.files {
            std::fs::write(world.folder.path().join(name), bytes).unwrap();
        }
        world.write(text);
        world
    }
}

/// From one text to another, with a death at every record, in each of three ways.
async fn dies_everywhere(from: &str, to: &str, parallelism: usize) {
    let start = Start::of(from).await;
    let whole = start.world(to).await;
    whole.settle().await;
    let end = whole.shape();
    let addresses: Vec<String> = whole.state().await.resources.into_keys().collect();
    let mut records = 0;
    for death in [Death::Before, Death::Within, Death::After] {
        for at in 0.. {
            let mut world = start.world(to).await;
            world.parallelism = parallelism;
            let life = Mortal::new(at, death);
            world.files = Arc::new(life.clone());
            let died = world.apply().await;
            if !life.is_dead() {
                records = life.writes();
                break;
            }
            let told = died.map_or(true, |done| done.applied.failure.is_some());
            assert!(told, "{death:?} {at}: the death was not told");
            world.files = Arc::new(capol::state::files::RealFiles);
            if world.apply().await.is_ok_and(|done| !done.plan.held.is_empty()) {
                world.wait(16);
            }
            world.settle().await;
            assert_eq!(world.shape(), end, "{death:?} {at}");
            let state = world.state().await;
            let kept: Vec<&String> = state.resources.keys().collect();
            assert_eq!(kept, addresses.iter().collect::<Vec<_>>(), "{death:?} {at}");
            let ids: BTreeSet<String> = state.resources.values().map(|kept| kept.id.clone()).collect();
            assert_eq!(
                ids.len(),
                kept.len(),
                "{death:?} {at}: two addresses have one object"
            );
            assert!(world.journal().is_none(), "{death:?} {at}");
        }
    }
    assert!(records > 3, "{records}");
}

#[tokio::test]
async fn creates_survive_death_at_every_record() {
    let to = location("l", "ip_ranges = [\"203.0.113.0/24\"]")
        + &policy(
            "p",
            "users { include = [all] }\n  locations { include = [all], exclude = [location.l] }\n  grant = mfa",
        );
    dies_everywhere("", &to, 4).await;
}

#[tokio::test]
async fn twins_survive_lost_answers_and_death_at_every_record() {
    let of_one_name = |label: &str| {
        policy(label, "users { include = [all] }\n  grant = mfa")
            .replace(&format!("name = \"{label}\""), "name = \"P\"")
    };
    let to = of_one_name("p") + &of_one_name("q");
    for at in 0.. {
        let mut world = World::of(Start::of("").await.tenant).await;
        world.write(&to);
        world.faults(write(
            "Access/policies",
            When::First(2),
            Effect::Drop { commit: true },
        ));
        let life = Mortal::new(at, Death::Before);
        world.files = Arc::new(life.clone());
        let _ = world.apply().await;
        if !life.is_dead() {
            break;
        }
        world.files = Arc::new(capol::state::files::RealFiles);
        world.faults(Faults::none());
        world.settle().await;
        assert_eq!(world.names(Kind::Policies), ["P", "P"], "{at}");
        assert_ne!(world.id("policy.p").await, world.id("policy.q").await, "{at}");
    }
}

#[tokio::test]
async fn neighbours_survive_death_at_every_record() {
    let to = group("user(\"ada@contoso.com\")")
        + "strength \"s\" {\n  name = \"s\"\n  combinations = [fido2]\n}\n"
        + "context \"c\" {\n  id = \"c42\"\n  name = \"c\"\n}\n"
        + &policy("p", "users { include = [group.g] }\n  grant = strength.s");
    dies_everywhere("", &to, 4).await;
}

#[tokio::test]
async fn updates_survive_death_at_every_record() {
    let from = group("user(\"ada@contoso.com\")")
        + "strength \"s\" {\n  name = \"s\"\n  combinations = [fido2]\n}\n"
        + &policy("p", "users { include = [group.g] }\n  grant = strength.s");
    let to = from
        .replace("ada@", "alan@")
        .replace("[fido2]", "[fido2, x509_multi_factor]\n  configurations {\n    fido2 {\n      applies_to = [fido2]\n      allowed_aaguids = [\"de1e552d-db1d-4423-a619-566b625cdc84\"]\n    }\n  }")
        .replace("grant = strength.s", "grant = strength.s\n  session { sign_in_frequency = 4h }");
    dies_everywhere(&from, &to, 4).await;
}

#[tokio::test]
async fn deletes_survive_death_at_every_record() {
    let from = location("l", "ip_ranges = [\"203.0.113.0/24\"]\n  trusted = true")
        + &policy(
            "p",
            "users { include = [all] }\n  locations { include = [all], exclude = [location.l] }\n  grant = mfa",
        )
        + &policy("q", "users { include = [all] }\n  grant = mfa");
    dies_everywhere(&from, &policy("q", "users { include = [all] }\n  grant = mfa"), 4).await;
}

#[tokio::test]
async fn replacements_survive_death_at_every_record() {
    let policy = policy(
        "p",
        "users { include = [all] }\n  locations { include = [all], exclude = [location.l] }\n  grant = mfa",
    );
    let from = location("l", "ip_ranges = [\"203.0.113.0/24\"]\n  trusted = true") + &policy;
    let to = location("l", "countries = [\"DK\"]") + &policy;
    dies_everywhere(&from, &to, 1).await;
}

#[tokio::test]
async fn moves_with_writes_survive_death_at_every_record() {
    let from = policy("p", "users { include = [all] }\n  grant = mfa")
        + &policy("old", "users { include = [all] }\n  grant = block");
    let to = policy("q", "users { include = [all] }\n  grant = compliant_device")
        + "moved {\n  from = policy.p\n  to = policy.q\n}\nremoved { from = policy.old }\n"
        + &policy("new", "users { include = [all] }\n  grant = block");
    dies_everywhere(&from, &to, 4).await;
}
