//! A scenario: people of a company, and their sign-ins over some days with stated rates.
//!
//! Loading the same scenario again later adds the sign-ins of the days up to then, judged by the policies of then, so that
//! a rollout can be walked through with a clock that is set by hand.

use jiff::SignedDuration;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::json;
use uuid::Uuid;

use super::LoadReport;
use super::SandboxError;
use super::policies::put;
use super::sign_ins::CAME;
use super::tenant::Kind;
use super::tenant::Tenant;
use super::tenant::stamp;
use super::tenant::text;

/// Exchange Online.
const APP: &str = "00000002-0000-0ff1-ce00-000000000000";

/// What the file says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scenario {
    /// The name of the group that everybody is in; made when it is not there.
    group: String,
    /// How many people there are.
    people: usize,
    /// The departments, in turn.
    #[serde(default)]
    departments: Vec<String>,
    /// The share of people who are registered for multifactor authentication, from 0 to 1.
    #[serde(default)]
    registered: f64,
    /// Their sign-ins.
    sign_ins: Option<SignIns>,
}

/// The sign-ins of some days.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIns {
    /// How many days, up to now.
    days: u32,
    /// How many each day.
    per_day: u32,
    /// The share that fails where a policy applies, from 0 to 1.
    #[serde(default)]
    failure: f64,
    /// The share that is interrupted.
    #[serde(default)]
    interruption: f64,
    /// The share without a person at the screen.
    #[serde(default)]
    non_interactive: f64,
    /// The countries, in turn.
    #[serde(default)]
    countries: Vec<String>,
}

/// A number from 0 to 1 that an id always gives.
fn chance(id: &str, salt: u8) -> f64 {
    let mixed = Uuid::new_v5(&Uuid::NAMESPACE_OID, format!("{salt} {id}").as_bytes());
    let (first, _) = mixed
        .as_bytes()
        .split_first_chunk::<4>()
        .unwrap_or((&[0; 4], &[]));
    f64::from(u32::from_be_bytes(*first)) / 4_294_967_296.0
}

fn turn(all: &[String], number: usize) -> Option<&str> {
    let place = number.checked_rem(all.len())?;
    all.get(place).map(String::as_str)
}

impl Tenant {
    /// Adds the people of a scenario, and their sign-ins of the days up to now. The same file at the same time adds
    /// nothing twice.
    ///
    /// # Errors
    /// The document is no scenario.
    pub fn load_scenario(&mut self, document: &Value, now: Timestamp) -> Result<LoadReport, SandboxError> {
        let scenario: Scenario =
            serde_json::from_value(document.clone()).map_err(|error| SandboxError::Load {
                member: format!("the scenario ({error})"),
            })?;
        let known = self
            .objects(Kind::Groups)
            .find(|group| text(group, "displayName") == scenario.group)
            .map(|group| text(group, "id").to_owned());
        let group = known.clone().unwrap_or_else(|| self.named_id(&scenario.group));
        let people: Vec<String> = (0..scenario.people)
            .map(|number| self.named_id(&format!("scenario person {number}")))
            .collect();
        let mut members = self.members(&group).to_vec();
        for person in &people {
            if !members.contains(person) {
                members.push(person.clone());
            }
        }
        let domain = self.domain.clone();
        let users: Vec<Value> = people
            .iter()
            .enumerate()
            .map(|(number, id)| {
                json!({
                    "id": id,
                    "displayName": format!("Person {number}"),
                    "userPrincipalName": format!("person{number}@{domain}"),
                    "department": turn(&scenario.departments, number),
                })
            })
            .collect();
        let registered: Vec<Value> = people
            .iter()
            .filter(|id| chance(id, 0) < scenario.registered)
            .map(|id| {
                json!({
                    "id": id,
                    "isMfaRegistered": true,
                    "isMfaCapable": true,
                    "methodsRegistered": ["microsoftAuthenticatorPush"],
                })
            })
            .collect();
        let mut objects = json!({
            "groups": [],
            "users": users,
            "userRegistrationDetails": registered,
            "members": { group.as_str(): members },
        });
        if known.is_none() {
            let made = json!([{ "id": group, "displayName": scenario.group }]);
            put(&mut objects, "/groups", made);
        }
        let mut report = self.load_objects(&objects)?;
        if let Some(sign_ins) = &scenario.sign_ins {
            let all = self.sign_ins_of(sign_ins, &people, now);
            report
                .added
                .extend(self.load_objects(&json!({ "signIns": all }))?.added);
        }
        Ok(report)
    }

    fn sign_ins_of(&self, sign_ins: &SignIns, people: &[String], now: Timestamp) -> Vec<Value> {
        let count = i64::from(sign_ins.days) * i64::from(sign_ins.per_day);
        let seconds = i64::from(sign_ins.days) * 24 * 60 * 60;
        let mut all = Vec::new();
        for at in 0..count {
            let back = SignedDuration::from_secs(seconds - seconds * at / count);
            let when = stamp(now.checked_sub(back).unwrap_or(now));
            let id = self.named_id(&format!("scenario sign-in {at} {when}"));
            let place = usize::try_from(at).unwrap_or_default();
            let Some(person) = turn(people, place * 7 + place / people.len().max(1)) else {
                break;
            };
            let fate = chance(&id, 1);
            let came = if fate < sign_ins.failure {
                "failure"
            } else if fate < sign_ins.failure + sign_ins.interruption {
                "interruption"
            } else {
                "success"
            };
            let is_interactive = chance(&id, 2) >= sign_ins.non_interactive;
            all.push(json!({
                "id": id,
                "createdDateTime": when,
                "userId": person,
                "appId": APP,
                "resourceId": APP,
                "clientAppUsed": "Browser",
                "isInteractive": is_interactive,
                "signInEventTypes": [if is_interactive { "interactiveUser" } else { "nonInteractiveUser" }],
                "location": { "countryOrRegion": turn(&sign_ins.countries, place).unwrap_or_default() },
                CAME: came,
            }));
        }
        all
    }
}
