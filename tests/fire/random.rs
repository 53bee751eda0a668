//! Random lives: a project that changes, a tenant that fails, processes that die, other people who edit.
//!
//! A life that breaks a promise prints itself as a case for `tests/cases/fire`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use capol::plan::{Act, Action, Plan};
use capol::sandbox::{Faults, Kind, Tenant};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::disk::Wrong;
use super::invariants::{Edited, Watcher, opened};
use super::spec::{Block, Spec, differences, id, name, object_of};
use super::stage::{Command, Ended, Fate, Moment, Ran, Sent, Stage};
use super::trouble::{ALL, Meeting, Trouble, faults};
use crate::in_memory::in_virtual_time;
use crate::world::KINDS;

/// One life, ready to be lived again.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Life {
    pub(crate) chapters: Vec<Chapter>,
}

/// One command, and what happens in it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Chapter {
    pub(crate) spec: Spec,
    /// How many requests may be under way at once.
    pub(crate) parallelism: usize,
    /// Whether the plan is saved first, and applied later.
    pub(crate) saved: bool,
    /// `--skip-changed`
    pub(crate) skip_changed: bool,
    pub(crate) troubles: Vec<Meeting>,
    pub(crate) end: End,
    /// The power goes too, and this decides what the disk forgets.
    pub(crate) power_cut: Option<u64>,
    /// What others delete before the command: which of capol's objects, counted through.
    pub(crate) deletions: Vec<usize>,
    /// What others do meanwhile.
    pub(crate) edits: Vec<Edit>,
    /// How many minutes pass afterwards.
    pub(crate) wait: u64,
}

/// How a process ends before its time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum End {
    #[default]
    None,
    /// At a file-system call.
    Call(usize, FileFault),
    /// At a file-system call, so many after a request left.
    CallAfter(Moment, usize, FileFault),
    /// At a request, before it leaves.
    Before(Moment),
    /// At a request, when it was carried out.
    After(Moment),
    /// Ctrl-C as a request leaves.
    Stop(Moment),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FileFault {
    DeathBefore,
    DeathAfter,
    Fails,
}

impl FileFault {
    fn wrong(self) -> Wrong {
        match self {
            Self::DeathBefore => Wrong::DeathBefore,
            Self::DeathAfter => Wrong::DeathAfter,
            Self::Fails => Wrong::Fails,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::DeathBefore => "death before a call",
            Self::DeathAfter => "death after a call",
            Self::Fails => "a call fails",
        }
    }
}

/// What somebody else does as a request leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Edit {
    pub(crate) at: Moment,
    /// Which of capol's objects, counted through.
    pub(crate) object: usize,
    /// Whether it is deleted; else a mark is written into it.
    pub(crate) deleted: bool,
}

// ---- Drafts: what proptest makes and shrinks -------------------------------------------------------------------

#[derive(Debug, Clone)]
struct Draft {
    first: u8,
    chapters: Vec<ChapterDraft>,
}

#[derive(Debug, Clone)]
struct ChapterDraft {
    changes: Vec<(u8, u8, u8)>,
    troubles: Vec<(u8, u8, u8, bool)>,
    end: (u8, u16, u8),
    power: Option<u64>,
    deletions: Vec<u8>,
    edit: Option<(u8, u8, bool, u8)>,
    wait: u8,
    saved: bool,
    parallelism: u8,
}

fn chapter() -> impl Strategy<Value = ChapterDraft> {
    (
        vec((0..22u8, any::<u8>(), any::<u8>()), 1..7),
        vec(
            (
                0..u8::try_from(ALL.len()).unwrap(),
                any::<u8>(),
                0..3u8,
                any::<bool>(),
            ),
            0..8,
        ),
        (0..20u8, any::<u16>(), any::<u8>()),
        prop::option::weighted(0.3, any::<u64>()),
        vec(any::<u8>(), 0..3),
        prop::option::weighted(
            0.5,
            (0..40u8, any::<u8>(), prop::bool::weighted(0.5), any::<u8>()),
        ),
        0..4u8,
        prop::bool::weighted(0.2),
        0..3u8,
    )
        .prop_map(
            |(changes, troubles, end, power, deletions, edit, wait, saved, parallelism)| ChapterDraft {
                changes,
                troubles,
                end,
                power,
                deletions,
                edit,
                wait,
                saved,
                parallelism,
            },
        )
}

fn draft() -> impl Strategy<Value = Draft> {
    (any::<u8>(), vec(chapter(), 2..11)).prop_map(|(first, chapters)| Draft { first, chapters })
}

// ---- Projects ---------------------------------------------------------------------------------------------------

