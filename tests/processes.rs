//! Real processes: killed at every request and every file-system call, with files that fail, and two at once.
//!
//! `CAPOL_FIRE=whole` runs every case, otherwise a sample runs whose seed is printed; `CAPOL_FIRE_SEED=N` repeats it.

mod calls;
mod contention;
pub(crate) mod ground;
mod proxy;
mod requests;
pub(crate) mod sample;
pub(crate) mod strace;
