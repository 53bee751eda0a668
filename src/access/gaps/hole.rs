//! Ways in: sign-ins of a region that no policy in force guards.

use std::collections::BTreeSet;

use super::inquiry::{Asked, Inquiry, PATIENCE, Region, Spaces, admins, emergency_keys, find};
use super::{Gap, Rule, Severity, words};
use crate::access::counterexample;
use crate::access::policy::Policy;
use crate::access::sign_in::{ExternalUser, Fact, Identity, Resource};
use crate::access::symbolic::{Facet, Found, Mask, Space, TooMany, Wanted};
use crate::access::who::UserCondition;
use crate::model::value::Control;
use crate::model::{Reference, Target, catalogue, properties};

impl Rule {
    /// The rules about ways in.
    pub(super) const HOLES: [Self; 4] = [
        Self::LegacyAuthentication,
        Self::UsersNeverIncluded,
        Self::GuestsUncovered,
        Self::AdminsPhishable,
    ];
}

/// Sign-ins that are looked for, beyond those of a region: of these facts, caught by these policies as well, and by none
/// of those that guard.
struct Search<'a, const W: usize> {
    spaces: &'a Spaces<W>,
    also: Mask<W>,
}

impl<const W: usize> Search<'_, W> {
    /// A sign-in of the region at a place that none of these guards.
    fn find(
        &self,
        space: &Space<W>,
        region: usize,
        guards: Mask<W>,
        may: &dyn Fn(&Facet) -> bool,
    ) -> Result<Option<Found<W>>, TooMany> {
        let wanted = Wanted {
            all: Mask::from_iter([region]) | self.also,
            none: guards,
        };
        find(space, &space.near(region, None), &wanted, may, PATIENCE)
    }
}

/// A fact of which nobody's membership is part.
fn is_plain(facet: &Facet) -> bool {
    match facet {
        Facet::User(_) | Facet::Group(_) | Facet::Role(_) | Facet::External(_) => false,
        other => is_of_an_app(other),
    }
}

/// User actions and authentication contexts come after a sign-in to an application.
fn is_of_an_app(facet: &Facet) -> bool {
    match facet {
        Facet::Resource(resource) => matches!(resource, Resource::Applications { .. }),
        _ => true,
    }
}

/// Someone of whom a policy can leave all out at once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Someone {
    User(String),
    Group(String),
    Role(String),
}

impl Someone {
    fn is(&self, facet: &Facet) -> bool {
        match (self, facet) {
            (Self::User(key), Facet::User(other))
            | (Self::Group(key), Facet::Group(other))
            | (Self::Role(key), Facet::Role(other)) => key == other,
            _ => false,
        }
    }

    /// Those whom a policy leaves out.
    fn left_out(policy: &Policy) -> BTreeSet<Self> {
        let Some([_, out]) = policy.users.as_ref().map(UserCondition::sides_named) else {
            return BTreeSet::new();
        };
        let users = out.users.iter().filter(|user| *user != "guestsorexternalusers");
        let users = users.cloned().map(Self::User);
        let groups = out.groups.iter().cloned().map(Self::Group);
        let roles = out.roles.iter().cloned().map(Self::Role);
        users.chain(groups).chain(roles).collect()
    }

    fn key(&self) -> &str {
        match self {
            Self::User(key) | Self::Group(key) | Self::Role(key) => key,
        }
    }
}

