//! Recognising objects by their members, at any depth of a file.

use serde_json::{Map, Value as Json, json};

use super::LeftOut;
use crate::export::error::Rejection;
use crate::model::catalogue::strengths;
use crate::model::reference::is_guid;
use crate::model::wire::location_kind;
use crate::model::{Kind, Target};

/// An object as it stands in the file.
#[derive(Debug)]
pub(super) struct Sighting {
    pub(super) kind: Kind,
    pub(super) json: Json,
    pub(super) left_out: Vec<LeftOut>,
}

/// What a walk through one file has found.
#[derive(Debug, Default)]
pub(super) struct Search {
    pub(super) sightings: Vec<(String, Result<Sighting, Rejection>)>,
    pub(super) names: Vec<(Option<Target>, String, String)>,
    /// Whether the file told something, even if only what was known before.
    pub(super) knows_something: bool,
    /// What else was seen, for a file that holds nothing of use.
    pub(super) noise: Option<&'static str>,
}

/// Members of an object by their name in any spelling.
struct Members<'a>(&'a Map<String, Json>);

impl<'a> Members<'a> {
    /// The value of a member that is there and not null.
    fn get(&self, name: &str) -> Option<&'a Json> {
        self.0
            .iter()
            .find(|(member, value)| member.eq_ignore_ascii_case(name) && !value.is_null())
            .map(|(_, value)| value)
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(Json::as_str)
    }

    fn has(&self, name: &str) -> bool {
        self.0.keys().any(|member| member.eq_ignore_ascii_case(name))
    }

    fn has_any(&self, names: &[&str]) -> bool {
        names.iter().any(|name| self.has(name))
    }

    /// The type annotation without its namespace.
    fn annotated_type(&self) -> Option<&'a str> {
        self.text("@odata.type").and_then(|text| text.rsplit('.').next())
    }
}

/// Objects that look as if they could hold something, and never do.
const NOISE: &[(&[&str], &str)] = &[
    (&["signInIdentity", "signInConditions"], "a What-If question"),
    (&["authenticationStrengths", "ipAddress"], "a What-If question"),
    (&["appliedConditionalAccessPolicies"], "a sign-in log"),
    (
        &["conditionalAccessPolicies", "userPrincipalName", "correlationId"],
        "a sign-in log",
    ),
    (&["activityDisplayName"], "an audit log"),
    (&["operationName", "resultType"], "a log"),
];

/// Pieces of a policy's conditions, by which a body that changes them is known.
const CONDITIONS: &[&str] = &[
    "applications",
    "authenticationFlows",
    "clientApplications",
    "clientAppTypes",
    "devices",
    "locations",
    "platforms",
    "signInRiskLevels",
    "userRiskLevels",
    "users",
];

impl Search {
    /// Walks through a value, and notes what it finds.
    pub(super) fn visit(&mut self, json: &Json, pointer: &str) {
        match json {
            Json::Array(values) if values.is_empty() && matches!(pointer, "" | "/value") => {
                self.noise = self.noise.or(Some("an empty list"));
            }
            Json::Array(values) => {
                for (number, value) in values.iter().enumerate() {
                    self.visit(value, &format!("{pointer}/{number}"));
                }
            }
            Json::Object(members) => self.visit_object(members, json, pointer),
            Json::String(text) if text.trim_start().starts_with('{') => self.visit_text(text, pointer),
            _ => {}
        }
    }

    /// Some tools keep the whole policy as text inside a record.
    fn visit_text(&mut self, text: &str, pointer: &str) {
        if let Ok(inner) = serde_json::from_str::<Json>(text) {
            self.visit(&inner, pointer);
        }
    }

    fn visit_object(&mut self, map: &Map<String, Json>, json: &Json, pointer: &str) {
        let merged = with_additional_properties(map);
        let members = Members(merged.as_ref().unwrap_or(map));
        if let Some((_, what)) = NOISE
            .iter()
            .find(|(names, _)| names.iter().all(|name| members.has(name)))
        {
            self.noise = self.noise.or(Some(what));
        } else if members
            .get("error")
            .is_some_and(|error| error.get("code").is_some())
        {
            self.noise = self.noise.or(Some("an error answer"));
        } else if members.has("usersV2") || (members.has("policyName") && members.has("policyState")) {
            self.sightings
                .push((pointer.to_owned(), Err(Rejection::PortalForm)));
        } else if !self.policy(&members, json, pointer)
            && !self.template(&members, pointer)
            && !self.neighbour(&members, json, pointer)
            && !self.named(&members)
        {
            self.visit_members(map, pointer);
        }
    }

    fn visit_members(&mut self, map: &Map<String, Json>, pointer: &str) {
        let is_name_table = map.len() > 1 && map.iter().all(|(id, name)| is_guid(id) && name.is_string());
        for (member, value) in map {
            match value.as_str() {
                Some(name) if is_name_table => self.names.push((None, member.clone(), name.to_owned())),
                _ => self.visit(value, &format!("{pointer}/{}", escaped(member))),
            }
        }
    }

