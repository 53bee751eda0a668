//! Values of the language into values of properties, each by the shape that its row gives.

mod audience;
mod condition;

use indexmap::IndexSet;

use super::error::BindError;
use crate::lang::nearest::either;
use crate::lang::value::{Constructed, DurationUnit, Evaluated, Value};
use crate::model::catalogue::{countries, strengths};
use crate::model::cidr::{IpRange, IpRangeWarning};
use crate::model::properties::{self, Property, Shape, Symbols, TextKind};
use crate::model::reference::{Reference, Target};
use crate::model::set::Set;
use crate::model::value::{Control, Grant, Interval, Operator, SignInFrequency, Value as Bound};
use crate::syntax::Span;

/// What one attribute came to: the rows it sets, and where each reference in it was written.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// Values by wire path.
    pub(super) values: Vec<(&'static Property, Bound)>,
    /// References with their place.
    pub(super) references: Vec<(Reference, Span)>,
    /// What did not fit.
    pub(super) errors: Vec<BindError>,
}

/// Binds the value of one attribute to the rows that it may set.
///
/// Nothing and no error comes of `null` (as if it were not written) and of values whose fault is
/// reported already.
pub(super) fn bind(dsl: &str, rows: &[&'static Property], value: &Evaluated) -> Outcome {
    let mut outcome = Outcome::default();
    if matches!(value.value, Value::Null) || value.is_faulty() {
        return outcome;
    }
    match rows {
        [row] if !is_audience(row.shape) => {
            let mut binder = Binder {
                dsl,
                outcome: &mut outcome,
            };
            let bound = binder.scalar(row, value);
            if let Some(bound) = bound {
                outcome.values.push((row, bound));
            }
        }
        _ => audience::audience(dsl, rows, value, &mut outcome),
    }
    outcome
}

fn is_audience(shape: Shape) -> bool {
    matches!(shape, Shape::References(_) | Shape::Guests | Shape::Filter)
}

/// The elements of a list, lists inside it laid open; a single value is a list of one.
fn elements(value: &Evaluated) -> Vec<&Evaluated> {
    match &value.value {
        Value::List(items) => items.iter().flat_map(elements).collect(),
        _ => vec![value],
    }
}

struct Binder<'a> {
    dsl: &'a str,
    outcome: &'a mut Outcome,
}

