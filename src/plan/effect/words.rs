//! Sign-ins in words: who, to what, and when, as the language calls things.

use std::collections::BTreeSet;

use crate::access::Condition;
use crate::model::catalogue::apps;
use crate::model::properties::{self, Property};
use crate::model::value::{Control, ExternalTenants, FilterMode, Interval};
use crate::model::{Kind, Object, Reference, Value};

use crate::plan::names::Names;

/// How many members of a list are named before the rest is only counted.
const FEW: usize = 2;

/// What a condition of a policy is called, and where the language writes it.
struct Place {
    condition: Condition,
    lead: &'static str,
    include: &'static str,
    exclude: &'static str,
    /// Whether it holds of everything while nothing is included.
    open: bool,
}

const fn place(
    condition: Condition,
    lead: &'static str,
    include: &'static str,
    exclude: &'static str,
    open: bool,
) -> Place {
    Place {
        condition,
        lead,
        include,
        exclude,
        open,
    }
}

/// In the order of a sentence.
static PLACES: &[Place] = &[
    place(Condition::Users, "", "users.include", "users.exclude", false),
    place(
        Condition::Workloads,
        "workloads ",
        "workloads.include",
        "workloads.exclude",
        false,
    ),
    place(
        Condition::Agents,
        "agents ",
        "agents.identities.include",
        "agents.identities.exclude",
        false,
    ),
    place(
        Condition::Agents,
        "agent users ",
        "agents.users.include",
        "agents.users.exclude",
        false,
    ),
    place(
        Condition::Agents,
        "agent sessions ",
        "agents.context",
        "agents.exclude_context",
        true,
    ),
    place(
        Condition::Applications,
        "to ",
        "apps.include",
        "apps.exclude",
        false,
    ),
    place(
        Condition::Locations,
        "from ",
        "locations.include",
        "locations.exclude",
        true,
    ),
    place(
        Condition::Platforms,
        "on ",
        "platforms.include",
        "platforms.exclude",
        true,
    ),
    place(Condition::ClientApps, "with ", "client_apps", "", true),
    place(
        Condition::Devices,
        "on devices ",
        "devices.include",
        "devices.exclude",
        true,
    ),
    place(
        Condition::Devices,
        "on devices ",
        "devices.include_devices",
        "devices.exclude_devices",
        true,
    ),
    place(
        Condition::Devices,
        "on devices ",
        "devices.include_states",
        "devices.exclude_states",
        true,
    ),
    place(
        Condition::Devices,
        "on devices ",
        "device_states.include",
        "device_states.exclude",
        true,
    ),
    place(Condition::AuthenticationFlows, "through ", "auth_flows", "", true),
    place(Condition::UserRisk, "at user risk ", "risk.user", "", true),
    place(
        Condition::SignInRisk,
        "at sign-in risk ",
        "risk.sign_in",
        "",
        true,
    ),
    place(
        Condition::ServicePrincipalRisk,
        "at service principal risk ",
        "risk.service_principal",
        "",
        true,
    ),
    place(Condition::AgentRisk, "at agent risk ", "risk.agent", "", true),
    place(
        Condition::InsiderRisk,
        "at insider risk ",
        "risk.insider",
        "",
        true,
    ),
];

/// What speaks of sign-ins.
pub(super) struct Words<'n> {
    names: &'n Names,
    /// The emergency accounts, which policies exclude together.
    emergency: &'n [Reference],
    /// Whether nothing is cut short: for comparing.
    whole: bool,
}

/// Both sides of a condition at one place, in words.
#[derive(Debug, Default, PartialEq, Eq)]
struct Sides {
    include: Vec<String>,
    exclude: Vec<String>,
    everything: bool,
}

impl<'n> Words<'n> {
    pub(super) fn new(names: &'n Names, emergency: &'n [Reference]) -> Self {
        Self {
            names,
            emergency,
            whole: false,
        }
    }

    /// The same, with every list in full.
    pub(super) fn in_full(&self) -> Self {
        Self { whole: true, ..*self }
    }

    /// The sign-ins that a policy catches.
    pub(super) fn caught(&self, policy: &Object) -> String {
        sentence(policy, &|place| self.sides(policy, place).text(self, place))
    }

