//! Random trees that text can be written for.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::syntax::{
    Argument, Attribute, BinaryOperator, Block, Body, Call, Comment, Conditional, DurationUnit, Element,
    Entry, EntryKey, Expression, ExpressionKind, ForIntro, ForList, ForObject, Heredoc, Ident, Item, Layout,
    Literal, Sequence, Splat, SplatForm, Step, Template, TemplatePart, UnaryOperator,
};

fn name() -> impl Strategy<Value = String> {
    "[a-z_æ][a-zA-Z0-9_é-]{0,6}".prop_filter("is a keyword", |text| {
        !["for", "in", "if", "true", "false", "null", "and", "or", "not"].contains(&text.as_str())
    })
}

fn ident() -> impl Strategy<Value = Ident> {
    name().prop_map(|text| text.as_str().into())
}

fn number() -> impl Strategy<Value = String> {
    select(vec!["0", "7", "42", "0.5", "10.25", "1e3", "1.5E-7"]).prop_map(str::to_owned)
}

fn layout() -> impl Strategy<Value = Layout> {
    select(vec![Layout::Automatic, Layout::Inline, Layout::Broken])
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zA-Z0-9 .,:@/-]{0,30}",
        "[${}%\"\\\\\n\r\t#a]{0,8}",
        any::<String>(),
        select(vec![
            "\u{202E}",
            "\u{200B}x",
            "\u{feff}",
            "'“”",
            "// x",
            "/* y",
            "<<EOT"
        ])
        .prop_map(str::to_owned),
    ]
}

/// Parts without empty or neighbouring literals.
fn template(inner: impl Strategy<Value = Expression>) -> impl Strategy<Value = Template> {
    vec((text(), inner), 0..3).prop_flat_map(|pairs| {
        text().prop_map(move |last| {
            let mut parts = Vec::new();
            let literal = |value: &str| {
                (!value.is_empty()).then(|| {
                    TemplatePart::Literal(Literal {
                        value: value.to_owned(),
                        written: None,
                    })
                })
            };
            for (value, inner) in &pairs {
                parts.extend(literal(value));
                parts.push(TemplatePart::Interpolation(inner.clone()));
            }
            parts.extend(literal(&last));
            Template { parts }
        })
    })
}

/// A heredoc whose lines share no indentation, since that would be taken out again.
fn heredoc() -> impl Strategy<Value = Expression> {
    let line = select(vec!["", "text", "x ${ y", "tab\tand %{", "end. EOT"]);
    (any::<bool>(), vec((line, option::of(name())), 0..4)).prop_map(|(indented, lines)| {
        let mut parts: Vec<TemplatePart> = Vec::new();
        let mut literal = String::new();
        for (text, interpolated) in lines {
            literal.push_str(text);
            if let Some(word) = interpolated {
                if !literal.is_empty() {
                    parts.push(TemplatePart::Literal(Literal {
                        value: std::mem::take(&mut literal),
                        written: None,
                    }));
                }
                parts.push(TemplatePart::Interpolation(Expression::name(&word)));
            }
            literal.push('\n');
        }
        if !literal.is_empty() {
            parts.push(TemplatePart::Literal(Literal {
                value: literal,
                written: None,
            }));
        }
        ExpressionKind::Heredoc(Heredoc {
            indented,
            marker: "EOT".to_owned(),
            template: Template { parts },
        })
        .into()
    })
}

fn leaf() -> impl Strategy<Value = Expression> {
    prop_oneof![
        4 => name().prop_map(|word| Expression::name(&word)),
        2 => text().prop_map(|text| Expression::string(&text)),
        1 => number().prop_map(|text| Expression::number(&text)),
        1 => number().prop_map(|text| Expression::percent(&text)),
        1 => (0..100_u64, select(DurationUnit::ALL.to_vec())).prop_map(|(n, unit)| Expression::duration(n, unit)),
        1 => Just(Expression::null()),
        1 => any::<bool>().prop_map(Expression::bool),
    ]
}

/// Puts an expression in parentheses unless it binds tightly enough to be an operand or have a postfix.
fn primary(value: Expression) -> Expression {
    match value.kind {
        ExpressionKind::Binary(_)
        | ExpressionKind::Conditional(_)
        | ExpressionKind::Unary(..)
        | ExpressionKind::Heredoc(_)
        | ExpressionKind::Splat(_) => value.parenthesised(),
        _ => value,
    }
}

