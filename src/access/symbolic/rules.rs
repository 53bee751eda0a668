//! What filter rules tell apart: one device, or one set of attributes, for each answer that they can give together.

use std::collections::{BTreeMap, BTreeSet};

use super::space::SpaceError;
use super::texts::{How, Pattern, representatives};
use crate::access::device::{compare, is_looked_after};
use crate::access::sign_in::Device;
use crate::access::truth::Truth;
use crate::model::filter_rule::{
    Comparison, DeviceProperty, Expression, FilterRule, Literal, Operator, Property,
};

/// The most answers that are told apart.
const MOST_ANSWERS: usize = 20_000;

/// What properties hold: texts by property.
pub(super) type Bag = BTreeMap<Property, BTreeSet<String>>;

/// A rule of which some properties are known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Tree {
    Known(Truth),
    And(Vec<Tree>),
    Or(Vec<Tree>),
    Not(Box<Tree>),
    /// A comparison, by its place in the list of all.
    Open(usize),
}

/// Bags that give every answer that the rules can give together, the emptiest first.
///
/// `is_device` when the rules are about devices; else they are about custom security attributes. Properties of the
/// other kind, and unknown ones, are undecided whatever they hold.
pub(super) fn representatives_of(rules: &[&FilterRule], is_device: bool) -> Result<Vec<Bag>, SpaceError> {
    let mut comparisons: Vec<&Comparison> = Vec::new();
    let mut trees: BTreeSet<Tree> = BTreeSet::new();
    for rule in rules {
        trees.insert(tree(&rule.expression, &mut comparisons));
    }
    let known = |property: &Property| match property {
        Property::Device(_) => is_device,
        Property::SecurityAttribute(_) => !is_device,
        Property::Other(_) => false,
    };
    let mut states: BTreeMap<(Vec<Tree>, bool), Bag> = BTreeMap::new();
    let undecided = trees.into_iter().map(|tree| {
        simplified(&tree, &|place| {
            let comparison = comparisons.get(place)?;
            (!known(&comparison.property)).then_some(Truth::Undecided)
        })
    });
    states.insert((undecided.collect(), false), Bag::new());
    for property in in_order(&comparisons, &known) {
        let asked: Vec<&Comparison> = comparisons
            .iter()
            .copied()
            .filter(|comparison| comparison.property == property)
            .collect();
        let values = values_of(&property, &asked)?;
        let mut next: BTreeMap<(Vec<Tree>, bool), Bag> = BTreeMap::new();
        // The emptier bags first, so that those are the ones that are kept.
        let mut open: Vec<(&(Vec<Tree>, bool), &Bag)> = states.iter().collect();
        open.sort_by_key(|(_, bag)| bag.len());
        for held in &values {
            for ((trees, _), bag) in &open {
                let is_extension =
                    matches!(property, Property::Device(DeviceProperty::ExtensionAttribute(_)));
                if is_extension && !held.is_empty() && !is_looked_after(&device(bag)) {
                    continue;
                }
                let trees = trees
                    .iter()
                    .map(|tree| {
                        simplified(tree, &|place| {
                            let comparison = comparisons.get(place)?;
                            (comparison.property == property).then(|| compare(comparison, held).into())
                        })
                    })
                    .collect();
                let mut bag = (*bag).clone();
                if !held.is_empty() {
                    bag.insert(property.clone(), held.clone());
                }
                let looked_after = is_device && is_looked_after(&device(&bag));
                next.entry((trees, looked_after)).or_insert(bag);
            }
        }
        if next.len() > MOST_ANSWERS {
            return Err(SpaceError::TooManyAnswers);
        }
        states = next;
    }
    let mut bags: Vec<Bag> = states.into_values().collect();
    bags.sort_by_key(BTreeMap::len);
    Ok(bags)
}

/// The device that holds these properties.
pub(super) fn device(bag: &Bag) -> Device {
    let mut device = Device::default();
    for (property, values) in bag {
        if let Property::Device(property) = property {
            for value in values {
                device = device.with(&property.name(), value.clone());
            }
        }
    }
    device
}

/// The properties that are compared, what decides about others first.
fn in_order(comparisons: &[&Comparison], known: &dyn Fn(&Property) -> bool) -> Vec<Property> {
    let mut properties: BTreeSet<Property> = comparisons
        .iter()
        .map(|comparison| comparison.property.clone())
        .filter(known)
        .collect();
    let decisive = [
        DeviceProperty::IsCompliant,
        DeviceProperty::TrustType,
        DeviceProperty::MdmAppId,
    ]
    .map(Property::Device);
    let has_extension = properties
        .iter()
        .any(|property| matches!(property, Property::Device(DeviceProperty::ExtensionAttribute(_))));
    let mut order: Vec<Property> = decisive
        .into_iter()
        .filter(|property| properties.remove(property) || has_extension)
        .collect();
    order.extend(properties);
    order
}

fn tree<'r>(expression: &'r Expression, comparisons: &mut Vec<&'r Comparison>) -> Tree {
    match expression {
        Expression::And(parts) => Tree::And(parts.iter().map(|part| tree(part, comparisons)).collect()),
        Expression::Or(parts) => Tree::Or(parts.iter().map(|part| tree(part, comparisons)).collect()),
        Expression::Not(inner) => Tree::Not(Box::new(tree(inner, comparisons))),
        Expression::Comparison(comparison) => {
            let known = comparisons.iter().position(|other| *other == comparison);
            Tree::Open(known.unwrap_or_else(|| {
                comparisons.push(comparison);
                comparisons.len() - 1
            }))
        }
    }
}

