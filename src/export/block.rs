//! One object as a block, driven by the property table.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::naming::{Naming, symbol};
use crate::model::properties::{Property, Shape, Symbols, authentication_methods, by_dsl, grant_controls};
use crate::model::set::Set;
use crate::model::value::{
    Allowed, CombinationConfiguration, Control, ExternalTenants, Filter, FilterMode, Grant, Guests, Interval,
    Operator, SignInFrequency, Value,
};
use crate::model::{Kind, Object};
use crate::syntax::{
    Argument, Attribute, Block, DurationUnit, Expression, ExpressionKind, Item, ItemKind, UnaryOperator,
};

/// An object as a block of the language.
///
/// Every property of the object is in it, in the order of the property table; `naming` says how
/// other objects are referred to.
pub fn export_block(label: &str, object: &Object, naming: &Naming) -> Block {
    block_with(label, object, naming, None)
}

/// The same with `emergency_access = include("why")`.
pub(super) fn block_with(label: &str, object: &Object, naming: &Naming, include: Option<&str>) -> Block {
    let mut root = Node::default();
    for (property, value) in object.iter() {
        for (path, part) in parts(property, value, naming) {
            root.add(path, part);
        }
    }
    let mut items = root.into_items(object.kind, "");
    if object.kind == Kind::Group {
        items.insert(0, attribute("managed", Expression::bool(true)));
    }
    if let Some(why) = include {
        let reason = Expression::call("include", [Expression::string(why)]);
        let after = items
            .iter()
            .take_while(|item| !matches!(&item.kind, ItemKind::Attribute(one) if one.name.text == "state"))
            .count();
        items.insert(
            (after + 1).min(items.len()),
            attribute("emergency_access", reason),
        );
    }
    if let Some(raw) = &object.raw {
        items.push(attribute("raw", json(raw)));
    }
    let mut block = Block::new(object.kind.block(), &[label], items);
    set_apart(&mut block.body.items);
    block
}

pub(super) fn attribute(name: &str, value: Expression) -> Item {
    Attribute::new(name, value).into()
}

/// A block inside another one, on one line when a single attribute is all it holds.
pub(super) fn inner(kind: &str, items: Vec<Item>) -> Item {
    // `apps = all` is `apps { include = all }`.
    if let [
        Item {
            kind: ItemKind::Attribute(only),
            ..
        },
    ] = items.as_slice()
        && only.name.text == "include"
    {
        return attribute(kind, only.value.clone());
    }
    let is_short = matches!(items.as_slice(), [only] if is_attribute(only));
    let mut block = Block::new(kind, &[], items);
    for item in &mut block.body.items {
        item.blank_before = false;
    }
    if is_short {
        block.on_one_line().into()
    } else {
        block.into()
    }
}

fn is_attribute(item: &Item) -> bool {
    matches!(item.kind, ItemKind::Attribute(_))
}

/// Empty lines between what an object is called, when it applies and what it then does.
fn set_apart(items: &mut [Item]) {
    let mut section = None;
    for item in items {
        let here = match &item.kind {
            ItemKind::Attribute(attribute) => match attribute.name.text.as_str() {
                "grant" => 2,
                "raw" => 3,
                "users" | "workloads" | "apps" | "locations" | "platforms" | "client_apps" | "devices"
                | "auth_flows" => 1,
                _ => 0,
            },
            ItemKind::Block(block) if block.kind.text == "session" => 2,
            ItemKind::Block(_) => 1,
        };
        item.blank_before = section.is_some_and(|before| before != here);
        section = Some(here);
    }
}

/// What one property puts in one place.
pub(super) enum Part {
    /// A value of its own.
    Single(Expression),
    /// Elements of a list that several properties share.
    Elements(Vec<Expression>),
    /// Blocks.
    Blocks(Vec<Block>),
}

/// A block being put together.
#[derive(Default)]
struct Node {
    children: IndexMap<String, Child>,
}

enum Child {
    Node(Node),
    Part(Part),
}

impl Node {
    fn add(&mut self, path: &str, part: Part) {
        let Some((head, rest)) = path.split_once('.') else {
            match self.children.get_mut(path) {
                Some(Child::Part(before)) => before.join(part),
                _ => {
                    self.children.insert(path.to_owned(), Child::Part(part));
                }
            }
            return;
        };
        let child = self
            .children
            .entry(head.to_owned())
            .or_insert_with(|| Child::Node(Node::default()));
        if let Child::Node(node) = child {
            node.add(rest, part);
        }
    }

