//! Sign-in logs: what a line of one tells, and what it leaves open.
//!
//! A line comes in one of the shapes that Microsoft's services write: Graph's `signIn` (`FACTS` 9.1), the same inside
//! `properties` as diagnostic settings export it, or the columns of Log Analytics, whose dynamic columns may be texts with
//! JSON in them. What a line does not record is undecided, never guessed.

mod applied;
mod facts;
mod line;

pub use applied::{Applied, Recorded, applied};
pub use facts::{
    Target, client_app, country, device, error_code, identity, network, platform, target, with_levels,
};
pub use line::{Line, LineKind};
