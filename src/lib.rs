//! capol: Conditional Access as code.
//!
//! Text becomes a model, a model and the live tenant become a plan, a plan is
//! applied and remembered. `book/src/architecture.md` draws the rooms.

pub mod access;
pub mod apply;
pub mod cli;
pub mod export;
pub mod graph;
pub mod lang;
pub mod model;
pub mod ops;
pub mod plan;
pub mod report;
pub mod rollout;
pub mod sandbox;
pub mod state;
pub mod syntax;
