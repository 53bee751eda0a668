//! Exports of a tenant into a model, and a model back into idiomatic `.capol`.
//!
//! [`read`] takes the files that people have (Graph answers, PowerShell output, other tools'
//! exports, name tables) and finds the objects in them; [`write`] makes a project of text out of
//! them. Bytes and values in, text and values out: nothing here touches a disk.

mod error;
mod intake;
mod known;
mod placeholder;

pub use error::Rejection;
pub use intake::{Found, Ignored, Intake, LeftOut, Rejected, read};
pub use known::KnownNames;
