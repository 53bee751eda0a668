//! The tables by the words of the language, so that no attribute walks a table.

use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use super::{Kind, Property};

/// What may stand in a block of the language.
#[derive(Debug, Default)]
pub struct Steps {
    /// The names of its attributes.
    pub attributes: BTreeSet<&'static str>,
    /// The names of its blocks.
    pub blocks: BTreeSet<&'static str>,
}

#[derive(Default)]
struct Index {
    rows: HashMap<&'static str, Vec<&'static Property>>,
    steps: HashMap<&'static str, Steps>,
}

static INDEXES: LazyLock<HashMap<Kind, Index>> =
    LazyLock::new(|| Kind::ALL.map(|kind| (kind, Index::of(kind))).into());

impl Index {
    fn of(kind: Kind) -> Self {
        let mut index = Self::default();
        for property in kind.properties() {
            for dsl in property.dsl {
                index.rows.entry(dsl).or_default().push(property);
                let mut path = "";
                while let Some(rest) = below(dsl, path) {
                    let steps = index.steps.entry(path).or_default();
                    let Some((step, _)) = rest.split_once('.') else {
                        steps.attributes.insert(rest);
                        break;
                    };
                    steps.blocks.insert(step);
                    let end = dsl.len() - rest.len() + step.len();
                    path = dsl.get(..end).unwrap_or_default();
                }
            }
        }
        index
    }
}

fn below<'d>(dsl: &'d str, path: &str) -> Option<&'d str> {
    if path.is_empty() {
        Some(dsl)
    } else {
        dsl.strip_prefix(path)?.strip_prefix('.')
    }
}

/// The rows that an attribute of the language may set, in the order of the table.
pub fn by_dsl(kind: Kind, dsl: &str) -> &'static [&'static Property] {
    let rows = INDEXES.get(&kind).and_then(|index| index.rows.get(dsl));
    rows.map_or(&[], Vec::as_slice)
}

/// What may stand in the block at a path; nothing where the kind has no such block.
pub fn steps(kind: Kind, path: &str) -> &'static Steps {
    static NONE: LazyLock<Steps> = LazyLock::new(Steps::default);
    let steps = INDEXES.get(&kind).and_then(|index| index.steps.get(path));
    steps.unwrap_or(&NONE)
}
