//! `lifecycle { … }`: what becomes of an object, whatever its kind.

use super::Binder;
use super::error::BindError;
use crate::lang::value::{Evaluated, Value};
use crate::syntax::{Body, ItemKind};

impl Binder<'_> {
    pub(super) fn lifecycle(&mut self, body: &Body) {
        for item in &body.items {
            let ItemKind::Attribute(attribute) = &item.kind else {
                if let ItemKind::Block(block) = &item.kind {
                    self.errors.push(BindError::UnknownBlock {
                        block: "lifecycle".into(),
                        name: block.kind.text.clone(),
                        choices: Vec::new(),
                        at: block.kind.span,
                    });
                }
                continue;
            };
            let value = (self.evaluate)(&attribute.value);
            match (attribute.name.text.as_str(), &value.value) {
                ("prevent_destroy", Value::Bool(set)) => self.resource.lifecycle.prevent_destroy = *set,
                ("reason", Value::String { text, .. }) => self.resource.lifecycle.reason = Some(text.clone()),
                ("ignore_changes", Value::List(items)) => {
                    for item in items.iter() {
                        self.ignored(item);
                    }
                }
                ("prevent_destroy" | "reason" | "ignore_changes", _) => {
                    if !value.is_faulty() {
                        self.errors.push(BindError::WrongKind {
                            name: attribute.name.text.clone(),
                            wanted: "another kind of value".into(),
                            found: value.value.kind().into(),
                            help: "write `prevent_destroy = true`, `ignore_changes = [\"users.exclude\"]`, `reason = \"…\"`".into(),
                            at: value.span,
                        });
                    }
                }
                _ => self.errors.push(BindError::UnknownAttribute {
                    block: "lifecycle".into(),
                    name: attribute.name.text.clone(),
                    choices: ["prevent_destroy", "ignore_changes", "reason"]
                        .map(str::to_owned)
                        .into(),
                    at: attribute.name.span,
                }),
            }
        }
    }

    /// `ignore_changes` names properties as they are written: `"users.exclude"`, or a whole block as `users`.
    fn ignored(&mut self, item: &Evaluated) {
        let Some(dsl) = item.as_text() else { return };
        let prefix = format!("{dsl}.");
        let wires: Vec<String> = self
            .kind()
            .properties()
            .iter()
            .filter(|property| {
                property
                    .dsl
                    .iter()
                    .any(|path| *path == dsl || path.starts_with(&prefix))
            })
            .map(|property| property.wire.to_owned())
            .collect();
        if wires.is_empty() {
            let choices = self.kind().properties().iter().flat_map(|property| property.dsl);
            self.errors.push(BindError::UnknownSymbol {
                word: dsl.into(),
                noun: "a property of this block".into(),
                choices: choices.map(|path| (*path).to_owned()).collect(),
                at: item.span,
            });
        }
        self.resource.lifecycle.ignore_changes.extend(wires);
    }
}
