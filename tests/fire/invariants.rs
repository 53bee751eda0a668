//! What holds after every command, whatever happened in it.

use std::collections::{BTreeMap, BTreeSet};

use capol::apply::StepResult;
use capol::model::state::Document;
use capol::sandbox::Kind;
use capol::state::journal::{Begin, Open, Recovery};
use capol::state::{LocalFile, Place};
use serde_json::Value;

use super::disk::{Life, ROOT};
use super::spec::{Others, Spec, differences, id, name};
use super::stage::{Ended, Ran, Sent, Stage};
use crate::world::KINDS;

/// The rule that Graph's visibility lag makes: 15 minutes.
const LAG: std::time::Duration = std::time::Duration::from_mins(15);

/// A life of a project under watch.
pub(crate) struct Watcher {
    /// What is not capol's: it stays exactly as it is.
    pub(crate) others: Others,
    theirs: BTreeMap<(Kind, String), Value>,
    serial: u64,
    digest: String,
    /// Creates whose answer was lost, by address and body: another block may say the same. And the id that the
    /// address had then: with another one it was found out.
    lost_creates: BTreeMap<(String, String), (tokio::time::Instant, Option<String>)>,
    /// Bodies that two blocks send: which of them is created again can't be told.
    pub(crate) twins: BTreeSet<String>,
    /// What other people wrote into objects of capol's.
    pub(crate) edits: Vec<Edited>,
    /// Others took something away in this command, so that it may be complete and yet lack that.
    pub(crate) disturbed: bool,
    /// Answers were old ones in this command.
    pub(crate) old_answers: bool,
    /// Requests whose connection broke were carried out later in this command.
    pub(crate) late_commits: bool,
    /// Answers came long after they were true in this command.
    pub(crate) late_answers: bool,
}

/// Something that somebody else wrote into an object of capol's.
#[derive(Debug, Clone)]
pub(crate) struct Edited {
    pub(crate) kind: Kind,
    pub(crate) id: String,
    /// A text that is in the object since, and nowhere else.
    pub(crate) mark: String,
    pub(crate) at: tokio::time::Instant,
}

impl Watcher {
    pub(crate) fn new(stage: &Stage) -> Self {
        let mut watcher = Self {
            others: Others::all_of(stage),
            theirs: BTreeMap::new(),
            serial: 0,
            digest: String::new(),
            lost_creates: BTreeMap::new(),
            twins: BTreeSet::new(),
            edits: Vec::new(),
            disturbed: false,
            old_answers: false,
            late_commits: false,
            late_answers: false,
        };
        watcher.theirs = watcher.read_theirs(stage);
        watcher
    }

    /// With those others, on a stage that holds something already.
    pub(crate) fn of(stage: &Stage, others: Others) -> Self {
        let mut watcher = Self {
            others,
            ..Self::new(stage)
        };
        watcher.theirs = watcher.read_theirs(stage);
        watcher
    }

    /// An object whose create is unknown and that somebody else changes meanwhile can't be told from theirs: it no longer
    /// equals what was sent, and only what equals that is adopted.
    pub(crate) fn give_up(&mut self, stage: &Stage) {
        let known = known(stage);
        // A context has the id that the project chose, and is known by that.
        let open: Vec<Begin> = opened(stage).into_iter().map(|open| open.begin).collect();
        let is_looked_for = |edit: &Edited| {
            stage.objects(edit.kind).iter().any(|object| {
                let called = |begin: &Begin| {
                    begin
                        .body
                        .as_ref()?
                        .get("displayName")?
                        .as_str()
                        .map(str::to_owned)
                };
                id(object) == edit.id
                    && open
                        .iter()
                        .any(|begin| called(begin).as_deref() == Some(name(object)))
            })
        };
        let is_lost = |edit: &Edited| {
            !known.contains(&edit.id) && edit.kind != Kind::AuthenticationContexts && !is_looked_for(edit)
        };
        for edit in self.edits.iter().filter(|edit| is_lost(edit)) {
            self.others.ids.insert(edit.id.clone());
        }
        self.edits.retain(|edit| !is_lost(edit));
        self.theirs = self
            .read_theirs(stage)
            .into_iter()
            .filter(|(key, _)| !self.theirs.contains_key(key))
            .chain(self.theirs.clone())
            .collect();
    }

