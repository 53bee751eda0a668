//! Graph's JSON into canonical values.

use indexmap::IndexSet;
use serde_json::Value as Json;

use super::{WireError, at, pruned, take};
use crate::model::object::{Kind, Object};
use crate::model::properties::{self, Accepts, Access, Property, Shape, Symbols, TextKind};
use crate::model::reference::{Reference, Target};
use crate::model::set::Set;
use crate::model::value::{
    Allowed, CombinationConfiguration, Control, ExternalTenants, Filter, FilterMode, Grant, Guests, Interval,
    Operator, SignInFrequency, Value,
};

/// An object as it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    /// Its id, if it has one.
    pub id: Option<String>,
    /// What the property table understands.
    pub object: Object,
    /// What the table does not know, in the shape of the wire; null when there is nothing.
    pub unknown: Json,
}

type Read = Result<Option<Value>, WireError>;

/// Which kind of named location the JSON is, by its type annotation or, failing that, its members.
pub fn location_kind(json: &Json) -> Option<Kind> {
    let annotated = json
        .get("@odata.type")
        .and_then(Json::as_str)
        .map(|text| text.rsplit('.').next().unwrap_or(text));
    match annotated {
        Some(name) => [
            Kind::IpLocation,
            Kind::CountryLocation,
            Kind::CompliantNetworkLocation,
        ]
        .into_iter()
        .find(|kind| kind.graph_type().eq_ignore_ascii_case(name)),
        None if at(json, "ipRanges").is_some() => Some(Kind::IpLocation),
        None if at(json, "countriesAndRegions").is_some() => Some(Kind::CountryLocation),
        None if at(json, "compliantNetworkType").is_some() => Some(Kind::CompliantNetworkLocation),
        None => None,
    }
}

/// Reads an object of a known kind.
///
/// Errors when a member that the table knows has another JSON type than the table says. Members
/// and enumeration members that the table does not know are kept.
pub fn decode(kind: Kind, json: &Json) -> Result<Decoded, WireError> {
    if !json.is_object() {
        return Err(WireError::new(kind.graph_type(), "is not a JSON object"));
    }
    let mut object = Object::new(kind);
    let mut rest = json.clone();
    for property in kind.properties() {
        if property.access != Access::ReadOnly {
            let value = match at(json, property.wire) {
                Some(found) => read(property, found)?,
                None => None,
            };
            if let Some(value) = value.filter(|value| !property.is_default(value)) {
                object.set(property.wire, Some(value));
            }
        }
        consume(property, &mut rest);
    }
    drop_implied_users(&mut object);
    object.shrink_to_fit();
    let unknown = if kind == Kind::Group {
        Json::Null
    } else {
        pruned(&rest)
    };
    Ok(Decoded {
        id: json.get("id").and_then(Json::as_str).map(str::to_owned),
        object,
        unknown,
    })
}

/// A workload or agent policy says `includeUsers: ["None"]`, or leaves users out: the same thing.
fn drop_implied_users(object: &mut Object) {
    if object.kind != Kind::Policy {
        return;
    }
    let mut others = object.iter().filter(|(property, _)| {
        property.wire.starts_with("conditions.clientApplications.")
            || property.wire.starts_with("conditions.agents.")
    });
    if others.next().is_none() {
        return;
    }
    drop(others);
    let users: Vec<&str> = object
        .iter()
        .map(|(property, _)| property.wire)
        .filter(|wire| wire.starts_with("conditions.users."))
        .collect();
    let only_none = object
        .reference_set("conditions.users.includeUsers")
        .eq([&Reference::keyword("None")]);
    if users == ["conditions.users.includeUsers"] && only_none {
        object.set("conditions.users.includeUsers", None);
    }
}

fn consume(property: &Property, rest: &mut Json) {
    let inner: &[&str] = match property.shape {
        Shape::Grant => &[
            "operator",
            "builtInControls",
            "customAuthenticationFactors",
            "termsOfUse",
            "authenticationStrength",
        ],
        Shape::SignInFrequency => &[
            "isEnabled",
            "value",
            "type",
            "authenticationType",
            "frequencyInterval",
        ],
        Shape::Guests => &["guestOrExternalUserTypes", "externalTenants"],
        Shape::Filter => &["mode", "rule"],
        Shape::Toggle => &["isEnabled"],
        Shape::Mode { member, .. } | Shape::TextMode { member } => &["isEnabled", member],
        _ => {
            take(rest, property.wire);
            return;
        }
    };
    for member in inner {
        take(rest, &format!("{}.{member}", property.wire));
    }
}

