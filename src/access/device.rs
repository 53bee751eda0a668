//! Devices, and rules over properties.

use std::collections::BTreeSet;

use super::policy::{Sides, filter, symbols};
use super::sign_in::{Device, Fact, SecurityAttributes};
use super::truth::Truth;
use crate::model::Object;
use crate::model::filter_rule::{
    Comparison, DeviceProperty, Expression, FilterRule, FilterRuleError, Literal, Operator, Property,
};
use crate::model::value::FilterMode;

/// Which devices a policy is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct DeviceCondition {
    filter: Option<(FilterMode, FilterRule)>,
    include_devices: BTreeSet<String>,
    exclude_devices: BTreeSet<String>,
    include_states: BTreeSet<String>,
    exclude_states: BTreeSet<String>,
}

impl DeviceCondition {
    pub(super) fn of(object: &Object) -> Result<Self, FilterRuleError> {
        let old = |devices: &str, states: &str| {
            let mut all = symbols(object, devices);
            all.extend(symbols(object, states));
            all
        };
        Ok(Self {
            filter: filter(object, "conditions.devices.deviceFilter")?,
            include_devices: symbols(object, "conditions.devices.includeDevices"),
            exclude_devices: symbols(object, "conditions.devices.excludeDevices"),
            include_states: old(
                "conditions.devices.includeDeviceStates",
                "conditions.deviceStates.includeStates",
            ),
            exclude_states: old(
                "conditions.devices.excludeDeviceStates",
                "conditions.deviceStates.excludeStates",
            ),
        })
    }

    /// Its filter rule.
    pub(super) fn rule(&self) -> Option<&FilterRule> {
        self.filter.as_ref().map(|(_, rule)| rule)
    }

    /// Whether it has one of the conditions that came before filters.
    pub(super) fn has_states(&self) -> bool {
        [
            &self.include_devices,
            &self.exclude_devices,
            &self.include_states,
            &self.exclude_states,
        ]
        .into_iter()
        .any(|states| !states.is_empty())
    }

    pub(super) fn sides(&self, device: &Fact<Device>) -> Sides {
        let by = |mode: FilterMode| match &self.filter {
            Some((asked, rule)) if *asked == mode => Some(device_matches(rule, device)),
            _ => None,
        };
        let include_old = [&self.include_devices, &self.include_states];
        let exclude_old = [&self.exclude_devices, &self.exclude_states];
        let listed = include_old
            .into_iter()
            .filter(|set| !set.is_empty())
            .map(|set| in_state(set, device));
        Sides {
            include: Truth::all(listed.chain(by(FilterMode::Include))),
            exclude: Truth::any(
                exclude_old
                    .into_iter()
                    .map(|set| in_state(set, device))
                    .chain(by(FilterMode::Exclude)),
            ),
        }
    }
}

/// The old device conditions: `All`, `Compliant`, `DomainJoined`.
fn in_state(states: &BTreeSet<String>, device: &Fact<Device>) -> Truth {
    if states.is_empty() {
        return Truth::No;
    }
    if states.contains("all") {
        return Truth::Yes;
    }
    match device {
        Fact::Unrecorded => Truth::Undecided,
        Fact::Absent => Truth::No,
        Fact::Is(device) => Truth::any([
            Truth::from(states.contains("compliant")) & has(device, "iscompliant", "True"),
            Truth::from(states.contains("domainjoined")) & has(device, "trusttype", "ServerAD"),
        ]),
    }
}

fn has(device: &Device, property: &str, value: &str) -> Truth {
    if device.is_partial && !device.properties.contains_key(property) {
        return Truth::Undecided;
    }
    device.is(property, value).into()
}

/// Whether a rule catches a device; one that is not registered has no properties (`FACTS` 10.15).
fn device_matches(rule: &FilterRule, device: &Fact<Device>) -> Truth {
    match device {
        Fact::Unrecorded => Truth::Undecided,
        Fact::Absent => device_holds(&rule.expression, &Device::default()),
        Fact::Is(device) => device_holds(&rule.expression, device),
    }
}

fn device_holds(expression: &Expression, device: &Device) -> Truth {
    holds(expression, &|property| match property {
        Property::Device(property) => {
            let extension = matches!(property, DeviceProperty::ExtensionAttribute(_));
            // Extension attributes count only on devices that are looked after.
            let looked_after = is_looked_after(device);
            match device.properties.get(&property.name().to_ascii_lowercase()) {
                Some(values) if !extension || looked_after => Some(values.clone()),
                None if device.is_partial => None,
                _ => Some(BTreeSet::new()),
            }
        }
        Property::SecurityAttribute(_) | Property::Other(_) => None,
    })
}

/// Whether a device is compliant, hybrid joined or managed.
pub(super) fn is_looked_after(device: &Device) -> bool {
    device.is("iscompliant", "True")
        || device.is("trusttype", "ServerAD")
        || device.properties.contains_key("mdmappid")
}

/// Whether a rule over custom security attributes catches what has these.
pub(super) fn attributes_match(rule: &FilterRule, attributes: &Fact<SecurityAttributes>) -> Truth {
    let none = SecurityAttributes::new();
    let attributes = match attributes {
        Fact::Unrecorded => return Truth::Undecided,
        Fact::Absent => &none,
        Fact::Is(attributes) => attributes,
    };
    holds(&rule.expression, &|property| match property {
        Property::SecurityAttribute(name) => Some(attributes.get(name).cloned().unwrap_or_default()),
        Property::Device(_) | Property::Other(_) => None,
    })
}

/// Whether an expression holds; `values` tells what a property holds, or nothing when it is not known at all.
fn holds(expression: &Expression, values: &dyn Fn(&Property) -> Option<BTreeSet<String>>) -> Truth {
    match expression {
        Expression::And(parts) => Truth::all(parts.iter().map(|part| holds(part, values))),
        Expression::Or(parts) => Truth::any(parts.iter().map(|part| holds(part, values))),
        Expression::Not(inner) => !holds(inner, values),
        Expression::Comparison(comparison) => match values(&comparison.property) {
            Some(values) => compare(comparison, &values).into(),
            None => Truth::Undecided,
        },
    }
}

/// Compares without regard to case, as the service does; a property without a value satisfies only negative operators.
pub(super) fn compare(comparison: &Comparison, values: &BTreeSet<String>) -> bool {
    if comparison.operator.is_negative() {
        return !positive(
            comparison.operator.negated(),
            &comparison.value,
            comparison,
            values,
        );
    }
    positive(comparison.operator, &comparison.value, comparison, values)
}

fn positive(
    operator: Operator,
    literal: &Literal,
    comparison: &Comparison,
    values: &BTreeSet<String>,
) -> bool {
    let is_collection = matches!(
        comparison.property,
        Property::Device(DeviceProperty::PhysicalIds | DeviceProperty::SystemLabels)
    );
    let wanted: Vec<String> = match literal {
        Literal::Text(text) => vec![text.to_lowercase()],
        Literal::Boolean(yes) => vec![yes.to_string()],
        Literal::Null => return operator == Operator::Equals && values.is_empty(),
        Literal::List(texts) => texts.iter().map(|text| text.to_lowercase()).collect(),
    };
    values.iter().any(|value| {
        let value = value.to_lowercase();
        wanted.iter().any(|wanted| match operator {
            Operator::StartsWith => value.starts_with(wanted.as_str()),
            Operator::EndsWith => value.ends_with(wanted.as_str()),
            Operator::Contains if !is_collection => value.contains(wanted.as_str()),
            _ => value == *wanted,
        })
    })
}