impl Binder<'_> {
    fn wrong(&mut self, wanted: &str, help: impl Into<String>, value: &Evaluated) {
        self.outcome.errors.push(BindError::WrongKind {
            name: self.dsl.into(),
            wanted: wanted.into(),
            found: described(value),
            help: help.into(),
            at: value.span,
        });
    }

    fn unfit(&mut self, problem: impl Into<String>, help: impl Into<String>, at: Span) {
        self.outcome.errors.push(BindError::Unfit {
            problem: problem.into(),
            help: help.into(),
            at,
        });
    }

    /// Something that the service may know better than this version of capol.
    fn doubtful(&mut self, problem: impl Into<String>, help: impl Into<String>, at: Span) {
        self.outcome.errors.push(BindError::Doubtful {
            problem: problem.into(),
            help: help.into(),
            at,
        });
    }

    fn scalar(&mut self, row: &Property, value: &Evaluated) -> Option<Bound> {
        match row.shape {
            Shape::Text { max } => self.text(max, value).map(Bound::Text),
            Shape::Boolean => self
                .boolean(value)
                .and_then(|set| set.then_some(Bound::Boolean(true))),
            Shape::Toggle => self
                .switch(value)
                .and_then(|on| on.then_some(Bound::Boolean(true))),
            Shape::Flag(_) => self
                .switch(value)
                .and_then(|on| (!on).then_some(Bound::Boolean(true))),
            Shape::Symbol(symbols) | Shape::Mode { symbols, .. } => {
                self.symbol(symbols, value).map(Bound::Symbol)
            }
            Shape::SymbolSet(_) | Shape::Texts(_) | Shape::Combinations
                if (row.required || row.default.is_some()) && elements(value).is_empty() =>
            {
                let help = match row.default {
                    Some(default) => format!("leave it out for `{default}`, or write what is meant"),
                    None => "write at least one".into(),
                };
                self.unfit(format!("`{}` is empty", self.dsl), help, value.span);
                None
            }
            Shape::SymbolSet(symbols) | Shape::Flags(symbols) => {
                let set: Set<String> = elements(value)
                    .into_iter()
                    .filter_map(|each| self.symbol(symbols, each))
                    .collect();
                (!set.is_empty()).then_some(Bound::Symbols(set))
            }
            Shape::TextMode { .. } => self.text(usize::MAX, value).map(Bound::Text),
            Shape::Texts(kind) => {
                let set: Set<String> = elements(value)
                    .into_iter()
                    .filter_map(|each| self.one_text(kind, each))
                    .collect();
                (!set.is_empty()).then_some(Bound::Texts(set))
            }
            Shape::Grant => self.grant(value).map(Bound::Grant),
            Shape::SignInFrequency => self.frequency(value),
            Shape::Combinations => {
                let set: Set<String> = elements(value)
                    .into_iter()
                    .filter_map(|each| self.combination(each))
                    .collect();
                (!set.is_empty()).then_some(Bound::Symbols(set))
            }
            Shape::References(_) | Shape::Guests | Shape::Filter | Shape::CombinationConfigurations => None,
        }
    }

    fn text(&mut self, max: usize, value: &Evaluated) -> Option<String> {
        match &value.value {
            Value::String { text, symbol: false } => {
                let length = text.chars().count();
                if text.is_empty() {
                    self.unfit(
                        format!("`{}` is empty", self.dsl),
                        "write a text, or leave the attribute out",
                        value.span,
                    );
                    None
                } else if length > max {
                    let problem = format!(
                        "`{}` has {length} characters, and the service takes at most {max}",
                        self.dsl
                    );
                    self.unfit(problem, "shorten it", value.span);
                    None
                } else {
                    Some(text.clone())
                }
            }
            Value::String { text, .. } => {
                self.wrong(
                    "a text in quotes",
                    format!("write `{text:?}`, or a variable as `var.{text}`"),
                    value,
                );
                None
            }
            _ => {
                self.wrong(
                    "a text in quotes",
                    format!("write `{} = \"…\"`", leaf(self.dsl)),
                    value,
                );
                None
            }
        }
    }

    fn boolean(&mut self, value: &Evaluated) -> Option<bool> {
        if let Value::Bool(set) = value.value {
            return Some(set);
        }
        self.wrong(
            "`true` or `false`",
            format!("write `{} = true`", leaf(self.dsl)),
            value,
        );
        None
    }

    fn switch(&mut self, value: &Evaluated) -> Option<bool> {
        match &value.value {
            Value::Bool(on) => Some(*on),
            Value::String { text, .. } if text == "on" => Some(true),
            Value::String { text, .. } if text == "off" => Some(false),
            _ => {
                self.wrong("`on` or `off`", format!("write `{} = on`", leaf(self.dsl)), value);
                None
            }
        }
    }

    fn symbol(&mut self, symbols: &Symbols, value: &Evaluated) -> Option<String> {
        // What Microsoft ships tomorrow, in the service's own spelling.
        if let Value::Call(call) = &value.value
            && call.name == "raw"
        {
            return self.argument(call, value)?.as_text().map(str::to_owned);
        }
        let Some(word) = value.as_text() else {
            let help = format!("write {}", either(symbols.words(), 12));
            self.wrong(symbols.noun, help, value);
            return None;
        };
        if let Some(row) = symbols.by_word(word) {
            return Some(row.wire.to_owned());
        }
        self.outcome.errors.push(BindError::UnknownSymbol {
            word: word.into(),
            noun: symbols.noun.into(),
            choices: preferred(symbols, word),
            at: value.span,
        });
        None
    }

    fn one_text(&mut self, kind: TextKind, value: &Evaluated) -> Option<String> {
        let Some(text) = value.as_text() else {
            let wanted = match kind {
                TextKind::Countries => "country codes such as `\"DK\"`",
                TextKind::IpRanges => "ranges such as `\"203.0.113.0/24\"`",
                TextKind::Plain => "texts in quotes",
            };
            self.wrong(wanted, format!("write `{} = [\"…\"]`", leaf(self.dsl)), value);
            return None;
        };
        match kind {
            TextKind::Plain => Some(text.to_owned()),
            TextKind::IpRanges => match IpRange::parse(text) {
                Ok(range) => {
                    for warning in range.warnings() {
                        if matches!(warning, IpRangeWarning::HostBits { .. }) {
                            self.doubtful(warning.to_string(), advice(&warning), value.span);
                        }
                    }
                    Some(range.as_str().to_owned())
                }
                Err(error) => {
                    self.unfit(error.to_string(), advice(&error), value.span);
                    None
                }
            },
            TextKind::Countries => {
                if let Some(country) = countries::by_code(text) {
                    return Some(country.code.to_owned());
                }
                let help = match countries::nearest(text).or_else(|| countries::by_name(text)) {
                    Some(near) => format!("write `{:?}` for {}", near.code, near.name),
                    None => "write an ISO 3166-1 alpha-2 code such as `\"DK\"`".into(),
                };
                self.unfit(format!("`{text}` is not a country code"), help, value.span);
                None
            }
        }
    }

    fn grant(&mut self, value: &Evaluated) -> Option<Grant> {
        let (operator, controls) = match &value.value {
            Value::Call(call) if call.name == "any_of" => {
                (Operator::Any, call.positional.iter().flat_map(elements).collect())
            }
            Value::Call(call) if call.name == "all_of" => {
                (Operator::All, call.positional.iter().flat_map(elements).collect())
            }
            Value::List(_) => {
                self.wrong(
                    "one control, `any_of(…)` or `all_of(…)`",
                    "write `any_of(…)` or `all_of(…)` around the controls",
                    value,
                );
                return None;
            }
            _ => (Operator::Any, vec![value]),
        };
        let mut found = IndexSet::new();
        for each in controls {
            if let Some(control) = self.control(each)
                && !found.insert(control)
            {
                self.unfit(
                    format!("{} is asked for twice", described(each)),
                    "keep one of them",
                    each.span,
                );
            }
        }
        (!found.is_empty()).then_some(Grant {
            operator,
            controls: found.into(),
        })
    }

    fn control(&mut self, value: &Evaluated) -> Option<Control> {
        const HELP: &str = "write a control such as `mfa`, `block` or `compliant_device`, `strength.…`, `terms.…` or `custom(\"…\")`";
        match &value.value {
            Value::String { .. } => self
                .symbol(properties::grant_controls(), value)
                .map(Control::BuiltIn),
            Value::Call(call) if call.name == "raw" => self
                .symbol(properties::grant_controls(), value)
                .map(Control::BuiltIn),
            Value::Reference(reference) => {
                self.outcome.references.push((reference.clone(), value.span));
                match reference.target() {
                    Some(Target::Strength) => Some(Control::Strength(reference.clone())),
                    Some(Target::Terms) => Some(Control::Terms(reference.clone())),
                    _ => {
                        self.wrong("a grant control", HELP, value);
                        None
                    }
                }
            }
            Value::Call(call) if call.name == "custom" => self
                .argument(call, value)
                .and_then(|text| text.as_text())
                .map(|text| Control::Custom(text.into())),
            Value::Call(call) if matches!(call.name.as_str(), "any_of" | "all_of") => {
                self.unfit(
                    "a grant can't nest one combination in another",
                    "Graph has one operator a policy: write a second policy for the inner combination",
                    value.span,
                );
                None
            }
            _ => {
                self.wrong("a grant control", HELP, value);
                None
            }
        }
    }

    fn argument<'v>(&mut self, call: &'v Constructed, value: &Evaluated) -> Option<&'v Evaluated> {
        let first = call.positional.first();
        if let Some(empty) = first.filter(|first| first.as_text() == Some("")) {
            self.unfit(
                format!("`{}` is given an empty text", call.name),
                format!("write `{}(\"…\")`", call.name),
                empty.span,
            );
            return None;
        }
        if first.is_none_or(|first| first.as_text().is_none_or(str::is_empty)) {
            self.wrong("a text in quotes", format!("write `{}(\"…\")`", call.name), value);
            return None;
        }
        first
    }

    fn frequency(&mut self, value: &Evaluated) -> Option<Bound> {
        let interval = match &value.value {
            Value::String { text, .. } if text == "every_time" => Interval::EveryTime,
            Value::Duration(duration) if duration.amount > 0 => match duration.unit {
                DurationUnit::Hours => Interval::Hours(duration.amount),
                DurationUnit::Days => Interval::Days(duration.amount),
                DurationUnit::Weeks => Interval::Days(duration.amount.saturating_mul(7)),
                DurationUnit::Seconds | DurationUnit::Minutes => {
                    self.unfit(
                        format!("`{duration}` is finer than the service counts"),
                        "write hours or days, such as `4h` or `14d`, or `every_time`",
                        value.span,
                    );
                    return None;
                }
            },
            Value::Duration(duration) => {
                self.unfit(
                    format!("`{duration}` is no time"),
                    "write hours or days, such as `4h` or `14d`, or `every_time`",
                    value.span,
                );
                return None;
            }
            _ => {
                self.wrong(
                    "a duration or `every_time`",
                    "write `4h`, `14d` or `every_time`",
                    value,
                );
                return None;
            }
        };
        Some(Bound::SignInFrequency(SignInFrequency {
            interval,
            secondary_only: false,
        }))
    }

    fn combination(&mut self, value: &Evaluated) -> Option<String> {
        let methods: Vec<&Evaluated> = match &value.value {
            Value::Call(call) if call.name == "all_of" => call.positional.iter().flat_map(elements).collect(),
            _ => vec![value],
        };
        let wires: Vec<String> = methods
            .into_iter()
            .map(|each| self.symbol(properties::authentication_methods(), each))
            .collect::<Option<_>>()?;
        let same = |known: &&&str| {
            let parts: Vec<&str> = known.split(',').collect();
            parts.len() == wires.len() && wires.iter().all(|wire| parts.contains(&wire.as_str()))
        };
        if let Some(known) = strengths::combinations().iter().find(same) {
            return Some((*known).to_owned());
        }
        self.unfit(
            format!("`{}` is not a combination that the service knows", value.value),
            "write a method that is strong enough alone, such as `fido2`, or two methods as `all_of(password, sms)`",
            value.span,
        );
        None
    }
}

