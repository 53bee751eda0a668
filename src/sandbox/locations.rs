//! `/identity/conditionalAccess/namedLocations`.

use ipnet::IpNet;
use serde_json::Value;
use serde_json::json;

use super::audit;
use super::call::Answer;
use super::call::Call;
use super::call::Outcome;
use super::call::Refusal;
use super::call::Version;
use super::odata;
use super::policies;
use super::policies::put;
use super::schema;
use super::schema::Misfit;
use super::schema::odata_type;
use super::tenant::Kind;
use super::tenant::Tenant;
use super::tenant::stamp;
use super::tenant::strings;
use super::tenant::text;

const TYPE: &str = "namedLocation";
const READ_ONLY: [&str; 4] = ["id", "createdDateTime", "modifiedDateTime", "deletedDateTime"];
const REFERENCES: [&str; 2] = [
    "/conditions/locations/includeLocations",
    "/conditions/locations/excludeLocations",
];

pub(super) fn list(tenant: &Tenant, call: &Call) -> Outcome {
    let listed = tenant
        .objects(Kind::NamedLocations)
        .filter(|location| visible(call, location));
    odata::list(
        tenant,
        call,
        listed,
        |location| show(call, location),
        "identity/conditionalAccess/namedLocations",
    )
}

pub(super) fn get(tenant: &Tenant, call: &Call, id: &str) -> Outcome {
    let location = find(tenant, call, id)?;
    Ok(odata::entity(
        call,
        show(call, location),
        "identity/conditionalAccess/namedLocations/$entity",
    ))
}

pub(super) fn create(tenant: &mut Tenant, call: &Call) -> Outcome {
    let sent = accepted(call, None)?;
    let mut location = schema::merge(TYPE, &Value::Null, &sent);
    let kind = odata_type(&location).unwrap_or_default().to_owned();
    if kind == "compliantNetworkNamedLocation" {
        return Err(Refusal::bad(
            "Compliant network locations are created by the service.",
        ));
    }
    if kind == "countryNamedLocation" {
        default(&mut location, "countryLookupMethod", json!("clientIpAddress"));
        default(&mut location, "includeUnknownCountriesAndRegions", json!(false));
    } else {
        default(&mut location, "isTrusted", json!(false));
    }
    check(tenant, &location)?;
    let held = tenant
        .objects(Kind::NamedLocations)
        .filter(|other| odata_type(other) == Some("ipNamedLocation"))
        .count();
    if kind == "ipNamedLocation" && held >= tenant.settings.ip_location_quota {
        return Err(Refusal::bad(format!(
            "The number of IP named locations has reached the limit of {}.",
            tenant.settings.ip_location_quota
        )));
    }
    let id = tenant.next_id();
    put(&mut location, "/id", json!(id));
    put(&mut location, "/createdDateTime", json!(stamp(call.now)));
    put(&mut location, "/modifiedDateTime", json!(stamp(call.now)));
    tenant.insert(Kind::NamedLocations, location.clone());
    audit::location(tenant, call, "Add", None, Some(&location));
    Ok(odata::created(
        call,
        show(call, &location),
        "identity/conditionalAccess/namedLocations/$entity",
    ))
}

pub(super) fn update(tenant: &mut Tenant, call: &Call, id: &str) -> Outcome {
    let before = find(tenant, call, id)?.clone();
    let sent = accepted(call, Some(&before))?;
    let mut location = schema::merge(TYPE, &before, &sent);
    check(tenant, &location)?;
    put(&mut location, "/modifiedDateTime", json!(stamp(call.now)));
    tenant.insert(Kind::NamedLocations, location.clone());
    audit::location(tenant, call, "Update", Some(&before), Some(&location));
    Ok(Answer::no_content())
}

pub(super) fn delete(tenant: &mut Tenant, call: &Call, id: &str) -> Outcome {
    let location = find(tenant, call, id)?.clone();
    if odata_type(&location) == Some("compliantNetworkNamedLocation") {
        return Err(Refusal::bad("Compliant network locations cannot be deleted."));
    }
    // The texts of both refusals are not known; the portal refuses for the same two reasons.
    if location.get("isTrusted") == Some(&Value::Bool(true)) {
        return Err(Refusal::bad(
            "Trusted named locations cannot be deleted. Mark the location as not trusted first.",
        ));
    }
    if policies::naming(tenant, &REFERENCES, id).next().is_some() {
        return Err(Refusal::bad(
            "Named locations configured in a Conditional Access policy cannot be deleted.",
        ));
    }
    tenant.remove(Kind::NamedLocations, id);
    audit::location(tenant, call, "Delete", Some(&location), None);
    let mut deleted = location;
    put(&mut deleted, "/deletedDateTime", json!(stamp(call.now)));
    tenant.insert(Kind::DeletedNamedLocations, deleted);
    Ok(Answer::no_content())
}

