//! The same facts for a terminal and for machines; owns no fact.
//!
//! Whatever is shown becomes a [`Page`] first: lines of text with roles instead of colours. Only
//! [`Canvas`] knows width and colour, only [`Terminal`] knows the streams. Text that comes from a
//! tenant or a file is made visible on its way into a page, so that no name can move the cursor,
//! turn the direction of a line or pretend to be another.
//!
//! ```text
//! Plan, Applied, state document ─→ Page ─ Canvas{width, color} → text ─→ Terminal
//! miette::Diagnostic ─→ Finding ─→ Page-like text, or Terraform's JSON
//! apply::Event, graph::GraphEvent ─→ Progress: bars, lines, or JSON Lines
//! ```

pub mod applied_text;
mod attributes;
pub mod diagnostics;
pub mod doctor_text;
pub mod explain;
mod findings_text;
pub mod graph_text;
pub mod impact_csv;
pub mod impact_json;
pub mod impact_text;
pub mod page;
pub mod plan_text;
pub mod progress;
pub mod rollout_text;
pub mod sarif;
pub mod state_json;
pub mod state_text;
mod summary;
pub mod terminal;
pub mod test_text;
mod value_text;
mod visible;
pub mod what_if_text;
pub mod words;

pub use applied_text::{applied_text, held_text, recovered_text};
pub use diagnostics::{Finding, Source, diagnostics_text, failure_json, validation_json};
pub use findings_text::{FindingsView, findings_text};
pub use page::{Canvas, Page, Role, Text};
pub use plan_text::{PlanView, plan_text};
pub use progress::{EventStream, Everyone, Progress};
pub use terminal::{Facts, Terminal};
