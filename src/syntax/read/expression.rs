//! Expressions: operators, and paths.

use super::{DEPTH_LIMIT, Read, Reader, Stop, error_at};
use crate::syntax::error::SyntaxErrorKind;
use crate::syntax::span::Span;
use crate::syntax::tree::{
    Binary, BinaryOperator, Conditional, Expression, ExpressionKind, Splat, SplatForm, Step, UnaryOperator,
};

/// What stands behind an operand.
enum Postfix {
    Step(Step),
    Splat(SplatForm),
}

/// Where the reader was, to go back to for what concerns comments and errors.
#[derive(Clone, Copy)]
struct Mark {
    taken: usize,
    errors: usize,
}

impl Reader<'_> {
    /// An expression. It ends at a line break unless it is wrapped in brackets.
    pub(super) fn expression(&mut self, wrapped: bool) -> Read<Expression> {
        self.gap(wrapped);
        let start = self.at;
        let mark = self.mark();
        if self.depth >= DEPTH_LIMIT {
            self.word();
            self.at += usize::from(self.at == start);
            return Err(Stop::TooDeep(self.since(start)));
        }
        self.depth += 1;
        let first = self.operand()?;
        let mut height = self.height;
        self.gap(wrapped);
        let mut rest = Vec::new();
        while let Some(operator) = self.operator() {
            self.gap(wrapped);
            let operand = self.operand()?;
            height = height.max(self.height);
            rest.push((operator, operand));
            self.gap(wrapped);
        }
        let levels = 1 + rest.len();
        let branches = if self.eat(b'?') {
            let yes = self.expression(wrapped)?;
            height = height.max(self.height);
            self.space();
            self.expect(b':')?;
            let no = self.expression(wrapped)?;
            height = height.max(self.height);
            Some((yes, no))
        } else {
            None
        };
        self.depth -= 1;
        if !self.is_within(levels + height, start, mark) {
            return Ok(error_at(self.since(start)));
        }
        let condition = if rest.is_empty() {
            first
        } else {
            climb(first, rest)
        };
        Ok(match branches {
            Some((yes, no)) => Expression {
                span: condition.span.to(no.span),
                kind: ExpressionKind::Conditional(Box::new(Conditional { condition, yes, no })),
            },
            None => condition,
        })
    }

    /// An expression in brackets where no comment can be printed, which is then left to what stands around it.
    pub(super) fn single_line(&mut self) -> Read<Expression> {
        let outer = std::mem::replace(&mut self.on_one_line, true);
        let expression = self.expression(true);
        self.on_one_line = outer;
        expression
    }

    /// Steps over what may stand between the parts of an expression.
    fn gap(&mut self, wrapped: bool) {
        if wrapped {
            self.lines();
        } else {
            self.space();
        }
    }

    fn mark(&self) -> Mark {
        Mark {
            taken: self.taken,
            errors: self.errors.len(),
        }
    }

    /// Whether something of so many levels is not too deep where it stands. Where it is, that is all that is
    /// said of it.
    fn is_within(&mut self, levels: usize, start: usize, mark: Mark) -> bool {
        self.height = levels;
        if self.depth + levels <= DEPTH_LIMIT {
            return true;
        }
        self.height = 0;
        self.taken = mark.taken;
        self.errors.truncate(mark.errors);
        self.report(self.since(start), SyntaxErrorKind::TooDeep { limit: DEPTH_LIMIT });
        false
    }

    fn operator(&mut self) -> Option<(BinaryOperator, Span)> {
        use BinaryOperator as B;
        let (operator, length) = match (self.byte(0), self.byte(1)) {
            (b'|', b'|') => (B::Or, 2),
            (b'&', b'&') => (B::And, 2),
            (b'=', b'=') => (B::Equal, 2),
            (b'!', b'=') => (B::NotEqual, 2),
            (b'<', b'=') => (B::LessOrEqual, 2),
            (b'>', b'=') => (B::GreaterOrEqual, 2),
            (b'<', next) if next != b'<' => (B::Less, 1),
            (b'>', _) => (B::Greater, 1),
            (b'+', _) => (B::Add, 1),
            (b'-', _) => (B::Subtract, 1),
            (b'*', _) => (B::Multiply, 1),
            (b'/', _) => (B::Divide, 1),
            (b'%', _) => (B::Modulo, 1),
            _ => return None,
        };
        let start = self.at;
        self.at += length;
        Some((operator, self.since(start)))
    }

    fn operand(&mut self) -> Read<Expression> {
        let start = self.at;
        let mark = self.mark();
        let mut prefixes = Vec::new();
        loop {
            let operator = match (self.byte(0), self.byte(1)) {
                (b'!', next) if next != b'=' => UnaryOperator::Not,
                (b'-', _) => UnaryOperator::Negate,
                _ => break,
            };
            prefixes.push((operator, self.at));
            self.at += 1;
            self.space();
        }
        let base = self.primary()?;
        let (mut value, postfixes) = self.postfixes(base)?;
        let levels = prefixes.len() + postfixes;
        if levels > 0 && !self.is_within(levels + self.height, start, mark) {
            return Ok(error_at(self.since(start)));
        }
        for (operator, at) in prefixes.into_iter().rev() {
            value = Expression {
                span: self.span(at, at).to(value.span),
                kind: ExpressionKind::Unary(operator, Box::new(value)),
            };
        }
        Ok(value)
    }

    /// What stands behind an operand, with how many parts that has. The height is that of the highest part.
    fn postfixes(&mut self, base: Expression) -> Read<(Expression, usize)> {
        let mut height = self.height;
        let mut value = base;
        let mut levels = 0;
        // The form of the splat that `value` is, while steps after it are taken from each element.
        let mut open = None;
        while let Some((postfix, part)) = self.postfix()? {
            height = height.max(self.height);
            levels += 1;
            if self.depth + levels > DEPTH_LIMIT {
                // Too deep already: only where it ends is of interest, and it must not grow any deeper.
                value = error_at(value.span.to(part));
                open = None;
                continue;
            }
            let span = value.span.to(part);
            let kind = match postfix {
                Postfix::Step(step) => {
                    if let (Some(form), ExpressionKind::Splat(splat)) = (open, &mut value.kind)
                        && continues(form, &step)
                    {
                        splat.steps.push(step);
                        value.span = span;
                        continue;
                    }
                    open = None;
                    match step {
                        Step::Attribute(name) => ExpressionKind::Attribute(Box::new(value), name),
                        Step::Index(index) => ExpressionKind::Index(Box::new(value), Box::new(index)),
                        Step::LegacyIndex(index, _) => ExpressionKind::LegacyIndex(Box::new(value), index),
                    }
                }
                Postfix::Splat(form) => {
                    if open.is_some() {
                        let kind = SyntaxErrorKind::Unexpected {
                            found: "second splat".to_owned(),
                            expected: vec!["a `for` expression"],
                        };
                        self.report(part, kind);
                    }
                    open = Some(form);
                    ExpressionKind::Splat(Box::new(Splat {
                        base: value,
                        form,
                        steps: Vec::new(),
                    }))
                }
            };
            value = Expression { kind, span };
        }
        self.height = height;
        Ok((value, levels))
    }

    fn postfix(&mut self) -> Read<Option<(Postfix, Span)>> {
        self.height = 0;
        self.space();
        let start = self.at;
        let postfix = match self.byte(0) {
            b'.' => {
                self.at += 1;
                self.space();
                let word = self.at;
                if self.at_word() {
                    Postfix::Step(Step::Attribute(self.ident()?))
                } else if self.digits() {
                    Postfix::Step(Step::LegacyIndex(self.slice(word).to_owned(), self.since(word)))
                } else if self.eat(b'*') {
                    Postfix::Splat(SplatForm::Attribute)
                } else {
                    self.at = start;
                    return Ok(None);
                }
            }
            b'[' => {
                self.at += 1;
                self.space();
                if self.eat(b'*') {
                    self.space();
                    self.expect(b']')?;
                    Postfix::Splat(SplatForm::Full)
                } else {
                    let index = self.expression(true)?;
                    self.expect(b']')?;
                    Postfix::Step(Step::Index(index))
                }
            }
            _ => return Ok(None),
        };
        Ok(Some((postfix, self.since(start))))
    }
}

