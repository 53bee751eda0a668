//! What a user can rely on, a module a subject.

mod corpus_export;
mod export_round_trip;
mod graph;
mod house;
mod properties;
mod sandbox;
mod shared;
mod terseness;
mod wire;
