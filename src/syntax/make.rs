//! Trees made by code: nodes without spans, for the formatter to lay out.

use super::escape::needs_code_point;
use super::span::Span;
use super::tree::{
    Argument, Attribute, Binary, BinaryOperator, Block, Body, Call, Comment, Duration, DurationUnit, Element,
    Entry, EntryKey, Expression, ExpressionKind, Ident, Item, ItemKind, Label, Layout, Literal, Number,
    Sequence, Template, TemplatePart, UnaryOperator,
};

impl From<&str> for Ident {
    fn from(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            span: Span::SYNTHETIC,
        }
    }
}

/// Whether a text can be written as a bare word: a name, or a key without quotes.
pub fn is_identifier(text: &str) -> bool {
    let mut characters = text.chars();
    characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|next| next.is_ascii_alphanumeric() || next == '_' || next == '-')
}

impl Comment {
    /// A `# …` comment of one line; line breaks in the text become spaces, and characters that nobody sees are spelt.
    pub fn new(text: &str) -> Self {
        let line: Vec<&str> = text.split_whitespace().collect();
        let mut shown = String::new();
        for character in line.join(" ").chars() {
            if needs_code_point(character) && !matches!(character, '\u{200C}' | '\u{200D}') {
                shown.extend(character.escape_unicode());
            } else {
                shown.push(character);
            }
        }
        Self {
            text: format!("# {shown}"),
            blank_before: false,
            span: Span::SYNTHETIC,
        }
    }
}

impl Body {
    /// A body of items. Empty lines set blocks that take several lines apart from what stands around them.
    pub fn new(items: Vec<Item>) -> Self {
        let mut body = Self {
            opening: None,
            items: Vec::new(),
            comments: Vec::new(),
            span: Span::SYNTHETIC,
        };
        for item in items {
            body.push(item);
        }
        body
    }

    /// Adds an item at the end, set apart by an empty line where it or the one before is a block that takes
    /// several lines.
    pub fn push(&mut self, mut item: Item) {
        let apart = self
            .items
            .last()
            .is_some_and(|last| last.takes_lines() || item.takes_lines());
        if apart {
            match item.comments.first_mut() {
                Some(first) => first.blank_before = true,
                None => item.blank_before = true,
            }
        }
        self.items.push(item);
    }
}

impl Item {
    /// The same item below comments, one a line.
    #[must_use]
    pub fn with_comments<'a>(mut self, lines: impl IntoIterator<Item = &'a str>) -> Self {
        self.comments.extend(lines.into_iter().map(Comment::new));
        self
    }

    /// The same item with a comment behind it.
    #[must_use]
    pub fn with_trailing(mut self, text: &str) -> Self {
        self.trailing = Some(Box::new(Comment::new(text)));
        self
    }

    /// The same item below an empty line.
    #[must_use]
    pub fn apart(mut self) -> Self {
        self.blank_before = true;
        self
    }

    fn takes_lines(&self) -> bool {
        matches!(&self.kind, ItemKind::Block(block) if !block.one_line)
    }
}

impl From<ItemKind> for Item {
    fn from(kind: ItemKind) -> Self {
        Self {
            blank_before: false,
            comments: Vec::new(),
            kind,
            trailing: None,
        }
    }
}

impl From<Attribute> for Item {
    fn from(attribute: Attribute) -> Self {
        ItemKind::Attribute(attribute).into()
    }
}

impl From<Block> for Item {
    fn from(block: Block) -> Self {
        ItemKind::Block(block).into()
    }
}

impl Attribute {
    /// `name = value`
    pub fn new(name: &str, value: Expression) -> Self {
        Self {
            name: name.into(),
            value,
            span: Span::SYNTHETIC,
        }
    }
}

impl Block {
    /// `kind "label" { … }` over several lines.
    pub fn new(kind: &str, labels: &[&str], items: Vec<Item>) -> Self {
        Self {
            kind: kind.into(),
            labels: labels
                .iter()
                .map(|label| Label {
                    text: (*label).to_owned(),
                    quoted: true,
                    span: Span::SYNTHETIC,
                })
                .collect(),
            body: Body::new(items),
            one_line: false,
            header: Span::SYNTHETIC,
            braces: Span::SYNTHETIC,
            span: Span::SYNTHETIC,
        }
    }

    /// The same block on one line, if it fits.
    #[must_use]
    pub fn on_one_line(mut self) -> Self {
        self.one_line = true;
        for item in &mut self.body.items {
            item.blank_before = false;
        }
        self
    }
}

impl<T> Sequence<T> {
    /// Elements without comments, laid out by the formatter.
    pub fn new(elements: impl IntoIterator<Item = T>) -> Self {
        Self {
            opening: None,
            elements: elements.into_iter().map(Element::new).collect(),
            comments: Vec::new(),
            layout: Layout::Automatic,
        }
    }
}

impl<T> Element<T> {
    /// An element without comments.
    pub fn new(value: T) -> Self {
        Self {
            blank_before: false,
            comments: Vec::new(),
            value,
            trailing: None,
        }
    }

