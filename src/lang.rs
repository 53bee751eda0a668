//! Names, types, evaluation, functions, modules, `for_each`: from trees to values or diagnostics.
//!
//! The entrance is [`load`], which reads a project through a [`SourceLoader`](loader::SourceLoader)
//! and gives a [`Project`]: every block instance with the scope in which its expressions are
//! [evaluated](Project::evaluate), and everything that is wrong so far.

pub mod blocks;
pub mod error;
pub mod functions;
pub mod loader;
pub mod memory;
pub mod nearest;
pub mod scope;
pub mod types;
pub mod value;

mod bind;
mod declarations;
mod duration;
mod engine;
mod evaluate;
mod number;
mod project;
#[cfg(test)]
mod tests;
mod unquote;

pub use bind::configuration;
pub use error::{Diagnostic, Diagnostics, Severity, Sources};
pub use loader::{Entry, LoadError, RemoteSource, SourceLoader};
pub use project::{Input, Inputs, Instance, Project, load};
pub use unquote::unquote;
