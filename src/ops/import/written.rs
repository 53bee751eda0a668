//! What the files of a project say already, so that an import neither says it again nor takes its names.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Address, Target};
use crate::ops::project::Loaded;
use crate::syntax::{Block, Expression, ExpressionKind, ItemKind, parse};

/// The blocks of the root module.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// Their labels, by block type.
    pub(super) labels: BTreeMap<String, BTreeSet<String>>,
    /// The look-up blocks, by the id that they pin.
    pub(super) pinned: BTreeMap<(Target, String), Address>,
}

/// Reads the blocks of the root module, whatever they describe.
pub(super) fn written(project: &Loaded) -> Written {
    let mut written = Written::default();
    for file in project.sources.iter() {
        let in_module = file.name().contains(['/', '\\']);
        if in_module {
            continue;
        }
        for item in &parse(file).tree.items {
            if let ItemKind::Block(block) = &item.kind
                && let [label] = block.labels.as_slice()
            {
                let (kind, label) = (&block.kind.text, &label.text);
                written
                    .labels
                    .entry(kind.clone())
                    .or_default()
                    .insert(label.clone());
                if let (Some(target), Some(id)) = (Target::from_word(kind), pinned(block)) {
                    let address = Address::root(kind.as_str(), label.as_str());
                    written
                        .pinned
                        .entry((target, id.to_ascii_lowercase()))
                        .or_insert(address);
                }
            }
        }
    }
    written
}

/// The id of a block that says nothing else.
fn pinned(block: &Block) -> Option<&str> {
    match block.body.items.as_slice() {
        [only] => match &only.kind {
            ItemKind::Attribute(attribute) if attribute.name.text == "id" => literal(&attribute.value),
            _ => None,
        },
        _ => None,
    }
}

fn literal(expression: &Expression) -> Option<&str> {
    match &expression.kind {
        ExpressionKind::String(template) => template.plain(),
        _ => None,
    }
}
