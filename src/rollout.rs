//! Staged rollouts: waves, and what must hold before the next one.
//!
//! ```text
//! members of a group ──────→ cohort   (who is in a share)          ─┐
//! windows, freezes, "now" ─→ calendar (may it advance, else when)   ├→ the next wave, or why not
//! sign-in logs ─→ evidence ─→ gate    (pass, fail, not enough)     ─┘
//! ```

pub mod calendar;
pub mod cohort;
pub mod evidence;
pub mod gate;
