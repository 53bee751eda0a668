//! `capol test`

use std::path::PathBuf;

use super::arguments::TestFormat;
use super::{Context, Failure, Outcome};
use crate::ops::test::{Tested, test};
use crate::report::test_text::{test_json, test_junit, test_text};

pub(super) fn run(
    context: &Context,
    filter: Option<&str>,
    directory: Option<&PathBuf>,
    format: TestFormat,
) -> Result<Outcome, Failure> {
    context.only_form((format == TestFormat::Junit).then_some("junit"))?;
    let loaded = super::work::sound(context)?;
    let results = test(
        &loaded,
        filter,
        directory
            .map(|path| super::work::within(context, path))
            .as_deref(),
    )?;
    if format == TestFormat::Junit {
        context.out(&test_junit(&results));
    } else if context.global.json || format == TestFormat::Json {
        context.out(&format!("{:#}\n", test_json(&results)));
    } else {
        context.page(&test_text(&results));
    }
    Ok(if results.iter().all(Tested::passed) {
        Outcome::Done
    } else {
        Outcome::Failed
    })
}
