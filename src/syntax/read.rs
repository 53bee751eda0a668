//! What the grammar matched, as a tree with its comments.
//!
//! Comments are implicit in the grammar. The reader goes through a file in order
//! and hands each comment to the item or element it stands beside; one in the
//! middle of an expression goes above the item or element around it.

mod expression;
mod quoted;
mod trivia;

use pest::iterators::Pair;

use super::error::{SyntaxError, SyntaxErrorKind};
use super::grammar::Rule;
use super::span::{SourceFile, Span};
use super::tree::{
    Attribute, Block, Body, Comment, Expression, ExpressionKind, Ident, Item, ItemKind, Label,
};

/// The most levels an expression may have, brackets and operators together.
pub(super) const DEPTH_LIMIT: usize = 256;

/// Turns pairs into tree nodes, in the order of the text.
pub(super) struct Reader<'a> {
    file: &'a SourceFile,
    /// Where the text that the grammar saw starts in the file.
    base: usize,
    comments: &'a [Comment],
    /// How many comments have found their place.
    taken: usize,
    depth: usize,
    /// Whether we are where no comment can be printed: between `${` and `}`, or in a key.
    on_one_line: bool,
    pub(super) errors: Vec<SyntaxError>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a SourceFile, comments: &'a [Comment]) -> Self {
        Self {
            file,
            base: 0,
            comments,
            taken: 0,
            depth: 0,
            on_one_line: false,
            errors: Vec::new(),
        }
    }

    /// Says where the text of the pairs that follow starts.
    pub(super) fn set_base(&mut self, base: usize) {
        self.base = base;
    }

    pub(super) fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        let span = pair.as_span();
        Span::new(self.file.id(), self.base + span.start(), self.base + span.end())
    }

    pub(super) fn report(&mut self, span: Span, kind: SyntaxErrorKind) {
        self.errors.push(SyntaxError::new(self.file, span, kind));
    }

    pub(super) fn ident(&self, pair: &Pair<'_, Rule>) -> Ident {
        Ident {
            text: pair.as_str().to_owned(),
            span: self.span(pair),
        }
    }

    /// The item of a `statement`.
    pub(super) fn statement(&mut self, pair: Pair<'_, Rule>) -> Option<ItemKind> {
        pair.into_inner().find_map(|inner| self.item(inner))
    }

    /// Reads one element for its errors alone.
    pub(super) fn element(&mut self, pair: Pair<'_, Rule>) {
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::argument => drop(self.argument(inner)),
                Rule::entry => drop(self.entry(inner)),
                _ => {}
            }
        }
    }

    fn item(&mut self, pair: Pair<'_, Rule>) -> Option<ItemKind> {
        match pair.as_rule() {
            Rule::attribute | Rule::odd_attribute => Some(ItemKind::Attribute(self.attribute(pair))),
            Rule::block => Some(ItemKind::Block(self.block(pair))),
            _ => None,
        }
    }

    fn attribute(&mut self, pair: Pair<'_, Rule>) -> Attribute {
        let span = self.span(&pair);
        let mut name = None;
        let mut value: Option<Expression> = None;
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::identifier => name = Some(self.ident(&inner)),
                Rule::odd_name => name = Some(self.odd_name(&inner)),
                Rule::assign => self.check_assign(&inner),
                _ => value = Some(self.expression(inner)),
            }
        }
        let name = name.unwrap_or_else(|| Ident {
            text: String::new(),
            span,
        });
        let value = value.unwrap_or_else(|| error_at(span));
        Attribute {
            span: name.span.to(value.span),
            name,
            value,
        }
    }

    /// A quoted or dotted name, reported, read as the name that was meant.
    fn odd_name(&mut self, pair: &Pair<'_, Rule>) -> Ident {
        let span = self.span(pair);
        let text = pair.as_str();
        let bare = text.trim_matches(['"', '\'', '“', '”']).to_owned();
        if bare.len() == text.len() {
            self.report(
                span,
                SyntaxErrorKind::DottedName {
                    name: text.to_owned(),
                },
            );
        } else {
            self.report(span, SyntaxErrorKind::QuotedName { name: bare.clone() });
        }
        Ident { text: bare, span }
    }

    /// Reports anything but `=` before an attribute's value.
    fn check_assign(&mut self, pair: &Pair<'_, Rule>) {
        if pair.as_str() != "=" {
            let written = pair.as_str().to_owned();
            let span = self.span(pair);
            self.report(span, SyntaxErrorKind::Assignment { written });
        }
    }

    fn block(&mut self, pair: Pair<'_, Rule>) -> Block {
        let span = self.span(&pair);
        let mut kind = Ident {
            text: String::new(),
            span,
        };
        let mut header = span;
        let mut labels = Vec::new();
        let mut open = span;
        let mut close = span;
        let mut inside = None;
        for inner in pair.into_inner() {
            match inner.as_rule() {
                Rule::identifier => {
                    kind = self.ident(&inner);
                    header = kind.span;
                }
                Rule::label => {
                    let label = self.label(inner);
                    header = header.to(label.span);
                    labels.push(label);
                }
                Rule::open_brace => open = self.span(&inner),
                Rule::close_brace => close = self.span(&inner),
                Rule::body => inside = Some(inner),
                _ => {}
            }
        }
        let between = Span {
            file: span.file,
            start: open.end,
            end: close.start,
        };
        let one_line = !inside
            .as_ref()
            .is_some_and(|body| self.starts_with_line_break(body));
        let pairs = inside.into_iter().flat_map(Pair::into_inner);
        let body = self.body(pairs, between);
        Block {
            kind,
            labels,
            body,
            one_line,
            header,
            braces: open.to(close),
            span,
        }
    }

    fn starts_with_line_break(&self, body: &Pair<'_, Rule>) -> bool {
        let start = self.span(body).start;
        let first = body
            .clone()
            .into_inner()
            .next()
            .map_or_else(|| self.span(body).end, |inner| self.span(&inner).start);
        let head = Span {
            file: self.file.id(),
            start,
            end: first,
        };
        self.file.slice(head).contains('\n')
    }

    /// The items between two places, with the comments around them.
    fn body<'i>(&mut self, pairs: impl Iterator<Item = Pair<'i, Rule>>, between: Span) -> Body {
        let items: Vec<Pair<'_, Rule>> = pairs
            .filter(|pair| {
                matches!(
                    pair.as_rule(),
                    Rule::attribute | Rule::block | Rule::odd_attribute
                )
            })
            .collect();
        let mut builder = self.start_body(between, items.first().map(|pair| self.span(pair).start));
        let mut items = items.into_iter().peekable();
        while let Some(pair) = items.next() {
            let start = self.span(&pair).start;
            let next = items.peek().map_or(between.end, |next| self.span(next).start);
            self.add_item(&mut builder, start, next, |reader| reader.item(pair));
        }
        self.finish_body(builder)
    }

    /// Starts a body at a place, its first item starting at another.
    pub(super) fn start_body(&mut self, between: Span, first: Option<u32>) -> Body {
        Body {
            opening: self.opening(between.start, first.unwrap_or(between.end)),
            items: Vec::new(),
            comments: Vec::new(),
            span: between,
        }
    }

    /// Adds an item that starts at a place; `next` is where the one after it starts.
    pub(super) fn add_item(
        &mut self,
        body: &mut Body,
        start: u32,
        next: u32,
        read: impl FnOnce(&mut Self) -> Option<ItemKind>,
    ) {
        let previous = body.items.last().map_or(body.span.start, item_end);
        let mut comments = self.comments_before(start, previous);
        let from = comments.last().map_or(previous, |last| last.span.end);
        let blank_before = self.blank_between(from, start);
        let Some(kind) = read(self) else {
            body.comments.extend(comments);
            return;
        };
        let mut item = Item {
            blank_before,
            comments: Vec::new(),
            kind,
            trailing: None,
        };
        let end = item.span().end;
        comments.extend(self.comments_before(end, end));
        item.comments = comments;
        item.trailing = self.trailing(end, next);
        body.items.push(item);
    }

    /// Takes what comments are left up to the end of the body.
    pub(super) fn finish_body(&mut self, mut body: Body) -> Body {
        let previous = body.items.last().map_or(body.span.start, item_end);
        let rest = self.comments_before(body.span.end, previous);
        body.comments.extend(rest);
        body
    }

    pub(super) fn label(&mut self, pair: Pair<'_, Rule>) -> Label {
        let span = self.span(&pair);
        let Some(inner) = pair.into_inner().next() else {
            return Label {
                text: String::new(),
                quoted: false,
                span,
            };
        };
        match inner.as_rule() {
            Rule::string => {
                let template = self.template(inner);
                let text = template.plain().map(str::to_owned);
                if text.is_none() {
                    self.report(span, SyntaxErrorKind::LabelTemplate);
                }
                Label {
                    text: text.unwrap_or_default(),
                    quoted: true,
                    span,
                }
            }
            Rule::odd_string => Label {
                text: self.odd_string(&inner),
                quoted: true,
                span,
            },
            _ => Label {
                text: inner.as_str().to_owned(),
                quoted: false,
                span,
            },
        }
    }
}

/// What stands in for an expression that could not be read.
pub(super) fn error_at(span: Span) -> Expression {
    Expression {
        kind: ExpressionKind::Error,
        span,
    }
}

fn item_end(item: &Item) -> u32 {
    item.trailing
        .as_ref()
        .map_or(item.span().end, |comment| comment.span.end)
}
