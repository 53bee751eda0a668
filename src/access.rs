//! What policies do to sign-ins.
//!
//! ```text
//! policies ─┐
//! locations ├→ Estate ─┐
//! strengths ┘          ├→ Answer: which policies match, what decides, what is asked for
//! directory → SignIn ──┘
//! ```
//!
//! A policy is a conjunction of independent conditions ([`Condition`]), each of which is true, false or undecided of a
//! sign-in ([`Truth`]). The semantics are Microsoft's as documented (`FACTS` 10); what a sign-in does not record is
//! undecided, never guessed.

mod answer;
mod condition;
mod counterexample;
mod deed;
mod demand;
mod device;
mod effect;
mod estate;
mod gaps;
mod instants;
pub mod log;
mod network;
mod people;
mod policy;
mod record;
mod region;
mod replay;
mod session;
mod sign_in;
mod symbolic;
mod truth;
mod verdict;
mod who;

pub use answer::{Answer, Asked, Decision, Standing};
pub use condition::{Because, Condition};
pub use effect::{Effect, EffectKind, effects};
pub use estate::{Estate, EstateError, Missing};
pub use gaps::{Compared, Gap, Known, Needs, Rule, RuleRow, Severity, Told, compared, gaps};
pub use instants::{Conflict, Forbidden, Moving, Secured, Version, Waits, Wrong, secure};
pub use people::{Directory, DirectoryError};
pub use policy::{Enforcement, Policy};
pub use record::{RecordError, sign_in};
pub use replay::{Change, IDENTITY, Joined, Judged, LEVELS, Replay, Share};
pub use session::Session;
pub use sign_in::{
    ClientApp, Device, ExternalUser, Fact, Identity, Network, Resource, SecurityAttributes, SignIn,
};
pub use symbolic::{Facet, Found, Mask, Near, Reading, Space, SpaceError, Subject, TooMany, Wanted};
pub use truth::Truth;
pub use verdict::{Ruling, Verdict, VerdictError, decide};
