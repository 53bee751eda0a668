//! Emergency access: the exclusions that nobody writes, and the plans that are refused.

use std::collections::BTreeSet;

use indexmap::IndexSet;

use crate::access::Truth;
use crate::model::configuration::{Configuration, Resource};
use crate::model::live::{LiveTenant, SignedIn};
use crate::model::rules;
use crate::model::value::Value;
use crate::model::{Address, Kind, Object, Reference, Target};

use super::build::Draft;
use super::change::Action;
use super::error::{PlanError, Problem};
use super::lockout::{Person, can_lock_out, catches, is_invited, locks_out};
use super::note::Note;
use super::options::PlanOptions;
use super::people::{Belonging, Done, Held, key};
use super::resolve::{Resolver, origin_of};

const EXCLUDE_USERS: &str = "conditions.users.excludeUsers";
const EXCLUDE_GROUPS: &str = "conditions.users.excludeGroups";
const STATE: &str = "state";

/// The accounts and groups that no policy may catch, resolved.
#[derive(Debug, Default)]
pub(super) struct Emergency {
    users: IndexSet<Reference>,
    groups: IndexSet<Reference>,
    /// The ids of users who were invited from outside.
    invited: BTreeSet<String>,
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
        let names = resolver.directory.names.iter();
        let invited = names.filter(|(_, name)| is_invited(name));
        Some(Self {
            users: each(&block.users),
            groups: each(&block.groups),
            invited: invited.map(|(id, _)| id.clone()).collect(),
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

    /// Whether some of them are whoever is in a group.
    pub(super) fn goes_by_groups(&self) -> bool {
        !self.groups.is_empty()
    }

    /// The ids of all users that are accounts at one time or another.
    pub(super) fn ever(&self, belonging: &Belonging<'_>) -> BTreeSet<String> {
        let members = self
            .groups
            .iter()
            .filter_map(|group| belonging.ever_in(&key(group)));
        self.users.iter().map(key).chain(members.flatten()).collect()
    }

    fn is_empty(&self) -> bool {
        self.users.is_empty() && self.groups.is_empty()
    }

    /// The accounts that there are once some writes to groups are done.
    pub(super) fn present(&self, belonging: &Belonging<'_>, done: &Done<'_>) -> Present {
        let mut accounts: Vec<Account> = Vec::new();
        let mut add = |person: Person, counts: &dyn Fn(&Held) -> Truth| {
            if accounts
                .iter()
                .all(|known| known.person != person || known.counts != Truth::Yes)
            {
                let held = person.held(belonging, done);
                accounts.push(Account {
                    counts: counts(&held),
                    person,
                    held,
                });
            }
        };
        let user = |id: &String| Person::user(id, self.invited.contains(id));
        for id in self.users.iter().map(key) {
            add(user(&id), &|_| Truth::Yes);
        }
        for group in self.groups.iter().map(key) {
            match belonging.ever_in(&group) {
                None => add(Person::Member(group), &|_| Truth::Yes),
                Some(members) => {
                    for id in members {
                        add(user(&id), &|held| held.holds(&group));
                    }
                }
            }
        }
        Present {
            accounts,
            is_named: !self.is_empty(),
        }
    }
}

/// One emergency account at an instant.
#[derive(Debug)]
struct Account {
    person: Person,
    held: Held,
    /// Whether it is one: it may be in a group of them only at times.
    counts: Truth,
}

/// The emergency accounts at an instant.
#[derive(Debug)]
pub(super) struct Present {
    accounts: Vec<Account>,
    is_named: bool,
}

impl Present {
    /// Whether a policy keeps every one of them out; also when there is none, though some are named.
    pub(super) fn locked_out_by(&self, policy: &Object) -> Truth {
        if !(self.is_named && can_lock_out(policy)) {
            return Truth::No;
        }
        Truth::all(
            self.accounts
                .iter()
                .map(|account| !account.counts | catches(policy, &account.person, &account.held)),
        )
    }
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
    let ends = Ends::of(drafts, emergency, live);
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
        for (problem, note) in ends.wrong(change.before.as_ref(), after, stronger) {
            match problem {
                Some(problem) => errors.push(draft.error(problem)),
                None => notes.extend(note.map(|note| note.on(&change.address, draft.origin()))),
            }
        }
    }
    no_emergency_access(unnamed, desired, options, errors, notes);
    let managed: BTreeSet<&str> = drafts
        .iter()
        .filter(|draft| draft.change.after.is_some() || draft.change.action == Action::Delete)
        .filter_map(|draft| draft.live.map(|live| live.id.as_str()))
        .collect();
    for policy in live.policies() {
        if managed.contains(policy.id.as_str()) {
            continue;
        }
        for (problem, note) in ends.wrong(Some(&policy.object), &policy.object, false) {
            match problem {
                // Only those who join or leave groups make it worse.
                Some(problem) => errors.push(match drafts.get(ends.moving.unwrap_or_default()) {
                    Some(draft) => draft.error(problem),
                    None => PlanError::new(problem),
                }),
                None => notes.extend(note),
            }
        }
    }
}

/// Says that a project names no account, where a policy is made stronger.
fn no_emergency_access(
    unnamed: Option<&Draft<'_>>,
    desired: &Configuration,
    options: &PlanOptions,
    errors: &mut Vec<PlanError>,
    notes: &mut Vec<Note>,
) {
    let Some(draft) = unnamed.filter(|_| !options.sandbox) else {
        return;
    };
    let Some(reason) = &desired.settings.no_emergency_access else {
        errors.push(draft.error(Problem::NoEmergencyAccess));
        return;
    };
    let message = format!("no account is kept out of every policy: emergency access is `none({reason:?})`");
    let note = Note::warning("emergency_access_none", message)
        .help("name the accounts: `emergency_access { users = [user(\"…\")] }`");
    notes.push(note.on(&draft.change.address, draft.origin()));
}

/// Who is where before a plan and after it.
struct Ends<'g> {
    accounts: Option<[Present; 2]>,
    me: Option<(&'g SignedIn, Person, [Held; 2])>,
    /// A draft that changes who is in a group.
    moving: Option<usize>,
}

impl<'g> Ends<'g> {
    fn of(drafts: &[Draft<'_>], emergency: Option<&Emergency>, live: &'g LiveTenant) -> Self {
        let belonging = Belonging::of(&live.people, drafts);
        let moments: [&Done<'_>; 2] = [&|_, _| false, &|_, _| true];
        Self {
            accounts: emergency.map(|emergency| moments.map(|done| emergency.present(&belonging, done))),
            me: live.signed_in.as_ref().map(|who| {
                let person = Person::signed_in(who);
                let held = moments.map(|done| person.held(&belonging, done));
                (who, person, held)
            }),
            moving: belonging.any_draft(),
        }
    }

    /// What is wrong with a policy as it shall be, or would only be worth a note because the plan makes it no worse.
    fn wrong(
        &self,
        before: Option<&Object>,
        after: &Object,
        is_stronger: bool,
    ) -> Vec<(Option<Problem>, Option<Note>)> {
        let mut wrong = Vec::new();
        let name = || after.name().to_owned();
        if let Some([start, end]) = &self.accounts {
            let then = end.locked_out_by(after);
            let is_worse =
                is_stronger || then > before.map_or(Truth::No, |before| start.locked_out_by(before));
            match (then, is_worse) {
                (Truth::Yes, true) => wrong.push((Some(Problem::EmergencyLockout { name: name() }), None)),
                (Truth::Undecided, true) => {
                    wrong.push((Some(Problem::EmergencyUnclear { name: name() }), None));
                }
                (Truth::Yes, false) => wrong.push((None, Some(lockout(after.name())))),
                (Truth::Undecided, false) => wrong.push((None, Some(unclear(after.name())))),
                (Truth::No, _) => {}
            }
        }
        if let Some((who, person, [start, end])) = &self.me {
            let then = locks_out(after, person, end);
            let is_worse =
                is_stronger || then > before.map_or(Truth::No, |before| locks_out(before, person, start));
            let (name, who) = (name(), who.name.clone());
            match then {
                Truth::Yes if is_worse => wrong.push((Some(Problem::SelfLockout { name, who }), None)),
                Truth::Undecided if is_worse => wrong.push((Some(Problem::SelfUnclear { name, who }), None)),
                _ => {}
            }
        }
        wrong
    }
}

fn lockout(name: &str) -> Note {
    Note::warning(
        "emergency_lockout",
        format!("`{name}` may block every emergency account"),
    )
    .help("exclude one of the accounts from it, or bring the policy under capol with `capol import`")
}

fn unclear(name: &str) -> Note {
    Note::warning(
        "emergency_unclear",
        format!(
            "nobody can tell whether `{name}` blocks every emergency account: groups or roles of theirs can't be read"
        ),
    )
    .help("exclude one of the accounts from it by name, or let capol read groups and roles: `Directory.Read.All`")
}
