//! What comes out of a sign-in.

use std::collections::BTreeSet;

use super::condition::{Because, Condition};
use super::estate::Estate;
use super::policy::{Enforcement, Policy, control_name};
use super::session::Session;
use super::sign_in::SignIn;
use super::truth::Truth;
use crate::model::catalogue;
use crate::model::value::{Control, Operator};

/// What decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// Nothing in force asks for anything.
    Allow,
    /// Something must be done first.
    ControlsRequired,
    /// A policy in force blocks.
    Block,
}

impl Decision {
    /// Its word in records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::ControlsRequired => "controls_required",
            Self::Block => "block",
        }
    }
}

/// How one policy stands to a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// In force, and it matches.
    Applied,
    /// Report-only, and it matches.
    ReportOnly,
    /// It does not match, or is off.
    NotApplied(Because),
    /// The record does not tell whether it matches.
    Undecided(Condition),
}

/// What a policy asks for, in Graph's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// How the controls combine.
    pub operator: Operator,
    /// The controls, as in records: `mfa`, `authenticationStrength:<id>`.
    pub controls: Vec<String>,
}

/// The answer to one sign-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What decides; none when a policy in force is undecided and could change it.
    pub decision: Option<Decision>,
    /// How each policy stands, in the order of the estate.
    pub standings: Vec<Standing>,
    /// The session controls of all that applied, merged.
    pub session: Session,
    /// Whether the client can do what is asked for; older protocols can't.
    pub is_modern: bool,
}

impl Estate {
    /// What comes out of a sign-in. `satisfied` holds controls and methods that the user can do, in Graph's words; none
    /// when the answer shall not depend on them.
    pub fn evaluate(&self, sign_in: &SignIn, satisfied: Option<&BTreeSet<String>>) -> Answer {
        let standings: Vec<Standing> = self
            .policies()
            .iter()
            .map(|policy| self.standing(policy, sign_in))
            .collect();
        // Older protocols can do nothing that is asked for.
        let satisfied = satisfied.filter(|_| sign_in.is_modern());
        let mut session = Session::default();
        let mut least = Decision::Allow;
        let mut most = Decision::Allow;
        for (policy, standing) in self.policies().iter().zip(&standings) {
            let asks = self.asks(policy, satisfied);
            match standing {
                Standing::Applied => {
                    session.take_in(&policy.session);
                    least = least.max(asks);
                    most = most.max(asks);
                }
                Standing::Undecided(_) if policy.enforcement == Enforcement::Enforced => {
                    most = most.max(asks);
                }
                _ => {}
            }
        }
        Answer {
            decision: (least == most).then_some(least),
            standings,
            session,
            is_modern: sign_in.is_modern(),
        }
    }

    fn standing(&self, policy: &Policy, sign_in: &SignIn) -> Standing {
        if policy.enforcement == Enforcement::Off {
            return Standing::NotApplied(Because::State);
        }
        match (policy.matches(sign_in, self), policy.enforcement) {
            ((Truth::Yes, _), Enforcement::Enforced) => Standing::Applied,
            ((Truth::Yes, _), _) => Standing::ReportOnly,
            ((_, Some(Because::Undecided(condition))), _) => Standing::Undecided(condition),
            ((_, because), _) => Standing::NotApplied(because.unwrap_or(Because::State)),
        }
    }

    fn asks(&self, policy: &Policy, satisfied: Option<&BTreeSet<String>>) -> Decision {
        if policy.blocks() {
            Decision::Block
        } else if policy.grant.is_none() || satisfied.is_some_and(|done| self.is_satisfied(policy, done)) {
            Decision::Allow
        } else {
            Decision::ControlsRequired
        }
    }

    /// Whether what the user can do is enough for a policy. Controls of different policies are never pooled (`FACTS` 10.5).
    pub fn is_satisfied(&self, policy: &Policy, satisfied: &BTreeSet<String>) -> bool {
        let Some(grant) = &policy.grant else { return true };
        let mut each = grant
            .controls
            .iter()
            .map(|control| self.can_do(control, satisfied));
        match policy.operator() {
            Operator::All => each.all(|can| can),
            Operator::Any => each.any(|can| can),
        }
    }

    fn can_do(&self, control: &Control, satisfied: &BTreeSet<String>) -> bool {
        let has = |name: &str| satisfied.iter().any(|done| done.eq_ignore_ascii_case(name));
        let has_combination = |combination: &str| combination.split(',').all(has);
        match control {
            Control::BuiltIn(name) if name.eq_ignore_ascii_case("block") => false,
            Control::BuiltIn(name) if name.eq_ignore_ascii_case("mfa") => {
                has(name)
                    || catalogue::strengths::by_name("mfa")
                        .is_some_and(|mfa| mfa.combinations.iter().copied().any(has_combination))
            }
            Control::Strength(strength) => {
                has(&control_name(control))
                    || self.combinations(strength).is_some_and(|combinations| {
                        combinations
                            .iter()
                            .any(|combination| has_combination(combination))
                    })
            }
            _ => has(&control_name(control)),
        }
    }

    /// What a policy asks for, as in records.
    pub fn asked(&self, policy: &Policy) -> Option<Asked> {
        policy.grant.as_ref().map(|grant| Asked {
            operator: policy.operator(),
            controls: grant.controls.iter().map(control_name).collect(),
        })
    }
}
