//! What the journal promises.
#![expect(clippy::disallowed_methods, reason = "test bench")]

use futures::executor::block_on;
use serde_json::json;

use super::*;
use crate::model::properties::ApiVersion;
use crate::state::StateStore;
use crate::state::files::faulty::EVERY_FAULT;
use crate::state::files::faulty::Faulty;
use crate::state::tests::LINEAGE;
use crate::state::tests::Project;
use crate::state::tests::TENANT;
use crate::state::tests::at;
use crate::state::tests::document;
use crate::state::tests::resource;
use crate::state::tests::write;

const POLICIES: &str = "/identity/conditionalAccess/policies";

pub(in crate::state) fn apply() -> ApplyBegin {
    ApplyBegin {
        apply: "a1b2c3".to_owned(),
        command: "apply".to_owned(),
        capol_version: "1.2.3".to_owned(),
        plan_digest: "d".repeat(64),
        lineage: LINEAGE,
        serial: 1,
        tenant_id: TENANT.to_owned(),
        at: at(0),
        who: "ada".to_owned(),
    }
}

pub(in crate::state) fn create(step: &str, name: &str) -> Begin {
    let mut resource = resource(name);
    resource.id = String::new();
    resource.answered = None;
    Begin {
        step: step.to_owned(),
        address: format!("policy.{name}"),
        operation: Operation::Create,
        method: "POST".to_owned(),
        path: POLICIES.to_owned(),
        api_version: ApiVersion::V1,
        body: Some(json!({"displayName": name})),
        before: None,
        effect: Effect::Keep {
            resource: Box::new(resource),
        },
        at: at(1),
    }
}

fn delete(step: &str, name: &str) -> Begin {
    Begin {
        operation: Operation::Delete,
        method: "DELETE".to_owned(),
        path: format!("{POLICIES}/id-of-{name}"),
        body: None,
        before: Some(json!({"displayName": name})),
        effect: Effect::Forget,
        ..create(step, name)
    }
}

fn done(step: &str, name: &str) -> Record {
    let id = format!("id-of-{name}");
    end(
        step,
        Outcome::Done {
            answered: Some(json!({"displayName": name, "id": id})),
            id: Some(id),
        },
    )
}

fn end(step: &str, outcome: Outcome) -> Record {
    Record::End(Box::new(End {
        step: step.to_owned(),
        outcome,
        at: at(2),
    }))
}

fn begin(begin: Begin) -> Record {
    Record::Begin(Box::new(begin))
}

fn seen(ids: &[&str]) -> Record {
    Record::Seen(Seen {
        path: POLICIES.to_owned(),
        ids: ids.iter().map(|id| (*id).to_owned()).collect(),
    })
}

fn version() -> Version {
    Version {
        lineage: LINEAGE,
        serial: 2,
        digest: "e".repeat(64),
    }
}

/// An apply with everything that can happen in one, over a state that holds `old`.
fn whole() -> Vec<Record> {
    vec![
        Record::ApplyBegin(apply()),
        seen(&["id-of-old"]),
        begin(create("1", "a")),
        begin(create("2", "b")),
        done("1", "a"),
        end(
            "2",
            Outcome::Failed {
                error: "429".to_owned(),
            },
        ),
        begin(create("2", "b")),
        end(
            "2",
            Outcome::Unknown {
                error: "connection reset".to_owned(),
            },
        ),
        done("2", "b"),
        Record::StateSaved(version()),
        begin(delete("3", "old")),
        end(
            "3",
            Outcome::Done {
                id: None,
                answered: None,
            },
        ),
        Record::StateSaved(version()),
        Record::ApplyEnd { at: at(3) },
    ]
}

fn text(records: &[Record]) -> Vec<u8> {
    let mut text = Vec::new();
    for record in records {
        serde_json::to_writer(&mut text, record).unwrap();
        text.push(b'\n');
    }
    text
}

fn put(project: &Project, bytes: &[u8]) {
    let path = project.place().journal;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// What is unknown and what is done but unsaved after so many records of [`whole`], worked out by hand.
fn expected(records: usize) -> (&'static [&'static str], &'static [&'static str]) {
    let steps: [(&[&str], &[&str]); 15] = [
        (&[], &[]),
        (&[], &[]),
        (&[], &[]),
        (&["1"], &[]),
        (&["1", "2"], &[]),
        (&["2"], &["1"]),
        (&[], &["1"]),
        (&["2"], &["1"]),
        (&["2"], &["1"]),
        (&[], &["1", "2"]),
        (&[], &[]),
        (&["3"], &[]),
        (&[], &["3"]),
        (&[], &[]),
        (&[], &[]),
    ];
    steps[records]
}

