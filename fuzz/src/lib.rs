//! What must hold whatever bytes come in: one function a fuzz target.
//!
//! `cargo test` replays the kept corpora through the same functions.

mod graph_answers;
mod journal;
mod language;
mod read;

pub use graph_answers::graph_answers;
pub use journal::journal;
pub use language::{formatter, parser};
pub use read::{cidr, filter_rule, import, plan, state};
