//! The text of a node on one line, where it has one.

use crate::syntax::escape::{self, Context};
use crate::syntax::tree::{
    Argument, Block, Comment, Entry, EntryKey, Expression, ExpressionKind, ForIntro, ItemKind, Label, Layout,
    Literal, Sequence, Splat, SplatForm, Step, Template, TemplatePart,
};

/// Whether line breaks that were written must be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breaks {
    /// Then a node with one has no text on one line.
    Keep,
    /// Inside `${ }` and in keys nothing is broken, and every expression has a text.
    Drop,
}

/// A block's kind and labels.
pub(super) fn header(block: &Block) -> String {
    let mut out = block.kind.text.clone();
    for label in &block.labels {
        out.push(' ');
        out.push_str(&label_text(label));
    }
    out
}

fn label_text(label: &Label) -> String {
    if label.quoted {
        format!("\"{}\"", escape::write(&label.text, Context::Plain))
    } else {
        label.text.clone()
    }
}

/// A whole block, when it was written on one line or is empty.
pub(super) fn block(block: &Block) -> Option<String> {
    let mut out = header(block);
    let body = &block.body;
    if body.opening.is_some() || !body.comments.iter().all(Comment::is_inline) {
        return None;
    }
    if body.items.is_empty() && body.comments.is_empty() {
        out.push_str(" {}");
        return Some(out);
    }
    if !block.one_line {
        return None;
    }
    let mut parts = Vec::new();
    for item in &body.items {
        let text = match &item.kind {
            ItemKind::Attribute(attribute) => {
                let value = expression(&attribute.value, Breaks::Keep)?;
                format!("{} = {value}", attribute.name.text)
            }
            ItemKind::Block(inner) => self::block(inner)?,
        };
        parts.push(surrounded(&item.comments, text, item.trailing.as_deref())?);
    }
    out.push_str(" { ");
    out.push_str(&with_rest(parts, &body.comments));
    out.push_str(" }");
    Some(out)
}

/// Text between the inline comments beside it.
fn surrounded(before: &[Comment], text: String, after: Option<&Comment>) -> Option<String> {
    if !before.iter().chain(after).all(Comment::is_inline) {
        return None;
    }
    let mut parts: Vec<&str> = before.iter().map(|comment| comment.text.as_str()).collect();
    parts.push(&text);
    parts.extend(after.map(|comment| comment.text.as_str()));
    Some(parts.join(" "))
}

fn with_rest(parts: Vec<String>, rest: &[Comment]) -> String {
    let mut words = vec![parts.join(", ")];
    words.retain(|word| !word.is_empty());
    words.extend(rest.iter().map(|comment| comment.text.clone()));
    words.join(" ")
}

/// An expression.
pub(super) fn expression(expression: &Expression, breaks: Breaks) -> Option<String> {
    let one = |inner: &Expression| self::expression(inner, breaks);
    Some(match &expression.kind {
        ExpressionKind::Null | ExpressionKind::Error => "null".to_owned(),
        ExpressionKind::Bool(value) => value.to_string(),
        ExpressionKind::Number(number) => number.text.clone(),
        ExpressionKind::Duration(duration) => {
            format!("{}{}", duration.amount.text, duration.unit.letter())
        }
        ExpressionKind::Percent(number) => format!("{}%", number.text),
        ExpressionKind::String(template) => string(template),
        ExpressionKind::Heredoc(heredoc) => match breaks {
            Breaks::Keep => return None,
            Breaks::Drop => string(&heredoc.template),
        },
        ExpressionKind::Name(name) => name.clone(),
        ExpressionKind::List(elements) => {
            let inside = sequence(elements, breaks, one)?;
            format!("[{inside}]")
        }
        ExpressionKind::Object(entries) => {
            let inside = sequence(entries, breaks, |entry| self::entry(entry, breaks))?;
            if inside.is_empty() {
                "{}".to_owned()
            } else {
                format!("{{ {inside} }}")
            }
        }
        ExpressionKind::Unary(operator, operand) => {
            format!("{}{}", operator.symbol(), one(operand)?)
        }
        ExpressionKind::Binary(binary) => format!(
            "{} {} {}",
            one(&binary.left)?,
            binary.operator.symbol(),
            one(&binary.right)?
        ),
        ExpressionKind::Conditional(conditional) => format!(
            "{} ? {} : {}",
            one(&conditional.condition)?,
            one(&conditional.yes)?,
            one(&conditional.no)?
        ),
        ExpressionKind::Call(call) => {
            let inside = sequence(&call.arguments, breaks, |argument| {
                self::argument(argument, breaks)
            })?;
            format!("{}({inside})", call.name.text)
        }
        ExpressionKind::Attribute(base, name) => format!("{}.{}", one(base)?, name.text),
        ExpressionKind::Index(base, index) => format!("{}[{}]", one(base)?, one(index)?),
        ExpressionKind::LegacyIndex(base, index) => legacy_index(base, one(base)?, index),
        ExpressionKind::Splat(splat) => {
            format!("{}{}", one(&splat.base)?, splat_steps(splat, breaks)?)
        }
        ExpressionKind::ForList(list) => {
            keep(list.layout, breaks)?;
            let mut out = format!("[{} {}", intro(&list.intro, breaks)?, one(&list.value)?);
            if let Some(condition) = &list.condition {
                out.push_str(" if ");
                out.push_str(&one(condition)?);
            }
            out + "]"
        }
        ExpressionKind::ForObject(object) => {
            keep(object.layout, breaks)?;
            let mut out = format!(
                "{{ {} {} => {}{}",
                intro(&object.intro, breaks)?,
                one(&object.key)?,
                one(&object.value)?,
                if object.grouping { "..." } else { "" }
            );
            if let Some(condition) = &object.condition {
                out.push_str(" if ");
                out.push_str(&one(condition)?);
            }
            out + " }"
        }
        ExpressionKind::Parenthesised(inner, layout) => {
            keep(*layout, breaks)?;
            format!("({})", one(inner)?)
        }
    })
}

