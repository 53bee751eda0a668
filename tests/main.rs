//! What a user can rely on, a module a subject.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "test bench"
)]

mod agreement;
mod apply;
mod around;
mod asking;
mod bench;
mod clients;
mod corpora;
mod corpus;
mod corpus_export;
mod defects;
mod diagnostics;
mod effect;
mod evidence;
mod expectations;
mod export;
mod export_round_trip;
mod file_system;
mod fire;
mod gaps;
mod graph;
mod guards;
mod house;
mod impact;
mod import;
mod in_memory;
mod interrupt;
mod lang;
mod newcomer;
mod pace;
mod plan_says;
mod processes;
mod properties;
mod refusals;
mod repair;
mod robustness;
mod rollouts;
mod sandbox;
mod secrets;
mod shared;
mod state_commands;
mod stories;
mod syntax;
mod taking_back;
mod terseness;
mod what_if;
mod wire;
mod world;
