//! Values of properties in the words of the language, with names instead of ids.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::model::catalogue::apps;
use crate::model::properties::{self, COMPLIANT_NETWORK, Property, Shape, Symbols};
use crate::model::reference::{Reference, Target, is_guid};
use crate::model::set::Set;
use crate::model::value::{
    Allowed, CombinationConfiguration, Control, ExternalTenants, Filter, FilterMode, Grant, Guests, Interval,
    Operator, SignInFrequency,
};
use crate::model::{Address, Value};
use crate::plan::{self, Plan};

use super::visible::quoted;

/// What stands at one place of the language because of one property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// One value.
    Single(String),
    /// Members of a list.
    Members(Vec<Member>),
}

/// One member of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// What makes it the same member as another.
    pub key: String,
    /// How it is written.
    pub text: String,
}

/// What people call the objects behind ids.
#[derive(Debug, Default)]
pub(super) struct Names {
    known: plan::Names,
    ids: BTreeMap<Address, String>,
}

impl Names {
    /// The names that a plan knows.
    pub(super) fn of_plan(plan: &Plan) -> Self {
        Self {
            known: plan::Names::of(plan),
            ids: plan
                .changes
                .iter()
                .filter_map(|change| Some((change.address.clone(), change.id.clone()?)))
                .collect(),
        }
    }

    /// What the property puts where in the language.
    pub(super) fn parts(&self, property: &Property, value: &Value) -> Vec<(&'static str, Part)> {
        let [first, others @ ..] = property.dsl else {
            return Vec::new();
        };
        let symbols = property.symbols();
        let single = |text: String| vec![(*first, Part::Single(text))];
        let members = |members: Vec<Member>| vec![(*first, Part::Members(members))];
        match (value, property.shape) {
            (Value::Text(text), _) => single(quoted(text)),
            (Value::Boolean(set), Shape::Flag(word)) => single(flag(*set, word)),
            (Value::Boolean(set), Shape::Toggle) => single(if *set { "on" } else { "off" }.to_owned()),
            (Value::Boolean(set), _) => single(set.to_string()),
            (Value::Symbol(wire), _) => single(symbol(symbols, wire)),
            (Value::Symbols(wires), Shape::Combinations) => {
                members(wires.iter().map(|wire| same(wire, combination(wire))).collect())
            }
            (Value::Symbols(wires), _) => members(
                wires
                    .iter()
                    .map(|wire| same(wire, symbol(symbols, wire)))
                    .collect(),
            ),
            (Value::Texts(texts), _) => members(texts.iter().map(|text| same(text, text.clone())).collect()),
            (Value::References(references), _) => members(
                references
                    .iter()
                    .map(|reference| self.member(reference, symbols))
                    .collect(),
            ),
            (Value::Guests(guests), _) => members(self.guests(guests)),
            (Value::Filter(filter), _) => vec![(
                match filter.mode {
                    FilterMode::Include => first,
                    FilterMode::Exclude => others.first().unwrap_or(first),
                },
                Part::Members(vec![filter_member(filter)]),
            )],
            (Value::Grant(grant), _) => single(self.grant(grant)),
            (Value::SignInFrequency(frequency), _) => frequency_parts(first, others, frequency),
            (Value::CombinationConfigurations(configurations), _) => {
                members(configurations.iter().map(configuration).collect())
            }
        }
    }

    fn member(&self, reference: &Reference, symbols: Option<&Symbols>) -> Member {
        let key = match reference {
            Reference::Keyword(word) => format!("keyword {}", word.to_ascii_lowercase()),
            Reference::Id { id, .. } => format!("id {id}"),
            Reference::Managed { address, .. } => match self.ids.get(address) {
                Some(id) => format!("id {id}"),
                None => address.to_string(),
            },
            Reference::Lookup(lookup) => format!("{}({})", lookup.target.word(), lookup.name),
        };
        Member {
            key,
            text: self.reference(reference, symbols),
        }
    }

    /// A reference as the language writes it; `symbols` are the keywords of its place.
    fn reference(&self, reference: &Reference, symbols: Option<&Symbols>) -> String {
        let written = || self.known.written(reference, symbols);
        match reference {
            Reference::Keyword(wire) => match apps::by_wire(wire) {
                Some(app) if !symbols.is_some_and(|symbols| is_bare(symbols, wire)) => {
                    format!("app.{}", app.name)
                }
                _ => written(),
            },
            Reference::Id { target, id } => match (target, self.known.name(id)) {
                (Target::Location, Some(COMPLIANT_NETWORK)) => "compliant_network".to_owned(),
                (Target::Context, Some(name)) if !written().contains(name) => {
                    format!("{} ({})", written(), quoted(name))
                }
                _ => written(),
            },
            Reference::Managed { .. } | Reference::Lookup(_) => written(),
        }
    }

