//! `scenario` and `invariant` blocks into what the model holds of them.

use std::collections::{BTreeMap, BTreeSet};

use super::error::BindError;
use super::value;
use crate::lang::blocks::{Checked, CheckedBlock};
use crate::lang::error::{Diagnostics, origin};
use crate::lang::nearest::nearest;
use crate::lang::value::{Evaluated, Value};
use crate::model::cidr::{IpRange, IpRangeError};
use crate::model::expectation::{
    CONDITIONS, DeviceFacts, Expectation, ExpectationKind, Expected, ExpectedGrant, Facts, RISKS,
};
use crate::model::filter_rule::DeviceProperty;
use crate::model::properties::{self, Property};
use crate::model::value::{Control, Value as Bound};
use crate::model::{Address, Kind, Object, Target};
use crate::syntax::Span;

/// Binds a block that was held against its schema; what does not fit is reported.
pub(in crate::lang) fn expectation(
    address: Address,
    header: Span,
    checked: &Checked,
    diagnostics: &mut Diagnostics,
) -> Option<Expectation> {
    let kind = match address.kind.as_str() {
        "scenario" => ExpectationKind::Scenario,
        _ => ExpectationKind::Invariant,
    };
    let mut binder = Binder {
        kind,
        errors: Vec::new(),
    };
    let of = |name: &'static str| checked.blocks.iter().filter(move |block| block.name == name);
    let facts = of("sign_in").chain(of("where")).next();
    let facts = facts.map_or_else(Facts::default, |block| binder.facts(block));
    let except = of("except").map(|block| binder.facts(block)).collect();
    let expected = of("expect").next().map(|block| binder.expected(block));
    let errors = binder.errors;
    let is_sound = errors.is_empty();
    for error in errors {
        diagnostics.push(error.into());
    }
    let expected = expected.filter(|_| is_sound)?;
    Some(Expectation {
        address,
        origin: origin(header),
        kind,
        facts,
        except,
        expected,
    })
}

struct Binder {
    kind: ExpectationKind,
    errors: Vec<BindError>,
}

impl Binder {
    fn unfit(&mut self, problem: impl Into<String>, help: impl Into<String>, at: Span) {
        self.errors.push(BindError::Unfit {
            problem: problem.into(),
            help: help.into(),
            at,
        });
    }

    /// Sets those properties of an object that an attribute stands for.
    fn set(&mut self, object: &mut Object, name: &str, wires: &[&str], written: &Evaluated) {
        let rows: Vec<&'static Property> = object
            .kind
            .properties()
            .iter()
            .filter(|property| wires.contains(&property.wire))
            .collect();
        let outcome = value::bind(name, &rows, written);
        self.errors.extend(outcome.errors);
        for (row, bound) in outcome.values {
            if self.kind == ExpectationKind::Scenario && is_several(row.wire, &bound) {
                self.unfit(
                    format!("a scenario is one sign-in, and `{name}` names several"),
                    "name one of them; an `invariant` is for all of them",
                    written.span,
                );
            }
            object.set(row.wire, Some(bound));
        }
    }

    fn facts(&mut self, block: &CheckedBlock) -> Facts {
        let mut facts = Facts::default();
        let body = &block.body;
        for (name, wires) in CONDITIONS {
            if let Some(written) = body.get(name) {
                self.set(&mut facts.conditions, name, wires, written);
            }
        }
        for inner in &body.blocks {
            match inner.name {
                "risk" => {
                    for (name, wires) in RISKS {
                        if let Some(written) = inner.body.get(name) {
                            self.set(&mut facts.conditions, &format!("risk.{name}"), wires, written);
                        }
                    }
                }
                "device" => facts.device = self.device(&inner.body),
                _ => {}
            }
        }
        if let Some(written) = body.get("country") {
            facts.countries = self.countries("country", written);
        }
        if let Some(written) = body.get("gps_country") {
            facts.gps_countries = self.countries("gps_country", written);
        }
        if let Some(written) = body.get("ip") {
            facts.ranges = elements(written)
                .into_iter()
                .filter_map(|each| self.range(each))
                .collect();
        }
        if let Some(written) = body.get("satisfied") {
            facts.satisfied = Some(
                elements(written)
                    .into_iter()
                    .filter_map(|each| self.can_do(each))
                    .collect(),
            );
        }
        for (names, why) in [
            (["user", "service_principal", "agent"], "never sign in together"),
            (["app", "action", "context"], "are asked for one at a time"),
        ] {
            let named: Vec<&str> = names
                .into_iter()
                .filter(|name| body.get(name).is_some())
                .collect();
            if let [first, second, ..] = named.as_slice() {
                self.unfit(
                    format!("`{first}` and `{second}` {why}"),
                    "keep one of them, and write another block for the other",
                    block.span,
                );
            }
        }
        facts
    }

    fn countries(&mut self, name: &str, written: &Evaluated) -> BTreeSet<String> {
        let mut location = Object::new(Kind::CountryLocation);
        self.set(&mut location, name, &["countriesAndRegions"], written);
        match location.get("countriesAndRegions") {
            Some(Bound::Texts(codes)) => codes.iter().cloned().collect(),
            _ => BTreeSet::new(),
        }
    }

    fn range(&mut self, written: &Evaluated) -> Option<String> {
        let text = written.as_text()?;
        match IpRange::parse(text) {
            Ok(range) => Some(range.as_str().to_owned()),
            Err(IpRangeError::BareAddress { range, .. }) => Some(range),
            Err(error) => {
                let help = miette::Diagnostic::help(&error).map(|help| help.to_string());
                self.unfit(error.to_string(), help.unwrap_or_default(), written.span);
                None
            }
        }
    }

