//! What a user can rely on, a module a subject.

mod apply;
mod around;
mod bench;
mod corpus;
mod corpus_export;
mod export;
mod diagnostics;
mod export_round_trip;
mod graph;
mod house;
mod lang;
mod properties;
mod sandbox;
mod shared;
mod state_commands;
mod syntax;
mod stories;
mod terseness;
mod wire;
mod world;
