//! `/auditLogs/signIns`: sign-ins that were loaded, with what became of each policy.
//!
//! What became of each policy is found as for What-If, policy by policy from the tenant's own rules, when the sign-in is
//! loaded: it stays what it was when policies change later, as in a real log.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::call::Answer;
use super::call::Call;
use super::call::Outcome;
use super::call::Refusal;
use super::call::Version;
use super::evaluate;
use super::odata;
use super::permissions;
use super::policies;
use super::tenant::Kind;
use super::tenant::Tenant;
use super::tenant::strings;
use super::tenant::text;

/// What v1.0 shows of a sign-in; beta shows everything.
const V1: [&str; 31] = [
    "id",
    "appDisplayName",
    "appId",
    "appliedConditionalAccessPolicies",
    "authenticationAppDeviceDetails",
    "clientAppUsed",
    "conditionalAccessStatus",
    "correlationId",
    "createdDateTime",
    "deviceDetail",
    "homeTenantId",
    "ipAddress",
    "isInteractive",
    "location",
    "resourceDisplayName",
    "resourceId",
    "resourceTenantId",
    "riskDetail",
    "riskEventTypes",
    "riskEventTypes_v2",
    "riskLevelAggregated",
    "riskLevelDuringSignIn",
    "riskState",
    "servicePrincipalId",
    "servicePrincipalName",
    "status",
    "userAgent",
    "userDisplayName",
    "userId",
    "userPrincipalName",
    "@odata.type",
];

/// What v1.0 shows of a policy of a sign-in.
const V1_POLICY: [&str; 5] = [
    "id",
    "displayName",
    "enforcedGrantControls",
    "enforcedSessionControls",
    "result",
];

/// Conditions of the sign-in that the log does not show, under this name in what is loaded.
const HIDDEN: &str = "$signInConditions";

/// What comes of the policies that apply, under this name in what is loaded: `success`, `failure` or `interruption`.
pub(super) const CAME: &str = "$came";

/// Grant controls as logs spell them, which is not as policies do.
const GRANTS: [(&str, &str); 7] = [
    ("block", "Block"),
    ("mfa", "Mfa"),
    ("compliantDevice", "RequireCompliantDevice"),
    ("domainJoinedDevice", "RequireDomainJoinedDevice"),
    ("approvedApplication", "RequireApprovedApp"),
    ("compliantApplication", "RequireCompliantApp"),
    ("passwordChange", "PasswordChange"),
];

/// Session controls as logs spell them.
const SESSIONS: [(&str, &str); 5] = [
    ("applicationEnforcedRestrictions", "AppEnforcedRestrictions"),
    ("cloudAppSecurity", "CloudAppSecurity"),
    ("signInFrequency", "SignInFrequency"),
    ("persistentBrowser", "PersistentBrowserSessionMode"),
    ("secureSignInSession", "SecureSignInSession"),
];

pub(super) fn list(tenant: &Tenant, call: &Call) -> Outcome {
    if call.version == Version::Beta {
        odata::offers(call, &["filter", "select", "top", "orderby"])?;
    }
    // Only interactive ones, unless a filter says which.
    let asks_for_kinds = call.version == Version::Beta
        && call
            .option("filter")
            .is_some_and(|filter| filter.contains("signInEventTypes"));
    let mut items: Vec<Value> = tenant
        .objects(Kind::SignIns)
        .filter(|item| asks_for_kinds || is_interactive(item))
        .map(|item| shown(tenant, call, item))
        .collect();
    items.sort_by(|one, other| text(other, "createdDateTime").cmp(text(one, "createdDateTime")));
    if call
        .option("orderby")
        .is_some_and(|order| !order.trim().ends_with("desc"))
    {
        items.reverse();
    }
    odata::page(tenant, call, items, "auditLogs/signIns")
}

pub(super) fn get(tenant: &Tenant, call: &Call, id: &str) -> Outcome {
    let item = tenant
        .object(Kind::SignIns, id)
        .ok_or_else(|| Refusal::unknown_resource(id))?;
    let item: Answer = odata::entity(call, shown(tenant, call, item), "auditLogs/signIns/$entity");
    Ok(item)
}

fn is_interactive(item: &Value) -> bool {
    let kinds = strings(item, "/signInEventTypes");
    kinds.is_empty() || kinds.contains(&"interactiveUser")
}

fn shown(tenant: &Tenant, call: &Call, item: &Value) -> Value {
    let mut item = item.clone();
    let is_v1 = call.version == Version::V1;
    let sees_policies = permissions::sees_policies(tenant, call);
    if let Some(members) = item.as_object_mut() {
        if is_v1 {
            members.retain(|name, _| V1.contains(&name.as_str()));
        }
        if !sees_policies {
            members.insert("appliedConditionalAccessPolicies".to_owned(), json!([]));
        }
    }
    let policies = item
        .get_mut("appliedConditionalAccessPolicies")
        .and_then(Value::as_array_mut);
    for policy in policies.into_iter().flatten().filter_map(Value::as_object_mut) {
        if is_v1 {
            policy.retain(|name, _| V1_POLICY.contains(&name.as_str()));
        }
        let is_future = policy
            .get("result")
            .and_then(Value::as_str)
            .is_some_and(|result| result.starts_with("reportOnly"));
        if is_future && !call.sees_future_members() {
            policy.insert("result".to_owned(), json!("unknownFutureValue"));
        }
    }
    item
}

