//! Every plan of the tests' cases, every step of it, every fault: and death at every request and file-system call.
//!
//! A sample runs always; `CAPOL_FIRE=whole` runs all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use capol::sandbox::{Faults, Tenant};

use super::disk::{Disk, EVERY_WRONG, Wrong};
use super::invariants::Watcher;
use super::spec::{Others, Spec};
use super::stage::{Command, Ended, Fate, Moment, Ran, Stage};
use super::trouble::{ALL, Meeting, Trouble, faults};
use crate::in_memory::in_virtual_time;

/// What stands between the two texts of a case.
const BECOMES: &str = "# ---- becomes ----\n";

/// From one text to another.
#[derive(Debug, Clone)]
struct Transition {
    name: String,
    from: String,
    to: String,
}

/// One thing that goes wrong in it.
#[derive(Debug, Clone)]
enum Mishap {
    Fault(Meeting),
    Request {
        number: usize,
        after: bool,
    },
    Stop(usize),
    Call {
        number: usize,
        wrong: Wrong,
        power: Option<u64>,
    },
}

/// Where a transition begins, and where it leads when nothing goes wrong.
struct Begun {
    tenant: Tenant,
    disk: Disk,
    others: Others,
    end: Vec<String>,
    addresses: Vec<String>,
    clean: Ran,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/fire/plans")
}

fn transitions() -> Vec<Transition> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let (from, to) = text
                .split_once(BECOMES)
                .unwrap_or_else(|| panic!("{}", path.display()));
            Transition {
                name: path.file_stem().unwrap().to_string_lossy().into_owned(),
                from: from.to_owned(),
                to: to.to_owned(),
            }
        })
        .collect()
}

/// The transition without faults; why the tenant of the tests does not take it.
async fn begin(transition: &Transition) -> Result<Begun, String> {
    let stage = Stage::new();
    if !stage.is_sound(&transition.from) || !stage.is_sound(&transition.to) {
        return Err("not sound by itself".to_owned());
    }
    let complete = |ran: &Ran| match &ran.ended {
        Ended::Normally(done) if done.is_complete() => Ok(()),
        Ended::Normally(done) => Err(format!("not complete: {:?}", done.applied)),
        Ended::Refused(error) => Err(format!("refused: {error:?}")),
        Ended::Killed => Err("killed".to_owned()),
    };
    let mut others = Others::all_of(&stage);
    if !transition.from.trim().is_empty() {
        stage.write(&transition.from);
        complete(&stage.apply().await)?;
    }
    let tenant = stage.tenant.with_tenant(|tenant| tenant.clone());
    let disk = stage.disk.copy();
    stage.write(&transition.to);
    let clean = stage.apply().await;
    complete(&clean)?;
    let kept = stage.state().ok_or("nothing to do")?.resources;
    // What a `removed` block lets go is nobody's from then on.
    for kind in crate::world::KINDS {
        for object in others.managed(&stage, kind) {
            if kept
                .values()
                .all(|resource| resource.id != super::spec::id(&object))
            {
                others.ids.insert(super::spec::id(&object));
            }
        }
    }
    let addresses = kept.into_keys().collect();
    Ok(Begun {
        tenant,
        disk,
        others,
        end: stage.shape(),
        addresses,
        clean,
    })
}

/// What can go wrong, and how much of it is left out because it is like the rest.
fn mishaps(begun: &Begun) -> (Vec<Mishap>, usize) {
    let mut mishaps = Vec::new();
    let sent = &begun.clean.sent;
    let below = |path: &str| path.splitn(3, '/').nth(2).unwrap_or(path).to_owned();
    // What befalls the whole tenant befalls every step at once.
    let (of_the_tenant, of_a_step): (Vec<Trouble>, Vec<Trouble>) =
        ALL.into_iter().partition(|trouble| trouble.is_of_the_tenant());
    for trouble in of_the_tenant {
        mishaps.push(Mishap::Fault(Meeting::of_the_tenant(trouble)));
    }
    let mut alike: BTreeMap<(&str, String), Vec<usize>> = BTreeMap::new();
    for (number, one) in sent.iter().enumerate().filter(|(_, one)| one.is_write()) {
        let words = one.path.split('/').filter(|word| !word.contains('-'));
        alike
            .entry((one.method, words.collect()))
            .or_default()
            .push(number);
    }
    let mut left = 0;
    for numbers in alike.into_values() {
        let chosen = spread(numbers.len(), 4);
        left += (numbers.len() - chosen.len()) * of_a_step.len() * 2;
        for number in chosen.into_iter().map(|place| numbers[place]) {
            let one = &sent[number];
            let path = below(&one.path);
            let earlier = sent[..number]
                .iter()
                .filter(|other| other.method == one.method && other.path.contains(&path))
                .count();
            for trouble in &of_a_step {
                for times in [1, 6] {
                    mishaps.push(Mishap::Fault(Meeting {
                        trouble: *trouble,
                        method: one.method.to_owned(),
                        path: path.clone(),
                        nth: u32::try_from(earlier + 1).unwrap(),
                        times,
                    }));
                }
            }
        }
    }
    let requests = spread(sent.len(), 40);
    left += (sent.len() - requests.len()) * 3;
    for number in requests {
        for after in [false, true] {
            mishaps.push(Mishap::Request { number, after });
        }
        mishaps.push(Mishap::Stop(number));
    }
    let calls = spread(begun.clean.calls, 60);
    left += (begun.clean.calls - calls.len()) * 9;
    for number in calls {
        for wrong in EVERY_WRONG {
            mishaps.push(Mishap::Call {
                number,
                wrong,
                power: None,
            });
            if wrong != Wrong::Fails {
                for seed in [1, 2, 3] {
                    mishaps.push(Mishap::Call {
                        number,
                        wrong,
                        power: Some(seed),
                    });
                }
            }
        }
    }
    (mishaps, left)
}

