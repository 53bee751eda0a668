//! Which comment belongs to what.

use super::{Pools, Read, Reader, Stop};
use crate::syntax::span::Span;
use crate::syntax::tree::{Comment, Element, Layout, Sequence};

impl Reader<'_> {
    fn between(&self, start: usize, end: usize) -> &str {
        self.text.get(start..end.max(start)).unwrap_or_default()
    }

    /// Whether an empty line lies between two places with only space and commas between them.
    pub(super) fn blank_between(&self, start: usize, end: usize) -> bool {
        let mut on_line = true;
        for byte in self.between(start, end).bytes() {
            match byte {
                b'\n' if !on_line => return true,
                b'\n' => on_line = false,
                _ => on_line |= !byte.is_ascii_whitespace(),
            }
        }
        false
    }

    /// Takes the comments that start before a place; `previous` is where the thing before them ends.
    pub(super) fn comments_before(&mut self, place: usize, previous: usize) -> Vec<Comment> {
        let mut comments = Vec::new();
        let mut previous = previous;
        while let Some(comment) = self.comments.get(self.taken)
            && comment.range().start < place
            && !self.on_one_line
        {
            let span = *comment;
            let mut comment = self.comment(span);
            comment.blank_before = self.blank_between(previous, span.range().start);
            previous = span.range().end;
            comments.push(comment);
            self.taken += 1;
        }
        comments
    }

    fn take(&mut self) -> Option<Box<Comment>> {
        let span = *self.comments.get(self.taken)?;
        self.taken += 1;
        Some(Box::new(self.comment(span)))
    }

    fn comment(&self, span: Span) -> Comment {
        Comment {
            text: self.file.slice(span).replace("\r\n", "\n"),
            blank_before: false,
            span,
        }
    }

    /// Takes the comment on the line where something ended. One that the next thing follows on the same
    /// line, after a comma, belongs to that.
    pub(super) fn trailing(&mut self, end: usize, next: usize) -> Option<Box<Comment>> {
        let comment = self.comments.get(self.taken)?.range();
        if self.on_one_line || comment.start < end || comment.start >= next {
            return None;
        }
        let gap = self.between(end, comment.start);
        let after = self.between(comment.end, next);
        let belongs = !gap.contains('\n') && (after.contains('\n') || !gap.contains(','));
        if belongs { self.take() } else { None }
    }

    /// Takes the comment on the line of an opening bracket, when a line break follows it.
    pub(super) fn opening(&mut self, open: usize, first: usize) -> Option<Box<Comment>> {
        let comment = self.comments.get(self.taken)?.range();
        let belongs = open > 0
            && comment.start < first
            && !self.on_one_line
            && !self.between(open, comment.start).contains('\n')
            && self.between(comment.end, first).contains('\n');
        if belongs { self.take() } else { None }
    }

    /// The elements up to a closing bracket, that one included. `read` also says where an element ends, and
    /// `separator` steps over what stands after it: whether another may follow. Until all are read they wait
    /// in a pool.
    pub(super) fn sequence<T>(
        &mut self,
        close: u8,
        separator: impl Fn(&mut Self) -> bool,
        pool: impl Fn(&mut Pools) -> &mut Vec<Element<T>>,
        mut read: impl FnMut(&mut Self) -> Read<(T, usize)>,
    ) -> Read<Sequence<T>> {
        let open = self.at;
        self.lines();
        let layout = self.layout(open, self.at);
        let opening = self.opening(open, self.at);
        let waiting = pool(&mut self.pools).len();
        let mut previous = open;
        let mut separated = true;
        while self.byte(0) != close {
            if !separated {
                return Err(Stop::Mismatch);
            }
            let start = self.at;
            let mut comments = self.comments_before(start, previous);
            let from = comments.last().map_or(previous, |last| last.span.range().end);
            let blank_before = self.blank_between(from, start);
            let (value, end) = read(self)?;
            comments.append(&mut self.comments_before(end, end));
            separated = separator(self);
            let trailing = self.trailing(end, self.at);
            previous = trailing.as_ref().map_or(end, |comment| comment.span.range().end);
            pool(&mut self.pools).push(Element {
                blank_before,
                comments,
                value,
                trailing,
            });
        }
        let comments = self.comments_before(self.at, previous);
        self.at += 1;
        Ok(Sequence {
            opening,
            elements: pool(&mut self.pools).drain(waiting..).collect(),
            comments,
            layout,
        })
    }

    /// Steps over the comma after an element of a list or call.
    pub(super) fn comma(&mut self) -> bool {
        self.lines();
        let comma = self.eat(b',');
        if comma {
            self.lines();
        }
        comma
    }

    /// Steps over the comma or line break after an entry of an object.
    pub(super) fn comma_or_line_break(&mut self) -> bool {
        self.space();
        let comma = self.eat(b',');
        self.lines() || comma
    }

    /// How something whose bracket opens at one place and whose first part stands at another was written.
    pub(super) fn layout(&self, open: usize, first: usize) -> Layout {
        if self.between(open, first).contains('\n') {
            Layout::Broken
        } else {
            Layout::Inline
        }
    }
}
