//! Under fire: whatever goes wrong, nothing is lost, nothing is made twice, nothing of others is overwritten.

pub(crate) mod disk;
mod invariants;
mod matrix;
mod random;
mod rows;
mod spec;
mod stage;
mod trouble;

pub(crate) use matrix::{record, record_run};
