//! Staged rollouts: waves, and what must hold before the next one.
//!
//! ```text
//! members of a group ──────→ cohort   (who is in a share)          ─┐
//! windows, freezes, "now" ─→ calendar (may it advance, else when)   ├→ ready   (the next wave, or why not)
//! sign-in logs ─→ evidence ─→ gate    (pass, fail, not enough)     ─┘     ↓
//! what state remembers ────→ standing ─→ edit (the waves as written now) ─→ machine ─→ standing
//!                                                    configuration + standing ─→ lower ─→ what is planned
//! ```

pub mod calendar;
pub mod cohort;
pub mod edit;
pub mod error;
pub mod evidence;
pub mod gate;
pub mod lower;
pub mod machine;
mod part;
pub mod ready;
pub mod standing;

pub use error::RolloutError;
pub use standing::Standing;