    /// Somebody deleted an object: what was written into it is gone, unless it comes back from the bin.
    pub(crate) fn forget(&mut self, kind: Kind, deleted: &str) {
        // A context that is made anew has the same id.
        self.edits
            .retain(|edit| kind != Kind::AuthenticationContexts || edit.id != deleted);
    }

    fn read_theirs(&self, stage: &Stage) -> BTreeMap<(Kind, String), Value> {
        let mut theirs = BTreeMap::new();
        for kind in KINDS {
            for object in stage.objects(kind) {
                if self.others.ids.contains(&id(&object)) {
                    theirs.insert((kind, id(&object)), object);
                }
            }
        }
        theirs
    }

    /// Everything that is broken after a command; without a project what it said is not compared with the tenant.
    pub(crate) fn check<'s>(
        &mut self,
        stage: &Stage,
        spec: impl Into<Option<&'s Spec>>,
        ran: &Ran,
    ) -> Vec<String> {
        let mut broken = Vec::new();
        self.check_state(stage, &mut broken);
        self.check_theirs(stage, &mut broken);
        self.check_creates(stage, &ran.sent, &mut broken);
        self.check_overwritten(stage, ran, &mut broken);
        if matches!(ran.ended, Ended::Normally(_)) {
            self.check_orphans(stage, &mut broken);
            if let Some(spec) = spec.into() {
                self.check_verdict(stage, spec, ran, &mut broken);
            }
        }
        broken
    }

    /// State can be read, and is the old or a newer one.
    fn check_state(&mut self, stage: &Stage, broken: &mut Vec<String>) {
        let Some(bytes) = stage.disk.read(&Stage::state_path()) else {
            if self.serial > 0 {
                broken.push("the state is gone".to_owned());
            }
            return;
        };
        match Document::parse(&bytes) {
            Err(error) => broken.push(format!("the state can't be read: {error}")),
            Ok(document) => {
                let digest = capol::model::state::digest(&bytes);
                if document.serial < self.serial || document.serial == self.serial && digest != self.digest {
                    broken.push(format!(
                        "the state went from {} to {}",
                        self.serial, document.serial
                    ));
                }
                let mut seen = BTreeSet::new();
                for (address, resource) in &document.resources {
                    if !seen.insert(resource.id.to_ascii_lowercase()) {
                        broken.push(format!("{address}: its id is in the state twice"));
                    }
                }
                (self.serial, self.digest) = (document.serial, digest);
            }
        }
    }

    /// What is not managed is as it was.
    fn check_theirs(&self, stage: &Stage, broken: &mut Vec<String>) {
        let now = self.read_theirs(stage);
        for ((kind, id), object) in &self.theirs {
            match now.get(&(*kind, id.clone())) {
                None => broken.push(format!("{kind:?} `{}` of somebody else is gone", name(object))),
                Some(now) if now != object => {
                    broken.push(format!(
                        "{kind:?} `{}` of somebody else was changed",
                        name(object)
                    ));
                }
                Some(_) => {}
            }
        }
    }

    /// Nothing whose answer was lost is created again before the lag has passed, unless it was found out first.
    fn check_creates(&mut self, stage: &Stage, sent: &[Sent], broken: &mut Vec<String>) {
        let addresses = Addresses::of(stage);
        for one in sent {
            let is_create = one.method == "POST"
                && [
                    "/policies",
                    "/namedLocations",
                    "/authenticationStrengthPolicies",
                    "/groups",
                ]
                .iter()
                .any(|ending| one.path.ends_with(ending));
            if !is_create || self.twins.contains(&one.body) {
                continue;
            }
            let key = (addresses.of_create(one), format!("{} {}", one.path, one.body));
            if let Some((earlier, _)) = self.lost_creates.get(&key)
                && one.at.duration_since(*earlier) < LAG
            {
                broken.push(format!(
                    "{} created again {:?} after the answer was lost: {}",
                    key.0,
                    one.at - *earlier,
                    key.1
                ));
            }
            if one.is_lost() && one.status != Some(503) {
                let id = addresses.id(&key.0);
                self.lost_creates.insert(key, (one.at, id));
            } else {
                self.lost_creates.remove(&key);
            }
        }
        self.lost_creates
            .retain(|(address, _), (_, before)| addresses.id(address) == *before);
    }

    /// What somebody else wrote is there still, or the plan that was applied showed it.
    fn check_overwritten(&mut self, stage: &Stage, ran: &Ran, broken: &mut Vec<String>) {
        let edits = std::mem::take(&mut self.edits);
        for edit in edits {
            let shown = match &ran.ended {
                // What was deleted meanwhile comes back, and is then made what the files say, as the plan tells.
                Ended::Normally(done) => done
                    .live
                    .objects
                    .iter()
                    .chain(done.live.deleted.iter().flatten())
                    .any(|live| live.id == edit.id && live.json.as_str().contains(&edit.mark)),
                _ => true,
            };
            // What left before the edit, or was planned with it, and is carried out behind it, maybe after this command,
            // nobody could hold back.
            let is_overtaken = ran.sent.iter().any(|one| {
                one.is_write()
                    && one.is_lost()
                    && (shown || one.at <= edit.at)
                    && one.path.to_ascii_lowercase().contains(&edit.id)
            });
            if self.late_commits && is_overtaken {
                self.disturbed = true;
                continue;
            }
            let object = stage
                .objects(edit.kind)
                .into_iter()
                .find(|object| id(object) == edit.id);
            if object
                .as_ref()
                .is_some_and(|object| object.to_string().contains(&edit.mark))
            {
                self.edits.push(edit);
                continue;
            }
            if shown {
                continue;
            }
            let write = ran
                .sent
                .iter()
                .filter(|one| {
                    one.is_write() && one.at >= edit.at && one.path.to_ascii_lowercase().contains(&edit.id)
                })
                .map(|one| one.at)
                .next();
            // Others took it away, or wrote over it: this command did not touch it.
            let Some(write) = write else { continue };
            // A policy shows its strength too, newer perhaps than the list of strengths: that is no look at the strength.
            let is_about_it = |path: &str| edit.kind == Kind::Policies || !path.ends_with("/policies");
            let read = ran.sent.iter().any(|one| {
                is_about_it(&one.path)
                    && one.answered.is_some_and(|at| at <= write)
                    && one.method == "GET"
                    && String::from_utf8_lossy(&one.answer).contains(&edit.mark)
            });
            if read {
                broken.push(format!(
                    "{:?} {}: what somebody else wrote was read and overwritten",
                    edit.kind, edit.id
                ));
            }
            let late = !self.old_answers && write.duration_since(edit.at) > self.slack(stage);
            if late {
                broken.push(format!(
                    "{:?} {}: what somebody else wrote long before was overwritten",
                    edit.kind, edit.id
                ));
            }
        }
    }

    /// For how long before a write an edit may stay unnoticed.
    fn slack(&self, stage: &Stage) -> std::time::Duration {
        let interval = stage.pace.conditional_access.unwrap_or_default();
        // A look takes three answers in a row, each of which may come 20 seconds after it was true.
        let late = if self.late_answers {
            std::time::Duration::from_mins(1)
        } else {
            std::time::Duration::ZERO
        };
        std::time::Duration::from_secs(3) + interval * 16 + late
    }

    /// Every object that capol made is in the state, or its create is open in the journal.
    fn check_orphans(&self, stage: &Stage, broken: &mut Vec<String>) {
        let known = known(stage);
        let mut open: Vec<Begin> = opened(stage).into_iter().map(|open| open.begin).collect();
        for kind in KINDS {
            for object in self.others.managed(stage, kind) {
                if known.contains(&id(&object)) {
                    continue;
                }
                let place = open.iter().position(|begin| {
                    let body = begin.body.as_ref();
                    let called = body.and_then(|body| body.get("displayName")?.as_str());
                    // The id of a context is chosen, whatever others call it since.
                    called == Some(name(&object)) || begin.path.ends_with(&format!("/{}", id(&object)))
                });
                match place {
                    Some(place) => {
                        open.remove(place);
                    }
                    None => broken.push(format!(
                        "{kind:?} `{}` {} is nobody's",
                        name(&object),
                        id(&object)
                    )),
                }
            }
        }
    }

    /// What the command said is true.
    fn check_verdict(&self, stage: &Stage, spec: &Spec, ran: &Ran, broken: &mut Vec<String>) {
        let Ended::Normally(done) = &ran.ended else { return };
        let Some(applied) = &done.applied else { return };
        let wrong = differences(stage, spec, &self.others);
        let disturbed = self.disturbed || !self.edits.is_empty();
        if done.is_complete() {
            if !wrong.is_empty() && !disturbed {
                broken.push(format!("complete, and yet: {}", wrong.join("; ")));
            }
            if stage.disk.read(&Stage::journal_path()).is_some() {
                broken.push("complete, and yet there is a journal".to_owned());
            }
            let kept = stage.state().map(|state| state.resources).unwrap_or_default();
            let kept: BTreeSet<&String> = kept.keys().collect();
            let wanted: BTreeSet<&String> = spec.blocks.keys().collect();
            if kept != wanted {
                broken.push(format!(
                    "complete, and yet the state holds {kept:?} instead of {wanted:?}"
                ));
            }
        } else {
            let only_failed = !applied.interrupted
                && applied.failure.is_none()
                && applied.mismatches.is_empty()
                && applied.held.is_empty()
                && applied.results.values().all(|result| {
                    matches!(
                        result,
                        StepResult::Done { .. } | StepResult::Failed { .. } | StepResult::Skipped { .. }
                    )
                });
            if wrong.is_empty() && only_failed && !self.old_answers && !self.disturbed {
                broken.push(format!(
                    "not complete, and yet all is there: {:?}",
                    applied.results
                ));
            }
        }
    }
}

