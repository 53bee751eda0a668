//! Where published data lies, for the tests that hold capol against it.

use std::path::PathBuf;

/// The folder of published schemas and exports, if this machine has it; says so when it has not.
pub(crate) fn folder(below: &str) -> Option<PathBuf> {
    let root = std::env::var_os("CAPOL_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"),
        PathBuf::from,
    );
    let folder = root.join(below);
    if folder.exists() {
        return Some(folder);
    }
    println!(
        "skipped: {} is not there (set CAPOL_SHARED to the folder that holds it)",
        folder.display()
    );
    None
}

/// Every file below a folder whose name ends so, in a stable order.
pub(crate) fn files(folder: &std::path::Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(here) = open.pop() {
        for entry in std::fs::read_dir(&here).expect("readable folder") {
            let path = entry.expect("readable entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
