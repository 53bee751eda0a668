//! The same sign-in asked of Graph's own What-If.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use crate::access::{Answer, Estate, Identity, SignIn, Standing};
use crate::graph::Version;
use crate::ops::OpsError;
use crate::ops::connection::Connection;

/// A policy of which Graph and capol say different things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// The policy's id.
    pub policy: String,
    /// What people call it.
    pub name: String,
    /// What capol says: `applied`, `report_only`, or the condition that keeps it away; none when it has no such policy.
    pub capol: Option<String>,
    /// What Graph says: `applies`, or its reasons; none when it has no such policy.
    pub graph: Option<String>,
}

/// What came of asking Graph.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// On how many policies the two agree.
    pub agreed: usize,
    /// How many policies one of them leaves undecided.
    pub undecided: usize,
    /// Where they don't agree.
    pub disagreements: Vec<Disagreement>,
}

/// Asks Graph's What-If for a sign-in, and compares policy by policy.
pub(super) async fn compared(
    connection: &Connection,
    record: &Json,
    sign_in: &SignIn,
    estate: &Estate,
    answer: &Answer,
) -> Result<Compared, OpsError> {
    let mut body = record.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("id");
        members.remove("satisfied");
        members.insert("appliedPoliciesOnly".to_owned(), json!(false));
        members.entry("signInConditions").or_insert_with(|| json!({}));
    }
    // Graph takes the id alone, not the account name.
    if let (Identity::User { id, .. }, Some(user)) =
        (&sign_in.identity, body.pointer_mut("/signInIdentity/userId"))
    {
        *user = json!(id);
    }
    let results = connection.graph.evaluate(Version::Beta, body).await?;
    Ok(judged(&results, estate, answer))
}

fn judged(results: &[Json], estate: &Estate, answer: &Answer) -> Compared {
    let text = |result: &Json, member: &str| {
        result
            .get(member)
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let mut told: BTreeMap<String, &Json> = results
        .iter()
        .map(|result| (text(result, "id").to_ascii_lowercase(), result))
        .collect();
    let mut compared = Compared::default();
    for (policy, standing) in estate.policies().iter().zip(&answer.standings) {
        let result = told.remove(&policy.key);
        let applies = result.and_then(|result| result.get("policyApplies")?.as_bool());
        let reasons = result.map(|result| text(result, "analysisReasons"));
        let is_open = reasons
            .as_ref()
            .is_some_and(|reasons| reasons.contains("notEnoughInformation"));
        let ours = match standing {
            Standing::Applied | Standing::ReportOnly => true,
            Standing::NotApplied(_) => false,
            Standing::Undecided(_) => {
                compared.undecided += 1;
                continue;
            }
        };
        match applies {
            Some(applies) if applies == ours => compared.agreed += 1,
            Some(false) if is_open => compared.undecided += 1,
            _ => compared.disagreements.push(Disagreement {
                policy: policy.key.clone(),
                name: policy.name.clone(),
                capol: Some(standing_word(standing)),
                graph: match applies {
                    Some(true) => Some("applies".to_owned()),
                    _ => reasons,
                },
            }),
        }
    }
    for (id, result) in told {
        compared.disagreements.push(Disagreement {
            policy: id,
            name: text(result, "displayName"),
            capol: None,
            graph: Some(text(result, "analysisReasons")),
        });
    }
    compared
}

/// How a policy stands, in one word.
pub fn standing_word(standing: &Standing) -> String {
    match standing {
        Standing::Applied => "applied".to_owned(),
        Standing::ReportOnly => "report_only".to_owned(),
        Standing::NotApplied(because) => because.to_string(),
        Standing::Undecided(condition) => format!("{}.undecided", condition.name()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Directory, sign_in};

    #[test]
    fn each_disagreement_is_told_by_policy_and_what_is_open_is_none() {
        let mut estate = Estate::default();
        for (id, users) in [
            ("same", "All"),
            ("other", "All"),
            ("open", "All"),
            ("lacking", "bob"),
        ] {
            let policy = json!({
                "id": id, "displayName": id.to_uppercase(), "state": "enabled",
                "conditions": {
                    "clientAppTypes": ["all"],
                    "users": { "includeUsers": [users] },
                    "applications": { "includeApplications": ["All"] },
                },
                "grantControls": { "operator": "OR", "builtInControls": ["mfa"] },
            });
            estate.add_policy(&policy).unwrap();
        }
        let directory = Directory::from_json(&json!({ "users": [{ "id": "ada" }] })).unwrap();
        let record = json!({
            "signInIdentity": { "@odata.type": "#microsoft.graph.userSignIn", "userId": "ada" },
            "signInContext": { "@odata.type": "#microsoft.graph.applicationContext", "includeApplications": ["x"] },
        });
        let answer = estate.evaluate(&sign_in(&record, &directory).unwrap(), None);
        let says = |id: &str, applies: bool, reasons: &str| json!({ "id": id, "displayName": id, "policyApplies": applies, "analysisReasons": reasons });
        let results = [
            says("SAME", true, "notSet"),
            says("other", false, "location"),
            says("open", false, "notEnoughInformation"),
            says("fresh", true, "notSet"),
        ];
        let compared = judged(&results, &estate, &answer);
        assert_eq!((compared.agreed, compared.undecided), (1, 1));
        let told: Vec<(&str, Option<&str>, Option<&str>)> = compared
            .disagreements
            .iter()
            .map(|one| (one.policy.as_str(), one.capol.as_deref(), one.graph.as_deref()))
            .collect();
        assert_eq!(
            told,
            [
                ("other", Some("applied"), Some("location")),
                ("lacking", Some("users.include"), None),
                ("fresh", None, Some("notSet")),
            ]
        );
    }
}
