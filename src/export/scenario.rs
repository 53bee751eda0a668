//! A scenario as a block, to be pasted into a file.

use super::block::{Part, attribute, grant_expression, inner, listed, parts};
use super::naming::Naming;
use crate::model::expectation::{DeviceFacts, Expectation, ExpectedGrant, Facts, attribute_of};
use crate::model::value::{Grant, Operator};
use crate::syntax::{Attribute, Block, Expression, Item};

/// A scenario as a block of the language; `naming` says how objects are referred to.
pub fn scenario_block(scenario: &Expectation, naming: &Naming) -> Block {
    let sign_in = Block::new("sign_in", &[], facts(&scenario.facts, naming));
    let expect = Block::new("expect", &[], expected(scenario, naming));
    Block::new(
        "scenario",
        &[&scenario.address.name],
        vec![sign_in.into(), expect.into()],
    )
}

fn facts(facts: &Facts, naming: &Naming) -> Vec<Item> {
    let mut named: Vec<(&str, Vec<Expression>)> = Vec::new();
    let mut risks: Vec<Item> = Vec::new();
    for (property, value) in facts.conditions.iter() {
        let Some((name, is_risk)) = attribute_of(property.wire) else {
            continue;
        };
        let values: Vec<Expression> = parts(property, value, naming)
            .into_iter()
            .flat_map(|(_, part)| match part {
                Part::Single(value) => vec![value],
                Part::Elements(values) => values,
                Part::Blocks(_) => Vec::new(),
            })
            .collect();
        if is_risk {
            risks.push(attribute(name, listed(values, false)));
            continue;
        }
        match named.iter_mut().find(|(other, _)| *other == name) {
            Some((_, all)) => all.extend(values),
            None => named.push((name, values)),
        }
    }
    for (name, texts) in [
        ("country", facts.countries.iter().collect::<Vec<_>>()),
        ("gps_country", facts.gps_countries.iter().collect()),
        ("ip", facts.ranges.iter().collect()),
    ] {
        if !texts.is_empty() {
            // One address is written without its prefix length.
            let texts = texts.into_iter().map(|text| {
                let single = text.strip_suffix("/32").or_else(|| text.strip_suffix("/128"));
                single.unwrap_or(text)
            });
            named.push((name, texts.map(Expression::string).collect()));
        }
    }
    let mut items: Vec<Item> = named
        .into_iter()
        .map(|(name, values)| attribute(name, listed(values, false)))
        .collect();
    if let Some(satisfied) = &facts.satisfied {
        let each = satisfied.iter().map(|control| {
            grant_expression(
                &Grant {
                    operator: Operator::Any,
                    controls: [control.clone()].into_iter().collect(),
                },
                naming,
            )
        });
        items.push(attribute("satisfied", Expression::list(each)));
    }
    if !risks.is_empty() {
        items.push(inner("risk", risks));
    }
    if !facts.device.is_empty() {
        items.push(inner("device", device(&facts.device)));
    }
    items
}

fn device(device: &DeviceFacts) -> Vec<Item> {
    let mut items = Vec::new();
    for (name, is) in [
        ("compliant", device.compliant),
        ("hybrid_joined", device.hybrid_joined),
    ] {
        items.extend(is.map(|is| attribute(name, Expression::bool(is))));
    }
    if !device.properties.is_empty() {
        let properties = device.properties.iter().map(|(name, texts)| {
            let texts = texts.iter().map(|text| Expression::string(text)).collect();
            (name.as_str(), listed(texts, false))
        });
        items.push(Attribute::new("properties", Expression::object(properties)).into());
    }
    items
}

fn expected(scenario: &Expectation, naming: &Naming) -> Vec<Item> {
    let expected = &scenario.expected;
    let mut items = Vec::new();
    if let Some(decision) = &expected.decision {
        items.push(attribute("decision", Expression::name(decision)));
    }
    if let Some(granted) = expected.access {
        items.push(attribute(
            "access",
            Expression::name(if granted { "granted" } else { "denied" }),
        ));
    }
    match &expected.grant {
        Some(ExpectedGrant::Nothing) => items.push(attribute("grant", Expression::name("none"))),
        Some(ExpectedGrant::Controls(grant)) => {
            items.push(attribute("grant", grant_expression(grant, naming)));
        }
        None => {}
    }
    if !expected.by.is_empty() {
        let by = expected.by.iter().map(super::naming::managed);
        items.push(attribute("by", Expression::list(by)));
    }
    let session: Vec<Item> = expected
        .session
        .iter()
        .flat_map(|(property, value)| parts(property, value, naming))
        .filter_map(|(path, part)| match part {
            Part::Single(value) => Some(attribute(path.rsplit('.').next().unwrap_or(path), value)),
            _ => None,
        })
        .collect();
    if !session.is_empty() {
        items.push(inner("session", session));
    }
    items
}
