//! What an expectation demands of the policies that catch a sign-in.

use std::collections::BTreeSet;

use super::estate::Estate;
use super::policy::{Enforcement, Policy, control_name};
use super::session::Session;
use crate::model::catalogue;
use crate::model::expectation::{ExpectationKind, Expected, ExpectedGrant};
use crate::model::value::{Control, Grant, Operator};

/// One demand, and what is wrong where it is not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Demand {
    pub(super) check: Check,
    pub(super) wrong: String,
}

/// A demand on the policies that catch a sign-in, by their places in the estate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Check {
    /// One of these is among them.
    Some(BTreeSet<usize>),
    /// None of these is.
    None(BTreeSet<usize>),
}

/// For whom the demands are.
#[derive(Debug, Clone)]
pub(super) struct Whom<'a> {
    pub(super) kind: ExpectationKind,
    /// Whether the client can do what is asked for; older protocols can't.
    pub(super) is_modern: bool,
    /// What can be done, if that is said.
    pub(super) satisfied: Option<&'a BTreeSet<String>>,
}

/// All demands of what is expected, together.
pub(super) fn demands(expected: &Expected, estate: &Estate, whom: &Whom<'_>) -> Vec<Demand> {
    let in_force = |holds: &dyn Fn(&Policy) -> bool| -> BTreeSet<usize> {
        let all = estate.policies().iter().enumerate();
        all.filter(|(_, policy)| policy.enforcement == Enforcement::Enforced && holds(policy))
            .map(|(place, _)| place)
            .collect()
    };
    let blockers = in_force(&Policy::blocks);
    let is_done = |policy: &Policy| {
        let satisfied = whom.satisfied.filter(|_| whom.is_modern);
        satisfied.is_some_and(|satisfied| estate.is_satisfied(policy, satisfied))
    };
    let askers = in_force(&|policy| policy.grant.is_some() && !policy.blocks() && !is_done(policy));
    let both = || blockers.union(&askers).copied().collect::<BTreeSet<usize>>();
    let mut all = Vec::new();
    let mut demand = |check: Check, wrong: String| all.push(Demand { check, wrong });
    match expected.decision.as_deref() {
        Some("allow") => demand(
            Check::None(both()),
            "it is blocked, or something is asked for".to_owned(),
        ),
        Some("block") => demand(Check::Some(blockers.clone()), "nothing blocks it".to_owned()),
        Some(_) => {
            demand(Check::None(blockers.clone()), "it is blocked".to_owned());
            demand(Check::Some(both()), "nothing is asked for".to_owned());
        }
        None => {}
    }
    let can_do_nothing = !whom.is_modern || whom.satisfied.is_some();
    let deniers = || if can_do_nothing { both() } else { blockers.clone() };
    match expected.access {
        Some(true) => demand(Check::None(deniers()), "access is denied".to_owned()),
        Some(false) => demand(Check::Some(deniers()), "access is granted".to_owned()),
        None => {}
    }
    match &expected.grant {
        None => {}
        Some(ExpectedGrant::Nothing) => {
            demand(
                Check::None(both()),
                "it is blocked, or something is asked for".to_owned(),
            );
        }
        Some(ExpectedGrant::Controls(grant)) if blocks(grant) => {
            demand(Check::Some(blockers.clone()), "nothing blocks it".to_owned());
        }
        Some(ExpectedGrant::Controls(grant)) => {
            if whom.kind == ExpectationKind::Scenario {
                demand(Check::None(blockers.clone()), "it is blocked".to_owned());
            }
            for clause in clauses(grant) {
                let mut enough = in_force(&|policy| asks_for(policy, estate, &clause, estate));
                enough.extend(&blockers);
                let words: Vec<String> = clause
                    .iter()
                    .map(|control| format!("`{}`", estate.control_words(&control_name(control))))
                    .collect();
                demand(
                    Check::Some(enough),
                    format!("{} is not asked for", words.join(" or ")),
                );
            }
        }
    }
    let wanted = Session::of(&expected.session);
    for member in wanted.members() {
        let strict = in_force(&|policy| policy.session.is_as_strict(&wanted, &member));
        demand(Check::Some(strict), format!("`{member}` is milder, or not set"));
    }
    for address in &expected.by {
        let key = address.to_string();
        let named = in_force(&|policy| policy.key == key);
        demand(Check::Some(named), format!("`{key}` does not apply"));
    }
    all
}

fn blocks(grant: &Grant) -> bool {
    grant
        .controls
        .iter()
        .any(|control| matches!(control, Control::BuiltIn(name) if name.eq_ignore_ascii_case("block")))
}

/// What a grant asks for, as lists of controls of each of which one is asked for.
pub(super) fn clauses(grant: &Grant) -> Vec<Vec<Control>> {
    match grant.operator {
        Operator::All => grant
            .controls
            .iter()
            .map(|control| vec![control.clone()])
            .collect(),
        Operator::Any => vec![grant.controls.iter().cloned().collect()],
    }
}

/// Whether whoever does what a policy asks for has done one of these controls.
///
/// What two policies ask for together is not counted as a third thing (`FACTS` 10.5).
pub(super) fn asks_for(policy: &Policy, estate: &Estate, wanted: &[Control], wanted_in: &Estate) -> bool {
    let enough: Vec<BTreeSet<String>> = wanted
        .iter()
        .flat_map(|control| ways(control, wanted_in))
        .collect();
    policy.grant.iter().flat_map(clauses).any(|clause| {
        clause
            .iter()
            .flat_map(|control| ways(control, estate))
            .all(|way| enough.iter().any(|enough| enough.is_subset(&way)))
    })
}

/// The ways to do a control: methods that are used together.
fn ways(control: &Control, estate: &Estate) -> Vec<BTreeSet<String>> {
    let of = |combination: &str| {
        combination
            .split(',')
            .map(|method| method.trim().to_ascii_lowercase())
            .collect()
    };
    let combinations = match control {
        Control::BuiltIn(name) if name.eq_ignore_ascii_case("mfa") => catalogue::strengths::by_name("mfa")
            .map(|mfa| {
                mfa.combinations
                    .iter()
                    .map(|combination| of(combination))
                    .collect()
            }),
        Control::Strength(strength) => estate
            .combinations(strength)
            .map(|combinations| combinations.iter().map(|combination| of(combination)).collect()),
        _ => None,
    };
    combinations.unwrap_or_else(|| vec![BTreeSet::from([control_name(control)])])
}
