//! Emergency access: the exclusions that nobody writes, and the plans that are refused.

use std::collections::BTreeSet;

use indexmap::IndexSet;

use crate::model::configuration::{Configuration, Resource};
use crate::model::live::{LiveTenant, SignedInKind};
use crate::model::rules;
use crate::model::value::{Control, Value};
use crate::model::{Address, Kind, Object, Reference, Target};

use super::build::Draft;
use super::change::Action;
use super::error::{PlanError, Problem};
use super::note::Note;
use super::options::PlanOptions;
use super::resolve::{Resolver, origin_of};

const INCLUDE_USERS: &str = "conditions.users.includeUsers";
const INCLUDE_GROUPS: &str = "conditions.users.includeGroups";
const EXCLUDE_USERS: &str = "conditions.users.excludeUsers";
const EXCLUDE_GROUPS: &str = "conditions.users.excludeGroups";
const STATE: &str = "state";

/// The accounts and groups that no policy may catch, resolved.
#[derive(Debug, Default)]
pub(super) struct Emergency {
    users: IndexSet<Reference>,
    groups: IndexSet<Reference>,
}

impl Emergency {
    /// Resolves the block; what it names must exist.
    pub(super) fn of(resolver: &Resolver<'_>, errors: &mut Vec<PlanError>) -> Option<Self> {
        let block = resolver.desired.emergency_access.as_ref()?;
        let mut each = |references: &[Reference]| -> IndexSet<Reference> {
            let mut found = IndexSet::new();
            for reference in references {
                let origin = origin_of(&block.reference_origins, reference).unwrap_or(block.origin);
                let problem = match resolver.resolve(reference) {
                    Ok(Reference::Id { target, id }) if resolver.is_missing(target, &id) => {
                        let noun = if target == Target::Group {
                            "a group"
                        } else {
                            "a user"
                        };
                        Box::new(Problem::MissingId {
                            id,
                            noun: noun.into(),
                        })
                    }
                    Ok(reference) => {
                        found.insert(reference);
                        continue;
                    }
                    Err(problem) => problem,
                };
                errors.push(PlanError::boxed(problem).at(Some(origin)));
            }
            found
        };
        Some(Self {
            users: each(&block.users),
            groups: each(&block.groups),
        })
    }

    /// Excludes the accounts from a policy with a user audience that does not say it must catch them.
    pub(super) fn exclude(&self, resource: &Resource, after: &mut Object) {
        let applies = after.kind == Kind::Policy
            && resource.includes_emergency_access.is_none()
            && rules::has_user_audience(after);
        if applies {
            add(after, EXCLUDE_USERS, &self.users);
            add(after, EXCLUDE_GROUPS, &self.groups);
        }
    }

    /// The managed groups that the exclusions need.
    pub(super) fn needs(desired: &Configuration) -> BTreeSet<Address> {
        desired
            .emergency_access
            .iter()
            .flat_map(|block| &block.groups)
            .filter_map(|reference| match reference {
                Reference::Managed { address, .. } => Some((**address).clone()),
                _ => None,
            })
            .collect()
    }

    /// The accounts, then the groups.
    pub(super) fn all(&self) -> Vec<Reference> {
        self.users.iter().chain(&self.groups).cloned().collect()
    }

    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }

    /// Whether the policy surely catches every one of the accounts. Who is in which other group is not
    /// known here, so a policy that leaves out further groups or roles is given the benefit of the doubt.
    fn all_caught_by(&self, policy: &Object) -> bool {
        let all = has(policy, INCLUDE_USERS, &Reference::keyword("All"));
        let ours = |reference: &&Reference| !self.groups.contains(*reference);
        let doubt = policy.reference_set(EXCLUDE_GROUPS).any(|group| ours(&group))
            || policy.get("conditions.users.excludeRoles").is_some();
        let caught = |included: &str, excluded: &str, one: &Reference| {
            (all || has(policy, included, one)) && !has(policy, excluded, one)
        };
        !self.is_empty()
            && !doubt
            && self
                .users
                .iter()
                .all(|user| caught(INCLUDE_USERS, EXCLUDE_USERS, user))
            && self
                .groups
                .iter()
                .all(|group| caught(INCLUDE_GROUPS, EXCLUDE_GROUPS, group))
    }
}