impl Inquiry<'_> {
    /// The ways in that these rules find.
    pub(super) fn holes<const W: usize>(&self, spaces: &Spaces<W>, rules: &[Rule], found: &mut Vec<Gap>) {
        let search = Search {
            spaces,
            also: Mask::default(),
        };
        for rule in rules {
            found.extend(self.hole(*rule, &search));
        }
    }

    /// Of these rules, the ways in that a policy guarded before.
    pub(super) fn newly<const W: usize>(&self, spaces: &Spaces<W>, rules: &BTreeSet<Rule>) -> Vec<Gap> {
        let mut all: Vec<Gap> = Vec::new();
        for rule in rules {
            for also in self.earlier(|asked| self.guards(*rule, asked)) {
                for gap in self.hole(*rule, &Search { spaces, also }) {
                    if all.iter().all(|other| other.identity() != gap.identity()) {
                        all.push(gap);
                    }
                }
            }
        }
        all
    }

    /// Whether a policy closes the way in that a rule looks for.
    fn guards(&self, rule: Rule, asked: &Asked<'_>) -> bool {
        match rule {
            Rule::UsersNeverIncluded => true,
            Rule::AdminsPhishable => self.does(asked, &phishing_resistant()),
            _ => asked.guards(),
        }
    }

    fn hole<const W: usize>(&self, rule: Rule, search: &Search<'_, W>) -> Vec<Gap> {
        let guards = self.among(|asked| asked.is_in_force() && self.guards(rule, asked));
        // What guarded it before and still does is no news.
        if !search.also.is_empty() && search.also.is_within(&guards) {
            return Vec::new();
        }
        let found = match rule {
            Rule::LegacyAuthentication => self.legacy(search, guards),
            Rule::UsersNeverIncluded => self.never_included(search, guards),
            Rule::GuestsUncovered => self.guests(search, guards),
            _ => self.admins(search, guards),
        };
        found.unwrap_or_else(|TooMany| {
            let title = rule.row().title;
            let message = format!("too many combinations to decide whether this is so: {title}");
            let help = "write fewer exclusions, or decide a part of it with an `invariant`";
            vec![Gap {
                severity: Severity::Note,
                ..self.gap::<W>(rule, message, help, None)
            }]
        })
    }

    fn legacy<const W: usize>(&self, search: &Search<'_, W>, guards: Mask<W>) -> Result<Vec<Gap>, TooMany> {
        let (space, place) = (&search.spaces.whole, self.region(Region::Legacy));
        let found = match search.find(space, place, guards, &is_plain)? {
            Some(found) => Some(found),
            None => search.find(space, place, guards, &is_of_an_app)?,
        };
        let Some(found) = found else {
            return Ok(Vec::new());
        };
        let memberships = found.facets.iter().filter(|facet| {
            matches!(
                facet,
                Facet::User(_) | Facet::Group(_) | Facet::Role(_) | Facet::External(_)
            )
        });
        Ok(vec![Gap {
            // Whether anybody is in several groups at once, nobody told.
            severity: if memberships.count() > 1 {
                Severity::Note
            } else {
                Severity::Warning
            },
            ..self.gap(
                Rule::LegacyAuthentication,
                format!(
                    "legacy authentication is open: {}, and no policy in force denies it",
                    words::sign_in(&found.facets, "gets in", self.estate, self.known)
                ),
                "block it for all users and all apps: `client_apps = [exchange_active_sync, other]` and `grant = block`",
                Some(&found),
            )
        }])
    }

    fn never_included<const W: usize>(
        &self,
        search: &Search<'_, W>,
        guards: Mask<W>,
    ) -> Result<Vec<Gap>, TooMany> {
        let people = &search.spaces.people;
        let place = self.region(Region::Members);
        let help = "include all users in a policy that asks for something, or name the group";
        if let Some(found) = search.find(people, place, guards, &is_plain)? {
            let who = words::person(&found.facets, self.estate, self.known);
            let who = who.unwrap_or_else(|| "a user whom no policy names".to_owned());
            return Ok(vec![self.gap(
                Rule::UsersNeverIncluded,
                format!("{who} is in the audience of no policy in force"),
                help,
                Some(&found),
            )]);
        }
        // Of those whom a policy leaves out, only those that every policy on everybody leaves out.
        let Some(anybody) = search.find(people, place, Mask::default(), &is_plain)? else {
            return Ok(Vec::new());
        };
        let mut left_out: Option<BTreeSet<Someone>> = None;
        for place in (anybody.caught_by & guards).places() {
            if let Some(asked) = self.asked.get(place) {
                let here = Someone::left_out(asked.policy);
                left_out = Some(match left_out {
                    Some(all) => all.intersection(&here).cloned().collect(),
                    None => here,
                });
            }
        }
        let emergency = emergency_keys(self.known);
        let mut gaps = Vec::new();
        for someone in left_out.into_iter().flatten() {
            if emergency.contains(someone.key()) {
                continue;
            }
            let may = |facet: &Facet| is_plain(facet) || someone.is(facet);
            if let Some(found) = search.find(people, place, guards, &may)? {
                let who = words::person(&found.facets, self.estate, self.known).unwrap_or_default();
                let mut gap = self.gap(
                    Rule::UsersNeverIncluded,
                    format!("every policy in force leaves out {who}"),
                    "exclude them from fewer policies, or write a policy of their own",
                    Some(&found),
                );
                someone.key().clone_into(&mut gap.about);
                gaps.push(gap);
            }
        }
        Ok(gaps)
    }

    fn guests<const W: usize>(&self, search: &Search<'_, W>, guards: Mask<W>) -> Result<Vec<Gap>, TooMany> {
        let mut example = None;
        let mut kinds: Vec<&str> = Vec::new();
        for kind in ExternalUser::kinds() {
            let may = |facet: &Facet| is_plain(facet) || matches!(facet, Facet::External(_));
            if let Some(found) = search.find(&search.spaces.people, self.guests_of(kind), guards, &may)? {
                kinds.push(properties::guest_kinds().word_of(kind));
                example.get_or_insert(found);
            }
        }
        let Some(example) = example else {
            return Ok(Vec::new());
        };
        let whom = if kinds.len() == ExternalUser::kinds().count() {
            "guests and external users of any kind".to_owned()
        } else {
            let quoted: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
            format!("guests of the kind {}", words::joined(&quoted, "and"))
        };
        let gap = self.gap(
            Rule::GuestsUncovered,
            format!("no policy in force blocks or asks for something from {whom}"),
            "include all users, or `guests([…])`, in a policy that asks for multifactor authentication",
            Some(&example),
        );
        Ok(vec![gap])
    }

    fn admins<const W: usize>(&self, search: &Search<'_, W>, guards: Mask<W>) -> Result<Vec<Gap>, TooMany> {
        let place = self.region(Region::Admins);
        let mut example = None;
        let mut names = Vec::new();
        for role in admins() {
            let may = |facet: &Facet| match facet {
                Facet::Role(key) => key == role.template_id,
                Facet::Identity(identity) => {
                    matches!(identity, Identity::User { roles: Fact::Is(roles), .. } if roles.contains(role.template_id))
                }
                other => is_plain(other),
            };
            if let Some(found) = search.find(&search.spaces.whole, place, guards, &may)? {
                names.push(role.display_name);
                example.get_or_insert(found);
            }
        }
        let Some(example) = example else {
            return Ok(Vec::new());
        };
        let whom = match names.as_slice() {
            [one] => format!("holders of the role {one}"),
            [first, second] => format!("holders of the roles {first} and {second}"),
            [first, second, rest @ ..] => format!(
                "holders of {} admin roles ({first}, {second} and {} more)",
                names.len(),
                rest.len()
            ),
            [] => return Ok(Vec::new()),
        };
        Ok(vec![self.gap(
            Rule::AdminsPhishable,
            format!(
                "{whom} get in without a phishing-resistant method: {}, and no policy in force asks for one",
                words::sign_in(&example.facets, "gets in", self.estate, self.known)
            ),
            "ask the admin roles for `strength.phishing_resistant_mfa` on all apps",
            Some(&example),
        )])
    }

    fn gap<const W: usize>(&self, rule: Rule, message: String, help: &str, found: Option<&Found<W>>) -> Gap {
        Gap {
            rule,
            severity: rule.row().severity,
            policies: Vec::new(),
            message,
            help: help.to_owned(),
            example: found.map(|found| counterexample::facts(&found.facets, self.estate)),
            about: String::new(),
            #[cfg(test)]
            sign_in: found.map(|found| found.sign_in.clone()),
        }
    }
}

/// What Microsoft calls phishing-resistant.
fn phishing_resistant() -> Vec<Control> {
    let strength = catalogue::strengths::by_name("phishing_resistant_mfa");
    strength
        .into_iter()
        .map(|strength| Control::Strength(Reference::id(Target::Strength, strength.id)))
        .collect()
}
