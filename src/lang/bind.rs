//! Blocks into objects: the property table says where each attribute belongs and of what shape it is.

mod acceptance;
mod configurations;
mod error;
mod expectation;
mod lifecycle;
mod rollout;
mod value;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::error::{Code, Diagnostic, Diagnostics, origin, span_of};
use super::functions::to_json;
use super::project::{Instance, Project};
use super::value::{Evaluated, Value};
use crate::model::configuration::{Configuration, Lifecycle, Resource};
use crate::model::few::Few;
use crate::model::gap::Acceptance;
use crate::model::properties::{self, Property, steps};
use crate::model::value::{SignInFrequency, Value as Bound};
use crate::model::{Kind, Object, rules, wire};
use crate::syntax::{Attribute, Block, Body, Expression, ExpressionKind, Ident, ItemKind, Span};

use error::BindError;

pub(super) use acceptance::acceptance;
pub(super) use expectation::expectation;
pub(super) use rollout::rollout;

/// Evaluates an expression in the scope of the block that is bound.
type Evaluate<'a> = &'a mut dyn FnMut(&Expression) -> Evaluated;

/// The whole configuration of a project. What is wrong joins what loading it found; a configuration
/// of a project with errors is for showing and checking, never for planning.
pub fn configuration(project: &Project) -> (Configuration, Diagnostics) {
    let mut diagnostics = project.diagnostics().clone();
    let mut resources = Vec::with_capacity(project.instances().len());
    let torn = Torn::of(&diagnostics);
    let mut used = BTreeSet::new();
    for instance in project.instances() {
        if let Some(resource) = resource(project, instance, &torn, &mut used, &mut diagnostics) {
            resources.push((resource.address.clone(), resource));
        }
    }
    let configuration = Configuration {
        resources: resources.into_iter().collect(),
        emergency_access: project.emergency_access.clone(),
        settings: project.settings.clone(),
        tenants: project.tenants.clone(),
        imports: project.imports.clone(),
        moves: project.moves.clone(),
        removals: project.removals.clone(),
        outputs: project.outputs.clone(),
        expectations: project.expectations.clone(),
        accepted: project.accepted.clone(),
        rollouts: project
            .rollouts
            .iter()
            .map(|rollout| (rollout.address.clone(), rollout.clone()))
            .collect(),
        deferred: project.deferred.clone(),
    };
    rollout::check(&configuration, &mut used, &mut diagnostics);
    if !diagnostics.has_errors() {
        unused(project, &used, &mut diagnostics);
    }
    diagnostics.sort();
    (configuration, diagnostics)
}

/// The places of text that could not be read.
struct Torn(BTreeSet<Span>);

impl Torn {
    fn of(diagnostics: &Diagnostics) -> Self {
        let syntax = diagnostics
            .iter()
            .filter(|diagnostic| matches!(diagnostic.code, Code::Syntax(_)));
        Self(syntax.map(Diagnostic::span).collect())
    }

    /// Whether one of them starts in a block.
    fn touches(&self, block: Span) -> bool {
        let start = Span {
            end: block.start,
            ..block
        };
        let found = self.0.range(start..).next();
        found.is_some_and(|found| found.file == block.file && found.start <= block.end)
    }
}

