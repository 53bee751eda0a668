//! What stands in a text, as a tree with its comments: the reader of everything that is right.
//!
//! It reads by the rules of `grammar/capol.pest` and gives up at the first character that no rule
//! takes; the grammar itself is asked only then, to say what could have stood there instead.
//!
//! The reader goes through a file in order and hands each comment to the item or element it stands
//! beside; one in the middle of an expression goes above the item or element around it.

mod cursor;
mod expression;
mod primary;
mod quoted;
mod trivia;

use std::ops::Range;

use super::error::{ERROR_LIMIT, SyntaxError, SyntaxErrorKind};
use super::span::{SourceFile, Span};
use super::tree::{
    Argument, Attribute, Block, Body, Comment, Element, Entry, Expression, ExpressionKind, Ident, Item,
    ItemKind, Label,
};

/// The most levels an expression may have, brackets and operators together.
pub(super) const DEPTH_LIMIT: usize = 256;

/// Why the reader gave up. Nothing it reported on the way counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// No rule takes what stands here.
    Mismatch,
    /// An expression is nested too deeply to be followed.
    TooDeep(Span),
}

type Read<T> = Result<T, Stop>;

/// Turns text into tree nodes, in the order of the text.
pub(super) struct Reader<'a> {
    file: &'a SourceFile,
    text: &'a str,
    /// The text up to the end of what is read.
    bytes: &'a [u8],
    at: usize,
    comments: &'a [Span],
    /// How many comments have found their place.
    taken: usize,
    depth: usize,
    /// How many levels the expression that was read last has.
    height: usize,
    /// Whether we are where no comment can be printed: between `${` and `}`, or in a key.
    on_one_line: bool,
    pools: Pools,
    pub(super) errors: Vec<SyntaxError>,
}

/// Where things wait until it is known how many there are, so that a list takes no more room than it needs.
#[derive(Default)]
struct Pools {
    items: Vec<Item>,
    values: Vec<Element<Expression>>,
    entries: Vec<Element<Entry>>,
    arguments: Vec<Element<Argument>>,
}

