//! The configuration that a plan is made from: every policy of a rollout as its wave has it.
//!
//! What the engineer wrote stays what it is; only state and inclusions of the policies change, and two kinds of objects
//! come in besides: the cohort group, which holds people who can't be named otherwise, and the twin that observes those
//! who are not caught yet. Exclusions are never touched, and emergency access is excluded by the plan as from any policy.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::cohort::{Cut, Member, Wanted};
use super::error::RolloutError;
use super::part::{Part, PartError, People, part_of};
use super::standing::Standing;
use crate::model::configuration::{Configuration, Lifecycle, Resource};
use crate::model::few::Few;
use crate::model::rollout::{Audience, Cohort, Rollout, Wave};
use crate::model::value::Value;
use crate::model::{Address, Kind, Object, Reference, Target};

const STATE: &str = "state";
const MEMBERS: &str = "members";
const REPORT_ONLY: &str = "enabledForReportingButNotEnforced";

/// The properties of a policy that a rollout moves, by wire path.
pub const MOVED: [&str; 6] = [
    STATE,
    "conditions.users.includeUsers",
    "conditions.users.includeGroups",
    "conditions.users.includeRoles",
    "conditions.users.includeGuestsOrExternalUsers",
    "conditions.clientApplications.includeServicePrincipals",
];

/// The longest name that Graph takes.
const LONGEST: usize = 256;

/// What the directory says of the people whom waves name. Only what was asked for is there; what is not is an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The users of each group and the holders of each role, through nesting, by the reference as it was written.
    pub members: BTreeMap<Reference, Vec<User>>,
    /// The object ids of users, by the reference as it was written.
    pub users: BTreeMap<Reference, String>,
}

/// A user.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct User {
    /// The object id in lower case.
    pub id: String,
    /// Graph's properties by which a share may be spread, where they are set.
    pub properties: BTreeMap<String, String>,
}

/// What must be asked of the directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// Groups and roles whose members must be known, with the properties of theirs that are needed.
    pub members: BTreeMap<Reference, BTreeSet<String>>,
    /// Users whose ids must be known.
    pub users: BTreeSet<Reference>,
}

impl Needs {
    /// Takes in one more reference.
    pub fn add(&mut self, reference: &Reference, properties: &[String]) {
        match reference.target() {
            Some(Target::User) => drop(self.users.insert(reference.clone())),
            Some(Target::Group | Target::Role) => {
                let known = self.members.entry(reference.clone()).or_default();
                known.extend(properties.iter().cloned());
            }
            _ => {}
        }
    }

    /// Takes in all of others.
    pub fn join(&mut self, others: Self) {
        for (reference, properties) in others.members {
            self.members.entry(reference).or_default().extend(properties);
        }
        self.users.extend(others.users);
    }

    fn people(&mut self, people: &Object) {
        for (_, reference) in people.references() {
            self.add(reference, &[]);
        }
    }
}

/// The waves that have part in what a wave means: itself, and if it is enforced every enforced one before it.
fn waves_up_to(rollout: &Rollout, place: usize) -> Vec<&Wave> {
    let Some(wave) = rollout.waves.get(place) else {
        return Vec::new();
    };
    if !wave.is_enforced() {
        return vec![wave];
    }
    rollout
        .waves
        .iter()
        .take(place + 1)
        .filter(|wave| wave.is_enforced())
        .collect()
}

/// What must be known of the directory to say what a wave of a rollout means.
pub fn needs(
    configuration: &Configuration,
    rollout: &Rollout,
    wave: Option<&str>,
) -> Result<Needs, RolloutError> {
    if !rollout.tenants.is_empty() {
        return Err(RolloutError::NotCarriedOut {
            rollout: rollout.address.to_string(),
            attribute: "tenants",
        });
    }
    let mut needs = Needs::default();
    let Some(name) = wave else {
        return Ok(needs);
    };
    let place = super::machine::place(rollout, name)?;
    let waves = waves_up_to(rollout, place);
    if waves.iter().any(|wave| wave.audience == Audience::Whole) {
        return Ok(needs);
    }
    for wave in &waves {
        if let Audience::Share(cohort) = &wave.audience {
            needs.add(&cohort.of, &cohort.stratify_by);
            for people in [&cohort.first, &cohort.last].into_iter().flatten() {
                needs.people(people);
            }
        }
        for policy in &rollout.policies {
            if let Some(resource) = configuration.resources.get(&policy.value) {
                part_of(&resource.object).needs(&wave.audience, &mut needs);
            }
        }
    }
    Ok(needs)
}

/// Draws who is in the share of a wave, if it has one and it was not drawn yet.
pub fn draw(rollout: &Rollout, wave: &Wave, facts: &Facts) -> Result<BTreeMap<String, Cut>, RolloutError> {
    let Audience::Share(cohort) = &wave.audience else {
        return Ok(BTreeMap::new());
    };
    let key = rollout.address.to_string();
    let members = members(cohort, facts)?;
    let drawn = Cut::draw(&members, &wanted(&key, cohort, facts)?);
    let drawn = drawn.map_err(|cause| RolloutError::Cohort {
        wave: wave.name.clone(),
        rollout: key,
        cause,
        origin: cohort.origin,
    })?;
    Ok(BTreeMap::from([(wave.name.clone(), drawn.cut)]))
}

