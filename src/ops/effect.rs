//! What a plan does to people's access, with the people counted as far as the tenant tells who is in what.

use super::OpsError;
use super::connection::Connection;
use super::refresh::Refreshed;
use crate::plan::{Membership, Plan, weigh};

/// Finds out what a plan does to people's access, and puts it into the plan. With `may_read` people are counted.
pub(super) async fn put(
    connection: &Connection,
    plan: &mut Plan,
    refreshed: &Refreshed,
    may_read: bool,
) -> Result<(), OpsError> {
    plan.effect = None;
    if plan.refresh_only || plan.steps.is_empty() {
        return Ok(());
    }
    let weighing = weigh(plan, &refreshed.live, &refreshed.directory);
    let asked = weighing.asked();
    let known = if may_read && !asked.is_empty() {
        let groups = asked
            .groups
            .iter()
            .filter(|group| is_id(group))
            .cloned()
            .collect();
        let members = connection
            .graph
            .people_in(&groups, &asked.roles, asked.everybody)
            .await?;
        Membership {
            groups: members.groups,
            roles: members.roles,
            everybody: members.everybody,
        }
    } else {
        Membership::default()
    };
    plan.effect = Some(weighing.counted(known));
    Ok(())
}

/// A group that is not made yet goes by its address.
fn is_id(group: &str) -> bool {
    crate::model::reference::is_guid(group)
}
