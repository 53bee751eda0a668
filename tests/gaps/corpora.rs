//! The policies that others published, repository by repository: none makes a rule stumble, and how often each speaks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use capol::access::{Estate, Known, gaps};
use capol::export;
use capol::model::Kind;

use crate::shared;

#[test]
fn published_policies_are_judged_without_trouble() {
    let Some(corpus) = shared::folder("corpus") else {
        return;
    };
    let mut told = String::new();
    let mut repositories: Vec<_> = std::fs::read_dir(&corpus)
        .expect("readable")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.is_dir())
        .collect();
    repositories.sort();
    for repository in repositories {
        let files: Vec<(String, Vec<u8>)> = shared::files(&repository, ".json")
            .into_iter()
            .map(|path| {
                (
                    path.display().to_string(),
                    std::fs::read(&path).expect("readable"),
                )
            })
            .collect();
        let intake = export::read(&files);
        let mut estate = Estate::default();
        for (place, found) in intake.objects.iter().enumerate() {
            let known = found.id.as_ref().map(|id| id.to_ascii_lowercase());
            let key = match (found.kind, known) {
                (Kind::Policy, _) | (_, None) => format!("{place}"),
                (_, Some(id)) => id,
            };
            // The same location stands in several files; the first is as good as any.
            let added = estate.add(&key, &found.object, found.object.raw.is_some());
            drop(added);
        }
        if estate.policies().is_empty() {
            continue;
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for gap in gaps(&estate, &Known::default()).expect("decided") {
            *counts.entry(gap.rule.code()).or_default() += 1;
        }
        let name = repository.file_name().expect("a name").to_string_lossy();
        writeln!(told, "{name}: {} policies", estate.policies().len()).expect("written");
        for (code, count) in counts {
            writeln!(told, "  {code} {count}").expect("written");
        }
    }
    insta::assert_snapshot!("corpora", told);
}
