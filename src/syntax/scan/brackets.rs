//! Brackets: which closes which, and what to say when none does.

use super::super::error::{SyntaxError, SyntaxErrorKind, closer_of};
use super::{BRACKET_LIMIT, Frame, Scanner};

impl Scanner<'_> {
    pub(super) fn open(&mut self, open: u8) {
        let at = self.at;
        let outermost = self.stack.is_empty();
        self.touch(1);
        if outermost
            && open == b'{'
            && let Some(statement) = &mut self.statement
            && statement.braces.is_none()
        {
            statement.braces = Some(at + 1..self.end);
        }
        let line = self.bytes.get(self.line_start..at).unwrap_or_default();
        let indent = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.push_limited(Frame::Bracket { open, at, indent });
    }

    pub(super) fn push_limited(&mut self, frame: Frame) {
        self.stack.push(frame);
        if self.stack.len() > BRACKET_LIMIT && !self.too_deep {
            self.too_deep = true;
            if let Some(statement) = &mut self.statement {
                statement.too_deep = true;
            }
            self.report(
                self.at - 1,
                self.at,
                SyntaxErrorKind::TooDeep { limit: BRACKET_LIMIT },
            );
        }
    }

    pub(super) fn close(&mut self, close: u8) {
        let at = self.at;
        self.touch(1);
        match self.stack.last().copied() {
            Some(Frame::Bracket {
                open,
                at: opened,
                indent,
            }) if closes(open, close) => {
                self.stack.pop();
                self.closed_bracket(open, opened, indent, at);
            }
            Some(Frame::Interpolation { .. }) if close == b'}' => {
                self.stack.pop();
            }
            Some(Frame::Bracket { open, at: opened, .. })
                if self.resynchronise && close != b'}' && opened >= self.line_start =>
            {
                self.stack.pop();
                self.wrong_closer(open, opened, close, at);
            }
            _ => self.mismatch(close, at),
        }
    }

    pub(super) fn closed_bracket(&mut self, open: u8, opened: usize, indent: usize, at: usize) {
        let line = self.bytes.get(self.line_start..at).unwrap_or_default();
        let first_on_line = line.iter().all(u8::is_ascii_whitespace);
        if first_on_line && line.len() < indent && self.suspect.is_none() {
            self.suspect = Some((open, opened, at));
        }
        if self.stack.is_empty()
            && let Some(statement) = &mut self.statement
            && let Some(braces) = &mut statement.braces
            && braces.start == opened + 1
        {
            braces.end = at;
        }
    }

    /// A closing bracket that is not the innermost one's: closes an outer one of its kind, if there is one
    /// outside any text, and reports the inner one as open; otherwise it is stray.
    pub(super) fn mismatch(&mut self, close: u8, at: usize) {
        let matching = if self.too_deep {
            None
        } else {
            self.stack
                .iter()
                .enumerate()
                .rev()
                .take_while(|(_, frame)| matches!(frame, Frame::Bracket { .. }))
                .find_map(|(index, frame)| match frame {
                    Frame::Bracket { open, .. } if closes(*open, close) => Some(index),
                    _ => None,
                })
        };
        let Some(index) = matching else {
            self.report(
                at,
                at + 1,
                SyntaxErrorKind::StrayCloser {
                    close: char::from(close),
                },
            );
            return;
        };
        if let Some(Frame::Bracket { open, at: opened, .. }) = self.stack.get(index + 1).copied() {
            self.unclosed(open, opened, Some(at));
        }
        self.stack.truncate(index + 1);
        if let Some(Frame::Bracket {
            open,
            at: opened,
            indent,
        }) = self.stack.pop()
        {
            self.closed_bracket(open, opened, indent, at);
        }
    }

    /// Reports a bracket that another kind closes on the same line.
    fn wrong_closer(&mut self, open: u8, opened: usize, close: u8, at: usize) {
        let kind = SyntaxErrorKind::WrongCloser {
            close: char::from(close),
            right: closer_of(char::from(open)),
        };
        let error = SyntaxError::new(self.file, self.span(at, at + 1), kind)
            .with_related(self.span(opened, opened + 1), "opened here");
        self.fail(error);
    }

    /// Reports and leaves every `[` and `(` up to the nearest `{`, or the end of the statement.
    pub(super) fn leave_brackets(&mut self) {
        let kept = self
            .stack
            .iter()
            .rposition(|frame| {
                !matches!(
                    frame,
                    Frame::Bracket {
                        open: b'[' | b'(',
                        ..
                    }
                )
            })
            .map_or(0, |index| index + 1);
        if let Some(Frame::Bracket { open, at: opened, .. }) = self.stack.get(kept).copied() {
            self.unclosed(open, opened, None);
        }
        self.stack.truncate(kept);
        if self.stack.is_empty() {
            self.finish_statement();
        }
    }

    pub(super) fn unclosed(&mut self, open: u8, opened: usize, closer: Option<usize>) {
        let open = char::from(open);
        let error = SyntaxError::new(
            self.file,
            self.span(opened, opened + 1),
            SyntaxErrorKind::UnclosedBracket { open },
        );
        let error = match closer {
            Some(at) => error.with_related(
                self.span(at, at + 1),
                &format!("a `{}` should come before this", closer_of(open)),
            ),
            None => error,
        };
        self.fail(error);
    }

    /// Reports what is still open where a statement has to end.
    pub(super) fn close_all(&mut self, end: usize) {
        let text = self
            .stack
            .iter()
            .rev()
            .find(|frame| !matches!(frame, Frame::Bracket { .. }))
            .copied();
        match (text, self.stack.last().copied()) {
            (Some(Frame::Heredoc { at, marker }), _) => {
                let marker = self
                    .file
                    .text()
                    .get(marker.0..marker.1)
                    .unwrap_or_default()
                    .to_owned();
                self.report(at, at + 2, SyntaxErrorKind::UnclosedHeredoc { marker });
            }
            (Some(Frame::Interpolation { at }), _) => {
                self.report(at, at + 2, SyntaxErrorKind::UnclosedInterpolation);
            }
            (Some(Frame::String { at }), _) => {
                self.report(at, at + 1, SyntaxErrorKind::UnclosedString);
            }
            (_, Some(Frame::Bracket { open, at, .. })) => match self.suspect {
                Some((open, at, closer)) => self.unclosed(open, at, Some(closer)),
                None => self.unclosed(open, at, None),
            },
            _ => {}
        }
        self.stack.clear();
        if let Some(statement) = &mut self.statement
            && let Some(braces) = &mut statement.braces
            && braces.end > end
        {
            braces.end = end;
        }
    }
}

/// Whether one bracket closes the other.
fn closes(open: u8, close: u8) -> bool {
    char::from(close) == closer_of(char::from(open))
}