/// Fills in a sign-in that is loaded: who and what by their ids, and what becomes of each policy, unless that is given.
pub(super) fn complete(tenant: &Tenant, id: &str, item: &Value) -> Option<Value> {
    let mut given = item.as_object()?.clone();
    let hidden = given.remove(HIDDEN).unwrap_or(Value::Null);
    let came = given.remove(CAME).unwrap_or(Value::Null);
    let is_application = text(item, "userId").is_empty() && !text(item, "servicePrincipalId").is_empty();
    let user = tenant
        .object(Kind::Users, text(item, "userId"))
        .unwrap_or(&Value::Null);
    let principal = tenant
        .object(Kind::ServicePrincipals, text(item, "servicePrincipalId"))
        .unwrap_or(&Value::Null);
    let application = |id: &str| {
        let mut all = tenant.objects(Kind::ServicePrincipals);
        let found = all.find(|one| text(one, "appId").eq_ignore_ascii_case(id));
        found.map_or(Value::Null, |one| json!(one.get("displayName")))
    };
    let of = |object: &Value, name: &str| object.get(name).cloned().unwrap_or(Value::Null);
    let is_guest = text(user, "userType").eq_ignore_ascii_case("Guest");
    let mut sign_in = json!({
        "id": id,
        "createdDateTime": "2026-01-01T00:00:00Z",
        "userDisplayName": of(user, "displayName"),
        "userPrincipalName": of(user, "userPrincipalName"),
        "userId": "",
        "userType": if is_guest { "guest" } else { "member" },
        "crossTenantAccessType": if is_guest { "b2bCollaboration" } else { "none" },
        "resourceTenantId": tenant.id,
        "appId": null,
        "appDisplayName": application(text(item, "appId")),
        "resourceId": null,
        "resourceDisplayName": application(text(item, "resourceId")),
        "servicePrincipalId": "",
        "servicePrincipalName": of(principal, "displayName"),
        "clientAppUsed": null,
        "ipAddress": null,
        "correlationId": id,
        "isInteractive": !is_application,
        "signInEventTypes": [if is_application { "servicePrincipal" } else { "interactiveUser" }],
        "riskDetail": "none",
        "riskLevelAggregated": "none",
        "riskLevelDuringSignIn": "none",
        "riskState": "none",
        "riskEventTypes_v2": [],
        "originalTransferMethod": "none",
        "conditionalAccessAudiences": [],
        "networkLocationDetails": [],
        "status": { "errorCode": 0, "failureReason": "Other.", "additionalDetails": null },
        "deviceDetail": {
            "deviceId": "", "displayName": "", "operatingSystem": "", "browser": "",
            "isCompliant": null, "isManaged": null, "trustType": null,
        },
        "location": { "city": "", "state": "", "countryOrRegion": "" },
    });
    let members = sign_in.as_object_mut()?;
    let is_told = given.contains_key("appliedConditionalAccessPolicies");
    members.extend(given);
    if !is_told {
        let body = asked(&sign_in, &hidden, is_application);
        let policies: Vec<Value> = tenant
            .objects(Kind::Policies)
            .map(|policy| became(tenant, policy, &body, &sign_in, came.as_str()))
            .collect();
        let any = |result: &str| policies.iter().any(|policy| text(policy, "result") == result);
        let status = match (any("failure"), any("success")) {
            (true, _) => "failure",
            (false, true) => "success",
            (false, false) => "notApplied",
        };
        if any("failure") && !came.is_null() {
            // Refused, or stopped for a prompt.
            let code = if came == "interruption" { 50074 } else { 53003 };
            policies::put(&mut sign_in, "/status/errorCode", json!(code));
        }
        let members = sign_in.as_object_mut()?;
        members.insert("conditionalAccessStatus".to_owned(), json!(status));
        members.insert("appliedConditionalAccessPolicies".to_owned(), json!(policies));
    }
    Some(sign_in)
}

