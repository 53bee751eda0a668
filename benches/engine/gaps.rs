//! The rules about all policies together: over 500 groups and 100 locations.

use capol::access::{Known, compared, gaps};

use super::effect::estate;
use super::runner::Runner;

pub(super) fn run(runner: &mut Runner) {
    for policies in [10, 50, 200, 1_000] {
        let (before, after) = (estate(policies, false), estate(policies, true));
        let known = Known::default();
        runner.time(&format!("gap rules of {policies} policies"), || {
            gaps(&before, &known).unwrap()
        });
        runner.time(
            &format!("gap rules before and after a change to a tenth of {policies} policies"),
            || compared((&before, &known), (&after, &known)).unwrap(),
        );
    }
}