    fn sight(&mut self, pointer: &str, kind: Kind, json: Json) {
        let sighting = Sighting {
            kind,
            json,
            left_out: Vec::new(),
        };
        self.sightings.push((pointer.to_owned(), Ok(sighting)));
    }

    fn policy(&mut self, members: &Members<'_>, json: &Json, pointer: &str) -> bool {
        let conditions = members.get("conditions").and_then(Json::as_object).map(Members);
        let is_whole = conditions.is_some()
            && members.has("displayName")
            && members.has_any(&["grantControls", "sessionControls", "state"]);
        // What is only a part is noted all the same, and refused for what it lacks.
        let is_part = conditions.is_some_and(|conditions| conditions.has_any(CONDITIONS))
            || members.get("sessionControls").is_some_and(Json::is_object)
            || members
                .get("grantControls")
                .and_then(Json::as_object)
                .is_some_and(|grant| Members(grant).has("builtInControls"));
        if !(is_whole || is_part) {
            return false;
        }
        let (json, others) = without_neighbours(json);
        for (member, value) in others {
            self.visit(&value, &format!("{pointer}/{}", escaped(&member)));
        }
        self.embedded_strength(members, pointer);
        self.sight(pointer, Kind::Policy, json);
        true
    }

    /// Graph shows the whole strength inside the policy that demands it.
    fn embedded_strength(&mut self, members: &Members<'_>, pointer: &str) {
        let strength = members
            .get("grantControls")
            .and_then(Json::as_object)
            .and_then(|grant| Members(grant).get("authenticationStrength"));
        let Some(json) = strength.filter(|json| json.is_object()) else {
            return;
        };
        let Some(strength) = json.as_object().map(Members) else {
            return;
        };
        let (Some(id), Some(name)) = (strength.text("id"), strength.text("displayName")) else {
            return;
        };
        self.names
            .push((Some(Target::Strength), id.to_owned(), name.to_owned()));
        let is_whole = strength
            .get("allowedCombinations")
            .and_then(Json::as_array)
            .is_some_and(|combinations| !combinations.is_empty());
        if is_whole && !is_built_in(&strength) {
            let pointer = format!("{pointer}/grantControls/authenticationStrength");
            self.sight(&pointer, Kind::Strength, json.clone());
        }
    }

    /// Microsoft's templates keep the policy without its name and state in `details`.
    fn template(&mut self, members: &Members<'_>, pointer: &str) -> bool {
        let Some(Json::Object(details)) = members.get("details") else {
            return false;
        };
        let name = members.text("name").or_else(|| members.text("displayName"));
        let (true, Some(name)) = (Members(details).has("conditions"), name) else {
            return false;
        };
        let mut policy = details.clone();
        let inner = Members(details);
        let mut left_out = Vec::new();
        for (member, value) in [
            ("displayName", Some(json!(name))),
            ("description", members.text("description").map(|text| json!(text))),
            ("state", Some(json!("enabledForReportingButNotEnforced"))),
        ] {
            if let Some(value) = value.filter(|_| inner.get(member).is_none()) {
                policy.retain(|name, _| !name.eq_ignore_ascii_case(member));
                policy.insert(member.into(), value);
            }
        }
        for member in ["id", "scenarios"] {
            if members.has(member) {
                left_out.push(LeftOut {
                    member: member.into(),
                    why: "belongs to the template, not to the policy",
                });
            }
        }
        let sighting = Sighting {
            kind: Kind::Policy,
            json: Json::Object(policy),
            left_out,
        };
        self.sightings.push((format!("{pointer}/details"), Ok(sighting)));
        true
    }

    fn neighbour(&mut self, members: &Members<'_>, json: &Json, pointer: &str) -> bool {
        let is_location = members
            .annotated_type()
            .is_some_and(|name| name.ends_with("NamedLocation"))
            || members.has_any(&["ipRanges", "countriesAndRegions", "compliantNetworkType"]);
        let spelled = if is_location || members.has("allowedCombinations") {
            super::normal::respelled(json)
        } else {
            Ok(Json::Null)
        };
        let spelled = match spelled {
            Ok(spelled) => spelled,
            Err(reason) => {
                self.sightings.push((pointer.to_owned(), Err(reason)));
                return true;
            }
        };
        if is_location {
            let Some(kind) = location_kind(&spelled) else {
                let reason = Rejection::Fragment {
                    noun: "named location",
                    missing: "@odata.type",
                };
                self.sightings.push((pointer.to_owned(), Err(reason)));
                return true;
            };
            self.sight(pointer, kind, json.clone());
        } else if members.has("allowedCombinations") && members.has("displayName") {
            if is_built_in(members) {
                self.noise = self.noise.or(Some("a strength that every tenant has"));
            } else {
                self.sight(pointer, Kind::Strength, json.clone());
            }
        } else if members.has("displayName")
            && (members.has("isAvailable") || members.text("id").is_some_and(is_context_id))
        {
            self.sight(pointer, Kind::Context, json.clone());
        } else {
            return false;
        }
        true
    }

