//! The domain as plain types: what a tenant holds and what an engineer wants it to hold.
//!
//! Knows neither the text of `.capol` files nor HTTP. [`properties`] is the one description of
//! every Graph property; parsing, export, difference, documentation and the wire codec walk it.

pub mod address;
#[cfg(test)]
pub(crate) mod arbitrary;
pub mod catalogue;
pub mod cidr;
pub mod configuration;
pub mod expectation;
pub mod few;
pub mod filter_rule;
pub mod gap;
pub mod live;
pub mod names;
pub mod object;
pub mod origin;
pub mod properties;
pub mod reference;
pub mod rollout;
pub mod rules;
pub mod set;
pub mod state;
pub mod value;
pub mod wire;

pub use address::Address;
pub use object::{Kind, Object};
pub use origin::Origin;
pub use reference::{Lookup, Reference, Target};
pub use value::Value;
