//! `capol validate`

use super::arguments::FindingFormat;
use super::{Context, Failure, Outcome};
use crate::lang::Severity;
use crate::ops::lint;
use crate::report::sarif::sarif;
use crate::report::validation_json;

pub(super) fn run(context: &Context, format: FindingFormat, deny_warnings: bool) -> Result<Outcome, Failure> {
    context.only_form((format == FindingFormat::Sarif).then_some("sarif"))?;
    let mut loaded = context.load();
    let gaps = lint::of_project(&loaded)?;
    loaded.diagnostics.extend(gaps);
    if format == FindingFormat::Sarif {
        let log = sarif(&context.found(&loaded), &[], &context.project);
        context.out(&format!("{log:#}\n"));
    } else if context.global.json || format == FindingFormat::Json {
        context.out(&format!("{:#}\n", validation_json(&context.found(&loaded))));
    } else {
        context.diagnostics(&loaded);
    }
    let refused = |diagnostic: &crate::lang::error::Diagnostic| match diagnostic.severity {
        Severity::Error => true,
        Severity::Warning => deny_warnings,
        Severity::Note => false,
    };
    if loaded.diagnostics.iter().any(refused) {
        return Ok(Outcome::Failed);
    }
    let count = loaded.configuration.resources.len();
    context.note(&format!("The configuration is sound: {count} objects."));
    // The process ends here, and the system takes all of it back at once.
    std::mem::forget(loaded);
    Ok(Outcome::Done)
}
