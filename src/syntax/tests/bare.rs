//! Trees without what depends on where and how they were written.

use crate::syntax::{
    Argument, Body, Comment, Element, Entry, EntryKey, Expression, ExpressionKind, Ident, ItemKind, Layout,
    Sequence, Span, Step, Template, TemplatePart,
};

/// The tree with spans, comments, empty lines and line breaks made alike.
pub(super) fn bare(mut body: Body) -> Body {
    strip_body(&mut body);
    body
}

/// The text of every comment, in no particular order.
pub(super) fn comments(body: &Body) -> Vec<String> {
    let mut gathered = Gathered(Vec::new());
    let mut copy = body.clone();
    visit_body(&mut copy, &mut gathered);
    gathered.0.sort();
    gathered.0
}

trait Visitor {
    fn comments(&mut self, comments: &mut Vec<Comment>);
    fn comment(&mut self, comment: &mut Option<Box<Comment>>);
    fn span(&mut self, span: &mut Span);
    fn flag(&mut self, flag: &mut bool);
    fn layout(&mut self, layout: &mut Layout);
    fn written(&mut self, written: &mut Option<String>);
}

struct Strip;

impl Visitor for Strip {
    fn comments(&mut self, comments: &mut Vec<Comment>) {
        comments.clear();
    }
    fn comment(&mut self, comment: &mut Option<Box<Comment>>) {
        *comment = None;
    }
    fn span(&mut self, span: &mut Span) {
        *span = Span::SYNTHETIC;
    }
    fn flag(&mut self, flag: &mut bool) {
        *flag = false;
    }
    fn layout(&mut self, layout: &mut Layout) {
        *layout = Layout::Automatic;
    }
    fn written(&mut self, written: &mut Option<String>) {
        *written = None;
    }
}

struct Gathered(Vec<String>);

impl Visitor for Gathered {
    fn comments(&mut self, comments: &mut Vec<Comment>) {
        self.0.extend(comments.iter().map(|comment| comment.text.clone()));
    }
    fn comment(&mut self, comment: &mut Option<Box<Comment>>) {
        self.0.extend(comment.iter().map(|comment| comment.text.clone()));
    }
    fn span(&mut self, _: &mut Span) {}
    fn flag(&mut self, _: &mut bool) {}
    fn layout(&mut self, _: &mut Layout) {}
    fn written(&mut self, _: &mut Option<String>) {}
}

fn strip_body(body: &mut Body) {
    visit_body(body, &mut Strip);
}

fn visit_body(body: &mut Body, visitor: &mut impl Visitor) {
    visitor.comment(&mut body.opening);
    visitor.comments(&mut body.comments);
    visitor.span(&mut body.span);
    for item in &mut body.items {
        visitor.comments(&mut item.comments);
        visitor.comment(&mut item.trailing);
        visitor.flag(&mut item.blank_before);
        match &mut item.kind {
            ItemKind::Attribute(attribute) => {
                ident(&mut attribute.name, visitor);
                visitor.span(&mut attribute.span);
                expression(&mut attribute.value, visitor);
            }
            ItemKind::Block(block) => {
                ident(&mut block.kind, visitor);
                for label in &mut block.labels {
                    visitor.span(&mut label.span);
                }
                visitor.span(&mut block.header);
                visitor.span(&mut block.braces);
                visitor.span(&mut block.span);
                visitor.flag(&mut block.one_line);
                visit_body(&mut block.body, visitor);
            }
        }
    }
}

fn ident(ident: &mut Ident, visitor: &mut impl Visitor) {
    visitor.span(&mut ident.span);
}

fn sequence<T, V: Visitor>(sequence: &mut Sequence<T>, visitor: &mut V, visit: impl Fn(&mut T, &mut V)) {
    visitor.comment(&mut sequence.opening);
    visitor.comments(&mut sequence.comments);
    visitor.layout(&mut sequence.layout);
    for Element {
        blank_before,
        comments,
        value,
        trailing,
    } in &mut sequence.elements
    {
        visitor.flag(blank_before);
        visitor.comments(comments);
        visitor.comment(trailing);
        visit(value, visitor);
    }
}

