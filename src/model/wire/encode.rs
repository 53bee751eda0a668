//! Canonical values into the bodies that Graph takes.

use serde_json::{Map, Value as Json, json};

use super::{WireError, put};
use crate::model::object::{Kind, Object};
use crate::model::properties::{Access, ApiVersion, Property, Shape, TextKind};
use crate::model::reference::Reference;
use crate::model::set::Set;
use crate::model::value::{
    Allowed, CombinationConfiguration, Control, ExternalTenants, FilterMode, Grant, Guests, Interval,
    Operator, SignInFrequency, Value,
};

/// A body to send, and the first version of Graph that understands it.
#[derive(Debug, Clone, PartialEq)]
pub struct Body {
    /// The version to send it to.
    pub version: ApiVersion,
    /// The JSON.
    pub json: Json,
}

/// Finds the id that a reference stands for.
pub type Ids<'a> = &'a mut dyn FnMut(&Reference) -> Option<String>;

/// Objects of the wire that are null as a whole when nothing in them is set (`FACTS` 2, V2).
const CONTAINERS: &[&str] = &[
    "conditions.platforms",
    "conditions.locations",
    "conditions.devices",
    "conditions.deviceStates",
    "conditions.clientApplications",
    "conditions.agents",
    "conditions.agentContext",
    "conditions.authenticationFlows",
    "sessionControls",
];

/// The wire path of a group's members, which are written one by one and not in its body.
pub fn members_path() -> &'static str {
    "members"
}

/// The body that creates the object.
///
/// Errors when a reference has no id.
pub fn encode(object: &Object, ids: Ids<'_>) -> Result<Body, WireError> {
    let mut json = Json::Object(Map::new());
    for property in writable(object.kind) {
        match (object.get(property.wire), default_of(property)) {
            (Some(value), _) => put(&mut json, property.wire, write(property, value, ids)?),
            (None, Some(default)) => put(&mut json, property.wire, default),
            (None, None) => {}
        }
    }
    add_fixed_members(object, &mut json);
    merge_raw(object, &mut json);
    Ok(Body {
        version: object.version(),
        json,
    })
}

/// The body that changes these properties of an existing object into what `object` says.
///
/// PATCH merges at every level and replaces arrays whole (`FACTS` 5.2), so what is turned off is
/// said: `[]` for a list, null for the rest. Named locations are always written whole.
pub fn encode_changes(object: &Object, changed: &[&Property], ids: Ids<'_>) -> Result<Body, WireError> {
    let mut json = Json::Object(Map::new());
    let mut version = ApiVersion::V1;
    let whole = matches!(object.kind, Kind::IpLocation | Kind::CountryLocation);
    for property in writable(object.kind).filter(|property| property.access != Access::CreateOnly) {
        let container = CONTAINERS
            .iter()
            .copied()
            .find(|container| within(container, property.wire));
        let is_changed = |other: &Property| changed.iter().any(|changed| changed.wire == other.wire);
        let container_changed = container
            .filter(|container| *container != "sessionControls")
            .is_some_and(|container| {
                writable(object.kind).any(|other| within(container, other.wire) && is_changed(other))
            });
        let value = object.get(property.wire);
        if !(whole || is_changed(property) || (container_changed && value.is_some())) {
            continue;
        }
        version = version
            .max(property.version)
            .max(value.map_or(ApiVersion::V1, |value| property.version_of(value)));
        match (value, container) {
            (Some(value), _) => put(&mut json, property.wire, write(property, value, ids)?),
            (None, Some(container)) if is_off(object, container) => put(&mut json, container, Json::Null),
            (None, _) => put(&mut json, property.wire, off(property)),
        }
    }
    if object.kind == Kind::Policy && json.pointer("/conditions").is_some() {
        if is_workload_or_agent(object) {
            add_implied_users(object, &mut json);
        }
        take_back_implied_users(object, changed, &mut json);
    }
    if whole {
        add_type(object, &mut json);
    }
    merge_raw(object, &mut json);
    Ok(Body { version, json })
}

fn writable(kind: Kind) -> impl Iterator<Item = &'static Property> {
    kind.properties().iter().filter(move |property| {
        property.access != Access::ReadOnly && !(kind == Kind::Group && property.wire == members_path())
    })
}

fn within(container: &str, wire: &str) -> bool {
    wire.strip_prefix(container)
        .is_some_and(|rest| rest.starts_with('.'))
}

fn is_off(object: &Object, container: &str) -> bool {
    !object
        .iter()
        .any(|(property, _)| within(container, property.wire))
}

fn default_of(property: &Property) -> Option<Json> {
    match (property.default, property.shape) {
        (Some(default), Shape::SymbolSet(_)) => Some(json!([default])),
        (Some(default), _) => Some(json!(default)),
        (None, Shape::Boolean) => Some(json!(false)),
        (None, _) => None,
    }
}

