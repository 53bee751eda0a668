//! The published shape of the objects: what a write may carry, what a read returns.
//!
//! `schema.json` is the part of the CSDL that Conditional Access needs, with the members seen only
//! on the wire added. A member is `Type`, `Type[]`, and then nothing, `beta` (that version only) or
//! `dropped` (accepted, never stored).

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;
use serde_json::Map;
use serde_json::Value;

use super::call::Version;

#[derive(Debug, Default, Deserialize)]
struct Schema {
    types: BTreeMap<String, Type>,
    enums: BTreeMap<String, Enumeration>,
}

#[derive(Debug, Default, Deserialize)]
struct Type {
    base: Option<String>,
    members: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
struct Enumeration {
    #[serde(default)]
    flags: bool,
    members: Vec<String>,
}

/// One member of a type, its declaration read.
#[derive(Clone, Copy, Debug)]
struct Member<'a> {
    kind: &'a str,
    collection: bool,
    beta: bool,
    dropped: bool,
}

/// Why a value does not have the shape of its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Misfit {
    /// The member at this path is unknown, or its value has the wrong type.
    Shape(String),
    /// `@odata.type` is there and names no type that fits.
    ODataType(String),
}

/// Types that exist only as one of their derivations, so a write has to say which.
const ABSTRACT: [&str; 4] = [
    "namedLocation",
    "ipRange",
    "conditionalAccessExternalTenants",
    "authenticationCombinationConfiguration",
];

/// Members that beta leaves out of its answers while nothing is set.
const BETA_SILENT: [&str; 11] = [
    "insiderRiskLevels",
    "authenticationFlows",
    "servicePrincipalRiskLevels",
    "agentIdRiskLevels",
    "agentContext",
    "includeAgentIdServicePrincipals",
    "excludeAgentIdServicePrincipals",
    "agentIdServicePrincipalFilter",
    "globalSecureAccessFilteringProfile",
    "profileId",
    "members",
];

fn schema() -> &'static Schema {
    static SCHEMA: OnceLock<Schema> = OnceLock::new();
    SCHEMA.get_or_init(|| serde_json::from_str(include_str!("schema.json")).unwrap_or_default())
}

fn member(declaration: &str) -> Member<'_> {
    let mut words = declaration.split(' ');
    let kind = words.next().unwrap_or_default();
    let scope = words.next().unwrap_or_default();
    Member {
        kind: kind.strip_suffix("[]").unwrap_or(kind),
        collection: kind.ends_with("[]"),
        beta: scope == "beta",
        dropped: scope == "dropped",
    }
}

fn find_member(type_name: &str, name: &str) -> Option<Member<'static>> {
    let declared = schema().types.get(type_name)?;
    if let Some(declaration) = declared.members.get(name) {
        return Some(member(declaration));
    }
    find_member(declared.base.as_deref()?, name)
}

fn members(type_name: &str) -> Vec<(&'static str, Member<'static>)> {
    let mut found = Vec::new();
    let mut next = schema().types.get(type_name);
    while let Some(declared) = next {
        found.extend(
            declared
                .members
                .iter()
                .map(|(name, text)| (name.as_str(), member(text))),
        );
        next = declared.base.as_ref().and_then(|base| schema().types.get(base));
    }
    found
}

fn derives(type_name: &str, from: &str) -> bool {
    type_name == from
        || schema()
            .types
            .get(type_name)
            .and_then(|declared| declared.base.as_deref())
            .is_some_and(|base| derives(base, from))
}

/// Returns the type that an object says it has, without the namespace.
pub(super) fn odata_type(value: &Value) -> Option<&str> {
    let text = value.get("@odata.type")?.as_str()?;
    Some(text.strip_prefix("#microsoft.graph.").unwrap_or(text))
}

/// Returns `value` as the service would store it: known members only, enum members in their
/// canonical spelling, flags in their canonical order, annotations gone.
pub(super) fn accept(type_name: &str, value: &Value, version: Version) -> Result<Value, Misfit> {
    accept_one(type_name, value, version, type_name)
}

