//! Expressions over as many lines as they take.

use super::flat::{self, Breaks};
use super::rows::Row;
use super::{INDENT, Printer, limit, text_at, width};
use crate::syntax::tree::{
    Argument, Binary, BinaryOperator, Comment, Entry, Expression, ExpressionKind, ForIntro, Heredoc, Layout,
    Sequence, Splat, Step, TemplatePart,
};

impl Printer {
    /// Writes an expression on the current line, going on at `indent` where it takes more.
    pub(super) fn expression(&mut self, expression: &Expression, indent: usize) {
        if let Some(text) = flat::expression(expression, Breaks::Keep)
            && (self.column() + width(&text) <= limit(layout(expression)) || holds_nothing(expression))
        {
            self.push(&text);
            return;
        }
        match &expression.kind {
            ExpressionKind::List(elements) => self.list(elements, indent),
            ExpressionKind::Object(entries) => self.object(entries, indent),
            ExpressionKind::Call(call) => {
                self.push(&call.name.text);
                self.arguments(&call.arguments, indent);
            }
            ExpressionKind::Heredoc(heredoc) => self.heredoc(heredoc, indent),
            ExpressionKind::Unary(operator, operand) => {
                self.push(operator.symbol());
                self.expression(operand, indent);
            }
            ExpressionKind::Binary(binary) => {
                self.expression(&binary.left, indent);
                self.joint(&binary.left, indent);
                self.push(binary.operator.symbol());
                self.push(" ");
                self.expression(&binary.right, indent);
            }
            ExpressionKind::Conditional(conditional) => {
                self.expression(&conditional.condition, indent);
                self.joint(&conditional.condition, indent);
                self.push("? ");
                self.expression(&conditional.yes, indent);
                self.joint(&conditional.yes, indent);
                self.push(": ");
                self.expression(&conditional.no, indent);
            }
            ExpressionKind::Attribute(base, name) => {
                self.expression(base, indent);
                self.push(".");
                self.push(&name.text);
            }
            ExpressionKind::Index(base, index) => {
                self.expression(base, indent);
                self.index(index, indent);
            }
            ExpressionKind::LegacyIndex(base, index) => {
                self.expression(base, indent);
                self.push(&flat::legacy_index(base, String::new(), index));
            }
            ExpressionKind::Splat(splat) => self.splat(splat, indent),
            ExpressionKind::ForList(list) => {
                self.push("[");
                self.for_intro(&list.intro, indent + INDENT);
                self.for_value(&list.value, "", indent + INDENT);
                self.for_end(list.condition.as_ref(), "]", indent);
            }
            ExpressionKind::ForObject(object) => {
                self.push("{");
                self.for_intro(&object.intro, indent + INDENT);
                let key = flat::expression(&object.key, Breaks::Drop).unwrap_or_default();
                self.for_value(&object.value, &format!("{key} => "), indent + INDENT);
                if object.grouping {
                    self.joint_without_space(&object.value, indent + INDENT);
                    self.push("...");
                }
                self.for_end(object.condition.as_ref(), "}", indent);
            }
            ExpressionKind::Parenthesised(inner, _) => self.parenthesised(inner, indent),
            _ => {
                if let Some(text) = flat::expression(expression, Breaks::Keep) {
                    self.push(&text);
                }
            }
        }
    }

    /// A space, or a line break after a heredoc, whose last line nothing may follow.
    fn joint(&mut self, left: &Expression, indent: usize) {
        if ends_with_heredoc(left) {
            self.line(indent);
        } else {
            self.push(" ");
        }
    }

    fn joint_without_space(&mut self, left: &Expression, indent: usize) {
        if ends_with_heredoc(left) {
            self.line(indent);
        }
    }

    fn index(&mut self, index: &Expression, indent: usize) {
        self.push("[");
        self.expression(index, indent);
        self.joint_without_space(index, indent);
        self.push("]");
    }

    fn splat(&mut self, splat: &Splat, indent: usize) {
        self.expression(&splat.base, indent);
        if let Some(steps) = flat::splat_steps(splat, Breaks::Keep) {
            self.push(&steps);
            return;
        }
        let bare = Splat {
            base: splat.base.clone(),
            form: splat.form,
            steps: Vec::new(),
        };
        self.push(&flat::splat_steps(&bare, Breaks::Keep).unwrap_or_default());
        for step in &splat.steps {
            match step {
                Step::Attribute(name) => {
                    self.push(".");
                    self.push(&name.text);
                }
                Step::Index(index) => self.index(index, indent),
                Step::LegacyIndex(index, _) => {
                    self.push(".");
                    self.push(index);
                }
            }
        }
    }

