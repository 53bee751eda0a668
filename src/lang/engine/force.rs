//! Computing a name the first time it is asked for, and noticing when it needs itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{Computed, Engine, Expansion, Node, Pending};
use crate::lang::declarations::attribute;
use crate::lang::error::{Code, Diagnostic, Diagnostics};
use crate::lang::evaluate::{DEEPEST, Evaluator};
use crate::lang::functions::reference_of_text;
use crate::lang::scope::{Each, Environment, ModuleId, Scope};
use crate::lang::value::{Evaluated, Value, by_key};
use crate::model::{Reference, Target};
use crate::syntax::{Attribute, Block, Span};

impl Engine {
    pub(super) fn computed(&self, node: &Node) -> Option<Computed> {
        self.state()
            .computed
            .get(node)
            .map(|(computed, _)| computed.clone())
    }

    fn store(&self, node: Node, computed: Computed, diagnostics: Diagnostics) {
        self.state().computed.insert(node, (computed, diagnostics));
    }
}

impl Evaluator<'_> {
    pub(super) fn compute(
        &mut self,
        node: Node,
        asked: Span,
        otherwise: Computed,
        work: impl FnOnce(&mut Evaluator<'_>) -> Computed,
    ) -> Computed {
        if let Some(done) = self.engine.computed(&node) {
            return done;
        }
        if let Some(position) = self.stack.iter().position(|pending| pending.node == node) {
            self.cycle(position, &node, asked);
            return otherwise;
        }
        self.stack.push(Pending {
            node: node.clone(),
            asked,
        });
        let mut diagnostics = Diagnostics::new();
        let computed = self.apart(&mut diagnostics, work);
        self.stack.pop();
        self.engine.store(node, computed.clone(), diagnostics);
        computed
    }

    /// Reports the path of a name back to itself. Goes to the engine, so that no `try` hides it.
    fn cycle(&mut self, position: usize, node: &Node, asked: Span) {
        let circle: Vec<&Pending> = self.stack.iter().skip(position).collect();
        let names: Vec<String> = circle
            .iter()
            .map(|pending| pending.node.name())
            .chain([node.name()])
            .collect();
        let message = format!("`{}` needs itself: {}", node.name(), names.join(" → "));
        let help = "take one of the references out of the circle";
        let mut diagnostic = Diagnostic::error(Code::Cycle, asked, message, help)
            .labelled(format!("closes the circle at `{}`", node.name()));
        for pending in circle.iter().skip(1) {
            diagnostic = diagnostic.also(pending.asked, format!("needs `{}`", pending.node.name()));
        }
        self.engine.report(diagnostic);
    }

    /// The value of a variable, local, output or look-up.
    pub(crate) fn forced(&mut self, node: Node, asked: Span) -> Evaluated {
        let work_node = node.clone();
        let computed = self.compute(node, asked, Computed::Value(Evaluated::faulty(asked)), |inner| {
            let value = match &work_node {
                Node::Variable(module, name) => inner.compute_variable(*module, name),
                Node::Local(module, name) => inner.compute_local(*module, name),
                Node::Output(module, name) => inner.compute_output(*module, name),
                Node::LookUp(module, kind, name) => inner.compute_look_up(*module, kind, name),
                Node::Children(..) | Node::Expansion(..) => Evaluated::faulty(asked),
            };
            if value.is_deeper_than(DEEPEST) {
                let message = format!("the value nests more than {DEEPEST} levels deep");
                let help = "take a level of brackets away, or use `flatten(…)`";
                return Computed::Value(inner.error(Code::TooDeep, value.span, message, help));
            }
            Computed::Value(value)
        });
        match computed {
            Computed::Value(value) => value,
            Computed::Children(_) | Computed::Expansion(_) => Evaluated::faulty(asked),
        }
    }

    fn compute_local(&mut self, module: ModuleId, name: &str) -> Evaluated {
        let declarations = self.engine.module(module).declarations.clone();
        match declarations.locals.get(name) {
            Some(local) => self.evaluate(&local.value, Environment::new(&Scope::of(module))),
            None => Evaluated::faulty(Span::SYNTHETIC),
        }
    }

    fn compute_output(&mut self, module: ModuleId, name: &str) -> Evaluated {
        let declarations = self.engine.module(module).declarations.clone();
        let Some(output) = declarations.outputs.get(name) else {
            return Evaluated::faulty(Span::SYNTHETIC);
        };
        let block = &output.block;
        let checked = self.check_block(block, &Scope::of(module));
        let Some(value) = attribute(block, "value") else {
            return Evaluated::faulty(block.header);
        };
        let computed = self.evaluate(&value.value, Environment::new(&Scope::of(module)));
        let sensitive = checked.is_true("sensitive");
        if module == ModuleId::ROOT && computed.is_sensitive() && !sensitive {
            return self.error_about(
                Code::Sensitive,
                value.value.span,
                &computed,
                format!("the output `{name}` would show a sensitive value"),
                "add `sensitive = true` to the output, or wrap the value in `nonsensitive(…)`",
            );
        }
        computed.tainted(sensitive)
    }

    fn compute_look_up(&mut self, module: ModuleId, kind: &str, name: &str) -> Evaluated {
        let declarations = self.engine.module(module).declarations.clone();
        let (Some(named), Some(target)) = (declarations.block(kind, name), Target::from_word(kind)) else {
            return Evaluated::faulty(Span::SYNTHETIC);
        };
        let block = &named.block;
        match self.expansion(module, kind, name, block.header) {
            Expansion::Faulty => Evaluated::faulty(block.header),
            Expansion::Single => self.looked_up(block, target, &Scope::of(module)),
            Expansion::Each(all) => {
                let entries: IndexMap<_, _> = all
                    .iter()
                    .map(|each| {
                        let key = each.text().to_owned();
                        (
                            key,
                            self.looked_up(
                                block,
                                target,
                                &Scope {
                                    module,
                                    each: Some(each.clone()),
                                },
                            ),
                        )
                    })
                    .collect();
                Evaluated::new(Value::from(entries), block.header)
            }
        }
    }

    fn looked_up(&mut self, block: &Block, target: Target, scope: &Scope) -> Evaluated {
        let checked = self.check_block(block, scope);
        let id = checked.text("id").map(|id| Reference::id(target, &id));
        let name = checked
            .text("name")
            .or_else(|| checked.text("user_principal_name"));
        let reference = id.or_else(|| name.map(|name| reference_of_text(target, &name)));
        Evaluated::new(reference.map_or(Value::Faulty, Value::Reference), block.header)
    }

    /// The instances of a block: one, or one for every element of its `for_each`.
    pub(crate) fn expansion(&mut self, module: ModuleId, kind: &str, name: &str, asked: Span) -> Expansion {
        let declarations = self.engine.module(module).declarations.clone();
        let block = match kind {
            "module" => declarations.modules.get(name),
            _ => declarations.block(kind, name).map(|named| &named.block),
        };
        let Some(for_each) = block.and_then(|block| attribute(block, "for_each")) else {
            return Expansion::Single;
        };
        let node = Node::Expansion(module, kind.to_owned(), name.to_owned());
        let computed = self.compute(node, asked, Computed::Expansion(Expansion::Faulty), |inner| {
            Computed::Expansion(inner.elements(for_each, &Scope::of(module)))
        });
        match computed {
            Computed::Expansion(expansion) => expansion,
            Computed::Value(_) | Computed::Children(_) => Expansion::Faulty,
        }
    }

    /// The elements of a `for_each`, sorted by key.
    pub(crate) fn elements(&mut self, for_each: &Attribute, scope: &Scope) -> Expansion {
        let value = self.evaluate(&for_each.value, Environment::new(scope));
        let used = for_each.value.span;
        if value.sensitive {
            let message = "`for_each` is sensitive, and its keys would show in addresses";
            self.error_about(
                Code::Sensitive,
                used,
                &value,
                message,
                "walk over something else, or wrap it in `nonsensitive(…)`",
            );
            return Expansion::Faulty;
        }
        match &value.value {
            Value::Faulty => Expansion::Faulty,
            Value::Object(entries) => Expansion::Each(Arc::new(
                by_key(entries)
                    .into_iter()
                    .map(|(key, value)| {
                        let key = Evaluated::new(Value::text(key), value.span);
                        Arc::new(Each {
                            key,
                            value: value.clone(),
                        })
                    })
                    .collect(),
            )),
            Value::List(items) => self.strings(items, &value, used),
            other => {
                let message = format!(
                    "`for_each` walks over a map or a list of strings, not {}",
                    other.kind()
                );
                self.error_about(
                    Code::ForEach,
                    used,
                    &value,
                    message,
                    "write a map `{ a = … }` or a list `[\"a\", \"b\"]`",
                );
                Expansion::Faulty
            }
        }
    }

    fn strings(&mut self, items: &[Evaluated], value: &Evaluated, used: Span) -> Expansion {
        let mut all: BTreeMap<&str, Arc<Each>> = BTreeMap::new();
        let mut sound = true;
        for item in items {
            let Some(text) = item.as_text() else {
                if !item.is_faulty() {
                    let message = format!(
                        "`for_each` needs a string for every key, not {}",
                        item.value.kind()
                    );
                    let help = "give every element a key: `{ for x in list : x.name => x }`";
                    self.error_about(Code::ForEach, used, item, message, help);
                }
                sound = false;
                continue;
            };
            if let Some(first) = all.get(text) {
                let first = first.key.span;
                let message = format!("`for_each` has the key `{text}` twice");
                let mut diagnostic =
                    Diagnostic::error(Code::KeyTwice, used, message, "wrap the list in `toset(…)`");
                if value.span != item.span {
                    diagnostic = diagnostic.also(first, "the first").also(item.span, "the second");
                }
                self.diagnostics.push(diagnostic);
                sound = false;
                continue;
            }
            let each = Each {
                key: item.clone(),
                value: item.clone(),
            };
            all.insert(text, Arc::new(each));
        }
        if sound {
            Expansion::Each(Arc::new(all.into_values().collect()))
        } else {
            Expansion::Faulty
        }
    }

    /// Holds a top-level block against its row of the table.
    pub(crate) fn check_block(&mut self, block: &Block, scope: &Scope) -> crate::lang::blocks::Checked {
        let Some(kind) = crate::lang::blocks::find(&block.kind.text) else {
            return crate::lang::blocks::Checked::default();
        };
        let owner = match block.labels.first() {
            Some(label) => format!("{} `{}`", kind.name, label.text),
            None => format!("`{}`", kind.name),
        };
        self.check(
            kind.schema,
            &block.body,
            &owner,
            block.header,
            Environment::new(scope),
        )
    }
}
