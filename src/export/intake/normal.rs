//! One object as the exporting tool wrote it, into the spelling of Graph.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Map, Value as Json, json};

use super::LeftOut;
use crate::export::error::Rejection;
use crate::model::Kind;
use crate::model::wire::is_annotation;

/// An object in Graph's spelling, and what of the file is not part of it.
#[derive(Debug)]
pub(super) struct Normal {
    pub(super) json: Json,
    pub(super) remarks: Vec<String>,
    pub(super) left_out: Vec<LeftOut>,
}

/// Members inside the shapes of the property table, and of objects around it.
const INNER: &[&str] = &[
    "@odata.type",
    "allowedAAGUIDs",
    "allowedIssuerSkis",
    "allowedPolicyOIDs",
    "appliesToCombinations",
    "authenticationStrength",
    "authenticationType",
    "builtInControls",
    "cidrAddress",
    "customAuthenticationFactors",
    "externalTenants",
    "frequencyInterval",
    "guestOrExternalUserTypes",
    "isEnabled",
    "lowerAddress",
    "members",
    "membershipKind",
    "mode",
    "operator",
    "rule",
    "termsOfUse",
    "type",
    "upperAddress",
    "value",
];

/// Graph's spelling of every member that is known, by its lower-case form.
static SPELLINGS: LazyLock<BTreeMap<String, &'static str>> = LazyLock::new(|| {
    let of_table = Kind::ALL
        .into_iter()
        .flat_map(|kind| kind.properties().iter().map(|property| property.wire))
        .flat_map(|wire| wire.split('.'));
    of_table
        .chain(INNER.iter().copied())
        .map(|name| (name.to_ascii_lowercase(), name))
        .collect()
});

/// Members in which people leave word for each other. Graph has none of them.
const REMARKS: &[&str] = &["note", "notes", "comment", "comments", "remark", "remarks"];

/// Brings an object of this kind into Graph's spelling.
pub(super) fn normal(kind: Kind, json: &Json) -> Result<Normal, Rejection> {
    let mut normal = Normal {
        json: respelled(json)?,
        remarks: Vec::new(),
        left_out: Vec::new(),
    };
    normal.take_remarks();
    match kind {
        Kind::Policy => normal.tidy_policy(),
        Kind::IpLocation | Kind::CountryLocation | Kind::CompliantNetworkLocation => {
            normal.tidy_location(kind);
        }
        Kind::Strength | Kind::Context | Kind::Group => {}
    }
    normal.tidy_dates();
    Ok(normal)
}

/// The same value with members in Graph's spelling and PowerShell's wrappers undone.
pub(super) fn respelled(json: &Json) -> Result<Json, Rejection> {
    match json {
        Json::Object(members) => {
            if let Some(values) = powershell_array(members) {
                return respelled(values);
            }
            let mut out = Map::new();
            for (member, value) in members {
                if is_additional_properties(member) {
                    continue;
                }
                if let Some(text) = cut_off(value) {
                    return Err(Rejection::CutOff {
                        member: member.clone(),
                        text: text.to_owned(),
                    });
                }
                insert(&mut out, spelling(member), respelled(value)?)?;
            }
            for inner in members
                .iter()
                .filter(|(member, _)| is_additional_properties(member))
                .filter_map(|(_, value)| value.as_object())
            {
                for (member, value) in inner {
                    insert(&mut out, spelling(member), respelled(value)?)?;
                }
            }
            Ok(Json::Object(out))
        }
        Json::Array(values) => values.iter().map(respelled).collect(),
        other => Ok(other.clone()),
    }
}

/// The PowerShell SDK keeps members of derived types apart.
fn is_additional_properties(member: &str) -> bool {
    member.eq_ignore_ascii_case("additionalProperties")
}

/// Windows PowerShell writes some arrays as `{"value": […], "Count": 2}`.
fn powershell_array(members: &Map<String, Json>) -> Option<&Json> {
    let count = members.get("Count").or_else(|| members.get("count"))?.as_u64()?;
    let values = members.get("value")?;
    let is_all = members.len() == 2 && values.as_array()?.len() as u64 == count;
    is_all.then_some(values)
}

