//! The log on standard error: `CAPOL_LOG`, `-v`, `-vv`.

use tracing::Metadata;
use tracing_subscriber::filter::{EnvFilter, FilterFn};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::{Context, Failure};

/// A filter that cannot be read.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
#[error("`CAPOL_LOG` is not a filter: {reason}")]
#[diagnostic(
    code("cli::log"),
    help("write a level, `CAPOL_LOG=debug`, or levels by part, `CAPOL_LOG=capol::graph=debug,warn`")
)]
pub(super) struct NoFilter {
    reason: String,
}

/// Starts the log. Without a wish only warnings are shown.
///
/// Nothing but capol's own words is ever logged: the libraries below could log headers with tokens in them.
pub(super) fn start(context: &Context) -> Result<(), Failure> {
    let wanted = context
        .environment
        .get("CAPOL_LOG")
        .filter(|text| !text.is_empty());
    let level = match context.global.verbose {
        0 => "warn",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::builder()
        .parse(wanted.map_or(level, String::as_str))
        .map_err(|error| NoFilter {
            reason: error.to_string(),
        })?;
    let lines = fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(context.terminal.error_canvas().color)
        .with_target(false)
        .with_filter(filter)
        .with_filter(FilterFn::new(is_own));
    // Only the first start counts; a second is the same process asking again.
    drop(tracing_subscriber::registry().with(lines).try_init());
    Ok(())
}

fn is_own(metadata: &Metadata<'_>) -> bool {
    metadata.target() == "capol" || metadata.target().starts_with("capol::")
}
