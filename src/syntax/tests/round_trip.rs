//! Printing and reading are each other's inverse.

use proptest::prelude::*;

use super::bare::{bare, comments};
use super::random;
use super::read;
use crate::syntax::{Attribute, Body, Item, print};

/// Reads text that must have no error.
fn read_well(text: &str) -> Result<Body, TestCaseError> {
    let parsed = read(text);
    prop_assert!(parsed.errors.is_empty(), "{}\n{text}", parsed.errors[0]);
    Ok(parsed.tree)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_printed_reads_back_as_the_same_tree(tree in random::body()) {
        let text = print(&tree);
        let again = read_well(&text)?;
        prop_assert_eq!(comments(&again), comments(&tree), "{}", text);
        prop_assert_eq!(bare(again), bare(tree), "{}", text);
    }

    #[test]
    fn formatting_twice_is_formatting_once(tree in random::body()) {
        let once = print(&tree);
        let twice = print(&read_well(&once)?);
        prop_assert_eq!(twice, once);
    }

    #[test]
    fn a_comment_survives_wherever_it_stands(
        value in random::expression(),
        place in any::<prop::sample::Index>(),
        line in any::<bool>(),
    ) {
        let tree = Body::new(vec![Item::from(Attribute::new("value", value))]);
        let text = print(&tree);
        let gaps: Vec<usize> = text.match_indices([' ', '\n', ',', '(', ')', '[', ']']).map(|(at, _)| at).collect();
        let at = gaps[place.index(gaps.len())];
        let comment = if line { " # here\n" } else { " /* here */ " };
        let commented = {
            let (before, after) = text.split_at(at);
            format!("{before}{comment}{after}")
        };
        let parsed = read(&commented);
        // Where a comment cannot stand, in a string or before the end of a line, there is nothing to keep.
        prop_assume!(parsed.errors.is_empty());
        let kept = crate::syntax::scan::scan_file(&parsed.file).comments;
        prop_assume!(!kept.is_empty());
        let formatted = print(&parsed.tree);
        let again = read_well(&formatted)?;
        prop_assert_eq!(comments(&again).len(), kept.len(), "{}\n{}", commented, formatted);
        prop_assert_eq!(print(&again), formatted.clone(), "{}", commented);
        prop_assert_eq!(bare(again), bare(parsed.tree));
    }

    #[test]
    fn no_text_is_too_strange_to_read(text in "[a-c \"${}\\[\\]()=,\n#/*%'<E?:.0-9h!&|-]{0,60}") {
        let parsed = read(&text);
        for error in &parsed.errors {
            let range = error.span().range();
            prop_assert!(range.end <= text.len() && text.get(range).is_some());
        }
        if parsed.errors.is_empty() {
            let once = print(&parsed.tree);
            prop_assert_eq!(print(&read_well(&once)?), once);
        }
    }
}
