//! `capol explain`

use super::{Context, Failure, Outcome};
use crate::report::explain::{explain, explanation_page};
use crate::report::state_json::versioned;

pub(super) fn run(context: &Context, code: &str) -> Result<Outcome, Failure> {
    let explanation = explain(code)?;
    if context.global.json {
        context.out(&versioned(explanation));
    } else {
        context.page(&explanation_page(explanation));
    }
    Ok(Outcome::Done)
}
