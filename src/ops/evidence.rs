//! The evidence of a wave: sign-ins of the tenant's log, page by page, or of exported files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError, mpsc};

use jiff::Timestamp;

use super::OpsError;
use super::impact::{Chunk, ImpactError, Records, open};
use crate::access::log::{Line, LineKind};
use crate::graph::{Graph, Registration, SignInKind};
use crate::rollout::evidence::{Evidence, NoSignIn, Scope, Sighting};
use crate::rollout::gate::Coverage;

/// How deep records may wrap records.
const WRAPS: usize = 3;

/// Counts the sign-ins of a tenant since a wave began. No more than one page of 1,000 is held at a time.
pub async fn of_tenant(
    graph: &Graph,
    scope: &Scope,
    kinds: &[SignInKind],
    now: Timestamp,
) -> Result<Evidence, OpsError> {
    let mut evidence = Evidence::new(scope);
    for kind in kinds {
        let mut pages = graph.sign_ins(*kind, scope.since(), now);
        while let Some(page) = pages.next().await? {
            for sign_in in page {
                for seen in seen(scope, sign_in.to_string().as_bytes(), 0) {
                    count(&mut evidence, &seen);
                }
            }
        }
    }
    Ok(evidence)
}

/// Counts the sign-ins of exported logs, on so many threads; memory does not grow with the logs but with what is counted.
pub fn of_files(logs: &[PathBuf], scope: &Scope, threads: usize) -> Result<Evidence, ImpactError> {
    let threads = threads.max(1);
    let (send, receive) = mpsc::sync_channel::<Chunk>(threads * 2);
    let (tell, told) = mpsc::sync_channel::<Vec<Seen>>(threads * 2);
    let receive = Mutex::new(receive);
    std::thread::scope(|scoped| {
        for _ in 0..threads {
            let tell = tell.clone();
            let receive = &receive;
            scoped.spawn(move || {
                loop {
                    let next = receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok(chunk) = next else { break };
                    let records = chunk.records();
                    let all = records.flat_map(|(_, record)| seen(scope, record, WRAPS));
                    if tell.send(all.collect()).is_err() {
                        break;
                    }
                }
            });
        }
        drop(tell);
        let feeder = scoped.spawn(move || feed(logs, &send));
        let mut evidence = Evidence::new(scope);
        for seen in told.into_iter().flatten() {
            count(&mut evidence, &seen);
        }
        match feeder.join() {
            Ok(fed) => fed.map(|()| evidence),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn feed(logs: &[PathBuf], send: &mpsc::SyncSender<Chunk>) -> Result<(), ImpactError> {
    for (file, path) in logs.iter().enumerate() {
        let mut records = Records::new(open(path)?, file);
        while let Some(chunk) = records.next_chunk() {
            if send.send(chunk).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What a record says, when it can be read.
type Seen = Result<Sighting, NoSignIn>;

fn count(evidence: &mut Evidence, seen: &Seen) {
    match seen {
        Ok(sighting) => evidence.take(sighting),
        Err(NoSignIn) => evidence.miss(),
    }
}

fn seen(scope: &Scope, record: &[u8], wraps: usize) -> Vec<Seen> {
    let Ok(line) = serde_json::from_slice::<Line<'_>>(record) else {
        return vec![Err(NoSignIn)];
    };
    if line.kind() != LineKind::Other {
        return scope.sighting(&line).transpose().into_iter().collect();
    }
    let wrapped: Option<Vec<&serde_json::value::RawValue>> = line
        .wrapped
        .filter(|_| wraps > 0)
        .and_then(|raw| serde_json::from_str(raw.get()).ok());
    match wrapped {
        Some(records) => records
            .into_iter()
            .flat_map(|record| seen(scope, record.get().as_bytes(), wraps - 1))
            .collect(),
        None => vec![Err(NoSignIn)],
    }
}

/// How many of these people are capable of multifactor authentication. Who is not in the report is not: it leaves out
/// disabled accounts, which sign in to nothing, so they are not counted among the people either.
pub fn coverage(people: &BTreeSet<String>, registrations: &BTreeMap<String, Registration>) -> Coverage {
    let known = people.iter().filter_map(|person| registrations.get(person));
    let (mut registered, mut all) = (0, 0);
    for registration in known {
        all += 1;
        registered += u64::from(registration.is_mfa_capable);
    }
    Coverage {
        registered,
        people: all,
    }
}
