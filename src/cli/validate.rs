//! `capol validate`

use super::{Context, Failure, Outcome};

pub(super) fn run(context: &Context) -> Result<Outcome, Failure> {
    let loaded = context.load();
    context.diagnostics(&loaded);
    if loaded.diagnostics.has_errors() {
        return Ok(Outcome::Failed);
    }
    let count = loaded.configuration.resources.len();
    context.note(&format!("The configuration is sound: {count} objects."));
    Ok(Outcome::Done)
}
