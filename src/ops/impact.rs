//! What a plan would have done to real sign-ins: logs replayed through the policies before and after it.
//!
//! ```text
//! files → open (unpack) → Records → Chunk ─┐        ┌→ Worker ─┐
//! auditLogs/signIns → pages → Chunk ───────┴→ queue ┼→ Worker ─┼→ Tally → report
//!                                                   └→ …      ─┘
//! ```
//!
//! Memory does not grow with the logs: only with the people in them.

mod chunk;
mod error;
mod memo;
mod open;
mod people;
mod records;
mod scan;
mod tally;
mod tenant;
mod worker;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, mpsc};

use jiff::Timestamp;

pub use self::chunk::{Bad, BadKind, Chunk, Layout};
pub use self::error::ImpactError;
pub(super) use self::open::open;
pub use self::records::Records;
pub use self::tally::{Agreement, Counts, Person, Tally, UNDECIDED, place_of};
use self::worker::Worker as Counter;
use super::connection::Connection;
use super::files;
use super::project::Loaded;
use super::what_if::{Listed, View, WhatIf};
use super::workspace::{Narrowing, Worker, Workspace};
use crate::access::{Directory, Missing, Replay};
use crate::export;
use crate::model::state::Document;
use crate::plan::Plan;

/// Policies before and after, and who is in which group.
pub struct Impact {
    /// The policies before.
    pub before: View,
    /// The policies after.
    pub after: View,
    /// Who is in which group.
    pub directory: Directory,
}

/// What every thread of a replay reads.
struct Scene<'s> {
    before: &'s View,
    after: &'s View,
    directory: &'s Directory,
    replay: Replay<'s>,
}

impl Impact {
    /// Between two sets of exported policies; without a second one nothing changes.
    pub fn exported(
        before: &[PathBuf],
        after: &[PathBuf],
        directory: Option<&Path>,
    ) -> Result<Self, ImpactError> {
        let listed = directory.map(Listed::read).transpose()?.unwrap_or_default();
        let read = |paths: &[PathBuf]| -> Result<View, ImpactError> {
            let intake = export::read(&files::below(paths, &["json", "yaml", "yml"])?);
            Ok(View::exported(&intake, &listed)?)
        };
        let before = read(before)?;
        Ok(Self {
            after: if after.is_empty() {
                before.clone()
            } else {
                read(after)?
            },
            before,
            directory: listed.directory,
        })
    }

    /// Between exported policies, which stand for the tenant, and what applying the project would make of them.
    pub fn offline(
        policies: &[PathBuf],
        directory: Option<&Path>,
        loaded: &Loaded,
        state: Option<&Document>,
        now: Timestamp,
    ) -> Result<Self, ImpactError> {
        let listed = directory.map(Listed::read).transpose()?.unwrap_or_default();
        let intake = export::read(&files::below(policies, &["json", "yaml", "yml"])?);
        let (before, after) = View::applied(&intake, &listed, loaded, state, now)?;
        Ok(Self {
            before,
            after,
            directory: listed.directory,
        })
    }

    /// Between a tenant as it is, and as it is once a plan is applied: a saved one, which is refused when it is stale, or
    /// the one that would be made now.
    pub async fn planned(
        workspace: &Workspace,
        connection: &Connection,
        loaded: &Loaded,
        plan: Option<Plan>,
        worker: &Worker,
    ) -> Result<Self, ImpactError> {
        let plan = if let Some(plan) = plan {
            plan
        } else {
            let narrowing = Narrowing::default();
            let planned = workspace.plan(connection, loaded, &narrowing, worker).await;
            planned.map_err(Box::new)?.plan
        };
        let what_if = WhatIf::planned(workspace, connection, loaded, plan, worker).await?;
        let before = what_if.before.unwrap_or_default();
        let directory = people::directory(connection, &before, &what_if.view).await?;
        Ok(Self {
            before,
            after: what_if.view,
            directory,
        })
    }

    /// The files that people mean by these paths: a folder means every log below it.
    pub fn logs(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ImpactError> {
        let endings = ["json", "ndjson", "jsonl", "log", "gz", "zst"];
        Ok(files::paths_below(paths, &endings)?)
    }

    /// What policies before or after refer to and nobody gave.
    pub fn missing(&self) -> Vec<Missing> {
        let mut all = self.before.estate.missing();
        all.extend(self.after.estate.missing());
        all.sort();
        all.dedup();
        all
    }

    fn scene(&self) -> Scene<'_> {
        Scene {
            before: &self.before,
            after: &self.after,
            directory: &self.directory,
            replay: Replay::new(&self.before.estate, &self.after.estate),
        }
    }

    /// Replays files on so many threads.
    pub fn replay(&self, logs: &[PathBuf], threads: usize) -> Result<Tally, ImpactError> {
        let scene = self.scene();
        let (send, receive) = mpsc::sync_channel::<Chunk>(threads * 2);
        let receive = Mutex::new(receive);
        let whole = std::thread::scope(|scope| {
            let counters: Vec<_> = (0..threads.max(1))
                .map(|_| {
                    scope.spawn(|| {
                        let mut counter = Counter::new(&scene);
                        loop {
                            let next = receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
                            let Ok(chunk) = next else { break };
                            counter.take(&chunk);
                        }
                        counter.finish()
                    })
                })
                .collect();
            let fed = feed(logs, &send);
            drop(send);
            let mut whole = Tally::default();
            for counter in counters {
                match counter.join() {
                    Ok(tally) => whole.merge(tally),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            fed.map(|()| whole)
        })?;
        sound(whole)
    }

    /// Replays chunks as they come, for example pages of a tenant's log.
    pub fn begin(&self) -> Ongoing<'_> {
        Ongoing {
            impact: self,
            tally: Tally::default(),
        }
    }
}

/// A replay of what comes bit by bit.
pub struct Ongoing<'i> {
    impact: &'i Impact,
    tally: Tally,
}

impl Ongoing<'_> {
    /// Takes some records.
    pub fn take(&mut self, chunk: &Chunk) {
        let scene = self.impact.scene();
        let mut counter = Counter::new(&scene);
        counter.take(chunk);
        self.tally.merge(counter.finish());
    }

    /// What was counted.
    pub fn finish(self) -> Result<Tally, ImpactError> {
        sound(self.tally)
    }
}

fn feed(logs: &[PathBuf], send: &mpsc::SyncSender<Chunk>) -> Result<(), ImpactError> {
    for (file, path) in logs.iter().enumerate() {
        let mut records = Records::new(open::open(path)?, file);
        while let Some(chunk) = records.next_chunk() {
            if send.send(chunk).is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// Refuses a replay in which nothing was a sign-in: an empty report would look like good news.
fn sound(tally: Tally) -> Result<Tally, ImpactError> {
    if tally.sign_ins == 0 && tally.records() > 0 {
        return Err(ImpactError::NoSignIns {
            lines: tally.records(),
        });
    }
    Ok(tally)
}