/// The help of an error of another room.
fn advice(error: &dyn miette::Diagnostic) -> String {
    error.help().map(|help| help.to_string()).unwrap_or_default()
}

/// The set symbols as the service spells it that a `configurations` block applies to.
pub(super) fn combinations(dsl: &str, value: &Evaluated, errors: &mut Vec<BindError>) -> Set<String> {
    let mut outcome = Outcome::default();
    let mut binder = Binder {
        dsl,
        outcome: &mut outcome,
    };
    let set = elements(value)
        .into_iter()
        .filter_map(|each| binder.combination(each))
        .collect();
    errors.append(&mut outcome.errors);
    set
}

/// A list of plain texts.
pub(super) fn texts(dsl: &str, value: &Evaluated, errors: &mut Vec<BindError>) -> Set<String> {
    let mut outcome = Outcome::default();
    let mut binder = Binder {
        dsl,
        outcome: &mut outcome,
    };
    let set = elements(value)
        .into_iter()
        .filter_map(|each| binder.one_text(TextKind::Plain, each))
        .collect();
    errors.append(&mut outcome.errors);
    set
}

fn leaf(dsl: &str) -> &str {
    dsl.rsplit('.').next().unwrap_or(dsl)
}

pub(super) fn described(value: &Evaluated) -> String {
    match &value.value {
        Value::String { text, symbol: true } => format!("the word `{text}`"),
        Value::Reference(_) | Value::Block(_) | Value::Call(_) => format!("`{}`", value.value),
        other => other.kind().to_owned(),
    }
}

/// What in a value has no form in JSON: the innermost such part.
pub(super) fn not_json(value: &Evaluated) -> &Evaluated {
    let inner = value
        .value
        .children()
        .into_iter()
        .find(|child| crate::lang::functions::to_json(&child.value).is_err());
    inner.map_or(value, not_json)
}

/// Where in an object the value at a dotted path was written.
pub(super) fn at(value: &Evaluated, path: &str) -> Span {
    let mut here = value;
    for step in path.split('.') {
        match &here.value {
            Value::Object(entries) => match entries.get(step) {
                Some(inner) => here = inner,
                None => break,
            },
            _ => break,
        }
    }
    here.span
}

/// The words to suggest for a wrong one: the one whose wire spelling was used, before the rest.
fn preferred(symbols: &Symbols, word: &str) -> Vec<String> {
    match symbols.by_wire(word) {
        Some(row) => vec![row.word.to_owned()],
        None => symbols.words().map(str::to_owned).collect(),
    }
}