    /// Things that policies name and that are only known by name here.
    fn named(&mut self, members: &Members<'_>) -> bool {
        let Some(name) = members.text("displayName").or_else(|| members.text("name")) else {
            return false;
        };
        let id = members.text("id").or_else(|| members.text("objectId"));
        let kind = members.annotated_type();
        let is = |word: &str| kind.is_some_and(|kind| kind.eq_ignore_ascii_case(word));
        let mut learn = |target: Option<Target>, id: Option<&str>, name: &str| match id {
            Some(id) => {
                self.names.push((target, id.to_owned(), name.to_owned()));
                self.knows_something = true;
            }
            None => self.noise = self.noise.or(Some("a name without an id")),
        };
        if is("group") || members.has_any(&["securityEnabled", "groupTypes", "mailEnabled"]) {
            learn(Some(Target::Group), id, name);
        } else if is("user") || members.has("userPrincipalName") {
            learn(
                Some(Target::User),
                id,
                members.text("userPrincipalName").unwrap_or(name),
            );
        } else if is("servicePrincipal") || members.has("servicePrincipalType") {
            learn(Some(Target::ServicePrincipal), id, name);
            learn(Some(Target::App), members.text("appId"), name);
        } else if is("application") || members.has("appId") {
            learn(Some(Target::App), members.text("appId"), name);
        } else if members.has("isViewingBeforeAcceptanceRequired") {
            learn(Some(Target::Terms), id, name);
        } else if members.has("templateId") && members.has("rolePermissions") {
            learn(Some(Target::Role), id, name);
        } else if id.is_some() && members.0.len() <= 3 {
            learn(members.text("type").and_then(target), id, name);
        } else {
            return false;
        }
        true
    }
}

/// The kind of object that the type column of a migration table names.
fn target(word: &str) -> Option<Target> {
    let word = word.to_ascii_lowercase();
    let word = word.rsplit('.').next().unwrap_or(&word);
    Some(match word {
        "group" | "groups" => Target::Group,
        "user" | "users" => Target::User,
        "application" | "applications" | "app" => Target::App,
        "serviceprincipal" | "serviceprincipals" => Target::ServicePrincipal,
        "authenticationstrength" | "authenticationstrengths" | "authenticationstrengthpolicy" => {
            Target::Strength
        }
        "namedlocation" | "namedlocations" | "ipnamedlocation" | "countrynamedlocation" => Target::Location,
        "termsofuse" | "agreement" => Target::Terms,
        "authenticationcontext" | "authenticationcontextclassreference" => Target::Context,
        "role" | "directoryrole" | "roledefinition" => Target::Role,
        _ => return None,
    })
}

fn is_context_id(id: &str) -> bool {
    id.strip_prefix('c')
        .and_then(|digits| digits.parse::<u8>().ok())
        .is_some_and(|number| (1..=99).contains(&number))
}

fn is_built_in(strength: &Members<'_>) -> bool {
    strength
        .text("policyType")
        .is_some_and(|text| text.eq_ignore_ascii_case("builtIn"))
        || strength
            .text("id")
            .is_some_and(|id| strengths::by_id(&id.to_ascii_lowercase()).is_some())
}

/// Objects that some tools put inside the policy that refers to them, under names of their own.
fn without_neighbours(json: &Json) -> (Json, Vec<(String, Json)>) {
    let Some(members) = json.as_object() else {
        return (json.clone(), Vec::new());
    };
    let (others, policy): (Vec<_>, Vec<_>) = members
        .iter()
        .map(|(member, value)| (member.clone(), value.clone()))
        .partition(|(member, _)| {
            ["LocationInfo", "AuthContextInfo", "AuthStrengthInfo"]
                .iter()
                .any(|name| member.eq_ignore_ascii_case(name))
        });
    (Json::Object(policy.into_iter().collect()), others)
}

/// The members together with those that the PowerShell SDK keeps apart.
fn with_additional_properties(map: &Map<String, Json>) -> Option<Map<String, Json>> {
    let (member, inner) = map
        .iter()
        .find(|(member, _)| member.eq_ignore_ascii_case("additionalProperties"))?;
    let mut merged = map.clone();
    merged.remove(member);
    for (member, value) in inner.as_object()? {
        merged.entry(member).or_insert_with(|| value.clone());
    }
    Some(merged)
}

/// A member as a token of a JSON pointer.
fn escaped(member: &str) -> String {
    member.replace('~', "~0").replace('/', "~1")
}