/// Returns a location as the version of the call shows it.
pub(super) fn show(call: &Call, location: &Value) -> Value {
    schema::show(TYPE, location, call.version, call.sees_future_members())
}

pub(super) fn visible(call: &Call, location: &Value) -> bool {
    call.version == Version::Beta || odata_type(location) != Some("compliantNetworkNamedLocation")
}

fn find<'a>(tenant: &'a Tenant, call: &Call, id: &str) -> Result<&'a Value, Refusal> {
    tenant
        .object(Kind::NamedLocations, id)
        .filter(|location| visible(call, location))
        .ok_or_else(|| Refusal::unknown("NamedLocation", id))
}

fn default(location: &mut Value, name: &str, value: Value) {
    if location.get(name).is_none_or(Value::is_null) {
        put(location, &format!("/{name}"), value);
    }
}

fn accepted(call: &Call, before: Option<&Value>) -> Result<Value, Refusal> {
    let mut body = call.object()?.clone();
    if let (Some(before), Some(object)) = (before, body.as_object_mut()) {
        let kind = before.get("@odata.type").cloned().unwrap_or_default();
        let stated = object.entry("@odata.type").or_insert_with(|| kind.clone());
        if odata_type(&json!({"@odata.type": stated})) != odata_type(&json!({"@odata.type": kind})) {
            return Err(shape());
        }
    }
    if odata_type(&body).is_none() {
        return Err(Refusal::numbered(
            1041,
            "Incoming NamedLocation object does not state its type in @odata.type.",
        ));
    }
    let mut sent = schema::accept(TYPE, &body, call.version).map_err(|misfit| match misfit {
        Misfit::ODataType(_) if odata_type(&body).is_none_or(str::is_empty) => Refusal::numbered(
            1041,
            "Incoming NamedLocation object does not state its type in @odata.type.",
        ),
        Misfit::ODataType(name) => Refusal::bad(format!("Invalid OData type specified: \"{name}\"")),
        Misfit::Shape(_) => shape(),
    })?;
    if let Some(object) = sent.as_object_mut() {
        object.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
    }
    Ok(sent)
}

fn shape() -> Refusal {
    Refusal::numbered(
        1007,
        "Incoming NamedLocation object is null or does not match the schema of NamedLocation type. For examples, please see API documentation at https://docs.microsoft.com/en-us/graph/api/conditionalaccessroot-post-namedlocations?view=graph-rest-1.0.",
    )
}

fn check(tenant: &Tenant, location: &Value) -> Result<(), Refusal> {
    if text(location, "displayName").is_empty() {
        return Err(shape());
    }
    match odata_type(location) {
        Some("countryNamedLocation") => {
            let codes = strings(location, "/countriesAndRegions");
            let unknown = location.get("includeUnknownCountriesAndRegions") == Some(&Value::Bool(true));
            if codes.is_empty() && !unknown {
                return Err(shape());
            }
            let is_code = |code: &str| code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_alphabetic());
            match codes.into_iter().find(|code| !is_code(code)) {
                Some(code) => Err(Refusal::bad(format!(
                    "'{code}' is not an ISO 3166-1 alpha-2 country code."
                ))),
                None => Ok(()),
            }
        }
        Some("ipNamedLocation") => ranges(tenant, location),
        _ => Ok(()),
    }
}

fn ranges(tenant: &Tenant, location: &Value) -> Result<(), Refusal> {
    let ranges = location
        .get("ipRanges")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    if ranges.is_empty() {
        return Err(shape());
    }
    if ranges.len() > tenant.settings.ip_range_quota {
        return Err(Refusal::bad(format!(
            "The number of IP ranges exceeds the limit of {}.",
            tenant.settings.ip_range_quota
        )));
    }
    for range in ranges {
        let kind = odata_type(range).unwrap_or_default();
        let holds = if kind.ends_with("CidrRange") {
            let network = text(range, "cidrAddress").parse::<IpNet>();
            matches!(
                (kind, network),
                ("iPv4CidrRange", Ok(IpNet::V4(_))) | ("iPv6CidrRange", Ok(IpNet::V6(_)))
            )
        } else {
            let bounds = (
                text(range, "lowerAddress").parse(),
                text(range, "upperAddress").parse(),
            );
            matches!(bounds, (Ok::<std::net::IpAddr, _>(lower), Ok::<std::net::IpAddr, _>(upper)) if lower <= upper)
        };
        if !holds {
            return Err(Refusal::bad(format!(
                "Invalid IP range '{}'.",
                text(range, "cidrAddress")
            )));
        }
    }
    Ok(())
}
