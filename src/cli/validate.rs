//! `capol validate`

use super::{Context, Outcome};
use crate::report::validation_json;

pub(super) fn run(context: &Context) -> Outcome {
    let loaded = context.load();
    if context.global.json {
        context.out(&format!("{:#}\n", validation_json(&context.found(&loaded))));
    } else {
        context.diagnostics(&loaded);
    }
    if loaded.diagnostics.has_errors() {
        return Outcome::Failed;
    }
    let count = loaded.configuration.resources.len();
    context.note(&format!("The configuration is sound: {count} objects."));
    // The process ends here, and the system takes all of it back at once.
    std::mem::forget(loaded);
    Outcome::Done
}
