//! `for` expressions.

use indexmap::IndexMap;

use super::Evaluator;
use crate::lang::error::Code;
use crate::lang::scope::{Bound, Environment};
use crate::lang::value::{Evaluated, Value, by_key};
use crate::syntax::{Expression, ForIntro, ForList, ForObject, Span};

impl Evaluator<'_> {
    /// The turns of a `for`: key and value of each; nothing after a report.
    fn turns(
        &mut self,
        intro: &ForIntro,
        environment: Environment<'_>,
    ) -> Option<(Vec<(Evaluated, Evaluated)>, bool)> {
        let collection = self.evaluate(&intro.collection, environment);
        let span = intro.collection.span;
        let turns = match &collection.value {
            Value::Faulty => return None,
            Value::List(items) => items
                .iter()
                .enumerate()
                .map(|(index, item)| (Evaluated::new(Value::count(index), item.span), item.clone()))
                .collect(),
            Value::Object(entries) => by_key(entries)
                .into_iter()
                .map(|(key, value)| (Evaluated::new(Value::text(key), value.span), value.clone()))
                .collect(),
            other => {
                let message = format!("`for` walks over a list or an object, not {}", other.kind());
                self.error_about(
                    Code::WrongType,
                    span,
                    &collection,
                    message,
                    "put a single value in brackets: `[x]`",
                );
                return None;
            }
        };
        Some((turns, collection.sensitive))
    }

    /// Runs `work` for every turn whose condition holds; false when a condition could not be told.
    fn each_turn(
        &mut self,
        intro: &ForIntro,
        condition: Option<&Expression>,
        turns: Vec<(Evaluated, Evaluated)>,
        environment: Environment<'_>,
        mut work: impl FnMut(&mut Self, Environment<'_>),
    ) -> bool {
        let mut told = true;
        for (key, value) in turns {
            let outer = intro.key.as_ref().map(|name| Bound {
                name: &name.text,
                value: key,
                outer: environment.bound,
            });
            let bound = Bound {
                name: &intro.value.text,
                value,
                outer: outer.as_ref().or(environment.bound),
            };
            let inside = Environment {
                scope: environment.scope,
                bound: Some(&bound),
            };
            match condition.map(|condition| self.condition(condition, inside)) {
                None | Some(Some((true, _))) => work(self, inside),
                Some(Some((false, _))) => {}
                Some(None) => told = false,
            }
        }
        told
    }

    pub(super) fn for_list(&mut self, list: &ForList, span: Span, environment: Environment<'_>) -> Evaluated {
        let Some((turns, sensitive)) = self.turns(&list.intro, environment) else {
            return Evaluated::faulty(span);
        };
        let mut items = Vec::new();
        let told = self.each_turn(
            &list.intro,
            list.condition.as_ref(),
            turns,
            environment,
            |this, inside| {
                items.push(this.evaluate(&list.value, inside));
            },
        );
        Evaluated::new(if told { Value::from(items) } else { Value::Faulty }, span).tainted(sensitive)
    }

    pub(super) fn for_object(
        &mut self,
        object: &ForObject,
        span: Span,
        environment: Environment<'_>,
    ) -> Evaluated {
        let Some((turns, sensitive)) = self.turns(&object.intro, environment) else {
            return Evaluated::faulty(span);
        };
        let mut groups: IndexMap<String, Vec<Evaluated>> = IndexMap::new();
        let mut known = true;
        let told = self.each_turn(
            &object.intro,
            object.condition.as_ref(),
            turns,
            environment,
            |this, inside| {
                let key = this.key(&object.key, inside);
                let value = this.evaluate(&object.value, inside);
                let Some(key) = key else {
                    known = false;
                    return;
                };
                let group = groups.entry(key.clone()).or_default();
                if !group.is_empty() && !object.grouping {
                    this.error(
                        Code::KeyTwice,
                        object.key.span,
                        format!("the key `{key}` comes up more than once"),
                        "group the values of equal keys with `...` after the value, or make the keys differ",
                    );
                    known = false;
                    return;
                }
                group.push(value);
            },
        );
        if !(told && known) {
            return Evaluated::faulty(span);
        }
        let entries = groups
            .into_iter()
            .filter_map(|(key, mut values)| {
                let value = if object.grouping {
                    Some(Evaluated::new(Value::from(values), span))
                } else {
                    values.pop()
                };
                value.map(|value| (key, value))
            })
            .collect::<IndexMap<_, _>>();
        Evaluated::new(Value::from(entries), span).tainted(sensitive)
    }
}