fn read(property: &Property, json: &Json) -> Read {
    let path = property.wire;
    match property.shape {
        Shape::Text { .. } => Ok(Some(string(path, json)?)
            .filter(|text| !text.is_empty())
            .map(Value::Text)),
        Shape::Boolean => boolean(path, json).map(|set| set.then_some(Value::Boolean(true))),
        Shape::Flag(_) => boolean(path, json).map(|set| set.then_some(Value::Boolean(true))),
        Shape::Toggle => enabled(path, json).map(|set| set.then_some(Value::Boolean(true))),
        Shape::Symbol(symbols) => Ok(Some(Value::Symbol(canonical(symbols, &string(path, json)?)))),
        Shape::SymbolSet(symbols) => symbol_set(path, json, symbols),
        Shape::Flags(symbols) => Ok(non_empty(flags(path, json, symbols)?).map(Value::Symbols)),
        Shape::Mode {
            member,
            symbols,
            toggled,
        } => {
            if toggled && !enabled(path, json)? {
                return Ok(None);
            }
            match at(json, member) {
                Some(mode) => Ok(Some(Value::Symbol(canonical(symbols, &string(path, mode)?)))),
                None => Ok(None),
            }
        }
        Shape::TextMode { member } => match (enabled(path, json)?, at(json, member)) {
            (true, Some(text)) => Ok(Some(Value::Text(string(path, text)?))),
            _ => Ok(None),
        },
        Shape::Texts(TextKind::IpRanges) => ip_ranges(path, json),
        Shape::Texts(_) => Ok(non_empty(strings(path, json)?.into_iter().collect()).map(Value::Texts)),
        Shape::References(accepts) => references(path, json, accepts),
        Shape::Guests => guests(path, json),
        Shape::Filter => filter(path, json),
        Shape::Grant => grant(path, json),
        Shape::SignInFrequency => sign_in_frequency(path, json),
        Shape::Combinations => {
            let combinations = strings(path, json)?
                .iter()
                .map(|text| combination(text))
                .collect();
            Ok(non_empty(combinations).map(Value::Symbols))
        }
        Shape::CombinationConfigurations => combination_configurations(path, json),
    }
}

fn non_empty<T>(set: Set<T>) -> Option<Set<T>> {
    (!set.is_empty()).then_some(set)
}

fn string(path: &str, json: &Json) -> Result<String, WireError> {
    json.as_str()
        .map(str::to_owned)
        .ok_or_else(|| WireError::new(path, format!("is {}, not a text", type_name(json))))
}

fn boolean(path: &str, json: &Json) -> Result<bool, WireError> {
    json.as_bool()
        .ok_or_else(|| WireError::new(path, format!("is {}, not true or false", type_name(json))))
}

fn enabled(path: &str, json: &Json) -> Result<bool, WireError> {
    if !json.is_object() {
        return Err(WireError::new(
            path,
            format!("is {}, not an object", type_name(json)),
        ));
    }
    at(json, "isEnabled").map_or(Ok(false), |found| boolean(path, found))
}

fn strings(path: &str, json: &Json) -> Result<Vec<String>, WireError> {
    match json {
        Json::Array(values) => values.iter().map(|value| string(path, value)).collect(),
        // PowerShell unrolls an array of one.
        Json::String(text) => Ok(vec![text.clone()]),
        other => Err(WireError::new(
            path,
            format!("is {}, not a list of texts", type_name(other)),
        )),
    }
}