fn binary(left: Expression, operator: BinaryOperator, right: Expression) -> Expression {
    let precedence = |value: &Expression| match &value.kind {
        ExpressionKind::Binary(binary) => binary.operator.precedence(),
        ExpressionKind::Conditional(_) => 0,
        _ => u8::MAX,
    };
    let left = if precedence(&left) < operator.precedence() {
        left.parenthesised()
    } else {
        left
    };
    let right = if precedence(&right) <= operator.precedence() {
        right.parenthesised()
    } else {
        right
    };
    Expression::binary(left, operator, right)
}

const OPERATORS: [BinaryOperator; 13] = [
    BinaryOperator::Or,
    BinaryOperator::And,
    BinaryOperator::Equal,
    BinaryOperator::NotEqual,
    BinaryOperator::Less,
    BinaryOperator::LessOrEqual,
    BinaryOperator::Greater,
    BinaryOperator::GreaterOrEqual,
    BinaryOperator::Add,
    BinaryOperator::Subtract,
    BinaryOperator::Multiply,
    BinaryOperator::Divide,
    BinaryOperator::Modulo,
];

fn sequence<T: Clone + std::fmt::Debug>(
    element: impl Strategy<Value = T>,
) -> impl Strategy<Value = Sequence<T>> {
    (vec(element, 0..4), layout()).prop_map(|(elements, layout)| Sequence {
        layout,
        ..Sequence::new(elements)
    })
}

fn key(inner: impl Strategy<Value = Expression>) -> impl Strategy<Value = EntryKey> {
    prop_oneof![
        ident().prop_map(EntryKey::Name),
        text().prop_map(|text| EntryKey::Expression(Expression::string(&text))),
        number().prop_map(|text| EntryKey::Expression(Expression::number(&text))),
        inner.prop_map(|key| EntryKey::Expression(key.parenthesised())),
    ]
}

fn argument(inner: impl Strategy<Value = Expression>) -> impl Strategy<Value = Argument> {
    (option::weighted(0.2, ident()), inner, any::<bool>()).prop_map(|(name, value, expand)| Argument {
        name,
        value,
        expand,
    })
}

fn intro(inner: impl Strategy<Value = Expression>) -> impl Strategy<Value = ForIntro> {
    (option::of(ident()), ident(), inner).prop_map(|(key, value, collection)| ForIntro {
        key,
        value,
        collection,
    })
}

fn step(inner: impl Strategy<Value = Expression>) -> impl Strategy<Value = Step> {
    prop_oneof![ident().prop_map(Step::Attribute), inner.prop_map(Step::Index)]
}

pub(super) fn expression() -> impl Strategy<Value = Expression> {
    leaf().prop_recursive(5, 40, 4, |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            sequence(inner.clone()).prop_map(|list| ExpressionKind::List(list).into()),
            sequence((key(inner.clone()), inner.clone()).prop_map(|(key, value)| Entry { key, value }))
                .prop_map(|object| ExpressionKind::Object(object).into()),
            (ident(), sequence(argument(inner.clone())))
                .prop_map(
                    |(name, arguments)| ExpressionKind::Call(Box::new(Call { name, arguments })).into()
                ),
            template(inner.clone()).prop_map(|template| ExpressionKind::String(template).into()),
            (
                select(vec![UnaryOperator::Not, UnaryOperator::Negate]),
                inner.clone()
            )
                .prop_map(|(operator, operand)| ExpressionKind::Unary(
                    operator,
                    Box::new(primary(operand))
                )
                .into()),
            (two.clone(), select(OPERATORS.to_vec())).prop_map(|((left, right), op)| binary(left, op, right)),
            (two.clone(), inner.clone()).prop_map(|((condition, yes), no)| {
                let condition = match condition.kind {
                    ExpressionKind::Conditional(_) => condition.parenthesised(),
                    _ => condition,
                };
                ExpressionKind::Conditional(Box::new(Conditional { condition, yes, no })).into()
            }),
            (inner.clone(), name()).prop_map(|(base, name)| primary(base).attribute(&name)),
            two.prop_map(|(base, index)| primary(base).index(index)),
            (inner.clone(), 0..9_u8).prop_map(|(base, index)| {
                ExpressionKind::LegacyIndex(Box::new(primary(base)), index.to_string()).into()
            }),
            (inner.clone(), vec(step(inner.clone()), 0..3)).prop_map(|(base, steps)| {
                let (base, form) = (primary(base), SplatForm::Full);
                ExpressionKind::Splat(Box::new(Splat { base, form, steps })).into()
            }),
            (inner.clone(), vec(ident(), 0..3)).prop_map(|(base, names)| {
                let steps = names.into_iter().map(Step::Attribute).collect();
                let (base, form) = (primary(base), SplatForm::Attribute);
                ExpressionKind::Splat(Box::new(Splat { base, form, steps })).into()
            }),
            (
                intro(inner.clone()),
                inner.clone(),
                option::of(inner.clone()),
                layout()
            )
                .prop_map(|(intro, value, condition, layout)| {
                    ExpressionKind::ForList(Box::new(ForList {
                        intro,
                        value,
                        condition,
                        layout,
                    }))
                    .into()
                }),
            (
                intro(inner.clone()),
                inner.clone(),
                inner.clone(),
                any::<bool>(),
                option::of(inner.clone()),
                layout()
            )
                .prop_map(|(intro, key, value, grouping, condition, layout)| {
                    let object = ForObject {
                        intro,
                        key,
                        value,
                        grouping,
                        condition,
                        layout,
                    };
                    ExpressionKind::ForObject(Box::new(object)).into()
                }),
            (inner, layout()).prop_map(|(inner, layout)| {
                ExpressionKind::Parenthesised(Box::new(inner), layout).into()
            }),
        ]
    })
}

