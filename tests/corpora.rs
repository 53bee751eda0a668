//! What the fuzz targets once found stays found: their kept inputs go through the same functions here.

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
    ($($target:ident)*) => {$(
        #[test]
        fn $target() {
            replay(stringify!($target), targets::$target);
        }
    )*};
}

replayed!(parser formatter import state plan journal graph_answers filter_rule cidr);
