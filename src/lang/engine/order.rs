//! The order in which locals are forced, so that a long chain of them never nests.

use std::collections::BTreeSet;

use super::Declarations;
use crate::syntax::{EntryKey, Expression, ExpressionKind, Step, TemplatePart};

/// The names of a folder's locals, each after those that it mentions; those in circles in any order.
pub(crate) fn locals(declarations: &Declarations) -> Vec<String> {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut order = Vec::new();
    for start in declarations.locals.keys() {
        let mut stack = vec![(start.as_str(), false)];
        while let Some((name, expanded)) = stack.pop() {
            if expanded {
                order.push(name.to_owned());
            } else if done.insert(name) {
                stack.push((name, true));
                if let Some(local) = declarations.locals.get(name) {
                    stack.extend(mentioned(&local.value).into_iter().map(|name| (name, false)));
                }
            }
        }
    }
    order.retain(|name| declarations.locals.contains_key(name));
    order
}

/// The locals that an expression mentions.
fn mentioned(expression: &Expression) -> Vec<&str> {
    let mut names = Vec::new();
    let mut stack = vec![expression];
    while let Some(next) = stack.pop() {
        if let ExpressionKind::Attribute(base, name) = &next.kind
            && base.bare_word() == Some("local")
        {
            names.push(name.text.as_str());
        }
        children(next, &mut stack);
    }
    names
}

fn children<'e>(expression: &'e Expression, out: &mut Vec<&'e Expression>) {
    match &expression.kind {
        ExpressionKind::Null
        | ExpressionKind::Bool(_)
        | ExpressionKind::Number(_)
        | ExpressionKind::Duration(_)
        | ExpressionKind::Percent(_)
        | ExpressionKind::Name(_)
        | ExpressionKind::Error => {}
        ExpressionKind::String(template) => templates(&template.parts, out),
        ExpressionKind::Heredoc(heredoc) => templates(&heredoc.template.parts, out),
        ExpressionKind::List(items) => out.extend(items.iter()),
        ExpressionKind::Object(entries) => {
            for entry in entries.iter() {
                if let EntryKey::Expression(key) = &entry.key {
                    out.push(key);
                }
                out.push(&entry.value);
            }
        }
        ExpressionKind::Unary(_, inner)
        | ExpressionKind::Attribute(inner, _)
        | ExpressionKind::LegacyIndex(inner, _)
        | ExpressionKind::Parenthesised(inner, _) => out.push(inner),
        ExpressionKind::Binary(binary) => out.extend([&binary.left, &binary.right]),
        ExpressionKind::Conditional(conditional) => {
            out.extend([&conditional.condition, &conditional.yes, &conditional.no]);
        }
        ExpressionKind::Call(call) => out.extend(call.arguments.iter().map(|argument| &argument.value)),
        ExpressionKind::Index(base, index) => out.extend([&**base, &**index]),
        ExpressionKind::Splat(splat) => {
            out.push(&splat.base);
            out.extend(splat.steps.iter().filter_map(|step| match step {
                Step::Index(index) => Some(index),
                Step::Attribute(_) | Step::LegacyIndex(..) => None,
            }));
        }
        ExpressionKind::ForList(list) => {
            out.extend([&list.intro.collection, &list.value]);
            out.extend(&list.condition);
        }
        ExpressionKind::ForObject(object) => {
            out.extend([&object.intro.collection, &object.key, &object.value]);
            out.extend(&object.condition);
        }
    }
}

fn templates<'e>(parts: &'e [TemplatePart], out: &mut Vec<&'e Expression>) {
    out.extend(parts.iter().filter_map(|part| match part {
        TemplatePart::Interpolation(expression) => Some(expression),
        TemplatePart::Literal(_) => None,
    }));
}
