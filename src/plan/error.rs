//! Why a plan is refused. Everything that is wrong is found before anything is said.

use std::fmt;

use miette::Diagnostic;

use crate::model::live::Candidate;
use crate::model::rules::Violation;
use crate::model::wire::WireError;
use crate::model::{Address, Lookup, Origin};

/// One reason to refuse, and where in the configuration it lies.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanError {
    /// The object it is about.
    pub address: Option<Address>,
    /// The offending reference, attribute or block; none for what only state or tenant know.
    pub origin: Option<Origin>,
    /// Further places that belong to it, each with a word on its part.
    pub related: Vec<(Origin, String)>,
    /// What is wrong.
    pub problem: Box<Problem>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Diagnostic)]
pub enum Problem {
    /// A look-up by name found nothing.
    #[error("no {} is called `{}`", lookup.target.noun(), lookup.name)]
    #[diagnostic(code("plan::lookup_missing"))]
    LookupMissing {
        /// The look-up.
        lookup: Lookup,
        /// What is called nearly that.
        candidates: Vec<Candidate>,
        /// The block of this configuration that makes an object of that name.
        managed_here: Option<Address>,
        /// What to do.
        #[help]
        help: String,
    },
    /// A look-up by name found several objects.
    #[error("{} {} are called `{}`", candidates.len(), lookup.target.plural(), lookup.name)]
    #[diagnostic(code("plan::lookup_ambiguous"))]
    LookupAmbiguous {
        /// The look-up.
        lookup: Lookup,
        /// The objects.
        candidates: Vec<Candidate>,
        /// What to do.
        #[help]
        help: String,
    },
    /// Nobody asked the directory.
    #[error("{}(\"{}\") was not looked up", lookup.target.word(), lookup.name)]
    #[diagnostic(
        code("plan::not_looked_up"),
        help("run the plan again; if it stays so, report it with `capol version`")
    )]
    NotLookedUp {
        /// The look-up.
        lookup: Lookup,
    },
    /// An id that nothing in the tenant has.
    #[error("nothing in the tenant has the id `{id}`")]
    #[diagnostic(
        code("plan::missing_id"),
        help("remove it, or write the id or the name of {noun} that exists")
    )]
    MissingId {
        /// The id.
        id: String,
        /// What kind of object it should be, with its article.
        noun: String,
    },
    /// A reference to a block that makes nothing.
    #[error("`{to}` is not in the configuration")]
    #[diagnostic(
        code("plan::dangling_reference"),
        help("add the block `{to}`, or remove the reference")
    )]
    Dangling {
        /// The address.
        to: Address,
    },
    /// Objects that need one another.
    #[error("{} depends on itself: {}", path.first().map(ToString::to_string).unwrap_or_default(), arrows(path))]
    #[diagnostic(
        code("plan::cycle"),
        help("remove one of these references, or one `depends_on`")
    )]
    Cycle {
        /// The way round, the first address again at its end.
        path: Vec<Address>,
    },
    /// What an apply left was changed, so that apply can't be taken back.
    #[error("{what} since the apply that is to be taken back")]
    #[diagnostic(
        code("plan::changed_since"),
        help(
            "to take back the rest: `capol undo --skip-changed`; by hand: change the files, then `capol apply`"
        )
    )]
    ChangedSince {
        /// What was changed.
        what: String,
    },
    /// A guard forbids a deletion.
    #[error("`{address}` must not be destroyed{}", because(reason.as_deref()))]
    #[diagnostic(code("plan::prevent_destroy"))]
    PreventDestroy {
        /// The address.
        address: Address,
        /// The reason given with the guard.
        reason: Option<String>,
        /// What to do.
        #[help]
        help: String,
    },
    /// The object to adopt does not exist.
    #[error("the tenant has no {noun} with the id `{id}`")]
    #[diagnostic(
        code("plan::import_missing"),
        help("copy the id from the portal, or list what can be adopted: `capol import --all`")
    )]
    ImportMissing {
        /// The id.
        id: String,
        /// What kind of object was expected.
        noun: String,
    },
    /// A state of a policy that this version does not know, to be written.
    #[error("`{state}` is no state of a policy that this version of capol knows")]
    #[diagnostic(
        code("plan::unknown_state"),
        help(
            "write `enabled`, `report_only` or `disabled`; a policy that has this state in the tenant keeps it"
        )
    )]
    UnknownState {
        /// The state, in the service's spelling.
        state: String,
    },
    /// There is nothing in the configuration to adopt the object.
    #[error("`{to}` has no block to import `{id}` into")]
    #[diagnostic(
        code("plan::import_without_block"),
        help("write it: `capol import {to} {id}`")
    )]
    ImportWithoutBlock {
        /// The address.
        to: Address,
        /// The id.
        id: String,
    },
    /// Two addresses for one object, or two objects for one address.
    #[error("`{id}` can't be imported as `{to}`: {taken}")]
    #[diagnostic(
        code("plan::import_taken"),
        help("remove the `import` block, or first let go of the other: `capol state rm`")
    )]
    ImportTaken {
        /// The address.
        to: Address,
        /// The id.
        id: String,
        /// What stands in the way.
        taken: String,
    },
    /// A `moved` block that can't be followed.
    #[error("`{from}` can't move to `{to}`: {why}")]
    #[diagnostic(
        code("plan::move_conflict"),
        help("remove the `moved` block, or rename one of the two")
    )]
    MoveConflict {
        /// The old address.
        from: Address,
        /// The new address.
        to: Address,
        /// Why not.
        why: String,
    },
    /// A `removed` block beside the block it lets go.
    #[error("`{from}` is removed and still in the configuration")]
    #[diagnostic(
        code("plan::removed_but_present"),
        help("delete the block `{from}`, or the `removed` block")
    )]
    RemovedButPresent {
        /// The address.
        from: Address,
    },
    /// Microsoft manages the policy.
    #[error("`{name}` is managed by Microsoft, which lets only its state and exclusions change, not {what}")]
    #[diagnostic(
        code("plan::managed_by_microsoft"),
        help("leave {what} as it is, or disable the policy and write one of your own")
    )]
    ManagedByMicrosoft {
        /// The name of the policy.
        name: String,
        /// What would change.
        what: String,
    },
    /// The service made the object.
    #[error("`{name}` comes with the tenant and can't be changed or deleted")]
    #[diagnostic(
        code("plan::built_in"),
        help("refer to it by name instead of managing it; let it go with a `removed` block")
    )]
    BuiltIn {
        /// Its name.
        name: String,
    },
    /// A change that needs a new object, of a kind where that is only done when asked for.
    #[error("`{property}` of `{address}` can't be changed, only set on a new {noun}")]
    #[diagnostic(
        code("plan::needs_replacement"),
        help("make a new one and delete the old: `capol plan --replace {address}`")
    )]
    NeedsReplacement {
        /// The address.
        address: Address,
        /// The property, as it is written.
        property: String,
        /// The kind.
        noun: String,
    },
    /// A replacement that the service makes impossible.
    #[error("`{address}` can't be replaced: {why}")]
    #[diagnostic(code("plan::cannot_replace"), help("{help}"))]
    CannotReplace {
        /// The address.
        address: Address,
        /// Why.
        why: String,
        /// What to do instead.
        help: String,
    },
    /// The id that the writer chose is taken.
    #[error("the tenant already has the authentication context `{id}`, called `{name}`")]
    #[diagnostic(
        code("plan::id_taken"),
        help("adopt it with `capol import {address} {id}`, or choose another id")
    )]
    IdTaken {
        /// The address.
        address: Address,
        /// The id.
        id: String,
        /// The name of who has it.
        name: String,
    },
    /// Something still refers to what shall be deleted.
    #[error("`{address}` can't be deleted while `{by}` refers to it")]
    #[diagnostic(
        code("plan::in_use"),
        help("first remove it from `{by}`, which is {not} managed by this configuration")
    )]
    InUse {
        /// The address.
        address: Address,
        /// The name of the policy.
        by: String,
        /// `not`, or empty.
        not: &'static str,
    },
    /// No emergency accounts are named.
    #[error("no emergency access is named, and the plan creates or strengthens an enabled policy")]
    #[diagnostic(
        code("plan::no_emergency_access"),
        help(
            "name the accounts that no policy may catch: `emergency_access {{ users = [user(\"…\")] }}`, or say why \
             there are none: `capol {{ emergency_access = none(\"…\") }}`"
        )
    )]
    NoEmergencyAccess,
    /// A policy would block every emergency account.
    #[error("`{name}` would block every emergency account")]
    #[diagnostic(
        code("plan::emergency_lockout"),
        help("remove `emergency_access = include(…)` from the policy, or exclude one of the accounts")
    )]
    EmergencyLockout {
        /// The policy.
        name: String,
    },
    /// Nobody can tell whether a policy would block every emergency account.
    #[error(
        "nobody can tell whether `{name}` would block every emergency account: groups or roles of theirs can't be read"
    )]
    #[diagnostic(
        code("plan::emergency_unclear"),
        help(
            "exclude one of the accounts from the policy by name, or let capol read groups and roles: \
             `Directory.Read.All`"
        )
    )]
    EmergencyUnclear {
        /// The policy.
        name: String,
    },
    /// In no order of the writes does everybody stay protected and let in.
    #[error("in no order can `{first}` and `{second}` be written one after the other: {wrong}")]
    #[diagnostic(
        code("plan::access_gap"),
        help(
            "apply a part first with `--target`, or take it on with a reason that is kept: `--accept-gap \"…\"`"
        )
    )]
    AccessGap {
        /// What the change is called by which something is lost.
        first: String,
        /// What the change is called that would have to come before.
        second: String,
        /// What is wrong.
        wrong: String,
    },
    /// Nobody can tell whether everybody stays protected and let in between the writes.
    #[error("nobody can tell whether everybody stays protected between the writes: {reason}")]
    #[diagnostic(
        code("plan::instants_unclear"),
        help(
            "apply a part first with `--target`, or take it on with a reason that is kept: `--accept-gap \"…\"`"
        )
    )]
    InstantsUnclear {
        /// Why.
        reason: String,
    },
    /// A policy would block whoever applies it.
    #[error("`{name}` would block `{who}`, as which this run is signed in")]
    #[diagnostic(
        code("plan::self_lockout"),
        help("exclude `{who}`, or apply as another identity")
    )]
    SelfLockout {
        /// The policy.
        name: String,
        /// The identity.
        who: String,
    },
    /// Nobody can tell whether a policy would block whoever applies it.
    #[error(
        "nobody can tell whether `{name}` would block `{who}`, as which this run is signed in: it goes by facts \
         that can't be read"
    )]
    #[diagnostic(
        code("plan::self_unclear"),
        help("exclude `{who}` from the policy by name, or apply as another identity")
    )]
    SelfUnclear {
        /// The policy.
        name: String,
        /// The identity.
        who: String,
    },
    /// The tenant would hold too many.
    #[error("the tenant would hold {count} {what}; the service allows {limit}")]
    #[diagnostic(code("plan::quota"), help("delete some, or merge those that differ little"))]
    Quota {
        /// What.
        what: String,
        /// How many there would be.
        count: usize,
        /// How many may be.
        limit: usize,
    },
    /// The tenant lacks a licence.
    #[error("{what} needs {licence}, which the tenant does not have")]
    #[diagnostic(
        code("plan::licence"),
        help("buy the licence, or leave {what} out; Graph refuses it as {number}")
    )]
    Licence {
        /// What needs it.
        what: String,
        /// The licence.
        licence: &'static str,
        /// The number of Graph's error.
        number: &'static str,
    },
    /// Security defaults are on.
    #[error("security defaults are on, so the service refuses every enabled policy")]
    #[diagnostic(
        code("plan::security_defaults"),
        help("turn security defaults off first, or set `state = report_only`")
    )]
    SecurityDefaults,
    /// The service would refuse the object.
    #[error("{}", .0.message)]
    #[diagnostic(code("plan::rule"))]
    Rule(Violation),
    /// A kind was not read.
    #[error("the tenant's {noun} objects were not read, so nothing can be planned for them")]
    #[diagnostic(
        code("plan::not_read"),
        help("grant the permission that reading them needs: `capol doctor` names it")
    )]
    NotRead {
        /// The kind.
        noun: String,
    },
    /// The members of a group were not read.
    #[error("the members of the group `{name}` were not read")]
    #[diagnostic(
        code("plan::members_not_read"),
        help("grant `GroupMember.Read.All`, or leave `members` out")
    )]
    MembersNotRead {
        /// The group.
        name: String,
    },
    /// An object or a record of it can't be read or written.
    #[error("{what} can't be used: {error}")]
    #[diagnostic(
        code("plan::unreadable"),
        help("compare the member with Graph's documentation; nothing is guessed from a half-read object")
    )]
    Unreadable {
        /// What.
        what: String,
        /// Why.
        error: WireError,
    },
    /// An address in state that is none.
    #[error("state holds `{address}`, which is not an address")]
    #[diagnostic(
        code("plan::state_address"),
        help("go back to a state before it: `capol state history`")
    )]
    StateAddress {
        /// The text.
        address: String,
    },
    /// State of another tenant.
    #[error("the state belongs to tenant {state}, and the run is signed in to {live}")]
    #[diagnostic(
        code("plan::wrong_tenant"),
        help("sign in to {state}, or choose the tenant with `--tenant`")
    )]
    WrongTenant {
        /// The tenant of the state.
        state: String,
        /// The tenant signed in to.
        live: String,
    },
    /// A block that is not carried out yet.
    #[error("`{kind}` blocks are understood but not carried out yet")]
    #[diagnostic(
        code("plan::deferred"),
        help("take the block out until a version of capol that carries it out")
    )]
    Deferred {
        /// The block type.
        kind: String,
    },
    /// `--target`, `--exclude` or `--replace` of nothing.
    #[error("`{option} {address}` names nothing in the configuration or in state")]
    #[diagnostic(code("plan::unknown_address"))]
    UnknownAddress {
        /// The option.
        option: &'static str,
        /// The address.
        address: Address,
        /// What to do.
        #[help]
        help: String,
    },
}

