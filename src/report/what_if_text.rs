//! Answers to sign-ins, for people and for programs.

use serde_json::{Value as Json, json};

use super::page::{Page, Role, Text};
use super::words::count;
use crate::access::{Answer, Asked, Estate, Missing, Policy, Standing};
use crate::model::value::Operator;
use crate::ops::what_if::{Compared, changes, standing_word};

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

fn asked_words(estate: &Estate, asked: &Asked) -> String {
    let joint = match asked.operator {
        Operator::All => " and ",
        Operator::Any => " or ",
    };
    let words: Vec<String> = asked
        .controls
        .iter()
        .map(|control| estate.control_words(control))
        .collect();
    words.join(joint)
}

/// One answer for a person: what decides, which policies ask for what, and why the others don't apply.
pub fn answer_text(estate: &Estate, title: &str, answer: &Answer) -> Page {
    let mut page = Page::default();
    page.line(0, format!("{title}: {}", sentence(estate, answer)));
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
            (_, Some(asked)) => format!(": {}", asked_words(estate, &asked)),
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

fn sentence(estate: &Estate, answer: &Answer) -> &'static str {
    let mut all = estate.policies().iter().zip(&answer.standings);
    let asks =
        |(policy, standing): (&Policy, &Standing)| *standing == Standing::Applied && policy.grant.is_some();
    match decision_word(answer) {
        "allow" if all.any(asks) => "allowed: all that is asked for can be done",
        "allow" => "allowed: nothing in force asks for anything",
        "block" => "blocked",
        "controls_required" if !answer.is_modern => "denied: this client can do nothing that is asked for",
        "controls_required" => "allowed once what is asked for is done",
        _ => "undecided: what is recorded does not tell",
    }
}

/// What a plan does to one sign-in, as one JSON object.
pub fn changed_json(before: (&Estate, &Answer), after: (&Estate, &Answer), id: Option<&Json>) -> Json {
    let without_id = |(estate, answer)| {
        let mut json = answer_json(estate, None, answer);
        if let Some(members) = json.as_object_mut() {
            members.remove("id");
        }
        json
    };
    let changes: Vec<Json> = changes(before, after)
        .iter()
        .map(|change| {
            json!({
                "policy": change.policy.key,
                "before": change.before.as_ref().map(standing_word),
                "after": change.after.as_ref().map(standing_word),
            })
        })
        .collect();
    json!({ "id": id, "before": without_id(before), "after": without_id(after), "changes": changes })
}

/// What a plan does to one sign-in, for a person.
pub fn changed_text(before: (&Estate, &Answer), after: (&Estate, &Answer), title: &str) -> Page {
    let mut page = Page::default();
    let changes = changes(before, after);
    let same = before.1.decision == after.1.decision && before.1.session == after.1.session;
    if same {
        page.line(0, format!("{title}: as before, {}", sentence(after.0, after.1)));
    } else {
        page.line(0, format!("{title}: changes"));
        page.line(2, format!("before: {}", sentence(before.0, before.1)));
        page.line(2, format!("after: {}", sentence(after.0, after.1)));
    }
    let words = |standing: Option<&Standing>| match standing {
        None => "not there".to_owned(),
        Some(Standing::Applied) => "applies".to_owned(),
        Some(Standing::ReportOnly) => "would apply (report-only)".to_owned(),
        Some(Standing::Undecided(condition)) => format!("undecided: {} is not recorded", condition.name()),
        Some(Standing::NotApplied(because)) => format!("does not apply: {because}"),
    };
    let counts = |standing: Option<&Standing>| !matches!(standing, None | Some(Standing::NotApplied(_)));
    for change in &changes {
        // A policy that applies neither before nor after is no news.
        if !counts(change.before.as_ref()) && !counts(change.after.as_ref()) {
            continue;
        }
        let (before, after) = (words(change.before.as_ref()), words(change.after.as_ref()));
        let policy = label(change.policy);
        page.line(2, format!("{policy}, before: {before}; after: {after}"));
    }
    for (policy, standing) in after.0.policies().iter().zip(&after.1.standings) {
        if let (Standing::Applied, Some(asked)) = (standing, after.0.asked(policy)) {
            page.line(
                2,
                format!("{} asks for: {}", label(policy), asked_words(after.0, &asked)),
            );
        }
    }
    if !after.1.session.is_empty() {
        page.line(2, format!("session: {}", after.1.session.to_json()));
    }
    page
}

/// What came of asking Graph the same, as one JSON object.
pub fn compared_json(compared: &Compared) -> Json {
    let disagreements: Vec<Json> = compared
        .disagreements
        .iter()
        .map(|one| json!({ "policy": one.policy, "name": one.name, "capol": one.capol, "graph": one.graph }))
        .collect();
    json!({ "agreed": compared.agreed, "undecided": compared.undecided, "disagreements": disagreements })
}

/// What came of asking Graph the same, for a person.
pub fn compared_text(compared: &Compared) -> Page {
    let mut page = Page::default();
    let agreed = count(compared.agreed, "policy");
    page.line(
        2,
        match (compared.disagreements.len(), compared.undecided) {
            (0, 0) => format!("Graph's What-If says the same of {agreed}"),
            (0, open) => format!("Graph's What-If says the same of {agreed}; {open} undecided"),
            (wrong, open) => {
                format!("Graph's What-If says the same of {agreed}, otherwise of {wrong}; {open} undecided")
            }
        },
    );
    for one in &compared.disagreements {
        let capol = one.capol.as_deref().unwrap_or("no such policy");
        let graph = one.graph.as_deref().unwrap_or("no such policy");
        page.line(4, format!("{}: capol says {capol}, Graph says {graph}", one.name));
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
