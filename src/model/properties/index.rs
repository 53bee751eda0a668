//! The tables by the words of the language, so that no attribute walks a table.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use super::{Kind, Property};

/// What may stand in a block of the language.
#[derive(Debug, Default)]
pub struct Steps {
    attributes: HashSet<&'static str>,
    blocks: HashSet<&'static str>,
}

impl Steps {
    /// Whether it takes an attribute of this name.
    pub fn has_attribute(&self, name: &str) -> bool {
        self.attributes.contains(name)
    }

    /// Whether it takes a block of this name.
    pub fn has_block(&self, name: &str) -> bool {
        self.blocks.contains(name)
    }

    /// The names of its attributes.
    pub fn attributes(&self) -> BTreeSet<&'static str> {
        self.attributes.iter().copied().collect()
    }

    /// The names of its blocks.
    pub fn blocks(&self) -> BTreeSet<&'static str> {
        self.blocks.iter().copied().collect()
    }
}

#[derive(Default)]
struct Index {
    rows: HashMap<&'static str, Vec<&'static Property>>,
    steps: HashMap<&'static str, Steps>,
}

static INDEXES: LazyLock<[Index; Kind::ALL.len()]> = LazyLock::new(|| Kind::ALL.map(Index::of));

/// The index of a kind: [`Kind::ALL`] lists the kinds as they are declared.
fn index(kind: Kind) -> Option<&'static Index> {
    INDEXES.get(kind as usize)
}

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
    let rows = index(kind).and_then(|index| index.rows.get(dsl));
    rows.map_or(&[], Vec::as_slice)
}

/// What may stand in the block at a path; nothing where the kind has no such block.
pub fn steps(kind: Kind, path: &str) -> &'static Steps {
    static NONE: LazyLock<Steps> = LazyLock::new(Steps::default);
    let steps = index(kind).and_then(|index| index.steps.get(path));
    steps.unwrap_or(&NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_finds_its_own_index() {
        for kind in Kind::ALL {
            for property in kind.properties() {
                for dsl in property.dsl {
                    assert!(by_dsl(kind, dsl).contains(&property), "{kind:?} {dsl}");
                    let (path, name) = dsl.rsplit_once('.').unwrap_or(("", dsl));
                    assert!(steps(kind, path).has_attribute(name), "{kind:?} {dsl}");
                    let (outer, block) = path.rsplit_once('.').unwrap_or(("", path));
                    assert!(
                        path.is_empty() || steps(kind, outer).has_block(block),
                        "{kind:?} {dsl}"
                    );
                }
            }
        }
    }
}