fn comment() -> impl Strategy<Value = Comment> {
    "[a-z0-9 {}\"$]{0,20}".prop_map(|text| Comment::new(&format!("c{text}")))
}

fn commented<T: Clone + std::fmt::Debug>(
    element: impl Strategy<Value = T>,
) -> impl Strategy<Value = Element<T>> {
    let comments = (
        vec(comment(), 0..2),
        option::weighted(0.2, comment().prop_map(Box::new)),
    );
    (element, comments, any::<bool>()).prop_map(|(value, (comments, trailing), blank_before)| Element {
        blank_before,
        comments,
        value,
        trailing,
    })
}

/// What only stands outside `${ }`: heredocs, and comments between elements.
fn value() -> impl Strategy<Value = Expression> {
    let element = || prop_oneof![4 => expression(), 1 => heredoc()];
    prop_oneof![
        6 => expression(),
        1 => heredoc(),
        1 => (vec(commented(element()), 0..4), option::of(comment().prop_map(Box::new)), vec(comment(), 0..2)).prop_map(
            |(elements, opening, comments)| {
                let layout = Layout::Broken;
                ExpressionKind::List(Sequence { opening, elements, comments, layout }).into()
            }
        ),
        1 => vec(commented((ident(), element()).prop_map(|(name, value)| Entry {
            key: EntryKey::Name(name),
            value,
        })), 0..4).prop_map(|elements| {
            let sequence = Sequence { opening: None, elements, comments: Vec::new(), layout: Layout::Automatic };
            ExpressionKind::Object(sequence).into()
        }),
        1 => (name(), vec(element(), 0..3)).prop_map(|(name, arguments)| Expression::call(&name, arguments)),
    ]
}

fn item(kind: impl Strategy<Value = Item>) -> impl Strategy<Value = Item> {
    (
        kind,
        vec(comment(), 0..2),
        option::weighted(0.2, comment()),
        any::<bool>(),
    )
        .prop_map(|(mut item, comments, trailing, blank_before)| {
            item.comments = comments;
            item.trailing = trailing.map(Box::new);
            item.blank_before = blank_before;
            item
        })
}

pub(super) fn body() -> impl Strategy<Value = Body> {
    let attribute = || (name(), value()).prop_map(|(name, value)| Attribute::new(&name, value).into());
    let leaf = vec(item(attribute()), 0..4).prop_map(plain_body);
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let block =
            (name(), vec(text(), 0..3), inner, any::<bool>()).prop_map(|(kind, labels, body, one_line)| {
                let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
                let mut block = Block::new(&kind, &labels, Vec::new());
                block.body = body;
                block.one_line = one_line;
                Item::from(block)
            });
        vec(item(prop_oneof![attribute(), block]), 0..4).prop_map(plain_body)
    })
}

fn plain_body(items: Vec<Item>) -> Body {
    let mut body = Body::new(Vec::new());
    body.items = items;
    body
}
