//! What a user can rely on, a module a subject.

mod graph;
mod house;
mod corpus_export;
mod properties;
mod shared;
mod wire;
mod sandbox;
