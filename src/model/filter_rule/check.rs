//! What a rule that parses may still have wrong.

use super::Comparison;
use super::DeviceProperty;
use super::FilterRule;
use super::FilterRuleError;
use super::FilterRuleWarning;
use super::LONGEST_RULE;
use super::Literal;
use super::Operator;
use super::Place;
use super::Property;
use super::quoted;
use crate::model::catalogue::guids::is_guid;
use crate::model::catalogue::nearest;

/// What a filter is about, which decides the properties its rule has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `devices { include = filter("…") }`
    Devices,
    /// `apps`, `workloads` and `agents`: custom security attributes of the
    /// service principal.
    ServicePrincipals,
}

impl FilterRule {
    /// What the service refuses in a rule of this scope; `text` is what was parsed.
    #[must_use]
    pub fn refusals(&self, text: &str, scope: Scope) -> Vec<FilterRuleError> {
        let mut refusals = Vec::new();
        let length = text.chars().count();
        if length > LONGEST_RULE {
            refusals.push(FilterRuleError::TooLong { length });
        }
        for comparison in self.comparisons() {
            refusals.extend(unknown_property(comparison, scope, text));
            refusals.extend(wrong_value(comparison));
        }
        refusals
    }

    /// What the rule says that its author hardly means; `text` is what was parsed.
    #[must_use]
    pub fn warnings(&self, text: &str) -> Vec<FilterRuleWarning> {
        let mut warnings = Vec::new();
        for comparison in self.comparisons() {
            if let Property::Device(property) = comparison.property {
                warnings.extend(operator_for_property(comparison, property));
                warnings.extend(value_of_property(comparison, property));
            }
            warnings.extend(single_quotes(comparison, text));
        }
        warnings
    }
}

fn unknown_property(comparison: &Comparison, scope: Scope, text: &str) -> Option<FilterRuleError> {
    let at = comparison.place.property;
    let property = text.get(at.start..at.end).unwrap_or_default().to_owned();
    match (scope, &comparison.property) {
        (Scope::Devices, Property::Device(_)) => None,
        (Scope::ServicePrincipals, Property::SecurityAttribute(name)) if name.contains('_') => None,
        (Scope::Devices, _) => {
            let names: Vec<String> = DeviceProperty::all()
                .map(|known| format!("device.{}", known.name()))
                .collect();
            let help = nearest(&property, names.iter().map(String::as_str)).map_or_else(
                || {
                    "write a device property like `device.isCompliant` or `device.extensionAttribute1`"
                        .to_owned()
                },
                |near| format!("write `{near}`"),
            );
            Some(FilterRuleError::UnknownProperty {
                property,
                scope: "devices",
                help,
                at,
            })
        }
        (Scope::ServicePrincipals, _) => Some(FilterRuleError::UnknownProperty {
            property,
            scope: "service principals",
            help: "write a custom security attribute like `CustomSecurityAttribute.Set_Attribute`".to_owned(),
            at,
        }),
    }
}

fn wrong_value(comparison: &Comparison) -> Option<FilterRuleError> {
    let of_list = matches!(comparison.operator, Operator::In | Operator::NotIn);
    let (expected, help) = match &comparison.value {
        Literal::List(texts) if !of_list => {
            let operator = if comparison.operator.is_negative() {
                Operator::NotIn
            } else {
                Operator::In
            };
            let list = Literal::List(texts.clone());
            ("one value", format!("`{operator} {list}`"))
        }
        Literal::List(_) => return None,
        Literal::Text(text) if of_list => ("a list", format!("`[{}]`", quoted(text))),
        _ if of_list => ("a list", "`[\"a\", \"b\"]`".to_owned()),
        _ => return None,
    };
    Some(FilterRuleError::WrongValue {
        operator: comparison.operator.text(),
        expected,
        value: comparison.value.to_string(),
        help,
        at: comparison.place.value,
    })
}

fn operator_for_property(comparison: &Comparison, property: DeviceProperty) -> Option<FilterRuleWarning> {
    let documented = property.operators();
    if documented.contains(&comparison.operator) {
        return None;
    }
    let operators: Vec<String> = documented
        .iter()
        .map(|operator| format!("`{operator}`"))
        .collect();
    Some(FilterRuleWarning::OperatorForProperty {
        operator: comparison.operator.text(),
        property: comparison.property.to_string(),
        operators: operators.join(", "),
        at: comparison.place.operator,
    })
}

fn value_of_property(comparison: &Comparison, property: DeviceProperty) -> Vec<FilterRuleWarning> {
    let texts = match &comparison.value {
        Literal::Text(text) => std::slice::from_ref(text),
        Literal::List(texts) => texts.as_slice(),
        // `True` for a property that is no flag compares with nothing.
        Literal::Boolean(flag) if property != DeviceProperty::IsCompliant => {
            let value = if *flag { "True" } else { "False" };
            return vec![warning(
                comparison,
                value,
                format!("write a text like `\"{value}\"`"),
            )];
        }
        Literal::Boolean(_) | Literal::Null => return Vec::new(),
    };
    let is_id = matches!(property, DeviceProperty::DeviceId | DeviceProperty::MdmAppId);
    texts
        .iter()
        .filter_map(|text| match property.values() {
            Some(values) if !values.iter().any(|value| value.eq_ignore_ascii_case(text)) => {
                let help = nearest(text, values.iter().copied()).map_or_else(
                    || format!("write one of {}", values.join(", ")),
                    |near| format!("write `\"{near}\"`"),
                );
                Some(warning(comparison, text, help))
            }
            None if is_id && !is_guid(text) => Some(warning(
                comparison,
                text,
                "write an id, which is a GUID".to_owned(),
            )),
            _ => None,
        })
        .collect()
}

fn warning(comparison: &Comparison, value: &str, help: String) -> FilterRuleWarning {
    FilterRuleWarning::ValueOfProperty {
        property: comparison.property.to_string(),
        value: value.to_owned(),
        help,
        at: comparison.place.value,
    }
}

fn single_quotes(comparison: &Comparison, text: &str) -> Option<FilterRuleWarning> {
    let Place { start, end } = comparison.place.value;
    let written = text.get(start..end)?;
    let Literal::Text(content) = &comparison.value else {
        return None;
    };
    written
        .starts_with('\'')
        .then(|| FilterRuleWarning::SingleQuotes {
            text: written.to_owned(),
            double: quoted(content),
            at: comparison.place.value,
        })
}