/// The requests that the journal has open.
pub(crate) fn opened(stage: &Stage) -> Vec<Open> {
    left_over(stage).map_or_else(Vec::new, |recovery| recovery.open)
}

/// The ids that state or journal know as capol's.
fn known(stage: &Stage) -> BTreeSet<String> {
    let recovery = left_over(stage);
    let in_state = stage
        .state()
        .into_iter()
        .flat_map(|state| state.resources.into_values());
    let in_journal = recovery.iter().flat_map(|recovery| &recovery.done_not_in_state);
    in_state
        .map(|resource| resource.id)
        .chain(in_journal.filter_map(|done| done.id.clone()))
        .map(|id| id.to_ascii_lowercase())
        .collect()
}

fn left_over(stage: &Stage) -> Option<Recovery> {
    let process = stage.disk.copy().process(Life::new(None));
    let store = LocalFile::with_files(
        Place::in_project(std::path::Path::new(ROOT), None),
        std::sync::Arc::new(process),
    );
    let left = capol::state::journal::tale_left(&store).unwrap()?;
    Recovery::of(&left.records)
}

/// Which address a create was for, as state and journal tell after it.
struct Addresses {
    by_id: BTreeMap<String, String>,
    open: Vec<Begin>,
}

impl Addresses {
    fn of(stage: &Stage) -> Self {
        let bytes = stage.disk.read(&Stage::state_path());
        let document = bytes.and_then(|bytes| Document::parse(&bytes).ok());
        let resources = document.into_iter().flat_map(|document| document.resources);
        let mut by_id: BTreeMap<String, String> = resources
            .map(|(address, resource)| (resource.id.to_ascii_lowercase(), address))
            .collect();
        let recovery = left_over(stage);
        for done in recovery.iter().flat_map(|recovery| &recovery.done_not_in_state) {
            if let Some(id) = &done.id {
                by_id.insert(id.to_ascii_lowercase(), done.begin.address.clone());
            }
        }
        Self {
            by_id,
            open: opened(stage).into_iter().map(|open| open.begin).collect(),
        }
    }

    fn id(&self, address: &str) -> Option<String> {
        let found = self.by_id.iter().find(|(_, of)| *of == address);
        found.map(|(id, _)| id.clone())
    }

    /// Empty when nothing tells.
    fn of_create(&self, sent: &Sent) -> String {
        let answer: Option<Value> = serde_json::from_slice(&sent.answer).ok();
        let made = answer.as_ref().and_then(|answer| answer.get("id")?.as_str());
        if let Some(address) = made.and_then(|id| self.by_id.get(&id.to_ascii_lowercase())) {
            return address.clone();
        }
        let body: Option<Value> = serde_json::from_str(&sent.body).ok();
        let open = self
            .open
            .iter()
            .find(|begin| body.is_some() && begin.body == body);
        open.map(|begin| begin.address.clone()).unwrap_or_default()
    }
}
