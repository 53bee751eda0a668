//! The policies and regions that the rules ask about, as subjects of a space.

use std::collections::{BTreeMap, BTreeSet};

use super::{Gap, Known, Rule};
use crate::access::condition::Condition;
use crate::access::demand::asks_for;
use crate::access::estate::Estate;
use crate::access::policy::{Enforcement, Policy, key};
use crate::access::sign_in::ExternalUser;
use crate::access::symbolic::{
    Facet, Found, Mask, Near, Reading, Space, SpaceError, Subject, TooMany, Wanted,
};
use crate::model::value::{Control, ExternalTenants, Guests, Value};
use crate::model::{Kind, Object, Reference, Target, catalogue};

/// The role of the account that synchronises a directory from elsewhere, "Directory Synchronization Accounts".
pub(super) const SYNCHRONISATION_ROLE: &str = "d29b2b05-8046-44ba-8758-1e26182fcf32";
/// What that account signs in to: Microsoft Entra Connect.
const SYNCHRONISATION_APP: &str = "cb1056e2-e479-49de-ae31-7812af012ed8";

/// The roles for which Microsoft asks for phishing-resistant methods at least.
///
/// Source: "Require phishing-resistant multifactor authentication for administrators", the roles of the template.
pub(super) const ADMINS: &[&str] = &[
    "global_administrator",
    "application_administrator",
    "authentication_administrator",
    "billing_administrator",
    "cloud_application_administrator",
    "conditional_access_administrator",
    "exchange_administrator",
    "helpdesk_administrator",
    "password_administrator",
    "privileged_authentication_administrator",
    "privileged_role_administrator",
    "security_administrator",
    "sharepoint_administrator",
    "user_administrator",
];

/// On which side of a change a policy in force is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    /// Only before.
    Before,
    /// After, and perhaps before as well.
    After { before: bool },
}

/// A policy that is not off.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) policy: &'a Policy,
    pub(super) estate: &'a Estate,
    pub(super) side: Side,
}

impl Asked<'_> {
    /// Whether it is in force after the change.
    pub(super) fn is_in_force(&self) -> bool {
        self.is_after() && self.policy.enforcement == Enforcement::Enforced
    }

    pub(super) fn is_after(&self) -> bool {
        matches!(self.side, Side::After { .. })
    }

    fn was_in_force(&self) -> bool {
        self.side != (Side::After { before: false }) && self.policy.enforcement == Enforcement::Enforced
    }

    /// Whether anything comes of it where it catches.
    pub(super) fn does_something(&self) -> bool {
        self.guards() || !self.policy.session.is_empty()
    }

    /// Whether it blocks or asks for something.
    pub(super) fn guards(&self) -> bool {
        self.policy.grant.is_some()
    }
}

/// A region of sign-ins, as a policy that catches just that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Region {
    /// Older protocols, by anybody but the emergency accounts.
    Legacy,
    /// Holders of the admin roles, with clients that can do what is asked for.
    Admins,
    /// The account that synchronises the directory.
    Synchronisation,
    /// Everybody who is no guest, and neither that account nor an emergency account.
    Members,
}

impl Region {
    const ALL: [Self; 4] = [Self::Legacy, Self::Admins, Self::Synchronisation, Self::Members];
}

/// What is asked about: policies, then regions, then policies on platforms without their platforms.
pub(super) struct Inquiry<'a> {
    pub(super) asked: Vec<Asked<'a>>,
    pub(super) estate: &'a Estate,
    pub(super) known: &'a Known<'a>,
    regions: Vec<Policy>,
    /// By the place of the policy.
    elsewhere: BTreeMap<usize, Policy>,
    people: Vec<Policy>,
    /// Guests of each kind, which are asked about among people only.
    guests: Vec<Policy>,
}

/// How many steps a search may take before nothing is said.
pub(super) const PATIENCE: u64 = 50_000;
/// The same for one of many searches.
pub(super) const LITTLE_PATIENCE: u64 = 1_000;

/// A sign-in that the policy at a place catches and that is wanted beside it, whose facts `may` all be.
pub(super) fn find<const W: usize>(
    space: &Space<W>,
    near: &Near<W>,
    wanted: &Wanted<W>,
    may: &dyn Fn(&Facet) -> bool,
    patience: u64,
) -> Result<Option<Found<W>>, TooMany> {
    let mut patience = patience;
    space.find_near_of(near, wanted, None, may, &mut patience)
}

/// Both spaces: all facts of sign-ins, and those of people only.
pub(super) struct Spaces<const W: usize> {
    pub(super) whole: Space<W>,
    pub(super) people: Space<W>,
}