    /// Of the sign-ins that a policy catches, those of which its counterpart does not fulfil a condition.
    pub(super) fn beyond(&self, policy: &Object, other: &Object, condition: Condition) -> String {
        sentence(policy, &|place| {
            let sides = self.sides(policy, place);
            if place.condition != condition {
                return sides.text(self, place);
            }
            let others = self.sides(other, place);
            if sides == others {
                return sides.text(self, place);
            }
            sides.beyond(&others).text(self, place)
        })
    }

    fn sides(&self, policy: &Object, place: &Place) -> Sides {
        let mut sides = Sides::default();
        let mut emergency = 0;
        let mut is_set = false;
        for (property, value) in policy.iter() {
            for (which, dsl) in property.dsl.iter().enumerate() {
                let list = match *dsl {
                    dsl if dsl == place.include => &mut sides.include,
                    dsl if dsl == place.exclude => &mut sides.exclude,
                    _ => continue,
                };
                is_set = true;
                if let Value::Filter(filter) = value {
                    if (filter.mode == FilterMode::Exclude) == (which == 1) {
                        list.push(format!("`{}`", filter.rule));
                    }
                    continue;
                }
                if *dsl == "users.exclude"
                    && let Value::References(references) = value
                {
                    emergency += references
                        .iter()
                        .filter(|reference| self.emergency.contains(reference))
                        .count();
                }
                let words = self.members(property, value, *dsl == "users.exclude");
                if *dsl == place.include && words.iter().any(|word| word == "all") {
                    sides.everything = true;
                } else {
                    list.extend(words);
                }
            }
        }
        if emergency > 0 && emergency == self.emergency.len() {
            sides.exclude.push("the emergency accounts".to_owned());
        } else if emergency > 0 {
            let references = policy.references();
            let kept = references.into_iter().filter(|(property, reference)| {
                property.dsl.contains(&place.exclude) && self.emergency.contains(reference)
            });
            sides
                .exclude
                .extend(kept.map(|(property, reference)| self.names.written(reference, property.symbols())));
        }
        sides.everything |= !is_set && place.open;
        if place.open && is_set && sides.include.is_empty() {
            sides.everything = true;
        }
        sides
    }

    /// The members of a value in words; those that are emergency accounts are left to be told together.
    fn members(&self, property: &Property, value: &Value, excludes: bool) -> Vec<String> {
        let word = |wire: &String| {
            property
                .symbols()
                .map_or(wire.as_str(), |symbols| symbols.word_of(wire))
                .to_owned()
        };
        match value {
            Value::References(references) => references
                .iter()
                .filter(|reference| !(excludes && self.emergency.contains(reference)))
                .map(|reference| self.reference(reference, property))
                .collect(),
            Value::Symbols(wires) => wires.iter().map(word).collect(),
            Value::Symbol(wire) => vec![word(wire)],
            Value::Texts(texts) => texts.iter().cloned().collect(),
            Value::Guests(guests) => {
                let words: Vec<&str> = guests
                    .kinds
                    .iter()
                    .map(|kind| properties::guest_kinds().word_of(kind))
                    .collect();
                let every = properties::guest_kinds().words().filter(|word| *word != "none");
                let words = if words.len() == every.count() {
                    vec!["guests"]
                } else {
                    words
                };
                let of = match &guests.tenants {
                    ExternalTenants::All => String::new(),
                    ExternalTenants::Enumerated(tenants) => {
                        let tenants: Vec<&str> = tenants
                            .iter()
                            .map(|tenant| self.names.name(tenant).unwrap_or(tenant))
                            .collect();
                        format!(" of {}", tenants.join(", "))
                    }
                };
                words.iter().map(|word| format!("{word}{of}")).collect()
            }
            _ => Vec::new(),
        }
    }

    fn reference(&self, reference: &Reference, property: &Property) -> String {
        match reference {
            Reference::Keyword(wire) => match apps::by_wire(wire) {
                Some(app) if !matches!(app.name, "all" | "none") => format!("app.{}", app.name),
                _ => self.names.written(reference, property.symbols()),
            },
            // Those who join a group, or leave it, have no id.
            Reference::Id { id, .. } if id.contains(' ') => self.names.name(id).unwrap_or(id).to_owned(),
            _ => self.names.written(reference, property.symbols()),
        }
    }