fn template(template: &mut Template, visitor: &mut impl Visitor) {
    for part in &mut template.parts {
        match part {
            TemplatePart::Literal(literal) => visitor.written(&mut literal.written),
            TemplatePart::Interpolation(inner) => expression(inner, visitor),
        }
    }
}

fn expression(value: &mut Expression, visitor: &mut impl Visitor) {
    visitor.span(&mut value.span);
    match &mut value.kind {
        ExpressionKind::Null
        | ExpressionKind::Bool(_)
        | ExpressionKind::Number(_)
        | ExpressionKind::Duration(_)
        | ExpressionKind::Percent(_)
        | ExpressionKind::Name(_)
        | ExpressionKind::Error => {}
        ExpressionKind::String(text) => template(text, visitor),
        ExpressionKind::Heredoc(heredoc) => template(&mut heredoc.template, visitor),
        ExpressionKind::List(list) => {
            sequence(list, visitor, |element, visitor| expression(element, visitor));
        }
        ExpressionKind::Object(object) => sequence(object, visitor, |entry: &mut Entry, visitor| {
            match &mut entry.key {
                EntryKey::Name(name) => ident(name, visitor),
                EntryKey::Expression(key) => expression(key, visitor),
            }
            expression(&mut entry.value, visitor);
        }),
        ExpressionKind::Unary(_, operand) => expression(operand, visitor),
        ExpressionKind::Binary(binary) => {
            visitor.span(&mut binary.operator_span);
            expression(&mut binary.left, visitor);
            expression(&mut binary.right, visitor);
        }
        ExpressionKind::Conditional(conditional) => {
            expression(&mut conditional.condition, visitor);
            expression(&mut conditional.yes, visitor);
            expression(&mut conditional.no, visitor);
        }
        ExpressionKind::Call(call) => {
            ident(&mut call.name, visitor);
            sequence(
                &mut call.arguments,
                visitor,
                |argument: &mut Argument, visitor| {
                    if let Some(name) = &mut argument.name {
                        ident(name, visitor);
                    }
                    expression(&mut argument.value, visitor);
                },
            );
        }
        ExpressionKind::Attribute(base, name) => {
            expression(base, visitor);
            ident(name, visitor);
        }
        ExpressionKind::Index(base, index) => {
            expression(base, visitor);
            expression(index, visitor);
        }
        ExpressionKind::LegacyIndex(base, _) => expression(base, visitor),
        ExpressionKind::Splat(splat) => {
            expression(&mut splat.base, visitor);
            for step in &mut splat.steps {
                match step {
                    Step::Attribute(name) => ident(name, visitor),
                    Step::Index(index) => expression(index, visitor),
                    Step::LegacyIndex(_, span) => visitor.span(span),
                }
            }
        }
        ExpressionKind::ForList(list) => {
            for_intro(&mut list.intro, visitor);
            visitor.layout(&mut list.layout);
            expression(&mut list.value, visitor);
            if let Some(condition) = &mut list.condition {
                expression(condition, visitor);
            }
        }
        ExpressionKind::ForObject(object) => {
            for_intro(&mut object.intro, visitor);
            visitor.layout(&mut object.layout);
            expression(&mut object.key, visitor);
            expression(&mut object.value, visitor);
            if let Some(condition) = &mut object.condition {
                expression(condition, visitor);
            }
        }
        ExpressionKind::Parenthesised(inner, layout) => {
            visitor.layout(layout);
            expression(inner, visitor);
        }
    }
}

fn for_intro(intro: &mut crate::syntax::ForIntro, visitor: &mut impl Visitor) {
    if let Some(key) = &mut intro.key {
        ident(key, visitor);
    }
    ident(&mut intro.value, visitor);
    expression(&mut intro.collection, visitor);
}