fn off(property: &Property) -> Json {
    default_of(property).unwrap_or_else(|| match property.shape {
        Shape::SymbolSet(_) | Shape::References(_) | Shape::Texts(_) | Shape::Combinations => json!([]),
        _ => Json::Null,
    })
}

fn is_workload_or_agent(object: &Object) -> bool {
    object.iter().any(|(property, _)| {
        within("conditions.clientApplications", property.wire) || within("conditions.agents", property.wire)
    })
}

fn add_implied_users(object: &Object, json: &mut Json) {
    if is_off(object, "conditions.users") {
        put(json, "conditions.users.includeUsers", json!(["None"]));
    }
}

/// A `None` that was only implied is never in the object, so it must be taken back unasked once users are named
/// or nothing implies it any more.
fn take_back_implied_users(object: &Object, changed: &[&Property], json: &mut Json) {
    let users = "conditions.users.includeUsers";
    let implied = is_workload_or_agent(object) && is_off(object, "conditions.users");
    let concerned = changed.iter().any(|property| {
        [
            "conditions.users",
            "conditions.clientApplications",
            "conditions.agents",
        ]
        .iter()
        .any(|container| within(container, property.wire))
    });
    if concerned && !implied && object.get(users).is_none() {
        put(json, users, json!([]));
    }
}

fn add_type(object: &Object, json: &mut Json) {
    put_member(
        json,
        "@odata.type",
        json!(format!("#microsoft.graph.{}", object.kind.graph_type())),
    );
}

fn put_member(json: &mut Json, member: &str, value: Json) {
    if let Some(map) = json.as_object_mut() {
        map.insert(member.into(), value);
    }
}

fn add_fixed_members(object: &Object, json: &mut Json) {
    match object.kind {
        Kind::Policy if is_workload_or_agent(object) => add_implied_users(object, json),
        Kind::IpLocation | Kind::CountryLocation => add_type(object, json),
        Kind::Group => {
            put_member(json, "mailEnabled", json!(false));
            put_member(json, "securityEnabled", json!(true));
            if object.get("mailNickname").is_none() {
                put_member(json, "mailNickname", json!(mail_nickname(object.name())));
            }
        }
        _ => {}
    }
}

/// A mail alias made from a name: letters, digits, `-` and `_`, at most 64 (`FACTS` 7).
fn mail_nickname(name: &str) -> String {
    let made: String = name
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .take(64)
        .collect();
    if made.is_empty() { "capol".into() } else { made }
}

fn merge_raw(object: &Object, json: &mut Json) {
    if let Some(raw) = &object.raw {
        merge(json, raw);
    }
}

