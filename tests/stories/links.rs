//! The book is whole: every page is in the table of contents, every link leads somewhere.

use std::collections::BTreeSet;

use super::root;
use crate::shared;

/// Where the links of a page lead, without those that leave the project.
fn links(text: &str) -> Vec<String> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link.to_owned())
        .filter(|link| !link.contains("://"))
        .collect()
}

/// The anchor that mdBook makes of a heading.
fn anchors(text: &str) -> BTreeSet<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix('#'))
        .map(|line| {
            let title = line.trim_start_matches('#').trim().to_lowercase();
            title
                .chars()
                .filter_map(|c| match c {
                    c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c),
                    c if c.is_whitespace() => Some('-'),
                    _ => None,
                })
                .collect()
        })
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut wrong = Vec::new();
    for path in shared::files(&root().join("book/src"), ".md") {
        let text = std::fs::read_to_string(&path).expect("a readable page");
        for link in links(&text) {
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().expect("a page has a folder").join(file),
            };
            let Ok(there) = std::fs::read_to_string(&target) else {
                wrong.push(format!("{}: `{link}`", path.display()));
                continue;
            };
            if !anchor.is_empty() && !anchors(&there).contains(anchor) {
                wrong.push(format!("{}: `{link}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "links that lead nowhere: {wrong:#?}");
}

#[test]
fn every_page_is_in_the_table_of_contents() {
    let source = root().join("book/src");
    let contents = std::fs::read_to_string(source.join("SUMMARY.md")).expect("a table of contents");
    let listed: BTreeSet<String> = links(&contents).into_iter().collect();
    let missing: Vec<String> = shared::files(&source, ".md")
        .iter()
        .map(|path| {
            let inside = path.strip_prefix(&source).expect("below the book");
            inside.to_string_lossy().replace('\\', "/")
        })
        .filter(|name| name != "SUMMARY.md" && !listed.contains(name))
        .collect();
    assert!(
        missing.is_empty(),
        "pages that the contents do not list: {missing:?}"
    );
}
