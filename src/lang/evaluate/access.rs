//! Attributes, indexes and splats.

use std::sync::Arc;

use indexmap::IndexMap;

use super::Evaluator;
use crate::lang::error::Code;
use crate::lang::nearest::{either, write_one_of};
use crate::lang::scope::{Each, Environment, ModuleId};
use crate::lang::value::{Evaluated, Number, Value};
use crate::model::{Address, Reference, Target};
use crate::syntax::{Expression, ExpressionKind, Ident, Span, Splat, Step};

/// What a dotted path has come to so far. Modules are not values until all of their outputs are asked for.
pub(super) enum Place {
    /// A value.
    Value(Evaluated),
    /// One instance of a module.
    Module(ModuleId),
    /// The instances of a module with `for_each`, by key.
    Modules(Arc<IndexMap<String, ModuleId>>),
    /// The instances of a block with `for_each`.
    Instances(Instances),
}

/// The instances of a block with `for_each` that this project manages. They are no object until they are
/// asked for together: most references choose one.
pub(super) struct Instances {
    /// What a reference to one of them targets; nothing for blocks that are no objects of the tenant.
    pub(super) target: Option<Target>,
    /// The address without a key.
    pub(super) address: Address,
    /// Their elements, sorted by key.
    pub(super) all: Arc<Vec<Arc<Each>>>,
    /// Where they are named.
    pub(super) span: Span,
}

impl Instances {
    fn one(&self, key: &str) -> Evaluated {
        let address = self.address.clone().with_key(key);
        Evaluated::new(block_value(self.target, address), self.span)
    }

    fn has(&self, key: &str) -> bool {
        self.all.binary_search_by(|each| each.text().cmp(key)).is_ok()
    }
}

/// A block of this project as a value.
pub(super) fn block_value(target: Option<Target>, address: Address) -> Value {
    match target {
        Some(target) => Value::Reference(Reference::managed(target, address)),
        None => Value::Block(Box::new(address)),
    }
}

