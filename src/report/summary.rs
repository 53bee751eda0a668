//! A whole object in a few rows: for a policy who, to what, from where, and what then.

use indexmap::IndexMap;

use crate::model::{Kind, Object, Value};

use super::page::{Role, Text};
use super::value_text::{Names, Part};
use super::words;

/// The attributes of an object as the language writes them, in the order of the property table.
struct Attributes(IndexMap<&'static str, Vec<String>>);

impl Attributes {
    fn of(object: &Object, names: &Names) -> Self {
        let mut attributes: IndexMap<&'static str, Vec<String>> = IndexMap::new();
        for (property, value) in object.iter() {
            if let (Value::Guests(guests), Some(place)) = (value, property.dsl.first()) {
                attributes
                    .entry(place)
                    .or_default()
                    .push(names.guests_at_once(guests));
                continue;
            }
            for (place, part) in names.parts(property, value) {
                let texts = attributes.entry(place).or_default();
                match part {
                    Part::Single(text) => texts.push(text),
                    Part::Members(members) => texts.extend(members.into_iter().map(|member| member.text)),
                }
            }
        }
        Self(attributes)
    }

    fn take(&mut self, place: &str) -> Option<Vec<String>> {
        self.0.shift_remove(place)
    }
}

/// The rows of a summary: a label and what stands under it.
///
/// Of a list, `few` members are shown and the rest counted.
pub(super) fn summary(object: &Object, names: &Names, few: usize) -> Vec<(Text, Text)> {
    let mut attributes = Attributes::of(object, names);
    attributes.take("name");
    let mut rows = Vec::new();
    if object.kind == Kind::Policy {
        // The headline says it.
        attributes.take("state");
        attributes.take("description");
        for row in ROWS {
            let text = row.text(&mut attributes, few);
            if !text.is_empty() {
                rows.push((Text::of(Role::Muted, row.label), text));
            }
        }
    }
    for (place, texts) in attributes.0 {
        rows.push((
            Text::of(Role::Muted, place),
            Text::plain(&words::first_few(&texts, few)),
        ));
    }
    if let Some(raw) = object.raw.as_ref().and_then(serde_json::Value::as_object) {
        let members: Vec<&String> = raw.keys().collect();
        rows.push((
            Text::of(Role::Muted, "raw"),
            Text::plain(&words::first_few(&members, few)),
        ));
    }
    rows
}

/// One row of a policy's summary, made of several attributes.
struct Row {
    label: &'static str,
    clauses: &'static [Clause],
}

/// An attribute, or a pair of what is in and what is out.
struct Clause {
    /// Words before it.
    lead: &'static str,
    include: &'static str,
    exclude: &'static str,
    /// What stands for an absent `include` beside an `exclude`.
    everything: &'static str,
}

const fn pair(
    lead: &'static str,
    include: &'static str,
    exclude: &'static str,
    everything: &'static str,
) -> Clause {
    Clause {
        lead,
        include,
        exclude,
        everything,
    }
}

const fn alone(lead: &'static str, place: &'static str) -> Clause {
    pair(lead, place, "", "")
}

static ROWS: &[Row] = &[
    Row {
        label: "who",
        clauses: &[
            pair("", "users.include", "users.exclude", "nobody"),
            pair("workloads ", "workloads.include", "workloads.exclude", "all"),
            pair(
                "agents ",
                "agents.identities.include",
                "agents.identities.exclude",
                "all",
            ),
            pair(
                "agent users ",
                "agents.users.include",
                "agents.users.exclude",
                "all",
            ),
            pair(
                "agent sessions ",
                "agents.context",
                "agents.exclude_context",
                "all",
            ),
        ],
    },
    Row {
        label: "to",
        clauses: &[pair("", "apps.include", "apps.exclude", "all apps")],
    },
    Row {
        label: "when",
        clauses: &[
            pair("from ", "locations.include", "locations.exclude", "anywhere"),
            pair("on ", "platforms.include", "platforms.exclude", "any platform"),
            alone("with ", "client_apps"),
            pair("devices ", "devices.include", "devices.exclude", "all"),
            alone("through ", "auth_flows"),
            alone("user risk ", "risk.user"),
            alone("sign-in risk ", "risk.sign_in"),
            alone("service principal risk ", "risk.service_principal"),
            alone("agent risk ", "risk.agent"),
            alone("insider risk ", "risk.insider"),
        ],
    },
    Row {
        label: "then",
        clauses: &[
            alone("", "grant"),
            alone("sign-in frequency ", "session.sign_in_frequency"),
            alone("sign-in frequency for ", "session.sign_in_frequency_for"),
            alone("persistent browser ", "session.persistent_browser"),
            alone("cloud app security ", "session.cloud_app_security"),
            alone("app restrictions ", "session.app_restrictions"),
            alone("token protection ", "session.token_protection"),
            alone("continuous access ", "session.continuous_access"),
            alone("resilience defaults ", "session.resilience_defaults"),
            alone("filtering profile ", "session.filtering_profile"),
        ],
    },
];

impl Row {
    fn text(&self, attributes: &mut Attributes, few: usize) -> Text {
        let mut text = Text::default();
        for clause in self.clauses {
            let clause = clause.text(attributes, few);
            if clause.is_empty() {
                continue;
            }
            if !text.is_empty() {
                text.push(Role::Muted, "; ");
            }
            text.append(clause);
        }
        text
    }
}

impl Clause {
    fn text(&self, attributes: &mut Attributes, few: usize) -> Text {
        let include = attributes.take(self.include);
        let exclude = attributes.take(self.exclude);
        if include.is_none() && exclude.is_none() {
            return Text::default();
        }
        let mut text = Text::of(Role::Muted, self.lead);
        match include {
            Some(include) => text.push(Role::Plain, &words::first_few(&include, few)),
            None => text.push(Role::Plain, self.everything),
        }
        if let Some(exclude) = exclude {
            text.push(Role::Muted, " except ");
            text.push(Role::Plain, &words::first_few(&exclude, few));
        }
        text
    }
}
