//! Expressions into values.
//!
//! Evaluation never stops at an error: the culprit becomes [`Value::Faulty`], which everything
//! that meets it passes on in silence, so that each problem is reported once and all of them are.
//! Names are forced on demand through the [`Engine`]; a name that is asked for while it is being
//! computed is a cycle. Nesting is limited, never left to the stack.

mod access;
mod calls;
mod loops;
mod names;
mod operators;
mod templates;

pub(crate) use names::{ROOTS, built_in};

use indexmap::IndexMap;

use super::engine::{Engine, Pending};
use super::error::{Code, Diagnostic, Diagnostics};
use super::scope::Environment;
use super::value::{Duration, Evaluated, Number, Value};
use crate::syntax::{
    self, Conditional, Entry, EntryKey, Expression, ExpressionKind, Sequence, Span, UnaryOperator,
};

/// How deeply expressions may nest, counting the names that they force.
pub(crate) const DEEPEST: usize = 256;

/// One evaluation under way.
pub(crate) struct Evaluator<'e> {
    pub(crate) engine: &'e Engine,
    pub(crate) diagnostics: &'e mut Diagnostics,
    pub(crate) stack: Vec<Pending>,
    pub(crate) depth: usize,
}

impl<'e> Evaluator<'e> {
    /// A fresh one.
    pub(crate) fn new(engine: &'e Engine, diagnostics: &'e mut Diagnostics) -> Self {
        Self {
            engine,
            diagnostics,
            stack: Vec::new(),
            depth: 0,
        }
    }

