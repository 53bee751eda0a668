//! The values of variables: what was given, of the declared type, within the declared rules.

use super::{Inputs, Node};
use crate::lang::declarations::{attribute, label_span};
use crate::lang::error::{Code, Diagnostic};
use crate::lang::evaluate::Evaluator;
use crate::lang::scope::{Environment, ModuleId, Scope};
use crate::lang::types::{self, Type, convert};
use crate::lang::value::{Evaluated, Value};
use crate::syntax::{Block, Expression, Span};

/// A type whose text is longer than this is not repeated in messages.
const READABLE: usize = 50;

impl Evaluator<'_> {
    pub(super) fn compute_variable(&mut self, module: ModuleId, name: &str) -> Evaluated {
        let scope = Scope::of(module);
        let instance = self.engine.module(module);
        let Some(block) = instance.declarations.variables.get(name).cloned() else {
            return Evaluated::faulty(Span::SYNTHETIC);
        };
        let checked = self.check_block(&block, &scope);
        let of = attribute(&block, "type").map(|written| self.type_of(&written.value, &scope));
        let default = attribute(&block, "default").map(|default| {
            let value = self.evaluate(&default.value, Environment::new(&scope));
            self.converted(value, of.as_ref(), default.value.span, name)
        });
        let nullable = checked
            .get("nullable")
            .is_none_or(|value| value.value == Value::Bool(true));
        let given = match &instance.inputs {
            Inputs::Given(given) => {
                let given = given.get(name);
                given.map(|given| (self.given(given, of.as_ref(), &scope), given.span))
            }
            Inputs::Block { block, scope } => attribute(block, name).map(|input| {
                (
                    self.evaluate(&input.value, Environment::new(scope)),
                    input.value.span,
                )
            }),
        };
        let given = given.map(|(value, used)| (self.converted(value, of.as_ref(), used, name), used));
        let value = match (given, default) {
            (Some((value, _)), Some(default)) if !nullable && value.value == Value::Null => default,
            (Some((value, used)), None) if !nullable && value.value == Value::Null => {
                let message = format!("the variable `{name}` takes no `null`");
                self.error(
                    Code::WrongType,
                    used,
                    message,
                    "give it a value, or take the line away",
                )
            }
            (Some((value, _)), _) => value,
            (None, Some(default)) => default,
            (None, None) => self.missing(name, &block, &instance.inputs, of.as_ref()),
        };
        value.tainted(checked.is_true("sensitive"))
    }

    fn type_of(&mut self, written: &Expression, scope: &Scope) -> Type {
        let mut diagnostics = std::mem::take(self.diagnostics);
        let of = types::parse(
            written,
            &mut |default, diagnostics| {
                self.apart(diagnostics, |inner| {
                    inner.evaluate(default, Environment::new(scope))
                })
            },
            &mut diagnostics,
        );
        *self.diagnostics = diagnostics;
        of
    }

    /// A value from a flag, the environment or a file. Text that is no expression is a string.
    fn given(&mut self, given: &super::Given, of: Option<&Type>, scope: &Scope) -> Evaluated {
        let as_text = |text: &str| Evaluated::new(Value::text(text), given.span);
        match (&given.expression, &given.text) {
            (_, Some(text)) if of == Some(&Type::String) && !is_quoted(text) => as_text(text),
            (Some(expression), Some(text)) if stands_for_itself(expression) => as_text(text),
            (Some(expression), _) => self.evaluate(expression, Environment::new(scope)),
            (None, Some(text)) => as_text(text),
            (None, None) => Evaluated::faulty(given.span),
        }
    }

    fn converted(&mut self, value: Evaluated, of: Option<&Type>, used: Span, name: &str) -> Evaluated {
        let Some(of) = of.filter(|_| !value.is_faulty()) else {
            return value;
        };
        match convert(&value, of) {
            Ok(converted) => converted,
            Err(errors) => {
                for error in errors {
                    let of = of.to_string();
                    let message = if of.len() <= READABLE {
                        format!("the variable `{name}` is `{of}`: {}", error.message)
                    } else {
                        format!("the variable `{name}`: {}", error.message)
                    };
                    let mut diagnostic = Diagnostic::error(Code::WrongType, error.span, message, error.help);
                    if !error.span.lies_in(used) {
                        diagnostic = diagnostic.also(used, "given here");
                    }
                    self.diagnostics.push(diagnostic);
                }
                Evaluated::faulty(used)
            }
        }
    }

    fn missing(&mut self, name: &str, block: &Block, inputs: &Inputs, of: Option<&Type>) -> Evaluated {
        let message = format!("the variable `{name}` has no value");
        let example = of.map_or_else(|| "a value".into(), Type::noun);
        let diagnostic = match inputs {
            Inputs::Given(_) => {
                let help = format!(
                    "pass `--var {name}=…` with {example}, write `{name} = …` in `capol.capolvars`, or give it a `default`"
                );
                Diagnostic::error(Code::MissingVariable, label_span(block), message, help)
                    .labelled("declared here")
            }
            Inputs::Block { block: call, .. } => {
                let help = format!("add `{name} = …` to the module, {example}");
                Diagnostic::error(Code::MissingVariable, call.header, message, help)
                    .also(label_span(block), "declared here")
            }
        };
        self.diagnostics.push(diagnostic);
        Evaluated::faulty(block.header)
    }

    /// Holds the value of a variable against its `validation` blocks.
    pub(crate) fn validate(&mut self, module: ModuleId, name: &str, block: &Block) {
        let scope = Scope::of(module);
        let value = self.forced(Node::Variable(module, name.to_owned()), label_span(block));
        if value.is_faulty() {
            return;
        }
        for rule in block
            .body
            .blocks()
            .filter(|inner| inner.kind.text == "validation")
        {
            let (Some(condition), Some(message)) =
                (attribute(rule, "condition"), attribute(rule, "error_message"))
            else {
                continue;
            };
            let holds = self.evaluate(&condition.value, Environment::new(&scope));
            let message = self.evaluate(&message.value, Environment::new(&scope));
            match &holds.value {
                Value::Bool(true) | Value::Faulty => {}
                Value::Bool(false) => {
                    let message = message
                        .value
                        .interpolated()
                        .unwrap_or_else(|| format!("the value of `{name}` is refused"));
                    let help = format!("give `{name}` a value that keeps the rule");
                    let diagnostic =
                        Diagnostic::error(Code::Validation, value.span, message.trim_end_matches('.'), help);
                    self.diagnostics.push(
                        diagnostic
                            .labelled("this value")
                            .also(condition.value.span, "breaks this rule"),
                    );
                }
                other => {
                    let message = format!("a condition is true or false, not {}", other.kind());
                    let help = format!("compare something, as in `var.{name} != \"\"`");
                    self.error_about(Code::Condition, condition.value.span, &holds, message, help);
                }
            }
        }
    }
}

fn is_quoted(text: &str) -> bool {
    text.starts_with('"') && text.ends_with('"') && text.len() > 1
}

/// Whether an expression from a flag is a plain word with dots that names nothing here, such as `contoso.com`.
fn stands_for_itself(expression: &Expression) -> bool {
    let path = expression.path();
    path.and_then(|path| path.first().map(|(word, _)| (path.len(), *word)))
        .is_some_and(|(length, word)| length > 1 && !crate::lang::evaluate::ROOTS.contains(&word))
}
