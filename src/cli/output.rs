//! `capol output`

use super::{Context, Failure, Outcome};
use crate::ops::state;
use crate::report::{state_json, state_text};
use crate::state::StateStore as _;

pub(super) async fn run(context: &Context, name: Option<&str>, raw: bool) -> Result<Outcome, Failure> {
    let store = super::state::store(context)?;
    let Some(name) = name else {
        let document = store.load_for_display().await?;
        if context.global.json {
            context.out(&state_json::outputs_json(document.as_ref()));
        } else if let Some(document) = &document {
            context.out(&state_text::outputs_text(document));
        }
        if document.is_none_or(|document| document.outputs.is_empty()) {
            context.note("There are no outputs: write an `output` block, and run `capol apply`.");
        }
        return Ok(Outcome::Done);
    };
    let document = state::read(&store).await?;
    let output = state::output(&document, name)?;
    if raw {
        context.out(&state::raw(name, output)?);
    } else if context.global.json {
        context.out(&state_json::output_json(output));
    } else {
        context.out(&state_text::output_text(output));
    }
    Ok(Outcome::Done)
}

/// Shows the whole state.
pub(super) async fn show(context: &Context) -> Result<Outcome, Failure> {
    let document = super::state::store(context)?.load_for_display().await?;
    if context.global.json {
        context.out(&state_json::state_json(document.as_ref()));
    } else {
        let shown = document.as_ref().map(state::shown).unwrap_or_default();
        context.out(&state_text::state_text(document.as_ref(), &shown));
    }
    Ok(Outcome::Done)
}