/// Whether a step after a splat is taken from each element.
fn continues(form: SplatForm, step: &Step) -> bool {
    match step {
        Step::Attribute(_) => true,
        Step::Index(_) | Step::LegacyIndex(..) => form == SplatForm::Full,
    }
}

/// Operands and the operators between them as a tree, tighter operators further in, without recursion.
fn climb(first: Expression, rest: Vec<((BinaryOperator, Span), Expression)>) -> Expression {
    let mut done = first;
    // Left operands that wait for their right one, loosest operator first.
    let mut waiting: Vec<(Expression, BinaryOperator, Span)> = Vec::new();
    for ((operator, span), next) in rest {
        while let Some((left, pending, at)) =
            waiting.pop_if(|(_, pending, _)| pending.precedence() >= operator.precedence())
        {
            done = binary(left, pending, at, done);
        }
        waiting.push((done, operator, span));
        done = next;
    }
    while let Some((left, pending, at)) = waiting.pop() {
        done = binary(left, pending, at, done);
    }
    done
}

fn binary(left: Expression, operator: BinaryOperator, operator_span: Span, right: Expression) -> Expression {
    Expression {
        span: left.span.to(right.span),
        kind: ExpressionKind::Binary(Box::new(Binary {
            operator,
            operator_span,
            left,
            right,
        })),
    }
}