impl Evaluator<'_> {
    pub(super) fn place(&mut self, expression: &Expression, environment: Environment<'_>) -> Place {
        if !self.enter(expression.span) {
            return Place::Value(Evaluated::faulty(expression.span));
        }
        let place = self.place_within(expression, environment);
        self.depth -= 1;
        place
    }

    fn place_within(&mut self, expression: &Expression, environment: Environment<'_>) -> Place {
        match &expression.kind {
            ExpressionKind::Attribute(base, name) => match base.bare_word() {
                Some(word) if environment.find(word).is_none() => {
                    self.root(word, base.span, name, expression.span, environment)
                }
                _ => {
                    let place = self.place(base, environment);
                    self.attribute_of_place(place, name, base.span)
                }
            },
            ExpressionKind::Index(base, index) => {
                let place = self.place(base, environment);
                self.index_of_place(place, index, environment)
            }
            ExpressionKind::LegacyIndex(base, digits) => {
                let value = self.evaluate(base, environment);
                Place::Value(self.legacy_index(value, digits, expression.span))
            }
            _ => Place::Value(self.evaluate(expression, environment)),
        }
    }

    fn attribute_of_place(&mut self, place: Place, name: &Ident, base: Span) -> Place {
        Place::Value(match place {
            Place::Instances(_) => {
                let value = self.materialised(place, base);
                self.attribute(value, name, base)
            }
            Place::Value(value) => self.attribute(value, name, base),
            Place::Module(module) => self.output(module, name),
            Place::Modules(modules) => {
                let help = format!("choose an instance first: `{}`", example_key(modules.keys()));
                let message = format!(
                    "a module with `for_each` has no output `{}` of its own",
                    name.text
                );
                self.error(Code::OutOfRange, name.span, message, help)
            }
        })
    }

    fn index_of_place(&mut self, place: Place, index: &Expression, environment: Environment<'_>) -> Place {
        Place::Value(match place {
            Place::Instances(instances) => {
                let key = self.evaluate(index, environment);
                if let Some(text) = key.value.interpolated().filter(|key| instances.has(key)) {
                    instances.one(&text).tainted(key.sensitive)
                } else {
                    let all = self.materialised(Place::Instances(instances), index.span);
                    self.index(all, &key, index.span)
                }
            }
            Place::Value(value) => {
                let key = self.evaluate(index, environment);
                self.index(value, &key, index.span)
            }
            Place::Module(_) => {
                let message = "a module without `for_each` has no instances to choose from";
                self.error(Code::OutOfRange, index.span, message, "take the brackets away")
            }
            Place::Modules(modules) => match self.key(index, environment) {
                None => Evaluated::faulty(index.span),
                Some(key) => {
                    if let Some(module) = modules.get(&key) {
                        return Place::Module(*module);
                    }
                    let help = format!("write {}", either(modules.keys().map(String::as_str), 12));
                    self.error(
                        Code::OutOfRange,
                        index.span,
                        format!("the module has no instance `{key}`"),
                        help,
                    )
                }
            },
        })
    }

    fn legacy_index(&mut self, value: Evaluated, digits: &str, span: Span) -> Evaluated {
        let index = Evaluated::new(Number::parse(digits).map_or(Value::Faulty, Value::Number), span);
        self.index(value, &index, span)
    }

    /// The value at the end of a path; a module becomes the object of its outputs.
    pub(super) fn materialised(&mut self, place: Place, span: Span) -> Evaluated {
        match place {
            Place::Value(value) => value,
            Place::Module(module) => self.outputs(module, span),
            Place::Modules(modules) => {
                let entries: IndexMap<_, _> = modules
                    .iter()
                    .map(|(key, module)| (key.clone(), self.outputs(*module, span)))
                    .collect();
                Evaluated::new(Value::from(entries), span)
            }
            Place::Instances(instances) => {
                let entries: IndexMap<_, _> = instances
                    .all
                    .iter()
                    .map(|each| (each.text().to_owned(), instances.one(each.text())))
                    .collect();
                Evaluated::new(Value::from(entries), instances.span)
            }
        }
    }

    fn outputs(&mut self, module: ModuleId, span: Span) -> Evaluated {
        let names: Vec<Ident> = self
            .engine
            .module(module)
            .declarations
            .outputs
            .values()
            .map(|output| output.name.clone())
            .collect();
        let entries = names
            .into_iter()
            .map(|name| (name.text.clone(), self.output(module, &name)))
            .collect::<IndexMap<_, _>>();
        Evaluated::new(Value::from(entries), span)
    }

    fn attribute(&mut self, value: Evaluated, name: &Ident, base: Span) -> Evaluated {
        let sensitive = value.sensitive;
        match &value.value {
            Value::Faulty => value,
            Value::Object(entries) => {
                if let Some(found) = entries.get(&name.text) {
                    return found.clone().tainted(sensitive);
                }
                let names = entries.keys().map(String::as_str);
                let help = write_one_of(&name.text, "", names, || "give the object that attribute".into());
                let message = format!("the object has no attribute `{}`", name.text);
                self.error_about(Code::UnknownAttribute, name.span, &value, message, help)
            }
            Value::Reference(_) | Value::Block(_) => self.attribute_of_reference(value, name),
            Value::List(_) => {
                let message = format!("a list has no attribute `{}`", name.text);
                let help = format!("take it from every element: `[*].{}`", name.text);
                self.error_about(Code::UnknownAttribute, name.span, &value, message, help)
            }
            other => {
                let message = format!("{} has no attributes, so no `{}`", other.kind(), name.text);
                self.error_about(
                    Code::UnknownAttribute,
                    base,
                    &value,
                    message,
                    format!("take `.{}` away", name.text),
                )
            }
        }
    }

    fn attribute_of_reference(&mut self, value: Evaluated, name: &Ident) -> Evaluated {
        match (&value.value, name.text.as_str()) {
            (Value::Reference(_), "id") => value,
            (Value::Reference(Reference::Lookup(lookup)), "name") => {
                Evaluated::new(Value::text(&lookup.name), value.span)
            }
            (Value::Reference(Reference::Managed { address, .. }) | Value::Block(address), "name") => {
                let address = address.clone();
                self.name_of_block(&address, name.span)
            }
            (Value::Block(address), "id") => {
                let message = format!("the id of `{address}` is known only to the service");
                self.error(
                    Code::NotKnownYet,
                    name.span,
                    message,
                    "refer to the block itself, without `.id`",
                )
            }
            (other, _) => {
                let message = format!(
                    "`{other}` has no attribute `{}` that is known before the apply",
                    name.text
                );
                self.error(
                    Code::UnknownAttribute,
                    name.span,
                    message,
                    "write `.id` or `.name`",
                )
            }
        }
    }

    fn index(&mut self, value: Evaluated, index: &Evaluated, used: Span) -> Evaluated {
        let sensitive = value.sensitive || index.sensitive;
        let found = match (&value.value, &index.value) {
            (Value::Faulty, _) | (_, Value::Faulty) => return Evaluated::faulty(used),
            (Value::List(items), Value::Number(number)) => {
                let found = number
                    .as_integer()
                    .and_then(|at| usize::try_from(at).ok())
                    .and_then(|at| items.get(at));
                if found.is_none() {
                    let message = format!("the list has {} elements, so none at `{number}`", items.len());
                    let help = match items.len() {
                        0 => "add elements to the list, or ask `length(…)` first".into(),
                        count => format!("write a number from 0 to {}", count - 1),
                    };
                    return self.error_about(Code::OutOfRange, used, &value, message, help);
                }
                found
            }
            (Value::List(_), Value::String { text, .. }) if Number::parse(text).is_some() => {
                let number = Evaluated::new(
                    Number::parse(text).map_or(Value::Faulty, Value::Number),
                    index.span,
                );
                return self.index(value, &number, used);
            }
            (Value::Object(entries), key) => {
                let Some(key) = key.interpolated() else {
                    let message = format!("a key is a string, not {}", key.kind());
                    return self.error_about(
                        Code::WrongType,
                        used,
                        index,
                        message,
                        "write a key such as `[\"name\"]`",
                    );
                };
                let found = entries.get(&key);
                if found.is_none() {
                    let help = write_one_of(&key, "", entries.keys().map(String::as_str), || {
                        "add that key".into()
                    });
                    return self.error_about(
                        Code::OutOfRange,
                        used,
                        &value,
                        format!("the object has no key `{key}`"),
                        help,
                    );
                }
                found
            }
            (Value::List(_), other) => {
                let message = format!("the place in a list is a number, not {}", other.kind());
                return self.error_about(
                    Code::WrongType,
                    used,
                    index,
                    message,
                    "write a number such as `[0]`",
                );
            }
            (other, _) => {
                let message = format!("{} has no elements to choose from", other.kind());
                return self.error_about(Code::WrongType, used, &value, message, "take the brackets away");
            }
        };
        found
            .cloned()
            .unwrap_or_else(|| Evaluated::faulty(used))
            .tainted(sensitive)
    }

    pub(super) fn splat(&mut self, splat: &Splat, span: Span, environment: Environment<'_>) -> Evaluated {
        let base = self.evaluate(&splat.base, environment);
        let elements = match &base.value {
            Value::Faulty => return Evaluated::faulty(span),
            Value::Null => Vec::new(),
            Value::List(items) => items.to_vec(),
            _ => vec![base.clone()],
        };
        let taken: Vec<Evaluated> = elements
            .into_iter()
            .map(|element| {
                splat.steps.iter().fold(element, |value, step| match step {
                    Step::Attribute(name) => self.attribute(value, name, name.span),
                    Step::Index(index) => {
                        let key = self.evaluate(index, environment);
                        self.index(value, &key, index.span)
                    }
                    Step::LegacyIndex(digits, span) => self.legacy_index(value, digits, *span),
                })
            })
            .collect();
        Evaluated::new(Value::from(taken), span).tainted(base.sensitive)
    }
}

fn example_key<'k>(mut keys: impl Iterator<Item = &'k String>) -> String {
    keys.next()
        .map_or_else(|| "[each.key]".into(), |key| format!("[\"{key}\"]"))
}