fn accept_one(type_name: &str, value: &Value, version: Version, path: &str) -> Result<Value, Misfit> {
    let shape = || Misfit::Shape(path.to_owned());
    if value.is_null() {
        return Ok(Value::Null);
    }
    if let Some(enumeration) = schema().enums.get(type_name) {
        let text = value.as_str().ok_or_else(shape)?;
        return canonical(enumeration, text).map(Value::String).ok_or_else(shape);
    }
    match type_name {
        "Edm.Untyped" => return Ok(value.clone()),
        "Edm.Boolean" => return value.is_boolean().then(|| value.clone()).ok_or_else(shape),
        "Edm.Int32" => return value.is_i64().then(|| value.clone()).ok_or_else(shape),
        kind if kind.starts_with("Edm.") => {
            return value.is_string().then(|| value.clone()).ok_or_else(shape);
        }
        _ => {}
    }
    let object = value.as_object().ok_or_else(shape)?;
    let stated = odata_type(value);
    let mut actual = type_name;
    let mut accepted = Map::new();
    if ABSTRACT.contains(&type_name) {
        let name = stated.ok_or_else(shape)?;
        let known = schema()
            .types
            .keys()
            .find(|known| known.eq_ignore_ascii_case(name) && derives(known, type_name))
            .ok_or_else(|| Misfit::ODataType(name.to_owned()))?;
        actual = known;
        accepted.insert(
            "@odata.type".to_owned(),
            Value::String(format!("#microsoft.graph.{known}")),
        );
    }
    for (name, inner) in object {
        if name.starts_with('#') || name.contains("@odata.") {
            continue;
        }
        let here = format!("{path}.{name}");
        let Some(declared) = find_member(actual, name) else {
            // A strength is referred to by id; whatever else an export carries about it is ignored.
            if type_name == "strengthReference" {
                continue;
            }
            return Err(Misfit::Shape(here));
        };
        if declared.beta && version == Version::V1 {
            return Err(Misfit::Shape(here));
        }
        if declared.dropped {
            continue;
        }
        accepted.insert(name.clone(), accept_member(declared, inner, version, &here)?);
    }
    Ok(Value::Object(accepted))
}

fn accept_member(declared: Member<'_>, value: &Value, version: Version, path: &str) -> Result<Value, Misfit> {
    if !declared.collection {
        return accept_one(declared.kind, value, version, path);
    }
    match value {
        Value::Null => Ok(Value::Array(Vec::new())),
        Value::Array(items) => items
            .iter()
            .map(|item| match item {
                Value::Null => Err(Misfit::Shape(path.to_owned())),
                item => accept_one(declared.kind, item, version, path),
            })
            .collect::<Result<Vec<_>, _>>()
            .map(Value::Array),
        _ => Err(Misfit::Shape(path.to_owned())),
    }
}

fn canonical(enumeration: &Enumeration, text: &str) -> Option<String> {
    let find = |word: &str| {
        enumeration
            .members
            .iter()
            .position(|member| member.eq_ignore_ascii_case(word) && member != "unknownFutureValue")
    };
    let mut positions = if enumeration.flags {
        text.split(',')
            .map(|word| find(word.trim()))
            .collect::<Option<Vec<_>>>()?
    } else {
        vec![find(text)?]
    };
    positions.sort_unstable();
    positions.dedup();
    let words: Vec<&str> = positions
        .into_iter()
        .filter_map(|position| enumeration.members.get(position))
        .map(String::as_str)
        .collect();
    Some(words.join(","))
}

/// Returns an object of the type with every member null or empty.
pub(super) fn empty(type_name: &str) -> Value {
    let object = members(type_name)
        .into_iter()
        .filter(|(_, declared)| !declared.dropped)
        .map(|(name, declared)| {
            let value = if declared.collection {
                Value::Array(Vec::new())
            } else {
                Value::Null
            };
            (name.to_owned(), value)
        })
        .collect();
    Value::Object(object)
}

/// Returns `target` after a PATCH: members that are not sent keep their value at every level,
/// arrays are replaced whole, null clears an object.
pub(super) fn merge(type_name: &str, target: &Value, patch: &Value) -> Value {
    let Some(sent) = patch.as_object() else {
        return patch.clone();
    };
    if !schema().types.contains_key(type_name) {
        return patch.clone();
    }
    let actual = odata_type(patch).unwrap_or(type_name);
    let keeps = target.is_object()
        && (!patch.get("@odata.type").is_some_and(Value::is_string)
            || odata_type(target) == odata_type(patch));
    let mut merged = if keeps { target.clone() } else { empty(actual) };
    if let Some(object) = merged.as_object_mut() {
        for (name, value) in sent {
            let next = match find_member(actual, name) {
                Some(declared) if !declared.collection => {
                    merge(declared.kind, object.get(name).unwrap_or(&Value::Null), value)
                }
                _ => value.clone(),
            };
            object.insert(name.clone(), next);
        }
    }
    merged
}