    fn guests(&self, guests: &Guests) -> Vec<Member> {
        let tenants = self.guest_tenants(guests);
        guests
            .kinds
            .iter()
            .map(|kind| {
                let word = properties::guest_kinds().word_of(kind);
                let text = format!("guests({word}{tenants})");
                Member {
                    key: text.clone(),
                    text,
                }
            })
            .collect()
    }

    /// All kinds of guests as one member, for where nothing is compared.
    pub(super) fn guests_at_once(&self, guests: &Guests) -> String {
        let tenants = self.guest_tenants(guests);
        let words: Vec<&str> = guests
            .kinds
            .iter()
            .map(|kind| properties::guest_kinds().word_of(kind))
            .collect();
        let every_kind = properties::guest_kinds()
            .words()
            .filter(|word| *word != "none")
            .count();
        match words.as_slice() {
            [only] => format!("guests({only}{tenants})"),
            words if words.len() == every_kind => format!("guests(every kind{tenants})"),
            words => format!("guests([{}]{tenants})", words.join(", ")),
        }
    }

    fn guest_tenants(&self, guests: &Guests) -> String {
        match &guests.tenants {
            ExternalTenants::All => String::new(),
            ExternalTenants::Enumerated(ids) => {
                let names: Vec<String> = ids
                    .iter()
                    .map(|id| quoted(self.known.name(id).unwrap_or(id)))
                    .collect();
                format!(", tenants = [{}]", names.join(", "))
            }
        }
    }

    fn grant(&self, grant: &Grant) -> String {
        let controls: Vec<String> = grant
            .controls
            .iter()
            .map(|control| match control {
                Control::BuiltIn(wire) => properties::grant_controls().word_of(wire).to_owned(),
                Control::Strength(reference) | Control::Terms(reference) => self.reference(reference, None),
                Control::Custom(id) => format!("custom({})", quoted(id)),
            })
            .collect();
        match (controls.as_slice(), grant.operator) {
            ([only], _) => only.clone(),
            (controls, Operator::All) => format!("all_of({})", controls.join(", ")),
            (controls, Operator::Any) => format!("any_of({})", controls.join(", ")),
        }
    }
}

/// Whether an application keyword is written without `app.` before it.
fn is_bare(symbols: &Symbols, wire: &str) -> bool {
    symbols
        .by_wire(wire)
        .is_some_and(|row| matches!(row.word, "all" | "none"))
}

fn same(key: &str, text: String) -> Member {
    Member {
        key: key.to_ascii_lowercase(),
        text,
    }
}

fn symbol(symbols: Option<&Symbols>, wire: &str) -> String {
    symbols.map_or(wire, |symbols| symbols.word_of(wire)).to_owned()
}

/// The word of a property that knows only one other state than the usual one.
fn flag(set: bool, word: &str) -> String {
    match (set, word) {
        (true, word) => word.to_owned(),
        (false, "off") => "on".to_owned(),
        (false, _) => "off".to_owned(),
    }
}

fn combination(wire: &str) -> String {
    let methods: Vec<&str> = wire
        .split(',')
        .map(|method| properties::authentication_methods().word_of(method.trim()))
        .collect();
    match methods.as_slice() {
        [only] => (*only).to_owned(),
        methods => format!("all_of({})", methods.join(", ")),
    }
}

fn filter_member(filter: &Filter) -> Member {
    let text = format!("filter({})", quoted(&filter.rule));
    Member {
        key: text.clone(),
        text,
    }
}

