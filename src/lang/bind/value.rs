//! Values of the language into values of properties, each by the shape that its row gives.

use indexmap::IndexSet;

use super::error::BindError;
use crate::lang::value::{Constructed, DurationUnit, Evaluated, Value};
use crate::model::catalogue::{countries, strengths};
use crate::model::cidr::IpRange;
use crate::model::filter_rule::{FilterRule, Scope};
use crate::model::properties::{self, Accepts, COMPLIANT_NETWORK, Property, Shape, Symbols, TextKind};
use crate::model::reference::{Reference, Target, is_guid};
use crate::model::value::{
    Control, ExternalTenants, Filter, FilterMode, Grant, Guests, Interval, Operator, SignInFrequency,
    Value as Bound,
};
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
        _ => audience(dsl, rows, value, &mut outcome),
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
            Shape::SymbolSet(symbols) | Shape::Flags(symbols) => {
                let set: IndexSet<String> = elements(value)
                    .into_iter()
                    .filter_map(|each| self.symbol(symbols, each))
                    .collect();
                (!set.is_empty()).then_some(Bound::Symbols(set))
            }
            Shape::TextMode { .. } => self.text(usize::MAX, value).map(Bound::Text),
            Shape::Texts(kind) => {
                let set: IndexSet<String> = elements(value)
                    .into_iter()
                    .filter_map(|each| self.one_text(kind, each))
                    .collect();
                (!set.is_empty()).then_some(Bound::Texts(set))
            }
            Shape::Grant => self.grant(value).map(Bound::Grant),
            Shape::SignInFrequency => self.frequency(value),
            Shape::Combinations => {
                let set: IndexSet<String> = elements(value)
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
            let choices: Vec<&str> = symbols.words().collect();
            let help = format!("write one of {}", crate::lang::nearest::listed(choices, 12));
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
                Ok(range) => Some(range.as_str().to_owned()),
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
            controls: found,
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
pub(super) fn combinations(dsl: &str, value: &Evaluated, errors: &mut Vec<BindError>) -> IndexSet<String> {
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
pub(super) fn texts(dsl: &str, value: &Evaluated, errors: &mut Vec<BindError>) -> IndexSet<String> {
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

fn described(value: &Evaluated) -> String {
    match &value.value {
        Value::String { text, symbol: true } => format!("the word `{text}`"),
        Value::Reference(_) | Value::Block(_) | Value::Call(_) => format!("`{}`", value.value),
        other => other.kind().to_owned(),
    }
}

/// The words to suggest for a wrong one: the one whose wire spelling was used, before the rest.
fn preferred(symbols: &Symbols, word: &str) -> Vec<String> {
    match symbols.by_wire(word) {
        Some(row) => vec![row.word.to_owned()],
        None => symbols.words().map(str::to_owned).collect(),
    }
}

/// A list that mixes kinds: each element says by its kind which row it belongs to.
fn audience(dsl: &str, rows: &[&'static Property], value: &Evaluated, outcome: &mut Outcome) {
    let mut sets: Vec<IndexSet<Reference>> = rows.iter().map(|_| IndexSet::new()).collect();
    for each in elements(value) {
        match &each.value {
            Value::Call(call) if matches!(call.name.as_str(), "guests" | "filter") => {
                let shape_fits = |row: &&&'static Property| match row.shape {
                    Shape::Guests => call.name == "guests",
                    Shape::Filter => call.name == "filter",
                    _ => false,
                };
                let Some(row) = rows.iter().find(shape_fits) else {
                    misplaced(dsl, rows, each, outcome);
                    continue;
                };
                let bound = if call.name == "guests" {
                    guests(dsl, call, each, outcome).map(Bound::Guests)
                } else {
                    filter(dsl, call, each, outcome).map(Bound::Filter)
                };
                let Some(bound) = bound else { continue };
                if outcome.values.iter().any(|(other, _)| other.wire == row.wire) {
                    outcome.errors.push(BindError::Unfit {
                        problem: format!("`{dsl}` holds `{}(…)` twice", call.name),
                        help: format!("Graph keeps one: write a single `{}(…)`", call.name),
                        at: each.span,
                    });
                } else {
                    outcome.values.push((row, bound));
                }
            }
            Value::Reference(reference) => match row_for(rows, reference) {
                Some((at, reference)) => {
                    outcome.references.push((reference.clone(), each.span));
                    if let Some(set) = sets.get_mut(at) {
                        set.insert(reference);
                    }
                }
                None => misplaced(dsl, rows, each, outcome),
            },
            Value::String { text, .. } => {
                if let Some((at, reference)) = word(dsl, rows, text, each, outcome)
                    && let Some(set) = sets.get_mut(at)
                {
                    outcome.references.push((reference.clone(), each.span));
                    set.insert(reference);
                }
            }
            _ => misplaced(dsl, rows, each, outcome),
        }
    }
    for (row, set) in rows.iter().zip(sets) {
        // A group without members is another thing than a group whose members are left alone.
        if !set.is_empty() || row.wire == crate::model::wire::members_path() {
            outcome.values.push((row, Bound::References(set)));
        }
    }
}

fn accepts(row: &Property) -> Option<Accepts> {
    match row.shape {
        Shape::References(accepts) => Some(accepts),
        _ => None,
    }
}

/// The row that takes the reference, and the reference as that row keeps it.
fn row_for(rows: &[&Property], reference: &Reference) -> Option<(usize, Reference)> {
    if let Reference::Keyword(wire) = reference {
        return rows
            .iter()
            .position(|row| accepts(row).is_some_and(|accepts| accepts.keywords.by_wire(wire).is_some()))
            .map(|at| (at, reference.clone()));
    }
    let target = reference.target()?;
    rows.iter()
        .enumerate()
        .find_map(|(at, row)| match accepts(row)?.target {
            wanted if wanted == target => Some((at, reference.clone())),
            // An agent identity is a service principal of its own kind, looked up as one.
            Target::AgentIdentity if target == Target::ServicePrincipal => Some((at, as_agent(reference))),
            _ => None,
        })
}

fn as_agent(reference: &Reference) -> Reference {
    match reference {
        Reference::Id { id, .. } => Reference::id(Target::AgentIdentity, id),
        Reference::Lookup(lookup) => Reference::lookup(Target::AgentIdentity, lookup.name.clone()),
        other => other.clone(),
    }
}

fn word(
    dsl: &str,
    rows: &[&'static Property],
    text: &str,
    value: &Evaluated,
    outcome: &mut Outcome,
) -> Option<(usize, Reference)> {
    for (at, row) in rows.iter().enumerate() {
        let Some(accepts) = accepts(row) else { continue };
        if let Some(symbol) = accepts.keywords.by_word(text) {
            let reference = match accepts.target {
                Target::Action => Reference::id(Target::Action, symbol.wire),
                _ => Reference::keyword(symbol.wire),
            };
            return Some((at, reference));
        }
        if accepts.target == Target::Location && text == "compliant_network" {
            return Some((at, Reference::lookup(Target::Location, COMPLIANT_NETWORK)));
        }
    }
    let kinds: Vec<(usize, Target)> = rows
        .iter()
        .enumerate()
        .filter_map(|(at, row)| accepts(row).map(|accepts| (at, accepts.target)))
        .collect();
    if is_guid(text) {
        if let [(at, target)] = kinds.as_slice() {
            return Some((*at, Reference::id(*target, text)));
        }
        let words: Vec<String> = kinds
            .iter()
            .map(|(_, target)| format!("{}({text:?})", target.word()))
            .collect();
        outcome.errors.push(BindError::Unfit {
            problem: format!(
                "`{dsl}` holds objects of several kinds, and a bare id does not say which this is"
            ),
            help: format!(
                "write {}",
                crate::lang::nearest::listed(words.iter().map(String::as_str), 4)
            ),
            at: value.span,
        });
        return None;
    }
    let mut choices: Vec<String> = Vec::new();
    for row in rows {
        if let Some(accepts) = accepts(row) {
            choices.extend(preferred(accepts.keywords, text));
        }
    }
    if matches!(value.value, Value::String { symbol: false, .. })
        && crate::lang::nearest::nearest(text, choices.iter().map(String::as_str)).is_none()
        && let Some((_, target)) = kinds.first()
    {
        outcome.errors.push(BindError::Unfit {
            problem: format!("`{dsl}` holds a text that does not say what it names"),
            help: format!("write `{}({text:?})`", target.word()),
            at: value.span,
        });
        return None;
    }
    choices.dedup();
    outcome.errors.push(BindError::UnknownSymbol {
        word: text.into(),
        noun: noun(rows),
        choices,
        at: value.span,
    });
    None
}

fn noun(rows: &[&Property]) -> String {
    let kinds: Vec<&str> = rows
        .iter()
        .filter_map(|row| accepts(row))
        .map(|accepts| accepts.target.word())
        .collect();
    match kinds.as_slice() {
        [] => "known here".into(),
        [one] => format!("a known {}", one.replace('_', " ")),
        [first, ..] => format!("a known {}", first.replace('_', " ")),
    }
}

fn misplaced(dsl: &str, rows: &[&Property], value: &Evaluated, outcome: &mut Outcome) {
    let mut words: Vec<String> = Vec::new();
    for row in rows {
        match row.shape {
            Shape::References(accepts) if accepts.target == Target::Action => words.push("action.…".into()),
            Shape::References(accepts) => words.push(format!("{}(\"…\")", accepts.target.word())),
            Shape::Guests => words.push("guests([…])".into()),
            Shape::Filter => words.push("filter(\"…\")".into()),
            _ => {}
        }
    }
    let help = match (
        &value.value,
        rows.iter().any(|row| row.wire.contains("ServicePrincipals")),
    ) {
        (Value::Reference(reference), true) if reference.target() == Some(Target::App) => {
            "workloads hold service principals, which have ids of their own: write `service_principal(\"…\")`"
                .to_owned()
        }
        _ => format!(
            "write {}",
            crate::lang::nearest::listed(words.iter().map(String::as_str), 6)
        ),
    };
    outcome.errors.push(BindError::WrongKind {
        name: dsl.into(),
        wanted: "other things".into(),
        found: described(value),
        help,
        at: value.span,
    });
}

fn guests(dsl: &str, call: &Constructed, value: &Evaluated, outcome: &mut Outcome) -> Option<Guests> {
    let mut binder = Binder { dsl, outcome };
    let kinds: IndexSet<String> = call
        .positional
        .iter()
        .flat_map(elements)
        .filter_map(|each| binder.symbol(properties::guest_kinds(), each))
        .collect();
    let tenants = match call.named.get("tenants") {
        None => ExternalTenants::All,
        Some(list) if matches!(list.value, Value::Null) => ExternalTenants::All,
        Some(list) => {
            let mut members = IndexSet::new();
            for each in elements(list) {
                match each.as_text() {
                    Some(id) if is_guid(id) => {
                        members.insert(id.to_ascii_lowercase());
                    }
                    _ => binder.wrong(
                        "tenant ids in quotes",
                        "write the tenant's id, a GUID, in quotes",
                        each,
                    ),
                }
            }
            ExternalTenants::Enumerated(members)
        }
    };
    if kinds.is_empty() {
        binder.wrong(
            "kinds of guests",
            "write `guests([b2b_collaboration_guest])`",
            value,
        );
        return None;
    }
    Some(Guests { kinds, tenants })
}

fn filter(dsl: &str, call: &Constructed, value: &Evaluated, outcome: &mut Outcome) -> Option<Filter> {
    let mut binder = Binder { dsl, outcome };
    let text = binder.argument(call, value)?;
    let rule = text.as_text()?;
    let scope = if dsl.starts_with("devices") {
        Scope::Devices
    } else {
        Scope::ServicePrincipals
    };
    match FilterRule::parse(rule) {
        Err(error) => {
            binder.unfit(error.to_string(), advice(&error), text.span);
            return None;
        }
        Ok(parsed) => {
            for error in parsed.refusals(rule, scope) {
                binder.doubtful(error.to_string(), advice(&error), text.span);
            }
        }
    }
    let mode = if leaf(dsl) == "exclude" {
        FilterMode::Exclude
    } else {
        FilterMode::Include
    };
    Some(Filter {
        mode,
        rule: rule.to_owned(),
    })
}