impl<'a> Inquiry<'a> {
    pub(super) fn new(before: Option<&'a Estate>, estate: &'a Estate, known: &'a Known<'a>) -> Self {
        let active = |estate: &'a Estate| {
            let all = estate.policies().iter();
            all.filter(|policy| policy.enforcement != Enforcement::Off)
        };
        let mut asked: Vec<Asked<'a>> = Vec::new();
        for policy in active(estate) {
            let was = before.is_some_and(|before| {
                active(before).any(|other| {
                    other.enforcement == policy.enforcement && other.does_the_same(before, policy, estate)
                })
            });
            asked.push(Asked {
                policy,
                estate,
                side: Side::After { before: was },
            });
        }
        if let Some(before) = before {
            for policy in active(before) {
                let stays = active(estate).any(|other| {
                    other.enforcement == policy.enforcement && policy.does_the_same(before, other, estate)
                });
                if !stays {
                    asked.push(Asked {
                        policy,
                        estate: before,
                        side: Side::Before,
                    });
                }
            }
        }
        let anything = anything();
        let elsewhere = asked
            .iter()
            .enumerate()
            .filter(|(_, asked)| asked.is_in_force() && asked.policy.names_platforms())
            .map(|(place, asked)| (place, asked.policy.with(Condition::Platforms, &anything)))
            .collect();
        let people = asked
            .iter()
            .map(|asked| anything.with(Condition::Users, asked.policy))
            .collect();
        Self {
            regions: Region::ALL.map(|region| policy(region, known)).into(),
            asked,
            estate,
            known,
            elsewhere,
            people,
            guests: ExternalUser::kinds().map(|kind| guests(kind, known)).collect(),
        }
    }

    /// How many subjects there are.
    pub(super) fn size(&self) -> usize {
        self.asked.len() + self.regions.len() + self.elsewhere.len().max(self.guests.len())
    }

    /// Whether anything in force changes.
    pub(super) fn has_changes(&self) -> bool {
        self.asked
            .iter()
            .any(|asked| asked.side != (Side::After { before: true }))
    }

    /// The place of a region.
    pub(super) fn region(&self, region: Region) -> usize {
        let place = Region::ALL.iter().position(|one| *one == region).unwrap_or(0);
        self.asked.len() + place
    }

    /// The place of the guests of a kind, among people.
    pub(super) fn guests_of(&self, kind: &str) -> usize {
        let place = ExternalUser::kinds().position(|one| one == kind).unwrap_or(0);
        self.asked.len() + self.regions.len() + place
    }

    /// The policies on platforms, each with the place of the same policy on all platforms.
    pub(super) fn elsewhere(&self) -> impl Iterator<Item = (usize, usize)> {
        let first = self.asked.len() + self.regions.len();
        let all = self.elsewhere.keys().enumerate();
        all.map(move |(number, place)| (*place, first + number))
    }

    /// The policies of which this holds.
    pub(super) fn among<const W: usize>(&self, holds: impl Fn(&Asked<'_>) -> bool) -> Mask<W> {
        let all = self.asked.iter().enumerate();
        all.filter(|(_, asked)| holds(asked))
            .map(|(place, _)| place)
            .collect()
    }

    /// The policies that were in force before and of which this holds, each by itself.
    pub(super) fn earlier<const W: usize>(
        &self,
        holds: impl Fn(&Asked<'_>) -> bool,
    ) -> impl Iterator<Item = Mask<W>> {
        let were: Mask<W> = self.among(|asked| asked.was_in_force() && holds(asked));
        let places: Vec<usize> = were.places().collect();
        places.into_iter().map(|place| Mask::from_iter([place]))
    }

    /// Whether whoever does what a policy asks for has done one of these controls, or the policy blocks.
    pub(super) fn does(&self, asked: &Asked<'_>, wanted: &[Control]) -> bool {
        asked.policy.blocks() || asks_for(asked.policy, asked.estate, wanted, self.estate)
    }

    /// Whether anybody began to guard anything.
    pub(super) fn is_begun(&self) -> bool {
        self.asked.iter().any(Asked::is_in_force)
    }

    pub(super) fn spaces<const W: usize>(&self) -> Result<Spaces<W>, SpaceError> {
        let asked = self.asked.iter().map(|asked| Subject {
            policy: asked.policy,
            estate: asked.estate,
        });
        let further = self.regions.iter().chain(self.elsewhere.values());
        let further = further.map(|policy| Subject {
            policy,
            estate: self.estate,
        });
        let whole: Vec<Subject<'_>> = asked.chain(further).collect();
        let people = self.people.iter().chain(&self.regions).chain(&self.guests);
        let people = people.map(|policy| Subject {
            policy,
            estate: self.estate,
        });
        let people: Vec<Subject<'_>> = people.collect();
        Ok(Spaces {
            whole: Space::new(&whole, self.known.directory, Reading::Possible)?,
            people: Space::new(&people, self.known.directory, Reading::Possible)?,
        })
    }

    pub(super) fn gaps<const W: usize>(&self) -> Result<Vec<Gap>, SpaceError> {
        let spaces = self.spaces::<W>()?;
        let mut found = Vec::new();
        if self.is_begun() {
            self.holes(&spaces, &Rule::HOLES, &mut found);
        }
        self.about_policies(&spaces, &mut found);
        self.told(&mut found);
        found.sort_by_key(|gap| gap.rule);
        Ok(found)
    }

    /// The ways in that were guarded before.
    pub(super) fn opened<const W: usize>(&self, rules: &BTreeSet<Rule>) -> Result<Vec<Gap>, SpaceError> {
        let spaces = self.spaces::<W>()?;
        Ok(self.newly(&spaces, rules))
    }
}

/// A policy on everything and everybody.
fn anything() -> Policy {
    let mut object = Object::new(Kind::Policy);
    let all = || Value::References([Reference::keyword("All")].into_iter().collect());
    object.set("conditions.users.includeUsers", Some(all()));
    object.set("conditions.applications.includeApplications", Some(all()));
    compiled(&object)
}

fn compiled(object: &Object) -> Policy {
    // Without filter rules nothing can go wrong.
    Policy::new(String::new(), object, false).unwrap_or_else(|_| anything())
}

fn references(references: impl IntoIterator<Item = Reference>) -> Option<Value> {
    let all: crate::model::set::Set<Reference> = references.into_iter().collect();
    (!all.is_empty()).then_some(Value::References(all))
}

fn leave_out_emergency(object: &mut Object, known: &Known<'_>) {
    if let Some(emergency) = known.emergency {
        object.set(
            "conditions.users.excludeUsers",
            references(emergency.users.iter().cloned()),
        );
        object.set(
            "conditions.users.excludeGroups",
            references(emergency.groups.iter().cloned()),
        );
    }
}

fn guests_of<'k>(kinds: impl Iterator<Item = &'k str>) -> Value {
    Value::Guests(Box::new(Guests {
        kinds: kinds.map(str::to_owned).collect(),
        tenants: ExternalTenants::All,
    }))
}

