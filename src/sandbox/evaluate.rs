//! What-If: which policies apply to one sign-in, and why the others don't.
//!
//! Written from Microsoft's pages in the plainest way, policy by policy and condition by condition, and on purpose without
//! anything of the evaluator that capol itself uses: each is a check of the other.

mod device;
mod network;
mod people;

use serde_json::Value;
use serde_json::json;

use super::call::Answer;
use super::call::Call;
use super::call::Outcome;
use super::call::Refusal;
use super::policies;
use super::tenant::Kind;
use super::tenant::Tenant;
use super::tenant::strings;
use super::tenant::text;

/// Answers one What-If request.
pub(super) fn evaluate(tenant: &Tenant, call: &Call) -> Outcome {
    let body = call.object()?;
    people::check(tenant, body)?;
    resource_is_named(body)?;
    network::check(body)?;
    let applied_only = body.get("appliedPoliciesOnly") == Some(&json!(true));
    let mut results = Vec::new();
    for policy in tenant.objects(Kind::Policies) {
        let reason = keeps_away(tenant, policy, body);
        if applied_only && reason.is_some() {
            continue;
        }
        let mut shown = policies::show(tenant, call, policy);
        if let Some(members) = shown.as_object_mut() {
            members.insert("policyApplies".to_owned(), json!(reason.is_none()));
            members.insert("analysisReasons".to_owned(), json!(reason.unwrap_or("notSet")));
        }
        results.push(shown);
    }
    Ok(Answer::ok(json!({
        "@odata.context": call.context("Collection(microsoft.graph.whatIfAnalysisResult)"),
        "value": results,
    })))
}

/// Returns why a policy does not apply; nothing when it does.
pub(super) fn keeps_away(tenant: &Tenant, policy: &Value, body: &Value) -> Option<&'static str> {
    if text(policy, "state") == "disabled" {
        return Some("policyNotEnabled");
    }
    let conditions = policy.get("conditions").unwrap_or(&Value::Null);
    let sign_in = body.get("signInConditions").unwrap_or(&Value::Null);
    people::keep_away(tenant, conditions, body)
        .or_else(|| resource_keeps_away(conditions, body))
        .or_else(|| platform_keeps_away(conditions, sign_in))
        .or_else(|| client_keeps_away(conditions, sign_in))
        .or_else(|| network::keeps_away(tenant, conditions, sign_in))
        .or_else(|| device::keeps_away(conditions, sign_in))
        .or_else(|| {
            let risks = [
                ("userRiskLevels", "userRiskLevel", "userRisk"),
                ("signInRiskLevels", "signInRiskLevel", "signInRisk"),
                // The service has no word for the risk of a service principal.
                (
                    "servicePrincipalRiskLevels",
                    "servicePrincipalRiskLevel",
                    "signInRisk",
                ),
                ("insiderRiskLevels", "insiderRiskLevel", "insiderRisk"),
                ("agentIdRiskLevels", "agentIdRiskLevel", "agentIdRisk"),
            ];
            for (wanted, given, reason) in risks {
                let wanted = words(conditions.get(wanted));
                let given = sign_in.get(given).and_then(Value::as_str).unwrap_or("none");
                if !wanted.is_empty() && !has(&wanted, given) {
                    return Some(reason);
                }
            }
            None
        })
        .or_else(|| {
            let wanted = words(conditions.pointer("/authenticationFlows/transferMethods"));
            let given = sign_in.pointer("/authenticationFlow/transferMethod");
            let given = given.and_then(Value::as_str).unwrap_or("none");
            (!wanted.is_empty() && !has(&wanted, given)).then_some("authenticationFlow")
        })
}

/// Returns which conditions a log calls satisfied, and which not: published logs look at the application first, then at
/// the user, and end at the first that fails.
pub(super) fn flags(
    tenant: &Tenant,
    policy: &Value,
    body: &Value,
    reason: Option<&'static str>,
) -> (&'static str, &'static str) {
    let conditions = policy.get("conditions").unwrap_or(&Value::Null);
    if resource_keeps_away(conditions, body).is_some() {
        return ("none", "application");
    }
    if people::keep_away(tenant, conditions, body).is_some() {
        return ("application", "users");
    }
    let other = match reason {
        None => "none",
        Some("devicePlatform") => "devicePlatform",
        Some("location") => "location",
        Some("clientApps") => "clientType",
        Some("signInRisk") => "signInRisk",
        Some("userRisk") => "userRisk",
        Some("devices") => "deviceState",
        Some("authenticationFlow") => "authenticationFlows",
        Some("insiderRisk") => "insiderRisk",
        Some(_) => "unknownFutureValue",
    };
    ("application,users", other)
}

/// Returns words that are a list, or one text with commas, as flags are written.
fn words(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(flags)) => flags.split(',').map(|flag| flag.trim().to_owned()).collect(),
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

fn has<T: AsRef<str>>(words: &[T], word: &str) -> bool {
    words.iter().any(|one| one.as_ref().eq_ignore_ascii_case(word))
}

