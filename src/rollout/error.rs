//! Why a rollout stays where it is.

use jiff::Timestamp;

use super::calendar::CalendarError;
use super::cohort::CohortError;
use super::standing::Condition;
use crate::model::Origin;

/// Why something can't be done with a rollout.
#[derive(Debug, Clone, PartialEq, thiserror::Error, miette::Diagnostic)]
pub enum RolloutError {
    /// State tells of it in a form that this version does not know.
    #[error("state can't tell where `{rollout}` stands: {reason}")]
    #[diagnostic(
        code("rollout::unreadable"),
        help(
            "work with the version of capol that wrote it, or go back to a state before it: `capol state history`"
        )
    )]
    Unreadable {
        /// The rollout.
        rollout: String,
        /// Why.
        reason: String,
    },
    /// A wave that the rollout does not have.
    #[error("`{rollout}` has no wave `{wave}`")]
    #[diagnostic(code("rollout::no_such_wave"), help("name one of its waves: {}", known.join(", ")))]
    NoSuchWave {
        /// The rollout.
        rollout: String,
        /// The wave.
        wave: String,
        /// The waves there are.
        known: Vec<String>,
    },
    /// The policy of a rollout that was left where it is, is gone.
    #[error(
        "`{policy}` is no longer there, and `{rollout}`, which said for whom it is enforced, was removed"
    )]
    #[diagnostic(
        code("rollout::left_and_gone"),
        help(
            "to make it as its block says, for its whole audience, take `removed {{ from = {rollout} }}` away; to go wave by wave, write the `rollout` block again"
        )
    )]
    LeftAndGone {
        /// The rollout.
        rollout: String,
        /// The policy.
        policy: String,
    },
    /// It asks for what this version does not carry out.
    #[error("`{rollout}` says `{attribute}`, which this version of capol does not carry out")]
    #[diagnostic(
        code("rollout::not_carried_out"),
        help(
            "take `{attribute}` out of the block: without it the rollout would go another way than it says"
        )
    )]
    NotCarriedOut {
        /// The rollout.
        rollout: String,
        /// The attribute.
        attribute: &'static str,
    },
    /// It is at its last wave.
    #[error("`{rollout}` is at its last wave")]
    #[diagnostic(
        code("rollout::complete"),
        help(
            "nothing is left to do; take the `rollout` block away with `removed`, see `capol explain rollout::block_gone`"
        )
    )]
    Complete {
        /// The rollout.
        rollout: String,
    },
    /// It has no wave in force.
    #[error("`{rollout}` has not begun")]
    #[diagnostic(code("rollout::not_begun"), help("enter its first wave: `capol apply`"))]
    NotBegun {
        /// The rollout.
        rollout: String,
    },
    /// It is at its first wave.
    #[error("`{rollout}` is at its first wave, and nothing is before it")]
    #[diagnostic(
        code("rollout::nothing_before"),
        help("to switch the policy off, run `capol rollout abort {name}`")
    )]
    NothingBefore {
        /// The rollout.
        rollout: String,
        /// Its label.
        name: String,
    },
    /// A rollback that does not lead back.
    #[error("`{wave}` is not before the wave that `{rollout}` is at")]
    #[diagnostic(
        code("rollout::not_back"),
        help("name an earlier wave; `capol rollout advance` leads to the next one")
    )]
    NotBack {
        /// The rollout.
        rollout: String,
        /// The wave.
        wave: String,
    },
    /// A transition is not at its end.
    #[error("`{rollout}` is still entering {}", wave.as_ref().map_or("the place before its first wave".to_owned(), |wave| format!("`{wave}`")))]
    #[diagnostic(
        code("rollout::under_way"),
        help("finish it with `capol apply`, or take it back with `capol rollout rollback {name}`")
    )]
    UnderWay {
        /// The rollout.
        rollout: String,
        /// Its label.
        name: String,
        /// The wave.
        wave: Option<String>,
    },
    /// Somebody stopped it.
    #[error("`{rollout}` is paused by {by}: {reason}")]
    #[diagnostic(code("rollout::paused"), help("let it go on: `capol rollout resume {name}`"))]
    Paused {
        /// The rollout.
        rollout: String,
        /// Its label.
        name: String,
        /// Who.
        by: String,
        /// Why.
        reason: String,
    },
    /// Somebody stopped it before.
    #[error("`{rollout}` is paused already")]
    #[diagnostic(code("rollout::paused_already"), help("nothing is left to do"))]
    PausedAlready {
        /// The rollout.
        rollout: String,
    },
    /// Nobody stopped it.
    #[error("`{rollout}` is not paused")]
    #[diagnostic(code("rollout::not_paused"), help("nothing is left to do"))]
    NotPaused {
        /// The rollout.
        rollout: String,
    },
    /// Somebody else moved it meanwhile.
    #[error("`{rollout}` was moved by somebody else meanwhile")]
    #[diagnostic(
        code("rollout::moved"),
        help("look where it is: `capol rollout status`; nothing was written")
    )]
    Moved {
        /// The rollout.
        rollout: String,
    },
    /// Now is before what was.
    #[error("the clock says {now}, and `{rollout}` was last moved at {latest}")]
    #[diagnostic(
        code("rollout::clock_backwards"),
        help("set the clock right, or wait until it has caught up")
    )]
    Backwards {
        /// The rollout.
        rollout: String,
        /// What the clock says.
        now: Timestamp,
        /// What it said before.
        latest: Timestamp,
    },
    /// `--force` without a reason.
    #[error("`--force` needs a reason")]
    #[diagnostic(
        code("rollout::no_reason"),
        help("say why, for those who read the history: `--force \"…\"`")
    )]
    NoReason,
    /// Conditions that do not hold.
    #[error("`{rollout}` can't advance yet: {}", unmet.iter().map(|one| one.because.as_str()).collect::<Vec<_>>().join("; "))]
    #[diagnostic(
        code("rollout::unmet"),
        help(
            "see when it can: `capol rollout status {name}`; to pass over it, with a reason that is kept: `--force \"…\"`"
        )
    )]
    Unmet {
        /// The rollout.
        rollout: String,
        /// Its label.
        name: String,
        /// They, and why.
        unmet: Vec<Condition>,
    },
    /// Approvals are missing.
    #[error("wave `{wave}` of `{rollout}` has {given} of {needed} approvals{}", rest(*expired, *own))]
    #[diagnostic(
        code("rollout::not_approved"),
        help("ask somebody else to run `capol rollout approve {name}`; `--force` passes over no approval")
    )]
    NotApproved {
        /// The rollout.
        rollout: String,
        /// Its label.
        name: String,
        /// The wave.
        wave: String,
        /// How many it needs.
        needed: usize,
        /// How many count.
        given: usize,
        /// How many were for another plan.
        expired: usize,
        /// Whether one is the proposer's own.
        own: bool,
    },
    /// Several rollouts, or none, and none was named.
    #[error("it is not clear which rollout is meant")]
    #[diagnostic(code("rollout::which_rollout"), help("{help}"))]
    WhichRollout {
        /// What to do.
        help: String,
    },
    /// Nobody says who approves.
    #[error("nobody attests who is signed in, so the approval could be anybody's")]
    #[diagnostic(
        code("rollout::not_attested"),
        help("sign in as yourself, for example with `az login`")
    )]
    NotAttested,
    /// Somebody who may not approve.
    #[error("{who} may not approve `{rollout}`")]
    #[diagnostic(
        code("rollout::not_an_approver"),
        help("ask one of its `approvers`, or add them to the list")
    )]
    NotAnApprover {
        /// The rollout.
        rollout: String,
        /// Who.
        who: String,
    },
    /// A wave that was entered is not in the list any more.
    #[error("wave `{wave}` of `{rollout}` was entered, and is not in the list any more")]
    #[diagnostic(
        code("rollout::wave_gone"),
        help("put it back, or go back before it first: `capol rollout rollback {name} --to WAVE`")
    )]
    WaveGone {
        /// The rollout.
        rollout: String,
        /// Its label.
        name: String,
        /// The wave.
        wave: String,
        /// Where.
        origin: Origin,
    },
    /// A wave that was entered is for others now.
    #[error("wave `{wave}` of `{rollout}` was entered, and has another state or audience now")]
    #[diagnostic(code("rollout::wave_edited"))]
    WaveEdited {
        /// The rollout.
        rollout: String,
        /// The wave.
        wave: String,
        /// What to do.
        #[help]
        help: String,
        /// Where.
        origin: Origin,
    },
    /// A wave that would never be entered.
    #[error(
        "wave `{skipped}` stands before `{wave}`, which `{rollout}` has entered already, so it would be skipped"
    )]
    #[diagnostic(
        code("rollout::wave_skipped"),
        help("put `{skipped}` after `{wave}`, or go back first: `capol rollout rollback`")
    )]
    WaveSkipped {
        /// The rollout.
        rollout: String,
        /// The wave that would be skipped.
        skipped: String,
        /// The wave that it is at.
        wave: String,
        /// Where.
        origin: Origin,
    },
    /// A window, freeze or business calendar that can't be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Calendar(#[from] CalendarError),
    /// A policy that is enforced already.
    #[error("`{policy}` is enforced already, and `{rollout}` would begin by taking that away")]
    #[diagnostic(
        code("rollout::enforced_already"),
        help(
            "take the `rollout` block away: the policy protects people now; to start over all the same, apply it once with `state = report_only` and without the rollout"
        )
    )]
    EnforcedAlready {
        /// The rollout.
        rollout: String,
        /// The policy.
        policy: String,
        /// Where.
        origin: Origin,
    },
    /// A rollout under way whose block is gone.
    #[error("the block of `{rollout}` is gone, and it is at {}", wave.as_ref().map_or("the place before its first wave".to_owned(), |wave| format!("wave `{wave}`")))]
    #[diagnostic(
        code("rollout::block_gone"),
        help("put the block back; or leave its policies as they are now: `removed {{ from = {rollout} }}`")
    )]
    BlockGone {
        /// The rollout.
        rollout: String,
        /// The wave.
        wave: Option<String>,
    },
    /// A rollout that the project does not have.
    #[error("the project has no `rollout.{name}`")]
    #[diagnostic(code("rollout::no_such_rollout"), help("{help}"))]
    NoSuchRollout {
        /// What was asked for.
        name: String,
        /// What to do.
        help: String,
    },
    /// A step of a part of the project.
    #[error("`{rollout}` can't move in a plan of a part of the project")]
    #[diagnostic(code("rollout::partial"), help("leave `--target` and `--exclude` out"))]
    Partial {
        /// The rollout.
        rollout: String,
    },
    /// Somebody whom the directory does not know by that name.
    #[error("the directory has {} called `{name}`", if *several { format!("more than one {noun}") } else { format!("no {noun}") })]
    #[diagnostic(code("rollout::not_found"), help("{help}"))]
    NotFound {
        /// What kind of thing.
        noun: &'static str,
        /// The name.
        name: String,
        /// Whether several have it.
        several: bool,
        /// What to do.
        help: String,
    },
    /// A group that is not there yet.
    #[error("`{address}` is not there yet, so nobody can say who is in it")]
    #[diagnostic(
        code("rollout::not_made_yet"),
        help("make it first: `capol apply --target {address}`, and give it members")
    )]
    NotMadeYet {
        /// The group.
        address: String,
        /// Its block.
        origin: Option<Origin>,
    },
    /// A share that can't be drawn.
    #[error("the share of wave `{wave}` of `{rollout}` can't be drawn: {cause}")]
    #[diagnostic(code("rollout::share_not_drawn"), help("{}", help_of(cause)))]
    Cohort {
        /// The rollout.
        rollout: String,
        /// The wave.
        wave: String,
        /// Why.
        cause: CohortError,
        /// Where.
        origin: Origin,
    },
    /// A share that was not drawn.
    #[error("nobody drew who is in wave `{wave}` of `{rollout}`")]
    #[diagnostic(
        code("rollout::not_drawn"),
        help("go back to a state before it: `capol state history`")
    )]
    NotDrawn {
        /// The rollout.
        rollout: String,
        /// The wave.
        wave: String,
    },
    /// The directory was not asked, or did not say.
    #[error("the directory did not say who is meant by {reference}")]
    #[diagnostic(
        code("rollout::unknown_people"),
        help("see which permission is missing: `capol doctor`; nothing was written")
    )]
    Unknown {
        /// What was asked for.
        reference: String,
    },
    /// A wave that catches nobody.
    #[error("nobody whom `{policy}` is for is in wave `{wave}` of `{rollout}`")]
    #[diagnostic(
        code("rollout::nobody"),
        help("name people in the wave whom the policy is for, or take the wave away")
    )]
    Nobody {
        /// The rollout.
        rollout: String,
        /// The wave.
        wave: String,
        /// The policy.
        policy: String,
        /// Where.
        origin: Origin,
    },
    /// Guests on one side only.
    #[error(
        "nobody can say who of wave `{wave}` of `{rollout}` is in `{policy}`: one names kinds of guests, the other does not"
    )]
    #[diagnostic(
        code("rollout::mixed_guests"),
        help(
            "name the same kinds of guests in both, or roll out two policies: one for guests, one for everyone else"
        )
    )]
    Mixed {
        /// The rollout.
        rollout: String,
        /// The wave.
        wave: String,
        /// The policy.
        policy: String,
        /// Where.
        origin: Origin,
    },
    /// A block of the name that a cohort or an observer has.
    #[error("`{rollout}` keeps an object of its own as `{address}`, and a block has that name")]
    #[diagnostic(code("rollout::address_taken"), help("give the block another name"))]
    AddressTaken {
        /// The address.
        address: String,
        /// The rollout.
        rollout: String,
        /// The block.
        origin: Origin,
    },
}

fn help_of(cause: &CohortError) -> String {
    use miette::Diagnostic as _;
    cause.help().map(|help| help.to_string()).unwrap_or_default()
}

fn rest(expired: usize, own: bool) -> String {
    let expired = match expired {
        0 => String::new(),
        1 => "; 1 was given for another plan and has expired".to_owned(),
        several => format!("; {several} were given for another plan and have expired"),
    };
    let own = if own {
        "; that of the one who proposes does not count"
    } else {
        ""
    };
    format!("{expired}{own}")
}

impl RolloutError {
    /// Where in the text it is about.
    pub fn origin(&self) -> Option<Origin> {
        match self {
            Self::WaveGone { origin, .. }
            | Self::WaveEdited { origin, .. }
            | Self::WaveSkipped { origin, .. }
            | Self::Cohort { origin, .. }
            | Self::Nobody { origin, .. }
            | Self::Mixed { origin, .. }
            | Self::EnforcedAlready { origin, .. }
            | Self::AddressTaken { origin, .. } => Some(*origin),
            Self::NotMadeYet { origin, .. } => *origin,
            _ => None,
        }
    }
}
