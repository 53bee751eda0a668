//! `capol state repair`

use super::{Context, Failure, Outcome, work};
use crate::ops::operator::Operator;
use crate::ops::state::Repair;
use crate::report::state_json::versioned;
use crate::report::state_text;
use crate::state::{LocalFile, StateStore as _};

/// What the question is answered with.
const AGREED: &str = "yes";

pub(super) async fn run(
    context: &Context,
    store: &LocalFile,
    operator: &Operator,
    from_tenant: bool,
) -> Result<Outcome, Failure> {
    let guard = operator.lock(store, "state repair").await?;
    context.locked(&guard);
    let mut repair = Repair::of(store).await?;
    if from_tenant || repair.needs_tenant() {
        look_in_tenant(context, &mut repair).await?;
    }
    if !context.global.json {
        context.page(&state_text::repair_page(&repair.report, &store.name()));
    }
    let is_agreed =
        !repair.has_changes() || context.confirmed("", "Write `yes` to write this state:", AGREED);
    let outcome = if is_agreed && repair.report.is_certain() {
        Outcome::Done
    } else {
        Outcome::Failed
    };
    let report = if repair.has_changes() && is_agreed {
        let change = operator.change("state repair");
        repair.write(store, &guard, &change).await?
    } else {
        if !is_agreed {
            context.note("Nothing was written.");
        }
        repair.report
    };
    guard.release()?;
    if context.global.json {
        context.out(&versioned(&report));
    } else {
        context.page(&state_text::repaired_page(&report));
    }
    Ok(outcome)
}

async fn look_in_tenant(context: &Context, repair: &mut Repair) -> Result<(), Failure> {
    let loaded = work::without_errors(context, context.load_or_new())?;
    let configuration = &loaded.configuration;
    if configuration.resources.is_empty() && !repair.has_changes() {
        return Ok(());
    }
    let workspace = work::workspace(context, &loaded)?;
    let worker = work::worker(context, "state repair")?;
    let watch = context.watch_for_person();
    watch.doing("reading the tenant");
    let connection = work::connect(context, &workspace, configuration, watch.observer()).await?;
    let looked = repair
        .look_in_tenant(&workspace, &connection, configuration, &worker)
        .await;
    connection.close().await;
    watch.clear();
    looked.map_err(|error| work::failure(error, &loaded.sources))
}
