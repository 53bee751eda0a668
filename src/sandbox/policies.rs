//! `/identity/conditionalAccess/policies`: create, read, change, delete.

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use super::audit;
use super::call::Answer;
use super::call::Call;
use super::call::Outcome;
use super::call::Refusal;
use super::call::Version;
use super::normalise;
use super::odata;
use super::rules;
use super::schema;
use super::schema::Misfit;
use super::strengths;
use super::tenant::Kind;
use super::tenant::Tenant;
use super::tenant::stamp;

const TYPE: &str = "conditionalAccessPolicy";

/// Marks a policy that Microsoft made; not part of any answer.
pub(super) const MANAGED: &str = "$managed";
/// Marks a policy that v1.0 does not list; not part of any answer.
pub(super) const BETA_ONLY: &str = "$betaOnly";

/// Members that the service fills and a write cannot change.
const READ_ONLY: [&str; 6] = [
    "id",
    "createdDateTime",
    "modifiedDateTime",
    "deletedDateTime",
    "templateId",
    "partialEnablementStrategy",
];

pub(super) fn list(tenant: &Tenant, call: &Call) -> Outcome {
    let listed = tenant
        .objects(Kind::Policies)
        .filter(|policy| call.version == Version::Beta || policy.get(BETA_ONLY).is_none());
    odata::list(
        tenant,
        call,
        listed,
        |policy| show(tenant, call, policy),
        "identity/conditionalAccess/policies",
    )
}

pub(super) fn get(tenant: &Tenant, call: &Call, id: &str) -> Outcome {
    let policy = find(tenant, id)?;
    Ok(odata::entity(
        call,
        show(tenant, call, policy),
        "identity/conditionalAccess/policies/$entity",
    ))
}

pub(super) fn create(tenant: &mut Tenant, call: &Call) -> Outcome {
    if !tenant.settings.premium_p1 {
        return Err(Refusal::new(
            403,
            "AccessDenied",
            "Your tenant is not licensed for this feature.",
        ));
    }
    let sent = accepted(call)?;
    let mut policy = schema::merge(TYPE, &Value::Null, &sent);
    if sent.pointer("/conditions/clientAppTypes").is_none() {
        put(&mut policy, "/conditions/clientAppTypes", json!(["all"]));
    }
    normalise::policy(&mut policy);
    rules::policy(tenant, None, &policy, call.version)?;
    let quota = tenant.settings.policy_quota;
    let counted = || {
        tenant
            .objects(Kind::Policies)
            .filter(|policy| policy.get(MANAGED).is_none())
            .count()
    };
    if tenant.count(Kind::Policies) >= quota && counted() >= quota {
        return Err(Refusal::bad(format!(
            "The number of policies has reached the limit of {quota}."
        )));
    }
    let id = tenant.next_id();
    if let Some(object) = policy.as_object_mut() {
        object.insert("id".to_owned(), json!(id));
        object.insert("createdDateTime".to_owned(), json!(stamp(call.now)));
    }
    tenant.insert(Kind::Policies, policy.clone());
    audit::policy(tenant, call, "Add", None, Some(&policy));
    let shown = show(tenant, call, &policy);
    Ok(odata::created(
        call,
        shown,
        "identity/conditionalAccess/policies/$entity",
    ))
}

pub(super) fn update(tenant: &mut Tenant, call: &Call, id: &str) -> Outcome {
    let before = find(tenant, id)?.clone();
    let sent = accepted(call)?;
    if before.get(MANAGED).is_some() {
        only_exclusions(&sent, "")?;
    }
    let mut policy = schema::merge(TYPE, &before, &sent);
    normalise::policy(&mut policy);
    rules::policy(tenant, Some(&before), &policy, call.version)?;
    if let Some(object) = policy.as_object_mut() {
        object.insert("modifiedDateTime".to_owned(), json!(stamp(call.now)));
    }
    tenant.insert(Kind::Policies, policy.clone());
    audit::policy(tenant, call, "Update", Some(&before), Some(&policy));
    Ok(Answer::no_content())
}

pub(super) fn delete(tenant: &mut Tenant, call: &Call, id: &str) -> Outcome {
    let policy = find(tenant, id)?.clone();
    if policy.get(MANAGED).is_some() {
        return Err(Refusal::bad("Microsoft-managed policies cannot be deleted."));
    }
    tenant.remove(Kind::Policies, id);
    audit::policy(tenant, call, "Delete", Some(&policy), None);
    let mut deleted = policy;
    put(&mut deleted, "/deletedDateTime", json!(stamp(call.now)));
    tenant.insert(Kind::DeletedPolicies, deleted);
    Ok(Answer::no_content())
}