/// All of so many places, or some of them from the first to the last.
fn spread(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|place| place * (count - 1) / (most - 1)).collect()
}

/// Carries the transition out under a mishap, then without; what is broken.
async fn survive(transition: &Transition, begun: &Begun, mishap: &Mishap) -> Result<(), String> {
    let stage = Stage::on(begun.tenant.clone(), begun.disk.copy());
    let mut watcher = Watcher::of(&stage, begun.others.clone());
    let mut bodies = BTreeSet::new();
    let creates = begun.clean.sent.iter().filter(|one| one.method == "POST");
    for one in creates {
        if !bodies.insert(&one.body) {
            watcher.twins.insert(one.body.clone());
        }
    }
    stage.write(&transition.to);
    let mut fate = Fate::default();
    match mishap {
        Mishap::Fault(meeting) => {
            watcher.old_answers = meeting.trouble.makes_old_answers();
            stage.faults(faults(std::slice::from_ref(meeting)));
        }
        Mishap::Request { number, after } => fate.death = Some((Moment::Number(*number), *after)),
        Mishap::Stop(number) => fate.stop = Some(Moment::Number(*number)),
        Mishap::Call { number, wrong, .. } => fate.call = Some((*number, *wrong)),
    }
    let ran = stage.meet(Command::apply(), fate).await;
    if let (
        Ended::Killed,
        Mishap::Call {
            power: Some(seed), ..
        },
    ) = (&ran.ended, mishap)
    {
        stage.disk.cut_power(*seed);
    }
    let mut broken = watcher.check(&stage, None, &ran);
    if ran.is_complete() && stage.shape() != begun.end {
        broken.push("complete, and yet the tenant is another".to_owned());
    }
    stage.wait(1).await;
    stage.faults(Faults::none());
    // What does not hang on something unknown goes on at once; the rest when the service must have shown it.
    for minutes in [0, 16] {
        stage.wait(minutes).await;
        let ran = stage.apply().await;
        broken.extend(watcher.check(&stage, None, &ran));
        if minutes > 0 && !ran.is_complete() {
            broken.push("it is never complete".to_owned());
        }
    }
    let again = stage.plan().await;
    if again.verdict.has_changes() || !again.held.is_empty() {
        broken.push(format!("the plan is not empty: {:?}", again.verdict));
    }
    let shape = stage.shape();
    if shape != begun.end {
        let (more, less): (Vec<_>, Vec<_>) = (
            shape.iter().filter(|line| !begun.end.contains(line)).collect(),
            begun.end.iter().filter(|line| !shape.contains(line)).collect(),
        );
        broken.push(format!("the tenant is another: more {more:#?} less {less:#?}"));
    }
    let addresses: Vec<String> = stage.state().unwrap().resources.into_keys().collect();
    if addresses != begun.addresses {
        broken.push(format!(
            "the state holds {addresses:?} instead of {:?}",
            begun.addresses
        ));
    }
    if stage.disk.read(&Stage::journal_path()).is_some() {
        broken.push("a journal is left".to_owned());
    }
    if broken.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "{} under {mishap:?}: {}",
            transition.name,
            broken.join("; ")
        ))
    }
}