    /// What a list of controls asks for, one of which is enough.
    pub(super) fn controls(&self, controls: &[Control]) -> String {
        let words: Vec<String> = controls
            .iter()
            .map(|control| match control {
                Control::BuiltIn(wire) => properties::grant_controls().word_of(wire).to_owned(),
                Control::Strength(reference) | Control::Terms(reference) => {
                    self.names.written(reference, None)
                }
                Control::Custom(id) => format!("custom(\"{id}\")"),
            })
            .collect();
        words.join(" or ")
    }

    fn list(&self, words: &[String]) -> String {
        let few = if self.whole { usize::MAX - 1 } else { FEW };
        let mut shown: Vec<String> = words.to_vec();
        if words.len() > few + 1 {
            shown.truncate(few);
            shown.push(format!("{} more", words.len() - few));
        }
        match shown.as_slice() {
            [] => String::new(),
            [only] => only.clone(),
            [first @ .., last] => format!("{} and {last}", first.join(", ")),
        }
    }
}

fn sentence(policy: &Object, text: &dyn Fn(&Place) -> Option<String>) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut lead = None;
    for place in PLACES {
        let Some(text) = text(place) else { continue };
        // Two old forms of one condition.
        let is_same = lead == Some(place.lead) && !place.lead.is_empty();
        lead = Some(place.lead);
        parts.push(if is_same {
            format!("and {text}")
        } else {
            format!("{}{text}", place.lead)
        });
    }
    if let Some(raw) = policy.raw.as_ref().and_then(|raw| raw.get("conditions")) {
        parts.push(format!("where {raw}"));
    }
    parts.join(" ")
}

/// What a session control is called.
pub(super) fn session(member: &str, policy: &Object) -> String {
    let wire = format!("sessionControls.{member}");
    let Some(property) = properties::by_wire(Kind::Policy, &wire) else {
        return member.to_owned();
    };
    let name = property.dsl.first().copied().unwrap_or(member);
    let name = name.strip_prefix("session.").unwrap_or(name).replace('_', " ");
    let value = match policy.get(&wire) {
        Some(Value::Symbol(wire)) => property.symbols().map(|symbols| symbols.word_of(wire).to_owned()),
        Some(Value::SignInFrequency(frequency)) => Some(match frequency.interval {
            Interval::EveryTime => "every time".to_owned(),
            Interval::Hours(hours) => format!("{hours}h"),
            Interval::Days(days) => format!("{days}d"),
        }),
        _ => None,
    };
    match value {
        Some(value) => format!("{name} {value}"),
        None => name,
    }
}

impl Sides {
    /// What is in here and not in the other.
    fn beyond(&self, other: &Self) -> Self {
        let apart = |one: &[String], other: &[String]| -> Vec<String> {
            let known: BTreeSet<&String> = other.iter().collect();
            one.iter().filter(|word| !known.contains(word)).cloned().collect()
        };
        let released = apart(&other.exclude, &self.exclude);
        if self.everything && !other.everything && !other.include.is_empty() {
            let mut exclude = self.exclude.clone();
            exclude.extend(apart(&apart(&other.include, &other.exclude), &self.exclude));
            return Self {
                include: Vec::new(),
                exclude,
                everything: true,
            };
        }
        let mut gained = if self.everything || other.everything {
            Vec::new()
        } else {
            apart(&self.include, &other.include)
        };
        gained.extend(
            released
                .into_iter()
                .filter(|word| !gained.contains(word))
                .collect::<Vec<_>>(),
        );
        if gained.is_empty() {
            return Self {
                include: self.include.clone(),
                exclude: self.exclude.clone(),
                everything: self.everything,
            };
        }
        Self {
            include: gained,
            exclude: self.exclude.clone(),
            everything: false,
        }
    }

    fn text(&self, words: &Words<'_>, place: &Place) -> Option<String> {
        let include = if self.everything {
            match (place.condition, self.exclude.is_empty()) {
                (Condition::Applications, _) => "all apps".to_owned(),
                (_, true) if place.open => return None,
                (Condition::Locations, false) => "anywhere".to_owned(),
                (Condition::Platforms, false) => "any platform".to_owned(),
                _ => "all".to_owned(),
            }
        } else if self.include.is_empty() {
            return None;
        } else {
            words.list(&self.include)
        };
        Some(if self.exclude.is_empty() {
            include
        } else {
            format!("{include} except {}", words.list(&self.exclude))
        })
    }
}
