//! What an operand is made of: words, numbers, and what stands between brackets.

use super::{Read, Reader, Stop, error_at};
use crate::syntax::error::SyntaxErrorKind;
use crate::syntax::tree::{
    Argument, Call, Duration, DurationUnit, Entry, EntryKey, Expression, ExpressionKind, ForIntro, ForList,
    ForObject, Ident, Layout, Number,
};

impl Reader<'_> {
    /// An operand without what stands before and behind it. The height is that of the highest part.
    pub(super) fn primary(&mut self) -> Read<Expression> {
        self.height = 0;
        let start = self.at;
        let kind = match self.byte(0) {
            b'"' => ExpressionKind::String(self.template()?),
            b'0'..=b'9' => self.quantity(),
            b'[' => self.list()?,
            b'{' => self.object()?,
            b'(' => {
                self.at += 1;
                self.lines();
                let layout = self.layout(start, self.at);
                let inner = self.expression(true)?;
                self.expect(b')')?;
                ExpressionKind::Parenthesised(Box::new(inner), layout)
            }
            b'<' if self.byte(1) == b'<' => ExpressionKind::Heredoc(self.heredoc()?),
            b'\'' | 0xE2 if self.at_odd_quote() => {
                self.odd_string()?;
                ExpressionKind::Error
            }
            _ => return self.named(),
        };
        Ok(Expression {
            kind,
            span: self.since(start),
        })
    }

    /// A word, or a call.
    fn named(&mut self) -> Read<Expression> {
        let name = self.ident()?;
        let span = name.span;
        self.space();
        if self.eat(b'(') {
            let mut height = 0;
            let arguments = self.sequence(
                b')',
                Self::comma,
                |pools| &mut pools.arguments,
                |reader| {
                    let argument = reader.argument();
                    height = height.max(reader.height);
                    argument
                },
            )?;
            self.height = height;
            return Ok(Expression {
                span: span.to(self.since(span.range().start)),
                kind: ExpressionKind::Call(Box::new(Call { name, arguments })),
            });
        }
        let kind = match name.text.as_str() {
            "null" => ExpressionKind::Null,
            "true" => ExpressionKind::Bool(true),
            "false" => ExpressionKind::Bool(false),
            _ => ExpressionKind::Name(name.text),
        };
        Ok(Expression { kind, span })
    }

    /// An argument, and where it ends.
    pub(super) fn argument(&mut self) -> Read<(Argument, usize)> {
        let name = self.argument_name();
        let value = self.expression(true)?;
        let mut end = value.span.range().end;
        let expand = self.expand();
        if expand {
            end = self.at;
            self.lines();
        }
        Ok((Argument { name, value, expand }, end))
    }

    /// `name =` before an argument's value.
    fn argument_name(&mut self) -> Option<Ident> {
        let start = self.at;
        let word = self.word()?;
        let span = self.since(start);
        self.space();
        if self.byte(0) != b'=' || matches!(self.byte(1), b'=' | b'>') {
            self.at = start;
            return None;
        }
        self.at += 1;
        Some(Ident {
            text: word.to_owned(),
            span,
        })
    }

    fn expand(&mut self) -> bool {
        self.space();
        let found = self.looking_at(b"...");
        self.at += if found { 3 } else { 0 };
        found
    }

    pub(super) fn entry(&mut self) -> Read<Entry> {
        let key = self.key()?;
        self.space();
        self.assignment(true)?;
        let value = self.expression(false)?;
        Ok(Entry { key, value })
    }

    fn key(&mut self) -> Read<EntryKey> {
        let start = self.at;
        if self.at_word() {
            let name = self.ident()?;
            if !self.dotted() {
                return Ok(EntryKey::Name(name));
            }
            let (name, span) = (self.slice(start).to_owned(), self.since(start));
            self.report(span, SyntaxErrorKind::DottedKey { name });
            return Ok(EntryKey::Expression(error_at(span)));
        }
        if !matches!(self.byte(0), b'"' | b'0'..=b'9' | b'(') && !self.at_odd_quote() {
            return Err(Stop::Mismatch);
        }
        let outer = std::mem::replace(&mut self.on_one_line, true);
        let key = self.primary();
        self.on_one_line = outer;
        key.map(EntryKey::Expression)
    }

    /// `42`, `10%`, `4h`
    fn quantity(&mut self) -> ExpressionKind {
        let start = self.at;
        self.digits();
        if self.byte(0) == b'.' && self.byte(1).is_ascii_digit() {
            self.at += 1;
            self.digits();
        }
        if matches!(self.byte(0), b'e' | b'E') {
            let sign = usize::from(matches!(self.byte(1), b'+' | b'-'));
            if self.byte(1 + sign).is_ascii_digit() {
                self.at += 1 + sign;
                self.digits();
            }
        }
        let number = Number {
            text: self.slice(start).to_owned(),
        };
        let start = self.at;
        if let Some(suffix) = self.word() {
            let unit = DurationUnit::ALL.into_iter().find(|unit| unit.letter() == suffix);
            if let Some(unit) = unit {
                return ExpressionKind::Duration(Duration { amount: number, unit });
            }
            let kind = SyntaxErrorKind::Unit {
                number: number.text,
                suffix: suffix.to_owned(),
            };
            self.report(self.since(start), kind);
            return ExpressionKind::Error;
        }
        if self.byte(0) == b'%' && self.is_percent() {
            self.at += 1;
            return ExpressionKind::Percent(number);
        }
        ExpressionKind::Number(number)
    }

    /// Whether the `%` here makes a percentage: no operand follows it.
    fn is_percent(&mut self) -> bool {
        let start = self.at;
        self.at += 1;
        while matches!(self.byte(0), b' ' | b'\t') {
            self.at += 1;
        }
        let operand =
            !self.keyword("if") && (self.at_word() || matches!(self.byte(0), b'0'..=b'9' | b'"' | b'('));
        self.at = start;
        !operand
    }

    fn list(&mut self) -> Read<ExpressionKind> {
        let start = self.at;
        self.at += 1;
        if let Some(layout) = self.for_keyword(start) {
            return self.for_list(layout);
        }
        let mut height = 0;
        let list = self.sequence(
            b']',
            Self::comma,
            |pools| &mut pools.values,
            |reader| {
                let value = reader.expression(true)?;
                height = height.max(reader.height);
                let end = value.span.range().end;
                Ok((value, end))
            },
        )?;
        self.height = height;
        Ok(ExpressionKind::List(list))
    }

    fn object(&mut self) -> Read<ExpressionKind> {
        let start = self.at;
        self.at += 1;
        if let Some(layout) = self.for_keyword(start) {
            return self.for_object(layout);
        }
        let mut height = 0;
        let object = self.sequence(
            b'}',
            Self::comma_or_line_break,
            |pools| &mut pools.entries,
            |reader| {
                let entry = reader.entry()?;
                height = height.max(reader.height);
                let end = entry.value.span.range().end;
                Ok((entry, end))
            },
        )?;
        self.height = height;
        Ok(ExpressionKind::Object(object))
    }

    /// Steps over the `for` after a bracket, if a name follows: no value starts so. The layout is that of
    /// what stands between the brackets.
    fn for_keyword(&mut self, open: usize) -> Option<Layout> {
        let start = self.at;
        self.lines();
        let first = self.at;
        if self.keyword("for") {
            self.lines();
            if self.at_word() {
                return Some(self.layout(open, first));
            }
        }
        self.at = start;
        None
    }

    fn for_list(&mut self, layout: Layout) -> Read<ExpressionKind> {
        let intro = self.for_intro()?;
        let mut height = self.height;
        let value = self.expression(true)?;
        height = height.max(self.height);
        let condition = self.if_clause()?;
        self.height = height.max(self.height);
        self.expect(b']')?;
        Ok(ExpressionKind::ForList(Box::new(ForList {
            intro,
            value,
            condition,
            layout,
        })))
    }

    fn for_object(&mut self, layout: Layout) -> Read<ExpressionKind> {
        let intro = self.for_intro()?;
        let mut height = self.height;
        let key = self.single_line()?;
        height = height.max(self.height);
        self.expect(b'=')?;
        self.expect(b'>')?;
        let value = self.expression(true)?;
        height = height.max(self.height);
        let grouping = self.expand();
        self.lines();
        let condition = self.if_clause()?;
        self.height = height.max(self.height);
        self.expect(b'}')?;
        Ok(ExpressionKind::ForObject(Box::new(ForObject {
            intro,
            key,
            value,
            grouping,
            condition,
            layout,
        })))
    }

    /// The head of a `for`, after that word.
    fn for_intro(&mut self) -> Read<ForIntro> {
        let first = self.ident()?;
        self.space();
        let second = if self.eat(b',') {
            self.space();
            Some(self.ident()?)
        } else {
            None
        };
        self.space();
        if !self.keyword("in") {
            return Err(Stop::Mismatch);
        }
        let collection = self.expression(true)?;
        self.expect(b':')?;
        let (key, value) = match second {
            Some(second) => (Some(first), second),
            None => (None, first),
        };
        Ok(ForIntro {
            key,
            value,
            collection,
        })
    }

    fn if_clause(&mut self) -> Read<Option<Expression>> {
        self.height = 0;
        if self.keyword("if") {
            self.expression(true).map(Some)
        } else {
            Ok(None)
        }
    }
}
