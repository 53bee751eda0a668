//! Which comment belongs to what.

use super::Reader;
use crate::syntax::span::Span;
use crate::syntax::tree::{Comment, Element, Layout, Sequence};

impl Reader<'_> {
    fn between(&self, start: u32, end: u32) -> &str {
        self.file.slice(Span {
            file: self.file.id(),
            start,
            end: end.max(start),
        })
    }

    /// Whether an empty line lies between two places with only space and commas between them.
    pub(super) fn blank_between(&self, start: u32, end: u32) -> bool {
        let mut lines = self.between(start, end).split('\n').skip(1).peekable();
        while let Some(line) = lines.next() {
            if lines.peek().is_some() && line.trim().is_empty() {
                return true;
            }
        }
        false
    }

    /// Takes the comments that start before a place; `previous` is where the thing before them ends.
    pub(super) fn comments_before(&mut self, place: u32, previous: u32) -> Vec<Comment> {
        let mut comments = Vec::new();
        let mut previous = previous;
        while let Some(comment) = self.comments.get(self.taken)
            && comment.span.start < place
            && !self.on_one_line
        {
            let mut comment = comment.clone();
            comment.blank_before = self.blank_between(previous, comment.span.start);
            previous = comment.span.end;
            comments.push(comment);
            self.taken += 1;
        }
        comments
    }

    fn take(&mut self) -> Option<Comment> {
        let comment = self.comments.get(self.taken).cloned();
        self.taken += 1;
        comment
    }

    /// Takes the comment on the line where something ended. One that the next thing follows on the same
    /// line, after a comma, belongs to that.
    pub(super) fn trailing(&mut self, end: u32, next: u32) -> Option<Comment> {
        let comment = self.comments.get(self.taken)?;
        let gap = self.between(end, comment.span.start);
        let after = self.between(comment.span.end, next);
        let belongs = comment.span.start >= end
            && comment.span.start < next
            && !self.on_one_line
            && !gap.contains('\n')
            && (after.contains('\n') || !gap.contains(','));
        if belongs { self.take() } else { None }
    }

    /// Takes the comment on the line of an opening bracket, when a line break follows it.
    pub(super) fn opening(&mut self, open: u32, first: u32) -> Option<Comment> {
        let comment = self.comments.get(self.taken)?;
        let belongs = open > 0
            && comment.span.start < first
            && !self.on_one_line
            && !self.between(open, comment.span.start).contains('\n')
            && self.between(comment.span.end, first).contains('\n');
        if belongs { self.take() } else { None }
    }

    /// Elements between two places, given as where each starts and how to read it; `read` also says
    /// where the element ends.
    pub(super) fn sequence<P, T>(
        &mut self,
        between: Span,
        pairs: Vec<(u32, P)>,
        mut read: impl FnMut(&mut Self, P) -> (T, u32),
    ) -> Sequence<T> {
        let first = pairs.first().map_or(between.end, |(start, _)| *start);
        let layout = self.layout(between.start, first);
        let opening = self.opening(between.start, first);
        let mut elements: Vec<Element<T>> = Vec::with_capacity(pairs.len());
        let mut previous = between.start;
        let mut pairs = pairs.into_iter().peekable();
        while let Some((start, pair)) = pairs.next() {
            let next = pairs.peek().map_or(between.end, |(next, _)| *next);
            let mut comments = self.comments_before(start, previous);
            let from = comments.last().map_or(previous, |last| last.span.end);
            let blank_before = self.blank_between(from, start);
            let (value, end) = read(self, pair);
            comments.extend(self.comments_before(end, end));
            let trailing = self.trailing(end, next);
            previous = trailing.as_ref().map_or(end, |comment| comment.span.end);
            elements.push(Element {
                blank_before,
                comments,
                value,
                trailing,
            });
        }
        Sequence {
            opening,
            elements,
            comments: self.comments_before(between.end, previous),
            layout,
        }
    }

    /// How something whose bracket opens at one place and whose first part stands at another was written.
    pub(super) fn layout(&self, open: u32, first: u32) -> Layout {
        if self.between(open, first).contains('\n') {
            Layout::Broken
        } else {
            Layout::Inline
        }
    }
}
