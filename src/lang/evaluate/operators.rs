//! Operators between two values, with the meaning they have in HCL.

use std::cmp::Ordering;

use super::Evaluator;
use crate::lang::error::Code;
use crate::lang::scope::Environment;
use crate::lang::value::{Evaluated, Number, Value};
use crate::syntax::{Binary, BinaryOperator, Expression, ExpressionKind, Span};

impl Evaluator<'_> {
    /// The truth of a condition and whether it is sensitive; nothing after a report.
    pub(super) fn condition(
        &mut self,
        expression: &Expression,
        environment: Environment<'_>,
    ) -> Option<(bool, bool)> {
        let value = self.evaluate(expression, environment);
        self.truth(&value, expression.span)
            .map(|truth| (truth, value.sensitive))
    }

    fn truth(&mut self, value: &Evaluated, used: Span) -> Option<bool> {
        match &value.value {
            Value::Faulty => None,
            Value::Bool(truth) => Some(*truth),
            Value::String { text, .. } if text == "true" => Some(true),
            Value::String { text, .. } if text == "false" => Some(false),
            other => {
                let message = format!("a condition is true or false, not {}", other.kind());
                self.error_about(
                    Code::Condition,
                    used,
                    value,
                    message,
                    "compare it with something, as in `x == y`",
                );
                None
            }
        }
    }

    /// A chain of left-associative operators, walked without recursion.
    pub(super) fn binary(&mut self, binary: &Binary, span: Span, environment: Environment<'_>) -> Evaluated {
        let mut chain = vec![(binary, span)];
        while let Some((last, _)) = chain.last()
            && let ExpressionKind::Binary(inner) = &last.left.kind
        {
            chain.push((inner, last.left.span));
        }
        let mut left: Option<Evaluated> = None;
        while let Some((binary, span)) = chain.pop() {
            let value = match left.take() {
                Some(value) => value,
                None => self.evaluate(&binary.left, environment),
            };
            left = Some(self.pair(binary, value, span, environment));
        }
        left.unwrap_or_else(|| Evaluated::faulty(span))
    }

    fn pair(
        &mut self,
        binary: &Binary,
        left: Evaluated,
        span: Span,
        environment: Environment<'_>,
    ) -> Evaluated {
        use BinaryOperator as Operator;
        if matches!(binary.operator, Operator::And | Operator::Or) {
            return self.logical(binary, &left, span, environment);
        }
        let right = self.evaluate(&binary.right, environment);
        let sensitive = left.is_sensitive() || right.is_sensitive();
        if left.is_faulty() || right.is_faulty() {
            return Evaluated::faulty(span);
        }
        let value = match binary.operator {
            Operator::Equal => Value::Bool(left == right),
            Operator::NotEqual => Value::Bool(left != right),
            Operator::Less | Operator::LessOrEqual | Operator::Greater | Operator::GreaterOrEqual => {
                let Some(ordering) = compared(&left.value, &right.value) else {
                    return self.mismatch(binary, &left, &right);
                };
                Value::Bool(match binary.operator {
                    Operator::Less => ordering == Ordering::Less,
                    Operator::LessOrEqual => ordering != Ordering::Greater,
                    Operator::Greater => ordering == Ordering::Greater,
                    _ => ordering != Ordering::Less,
                })
            }
            operator => match computed(operator, &left.value, &right.value) {
                Some(Ok(value)) => value,
                Some(Err(())) => return self.no_answer(binary, span),
                None => return self.mismatch(binary, &left, &right),
            },
        };
        Evaluated::new(value, span).tainted(sensitive)
    }

    fn logical(
        &mut self,
        binary: &Binary,
        left: &Evaluated,
        span: Span,
        environment: Environment<'_>,
    ) -> Evaluated {
        let decided = binary.operator == BinaryOperator::Or;
        match self.truth(left, binary.left.span) {
            None => Evaluated::faulty(span),
            Some(truth) if truth == decided => {
                Evaluated::new(Value::Bool(decided), span).tainted(left.sensitive)
            }
            Some(_) => match self.condition(&binary.right, environment) {
                Some((truth, sensitive)) => {
                    Evaluated::new(Value::Bool(truth), span).tainted(sensitive || left.sensitive)
                }
                None => Evaluated::faulty(span),
            },
        }
    }

    fn no_answer(&mut self, binary: &Binary, span: Span) -> Evaluated {
        let zero = matches!(binary.operator, BinaryOperator::Divide | BinaryOperator::Modulo);
        let (message, help) = if zero {
            (
                "a division by zero has no answer",
                "guard it: `n == 0 ? 0 : x / n`",
            )
        } else {
            ("the result is too large a number", "keep numbers below 2^63")
        };
        self.error(Code::Arithmetic, span, message, help)
    }

    fn mismatch(&mut self, binary: &Binary, left: &Evaluated, right: &Evaluated) -> Evaluated {
        let symbol = binary.operator.symbol();
        let both_texts = left.as_text().is_some() && right.as_text().is_some();
        let (used, culprit) = if number(&left.value).is_some()
            || matches!(left.value, Value::Duration(_) | Value::Percent(_))
        {
            (binary.right.span, right)
        } else {
            (binary.left.span, left)
        };
        let message = format!(
            "`{symbol}` does not work between {} and {}",
            left.value.kind(),
            right.value.kind()
        );
        let help = if both_texts && binary.operator == BinaryOperator::Add {
            "join strings with `\"${a}${b}\"`"
        } else {
            "give two numbers, two durations or two percentages"
        };
        self.error_about(Code::WrongType, used, culprit, message, help)
    }
}

fn number(value: &Value) -> Option<Number> {
    match value {
        Value::Number(number) => Some(*number),
        Value::String { text, symbol: false } => Number::parse(text),
        _ => None,
    }
}

fn compared(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::Duration(left), Value::Duration(right)) => Some(left.cmp_length(*right)),
        (Value::Percent(left), Value::Percent(right)) => Some(left.cmp(right)),
        _ => Some(number(left)?.cmp(&number(right)?)),
    }
}

/// The result; `Err` when there is none, nothing when the operator is not for such values.
fn computed(operator: BinaryOperator, left: &Value, right: &Value) -> Option<Result<Value, ()>> {
    use BinaryOperator as Operator;
    let result = match (left, right, operator) {
        (Value::Duration(a), Value::Duration(b), Operator::Add) => a.plus(*b).map(Value::Duration),
        (Value::Duration(a), Value::Duration(b), Operator::Subtract) => {
            b.negated().and_then(|b| a.plus(b)).map(Value::Duration)
        }
        (Value::Duration(duration), factor, Operator::Multiply)
        | (factor, Value::Duration(duration), Operator::Multiply) => {
            duration.times(number(factor)?.as_integer()?).map(Value::Duration)
        }
        (Value::Percent(a), Value::Percent(b), Operator::Add) => a.plus(*b).map(Value::Percent),
        (Value::Percent(a), Value::Percent(b), Operator::Subtract) => a.minus(*b).map(Value::Percent),
        (Value::Percent(percent), factor, Operator::Multiply)
        | (factor, Value::Percent(percent), Operator::Multiply) => {
            percent.times(number(factor)?).map(Value::Percent)
        }
        _ => {
            let (a, b) = (number(left)?, number(right)?);
            match operator {
                Operator::Add => a.plus(b),
                Operator::Subtract => a.minus(b),
                Operator::Multiply => a.times(b),
                Operator::Divide => a.divided_by(b),
                Operator::Modulo => a.remainder(b),
                _ => return None,
            }
            .map(Value::Number)
        }
    };
    Some(result.ok_or(()))
}