fn policy(name: &str, a: u8) -> Block {
    let with = |bit: u8, address: &str| (a >> bit & 1 == 1).then(|| address.to_owned());
    Block::Policy {
        name: name.to_owned(),
        state: a % 3,
        location: with(1, "location.l0"),
        strength: with(2, "strength.s0"),
        group: with(3, "group.g0"),
        context: with(4, "context.c0"),
        hours: a >> 5,
    }
}

/// The project that a life begins with.
fn beginning(a: u8) -> Spec {
    let mut spec = Spec::default()
        .with(
            "l0",
            Block::Ranges {
                name: "L0".to_owned(),
                ranges: a,
                trusted: true,
            },
        )
        .with(
            "l1",
            Block::Countries {
                name: "L1".to_owned(),
                countries: a,
            },
        )
        .with(
            "s0",
            Block::Strength {
                name: "S0".to_owned(),
                combinations: a,
                keys: a % 3,
            },
        )
        .with(
            "c0",
            Block::Context {
                name: "C0".to_owned(),
                available: a & 1 == 1,
            },
        )
        .with(
            "g0",
            Block::Group {
                name: "G0".to_owned(),
                members: BTreeSet::from([a % 5, a % 3]),
            },
        )
        .with("p0", policy("P0", a))
        .with("p1", policy("P1", a.rotate_left(3)));
    spec.tidy();
    spec
}

/// Changes a project a little.
fn change(spec: &mut Spec, (what, a, b): (u8, u8, u8)) {
    let slot = a % 2;
    match what {
        0 => {
            let (address, mut name) = (format!("policy.p{}", a % 4), format!("P{}", a % 4));
            // One that moved away may have kept the name.
            let is_taken = |spec: &Spec, name: &str| {
                spec.blocks
                    .iter()
                    .any(|(other, block)| *other != address && block.name() == name)
            };
            while is_taken(spec, &name) {
                name.push_str(" too");
            }
            spec.blocks.insert(address, policy(&name, b));
        }
        1 => {
            spec.blocks.remove(&format!("policy.p{}", a % 4));
        }
        2 | 3 => {
            // A location changes, or becomes one of countries, or back; a trusted one that goes is released first.
            let address = format!("location.l{slot}");
            let name = format!("L{slot}{}", if b & 64 == 64 { " anew" } else { "" });
            let block = if b & 3 == 3 {
                Block::Countries {
                    name,
                    countries: b >> 2,
                }
            } else {
                Block::Ranges {
                    name,
                    ranges: b >> 2 & 7,
                    trusted: b & 1 == 0,
                }
            };
            spec.blocks.insert(address, block);
        }
        4 => {
            spec.blocks.remove(&format!("location.l{slot}"));
        }
        5..=7 => {
            let entry = spec
                .blocks
                .entry("strength.s0".to_owned())
                .or_insert(Block::Strength {
                    name: "S0".to_owned(),
                    combinations: a,
                    keys: 0,
                });
            if let Block::Strength {
                combinations, keys, ..
            } = entry
            {
                match what {
                    5 => *combinations = combinations.wrapping_add(1 + b % 2) % 3,
                    6 => *keys = if *keys == 0 { 1 + b % 2 } else { 0 },
                    _ => *keys = (*keys + 1) % 3,
                }
            }
        }
        8 => {
            let block = Block::Context {
                name: format!("C0{}", if b & 1 == 1 { " anew" } else { "" }),
                available: b & 2 == 2,
            };
            spec.blocks.insert("context.c0".to_owned(), block);
        }
        9 => {
            spec.blocks.remove("context.c0");
        }
        10 | 11 => {
            let block = Block::Group {
                name: format!("G0{}", if b & 16 == 16 { " anew" } else { "" }),
                members: (0..5).filter(|bit| b >> bit & 1 == 1).collect(),
            };
            spec.blocks.insert("group.g0".to_owned(), block);
        }
        12 => {
            let removed = ["group.g0", "strength.s0"][usize::from(a % 2)];
            if b & 1 == 1 {
                spec.blocks.remove(removed);
            }
        }
        13 | 14 => {
            // A trusted location is there, or has to be released: it goes, or becomes one of countries.
            let address = format!("location.l{slot}");
            let is_trusted = matches!(
                spec.blocks.get(&address),
                Some(Block::Ranges { trusted: true, .. })
            );
            if is_trusted && b & 1 == 1 {
                spec.blocks.remove(&address);
            } else {
                let name = format!("L{slot}");
                let block = if is_trusted {
                    Block::Countries { name, countries: b }
                } else {
                    Block::Ranges {
                        name,
                        ranges: b >> 2 & 7,
                        trusted: true,
                    }
                };
                spec.blocks.insert(address, block);
            }
        }
        15 => {
            // An available context has to be released before it goes.
            let is_available = matches!(
                spec.blocks.get("context.c0"),
                Some(Block::Context { available: true, .. })
            );
            if is_available {
                spec.blocks.remove("context.c0");
            } else {
                let block = Block::Context {
                    name: "C0".to_owned(),
                    available: true,
                };
                spec.blocks.insert("context.c0".to_owned(), block);
            }
        }
        16 | 17 => {
            if let Some(Block::Group { members, .. }) = spec.blocks.get_mut("group.g0") {
                // Those who leave leave one by one; then all of them join.
                if members.len() > 1 {
                    members.pop_first();
                } else {
                    members.extend([0, 1, b % 5]);
                }
            }
        }
        18..=20 => {
            if let Some(Block::Strength {
                combinations, keys, ..
            }) = spec.blocks.get_mut("strength.s0")
            {
                *combinations = combinations.wrapping_add(1 + b % 2) % 3;
                *keys = if *keys == 0 { 1 + a % 2 } else { 0 };
            }
        }
        _ => {
            // A policy gets another address.
            let (from, to) = (format!("policy.p{}", a % 4), format!("policy.q{}", b % 4));
            if let Some(block) = spec.blocks.remove(&from) {
                if spec.blocks.contains_key(&to) {
                    spec.blocks.insert(from, block);
                } else {
                    spec.blocks.insert(to.clone(), block);
                    spec.moved.push((from, to));
                }
            }
        }
    }
    spec.tidy();
}