/// Returns a stored object as a version of the service shows it.
pub(super) fn show(type_name: &str, stored: &Value, version: Version, future_members: bool) -> Value {
    if let Some(enumeration) = schema().enums.get(type_name) {
        return show_enum(enumeration, stored, future_members);
    }
    let Some(object) = stored.as_object() else {
        return stored.clone();
    };
    if !schema().types.contains_key(type_name) {
        return stored.clone();
    }
    let actual = odata_type(stored).unwrap_or(type_name);
    let mut shown = Map::new();
    if let Some(kind) = object.get("@odata.type") {
        shown.insert("@odata.type".to_owned(), kind.clone());
    }
    for (name, declared) in members(actual) {
        if declared.dropped || (declared.beta && version == Version::V1) {
            continue;
        }
        let value = object.get(name).unwrap_or(&Value::Null);
        let value = match value {
            Value::Array(items) => items
                .iter()
                .map(|item| show(declared.kind, item, version, future_members))
                .collect(),
            Value::Null if declared.collection => Value::Array(Vec::new()),
            value => show(declared.kind, value, version, future_members),
        };
        let unset = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
        if unset && version == Version::Beta && BETA_SILENT.contains(&name) {
            continue;
        }
        shown.insert(name.to_owned(), value);
    }
    Value::Object(shown)
}

/// Takes out of an object what a version of the service does not have, and adds nothing.
pub(super) fn prune(type_name: &str, value: &mut Value, version: Version) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| prune(type_name, item, version)),
        Value::Object(object) => object.retain(|name, inner| {
            let Some(declared) = find_member(type_name, name) else {
                return true;
            };
            prune(declared.kind, inner, version);
            !(declared.beta && version == Version::V1)
        }),
        _ => {}
    }
}

fn show_enum(enumeration: &Enumeration, stored: &Value, future_members: bool) -> Value {
    let Some(text) = stored.as_str().filter(|_| !future_members) else {
        return stored.clone();
    };
    let horizon = enumeration
        .members
        .iter()
        .position(|member| member == "unknownFutureValue");
    let mut words: Vec<&str> = Vec::new();
    for word in text.split(',') {
        let position = enumeration.members.iter().position(|member| member == word);
        let word = if horizon.is_some() && position > horizon {
            "unknownFutureValue"
        } else {
            word
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Value::String(words.join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_schema_slice_is_readable() {
        assert!(schema().types.len() > 30);
        assert!(schema().enums.len() > 15);
    }

    #[test]
    fn enum_members_are_stored_in_their_own_spelling_and_order() {
        let rows = [
            ("conditionalAccessPolicyState", "ENABLED", Some("enabled")),
            ("conditionalAccessDevicePlatform", "ios", Some("iOS")),
            (
                "conditionalAccessAgentIdRiskLevels",
                "high,medium",
                Some("medium,high"),
            ),
            (
                "conditionalAccessGuestOrExternalUserTypes",
                "ServiceProvider, InternalGuest",
                Some("internalGuest,serviceProvider"),
            ),
            ("conditionalAccessPolicyState", "on", None),
            ("conditionalAccessDevicePlatform", "unknownFutureValue", None),
        ];
        for (kind, sent, stored) in rows {
            let accepted = accept(kind, &json!(sent), Version::Beta).ok();
            assert_eq!(accepted, stored.map(Value::from), "{kind} {sent}");
        }
    }

    #[test]
    fn members_after_the_horizon_are_hidden_unless_asked_for() {
        let stored = json!({"includePlatforms": ["windows", "linux"], "excludePlatforms": []});
        let kind = "conditionalAccessPlatforms";
        assert_eq!(
            show(kind, &stored, Version::V1, false)["includePlatforms"],
            json!(["windows", "unknownFutureValue"])
        );
        assert_eq!(
            show(kind, &stored, Version::V1, true)["includePlatforms"],
            json!(["windows", "linux"])
        );
    }

    #[test]
    fn a_patch_merges_objects_and_replaces_arrays() {
        let before = json!({"excludeUsers": ["a"], "includeUsers": ["All"], "includeGroups": []});
        let after = merge("conditionalAccessUsers", &before, &json!({"excludeUsers": ["b"]}));
        assert_eq!(
            after,
            json!({"excludeUsers": ["b"], "includeUsers": ["All"], "includeGroups": []})
        );
    }
}
