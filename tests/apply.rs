//! What a user can rely on when a plan is applied.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "test bench"
)]

mod crash;
mod cycle;
mod faults;
mod promises;