// ---- Faults at steps --------------------------------------------------------------------------------------------

/// The kinds of step that send something.
pub(crate) const STEPS: [&str; 11] = [
    "create",
    "restore",
    "update",
    "release",
    "delete",
    "set combinations",
    "add configuration",
    "remove configuration",
    "add members",
    "remove member",
    "read",
];

fn step_of(act: &Act) -> Option<(&'static str, &'static str, String)> {
    let place = |kind: &capol::model::Kind| match kind {
        capol::model::Kind::Policy => "Access/policies",
        capol::model::Kind::Strength => "authenticationStrengthPolicies",
        capol::model::Kind::Context => "ClassReferences",
        capol::model::Kind::Group => "/groups",
        _ => "/namedLocations",
    };
    Some(match act {
        Act::Create { kind, .. } => (
            "create",
            if *kind == capol::model::Kind::Context {
                "PATCH"
            } else {
                "POST"
            },
            place(kind).to_owned(),
        ),
        Act::Restore { id, .. } => ("restore", "POST", format!("{id}/restore")),
        Act::Update { kind, id, .. } => ("update", "PATCH", format!("{}/{id}", place(kind))),
        Act::Release { kind, id, .. } => ("release", "PATCH", format!("{}/{id}", place(kind))),
        Act::Delete { kind, id, .. } => ("delete", "DELETE", format!("{}/{id}", place(kind))),
        Act::SetCombinations { .. } => ("set combinations", "POST", "updateAllowedCombinations".to_owned()),
        Act::AddConfiguration { .. } => (
            "add configuration",
            "POST",
            "combinationConfigurations".to_owned(),
        ),
        Act::RemoveConfiguration { .. } => (
            "remove configuration",
            "DELETE",
            "combinationConfigurations".to_owned(),
        ),
        Act::AddMembers { .. } => ("add members", "PATCH", "/groups/".to_owned()),
        Act::RemoveMember { .. } => ("remove member", "DELETE", "/members/".to_owned()),
        _ => return None,
    })
}

/// What kind of step a request belongs to.
fn step_of_request(sent: &Sent) -> &'static str {
    let path = sent.path.as_str();
    let body: Value = serde_json::from_str(&sent.body).unwrap_or_default();
    let only = |member: &str| {
        let others = body.as_object().is_some_and(|body| {
            body.keys()
                .all(|key| key == member || key == "@odata.type" || key == "id")
        });
        others && body[member] == json!(false)
    };
    match sent.method {
        "GET" => "read",
        _ if !sent.is_write() => "read",
        "POST" if path.ends_with("/restore") => "restore",
        "POST" if path.ends_with("updateAllowedCombinations") => "set combinations",
        "POST" if path.ends_with("combinationConfigurations") => "add configuration",
        "DELETE" if path.contains("combinationConfigurations") => "remove configuration",
        "DELETE" if path.contains("/members/") => "remove member",
        "PATCH" if body.get("members@odata.bind").is_some() => "add members",
        "POST" => "create",
        "PATCH" if only("isTrusted") || only("isAvailable") => "release",
        "PATCH" => "update",
        _ => "delete",
    }
}