fn simplified(tree: &Tree, answer: &dyn Fn(usize) -> Option<Truth>) -> Tree {
    match tree {
        Tree::Known(truth) => Tree::Known(*truth),
        Tree::Open(place) => answer(*place).map_or(Tree::Open(*place), Tree::Known),
        Tree::Not(inner) => match simplified(inner, answer) {
            Tree::Known(truth) => Tree::Known(!truth),
            open => Tree::Not(Box::new(open)),
        },
        Tree::And(parts) => joined(
            parts,
            answer,
            Truth::Yes,
            Truth::No,
            |one, other| one & other,
            Tree::And,
        ),
        Tree::Or(parts) => joined(
            parts,
            answer,
            Truth::No,
            Truth::Yes,
            |one, other| one | other,
            Tree::Or,
        ),
    }
}

fn joined(
    parts: &[Tree],
    answer: &dyn Fn(usize) -> Option<Truth>,
    neutral: Truth,
    decisive: Truth,
    join: fn(Truth, Truth) -> Truth,
    make: fn(Vec<Tree>) -> Tree,
) -> Tree {
    let mut known = neutral;
    let mut open = Vec::new();
    for part in parts {
        match simplified(part, answer) {
            Tree::Known(truth) => known = join(known, truth),
            other => open.push(other),
        }
    }
    if known == decisive || open.is_empty() {
        return Tree::Known(known);
    }
    if known != neutral {
        open.push(Tree::Known(known));
    }
    make(open)
}

/// What a property can hold, one for each answer that its comparisons can give together; nothing first.
fn values_of(property: &Property, asked: &[&Comparison]) -> Result<Vec<BTreeSet<String>>, SpaceError> {
    let is_collection = matches!(
        property,
        Property::Device(DeviceProperty::PhysicalIds | DeviceProperty::SystemLabels)
            | Property::SecurityAttribute(_)
    );
    let mut kept: BTreeSet<Vec<bool>> = BTreeSet::new();
    let mut order: Vec<BTreeSet<String>> = Vec::new();
    let mut keep = |held: BTreeSet<String>, order: &mut Vec<BTreeSet<String>>| {
        let answers: Vec<bool> = asked
            .iter()
            .map(|comparison| compare(comparison, &held))
            .collect();
        if kept.insert(answers) {
            order.push(held);
        }
    };
    keep(BTreeSet::new(), &mut order);
    let decisive = matches!(
        property,
        Property::Device(DeviceProperty::IsCompliant | DeviceProperty::TrustType | DeviceProperty::MdmAppId)
    );
    let texts = texts_of(property, asked)?;
    for text in &texts {
        let held = BTreeSet::from([text.clone()]);
        // These decide about other properties as well, so no value of theirs stands for another.
        if decisive && !order.contains(&held) {
            order.push(held);
        } else if !decisive {
            keep(held, &mut order);
        }
    }
    if is_collection {
        let mut place = 1;
        while let Some(held) = order.get(place).cloned() {
            for text in &texts {
                let mut more = held.clone();
                more.insert(text.clone());
                keep(more, &mut order);
            }
            place += 1;
            if order.len() > MOST_ANSWERS {
                return Err(SpaceError::TooManyAnswers);
            }
        }
    }
    Ok(order)
}

/// The single texts that a property can hold.
fn texts_of(property: &Property, asked: &[&Comparison]) -> Result<Vec<String>, SpaceError> {
    if let Property::Device(property) = property
        && let Some(values) = property.values()
    {
        return Ok(values.iter().map(|value| (*value).to_owned()).collect());
    }
    let is_collection = matches!(
        property,
        Property::Device(DeviceProperty::PhysicalIds | DeviceProperty::SystemLabels)
    );
    let mut as_written: BTreeMap<String, String> = BTreeMap::new();
    let mut patterns = BTreeSet::new();
    for comparison in asked {
        let how = How::of(comparison.operator, is_collection);
        for text in wanted(&comparison.value) {
            let low = text.to_lowercase();
            patterns.insert(Pattern {
                how,
                text: low.chars().collect(),
            });
            as_written.entry(low).or_insert(text);
        }
    }
    let texts: Vec<String> = if patterns.iter().all(|pattern| pattern.how == How::Whole) {
        // Each of them, and one that is none of them.
        let other = (0..).map(|number| match number {
            0 => "another".to_owned(),
            number => format!("another {number}"),
        });
        let other = other.into_iter().find(|other| !as_written.contains_key(other));
        as_written.keys().cloned().chain(other).collect()
    } else {
        representatives(&patterns)?
    };
    Ok(texts
        .into_iter()
        .map(|text| as_written.get(&text).cloned().unwrap_or(text))
        .collect())
}

/// The texts of a literal, as the evaluator compares them.
fn wanted(literal: &Literal) -> Vec<String> {
    match literal {
        Literal::Text(text) => vec![text.clone()],
        Literal::Boolean(yes) => vec![yes.to_string()],
        Literal::Null => Vec::new(),
        Literal::List(texts) => texts.clone(),
    }
}

/// A comparison of a device's property with one value.
pub(super) fn device_is(property: DeviceProperty, value: &str) -> FilterRule {
    FilterRule {
        expression: Expression::Comparison(Comparison {
            property: Property::Device(property),
            operator: Operator::Equals,
            value: Literal::Text(value.to_owned()),
            place: crate::model::filter_rule::ComparisonPlace::default(),
        }),
    }
}
