//! The deliberate defects of `tests/defects/list.json` still fit the source; `python3 tests/defects/run.py` puts them in.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;

#[derive(Deserialize)]
struct Defect {
    name: String,
    user: String,
    file: String,
    find: String,
    replace: String,
}

#[test]
fn each_defect_has_one_place_in_the_source() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = std::fs::read_to_string(root.join("tests/defects/list.json")).unwrap();
    let defects: Vec<Defect> = serde_json::from_str(&listed).unwrap();
    let names: BTreeSet<&String> = defects.iter().map(|defect| &defect.name).collect();
    assert!(names.len() == defects.len() && defects.len() >= 20);
    for defect in &defects {
        let source = std::fs::read_to_string(root.join(&defect.file)).unwrap();
        let places = source.matches(&defect.find).count();
        assert_eq!(places, 1, "{} in {}", defect.name, defect.file);
        assert!(
            defect.find != defect.replace && !defect.user.is_empty(),
            "{}",
            defect.name
        );
    }
}