/// What `ConvertTo-Json` and `Out-String` write for what lies too deep: the name of its type.
fn cut_off(value: &Json) -> Option<&str> {
    let text = value.as_str()?;
    let is_cut = text.starts_with("@{")
        || text.starts_with("Microsoft.Graph.")
        || text.starts_with("Microsoft.Open.")
        || (text.starts_with("System.") && (text.ends_with("[]") || text.starts_with("System.Collections.")));
    is_cut.then_some(text)
}

fn insert(members: &mut Map<String, Json>, member: String, value: Json) -> Result<(), Rejection> {
    match members.get(&member) {
        Some(first) if is_nothing(&value) || *first == value => {}
        Some(first) if !is_nothing(first) => return Err(Rejection::TwoSpellings { member }),
        _ => {
            members.insert(member, value);
        }
    }
    Ok(())
}

fn is_nothing(value: &Json) -> bool {
    value.is_null()
        || value.as_array().is_some_and(Vec::is_empty)
        || value.as_object().is_some_and(Map::is_empty)
}

/// Graph's spelling of a member: as the table has it, else with a small first letter.
fn spelling(member: &str) -> String {
    if let Some(name) = SPELLINGS.get(&member.to_ascii_lowercase()) {
        return (*name).to_owned();
    }
    // The AzureAD module gets around a PowerShell word with `_Operator`.
    if let Some(name) = member
        .strip_prefix('_')
        .and_then(|rest| SPELLINGS.get(&rest.to_ascii_lowercase()))
    {
        return (*name).to_owned();
    }
    if is_annotation(member) {
        return member.to_owned();
    }
    let mut letters = member.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

impl Normal {
    fn object(&mut self) -> Option<&mut Map<String, Json>> {
        self.json.as_object_mut()
    }

    fn leave_out(&mut self, member: &str, why: &'static str) {
        if let Some(value) = self.object().and_then(|object| object.remove(member))
            && !is_nothing(&value)
        {
            self.left_out.push(LeftOut {
                member: member.to_owned(),
                why,
            });
        }
    }

    fn take_remarks(&mut self) {
        let Some(object) = self.object() else { return };
        let members: Vec<String> = object
            .iter()
            .filter(|(member, _)| {
                REMARKS.contains(&member.as_str())
                    || (member.starts_with('_') || member.starts_with('$')) && !member.contains("@odata")
            })
            .map(|(member, _)| member.clone())
            .collect();
        for member in members {
            let text = self
                .json
                .get(&member)
                .and_then(Json::as_str)
                .filter(|_| !member.starts_with('$'))
                .map(str::to_owned);
            self.remarks.extend(text);
            self.leave_out(&member, "a remark of whoever wrote the file; kept as a comment");
        }
    }

    fn tidy_policy(&mut self) {
        for member in ["policyApplies", "analysisReasons"] {
            self.leave_out(member, "the answer of a What-If, not part of the policy");
        }
        // A strength that is named instead of identified, or given bare.
        if let Some(strength) = self.json.pointer_mut("/grantControls/authenticationStrength") {
            let name = match &*strength {
                Json::String(name) => Some(name.clone()),
                Json::Object(members) if members.get("id").is_none_or(Json::is_null) => members
                    .get("displayName")
                    .and_then(Json::as_str)
                    .map(str::to_owned),
                _ => None,
            };
            if let Some(name) = name {
                *strength = json!({ "id": name });
            }
        }
    }

    fn tidy_location(&mut self, kind: Kind) {
        let ranges = self.json.get_mut("ipRanges").and_then(Json::as_array_mut);
        let remarks: Vec<String> = ranges
            .into_iter()
            .flatten()
            .flat_map(take_range_remarks)
            .collect();
        if !remarks.is_empty() {
            self.remarks.extend(remarks);
            self.left_out.push(LeftOut {
                member: "ipRanges".into(),
                why: "Graph keeps no text beside a range; kept as a comment",
            });
        }
        let says_kind = self
            .json
            .get("locationType")
            .and_then(Json::as_str)
            .is_some_and(|text| {
                text.to_ascii_lowercase()
                    .contains(&kind.graph_type().to_ascii_lowercase())
            });
        if says_kind {
            self.leave_out("locationType", "says only which kind of location it is");
        }
        if kind == Kind::CountryLocation && self.json.get("isTrusted") == Some(&Json::Bool(false)) {
            self.leave_out(
                "isTrusted",
                "country locations have no such member, and it is false",
            );
        }
    }

    /// `/Date(1647536088205)/` into the form of Graph.
    fn tidy_dates(&mut self) {
        for value in self.json.as_object_mut().into_iter().flat_map(Map::values_mut) {
            let time = value.as_str().and_then(|text| {
                let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
                let milliseconds = inner.split(['+', '-']).find(|part| !part.is_empty())?;
                let sign = if inner.starts_with('-') { -1 } else { 1 };
                jiff::Timestamp::from_millisecond(sign * milliseconds.parse::<i64>().ok()?).ok()
            });
            if let Some(time) = time {
                *value = json!(time.to_string());
            }
        }
    }
}

/// Takes away the texts that stand beside a range, each with the range it speaks of.
fn take_range_remarks(range: &mut Json) -> Vec<String> {
    let known = ["cidrAddress", "lowerAddress", "upperAddress"];
    let Some(members) = range.as_object_mut() else {
        return Vec::new();
    };
    let address = members
        .get("cidrAddress")
        .and_then(Json::as_str)
        .unwrap_or("a range")
        .to_owned();
    let texts: Vec<(String, String)> = members
        .iter()
        .filter(|(member, _)| !known.contains(&member.as_str()) && !is_annotation(member))
        .filter_map(|(member, value)| Some((member.clone(), value.as_str()?.to_owned())))
        .collect();
    texts
        .into_iter()
        .map(|(member, text)| {
            members.remove(&member);
            format!("{address}: {text}")
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powershell_is_spelled_as_graph_spells() {
        let json = json!({
            "DisplayName": "A",
            "CreatedDateTime": "/Date(1647536088205)/",
            "Conditions": { "Users": { "IncludeUsers": { "value": ["All"], "Count": 1 } }, "Times": null },
            "GrantControls": {
                "_Operator": "OR",
                "AuthenticationStrength@odata.context": "https://…",
                "NewThing": { "IsEnabled": true },
            },
            "AdditionalProperties": { "@odata.context": "https://…", "partialEnablementStrategy": null },
        });
        let found = normal(Kind::Policy, &json).unwrap();
        assert_eq!(
            found.json,
            json!({
                "displayName": "A",
                "createdDateTime": "2022-03-17T16:54:48.205Z",
                "conditions": { "users": { "includeUsers": ["All"] }, "times": null },
                "grantControls": {
                    "operator": "OR",
                    "AuthenticationStrength@odata.context": "https://…",
                    "newThing": { "isEnabled": true },
                },
                "@odata.context": "https://…",
                "partialEnablementStrategy": null,
            })
        );
    }

    #[test]
    fn one_member_in_two_spellings_needs_one_value() {
        let same = json!({ "GrantControls": null, "grantControls": { "operator": "OR" } });
        assert_eq!(
            normal(Kind::Policy, &same).unwrap().json,
            json!({ "grantControls": { "operator": "OR" } })
        );
        let other = json!({ "State": "enabled", "state": "disabled" });
        assert!(matches!(
            normal(Kind::Policy, &other),
            Err(Rejection::TwoSpellings { .. })
        ));
    }

    #[test]
    fn an_export_that_was_cut_off_is_refused() {
        for text in [
            "@{IncludeUsers=System.Object[]}",
            "System.Object[]",
            "System.Collections.Hashtable",
        ] {
            let json = json!({ "conditions": { "users": text } });
            assert!(
                matches!(normal(Kind::Policy, &json), Err(Rejection::CutOff { .. })),
                "{text}"
            );
        }
    }

    #[test]
    fn what_people_wrote_for_each_other_becomes_a_remark() {
        let json = json!({
            "displayName": "Offices",
            "locationType": "ipNamedLocation",
            "note": "ask the network team",
            "ipRanges": [{ "cidrAddress": "203.0.113.0/24", "description": "Copenhagen" }],
        });
        let found = normal(Kind::IpLocation, &json).unwrap();
        assert_eq!(
            found.remarks,
            ["ask the network team", "203.0.113.0/24: Copenhagen"]
        );
        let left_out: Vec<&str> = found.left_out.iter().map(|left| left.member.as_str()).collect();
        assert_eq!(left_out, ["note", "ipRanges", "locationType"]);
        assert!(found.json.get("note").is_none());
    }
}