/// Returns the policies that name something at one of the given places.
pub(super) fn naming<'a>(
    tenant: &'a Tenant,
    places: &'a [&'a str],
    id: &'a str,
) -> impl Iterator<Item = &'a Value> {
    tenant.objects(Kind::Policies).filter(move |policy| {
        places.iter().any(|place| match policy.pointer(place) {
            Some(Value::Array(items)) => items
                .iter()
                .any(|item| item.as_str().is_some_and(|item| item.eq_ignore_ascii_case(id))),
            Some(Value::String(text)) => text.eq_ignore_ascii_case(id),
            _ => false,
        })
    })
}

fn find<'a>(tenant: &'a Tenant, id: &str) -> Result<&'a Value, Refusal> {
    tenant
        .object(Kind::Policies, id)
        .ok_or_else(|| Refusal::unknown("ConditionalAccessPolicy", id))
}

/// Reads the body of a write; members that the service fills are ignored.
fn accepted(call: &Call) -> Result<Value, Refusal> {
    let body = call.object()?;
    let mut sent = schema::accept(TYPE, body, call.version).map_err(|misfit| misfit_refusal(call, misfit))?;
    if let Some(object) = sent.as_object_mut() {
        object.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
    }
    let create = call.method == "POST";
    let missing = |name: &str| match sent.get(name) {
        None => create,
        Some(value) => value.is_null() || value.as_str() == Some(""),
    };
    if ["displayName", "state", "conditions"].into_iter().any(missing) {
        return Err(misfit_refusal(call, Misfit::Shape(TYPE.to_owned())));
    }
    Ok(sent)
}

fn misfit_refusal(call: &Call, misfit: Misfit) -> Refusal {
    match misfit {
        Misfit::ODataType(name) => Refusal::bad(format!("Invalid OData type specified: \"{name}\"")),
        Misfit::Shape(_) => {
            let page = if call.method == "POST" {
                "conditionalaccessroot-post-policies"
            } else {
                "conditionalaccesspolicy-update"
            };
            let view = match call.version {
                Version::V1 => "1.0",
                Version::Beta => "beta",
            };
            Refusal::numbered(
                1007,
                format!(
                    "Incoming ConditionalAccessPolicy object is null or does not match the schema of ConditionalAccessPolicy type. For examples, please see API documentation at https://docs.microsoft.com/en-us/graph/api/{page}?view=graph-rest-{view}."
                ),
            )
        }
    }
}

/// Refuses a PATCH of a Microsoft-managed policy that touches more than its state and exclusions.
fn only_exclusions(sent: &Value, path: &str) -> Result<(), Refusal> {
    let Some(object) = sent.as_object() else {
        return Ok(());
    };
    for (name, value) in object {
        let here = format!("{path}/{name}");
        let container = matches!(here.as_str(), "/conditions" | "/conditions/users");
        let allowed = here == "/state" || (path == "/conditions/users" && name.starts_with("exclude"));
        if container {
            only_exclusions(value, &here)?;
        } else if !allowed {
            return Err(Refusal::bad(
                "Microsoft-managed policies cannot be modified. Only the state and the excluded identities can be changed.",
            ));
        }
    }
    Ok(())
}

pub(super) fn put(value: &mut Value, pointer: &str, new: Value) {
    if let Some(place) = value.pointer_mut(pointer) {
        *place = new;
    }
}

/// Returns a policy as the version of the call shows it, the strength expanded.
pub(super) fn show(tenant: &Tenant, call: &Call, policy: &Value) -> Value {
    let mut shown = schema::show(TYPE, policy, call.version, call.sees_future_members());
    let id = policy
        .get("id")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned();
    if let Some(object) = shown.as_object_mut() {
        // In no answer that anybody captured, though it is in the schema.
        object.remove("description");
    }
    if let Some(grant) = shown.get_mut("grantControls").and_then(Value::as_object_mut) {
        expand_strength(tenant, call, &id, grant);
    }
    shown
}

fn expand_strength(tenant: &Tenant, call: &Call, policy_id: &str, grant: &mut Map<String, Value>) {
    let path =
        format!("identity/conditionalAccess/policies('{policy_id}')/grantControls/authenticationStrength");
    grant.insert(
        "authenticationStrength@odata.context".to_owned(),
        json!(call.context(&format!("{path}/$entity"))),
    );
    let expanded = grant
        .get("authenticationStrength")
        .and_then(|reference| reference.get("id"))
        .and_then(Value::as_str)
        .and_then(|id| tenant.object(Kind::AuthenticationStrengths, id))
        .map(|strength| strengths::show(call, strength, &path));
    grant.insert(
        "authenticationStrength".to_owned(),
        expanded.unwrap_or(Value::Null),
    );
}
