//! Policies that do nothing, or not what is meant.

use std::collections::BTreeSet;

use super::inquiry::{
    Asked, Inquiry, LITTLE_PATIENCE, PATIENCE, Region, SYNCHRONISATION_ROLE, Spaces, emergency_keys, find,
};
use super::{Gap, Rule, Severity, words};
use crate::access::condition::Condition;
use crate::access::counterexample;
use crate::access::demand::clauses;
use crate::access::symbolic::{Facet, Found, Mask, Wanted};
use crate::model::value::Control;

impl Inquiry<'_> {
    /// What there is to say about single policies.
    pub(super) fn about_policies<const W: usize>(&self, spaces: &Spaces<W>, found: &mut Vec<Gap>) {
        let mut void: Mask<W> = Mask::default();
        for (place, asked) in self.asked.iter().enumerate() {
            if !asked.is_after() || spaces.whole.can_catch(place) {
                continue;
            }
            void.insert(place);
            if let Some(facet) = spaces.whole.excluded_throughout(place) {
                found.push(self.about(
                    Rule::ExcludeVoidsPolicy,
                    asked,
                    format!(
                        "`{}` catches nobody: it excludes all the {} that it includes",
                        asked.policy.name,
                        noun(&facet)
                    ),
                    "take away what is excluded, or the policy",
                    None,
                ));
            }
        }
        self.shadowed(spaces, void, found);
        for (place, asked) in self.asked.iter().enumerate() {
            if asked.is_in_force() {
                found.extend(self.synchronisation(spaces, place, asked));
            }
        }
        for (place, everywhere) in self.elsewhere() {
            if let Some(asked) = self.asked.get(place) {
                found.extend(self.unknown_platform(spaces, place, everywhere, asked));
            }
        }
    }

    pub(super) fn about(
        &self,
        rule: Rule,
        asked: &Asked<'_>,
        message: String,
        help: &str,
        example: Option<&[Facet]>,
    ) -> Gap {
        Gap {
            rule,
            severity: rule.row().severity,
            policies: vec![asked.policy.key.clone()],
            message,
            help: help.to_owned(),
            example: example.map(|facets| counterexample::facts(facets, self.estate)),
            about: asked.policy.key.clone(),
            #[cfg(test)]
            sign_in: None,
        }
    }

    /// For each thing that a policy does, the policies in force that do it as well; one that blocks does everything.
    fn deeds<const W: usize>(&self, asked: &Asked<'_>) -> Vec<Mask<W>> {
        let among = |holds: &dyn Fn(&Asked<'_>) -> bool| -> Mask<W> {
            self.among(|other| other.is_in_force() && (other.policy.blocks() || holds(other)))
        };
        if asked.policy.blocks() {
            return vec![among(&|_| false)];
        }
        let mut deeds: Vec<Mask<W>> = asked
            .policy
            .grant
            .iter()
            .flat_map(clauses)
            .map(|clause| among(&|other| self.does(other, &clause)))
            .collect();
        for member in asked.policy.session.members() {
            deeds.push(among(&|other| {
                other.policy.session.is_as_strict(&asked.policy.session, &member)
            }));
        }
        deeds
    }

    /// Policies that can be taken away, all of them together, without any change of what comes out of a sign-in.
    fn shadowed<const W: usize>(&self, spaces: &Spaces<W>, void: Mask<W>, found: &mut Vec<Gap>) {
        let doubtful = spaces.whole.doubtful();
        let mut left: Mask<W> =
            self.among(|asked| asked.is_in_force() && asked.does_something()) & !void & !doubtful;
        for (place, asked) in self.asked.iter().enumerate().rev() {
            if !asked.is_in_force() || void.contains(place) {
                continue;
            }
            let own: Mask<W> = Mask::from_iter([place]);
            let others = left & !own;
            let deeds: Vec<Mask<W>> = self.deeds(asked).into_iter().map(|deed| deed & others).collect();
            let near = spaces.whole.near(place, None);
            let is_done_by = |by: Mask<W>| {
                deeds.iter().all(|deed| {
                    let wanted = Wanted {
                        all: own,
                        none: *deed & by,
                    };
                    let found = find(&spaces.whole, &near, &wanted, &|_| true, LITTLE_PATIENCE);
                    matches!(found, Ok(None))
                })
            };
            if deeds.is_empty() || !is_done_by(others) {
                continue;
            }
            left &= !own;
            let any = deeds.iter().fold(Mask::default(), |all, deed| all | *deed) & near.meets;
            let twin = others.places().find(|other| {
                self.asked.get(*other).is_some_and(|other| {
                    asked
                        .policy
                        .says_the_same(asked.estate, other.policy, other.estate)
                })
            });
            let by: Vec<usize> = match twin {
                Some(twin) => vec![twin],
                None => fewest(any, &is_done_by),
            };
            let by: Vec<&Asked<'_>> = by.iter().filter_map(|other| self.asked.get(*other)).collect();
            let names: Vec<String> = by
                .iter()
                .map(|other| format!("`{}`", other.policy.name))
                .collect();
            let (rule, message) = if twin.is_some() {
                let message = format!(
                    "`{}` catches the same sign-ins as {} and asks for the same",
                    asked.policy.name,
                    words::joined(&names, "and")
                );
                (Rule::DuplicatePolicy, message)
            } else {
                let message = format!(
                    "`{}` changes nothing: wherever it applies, {} {} at least as much",
                    asked.policy.name,
                    words::joined(&names, "and"),
                    if by.len() == 1 { "does" } else { "do" }
                );
                (Rule::ShadowedPolicy, message)
            };
            let mut gap = self.about(rule, asked, message, "take it away, or let it ask for more", None);
            gap.policies
                .extend(by.iter().map(|other| other.policy.key.clone()));
            found.push(gap);
        }
    }

    fn synchronisation<const W: usize>(
        &self,
        spaces: &Spaces<W>,
        place: usize,
        asked: &Asked<'_>,
    ) -> Option<Gap> {
        if self.known.is_synchronised == Some(false) {
            return None;
        }
        let asks = asked.policy.grant.iter().flat_map(clauses).any(|clause| {
            clause.iter().all(|control| match control {
                Control::BuiltIn(name) => name.eq_ignore_ascii_case("mfa"),
                Control::Strength(_) => true,
                _ => false,
            })
        });
        if !asks || asked.policy.blocks() {
            return None;
        }
        let wanted = Wanted {
            all: Mask::from_iter([place, self.region(Region::Synchronisation)]),
            none: Mask::default(),
        };
        let may = |facet: &Facet| match facet {
            Facet::User(_) | Facet::Group(_) | Facet::External(_) => false,
            Facet::Role(key) => key == SYNCHRONISATION_ROLE,
            _ => true,
        };
        let near = spaces.whole.near(place, None);
        let found = find(&spaces.whole, &near, &wanted, &may, PATIENCE).ok()??;
        let emergency = emergency_keys(self.known);
        let leaves_out = asked.policy.users.as_ref().is_some_and(|users| {
            let [_, out] = users.sides_named();
            let all = out.users.iter().chain(&out.groups);
            all.into_iter().any(|key| !emergency.contains(key))
        });
        let mut message = format!(
            "`{}` asks the directory synchronisation account for multifactor authentication, which it can't do",
            asked.policy.name
        );
        if leaves_out {
            message.push_str(", unless that account is among those that it excludes");
        }
        if self.known.is_synchronised.is_none() {
            message.push_str("; that is so where a directory is synchronised from elsewhere");
        }
        let is_sure = self.known.is_synchronised == Some(true) && !leaves_out;
        Some(Gap {
            severity: if is_sure {
                Severity::Warning
            } else {
                Severity::Note
            },
            ..self.about(
                Rule::SynchronisationAccount,
                asked,
                message,
                "exclude `role.directory_synchronization_accounts`",
                Some(&found.facets),
            )
        })
    }

    fn unknown_platform<const W: usize>(
        &self,
        spaces: &Spaces<W>,
        place: usize,
        everywhere: usize,
        asked: &Asked<'_>,
    ) -> Option<Gap> {
        asked.policy.grant.as_ref()?;
        let included = asked.policy.users.as_ref().map(|users| {
            let [included, _] = users.sides_named();
            included
        });
        let may = |facet: &Facet| match facet {
            Facet::Platform(_) => false,
            Facet::User(key) => included.is_some_and(|included| included.users.contains(key)),
            Facet::Group(key) => included.is_some_and(|included| included.groups.contains(key)),
            Facet::Role(key) => included.is_some_and(|included| included.roles.contains(key)),
            Facet::External(_) => included.is_some_and(|included| {
                included.guests.is_some() || included.users.contains("guestsorexternalusers")
            }),
            _ => true,
        };
        let near = spaces.whole.near(everywhere, None);
        let found: Option<Found<W>> = self.deeds::<W>(asked).into_iter().find_map(|deed| {
            let wanted = Wanted {
                all: Mask::from_iter([everywhere]),
                none: deed | Mask::from_iter([place]),
            };
            find(&spaces.whole, &near, &wanted, &may, LITTLE_PATIENCE).ok()?
        });
        let found = found?;
        let who = words::sign_in(&found.facets, "gets around it", self.estate, self.known);
        Some(self.about(
            Rule::UnknownPlatforms,
            asked,
            format!(
                "`{}` is for some platforms only, and a device can say that it is none of them: {who}, on an unknown platform",
                asked.policy.name
            ),
            "block unknown platforms: `platforms { include = [all], exclude = [android, ios, windows, macos, linux] }` and `grant = block`",
            Some(&found.facets),
        ))
    }
}

