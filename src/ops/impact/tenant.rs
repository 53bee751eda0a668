//! The sign-in logs of a tenant, page by page.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value as Json;

use super::chunk::{Chunk, Layout};
use super::{Impact, ImpactError, Tally};
use crate::graph::Version;
use crate::ops::OpsError;
use crate::ops::connection::Connection;

/// What is asked for: people and applications can't be asked for at once (`FACTS` 9.1).
///
/// Beta, because v1.0 has interactive sign-ins only, and less of what they met.
const KINDS: [&str; 2] = [
    "signInEventTypes/any(t: t eq 'interactiveUser' or t eq 'nonInteractiveUser')",
    "signInEventTypes/any(t: t eq 'servicePrincipal')",
];

impl Impact {
    /// Replays the sign-ins of the last days. `told` hears how many were read.
    pub async fn replay_tenant(
        &self,
        connection: &Connection,
        days: u32,
        now: Timestamp,
        told: impl Fn(u64),
    ) -> Result<Tally, ImpactError> {
        let since = now
            .checked_sub(SignedDuration::from_hours(24 * i64::from(days)))
            .unwrap_or(now);
        let mut replay = self.begin();
        let mut number = 1;
        for kind in KINDS {
            let filter = format!("createdDateTime ge {since:.0} and {kind}");
            let query = [("$filter", filter.as_str()), ("$top", "1000")];
            let mut pages = connection.graph.pages(Version::Beta, "auditLogs/signIns", &query);
            while let Some(page) = pages.next().await.map_err(OpsError::from)? {
                let count = u64::try_from(page.len()).unwrap_or_default();
                replay.take(&chunk(&page, number));
                number += count;
                told(number - 1);
            }
        }
        replay.finish()
    }
}

fn chunk(page: &[Json], first: u64) -> Chunk {
    let mut bytes = Vec::new();
    let mut ends = Vec::new();
    for sign_in in page {
        bytes.extend_from_slice(sign_in.to_string().as_bytes());
        ends.push(bytes.len());
    }
    Chunk {
        bytes,
        layout: Layout::Ends(first, ends),
        ..Chunk::default()
    }
}