fn members<'f>(cohort: &Cohort, facts: &'f Facts) -> Result<Vec<Member<'f>>, RolloutError> {
    let users = facts.members_of(&cohort.of)?;
    Ok(users
        .iter()
        .map(|user| {
            let strata: Vec<&str> = cohort
                .stratify_by
                .iter()
                .map(|property| user.properties.get(property).map_or("", String::as_str))
                .collect();
            Member {
                id: Cow::Borrowed(&user.id),
                stratum: Cow::Owned(strata.join("\u{1f}")),
            }
        })
        .collect())
}

fn wanted<'k>(key: &'k str, cohort: &Cohort, facts: &Facts) -> Result<Wanted<'k>, RolloutError> {
    let pinned = |people: &Option<Object>| match people {
        Some(people) => facts.ids_of(people.references().into_iter().map(|(_, reference)| reference)),
        None => Ok(BTreeSet::new()),
    };
    Ok(Wanted {
        key,
        share: cohort.share.millionths,
        first: pinned(&cohort.first)?,
        last: pinned(&cohort.last)?,
    })
}

impl Facts {
    /// The members of a group, or the holders of a role.
    pub fn members_of(&self, reference: &Reference) -> Result<&[User], RolloutError> {
        self.members
            .get(reference)
            .map(Vec::as_slice)
            .ok_or_else(|| RolloutError::Unknown {
                reference: format!("{reference:?}"),
            })
    }

    /// The users that references come to.
    pub fn ids_of<'r>(
        &self,
        references: impl IntoIterator<Item = &'r Reference>,
    ) -> Result<BTreeSet<String>, RolloutError> {
        let mut ids = BTreeSet::new();
        for reference in references {
            match reference {
                Reference::Id {
                    target: Target::User,
                    id,
                } => drop(ids.insert(id.to_ascii_lowercase())),
                other if other.target() == Some(Target::User) => {
                    let id = self.users.get(other).ok_or_else(|| RolloutError::Unknown {
                        reference: format!("{other:?}"),
                    })?;
                    ids.insert(id.to_ascii_lowercase());
                }
                other => ids.extend(
                    self.members_of(other)?
                        .iter()
                        .map(|user| user.id.to_ascii_lowercase()),
                ),
            }
        }
        Ok(ids)
    }
}

/// The configuration with every rollout carried out as far as it stands: without rollouts.
///
/// A rollout without a standing, and one before its first wave, leaves its policies off.
pub fn lower(
    configuration: &Configuration,
    standings: &BTreeMap<Address, Standing>,
    facts: &Facts,
) -> Result<Configuration, RolloutError> {
    let mut lowered = configuration.clone();
    lowered.rollouts.clear();
    let before = Standing::default();
    for rollout in configuration.rollouts.values() {
        let standing = standings.get(&rollout.address).unwrap_or(&before);
        carry_out(configuration, rollout, standing, facts, &mut lowered)?;
    }
    Ok(lowered)
}

fn carry_out(
    configuration: &Configuration,
    rollout: &Rollout,
    standing: &Standing,
    facts: &Facts,
    lowered: &mut Configuration,
) -> Result<(), RolloutError> {
    let place = standing
        .target()
        .map(|name| super::machine::place(rollout, name))
        .transpose()?;
    let mut cohorts: Vec<(Address, BTreeSet<String>)> = Vec::new();
    for policy in &rollout.policies {
        let Some(resource) = configuration.resources.get(&policy.value) else {
            continue;
        };
        let Some(place) = place else {
            set_state(lowered, &policy.value, "disabled");
            continue;
        };
        let Some(wave) = rollout.waves.get(place) else {
            continue;
        };
        let enforced = wave.is_enforced();
        set_state(
            lowered,
            &policy.value,
            if enforced { "enabled" } else { REPORT_ONLY },
        );
        let Some(mut part) = part(rollout, resource, standing, place, facts)? else {
            continue;
        };
        if part.is_nobody() {
            return Err(RolloutError::Nobody {
                rollout: rollout.address.to_string(),
                wave: wave.name.clone(),
                policy: policy.value.to_string(),
                origin: wave.origin,
            });
        }
        if !part.members.is_empty() {
            let members = std::mem::take(&mut part.members);
            let known = cohorts.iter().find(|(_, others)| *others == members);
            let address = if let Some((address, _)) = known {
                address.clone()
            } else {
                let address = cohort_address(&rollout.address, cohorts.len());
                cohorts.push((address.clone(), members));
                address
            };
            part.groups.insert(Reference::managed(Target::Group, address));
        }
        if enforced && rollout.observe_rest {
            let twin = twin(resource, &part).map_err(|error| located(error, rollout, wave, resource))?;
            add(lowered, rollout, twin)?;
        }
        if let Some(resource) = lowered.resources.get_mut(&policy.value) {
            part.put(&mut resource.object);
        }
    }
    for (address, members) in cohorts {
        let group = cohort_group(rollout, address, &members);
        add(lowered, rollout, group)?;
    }
    Ok(())
}

