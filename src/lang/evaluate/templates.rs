//! Strings with expressions in them.

use super::{Evaluator, ROOTS};
use crate::lang::error::Code;
use crate::lang::nearest::nearest;
use crate::lang::scope::Environment;
use crate::lang::value::{Evaluated, Value};
use crate::model::Reference;
use crate::syntax::{Expression, Span, Template, TemplatePart};

impl Evaluator<'_> {
    pub(super) fn template(
        &mut self,
        template: &Template,
        span: Span,
        environment: Environment<'_>,
    ) -> Evaluated {
        if let [TemplatePart::Interpolation(only)] = template.parts.as_slice() {
            let value = self.interpolation(only, environment);
            return Evaluated { span, ..value };
        }
        let mut text = String::new();
        let mut sensitive = false;
        let mut faulty = false;
        for part in &template.parts {
            match part {
                TemplatePart::Literal(literal) => text.push_str(&literal.value),
                TemplatePart::Interpolation(expression) => {
                    let value = self.interpolation(expression, environment);
                    sensitive |= value.is_sensitive();
                    match self.text_of(&value, expression.span) {
                        Some(part) => text.push_str(&part),
                        None => faulty = true,
                    }
                }
            }
        }
        let value = if faulty { Value::Faulty } else { Value::text(text) };
        Evaluated::new(value, span).tainted(sensitive)
    }

    /// A bare word between `${` and `}` is a mistyped reference, never a symbol.
    fn interpolation(&mut self, expression: &Expression, environment: Environment<'_>) -> Evaluated {
        let word = expression.unparenthesised().bare_word();
        if let Some(word) = word.filter(|word| environment.find(word).is_none()) {
            let help = match nearest(word, environment.names().chain(ROOTS)) {
                Some(near) if environment.names().any(|name| name == near) => format!("write `${{{near}}}`"),
                _ => format!("write `${{var.{word}}}` or `${{local.{word}}}`, or `{word}` without `${{…}}`"),
            };
            return self.error(
                Code::UnknownName,
                expression.span,
                format!("`{word}` names nothing here"),
                help,
            );
        }
        self.evaluate(expression, environment)
    }

    fn text_of(&mut self, value: &Evaluated, used: Span) -> Option<String> {
        if value.is_faulty() {
            return None;
        }
        let text = value.value.interpolated();
        if text.is_none() {
            match &value.value {
                Value::Reference(Reference::Managed { .. } | Reference::Lookup(_)) | Value::Block(_) => {
                    let message = format!(
                        "the id of `{}` is not known before the apply, so it cannot stand in a string",
                        value.value
                    );
                    self.error_about(
                        Code::NotKnownYet,
                        used,
                        value,
                        message,
                        "refer to it outside of a string, or use its `name`",
                    );
                }
                Value::Null => {
                    let message = "`null` cannot stand in a string";
                    self.error_about(
                        Code::WrongType,
                        used,
                        value,
                        message,
                        "give it a text: `coalesce(x, \"\")`",
                    );
                }
                other => {
                    let message = format!("{} cannot stand in a string", other.kind());
                    self.error_about(
                        Code::WrongType,
                        used,
                        value,
                        message,
                        "make a text of it with `join(\", \", …)` or `jsonencode(…)`",
                    );
                }
            }
        }
        text
    }
}