fn type_of<'a>(body: &'a Value, member: &str) -> &'a str {
    let whole = body
        .get(member)
        .and_then(|member| member.get("@odata.type"))
        .and_then(Value::as_str)
        .unwrap_or_default();
    whole.trim_start_matches("#microsoft.graph.")
}

fn resource_is_named(body: &Value) -> Result<(), Refusal> {
    let named = match type_of(body, "signInContext") {
        "applicationContext" => !strings(body, "/signInContext/includeApplications").is_empty(),
        "userActionContext" => body
            .pointer("/signInContext/userAction")
            .is_some_and(Value::is_string),
        "authContext" => body
            .pointer("/signInContext/authenticationContextValue")
            .is_some_and(Value::is_string),
        _ => false,
    };
    if named {
        Ok(())
    } else {
        Err(Refusal::bad("Invalid value for property 'signInContext'."))
    }
}

/// The applications that Microsoft's page on the Office 365 suite names; the first stands for the suite in What-If.
const OFFICE_365: [&str; 11] = [
    "67ad5377-2d78-4ac2-a867-6300cda00e85",
    "00000002-0000-0ff1-ce00-000000000000",
    "00000003-0000-0ff1-ce00-000000000000",
    "00000004-0000-0ff1-ce00-000000000000",
    "00000005-0000-0ff1-ce00-000000000000",
    "00000006-0000-0ff1-ce00-000000000000",
    "00000007-0000-0ff1-ce00-000000000000",
    "7557eb47-c689-4224-abcf-aef9bd7573df",
    "905fcf26-4eb7-48a0-9ff0-8dcc7194b5ba",
    "c9a559d2-7aab-4f13-a6ed-e7e9c52aec87",
    "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
];

/// The portals that Microsoft's page on the admin portals names.
const ADMIN_PORTALS: [&str; 2] = [
    "c44b4083-3bb0-49c1-b47d-974e53cbdf3c",
    "80ccca67-54bd-44ab-8625-4b79c4dc7775",
];

fn resource_keeps_away(conditions: &Value, body: &Value) -> Option<&'static str> {
    let included = strings(conditions, "/applications/includeApplications");
    let excluded = strings(conditions, "/applications/excludeApplications");
    match type_of(body, "signInContext") {
        "userActionContext" => {
            let action = body.pointer("/signInContext/userAction").and_then(Value::as_str);
            let urn = match action.unwrap_or_default() {
                "registerSecurityInformation" => "urn:user:registersecurityinfo",
                "registerOrJoinDevices" => "urn:user:registerdevice",
                other => other,
            };
            let wanted = strings(conditions, "/applications/includeUserActions");
            // Microsoft's third example shows a policy on all resources that applies to a user action.
            (!has(&wanted, urn) && !has(&included, "All")).then_some("userActions")
        }
        "authContext" => {
            let value = body.pointer("/signInContext/authenticationContextValue");
            let wanted = strings(
                conditions,
                "/applications/includeAuthenticationContextClassReferences",
            );
            (!has(&wanted, value.and_then(Value::as_str).unwrap_or_default()))
                .then_some("authenticationContext")
        }
        _ => {
            if conditions
                .pointer("/applications/applicationFilter")
                .is_some_and(Value::is_object)
            {
                return Some("notEnoughInformation");
            }
            for app in strings(body, "/signInContext/includeApplications") {
                let stands = |list: &[&str]| {
                    has(list, "All")
                        || has(list, app)
                        || has(list, "Office365") && has(&OFFICE_365, app)
                        || has(list, "MicrosoftAdminPortals") && has(&ADMIN_PORTALS, app)
                };
                if stands(&included) && !stands(&excluded) {
                    return None;
                }
            }
            Some("application")
        }
    }
}

fn platform_keeps_away(conditions: &Value, sign_in: &Value) -> Option<&'static str> {
    let included = strings(conditions, "/platforms/includePlatforms");
    let excluded = strings(conditions, "/platforms/excludePlatforms");
    if included.is_empty() && excluded.is_empty() {
        return None;
    }
    // An unknown platform is caught by `all` and by none that has a name.
    let platform = text(sign_in, "devicePlatform");
    let caught = |list: &[&str]| has(list, "all") || !platform.is_empty() && has(list, platform);
    (!caught(&included) || caught(&excluded)).then_some("devicePlatform")
}

fn client_keeps_away(conditions: &Value, sign_in: &Value) -> Option<&'static str> {
    let wanted = strings(conditions, "/clientAppTypes");
    let exchange = has(&wanted, "exchangeActiveSync") || has(&wanted, "easSupported");
    let every = has(&wanted, "browser")
        && has(&wanted, "mobileAppsAndDesktopClients")
        && exchange
        && has(&wanted, "other");
    if wanted.is_empty() || has(&wanted, "all") || every {
        return None;
    }
    let given = text(sign_in, "clientAppType");
    let by_exchange = has(&["exchangeActiveSync", "easSupported"], given);
    let caught = has(&wanted, given) || exchange && by_exchange;
    (!caught).then_some("clientApps")
}
