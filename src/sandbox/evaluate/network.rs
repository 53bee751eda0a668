//! Where a sign-in comes from, as What-If looks at it.

use std::net::IpAddr;

use serde_json::Value;

use super::has;
use crate::sandbox::call::Refusal;
use crate::sandbox::tenant::Kind;
use crate::sandbox::tenant::Tenant;
use crate::sandbox::tenant::strings;
use crate::sandbox::tenant::text;

/// Refuses an address that is none.
pub(super) fn check(body: &Value) -> Result<(), Refusal> {
    let address = body
        .pointer("/signInConditions/ipAddress")
        .and_then(Value::as_str);
    match address.map(str::parse::<IpAddr>) {
        Some(Err(_)) => Err(Refusal::bad("Invalid value for property 'ipAddress'.")),
        _ => Ok(()),
    }
}

/// Returns why a policy is not about the place.
pub(super) fn keeps_away(tenant: &Tenant, conditions: &Value, sign_in: &Value) -> Option<&'static str> {
    let included = strings(conditions, "/locations/includeLocations");
    let excluded = strings(conditions, "/locations/excludeLocations");
    if included.is_empty() && excluded.is_empty() {
        return None;
    }
    let caught = |listed: &[&str]| {
        for one in listed {
            if one.eq_ignore_ascii_case("All") {
                return true;
            }
            let trusted_only = one.eq_ignore_ascii_case("AllTrusted");
            for location in tenant.objects(Kind::NamedLocations) {
                let meant = if trusted_only {
                    location.get("isTrusted") == Some(&Value::Bool(true))
                } else {
                    text(location, "id").eq_ignore_ascii_case(one)
                };
                if meant && is_in(location, sign_in) {
                    return true;
                }
            }
        }
        false
    };
    (!caught(&included) || caught(&excluded)).then_some("location")
}

fn is_in(location: &Value, sign_in: &Value) -> bool {
    if text(location, "@odata.type").ends_with("countryNamedLocation") {
        let countries = strings(location, "/countriesAndRegions");
        // A request tells no position of a telephone.
        let by_telephone = text(location, "countryLookupMethod").eq_ignore_ascii_case("authenticatorAppGps");
        let country = text(sign_in, "country");
        return if country.is_empty() || by_telephone {
            location.get("includeUnknownCountriesAndRegions") == Some(&Value::Bool(true))
        } else {
            has(&countries, country)
        };
    }
    let Ok(address) = text(sign_in, "ipAddress").parse::<IpAddr>() else {
        return false;
    };
    for range in location
        .get("ipRanges")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if is_in_range(text(range, "cidrAddress"), address) {
            return true;
        }
    }
    false
}

/// Whether the first bits of an address are those of a range.
fn is_in_range(range: &str, address: IpAddr) -> bool {
    let (start, length) = range.split_once('/').unwrap_or((range, "128"));
    let (Ok(start), Ok(length)) = (start.parse::<IpAddr>(), length.parse::<usize>()) else {
        return false;
    };
    let bits = |address: IpAddr| -> Vec<bool> {
        let bytes = match address.to_canonical() {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        bytes
            .into_iter()
            .flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1 == 1))
            .collect()
    };
    let (start, address) = (bits(start), bits(address));
    start.len() == address.len()
        && start
            .iter()
            .zip(&address)
            .take(length)
            .all(|(one, other)| one == other)
}
