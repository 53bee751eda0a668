//! Holding a block against its row of the table.

use std::collections::BTreeMap;

use super::conform::conform;
use super::{AttributeRule, Group, InnerRule, Schema, Shape};
use crate::lang::error::{Code, Diagnostic};
use crate::lang::evaluate::Evaluator;
use crate::lang::nearest::{either, listed, nearest};
use crate::lang::scope::Environment;
use crate::lang::value::{Evaluated, Value};
use crate::syntax::{Attribute, Block, Body, Span};

/// A block that was held against its row: what it says, evaluated.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checked {
    /// The attributes that were written, by name; those that are not evaluated here are left out.
    pub attributes: BTreeMap<&'static str, Evaluated>,
    /// The inner blocks, in the order written.
    pub blocks: Vec<CheckedBlock>,
}

/// An inner block that was held against its row.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedBlock {
    /// The word that starts it.
    pub name: &'static str,
    /// Its label, if it carries one.
    pub label: Option<String>,
    /// Its head.
    pub span: Span,
    /// What it says.
    pub body: Checked,
}

impl Checked {
    /// The value of an attribute that is written, sound and not null.
    pub fn get(&self, name: &str) -> Option<&Evaluated> {
        self.attributes
            .get(name)
            .filter(|value| !matches!(value.value, Value::Null) && !value.is_faulty())
    }

    /// The text of an attribute.
    pub fn text(&self, name: &str) -> Option<String> {
        self.get(name)?.as_text().map(str::to_owned)
    }

    /// Whether a bool is written and true.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.value == Value::Bool(true))
    }
}

