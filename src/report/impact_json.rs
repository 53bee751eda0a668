//! `capol impact --json`: what a plan would have done to real sign-ins, for a program.

use std::collections::HashMap;
use std::path::PathBuf;

use serde_json::{Map, Value as Json, json};

use super::impact_text::{ImpactView, all_agreement, outcomes, policy_name, sum, top};
use crate::access::Change;
use crate::ops::impact::{Agreement, Bad, BadKind, Counts, place_of};

fn counts_json(counts: &Counts) -> Map<String, Json> {
    let mut members = Map::new();
    for (word, _, places) in outcomes() {
        members.insert(word.to_owned(), json!(sum(counts, &places)));
    }
    members
}

fn tops_json(all: &HashMap<String, Counts>) -> Vec<Json> {
    top(all)
        .into_iter()
        .map(|(name, counts)| {
            let mut members = Map::new();
            members.insert("name".to_owned(), json!(name));
            members.insert("sign_ins".to_owned(), json!(counts.iter().sum::<u64>()));
            members.extend(counts_json(counts));
            Json::Object(members)
        })
        .collect()
}

/// The report for programs.
pub fn impact_json(view: &ImpactView<'_>) -> Json {
    let tally = view.tally;
    let mut outcome = Map::new();
    for (word, _, places) in outcomes() {
        let mut members = json!({
            "sign_ins": sum(&tally.counts, &places),
            "users": tally.people_with(&places),
        });
        if let (true, Some(members)) = (word == "released", members.as_object_mut()) {
            for change in [Change::NoLongerBlocked, Change::LessAsked] {
                let part = [place_of(change)];
                members.insert(
                    change.word().to_owned(),
                    json!({ "sign_ins": sum(&tally.counts, &part), "users": tally.people_with(&part) }),
                );
            }
        }
        if let (true, Some(members)) = (word == "undecided", members.as_object_mut()) {
            let missing: Map<String, Json> = tally
                .missing
                .iter()
                .map(|(condition, sign_ins)| (condition.name().to_owned(), json!(sign_ins)))
                .collect();
            members.insert("missing".to_owned(), Json::Object(missing));
        }
        outcome.insert(word.to_owned(), members);
    }
    let kinds: Map<String, Json> = tally
        .bad
        .iter()
        .map(|(kind, times)| (kind.word().to_owned(), json!(times)))
        .collect();
    json!({
        "format_version": "1.0",
        "sign_ins": tally.sign_ins,
        "users": tally.people.len(),
        "from": (!tally.first.is_empty()).then_some(&tally.first),
        "to": (!tally.last.is_empty()).then_some(&tally.last),
        "outcome": outcome,
        "apps": tops_json(&tally.apps),
        "countries": tops_json(&tally.countries),
        "client_apps": tops_json(&tally.clients),
        "agreement": agreement_json(view),
        "not_counted": {
            "records": tally.bad.values().sum::<u64>(),
            "kinds": kinds,
            "examples": tally.examples.iter().map(|bad| bad_json(bad, view.logs)).collect::<Vec<_>>(),
        },
    })
}

fn bad_json(bad: &Bad, logs: &[PathBuf]) -> Json {
    let number = if bad.is_line { "line" } else { "record" };
    let file = logs.get(bad.file).map(|path| path.display().to_string());
    let kind: BadKind = bad.kind;
    json!({ "file": file, number: bad.number, "kind": kind.word(), "message": bad.why })
}

fn agreement_json(view: &ImpactView<'_>) -> Json {
    let tally = view.tally;
    let estate = &view.impact.before.estate;
    let one = |agreement: &Agreement| {
        json!({
            "agreed": agreement.agreed,
            "disagreed": agreement.disagreed,
            "undecided": agreement.undecided,
        })
    };
    let policies: Vec<Json> = tally
        .agreement
        .iter()
        .map(|(place, agreement)| {
            let (key, name) = policy_name(estate, *place);
            let reasons: Vec<Json> = tally
                .disagreements
                .iter()
                .filter(|((of, _, _), _)| of == place)
                .map(|((_, recorded, why), times)| {
                    json!({ "log": recorded.word(), "capol": why, "times": times })
                })
                .collect();
            let mut members = json!({ "policy": key, "name": name, "disagreements": reasons });
            if let (Some(members), Json::Object(counts)) = (members.as_object_mut(), one(agreement)) {
                members.extend(counts);
            }
            members
        })
        .collect();
    let mut whole = one(&all_agreement(tally));
    if let Some(members) = whole.as_object_mut() {
        members.insert("sign_ins".to_owned(), json!(tally.told));
        members.insert("policies".to_owned(), json!(policies));
        members.insert("not_given".to_owned(), json!(tally.strangers));
        members.insert("unreadable".to_owned(), json!(tally.unreadable_lists));
    }
    whole
}
