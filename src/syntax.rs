//! Text and its shape: files, spans, the tree, parsing that reports every
//! error of a file, and the formatter.
//!
//! Nothing here knows what a policy is: a tree says what was written, `lang`
//! says what it means. The grammar is `grammar/capol.pest`.

mod error;
mod escape;
mod explain;
mod format;
mod grammar;
mod make;
mod parse;
mod read;
mod scan;
mod span;
mod stack;
mod tree;

pub use error::{SyntaxError, SyntaxErrorKind};
pub use escape::quoted;
pub use format::{format, print, print_expression};
pub use make::is_identifier;
pub use parse::{FILE_LIMIT, Parsed, parse};
pub use span::{FileId, SourceFile, Span};
pub use stack::with_deep_stack;
pub use tree::{
    Argument, Attribute, Binary, BinaryOperator, Block, Body, Call, Comment, Conditional, Duration,
    DurationUnit, Element, Entry, EntryKey, Expression, ExpressionKind, ForIntro, ForList, ForObject,
    Heredoc, Ident, Item, ItemKind, Label, Layout, Literal, Number, Sequence, Splat, SplatForm, Step,
    Template, TemplatePart, UnaryOperator,
};

#[cfg(test)]
mod tests;
