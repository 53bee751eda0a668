//! The property table against the published schema: nothing that Graph has is unknown to capol.

use std::collections::BTreeSet;

use capol::model::Kind;
use capol::model::properties::{self, ApiVersion, Shape};
use serde_json::Value as Json;

use crate::shared;

/// Members that need no row: entity plumbing, and what only an expanded navigation shows.
const PLUMBING: &[&str] = &[
    "grantControls.authenticationStrength",
    // A group is described by the few members that capol owns.
    "combinations",
];

fn schema(version: &str) -> Option<Json> {
    let file = shared::folder(&format!("graph/graph-{version}.json"))?;
    Some(serde_json::from_slice(&std::fs::read(file).expect("readable schema")).expect("a JSON schema"))
}

/// The wire paths of a type's members, complex types laid open, with their enumeration if they have one.
fn paths(schema: &Json, type_name: &str, prefix: &str, out: &mut Vec<(String, Option<String>)>) {
    let declared = &schema["types"][type_name];
    if let Some(base) = declared["base"].as_str() {
        paths(schema, base, prefix, out);
    }
    let Some(members) = declared["properties"].as_object() else {
        return;
    };
    for (name, member) in members {
        let path = format!("{prefix}{name}");
        let of = member["type"].as_str().unwrap_or_default();
        let enumeration = schema["enums"].get(of).map(|_| of.to_owned());
        let collection = member["collection"].as_bool().unwrap_or_default();
        let nested = schema["types"][of]["properties"]
            .as_object()
            .is_some_and(|members| !members.is_empty());
        if nested && !collection && member["nav"].as_bool() != Some(true) {
            paths(schema, of, &format!("{path}."), out);
        } else {
            out.push((path, enumeration));
        }
    }
}

fn is_known(kind: Kind, path: &str) -> bool {
    PLUMBING.contains(&path)
        || kind.properties().iter().any(|property| {
            property.wire == path
                || (!matches!(
                    property.shape,
                    Shape::Text { .. } | Shape::References(_) | Shape::Texts(_)
                ) && path.starts_with(&format!("{}.", property.wire)))
        })
}

const KINDS: [Kind; 6] = [
    Kind::Policy,
    Kind::IpLocation,
    Kind::CountryLocation,
    Kind::CompliantNetworkLocation,
    Kind::Strength,
    Kind::Context,
];

#[test]
fn every_member_that_graph_publishes_has_a_row() {
    for version in ["v1.0", "beta"] {
        let Some(schema) = schema(version) else { return };
        let mut unknown = BTreeSet::new();
        for kind in KINDS {
            let mut members = Vec::new();
            paths(&schema, kind.graph_type(), "", &mut members);
            unknown.extend(
                members
                    .into_iter()
                    .filter(|(path, _)| !is_known(kind, path))
                    .map(|(path, _)| format!("{kind:?} {path}")),
            );
        }
        assert!(
            unknown.is_empty(),
            "{version} has members without a row: {unknown:#?}"
        );
    }
}

#[test]
fn every_enumeration_member_that_graph_publishes_has_a_word() {
    for version in ["v1.0", "beta"] {
        let Some(schema) = schema(version) else { return };
        let mut unknown = BTreeSet::new();
        for kind in KINDS {
            let mut members = Vec::new();
            paths(&schema, kind.graph_type(), "", &mut members);
            for (path, enumeration) in members {
                let (Some(enumeration), Some(row)) = (enumeration, properties::by_wire(kind, &path)) else {
                    continue;
                };
                let Some(symbols) = row.symbols() else { continue };
                for member in schema["enums"][&enumeration]["members"]
                    .as_object()
                    .expect("members")
                    .keys()
                {
                    if member != "unknownFutureValue" && symbols.by_wire(member).is_none() {
                        unknown.insert(format!("{path}: {member}"));
                    }
                }
            }
        }
        assert!(
            unknown.is_empty(),
            "{version} has enumeration members without a word: {unknown:#?}"
        );
    }
}

#[test]
fn a_row_that_says_v1_is_in_the_published_v1() {
    let Some(schema) = schema("v1.0") else { return };
    // Seen on the wire in v1.0, absent from the schema that was published.
    let wire_only = ["deletedDateTime", "partialEnablementStrategy"];
    for kind in KINDS
        .into_iter()
        .filter(|kind| *kind != Kind::CompliantNetworkLocation)
    {
        let mut members = Vec::new();
        paths(&schema, kind.graph_type(), "", &mut members);
        for row in kind
            .properties()
            .iter()
            .filter(|row| row.version == ApiVersion::V1)
        {
            let published = members
                .iter()
                .any(|(path, _)| path == row.wire || path.starts_with(&format!("{}.", row.wire)));
            assert!(
                published || wire_only.contains(&row.wire),
                "{kind:?} {} is not in v1.0",
                row.wire
            );
        }
    }
}

#[test]
fn no_two_rows_share_a_wire_path_and_every_written_one_has_a_place() {
    for kind in Kind::ALL {
        let mut seen = BTreeSet::new();
        for row in kind.properties() {
            assert!(seen.insert(row.wire), "{kind:?} {} stands twice", row.wire);
            assert_eq!(
                row.dsl.is_empty(),
                row.access == properties::Access::ReadOnly,
                "{kind:?} {}",
                row.wire
            );
            assert!(row.doc.ends_with('.'), "{kind:?} {}: {}", row.wire, row.doc);
        }
    }
}