fn merge(into: &mut Json, from: &Json) {
    match (into, from) {
        (Json::Object(into), Json::Object(from)) => {
            for (member, value) in from {
                merge(into.entry(member).or_insert(Json::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

fn write(property: &Property, value: &Value, ids: Ids<'_>) -> Result<Json, WireError> {
    let mismatch = || WireError::new(property.wire, "holds a value of another shape");
    Ok(match (property.shape, value) {
        (Shape::Text { .. }, Value::Text(text)) | (Shape::Symbol(_), Value::Symbol(text)) => json!(text),
        (Shape::Boolean | Shape::Flag(_), Value::Boolean(set)) => json!(set),
        (Shape::Toggle, Value::Boolean(set)) => json!({ "isEnabled": set }),
        (Shape::SymbolSet(_) | Shape::Combinations, Value::Symbols(wires)) => json!(wires),
        (Shape::Flags(symbols), Value::Symbols(wires)) => {
            let mut sorted: Vec<&str> = wires.iter().map(String::as_str).collect();
            sorted.sort_by_key(|wire| symbols.position(wire));
            json!(sorted.join(","))
        }
        (Shape::Mode { member, toggled, .. }, Value::Symbol(wire)) => with_member(member, wire, toggled),
        (Shape::TextMode { member }, Value::Text(text)) => with_member(member, text, true),
        (Shape::Texts(TextKind::IpRanges), Value::Texts(ranges)) => {
            Json::Array(ranges.iter().map(|range| ip_range(range)).collect())
        }
        (Shape::Texts(_), Value::Texts(texts)) => json!(texts),
        (Shape::References(_), Value::References(references)) => Json::Array(
            references
                .iter()
                .map(|reference| id_of(property.wire, reference, ids))
                .collect::<Result<_, _>>()?,
        ),
        (Shape::Guests, Value::Guests(guests)) => write_guests(guests),
        (Shape::Filter, Value::Filter(filter)) => json!({
            "mode": match filter.mode { FilterMode::Include => "include", FilterMode::Exclude => "exclude" },
            "rule": filter.rule,
        }),
        (Shape::Grant, Value::Grant(grant)) => write_grant(property.wire, grant, ids)?,
        (Shape::SignInFrequency, Value::SignInFrequency(frequency)) => write_frequency(frequency),
        (Shape::CombinationConfigurations, Value::CombinationConfigurations(configurations)) => {
            Json::Array(configurations.iter().map(combination_configuration).collect())
        }
        _ => return Err(mismatch()),
    })
}

fn with_member(member: &str, value: &str, toggled: bool) -> Json {
    let mut json = json!({ member: value });
    if toggled {
        put_member(&mut json, "isEnabled", json!(true));
    }
    json
}

fn id_of(path: &str, reference: &Reference, ids: Ids<'_>) -> Result<Json, WireError> {
    match reference {
        Reference::Keyword(wire) => Ok(json!(wire)),
        Reference::Id { id, .. } => Ok(json!(id)),
        other => ids(other)
            .map(|id| json!(id))
            .ok_or_else(|| WireError::new(path, "holds a reference whose id is not known")),
    }
}

fn ip_range(range: &str) -> Json {
    let family = if range.contains(':') { "iPv6" } else { "iPv4" };
    match range.split_once('-') {
        Some((lower, upper)) => json!({
            "@odata.type": format!("#microsoft.graph.{family}Range"),
            "lowerAddress": lower,
            "upperAddress": upper,
        }),
        None => json!({ "@odata.type": format!("#microsoft.graph.{family}CidrRange"), "cidrAddress": range }),
    }
}

fn write_guests(guests: &Guests) -> Json {
    let kinds = sorted(&guests.kinds, |wire| {
        crate::model::properties::guest_kinds().position(wire)
    });
    let tenants = match &guests.tenants {
        ExternalTenants::All => json!({
            "@odata.type": "#microsoft.graph.conditionalAccessAllExternalTenants",
            "membershipKind": "all",
        }),
        ExternalTenants::Enumerated(members) => json!({
            "@odata.type": "#microsoft.graph.conditionalAccessEnumeratedExternalTenants",
            "membershipKind": "enumerated",
            "members": members,
        }),
    };
    json!({ "guestOrExternalUserTypes": kinds.join(","), "externalTenants": tenants })
}

fn sorted(wires: &Set<String>, position: impl Fn(&str) -> usize) -> Vec<&str> {
    let mut sorted: Vec<&str> = wires.iter().map(String::as_str).collect();
    sorted.sort_by_key(|wire| position(wire));
    sorted
}

/// All five members, so that switching from one control to another leaves none of the old (`FACTS` 5.2).
fn write_grant(path: &str, grant: &Grant, ids: Ids<'_>) -> Result<Json, WireError> {
    let (mut built_in, mut terms, mut custom, mut strength) =
        (Vec::new(), Vec::new(), Vec::new(), Json::Null);
    for control in &grant.controls {
        match control {
            Control::BuiltIn(wire) => built_in.push(json!(wire)),
            Control::Terms(reference) => terms.push(id_of(path, reference, ids)?),
            Control::Custom(id) => custom.push(json!(id)),
            Control::Strength(reference) => strength = json!({ "id": id_of(path, reference, ids)? }),
        }
    }
    let operator = if grant.operator == Operator::All && grant.controls.len() > 1 {
        "AND"
    } else {
        "OR"
    };
    Ok(json!({
        "operator": operator,
        "builtInControls": built_in,
        "termsOfUse": terms,
        "customAuthenticationFactors": custom,
        "authenticationStrength": strength,
    }))
}

fn write_frequency(frequency: &SignInFrequency) -> Json {
    let authentication = if frequency.secondary_only {
        "secondaryAuthentication"
    } else {
        "primaryAndSecondaryAuthentication"
    };
    let (value, unit, interval) = match frequency.interval {
        Interval::EveryTime => (Json::Null, Json::Null, "everyTime"),
        Interval::Hours(hours) => (json!(hours), json!("hours"), "timeBased"),
        Interval::Days(days) => (json!(days), json!("days"), "timeBased"),
    };
    json!({
        "isEnabled": true,
        "value": value,
        "type": unit,
        "authenticationType": authentication,
        "frequencyInterval": interval,
    })
}

fn combination_configuration(configuration: &CombinationConfiguration) -> Json {
    let applies_to = &configuration.applies_to;
    match &configuration.allowed {
        Allowed::Fido2 { aaguids } => json!({
            "@odata.type": "#microsoft.graph.fido2CombinationConfiguration",
            "appliesToCombinations": applies_to,
            "allowedAAGUIDs": aaguids,
        }),
        Allowed::X509 {
            issuer_skis,
            policy_oids,
        } => json!({
            "@odata.type": "#microsoft.graph.x509CertificateCombinationConfiguration",
            "appliesToCombinations": applies_to,
            "allowedIssuerSkis": issuer_skis,
            "allowedPolicyOIDs": policy_oids,
        }),
    }
}
