//! How an apply ends, for people.

use serde_json::json;

use super::super::page::Canvas;
use super::super::plan_text::bench::{change, plan};
use super::*;
use crate::apply::Mismatch;
use crate::model::Kind;
use crate::plan::StepId;

fn text(page: &Page) -> String {
    page.render(Canvas {
        width: 90,
        color: false,
    })
}

fn six_changes() -> Plan {
    let body = |name: &str| Some(json!({ "displayName": name, "state": "enabled" }));
    let mut changes = vec![
        change(
            "policy.mfa",
            Kind::Policy,
            Action::Create,
            None,
            body("CA001 Require MFA"),
        ),
        change(
            "policy.legacy",
            Kind::Policy,
            Action::Update,
            body("CA002 Block legacy"),
            body("CA002 Block legacy"),
        ),
        change(
            "policy.old",
            Kind::Policy,
            Action::Delete,
            body("CA003 Old"),
            None,
        ),
        change(
            "policy.guests",
            Kind::Policy,
            Action::NoOp,
            body("CA004 Guests"),
            body("CA004 Guests"),
        ),
        change(
            "location.hq",
            Kind::IpLocation,
            Action::Create,
            None,
            Some(json!({ "displayName": "Head office" })),
        ),
        change(
            "policy.travel",
            Kind::Policy,
            Action::Create,
            None,
            body("CA005 Travel"),
        ),
    ];
    for (at, change) in (0..).zip(&mut changes) {
        change.steps = vec![StepId(at)];
    }
    changes[3].imported = true;
    plan(changes, 3)
}

fn applied(results: [StepResult; 6]) -> Applied {
    Applied {
        results: (0..).map(StepId).zip(results).collect(),
        ..Applied::default()
    }
}

fn done() -> StepResult {
    StepResult::Done { id: None }
}

#[test]
fn everything_done_is_one_line() {
    let all = applied([(); 6].map(|()| done()));
    insta::assert_snapshot!(text(&applied_text(&six_changes(), &all, "capol plan")));
}

#[test]
fn what_was_not_done_is_told_by_cause_with_the_command_to_go_on() {
    let refused = "status 400, code 1085: `CA001` uses a location that does not exist, request-id 8f2c";
    let some = applied([
        StepResult::Failed {
            error: refused.into(),
        },
        done(),
        StepResult::Unknown {
            error: "the connection was closed before an answer came".into(),
        },
        done(),
        StepResult::Failed {
            error: refused.into(),
        },
        StepResult::Skipped {
            because: "`location.hq` was not done".into(),
        },
    ]);
    insta::assert_snapshot!(text(&applied_text(
        &six_changes(),
        &some,
        "capol apply --chdir tenants/contoso"
    )));
}

#[test]
fn a_stop_that_was_asked_for_is_not_told_as_a_failure() {
    let mut stopped = applied([
        done(),
        done(),
        done(),
        done(),
        done(),
        StepResult::Skipped {
            because: "the apply was stopped before it".into(),
        },
    ]);
    stopped.interrupted = true;
    let shown = text(&applied_text(&six_changes(), &stopped, "capol apply"));
    assert!(shown.contains("Stopped as asked: 5 of 6 changes done"), "{shown}");
    assert!(!shown.contains("Failed"), "{shown}");
}

#[test]
fn what_reads_back_otherwise_is_named_field_by_field() {
    let mut all = applied([(); 6].map(|()| done()));
    let mismatch = |address: &str, wire: &str, dsl: &str| Mismatch {
        address: address.parse().unwrap(),
        wire: wire.into(),
        dsl: dsl.into(),
    };
    all.mismatches = vec![
        mismatch("policy.mfa", "conditions.users.includeUsers", "users.include"),
        mismatch("policy.mfa", "conditions.users.includeGroups", "users.include"),
        mismatch("policy.mfa", "state", "state"),
        mismatch("policy.travel", "", ""),
    ];
    insta::assert_snapshot!(text(&applied_text(&six_changes(), &all, "capol plan")));
}

#[test]
fn an_apply_that_was_cut_off_is_told() {
    let recovered = Recovered {
        hidden: Vec::new(),
        done: vec!["policy.mfa".into()],
        not_done: vec!["policy.a".into(), "policy.b".into()],
    };
    insta::assert_snapshot!(text(&recovered_text(&recovered)));
}
