//! Limits on texts, and what the service refuses of locations, strengths and contexts.

use super::{Found, is_set, longest};
use crate::model::catalogue::countries;
use crate::model::cidr::IpRange;
use crate::model::object::{Kind, Object};
use crate::model::value::Value;

/// The most ranges in one location (`FACTS` 4).
const MOST_RANGES: usize = 2000;

pub(super) fn check_texts(object: &Object, found: &mut Found) {
    for (property, value) in object.iter() {
        if let (Some(max), Value::Text(text)) = (longest(property.shape), value)
            && text.chars().count() > max
        {
            found.refused(
                "rules::too_long",
                &[property.wire],
                format!(
                    "the text has {} characters; {max} are allowed",
                    text.chars().count()
                ),
                "shorten it",
            );
        }
    }
    for property in object.kind.properties() {
        if property.required && !is_set(object, property.wire) && !super::in_raw(object, property.wire) {
            let place = property.dsl.first().copied().unwrap_or(property.wire);
            found.refused(
                "rules::missing",
                &[],
                format!("`{place}` is missing"),
                format!("add `{place} = …`"),
            );
        }
    }
}

pub(super) fn check_location(object: &Object, found: &mut Found) {
    if let Some(Value::Texts(ranges)) = object.get("ipRanges") {
        if ranges.len() > MOST_RANGES {
            found.refused(
                "rules::too_many_ranges",
                &["ipRanges"],
                format!(
                    "the location has {} ranges; {MOST_RANGES} are allowed",
                    ranges.len()
                ),
                "split it into several locations",
            );
        }
        for range in ranges {
            if let Err(error) = IpRange::parse(range) {
                found.refused(
                    "rules::ip_range",
                    &["ipRanges"],
                    error.to_string(),
                    "write a range in CIDR form: `192.0.2.0/24`",
                );
            }
        }
    }
    if let Some(Value::Texts(codes)) = object.get("countriesAndRegions") {
        for code in codes {
            if countries::by_code(code).is_none() {
                found.refused(
                    "rules::country",
                    &["countriesAndRegions"],
                    format!("`{code}` is not the code of a country"),
                    countries::nearest(code).map_or_else(
                        || "write the two letters of ISO 3166-1".to_owned(),
                        |country| format!("write `{}` for {}", country.code, country.name),
                    ),
                );
            }
        }
    }
}

pub(super) fn check_strength(object: &Object, found: &mut Found) {
    let Some(Value::CombinationConfigurations(configurations)) = object.get("combinationConfigurations")
    else {
        return;
    };
    let allowed = match object.get("allowedCombinations") {
        Some(Value::Symbols(combinations)) => Some(combinations),
        _ => None,
    };
    for configuration in configurations {
        for combination in &configuration.applies_to {
            if !allowed.is_some_and(|allowed| allowed.contains(combination)) {
                found.refused(
                    "rules::configuration_of_nothing",
                    &["combinationConfigurations"],
                    format!("a configuration applies to `{combination}`, which the strength does not allow"),
                    "add the combination, or remove the configuration",
                );
            }
        }
    }
}

pub(super) fn check_context(object: &Object, found: &mut Found) {
    let id = object.text("id").unwrap_or_default();
    let number = id.strip_prefix('c').and_then(|digits| digits.parse::<u8>().ok());
    if object.kind == Kind::Context && !number.is_some_and(|number| (1..=99).contains(&number)) {
        found.refused(
            "rules::context_id",
            &["id"],
            format!("`{id}` is not the id of an authentication context"),
            "choose one of `c1` to `c99`",
        );
    }
}