fn has(object: &Object, wire: &str, reference: &Reference) -> bool {
    object.reference_set(wire).any(|present| present == reference)
}

fn add(object: &mut Object, wire: &'static str, more: &IndexSet<Reference>) {
    let mut all: IndexSet<Reference> = object.reference_set(wire).cloned().collect();
    all.extend(more.iter().cloned());
    if !all.is_empty() {
        object.set(wire, Some(Value::References(all.into())));
    }
}

pub(super) fn is_enabled(policy: &Object) -> bool {
    policy.kind == Kind::Policy && policy.text(STATE) == Some("enabled")
}

/// Whether the policy keeps people out who sign in the usual way: it blocks, any client, every application.
///
/// Conditions such as places and platforms count as possible: they hold somewhere.
fn can_lock_out(policy: &Object) -> bool {
    let blocks = match policy.get("grantControls") {
        Some(Value::Grant(grant)) => grant.controls.contains(&Control::BuiltIn("block".into())),
        _ => false,
    };
    let modern = match policy.get("conditions.clientAppTypes") {
        Some(Value::Symbols(kinds)) => {
            kinds.contains("browser") || kinds.contains("mobileAppsAndDesktopClients")
        }
        _ => true,
    };
    let special = policy
        .get("conditions.authenticationFlows.transferMethods")
        .is_some();
    let everything = has(
        policy,
        "conditions.applications.includeApplications",
        &Reference::keyword("All"),
    );
    is_enabled(policy) && blocks && modern && !special && everything
}

/// Whether it blocks without any condition at all.
fn is_unconditional(policy: &Object) -> bool {
    !policy.iter().any(|(property, _)| {
        property.wire.starts_with("conditions.")
            && !property.wire.starts_with("conditions.users.")
            && property.wire != "conditions.applications.includeApplications"
    })
}

/// Whether the policy is enforced afterwards and catches more, or asks for more, than before.
pub(super) fn strengthens(before: Option<&Object>, after: &Object) -> bool {
    if !is_enabled(after) {
        return false;
    }
    let Some(before) = before.filter(|before| is_enabled(before)) else {
        return true;
    };
    after.kind.properties().iter().any(|property| {
        let (old, new) = (before.get(property.wire), after.get(property.wire));
        let member = property.wire.rsplit('.').next().unwrap_or_default();
        if super::difference::equal(old, new) || matches!(property.wire, "displayName" | "description") {
            return false;
        }
        match (references(old), references(new)) {
            (Some(old), Some(new)) if member.starts_with("exclude") => !old.is_subset(&new),
            (Some(old), Some(new)) if member.starts_with("include") => new.is_empty() || !new.is_subset(&old),
            _ => true,
        }
    })
}

/// The references of a property; none when it is of another shape.
fn references(value: Option<&Value>) -> Option<IndexSet<&Reference>> {
    match value {
        Some(Value::References(set)) => Some(set.iter().collect()),
        None => Some(IndexSet::new()),
        _ => None,
    }
}

