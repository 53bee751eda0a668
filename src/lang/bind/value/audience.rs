//! Lists of references: who and what a policy is about, each element by its kind into the row that takes it.

use indexmap::IndexSet;

use super::{Outcome, condition, described, elements, preferred};
use crate::lang::bind::error::BindError;
use crate::lang::nearest;
use crate::lang::value::{Evaluated, Value};
use crate::model::properties::{Accepts, COMPLIANT_NETWORK, Property, Shape};
use crate::model::reference::{Reference, Target, is_guid};
use crate::model::value::Value as Bound;
use crate::model::wire;

/// A list that mixes kinds: each element says by its kind which row it belongs to.
pub(super) fn audience(dsl: &str, rows: &[&'static Property], value: &Evaluated, outcome: &mut Outcome) {
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
                    condition::guests(dsl, call, each, outcome).map(|guests| Bound::Guests(Box::new(guests)))
                } else {
                    condition::filter(dsl, call, each, outcome).map(Bound::Filter)
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
        if !set.is_empty() || row.wire == wire::members_path() {
            outcome.values.push((row, Bound::References(set.into())));
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
        let words = references(&kinds, text);
        outcome.errors.push(BindError::Unfit {
            problem: format!(
                "`{dsl}` holds objects of several kinds, and a bare id does not say which this is"
            ),
            help: format!("write {}", nearest::either(words.iter().map(String::as_str), 4)),
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
        && nearest::nearest(text, choices.iter().map(String::as_str)).is_none()
        && !kinds.is_empty()
    {
        let words = references(&kinds, text);
        outcome.errors.push(BindError::Unfit {
            problem: format!("`{dsl}` holds a text that does not say what it names"),
            help: format!("write {}", nearest::either(words.iter().map(String::as_str), 4)),
            at: value.span,
        });
        return None;
    }
    choices.dedup();
    outcome.errors.push(BindError::UnknownKeyword {
        place: dsl.into(),
        word: text.into(),
        choices,
        references: references(&kinds, text),
        at: value.span,
    });
    None
}

/// References of these kinds to what has this name.
fn references(kinds: &[(usize, Target)], name: &str) -> Vec<String> {
    kinds
        .iter()
        .map(|(_, target)| match target {
            Target::User | Target::Group | Target::Role | Target::App | Target::ServicePrincipal => {
                format!("{}({name:?})", target.word())
            }
            _ => format!("{}.{name}", target.word()),
        })
        .collect()
}

/// What may stand in the rows, in words: `users, groups and roles`.
fn wanted(rows: &[&Property]) -> String {
    let nouns: Vec<&str> = rows
        .iter()
        .filter_map(|row| match row.shape {
            Shape::References(accepts) => Some(accepts.target.plural()),
            Shape::Guests => Some("kinds of guests"),
            Shape::Filter => Some("a filter"),
            _ => None,
        })
        .collect();
    match nouns.split_last() {
        None => "something else".into(),
        Some((only, [])) => (*only).into(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
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
        // A block with `for_each`, referred to as a whole.
        (Value::Object(instances), _)
            if !instances.is_empty()
                && instances
                    .values()
                    .all(|one| matches!(one.value, Value::Reference(_))) =>
        {
            "choose one by its key: `[\"KEY\"]` behind it; or take them all with `values(…)`".to_owned()
        }
        _ => format!("write {}", nearest::either(words.iter().map(String::as_str), 6)),
    };
    outcome.errors.push(BindError::WrongKind {
        name: dsl.into(),
        wanted: wanted(rows),
        found: described(value),
        help,
        at: value.span,
    });
}
