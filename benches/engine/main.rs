//! How fast the engine is: text, projects, plans that find nothing to do, the start of the command, whole commands.
//!
//! `benches/README.md` says how to compare two versions.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench times, prints and stops at the first surprise"
)]

mod access;
mod book;
mod dice;
mod effect;
mod gaps;
mod plot;
mod projects;
mod replay;
mod rollout;
mod runner;
mod whole;

use std::process::{Command, Stdio};
use std::sync::Arc;

use capol::lang::memory::Memory;
use capol::lang::{self, Inputs};
use capol::syntax::{self, FileId, SourceFile};
use jiff::Timestamp;

use runner::Runner;

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn main() {
    let mut runner = Runner::from_arguments();
    text(&mut runner);
    validate(&mut runner);
    no_op_plans(&mut runner);
    effect::run(&mut runner);
    gaps::run(&mut runner);
    access::measure(&mut runner);
    replays(&mut runner);
    rollout::run(&mut runner);
    cold_start(&mut runner);
    whole_commands(&mut runner);
    runner.finish();
}

fn text(runner: &mut Runner) {
    let text = projects::policies(1_000);
    let bytes = text.len();
    let read = || SourceFile::from_bytes(FileId(0), "main.capol", text.as_bytes()).unwrap();
    runner.throughput("parse", bytes, || syntax::parse(&read()));
    let parsed = syntax::parse(&read());
    runner.throughput("format", bytes, || syntax::format(&parsed).unwrap());
}

fn replays(runner: &mut Runner) {
    if !runner.wants("replay") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let text = replay::log(200_000);
    let log = folder.path().join("log.ndjson");
    std::fs::write(&log, &text).unwrap();
    for policies in [10, 50, 200] {
        let impact = replay::impact(folder.path(), policies);
        let name = format!("replay 200000 sign-ins, {policies} policies");
        runner.throughput(&name, text.len(), || {
            let tally = impact.replay(std::slice::from_ref(&log), 2).unwrap();
            assert_eq!(tally.sign_ins, 200_000);
        });
    }
}

fn validate(runner: &mut Runner) {
    for (name, text) in [
        ("validate 1000 policies", projects::policies(1_000)),
        ("validate 10000 policies", projects::policies(10_000)),
        ("validate 1000 instances", projects::instances(1_000)),
        ("validate 10000 instances", projects::instances(10_000)),
    ] {
        runner.throughput(name, text.len(), || {
            let project = load(&text);
            let (configuration, diagnostics) = lang::configuration(&project);
            assert!(!diagnostics.has_errors(), "{diagnostics:?}");
            configuration
        });
    }
    let text = projects::policies(1_000);
    runner.throughput("evaluate names", text.len(), || load(&text));
    let project = load(&text);
    runner.throughput("bind and check", text.len(), || lang::configuration(&project));
}

fn load(text: &str) -> lang::Project {
    let loader = Memory::new([("main.capol", text)]);
    lang::load(Arc::new(loader), "".as_ref(), &Inputs::at(now()))
}

fn no_op_plans(runner: &mut Runner) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    for count in [50, 240] {
        let name = format!("plan of {count} policies, nothing to do");
        if !runner.wants(&name) {
            continue;
        }
        let tenant = runtime.block_on(projects::Applied::of(count));
        let (plan, requests) = runtime.block_on(tenant.plan());
        assert!(!plan.verdict.has_changes(), "{}", plan.verdict.sentence());
        runner.time(&name, || runtime.block_on(tenant.plan()));
        runner.fact(&format!("{name}: requests"), requests);
    }
}

fn whole_commands(runner: &mut Runner) {
    let measured = whole::measure(runner.all, |name| runner.wants(name));
    for one in &measured {
        runner.keep(&one.name(), one.milliseconds());
    }
    if runner.book {
        book::write(&measured);
    }
}

fn cold_start(runner: &mut Runner) {
    runner.time("capol --help", || {
        let status = Command::new(env!("CARGO_BIN_EXE_capol"))
            .arg("--help")
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
    });
}