/// Refuses plans that leave nobody a way in; warns of live policies that could.
///
/// Looks at every policy of the estate, whatever the plan was narrowed to.
pub(super) fn guard(
    drafts: &[Draft<'_>],
    emergency: Option<&Emergency>,
    desired: &Configuration,
    live: &LiveTenant,
    options: &PlanOptions,
    errors: &mut Vec<PlanError>,
    notes: &mut Vec<Note>,
) {
    let mut unnamed = None;
    for draft in drafts {
        let change = &draft.change;
        let Some(after) = change.after.as_ref().filter(|after| is_enabled(after)) else {
            continue;
        };
        let written = matches!(change.action, Action::Create | Action::Update | Action::Replace);
        let stronger = written && strengthens(change.before.as_ref(), after);
        if stronger && emergency.is_none() {
            unnamed.get_or_insert(draft);
        }
        if can_lock_out(after) && emergency.is_some_and(|emergency| emergency.all_caught_by(after)) {
            if stronger {
                errors.push(draft.error(Problem::EmergencyLockout {
                    name: change.name.clone(),
                }));
            } else {
                notes.push(lockout(&change.name).on(&change.address, draft.origin()));
            }
        }
        if stronger && let Some(who) = locked_out_self(after, live) {
            errors.push(draft.error(Problem::SelfLockout {
                name: change.name.clone(),
                who,
            }));
        }
    }
    if let Some(draft) = unnamed
        && desired.settings.no_emergency_access.is_none()
        && !options.sandbox
    {
        errors.push(draft.error(Problem::NoEmergencyAccess));
    }
    if let (Some(draft), Some(reason), false) =
        (unnamed, &desired.settings.no_emergency_access, options.sandbox)
    {
        let message =
            format!("no account is kept out of every policy: emergency access is `none({reason:?})`");
        let note = Note::warning("emergency_access_none", message)
            .help("name the accounts: `emergency_access { users = [user(\"…\")] }`");
        notes.push(note.on(&draft.change.address, draft.origin()));
    }
    let managed: BTreeSet<&str> = drafts
        .iter()
        .filter(|draft| draft.change.after.is_some() || draft.change.action == Action::Delete)
        .filter_map(|draft| draft.live.map(|live| live.id.as_str()))
        .collect();
    for policy in live.policies() {
        if !managed.contains(policy.id.as_str())
            && can_lock_out(&policy.object)
            && emergency.is_some_and(|emergency| emergency.all_caught_by(&policy.object))
        {
            notes.push(lockout(policy.name()));
        }
    }
}

fn lockout(name: &str) -> Note {
    Note::warning(
        "emergency_lockout",
        format!("`{name}` may block every emergency account"),
    )
    .help("exclude one of the accounts from it, or bring the policy under capol with `capol import`")
}

/// The name of the signed-in identity when the policy surely blocks it.
fn locked_out_self(policy: &Object, live: &LiveTenant) -> Option<String> {
    let who = live.signed_in.as_ref()?;
    if !can_lock_out(policy) || !is_unconditional_for(policy, who.kind) {
        return None;
    }
    let caught = match who.kind {
        SignedInKind::User => {
            let me = Reference::id(Target::User, &who.object_id);
            let doubt = policy.get(EXCLUDE_GROUPS).is_some()
                || policy.get("conditions.users.excludeRoles").is_some()
                || policy
                    .get("conditions.users.excludeGuestsOrExternalUsers")
                    .is_some();
            (has(policy, INCLUDE_USERS, &Reference::keyword("All")) || has(policy, INCLUDE_USERS, &me))
                && !has(policy, EXCLUDE_USERS, &me)
                && !doubt
        }
        SignedInKind::Application => {
            let me = Reference::id(Target::ServicePrincipal, &who.object_id);
            let include = "conditions.clientApplications.includeServicePrincipals";
            let exclude = "conditions.clientApplications.excludeServicePrincipals";
            (has(policy, include, &me)
                || has(
                    policy,
                    include,
                    &Reference::keyword("ServicePrincipalsInMyTenant"),
                ))
                && !has(policy, exclude, &me)
        }
    };
    caught.then(|| who.name.clone())
}

fn is_unconditional_for(policy: &Object, kind: SignedInKind) -> bool {
    match kind {
        SignedInKind::User => is_unconditional(policy),
        SignedInKind::Application => !policy.iter().any(|(property, _)| {
            property.wire.starts_with("conditions.")
                && !property.wire.starts_with("conditions.users.")
                && property.wire != "conditions.applications.includeApplications"
                && !property.wire.ends_with("ServicePrincipals")
        }),
    }
}
