//! `capol graph`

use super::arguments::GraphFormat;
use super::{Context, Failure, Outcome, work};
use crate::plan::graph::dependencies;
use crate::report::graph_text::{dot, mermaid};

pub(super) fn run(context: &Context, format: GraphFormat) -> Result<Outcome, Failure> {
    let loaded = work::sound(context)?;
    let graph = dependencies(&loaded.configuration);
    context.out(&match format {
        GraphFormat::Dot => dot(&graph),
        GraphFormat::Mermaid => mermaid(&graph),
    });
    Ok(Outcome::Done)
}