    fn into_items(self, kind: Kind, path: &str) -> Vec<Item> {
        self.children
            .into_iter()
            .map(|(name, child)| {
                let path = if path.is_empty() {
                    name.clone()
                } else {
                    format!("{path}.{name}")
                };
                match child {
                    Child::Node(node) => inner(&name, node.into_items(kind, &path)),
                    Child::Part(Part::Blocks(blocks)) => {
                        inner(&name, blocks.into_iter().map(Item::from).collect())
                    }
                    Child::Part(Part::Single(value)) => attribute(&name, value),
                    Child::Part(Part::Elements(values)) => {
                        attribute(&name, listed(values, takes_list(kind, &path)))
                    }
                }
            })
            .collect()
    }
}

impl Part {
    fn join(&mut self, other: Self) {
        match (self, other) {
            (Self::Elements(values), Self::Elements(more)) => values.extend(more),
            (Self::Elements(values), Self::Single(more)) => values.push(more),
            (Self::Blocks(blocks), Self::Blocks(more)) => blocks.extend(more),
            (before, other) => *before = other,
        }
    }
}

/// Whether the place holds a list even when one element is in it: lists of texts and of
/// combinations are definitions, which grow; an audience reads better without brackets.
fn takes_list(kind: Kind, path: &str) -> bool {
    by_dsl(kind, path)
        .iter()
        .any(|property| matches!(property.shape, Shape::Texts(_) | Shape::Combinations))
}

pub(super) fn listed(mut values: Vec<Expression>, always: bool) -> Expression {
    match values.pop() {
        Some(only) if values.is_empty() && !always => only,
        last => {
            values.extend(last);
            Expression::list(values)
        }
    }
}

/// What a property puts where.
pub(super) fn parts(property: &Property, value: &Value, naming: &Naming) -> Vec<(&'static str, Part)> {
    let [first, others @ ..] = property.dsl else {
        return Vec::new();
    };
    let symbols = property.symbols();
    let single = |value: Expression| vec![(*first, Part::Single(value))];
    let elements = |values: Vec<Expression>| vec![(*first, Part::Elements(values))];
    match (value, property.shape) {
        (Value::Text(text), _) => single(naming.text(text)),
        (Value::Boolean(_), Shape::Flag(word)) => single(Expression::name(word)),
        (Value::Boolean(_), Shape::Toggle) => single(Expression::name("on")),
        (Value::Boolean(set), _) => single(Expression::bool(*set)),
        (Value::Symbol(wire), _) => single(symbol_of(symbols, wire)),
        (Value::Symbols(wires), Shape::Combinations) => {
            elements(wires.iter().map(|wire| combination(wire)).collect())
        }
        (Value::Symbols(wires), _) => elements(wires.iter().map(|wire| symbol_of(symbols, wire)).collect()),
        (Value::Texts(texts), _) => elements(texts.iter().map(|text| naming.text(text)).collect()),
        (Value::References(references), _) => elements(
            references
                .iter()
                .map(|reference| naming.reference(reference, symbols))
                .collect(),
        ),
        (Value::Guests(guests), _) => elements(vec![guests_call(guests, symbols)]),
        (Value::Filter(filter), _) => filter_part(first, others, filter, naming),
        (Value::Grant(grant), _) => single(grant_expression(grant, naming)),
        (Value::SignInFrequency(frequency), _) => frequency_parts(first, others, frequency),
        (Value::CombinationConfigurations(configurations), _) => vec![(
            *first,
            Part::Blocks(configurations.iter().map(configuration).collect()),
        )],
    }
}

fn symbol_of(symbols: Option<&Symbols>, wire: &str) -> Expression {
    match symbols {
        Some(symbols) => symbol(symbols, wire),
        None => Expression::string(wire),
    }
}

/// `fido2`, or `all_of(password, sms)` for methods that are used together.
fn combination(wire: &str) -> Expression {
    let methods: Vec<Expression> = wire
        .split(',')
        .map(|method| symbol(authentication_methods(), method.trim()))
        .collect();
    joined("all_of", methods)
}

