//! Table and plot into the book.

use std::path::Path;

use super::plot::svg;
use super::whole::{Measured, panels, table};

/// Between these the page's table stands.
const BEGIN: &str = "<!-- what `cargo bench --bench engine -- --book` writes -->\n";
const END: &str = "<!-- until here -->\n";

/// Writes what was measured into `book/src/speed.md` and `book/src/speed.svg`.
pub(super) fn write(measured: &[Measured]) {
    let book = Path::new(env!("CARGO_MANIFEST_DIR")).join("book/src");
    std::fs::write(book.join("speed.svg"), svg(&panels(measured))).unwrap();
    let page = book.join("speed.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let new = format!(
        "{before}{BEGIN}\nMeasured on {}.\n\n{}\n{END}{after}",
        machine(),
        table(measured)
    );
    std::fs::write(page, new).unwrap();
}

/// Processor and system, as far as Linux tells.
fn machine() -> String {
    let processors = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("an unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!("{cores} cores of {model}, {}", std::env::consts::OS)
}
