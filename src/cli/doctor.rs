//! `capol doctor`

use super::watch::Watch;
use super::{Context, Failure, Outcome, work};
use crate::ops::OpsError;
use crate::ops::doctor::diagnose;
use crate::report::doctor_text::doctor_page;
use crate::report::state_json::versioned;

pub(super) async fn run(context: &Context) -> Result<Outcome, Failure> {
    // The configuration may be broken or not begun: what it says of the tenant is all that is used.
    let loaded = context.load();
    let workspace = work::workspace(context, &loaded)?;
    let connection = work::connect(
        context,
        &workspace,
        &loaded.configuration,
        Watch::person(context).observer(),
    )
    .await?;
    let diagnosis = diagnose(&connection).await.map_err(OpsError::from)?;
    connection.close().await;
    if context.global.json {
        context.out(&versioned(&diagnosis));
    } else {
        context.page(&doctor_page(&diagnosis));
    }
    Ok(if diagnosis.is_well() {
        Outcome::Done
    } else {
        Outcome::Failed
    })
}
