//! `capol validate`

use super::{Context, Failure, Outcome};
use crate::report::validation_json;

pub(super) fn run(context: &Context) -> Result<Outcome, Failure> {
    let loaded = context.load();
    if context.global.json {
        context.out(&format!("{:#}\n", validation_json(&context.found(&loaded))));
    } else {
        context.diagnostics(&loaded);
    }
    if loaded.diagnostics.has_errors() {
        return Ok(Outcome::Failed);
    }
    let count = loaded.configuration.resources.len();
    context.note(&format!("The configuration is sound: {count} objects."));
    Ok(Outcome::Done)
}