/// The fewest of these policies of which this holds, as far as leaving out one after the other finds them.
fn fewest<const W: usize>(all: Mask<W>, holds: &dyn Fn(Mask<W>) -> bool) -> Vec<usize> {
    let single = all.places().find(|place| holds(Mask::from_iter([*place])));
    if let Some(single) = single {
        return vec![single];
    }
    let mut kept = all;
    for place in all.places() {
        let without = kept & !Mask::from_iter([place]);
        if holds(without) {
            kept = without;
        }
    }
    kept.places().collect()
}

/// What facts of a kind are called.
fn noun(facet: &Facet) -> &'static str {
    match facet {
        Facet::Identity(_)
        | Facet::User(_)
        | Facet::External(_)
        | Facet::Group(_)
        | Facet::Role(_)
        | Facet::AgentContext(..) => "identities",
        Facet::Resource(_) => "apps",
        Facet::Platform(_) => "platforms",
        Facet::Device(_) => "devices",
        Facet::Level(Condition::AuthenticationFlows, _) => "authentication flows",
        Facet::Nothing | Facet::ClientApp(_) | Facet::Level(..) => "sign-ins",
        _ => "locations",
    }
}

/// What a policy leaves out by name.
pub(super) fn excluded_groups<'a>(asked: &Asked<'a>) -> BTreeSet<&'a String> {
    let users = asked.policy.users.as_ref();
    users
        .map(|users| {
            let [_, out] = users.sides_named();
            out.groups.iter().collect()
        })
        .unwrap_or_default()
}