/// The only value, or a call of the values.
fn joined(function: &str, mut values: Vec<Expression>) -> Expression {
    match (values.pop(), values.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            values.extend(last);
            Expression::call(function, values)
        }
    }
}

fn guests_call(guests: &Guests, symbols: Option<&Symbols>) -> Expression {
    let kinds = guests.kinds.iter().map(|wire| symbol_of(symbols, wire));
    let tenants = match &guests.tenants {
        ExternalTenants::All => None,
        ExternalTenants::Enumerated(ids) => {
            let ids = ids.iter().map(|id| Expression::string(id));
            Some(Argument::named("tenants", Expression::list(ids)))
        }
    };
    let kinds = Argument::positional(Expression::list(kinds));
    Expression::call_with("guests", std::iter::once(kinds).chain(tenants))
}

fn filter_part(
    include: &'static str,
    others: &'static [&'static str],
    filter: &Filter,
    naming: &Naming,
) -> Vec<(&'static str, Part)> {
    let path = match filter.mode {
        FilterMode::Include => include,
        FilterMode::Exclude => others.first().copied().unwrap_or(include),
    };
    vec![(
        path,
        Part::Elements(vec![Expression::call("filter", vec![naming.text(&filter.rule)])]),
    )]
}

pub(super) fn grant_expression(grant: &Grant, naming: &Naming) -> Expression {
    let controls = grant
        .controls
        .iter()
        .map(|control| match control {
            Control::BuiltIn(wire) => symbol(grant_controls(), wire),
            Control::Strength(reference) | Control::Terms(reference) => naming.reference(reference, None),
            Control::Custom(id) => Expression::call("custom", vec![naming.text(id)]),
        })
        .collect();
    let function = match grant.operator {
        Operator::All => "all_of",
        Operator::Any => "any_of",
    };
    joined(function, controls)
}

fn frequency_parts(
    interval: &'static str,
    others: &'static [&'static str],
    frequency: &SignInFrequency,
) -> Vec<(&'static str, Part)> {
    let value = match frequency.interval {
        Interval::EveryTime => Expression::name("every_time"),
        Interval::Hours(hours) => duration(hours, DurationUnit::Hours),
        Interval::Days(days) => duration(days, DurationUnit::Days),
    };
    let mut parts = vec![(interval, Part::Single(value))];
    if let (true, Some(whom)) = (frequency.secondary_only, others.first()) {
        parts.push((*whom, Part::Single(Expression::name("secondary"))));
    }
    parts
}

fn duration(amount: i64, unit: DurationUnit) -> Expression {
    let positive = Expression::duration(amount.unsigned_abs(), unit);
    if amount < 0 {
        ExpressionKind::Unary(UnaryOperator::Negate, Box::new(positive)).into()
    } else {
        positive
    }
}

/// `fido2 { … }` or `x509 { … }`, one block a configuration.
fn configuration(configuration: &CombinationConfiguration) -> Block {
    let texts = |texts: &Set<String>| Expression::list(texts.iter().map(|text| Expression::string(text)));
    let applies_to = configuration.applies_to.iter().map(|wire| combination(wire));
    let mut items = vec![attribute("applies_to", Expression::list(applies_to))];
    let kind = match &configuration.allowed {
        Allowed::Fido2 { aaguids } => {
            items.push(attribute("allowed_aaguids", texts(aaguids)));
            "fido2"
        }
        Allowed::X509 {
            issuer_skis,
            policy_oids,
        } => {
            for (name, values) in [
                ("allowed_issuer_skis", issuer_skis),
                ("allowed_policy_oids", policy_oids),
            ] {
                if !values.is_empty() {
                    items.push(attribute(name, texts(values)));
                }
            }
            "x509"
        }
    };
    Block::new(kind, &[], items)
}

fn json(value: &Json) -> Expression {
    match value {
        Json::Null => Expression::null(),
        Json::Bool(set) => Expression::bool(*set),
        Json::Number(number) => Expression::number(&number.to_string()),
        Json::String(text) => Expression::string(text),
        Json::Array(values) => Expression::list(values.iter().map(json)),
        Json::Object(members) => Expression::object(
            members
                .iter()
                .map(|(member, value)| (member.as_str(), json(value))),
        ),
    }
}