    fn list(&mut self, list: &Sequence<Expression>, indent: usize) {
        self.push("[");
        let text = |value: &Expression| flat::expression(value, Breaks::Keep);
        let hug = |last: &Expression, printer: &mut Self| printer.expression(last, indent);
        if !self.hug(list, |value| value, text, hug) {
            self.broken(list, indent, |value| {
                let text = text_at(value, indent + INDENT, indent + INDENT);
                (text, ends_with_heredoc(value), true)
            });
        }
        self.push("]");
    }

    fn arguments(&mut self, arguments: &Sequence<Argument>, indent: usize) {
        self.push("(");
        let hug = |last: &Argument, printer: &mut Self| {
            printer.push(&flat::argument_head(last));
            printer.expression(&last.value, indent);
            if last.expand {
                printer.push("...");
            }
        };
        let text = |argument: &Argument| flat::argument(argument, Breaks::Keep);
        if !self.hug(arguments, |argument| &argument.value, text, hug) {
            self.broken(arguments, indent, |argument| {
                let head = flat::argument_head(argument);
                let column = indent + INDENT + width(&head);
                let mut text = head + &text_at(&argument.value, indent + INDENT, column);
                let mut heredoc = ends_with_heredoc(&argument.value);
                if argument.expand {
                    if heredoc {
                        text.push('\n');
                        text.push_str(&" ".repeat(indent + INDENT));
                    }
                    text.push_str("...");
                    heredoc = false;
                }
                (text, heredoc, !argument.expand)
            });
        }
        self.push(")");
    }

    /// Writes elements on one line with the last one going on below, as in `f(a, {` … `})`, if only the last one
    /// has to be broken.
    fn hug<T>(
        &mut self,
        sequence: &Sequence<T>,
        value: impl Fn(&T) -> &Expression,
        text: impl Fn(&T) -> Option<String>,
        write: impl FnOnce(&T, &mut Self),
    ) -> bool {
        let plain = sequence.layout != Layout::Broken
            && sequence.opening.is_none()
            && sequence.comments.is_empty()
            && sequence
                .elements
                .iter()
                .all(|element| element.comments.is_empty() && element.trailing.is_none());
        let Some((last, others)) = sequence.elements.split_last() else {
            return false;
        };
        let last_value = value(&last.value);
        if !plain || !opens_with_bracket(last_value) || ends_with_heredoc(last_value) {
            return false;
        }
        if flat::expression(last_value, Breaks::Keep).is_some() {
            return false;
        }
        let mut line = String::new();
        for element in others {
            let Some(text) = text(&element.value) else {
                return false;
            };
            line.push_str(&text);
            line.push_str(", ");
        }
        if self.column() + width(&line) > limit(sequence.layout) / 2 {
            return false;
        }
        self.push(&line);
        write(&last.value, self);
        true
    }

    /// Writes one element a line. `text` gives an element's text, whether it ends in a heredoc, and whether a
    /// comma may follow the last one.
    fn broken<T>(
        &mut self,
        sequence: &Sequence<T>,
        indent: usize,
        text: impl Fn(&T) -> (String, bool, bool),
    ) {
        let count = sequence.elements.len();
        let rows = sequence
            .elements
            .iter()
            .enumerate()
            .map(|(index, element)| {
                let (mut text, heredoc, comma) = text(&element.value);
                let last = index + 1 == count;
                if heredoc && !last {
                    text.push('\n');
                    text.push_str(&" ".repeat(indent + INDENT));
                }
                if !last || (comma && !heredoc) {
                    text.push(',');
                }
                Row {
                    blank_before: element.blank_before,
                    comments: &element.comments,
                    key: None,
                    text,
                    trailing: element.trailing.as_deref(),
                    ends_with_heredoc: heredoc,
                }
            })
            .collect();
        self.between(sequence.opening.as_deref(), rows, &sequence.comments, indent);
    }

    fn between(&mut self, opening: Option<&Comment>, rows: Vec<Row<'_>>, after: &[Comment], indent: usize) {
        self.opening(opening);
        self.push("\n");
        self.rows(rows, after, indent + INDENT);
        self.pad(indent);
    }

    fn object(&mut self, object: &Sequence<Entry>, indent: usize) {
        self.push("{");
        let inner = indent + INDENT;
        let rows = object
            .elements
            .iter()
            .map(|element| {
                let key = flat::key(&element.value.key);
                let column = inner + width(&key) + " = ".len();
                Row {
                    blank_before: element.blank_before,
                    comments: &element.comments,
                    text: text_at(&element.value.value, inner, column),
                    key: Some(key),
                    trailing: element.trailing.as_deref(),
                    ends_with_heredoc: ends_with_heredoc(&element.value.value),
                }
            })
            .collect();
        self.between(object.opening.as_deref(), rows, &object.comments, indent);
        self.push("}");
    }