/// Which fault met which kind of step, and in how many lives.
#[derive(Debug, Default, Clone)]
pub(crate) struct Coverage {
    pub(crate) lives: usize,
    pub(crate) hits: BTreeMap<(String, &'static str), usize>,
}

impl Coverage {
    fn take(&mut self, life: &BTreeSet<(String, &'static str)>) {
        self.lives += 1;
        for hit in life {
            *self.hits.entry(hit.clone()).or_default() += 1;
        }
    }

    /// The table, and the pairs that were met in fewer than this share of lives.
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    pub(crate) fn table(&self, least: f64) -> (String, Vec<String>) {
        let mut rows = String::new();
        let mut rare = Vec::new();
        let faults: BTreeSet<&String> = self.hits.keys().map(|(fault, _)| fault).collect();
        for fault in faults {
            let _ = write!(rows, "{fault:24}");
            for step in STEPS {
                let hits = self.hits.get(&(fault.clone(), step)).copied().unwrap_or(0);
                let share = 100.0 * hits as f64 / self.lives.max(1) as f64;
                let _ = write!(rows, " {share:5.1}");
                let is_read = step == "read";
                if share < least && !is_read {
                    rare.push(format!("{fault} at {step}: {share:.2} %"));
                }
            }
            rows.push('\n');
        }
        (
            format!(
                "{:24} {}\n{rows}",
                "",
                STEPS
                    .map(|step| format!("{:>5}", &step[..5.min(step.len())]))
                    .join(" ")
            ),
            rare,
        )
    }
}

fn coverage_of(chapter: &Chapter, ran: &Ran, hits: &mut BTreeSet<(String, &'static str)>) {
    let word = |trouble: Trouble| {
        serde_json::to_value(trouble)
            .unwrap()
            .as_str()
            .unwrap()
            .to_owned()
    };
    for meeting in &chapter.troubles {
        if meeting.method.is_empty() {
            for sent in ran.sent.iter().filter(|sent| sent.is_write()) {
                hits.insert((word(meeting.trouble), step_of_request(sent)));
            }
            continue;
        }
        let met = ran
            .sent
            .iter()
            .filter(|sent| sent.method == meeting.method && sent.path.contains(&meeting.path))
            .nth(usize::try_from(meeting.nth).unwrap().saturating_sub(1));
        if let Some(sent) = met {
            hits.insert((word(meeting.trouble), step_of_request(sent)));
        }
    }
    let at = |moment: &Moment, what: &str, hits: &mut BTreeSet<(String, &'static str)>| {
        if let Some(place) = moment.place(&ran.sent) {
            hits.insert((what.to_owned(), step_of_request(&ran.sent[place])));
        }
    };
    match &chapter.end {
        End::Before(moment) => at(moment, "death before", hits),
        End::After(moment) => at(moment, "death after", hits),
        End::Stop(moment) => at(moment, "ctrl-c", hits),
        End::CallAfter(moment, _, fault) if ran.erred => at(moment, fault.name(), hits),
        End::CallAfter(..) | End::Call(..) | End::None => {}
    }
    for edit in &chapter.edits {
        at(&edit.at, "edit by others", hits);
    }
}

// ---- Living -----------------------------------------------------------------------------------------------------

/// The objects of capol's, in one order.
fn theirs(tenant: &mut Tenant, others: &BTreeSet<String>) -> Vec<(Kind, Value)> {
    let mut found = Vec::new();
    for kind in KINDS {
        let mut objects: Vec<Value> = tenant.objects(kind).cloned().collect();
        objects.retain(|object| !others.contains(&id(object)));
        objects.sort_by_key(id);
        found.extend(objects.into_iter().map(|object| (kind, object)));
    }
    found
}

/// Somebody deletes an object, and perhaps empties the bin that it went to.
fn delete(tenant: &mut Tenant, kind: Kind, object: &Value, is_purged: bool, now: jiff::Timestamp) {
    tenant.remove(kind, &id(object));
    let bin = match kind {
        Kind::Policies => Some(Kind::DeletedPolicies),
        Kind::NamedLocations => Some(Kind::DeletedNamedLocations),
        Kind::Groups => Some(Kind::DeletedGroups),
        _ => None,
    };
    if let Some(bin) = bin.filter(|_| !is_purged) {
        let mut deleted = object.clone();
        deleted["deletedDateTime"] = json!(now.to_string());
        tenant.insert(bin, deleted);
    }
}

fn doing(
    edit: &Edit,
    others: BTreeSet<String>,
    number: usize,
    now: jiff::Timestamp,
    begin: tokio::time::Instant,
    log: Arc<Mutex<Vec<Edited>>>,
) -> super::stage::Doing {
    let edit = edit.clone();
    Arc::new(move |tenant: &mut Tenant| {
        let objects = theirs(tenant, &others);
        if objects.is_empty() {
            return;
        }
        let (kind, mut object) = objects[edit.object % objects.len()].clone();
        let mark = format!("00000000-0000-4000-8000-{number:012}");
        let later = now + jiff::SignedDuration::try_from(begin.elapsed()).unwrap();
        if edit.deleted {
            // Some are purged as well.
            delete(tenant, kind, &object, edit.object.is_multiple_of(4), later);
        } else {
            if kind == Kind::Policies {
                let excluded = &mut object["conditions"]["users"]["excludeUsers"];
                let mut all = excluded.as_array().cloned().unwrap_or_default();
                all.push(json!(mark));
                *excluded = json!(all);
            } else {
                object["displayName"] = json!(format!(
                    "{} {mark}",
                    object["displayName"].as_str().unwrap_or_default()
                ));
            }
            if object.get("modifiedDateTime").is_some() {
                object["modifiedDateTime"] = json!(later.to_string());
            }
            tenant.insert(kind, object.clone());
        }
        log.lock().unwrap().push(Edited {
            kind,
            id: id(&object),
            mark: if edit.deleted { String::new() } else { mark },
            at: tokio::time::Instant::now(),
        });
    })
}

/// Lives a life; what it breaks is the error. `make` turns drafts into chapters as the tenant is then.
async fn live(
    mut next: impl FnMut(usize, Option<&Plan>) -> Option<Chapter>,
    lived: &mut Life,
    hits: &mut BTreeSet<(String, &'static str)>,
) -> Result<(), String> {
    let mut stage = Stage::new();
    let mut watcher = Watcher::new(&stage);
    let begin = tokio::time::Instant::now();
    let start = stage.now();
    let mut spec = Spec::default();
    let mut number = 0;
    // A first look at what the next chapter would do, so that faults can be aimed.
    while let Some(draft) = next(number, None) {
        spec = draft.spec.clone();
        stage.tenant.with_tenant(|tenant| {
            for place in &draft.deletions {
                let objects = theirs(tenant, &watcher.others.ids);
                if let Some((kind, object)) = objects.get(place % objects.len().max(1)) {
                    delete(tenant, *kind, object, false, stage.now());
                    watcher.forget(*kind, &id(object));
                }
            }
        });
        lived.chapters.push(draft);
        stage.write(&spec.text());
        stage.faults(Faults::none());
        let look = stage.run(Command::Plan).await;
        let looked = watcher.check(&stage, &spec, &look);
        let plan = match look.ended {
            Ended::Normally(done) => done.plan,
            Ended::Refused(error) => {
                return Err(format!(
                    "chapter {number}: a plan without faults is refused: {error:?}"
                ));
            }
            Ended::Killed => return Err("killed by nothing".to_owned()),
        };
        if !looked.is_empty() {
            return Err(format!(
                "chapter {number}, the plan before: {}",
                looked.join("; ")
            ));
        }
        rest(&stage, &spec, &watcher, &plan)
            .map_err(|wrong| format!("chapter {number}, the plan before: {wrong}"))?;
        lived.chapters.pop();
        let Some(chapter) = next(number, Some(&plan)) else {
            break;
        };
        lived.chapters.push(chapter.clone());
        stage.parallelism = chapter.parallelism.max(1);
        stage.moved = if chapter.skip_changed {
            capol::ops::workspace::Moved::Skip
        } else {
            capol::ops::workspace::Moved::Refuse
        };
        let log = Arc::new(Mutex::new(Vec::new()));
        let fate = Fate {
            call: match &chapter.end {
                End::Call(at, fault) => Some((*at, fault.wrong())),
                _ => None,
            },
            call_after: match &chapter.end {
                End::CallAfter(moment, after, fault) => Some((moment.clone(), *after, fault.wrong())),
                _ => None,
            },
            death: match &chapter.end {
                End::Before(at) => Some((at.clone(), false)),
                End::After(at) => Some((at.clone(), true)),
                _ => None,
            },
            stop: match &chapter.end {
                End::Stop(at) => Some(at.clone()),
                _ => None,
            },
            edits: chapter
                .edits
                .iter()
                .map(|edit| {
                    let doing = doing(
                        edit,
                        watcher.others.ids.clone(),
                        number,
                        start,
                        begin,
                        Arc::clone(&log),
                    );
                    (edit.at.clone(), doing)
                })
                .collect(),
        };
        stage.faults(faults(&chapter.troubles));
        let command = if chapter.saved {
            Command::Saved(Box::new(plan))
        } else {
            Command::apply()
        };
        let ran = stage.meet(command, fate).await;
        coverage_of(&chapter, &ran, hits);
        let edited = std::mem::take(&mut *log.lock().unwrap());
        let old_answers = chapter
            .troubles
            .iter()
            .any(|meeting| meeting.trouble.makes_old_answers());
        watcher.disturbed = edited.iter().any(|edit| edit.mark.is_empty());
        watcher.old_answers = old_answers;
        watcher.late_answers = chapter
            .troubles
            .iter()
            .any(|meeting| matches!(meeting.trouble, Trouble::Late | Trouble::TooLate));
        watcher.late_commits = chapter
            .troubles
            .iter()
            .any(|meeting| meeting.trouble == Trouble::CommitLater);
        for edit in edited {
            if edit.mark.is_empty() {
                watcher.forget(edit.kind, &edit.id);
            } else {
                watcher.edits.push(edit);
            }
        }
        if let (Ended::Killed, Some(seed)) = (&ran.ended, chapter.power_cut) {
            stage.disk.cut_power(seed);
        }
        watcher.give_up(&stage);
        if std::env::var_os("CAPOL_FIRE_TELL").is_some() {
            println!("chapter {number}: {}", told(&ran));
        }
        let broken = watcher.check(&stage, &spec, &ran);
        if !broken.is_empty() {
            return Err(format!("chapter {number}: {}\n{}", broken.join("; "), told(&ran)));
        }
        // Old answers and late commits are over.
        stage.wait(1 + chapter.wait).await;
        number += 1;
    }
    // In the end nothing goes wrong any more.
    stage.faults(Faults::none());
    stage.wait(16).await;
    watcher.disturbed = false;
    watcher.old_answers = false;
    watcher.late_commits = false;
    stage.write(&spec.text());
    let ran = stage.apply().await;
    let broken = watcher.check(&stage, &spec, &ran);
    if !broken.is_empty() {
        return Err(format!("in the end: {}\n{}", broken.join("; "), told(&ran)));
    }
    if !ran.is_complete() {
        return Err(format!("in the end it is not complete\n{}", told(&ran)));
    }
    let wrong = differences(&stage, &spec, &watcher.others);
    if !wrong.is_empty() {
        return Err(format!("in the end: {}", wrong.join("; ")));
    }
    let again = stage.plan().await;
    if again.verdict.has_changes() || !again.held.is_empty() {
        let changes: Vec<_> = again.changes.iter().filter(|change| change.is_change()).collect();
        return Err(format!("in the end the plan is not empty: {changes:#?}"));
    }
    let left: Vec<_> = stage
        .disk
        .names()
        .into_iter()
        .filter(|name| name.ends_with("journal.ndjson") || name.ends_with("capol.state.json.lock"))
        .collect();
    if !left.is_empty() {
        return Err(format!("in the end {left:?} is left"));
    }
    Ok(())
}

/// The plan shows exactly what the tenant is not yet.
fn rest(stage: &Stage, spec: &Spec, watcher: &Watcher, plan: &Plan) -> Result<(), String> {
    let held: BTreeSet<String> = plan.held.iter().map(|held| held.address.to_string()).collect();
    for change in &plan.changes {
        let address = change.address.to_string();
        if let (Action::Create, Some(block)) = (change.action, spec.blocks.get(&address)) {
            let is_there = object_of(stage, block, &watcher.others).is_some();
            let of_another = stage.state().is_some_and(|state| {
                let found = object_of(stage, block, &watcher.others).map(|object| id(&object));
                state
                    .resources
                    .iter()
                    .any(|(other, kept)| *other != address && Some(&kept.id) == found.as_ref())
            });
            if is_there && !of_another && watcher.edits.is_empty() {
                return Err(format!("`{address}` would be made again"));
            }
        }
    }
    let wrong = differences(stage, spec, &watcher.others);
    let shown: BTreeSet<String> = plan
        .changes
        .iter()
        .filter(|change| change.is_change())
        .map(|change| change.address.to_string())
        .collect();
    let kept = stage.state().map(|state| state.resources).unwrap_or_default();
    // The objects that the plan deletes or gives another name, or will when it no longer has to wait.
    let leaving = |name: &str| -> BTreeSet<String> {
        kept.iter()
            .map(|(address, resource)| {
                let moved = spec.moved.iter().find(|(from, _)| from == address);
                (moved.map_or(address, |(_, to)| to), resource)
            })
            .filter(|(address, _)| shown.contains(*address) || held.contains(*address))
            .filter(|(address, _)| spec.blocks.get(*address).is_none_or(|block| block.name() != name))
            .map(|(_, resource)| resource.id.to_ascii_lowercase())
            .collect()
    };
    for line in &wrong {
        let Some((address, _)) = line.split_once(": ").filter(|(address, _)| address.contains('.')) else {
            continue;
        };
        // What goes is there beside its successor of the same name until then, at an address of its own.
        let is_left = line.ends_with("of that name") && {
            let block = &spec.blocks[address];
            let leaving = leaving(block.name());
            let mut staying = watcher.others.managed(stage, block.kind());
            staying.retain(|object| name(object) == block.name() && !leaving.contains(&id(object)));
            staying.len() == 1
        };
        // The name of what it refers to may not yet lead there.
        let member = line.split([' ', ':']).nth(2).unwrap_or_default();
        let is_led_astray = spec
            .blocks
            .get(address)
            .and_then(|block| block.reference(member))
            .is_some_and(|reference| shown.contains(reference) || held.contains(reference));
        if !shown.contains(address) && !held.contains(address) && !is_left && !is_led_astray {
            return Err(format!("the plan does not show {line}"));
        }
    }
    let is_known = kept.keys().eq(spec.blocks.keys());
    if wrong.is_empty() && is_known && watcher.edits.is_empty() && opened(stage).is_empty() {
        let real = plan.changes.iter().any(|change| {
            matches!(
                change.action,
                Action::Create | Action::Update | Action::Delete | Action::Replace
            )
        });
        if real {
            return Err(format!("nothing is left, and the plan shows {shown:?}"));
        }
    }
    Ok(())
}

fn told(ran: &Ran) -> String {
    let ended = match &ran.ended {
        Ended::Normally(done) => format!("{:#?}", done.applied),
        Ended::Refused(error) => format!("{error:?}"),
        Ended::Killed => "killed".to_owned(),
    };
    let begin = ran.sent.first().map(|sent| sent.at);
    let sent: Vec<String> = ran
        .sent
        .iter()
        .enumerate()
        .map(|(number, sent)| {
            format!(
                "{number:3} {:8.2} {} {} {:?}",
                sent.at.duration_since(begin.unwrap_or(sent.at)).as_secs_f64(),
                sent.method,
                sent.path,
                sent.status
            )
        })
        .collect();
    format!("{ended}\n{}", sent.join("\n"))
}

/// A chapter of a draft, aimed at what the plan would do.
fn aimed(draft: &ChapterDraft, spec: &Spec, plan: Option<&Plan>) -> Chapter {
    let mut chapter = Chapter {
        spec: spec.clone(),
        parallelism: [1, 3, 10][usize::from(draft.parallelism)],
        saved: draft.saved,
        skip_changed: draft.saved && draft.wait == 1,
        power_cut: draft.power,
        deletions: draft.deletions.iter().copied().map(usize::from).collect(),
        wait: [0, 0, 5, 16][usize::from(draft.wait)],
        ..Chapter::default()
    };
    let Some(plan) = plan else { return chapter };
    let mut by_step: BTreeMap<&str, Vec<(&str, String)>> = BTreeMap::new();
    for step in &plan.steps {
        if let Some((kind, method, path)) = step_of(&step.act) {
            by_step.entry(kind).or_default().push((method, path));
        }
    }
    // Steps that are rare in plans are met the more often when they are there.
    let mut kinds: Vec<&str> = Vec::new();
    for kind in by_step.keys() {
        let weight = match *kind {
            "create" | "update" | "restore" => 1,
            "delete" | "add members" => 2,
            "add configuration" => 7,
            "release" => 14,
            "set combinations" => 6,
            _ => 4,
        };
        kinds.extend(std::iter::repeat_n(*kind, weight));
    }
    let step = |place: u8, nth: u8| -> Option<(&'static str, String, u32)> {
        let steps = &by_step[kinds.get(usize::from(place) % (kinds.len() + 1))?];
        let (method, path) = &steps[usize::from(nth) % steps.len()];
        // The path of a create, or of what belongs to an object, is that of other steps too.
        let is_shared = !path.contains('-');
        let nth = if is_shared { u32::from(nth) % 2 + 1 } else { 1 };
        Some((method, path.clone(), nth))
    };
    for (trouble, place, nth, repeated) in &draft.troubles {
        let trouble = ALL[usize::from(*trouble)];
        let (method, path, nth) =
            step(*place, *nth).unwrap_or_else(|| ("GET", "/".to_owned(), u32::from(*place) % 20 + 1));
        chapter.troubles.push(if trouble.is_of_the_tenant() {
            Meeting::of_the_tenant(trouble)
        } else {
            Meeting {
                trouble,
                method: method.to_owned(),
                path,
                nth,
                times: if *repeated { 6 } else { 1 },
            }
        });
    }
    let moment = |place: u8, number: usize| -> Moment {
        match step(place, place / 16 % 2) {
            Some((method, path, nth)) => Moment::Step {
                method: method.to_owned(),
                path,
                nth: usize::try_from(nth).unwrap(),
            },
            None => Moment::Number(number),
        }
    };
    let (end, number, place) = &draft.end;
    let number = usize::from(*number);
    // Reading the tenant takes about a dozen requests; after that the writes come.
    let request = moment(*place, 10 + number % (6 + 2 * plan.steps.len()));
    let call = number % (30 + 8 * plan.steps.len());
    chapter.end = match end {
        0 => End::Call(call, FileFault::DeathBefore),
        1 => End::Call(call, FileFault::DeathAfter),
        2 => End::Call(call, FileFault::Fails),
        3 | 4 => End::Before(request),
        5 | 6 => End::After(request),
        7 | 8 => End::Stop(request),
        9 | 10 => End::CallAfter(request, number % 4, FileFault::DeathBefore),
        11 | 12 => End::CallAfter(request, number % 4, FileFault::DeathAfter),
        13 | 14 => End::CallAfter(request, number % 4, FileFault::Fails),
        _ => End::None,
    };
    if let Some((at, object, deleted, place)) = draft.edit {
        let number = usize::from(at);
        chapter.edits.push(Edit {
            // Half of them while the tenant is read, or anywhere.
            at: if at % 2 == 0 {
                Moment::Number(number)
            } else {
                moment(place, number)
            },
            object: usize::from(object),
            deleted,
        });
    }
    chapter
}

fn live_draft(draft: &Draft, hits: &mut BTreeSet<(String, &'static str)>) -> (Life, Result<(), String>) {
    let mut lived = Life::default();
    let result = in_virtual_time(async {
        let mut spec = beginning(draft.first);
        let mut made = None;
        let next = |number: usize, plan: Option<&Plan>| {
            let chapter = draft.chapters.get(number)?;
            if made != Some(number) {
                if number > 0 {
                    spec.moved.clear();
                    for one in &chapter.changes {
                        change(&mut spec, *one);
                    }
                }
                made = Some(number);
            }
            Some(aimed(chapter, &spec, plan))
        };
        live(next, &mut lived, hits).await
    });
    (lived, result)
}

/// Lives a written life again.
pub(crate) fn live_again(life: &Life) -> Result<(), String> {
    in_virtual_time(async {
        let next = |number: usize, _: Option<&Plan>| life.chapters.get(number).cloned();
        live(next, &mut Life::default(), &mut BTreeSet::new()).await
    })
}

/// Lives so many lives from a seed; the table of faults met.
pub(crate) fn lives(count: u32, seed: u64) -> Coverage {
    let coverage = Mutex::new(Coverage::default());
    let first_broken: Mutex<Option<usize>> = Mutex::default();
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: count,
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let outcome = runner.run(&draft(), |draft| {
        let mut hits = BTreeSet::new();
        let (_, result) = live_draft(&draft, &mut hits);
        let mut coverage = coverage.lock().unwrap();
        coverage.take(&hits);
        if result.is_err() {
            first_broken.lock().unwrap().get_or_insert(coverage.lives);
        } else if coverage.lives.is_multiple_of(500) {
            println!("{} lives", coverage.lives);
        }
        result.map_err(TestCaseError::fail)
    });
    if let Err(TestError::Fail(reason, draft)) = &outcome {
        let (life, _) = live_draft(draft, &mut BTreeSet::new());
        let text = serde_json::to_string_pretty(&life).unwrap();
        let number = first_broken.lock().unwrap().unwrap_or_default();
        panic!(
            "life {number} from seed {seed} broke a promise: {reason}\nSave this as a file in tests/cases/fire:\n{text}\n"
        );
    }
    outcome.unwrap();
    coverage.into_inner().unwrap()
}

/// What the environment asks for, or so many.
fn asked(name: &str, otherwise: u64) -> u64 {
    let said = std::env::var(name);
    said.map_or(otherwise, |text| {
        text.parse().unwrap_or_else(|_| panic!("{name} is a number"))
    })
}

#[test]
fn random_lives_keep_every_promise() {
    let seed = asked("CAPOL_FIRE_SEED", 1);
    let count = asked("CAPOL_FIRE_LIVES", 60);
    println!("{count} lives from seed {seed}");
    let coverage = lives(u32::try_from(count).unwrap(), seed);
    let (table, rare) = coverage.table(1.0);
    println!("{table}");
    if count >= 1000 {
        assert!(
            rare.is_empty(),
            "met in fewer than 1 % of the lives:\n{}",
            rare.join("\n")
        );
    }
}

#[test]
fn lives_that_once_broke_a_promise_keep_it() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/fire");
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    names.sort();
    assert!(!names.is_empty());
    for path in names {
        let life: Life = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        if let Err(broken) = live_again(&life) {
            panic!("{}: {broken}", path.display());
        }
    }
}
