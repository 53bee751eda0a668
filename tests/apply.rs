//! What a user can rely on when a plan is applied.

mod crash;
mod cycle;
mod faults;
mod large_group;
mod promises;
mod undo;
