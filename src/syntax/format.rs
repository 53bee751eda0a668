//! The one layout that capol text has, for files people wrote and for trees that
//! code made.
//!
//! Two spaces of indent; `=` aligned in runs of one-line attributes; at most one
//! empty line; what was written on one line stays there while it fits, what was
//! broken over lines stays broken. Every comment is kept, and formatting twice
//! is formatting once.

mod expression;
mod flat;
mod rows;

use super::error::SyntaxError;
use super::parse::Parsed;
use super::stack::with_deep_stack;
use super::tree::{Block, Body, Comment, Expression, Item, ItemKind, Layout};
use rows::Row;

/// The widest line that written text keeps.
const WRITTEN_WIDTH: usize = 120;
/// The widest line that trees made by code are laid out for.
const AUTOMATIC_WIDTH: usize = 100;
/// How far each level is indented.
const INDENT: usize = 2;

/// The canonical text of a file.
///
/// Fails with the file's errors when it has any: what was not understood is not rewritten.
pub fn format(parsed: &Parsed) -> Result<String, Vec<SyntaxError>> {
    if parsed.errors.is_empty() {
        Ok(print(&parsed.tree))
    } else {
        Err(parsed.errors.clone())
    }
}

/// The canonical text of a tree. Ends in a line break unless there is nothing in it.
pub fn print(body: &Body) -> String {
    let mut printer = Printer {
        out: String::new(),
        offset: 0,
    };
    with_deep_stack(|| printer.body(body, 0));
    printer.out
}

/// The canonical text of one expression, as it would stand at the left margin.
pub fn print_expression(expression: &Expression) -> String {
    with_deep_stack(|| text_at(expression, 0, 0))
}

/// An expression's text where its line is indented and its first character stands in a column.
fn text_at(expression: &Expression, indent: usize, column: usize) -> String {
    let mut printer = Printer {
        out: String::new(),
        offset: column,
    };
    printer.expression(expression, indent);
    printer.out
}

fn limit(layout: Layout) -> usize {
    match layout {
        Layout::Automatic => AUTOMATIC_WIDTH,
        Layout::Inline | Layout::Broken => WRITTEN_WIDTH,
    }
}

fn width(text: &str) -> usize {
    unicode_width::UnicodeWidthStr::width(text)
}

struct Printer {
    out: String,
    /// The column in which `out` starts.
    offset: usize,
}

impl Printer {
    fn column(&self) -> usize {
        match self.out.rsplit_once('\n') {
            Some((_, line)) => width(line),
            None => self.offset + width(&self.out),
        }
    }

    fn push(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn line(&mut self, indent: usize) {
        self.out.push('\n');
        self.pad(indent);
    }

    fn pad(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    fn body(&mut self, body: &Body, indent: usize) {
        let rows = body.items.iter().map(|item| row(item, indent)).collect();
        self.rows(rows, &body.comments, indent);
    }
}

fn row(item: &Item, indent: usize) -> Row<'_> {
    let (key, text, ends_with_heredoc) = match &item.kind {
        ItemKind::Attribute(attribute) => {
            let name = attribute.name.text.clone();
            let column = indent + width(&name) + " = ".len();
            let text = text_at(&attribute.value, indent, column);
            (Some(name), text, expression::ends_with_heredoc(&attribute.value))
        }
        ItemKind::Block(block) => (None, block_text(block, indent), false),
    };
    Row {
        blank_before: item.blank_before,
        comments: &item.comments,
        key,
        text,
        trailing: item.trailing.as_deref(),
        ends_with_heredoc,
    }
}

fn block_text(block: &Block, indent: usize) -> String {
    if let Some(text) = flat::block(block)
        && indent + width(&text) <= WRITTEN_WIDTH
    {
        return text;
    }
    let mut printer = Printer {
        out: flat::header(block),
        offset: indent,
    };
    printer.push(" {");
    printer.opening(block.body.opening.as_deref());
    printer.out.push('\n');
    printer.body(&block.body, indent + INDENT);
    printer.pad(indent);
    printer.push("}");
    printer.out
}

impl Printer {
    /// A comment on the line of an opening bracket.
    fn opening(&mut self, comment: Option<&Comment>) {
        if let Some(comment) = comment {
            self.push(" ");
            self.push(&comment_text(comment));
        }
    }
}

/// A comment as it is printed: `//` becomes `#`, and a space follows the marker before a word.
fn comment_text(comment: &Comment) -> String {
    let text = comment.text.as_str();
    if text.starts_with("/*") {
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        return lines.join("\n");
    }
    let (hashes, rest) = if text.starts_with("//") {
        let rest = text.trim_start_matches('/');
        ((text.len() - rest.len()) - 1, rest)
    } else {
        let rest = text.trim_start_matches('#');
        (text.len() - rest.len(), rest)
    };
    let space = if rest.starts_with(char::is_alphanumeric) {
        " "
    } else {
        ""
    };
    format!("{}{space}{}", "#".repeat(hashes), rest.trim_end())
}