/// Nothing when a written line break forbids one line.
fn keep(layout: Layout, breaks: Breaks) -> Option<()> {
    (breaks == Breaks::Drop || layout != Layout::Broken).then_some(())
}

fn sequence<T>(
    sequence: &Sequence<T>,
    breaks: Breaks,
    text: impl Fn(&T) -> Option<String>,
) -> Option<String> {
    if breaks == Breaks::Drop {
        // The reader leaves no comment here.
        let parts: Option<Vec<String>> = sequence.iter().map(text).collect();
        return Some(parts?.join(", "));
    }
    if sequence.opening.is_some() || !sequence.comments.iter().all(Comment::is_inline) {
        return None;
    }
    if !sequence.elements.is_empty() {
        keep(sequence.layout, breaks)?;
    }
    let parts: Option<Vec<String>> = sequence
        .elements
        .iter()
        .map(|element| {
            surrounded(
                &element.comments,
                text(&element.value)?,
                element.trailing.as_deref(),
            )
        })
        .collect();
    Some(with_rest(parts?, &sequence.comments))
}

/// An entry of an object.
fn entry(entry: &Entry, breaks: Breaks) -> Option<String> {
    Some(format!(
        "{} = {}",
        key(&entry.key),
        expression(&entry.value, breaks)?
    ))
}

/// The key of an entry, always on one line.
pub(super) fn key(key: &EntryKey) -> String {
    match key {
        EntryKey::Name(name) => name.text.clone(),
        EntryKey::Expression(key) => expression(key, Breaks::Drop).unwrap_or_default(),
    }
}

/// An argument of a call.
pub(super) fn argument(argument: &Argument, breaks: Breaks) -> Option<String> {
    let value = expression(&argument.value, breaks)?;
    Some(format!(
        "{}{value}{}",
        argument_head(argument),
        if argument.expand { "..." } else { "" }
    ))
}

/// `name = ` of a named argument.
pub(super) fn argument_head(argument: &Argument) -> String {
    argument
        .name
        .as_ref()
        .map(|name| format!("{} = ", name.text))
        .unwrap_or_default()
}

/// `for k, v in collection :`
pub(super) fn intro(intro: &ForIntro, breaks: Breaks) -> Option<String> {
    let key = intro
        .key
        .as_ref()
        .map(|key| format!("{}, ", key.text))
        .unwrap_or_default();
    Some(format!(
        "for {key}{} in {} :",
        intro.value.text,
        expression(&intro.collection, breaks)?
    ))
}

/// The index after its base; after a digit a space keeps it from reading as a fraction.
pub(super) fn legacy_index(base: &Expression, base_text: String, index: &str) -> String {
    let space = if matches!(base.kind, ExpressionKind::Number(_)) {
        " "
    } else {
        ""
    };
    format!("{base_text}{space}.{index}")
}

/// `[*].a.b`
pub(super) fn splat_steps(splat: &Splat, breaks: Breaks) -> Option<String> {
    let mut out = match splat.form {
        SplatForm::Attribute => ".*".to_owned(),
        SplatForm::Full => "[*]".to_owned(),
    };
    for step in &splat.steps {
        match step {
            Step::Attribute(name) => {
                out.push('.');
                out.push_str(&name.text);
            }
            Step::Index(index) => {
                out.push('[');
                out.push_str(&expression(index, breaks)?);
                out.push(']');
            }
            Step::LegacyIndex(index, _) => {
                out.push('.');
                out.push_str(index);
            }
        }
    }
    Some(out)
}

fn string(template: &Template) -> String {
    let mut out = String::from("\"");
    let mut parts = template.parts.iter().peekable();
    while let Some(part) = parts.next() {
        match part {
            TemplatePart::Literal(Literal {
                written: Some(written),
                ..
            }) => out.push_str(written),
            TemplatePart::Literal(literal) => {
                let context = match parts.peek() {
                    Some(TemplatePart::Interpolation(_)) => Context::BeforeInterpolation,
                    _ => Context::Plain,
                };
                out.push_str(&escape::write(&literal.value, context));
            }
            TemplatePart::Interpolation(inner) => out.push_str(&interpolation(inner)),
        }
    }
    out.push('"');
    out
}

/// `${expression}`
pub(super) fn interpolation(inner: &Expression) -> String {
    let text = expression(inner, Breaks::Drop).unwrap_or_default();
    format!("${{{text}}}")
}