    fn for_intro(&mut self, intro: &ForIntro, indent: usize) {
        self.line(indent);
        if let Some(text) = flat::intro(intro, Breaks::Keep) {
            self.push(&text);
            return;
        }
        self.push("for ");
        if let Some(key) = &intro.key {
            self.push(&key.text);
            self.push(", ");
        }
        self.push(&intro.value.text);
        self.push(" in ");
        self.expression(&intro.collection, indent);
        self.joint(&intro.collection, indent);
        self.push(":");
    }

    fn for_value(&mut self, value: &Expression, head: &str, indent: usize) {
        self.push(" ");
        self.push(head);
        self.expression(value, indent);
    }

    fn for_end(&mut self, condition: Option<&Expression>, close: &str, indent: usize) {
        if let Some(condition) = condition {
            self.line(indent + INDENT);
            self.push("if ");
            self.expression(condition, indent + INDENT);
        }
        self.line(indent);
        self.push(close);
    }

    /// `(` … `)` with each operand of the outermost operator on its own line.
    fn parenthesised(&mut self, inner: &Expression, indent: usize) {
        self.push("(");
        let deep = indent + INDENT;
        self.line(deep);
        match &inner.kind {
            ExpressionKind::Binary(binary) => {
                let precedence = binary.operator.precedence();
                let (first, rest) = chain(binary, precedence);
                self.expression(first, deep);
                for (operator, operand) in rest {
                    self.line(deep);
                    self.push(operator.symbol());
                    self.push(" ");
                    self.expression(operand, deep);
                }
            }
            ExpressionKind::Conditional(conditional) => {
                self.expression(&conditional.condition, deep);
                for (symbol, branch) in [("? ", &conditional.yes), (": ", &conditional.no)] {
                    self.line(deep);
                    self.push(symbol);
                    self.expression(branch, deep);
                }
            }
            _ => self.expression(inner, deep),
        }
        self.line(indent);
        self.push(")");
    }

    fn heredoc(&mut self, heredoc: &Heredoc, indent: usize) {
        self.push(if heredoc.indented { "<<-" } else { "<<" });
        self.push(&heredoc.marker);
        self.push("\n");
        let mut text = String::new();
        for part in &heredoc.template.parts {
            match part {
                TemplatePart::Literal(literal) => {
                    text.push_str(&literal.value.replace("${", "$${").replace("%{", "%%{"));
                }
                TemplatePart::Interpolation(inner) => text.push_str(&flat::interpolation(inner)),
            }
        }
        let blank = |line: &str| line.trim_matches([' ', '\t']).is_empty();
        let indented = heredoc.indented && !text.lines().all(blank);
        for line in text.split_inclusive('\n') {
            if indented && line != "\n" {
                self.pad(indent + INDENT);
            }
            self.push(line);
        }
        if heredoc.indented {
            self.pad(indent);
        }
        self.push(&heredoc.marker);
    }
}

/// A chain of operators that bind equally: its first operand, and the others with the operator before each.
fn chain(binary: &Binary, precedence: u8) -> (&Expression, Vec<(BinaryOperator, &Expression)>) {
    let mut rest = vec![(binary.operator, &binary.right)];
    let mut first = &binary.left;
    while let ExpressionKind::Binary(next) = &first.kind
        && next.operator.precedence() == precedence
    {
        rest.push((next.operator, &next.right));
        first = &next.left;
    }
    rest.reverse();
    (first, rest)
}

/// How the outermost brackets of an expression were written.
fn layout(expression: &Expression) -> Layout {
    match &expression.kind {
        ExpressionKind::List(list) => list.layout,
        ExpressionKind::Object(object) => object.layout,
        ExpressionKind::Call(call) => call.arguments.layout,
        ExpressionKind::ForList(list) => list.layout,
        ExpressionKind::ForObject(object) => object.layout,
        ExpressionKind::Parenthesised(_, layout) => *layout,
        _ => Layout::Inline,
    }
}

fn opens_with_bracket(expression: &Expression) -> bool {
    matches!(
        expression.kind,
        ExpressionKind::List(_)
            | ExpressionKind::Object(_)
            | ExpressionKind::Call(_)
            | ExpressionKind::ForList(_)
            | ExpressionKind::ForObject(_)
            | ExpressionKind::Parenthesised(..)
    )
}

/// Whether the last line of an expression is a heredoc's end marker.
pub(super) fn ends_with_heredoc(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Heredoc(_) => true,
        ExpressionKind::Unary(_, operand) => ends_with_heredoc(operand),
        ExpressionKind::Binary(binary) => ends_with_heredoc(&binary.right),
        ExpressionKind::Conditional(conditional) => ends_with_heredoc(&conditional.no),
        _ => false,
    }
}

/// Whether brackets hold nothing that could stand on a line of its own.
fn holds_nothing(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::List(list) => list.elements.is_empty(),
        ExpressionKind::Object(object) => object.elements.is_empty(),
        ExpressionKind::Call(call) => call.arguments.elements.is_empty(),
        _ => false,
    }
}