fn arrows(path: &[Address]) -> String {
    path.iter()
        .map(|address| format!("`{address}`"))
        .collect::<Vec<_>>()
        .join(" → ")
}

fn because(reason: Option<&str>) -> String {
    reason.map(|reason| format!(": {reason}")).unwrap_or_default()
}

impl PlanError {
    pub(super) fn new(problem: Problem) -> Self {
        Self::boxed(Box::new(problem))
    }

    pub(super) fn boxed(problem: Box<Problem>) -> Self {
        Self {
            address: None,
            origin: None,
            related: Vec::new(),
            problem,
        }
    }

    pub(super) fn on(mut self, address: &Address, origin: Option<Origin>) -> Self {
        self.address = Some(address.clone());
        self.origin = origin;
        self
    }

    pub(super) fn at(mut self, origin: Option<Origin>) -> Self {
        self.origin = origin;
        self
    }

    /// Where it lies, for the room that knows the text.
    pub fn origin(&self) -> Option<Origin> {
        self.origin
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.address, self.origin) {
            (Some(address), None) => write!(f, "{address}: {}", self.problem),
            _ => write!(f, "{}", self.problem),
        }
    }
}

impl std::error::Error for PlanError {}

impl Diagnostic for PlanError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        match &*self.problem {
            Problem::Rule(violation) => Some(Box::new(violation.code)),
            other => other.code(),
        }
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        match &*self.problem {
            Problem::Rule(violation) => Some(Box::new(&violation.help)),
            other => other.help(),
        }
    }
}

/// Everything that is wrong with a plan; at least one thing.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{}", first(.0))]
pub struct PlanErrors(pub Vec<PlanError>);

fn first(errors: &[PlanError]) -> String {
    match errors {
        [] => String::new(),
        [only] => only.to_string(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    }
}

impl Diagnostic for PlanErrors {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.0.iter().map(|error| error as &dyn Diagnostic)))
    }
}