/// Guests of one kind, to anything.
fn guests(kind: &str, known: &Known<'_>) -> Policy {
    let mut object = Object::new(Kind::Policy);
    object.set(
        "conditions.applications.includeApplications",
        references([Reference::keyword("All")]),
    );
    leave_out_emergency(&mut object, known);
    object.set(
        "conditions.users.includeGuestsOrExternalUsers",
        Some(guests_of(std::iter::once(kind))),
    );
    compiled(&object)
}

fn policy(region: Region, known: &Known<'_>) -> Policy {
    let mut object = Object::new(Kind::Policy);
    let all = || [Reference::keyword("All")];
    let symbols = |words: &[&str]| Value::Symbols(words.iter().map(|word| (*word).to_owned()).collect());
    object.set("conditions.applications.includeApplications", references(all()));
    leave_out_emergency(&mut object, known);
    let roles = |ids: &[&str]| references(ids.iter().map(|id| Reference::id(Target::Role, id)));
    match region {
        Region::Legacy => {
            object.set("conditions.users.includeUsers", references(all()));
            object.set(
                "conditions.clientAppTypes",
                Some(symbols(&["exchangeActiveSync", "other"])),
            );
        }
        Region::Admins => {
            let ids: Vec<&str> = admins().map(|role| role.template_id).collect();
            object.set("conditions.users.includeRoles", roles(&ids));
            object.set(
                "conditions.clientAppTypes",
                Some(symbols(&["browser", "mobileAppsAndDesktopClients"])),
            );
        }
        Region::Synchronisation => {
            object.set("conditions.users.includeRoles", roles(&[SYNCHRONISATION_ROLE]));
            object.set(
                "conditions.applications.includeApplications",
                references([Reference::id(Target::App, SYNCHRONISATION_APP)]),
            );
        }
        Region::Members => {
            object.set("conditions.users.includeUsers", references(all()));
            object.set("conditions.users.excludeRoles", roles(&[SYNCHRONISATION_ROLE]));
            object.set(
                "conditions.users.excludeGuestsOrExternalUsers",
                Some(guests_of(ExternalUser::kinds())),
            );
        }
    }
    compiled(&object)
}

/// The admin roles that matter.
pub(super) fn admins() -> impl Iterator<Item = &'static catalogue::roles::DirectoryRole> {
    ADMINS.iter().filter_map(|name| catalogue::roles::by_name(name))
}

/// The keys of the emergency accounts and groups.
pub(super) fn emergency_keys(known: &Known<'_>) -> BTreeSet<String> {
    let all = known
        .emergency
        .into_iter()
        .flat_map(|emergency| emergency.users.iter().chain(&emergency.groups));
    all.map(key).collect()
}
