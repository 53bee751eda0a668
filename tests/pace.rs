//! At the service's rate: an apply takes the time that its requests take, and not much more.
//!
//! Time is virtual, so what is tested is a count: seconds waited against requests made.

use std::fmt::Write as _;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use capol::apply::{Clock, Patience};
use capol::graph::observe::Silent;
use capol::graph::{Lane, Pace};
use capol::ops::connection::{self, Connection, Environment};
use capol::ops::project::{self, Given, Loaded};
use capol::ops::workspace::{Narrowing, Supervision, Worker, Workspace};
use capol::plan::Plan;
use capol::sandbox::{Bucket, Effect, Embedded, Faults, RetryAfter, Rule, SandboxOptions, When};
use tokio::time::Instant;

use crate::in_memory::{client, in_virtual_time, tenant, tokio_clock};

/// A project, its tenant in memory, and the time that passes there.
struct Site {
    folder: tempfile::TempDir,
    tenant: Embedded,
    clock: capol::sandbox::Clock,
    connection: Connection,
}

impl Site {
    async fn new(text: &str, pace: Pace, faults: Faults) -> Self {
        let tenant = tenant(SandboxOptions::default());
        let clock = tokio_clock("2026-03-01T09:00:00Z".parse().unwrap());
        tenant.set_faults(faults);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("main.capol"), text).unwrap();
        let connection = connection::connect(client(&tenant, pace), None).await.unwrap();
        Self {
            folder,
            tenant,
            clock,
            connection,
        }
    }

    fn parts(&self) -> (Loaded, Workspace, Worker) {
        let now = (self.clock)();
        let loaded = project::load(self.folder.path(), &Given::default(), &Environment::new(), now);
        assert!(!loaded.diagnostics.has_errors(), "{:?}", loaded.diagnostics);
        let workspace = Workspace::of(self.folder.path(), &loaded.configuration, None, true).unwrap();
        let clock = self.clock.clone();
        let worker = Worker {
            who: "ada".into(),
            command: "apply".into(),
            now,
            now_is_said: true,
            clock: Clock::new(move || clock()),
            patience: Patience::default(),
            parallelism: 10,
            lock: true,
            lock_patience: Duration::ZERO,
        };
        (loaded, workspace, worker)
    }

    async fn plan(&self) -> Plan {
        let (loaded, workspace, worker) = self.parts();
        let narrowing = Narrowing::default();
        let planned = workspace.plan(&self.connection, &loaded, &narrowing, &worker);
        planned.await.unwrap().plan
    }

    async fn apply(&self) {
        let (loaded, workspace, worker) = self.parts();
        let guard = workspace.lock(&worker).await.unwrap();
        let planned = workspace
            .plan(&self.connection, &loaded, &Narrowing::default(), &worker)
            .await
            .unwrap();
        let stop = AtomicBool::new(false);
        let supervision = Supervision {
            fail_fast: false,
            events: &Silent,
            stop: &stop,
        };
        let configuration = &loaded.configuration;
        let applied = workspace
            .apply(
                &self.connection,
                &guard,
                &planned,
                configuration,
                &worker,
                supervision,
            )
            .await
            .unwrap();
        assert!(
            applied.is_complete() && applied.mismatches.is_empty(),
            "{applied:#?}"
        );
    }

    /// The Conditional Access requests that were answered with something else than "come back later", and those.
    fn rationed(&self) -> (u32, u32) {
        let requests = self.tenant.requests();
        let lane = |path: &str| {
            Lane::of(
                path.trim_start_matches('/')
                    .split_once('/')
                    .map_or("", |(_, rest)| rest),
            )
        };
        let rationed = requests
            .iter()
            .filter(|request| lane(&request.path) == Lane::ConditionalAccess);
        let throttled = rationed.clone().filter(|request| request.status == 429).count();
        let all = rationed.count();
        (
            u32::try_from(all - throttled).unwrap(),
            u32::try_from(throttled).unwrap(),
        )
    }
}

fn creates(policies: usize) -> String {
    let mut text = String::new();
    for n in 0..5 {
        writeln!(
            text,
            "location \"site_{n}\" {{\n  name = \"Site {n}\"\n  ip_ranges = [\"203.0.113.{n}/32\"]\n}}"
        )
        .unwrap();
    }
    for n in 0..policies {
        let site = n % 5;
        writeln!(
            text,
            "policy \"p_{n}\" {{\n  name = \"P {n}\"\n  state = report_only\n  users {{ include = [all] }}\n  \
             apps {{ include = [all] }}\n  locations {{\n    include = [all]\n    exclude = [location.site_{site}]\n  }}\n  \
             grant = any_of(mfa)\n}}"
        )
        .unwrap();
    }
    text
}