fn type_name(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "true or false",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

fn canonical(symbols: &Symbols, wire: &str) -> String {
    symbols
        .by_wire(wire.trim())
        .map_or_else(|| wire.trim().to_owned(), |row| row.wire.to_owned())
}

fn symbol_set(path: &str, json: &Json, symbols: &Symbols) -> Read {
    let set = strings(path, json)?
        .iter()
        .map(|wire| canonical(symbols, wire))
        .collect();
    Ok(non_empty(set).map(Value::Symbols))
}

/// Flags come as one string joined by commas; hand-written files have arrays, audit logs numbers.
fn flags(path: &str, json: &Json, symbols: &Symbols) -> Result<Set<String>, WireError> {
    let mut found: Vec<String> = match json {
        Json::Number(number) => {
            let bits = number
                .as_u64()
                .ok_or_else(|| WireError::new(path, "is not a number of flags"))?;
            let named: Vec<_> = symbols.rows.iter().filter(|row| row.wire != "none").collect();
            if bits >> named.len() != 0 {
                return Err(WireError::new(
                    path,
                    format!("has flags that are not known: {bits}"),
                ));
            }
            named
                .iter()
                .enumerate()
                .filter(|(at, _)| bits >> at & 1 == 1)
                .map(|(_, row)| row.wire.to_owned())
                .collect()
        }
        _ => strings(path, json)?
            .iter()
            .flat_map(|text| text.split(','))
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(|wire| canonical(symbols, wire))
            .collect(),
    };
    found.retain(|wire| wire != "none");
    found.sort_by_key(|wire| symbols.position(wire));
    Ok(found.into_iter().collect())
}

fn references(path: &str, json: &Json, accepts: Accepts) -> Read {
    let set = strings(path, json)?
        .iter()
        .map(|text| reference(text.trim(), accepts))
        .collect();
    Ok(non_empty(set).map(Value::References))
}

fn reference(text: &str, accepts: Accepts) -> Reference {
    match accepts.keywords.by_wire(text) {
        Some(row) if accepts.target == Target::Action => Reference::id(Target::Action, row.wire),
        Some(row) => Reference::keyword(row.wire),
        None => Reference::id(accepts.target, text),
    }
}

fn guests(path: &str, json: &Json) -> Read {
    let Some(kinds) = at(json, "guestOrExternalUserTypes") else {
        return Ok(None);
    };
    let kinds = flags(path, kinds, properties::guest_kinds())?;
    if kinds.is_empty() {
        return Ok(None);
    }
    let tenants = match at(json, "externalTenants") {
        None => ExternalTenants::All,
        Some(tenants) => {
            let kind = at(tenants, "membershipKind").and_then(Json::as_str);
            let members = at(tenants, "members")
                .map(|members| strings(path, members))
                .transpose()?;
            match (kind.map(str::to_ascii_lowercase).as_deref(), members) {
                (Some("enumerated"), members) => {
                    ExternalTenants::Enumerated(lower(members.unwrap_or_default()))
                }
                (None, Some(members)) if !members.is_empty() => ExternalTenants::Enumerated(lower(members)),
                (None | Some("all"), _) => ExternalTenants::All,
                (Some(other), _) => {
                    return Err(WireError::new(
                        path,
                        format!("has a membership kind that is not known: `{other}`"),
                    ));
                }
            }
        }
    };
    Ok(Some(Value::Guests(Box::new(Guests { kinds, tenants }))))
}

fn lower(texts: Vec<String>) -> Set<String> {
    texts.into_iter().map(|text| text.to_ascii_lowercase()).collect()
}

fn filter(path: &str, json: &Json) -> Read {
    let Some(rule) = at(json, "rule") else {
        return Ok(None);
    };
    let mode = match at(json, "mode")
        .and_then(Json::as_str)
        .map(str::to_ascii_lowercase)
        .as_deref()
    {
        Some("include") => FilterMode::Include,
        Some("exclude") => FilterMode::Exclude,
        _ => {
            return Err(WireError::new(
                path,
                "has a rule but neither the mode `include` nor `exclude`",
            ));
        }
    };
    Ok(Some(Value::Filter(Filter {
        mode,
        rule: string(path, rule)?,
    })))
}

fn grant(path: &str, json: &Json) -> Read {
    let list = |member: &str| at(json, member).map_or(Ok(Vec::new()), |found| strings(path, found));
    let mut controls = IndexSet::new();
    for wire in list("builtInControls")? {
        controls.insert(Control::BuiltIn(canonical(properties::grant_controls(), &wire)));
    }
    if let Some(strength) = at(json, "authenticationStrength")
        && let Some(id) = at(strength, "id")
    {
        controls.insert(Control::Strength(Reference::id(
            Target::Strength,
            &string(path, id)?,
        )));
    }
    for id in list("termsOfUse")? {
        controls.insert(Control::Terms(Reference::id(Target::Terms, &id)));
    }
    for id in list("customAuthenticationFactors")? {
        controls.insert(Control::Custom(id));
    }
    if controls.is_empty() {
        return Ok(None);
    }
    let operator = match at(json, "operator")
        .and_then(Json::as_str)
        .map(str::to_ascii_uppercase)
        .as_deref()
    {
        Some("AND") => Operator::All,
        Some("OR") => Operator::Any,
        None if controls.len() == 1 => Operator::Any,
        _ => {
            return Err(WireError::new(
                path,
                "has several controls but no operator `AND` or `OR`",
            ));
        }
    };
    Ok(Some(Value::Grant(Grant {
        operator,
        controls: controls.into(),
    })))
}

fn sign_in_frequency(path: &str, json: &Json) -> Read {
    if !enabled(path, json)? {
        return Ok(None);
    }
    let word = |member: &str| {
        at(json, member)
            .and_then(Json::as_str)
            .map(str::to_ascii_lowercase)
    };
    let interval = match (
        word("frequencyInterval").as_deref(),
        at(json, "value"),
        word("type").as_deref(),
    ) {
        (Some("everytime"), _, _) => Interval::EveryTime,
        (_, Some(value), Some(unit)) => {
            let value = value
                .as_i64()
                .ok_or_else(|| WireError::new(path, "has a value that is not a whole number"))?;
            match unit {
                "hours" => Interval::Hours(value),
                "days" => Interval::Days(value),
                other => {
                    return Err(WireError::new(
                        path,
                        format!("has a unit that is not known: `{other}`"),
                    ));
                }
            }
        }
        _ => {
            return Err(WireError::new(
                path,
                "is enabled but says neither `everyTime` nor a value with its unit",
            ));
        }
    };
    let secondary_only = word("authenticationType").as_deref() == Some("secondaryauthentication");
    Ok(Some(Value::SignInFrequency(SignInFrequency {
        interval,
        secondary_only,
    })))
}

fn ip_ranges(path: &str, json: &Json) -> Read {
    let Json::Array(values) = json else {
        return Err(WireError::new(
            path,
            format!("is {}, not a list of ranges", type_name(json)),
        ));
    };
    let mut ranges = IndexSet::new();
    for value in values {
        let text = |member: &str| at(value, member).and_then(Json::as_str);
        ranges.insert(
            match (
                value.as_str(),
                text("cidrAddress"),
                text("lowerAddress"),
                text("upperAddress"),
            ) {
                (Some(range), ..) | (None, Some(range), ..) => range.to_owned(),
                (None, None, Some(lower), Some(upper)) => format!("{lower}-{upper}"),
                _ => return Err(WireError::new(path, "holds a range without `cidrAddress`")),
            },
        );
    }
    Ok(non_empty(ranges.into()).map(Value::Texts))
}

/// One combination: its methods in the service's spelling, joined by commas, never split apart.
fn combination(text: &str) -> String {
    text.split(',')
        .map(|method| canonical(properties::authentication_methods(), method))
        .collect::<Vec<_>>()
        .join(",")
}

fn combination_configurations(path: &str, json: &Json) -> Read {
    let Json::Array(values) = json else {
        return Err(WireError::new(
            path,
            format!("is {}, not a list", type_name(json)),
        ));
    };
    let mut configurations = Vec::new();
    for value in values {
        let list = |member: &str| at(value, member).map_or(Ok(Vec::new()), |found| strings(path, found));
        let applies_to = list("appliesToCombinations")?
            .iter()
            .map(|text| combination(text))
            .collect();
        let fido2 = value.get("@odata.type").and_then(Json::as_str).map_or_else(
            || at(value, "allowedAAGUIDs").is_some(),
            |name| name.ends_with("fido2CombinationConfiguration"),
        );
        let allowed = if fido2 {
            Allowed::Fido2 {
                aaguids: lower(list("allowedAAGUIDs")?),
            }
        } else {
            Allowed::X509 {
                issuer_skis: list("allowedIssuerSkis")?.into_iter().collect(),
                policy_oids: list("allowedPolicyOIDs")?.into_iter().collect(),
            }
        };
        configurations.push(CombinationConfiguration { applies_to, allowed });
    }
    Ok((!configurations.is_empty()).then_some(Value::CombinationConfigurations(configurations)))
}
