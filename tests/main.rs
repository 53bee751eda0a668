//! What a user can rely on, a module a subject.

mod around;
mod apply;
mod bench;
mod corpus;
mod corpus_export;
mod export;
mod export_round_trip;
mod graph;
mod house;
mod lang;
mod properties;
mod sandbox;
mod shared;
mod state_commands;
mod syntax;
mod terseness;
mod wire;
mod world;