fn one_a_second(retry_after: Option<RetryAfter>) -> Bucket {
    Bucket::new(Duration::from_secs(1), 1, retry_after)
}

fn every_retry_after() -> [Option<RetryAfter>; 6] {
    [
        None,
        Some(RetryAfter::Seconds(1)),
        Some(RetryAfter::Seconds(10)),
        Some(RetryAfter::Seconds(u32::MAX)),
        Some(RetryAfter::Date(Duration::from_secs(10))),
        Some(RetryAfter::Text("soon".into())),
    ]
}

#[test]
fn an_apply_takes_a_second_for_each_request_and_a_tenth_more_at_most() {
    for retry_after in every_retry_after() {
        for milliseconds in [0, 30, 300] {
            in_virtual_time(async {
                let latency = Duration::from_millis(milliseconds);
                let faults = Faults::none()
                    .limit(one_a_second(retry_after.clone()))
                    .latency(latency, Duration::ZERO);
                let site = Site::new(&creates(100), Pace::SERVICE, faults).await;
                let start = Instant::now();
                site.apply().await;
                let (requests, throttled) = site.rationed();
                let seconds = start.elapsed().as_secs_f64();
                // 105 creates, and twice the lists: policies in both versions, locations.
                assert_eq!((requests, throttled), (105 + 6, 0), "{retry_after:?}");
                assert!(
                    seconds <= 1.1 * f64::from(requests),
                    "{seconds} s for {requests} requests, {retry_after:?}, {latency:?}"
                );
                let plan = site.plan().await;
                assert!(!plan.verdict.has_changes());
            });
        }
    }
}

#[test]
fn somebody_else_at_the_bucket_slows_the_apply_and_neither_stalls_nor_fails_it() {
    for retry_after in every_retry_after() {
        in_virtual_time(async {
            let rule = Rule::new(
                When::Every(20),
                Effect::Throttle {
                    retry_after: retry_after.clone(),
                },
            );
            let faults = Faults::none()
                .limit(one_a_second(retry_after.clone()))
                .with(rule.path("conditionalAccess"));
            let site = Site::new(&creates(100), Pace::SERVICE, faults).await;
            let start = Instant::now();
            site.apply().await;
            let (requests, throttled) = site.rationed();
            let waited: f64 = match retry_after {
                Some(RetryAfter::Seconds(10) | RetryAfter::Date(_)) => 10.0,
                _ => 1.0,
            };
            // What was told is waited for each time, and about two seconds are lost by going slower.
            let expected = 1.1 * f64::from(requests) + f64::from(throttled) * (waited + 2.0);
            let seconds = start.elapsed().as_secs_f64();
            assert!(
                seconds <= expected,
                "{seconds} s, {throttled} throttled, {retry_after:?}"
            );
            assert!(throttled <= 8, "{throttled} throttled, {retry_after:?}");
        });
    }
}

#[test]
fn who_does_not_know_the_rate_finds_it() {
    for retry_after in every_retry_after() {
        in_virtual_time(async {
            let faults = Faults::none().limit(one_a_second(retry_after.clone()));
            let site = Site::new(&creates(100), Pace::UNLIMITED, faults).await;
            let start = Instant::now();
            let plan = site.plan().await;
            assert_eq!(plan.verdict.create, 105);
            assert!(
                start.elapsed().as_secs() <= 60,
                "{:?}, {retry_after:?}",
                start.elapsed()
            );
            let start = Instant::now();
            site.apply().await;
            let (requests, throttled) = site.rationed();
            let seconds = start.elapsed().as_secs_f64();
            assert!(
                seconds <= 1.1 * f64::from(requests) + 60.0 && throttled <= 40,
                "{seconds} s for {requests} requests, {throttled} throttled, {retry_after:?}"
            );
        });
    }
}

#[test]
fn a_tenant_without_a_limit_is_not_slowed_for_long_by_one_refusal() {
    in_virtual_time(async {
        let rule = Rule::new(When::Only(20), Effect::Throttle { retry_after: None });
        let site = Site::new(&creates(100), Pace::UNLIMITED, Faults::none().with(rule)).await;
        let start = Instant::now();
        site.apply().await;
        assert!(start.elapsed().as_secs() <= 2, "{:?}", start.elapsed());
    });
}