/// What is known of an item before it is read.
pub(super) struct Before {
    pub(super) comments: Vec<Comment>,
    blank: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a SourceFile, comments: &'a [Span]) -> Self {
        Self {
            file,
            text: file.text(),
            bytes: &[],
            at: 0,
            comments,
            taken: 0,
            depth: 0,
            height: 0,
            on_one_line: false,
            pools: Pools::default(),
            errors: Vec::new(),
        }
    }

    /// The attribute or block that is all of a range.
    pub(super) fn statement(&mut self, range: Range<usize>) -> Read<ItemKind> {
        self.whole(range, |reader| {
            reader.lines();
            let item = reader.item()?;
            reader.lines();
            Ok(item)
        })
    }

    /// The kind and labels of a block that are all of a range.
    pub(super) fn header(&mut self, range: Range<usize>) -> Read<(Ident, Vec<Label>)> {
        self.whole(range, |reader| {
            reader.lines();
            let kind = reader.ident()?;
            let labels = reader.labels()?;
            reader.lines();
            Ok((kind, labels))
        })
    }

    /// Reads an argument that is all of a range, for its errors alone.
    pub(super) fn one_argument(&mut self, range: Range<usize>) -> Read<()> {
        self.whole(range, |reader| reader.argument().map(drop))
    }

    /// Reads an entry that is all of a range, for its errors alone.
    pub(super) fn one_entry(&mut self, range: Range<usize>) -> Read<()> {
        self.whole(range, |reader| {
            reader.lines();
            reader.entry()?;
            reader.lines();
            Ok(())
        })
    }

    /// Reads all of a range, or takes back what was reported on the way.
    fn whole<T>(&mut self, range: Range<usize>, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<T> {
        self.bytes = self.text.as_bytes().get(..range.end).unwrap_or_default();
        self.at = range.start;
        self.depth = 0;
        self.on_one_line = false;
        let (taken, errors) = (self.taken, self.errors.len());
        let value = read(self).and_then(|value| {
            self.space();
            if self.at == self.bytes.len() {
                Ok(value)
            } else {
                Err(Stop::Mismatch)
            }
        });
        if value.is_err() {
            self.pools = Pools::default();
            self.taken = taken;
            self.errors.truncate(errors);
        }
        value
    }

    /// How far the reader came.
    pub(super) fn offset(&self) -> usize {
        self.at
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file.id(), start, end)
    }

    /// From a place to where the reader is.
    fn since(&self, start: usize) -> Span {
        self.span(start, self.at)
    }

    fn report(&mut self, span: Span, kind: SyntaxErrorKind) {
        self.push(SyntaxError::new(self.file, span, kind));
    }

    /// Adds an error, unless there are too many already.
    pub(super) fn push(&mut self, error: SyntaxError) {
        if !self.is_full() {
            self.errors.push(error);
        }
    }

    /// Whether no error is taken any more.
    pub(super) fn is_full(&self) -> bool {
        self.errors.len() >= ERROR_LIMIT
    }

    fn item(&mut self) -> Read<ItemKind> {
        let start = self.at;
        if let Some(text) = self.quoted_name()? {
            let name = Ident {
                text,
                span: self.since(start),
            };
            self.report(
                name.span,
                SyntaxErrorKind::QuotedName {
                    name: name.text.clone(),
                },
            );
            return self.attribute(name).map(ItemKind::Attribute);
        }
        let mut name = self.ident()?;
        if self.byte(0) == b'.' && self.dotted() {
            name.span = self.since(start);
            self.slice(start).clone_into(&mut name.text);
            self.report(
                name.span,
                SyntaxErrorKind::DottedName {
                    name: name.text.clone(),
                },
            );
            return self.attribute(name).map(ItemKind::Attribute);
        }
        self.space();
        if matches!(self.byte(0), b'=' | b':') {
            self.attribute(name).map(ItemKind::Attribute)
        } else {
            self.block(name).map(ItemKind::Block)
        }
    }

    /// An attribute from the sign after its name.
    fn attribute(&mut self, name: Ident) -> Read<Attribute> {
        self.space();
        self.assignment(false)?;
        let value = self.expression(false)?;
        Ok(Attribute {
            span: name.span.to(value.span),
            name,
            value,
        })
    }

    /// The sign before a value. Reports anything but `=`, and `:` where no colon may stand.
    fn assignment(&mut self, colon: bool) -> Read<()> {
        let start = self.at;
        let length = match (self.byte(0), self.byte(1)) {
            (b'=', b'=' | b'>') | (b':', b'=') => 2,
            (b'=' | b':', _) => 1,
            _ => return Err(Stop::Mismatch),
        };
        self.at += length;
        let written = self.slice(start);
        if written != "=" && !(colon && written == ":") {
            let written = written.to_owned();
            self.report(self.since(start), SyntaxErrorKind::Assignment { written });
        }
        Ok(())
    }

    /// A block from its labels on.
    fn block(&mut self, kind: Ident) -> Read<Block> {
        let labels = self.labels()?;
        let header = labels.last().map_or(kind.span, |last| kind.span.to(last.span));
        self.space();
        let open = self.at;
        self.expect(b'{')?;
        let (body, one_line) = self.block_body()?;
        Ok(Block {
            header,
            braces: self.since(open),
            span: kind.span.to(self.since(open)),
            kind,
            labels,
            body,
            one_line,
        })
    }

    /// What stands between the braces of a block, the closing one included, and whether it is on one line.
    fn block_body(&mut self) -> Read<(Body, bool)> {
        let open = self.at;
        self.space();
        let one_line = !self.at_line_break();
        self.lines();
        let opening = self.opening(open, self.at);
        let waiting = self.pools.items.len();
        let mut previous = open;
        while self.byte(0) != b'}' {
            let before = self.before_item(previous, self.at);
            let kind = self.item()?;
            self.space();
            if one_line {
                if self.eat(b',') {
                    self.space();
                } else if self.byte(0) != b'}' {
                    return Err(Stop::Mismatch);
                }
            } else if !self.lines() && self.byte(0) != b'}' {
                return Err(Stop::Mismatch);
            }
            let item = self.item_with_comments(before, kind, self.at);
            previous = item_end(&item);
            self.pools.items.push(item);
        }
        let span = self.since(open);
        let comments = self.comments_before(self.at, previous);
        self.at += 1;
        let items = self.pools.items.drain(waiting..).collect();
        let body = Body {
            opening,
            items,
            comments,
            span,
        };
        Ok((body, one_line))
    }

    /// Starts a body at a place, its first item starting at another.
    pub(super) fn start_body(&mut self, between: Span, first: Option<usize>) -> Body {
        let between_end = between.range().end;
        Body {
            opening: self.opening(between.range().start, first.unwrap_or(between_end)),
            items: Vec::new(),
            comments: Vec::new(),
            span: between,
        }
    }

    /// What stands above an item that starts at a place; `previous` is where the thing before it ends.
    pub(super) fn before_item(&mut self, previous: usize, start: usize) -> Before {
        let comments = self.comments_before(start, previous);
        let from = comments.last().map_or(previous, |last| last.span.range().end);
        Before {
            blank: self.blank_between(from, start),
            comments,
        }
    }

    /// An item with what stands beside it; `next` is where the one after it starts.
    pub(super) fn item_with_comments(&mut self, before: Before, kind: ItemKind, next: usize) -> Item {
        let mut item = Item {
            blank_before: before.blank,
            comments: before.comments,
            kind,
            trailing: None,
        };
        let end = item.span().range().end;
        item.comments.append(&mut self.comments_before(end, end));
        item.trailing = self.trailing(end, next);
        item
    }

    /// Takes what comments are left up to the end of the body.
    pub(super) fn finish_body(&mut self, mut body: Body) -> Body {
        let previous = end_of_items(&body);
        let mut rest = self.comments_before(body.span.range().end, previous);
        body.comments.append(&mut rest);
        body
    }

    fn labels(&mut self) -> Read<Vec<Label>> {
        let mut labels = Vec::new();
        loop {
            self.space();
            let start = self.at;
            let label = match self.byte(0) {
                b'"' => {
                    let template = self.template()?;
                    let span = self.since(start);
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
                b'\'' | 0xE2 if self.at_odd_quote() => Label {
                    text: self.odd_string()?,
                    quoted: true,
                    span: self.since(start),
                },
                _ => match self.word() {
                    Some(word) => Label {
                        text: word.to_owned(),
                        quoted: false,
                        span: self.since(start),
                    },
                    None => return Ok(labels),
                },
            };
            labels.push(label);
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

/// Where the last item of a body ends, or else where the body starts.
pub(super) fn end_of_items(body: &Body) -> usize {
    body.items
        .last()
        .map_or_else(|| body.span.range().start, item_end)
}

fn item_end(item: &Item) -> usize {
    let trailing = item.trailing.as_ref().map(|comment| comment.span);
    trailing.unwrap_or_else(|| item.span()).range().end
}