/// Binds a resource block: `policy`, `location`, `strength`, `context`, or a managed `group`.
///
/// Everything wrong with it is reported, and what is left is returned so that later checks can go on.
/// Nothing comes of a block whose kind can't be told.
fn resource(
    project: &Project,
    instance: &Instance,
    torn: &Torn,
    used: &mut BTreeSet<usize>,
    diagnostics: &mut Diagnostics,
) -> Option<Resource> {
    let block = &instance.block;
    let mut errors = Vec::new();
    let mut met = Diagnostics::new();
    let kind = kind_of(block, &mut errors);
    let bound = kind.map(|kind| {
        let mut evaluate = |expression: &Expression| project.evaluate(expression, &instance.scope, &mut met);
        let mut binder = Binder {
            evaluate: &mut evaluate,
            errors: &mut errors,
            secondary: None,
            head: block.header,
            resource: Resource {
                address: instance.address.clone(),
                object: Object::new(kind),
                origin: origin(block.header),
                origins: Few::new(),
                reference_origins: Vec::new(),
                depends_on: Vec::new(),
                lifecycle: Lifecycle::default(),
                includes_emergency_access: None,
            },
        };
        binder.body(kind.block(), "", &block.body);
        binder.finish();
        binder.resource
    });
    let bound = bound.map(|bound| Resource {
        depends_on: project.depends_on(instance, &mut met),
        ..bound
    });
    let is_torn = torn.touches(block.span);
    if let Some(resource) = &bound
        && errors.is_empty()
        && !met.has_errors()
        && !is_torn
    {
        check_rules(resource, &project.accepted, used, diagnostics);
    }
    diagnostics.extend(met);
    for error in errors {
        // What could not be read is not missing.
        if !(is_torn && matches!(error, BindError::Missing { .. })) {
            diagnostics.push(error.into());
        }
    }
    bound
}

fn is_context_id(id: &str) -> bool {
    let number = id.strip_prefix('c').and_then(|digits| digits.parse::<u8>().ok());
    number.is_some_and(|number| (1..=99).contains(&number) && id == format!("c{number}"))
}

/// Reports what is accepted and nowhere found, of the lints that one policy shows.
fn unused(project: &Project, used: &BTreeSet<usize>, diagnostics: &mut Diagnostics) {
    for (place, accepted) in project.accepted.iter().enumerate() {
        let is_ours = rules::LINTS.contains(&accepted.code.as_str())
            || crate::model::rollout::LINTS.contains(&accepted.code.as_str());
        if is_ours && !used.contains(&place) {
            diagnostics.warning(
                Code::UnusedAcceptance,
                span_of(accepted.origin),
                format!("nothing is found that `{}` could accept", accepted.code),
                "take the block away",
            );
        }
    }
}

/// What the service refuses of the object, and what it stores although it means little and nobody said that it is
/// meant so; the places of those who did are `used`.
fn check_rules(
    resource: &Resource,
    accepted: &[Acceptance],
    used: &mut BTreeSet<usize>,
    diagnostics: &mut Diagnostics,
) {
    for violation in rules::check(&resource.object) {
        let by = accepted
            .iter()
            .position(|accepted| accepted.covers(violation.code, Some(&resource.address)));
        if let Some(by) = by.filter(|_| violation.severity == rules::Severity::Lint) {
            used.insert(by);
            continue;
        }
        let place = |path: &&'static str| resource.origins.get(*path).copied().map(span_of);
        let mut places = violation.paths.iter().filter_map(place);
        let first = places.next().unwrap_or_else(|| span_of(resource.origin));
        let code = Code::Rule(violation.code.strip_prefix("rules::").unwrap_or(violation.code));
        let diagnostic = match violation.severity {
            rules::Severity::Refused => Diagnostic::error(code, first, violation.message, violation.help),
            rules::Severity::Lint => Diagnostic::warning(code, first, violation.message, violation.help),
        };
        diagnostics.push(places.fold(diagnostic, |diagnostic, other| diagnostic.also(other, "and this")));
    }
}

/// The kind of object that a block writes; a location says by its attributes which kind it is.
fn kind_of(block: &Block, errors: &mut Vec<BindError>) -> Option<Kind> {
    let has = |name: &str| attributes(&block.body).any(|attribute| attribute.name.text == name);
    match block.kind.text.as_str() {
        "policy" => Some(Kind::Policy),
        "strength" => Some(Kind::Strength),
        "context" => Some(Kind::Context),
        "group" => Some(Kind::Group),
        "location" => match (has("ip_ranges"), has("countries")) {
            (true, false) => Some(Kind::IpLocation),
            (false, true) => Some(Kind::CountryLocation),
            (true, true) => {
                let name = |name: &str| {
                    attributes(&block.body)
                        .find(|attribute| attribute.name.text == name)
                        .map_or(block.header, |attribute| attribute.name.span)
                };
                let (ranges, countries) = (name("ip_ranges"), name("countries"));
                errors.push(BindError::Both {
                    problem: "a location holds either `ip_ranges` or `countries`".into(),
                    help: "write two locations, and name both in the policy".into(),
                    first: ranges.min(countries),
                    at: ranges.max(countries),
                });
                None
            }
            (false, false) => {
                errors.push(BindError::Missing {
                    name: "ip_ranges".into(),
                    example: "ip_ranges = [\"203.0.113.0/24\"]` or `countries = [\"DK\"]".into(),
                    at: block.header,
                });
                None
            }
        },
        _ => None,
    }
}