/// The sign-in as What-If takes it.
fn asked(sign_in: &Value, hidden: &Value, is_application: bool) -> Value {
    let detail = sign_in.get("deviceDetail").unwrap_or(&Value::Null);
    let system = text(detail, "operatingSystem").to_lowercase();
    let platforms = [
        ("windows phone", "windowsPhone"),
        ("windows", "windows"),
        ("mac", "macOS"),
        ("ios", "iOS"),
        ("android", "android"),
        ("linux", "linux"),
    ];
    let platform = platforms.iter().find(|(start, _)| system.starts_with(start));
    let client = match text(sign_in, "clientAppUsed") {
        "" => "",
        "Browser" => "browser",
        "Mobile Apps and Desktop clients" => "mobileAppsAndDesktopClients",
        "Exchange ActiveSync" => "exchangeActiveSync",
        _ => "other",
    };
    let mut conditions = Map::new();
    let mut put = |name: &str, value: &str| {
        if !value.is_empty() {
            conditions.insert(name.to_owned(), json!(value));
        }
    };
    put("devicePlatform", platform.map_or("", |(_, platform)| platform));
    put("clientAppType", client);
    put("ipAddress", text(sign_in, "ipAddress"));
    let location = sign_in.get("location").unwrap_or(&Value::Null);
    put("country", text(location, "countryOrRegion"));
    put("signInRiskLevel", text(sign_in, "riskLevelDuringSignIn"));
    let flow = text(sign_in, "originalTransferMethod");
    if !flow.is_empty() {
        conditions.insert("authenticationFlow".to_owned(), json!({ "transferMethod": flow }));
    }
    if !text(detail, "deviceId").is_empty() {
        let trust = match text(detail, "trustType") {
            "Azure AD joined" => "AzureAD",
            "Hybrid Azure AD joined" => "ServerAD",
            "Azure AD registered" => "Workplace",
            other => other,
        };
        let mut device = json!({ "deviceId": text(detail, "deviceId"), "trustType": trust });
        if let (Some(members), Some(compliant)) = (
            device.as_object_mut(),
            detail
                .get("isCompliant")
                .filter(|compliant| compliant.is_boolean()),
        ) {
            members.insert("isCompliant".to_owned(), compliant.clone());
        }
        conditions.insert("deviceInfo".to_owned(), device);
    }
    if let Some(hidden) = hidden.as_object() {
        conditions.extend(hidden.clone());
    }
    let mut audiences: Vec<&str> = sign_in
        .get("conditionalAccessAudiences")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|audience| {
            audience
                .as_str()
                .unwrap_or_else(|| text(audience, "applicationId"))
        })
        .collect();
    if audiences.is_empty() {
        audiences.push(text(sign_in, "resourceId"));
    }
    let identity = if is_application {
        json!({
            "@odata.type": "#microsoft.graph.servicePrincipalSignIn",
            "servicePrincipalId": text(sign_in, "servicePrincipalId"),
        })
    } else {
        json!({ "@odata.type": "#microsoft.graph.userSignIn", "userId": text(sign_in, "userId") })
    };
    json!({
        "signInIdentity": identity,
        "signInContext": {
            "@odata.type": "#microsoft.graph.applicationContext",
            "includeApplications": audiences,
        },
        "signInConditions": conditions,
    })
}

/// What became of one policy, as the log has it.
fn became(tenant: &Tenant, policy: &Value, body: &Value, sign_in: &Value, came: Option<&str>) -> Value {
    let state = text(policy, "state");
    let reason = evaluate::keeps_away(tenant, policy, body);
    let controls = strings(policy, "/grantControls/builtInControls");
    let strength = policy
        .pointer("/grantControls/authenticationStrength")
        .is_some_and(Value::is_object);
    let failed = sign_in.pointer("/status/errorCode") != Some(&json!(0));
    let blocks = controls.contains(&"block");
    let result = match (state, reason) {
        ("disabled", _) => "notEnabled",
        ("enabled", None) if !blocks && came.is_some() => match came {
            Some("success") => "success",
            _ => "failure",
        },
        (_, None) if !blocks && state != "enabled" && came.is_some() => match came {
            Some("failure") => "reportOnlyFailure",
            Some("interruption") => "reportOnlyInterrupted",
            _ => "reportOnlySuccess",
        },
        ("enabled", None) if controls.contains(&"block") || failed => "failure",
        ("enabled", None) => "success",
        ("enabled", Some(_)) => "notApplied",
        (_, None) if controls.contains(&"block") => "reportOnlyFailure",
        (_, None) if controls.is_empty() && !strength => "reportOnlySuccess",
        (_, None) => "reportOnlyInterrupted",
        (_, Some(_)) => "reportOnlyNotApplied",
    };
    let is_off = state == "disabled";
    let mut grants: Vec<&str> = GRANTS
        .iter()
        .filter(|(name, _)| controls.contains(name))
        .map(|(_, logged)| *logged)
        .collect();
    if strength {
        grants.push("RequireAuthenticationStrength");
    }
    let sessions: Vec<&str> = SESSIONS
        .iter()
        .filter(|(name, _)| {
            policy
                .pointer(&format!("/sessionControls/{name}"))
                .is_some_and(Value::is_object)
        })
        .map(|(_, logged)| *logged)
        .collect();
    let (satisfied, not_satisfied) = if is_off {
        ("none", "none")
    } else {
        evaluate::flags(tenant, policy, body, reason)
    };
    json!({
        "id": policy.get("id"),
        "displayName": policy.get("displayName"),
        "enforcedGrantControls": if is_off { Vec::new() } else { grants },
        "enforcedSessionControls": if is_off { Vec::new() } else { sessions },
        "result": result,
        "conditionsSatisfied": satisfied,
        "conditionsNotSatisfied": not_satisfied,
    })
}
