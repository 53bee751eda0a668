//! Answers to sign-ins, for people and for programs.

use serde_json::{Value as Json, json};

use super::page::{Page, Role, Text};
use crate::access::{Answer, Asked, Estate, Missing, Policy, Standing};
use crate::model::value::Operator;

/// The word of the decision; `undecided` when a policy in force could change it and nobody can tell.
pub fn decision_word(answer: &Answer) -> &'static str {
    answer.decision.map_or("undecided", crate::access::Decision::word)
}

fn grant_json(asked: Option<&Asked>) -> Json {
    asked.map_or(Json::Null, |asked| {
        json!({
            "operator": match asked.operator {
                Operator::All => "AND",
                Operator::Any => "OR",
            },
            "controls": asked.controls,
        })
    })
}

/// One answer as one JSON object.
pub fn answer_json(estate: &Estate, id: Option<&Json>, answer: &Answer) -> Json {
    let mut applied = Vec::new();
    let mut report_only = Vec::new();
    let mut not_applied = Vec::new();
    let mut undecided = Vec::new();
    for (policy, standing) in estate.policies().iter().zip(&answer.standings) {
        match standing {
            Standing::Applied => applied.push(json!({
                "policy": policy.key,
                "grant": grant_json(estate.asked(policy).as_ref()),
                "session": policy.session.to_json(),
            })),
            Standing::ReportOnly => report_only.push(json!(policy.key)),
            Standing::NotApplied(because) => {
                not_applied.push(json!({ "policy": policy.key, "because": because.to_string() }));
            }
            Standing::Undecided(condition) => {
                undecided.push(json!({ "policy": policy.key, "because": condition.name() }));
            }
        }
    }
    let mut record = json!({
        "id": id,
        "decision": decision_word(answer),
        "applied": applied,
        "report_only": report_only,
        "not_applied": not_applied,
        "session": answer.session.to_json(),
    });
    if let (Some(members), false) = (record.as_object_mut(), undecided.is_empty()) {
        members.insert("undecided".to_owned(), Json::Array(undecided));
    }
    record
}

fn label(policy: &Policy) -> &str {
    if policy.name.is_empty() {
        &policy.key
    } else {
        &policy.name
    }
}

fn asked_words(asked: &Asked) -> String {
    let joint = match asked.operator {
        Operator::All => " and ",
        Operator::Any => " or ",
    };
    asked.controls.join(joint)
}

/// One answer for a person: what decides, which policies ask for what, and why the others don't apply.
pub fn answer_text(estate: &Estate, title: &str, answer: &Answer) -> Page {
    let mut page = Page::default();
    let sentence = match decision_word(answer) {
        "allow" => "allowed: nothing in force asks for anything",
        "block" => "blocked",
        "controls_required" => "allowed once what is asked for is done",
        _ => "undecided: what is recorded does not tell",
    };
    page.line(0, format!("{title}: {sentence}"));
    let all = || estate.policies().iter().zip(&answer.standings);
    for (policy, standing) in all() {
        let word = match standing {
            Standing::Applied => "applies",
            Standing::ReportOnly => "would apply (report-only)",
            Standing::Undecided(_) => "undecided",
            Standing::NotApplied(_) => continue,
        };
        let asks = match (standing, estate.asked(policy)) {
            (Standing::Undecided(condition), _) => format!(": {} is not recorded", condition.name()),
            (_, Some(asked)) => format!(": {}", asked_words(&asked)),
            (_, None) => String::new(),
        };
        page.line(2, format!("{} {word}{asks}", label(policy)));
    }
    if !answer.session.is_empty() {
        page.line(2, format!("session: {}", answer.session.to_json()));
    }
    for (policy, standing) in all() {
        if let Standing::NotApplied(because) = standing {
            page.line(
                2,
                Text::of(
                    Role::Muted,
                    &format!("{} does not apply: {because}", label(policy)),
                ),
            );
        }
    }
    page
}

/// What policies refer to and nobody gave.
pub fn missing_text(missing: &[Missing]) -> Page {
    let mut page = Page::default();
    for one in missing {
        page.line(
            0,
            format!(
                "policy `{}` names the {} `{}`, which is not among the files: what depends on it is undecided",
                one.policy, one.what, one.id
            ),
        );
    }
    page
}