#[test]
fn a_journal_cut_at_any_byte_tells_what_is_open_and_can_be_finished() {
    let records = whole();
    let bytes = text(&records);
    let project = Project::new();
    let store = project.store();
    for cut in 0..=bytes.len() {
        put(&project, &bytes[..cut]);
        let whole_lines = bytes[..cut].split(|byte| *byte == b'\n').count() - 1;
        let resumed = Journal::resume(&store).unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
        let Some((mut journal, recovery)) = resumed else {
            assert_eq!(whole_lines, 0, "cut at {cut}");
            assert!(!project.place().journal.exists());
            continue;
        };
        let open: Vec<&str> = recovery
            .open
            .iter()
            .map(|open| open.begin.step.as_str())
            .collect();
        let unsaved: Vec<&str> = recovery
            .done_not_in_state
            .iter()
            .map(|done| done.begin.step.as_str())
            .collect();
        assert_eq!((&open[..], &unsaved[..]), expected(whole_lines), "cut at {cut}");
        assert_eq!(recovery.ended, whole_lines == records.len());

        let mut document = document(&["old"]);
        recovery.settle(&mut document);
        for open in &recovery.open {
            journal
                .append(&[end(
                    &open.begin.step,
                    Outcome::Failed {
                        error: "did not arrive".to_owned(),
                    },
                )])
                .unwrap();
        }
        if !recovery.ended {
            journal.state_saved(&version()).unwrap();
        }
        journal.finish(at(4)).unwrap();
        assert!(!project.place().journal.exists());
        assert!(Journal::resume(&store).unwrap().is_none());
        let past = read_past(&store, "a1b").unwrap();
        assert_eq!(past[..whole_lines], records[..whole_lines], "cut at {cut}");
    }
}

#[test]
fn what_is_done_comes_into_the_document_once_however_often_it_is_settled() {
    let records = &whole()[..9];
    let recovery = Recovery::of(records).unwrap();
    let mut state = document(&["old"]);
    recovery.settle(&mut state);
    let once = state.clone();
    recovery.settle(&mut state);
    assert_eq!(state, once);
    assert_eq!(state, document(&["a", "b", "old"]));

    let deleted = [Record::ApplyBegin(apply()), begin(delete("3", "old"))]
        .into_iter()
        .chain([whole()[11].clone()])
        .collect::<Vec<_>>();
    let mut state = document(&["old"]);
    Recovery::of(&deleted).unwrap().settle(&mut state);
    assert_eq!(state, document(&[]));
}

#[test]
fn an_open_create_is_never_taken_for_an_object_that_was_there_or_belongs_to_another_step() {
    let recovery = Recovery::of(&whole()[..5]).unwrap();
    let open = &recovery.open[0];
    assert_eq!(open.begin.step, "2");
    let not_ours: Vec<&str> = open.not_ours.iter().map(String::as_str).collect();
    assert_eq!(not_ours, ["id-of-a", "id-of-old"]);
}

#[test]
fn only_records_in_a_legal_order_are_accepted() {
    let start = Record::ApplyBegin(apply());
    let over = Record::ApplyEnd { at: at(9) };
    let unknown = end("1", Outcome::Unknown { error: String::new() });
    let one = begin(create("1", "a"));
    let cases: [(&str, Vec<Record>); 9] = [
        ("no beginning", vec![seen(&[])]),
        ("two beginnings", vec![start.clone(), start.clone()]),
        ("a create before its ids", vec![start.clone(), one.clone()]),
        (
            "a step begun twice",
            vec![start.clone(), seen(&[]), one.clone(), one.clone()],
        ),
        (
            "a step begun after it was done",
            vec![start.clone(), seen(&[]), one.clone(), done("1", "a"), one.clone()],
        ),
        ("an end of nothing", vec![start.clone(), done("1", "a")]),
        (
            "the end with a step open",
            vec![start.clone(), seen(&[]), one.clone(), unknown, over.clone()],
        ),
        (
            "the end with a step unsaved",
            vec![start.clone(), seen(&[]), one, done("1", "a"), over.clone()],
        ),
        ("something after the end", vec![start, over, seen(&[])]),
    ];
    for (name, mut records) in cases {
        let mut grammar = Grammar::default();
        let last = records.pop().unwrap();
        for record in &records {
            grammar
                .accept(record)
                .unwrap_or_else(|reason| panic!("{name}: {reason}"));
        }
        assert!(grammar.accept(&last).is_err(), "{name}");
    }
}

#[test]
fn a_line_damaged_in_the_middle_is_an_error_and_stays_for_a_person_to_see() {
    let mut bytes = text(&whole()[..5]);
    let middle = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 10;
    bytes[middle] = 0;
    let project = Project::new();
    put(&project, &bytes);
    let resumed = Journal::resume(&project.store());
    assert!(matches!(resumed, Err(StateError::JournalDamaged { line: 2, .. })));
    assert_eq!(std::fs::read(project.place().journal).unwrap(), bytes);
}

