//! What a user can rely on, a module a subject.

mod house;
mod properties;
mod shared;
mod wire;
