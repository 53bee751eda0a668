//! The published schema: what an answer may hold, what a request may.

use std::path::Path;

use serde_json::Value;

/// One version of the service as its metadata describes it.
pub(super) struct Published {
    /// `v1.0` or `beta`.
    pub(super) version: &'static str,
    schema: Value,
}

/// One property of a type.
#[derive(Clone, Debug)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) collection: bool,
    pub(super) nullable: bool,
    pub(super) navigation: bool,
}

/// Seen on the wire, absent from the published types (FACTS 1.8): the type and the member.
const WIRE: [(&str, &str); 9] = [
    ("conditionalAccessPolicy", "partialEnablementStrategy"),
    ("conditionalAccessConditionSet", "times"),
    ("conditionalAccessConditionSet", "agents"),
    ("conditionalAccessConditionSet", "agentContext"),
    ("conditionalAccessSessionControls", "blockSensitiveActions"),
    ("conditionalAccessAgents", "includeAgentUsers"),
    ("conditionalAccessAgents", "excludeAgentUsers"),
    ("conditionalAccessAgents", "agentFilter"),
    ("authenticationStrengthRoot", "id"),
];

/// Members of enumerations that are on the wire and not in the schema (FACTS 1.8).
const WIRE_MEMBERS: [(&str, &str); 2] = [
    ("conditionalAccessGrantControl", "verifiedID"),
    ("templateScenarios", "aiAgents"),
];

impl Published {
    /// Both versions.
    pub(super) fn both(folder: &Path) -> [Self; 2] {
        [("v1.0", "graph-v1.0.json"), ("beta", "graph-beta.json")].map(|(version, file)| Self {
            version,
            schema: serde_json::from_slice(&std::fs::read(folder.join(file)).unwrap()).unwrap(),
        })
    }

    /// Every address with what it returns.
    pub(super) fn paths(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.schema["paths"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(path, entry)| (path.as_str(), entry))
    }

    /// What may be asked of a list of this type.
    pub(super) fn offers(&self, kind: &str, capability: &str) -> Option<bool> {
        let names = match capability {
            "select" => ["SelectSupport.Supported", "SelectRestrictions.Selectable"],
            "filter" => ["FilterRestrictions.Filterable", ""],
            "count" => ["CountRestrictions.Countable", ""],
            "top" => ["TopSupported", ""],
            _ => ["SkipSupported", ""],
        };
        let capabilities = &self.schema["capabilities"][kind];
        names.iter().find_map(|name| capabilities[*name].as_bool())
    }

    /// The members of an enumeration in the order of their numbers, with whether it is one of flags.
    pub(super) fn members(&self, kind: &str) -> Option<(Vec<String>, bool)> {
        let declared = self.schema["enums"].get(kind)?;
        let mut members: Vec<(&String, &Value)> = declared["members"].as_object()?.iter().collect();
        members.sort_by_key(|(_, number)| number.as_i64());
        let names = members.into_iter().map(|(name, _)| name.clone()).collect();
        Some((names, declared["flags"] == true))
    }

    pub(super) fn is_type(&self, kind: &str) -> bool {
        self.schema["types"].get(kind).is_some()
    }

    /// The properties of a type, those of its bases included.
    pub(super) fn properties(&self, kind: &str) -> Vec<Property> {
        let mut found = Vec::new();
        let mut next = Some(kind.to_owned());
        while let Some(kind) = next {
            let declared = &self.schema["types"][&kind];
            for (name, property) in declared["properties"].as_object().into_iter().flatten() {
                found.push(Property {
                    name: name.clone(),
                    kind: property["type"].as_str().unwrap_or_default().to_owned(),
                    collection: property["collection"] == true,
                    nullable: property["nullable"] != false,
                    navigation: property["nav"] == true,
                });
            }
            next = declared["base"].as_str().map(str::to_owned);
        }
        found
    }

    /// Collects what an answer of this type holds against the schema.
    pub(super) fn judge(&self, kind: &str, value: &Value, place: &str, found: &mut Vec<String>) {
        let stated = value["@odata.type"]
            .as_str()
            .map_or(kind, |stated| stated.trim_start_matches("#microsoft.graph."));
        if !self.is_type(stated) {
            // Agents are on the wire of beta alone, and in no schema.
            if !matches!(kind, "conditionalAccessAgents" | "conditionalAccessAgentContext") {
                found.push(format!("{place}: no type {stated}"));
            }
            return;
        }
        let properties = self.properties(stated);
        for (name, inner) in value.as_object().into_iter().flatten() {
            if name.contains("@odata.") || WIRE.contains(&(stated, name.as_str())) {
                continue;
            }
            let here = format!("{place}.{name}");
            let Some(property) = properties.iter().find(|property| property.name == *name) else {
                found.push(format!("{here} is not published"));
                continue;
            };
            if inner.is_null() {
                if !property.nullable || property.collection {
                    found.push(format!("{here} is null"));
                }
                continue;
            }
            match (property.collection, inner) {
                (true, Value::Array(items)) => {
                    for item in items {
                        self.judge_one(property, item, &here, found);
                    }
                }
                (false, Value::Array(_)) | (true, _) => found.push(format!("{here}: list or not")),
                (false, inner) => self.judge_one(property, inner, &here, found),
            }
        }
    }

    fn judge_one(&self, property: &Property, value: &Value, place: &str, found: &mut Vec<String>) {
        let kind = property.kind.as_str();
        let well = if let Some((members, flags)) = self.members(kind) {
            value.as_str().is_some_and(|text| {
                let words: Vec<&str> = if flags {
                    text.split(',').collect()
                } else {
                    vec![text]
                };
                words.iter().all(|word| {
                    members.iter().any(|member| member == word) || WIRE_MEMBERS.contains(&(kind, word))
                })
            })
        } else if value.is_object() && !kind.starts_with("Edm.") {
            return self.judge(kind, value, place, found);
        } else {
            match kind {
                "Edm.Boolean" => value.is_boolean(),
                "Edm.Int32" | "Edm.Int64" | "Edm.Int16" => value.is_i64(),
                "Edm.Double" | "Edm.Single" => value.is_number(),
                "Edm.DateTimeOffset" => value
                    .as_str()
                    .is_some_and(|text| text.ends_with('Z') && text.parse::<jiff::Timestamp>().is_ok()),
                "Edm.Duration" => value
                    .as_str()
                    .is_some_and(|text| text.parse::<jiff::Span>().is_ok()),
                "Edm.Guid" => value
                    .as_str()
                    .is_some_and(|text| uuid::Uuid::try_parse(text).is_ok()),
                // Known by name only.
                "" => true,
                kind => kind.starts_with("Edm.") && value.is_string(),
            }
        };
        if !well {
            found.push(format!("{place}: {value} is no {kind}"));
        }
    }
}