    fn device(&mut self, body: &Checked) -> DeviceFacts {
        let flag = |name: &str| match body.get(name)?.value {
            Value::Bool(is) => Some(is),
            _ => None,
        };
        let mut facts = DeviceFacts {
            compliant: flag("compliant"),
            hybrid_joined: flag("hybrid_joined"),
            properties: BTreeMap::new(),
        };
        let Some(written) = body.get("properties") else {
            return facts;
        };
        let Value::Object(properties) = &written.value else {
            self.unfit(
                "`properties` is not an object",
                "write `properties = { model = \"…\" }`",
                written.span,
            );
            return facts;
        };
        for (name, value) in properties.iter() {
            let Some(property) = DeviceProperty::by_name(name) else {
                let names: Vec<String> = DeviceProperty::all().map(DeviceProperty::name).collect();
                let near = nearest(name, names.iter().map(String::as_str));
                let help = near.map_or_else(
                    || "name a property that filter rules know, such as `model`".to_owned(),
                    |near| format!("write `{near}`"),
                );
                self.unfit(format!("devices have no property `{name}`"), help, value.span);
                continue;
            };
            let mut texts = BTreeSet::new();
            for each in elements(value) {
                match &each.value {
                    Value::Bool(true) => drop(texts.insert("True".to_owned())),
                    Value::Bool(false) => drop(texts.insert("False".to_owned())),
                    Value::String { text, .. } => drop(texts.insert(text.clone())),
                    _ => self.unfit(
                        format!("`{name}` holds neither a text nor true or false"),
                        "write the text as a filter rule compares it",
                        each.span,
                    ),
                }
            }
            facts.properties.insert(property.name(), texts);
        }
        facts
    }

    /// A control, or a method in Graph's words.
    fn can_do(&mut self, written: &Evaluated) -> Option<Control> {
        match &written.value {
            Value::String { text, .. } => {
                let done = properties::done(text);
                if done.is_none() {
                    self.unfit(
                        format!("`{text}` is nothing that somebody can do"),
                        "write controls and methods, such as `[mfa, compliant_device]` or `[fido2]`",
                        written.span,
                    );
                }
                Some(Control::BuiltIn(done?.to_owned()))
            }
            Value::Reference(reference) if reference.target() == Some(Target::Strength) => {
                Some(Control::Strength(reference.clone()))
            }
            Value::Reference(reference) if reference.target() == Some(Target::Terms) => {
                Some(Control::Terms(reference.clone()))
            }
            _ => {
                self.unfit(
                    "`satisfied` holds something that nobody can do",
                    "write controls and methods, such as `[mfa, compliant_device]` or `[fido2]`",
                    written.span,
                );
                None
            }
        }
    }

    fn expected(&mut self, block: &CheckedBlock) -> Expected {
        let body = &block.body;
        let mut session = Object::new(Kind::Policy);
        for inner in body.blocks.iter().filter(|inner| inner.name == "session") {
            for (name, written) in &inner.body.attributes {
                let rows = properties::by_dsl(Kind::Policy, &format!("session.{name}"));
                let wires: Vec<&str> = rows.iter().map(|row| row.wire).collect();
                self.set(&mut session, name, &wires, written);
            }
        }
        let grant = body.get("grant").and_then(|written| {
            if written.as_text() == Some("none") {
                return Some(ExpectedGrant::Nothing);
            }
            let mut policy = Object::new(Kind::Policy);
            self.set(&mut policy, "grant", &["grantControls"], written);
            match policy.get("grantControls") {
                Some(Bound::Grant(grant)) => Some(ExpectedGrant::Controls(grant.clone())),
                _ => None,
            }
        });
        let by = body.get("by").map(elements).unwrap_or_default().into_iter();
        Expected {
            decision: body.text("decision"),
            access: body.text("access").map(|word| word == "granted"),
            grant,
            session,
            by: by
                .filter_map(|each| match &each.value {
                    Value::Block(address) => Some((**address).clone()),
                    _ => None,
                })
                .collect(),
        }
    }
}

/// The elements of a list, lists inside it laid open; a single value is a list of one.
pub(super) fn elements(value: &Evaluated) -> Vec<&Evaluated> {
    match &value.value {
        Value::List(items) => items.iter().flat_map(elements).collect(),
        Value::Call(call) if matches!(call.name.as_str(), "all_of" | "any_of") => {
            call.positional.iter().flat_map(elements).collect()
        }
        _ => vec![value],
    }
}

/// Whether one sign-in can't have all of it. Somebody may be in several groups, and a request may name several apps.
fn is_several(wire: &str, bound: &Bound) -> bool {
    let single = [
        "conditions.users.includeUsers",
        "conditions.clientApplications.includeServicePrincipals",
        "conditions.clientApplications.includeAgentIdServicePrincipals",
        "conditions.applications.includeUserActions",
        "conditions.applications.includeAuthenticationContextClassReferences",
    ];
    match bound {
        Bound::Symbols(symbols) => symbols.len() > 1,
        Bound::Texts(texts) => texts.len() > 1,
        Bound::References(references) => single.contains(&wire) && references.len() > 1,
        Bound::Guests(guests) => guests.kinds.len() > 1,
        _ => false,
    }
}
