//! `capol test`

use std::path::PathBuf;
use std::time::Duration;

use super::arguments::TestFormat;
use super::{Context, Failure, Outcome};
use crate::ops::files;
use crate::ops::test::{Tested, test};
use crate::report::test_text::{test_json, test_junit, test_text};

/// How often the files are looked at for changes.
const POLL: Duration = Duration::from_millis(300);

/// What is asked for.
pub(super) struct Request {
    pub(super) filter: Option<String>,
    pub(super) directory: Option<PathBuf>,
    pub(super) format: TestFormat,
    pub(super) watch: bool,
}

pub(super) fn run(context: &Context, request: &Request) -> Result<Outcome, Failure> {
    context.only_form((request.format == TestFormat::Junit).then_some("junit"))?;
    if !request.watch {
        return once(context, request);
    }
    loop {
        let read = read(context, request);
        if let Err(failure) = once(context, request) {
            context.failed(&failure);
        }
        context.note("Watching the files of the project. Ctrl-C ends it.");
        while self::read(context, request) == read {
            std::thread::sleep(POLL);
        }
    }
}

/// Everything that the results depend on, as it is now.
fn read(context: &Context, request: &Request) -> (Vec<(String, String)>, Option<Vec<u8>>) {
    let sources = context.load().sources;
    let texts = sources
        .iter()
        .map(|file| (file.name().to_owned(), file.text().to_owned()));
    let directory = request.directory.as_ref();
    let directory = directory.and_then(|path| files::read(&super::work::within(context, path)).ok());
    (texts.collect(), directory)
}

fn once(context: &Context, request: &Request) -> Result<Outcome, Failure> {
    let Request {
        filter,
        directory,
        format,
        ..
    } = request;
    let loaded = super::work::sound(context)?;
    let results = test(
        &loaded,
        filter.as_deref(),
        directory
            .as_ref()
            .map(|path| super::work::within(context, path))
            .as_deref(),
    )?;
    if *format == TestFormat::Junit {
        context.out(&test_junit(&results));
    } else if context.global.json || *format == TestFormat::Json {
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
