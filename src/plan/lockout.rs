//! Whether a policy keeps somebody out, as far as it can be told.

use crate::access::Truth;
use crate::model::live::{SignedIn, SignedInKind};
use crate::model::value::{Control, FilterMode};
use crate::model::{Object, Reference, Value};

use super::emergency::is_enabled;
use super::people::{Belonging, Done, Held, key};

pub(super) const INCLUDE_APPLICATIONS: &str = "conditions.applications.includeApplications";
const USERS: &str = "conditions.users.";
const WORKLOADS: &str = "conditions.clientApplications.";

/// What capol signs in to: Microsoft Graph, alone or as a part of these.
const OWN_APPLICATIONS: [&str; 3] = [
    "00000003-0000-0000-c000-000000000000",
    "office365",
    "microsoftadminportals",
];

/// Somebody whom a policy may catch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Person {
    /// A user, and whether it is a guest or otherwise external.
    User {
        /// The id.
        id: String,
        /// Whether that is so.
        is_external: Truth,
    },
    /// Whoever is in a group of which nobody could read who is.
    Member(String),
    /// A service principal.
    Application(String),
}

impl Person {
    /// A user; one who was invited from outside may be a guest of any kind.
    pub(super) fn user(id: &str, is_invited: bool) -> Self {
        Self::User {
            id: id.to_ascii_lowercase(),
            is_external: if is_invited { Truth::Undecided } else { Truth::No },
        }
    }

    /// Whoever is signed in.
    pub(super) fn signed_in(who: &SignedIn) -> Self {
        match who.kind {
            SignedInKind::User => Self::user(&who.object_id, is_invited(&who.name)),
            SignedInKind::Application => Self::Application(who.object_id.to_ascii_lowercase()),
        }
    }

    pub(super) fn held(&self, belonging: &Belonging<'_>, done: &Done<'_>) -> Held {
        match self {
            Self::User { id, .. } => belonging.of_person(id, done),
            Self::Member(group) => Held {
                certain: std::iter::once(group.clone()).collect(),
                is_open: true,
                ..Held::default()
            },
            Self::Application(_) => Held::default(),
        }
    }
}

/// Whether an account name is that of somebody invited from outside.
pub(super) fn is_invited(account: &str) -> bool {
    account.to_ascii_uppercase().contains("#EXT#")
}

/// Whether the policy keeps people out who sign in the usual way: it blocks, any client, every application.
///
/// Conditions such as places and platforms count as possible: they hold somewhere.
pub(super) fn can_lock_out(policy: &Object) -> bool {
    let blocks = match policy.get("grantControls") {
        Some(Value::Grant(grant)) => grant.controls.contains(&Control::BuiltIn("block".into())),
        _ => false,
    };
    let modern = match policy.get("conditions.clientAppTypes") {
        Some(Value::Symbols(kinds)) => {
            MODERN.iter().any(|kind| kinds.contains(*kind)) || kinds.contains("all")
        }
        _ => true,
    };
    let special = policy
        .get("conditions.authenticationFlows.transferMethods")
        .is_some();
    let everything = policy
        .reference_set(INCLUDE_APPLICATIONS)
        .any(|one| *one == Reference::keyword("All"));
    is_enabled(policy) && blocks && modern && !special && everything
}

const MODERN: [&str; 2] = ["browser", "mobileAppsAndDesktopClients"];

/// Whether nothing but who signs in decides whether it applies to those who carry a plan out.
pub(super) fn is_unconditional(policy: &Object) -> bool {
    let includes_all = |wire: &str| {
        policy
            .reference_set(wire)
            .any(|one| *one == Reference::keyword("All"))
    };
    let is_everywhere = includes_all("conditions.locations.includeLocations")
        && policy.get("conditions.locations.excludeLocations").is_none();
    policy.iter().all(|(property, value)| match property.wire {
        wire if !wire.starts_with("conditions.") => true,
        wire if wire.starts_with(USERS) || wire.starts_with(WORKLOADS) => true,
        INCLUDE_APPLICATIONS => true,
        wire @ "conditions.applications.excludeApplications" => !policy
            .reference_set(wire)
            .any(|one| OWN_APPLICATIONS.contains(&key(one).as_str())),
        "conditions.locations.includeLocations" => is_everywhere,
        "conditions.clientAppTypes" => match value {
            Value::Symbols(kinds) => kinds.contains("all") || MODERN.iter().all(|kind| kinds.contains(*kind)),
            _ => false,
        },
        _ => false,
    })
}

/// Whether it says by groups or roles whom it is about.
pub(super) fn names_sets(policy: &Object) -> bool {
    ["includeGroups", "excludeGroups", "includeRoles", "excludeRoles"]
        .iter()
        .any(|side| policy.reference_set(&format!("{USERS}{side}")).next().is_some())
}

/// Whether it leaves out a user of whom this holds.
pub(super) fn spares(policy: &Object, is: &dyn Fn(&Reference) -> bool) -> bool {
    policy.reference_set(&format!("{USERS}excludeUsers")).any(is)
}

/// Whether somebody who is held by these groups and roles is among those whom it is about.
pub(super) fn catches(policy: &Object, person: &Person, held: &Held) -> Truth {
    side(policy, "include", person, held) & !side(policy, "exclude", person, held)
}

/// Whether it surely keeps somebody from signing in to carry a plan out.
pub(super) fn locks_out(policy: &Object, person: &Person, held: &Held) -> Truth {
    if can_lock_out(policy) && is_unconditional(policy) {
        catches(policy, person, held)
    } else {
        Truth::No
    }
}

fn side(policy: &Object, side: &str, person: &Person, held: &Held) -> Truth {
    let has = |wire: &str, is: &dyn Fn(&Reference) -> bool| policy.reference_set(wire).any(is);
    let (id, is_external) = match person {
        Person::Application(id) => {
            let wire = format!("{WORKLOADS}{side}ServicePrincipals");
            let owned = |reference: &Reference| key(reference) == "serviceprincipalsinmytenant";
            let by_filter = match policy.get(&format!("{WORKLOADS}servicePrincipalFilter")) {
                Some(Value::Filter(filter)) => (filter.mode == FilterMode::Include) == (side == "include"),
                _ => false,
            };
            return Truth::from(has(&wire, &|one| key(one) == *id) || has(&wire, &owned))
                | if by_filter { Truth::Undecided } else { Truth::No };
        }
        Person::User { id, is_external } => (Some(id), *is_external),
        Person::Member(_) => (None, Truth::Undecided),
    };
    let users = format!("{USERS}{side}Users");
    let guests = has(&users, &|one| key(one) == "guestsorexternalusers")
        || policy
            .get(&format!("{USERS}{side}GuestsOrExternalUsers"))
            .is_some();
    let mut sum = Truth::from(has(&users, &|one| key(one) == "all"))
        | Truth::from(id.is_some_and(|id| has(&users, &|one| key(one) == *id)));
    if id.is_none()
        && policy
            .reference_set(&users)
            .any(|one| !matches!(one, Reference::Keyword(_)))
    {
        sum = sum | Truth::Undecided;
    }
    if guests {
        sum = sum | is_external.min(Truth::Undecided);
    }
    for wire in [format!("{USERS}{side}Groups"), format!("{USERS}{side}Roles")] {
        for set in policy.reference_set(&wire).map(key) {
            sum = sum | held.holds(&set);
        }
    }
    sum
}