fn attributes(body: &Body) -> impl Iterator<Item = &Attribute> {
    body.items.iter().filter_map(|item| match &item.kind {
        ItemKind::Attribute(attribute) => Some(attribute),
        ItemKind::Block(_) => None,
    })
}

struct Binder<'a> {
    evaluate: Evaluate<'a>,
    errors: &'a mut Vec<BindError>,
    resource: Resource,
    secondary: Option<(bool, Span)>,
    head: Span,
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

impl Binder<'_> {
    fn kind(&self) -> Kind {
        self.resource.object.kind
    }

    fn body(&mut self, noun: &str, path: &str, body: &Body) {
        let mut seen: BTreeMap<&str, Span> = BTreeMap::new();
        for item in &body.items {
            let name = match &item.kind {
                ItemKind::Attribute(attribute) => &attribute.name,
                ItemKind::Block(block) => &block.kind,
            };
            let repeatable = path == "configurations";
            if let Some(first) = seen.insert(&name.text, name.span)
                && !repeatable
            {
                self.errors.push(BindError::Repeated {
                    name: name.text.clone(),
                    first,
                    at: name.span,
                });
                continue;
            }
            match &item.kind {
                ItemKind::Attribute(attribute) => self.attribute(noun, path, attribute),
                ItemKind::Block(block) => self.block(noun, path, block),
            }
        }
    }

    fn attribute(&mut self, noun: &str, path: &str, attribute: &Attribute) {
        let name = attribute.name.text.as_str();
        let dsl = joined(path, name);
        let rows = properties::by_dsl(self.kind(), &dsl);
        if !rows.is_empty() {
            let value = (self.evaluate)(&attribute.value);
            if value.is_faulty() {
                // It is written, so it is not missing as well.
                for row in rows {
                    if self.resource.origins.get(row.wire).is_none() {
                        self.resource.origins.insert(row.wire, origin(attribute.span));
                    }
                }
            }
            self.property(&dsl, rows, &attribute.name, &value);
            return;
        }
        match (path, name) {
            // Dealt with when the project was expanded.
            ("", "for_each" | "depends_on") => {}
            ("", "managed") if self.kind() == Kind::Group => {}
            ("", "raw") => self.raw(attribute),
            ("", "emergency_access") if self.kind() == Kind::Policy => self.emergency_access(attribute),
            // `apps = all` is `apps { include = all }`.
            _ if steps(self.kind(), &dsl).has_attribute("include")
                && !matches!(attribute.value.kind, ExpressionKind::Object(_)) =>
            {
                let dsl = joined(&dsl, "include");
                let rows = properties::by_dsl(self.kind(), &dsl);
                let value = (self.evaluate)(&attribute.value);
                self.property(&dsl, rows, &attribute.name, &value);
            }
            _ if steps(self.kind(), path).has_block(name) => self.errors.push(BindError::Unfit {
                problem: format!("`{name}` is a block, not an attribute"),
                help: format!("write `{name} {{ … }}` without the `=`"),
                at: attribute.name.span,
            }),
            _ => self.unknown_attribute(noun, path, &attribute.name),
        }
    }

    fn unknown_attribute(&mut self, noun: &str, path: &str, name: &Ident) {
        let other = match self.kind() {
            Kind::IpLocation => Some((Kind::CountryLocation, "ranges", "countries")),
            Kind::CountryLocation => Some((Kind::IpLocation, "countries", "ranges")),
            _ => None,
        };
        if let Some((other, of, instead)) = other
            && path.is_empty()
            && !properties::by_dsl(other, &name.text).is_empty()
        {
            self.errors.push(BindError::Unfit {
                problem: format!("a location of {of} has no `{}`", name.text),
                help: format!("remove it: only a location of {instead} has that"),
                at: name.span,
            });
            return;
        }
        let steps = steps(self.kind(), path);
        let names = steps.attributes().into_iter().chain(steps.blocks());
        let mut choices: Vec<String> = names.map(str::to_owned).collect();
        if path.is_empty() {
            choices.extend(["for_each", "depends_on", "lifecycle", "raw"].map(str::to_owned));
        }
        self.errors.push(BindError::UnknownAttribute {
            block: noun.into(),
            name: name.text.clone(),
            choices,
            at: name.span,
        });
    }

    fn property(&mut self, dsl: &str, rows: &[&'static Property], name: &Ident, value: &Evaluated) {
        if dsl == "session.sign_in_frequency_for" {
            self.frequency_for(value);
            return;
        }
        if self.kind() == Kind::Context && dsl == "id" && value.as_text().is_some_and(|id| !is_context_id(id))
        {
            self.errors.push(BindError::Unfit {
                problem: format!(
                    "`{}` is not the id of an authentication context",
                    value.as_text().unwrap_or_default()
                ),
                help: "choose one of `c1` to `c99`".into(),
                at: value.span,
            });
            return;
        }
        let outcome = value::bind(dsl, rows, value);
        self.errors.extend(outcome.errors);
        self.resource.reference_origins.extend(
            outcome
                .references
                .into_iter()
                .map(|(reference, span)| (reference, origin(span))),
        );
        for (row, bound) in outcome.values {
            if self.resource.object.get(row.wire).is_some() {
                self.errors.push(BindError::Unfit {
                    problem: format!("`{dsl}` sets what was set before"),
                    help: "Graph keeps one filter, either for what is in or for what is out: keep one".into(),
                    at: name.span,
                });
                continue;
            }
            self.resource.origins.insert(row.wire, origin(value.span));
            if !row.is_default(&bound) {
                self.resource.object.set(row.wire, Some(bound));
            }
        }
    }

    fn frequency_for(&mut self, value: &Evaluated) {
        match value.as_text() {
            Some("secondary") => self.secondary = Some((true, value.span)),
            Some("primary_and_secondary") => self.secondary = Some((false, value.span)),
            _ if value.is_faulty() || matches!(value.value, Value::Null) => {}
            _ => self.errors.push(BindError::UnknownSymbol {
                word: value.value.to_string(),
                noun: "what a sign-in frequency is for".into(),
                choices: vec!["secondary".into(), "primary_and_secondary".into()],
                at: value.span,
            }),
        }
    }

    fn block(&mut self, noun: &str, path: &str, block: &Block) {
        let name = block.kind.text.as_str();
        let steps = steps(self.kind(), path);
        let is_block = steps.has_block(name);
        let is_known = is_block || name == "lifecycle";
        if let Some(label) = block.labels.first()
            && is_known
        {
            self.errors.push(BindError::Unfit {
                problem: format!("`{name}` takes no label here"),
                help: format!("write `{name} {{ … }}`"),
                at: label.span,
            });
        }
        match (path, name) {
            ("", "lifecycle") => self.lifecycle(&block.body),
            ("", "configurations") if self.kind() == Kind::Strength => self.configurations(block),
            _ if is_block => {
                self.body(&format!("{noun}.{name}"), &joined(path, name), &block.body);
            }
            _ if steps.has_attribute(name) => self.errors.push(BindError::Unfit {
                problem: format!("`{name}` is an attribute, not a block"),
                help: format!("write `{name} = …`"),
                at: block.kind.span,
            }),
            _ => self.errors.push(BindError::UnknownBlock {
                block: noun.into(),
                name: name.into(),
                choices: steps.blocks().into_iter().map(str::to_owned).collect(),
                at: block.kind.span,
            }),
        }
    }

    fn emergency_access(&mut self, attribute: &Attribute) {
        let value = (self.evaluate)(&attribute.value);
        match &value.value {
            Value::Call(call) if call.name == "include" => {
                self.resource.includes_emergency_access = call.positional.first().and_then(Evaluated::as_text).map(str::to_owned);
            }
            Value::Null | Value::Faulty => {}
            _ => self.errors.push(BindError::WrongKind {
                name: "emergency_access".into(),
                wanted: "`include(\"why\")`".into(),
                found: value.value.kind().into(),
                help: "write `emergency_access = include(\"why this policy must catch the emergency accounts\")`, or leave it out"
                    .into(),
                at: value.span,
            }),
        }
    }

    /// `raw` is for what the table does not know; what it knows is written by its own name.
    fn raw(&mut self, attribute: &Attribute) {
        let value = (self.evaluate)(&attribute.value);
        if value.is_faulty() {
            return;
        }
        let Ok(json @ Json::Object(_)) = to_json(&value.value) else {
            self.errors.push(BindError::WrongKind {
                name: "raw".into(),
                wanted: "an object in the shape of Graph's JSON".into(),
                found: value::described(value::not_json(&value)),
                help: "write `raw = { conditions = { newThing = \"…\" } }`, with ids in quotes".into(),
                at: value::not_json(&value).span,
            });
            return;
        };
        for property in self.kind().properties() {
            if wire::at(&json, property.wire).is_some() {
                let help = match property.dsl.first() {
                    Some(dsl) => format!("write `{dsl}` instead"),
                    None => "leave it out".into(),
                };
                let problem = if property.dsl.is_empty() {
                    format!("`raw` sets `{}`, which only the service sets", property.wire)
                } else {
                    format!("`raw` sets `{}`, which has a name of its own", property.wire)
                };
                self.errors.push(BindError::Unfit {
                    problem,
                    help,
                    at: value::at(&value, property.wire),
                });
            }
        }
        self.resource.origins.insert("raw", origin(value.span));
        self.resource.object.raw = Some(json);
    }

    fn finish(&mut self) {
        self.apply_frequency_for();
        self.resource.object.shrink_to_fit();
        self.resource.origins.shrink_to_fit();
        self.resource.reference_origins.shrink_to_fit();
        for property in self
            .kind()
            .properties()
            .iter()
            .filter(|property| property.required)
        {
            let Some(dsl) = property.dsl.first() else { continue };
            if self.resource.origins.get(property.wire).is_some() || self.is_reported(dsl) {
                continue;
            }
            self.errors.push(BindError::Missing {
                name: (*dsl).into(),
                example: example(property),
                at: self.head,
            });
        }
    }

    /// Whether a fault in the attribute is known already, so that it is not called missing as well.
    fn is_reported(&self, dsl: &str) -> bool {
        self.errors.iter().any(|error| match error {
            BindError::WrongKind { name, .. } => name == dsl,
            BindError::UnknownSymbol { .. } | BindError::Unfit { .. } => true,
            _ => false,
        })
    }

    fn apply_frequency_for(&mut self) {
        const WIRE: &str = "sessionControls.signInFrequency";
        let Some((secondary_only, at)) = self.secondary else {
            return;
        };
        match self.resource.object.get(WIRE) {
            Some(Bound::SignInFrequency(frequency)) => {
                let changed = SignInFrequency {
                    secondary_only,
                    ..frequency.clone()
                };
                self.resource
                    .object
                    .set(WIRE, Some(Bound::SignInFrequency(changed)));
            }
            _ => self.errors.push(BindError::Missing {
                name: "sign_in_frequency".into(),
                example: "sign_in_frequency = 4h".into(),
                at,
            }),
        }
    }
}

fn example(property: &Property) -> String {
    let dsl = property.dsl.first().copied().unwrap_or_default();
    match dsl {
        "state" => "state = report_only".into(),
        "combinations" => "combinations = [fido2]".into(),
        "ip_ranges" => "ip_ranges = [\"203.0.113.0/24\"]".into(),
        "countries" => "countries = [\"DK\"]".into(),
        "id" => "id = \"c1\"".into(),
        _ => format!("{dsl} = \"…\""),
    }
}