/// A number below `below` that follows from seed and count.
fn chance(seed: u64, count: u64, below: usize) -> usize {
    let mut mixed = seed.wrapping_add(count.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((mixed ^ (mixed >> 31)) % u64::try_from(below.max(1)).unwrap()).unwrap()
}

/// What became of the plans.
#[derive(Default)]
struct Tally {
    plans: usize,
    mishaps: usize,
    /// Like others of the same plan.
    left: usize,
    refused: Vec<String>,
    broken: Vec<String>,
}

/// After so many broken promises the rest is left.
const ENOUGH: usize = 40;

/// Carries out a plan under the mishaps that `choose` takes from so many.
fn try_plan(transition: &Transition, choose: impl Fn(usize) -> Vec<usize>, tally: &Mutex<Tally>) {
    in_virtual_time(async {
        let begun = match begin(transition).await {
            Ok(begun) => begun,
            Err(why) => {
                let mut tally = tally.lock().unwrap();
                tally.refused.push(format!("{}: {why}", transition.name));
                return;
            }
        };
        let (all, left) = mishaps(&begun);
        let chosen = choose(all.len());
        for number in &chosen {
            if let Err(what) = survive(transition, &begun, &all[*number]).await {
                println!("{what}");
                tally.lock().unwrap().broken.push(what);
            }
            if tally.lock().unwrap().broken.len() >= ENOUGH {
                return;
            }
        }
        let mut tally = tally.lock().unwrap();
        tally.plans += 1;
        tally.mishaps += chosen.len();
        tally.left += left;
        if tally.plans.is_multiple_of(50) {
            println!("{} plans, {} mishaps", tally.plans, tally.mishaps);
        }
    });
}

#[test]
fn every_step_of_every_plan_survives_every_fault() {
    let whole = std::env::var("CAPOL_FIRE").is_ok_and(|what| what == "whole");
    let seed = std::env::var("CAPOL_FIRE_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(1);
    let only = std::env::var("CAPOL_FIRE_PLAN").unwrap_or_default();
    let mut transitions = transitions();
    transitions.retain(|transition| transition.name.contains(&only));
    // So many plans and so many mishaps in each of them, when only a sample is asked for.
    let (sampled, sample) = (60, 5);
    let places: Vec<usize> = if whole {
        (0..transitions.len()).collect()
    } else {
        let chosen = |count| chance(seed, 7 + u64::try_from(count).unwrap(), transitions.len());
        let chosen: std::collections::BTreeSet<usize> = (0..sampled).map(chosen).collect();
        chosen.into_iter().collect()
    };
    let tally = Mutex::default();
    let next = AtomicUsize::new(0);
    let work = || {
        while let Some(place) = places.get(next.fetch_add(1, Ordering::SeqCst)) {
            let choose = |all: usize| -> Vec<usize> {
                if whole {
                    return (0..all).collect();
                }
                (0..sample)
                    .map(|count| chance(seed, u64::try_from(place * 1000 + count).unwrap(), all))
                    .collect()
            };
            try_plan(&transitions[*place], choose, &tally);
        }
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..if whole { threads } else { 1 } {
            scope.spawn(work);
        }
    });
    let tally = tally.into_inner().unwrap();
    println!(
        "{} mishaps in {} plans, seed {seed}; {} like others of the same plan left out; {} texts are no plan here",
        tally.mishaps,
        tally.plans,
        tally.left,
        tally.refused.len(),
    );
    for why in &tally.refused {
        println!("  {why}");
    }
    assert!(
        tally.broken.is_empty(),
        "{} broke a promise; the first: {}",
        tally.broken.len(),
        tally.broken[0]
    );
    assert!(tally.plans > 0);
}

/// Whether the plans that the tests make are to be kept.
fn records() -> bool {
    std::env::var("CAPOL_FIRE").is_ok_and(|what| what == "record")
}

/// The plans that other tests of this suite make, kept for the matrix when they are asked for.
pub(crate) fn record(from: &str, to: &str) {
    // The matrix has the lag that the service has.
    let plain = |text: &str| -> String {
        let lines = text.split_inclusive('\n');
        lines.filter(|line| !line.contains("visibility_lag")).collect()
    };
    let (from, to) = (plain(from), plain(to));
    if records() && from != to {
        let text = format!("{from}{BECOMES}{to}");
        let name: String = capol::model::state::digest(text.as_bytes())
            .chars()
            .take(10)
            .collect();
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(folder().join(format!("{name}.capol")), text).unwrap();
    }
}

/// A whole project as data, for cases that the other tests do not make.
pub(crate) fn keep(name: &str, from: &Spec, to: &Spec) {
    if records() {
        let text = format!("{}{BECOMES}{}", from.text(), to.text());
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(folder().join(format!("{name}.capol")), text).unwrap();
    }
}

/// The plan that the real program is about to make in a folder, kept likewise.
pub(crate) fn record_run<'a>(folder: &Path, mut arguments: impl Iterator<Item = &'a str>) {
    /// What was applied last, by folder.
    static APPLIED: LazyLock<Mutex<BTreeMap<PathBuf, String>>> = LazyLock::new(Mutex::default);
    let command = arguments.next().unwrap_or_default();
    if !records() || !["plan", "apply"].contains(&command) {
        return;
    }
    let paths = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut paths: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "capol"))
        .collect();
    paths.sort();
    let texts = paths.iter().filter_map(|path| std::fs::read_to_string(path).ok());
    let text: Vec<String> = texts.collect();
    let text = text.join("\n");
    let mut applied = APPLIED.lock().unwrap();
    let before = applied.get(folder).cloned().unwrap_or_default();
    record(&before, &text);
    if command == "apply" {
        applied.insert(folder.to_owned(), text);
    }
}