    /// Runs `work` with other diagnostics; the names under way and the depth stay.
    pub(crate) fn apart<R>(
        &mut self,
        diagnostics: &mut Diagnostics,
        work: impl FnOnce(&mut Evaluator<'_>) -> R,
    ) -> R {
        let mut inner = Evaluator {
            engine: self.engine,
            diagnostics,
            stack: std::mem::take(&mut self.stack),
            depth: self.depth,
        };
        let result = work(&mut inner);
        self.stack = inner.stack;
        result
    }

    /// The value of an expression.
    ///
    /// Every level of nesting costs stack here, so the branches that recurse are functions of their
    /// own, and walk with plain loops.
    pub(crate) fn evaluate(&mut self, expression: &Expression, environment: Environment<'_>) -> Evaluated {
        let span = expression.span;
        if !self.enter(span) {
            return Evaluated::faulty(span);
        }
        let value = match &expression.kind {
            ExpressionKind::String(template) => self.template(template, span, environment),
            ExpressionKind::Heredoc(heredoc) => self.template(&heredoc.template, span, environment),
            ExpressionKind::List(items) => self.list(items, span, environment),
            ExpressionKind::Object(entries) => self.object(entries, span, environment),
            ExpressionKind::Unary(operator, operand) => self.unary(*operator, operand, span, environment),
            ExpressionKind::Binary(binary) => self.binary(binary, span, environment),
            ExpressionKind::Conditional(conditional) => self.conditional(conditional, span, environment),
            ExpressionKind::Call(call) => self.call(call, span, environment),
            ExpressionKind::Attribute(..) | ExpressionKind::Index(..) | ExpressionKind::LegacyIndex(..) => {
                self.path(expression, environment)
            }
            ExpressionKind::Splat(splat) => self.splat(splat, span, environment),
            ExpressionKind::ForList(list) => self.for_list(list, span, environment),
            ExpressionKind::ForObject(object) => self.for_object(object, span, environment),
            ExpressionKind::Parenthesised(inner, _) => self.evaluate(inner, environment),
            _ => self.leaf(expression, environment),
        };
        self.depth -= 1;
        value
    }

    /// Goes one level deeper, or reports that it is too deep.
    pub(crate) fn enter(&mut self, span: Span) -> bool {
        let allowed = self.depth < DEEPEST;
        if allowed {
            self.depth += 1;
        } else {
            let message = format!("this nests more than {DEEPEST} levels deep");
            self.error(
                Code::TooDeep,
                span,
                message,
                "give the inner parts names with `locals`",
            );
        }
        allowed
    }

    /// Reports an error and stands in for the value.
    pub(crate) fn error(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Evaluated {
        self.diagnostics.error(code, span, message, help);
        Evaluated::faulty(span)
    }

    /// Reports an error about a value at the place where it is used, and where it was written.
    pub(crate) fn error_about(
        &mut self,
        code: Code,
        used: Span,
        value: &Evaluated,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Evaluated {
        let mut diagnostic = Diagnostic::error(code, used, message, help);
        if !value.span.lies_in(used) {
            diagnostic = diagnostic.also(value.span, "the value comes from here");
        }
        self.diagnostics.push(diagnostic);
        Evaluated::faulty(used)
    }

    fn leaf(&mut self, expression: &Expression, environment: Environment<'_>) -> Evaluated {
        let span = expression.span;
        match &expression.kind {
            ExpressionKind::Null => Evaluated::new(Value::Null, span),
            ExpressionKind::Bool(value) => Evaluated::new(Value::Bool(*value), span),
            ExpressionKind::Number(number) => self.number(number, span, Value::Number),
            ExpressionKind::Percent(number) => self.number(number, span, Value::Percent),
            ExpressionKind::Duration(duration) => self.duration(duration, span),
            ExpressionKind::Name(word) => self.name(word, span, environment),
            _ => Evaluated::faulty(span),
        }
    }

    fn list(&mut self, items: &Sequence<Expression>, span: Span, environment: Environment<'_>) -> Evaluated {
        let mut list = Vec::with_capacity(items.elements.len());
        for item in items.iter() {
            list.push(self.evaluate(item, environment));
        }
        Evaluated::new(Value::from(list), span)
    }

    fn conditional(
        &mut self,
        conditional: &Conditional,
        span: Span,
        environment: Environment<'_>,
    ) -> Evaluated {
        match self.condition(&conditional.condition, environment) {
            Some((truth, sensitive)) => {
                let chosen = if truth { &conditional.yes } else { &conditional.no };
                self.evaluate(chosen, environment).tainted(sensitive)
            }
            None => Evaluated::faulty(span),
        }
    }

    fn path(&mut self, expression: &Expression, environment: Environment<'_>) -> Evaluated {
        let place = self.place(expression, environment);
        self.materialised(place, expression.span)
    }

    fn number(&mut self, number: &syntax::Number, span: Span, make: fn(Number) -> Value) -> Evaluated {
        match Number::parse(&number.text) {
            Some(number) => Evaluated::new(make(number), span),
            None => self.error(
                Code::Arithmetic,
                span,
                format!("`{}` is too large a number", number.text),
                "write a number that fits in 64 bits",
            ),
        }
    }

    fn duration(&mut self, duration: &syntax::Duration, span: Span) -> Evaluated {
        match duration.amount.as_i64() {
            Some(amount) => Evaluated::new(
                Value::Duration(Duration {
                    amount,
                    unit: duration.unit,
                }),
                span,
            ),
            None => self.error(
                Code::Arithmetic,
                span,
                format!(
                    "`{}{}` is not a whole number of its unit",
                    duration.amount.text,
                    duration.unit.letter()
                ),
                "write a whole number of a smaller unit, such as `90m` for an hour and a half",
            ),
        }
    }

    fn object(&mut self, entries: &Sequence<Entry>, span: Span, environment: Environment<'_>) -> Evaluated {
        let mut object = IndexMap::new();
        let mut faulty = false;
        for entry in entries.iter() {
            let key = match &entry.key {
                EntryKey::Name(name) => Some(name.text.clone()),
                EntryKey::Expression(key) => self.key(key, environment),
            };
            let value = self.evaluate(&entry.value, environment);
            let Some(key) = key else {
                faulty = true;
                continue;
            };
            if object.contains_key(&key) {
                self.error(
                    Code::KeyTwice,
                    entry.key.span(),
                    format!("the object has two values for `{key}`"),
                    "take one of them away",
                );
                faulty = true;
            } else {
                object.insert(
                    key,
                    Evaluated {
                        key: Some(entry.key.span()),
                        ..value
                    },
                );
            }
        }
        Evaluated::new(
            if faulty {
                Value::Faulty
            } else {
                Value::from(object)
            },
            span,
        )
    }

    /// The text of a key, or nothing after a report.
    pub(crate) fn key(&mut self, expression: &Expression, environment: Environment<'_>) -> Option<String> {
        let key = self.evaluate(expression, environment);
        match &key.value {
            Value::Faulty => None,
            Value::String { text, .. } => Some(text.clone()),
            other => {
                let text = other.interpolated();
                if text.is_none() {
                    let message = format!("a key is a string, not {}", other.kind());
                    self.error_about(
                        Code::WrongType,
                        expression.span,
                        &key,
                        message,
                        "write a key such as `\"name\"`",
                    );
                }
                text
            }
        }
    }

    fn unary(
        &mut self,
        operator: UnaryOperator,
        operand: &Expression,
        span: Span,
        environment: Environment<'_>,
    ) -> Evaluated {
        match operator {
            UnaryOperator::Not => match self.condition(operand, environment) {
                Some((truth, sensitive)) => Evaluated::new(Value::Bool(!truth), span).tainted(sensitive),
                None => Evaluated::faulty(span),
            },
            UnaryOperator::Negate => {
                let value = self.evaluate(operand, environment);
                let negated = match &value.value {
                    Value::Faulty => Some(Value::Faulty),
                    Value::Number(number) => number.negated().map(Value::Number),
                    Value::Percent(number) => number.negated().map(Value::Percent),
                    Value::Duration(duration) => duration.negated().map(Value::Duration),
                    _ => None,
                };
                if let Some(negated) = negated {
                    return Evaluated::new(negated, span).tainted(value.sensitive);
                }
                let message = format!("`-` takes a number, not {}", value.value.kind());
                let help = "put a number or a duration after it";
                self.error_about(Code::WrongType, operand.span, &value, message, help)
            }
        }
    }
}
