//! What the fuzz targets once found stays found: their kept inputs go through the same functions here.

use std::collections::BTreeSet;
use std::path::Path;

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "a crate of its own for the fuzz targets")]
mod targets;

/// Runs one target over its kept inputs.
fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let inputs = crate::shared::files(&folder, "");
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    for input in inputs {
        let bytes = std::fs::read(&input).unwrap();
        println!("{}", input.display());
        run(&bytes);
    }
}

macro_rules! replayed {
    ($($target:ident)*) => {
        const REPLAYED: &[&str] = &[$(stringify!($target)),*];
        $(
        #[test]
        fn $target() {
            replay(stringify!($target), targets::$target);
        }
        )*
    };
}

replayed!(parser formatter import state plan journal graph_answers filter_rule cidr);

#[test]
fn every_target_is_replayed_and_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let replayed: BTreeSet<String> = REPLAYED.iter().map(|&target| target.to_owned()).collect();
    let built: BTreeSet<String> = crate::shared::files(&folder.join("fuzz_targets"), ".rs")
        .iter()
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(replayed, built);
    let page = std::fs::read_to_string(folder.join("README.md")).unwrap();
    let told: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(target, _)| target.to_owned())
        .collect();
    assert_eq!(replayed, told);
}