fn frequency_parts(
    interval: &'static str,
    others: &[&'static str],
    frequency: &SignInFrequency,
) -> Vec<(&'static str, Part)> {
    let text = match frequency.interval {
        Interval::EveryTime => "every_time".to_owned(),
        Interval::Hours(hours) => format!("{hours}h"),
        Interval::Days(days) => format!("{days}d"),
    };
    let mut parts = vec![(interval, Part::Single(text))];
    if let (true, Some(whom)) = (frequency.secondary_only, others.first()) {
        parts.push((*whom, Part::Single("secondary".to_owned())));
    }
    parts
}

fn configuration(configuration: &CombinationConfiguration) -> Member {
    let list = |texts: &Set<String>| texts.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
    let applies_to: Vec<String> = configuration
        .applies_to
        .iter()
        .map(|wire| combination(wire))
        .collect();
    let applies_to = applies_to.join(", ");
    let text = match &configuration.allowed {
        Allowed::Fido2 { aaguids } => {
            format!(
                "fido2 {{ applies_to = [{applies_to}], allowed_aaguids = [{}] }}",
                list(aaguids)
            )
        }
        Allowed::X509 {
            issuer_skis,
            policy_oids,
        } => {
            let lists = [
                ("allowed_issuer_skis", issuer_skis),
                ("allowed_policy_oids", policy_oids),
            ];
            let lists: Vec<String> = lists
                .into_iter()
                .filter(|(_, texts)| !texts.is_empty())
                .map(|(name, texts)| format!(", {name} = [{}]", list(texts)))
                .collect();
            format!("x509 {{ applies_to = [{applies_to}]{} }}", lists.join(""))
        }
    };
    Member {
        key: text.clone(),
        text,
    }
}

/// JSON on one line; the text of what is no JSON in this plan.
pub(super) fn json_text(json: &Json) -> String {
    match json {
        Json::Null => "not set".to_owned(),
        Json::String(text) if is_guid(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;
    use crate::model::properties::by_wire;

    fn text(kind: Kind, wire: &str, value: Value) -> String {
        let mut plan = crate::report::plan_text::bench::plan(Vec::new(), 0);
        plan.names.insert(
            "11111111-1111-1111-1111-111111111111".to_owned(),
            "Finance".to_owned(),
        );
        let names = Names::of_plan(&plan);
        let property = by_wire(kind, wire).unwrap();
        names
            .parts(property, &value)
            .into_iter()
            .map(|(place, part)| match part {
                Part::Single(text) => format!("{place} = {text}"),
                Part::Members(members) => {
                    let texts: Vec<String> = members.into_iter().map(|member| member.text).collect();
                    format!("{place} = [{}]", texts.join(", "))
                }
            })
            .collect::<Vec<_>>()
            .join("; ")
    }

    fn set<T: std::hash::Hash + Eq>(items: impl IntoIterator<Item = T>) -> Set<T> {
        items.into_iter().collect()
    }

    #[test]
    fn values_are_written_as_the_language_writes_them() {
        let policy = |wire, value| text(Kind::Policy, wire, value);
        assert_eq!(
            policy("state", Value::Symbol("enabledForReportingButNotEnforced".into())),
            "state = report_only"
        );
        assert_eq!(
            policy(
                "conditions.users.includeGroups",
                Value::References(set([
                    Reference::id(Target::Group, "11111111-1111-1111-1111-111111111111"),
                    Reference::id(Target::Group, "22222222-2222-2222-2222-222222222222"),
                    Reference::managed(Target::Group, Address::root("group", "pilot")),
                ]))
            ),
            "users.include = [group(\"Finance\"), group(\"22222222-2222-2222-2222-222222222222\"), group.pilot]"
        );
        assert_eq!(
            policy(
                "conditions.users.includeRoles",
                Value::References(set([Reference::id(
                    Target::Role,
                    "62e90394-69f5-4237-9190-012177145e10"
                )]))
            ),
            "users.include = [role.global_administrator]"
        );
        assert_eq!(
            policy(
                "conditions.applications.includeApplications",
                Value::References(set([Reference::keyword("All"), Reference::keyword("Office365")]))
            ),
            "apps.include = [all, app.office365]"
        );
        assert_eq!(
            policy(
                "conditions.devices.deviceFilter",
                Value::Filter(Filter {
                    mode: FilterMode::Exclude,
                    rule: "device.isCompliant -eq True".into()
                })
            ),
            "devices.exclude = [filter(\"device.isCompliant -eq True\")]"
        );
        assert_eq!(
            policy(
                "grantControls",
                Value::Grant(Grant {
                    operator: Operator::Any,
                    controls: set([
                        Control::Strength(Reference::id(
                            Target::Strength,
                            "00000000-0000-0000-0000-000000000004"
                        )),
                        Control::BuiltIn("domainJoinedDevice".into()),
                    ])
                })
            ),
            "grant = any_of(strength.phishing_resistant_mfa, hybrid_joined_device)"
        );
        assert_eq!(
            policy(
                "sessionControls.signInFrequency",
                Value::SignInFrequency(SignInFrequency {
                    interval: Interval::Days(7),
                    secondary_only: true
                })
            ),
            "session.sign_in_frequency = 7d; session.sign_in_frequency_for = secondary"
        );
        assert_eq!(
            policy("sessionControls.disableResilienceDefaults", Value::Boolean(true)),
            "session.resilience_defaults = off"
        );
        assert_eq!(
            text(
                Kind::Strength,
                "allowedCombinations",
                Value::Symbols(set(["fido2".to_owned(), "password,sms".to_owned()]))
            ),
            "combinations = [fido2, all_of(password, sms)]"
        );
    }
}