#[test]
fn a_damaged_journal_can_be_set_aside_with_what_it_still_tells() {
    let mut bytes = text(&whole()[..7]);
    let third = bytes
        .split_inclusive(|byte| *byte == b'\n')
        .take(3)
        .map(<[u8]>::len)
        .sum::<usize>();
    bytes[third + 10] = 0;
    let project = Project::new();
    let store = project.store();
    put(&project, &bytes);
    let salvaged = Journal::set_aside(&store).unwrap().unwrap();
    assert_eq!(salvaged.damaged_lines, [4]);
    assert_eq!(std::fs::read(salvaged.kept).unwrap(), bytes);
    let recovery = salvaged.recovery.unwrap();
    assert_eq!(recovery.done_not_in_state.len(), 1);
    assert_eq!(recovery.open.len(), 1);
    assert!(Journal::resume(&store).unwrap().is_none());
    assert!(past_applies(&store).unwrap().is_empty());
    assert_eq!(Journal::set_aside(&store).unwrap(), None);
}

/// The writer's side of an apply: what it was told is durable, in order.
fn scripted(store: &crate::state::LocalFile, told: &mut Vec<Record>) -> Result<(), StateError> {
    let records = whole();
    let mut journal = Journal::start(store, apply())?;
    told.push(records[0].clone());
    for record in &records[1..records.len() - 1] {
        journal.append(std::slice::from_ref(record))?;
        told.push(record.clone());
    }
    journal.finish(at(3))?;
    Ok(())
}

#[test]
fn whatever_verb_goes_wrong_everything_said_to_be_durable_is_read_back() {
    for fault in EVERY_FAULT {
        for number in 0.. {
            let project = Project::new();
            let faulty = Faulty::new(number, fault);
            let mut told = Vec::new();
            let outcome = scripted(&project.store_over(faulty.clone()), &mut told);
            if faulty.verbs().len() <= number {
                outcome.unwrap();
                break;
            }
            let context = format!("{fault:?} at {number}: {}", faulty.verbs()[number]);
            assert!(outcome.is_err(), "{context}");
            let store = project.store();
            let records = match std::fs::read(project.place().journal) {
                Ok(bytes) => record::parse(&project.place().journal, &bytes).unwrap().records,
                Err(_) => read_past(&store, "a1b2c3").unwrap_or_default(),
            };
            assert!(records.len() >= told.len(), "{context}");
            assert_eq!(records[..told.len()], told[..], "{context}");
            assert_eq!(records[..], whole()[..records.len()], "{context}");
            Journal::resume(&store).unwrap_or_else(|error| panic!("{context}: {error}"));
        }
    }
}

#[test]
fn the_journal_of_an_apply_that_runs_is_not_taken_up() {
    let project = Project::new();
    let store = project.store();
    let journal = Journal::start(&store, apply()).unwrap();
    let refused = Journal::resume(&store).unwrap_err();
    assert!(matches!(refused, StateError::ApplyUnderWay { .. }), "{refused:?}");
    drop(journal);
    let (taken, _) = Journal::resume(&store).unwrap().unwrap();
    assert!(matches!(
        Journal::resume(&store),
        Err(StateError::ApplyUnderWay { .. })
    ));
    drop(taken);
    assert!(Journal::resume(&store).unwrap().is_some());
}

#[test]
fn after_a_failed_write_nothing_more_is_recorded() {
    let project = Project::new();
    let probe = Faulty::sound();
    drop(Journal::start(&Project::new().store_over(probe.clone()), apply()).unwrap());
    // What comes after the start is the write of the next record.
    let files = Faulty::new(probe.verbs().len(), crate::state::files::faulty::Fault::Fails);
    let mut journal = Journal::start(&project.store_over(files), apply()).unwrap();
    assert!(journal.append(&[seen(&[])]).is_err());
    assert!(journal.append(&[seen(&[])]).is_err());
    drop(journal);
    let (_, recovery) = Journal::resume(&project.store()).unwrap().unwrap();
    assert!(recovery.open.is_empty());
}

#[test]
fn finished_applies_are_kept_with_what_they_touched() {
    let project = Project::new();
    let store = project.store();
    write(&store, &document(&["old"]));
    for (number, name) in (0..).zip(["first", "second"]) {
        let begin = ApplyBegin {
            apply: name.to_owned(),
            at: at(number),
            ..apply()
        };
        let mut journal = Journal::start(&store, begin).unwrap();
        journal.append(&whole()[1..9]).unwrap();
        journal.state_saved(&version()).unwrap();
        journal.finish(at(number)).unwrap();
    }
    let past = past_applies(&store).unwrap();
    let names: Vec<&str> = past.iter().map(|it| it.begin.apply.as_str()).collect();
    assert_eq!(names, ["second", "first"]);
    let touched: Vec<&str> = past[0].addresses.iter().map(String::as_str).collect();
    assert_eq!(touched, ["policy.a", "policy.b"]);
    // The journals of applies are no versions of the document.
    assert_eq!(block_on(store.history()).unwrap().len(), 1);
    let told = tales(&store).unwrap();
    let told: Vec<&str> = told.iter().map(|tale| tale.apply.apply.as_str()).collect();
    assert_eq!(told, ["first", "second"]);
}
