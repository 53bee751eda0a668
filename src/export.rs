//! Exports of a tenant into a model, and a model back into idiomatic `.capol`.
//!
//! [`read`] takes the files that people have (Graph answers, PowerShell output, other tools'
//! exports, name tables) and finds the objects in them; [`export`] makes a project of text out of
//! objects, [`export_block`] one block out of one. Bytes and values in, text and values out:
//! nothing here touches a disk.

mod block;
mod error;
mod intake;
mod known;
mod naming;
mod placeholder;
mod project;
mod scenario;

pub use block::export_block;
pub use error::Rejection;
pub use intake::{Found, Ignored, Intake, LeftOut, Rejected, read};
pub use known::KnownNames;
pub use naming::{Naming, Written};
pub use project::{Exported, NamedTenant, Options, Project, UnsetVariable, export, naming};
pub use scenario::scenario_block;
