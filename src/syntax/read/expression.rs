//! Expressions: operators, paths, and what stands between brackets.

use pest::iterators::Pair;

use super::{DEPTH_LIMIT, Reader, error_at};
use crate::syntax::error::SyntaxErrorKind;
use crate::syntax::grammar::Rule;
use crate::syntax::span::Span;
use crate::syntax::tree::{
    Argument, Binary, BinaryOperator, Call, Conditional, Duration, DurationUnit, Entry, EntryKey, Expression,
    ExpressionKind, ForIntro, ForList, ForObject, Number, Splat, SplatForm, Step, UnaryOperator,
};

impl Reader<'_> {
    /// An expression, wherever it stands.
    pub(super) fn expression(&mut self, pair: Pair<'_, Rule>) -> Expression {
        let span = self.span(&pair);
        let mut operands = Vec::new();
        let mut operators = Vec::new();
        let mut branches = Vec::new();
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::operand => operands.push(inner),
                Rule::operator => {
                    operators.push((binary_operator(inner.as_str()), self.span(&inner)));
                }
                Rule::expression | Rule::wrapped => branches.push(inner),
                _ => {}
            }
        }
        let levels = 1 + operators.len();
        let read = self.deeper(levels, span, |reader| {
            let mut operands = operands.into_iter().map(|operand| reader.operand(operand));
            let first = operands.next().unwrap_or_else(|| error_at(span));
            let rest: Vec<Expression> = operands.collect();
            let condition = climb(first, operators.into_iter().zip(rest));
            let mut branches = branches.into_iter();
            match (branches.next(), branches.next()) {
                (Some(yes), Some(no)) => {
                    let yes = reader.expression(yes);
                    let no = reader.expression(no);
                    Expression {
                        span: condition.span.to(no.span),
                        kind: ExpressionKind::Conditional(Box::new(Conditional { condition, yes, no })),
                    }
                }
                _ => condition,
            }
        });
        read.unwrap_or_else(|| error_at(span))
    }

    /// An expression where no comment can be printed, which is then left to what stands around it.
    pub(super) fn single_line(&mut self, pair: Pair<'_, Rule>) -> Expression {
        let outer = std::mem::replace(&mut self.on_one_line, true);
        let expression = self.expression(pair);
        self.on_one_line = outer;
        expression
    }

    /// Reads something that adds levels, unless there are too many already.
    fn deeper<T>(&mut self, levels: usize, span: Span, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.depth + levels > DEPTH_LIMIT {
            let known = self
                .errors
                .last()
                .is_some_and(|error| matches!(error.kind(), SyntaxErrorKind::TooDeep { .. }));
            if !known {
                self.report(span, SyntaxErrorKind::TooDeep { limit: DEPTH_LIMIT });
            }
            return None;
        }
        self.depth += levels;
        let value = read(self);
        self.depth -= levels;
        Some(value)
    }

    fn operand(&mut self, pair: Pair<'_, Rule>) -> Expression {
        let span = self.span(&pair);
        let mut prefixes = Vec::new();
        let mut primary = None;
        let mut postfixes = Vec::new();
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::prefix => prefixes.push(inner),
                _ if primary.is_none() => primary = Some(inner),
                _ => postfixes.push(inner),
            }
        }
        let levels = prefixes.len() + postfixes.len();
        let read = self.deeper(levels, span, |reader| {
            let base = primary.map_or_else(|| error_at(span), |primary| reader.primary(primary));
            let mut value = reader.postfixes(base, postfixes);
            for prefix in prefixes.into_iter().rev() {
                let operator = if prefix.as_str() == "!" {
                    UnaryOperator::Not
                } else {
                    UnaryOperator::Negate
                };
                value = Expression {
                    span: reader.span(&prefix).to(value.span),
                    kind: ExpressionKind::Unary(operator, Box::new(value)),
                };
            }
            value
        });
        read.unwrap_or_else(|| error_at(span))
    }

    fn postfixes(&mut self, base: Expression, pairs: Vec<Pair<'_, Rule>>) -> Expression {
        let mut value = base;
        let mut pairs = pairs.into_iter().peekable();
        while let Some(pair) = pairs.next() {
            let span = value.span.to(self.span(&pair));
            let form = match pair.as_rule() {
                Rule::full_splat => SplatForm::Full,
                Rule::attribute_splat => SplatForm::Attribute,
                _ => {
                    let kind = match self.step(pair) {
                        Step::Attribute(name) => ExpressionKind::Attribute(Box::new(value), name),
                        Step::Index(index) => ExpressionKind::Index(Box::new(value), Box::new(index)),
                        Step::LegacyIndex(index, _) => ExpressionKind::LegacyIndex(Box::new(value), index),
                    };
                    value = Expression { kind, span };
                    continue;
                }
            };
            let mut span = span;
            let mut steps = Vec::new();
            while let Some(next) = pairs.next_if(|next| continues(form, next.as_rule())) {
                span = span.to(self.span(&next));
                steps.push(self.step(next));
            }
            if let Some(second) = pairs
                .peek()
                .filter(|next| matches!(next.as_rule(), Rule::full_splat | Rule::attribute_splat))
            {
                let at = self.span(second);
                self.report(
                    at,
                    SyntaxErrorKind::Unexpected {
                        found: "second splat".to_owned(),
                        expected: vec!["a `for` expression"],
                    },
                );
            }
            value = Expression {
                kind: ExpressionKind::Splat(Box::new(Splat {
                    base: value,
                    form,
                    steps,
                })),
                span,
            };
        }
        value
    }

    fn step(&mut self, pair: Pair<'_, Rule>) -> Step {
        let span = self.span(&pair);
        match pair.into_inner().next() {
            Some(inner) if inner.as_rule() == Rule::identifier => Step::Attribute(self.ident(&inner)),
            Some(inner) if inner.as_rule() == Rule::digits => {
                Step::LegacyIndex(inner.as_str().to_owned(), self.span(&inner))
            }
            Some(inner) => Step::Index(self.expression(inner)),
            None => Step::Index(error_at(span)),
        }
    }

    fn primary(&mut self, pair: Pair<'_, Rule>) -> Expression {
        let span = self.span(&pair);
        let kind = match pair.as_rule() {
            Rule::string => ExpressionKind::String(self.template(pair)),
            Rule::heredoc => ExpressionKind::Heredoc(self.heredoc(pair)),
            Rule::quantity => self.quantity(pair),
            Rule::named => return self.named(pair),
            Rule::list => ExpressionKind::List(self.elements(pair, |reader, element| {
                let value = reader.expression(element);
                let end = value.span.end;
                (value, end)
            })),
            Rule::object => ExpressionKind::Object(self.elements(pair, |reader, entry| {
                let entry = reader.entry(entry);
                let end = entry.value.span.end;
                (entry, end)
            })),
            Rule::for_list | Rule::for_object => self.for_expression(pair),
            Rule::parenthesised => {
                let inner = pair.into_inner().next();
                let layout = inner.as_ref().map(|inner| {
                    let first = self.start(inner);
                    self.layout(span.start, first)
                });
                match (inner, layout) {
                    (Some(inner), Some(layout)) => {
                        ExpressionKind::Parenthesised(Box::new(self.expression(inner)), layout)
                    }
                    _ => ExpressionKind::Error,
                }
            }
            _ => {
                self.odd_string(&pair);
                ExpressionKind::Error
            }
        };
        Expression { kind, span }
    }

    /// Where something really starts: the grammar counts line breaks before it in.
    fn start(&self, pair: &Pair<'_, Rule>) -> u32 {
        let mut pair = pair.clone();
        while matches!(
            pair.as_rule(),
            Rule::wrapped | Rule::expression | Rule::operand | Rule::argument | Rule::entry | Rule::key
        ) {
            match pair.clone().into_inner().next() {
                Some(inner) => pair = inner,
                None => break,
            }
        }
        self.span(&pair).start
    }

    /// What stands between the brackets that a pair starts and ends with.
    fn elements<T>(
        &mut self,
        pair: Pair<'_, Rule>,
        read: impl for<'i> FnMut(&mut Self, Pair<'i, Rule>) -> (T, u32),
    ) -> crate::syntax::tree::Sequence<T> {
        let span = self.span(&pair);
        let between = Span {
            file: span.file,
            start: span.start + 1,
            end: span.end.saturating_sub(1),
        };
        let pairs = pair
            .into_inner()
            .filter(|inner| matches!(inner.as_rule(), Rule::wrapped | Rule::entry | Rule::argument))
            .map(|inner| (self.start(&inner), inner))
            .collect();
        self.sequence(between, pairs, read)
    }

    fn quantity(&mut self, pair: Pair<'_, Rule>) -> ExpressionKind {
        let mut number = Number { text: String::new() };
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::number => inner.as_str().clone_into(&mut number.text),
                Rule::percent => return ExpressionKind::Percent(number),
                _ => {
                    let suffix = inner.as_str();
                    let unit = DurationUnit::ALL.into_iter().find(|unit| unit.letter() == suffix);
                    return if let Some(unit) = unit {
                        ExpressionKind::Duration(Duration { amount: number, unit })
                    } else {
                        let span = self.span(&inner);
                        self.report(
                            span,
                            SyntaxErrorKind::Unit {
                                number: number.text,
                                suffix: suffix.to_owned(),
                            },
                        );
                        ExpressionKind::Error
                    };
                }
            }
        }
        ExpressionKind::Number(number)
    }

    fn named(&mut self, pair: Pair<'_, Rule>) -> Expression {
        let whole = self.span(&pair);
        let mut inner = pair.into_inner();
        let Some(name) = inner.next().map(|name| self.ident(&name)) else {
            return error_at(whole);
        };
        if let Some(arguments) = inner.next() {
            let span = name.span.to(self.span(&arguments));
            let arguments = self.elements(arguments, Self::argument);
            return Expression {
                kind: ExpressionKind::Call(Call { name, arguments }),
                span,
            };
        }
        let kind = match name.text.as_str() {
            "null" => ExpressionKind::Null,
            "true" => ExpressionKind::Bool(true),
            "false" => ExpressionKind::Bool(false),
            _ => ExpressionKind::Name(name.text),
        };
        Expression {
            kind,
            span: name.span,
        }
    }

    pub(super) fn argument(&mut self, pair: Pair<'_, Rule>) -> (Argument, u32) {
        let span = self.span(&pair);
        let mut argument = Argument {
            name: None,
            value: error_at(span),
            expand: false,
        };
        let mut end = span.end;
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::argument_name => {
                    argument.name = inner.into_inner().next().map(|name| self.ident(&name));
                }
                Rule::expand => {
                    argument.expand = true;
                    end = self.span(&inner).end;
                }
                _ => {
                    argument.value = self.expression(inner);
                    end = argument.value.span.end;
                }
            }
        }
        (argument, end)
    }

    pub(super) fn entry(&mut self, pair: Pair<'_, Rule>) -> Entry {
        let span = self.span(&pair);
        let mut key = EntryKey::Expression(error_at(span));
        let mut value = error_at(span);
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::key => key = self.key(inner),
                Rule::assign if inner.as_str() == ":" => {}
                Rule::assign => self.check_assign(&inner),
                _ => value = self.expression(inner),
            }
        }
        Entry { key, value }
    }

    fn key(&mut self, pair: Pair<'_, Rule>) -> EntryKey {
        let span = self.span(&pair);
        let Some(inner) = pair.into_inner().next() else {
            return EntryKey::Expression(error_at(span));
        };
        match inner.as_rule() {
            Rule::identifier => EntryKey::Name(self.ident(&inner)),
            Rule::odd_key => {
                let name = inner.as_str().to_owned();
                let span = self.span(&inner);
                self.report(span, SyntaxErrorKind::DottedKey { name });
                EntryKey::Expression(error_at(span))
            }
            _ => {
                let outer = std::mem::replace(&mut self.on_one_line, true);
                let key = self.primary(inner);
                self.on_one_line = outer;
                EntryKey::Expression(key)
            }
        }
    }

    fn for_expression(&mut self, pair: Pair<'_, Rule>) -> ExpressionKind {
        let span = self.span(&pair);
        let list = pair.as_rule() == Rule::for_list;
        let mut intro = None;
        let mut layout = None;
        let mut grouping = false;
        let mut condition = None;
        let mut values = Vec::new();
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::for_intro => {
                    layout = Some(self.layout(span.start, self.span(&inner).start));
                    intro = Some(self.for_intro(inner));
                }
                Rule::wrapped if !list && values.is_empty() => values.push(self.single_line(inner)),
                Rule::wrapped => values.push(self.expression(inner)),
                Rule::expand => grouping = true,
                Rule::if_clause => {
                    condition = inner
                        .into_inner()
                        .find(|part| part.as_rule() == Rule::wrapped)
                        .map(|part| self.expression(part));
                }
                _ => {}
            }
        }
        let mut values = values.into_iter();
        match (intro.flatten(), layout, values.next(), values.next(), list) {
            (Some(intro), Some(layout), Some(value), None, true) => {
                ExpressionKind::ForList(Box::new(ForList {
                    intro,
                    value,
                    condition,
                    layout,
                }))
            }
            (Some(intro), Some(layout), Some(key), Some(value), false) => {
                ExpressionKind::ForObject(Box::new(ForObject {
                    intro,
                    key,
                    value,
                    grouping,
                    condition,
                    layout,
                }))
            }
            _ => ExpressionKind::Error,
        }
    }

    fn for_intro(&mut self, pair: Pair<'_, Rule>) -> Option<ForIntro> {
        let mut names = Vec::new();
        let mut collection = None;
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::identifier => names.push(self.ident(&inner)),
                Rule::wrapped => collection = Some(self.expression(inner)),
                _ => {}
            }
        }
        Some(ForIntro {
            value: names.pop()?,
            key: names.pop(),
            collection: collection?,
        })
    }
}

/// Whether a postfix after a splat is taken from each element.
fn continues(form: SplatForm, rule: Rule) -> bool {
    match rule {
        Rule::access => true,
        Rule::index | Rule::legacy_index => form == SplatForm::Full,
        _ => false,
    }
}

fn binary_operator(symbol: &str) -> BinaryOperator {
    match symbol {
        "||" => BinaryOperator::Or,
        "&&" => BinaryOperator::And,
        "==" => BinaryOperator::Equal,
        "!=" => BinaryOperator::NotEqual,
        "<" => BinaryOperator::Less,
        "<=" => BinaryOperator::LessOrEqual,
        ">" => BinaryOperator::Greater,
        ">=" => BinaryOperator::GreaterOrEqual,
        "+" => BinaryOperator::Add,
        "-" => BinaryOperator::Subtract,
        "*" => BinaryOperator::Multiply,
        "/" => BinaryOperator::Divide,
        // The only one left in the grammar is `%`.
        _ => BinaryOperator::Modulo,
    }
}

/// Operands and the operators between them as a tree, tighter operators further in, without recursion.
fn climb(first: Expression, rest: impl Iterator<Item = ((BinaryOperator, Span), Expression)>) -> Expression {
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
