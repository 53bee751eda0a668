//! What a policy does to the sign-ins that it catches, and whether another one does as much.

use super::demand::{asks_for, clauses};
use super::estate::Estate;
use super::policy::{Policy, control_name};
use crate::model::value::Control;

/// One thing that a policy does.
pub(super) struct Deed<'a> {
    pub(super) what: What,
    pub(super) policy: &'a Policy,
    /// What the policy's references mean.
    pub(super) estate: &'a Estate,
}

/// What is done.
pub(super) enum What {
    Block,
    /// One of these is asked for.
    Clause(Vec<Control>),
    /// A session control, in Graph's words.
    Session(String),
}

impl What {
    /// In Graph's words.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Block => "block".to_owned(),
            Self::Clause(controls) => {
                let words: Vec<String> = controls.iter().map(control_name).collect();
                words.join(" or ")
            }
            Self::Session(member) => member.clone(),
        }
    }
}

impl<'a> Deed<'a> {
    /// All that a policy does.
    pub(super) fn all_of(policy: &'a Policy, estate: &'a Estate) -> Vec<Self> {
        let deed = |what: What| Self { what, policy, estate };
        if policy.blocks() {
            return vec![deed(What::Block)];
        }
        let clauses = policy.grant.iter().flat_map(clauses);
        let members = policy.session.members();
        clauses
            .map(What::Clause)
            .chain(members.into_iter().map(What::Session))
            .map(deed)
            .collect()
    }

    /// Whether a policy does at least this; one that blocks does.
    pub(super) fn is_done_by(&self, policy: &Policy, estate: &Estate) -> bool {
        policy.blocks()
            || match &self.what {
                What::Block => false,
                What::Clause(clause) => asks_for(policy, estate, clause, self.estate),
                What::Session(member) => policy.session.is_as_strict(&self.policy.session, member),
            }
    }
}