fn set_state(lowered: &mut Configuration, policy: &Address, state: &str) {
    if let Some(resource) = lowered.resources.get_mut(policy) {
        resource.object.set(STATE, Some(Value::Symbol(state.to_owned())));
    }
}

/// The part of a policy's audience that a wave has; none when it is all of it.
fn part(
    rollout: &Rollout,
    resource: &Resource,
    standing: &Standing,
    place: usize,
    facts: &Facts,
) -> Result<Option<Part>, RolloutError> {
    let own = part_of(&resource.object);
    let mut whole = Part::default();
    let waves = waves_up_to(rollout, place);
    if waves.iter().any(|wave| wave.audience == Audience::Whole) {
        return Ok(None);
    }
    for wave in waves {
        let located = |error| located(error, rollout, wave, resource);
        let within = |people: People<'_>| own.within(people, facts).map_err(located);
        let part = match &wave.audience {
            Audience::Whole => own.clone(),
            Audience::People(people) => within(People::Named(people))?,
            Audience::Share(cohort) => {
                let cut = standing
                    .cuts
                    .get(&wave.name)
                    .ok_or_else(|| RolloutError::NotDrawn {
                        rollout: rollout.address.to_string(),
                        wave: wave.name.clone(),
                    })?;
                let key = rollout.address.to_string();
                let ids = cut.of(&members(cohort, facts)?, &wanted(&key, cohort, facts)?);
                within(People::Drawn(ids))?
            }
        };
        whole = whole.or(part).map_err(located)?;
    }
    Ok(Some(whole))
}

fn located(error: PartError, rollout: &Rollout, wave: &Wave, resource: &Resource) -> RolloutError {
    match error {
        PartError::Directory(error) => error,
        PartError::Mixed => RolloutError::Mixed {
            rollout: rollout.address.to_string(),
            wave: wave.name.clone(),
            policy: resource.address.to_string(),
            origin: wave.origin,
        },
    }
}

/// The address of the group that holds the people of a rollout, whether it is there or not.
pub fn cohort_of(rollout: &Address) -> Address {
    cohort_address(rollout, 0)
}

/// The address of one of the groups that hold the people of a rollout; policies for different people need several.
pub fn cohort_address(rollout: &Address, number: usize) -> Address {
    let name = match number {
        0 => format!("{}_cohort", rollout.name),
        more => format!("{}_cohort_{}", rollout.name, more + 1),
    };
    Address {
        kind: Kind::Group.block().to_owned(),
        name,
        ..rollout.clone()
    }
}

fn cohort_group(rollout: &Rollout, address: Address, members: &BTreeSet<String>) -> Resource {
    let mut object = Object::new(Kind::Group);
    let number = address
        .name
        .rsplit_once("_cohort_")
        .map_or("", |(_, number)| number);
    let name = format!("{} cohort {number}", rollout.address);
    object.set("displayName", Some(Value::Text(shortened(name.trim_end(), ""))));
    object.set(
        "description",
        Some(Value::Text(
            "Who has been reached by a staged rollout; kept by capol, changes made by hand are taken back."
                .to_owned(),
        )),
    );
    let members = members.iter().map(|id| Reference::id(Target::User, id)).collect();
    object.set(MEMBERS, Some(Value::References(members)));
    blank(rollout, address, object)
}

fn blank(rollout: &Rollout, address: Address, object: Object) -> Resource {
    Resource {
        address,
        object,
        origin: rollout.origin,
        origins: Few::new(),
        reference_origins: Vec::new(),
        depends_on: Vec::new(),
        lifecycle: Lifecycle::default(),
        includes_emergency_access: None,
    }
}

/// The address of the twin that observes for a policy, whether it is there or not.
pub fn twin_of(policy: &Address) -> Address {
    Address {
        name: format!("{}_observer", policy.name),
        ..policy.clone()
    }
}

/// The report-only twin that watches everyone whom the policy is for and does not catch yet.
fn twin(resource: &Resource, part: &Part) -> Result<Resource, PartError> {
    let mut twin = resource.clone();
    twin.address = twin_of(&resource.address);
    let name = shortened(resource.object.name(), " (observing)");
    twin.object.set("displayName", Some(Value::Text(name)));
    twin.object
        .set(STATE, Some(Value::Symbol(REPORT_ONLY.to_owned())));
    part.leave_out(&mut twin.object)?;
    twin.lifecycle = Lifecycle::default();
    Ok(twin)
}

fn shortened(name: &str, ending: &str) -> String {
    let room = LONGEST.saturating_sub(ending.chars().count());
    name.chars().take(room).chain(ending.chars()).collect()
}

fn add(lowered: &mut Configuration, rollout: &Rollout, resource: Resource) -> Result<(), RolloutError> {
    if let Some(other) = lowered.resources.get(&resource.address) {
        return Err(RolloutError::AddressTaken {
            address: resource.address.to_string(),
            rollout: rollout.address.to_string(),
            origin: other.origin,
        });
    }
    lowered.resources.insert(resource.address.clone(), resource);
    Ok(())
}
