//! Rollouts: who of a large group is in a share, and what a million sign-ins say of a policy.

use std::borrow::Cow;
use std::io::{BufWriter, Write as _};

use capol::ops::evidence::of_files;
use capol::rollout::cohort::{Cut, Member, Wanted};
use capol::rollout::evidence::Scope;

use super::dice::Dice;
use super::runner::Runner;

const USERS: usize = 500_000;

/// How many sign-ins are counted.
const SIGN_INS: usize = 1_000_000;

pub(super) fn run(runner: &mut Runner) {
    shares(runner);
    evidence(runner);
}

fn evidence(runner: &mut Runner) {
    let name = format!("evidence of {SIGN_INS} sign-ins");
    if !runner.wants(&name) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.ndjson");
    let mut file = BufWriter::new(std::fs::File::create(&log).unwrap());
    let mut dice = Dice(3);
    let policy = |number: usize| format!("c0000000-0000-4000-8000-{number:012}");
    let mut size = 0;
    for number in 0..SIGN_INS {
        let result = dice.of(&["reportOnlySuccess", "reportOnlyInterrupted", "reportOnlyFailure"]);
        let others: String = (1..5)
            .map(|other| policy(other) + r#"","displayName":"Other","enforcedGrantControls":["Mfa"],"result":"notApplied"},{"id":""#)
            .collect();
        let who = dice.below(20_000);
        let line = format!(
            r#"{{"id":"{number:08x}-0000-4000-8000-{number:012x}","createdDateTime":"2026-11-{:02}T08:00:00Z","userId":"{who:08x}-1111-4222-8333-{who:012x}","userPrincipalName":"user{who}@contoso.com","appDisplayName":"App {}","status":{{"errorCode":0}},"location":{{"city":"Aarhus","countryOrRegion":"DK"}},"appliedConditionalAccessPolicies":[{{"id":"{others}{}","displayName":"MFA","result":"{result}"}}]}}"#,
            1 + number % 28,
            dice.below(200),
            policy(0),
        );
        size += line.len() + 1;
        writeln!(file, "{line}").unwrap();
    }
    file.into_inner().unwrap();
    let since = "2026-11-01T00:00:00Z".parse().unwrap();
    let policy = policy(0);
    let scope = Scope::new([policy.as_str()], since, None);
    let logs = [log];
    runner.throughput(&name, size, || {
        let counted = of_files(&logs, &scope, 2).unwrap().finish().unwrap();
        assert_eq!(counted[0].counts.all(), 1_000_000);
    });
}

fn shares(runner: &mut Runner) {
    let name = format!("share of {USERS} users");
    if !runner.wants(&name) {
        return;
    }
    let ids: Vec<(String, String)> = (0..USERS)
        .map(|number| {
            (
                format!("{number:08x}-1111-4222-8333-{number:012x}"),
                format!("department {}", number % 300),
            )
        })
        .collect();
    let whole = |stratified: bool| -> Vec<Member<'_>> {
        ids.iter()
            .map(|(id, department)| Member {
                id: Cow::Borrowed(id),
                stratum: Cow::Borrowed(if stratified { department } else { "" }),
            })
            .collect()
    };
    let wanted = Wanted {
        key: "rollout.mfa_for_everyone",
        share: 100_000,
        ..Wanted::default()
    };
    for (how, members) in [("", whole(false)), (", spread over 300 departments", whole(true))] {
        runner.rate(&format!("{name}{how}"), USERS, || {
            let drawn = Cut::draw(&members, &wanted).unwrap();
            let taken = drawn.cut.of(&members, &wanted);
            assert_eq!(taken.len(), USERS / 10);
        });
    }
}
