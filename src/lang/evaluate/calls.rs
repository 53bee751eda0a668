//! Calls of functions, look-ups and domain constructors.

use std::sync::Arc;

use indexmap::IndexMap;

use super::Evaluator;
use crate::lang::error::{Code, Diagnostics};
use crate::lang::functions::{self, Arguments, Function, Refusal};
use crate::lang::scope::Environment;
use crate::lang::value::{Evaluated, Value};
use crate::syntax::{Call, Span};

impl Evaluator<'_> {
    pub(super) fn call(&mut self, call: &Call, span: Span, environment: Environment<'_>) -> Evaluated {
        match call.name.text.as_str() {
            "try" => return self.first_possible(call, span, environment),
            "can" => return self.possible(call, span, environment),
            _ => {}
        }
        let Some(function) = functions::find(&call.name.text) else {
            let name = &call.name.text;
            let help = match functions::nearest_name(name) {
                Some(near) => format!("write `{near}(…)`"),
                None => "see the list of functions in the book under “Functions”".into(),
            };
            return self.error(
                Code::UnknownFunction,
                call.name.span,
                format!("there is no function `{name}`"),
                help,
            );
        };
        let Some((values, named, spans)) = self.arguments(call, function, environment) else {
            return Evaluated::faulty(span);
        };
        let too_many = function.most.is_some_and(|most| values.len() > most);
        if values.len() < function.least || too_many {
            let message = format!(
                "`{}` takes {}, not {}",
                function.name,
                counted(function),
                values.len()
            );
            return self.error(
                Code::ArgumentCount,
                call.name.span,
                message,
                format!("write `{}`", function.signature),
            );
        }
        if values.iter().chain(named.values()).any(Evaluated::is_faulty) {
            return Evaluated::faulty(span);
        }
        let world = self.engine.world();
        let arguments = Arguments {
            name: function.name,
            values: &values,
            named: &named,
            world,
            span,
        };
        match (function.evaluate)(&arguments) {
            Ok(value) => {
                let sensitive = match function.name {
                    "sensitive" => true,
                    "nonsensitive" | "issensitive" => false,
                    _ => values.iter().any(Evaluated::is_sensitive),
                };
                let value = if function.name == "nonsensitive" {
                    shown(value)
                } else {
                    value
                };
                Evaluated::new(value, span).tainted(sensitive)
            }
            Err(refusal) => self.refused(&refusal, &values, &spans, span),
        }
    }

    fn refused(&mut self, refusal: &Refusal, values: &[Evaluated], spans: &[Span], call: Span) -> Evaluated {
        let argument = refusal
            .argument
            .and_then(|index| Some((*spans.get(index)?, values.get(index)?)));
        match argument {
            Some((used, value)) if value.is_sensitive() => {
                let message = "a sensitive value does not fit here";
                self.error_about(
                    Code::FunctionArgument,
                    used,
                    value,
                    message,
                    refusal.help.as_str(),
                )
            }
            Some((used, value)) => self.error_about(
                Code::FunctionArgument,
                used,
                value,
                refusal.message.as_str(),
                refusal.help.as_str(),
            ),
            None => self.error(
                Code::FunctionArgument,
                call,
                refusal.message.as_str(),
                refusal.help.as_str(),
            ),
        }
    }

    /// The positional and the named arguments, and the places of the first; nothing after a report.
    #[expect(clippy::type_complexity, reason = "three lists that belong to one call")]
    fn arguments(
        &mut self,
        call: &Call,
        function: &'static Function,
        environment: Environment<'_>,
    ) -> Option<(Vec<Evaluated>, IndexMap<String, Evaluated>, Vec<Span>)> {
        let (mut values, mut named, mut spans) = (Vec::new(), IndexMap::new(), Vec::new());
        let mut sound = true;
        for argument in call.arguments.iter() {
            let used = argument.value.span;
            let value = self.evaluate(&argument.value, environment);
            if let Some(name) = &argument.name {
                if !function.named.contains(&name.text.as_str()) {
                    let message = format!("`{}` has no argument called `{}`", function.name, name.text);
                    self.error(
                        Code::ArgumentCount,
                        name.span,
                        message,
                        format!("write `{}`", function.signature),
                    );
                    sound = false;
                } else if named.insert(name.text.clone(), value).is_some() {
                    self.error(
                        Code::Duplicate,
                        name.span,
                        format!("`{}` is given twice", name.text),
                        "take one of them away",
                    );
                    sound = false;
                }
            } else if argument.expand {
                match value.value {
                    Value::List(items) => {
                        spans.extend(items.iter().map(|_| used));
                        let items = Arc::unwrap_or_clone(items);
                        values.extend(items.into_iter().map(|item| item.tainted(value.sensitive)));
                    }
                    Value::Faulty => sound = false,
                    ref other => {
                        let message = format!("`...` spreads a list, not {}", other.kind());
                        self.error_about(
                            Code::WrongType,
                            used,
                            &value,
                            message,
                            "put a list before `...`, or take `...` away",
                        );
                        sound = false;
                    }
                }
            } else {
                values.push(value);
                spans.push(used);
            }
        }
        sound.then_some((values, named, spans))
    }

    /// The value and whether it could be told without an error.
    fn attempt(
        &mut self,
        expression: &crate::syntax::Expression,
        environment: Environment<'_>,
    ) -> (Evaluated, bool) {
        let mut scratch = Diagnostics::new();
        let value = self.apart(&mut scratch, |inner| inner.evaluate(expression, environment));
        let possible = !scratch.has_errors() && !value.is_faulty();
        (value, possible)
    }

    fn first_possible(&mut self, call: &Call, span: Span, environment: Environment<'_>) -> Evaluated {
        for argument in call.arguments.iter() {
            if let (value, true) = self.attempt(&argument.value, environment) {
                return value;
            }
        }
        self.error(
            Code::FunctionArgument,
            span,
            "`try` has no argument that can be evaluated",
            "add a last argument that always can, such as `null`",
        )
    }

    fn possible(&mut self, call: &Call, span: Span, environment: Environment<'_>) -> Evaluated {
        let mut arguments = call.arguments.iter();
        match (arguments.next(), arguments.next()) {
            (Some(only), None) => {
                let (_, possible) = self.attempt(&only.value, environment);
                Evaluated::new(Value::Bool(possible), span)
            }
            _ => self.error(
                Code::ArgumentCount,
                call.name.span,
                "`can` takes one argument",
                "write `can(expression)`",
            ),
        }
    }
}

/// The value with nothing in it sensitive.
fn shown(value: Value) -> Value {
    let open = |item: Evaluated| Evaluated::new(shown(item.value), item.span);
    match value {
        Value::List(items) => Value::from(
            Arc::unwrap_or_clone(items)
                .into_iter()
                .map(open)
                .collect::<Vec<_>>(),
        ),
        Value::Object(entries) => Value::from(
            Arc::unwrap_or_clone(entries)
                .into_iter()
                .map(|(key, item)| (key, open(item)))
                .collect::<IndexMap<_, _>>(),
        ),
        other => other,
    }
}

fn counted(function: &Function) -> String {
    let arguments = |count: usize| {
        if count == 1 {
            "1 argument".into()
        } else {
            format!("{count} arguments")
        }
    };
    match function.most {
        Some(most) if most == function.least => arguments(most),
        Some(most) => format!("{} to {}", function.least, arguments(most)),
        None => format!("at least {}", arguments(function.least)),
    }
}
