//! Rollouts: who of a large group is in a share.

use std::borrow::Cow;

use capol::rollout::cohort::{Cut, Member, Wanted};

use super::runner::Runner;

const USERS: usize = 500_000;

pub(super) fn run(runner: &mut Runner) {
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