    /// The same element with a comment behind it.
    #[must_use]
    pub fn with_trailing(mut self, text: &str) -> Self {
        self.trailing = Some(Box::new(Comment::new(text)));
        self
    }
}

impl Argument {
    /// An argument by its place.
    pub fn positional(value: Expression) -> Self {
        Self {
            name: None,
            value,
            expand: false,
        }
    }

    /// `name = value`
    pub fn named(name: &str, value: Expression) -> Self {
        Self {
            name: Some(name.into()),
            ..Self::positional(value)
        }
    }
}

impl Entry {
    /// `key = value`, the key in quotes only where it needs them.
    pub fn new(key: &str, value: Expression) -> Self {
        let key = if is_identifier(key) {
            EntryKey::Name(key.into())
        } else {
            EntryKey::Expression(Expression::string(key))
        };
        Self { key, value }
    }
}

impl From<ExpressionKind> for Expression {
    fn from(kind: ExpressionKind) -> Self {
        Self {
            kind,
            span: Span::SYNTHETIC,
        }
    }
}

impl Expression {
    /// `null`
    pub fn null() -> Self {
        ExpressionKind::Null.into()
    }

    /// `true`, `false`
    pub fn bool(value: bool) -> Self {
        ExpressionKind::Bool(value).into()
    }

    /// A whole number.
    pub fn integer(value: i64) -> Self {
        Self::number(&value.to_string())
    }

    /// A number from its decimal text, which may start with a minus sign.
    pub fn number(text: &str) -> Self {
        match text.strip_prefix('-') {
            Some(digits) => {
                ExpressionKind::Unary(UnaryOperator::Negate, Box::new(Self::number(digits))).into()
            }
            None => ExpressionKind::Number(Number {
                text: text.to_owned(),
            })
            .into(),
        }
    }

    /// `4h`
    pub fn duration(amount: u64, unit: DurationUnit) -> Self {
        let amount = Number {
            text: amount.to_string(),
        };
        ExpressionKind::Duration(Duration { amount, unit }).into()
    }

    /// `10%`, from the number's decimal text.
    pub fn percent(text: &str) -> Self {
        ExpressionKind::Percent(Number {
            text: text.to_owned(),
        })
        .into()
    }

    /// `"text"`; whatever the text holds is escaped when printed.
    pub fn string(text: &str) -> Self {
        ExpressionKind::String(Template::text(text)).into()
    }

    /// A bare word. The text must be an identifier, see [`is_identifier`].
    pub fn name(text: &str) -> Self {
        ExpressionKind::Name(text.to_owned()).into()
    }

    /// `policy.mfa`, from its words. Each must be an identifier; [`Expression::index`] takes other keys.
    pub fn reference(words: &[&str]) -> Self {
        let mut words = words.iter();
        let first = Self::name(words.next().copied().unwrap_or_default());
        words.fold(first, |base, word| base.attribute(word))
    }

    /// `self.name`
    #[must_use]
    pub fn attribute(self, name: &str) -> Self {
        ExpressionKind::Attribute(Box::new(self), name.into()).into()
    }

    /// `self[index]`
    #[must_use]
    pub fn index(self, index: Self) -> Self {
        ExpressionKind::Index(Box::new(self), Box::new(index)).into()
    }

    /// `[a, b]`
    pub fn list(elements: impl IntoIterator<Item = Self>) -> Self {
        ExpressionKind::List(Sequence::new(elements)).into()
    }

    /// `{ key = value }`
    pub fn object<'a>(entries: impl IntoIterator<Item = (&'a str, Self)>) -> Self {
        let entries = entries.into_iter().map(|(key, value)| Entry::new(key, value));
        ExpressionKind::Object(Sequence::new(entries)).into()
    }

    /// `name(a, b)`
    pub fn call(name: &str, arguments: impl IntoIterator<Item = Self>) -> Self {
        Self::call_with(name, arguments.into_iter().map(Argument::positional))
    }

    /// `name(a, b = c)`
    pub fn call_with(name: &str, arguments: impl IntoIterator<Item = Argument>) -> Self {
        ExpressionKind::Call(Box::new(Call {
            name: name.into(),
            arguments: Sequence::new(arguments),
        }))
        .into()
    }

    /// `left operator right`. Operands that bind less tightly must stand in parentheses.
    pub fn binary(left: Self, operator: BinaryOperator, right: Self) -> Self {
        ExpressionKind::Binary(Box::new(Binary {
            operator,
            operator_span: Span::SYNTHETIC,
            left,
            right,
        }))
        .into()
    }

    /// `(self)`
    #[must_use]
    pub fn parenthesised(self) -> Self {
        ExpressionKind::Parenthesised(Box::new(self), Layout::Automatic).into()
    }
}

impl Template {
    /// A template of text alone.
    pub fn text(text: &str) -> Self {
        let parts = if text.is_empty() {
            Vec::new()
        } else {
            vec![TemplatePart::Literal(Literal {
                value: text.to_owned(),
                written: None,
            })]
        };
        Self { parts }
    }
}
