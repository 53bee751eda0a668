//! What was found where: the tokens and brackets of a statement, from the grammar's pairs and from a tree.

use pest::iterators::Pairs;

use crate::syntax::Span;
use crate::syntax::grammar::Rule;
use crate::syntax::tree::{
    Body, EntryKey, Expression, ExpressionKind, ForIntro, Ident, ItemKind, Step, Template, TemplatePart,
};

/// Where something stands and what it is, in the order of the text.
type Outline = Vec<(usize, usize, &'static str)>;

/// What a rule found, where a tree tells the same.
fn found(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::block => "block",
        Rule::label => "label",
        Rule::operator => "operator",
        Rule::string => "string",
        Rule::heredoc => "heredoc",
        Rule::quantity | Rule::odd_string | Rule::odd_key => "token",
        Rule::list | Rule::for_list => "list",
        Rule::object | Rule::for_object => "object",
        Rule::parenthesised => "parentheses",
        Rule::identifier | Rule::odd_name => "name",
        _ => return None,
    })
}

pub(super) fn of_pairs(pairs: Pairs<'_, Rule>, base: usize) -> Outline {
    let mut outline = Outline::new();
    let mut waiting: Vec<_> = pairs.collect();
    while let Some(pair) = waiting.pop() {
        let span = pair.as_span();
        let rule = pair.as_rule();
        outline.extend(found(rule).map(|found| (base + span.start(), base + span.end(), found)));
        // A label is one thing, and what else is one thing to the reader is a token of the grammar.
        if !matches!(rule, Rule::label | Rule::odd_name | Rule::odd_key) {
            waiting.extend(pair.into_inner());
        }
    }
    outline.sort_unstable();
    outline
}

pub(super) fn of_item(item: &ItemKind) -> Outline {
    let mut walk = Walk::default();
    walk.item(item);
    walk.outline.sort_unstable();
    walk.outline
}

#[derive(Default)]
struct Walk {
    outline: Outline,
}

impl Walk {
    fn add(&mut self, span: Span, found: &'static str) {
        let range = span.range();
        self.outline.push((range.start, range.end, found));
    }

    fn name(&mut self, name: &Ident) {
        self.add(name.span, "name");
    }

    fn body(&mut self, body: &Body) {
        body.items.iter().for_each(|item| self.item(&item.kind));
    }

    fn item(&mut self, item: &ItemKind) {
        match item {
            ItemKind::Attribute(attribute) => {
                self.name(&attribute.name);
                self.expression(&attribute.value);
            }
            ItemKind::Block(block) => {
                self.add(block.span, "block");
                self.name(&block.kind);
                block
                    .labels
                    .iter()
                    .for_each(|label| self.add(label.span, "label"));
                self.body(&block.body);
            }
        }
    }

    fn template(&mut self, template: &Template) {
        for part in &template.parts {
            if let TemplatePart::Interpolation(inner) = part {
                self.expression(inner);
            }
        }
    }

    fn intro(&mut self, intro: &ForIntro) {
        intro.key.iter().for_each(|key| self.name(key));
        self.name(&intro.value);
        self.expression(&intro.collection);
    }

    fn expression(&mut self, expression: &Expression) {
        use ExpressionKind as E;
        let span = expression.span;
        match &expression.kind {
            E::Null | E::Bool(_) | E::Name(_) => self.add(span, "name"),
            // An error here is one of a token that its own error describes.
            E::Number(_) | E::Duration(_) | E::Percent(_) | E::Error => self.add(span, "token"),
            E::String(template) => {
                self.add(span, "string");
                self.template(template);
            }
            E::Heredoc(heredoc) => {
                self.add(span, "heredoc");
                self.template(&heredoc.template);
            }
            E::List(items) => {
                self.add(span, "list");
                items.iter().for_each(|item| self.expression(item));
            }
            E::Object(entries) => {
                self.add(span, "object");
                for entry in entries.iter() {
                    match &entry.key {
                        EntryKey::Name(name) => self.name(name),
                        EntryKey::Expression(key) => self.expression(key),
                    }
                    self.expression(&entry.value);
                }
            }
            E::Unary(_, inner) => self.expression(inner),
            E::LegacyIndex(base, _) => self.expression(base),
            E::Parenthesised(inner, _) => {
                self.add(span, "parentheses");
                self.expression(inner);
            }
            E::Binary(binary) => {
                self.add(binary.operator_span, "operator");
                self.expression(&binary.left);
                self.expression(&binary.right);
            }
            E::Conditional(conditional) => {
                self.expression(&conditional.condition);
                self.expression(&conditional.yes);
                self.expression(&conditional.no);
            }
            E::Call(call) => {
                self.name(&call.name);
                for argument in call.arguments.iter() {
                    argument.name.iter().for_each(|name| self.name(name));
                    self.expression(&argument.value);
                }
            }
            E::Attribute(base, name) => {
                self.expression(base);
                self.name(name);
            }
            E::Index(base, index) => {
                self.expression(base);
                self.expression(index);
            }
            E::Splat(splat) => {
                self.expression(&splat.base);
                for step in &splat.steps {
                    match step {
                        Step::Attribute(name) => self.name(name),
                        Step::Index(index) => self.expression(index),
                        Step::LegacyIndex(..) => {}
                    }
                }
            }
            E::ForList(list) => {
                self.add(span, "list");
                self.intro(&list.intro);
                self.expression(&list.value);
                list.condition.iter().for_each(|when| self.expression(when));
            }
            E::ForObject(object) => {
                self.add(span, "object");
                self.intro(&object.intro);
                self.expression(&object.key);
                self.expression(&object.value);
                object.condition.iter().for_each(|when| self.expression(when));
            }
        }
    }
}
