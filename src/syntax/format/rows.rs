//! Things that stand one below the other: attributes, entries, elements.

use super::{Printer, comment_text, width};
use crate::syntax::tree::Comment;

/// One thing with what surrounds it.
pub(super) struct Row<'a> {
    pub(super) blank_before: bool,
    pub(super) comments: &'a [Comment],
    /// What stands before `=`, which rows below each other align.
    pub(super) key: Option<String>,
    pub(super) text: String,
    pub(super) trailing: Option<&'a Comment>,
    /// Whether it ends in a heredoc, behind which no comment may stand.
    pub(super) ends_with_heredoc: bool,
}

impl Row<'_> {
    fn single_line(&self) -> bool {
        !self.text.contains('\n')
    }

    /// Whether it goes on where the row above ended.
    fn adjoins(&self) -> bool {
        !self.blank_before && self.comments.is_empty()
    }
}

impl Printer {
    /// Writes rows, each on its own line, and the comments after them.
    pub(super) fn rows(&mut self, mut rows: Vec<Row<'_>>, after: &[Comment], indent: usize) {
        align_keys(&mut rows);
        let paddings = comment_paddings(&rows);
        let mut first = true;
        for (row, padding) in rows.iter().zip(paddings) {
            self.comments(row.comments, indent, &mut first);
            if let Some(comment) = row.trailing.filter(|_| row.ends_with_heredoc) {
                self.comments(std::slice::from_ref(comment), indent, &mut first);
            }
            if row.blank_before && !first {
                self.push("\n");
            }
            first = false;
            self.pad(indent);
            self.push(&row.text);
            if let Some(comment) = row.trailing.filter(|_| !row.ends_with_heredoc) {
                self.pad(padding);
                self.push(&comment_text(comment));
            }
            self.push("\n");
        }
        self.comments(after, indent, &mut first);
    }

    fn comments(&mut self, comments: &[Comment], indent: usize, first: &mut bool) {
        for comment in comments {
            if comment.blank_before && !*first {
                self.push("\n");
            }
            *first = false;
            self.pad(indent);
            self.push(&comment_text(comment));
            self.push("\n");
        }
    }
}

/// Joins keys and texts, padded so that `=` stands in one column through each run of one-line rows.
fn align_keys(rows: &mut [Row<'_>]) {
    let mut rest = rows;
    while !rest.is_empty() {
        let run = run_length(rest, |row| row.key.is_some() && row.single_line());
        let (now, later) = rest.split_at_mut(run);
        let widest = now
            .iter()
            .filter_map(|row| row.key.as_deref().map(width))
            .max()
            .unwrap_or(0);
        for row in now {
            if let Some(key) = row.key.take() {
                let padding = " ".repeat(widest - width(&key));
                row.text = format!("{key}{padding} = {}", row.text);
            }
        }
        rest = later;
    }
}

/// How many spaces stand before each row's trailing comment.
fn comment_paddings(rows: &[Row<'_>]) -> Vec<usize> {
    let mut paddings = Vec::with_capacity(rows.len());
    let mut rest = rows;
    while !rest.is_empty() {
        let run = run_length(rest, |row| row.trailing.is_some() && row.single_line());
        let (now, later) = rest.split_at(run);
        let widest = now.iter().map(|row| width(&row.text)).max().unwrap_or(0);
        for row in now {
            let own = if row.single_line() {
                widest - width(&row.text)
            } else {
                0
            };
            paddings.push(own + 1);
        }
        rest = later;
    }
    paddings
}

/// How many rows at the front form a run; at least one.
fn run_length(rows: &[Row<'_>], belongs: impl Fn(&Row<'_>) -> bool) -> usize {
    if !rows.first().is_some_and(&belongs) {
        return 1;
    }
    1 + rows
        .iter()
        .skip(1)
        .take_while(|row| row.adjoins() && belongs(row))
        .count()
}
