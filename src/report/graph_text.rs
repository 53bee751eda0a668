//! A dependency graph in the languages of those who draw.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::model::Address;

/// What depends on what.
pub type Dependencies = BTreeMap<Address, BTreeSet<Address>>;

fn quoted(address: &Address) -> String {
    format!(
        "\"{}\"",
        address.to_string().replace('\\', "\\\\").replace('"', "\\\"")
    )
}

/// For Graphviz.
pub fn dot(dependencies: &Dependencies) -> String {
    let mut text = String::from("digraph capol {\n  rankdir = \"LR\";\n  node [shape = box];\n");
    for (address, needs) in dependencies {
        let _ = writeln!(text, "  {};", quoted(address));
        for need in needs {
            let _ = writeln!(text, "  {} -> {};", quoted(address), quoted(need));
        }
    }
    text.push_str("}\n");
    text
}

/// For Mermaid.
pub fn mermaid(dependencies: &Dependencies) -> String {
    let numbers: BTreeMap<&Address, usize> = dependencies
        .keys()
        .chain(dependencies.values().flatten())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .zip(1..)
        .collect();
    let mut text = String::from("flowchart LR\n");
    for (address, number) in &numbers {
        let _ = writeln!(
            text,
            "  n{number}[\"{}\"]",
            address.to_string().replace('"', "#quot;")
        );
    }
    for (address, needs) in dependencies {
        for need in needs {
            if let (Some(from), Some(to)) = (numbers.get(address), numbers.get(need)) {
                let _ = writeln!(text, "  n{from} --> n{to}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_name_every_edge_once() {
        let policy = Address::root("policy", "p").with_key("a\"b");
        let location = Address::root("location", "l");
        let graph = Dependencies::from([
            (location.clone(), BTreeSet::new()),
            (policy, BTreeSet::from([location])),
        ]);
        insta::assert_snapshot!(dot(&graph));
        insta::assert_snapshot!(mermaid(&graph));
    }
}
