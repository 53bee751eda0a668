//! What policies do to *all* sign-ins.
//!
//! Policies can tell only so many sign-ins apart: two platforms that no policy names are one to them. So each kind of
//! fact falls into finitely many classes, which the policies themselves induce, and a policy is a conjunction of sets
//! of classes. [`Space`] holds, for each class, one bit a policy; [`Space::find`] searches it exactly: by depth first
//! over the kinds of facts, on sets of policies that are still alive, each set at most once, and of two classes the one
//! that can only do worse is passed over. What holds of a class is asked of the evaluator's own conditions.

mod audience;
mod facet;
mod lone;
mod mask;
mod near;
mod network;
mod rules;
mod search;
mod space;
#[cfg(test)]
pub(in crate::access) mod tests;
mod texts;

pub(super) use audience::ANOTHER_TENANT;
pub use facet::Facet;
pub use mask::Mask;
pub use near::{Near, TooMany};
pub use search::{Found, Wanted};
pub(super) use space::{ANOTHER_APP, SOMEBODY};
pub use space::{Reading, Space, SpaceError, Subject};
