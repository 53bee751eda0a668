//! However far reads are behind, they tell nothing that never was, and in the end the truth.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use capol::sandbox::{Embedded, Faults, Kind, Sandbox, SandboxOptions, Visibility};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{POLICIES, policy};

/// What somebody does next.
#[derive(Debug, Clone)]
enum Step {
    Create,
    /// Of the objects so far, by position.
    Rename(usize),
    Delete(usize),
    Wait(u8),
    List,
    Read(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::Create),
        2 => (0..8_usize).prop_map(Step::Rename),
        1 => (0..8_usize).prop_map(Step::Delete),
        2 => (1..15_u8).prop_map(Step::Wait),
        4 => Just(Step::List),
        4 => (0..8_usize).prop_map(Step::Read),
    ]
}

fn visibility() -> impl Strategy<Value = Visibility> {
    let time = || prop_oneof![Just(0_u64), 1..40_u64].prop_map(Duration::from_secs);
    (time(), time(), time(), time(), time()).prop_map(
        |(unreadable, unlisted, flapping, lists_behind, reads_behind)| Visibility {
            unreadable,
            unlisted,
            flapping,
            lists_behind,
            reads_behind,
            ..Visibility::default()
        },
    )
}

/// A tenant, the names that each object ever had, and those it has now.
struct Story {
    tenant: Embedded,
    now: Arc<Mutex<Timestamp>>,
    headers: Vec<(String, String)>,
    ids: Vec<String>,
    ever: BTreeSet<(String, String)>,
    count: usize,
}

impl Story {
    fn send(&self, method: &str, url: &str, body: Option<Value>) -> (u16, Value) {
        let body = body.map(|body| body.to_string().into_bytes());
        let reply = self
            .tenant
            .answer(method, &format!("/{url}"), &self.headers, body.as_deref());
        (
            reply.status,
            serde_json::from_slice(&reply.body).unwrap_or_default(),
        )
    }

    fn wait(&self, seconds: i64) {
        *self.now.lock().unwrap() += SignedDuration::from_secs(seconds);
    }

    fn fresh_name(&mut self) -> String {
        self.count += 1;
        format!("name {}", self.count)
    }

    fn id(&self, position: usize) -> Option<String> {
        let position = position.checked_rem(self.ids.len())?;
        self.ids.get(position).cloned()
    }

    fn pair(object: &Value) -> (String, String) {
        let text = |name: &str| object[name].as_str().unwrap().to_owned();
        (text("id"), text("displayName"))
    }

    fn listed(&self) -> Vec<(String, String)> {
        let (status, body) = self.send("GET", POLICIES, None);
        assert_eq!(status, 200);
        body["value"].as_array().unwrap().iter().map(Self::pair).collect()
    }

    fn truth(&self) -> Vec<(String, String)> {
        let of =
            |tenant: &mut capol::sandbox::Tenant| tenant.objects(Kind::Policies).map(Self::pair).collect();
        self.tenant.with_tenant(of)
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Create => {
                let name = self.fresh_name();
                let (status, made) = self.send("POST", POLICIES, Some(policy(&name)));
                assert_eq!(status, 201);
                self.ever.insert(Self::pair(&made));
                self.ids.push(made["id"].as_str().unwrap().to_owned());
            }
            Step::Rename(position) => {
                let Some(id) = self.id(position) else { return };
                let name = self.fresh_name();
                let (status, _) = self.send(
                    "PATCH",
                    &format!("{POLICIES}/{id}"),
                    Some(json!({"displayName": name})),
                );
                assert!(matches!(status, 204 | 404));
                self.ever.insert((id, name));
            }
            Step::Delete(position) => {
                let Some(id) = self.id(position) else { return };
                self.send("DELETE", &format!("{POLICIES}/{id}"), None);
            }
            Step::Wait(seconds) => self.wait(i64::from(seconds)),
            Step::List => {
                for pair in self.listed() {
                    assert!(self.ever.contains(&pair), "{pair:?} never was");
                }
            }
            Step::Read(position) => {
                let Some(id) = self.id(position) else { return };
                let (status, body) = self.send("GET", &format!("{POLICIES}/{id}"), None);
                match status {
                    200 => assert!(self.ever.contains(&Self::pair(&body))),
                    other => assert_eq!(other, 404),
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn reads_are_old_at_worst_and_true_at_last(
        visibility in visibility(),
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let now: Arc<Mutex<Timestamp>> = Arc::new(Mutex::new("2026-03-01T09:00:00Z".parse().unwrap()));
        let clock = Arc::clone(&now);
        let tenant = Sandbox::in_memory(SandboxOptions {
            clock: Arc::new(move || *clock.lock().unwrap()),
            ..SandboxOptions::default()
        })
        .unwrap();
        tenant.set_faults(Faults::none().visibility(visibility));
        let headers = vec![
            ("authorization".to_owned(), format!("Bearer {}", tenant.access_token())),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        let mut story = Story { tenant, now, headers, ids: Vec::new(), ever: BTreeSet::new(), count: 0 };
        for step in &steps {
            story.take(step);
        }
        story.wait(40);
        let truth = story.truth();
        prop_assert_eq!(story.listed(), truth.clone());
        for id in &story.ids {
            let (status, body) = story.send("GET", &format!("{POLICIES}/{id}"), None);
            let seen = (status == 200).then(|| Story::pair(&body));
            let expected = truth.iter().find(|(known, _)| known == id).cloned();
            prop_assert_eq!(seen, expected);
        }
    }
}