impl Evaluator<'_> {
    /// Holds a body against a schema and evaluates it; `owner` is what messages call the block.
    pub(crate) fn check(
        &mut self,
        schema: &'static Schema,
        body: &Body,
        owner: &str,
        header: Span,
        environment: Environment<'_>,
    ) -> Checked {
        let mut checked = Checked::default();
        let mut written: BTreeMap<&str, Span> = BTreeMap::new();
        for attribute in body.attributes() {
            let name = attribute.name.text.as_str();
            self.once(&mut written, name, attribute.name.span, owner, false);
            match schema.attributes.iter().find(|rule| rule.name == name) {
                Some(rule) if rule.shape == Shape::Expression => {}
                Some(rule) => {
                    let value = self.attribute_of(rule, attribute, environment);
                    checked.attributes.entry(rule.name).or_insert(value);
                }
                None => self.unknown_attribute(schema, attribute, owner),
            }
        }
        for block in body.blocks() {
            let name = block.kind.text.as_str();
            let Some(rule) = schema.blocks.iter().find(|rule| rule.name == name) else {
                self.unknown_inner(schema, block, owner);
                continue;
            };
            self.once(&mut written, name, block.header, owner, rule.several);
            let label = self.inner_label(rule, block);
            let inner = self.check(
                rule.schema,
                &block.body,
                &format!("`{name}`"),
                block.header,
                environment,
            );
            checked.blocks.push(CheckedBlock {
                name: rule.name,
                label,
                span: block.header,
                body: inner,
            });
        }
        self.complete(schema, &written, owner, header);
        checked
    }

    fn once<'b>(
        &mut self,
        written: &mut BTreeMap<&'b str, Span>,
        name: &'b str,
        span: Span,
        owner: &str,
        several: bool,
    ) {
        if let Some(first) = written.get(name) {
            if !several {
                let message = format!("{owner} has `{name}` twice");
                let diagnostic = Diagnostic::error(Code::Duplicate, span, message, "keep one of them");
                self.diagnostics.push(diagnostic.also(*first, "the first"));
            }
        } else {
            written.insert(name, span);
        }
    }

    fn unknown_attribute(&mut self, schema: &'static Schema, attribute: &Attribute, owner: &str) {
        let name = &attribute.name.text;
        let names = schema.attributes.iter().map(|rule| rule.name);
        let help = if schema.blocks.iter().any(|rule| rule.name == name) {
            format!("write it as a block: `{name} {{ … }}`")
        } else if let Some(near) = nearest(name, names.clone()) {
            format!("write `{near}`")
        } else {
            match listed(names, 20) {
                none if none.is_empty() => "take it away".into(),
                names => format!("take it away; {owner} has {names}"),
            }
        };
        self.error(
            Code::UnknownAttribute,
            attribute.name.span,
            format!("{owner} has no attribute `{name}`"),
            help,
        );
    }

    fn unknown_inner(&mut self, schema: &'static Schema, block: &Block, owner: &str) {
        let name = &block.kind.text;
        let names = schema.blocks.iter().map(|rule| rule.name);
        let help = if schema.attributes.iter().any(|rule| rule.name == name) {
            format!("write it as an attribute: `{name} = …`")
        } else if let Some(near) = nearest(name, names.clone()) {
            format!("write `{near}`")
        } else {
            match listed(names, 20) {
                none if none.is_empty() => "take it away".into(),
                names => format!("take it away; {owner} has {names}"),
            }
        };
        self.error(
            Code::UnknownBlock,
            block.kind.span,
            format!("{owner} has no block `{name}`"),
            help,
        );
    }

    fn inner_label(&mut self, rule: &InnerRule, block: &Block) -> Option<String> {
        match (rule.labelled, block.labels.as_slice()) {
            (true, [label]) => Some(label.text.clone()),
            (true, []) => {
                let help = format!("write `{} \"NAME\" {{ … }}`", rule.name);
                self.error(
                    Code::Label,
                    block.kind.span,
                    format!("`{}` needs a name", rule.name),
                    help,
                );
                None
            }
            (_, labels) => {
                if let Some(extra) = labels.get(usize::from(rule.labelled)) {
                    let message = format!("`{}` has one label too many", rule.name);
                    self.error(
                        Code::Label,
                        extra.span,
                        message,
                        format!("take `\"{}\"` away", extra.text),
                    );
                }
                None
            }
        }
    }

    fn complete(
        &mut self,
        schema: &'static Schema,
        written: &BTreeMap<&str, Span>,
        owner: &str,
        header: Span,
    ) {
        for rule in schema
            .attributes
            .iter()
            .filter(|rule| rule.required && !written.contains_key(rule.name))
        {
            let help = format!("add `{} = …`: {}", rule.name, lowered(rule.doc));
            self.error(
                Code::Missing,
                header,
                format!("{owner} needs `{}`", rule.name),
                help,
            );
        }
        for rule in schema
            .blocks
            .iter()
            .filter(|rule| rule.required && !written.contains_key(rule.name))
        {
            let label = if rule.labelled { " \"NAME\"" } else { "" };
            let help = format!("add `{}{label} {{ … }}`: {}", rule.name, lowered(rule.doc));
            self.error(
                Code::Missing,
                header,
                format!("{owner} needs a block `{}`", rule.name),
                help,
            );
        }
        for group in schema.groups {
            let present = |names: &[&'static str]| -> Vec<(&'static str, Span)> {
                names
                    .iter()
                    .filter_map(|name| Some((*name, *written.get(name)?)))
                    .collect()
            };
            match group {
                Group::ExactlyOne(names) | Group::AtLeastOne(names) if present(names).is_empty() => {
                    let choices = either(names.iter().copied(), 12);
                    self.error(
                        Code::Missing,
                        header,
                        format!("{owner} needs {choices}"),
                        format!("add {choices}"),
                    );
                }
                Group::ExactlyOne(names) | Group::AtMostOne(names) => {
                    if let [(first, at), (second, span), ..] = present(names).as_slice() {
                        let message = format!("`{first}` and `{second}` exclude each other");
                        let diagnostic = Diagnostic::error(
                            Code::Exclusive,
                            *span,
                            message,
                            format!("keep `{first}` or `{second}`"),
                        );
                        self.diagnostics.push(diagnostic.also(*at, "the other one"));
                    }
                }
                Group::Needs(one, other) => {
                    if let (Some(span), None) = (written.get(one), written.get(other)) {
                        self.error(
                            Code::Missing,
                            *span,
                            format!("`{one}` needs `{other}` beside it"),
                            format!("add `{other} = …`"),
                        );
                    }
                }
                Group::AtLeastOne(_) => {}
            }
        }
    }

    fn attribute_of(
        &mut self,
        rule: &AttributeRule,
        attribute: &Attribute,
        environment: Environment<'_>,
    ) -> Evaluated {
        let value = self.evaluate(&attribute.value, environment);
        if matches!(value.value, Value::Null | Value::Faulty) {
            return value;
        }
        match conform(&value, rule.shape) {
            Ok(value) => value,
            Err(misfit) => {
                let message = format!("`{}` {}", rule.name, misfit.message);
                let used = attribute.value.span;
                let at = if misfit.span.lies_in(used) {
                    misfit.span
                } else {
                    used
                };
                let culprit = Evaluated {
                    span: misfit.span,
                    ..value
                };
                self.error_about(misfit.code, at, &culprit, message, misfit.help)
            }
        }
    }
}

fn lowered(doc: &str) -> String {
    let mut chars = doc.trim_end_matches('.').chars();
    chars
        .next()
        .map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
